"""The tensors of an adapter (LoRA, 2106.09685), added to those of its base model as they are loaded.

W + (alpha / r) B·A, computed in float32 and rounded once to the dtype of the base, as peft merges.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qwenvl.errors import CheckpointError
from qwenvl.loading.checkpoint_files import checked_file, read_file
from qwenvl.models.weights import our_name
from qwenvl.published_files.adapter_files import read_settings
from qwenvl.published_files.keys import shown

_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_PART = re.compile(
    r"^(?:base_model\.model\.)?(.+?)\.(lora_A|lora_B|lora_embedding_A|lora_embedding_B)(?:\.default)?(?:\.weight)?$"
)


@dataclass(frozen=True)
class LowRankAdapter:
    """An adapter's tensors by our names of what they change: pairs (A, B, scale), and tensors in the base's stead."""

    name: str
    pairs: Mapping[str, tuple[Tensor, Tensor, float]]
    saved: Mapping[str, Tensor]

    def added_to(self, tensors: Iterator[tuple[str, Tensor]], dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """The base model's tensors with the adapter's added, in the dtype that the base is loaded in.

        Raises:
            CheckpointError: shapes that do not fit, or a tensor for which the base has no place.
        """
        left = set(self.pairs) | set(self.saved)
        for name, tensor in tensors:
            left.discard(name)
            whole = self.saved.get(name, tensor)
            yield name, self._sum(name, whole.to(dtype)) if name in self.pairs else whole
        if "language.head.weight" in left and "language.head.weight" in self.saved:  # of a base whose head is tied
            left.discard("language.head.weight")
            yield "language.head.weight", self.saved["language.head.weight"]
        if left:
            raise CheckpointError(f"The adapter {self.name} changes {min(left)}, which its base model does not have.")

    def _sum(self, name: str, tensor: Tensor) -> Tensor:
        a, b, scale = self.pairs[name]
        if name == "language.embed.weight":
            a, b = b.T, a.T  # of an embedding A is (r, vocabulary) and B is (width, r)
        if a.dim() != 2 or b.dim() != 2 or (b.shape[0], a.shape[1]) != tuple(tensor.shape) or a.shape[0] != b.shape[1]:
            raise CheckpointError(
                f"The adapter {self.name} changes {name} by {tuple(b.shape)} x {tuple(a.shape)}, and its base model "
                f"has {tuple(tensor.shape)}; is it the base it was trained on?"
            )
        wide = torch.promote_types(tensor.dtype, torch.float32)
        return (tensor.to(wide) + (b.float() @ a.float() * scale).to(wide)).to(tensor.dtype)


def read_adapter(folder: Path, family: str) -> LowRankAdapter:
    """The tensors of an adapter.

    Raises:
        CheckpointError: no weights, a damaged file, half a pair, or a tensor that the family does not have.
    """
    settings = read_settings(folder)
    file = next((folder / name for name in _WEIGHTS if (folder / name).exists()), None)
    if file is None:
        raise CheckpointError(f"{folder.name} lacks adapter_model.safetensors; finish the download.")
    halves: dict[str, dict[str, Tensor]] = {}
    saved: dict[str, Tensor] = {}
    modules: dict[str, str] = {}
    for published, tensor in read_file(checked_file(file)):
        found = _PART.match(published)
        module = found[1] if found else _saved_name(published)
        ours = our_name(f"{module}.weight" if found else module, family)
        if ours is None:
            raise CheckpointError(
                f"{file.name} of {folder.name} holds {shown(published)}, which a {family} model does not have."
            )
        if found:
            halves.setdefault(ours, {})[found[2][-1]] = tensor
            modules[ours] = module
        else:
            saved[ours] = tensor
    lone = next((name for name, half in halves.items() if len(half) < 2), None)
    if lone is not None:
        raise CheckpointError(f"{file.name} of {folder.name} holds half of the pair for {lone}; download it again.")
    pairs = {name: (half["A"], half["B"], _scale(settings, modules[name])) for name, half in halves.items()}
    return LowRankAdapter(folder.name, pairs, saved)


def _saved_name(published: str) -> str:
    """The published name of a tensor that was trained whole."""
    name = published.removeprefix("base_model.model.")
    return re.sub(r"\.modules_to_save(?:\.default)?|\.original_module|\.base_layer", "", name)


def _scale(settings: Mapping[str, Any], module: str) -> float:
    """alpha / r, or alpha / sqrt(r), with what is said of single modules: the pattern that ends a module's name."""
    rank = _of_module(settings.get("rank_pattern"), module, settings.get("r", 8))
    alpha = _of_module(settings.get("alpha_pattern"), module, settings.get("lora_alpha", 8))
    return alpha / math.sqrt(rank) if settings.get("use_rslora") else alpha / rank


def _of_module(patterns: Any, module: str, otherwise: float) -> float:
    """The value of the first pattern that ends a module's name, or, after a ^, is all of it."""
    for pattern, value in (patterns or {}).items():
        if module == pattern.removeprefix("^") or module.endswith(f".{pattern}"):
            return float(value)
    return float(otherwise)
