"""The examples that ship with the app, and their finished runs: made once, when first wanted, for everybody."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import pictures
from qwenvl.errors import PromptError

FOLDER = Path(__file__).parent / "examples"
THUMBNAIL_SIDE = 48


@dataclass(frozen=True)
class Example:
    """A question about pictures or a clip that ship with the app."""

    name: str
    label: str
    kind: str  # "scene": drawn as the tiny checkpoints' training pictures are; "photo": outside their world
    question: str
    system: str
    paths: tuple[str, ...]
    max_pixels: int | None = None  # where the models' pictures were smaller than the page's budget


class ExampleRuns:
    """Reads examples.json of a folder; makes each example's runs at most once, and lets a failed one be tried again."""

    def __init__(self, folder: Path | None, make: Callable[[Example], dict[str, str]]) -> None:
        self._examples = {example.name: example for example in read_examples(folder or FOLDER)}
        self._make = make
        self._runs: dict[str, dict[str, str]] = {}
        self._making = {name: threading.Lock() for name in self._examples}

    @property
    def first(self) -> str:
        """Name of the example a visitor finds on the page."""
        return next(iter(self._examples))

    def runs(self, name: Any) -> dict[str, str]:
        """Run ids by letter. Raises `PromptError` for a name that is no example."""
        if not isinstance(name, str) or name not in self._examples:
            raise PromptError("There is no such example: choose one of the page's.")
        with self._making[name]:
            if name not in self._runs:
                self._runs[name] = self._make(self._examples[name])
            return dict(self._runs[name])

    def listing(self) -> list[dict[str, Any]]:
        """The examples as the page receives them, in the order of their chips."""
        return [
            {
                **{"name": example.name, "label": example.label, "question": example.question},
                **{"system": example.system, "kind": example.kind, "max_pixels": example.max_pixels},
                "media": [_listed(path) for path in example.paths],
                "thumbnail": pictures.thumbnail(example.paths[0], THUMBNAIL_SIDE) if example.paths else None,
            }
            for example in self._examples.values()
        ]


def read_examples(folder: Path) -> list[Example]:
    """The examples of a folder with an examples.json; none where there is no such file."""
    index = folder / "examples.json"
    if not index.exists():
        return []
    return [
        Example(
            name=entry["name"],
            label=entry["title"],
            kind=entry["kind"],
            question=entry["question"],
            system=entry.get("system", ""),
            paths=tuple(str(folder / file) for file in entry["files"]),
            max_pixels=entry.get("max_pixels"),
        )
        for entry in json.loads(index.read_text(encoding="utf-8"))
    ]


def _listed(path: str) -> dict[str, Any]:
    known = pictures.describe(path)
    return {name: known[name] for name in ("path", "name", "size", "kind")}
