"""Answers what all views ask of rows: a map, shares of all heads, and what Qwen-VL's adapter queries read."""

from __future__ import annotations

from app.asking.posted import Posted
from app.views import rows
from app.views.contract import Look, selected
from app.views.rows import AdapterRow, AdapterSheet, MapRow, Shares


def map_row(look: Look, posted: Posted) -> MapRow:
    """{"run", "query", "why", "also", "layer", "head", "media", "mode"}: see `MapRow`."""
    return rows.map_row(selected(look, posted))


def shares(look: Look, posted: Posted) -> Shares:
    """{"run", "query", "why"}: see `Shares`."""
    return rows.shares(selected(look, posted))


def adapter(look: Look, posted: Posted) -> AdapterRow:
    """{"run", "media", "query": one of the media's adapter queries, "head"}: see `AdapterRow`."""
    return rows.adapter(selected(look, posted, "adapter"))


def adapter_sheet(look: Look, posted: Posted) -> AdapterSheet:
    """{"run", "media", "frame", "head"}: see `AdapterSheet`."""
    return rows.adapter_sheet(selected(look, posted, "adapter"))
