"""A session as the page drives it: streaming, stopping, waiting, errors, follow-ups. Pipelines here are stand-ins whose
pace the tests set; test_visitors.py asks the real tiny checkpoints."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.asking.conversation import Conversation, Settings, Turn
from app.asking.store import RunStore
from app.serving.session import Session
from qwenvl.errors import CheckpointError, MediaError, PromptError
from qwenvl.loading.hub import CHECKPOINTS

WORDS = ["a ", "cat ", "on ", "a ", "mat"]
BLINK = 20  # seconds within which a stop or a close must have let go, on a busy machine too: else it never does


class FakeRun:
    media: tuple[Any, ...] = ()
    nbytes = 10

    def __init__(self, answer: str, stopped: bool) -> None:
        self.settings: dict[str, Any] = {}
        self.answer, self.stopped = answer, stopped


class FakeStream:
    """Speaks a word each time the pipeline's gate opens."""

    def __init__(self, pipeline: FakePipeline) -> None:
        self.pipeline, self.ids, self.stopped = pipeline, list[int](), False
        self.prompt = SimpleNamespace(media=[SimpleNamespace(patch_grid=(1, 32, 32))])
        self._stop, self._said = threading.Event(), list[str]()

    def __iter__(self) -> Iterator[str]:
        with self.pipeline.lock:
            for word in WORDS:
                self.pipeline.wait(self._stop)
                if self._stop.is_set():
                    self.stopped = True
                    return
                if self.pipeline.failure:
                    raise self.pipeline.failure
                self.ids.append(len(self.ids))
                self._said.append(word)
                yield word

    def stop(self) -> None:
        self._stop.set()

    @property
    def run(self) -> FakeRun:
        self.pipeline.replays += 1
        return FakeRun("".join(self._said), self.stopped)


class FakePipeline:
    family, parameters, trained = "qwen-vl", 2_400_000, False
    config = SimpleNamespace(language=SimpleNamespace(context=2048))
    processor = SimpleNamespace(tokenizer=SimpleNamespace(piece=lambda token: b"x"), min_pixels=None, max_pixels=None)

    def __init__(self, name: str) -> None:
        self.name, self.lock, self.gate = name, threading.Lock(), threading.Semaphore(0)
        self.open, self.replays = True, 0
        self.failure: Exception | None = None
        self.asked: list[Any] = []

    def wait(self, stop: threading.Event) -> None:
        while not self.open and not stop.is_set() and not self.gate.acquire(timeout=0.01):
            pass

    def stream(self, messages: list[dict[str, Any]], **settings: Any) -> FakeStream:
        self.asked.append((messages, settings))
        return FakeStream(self)


class FakeModels:
    """A loader, and the pipelines it loaded by name."""

    def __init__(self) -> None:
        self.pipelines: dict[str, FakePipeline] = {}
        self.loads = 0
        self.failure: Exception | None = None
        self.ready = threading.Event()
        self.ready.set()

    def __call__(self, name: str) -> FakePipeline:
        if self.failure:
            raise self.failure
        self.loads += 1
        self.ready.wait(5)
        return self.pipelines.setdefault(name, FakePipeline(name))


@pytest.fixture
def models() -> FakeModels:
    models = FakeModels()
    models("one"), models("two")
    models.loads = 0
    return models


@pytest.fixture
def session(models: FakeModels) -> Session:
    return Session(("one", "two"), RunStore(), load=models)


QUESTION = Conversation().asking("What is it?", ("cat.png",))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for a minute"
        time.sleep(0.005)


# --- asking ---


def test_updates_tell_the_whole_story_in_order(session: Session) -> None:
    updates = list(session.ask("ann", "A", QUESTION))
    states = [update["state"] for update in updates]
    order = ["loading", "reading", "answering", "replaying", "done"]
    assert states[-1] == "done"
    assert [state for state in order if state in states] == sorted(set(states), key=order.index)
    assert "".join(updates[-1]["pieces"]) == "a cat on a mat"
    assert [update["progress"] for update in updates] == sorted(update["progress"] for update in updates)
    assert session.store.get(updates[-1]["run"]).run.answer == "a cat on a mat"


