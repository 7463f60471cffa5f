"""Media inputs of JSON requests are opened from wherever the settings allow."""

import asyncio
import base64
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from atoll_inference.api import sources
from atoll_inference.api.sources import Sources
from atoll_inference.api.task_schema import MediaObject
from atoll_inference.settings import Settings
from atoll_kit.errors import ApiError

TOKEN = "0123456789abcdef" * 4
FILE = "0" * 31 + "1"
USER = "ada"


def settings(folder: Path, **given: Any) -> Settings:
    (folder / "spool").mkdir(exist_ok=True)
    return Settings(internal_token=TOKEN, data_dir=folder, **given)


async def read(source: Any, value: Any, user: str | None = USER) -> bytes:
    async with AsyncExitStack() as stack:
        file = await source.open(value, param="image", user=user, stack=stack)
        content = bytes(file.read())
        assert file.seek(0) == 0
    assert file.closed
    return content


async def refusal(source: Any, value: Any, user: str | None = USER) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        await read(source, value, user)
    assert refused.value.param == (None if refused.value.code == "disk_full" else "image")
    return refused.value.status, refused.value.code


class ChatBackend:
    """A server that holds one file of one user, and answers otherwise when told to."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.answer: bytes | None = None
        self.asked: list[str] = []
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(head)
            writer.write(self._answer(head) if self.answer is None else self.answer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self, head: str) -> bytes:
        lowered = head.lower()
        owner = f"x-atoll-user: {USER}" in lowered and f"x-internal-token: {TOKEN}" in lowered
        if not owner or not head.startswith(f"GET /internal/files/{FILE} "):
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        return (
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.content)}\r\n\r\n".encode()
            + self.content
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ChatBackend"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self


async def test_data_as_string_object_and_model(tmp_path: Path) -> None:
    source = Sources(settings(tmp_path))
    text = base64.b64encode(b"picture").decode()
    for value in (text, f"data:image/png;base64,{text}", {"data": text}, MediaObject(data=text)):
        assert await read(source, value) == b"picture"


async def test_a_stored_file_is_streamed_for_its_owner(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    async with ChatBackend(content).running() as backend:
        source = Sources(settings(tmp_path, chat_backend_url=backend.url + "/"))
        for value in ({"file_id": FILE}, MediaObject(file_id=FILE)):
            assert await read(source, value) == content
        absent = (404, "file_not_found")
        assert await refusal(source, {"file_id": FILE}, user="grace") == absent
        assert await refusal(source, {"file_id": "f" * 32}) == absent
        asked = len(backend.asked)
        assert await refusal(source, {"file_id": FILE}, user=None) == absent
        for crooked in ("../usage", FILE + "/", FILE.upper() + "A", f"{FILE}?x", "0" * 31):
            assert await refusal(source, {"file_id": crooked}) == absent
        assert len(backend.asked) == asked
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
     b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"],
)  # fmt: skip
async def test_a_chat_backend_that_fails_is_said(answer: bytes, tmp_path: Path) -> None:
    async with ChatBackend(b"").running() as backend:
        backend.answer = answer
        source = Sources(settings(tmp_path, chat_backend_url=backend.url))
        assert await refusal(source, {"file_id": FILE}) == (502, "file_unavailable")


async def test_a_chat_backend_that_is_silent_or_away_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SILENCE_S", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for address in (url, "http://127.0.0.1:9"):
            source = Sources(settings(tmp_path, chat_backend_url=address))
            assert await refusal(source, {"file_id": FILE}) == (502, "file_unavailable")
    source = Sources(settings(tmp_path))
    assert await refusal(source, {"file_id": FILE}) == (503, "files_unavailable")


@pytest.mark.parametrize("declared", [True, False])
async def test_a_stored_file_over_the_limit_is_refused(declared: bool, tmp_path: Path) -> None:
    content = b"x" * 100_001
    async with ChatBackend(content).running() as backend:
        if not declared:
            backend.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content
        source = Sources(settings(tmp_path, chat_backend_url=backend.url, max_media_bytes=100_000))
        assert await refusal(source, {"file_id": FILE}) == (413, "too_large")


async def test_paths_and_urls_are_closed_by_default(tmp_path: Path) -> None:
    source = Sources(settings(tmp_path))
    assert await refusal(source, {"path": "/etc/passwd"}) == (403, "path_not_allowed")
    assert await refusal(source, {"url": "http://127.0.0.1:9/"}) == (403, "url_not_allowed")


async def test_paths_and_urls_that_the_settings_open(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "picture.png").write_bytes(b"picture")
    async with ChatBackend(b"").running() as server:
        server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nfetched"
        source = Sources(
            settings(
                tmp_path,
                media_roots=f"/elsewhere, {tmp_path}/media",
                url_fetch_allowlist=f"a.test, {server.url}",
            )
        )
        assert await read(source, {"path": f"{tmp_path}/media/picture.png"}) == b"picture"
        assert await refusal(source, {"path": f"{tmp_path}/media/x"}) == (404, "file_not_found")
        assert await read(source, {"url": server.url + "/x"}) == b"fetched"
        assert "x-internal-token" not in server.asked[0].lower()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("not base64!", (400, "invalid_base64")),
        ("", (400, "undecodable")),
        ({}, (422, "invalid_source")),
        (7, (422, "invalid_source")),
        ({"url": "nonsense"}, (422, "invalid_url")),
        ("A" * 200_000, (413, "too_large")),
    ],
)
async def test_inputs_that_cannot_be_opened(
    value: Any, expected: tuple[int, str], tmp_path: Path
) -> None:
    source = Sources(settings(tmp_path, max_media_bytes=100_000))
    assert await refusal(source, value) == expected


async def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", full)
    text = base64.b64encode(b"x" * 2_000_000).decode()
    assert await refusal(Sources(settings(tmp_path)), text) == (503, "disk_full")


@pytest.mark.parametrize(
    ("name", "value"),
    [("url_fetch_allowlist", "*.a.test"), ("media_roots", "media"), ("media_roots", "/a/../b")],
)
def test_a_setting_that_cannot_be_read_stops_the_start(
    name: str, value: str, tmp_path: Path
) -> None:
    make: Callable[..., Settings] = settings
    with pytest.raises(ValidationError, match=name):
        make(tmp_path, **{name: value})
