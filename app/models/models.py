"""Holds the models of a session: which stand in A and B, which may be chosen, and which are in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

import qwenvl
from app.asking.model_choice import ListedModel, ModelCard, ModelChoice
from app.models.catalogue import Catalogue, Described, card
from app.models.memory import Budgets
from app.models.pace import Pace
from app.models.pool import Lent, Pool, Tell
from app.models.terms import Terms
from qwenvl.errors import CheckpointError, PromptError, Sentence
from qwenvl.inference.pipeline import Pipeline
from qwenvl.loading.load import pick_device, pick_dtype
from qwenvl.recorded.kept_layers import Keep

LETTERS = "AB"
DTYPES = ("auto", "bfloat16", "float32")


Load = Callable[..., Pipeline]


class Models:
    """Catalogue and pool of a session.

    Args:
        given: names, in the order of the letters.
        others: more names to offer.
        dtype: of the weights of the models at first; see `DTYPES`.
        hub: whether visitors may name hub ids.
        load: from a name to a `Pipeline`; None for the library's own.
        max_bytes: of all weights in memory; None for no limit.
        trace_bytes: what a run may keep; None leaves each pipeline's own.
    """

    def __init__(
        self,
        given: Sequence[str],
        others: Sequence[str],
        *,
        dtype: str = "auto",
        hub: bool = False,
        load: Load | None = None,
        max_bytes: int | None = None,
        trace_bytes: int | None = None,
    ) -> None:
        self.catalogue = Catalogue(given, others, hub=hub)
        chosen = [ModelChoice(label, dtype) for label in self.catalogue.first]
        self.first = dict(zip(LETTERS, chosen, strict=False))
        self.trace_bytes, self.pace = trace_bytes, Pace()
        self._own, self._load = load is None, load or qwenvl.load
        self.pool = Pool(self._fetch, self.weigh if self._own else lambda key: 0, max_bytes)

    @property
    def can_weigh(self) -> bool:
        """Whether memory and time can be told beforehand: a loader of one's own says nothing of either."""
        return self._own

    def chosen(self, asked: Any) -> dict[str, ModelChoice]:
        """A visitor's choice, checked: {"A": {"label": ..., "dtype": ...}, ...}; what is absent stays as at first.

        Raises:
            PromptError: a model that is not on offer, or a number format that is none.
        """
        if not isinstance(asked, Mapping):
            return dict(self.first)
        return {letter: self._one(asked.get(letter), first) for letter, first in self.first.items()}

    def _one(self, asked: Any, first: ModelChoice) -> ModelChoice:
        if not isinstance(asked, Mapping):
            return first
        label, dtype = asked.get("label", first.label), asked.get("dtype", first.dtype)
        self.catalogue.name(label)
        if dtype not in DTYPES:
            raise PromptError(
                Sentence.of("Weights are kept in one of {formats}: choose one of them.", formats=", ".join(DTYPES))
            )
        return ModelChoice(label, dtype)

    @contextmanager
    def use(self, chosen: ModelChoice, tell: Tell | None = None) -> Iterator[Pipeline]:
        """The pipeline of a choice while the block runs. Raises as `Pool.use`."""
        with self.pool.use(self._key(chosen), tell) as pipeline:
            yield pipeline

    def lend(self, chosen: ModelChoice, pipeline: Pipeline) -> Lent:
        """What a finished run keeps of its pipeline."""
        return self.pool.lend(self._key(chosen), pipeline)

    def is_loaded(self, chosen: ModelChoice) -> bool:
        """Whether it is in memory."""
        return self.pool.is_loaded(self._key(chosen))

    def describe(self, chosen: ModelChoice) -> Described:
        """What its small files say. Raises `CheckpointError`."""
        return self.catalogue.describe(chosen.label)

    def card(self, letter: str, chosen: ModelChoice, name: str | None = None) -> ModelCard:
        """What the page says of it before it is loaded. Raises `CheckpointError`."""
        described = self.describe(chosen)
        return card(letter, name or chosen.label, described.config.family, described.parameters, described.trained)

    def listing(self) -> list[ListedModel]:
        """What can be chosen without typing: label, title and size of each; a model that cannot be read has neither."""
        return [self._listed(label) for label in self.catalogue.labels]

    def _listed(self, label: str) -> ListedModel:
        try:
            found = self.card("", ModelChoice(label))
        except CheckpointError:
            return {"label": label, "title": "", "size_label": ""}
        return {"label": label, "title": found["title"], "size_label": found["size_label"]}

    def dtype(self, chosen: ModelChoice) -> torch.dtype:
        """Of its weights, its cache and what its runs keep."""
        return pick_dtype(chosen.dtype, pick_device("auto"), self.describe(chosen).config)

    def terms(self, chosen: ModelChoice, keep: Keep, new_tokens: int, budgets: Budgets) -> Terms:
        """What a forecast of its costs needs. Raises `CheckpointError`."""
        dtype = self.dtype(chosen)
        speed = self.pace.speed(chosen, dtype)
        config = self.describe(chosen).config
        return Terms(config, dtype.itemsize, keep, new_tokens, budgets, speed, chosen.label)

    def weigh(self, key: tuple[str, str]) -> int:
        """Bytes that the weights of a key take in memory."""
        chosen = ModelChoice(*key)
        return self.describe(chosen).parameters * self.dtype(chosen).itemsize

    def _key(self, chosen: ModelChoice) -> tuple[str, str]:
        return chosen.label, chosen.dtype

    def _fetch(self, key: tuple[str, str], tell: Callable[[int, int], object]) -> Pipeline:
        label, dtype = key
        name = self.catalogue.name(label)
        pipeline = self._load(name, dtype=dtype, tell=tell) if self._own else self._load(name)
        if self.trace_bytes is not None:
            pipeline.max_trace_bytes = self.trace_bytes
        return pipeline
