"""Reads a file, bytes, an array or a PIL image as an upright 8-bit RGB picture, and says what was left out.

Knows pixels only: no conversation, no model. Before either model sees a picture it is made upright by EXIF, scaled to 8
bits, laid on white where it is transparent, and converted to RGB: both models see what the user sees. The published
tools differ: Qwen-VL's code and the processors of transformers ignore EXIF, Qwen-VL's code drops alpha, and Pillow's
own conversion clips 16-bit grey to white instead of scaling it. Colour profiles are applied by none of them, nor here.
"""

from __future__ import annotations

import base64
import io
import os
import stat
import sys
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from qwenvl.errors import MediaError, Sentence
from qwenvl.processing.files import png_strips
from qwenvl.processing.files.colours import Converted, Facts, of_high_and_low, strip_to_rgb, to_rgb
from qwenvl.processing.files.jpeg_ends import mended
from qwenvl.processing.files.limits import DEAR, check_cost, turn
from qwenvl.processing.files.picture_notes import bytes_of, left_out, said_of
from qwenvl.processing.geometry.pictures import check_size

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | np.ndarray | Image.Image
Opened = Path | bytes

MAX_DECODED_PIXELS = 89_478_485
"""Larger pictures are refused before a pixel is decoded: a quarter of a GiB as RGB, the line Pillow itself warns at."""

MAX_BYTES = 1 << 30  # of a picture given as bytes or in a data: URL

# Formats with a signature, decoded by Pillow itself or libheif: EPS, for one, would start another program.
_FORMATS = ("AVIF", "BMP", "DIB", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "QOI", "TIFF", "WEBP")
_READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG 2000, ICO, PPM or QOI"

_PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
_CLIP_STARTS = (
    *((4, name) for name in (b"ftyp", b"moov", b"mdat", b"moof", b"wide", b"skip")),
    *((0, start) for start in (b"\x1a\x45\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV\1", b"OggS", b"DKIF")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
)


@dataclass(frozen=True)
class ReadPicture:
    """A picture as both models see it.

    Attributes:
        picture: upright 8-bit RGB.
        note: what was left out or changed on the way, in sentences; "" for nothing.
    """

    picture: Image.Image
    note: str = ""


def open_picture(source: Source) -> Image.Image:
    """A picture as upright 8-bit RGB; `read_picture` without what there is to be said of it."""
    return read_picture(source).picture


def read_picture(source: Source, name: str = "This picture") -> ReadPicture:
    """Open a picture as upright 8-bit RGB.

    Palette, grey, 1-bit, CMYK and the rest become RGB; what is transparent lies on white; 16-bit values are divided by
    257 and rounded (but for grey with alpha, and colour in a given PIL image, of which Pillow keeps the high byte
    alone); float pixels are read as 0..1 where none exceeds 1, as 0..255 otherwise. Of an animation the first frame is
    taken, of a file of several pages or pictures the first.

    Args:
        source: path of a file, its name as a file:// URL, its bytes, a data: URL, an array (height, width, 3 or 4) of
            uint8, or a PIL image, which is left as it is.
        name: begins the sentences about what has no file name.

    Raises:
        MediaError: the file is missing, empty, damaged or no picture; it has no pixels, more than `MAX_DECODED_PIXELS`,
            or one side more than `MAX_ASPECT_RATIO` times the other; or an address on the network.
    """
    if isinstance(source, np.ndarray):
        source = _of_array(source)
    if isinstance(source, Image.Image):
        converted = upright_rgb(source, name)
        return ReadPicture(converted.picture, said_of(name, converted.remarks))
    opened = _opened(source, name)
    name = shown_name(opened) if isinstance(opened, Path) else name
    try:
        return _read(opened, name)
    except MediaError:
        raise
    except MemoryError:
        raise MediaError(
            Sentence.of("{name} needs more memory than there is: scale it down and try again.", name=name)
        ) from None
    except UnidentifiedImageError:
        raise MediaError(_not_a_picture(opened, name)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise MediaError(_too_large(name)) from None
    except PermissionError:
        raise MediaError(Sentence.of("{name} cannot be read; check that you may open it.", name=name)) from None
    # Readers raise whatever a damaged file makes them trip over: OSError, SyntaxError, struct.error, zlib.error ...
    except Exception:
        raise MediaError(_damaged(name)) from None


@dataclass(frozen=True)
class MeasuredPicture:
    """A picture whose pixels were not asked for.

    Attributes:
        size: (width, height) as it stands upright.
        picture: of a small one, which was read to know that it can be.
    """

    size: tuple[int, int]
    note: str
    picture: Image.Image | None = None


def measure_picture(source: Source, name: str = "This picture") -> MeasuredPicture:
    """Size of a picture, and what there is to be said of it; of a large file the header alone is read.

    Raises:
        MediaError: as `read_picture`; a large file may be damaged beyond its header.
    """
    if isinstance(source, str | os.PathLike | bytes | bytearray | memoryview):
        opened = _opened(source, name)
        name = shown_name(opened) if isinstance(opened, Path) else name
        try:
            with open_file(opened) as picture:
                if picture.width * picture.height >= DEAR:
                    return _of_header(picture, opened, name)
        except MediaError:
            raise
        except Exception:  # what cannot be opened: told below
            pass
    read = read_picture(source, name)
    return MeasuredPicture(read.picture.size, read.note, read.picture)


def _of_header(picture: ImageFile.ImageFile, opened: Opened, name: str) -> MeasuredPicture:
    _check_pixels(picture, name)
    notes, strips = list(left_out(picture, opened, name)), _header_for_strips(picture, opened)
    with bytes_of(opened) as file:
        deep = bool(_swapped_bytes(picture.tile))
        check_cost(picture, file, name, in_strips=strips is not None, is_deep=deep)
    turned = png_strips.orientation(strips) if strips else picture.getexif().get(ExifTags.Base.Orientation, 1)
    if "A" in picture.getbands() or picture.info.get("transparency") is not None:
        template = (
            "{name} has an alpha channel: where it is transparent it is seen on white, as transformers does; the "
            "published Qwen-VL code drops the transparency instead."
        )
        notes.append(Sentence.of(template, name=name))
    return MeasuredPicture(picture.size[::-1] if turned in (5, 6, 7, 8) else picture.size, Sentence.joined(notes))


def name_of_source(source: Any, otherwise: str) -> str:
    """The name of a file without its folder; `otherwise` for what is none."""
    if isinstance(source, str) and source.startswith("data:"):
        return otherwise
    return shown_name(path_of(source)) if isinstance(source, str | os.PathLike) else otherwise


def shown_name(path: Path) -> str:
    """A file's name without its folder, as any screen and file can hold it."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def path_of(source: str | os.PathLike[str]) -> Path:
    """A path, or the one that a file:// URL names.

    Raises:
        MediaError: an address on the network.
    """
    text = os.fspath(source)
    if text.lower().startswith(("http://", "https://", "ftp://", "s3://")):
        raise MediaError(
            Sentence.of(
                "{name} is an address on the network, and nothing is fetched here: save the file first.", name=text[:60]
            )
        )
    if text.startswith("file://"):
        plain = Path(text[len("file://") :])
        parsed = urllib.parse.urlsplit(text)
        return plain if plain.exists() else Path(urllib.request.url2pathname(parsed.path))
    return Path(text)


def check_file(path: Path, what: str) -> None:
    """Refuse a path that is no file with something in it; `what` was expected: "a picture"."""
    name = shown_name(path)[:80]
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
    except PermissionError:
        raise MediaError(Sentence.of("{name} cannot be read; check that you may open it.", name=name)) from None
    except (OSError, ValueError):  # not there, too long a name, a zero byte in it
        raise MediaError(Sentence.of("There is no file {name}; check its name and folder.", name=name)) from None
    if stat.S_ISDIR(mode):
        raise MediaError(Sentence.of("{name} is a folder; give {what} in it.", name=name, what=what))
    if not stat.S_ISREG(mode):
        raise MediaError(
            Sentence.of("{name} is a pipe or a device, not a file; save what comes out of it first.", name=name)
        )
    if size == 0:
        raise MediaError(Sentence.of("{name} is empty; save or download it again.", name=name))


def open_file(opened: Opened) -> ImageFile.ImageFile:
    """Recognise a picture file, and read no pixels yet; raises what Pillow raises."""
    file: Any = io.BytesIO(opened) if isinstance(opened, bytes) else opened
    return Image.open(file, formats=_known_formats())


@cache
def _known_formats() -> tuple[str, ...]:
    import pi_heif

    Image.init()
    pi_heif.register_heif_opener(thumbnails=False)
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def is_picture(path: Path) -> bool:
    """Whether a file begins like a picture, whole or damaged; one that begins like nothing known, by its name."""
    try:
        with open_file(path):
            return True
    except UnidentifiedImageError:
        begins = begins_like(path)
        known = Image.registered_extensions().get(path.suffix.lower()) in _FORMATS
        return begins == "picture" or (begins == "" and known)
    except Exception:  # what recognises it finds it damaged
        return True


def begins_like(opened: Opened) -> Literal["picture", "clip", ""]:
    """What the first bytes of a file that no reader of pictures recognises say; "" where they say nothing."""
    try:
        with bytes_of(opened) as file:
            start = file.read(64)
    except OSError:
        return ""
    if start[4:8] == b"ftyp":
        return "picture" if start[8:12] in _PICTURE_BRANDS else "clip"
    if start[:4] == b"RIFF":
        return "clip" if start[8:12] == b"AVI " else ""
    if start[:1] == b"\x47" and len(start) == 64:
        return "clip" if _is_transport(opened) else ""
    return "clip" if any(start[place:].startswith(name) for place, name in _CLIP_STARTS) else ""


def upright_rgb(picture: Image.Image, name: str) -> Converted:
    """What `read_picture` makes of a PIL image; `name` begins its sentences."""
    _check_pixels(picture, name)
    found = _rgb(picture, name)
    # Copied once: whoever gave the picture may change it.
    return replace(found, picture=picture.copy()) if found.picture is picture else found


# --- where a picture comes from ---


def _opened(source: Any, name: str) -> Opened:
    """A path that is there, or the bytes of a file."""
    if isinstance(source, bytes | bytearray | memoryview):
        return _checked_bytes(bytes(source), name)
    if isinstance(source, str) and source[:5].lower() == "data:":
        return _checked_bytes(_of_data_url(source, name), name)
    if not isinstance(source, str | os.PathLike):
        raise MediaError(
            f"A picture is a path, bytes, a data: URL, a PIL image or a NumPy array, not {type(source).__name__}."
        )
    path = path_of(source)
    check_file(path, "a picture")
    return path


def _checked_bytes(content: bytes, name: str) -> bytes:
    if not content:
        raise MediaError(Sentence.of("{name} is empty; give the bytes of a file.", name=name))
    if len(content) > MAX_BYTES:
        raise MediaError(
            Sentence.of("{name} has more than {most} bytes; scale it down first.", name=name, most=f"{MAX_BYTES:,}")
        )
    return content


def _of_data_url(url: str, name: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma or len(body) > 2 * MAX_BYTES:
        raise MediaError(
            Sentence.of(
                "{name} is no data: URL that holds a picture; give data:image/png;base64,... of at most 1 GiB.",
                name=name,
            )
        )
    try:
        if head.lower().endswith(";base64"):
            return base64.b64decode(urllib.parse.unquote(body), validate=True)
        return urllib.parse.unquote_to_bytes(body)
    except ValueError:
        raise MediaError(
            Sentence.of("{name} is a data: URL whose base64 is broken; encode it again.", name=name)
        ) from None


def _of_array(values: np.ndarray) -> Image.Image:
    if values.dtype != np.uint8 or values.ndim != 3 or values.shape[2] not in (3, 4):
        shape = " x ".join(map(str, values.shape)) or "a single value"
        raise MediaError(
            Sentence.of(
                "A picture as an array is (height, width, 3 or 4) of uint8, not {shape} of {kind}; convert it.",
                shape=shape,
                kind=values.dtype,
            )
        )
    if 0 in values.shape:
        raise MediaError("This picture has no pixels; give one of at least 1 × 1.")
    return Image.fromarray(np.ascontiguousarray(values))


def _is_transport(opened: Opened) -> bool:
    with bytes_of(opened) as file:
        start = file.read(188 * 3 + 1)
    return start[::188] == b"\x47" * 4


# --- reading ---


def _read(opened: Opened, name: str) -> ReadPicture:
    """A file as upright RGB. Of 16-bit colour Pillow reads the high bytes; a second reading, swapped, gives the low."""
    with open_file(opened) as picture:
        _check_pixels(picture, name)
        notes, strips = list(left_out(picture, opened, name)), _header_for_strips(picture, opened)
        swapped = _swapped_bytes(picture.tile)
        with bytes_of(opened) as file:
            check_cost(picture, file, name, in_strips=strips is not None, is_deep=bool(swapped))
        with turn(picture.width * picture.height):
            try:
                converted = _converted(picture, opened, name, strips, swapped)
            except MediaError:
                whole = _mended(picture, opened, name)
                if whole is None:
                    raise
                return whole
    return ReadPicture(converted.picture, Sentence.joined([*notes, said_of(name, converted.remarks)]))


def _converted(
    picture: Image.Image, opened: Opened, name: str, strips: png_strips.Header | None, swapped: list[ImageFile._Tile]
) -> Converted:
    if strips is not None:
        return _in_strips(opened, strips, name)
    if not swapped:
        return _rgb(picture, name)
    high = _loaded(picture, name)
    with open_file(opened) as picture:
        picture.tile = swapped
        return of_high_and_low(high, _loaded(picture, name))


def _header_for_strips(picture: Image.Image, opened: Opened) -> png_strips.Header | None:
    """Of a large PNG what its strips begin with; None for what is read whole."""
    if picture.format != "PNG" or picture.width * picture.height < png_strips.LARGE:
        return None
    with bytes_of(opened) as file:
        header = png_strips.read_header(file)
    return header if header is not None and (header.width, header.height) == picture.size else None


def _check_pixels(picture: Image.Image, name: str) -> None:
    check_size(*picture.size, name)
    if picture.width * picture.height > MAX_DECODED_PIXELS:
        raise MediaError(_too_large(name))


def _loaded(picture: Image.Image, name: str) -> Image.Image:
    """The picture decoded and upright, in a mode of its own."""
    try:
        picture.load()
        return _upright(picture)
    except MemoryError:
        raise
    except Exception:  # of a decoder: OSError, SyntaxError, struct.error ...
        raise MediaError(_damaged(name)) from None


def _rgb(picture: Image.Image, name: str) -> Converted:
    loaded = _loaded(picture, name)
    try:
        return to_rgb(loaded)
    except MemoryError:
        raise
    except Exception:  # a palette or a profile that is damaged
        raise MediaError(_damaged(name)) from None


def _in_strips(opened: Opened, header: png_strips.Header, name: str) -> Converted:
    """A large PNG as upright RGB, a strip of rows at a time."""
    turned, size = png_strips.orientation(header), (header.width, header.height)
    facts, whole, top = Facts(), Image.new("RGB", size[::-1] if turned in (5, 6, 7, 8) else size), 0
    try:
        with bytes_of(opened) as file:
            for high, low in png_strips.strips(file, header, _swapped_bytes):
                png_strips.put(strip_to_rgb(high, low, facts), whole, top, header.height, turned)
                top += high.height
    except MemoryError:
        raise
    except Exception:  # zlib.error, OSError, SyntaxError ...
        raise MediaError(_damaged(name)) from None
    return Converted(whole, facts.remarks())


def _mended(picture: Image.Image, opened: Opened, name: str) -> ReadPicture | None:
    """A JPEG that lacks its end mark and nothing else."""
    if picture.format not in ("JPEG", "MPO"):
        return None
    with bytes_of(opened) as file:
        content = mended(file.read(MAX_BYTES))
    if content is None:
        return None
    read = _read(content, name)
    lacking = Sentence.of("{name} lacks its end mark and is whole otherwise.", name=name)
    return ReadPicture(read.picture, Sentence.joined([read.note, lacking]))


def _upright(picture: Image.Image) -> Image.Image:
    """Turn by EXIF; the very picture where nothing is to be turned, or where the EXIF data are themselves damaged."""
    try:
        turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
        return ImageOps.exif_transpose(picture) if turned else picture
    except Exception:
        return picture


def _swapped_bytes(tiles: Sequence[ImageFile._Tile]) -> list[ImageFile._Tile]:
    """What tells Pillow to decode 16-bit colour with the bytes of a value swapped; [] where it is not 16-bit colour."""
    swapped = []
    for tile in tiles:
        mode, *rest = (tile.args,) if isinstance(tile.args, str) else tile.args or ("",)
        colours, _, order = str(mode).partition(";16")
        if colours not in ("RGB", "RGBA") or not order:
            return []
        swap = "B" if order == "L" or (order == "N" and sys.byteorder == "little") else "L"
        args = f"{colours};16{swap}"
        swapped.append(tile._replace(args=(args, *rest) if rest else args))
    return swapped


def _too_large(name: str) -> str:
    return Sentence.of(
        "{name} has more than {most} pixels; scale it down first.", name=name, most=f"{MAX_DECODED_PIXELS:,}"
    )


def _damaged(name: str) -> str:
    return Sentence.of("{name} is cut short or damaged; save or download it again.", name=name)


def _not_a_picture(opened: Opened, name: str) -> str:
    if begins_like(opened) == "clip":
        return f"{name} is a clip, not a picture; ask about it as a clip."
    if begins_like(opened) == "picture":
        return f"{name} is a picture of a kind that is not known here, or damaged; save it as JPEG or PNG."
    return Sentence.of("{name} is not a picture; give a {kinds} file.", name=name, kinds=_READABLE)
