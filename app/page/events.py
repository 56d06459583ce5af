"""Connects the page's events to handlers that read the rail, ask the session, and write rail and inspector.

Each reads what stands in components by component, and returns the components it changes by component. A visitor's
mistake becomes one sentence in place; what stood in the rail stays there.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app.asking import pictures
from app.asking.asking import Update
from app.asking.conversation import Conversation, Settings
from app.asking.failures import Failure, describe
from app.asking.messages import Message
from app.asking.model_choice import ModelChoice, ModelChoices
from app.asking.uploads import Uploads
from app.page.draft import Draft
from app.page.form import Form
from app.page.inspector import show_asking, show_runs
from app.page.rail import FOLLOW_UP, Rail, no_notice, notice
from app.page.screen import Changes, Screen
from app.page.topbar import topbar_value
from app.serving.session import Session
from app.serving.side_by_side import ask_both
from app.serving.wire import plain
from qwenvl.errors import UserError
from qwenvl.processing.geometry.sampling import VideoOptions

Given = dict[Any, Any]  # what stands in components, by component

NOW: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
LATER: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
PATIENCE = 0.2  # seconds before an example says that it is being prepared
NO_PICTURE = ("No picture in this question.", "The models answer from words; Pipeline, Positions and Layers apply.")


@dataclass(frozen=True)
class Events:
    """Handlers over one session and one screen."""

    screen: Screen
    uploads: Uploads

    @property
    def session(self) -> Session:
        """Who answers."""
        return self.screen.session

    @property
    def rail(self) -> Rail:
        """The components that are read and written."""
        return self.screen.rail

    def connect(self, demo: gr.Blocks) -> None:
        """Bind every handler to its event."""
        rail, topbar, inspector = self.rail, self.screen.topbar, self.screen.inspector
        asked, shown = rail.form, self.screen.written
        asking = [*shown, rail.ask, rail.stop, rail.answered]
        settling: Any = (self.settle, {rail.answered, *asked}, asking)
        demo.load(self.load, None, asking, **LATER).then(*settling, **LATER)
        demo.unload(self.unload)
        chip = topbar.example(self.choose_example, rail.draft, asking, trigger_mode="always_last", **LATER)
        chip.then(*settling, **LATER)
        rail.replace.upload(self.replace_media, {rail.replace, *asked}, [*shown, rail.replace], **LATER)
        rail.add.upload(self.add_media, {rail.add, *asked}, [*shown, rail.add], **LATER)
        rail.media.remove(self.remove_media, asked, shown, **NOW)
        rail.turn_kind.input(self.choose_turn, {rail.turn_kind, *asked}, shown, **NOW)
        for changed in (rail.question.change, rail.system.change, rail.budget.change):
            changed(self.recount, asked, [rail.budget, rail.clip, inspector], trigger_mode="always_last", **NOW)
        recounted = [rail.draft, rail.budget, rail.clip, inspector]
        rail.clip.change(self.choose_frames, {rail.clip, *asked}, recounted, trigger_mode="always_last", **NOW)
        chosen = [*recounted, rail.notice, topbar]
        rail.models.change(self.choose_models, {rail.models, *asked}, chosen, trigger_mode="always_last", **LATER)
        rail.keeps.change(self.choose_keep, {rail.keeps, *asked}, recounted, trigger_mode="always_last", **NOW)
        gr.on(
            [rail.ask.click, rail.question.submit],
            self.ask,
            {*asked, *rail.settings},
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
            yield from self._show_example(self.screen.examples[0]["name"], Draft(), request)
            return
        try:
            yield self._restored(wanted, request.session_hash or "")
        except UserError as error:
            yield from self._show_example(
                self.screen.examples[0]["name"], Draft(), request, sentence=plain(error.sentence)
            )

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
        budget = self.screen.budget(settings.min_pixels, settings.max_pixels)
        return {
            **self.screen.type(Form(draft, turn.question, conversation.system, budget)),
            **self._told(show_runs(wanted, outside=self.screen.outside(conversation.media)), stale=None),
        }

    def _conversation(self, runs: dict[str, str]) -> tuple[Conversation, Settings]:
        """What runs of one turn answered, all in one conversation."""
        found = {letter: self.session.store.get(run).answered() for letter, run in runs.items()}
        conversation, settings = next(iter(found.values()))
        for letter, (one, _) in found.items():
            conversation = conversation.answered(letter, one.turns[-1].answer(letter))
        return conversation, settings

    def _models_of(self, runs: dict[str, str]) -> tuple[tuple[str, ModelChoice], ...]:
        """The models whose runs these are; () where they are those of the start."""
        found = self.session.models.first | {
            letter: chosen for letter, run in runs.items() if (chosen := self.session.store.get(run).chosen)
        }
        return () if found == self.session.models.first else tuple(found.items())

    # --- examples ---

    def choose_example(self, draft: Draft, event: gr.EventData, request: gr.Request) -> Iterator[Changes]:
        """A chip was pressed."""
        yield from self._show_example(event.name, draft, request)

    def _show_example(
        self, name: str, before: Draft, request: gr.Request, *, sentence: str | None = None
    ) -> Iterator[Changes]:
        example = next((one for one in self.screen.examples if one["name"] == name), self.screen.examples[0])
        paths = tuple(one["path"] for one in example["media"])
        budget = self.screen.budget(None, example["max_pixels"])
        form = Form(before.on_example(example["name"], paths), example["question"], example["system"], budget)
        if not self.session.are_shipped(self.screen.chosen(before)):  # minutes: told word by word
            yield self.screen.type(form)
            settings = Settings(min_pixels=budget["min"], max_pixels=budget["max"], keep=form.draft.keep)
            yield from self._answers(form, settings, request.session_hash or "")
            return
        found: dict[str, Any] = {}
        asked = (example["name"], dict(before.models) or None, found)
        worker = threading.Thread(target=self._find_example, args=asked, daemon=True)
        worker.start()
        worker.join(PATIENCE)
        shown = self.screen.type(form)
        if worker.is_alive():
            yield {**shown, **self._told(self._preparing(), stale=None)}
            worker.join()
        outside = self.screen.outside(paths)
        if "error" in found:
            failed = {letter: self._failed(letter, found["error"]) for letter in self.session.letters}
            told = show_asking(_turn(), failed, outside=outside, finished=True)
            yield {**shown, **self._told(told, stale=None)}
            return
        conversation, _ = self._conversation(found["runs"])
        answered = form.drafted(replace(form.draft, last=conversation, asked_media=paths))
        message = show_runs(found["runs"], outside=outside, sentence=sentence)
        yield {**self.screen.type(answered), **self._told(message, stale=None)}

    def _find_example(self, name: str, models: ModelChoices | None, found: dict[str, Any]) -> None:
        try:
            found["runs"] = self.session.example(name, models)
        except Exception as error:
            found["error"] = describe(error)

    def _preparing(self) -> Message:
        def update(letter: str) -> Update:
            step = "preparing the example"
            return Update(letter=letter, state="loading", step=step, progress=0.1, pieces=[], run=None, error=None)

        updates = {letter: update(letter) for letter in self.session.letters}
        return show_asking(_turn(), updates, outside=False, finished=False)

    def _failed(self, letter: str, error: Failure) -> Update:
        return Update(letter=letter, state="error", step="", progress=1.0, pieces=[], run=None, error=error)

    # --- pictures ---

    def replace_media(self, given: Given, request: gr.Request) -> Changes:
        """New pictures in place of the old ones."""
        return self._uploaded(given, self.rail.replace, request, add=False)

    def add_media(self, given: Given, request: gr.Request) -> Changes:
        """More pictures."""
        return self._uploaded(given, self.rail.add, request, add=True)

    def _uploaded(self, given: Given, button: gr.UploadButton, request: gr.Request, *, add: bool) -> Changes:
        form = self.rail.read(given)
        paths, changes = self._claimed(given[button], request)
        if paths:
            changes = self.screen.show(form.drafted(form.draft.with_media(paths, add=add)))
        return {**changes, button: None}

    def _claimed(self, files: list[str], request: gr.Request) -> tuple[list[str], Changes]:
        """The uploaded files as this visitor's pictures; none, and a sentence, where one of them is no picture."""
        try:
            paths = self.uploads.claim(request.session_hash or "", [str(file) for file in files])
            for path in paths:
                pictures.describe(path)
        except UserError as error:
            return [], {self.rail.notice: notice(describe(error)["title"], error.sentence)}
        return paths, {}

    def remove_media(self, given: Given, event: gr.EventData) -> Changes:
        """The cross on a picture."""
        form = self.rail.read(given)
        return self.screen.show(form.drafted(form.draft.without(event.index)))

    # --- the question ---

    def choose_turn(self, given: Given) -> Changes:
        """A new question, or one that follows up on the last answers."""
        form = self.rail.read(given)
        if given[self.rail.turn_kind] == FOLLOW_UP:
            following = form.drafted(form.draft.following_up()).asking("")
            return {**self.screen.show(following), self.rail.question: ""}
        return self.screen.show(form.drafted(form.draft.starting_anew()))

    def recount(self, given: Given) -> Changes:
        """Something was typed, or the pixel budget moved."""
        return self.screen.recount(self.rail.read(given))

    def choose_frames(self, given: Given) -> Changes:
        """Which frames of the question's clips the models are shown."""
        form = self.rail.read(given)
        try:
            sampling = VideoOptions.of(_known(given[self.rail.clip]))
        except UserError as error:
            return {self.rail.clip: gr.HTML(result={**self.screen.result(form), "error": plain(error.sentence)})}
        if sampling == form.draft.sampling:  # an echo of what the page itself set: the draft may be newer
            return self.screen.recount(form)
        return self._redrafted(form.drafted(replace(form.draft, sampling=sampling)))

    def _redrafted(self, form: Form) -> Changes:
        return {self.rail.draft: form.draft, **self.screen.recount(form)}

    def choose_models(self, given: Given) -> Iterator[Changes]:
        """Other models in A and B; nothing is loaded before they are asked, but a hub id is looked up."""
        form = self.rail.read(given)
        try:
            chosen = self.session.models.chosen(given[self.rail.models])
        except UserError as error:
            yield {self.rail.notice: notice("This model cannot be chosen.", error.sentence)}
            return
        models = () if chosen == self.session.models.first else tuple(chosen.items())
        form = form.drafted(replace(form.draft, models=models))
        yield {self.rail.draft: form.draft}
        told, weights = no_notice(), self.screen.weights
        try:
            weights = self.session.weights(chosen)
        except UserError as error:
            told = notice(describe(error)["title"], error.sentence)
        topbar = gr.HTML(value=topbar_value(self.screen.examples, weights, form.draft.example))
        yield {self.rail.notice: told, self.screen.topbar: topbar, **self._redrafted(form)}

    def choose_keep(self, given: Given) -> Changes:
        """What the next run keeps of its queries and keys."""
        form, asked = self.rail.read(given), given[self.rail.keeps]
        draft = form.draft.keeping(asked.get("keep") if isinstance(asked, Mapping) else None)
        return self._redrafted(form.drafted(draft))

    def ask(self, given: Given, request: gr.Request) -> Iterator[Changes]:
        """Ask both models, and tell the inspector how it goes."""
        form = self.rail.read(given)
        settings = self.rail.read_settings(given)
        try:
            form.conversation.check()
            settings.check()
        except UserError as error:
            yield {self.rail.notice: notice(describe(error)["title"], error.sentence)}
            return
        yield from self._answers(form, settings, request.session_hash or "")

    def _answers(self, form: Form, settings: Settings, visitor: str) -> Iterator[Changes]:
        draft, conversation = form.draft, form.conversation
        turn, updates, outside = _turn(), {}, self.screen.outside(draft.shown)
        told = notice(*NO_PICTURE, calm=True) if not draft.shown else no_notice()
        yield {
            self.rail.ask: gr.Button(interactive=False),
            self.rail.stop: gr.Button(interactive=True),
            self.rail.notice: told,
            **self._told(show_asking(turn, {}, outside=outside, finished=False), stale=None),
        }
        for updates in ask_both(self.session, visitor, conversation, settings, dict(draft.models)):
            yield self._told(show_asking(turn, updates, outside=outside, finished=False))
        for letter, update in updates.items():
            if update["run"]:
                conversation = conversation.answered(letter, "".join(update["pieces"]))
        message = show_asking(turn, updates, outside=outside, finished=True)
        yield {self.rail.answered: (draft, conversation, message)}

    def settle(self, given: Given) -> Changes:
        """The answers stand: the rail takes them in, as it is now, and not as it was when they were asked for."""
        form, answered = self.rail.read(given), given[self.rail.answered]
        if answered is None:
            return {self.rail.answered: None}
        before, conversation, message = answered
        asked = conversation.turns[-1]
        if asked.answers:
            form = form.drafted(form.draft.overtaken(before, conversation))
        cleared = before.follows_up and bool(asked.answers) and form.question.strip() == asked.question.strip()
        form = form.asking("") if cleared else form
        shown = self.screen.show(form)
        del shown[self.rail.notice]
        return {
            **shown,
            **({self.rail.question: ""} if cleared else {}),
            self.rail.ask: gr.Button(interactive=True),
            self.rail.stop: gr.Button(interactive=False),
            self.rail.answered: None,
            **self._told(message, stale=form.stale),
        }

    def _told(self, message: Message, **more: Any) -> Changes:
        return {self.screen.inspector: gr.HTML(value=message, **more)}

    def stop(self, request: gr.Request) -> Changes:
        """End both answers; what was said stays."""
        self.session.stop(request.session_hash or "")
        return {self.rail.stop: gr.Button(interactive=False)}


def _known(chosen: Any) -> dict[str, Any]:
    """The options of clips among what was posted."""
    given = chosen if isinstance(chosen, Mapping) else {}
    return {name: value for name, value in given.items() if name in VideoOptions.__dataclass_fields__}


def _turn() -> str:
    return secrets.token_hex(4)
