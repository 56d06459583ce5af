"""Reads what is chosen of one run from what was posted: every index lies within the run, every name is known.

The page posts resolved choices: the layer, head, token and cells that it shows. Nothing is decided here a second time;
what is not posted is the mean of layers and heads, the first media, and no query.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast, get_args

from app.asking import posted as read
from app.asking.finished import Finished
from app.asking.posted import Box, Choice, Posted
from qwenvl.analysis.row_statistics import own_grid
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.processing.geometry.media import Media

Site = Literal["language", "vision", "adapter"]
Mode = Literal["raw", "sinks", "neutral"]

MOST_ADDED = 64  # rows averaged with the first
MOST_CELLS = 1 << 16
NO_MEDIA = "No picture in this question: add one and ask again."
NOTHING_CHOSEN = "Nothing is chosen: choose a word of an answer."
NO_ADAPTER = "Qwen2-VL has no adapter queries, its merger joins four patches: look at the Qwen-VL column."
NO_ROW = "No row predicts token 0: choose a later token."


@dataclass(frozen=True)
class Selection:
    """One column of the page: which row of which run, in which layer and head, on which media.

    Attributes:
        letter: of the column.
        site: where attention happens.
        layer, head: of the site; "mean" for their mean.
        media_index: which picture or clip; None where the run has none (`media` then raises).
        frame: the temporal cell that is shown, on the run's own patch grid; 0 for a still.
        query: a token of prompt and answer (language), a patch of the media (vision) or one of its adapter queries;
            None where nothing is chosen.
        predicts: whether the row is the one that predicts token `query`, not the row of `query` itself.
        also: more tokens, whose rows are averaged with that of `query`.
        cells: chosen cells of the media, on the model's own grid.
        region: a chosen rectangle of the picture.
        swapped: whether query and key have changed roles: the column of a key, in place of a row.
        mode: how a row is drawn: as it is, with its sinks set aside, or against a neutral question.
        adapter_head: of Qwen-VL's adapter, through which its rows reach the picture.
    """

    finished: Finished
    letter: str
    site: Site
    layer: Choice
    head: Choice
    media_index: int | None
    frame: int
    query: int | None
    predicts: bool
    also: tuple[int, ...]
    cells: tuple[int, ...]
    region: Box | None
    swapped: bool
    mode: Mode
    adapter_head: Choice

    @classmethod
    def of(cls, finished: Finished, posted: Posted, *, site: Site = "language", letter: str | None = None) -> Selection:
        """Read a selection of one run; `letter` is the run's own where none is given.

        Raises:
            RunError: an index outside the run, a site it has not, or something else than an index.
        """
        run = finished.run
        if site not in run.sites:
            raise RunError(NO_ADAPTER)
        media = read.index(posted, "media", len(run.media), default=0) if run.media else None
        return cls(
            finished=finished,
            letter=letter or finished.letter,
            site=site,
            layer=read.choice(posted, "layer", run.num_layers(site)),
            head=read.choice(posted, "head", run.num_heads(site)),
            media_index=media,
            frame=0 if media is None else read.index(posted, "frame", run.media[media].patch_grid[0], default=0),
            query=read.optional_index(posted, "query", _num_queries(run, site, media)),
            predicts=posted.get("why") is True,
            also=read.indices(posted, "also", len(run.tokens), MOST_ADDED),
            cells=() if media is None else read.indices(posted, "cells", math.prod(own_grid(run, media)), MOST_CELLS),
            region=read.box(posted, "region"),
            swapped=posted.get("swapped") is True,
            mode=cast(Mode, read.one_of(posted, "mode", get_args(Mode), default="raw")),
            adapter_head=read.choice(posted, "adapter_head", run.num_heads("adapter")) if _has_queries(run) else "mean",
        )

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.finished.run

    @property
    def media(self) -> int:
        """Which picture or clip. Raises `RunError` where the run has none."""
        if self.media_index is None:
            raise RunError(NO_MEDIA)
        return self.media_index

    @property
    def item(self) -> Media:
        """The picture or clip itself. Raises as `media`."""
        return self.run.media[self.media]

    @property
    def has_queries(self) -> bool:
        """Whether visual tokens are adapter queries (Qwen-VL), which are no places of the picture."""
        return _has_queries(self.run)

    @property
    def chosen(self) -> int:
        """The query. Raises `RunError` where none is chosen."""
        if self.query is None:
            raise RunError(NOTHING_CHOSEN)
        return self.query

    @property
    def row(self) -> int:
        """The row of the query: where it `predicts` a token, the row of the token before. Raises `RunError`."""
        return self._row_of(self.chosen)

    @property
    def rows(self) -> list[int]:
        """The rows of the query and of `also`, each once. Raises `RunError`."""
        return list(dict.fromkeys(map(self._row_of, (self.chosen, *self.also))))

    def _row_of(self, query: int) -> int:
        if self.predicts and query == 0:
            raise RunError(NO_ROW)
        return query - self.predicts


def _has_queries(run: Run) -> bool:
    return "adapter" in run.sites


def _num_queries(run: Run, site: Site, media: int | None) -> int:
    if site == "language":
        return len(run.tokens)
    if media is None:
        return 0
    return math.prod(run.media[media].patch_grid if site == "vision" else run.media[media].token_grid)
