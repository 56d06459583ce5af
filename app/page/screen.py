"""Shows a form: what each component of the rail, the top bar and the inspector says for what a visitor is about to ask.

It writes components and reads no event; which handler calls it, it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from app.asking import pictures
from app.asking.model_choice import ModelChoices
from app.models.measured import WeightsTold
from app.page.draft import Draft
from app.page.form import Budget, Form
from app.page.rail import FOLLOW_UP, NEW, Rail, no_notice, turns_html
from app.page.topbar import topbar_value
from app.serving.example_runs import ListedExample
from app.serving.session import Session
from app.serving.wire import plain
from qwenvl.errors import UserError

Changes = dict[Any, Any]  # what components become, by component

THUMBNAIL_SIDE = 480


@dataclass(frozen=True)
class Screen:
    """The components of one page, over one session."""

    session: Session
    rail: Rail
    topbar: gr.HTML
    inspector: gr.HTML
    examples: list[ListedExample]
    weights: WeightsTold

    @property
    def written(self) -> list[Any]:
        """The components that `show` and a handler beside it may write."""
        rail = self.rail
        shown = [rail.draft, rail.media, rail.notice, rail.turn_kind, rail.turns, rail.question, rail.system]
        return [*shown, rail.budget, rail.clip, rail.models, self.topbar, self.inspector]

    def show(self, form: Form) -> Changes:
        """The page for a form: everything but the text that a visitor types.

        A value that is a dictionary is wrapped: bare, Gradio writes the next step of a stream into it.
        """
        rail, result, draft = self.rail, self.result(form), form.draft
        questions = [turn.question for turn in draft.earlier.turns]
        return {
            rail.draft: draft,
            rail.media: gr.HTML(value={"items": self._items(draft)}),
            rail.notice: no_notice(),
            rail.turn_kind: gr.Radio(visible=draft.can_follow_up, value=FOLLOW_UP if draft.follows_up else NEW),
            rail.turns: gr.HTML(turns_html(questions), visible=bool(questions)),
            rail.budget: gr.HTML(value=form.budget, result=result),
            rail.clip: gr.HTML(value=asdict(draft.sampling), result=result),
            rail.models: gr.HTML(value={letter: asdict(chosen) for letter, chosen in self.chosen(draft).items()}),
            self.topbar: gr.HTML(value=topbar_value(self.examples, self._weights(draft), draft.example)),
            self.inspector: gr.HTML(stale=form.stale),
        }

    def type(self, form: Form) -> Changes:
        """The page for a form, the text that a visitor types included."""
        return {**self.show(form), self.rail.question: form.question, self.rail.system: form.system}

    def recount(self, form: Form) -> Changes:
        """Sizes and tokens of what stands in the rail, and whether the answers are still answers to it."""
        result = self.result(form)
        counted = {part: gr.HTML(result=result) for part in (self.rail.budget, self.rail.clip)}
        return {**counted, self.inspector: gr.HTML(stale=form.stale)}

    def result(self, form: Form) -> dict[str, Any]:
        """What the models will be given for a form, before they are asked."""
        draft, budget = form.draft, form.budget
        thumbnail = self._thumbnail(draft.shown[0]) if draft.shown else None
        result: dict[str, Any] = {"question": form.question, "budget": budget, "thumbnail": thumbnail, "forecast": {}}
        result["clips"] = any(map(pictures.moves, draft.media))
        result |= {"stale": form.stale, "follows": draft.follows_up}
        result["kept_otherwise"] = draft.keep != draft.asked_keep
        try:
            asked = (draft.shown, form.question, form.system, budget["min"], budget["max"], draft.samplings)
            found = self.session.forecast(*asked, self.chosen(draft), draft.keep, own=len(draft.media))
            result["forecast"] = plain(found)
        except UserError as error:
            result["error"] = plain(error.sentence)
        return result

    def chosen(self, draft: Draft) -> ModelChoices:
        """The models by letter: a visitor's own, else those of the start."""
        return dict(draft.models) or self.session.models.first

    def outside(self, paths: Sequence[str]) -> bool:
        """Whether any of these is no drawing of the kind that the shipped checkpoints learn from."""
        scenes = {media["path"] for one in self.examples if one["kind"] == "scene" for media in one["media"]}
        return not scenes.issuperset(paths)

    def budget(self, low: int | None, high: int | None) -> Budget:
        """The limits that stand in the rail where these were given: the usual ones in place of None."""
        defaults = self.session.defaults()
        low = low or defaults["min_pixels"] or self.rail.budget.value["min"]
        return {"min": low, "max": high or defaults["max_pixels"]}

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

    def _weights(self, draft: Draft) -> WeightsTold:
        with suppress(UserError):  # of a model that cannot be had the answer says so
            return self.session.weights(dict(draft.models)) if draft.models else self.weights
        return self.weights

    def _thumbnail(self, path: str) -> str:
        return _thumbnail(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _thumbnail(path: str, changed: int) -> str:
    return pictures.thumbnail(path, THUMBNAIL_SIDE)
