"""Answers questions about rows of attention: a selection in, numbers and the sentence that states them out.

Every number is the run's own (`Run.attention`, `Run.image_map`, `Run.shares`), passed on in float32; what is made here
are sums over parts of a row, and counts of cells. Knows a finished run and no visitor, model or web page.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict, TypeVar

import torch
from torch import Tensor

from app.asking import words
from app.asking.posted import Choice
from app.asking.selection import Mode, Selection
from qwenvl.analysis.row_statistics import fewest_cells, own_grid
from qwenvl.analysis.sinks import sink_mask
from qwenvl.inference.run import Run
from qwenvl.recorded.record import Token
from qwenvl.recorded.rows import pick_head

Made = TypeVar("Made")

MAX_SINKS = 64  # of a row, named


class Packed(TypedDict):
    """An array: base64 of little-endian float32, and its shape."""

    f32: str
    shape: list[int]


class Peak(TypedDict):
    """The largest value of some cells, and where it is."""

    max: float
    max_index: int


class SinksFigures(TypedDict):
    """Of a map with sinks set aside: what they take of the row in all and on this media, and which they are."""

    removed: NotRequired[float]
    removed_here: NotRequired[float]
    sink_keys: NotRequired[list[int]]


class NeutralFigures(TypedDict):
    """Of a map against a neutral question: the share of the neutral row on this media, and the question."""

    neutral_share: NotRequired[float]
    neutral_question: NotRequired[str]


class MapRow(Peak, SinksFigures, NeutralFigures):
    """One row of the language model on the picture, and where the rest of it goes.

    "values" is on the patch grid and "tokens" on the visual tokens, in raster order; "keys" is the whole row. "max",
    "max_index" and "half" (the fewest cells that hold half of the share) count the cells the model itself has: patches
    for Qwen-VL, whose queries are no places, and visual tokens for Qwen2-VL. Against a neutral question "max" is the
    largest size of a cell. "share" is always of the row as it is, "sinks" and "sinks_mean" are the part of each section
    that falls on sinks.
    """

    row: int
    rows: list[int]
    layer: Choice
    head: Choice
    media: int
    share: float
    shares_all: float
    grid: list[int]
    token_grid: list[int]
    unit: str
    mode: Mode
    values: Packed
    tokens: Packed
    keys: Packed
    half: list[int]
    sections: dict[str, float]
    sections_mean: dict[str, float]
    sinks: dict[str, float]
    sinks_mean: dict[str, float]
    sentence: str


class Shares(TypedDict):
    """The share of a row that falls on the media, (layers, heads)."""

    row: int
    values: Packed


class AdapterRow(Peak):
    """What one adapter query reads: a row over the patches of its own picture or frame, which sums to 1."""

    media: int
    query: int
    head: Choice
    frame: int
    grid: list[int]
    values: Packed
    entropy: float
    half: list[int]
    sentence: str


class AdapterSheet(TypedDict):
    """All adapter queries of one picture or frame, (queries, patches), and the entropy of each."""

    media: int
    head: Choice
    frame: int
    values: Packed
    entropy: list[float]


def map_row(selection: Selection) -> MapRow:
    """The rows of a selection, their mean where there are several, on the picture; see `MapRow`."""
    run, media, rows = selection.run, selection.media, selection.rows
    heads, on_sinks = _mean_of_rows(run, rows, selection.layer)
    attention, sunk = pick_head(heads, selection.head), pick_head(on_sinks, selection.head)
    drawing = draw(selection)
    here = run.visual[media][run.visual[media] < len(attention)]
    parts, cells = sections(run, attention), drawing.own_cells(selection)
    return {
        **drawing.sinks,
        **drawing.neutral,
        **(_extreme(cells) if selection.mode == "neutral" else peak(cells)),
        "row": rows[0],
        "rows": rows,
        "layer": selection.layer,
        "head": selection.head,
        "media": media,
        "mode": selection.mode,
        "share": float(attention[here].double().sum()),
        "shares_all": parts["image"],
        "grid": list(selection.item.patch_grid),
        "token_grid": list(selection.item.token_grid),
        "unit": "patch" if selection.has_queries else "token",
        "values": packed(drawing.values),
        "tokens": packed(drawing.tokens),
        "keys": packed(attention),
        "half": fewest_cells(cells.clamp(min=0)),
        "sections": parts,
        "sections_mean": sections(run, heads.mean(dim=0)),
        "sinks": sections(run, sunk),
        "sinks_mean": sections(run, on_sinks.mean(dim=0)),
        "sentence": f"{selection.letter} {_named_row(selection)}, "
        f"{words.percent(parts['image'])} of the row on the image",
    }


def shares(selection: Selection) -> Shares:
    """The share of a row on the media, for every layer and head: the matrix that drives the view."""
    return {"row": selection.row, "values": packed(selection.run.shares(selection.row))}


def adapter(selection: Selection) -> AdapterRow:
    """What the chosen adapter query of Qwen-VL reads."""
    run, media, query = selection.run, selection.media, selection.chosen
    row = run.attention("adapter", media=media, query=query, head=selection.head)
    grid = (1, *selection.item.patch_grid[1:])
    return {
        **peak(row),
        "media": media,
        "query": query,
        "head": selection.head,
        "frame": query // math.prod(selection.item.token_grid[1:]),
        "grid": list(grid),
        "values": packed(row),
        "entropy": entropy(row),
        "half": fewest_cells(row),
        "sentence": f"adapter query {query} {_of_heads(selection)}, "
        f"{words.percent(float(row.max()))} of its row on patch {_cell_name(grid, row)}",
    }


def adapter_sheet(selection: Selection) -> AdapterSheet:
    """All adapter queries of the chosen picture or frame."""
    media, head, frame = selection.media, selection.head, selection.frame
    sheet = selection.run.adapter_matrix(media=media, frame=frame, head=head)
    values, entropies = packed(sheet), [entropy(row) for row in sheet]
    return {"media": media, "head": head, "frame": frame, "values": values, "entropy": entropies}


# --- what lies on the picture ---


@dataclass(frozen=True)
class DrawnMap:
    """What of a selection's rows lies on the picture: on patches, on visual tokens, and what was done to it."""

    values: Tensor
    tokens: Tensor
    sinks: SinksFigures = field(default_factory=lambda: SinksFigures())
    neutral: NeutralFigures = field(default_factory=lambda: NeutralFigures())

    def own_cells(self, selection: Selection) -> Tensor:
        """The cells that the model itself has."""
        return self.values if selection.has_queries else self.tokens


