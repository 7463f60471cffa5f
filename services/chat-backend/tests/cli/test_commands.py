"""The command `atoll-chat`, as an operator runs it."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import httpx
import pytest

from atoll_chat.cli import main

SECRETS = {
    "SECRET_KEY": "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "INTERNAL_TOKEN": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
DEADLINE = 60.0


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


class Operator:
    """Runs commands on one DATA_DIR."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),  # the guards test a copy
            "DATA_DIR": str(self.data),
            "CHAT_BACKEND_PORT": str(self.port),
            "INFERENCE_URL": "http://127.0.0.1:9",
            "ADMIN_PASSWORD": "first administrator",
        } | SECRETS

    def run(self, *arguments: str, stdin: str = "", **changed: str) -> Done:
        """Run a command in this process: it saves the second that loading everything takes."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environment | changed, clear=True),
            mock.patch.object(sys, "stdin", io.StringIO(stdin)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as exited,
        ):
            main(arguments)
        code = exited.value.code
        assert code is None or isinstance(code, int)
        return Done(code or 0, out.getvalue(), err.getvalue())

    def run_apart(self, *arguments: str, stdin: str = "", **changed: str) -> Done:
        """Run a command as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "atoll_chat.cli", *arguments],
            env=self.environment | changed,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def serving(self, **changed: str) -> Iterator[subprocess.Popen[str]]:
        if not (self.data / "db").exists():
            assert self.run("migrate").returncode == 0
        with (self.data / "serve.out").open("w+") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "atoll_chat.cli", "serve"],
                env=self.environment | changed,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                self._await_health(process)
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                process.wait(DEADLINE)

    def _await_health(self, process: subprocess.Popen[str]) -> None:
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            assert process.poll() is None, (self.data / "serve.out").read_text()
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/api/health").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the server did not come up")

    def login(self, username: str, password: str) -> httpx.Response:
        body = {"username": username, "password": password}
        return httpx.post(f"{self.url}/api/auth/login", json=body)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_help_names_every_command(operator: Operator) -> None:
    done = operator.run("--help")
    assert done.returncode == 0
    for command in ("serve", "migrate", "set_admin", "selftest", "health", "openapi"):
        assert command in done.stdout
    assert operator.run().returncode == 2
    assert operator.run("nonsense").returncode == 2


def test_settings_that_are_wrong_are_named(operator: Operator) -> None:
    done = operator.run_apart("serve", SECRET_KEY="", CHAT_BACKEND_PORT="x", INTERNAL_TOKEN="short")
    assert done.returncode == 2
    for name in ("SECRET_KEY", "CHAT_BACKEND_PORT", "INTERNAL_TOKEN"):
        assert f"{name}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "short" not in done.stderr
    assert not operator.data.exists()


def test_a_weak_admin_password_is_named(operator: Operator) -> None:
    done = operator.run("serve", ADMIN_PASSWORD="admin")
    assert done.returncode == 2
    assert "ADMIN_PASSWORD: " in done.stderr


def test_serving_needs_the_migrations(operator: Operator) -> None:
    done = operator.run_apart("serve")
    assert done.returncode == 1
    assert "atoll-chat migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrating_twice(operator: Operator) -> None:
    assert "is now at schema" in operator.run("migrate").stdout
    assert "nothing to do" in operator.run("migrate").stdout
    # Other users of the machine have no business in it.
    assert stat.S_IMODE((operator.data / "db").stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(operator: Operator) -> None:
    operator.data.mkdir(mode=0o500)
    done = operator.run("migrate")
    assert done.returncode == 1
    assert str(operator.data) in done.stderr


def test_a_folder_that_is_a_file_is_named(operator: Operator) -> None:
    operator.data.write_text("")
    done = operator.run("migrate")
    assert done.returncode == 1
    assert str(operator.data) in done.stderr
    assert "Traceback" not in done.stderr


def test_the_openapi_document_needs_no_settings(operator: Operator, tmp_path: Path) -> None:
    operator.environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(operator.data)}
    done = operator.run("openapi")
    document = json.loads(done.stdout)
    for path in ("/api/auth/login", "/api/admin/users/{user_id}", "/api/files/{file_id}/content"):
        assert path in document["paths"]
    assert not any(path.startswith("/internal") for path in document["paths"])
    assert not operator.data.exists()


