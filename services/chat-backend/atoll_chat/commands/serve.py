"""`atoll-chat serve`: the service itself, in the foreground."""

import uvicorn
from starlette.types import ASGIApp

from atoll_chat.accounts.passwords import Passwords
from atoll_chat.app import build_app
from atoll_chat.backend import Backend
from atoll_chat.commands import CommandError
from atoll_chat.commands.opening import writer
from atoll_chat.migrations.runner import require_current
from atoll_chat.settings import Settings
from atoll_kit.errors import ApiError
from atoll_kit.logs import configure_logging

GRACE_SECONDS = 5
# Longer than the gateway keeps an idle connection, so that it never reuses one we just closed.
KEEP_ALIVE_SECONDS = 75
MAX_SOCKET_MESSAGE = 64 * 1024


class Server(uvicorn.Server):
    """Ends runs and jobs first: uvicorn waits for open streams, and these last as long."""

    def __init__(self, config: uvicorn.Config, app: ASGIApp) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: object = None) -> None:
        """Stop: called once, when a signal has come."""
        held: Backend | None = getattr(getattr(self._app, "state", None), "backend", None)
        if held is not None:
            await held.stop_work()
        await super().shutdown()


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. 3 when the service could not start."""
    _check_admin_password(settings)
    with writer(settings) as database:
        require_current(database)
        configure_logging("chat-backend", settings.log_level, settings.data_dir / "logs")
        app = build_app(settings)
        config = uvicorn.Config(
            app,
            host=settings.chat_backend_host,
            port=settings.chat_backend_port,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=MAX_SOCKET_MESSAGE,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            # The address of the client is taken from the gateway, by its token: see `client`.
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = Server(config, app)
        server.run()
    return 0 if server.started else 3


def _check_admin_password(settings: Settings) -> None:
    if settings.admin_password is None:
        return
    try:
        rules = Passwords(settings.password_min_length)
        rules.check(settings.admin_password, settings.admin_username)
    except ApiError as error:
        raise CommandError(f"ADMIN_PASSWORD: {error.message}", status=2) from None
