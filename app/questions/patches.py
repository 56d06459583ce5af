"""What Patches asks: a media rebuilt from what the model received, and the rule that decided its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from PIL import Image

from app import pictures
from app.questions.contract import Look
from app.rows import media_index
from qwenvl.errors import RunError
from qwenvl.processing.limits import size_rule

RESIZED_SIDE = 320


def rebuilt(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "cell"}: the frame of this temporal cell as it turns back from the model's input.

    "picture" is rebuilt and whole; "resized" is what it is compared with, scaled down to be looked at. The figures are
    those of `Run.reconstructed`, over all frames of the cell.
    """
    finished = look(asked.get("run"))
    run = finished.run
    media = run.media[media_index(run, asked)]
    rebuilt = run.reconstructed(media_index(run, asked), _cell(asked, media.patch_grid[0]))
    limits = {name: finished.limits.get(name) for name in ("min_pixels", "max_pixels")}
    first = Image.fromarray(rebuilt.resized[0].numpy())
    first.thumbnail((RESIZED_SIDE, RESIZED_SIDE))
    return {
        "picture": pictures.png_url(Image.fromarray(rebuilt.frames[0].numpy())),
        "resized": pictures.png_url(first),
        "frames": len(rebuilt.frames),
        **{"values": rebuilt.values, "differing": rebuilt.differing},
        **{"maximum": rebuilt.maximum, "mean": rebuilt.mean},
        "rule": asdict(size_rule(media, run.config, **limits)),
    }


def _cell(asked: Mapping[str, Any], cells: int) -> int:
    cell = asked.get("cell", 0)
    if isinstance(cell, bool) or not isinstance(cell, int) or not 0 <= cell < cells:
        raise RunError(f"cell must be a whole number from 0 to {cells - 1:,}: choose another.")
    return cell
