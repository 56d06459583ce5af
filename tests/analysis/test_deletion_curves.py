"""Deletion and insertion against pictures painted one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from qwenvl.analysis.deletion_curves import Curve, Curves, deletion_curves
from qwenvl.analysis.regions import cells_mask
from qwenvl.analysis.row_statistics import own_map
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from tests.support.tiny import SPOKEN, TINY, mixed_run, one_picture, tiny


@pytest.fixture(params=TINY, scope="module")
def run(request: pytest.FixtureRequest) -> Run:
    return tiny(request.param).run(one_picture(), answer=SPOKEN)


@pytest.fixture(scope="module")
def told(run: Run) -> list[Curves]:
    return list(run.deletion_curves(run.answer_start + 1, layer=1, head=0, steps=4, seeds=2))


def test_the_ends_are_the_plain_and_the_fully_painted_probability(run: Run, told: list[Curves]) -> None:
    last = told[-1]
    everything = run.painted(run.answer_start + 1, np.ones((84, 56), dtype=bool)).after
    for curve in (last.falling, last.rising, *last.random):
        assert (curve.painted[0], curve.painted[-1]) == (0, 1)
        assert curve.probability[0] == last.plain == pytest.approx(run.probability(run.answer_start + 1), rel=1e-5)
        assert curve.probability[-1] == last.empty == pytest.approx(everything, rel=1e-5)
        assert len(curve.painted) == 5
    assert last.insertion.probability == last.rising.probability[::-1]
    assert last.insertion.painted[0] == 0
    assert last.insertion.probability[0] == pytest.approx(everything, rel=1e-5)


def test_a_step_is_the_picture_without_the_cells_of_the_largest_values(run: Run, told: list[Curves]) -> None:
    grid = run.media[0].patch_grid if "adapter" in run.sites else run.media[0].token_grid
    values = own_map(run, query=run.answer_start, layer=1, head=0).flatten()
    assert told[-1].cells == len(values)
    order = sorted(range(len(values)), key=lambda cell: (-float(values[cell].double()), cell))
    count = round(len(values) / 4)
    for curve, chosen in ((told[-1].falling, order[:count]), (told[-1].rising, order[::-1][:count])):
        mask = cells_mask(run.media[0].size, grid, chosen)
        assert curve.probability[1] == pytest.approx(run.painted(run.answer_start + 1, mask).after, rel=1e-5)
        assert curve.painted[1] == count / len(values)


def test_progress_counts_up_and_every_report_goes_further(told: list[Curves]) -> None:
    assert [one.done for one in told] == list(range(len(told)))
    assert told[-1].finished
    assert not told[-2].finished
    assert told[-1].total == 3 * 4
    assert {one.total for one in told} == {12}
    lengths = [sum(len(c.painted) for c in (one.falling, one.rising, *one.random)) for one in told]
    assert all(before < after for before, after in pairwise(lengths))


def test_the_same_again_is_the_same_bit_for_bit(run: Run, told: list[Curves]) -> None:
    again = list(deletion_curves(run, run.answer_start + 1, layer=1, head=0, steps=4, seeds=2))
    assert again[-1] == told[-1]
    assert told[-1].random[0] != told[-1].random[1]


def test_areas_are_trapezoids() -> None:
    curve = Curve((0.0, 0.25, 1.0), (0.8, 0.4, 0.0))
    assert curve.area == pytest.approx(0.25 * 0.6 + 0.75 * 0.2)
    assert curve.backwards() == Curve((0.0, 0.75, 1.0), (0.0, 0.4, 0.8))
    assert curve.backwards().area == pytest.approx(curve.area)


def test_values_of_ones_own_are_taken_on_either_grid() -> None:
    run = mixed_run(TINY[1])
    index = run.answer_start
    for grid in (run.media[2].patch_grid, run.media[2].token_grid):
        values = torch.arange(grid[1] * grid[2])
        *_, last = run.deletion_curves(index, values, media=2, steps=1, seeds=0)
        assert last.cells == len(values)
    with pytest.raises(RunError, match="has 40 or 10 values"):
        run.deletion_curves(index, torch.zeros(7), media=2)


def test_no_work_without_bound(run: Run) -> None:
    for wrong in ({"steps": 0}, {"steps": 51}, {"seeds": 21}, {"fill": "pink"}):
        with pytest.raises(RunError, match="1 to 50 steps, 0 to 20 seeds"):
            run.deletion_curves(run.answer_start, **wrong)