def test_one_server_a_database(operator: Operator) -> None:
    with operator.serving() as server:
        done = operator.run("serve")
        assert done.returncode == 1
        assert f"process {server.pid}" in done.stderr
        # `docker compose up` on a running stack runs this step again.
        again = operator.run("migrate")
        assert (again.returncode, again.stderr) == (0, "")
        assert "nothing to do" in again.stdout
        assert httpx.get(f"{operator.url}/api/health").status_code == 200
        assert "server" not in httpx.get(f"{operator.url}/api/health").headers
        # No inference service runs here, and that is what the operator is told, in one line.
        done = operator.run("selftest")
        assert done.returncode == 1
        assert re.fullmatch(r"atoll-chat: .+\n", done.stderr)
    assert not (operator.data / "run" / "control.sock").exists()
    logged = (operator.data / "logs" / "chat-backend.log").read_text()
    assert all(json.loads(line)["service"] == "chat-backend" for line in logged.splitlines())


def test_the_health_check_asks_the_server(operator: Operator) -> None:
    with operator.serving():
        done = operator.run_apart("health", "--port", str(operator.port))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = operator.run("health", "--port", str(operator.port))
    assert done.returncode == 1
    assert f"port {operator.port} gives no answer" in done.stderr


def test_set_admin_after_the_server_was_killed(operator: Operator) -> None:
    with operator.serving() as server:
        server.send_signal(signal.SIGKILL)
        server.wait(DEADLINE)
    # Apart, because without a server the command writes its own log.
    arguments = ("set_admin", "--password-stdin")
    done = operator.run_apart(*arguments, stdin="a password of my own\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "admin is an administrator; signed out.\n"
        "The password has to be changed at the first sign-in.\n"
    )
    assert operator.run(*arguments, stdin="\n").returncode == 2
    with operator.serving():
        assert operator.login("admin", "first administrator").status_code == 401
        user = operator.login("admin", "a password of my own").json()["user"]
        assert user["must_change_password"] is True


def test_set_admin_with_the_server_running(operator: Operator) -> None:
    with operator.serving(ADMIN_PASSWORD=""):
        file = operator.data / "first-admin-password"
        assert operator.login("admin", file.read_text().strip()).status_code == 200
        assert operator.login("chief", "x").status_code == 401
        done = operator.run("set_admin", "--username", "chief")
        assert done.returncode == 0, done.stderr
        [password] = re.findall(r"shown this once: (\S+)", done.stdout)
        user = operator.login("chief", password).json()["user"]
        assert (user["role"], user["must_change_password"]) == ("admin", True)
        browser = httpx.Client(base_url=operator.url)
        body = {"username": "chief", "password": password}
        browser.post("/api/auth/login", json=body)
        assert browser.get("/api/auth/me").status_code == 200
        again = operator.run(
            "set_admin", "--username", "CHIEF", "--password-stdin", stdin="a second password\n"
        )
        assert again.returncode == 0, again.stderr
        assert "a second password" not in again.stdout + again.stderr
        # The sessions that the old password opened are gone with it.
        assert browser.get("/api/auth/me").status_code == 401
        browser.close()
        assert operator.login("chief", password).status_code == 401
        assert operator.login("chief", "a second password").status_code == 200
        weak = operator.run("set_admin", "--password-stdin", stdin="short\n")
        assert weak.returncode == 1
        assert "at least 10" in weak.stderr
        logged = (operator.data / "logs" / "chat-backend.log").read_text()
        assert password not in logged
        assert "a second password" not in logged
        # The first password no longer works, so its file goes.
        assert operator.run("set_admin").returncode == 0
        assert not file.exists()


def test_commands_to_a_server_that_does_not_run(operator: Operator) -> None:
    done = operator.run("selftest")
    assert done.returncode == 1
    assert "No server is running" in done.stderr
