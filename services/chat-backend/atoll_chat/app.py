"""The ASGI application: middleware outermost first, then one router per noun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from atoll_chat import __version__
from atoll_chat.accounts.admin_routes import router as admin
from atoll_chat.accounts.authorize_routes import router as authorize
from atoll_chat.accounts.middleware import AuthenticationMiddleware
from atoll_chat.accounts.routes import router as accounts
from atoll_chat.backend import Backend
from atoll_chat.compat.routes import router as compat
from atoll_chat.conversations.routes import router as conversations
from atoll_chat.files.routes import router as files
from atoll_chat.jobs.routes import router as jobs
from atoll_chat.models.routes import router as models
from atoll_chat.monitoring.routes import router as monitoring
from atoll_chat.runs.routes import router as runs
from atoll_chat.runs.socket import router as socket
from atoll_chat.settings import Settings
from atoll_chat.usage.routes import router as usage
from atoll_kit.app import create_app
from atoll_kit.body import BodyAdmissionMiddleware
from atoll_kit.watchdog import watchdog

ROUTERS = (
    accounts,
    authorize,
    admin,
    conversations,
    runs,
    socket,
    files,
    jobs,
    models,
    usage,
    monitoring,
    compat,
)
FORM_OVERHEAD = 64 * 1024


def build_app(settings: Settings) -> FastAPI:
    """The application for `settings`. Its lifespan opens and closes the backend."""

    spool = settings.run_dir / "spool"

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        app.state.backend = await Backend.open(settings)
        try:
            async with watchdog(settings.watchdog_seconds):
                yield
        finally:
            await app.state.backend.close()

    def max_bytes(path: str) -> int:
        if path.rstrip("/") == "/api/files":
            return settings.max_upload_bytes + FORM_OVERHEAD
        return settings.max_body_bytes

    def authenticated(app: ASGIApp) -> ASGIApp:
        return AuthenticationMiddleware(app)

    def admitted(app: ASGIApp) -> ASGIApp:
        return BodyAdmissionMiddleware(
            app,
            max_bytes=max_bytes,
            inflight_bytes=settings.max_inflight_body_bytes,
            # Beside the data: a container's /tmp is memory.
            spool_dir=spool,
            min_rate=settings.upload_min_rate,
        )

    app = create_app(
        "Atoll chat backend",
        version=__version__,
        lifespan=lifespan,
        # The credential comes first: nothing is read for whoever may not ask.
        inner=[authenticated, admitted],
    )
    for router in ROUTERS:
        app.include_router(router)
    return app
