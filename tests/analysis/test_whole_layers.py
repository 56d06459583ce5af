"""Every row of a layer at once is every row asked for by itself."""

from __future__ import annotations

import pytest
import torch

from qwenvl.analysis import whole_layers
from qwenvl.analysis.whole_layers import whole_layer
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from tests.support.tiny import TINY, mixed_run


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@pytest.mark.parametrize("head", [None, "mean", 1])
def test_a_language_layer_is_its_rows(run: Run, head: int | str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_layers, "ROWS_AT_ONCE", 7)
    found = run.attention("language", query=None, layer=1, head=head)  # type: ignore[arg-type]
    count = len(run.tokens)
    assert found.shape == (*([run.num_heads("language")] if head is None else []), count, count)
    assert found.dtype == torch.float32
    for query in range(0, count, 5):
        row = run.attention("language", query=query, layer=1, head=head)  # type: ignore[arg-type]
        torch.testing.assert_close(found[..., query, : query + 1], row, atol=1e-5, rtol=0)
        assert not found[..., query, query + 1 :].any()


def test_patches_and_adapter_queries_see_their_own_segment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_layers, "ROWS_AT_ONCE", 5)
    for media, item in enumerate(run.media):
        for site in run.sites:
            if site == "language":
                continue
            layer = None if site == "adapter" else 0
            found = run.attention(site, query=None, layer=layer, media=media)
            assert found.shape[-1] == item.patch_grid[1] * item.patch_grid[2]
            torch.testing.assert_close(found.sum(-1), torch.ones(found.shape[:-1]), atol=1e-5, rtol=0)
            for query in {0, 3, found.shape[1] // 2, found.shape[1] - 1}:
                row = run.attention(site, query=query, layer=layer, media=media)
                torch.testing.assert_close(found[:, query], row, atol=1e-5, rtol=0)


def test_what_is_too_large_says_what_would_do(run: Run) -> None:
    with pytest.raises(RunError, match=r"All rows of this layer take \d+ MiB and 0 are allowed: ask for one head"):
        whole_layer(run, "language", layer=0, max_bytes=1000)
    with pytest.raises(RunError, match="does not exist"):
        run.attention("language", query=None, layer=99)
    with pytest.raises(RunError, match="There is no site"):
        run.attention("nowhere", query=None, layer=0)
