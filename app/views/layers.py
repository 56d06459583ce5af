"""Answers the Layers view: the logit lens of answer positions and of visual tokens.

A lens takes a replay of the run and every layer's head, so that it is made once for a run and kept, as many as fit.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from app.asking.finished import Finished
from app.asking.selection import whole
from app.views.contract import Look
from app.views.rows import media_index, packed
from qwenvl.analysis.logit_lens import Lens, norms_by_kind
from qwenvl.errors import RunError

MAX_BYTES = 64 << 20
LONGEST = 80  # letters of a word that is looked for


class Kept:
    """Answers that are dear to make, the least used out first once they outgrow their room; each is made once."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.nbytes = max_bytes, 0
        self._held: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._making: dict[Any, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, make: Callable[[], Any], weigh: Callable[[Any], int]) -> Any:
        """The value of a key, made where there is none; who asks for it meanwhile waits for the same one."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                found = self._find(key)
                if found is None:
                    found = make()
                    self._hold(key, found, weigh(found))
                return found
        finally:
            with self._lock:
                self._making.pop(key, None)

    def _find(self, key: Any) -> Any:
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def _hold(self, key: Any, value: Any, nbytes: int) -> None:
        with self._lock:
            self._held[key] = (value, nbytes)
            self.nbytes += nbytes
            while self.nbytes > self.max_bytes and self._held:
                _, (_, freed) = self._held.popitem(last=False)
                self.nbytes -= freed


KEPT = Kept(MAX_BYTES)


def lens(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run"}: for every answer token, by layer, the likeliest word of the row that predicts it, and its own chance.

    "top" and "said" are (layers, answer tokens), "texts" of the same shape as lists; "norms" by kind, (layers,) each.
    """
    finished = look(asked.get("run"))
    run, found = finished.run, _lens(finished, asked)
    rows = torch.arange(run.answer_start, len(run.tokens)) - 1
    ids = found.ids[:, rows, 0]
    return {
        "texts": [[finished.text_of(id_) for id_ in layer] for layer in ids.tolist()],
        "top": packed(found.probabilities[:, rows, 0]),
        "said": packed(found.said),
        "norms": {kind: packed(values) for kind, values in norms_by_kind(run, found).items()},
    }


def lens_token(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "token"}: the five likeliest words that this token's state reads as after each layer."""
    finished = look(asked.get("run"))
    token = whole({"token": None} | dict(asked), "token", len(finished.run.tokens), default=-1)
    found = _lens(finished, asked)
    return {
        "token": token,
        "texts": [[finished.text_of(id_) for id_ in layer] for layer in found.ids[:, token].tolist()],
        "probabilities": packed(found.probabilities[:, token]),
        "norms": packed(found.norms[:, token]),
    }


def lens_word(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "token" or "text"}: the chance of one word for every visual token by layer, (layers, tokens).

    The word is a token of the run, or the first token of a text as it stands after a space.
    """
    finished = look(asked.get("run"))
    run, media = finished.run, media_index(finished.run, asked)
    id_ = _word(run, asked)
    found = _lens(finished, asked)
    values = KEPT.get(
        (asked.get("run"), id_),
        lambda: run.word_probabilities(id_, lens=found),
        lambda made: made.numel() * made.element_size(),
    )
    cells = values[:, run.visual[media]]
    at = int(cells.argmax())
    return {
        **{"id": id_, "text": finished.text_of(id_), "media": media},
        "values": packed(cells),
        **{"layer": at // cells.shape[1], "cell": at % cells.shape[1], "most": float(cells.max())},
    }


def _lens(finished: Finished, asked: Mapping[str, Any]) -> Lens:
    return KEPT.get(asked.get("run"), finished.run.logit_lens, _weight)


def _weight(made: Lens) -> int:
    values: tuple[Tensor, ...] = (made.ids, made.probabilities, made.said, made.norms, made.normaliser)
    return sum(value.numel() * value.element_size() for value in values)


def _word(run: Any, asked: Mapping[str, Any]) -> int:
    text = asked.get("text")
    if text is None:
        return run.tokens[whole({"token": None} | dict(asked), "token", len(run.tokens), default=-1)].id
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise RunError(f"A word is a text of 1 to {LONGEST} letters: write another.")
    if run.pipeline is None:
        raise RunError("The lens needs the model's weights; load the run with its pipeline.")
    word = text.strip()
    ids = run.pipeline.processor.tokenizer.encode(f" {word}" if word[0].isascii() and word[0].isalpha() else word)
    return int(ids[0])
