"""Defines the interventions a run may be made under, as data: what is changed, where, in which layers and heads.

A run keeps its edits, says them in its notes, saves them in its file and is replayed under them, so that kept and
replayed rows, the lens and every rescored answer are of one and the same edited model. Tokens are counted as in
`run.tokens`, layers and heads from 0, and every index is checked before anything is computed.

```python
plain = pipeline.run(messages)
last, picture = plain.answer_start - 1, plain.visual[0]
blind = plain.edited([qwenvl.Knockout(queries=[last], keys=picture, layers=range(4))])  # the same answer, told again
chances = [plain.record.probabilities, blind.record.probabilities]
words = [token.text for token in plain.tokens[plain.answer_start :]]
viz.words_under_edit(chances, words=words, subtitle=blind.card.notes[-1])
```
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from qwenvl.errors import RunError, Sentence
from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.models.interventions import Ablate, Write
from qwenvl.models.trace import Block, Causal, Hidden, Scale, Scaled
from qwenvl.recorded.indices import check_index, check_indices

MAX_EDITS = 64  # of one run

Place = tuple[int | None, tuple[int, int, int] | None]
"""Where a token stands in the prompt: its media and its cell there; (None, None) for words."""


@dataclass(frozen=True)
class Extent:
    """What an edit may name.

    Attributes:
        config: of the model.
        places: of the tokens there are.
        longest: how many tokens there may come to be, those included.
    """

    config: Config
    places: tuple[Place, ...]
    longest: int

    def tokens(self, values: Any) -> tuple[int, ...]:
        """Tokens, each once and in order."""
        return check_indices(_several(values), self.longest, "token")

    def layer(self, value: Any, site: str = "language") -> int:
        """One layer of a site."""
        count = 1 if site == "adapter" else getattr(self.config, site).num_blocks
        return check_index(value, count, f"{site} layer", owner="this model")

    def layers(self, values: Any) -> tuple[int, ...]:
        """Layers of the language model; None for all."""
        count = self.config.language.num_blocks
        chosen = range(count) if values is None else _several(values)
        return check_indices(chosen, count, "language layer", owner="this model")

    def heads(self, values: Any, site: str = "language") -> tuple[int, ...]:
        """Heads of a site."""
        count = getattr(self.config, site).num_heads
        return check_indices(_several(values), count, f"{site} head", owner="this model")

    def heads_or_all(self, values: Any) -> tuple[int, ...] | None:
        """Heads of the language model; None for all."""
        return None if values is None else self.heads(values)

    def site(self, site: Any) -> str:
        """A site whose attention has heads to take away."""
        sites = ("vision", "adapter", "language") if isinstance(self.config, QwenVLConfig) else ("vision", "language")
        if site not in sites:
            raise RunError(f"There is no site {site!r}; attention happens at {', '.join(map(repr, sites))}.")
        return site


# --- the five kinds ---


@dataclass(frozen=True)
class Knockout:
    """Attention knockout: the scores of these (query, key) pairs are minus infinity in these layers and heads.

    Args:
        queries, keys: tokens; every query must be left a key.
        layers: of the language model; None for all.
        heads: of these layers; None for all.
    """

    queries: Sequence[int]
    keys: Sequence[int]
    layers: Sequence[int] | None = None
    heads: Sequence[int] | None = None

    def checked(self, extent: Extent) -> Knockout:
        """With plain indices. Raises `RunError` for one that is none."""
        layers, heads = extent.layers(self.layers), extent.heads_or_all(self.heads)
        return Knockout(extent.tokens(self.queries), extent.tokens(self.keys), layers, heads)

    def within(self, tokens: int) -> Knockout:
        """Without the tokens that did not come to be."""
        return replace(self, queries=_below(self.queries, tokens), keys=_below(self.keys, tokens))

    def reach(self) -> int:
        """The last token it names, or -1."""
        return max((*self.queries, *self.keys), default=-1)

    def on(self, model: nn.Module, prompt: int) -> AbstractContextManager[Any]:
        """The edit on a model, checked, while a `with` block runs."""
        if not (self.queries and self.keys and self.layers and self.heads != ()):
            return ExitStack()
        return Block(model, _attends(self.layers), self.queries, self.keys, heads=self.heads)

    def words(self) -> Sentence:
        """What is changed, in one sentence."""
        return Sentence.of(
            "Edited: tokens {queries} do not see tokens {keys}, in layers {layers}, {heads}.",
            queries=_spans(self.queries),
            keys=_spans(self.keys),
            layers=_spans(self.layers or ()),
            heads=_heads(self.heads),
        )


@dataclass(frozen=True)
class ScaleKeys:
    """The weight of these keys is multiplied in every row, and the row made to sum to 1 again.

    Args:
        layers: of the language model; None for all.
        keys: tokens.
        factor: above 0; to take a key away altogether, use `Knockout`.
        heads: of these layers; None for all.
    """

    layers: Sequence[int] | None
    keys: Sequence[int]
    factor: float
    heads: Sequence[int] | None = None

    def checked(self, extent: Extent) -> ScaleKeys:
        """With plain indices. Raises `RunError` for one that is none, or a factor out of range."""
        factor = _number(self.factor)
        if not 0 < factor < math.inf:
            raise RunError(f"A factor of {self.factor!r} cannot scale a weight; it must be a number above 0.")
        return ScaleKeys(extent.layers(self.layers), extent.tokens(self.keys), factor, extent.heads_or_all(self.heads))

    def within(self, tokens: int) -> ScaleKeys:
        """Without the tokens that did not come to be."""
        return replace(self, keys=_below(self.keys, tokens))

    def reach(self) -> int:
        """The last token it names, or -1."""
        return max(self.keys, default=-1)

    def on(self, model: nn.Module, prompt: int) -> AbstractContextManager[Any]:
        """The edit on a model, checked, while a `with` block runs."""
        if not (self.keys and self.layers and self.heads != ()):
            return ExitStack()
        return Scale(model, _attends(self.layers), self.keys, self.factor, self.heads)

    def words(self) -> Sentence:
        """What is changed, in one sentence."""
        return Sentence.of(
            "Edited: the weight of tokens {keys} is multiplied by {factor} in every row, in layers {layers}, {heads}.",
            keys=_spans(self.keys),
            factor=f"{self.factor:g}",
            layers=_spans(self.layers or ()),
            heads=_heads(self.heads),
        )


@dataclass(frozen=True)
class AblateHeads:
    """What these heads of a layer read is replaced before the output projection, in every row.

    Args:
        layer: of the site; the adapter has only layer 0.
        heads: of the layer.
        site: "language", "vision" or, of Qwen-VL, "adapter".
        to: "zero", or "mean": of the head's output over the prompt; at the other sites over all their rows.
    """

    layer: int
    heads: Sequence[int]
    site: str = "language"
    to: str = "zero"

    def checked(self, extent: Extent) -> AblateHeads:
        """With plain indices. Raises `RunError` for one that is none, or another site or aim."""
        if self.to not in ("zero", "mean"):
            raise RunError(f"Heads cannot be ablated to {self.to!r}; choose 'zero' or 'mean'.")
        site = extent.site(self.site)
        return AblateHeads(extent.layer(self.layer, site), extent.heads(self.heads, site), site, self.to)

    def within(self, tokens: int) -> AblateHeads:
        """The same: it names no token."""
        return self

    def reach(self) -> int:
        """-1: it names no token."""
        return -1

    def on(self, model: nn.Module, prompt: int) -> AbstractContextManager[Any]:
        """The edit on a model, checked, while a `with` block runs."""
        name = "adapter.attend" if self.site == "adapter" else f"{self.site}.blocks.{self.layer}.attend"
        mean_of = 0 if self.to == "zero" else prompt if self.site == "language" else None
        return Ablate(model, name, list(self.heads), mean_of=mean_of)

    def words(self) -> Sentence:
        """What is changed, in one sentence."""
        template = {
            "zero": "Edited: the output of heads {heads} of {site} layer {layer} is 0.",
            "mean": "Edited: the output of heads {heads} of {site} layer {layer} is its mean.",
        }[self.to]
        return Sentence.of(template, heads=_spans(self.heads), site=self.site, layer=self.layer)


@dataclass(frozen=True, eq=False)
class AddVector:
    """A vector is added to the state after a block of the language model, at these tokens (steering).

    Args:
        layer: of the language model.
        tokens: where.
        vector: (dim,); kept in float32.
    """

    layer: int
    tokens: Sequence[int]
    vector: Tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddVector) and (
            (self.layer, self.tokens) == (other.layer, other.tokens) and torch.equal(self.vector, other.vector)
        )

    __hash__ = None  # type: ignore[assignment]

    def checked(self, extent: Extent) -> AddVector:
        """With plain indices. Raises `RunError` for one that is none, or a vector of another shape."""
        vector = _finite(self.vector, (extent.config.language.dim,), "The vector")
        return AddVector(extent.layer(self.layer), extent.tokens(self.tokens), vector)

    def within(self, tokens: int) -> AddVector:
        """Without the tokens that did not come to be."""
        return replace(self, tokens=_below(self.tokens, tokens))

    def reach(self) -> int:
        """The last token it names, or -1."""
        return max(self.tokens, default=-1)

    def on(self, model: nn.Module, prompt: int) -> AbstractContextManager[Any]:
        """The edit on a model, checked, while a `with` block runs."""
        return Write(model, f"language.blocks.{self.layer}", self.tokens, self.vector, add=True)

    def words(self) -> Sentence:
        """What is changed, in one sentence."""
        return Sentence.of(
            "Edited: a vector of length {length} is added to the state of tokens {tokens} after layer {layer}.",
            length=f"{float(self.vector.norm()):.4g}",
            tokens=_spans(self.tokens),
            layer=self.layer,
        )


@dataclass(frozen=True, eq=False)
class States:
    """States of another run, as a run keeps them that was patched with them.

    Attributes:
        values: float32 (tokens, dim).
        source: which run they are from.
    """

    values: Tensor
    source: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, States) and self.source == other.source and torch.equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class PatchState:
    """The state after a block of the language model is that of another run, at these tokens.

    Args:
        layer: of the language model.
        tokens: where; they must stand in both runs, alike placed.
        other: a run of a model with the same numbers, with its pipeline; its states are copied when the edit is made.
    """

    layer: int
    tokens: Sequence[int]
    other: Any

    def checked(self, extent: Extent) -> PatchState:
        """With plain indices and the other run's states. Raises `RunError` for what does not fit."""
        tokens, layer = check_indices(_several(self.tokens), len(extent.places), "token"), extent.layer(self.layer)
        found = self.other if isinstance(self.other, States) else self._read(extent, layer, tokens)
        shape = (len(tokens), extent.config.language.dim)
        return PatchState(layer, tokens, States(_finite(found.values, shape, "What is patched in"), found.source))

    def _read(self, extent: Extent, layer: int, tokens: tuple[int, ...]) -> States:
        other, name = self.other, f"language.blocks.{layer}"
        if getattr(other, "pipeline", None) is None:
            raise RunError("States are patched from another run with its pipeline; give such a run.")
        if other.config != extent.config:
            raise RunError(f"States of {other.card.name} do not fit this model; patch from a run of the same model.")
        reach = max(tokens, default=-1) + 1
        if tuple((token.media, token.cell) for token in other.tokens[:reach]) != extent.places[:reach]:
            raise RunError(
                "The other run's tokens stand elsewhere; patch between runs of one question on media of one size."
            )
        values = other.pipeline.replay(other, [name])[name][0, list(tokens)]
        return States(values, f"{other.card.name}: {other.answer}"[:200])

    def within(self, tokens: int) -> PatchState:
        """The same: it names tokens of the prompt, or of an answer that was there."""
        return self

    def reach(self) -> int:
        """The last token it names, or -1."""
        return max(self.tokens, default=-1)

    def on(self, model: nn.Module, prompt: int) -> AbstractContextManager[Any]:
        """The edit on a model, checked, while a `with` block runs."""
        return Write(model, f"language.blocks.{self.layer}", self.tokens, self.other.values, add=False)

    def words(self) -> Sentence:
        """What is changed, in one sentence."""
        return Sentence.of(
            "Edited: the state of tokens {tokens} after layer {layer} is that of another run ({source}).",
            tokens=_spans(self.tokens),
            layer=self.layer,
            source=self.other.source,
        )


