"""A preset, a folder in the published layout or a hub id to a model, and to a `Pipeline`.

Knows files and devices; the tensors' names are `weights`' business, the words and pictures `processing`'s.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from qwenvl.config import PRESETS, Config, QwenVLConfig, from_published
from qwenvl.errors import CheckpointError
from qwenvl.generate import Sampling
from qwenvl.pipeline import Pipeline
from qwenvl.processing.processor import from_folder
from qwenvl.qwen2_vl import Qwen2VL
from qwenvl.qwen_vl import QwenVL
from qwenvl.weights import check_tensors, our_tensors

CHECKPOINTS = Path(__file__).parent / "checkpoints"
HUB_FILES = ["*.json", "*.safetensors", "*.bin", "*.tiktoken", "*.txt"]


def load(name: str | Path, *, dtype: torch.dtype | str = "auto", device: torch.device | str = "auto") -> Pipeline:
    """A model that can be asked, with its processor and its published way of sampling.

    Args:
        name: "tiny-qwen-vl" or "tiny-qwen2-vl", which come with the library; a folder in the published layout; or a hub
            id such as "Qwen/Qwen2-VL-2B-Instruct".
        dtype, device: as `load_model`.

    Raises:
        CheckpointError: the sentence says what is missing or wrong, and where.
    """
    folder = find_folder(name)
    model = load_model(folder, dtype=dtype, device=device)
    published = read_json(folder / "config.json")
    generation, figures = folder / "generation_config.json", folder / "figures.json"
    return Pipeline(
        name=str(name) if not Path(name).exists() else Path(name).resolve().name,
        model=model,
        processor=from_folder(folder, model.config),
        sampling=Sampling.from_published(read_json(generation)) if generation.exists() else Sampling(),
        trained=published.get("qwenvl", {}).get("trained", True),
        figures=read_json(figures) if figures.exists() else None,
    )


def find_folder(name: str | Path) -> Path:
    """Where a checkpoint lies: with the library, in a folder, or on the hub, from where it is downloaded once.

    Raises:
        CheckpointError: there is none of that name.
    """
    if str(name) and Path(name).is_dir():
        return Path(name)
    name = str(name)
    if (CHECKPOINTS / name / "config.json").is_file():
        return CHECKPOINTS / name
    ours = ", ".join(sorted(folder.name for folder in CHECKPOINTS.glob("tiny-*")))
    if name in PRESETS:
        raise CheckpointError(f"{name} is a preset without weights; load a folder or a hub id, or one of {ours}.")
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise CheckpointError(
            f"There is no checkpoint {name!r}; give a folder, a hub id (owner/name) or one of {ours}."
        )
    return _download(name)


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=HUB_FILES))
    except HFValidationError:
        raise CheckpointError(f"{hub_id!r} is not a hub id; it reads owner/name.") from None
    except LocalEntryNotFoundError:
        raise CheckpointError(f"{hub_id} is not in the cache and the hub cannot be reached; go online once.") from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "no")
        raise CheckpointError(
            f"The hub answered {status} for {hub_id}; check the name, and log in if the model is gated."
        ) from None


def read_json(path: Path) -> dict:
    """A JSON object from a checkpoint folder.

    Raises:
        CheckpointError: no such file, or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.parent.name} has no {path.name}; is it a checkpoint in the published layout?"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path.name} of {path.parent.name} is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} of {path.parent.name} is not a JSON object.")
    return content


def build(config: Config) -> QwenVL | Qwen2VL:
    """The model of a config, its parameters on the device that is the default (see `torch.device` as a context)."""
    return QwenVL(config) if isinstance(config, QwenVLConfig) else Qwen2VL(config)


def count_parameters(config: Config) -> int:
    """Parameters of the model of a config, counted on the meta device: no memory is taken."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(config).parameters())


def load_model(
    folder: str | Path, *, dtype: torch.dtype | str = "auto", device: torch.device | str = "auto"
) -> QwenVL | Qwen2VL:
    """A model with its weights and nothing else: config.json and safetensors or `.bin` files, single or sharded.

    The model is built on the meta device and the checkpoint's tensors are assigned to it, so that memory holds them
    once.

    Args:
        folder: a checkpoint in the published layout.
        dtype: of the weights; "auto": bfloat16 on a GPU that has it, else float32.
        device: "auto": CUDA, else MPS, else the CPU.

    Raises:
        CheckpointError: the sentence names the file or tensor that is missing, unknown, misshapen or damaged.
    """
    folder, device = Path(folder), pick_device(device)
    dtype = pick_dtype(dtype, device)
    _refuse_lone_adapter(folder)
    config = from_published(read_json(folder / "config.json"))
    with torch.device("meta"):
        model = build(config)
    tied = getattr(config.language, "tied", False)
    tensors = {
        name: tensor.to(device, dtype) for name, tensor in our_tensors(read_tensors(folder), config.family, tied=tied)
    }
    check_tensors(model, tensors)
    model.load_state_dict(tensors, assign=True)
    return model.requires_grad_(False).eval()


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


def pick_dtype(dtype: torch.dtype | str, device: torch.device) -> torch.dtype:
    """ "auto" to bfloat16 where a GPU has it, else float32; other names as torch spells them."""
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    named = getattr(torch, dtype, None)
    if not isinstance(named, torch.dtype):
        raise CheckpointError(f"There is no dtype {dtype!r}; use 'auto', 'float32', 'bfloat16' or 'float16'.")
    return named


def read_tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The published names and tensors of a checkpoint, file by file.

    Raises:
        CheckpointError: no weights, a shard that is not there, or a damaged file.
    """
    for file in weight_files(folder):
        yield from _read_safetensors(file) if file.suffix == ".safetensors" else _read_pickle(file)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a checkpoint's weights: safetensors before `.bin`, an index before a single file."""
    for single in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{single}.index.json"
        if index.exists():
            files = [folder / name for name in _shards(index)]
            missing = next((file.name for file in files if not file.exists()), None)
            if missing:
                raise CheckpointError(f"{folder.name} lacks {missing}, which its index names; finish the download.")
            return files
        if (folder / single).exists():
            return [folder / single]
    raise CheckpointError(
        f"{folder.name} has no weights: neither model.safetensors nor pytorch_model.bin, whole or sharded."
    )


def _shards(index: Path) -> list[str]:
    """The files that an index names."""
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) for name in names.values()):
        raise CheckpointError(f"{index.name} of {index.parent.name} names no files; download it again.")
    return sorted(set(names.values()))


def _refuse_lone_adapter(folder: Path) -> None:
    whole = any(folder.glob("model*.safetensors")) or any(folder.glob("pytorch_model*.bin"))
    if (folder / "adapter_config.json").exists() and not whole:
        raise CheckpointError(f"{folder.name} holds only an adapter (LoRA); merge it into its base model first.")


def _read_safetensors(file: Path) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a mapping
                yield name, tensors.get_tensor(name)
    except SafetensorError as error:
        raise CheckpointError(f"{file.name} is damaged or not a safetensors file: {error}.") from None


def _read_pickle(file: Path) -> Iterator[tuple[str, Tensor]]:
    """A `.bin` file: tensors only, memory-mapped; anything else in the pickle is refused and never run."""
    try:
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{file.name} is damaged or holds more than tensors: {reason}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{file.name} does not hold a dictionary of tensors.")
    yield from state.items()
