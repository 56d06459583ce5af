"""What the page says of a file that a visitor gives: its kind and size, and what of it is not seen."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from app.asking.pictures import describe
from app.serving.wire import plain
from qwenvl.errors import Sentence


def test_what_is_seen_otherwise_is_said_with_its_template(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    Image.new("RGBA", (8, 6), (200, 30, 30, 128)).save(path)
    found = describe(str(path))
    assert (found["kind"], found["size"]) == ("image", [8, 6])
    assert found["note"].startswith("logo.png is transparent in parts and is seen on white")
    sent = plain(found["note"])
    assert sent["values"] == {"name": "logo.png"}


def test_several_remarks_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "pages.tiff"
    pages = [Image.new("RGBA", (8, 6), (200, 30, 30, 128)) for _ in range(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    note = describe(str(path))["note"]
    assert isinstance(note, Sentence)
    assert note.startswith("pages.tiff has 3 pages and the first is seen")
    assert "seen on white" in note
    assert note.template == "{first} {rest}"


def test_an_ordinary_picture_needs_no_word(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    Image.new("RGB", (8, 6)).save(path)
    assert describe(str(path))["note"] == ""
