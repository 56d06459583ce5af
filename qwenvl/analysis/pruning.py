"""Tests what an answer would lose if visual tokens were dropped after a layer of the language model.

Tokens are ranked, and the lowest of them hidden from every other row in all later layers: exactly what those rows
would compute if the tokens were gone, for a decoder's row knows of a token only by its keys and values. Ranked by the
weight of the last row of the prompt at that layer (Chen et al., 2024, "FastV", 2403.06764), by what each received in
the tower's last layer but one (after Yang et al., 2024, "VisionZip", 2412.04467; Qwen-VL: pulled through its adapter),
or at random. A real implementation would also save the memory of the keys and values; nothing is dropped here.

```python
found = {name: run.pruned(ranking=name, layer=1) for name in ("row", "tower", "random")}
curves = {name: (one.shares, one.probabilities) for name, one in found.items()}
viz.deletion_curves({f"dropped after layer 1: {run.answer}": curves})
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.integers import as_integer
from qwenvl.models.config import Config
from qwenvl.models.trace import Hidden
from qwenvl.plan.flops import count_flops
from qwenvl.recorded.indices import check_index
from qwenvl.recorded.maps import row_chunks
from qwenvl.recorded.rows import RunRows

Ranking = Literal["row", "tower", "random"]
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
MOST_SHARES = 100


@dataclass(frozen=True)
class Pruning:
    """An answer told again with ever more visual tokens dropped.

    Attributes:
        ranking: how they were ranked.
        layer: after which they are dropped.
        shares: of all visual tokens, what is dropped.
        dropped: for each share the tokens, as indices into `run.tokens`, the lowest first.
        probabilities: of the whole answer, at each share.
        kept: whether every token of the answer would still be the likeliest where it stands.
        saved: share of the language model's operations in a pass over prompt and answer that dropping would save.
    """

    ranking: Ranking
    layer: int
    shares: tuple[float, ...]
    dropped: tuple[tuple[int, ...], ...]
    probabilities: tuple[float, ...]
    kept: tuple[bool, ...]
    saved: tuple[float, ...]


def pruned(
    run: RunRows, *, ranking: Ranking = "row", layer: int, shares: Sequence[float] = SHARES, seed: int = 0
) -> Pruning:
    """Drop the lowest of the visual tokens after a layer, and tell the answer again.

    Args:
        ranking: "row", "tower" or "random"; see this module.
        layer: of the language model, any but its last; for "row" the one whose row ranks.
        shares: of the visual tokens, each 0 to 1.
        seed: of "random".

    Raises:
        RunError: no answer, no picture, no such layer or ranking, a share out of range, or no pipeline.
    """
    run.answer_place(run.answer_start)
    run.check_media(0)
    if run.pipeline is None:
        raise RunError("To tell the answer again the model's weights are needed; load the run with its pipeline.")
    layers = run.num_layers("language")
    layer = check_index(layer, layers - 1, "language layer", owner="what stands before this model's last")
    if not 1 <= len(shares) <= MOST_SHARES or not all(0 <= share <= 1 for share in shares):
        raise RunError(f"Shares are 1 to {MOST_SHARES} numbers from 0 to 1; these are {list(shares)[:5]}.")
    order = _order(run, ranking, layer, seed)
    dropped = [tuple(order[: round(share * len(order))]) for share in shares]
    teller, scores = run.pipeline.reteller(run), []
    for gone in dropped:
        rows = frozenset(range(len(run.tokens))) - frozenset(gone)
        scores.append(_score(run, teller.logits([(range(layer + 1, layers), Hidden(rows, frozenset(gone)))])[0]))
    return Pruning(
        ranking=ranking,
        layer=layer,
        shares=tuple(float(share) for share in shares),
        dropped=tuple(dropped),
        probabilities=tuple(probability for probability, _ in scores),
        kept=tuple(kept for _, kept in scores),
        saved=tuple(_saved(run.config, len(run.tokens), len(gone), layers - layer - 1) for gone in dropped),
    )


def token_scores(run: RunRows, ranking: Ranking, layer: int, seed: int = 0) -> Tensor:
    """What the visual tokens are ranked by, float32 (visual tokens of all media in the order of the prompt)."""
    if ranking == "row":
        row = run.attention("language", layer=layer, query=run.answer_start - 1, head="mean").cpu()
        return row[_places(run)]
    if ranking == "tower":
        return torch.cat([_received(run, media) for media in range(len(run.media))])
    if ranking == "random":
        if as_integer(seed) is None:
            raise RunError(f"A seed of {seed!r} is no whole number.")
        return torch.rand(len(_places(run)), generator=torch.Generator().manual_seed(int(seed)))
    raise RunError(f"There is no ranking {ranking!r}; choose 'row', 'tower' or 'random'.")


def _order(run: RunRows, ranking: Ranking, layer: int, seed: int) -> list[int]:
    """The visual tokens, those that go first first."""
    return _places(run)[token_scores(run, ranking, layer, seed).argsort(stable=True)].tolist()


def _places(run: RunRows) -> Tensor:
    return torch.cat([run.visual[media] for media in range(len(run.media))])


def _received(run: RunRows, media: int) -> Tensor:
    """What each visual token of a media received of all rows of its tower's last layer but one, (tokens,)."""
    q, k = run.taps("vision", max(0, run.num_layers("vision") - 2))
    item = run.media[media]
    frames, rows, columns = item.patch_grid
    area, heads = rows * columns, q.shape[1]
    sums = torch.zeros(frames, area)
    for frame in range(frames):
        for some in row_chunks(range(frame * area, (frame + 1) * area), heads * area):
            sums[frame] += run.maps.vision_rows(q, k, media, some).mean(dim=0).sum(dim=0).cpu()
    if "adapter" in run.sites:
        matrices = run.adapter_matrices(media, "mean")
        return torch.cat([matrix @ part for matrix, part in zip(matrices, sums, strict=True)])
    size = rows // item.token_grid[1]
    return sums.view(frames, rows // size, size, columns // size, size).sum(dim=(2, 4)).flatten()


def _score(run: RunRows, logits: Tensor) -> tuple[float, bool]:
    """The probability of the whole answer, and whether each of its tokens is the likeliest."""
    ids = torch.tensor([token.id for token in run.tokens[run.answer_start :]], dtype=torch.int64)
    own = logits.double().log_softmax(-1).gather(1, ids[:, None]).sum()
    return float(own.exp()), bool((logits.argmax(-1) == ids).all())


def _saved(config: Config, tokens: int, gone: int, layers: int) -> float:
    """Share of the language model's operations that so many layers save with so many tokens gone."""
    whole, fewer = (count_flops(config, [], count)["language"] for count in (tokens, tokens - gone))
    return (whole - fewer) * layers / config.language.num_blocks / whole  # the head, in both, goes out
