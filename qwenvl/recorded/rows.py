"""Defines the kernel of a run: its queries and keys, and the exact rows of attention rebuilt from them.

The analyses take a run as it is described here. It knows no analysis and no pipeline: of the pipeline that made a run,
and that can replay what was not kept, it knows the few methods of `Replayer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import torch
from torch import Tensor

from qwenvl.errors import RunError, Sentence, shown
from qwenvl.models.config import Config
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.trace import Causal, Hidden, attention_rows
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.processor import Processor
from qwenvl.recorded.edits import Edit, edited_mask
from qwenvl.recorded.edits_file import edits_to_parts
from qwenvl.recorded.indices import check_index
from qwenvl.recorded.kept_layers import Keep
from qwenvl.recorded.maps import maps_for
from qwenvl.recorded.record import Record, Recorded

Head = int | Literal["mean"] | None
Layer = int | Literal["mean"]
Made = TypeVar("Made")

_EMPTY = torch.zeros(0, dtype=torch.int64)


class Retelling(Protocol):
    """What tells one run's answer again under cuts in the language model's attention."""

    def logits(self, cuts: Sequence[tuple[Sequence[int], Hidden]]) -> Tensor:
        """The logits that predict the answer under each cut, (cuts, answer tokens, vocab); uncut for none."""


class Replayer(Protocol):
    """What a run needs of the pipeline that made it."""

    name: str
    max_trace_bytes: int

    @property
    def config(self) -> Config:
        """The architecture's numbers."""

    @property
    def model(self) -> QwenVL | Qwen2VL:
        """The model, for analyses that read its weights."""

    @property
    def processor(self) -> Processor:
        """The processor, whose tokenizer spells tokens."""

    def tap_sizes(self, run: RunRows) -> Mapping[str, int]:
        """Bytes of the queries or keys at each tap."""

    def replay(self, run: RunRows, names: Sequence[str]) -> dict[str, Tensor]:
        """The values of these modules in one more forward pass over prompt and answer."""

    def logits(
        self, run: RunRows, *, media: Sequence[Media] | None = None, blocks: Sequence[tuple[Sequence[str], Hidden]] = ()
    ) -> Tensor:
        """The logits that predict each token of the answer, on other media or with attention hidden."""

    def reteller(self, run: RunRows) -> Retelling:
        """What tells a run's answer again, its pictures being read once."""

    def edited(self, run: RunRows, edits: Sequence[Edit], keep: Keep | None = None) -> RunRows:
        """The run's own answer looked inside under further edits."""

    def ask_again(self, run: RunRows, question: str) -> RunRows:
        """A run of another last question on the same media, without an answer."""


PIXEL_BYTES = 4  # of RGB, as Pillow holds it
TOKEN_BYTES = 600  # about, of what is known of a token, in Python's objects


