"""Describes a finished run to the page as JSON: words, token account, positions and model.

Sent once for each run; rows of attention follow on demand (`rows`). Every number is the run's own, unrounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.asking.finished import Finished
from app.costs import account
from app.views.rows import section
from qwenvl.analysis.logit_lens import lens_seconds

NUM_ALTERNATIVES = 5
NUM_CANDIDATES = 8  # cells of the layer x head matrix whose maps are weighed to choose where to start
STOP_NAMES = ("<|im_end|>", "<|endoftext|>", "<|im_start|>")


def run_payload(run_id: str, finished: Finished) -> dict[str, Any]:
    """Everything about a run that does not depend on a choice of row; see the keys."""
    run = finished.run
    answer_words = [_word(run, tokens, finished.piece) for tokens in run.words]
    return {
        **{"id": run_id, "letter": finished.letter, "model": dict(finished.card), "created": finished.created},
        **{"question": finished.conversation.turns[-1].question, "answer": run.answer, "stopped": run.stopped},
        **{"seconds": dict(run.seconds), "lens_seconds": lens_seconds(run)},
        "settings": _settings(run, finished.limits),
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


def start(run: Any, answer_words: Sequence[Mapping[str, Any]]) -> dict[str, int]:
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


def _beginnings(answer_words: Sequence[Mapping[str, Any]]) -> list[int]:
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


def _tells(run: Any, row: int, layer: int, head: int) -> float:
    maps = [run.image_map(query=row, layer=layer, head=head, media=index) for index in range(len(run.media))]
    cells = [value for one in maps for value in one.flatten().double().tolist()]
    share = sum(cells)
    if share <= 0 or len(cells) < 2:
        return 0.0
    entropy = -sum(value / share * math.log(value / share) for value in cells if value > 0)
    return share * (1 - entropy / math.log(len(cells)))


# --- the answer ---


def _word(run: Any, tokens: Sequence[int], piece: Callable[[int], bytes]) -> dict[str, Any]:
    """One button of the answer; probabilities are those of its first token, its row the one that predicted that."""
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
        "alternatives": [{"id": one.id, "text": one.text, "probability": one.probability} for one in likeliest],
    }


def _conversation(finished: Finished) -> list[dict[str, Any]]:
    """Earlier turns and this one, with media by index, and the answers this model gave."""
    # Qwen-VL leaves out the oldest turns of a long conversation, and their media with them.
    turns, first = [], len(finished.run.media) - len(finished.conversation.media)
    for turn in finished.conversation.turns:
        indices = [index for index in range(first, first + len(turn.media)) if index >= 0]
        turns.append({"question": turn.question, "media": indices, "answer": turn.answer(finished.letter)})
        first += len(turn.media)
    turns[-1]["answer"] = finished.run.answer
    return turns


# --- the prompt ---


def _account(finished: Finished) -> dict[str, Any]:
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


def _media(run: Any, index: int) -> dict[str, Any]:
    media = run.media[index]
    first = next(i for i, token in enumerate(run.tokens) if token.media == index and token.kind in ("image", "video"))
    return {
        **{"index": index, "kind": media.kind, "name": media.name, "limit": media.limit},
        **{"size": list(media.size), "resized": list(media.resized)},
        **{"patch_grid": list(media.patch_grid), "token_grid": list(media.token_grid)},
        **{"frames": max(1, len(media.frames)), "times": _times(media), "note": media.note},
        "sampling": account.sampling(media),
        "marks_each": account.MARKS,
        "marks": media.num_tokens + account.num_marks(media),
        "first_token": first,
        "first_position": run.positions[:, first].tolist(),
    }


def _times(media: Any) -> list[float]:
    """Seconds at which each frame that was kept is shown; none where that is not known."""
    if media.sampling:
        return list(media.sampling.times)
    step = len(media.frames) / max(1, len(media.timestamps))
    each = media.timestamps[1] / step if len(media.timestamps) > 1 else 0.0
    return [each * frame for frame in range(len(media.frames))] if each else []


def _tokens(run: Any) -> dict[str, list[Any]]:
    return {
        "id": [token.id for token in run.tokens],
        "text": [token.text for token in run.tokens],
        "kind": [token.kind for token in run.tokens],
        "section": [section(token) for token in run.tokens],
        "media": [token.media for token in run.tokens],
        "cell": [None if token.cell is None else list(token.cell) for token in run.tokens],
    }


# --- the model and what was kept ---


def _settings(run: Any, limits: Mapping[str, int | None]) -> dict[str, Any]:
    return {**dict(run.settings), **limits}


def _sites(run: Any) -> dict[str, Any]:
    sites: dict[str, Any] = {
        site: {"layers": run.num_layers(site), "heads": run.num_heads(site)} for site in ("language", "vision")
    }
    queries = math.prod(run.media[0].token_grid[1:]) if run.media else 0
    has_adapter = "adapter" in run.sites
    sites["adapter"] = {"heads": run.num_heads("adapter"), "queries": queries} if has_adapter else None
    return sites


def _kept(run: Any) -> dict[str, Any]:
    sites = [f"{site} {_kept_layers(run, site)}" for site in run.sites]
    taps = sum(value.numel() * value.element_size() for value in run.kept.values())
    return {"bytes": taps, "note": "queries and keys of " + ", ".join(sites)}


def _kept_layers(run: Any, site: str) -> str:
    layers = run.num_layers(site)
    kept = sum(name.startswith(f"{site}.") and name.endswith(".q") for name in run.kept)
    return "whole" if kept == layers else f"{kept} of {layers} layers"
