"""Computes a map relative to the one that a neutral question gives on the same picture.

Part of what a row looks at it would look at whatever is asked: sinks, borders, whatever stands out. Asked to describe
the picture instead, the model shows what that is (Zhang et al., 2025, "MLLMs know where to look", compare attention
with that of a general instruction in the same way).

The neutral row is the last of the prompt when the last question is replaced by `NEUTRAL`, all else in the conversation
unchanged: the row that predicts the first word of the answer to it, in the same layer and head. The relative map is
the row's map scaled to sum to 1 minus the neutral one scaled to sum to 1: how much more of its image attention the row
gives to each cell than the neutral row does. It sums to 0, and is all 0 where either row has nothing on the media.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.recorded.rows import Head, Layer, RunRows
from qwenvl.summaries import Summary

NEUTRAL = {"image": "Describe the image.", "video": "Describe the video."}
MAX_BYTES = 64 << 20  # of neutral rows that a run remembers; larger ones are made anew each time


@dataclass(frozen=True)
class NeutralRows:
    """What a neutral question's last row gives to the visual tokens.

    Attributes:
        question: the neutral question.
        row: index of the row in the neutral prompt.
        weights: float32 (layers, heads, visual tokens of all media in the order of the prompt).
    """

    question: str
    row: int
    weights: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of the weights."""
        return self.weights.nbytes


@dataclass(frozen=True, repr=False)
class Relative(Summary):
    """A map relative to a neutral question.

    Attributes:
        values: float32 (t, h, w) on the patch grid, each map scaled to sum to 1: positive where the row looks more
            than the neutral one.
        weights: the same on the visual tokens, (visual tokens,).
        share, neutral_share: of the row, and of the neutral row, on this media.
        question: that was asked instead.
    """

    values: Tensor
    weights: Tensor
    share: float
    neutral_share: float
    question: str


def neutral_rows(run: RunRows) -> NeutralRows:
    """Ask the neutral question once; a run remembers the answer's rows, up to `MAX_BYTES`.

    Raises:
        RunError: a run without media, or loaded without its pipeline.
    """
    return run.remember("neutral rows", lambda: _ask(run), max_bytes=MAX_BYTES)


def _ask(run: RunRows) -> NeutralRows:
    run.check_media(0)
    if run.pipeline is None:
        raise RunError("A neutral question needs the model; load the run with its pipeline.")
    question = NEUTRAL[run.media[0].kind]
    asked = run.pipeline.ask_again(run, question)
    row = asked.answer_start - 1
    places = torch.cat([asked.visual[media] for media in range(len(asked.media))])
    layers = range(asked.num_layers("language"))
    weights = torch.stack([asked.attention("language", layer=one, query=row).cpu()[:, places] for one in layers])
    return NeutralRows(question, row, weights)


def map_against_neutral(
    run: RunRows, *, query: int, layer: Layer = "mean", head: Head = "mean", adapter_head: Head = "mean", media: int = 0
) -> Relative:
    """A token's map on a media relative to a neutral question, as this module defines it.

    Arguments as `Run.image_map`. Raises as `neutral_rows` and `Run.image_map`.
    """
    layer, head, media = run.check_layer_or_mean(layer), run.check_head("language", head), run.check_media(media)
    weights = run.token_weights(query=query, layer=layer, head=head, media=media)
    neutral = neutral_rows(run)
    base = _chosen(neutral.weights, layer, head)[_places(run, media)]
    relative = _scaled(weights) - _scaled(base) if weights.sum() > 0 and base.sum() > 0 else torch.zeros_like(weights)
    return Relative(
        values=run.spread(relative, media=media, adapter_head=adapter_head),
        weights=relative,
        share=float(weights.double().sum()),
        neutral_share=float(base.double().sum()),
        question=neutral.question,
    )


def _places(run: RunRows, media: int) -> slice:
    """Where a media's visual tokens lie among those of all media."""
    before = sum(len(run.visual[index]) for index in range(media))
    return slice(before, before + len(run.visual[media]))


def _chosen(weights: Tensor, layer: Layer, head: Head) -> Tensor:
    rows = weights.mean(dim=0) if layer == "mean" else weights[layer]
    return rows[head] if isinstance(head, int) else rows.mean(dim=0)


def _scaled(weights: Tensor) -> Tensor:
    return (weights.double() / weights.double().sum()).float()
