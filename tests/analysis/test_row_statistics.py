"""Statistics of a row against sums written out cell by cell."""

from __future__ import annotations

import math

import pytest
import torch

from qwenvl.analysis.row_statistics import entropy, fewest_cells, own_grid, own_map, region_share, spread_distance
from qwenvl.inference.run import Run
from tests.support.tiny import TINY, mixed_run


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@pytest.mark.parametrize("media", [0, 1, 2])
def test_each_statistic_is_its_definition(run: Run, media: int) -> None:
    query = len(run.tokens) - 1
    found = run.statistics(query, media)
    _, rows, columns = own_grid(run, media)
    width, height = run.media[media].size
    for layer, head in ((0, 0), (2, 3)):
        cells = own_map(run, query=query, layer=layer, head=head, media=media).flatten().tolist()
        total = sum(cells)
        bits = -sum(cell / total * math.log2(cell / total) for cell in cells if cell > 0)
        places = [
            ((index % columns + 0.5) * width / columns, (index // columns % rows + 0.5) * height / rows)
            for index in range(len(cells))
        ]
        middle = [sum(cell * place[axis] for cell, place in zip(cells, places, strict=True)) / total for axis in (0, 1)]
        away = sum(cell * math.dist(place, middle) for cell, place in zip(cells, places, strict=True)) / total
        row = run.attention("language", layer=layer, query=query, head=head)
        assert float(found.entropy[layer, head]) == pytest.approx(bits, rel=1e-4)
        assert float(found.distance[layer, head]) == pytest.approx(away, rel=1e-4)
        assert float(found.sinks[layer, head]) == pytest.approx(float(row[run.sinks(layer)].sum()), abs=1e-5)
    assert torch.equal(found.share, run.shares(query))
    assert found.even_entropy == pytest.approx(math.log2(len(cells)))


def test_a_row_before_the_picture_has_no_map(run: Run) -> None:
    found = run.statistics(0, 0)
    assert found.share.eq(0).all()
    assert found.entropy.isnan().all()
    assert found.distance.isnan().all()


def test_one_cell_has_no_entropy_and_no_distance() -> None:
    centres = torch.tensor([[5.0, 5.0], [15.0, 5.0]])
    assert float(entropy(torch.tensor([0.2, 0.0]))) == 0
    assert float(entropy(torch.tensor([0.2, 0.2]))) == pytest.approx(1)
    assert float(spread_distance(torch.tensor([0.2, 0.0]), centres)) == 0
    assert float(spread_distance(torch.tensor([0.2, 0.2]), centres)) == pytest.approx(5)
    assert float(spread_distance(torch.tensor([0.2, 0.2]), centres, torch.tensor([5.0, 5.0]))) == pytest.approx(5)


def test_a_map_on_its_own_cells_is_the_image_map_or_the_tokens(run: Run) -> None:
    chosen = {"query": len(run.tokens) - 1, "layer": 1, "head": 0, "media": 1}
    found = own_map(run, **chosen)
    if "adapter" in run.sites:
        torch.testing.assert_close(found, run.image_map(**chosen), atol=1e-6, rtol=1e-4)
    else:
        assert torch.equal(found.flatten(), run.token_weights(**chosen))


def test_the_fewest_cells_that_hold_a_part() -> None:
    values = torch.tensor([0.1, 0.4, 0.2, 0.3])
    assert fewest_cells(values) == [1, 3]
    assert fewest_cells(values, 0.3) == [1]
    assert fewest_cells(values, 1.0) == [1, 3, 2, 0]
    assert fewest_cells(torch.zeros(3)) == []


def test_a_region_is_the_sum_of_its_pixels() -> None:
    """Against the map spread evenly over a pixel grid that has all its lines."""
    generator = torch.Generator().manual_seed(0)
    cells = torch.rand(2, 4, 6, generator=generator)
    pixels = cells.repeat_interleave(10, dim=1).repeat_interleave(10, dim=2) / 100
    for left, top, right, bottom in ((0, 0, 60, 40), (3, 7, 28, 33), (12, 5, 14, 9), (0, 0, 1, 1), (20, 10, 20, 30)):
        box = (left / 60, top / 40, right / 60, bottom / 40)
        expected = float(pixels[:, top:bottom, left:right].double().sum())
        assert region_share(cells, box) == pytest.approx(expected, abs=1e-5)
