"""Starters that the release carries: copied as they are, or put together with their base."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.families import ALL_SLOTS
from atoll_inference.catalog.lock import LOCK_NAME
from atoll_inference.catalog.plan import CHECKSUMS_NAME
from atoll_inference.catalog.slots import BadCatalog, Catalog, Starter, read_catalog
from atoll_inference.catalog.starters import fetch_starter
from atoll_inference.catalog.store import FetchFailed
from atoll_inference.catalog.verify import verify

SERVED = frozenset({("emotion_detection", "safetensors"), ("text_embedding", "safetensors")})
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "id2label": {"0": "anger", "1": "joy"},
}
WHEEL = {"package": "base", "version": "1.0", "sha256": "0" * 64, "bytes": 1}


def quiet(_: str) -> None:
    pass


def carry(folder: Path, files: Mapping[str, bytes]) -> None:
    """Lay files into a release, with the list of their hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    (folder / CHECKSUMS_NAME).write_text("".join(lines))


class Release:
    """A release that carries one starter, and a models folder that has its base."""

    def __init__(self, folder: Path) -> None:
        self.models = folder / "models"
        self.carried = folder / "release" / "starters" / "emotion_detection" / "moods"
        self.path = folder / "release" / "catalog.toml"
        self.base = self.models / "text_embedding" / "encoder"
        self.base.mkdir(parents=True)
        weights = {
            "embeddings.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
            "layer.weight": np.ones((3, 3), np.float32),
            "unused.weight": np.ones((9, 9), np.float32),
        }
        save_file(weights, self.base / "model.safetensors", {"format": "pt"})
        (self.base / "tokenizer.json").write_text("{}")
        (self.base / "config.json").write_text('{"architectures": ["BertModel"]}')
        self.change({"bert.layer.weight": np.full((3, 3), 2, np.float16)})

    def change(self, tensors: Mapping[str, Any], **names: str) -> None:
        """Carry these tensors as the change of the base."""
        origins = names or {"bert.embeddings.weight": "embeddings.weight"}
        delta = self.carried / "delta.safetensors"
        self.carried.mkdir(parents=True, exist_ok=True)
        save_file(dict(tensors), delta, {"from_base": json.dumps(origins)})
        carry(
            self.carried,
            {
                "config.json": json.dumps(CONFIG).encode(),
                "README.md": b"# Moods\n",
                delta.name: delta.read_bytes(),
            },
        )

    def catalog(self, **entry: object) -> Catalog:
        """What the release's catalog says."""
        base = [
            {
                "name": file.name,
                "parts": ["x"],
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            for file in sorted(self.base.iterdir())
            if file.name not in {LOCK_NAME}
        ]
        encoder = {"name": "encoder", "licence": "MIT", "wheels": [WHEEL], "files": base}
        moods = {"name": "moods", "licence": "Apache-2.0", "carried": True, **entry}
        slots: dict[str, Any] = {slot: {"title": slot} for slot in ALL_SLOTS}
        slots["text_embedding"]["starter"] = encoder
        slots["emotion_detection"]["starter"] = moods
        return Catalog.model_validate({"slots": slots, "starters": self.path.parent / "starters"})

    def fetch(self, catalog: Catalog, say: Any = quiet) -> Path:
        starter = catalog.slots["emotion_detection"].starter
        assert starter is not None
        return fetch_starter("emotion_detection", starter, self.models, say, catalog=catalog)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path)


