"""A twin's own modules on a pack of lessons, and the losses that training takes from them.

Beside the loss of the answers' tokens there are helpers that only training knows: heads that name what lies on a visual
token, heads that tell its box and its picture, and a loss that shows the first head of two language blocks where a
question's subject lies (so a map that points is taught, not found).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.rope import Rotation, rope_1d, rope_multimodal, rotate
from qwenvl.tiny.curriculum import Weights
from qwenvl.tiny.lessons import TURNS, Look, Pack, Segment
from qwenvl.tiny.marks import CLASSES, GLYPH_CLASSES

Twin = QwenVL | Qwen2VL

PRINT = ("number", "word", "small print")  # tasks of several characters, of which the first has a figure of its own
LOOKS_AT = {"name": 1, "answer": 2}  # the block whose first head is shown where a question's subject lies
SLOT_WEIGHT = 0.3  # of naming the character in one slot of a label, beside naming a shape
PLACES_AFTER = 1  # the block after which visual tokens tell their owner's box


class Helpers(nn.Module):
    """Heads that training needs and the checkpoint does not hold."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.seen = nn.ModuleDict({name: nn.Linear(dim, count) for name, count in CLASSES.items()})
        self.edges = nn.Linear(dim, 4)  # from visual tokens as the language model gets them
        self.places = nn.Linear(dim, 4)  # from visual tokens inside the language model
        self.turns = nn.Linear(dim, TURNS)  # likewise: the first, second, ... picture or temporal patch


# --- the twin on a pack ---


def see(model: Twin, batch: Pack) -> Tensor:
    """Visual tokens (visual tokens, dim) of all media in a pack."""
    if isinstance(model, QwenVL):
        return model.adapter(model.vision(batch.pixels)).flatten(0, 1)
    return model.adapter(model.vision(batch.pixels, batch.grids))


@dataclass
class LanguageStates:
    """What comes out of the language model: hidden states, inner ones, and the loss of rows that look elsewhere."""

    hidden: Tensor
    inner: Tensor
    look_loss: Tensor


def read(model: Twin, batch: Pack, visual: Tensor) -> LanguageStates:
    """The language model on a pack: linear layers on all tokens at once, attention lesson by lesson."""
    x = model.language.embed(batch.ids)
    x = x.masked_scatter(batch.visual[:, None], visual[batch.kept].to(x.dtype))
    rotation = rotation_of(model, batch.positions)
    inner, look_losses = x, []
    lengths = [segment.end - segment.start for segment in batch.segments]
    places = [batch.visual[segment.start : segment.tails_start].nonzero()[:, 0] for segment in batch.segments]
    blocks: Any = model.language.blocks
    for index, block in enumerate(blocks):
        q, k, v = (part.split(lengths, dim=1) for part in heads_of(block, block.norm1(x), rotation))
        mixed = [attend_segment(*parts) for parts in zip(q, k, v, batch.segments, strict=True)]
        for parts in zip(q, k, batch.segments, places, batch.looks, strict=True):
            look_losses += look_loss(*parts, kinds=[kind for kind, at in LOOKS_AT.items() if at == index])
        x = x + block.out(torch.cat(mixed))
        x = x + block.mlp(block.norm2(x))
        if index == PLACES_AFTER:
            inner = x
    loss = torch.cat(look_losses).mean() if look_losses else x.new_zeros(())
    return LanguageStates(model.language.norm(x), inner, loss)


def rotation_of(model: Twin, positions: Tensor) -> Rotation:
    """The rotation of every token of a pack, from positions (3, tokens); (tokens, head_dim) each."""
    if isinstance(model, QwenVL):
        first = model.config.language
        return rope_1d(positions[0], first.head_dim, first.rope_theta)
    second = model.config.language
    cos, sin = rope_multimodal(positions[:, None], second.head_dim, second.rope_theta, second.rope_sections)
    return cos[0], sin[0]


