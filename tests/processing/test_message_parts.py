"""What a part of a message may say: sizes and frames as qwen-vl-utils 0.0.14 counts them, in a plan alike."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qwenvl
from qwenvl.errors import MediaError, PromptError, UserError
from qwenvl.models.config import PRESETS
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.picture_files import open_picture
from qwenvl.processing.files.sampled_clips import plan_clip
from qwenvl.processing.geometry.sampling import VideoOptions, count_frames
from qwenvl.processing.processor import Qwen2VLProcessor, QwenVLProcessor
from tests.support.clips import encode
from tests.support.goldens import GOLDENS
from tests.support.tiny import mosaic, tiny

UTILS: dict[str, list[dict[str, Any]]] = json.loads((GOLDENS / "qwen2-vl" / "utils_0_0_14.json").read_text())
RELEASE = {"preset": "qwen-vl-utils 0.0.14"}
PICTURE = mosaic(6, 10)


def asked(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What?"}]}]


# --- sizes of pictures ---


@pytest.mark.parametrize("row", UTILS["pictures"], ids=lambda row: f"{row['size']}-{row['given']}")
def test_a_picture_is_resized_as_the_published_tool_does(row: dict[str, Any]) -> None:
    part = {"type": "image", "image": Image.new("RGB", tuple(row["size"])), **row["given"]}
    if row["resized"] is None:
        with pytest.raises(UserError):
            qwenvl.plan(part, "Qwen2-VL-7B")
        return
    height, width = row["resized"]
    if not row["given"]:  # then the checkpoint's own rule counts, which differs on thin pictures
        return
    plan = qwenvl.plan(part, "Qwen2-VL-7B")
    assert plan.media[0].resized == (width, height)
    assert plan.visual_tokens == height * width // 784
    assert plan.media[0].limit in (None, *row["given"])


@pytest.mark.parametrize(
    "given",
    [
        {"min_pixels": 20_000, "max_pixels": 30_000},
        {"max_pixels": 10_000},
        {"min_pixels": 100_352},
        {"resized_height": 140, "resized_width": 252},
    ],
)
def test_a_plan_a_prompt_and_a_replay_give_the_same_numbers(given: dict[str, int], tmp_path: Path) -> None:
    pipeline = tiny("tiny-qwen2-vl")
    picture = mosaic(12, 20)
    picture.save(tmp_path / "a.png")
    part = {"type": "image", "image": str(tmp_path / "a.png"), **given}
    run = pipeline.run(asked(part), answer="a")
    planned = qwenvl.plan([part], "tiny-qwen2-vl").media[0]
    assert (run.media[0].resized, run.media[0].limit) == (planned.resized, planned.limit)
    assert run.media[0].num_tokens == planned.num_tokens
    assert run.messages[0]["content"][0] == {"type": "image", "image": 0, **given}
    own = pipeline.run(asked({"type": "image", "image": picture}), answer="a")
    assert own.media[0].resized != run.media[0].resized
    path = tmp_path / "a.run"
    run.save(path)
    again = qwenvl.Run.load(path, pipeline)
    assert again.media[0] == run.media[0]
    assert pipeline.logits(again).equal(pipeline.logits(run))


def test_two_pictures_of_one_question_may_have_limits_of_their_own() -> None:
    big = mosaic(20, 20)
    parts = [{"type": "image", "image": big, "max_pixels": limit} for limit in (20_000, 60_000)]
    prompt = tiny("tiny-qwen2-vl").processor(asked(*parts), max_pixels=30_000)
    assert [media.num_tokens for media in prompt.media] == [25, 64]
    sentences = qwenvl.plan(parts, "tiny-qwen2-vl").limits
    assert "max_pixels 20,000 shrinks" in sentences[0]
    assert "max_pixels 60,000 shrinks" in sentences[1]


def test_qwen_vl_says_that_sizes_change_nothing() -> None:
    media = tiny("tiny-qwen-vl").processor(asked({"type": "image", "image": PICTURE, "max_pixels": 5000})).media[0]
    assert "max_pixels changes nothing of picture 1" in media.note


def test_frames_given_one_by_one_take_sizes_too() -> None:
    frames = [mosaic(8, 8, seed=seed) for seed in range(4)]
    part = {"type": "video", "video": frames, "sample_fps": 2.0, "max_pixels": 7000}
    media = tiny("tiny-qwen2-vl").processor(asked(part)).media[0]
    assert (media.resized, media.timestamps) == ((56, 56), (0.0, 1.0))
    assert qwenvl.plan([part], "tiny-qwen2-vl").media[0].resized == (56, 56)


# --- frames of clips ---


@pytest.mark.parametrize("row", UTILS["frames"], ids=lambda row: f"{row['total']}@{row['fps']}-{row['given']}")
def test_as_many_frames_are_taken_as_the_published_tool_takes(row: dict[str, Any]) -> None:
    given = {**row["given"], **RELEASE}
    if row["frames"] is None:
        with pytest.raises(MediaError):
            count_frames(row["total"], row["fps"], VideoOptions.of(given))
        return
    assert count_frames(row["total"], row["fps"], VideoOptions.of(given))[0] == row["frames"]


@pytest.mark.parametrize("row", UTILS["ranges"], ids=lambda row: f"{row['total']}@{row['fps']}-{row['given']}")
def test_frames_are_taken_between_the_same_two(row: dict[str, Any]) -> None:
    times = tuple(frame / row["fps"] for frame in range(row["total"]))
    clip = ClipFile(Path("clip.mp4"), (320, 240), times, row["fps"], animated=False)
    options = VideoOptions.of({**row["given"], **RELEASE})
    if row["taken"] is None:
        with pytest.raises(MediaError, match="fewer than two frames"):
            plan_clip(clip, PRESETS["Qwen2-VL-7B"], options)
        return
    sampling = plan_clip(clip, PRESETS["Qwen2-VL-7B"], options).sampling
    assert sampling is not None
    taken = row["taken"]
    assert (sampling.first, row["total"] - 1 if sampling.last is None else sampling.last) == (
        taken["first"],
        taken["last"],
    )
    assert len(sampling.indices) == taken["count"]
    if taken["indices"] is not None:
        assert list(sampling.indices) == taken["indices"]
    assert sampling.times == tuple(times[index] for index in sampling.indices)
    assert sampling.effective_fps == pytest.approx(taken["count"] / ((taken["last"] - taken["first"] + 1) / row["fps"]))


def test_a_part_of_a_clip_is_asked_about_and_planned(tmp_path: Path) -> None:
    path = encode(tmp_path / "long.mp4", count=40, rate=10)
    part = {"type": "video", "video": str(path), "video_start": 1.0, "video_end": 3.0, "max_frames": 6}
    for name in ("tiny-qwen2-vl", "tiny-qwen-vl"):
        media = tiny(name).processor(asked(part)).media[0]
        planned = qwenvl.plan([part], name).media[0]
        assert media.sampling == planned.sampling
        assert media.sampling is not None
        assert media.sampling.indices[0] == 10
        assert media.sampling.indices[-1] == 30
    sized = {"type": "video", "video": str(path), "resized_height": 56, "resized_width": 112, "nframes": 4}
    assert tiny("tiny-qwen2-vl").processor(asked(sized)).media[0].resized == (112, 56)
    assert qwenvl.plan([sized], "tiny-qwen2-vl").media[0].resized == (112, 56)


# --- keys that are none ---


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "image", "image": PICTURE, "max_pixel": 9}, "no key 'max_pixel'; if 'max_pixels' is meant"),
        ({"type": "image", "image": PICTURE, "fps": 1}, "no key 'fps'"),
        ({"type": "image", "image": PICTURE, "resized_hight": 9}, "if 'resized_height' is meant"),
        ({"type": "text", "text": "a", "bold": True}, "no key 'bold'; it may have 'type', 'text'"),
        ({"type": "video", "video": "a.mp4", "n_frames": 4}, "if 'nframes' is meant"),
        ({"type": "video", "video": "a.mp4", "start": 4}, "no key 'start'; if 'video_start' is meant"),
        ({"type": "video", "video": "a.mp4", "sample_fps": 4}, "sample_fps tells the rate of a list"),
        ({"type": "video", "video": [PICTURE], "video_start": 1}, "leave video_start out"),
        ({"type": "video", "video": [PICTURE], "total_pixels": 1}, "leave total_pixels out"),
        ({"type": "audio", "audio": "a.wav"}, "A part's type is"),
        ({"type": ["image"], "image": PICTURE}, "A part's type is"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(part: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        tiny("tiny-qwen2-vl").processor(asked(part))


def test_a_message_has_no_other_keys() -> None:
    with pytest.raises(PromptError, match="A message has no key 'name'"):
        tiny("tiny-qwen2-vl").processor([{"role": "user", "content": "Hi", "name": "me"}])


OF_PICTURES = ("min_pixels", "max_pixels", "resized_height", "resized_width")
OF_CLIPS = (*OF_PICTURES, "nframes", "min_frames", "max_frames", "total_pixels", "pictures", "fps")
OF_CLIPS += ("video_start", "video_end")


@pytest.mark.parametrize("value", ["4", -1, float("nan"), [4], True])
@pytest.mark.parametrize("name", OF_CLIPS)
def test_a_value_that_cannot_be_meant_is_refused_by_its_key(name: str, value: Any, tmp_path: Path) -> None:
    clip = {"type": "video", "video": str(encode(tmp_path / "a.mp4", count=8, rate=4))}
    parts = [clip] if name not in OF_PICTURES else [clip, {"type": "image", "image": PICTURE}]
    for part in parts:
        with pytest.raises(UserError, match=name):
            tiny("tiny-qwen2-vl").processor(asked({**part, name: value}))


@pytest.mark.parametrize("name", [name for name in OF_CLIPS if name not in ("fps", "video_start", "video_end")])
def test_zero_and_numbers_beyond_reason_are_refused_too(name: str) -> None:
    for value in (0, 1 << 50):
        with pytest.raises(MediaError, match=name):
            VideoOptions.of({name: value})


def test_the_rate_of_a_list_of_frames_is_checked() -> None:
    for name in ("fps", "sample_fps"):
        with pytest.raises(MediaError, match="fps is the number of frames a second"):
            tiny("tiny-qwen2-vl").processor(asked({"type": "video", "video": [PICTURE], name: -1}))
    with pytest.raises(MediaError, match="give one of them"):
        tiny("tiny-qwen2-vl").processor(asked({"type": "video", "video": [PICTURE], "fps": 1, "sample_fps": 2}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"resized_height": 56}, "given together"),
        ({"resized_height": 56, "resized_width": 56, "max_pixels": 9}, "say the size"),
        ({"min_pixels": 900, "max_pixels": 800}, "min_pixels 900 is above max_pixels 800"),
        ({"max_pixels": 800}, "min_pixels 3,136 is above max_pixels 800"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(given: dict[str, int], words: str) -> None:
    with pytest.raises(MediaError, match=words):
        tiny("tiny-qwen2-vl").processor(asked({"type": "image", "image": PICTURE, **given}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nframes": 4, "min_frames": 2}, "leave min_frames and max_frames out"),
        ({"min_frames": 10, "max_frames": 4}, "min_frames 10 is above max_frames 4"),
        ({"max_frames": 1}, "max_frames is at least 2"),
        ({"fps": 1, "nframes": 4}, "fps and nframes both"),
    ],
)
def test_frames_that_contradict_each_other_are_refused(given: dict[str, int], words: str) -> None:
    with pytest.raises(MediaError, match=words):
        VideoOptions.of(given)


# --- where a picture comes from ---


def png_bytes(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def sources_of(folder: Path) -> dict[str, Any]:
    content = png_bytes(PICTURE)
    (folder / "ein bild.png").write_bytes(content)
    encoded = base64.b64encode(content).decode()
    with_alpha = np.dstack([np.asarray(PICTURE), np.full((84, 140), 255, np.uint8)])
    return {
        "path": folder / "ein bild.png",
        "text": str(folder / "ein bild.png"),
        "file url": (folder / "ein bild.png").as_uri(),
        "file url, not escaped": f"file://{folder}/ein bild.png",
        "data url": f"data:image/png;base64,{encoded}",
        "data url, escaped": "data:image/png;base64," + encoded.replace("+", "%2B").replace("/", "%2F"),
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "array": np.asarray(PICTURE),
        "array with alpha": with_alpha,
        "array with a stride": np.asarray(PICTURE.transpose(Image.Transpose.FLIP_LEFT_RIGHT))[:, ::-1],
        "PIL": PICTURE,
    }


@pytest.mark.parametrize(
    "kind",
    [
        "path",
        "text",
        "file url",
        "file url, not escaped",
        "data url",
        "data url, escaped",
        "bytes",
        "bytearray",
        "memoryview",
        "array",
        "array with alpha",
        "array with a stride",
        "PIL",
    ],
)
def test_a_picture_of_any_source_is_the_same_in_every_door(kind: str, tmp_path: Path) -> None:
    source = sources_of(tmp_path)[kind]
    assert np.array_equal(np.asarray(open_picture(source)), np.asarray(PICTURE))
    part = {"type": "image", "image": source}
    prompt = tiny("tiny-qwen2-vl").processor(asked(part, {"type": "video", "video": [source, source]}))
    assert prompt.media[0].name == ("ein bild.png" if kind in ("path", "text") or "file" in kind else "picture 1")
    assert qwenvl.plan([part], "tiny-qwen2-vl").media[0].size == PICTURE.size
    assert qwenvl.plan(source, "tiny-qwen2-vl").media[0].size == PICTURE.size
    if isinstance(source, str):
        for spelled in (
            {"type": "image_url", "image_url": source},
            {"type": "image_url", "image_url": {"url": source}},
        ):
            assert tiny("tiny-qwen2-vl").processor(asked(spelled)).media[0].size == PICTURE.size


@pytest.mark.parametrize("address", ["http://example.com/cat.png", "https://example.com/cat.png", "HTTPS://X/cat.mp4"])
def test_nothing_is_fetched(address: str, qwen_vl: QwenVLProcessor, qwen2_vl: Qwen2VLProcessor) -> None:
    for part in ({"type": "image", "image": address}, {"type": "video", "video": address}):
        for processor in (qwen_vl, qwen2_vl):
            with pytest.raises(MediaError, match="nothing is fetched here: save the file first"):
                processor(asked(part))
    with pytest.raises(MediaError, match="save the file first"):
        qwenvl.plan(address, "Qwen2-VL-7B")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8, not 4 x 4 x 3 of float32"),
        (np.zeros((4, 4), np.uint8), "not 4 x 4 of uint8"),
        (np.zeros((3, 4, 4, 3), np.uint8), "not 3 x 4 x 4 x 3"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (b"", "is empty"),
        (b"no picture", "is not a picture"),
        ("data:image/png;base64,@@@", "base64 is broken"),
        ("data:image/png", "is no data: URL"),
        ("data:text/plain,hello", "is not a picture"),
        ("a" * 5000, "There is no file"),
        ("a\0b.png", "There is no file"),
        (3.5, "not float"),
        ({"a": 1}, "not dict"),
    ],
)
def test_what_is_no_picture_is_one_sentence(source: Any, words: str) -> None:
    with pytest.raises(MediaError, match=words) as refusal:
        tiny("tiny-qwen2-vl").processor(asked({"type": "image", "image": source}))
    assert len(str(refusal.value)) < 300
