"""Reports a run as plain lists, strings and numbers, for the command line and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwenvl.errors import RunError, shown
from qwenvl.inference.run import Run
from qwenvl.integers import as_integer


def run_report(run: Run, *, words: bool = False) -> dict[str, Any]:
    """A run in figures.

    Args:
        words: also "words" of the answer, each with its "tokens" (indices), how "probable" the model held the first of
            them, and the "share" of the row that predicts it on the media, mean of all layers and heads.

    Returns:
        model, family, parameters, trained, answer, stopped, patches, visual_tokens, prompt_tokens, answer_tokens,
        largest_position, media (sizes and grids), settings, edits (a sentence each), seconds.
    """
    told = {
        **{"model": run.card.name, "family": run.card.family, "parameters": run.card.parameters},
        **{"trained": run.card.trained, "answer": run.answer, "stopped": run.stopped},
        "patches": sum(media.num_patches for media in run.media),
        "visual_tokens": sum(media.num_tokens for media in run.media),
        "prompt_tokens": run.answer_start,
        "answer_tokens": len(run.tokens) - run.answer_start,
        "largest_position": int(run.positions.max()),
        "media": [media.to_json() for media in run.media],
        "settings": dict(run.settings),
        "edits": [edit.words() for edit in run.edits],
        "seconds": dict(run.seconds),
    }
    return told | ({"words": [_word(run, tokens) for tokens in run.words]} if words else {})


def _word(run: Run, tokens: tuple[int, ...]) -> dict[str, Any]:
    first = tokens[0]
    return {
        "text": _text(run, tokens),
        "tokens": list(tokens),
        "probable": run.probability(first),
        "share": float(run.shares(first - 1).mean()) if run.media else 0.0,
    }


def _text(run: Run, tokens: tuple[int, ...]) -> str:
    """A word's letters; where tokens hold parts of a character, their bytes are joined first, by the tokenizer."""
    if run.pipeline is None:
        return "".join(run.tokens[token].text for token in tokens)
    tokenizer = run.pipeline.processor.tokenizer
    return b"".join(tokenizer.piece(run.tokens[token].id) for token in tokens).decode("utf-8", "replace")


def row_report(
    run: Run, site: str, *, query: int, layer: int | None = None, head: int | str = "mean", media: int = 0
) -> dict[str, Any]:
    """One exact row of attention, and how much of it falls on a media.

    Args: as `Run.attention`, of one head or their "mean".

    Returns:
        site, layer, query, head, media, "row" (as many numbers as keys, they add up to 1), "keys" (their number), and
        "share": of the row on the visual tokens of the media; all of it where the keys are the media's own patches.

    Raises:
        RunError: as `Run.attention`, or a head that is neither a number nor "mean".
    """
    if head != "mean" and as_integer(head) is None:
        raise RunError(f"head is a number or 'mean', not {shown(head)}.")
    if query is None:  # of a script; all rows of a layer are more than a report
        raise RunError(f"Say which query of {shown(site)}: a number from 0.")
    if layer is None and site != "adapter" and site in run.sites:
        raise RunError(f"Say which layer of {site}: 0 to {run.num_layers(site) - 1}.")
    row = run.attention(site, query=query, layer=layer, head=head, media=media).double().cpu()  # type: ignore[arg-type]
    share = float(row.sum())
    if site == "language":
        places: Any = run.visual[run.check_media(media)] if run.media or media else []
        share = float(sum(row[place] for place in places if place <= query))
    named = {"site": site, "layer": layer, "query": query, "head": head, "media": media}
    return {**named, "keys": len(row), "share": share, "row": row.float().tolist()}


def compare_report(question: str, runs: Mapping[str, Run]) -> dict[str, Any]:
    """Runs of one question side by side: what each model said, what it cost, and where its words lean on the media.

    Args:
        runs: by the name of their model.
    """
    reports = {name: run_report(run, words=True) for name, run in runs.items()}
    return {"question": question, "models": reports}