def heads_of(block: Any, x: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (heads, tokens, head_dim), turned by their positions."""
    if hasattr(block, "qkv"):
        q, k, v = block.qkv(x).unflatten(-1, (3, block.num_heads, -1)).permute(1, 2, 0, 3)
    else:
        q, k, v = (
            part(x).unflatten(-1, (-1, block.head_dim)).transpose(0, 1)
            for part in (block.query, block.key, block.value)
        )
    return rotate(q, *rotation), rotate(k, *rotation), v


def attend_segment(q: Tensor, k: Tensor, v: Tensor, segment: Segment) -> Tensor:
    """Attention within one lesson: its prefix causally, then its tails by what they see. (tokens, heads * head_dim)."""
    lengths = [segment.tails_start - segment.start, segment.end - segment.tails_start]
    if q.shape[0] != k.shape[0]:
        k, v = (part.repeat_interleave(q.shape[0] // k.shape[0], dim=0) for part in (k, v))
    prefix, tails = q[None].split(lengths, dim=2)
    first_k, first_v = (part[None, :, : lengths[0]] for part in (k, v))
    first = F.scaled_dot_product_attention(prefix, first_k, first_v, is_causal=True)
    rest = F.scaled_dot_product_attention(tails, k[None], v[None], attn_mask=segment.sees)
    return torch.cat((first, rest), dim=2)[0].transpose(0, 1).flatten(1)


def look_loss(
    q: Tensor,
    k: Tensor,
    segment: Segment,
    places: Tensor,
    looks: Sequence[Look],
    kinds: Sequence[str],
) -> list[Tensor]:
    """-log of the share of the first head's rows that falls on their subjects; (rows,). `places` are visual tokens."""
    looks = [look for look in looks if look[0] in kinds]
    if not looks:
        return []
    rows = torch.tensor([row for _, row, _ in looks])
    scores = q[0, rows] @ k[0].T * q.shape[-1] ** -0.5
    scores = scores.masked_fill(~segment.sees[rows - (segment.tails_start - segment.start)], -math.inf)
    subjects = torch.stack([subject for _, _, subject in looks])
    on_subject = scores[:, places].masked_fill(~subjects, -math.inf).logsumexp(dim=1)
    return [scores.logsumexp(dim=1) - on_subject]


# --- losses ---


@dataclass
class Report:
    """What a step came to: losses and shares by name, and the task of each question with whether it was answered."""

    figures: dict[str, float]
    answers: list[tuple[str, bool]]


def seen_loss(helpers: Helpers, visual: Tensor, batch: Pack) -> tuple[Tensor, dict[str, float]]:
    """Loss of naming what lies on each visual token; tokens with nothing on them count a fifth."""
    losses, shares = [], {}
    owned = batch.labels["shape"] > 0
    printed = batch.labels["shape"] == CLASSES["shape"] - 1
    for name, head in helpers.seen.items():
        scores, label = head(visual), batch.labels[name]
        weight = torch.ones(scores.shape[1], device=scores.device)
        weight[0] = 0.2
        relevant = printed if name.startswith("glyph") else torch.ones_like(owned)
        if bool(relevant.any()):
            loss = F.cross_entropy(scores[relevant], label[relevant], weight=weight)
            losses.append(loss * (SLOT_WEIGHT if name in GLYPH_CLASSES else 1.0))
        named = label > 0
        if bool(named.any()):
            shares[f"see {name}"] = float((scores.argmax(dim=1) == label)[named].float().mean())
    return torch.stack(losses).sum(), shares


def box_loss(head: nn.Linear, visual: Tensor, owned: Tensor, boxes: Tensor) -> Tensor:
    """Mean distance of the edges that tokens tell from those of what lies on them, in shares of the picture."""
    if not bool(owned.any()):
        return visual.new_zeros(())
    return 5 * (head(visual[owned]) + 0.5 - boxes[owned]).abs().mean()


def turn_loss(head: nn.Linear, visual: Tensor, turns: Tensor) -> Tensor:
    """Loss of telling, of each visual token, which picture or temporal patch of several it belongs to."""
    several = turns >= 0
    return F.cross_entropy(head(visual[several]), turns[several]) if bool(several.any()) else visual.new_zeros(())


def loss_of(model: Twin, helpers: Helpers, batch: Pack, weights: Weights) -> tuple[Tensor, Report]:
    """The loss of a pack, and what to tell about it."""
    visual = see(model, batch)
    owned = batch.labels["shape"] > 0
    named, figures = seen_loss(helpers, visual, batch)
    edges = box_loss(helpers.edges, visual, owned, batch.boxes)
    total = weights.seen * (named + edges)
    report = Report(figures | {"seen": named.item(), "edges": edges.item()}, [])
    if weights.answers:
        reading = read(model, batch, visual)
        scores = model.language.logits(reading.hidden[batch.rows])
        answers = F.cross_entropy(scores, batch.targets)
        kept = batch.kept
        places = box_loss(helpers.places, reading.inner[batch.visual], owned[kept], batch.boxes[kept])
        turns = turn_loss(helpers.turns, reading.inner[batch.visual], batch.turns[kept])
        total = total + weights.answers * answers + weights.seen * (places + turns) + weights.looks * reading.look_loss
        report.figures |= {"answers": answers.item(), "looks": reading.look_loss.item(), "places": places.item()}
        report.figures["turns"] = turns.item()
        right = scores.argmax(dim=1) == batch.targets
        report.answers += [(task, bool(right[start:end].all())) for task, start, end in batch.questions]
        report.answers += [
            (f"first of {task}", bool(right[start])) for task, start, _ in batch.questions if task in PRINT
        ]
    report.figures["loss"] = total.item()
    return total, report
