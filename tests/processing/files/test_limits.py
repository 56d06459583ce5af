"""What reading a picture takes, measured of a process of its own, and what is refused before a pixel is read."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import qwenvl
from qwenvl.errors import MediaError
from qwenvl.processing.files import limits
from qwenvl.processing.files.limits import LIBRARY, SERVER, set_limits
from qwenvl.processing.files.picture_files import measure_picture, open_picture, read_picture
from tests.support.commands import HANGING
from tests.support.pngs import large_png

ROOT = Path(__file__).parents[3]
SIDE = 9000
# The kernel's own figure: `getrusage` begins at that of the process which started this one.
READ = """
import json, sys, time
from qwenvl.processing.files.picture_files import measure_picture, open_picture
held_most = lambda: int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
before, begun = held_most(), time.process_time()
size = open_picture(sys.argv[2]).size if sys.argv[1] == "read" else measure_picture(sys.argv[2]).size
most = held_most()
print(json.dumps([size, (most - before) * 1024, most * 1024, time.process_time() - begun]))
"""


@pytest.fixture
def server() -> Iterator[None]:
    set_limits(SERVER)
    yield
    set_limits(LIBRARY)


def taken(act: str, path: Path) -> tuple[list[int], int, int, float]:
    """Size of a picture, bytes that the process grew by, its bytes at most, and processor seconds."""
    command = [sys.executable, "-c", READ, act, str(path)]
    named = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=named, capture_output=True, text=True, timeout=HANGING, check=True)
    size, grown, most, seconds = json.loads(done.stdout)
    return size, grown, most, seconds


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells what a process holds")


@linux
@pytest.mark.slow
@pytest.mark.parametrize(("kind", "depth"), [(2, 16), (6, 16), (6, 8)])
def test_a_large_png_takes_little_more_than_it_shows(kind: int, depth: int, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(large_png(SIDE, SIDE, depth, kind))
    size, grown, most, _ = taken("read", path)
    assert size == [SIDE, SIDE]
    assert grown < 3 * SIDE * SIDE + 150_000_000
    assert most < 450_000_000


@linux
@pytest.mark.slow
def test_what_is_measured_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(large_png(SIDE, SIDE, 16, 2))
    size, _, most, seconds = taken("measure", path)
    assert size == [SIDE, SIDE]
    assert most < 300_000_000
    assert seconds < 0.5


def test_a_plan_of_a_large_picture_reads_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (2400, 1900)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGBA", (2400, 1900)).save(tmp_path / "b.png", exif=exif)
    Image.init()  # one of Pillow's plugins draws a palette when it is read in
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("pixels were read"))
    assert [qwenvl.plan(tmp_path / name, "Qwen2-VL-2B").media[0].size for name in ("a.jpg",)] == [(1900, 2400)]
    monkeypatch.undo()
    found = measure_picture(tmp_path / "b.png")
    assert (found.size, found.picture) == ((1900, 2400), None)
    assert "b.png has an alpha channel: where it is transparent it is seen on white" in found.note


def packed(form: str) -> bytes:
    file, side = io.BytesIO(), 6500
    if form == "cmyk.jpg":
        Image.new("CMYK", (side, side)).save(file, "JPEG")
    elif form == "progressive.jpg":
        Image.new("RGB", (side, side)).save(file, "JPEG", progressive=True)
    elif form == "rgba.tif":
        Image.new("RGBA", (side, side)).save(file, "TIFF", compression="tiff_lzw")
    else:
        Image.new("RGB", (side, side)).save(file, "WEBP")
    return file.getvalue()


@pytest.mark.parametrize("form", ["cmyk.jpg", "progressive.jpg", "rgba.tif", "rgb.webp"])
def test_a_server_refuses_what_is_packed_too_dearly(form: str, server: None) -> None:
    content = packed(form)
    for look in (read_picture, measure_picture):
        with pytest.raises(MediaError, match=r"42,250,000 pixels, packed so that reading it takes [\d,]+ MB"):
            look(content)
    set_limits(LIBRARY)
    assert measure_picture(content).size == (6500, 6500)


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan stands there again and again."""
    file = io.BytesIO()
    Image.effect_noise((400, 400), 60).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + b"\xff\xd9"


def test_a_jpeg_of_thousands_of_scans_is_refused_at_once(server: None) -> None:
    begun = time.process_time()
    with pytest.raises(MediaError, match=r"is a JPEG of 2,0\d\d scans, each of which decodes it once more, and 64"):
        open_picture(scans(2000))
    assert time.process_time() - begun < 5
    assert open_picture(scans(1)).size == (400, 400)


def test_no_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Image.new("RGB", (60, 60)).save(tmp_path / "a.png")

    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", no_memory)
    Image.new("L", (60, 60)).save(tmp_path / "grey.png")
    with pytest.raises(MediaError, match=r"^grey\.png needs more memory than there is"):
        open_picture(tmp_path / "grey.png")


def test_large_pictures_wait_for_each_other(server: None) -> None:
    assert limits.SERVER.at_once == 2
    with limits.turn(limits.DEAR), limits.turn(limits.DEAR), limits.turn(limits.DEAR - 1):
        assert not limits._turns.acquire(blocking=False)
    assert limits._turns.acquire(blocking=False)
    limits._turns.release()
