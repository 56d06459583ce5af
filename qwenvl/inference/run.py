"""A run: one question asked of one model, what it answered, and every exact question one can ask of it afterwards.

Knows tokens, media, and the queries and keys that were kept; what was not kept it asks its pipeline to replay. Draws
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from qwenvl.analysis.adapter_statistics import ALIKE, QueryStatistics, query_statistics
from qwenvl.errors import RunError
from qwenvl.models.trace import attention_rows
from qwenvl.processing.media import Media
from qwenvl.processing.reconstruction import Reconstruction, reconstruct
from qwenvl.recorded.maps import maps_for
from qwenvl.recorded.record import Alternative, ModelCard, Record, Recorded, Token, Told

if TYPE_CHECKING:
    from qwenvl.analysis.adapter_codes import CodeSimilarity
    from qwenvl.analysis.answer_boxes import AnswerBox
    from qwenvl.analysis.attention_distance import TowerStatistics
    from qwenvl.analysis.deletion_curves import Curves
    from qwenvl.analysis.logit_lens import Lens
    from qwenvl.analysis.neutral_question import NeutralRows, Relative
    from qwenvl.analysis.occlusion import Effect
    from qwenvl.analysis.row_statistics import RowStatistics
    from qwenvl.analysis.sinks import SinksAside
    from qwenvl.analysis.stages import Stage
    from qwenvl.inference.pipeline import Pipeline

Head = int | Literal["mean"] | None
Layer = int | Literal["mean"]

__all__ = ["Alternative", "ModelCard", "Record", "Run", "Token", "Told"]


@dataclass(eq=False)
class Run(Recorded):
    """One question asked of one model.

    `run.tokens[i]` counts prompt and answer from 0. The row that predicts answer token i is the row of token i - 1;
    methods here take the row's own index.

    Attributes:
        answer: the answer's text, without its end token.
        positions: int64 (3, tokens), the ids each token was rotated by; three equal rows in Qwen-VL.
        media: pictures and clips in the order they were asked about.
        kept: queries and keys by the name of their tap.
    """

    record: Record
    media: tuple[Media, ...]
    positions: Tensor
    kept: dict[str, Tensor]
    pipeline: Pipeline | None = None
    _replayed: dict[str, Tensor] = field(default_factory=dict, repr=False)
    _adapter: dict[tuple[int, Head], list[Tensor]] = field(default_factory=dict, repr=False)
    _told: Told | None = field(default=None, repr=False)
    _sinks: dict[int, Tensor] = field(default_factory=dict, repr=False)  # of each layer that was asked for
    _neutral: NeutralRows | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.maps = maps_for(self.record.config, self.media)
        self.visual = {
            index: torch.tensor([place for place, token in enumerate(self.tokens) if token.media == index])
            for index in range(len(self.media))
        }

    @property
    def nbytes(self) -> int:
        """Bytes of queries, keys and pictures that this run holds."""
        extra = [] if self._neutral is None else [self._neutral.weights]
        held = (*self.kept.values(), *self._replayed.values(), *extra)
        taps = sum(value.numel() * value.element_size() for value in held)
        return taps + sum(frame.width * frame.height * 3 for item in self.media for frame in item.frames)

    def reconstructed(self, media: int = 0, cell: int | None = None) -> Reconstruction:
        """A media's frames, rebuilt from the very tensor the model received, and how far they are from the resized.

        Args:
            cell: one temporal cell of the patch grid alone; None for all.
        """
        item = self._media(media)
        if cell is not None:
            self._check_query(cell, item.patch_grid[0], "temporal cell")
        return reconstruct(item, self.config, cell)

    # --- attention ---

    @property
    def sites(self) -> tuple[str, ...]:
        """Where attention happens: "vision", "adapter" (Qwen-VL), "language"."""
        return self.maps.sites

    def num_layers(self, site: str) -> int:
        """Layers of a site; the adapter has one."""
        self._check_site(site)
        return 1 if site == "adapter" else getattr(self.config, site).num_blocks

    def num_heads(self, site: str) -> int:
        """Attention heads of a site."""
        self._check_site(site)
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
        layer = self._check_layer(site, layer)
        self._check_head(site, head)
        if site == "language":
            row = self._language_row(layer, self._check_query(query, len(self.tokens), "token"))
        else:
            grid = self._media(media).patch_grid
            q, k = self._taps(site, layer)
            if site == "vision":
                patches = grid[0] * grid[1] * grid[2]
                row = self.maps.vision_rows(q, k, media, [self._check_query(query, patches, "patch")])[:, 0]
            else:
                queries = self.maps.num_adapter_queries(media)
                row = self.maps.adapter_rows(q, k, media, [self._check_query(query, queries, "adapter query")])[:, 0]
        return pick_head(row, head)

    def column(self, site: str, *, key: int, layer: Layer | None = None, head: Head = None, media: int = 0) -> Tensor:
        """The weight of one key in every row that may see it; `qwenvl.analysis.columns.column` says the rest."""
        from qwenvl.analysis.columns import column

        return column(self, site, key=key, layer=layer, head=head, media=media)

    def statistics(self, query: int, media: int = 0) -> RowStatistics:
        """Share on the image, entropy, distance and sink share of a token's row, by layer and head."""
        from qwenvl.analysis.row_statistics import row_statistics

        return row_statistics(self, query=query, media=media)

    def sinks(self, layer: int) -> list[int]:
        """Tokens that draw a large share of most rows of a language layer; `qwenvl.analysis.sinks` defines which."""
        from qwenvl.analysis.sinks import sinks

        return sinks(self, layer)

    def adapter_matrix(self, *, media: int = 0, frame: int = 0, head: Head = "mean") -> Tensor:
        """All adapter queries of a frame over its patches, (queries, patches), one head or the mean. Qwen-VL only."""
        self._check_layer("adapter", None)
        self._check_head("adapter", head)
        frames = self._adapter_matrices(media, head)
        return frames[self._check_query(frame, len(frames), "frame")]

    def query_statistics(
        self, *, media: int = 0, frame: int = 0, head: Head = "mean", alike: float = ALIKE
    ) -> QueryStatistics:
        """Entropy, coverage, overlap and orders of the adapter queries of a frame; arguments as `adapter_matrix`."""
        matrix = self.adapter_matrix(media=media, frame=frame, head=head)
        return query_statistics(matrix, self.media[media].patch_grid, alike=alike)

    def code_similarity(self) -> CodeSimilarity:
        """How alike the adapter's place codes are, queries against patches and each other. Qwen-VL, with a pipeline."""
        from qwenvl.analysis.adapter_codes import code_similarity
        from qwenvl.models.qwen_vl import QwenVL

        self._check_layer("adapter", None)
        if self.pipeline is None or not isinstance(self.pipeline.model, QwenVL):
            raise RunError("The adapter's code is the model's; load the run with its pipeline to see it.")
        return code_similarity(self.pipeline.model)

    def shares(self, query: int, media: int | None = None) -> Tensor:
        """How much of a token's row falls on the visual tokens, by layer and head: float32 (layers, heads).

        Args:
            query: a token.
            media: of one media, or None for all together.
        """
        self._check_query(query, len(self.tokens), "token")
        if media is not None:
            self._media(media)
        chosen = self.visual.values() if media is None else [self.visual[media]]
        places = torch.cat([_EMPTY, *chosen])
        places = places[places <= query]
        rows = (causal_row(q, k, query) for q, k in self._all_language_taps())
        return torch.stack([row[:, places.to(row.device)].sum(dim=-1).cpu() for row in rows])

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
        adapter = self._adapter_matrices(media, adapter_head) if "adapter" in self.sites else []
        return self.maps.spread(weights, media, adapter)

    def map_without_sinks(self, *, query: int, **chosen: Any) -> SinksAside:
        """`image_map` with the sinks set aside, and how much that removed; arguments as `image_map`."""
        from qwenvl.analysis.sinks import map_without_sinks

        return map_without_sinks(self, query=query, **chosen)

    def map_against_neutral(self, *, query: int, **chosen: Any) -> Relative:
        """`image_map` relative to a neutral question on the same media, asked once; arguments as `image_map`."""
        from qwenvl.analysis.neutral_question import map_against_neutral

        return map_against_neutral(self, query=query, **chosen)

    def token_weights(self, *, query: int, layer: Layer = "mean", head: Head = "mean", media: int = 0) -> Tensor:
        """A token's row on the visual tokens of one media, (visual tokens,); tokens after the query weigh 0."""
        self._media(media)
        self._check_query(query, len(self.tokens), "token")
        if head is None:
            raise RunError("A map shows one head or their mean; pass head='mean' or a number.")
        self._check_head("language", head)
        if layer == "mean":
            row = torch.stack([causal_row(q, k, query).cpu() for q, k in self._all_language_taps()]).mean(dim=0)
        else:
            row = self._language_row(self._check_layer("language", layer), query).cpu()
        whole = torch.zeros(len(self.tokens))
        whole[: query + 1] = pick_head(row, head)
        return whole[self.visual[media]]

    def _language_row(self, layer: int, query: int) -> Tensor:
        return causal_row(*self._taps("language", layer), query)

    def _adapter_matrices(self, media: int, head: Head) -> list[Tensor]:
        """For each frame of a media, (queries, patches); the few last asked for are remembered."""
        self._check_head("adapter", head)
        if head is None:
            raise RunError("A map shows one adapter head or their mean; pass adapter_head='mean' or a number.")
        matrices = self._adapter.get((media, head))
        if matrices is None:
            q, k = self._taps("adapter", 0)
            frames = self._media(media).patch_grid[0]
            count = self.maps.num_adapter_queries(media) // frames
            every = [range(frame * count, (frame + 1) * count) for frame in range(frames)]
            matrices = [pick_head(self.maps.adapter_rows(q, k, media, queries), head).cpu() for queries in every]
            newest = list(self._adapter.items())[-3:]
            self._adapter = dict([*newest, ((media, head), matrices)])  # replaced whole: other threads may be reading
        return matrices

    def boxes(self, media: int | None = None) -> list[AnswerBox]:
        """Every box the answer writes, with the tokens that write it, sound or not; see `boxes.answer_boxes`."""
        from qwenvl.analysis.answer_boxes import answer_boxes

        return answer_boxes(self, media=media)

    # --- causes ---

    def without(self, index: int, **what: Any) -> Effect:
        """The answer told again with patches or visual tokens hidden from attention; see `causes.without`."""
        from qwenvl.analysis import occlusion as causes

        return causes.without(self, index, **what)

    def painted(self, index: int, mask: Any, **how: Any) -> Effect:
        """The answer told again about a picture with some pixels painted over; see `causes.painted`."""
        from qwenvl.analysis import occlusion as causes

        return causes.painted(self, index, mask, **how)

    def deletion_curves(self, index: int, values: Tensor | None = None, **how: Any) -> Iterator[Curves]:
        """How the probability of a word falls while the cells of a map go; see `curves.deletion_curves`."""
        from qwenvl.analysis import deletion_curves as curves

        return curves.deletion_curves(self, index, values, **how)

    # --- queries and keys: kept, or replayed ---

    def _taps(self, site: str, layer: int) -> tuple[Tensor, Tensor]:
        q, k = tap_names(site, layer)
        held = next((taps for taps in (self.kept, self._replayed) if q in taps), None)
        held = held if held is not None else self._replay([(q, k)])
        return held[q], held[k]

    def _all_language_taps(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self._all_taps("language")

    def _all_taps(self, site: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Queries and keys of every layer in turn; what was not kept comes in replays as large as the budget allows."""
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
            raise RunError(f"{layer} was not kept in this run; load the run with its pipeline to replay that layer.")
        sizes, total, chosen = self.pipeline.tap_sizes(self), 0, list[str]()
        for pair in pairs:
            total += sum(sizes[name] for name in pair)
            if not chosen or total <= self.pipeline.max_trace_bytes:
                chosen += pair
        self._replayed = replayed = self.pipeline.replay(self, chosen)
        return replayed

    # --- what was asked for, checked ---

    def _check_site(self, site: str) -> None:
        if site == "adapter" and site not in self.sites:
            self.maps.adapter_rows(_EMPTY, _EMPTY, 0, [])
        if site not in self.sites:
            raise RunError(f"There is no site {site!r}; attention happens at {', '.join(map(repr, self.sites))}.")

    def _check_layer(self, site: str, layer: int | None) -> int:
        count = self.num_layers(site)
        if site == "adapter" and layer is None:
            return 0
        if not isinstance(layer, int) or isinstance(layer, bool) or not 0 <= layer < count:
            raise RunError(f"There is no {site} layer {layer!r}; its layers are 0 to {count - 1}.")
        return layer

    def _check_head(self, site: str, head: Head) -> None:
        if head is None or head == "mean" or site not in self.sites:
            return
        if not isinstance(head, int) or isinstance(head, bool) or not 0 <= head < self.num_heads(site):
            raise RunError(
                f"There is no {site} head {head!r}; its heads are 0 to {self.num_heads(site) - 1}, or 'mean'."
            )

    def _check_query(self, query: int, count: int, kind: str) -> int:
        if not isinstance(query, int) or isinstance(query, bool) or not 0 <= query < count:
            raise RunError(f"There is no {kind} {query!r}; this run has 0 to {count - 1}.")
        return query

    def _media(self, media: int) -> Media:
        if not self.media:
            raise RunError("This run has no picture; ask about one to see where it looks.")
        return self.media[self._check_query(media, len(self.media), "media")]

    # --- the way through the model ---

    def stages(self) -> tuple[Stage, ...]:
        """The steps from file to answer with their shapes, parameters and times; see `qwenvl.analysis.stages`."""
        from qwenvl.analysis.stages import stages

        return stages(self)

    def tower_statistics(self, **where: int) -> TowerStatistics:
        """How far, how evenly and how much on itself each layer and head of the tower looks; see `distances`."""
        from qwenvl.analysis.attention_distance import tower_statistics

        return tower_statistics(self, **where)

    def logit_lens(self, k: int = 5) -> Lens:
        """What every token's state reads as after every block, and how large it is; see `lens.logit_lens`."""
        from qwenvl.analysis.logit_lens import logit_lens

        return logit_lens(self, k)

    def word_probabilities(self, id: int, *, lens: Lens | None = None) -> Tensor:
        """How likely every token's state reads as one word after every block, (layers, tokens); see `lens`."""
        from qwenvl.analysis.logit_lens import word_probabilities

        return word_probabilities(self, id, lens=lens)

    def position_similarity(self, *, patch: int, media: int = 0) -> Tensor:
        """How alike the tower's position code holds a patch and the others of its frame, (rows, columns); `places`."""
        from qwenvl.analysis.position_code import position_similarity

        return position_similarity(self, patch=patch, media=media)

    # --- a file ---

    def save(self, path: str | Path) -> None:
        """Write the run into one file: question, answer, pictures, and the queries and keys that were kept."""
        from qwenvl.inference.run_file import save_run

        save_run(self, Path(path))

    @staticmethod
    def load(path: str | Path, pipeline: Pipeline | None = None) -> Run:
        """Read a run from its file.

        Args:
            pipeline: of the same model, to replay layers that were not kept; without it they are an error that says so.

        Raises:
            RunError: the file is missing, damaged or not a run, or the pipeline is another model's.
        """
        from qwenvl.inference.run_file import load_run

        run = load_run(Path(path))
        if pipeline is not None and pipeline.config != run.config:
            raise RunError(
                f"This run was made by {run.card.name}, not by {pipeline.name}; load it with its own pipeline."
            )
        return replace(run, pipeline=pipeline)


_EMPTY = torch.zeros(0, dtype=torch.int64)


def tap_names(site: str, layer: int) -> tuple[str, str]:
    """The names of a layer's query and key taps."""
    attend = "adapter.attend" if site == "adapter" else f"{site}.blocks.{layer}.attend"
    return f"{attend}.q", f"{attend}.k"


def causal_row(q: Tensor, k: Tensor, query: int) -> Tensor:
    """The row of one token from a decoder layer's q and k, (heads, query + 1)."""
    return attention_rows(q[:, :, query, None], k[:, :, : query + 1], [0])[0, :, 0]


def pick_head(rows: Tensor, head: Head) -> Tensor:
    """(heads, ...) as it is for None, the mean over heads, or one head."""
    if head is None:
        return rows
    return rows.mean(dim=0) if head == "mean" else rows[head]
