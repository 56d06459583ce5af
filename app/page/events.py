"""Connects the page's events to handlers that read the rail, ask the session, and write rail and inspector.

Each returns the components it changes, by component. A visitor's mistake becomes one sentence in place; what stood in
the rail stays there.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from app.asking import pictures
from app.asking.conversation import Conversation, Settings
from app.asking.failures import describe
from app.asking.model_choice import ModelChoice, ModelChoices
from app.asking.uploads import Uploads
from app.page.draft import Draft
from app.page.inspector import show_asking, show_runs
from app.page.rail import FOLLOW_UP, NEW, Rail, no_notice, notice, turns_html
from app.page.topbar import topbar_value
from app.serving.session import Session
from app.serving.side_by_side import ask_both
from app.serving.wire import plain
from qwenvl.errors import UserError
from qwenvl.processing.geometry.sampling import VideoOptions

Changes = dict[Any, Any]
Budget = dict[str, int]  # min and max, in pixels

NOW: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
LATER: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
THUMBNAIL_SIDE = 480
PATIENCE = 0.2  # seconds before an example says that it is being prepared
NO_PICTURE = ("No picture in this question.", "The models answer from words; Pipeline, Positions and Layers apply.")


@dataclass(frozen=True)
class Events:
    """Handlers over one session and the components of one page."""

    session: Session
    uploads: Uploads
    rail: Rail
    topbar: gr.HTML
    inspector: gr.HTML
    examples: list[dict[str, Any]]
    weights: Mapping[str, Any]

    def connect(self, demo: gr.Blocks) -> None:
        """Bind every handler to its event."""
        rail = self.rail
        asked = [rail.draft, rail.question, rail.system, rail.budget]
        shown = [rail.draft, rail.media, rail.notice, rail.turn_kind, rail.turns, rail.question, rail.system]
        shown += [rail.budget, rail.clip, rail.models, self.topbar, self.inspector]
        asking = [*shown, rail.ask, rail.stop, rail.answered]
        settling: Any = (self.settle, [rail.answered, *asked], asking)
        demo.load(self.load, None, asking, **LATER).then(*settling, **LATER)
        demo.unload(self.unload)
        chip = self.topbar.example(self.choose_example, rail.draft, asking, trigger_mode="always_last", **LATER)
        chip.then(*settling, **LATER)
        rail.replace.upload(self.replace_media, [rail.replace, *asked], [*shown, rail.replace], **LATER)
        rail.add.upload(self.add_media, [rail.add, *asked], [*shown, rail.add], **LATER)
        rail.media.remove(self.remove_media, asked, shown, **NOW)
        rail.turn_kind.input(self.choose_turn, [rail.turn_kind, *asked], shown, **NOW)
        for changed in (rail.question.change, rail.system.change, rail.budget.change):
            changed(self.recount, asked, [rail.budget, rail.clip, self.inspector], trigger_mode="always_last", **NOW)
        recounted = [rail.draft, rail.budget, rail.clip, self.inspector]
        rail.clip.change(self.choose_frames, [rail.clip, *asked], recounted, trigger_mode="always_last", **NOW)
        chosen = [*recounted, rail.notice, self.topbar]
        rail.models.change(self.choose_models, [rail.models, *asked], chosen, trigger_mode="always_last", **LATER)
        rail.keeps.change(self.choose_keep, [rail.keeps, *asked], recounted, trigger_mode="always_last", **NOW)
        gr.on(
            [rail.ask.click, rail.question.submit],
            self.ask,
            [rail.draft, rail.question, rail.system, *rail.settings],
            asking,
            trigger_mode="once",
            **LATER,
        ).then(*settling, **LATER)
        rail.stop.click(self.stop, None, rail.stop, **NOW)

    # --- arriving and leaving ---

    def load(self, request: gr.Request) -> Iterator[Changes]:
        """The first screen: the runs that the address names, else the first example. Never empty."""
        named = {letter: run for letter in self.session.letters if (run := request.query_params.get(letter.lower()))}
        wanted = named or self.session.opening
        if not wanted:
            yield from self._show_example(self.examples[0]["name"], Draft(), request)
            return
        try:
            yield self._restored(wanted, request.session_hash or "")
        except UserError as error:
            yield from self._show_example(self.examples[0]["name"], Draft(), request, sentence=plain(error.sentence))

    def unload(self, request: gr.Request) -> None:
        """The page was closed."""
        self.session.leave(request.session_hash or "")

    def _restored(self, wanted: dict[str, str], visitor: str) -> Changes:
        conversation, settings = self._conversation(wanted)
        self.uploads.grant(visitor, conversation.media)
        *before, turn = conversation.turns
        models = self._models_of(wanted)
        draft = Draft(media=turn.media, last=conversation, asked_media=turn.media, sampling=turn.sampling)
        draft = replace(draft, models=models, asked_models=models)
        if before:
            draft = replace(draft.following_up(), asked_media=turn.media)
        budget = {"min": settings.min_pixels, "max": settings.max_pixels}
        return {
            **self._shown(draft, turn.question, conversation.system, self._budget(budget)),
            self.rail.question: turn.question,
            self.rail.system: conversation.system,
            self.inspector: gr.HTML(value=show_runs(wanted, outside=self._outside(conversation.media)), stale=None),
        }

    def _conversation(self, runs: dict[str, str]) -> tuple[Conversation, Settings]:
        """What runs of one turn answered, all in one conversation."""
        found = {letter: self.session.conversation(run) for letter, run in runs.items()}
        conversation, settings = next(iter(found.values()))
        for letter, (one, _) in found.items():
            conversation = conversation.answered(letter, one.turns[-1].answer(letter))
        return conversation, settings

    def _models_of(self, runs: dict[str, str]) -> tuple[tuple[str, ModelChoice], ...]:
        """The models whose runs these are; () where they are those of the start."""
        found = self.session.models.first | {
            letter: chosen for letter, run in runs.items() if (chosen := self.session.finished(run).chosen)
        }
        return () if found == self.session.models.first else tuple(found.items())

    # --- examples ---

    def choose_example(self, draft: Draft, event: gr.EventData, request: gr.Request) -> Iterator[Changes]:
        """A chip was pressed."""
        yield from self._show_example(event.name, draft, request)

    def _show_example(
        self, name: str, before: Draft, request: gr.Request, *, sentence: str | None = None
    ) -> Iterator[Changes]:
        example = next((one for one in self.examples if one["name"] == name), self.examples[0])
        paths = tuple(one["path"] for one in example["media"])
        if not self.session.are_shipped(self._chosen(before)):  # minutes: told word by word
            yield from self._ask_example(example, before.on_example(example["name"], paths), request)
            return
        found: dict[str, Any] = {}
        asked = (example["name"], dict(before.models) or None, found)
        worker = threading.Thread(target=self._find_example, args=asked, daemon=True)
        worker.start()
        worker.join(PATIENCE)
        draft = before.on_example(example["name"], paths)
        budget = self._budget({"max": example["max_pixels"]})
        shown = self._shown(draft, example["question"], example["system"], budget)
        shown |= {self.rail.question: example["question"], self.rail.system: example["system"]}
        if worker.is_alive():
            yield {**shown, self.inspector: gr.HTML(value=self._preparing(), stale=None)}
            worker.join()
        outside = self._outside(paths)
        if "error" in found:
            failed = {letter: self._failed(letter, found["error"]) for letter in self.session.letters}
            message = show_asking(_turn(), failed, outside=outside, finished=True)
            yield {**shown, self.inspector: gr.HTML(value=message, stale=None)}
            return
        conversation, _ = self._conversation(found["runs"])
        draft = replace(draft, last=conversation, asked_media=paths)
        after = self._shown(draft, example["question"], example["system"], budget)
        message = show_runs(found["runs"], outside=outside, sentence=sentence)
        yield {**shown, **after, self.inspector: gr.HTML(value=message, stale=None)}

    def _ask_example(self, example: Mapping[str, Any], draft: Draft, request: gr.Request) -> Iterator[Changes]:
        budget = self._budget({"max": example["max_pixels"]})
        question, system = example["question"], example["system"]
        shown = self._shown(draft, question, system, budget)
        yield {**shown, self.rail.question: question, self.rail.system: system}
        settings = Settings(min_pixels=budget["min"], max_pixels=budget["max"], keep=draft.keep)
        conversation = draft.conversation(question, system)
        yield from self._answers(draft, conversation, settings, budget, request.session_hash or "")

    def _find_example(self, name: str, models: ModelChoices | None, found: dict[str, Any]) -> None:
        try:
            found["runs"] = self.session.example(name, models)
        except Exception as error:
            found["error"] = describe(error)

    def _preparing(self) -> dict[str, Any]:
        update = {"state": "loading", "step": "preparing the example", "progress": 0.1, "pieces": [], "run": None}
        return show_asking(_turn(), dict.fromkeys(self.session.letters, update), outside=False, finished=False)

    def _failed(self, letter: str, error: dict[str, Any]) -> dict[str, Any]:
        update = {"letter": letter, "state": "error", "step": "", "progress": 1, "pieces": [], "run": None}
        return {**update, "error": error}

    # --- pictures ---

    def replace_media(
        self, files: list[str], draft: Draft, question: str, system: str, budget: Budget, request: gr.Request
    ) -> Changes:
        """New pictures in place of the old ones."""
        paths, changes = self._claimed(files, request)
        if paths:
            changes = self._shown(draft.with_media(paths, add=False), question, system, budget)
        return {**changes, self.rail.replace: None}

    def add_media(
        self, files: list[str], draft: Draft, question: str, system: str, budget: Budget, request: gr.Request
    ) -> Changes:
        """More pictures."""
        paths, changes = self._claimed(files, request)
        if paths:
            changes = self._shown(draft.with_media(paths, add=True), question, system, budget)
        return {**changes, self.rail.add: None}

    def _claimed(self, files: list[str], request: gr.Request) -> tuple[list[str], Changes]:
        """The uploaded files as this visitor's pictures; none, and a sentence, where one of them is no picture."""
        try:
            paths = self.uploads.claim(request.session_hash or "", [str(file) for file in files])
            for path in paths:
                pictures.describe(path)
        except UserError as error:
            return [], {self.rail.notice: notice(describe(error)["title"], error.sentence)}
        return paths, {}

    def remove_media(self, draft: Draft, question: str, system: str, budget: Budget, event: gr.EventData) -> Changes:
        """The cross on a picture."""
        return self._shown(draft.without(event.index), question, system, budget)

    # --- the question ---

    def choose_turn(self, kind: str, draft: Draft, question: str, system: str, budget: Budget) -> Changes:
        """A new question, or one that follows up on the last answers."""
        if kind == FOLLOW_UP:
            return {**self._shown(draft.following_up(), "", system, budget), self.rail.question: ""}
        return self._shown(draft.starting_anew(), question, system, budget)

    def recount(self, draft: Draft, question: str, system: str, budget: Budget) -> Changes:
        """Sizes and tokens of what stands in the rail, and whether the answers are still answers to it."""
        stale = draft.stale(question, system)
        result = self._result(draft, question, system, budget)
        counted = {part: gr.HTML(result=result) for part in (self.rail.budget, self.rail.clip)}
        return {**counted, self.inspector: gr.HTML(stale=stale)}

    def choose_frames(
        self, chosen: Mapping[str, Any], draft: Draft, question: str, system: str, budget: Budget
    ) -> Changes:
        """Which frames of the question's clips the models are shown."""
        try:
            sampling = VideoOptions.of(_known(chosen))
        except UserError as error:
            return {
                self.rail.clip: gr.HTML(
                    result={**self._result(draft, question, system, budget), "error": plain(error.sentence)}
                )
            }
        if sampling == draft.sampling:  # an echo of what the page itself set: the draft may be newer
            return self.recount(draft, question, system, budget)
        draft = replace(draft, sampling=sampling)
        return {self.rail.draft: draft, **self.recount(draft, question, system, budget)}

    def choose_models(self, asked: Any, draft: Draft, question: str, system: str, budget: Budget) -> Iterator[Changes]:
        """Other models in A and B; nothing is loaded before they are asked, but a hub id is looked up."""
        try:
            chosen = self.session.models.chosen(asked)
        except UserError as error:
            yield {self.rail.notice: notice("This model cannot be chosen.", error.sentence)}
            return
        models = () if chosen == self.session.models.first else tuple(chosen.items())
        draft = replace(draft, models=models)
        yield {self.rail.draft: draft}
        told, weights = no_notice(), self.weights
        try:
            weights = self.session.weights(chosen)
        except UserError as error:
            told = notice(describe(error)["title"], error.sentence)
        topbar = {
            self.rail.notice: told,
            self.topbar: gr.HTML(value=topbar_value(self.examples, weights, draft.example)),
        }
        yield {self.rail.draft: draft, **topbar, **self.recount(draft, question, system, budget)}

    def choose_keep(self, asked: Any, draft: Draft, question: str, system: str, budget: Budget) -> Changes:
        """What the next run keeps of its queries and keys."""
        draft = draft.keeping(asked.get("keep") if isinstance(asked, Mapping) else None)
        return {self.rail.draft: draft, **self.recount(draft, question, system, budget)}

    def ask(
        self,
        draft: Draft,
        question: str,
        system: str,
        temperature: float,
        top_p: float,
        seed: float,
        length: float,
        budget: Budget,
        request: gr.Request,
    ) -> Iterator[Changes]:
        """Ask both models, and tell the inspector how it goes."""
        settings = Settings(
            temperature=temperature,
            top_p=top_p,
            seed=int(seed or 0),
            max_new_tokens=int(length),
            min_pixels=budget["min"],
            max_pixels=budget["max"],
            keep=draft.keep,
        )
        conversation = draft.conversation(question, system)
        try:
            conversation.check()
            settings.check()
        except UserError as error:
            yield {self.rail.notice: notice(describe(error)["title"], error.sentence)}
            return
        yield from self._answers(draft, conversation, settings, budget, request.session_hash or "")

    def _answers(
        self, draft: Draft, conversation: Conversation, settings: Settings, budget: Budget, visitor: str
    ) -> Iterator[Changes]:
        turn, updates, outside = _turn(), {}, self._outside(draft.shown)
        told = notice(*NO_PICTURE, calm=True) if not draft.shown else no_notice()
        yield {
            self.rail.ask: gr.Button(interactive=False),
            self.rail.stop: gr.Button(interactive=True),
            self.rail.notice: told,
            self.inspector: gr.HTML(value=show_asking(turn, {}, outside=outside, finished=False), stale=None),
        }
        for updates in ask_both(self.session, visitor, conversation, settings, dict(draft.models)):
            yield {self.inspector: gr.HTML(value=show_asking(turn, updates, outside=outside, finished=False))}
        for letter, update in updates.items():
            if update["run"]:
                conversation = conversation.answered(letter, "".join(update["pieces"]))
        message = show_asking(turn, updates, outside=outside, finished=True)
        yield {self.rail.answered: (draft, conversation, message)}

    def settle(self, answered: Any, draft: Draft, question: str, system: str, budget: Budget) -> Changes:
        """The answers stand: the rail takes them in, as it is now, and not as it was when they were asked for."""
        if answered is None:
            return {self.rail.answered: None}
        before, conversation, message = answered
        after, asked = draft, conversation.turns[-1].question
        if conversation.turns[-1].answers:
            after = draft.overtaken(before, conversation)
        cleared = before.follows_up and after is not draft and question.strip() == asked.strip()
        question = "" if cleared else question
        shown = self._shown(after, question, system, budget)
        del shown[self.rail.notice]
        return {
            **shown,
            **({self.rail.question: ""} if cleared else {}),
            self.rail.ask: gr.Button(interactive=True),
            self.rail.stop: gr.Button(interactive=False),
            self.rail.answered: None,
            self.inspector: gr.HTML(value=message, stale=after.stale(question, system)),
        }

    def stop(self, request: gr.Request) -> Changes:
        """End both answers; what was said stays."""
        self.session.stop(request.session_hash or "")
        return {self.rail.stop: gr.Button(interactive=False)}

    # --- the rail as it stands ---

    def _shown(self, draft: Draft, question: str, system: str, budget: Budget) -> Changes:
        """The rail for a draft: everything but the text that a visitor types.

        A value that is a dictionary is wrapped: bare, Gradio writes the next step of a stream into it.
        """
        rail, result = self.rail, self._result(draft, question, system, budget)
        questions = [turn.question for turn in draft.earlier.turns]
        return {
            rail.draft: draft,
            rail.media: gr.HTML(value={"items": self._items(draft)}),
            rail.notice: no_notice(),
            rail.turn_kind: gr.Radio(visible=draft.can_follow_up, value=FOLLOW_UP if draft.follows_up else NEW),
            rail.turns: gr.HTML(turns_html(questions), visible=bool(questions)),
            rail.budget: gr.HTML(value=budget, result=result),
            rail.clip: gr.HTML(value=asdict(draft.sampling), result=result),
            rail.models: gr.HTML(value={letter: asdict(chosen) for letter, chosen in self._chosen(draft).items()}),
            self.topbar: gr.HTML(value=topbar_value(self.examples, self._weights(draft), draft.example)),
            self.inspector: gr.HTML(stale=draft.stale(question, system)),
        }

    def _items(self, draft: Draft) -> list[dict[str, Any]]:
        known = [pictures.describe(path) for path in draft.shown]
        locked = len(draft.earlier.media)
        return [
            {
                **{name: value for name, value in one.items() if name != "path"},
                "thumbnail": self._thumbnail(one["path"]),
                "locked": index < locked,
            }
            for index, one in enumerate(known)
        ]

    def _result(self, draft: Draft, question: str, system: str, budget: Budget) -> dict[str, Any]:
        thumbnail = self._thumbnail(draft.shown[0]) if draft.shown else None
        result: dict[str, Any] = {"question": question, "budget": budget, "thumbnail": thumbnail, "forecast": {}}
        result["clips"] = any(map(pictures.moves, draft.media))
        result |= {"stale": draft.stale(question, system), "follows": draft.follows_up}
        result["kept_otherwise"] = draft.keep != draft.asked_keep
        try:
            asked = (draft.shown, question, system, budget["min"], budget["max"], draft.samplings)
            found = self.session.forecast(*asked, self._chosen(draft), draft.keep, own=len(draft.media))
            result["forecast"] = plain(found)
        except UserError as error:
            result["error"] = plain(error.sentence)
        return result

    def _weights(self, draft: Draft) -> Mapping[str, Any]:
        with suppress(UserError):  # of a model that cannot be had the answer says so
            return self.session.weights(dict(draft.models)) if draft.models else self.weights
        return self.weights

    def _chosen(self, draft: Draft) -> ModelChoices:
        return dict(draft.models) or self.session.models.first

    def _outside(self, paths: Sequence[str]) -> bool:
        """Whether any of these is no drawing of the kind that the shipped checkpoints learn from."""
        scenes = {media["path"] for one in self.examples if one["kind"] == "scene" for media in one["media"]}
        return not scenes.issuperset(paths)

    def _thumbnail(self, path: str) -> str:
        return _thumbnail(path, Path(path).stat().st_mtime_ns)

    def _budget(self, given: dict[str, int | None] | None) -> Budget:
        defaults = self.session.defaults()
        given = given or {}
        low = given.get("min") or defaults["min_pixels"] or self.rail.budget.value["min"]
        return {"min": low, "max": given.get("max") or defaults["max_pixels"]}


def _known(chosen: Any) -> dict[str, Any]:
    """The options of clips among what was posted."""
    given = chosen if isinstance(chosen, Mapping) else {}
    return {name: value for name, value in given.items() if name in VideoOptions.__dataclass_fields__}


@lru_cache(maxsize=64)
def _thumbnail(path: str, changed: int) -> str:
    return pictures.thumbnail(path, THUMBNAIL_SIDE)


def _turn() -> str:
    return secrets.token_hex(4)
