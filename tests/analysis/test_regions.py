"""Masks against loops over pixels, and paint against pixels picked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from qwenvl.analysis.regions import box_mask, cells_in, cells_mask, paint
from qwenvl.errors import RunError
from tests.support.tiny import mosaic


def test_a_box_holds_the_pixels_whose_centres_lie_in_it() -> None:
    mask = box_mask((6, 4), (1.4, 0.6, 4.5, 3.0))
    expected = [[1.4 <= x + 0.5 < 4.5 and 0.6 <= y + 0.5 < 3.0 for x in range(6)] for y in range(4)]
    assert mask.tolist() == expected


@pytest.mark.parametrize(("size", "grid"), [((90, 61), (1, 4, 7)), ((28, 812), (2, 58, 2)), ((5, 5), (1, 8, 8))])
def test_cells_share_out_every_pixel_once(size: tuple[int, int], grid: tuple[int, int, int]) -> None:
    count = grid[0] * grid[1] * grid[2]
    each = [cells_mask(size, grid, [cell]) for cell in range(count)]
    assert (np.sum(each, axis=0) == 1).all()
    assert np.array_equal(cells_mask(size, grid, range(count)), np.ones((grid[0], size[1], size[0]), dtype=bool))


def test_a_cell_is_found_again_from_its_own_pixels() -> None:
    size, grid = (1280, 720), (1, 32, 32)  # a cell is 40 x 22.5 pixels
    for cell in (0, 31, 500, 1023):
        assert cells_in(cells_mask(size, grid, [cell])[0], grid) == [cell]


def test_half_of_a_cell_counts_and_less_does_not() -> None:
    grid = (1, 2, 2)
    assert cells_in(box_mask((40, 40), (0, 0, 30, 20)), grid) == [0, 1]
    assert cells_in(box_mask((40, 40), (0, 0, 29, 20)), grid) == [0]
    assert cells_in(box_mask((40, 40), (22, 22, 24, 24)), grid) == [3]  # half of none: the one it covers most
    assert cells_in(np.zeros((40, 40), dtype=bool), grid) == []
    assert cells_in(box_mask((40, 40), (0, 0, 20, 20)), (3, 2, 2)) == [0, 4, 8]  # a mask without time holds throughout


def test_paint_changes_the_masked_pixels_alone() -> None:
    picture, mask = mosaic(6, 4), box_mask((56, 84), (10, 20, 31, 62))
    before = np.asarray(picture)
    mean = before.reshape(-1, 3).astype(float).mean(axis=0)
    for fill, colour in (("mean", np.round(mean)), ("black", np.zeros(3))):
        after = np.asarray(paint(picture, mask, fill))
        assert (after[mask] == colour).all()
        assert np.array_equal(after[~mask], before[~mask])
    blurred = np.asarray(paint(picture, mask, "blurred"))
    assert np.array_equal(blurred[~mask], before[~mask])
    assert blurred[mask].std() < 0.6 * before[mask].std()  # the mosaic's colours run into each other
    assert np.array_equal(np.asarray(paint(picture, np.zeros_like(mask))), before)


def test_a_mask_of_the_originals_size_is_taken_to_a_smaller_frame() -> None:
    frame = Image.new("RGB", (20, 10), "white")
    mask = box_mask((200, 100), (0, 0, 100, 50))
    after = np.asarray(paint(frame, mask, "black"))[..., 0]
    assert (after[:5, :10] == 0).all()
    assert after.sum() == 255 * (200 - 50)


def test_an_unknown_fill_is_one_sentence() -> None:
    with pytest.raises(RunError, match=r"no fill 'pink'; choose mean, black, blurred\."):
        paint(mosaic(2, 2), np.ones((28, 28), dtype=bool), "pink")
