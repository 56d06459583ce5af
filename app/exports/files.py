"""Makes an export a file to download, within bounds, and removes from disk what is no longer needed."""

from __future__ import annotations

import io
import json
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted, named
from app.exports import EXPORTS
from app.exports.exported import Exported
from app.exports.figures.animation import SECONDS_A_CELL, play
from app.exports.manifest import manifest
from app.exports.saved_page import MAX_LINKS, MAX_SEEN, Link, Question, frozen_page
from app.exports.single_file import known_views
from app.serving.api import server_functions
from app.serving.session import Session
from qwenvl.errors import PromptError, RunError

MAX_FIGURE_BYTES = 64 << 20
MAX_RUN_BYTES = 2 << 30
MAX_LINE = 8000  # letters of a selection as the address writes it
PATIENCE = 60.0  # seconds to wait for exports of other visitors
EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every file in an archive, so that equal numbers are equal bytes
NO_FIGURE = "This view has no figure for print yet: choose another view, or the interactive page."
BUSY = "Other exports are being made: try again in a moment."

_one_at_a_time = threading.Lock()  # a figure takes a second of one core: two at once would slow every hover


@dataclass(frozen=True)
class File:
    """A file to download: its name, what it is, and its bytes."""

    name: str
    media_type: str
    content: bytes


def export_file(session: Session, asked: Posted) -> File:
    """Make one file.

    Args:
        session: where the runs are.
        asked: {"view": name, "kind": one of KINDS, "runs": {letter: id}, "selection": {letter: what the page shows of
            that run, its choices resolved}}, for a run file its "letter", and for a page its "line", "seen", "links",
            "visited" and "outside" (`frozen_page`). Anybody may have posted it; the ids are the permission.

    Raises:
        UserError: what cannot be made, in one sentence.
    """
    kind = asked.get("kind")
    make = KINDS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise PromptError(f"There is no such export: choose one of {', '.join(KINDS)}.")
    runs = _runs(session, asked)
    if not _one_at_a_time.acquire(timeout=PATIENCE):
        raise RunError(BUSY)
    try:
        return make(session, runs, asked)
    finally:
        _one_at_a_time.release()


def exported(runs: Mapping[str, Finished], asked: Posted) -> tuple[str, Exported]:
    """The view that was asked for, as an `Exported`, and its name. Raises as `export_file`."""
    view = asked.get("view")
    export = EXPORTS.get(view) if isinstance(view, str) else None
    if export is None:
        raise PromptError(NO_FIGURE)
    return str(view), export(runs, _columns(runs, asked))


def _columns(runs: Mapping[str, Finished], asked: Posted) -> dict[str, Posted]:
    """What was posted of each run's column."""
    selection = asked.get("selection")
    if not isinstance(selection, dict):
        raise PromptError("selection must be one object: send what the page shows of each run.")
    return {letter: named(selection, letter) for letter in runs}


def _runs(session: Session, asked: Posted) -> dict[str, Finished]:
    """The runs of the page by their letters, A before B."""
    ids = asked.get("runs")
    ids = ids if isinstance(ids, dict) else {}
    runs = {letter: session.store.get(ids[letter]) for letter in session.letters if ids.get(letter)}
    if not runs:
        raise PromptError("There is no answer to export yet: ask a question first.")
    return runs


# --- one function a kind ---


def _svg(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    return _drawn(runs, asked, "svg", "image/svg+xml")


def _pdf(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    return _drawn(runs, asked, "pdf", "application/pdf")


def _drawn(runs: Mapping[str, Finished], asked: Posted, format: Any, media_type: str) -> File:
    view, found = exported(runs, asked)
    content = viz.rendered(found.figure, format=format)
    if len(content) > MAX_FIGURE_BYTES:
        raise RunError("This figure would be larger than 64 MiB: choose fewer cells, or take the numbers.")
    return File(f"{view}.{format}", media_type, content)


def _numbers(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    view, found = exported(runs, asked)
    arrays = io.BytesIO()
    np.savez(arrays, **found.arrays)  # type: ignore[arg-type]
    described = json.dumps(manifest(view, runs, found), ensure_ascii=False, indent=1)
    files = [("numbers.npz", arrays.getvalue()), ("manifest.json", described.encode())]
    return File(f"{view}-numbers.zip", "application/zip", archive(files))


def _lines(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    view, found = exported(runs, asked)
    return File(f"{view}.py", "text/x-python; charset=utf-8", found.lines.encode())


def _run_file(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    finished = runs.get(letter) if isinstance(letter := asked.get("letter"), str) else None
    if finished is None:
        raise PromptError("There is no such run on the page: choose one that is.")
    if finished.nbytes > MAX_RUN_BYTES:
        raise RunError("This run is larger than 2 GiB: save it from the library, run.save(path).")
    with tempfile.TemporaryDirectory(prefix="inside-qwen-vl-") as folder:
        path = Path(folder) / f"{letter}.run"
        finished.run.save(path)
        return File(path.name, "application/octet-stream", path.read_bytes())


def _gif(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    return _played(runs, asked, "gif", "image/gif")


def _mp4(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    return _played(runs, asked, "mp4", "video/mp4")


def _played(runs: Mapping[str, Finished], asked: Posted, format: Any, media_type: str) -> File:
    content = viz.animation(play(runs, _columns(runs, asked)), fps=1 / SECONDS_A_CELL, format=format)
    return File(f"clip.{format}", media_type, content)


def _page(session: Session, runs: Mapping[str, Finished], asked: Posted) -> File:
    view, line = asked.get("view"), asked.get("line")
    if view not in known_views():
        raise PromptError("There is no such view: choose one of the page's.")
    if not isinstance(line, str) or len(line) > MAX_LINE:
        raise PromptError("line must be the selection as the page's address writes it: send that.")
    functions = {function.__name__: function for function in server_functions(session)}
    ids = {letter: str(asked["runs"][letter]) for letter in runs}
    page = frozen_page(
        runs,
        ids,
        functions,
        view=view,
        visited=_visited(asked),
        line=line,
        seen=_seen(asked),
        links=_links(asked),
        outside=asked.get("outside") is True,
    )
    return File(f"{view}.html", "text/html; charset=utf-8", page.encode())


def _visited(asked: Posted) -> list[str]:
    """Names of views; anything else is left out."""
    visited = asked.get("visited")
    return [name for name in visited if isinstance(name, str)] if isinstance(visited, list) else []


def _seen(asked: Posted) -> list[Question]:
    """What the page has asked already: pairs of a name and one object; anything else is left out."""
    seen = asked.get("seen")
    pairs = seen[:MAX_SEEN] if isinstance(seen, list) else []
    pairs = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    return [(name, one) for name, one in pairs if isinstance(name, str) and isinstance(one, dict)]


def _links(asked: Posted) -> list[Link]:
    """Words of the two answers that the page links to each other: pairs of indices; anything else is left out."""
    links = asked.get("links")
    pairs = links[:MAX_LINKS] if isinstance(links, list) else []
    pairs = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    return [(here, there) for here, there in pairs if _is_index(here) and _is_index(there)]


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


KINDS: dict[str, Callable[[Session, Mapping[str, Finished], Posted], File]] = {
    "svg": _svg,
    "pdf": _pdf,
    "page": _page,
    "numbers": _numbers,
    "lines": _lines,
    "run": _run_file,
    "gif": _gif,
    "mp4": _mp4,
}


def archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip archive of named files, the same bytes whenever it is made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files:
            file.writestr(zipfile.ZipInfo(name, EPOCH), data, compress_type=zipfile.ZIP_DEFLATED)
    return content.getvalue()
