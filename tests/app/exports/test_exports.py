"""Every view's export: its files are what they say, its numbers the run's, and its lines make the same figure anew."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import math
import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import qwenvl
import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.selection import Selection
from app.asking.words import percent
from app.exports import EXPORTS, Exported
from app.exports.files import KINDS, export_file
from app.exports.manifest import manifest as written_manifest
from app.serving.session import Session
from app.views.answer import reading
from app.views.rows import MapRow, map_row
from qwenvl.analysis.map_agreement import agreement
from qwenvl.analysis.row_statistics import own_grid
from qwenvl.errors import UserError
from qwenvl.inference.run import Run
from tests.support.columns import columns

ROOT = Path(__file__).parents[3]
VIEWS = sorted(EXPORTS)


@pytest.fixture(scope="module")
def ids(tiny_session: Session) -> dict[str, str]:
    """The runs of the first example."""
    return tiny_session.example(tiny_session.examples()[0]["name"])


@pytest.fixture(scope="module")
def runs(tiny_session: Session, ids: dict[str, str]) -> dict[str, Finished]:
    return runs_of(tiny_session, ids)


def runs_of(session: Session, ids: dict[str, str]) -> dict[str, Finished]:
    return {letter: session.store.get(run) for letter, run in ids.items()}


@pytest.fixture(scope="module")
def made(runs: dict[str, Finished]) -> dict[str, Exported]:
    """Each view, exported once."""
    return {view: export(runs, columns(runs, view)) for view, export in EXPORTS.items()}


@pytest.fixture
def ask(tiny_session: Session, ids: dict[str, str], runs: dict[str, Finished]) -> Any:
    def asked(view: str, kind: str, **more: Any) -> Any:
        selection = columns(runs, view if isinstance(view, str) else "answer")
        given = {"view": view, "kind": kind, "runs": ids, "selection": selection, **more}
        return export_file(tiny_session, json.loads(json.dumps(given)))

    return asked


@pytest.mark.parametrize("view", VIEWS)
def test_the_lines_make_the_same_figure(
    view: str, made: dict[str, Exported], ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for letter in "AB":
        (tmp_path / f"{letter}.run").write_bytes(ask(view, "run", letter=letter).content)
    names: dict[str, Any] = {}
    exec(compile(made[view].lines, f"{view}.py", "exec"), names)
    assert made[view].arrays
    for name, values in made[view].arrays.items():
        # A file's tensors lie otherwise in memory than the run's own, and sums differ in their last bit.
        np.testing.assert_allclose(names[name], values, rtol=1e-5, atol=1e-7)
        assert np.asarray(names[name]).dtype == values.dtype
    assert _said(viz.rendered(names["figure"], format="svg")) == _said(viz.rendered(made[view].figure, format="svg"))
    assert list(tmp_path.glob(f"{view}.*"))


NEUTRAL = {"mode": "neutral"}
SINKS = {"mode": "sinks"}
WAYS = {
    "sinks": SINKS,
    "words": {"add": 2},
    "sinks of words": {**SINKS, "add": 1},
    "mean": {**SINKS, "layers": "mean"},
    "difference": {"summed": True},
    "difference aside": {"summed": True, "mode": "sinks"},
    "neutral": NEUTRAL,
    "neutral of words": {**NEUTRAL, "add": 1, "shared": True},
}


@pytest.mark.slow
@pytest.mark.parametrize("example", ["where", "clip"])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_drawing_an_answer_comes_again(
    way: str, example: str, tiny_session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = runs_of(tiny_session, tiny_session.example(example))
    more = dict(WAYS[way])
    added = range(more.pop("add", 0))
    more["also"] = {letter: [finished.run.answer_start + step for step in added] for letter, finished in runs.items()}
    if more.pop("layers", None):
        more["layer"] = "mean"
    posted = columns(runs, **more)
    found = EXPORTS["answer"](runs, posted)
    names = _made_anew(found, runs, tmp_path, monkeypatch)
    for letter, finished in runs.items():
        values, drawn = _asked_of_page(finished, posted[letter])
        np.testing.assert_allclose(found.arrays[f"map_{letter}"], values, atol=1e-7)
        for name in ("removed", "neutral_share", "neutral_question"):
            assert found.facts[letter].get(name) == pytest.approx(drawn.get(name))
        assert f"{words.percent(drawn['share'])} of the row in all" in found.caption
    if way.startswith("difference"):
        told = agreement(
            *(torch.from_numpy(found.arrays[f"map_{letter}"]) for letter in runs), finished.run.media[0].size
        )
        assert found.facts["agreement"]["iou"] == told.iou
        assert f"IoU {told.iou:.3f}, JS distance {told.js_distance:.3f}" in _said(
            viz.rendered(found.figure, format="svg")
        )
        np.testing.assert_array_equal(found.arrays["difference"], told.difference)
    if way == "mean":
        assert found.facts["B"]["removed"] > 0
        assert found.arrays["sinks_B"].tolist() == found.facts["B"]["sink_keys"] != []
    assert _said(viz.rendered(names["figure"], format="svg")) == _said(viz.rendered(found.figure, format="svg"))


COLUMNS: dict[str, list[int]] = {"token": [], "places": [0, 3, 17]}


@pytest.mark.slow
@pytest.mark.parametrize("example", ["where", "clip"])
@pytest.mark.parametrize("place", COLUMNS)
def test_a_column_is_the_pages_and_comes_again(
    place: str, example: str, tiny_session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, frame = runs_of(tiny_session, tiny_session.example(example)), int(example == "clip")
    posted = columns(runs, swapped=True, frame=frame)
    for letter, finished in runs.items():
        first = frame * math.prod(own_grid(finished.run, 0)[1:])
        posted[letter]["cells"] = [first + cell for cell in COLUMNS[place]]
    found = EXPORTS["answer"](runs, posted)
    names = _made_anew(found, runs, tmp_path, monkeypatch)
    assert _said(viz.rendered(names["figure"], format="svg")) == _said(viz.rendered(found.figure, format="svg"))
    said = " ".join(map(str, _said(viz.rendered(found.figure, format="svg"))))
    for letter, finished in runs.items():
        told = reading(lambda _, one=finished: one, posted[letter])
        values = np.frombuffer(base64.b64decode(told["values"]["f32"]), dtype="<f4")
        np.testing.assert_allclose(found.arrays[f"column_{letter}"], values, atol=1e-7)
        assert found.facts[letter]["cells"] == posted[letter]["cells"]
        assert found.arrays[f"cells_{letter}"].sum() == len(COLUMNS[place])
        assert all(f"row {row}," in said for row in told["strongest"])
        assert (f"map_{letter}" in found.arrays) == ("adapter" not in finished.run.sites)


@pytest.mark.parametrize("spoiled", [[0, 1], "all", [2, 0, 1, 1], [0, 0, True, 1], 1], ids=str)
def test_a_place_that_is_none_is_one_sentence(spoiled: Any, ask: Any, runs: dict[str, Finished]) -> None:
    with pytest.raises(UserError, match="numbers from 0 to 1"):
        ask("answer", "lines", selection=columns(runs, region=spoiled))


def _made_anew(found: Exported, runs: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What an export's own lines leave, held against its arrays."""
    monkeypatch.chdir(folder)
    for letter, finished in runs.items():
        finished.run.save(folder / f"{letter}.run")
    names: dict[str, Any] = {}
    exec(compile(found.lines, "answer.py", "exec"), names)
    for name, values in found.arrays.items():
        np.testing.assert_allclose(names[name], values, rtol=1e-5, atol=1e-7 * max(1, 100 * (name == "difference")))
        assert np.asarray(names[name]).dtype == values.dtype
    return names


