"""Rows of attention as the inspector asks for them: one dict in, numbers and the sentence that states them out.

Every number is the run's own (`Run.attention`, `Run.image_map`, `Run.shares`), passed on in float32; what is made here
are sums over parts of a row, and counts of cells. Knows a finished run and no visitor, model or web page.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from app import words
from qwenvl.errors import RunError
from qwenvl.run import pick_head
from qwenvl.statistics import fewest_cells

Request = Mapping[str, Any]
Choice = int | Literal["mean"]
MAX_READERS = 8


def map_row(run: Any, letter: str, request: Request) -> dict[str, Any]:
    """One row of the language model on the picture, and where the rest of it goes.

    With "why", the row that predicts token `query` (that of the token before it), else the row of `query` itself.
    "values" is on the patch grid and "tokens" on the visual tokens, in raster order; "keys" is the whole row. "max",
    "max_index" and "half" (the fewest cells that hold half of the share) count the cells the model itself has: patches
    for Qwen-VL, whose queries are no places, and visual tokens for Qwen2-VL.
    """
    row, media = _row(run, request), media_index(run, request)
    layer, head = _cell(run, "language", request)
    adapter_head = _choice(request, "adapter_head", run.num_heads("adapter")) if _has_adapter(run) else "mean"
    heads = language_rows(run, row, layer)
    attention = pick_head(heads, head)
    values = run.image_map(query=row, layer=layer, head=head, adapter_head=adapter_head, media=media).flatten()
    tokens = torch.cat((attention, torch.zeros(len(run.tokens) - len(attention))))[run.visual[media]]
    cells = values if _has_adapter(run) else tokens
    share = float(tokens.double().sum())
    parts = sections(run, attention)
    return {
        **{"row": row, "layer": layer, "head": head, "media": media, "share": share, "shares_all": parts["image"]},
        "grid": list(run.media[media].patch_grid),
        "token_grid": list(run.media[media].token_grid),
        "unit": "patch" if _has_adapter(run) else "token",
        "values": packed(values),
        "tokens": packed(tokens),
        "keys": packed(attention),
        **peak(cells),
        "half": fewest_cells(cells),
        "sections": parts,
        "sections_mean": sections(run, heads.mean(dim=0)),
        "sentence": f"{letter} {_named_row(run, row, layer, head)}, "
        f"{words.percent(parts['image'])} of the row on the image",
    }


def shares(run: Any, request: Request) -> dict[str, Any]:
    """The share of a row that falls on the media, for every layer and head: the matrix that drives the view."""
    row = _row(run, request)
    return {"row": row, "values": packed(run.shares(row))}


def adapter(run: Any, request: Request) -> dict[str, Any]:
    """What one adapter query of Qwen-VL reads: a row over the patches of its own picture or frame, which sums to 1."""
    media, query = _adapter_query(run, request)
    head = _choice(request, "head", run.num_heads("adapter"))
    row = run.attention("adapter", media=media, query=query, head=head)
    grid = (1, *run.media[media].patch_grid[1:])
    return {
        **{"media": media, "query": query, "head": head, "frame": query // _per_frame(run, media)},
        "grid": list(grid),
        "values": packed(row),
        "entropy": entropy(row),
        "half": fewest_cells(row),
        **peak(row),
        "sentence": f"adapter query {query} {_of_heads(run, 'adapter', head)}, "
        f"{words.percent(float(row.max()))} of its row on patch {_cell_name(grid, row)}",
    }


def adapter_sheet(run: Any, request: Request) -> dict[str, Any]:
    """All adapter queries of one picture or frame: (queries, patches), each row as in `adapter`, unrounded."""
    media = _adapter_media(run, request)
    head = _choice(request, "head", run.num_heads("adapter"))
    frame = _index(request, "frame", run.media[media].patch_grid[0]) if "frame" in request else 0
    sheet = run.adapter_matrix(media=media, frame=frame, head=head)
    return {
        **{"media": media, "head": head, "frame": frame},
        "values": packed(sheet),
        "entropy": [entropy(row) for row in sheet],
    }


def readers(run: Any, request: Request) -> dict[str, Any]:
    """The adapter queries that read one patch most, and with what weight; counted as visual tokens are."""
    media = _adapter_media(run, request)
    head = _choice(request, "head", run.num_heads("adapter"))
    patch = _index(request, "patch", math.prod(run.media[media].patch_grid))
    frame, place = divmod(patch, math.prod(run.media[media].patch_grid[1:]))
    column = run.adapter_matrix(media=media, frame=frame, head=head)[:, place]
    weights, queries = column.topk(min(MAX_READERS, len(column)))
    return {
        **{"media": media, "head": head, "patch": patch},
        "queries": (queries + frame * _per_frame(run, media)).tolist(),
        "weights": packed(weights),
    }


# --- parts of a row ---


def language_rows(run: Any, row: int, layer: Choice) -> Tensor:
    """The exact rows of one token over all keys up to itself, (heads, row + 1), of one layer or the mean of all."""
    layers = range(run.num_layers("language")) if layer == "mean" else [layer]
    rows = [run.attention("language", layer=one, query=row).cpu() for one in layers]
    return rows[0] if len(rows) == 1 else torch.stack(rows).mean(dim=0)


def sections(run: Any, row: Tensor) -> dict[str, float]:
    """How much of a row goes to each part of the conversation; the parts add up to 1. "image" is always among them."""
    sums = {"image": 0.0}
    for token, weight in zip(run.tokens, row.double().tolist(), strict=False):
        name = section(token)
        sums[name] = sums.get(name, 0.0) + weight
    return sums


def section(token: Any) -> str:
    """The part of the conversation a token belongs to: "image" (visual tokens alone), "answer", or the prompt's own."""
    if token.kind in ("image", "video"):
        return "image"
    return "answer" if token.in_answer else token.section


