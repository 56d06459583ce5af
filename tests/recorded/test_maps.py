"""Which value belongs to which patch: media of several sizes, frames, and the processors' block order undone.

Each test makes attention by hand: a patch's query fits the key of one chosen patch alone, so that its row is a one
where that patch lies, and nothing elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.models.config import QWEN2_VL_2B, QWEN_VL
from qwenvl.recorded.maps import Qwen2VLMaps, QwenVLMaps, maps_for
from tests.support.goldens import assert_close

ROW_LIMIT = 1e-5

Grid = tuple[int, int, int]


@dataclass(frozen=True)
class Item:
    kind: str
    patch_grid: Grid


MIXED = [Item("image", (1, 4, 6)), Item("video", (2, 4, 2)), Item("image", (1, 2, 8)), Item("video", (1, 2, 2))]


def block_order(h: int, w: int) -> list[int]:
    """Raster index of each patch as the processors list them, two by two."""
    return [
        (2 * row + y) * w + 2 * column + x
        for row in range(h // 2)
        for column in range(w // 2)
        for y in range(2)
        for x in range(2)
    ]


def packed(media: list[Item]) -> list[tuple[int, int]]:
    """(media, raster patch) of each place in Qwen2-VL's packed sequence: pictures, then clips."""
    order = [index for index, item in enumerate(media) if item.kind == "image"]
    order += [index for index, item in enumerate(media) if item.kind == "video"]
    places = []
    for index in order:
        t, h, w = media[index].patch_grid
        places += [(index, frame * h * w + patch) for frame in range(t) for patch in block_order(h, w)]
    return places


def fitting(targets: list[int], count: int) -> tuple[Tensor, Tensor]:
    """Queries and keys (1, 1, tokens, count) such that token i reads token targets[i] alone."""
    eye = 1000 * torch.eye(count)
    return eye[targets][None, None], eye[None, None]


def mirrored(patch: int, grid: Grid) -> int:
    """The patch across the middle of the same frame."""
    size = grid[1] * grid[2]
    return patch // size * size + size - 1 - patch % size


def test_rows_of_qwen2_vls_tower_lie_in_raster_order_of_their_own_frame() -> None:
    places = packed(MIXED)
    targets = [places.index((media, mirrored(patch, MIXED[media].patch_grid))) for media, patch in places]
    q, k = fitting(targets, len(places))
    maps = Qwen2VLMaps(QWEN2_VL_2B, MIXED)
    for media, item in enumerate(MIXED):
        size = item.patch_grid[1] * item.patch_grid[2]
        for patch in range(math.prod(item.patch_grid)):
            expected = torch.zeros(1, size)
            expected[0, size - 1 - patch % size] = 1
            assert_close(maps.vision_rows(q, k, media, [patch])[:, 0], expected, ROW_LIMIT)


def test_qwen2_vls_tokens_give_their_four_patches_equal_parts() -> None:
    maps = Qwen2VLMaps(QWEN2_VL_2B, MIXED)
    spread = maps.spread(torch.arange(4.0), media=1, adapter=[])
    assert spread.shape == (2, 4, 2)
    blocks = [[[0, 0], [0, 0], [1, 1], [1, 1]], [[2, 2], [2, 2], [3, 3], [3, 3]]]
    assert_close(spread, torch.tensor(blocks) / 4, 0)


def test_qwen2_vls_adapter_has_no_rows() -> None:
    with pytest.raises(RunError, match="adapter has no attention"):
        Qwen2VLMaps(QWEN2_VL_2B, MIXED).adapter_rows(torch.zeros(0), torch.zeros(0), 0, [0])


def small_qwen_vl(media: list[Item]) -> QwenVLMaps:
    config = replace(QWEN_VL, adapter=replace(QWEN_VL.adapter, num_queries=4))
    maps: Any = maps_for(config, media)
    assert isinstance(maps, QwenVLMaps)
    return maps


PICTURES = [Item("image", (1, 3, 3)), Item("video", (2, 3, 3)), Item("image", (1, 3, 3))]


def frames_reading_themselves() -> Tensor:
    """Keys (4 frames, 1 head, 9 patches, 36): each patch of each frame another direction."""
    return 1000 * torch.eye(36).view(4, 1, 9, 36)


def test_rows_of_qwen_vls_tower_are_those_of_their_frame_in_the_order_given() -> None:
    k = frames_reading_themselves()
    maps = small_qwen_vl(PICTURES)
    for media, item in enumerate(PICTURES):
        for patch in range(math.prod(item.patch_grid)):
            expected = torch.zeros(1, 9)
            expected[0, patch % 9] = 1
            assert_close(maps.vision_rows(k, k, media, [patch])[:, 0], expected, ROW_LIMIT)


def test_an_adapter_query_of_a_clip_reads_its_own_frame() -> None:
    k = frames_reading_themselves()
    q = k[:, :, [8, 2, 5, 0]]  # four queries a frame
    maps = small_qwen_vl(PICTURES)
    assert maps.num_adapter_queries(1) == 8
    for query, patch in enumerate([8, 2, 5, 0] * 2):
        expected = torch.zeros(1, 1, 9)
        expected[0, 0, patch] = 1
        assert_close(maps.adapter_rows(q, k, 1, [query]), expected, ROW_LIMIT)
    both = maps.adapter_rows(q, k, 2, range(4))
    assert both.shape == (1, 4, 9)
    assert both[0].argmax(dim=-1).tolist() == [8, 2, 5, 0]


def test_qwen_vls_weights_on_queries_are_pulled_through_the_adapter_frame_by_frame() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(8, generator=generator)
    adapter = [torch.rand(4, 9, generator=generator) for _ in range(2)]
    spread = small_qwen_vl(PICTURES).spread(weights, 1, adapter)
    assert spread.shape == (2, 3, 3)
    for frame in range(2):
        for patch in range(9):
            by_hand = sum(float(weights[4 * frame + query] * adapter[frame][query, patch]) for query in range(4))
            assert abs(float(spread[frame, patch // 3, patch % 3]) - by_hand) < ROW_LIMIT