def _asked_of_page(finished: Finished, posted: dict[str, Any]) -> tuple[np.ndarray, MapRow]:
    """The map that the page draws for the same selection, at the same moment."""
    drawn = map_row(Selection.of(finished, posted))
    packed, grid = (drawn["values"], drawn["grid"])
    if "adapter" not in finished.run.sites:
        packed, grid = drawn["tokens"], drawn["token_grid"]
    cells = np.frombuffer(base64.b64decode(packed["f32"]), dtype="<f4").reshape(grid)
    return cells.sum(axis=0) if posted.get("summed") else cells[posted["frame"]], drawn


def _said(content: bytes) -> list[str | None]:
    return [element.text for element in ElementTree.fromstring(content).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "more"),
    [("pair", {"media": 1}), ("clip", {"frame": {"A": 2, "B": 1}})],
    ids=["pair", "clip"],
)
@pytest.mark.parametrize("view", VIEWS)
def test_the_lines_do_so_for_a_second_picture_and_for_a_clip(
    view: str,
    example: str,
    more: dict[str, Any],
    tiny_session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = runs_of(tiny_session, tiny_session.example(example))
    found = EXPORTS[view](runs, columns(runs, view, **more))
    monkeypatch.chdir(tmp_path)
    for letter, finished in runs.items():
        finished.run.save(tmp_path / f"{letter}.run")
    names: dict[str, Any] = {}
    exec(compile(found.lines, f"{view}.py", "exec"), names)
    for name, values in found.arrays.items():
        np.testing.assert_allclose(names[name], values, rtol=1e-5, atol=1e-7)
    assert _said(viz.rendered(names["figure"], format="svg")) == _said(viz.rendered(found.figure, format="svg"))


@pytest.mark.parametrize("view", VIEWS)
def test_the_figure_is_text_with_its_caption_and_no_date(view: str, made: dict[str, Exported], ask: Any) -> None:
    content = ask(view, "svg").content
    said = _said(content)
    assert all(said)
    assert _squeezed(made[view].caption) in _squeezed(" ".join(map(str, said)))
    assert b"<dc:date>" not in content
    assert content == ask(view, "svg").content


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_the_pdf_is_one_page_of_text_with_its_fonts(
    view: str, made: dict[str, Exported], ask: Any, tmp_path: Path
) -> None:
    content = ask(view, "pdf").content
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert b"/CreationDate" not in content
    assert b"/CIDFontType2" in content or b"/Subtype /TrueType" in content or b"/FontFile2" in content
    assert content == ask(view, "pdf").content
    path = tmp_path / "figure.pdf"
    path.write_bytes(content)
    try:
        said = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True).stdout
    except FileNotFoundError:
        return  # the one check that needs poppler
    assert _squeezed(made[view].caption) in _squeezed(said)


