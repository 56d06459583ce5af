"""Costs of longer clips against the figures of the published tool and against clips that are planned whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenvl.models.config import PRESETS
from qwenvl.plan.clip_duration import DURATIONS, TRAINED_TOKENS, cost_by_length
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.sampled_clips import plan_clip
from qwenvl.processing.geometry.sampling import VIDEO_PRESETS, VideoOptions


@pytest.mark.parametrize(("seconds", "tokens"), [(60, 15_840), (122, 14_640), (183, 21_960), (384, 46_080)])
def test_the_papers_budget_holds_until_frames_stand_at_their_floor(seconds: int, tokens: int) -> None:
    (cost,) = cost_by_length((1280, 720), 25, "paper", seconds=[seconds])
    assert cost.tokens == tokens
    assert (tokens > TRAINED_TOKENS) == (seconds > 122)


@pytest.mark.parametrize("preset", VIDEO_PRESETS)
@pytest.mark.parametrize("size", [(640, 360), (480, 854), (112, 56)])
def test_a_length_costs_what_a_clip_of_it_is_planned_to_cost(preset: str, size: tuple[int, int]) -> None:
    for cost in cost_by_length(size, 30, preset, seconds=DURATIONS[::6]):
        times = tuple(frame / 30 for frame in range(max(2, round(cost.seconds * 30))))
        clip = ClipFile(Path("clip.mp4"), size, times, 30, False)
        media = plan_clip(clip, PRESETS["Qwen2-VL-7B"], VideoOptions(preset=preset))
        assert media.num_tokens == cost.tokens
        assert media.resized == (cost.width, cost.height)
        assert media.sampling is not None
        assert len(media.sampling.indices) == cost.frames


def test_lengths_go_from_a_second_to_an_hour() -> None:
    assert (DURATIONS[0], DURATIONS[-1]) == (1.0, 3831.2)
    assert list(DURATIONS) == sorted(set(DURATIONS))