def test_a_change_and_its_base_become_one_checkpoint(release: Release) -> None:
    catalog = release.catalog(base="text_embedding")
    folder = release.fetch(catalog)
    whole = load_file(folder / "model.safetensors")
    assert {name: t.dtype.name for name, t in whole.items()} == {
        "bert.embeddings.weight": "float16",
        "bert.layer.weight": "float16",
    }
    assert whole["bert.layer.weight"].tolist() == [[2.0] * 3] * 3
    assert whole["bert.embeddings.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert json.loads((folder / "config.json").read_text()) == CONFIG
    # Other users, such as that of a container, read them too.
    assert (folder / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert sorted(f.name for f in folder.iterdir()) == [
        "README.md", LOCK_NAME, "config.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
    found = {c.slot: c for c in Discovery(release.models, SERVED).scan()}
    moods = found["emotion_detection"]
    assert (moods.id, moods.problem, moods.is_starter) == ("moods", None, True)
    assert moods.labels == ("anger", "joy")
    assert [f.problem for f in verify(release.models)] == [None] * 7


def test_a_change_of_low_rank_is_added_to_the_base(release: Release) -> None:
    release.change(
        {
            "bert.layer.weight.up": np.full((3, 1), 0.5, np.float16),
            "bert.layer.weight.down": np.array([[1, 2, 4]], np.float16),
        },
        **{"bert.layer.weight": "layer.weight"},
    )
    folder = release.fetch(release.catalog(base="text_embedding"))
    whole = load_file(folder / "model.safetensors")
    assert list(whole) == ["bert.layer.weight"]
    assert whole["bert.layer.weight"].tolist() == [[1.5, 2.0, 3.0]] * 3


def test_it_is_put_together_once_and_again_when_the_release_brings_another(
    release: Release,
) -> None:
    lines: list[str] = []
    release.fetch(release.catalog(base="text_embedding"), lines.append)
    lines.clear()
    release.fetch(release.catalog(base="text_embedding"), lines.append)
    assert lines[-1] == "emotion_detection: moods is already installed"
    release.change({"bert.layer.weight": np.full((3, 3), 5, np.float16)})
    folder = release.fetch(release.catalog(base="text_embedding"))
    assert load_file(folder / "model.safetensors")["bert.layer.weight"].max() == 5


def test_a_whole_starter_is_copied(release: Release) -> None:
    folder = release.fetch(release.catalog())
    for name in ("config.json", "README.md", "delta.safetensors"):
        assert (folder / name).read_bytes() == (release.carried / name).read_bytes()
    lines: list[str] = []
    release.fetch(release.catalog(), lines.append)
    assert lines == ["emotion_detection: moods is already installed"]


@pytest.mark.parametrize("base", ["text_embedding", None])
def test_damage_in_the_release_installs_nothing(release: Release, base: str | None) -> None:
    (release.carried / "config.json").write_text("{}")
    with pytest.raises(FetchFailed, match=r"config\.json: its sha256 is"):
        release.fetch(release.catalog(base=base))
    assert not (release.models / "emotion_detection").exists()


def test_a_base_that_was_changed_is_not_built_upon(release: Release) -> None:
    catalog = release.catalog(base="text_embedding")
    release.fetch(catalog)
    # As large as before, at the same time: the record of the base does not notice.
    weights = release.base / "model.safetensors"
    stat = weights.stat()
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    release.change({"bert.layer.weight": np.full((3, 3), 5, np.float16)})
    with pytest.raises(FetchFailed, match=r"base\.model\.safetensors: its sha256 is"):
        release.fetch(catalog)


def test_a_change_of_another_base_is_refused(release: Release) -> None:
    release.change({"bert.layer.weight": np.ones((3, 3), np.float16)}, **{"bert.x": "x.weight"})
    with pytest.raises(FetchFailed, match="no change of this base"):
        release.fetch(release.catalog(base="text_embedding"))
    assert not (release.models / "emotion_detection").exists()


def test_a_release_that_lacks_its_starters_says_so(release: Release) -> None:
    (release.carried / CHECKSUMS_NAME).unlink()
    with pytest.raises(FetchFailed, match="whole checkout"):
        release.fetch(release.catalog())
    (release.carried / CHECKSUMS_NAME).write_text("nonsense\n")
    with pytest.raises(FetchFailed, match="no list of hashes"):
        release.fetch(release.catalog())


def test_what_the_release_carries_is_no_checkpoint(release: Release) -> None:
    # In a clone the models folder is the one that the starters lie in.
    carry(release.models / "starters" / "emotion_detection" / "moods", {"config.json": b"{}"})
    assert [c.slot for c in Discovery(release.models, SERVED).scan()] == ["text_embedding"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"carried": True, "wheels": [WHEEL]}, "of its own"),
        ({}, "needs wheels"),
        ({"base": "text_embedding", "wheels": [WHEEL]}, "needs wheels"),
    ],
)
def test_an_entry_has_one_origin(entry: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Starter.model_validate({"name": "x", "licence": "MIT", **entry})


def test_a_base_has_to_be_a_starter_that_comes_whole(tmp_path: Path) -> None:
    lines = [f'[slots.{slot}]\ntitle = "{slot}"\n' for slot in ALL_SLOTS]
    starter = '[slots.vision.starter]\nname="x"\nlicence="MIT"\ncarried=true\nbase="chat"\n'
    path = tmp_path / "catalog.toml"
    path.write_text("".join([*lines, starter]))
    with pytest.raises(BadCatalog, match="its base chat"):
        read_catalog(path)
