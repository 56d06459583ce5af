"""The named endpoints and the inspector's functions, as a script reaches them over HTTP: answers, and refusals that are
one sentence."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.serving.api import register_api, server_functions
from app.serving.session import Session
from app.views import QUESTIONS
from qwenvl.errors import PromptError
from tests.support.sentences import english

NOT_OF_VIEWS = ["example", "figure", "run"]
NAMES = sorted([*NOT_OF_VIEWS, *QUESTIONS])


UNSAID = (None, None, None, None, "")  # limits, frames and text, which a raw post must name


class Server:
    """The endpoints and the functions without the page around them, on a free port."""

    def __init__(self, session: Session) -> None:
        self.session = session
        with gr.Blocks(analytics_enabled=False) as self.blocks:
            self.html = gr.HTML(server_functions=server_functions(session))
            register_api(session)
        _, self.url, _ = self.blocks.launch(prevent_thread_lock=True, quiet=True, show_error=True)

    def client(self) -> Client:
        return Client(self.url, verbose=False)

    def upload(self, path: Path) -> str:
        """Where a file lies on the server after its upload."""
        with path.open("rb") as file:
            answer = httpx.post(f"{self.url}gradio_api/upload", files={"files": file})
        return answer.json()[0]

    def function(self, name: str, asked: Any) -> httpx.Response:
        """Posts to a function of the inspector as a browser does, or as anyone may."""
        body = {"component_id": self.html._id, "fn_name": name, "session_hash": "anyone", "data": asked}
        return httpx.post(f"{self.url}gradio_api/component_server", json=body)

    def call(self, name: str, *data: Any, session_hash: str = "anyone") -> str:
        """Posts to a named endpoint without a client's manners; returns the last event as text."""
        url = f"{self.url}gradio_api/call/{name}"
        body = json.dumps({"data": data, "session_hash": session_hash})  # in ASCII: half a pair of surrogates passes
        event = httpx.post(url, content=body, headers={"content-type": "application/json"}).json()["event_id"]
        return httpx.get(f"{url}/{event}", timeout=60).text


@pytest.fixture(scope="module")
def server(tiny_session: Session) -> Iterator[Server]:
    server = Server(tiny_session)
    yield server
    server.blocks.close()


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / "wide.png", folder / "tall.png"]
    for path, size in zip(paths, ((300, 120), (90, 200)), strict=True):
        Image.effect_noise(size, 80).save(path)
    return paths


# --- what a script gets ---


def test_ask_answers_with_a_run_and_a_token_account(server: Server, client: Client, pictures: list[Path]) -> None:
    media = [handle_file(path) for path in pictures]
    answer = client.predict(media, "What is this?", "tiny-qwen-vl", 4, 0, api_name="/ask")
    finished = server.session.store.get(answer["run"])
    assert answer["model"] == "tiny-qwen-vl"
    assert answer["answer"] == finished.run.answer
    assert answer["account"]["visual_tokens"] == 512
    assert answer["account"]["answer_tokens"] == len(finished.run.tokens) - finished.run.answer_start <= 4
    assert [media.size for media in finished.run.media] == [(300, 120), (90, 200)]


def test_the_same_seed_gives_the_same_answer_and_the_defaults_suffice(client: Client, pictures: list[Path]) -> None:
    asked = {"media": [handle_file(pictures[0])], "question": "What is this?", "max_new_tokens": 3}
    first, second = (client.predict(**asked, api_name="/ask") for _ in range(2))
    assert first["model"] == "tiny-qwen2-vl"
    assert (first["answer"], first["account"]) == (second["answer"], second["account"])
    assert first["run"] != second["run"]


def test_compare_answers_under_both_names(server: Server, client: Client, pictures: list[Path]) -> None:
    answers = client.predict([handle_file(pictures[0])], "What is this?", api_name="/compare")
    assert list(answers) == ["tiny-qwen-vl", "tiny-qwen2-vl"]
    assert [answer["account"]["visual_tokens"] for answer in answers.values()] == [256, 11 * 4]
    for answer in answers.values():
        assert server.session.store.get(answer["run"]).run.answer == answer["answer"]


def test_a_question_without_media_is_a_question(client: Client) -> None:
    answer = client.predict([], "Hello?", "B", 2, 0, api_name="/ask")
    assert answer["account"]["visual_tokens"] == 0


