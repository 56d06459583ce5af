"""What may be asked: labels for what was given, and nothing a visitor names beside them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.models.catalogue import SHIPPED, Catalogue
from qwenvl.errors import PromptError
from qwenvl.loading.hub import CHECKPOINTS

TINY = "tiny-qwen2-vl"


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Two folders of one name."""
    paths = [tmp_path / side / "mine" for side in ("one", "two")]
    for path in paths:
        shutil.copytree(CHECKPOINTS / TINY, path)
    return [str(path) for path in paths]


def test_folders_are_called_by_their_own_name_and_equal_ones_numbered(folders: list[str]) -> None:
    catalogue = Catalogue(folders)
    assert catalogue.labels == ["mine", "mine (2)", *SHIPPED]
    assert [catalogue.name(label) for label in catalogue.first] == folders


@pytest.mark.parametrize("asked", ["/etc", "..", ".", "Qwen/Qwen2-VL-2B", "", None, 3, ["mine"], {"a": 1}])
def test_a_visitor_names_only_what_is_on_offer(folders: list[str], asked: object) -> None:
    with pytest.raises(PromptError, match=r"choose one of mine, mine \(2\), tiny-qwen-vl, tiny-qwen2-vl\.$"):
        Catalogue(folders).name(asked)
    for folder in folders:
        with pytest.raises(PromptError):
            Catalogue(folders).name(folder)  # not even by its path


@pytest.mark.parametrize("asked", ["/etc", "../x", "./x", "a/b/c", "x" * 150 + "/" + "y" * 150, "/etc/passwd", "~/x"])
def test_with_hub_ids_allowed_paths_are_still_refused(asked: str) -> None:
    catalogue = Catalogue(SHIPPED, hub=True)
    assert catalogue.name("Qwen/Qwen2-VL-2B-Instruct") == "Qwen/Qwen2-VL-2B-Instruct"
    with pytest.raises(PromptError, match="or a hub id"):
        catalogue.name(asked)


def test_a_hub_id_that_is_a_folder_here_is_no_way_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PromptError):
        Catalogue(SHIPPED, hub=True).name("one/mine")


def test_a_card_needs_no_weights(folders: list[str]) -> None:
    (Path(folders[0]) / "model.safetensors").unlink()
    card = Catalogue(folders).card("A", "mine")
    assert (card["family"], card["title"]) == ("qwen2-vl", "Qwen2-VL")
    assert folders[0] not in str(card)
