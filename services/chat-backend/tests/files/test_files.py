"""Uploads and downloads."""

import asyncio
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from atoll_chat.files import storage


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def upload(
    client: httpx.AsyncClient, content: bytes, name: str = "a.bin", kind: str = "image/png"
) -> httpx.Response:
    return await client.post("/api/files", files={"file": (name, content, kind)})


def on_disk(atoll: Any) -> list[Path]:
    return [path for path in atoll.settings.files_dir.rglob("*") if path.is_file()]


async def test_what_comes_back_is_what_was_sent(atoll: Any) -> None:
    ada = await atoll.user("ada")
    content = os.urandom(3 * 1024 * 1024 + 17)
    made = await upload(ada.client, content, "夏 «été».png")
    assert made.status_code == 201
    file = made.json()
    assert file["name"] == "夏 «été».png"
    assert file["media_type"] == "image/png"
    assert file["size"] == len(content)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert (await ada.client.get(f"/api/files/{file['id']}")).json() == file
    assert (await ada.client.get("/api/files")).json() == {"items": [file], "next_cursor": None}
    got = await ada.client.get(f"/api/files/{file['id']}/content")
    assert got.content == content
    assert [path.name for path in on_disk(atoll)] == [file["id"]]


async def test_a_download_cannot_become_a_page_of_this_site(atoll: Any) -> None:
    ada = await atoll.user("ada")
    page = b"<script>alert(1)</script>"
    file = (await upload(ada.client, page, 'x".html', "text/html")).json()
    headers = (await ada.client.get(f"/api/files/{file['id']}/content")).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("attachment; filename")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "private" in headers["Cache-Control"]


async def test_the_name_in_a_download_is_spelled_as_the_standard_says(atoll: Any) -> None:
    ada = await atoll.user("ada")
    file = (await upload(ada.client, b"x", "Übung 1; 夏.txt")).json()
    headers = (await ada.client.get(f"/api/files/{file['id']}/content")).headers
    expected = "attachment; filename*=utf-8''%C3%9Cbung%201%3B%20%E5%A4%8F.txt"
    assert headers["Content-Disposition"] == expected


@pytest.mark.parametrize(
    "sent, shown",
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\ada\\a.txt", "a.txt"),
        ("..", ".."),
        ("a\u202egnp.exe", "a_gnp.exe"),
        ("x" * 300, "x" * 255),
        ("/", "file"),
    ],
)
async def test_a_name_is_data_and_never_a_path(sent: str, shown: str, atoll: Any) -> None:
    ada = await atoll.user("ada")
    file = (await upload(ada.client, b"x", sent)).json()
    assert file["name"] == shown
    [path] = on_disk(atoll)
    assert path == atoll.settings.files_dir / file["id"][:2] / file["id"]
    got = await ada.client.get(f"/api/files/{file['id']}/content")
    assert (got.status_code, got.content) == (200, b"x")


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("text/plain; charset=utf-8", "text/plain"),
        ("image/svg+xml", "image/svg+xml"),
        ("nonsense", "application/octet-stream"),
        ("a/b\x01c", "application/octet-stream"),
        ("x/" + "y" * 200, "application/octet-stream"),
    ],
)
async def test_the_media_type_is_well_formed(sent: str, kept: str, atoll: Any) -> None:
    ada = await atoll.user("ada")
    assert (await upload(ada.client, b"x", kind=sent)).json()["media_type"] == kept


async def test_an_empty_file_is_a_file(atoll: Any) -> None:
    ada = await atoll.user("ada")
    file = (await upload(ada.client, b"")).json()
    assert file["size"] == 0
    assert (await ada.client.get(f"/api/files/{file['id']}/content")).content == b""


