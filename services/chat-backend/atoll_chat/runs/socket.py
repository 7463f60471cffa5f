"""`/ws/chat`: the events of any number of runs over one WebSocket."""

import asyncio
import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, WebSocket
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocketDisconnect

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.accounts.principal import Principal
from atoll_chat.backend import Backend, backend
from atoll_chat.runs.log import Reader
from atoll_kit.errors import ApiError, BadRequest, TooManyRequests, Unauthorized, error_payload
from atoll_kit.logs import get_logger

log = get_logger(__name__)
router = APIRouter()

RECHECK_SECONDS = 30.0
IDLE_SECONDS = 15.0
SUBSCRIPTIONS = 64
MAX_REQUEST = 4096
CLOSE_UNAUTHORIZED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_SLOW = 4408


class Subscribe(BaseModel):
    """Send me the events of this run, after `last_event_id`."""

    type: Literal["subscribe"]
    run_id: str
    last_event_id: Annotated[int, Field(ge=0, le=2**53)] = 0


class Cancel(BaseModel):
    """Stop this run."""

    type: Literal["cancel"]
    run_id: str


Request: TypeAdapter[Subscribe | Cancel] = TypeAdapter(
    Annotated[Subscribe | Cancel, Field(discriminator="type")]
)


class SlowClient(Exception):
    """The client kept its buffer full for too long."""


@router.websocket("/ws/chat")
@router.websocket("/ws/chat/")
async def chat_socket(
    socket: WebSocket, user: CurrentUser, held: Annotated[Backend, Depends(backend)]
) -> None:
    """The middleware has checked the credential and the Origin."""
    # A browser that offered its key as a subprotocol expects one of its offers back.
    offers = socket.scope.get("subprotocols", [])
    await socket.accept(subprotocol=offers[0] if offers else None)
    await Conversation(socket, user, held).serve()


class Conversation:
    """One open WebSocket: its requests, its subscriptions, and its right to stay open."""

    def __init__(self, socket: WebSocket, user: Principal, held: Backend) -> None:
        self._socket = socket
        self._user = user
        self._held = held
        self._sending = asyncio.Lock()
        self._subscriptions: dict[str, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Serve until the client leaves, loses access, or reads too slowly."""
        jobs = {asyncio.create_task(self._listen()), asyncio.create_task(self._recheck())}
        try:
            done, _ = await asyncio.wait({*jobs, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        except WebSocketDisconnect:
            pass
        except SlowClient:
            log.warning("slow_client", user=self._user.user_id)
            await self._close(CLOSE_SLOW, "slow_client")
        except ApiError as refusal:
            missing = isinstance(refusal, Unauthorized)
            await self._close(CLOSE_UNAUTHORIZED if missing else CLOSE_FORBIDDEN, refusal.code)
        finally:
            for task in (*jobs, *self._subscriptions.values()):
                task.cancel()
            await asyncio.gather(*jobs, *self._subscriptions.values(), return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            text = await self._socket.receive_text()
            run_id: str | None = None
            try:
                request = _parsed(text)
                run_id = request.run_id
                if isinstance(request, Cancel):
                    await self._held.runs.cancel(self._user.user_id, run_id)
                else:
                    await self._subscribe(request)
            except ApiError as refusal:
                await self._send(run_id, None, "error", error_payload(refusal))

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            self._user = await self._held.accounts.authenticator.recheck(self._user, "/ws/chat")

    async def _subscribe(self, request: Subscribe) -> None:
        if len(self._subscriptions) >= SUBSCRIPTIONS:
            raise TooManyRequests(
                f"This connection follows {SUBSCRIPTIONS} runs already.",
                code="too_many_subscriptions",
            )
        reader = await self._held.runs.follow(
            self._user.user_id, request.run_id, request.last_event_id
        )
        if reader is None:
            return
        if old := self._subscriptions.pop(request.run_id, None):
            old.cancel()
        task = asyncio.create_task(self._forward(request.run_id, reader))
        self._subscriptions[request.run_id] = task
        task.add_done_callback(lambda task: self._forwarded(request.run_id, task))

    async def _forward(self, run_id: str, reader: Reader) -> None:
        while not reader.ended:
            for event in await reader.next(IDLE_SECONDS):
                await self._send(run_id, event.id, event.name, event.data)

    def _forwarded(self, run_id: str, task: asyncio.Task[None]) -> None:
        if self._subscriptions.get(run_id) is task:
            del self._subscriptions[run_id]
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)

    async def _send(
        self, run_id: str | None, id: int | None, event: str, data: dict[str, Any]
    ) -> None:
        message = {"run_id": run_id, "id": id, "event": event, "data": data}
        try:
            async with asyncio.timeout(self._held.settings.slow_client_seconds):
                async with self._sending:
                    await self._socket.send_text(json.dumps(message, ensure_ascii=False))
        except TimeoutError:
            raise SlowClient from None

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(1.0):
                await self._socket.close(code, reason)
        except (TimeoutError, RuntimeError):
            # It does not read, or is gone: returning drops the connection.
            return


def _parsed(text: str) -> Subscribe | Cancel:
    if len(text) > MAX_REQUEST:
        raise BadRequest("The message is too long.", code="invalid_message")
    try:
        return Request.validate_json(text)
    except ValidationError:
        raise BadRequest(
            'Send {"type": "subscribe" or "cancel", "run_id": "…", "last_event_id"?: 0}.',
            code="invalid_message",
        ) from None
