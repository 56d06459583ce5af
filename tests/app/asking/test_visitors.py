"""Visitors share a process and the real tiny models, and nothing else: no media, no runs, no Stop, no mishap."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from app.asking.conversation import Conversation, Settings
from app.asking.store import RunStore
from app.serving.api import register_api, server_functions
from app.serving.session import Session
from qwenvl.errors import RunError
from qwenvl.inference.generate import generate
from tests.support.sentences import english

SHORT = Settings(max_new_tokens=3, max_pixels=40_000)
GONE = "This run is no longer kept on this server: ask again to get a fresh one."


def painted(folder: Path, name: str, size: tuple[int, int], colour: str) -> str:
    path = folder / name
    Image.new("RGB", size, colour).save(path)
    return str(path)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("photos")
    return {
        "ann": painted(folder, "ann.png", (200, 100), "red"),
        "bob": painted(folder, "bob.png", (90, 150), "blue"),
    }


# --- two visitors at once, in one session ---


def test_two_visitors_at_once_each_get_their_own(tiny_session: Session, photos: dict[str, str]) -> None:
    def visit(visitor: str) -> list[Any]:
        asked = Conversation().asking(f"What does {visitor} see?", [photos[visitor]])
        ids = [tiny_session.answer(visitor, letter, asked, SHORT) for letter in "ABAB"]
        return [tiny_session.store.get(run_id) for run_id in ids]

    with ThreadPoolExecutor(2) as pool:
        seen = dict(zip(photos, pool.map(visit, photos), strict=True))
    for visitor, runs in seen.items():
        assert {one.conversation.turns[0].question for one in runs} == {f"What does {visitor} see?"}
        assert {one.run.media[0].name for one in runs} == {f"{visitor}.png"}
        assert [one.letter for one in runs] == list("ABAB")
        for letter in (0, 1):  # nobody's neighbour changed an answer
            assert runs[letter].run.answer == runs[letter + 2].run.answer


def test_one_visitors_stop_leaves_the_other_talking(
    tiny_session: Session, photos: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Settings(max_new_tokens=120, max_pixels=40_000, temperature=1.0, repetition_penalty=1.3)
    ends: dict[str, dict[str, Any]] = {}
    heard, anns = threading.Event(), tiny_session.pipeline("A").model

    def unhurried(model: Any, inputs: Any, *, sampling: Any, stop_ids: Any) -> Iterator[int]:
        """Ann's model never ends by itself, and after two tokens waits for her Stop, however fast the machine is."""
        ends_of_answer = () if model is anns else stop_ids
        said = 0
        for token in generate(model, inputs, sampling=sampling, stop_ids=ends_of_answer):
            if model is anns and token in stop_ids:
                continue
            yield token
            said += 1
            if model is anns and said > 2:
                heard.wait(0.5)

    monkeypatch.setattr("qwenvl.inference.pipeline.generate", unhurried)

    def visit(visitor: str, letter: str) -> None:
        asked = Conversation().asking("Tell me everything.", [photos[visitor]])
        for update in tiny_session.ask(visitor, letter, asked, long):
            if visitor == "ann" and len(update["pieces"]) >= 2:
                tiny_session.stop("ann")
                heard.set()
            ends[visitor] = dict(update)

    threads = [threading.Thread(target=visit, args=pair) for pair in (("ann", "A"), ("bob", "B"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends["ann"]["state"] == "stopped"
    assert ends["bob"]["state"] == "done"
    stopped = tiny_session.store.get(ends["ann"]["run"]).run
    assert stopped.stopped
    assert stopped.answer == "".join(ends["ann"]["pieces"])
    assert 2 <= len(stopped.tokens) - stopped.answer_start < 120


def test_a_streamed_answer_is_the_runs_answer_and_is_never_made_again(
    tiny_session: Session, photos: dict[str, str]
) -> None:
    asked = Conversation().asking("What is it?", [photos["ann"]])
    settings = Settings(max_new_tokens=6, temperature=0.9, seed=4)
    for letter in "AB":
        *_, last = tiny_session.ask("ann", letter, asked, settings)
        assert tiny_session.store.get(last["run"]).run.answer == "".join(last["pieces"])


# --- mishaps ---


def _text(path: Path) -> None:
    path.write_text("these are notes", encoding="utf-8")


def _cut(path: Path) -> None:
    Image.effect_noise((200, 200), 80).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:3000])


BROKEN: dict[str, Callable[[Path], Any]] = {
    "notes.png": _text,
    "cut.jpg": _cut,
    "strip.png": lambda path: Image.new("RGB", (30000, 2)).save(path),
    "bomb.png": lambda path: Image.new("1", (9500, 9500)).save(path),
    "nothing.png": lambda path: None,
}


@pytest.mark.parametrize("name", list(BROKEN))
@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_broken_picture_is_one_sentence_and_loses_nothing(
    tiny_session: Session, photos: dict[str, str], tmp_path: Path, name: str, letter: str
) -> None:
    earlier = tiny_session.answer("ann", letter, Conversation().asking("Hello?"), SHORT)
    BROKEN[name](tmp_path / name)
    (*_, last) = tiny_session.ask("ann", letter, Conversation().asking("What?", [str(tmp_path / name)]), SHORT)
    sentence = last["error"]["sentence"]
    assert last["state"] == "error"
    assert name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert str(tmp_path) not in sentence
    assert tiny_session.store.get(earlier)
    assert tiny_session.answer("ann", letter, Conversation().asking("And now?", [photos["ann"]]), SHORT)


@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_prompt_longer_than_the_context_is_one_sentence(tiny_session: Session, letter: str) -> None:
    (*_, last) = tiny_session.ask("ann", letter, Conversation().asking("1 " * 20_000), SHORT)
    assert last["state"] == "error"
    assert "the model reads at most" in last["error"]["sentence"]
    assert tiny_session.answer("ann", letter, Conversation().asking("Hello?"), SHORT)


@pytest.mark.parametrize("letter", ["A", "B"])
def test_the_smallest_picture_is_legal(tiny_session: Session, tmp_path: Path, letter: str) -> None:
    dot = painted(tmp_path, "dot.png", (1, 1), "green")
    run = tiny_session.store.get(tiny_session.answer("ann", letter, Conversation().asking("What?", [dot]), SHORT)).run
    assert run.media[0].num_tokens == {"A": 256, "B": 4}[letter]


# --- conversations ---


def test_a_follow_up_knows_the_picture_and_its_models_own_answer(tiny_session: Session, photos: dict[str, str]) -> None:
    conversation = Conversation().asking("What is it?", [photos["ann"]])
    for letter in "AB":
        run_id = tiny_session.answer("ann", letter, conversation, SHORT)
        conversation = tiny_session.store.get(run_id).answered()[0]
    followed = conversation.asking("Which colour?")
    for letter in "AB":
        run = tiny_session.store.get(tiny_session.answer("ann", letter, followed, SHORT)).run
        said = "".join(token.text for token in run.tokens if token.section == "history")
        assert len(run.media) == 1
        assert conversation.turns[0].answer(letter) in said


def test_memory_stays_bounded_over_fifty_questions(photos: dict[str, str], tiny_session: Session) -> None:
    budget = 12 << 20
    session = Session(store=RunStore(visitor_bytes=budget, total_bytes=2 * budget), load=lambda name: loaded[name])
    loaded = {name: tiny_session.pipeline(letter) for letter, name in tiny_session.names.items()}
    ids = []
    for number in range(50):
        asked = Conversation().asking(f"Question {number}?", [photos["ann"]])
        letter = "A" if number % 8 == 0 else "B"
        ids.append(session.answer(f"visitor {number % 3}", letter, asked, Settings(max_new_tokens=1)))
        assert session.store.num_bytes <= 2 * budget
    assert session.store.get(ids[-1])
    with pytest.raises(RunError, match=GONE):
        session.store.get(ids[0])


def test_a_run_that_is_dropped_leaves_memory_at_once(photos: dict[str, str], tiny_session: Session) -> None:
    """Without waiting for a collection: its tensors are large, and Python counts objects, not bytes."""
    loaded = {name: tiny_session.pipeline(letter) for letter, name in tiny_session.names.items()}
    session = Session(store=RunStore(visitor_bytes=12 << 20, total_bytes=24 << 20), load=lambda name: loaded[name])
    asked = Conversation().asking("What is it?", [photos["ann"]])
    gc.collect()
    gc.disable()
    try:
        run_id = session.answer("ann", "B", asked, SHORT)
        run = weakref.ref(session.store.get(run_id).run)
        for number in range(12):
            session.answer("ann", "A", Conversation().asking(f"And {number}?", [photos["ann"]]), SHORT)
        with pytest.raises(RunError, match=GONE):
            session.store.get(run_id)
        assert run() is None
    finally:
        gc.enable()


# --- the examples ---


def test_examples_are_finished_once_and_shared(tiny_session: Session) -> None:
    listing = tiny_session.examples()
    assert listing[0]["name"] == "shapes"
    with ThreadPoolExecutor(3) as pool:
        first, *rest = pool.map(lambda _: tiny_session.example("shapes"), range(3))
    assert all(ids == first for ids in rest)
    for letter, run_id in first.items():
        payload = tiny_session.run(run_id)
        assert (payload["letter"], payload["question"]) == (letter, listing[0]["question"])
        assert payload["media"][0]["size"] == listing[0]["media"][0]["size"]


# --- two visitors at once, over HTTP ---


@pytest.fixture(scope="module")
def url(tiny_session: Session) -> Iterator[str]:
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.HTML(server_functions=server_functions(tiny_session))
        register_api(tiny_session)
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, show_error=True)
    yield url
    blocks.close()


