"""A clip's file end to end: forecast, read, asked about, saved and replayed, in both families."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import qwenvl
from qwenvl.errors import MediaError, PromptError
from qwenvl.inference.pipeline import Pipeline
from qwenvl.models.config import PRESETS
from qwenvl.processing.files import clips
from qwenvl.processing.files.clips import ClipFile, open_clip
from qwenvl.processing.files.sampled_clips import pictures_that_fit, plan_clip
from qwenvl.processing.geometry import pixels
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.processing.processor import Qwen2VLProcessor, QwenVLProcessor
from tests.support.clips import drawn, encode, number_of

PICTURE = Image.fromarray(drawn(2730, (84, 56)))


def asked(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What moves?"}]}]


def video(source: Any, **more: Any) -> dict[str, Any]:
    return {"type": "video", "video": source, **more}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds at 20 frames a second."""
    return encode(tmp_path_factory.mktemp("clips") / "count.mp4", count=60, rate=20)


@pytest.fixture(scope="module")
def one_frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("clips") / "one.mp4", count=1)


@pytest.fixture(scope="module", params=["tiny-qwen-vl", "tiny-qwen2-vl"])
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return qwenvl.load(request.param)


@pytest.fixture(scope="module")
def qwen2_pipeline() -> Pipeline:
    return qwenvl.load("tiny-qwen2-vl")


def test_qwen2_vl_is_shown_the_frames_it_asked_for(clip: Path, qwen2_vl: Qwen2VLProcessor) -> None:
    prompt = qwen2_vl(asked(video(clip)))
    media = prompt.media[0]
    assert media.sampling is not None
    assert media.sampling.indices == (0, 12, 24, 35, 47, 59)
    assert media.sampling.times == pytest.approx([index / 20 for index in media.sampling.indices])
    assert media.timestamps == pytest.approx((0.0, 1.2, 2.35))
    assert (media.name, media.kind, media.size) == ("count.mp4", "video", (64, 48))
    assert prompt.model_inputs["video_grid_thw"].tolist() == [[3, 20, 28]] == [list(media.patch_grid)]
    seen = pixels.unpatch(prompt.model_inputs["pixel_values_videos"], media.patch_grid).numpy()
    assert [number_of(Image.fromarray(frame)) for frame in seen] == list(media.sampling.indices)
    for frame, kept in zip(seen, media.frames, strict=True):
        assert np.array_equal(frame, np.asarray(kept))
    assert prompt.input_ids.count(151_656) == media.num_tokens
    assert prompt.messages[0]["content"][0] == {"type": "video", "video": 0}


def test_frames_are_resized_as_the_published_video_tool_does(clip: Path, qwen2_vl: Qwen2VLProcessor) -> None:
    media = qwen2_vl(asked(video(clip, nframes=2))).media[0]
    first = next(iter(open_clip(clip).read([0])))
    whole = torch.from_numpy(np.array(first)).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(whole, media.resized[::-1], mode="bicubic", antialias=True)
    expected = expected.round().clamp(0, 255)[0].permute(1, 2, 0)
    assert np.array_equal(np.asarray(media.frames[0]), expected.numpy())


def test_qwen_vl_gets_frames_as_pictures(clip: Path, qwen_vl: QwenVLProcessor) -> None:
    prompt = qwen_vl(asked({"type": "image", "image": PICTURE}, video(clip, pictures=3)))
    media = prompt.media[1]
    assert media.sampling is not None
    assert (media.patch_grid, media.token_grid, media.number) == ((3, 32, 32), (3, 16, 16), 2)
    assert media.sampling.indices == (0, 30, 59)
    assert media.timestamps == pytest.approx((0.0, 1.5, 2.95))
    assert prompt.model_inputs["images"].shape == (4, 3, 448, 448)
    assert [number_of(frame) for frame in media.frames] == [0, 30, 59]
    full = next(iter(open_clip(clip).read([30])))
    assert torch.equal(prompt.model_inputs["images"][2], pixels.squash(full, 448))
    assert all(f"Picture {number}: <img>" in prompt.text for number in (1, 2, 3, 4))


def test_unless_told_qwen_vl_gets_as_many_as_leave_room(clip: Path, qwen_vl: QwenVLProcessor) -> None:
    assert pictures_that_fit(PRESETS["Qwen-VL-Chat"]) == 5
    prompt = qwen_vl(asked(video(clip)))
    assert prompt.media[0].patch_grid[0] == 5
    assert len(prompt.input_ids) < 0.75 * qwen_vl.config.language.train_length


def test_more_pictures_than_frames_are_refused(one_frame: Path, tmp_path: Path, qwen_vl: QwenVLProcessor) -> None:
    short = encode(tmp_path / "short.mp4", count=3)
    assert qwen_vl(asked(video(short))).media[0].patch_grid[0] == 3
    with pytest.raises(MediaError, match=r"short.mp4 has 3 frames; ask for at most as many pictures, not 4"):
        qwen_vl(asked(video(short, pictures=4)))


