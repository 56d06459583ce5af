"""Variants of the shipped tiny Qwen2-VL folder, as people's own folders are."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from qwenvl.loading.hub import CHECKPOINTS

SOURCE = CHECKPOINTS / "tiny-qwen2-vl"
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}


def variant(folder: Path, source: Path = SOURCE) -> Path:
    """A copy of a shipped folder, its weights linked."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.suffix == ".safetensors":
            os.link(file, folder / file.name) if _same_disk(file, folder) else shutil.copyfile(file, folder / file.name)
        elif file.suffix in (".json", ".tiktoken"):
            shutil.copyfile(file, folder / file.name)
    return folder


def _same_disk(file: Path, folder: Path) -> bool:
    return file.stat().st_dev == folder.stat().st_dev


def edit(file: Path, remove: tuple[str, ...] = (), **values: Any) -> Path:
    """Change keys of a JSON file."""
    held = (json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}) | values
    file.write_text(
        json.dumps({key: value for key, value in held.items() if key not in remove}, indent=1), encoding="utf-8"
    )
    return file


def replace_file(file: Path, content: bytes | str) -> Path:
    """Write anew, so that a linked file of weights is left alone."""
    file.unlink(missing_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def add_tokens(folder: Path, names: tuple[str, ...], **flags: bool) -> int:
    """Added tokens that are not special, as a finetune adds them; returns the first's id."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    first = max(token["id"] for token in tokenizer["added_tokens"]) + 1
    new = [{"id": first + i, "content": text, **FLAGS, **flags} for i, text in enumerate(names)]
    tokenizer["added_tokens"] += new
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    described = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    described["added_tokens_decoder"] |= {str(token.pop("id")): token for token in json.loads(json.dumps(new))}
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    return first
