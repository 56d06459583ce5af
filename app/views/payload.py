"""Describes a finished run to the page as JSON: words, token account, positions and model.

Sent once for each run; rows of attention follow on demand (`rows`). Every number is the run's own, unrounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NotRequired, TypedDict, cast

from app.asking.finished import Finished
from app.asking.model_choice import ModelCard
from app.costs import account
from app.costs.account import Account, ClipSampling
from app.views.rows import section
from qwenvl.analysis.logit_lens import lens_seconds
from qwenvl.errors import Sentence
from qwenvl.inference.run import Run
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.record import Alternative

NUM_ALTERNATIVES = 5
NUM_CANDIDATES = 8  # cells of the layer x head matrix whose maps are weighed to choose where to start
STOP_NAMES = ("<|im_end|>", "<|endoftext|>", "<|im_start|>")


class Word(TypedDict):
    """One button of the answer; probabilities are those of its first token, its row the one that predicted that."""

    text: str
    label: str
    tokens: list[int]
    row: int
    special: bool
    share: float
    probability: float
    alternatives: list[Alternative]


class AskedTurn(TypedDict):
    """One turn of the conversation: its media by index, and what this model answered."""

    question: str
    media: list[int]
    answer: str


class MediaPayload(TypedDict):
    """A picture or clip of a run, with its place in the prompt."""

    index: int
    kind: Literal["image", "video"]
    name: str
    limit: str | None
    size: list[int]
    resized: list[int]
    patch_grid: list[int]
    token_grid: list[int]
    frames: int
    times: list[float]
    note: str | None
    sampling: ClipSampling | None
    marks_each: int
    marks: int
    first_token: int
    first_position: list[int]


class Tokens(TypedDict):
    """The tokens of prompt and answer, one list per fact."""

    id: list[int]
    text: list[str]
    kind: list[str]
    section: list[str]
    media: list[int | None]
    cell: list[list[int] | None]


class SiteSize(TypedDict):
    """How many layers and heads a site has."""

    layers: int
    heads: int


class AdapterSize(TypedDict):
    """How many heads Qwen-VL's adapter has, and how many queries per picture."""

    heads: int
    queries: int


class Sites(TypedDict):
    """Where attention happens; the merger of Qwen2-VL is no adapter with queries."""

    language: SiteSize
    vision: SiteSize
    adapter: AdapterSize | None


class KeptPayload(TypedDict):
    """What a run keeps: bytes of queries and keys, and of which layers."""

    bytes: int
    note: str


class Start(TypedDict):
    """The word, layer and head that the views show first."""

    word: int
    layer: int
    head: int


class RunSettings(TypedDict):
    """What was asked with, as far as it was set, and the pixel limits that were in force."""

    min_pixels: int | None
    max_pixels: int | None
    max_new_tokens: NotRequired[int | None]
    temperature: NotRequired[float | None]
    top_p: NotRequired[float | None]
    top_k: NotRequired[int | None]
    repetition_penalty: NotRequired[float | None]
    seed: NotRequired[int | None]


class RunPayload(TypedDict):
    """Everything about a run that does not depend on a choice of row."""

    id: str
    letter: str
    model: ModelCard
    notes: list[str | Sentence]  # what was to be said of its checkpoint
    created: float
    question: str
    answer: str
    stopped: bool
    seconds: dict[str, float]
    lens_seconds: float
    settings: RunSettings
    conversation: list[AskedTurn]
    system: str
    account: Account
    media: list[MediaPayload]
    tokens: Tokens
    answer_start: int
    positions: list[list[int]]
    words: list[Word]
    sites: Sites
    kept: KeptPayload
    start: Start


def run_payload(run_id: str, finished: Finished) -> RunPayload:
    """See `RunPayload`."""
    run = finished.run
    answer_words = [_word(run, tokens, finished.piece) for tokens in run.words]
    return {
        "id": run_id,
        "letter": finished.letter,
        "model": finished.card,
        "notes": list(run.card.notes),
        "created": finished.created,
        "question": finished.conversation.turns[-1].question,
        "answer": run.answer,
        "stopped": run.stopped,
        "seconds": dict(run.seconds),
        "lens_seconds": lens_seconds(run),
        "settings": cast(RunSettings, {**run.settings, **finished.limits}),
        "conversation": _conversation(finished),
        "system": finished.conversation.system,
        "account": _account(finished),
        "media": [_media(run, index) for index in range(len(run.media))],
        "tokens": _tokens(run),
        "answer_start": run.answer_start,
        "positions": run.positions.tolist(),
        "words": answer_words,
        "sites": _sites(run),
        "kept": _kept(run),
        "start": start(run, answer_words),
    }


def start(run: Run, answer_words: Sequence[Word]) -> Start:
    """The word, layer and head that the views show first: the most telling cell.

    The word is the one that leans most on the picture, by the token that begins it (there it is decided; others spell
    it out), marks and words of one or two letters aside. A share alone does
    not tell where the model looked (a saturated head that is spread over the whole picture has the same share as one
    that points at one thing), so of the heads with the largest shares the one is taken with the largest
    share x (1 - entropy of its map over the entropy of an even one): the part of the row that is on the picture and
    somewhere in particular.
    """
    if not answer_words or not run.media:
        return {"word": 0, "layer": 0, "head": 0}
    word = max(_beginnings(answer_words) or range(len(answer_words)), key=lambda index: answer_words[index]["share"])
    row = answer_words[word]["row"]
    shares = run.shares(row)
    best = shares.flatten().topk(min(NUM_CANDIDATES, shares.numel())).indices.tolist()
    cells = [divmod(cell, shares.shape[1]) for cell in best]
    layer, head = max(cells, key=lambda cell: _tells(run, row, *cell))
    return {"word": word, "layer": layer, "head": head}


