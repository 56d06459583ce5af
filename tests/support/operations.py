"""What a pass asks of the machine, counted and not timed: the operations it makes, what they allocate and read back.

A device without values (PyTorch's "meta") has shapes alone: whoever reads one of it (`.item()`, `.tolist()`, `.cpu()`,
`bool()`) is refused, on any machine, where a GPU would make the program wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

VALUELESS = "meta"


@dataclass
class Operation:
    """One operation of PyTorch's core: its name, the tensors it read and those it made."""

    name: str
    read: tuple[Tensor, ...]
    made: tuple[Tensor, ...]

    @property
    def allocated(self) -> int:
        """Bytes of the largest tensor it made that is no view of one it read."""
        shared = {tensor.untyped_storage()._cdata for tensor in self.read}
        new = (tensor for tensor in self.made if tensor.untyped_storage()._cdata not in shared)
        return max((tensor.numel() * tensor.element_size() for tensor in new), default=0)


@dataclass
class Operations(TorchDispatchMode):
    """Writes down every operation while the `with` block runs."""

    made: list[Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.made.append(Operation(str(func), tuple(_tensors((args, kwargs))), tuple(_tensors(result))))
        return result

    @property
    def largest(self) -> int:
        """Bytes of the largest tensor that any of them allocated."""
        return max(operation.allocated for operation in self.made)

    @property
    def left_device(self) -> list[str]:
        """Operations that read from the device without values and make a tensor elsewhere."""
        return [
            operation.name
            for operation in self.made
            if any(tensor.is_meta for tensor in operation.read) and any(not tensor.is_meta for tensor in operation.made)
        ]

    def readers_of(self, weight: Tensor) -> list[Operation]:
        """Operations that read a tensor or a view of it."""
        storage = weight.untyped_storage()._cdata
        return [
            operation
            for operation in self.made
            if any(tensor.untyped_storage()._cdata == storage for tensor in operation.read)
        ]


def batched_products_with_weights(model: nn.Module, operations: Operations) -> list[str]:
    """Names of parameters that enter a product of batches: where its strides are a batch's, each is copied whole.

    Under `torch.no_grad()`; inference mode hides what a product is made of.
    """
    return [
        name
        for name, weight in model.named_parameters()
        if any("bmm" in operation.name or "baddbmm" in operation.name for operation in operations.readers_of(weight))
    ]


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)


class LiveBytes(TorchDispatchMode):
    """Bytes of the tensors that operations made and that are still held, at most, while the `with` block runs.

    Counts what the program holds, not what an operation needs within itself: the same on every machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._held: dict[StorageWeakRef, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {StorageWeakRef(tensor.untyped_storage()) for tensor in _tensors((args, kwargs))}
        self._held = {storage: size for storage, size in self._held.items() if not storage.expired()}
        for tensor in _tensors(result):
            storage = StorageWeakRef(tensor.untyped_storage())
            if storage not in given:
                self._held[storage] = tensor.untyped_storage().nbytes()
        self.most = max(self.most, sum(self._held.values()))
        return result
