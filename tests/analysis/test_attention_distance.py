"""Mean attention distances against sums written out patch by patch."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from qwenvl.analysis.attention_distance import distances_from, tower_statistics
from qwenvl.errors import RunError
from tests.support.tiny import SPOKEN, TINY, mixed_run, one_picture, tiny


def test_distances_are_between_centres_of_patches() -> None:
    assert distances_from(4, 2, 3).tolist() == pytest.approx([math.sqrt(2), 1.0, math.sqrt(2), 1.0, 0.0, 1.0])


def test_an_even_look_is_the_mean_over_all_pairs() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer=SPOKEN)
    _, rows, columns = run.media[0].patch_grid
    places = [(row, column) for row in range(rows) for column in range(columns)]
    away = [math.dist(one, two) for one in places for two in places]
    found = tower_statistics(run, queries=len(places))
    assert found.even_distance == pytest.approx(sum(away) / len(away), rel=1e-5)
    assert found.even_entropy == pytest.approx(math.log2(len(places)))


@pytest.mark.parametrize("name", TINY)
def test_each_layer_and_head_is_the_weighted_mean(name: str) -> None:
    run = tiny(name).run(one_picture(), answer=SPOKEN)
    found = tower_statistics(run, queries=5).distance
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
        assert float(found[layer, head]) == pytest.approx(total / 5, rel=1e-4)


def test_few_patches_are_all_taken() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer=SPOKEN)
    assert torch.isfinite(tower_statistics(run, queries=10_000).distance).all()


@pytest.mark.parametrize("name", TINY)
def test_entropy_and_share_on_itself_of_a_later_frame_of_a_clip(name: str) -> None:
    run = mixed_run(name)
    media = next(index for index, item in enumerate(run.media) if item.kind == "video")
    _, rows, columns = run.media[media].patch_grid
    found = tower_statistics(run, media=media, frame=1, queries=4)
    entropies, own = [], []
    for query in found.queries:
        row = run.attention("vision", media=media, layer=2, head=1, query=rows * columns + query).tolist()
        entropies.append(-sum(weight * math.log2(weight) for weight in row if weight > 0))
        own.append(row[query])
    assert float(found.entropy[2, 1]) == pytest.approx(sum(entropies) / 4, rel=1e-4)
    assert float(found.own[2, 1]) == pytest.approx(sum(own) / 4, rel=1e-4)
    assert found.even_entropy == pytest.approx(math.log2(rows * columns))
    assert found.even_distance == pytest.approx(
        sum(float(distances_from(query, rows, columns).mean()) for query in found.queries) / 4
    )


def test_a_frame_that_is_not_there_is_refused() -> None:
    with pytest.raises(RunError, match="Frame 1 does not exist"):
        mixed_run(TINY[0]).tower_statistics(media=0, frame=1)


def test_layers_that_were_not_kept_are_replayed_a_few_at_a_time() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer=SPOKEN)
    bare = replace(run, kept={}, pipeline=replace(tiny(TINY[1]), max_trace_bytes=1))
    torch.testing.assert_close(bare.tower_statistics().distance, run.tower_statistics().distance, atol=1e-5, rtol=1e-4)