def draw(selection: Selection) -> DrawnMap:
    """The mean map of the rows, in the chosen way."""
    return {"raw": _as_it_is, "sinks": _without_sinks, "neutral": _against_neutral}[selection.mode](selection)


def own_cells(selection: Selection) -> Tensor:
    """The same on the media's own cells, (t, h, w)."""
    return draw(selection).own_cells(selection).view(own_grid(selection.run, selection.media))


def _as_it_is(selection: Selection) -> DrawnMap:
    run, layer, head, media = selection.run, selection.layer, selection.head, selection.media
    maps = [found.flatten() for found in _of_each_row(selection, run.image_map)]
    tokens = [run.token_weights(query=row, layer=layer, head=head, media=media) for row in selection.rows]
    return DrawnMap(_mean(maps), _mean(tokens))


def _without_sinks(selection: Selection) -> DrawnMap:
    found = _of_each_row(selection, selection.run.map_without_sinks)
    figures = SinksFigures(
        removed=sum(one.removed for one in found) / len(found),
        removed_here=sum(one.removed_here for one in found) / len(found),
        sink_keys=sorted({key for one in found for key in one.keys})[:MAX_SINKS],
    )
    return DrawnMap(_mean([one.values.flatten() for one in found]), _mean([one.weights for one in found]), figures)


