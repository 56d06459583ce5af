"""Records values inside a forward pass, rebuilds rows of attention from them, and hides keys from queries.

Knows modules by their dotted names and attention by its queries, keys and mask; nothing about pictures, tokens or
either model. No tokens x tokens array is ever kept: a row is softmax(q k^T / sqrt(head_dim)), made when somebody looks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

CHUNK_OF_KEYS = 1024  # keys made float32 at once, where they are not
CHUNKED_QUERIES = 16  # with more queries a key head the product outweighs the conversion


def reads_only(hook: Any) -> Any:
    """Mark a hook as one that changes nothing, so that it is not taken for an intervention by `left_hooks`."""
    hook.reads_only = True
    return hook


def left_hooks(model: nn.Module) -> list[str]:
    """The modules of a model with a forward hook on them that may change what it computes, by their dotted names."""

    def hooked(module: nn.Module) -> bool:
        hooks = (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
        return any(not getattr(hook, "reads_only", False) for hook in hooks)

    return [name or "the model" for name, module in model.named_modules() if hooked(module)]


class TraceError(RuntimeError):
    """A pattern that names nothing, a tap that never fired, or a trace over its budget."""


class Tap(nn.Module):
    """The identity, there to give a value a name that a trace can ask for."""

    def forward(self, value: Tensor) -> Tensor:
        """Any tensor in, the same tensor out."""
        return value


# --- masks, described and never written out ---


class Hidden(NamedTuple):
    """What an intervention takes away: these keys from these queries, in these rows of the batch and these heads.

    None stands for all of them.
    """

    queries: frozenset[int]
    keys: frozenset[int]
    rows: frozenset[int] | None = None
    heads: frozenset[int] | None = None


class Scaled(NamedTuple):
    """Keys whose weight in every row is multiplied before the row is made to sum to 1 again; heads as in `Hidden`."""

    keys: frozenset[int]
    factor: float
    heads: frozenset[int] | None = None


@dataclass(frozen=True)
class Mask:
    """Which keys a query may see: all of them, less what an intervention hides.

    Queries are the last of the keys: with cached keys, query 0 is key `keys - queries`.
    """

    hidden: tuple[Hidden, ...] = ()  # what `Block` took away
    scaled: tuple[Scaled, ...] = ()  # what `Scale` multiplied

    @property
    def edited(self) -> bool:
        """Whether an intervention changed it."""
        return bool(self.hidden or self.scaled)

    def of_heads(self, num_heads: int) -> list[tuple[list[int], Self]]:
        """The heads that share a mask, and that mask, which holds for whatever head it is given to."""
        if all(hidden.heads is None for hidden in self.hidden) and all(one.heads is None for one in self.scaled):
            return [(list(range(num_heads)), self)]
        groups: dict[Self, list[int]] = {}
        for head in range(num_heads):
            hidden = tuple(one._replace(heads=None) for one in self.hidden if one.heads is None or head in one.heads)
            scaled = tuple(one._replace(heads=None) for one in self.scaled if one.heads is None or head in one.heads)
            groups.setdefault(replace(self, hidden=hidden, scaled=scaled), []).append(head)
        return [(heads, mask) for mask, heads in groups.items()]

    def logarithms(self, num_keys: int, device: torch.device) -> Tensor:
        """What `scaled` adds to the scores of each key, of a mask for all heads alike: float32 (keys,)."""
        added = torch.zeros(num_keys)
        for keys, factor, _ in self.scaled:
            added[torch.tensor([key for key in keys if key < num_keys], dtype=torch.int64)] += math.log(factor)
        return added.to(device)

    def visible(self, queries: Tensor, num_keys: int, row: int = 0) -> Tensor:
        """Which keys each query sees, in a mask for all heads alike; padding, which sees none, is shown as seeing all.

        Args:
            queries: int64 (queries,), counted as keys are.
            row: the row of the batch.

        Returns:
            bool (queries, num_keys).

        Raises:
            TraceError: an intervention leaves a query no key at all.
        """
        seen = self._sees(queries, torch.arange(num_keys, device=queries.device), row)
        padding = ~seen.any(dim=-1, keepdim=True)
        for hidden_queries, hidden_keys, rows, _ in self.hidden:
            if rows is not None and row not in rows:
                continue
            blocked = [index for index, query in enumerate(queries.tolist()) if query in hidden_queries]
            keys = [key for key in hidden_keys if key < num_keys]
            seen[torch.tensor(blocked, dtype=torch.int64)[:, None], torch.tensor(keys, dtype=torch.int64)] = False
        bereft = ~(seen.any(dim=-1, keepdim=True) | padding)
        if self.hidden and bool(bereft.any()):
            query = int(queries[bereft.squeeze(-1)][0])
            raise TraceError(f"Every key of query {query} is hidden; leave it at least one, such as its own.")
        return seen | padding

    def _sees(self, queries: Tensor, keys: Tensor, row: int) -> Tensor:
        return torch.ones(len(queries), len(keys), dtype=torch.bool, device=queries.device)


@dataclass(frozen=True)
class Causal(Mask):
    """A query sees itself and what came before it; the first `pads[row]` keys of a row nobody sees."""

    pads: tuple[int, ...] = ()

    def _sees(self, queries: Tensor, keys: Tensor, row: int) -> Tensor:
        pad = self.pads[row] if self.pads else 0
        return (keys <= queries[:, None]) & (keys >= pad)


@dataclass(frozen=True)
class Segments(Mask):
    """Packed sequences: a query sees the keys of its own segment alone."""

    lengths: tuple[int, ...] = ()

    def _sees(self, queries: Tensor, keys: Tensor, row: int) -> Tensor:
        lengths = torch.tensor(self.lengths, device=queries.device)
        segment = torch.repeat_interleave(lengths, output_size=sum(self.lengths))
        return segment[queries][:, None] == segment[keys]


def attention_rows(q: Tensor, k: Tensor, queries: Sequence[int], mask: Mask | None = None) -> Tensor:
    """Exact rows of attention: softmax(q k^T / sqrt(head_dim)) for the asked queries alone, in float32.

    Args:
        q: (batch, heads, queries, head_dim), as kept by a trace.
        k: (batch, kv_heads, keys, head_dim); query head i reads key head i // (heads / kv_heads).
        queries: indices into q, negative ones from the end.
        mask: what the forward pass used; None lets every query see every key.

    Returns:
        float32 (batch, heads, len(queries), keys); each row sums to 1 over what it may see.

    Raises:
        IndexError: a query that q does not have.
    """
    batch, _heads, num_queries, head_dim = q.shape
    asked = [range(num_queries)[index] for index in queries]
    grouped = _of_queries(q, asked).float().unflatten(1, (k.shape[1], -1)) * head_dim**-0.5
    scores = _times_keys(grouped.flatten(2, 3), k).unflatten(2, (-1, len(asked))).flatten(1, 2)
    if mask is not None:
        positions = _as_tensor(asked, q.device) + k.shape[2] - num_queries
        for row in range(batch):
            _mask_rows(scores[row], mask, positions, row)
    return scores.softmax(dim=-1)


def _mask_rows(scores: Tensor, mask: Mask, queries: Tensor, row: int) -> None:
    """Scores (heads, queries, keys) of one row of the batch under a mask, in place."""
    groups = mask.of_heads(len(scores))
    for heads, shared in groups:
        some = scores if len(groups) == 1 else scores[heads]
        some.masked_fill_(~shared.visible(queries, scores.shape[-1], row), -math.inf)
        if shared.scaled:
            some += shared.logarithms(scores.shape[-1], scores.device)
        if len(groups) > 1:
            scores[heads] = some


def _of_queries(q: Tensor, asked: Sequence[int]) -> Tensor:
    """These queries of (batch, heads, queries, head_dim): a view where they stand together."""
    if _consecutive(asked):
        return q[:, :, asked[0] : asked[-1] + 1]
    return q[:, :, torch.tensor(asked, dtype=torch.int64, device=q.device)]


def _as_tensor(asked: Sequence[int], device: torch.device) -> Tensor:
    """int64 (asked,), made on the device where they stand together."""
    if _consecutive(asked):
        return torch.arange(asked[0], asked[-1] + 1, device=device)
    return torch.tensor(asked, dtype=torch.int64, device=device)


def _consecutive(asked: Sequence[int]) -> bool:
    return len(asked) > 0 and all(after == before + 1 for before, after in pairwise(asked))


def _times_keys(grouped: Tensor, k: Tensor) -> Tensor:
    """float32 queries (batch, kv_heads, queries, head_dim) against keys of any dtype: (batch, kv_heads, queries, keys).

    A key head is read once for all query heads that share it. On a CPU keys of another dtype become float32 a chunk at
    a time, which stays in the processor's cache: a seventh of the time at 16,384 keys.
    """
    if k.dtype == torch.float32 or k.device.type != "cpu" or grouped.shape[2] > CHUNKED_QUERIES:
        return grouped @ k.float().transpose(-1, -2)
    return torch.cat([grouped @ part.float().transpose(-1, -2) for part in k.split(CHUNK_OF_KEYS, dim=2)], dim=-1)


# --- traces ---


def match_names(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that any pattern matches, in the order of `names`; `*` stays within one dotted part.

    Raises:
        TraceError: no pattern was given, or one matches nothing.
    """
    names = list(names)
    if not patterns:
        raise TraceError("A trace needs at least one pattern, such as 'language.blocks.*.attend.q'.")
    chosen: set[str] = set()
    for pattern in patterns:
        expression = re.compile(re.escape(pattern).replace(r"\*", r"[^.]*"))
        matched = {name for name in names if expression.fullmatch(name)}
        if not matched:
            raise TraceError(f"No module is named {pattern!r}.")
        chosen |= matched
    return [name for name in names if name in chosen]


