"""Notes what is to be said of a folder that can be loaded: unknown keys of its files that change nothing."""

from __future__ import annotations

from pathlib import Path

from qwenvl.published_files.adapter_files import CONFIG, model_folder
from qwenvl.published_files.adapter_keys import ADAPTER
from qwenvl.published_files.generation_keys import GENERATION
from qwenvl.published_files.json_files import read_json, read_json_if_there
from qwenvl.published_files.keys import check_keys
from qwenvl.published_files.preprocessor_keys import PREPROCESSOR
from qwenvl.published_files.published_config import read_published
from qwenvl.published_files.tokenizer_keys import TOKENIZER_CONFIG

_FILES = {
    "preprocessor_config.json": PREPROCESSOR,
    "generation_config.json": GENERATION,
    "tokenizer_config.json": TOKENIZER_CONFIG,
}


def folder_notes(folder: Path) -> tuple[str, ...]:
    """One sentence for each.

    Raises:
        CheckpointError: a value that is refused.
    """
    base = model_folder(folder)
    notes = list(read_published(read_json(base / "config.json"))[1])
    if base != folder:
        notes += check_keys(CONFIG, read_json(folder / CONFIG), ADAPTER)
    for file, table in _FILES.items():
        place = folder if (folder / file).exists() else base
        notes += check_keys(file, read_json_if_there(place / file), table)
    return tuple(notes)
