"""The golden files as models and tensors, and the one way in which tests compare numbers with them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from qwenvl.loading.load import build_skeleton, load_model
from qwenvl.models.config import Config
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.processing.files.picture_files import open_picture
from qwenvl.processing.geometry.pixels import squash

GOLDENS = Path(__file__).parents[1] / "goldens"
QWEN_VL_NAMES = ["dev-a", "dev-b", "dev-geom"]
QWEN2_VL_NAMES = ["dev-a", "dev-b"]


def assert_close(actual: Tensor, expected: Tensor, limit: float) -> None:
    """Same shape, finite, and nowhere further apart than `limit`."""
    assert actual.shape == expected.shape, f"shape {tuple(actual.shape)}, expected {tuple(expected.shape)}"
    assert actual.isfinite().all()
    distance = (actual.double() - expected.double()).abs().max().item() if actual.numel() else 0.0
    assert distance <= limit, f"{distance:.2e} apart, at most {limit:.0e} is allowed"


def assert_likeliest(ids: Sequence[int], scores: Tensor, limit: float) -> None:
    """Different ids of the largest scores, in their order; scores closer than `limit` may change places."""
    assert len(set(ids)) == len(ids)
    assert_close(scores[list(ids)], scores.topk(len(ids)).values, limit)


def rebuilt(model: nn.Module, config: Config) -> Any:
    """The same weights under another config."""
    other = build_skeleton(config)
    other.load_state_dict(model.state_dict(), assign=True)
    return other.requires_grad_(False).eval()


@contextmanager
def inputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """The first argument of each call of a module while the block runs."""
    seen: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].detach()))
    try:
        yield seen
    finally:
        handle.remove()


@dataclass(frozen=True, repr=False)
class QwenVLGolden:
    """One folder of tests/goldens/qwen-vl, its model in float32."""

    folder: Path
    model: QwenVL
    io: dict[str, Tensor]
    meta: dict[str, Any]

    def images(self, *names: str) -> Tensor:
        """Pictures of the folder as the model reads them, (pictures, 3, size, size)."""
        side = self.model.config.vision.image_size
        return torch.stack([squash(open_picture(self.folder / name), side) for name in names or ("image.png",)])

    def with_language(self, **changes: Any) -> QwenVL:
        """The model with some numbers of its language config changed."""
        config = self.model.config
        return rebuilt(self.model, replace(config, language=replace(config.language, **changes)))


@cache
def qwen_vl_golden(name: str) -> QwenVLGolden:
    folder = GOLDENS / "qwen-vl" / name
    with tempfile.TemporaryDirectory() as published:  # the goldens call the weights by another name
        shutil.copy(folder / "config.json", published)
        shutil.copy(folder / "weights.safetensors", Path(published) / "model.safetensors")
        model = load_model(published, dtype="float32", device="cpu")
    return QwenVLGolden(folder, model, load_file(folder / "io.safetensors"), read_json(folder / "meta.json"))


@dataclass(frozen=True, repr=False)
class Qwen2VLCase:
    """One case of a folder of tests/goldens/qwen2-vl: its tensors, integers as int64."""

    name: str
    model: Qwen2VL
    io: dict[str, Tensor]
    meta: dict[str, Any]

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The keyword arguments of a forward pass."""
        names = ["input_ids", "pixel_values", "image_grid_thw", "pixel_values_videos", "video_grid_thw"]
        return {name: self.io[name] for name in (*names, "attention_mask") if name in self.io}

    @property
    def real(self) -> Tensor:
        """Which tokens are no padding, bool (batch, tokens)."""
        return self.io["attention_mask"].bool()

    def grids(self, kind: str) -> list[tuple[int, int, int]]:
        """The patch grids of "image" or "video"."""
        return [tuple(grid) for grid in self.io[f"{kind}_grid_thw"].tolist()] if f"{kind}_grid_thw" in self.io else []

    def expected(self, name: str, rule: str) -> Tensor:
        """A tensor under a rule of positions: the paper's stands apart only where it differs."""
        paper = self.io.get(f"maxrule.{name}")
        return paper if rule == "paper" and paper is not None else self.io[name]


@cache
def qwen2_vl_golden(folder: str) -> tuple[Qwen2VL, dict[str, Tensor], dict[str, Any]]:
    """Model in float32, all tensors, meta.json."""
    path = GOLDENS / "qwen2-vl" / folder
    tensors = load_file(path / "io.safetensors")
    tensors = {name: value.long() if value.dtype == torch.int32 else value for name, value in tensors.items()}
    return load_model(path, dtype="float32", device="cpu"), tensors, read_json(path / "meta.json")


@cache
def qwen2_vl_case(folder: str, case: str) -> Qwen2VLCase:
    model, tensors, meta = qwen2_vl_golden(folder)
    io = {name.removeprefix(f"{case}/"): value for name, value in tensors.items() if name.startswith(f"{case}/")}
    return Qwen2VLCase(case, model, io, meta["cases"][case])


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
