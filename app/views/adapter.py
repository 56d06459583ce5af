"""Answers the Adapter view: statistics of the queries, their position codes, and the merger's steps."""

from __future__ import annotations

from typing import TypedDict

from app.asking.posted import Posted
from app.asking.selection import NO_ADAPTER
from app.views.contract import Look, selected
from app.views.rows import Packed, packed
from qwenvl.analysis.adapter_codes import MergerStep, merger_steps
from qwenvl.analysis.adapter_statistics import ORDERS
from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig


class Alike(TypedDict):
    """How many pairs of queries overlap by at least this much, and how many queries are in one."""

    overlap: float
    pairs: int
    queries: int


class AdapterStatistics(TypedDict):
    """`Run.query_statistics` of one frame and head, with the queries in every order."""

    entropy: Packed
    half: list[int]
    nearest: list[int]
    overlap: Packed
    orders: dict[str, list[int]]
    coverage: float
    alike: Alike


class AdapterCode(TypedDict):
    """`Run.code_similarity`: "keys" (queries, patches) and "queries" (queries, queries), with their grids."""

    keys: Packed
    queries: Packed
    grid: list[int]
    query_grid: list[int]


class Merger(TypedDict):
    """The steps from four patches to a visual token, with the shapes of this model's weights."""

    steps: list[MergerStep]


def adapter_statistics(look: Look, posted: Posted) -> AdapterStatistics:
    """{"run", "media", "frame", "head"}: see `AdapterStatistics`."""
    chosen = selected(look, posted, "adapter")
    found = chosen.run.query_statistics(media=chosen.media, frame=chosen.frame, head=chosen.head)
    nearest = found.nearest
    return {
        "entropy": packed(found.entropy),
        "half": found.half_counts.tolist(),
        "nearest": nearest.tolist(),
        "overlap": packed(found.overlap.gather(1, nearest[:, None])[:, 0]),
        "orders": {name: found.order(name) for name in ORDERS},
        "coverage": found.coverage,
        "alike": {
            "overlap": found.alike,
            "pairs": len(found.redundant_pairs),
            "queries": found.redundant_queries,
        },
    }


def adapter_code(look: Look, posted: Posted) -> AdapterCode:
    """{"run"}: see `AdapterCode`."""
    run = look(posted.get("run")).run
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


def merger(look: Look, posted: Posted) -> Merger:
    """{"run"}: see `Merger`."""
    run = look(posted.get("run")).run
    if not isinstance(run.config, Qwen2VLConfig):
        raise RunError("Qwen-VL has no merger, its adapter's queries read patches: look at their maps.")
    return {"steps": list(merger_steps(run.config))}
