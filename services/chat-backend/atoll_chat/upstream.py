"""The one HTTP client: to the inference service, and to an OpenAI-compatible upstream."""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import httpx

from atoll_chat.event_stream import MEDIA_TYPE, payloads
from atoll_chat.settings import Settings
from atoll_chat.upstream_errors import (
    Source,
    broken_off,
    from_answer,
    from_detail,
    not_understood,
    too_late,
    unreachable,
)
from atoll_kit.logs import get_logger
from atoll_kit.request_id import request_id

log = get_logger(__name__)

CONNECT_SECONDS = 5.0
PROBE_SECONDS = 3.0
# Anybody may ask for the status; a foreign upstream may count what it is asked.
PROBE_KEPT: dict[Source, float] = {"local": 2.0, "upstream": 30.0}
ERROR_BODY = 64 * 1024
# Below the five seconds after which uvicorn closes an idle connection: never write to a dying one.
INFERENCE_IDLE_SECONDS = 4.0
_QUEUED = re.compile(rb"queued (\d{1,9})")
_VERSIONED = re.compile(r"/v\d+[a-z0-9]*$")


@dataclass(frozen=True, slots=True)
class Identity:
    """For whom a model works: inference limits, cancels and counts by it."""

    user_id: str
    role: str
    max_concurrent: int
    key_id: str | None = None
    request_id: str | None = None

    def headers(self) -> dict[str, str]:
        """The identity as inference reads it."""
        headers = {
            "X-Atoll-User": self.user_id,
            "X-Atoll-Role": self.role,
            "X-Atoll-Max-Concurrent": str(self.max_concurrent),
        }
        if self.key_id:
            headers["X-Atoll-Key"] = self.key_id
        if identifier := self.request_id or request_id():
            headers["X-Request-Id"] = identifier
        return headers


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a service works, and what it said, for an operator."""

    well: bool
    detail: str


@dataclass(frozen=True, slots=True)
class _Target:
    client: httpx.AsyncClient
    completions: httpx.URL
    hidden: list[str]


class Upstream:
    """Chat completions from wherever a model lives, and the rest of inference's API.

    Every failure is an `ApiError` fit for a client; none names an address or a key.
    """

    def __init__(self, settings: Settings) -> None:
        limits = httpx.Limits(
            max_connections=None,
            max_keepalive_connections=64,
            keepalive_expiry=INFERENCE_IDLE_SECONDS,
        )
        timeout = httpx.Timeout(settings.run_timeout, connect=CONNECT_SECONDS, pool=None)
        base = httpx.URL(settings.inference_url.rstrip("/"))
        self._inference = httpx.AsyncClient(
            base_url=base,
            headers={"X-Internal-Token": settings.internal_token},
            limits=limits,
            timeout=timeout,
            trust_env=False,
            # Reading the certificates of the system takes 50 ms that plain HTTP has no use for.
            verify=base.scheme == "https",
        )
        hidden = [settings.internal_token, str(base), base.netloc.decode()]
        self._targets: dict[Source, _Target] = {
            "local": _Target(self._inference, base.join("/v1/chat/completions"), hidden)
        }
        self._probes: dict[Source, tuple[float, Probe]] = {}
        if settings.llm_api_url:
            self._targets["upstream"] = _foreign(settings, timeout)

    async def stream_chat(
        self,
        source: Source,
        body: dict[str, Any],
        identity: Identity,
        *,
        on_queued: Callable[[int], None] | None = None,
    ) -> AsyncGenerator[dict[str, Any]]:
        """The chunks of a streamed completion, ended by its `[DONE]`.

        Close the iterator (`aclosing`) to stop the generation.

        Args:
            source: who has the model.
            body: the request, without `stream`.
            identity: for whom.
            on_queued: called with the place in the queue, from 1, when it changes; with 0 when
                waiting ends.

        Raises:
            ApiError: refused, unreachable, broken off, or no chat completion.
        """

        def comment(text: bytes) -> None:
            if on_queued and (waiting := _QUEUED.fullmatch(text)):
                on_queued(int(waiting[1]))

        content = json.dumps({**body, "stream": True}, ensure_ascii=False).encode()
        async with self.open_chat(source, content, identity) as response:
            if MEDIA_TYPE not in response.headers.get("content-type", ""):
                raise not_understood(source)
            raw = response.aiter_raw()
            complete = False
            async with aclosing(payloads(raw, comment)) as events:
                async for data in events:
                    if data == b"[DONE]":
                        await _drain(raw)
                        return
                    chunk = self._chunk(source, data)
                    complete = complete or _is_last(chunk)
                    yield chunk
            if not complete:
                raise broken_off(source)

    @asynccontextmanager
    async def open_chat(
        self, source: Source, content: bytes, identity: Identity
    ) -> AsyncIterator[httpx.Response]:
        """POST `content` as a completion request; the body of the 200 answer is yet to be read.

        Leaving the block closes the connection if the answer is not complete, which stops the
        generation.

        Raises:
            ApiError: as `stream_chat`; also when reading fails inside the block.
        """
        target = self._targets[source]
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if source == "local":
            headers |= identity.headers()
        request = target.client.build_request(
            "POST", target.completions, content=content, headers=headers
        )
        async with self._answer(source, request) as response:
            yield response

    @asynccontextmanager
    async def open_inference(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        silence: float,
        content: bytes | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A request to inference that is no chat; the body of the 200 answer is yet to be read.

        Leaving the block closes the connection if the answer is not complete, which stops the
        work.

        Args:
            path: begins with a slash; what is not fixed in it must be checked by the caller.
            silence: seconds without a byte after which the connection is given up.

        Raises:
            ApiError: refused, unreachable, too late; also when reading fails inside the block.
        """
        timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS, pool=None)
        request = self._inference.build_request(
            method,
            path,
            content=content,
            headers={"Accept-Encoding": "identity", **headers},
            timeout=timeout,
        )
        async with self._answer("local", request) as response:
            yield response

    @asynccontextmanager
    async def _answer(
        self, source: Source, request: httpx.Request
    ) -> AsyncIterator[httpx.Response]:
        target = self._targets[source]
        try:
            response = await target.client.send(request, stream=True)
        except httpx.ReadTimeout as error:
            raise too_late(source) from error
        except httpx.HTTPError as error:
            log.warning("upstream_unreachable", source=source, error=type(error).__name__)
            raise unreachable(source) from error
        try:
            if response.status_code != 200:
                raise from_answer(
                    source,
                    response.status_code,
                    await _beginning(response),
                    retry_after=response.headers.get("retry-after"),
                    hidden=target.hidden,
                )
            yield response
        except httpx.HTTPError as error:
            log.warning("upstream_broken_off", source=source, error=type(error).__name__)
            raise broken_off(source) from error
        finally:
            await response.aclose()

    async def inference_models(self) -> list[dict[str, Any]]:
        """What `GET /v1/models` of inference lists.

        Raises:
            ApiError: inference cannot be reached or did not answer with a list.
        """
        listed = await self._inference_object("/v1/models")
        items = listed.get("data")
        if not isinstance(items, list):
            raise not_understood("local")
        return [item for item in items if isinstance(item, dict) and "id" in item]

    async def inference_slots(self) -> dict[str, Any]:
        """What `GET /internal/slots` of inference tells.

        Raises:
            ApiError: inference cannot be reached or did not answer with an object.
        """
        return await self._inference_object("/internal/slots")

    async def inference_card(self, model: str) -> dict[str, Any]:
        """The card of a model of inference.

        Raises:
            ApiError: as above; `model_not_found` or `card_not_found`.
        """
        return await self._inference_object(f"/internal/models/{quote(model, safe='/')}/card")

    async def _inference_object(self, path: str) -> dict[str, Any]:
        try:
            response = await self._inference.get(path, timeout=PROBE_SECONDS)
        except httpx.HTTPError as error:
            raise unreachable("local") from error
        if response.status_code != 200:
            raise from_answer(
                "local", response.status_code, response.content, retry_after=None, hidden=[]
            )
        try:
            content = response.json()
        except ValueError:
            raise not_understood("local") from None
        if not isinstance(content, dict):
            raise not_understood("local")
        return content

    async def probe(self, source: Source) -> Probe:
        """Whether `source` answers, asked now or `PROBE_KEPT` seconds ago at most."""
        at, kept = self._probes.get(source, (0.0, None))
        if kept is None or time.monotonic() - at >= PROBE_KEPT[source]:
            kept = await self._probe(source)
            self._probes[source] = (time.monotonic(), kept)
        return kept

    async def _probe(self, source: Source) -> Probe:
        target = self._targets[source]
        path = "/v2/health/ready" if source == "local" else _models_url(target.completions)
        try:
            response = await target.client.get(path, timeout=PROBE_SECONDS)
        except httpx.HTTPError as error:
            return Probe(False, f"unreachable ({type(error).__name__})")
        if source == "upstream" and response.status_code in (401, 403):
            return Probe(False, "refuses LLM_API_KEY")
        # A foreign upstream need not list its models; that it answers is what counts.
        well = response.status_code < (400 if source == "local" else 500)
        return Probe(well, "ready" if well else f"not ready (HTTP {response.status_code})")

    @property
    def has_upstream(self) -> bool:
        """Whether LLM_API_URL is configured."""
        return "upstream" in self._targets

    async def cancel_all_of(self, kind: Literal["user", "key"], id: str) -> None:
        """Tell inference to stop whatever it generates for this user or key."""
        try:
            response = await self._inference.post(
                "/internal/cancel", json={kind: id}, timeout=PROBE_SECONDS
            )
            response.raise_for_status()
        except httpx.HTTPError as error:
            log.warning("cancel_not_delivered", kind=kind, id=id, error=type(error).__name__)

    async def close(self) -> None:
        """Close every connection."""
        for target in self._targets.values():
            await target.client.aclose()

    def _chunk(self, source: Source, data: bytes) -> dict[str, Any]:
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            raise not_understood(source) from None
        if not isinstance(chunk, dict):
            raise not_understood(source)
        error = chunk.get("error")
        if error:
            detail = error if isinstance(error, dict) else {"message": error}
            raise from_detail(source, 502, detail, hidden=self._targets[source].hidden)
        return chunk


