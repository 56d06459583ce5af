"""Exports the Causes view: the picture with a place taken away, and the word's probability before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.posted import Posted, named
from app.asking.selection import Selection
from app.exports.captions import model_title, quoted, spelled, weights_words
from app.exports.exported import Exported, selections
from app.exports.figures.frames import frame_index, frame_of
from app.exports.python_code import Name, call, closing
from app.views.causes import Intervention, computed_curves, curves_given, read
from qwenvl.analysis.deletion_curves import Curves
from qwenvl.analysis.occlusion import Effect
from qwenvl.errors import RunError

DONE = {
    "pixel": "pixels of the original were painted over ({fill}), the picture was resized and read anew",
    "patch": "patches were hidden from the queries of the adapter",
    "query": "adapter queries were hidden from the rows of {rows}, language layers {first} to {last}",
    "token": "visual tokens were hidden from the rows of {rows}, language layers {first} to {last}",
}


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """One picture per model with two bars.

    Raises:
        RunError: no word of an answer is chosen, there is no picture, or the region is empty.
    """
    looks = selections(runs, posted)
    looks = [look for look in looks if look.query and look.run.media and look.run.tokens[look.query].in_answer]
    if not looks:
        raise RunError("Nothing is chosen: choose a word of an answer about a picture, then export.")
    done = {look.letter: read(look, named(posted, look.letter)) for look in looks}
    effects = {look.letter: done[look.letter].told(look) for look in looks}
    arrays: dict[str, np.ndarray] = {}
    for look in looks:
        arrays |= _arrays(look, done[look.letter], effects[look.letter])
    curves = _curves(looks, posted)
    for letter, told in curves.items():
        arrays[f"gone_{letter}"] = np.array(told.falling.painted)
        arrays[f"curves_{letter}"] = np.array([each.probability for each in (told.falling, told.rising, *told.random)])
    given = _given(looks, done, effects, curves)
    return Exported(
        figure=viz.effects_side_by_side(
            [(effects[look.letter].before, effects[look.letter].after) for look in looks],
            pictures=[arrays[f"picture_{look.letter}"] for look in looks],
            cells=[arrays[f"cells_{look.letter}"] for look in looks],
            painted=[arrays[f"gone_{letter}"] for letter in curves],
            curves=[arrays[f"curves_{letter}"] for letter in curves],
            **given,
        ),
        caption=given["caption"],
        arrays=arrays,
        facts={look.letter: _facts(look, effects[look.letter]) for look in looks},
        lines=_lines(looks, done, given, bool(curves), posted),
    )


def _curves(looks: Sequence[Selection], posted: Mapping[str, Posted]) -> dict[str, Curves]:
    """The curves of the shown maps where the page has computed those of every model; computing takes many passes."""
    told = {look.letter: computed_curves(look, named(posted, look.letter)) for look in looks}
    found = {letter: one for letter, one in told.items() if one is not None}
    return found if len(found) == len(looks) else {}


def _arrays(look: Selection, done: Intervention, effect: Effect) -> dict[str, np.ndarray]:
    """The figure's numbers: effect (before, after, answer before, answer after), the picture and its outlined cells."""
    media = look.run.media[look.media]
    grid = media.token_grid if media.tokens_are_places else media.patch_grid
    cells = np.zeros(grid, dtype=bool)
    if done.tool == "block":
        cells.flat[done.cells] = True
    picture = np.asarray(effect.pictures[frame_index(look)]) if effect.pictures else frame_of(look)
    numbers = [effect.before, effect.after, effect.answer_before, effect.answer_after]
    return {
        f"effect_{look.letter}": np.array(numbers),
        f"picture_{look.letter}": picture,
        f"cells_{look.letter}": cells[look.frame],
    }


def _given(
    looks: Sequence[Selection],
    done: Mapping[str, Intervention],
    effects: Mapping[str, Effect],
    curves: Mapping[str, Curves],
) -> dict[str, Any]:
    painted = done[looks[0].letter].tool == "paint"
    return {
        "size": looks[0].run.media[looks[0].media].size,
        "titles": [f"{look.letter}  {model_title(look.finished)}" for look in looks],
        "subtitles": [f"{spelled(look.run, look.chosen)} in {quoted(look.run.answer)}" for look in looks],
        "names": ("as it was", "painted over" if painted else "hidden"),
        "caption": _caption(looks, done, effects) + _curve_words(curves),
    }


