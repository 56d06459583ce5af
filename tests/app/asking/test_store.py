"""The shelf of finished runs: unguessable ids, budgets, least recently used first, an hour's grace, threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from app.asking.store import RunStore
from qwenvl.errors import RunError, UserError


@dataclass
class Run:
    nbytes: int


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> RunStore:
    return RunStore(visitor_bytes=100, total_bytes=250, clock=clock)


def is_kept(store: RunStore, run_id: str) -> bool:
    """Looks without using: a use would change what is dropped next."""
    return run_id in store._shelf


def test_an_id_finds_its_run_and_no_two_are_alike(store: RunStore) -> None:
    runs = [Run(1) for _ in range(40)]
    ids = [store.put("ann", run) for run in runs]
    assert len(set(ids)) == 40
    assert all(len(run_id) >= 22 for run_id in ids)  # 128 bits, base64
    assert [store.get(run_id) for run_id in ids] == runs


@pytest.mark.parametrize("run_id", ["", "x" * 22, None, 7, ["a"], {"run": 1}, "../../etc/passwd", "a" * 1_000_000])
def test_any_other_id_is_one_sentence(store: RunStore, run_id: object) -> None:
    store.put("ann", Run(1))
    with pytest.raises(RunError, match=r"^This run is no longer kept on this server: ask again to get a fresh one\.$"):
        store.get(run_id)


def test_a_full_budget_drops_the_visitors_least_recently_used_run(store: RunStore) -> None:
    first, second = store.put("ann", Run(40)), store.put("ann", Run(40))
    other = store.put("bob", Run(40))
    store.get(first)
    third = store.put("ann", Run(40))
    assert [is_kept(store, run_id) for run_id in (first, second, third, other)] == [True, False, True, True]


def test_the_budget_of_all_drops_whoever_was_away_longest(store: RunStore) -> None:
    ids = [store.put(visitor, Run(90)) for visitor in ("ann", "bob")]
    store.get(ids[0])
    last = store.put("cy", Run(90))
    assert [is_kept(store, run_id) for run_id in (*ids, last)] == [True, False, True]
    assert store.num_bytes == 180


def test_a_run_stays_an_hour_after_its_last_use(store: RunStore, clock: Clock) -> None:
    used, unused = store.put("ann", Run(1)), store.put("ann", Run(1))
    clock.now = 3000
    store.get(used)
    clock.now = 3601
    assert store.get(used)
    with pytest.raises(RunError, match="no longer kept"):
        store.get(unused)
    clock.now = 3601 + 3600.5
    with pytest.raises(RunError, match="no longer kept"):
        store.get(used)
    assert store.num_bytes == 0


def test_a_pinned_run_outlives_budgets_and_hours(store: RunStore, clock: Clock) -> None:
    example = store.pin(Run(200))
    for _ in range(10):
        store.put("ann", Run(50))
    clock.now = 1e9
    assert store.get(example) == Run(200)
    assert store.num_bytes == 200


def test_a_run_that_alone_is_over_the_budget_is_refused_and_drops_nobody(store: RunStore) -> None:
    small = store.put("ann", Run(60))
    with pytest.raises(UserError, match=r"lower max_pixels or ask about fewer pictures\.$"):
        store.put("ann", Run(101))
    assert is_kept(store, small)


def test_a_run_that_grew_makes_others_leave_and_stays_itself(store: RunStore) -> None:
    growing = Run(10)
    grown, neighbour = store.put("ann", growing), store.put("ann", Run(80))
    growing.nbytes = 60
    assert store.get(grown) is growing
    assert not is_kept(store, neighbour)
    assert store.num_bytes == 60


def test_memory_stays_bounded_over_many_visitors_and_questions(store: RunStore) -> None:
    for question in range(500):
        store.put(f"visitor {question % 50}", Run(1 + question % 70))
        assert store.num_bytes <= 250


def test_threads_lose_nothing_and_break_no_budget() -> None:
    store = RunStore(visitor_bytes=1000, total_bytes=4000)
    problems: list[BaseException] = []

    def visit(visitor: str) -> None:
        try:
            for number in range(200):
                run = Run(1 + number % 4)
                assert store.get(store.put(visitor, run)) is run
                assert store.num_bytes <= 4000
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=visit, args=(f"visitor {index}",)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
