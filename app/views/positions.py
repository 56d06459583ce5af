"""Answers the Positions view: ids under other rules, rotary frequencies, and what media cost in ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict, cast

from torch import Tensor

from app.asking.posted import Posted
from app.views.contract import Look
from qwenvl.analysis.position_rules import (
    RULES,
    PositionCost,
    PositionRule,
    cost_of_size,
    frequencies,
    overlaps,
    position_cost,
    positions_by_rule,
)
from qwenvl.analysis.published_claims import M_ROPE, Score, mean, outcome
from qwenvl.errors import RunError

OTHER_MEDIA = {"448 × 448": ((448, 448), 1), "4K page": ((3840, 2160), 1), "Clip, 12 frames": ((448, 448), 12)}


class PositionsBy(TypedDict):
    """The ids of every token under a rule, (3, tokens), and per axis the spans that an earlier media overtook.

    A span is [first token, token after the last].
    """

    rule: PositionRule
    positions: list[list[int]]
    overtaken: list[list[list[int]]]
    largest: int


class FrequencyFacts(TypedDict):
    """Of the language model's rotary embedding, as a run used it."""

    wavelengths: list[float]
    sections: list[int]
    theta: float
    alpha: float
    head_dim: int


class ReportedScore(TypedDict):
    """One test of the paper's table 8, with 1-D and with multimodal ids."""

    test: str
    about: str
    one: float
    multimodal: float
    gain: float


class Reported(TypedDict):
    """Table 8 of the paper: each test, the means about pictures and about clips, and how many went which way."""

    scores: list[ReportedScore]
    means: dict[str, list[float]]
    outcome: list[int]


class PositionFacts(TypedDict):
    """Frequencies, the cost in ids of a run's media and of others, and what the authors report of multimodal ids."""

    frequencies: FrequencyFacts
    media: list[PositionCost]
    others: dict[str, PositionCost]
    reported: Reported


def positions_by(look: Look, posted: Posted) -> PositionsBy:
    """{"run", "rule"}: see `PositionsBy`."""
    run, rule = look(posted.get("run")).run, posted.get("rule")
    if rule not in RULES:
        raise RunError(f"There is no such rule for ids: choose {' or '.join(RULES)}.")
    ids = positions_by_rule(run, rule)
    return {
        "rule": cast(PositionRule, rule),
        "positions": ids.tolist(),
        "overtaken": [list(_spans(row)) for row in overlaps(run, ids)],
        "largest": int(ids[:, : run.answer_start].max()),
    }


def position_facts(look: Look, posted: Posted) -> PositionFacts:
    """{"run"}: see `PositionFacts`."""
    run = look(posted.get("run")).run
    found = frequencies(run.config, run.record.ntk_alpha)
    return {
        "frequencies": {
            "wavelengths": found.wavelengths.tolist(),
            "sections": list(found.sections),
            "theta": found.theta,
            "alpha": found.alpha,
            "head_dim": run.config.language.head_dim,
        },
        "media": [position_cost(media) for media in run.media],
        "others": {name: cost_of_size(run.config, *media) for name, media in OTHER_MEDIA.items()},
        "reported": {
            "scores": [_score(score) for score in M_ROPE],
            "means": {about: list(mean(M_ROPE, about)) for about in ("image", "video")},
            "outcome": list(outcome(M_ROPE)),
        },
    }


def _score(score: Score) -> ReportedScore:
    return {
        "test": score.test,
        "about": score.about,
        "one": score.one,
        "multimodal": score.multimodal,
        "gain": score.gain,
    }


def _spans(row: Tensor) -> Iterator[list[int]]:
    """Runs of true values."""
    start = None
    for place, value in enumerate([*row.tolist(), False]):
        if value and start is None:
            start = place
        if not value and start is not None:
            yield [start, place]
            start = None
