"""Writes the Python lines that draw an exported figure anew, from the values it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from app.asking.finished import Finished
from qwenvl.inference.run import Run
from qwenvl.recorded.rows import tap_names

WIDE = 100


@dataclass(frozen=True)
class Name:
    """Python that stands in the lines as it is; everything else is written as the value it is."""

    code: str

    def __repr__(self) -> str:
        return self.code


def opening(runs: Mapping[str, Finished], *, uses: str = "", asks: bool = False) -> str:
    """Imports, and the runs of a figure by their letters: run_A, run_B, from the files of this page's Export.

    Args:
        runs: by letter.
        uses: names of `numpy` or other modules to import besides, separated by spaces.
        asks: whether the lines ask the models themselves, so that each run needs its own.
    """
    modules = [*(f"import {name}" for name in uses.split()), "import qwenvl", "import viz"]
    loads = [_load(letter, finished, asks) for letter, finished in runs.items()]
    return "\n".join([*modules, "", "# The run files come from the same menu: save them beside these lines.", *loads])


def _load(letter: str, finished: Finished, asks: bool) -> str:
    if not asks and is_whole(finished.run):
        return f'run_{letter} = qwenvl.Run.load("{letter}.run")'
    pipeline = f"qwenvl.load({finished.run.card.name!r})"
    why = "to ask it anew" if asks else "to replay layers that were not kept"
    return f'run_{letter} = qwenvl.Run.load("{letter}.run", pipeline={pipeline})  # {why}'


def is_whole(run: Run) -> bool:
    """Whether queries and keys of every layer are kept, so that its file answers everything without the model."""
    sites = run.sites if run.media else ("language",)
    return all(tap_names(site, layer)[0] in run.kept for site in sites for layer in range(run.num_layers(site)))


def call(function: str, *positional: str, **given: Any) -> str:
    """A call as Python writes it: positional arguments are code, the others values (or `Name`), one a line."""
    arguments = [*positional, *(f"{name}={_written(value, len(name) + 5)}" for name, value in given.items())]
    one_line = f"{function}({', '.join(arguments)})"
    if len(one_line) <= WIDE and "\n" not in one_line:
        return one_line
    return "\n".join([f"{function}(", *(f"    {argument}," for argument in arguments), ")"])


def closing(view: str) -> str:
    """What is done with a figure: written as it came from the page."""
    return f'viz.save(figure, path="{view}.svg")  # or .pdf, .png'


def _written(value: Any, indent: int) -> str:
    if isinstance(value, Name):
        return value.code
    written = pformat(value, width=WIDE - indent, sort_dicts=False)
    if isinstance(value, str) and "\n" in written:  # a long sentence, in pieces
        return (
            "\n        ".join(["(", *written.strip("()").splitlines()]).replace("\n         ", "\n        ") + "\n    )"
        )
    return written.replace("\n", "\n" + " " * indent)
