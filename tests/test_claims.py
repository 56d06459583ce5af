"""What is commonly said of video in Qwen2-VL (2409.12191, sections 2.1 and 2.2), each claim held to the code."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import qwenvl
from qwenvl.analysis.still_frames import compare_convolutions, compare_convolutions_of, summed_taps
from qwenvl.models.rope import Grid, PositionRule, multimodal_positions
from qwenvl.processing.geometry.pixels import normalise
from qwenvl.processing.geometry.sampling import VideoOptions, count_frames, frame_indices, frame_size
from tests.support.clips import encode

IMAGE, VIDEO = 1, 2


def ids_of(parts: list[int | tuple[str, Grid]], rule: PositionRule = "paper") -> torch.Tensor:
    """Ids (3, tokens) of a prompt: a number stands for so many tokens of text, a pair for a media by its patch grid."""
    ids, grids = list[int](), {"image": list[Grid](), "video": list[Grid]()}
    for part in parts:
        if isinstance(part, int):
            ids += [0] * part
        else:
            kind, (t, h, w) = part
            grids[kind].append((t, h, w))
            ids += [IMAGE if kind == "image" else VIDEO] * (t * h * w // 4)
    return multimodal_positions(
        torch.tensor([ids]), grids["image"], grids["video"], image_token_id=IMAGE, video_token_id=VIDEO, rule=rule
    )[:, 0]


def test_s18_the_t_id_counts_pairs_of_frames_and_h_and_w_those_of_a_picture() -> None:
    (t, h, w), start = (10, 4, 6), 3
    ids = ids_of([start, ("video", (t, h, w)), 2])[:, start:-2].view(3, t, h // 2, w // 2)
    for pair, row, column in product(range(t), range(h // 2), range(w // 2)):
        assert ids[:, pair, row, column].tolist() == [start + pair, start + row, start + column]
    picture = ids_of([start, ("image", (1, h, w))])[:, start:].view(3, 1, h // 2, w // 2)
    assert torch.equal(picture[1:], ids[1:, :1])


def test_s19_what_follows_begins_at_the_largest_id_plus_one_and_in_transformers_5_may_not() -> None:
    after = {rule: ids_of([3, ("video", (20, 4, 4)), 5], rule)[0, -5].item() for rule in ("paper", "transformers-5")}
    assert after == {"paper": 23, "transformers-5": 5}
    # three pairs of 2 x 2 tokens and text, as older documentation of the same function has it
    assert ids_of([("video", (3, 4, 4)), 5])[0, -5:].tolist() == [3, 4, 5, 6, 7]
    for picture in ((1, 4, 8), (1, 8, 4)):
        both = [ids_of([2, ("image", picture), 2], rule) for rule in ("paper", "transformers-5")]
        assert torch.equal(*both)


def test_s19_several_clips_and_pictures_in_one_conversation_each_go_on_from_the_largest_id() -> None:
    ids = ids_of([1, ("video", (9, 4, 4)), 2, ("image", (1, 4, 12)), 2, ("video", (2, 4, 4)), 1])
    tokens, text = [36, 12, 8], [1, 2, 2, 1]
    place, largest = 0, -1
    for span, media in zip(text, [*tokens, 0], strict=True):
        for _ in range(span):
            assert ids[:, place].tolist() == [largest + 1] * 3
            place, largest = place + 1, largest + 1
        if media:
            assert ids[:, place].tolist() == [largest + 1] * 3
            largest = int(ids[:, place : place + media].max())
            place += media


def test_s22_ids_are_never_more_than_tokens_and_fewer_as_soon_as_there_is_a_picture_to_speak_of() -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(high: int) -> int:
        return int(torch.randint(1, high, (1,), generator=generator))

    for _ in range(60):
        parts: list[Any] = [draw(9)]
        for _ in range(draw(4)):
            kind = "video" if draw(3) == 1 else "image"
            grid = (draw(8) if kind == "video" else 1, 2 * draw(7), 2 * draw(7))
            parts += [(kind, grid), draw(9)]
        ids, flat = ids_of(parts), ids_of(parts, "1-D")
        assert ids.max() <= flat.max()
        flat_media = all(
            isinstance(part, int) or part[1][0] * part[1][1] * part[1][2] // 4 == max(part[1][0], *_halves(part[1]))
            for part in parts
        )
        assert (ids.max() == flat.max()) == flat_media
    assert ids_of([7]).max() == 6
    long = ids_of([("video", (384, 26, 32))])  # 384 pairs of 208 tokens
    assert (long.shape[1], int(long.max()) + 1) == (79_872, 384)


def _halves(grid: Grid) -> tuple[int, int]:
    return grid[1] // 2, grid[2] // 2


@pytest.mark.parametrize(("total", "fps", "frames"), [(250, 25, 20), (132, 25, 10), (120, 29.97, 8), (9_601, 25, 768)])
def test_s24_two_frames_a_second_an_even_number_from_4_to_768(total: int, fps: float, frames: int) -> None:
    count, _ = count_frames(total, fps, VideoOptions())
    assert count == frames
    assert list(frame_indices(total, count)) == torch.linspace(0, total - 1, count).round().long().tolist()


def test_s24_beyond_384_seconds_fewer_than_two_a_second_are_taken(tmp_path: Path) -> None:
    for seconds in (385, 600, 3_600):
        assert count_frames(seconds * 25, 25, VideoOptions())[0] / seconds < 2
    (media,) = qwenvl.plan(_clip(tmp_path, 250), "Qwen2-VL-7B").media
    assert media.sampling is not None
    assert (len(media.sampling.indices), media.sampling.effective_fps) == (20, 2.0)


def test_s25_two_frames_make_a_tube_and_an_odd_list_is_filled_with_its_last(tmp_path: Path) -> None:
    (media,) = qwenvl.plan(_clip(tmp_path, 250), "Qwen2-VL-7B").media
    assert media.patch_grid[0] == 10
    frames = [Image.new("RGB", (56, 56), (50 * index, 0, 0)) for index in range(5)]
    prompt = qwenvl.load("tiny-qwen2-vl").processor(_asked({"type": "video", "video": frames}))
    pixels = prompt.model_inputs["pixel_values_videos"].view(3, -1, 3, 2, 14 * 14)
    assert torch.equal(pixels[2, :, :, 0], pixels[2, :, :, 1])
    assert not torch.equal(pixels[1, :, :, 0], pixels[1, :, :, 1])


def test_s26_tubes_halve_the_tokens_of_frames_which_still_grow_with_their_number() -> None:
    tokens = {
        frames: qwenvl.plan({"type": "video", "video": [Image.new("RGB", (224, 224))] * frames}, "Qwen2-VL-7B")
        for frames in (8, 16)
    }
    assert tokens[16].visual_tokens == 2 * tokens[8].visual_tokens
    one_by_one = qwenvl.plan([(224, 224)] * 8, "Qwen2-VL-7B")
    assert one_by_one.visual_tokens == 2 * tokens[8].visual_tokens


def test_s27_a_still_is_two_equal_frames_and_costs_what_a_flat_convolution_costs() -> None:
    pipeline = qwenvl.load("tiny-qwen2-vl")
    prompt = pipeline.processor(_asked({"type": "image", "image": "app/examples/shapes.png"}))
    pixels = prompt.model_inputs["pixel_values"].view(-1, 3, 2, 14 * 14)
    assert torch.equal(pixels[:, :, 0], pixels[:, :, 1])
    frame = normalise(torch.randint(0, 256, (3, 56, 84), generator=torch.Generator().manual_seed(1)).to(torch.uint8))
    found = compare_convolutions_of(pipeline.model, frame)
    assert (found.patches, found.channels) == (24, pipeline.config.vision.dim)
    assert found.difference < 1e-12 < found.largest
    weight = torch.randn(5, 3, 2, 14, 14, generator=torch.Generator().manual_seed(2))
    drawn = compare_convolutions(weight, frame)
    assert drawn.difference < 1e-12 * drawn.largest * 100
    assert torch.equal(summed_taps(weight), weight[:, :, 0] + weight[:, :, 1])


@pytest.mark.parametrize(("seconds", "tokens"), [(60, 15_840), (122, 14_640), (183, 21_960), (384, 46_080)])
def test_s28_frames_shrink_to_hold_the_budget_until_their_floor_breaks_it(seconds: int, tokens: int) -> None:
    options = VideoOptions(preset="paper")
    count, _ = count_frames(seconds * 25, 25, options)
    size = frame_size(720, 1280, count, options)
    assert count // 2 * size.width * size.height // 784 == tokens
    assert ("frame_floor" in size.clamps) == (seconds >= 122)


def test_s28_a_clip_over_its_budget_is_warned_of(tmp_path: Path) -> None:
    clip = encode(tmp_path / "long.mp4", count=800, rate=2, size=(256, 144), g=50)
    over = qwenvl.plan(str(clip), "Qwen2-VL-7B", preset="paper")
    assert over.visual_tokens > 16_384
    assert over.notes == (
        f"long.mp4 takes {over.visual_tokens:,} visual tokens, more than its budget of 16,384, "
        "since frames are made to have at least 100,352 pixels.",
    )
    assert qwenvl.plan(str(clip), "Qwen2-VL-7B", preset="qwen-vl-utils 0.0.14").notes == ()


def _clip(folder: Path, count: int) -> str:
    return str(encode(folder / "clip.mp4", count=count, rate=25))


def _asked(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part, {"type": "text", "text": "What happens?"}]}]