Edit = Knockout | ScaleKeys | AblateHeads | AddVector | PatchState
KINDS: dict[str, type[Edit]] = {
    kind.__name__: kind for kind in (Knockout, ScaleKeys, AblateHeads, AddVector, PatchState)
}


# --- several together ---


def checked_edits(edits: Sequence[Edit], extent: Extent) -> tuple[Edit, ...]:
    """Edits with plain indices and copied states.

    Raises:
        RunError: an index that is none, a vector of another shape, something that is no edit, or too many of them.
    """
    if len(edits) > MAX_EDITS:
        raise RunError(f"{len(edits)} edits are more than the {MAX_EDITS} that a run may have; join some of them.")
    for edit in edits:
        if not isinstance(edit, Edit):
            raise RunError(f"{type(edit).__name__} is no edit; give one of {', '.join(KINDS)}.")
    return tuple(edit.checked(extent) for edit in edits)


@contextmanager
def applied(edits: Sequence[Edit], model: nn.Module, prompt: int) -> Iterator[None]:
    """Checked edits on a model while a `with` block runs; `prompt` tokens are the prompt's."""
    with ExitStack() as stack:
        for edit in edits:
            stack.enter_context(edit.on(model, prompt))
        yield


def edited_mask(edits: Sequence[Edit], layer: int) -> Causal:
    """What the rows of one language layer may see, and how they are scaled."""
    hidden = [
        Hidden(frozenset(edit.queries), frozenset(edit.keys), None, _frozen(edit.heads))
        for edit in edits
        if isinstance(edit, Knockout) and layer in (edit.layers or ())
    ]
    scaled = [
        Scaled(frozenset(edit.keys), edit.factor, _frozen(edit.heads))
        for edit in edits
        if isinstance(edit, ScaleKeys) and layer in (edit.layers or ())
    ]
    return Causal(hidden=tuple(hidden), scaled=tuple(scaled))


