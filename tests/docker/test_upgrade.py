"""Upgrades and the way back lose no row; backups under load are whole; a breaking migration asks.

Each release is this one with one more migration: the same images under another tag, and a chat
backend with one more file. The bundles hold that one image; the others are on the host already.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from atoll_chat.backup.contents import contents
from atoll_chat.backup.format import Table
from atoll_chat.migrations.runner import FOLDER, head
from tests.e2e.person import Person, new_user

from .deployment import Deployment
from .images import ROOT, SERVICES, run

CYCLES = int(os.environ.get("ATOLL_UPGRADE_CYCLES", "2"))
BACKUPS = int(os.environ.get("ATOLL_LOAD_BACKUPS", "3"))
# What a restart of the server writes by itself.
RESTLESS = {"alembic_version", "sessions", "usage"}

EXPANDS = """\
    op.create_table("cycle_{number}", sa.Column("id", sa.String(32), primary_key=True))
    op.add_column("users", sa.Column("cycle_{number}", sa.String(64), server_default="new"))
"""
BREAKS = """\
    op.drop_table("login_failures")
"""


class Releases:
    """Releases made for one test, and the folder that exports their bundles."""

    def __init__(self, base: str, folder: Path) -> None:
        self.base = base
        self.root = folder / "exporter"
        for name in (
            *("docker-compose.yml", ".env.example", "VERSION", "LICENSE", "README.md"),
            *("README.zh-CN.md", "start.sh", "apply-config.sh", "deployment-config.example.json"),
            *("deployment/docker", "nginx", "docs", "models/catalog.toml", "models/README.md"),
        ):
            source, target = ROOT / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                ignored = shutil.ignore_patterns("offline-packages*", "wheels", ".env")
                shutil.copytree(source, target, ignore=ignored)
            elif source.exists():
                shutil.copy2(source, target)
        self._made: list[str] = []
        self._migrations: list[str] = []

    def make(self, upgrade: str, *, breaking: bool = False) -> str:
        """The tag of a release like the last one, with one more migration."""
        number = len(self._migrations) + 1
        name = f"{self.base}-{os.getpid()}-{number}"
        revision, before = f"v1_{9000 + number}", (["", *self._migrations][-1] or head())
        work = self.root.parent / name
        work.mkdir()
        (work / f"{revision}.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f"revision = {revision!r}\ndown_revision = {before!r}\nbreaking = {breaking}\n\n\n"
            f"def upgrade() -> None:\n{upgrade.format(number=number)}"
        )
        last = [self.base, *self._made][-1]
        (work / "Dockerfile").write_text(
            f"FROM atoll/chat-backend:{last}\n"
            f"COPY {revision}.py /opt/atoll/lib/app/atoll_chat/migrations/versions/\n"
        )
        run("docker", "build", "--quiet", "--tag", f"atoll/chat-backend:{name}", work)
        self._tag(name)
        self._migrations.append(revision)
        return name

    def first(self) -> str:
        """The release of this checkout under a name of this test."""
        name = f"{self.base}-{os.getpid()}-0"
        run("docker", "tag", f"atoll/chat-backend:{self.base}", f"atoll/chat-backend:{name}")
        self._tag(name)
        return name

    def _tag(self, name: str) -> None:
        for service in SERVICES:
            if service != "chat-backend":
                run("docker", "tag", f"atoll/{service}:{self.base}", f"atoll/{service}:{name}")
        self._made.append(name)

    def bundle(self, release: str) -> Path:
        """Export the chat backend of a release."""
        (self.root / "VERSION").write_text(release + "\n")
        output = self.root.parent / f"bundle-{release}" / "offline-packages"
        output.parent.mkdir()
        script = self.root / "deployment" / "docker" / "export-docker-images.sh"
        options = ("--no-build", "--services", "chat-backend", "--output", str(output))
        run("bash", script, *options, timeout=900)
        return output

    def remove(self) -> None:
        for name in reversed(self._made):
            for service in SERVICES:
                run("docker", "image", "rm", "--force", f"atoll/{service}:{name}", check=False)


class Installation(Deployment):
    """A target: what the import made of its folder."""

    def upgrade(self, bundle: Path, *, check: bool = True) -> str:
        script = bundle / "import-docker-images.sh"
        options = ("--yes", "--start", "--allow-unsigned")
        return run(
            *("bash", script, *options),
            check=check,
            timeout=900,
            more={"INSTALL_DIR": str(self.folder)},
        )

    def script(self, name: str, *options: str | Path, check: bool = True) -> str:
        """Run a script of deployment/docker."""
        path = self.folder / "deployment" / "docker" / name
        return run("bash", path, *options, cwd=self.folder, check=check, timeout=900)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "db" / "conversation.db"

    def tables(self) -> dict[str, Table]:
        """Rows and hash of every table that an upgrade does not write to by itself."""
        return {n: t for n, t in contents(self.database).items() if n not in RESTLESS}

    def release(self) -> str:
        return (self.folder / ".atoll" / "release").read_text().strip()


@pytest.fixture(scope="module")
def releases(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    made = Releases(release, tmp_path_factory.mktemp("releases"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def installed(
    releases: Releases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The release of this checkout, imported and serving; every test leaves it so."""
    first = releases.first()
    folder = tmp_path_factory.mktemp("installed")
    made = Installation(folder, f"atoll-upgrade-{os.getpid()}", first, PRELOAD="none")
    made.write_settings()
    with made:
        made.upgrade(releases.bundle(first))
        yield made


