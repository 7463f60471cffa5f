"""Runs the service until it is told to stop."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from types import FrameType

import uvicorn
from fastapi import FastAPI

from atoll_inference.app import create_app
from atoll_inference.catalog.slots import BadCatalog
from atoll_inference.offline import go_offline
from atoll_inference.settings import Settings
from atoll_kit.logs import configure_logging, get_logger

log = get_logger(__name__)

GRACE_S = 5
"""Time for open connections to take their last bytes, in seconds."""

SWITCH_S = 0.0003
"""How long a thread keeps the interpreter while another wants it, in seconds. The forward thread
comes back from native code several times in each pass; with Python's 5 ms it waits for the event
loop, and the processors with it: a quarter of the throughput of short texts on two cores."""


class Server(uvicorn.Server):
    """Ends what is being generated as soon as a signal arrives.

    uvicorn waits for open responses before it tells the application to stop; a long answer would
    hold it up until the grace period is over, and end in a cut connection.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called in the signal handler, which on the main thread may run between any two steps."""
        super().handle_exit(sig, frame)
        end = getattr(self._app.state, "end_generations", None)
        if end is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(end)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    go_offline()
    sys.setswitchinterval(SWITCH_S)
    configure_logging("inference", settings.log_level, settings.data_dir / "logs")
    # Uploads and long recordings spill to disk, and /tmp is memory on many machines.
    settings.spool_dir.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(settings.spool_dir)
    try:
        app = create_app(settings)
    except BadCatalog as error:
        print(error, file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        host=settings.inference_host,
        port=settings.inference_port,
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=False,  # the gateway and the other services are the only clients
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    server = Server(config, app)
    # uvicorn raises the signal again when it has stopped; the service then ends with status 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    listener = config.bind_socket()
    # Inherited by every connection. Left alone, the kernel lets a send buffer grow to megabytes: it
    # would hold whole answers for readers that stopped reading, and none would ever be noticed.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.output_buffer_bytes)
    server.run(sockets=[listener])
    if not getattr(app.state, "clean_shutdown", True):
        log.error("engine_stuck_at_exit")
        sys.stdout.flush()
        os._exit(1)  # a thread in native code would keep the interpreter from ending
    return 0 if server.started else 1
