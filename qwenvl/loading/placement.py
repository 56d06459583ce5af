"""Places the blocks of a model over several GPUs, the CPU's memory and the disk where one device is too small.

Blocks move, the rest (embedding, adapter, norms, head) stays on the main device. What a block of "cpu" or "disk" holds
is brought to the main device when the block runs and let go of afterwards, by the hooks of `accelerate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from qwenvl.errors import CheckpointError

HOME = ""  # of what does not move: the main device
DISK = "disk"
ROOM = 0.8  # of a device's free memory; the rest is left to activations and caches

BLOCK = re.compile(r"^(vision|language)\.blocks\.\d+(?=\.|$)")
DeviceMap = str | Mapping[str, str | int | torch.device]


def unit_of(name: str) -> str:
    """The block that a module or tensor belongs to; `HOME` for what does not move."""
    found = BLOCK.match(name)
    return found[0] if found else HOME


def plan_layout(
    model: nn.Module,
    device_map: DeviceMap,
    max_memory: Mapping[str | int, str | int] | None,
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, str]:
    """Block -> where it lies: "cpu", "disk" or a device; `HOME` -> the main device.

    Args:
        model: on the meta device.
        device_map: "auto" fills the GPUs, then the CPU's memory, then the disk, decoder blocks first; or the places of
            modules by name, the longest name that fits deciding ("" for all).
        max_memory: how much each place may hold, as `accelerate` reads it: {0: "20GiB", "cpu": "16GiB"}.
        device: the main device.
        dtype: of the weights.

    Raises:
        CheckpointError: a place that is not there, or a map that names no module.
    """
    sizes = _unit_sizes(model, dtype)
    if isinstance(device_map, str):
        if device_map != "auto":
            raise CheckpointError(f"There is no device_map {device_map!r}; use 'auto', or places by module name.")
        return {HOME: str(device), **_fill(sizes, _budgets(max_memory, device))}
    given = {name: _place(place) for name, place in device_map.items()}
    names = {name for name, _ in model.named_modules()}
    if stray := next((name for name in given if name not in names), None):
        raise CheckpointError(f"device_map names {stray!r}, which is no module of this model.")
    return {HOME: str(device)} | {unit: _longest(unit, given, str(device)) for unit in sizes if unit}


def _unit_sizes(model: nn.Module, dtype: torch.dtype) -> dict[str, int]:
    """Bytes of each block, and of all the rest together under `HOME`."""
    sizes = {HOME: 0}
    for name, parameter in model.named_parameters():
        sizes[unit_of(name)] = sizes.get(unit_of(name), 0) + parameter.numel() * dtype.itemsize
    return sizes


def _budgets(max_memory: Mapping[str | int, str | int] | None, device: torch.device) -> dict[str, int]:
    """Place -> bytes it may hold, in the order in which they are filled."""
    from accelerate.utils import get_max_memory

    given = None if max_memory is None else dict(max_memory)
    found = get_max_memory(given)
    share = ROOM if given is None else 1.0
    gpus = {f"cuda:{index}": int(room * share) for index, room in found.items() if isinstance(index, int)}
    budgets = {str(device): gpus[str(device)]} | gpus if str(device) in gpus else gpus
    return budgets | {"cpu": int(found.get("cpu", 0) * share)}


def _fill(sizes: Mapping[str, int], budgets: Mapping[str, int]) -> dict[str, str]:
    """Blocks to places, first come first served: the decoder's, which run for every token, before the tower's."""
    left = dict(budgets)
    first = next(iter(left))
    left[first] -= sizes[HOME]
    layout = {}
    for unit in sorted(filter(None, sizes), key=lambda name: name.startswith("vision")):
        place = next((place for place, room in left.items() if room >= sizes[unit]), DISK)
        if place in left:
            left[place] -= sizes[unit]
        layout[unit] = place
    return layout


def _place(place: str | int | torch.device) -> str:
    if place == DISK:
        return DISK
    try:
        return str(torch.empty(0, device=place).device)
    except (RuntimeError, AssertionError):
        raise CheckpointError(
            f"There is no device {str(place)!r} here for a device_map; use 'cpu' or 'disk'."
        ) from None


def _longest(unit: str, given: Mapping[str, str], otherwise: str) -> str:
    fitting = [name for name in given if name == HOME or unit == name or unit.startswith(f"{name}.")]
    return given[max(fitting, key=len)] if fitting else otherwise


def device_of(layout: Mapping[str, str], name: str) -> str:
    """Where a tensor is put when it is loaded: "meta" for what stays on the disk."""
    place = layout.get(unit_of(name), layout[HOME])
    return "meta" if place == DISK else place


def attach(model: nn.Module, layout: Mapping[str, str], read: Callable[[str], Tensor]) -> None:
    """Hook the blocks of a loaded model, so that each finds its weights and inputs where it runs.

    Args:
        model: its tensors lie where `device_of` says.
        layout: from `plan_layout`.
        read: a tensor of this model by our name, from the checkpoint's files.
    """
    from accelerate.hooks import AlignDevicesHook, add_hook_to_module

    home = layout[HOME]
    if set(layout.values()) == {home}:
        return
    for unit, place in layout.items():
        if unit == HOME:
            continue
        on_disk, lent = place == DISK, place == "cpu" != home
        hook = AlignDevicesHook(
            execution_device=torch.device(home if on_disk or lent else place),
            offload=on_disk or lent,
            weights_map=_OnDisk(model.get_submodule(unit), unit, read) if on_disk else None,
            place_submodules=True,
        )
        add_hook_to_module(model.get_submodule(unit), hook)
    for name in ("adapter", "language.norm"):  # what follows the blocks takes its input home
        add_hook_to_module(model.get_submodule(name), AlignDevicesHook(torch.device(home), place_submodules=True))


class _OnDisk(Mapping[str, Tensor]):
    """The tensors of a block by their names within it, read anew each time."""

    def __init__(self, block: nn.Module, unit: str, read: Callable[[str], Tensor]) -> None:
        self._names = [name for name, _ in block.named_parameters()]
        self._unit, self._read = unit, read

    def __getitem__(self, name: str) -> Tensor:
        return self._read(f"{self._unit}.{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def describe(layout: Mapping[str, str]) -> dict[str, Any]:
    """How many blocks lie where."""
    blocks = [place for unit, place in layout.items() if unit]
    return {place: blocks.count(place) for place in dict.fromkeys(blocks)}
