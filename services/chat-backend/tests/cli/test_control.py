"""Commands to the running server over its socket."""

import asyncio
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from atoll_chat.control import NAME, ControlError, ControlServer, NotRunning, call
from atoll_kit.errors import Conflict


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ControlServer]:
    """A control server whose folder has a longer path than a socket may."""
    folder = tmp_path / ("long" * 40) / "run"
    server = ControlServer(folder)

    async def echo(payload: dict[str, Any]) -> dict[str, Any]:
        return {"echo": payload}

    async def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise Conflict("That cannot be done now.")

    async def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a secret detail")

    for command in (echo, refuse, fail):
        server.command(command.__name__, command)
    await server.start()
    yield server
    await server.stop()


async def ask(server: ControlServer, command: str, **payload: Any) -> dict[str, Any]:
    return await asyncio.to_thread(call, server._run_dir, command, payload, 20.0)


async def test_a_command_is_answered(server: ControlServer) -> None:
    assert await ask(server, "echo", text="né\n") == {"echo": {"text": "né\n"}}


async def test_refusals_and_failures_are_told(server: ControlServer) -> None:
    with pytest.raises(ControlError, match=r"That cannot be done now\."):
        await ask(server, "refuse")
    with pytest.raises(ControlError, match="See its log") as failed:
        await ask(server, "fail")
    assert "secret" not in str(failed.value)
    with pytest.raises(ControlError, match="does not know this command"):
        await ask(server, "nonsense")


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b'{"command": []}\n', b"\n", b""])
async def test_nonsense_does_no_harm(line: bytes, server: ControlServer) -> None:
    reader, writer = await asyncio.open_unix_connection(_short(server))
    writer.write(line)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 20)
    assert b"unknown_command" in answer
    writer.close()
    await writer.wait_closed()
    assert await ask(server, "echo") == {"echo": {}}


async def test_an_endless_line_is_dropped(server: ControlServer) -> None:
    reader, writer = await asyncio.open_unix_connection(_short(server))
    writer.write(b"x" * 1_000_000)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(writer.drain(), 20)
        if not await asyncio.wait_for(reader.read(), 20):
            raise ConnectionResetError
    writer.close()
    assert await ask(server, "echo") == {"echo": {}}


async def test_only_the_servers_user_can_open_the_socket(server: ControlServer) -> None:
    folder = server._run_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


# The interpreter of the system: that of the tests may be in a folder others cannot enter.
PYTHON = shutil.which("python3", path="/usr/bin:/bin")


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user takes root")
@pytest.mark.skipif(PYTHON is None, reason="there is no /usr/bin/python3")
async def test_another_user_is_not_heard_even_if_the_socket_opens() -> None:
    folder = Path(tempfile.mkdtemp())
    heard = []

    async def command(payload: dict[str, Any]) -> dict[str, Any]:
        heard.append(payload)
        return {}

    server = ControlServer(folder / "run")
    server.command("command", command)
    await server.start()
    # As if an operator had loosened the permissions.
    folder.chmod(0o755)
    (folder / "run").chmod(0o755)
    (folder / "run" / NAME).chmod(0o666)
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        's.sendall(b\'{"command": "command"}\\n\'); sys.stdout.buffer.write(s.recv(100))'
    )
    assert PYTHON is not None
    arguments = [PYTHON, "-I", "-c", code, str(folder / "run" / NAME)]

    def ask_as(user: int) -> bytes:
        return subprocess.run(
            arguments, user=user, capture_output=True, check=False, timeout=60
        ).stdout

    try:
        assert await asyncio.to_thread(ask_as, 65534) == b""
        assert heard == []
        assert b"result" in await asyncio.to_thread(ask_as, 0)
    finally:
        await server.stop()


async def test_stopping_ends_what_hangs_and_removes_the_socket(server: ControlServer) -> None:
    reached = asyncio.Event()

    async def wait(_: dict[str, Any]) -> dict[str, Any]:
        reached.set()
        await asyncio.Event().wait()
        return {}

    server.command("hang", wait)
    asked = asyncio.create_task(ask(server, "hang"))
    await reached.wait()
    await server.stop()
    with pytest.raises(ControlError):
        await asked
    assert not (server._run_dir / NAME).exists()
    with pytest.raises(NotRunning):
        await ask(server, "echo")


async def test_a_socket_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / NAME))
    with pytest.raises(NotRunning):
        call(folder, "echo", {}, 5.0)
    server = ControlServer(folder)
    await server.start()
    await server.stop()


def _short(server: ControlServer) -> str:
    # The client side of the same trick: a short name for a long path.
    short = Path(tempfile.mkdtemp()) / "run"
    short.symlink_to(server._run_dir)
    return str(short / NAME)
