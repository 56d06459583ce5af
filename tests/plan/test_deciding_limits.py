"""What a plan says would change a size does change it, exactly there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qwenvl.plan import plan
from qwenvl.processing.files.clips import ClipFile


def number(pattern: str, text: str) -> int:
    return int(re.findall(pattern, text)[0].replace(",", ""))


@pytest.mark.parametrize("size", [(3840, 2160), (1000, 1500), (451, 300), (200, 3000)])
def test_from_the_named_max_pixels_up_nothing_shrinks(size: tuple[int, int]) -> None:
    (said,) = plan(size, "Qwen2-VL-7B", max_pixels=90_000).limits
    enough = number(r"from ([\d,]+) up", said)
    free = plan(size, "Qwen2-VL-7B", max_pixels=enough)
    assert free.media[0].limit is None
    assert f"{free.media[0].num_tokens:,} tokens" in said
    assert plan(size, "Qwen2-VL-7B", max_pixels=enough - 1).media[0].limit == "max_pixels"


def test_at_the_named_min_pixels_nothing_grows() -> None:
    (said,) = plan((60, 90), "Qwen2-VL-7B", min_pixels=20_000).limits
    enough = number(r"at ([\d,]+) or below", said)
    assert plan((60, 90), "Qwen2-VL-7B", min_pixels=enough).media[0].limit is None
    assert plan((60, 90), "Qwen2-VL-7B", min_pixels=enough + 1).media[0].limit == "min_pixels"
    assert plan((3, 3), "Qwen2-VL-7B").limits[0].endswith("to 56 × 56.")


def test_where_none_bites_the_ceiling_is_named() -> None:
    (said,) = plan((3840, 2160), "Qwen2-VL-7B").limits
    assert said == "No limit bites: picture 1 has 64.4 % of max_pixels 12,845,056."
    assert "no setting changes that" in plan((3840, 2160), "Qwen-VL").limits[0]


def clip(seconds: float, size: tuple[int, int] = (1280, 720), fps: float = 25) -> ClipFile:
    times = tuple(frame / fps for frame in range(int(seconds * fps)))
    return ClipFile(Path("walk.mp4"), size, times, fps, animated=False)


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        (clip(5, (336, 336)), {"fps": 1}, "No limit bites on walk.mp4: 4 frames of 336 × 336."),
        (clip(1), {}, "no fewer than 4 frames"),
        (clip(500), {}, "no more than 768 frames are taken, 1.54 a second"),
        (clip(5), {"fps": 100}, "no more frames to take than 124"),
        (clip(5), {"max_pixels": 50_176}, "max_pixels 50,176 a frame shrinks its frames"),
        (clip(60), {}, "total_pixels 19,267,584, shared by 120 frames"),
        (clip(400), {}, "would make 768 frames smaller than their floor"),
        (clip(5, (200, 100)), {}, "min_pixels 100,352 enlarges its frames"),
    ],
)
def test_the_clamp_of_a_clip_is_explained(given: ClipFile, settings: dict, words: str) -> None:
    assert any(words in said for said in plan(given, "Qwen2-VL-7B", **settings).limits)


def test_a_long_clip_overruns_its_budget_and_it_is_said() -> None:
    """Figures of the published rule for a 720p clip: 15,840 tokens at 60 s, 46,080 at 384 s, budget 16,384."""
    tokens = {seconds: plan(clip(seconds), "Qwen2-VL-72B", preset="paper") for seconds in (60, 122, 183, 384)}
    assert [cost.visual_tokens for cost in tokens.values()] == [15_840, 14_640, 21_960, 46_080]
    assert "more than its budget of 16,384" in tokens[384].notes[0]
    assert "longer than the context of 32,768: take fewer frames" in tokens[384].limits[-1]


def test_what_does_not_fit_says_what_to_do() -> None:
    assert "lower max_pixels" in plan([(3000, 4000)] * 3, "Qwen2-VL-7B").limits[-1]
    assert "give fewer pictures" in plan([(30, 40)] * 40, "Qwen-VL").limits[-1]
