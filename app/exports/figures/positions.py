"""Exports the Positions view: the ids that each model rotated its tokens by, on one token axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted
from app.asking.selection import Selection
from app.exports.captions import model_title
from app.exports.exported import Exported, selections
from app.exports.python_code import Name, call, closing, opening
from qwenvl.inference.run import Run

# What the ribbon calls a token, as Python of a run's token.
KIND = '"answer" if token.in_answer else token.kind'


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """Ids of prompt and answer; a chosen word is marked."""
    looks = selections(runs, posted)
    arrays = {f"positions_{look.letter}": look.run.positions.numpy() for look in looks}
    kinds = [["answer" if token.in_answer else token.kind for token in look.run.tokens] for look in looks]
    given = _given(looks)
    return Exported(
        figure=viz.positions_side_by_side(list(arrays.values()), kinds=kinds, **given),
        caption=given["caption"],
        arrays=arrays,
        facts={look.letter: _facts(look) for look in looks},
        lines=_lines(looks, given),
    )


def _given(looks: Sequence[Selection]) -> dict[str, Any]:
    return {
        "titles": [f"{look.letter}  {model_title(look.finished)}: {_count(look)}" for look in looks],
        "marked": [look.query for look in looks],
        "caption": _caption(looks),
    }


def _count(look: Selection) -> str:
    return f"{len(look.run.tokens):,} tokens, largest id {int(look.run.positions.max()):,}"


def _caption(looks: Sequence[Selection]) -> str:
    parts = ["Position ids that each token of prompt and answer was rotated by, as the model used them."]
    for look in looks:
        run, start = look.run, look.run.answer_start
        prompt = f"{start:,} prompt tokens reach id {int(run.positions[:, :start].max()):,}"
        parts.append(f"{look.letter}: {model_title(look.finished)}, {_rule(run)}; {prompt}.")
    marked = [f"{look.letter} token {look.query}" for look in looks if look.query is not None]
    if marked:
        parts.append(f"Orange line: the chosen word ({', '.join(marked)}).")
    parts.append("One token axis, so widths compare; each id axis is its model's own.")
    return " ".join(parts)


def _rule(run: Run) -> str:
    if bool((run.positions == run.positions[0]).all()):
        return "one id a token, in the order of the prompt" if not run.media or "adapter" in run.sites else "equal ids"
    return "three ids a token (t, h, w): equal in text, spread over the token grid in a picture"


def _facts(look: Selection) -> dict[str, Any]:
    return {
        "axes": ["t", "h", "w"],
        "answer_start": look.run.answer_start,
        "marked": look.query,
        "texts": [token.text for token in look.run.tokens],
        "kinds": [token.kind for token in look.run.tokens],
    }


def _lines(looks: Sequence[Selection], given: dict[str, Any]) -> str:
    lines = [opening({look.letter: look.finished for look in looks}), ""]
    lines += [f"positions_{look.letter} = run_{look.letter}.positions.numpy()" for look in looks]
    listed = ", ".join(f"run_{look.letter}" for look in looks)
    lines.append(f"kinds = [[{KIND} for token in run.tokens] for run in ({listed},)]")
    ids = f"[{', '.join(f'positions_{look.letter}' for look in looks)}]"
    drawn = call("viz.positions_side_by_side", ids, kinds=Name("kinds"), **given)
    return "\n".join([*lines, "", f"figure = {drawn}", closing("positions"), ""])
