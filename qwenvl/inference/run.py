"""Defines `Run`: one question asked of one model, its answer, and all that can be asked of it afterwards.

It is the public face of the kernel (`qwenvl.recorded.rows`) and of the analyses (`qwenvl.analysis`): a method here is
one call there, and the docstring there says how it is computed. It draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from qwenvl.analysis.adapter_codes import CodeSimilarity, code_similarity
from qwenvl.analysis.adapter_statistics import ALIKE, QueryStatistics, query_statistics
from qwenvl.analysis.answer_boxes import AnswerBox, answer_boxes
from qwenvl.analysis.attention_distance import QUERIES, TowerStatistics, tower_statistics
from qwenvl.analysis.columns import column
from qwenvl.analysis.deletion_curves import Curves, deletion_curves
from qwenvl.analysis.flow import Flow, Pair, flow
from qwenvl.analysis.logit_lens import Lens, logit_lens, word_probabilities
from qwenvl.analysis.neutral_question import Relative, map_against_neutral
from qwenvl.analysis.occlusion import Effect, Rows, painted, without
from qwenvl.analysis.position_code import position_similarity
from qwenvl.analysis.pruning import SHARES, Pruning, Ranking, pruned
from qwenvl.analysis.regions import Pixels
from qwenvl.analysis.row_statistics import RowStatistics, row_statistics
from qwenvl.analysis.sinks import SinksAside, map_without_sinks, sinks
from qwenvl.analysis.stages import Stage, stages
from qwenvl.analysis.whole_layers import whole_layer
from qwenvl.errors import RunError
from qwenvl.processing.geometry.reconstruction import Reconstruction, reconstruct
from qwenvl.recorded.edits import Edit
from qwenvl.recorded.indices import check_index
from qwenvl.recorded.kept_layers import Keep
from qwenvl.recorded.rows import Head, Layer, Replayer, RunRows
from qwenvl.recorded.run_file import RunParts, load_parts, save_parts
from qwenvl.recorded.run_summary import run_html, run_lines, save_arrays
from qwenvl.summaries import Summary


@dataclass(eq=False, repr=False)
class Run(Summary, RunRows):
    """One question asked of one model.

    `run.tokens[i]` counts prompt and answer from 0. The row that predicts answer token i is the row of token i - 1;
    methods here take the row's own index. Indices may be integers of Python, NumPy or torch.

    Attributes:
        answer: the answer's text, without its end token.
        positions: int64 (3, tokens), the ids each token was rotated by; three equal rows in Qwen-VL.
        media: pictures and clips in the order they were asked about.
        kept: queries and keys by the name of their tap.
        pipeline: the one that made the run, or that it was loaded with; None otherwise.
    """

    def summary(self) -> list[tuple[str, str]]:
        """Model, answer, media and counts."""
        return run_lines(self)

    def _repr_html_(self) -> str:
        return run_html(self)

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: all but the pipeline and what can be computed anew."""
        return {**vars(self), "pipeline": None, "_replayed": {}, "_adapter": {}, "_remembered": {}}

    # --- rows of attention ---

    def attention(
        self, site: str, *, query: int | None, layer: int | None = None, head: Head = None, media: int = 0
    ) -> Tensor:
        """One row of attention, exact: softmax(q k^T / sqrt(head_dim)) from the queries and keys of this run; or all.

        Args:
            site: "language": `query` is a token, keys are the tokens up to it. "vision": a patch of `media` in raster
                order (t, row, column), keys are the patches of its own segment (a picture, or one temporal patch of a
                clip). "adapter": one of Qwen-VL's 256 queries (frame * 256 + query for a clip), keys are the patches of
                its frame.
            query: from 0; None for every row of the layer, up to 256 MiB of them.
            layer: of the site; the adapter has only layer 0.
            head: None for all, "mean" for their mean, or one of them.

        Returns:
            float32 (heads, keys), or (keys,) for one head or the mean; every row sums to 1. Of all rows (heads,
            queries, keys) or (queries, keys): of "language" tokens by tokens, 0 where a token does not see another.

        Raises:
            RunError: no such site, layer, head, query or media; more than 256 MiB; or a layer that was not kept and no
                pipeline to replay it.
        """
        if query is None:
            return whole_layer(self, site, layer=layer, head=head, media=media)
        return super().attention(site, query=query, layer=layer, head=head, media=media)

    # --- the media ---

    def reconstructed(self, media: int = 0, cell: int | None = None) -> Reconstruction:
        """A media's frames, rebuilt from the very tensor the model received, and how far they are from the resized.

        Args:
            cell: one temporal cell of the patch grid alone; None for all.

        Raises:
            RunError: no such media or temporal cell.
        """
        item = self.media[self.check_media(media)]
        cell = None if cell is None else check_index(cell, item.patch_grid[0], "temporal cell", owner=item.name)
        return reconstruct(item, self.config, cell)

    def stages(self) -> tuple[Stage, ...]:
        """The eight steps from file to answer, each with its shape, parameters and seconds."""
        return stages(self)

    def boxes(self, media: int | None = None) -> list[AnswerBox]:
        """Every box the answer writes, sound or not, with the tokens that write it.

        Args:
            media: the media they are drawn on; None for the latest.

        Raises:
            RunError: no such media.
        """
        return answer_boxes(self, media=media)

    # --- rows and columns of attention ---

    def column(self, site: str, *, key: int, layer: Layer | None = None, head: Head = None, media: int = 0) -> Tensor:
        """The weight of one key in every row that may see it, exact.

        Args:
            site: "language": `key` is a token, rows are its own and those of every later token. "vision": a patch of
                `media`, rows are the patches of its segment. "adapter": a patch, rows are the queries of its frame.
            layer: of the site, or "mean" over all (language alone); the adapter has only layer 0.
            head: None for all, "mean" for their mean, or one of them.

        Returns:
            float32 (heads, rows), or (rows,) for one head or the mean.

        Raises:
            RunError: as `attention`, for a key that is none.
        """
        return column(self, site, key=key, layer=layer, head=head, media=media)

    def statistics(self, query: int, media: int = 0) -> RowStatistics:
        """Statistics of a token's row, by layer and head: float32 (layers, heads) each.

        They are the share on the visual tokens (0 to 1), entropy on this media (bits), mean distance from the centre of
        mass (pixels of the original), and the share on attention sinks.

        Raises:
            RunError: no such token or media, or layers that were not kept and no pipeline to replay them.
        """
        return row_statistics(self, query=query, media=media)

    def sinks(self, layer: int) -> list[int]:
        """Attention sinks of a language layer: the tokens that draw a large share of most rows, in order.

        Raises:
            RunError: no such layer, or it was not kept and there is no pipeline to replay it.
        """
        return sinks(self, layer)

    def map_without_sinks(
        self, *, query: int, layer: Layer = "mean", head: Head = "mean", adapter_head: Head = "mean", media: int = 0
    ) -> SinksAside:
        """`image_map` with the attention sinks of each layer set aside, and how much of the row they took.

        Args, Raises: as `image_map`.
        """
        return map_without_sinks(self, query=query, layer=layer, head=head, adapter_head=adapter_head, media=media)

    def map_against_neutral(
        self, *, query: int, layer: Layer = "mean", head: Head = "mean", adapter_head: Head = "mean", media: int = 0
    ) -> Relative:
        """`image_map` relative to a neutral question ("Describe the image.") on the same media, asked once.

        Args: as `image_map`.

        Raises:
            RunError: as `image_map`, or a run without its pipeline, which asks the neutral question.
        """
        return map_against_neutral(self, query=query, layer=layer, head=head, adapter_head=adapter_head, media=media)

    # --- Qwen-VL's adapter ---

    def query_statistics(
        self, *, media: int = 0, frame: int = 0, head: Head = "mean", alike: float = ALIKE
    ) -> QueryStatistics:
        """Entropy (bits), coverage, overlap and orders of the adapter's queries on a frame.

        Args:
            media, frame, head: as `adapter_matrix`.
            alike: from which overlap, 0 to 1, two queries count as redundant.

        Raises:
            RunError: as `adapter_matrix`.
        """
        matrix = self.adapter_matrix(media=media, frame=frame, head=head)
        return query_statistics(matrix, self.media[self.check_media(media)].patch_grid, alike=alike)

    def code_similarity(self) -> CodeSimilarity:
        """Cosine similarity of the adapter's position codes: queries against patches, and queries against queries.

        Raises:
            RunError: Qwen2-VL, whose adapter has no such code; a run without its pipeline, whose model holds it.
        """
        return code_similarity(self)

    # --- the vision tower ---

    def tower_statistics(self, *, media: int = 0, frame: int = 0, queries: int = QUERIES) -> TowerStatistics:
        """Attention distance (patches), entropy (bits) and share on itself, by layer and head of the vision tower.

        Args:
            frame: of a clip: a frame (Qwen-VL) or a temporal patch (Qwen2-VL).
            queries: how many rows to average, evenly spread over the picture.

        Raises:
            RunError: no such media or frame, or layers that were not kept and no pipeline to replay them.
        """
        return tower_statistics(self, media=media, frame=frame, queries=queries)

    def position_similarity(self, *, patch: int, media: int = 0) -> Tensor:
        """Similarity of a patch and every patch of its frame in the tower's position code alone, without any picture.

        Args:
            patch: of the media, in raster order (t, row, column).

        Returns:
            float32 (rows, columns), -1 to 1; 1 at the patch itself.

        Raises:
            RunError: no such patch or media, or Qwen-VL's run without its pipeline, whose model holds the table.
        """
        return position_similarity(self, patch=patch, media=media)

    # --- the language model, layer by layer ---

    def logit_lens(self, k: int = 5) -> Lens:
        """The logit lens: what every token's state reads as after every block, and the length of each state.

        Args:
            k: how many of the likeliest words per state.

        Raises:
            RunError: a run without its pipeline, which holds the weights.
        """
        return logit_lens(self, k)

    def word_probabilities(self, id: int, *, lens: Lens | None = None) -> Tensor:
        """The logit lens of one word: its probability at every token after every block, float32 (layers, tokens).

        Args:
            id: of the word in the model's vocabulary.
            lens: `logit_lens` of this run, where it is at hand; it saves half of the work.

        Raises:
            RunError: no such id, or a run without its pipeline.
        """
        return word_probabilities(self, id, lens=lens)

    # --- interventions ---

    def edited(self, edits: Sequence[Edit], *, keep: Keep | None = None) -> Run:
        """The same answer told again by an edited model, and everything that can be asked of it.

        Args:
            edits: of `qwenvl.recorded.edits`, such as `qwenvl.Knockout`, after those this run already has.
            keep: as `Pipeline.stream`.

        Raises:
            RunError: an edit that names what this run has not, or a run without its pipeline.
        """
        if self.pipeline is None:
            raise RunError("An edited answer needs the model's weights; load the run with its pipeline.")
        found = self.pipeline.edited(self, edits, keep)
        assert isinstance(found, Run)
        return found

    def without(
        self,
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
        """Attention knockout: the answer rescored with patches or visual tokens hidden from attention.

        Args:
            index: the answer token in question.
            patches: raster indices on the patch grid of `media`; give these or `visual`. Qwen-VL hides them from the
                adapter, Qwen2-VL hides the visual tokens they are part of.
            visual: visual tokens of `media`, counted from 0.
            layers: of the language model, such as range(2, 5); None for all.
            heads: of these layers; None for all.
            rows: "answer", the rows that predict the answer; "text", those of every later token that is not visual.
            k: how many of the likeliest tokens to give.

        Raises:
            RunError: no such token, patch, layer, head or media; every patch of a picture hidden from the adapter; or
                a run without its pipeline.
        """
        return without(
            self, index, patches=patches, visual=visual, media=media, layers=layers, heads=heads, rows=rows, k=k
        )

    def flow(
        self,
        *,
        pairs: Sequence[Pair] | None = None,
        region: Sequence[int] | None = None,
        media: int | None = None,
        width: int | None = None,
        batch: int | None = None,
    ) -> Iterator[Flow]:
        """Through which layers information travels: the answer rescored with pairs of groups cut in a moving window.

        Args:
            pairs: (from, to), each "image", "region", "question", "answer" or "last" (the row that predicts the first
                word); None for image to question, image to last, question to last, and those from a region.
            region: visual tokens of `media`, counted from 0.
            media: "image" is this media alone; None for all.
            width: layers of a window, odd; None for 9 of 32, 1 of 4.
            batch: re-tellings a forward pass; None for as many as are faster together.

        Yields:
            `Flow` after each forward pass, the last one finished. Stop reading to stop the work.

        Raises:
            RunError: no such media, token or group, groups that share a token, no answer, or no pipeline.
        """
        return flow(self, pairs=pairs, region=region, media=media, width=width, batch=batch)

    def pruned(
        self, *, layer: int, ranking: Ranking = "row", shares: Sequence[float] = SHARES, seed: int = 0
    ) -> Pruning:
        """What if visual tokens were dropped after a layer: the answer rescored with ever more of them gone.

        Args:
            layer: of the language model, any but its last.
            ranking: "row" (the last prompt row's weight at that layer), "tower" (what each received there), "random".
            shares: of all visual tokens, each 0 to 1.
            seed: of "random".

        Raises:
            RunError: no answer, no picture, no such layer or ranking, a share out of range, or no pipeline.
        """
        return pruned(self, ranking=ranking, layer=layer, shares=shares, seed=seed)

    def painted(self, index: int, mask: Pixels, *, media: int = 0, fill: str = "mean", k: int = 5) -> Effect:
        """Occlusion: the answer rescored about a picture with some of its pixels painted over.

        Args:
            index: the answer token in question.
            mask: bool (height, width) in pixels of the original, or (t, height, width) with t of the patch grid.
            fill: "mean", "black" or "blurred".
            k: how many of the likeliest tokens to give.

        Raises:
            RunError: no such token, media or fill, a mask of another shape, or a run without its pipeline.
        """
        return painted(self, index, mask, media=media, fill=fill, k=k)

    def deletion_curves(
        self,
        index: int,
        values: Tensor | None = None,
        *,
        media: int = 0,
        layer: Layer = "mean",
        head: Head = "mean",
        steps: int = 10,
        seeds: int = 5,
        fill: str = "mean",
    ) -> Iterator[Curves]:
        """Deletion and insertion curves: the probability of a word while the cells of a map are painted over.

        Args:
            index: the answer token whose probability is followed.
            values: of the cells; None for the run's own map of the row that predicts `index`, at `layer` and `head`.
            steps: pictures per order, 1 to 50.
            seeds: random orders to compare with, 0 to 20.
            fill: "mean", "black" or "blurred".

        Yields:
            `Curves` after each forward pass, the last one finished. Stop reading to stop the work.

        Raises:
            RunError: steps, seeds or a fill out of range, values that fit no grid, or as `painted`.
        """
        return deletion_curves(
            self, index, values, media=media, layer=layer, head=head, steps=steps, seeds=seeds, fill=fill
        )

    # --- a file ---

    def to_arrays(self, path: str | Path) -> None:
        """Write the run's arrays into one .npz, for NumPy.

        They are "ids" int64 (tokens,), "kinds" (tokens,), "positions" int64 (3, tokens), "answer_start", for each media
        "visual.N" int64 (visual tokens,), and the queries and keys that were kept, float32, by the names of their taps.

        Raises:
            RunError: another suffix, or the file cannot be written.
        """
        save_arrays(self, Path(path))

    def save(self, path: str | Path) -> None:
        """Write the run into one file: question, answer, pictures, and the queries and keys that were kept.

        Raises:
            RunError: the file cannot be written.
        """
        save_parts(RunParts(self.record, self.media, self.positions, self.kept), Path(path))

    @staticmethod
    def load(path: str | Path, pipeline: Replayer | None = None) -> Run:
        """Read a run from its file.

        Args:
            pipeline: of the same model, to replay layers that were not kept; without it they are an error that says so.

        Raises:
            RunError: the file is missing, damaged or not a run, or the pipeline is another model's.
        """
        parts = load_parts(Path(path))
        if pipeline is not None and pipeline.config != parts.record.config:
            raise RunError(
                f"This run was made by {parts.record.card.name}, not by {pipeline.name}; load it with its own pipeline."
            )
        return Run(parts.record, parts.media, parts.positions, parts.kept, pipeline)
