"""What a deployment configuration sets: variables of `.env`, compose files, and warnings."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from atoll_chat.deployment_config import ConfigProblem
from atoll_chat.deployment_config.schema import DeploymentConfig, Section
from atoll_chat.settings import Settings

MAIN_FILE = "docker-compose.yml"
CLONE_FILE = "docker-compose.override.yml"
OVERRIDES = {
    name: f"deployment/docker/compose.{name}.yml"
    for name in ("gpu", "host-network", "tls", "monitoring")
}
# How a clone builds what the override of that name runs.
BUILDS = {name: f"deployment/docker/compose.{name}-build.yml" for name in ("gpu", "monitoring")}
# Where requests come from that a proxy on this machine makes: Docker's own address pools.
DOCKER_ADDRESSES = "127.0.0.1 172.16.0.0/12 192.168.0.0/16"
BEHIND_NGINX = ("HTTP_BIND", "HTTP_PORT", "TRUSTED_PROXIES")
PLAIN_NAMES = {
    "deployment.data_dir": "DATA_DIR",
    "deployment.models_dir": "MODELS_DIR",
    "deployment.model_path": "MODEL_PATH",
    "deployment.user_id": "ATOLL_UID",
    "deployment.group_id": "ATOLL_GID",
    "llm.api_url": "LLM_API_URL",
    "llm.model": "LLM_MODEL",
    "llm.api_key": "LLM_API_KEY",
    "frontend.api_url": "FRONTEND_API_URL",
    "nginx.http_port": "HTTP_PORT",
    "nginx.bind": "HTTP_BIND",
    "accounts.registration": "REGISTRATION",
    "accounts.admin_username": "ADMIN_USERNAME",
    "accounts.admin_password": "ADMIN_PASSWORD",
    "inference.device": "DEVICE",
    "inference.dtype": "DTYPE",
    "inference.preload": "PRELOAD",
    "inference.memory_budget": "MEMORY_BUDGET",
}
_EXAMPLE = re.compile(r"\b(your-|example\.(com|org|net))", re.I)


@dataclass
class Wanted:
    """What `.env` should hold: a value, or None to take the variable away."""

    variables: dict[str, str | None] = field(default_factory=dict)
    overrides: dict[str, bool] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def wanted(config: DeploymentConfig) -> Wanted:
    """Translate `config`. What it does not mention is not in the result.

    Raises:
        ConfigProblem: a value that the services would refuse.
    """
    found = Wanted()
    paths: dict[str, str] = {}
    for path, name in PLAIN_NAMES.items():
        section, key = path.split(".")
        given: Section = getattr(config, section)
        if key in given.model_fields_set:
            found.variables[name] = _text(getattr(given, key))
            paths[name] = path
    _deployment(config, found)
    _nginx(config, found)
    for name, value in config.environment.items():
        if name in found.variables:
            raise ConfigProblem([f"environment.{name}: is set by {paths.get(name, 'nginx')} too"])
        if name == "COMPOSE_FILE":
            raise ConfigProblem(["environment.COMPOSE_FILE: is made from deployment and nginx.tls"])
        found.variables[name] = _text(value)
        paths[name] = f"environment.{name}"
    _refuse_what_services_refuse(found.variables, paths)
    _warn(config, found)
    return found


def compose_files(
    present: str | None, overrides: dict[str, bool], place: str, in_clone: bool
) -> str | None:
    """The value of COMPOSE_FILE: files of other names in `present` stay. None when not needed.

    Args:
        place: folder of the installation. The paths are absolute, so that compose finds the files
            from the folders below it, too.
        in_clone: whether there is a file that compose adds by itself as long as nothing is set.
    """
    files = [name for name in (present or "").split(":") if name]
    if not files:
        if not any(overrides.values()):
            return None
        names = [MAIN_FILE, *([CLONE_FILE] if in_clone else [])]
        files = [f"{place}/{name}" for name in names]
    for name, on in overrides.items():
        for file in (OVERRIDES[name], *([BUILDS[name]] if name in BUILDS else [])):
            there = [each for each in files if each == file or each.endswith(f"/{file}")]
            if not on:
                files = [each for each in files if each not in there]
            elif not there and (in_clone or file in OVERRIDES.values()):
                files.append(f"{place}/{file}")
    return ":".join(files)


def _deployment(config: DeploymentConfig, found: Wanted) -> None:
    given = config.deployment
    if "type" in given.model_fields_set:
        found.variables["DEPLOYMENT_TYPE"] = given.type
    for key, name in (("gpu", "gpu"), ("host_network", "host-network"), ("monitoring",) * 2):
        if key in given.model_fields_set:
            found.overrides[name] = getattr(given, key)
            if getattr(given, key) and given.type == "local":
                found.warnings.append(
                    f"deployment.{key}: counts for containers only; this is a local deployment"
                )


def _nginx(config: DeploymentConfig, found: Wanted) -> None:
    given = config.nginx
    if "trusted_proxies" in given.model_fields_set:
        proxies = given.trusted_proxies
        found.variables["TRUSTED_PROXIES"] = " ".join(proxies) if proxies else None
    if "tls" in given.model_fields_set:
        tls = given.tls
        found.overrides["tls"] = tls is not None
        found.variables["TLS_CERTIFICATE"] = tls.certificate if tls else None
        found.variables["TLS_KEY"] = tls.key if tls else None
        found.variables["HTTPS_PORT"] = str(tls.https_port) if tls else None
        if tls and config.deployment.type == "local":
            found.warnings.append(
                "nginx.tls: host processes speak HTTP; put an nginx with your certificate in front "
                "(nginx.enabled: false writes its file)"
            )
    if not given.enabled:
        local = config.deployment.type == "local"
        values = ("127.0.0.1", "8080", "127.0.0.1" if local else DOCKER_ADDRESSES)
        for name, value in zip(BEHIND_NGINX, values, strict=True):
            if found.variables.get(name) is None:
                found.variables[name] = value


def _refuse_what_services_refuse(variables: dict[str, str | None], paths: dict[str, str]) -> None:
    known = set(Settings.model_fields)
    values: dict[str, Any] = {
        name.lower(): value for name, value in variables.items() if name.lower() in known and value
    }
    # Only checked, never served with: they stand for secrets that are not given here.
    complete = {name: secrets.token_hex(32) for name in ("secret_key", "internal_token")} | values
    # The upstream's model may be in .env already.
    if "llm_api_url" in complete:
        complete.setdefault("llm_model", "any")
    try:
        Settings(**complete)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0]).upper() if problem["loc"] else ""
            # What this process's own environment holds does not count here.
            if name in paths:
                reason = problem["msg"].removeprefix("Value error, ")
                lines.append(f"{paths[name]}: {reason}")
        if lines:
            raise ConfigProblem(lines) from None


def _warn(config: DeploymentConfig, found: Wanted) -> None:
    if config.frontend.api_url:
        found.warnings.append(
            "frontend.api_url: is kept as FRONTEND_API_URL and has no effect; the pages call the "
            "address they were loaded from, so one installation serves any address"
        )
    for key in ("api_url", "model", "api_key"):
        value = getattr(config.llm, key)
        if value and _EXAMPLE.search(value):
            found.warnings.append(f"llm.{key}: still holds the example's value {value!r}")
    if config.accounts.admin_password:
        found.warnings.append(
            "accounts.admin_password: counts at the first start only, and has to be changed at the "
            "first sign-in"
        )


def _text(value: str | float | bool | None) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
