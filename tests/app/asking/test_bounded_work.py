"""Bounded work: one piece a key, the newest first, few at once, and none that nobody looks at."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from app.asking.bounded_work import Turns, Walks
from qwenvl.errors import RunError


def wait_for(condition: object) -> None:
    for _ in range(12_000):  # a minute, for a busy machine
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.005)
    raise AssertionError("nothing came of it")


def test_of_those_that_wait_for_a_key_only_the_newest_gets_a_turn() -> None:
    turns, done, refused = Turns(), list[int](), list[int]()

    def work(number: int) -> None:
        try:
            with turns.turn("run"):
                done.append(number)
        except RunError:
            refused.append(number)

    threads = []
    with turns.turn("run"):
        for number in range(5):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_for(lambda number=number: len(refused) == number)  # each newcomer sends the last one away
        with turns.turn("another run"):
            assert done == []
    for thread in threads:
        thread.join(60)
    assert (done, sorted(refused)) == ([4], [0, 1, 2, 3])


def test_no_more_than_so_many_at_once() -> None:
    turns, busy, most = Turns(most=2), list[int](), list[int]()
    together = threading.Barrier(2, timeout=60)  # each waits for another inside

    def work(number: int) -> None:
        with turns.turn(number):
            busy.append(number)
            together.wait()
            most.append(len(busy))
            together.wait()
            busy.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 6
    assert max(most) == 2


def steps(gate: threading.Event, count: int = 1000) -> Iterator[int]:
    for step in range(count):
        yield step
        gate.wait(0.01)


def test_a_walk_goes_on_until_its_end_and_is_remembered() -> None:
    walks, gate = Walks(), threading.Event()
    gate.set()
    walk = walks.start("run", "map", lambda: steps(gate, 5))
    wait_for(lambda: walk.ended)
    assert (walk.last, walk.stopped, walk.error) == (4, False, None)
    assert walks.start("run", "map", lambda: steps(gate)) is walk
    assert walks.look("run") is walk
    assert walks.look("other") is None
    assert walks.stop("run") is walk
    assert not walk.stopped  # it was at its end already


def test_a_walk_stops_when_told_when_replaced_and_when_nobody_looks() -> None:
    walks, gate = Walks(patience=0.1), threading.Event()
    told = walks.start("one", "map", lambda: steps(gate))
    walks.stop("one")
    wait_for(lambda: told.ended)
    assert told.stopped
    first = walks.start("two", "map", lambda: steps(gate))
    second = walks.start("two", "another map", lambda: steps(gate))
    wait_for(lambda: first.ended)
    assert walks.look("two") is second
    wait_for(lambda: second.ended)
    assert second.stopped


def test_too_many_walks_are_refused_and_failures_are_kept() -> None:
    walks, gate = Walks(most=1), threading.Event()
    walk = walks.start("one", "map", lambda: steps(gate))
    with pytest.raises(RunError, match="1 such computations run on this server already"):
        walks.start("two", "map", lambda: steps(gate))
    walks.stop("one")
    wait_for(lambda: walk.ended)
    failed = walks.start("two", "map", lambda: iter([1 // 0]))
    wait_for(lambda: failed.ended)
    assert isinstance(failed.error, ZeroDivisionError)


def test_a_walk_whose_thread_is_ended_frees_its_place() -> None:
    def dying() -> Iterator[int]:
        yield 1
        raise SystemExit

    walks = Walks(most=1)
    for key in range(4):  # two that stayed would fill every place
        walk = walks.start(key, "map", dying)
        wait_for(lambda walk=walk: walk.ended)
        assert isinstance(walk.error, RuntimeError)


def test_ended_walks_are_forgotten_in_the_end() -> None:
    walks, gate = Walks(kept=3), threading.Event()
    gate.set()
    for key in range(10):
        walk = walks.start(key, "map", lambda: steps(gate, 1))
        wait_for(lambda walk=walk: walk.ended)
    assert walks.look(0) is None
    assert walks.look(9) is not None
