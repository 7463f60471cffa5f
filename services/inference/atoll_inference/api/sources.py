"""Opens the media inputs of JSON requests, wherever they are."""

import asyncio
import errno
import re
from contextlib import AsyncExitStack
from typing import Any, BinaryIO, cast

import httpx
from pydantic import BaseModel

from atoll_inference.media.errors import MediaError, MediaTooLarge, NotAllowed, Unsupported
from atoll_inference.media.source import (
    InvalidSource,
    MediaRoots,
    NoSuchFile,
    decode_data,
    source_of,
    spool,
)
from atoll_inference.settings import Settings, folders
from atoll_kit.allow_list import AllowList
from atoll_kit.errors import (
    ApiError,
    BadGateway,
    BadRequest,
    Forbidden,
    NotFound,
    TooLarge,
    Unavailable,
    Unprocessable,
    UnsupportedType,
)
from atoll_kit.fetch import fetch
from atoll_kit.logs import get_logger
from atoll_kit.request_id import request_id

log = get_logger(__name__)

FETCH_S = 120.0
"""Longest time for a URL, redirects and body included, in seconds."""

SILENCE_S = 30.0
"""Longest pause of chat-backend within a file, in seconds."""

_CHUNK = 1024 * 1024
_FILE_ID = re.compile(r"[0-9a-f]{32}")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Sources:
    """Inputs given as data, URL, path or stored file, each under the settings that open it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._allow = AllowList.parse(settings.url_fetch_allowlist)
        self._roots = MediaRoots(folders(settings.media_roots))

    async def open(
        self, value: Any, *, param: str, user: str | None, stack: AsyncExitStack
    ) -> BinaryIO:
        """The file that `value` names, at its beginning, seekable, and closed by `stack`.

        Args:
            value: a data URI or base64, or an object with one of data, url, path and file_id, as
                parsed JSON or as a model of it.
            param: the field it came in, for the error.
            user: whose stored files may be read.

        Raises:
            ApiError: 400 `invalid_base64` or `undecodable`, 403 `url_not_allowed` or
                `path_not_allowed`, 404 `file_not_found`, 413 `too_large` or `url_too_large`, 422
                `invalid_source` or `invalid_url`, 502, 503, 504.
        """
        try:
            file = await self._open(value, param, user)
        except ApiError as refusal:
            refusal.param = param
            raise
        except MediaError as error:
            raise _refusal(error, param) from None
        except OSError as error:
            if error.errno not in _FULL:
                raise
            log.error("disk_full", folder=str(self._settings.spool_dir))
            raise Unavailable(
                "The disk of the service is full and the input could not be kept. Tell an "
                "operator.",
                code="disk_full",
            ) from None
        stack.callback(file.close)
        return file

    async def _open(self, value: Any, param: str, user: str | None) -> BinaryIO:
        plain = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
        source = source_of(plain)
        most, folder = self._settings.max_media_bytes, self._settings.spool_dir
        match source.kind:
            case "data":
                return await _in_thread(decode_data, source.value, max_bytes=most, spool_dir=folder)
            case "path":
                return await _in_thread(self._roots.open, source.value, max_bytes=most)
            case "url":
                fetched = await fetch(
                    source.value,
                    allow=self._allow,
                    max_bytes=most,
                    deadline_s=FETCH_S,
                    spool_dir=folder,
                    param=param,
                )
                return cast(BinaryIO, fetched.file)
            case "file_id":
                return await self._stored(source.value, user)

    async def _stored(self, file_id: str, user: str | None) -> BinaryIO:
        """A file that the user uploaded, streamed from chat-backend, which checks the owner."""
        base = self._settings.chat_backend_url
        if base is None:
            raise Unavailable(
                "Stored files cannot be read here: an operator has to set CHAT_BACKEND_URL. Or "
                "send the bytes.",
                code="files_unavailable",
            )
        # The id becomes part of an address, so it must be one.
        if user is None or not _FILE_ID.fullmatch(file_id):
            raise _no_such_file()
        headers = {
            "X-Internal-Token": self._settings.internal_token,
            "X-Atoll-User": user,
            "Accept-Encoding": "identity",
        }
        if identifier := request_id():
            headers["X-Request-Id"] = identifier
        timeout = httpx.Timeout(SILENCE_S, connect=5.0)
        url = f"{base.rstrip('/')}/internal/files/{file_id}"
        try:
            async with (
                httpx.AsyncClient(
                    timeout=timeout, trust_env=False, verify=url.startswith("https:")
                ) as http,
                http.stream("GET", url, headers=headers) as answer,
            ):
                return await self._received(answer)
        except httpx.HTTPError as error:
            log.warning("file_not_received", file=file_id, error=repr(error))
            raise BadGateway(
                "The stored file could not be read from the chat backend. Try again in a moment.",
                code="file_unavailable",
                retry_after=5,
            ) from None

    async def _received(self, answer: httpx.Response) -> BinaryIO:
        if answer.status_code == 404:
            raise _no_such_file()
        if answer.status_code != 200:
            log.warning("file_refused", status=answer.status_code)
            raise BadGateway(
                f"The chat backend answered with status {answer.status_code} when it was asked for "
                "the stored file. An operator can look at its log.",
                code="file_unavailable",
            )
        most = self._settings.max_media_bytes
        if int(answer.headers.get("content-length", "0")) > most:
            raise _file_too_large(most)
        file = spool(self._settings.spool_dir)
        size = 0
        try:
            async for chunk in answer.aiter_bytes(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise _file_too_large(most)
                await asyncio.to_thread(file.write, chunk)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file


async def _in_thread(open_: Any, *arguments: Any, **options: Any) -> BinaryIO:
    """What `open_` opens, off the event loop; closed again when nobody waits for it any more."""
    work = asyncio.ensure_future(asyncio.to_thread(open_, *arguments, **options))
    try:
        return cast(BinaryIO, await asyncio.shield(work))
    except asyncio.CancelledError:
        work.add_done_callback(_close)
        raise


def _close(work: "asyncio.Future[BinaryIO]") -> None:
    if not work.cancelled() and work.exception() is None:
        work.result().close()


def _refusal(error: MediaError, param: str) -> ApiError:
    match error:
        case NoSuchFile():
            kind: type[ApiError] = NotFound
        case InvalidSource():
            kind = Unprocessable
        case NotAllowed():
            kind = Forbidden
        case MediaTooLarge():
            kind = TooLarge
        case Unsupported():
            kind = UnsupportedType
        case _:
            kind = BadRequest
    return kind(error.message, code=error.code, param=param)


def _no_such_file() -> ApiError:
    return NotFound("There is no such file, or it is not yours.", code="file_not_found")


def _file_too_large(most: int) -> ApiError:
    return TooLarge(f"The file has more than the {most} bytes allowed here.", code="too_large")
