"""Makes the finished runs of the shipped examples, once per process and when first wanted."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.asking import pictures
from app.asking.model_choice import ModelChoice
from qwenvl.errors import PromptError

FOLDER = Path(__file__).parents[1] / "examples"
THUMBNAIL_SIDE = 48
REMEMBERED = 512  # ids of runs


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


class ListedPicture(TypedDict):
    """A picture or clip of an example as the page lists it."""

    path: str
    name: str
    size: list[int]
    kind: str


class ListedExample(TypedDict):
    """An example as the page receives it; "label" stands on its chip."""

    name: str
    label: str
    question: str
    system: str
    kind: str
    max_pixels: int | None
    media: list[ListedPicture]
    thumbnail: str | None


class ExampleRuns:
    """Reads examples.json of a folder; makes an example's run by a model once, and lets a failed one be tried again.

    Args:
        folder: with examples.json; None for the one that ships.
        make: from an example, a letter and the model in its column to the id of a finished run.
        kept: whether a run of an id is still kept; one that is gone is made again.
    """

    def __init__(
        self, folder: Path | None, make: Callable[[Example, str, ModelChoice], str], kept: Callable[[str], bool]
    ) -> None:
        self._examples = {example.name: example for example in read_examples(folder or FOLDER)}
        self._make, self._kept = make, kept
        self._runs: OrderedDict[tuple[str, str, ModelChoice], str] = OrderedDict()
        self._making = {name: threading.Lock() for name in self._examples}

    @property
    def first(self) -> str:
        """Name of the example a visitor finds on the page."""
        return next(iter(self._examples))

    def runs(self, name: object, models: Mapping[str, ModelChoice]) -> dict[str, str]:
        """Run ids by letter, of the models that stand there. Raises `PromptError` for a name that is no example."""
        if not isinstance(name, str) or name not in self._examples:
            raise PromptError("There is no such example: choose one of the page's.")
        with self._making[name]:
            return {letter: self._run(self._examples[name], letter, model) for letter, model in models.items()}

    def _run(self, example: Example, letter: str, model: ModelChoice) -> str:
        key = (example.name, letter, model)
        run_id = self._runs.get(key)
        if run_id is None or not self._kept(run_id):
            run_id = self._make(example, letter, model)
            self._runs[key] = run_id
            while len(self._runs) > REMEMBERED:
                self._runs.popitem(last=False)
        return run_id

    def listing(self) -> list[ListedExample]:
        """The examples as the page receives them, in the order of their chips."""
        return [
            {
                "name": example.name,
                "label": example.label,
                "question": example.question,
                "system": example.system,
                "kind": example.kind,
                "max_pixels": example.max_pixels,
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


def _listed(path: str) -> ListedPicture:
    known = pictures.describe(path)
    return {"path": known["path"], "name": known["name"], "size": known["size"], "kind": known["kind"]}
