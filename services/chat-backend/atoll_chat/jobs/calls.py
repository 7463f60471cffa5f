"""A task asked of inference, with its progress, and the file that it makes."""

import json
import math
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeGuard

import httpx

from atoll_chat.event_stream import MEDIA_TYPE, named_payloads
from atoll_chat.jobs.schemas import TaskName
from atoll_chat.upstream import Upstream
from atoll_chat.upstream_errors import broken_off, from_detail, not_understood
from atoll_kit.errors import ApiError, BadGateway, DeadlineExceeded

# Inference gives a comment every 10 s while it works.
SILENCE_SECONDS = 120.0
CHUNK = 1024 * 1024
MAX_STAGE = 64
_RESULT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATUS = {"rate_limit_error": 429, "not_found_error": 404, "invalid_request_error": 400}


class BrokenOff(BadGateway):
    """The connection ended, or inference stopped, in the middle of the work."""

    code = "interrupted"


@dataclass(frozen=True, slots=True)
class Asker:
    """For which job, and so for whom, inference works."""

    job_id: str
    user_id: str
    key_id: str | None
    attempt: int

    def headers(self) -> dict[str, str]:
        """The identity as inference reads it. Each attempt is counted by itself."""
        headers = {
            "X-Atoll-User": self.user_id,
            "X-Atoll-Job": self.job_id,
            "X-Request-Id": f"{self.job_id}.{self.attempt}",
        }
        return headers | ({"X-Atoll-Key": self.key_id} if self.key_id else {})


@dataclass(frozen=True, slots=True)
class Queued:
    """The work waits at inference; `position` counts from 1."""

    position: int


@dataclass(frozen=True, slots=True)
class Progress:
    """`fraction` of the work is done, from 0 to 1; `stage` is what is done now."""

    fraction: float
    stage: str | None


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A result that waits at inference to be fetched once."""

    id: str
    media_type: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How the work ended: a file to fetch, or all of the answer as JSON."""

    model: str | None
    file: MadeFile | None
    content: dict[str, Any]


class TaskCalls:
    """Requests to inference on behalf of jobs."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def work(
        self, task: TaskName, body: dict[str, Any], asker: Asker
    ) -> AsyncGenerator[Queued | Progress | Answer]:
        """What inference says while it works; an `Answer` comes last and once.

        Close the iterator (`aclosing`) to stop the work.

        Raises:
            BrokenOff: the connection ended, or inference stops.
            ApiError: refused, unreachable, silent for too long, or no such stream.
        """
        headers = {
            **asker.headers(),
            "Content-Type": "application/json",
            "Accept": MEDIA_TYPE,
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        try:
            async with self._upstream.open_inference(
                "POST",
                f"/inference/{task}",
                headers=headers,
                silence=SILENCE_SECONDS,
                content=content,
            ) as response:
                if MEDIA_TYPE not in response.headers.get("content-type", ""):
                    raise not_understood("local")
                async with aclosing(named_payloads(_bytes_of(response))) as events:
                    async for name, data in events:
                        said = _understood(name, data)
                        if said is not None:
                            yield said
                        if isinstance(said, Answer):
                            return
                raise broken_off("local")
        except ApiError as error:
            raise _as_broken_off(error) from error

    async def fetch(self, file: MadeFile, asker: Asker) -> AsyncGenerator[bytes]:
        """The bytes of a result, as many as were announced.

        Raises:
            BrokenOff: the connection ended before the last of them.
            ApiError: refused, unreachable, silent, or another number of bytes.
        """
        received = 0
        try:
            async with self._upstream.open_inference(
                "GET",
                f"/internal/results/{file.id}",
                headers=asker.headers(),
                silence=SILENCE_SECONDS,
            ) as response:
                async for chunk in _bytes_of(response, CHUNK):
                    received += len(chunk)
                    if received > file.size:
                        raise not_understood("local")
                    yield chunk
        except ApiError as error:
            raise _as_broken_off(error) from error
        if received != file.size:
            raise not_understood("local")


async def _bytes_of(response: httpx.Response, size: int | None = None) -> AsyncGenerator[bytes]:
    try:
        async for chunk in response.aiter_raw(size):
            yield chunk
    except httpx.ReadTimeout as error:
        raise DeadlineExceeded(
            f"The inference service sent nothing for {SILENCE_SECONDS:.0f} s, so the job was given "
            "up. An operator should look at its log."
        ) from error


def _understood(name: bytes, data: bytes) -> Queued | Progress | Answer | None:
    """What an event says; None for one that is not known.

    Raises:
        ApiError: it is an error, or not what its name says.
    """
    try:
        content = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise not_understood("local") from None
    if not isinstance(content, dict):
        raise not_understood("local")
    match name:
        case b"queued":
            position = content.get("position")
            return Queued(position) if _whole(position) and position > 0 else None
        case b"progress":
            return _progress(content)
        case b"done":
            return _answer(content)
        case b"error":
            raise _told(content.get("error"))
    return None


def _progress(content: dict[str, Any]) -> Progress | None:
    fraction, stage = content.get("fraction"), content.get("stage")
    if isinstance(fraction, bool) or not isinstance(fraction, int | float):
        return None
    if not math.isfinite(fraction):
        return None
    shown = stage[:MAX_STAGE] if isinstance(stage, str) and stage else None
    return Progress(round(min(max(float(fraction), 0.0), 1.0), 4), shown)


def _answer(content: dict[str, Any]) -> Answer:
    result, model = content.get("result"), content.get("model")
    if not isinstance(result, dict):
        raise not_understood("local")
    file = result.get("file")
    return Answer(
        model[:200] if isinstance(model, str) else None,
        _made_file(file) if file is not None else None,
        content,
    )


def _made_file(file: Any) -> MadeFile:
    fields = file if isinstance(file, dict) else {}
    id, media_type = fields.get("id"), fields.get("media_type")
    size, name = fields.get("bytes"), fields.get("name")
    if not isinstance(id, str) or not _RESULT_ID.fullmatch(id) or not isinstance(media_type, str):
        raise not_understood("local")
    if not _whole(size) or size < 0:
        raise not_understood("local")
    return MadeFile(id, media_type, size, name if isinstance(name, str) else "")


def _told(error: Any) -> ApiError:
    detail = error if isinstance(error, dict) else {}
    return from_detail("local", _STATUS.get(str(detail.get("type")), 503), detail, hidden=[])


def _as_broken_off(error: ApiError) -> ApiError:
    # 503 is what a closed door gives; 502 is what a connection gives that ended on the way.
    if error.code == "interrupted" or (error.status, error.code) == (502, "upstream_unavailable"):
        return BrokenOff("The inference service stopped in the middle of the work.")
    return error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
