"""The position codes' own similarity, against a turned vector and a table written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from qwenvl.analysis.position_code import rotary_agreement, table_similarity
from qwenvl.errors import RunError
from qwenvl.models.rope import patch_coordinates, rope_2d, rotate
from tests.support.goldens import assert_close
from tests.support.tiny import SPOKEN, TINY, mixed_run, one_picture, tiny


def test_agreement_of_phases_is_the_dot_product_of_equal_vectors_that_were_turned() -> None:
    run = mixed_run(TINY[1])
    vision = run.config.vision
    head_dim = vision.dim // vision.num_heads
    _, rows, columns = run.media[0].patch_grid
    coordinates = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    turned = rotate(torch.ones(rows * columns, head_dim), *rope_2d(coordinates, head_dim, vision.rope_theta))
    patch = 2 * columns + 1
    expected = (turned @ turned[patch] / head_dim).view(rows, columns)
    assert_close(run.position_similarity(patch=patch), expected, 1e-5)
    assert len(patch_coordinates((1, rows, columns), vision.merge_size)) == rows * columns


def test_agreement_depends_on_the_difference_alone() -> None:
    config = mixed_run(TINY[1]).config
    here, there = rotary_agreement(config, 9, 9, 4 * 9 + 4), rotary_agreement(config, 9, 9, 5 * 9 + 3)
    assert_close(here[:-1, 1:], there[1:, :-1], 1e-5)
    count = config.vision.dim // config.vision.num_heads // 4  # frequencies of the columns; the first turns 1 radian
    agreed = sum(math.cos(config.vision.rope_theta ** (-j / count)) for j in range(count)) / count
    assert float(here[4, 5]) == pytest.approx(0.5 + agreed / 2, abs=1e-5)


def test_a_table_is_compared_row_by_row_as_the_model_stretches_it() -> None:
    run = mixed_run(TINY[0])
    model = tiny(TINY[0]).model
    seen = {}

    def keep(module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        seen["in"] = inputs[0][0]

    side = run.config.vision.grid_side
    handle = model.vision.norm.register_forward_pre_hook(keep)
    with torch.no_grad():
        pixels = torch.zeros(1, 3, run.config.vision.image_size, run.config.vision.image_size)
        model.vision(pixels)  # black patches carry nothing but their places
    handle.remove()
    places = seen["in"]
    patch = 3 * side + 2
    expected = torch.stack([torch.cosine_similarity(places[patch], other, dim=0) for other in places])
    found = run.position_similarity(patch=patch)
    assert_close(found, expected.view(side, side), 1e-5)
    assert float(found[3, 2]) == pytest.approx(1.0)


def test_a_later_frame_has_the_places_of_the_first() -> None:
    run = mixed_run(TINY[1])
    media = next(index for index, item in enumerate(run.media) if item.kind == "video")
    _, rows, columns = run.media[media].patch_grid
    assert torch.equal(
        run.position_similarity(patch=rows * columns + 3, media=media), run.position_similarity(patch=3, media=media)
    )


def test_the_table_needs_the_model() -> None:
    run = replace(tiny(TINY[0]).run(one_picture(), answer=SPOKEN), pipeline=None)
    with pytest.raises(RunError, match="pipeline"):
        run.position_similarity(patch=0)
    assert table_similarity(torch.eye(4), 2, 0).tolist() == [[1.0, 0.0], [0.0, 0.0]]
