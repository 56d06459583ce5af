"""Loads a preset, a folder in the published layout or a hub id as a model or as a `Pipeline`.

Knows files and devices; the tensors' names are `weights`' business, the words and pictures `processing`'s.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from qwenvl.errors import CheckpointError, Sentence
from qwenvl.inference.generate import TokenSampling
from qwenvl.inference.pipeline import Pipeline
from qwenvl.loading.adapters import read_adapter
from qwenvl.loading.checkpoint_files import Stored, read_tensors
from qwenvl.loading.hub import CHECKPOINTS, Tell, find_folder
from qwenvl.loading.notes import folder_notes
from qwenvl.loading.placement import DISK, DeviceMap, attach, device_of, plan_layout
from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.weights import check_tensors, our_name, our_tensors, settle_tie
from qwenvl.processing.processor import from_folder
from qwenvl.published_files.adapter_files import is_adapter, model_folder
from qwenvl.published_files.json_files import read_json, read_json_if_there
from qwenvl.published_files.published_config import ConfigError, read_published

__all__ = ["CHECKPOINTS", "build", "count_parameters", "find_folder", "load", "load_model", "read_config"]

DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)  # in which weights may be kept
OWN_HEAD = (
    "{folder}: config.json says tie_word_embeddings true, and the weights hold a language head of their own, which "
    "counts, as in transformers; set it to false to say so."
)
SMALL = 1_000_000_000  # parameters below which "auto" keeps a CPU's model in float32


def load(
    name: str | Path,
    *,
    dtype: torch.dtype | str = "auto",
    device: torch.device | str = "auto",
    device_map: DeviceMap | None = None,
    max_memory: Mapping[str | int, str | int] | None = None,
    tell: Tell | None = None,
) -> Pipeline:
    """A model that can be asked, with its processor and its published way of sampling.

    Args:
        name: "tiny-qwen-vl" or "tiny-qwen2-vl", which come with the library; a folder in the published layout; or a hub
            id such as "Qwen/Qwen2-VL-2B-Instruct".
        dtype, device, device_map, max_memory: as `load_model`.
        tell: called with (bytes here, bytes in all) while weights are downloaded.

    Raises:
        CheckpointError: the sentence says what is missing or wrong, and where.
    """
    read_config(find_folder(name, weights=False))  # what cannot be read is refused before its weights are downloaded
    folder = find_folder(name, tell=tell)
    base = model_folder(folder)
    generation = next((place for place in (folder, base) if (place / "generation_config.json").exists()), base)
    sampling = TokenSampling.from_published(read_json_if_there(generation / "generation_config.json"))
    places: dict[str, Any] = {"dtype": dtype, "device": device, "device_map": device_map, "max_memory": max_memory}
    model, notes = _load_with_notes(folder, **places)
    figures = folder / "figures.json"
    called = Path(name).resolve().name if Path(name).exists() else str(name)
    return Pipeline(
        name=os.fsencode(called).decode("utf-8", "replace"),
        model=model,
        processor=from_folder(folder, model.config, base=base),
        sampling=sampling,
        trained=is_trained(folder),
        figures=read_json(figures) if figures.exists() else None,
        notes=(*folder_notes(folder), *notes),
    )


def is_trained(folder: Path) -> bool:
    """False for the seeded random weights that our own folders may hold, whose answers mean nothing."""
    return bool(read_json(model_folder(folder) / "config.json").get("qwenvl", {}).get("trained", True))


def build(config: Config) -> QwenVL | Qwen2VL:
    """The model of a config, its parameters on the device that is the default (see `torch.device` as a context)."""
    return QwenVL(config) if isinstance(config, QwenVLConfig) else Qwen2VL(config)


class _LeaveUnset(TorchFunctionMode):
    """Parameters get no initial values. Drawing them on the meta device would import torch's compiler, 0.8 s."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(function, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"] if kwargs and "tensor" in kwargs else args[0]
        return function(*args, **(kwargs or {}))


def build_skeleton(config: Config) -> QwenVL | Qwen2VL:
    """The model of a config on the meta device: names, shapes and order, no numbers and no memory."""
    with torch.device("meta"), _LeaveUnset():
        return build(config)


def count_parameters(config: Config) -> int:
    """Parameters of the model of a config; no memory is taken."""
    return sum(parameter.numel() for parameter in build_skeleton(config).parameters())


def read_config(folder: Path) -> Config:
    """The config of a checkpoint's folder.

    Raises:
        CheckpointError: no config, another model's, a quantised checkpoint, or an adapter (LoRA) whose base model is
            not at hand.
    """
    folder = model_folder(folder)
    published = read_json(folder / "config.json")
    if (folder / "quantize_config.json").exists():  # of GPTQ tools that leave config.json as it was
        published = {"quantization_config": {"quant_method": "gptq"}, **published}
    try:
        return read_published(published)[0]
    except ConfigError as error:
        if "quantization_config" not in published:
            raise
        raise CheckpointError(str(error).replace("This checkpoint", folder.resolve().name, 1)) from None


