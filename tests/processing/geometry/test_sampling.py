"""Which frames, how large: the published tool's own figures for two of the presets, and what a clip may ask for."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import Any

import pytest
import torch

from qwenvl.errors import MediaError
from qwenvl.processing.geometry.sampling import (
    VIDEO_PRESETS,
    Sampling,
    VideoOptions,
    count_frames,
    frame_indices,
    frame_size,
)
from tests.support.goldens import GOLDENS

ROWS = json.loads((GOLDENS / "qwen2-vl" / "preprocessing.json").read_text(encoding="utf-8"))["videos"]
READABLE = [row for row in ROWS if "error" not in row["qwen_vl_utils_0.0.8"]]
RELEASES = {"Qwen2-VL": "qwen_vl_utils_0.0.8", "qwen-vl-utils 0.0.14": "qwen_vl_utils_0.0.14"}


def row_name(row: dict[str, Any]) -> str:
    return f"{row['total_frames']}x{row['width']}x{row['height']}"


@pytest.mark.parametrize("preset", RELEASES)
@pytest.mark.parametrize("row", READABLE, ids=row_name)
def test_frames_sizes_and_tokens_are_those_of_the_published_tool(row: dict[str, Any], preset: str) -> None:
    golden = row[RELEASES[preset]]
    options = VideoOptions.of({**row["options"], "preset": preset})
    count, _ = count_frames(row["total_frames"], row["video_fps"], options)
    indices = frame_indices(row["total_frames"], count)
    size = frame_size(row["height"], row["width"], count, options)
    assert count == golden["nframes"]
    assert (size.height, size.width) == (golden["height"], golden["width"])
    assert list(indices[: len(golden["first_frames"])]) == golden["first_frames"]
    assert indices[-1] == golden["last_frame"]
    assert [count // 2, size.height // 14, size.width // 14] == golden["grid_thw"]
    assert count // 2 * (size.height // 28) * (size.width // 28) == golden["tokens"]


def test_the_goldens_hold_both_a_strip_and_a_still_that_are_refused() -> None:
    assert len(ROWS) - len(READABLE) == 2
    with pytest.raises(MediaError, match=r"This clip is 2001 × 10, one side 200\.1 times the other"):
        frame_size(10, 2001, 30, VideoOptions())


def test_the_releases_round_differently() -> None:
    counts = {name: count_frames(452, 23.976, VideoOptions(preset=name))[0] for name in VIDEO_PRESETS}
    assert counts == {"Qwen2-VL": 38, "paper": 38, "qwen-vl-utils 0.0.14": 36}


@pytest.mark.parametrize(
    ("seconds", "tokens", "clamp"),
    [
        (60, 15_840, "total_pixels"),
        (122, 14_640, "frame_floor"),
        (183, 21_960, "frame_floor"),
        (384, 46_080, "frame_floor"),
        (3_600, 46_080, "frame_floor"),
    ],
)
def test_the_floor_of_a_frame_breaks_the_budget_of_long_clips(seconds: int, tokens: int, clamp: str) -> None:
    options = VideoOptions(preset="paper")
    count, _ = count_frames(seconds * 25, 25, options)
    size = frame_size(720, 1280, count, options)
    assert count // 2 * size.width * size.height // 784 == tokens
    assert size.clamps == (clamp,)
    assert size.total_pixels == 16_384 * 784


@pytest.mark.parametrize(
    ("total", "fps", "given", "count", "clamps"),
    [
        (250, 25, {}, 20, ()),
        (132, 25, {}, 10, ()),
        (120, 29.97, {}, 8, ()),
        (30, 30, {}, 4, ("min_frames",)),
        (3, 30, {}, 2, ("total_frames",)),
        (2, 30, {}, 2, ("total_frames",)),
        (30, 1, {}, 30, ("total_frames",)),
        (9_600, 25, {}, 768, ()),
        (9_650, 25, {}, 768, ("max_frames",)),
        (10_000, 25, {"fps": 0.5}, 200, ()),
        (600, 60, {"nframes": 7}, 8, ()),
        (600, 60, {"nframes": 5}, 4, ()),
        (50, 4e6, {}, 4, ("min_frames",)),
        (50, 1e-6, {}, 50, ("total_frames",)),
    ],
)
def test_how_many_frames_and_which_limit_said_so(
    total: int, fps: float, given: dict[str, Any], count: int, clamps: tuple[str, ...]
) -> None:
    assert count_frames(total, fps, VideoOptions.of(given)) == (count, clamps)
    indices = frame_indices(total, count)
    assert (indices[0], indices[-1], len(indices)) == (0, total - 1, count)
    assert list(indices) == sorted(set(indices))


@pytest.mark.parametrize("given", [{"nframes": 12}, {"nframes": 1}, {"nframes": 2000}])
def test_more_frames_than_there_are_is_an_error_that_says_how_many(given: dict[str, int]) -> None:
    with pytest.raises(
        MediaError, match=f"an even number from 2 to 10 for a clip of 11 frames, not {given['nframes']}|2,"
    ):
        count_frames(11, 25, VideoOptions.of(given))


def test_no_clip_gives_more_than_768_frames_unless_it_is_asked_for() -> None:
    """As in qwen-vl-utils: 768 bounds what a rate asks for, and the clip alone what `nframes` does."""
    assert count_frames(100_000, 25, VideoOptions()) == (768, ("max_frames",))
    assert count_frames(100_000, 25, VideoOptions(nframes=1000)) == (1000, ())
    assert count_frames(100_000, 25, VideoOptions(max_frames=1001)) == (1000, ("max_frames",))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fps": 0}, "above 0, not 0"),
        ({"fps": float("nan")}, "above 0, not nan"),
        ({"fps": True}, "above 0, not True"),
        ({"fps": 1, "nframes": 4}, "give one of them"),
        ({"nframes": 2.0}, "nframes is a whole number from 1 up, not 2.0"),
        ({"total_pixels": -1}, "total_pixels is a whole number from 1 up"),
        ({"pictures": 0}, "pictures is a whole number from 1 up"),
        ({"preset": "Qwen3"}, "no video preset 'Qwen3'; take one of Qwen2-VL, paper, qwen-vl-utils 0.0.14"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(MediaError, match=words):
        VideoOptions.of(given)


def test_a_ceiling_replaces_that_of_the_older_tool_and_only_lowers_the_newer_ones() -> None:
    given = {"max_pixels": 1_500_000}
    older = frame_size(1080, 1920, 8, VideoOptions.of(given))
    newer = frame_size(1080, 1920, 8, VideoOptions.of({**given, "preset": "qwen-vl-utils 0.0.14"}))
    assert older.width * older.height > 768 * 784
    assert newer.max_pixels == 768 * 784
    assert older.clamps == newer.clamps == ("max_pixels",)


def test_a_ceiling_below_the_floor_lifts_the_floor() -> None:
    size = frame_size(48, 64, 8, VideoOptions(max_pixels=20_000))
    assert (size.width, size.height, size.limit) == (56, 56, None)
    large = frame_size(480, 640, 8, VideoOptions(max_pixels=20_000))
    assert (large.width, large.height, large.limit) == (140, 112, "max_pixels")
    with pytest.raises(MediaError, match="min_pixels 30,000 is above max_pixels 20,000"):
        frame_size(48, 64, 8, VideoOptions(min_pixels=30_000, max_pixels=20_000))


def test_a_limit_for_the_whole_question_can_only_lower_a_clips() -> None:
    assert VideoOptions().within(None) == VideoOptions()
    assert VideoOptions().within(50_000).max_pixels == 50_000
    assert VideoOptions().within(12_845_056).max_pixels == 768 * 784
    assert VideoOptions(max_pixels=10_000).within(50_000).max_pixels == 10_000
    assert VideoOptions(max_pixels=90_000).within(50_000).max_pixels == 50_000


def test_a_thin_strip_keeps_a_token_of_height() -> None:
    size = frame_size(20, 3900, 700, VideoOptions())
    assert size.height == 28


def test_json_and_back() -> None:
    sampling = Sampling("paper", 50, 25.0, (0, 49), (0.0, 1.96), ("min_frames",), 100, 200, 300)
    assert Sampling.from_json(json.loads(json.dumps(asdict(sampling)))) == sampling
    assert sampling.seconds == 2
    assert sampling.effective_fps == 1


@pytest.mark.parametrize(
    ("total", "clamps"), [(2, ("total_frames",)), (3, ("total_frames",)), (4, ("min_frames",)), (5, ("min_frames",))]
)
def test_a_clip_with_fewer_frames_than_the_least_names_what_stopped_it(total: int, clamps: tuple[str, ...]) -> None:
    count, found = count_frames(total, 25, VideoOptions())
    assert (count, found) == (min(4, total // 2 * 2), clamps)


def test_frames_are_those_of_the_published_formula_in_float32() -> None:
    """`torch.linspace` fuses a product and a sum on some processors and not on others, which moves a place by one step
    of float32: the frame may then be the neighbour's where the place lies that near the middle between two."""
    draw = random.Random(0)
    for _ in range(4000):
        total = draw.randint(1, draw.choice([60, 3000, 200_000, 1_000_000]))
        count = draw.randint(1, min(total, draw.choice([8, 64, 768])))
        places = torch.linspace(0, total - 1, count)
        expected, found = places.round().long(), torch.tensor(frame_indices(total, count))
        undecided = (places - places.floor() - 0.5).abs() <= 2 * torch.finfo().eps * places
        assert torch.equal(found[~undecided], expected[~undecided]), (total, count)
        assert int((found - expected).abs().max()) <= 1, (total, count)
