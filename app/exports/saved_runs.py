"""Exports a view of saved runs as a file without an open page, for the command line's `show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.exports.files import export_file
from app.serving.saved import pinned
from app.serving.session import Session
from app.views.payload import run_payload
from qwenvl.errors import RunError
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
    session = Session()
    ids = pinned(session, runs)
    selection = _selection(session, ids, view, choice)
    asked = {"view": view, "kind": KINDS[kind], "runs": ids, "selection": selection, "line": _line(selection)}
    return export_file(session, asked).content


KINDS = {"svg": "svg", "pdf": "pdf", "html": "page"}


def _selection(session: Session, ids: Mapping[str, str], view: str, choice: Mapping[str, Any]) -> dict[str, Any]:
    """What the page would have selected: the most telling word, layer and head of each run, or the given ones."""
    query, layer, head = {}, {}, {}
    for letter, run_id in ids.items():
        payload = run_payload(run_id, session.finished(run_id))
        start, words = payload["start"], payload["words"]
        word = start["word"] if choice.get("word") is None else choice["word"]
        if words and not 0 <= word < len(words):
            raise RunError(f"word must be a whole number from 0 to {len(words) - 1:,}: choose another.")
        query[letter] = words[word]["tokens"][0] if words else None
        layer[letter] = start["layer"] if choice.get("layer") is None else choice["layer"]
        head[letter] = start["head"] if choice.get("head") is None else choice["head"]
    media = choice.get("media") or 0
    return {"view": view, "query": query, "layer": layer, "head": head, "media": media, "frame": 0, "model": "A"}


def _line(selection: Mapping[str, Any]) -> str:
    """The selection as the page's address writes it."""
    models = [
        f"{letter}={query},{selection['layer'][letter]},{selection['head'][letter]}"
        for letter, query in selection["query"].items()
        if query is not None
    ]
    return ";".join([f"view={selection['view']}", "model=A", *models, f"media={selection['media']}"])
