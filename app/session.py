"""Everything the page does that is not the page: models by letter, questions on their way, finished runs.

One session serves all visitors of a process and tells them apart by the name it is given; it imports no web framework.
It knows what a visitor asked only while it is being answered: what is finished lies in the store under its id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import qwenvl
from app import pictures
from app.asking import STOPPED_EARLY, Asking, Update
from app.catalogue import SHIPPED, Catalogue, card
from app.conversation import Conversation, Settings, Turn
from app.example_runs import Example, ExampleRuns
from app.failures import PromptRefused, describe
from app.forecast import forecast
from app.measured import figures_table
from app.payload import Finished, run_payload
from app.store import RunStore
from qwenvl.errors import PromptError, UserError
from qwenvl.processing.sampling import VideoOptions
from qwenvl.progress import Interrupted, Progress, Step

__all__ = ["Conversation", "Session", "Settings", "Turn", "Update"]

LETTERS = "AB"
STOPPED = "The answer was stopped before its first word: ask again."

log = logging.getLogger(__name__)


class Session:
    """The two models, whoever asks them, and the runs.

    Args:
        models: shipped checkpoints, folders or hub ids, in the order of the letters A, B; loaded when first needed.
        store: where runs are kept.
        others: more models to offer.
        hub: whether visitors may name hub ids that are not on offer.
        load: from a name to a `Pipeline`.
        examples: folder with examples.json and its pictures; None for the ones that ship.
    """

    def __init__(
        self,
        models: Sequence[str] = SHIPPED,
        store: RunStore | None = None,
        *,
        others: Sequence[str] = SHIPPED,
        hub: bool = False,
        load: Callable[[str], Any] = qwenvl.load,
        examples: Path | None = None,
    ) -> None:
        self.catalogue = Catalogue(models, others, hub=hub)
        self.names = dict(zip(LETTERS, models, strict=False))
        self.labels = _labels(dict(zip(LETTERS, self.catalogue.first, strict=False)))
        self.store = store or RunStore()
        self._load = load
        self._pipelines: dict[str, Any] = {}
        self._loading = {letter: threading.Lock() for letter in self.names}
        self._asked: set[Asking] = set()
        self._lock = threading.Lock()
        self._examples = ExampleRuns(examples, self._make_example)

    # --- the models ---

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the models, in order."""
        return tuple(self.names)

    def letter(self, name: Any) -> str:
        """The letter of a model by its name or letter. Raises `PromptError` for any other."""
        for letter, known in self.names.items():
            if name in (letter, known, self.labels[letter]):
                return letter
        raise PromptError(f"There is no such model here: choose {' or '.join(self.labels.values())}.")

    def pipeline(self, letter: str) -> Any:
        """The pipeline of a letter, loaded once. Raises `CheckpointError` where it cannot be."""
        with self._loading[self.letter(letter)]:
            if letter not in self._pipelines:
                self._pipelines[letter] = self._load(self.names[letter])
            return self._pipelines[letter]

    def is_loaded(self, letter: str) -> bool:
        """Whether the model of this letter is in memory already."""
        return letter in self._pipelines

    def model_cards(self) -> list[dict[str, Any]]:
        """What the page says about each model, none of which is loaded for it. Raises `CheckpointError`."""
        return [
            {**self.catalogue.card(letter, label), "name": self.labels[letter]}
            for letter, label in zip(LETTERS, self.catalogue.first, strict=False)
        ]

    def defaults(self) -> dict[str, Any]:
        """The settings the page starts with: greedy, and a budget as large as the square that Qwen-VL sees."""
        floors = [qwenvl.plan([], name).min_pixels for name in self.names.values()]
        floor = next((pixels for pixels in floors if pixels), None)
        return asdict(Settings(min_pixels=floor, max_pixels=448 * 448))

    # --- before a question ---

    def check_media(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        """Name, size and kind of each file, read as the models will. Raises `MediaError` for one they cannot read."""
        return [pictures.describe(path) for path in paths]

    def thumbnail(self, path: str, side: int) -> str:
        """A file as a small upright picture, a data URL. Raises `MediaError` for what is no picture and no clip."""
        return pictures.thumbnail(path, side)

    def forecast(
        self,
        paths: Sequence[str],
        question: str = "",
        system: str = "",
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        samplings: Sequence[VideoOptions] = (),
    ) -> dict[str, Any]:
        """Sizes, tokens and fit of a question for each model by its letter, without loading one."""
        limits = {"min_pixels": min_pixels, "max_pixels": max_pixels}
        return {
            letter: forecast(name, paths, question, system, samplings=samplings, **limits)
            for letter, name in self.names.items()
        }

    # --- asking ---

    def ask(
        self, visitor: str | None, letter: str, conversation: Conversation, settings: Settings | None = None
    ) -> Iterator[Update]:
        """Ask one model, and tell how it goes: never raises for anything a visitor can cause.

        The last update is "done", "stopped" or "error"; what was said before stays in its "pieces". Closing the
        iterator stops the answer. It may be read on any thread, and two letters at once on two.

        Args:
            visitor: who asks, and whose budget in the store the run counts against; None for nobody (it is pinned).
            letter: of the model.
            conversation: its last turn is the question.
            settings: how to answer.
        """
        asking = Asking(visitor, letter)
        with self._lock:
            self._asked.add(asking)
        try:
            yield from asking.read(lambda asked: self._work(asked, visitor, conversation, settings or Settings()))
        finally:
            with self._lock:
                self._asked.discard(asking)

    def answer(
        self, visitor: str | None, letter: str, conversation: Conversation, settings: Settings | None = None
    ) -> str:
        """Ask one model and wait: the id of the finished run. Raises `PromptRefused` with the sentence of why not."""
        *_, last = self.ask(visitor, letter, conversation, settings)
        if last["run"] is None:
            raise PromptRefused(last["error"]["sentence"] if last["error"] else STOPPED)
        return last["run"]

    def stop(self, visitor: str) -> None:
        """End what this visitor is being told; what was said stays."""
        for asking in self._of(visitor):
            asking.stop()

    def leave(self, visitor: str) -> None:
        """The visitor closed the page: end their questions. Their runs stay for the store's hour of grace."""
        for asking in self._of(visitor):
            asking.abandon()

    def _of(self, visitor: str) -> list[Asking]:
        with self._lock:
            return [asking for asking in self._asked if asking.visitor == visitor]

    def _work(self, asking: Asking, visitor: str | None, conversation: Conversation, settings: Settings) -> None:
        """What the working thread does; its last word is a final update, whatever happens."""
        try:
            conversation.check()
            settings.check()
            self._answer(asking, visitor, conversation, settings)
        except Interrupted:
            asking.tell("stopped", STOPPED_EARLY, 1.0)
        except Exception as error:
            if not isinstance(error, UserError):
                log.exception("a question to model %s failed", asking.letter)
            asking.tell("error", "", 1.0, error=describe(error))

    def _answer(self, asking: Asking, visitor: str | None, conversation: Conversation, settings: Settings) -> None:
        if not self.is_loaded(asking.letter):
            asking.tell("loading", f"loading {self.labels[asking.letter]}", 0.0)
        pipeline = self.pipeline(asking.letter)
        if asking.stopped.is_set():
            asking.tell("stopped", STOPPED_EARLY, 1.0)
            return
        stream = pipeline.stream(conversation.messages(asking.letter), progress=_heard_by(asking), **settings.given())
        asking.attach(stream)
        asking.tell("reading", self._reading(asking, stream), 0.05)
        for piece in stream:
            asking.pieces.append(piece)
            asking.tell("answering", "answering", 0.1 + 0.8 * min(1.0, len(stream.ids) / settings.max_new_tokens))
        if asking.abandoned.is_set() or not stream.ids:
            asking.tell("stopped", STOPPED_EARLY, 1.0)
            return
        asking.tell("replaying", "replaying the answer, traced", 0.92)
        finished = self._finish(asking.letter, pipeline, stream.run, conversation, settings)
        run_id = self.store.pin(finished) if visitor is None else self.store.put(visitor, finished)
        asking.tell("stopped" if stream.stopped else "done", _ended(stream), 1.0, run=run_id)

    def _reading(self, asking: Asking, stream: Any) -> str:
        with self._lock:
            others = [one for one in self._asked if one is not asking and one.letter == asking.letter and one.pieces]
        if others:
            return "waiting: another question is being answered"
        patches = sum(t * h * w for t, h, w in (media.patch_grid for media in stream.prompt.media))
        if not patches:
            return "reading the question"
        return f"reading {_subject(stream.prompt.media)}, {patches:,} patches"

    def _finish(self, letter: str, pipeline: Any, run: Any, conversation: Conversation, settings: Settings) -> Finished:
        processor, given = pipeline.processor, run.settings
        limits = {name: given.get(name) or getattr(processor, name, None) for name in ("min_pixels", "max_pixels")}
        return Finished(
            run=run,
            letter=letter,
            card=self._card(letter, pipeline),
            conversation=conversation,
            settings=settings,
            piece=processor.tokenizer.piece,
            limits=limits,
            context=pipeline.config.language.context,
            created=time.time(),
        )

    def _card(self, letter: str, pipeline: Any) -> dict[str, Any]:
        return card(letter, self.labels[letter], pipeline.family, pipeline.parameters, pipeline.trained)

    def measured(self) -> dict[str, Any] | None:
        """How often each model was right, row by row, as their checkpoints' folders say; None where none does."""
        labels = dict(zip(LETTERS, self.catalogue.first, strict=False))
        found = {letter: self.catalogue.describe(label).figures for letter, label in labels.items()}
        titles = {card["letter"]: f"{card['name']}, {card['parameters']:,} parameters" for card in self.model_cards()}
        return figures_table({letter: figures for letter, figures in found.items() if figures}, titles)

    # --- finished runs ---

    def finished(self, run_id: Any) -> Finished:
        """The run of this id and what the page says of it. Raises `RunError` for an id that names none."""
        return self.store.get(run_id)

    def run(self, run_id: Any) -> dict[str, Any]:
        """A run as the page receives it. Raises as `finished`."""
        return run_payload(run_id, self.finished(run_id))

    def conversation(self, run_id: Any) -> tuple[Conversation, Settings]:
        """What was asked, this run's answer included, and how: for the page to ask on. Its paths are the server's own.

        Raises as `finished`.
        """
        finished = self.finished(run_id)
        return finished.conversation.answered(finished.letter, finished.run.answer), finished.settings

    def picture(self, run_id: Any, media: int, side: int, frame: int = 0) -> str:
        """A run's picture, or a kept frame of its clip, upright, at most `side` pixels, as a data URL.

        Raises as `finished`.
        """
        return pictures.picture(self.finished(run_id).run.media[media], side, frame)

    def resized(self, run_id: Any, media: int, frame: int = 0) -> str:
        """A run's picture or frame as the model's processor resized it, as a data URL. Raises as `finished`."""
        return pictures.resized(self.finished(run_id).run.media[media], frame)

    # --- the examples ---

    def examples(self) -> list[dict[str, Any]]:
        """The examples in the order of their chips; the first one is what a visitor finds on the page."""
        return self._examples.listing()

    def example(self, name: Any) -> dict[str, str]:
        """Ids of the finished runs of an example by letter; made once, when first wanted, and shared by all visitors.

        Raises `PromptError` for a name that is no example, and what went wrong as `UserError`.
        """
        return self._examples.runs(name)

    def warm(self) -> None:
        """Make the first example's runs, so that the first visitor finds a full page."""
        self._examples.runs(self._examples.first)

    def _make_example(self, example: Example) -> dict[str, str]:
        conversation = Conversation(example.system).asking(example.question, example.paths)
        given = self.defaults()
        settings = Settings(**{**given, "max_pixels": example.max_pixels or given["max_pixels"]})
        return {letter: self.answer(None, letter, conversation, settings) for letter in self.letters}


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    """What visitors read as the models' names: one that stands in both columns is told apart by their letters."""
    twice = len(set(labels.values())) < len(labels)
    return {letter: f"{label} ({letter})" if twice else label for letter, label in labels.items()}


def _subject(media: Sequence[Any]) -> str:
    kinds = {getattr(one, "kind", "image") for one in media}
    if kinds == {"video"}:
        return "the clip" if len(media) == 1 else f"{len(media)} clips"
    if "video" in kinds:
        return f"{len(media)} pictures and clips"
    return "the picture" if len(media) == 1 else f"{len(media)} pictures"


def _heard_by(asking: Asking) -> Progress:
    """Tells of frames and blocks before the first word, and ends them where a stop came."""

    def hear(step: Step, done: int, total: int) -> None:
        if asking.stopped.is_set():
            raise Interrupted
        if step == "frames":
            asking.tell("loading", f"decoding, {done:,} of {total:,} frames", 0.04 * done / total)
        else:
            asking.tell("reading", f"reading, {done:,} of {total:,} blocks", 0.04 + 0.06 * done / total)

    return hear


def _ended(stream: Any) -> str:
    words: Mapping[bool, str] = {True: "token", False: "tokens"}
    return f"stopped after {len(stream.ids)} {words[len(stream.ids) == 1]}" if stream.stopped else "done"
