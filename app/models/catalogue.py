"""Lists the models that may be asked: those given at the start, the shipped ones, and hub ids where allowed.

A visitor names a model by its label, never by a folder of this machine. Knows names, configs and cards; no weights.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.asking.model_choice import ModelCard
from qwenvl.errors import PromptError, Sentence
from qwenvl.loading.hub import find_folder, is_hub_id
from qwenvl.loading.load import is_trained, read_config
from qwenvl.models.config import Config
from qwenvl.plan import parameters_by_part
from qwenvl.published_files.json_files import read_json

SHIPPED = ("tiny-qwen-vl", "tiny-qwen2-vl")
FINE = ("tiny-qwen-vl-fine", "tiny-qwen2-vl-fine")
"""Shipped too: twins that were taught small things and print."""
TITLES = {"qwen-vl": "Qwen-VL", "qwen2-vl": "Qwen2-VL"}
NOTES = {
    (True, True): "tiny demo weights, trained on drawings alone",
    (True, False): "tiny demo weights, untrained: the answers mean nothing",
    (False, False): "untrained weights: the answers mean nothing",
    (False, True): "released weights",
}
LONGEST = 200  # characters of a hub id


@dataclass(frozen=True)
class Described:
    """What a checkpoint's small files say of it."""

    folder: Path  # of its small files; never shown
    config: Config
    trained: bool
    figures: Mapping[str, Any] | None

    @property
    def parameters(self) -> int:
        """Of the whole model."""
        return sum(parameters_by_part(self.config).values())


class Catalogue:
    """Names by label.

    Args:
        models: what was given at the start, in the order of the letters; also offered to every visitor.
        others: more to offer.
        hub: whether a visitor may name a hub id that was not given.
    """

    def __init__(self, models: Sequence[str], others: Sequence[str] = SHIPPED, *, hub: bool = False) -> None:
        offered = dict.fromkeys((*models, *others))
        self._names = _labelled(list(offered))
        labels = {name: label for label, name in self._names.items()}
        self.first = [labels[name] for name in models]
        self.hub = hub
        self._described: dict[str, Described] = {}
        self._lock = threading.Lock()

    @property
    def labels(self) -> list[str]:
        """What can be chosen without typing, as visitors read it."""
        return list(self._names)

    def name(self, label: object) -> str:
        """What the loader takes for a label. Raises `PromptError` for what is not on offer."""
        if isinstance(label, str) and label in self._names:
            return self._names[label]
        if (
            self.hub
            and isinstance(label, str)
            and len(label) <= LONGEST
            and is_hub_id(label)
            and not Path(label).exists()
        ):
            return label
        hub = ", or a hub id (owner/name)" if self.hub else ""
        template = "This model is not on offer here: choose one of {names}" + hub + "."
        raise PromptError(Sentence.of(template, names=", ".join(self._names)))

    def describe(self, label: str) -> Described:
        """Config and notes of a model, read once. Raises `CheckpointError` where there are none, or no hub."""
        with self._lock:
            known = self._described.get(label)
        if known is None:
            known = _describe(find_folder(self.name(label), weights=False))
            with self._lock:
                if len(self._described) < 256:
                    self._described[label] = known
        return known

    def card(self, letter: str, label: str) -> ModelCard:
        """What the page says about a model before it is loaded. Raises as `describe`."""
        described = self.describe(label)
        return card(letter, label, described.config.family, described.parameters, described.trained)


def card(letter: str, label: str, family: str, parameters: int, trained: bool) -> ModelCard:
    """What the page says about a model."""
    tiny = label.startswith("tiny-")
    return {
        "letter": letter,
        "name": label,
        "family": family,
        "title": TITLES[family],
        "size_label": "tiny" if tiny else _size(parameters),
        "parameters": parameters,
        "trained": trained,
        "weights_note": NOTES[tiny, trained],
    }


def _size(parameters: int) -> str:
    """As the page writes parameters: thousand millions, or millions where those would be none."""
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.1f} M"


def badge(cards: Sequence[ModelCard]) -> str:
    """What the page says about its weights, always visible."""
    if any(not card["trained"] for card in cards):
        return "Untrained demo weights"
    if any(card["size_label"] == "tiny" for card in cards):
        return "Tiny demo weights"
    return " · ".join(card["title"] for card in cards)


def _describe(folder: Path) -> Described:
    config, figures = read_config(folder), folder / "figures.json"
    return Described(folder, config, is_trained(folder), read_json(figures) if figures.exists() else None)


def _labelled(names: Sequence[str]) -> dict[str, str]:
    """Label -> name: of a folder its own name alone, equal ones numbered."""
    labels: dict[str, str] = {}
    for name in names:
        own = Path(name).resolve().name if Path(name).is_dir() else name
        label, number = own, 2
        while label in labels:
            label, number = f"{own} ({number})", number + 1
        labels[label] = name
    return labels
