"""The page's examples are whole: every file is listed, opens, and says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parents[2] / "app" / "examples"
MANIFEST = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))


def test_every_picture_is_listed_and_its_licence_is_named() -> None:
    listed = [name for example in MANIFEST for name in example["files"]]
    pictures = {path.name for path in FOLDER.iterdir() if path.suffix in (".png", ".jpg")}
    licences = (FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    assert set(listed) == pictures
    assert all(f"`{name}`" in licences for name in listed)


def test_examples_say_what_they_are_and_begin_with_the_shapes() -> None:
    assert MANIFEST[0]["name"] == "shapes"
    assert len({example["name"] for example in MANIFEST}) == len(MANIFEST)
    for example in MANIFEST:
        assert set(example) == {"name", "title", "kind", "files", "question"}
        assert example["kind"] in ("photo", "scene")
        assert example["question"]


def test_one_example_has_two_pictures_of_different_sizes() -> None:
    sizes = []
    for example in MANIFEST:
        pictures = [Image.open(FOLDER / name) for name in example["files"]]
        sizes.append({picture.size for picture in pictures})
    assert max(len(found) for found in sizes) == 2
    assert sizes[0] == {(1064, 728)}
