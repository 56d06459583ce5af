"""Does everything the page does that is not the page: models by letter, questions under way, finished runs.

One session serves all visitors of a process and tells them apart by the name it is given; it imports no web framework.
It knows what a visitor asked only while it is being answered: what is finished lies in the store under its id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import qwenvl
from app.asking.asking import STOPPED_EARLY, Asking, Update
from app.asking.conversation import Conversation, Settings, Turn
from app.asking.failures import PromptRefused, TooLarge, describe
from app.asking.finished import Finished
from app.asking.model_choice import ModelCard, ModelChoice, ModelChoices, ModelMenu
from app.asking.store import RunStore
from app.asking.words import in_bytes
from app.costs.forecast import Forecast, forecast
from app.models import memory
from app.models.catalogue import SHIPPED, badge, card
from app.models.measured import WeightsTold, figures_table
from app.models.memory import Budgets
from app.models.models import LETTERS, Models
from app.models.pool import Tell
from app.serving.example_runs import Example, ExampleRuns, ListedExample
from app.views.payload import RunPayload, run_payload
from qwenvl.errors import CheckpointError, PromptError, Sentence, UserError
from qwenvl.inference.pipeline import Pipeline, Stream
from qwenvl.inference.run import Run
from qwenvl.processing.files.clips import is_clip
from qwenvl.processing.files.progress import Interrupted, Progress, Step
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.recorded.kept_layers import Keep, check_keep

__all__ = ["Conversation", "Session", "Settings", "Turn", "Update"]

EVERYBODY = "everybody"  # whose the examples' runs are, where they may be dropped
TELL_EVERY = 0.3  # seconds between two words about a download
STOPPED = "The answer was stopped before its first word: ask again."

log = logging.getLogger(__name__)


class Session:
    """The models, whoever asks them, and the runs.

    Args:
        models: shipped checkpoints, folders or hub ids, in the order of the letters A, B; loaded when first needed.
        store: where runs are kept.
        others: more models to offer.
        dtype: of the weights of the models at first; see `models.DTYPES`.
        hub: whether visitors may name hub ids that are not on offer.
        load: from a name to a `Pipeline`; None for the library's own.
        examples: folder with examples.json and its pictures; None for the ones that ship.
        budgets: of memory; None for what is free now.
    """

    def __init__(
        self,
        models: Sequence[str] = SHIPPED,
        store: RunStore[Finished] | None = None,
        *,
        others: Sequence[str] = SHIPPED,
        dtype: str = "auto",
        hub: bool = False,
        load: Callable[[str], Pipeline] | None = None,
        examples: Path | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        self.budgets = budgets or memory.budgets()
        room = {"max_bytes": self.budgets.weights, "trace_bytes": self.budgets.trace}
        self.models = Models(models, others, dtype=dtype, hub=hub, load=load, **room)
        self.names = dict(zip(LETTERS, models, strict=False))
        self.labels = _labels(self.models.first)
        self.store: RunStore[Finished] = store or RunStore(
            visitor_bytes=self.budgets.visitor, total_bytes=self.budgets.runs
        )
        self.opening: dict[str, str] = {}  # runs that a visitor without a link finds, by letter; none: an example
        self._asked: set[Asking] = set()
        self._lock = threading.Lock()
        self._examples = ExampleRuns(examples, self._make_example, self.store.has)

    # --- the models ---

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the models, in order."""
        return tuple(self.names)

    def letter(self, name: object) -> str:
        """The letter of a model by its name or letter. Raises `PromptError` for any other."""
        for letter, known in self.names.items():
            if name in (letter, known, self.labels[letter]):
                return letter
        raise PromptError(
            Sentence.of("There is no such model here: choose {names}.", names=" or ".join(self.labels.values()))
        )

    def pipeline(self, letter: str) -> Pipeline:
        """The pipeline that a letter stands for at first. Raises `CheckpointError` where it cannot be loaded."""
        with self.models.use(self.models.first[self.letter(letter)]) as pipeline:
            return pipeline

    def are_shipped(self, models: ModelChoices | None = None) -> bool:
        """Whether these models, or those of the start, are the small ones that come with the project."""
        return all(chosen.label in SHIPPED for chosen in (models or self.models.first).values())

    def model_cards(self, models: ModelChoices | None = None) -> list[ModelCard]:
        """What the page says about each model, none of which is loaded for it. Raises `CheckpointError`."""
        chosen, labels = models or self.models.first, _labels(models or self.models.first)
        return [self.models.card(letter, one, labels[letter]) for letter, one in chosen.items()]

    def defaults(self) -> dict[str, Any]:
        """The settings the page starts with: greedy, and a budget as large as the square that Qwen-VL sees."""
        folders = [self.models.describe(chosen).folder for chosen in self.models.first.values()]
        floors = [qwenvl.plan([], folder).min_pixels for folder in folders]
        floor = next((pixels for pixels in floors if pixels), None)
        return asdict(Settings(min_pixels=floor, max_pixels=448 * 448))

    # --- before a question ---

    def forecast(
        self,
        paths: Sequence[str],
        question: str = "",
        system: str = "",
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        samplings: Sequence[VideoOptions] = (),
        models: ModelChoices | None = None,
        keep: Keep = "all",
        new_tokens: int = Settings.max_new_tokens,
        own: int | None = None,
    ) -> dict[str, Forecast]:
        """Sizes, tokens, memory and time of a question for each model by its letter, without loading one.

        Raises:
            MediaError: as `forecast`; of a model whose files cannot be had, the letter is left out.
        """
        limits = {"min_pixels": min_pixels, "max_pixels": max_pixels}
        found: dict[str, Forecast] = {}
        for letter, chosen in (models or self.models.first).items():
            with suppress(CheckpointError):
                terms = self.models.terms(chosen, keep, new_tokens, self.budgets)
                folder = str(self.models.describe(chosen).folder)
                found[letter] = forecast(
                    folder, paths, question, system, samplings=samplings, own=own, terms=terms, **limits
                )
                found[letter]["loaded"] = self.models.is_loaded(chosen)
        return found

    # --- asking ---

    def ask(
        self,
        visitor: str | None,
        letter: str,
        conversation: Conversation,
        settings: Settings | None = None,
        model: ModelChoice | None = None,
    ) -> Iterator[Update]:
        """Ask one model, and tell how it goes: never raises for anything a visitor can cause.

        The last update is "done", "stopped" or "error"; what was said before stays in its "pieces". Closing the
        iterator stops the answer. It may be read on any thread, and two letters at once on two.

        Args:
            visitor: who asks, and whose budget in the store the run counts against; None for nobody (it is pinned).
            letter: of the model.
            conversation: its last turn is the question.
            settings: how to answer.
            model: in the column of this letter; None for the one that stands there at first.
        """
        asking = Asking(visitor, letter, model or self.models.first[self.letter(letter)])
        with self._lock:
            self._asked.add(asking)
        try:
            yield from asking.read(lambda asked: self._work(asked, visitor, conversation, settings or Settings()))
        finally:
            with self._lock:
                self._asked.discard(asking)

    def answer(
        self,
        visitor: str | None,
        letter: str,
        conversation: Conversation,
        settings: Settings | None = None,
        model: ModelChoice | None = None,
    ) -> str:
        """Ask one model and wait: the id of the finished run. Raises `PromptRefused` with the sentence of why not."""
        *_, last = self.ask(visitor, letter, conversation, settings, model)
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
        except BaseException as error:  # also what ends a thread: the column would wait for it for ever
            if not isinstance(error, UserError):
                log.exception("a question to model %s failed", asking.letter)
            asking.tell("error", "", 1.0, error=describe(error))

    def _answer(self, asking: Asking, visitor: str | None, conversation: Conversation, settings: Settings) -> None:
        chosen = asking.model
        self._check_fits(asking, conversation, settings)
        if not self.models.is_loaded(chosen):
            asking.tell("loading", Sentence.of("loading {model}", model=chosen.label), 0.0)
        with self.models.use(chosen, self._arriving(asking)) as pipeline:
            if asking.stopped.is_set():
                asking.tell("stopped", STOPPED_EARLY, 1.0)
                return
            messages = conversation.messages(asking.letter)
            stream = pipeline.stream(messages, progress=_heard_by(asking), **settings.given())
            asking.attach(stream)
            asking.tell("reading", self._reading(asking, stream), 0.05)
            for piece in stream:
                asking.pieces.append(piece)
                asking.tell("answering", "answering", 0.1 + 0.8 * min(1.0, len(stream.ids) / settings.max_new_tokens))
            if asking.abandoned.is_set() or not stream.ids:
                asking.tell("stopped", STOPPED_EARLY, 1.0)
                return
            asking.tell("replaying", "replaying the answer, traced", 0.92)
            finished = self._finish(asking.letter, pipeline, stream.run, conversation, settings, chosen)
            if self.models.can_weigh:
                self.models.pace.note(chosen, finished.run, self.models.weigh((chosen.label, chosen.dtype)))
        run_id = self.store.pin(finished) if visitor is None else self.store.put(visitor, finished)
        asking.tell("stopped" if stream.stopped else "done", _ended(stream), 1.0, run=run_id)

    def _check_fits(self, asking: Asking, conversation: Conversation, settings: Settings) -> None:
        """Refuse, before anything is loaded or decoded, what memory has no room for, and clips that are too long.

        The sentence has the setting that would fit. What earlier turns add to a prompt is known when they are read.
        """
        if not self.models.can_weigh:
            return
        turn, limits = conversation.turns[-1], (settings.min_pixels, settings.max_pixels)
        found = self.forecast(
            conversation.media,
            turn.question,
            conversation.system,
            *limits,
            conversation.samplings,
            {asking.letter: asking.model},
            check_keep(settings.keep),
            settings.max_new_tokens,
            own=len(turn.media),
        ).get(asking.letter)
        if found and found["refusal"]:
            raise TooLarge(found["refusal"]["sentence"], found["refusal"]["offer"])
        if (
            found
            and found["sentence"] is not None
            and len(conversation.turns) == 1
            and any(map(is_clip, conversation.media))
        ):
            raise TooLarge(found["sentence"], found["shorter"])

    def _arriving(self, asking: Asking) -> Tell:
        """What tells a column about the model it waits for."""
        label, last = asking.model.label, [0.0]

        def tell(what: str, here: int, whole: int) -> None:
            if what == "downloading" and (now := time.monotonic()) - last[0] >= TELL_EVERY:
                last[0] = now
                share = here / whole if whole else 0.0
                asking.tell(
                    "loading",
                    Sentence.of(
                        "downloading {model}, {here} of {whole}",
                        model=label,
                        here=in_bytes(here),
                        whole=in_bytes(whole),
                    ),
                    0.05 * share,
                )
            elif what == "waiting":
                asking.tell("loading", Sentence.of("waiting for memory to load {model}", model=label), 0.0)
            elif what == "loading":
                asking.tell(
                    "loading",
                    Sentence.of("loading {model}, {bytes}", model=label, bytes=in_bytes(whole))
                    if whole
                    else Sentence.of("loading {model}", model=label),
                    0.0,
                )

        return tell

    def _reading(self, asking: Asking, stream: Stream) -> str:
        with self._lock:
            others = [one for one in self._asked if one is not asking and one.model == asking.model and one.pieces]
        if others:
            return "waiting: another question is being answered"
        patches = sum(t * h * w for t, h, w in (media.patch_grid for media in stream.prompt.media))
        if not patches:
            return "reading the question"
        return Sentence.of(
            "reading {subject}, {patches} patches", subject=_subject(stream.prompt.media), patches=f"{patches:,}"
        )

    def _finish(
        self,
        letter: str,
        pipeline: Pipeline,
        run: Run,
        conversation: Conversation,
        settings: Settings,
        chosen: ModelChoice | None = None,
    ) -> Finished:
        chosen = chosen or self.models.first[letter]
        processor, given = pipeline.processor, run.settings
        limits = {name: given.get(name) or getattr(processor, name, None) for name in ("min_pixels", "max_pixels")}
        name = self.labels[letter] if chosen == self.models.first[letter] else chosen.label
        run.pipeline = self.models.lend(chosen, pipeline)
        return Finished(
            run=run,
            letter=letter,
            card=card(letter, name, pipeline.family, pipeline.parameters, pipeline.trained),
            conversation=conversation,
            settings=settings,
            piece=processor.tokenizer.piece,
            limits=limits,
            context=pipeline.config.language.context,
            created=time.time(),
            chosen=chosen,
        )

    def weights(self, models: ModelChoices | None = None) -> WeightsTold:
        """What the badge says, and behind it how often each model was right, as their folders say.

        Raises `CheckpointError` for a model whose small files cannot be had.
        """
        chosen, cards = models or self.models.first, self.model_cards(models)
        found = {letter: self.models.describe(one).figures for letter, one in chosen.items()}
        titles = {
            card["letter"]: Sentence.of(
                "{name}, {parameters} parameters", name=card["name"], parameters=f"{card['parameters']:,}"
            )
            for card in cards
        }
        figures = {letter: figures for letter, figures in found.items() if figures}
        demo = any(card["size_label"] == "tiny" or not card["trained"] for card in cards)
        return {"badge": badge(cards), "demo": demo, "measured": figures_table(figures, titles)}

    def choice(self) -> ModelMenu:
        """What the page needs to let a visitor choose models."""
        value = {letter: asdict(chosen) for letter, chosen in self.models.first.items()}
        return {"value": value, "offered": self.models.listing(), "hub": self.models.catalogue.hub}

    # --- finished runs ---

    def run(self, run_id: Any) -> RunPayload:
        """A run as the page receives it. Raises `RunError` for an id that names none."""
        return run_payload(run_id, self.store.get(run_id))

    # --- the examples ---

    def examples(self) -> list[ListedExample]:
        """The examples in the order of their chips; the first one is what a visitor finds on the page."""
        return self._examples.listing()

    def example(self, name: object, models: ModelChoices | None = None) -> dict[str, str]:
        """Ids of the finished runs of an example by letter; made when first wanted, once a model, for all visitors.

        Raises `PromptError` for a name that is no example, and what went wrong as `UserError`.
        """
        return self._examples.runs(name, models or self.models.first)

    def _make_example(self, example: Example, letter: str, chosen: ModelChoice) -> str:
        """Those of the shipped checkpoints stay as long as the process lives; others are large, and make room."""
        conversation = Conversation(example.system).asking(example.question, example.paths)
        visitor, given = None if chosen.label in SHIPPED else EVERYBODY, self.defaults()
        settings = Settings(**{**given, "max_pixels": example.max_pixels or given["max_pixels"]})
        return self.answer(visitor, letter, conversation, settings, chosen)