@pytest.mark.parametrize("view", VIEWS)
def test_the_numbers_are_the_figures(view: str, made: dict[str, Exported], ask: Any, tiny_session: Session) -> None:
    with zipfile.ZipFile(io.BytesIO(ask(view, "numbers").content)) as files:
        arrays = dict(np.load(io.BytesIO(files.read("numbers.npz"))))
        manifest = json.loads(files.read("manifest.json"))
    assert arrays.keys() == made[view].arrays.keys() == manifest["arrays"].keys()
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, made[view].arrays[name])
        assert values.dtype == made[view].arrays[name].dtype
        assert manifest["arrays"][name]["sha256"] == hashlib.sha256(values.tobytes()).hexdigest()
    assert manifest["caption"] == made[view].caption
    assert manifest["python"] == made[view].lines


def test_the_manifest_says_what_a_run_was_edited_by(runs: dict[str, Finished], made: dict[str, Exported]) -> None:
    quiet = runs["B"].run.edited([qwenvl.AblateHeads(0, [1])])
    written = written_manifest("answer", {**runs, "B": replace(runs["B"], run=quiet)}, made["answer"])["runs"]
    assert written["A"]["edits"] == []
    assert written["B"]["edits"] == ["Edited: the output of heads 1 of language layer 0 is 0."]


def test_the_manifest_says_what_the_numbers_belong_to(ask: Any, tiny_session: Session, ids: dict[str, str]) -> None:
    content = ask("answer", "numbers").content
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        text = files.read("manifest.json").decode()
    manifest = json.loads(text)
    (media,) = tiny_session.examples()[0]["media"]
    picture = Path(media["path"])
    for letter, one in manifest["runs"].items():
        run = tiny_session.store.get(ids[letter]).run
        assert one["model"]["name"] == run.card.name
        assert one["answer"] == run.answer
        assert one["tokens"] == [token.id for token in run.tokens]
        assert "seed" in one["settings"]
        assert one["media"][0]["sha256_file"] == hashlib.sha256(picture.read_bytes()).hexdigest()
        pixels = np.asarray(run.media[0].frames[0]).tobytes()
        assert one["media"][0]["sha256_pixels"] == [hashlib.sha256(pixels).hexdigest()]
    assert {"python", "torch", "numpy", "pillow"} <= manifest["software"].keys()
    assert str(picture.parent) not in text
    assert not any(run in text for run in ids.values())
    assert content == ask("answer", "numbers").content


def test_the_answers_numbers_are_the_runs(made: dict[str, Exported], tiny_session: Session, ids: Any) -> None:
    for letter, at in made["answer"].facts.items():
        run = tiny_session.store.get(ids[letter]).run
        row = run.attention("language", layer=at["layer"], head=at["head"], query=at["row"])
        np.testing.assert_array_equal(made["answer"].arrays[f"row_{letter}"], row.numpy())
        cells = run.image_map(query=at["row"], layer=at["layer"], head=at["head"])[0].numpy()
        if at["cells"] != "patches":
            rows, columns = np.asarray(at["grid"][1:])
            cells = cells.reshape(rows, 2, columns, 2).sum(axis=(1, 3))
        np.testing.assert_allclose(made["answer"].arrays[f"map_{letter}"], cells, atol=1e-7)


