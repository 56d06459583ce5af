"""The tiny checkpoints as pipelines, and a conversation with pictures of different sizes and a clip."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import qwenvl
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.run import Run
from qwenvl.tiny.untrained import write_untrained

TINY = ["tiny-qwen-vl", "tiny-qwen2-vl"]
SPOKEN = "the the the red one"


@cache
def tiny(name: str) -> Pipeline:
    """The untrained checkpoint of this name: random weights and fixed sizes, whatever ships."""
    return qwenvl.load(_untrained() / name, dtype="float32", device="cpu")


@cache
def _untrained() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="untrained-")
    atexit.register(folder.cleanup)
    write_untrained(Path(folder.name))
    return Path(folder.name)


def colours(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """As many different colours, far apart enough to be told after rounding: uint8 (rows, columns, 3)."""
    generator = np.random.default_rng(seed)
    chosen = generator.choice(16**3, rows * columns, replace=False)
    shades = np.stack([chosen // 256, chosen // 16 % 16, chosen % 16], axis=-1)
    return (17 * shades).astype(np.uint8).reshape(rows, columns, 3)


def mosaic(rows: int, columns: int, *, patch: int = 14, seed: int = 0) -> Image.Image:
    """A picture of one colour for each patch."""
    return Image.fromarray(colours(rows, columns, seed).repeat(patch, axis=0).repeat(patch, axis=1))


def mixed_messages() -> list[dict[str, Any]]:
    """A picture, words, a clip of three frames, another picture of another size, a question."""
    clip = [mosaic(4, 8, seed=seed) for seed in (2, 3, 4)]
    return [
        {"role": "system", "content": "Say little."},
        {
            "role": "user",
            "content": [
                {"type": "image", "image": mosaic(6, 4)},
                {"type": "text", "text": "and"},
                {"type": "video", "video": clip, "fps": 2},
                {"type": "image", "image": mosaic(4, 10, seed=1)},
                {"type": "text", "text": "What is this?"},
            ],
        },
    ]


def one_picture(picture: Image.Image | None = None, question: str = "What is this?") -> list[dict[str, Any]]:
    content = [{"type": "image", "image": picture or mosaic(6, 4)}, {"type": "text", "text": question}]
    return [{"role": "user", "content": content}]


@cache
def mixed_run(name: str) -> Run:
    """A given answer looked inside; nothing in it may be changed."""
    return tiny(name).run(mixed_messages(), answer=SPOKEN)
