"""Maps side by side hold the numbers they were given: cells, scales, shares."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

import viz
from viz.contours import fewest_cells
from viz.theme import overlay

PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))
VALUES = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)


def test_the_colours_in_the_svg_are_the_numbers() -> None:
    other = np.random.default_rng(1).dirichlet(np.ones(10)).reshape(2, 5)
    figure = viz.attention_side_by_side([VALUES, other], picture=PICTURE, caption="a caption")
    found = [image for image in _images(viz.rendered(figure, format="svg")) if image.shape[2] == 4]
    for values in (VALUES, other):
        expected = np.round(255 * overlay(values))
        rows, columns = values.shape
        matches = []
        for image in found:
            steps = np.array(image.shape[:2]) / values.shape
            centres = np.ix_(
                *(((np.arange(n) + 0.5) * step).astype(int) for n, step in zip(values.shape, steps, strict=True))
            )
            matches.append(steps[0] >= 2 and np.abs(image[centres] - expected).max() <= 1)
        assert any(matches), (rows, columns)


def test_one_scale_for_both_when_asked() -> None:
    figure = viz.attention_side_by_side([VALUES, VALUES / 4], picture=PICTURE, maxima=[float(VALUES.max())] * 2)
    maps = [axes.images[1].get_array() for axes in figure.axes if len(axes.images) == 2]
    assert maps[0][..., 3].max() > maps[1][..., 3].max() > 0


def test_a_signed_map_is_teal_above_zero_and_rose_below() -> None:
    values = np.array([[0.5, -0.25], [0.0, 0.125]])
    figure = viz.attention_side_by_side([values], picture=PICTURE, signed=True, units=["patch"], feet=["a foot"])
    (shown,) = [axes for axes in figure.axes if len(axes.images) == 2]
    image = np.asarray(shown.images[1].get_array())
    cells = image[image.shape[0] // 4 :: image.shape[0] // 2, image.shape[1] // 4 :: image.shape[1] // 2].astype(int)
    red, green, _, alpha = np.moveaxis(cells, -1, 0)
    assert np.sign(green - red)[[0, 0, 1], [0, 1, 1]].tolist() == [1, -1, 1]
    assert alpha[1, 0] == 0
    assert alpha[0, 0] >= alpha[0, 1] > alpha[1, 1] > 0
    said = [text.get_text() for text in figure.texts]
    assert "a foot" in said
    assert "half of what is more in 1 of 4 patches (dashed)" in said
    (scale,) = [axes for axes in figure.axes if axes is not shown]
    assert [label.get_text() for label in scale.get_yticklabels()] == ["−50 %", "0", "+50 %"]


def test_a_difference_lies_beneath_on_the_lines_of_both_grids() -> None:
    values = np.array([[1.0, 0.0, -2.0]])
    xs, ys = np.array([0, 1 / 3, 0.5, 1]), np.array([0, 1])
    figure = viz.attention_side_by_side(
        [VALUES, VALUES], picture=PICTURE, difference=(xs, ys, values), agreement=["IoU 1", "said beside"]
    )
    shown = [np.asarray(axes.images[1].get_array()) for axes in figure.axes if len(axes.images) == 2]
    (row,) = [image[0].astype(int) for image in shown if (image == image[0]).all()]
    found = [row[int(at * len(row))] for at in (0.01, 0.32, 0.35, 0.49, 0.51, 0.99)]
    for at, value in zip(found, (1, 1, 0, 0, -2, -2), strict=True):
        assert np.sign(at[1] - at[0]) == np.sign(value) or value == 0
        assert at[3] == round(255 * min(0.92, max(0, (abs(value) / 2 - 0.015) * 2.3)))
    assert {"+2", "0", "−2"} in [{label.get_text() for label in axes.get_yticklabels()} for axes in figure.axes]
    assert {"IoU 1", "said beside"} <= {text.get_text() for text in figure.texts}


def test_a_picture_without_a_map_has_no_scale_and_bars_run_to_the_largest() -> None:
    held = np.array([[True, False], [False, False]])
    bars = [[("row 3", 0.4), ("row 5", 0.1)], []]
    figure = viz.attention_side_by_side(
        [None, VALUES], picture=PICTURE, outlined=[held, ~held], bars=bars, units=["patch", "token"]
    )
    lengths = [patch.get_width() for axes in figure.axes for patch in axes.patches if not axes.images]
    assert lengths == [1.0, 0.25]
    assert sum(len(axes.get_yticklabels()) == 3 for axes in figure.axes if len(axes.images) == 1) == 1
    said = [text.get_text() for text in figure.texts]
    assert {"row 3", "row 5", "40.0 %", "10.0 %"} <= set(said)
    assert [text for text in said if text.startswith("chosen")] == [
        "chosen: 1 of 4 patches (dashed)",
        "chosen: 3 of 4 tokens (dashed)",
    ]


def test_the_share_and_the_half_are_printed() -> None:
    figure = viz.attention_side_by_side([VALUES * 0.5], picture=PICTURE, units=["patch"])
    said = [text.get_text() for text in figure.texts]
    assert "50.0 % of the row on this picture" in said
    assert any(text.startswith(f"half of it in {fewest_cells(VALUES).sum()} of 12 patches") for text in said)


@pytest.mark.parametrize(("maps", "words"), [([], "one map or two"), ([VALUES[0]], "must be"), ([VALUES] * 3, "not 3")])
def test_wrong_maps_are_refused(maps: list[np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        viz.attention_side_by_side(maps, picture=PICTURE)


def _images(svg: bytes) -> Iterator[np.ndarray]:
    for data in re.findall(rb"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)\"", svg):
        yield np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), dtype=float)