@dataclass(eq=False)
class RunRows(Recorded):
    """A run as its analyses see it: tokens, media, positions, and any row of attention.

    Rows are exact: softmax(q k^T / sqrt(head_dim)) from the queries and keys that were kept. What was not kept is
    replayed by the pipeline. Indices may be integers of Python, NumPy or torch.

    Attributes:
        record: what was asked and said.
        media: pictures and clips in the order they were asked about.
        positions: int64 (3, tokens), the ids each token was rotated by; three equal rows in Qwen-VL.
        kept: queries and keys by the name of their tap.
        pipeline: the one that made the run; None where a saved run was loaded without one.
        visual: the visual tokens of each media, by its index: int64 (visual tokens,), indices into `tokens`.
        maps: where the patches of each media lie in the queries and keys.
    """

    record: Record
    media: tuple[Media, ...]
    positions: Tensor
    kept: dict[str, Tensor]
    pipeline: Replayer | None = None
    _replayed: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)
    _adapter: dict[tuple[int, Head], list[Tensor]] = field(default_factory=dict, init=False, repr=False)
    _remembered: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.maps = maps_for(self.record.config, self.media)
        self.visual = {
            index: torch.tensor([place for place, token in enumerate(self.tokens) if token.media == index])
            for index in range(len(self.media))
        }

    @property
    def nbytes(self) -> int:
        """Bytes of queries, keys, pictures, tokens and edits that this run holds, and of what its analyses remember."""
        edits = edits_to_parts(self.edits)[1]
        adapter = (rows for several in self._adapter.values() for rows in several)
        held = (*self.kept.values(), *self._replayed.values(), *self._remembered.values(), *edits.values(), *adapter)
        arrays = sum(getattr(value, "nbytes", 0) for value in (self.positions, *self.visual.values(), *held))
        pictures = sum(frame.width * frame.height for item in self.media for frame in item.frames)
        return arrays + PIXEL_BYTES * pictures + TOKEN_BYTES * len(self.tokens)

    def remember(self, key: Any, make: Callable[[], Made], *, max_bytes: int | None = None) -> Made:
        """What `make` gives, made once per run and key.

        Args:
            max_bytes: a value whose `nbytes` are more is not remembered, and made anew each time.
        """
        if key in self._remembered:
            return self._remembered[key]
        made = make()
        if max_bytes is None or getattr(made, "nbytes", 0) <= max_bytes:
            self._remembered[key] = made
        return made

    # --- rows of attention ---

    @property
    def sites(self) -> tuple[str, ...]:
        """Where attention happens: "vision", "adapter" (Qwen-VL), "language"."""
        return self.maps.sites

    def num_layers(self, site: str) -> int:
        """Layers of a site; the adapter has one."""
        self.check_site(site)
        return 1 if site == "adapter" else getattr(self.config, site).num_blocks

    def num_heads(self, site: str) -> int:
        """Attention heads of a site."""
        self.check_site(site)
        return getattr(self.config, site).num_heads

    def attention(
        self, site: str, *, query: int, layer: int | None = None, head: Head = None, media: int = 0
    ) -> Tensor:
        """One row of attention, exact: softmax(q k^T / sqrt(head_dim)) from the queries and keys of this run.

        Args:
            site: "language": `query` is a token, keys are the tokens up to it. "vision": a patch of `media` in raster
                order (t, row, column), keys are the patches of its own segment (a picture, or one temporal patch of a
                clip). "adapter": one of Qwen-VL's 256 queries (frame * 256 + query for a clip), keys are the patches of
                its frame.
            layer: of the site; the adapter has only layer 0.
            head: None for all, "mean" for their mean, or one of them.

        Returns:
            float32 (heads, keys), or (keys,) for one head or the mean. Sums to 1.

        Raises:
            RunError: no such site, layer, head, query or media, or a layer that was not kept and no pipeline to replay
            it.
        """
        layer, head = self.check_layer(site, layer), self.check_head(site, head)
        if site == "language":
            row = causal_row(*self.taps(site, layer), self.check_token(query), self.mask(layer))
            return pick_head(row, head)
        media = self.check_media(media)
        q, k = self.taps(site, layer)
        if site == "vision":
            patch = check_index(query, self.media[media].num_patches, "patch", owner=self.media[media].name)
            return pick_head(self.maps.vision_rows(q, k, media, [patch])[:, 0], head)
        queries = self.maps.num_adapter_queries(media)
        query = check_index(query, queries, "adapter query", owner=self.media[media].name)
        return pick_head(self.maps.adapter_rows(q, k, media, [query])[:, 0], head)

    def adapter_matrix(self, *, media: int = 0, frame: int = 0, head: Head = "mean") -> Tensor:
        """All rows of Qwen-VL's adapter on one frame.

        Args:
            frame: of a clip; 0 of a picture.
            head: "mean" for the mean of the heads, or one of them.

        Returns:
            float32 (queries, patches); every row sums to 1.

        Raises:
            RunError: Qwen2-VL, whose adapter has no attention; no such media, frame or head.
        """
        self.check_layer("adapter", None)
        frames = self.adapter_matrices(media, head)
        return frames[check_index(frame, len(frames), "frame", owner=self.media[self.check_media(media)].name)]

    def adapter_matrices(self, media: int, head: Head) -> list[Tensor]:
        """`adapter_matrix` of every frame of a media; the few that were asked for last are remembered.

        Qwen2-VL has none: it gives [], so that what follows a map through the adapter need not ask which family it is.
        """
        if "adapter" not in self.sites:
            return []
        media, head = self.check_media(media), self.check_head("adapter", head)
        if head is None:
            raise RunError("A map shows one adapter head or their mean; pass adapter_head='mean' or a number.")
        matrices = self._adapter.get((media, head))
        if matrices is None:
            q, k = self.taps("adapter", 0)
            frames = self.media[media].patch_grid[0]
            count = self.maps.num_adapter_queries(media) // frames
            every = [range(frame * count, (frame + 1) * count) for frame in range(frames)]
            matrices = [pick_head(self.maps.adapter_rows(q, k, media, queries), head).cpu() for queries in every]
            newest = list(self._adapter.items())[-3:]
            self._adapter = dict([*newest, ((media, head), matrices)])  # replaced whole: other threads may be reading
        return matrices

    # --- rows of the language model on the media ---

    def shares(self, query: int, media: int | None = None) -> Tensor:
        """How much of a token's row falls on the visual tokens, by layer and head.

        Args:
            query: a token.
            media: of one media, or None for all together.

        Returns:
            float32 (layers, heads), 0 to 1.

        Raises:
            RunError: no such token or media, or layers that were not kept and no pipeline to replay them.
        """
        query = self.check_token(query)
        chosen = self.visual.values() if media is None else [self.visual[self.check_media(media)]]
        places = torch.cat([_EMPTY, *chosen])
        places = places[places <= query]
        rows = self._rows_by_layer(query)
        return torch.stack([row[:, places.to(row.device)].sum(dim=-1).cpu() for row in rows])

    def token_weights(self, *, query: int, layer: Layer = "mean", head: Head = "mean", media: int = 0) -> Tensor:
        """A token's row on the visual tokens of one media, before any adapter.

        Args:
            query: a token; visual tokens after it weigh 0.
            layer: of the language model, or "mean" over all.
            head: of the language model, or "mean".

        Returns:
            float32 (visual tokens,); sums to the share of the row on this media.

        Raises:
            RunError: as `attention`.
        """
        media, query = self.check_media(media), self.check_token(query)
        if head is None:
            raise RunError("A map shows one head or their mean; pass head='mean' or a number.")
        head, layer = self.check_head("language", head), self.check_layer_or_mean(layer)
        if layer == "mean":
            row = torch.stack([row.cpu() for row in self._rows_by_layer(query)]).mean(dim=0)
        else:
            row = causal_row(*self.taps("language", layer), query, self.mask(layer)).cpu()
        whole = torch.zeros(len(self.tokens))
        whole[: query + 1] = pick_head(row, head)
        return whole[self.visual[media]]

    def image_map(
        self, *, query: int, layer: Layer = "mean", head: Head = "mean", adapter_head: Head = "mean", media: int = 0
    ) -> Tensor:
        """Where on a media a token's row falls, patch by patch.

        Qwen-VL: the weights on the 256 adapter queries times the adapter's own attention, (1 x 256) . (256 x 1024).
        Qwen2-VL: each visual token's weight, split equally over its four patches.

        Args:
            query: a token; its own row (for "why this word", pass the token before the word).
            layer: of the language model, or "mean" over all.
            head: of the language model, or "mean".
            adapter_head: of Qwen-VL's adapter, or "mean"; Qwen2-VL has none and ignores it.

        Returns:
            float32 (t, h, w) on the patch grid; sums to the share of the row on this media.

        Raises:
            RunError: as `attention`.
        """
        weights = self.token_weights(query=query, layer=layer, head=head, media=media)
        return self.spread(weights, media=media, adapter_head=adapter_head)

    def spread(self, weights: Tensor, *, media: int = 0, adapter_head: Head = "mean") -> Tensor:
        """Weights on a media's visual tokens (visual tokens,) as a map on its patches, float32 (t, h, w).

        Qwen-VL: through the adapter. Qwen2-VL: split equally over the four patches of each token.
        """
        return self.maps.spread(weights, self.check_media(media), self.adapter_matrices(media, adapter_head))

    def _rows_by_layer(self, query: int) -> Iterator[Tensor]:
        """A token's row in every layer of the language model, (heads, query + 1) each."""
        for layer, (q, k) in enumerate(self.all_taps("language")):
            yield causal_row(q, k, query, self.mask(layer))

    # --- queries and keys: kept, or replayed ---

    def mask(self, layer: int) -> Causal:
        """What a row of a language layer may see, less what the run's edits hide, and how they scale it."""
        return self.remember(("mask", layer), lambda: edited_mask(self.edits, layer))

    def taps(self, site: str, layer: int) -> tuple[Tensor, Tensor]:
        """Queries and keys of one layer, (batch, heads, tokens, head_dim) each; replayed where they were not kept.

        Raises:
            RunError: they were not kept, and there is no pipeline to replay them.
        """
        q, k = tap_names(site, layer)
        held = next((taps for taps in (self.kept, self._replayed) if q in taps), None)
        held = held if held is not None else self._replay([(q, k)])
        return held[q], held[k]

    def all_taps(self, site: str) -> Iterator[tuple[Tensor, Tensor]]:
        """`taps` of every layer in turn; what was not kept comes in replays as large as the budget allows."""
        pairs = [tap_names(site, layer) for layer in range(self.num_layers(site))]
        replayed = self._replayed
        for layer, (q, k) in enumerate(pairs):
            held = self.kept if q in self.kept else replayed
            if q not in held:
                held = replayed = self._replay(pairs[layer:])
            yield held[q], held[k]

    def _replay(self, pairs: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
        """Replay the first of these layers, and as many more as fit the budget; they take the place of the last replay.

        Returned and not only stored, since another thread may ask for other layers meanwhile.
        """
        if self.pipeline is None:
            layer = pairs[0][0].removesuffix(".attend.q")
            raise RunError(
                Sentence.of(
                    "{site} was not kept in this run; load the run with its pipeline to replay that layer.", site=layer
                )
            )
        sizes, total, chosen = self.pipeline.tap_sizes(self), 0, list[str]()
        for pair in pairs:
            total += sum(sizes[name] for name in pair)
            if not chosen or total <= self.pipeline.max_trace_bytes:
                chosen += pair
        self._replayed = replayed = self.pipeline.replay(self, chosen)
        return replayed

    # --- what was asked for, checked: each gives a Python int, or raises `RunError` ---

    def check_site(self, site: str) -> None:
        """Raises `RunError` for a site that this run's model has not."""
        if site == "adapter" and site not in self.sites:
            self.maps.adapter_rows(_EMPTY, _EMPTY, 0, [])
        if site not in self.sites:
            raise RunError(f"There is no site {shown(site)}; attention happens at {', '.join(map(repr, self.sites))}.")

    def check_layer(self, site: str, layer: int | None) -> int:
        """A layer of a site; None is the adapter's only one."""
        count = self.num_layers(site)
        if site == "adapter" and layer is None:
            return 0
        return check_index(layer, count, f"{site} layer", owner="this model")

    def check_layer_or_mean(self, layer: Layer | None) -> Layer:
        """A layer of the language model, or "mean"."""
        return "mean" if layer == "mean" else self.check_layer("language", layer)

    def check_head(self, site: str, head: Head) -> Head:
        """A head of a site, "mean" or None; unchecked where the model has no such site, as Qwen2-VL no adapter."""
        if head is None or head == "mean" or site not in self.sites:
            return head
        return check_index(head, self.num_heads(site), f"{site} head", owner="this model", otherwise="'mean'")

    def check_token(self, token: int) -> int:
        """A token of prompt or answer."""
        return check_index(token, len(self.tokens), "token")

    def check_media(self, media: int) -> int:
        """A media of the question."""
        if not self.media:
            raise RunError("This run has no picture; ask about one to see where it looks.")
        return check_index(media, len(self.media), "media")


def tap_names(site: str, layer: int) -> tuple[str, str]:
    """The names of a layer's query and key taps."""
    attend = "adapter.attend" if site == "adapter" else f"{site}.blocks.{layer}.attend"
    return f"{attend}.q", f"{attend}.k"


def causal_row(q: Tensor, k: Tensor, query: int, mask: Causal) -> Tensor:
    """The row of one token from a decoder layer's q and k, (heads, query + 1)."""
    # its own and earlier keys are all it sees, where nothing was edited
    return attention_rows(q[:, :, query, None], k[:, :, : query + 1], [0], mask if mask.edited else None)[0, :, 0]


def pick_head(rows: Tensor, head: Head) -> Tensor:
    """(heads, ...) as it is for None, the mean over heads, or one head."""
    if head is None:
        return rows
    return rows.mean(dim=0) if head == "mean" else rows[head]
