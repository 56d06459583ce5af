"""Maps lie on the original picture, cell for cell, and say how much of the row they show."""

from __future__ import annotations

import io

import numpy as np
import pytest

import viz
from viz.theme import overlay, quieten

VALUES = np.array([[0.0, 0.1], [0.4, 0.02]])
PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))


def test_the_printed_map_covers_the_original_and_prints_its_share() -> None:
    figure = viz.attention_on_picture(VALUES, picture=PICTURE, share=0.52, caption="answer word “cat”, layer 2 head 1")
    picture, cells = figure.axes[0].images
    assert picture.get_extent() == cells.get_extent() == [0, 60, 40, 0]
    np.testing.assert_allclose(cells.get_array(), overlay(VALUES))
    assert cells.get_interpolation() == "nearest"
    assert figure.axes[1].get_ylim()[1] == pytest.approx(40.0)
    assert figure.get_supxlabel() == "answer word “cat”, layer 2 head 1. 52.0 % of the row falls on this picture."
    figure.savefig(io.BytesIO(), format="svg")


def test_smoothing_is_said() -> None:
    figure = viz.attention_on_picture(VALUES, picture=PICTURE, smooth=True)
    assert "smoothed between cells" in figure.get_supxlabel()


def test_one_scale_for_two_maps() -> None:
    own = viz.attention_on_picture(VALUES, picture=PICTURE).axes[0].images[1].get_array()
    shared = viz.attention_on_picture(VALUES, picture=PICTURE, maximum=0.8).axes[0].images[1].get_array()
    np.testing.assert_allclose(shared, overlay(VALUES, maximum=0.8))
    assert own[0, 1, 3] > shared[0, 1, 3] > 0


def test_the_interactive_map_reads_the_shares() -> None:
    figure = viz.attention_on_picture_interactive(VALUES, picture=PICTURE)
    picture, heat = figure.data
    np.testing.assert_array_equal(heat.z, VALUES)
    np.testing.assert_allclose(heat.x, [14.5, 44.5])
    np.testing.assert_allclose(heat.y, [9.5, 29.5])
    quiet = quieten(PICTURE)
    np.testing.assert_array_equal(np.asarray(picture.z)[5, 10], quiet[5, 10])
    colour = overlay(VALUES)[1, 0]
    expected = quiet[30, 10] * (1 - colour[3]) + 255 * colour[:3] * colour[3]
    np.testing.assert_allclose(np.asarray(picture.z)[30, 10], expected, atol=0.51)


def test_patches_are_drawn_where_they_are_cut() -> None:
    figure = viz.patch_grid(PICTURE, grid=(1, 4, 3), marked=[5])
    upright, flat = (lines.get_segments() for lines in figure.axes[0].collections)
    assert [line[0][0] for line in upright] == [20, 40]
    assert [line[0][1] for line in flat] == [10, 20, 30]
    (box,) = figure.axes[0].patches
    assert (*box.get_xy(), box.get_width(), box.get_height()) == (40, 10, 20, 10)
    assert "4 × 3 cells of 20.0 × 10.0 px" in figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(("values", "picture"), [(VALUES[0], PICTURE), (VALUES, PICTURE[..., 0])])
def test_wrong_shapes_are_refused(values: np.ndarray, picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        viz.attention_on_picture(values, picture=picture)