def _beginnings(answer_words: Sequence[Word]) -> list[int]:
    """The tokens that begin a written word of more than two letters, which others may spell on."""
    letters: dict[int, int] = {}
    begun = None
    for index, word in enumerate(answer_words):
        text = word["text"].strip()
        if word["special"] or not text.isalpha():
            begun = None
            continue
        if begun is None or word["text"][0].isspace():
            begun = index
        letters[begun] = letters.get(begun, 0) + len(text)
    return [index for index, count in letters.items() if count > 2]


def _tells(run: Run, row: int, layer: int, head: int) -> float:
    maps = [run.image_map(query=row, layer=layer, head=head, media=index) for index in range(len(run.media))]
    cells = [value for one in maps for value in one.flatten().double().tolist()]
    share = sum(cells)
    if share <= 0 or len(cells) < 2:
        return 0.0
    entropy = -sum(value / share * math.log(value / share) for value in cells if value > 0)
    return share * (1 - entropy / math.log(len(cells)))


# --- the answer ---


def _word(run: Run, tokens: Sequence[int], piece: Callable[[int], bytes]) -> Word:
    first = tokens[0]
    text = b"".join(piece(run.tokens[index].id) for index in tokens).decode("utf-8", errors="replace")
    likeliest = run.alternatives(first, k=NUM_ALTERNATIVES)
    return {
        "text": text,
        "label": "end" if text in STOP_NAMES else text,
        "tokens": list(tokens),
        "row": first - 1,
        "special": all(run.tokens[index].kind == "special" for index in tokens),
        "share": float(run.shares(first - 1).double().mean()) if run.media else 0.0,
        "probability": run.probability(first),
        "alternatives": list(likeliest),
    }


def _conversation(finished: Finished) -> list[AskedTurn]:
    """Earlier turns and this one, with media by index, and the answers this model gave."""
    # Qwen-VL leaves out the oldest turns of a long conversation, and their media with them.
    turns: list[AskedTurn] = []
    first = len(finished.run.media) - len(finished.conversation.media)
    for turn in finished.conversation.turns:
        indices = [index for index in range(first, first + len(turn.media)) if index >= 0]
        turns.append({"question": turn.question, "media": indices, "answer": turn.answer(finished.letter)})
        first += len(turn.media)
    turns[-1]["answer"] = finished.run.answer
    return turns


# --- the prompt ---


def _account(finished: Finished) -> Account:
    run, prompt_tokens = finished.run, finished.run.answer_start
    return account.account(
        run.media,
        prompt_tokens=prompt_tokens,
        limits=finished.limits,
        answer_tokens=len(run.tokens) - prompt_tokens,
        largest_position=int(run.positions[:, :prompt_tokens].max()),
        last_position=int(run.positions.max()),
        context=finished.context,
    )


def _media(run: Run, index: int) -> MediaPayload:
    media = run.media[index]
    first = next(i for i, token in enumerate(run.tokens) if token.media == index and token.kind in ("image", "video"))
    return {
        "index": index,
        "kind": media.kind,
        "name": str(media.name),
        "limit": media.limit,
        "size": list(media.size),
        "resized": list(media.resized),
        "patch_grid": list(media.patch_grid),
        "token_grid": list(media.token_grid),
        "frames": max(1, len(media.frames)),
        "times": _times(media),
        "note": media.note,
        "sampling": account.sampling(media),
        "marks_each": account.MARKS,
        "marks": media.num_tokens + account.num_marks(media),
        "first_token": first,
        "first_position": run.positions[:, first].tolist(),
    }


def _times(media: Media) -> list[float]:
    """Seconds at which each frame that was kept is shown; none where that is not known."""
    if media.sampling:
        return list(media.sampling.times)
    step = len(media.frames) / max(1, len(media.timestamps))
    each = media.timestamps[1] / step if len(media.timestamps) > 1 else 0.0
    return [each * frame for frame in range(len(media.frames))] if each else []


def _tokens(run: Run) -> Tokens:
    return {
        "id": [token.id for token in run.tokens],
        "text": [token.text for token in run.tokens],
        "kind": [token.kind for token in run.tokens],
        "section": [section(token) for token in run.tokens],
        "media": [token.media for token in run.tokens],
        "cell": [None if token.cell is None else list(token.cell) for token in run.tokens],
    }


# --- the model and what was kept ---


def _sites(run: Run) -> Sites:
    queries = math.prod(run.media[0].token_grid[1:]) if run.media else 0
    return {
        "language": _site(run, "language"),
        "vision": _site(run, "vision"),
        "adapter": {"heads": run.num_heads("adapter"), "queries": queries} if "adapter" in run.sites else None,
    }


def _site(run: Run, site: str) -> SiteSize:
    return {"layers": run.num_layers(site), "heads": run.num_heads(site)}


def _kept(run: Run) -> KeptPayload:
    sites = [f"{site} {_kept_layers(run, site)}" for site in run.sites]
    taps = sum(value.numel() * value.element_size() for value in run.kept.values())
    return {"bytes": taps, "note": "queries and keys of " + ", ".join(sites)}


def _kept_layers(run: Run, site: str) -> str:
    layers = run.num_layers(site)
    kept = sum(name.startswith(f"{site}.") and name.endswith(".q") for name in run.kept)
    return "whole" if kept == layers else f"{kept} of {layers} layers"
