"""Pictures are cut into equal tiles on the model's grid and joined without a trace."""

import numpy as np
import pytest

from atoll_inference.engines.tiles import Axis, TiledPicture


@pytest.mark.parametrize("length", [8, 64, 72, 128, 136, 200, 1000, 4096, 4104])
def test_tiles_cover_a_side_and_overlap(length: int) -> None:
    axis = Axis.cut(length, window=8, largest=64, overlap=16)
    assert axis.size <= 64
    assert axis.size % 8 == 0
    assert axis.starts[0] == 0
    assert axis.starts[-1] + axis.size == length
    for start, following in zip(axis.starts, axis.starts[1:], strict=False):
        assert start % 8 == 0
        assert start + axis.size - following >= 16
    if length <= 64:
        assert len(axis.starts) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (65, 40), (130, 7), (301, 207)])
def test_what_is_cut_is_joined_again(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture = TiledPicture(pixels, window=8, largest=64, overlap=16, scale=2)
    for row in range(picture.rows):
        tiles = list(picture.row(row))
        assert {tile.shape[0] * tile.shape[1] for tile in tiles} == {picture.tile_pixels}
        picture.put_row([t.repeat(2, 0).repeat(2, 1).astype(np.float32) for t in tiles])
    assert np.array_equal(picture.finished(), pixels.repeat(2, 0).repeat(2, 1))


def test_tiles_that_disagree_are_blended_without_a_step() -> None:
    picture = TiledPicture(
        np.zeros((120, 120, 3), np.uint8), window=8, largest=64, overlap=32, scale=1
    )
    level = 0
    for row in range(picture.rows):
        outputs = []
        for tile in picture.row(row):
            outputs.append(np.full(tile.shape, level, np.float32))
            level += 20
        picture.put_row(outputs)
    result = picture.finished().astype(int)
    assert level > 100
    assert np.abs(np.diff(result, axis=0)).max() <= 5
    assert np.abs(np.diff(result, axis=1)).max() <= 3
