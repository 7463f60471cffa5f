"""Data to back up, and the commands as an operator runs them."""

import contextlib
import hashlib
import io
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from atoll_chat.cli import main
from atoll_chat.identifiers import new_id
from atoll_chat.migrations.runner import FOLDER, head


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()


class _Stream(io.TextIOWrapper):
    def __init__(self, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), write_through=True)


class Data:
    """One DATA_DIR, with no server running."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self.folder = folder
        self.database = folder / "db" / "conversation.db"
        self.database.parent.mkdir(parents=True)
        shutil.copy(migrated, self.database)

    def run(self, *arguments: object, stdin: bytes = b"") -> Done:
        """Run `atoll-chat` in this process, with nothing set but DATA_DIR."""
        out, err = _Stream(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {"DATA_DIR": str(self.folder)}, clear=True),
            mock.patch.object(sys, "stdin", _Stream(stdin)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as exited,
        ):
            main([str(argument) for argument in arguments])
        code = exited.value.code
        assert code is None or isinstance(code, int)
        content = out.buffer
        assert isinstance(content, io.BytesIO)
        return Done(code or 0, content.getvalue(), err.getvalue())

    def query(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(statement, values).fetchall()
            connection.commit()
        return rows

    def dump(self) -> str:
        with closing(sqlite3.connect(self.database)) as connection:
            return "\n".join(connection.iterdump())

    def path(self, file_id: str) -> Path:
        return self.folder / "files" / file_id[:2] / file_id

    def add_file(self, content: bytes) -> str:
        """A file of the one user, as an upload stores it."""
        file_id = new_id()
        path = self.path(file_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.query(
            "INSERT INTO files SELECT ?, id, 'a name', 'text/plain', ?, ?, '2026-01-01' FROM users",
            file_id,
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        return file_id

    def everything(self) -> dict[str, object]:
        """What a user would miss: rows, contents and secrets."""
        found: dict[str, object] = {"rows": self.dump()}
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            if path.is_file() and name.startswith(("files/", "secrets")):
                found[name] = path.read_bytes()
        return found


@pytest.fixture
def make_data(tmp_path: Path, migrated: Path) -> Callable[[str], Data]:
    return lambda name: Data(tmp_path / name, migrated)


@pytest.fixture
def data(make_data: Callable[[str], Data]) -> Data:
    """Data with a user, two files and secrets."""
    made = make_data("data, 100% ok?")
    made.add_file(b"first" * 1000)
    made.add_file(b"")
    (made.folder / "secrets").mkdir(mode=0o700)
    (made.folder / "secrets" / "secret_key").write_text("f3b0" * 16)
    (made.folder / "logs").mkdir()
    (made.folder / "logs" / "chat-backend.log").write_text("{}\n")
    return made


@pytest.fixture
def newer_release(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Makes this release a newer one, with one more migration whose `upgrade` is given."""
    scripts = tmp_path / "scripts"
    with contextlib.ExitStack() as patches:

        def make(upgrade: str, *, breaking: bool = False) -> None:
            shutil.copytree(FOLDER, scripts)
            (scripts / "versions" / "v1_9999.py").write_text(
                "import sqlalchemy as sa\nfrom alembic import op\n"
                f"revision = 'v1_9999'\ndown_revision = {head()!r}\nbreaking = {breaking}\n"
                f"def upgrade():\n    {upgrade}\n"
            )
            from atoll_chat.migrations import runner

            for name in ("inspect", "require_current", "migrate", "head", "breaking"):
                function = getattr(runner, name)
                defaults = tuple(
                    scripts if value == FOLDER else value for value in function.__defaults__
                )
                patches.enter_context(mock.patch.object(function, "__defaults__", defaults))

        yield make
