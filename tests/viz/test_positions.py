"""Position figures hold the ids they were given."""

from __future__ import annotations

import numpy as np
import pytest

import viz

IDS = np.array([[0, 1, 2, 2, 2, 2, 4], [0, 1, 2, 2, 3, 3, 4], [0, 1, 2, 3, 2, 3, 4]])
KINDS = ["text", "text", "image", "image", "image", "image", "text"]
TEXTS = ["a", "b", "", "", "", "", "c"]


def test_every_token_stands_at_its_ids_in_space() -> None:
    figure = viz.positions_3d(IDS, texts=TEXTS, kinds=KINDS)
    order, text, image = figure.data
    np.testing.assert_array_equal([order.z, order.y, order.x], IDS)
    assert (text.name, image.name) == ("text", "image")
    np.testing.assert_array_equal([image.z, image.y, image.x], IDS[:, 2:6])
    assert list(text.customdata) == [0, 1, 6]
    assert list(text.text) == ["a", "b", "c"]


def test_one_id_a_token_is_the_diagonal() -> None:
    figure = viz.positions_3d(np.arange(5))
    np.testing.assert_array_equal(figure.data[0].x, figure.data[0].z)


def test_lanes_are_three_or_one() -> None:
    three = viz.positions_lanes(IDS, kinds=KINDS)
    assert [lane.name for lane in three.data] == ["t", "h", "w"]
    for lane, row in zip(three.data, IDS, strict=True):
        np.testing.assert_array_equal(lane.y, row)
    assert [lane.name for lane in viz.positions_lanes(np.arange(5)).data] == ["id"]


def test_dark_figures_differ_from_light_ones() -> None:
    light, dark = (viz.positions_3d(IDS, kinds=KINDS, dark=dark) for dark in (False, True))
    assert light.layout.paper_bgcolor != dark.layout.paper_bgcolor
    assert light.data[1].marker.color != dark.data[1].marker.color


@pytest.mark.parametrize("figure", [viz.positions_3d, viz.positions_lanes])
def test_wrong_shapes_are_refused(figure: object) -> None:
    with pytest.raises(ValueError, match=r"\(3, tokens\)"):
        figure(np.zeros((2, 4)))  # type: ignore[operator]


def test_as_many_kinds_as_tokens() -> None:
    with pytest.raises(ValueError, match="2 kinds for 7 tokens"):
        viz.positions_3d(IDS, kinds=["text", "text"])
