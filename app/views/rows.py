"""Answers requests for rows of attention: a dict in, numbers and the sentence that states them out.

Every number is the run's own (`Run.attention`, `Run.image_map`, `Run.shares`), passed on in float32; what is made here
are sums over parts of a row, and counts of cells. Knows a finished run and no visitor, model or web page.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from app.asking import words
from qwenvl.analysis.row_statistics import fewest_cells, own_grid
from qwenvl.analysis.sinks import sink_mask
from qwenvl.errors import RunError
from qwenvl.recorded.rows import pick_head

Request = Mapping[str, Any]
Choice = int | Literal["mean"]
MAX_READERS = 8
MAX_ALSO = 64  # rows averaged with the first
MAX_AHEAD = 64  # maps sent in one answer
MAX_SINKS = 64  # of a row, named


def map_row(run: Any, letter: str, request: Request) -> dict[str, Any]:
    """One row of the language model on the picture, and where the rest of it goes.

    With "why", the row that predicts token `query` (that of the token before it), else the row of `query` itself; with
    "also" (more tokens, read the same way) the mean of all their rows. "values" is on the patch grid and "tokens" on
    the visual tokens, in raster order; "keys" is the whole row. "max", "max_index" and "half" (the fewest cells that
    hold half of the share) count the cells the model itself has: patches for Qwen-VL, whose queries are no places, and
    visual tokens for Qwen2-VL. "mode" says what is drawn: the row as it is ("raw"), its sinks set aside ("sinks"), or
    the row relative to a neutral question ("neutral"; then the largest size of a cell is "max"). "share" is always of
    what "raw" draws, "sinks" and "sinks_mean" are the part of each section that falls on sinks.
    """
    rows, media = _rows(run, request), media_index(run, request)
    layer, head = cell_of(run, "language", request)
    adapter_head = choice(request, "adapter_head", run.num_heads("adapter")) if _has_adapter(run) else "mean"
    heads, on_sinks = _mean_of_rows(run, rows, layer)
    attention, sunk = pick_head(heads, head), pick_head(on_sinks, head)
    chosen = {"layer": layer, "head": head, "adapter_head": adapter_head, "media": media}
    drawn = _drawn(run, rows, chosen, request.get("mode", "raw"))
    cells = drawn["values"] if _has_adapter(run) else drawn["tokens"]
    here = run.visual[media][run.visual[media] < len(attention)]
    parts = sections(run, attention)
    return {
        **{"row": rows[0], "rows": rows, "layer": layer, "head": head, "media": media},
        **{"share": float(attention[here].double().sum()), "shares_all": parts["image"]},
        "grid": list(run.media[media].patch_grid),
        "token_grid": list(run.media[media].token_grid),
        "unit": "patch" if _has_adapter(run) else "token",
        **{name: packed(value) if isinstance(value, Tensor) else value for name, value in drawn.items()},
        "keys": packed(attention),
        **(_extreme(cells) if drawn["mode"] == "neutral" else peak(cells)),
        "half": fewest_cells(cells.clamp(min=0)),
        **{"sections": parts, "sections_mean": sections(run, heads.mean(dim=0))},
        **{"sinks": sections(run, sunk), "sinks_mean": sections(run, on_sinks.mean(dim=0))},
        "sentence": f"{letter} {_named_row(run, rows[0], layer, head)}, "
        f"{words.percent(parts['image'])} of the row on the image",
    }


def _drawn(run: Any, rows: Sequence[int], chosen: Mapping[str, Any], mode: Any) -> dict[str, Any]:
    """What lies on the picture: values on patches and tokens, and the figures that this way of drawing needs."""
    if mode == "raw":
        values = torch.stack([run.image_map(query=row, **chosen).flatten() for row in rows]).mean(dim=0)
        bare = {name: value for name, value in chosen.items() if name != "adapter_head"}
        tokens = torch.stack([run.token_weights(query=row, **bare) for row in rows]).mean(dim=0)
        return {"mode": mode, "values": values, "tokens": tokens}
    if mode not in ("sinks", "neutral"):
        raise RunError("mode must be raw, sinks or neutral: choose another.")
    make = run.map_without_sinks if mode == "sinks" else run.map_against_neutral
    found = [make(query=row, **chosen) for row in rows]
    drawn = {
        "mode": mode,
        "values": torch.stack([one.values.flatten() for one in found]).mean(dim=0),
        "tokens": torch.stack([one.weights for one in found]).mean(dim=0),
    }
    if mode == "sinks":
        keys = sorted({key for one in found for key in one.keys})
        removed = [sum(getattr(one, name) for one in found) / len(found) for name in ("removed", "removed_here")]
        return {**drawn, "removed": removed[0], "removed_here": removed[1], "sink_keys": keys[:MAX_SINKS]}
    return {**drawn, "neutral_share": found[0].neutral_share, "neutral_question": found[0].question}


def _mean_of_rows(run: Any, rows: Sequence[int], layer: Choice) -> tuple[Tensor, Tensor]:
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


def maps(run: Any, letter: str, request: Request) -> dict[str, Any]:
    """Several maps at once: what hovering over words and over the matrix needs, sent ahead.

    "each" is a list of dicts, whose "query", "layer" and "head" stand in place of those of the request. "maps" are as
    of `map_row`, "shares" as of `shares`, one for each token among them, by "queries".
    """
    each = request.get("each")
    if not isinstance(each, list) or not 0 < len(each) <= MAX_AHEAD or not all(isinstance(one, dict) for one in each):
        raise RunError(f"each must be a list of 1 to {MAX_AHEAD} choices: ask for fewer.")
    changes = [{name: one[name] for name in ("query", "layer", "head") if name in one} for one in each]
    asked = [{**request, **change, "also": []} for change in changes]
    found = [map_row(run, letter, one) for one in asked]
    queries = {one["query"]: one for one in asked}
    return {"maps": found, "queries": list(queries), "shares": [shares(run, one) for one in queries.values()]}


def shares(run: Any, request: Request) -> dict[str, Any]:
    """The share of a row that falls on the media, for every layer and head: the matrix that drives the view."""
    row = row_index(run, request)
    return {"row": row, "values": packed(run.shares(row))}


def adapter(run: Any, request: Request) -> dict[str, Any]:
    """What one adapter query of Qwen-VL reads: a row over the patches of its own picture or frame, which sums to 1."""
    media, query = _adapter_query(run, request)
    head = choice(request, "head", run.num_heads("adapter"))
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
    media = adapter_media(run, request)
    head = choice(request, "head", run.num_heads("adapter"))
    frame = whole(request, "frame", run.media[media].patch_grid[0]) if "frame" in request else 0
    sheet = run.adapter_matrix(media=media, frame=frame, head=head)
    return {
        **{"media": media, "head": head, "frame": frame},
        "values": packed(sheet),
        "entropy": [entropy(row) for row in sheet],
    }


def readers(run: Any, request: Request) -> dict[str, Any]:
    """The adapter queries that read one patch most, and with what weight; counted as visual tokens are."""
    media = adapter_media(run, request)
    head = choice(request, "head", run.num_heads("adapter"))
    patch = whole(request, "patch", math.prod(run.media[media].patch_grid))
    frame, place = divmod(patch, math.prod(run.media[media].patch_grid[1:]))
    column = run.adapter_matrix(media=media, frame=frame, head=head)[:, place]
    weights, queries = column.topk(min(MAX_READERS, len(column)))
    return {
        **{"media": media, "head": head, "patch": patch},
        "queries": (queries + frame * _per_frame(run, media)).tolist(),
        "weights": packed(weights),
    }


# --- parts of a row ---


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


def _extreme(values: Tensor) -> dict[str, Any]:
    """The largest size of a signed map, and where it stands out most to the positive side."""
    return {"max": float(values.abs().max()) if len(values) else 0.0, "max_index": peak(values)["max_index"]}


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


def _rows(run: Any, request: Request) -> list[int]:
    """The row of "query" and of whatever is in "also", each once."""
    also = request.get("also") or []
    if not isinstance(also, list) or len(also) > MAX_ALSO:
        raise RunError(f"also must be a list of at most {MAX_ALSO} tokens: choose fewer.")
    return list(dict.fromkeys(row_index(run, {**request, "query": query}) for query in (request.get("query"), *also)))


def row_index(run: Any, request: Request) -> int:
    query = whole(request, "query", len(run.tokens))
    if not request.get("why"):
        return query
    if query == 0:
        raise RunError("No row predicts token 0: choose a later token.")
    return query - 1


def media_index(run: Any, request: Request) -> int:
    if not run.media:
        raise RunError("No picture in this question: add one and ask again.")
    return whole(request, "media", len(run.media))


def cell_of(run: Any, site: str, request: Request) -> tuple[Choice, Choice]:
    return choice(request, "layer", run.num_layers(site)), choice(request, "head", run.num_heads(site))


def own_cells(run: Any, request: Request) -> Tensor:
    """What `map_row` draws, on the media's own cells, (t, h, w); raw or with sinks aside."""
    rows, media = _rows(run, request), media_index(run, request)
    layer, head = cell_of(run, "language", request)
    mode = "sinks" if request.get("mode") == "sinks" else "raw"
    drawn = _drawn(run, rows, {"layer": layer, "head": head, "adapter_head": "mean", "media": media}, mode)
    return (drawn["values"] if _has_adapter(run) else drawn["tokens"]).view(own_grid(run, media))


def adapter_media(run: Any, request: Request) -> int:
    if not _has_adapter(run):
        raise RunError("Qwen2-VL has no adapter queries, its merger joins four patches: look at the Qwen-VL column.")
    return media_index(run, request)


def _adapter_query(run: Any, request: Request) -> tuple[int, int]:
    media = adapter_media(run, request)
    return media, whole(request, "query", math.prod(run.media[media].token_grid))


def whole(request: Request, name: str, length: int) -> int:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < length:
        raise RunError(f"{name} must be a whole number from 0 to {length - 1:,}: choose another.")
    return value


def choice(request: Request, name: str, length: int) -> Choice:
    return "mean" if request.get(name, "mean") == "mean" else whole(request, name, length)


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
