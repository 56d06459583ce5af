"""What a model received is rebuilt bit for bit, and turns back into the resized picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from qwenvl.errors import RunError
from qwenvl.inference.record_parts import with_media
from qwenvl.processing.geometry import pictures
from qwenvl.processing.geometry.reconstruction import rebuilt_token, received, received_token, reconstruct
from tests.support.tiny import TINY, colours, mixed_run, mosaic, one_picture, tiny


@pytest.mark.parametrize("name", TINY)
def test_it_is_the_very_tensor_of_the_processor(name: str) -> None:
    run = mixed_run(name)
    inputs = tiny(name).processor(with_media(run.messages, run.media)).model_inputs
    parts = {"image": [], "video": []}
    for index, media in enumerate(run.media):
        values = received(media, run.config)
        if name == "tiny-qwen2-vl":
            start = sum(item.num_patches for item in run.media[:index] if item.kind == media.kind)
            whole = inputs["pixel_values" if media.kind == "image" else "pixel_values_videos"]
            assert torch.equal(whole[start : start + len(values)], values)
        parts[media.kind if name == "tiny-qwen2-vl" else "image"].append(values)
    sent = {"image": inputs.get("images", inputs.get("pixel_values")), "video": inputs.get("pixel_values_videos")}
    for kind, values in parts.items():
        assert sent[kind] is None or torch.equal(torch.cat(values), sent[kind])


@pytest.mark.parametrize("name", TINY)
def test_every_media_turns_back_into_its_resized_frames(name: str) -> None:
    run = mixed_run(name)
    for index, media in enumerate(run.media):
        rebuilt = run.reconstructed(index)
        assert rebuilt.differing == 0
        assert 0 <= rebuilt.mean <= rebuilt.maximum < 1e-3
        last = np.asarray(pictures.resize(media.frames[-1], *media.resized))
        np.testing.assert_array_equal(rebuilt.frames[-1].numpy(), last)
        assert rebuilt.values == rebuilt.frames.shape[0] * media.resized[0] * media.resized[1] * 3


def test_a_picture_of_one_colour_a_patch_comes_back_patch_by_patch() -> None:
    run = tiny("tiny-qwen2-vl").run(one_picture(mosaic(6, 4)), answer="a")
    rebuilt = run.reconstructed().frames
    np.testing.assert_array_equal(rebuilt[0, 7::14, 7::14].numpy(), colours(6, 4))
    assert torch.equal(rebuilt[0], rebuilt[1])  # a still is two equal frames


@pytest.mark.parametrize("name", TINY)
def test_one_temporal_cell_is_that_part_of_the_whole(name: str) -> None:
    run = mixed_run(name)
    (clip,) = (index for index, media in enumerate(run.media) if media.kind == "video")
    whole = run.reconstructed(clip).frames
    cells = [run.reconstructed(clip, cell).frames for cell in range(run.media[clip].patch_grid[0])]
    assert torch.equal(torch.cat(cells), whole)
    with pytest.raises(RunError, match=r"Temporal cell .* does not exist"):
        run.reconstructed(clip, run.media[clip].patch_grid[0])


def test_the_error_counts_what_a_wrong_resize_would_change(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny("tiny-qwen2-vl").run(one_picture(mosaic(6, 4)), answer="a")
    shifted = run.media[0].frames[0].point(lambda value: max(0, value - 3))
    true = received(run.media[0], run.config)
    monkeypatch.setattr("qwenvl.processing.geometry.reconstruction.received", lambda *_: true)
    rebuilt = reconstruct(dataclasses.replace(run.media[0], frames=(shifted,)), run.config)
    changed = np.asarray(shifted) != np.asarray(run.media[0].frames[0])
    assert rebuilt.differing == 2 * changed.sum()  # both frames of the pair
    assert rebuilt.maximum == pytest.approx(3, abs=1e-3)
    assert rebuilt.mean == pytest.approx(3 * changed.mean(), rel=1e-3)


def test_the_rows_of_one_token_are_those_of_the_whole() -> None:
    run = mixed_run("tiny-qwen2-vl")
    for index, media in enumerate(run.media):
        whole, frames = received(media, run.config), run.reconstructed(index).frames
        for token in range(media.num_tokens):
            assert torch.equal(received_token(media, run.config, token), whole[4 * token : 4 * token + 4])
            t, row, column = media.token_cell(token)
            part = frames[2 * t : 2 * t + 2, 28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
            assert torch.equal(rebuilt_token(media, run.config, token), part)
    with pytest.raises(RunError, match="visual tokens"):
        received_token(run.media[0], run.config, run.media[0].num_tokens)