def _against_neutral(selection: Selection) -> DrawnMap:
    found = _of_each_row(selection, selection.run.map_against_neutral)
    return DrawnMap(
        _mean([one.values.flatten() for one in found]),
        _mean([one.weights for one in found]),
        neutral=NeutralFigures(neutral_share=found[0].neutral_share, neutral_question=found[0].question),
    )


def _of_each_row(selection: Selection, make: Callable[..., Made]) -> list[Made]:
    """What a method of the run that takes the arguments of `image_map` gives for each row."""
    chosen = {"layer": selection.layer, "head": selection.head, "adapter_head": selection.adapter_head}
    return [make(query=row, **chosen, media=selection.media) for row in selection.rows]


def _mean(maps: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(maps)).mean(dim=0)


def _mean_of_rows(run: Run, rows: Sequence[int], layer: Choice) -> tuple[Tensor, Tensor]:
    """The mean of some tokens' rows over all keys up to the last of them, (heads, keys), and its part on sinks."""
    length = max(rows) + 1
    total = torch.zeros(run.num_heads("language"), length)
    sunk = torch.zeros_like(total)
    layers = range(run.num_layers("language")) if layer == "mean" else [layer]
    for one in layers:
        mask = sink_mask(run, one)[:length]
        for row in rows:
            weights = run.attention("language", layer=one, query=row).cpu()
            total[:, : row + 1] += weights
            sunk[:, : row + 1] += weights * mask[: row + 1]
    count = len(layers) * len(rows)
    return total / count, sunk / count


# --- parts of a row ---


def sections(run: Run, row: Tensor) -> dict[str, float]:
    """How much of a row goes to each part of the conversation; the parts add up to 1. "image" is always among them."""
    sums = {"image": 0.0}
    for token, weight in zip(run.tokens, row.double().tolist(), strict=False):
        name = section(token)
        sums[name] = sums.get(name, 0.0) + weight
    return sums


def section(token: Token) -> str:
    """The part of the conversation a token belongs to: "image" (visual tokens alone), "answer", or the prompt's own."""
    if token.kind in ("image", "video"):
        return "image"
    return "answer" if token.in_answer else token.section


def _extreme(values: Tensor) -> Peak:
    """The largest size of a signed map, and where it stands out most to the positive side."""
    return {"max": float(values.abs().max()) if len(values) else 0.0, "max_index": peak(values)["max_index"]}


def peak(values: Tensor) -> Peak:
    """The largest value and where it is."""
    at = int(values.argmax()) if len(values) else 0
    return {"max": float(values[at]) if len(values) else 0.0, "max_index": at}


def entropy(row: Tensor) -> float:
    """Of a row that sums to 1, in bits: 0 where one cell holds all, log2 of the cells where all are equal."""
    return float(torch.special.entr(row.double()).sum() / math.log(2))


def packed(values: Tensor) -> Packed:
    """An array as base64 of little-endian float32, with its shape: exact, and a third of the size of digits."""
    array = values.detach().to("cpu", torch.float32).contiguous().numpy().astype("<f4", copy=False)
    return {"f32": base64.b64encode(array.tobytes()).decode("ascii"), "shape": list(array.shape)}


# --- its name in words ---


def _named_row(selection: Selection) -> str:
    count, layer = selection.run.num_layers("language"), selection.layer
    of_layers = f"mean of {count} layers" if layer == "mean" else f"layer {layer}"
    return f"row {selection.row}, language {of_layers} {_of_heads(selection)}"


def _of_heads(selection: Selection) -> str:
    count, head = selection.run.num_heads(selection.site), selection.head
    return f"mean of {count} heads" if head == "mean" else f"head {head}"


def _cell_name(grid: tuple[int, ...], row: Tensor) -> str:
    return "({}, {})".format(*divmod(int(row.argmax()), grid[2]))
