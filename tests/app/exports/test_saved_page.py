"""The saved page: one file that holds its modules, its styles and its answers, and no permission."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import pytest

from app.exports import saved_page, single_file
from app.exports.files import export_file
from app.serving import frontend
from app.serving.api import server_functions
from app.serving.session import Session
from qwenvl.errors import UserError


@pytest.fixture(scope="module")
def ids(tiny_session: Session) -> dict[str, str]:
    return tiny_session.example(tiny_session.examples()[0]["name"])


@pytest.fixture(scope="module")
def asked(tiny_session: Session, ids: dict[str, str]) -> dict[str, Any]:
    """What the page posts from its first screen."""
    seen = []
    for letter, run_id in ids.items():
        run = tiny_session.run(run_id)
        query = run["words"][run["start"]["word"]]["tokens"][0]
        about = {"run": run_id, "query": query, "why": True}
        at = {"layer": run["start"]["layer"], "head": run["start"]["head"], "media": 0, "adapter_head": "mean"}
        seen += [["map", {**about, **at}], ["shares", about]]
        assert letter in "AB"
    return {"view": "answer", "kind": "page", "runs": ids, "line": "view=answer;model=A", "seen": seen}


def _page(session: Session, asked: dict[str, Any]) -> str:
    return export_file(session, asked).content.decode()


def _held(page: str) -> dict[str, Any]:
    (held,) = re.findall(r'<script type="application/json" id="frozen">(.*?)</script>', page, flags=re.DOTALL)
    return json.loads(held)


def _modules(page: str) -> dict[str, str]:
    (listed,) = re.findall(r'<script type="importmap">(.*?)</script>', page, flags=re.DOTALL)
    imports = json.loads(listed)["imports"]
    return {name: base64.b64decode(url.partition(",")[2]).decode() for name, url in imports.items()}


def test_every_import_is_in_the_file(tiny_session: Session, asked: dict[str, Any]) -> None:
    sources = _modules(_page(tiny_session, asked))
    statement = re.compile(r'^(?:import|export)\b[^"]*from "(.*?)"', flags=re.MULTILINE)  # types stand in comments
    imported = {name for source in sources.values() for name in statement.findall(source)}
    assert imported <= sources.keys()
    assert not any(name.startswith(".") for name in imported)
    for name, source in sources.items():
        path = frontend.STATIC / name.removeprefix("inside/")
        if name != "inside/views/index.js":  # the one that lists the views of this file alone
            original = path.read_text(encoding="utf-8").splitlines()
            changed = [line for line, was in zip(source.splitlines(), original, strict=True) if line != was]
            assert all("from " in line or line.startswith("import") for line in changed)


def test_it_holds_every_word_of_both_answers_and_every_layer_and_head(
    tiny_session: Session, asked: dict[str, Any], ids: dict[str, str]
) -> None:
    held = _held(_page(tiny_session, asked))
    functions = {function.__name__: function for function in server_functions(tiny_session)}
    for letter, run_id in ids.items():
        run = tiny_session.store.get(run_id).run
        first = next(one for name, one in asked["seen"] if name == "map" and one["run"] == run_id)
        for tokens in run.words:
            for layer in (*range(run.num_layers("language")), "mean"):
                for head in (*range(run.num_heads("language")), "mean"):
                    question = {**first, "query": tokens[0], "layer": layer, "head": head}
                    value = held["values"][held["answers"]["map" + saved_page.canonical({**question, "run": letter})]]
                    assert value == json.loads(json.dumps(functions["map"](question)))
        map_ = run.image_map(query=first["query"] - 1, layer=first["layer"], head=first["head"]).numpy()
        packed = held["values"][held["answers"]["map" + saved_page.canonical({**first, "run": letter})]]["values"]
        floats = np.frombuffer(base64.b64decode(packed["f32"]), dtype="<f4")
        np.testing.assert_array_equal(floats, map_.ravel())


def test_it_holds_no_permission_and_asks_nobody(
    tiny_session: Session, asked: dict[str, Any], ids: dict[str, str]
) -> None:
    page = _page(tiny_session, asked)
    assert not any(run_id in page for run_id in ids.values())
    assert not re.search(r"""(src|href)=["']?https?:|@import|url\(["']?(?!data:|["']?data:)https?:""", page)


def test_plotly_comes_with_the_view_that_needs_it_alone(tiny_session: Session, asked: dict[str, Any]) -> None:
    answer = _page(tiny_session, asked)
    positions = _page(tiny_session, {**asked, "view": "positions", "line": "view=positions"})
    assert len(answer) < 8 << 20 < len(positions) - len(answer) + (4 << 20)
    assert "inside/views/positions/view.js" in _modules(positions)
    assert "inside/views/positions/view.js" not in _modules(answer)


def test_views_that_were_looked_at_come_along(tiny_session: Session, asked: dict[str, Any]) -> None:
    page = _page(tiny_session, {**asked, "visited": ["adapter", "positions", "nothing", 3]})
    views = {name.removeprefix("inside/views/") for name in _modules(page) if name.startswith("inside/views/")}
    assert {"answer/view.js", "patches/view.js", "adapter/view.js"} <= views
    assert "positions/view.js" not in views  # it needs plotly, and is not the one that is shown
    assert 'id="frozen"' in _page(tiny_session, {**asked, "visited": "adapter"})


def test_there_is_a_limit_and_the_nearest_answers_come_first(
    tiny_session: Session, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = _held(_page(tiny_session, asked))
    monkeypatch.setattr(saved_page, "MAX_BYTES", 400_000)
    held = _held(_page(tiny_session, asked))
    size = sum(len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) for value in held["values"])
    assert size <= 400_000
    assert 0 < len(held["answers"]) < len(everything["answers"])
    for name, one in asked["seen"]:
        letter = next(letter for letter, run_id in asked["runs"].items() if run_id == one["run"])
        assert name + saved_page.canonical({**one, "run": letter}) in held["answers"]


def test_what_the_page_said_is_no_markup(tiny_session: Session, asked: dict[str, Any]) -> None:
    line = "view=answer;</script><script>alert(1)</script>"
    page = _page(tiny_session, {**asked, "line": line})
    assert "<script>alert" not in page
    assert _held(page)["message"]["line"] == line


@pytest.mark.parametrize(
    "wrong", [{"view": "nothing"}, {"view": None}, {"line": None}, {"line": "x" * 9000}, {"runs": {"A": "gone"}}]
)
def test_a_wrong_request_is_one_sentence(tiny_session: Session, asked: dict[str, Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        export_file(tiny_session, {**asked, **wrong})


@pytest.mark.parametrize("seen", [None, "map", [1], [["map"]], [[1, {}]], [["no", {}]], [["map", {"run": [1]}]]])
def test_spoiled_questions_are_left_out(tiny_session: Session, asked: dict[str, Any], seen: Any) -> None:
    assert _held(_page(tiny_session, {**asked, "seen": seen}))["answers"]


def test_the_views_are_the_pages() -> None:
    assert {"answer", "patches", "positions", "adapter"} <= set(single_file.known_views())
    assert single_file.registry(["answer"]).count("import") == 1


def test_linked_words_bring_their_agreement(tiny_session: Session, ids: dict[str, str], asked: dict[str, Any]) -> None:
    runs = {letter: tiny_session.run(run_id) for letter, run_id in ids.items()}
    sides = [
        {**one, "adapter_head": "mean", "mode": "raw"}
        for name, one in asked["seen"]
        if name == "map" and one["run"] in ids.values()
    ]
    agreement = {"run": ids["A"], "one": sides[0], "two": sides[1]}
    posted = {**asked, "seen": [*asked["seen"], ["agreement", agreement]]}
    links = [[0, 1], [1, 0], [0, 10_000], [0, -1], [True, 0], "0"]
    held = _held(_page(tiny_session, {**posted, "links": links}))
    pairs = {
        (question["one"]["query"], question["two"]["query"])
        for question in (json.loads(key.removeprefix("agreement")) for key in held["answers"] if "agreement" in key)
    }
    first = {letter: [word["tokens"][0] for word in run["words"]] for letter, run in runs.items()}
    chosen = (sides[0]["query"], sides[1]["query"])
    assert pairs == {chosen, (first["A"][0], first["B"][1]), (first["A"][1], first["B"][0])}
