"""Rotary embedding in one, two and three dimensions, and the ids it eats."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from qwenvl.models.rope import (
    PositionRule,
    inverse_frequencies,
    logn_scale,
    multimodal_positions,
    ntk_alpha,
    ntk_theta,
    patch_coordinates,
    rope_1d,
    rope_2d,
    rope_multimodal,
    rotate,
)
from tests.support.goldens import assert_close

IMAGE, VIDEO = 90, 91


def positions(*parts: int | tuple[int, int, int], rule: PositionRule = "paper", **rest: Any) -> Tensor:
    """Ids (3, tokens) of one row: numbers count text tokens, grids of visual tokens are a picture, or a clip."""
    ids, grids = [], {IMAGE: [], VIDEO: []}
    for part in parts:
        if isinstance(part, int):
            ids += [1] * part
        else:
            kind = VIDEO if part[0] > 1 else IMAGE
            ids += [kind] * math.prod(part)
            grids[kind].append((part[0], 2 * part[1], 2 * part[2]))
    return row(ids, grids[IMAGE], grids[VIDEO], rule=rule, **rest)[:, 0]


def row(ids: list[int], images: Any = (), videos: Any = (), **rest: Any) -> Tensor:
    return multimodal_positions(torch.tensor([ids]), images, videos, image_token_id=IMAGE, video_token_id=VIDEO, **rest)


def turned(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    return rotate(x, *rotation)


def random_vectors(*shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


# --- one dimension ---


def test_frequencies_fall_from_one_by_equal_factors() -> None:
    assert_close(inverse_frequencies(8, 10000.0), torch.tensor([1.0, 0.1, 0.01, 0.001]), 1e-9)


def test_a_rotation_turns_each_channel_with_the_one_half_a_head_away() -> None:
    x = torch.zeros(1, 8)
    x[0, 1] = 1.0
    angle = 3 * inverse_frequencies(8, 10000.0)[1]
    expected = torch.zeros(1, 8)
    expected[0, 1], expected[0, 5] = angle.cos(), angle.sin()
    assert_close(turned(x, rope_1d(torch.tensor([3]), 8, 10000.0)), expected, 1e-6)


@pytest.mark.parametrize("shift", [1, 50, 1000])
def test_products_depend_on_the_distance_alone(shift: int) -> None:
    q, k = (vector / vector.norm() for vector in random_vectors(1, 64))
    near, far = (
        turned(q, rope_1d(torch.tensor([7 + by]), 64, 1e4)) @ turned(k, rope_1d(torch.tensor([2 + by]), 64, 1e4)).T
        for by in (0, shift)
    )
    assert_close(far, near, 1e-4)


@pytest.mark.parametrize(
    ("num_tokens", "alpha"), [(1, 1), (2048, 1), (2049, 3), (4096, 3), (4097, 7), (8192, 7), (8193, 15)]
)
def test_dynamic_ntk_stretches_when_the_trained_length_doubles(num_tokens: int, alpha: int) -> None:
    assert ntk_alpha(num_tokens, 2048) == alpha


def test_ntk_leaves_the_fastest_frequency_and_divides_the_slowest_by_alpha() -> None:
    plain, stretched = inverse_frequencies(128, 1e4), inverse_frequencies(128, ntk_theta(1e4, 7.0, 128))
    assert stretched[0] == plain[0] == 1
    assert_close(plain[-1] / stretched[-1], torch.tensor(7.0), 1e-4)


def test_logn_sharpens_only_beyond_the_trained_length() -> None:
    factors = logn_scale(torch.tensor([0, 2046, 2047, 2048, 8191]), 2048)
    assert torch.equal(factors[:3], torch.ones(3))
    assert_close(factors[3:], torch.tensor([math.log(2049, 2048), math.log(8192, 2048)]), 1e-6)


# --- two dimensions ---


def test_patches_of_a_block_are_neighbours_in_the_processors_order() -> None:
    coordinates = patch_coordinates((2, 4, 6), merge_size=2)
    assert coordinates[:5].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 2]]
    assert coordinates[12].tolist() == [2, 0]
    assert torch.equal(coordinates[:24], coordinates[24:])
    assert len({tuple(place) for place in coordinates[:24].tolist()}) == 24


def test_the_first_half_of_the_frequencies_reads_the_row() -> None:
    cos, _ = rope_2d(torch.tensor([[5, 0], [0, 5]]), 16, 1e4)
    one_axis = (5 * inverse_frequencies(8, 1e4)).cos()
    still = torch.ones(4)
    assert_close(cos[0], torch.cat((one_axis, still, one_axis, still)), 1e-6)
    assert_close(cos[1], torch.cat((still, one_axis, still, one_axis)), 1e-6)


@pytest.mark.parametrize("shift", [(1, 0), (0, 9), (30, 17)])
def test_in_the_tower_only_the_way_from_patch_to_patch_counts(shift: tuple[int, int]) -> None:
    q, k = (vector / vector.norm() for vector in random_vectors(1, 80))
    places = torch.tensor([[3, 8], [6, 1]])
    products = [
        turned(q, rope_2d(places[:1] + by, 80, 1e4)) @ turned(k, rope_2d(places[1:] + by, 80, 1e4)).T
        for by in (torch.tensor([0, 0]), torch.tensor(shift))
    ]
    assert_close(products[1], products[0], 1e-5)


# --- three dimensions ---


def test_with_three_equal_ids_it_is_exactly_one_dimensional() -> None:
    ids = torch.arange(3000).expand(3, 1, -1)
    cos, sin = rope_multimodal(ids, 128, 1e6, (16, 24, 24))
    plain = rope_1d(ids[0, 0], 128, 1e6)
    assert_close(cos[0], plain[0], 1e-6)  # of another shape: the last bit of a cosine may differ
    assert_close(sin[0], plain[1], 1e-6)


@pytest.mark.parametrize(("axis", "frequencies"), [(0, range(16)), (1, range(16, 40)), (2, range(40, 64))])
def test_the_frequencies_are_dealt_out_in_three_runs(axis: int, frequencies: range) -> None:
    ids = torch.zeros(3, 1, 1, dtype=torch.int64)
    ids[axis] = 11
    _, sin = rope_multimodal(ids, 128, 1e6, (16, 24, 24))
    turned = sin[0, 0].nonzero()[:, 0].tolist()
    assert turned == [*frequencies, *(64 + index for index in frequencies)]


# --- ids ---


def test_text_counts_up_alike_on_the_three_axes() -> None:
    assert torch.equal(positions(5), torch.arange(5).expand(3, 5))


def test_a_picture_keeps_its_t_and_spreads_h_and_w() -> None:
    t, h, w = positions(3, (1, 2, 3), 2)
    assert t.tolist() == [0, 1, 2, 3, 3, 3, 3, 3, 3, 6, 7]
    assert h.tolist() == [0, 1, 2, 3, 3, 3, 4, 4, 4, 6, 7]
    assert w.tolist() == [0, 1, 2, 3, 4, 5, 3, 4, 5, 6, 7]


def test_a_clip_counts_its_pairs_of_frames() -> None:
    t, h, w = positions(1, (3, 2, 2), 1)
    assert t.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4]
    assert h[1:5].tolist() == h[5:9].tolist() == [1, 1, 2, 2]
    assert w[1:5].tolist() == w[5:9].tolist() == [1, 2, 1, 2]


def test_the_papers_example_of_a_clip_and_text() -> None:
    ids = positions((3, 2, 2), 5)
    assert ids[:, -5:].tolist() == [[3, 4, 5, 6, 7]] * 3


@pytest.mark.parametrize(("rule", "following"), [("paper", 23), ("transformers-5", 5)])
def test_what_follows_a_long_clip_depends_on_the_rule(rule: PositionRule, following: int) -> None:
    ids = positions(3, (20, 2, 2), 2, rule=rule)
    assert ids[0, 3:83].amax() == 22
    assert ids[:, -2:].tolist() == [[following, following + 1]] * 3


def test_pictures_and_clips_are_taken_from_lists_of_their_own() -> None:
    both = positions(1, (2, 1, 1), 1, (1, 1, 3), 1)
    assert both[0].tolist() == [0, 1, 2, 3, 4, 4, 4, 7]


@pytest.mark.parametrize("seed", range(10))
def test_ids_never_run_ahead_of_one_dimension_and_fall_behind_with_any_larger_media(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 6, (3, 4), generator=generator).tolist()
    parts = [part for text, *grid in sizes for part in (text, tuple(grid))]
    ids = positions(*parts)
    count = ids.shape[1]
    assert ids.amax() <= count - 1
    assert (ids.amax() < count - 1) == any(math.prod(grid) > max(grid) for _, *grid in sizes)


def test_a_long_clip_fits_into_few_ids() -> None:
    assert positions((384, 13, 16)).amax() + 1 == 384


def test_left_padding_holds_zero_and_shifts_nothing() -> None:
    ids = torch.tensor([[7, 7, 1, IMAGE, IMAGE, 1], [1, 1, 1, 1, 1, 1]])
    mask = torch.tensor([[0, 0, 1, 1, 1, 1], [1] * 6])
    found = multimodal_positions(ids, [(1, 2, 4)], image_token_id=IMAGE, video_token_id=VIDEO, attention_mask=mask)
    assert found[:, 0].tolist() == [[0, 0, 0, 1, 1, 3], [0, 0, 0, 1, 1, 3], [0, 0, 0, 1, 2, 3]]
    assert torch.equal(found[:, 1], torch.arange(6).expand(3, 6))


@pytest.mark.parametrize(
    ("ids", "images", "message"),
    [
        ([1, IMAGE, IMAGE, 1], [], "more media than were given"),
        ([1, 1], [(1, 2, 2)], "more media than places"),
        ([1, IMAGE, IMAGE, 1], [(1, 4, 4)], "2 x 2 visual tokens does not fit"),
        ([IMAGE, IMAGE, 1, IMAGE], [(1, 2, 6)], "does not fit"),
        ([IMAGE] * 5, [(1, 4, 4)], "more media than were given"),
        ([1, VIDEO], [(1, 2, 2)], "more media than were given"),
    ],
)
def test_media_and_places_that_do_not_match_are_refused(ids: list[int], images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        row(ids, images)