def test_a_clip_of_one_frame_is_a_still_and_says_so(one_frame: Path, pipeline: Pipeline) -> None:
    run = pipeline.run(asked(video(one_frame, fps=2)), answer="a")
    media = run.media[0]
    assert (media.kind, media.note) == ("image", "one.mp4 has one frame and is read as a still.")
    assert number_of(media.frames[0]) == 0
    assert run.messages[0]["content"][0] == {"type": "image", "image": 0}  # a still has no rate
    planned = qwenvl.plan(one_frame, "tiny-qwen2-vl")
    assert planned.notes == (media.note,)
    assert planned.sentence.endswith(media.note)


@pytest.mark.parametrize("preset", ["tiny-qwen-vl", "tiny-qwen2-vl"])
def test_the_forecast_reads_no_frame_and_is_right(
    preset: str, clip: Path, one_frame: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [clip, video(clip, nframes=2, pictures=1), PICTURE, one_frame]
    prompt = qwenvl.load(preset).processor(
        asked(video(clip, fps=1, pictures=1), given[1], {"type": "image", "image": PICTURE}, video(one_frame))
    )
    monkeypatch.setattr(ClipFile, "read", None)
    planned = qwenvl.plan(given, preset, fps=1, pictures=1, text="What moves?")
    assert [item.token_grid for item in planned.media] == [item.token_grid for item in prompt.media]
    assert [item.sampling for item in planned.media] == [item.sampling for item in prompt.media]
    assert planned.prompt_tokens == len(prompt.input_ids)
    assert all(item.frames == () for item in planned.media)


def test_the_forecast_counts_frames_and_names_limits(clip: Path) -> None:
    steps = dict(qwenvl.plan(clip, "Qwen2-VL-7B", nframes=4, preset="paper").steps)
    assert steps["lasts"] == "60 frames / 20 a second = 3.0 s"
    assert steps["frames taken"] == "4, 1.33 a second (paper)"
    assert steps["resized"] == "392 × 280, grown to min_pixels 100,352"
    assert qwenvl.plan(clip, "Qwen2-VL-7B", max_pixels=20_000).media[0].resized == (56, 56)


def test_a_file_that_is_nothing_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture and no clip", encoding="utf-8")
    with pytest.raises(MediaError, match=r"^notes.txt is neither a picture nor a clip; give a JPEG, PNG or MP4 file"):
        qwenvl.plan(tmp_path / "notes.txt", "Qwen2-VL-7B")


def test_a_part_of_an_animation_is_planned_as_a_clip_and_its_file_as_a_picture(tmp_path: Path) -> None:
    frames = [Image.fromarray(drawn(number)) for number in range(8)]
    path = tmp_path / "wave.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=500)
    assert qwenvl.plan(path, "Qwen2-VL-7B").media[0].kind == "image"
    media = qwenvl.plan(video(path, nframes=4), "Qwen2-VL-7B", fps=1).media[0]
    assert (media.kind, media.patch_grid[0]) == ("video", 2)
    assert media.timestamps == (0.0, 2.5)


def test_a_clip_over_its_budget_is_told_of(tmp_path: Path) -> None:
    facts = ClipFile(tmp_path / "long.mp4", (1280, 720), tuple(index / 25 for index in range(25 * 183)), 25.0, False)
    media = plan_clip(facts, PRESETS["Qwen2-VL-7B"], VideoOptions(preset="paper"))
    assert media.num_tokens == 21_960
    assert media.note == (
        "long.mp4 takes 21,960 visual tokens, more than its budget of 16,384, "
        "since a frame is never brought below 105,369 pixels."
    )
    assert media.limit == "max_pixels"
    within = plan_clip(facts, PRESETS["Qwen2-VL-7B"], VideoOptions())
    assert (within.num_tokens, within.note) == (21_960, "")


def test_what_does_not_fit_is_refused_before_it_is_decoded(
    clip: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClipFile, "read", None)
    with pytest.raises(PromptError, match=r"tokens and the model reads at most .* of count.mp4 take .* or fewer"):
        pipeline.processor(asked(video(clip, nframes=60, max_pixels=3_000_000, min_pixels=2_000_000, pictures=60)))


@pytest.mark.parametrize(
    ("preset", "name", "step", "now"), [("qwen-vl", "pictures", 1, 60), ("qwen2-vl", "nframes", 2, 290)]
)
def test_a_clip_that_is_too_long_says_how_many_of_its_frames_fit(
    preset: str, name: str, step: int, now: int, tmp_path: Path
) -> None:
    path = encode(tmp_path / "long.mp4", count=300, rate=2, size=(448, 448), g=50)
    processor, picture = qwenvl.load(f"tiny-{preset}").processor, {"type": "image", "image": PICTURE}

    def parts(number: int) -> list[dict[str, Any]]:
        return [picture, video(path, **{name: number}), picture]

    def tokens(number: int) -> int:
        given = {"text": "What moves?", "max_pixels": 448 * 448}
        return qwenvl.plan(parts(number), f"tiny-{preset}", **given).prompt_tokens

    with pytest.raises(PromptError) as refused:
        processor(asked(*parts(now)), max_pixels=448 * 448)
    number = int(str(refused.value).removesuffix(" or fewer.").rsplit("=")[1])
    assert f"{tokens(now):,} tokens" in str(refused.value)
    assert f"; of long.mp4 take {name}={number} or fewer." in str(refused.value)
    assert tokens(number) <= processor.context < tokens(number + step)
    assert all(tokens(fewer) <= processor.context for fewer in range(step, number, 7 * step))


@pytest.mark.parametrize("nframes", [5, 6])
def test_a_list_of_frames_works_as_before(nframes: int, qwen2_vl: Qwen2VLProcessor) -> None:
    frames = [Image.fromarray(drawn(number)) for number in range(nframes)]
    prompt = qwen2_vl(asked(video(frames, fps=4)))
    assert prompt.media[0].patch_grid == (3, 4, 4)
    assert prompt.media[0].timestamps == (0.0, 0.5, 1.0)
    assert prompt.media[0].sampling is None
    seen = pixels.unpatch(prompt.model_inputs["pixel_values_videos"], (3, 4, 4)).numpy()
    shown = [number_of(Image.fromarray(frame)) for frame in seen]
    assert shown == [0, 1, 2, 3, 4, min(5, nframes - 1)]
    with pytest.raises(MediaError, match="A list of frames is taken whole"):
        qwen2_vl(asked(video(frames, nframes=4)))


def test_clips_and_pictures_take_positions_by_the_papers_rule(clip: Path, qwen2_pipeline: Pipeline) -> None:
    small = {"max_pixels": 3_136, "min_pixels": 1}
    parts = [video(clip, nframes=20, **small), {"type": "image", "image": PICTURE}, video(clip, nframes=4, **small)]
    run = qwen2_pipeline.run(asked(*parts), answer="a cat")
    assert [media.token_grid for media in run.media] == [(10, 2, 2), (1, 2, 3), (2, 2, 2)]
    following = start = 0
    for index, token in enumerate(run.tokens):
        if token.media is None:
            assert token.position == (following,) * 3
            following += 1
            continue
        grid = run.media[token.media].token_grid
        start = following if token.cell == (0, 0, 0) else start
        assert token.cell is not None
        assert token.position == tuple(start + place for place in token.cell)
        if run.tokens[index + 1].media is None:
            following = start + max(grid)
    assert run.positions[:, -1].tolist() == [following - 1] * 3


def test_a_saved_run_is_replayed_exactly_without_the_file(tmp_path: Path, pipeline: Pipeline) -> None:
    path = encode(tmp_path / "gone.mp4", count=40, rate=20)
    first = video(path, fps=2, max_pixels=12_544, pictures=1)
    parts = [first, {"type": "image", "image": PICTURE}, video(path, nframes=2, max_pixels=12_544, pictures=1)]
    run = pipeline.run(asked(*parts), answer="a cat")
    run.save(tmp_path / "clip.run")
    path.unlink()
    clips._open.cache_clear()
    again = qwenvl.Run.load(tmp_path / "clip.run", pipeline=pipeline)
    assert again.media == run.media
    assert [media.sampling for media in again.media] == [media.sampling for media in run.media]
    for before, after in zip(run.media, again.media, strict=True):
        assert all(
            np.array_equal(np.asarray(one), np.asarray(other))
            for one, other in zip(before.frames, after.frames, strict=True)
        )
    names = [name for name in run.kept if name.startswith(("language", "vision"))]
    replayed = pipeline.replay(again, names)
    assert names
    assert all(torch.equal(replayed[name], run.kept[name]) for name in names)
    maps = again.image_map(query=len(again.tokens) - 2, media=0)
    assert tuple(maps.shape) == again.media[0].patch_grid


def test_a_clip_prepared_for_one_model_is_not_shown_to_the_other(
    clip: Path, qwen_vl: QwenVLProcessor, qwen2_vl: Qwen2VLProcessor
) -> None:
    media = qwen_vl(asked(video(clip))).media[0]
    with pytest.raises(MediaError, match=r"count.mp4 was prepared for another model; give its file or its frames"):
        qwen2_vl(asked(video(media)))
    assert qwen_vl(asked(video(media))).media[0] == media
