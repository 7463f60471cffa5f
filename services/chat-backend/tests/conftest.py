"""A whole chat backend on a folder of its own, and people who use it.

Every test gets a fresh database (a copy of one that was migrated once) and the real application;
only the inference service is absent unless a test starts one.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import create_engine, update
from sqlalchemy.orm import Session

from atoll_chat.accounts import passwords
from atoll_chat.accounts.access import Scope
from atoll_chat.accounts.names import username_key
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.schemas import CreateApiKey
from atoll_chat.accounts.tables import SessionRow, UserRow
from atoll_chat.accounts.tokens import Digests, new_token
from atoll_chat.app import build_app
from atoll_chat.backend import Backend
from atoll_chat.database import WriterLock
from atoll_chat.identifiers import new_id, now
from atoll_chat.migrations.runner import FOLDER, migrate
from atoll_chat.settings import Settings

# Misbehaving servers and the like, which several folders of tests use.
sys.path.insert(0, str(Path(__file__).parent / "fakes"))

PASSWORD = "correct horse battery"
ADMIN_PASSWORD = "first administrator"
SECRET_KEY = "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
INTERNAL_TOKEN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HOST = "atoll.test"


CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time, as nearly every test is about something else.

    Servers in processes of their own hash as the product does, and so do the tests marked
    `real_hashes`.
    """
    if request.node.get_closest_marker("real_hashes") is None:
        monkeypatch.setattr(passwords, "_hasher", CHEAP)
    passwords._hash_of_nobody.cache_clear()


@cache
def hash_of(password: str) -> str:
    """The hash of `password`, computed once."""
    return CHEAP.hash(password)


def user_row(
    username: str,
    password: str,
    role: str = "user",
    status: str = "active",
    must_change_password: bool = False,
) -> UserRow:
    """A row as registration makes it."""
    return UserRow(
        id=new_id(),
        username=username,
        username_key=username_key(username),
        password_hash=hash_of(password),
        role=role,
        status=status,
        must_change_password=must_change_password,
        created_at=now(),
        last_login_at=None,
    )


@dataclass(slots=True)
class Person:
    """A user of the backend, with a signed-in client that sends cookie and CSRF token."""

    atoll: "Atoll"
    id: str
    username: str
    role: str
    password: str = PASSWORD
    token: str = ""
    csrf: str = ""
    session_id: str = ""
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    @property
    def client(self) -> httpx.AsyncClient:
        """The browser: cookie and CSRF token on every request."""
        if self._client is None:
            self._client = self.atoll.client(
                cookies={"atoll_session": self.token}, headers={"X-CSRF-Token": self.csrf}
            )
        return self._client

    @property
    def cookie_headers(self) -> dict[str, str]:
        """What the browser sends, for clients of another kind."""
        return {"Cookie": f"atoll_session={self.token}", "X-CSRF-Token": self.csrf}

    async def key(self, *scopes: str, days: int | None = None) -> str:
        """A new API key; by default with the default scopes."""
        principal = Principal(self.id, self.username, self.role, False, session_id=self.session_id)
        wanted = CreateApiKey(name="test", expires_in_days=days)
        if scopes:
            wanted.scopes = [Scope(scope) for scope in scopes]
        return (await self.atoll.backend.accounts.keys.create(principal, wanted)).key

    async def key_client(self, *scopes: str) -> httpx.AsyncClient:
        """A program: an API key on every request and no cookie."""
        key = await self.key(*scopes)
        return self.atoll.client(headers={"Authorization": f"Bearer {key}"})

    async def change(self, **columns: Any) -> None:
        """Change the user's row behind the service's back."""
        async with self.atoll.backend.database.write() as session:
            await session.execute(update(UserRow).where(UserRow.id == self.id).values(**columns))

    async def change_session(self, **columns: Any) -> None:
        """Change the row of this person's session behind the service's back."""
        async with self.atoll.backend.database.write() as session:
            await session.execute(
                update(SessionRow).where(SessionRow.id == self.session_id).values(**columns)
            )


