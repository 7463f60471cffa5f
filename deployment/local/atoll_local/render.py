"""Files from which the processes start: nginx configuration, one launch file each, supervisor's."""

import hashlib
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atoll_local.environment import Environment
from atoll_local.problem import BadSetting, Problem

FILES_WANTED = 16384
# A Unix socket's path has at most 107 bytes, and supervisor binds `PATH.PID` first.
LONGEST_SOCKET_PATH = 96


@dataclass(frozen=True)
class Program:
    """One supervised process.

    Programs start in order of `priority` and stop in reverse. `stop_seconds` is the time to end
    before SIGKILL; their sum is the longest stop of the stack. `log_megabytes` is the size at which
    the captured output is rotated.
    """

    name: str
    priority: int
    command: list[str]
    environment: Mapping[str, str]
    stop_seconds: int
    log_megabytes: int


def programs(environment: Environment, secrets: Mapping[str, str]) -> list[Program]:
    """The processes of a stack.

    The gateway stops first, so that nobody is sent to a service that is ending; the chat backend
    last, because the inference service reports its last usage to it.
    """
    return [
        Program(
            "chat-backend",
            10,
            [script("atoll-chat"), "serve"],
            environment.for_chat_backend(secrets),
            stop_seconds=6,
            # The services keep logs of their own; this is for what a crash prints.
            log_megabytes=5,
        ),
        Program(
            "inference",
            20,
            [script("atoll-inference"), "serve"],
            environment.for_inference(secrets),
            stop_seconds=6,
            log_megabytes=5,
        ),
        Program(
            "gateway",
            30,
            [nginx(), "-e", "stderr", "-c", str(environment.gateway_dir / "nginx/nginx.conf")],
            environment.for_nginx(),
            stop_seconds=2,
            log_megabytes=20,
        ),
    ]


def script(name: str) -> str:
    """A command of the Python environment that this one runs in."""
    return str(Path(sys.executable).with_name(name))


def nginx() -> str:
    """The nginx program.

    Raises:
        Problem: there is none.
    """
    # Debian keeps it where ordinary accounts do not look.
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Problem("nginx is not installed. On Debian: apt-get install nginx-light")
    return found


def socket_path(environment: Environment) -> Path:
    """Supervisor's control socket: beside its other files, or in a private short folder."""
    path = environment.run_dir / "supervisor.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"atoll-{os.getuid()}" / f"{name}.sock"


def render(environment: Environment, secrets: Mapping[str, str]) -> Path:
    """Write everything below `DATA_DIR/run` and return supervisor's configuration.

    Raises:
        Problem: nginx refuses the rendered configuration.
        BadSetting: a gateway setting is not valid; the message names it.
    """
    _render_gateway(environment, secrets)
    started = programs(environment, secrets)
    for program in started:
        description = {
            "command": program.command,
            "environment": dict(program.environment),
            "directory": str(environment.root),
        }
        _write_private(_launch_file(environment, program), json.dumps(description, indent=1))
    configuration = environment.run_dir / "supervisord.conf"
    _write_private(configuration, _supervisor(environment, started))
    return configuration


def _launch_file(environment: Environment, program: Program) -> Path:
    return environment.run_dir / f"{program.name}.json"


def _render_gateway(environment: Environment, secrets: Mapping[str, str]) -> None:
    script = environment.root / "services/gateway/render.sh"
    output = environment.gateway_dir / "nginx"
    variables = environment.for_gateway(secrets)
    _run([str(script), str(output)], variables, BadSetting)
    test = [nginx(), "-t", "-q", "-e", "stderr", "-c", str(output / "nginx.conf")]
    _run(test, environment.for_nginx(), Problem)


def _run(command: list[str], variables: dict[str, str], failure: type[Problem]) -> None:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise failure(done.stderr.strip() or f"{command[0]} failed ({done.returncode})")


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _supervisor(environment: Environment, started: list[Program]) -> str:
    socket = socket_path(environment)
    socket.parent.mkdir(exist_ok=True, mode=0o700)
    files = min(FILES_WANTED, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    sections = [
        f"[unix_http_server]\nfile={socket}\nchmod=0700",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisord]\nidentifier=atoll\nnodaemon=true\nsilent=true\numask=077\n"
        f"minfds={files}\n"
        f"pidfile={environment.run_dir / 'supervisord.pid'}\n"
        f"childlogdir={environment.logs_dir}\n"
        f"logfile={environment.logs_dir / 'supervisord.log'}\n"
        "logfile_maxbytes=5MB\nlogfile_backups=2" + ("\nuser=root" if os.getuid() == 0 else ""),
    ]
    sections += [_program(environment, program) for program in started]
    return "\n\n".join(sections).replace("%", "%%") + "\n"


def _program(environment: Environment, program: Program) -> str:
    launcher = shlex.join(
        [sys.executable, "-m", "atoll_local.launch", str(_launch_file(environment, program))]
    )
    return "\n".join(
        (
            f"[program:{program.name}]",
            f"command={launcher}",
            f"priority={program.priority}",
            "autorestart=true",
            # One that ends within 3 s is tried again after 1, 2 and 3 s, then given up; the
            # foreground process tries it again later (see `foreground`).
            "startsecs=3",
            "startretries=3",
            "stopsignal=TERM",
            f"stopwaitsecs={program.stop_seconds}",
            "stopasgroup=true",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={environment.logs_dir / program.name}.out.log",
            f"stdout_logfile_maxbytes={program.log_megabytes}MB",
            "stdout_logfile_backups=3",
        )
    )
