"""Chooses the layers whose queries and keys a run keeps; the others are replayed when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from qwenvl.errors import PromptError, Sentence, shown
from qwenvl.integers import as_integer

Named = Literal["all", "language", "fewer", "nothing"]
Keep = Named | int
"""What a run keeps, within its pipeline's budget: "all" layers; those of the "language" model (and the adapter) alone;
"fewer", every fourth of each stack; "nothing"; or as many as fit so many bytes."""

LayerName = tuple[str, int]  # site and layer
ORDER = ("adapter", "language", "vision")  # what is looked at most comes first
STRIDE = 4  # of "fewer"


def check_keep(keep: Any) -> Keep:
    """`keep`, or "all" for None. Raises `PromptError` for what is no `Keep`."""
    if keep is None:
        return "all"
    if (size := as_integer(keep)) is not None and size >= 0:
        return size
    for name in get_args(Named):
        if keep == name:
            return name
    raise PromptError(
        Sentence.of(
            "keep is {keep}; it must be one of {names}, or a number of bytes.",
            keep=shown(keep),
            names=", ".join(get_args(Named)),
        )
    )


def kept_layers(sizes: Mapping[LayerName, int], keep: Keep, max_bytes: int) -> list[LayerName]:
    """The layers to keep, in the order in which they are chosen.

    Args:
        sizes: bytes of queries and keys of each layer; a layer of 0 bytes has none, and is left out.
        keep: see `Keep`.
        max_bytes: the budget, whatever `keep` says.
    """
    room = min(keep, max_bytes) if isinstance(keep, int) else max_bytes
    chosen: list[LayerName] = []
    for site in ORDER:
        for name, size in sizes.items():
            if name[0] != site or not size or not _wanted(name, keep):
                continue
            room -= size
            if room < 0:
                return chosen
            chosen.append(name)
    return chosen


def _wanted(name: LayerName, keep: Keep) -> bool:
    site, layer = name
    if keep == "nothing":
        return False
    if keep == "language":
        return site != "vision"
    return keep != "fewer" or site == "adapter" or layer % STRIDE == 0