def load_model(
    folder: str | Path,
    *,
    dtype: torch.dtype | str = "auto",
    device: torch.device | str = "auto",
    device_map: DeviceMap | None = None,
    max_memory: Mapping[str | int, str | int] | None = None,
) -> QwenVL | Qwen2VL:
    """A model with its weights and nothing else: config.json and safetensors or `.bin` files, single or sharded.

    The model is built on the meta device and the checkpoint's tensors are assigned to it, so that memory holds them
    once.

    Args:
        folder: a checkpoint in the published layout.
        dtype: of the weights; "auto": bfloat16 on a device that computes in it, else float32; float32 too for a model
            of less than a thousand million parameters on a CPU, where exactness costs little.
        device: "auto": CUDA, else MPS, else the CPU.
        device_map: where blocks lie if not all on `device`: "auto", or places by module name, {"language.blocks.20":
            "cpu", "vision": "disk"}. Blocks of "cpu" and "disk" come to the device when they run.
        max_memory: with "auto", how much each place may hold: {0: "20GiB", "cpu": "16GiB"}.

    Raises:
        CheckpointError: the sentence names the file or tensor that is missing, unknown, misshapen or damaged.

    Warns:
        CheckpointWarning: config.json and the weights contradict each other; the sentence says which counts.
    """
    places: dict[str, Any] = {"dtype": dtype, "device": device, "device_map": device_map, "max_memory": max_memory}
    model, notes = _load_with_notes(Path(folder), **places)
    for note in notes:
        warnings.warn(note, CheckpointWarning, stacklevel=2)
    return model


class CheckpointWarning(UserWarning):
    """Something of a checkpoint that does not stop it from being loaded."""


def _load_with_notes(
    folder: Path,
    *,
    dtype: torch.dtype | str,
    device: torch.device | str,
    device_map: DeviceMap | None,
    max_memory: Mapping[str | int, str | int] | None,
) -> tuple[QwenVL | Qwen2VL, tuple[str, ...]]:
    """`load_model`, and what is to be said of it."""
    device = pick_device(device)
    config = read_config(folder)
    dtype = pick_dtype(dtype, device, config)
    model = build_skeleton(config)
    layout = {"": str(device)}
    if device_map is not None:
        layout = plan_layout(model, device_map, max_memory, device=device, dtype=dtype)
    tensors = {
        name: tensor.to(device_of(layout, name), dtype) for name, tensor in _tensors(folder, config.family, dtype)
    }
    notes: tuple[str, ...] = ()
    if isinstance(config, Qwen2VLConfig) and config.language.tied and not settle_tie(tensors):
        model = build_skeleton(replace(config, language=replace(config.language, tied=False)))
        notes = (Sentence.of(OWN_HEAD, folder=folder.resolve().name),)
    check_tensors(model, tensors)
    model.load_state_dict(tensors, assign=True)
    model.requires_grad_(False).eval()
    if device_map is not None:
        if is_adapter(folder) and DISK in layout.values():
            raise CheckpointError("An adapter's model cannot stay on the disk; merge it into its base first.")
        attach(model, layout, _reader(model_folder(folder), config.family, dtype))
    return model, notes


def _tensors(folder: Path, family: str, dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
    """A model's tensors by our names; of an adapter those of its base model with its own added."""
    tensors = our_tensors(read_tensors(model_folder(folder)), family, tied=False)
    return read_adapter(folder, family).added_to(tensors, dtype) if is_adapter(folder) else tensors


def _reader(folder: Path, family: str, dtype: torch.dtype) -> Callable[[str], Tensor]:
    """Single tensors by our names, for what stays on the disk."""
    stored = Stored.of(folder)
    published = {our_name(name, family): name for name in stored}
    return lambda name: stored(published[name]).to(dtype)


def pick_device(device: torch.device | str) -> torch.device:
    """ "auto" to the best device there is. Raises CheckpointError for one that is not there."""
    if device != "auto":
        try:
            return torch.empty(0, device=device).device
        except (RuntimeError, AssertionError):  # the latter where torch was built without it
            raise CheckpointError(f"There is no device {str(device)!r} here; use 'auto' or 'cpu'.") from None
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_dtype(dtype: torch.dtype | str, device: torch.device, config: Config | None = None) -> torch.dtype:
    """ "auto" to bfloat16 where the device computes in it, else float32; other names as torch spells them.

    Raises CheckpointError for what is no dtype, or none that a model computes in.
    """
    if dtype == "auto":
        return torch.bfloat16 if _computes_in_bfloat16(device, config) else torch.float32
    named = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if named not in DTYPES:
        raise CheckpointError(f"There is no dtype {str(dtype)!r} here; use 'auto', 'float32', 'bfloat16' or 'float16'.")
    return named


def _computes_in_bfloat16(device: torch.device, config: Config | None) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type == "mps":
        return torch.backends.mps.is_macos_or_newer(14, 0)
    if config is None or count_parameters(config) < SMALL:
        return False
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
