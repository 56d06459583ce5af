"""Answers the Positions view: ids under other rules, rotary frequencies, and what media cost in ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor

from app.views.contract import Look
from qwenvl.analysis.position_rules import (
    RULES,
    PositionCost,
    cost_of_size,
    frequencies,
    overlaps,
    position_cost,
    positions_by_rule,
)
from qwenvl.analysis.published_claims import M_ROPE, mean, outcome
from qwenvl.errors import RunError

OTHER_MEDIA = {"448 × 448": ((448, 448), 1), "4K page": ((3840, 2160), 1), "Clip, 12 frames": ((448, 448), 12)}


def positions_by(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "rule"}: the ids of every token under the rule, and per axis the spans that an earlier media overtook.

    A span is [first token, token after the last].
    """
    run = look(asked.get("run")).run
    if (rule := asked.get("rule")) not in RULES:
        raise RunError(f"There is no such rule for ids: choose {' or '.join(RULES)}.")
    ids = positions_by_rule(run, rule)
    return {
        "rule": rule,
        "positions": ids.tolist(),
        "overtaken": [list(_spans(row)) for row in overlaps(run, ids)],
        "largest": int(ids[:, : run.answer_start].max()),
    }


def position_facts(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run"}: frequencies of the language model as this run used them, the cost in ids of its media and others, and
    what the authors report of multimodal ids."""
    run = look(asked.get("run")).run
    found = frequencies(run.config, run.record.ntk_alpha)
    others = {name: cost_of_size(run.config, *media) for name, media in OTHER_MEDIA.items()}
    return {
        "frequencies": {
            "wavelengths": found.wavelengths.tolist(),
            "sections": list(found.sections),
            **{"theta": found.theta, "alpha": found.alpha, "head_dim": run.config.language.head_dim},
        },
        "media": [_cost(position_cost(media)) for media in run.media],
        "others": {name: _cost(cost) for name, cost in others.items()},
        "reported": _reported(),
    }


def _reported() -> dict[str, Any]:
    """Table 8 of the paper: each test, the means about pictures and about clips, and how many went which way."""
    return {
        "scores": [asdict(score) | {"gain": score.gain} for score in M_ROPE],
        "means": {about: list(mean(M_ROPE, about)) for about in ("image", "video")},
        "outcome": list(outcome(M_ROPE)),
    }


def _cost(cost: PositionCost) -> dict[str, int]:
    return {"tokens": cost.tokens, "ids": cost.ids}


def _spans(row: Tensor) -> Iterator[list[int]]:
    """Runs of true values."""
    start = None
    for place, value in enumerate([*row.tolist(), False]):
        if value and start is None:
            start = place
        if not value and start is not None:
            yield [start, place]
            start = None
