"""Computes through which layers information travels between groups of tokens: attention knockout in a moving window.

In a window of neighbouring layers the rows of one group do not see the keys of another, the same answer is told again,
and the relative change of each word's probability, (p' - p) / p, is drawn over the window's middle: where it falls,
what the one group passes to the other is needed (Zhang et al., 2024, "From redundancy to relevance", 2411.18620;
Neo et al., 2024, 2411.17491, do the same with single tokens). What a knockout does not change may still travel by
another way, or in layers outside the window.

The language model alone is run again: what enters it is kept from one pass, since pictures are not touched.

```python
*_, found = run.flow(width=1)  # or one after each pass, to draw while it is computed
first = {" → ".join(pair): curve[:, 0].numpy() for pair, curve in zip(found.pairs, found.change)}
viz.flow_curves([first], titles=[run.card.name], subtitles=[f"{found.words[0]}, {found.width} layer"])
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.models.trace import Hidden
from qwenvl.plan.flops import count_flops
from qwenvl.recorded.indices import check_index, check_indices
from qwenvl.recorded.rows import RunRows

Group = Literal["image", "region", "question", "answer", "last"]
Pair = tuple[Group, Group]
GROUPS: tuple[Group, ...] = ("image", "region", "question", "answer", "last")
PAIRS: tuple[Pair, ...] = (("image", "question"), ("image", "last"), ("question", "last"))
REGION_PAIRS: tuple[Pair, ...] = (("region", "question"), ("region", "last"))
BATCH_TOKENS = 512  # re-tellings share a pass while they have no more tokens together; see `flow`


@dataclass(frozen=True)
class Flow:
    """The curves of one run.

    Attributes:
        pairs: (from, to): the keys that are hidden, and the rows that do not see them.
        layers: the middle of each window.
        width: layers in a window; at the ends those of them that there are.
        words: the words of the answer.
        before: float64 (words,), the probability of each word as it was said, the product of its tokens'.
        after: float64 (pairs, windows, words), with the pair cut in the window; not a number where not yet computed.
        done: windows of all pairs that are computed.
    """

    pairs: tuple[Pair, ...]
    layers: tuple[int, ...]
    width: int
    words: tuple[str, ...]
    before: Tensor
    after: Tensor
    done: int

    @property
    def change(self) -> Tensor:
        """(p' - p) / p: float64 (pairs, windows, words); -1 where nothing of the word's probability is left."""
        return self.after / self.before - 1

    @property
    def finished(self) -> bool:
        """Whether every window is computed."""
        return self.done == len(self.pairs) * len(self.layers)


def usual_width(num_layers: int) -> int:
    """The paper's window, 9 of 32 layers, at another depth: odd, at least 1."""
    nearest = round(num_layers * 9 / 32)
    return max(1, nearest - (nearest % 2 == 0))


def flow(
    run: RunRows,
    *,
    pairs: Sequence[Pair] | None = None,
    region: Sequence[int] | None = None,
    media: int | None = None,
    width: int | None = None,
    batch: int | None = None,
) -> Iterator[Flow]:
    """Cut each pair in each window, and tell the answer again.

    Args:
        pairs: (from, to), each "image", "region", "question", "answer" (the rows of what was said) or "last" (the row
            that predicts the first word); None for image to question, image to last and question to last, and with a
            region also region to question and region to last.
        region: visual tokens of `media`, counted from 0.
        media: "image" is this media's visual tokens; None for all media.
        width: layers of a window, odd; None for 9 of 32, 1 of 4.
        batch: re-tellings a forward pass; None for as many as are faster together: up to `BATCH_TOKENS` tokens.

    Yields:
        `Flow` after each forward pass, the last one finished. Stop reading to stop the work.

    Raises:
        RunError: no answer, no such media, token or group, groups that share a token or have none, a width that is no
            odd number of layers, or a run without its pipeline.
    """
    groups = token_groups(run, region=region, media=media)
    chosen = tuple(pairs) if pairs is not None else PAIRS + (REGION_PAIRS if region is not None else ())
    for pair in chosen:
        _check_pair(pair, groups)
    count, wide = run.num_layers("language"), _check_width(width, run.num_layers("language"))
    if run.pipeline is None:
        raise RunError("To tell the answer again the model's weights are needed; load the run with its pipeline.")
    run.answer_place(run.answer_start)
    cuts = [(pair, layer) for pair in chosen for layer in range(count)]
    size = check_index(batch, 1025, "batch") if batch is not None else max(1, BATCH_TOKENS // len(run.tokens))
    return _curves(run, groups, cuts, wide, max(1, size))


def _curves(
    run: RunRows, groups: dict[Group, list[int]], cuts: list[tuple[Pair, int]], width: int, size: int
) -> Iterator[Flow]:
    assert run.pipeline is not None
    count = run.num_layers("language")
    pairs = tuple(dict.fromkeys(pair for pair, _ in cuts))
    teller = run.pipeline.reteller(run)
    before = _words(run, teller.logits([])[0])
    after = torch.full((len(cuts), len(run.words)), torch.nan, dtype=torch.float64)
    texts = tuple("".join(run.tokens[token].text for token in word) for word in run.words)
    for start in range(0, len(cuts), size):
        some = cuts[start : start + size]
        logits = teller.logits([_cut(groups, pair, layer, width, count) for pair, layer in some])
        for row in range(len(some)):
            after[start + row] = _words(run, logits[row])
        shaped = after.clone().view(len(pairs), count, -1)
        yield Flow(pairs, tuple(range(count)), width, texts, before, shaped, start + len(some))


def flow_seconds(run: RunRows, *, pairs: int = len(PAIRS)) -> float:
    """About how long `flow` takes: a pass of the language model per pair and layer, at the pace of the replay.

    0 where the run was not timed, or has no pipeline.
    """
    replay, language = run.seconds.get("replay"), run.parts.get("language")
    if run.pipeline is None or not replay:
        return 0.0
    if "read" in run.seconds or language is None:  # the part was timed over the prompt alone, or not at all
        work = count_flops(run.config, run.media, len(run.tokens))
        language = replay * work["language"] / max(1, sum(work.values()))
    return replay + pairs * run.num_layers("language") * language


def token_groups(
    run: RunRows, *, region: Sequence[int] | None = None, media: int | None = None
) -> dict[Group, list[int]]:
    """The tokens of each group; those of no token are left out."""
    places = range(len(run.tokens))
    image = [place for place in places if run.tokens[place].media is not None]
    if media is not None:
        image = run.visual[run.check_media(media)].tolist()
    found: dict[Group, list[int]] = {
        "image": image,
        "question": [place for place in places if run.tokens[place].section == "question"],
        "answer": [*range(run.answer_start, len(run.tokens))],
        "last": [run.answer_start - 1],
    }
    if region is not None:
        index = run.check_media(0 if media is None else media)
        item = run.media[index]
        chosen = check_indices(region, item.num_tokens, "visual token", owner=item.name)
        found["region"] = run.visual[index][list(chosen)].tolist()
    return {name: tokens for name, tokens in found.items() if tokens}


def _check_pair(pair: Pair, groups: dict[Group, list[int]]) -> None:
    if len(pair) != 2 or any(name not in GROUPS for name in pair):
        raise RunError(f"{pair!r} is no pair of groups; name two of {', '.join(GROUPS)}.")
    for name in pair:
        if name not in groups:
            raise RunError(f"This run has no token of the group {name!r}; leave out the pairs that name it.")
    keys, rows = (set(groups[name]) for name in pair)
    if keys & rows:
        raise RunError(f"The groups {pair[0]!r} and {pair[1]!r} share tokens; a row would not see itself.")


def _check_width(width: int | None, layers: int) -> int:
    wide = usual_width(layers) if width is None else check_index(width, 2 * layers, "window of layers")
    if wide % 2 == 0:
        raise RunError(f"A window of {wide} layers has no middle; choose an odd number.")
    return wide


def _cut(
    groups: dict[Group, list[int]], pair: Pair, layer: int, width: int, count: int
) -> tuple[Sequence[int], Hidden]:
    """The layers of a window, and what does not meet in them."""
    layers = range(max(0, layer - width // 2), min(count, layer + width // 2 + 1))
    return layers, Hidden(frozenset(groups[pair[1]]), frozenset(groups[pair[0]]))


def _words(run: RunRows, logits: Tensor) -> Tensor:
    """The probability of every word under logits (answer tokens, vocab): float64 (words,)."""
    ids = torch.tensor([token.id for token in run.tokens[run.answer_start :]], dtype=torch.int64)
    own = logits.double().log_softmax(-1).gather(1, ids[:, None])[:, 0]
    spans = [[token - run.answer_start for token in word] for word in run.words]
    return torch.stack([own[span].sum().exp() for span in spans]) if spans else own.new_zeros(0)