@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_run_file_opens(letter: str, ask: Any, tiny_session: Session, ids: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "one.run"
    path.write_bytes(ask("answer", "run", letter=letter).content)
    run, original = Run.load(path), tiny_session.store.get(ids[letter]).run
    assert run.answer == original.answer
    query = run.answer_start
    assert all(run.kept[name].equal(kept) for name, kept in original.kept.items())
    rows = [one.attention("language", layer=1, query=query) for one in (run, original)]
    np.testing.assert_allclose(*rows, rtol=1e-5, atol=1e-7)


def test_a_difference_needs_both_models(runs: dict[str, Finished]) -> None:
    alone = {"A": runs["A"]}
    with pytest.raises(UserError, match="needs the maps of both models"):
        EXPORTS["answer"](alone, columns(alone, summed=True))


def test_every_view_of_the_page_has_an_export() -> None:
    source = (ROOT / "app" / "static" / "views" / "index.js").read_text(encoding="utf-8")
    (registry,) = re.findall(r"export const VIEWS = \{(.*?)\}", source, flags=re.DOTALL)
    assert set(re.findall(r"\w+", registry)) == set(EXPORTS)


WRONG = [
    {"kind": "docx"},
    {"kind": ["svg"]},
    {"view": "nothing"},
    {"view": ["answer"]},
    {"selection": None},
    {"runs": {}},
    {"runs": "AB"},
    {"runs": {"A": "never-given"}},
    {"kind": "run", "letter": "C"},
    {"kind": "run", "letter": ["A"]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_what_cannot_be_made_is_one_sentence(wrong: dict[str, Any], ask: Any) -> None:
    given = {"view": "answer", "kind": "svg", **wrong}
    with pytest.raises(UserError) as refused:
        ask(**given)
    assert str(refused.value).count("\n") == 0


SPOILED = [
    ("query", None),
    ("query", {"A": 10**9, "B": 1}),
    ("query", {"A": "4", "B": True}),
    ("query", []),
    ("layer", {"A": -1, "B": 0}),
    ("layer", {"A": [1], "B": {}}),
    ("head", {"A": 99, "B": 1.5}),
    ("media", 7),
    ("media", "0"),
    ("frame", -1),
    ("cells", [10**6]),
    ("also", "all"),
]


@pytest.mark.parametrize(("name", "value"), SPOILED, ids=str)
@pytest.mark.parametrize("view", VIEWS)
def test_a_spoiled_selection_is_one_sentence_or_set_aside(
    view: str, name: str, value: Any, ask: Any, runs: dict[str, Finished]
) -> None:
    with contextlib.suppress(UserError):  # nothing else may come of it
        assert ask(view, "lines", selection=columns(runs, view, **{name: value})).content


def test_every_kind_is_offered_on_the_page() -> None:
    source = (ROOT / "app" / "static" / "shell" / "export.js").read_text(encoding="utf-8")
    offered = set(re.findall(r'\[\s*"(\w+)",\s*"', source)) | set(re.findall(r'item\(\s*"(\w+)"', source))
    assert offered == set(KINDS)


def _squeezed(text: str) -> str:
    """Without spaces and line ends, which wrapping moves."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(("view", "name"), [("answer", "map"), ("vision", "row")])
def test_a_region_is_told_in_the_caption(view: str, name: str, runs: dict[str, Finished]) -> None:
    left, top, right, bottom = 0.25, 0.1, 0.7, 0.65
    found = EXPORTS[view](runs, columns(runs, view, region=[left, top, right, bottom]))
    for letter in runs:
        cells = found.arrays[f"{name}_{letter}"]
        fine = np.kron(cells, np.ones((20, 20))) / 400  # every cell in 400 pieces
        y, x = ((np.arange(size) + 0.5) / size for size in fine.shape)
        held = fine[(y >= top) & (y < bottom)][:, (x >= left) & (x < right)].sum()
        assert found.facts["in_region"][letter] == pytest.approx(held, rel=0.05, abs=1e-3)
        assert f"{letter} {percent(found.facts['in_region'][letter])} of the row" in found.caption
    assert "The rectangle 250, 100, 700, 650" in found.caption
    again = EXPORTS[view](runs, columns(runs, view))
    assert "rectangle" not in again.caption
