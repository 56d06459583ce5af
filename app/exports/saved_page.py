"""Writes the page as one HTML file: the inspector, with everything it would ask of the server answered beforehand.

The answers are those of the server's own functions, asked as the browser asks them. First comes what the page has asked
already, then what hovering would ask next, the nearest first, while there is room; run ids, which are permissions, are
replaced by the letters.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.asking.finished import Finished
from app.asking.messages import RunsMessage
from app.asking.posted import Posted
from app.exports import single_file as bundle

Question = tuple[str, dict[str, Any]]  # the name of a function of the server, and what it is asked
ServerFunction = Callable[[object], Mapping[str, object]]
Link = tuple[int, int]  # a word of A's answer and one of B's, by index

MAX_BYTES = 20 << 20  # of answers, as JSON
MAX_SEEN = 400
MAX_LINKS = 4000
PATIENCE = 25.0  # seconds that answering may take
ALWAYS = ("answer", "patches")  # views that need nothing which is not in every file
SIDE = 960  # pixels of a picture, as the page asks for it


class Answers:
    """Answers by question, each value once, within a budget of bytes and of time."""

    def __init__(self, functions: Mapping[str, ServerFunction], ids: Mapping[str, str]) -> None:
        self._functions = functions
        self._letters = {run_id: letter for letter, run_id in ids.items()}
        self._numbers: dict[str, int] = {}
        self._until = time.monotonic() + PATIENCE
        self.answers: dict[str, int] = {}
        self.values: list[str] = []
        self.num_bytes = 0

    @property
    def full(self) -> bool:
        """Whether there is no room, or no time, for more."""
        return self.num_bytes >= MAX_BYTES or time.monotonic() >= self._until

    def add(self, name: str, asked: Posted) -> bool:
        """Ask one question and keep its answer, unless it is an error or too large; whether it is held now."""
        function, key = self._functions.get(name), self._public(name + canonical(asked))
        mentioned = run_ids(asked)
        if function is None or not mentioned or not mentioned <= self._letters.keys():
            return False
        return key in self.answers or (not self.full and self._ask(function, key, name, asked))

    def _ask(self, function: ServerFunction, key: str, name: str, asked: Posted) -> bool:
        answer = function(dict(asked))
        if "error" in answer:
            return False
        value = self._public(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))
        if value not in self._numbers:
            if self.num_bytes + len(value) > MAX_BYTES:
                return False
            self._numbers[value] = len(self.values)
            self.values.append(value)
            self.num_bytes += len(value)
        self.answers[key] = self._numbers[value]
        if "side" in asked:  # the same picture, whatever its size
            whatever = {name: one for name, one in asked.items() if name != "side"}
            self.answers[self._public(name + canonical(whatever))] = self._numbers[value]
        return True

    def _public(self, text: str) -> str:
        """JSON without the ids of the runs, which are permissions."""
        for run_id, letter in self._letters.items():
            text = text.replace(run_id, letter)
        return text


def canonical(asked: object) -> str:
    """JSON with sorted names, as frozen/server.js writes it: a question is found however it was put together."""
    return json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def run_ids(asked: object) -> set[str]:
    """Ids of the runs that a question is about: of one, or of two that are compared, each in an object of its own."""
    if not isinstance(asked, Mapping):
        return set()
    inner = [run_ids(value) for name, value in asked.items() if name != "run"]
    own = {asked["run"]} if isinstance(asked.get("run"), str) else set()
    return own.union(*inner)


# --- what to ask ---


def first(runs: Mapping[str, Finished], ids: Mapping[str, str]) -> Iterator[Question]:
    """What every saved page asks: the runs, their pictures, and how these turn back from what the models received."""
    for letter, finished in runs.items():
        yield "run", {"run": ids[letter]}
        for media in range(len(finished.run.media)):
            yield "picture", {"run": ids[letter], "media": media, "side": SIDE, "frame": 0}
            yield "rebuilt", {"run": ids[letter], "media": media, "frame": 0}


def following(
    runs: Mapping[str, Finished],
    ids: Mapping[str, str],
    answered: Iterable[Question],
    *,
    view: str,
    links: Sequence[Link] = (),
) -> Iterator[Question]:
    """What hovering asks next to questions that were answered, the nearest of all before the farther of any.

    Args:
        runs, ids: by letter.
        answered: the latest first; of one name and run only that one is followed.
        view: the view that is shown: what points at patches alone is followed in that view.
        links: words of A's answer and of B's that the page links to each other.
    """
    by_id = {run_id: runs[letter] for letter, run_id in ids.items()}
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for name, asked in answered:
        latest.setdefault((name, str(asked.get("run"))), asked)
    pairs = [asked for (name, _), asked in latest.items() if name == "agreement"][:1]
    one_run = {key: asked for key, asked in latest.items() if key[1] in by_id}
    # what was asked of one run may be asked of the other
    yield from ((name, {**asked, "run": run_id}) for (name, _), asked in one_run.items() for run_id in by_id)
    follow = NEXT | (NEXT_IN.get(view) or {})
    changes = [
        (name, asked, follow[name](by_id[run_id], asked)) for (name, run_id), asked in one_run.items() if name in follow
    ]
    for rank in (0, 1):
        for name, asked, near_and_far in changes:
            yield from ((name, {**asked, **change}) for change in near_and_far[rank])
        if rank == 0:
            yield from (pair for asked in pairs for pair in _next_pairs(by_id, asked, links))


Change = dict[str, int | bool | str]  # to a question that was asked
Changes = tuple[Iterable[Change], Iterable[Change]]


def _words(finished: Finished, asked: Posted) -> list[Change]:
    """One change a word of the answer: the token that begins it."""
    return [{"query": tokens[0]} for tokens in finished.run.words]


def _next_maps(finished: Finished, asked: Posted) -> Changes:
    """Every word at the chosen layer and head; then without its sinks; then every layer and head of the chosen word,
    then of the others."""
    run = finished.run
    layers = [*range(run.num_layers("language")), "mean"]
    heads = [*range(run.num_heads("language")), "mean"]
    cells = [{"layer": layer, "head": head} for layer in layers for head in heads]
    words = _words(finished, asked)
    sinks = [{**word, "mode": "sinks"} for word in words] if "mode" in asked else []
    return words, (*sinks, *cells, *({**word, **cell} for word in words for cell in cells))


def _next_patches(finished: Finished, asked: Posted) -> Changes:
    """Every patch of the frame that the asked one is in."""
    _, rows, columns = finished.run.media[asked["media"]].patch_grid
    first = asked["query"] // (rows * columns) * rows * columns
    return [{"query": first + place} for place in range(rows * columns)], ()


def _next_pairs(by_id: Mapping[str, Finished], asked: Posted, links: Sequence[Link]) -> Iterator[Question]:
    """Every word of either answer with the word of the other that the page links to it."""
    one, two = asked["one"], asked["two"]
    words = [by_id[side["run"]].run.words for side in (one, two)]
    for here, there in links:
        if here < len(words[0]) and there < len(words[1]):
            queries = words[0][here][0], words[1][there][0]
            yield "agreement", {**asked, "one": {**one, "query": queries[0]}, "two": {**two, "query": queries[1]}}


def _next_shares(finished: Finished, asked: Posted) -> Changes:
    return _words(finished, asked), ()


def _next_queries(finished: Finished, asked: Posted) -> Changes:
    """Every adapter query of the chosen head."""
    per_frame = finished.run.media[asked["media"]].token_grid[1:]
    return [{"query": query} for query in range(per_frame[0] * per_frame[1])], ()


def _next_pictures(finished: Finished, asked: Posted) -> Changes:
    """Every frame of a clip."""
    return [{"frame": frame} for frame in range(len(finished.run.media[asked["media"]].frames))], ()


def _next_figures(finished: Finished, asked: Posted) -> Changes:
    return [{"dark": dark} for dark in (False, True)], ()


# What hovering in a view asks next, by the name of the question: changes to one that was asked, near and far.
NEXT: dict[str, Callable[[Finished, Posted], Changes]] = {
    "map": _next_maps,
    "shares": _next_shares,
    "statistics": _next_shares,
    "adapter": _next_queries,
    "picture": _next_pictures,
    "figure": _next_figures,
}


# The same of questions that are many, in the view alone that asks them.
NEXT_IN: dict[str, dict[str, Callable[[Finished, Posted], Changes]]] = {
    "vision": {"vision_row": _next_patches, "vision_places": _next_patches},
}


# --- the file ---


def frozen_page(
    runs: Mapping[str, Finished],
    ids: Mapping[str, str],
    functions: Mapping[str, ServerFunction],
    *,
    view: str,
    visited: Iterable[str] = (),
    line: str,
    seen: Iterable[Question] = (),
    links: Sequence[Link] = (),
    outside: bool = False,
) -> str:
    """One HTML file.

    Args:
        runs, ids: the runs of the page and their ids, by letter.
        functions: the server's own, by name.
        view: the view that is shown.
        visited: views that were looked at before; they come along, unless they need plotly's large script.
        line: the selection as the page's address writes it.
        seen: what the page has asked already, the latest first.
        links: as of `following`.
        outside: whether the pictures are none that the shipped checkpoints were trained to describe.
    """
    answers = Answers(functions, ids)
    for question in first(runs, ids):
        answers.add(*question)
    answered = [question for question in seen if answers.add(*question)]
    for question in following(runs, ids, answered, view=view, links=links):
        if answers.full:
            break
        answers.add(*question)
    words = next(iter(runs.values())).conversation.turns[-1].question
    message: RunsMessage = {
        "kind": "runs",
        "turn": "frozen",
        "runs": {letter: letter for letter in runs},
        "outside": outside,
        "sentence": None,
        "line": line,
    }
    held = {
        "message": message,
        "about": {"question": words, "made": {"rows": len(answers.answers)}},
        "names": list(functions),
        "answers": answers.answers,
    }
    views = bundle.shown_views(view, {*visited, *ALWAYS})
    return _document(bundle.modules(views), _held(held, answers.values), title=words)


def _held(held: Mapping[str, object], values: Iterable[str]) -> str:
    """The data as JSON that may stand in a script element."""
    text = json.dumps(held, ensure_ascii=False)[:-1] + f', "values": [{",".join(values)}]}}'
    return text.replace("<", "\\u003c")


def _document(sources: Mapping[str, str], held: str, *, title: str) -> str:
    plotly = f"<script>{bundle.plotly()}</script>\n" if bundle.needs_plotly(sources) else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)} · Inside Qwen-VL</title>
<style>
{bundle.styles()}
</style>
<script type="importmap">{bundle.import_map(sources)}</script>
{plotly}</head>
<body>
<div class="gradio-container frozen">
<header class="frozen-bar"></header>
<main id="inspector"></main>
</div>
<script type="application/json" id="frozen">{held}</script>
<script type="module">import "{bundle.ROOT}{bundle.ENTRY}";</script>
</body>
</html>
"""
