"""A folder that holds an adapter (LoRA): whether one does, what it says, and where its base model lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qwenvl.errors import CheckpointError
from qwenvl.published_files.adapter_keys import ADAPTER
from qwenvl.published_files.json_files import read_json
from qwenvl.published_files.keys import check_keys

CONFIG = "adapter_config.json"
CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no model of its own."""
    whole = any(folder.glob("model*.safetensors")) or any(folder.glob("pytorch_model*.bin"))
    return (folder / CONFIG).exists() and not whole


def read_settings(folder: Path) -> dict[str, Any]:
    """What an adapter's folder says of it.

    Raises:
        CheckpointError: a kind of adapter, or of sum, that is not computed here; the sentence names the key.
    """
    settings = read_json(folder / CONFIG)
    check_keys(CONFIG, {"peft_type": None, **settings}, ADAPTER)
    return settings


def model_folder(folder: Path) -> Path:
    """The folder with a model's config and weights: of an adapter its base model's, else the folder itself."""
    return base_folder(folder) if is_adapter(folder) else folder


def base_folder(folder: Path) -> Path:
    """The folder of an adapter's base model: a path, from here or beside the adapter, one of our checkpoints, or a
    model that was downloaded before. Nothing is downloaded, since a file of somebody else's names it.

    Raises:
        CheckpointError: it does not say which, that one is not at hand, or is an adapter too.
    """
    settings = read_settings(folder)
    name = settings.get("base_model_name_or_path")
    if not isinstance(name, str) or not name.strip() or "\0" in name or len(name) > 4096:
        raise CheckpointError(
            f"{folder.name} holds an adapter (LoRA) and does not say of which model: write its folder into "
            f"base_model_name_or_path of {CONFIG}."
        )
    places = (Path(name), folder / name, folder.parent / Path(name).name, CHECKPOINTS / Path(name).name)
    found = next((place for place in places if _is_model(place, folder)), None) or _cached(name)
    if found is None:
        raise CheckpointError(
            f"{folder.name} holds an adapter (LoRA) of {name[-80:]}, which is not at hand: put its folder beside, or "
            f"name it in base_model_name_or_path of {CONFIG}."
        )
    if is_adapter(found):
        raise CheckpointError(f"{folder.name} holds an adapter (LoRA) of another adapter; merge that one first.")
    return found


def _is_model(place: Path, adapter: Path) -> bool:
    try:
        return (place / "config.json").is_file() and place.resolve() != adapter.resolve()
    except OSError:  # too long a name, a loop of links
        return False


def _cached(name: str) -> Path | None:
    """A model of the hub that lies in its cache; None where it does not, or the name is none of a model."""
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        return None
    import huggingface_hub

    try:
        found = Path(huggingface_hub.snapshot_download(name, local_files_only=True))
    except Exception:  # the hub's own, which share no root
        return None
    return found if (found / "config.json").exists() else None
