"""Answers the Layers view: the logit lens of answer positions and of visual tokens.

A lens takes a replay of the run and every layer's head, so that it is made once for a run and kept, as many as fit.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypedDict, TypeVar, cast

import torch
from torch import Tensor

from app.asking.finished import Finished
from app.asking.posted import Posted, index
from app.views.contract import Look, selected
from app.views.rows import Packed, packed
from qwenvl.analysis.logit_lens import Lens, norms_by_kind
from qwenvl.errors import RunError, Sentence
from qwenvl.inference.run import Run

MAX_BYTES = 64 << 20
LONGEST = 80  # letters of a word that is looked for


Value = TypeVar("Value")


class Kept:
    """Answers that are dear to make, the least used out first once they outgrow their room; each is made once."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.nbytes = max_bytes, 0
        self._held: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value], weigh: Callable[[Value], int]) -> Value:
        """The value of a key, made where there is none; who asks for it meanwhile waits for the same one."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                held = self._find(key)
                if held is not None:
                    return cast(Value, held)
                made = make()
                self._hold(key, made, weigh(made))
                return made
        finally:
            with self._lock:
                self._making.pop(key, None)

    def _find(self, key: Hashable) -> object:
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def _hold(self, key: Hashable, value: object, nbytes: int) -> None:
        with self._lock:
            self._held[key] = (value, nbytes)
            self.nbytes += nbytes
            while self.nbytes > self.max_bytes and self._held:
                _, (_, freed) = self._held.popitem(last=False)
                self.nbytes -= freed


KEPT = Kept(MAX_BYTES)


class LensTable(TypedDict):
    """For every answer token, by layer, the likeliest word of the row that predicts it, and its own chance.

    "top" and "said" are (layers, answer tokens), "texts" of the same shape as lists; "norms" by kind, (layers,) each.
    """

    texts: list[list[str]]
    top: Packed
    said: Packed
    norms: dict[str, Packed]


class LensToken(TypedDict):
    """The five likeliest words that one token's state reads as after each layer, (layers, 5)."""

    token: int
    texts: list[list[str]]
    probabilities: Packed
    norms: Packed


class LensWord(TypedDict):
    """The chance of one word for every visual token of a media by layer, (layers, tokens), and where it is largest."""

    id: int
    text: str
    media: int
    values: Packed
    layer: int
    cell: int
    most: float


def lens(look: Look, posted: Posted) -> LensTable:
    """{"run"}: see `LensTable`."""
    finished = look(posted.get("run"))
    run, found = finished.run, _lens(finished, posted)
    rows = torch.arange(run.answer_start, len(run.tokens)) - 1
    return {
        "texts": _texts(finished, found.ids[:, rows, 0]),
        "top": packed(found.probabilities[:, rows, 0]),
        "said": packed(found.said),
        "norms": {kind: packed(values) for kind, values in norms_by_kind(run, found).items()},
    }


def lens_token(look: Look, posted: Posted) -> LensToken:
    """{"run", "token"}: see `LensToken`."""
    finished = look(posted.get("run"))
    token = index(posted, "token", len(finished.run.tokens))
    found = _lens(finished, posted)
    return {
        "token": token,
        "texts": _texts(finished, found.ids[:, token]),
        "probabilities": packed(found.probabilities[:, token]),
        "norms": packed(found.norms[:, token]),
    }


def lens_word(look: Look, posted: Posted) -> LensWord:
    """{"run", "media", "token" or "text"}: see `LensWord`.

    The word is a token of the run, or the first token of a text as it stands after a space.
    """
    chosen = selected(look, posted)
    run, media, word = chosen.run, chosen.media, _word(chosen.run, posted)
    found = _lens(chosen.finished, posted)
    values = KEPT.get(
        (posted.get("run"), word),
        lambda: run.word_probabilities(word, lens=found),
        lambda made: made.numel() * made.element_size(),
    )
    cells = values[:, run.visual[media]]
    layer, cell = divmod(int(cells.argmax()), cells.shape[1])
    return {
        "id": word,
        "text": chosen.finished.text_of(word),
        "media": media,
        "values": packed(cells),
        "layer": layer,
        "cell": cell,
        "most": float(cells.max()),
    }


def _texts(finished: Finished, ids: Tensor) -> list[list[str]]:
    return [[finished.text_of(one) for one in layer] for layer in ids.tolist()]


def _lens(finished: Finished, posted: Posted) -> Lens:
    return KEPT.get(posted.get("run"), finished.run.logit_lens, _weight)


def _weight(made: Lens) -> int:
    values: tuple[Tensor, ...] = (made.ids, made.probabilities, made.said, made.norms, made.normaliser)
    return sum(value.numel() * value.element_size() for value in values)


def _word(run: Run, posted: Posted) -> int:
    text = posted.get("text")
    if text is None:
        return run.tokens[index(posted, "token", len(run.tokens))].id
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise RunError(Sentence.of("A word is a text of 1 to {n} letters: write another.", n=LONGEST))
    if run.pipeline is None:
        raise RunError("The lens needs the model's weights; load the run with its pipeline.")
    word = text.strip()
    ids = run.pipeline.processor.tokenizer.encode(f" {word}" if word[0].isascii() and word[0].isalpha() else word)
    return int(ids[0])