def peak(values: Tensor) -> dict[str, Any]:
    """The largest value and where it is."""
    index = int(values.argmax()) if len(values) else 0
    return {"max": float(values[index]) if len(values) else 0.0, "max_index": index}


def entropy(row: Tensor) -> float:
    """Of a row that sums to 1, in bits: 0 where one cell holds all, log2 of the cells where all are equal."""
    return float(torch.special.entr(row.double()).sum() / math.log(2))


def packed(values: Tensor) -> dict[str, Any]:
    """An array as base64 of little-endian float32, with its shape: exact, and a third of the size of digits."""
    array = values.detach().to("cpu", torch.float32).contiguous().numpy().astype("<f4", copy=False)
    return {"f32": base64.b64encode(array.tobytes()).decode("ascii"), "shape": list(array.shape)}


# --- what was asked for ---


def _row(run: Any, request: Request) -> int:
    query = _index(request, "query", len(run.tokens))
    if not request.get("why"):
        return query
    if query == 0:
        raise RunError("No row predicts token 0: choose a later token.")
    return query - 1


def media_index(run: Any, request: Request) -> int:
    if not run.media:
        raise RunError("No picture in this question: add one and ask again.")
    return _index(request, "media", len(run.media))


def _cell(run: Any, site: str, request: Request) -> tuple[Choice, Choice]:
    return _choice(request, "layer", run.num_layers(site)), _choice(request, "head", run.num_heads(site))


def _adapter_media(run: Any, request: Request) -> int:
    if not _has_adapter(run):
        raise RunError("Qwen2-VL has no adapter queries, its merger joins four patches: look at the Qwen-VL column.")
    return media_index(run, request)


def _adapter_query(run: Any, request: Request) -> tuple[int, int]:
    media = _adapter_media(run, request)
    return media, _index(request, "query", math.prod(run.media[media].token_grid))


def _index(request: Request, name: str, length: int) -> int:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < length:
        raise RunError(f"{name} must be a whole number from 0 to {length - 1:,}: choose another.")
    return value


def _choice(request: Request, name: str, length: int) -> Choice:
    return "mean" if request.get(name, "mean") == "mean" else _index(request, name, length)


def _has_adapter(run: Any) -> bool:
    return "adapter" in run.sites


def _per_frame(run: Any, media: int) -> int:
    return math.prod(run.media[media].token_grid[1:])


# --- its name in words ---


def _named_row(run: Any, row: int, layer: Choice, head: Choice) -> str:
    of_layers = f"mean of {run.num_layers('language')} layers" if layer == "mean" else f"layer {layer}"
    return f"row {row}, language {of_layers} {_of_heads(run, 'language', head)}"


def _of_heads(run: Any, site: str, head: Choice) -> str:
    return f"mean of {run.num_heads(site)} heads" if head == "mean" else f"head {head}"


def _cell_name(grid: tuple[int, int, int], row: Tensor) -> str:
    return "({}, {})".format(*divmod(int(row.argmax()), grid[2]))