async def test_parts_of_a_file_can_be_asked_for(atoll: Any) -> None:
    ada = await atoll.user("ada")
    file = (await upload(ada.client, b"0123456789")).json()
    part = await ada.client.get(f"/api/files/{file['id']}/content", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")


async def test_another_users_file_does_not_exist(atoll: Any) -> None:
    ada, bob, root = await atoll.user("ada"), await atoll.user("bob"), await atoll.admin()
    file = (await upload(ada.client, b"mine")).json()
    for other in (bob, root):
        for method, path in (
            ("GET", f"/api/files/{file['id']}"),
            ("GET", f"/api/files/{file['id']}/content"),
            ("DELETE", f"/api/files/{file['id']}"),
        ):
            assert code(await other.client.request(method, path)) == (404, "not_found")
        assert (await other.client.get("/api/files")).json()["items"] == []
    assert (await ada.client.get(f"/api/files/{file['id']}/content")).content == b"mine"


async def test_the_inference_service_reads_for_the_owner_only(atoll: Any) -> None:
    ada, bob = await atoll.user("ada"), await atoll.user("bob")
    file = (await upload(ada.client, b"mine")).json()
    service = atoll.client(headers={"X-Internal-Token": atoll.settings.internal_token})
    path = f"/internal/files/{file['id']}"
    got = await service.get(path, headers={"X-Atoll-User": ada.id})
    assert (got.status_code, got.content) == (200, b"mine")
    assert got.headers["Content-Type"] == "image/png"
    assert (await service.get(path, headers={"X-Atoll-User": bob.id})).status_code == 404
    assert (await service.get(path)).status_code == 422
    assert (await ada.client.get(path, headers={"X-Atoll-User": ada.id})).status_code == 401


async def test_a_deleted_file_is_gone_from_the_disk(atoll: Any) -> None:
    ada = await atoll.user("ada")
    file = (await upload(ada.client, b"x")).json()
    assert (await ada.client.delete(f"/api/files/{file['id']}")).status_code == 204
    assert on_disk(atoll) == []
    assert code(await ada.client.get(f"/api/files/{file['id']}")) == (404, "not_found")
    assert code(await ada.client.delete(f"/api/files/{file['id']}")) == (404, "not_found")


async def test_files_are_listed_page_by_page(atoll: Any) -> None:
    ada = await atoll.user("ada")
    for number in range(5):
        await upload(ada.client, b"x", f"{number}")
    first = (await ada.client.get("/api/files?limit=3")).json()
    assert [item["name"] for item in first["items"]] == ["4", "3", "2"]
    query = {"limit": 3, "cursor": first["next_cursor"]}
    second = (await ada.client.get("/api/files", params=query)).json()
    assert [item["name"] for item in second["items"]] == ["1", "0"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("declared", [True, False])
async def test_a_file_over_the_limit_leaves_nothing_behind(declared: bool, start: Any) -> None:
    atoll = await start(max_upload_bytes=65536)
    ada = await atoll.user("ada")
    assert (await upload(ada.client, b"x" * 65536)).status_code == 201
    kept = on_disk(atoll)
    # Just over the file's limit, and far over the body's.
    for size in (65537, 1_000_000):
        form = httpx.Request("POST", "http://x", files={"file": ("a", b"x" * size)})
        content = form.read()

        async def pieces(whole: bytes = content) -> Any:
            for at in range(0, len(whole), 10_000):
                yield whole[at : at + 10_000]

        answer = await ada.client.post(
            "/api/files",
            content=content if declared else pieces(),
            headers={"Content-Type": form.headers["Content-Type"]},
        )
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] in ("file_too_large", "body_too_large")
    assert on_disk(atoll) == kept


BOUNDARY = "multipart/form-data; boundary=b"
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    "kind, body, expected",
    [
        ("application/json", b"{}", (415, "unsupported_media_type")),
        ("multipart/form-data", b"x", (415, "unsupported_media_type")),
        ("", b"x", (415, "unsupported_media_type")),
        (BOUNDARY, b"nonsense", (400, "invalid_multipart")),
        (BOUNDARY, HEAD + b"cut off", (400, "invalid_multipart")),
        (BOUNDARY, b"--b--\r\n", (422, "missing_file")),
        (BOUNDARY, HEAD.replace(b'"file"', b'"other"') + b"x\r\n--b--\r\n", (422, "missing_file")),
        (BOUNDARY, HEAD.replace(b'; filename="a"', b"") + b"x\r\n--b--\r\n", (422, "missing_file")),
        (BOUNDARY, (HEAD + b"x\r\n") * 2 + b"--b--\r\n", (422, "one_file")),
        (BOUNDARY, HEAD.replace(b'"a"', b'"' + b"a" * 9000 + b'"'), (400, "invalid_multipart")),
    ],
)
async def test_forms_that_hold_no_file(
    kind: str, body: bytes, expected: tuple[int, str], atoll: Any
) -> None:
    ada = await atoll.user("ada")
    answer = await ada.client.post("/api/files", content=body, headers={"Content-Type": kind})
    assert code(answer) == expected
    assert on_disk(atoll) == []


async def test_other_fields_are_passed_over(atoll: Any) -> None:
    ada = await atoll.user("ada")
    answer = await ada.client.post(
        "/api/files", data={"note": "x" * 100_000}, files={"file": ("a", b"content")}
    )
    assert answer.json()["size"] == len(b"content")


async def test_a_full_disk_is_said_and_leaves_nothing_behind(
    atoll: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await atoll.user("ada")

    def full(file: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "_flush", full)
    assert code(await upload(ada.client, b"x" * 100_000)) == (507, "storage_full")
    assert on_disk(atoll) == []
    assert (await ada.client.get("/api/files")).json()["items"] == []
    monkeypatch.undo()
    assert (await upload(ada.client, b"x")).status_code == 201


async def test_an_upload_that_is_broken_off_leaves_nothing_behind(atoll: Any) -> None:
    ada = await atoll.user("ada")
    host, port = (await atoll.serve()).removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    lines = [
        "POST /api/files HTTP/1.1",
        f"Host: {host}",
        f"Cookie: atoll_session={ada.token}",
        f"X-CSRF-Token: {ada.csrf}",
        f"Content-Type: {BOUNDARY}",
        "Content-Length: 1000000",
        "",
        "",
    ]
    writer.write("\r\n".join(lines).encode() + HEAD + b"x" * 100_000)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await atoll.stop()
    assert on_disk(atoll) == []


async def test_what_a_crash_left_unfinished_is_swept_at_the_start(start: Any) -> None:
    atoll = await start()
    ada = await atoll.user("ada")
    await upload(ada.client, b"kept")
    await atoll.stop()
    left = atoll.settings.files_dir / ".partial" / "0123"
    left.write_bytes(b"half")
    again = await start()
    assert [path.read_bytes() for path in on_disk(again)] == [b"kept"]


async def test_a_content_that_is_lost_is_said(atoll: Any) -> None:
    ada = await atoll.user("ada")
    file = (await upload(ada.client, b"x")).json()
    [path] = on_disk(atoll)
    path.unlink()
    answer = await ada.client.get(f"/api/files/{file['id']}/content")
    assert code(answer) == (500, "file_lost")
    assert str(path) not in answer.text