class Trace(Mapping[str, Tensor]):
    """Keep the outputs of named modules while the `with` block runs.

    ```python
    with Trace(model, "language.blocks.14.attend.*", max_bytes=512 << 20) as trace:
        model(**batch)
    q = trace["language.blocks.14.attend.q"]
    ```

    Keeps the last value of each module, detached, in the dtype it had. Traces change no output bit. Where the
    model can say beforehand what its taps will weigh (`model.tap_sizes(**batch)`), the budget is checked before the
    forward pass; in any case before a value over the budget is kept.

    Args:
        model: any module.
        patterns: dotted module names; `*` stands for anything within one dotted part.
        max_bytes: the budget; None for no limit.
        device: where to keep the values; None leaves them where they are.

    Raises:
        TraceError: see the class; hooks are gone when the block ends, however it ends.
    """

    def __init__(
        self, model: nn.Module, *patterns: str, max_bytes: int | None = None, device: torch.device | str | None = None
    ) -> None:
        modules = dict(model.named_modules())
        self.names = match_names((name for name in modules if name), patterns)
        self.max_bytes = max_bytes
        self.nbytes = 0
        self.masks: dict[str, Mask | None] = {}
        self._model, self._modules, self._device = model, modules, device
        self._values: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Trace:
        self._handles.append(self._model.register_forward_pre_hook(self._check_forecast, with_kwargs=True))
        for name in self.names:
            self._handles.append(self._modules[name].register_forward_hook(self._keep(name)))
        for parent in dict.fromkeys(name.rpartition(".")[0] for name in self.names):
            if parent and hasattr(self._modules[parent], "describe_mask"):
                self._handles.append(self._modules[parent].register_forward_pre_hook(self._keep_mask(parent)))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        while self._handles:
            self._handles.pop().remove()
        if kind is None and len(self._values) < len(self.names):
            silent = next(name for name in self.names if name not in self._values)
            raise TraceError(f"Nothing passed through {silent!r} while the trace was open.")

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._values:
            raise TraceError(f"The trace holds no {name!r}.")
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def take(self, name: str) -> Tensor:
        """Give a value away: the trace holds it no longer, so that it may be moved without being held twice."""
        value = self[name]
        del self._values[name]
        self.nbytes -= value.numel() * value.element_size()
        return value

    def mask_of(self, attend: str) -> Mask | None:
        """The mask that the attention of this name used, `"language.blocks.14.attend"`."""
        return self.masks[attend]

    def _keep(self, name: str) -> Any:
        @reads_only
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            value = output.detach()
            self._charge(name, value.numel() * value.element_size())
            if value.untyped_storage().nbytes() > value.numel() * value.element_size():
                value = value.clone(memory_format=torch.contiguous_format)  # a view would keep its whole base alive
            self._values[name] = value if self._device is None else value.to(self._device)

        return hook

    def _charge(self, name: str, nbytes: int) -> None:
        if name in self._values:
            earlier = self._values[name]
            self.nbytes -= earlier.numel() * earlier.element_size()
        self._refuse_over_budget(name, self.nbytes + nbytes)
        self.nbytes += nbytes

    def _refuse_over_budget(self, name: str, nbytes: int) -> None:
        if self.max_bytes is not None and nbytes > self.max_bytes:
            raise TraceError(
                f"Keeping {name!r} would take the trace to {nbytes:,} bytes, over its budget of {self.max_bytes:,}; "
                "trace fewer layers or raise max_bytes."
            )

    @reads_only
    def _check_forecast(self, model: Any, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        if self.max_bytes is None or not hasattr(model, "tap_sizes"):
            return
        sizes = model.tap_sizes(*inputs, **keywords)
        total = 0
        for name in self.names:
            total += sizes.get(name, 0)
            self._refuse_over_budget(name, total)

    def _keep_mask(self, attend: str) -> Any:
        @reads_only
        def hook(module: Any, inputs: tuple[Any, ...]) -> None:
            self.masks[attend] = module.describe_mask(*inputs)

        return hook


@contextmanager
def Block(  # a noun, for it reads as one in a `with` statement
    model: nn.Module,
    layers: str | Sequence[str],
    queries: Iterable[int],
    keys: Iterable[int],
    rows: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
) -> Iterator[None]:
    """Hide keys from queries in the attention of the named layers while the `with` block runs (attention knockout).

    ```python
    with Block(model, "language.blocks.*.attend", queries=[40], keys=range(5, 30)):
        logits = model(**batch)
    ```

    A trace inside it shows the blocked run. Queries and keys are counted along the keys of the forward pass. `rows` are
    those of the batch (a picture each, in Qwen-VL's tower and adapter), `heads` those of the layers; None hides in all.

    Raises:
        TraceError: a pattern that names no attention; in the forward pass, a query left without a key.
    """
    hidden = Hidden(frozenset(queries), frozenset(keys), _frozen(rows), _frozen(heads))
    with _edited_masks(model, layers, lambda mask: replace(mask, hidden=(*mask.hidden, hidden))):
        yield


@contextmanager
def Scale(
    model: nn.Module,
    layers: str | Sequence[str],
    keys: Iterable[int],
    factor: float,
    heads: Iterable[int] | None = None,
) -> Iterator[None]:
    """Multiply the weight of keys in every row, and make each row sum to 1 again, while the `with` block runs.

    Args: as `Block`; `factor` is above 0.
    """
    scaled = Scaled(frozenset(keys), factor, _frozen(heads))
    with _edited_masks(model, layers, lambda mask: replace(mask, scaled=(*mask.scaled, scaled))):
        yield


def _frozen(indices: Iterable[int] | None) -> frozenset[int] | None:
    return None if indices is None else frozenset(indices)


@contextmanager
def _edited_masks(model: nn.Module, layers: str | Sequence[str], edit: Callable[[Mask], Mask]) -> Iterator[None]:
    """Give the attention of the named layers another mask than the model gives it."""
    patterns = [layers] if isinstance(layers, str) else list(layers)
    modules = dict(model.named_modules())
    names = match_names((name for name, module in modules.items() if hasattr(module, "describe_mask")), patterns)

    def hook(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        q, k, v, *rest = inputs
        return q, k, v, edit((rest[0] if rest else None) or Mask())

    # prepended, so that a trace opened earlier sees the edited mask too
    handles = [modules[name].register_forward_pre_hook(hook, prepend=True) for name in names]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
