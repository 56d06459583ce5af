"""Tests by attention knockout and by occlusion whether a part of the picture mattered for a word.

`without` hides patches or visual tokens from attention (attention knockout; Geva et al., 2023, "Dissecting recall of
factual associations"). `painted` paints pixels over and reads the picture anew (occlusion; Zeiler and Fergus, 2014).
Either way the same answer is rescored, and both probabilities are compared. Neither is proof: a hidden place may reach
the answer through other rows that had read it, and a painted picture may be one that no model was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from PIL import Image

from qwenvl.analysis.regions import Pixels, paint
from qwenvl.analysis.rescoring import Blocks, rescore, unchanged_score
from qwenvl.errors import RunError, shown
from qwenvl.models.trace import Hidden
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.indices import check_indices
from qwenvl.recorded.record import Alternative
from qwenvl.recorded.rows import RunRows
from qwenvl.summaries import Summary

Rows = Literal["answer", "text"]


@dataclass(frozen=True, repr=False)
class Effect(Summary):
    """One answer scored twice: as it was, and with something taken away.

    Attributes:
        index: the answer token in question.
        before, after: its probability where it stands, as it was and without.
        answer_before, answer_after: natural logarithm of the probability of the whole answer.
        likeliest: what the model would say now at that place, the likeliest first.
        unit: what `hidden` counts: "patch", "token" (Qwen2-VL's visual tokens), "query" (of Qwen-VL's adapter), or
            "pixel".
        hidden: raster indices of what was hidden from attention; () where pixels were painted.
        pixels: how many pixels of the original were painted, over all its frames; 0 where attention was blocked.
        pictures: the frames as they were given to the model, painted; () where attention was blocked.
    """

    index: int
    before: float
    after: float
    answer_before: float
    answer_after: float
    likeliest: tuple[Alternative, ...]
    unit: str
    hidden: tuple[int, ...] = ()
    pixels: int = 0
    pictures: tuple[Image.Image, ...] = field(default=(), compare=False, repr=False)

    @property
    def change(self) -> float:
        """By how much the probability of the whole answer changed, in natural logarithms; below 0: less likely."""
        return self.answer_after - self.answer_before


# --- hidden from attention ---


def without(
    run: RunRows,
    index: int,
    *,
    patches: Sequence[int] | None = None,
    visual: Sequence[int] | None = None,
    media: int = 0,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    rows: Rows = "answer",
    k: int = 5,
) -> Effect:
    """Attention knockout: rescore the answer with a part of a media hidden from attention.

    Qwen2-VL: `patches` are hidden as the visual tokens they are part of, from the rows that `rows` names, in `layers`.
    Qwen-VL: an adapter query is no place, so `patches` are hidden where places still are, from all queries of the
    adapter (it has one layer, and `layers`, `heads` and `rows` do not apply); or name adapter queries as `visual`, such
    as `readers` finds, and they are hidden from the language model's rows.

    Args:
        index: the answer token in question.
        patches: raster indices on the patch grid of `media`; give these or `visual`.
        visual: visual tokens of `media`, counted from 0.
        layers: of the language model, such as range(2, 5); None for all.
        heads: of these layers; None for all.
        rows: "answer", the rows that predict the answer's tokens; "text", those of every later token that is no visual
            token, the question among them.
        k: how many of the likeliest tokens to give.

    Raises:
        RunError: no such token, patch, layer, head or media; every patch of a picture at once from the adapter; or a
            run without its pipeline.
    """
    if (patches is None) == (visual is None):
        raise RunError("Name either patches or visual tokens to hide.")
    index, media = run.answer_start + run.answer_place(index), run.check_media(media)
    item = run.media[media]
    if visual is None and "adapter" in run.sites:
        hidden = check_indices(patches or (), item.num_patches, "patch", owner=item.name)
        return _effect(run, index, _adapter_blocks(run, media, hidden), k, unit="patch", hidden=hidden)
    if visual is None:
        hidden = tokens_of(item, check_indices(patches or (), item.num_patches, "patch", owner=item.name))
    else:
        hidden = check_indices(visual or (), item.num_tokens, "visual token", owner=item.name)
    unit = "token" if item.tokens_are_places else "query"
    chosen = range(run.num_layers("language")) if layers is None else layers
    names = [f"language.blocks.{run.check_layer('language', layer)}.attend" for layer in chosen]
    keys = run.visual[media][list(hidden)].tolist()
    count = run.num_heads("language")
    some = None if heads is None else frozenset(check_indices(heads, count, "language head", owner="this model"))
    blocks: Blocks = [(names, Hidden(frozenset(_rows(run, media, rows)), frozenset(keys), heads=some))]
    return _effect(run, index, blocks if names and some != frozenset() else [], k, unit=unit, hidden=hidden)


def readers(run: RunRows, patches: Sequence[int], *, media: int = 0) -> tuple[int, ...]:
    """The fewest queries of Qwen-VL's adapter that hold half of all reading of these patches, by the mean of its heads.

    Raises:
        RunError: the model has no such queries, or no such patch.
    """
    media = run.check_media(media)
    item = run.media[media]
    frames, queries = item.patch_grid[0], run.maps.num_adapter_queries(media)
    area, chosen = item.num_patches // frames, check_indices(patches, item.num_patches, "patch", owner=item.name)
    read = torch.zeros(frames, area)
    read.view(-1)[list(chosen)] = 1.0
    weights = [run.adapter_matrix(media=media, frame=frame).double() @ read[frame].double() for frame in range(frames)]
    ordered, order = torch.cat(weights).sort(descending=True, stable=True)
    if not len(chosen):
        return ()
    count = int((ordered.cumsum(0) < ordered.sum() / 2).sum()) + 1
    return tuple(sorted(order[: min(count, queries)].tolist()))


def tokens_of(media: Media, patches: Sequence[int]) -> tuple[int, ...]:
    """The visual tokens that any of these patches is part of, in order. Qwen2-VL only: its tokens are places."""
    media.check_places()
    _, rows, columns = media.token_grid
    down, across = media.patch_grid[1] // rows, media.patch_grid[2] // columns
    cells = (media.patch_cell(patch) for patch in patches)
    return tuple(sorted({(t * rows + row // down) * columns + column // across for t, row, column in cells}))


def _rows(run: RunRows, media: int, rows: Rows) -> list[int]:
    if rows == "answer":
        return list(range(run.answer_start - 1, len(run.tokens) - 1))
    if rows != "text":
        raise RunError(f"There are no rows {shown(rows)}; choose 'answer' or 'text'.")
    first = int(run.visual[media][0])
    return [place for place in range(first + 1, len(run.tokens)) if run.tokens[place].media is None]


def _adapter_blocks(run: RunRows, media: int, patches: Sequence[int]) -> Blocks:
    """A block for each frame that loses patches: a frame is a row of the adapter's batch."""
    grid = run.media[media].patch_grid
    area, before = grid[1] * grid[2], sum(item.patch_grid[0] for item in run.media[:media])
    queries = frozenset(range(area - run.maps.num_adapter_queries(media) // grid[0], area))  # counted as keys are
    blocks: Blocks = []
    for frame in sorted({patch // area for patch in patches}):
        keys = frozenset(patch % area for patch in patches if patch // area == frame)
        if len(keys) == area:
            raise RunError("Every patch of the picture would be hidden from the adapter; leave it at least one.")
        blocks.append((["adapter.attend"], Hidden(queries, keys, frozenset([before + frame]))))
    return blocks


# --- painted over ---


def painted(
    run: RunRows,
    index: int,
    mask: Pixels,
    *,
    media: int = 0,
    fill: str = "mean",
    k: int = 5,
) -> Effect:
    """Occlusion: rescore the answer about a picture with some of its pixels painted over, and processed anew.

    Args:
        index: the answer token in question.
        mask: which pixels of the original, bool (height, width), or (t, height, width) with t of the patch grid; see
            `box_mask` and `cells_mask` of `qwenvl.analysis.regions`.
        fill: "mean", "black" or "blurred"; see `qwenvl.analysis.regions.paint`.

    Raises:
        RunError: no such token, media or fill, a mask of another shape, or a run without its pipeline.
    """
    index, media = run.answer_start + run.answer_place(index), run.check_media(media)
    changed = paint_media(run.media[media], mask, fill)
    everything = [*run.media[:media], changed, *run.media[media + 1 :]]
    return _effect(run, index, [], k, media=everything, unit="pixel", pixels=int(mask.sum()), pictures=changed.frames)


def paint_media(media: Media, mask: Pixels, fill: str = "mean") -> Media:
    """A media with the masked pixels of its frames painted over; see `painted`."""
    t, (width, height) = media.patch_grid[0], media.size
    if mask.shape not in ((height, width), (t, height, width)) or mask.dtype != np.bool_:
        raise RunError(f"A mask of {media.name} is bool ({height}, {width}); this is {mask.dtype} {mask.shape}.")
    each = -(-len(media.frames) // t)  # frames of a temporal patch
    masks = np.broadcast_to(mask, (t, height, width))
    return replace(media, frames=tuple(paint(frame, masks[i // each], fill) for i, frame in enumerate(media.frames)))


# --- the answer rescored ---


def _effect(
    run: RunRows,
    index: int,
    blocks: Blocks,
    k: int,
    *,
    media: Sequence[Media] | None = None,
    unit: str,
    hidden: tuple[int, ...] = (),
    pixels: int = 0,
    pictures: tuple[Image.Image, ...] = (),
) -> Effect:
    place = run.answer_place(index)
    was = unchanged_score(run)
    now, logits = rescore(run, media=media, blocks=blocks)
    assert run.pipeline is not None
    values, ids = logits[place].softmax(-1).topk(min(k, logits.shape[-1]))
    text = run.pipeline.processor.token_text
    return Effect(
        index=index,
        before=was.probabilities[place],
        after=now.probabilities[place],
        answer_before=was.log_probability,
        answer_after=now.log_probability,
        likeliest=tuple(Alternative(i, text(i), p) for i, p in zip(ids.tolist(), values.tolist(), strict=True)),
        unit=unit,
        hidden=hidden,
        pixels=pixels,
        pictures=pictures,
    )