def test_each_update_says_what_is_being_read(session: Session, models: FakeModels) -> None:
    models.pipelines["one"].open = False
    models.ready.clear()
    asking = session.ask("ann", "A", QUESTION)
    steps = [next(asking)["step"]]
    models.ready.set()
    steps.append(next(asking)["step"])
    asking.close()
    assert steps == ["loading one", "reading the picture, 1,024 patches"]


def test_models_load_when_first_asked_and_once_for_all_threads(session: Session, models: FakeModels) -> None:
    assert models.loads == 0
    threads = [threading.Thread(target=lambda: list(session.ask("ann", "A", QUESTION))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert models.loads == 1


def test_both_models_answer_at_once(session: Session, models: FakeModels) -> None:
    for pipeline in models.pipelines.values():
        pipeline.open = False
    first, second = session.ask("ann", "A", QUESTION), session.ask("ann", "B", QUESTION)
    assert next(first)["letter"] == "A"
    assert next(second)["letter"] == "B"
    for pipeline in models.pipelines.values():
        pipeline.open = True
    assert [list(asking)[-1]["state"] for asking in (first, second)] == ["done", "done"]


def test_settings_reach_the_model_and_none_is_left_to_it(session: Session, models: FakeModels) -> None:
    list(session.ask("ann", "A", QUESTION, Settings(temperature=0.7, top_p=0.3, seed=5, max_pixels=100_000)))
    _, settings = models.pipelines["one"].asked[0]
    assert callable(settings.pop("progress"))
    expected = {"max_new_tokens": 64, "temperature": 0.7, "top_p": 0.3, "seed": 5, "max_pixels": 100_000}
    assert settings == expected


# --- stopping and leaving ---


def test_stop_keeps_what_was_said_and_its_run(session: Session, models: FakeModels) -> None:
    pipeline = models.pipelines["one"]
    pipeline.open = False
    asking = session.ask("ann", "A", QUESTION)
    next(asking)
    pipeline.gate.release(2)
    update = next(update for update in asking if len(update["pieces"]) == 2)
    session.stop("ann")
    *_, last = asking
    assert update["state"] == "answering"
    assert (last["state"], last["step"]) == ("stopped", "stopped after 2 tokens")
    assert session.store.get(last["run"]).run.answer == "a cat "


def test_stop_before_the_first_word_ends_at_once_without_a_run(session: Session, models: FakeModels) -> None:
    models.pipelines["one"].open = False
    asking = session.ask("ann", "A", QUESTION)
    next(asking)
    session.stop("ann")
    started = time.monotonic()
    *_, last = asking
    assert time.monotonic() - started < BLINK
    assert (last["state"], last["run"], last["pieces"]) == ("stopped", None, [])


def test_stop_while_the_model_loads_asks_nothing_of_it(session: Session, models: FakeModels) -> None:
    models.ready.clear()
    asking = session.ask("ann", "A", QUESTION)
    assert next(asking)["state"] == "loading"
    session.stop("ann")
    assert list(asking)[-1]["state"] == "stopped"
    models.ready.set()
    assert list(session.ask("bob", "A", QUESTION))[-1]["state"] == "done"
    assert len(models.pipelines["one"].asked) == 1


def test_stop_is_one_visitors_own(session: Session, models: FakeModels) -> None:
    models.pipelines["one"].open = False
    asking = session.ask("ann", "A", QUESTION)
    next(asking)
    session.stop("bob")
    models.pipelines["one"].open = True
    assert list(asking)[-1]["state"] == "done"


@pytest.mark.parametrize("leave", ["close", "leave"])
def test_a_visitor_who_leaves_frees_the_model_and_costs_no_replay(
    session: Session, models: FakeModels, leave: str
) -> None:
    pipeline = models.pipelines["one"]
    pipeline.open = False
    asking = session.ask("ann", "A", QUESTION)
    next(asking)
    pipeline.gate.release(1)
    next(update for update in asking if update["pieces"])
    started = time.monotonic()
    asking.close() if leave == "close" else session.leave("ann")
    assert time.monotonic() - started < BLINK
    wait_until(lambda: pipeline.lock.acquire(blocking=False))
    assert pipeline.replays == 0
    pipeline.lock.release()


def test_whoever_waits_for_another_is_told_and_can_stop(session: Session, models: FakeModels) -> None:
    pipeline = models.pipelines["one"]
    pipeline.open = False
    busy = session.ask("ann", "A", QUESTION)
    next(busy)
    pipeline.gate.release(1)
    next(update for update in busy if update["pieces"])
    waiting = session.ask("bob", "A", QUESTION)
    assert next(waiting)["step"] == "waiting: another question is being answered"
    session.stop("bob")
    assert next(waiting)["state"] == "stopped"
    pipeline.open = True
    assert list(busy)[-1]["state"] == "done"


def test_no_lock_is_held_while_a_reader_takes_its_time(session: Session, models: FakeModels) -> None:
    pipeline = models.pipelines["one"]
    pipeline.open = False
    slow = session.ask("ann", "A", QUESTION)
    next(slow)
    pipeline.open = True
    wait_until(lambda: pipeline.replays == 1)  # the work went on without the reader
    assert list(session.ask("bob", "A", QUESTION))[-1]["state"] == "done"
    assert list(slow)[-1]["state"] == "done"


# --- errors ---


def test_a_visitors_mistake_is_its_own_sentence(session: Session, models: FakeModels) -> None:
    models.pipelines["one"].failure = MediaError("cat.png is not a picture; give a PNG file.")
    (*_, last) = session.ask("ann", "A", QUESTION)
    assert last["state"] == "error"
    assert last["error"]["sentence"] == "cat.png is not a picture; give a PNG file."


def test_a_defect_of_ours_is_honest_logged_and_loses_nothing(
    session: Session, models: FakeModels, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = models.pipelines["one"]
    pipeline.open = False
    asking = session.ask("ann", "A", QUESTION)
    next(asking)
    pipeline.gate.release(2)
    next(update for update in asking if len(update["pieces"]) == 2)
    pipeline.failure, pipeline.open = KeyError("secret detail"), True
    *_, last = asking
    assert (last["state"], last["pieces"]) == ("error", ["a ", "cat "])
    assert "secret" not in str(last)
    assert "secret detail" in caplog.text
    pipeline.failure = None
    assert list(session.ask("ann", "A", QUESTION))[-1]["state"] == "done"


@pytest.mark.parametrize("failure", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you")])
def test_no_memory_says_what_to_do(session: Session, models: FakeModels, failure: Exception) -> None:
    models.pipelines["one"].failure = failure
    assert "lower max_pixels" in list(session.ask("ann", "A", QUESTION))[-1]["error"]["sentence"]


def test_a_model_that_did_not_load_is_tried_again(session: Session, models: FakeModels) -> None:
    models.failure = CheckpointError("one has no config.json.")
    assert list(session.ask("ann", "A", QUESTION))[-1]["error"]["sentence"] == "one has no config.json."
    models.failure = None
    assert list(session.ask("ann", "A", QUESTION))[-1]["state"] == "done"


@pytest.mark.parametrize(
    ("conversation", "settings", "sentence"),
    [
        (Conversation(), Settings(), "The question is empty"),
        (Conversation().asking(" \n"), Settings(), "The question is empty"),
        (Conversation().asking("x" * 100_001), Settings(), "100,001 characters"),
        (Conversation().asking("x", ("cat.png",) * 17), Settings(), "17 pictures and 16 is the most"),
        (QUESTION, Settings(max_new_tokens=0), "max_new_tokens must be a whole number from 1 to 2,048"),
        (QUESTION, Settings(temperature=float("nan")), "temperature must be a number from 0.0 to 5.0"),
        (QUESTION, Settings(seed=1.5), "seed must be a whole number"),  # type: ignore[arg-type]
        (QUESTION, Settings(top_p="hot"), "top_p must be a number"),  # type: ignore[arg-type]
        (QUESTION, Settings(min_pixels=2000, max_pixels=1000), "min_pixels must not be larger than max_pixels"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    session: Session, models: FakeModels, conversation: Conversation, settings: Settings, sentence: str
) -> None:
    (last,) = session.ask("ann", "A", conversation, settings)
    assert last["state"] == "error"
    assert sentence in last["error"]["sentence"]
    assert models.loads == 0


def test_only_the_models_on_the_page_can_be_named(session: Session) -> None:
    assert [session.letter(name) for name in ("A", "one", "two")] == ["A", "A", "B"]
    for name in ("C", "../one", None, 5, ["A"]):
        with pytest.raises(PromptError, match="choose one or two"):
            session.letter(name)


# --- conversations ---


def test_each_model_lives_through_its_own_answers(session: Session, models: FakeModels) -> None:
    asked = QUESTION.answered("A", "a cat").answered("B", "a dog").asking("Which colour?")
    for letter in "AB":
        list(session.ask("ann", letter, asked))
    histories = [models.pipelines[name].asked[0][0] for name in ("one", "two")]
    assert [[message["role"] for message in history] for history in histories] == [["user", "assistant", "user"]] * 2
    said = [history[1]["content"] for history in histories]
    assert said == [[{"type": "text", "text": text}] for text in ("a cat", "a dog")]
    assert histories[0][0]["content"][0] == {"type": "image", "image": "cat.png"}


def test_a_turn_without_an_answer_leaves_its_pictures_to_the_next() -> None:
    asked = QUESTION.answered("B", "a dog").asking("And now?", ("two.png",))
    (message,) = asked.messages("A")
    assert [part.get("image", part.get("text")) for part in message["content"]] == ["cat.png", "two.png", "And now?"]
    assert len(asked.messages("B")) == 3


def test_a_system_prompt_stands_first_and_an_empty_one_is_the_models_own() -> None:
    spoken = Conversation(system="Be brief.").asking("Why?").messages("A")
    assert spoken[0] == {"role": "system", "content": "Be brief."}
    assert Conversation(system="  ").asking("Why?").messages("A")[0]["role"] == "user"


def test_a_conversation_is_a_value() -> None:
    assert hash(QUESTION) == hash(Conversation().asking("What is it?", ["cat.png"]))
    assert QUESTION.answered("A", "x").answered("A", "y").turns == (Turn("What is it?", ("cat.png",), (("A", "y"),)),)


def test_a_finished_run_brings_its_question_back(session: Session) -> None:
    asked = Conversation(system="Be brief.").asking("What is it?", ("cat.png",))
    run_id = session.answer("ann", "A", asked, Settings(seed=3))
    conversation, settings = session.store.get(run_id).answered()
    assert conversation == asked.answered("A", "a cat on a mat")
    assert settings == Settings(seed=3)


def test_a_folder_of_the_machine_is_called_by_its_name_alone(tmp_path: Path, models: FakeModels) -> None:
    for folder in ("own/mine", "other/mine"):
        shutil.copytree(CHECKPOINTS / "tiny-qwen-vl", tmp_path / folder)
    session = Session((str(tmp_path / "own/mine"), str(tmp_path / "other/mine")), load=models)
    assert session.labels == {"A": "mine", "B": "mine (2)"}
    assert session.letter("mine (2)") == "B"
    assert str(tmp_path) not in str(session.model_cards())


def test_one_model_in_both_columns_is_told_apart_by_their_letters(models: FakeModels) -> None:
    session = Session(("one", "one"), load=models)
    assert session.labels == {"A": "one (A)", "B": "one (B)"}
    assert session.letter("one (B)") == "B"


def test_a_box_in_an_answer_is_tags_again_in_the_history() -> None:
    said = "<ref>a cat</ref><box>(1,2),(3,4)</box> sleeps"
    first = Conversation().asking("Where?").answered("A", said)
    history = first.asking("And now?").messages("A")[1]["content"]
    assert history == [
        {"type": "ref", "text": "a cat"},
        {"type": "box", "box": [1, 2, 3, 4]},
        {"type": "text", "text": " sleeps"},
    ]


@pytest.mark.parametrize("failure", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_a_thread_ends_its_question_with_a_sentence(
    session: Session, models: FakeModels, failure: BaseException
) -> None:
    models.pipelines["one"].failure = failure  # type: ignore[assignment]
    *_, last = session.ask("ann", "A", QUESTION)
    assert last["state"] == "error"
    assert last["error"] is not None
    assert "Something in this program failed" in last["error"]["sentence"]
