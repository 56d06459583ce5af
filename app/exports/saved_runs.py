"""Exports a view of saved runs as a file without an open page, for the command line's `show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.asking.finished import Finished
from app.asking.posted import index
from app.exports import EXPORTS
from app.exports.files import export_file
from app.serving.saved import pinned
from app.serving.session import Session
from app.views.payload import run_payload
from app.views.vision import most_focused
from qwenvl.errors import RunError
from qwenvl.errors import shown as quoted
from qwenvl.inference.run import Run


def drawn(runs: Sequence[Run], *, kind: str, view: str, choice: Mapping[str, Any]) -> bytes:
    """A view of saved runs as a file.

    Args:
        runs: one or two.
        kind: "svg", "pdf", or "html", the page as one file.
        view: as the page's tabs, in lower case.
        choice: "word" of the answer, "layer" and "head" of the language model, "media"; None or absent: the most
            telling.

    Raises:
        UserError: what cannot be drawn.
    """
    if view not in EXPORTS:
        raise RunError(f"There is no view {quoted(view)}: choose one of {', '.join(EXPORTS)}.")
    session = Session()
    ids = pinned(session, runs)
    shown = {letter: _posted(session.store.get(run_id), run_id, view, choice) for letter, run_id in ids.items()}
    asked = {"view": view, "kind": KINDS[kind], "runs": ids, "selection": shown, "line": _line(view, shown)}
    return export_file(session, asked).content


KINDS = {"svg": "svg", "pdf": "pdf", "html": "page"}


def _posted(finished: Finished, run_id: str, view: str, choice: Mapping[str, Any]) -> dict[str, Any]:
    """What the page would post of a run that it has just opened, but for what was chosen."""
    payload = run_payload(run_id, finished)
    start, words = payload["start"], payload["words"]
    word = start["word"] if choice.get("word") is None else choice["word"]
    if words and not 0 <= word < len(words):
        raise RunError(f"word must be a whole number from 0 to {len(words) - 1:,}: choose another.")
    found: dict[str, Any] = {
        "query": words[word]["tokens"][0] if words else None,
        "why": True,
        "layer": start["layer"] if choice.get("layer") is None else choice["layer"],
        "head": start["head"] if choice.get("head") is None else choice["head"],
    }
    if not finished.run.media:
        return found
    found["media"] = choice.get("media") or 0
    return {**found, **_of_view(finished, view, found["media"])}


def _of_view(finished: Finished, view: str, media: int) -> dict[str, Any]:
    """What a view begins with where it is no row of the language model."""
    if view == "adapter":
        return {"query": 0, "layer": 0, "head": "mean"}
    if view == "causes":
        return {"tool": "paint", "fill": "mean", "place": {"kind": "half"}}
    if view != "vision":
        return {}
    _, rows, columns = finished.run.media[index({"media": media}, "media", len(finished.run.media))].patch_grid
    layer, head = most_focused(finished.run.tower_statistics(media=media))
    return {"query": rows // 2 * columns + columns // 2, "layer": layer, "head": head}


def _line(view: str, shown: Mapping[str, Mapping[str, Any]]) -> str:
    """The selection as the page's address writes it."""
    models = [
        f"{letter}={one['query']},{one['layer']},{one['head']}"
        for letter, one in shown.items()
        if one["query"] is not None and "layer" in one and view not in ("adapter", "vision")
    ]
    media = next((one["media"] for one in shown.values() if "media" in one), 0)
    return ";".join([f"view={view}", "model=A", *models, f"media={media}"])
