"""Files from a model hub: whole, checked, and gone on with where they stopped."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import FakeHub
from huggingface_hub import constants

from atoll_inference.catalog.hub import Hub, RemoteFile, Repository
from atoll_inference.catalog.store import FetchFailed

REPO = "somebody/some-model"
WEIGHTS = os.urandom(24_000_000)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeHub]:
    folder = tmp_path / "repo"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "empty.txt").touch()
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    with FakeHub() as hub:
        hub.publish(REPO, folder)
        yield hub


def quiet(_: str) -> None:
    pass


def take(hub: Hub, name: str, folder: Path) -> tuple[Repository, RemoteFile]:
    repository = hub.repository(REPO, "main")
    file = next(file for file in repository.files if file.name == name)
    hub.fetch(repository, file, folder, quiet)
    return repository, file


def test_a_repository_is_read_at_one_commit(fake: FakeHub, tmp_path: Path) -> None:
    first = fake.repos[REPO].branches["main"]
    (tmp_path / "repo" / "config.json").write_text("{}")
    second = fake.publish(REPO, tmp_path / "repo")
    hub = Hub(fake.url)
    latest = hub.repository(REPO, "main")
    assert (latest.revision, latest.licence) == (second, "apache-2.0")
    assert first != second
    assert hub.repository(REPO, first).revision == first
    files = {file.name: file for file in latest.files}
    assert set(files) == {"config.json", "1_Pooling/config.json", "empty.txt", "model.safetensors"}
    assert files["model.safetensors"].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["config.json"].sha256 is None


@pytest.mark.parametrize("name", ["model.safetensors", "1_Pooling/config.json", "empty.txt"])
def test_a_file_comes_whole(fake: FakeHub, tmp_path: Path, name: str) -> None:
    take(Hub(fake.url), name, tmp_path / "new")
    assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "repo" / name).read_bytes()
    asked = len(fake.requests)
    hub = Hub(fake.url)
    repository = hub.repository(REPO, "main")
    (file,) = (file for file in repository.files if file.name == name)
    found = hub.fetch(repository, file, tmp_path / "new", quiet)
    assert len(fake.requests) == asked + 1  # the listing, and no file
    assert found.bytes == file.bytes


def test_a_broken_transfer_is_gone_on_with(fake: FakeHub, tmp_path: Path) -> None:
    fake.cut = [15_000_000]
    take(Hub(fake.url), "model.safetensors", tmp_path / "new")
    assert (tmp_path / "new" / "model.safetensors").read_bytes() == WEIGHTS
    # huggingface_hub hands on 10 MiB at a time.
    assert fake.ranges == [None, "bytes=10485760-"]


def test_a_part_left_by_a_killed_fetch_is_completed(fake: FakeHub, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / ".model.safetensors.part").write_bytes(WEIGHTS[:1_234_567])
    take(Hub(fake.url), "model.safetensors", new)
    assert fake.ranges == ["bytes=1234567-"]
    assert (new / "model.safetensors").read_bytes() == WEIGHTS
    assert [file.name for file in new.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_what_is_not_as_promised_does_not_stay(fake: FakeHub, tmp_path: Path, name: str) -> None:
    fake.spoil = name
    with pytest.raises(FetchFailed, match="promised"):
        take(Hub(fake.url), name, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    fake.spoil = None
    take(Hub(fake.url), name, tmp_path / "new")


def test_refusals_say_what_to_do(fake: FakeHub, tmp_path: Path) -> None:
    hub = Hub(fake.url)
    with pytest.raises(FetchFailed, match="no repository nobody/nothing, or it is private"):
        hub.repository("nobody/nothing", "main")
    with pytest.raises(FetchFailed, match="no revision v9"):
        hub.repository(REPO, "v9")
    fake.repos[REPO].gated = True
    with pytest.raises(FetchFailed, match="HF_TOKEN"):
        take(hub, "config.json", tmp_path / "new")
    with pytest.raises(FetchFailed, match="cannot be reached"):
        Hub("http://127.0.0.1:9").repository(REPO, "main")


def test_offline_mode_ends_with_the_request(
    fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    take(Hub(fake.url), "config.json", tmp_path / "new")
    assert constants.HF_HUB_OFFLINE is True


def test_a_full_disk_is_told_as_such(fake: FakeHub, tmp_path: Path) -> None:
    # /dev/full takes the place of the partial file on a disk without room.
    new = tmp_path / "new"
    new.mkdir()
    (new / ".model.safetensors.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        take(Hub(fake.url), "model.safetensors", new)
