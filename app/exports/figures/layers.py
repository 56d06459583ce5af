"""Exports the Layers view: the logit lens before each word of the answer, and each word's probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted, named, optional_index
from app.exports.captions import model_title, weights_words
from app.exports.exported import Exported
from app.exports.python_code import Name, call, closing
from qwenvl.errors import RunError

WORDS = 10  # columns that fit a page


@dataclass(frozen=True)
class Read:
    """One model's table: which tokens of the answer, and what the layers read before them."""

    letter: str
    finished: Finished
    first: int
    last: int
    top: np.ndarray
    said: np.ndarray
    ids: np.ndarray


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """A table a model, of the words around the chosen one.

    Raises:
        RunError: no answer, or a run without its model.
    """
    found = [_read(letter, finished, named(posted, letter)) for letter, finished in runs.items() if _answered(finished)]
    if not found:
        raise RunError("There is no answer to read: ask again.")
    arrays: dict[str, np.ndarray] = {}
    for one in found:
        arrays |= {f"top_{one.letter}": one.top, f"said_{one.letter}": one.said}
    given = _given(found)
    return Exported(
        figure=viz.lens_for_print(
            [one.top for one in found],
            said=[one.said for one in found],
            texts=[[[one.finished.text_of(id_) for id_ in layer] for layer in one.ids.tolist()] for one in found],
            **given,
        ),
        caption=given["caption"],
        arrays=arrays,
        facts={
            one.letter: {"tokens": [one.first, one.last], "axes": ["layer", "answer token"], "ids": one.ids.tolist()}
            for one in found
        },
        lines=_lines(found, given),
    )


def _answered(finished: Finished) -> bool:
    return finished.run.answer_start < len(finished.run.tokens)


def _read(letter: str, finished: Finished, posted: Posted) -> Read:
    run = finished.run
    middle = max(run.answer_start, optional_index(posted, "query", len(run.tokens)) or 0)
    first = max(run.answer_start, min(middle - WORDS // 2, len(run.tokens) - WORDS))
    last = min(len(run.tokens), first + WORDS)
    lens = run.logit_lens()
    rows = torch.arange(first, last) - 1
    said = lens.said[:, first - run.answer_start : last - run.answer_start]
    top, ids = lens.probabilities[:, rows, 0], lens.ids[:, rows, 0]
    return Read(letter, finished, first, last, top.numpy(), said.numpy(), ids.numpy())


def _given(found: Sequence[Read]) -> dict[str, Any]:
    """What the figure is given besides its arrays and the words it reads."""
    return {
        "answers": [[token.text for token in one.finished.run.tokens[one.first : one.last]] for one in found],
        "titles": [f"{one.letter}  {model_title(one.finished)}" for one in found],
        "caption": _caption(found),
    }


def _caption(found: Sequence[Read]) -> str:
    parts = [
        "Logit lens: the state of the row that predicts each token of the answer, after every block, through the "
        "model's own last norm and head. Cells: the likeliest word, shaded by its probability over the vocabulary. "
        "No head was trained on early layers: a reading, no proof."
    ]
    for one in found:
        count = len(one.finished.run.tokens) - one.finished.run.answer_start
        parts.append(f"{one.letter}: {model_title(one.finished)}, {one.last - one.first} of {count} tokens.")
    return " ".join([*parts, weights_words(one.finished for one in found)])


def _lines(found: Sequence[Read], given: dict[str, Any]) -> str:
    lines = [
        "import qwenvl",
        "import viz",
        "",
        "# The run files come from the same menu: save them beside these lines.",
    ]
    for one in found:
        name, start = one.letter, one.finished.run.answer_start
        rows, tokens = f"{one.first - 1}:{one.last - 1}", f"{one.first - start}:{one.last - start}"
        lines += [
            f"pipeline_{name} = qwenvl.load({one.finished.run.card.name!r})  # the lens needs the weights",
            f'run_{name} = qwenvl.Run.load("{name}.run", pipeline=pipeline_{name})',
            f"lens_{name} = run_{name}.logit_lens()",
            f"top_{name} = lens_{name}.probabilities[:, {rows}, 0].numpy()",
            f"said_{name} = lens_{name}.said[:, {tokens}].numpy()",
            f"piece_{name} = pipeline_{name}.processor.tokenizer.piece",
            f"texts_{name} = [",
            f'    [piece_{name}(id).decode(errors="replace") for id in layer]',
            f"    for layer in lens_{name}.ids[:, {rows}, 0].tolist()",
            "]",
        ]
    letters = [one.letter for one in found]
    tops, said, texts = (f"[{', '.join(f'{kind}_{each}' for each in letters)}]" for kind in ("top", "said", "texts"))
    drawn = call("viz.lens_for_print", tops, said=Name(said), texts=Name(texts), **given)
    return "\n".join([*lines, "", f"figure = {drawn}", closing("layers"), ""])