# --- helpers ---


def _several(values: Any) -> Sequence[Any]:
    """Indices as a sequence; one by itself too."""
    by_itself = isinstance(values, str) or not hasattr(values, "__iter__") or getattr(values, "ndim", None) == 0
    return [values] if by_itself else list(values)


def _number(value: Any) -> float:
    """A number as a float; not a number for anything else."""
    try:
        return math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _below(values: Sequence[int], count: int) -> tuple[int, ...]:
    return tuple(value for value in values if value < count)


def _frozen(values: Sequence[int] | None) -> frozenset[int] | None:
    return None if values is None else frozenset(values)


def _attends(layers: Sequence[int]) -> list[str]:
    return [f"language.blocks.{layer}.attend" for layer in layers]


def _finite(value: Any, shape: tuple[int, ...], what: str) -> Tensor:
    """A tensor of this shape in float32 on the CPU, of its own memory."""
    try:
        found = torch.as_tensor(value).detach()
    except (TypeError, ValueError, RuntimeError):
        raise RunError(f"{what} must hold finite numbers of shape {shape}; {type(value).__name__} does not.") from None
    if tuple(found.shape) != shape or found.is_complex() or not bool(found.isfinite().all()):
        raise RunError(f"{what} must hold finite numbers of shape {shape}; this has shape {tuple(found.shape)}.")
    return found.to("cpu", torch.float32, copy=True).contiguous()


def _heads(heads: Sequence[int] | None) -> Sentence:
    return Sentence("all heads") if heads is None else Sentence.of("heads {heads}", heads=_spans(heads))


def _spans(values: Sequence[int]) -> str:
    """Sorted indices as a reader writes them: "3, 5-9"."""
    spans: list[list[int]] = []
    for value in values:
        if spans and value == spans[-1][-1] + 1:
            spans[-1][1:] = [value]
        else:
            spans.append([value])
    return ", ".join("-".join(map(str, span)) for span in spans) or "none"
