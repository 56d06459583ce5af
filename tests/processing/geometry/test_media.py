"""Geometry: the box of a patch or token, mapped back to the original, holds the pixels it was made from."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from qwenvl.errors import RunError
from qwenvl.processing.geometry import pictures, pixels
from qwenvl.processing.geometry.media import Media


def one_colour_a_cell(rows: int, columns: int, side: int) -> Image.Image:
    """A picture of rows x columns squares; the colour spells the square's raster index."""
    index = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    colours = np.stack([index // 256 * 40, index % 256, 255 - index % 256], axis=-1).astype(np.uint8)
    return Image.fromarray(colours.repeat(side, axis=0).repeat(side, axis=1))


def media_of(picture: Image.Image, grid: tuple[int, int, int], merge: int = 2) -> Media:
    return Media(
        kind="image",
        name="picture 1",
        size=picture.size,
        resized=(grid[2] * 14, grid[1] * 14),
        patch_grid=grid,
        token_grid=(grid[0], grid[1] // merge, grid[2] // merge),
        tokens_are_places=True,
        frames=(picture,),
    )


def middle(picture: Image.Image, box: tuple[float, float, float, float]) -> tuple[int, ...]:
    left, top, right, bottom = box
    return picture.getpixel((int((left + right) / 2), int((top + bottom) / 2)))


SHAPES = {"landscape": (8, 14), "portrait": (18, 4), "28x812": (2, 58), "812x28": (58, 2), "two": (4, 4)}


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_patch_box_holds_the_pixels_the_patch_was_made_from(shape: str, scale: int) -> None:
    rows, columns = SHAPES[shape]
    picture = one_colour_a_cell(rows, columns, 14 * scale)
    values, grid = pixels.patches([pictures.resize(picture, columns * 14, rows * 14)])
    media = media_of(picture, grid)
    assert grid == (1, rows, columns)
    in_raster_order = values[pixels.raster_order(grid)].unflatten(1, (3, 2, 14, 14))
    for patch, row in enumerate(in_raster_order):
        seen = pixels.denormalise(row)[:, :, 7, 7]
        assert tuple(seen[:, 0].tolist()) == middle(picture, media.patch_box(patch))
        assert torch.equal(seen[:, 0], seen[:, 1])
    if scale == 1:  # nothing was resized: the whole box is of the one colour, up to its last pixel
        for patch in range(media.num_patches):
            box = media.patch_box(patch)
            assert all(side == int(side) for side in box)
            assert len(picture.crop(box).getcolors()) == 1


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_token_box_holds_the_pixels_of_its_four_patches(shape: str, scale: int) -> None:
    rows, columns = SHAPES[shape]
    picture = one_colour_a_cell(rows // 2, columns // 2, 28 * scale)
    values, grid = pixels.patches([pictures.resize(picture, columns * 14, rows * 14)])
    media = media_of(picture, grid)
    in_raster_order = values[pixels.raster_order(grid)].unflatten(1, (3, 2, 14, 14))
    for token, four_rows in enumerate(values.view(media.num_tokens, 4, -1)):
        patches = media.token_patches(token)
        assert torch.equal(in_raster_order[patches].flatten(1), four_rows)
        seen = pixels.denormalise(in_raster_order[patches].transpose(0, 1))[:, :, 0, 6, 6]
        assert {tuple(colour) for colour in seen.T.tolist()} == {middle(picture, media.token_box(token))}
        inside = [media.patch_box(patch) for patch in patches]
        left, top, right, bottom = media.token_box(token)
        assert (left, top) == inside[0][:2]
        assert (right, bottom) == inside[3][2:]


def test_two_pictures_packed_in_one_batch_keep_apart() -> None:
    first, second = one_colour_a_cell(4, 6, 14), one_colour_a_cell(8, 2, 14)
    cut = [pixels.patches([picture]) for picture in (first, second)]
    packed = torch.cat([values for values, _ in cut])
    start = 0
    for picture, (values, grid) in zip((first, second), cut, strict=True):
        media = media_of(picture, grid)
        own = packed[start : start + len(values)][pixels.raster_order(grid)].unflatten(1, (3, 2, 14, 14))
        for patch, row in enumerate(own):
            colour = pixels.denormalise(row)[:, 0, 3, 3]
            assert tuple(colour.tolist()) == middle(picture, media.patch_box(patch))
        start += len(values)
    assert start == len(packed)


def test_the_patches_of_qwen_vl_lie_on_the_picture_that_was_squashed() -> None:
    picture = one_colour_a_cell(32, 32, 10).resize((320, 640), Image.Resampling.NEAREST)
    media = replace(media_of(picture, (1, 32, 32)), tokens_are_places=False)
    seen = pixels.denormalise(pixels.squash(picture, 448)).unfold(1, 14, 14).unfold(2, 14, 14)[..., 7, 7]
    for patch, colour in enumerate(seen.flatten(1).T.tolist()):
        assert tuple(colour) == middle(picture, media.patch_box(patch))
    assert media.patch_box(1) == (10, 0, 20, 20)


def test_cells_of_a_clip_count_time_first() -> None:
    clip = media_of(Image.new("RGB", (56, 28)), (3, 2, 4))
    assert clip.patch_cell(2 * 8 + 1 * 4 + 3) == (2, 1, 3)
    assert clip.token_cell(5) == (2, 0, 1)
    assert clip.token_patches(5) == [18, 19, 22, 23]
    assert clip.patch_box(9) == clip.patch_box(1)


def test_a_query_of_the_adapter_is_no_place() -> None:
    media = replace(media_of(Image.new("RGB", (56, 28)), (1, 32, 32)), tokens_are_places=False)
    for question in (media.token_box, media.token_patches):
        with pytest.raises(RunError, match="no place in the picture"):
            question(3)
    assert media.token_cell(17) == (0, 1, 1)


@pytest.mark.parametrize("index", [-1, 8])
def test_what_is_not_there_is_an_error_that_says_what_is(index: int) -> None:
    media = media_of(Image.new("RGB", (56, 28)), (1, 2, 4))
    with pytest.raises(RunError, match="picture 1 has patches 0 to 7"):
        media.patch_box(index)
    with pytest.raises(RunError, match="picture 1 has visual tokens 0 to 1"):
        media.token_box(index)


def test_json_and_back_loses_the_pixels_alone() -> None:
    media = replace(media_of(Image.new("RGB", (57, 29)), (1, 2, 4)), limit="min_pixels", timestamps=(0.0, 1.5))
    written = json.loads(json.dumps(media.to_json()))
    assert "frames" not in written
    again = Media.from_json(written, frames=media.frames)
    assert again == media
    assert again.frames == media.frames
    assert "Image" not in repr(media)