def write(person: Person, what: str) -> str:
    """Something of each kind that people write; the id of the conversation."""
    body = {"title": what}
    answer = person.http.post("/api/conversations", json=body)
    assert answer.status_code == 201, answer.text
    form = {"file": (f"{what}.txt", what.encode() * 1000, "text/plain")}
    assert person.http.post("/api/files", files=form).status_code == 201
    return str(answer.json()["id"])


def read(person: Person) -> tuple[set[str], dict[str, bytes]]:
    """Titles of conversations and contents of files, as the person sees them."""
    titles = {item["title"] for item in pages(person, "/api/conversations")}
    files = {
        item["name"]: person.http.get(f"/api/files/{item['id']}/content").content
        for item in pages(person, "/api/files")
    }
    return titles, files


def pages(person: Person, path: str) -> Iterator[dict[str, str]]:
    cursor: str | None = None
    while True:
        parameters = {"cursor": cursor} if cursor else {}
        answer = person.http.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        yield from answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return


def test_upgrade_write_and_roll_back_lose_no_row(
    installed: Installation, releases: Releases
) -> None:
    first = installed.release()
    person = new_user(installed, "ada")
    expected = {"before"}
    write(person, "before")
    for cycle in range(CYCLES):
        before = installed.tables()
        newer = releases.make(EXPANDS)
        installed.upgrade(releases.bundle(newer))
        assert installed.release() == newer
        tables = installed.tables()
        assert f"cycle_{cycle + 1}" in tables
        assert {n: tables[n] for n in before if n != "users"} == {
            n: t for n, t in before.items() if n != "users"
        }
        expected |= {f"new {cycle}", f"old {cycle}"}
        write(person, f"new {cycle}")
        after = installed.tables()
        installed.script("rollback.sh", "--yes")
        assert installed.release() == first
        # Every row, also those that the newer release wrote and those in its tables.
        assert installed.tables() == after
        write(person, f"old {cycle}")
        titles, files = read(person)
        assert titles == expected
        assert files == {f"{what}.txt": what.encode() * 1000 for what in expected}


def test_backups_under_writing_load_are_restored_with_equal_contents(
    installed: Installation, tmp_path: Path
) -> None:
    people = [new_user(installed, name) for name in ("grace", "linus")]
    with writing(people) as written:
        archives = []
        for number in range(BACKUPS):
            seen = len(written)
            archives.append(tmp_path / f"{number}.tar")
            installed.script("backup.sh", archives[-1])
            assert len(written) > seen, "nothing was written meanwhile"
    for archive in archives:
        told = installed.script("backup.sh", "--verify", archive)
        assert "the backup is whole" in told
    counted = dict(re.findall(r"^  (\w+) +(\d+) rows", told, re.M))
    assert int(counted["conversations"]) >= len(written) // 2
    hashes = dict(re.findall(r"^  (\w+) +\d+ rows +([0-9a-f]+)", told, re.M))
    later = installed.tables()
    refused = installed.script("restore.sh", archives[-1], check=False)
    assert "--yes" in refused
    assert installed.tables() == later
    # Without a start nothing is written, so that the contents can be compared to the last byte.
    installed.script("restore.sh", "--yes", "--no-start", archives[-1])
    assert {n: t.sha256[:16] for n, t in contents(installed.database).items()} == hashes
    installed.compose("up", "--detach", "--wait", "--wait-timeout", "240", check=False)
    titles, files = read(people[0])
    assert titles
    assert all(len(content) == len(name[:-4]) * 1000 for name, content in files.items())


@contextlib.contextmanager
def writing(people: list[Person]) -> Iterator[list[str]]:
    """People who write as fast as they are answered; what they wrote."""
    enough, written, failed = threading.Event(), list[str](), list[BaseException]()

    def work(person: Person) -> None:
        number = 0
        while not enough.is_set():
            number += 1
            try:
                write(person, f"{person.username} {number}")
                written.append(f"{person.username} {number}")
            except (AssertionError, httpx.HTTPError) as error:
                failed.append(error)
                return

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        enough.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_going_back_over_a_breaking_migration_asks_first(
    installed: Installation, releases: Releases
) -> None:
    person = new_user(installed, "joan")
    write(person, "before")
    before, first = installed.tables(), installed.release()
    newer = releases.make(BREAKS, breaking=True)
    installed.upgrade(releases.bundle(newer))
    write(person, "after")
    written = installed.tables()
    refused = installed.script("rollback.sh", "--yes", check=False)
    counted = dict(re.findall(r"^  (\w+) +(\d+) ", refused, re.M))
    assert (counted["conversations"], counted["files"]) == ("1", "1"), refused
    assert installed.release() == newer
    assert installed.tables() == written
    # The older release would not open this database, whatever an operator types.
    installed.script("rollback.sh", "--yes", "--discard-since-upgrade")
    assert installed.release() == first
    assert installed.tables() == before
    assert read(person)[0] == {"before"}
    kept = max((installed.folder / "data").glob("replaced-*/db/conversation.db"))
    assert contents(kept)["conversations"] == written["conversations"]


def test_the_tests_of_this_release_pass_on_the_schema_of_a_newer_one(tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(FOLDER, scripts)
    (scripts / "versions" / "v1_9001.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = 'v1_9001'\ndown_revision = {head()!r}\n\n\n"
        f"def upgrade() -> None:\n{EXPANDS.format(number=1)}"
    )
    tests = ROOT / "services" / "chat-backend" / "tests"
    folders = ("accounts", "conversations", "files", "usage", "compat")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(tests / folder for folder in folders)],
        cwd=ROOT,
        env=os.environ | {"ATOLL_TEST_MIGRATIONS": str(scripts)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
