"""Computes the map that the Answer view draws of one model, and writes the Python lines that compute it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.asking import words
from app.asking.selection import Selection
from app.exports.python_code import Name, call
from qwenvl.analysis.row_statistics import own_grid
from qwenvl.analysis.sinks import MOST, TIMES

MAKERS = {"sinks": "map_without_sinks", "neutral": "map_against_neutral"}


@dataclass(frozen=True)
class Drawn:
    """The rows and the way in which one model's map is drawn.

    Attributes:
        look: what is chosen of the model.
        mode: "raw"; "sinks", with sinks set aside; "neutral", against a neutral question.
        rows: of the language model, whose mean is drawn: one, unless words were added.
        parts: what the library gives of each row in this mode; empty for "raw".
        summed: of a clip, whether all its moments are drawn together, as a comparison of two models' maps sums them.
    """

    look: Selection
    mode: str
    rows: Sequence[int]
    parts: Sequence[Any]
    summed: bool = False

    @property
    def given(self) -> dict[str, Any]:
        """What every call about these rows is given, besides the row."""
        return {"layer": self.look.layer, "head": self.look.head, "media": self.look.media}

    @property
    def on_patches(self) -> bool:
        """Whether the model's own cells are patches: its visual tokens are adapter queries, no places."""
        return "adapter" in self.look.run.sites

    def cells(self) -> Tensor:
        """The mean map on the model's own cells, (t, h, w)."""
        look = self.look
        if self.mode != "raw":
            maps = [part.values if self.on_patches else part.weights for part in self.parts]
        else:
            make = look.run.image_map if self.on_patches else look.run.token_weights
            maps = [make(query=row, **self.given) for row in self.rows]
        return (maps[0] if len(maps) == 1 else torch.stack(maps).mean(dim=0)).view(own_grid(look.run, look.media))

    def map(self) -> Tensor:
        """What is drawn of these cells: one moment, or the sum of all, (h, w)."""
        cells = self.cells()
        return cells.sum(dim=0) if self.summed else cells[self.look.frame]

    def arrays(self) -> dict[str, np.ndarray]:
        """The map of a frame as it is drawn, the whole row or mean of rows it is a part of, and the sinks."""
        letter, found = self.look.letter, {}
        found[f"map_{letter}"] = self.map().numpy()
        if self.look.layer != "mean":
            found[f"row_{letter}"] = self._whole_row(self.look.layer).numpy()
        if self.mode == "sinks":
            found[f"sinks_{letter}"] = np.array(self.sink_keys(), dtype=np.int64)
        return found

    def _whole_row(self, layer: int) -> Tensor:
        total = torch.zeros(max(self.rows) + 1)
        for row in self.rows:
            total[: row + 1] += self.look.run.attention("language", query=row, layer=layer, head=self.look.head).cpu()
        return total / len(self.rows)

    def sink_keys(self) -> list[int]:
        """The sinks among the keys of these rows."""
        return sorted({key for part in self.parts for key in part.keys})

    def mean_of(self, name: str) -> float:
        """A figure of every row's part, averaged."""
        return float(sum(getattr(part, name) for part in self.parts)) / len(self.parts)

    def share(self) -> float:
        """How much of a row falls on this media, before anything is set aside."""
        weights = [self.look.run.token_weights(query=row, **self.given) for row in self.rows]
        return float(torch.stack(weights).double().sum(dim=1).mean())

    def lines(self) -> list[str]:
        """Python that leaves every array under its name."""
        look, letter = self.look, self.look.letter
        lines, cells = self._cells_code()
        if not self.on_patches:
            cells += f".reshape({look.run.media[look.media].token_grid})"
        lines.append(f"map_{letter} = {cells}{'.sum(dim=0)' if self.summed else f'[{look.frame}]'}.numpy()")
        if look.layer != "mean":
            lines += self._row_code()
        if self.mode == "sinks":
            each = (
                f"found_{letter}.keys"
                if len(self.rows) == 1
                else f"sorted({{key for one in found_{letter} for key in one.keys}})"
            )
            lines.append(f"sinks_{letter} = numpy.array({each}, dtype=numpy.int64)  # keys set aside")
        return lines

    def _cells_code(self) -> tuple[list[str], str]:
        run, several = f"run_{self.look.letter}", len(self.rows) > 1
        query = {"query": Name("row") if several else self.rows[0]}
        if self.mode == "raw":
            made = call(f"{run}.{'image_map' if self.on_patches else 'token_weights'}", **query, **self.given)
            return [], f"torch.stack([{made} for row in {list(self.rows)}]).mean(dim=0)" if several else made
        found, name = f"found_{self.look.letter}", "values" if self.on_patches else "weights"
        made = call(f"{run}.{MAKERS[self.mode]}", **query, **self.given)
        if several:
            each = f"torch.stack([one.{name} for one in {found}]).mean(dim=0)"
            return [f"{found} = [{made} for row in {list(self.rows)}]"], each
        return [f"{found} = {made}"], f"{found}.{name}"

    def _row_code(self) -> list[str]:
        letter, at = self.look.letter, {"layer": self.look.layer, "head": self.look.head}
        if len(self.rows) == 1:
            row = call(f"run_{letter}.attention", '"language"', query=self.rows[0], **at)
            return [f"row_{letter} = {row}.cpu().numpy()  # all keys"]
        row = call(f"run_{letter}.attention", '"language"', query=Name("row"), **at)
        return [
            f"row_{letter} = numpy.zeros({max(self.rows) + 1}, dtype=numpy.float32)  # all keys, mean of the rows",
            f"for row in {list(self.rows)}:",
            f"    row_{letter}[: row + 1] += {row}.cpu().numpy() / {len(self.rows)}",
        ]

    def foot(self) -> str:
        """What stands beneath the map; empty where the figure says its share itself."""
        clip = self.look.run.media[self.look.media].patch_grid[0] > 1
        if self.mode == "sinks":
            left = float(self.map().double().sum())
            there = "this picture" if not clip else "this clip" if self.summed else "this frame"
            return f"{words.percent(left)} of the row on {there}, sinks aside"
        if self.mode == "neutral":
            share, neutral = words.percent(self.share()), words.percent(self.mean_of("neutral_share"))
            return f"share here {share}, neutral row {neutral}"
        return ""

    def words(self) -> str:
        """What was done to the rows, for the caption."""
        if self.mode == "sinks":
            if not self.sink_keys():
                return "no key of it is a sink"
            removed, here = (words.percent(self.mean_of(name)) for name in ("removed", "removed_here"))
            where = "clip" if self.look.run.media[self.look.media].patch_grid[0] > 1 else "picture"
            return f"sinks set aside: {removed} of the row in all, {here} on this {where}"
        if self.mode == "neutral":
            return f"{words.percent(self.mean_of('neutral_share'))} of the neutral row"
        return ""

    def facts(self) -> dict[str, Any]:
        """The same for JSON."""
        told: dict[str, Any] = {"summed_over_time": self.summed} if self.summed else {}
        told |= {"rows": list(self.rows), "mode": self.mode, "share": self.share()}
        if self.mode == "sinks":
            told |= {"removed": self.mean_of("removed"), "removed_here": self.mean_of("removed_here")}
            told |= {"sink_keys": self.sink_keys()}
        if self.mode == "neutral":
            told["normalised"] = "map scaled to sum to 1, minus the same of the neutral question's last row"
            told |= {"neutral_question": self.parts[0].question, "neutral_share": self.mean_of("neutral_share")}
        return told


SINKS = (
    f"A sink is a key that gets at least {TIMES:g} times the even share, mean of heads, in at least "
    f"{100 * MOST:g} % of the rows after it, layer by layer; it counts 0, nothing is scaled up to make good."
)
NEUTRAL = (
    "Each map scaled to sum to 1, minus the same of the last row of the prompt “{question}” about the same picture, "
    "same layer and head: the row's image attention that a cell gets more (teal) or less (rose) than there."
)


def drawn(look: Selection, *, summed: bool) -> Drawn:
    """What Answer draws of one model; `summed`: of a clip all moments together."""
    given = {"layer": look.layer, "head": look.head, "media": look.media}
    make = getattr(look.run, MAKERS[look.mode]) if look.mode in MAKERS else None
    parts = [make(query=row, **given) for row in look.rows] if make else []
    return Drawn(look=look, mode=look.mode, rows=look.rows, parts=parts, summed=summed)