def _labels(models: ModelChoices) -> dict[str, str]:
    """What visitors read as the models' names: one that stands in both columns is told apart by their letters."""
    labels = {letter: chosen.label for letter, chosen in models.items()}
    twice = len(set(labels.values())) < len(labels)
    return {letter: f"{label} ({letter})" if twice else label for letter, label in labels.items()}


def _subject(media: Sequence[Media]) -> str:
    kinds = {getattr(one, "kind", "image") for one in media}
    if kinds == {"video"}:
        return "the clip" if len(media) == 1 else Sentence.of("{count} clips", count=len(media))
    if "video" in kinds:
        return Sentence.of("{count} pictures and clips", count=len(media))
    return "the picture" if len(media) == 1 else Sentence.of("{count} pictures", count=len(media))


def _heard_by(asking: Asking) -> Progress:
    """Tells of frames and blocks before the first word, and ends them where a stop came."""

    def hear(step: Step, done: int, total: int) -> None:
        if asking.stopped.is_set():
            raise Interrupted
        if step == "frames":
            asking.tell("loading", f"decoding, {done:,} of {total:,} frames", 0.04 * done / total)
        else:
            asking.tell("reading", f"reading, {done:,} of {total:,} blocks", 0.05 + 0.05 * done / total)

    return hear


def _ended(stream: Stream) -> str:
    count = len(stream.ids)
    template = "stopped after {count} token" if count == 1 else "stopped after {count} tokens"
    return Sentence.of(template, count=count) if stream.stopped else "done"
