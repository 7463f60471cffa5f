"""Weights are read before a runtime maps them."""

from pathlib import Path

import pytest

from atoll_inference.engines import read_ahead as module
from atoll_inference.engines.read_ahead import parts_of, read_ahead


def test_every_part_of_a_split_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", 64)
    for number in (1, 2, 3):
        (tmp_path / f"m-0000{number}-of-00003.gguf").write_bytes(b"x" * 100)
    (tmp_path / "other-00001-of-00003.gguf").touch()
    parts = parts_of(tmp_path / "m-00001-of-00003.gguf")
    assert [part.name[2:7] for part in parts] == ["00001", "00002", "00003"]
    shares: list[float] = []
    read_ahead(parts, shares.append)
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (6, 1.0)


def test_one_file_is_its_only_part(tmp_path: Path) -> None:
    assert parts_of(tmp_path / "m.gguf") == [tmp_path / "m.gguf"]


def test_what_is_not_there_is_left_to_the_runtime(tmp_path: Path) -> None:
    read_ahead([tmp_path / "m.gguf"], lambda share: None)
