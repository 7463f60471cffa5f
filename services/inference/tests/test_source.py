"""Media inputs of JSON requests: what names one, base64, and paths under MEDIA_ROOTS."""

import base64
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from atoll_inference.media.errors import MediaError
from atoll_inference.media.source import MediaRoots, decode_data, source_of

LIMIT = 3_000_000


def refused(error: pytest.ExceptionInfo[MediaError]) -> str:
    return error.value.code


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("aGk=", "data", "aGk="),
        ("data:image/png;base64,aGk=", "data", "data:image/png;base64,aGk="),
        ({"data": "aGk="}, "data", "aGk="),
        ({"url": "https://a.test/x"}, "url", "https://a.test/x"),
        ({"path": "/media/x"}, "path", "/media/x"),
        ({"file_id": "0" * 32}, "file_id", "0" * 32),
        # Clients send null for what they leave out.
        ({"url": None, "data": "aGk=", "path": None}, "data", "aGk="),
    ],
)
def test_what_names_a_source(value: Any, kind: str, text: str) -> None:
    source = source_of(value)
    assert (source.kind, source.value) == (kind, text)


@pytest.mark.parametrize(
    "value",
    [None, 7, [], ["aGk="], {}, {"data": None}, {"data": ""}, {"data": 7}, {"file": "x"},
     {"url": "https://a.test", "path": "/x"}, {"data": "aGk=", "name": "x"},
     "https://a.test/x.png", "HTTP://a.test/x.png"],
)  # fmt: skip
def test_what_names_none_or_several(value: Any) -> None:
    with pytest.raises(MediaError) as error:
        source_of(value)
    assert refused(error) == "invalid_source"
    assert (
        "`file_id`" in error.value.message
        or '"url"' in error.value.message
        or ("must be a string" in error.value.message)
    )


@pytest.mark.parametrize("head", ["", "data:video/mp4;base64,", "DATA:;Base64,"])
@pytest.mark.parametrize("size", [1, 2, 3, 196_607, 196_608, 196_609, 2_500_000])
def test_base64_comes_back_as_it_was(head: str, size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    with decode_data(
        head + base64.b64encode(content).decode(), max_bytes=size, spool_dir=tmp_path
    ) as file:
        assert file.read() == content
        assert file.seek(0) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["a", "aGk", "aGk=\n", "aG k=", "aGk==", "====", "a===", "-_-_", "aGk=aGk=", "päck", "\0\0\0\0",
     "picture.png", "data:image/png,aGk=", "data:image/png;base64",
     "data:" + "x" * 600 + ";base64,aGk=",
     "QQ==" + "A" * 400_000, "A" * 262_140 + "QQ==" + "AAAA", "A" * 262_144 + "A"],
)  # fmt: skip
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(MediaError) as error:
        decode_data(text, max_bytes=LIMIT)
    assert refused(error) == "invalid_base64"


@pytest.mark.parametrize("text", ["", "data:image/png;base64,"])
def test_no_data_at_all(text: str) -> None:
    with pytest.raises(MediaError) as error:
        decode_data(text, max_bytes=LIMIT)
    assert refused(error) == "undecodable"


@pytest.mark.parametrize("size", [1000, 1001, 1002])
def test_data_over_the_limit(size: int) -> None:
    text = base64.b64encode(b"x" * size).decode()
    decode_data(text, max_bytes=size).close()
    with pytest.raises(MediaError) as error:
        decode_data(text, max_bytes=size - 1)
    assert refused(error) == "too_large"


class Place:
    """A media root with a file in it, and a secret beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "media"
        (self.root / "a b").mkdir(parents=True)
        self.file = self.root / "a b" / "picture.png"
        self.file.write_bytes(b"picture")
        self.secret = folder / "secret"
        self.secret.write_bytes(b"secret")
        self.roots = MediaRoots([self.root, folder / "not there"])

    def read(self, path: Path | str, limit: int = 100) -> bytes:
        with self.roots.open(str(path), max_bytes=limit) as file:
            return file.read()

    def refusal(self, path: Path | str, limit: int = 100) -> str:
        with pytest.raises(MediaError) as error:
            self.read(path, limit)
        if error.value.code == "path_not_allowed":
            assert "MEDIA_ROOTS" in error.value.message
        return error.value.code


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_under_a_root_is_read(place: Place) -> None:
    assert place.read(place.file) == b"picture"
    assert place.read(f"{place.root}/./a b//picture.png") == b"picture"


def test_no_path_is_open_by_default(place: Place) -> None:
    place.roots = MediaRoots([])
    assert place.refusal(place.file) == "path_not_allowed"


def test_paths_outside_are_refused(place: Place) -> None:
    for path in (
        place.secret,
        "/etc/passwd",
        "/",
        place.root,
        f"{place.root}/../secret",
        f"{place.root}/a b/../../secret",
        f"{place.root}-other/x",
        "media/a b/picture.png",
        f"{place.file}/x",
        f"/{place.file}",
        f"{place.file}\0.png",
        "",
    ):
        assert place.refusal(path) == "path_not_allowed", path


def test_links_are_not_followed_wherever_they_lead(place: Place, tmp_path: Path) -> None:
    (place.root / "file").symlink_to(place.secret)
    (place.root / "folder").symlink_to(tmp_path)
    (place.root / "inside").symlink_to(place.file)
    (place.root / "up").symlink_to("..")
    (place.root / "loop").symlink_to("loop")
    for path in ("file", "folder/secret", "inside", "up/secret", "loop", "loop/x"):
        assert place.refusal(place.root / path) == "path_not_allowed", path


def test_a_root_may_be_a_link_that_the_operator_made(place: Place, tmp_path: Path) -> None:
    (tmp_path / "mounted").symlink_to(place.root)
    place.roots = MediaRoots([tmp_path / "mounted"])
    assert place.read(tmp_path / "mounted" / "a b" / "picture.png") == b"picture"


def test_what_is_no_file_is_absent(place: Place) -> None:
    os.mkfifo(place.root / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    # Bound by a short name: the path of a Unix socket has a narrow limit.
    folder = os.open(place.root, os.O_DIRECTORY)
    listener.bind(f"/proc/self/fd/{folder}/socket")
    for name in ("pipe", "socket", "a b", "nothing", "nothing/at/all", "x" * 300):
        assert place.refusal(place.root / name) == "file_not_found", name
    listener.close()
    os.close(folder)


def test_a_file_that_is_replaced_by_a_link_after_the_look(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a file and its opening somebody puts a link there."""
    look = os.stat

    def then_swapped(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        found = look(path, *arguments, **options)
        if path == place.file.name:
            place.file.unlink()
            place.file.symlink_to(place.secret)
        return found

    monkeypatch.setattr(os, "stat", then_swapped)
    assert place.refusal(place.file) == "path_not_allowed"


def test_a_large_file_is_refused(place: Place) -> None:
    assert place.read(place.file, 7) == b"picture"
    assert place.refusal(place.file, 6) == "too_large"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_descriptor_is_left_open(place: Place) -> None:
    (place.root / "link").symlink_to(place.file)
    before = open_descriptors()
    place.read(place.file)
    for path in (place.root / "link", place.root / "a b", place.root / "link/x", "/etc/passwd"):
        place.refusal(path)
    place.refusal(place.file, 1)
    assert open_descriptors() == before
