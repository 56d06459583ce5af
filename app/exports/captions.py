"""Names models, layers, heads and answers in captions."""

from __future__ import annotations

from collections.abc import Iterable

from app.asking.finished import Finished
from app.asking.posted import Choice
from qwenvl.inference.run import Run

LONGEST = 160


def model_title(finished: Finished) -> str:
    """Family and checkpoint: "Qwen-VL (tiny-qwen-vl)"."""
    card = finished.card
    return card["title"] if card["title"] == card["name"] else f"{card['title']} ({card['name']})"


def layer_words(run: Run, layer: Choice, site: str = "language") -> str:
    """ "layer 3", or "mean of 4 layers"."""
    if run.num_layers(site) == 1:
        return "its one layer"
    return f"mean of {run.num_layers(site)} layers" if layer == "mean" else f"layer {layer}"


def head_words(run: Run, site: str, head: Choice) -> str:
    """ "head 3", or "mean of 4 heads"."""
    if run.num_heads(site) == 1:
        return "its one head"
    return f"mean of {run.num_heads(site)} heads" if head == "mean" else f"head {head}"


def quoted(text: str) -> str:
    """What was said, on one line and in quotation marks, cut where it is long."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= LONGEST else line[: LONGEST - 1] + '…'}”"


def spelled(run: Run, token: int) -> str:
    """A token in quotation marks, and the written word it is a part of: “d” of “diamond”."""
    text = run.tokens[token].text
    first = last = token
    while run.tokens[first].in_answer and not _begins(run, first):
        first -= 1
    while last + 1 < len(run.tokens) and not _begins(run, last + 1):
        last += 1
    word = "".join(run.tokens[index].text for index in range(first, last + 1)).strip()
    return quoted(text) if word == text.strip() else f"{quoted(text)} of {quoted(word)}"


def _begins(run: Run, index: int) -> bool:
    """Whether a word begins with this token: it is the answer's first, a mark, or follows a space or a mark."""
    token, before = run.tokens[index], run.tokens[index - 1]
    if not token.in_answer or not before.in_answer or token.kind == "special":
        return True
    return not (token.text[:1].isalpha() and before.text[-1:].isalpha())


def weights_words(runs: Iterable[Finished]) -> str:
    """What must be said of weights that are not released ones; empty for released ones."""
    notes = dict.fromkeys(finished.card["weights_note"] for finished in runs)
    said = [note for note in notes if note != "released weights"]
    return "".join(f"{note[0].upper()}{note[1:]}." for note in said)
