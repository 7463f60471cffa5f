"""Commands to the running server, over a Unix socket that only its own user can open.

One JSON object on one line each way: `{"command": …, "payload": {…}}` is answered with
`{"result": {…}}` or `{"error": {"message": …, "code": …}}`.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from atoll_kit.errors import ApiError
from atoll_kit.logs import get_logger

log = get_logger(__name__)

NAME = "control.sock"
MAX_LINE = 64 * 1024
READ_SECONDS = 10.0

Command = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ControlError(RuntimeError):
    """A command that the server refused; the message is meant for the operator."""


class NotRunning(ControlError):
    """No server listens on the socket."""


class ControlServer:
    """Answers commands. Only the user who runs the server, and root, are heard.

    Args:
        run_dir: folder of the socket; made with mode 0700.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._commands: dict[str, Command] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def command(self, name: str, answer: Command) -> None:
        """Answer the command `name` with `await answer(payload)`."""
        self._commands[name] = answer

    async def start(self) -> None:
        """Listen. A socket that a crash left behind is replaced: the writer lock is ours.

        Raises:
            OSError: the folder cannot be written.
        """
        self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._run_dir.chmod(0o700)
        (self._run_dir / NAME).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short_path(self._run_dir) as path:
                listener.bind(path)
            (self._run_dir / NAME).chmod(0o600)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listener, limit=MAX_LINE
            )
        except BaseException:
            listener.close()
            raise

    async def stop(self) -> None:
        """Stop listening, end what is being answered and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None
        (self._run_dir / NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if _peer_is_trusted(writer):
                line = await asyncio.wait_for(reader.readline(), READ_SECONDS)
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, ValueError, ConnectionError) as error:
            log.warning("control_request_dropped", error=str(error))
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            command = self._commands[asked["command"]]
            payload = dict(asked.get("payload") or {})
        except (ValueError, KeyError, TypeError):
            return _error("The running server does not know this command.", "unknown_command")
        try:
            return {"result": await command(payload)}
        except ApiError as error:
            return _error(error.message, error.code)
        except Exception as error:
            log.error("control_command_failed", command=asked["command"], exc_info=error)
            return _error("The command failed on the server. See its log.", "internal_error")


def call(run_dir: Path, command: str, payload: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Send one command to the running server and wait for its answer.

    Args:
        timeout: seconds to wait for each step.

    Raises:
        NotRunning: nothing listens there.
        ControlError: the server refused, or gave no answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout)
        try:
            with _short_path(run_dir) as path:
                link.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning(f"No server is running on {run_dir.parent}.") from None
        except PermissionError:
            raise ControlError(
                f"{run_dir / NAME} belongs to another user. Run this as the user of the server."
            ) from None
        try:
            link.sendall(json.dumps({"command": command, "payload": payload}).encode() + b"\n")
            with link.makefile("rb") as answers:
                line = answers.readline()
        except OSError as error:
            raise ControlError(f"The running server gave no answer: {error}.") from None
    if not line:
        raise ControlError("The running server closed the connection without an answer.")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise ControlError(answer["error"]["message"])
    result: dict[str, Any] = answer["result"]
    return result


@contextmanager
def _short_path(run_dir: Path) -> Iterator[str]:
    # A socket's path has at most 107 bytes. Through the folder's descriptor it is always short.
    folder = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def _peer_is_trusted(writer: asyncio.StreamWriter) -> bool:
    # A copy of the descriptor: the event loop's own socket object cannot be asked for options.
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as link:
        raw = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    return uid in (0, os.getuid())


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "code": code}}
