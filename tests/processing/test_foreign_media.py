"""Pictures and clips as other tools make them: seen as a user sees them, and what is left out is said."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pi_heif
import pytest
import tifffile
from PIL import Image
from transformers.image_transforms import convert_to_rgb

import qwenvl
from qwenvl.errors import MediaError
from qwenvl.processing.files.clips import is_clip, open_clip
from qwenvl.processing.files.jpeg_ends import mended
from qwenvl.processing.files.picture_files import is_picture, open_picture, read_picture
from tests.support.clips import drawn
from tests.support.goldens import GOLDENS
from tests.support.tiny import mosaic, tiny

MEDIA = GOLDENS / "media"


def asked(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What?"}]}]


# --- transparency ---


def with_alpha() -> Image.Image:
    """Colours and alpha that both run from 0 to 255."""
    values = np.zeros((16, 16, 4), np.uint8)
    values[..., 0], values[..., 1] = np.arange(256).reshape(16, 16), np.arange(256)[::-1].reshape(16, 16)
    values[..., 3] = np.arange(256).reshape(16, 16).T
    return Image.fromarray(values)


def palette() -> Image.Image:
    picture = with_alpha().convert("RGB").quantize(16)
    picture.info["transparency"] = bytes(range(0, 256, 16))
    return picture


TRANSPARENT: dict[str, Callable[[], Image.Image]] = {
    "RGBA": with_alpha,
    "LA": lambda: with_alpha().convert("LA"),
    "PA": lambda: with_alpha().quantize(16).convert("PA"),
    "a palette": palette,
    "a colour": lambda: _named(with_alpha().convert("RGB"), (0, 255, 0)),
    "a grey": lambda: _named(with_alpha().convert("L"), 100),
}


def _named(picture: Image.Image, transparent: Any) -> Image.Image:
    picture.info["transparency"] = transparent
    return picture


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_what_is_transparent_is_seen_as_transformers_sees_it(kind: str, tmp_path: Path) -> None:
    source = TRANSPARENT[kind]()
    read = read_picture(source)
    expected = convert_to_rgb(TRANSPARENT[kind](), return_numpy=True)
    assert np.array_equal(np.asarray(read.picture), expected)
    assert (expected == 255).all(axis=-1).any() or kind == "PA"
    if not np.array_equal(expected, np.asarray(TRANSPARENT[kind]().convert("RGB"))):
        assert "is seen on white" in read.note
        assert "Qwen-VL code drops" in read.note


def test_the_ink_of_a_logo_is_seen_and_noted_everywhere(tmp_path: Path) -> None:
    path = MEDIA / "ink_on_transparent.png"
    expected = convert_to_rgb(Image.open(path), return_numpy=True)
    assert np.array_equal(np.asarray(open_picture(path)), expected)
    assert expected.min() < 60 < 250 < expected.max()  # dark ink on white
    for name in ("tiny-qwen-vl", "tiny-qwen2-vl"):
        run = tiny(name).run(asked({"type": "image", "image": str(path)}), answer="a")
        assert "ink_on_transparent.png is transparent in parts and is seen on white" in run.media[0].note
        assert qwenvl.plan(path, name).notes == (run.media[0].note,)
        run.save(tmp_path / "a.run")
        assert qwenvl.Run.load(tmp_path / "a.run").media[0].note == run.media[0].note


def test_an_alpha_that_hides_nothing_is_not_noted() -> None:
    opaque = mosaic(4, 4).convert("RGBA")
    assert read_picture(opaque).note == ""
    assert np.array_equal(np.asarray(open_picture(opaque)), np.asarray(mosaic(4, 4)))


def test_grey_of_16_bits_with_one_transparent_value(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">4H", 0, 1000, 30_000, 65_535) for _ in range(4))
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", 4, 4, 16, 0, 0, 0, 0), b"tRNS" + struct.pack(">H", 1000))
    (tmp_path / "grey.png").write_bytes(png_of(*chunks, b"IDAT" + zlib.compress(rows), b"IEND"))
    read = read_picture(tmp_path / "grey.png")
    assert np.asarray(read.picture)[0, :, 0].tolist() == [0, 255, round(30_000 / 257), 255]
    assert "is seen on white" in read.note


def png_of(*chunks: bytes) -> bytes:
    """A PNG file of these chunks."""
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_frames_of_a_transparent_animation_are_seen_on_white(suffix: str, tmp_path: Path) -> None:
    frames = []
    for shade in (40, 200, 120):
        frame = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
        frame.paste((shade, 0, 0, 255), (8, 8, 24, 24))
        frames.append(frame)
    path = tmp_path / f"moving.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=200, loop=0, disposal=2)
    clip = open_clip(path)
    assert len(clip.times) == 3
    assert "its frames are seen on white" in clip.note
    for frame in clip.read([0, 1, 2]):
        assert frame.getpixel((1, 1)) == (255, 255, 255)
        assert frame.getpixel((16, 16))[1] < 20
    media = tiny("tiny-qwen2-vl").processor(asked({"type": "video", "video": str(path)})).media[0]
    assert "seen on white" in media.note


# --- what else a file holds ---


def test_pages_and_pictures_that_are_left_out_are_noted(tmp_path: Path) -> None:
    first, second = mosaic(4, 4), mosaic(4, 4, seed=1)
    first.save(tmp_path / "pages.tiff", save_all=True, append_images=[second, second])
    assert "has 3 pages and the first is seen" in read_picture(tmp_path / "pages.tiff").note
    first.save(tmp_path / "stereo.mpo", save_all=True, append_images=[second])
    read = read_picture(tmp_path / "stereo.mpo")
    assert "holds 2 pictures and the main one is seen" in read.note
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    assert "has 2 frames and the first is seen; ask about it as a clip" in read_picture(tmp_path / "moving.gif").note
    first.save(tmp_path / "icon.ico", sizes=[(16, 16), (32, 32)])
    assert "holds 2 sizes" in read_picture(tmp_path / "icon.ico").note
    first.save(tmp_path / "one.tiff")
    assert read_picture(tmp_path / "one.tiff").note == ""


def test_values_of_12_bits_in_16_are_noted(tmp_path: Path) -> None:
    values = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    tifffile.imwrite(tmp_path / "grey.tiff", values)
    tifffile.imwrite(tmp_path / "colour.tiff", np.dstack([values] * 3), photometric="rgb")
    for name in ("grey.tiff", "colour.tiff"):
        read = read_picture(tmp_path / name)
        assert "none of which is above 4,095" in read.note
        assert np.asarray(read.picture).max() == round(4095 / 257)
    tifffile.imwrite(tmp_path / "full.tiff", (values * 16).astype(np.uint16))
    assert read_picture(tmp_path / "full.tiff").note == ""


def test_floats_beyond_their_range_are_noted(tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 1000, 64, dtype=np.float32).reshape(8, 8)).save(tmp_path / "wide.tiff")
    assert "values beyond 0 to 255" in read_picture(tmp_path / "wide.tiff").note


@pytest.mark.parametrize(("transfer", "noted"), [(16, True), (18, True), (13, False), (1, False)])
def test_hdr_is_noted(transfer: int, noted: bool, tmp_path: Path) -> None:
    file = io.BytesIO()
    mosaic(4, 4).save(file, "PNG")
    content = file.getvalue()
    chunk = b"cICP" + bytes([9, transfer, 0, 1])
    framed = struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(content[:33] + framed + content[33:])
    assert ("is an HDR picture" in read_picture(tmp_path / "a.png").note) == noted


def test_a_gain_map_is_noted(tmp_path: Path) -> None:
    mosaic(4, 4).save(tmp_path / "a.jpg", xmp=b'<x:xmpmeta xmlns:hdrgm="http://ns" hdrgm:Version="1.0"/>')
    assert "is an HDR picture" in read_picture(tmp_path / "a.jpg").note


# --- HEIC and AVIF ---


def test_a_heic_photo_in_tiles_is_read_whole_in_every_door(tmp_path: Path) -> None:
    path = MEDIA / "iphone_grid.heic"
    expected = np.asarray(pi_heif.open_heif(path).to_pillow().convert("RGB"))
    picture = open_picture(path)
    assert picture.size == (1024, 1024)
    assert np.array_equal(np.asarray(picture), expected)
    corners = [picture.getpixel(place) for place in ((100, 100), (900, 100), (100, 900), (900, 900))]
    for (red, green, blue), brightest in zip(corners, ("red", "green", "blue", "yellow"), strict=True):
        found = {"red": red > 150 > green, "green": green > 150 > red, "blue": blue > 150 > red}
        assert found.get(brightest, red > 150 < green)
    assert is_picture(path)
    assert not is_clip(path)
    assert open_picture(path.read_bytes()).size == (1024, 1024)
    renamed = tmp_path / "photo.mp4"
    renamed.write_bytes(path.read_bytes())
    for name in ("tiny-qwen-vl", "tiny-qwen2-vl"):
        prompt = tiny(name).processor(asked({"type": "image", "image": path}, {"type": "image", "image": renamed}))
        assert [media.size for media in prompt.media] == [(1024, 1024)] * 2
        assert [media.kind for media in prompt.media] == ["image", "image"]
        assert qwenvl.plan([path, renamed], name).media[1].size == (1024, 1024)
    rows = qwenvl.plan_table(tmp_path, "tiny-qwen2-vl").rows
    assert [(row["width"], row["kind"]) for row in rows] == [(1024, "image")]
    with pytest.raises(MediaError, match="is a picture, not a clip"):
        open_clip(path)


def turned_heic(quarters: int) -> bytes:
    """The tiled photo with a property that turns it, anti-clockwise, as a phone that was held on its side writes it."""
    content = bytearray((MEDIA / "iphone_grid.heic").read_bytes())
    turn = struct.pack(">I4sB", 9, b"irot", quarters)
    items = content.index(b"iloc") + 12  # of 16 bytes each: id, how it is placed, place, count, offset, length
    for at in range(items, items + 5 * 16, 16):
        if not struct.unpack_from(">H", content, at + 2)[0]:  # placed in the file, which grows before it
            struct.pack_into(">I", content, at + 8, struct.unpack_from(">I", content, at + 8)[0] + len(turn) + 1)
    uses = content.index(b"ipma")
    place = uses - 4 + struct.unpack_from(">I", content, uses - 4)[0]
    content[place - 3] += 1  # the last item, the grid, has one property more: the fifth, which must be understood
    content[place:place] = b"\x85"
    content[uses - 4 : uses - 4] = turn
    for name, more in ((b"ipco", len(turn)), (b"ipma", 1), (b"iprp", len(turn) + 1), (b"meta", len(turn) + 1)):
        at = content.index(name) - 4
        struct.pack_into(">I", content, at, struct.unpack_from(">I", content, at)[0] + more)
    return bytes(content)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_heic_photo_is_turned_upright(quarters: int, tmp_path: Path) -> None:
    content = turned_heic(quarters)
    (tmp_path / "a.heic").write_bytes(content)
    upright = np.asarray(open_picture(MEDIA / "iphone_grid.heic"))
    for source in (tmp_path / "a.heic", content):
        found = np.asarray(open_picture(source))
        assert np.array_equal(found, np.rot90(upright, quarters))
        assert np.array_equal(found, np.asarray(pi_heif.open_heif(io.BytesIO(content)).to_pillow().convert("RGB")))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_avif_is_read_upright(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = mosaic(4, 8, patch=16)
    source.save(tmp_path / "a.avif", quality=100, exif=exif)
    picture = open_picture(tmp_path / "a.avif")
    turns = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    expected = np.rot90(np.asarray(source), turns).astype(int)
    assert picture.size == (expected.shape[1], expected.shape[0])
    assert np.abs(np.asarray(picture).astype(int) - expected).mean() < 8


def test_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    clip = encode_clip(tmp_path / "clip.mp4")
    (tmp_path / "really.png").write_bytes(clip.read_bytes())
    mosaic(4, 4).save(tmp_path / "a.png")
    (tmp_path / "really.mp4").write_bytes((tmp_path / "a.png").read_bytes())
    assert not is_picture(tmp_path / "really.png")
    assert is_picture(tmp_path / "really.mp4")
    assert qwenvl.plan(tmp_path / "really.png", "tiny-qwen2-vl").media[0].kind == "video"
    assert qwenvl.plan(tmp_path / "really.mp4", "tiny-qwen2-vl").media[0].kind == "image"
    with pytest.raises(MediaError, match=r"really\.png is a clip, not a picture"):
        open_picture(tmp_path / "really.png")
    with pytest.raises(MediaError, match="is a picture, not a clip"):
        open_clip(tmp_path / "really.mp4")


# --- JPEG without its end ---


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_only_its_end_mark_is_read(progressive: bool, tmp_path: Path) -> None:
    file = io.BytesIO()
    mosaic(8, 8).save(file, "JPEG", progressive=progressive, quality=90)
    whole = file.getvalue()
    path = tmp_path / "a.jpg"
    path.write_bytes(whole[:-2])
    read = read_picture(path)
    assert np.array_equal(np.asarray(read.picture), np.asarray(open_picture(whole)))
    assert read.note == "a.jpg lacks its end mark and is whole otherwise."
    assert mended(whole[:-1]) == whole
    for cut in (3, 10, 40, 200, len(whole) // 2):
        path.write_bytes(whole[:-cut])
        if cut < 10 and mended(whole[:-cut]) is not None:
            continue  # the last byte was all padding
        with pytest.raises(MediaError, match="cut short or damaged"):
            open_picture(path)


def test_a_progressive_jpeg_without_its_last_scan_is_cut_short(tmp_path: Path) -> None:
    file = io.BytesIO()
    mosaic(8, 8).save(file, "JPEG", progressive=True, quality=90)
    whole = file.getvalue()
    last = whole.rindex(b"\xff\xda")
    before = max(whole.rfind(mark, 0, last) for mark in (b"\xff\xc4",))
    for cut in (last, before):
        (tmp_path / "a.jpg").write_bytes(whole[:cut])
        with pytest.raises(MediaError, match="cut short or damaged"):
            open_picture(tmp_path / "a.jpg")


# --- clips ---


def encode_clip(path: Path, count: int = 12) -> Path:
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=10, options={"g": "4", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(drawn(index, (64, 48)), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def decoded(path: Path) -> list[float]:
    """What a decoder shows of a file, as ffprobe counts frames."""
    with av.open(path) as file:
        return [float(frame.pts * frame.time_base) for frame in file.decode(video=0)]


def test_a_stream_cut_between_keyframes_is_counted_from_what_can_be_decoded() -> None:
    path = MEDIA / "cut_mid.ts"
    shown = decoded(path)
    clip = open_clip(path)
    assert len(clip.times) == len(shown) == 20
    assert clip.times == pytest.approx([second - shown[0] for second in shown])
    assert "begins with 12 frames that build on what was cut off" in clip.note
    frames = [np.asarray(frame).astype(int) for frame in clip.read(range(20))]
    assert all(np.abs(one - other).max() > 8 for one, other in pairwise(frames))
    media = tiny("tiny-qwen2-vl").processor(asked({"type": "video", "video": str(path)})).media[0]
    assert clip.note in media.note
    assert media.sampling is not None
    assert media.sampling.total_frames == 20


def test_a_stream_that_begins_with_an_open_group_is_counted_so_too(tmp_path: Path) -> None:
    """Leading pictures of an open group build on a group that is not there."""
    whole, cut = tmp_path / "whole.ts", tmp_path / "cut.ts"
    with av.open(whole, "w", format="mpegts") as file:
        stream = file.add_stream("mpeg2video", rate=25, options={"g": "9", "bf": "2", "flags": "-cgop", "b": "2M"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(drawn(index, (64, 48)), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with av.open(whole) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
        keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
        template = file.streams.video[0]
        with av.open(cut, "w", format="mpegts") as out:
            target = out.add_stream_from_template(template)
            for packet in packets[keys[1] :]:
                packet.stream = target
                out.mux(packet)
    shown, clip = decoded(cut), open_clip(cut)
    assert len(clip.times) == len(shown)
    assert clip.times == pytest.approx([second - shown[0] for second in shown])
    assert len(list(clip.read(range(len(clip.times))))) == len(shown)


def test_the_default_picture_of_an_apng_is_no_frame() -> None:
    clip = open_clip(MEDIA / "apng_default_image.png")
    assert clip.times == (0.0, 0.5)
    assert [frame.getpixel((2, 2)) for frame in clip.read([0, 1])] == [(0, 255, 0), (0, 0, 255)]
    part = {"type": "video", "video": str(MEDIA / "apng_default_image.png")}
    assert tiny("tiny-qwen2-vl").processor(asked(part)).media[0].timestamps == (0.0,)


def test_names_that_are_not_utf_8_are_shown_and_kept(tmp_path: Path) -> None:
    name = "caf\udce9.png"  # latin-1 on a disk that does not mind
    try:
        mosaic(4, 4).save(tmp_path / name)
    except (OSError, UnicodeEncodeError):
        pytest.skip("this disk takes UTF-8 names alone")
    run = tiny("tiny-qwen2-vl").run(asked({"type": "image", "image": str(tmp_path / name)}), answer="a")
    assert run.media[0].name == "caf\ufffd.png"
    run.save(tmp_path / "a.run")
    assert qwenvl.Run.load(tmp_path / "a.run").media[0].name == run.media[0].name


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as files")
def test_a_pipe_is_no_picture_and_no_clip(tmp_path: Path) -> None:
    subprocess.run(["mkfifo", tmp_path / "pipe.png"], check=True)
    for opener in (open_picture, open_clip):
        with pytest.raises(MediaError, match="a pipe or a device"):
            opener(tmp_path / "pipe.png")
