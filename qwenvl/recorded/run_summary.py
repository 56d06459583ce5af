"""Shows a run in a few lines, and in a notebook with its first picture; saves its arrays for NumPy."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np

from qwenvl.errors import RunError
from qwenvl.recorded.rows import RunRows
from qwenvl.summaries import html_table

SIDE = 240  # pixels of the picture in a notebook, at most


def run_lines(run: RunRows) -> list[tuple[str, str]]:
    """Model, answer, media and counts of a run, (name, words) line by line; seven at most."""
    media = "; ".join(f"{each.kind} {each.size[0]} x {each.size[1]}" for each in run.media[:3])
    more = f"; {len(run.media) - 3} more" if len(run.media) > 3 else ""
    return [
        ("model", f"{run.card.name}, {run.card.parameters:,} parameters"),
        ("answer", run.answer),
        ("media", f"{media}{more}" or "none"),
        ("patches", f"{sum(each.num_patches for each in run.media):,}"),
        ("tokens", f"{len(run.tokens):,}: {sum(each.num_tokens for each in run.media):,} visual, "
                   f"{len(run.tokens) - run.answer_start:,} of the answer"),
        ("positions", f"0 to {int(run.positions.max()):,}"),
        ("kept", f"{len(run.kept):,} queries and keys, {run.nbytes / 2**20:.1f} MiB with pictures"
                 f"{'' if run.pipeline is not None else '; no pipeline'}"),
    ]  # fmt: skip


def run_html(run: RunRows) -> str:
    """The same as a table, beside the first picture or frame."""
    table = html_table("Run", run_lines(run))
    if not run.media:
        return table
    picture = run.media[0].frames[0].convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, format="PNG")
    source = base64.b64encode(file.getvalue()).decode("ascii")
    image = f'<img alt="{run.media[0].kind} 0" src="data:image/png;base64,{source}">'
    return f'<div style="display:flex;gap:1em;align-items:flex-start">{image}<div>{table}</div></div>'


def save_arrays(run: RunRows, path: Path) -> None:
    """Write ids, positions, visual tokens and what was kept as one .npz; see `Run.to_arrays`.

    Raises:
        RunError: another suffix, or the file cannot be written.
    """
    if path.suffix.lower() != ".npz":
        raise RunError(f"Arrays are written as .npz, not {path.suffix or 'a file without a suffix'}.")
    arrays = {
        "ids": np.array([token.id for token in run.tokens], dtype=np.int64),
        "kinds": np.array([token.kind for token in run.tokens]),
        "positions": run.positions.cpu().numpy(),
        "answer_start": np.array(run.answer_start),
        **{f"visual.{media}": places.numpy() for media, places in run.visual.items()},
        **{name: value.float().cpu().numpy() for name, value in run.kept.items()},
    }
    try:
        with path.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OSError:
        raise RunError(f"{path.name} cannot be written; choose a file in a folder that exists and has room.") from None