def test_plan_counts_without_weights(client: Client, pictures: list[Path]) -> None:
    plan = client.predict([handle_file(path) for path in pictures], "Qwen2-VL-7B", api_name="/plan")
    assert [media["resized"] for media in plan["media"]] == [[308, 112], [84, 196]]
    assert [media["patch_grid"] for media in plan["media"]] == [[1, 8, 22], [1, 14, 6]]


def test_the_api_page_shows_these_with_their_words(client: Client) -> None:
    described = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(described) == ["/ask", "/attention", "/compare", "/plan"]
    assert all(endpoint["description"] for endpoint in described.values())
    for name in ("/ask", "/compare", "/plan"):
        endpoint = described[name]
        media, *_ = endpoint["parameters"]
        assert (media["parameter_name"], media["python_type"]["type"]) == ("media", "list[filepath]")
    names = [parameter["parameter_name"] for parameter in described["/ask"]["parameters"]]
    assert names == ["media", "question", "model", "max_new_tokens", "seed"]


# --- what a script gets wrong ---


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("ask", ([], "", "A", 4, 0), "The question is empty: write what you want to know."),
        ("ask", ([], "Hi?", "gpt", 4, 0), "There is no such model here: choose tiny-qwen-vl or tiny-qwen2-vl."),
        ("ask", ([], "Hi?", "A", 0, 0), "max_new_tokens must be a whole number from 1 to 2,048"),
        ("ask", ([], "Hi?", "A", 4, -1), "seed must be a whole number"),
        ("ask", ([], 5, "A", 4, 0), "question must be text: send a string."),
        ("ask", (None, "Hi?", "A", 4, 0), "media must be a list of uploaded files"),
        ("ask", ([], "1 " * 20_000, "A", 4, 0), "the model reads at most"),
        ("compare", ("cat.png", "Hi?", 4), "media must be a list of uploaded files"),
        ("compare", ([], " ", 4), "The question is empty"),
        ("plan", ([], 7, *UNSAID), "preset must be text: send a string."),
    ],
)
def test_wrong_input_is_one_sentence(server: Server, name: str, data: tuple[Any, ...], sentence: str) -> None:
    told = server.call(name, *data)
    assert told.startswith("event: error")
    assert sentence in json.loads(told.split("data: ", 1)[1])["error"]
    assert "Traceback" not in told


@pytest.mark.parametrize("preset", ["Qwen9-VL", "/etc", "..", "../../qwenvl/checkpoints/tiny-qwen", ""])
def test_an_unknown_preset_or_a_folder_is_one_sentence(server: Server, preset: str) -> None:
    told = json.loads(server.call("plan", [], preset, *UNSAID).split("data: ", 1)[1])
    assert told["error"].startswith("There is no preset of this name: choose one of Qwen")


BROKEN = {
    "notes.png": lambda path: path.write_text("these are notes", encoding="utf-8"),
    "cut.jpg": lambda path: _cut_short(path),
    "strip.png": lambda path: Image.new("RGB", (30000, 2)).save(path),
    "bomb.png": lambda path: Image.new("1", (9500, 9500)).save(path),
    "empty.png": lambda path: path.write_bytes(b""),
}


def _cut_short(path: Path) -> None:
    Image.effect_noise((200, 200), 80).save(path)
    path.write_bytes(path.read_bytes()[:3000])


@pytest.mark.parametrize("name", list(BROKEN))
@pytest.mark.parametrize("endpoint", ["/ask", "/compare"])
def test_a_broken_picture_is_one_sentence_and_the_next_question_works(
    client: Client, tmp_path: Path, name: str, endpoint: str
) -> None:
    BROKEN[name](tmp_path / name)
    with pytest.raises(AppError, match=rf"^{name} [^\n]+\.$"):
        client.predict([handle_file(tmp_path / name)], "What is this?", api_name=endpoint)
    assert client.predict([], "Hello?", "A", 2, 0, api_name="/ask")["run"]


