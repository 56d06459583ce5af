"""Holds what is broken to one sentence: no traceback, no hang over five seconds, no more than 600 MB."""

from __future__ import annotations

import io
import json
import random
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from tests.support.clips import encode
from tests.support.folders import SOURCE, replace_file, variant
from tests.support.goldens import GOLDENS
from tests.support.mutations import as_json, changed, damaged
from tests.support.tiny import SPOKEN, TINY, mixed_messages, mosaic, tiny
from tests.support.watched import check_all, complaints

FILES = {
    "tiny-qwen2-vl": (
        *("config.json", "config.json", "config.json", "generation_config.json", "preprocessor_config.json"),
        *("tokenizer_config.json", "tokenizer.json", "chat_template.json"),
    ),
    "tiny-qwen-vl": ("config.json", "config.json", "generation_config.json", "qwen.tiktoken"),
}
CHUNKS = 25  # broken things that one process reads


def in_chunks(paths: list[Path]) -> list[list[Path]]:
    return [paths[start : start + CHUNKS] for start in range(0, len(paths), CHUNKS)]


def check(door: str, paths: list[Path], refused: float) -> None:
    """Knock at a door with all of them; at least a share of them is refused."""
    outcomes = [one for chunk in in_chunks(paths) for one in check_all(f"tests.support.doors:{door}", chunk)]
    assert complaints(outcomes) == []
    counted = Counter(bool(one.says) for one in outcomes)
    assert counted[True] >= refused * len(paths), counted


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_250_broken_folders_are_a_sentence_each(seed: int, tmp_path: Path) -> None:
    draw, paths = random.Random(seed), []
    for number in range(125):
        name = draw.choice(["tiny-qwen2-vl", "tiny-qwen2-vl", "tiny-qwen-vl"])
        folder = variant(tmp_path / f"{number}", SOURCE.parent / name)
        for _ in range(draw.choice((1, 1, 2))):
            file = folder / draw.choice(FILES[name])
            content = file.read_bytes()
            if file.suffix == ".json" and content[:1] == b"{" and draw.random() < 0.8:
                try:
                    replace_file(file, as_json(changed(json.loads(content), draw)))
                    continue
                except (ValueError, TypeError, LookupError):
                    pass
            replace_file(file, damaged(content, draw))
        paths.append(folder)
    check("ask_folder", paths, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_350_broken_run_files_are_a_sentence_each(seed: int, tmp_path: Path) -> None:
    draw, paths = random.Random(seed), []
    wholes = {}
    for name in TINY:
        tiny(name).run(mixed_messages(), answer=SPOKEN).save(tmp_path / f"{name}.run")
        with safe_open(tmp_path / f"{name}.run", framework="pt") as file:
            held = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
            wholes[name] = (held, file.metadata())
    for number in range(175):
        name = draw.choice(TINY)
        path = tmp_path / f"{number}.run"
        tensors, metadata = wholes[name]
        if draw.random() < 0.75:
            content = changed(json.loads(metadata["content"]), draw)
            save_file(tensors, path, {**metadata, "content": json.dumps(content)})
        elif draw.random() < 0.5:
            save_file(_other_tensors(tensors, draw), path, metadata)
        else:
            path.write_bytes(damaged((tmp_path / f"{name}.run").read_bytes(), draw))
        paths.append(path)
    check("open_run", paths, 0.5)


def _other_tensors(tensors: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """One tensor left out, of another shape or dtype, or under another name."""
    name = draw.choice(sorted(tensors))
    held = tensors[name]
    other = draw.choice(
        [None, held.flatten()[:-1].clone(), held.double(), held[:0].clone(), held.reshape(1, *held.shape)]
    )
    rest = {key: value for key, value in tensors.items() if key != name}
    return rest if other is None else rest | {draw.choice([name, name, f"{name}x"]): other}


@pytest.mark.slow
def test_200_bad_media_are_a_sentence_each(tmp_path: Path) -> None:
    draw, paths = random.Random(0), []
    wholes = _whole_media(tmp_path)
    for number in range(200):
        name, content = draw.choice(wholes)
        path = tmp_path / f"{number}{Path(name).suffix}"
        path.write_bytes(damaged(content, draw))
        paths.append(path)
    check("see_media", paths, 0.25)


def _whole_media(folder: Path) -> list[tuple[str, bytes]]:
    """Pictures and clips of every kind that can be written here."""
    picture, more = mosaic(6, 8), [mosaic(6, 8, seed=seed) for seed in (1, 2)]
    found = [(path.name, path.read_bytes()) for path in sorted((GOLDENS / "media").iterdir())]
    for suffix in ("png", "jpg", "gif", "webp", "bmp", "tiff", "avif", "ico", "ppm", "jp2"):
        file = io.BytesIO()
        picture.save(file, {"jpg": "JPEG", "jp2": "JPEG2000"}.get(suffix, suffix.upper()))
        found.append((f"a.{suffix}", file.getvalue()))
    for suffix in ("gif", "webp", "png"):
        file = io.BytesIO()
        picture.save(file, suffix.upper(), save_all=True, append_images=more, duration=100)
        found.append((f"moving.{suffix}", file.getvalue()))
    for suffix in ("mp4", "mkv", "avi", "webm"):
        codec = {"webm": "libvpx-vp9"}.get(suffix, "libx264")
        found.append((f"clip.{suffix}", encode(folder / f"clip.{suffix}", codec=codec, count=10).read_bytes()))
    huge = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return [*found, ("huge.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + huge + bytes(4))]
