"""Holds what a visitor is about to ask: pictures in the rail, turns before, and what was asked last.

Frozen values, so that Gradio can keep one for each visitor; knows no session, component or model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, get_args

from app.asking.conversation import AS_USUAL, Conversation
from app.asking.model_choice import ModelChoice
from qwenvl.processing.files.clips import is_clip
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.recorded.kept_layers import Named


@dataclass(frozen=True)
class Draft:
    """The rail's state. `media` are paths on this machine and never leave it."""

    media: tuple[str, ...] = ()
    earlier: Conversation = field(default_factory=Conversation)  # answered turns that the next question follows up on
    last: Conversation | None = None  # what was asked last, its answers included
    asked_media: tuple[str, ...] = ()  # of the last question alone
    example: str | None = None
    sampling: VideoOptions = AS_USUAL  # which frames of the question's clips the models are shown
    models: tuple[tuple[str, ModelChoice], ...] = ()  # by letter, where a visitor chose; () for those of the start
    asked_models: tuple[tuple[str, ModelChoice], ...] = ()  # whose answers are shown
    keep: Named = "all"  # what the next run keeps
    asked_keep: Named = "all"  # what the runs that are shown keep

    def on_example(self, name: str, media: tuple[str, ...]) -> Draft:
        """A new one, on an example; the models and what is kept stay as chosen."""
        return Draft(media=media, example=name, models=self.models, asked_models=self.models, keep=self.keep)

    def keeping(self, keep: Any) -> Draft:
        """With another choice of what the next run keeps; what is none is the usual one."""
        return replace(self, keep=next((name for name in get_args(Named) if name == keep), "all"))

    @property
    def follows_up(self) -> bool:
        """Whether the next question continues the conversation."""
        return bool(self.earlier.turns)

    @property
    def can_follow_up(self) -> bool:
        """Whether there is an answered question to follow up on."""
        return self.last is not None and any(text for _, text in self.last.turns[-1].answers)

    def with_media(self, paths: tuple[str, ...] | list[str], *, add: bool) -> Draft:
        """With these pictures in place of the question's own, or after them."""
        return replace(self, media=(*self.media, *paths) if add else tuple(paths), example=None)

    def without(self, index: int) -> Draft:
        """Without the picture at this index of `shown`; those of earlier turns stay."""
        own = index - len(self.earlier.media)
        if not 0 <= own < len(self.media):
            return self
        return replace(self, media=(*self.media[:own], *self.media[own + 1 :]), example=None)

    @property
    def shown(self) -> tuple[str, ...]:
        """All pictures that the models will see: those of earlier turns, then the question's own."""
        return (*self.earlier.media, *self.media)

    @property
    def samplings(self) -> tuple[VideoOptions, ...]:
        """How each of `shown`, if it is a clip, is sampled."""
        return (*self.earlier.samplings, *[self.sampling] * len(self.media))

    def following_up(self) -> Draft:
        """The next question continues the last one's conversation, with no picture of its own yet."""
        return replace(self, earlier=self.last, media=(), example=None) if self.last and self.can_follow_up else self

    def starting_anew(self) -> Draft:
        """The next question begins a conversation, about the pictures that are shown."""
        return replace(self, earlier=Conversation(), media=self.shown)

    def conversation(self, question: str, system: str) -> Conversation:
        """What to ask: the earlier turns and this question."""
        return replace(self.earlier, system=system).asking(question, self.media, self.sampling)

    def answered(self, asked: Conversation) -> Draft:
        """After `asked` was answered; a conversation that was being followed up on goes on."""
        asked_by = replace(self, last=asked, asked_media=self.media, asked_models=self.models, asked_keep=self.keep)
        return replace(asked_by, earlier=asked, media=()) if self.follows_up else asked_by

    def overtaken(self, before: Draft, asked: Conversation) -> Draft:
        """After `before` was answered, with what was changed in the rail meanwhile: nothing of it is undone."""
        after = before.answered(asked)
        if self == before:
            return after
        names = ("last", "asked_media", "asked_models", "asked_keep")
        answered = replace(self, **{name: getattr(after, name) for name in names})
        if not (before.follows_up and self.follows_up):
            return answered
        added = tuple(path for path in self.media if path not in before.media)
        return replace(answered, earlier=asked, media=added)

    def stale(self, question: str, system: str) -> str | None:
        """One sentence where what stands in the rail is no longer what was answered."""
        if self.last is not None and self.models != self.asked_models:
            return "The models have changed since this answer."
        if self.last is None or self.follows_up:
            return None
        turn = self.last.turns[-1]
        if self.media != self.asked_media:
            return "The pictures have changed since this answer."
        if self.sampling != turn.sampling and any(map(is_clip, self.media)):
            return "Other frames of the clip have been chosen since this answer."
        if question.strip() != turn.question.strip() or system.strip() != self.last.system.strip():
            return "The question has changed since this answer."
        return None
