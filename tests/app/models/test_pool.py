"""Models in memory: loaded once, let go of in the order of use, waited for when in use, brought back when needed."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.asking.failures import TooLarge
from app.models.pool import Pool
from qwenvl.errors import CheckpointError

SIZES = {"small": 10, "other": 10, "third": 10, "large": 25, "huge": 99}


class Model:
    """A pipeline that counts how often it is asked."""

    def __init__(self, name: str) -> None:
        self.name, self.asked, self.processor = name, 0, object()

    def replay(self, what: str) -> str:
        self.asked += 1
        return f"{self.name} {what}"


class Loader:
    def __init__(self) -> None:
        self.loads: list[str] = []
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, name: str, tell: Any) -> Model:
        self.loads.append(name)
        tell(3, 10)
        assert self.gate.wait(5)
        if self.failure:
            raise self.failure
        return Model(name)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def pool(loader: Loader) -> Pool:
    return Pool(loader, SIZES.__getitem__, max_bytes=30)


def used(pool: Pool, *names: str) -> None:
    for name in names:
        with pool.use(name):
            pass


def test_a_model_is_loaded_once_for_all_threads(pool: Pool, loader: Loader) -> None:
    loader.gate.clear()
    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(lambda: pool.use("small").__enter__()) for _ in range(4)]
        loader.gate.set()
        models = {id(one.result(5)) for one in found}
    assert (len(models), loader.loads, pool.num_bytes) == (1, ["small"], 10)


def test_the_least_recently_used_goes_first(pool: Pool) -> None:
    used(pool, "small", "other", "third", "small")
    used(pool, "large")
    assert [name for name in SIZES if pool.is_loaded(name)] == ["large"]
    used(pool, "small")
    assert [name for name in SIZES if pool.is_loaded(name)] == ["small"]


def test_no_more_goes_than_must(pool: Pool, loader: Loader) -> None:
    used(pool, "small", "other", "third")
    assert pool.num_bytes == 30
    loader.loads.clear()
    used(pool, "small", "other", "third")
    assert loader.loads == []
    SIZES["fourth"] = 5
    used(pool, "fourth")
    assert [name for name in ("small", "other", "third") if pool.is_loaded(name)] == ["other", "third"]


def test_what_has_gone_frees_its_memory(pool: Pool) -> None:
    with pool.use("small") as model:
        seen = weakref.ref(model)
    del model
    used(pool, "large")
    gc.collect()
    assert seen() is None


def test_a_model_in_use_stays_and_the_next_waits_for_it(pool: Pool) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(1) as threads:
        with pool.use("large"):
            waiting = threads.submit(lambda: pool.use("small", lambda what, *_: said.append(what)).__enter__())
            while "waiting" not in said:
                assert not waiting.done()
            assert pool.is_loaded("large")
            assert not pool.is_loaded("small")
        assert waiting.result(5).name == "small"
    assert not pool.is_loaded("large")


def test_what_no_one_could_hold_is_refused_with_numbers() -> None:
    gib = 1 << 30
    pool = Pool(lambda *_: pytest.fail("loaded"), lambda key: 16 * gib, max_bytes=10 * gib)
    with pytest.raises(TooLarge, match=r"take 16\.0 GiB and there is room for 10\.0 GiB: choose a smaller model"):
        used(pool, "huge")
    assert pool.num_bytes == 0


def test_a_load_that_fails_leaves_room_and_is_tried_again(pool: Pool, loader: Loader) -> None:
    loader.failure = CheckpointError("The hub is away.")
    with pytest.raises(CheckpointError, match="The hub is away"):
        used(pool, "large")
    assert (pool.num_bytes, pool.is_loaded("large")) == (0, False)
    loader.failure = None
    used(pool, "large")
    assert loader.loads == ["large", "large"]


def test_those_who_waited_for_a_load_that_fails_try_for_themselves(pool: Pool, loader: Loader) -> None:
    loader.gate.clear()
    loader.failure = CheckpointError("The hub is away.")
    with ThreadPoolExecutor(3) as threads:
        tried = [threads.submit(used, pool, "small") for _ in range(3)]
        loader.gate.set()
        assert all(isinstance(one.exception(5), CheckpointError) for one in tried)
    assert pool.num_bytes == 0


def test_everyone_who_waits_hears_of_the_download(pool: Pool) -> None:
    said: list[tuple[str, int, int]] = []
    with pool.use("small", lambda *news: said.append(news)):
        pass
    assert said == [("loading", 0, 10), ("downloading", 3, 10)]
    used(pool, "small")
    assert len(said) == 2


# --- what finished runs hold ---


def test_a_lent_model_keeps_nothing_alive_and_comes_back(pool: Pool, loader: Loader) -> None:
    with pool.use("small") as model:
        lent, seen, processor = pool.lend("small", model), weakref.ref(model), model.processor
    del model
    used(pool, "large")
    gc.collect()
    assert seen() is None
    assert (lent.name, lent.processor) == ("small", processor)
    assert loader.loads == ["small", "large"]  # what needs no weights loads none
    assert lent.replay("again") == "small again"
    assert loader.loads == ["small", "large", "small"]
    assert lent.asked == 1


def test_a_lent_model_is_in_use_while_it_works(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slowly(self: Model, what: str) -> str:
        began.set()
        assert go_on.wait(5)
        return what

    monkeypatch.setattr(Model, "replay", slowly)
    with pool.use("small") as model:
        lent = pool.lend("small", model)
    with ThreadPoolExecutor(2) as threads:
        working = threads.submit(lambda: lent.replay("a row"))
        assert began.wait(5)
        other = threads.submit(used, pool, "large")
        assert pool.is_loaded("small")
        go_on.set()
        assert working.result(5) == "a row"
        other.result(5)
    assert pool.is_loaded("large")


def test_a_lent_model_has_what_its_model_has_and_no_more(pool: Pool) -> None:
    with pool.use("small") as model:
        lent = pool.lend("small", model)
    with pytest.raises(AttributeError, match="sing"):
        lent.sing()