def test_two_clients_at_once_see_only_their_own(url: str, tiny_session: Session, photos: dict[str, str]) -> None:
    def visit(visitor: str) -> list[dict[str, Any]]:
        client = Client(url, verbose=False)
        media = [handle_file(photos[visitor])]
        return [client.predict(media, visitor, "tiny-qwen2-vl", 3, 0, api_name="/ask") for _ in range(3)]

    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(photos, pool.map(visit, photos), strict=True))
    for visitor, own in answers.items():
        runs = [tiny_session.store.get(answer["run"]) for answer in own]
        assert {one.conversation.turns[0].question for one in runs} == {visitor}
        assert {one.run.media[0].name for one in runs} == {f"{visitor}.png"}
    assert not {answer["run"] for answer in answers["ann"]} & {answer["run"] for answer in answers["bob"]}
    assert str(photos["ann"]) not in str(answers)  # no path of the machine in any answer


def test_no_function_lists_runs_or_finds_one_by_less_than_its_id(tiny_session: Session, photos: dict[str, str]) -> None:
    run_id = tiny_session.answer("ann", "B", Conversation().asking("What?", [photos["ann"]]), SHORT)
    for function in server_functions(tiny_session):
        for guess in (run_id[:-1], run_id.lower(), run_id + " ", "ann", "*", "%", 0, None):
            answer = function({"run": guess, "name": guess, "query": 1, "media": 0})
            assert list(answer) == ["error"]
            assert run_id not in english(answer["error"])
