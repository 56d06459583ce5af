"""Mean attention distances against sums written out patch by patch."""

from __future__ import annotations

import math

import pytest
import torch

from qwenvl.distances import distances_from, even_distance, vision_distances
from tests.support.tiny import SPOKEN, TINY, one_picture, tiny


def test_distances_are_between_centres_of_patches() -> None:
    assert distances_from(4, 2, 3).tolist() == pytest.approx([math.sqrt(2), 1.0, math.sqrt(2), 1.0, 0.0, 1.0])


def test_an_even_row_of_two_patches() -> None:
    assert even_distance(1, 2) == 0.5


@pytest.mark.parametrize("name", TINY)
def test_each_layer_and_head_is_the_weighted_mean(name: str) -> None:
    run = tiny(name).run(one_picture(), answer=SPOKEN)
    found = vision_distances(run, queries=5)
    _, rows, columns = run.media[0].patch_grid
    assert found.shape == (run.num_layers("vision"), run.num_heads("vision"))
    chosen = [round(index * (rows * columns - 1) / 4) for index in range(5)]
    for layer, head in ((0, 0), (3, 1)):
        total = 0.0
        for query in chosen:
            row = run.attention("vision", media=0, layer=layer, query=query, head=head).tolist()
            places = [divmod(key, columns) for key in range(rows * columns)]
            here = divmod(query, columns)
            total += sum(weight * math.dist(here, place) for weight, place in zip(row, places, strict=True))
        assert float(found[layer, head]) == pytest.approx(total / 5, rel=1e-5)


def test_few_patches_are_all_taken() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer=SPOKEN)
    assert torch.isfinite(vision_distances(run, queries=10_000)).all()