@pytest.mark.parametrize("endpoint", ["ask", "compare", "plan"])
def test_only_ones_own_uploads_are_read(server: Server, tmp_path: Path, endpoint: str) -> None:
    for name in ("mine.png", "theirs.png"):
        Image.effect_noise((60, 60), 80).save(tmp_path / name)
    mine, theirs = (server.upload(tmp_path / name) for name in ("mine.png", "theirs.png"))
    rest = {"ask": ["What?", "A", 2, 0], "compare": ["What?", 2], "plan": ["Qwen2-VL-2B", *UNSAID]}[endpoint]
    assert "event: complete" in server.call(endpoint, [theirs], *rest, session_hash="bob")
    for path in ("/etc/passwd", str(tmp_path / "mine.png"), theirs, f"{theirs}/../../{theirs}", "", 5, None):
        told = server.call(endpoint, [path], *rest, session_hash="ann")
        assert "upload it here first" in told, path
    for path in ("/etc/passwd", theirs, "http://127.0.0.1/x.png"):
        for posted in ({"path": path}, {"path": path, "meta": {"_type": "gradio.FileData"}}):
            told = server.call(endpoint, [posted], *rest, session_hash="ann")
            assert told.startswith("event: error"), posted
            assert "Traceback" not in told
    assert "event: complete" in server.call(endpoint, [mine], *rest, session_hash="ann")


def test_a_defect_of_ours_tells_no_secret(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr(server.session, "answer", broken)
    monkeypatch.setattr(server.session.store, "get", broken)
    with caplog.at_level(logging.ERROR):
        told = server.call("ask", [], "Hi?", "A", 2, 0)
        shown = server.function("shares", {"run": "x", "query": 1})
    assert "Something in this program failed" in told
    assert "Something in this program failed" in shown.json()["error"]
    assert "secret" not in told + shown.text
    assert "secret detail" in caplog.text


ANYTHING: list[Any] = [
    *(None, True, -1, 0, 10**9, 10**30, 10**400, -(10**400), 0.5, -0.0, 1e308, 5e-324, float("nan")),
    *("", "0", "²", "٣", "9" * 5000, "mean", "x" * 200_000, "\ud800", "nan", [], [0], [[]], {}, {"a": 1}),
]
GOOD: dict[str, dict[str, Any]] = {
    "ask": {"media": [], "question": "Hi?", "model": "A", "max_new_tokens": 2, "seed": 0},
    "compare": {"media": [], "question": "Hi?", "max_new_tokens": 2},
    "plan": {
        **{"media": [], "preset": "Qwen2-VL-2B", "min_pixels": None, "max_pixels": None},
        **{"fps": None, "nframes": None, "text": ""},
    },
    "attention": {"run": None, "site": "language", "query": 5, "layer": 0, "head": "mean", "media": 0},
}


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", list(GOOD))
def test_no_argument_whatever_finds_a_fault_of_ours(server: Server, endpoint: str, run_id: str) -> None:
    good = GOOD[endpoint] | ({"run": run_id} if endpoint == "attention" else {})
    for name, value in ((name, value) for name in good for value in ANYTHING):
        told = server.call(endpoint, *{**good, name: value}.values())
        assert "Something in this program failed" not in told, (name, value)
        assert "Traceback" not in told, (name, value)
        assert told.startswith(("event: complete", "event: error", "event: heartbeat")), (name, value)
        assert len(told) < 20_000 or "event: complete" in told, (name, value)


@pytest.mark.parametrize(
    ("endpoint", "argument", "value", "sentence"),
    [
        ("ask", "max_new_tokens", None, "max_new_tokens must be a whole number from 1 to 2,048"),
        ("plan", "fps", 10**400, "fps must be a number from 1e-06 to 1e+06"),
        ("plan", "max_pixels", (1 << 26) + 1, "max_pixels must be a whole number from 1 to 67,108,864"),
        ("plan", "text", "x" * 100_001, "text has 100,001 characters and 100,000 is the most"),
        ("plan", "media", ["data:image/png;base64,"] * 17, "17 files and 16 is the most"),
        ("attention", "head", "²", "head is a number or 'mean', not "),
        ("attention", "head", "9" * 5000, "head is a number or 'mean', not "),
        ("attention", "media", 3, "This run has no picture"),
    ],
)
def test_a_number_is_capped_where_it_enters(
    server: Server, client: Client, endpoint: str, argument: str, value: Any, sentence: str
) -> None:
    good = GOOD[endpoint]
    if endpoint == "attention":  # of a run without a picture
        good = good | {"run": client.predict([], "Hello?", "B", 2, 0, api_name="/ask")["run"]}
    told = server.call(endpoint, *{**good, argument: value}.values())
    assert sentence in told


# --- the inspector's functions ---


@pytest.fixture(scope="module")
def run_id(client: Client, pictures: list[Path]) -> str:
    return client.predict([handle_file(pictures[0])], "What is this?", "A", 4, 0, api_name="/ask")["run"]


def test_the_functions_are_the_inspectors(server: Server) -> None:
    assert sorted(function.__name__ for function in server_functions(server.session)) == NAMES


def test_every_function_answers_over_http(server: Server, run_id: str) -> None:
    query = server.session.store.get(run_id).run.answer_start
    asked: dict[str, dict[str, Any]] = {
        "run": {},
        "map": {"query": query, "why": True, "layer": 1, "head": 2, "media": 0},
        "shares": {"query": query, "why": True},
        "adapter": {"media": 0, "query": 12, "head": "mean"},
        "adapter_sheet": {"media": 0, "head": 0},
        "picture": {"media": 0, "side": 64},
        "resized": {"media": 0},
        "figure": {"name": "positions_3d"},
    }
    for name, values in asked.items():
        answer = server.function(name, {"run": run_id, **values})
        assert answer.status_code == 200, name
        assert "error" not in answer.json(), (name, answer.text[:300])
    assert server.function("run", {"run": run_id}).json()["id"] == run_id


ODD: list[Any] = [
    *(None, "x", 5, [], [1, 2], {}, {"run": None}, {"run": "invented"}, {"run": ["a"]}, {"run": {}}, {"run": 1e308}),
    *({"run": "../../etc/passwd"}, {"run": "x" * 100_000}, {"name": "invented"}, {"name": ["shapes"]}),
]


@pytest.mark.parametrize("name", NAMES)
def test_an_invented_id_or_a_wrong_shape_is_one_sentence(server: Server, name: str) -> None:
    for asked in ODD:
        answer = server.function(name, asked)
        assert answer.status_code == 200
        assert list(answer.json()) == ["error"]
        assert "Traceback" not in answer.text
        assert len(english(answer.json()["error"])) < 200


# A run's id, or a name, is all that these take.
WITHOUT_NUMBERS = ("run", "example", "pipeline", "position_facts", "adapter_code", "lens")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_NUMBERS])
def test_a_wrong_number_for_a_real_run_is_one_sentence(server: Server, run_id: str, name: str) -> None:
    good = {"run": run_id, "query": 5, "media": 0, "patch": 3, "layer": 0, "head": 0, "side": 64}
    spoilt = {"shares": "query", "figure": "name"}.get(name, "media")
    for value in (-1, 10**6, 10**300, "0", 0.5, True, [0], {"a": 1}, None):
        answer = server.function(name, {**good, spoilt: value})
        assert answer.status_code == 200, (name, value)
        assert list(answer.json()) == ["error"], (name, value)