class Atoll:
    """A running backend."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self._closing = contextlib.AsyncExitStack()
        self._url: str | None = None

    @property
    def backend(self) -> Backend:
        held: Backend = self.app.state.backend
        return held

    def client(self, **arguments: Any) -> httpx.AsyncClient:
        """A client that calls the application directly, without a socket. It does not stream."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url=f"http://{HOST}", **arguments
        )
        self._closing.push_async_callback(client.aclose)
        return client

    async def user(
        self,
        username: str = "ada",
        *,
        role: str = "user",
        status: str = "active",
        must_change_password: bool = False,
        password: str = PASSWORD,
    ) -> Person:
        """A new user who is signed in."""
        row = user_row(username, password, role, status, must_change_password)
        async with self.backend.database.write() as session:
            session.add(row)
        return await self.sign_in(Person(self, row.id, username, role, password))

    async def sign_in(self, person: Person) -> Person:
        """Give `person` a session, without the price of a password hash."""
        person.token, person.csrf, person.session_id = new_token(), new_token(), new_id()
        row = SessionRow(
            id=person.session_id,
            user_id=person.id,
            token_digest=Digests(self.settings.secret_key).session(person.token),
            csrf_token=person.csrf,
            created_at=now(),
            last_seen_at=now(),
            expires_at=now().replace(year=now().year + 1),
            address="127.0.0.1",
            user_agent="tests",
        )
        async with self.backend.database.write() as session:
            session.add(row)
        return person

    async def admin(self, username: str = "root") -> Person:
        """A new administrator who is signed in."""
        return await self.user(username, role="admin")

    async def register(
        self, username: str, password: str = PASSWORD, **arguments: Any
    ) -> httpx.Response:
        """What `POST /api/auth/register` answers."""
        body = {"username": username, "password": password}
        return await self.client().post("/api/auth/register", json=body, **arguments)

    async def login(
        self,
        username: str,
        password: str = PASSWORD,
        client: httpx.AsyncClient | None = None,
        address: str | None = None,
    ) -> httpx.Response:
        """What `POST /api/auth/login` answers, as the gateway passes it on from `address`."""
        body = {"username": username, "password": password}
        headers = (
            {"X-Internal-Token": self.settings.internal_token, "X-Real-IP": address}
            if address
            else {}
        )
        return await (client or self.client()).post("/api/auth/login", json=body, headers=headers)

    async def serve(self) -> str:
        """Put the backend on a socket: `http://127.0.0.1:<port>`, by the real server."""
        if self._url is None:
            self._url = await self._closing.enter_async_context(serving(self.app))
        return self._url

    async def open(self) -> "Atoll":
        """Take the writer lock and run the application's start-up, as `atoll-chat serve` does."""
        lock = WriterLock(self.settings.database_path.parent)
        lock.acquire()
        self._closing.callback(lock.release)
        await self._closing.enter_async_context(self.app.router.lifespan_context(self.app))
        return self

    async def stop(self) -> None:
        """Close the clients and the socket, then run the application's shutdown."""
        await self._closing.aclose()


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to pytest.
        yield


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application, whose lifespan runs already, on a free port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=2,
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            assert not task.done(), "the server did not start"
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file at the newest schema with the administrator `admin`. Copy it."""
    file = tmp_path_factory.mktemp("migrated") / "conversation.db"
    # The tests of a release also run on the schema of a newer one: ATOLL_TEST_MIGRATIONS.
    migrate(file, Path(os.environ.get("ATOLL_TEST_MIGRATIONS", FOLDER)))
    engine = create_engine(f"sqlite:///{file}")
    with Session(engine) as session:
        session.add(user_row("admin", ADMIN_PASSWORD, role="admin"))
        session.commit()
    engine.dispose()
    return file


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_hashes: passwords are hashed as in the product")


StartAtoll = Callable[..., Awaitable[Atoll]]


@pytest.fixture
async def start(tmp_path: Path, migrated: Path) -> AsyncIterator[StartAtoll]:
    """Starts a backend: `await start(registration="approval")` with any settings.

    With `fresh=True` it finds no data, and makes its first administrator. After `stop()` another
    one can be started on the same data.
    """
    started: list[Atoll] = []

    async def run(*, fresh: bool = False, **settings: Any) -> Atoll:
        given: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "secret_key": SECRET_KEY,
            "internal_token": INTERNAL_TOKEN,
            "admin_password": ADMIN_PASSWORD,
            "registration": "open",
            # Nothing listens on port 9; a test that needs a model starts one.
            "inference_url": "http://127.0.0.1:9",
        }
        made = Settings(**(given | settings))
        made.database_path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            migrate(made.database_path)
        elif not made.database_path.exists():
            shutil.copy(migrated, made.database_path)
        atoll = Atoll(build_app(made), made)
        started.append(atoll)
        return await atoll.open()

    yield run
    for atoll in reversed(started):
        await atoll.stop()


@pytest.fixture
async def atoll(start: StartAtoll) -> Atoll:
    """A backend with open registration and the default limits."""
    return await start()
