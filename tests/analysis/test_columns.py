"""Columns against the rows they are made of, gathered one by one."""

from __future__ import annotations

import pytest
import torch

from qwenvl.analysis.columns import place_reading, reading
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.recorded import maps
from tests.support.tiny import TINY, mixed_run


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@pytest.fixture(autouse=True)
def _few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a column is put together from several pieces, as those of a long run are."""
    monkeypatch.setattr(maps, "CHUNK", 20_000)


@pytest.mark.parametrize("head", [None, "mean", 1])
def test_a_tokens_column_is_its_weight_in_every_later_row(run: Run, head: int | str | None) -> None:
    for key in (0, 7, len(run.tokens) - 1):
        found = run.column("language", key=key, layer=2, head=head)
        rows = [run.attention("language", layer=2, query=query, head=head) for query in range(key, len(run.tokens))]
        expected = torch.stack([row[..., key] for row in rows], dim=-1)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_column_of_all_layers_is_their_mean(run: Run) -> None:
    layers = [run.column("language", key=3, layer=layer) for layer in range(run.num_layers("language"))]
    found = run.column("language", key=3, layer="mean")
    torch.testing.assert_close(found, torch.stack(layers).mean(dim=0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("media", [0, 1, 2])
def test_a_patchs_column_of_the_tower_is_of_its_own_segment(run: Run, media: int) -> None:
    t, h, w = run.media[media].patch_grid
    key = (t - 1) * h * w + w + 1
    found = run.column("vision", media=media, key=key, layer=1, head=0)
    first = (t - 1) * h * w
    rows = [run.attention("vision", media=media, layer=1, query=first + query, head=0) for query in range(h * w)]
    torch.testing.assert_close(found, torch.stack([row[key - first] for row in rows]), atol=1e-5, rtol=0)


def test_a_patchs_column_of_the_adapter_is_what_each_query_reads_of_it() -> None:
    run = mixed_run(TINY[0])
    found = run.column("adapter", media=1, key=1024 + 40)
    matrix = torch.stack([run.attention("adapter", media=1, query=256 + query)[:, 40] for query in range(256)], dim=-1)
    torch.testing.assert_close(found, matrix, atol=1e-5, rtol=0)


def test_what_rows_give_to_cells_is_the_sum_of_their_maps(run: Run) -> None:
    for media, cells in ((0, [2]), (1, [0, 5]), (2, [1, 3, 4])):
        found = place_reading(run, cells, layer=1, head=2, media=media)
        assert found.shape == (len(run.tokens),)
        for query in (0, 20, run.answer_start - 1, len(run.tokens) - 1):
            chosen = {"query": query, "layer": 1, "head": 2, "media": media}
            values = run.image_map(**chosen).flatten() if "adapter" in run.sites else run.token_weights(**chosen)
            assert float(found[query]) == pytest.approx(float(values[cells].sum()), abs=1e-5)


def test_nothing_weighed_is_nothing_read(run: Run) -> None:
    assert not reading(run, torch.zeros(len(run.tokens)), layer=0).any()


def test_a_key_that_is_none_is_one_sentence(run: Run) -> None:
    with pytest.raises(RunError, match="Token 9999 does not exist"):
        run.column("language", key=9999, layer=0)
    with pytest.raises(RunError, match="Patch -1 does not exist"):
        run.column("vision", key=-1, layer=0)
    with pytest.raises(RunError, match="Language layer 99 does not exist"):
        run.column("language", key=0, layer=99)


def test_qwen2_vl_has_no_column_of_an_adapter() -> None:
    with pytest.raises(RunError, match="merges four patches"):
        mixed_run(TINY[1]).column("adapter", key=0)
