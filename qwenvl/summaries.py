"""Shows results briefly: at most eight lines of text, and a short table in a notebook. Never the numbers themselves."""

from __future__ import annotations

from dataclasses import fields
from html import escape
from typing import Any

LINES = 8
LETTERS = 100  # of a value, the rest is left out


def shortened(text: str, letters: int = LETTERS) -> str:
    """A text on one line, of this many letters at most."""
    line = " ".join(text.split())
    return line if len(line) <= letters else line[: letters - 1] + "…"


def described(value: Any) -> str:
    """A value in a few words: an array by its kind and shape, a sequence or a mapping by its length."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, str):
        return shortened(value)
    if isinstance(value, (list, tuple, set, dict)) and len(value) > 3:
        return f"{len(value):,} entries"
    return shortened(repr(value))


class Summary:
    """A result that is shown by the names of its fields; `summary` may say something more telling."""

    def summary(self) -> list[tuple[str, str]]:
        """What is shown: (name, words) line by line."""
        return [(each.name, described(getattr(self, each.name))) for each in fields(self) if each.repr]  # type: ignore[arg-type]

    def __repr__(self) -> str:
        """At most eight lines."""
        lines = [f"  {name}: {shortened(words)}" for name, words in self.summary()]
        if len(lines) > LINES - 1:
            lines = [*lines[: LINES - 2], f"  ... and {len(lines) - LINES + 2} more"]
        return "\n".join([type(self).__name__, *lines])

    def _repr_html_(self) -> str:
        """The same as a table, for a notebook."""
        return html_table(type(self).__name__, self.summary())


def html_table(title: str, rows: list[tuple[str, str]]) -> str:
    """Names and words as an HTML table, whatever signs they hold."""
    left = "style='text-align:left'"
    cells = "".join(
        f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(shortened(words))}</td></tr>" for name, words in rows
    )
    return f"<b>{escape(title)}</b><table>{cells}</table>"
