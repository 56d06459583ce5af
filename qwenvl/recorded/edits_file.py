"""Writes the edits of a run as JSON and tensors, and reads them back, checked against the tokens of their run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from torch import Tensor

from qwenvl.recorded.edits import KINDS, MAX_EDITS, AddVector, Edit, Extent, PatchState, States, checked_edits
from qwenvl.recorded.record import Record

LONGEST_SOURCE = 200  # characters


def edits_to_parts(edits: Sequence[Edit]) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """Checked edits as JSON, and the tensors of those that hold one: "edit.N" by their place."""
    content: list[dict[str, Any]] = []
    tensors: dict[str, Tensor] = {}
    for place, edit in enumerate(edits):
        item: dict[str, Any] = {field.name: getattr(edit, field.name) for field in fields(edit)}
        if isinstance(edit, AddVector):
            tensors[f"edit.{place}"] = item.pop("vector")
        if isinstance(edit, PatchState):
            tensors[f"edit.{place}"] = item.pop("other").values
            item["source"] = edit.other.source
        content.append({"kind": type(edit).__name__, **item})
    return content, tensors


def edits_from_parts(content: Any, tensors: Mapping[str, Tensor], record: Record) -> tuple[Edit, ...]:
    """What `edits_to_parts` wrote; every index, name and shape is checked against the run.

    Raises:
        ValueError, TypeError, KeyError: whatever is no edit of this run.
    """
    if not isinstance(content, list) or len(content) > MAX_EDITS:
        raise ValueError("edits that are no list, or too many")
    places = tuple((token.media, token.cell) for token in record.tokens)
    extent = Extent(record.config, places, len(places))
    return checked_edits([_edit(dict(item), tensors.get(f"edit.{n}")) for n, item in enumerate(content)], extent)


def _edit(item: dict[str, Any], tensor: Tensor | None) -> Edit:
    kind = KINDS[item.pop("kind")]
    if (kind in (AddVector, PatchState)) != (tensor is not None):
        raise ValueError("an edit without its tensor")
    if kind is AddVector:
        item["vector"] = tensor
    if kind is PatchState:
        source = item.pop("source")
        if not isinstance(source, str) or len(source) > LONGEST_SOURCE:
            raise ValueError("a source that is no name")
        item["other"] = States(tensor, source)  # type: ignore[arg-type]
    return kind(**item)
