"""A map that plays: what is drawn where, and files that play what was drawn."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from PIL import Image

import viz

FRAMES = [np.full((20, 40, 3), 40 * (index + 1), np.uint8) for index in range(4)]


def moving(cells: int = 4) -> np.ndarray:
    """All of the row on one cell, a column further each time."""
    maps = np.zeros((cells, 2, 4))
    for index in range(cells):
        maps[index, 0, index] = 0.5
    return maps


def test_each_picture_is_its_frame_with_its_cells() -> None:
    pictures = viz.animated_map(moving(), frames=FRAMES, height=80)
    assert {picture.shape for picture in pictures} == {(80, 160, 3)}
    for index, picture in enumerate(pictures):
        cells = picture.reshape(2, 40, 4, 40, 3)[:, 20, :, 20].astype(int)
        off = np.abs(cells - cells[1, 0]).sum(axis=-1)
        assert np.argwhere(off > 30).tolist() == [[0, index]]


def test_one_scale_for_all_unless_another_is_given() -> None:
    maps = moving()
    maps[1] *= 0.1
    strong, weak, *_ = viz.animated_map(maps, frames=FRAMES[:1] * 4, height=80)
    assert strong[20, 20].tolist() != weak[20, 60].tolist()
    (lone,) = viz.animated_map(maps[1:2], frames=FRAMES[:1], height=80)
    assert strong[20, 20].tolist() == lone[20, 60].tolist()


def test_words_stand_beneath_and_columns_side_by_side() -> None:
    plain = viz.animated_map(moving(), frames=FRAMES, height=80)
    told = viz.animated_map(moving(), frames=FRAMES, height=80, captions=["t 15"] * 4)
    np.testing.assert_array_equal(told[0][:80], plain[0])
    assert told[0][80:].std() > 0
    joined = viz.beside([plain, plain], gap=10)
    np.testing.assert_array_equal(joined[2][:, 170:], plain[2])


def test_no_word_is_cut_and_lines_stand_one_beneath_the_other() -> None:
    frames = [np.full((40, 20, 3), 90, np.uint8)] * 4
    words = "B  t 15, 0.00 s  22.6 % of the row\nrow 195, language layer 2 head 0"
    told = viz.animated_map(moving(), frames=frames, height=80, captions=[words] * 4)
    assert {picture.shape[0] for picture in told} == {80 + 2 * 22 + 10}
    width = told[0].shape[1]
    assert width % 2 == 0
    ground = told[0][-1, -1]
    lines = [
        np.abs(told[0][80 + 22 * index : 102 + 22 * index].astype(int) - ground).sum(axis=(0, 2)) for index in (0, 1)
    ]
    assert all(line.any() for line in lines)
    assert all(not line[-2:].any() for line in lines)  # room to the right of the last letter


@pytest.mark.parametrize("format", ["gif", "mp4"])
def test_a_file_plays_what_was_drawn(format: str) -> None:
    pictures = viz.animated_map(moving(), frames=FRAMES, height=80)
    content = viz.animation(pictures, fps=2, format=format)  # type: ignore[arg-type]
    if format == "gif":
        file = Image.open(io.BytesIO(content))
        shown = []
        for index in range(file.n_frames):  # type: ignore[attr-defined]
            file.seek(index)
            shown.append(np.asarray(file.convert("RGB")))
            assert file.info["duration"] == 500
    else:
        with av.open(io.BytesIO(content)) as container:
            decoded = list(container.decode(video=0))
        assert [float(frame.time or 0) for frame in decoded] == pytest.approx([0, 0.5, 1, 1.5])
        shown = [frame.to_ndarray(format="rgb24") for frame in decoded]
    assert len(shown) == 4
    for one, picture in zip(shown, pictures, strict=True):
        assert np.abs(one.astype(int) - picture.astype(int)).mean() < 6


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="frames"):
        viz.animated_map(moving(3), frames=FRAMES)
    with pytest.raises(ValueError, match="at least one"):
        viz.animation([])
    with pytest.raises(ValueError, match="gif or mp4"):
        viz.animation(FRAMES, format="avi")  # type: ignore[arg-type]