def completions_url(configured: str) -> httpx.URL:
    """The completions URL of a base URL with or without `/v1`, or of the full URL."""
    url = httpx.URL(configured)
    path = url.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path += "" if _VERSIONED.search(path) else "/v1"
        path += "/chat/completions"
    return url.copy_with(path=path)


def _models_url(completions: httpx.URL) -> httpx.URL:
    base = completions.path.removesuffix("/chat/completions")
    return completions.copy_with(path=base + "/models")


def _foreign(settings: Settings, timeout: httpx.Timeout) -> _Target:
    assert settings.llm_api_url
    url = completions_url(settings.llm_api_url)
    headers = {"Authorization": f"Bearer {settings.llm_api_key}"} if settings.llm_api_key else {}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=20.0)
    client = httpx.AsyncClient(headers=headers, limits=limits, timeout=timeout)
    hidden = [settings.llm_api_key, settings.llm_api_url, str(url), url.netloc.decode()]
    return _Target(client, url, [text for text in hidden if text])


def _is_last(chunk: dict[str, Any]) -> bool:
    choices = chunk.get("choices")
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") for choice in choices
    )


async def _drain(raw: AsyncIterator[bytes]) -> None:
    # A connection goes back to the pool only when its answer was read to the end.
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(1.0):
            async for _ in raw:
                pass


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(CONNECT_SECONDS):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) >= ERROR_BODY:
                    break
    return body
