"""Everything one running chat backend holds, opened and closed in the right order."""

import asyncio
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from atoll_chat.accounts.service import AccountsService
from atoll_chat.control import ControlServer
from atoll_chat.conversations.service import ConversationsService
from atoll_chat.database import Database, sqlite_url
from atoll_chat.files.service import FilesService
from atoll_chat.jobs.service import JobsService
from atoll_chat.models.selftest import selftest_command
from atoll_chat.models.service import ModelsService
from atoll_chat.runs.service import RunsService
from atoll_chat.settings import Settings
from atoll_chat.upstream import Upstream
from atoll_chat.usage.service import UsageService


@dataclass(frozen=True, slots=True)
class Backend:
    """The services of one process. Routes get it with `Depends(backend)`."""

    settings: Settings
    database: Database
    upstream: Upstream
    accounts: AccountsService
    files: FilesService
    models: ModelsService
    usage: UsageService
    conversations: ConversationsService
    runs: RunsService
    jobs: JobsService
    control: ControlServer

    @classmethod
    async def open(cls, settings: Settings) -> "Backend":
        """Connect everything, make the first administrator, and end what a crash left open.

        The caller holds the writer lock and has run the migrations.
        """
        database = Database(settings.database_url or sqlite_url(settings.database_path))
        upstream = Upstream(settings)
        accounts = AccountsService(settings, database)
        files = FilesService(settings, database)
        models = ModelsService(settings, upstream)
        usage = UsageService(database)
        conversations = ConversationsService(settings, database)
        runs = RunsService(
            settings,
            database,
            upstream,
            models=models,
            usage=usage,
            conversations=conversations,
        )
        self = cls(
            settings=settings,
            database=database,
            upstream=upstream,
            accounts=accounts,
            files=files,
            models=models,
            usage=usage,
            conversations=conversations,
            runs=runs,
            jobs=JobsService(settings, database, upstream, files),
            control=ControlServer(settings.run_dir),
        )
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def _start(self) -> None:
        await self.accounts.ensure_first_admin()
        await self.runs.recover()
        await self.jobs.start()
        # Whoever loses access loses what is being generated for them, here and at inference.
        self.accounts.on_revoked(self.runs.cancel_all_of)
        self.accounts.on_revoked(self.jobs.cancel_all_of)
        self.accounts.on_revoked(self.upstream.cancel_all_of)
        self.control.command("set_admin", self.accounts.set_admin_command)
        self.control.command("selftest", selftest_command(self.upstream, self.models))
        await self.control.start()

    async def close(self) -> None:
        """End unfinished runs and the work on jobs, then let go of every connection."""
        await self.control.stop()
        await self.stop_work()
        await self.models.close()
        await self.upstream.close()
        await self.database.close()

    async def stop_work(self) -> None:
        """End what goes on by itself: runs as interrupted, jobs to be taken up again. Quick."""
        await asyncio.gather(self.runs.stop_all(), self.jobs.stop())


def backend_of(connection: HTTPConnection) -> Backend:
    """The backend that serves this request."""
    held: Backend = connection.app.state.backend
    return held


async def backend(connection: HTTPConnection) -> Backend:
    """The same as a dependency of routes."""
    return backend_of(connection)
