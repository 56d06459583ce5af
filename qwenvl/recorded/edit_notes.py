"""Says in sentences what a run's model was changed by: its edits, and hooks that somebody had left on a module."""

from __future__ import annotations

from collections.abc import Sequence

from qwenvl.errors import Sentence
from qwenvl.recorded.edits import Edit

NAMED = 3  # modules that a sentence names


def edit_notes(edits: Sequence[Edit], hooks: Sequence[str]) -> list[Sentence]:
    """A sentence for each edit, and one for all hooks."""
    notes = [edit.words() for edit in edits]
    if hooks:
        notes.append(
            Sentence.of(
                "Hooks were on {modules} while this was answered; what they change is in it, and what is replayed "
                "later shows it only while they are there. Give a change as edit=[...] to keep it.",
                modules=_few(hooks),
            )
        )
    return notes


def changed_hooks_note(before: Sequence[str], now: Sequence[str]) -> Sentence | None:
    """What to say of a replay whose hooks are not those of the run; None where they are."""
    if gone := [name for name in before if name not in now]:
        return Sentence.of(
            "Hooks on {modules} were gone when a part of this run was replayed: that part is of a model without them.",
            modules=_few(gone),
        )
    if new := [name for name in now if name not in before]:
        return Sentence.of(
            "Hooks on {modules} were new when a part of this run was replayed: that part is of a model with them.",
            modules=_few(new),
        )
    return None


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
