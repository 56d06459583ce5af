"""Answers the Adapter view: statistics of the queries, their position codes, and the merger's steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.views.contract import Look
from app.views.rows import choice, media_index, packed
from qwenvl.analysis.adapter_codes import merger_steps
from qwenvl.analysis.adapter_statistics import ORDERS
from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig

NO_ADAPTER = "Qwen2-VL has no adapter queries, its merger joins four patches: look at the Qwen-VL column."


def adapter_statistics(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "frame", "head"}: `Run.query_statistics` of these, with the queries in every order."""
    run = look(asked.get("run")).run
    _check_adapter(run)
    media = media_index(run, asked)
    frame = _whole(asked, "frame", run.media[media].patch_grid[0])
    head = choice(asked, "head", run.num_heads("adapter"))
    found = run.query_statistics(media=media, frame=frame, head=head)
    nearest = found.nearest
    pairs = found.redundant_pairs
    return {
        "entropy": packed(found.entropy),
        "half": found.half_counts.tolist(),
        "nearest": nearest.tolist(),
        "overlap": packed(found.overlap.gather(1, nearest[:, None])[:, 0]),
        "orders": {name: found.order(name) for name in ORDERS},
        "coverage": found.coverage,
        "alike": {"overlap": found.alike, "pairs": len(pairs), "queries": found.redundant_queries},
    }


def adapter_code(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run"}: `Run.code_similarity`, "keys" (queries, patches) and "queries" (queries, queries), with their grids."""
    run = look(asked.get("run")).run
    if not isinstance(run.config, QwenVLConfig):
        raise RunError(NO_ADAPTER)
    found = run.code_similarity()
    side, queries = run.config.vision.grid_side, run.config.adapter.query_side
    return {
        "keys": packed(found.keys),
        "queries": packed(found.queries),
        "grid": [side, side],
        "query_grid": [queries, queries],
    }


def merger(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run"}: the steps from four patches to a visual token, with the shapes of this model's weights."""
    run = look(asked.get("run")).run
    if not isinstance(run.config, Qwen2VLConfig):
        raise RunError("Qwen-VL has no merger, its adapter's queries read patches: look at their maps.")
    return {"steps": [asdict(step) for step in merger_steps(run.config)]}


def _check_adapter(run: Any) -> None:
    if "adapter" not in run.sites:
        raise RunError(NO_ADAPTER)


def _whole(asked: Mapping[str, Any], name: str, length: int) -> int:
    value = asked.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < length:
        raise RunError(f"{name} must be a whole number from 0 to {length - 1:,}: choose another.")
    return value
