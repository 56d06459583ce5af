"""Quotes what the authors of Qwen2-VL report and nothing here can measure, with its place in 2409.12191v2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal


@dataclass(frozen=True)
class Score:
    """One test with 1-D rotary positions and with multimodal ones, everything else the same."""

    test: str
    about: Literal["image", "video"]
    one: float
    multimodal: float

    @property
    def gain(self) -> float:
        return round(self.multimodal - self.one, 1)


M_ROPE = (
    Score("MathVista", "image", 39.2, 43.4),
    Score("MMB", "image", 58.6, 60.6),
    Score("MMStar", "image", 36.7, 36.7),
    Score("RealWorldQA", "image", 54.5, 53.7),
    Score("DocVQA", "image", 82.5, 82.8),
    Score("ChartQA", "image", 68.0, 68.4),
    Score("InfoVQA", "image", 50.8, 50.3),
    Score("TextVQA", "image", 71.3, 71.8),
    Score("PerceptionTest", "video", 46.6, 47.4),
    Score("NextQA", "video", 43.9, 46.0),
    Score("STAR", "video", 55.5, 57.9),
)
"""Table 8 of 2409.12191v2: a Qwen2-1.5B with a ViT-L, pre-trained models, scores in percent."""


def mean(scores: Sequence[Score], about: Literal["image", "video"]) -> tuple[float, float]:
    """Mean of the tests about pictures or about clips: 1-D, multimodal."""
    chosen = [score for score in scores if score.about == about]
    return fmean(score.one for score in chosen), fmean(score.multimodal for score in chosen)


def outcome(scores: Sequence[Score]) -> tuple[int, int, int]:
    """How many tests are better with multimodal positions, equal, and worse."""
    gains = [score.gain for score in scores]
    return sum(gain > 0 for gain in gains), gains.count(0), sum(gain < 0 for gain in gains)