def _caption(
    looks: Sequence[Selection],
    done: Mapping[str, Intervention],
    effects: Mapping[str, Effect],
) -> str:
    parts = [
        "The probability of a word in the same forced answer, before and after a place of the picture was taken away."
    ]
    for look in looks:
        effect, given = effects[look.letter], done[look.letter].given
        layers = given.get("layers", range(1))
        rows = "the answer" if given.get("rows") == "answer" else "all later text"
        how = DONE[effect.unit].format(fill=given.get("fill"), rows=rows, first=layers[0], last=layers[-1])
        count = effect.pixels if effect.unit == "pixel" else len(effect.hidden)
        change = f"{effect.answer_before:.4f} to {effect.answer_after:.4f}"
        parts.append(
            f"{look.letter}: {model_title(look.finished)}, token {look.query} {spelled(look.run, look.chosen)}, "
            f"{count:,} {how}: {words.percent(effect.before)} to {words.percent(effect.after)}, log-probability of the "
            f"whole answer {change}."
        )
    parts.append(
        "A painted picture is none that a model was trained on, and what is hidden from some rows may go by others."
    )
    return " ".join([*parts, weights_words(look.finished for look in looks)]).strip()


def _curve_words(curves: Mapping[str, Curves]) -> str:
    if not curves:
        return ""
    told = next(iter(curves.values()))
    return (
        f" Charts: the word's probability while the cells of its map are painted away ({told.fill}) and come back, "
        f"those of the largest value first; dotted in the reversed order, shaded from the lowest to the highest of "
        f"{len(told.random)} random orders with their mean; numbers are areas under the curves."
    )


def _facts(look: Selection, effect: Effect) -> dict[str, Any]:
    return {
        **{"token": look.query, "media": look.media, "frame": look.frame, "layer": look.layer, "head": look.head},
        **{"unit": effect.unit, "hidden": list(effect.hidden), "pixels": effect.pixels},
        "effect": ["probability before", "after", "log-probability of the answer before", "after"],
    }


def _lines(
    looks: Sequence[Selection],
    done: Mapping[str, Intervention],
    given: dict[str, Any],
    curves: bool,
    posted: Mapping[str, Posted],
) -> str:
    lines = [
        "import numpy",
        "import qwenvl",
        "import viz",
        "from qwenvl.analysis.regions import box_mask, cells_mask",
        "",
    ]
    lines.append("# The run files come from the same menu: save them beside these lines.")
    for look in looks:
        name = look.run.card.name
        lines.append(f'run_{look.letter} = qwenvl.Run.load("{look.letter}.run", pipeline=qwenvl.load({name!r}))')
    for look in looks:
        lines += ["", *_of_one(look, done[look.letter])]
        if curves:
            lines += _curve_lines(look, *curves_given(look, named(posted, look.letter)))
    letters = [look.letter for look in looks]
    drawn = call(
        "viz.effects_side_by_side",
        f"[{', '.join(f'tuple(effect_{letter}[:2])' for letter in letters)}]",
        pictures=Name(f"[{', '.join(f'picture_{letter}' for letter in letters)}]"),
        cells=Name(f"[{', '.join(f'cells_{letter}' for letter in letters)}]"),
        painted=Name(f"[{', '.join(f'gone_{letter}' for letter in letters if curves)}]"),
        curves=Name(f"[{', '.join(f'curves_{letter}' for letter in letters if curves)}]"),
        **given,
    )
    return "\n".join([*lines, "", f"figure = {drawn}", closing("causes"), ""])


def _curve_lines(look: Selection, index: int, given: dict[str, Any]) -> list[str]:
    letter = look.letter
    told = call(f"run_{letter}.deletion_curves", str(index), **given)
    orders = f"(walk_{letter}.falling, walk_{letter}.rising, *walk_{letter}.random)"
    return [
        f"*_, walk_{letter} = {told}",
        f"gone_{letter} = numpy.array(walk_{letter}.falling.painted)",
        f"curves_{letter} = numpy.array([each.probability for each in {orders}])",
    ]


def _of_one(look: Selection, done: Intervention) -> list[str]:
    letter, media = look.letter, look.run.media[look.media]
    run, item = f"run_{letter}", f"run_{letter}.media[{look.media}]"
    grid = media.token_grid if media.tokens_are_places else media.patch_grid
    if done.tool == "paint":
        told = call(f"{run}.painted", str(done.index), done.made_by, media=done.media, **done.given)
        picture = f"told_{letter}.pictures[{frame_index(look)}]"
    else:
        told = call(f"{run}.without", str(done.index), media=done.media, **done.given)
        picture = f"{item}.frames[{frame_index(look)}]"
    numbers = ", ".join(f"told_{letter}.{name}" for name in ("before", "after", "answer_before", "answer_after"))
    outlined = [f"cells_{letter}.flat[{done.cells}] = True"] if done.tool == "block" else []
    return [
        f"told_{letter} = {told}",
        f"effect_{letter} = numpy.array([{numbers}])",
        f"picture_{letter} = numpy.asarray({picture})",
        f"cells_{letter} = numpy.zeros({grid}, dtype=bool)",
        *outlined,
        f"cells_{letter} = cells_{letter}[{look.frame}]",
    ]
