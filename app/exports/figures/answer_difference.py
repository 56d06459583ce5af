"""Exports the difference of both models' maps of one picture: its numbers and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.asking import words
from app.exports.figures.answer_maps import Drawn
from qwenvl.analysis.map_agreement import Agreement, agreement
from qwenvl.errors import RunError


def compared(maps: Sequence[Drawn]) -> Agreement:
    """The two maps compared as the page does.

    Raises:
        RunError: there are no two maps, they are of two pictures, or one has nothing on the picture.
    """
    if len(maps) != 2:
        raise RunError("A difference needs the maps of both models: ask both, or choose another scale.")
    sizes = [one.look.run.media[one.look.media].size for one in maps]
    if sizes[0] != sizes[1]:
        raise RunError("These maps are of two different pictures: choose the same picture in both models.")
    found = agreement(maps[0].map(), maps[1].map(), sizes[0])
    if found is None:
        raise RunError("One of the two maps has nothing on the picture: there is no difference to draw.")
    return found


def arrays(found: Agreement) -> dict[str, np.ndarray]:
    """The lines of the common grid, and the difference in each of its pieces."""
    return {"xs": found.xs.numpy(), "ys": found.ys.numpy(), "difference": found.difference.numpy()}


def lines(maps: Sequence[Drawn]) -> list[str]:
    """The same as Python, after the maps."""
    one, two = (one.look.letter for one in maps)
    both = f"torch.from_numpy(map_{one}), torch.from_numpy(map_{two})"
    return [
        f"agreed = agreement({both}, run_{one}.media[{maps[0].look.media}].size)",
        "xs, ys, difference = agreed.xs.numpy(), agreed.ys.numpy(), agreed.difference.numpy()",
    ]


def beside(found: Agreement, maps: Sequence[Drawn]) -> list[str]:
    """The lines beside the difference."""
    one, two = (one.look.letter for one in maps)
    first, second = (f"{pixels:,.0f} px" for pixels in found.half_pixels)
    rows, columns = found.difference.shape
    return [
        f"IoU {found.iou:.3f}, JS distance {found.js_distance:.3f}",
        f"IoU: of the areas that hold half of each map (dashed above: {first} in {one}, {second} in {two}), what lies "
        "in both over what lies in either. 1: the same place, 0: apart.",
        "JS: square root of the Jensen-Shannon divergence in bits. 0: the same map, 1: nowhere in the same place.",
        f"Teal: {one} looks there more; rose: {two} does. Scale: multiples of an even map.",
        f"Common grid: {words.grid((1, rows, columns))} pieces, between the lines of both grids.",
    ]


def caption(found: Agreement, maps: Sequence[Drawn]) -> str:
    """What the difference is."""
    one, two = (one.look.letter for one in maps)
    return (
        f"Beneath: {one} minus {two} by area on their common grid, each map scaled to sum to 1 and told in multiples "
        f"of an even map, from rose to teal, to the largest size on either side, zero bare: IoU of the halves "
        f"{found.iou:.3f}, Jensen-Shannon distance {found.js_distance:.3f}."
    )


def facts(found: Agreement) -> dict[str, Any]:
    """The figures, and what they belong to."""
    return {
        "iou": found.iou,
        "js_distance": found.js_distance,
        "half_pixels": list(found.half_pixels),
        "difference": "first minus second, maps scaled to sum to 1, in multiples of an even map, rows by columns",
        "xs, ys": "lines of the common grid, 0..1 of the picture",
    }
