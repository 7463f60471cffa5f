"""Settings of the whole stack, and what each process gets of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from atoll_chat.settings import Settings as ChatSettings
from atoll_inference.settings import Settings as InferenceSettings
from atoll_kit.settings import ServiceSettings
from atoll_local.problem import BadSetting

DEFAULT_PORTS = {
    "HTTP_PORT": 8080,
    "CHAT_BACKEND_PORT": 8000,
    "INFERENCE_PORT": 8085,
    "FRONTEND_PORT": 3000,
}
PATHS = ("DATA_DIR", "MODELS_DIR", "MODEL_PATH", "MODEL_CATALOG")
GATEWAY_VARIABLES = (
    "TRUSTED_PROXIES",
    "LOGIN_RATE_PER_MINUTE",
    "LOGIN_BURST",
    "GATEWAY_WORKERS",
    "GATEWAY_LOG_LEVEL",
    "GATEWAY_USER",
)
# Not settings of Atoll: where programs and certificates are, which language and time zone.
HOST_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
# What the model runtimes themselves read: devices, libraries, threads.
RUNTIME_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "GOMP_SPINCOUNT",
)
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/@+-]*")
_ADDRESS = re.compile(r"[0-9.]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True)
class Environment:
    """Everything that is known before the first process starts. Paths are absolute."""

    root: Path
    values: Mapping[str, str]
    data_dir: Path
    models_dir: Path
    bind: str
    ports: Mapping[str, int]

    @property
    def run_dir(self) -> Path:
        """Rendered files, pids and the control socket of this stack."""
        return self.data_dir / "run" / "stack"

    @property
    def gateway_dir(self) -> Path:
        """What nginx reads and writes."""
        return self.data_dir / "run" / "gateway"

    @property
    def logs_dir(self) -> Path:
        """Rotated logs of every process."""
        return self.data_dir / "logs"

    @property
    def local_url(self) -> str:
        """The gateway as this machine reaches it."""
        host = self.bind if self.bind not in ("0.0.0.0", "[::]") else "127.0.0.1"  # noqa: S104
        return f"http://{host}:{self.ports['HTTP_PORT']}"

    def for_chat_backend(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Variables of the chat backend: its settings, both secrets and the upstream's proxy."""
        proxies = self._some(PROXY_VARIABLES)
        if proxies:
            # The services talk to each other directly.
            bypass = self.values.get("NO_PROXY", "")
            proxies["NO_PROXY"] = ",".join(filter(None, (bypass, "127.0.0.1", "localhost")))
        return {
            **self._some(HOST_VARIABLES),
            **proxies,
            "INFERENCE_URL": f"http://127.0.0.1:{self.ports['INFERENCE_PORT']}",
            **self._settings(ChatSettings),
            **secrets,
        }

    def for_inference(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Variables of the inference service: its settings and the internal token."""
        return {
            **self._some(HOST_VARIABLES),
            **self._some(RUNTIME_VARIABLES),
            "CHAT_BACKEND_URL": f"http://127.0.0.1:{self.ports['CHAT_BACKEND_PORT']}",
            **self._settings(InferenceSettings),
            "INTERNAL_TOKEN": secrets["INTERNAL_TOKEN"],
        }

    def for_gateway(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Variables of render.sh; nginx itself gets none of them."""
        return {
            **self._some(HOST_VARIABLES),
            **self._some(GATEWAY_VARIABLES),
            "GATEWAY_RUN_DIR": str(self.gateway_dir),
            "GATEWAY_LISTEN": f"{self.bind}:{self.ports['HTTP_PORT']}",
            "FRONTEND_LISTEN": f"127.0.0.1:{self.ports['FRONTEND_PORT']}",
            "FRONTEND_ROOT": str(self.root / "services/frontend/dist"),
            "CHAT_BACKEND_ADDRESS": f"127.0.0.1:{self.ports['CHAT_BACKEND_PORT']}",
            "INFERENCE_ADDRESS": f"127.0.0.1:{self.ports['INFERENCE_PORT']}",
            "INTERNAL_TOKEN": secrets["INTERNAL_TOKEN"],
        }

    def for_nginx(self) -> dict[str, str]:
        """Variables of the nginx process."""
        return self._some(("PATH", "LANG", "LC_ALL", "TZ"))

    def _settings(self, settings: type[ServiceSettings]) -> dict[str, str]:
        return self._some(tuple(name.upper() for name in settings.model_fields))

    def _some(self, names: tuple[str, ...]) -> dict[str, str]:
        return {name: self.values[name] for name in names if self.values.get(name)}


def read_environment(root: Path, process: Mapping[str, str]) -> Environment:
    """Settings of the process environment over those of `.env` in `root`, checked.

    Raises:
        BadSetting: a port or a path is not usable; the message names the variable.
    """
    file = root / ".env"
    values = {name: value or "" for name, value in dotenv_values(file, interpolate=False).items()}
    values |= {name: value for name, value in process.items() if value or name not in values}
    ports = _ports(values)
    values |= {name: str(port) for name, port in ports.items()}
    for name in PATHS:
        if values.get(name):
            values[name] = str((root / Path(values[name]).expanduser()).resolve())
    data_dir = Path(values.setdefault("DATA_DIR", str(root / "data")))
    if not _PLAIN_PATH.fullmatch(str(data_dir)):
        raise BadSetting(
            f"DATA_DIR: {data_dir} has characters that nginx cannot take in a path. "
            "Use letters, digits and ._/@+-"
        )
    models_dir = Path(values.setdefault("MODELS_DIR", str(root / "models")))
    bind = values.get("HTTP_BIND") or "0.0.0.0"  # noqa: S104 - the one public door
    if not _ADDRESS.fullmatch(bind):
        raise BadSetting(f"HTTP_BIND: {bind!r} is no address. Use 0.0.0.0, 127.0.0.1 or [::].")
    return Environment(root, values, data_dir, models_dir, bind, ports)


def _ports(values: Mapping[str, str]) -> dict[str, int]:
    alias, own = values.get("PORT"), values.get("HTTP_PORT")
    if alias and own and alias != own:
        raise BadSetting(
            f"PORT={alias} and HTTP_PORT={own} are both set and differ. "
            "They mean the same; set one of them."
        )
    given = {**values, "HTTP_PORT": own or alias or ""}
    ports = {name: _port(name, given.get(name), default) for name, default in DEFAULT_PORTS.items()}
    taken: dict[int, str] = {}
    for name, port in ports.items():
        if port in taken:
            raise BadSetting(f"{name} and {taken[port]} are both {port}; every port is used once.")
        taken[port] = name
    return ports


def _port(name: str, text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadSetting(f"{name}: {text!r} is no port. Use a number from 1 to 65535.")
    return int(text)
