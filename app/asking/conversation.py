"""Holds what a visitor has asked so far as frozen values, without pixels, models or runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from qwenvl.errors import PromptError, Sentence
from qwenvl.processing.files.clips import is_clip
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.processing.text.grounding import answer_parts
from qwenvl.recorded.kept_layers import Keep, check_keep

MAX_PICTURES = 16
MAX_LETTERS = 100_000
MAX_PIXELS = 1 << 26  # of one picture or frame, as limits that a visitor may set
FPS, MAX_NUM_FRAMES = (1e-6, 1e6), 100_000  # of a clip, likewise

_LIMITS: dict[str, tuple[float, float]] = {
    "max_new_tokens": (1, 2048),
    "temperature": (0.0, 5.0),
    "top_p": (0.001, 1.0),
    "top_k": (0, 1_000_000),
    "repetition_penalty": (0.1, 10.0),
    "seed": (0, 2**63 - 1),
    "min_pixels": (1, MAX_PIXELS),
    "max_pixels": (1, MAX_PIXELS),
}
_NEEDED = ("max_new_tokens", "seed")  # no checkpoint says them
_FRACTIONS = ("temperature", "top_p", "repetition_penalty")


AS_USUAL = VideoOptions()


@dataclass(frozen=True)
class Turn:
    """One question with its media (paths on this machine), and what each model, by its letter, answered so far.

    `sampling` says which frames of its clips the models are shown.
    """

    question: str
    media: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    sampling: VideoOptions = AS_USUAL

    def answer(self, letter: str) -> str:
        """What the model of this letter said; empty where it said nothing."""
        return dict(self.answers).get(letter, "")


@dataclass(frozen=True)
class Conversation:
    """A system prompt ("" for the model's own) and turns; the last one is the question to answer."""

    system: str = ""
    turns: tuple[Turn, ...] = ()

    def asking(
        self, question: str, media: tuple[str, ...] | list[str] = (), sampling: VideoOptions | None = None
    ) -> Conversation:
        """The conversation with one more question at its end; `sampling` of its clips, None for the usual one."""
        return replace(self, turns=(*self.turns, Turn(question, tuple(media), sampling=sampling or AS_USUAL)))

    def answered(self, letter: str, text: str) -> Conversation:
        """The conversation with the answer of one model noted in its last turn."""
        *earlier, last = self.turns
        others = tuple(pair for pair in last.answers if pair[0] != letter)
        return replace(self, turns=(*earlier, replace(last, answers=(*others, (letter, text)))))

    @property
    def media(self) -> tuple[str, ...]:
        """Paths of all media, in the order they were given."""
        return tuple(path for turn in self.turns for path in turn.media)

    @property
    def samplings(self) -> tuple[VideoOptions, ...]:
        """How each of `media`, if it is a clip, is sampled."""
        return tuple(turn.sampling for turn in self.turns for _ in turn.media)

    def messages(self, letter: str) -> list[dict[str, Any]]:
        """The messages as the model of this letter has lived through them: its own answers, nobody else's.

        Where it gave no answer (an error, or stopped before its first word) the turn's question is left out, and its
        media go to the next turn, so that what was shown stays shown.
        """
        messages: list[dict[str, Any]] = [{"role": "system", "content": self.system}] if self.system.strip() else []
        carried: list[dict[str, Any]] = []
        for turn in self.turns[:-1]:
            carried += media_parts(turn.media, [turn.sampling] * len(turn.media))
            if turn.answer(letter):
                messages += [_user(turn.question, carried), _assistant(turn.answer(letter))]
                carried = []
        last = self.turns[-1]
        return [*messages, _user(last.question, carried + media_parts(last.media, [last.sampling] * len(last.media)))]

    def check(self) -> None:
        """Raise `PromptError` where there is nothing to ask, or more than any model could read."""
        if not self.turns or not self.turns[-1].question.strip():
            raise PromptError("The question is empty: write what you want to know.")
        if len(self.media) > MAX_PICTURES:
            raise PromptError(
                Sentence.of(
                    "This conversation holds {count} pictures and {most} is the most: remove some.",
                    count=len(self.media),
                    most=MAX_PICTURES,
                )
            )
        if (letters := sum(len(turn.question) for turn in self.turns) + len(self.system)) > MAX_LETTERS:
            raise PromptError(
                Sentence.of(
                    "This conversation has {letters} characters and {most} is the most: shorten the question.",
                    letters=f"{letters:,}",
                    most=f"{MAX_LETTERS:,}",
                )
            )


@dataclass(frozen=True)
class Settings:
    """How to answer. None means the checkpoint's own value; temperature 0 takes the likeliest token each time."""

    max_new_tokens: int = 64
    temperature: float | None = 0.0
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    seed: int = 0
    min_pixels: int | None = None
    max_pixels: int | None = None
    keep: Keep | None = None  # what the run keeps of its queries and keys

    def check(self) -> None:
        """Raise `PromptError` for a value that is no number, or out of its range."""
        check_keep(self.keep)
        given = self.given()
        for name in _LIMITS:
            if name not in given and name not in _NEEDED:
                continue
            value = given.get(name)
            low, high = _LIMITS[name]
            kinds = (int, float) if name in _FRACTIONS else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                kind = "a number" if name in _FRACTIONS else "a whole number"
                raise PromptError(
                    Sentence.of(
                        "{name} must be {kind} from {low} to {high}: change it and ask again.",
                        name=name,
                        kind=kind,
                        low=f"{low:,}",
                        high=f"{high:,}",
                    )
                )
        if self.min_pixels is not None and self.max_pixels is not None and self.min_pixels > self.max_pixels:
            raise PromptError("min_pixels must not be larger than max_pixels: lower the one or raise the other.")

    def given(self) -> dict[str, Any]:
        """The settings that are not left to the checkpoint, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


def media_parts(paths: Sequence[str], samplings: Sequence[VideoOptions]) -> list[dict[str, Any]]:
    """Files as parts of a message: pictures as such, clips with how their frames are chosen."""

    def part(path: str, sampling: VideoOptions) -> dict[str, Any]:
        if not is_clip(path):
            return {"type": "image", "image": path}
        given = {name: value for name, value in asdict(sampling).items() if value is not None}
        return {"type": "video", "video": path, **given}

    return list(map(part, paths, samplings))


def _user(question: str, media: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "user", "content": [*media, {"type": "text", "text": question}]}


def _assistant(answer: str) -> dict[str, Any]:
    return {"role": "assistant", "content": answer_parts(answer)}  # the tags of its boxes are tags again