def test_pictures_come_scaled_and_resized(server: Server, run_id: str) -> None:
    shown = {
        name: _size(server.function(name, {"run": run_id, "media": 0, "side": 64})) for name in ("picture", "resized")
    }
    side = server.session.pipeline("A").config.vision.image_size
    assert shown == {"picture": (64, 26), "resized": (side, side)}


def _size(answer: httpx.Response) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(answer.json()["picture"].split(",")[1]))).size


def test_the_whole_page_publishes_these_endpoints_and_no_other(tiny_session: Session) -> None:
    from app.page.page import build

    described = build(tiny_session).get_api_info()
    assert sorted(described["named_endpoints"]) == ["/ask", "/attention", "/compare", "/plan"]
    assert described["unnamed_endpoints"] == {}


def test_counting_does_not_wait_for_answers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(*_: Any) -> str:
        begun.release()
        assert go_on.wait(60)
        raise PromptError("never answered")

    monkeypatch.setattr(server.session, "answer", slow)
    url = f"{server.url}gradio_api/call/ask"
    for number in range(6):
        httpx.post(url, json={"data": [[], "Hi?", "A", 2, 0], "session_hash": f"visitor {number}"})
    assert all(begun.acquire(timeout=60) for _ in range(4))  # as many as are answered at once
    try:
        assert "event: complete" in server.call("plan", [], "Qwen2-VL-2B", *UNSAID)
    finally:
        go_on.set()
