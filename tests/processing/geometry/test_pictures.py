"""Pictures: every mode and every kind of damage, sizes, and pixel values bit for bit."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as reference_smart_resize

from qwenvl.errors import MediaError
from qwenvl.processing.files import picture_files
from qwenvl.processing.geometry import pictures, pixels

GOLDENS = Path(__file__).parents[2] / "goldens"
PUBLISHED = {"min_pixels": 3136, "max_pixels": 12_845_056}
SIZES = json.loads((GOLDENS / "qwen2-vl" / "preprocessing.json").read_text(encoding="utf-8"))["images"]


def half_and_half(width: int = 40, height: int = 20) -> Image.Image:
    """Red left, blue right."""
    picture = Image.new("RGB", (width, height), (200, 10, 20))
    picture.paste((5, 60, 220), (width // 2, 0, width, height))
    return picture


def saved(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("row", SIZES, ids=lambda row: f"{row['height']}x{row['width']}-{row['max_pixels']}")
def test_sizes_equal_the_golden_table(row: dict) -> None:
    limits = {name: row[name] for name in ("min_pixels", "max_pixels")}
    expected = row["hf_5.23"]
    if "error" in expected:
        with pytest.raises(MediaError, match=r"200\.1 times the other"):
            pictures.smart_resize(row["height"], row["width"], **limits)
        return
    height, width = pictures.smart_resize(row["height"], row["width"], **limits)
    assert (height, width) == (expected["height"], expected["width"])
    assert expected["grid_thw"] == [1, height // 14, width // 14]


def test_sizes_equal_those_of_transformers_on_random_pictures() -> None:
    draw = random.Random(0)
    refused = 0
    for _ in range(3000):
        height, width = (round(10 ** draw.uniform(0, 3.9)) for _ in range(2))
        min_pixels = draw.choice([784, 3136, 50176, 200704])
        max_pixels = max(min_pixels, draw.choice([3136, 12544, 1_003_520, 12_845_056]))
        try:
            expected = reference_smart_resize(height, width, 28, min_pixels, max_pixels)
        except ValueError:
            refused += 1
            with pytest.raises(MediaError):
                pictures.smart_resize(height, width, min_pixels=min_pixels, max_pixels=max_pixels)
            continue
        assert pictures.smart_resize(height, width, min_pixels=min_pixels, max_pixels=max_pixels) == expected
    assert 0 < refused < 1500


@pytest.mark.parametrize(
    ("size", "limits", "bites"),
    [
        ((480, 640), PUBLISHED, None),
        ((1, 1), PUBLISHED, "min_pixels"),
        ((4320, 7680), PUBLISHED, "max_pixels"),
        ((3000, 4000), PUBLISHED, None),
        ((3000, 4000), {"min_pixels": 3136, "max_pixels": 1_003_520}, "max_pixels"),
    ],
)
def test_the_limit_that_bites(size: tuple[int, int], limits: dict[str, int], bites: str | None) -> None:
    assert pictures.limit_that_bites(*size, **limits) == bites


@pytest.mark.parametrize(("low", "high", "words"), [(2, 1, "above"), (0, 1, "from 1 up"), (1, 1.5, "from 1 up")])
def test_limits_that_cannot_be_met_are_refused(low: int, high: int, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        pictures.check_limits(low, high)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "RGBa", "P", "CMYK", "YCbCr", "HSV", "LAB"])
def test_colour_modes_keep_their_colours(mode: str) -> None:
    source = half_and_half()
    if mode == "RGBa":
        source = source.convert("RGBA").convert("RGBa")
    elif mode == "P":
        source = source.quantize(4)
    elif mode == "LAB":
        source = Image.merge("LAB", [Image.new("L", source.size, value) for value in (137, 128, 128)])
    else:
        source = source.convert(mode)
    picture = picture_files.open_picture(source)
    left = (130, 130, 130) if mode == "LAB" else (200, 10, 20)
    assert picture.mode == "RGB"
    assert picture.size == (40, 20)
    assert np.abs(np.array(picture.getpixel((3, 10))) - left).max() <= 4


@pytest.mark.parametrize("mode", ["L", "LA", "La", "1", "I", "F"])
def test_grey_modes_keep_their_grey(mode: str) -> None:
    grey = Image.new("L", (6, 4), 255)
    source = grey.convert("LA").convert("La") if mode == "La" else grey.convert(mode)
    if mode == "I":
        source = Image.new("I", (6, 4), 65535)
    assert picture_files.open_picture(source).getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I"])
def test_sixteen_bits_are_divided_by_257(mode: str) -> None:
    values = np.array([[0, 128, 129, 257, 32_896, 65_535]], dtype=np.uint16)
    source = Image.fromarray(values.astype(np.int32)) if mode == "I" else Image.fromarray(values)
    if mode in ("I;16B", "I;16L"):
        order = ">u2" if mode == "I;16B" else "<u2"
        source = Image.frombytes(mode, (6, 1), values.astype(order).tobytes())
    picture = picture_files.open_picture(source)
    assert np.asarray(picture)[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]


def test_a_sixteen_bit_file_is_scaled_not_clipped(tmp_path: Path) -> None:
    path = saved(Image.fromarray(np.full((5, 7), 40_000, np.uint16)), tmp_path / "deep.png")
    assert picture_files.open_picture(path).getpixel((0, 0)) == (156, 156, 156)


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16-bit colour, uint16 (height, width, 3 or 4)."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, rows, depth=16, colour={3: 2, 4: 6}[channels])


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_is_divided_by_257_too(channels: int, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 65_536, (40, 30, channels)).astype(np.uint16)
    alpha = values[..., 3:] / 65_535 if channels == 4 else 1.0
    expected = (values[..., :3] / 257 * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    assert (expected != values[..., :3] >> 8).any()  # the high byte alone would not do
    (tmp_path / "deep.png").write_bytes(deep_png(values))
    assert np.array_equal(np.asarray(picture_files.open_picture(tmp_path / "deep.png")), expected)


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"compression": "zlib"}])
def test_sixteen_bit_colour_of_a_tiff(options: dict, tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 65_536, (40, 30, 3)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "deep.tiff", values, photometric="rgb", **options)
    picture = picture_files.open_picture(tmp_path / "deep.tiff")
    assert np.array_equal(np.asarray(picture), (values / 257).round().astype(np.uint8))


@pytest.mark.parametrize(("value", "grey"), [(0.5, 128), (1.0, 255), (200.0, 200), (float("nan"), 0)])
def test_float_pixels(value: float, grey: int) -> None:
    source = Image.fromarray(np.full((2, 2), value, np.float32))
    assert picture_files.open_picture(source).getpixel((1, 1)) == (grey,) * 3


def test_what_is_transparent_is_seen_on_white(tmp_path: Path) -> None:
    transparent = Image.new("RGBA", (4, 4), (10, 200, 30, 0))
    assert picture_files.open_picture(transparent).getpixel((0, 0)) == (255, 255, 255)
    palette = half_and_half().quantize(4)
    path = saved(palette, tmp_path / "palette.png", transparency=palette.getpixel((0, 0)))
    picture = picture_files.open_picture(path)
    assert (picture.getpixel((0, 0)), picture.getpixel((39, 0))) == ((255, 255, 255), (5, 60, 220))


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for name in ("clip.gif", "clip.webp", "clip.png"):
        options = {"lossless": True} if name.endswith("webp") else {}
        path = saved(frames[0], tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert picture_files.open_picture(path).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
def test_every_exif_orientation_is_made_upright(orientation: int, suffix: str, tmp_path: Path) -> None:
    upright = half_and_half(40, 24)
    upright.paste((250, 250, 250), (0, 0, 20, 12))
    # How a camera that is held so stores it: the inverse of the turn that the tag asks for.
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(stored, tmp_path / f"turned.{suffix}", exif=exif)
    picture = picture_files.open_picture(path)
    assert picture.size == (40, 24)
    corners = [picture.getpixel(place) for place in ((5, 5), (35, 5), (5, 19), (35, 19))]
    expected = [(250, 250, 250), (5, 60, 220), (200, 10, 20), (5, 60, 220)]
    assert np.abs(np.array(corners) - expected).max() < 25


def test_the_given_picture_is_neither_changed_nor_shared() -> None:
    source = half_and_half()
    opened = picture_files.open_picture(source)
    opened.paste("white", (0, 0, 40, 20))
    assert source.getpixel((0, 0)) == (200, 10, 20)


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([depth, colour, 0, 0, 0])
    chunks = b""
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        chunks += len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + chunks


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises pixels and holds next to none."""
    return png(width, height, b"\0" * 1000)


def jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).save(buffer, "JPEG")
    return buffer.getvalue()


DAMAGED = {
    "notes.png": (b"This is not a picture.", "is not a picture"),
    "empty.png": (b"", "is empty"),
    "cut.jpg": (jpeg_bytes()[:9000], "cut short or damaged"),
    "cut.png": (png_header(60, 60), "cut short or damaged"),
    "header.ppm": (b"P6 9x 9 255\n", "cut short or damaged"),
    "bomb.png": (png_header(60_000, 60_000), "more than 89,478,485 pixels"),
    "big.png": (png_header(10_000, 10_000), "more than 89,478,485 pixels"),
    "strip.png": (png_header(30_000, 2), "30000 × 2, one side 15,000.0 times the other"),
    "drawing.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "is not a picture"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_sound_picture_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    content, words = DAMAGED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=words) as caught:
        picture_files.open_picture(path)
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert str(tmp_path) not in sentence


def test_a_bomb_is_refused_before_a_pixel_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(12_000, 12_000))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("pixels were decoded"))
    with pytest.raises(MediaError, match="scale it down"), pytest.warns(Image.DecompressionBombWarning):
        picture_files.open_picture(path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff", "webp", "bmp", "ppm", "jp2", "avif", "ico"])
def test_no_damage_gets_past_as_another_error(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if suffix in ("png", "jpg", "webp", "tiff") else {}
    content = saved(half_and_half(), tmp_path / f"sound.{suffix}", **options).read_bytes()
    draw, sentences = random.Random(suffix), []
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 8)):
            damaged[draw.randrange(min(len(damaged), 80))] = draw.randrange(256)
        path = tmp_path / f"damaged.{suffix}"
        path.write_bytes(damaged[: draw.randrange(1, len(damaged))] if draw.random() < 0.4 else damaged)
        try:
            assert picture_files.open_picture(path).mode == "RGB"
        except MediaError as error:
            sentences.append(str(error))
    assert len(sentences) > 10
    assert not any("\n" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.png", "There is no file nowhere.png"),
        (Path(__file__).parent, "is a folder"),
        (12, "a PIL image or a NumPy array, not int"),
        (Image.new("RGB", (0, 9)), "has no pixels"),
    ],
)
def test_what_cannot_be_opened_is_refused(source: object, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        picture_files.open_picture(source)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_leaves_the_pixels_as_they_stand(tmp_path: Path) -> None:
    path = saved(half_and_half(), tmp_path / "odd.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01")
    assert picture_files.open_picture(path).size == (40, 20)


@pytest.mark.parametrize("case", ["dev-a", "dev-b", "dev-geom"])
def test_the_squash_equals_the_golden_bit_for_bit(case: str) -> None:
    folder = GOLDENS / "qwen-vl" / case
    golden = load_file(folder / "io.safetensors")
    image_size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["visual"]["image_size"]
    values = pixels.squash(picture_files.open_picture(folder / "image.png"), image_size)
    assert values.shape == (3, image_size, image_size)
    if "pixel_values" in golden:
        assert torch.equal(values[None], golden["pixel_values"])
    else:
        assert torch.equal(values[None, :, ::16, ::16], golden["pixel_values_stride16"])


def golden_frames(golden: dict[str, torch.Tensor], case: str, limits: dict[str, int]) -> dict[str, list]:
    """The frames of every media of a golden case, by the key of its pixel values; clips there are not resized."""
    frames: dict[str, list] = {}
    for key in sorted(key for key in golden if key.startswith((f"{case}/image", f"{case}/video"))):
        if key[-1].isdigit() and key.startswith(f"{case}/image"):
            picture = Image.fromarray(golden[key].numpy())
            height, width = pictures.smart_resize(picture.height, picture.width, **limits)
            frames.setdefault("pixel_values", []).append([pictures.resize(picture, width, height)])
        elif key[-1].isdigit():
            clip = [Image.fromarray(frame.numpy()) for frame in golden[key]]
            frames.setdefault("pixel_values_videos", []).append(clip)
    return frames


@pytest.mark.parametrize("case", ["image", "two_images", "video", "interleaved", "batch2_leftpad"])
@pytest.mark.parametrize("folder", ["dev-a", "dev-b"])
def test_patches_equal_the_goldens_bit_for_bit_and_turn_back_without_error(folder: str, case: str) -> None:
    golden = load_file(GOLDENS / "qwen2-vl" / folder / "io.safetensors")
    limits = json.loads((GOLDENS / "qwen2-vl" / folder / "meta.json").read_text(encoding="utf-8"))["processor"]
    media = golden_frames(golden, case, {name: limits[name] for name in ("min_pixels", "max_pixels")})
    assert media
    for key, clips in media.items():
        cut = [pixels.patches(frames) for frames in clips]
        assert torch.equal(torch.cat([values for values, _ in cut]), golden[f"{case}/{key}"])
        grids = {"pixel_values": "image_grid_thw", "pixel_values_videos": "video_grid_thw"}[key]
        assert [list(grid) for _, grid in cut] == golden[f"{case}/{grids}"].tolist()
        for frames, (values, grid) in zip(clips, cut, strict=True):
            padded = [*frames, frames[-1]][: 2 * grid[0]]
            expected = np.stack([np.asarray(frame) for frame in padded])
            assert np.array_equal(pixels.unpatch(values, grid).numpy(), expected)


PHOTOS = ["chelsea", "coffee", "astronaut", "rocket", "camera", "text"]


@pytest.mark.parametrize("photo", PHOTOS)
def test_patches_equal_those_of_transformers_on_photos(photo: str) -> None:
    picture = picture_files.open_picture(Image.fromarray(getattr(skimage.data, photo)()))
    for limits in (PUBLISHED, {"min_pixels": 3136, "max_pixels": 100_352}):
        height, width = pictures.smart_resize(picture.height, picture.width, **limits)
        values, grid = pixels.patches([pictures.resize(picture, width, height)])
        reference = Qwen2VLImageProcessorPil(**limits)(images=[picture], return_tensors="pt")
        assert torch.equal(values, reference["pixel_values"])
        assert [list(grid)] == reference["image_grid_thw"].tolist()


@pytest.mark.parametrize("photo", PHOTOS)
def test_the_squash_is_the_published_formula_on_photos(photo: str) -> None:
    picture = picture_files.open_picture(Image.fromarray(getattr(skimage.data, photo)()))
    square = np.asarray(picture.resize((448, 448), Image.Resampling.BICUBIC), dtype=np.float32) / np.float32(255)
    mean = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
    deviation = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
    expected = ((square - mean) / deviation).transpose(2, 0, 1)
    assert np.array_equal(pixels.squash(picture, 448).numpy(), expected)


def test_every_pixel_value_turns_back_without_error() -> None:
    every = torch.arange(256, dtype=torch.uint8).repeat(3, 1)
    assert torch.equal(pixels.denormalise(pixels.normalise(every)), every)


@pytest.mark.parametrize("grid", [(1, 2, 2), (1, 4, 6), (3, 2, 8), (2, 58, 2)])
def test_the_two_orders_are_inverse_and_four_rows_are_one_token(grid: tuple[int, int, int]) -> None:
    order, back = pixels.processor_order(grid), pixels.raster_order(grid)
    assert torch.equal(order[back], torch.arange(len(order)))
    time, rows, columns = grid
    for token, four in enumerate(order.view(-1, 4).tolist()):
        cell, inside = divmod(token, rows // 2 * (columns // 2))
        row, column = divmod(inside, columns // 2)
        first = cell * rows * columns + 2 * row * columns + 2 * column
        assert four == [first, first + 1, first + columns, first + columns + 1]
    assert cell == time - 1


# --- what it costs, whatever the machine ---


@pytest.mark.parametrize("size", [(640, 361), (241, 120), (100, 7)])
@pytest.mark.parametrize("into", [(56, 28), (196, 140), (700, 420)])
def test_a_frame_in_bands_equals_a_frame_at_once_bit_for_bit(size: tuple[int, int], into: tuple[int, int]) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    whole = torch.from_numpy(drawn).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(whole, into[::-1], mode="bicubic", antialias=True)[0]
    expected = expected.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    for given in (drawn, Image.fromarray(drawn)):
        assert np.array_equal(np.asarray(pixels.resize_frame(given, *into)), expected)


def test_a_frame_is_never_held_whole_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    stretch = pixels._stretch
    monkeypatch.setattr(
        pixels, "_stretch", lambda values, *size: (held.append(values.numel()), stretch(values, *size))[1]
    )
    pixels.resize_frame(np.zeros((1000, 1600, 3), np.uint8), 140, 84)
    assert max(held) <= max(3 * pixels.ROWS_AT_ONCE * 1600, 3 * 1000 * 140)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_still_is_a_clip_of_two_equal_frames(count: int) -> None:
    random_pixels = np.random.default_rng(count).integers(0, 256, (count, 84, 56, 3), dtype=np.uint8)
    frames = [Image.fromarray(frame) for frame in random_pixels]
    repeated = [*frames, frames[-1]] if count % 2 else frames
    values, grid = pixels.patches(frames)
    again, same_grid = pixels.patches(repeated)
    assert grid == same_grid
    assert torch.equal(values, again)


def test_a_still_is_stacked_once() -> None:
    """Beside its values: the picture's bytes, and the same in the order of patches."""
    picture = Image.new("RGB", (1400, 1400))
    tracemalloc.start()
    pixels.patches([picture])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 3.2 * 3 * 1400 * 1400


@pytest.mark.parametrize("orientation", [None, 1, 6])
def test_a_picture_is_copied_once(orientation: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = half_and_half()
    if orientation:
        picture.getexif()[0x0112] = orientation
    made: list[str] = []
    for name in ("copy", "convert", "transpose"):
        method = getattr(Image.Image, name)
        monkeypatch.setattr(
            Image.Image,
            name,
            lambda *given, name=name, method=method, **rest: (made.append(name), method(*given, **rest))[1],
        )
    opened = picture_files.open_picture(picture)
    assert made == (["transpose"] if orientation == 6 else ["copy"])
    assert opened is not picture
