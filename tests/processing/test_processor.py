"""From messages to tensors: what goes in, what is refused, and what a checkpoint's folder says about it."""

from __future__ import annotations

import base64
import json
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from transformers import AutoTokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from qwenvl.errors import CheckpointError, MediaError, PromptError
from qwenvl.models.config import PRESETS, Qwen2VLConfig, QwenVLConfig
from qwenvl.plan import CHECKPOINTS
from qwenvl.processing.geometry import pixels
from qwenvl.processing.processor import Processor, Qwen2VLProcessor, QwenVLProcessor, from_folder
from qwenvl.published_files.json_files import read_json
from qwenvl.published_files.published_config import from_published

CAT = Image.fromarray(skimage.data.chelsea())
COFFEE = Image.fromarray(skimage.data.coffee()).rotate(90, expand=True)


def asked(*parts: dict[str, Any], words: str = "What is this?") -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": words}]}]


def image(source: Any) -> dict[str, Any]:
    return {"type": "image", "image": source}


def video(frames: Any, **more: Any) -> dict[str, Any]:
    return {"type": "video", "video": frames, **more}


def test_pictures_of_qwen2_vl_are_packed_in_order_as_in_transformers(qwen2_vl: Qwen2VLProcessor) -> None:
    limits = {"min_pixels": 3136, "max_pixels": 100_352}
    prompt = qwen2_vl(asked(image(CAT), image(COFFEE)), **limits)
    reference = Qwen2VLImageProcessorPil(**limits)(images=[CAT, COFFEE], return_tensors="pt")
    assert torch.equal(prompt.model_inputs["pixel_values"], reference["pixel_values"])
    assert torch.equal(prompt.model_inputs["image_grid_thw"], reference["image_grid_thw"])
    assert prompt.input_ids.count(151_655) == len(reference["pixel_values"]) // 4
    assert prompt.model_inputs["input_ids"].tolist() == [prompt.input_ids]
    assert [media.limit for media in prompt.media] == ["max_pixels", "max_pixels"]


def test_clips_and_pictures_of_qwen2_vl_are_packed_apart(qwen2_vl: Qwen2VLProcessor) -> None:
    frames = [CAT.rotate(angle) for angle in (0, 10, 20)]
    prompt = qwen2_vl(asked(video(frames, fps=2), image(CAT), video(frames[:1])), max_pixels=20_000)
    inputs = prompt.model_inputs
    assert inputs["video_grid_thw"].tolist() == [[2, 8, 12], [1, 8, 12]]
    assert inputs["image_grid_thw"].tolist() == [[1, 8, 12]]
    back = pixels.unpatch(inputs["pixel_values_videos"][: 2 * 96], (2, 8, 12)).numpy()
    for index, frame in enumerate([*frames, frames[-1]]):
        assert np.array_equal(back[index], np.asarray(frame.resize((168, 112), Image.Resampling.BICUBIC)))
    assert prompt.media[0].timestamps == (0.0, 1.0)
    assert prompt.media[2].timestamps == ()
    assert inputs["pixel_values"].equal(inputs["pixel_values_videos"][2 * 96 :])


def test_a_picture_of_one_pixel_is_four_tokens(qwen2_vl: Qwen2VLProcessor) -> None:
    prompt = qwen2_vl(asked(image(Image.new("RGB", (1, 1), "red"))))
    assert prompt.media[0].num_tokens == 4
    assert prompt.media[0].limit == "min_pixels"
    assert prompt.media[0].token_box(3) == (0.5, 0.5, 1.0, 1.0)


def test_text_alone_brings_no_pixels(processor: Processor) -> None:
    prompt = processor([{"role": "user", "content": "hi"}])
    assert list(prompt.model_inputs) == ["input_ids"]
    assert prompt.media == ()


def test_media_are_named_without_their_folder(processor: Processor, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    CAT.save(path)
    prompt = processor(asked(image(path), image(str(path)), image(CAT), video([path, CAT])), max_pixels=50_000)
    assert [media.name for media in prompt.media][:3] == ["cat.png", "cat.png", "picture 3"]
    assert prompt.media[3].name == "clip 1"
    assert str(tmp_path) not in prompt.text
    assert str(tmp_path) not in repr(prompt)
    assert str(tmp_path) not in json.dumps(prompt.messages)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (image("nowhere.png"), "There is no file nowhere.png"),
        (image(3), "a PIL image or a NumPy array, not int"),
        (image(Image.new("RGB", (30_000, 2))), "one side 15,000.0 times the other"),
        (video("/films/cat.mp4"), "^There is no file cat.mp4"),
        (video(Path("cat.mp4")), "There is no file cat.mp4"),
        (video([]), "at least one"),
        (video(CAT), "list of its frames"),
        (video([CAT, COFFEE]), "400 × 600 and 451 × 300"),
        (video([CAT], fps=0), "above 0, not 0"),
        (video([CAT], fps="fast"), "above 0, not 'fast'"),
        (video([CAT, "nowhere.png"]), "There is no file nowhere.png"),
    ],
)
def test_media_that_cannot_be_read_are_refused(part: dict[str, Any], words: str, processor: Processor) -> None:
    with pytest.raises(MediaError, match=words):
        processor(asked(part))


@pytest.mark.parametrize(
    "limits", [{"min_pixels": 20_000_000}, {"max_pixels": 0}, {"max_pixels": 100, "min_pixels": 200}]
)
def test_limits_that_cannot_be_met_are_refused(limits: dict[str, int], qwen2_vl: Qwen2VLProcessor) -> None:
    with pytest.raises(MediaError, match="pixels"):
        qwen2_vl(asked(image(CAT)), **limits)


def test_a_prompt_longer_than_the_context_is_refused(processor: Processor) -> None:
    messages = [{"role": "user", "content": "cat " * (processor.context + 1)}]
    with pytest.raises(PromptError, match=f"the model reads at most {processor.context:,}; ask less"):
        processor(messages)


def test_a_prompt_may_fill_the_context_to_the_last_token(tiktoken_tokenizer: Any) -> None:
    published = PRESETS["Qwen-VL-Chat"]
    assert isinstance(published, QwenVLConfig)
    for context, fits in ((20, True), (19, False)):
        config = replace(published, language=replace(published.language, context=context))
        short = QwenVLProcessor(tiktoken_tokenizer, config)
        if fits:
            assert len(short([{"role": "user", "content": "hi"}]).input_ids) == context
        else:
            with pytest.raises(PromptError, match="has 20 tokens and the model reads at most 19"):
                short([{"role": "user", "content": "hi"}])


def test_a_prompt_that_is_too_long_is_refused_before_its_pixels_are_cut(
    qwen2_vl: Qwen2VLProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "patches", lambda *args, **keywords: pytest.fail("pixels were cut"))
    frames = [Image.new("RGB", (448, 448))] * 300
    with pytest.raises(
        PromptError, match="38,425 tokens and the model reads at most 32,768; ask less, or lower max_pixels"
    ):
        qwen2_vl(asked(video(frames)))


def test_what_ends_an_answer(qwen_vl: QwenVLProcessor, qwen2_vl: Qwen2VLProcessor) -> None:
    assert qwen_vl.stop_ids == {151_643, 151_644, 151_645}
    assert qwen2_vl.stop_ids == {151_643, 151_645}


# --- folders ---


@pytest.mark.parametrize("words", ["What is this?", "\n\nTwo breaks, 猫 é 12", " a \r\n"])
def test_a_folder_reads_as_in_transformers(words: str) -> None:
    """The shipped folder in both: its template rendered and encoded there, each picture's placeholder repeated."""
    folder = CHECKPOINTS / "tiny-qwen2-vl"
    published = AutoTokenizer.from_pretrained(folder)
    processor = from_folder(folder, from_published(read_json(folder / "config.json")))
    messages = [
        *asked(image(CAT), words=words),
        {"role": "assistant", "content": [{"type": "text", "text": words}]},
        *asked(image(CAT), image(CAT), words=words),
    ]
    prompt = processor(messages, max_pixels=50_000)
    rendered = published.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert prompt.text == unicodedata.normalize("NFC", rendered)
    pad = "<|image_pad|>"
    expanded = rendered.replace(pad, pad * prompt.media[0].num_tokens)
    assert prompt.input_ids == published(expanded)["input_ids"]


def write_qwen2_vl_folder(folder: Path, **settings: Any) -> Qwen2VLConfig:
    """Settings of preprocessor_config.json beside the small tokenizer; the config that fits it."""
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    published = PRESETS["Qwen2-VL-2B"]
    assert isinstance(published, Qwen2VLConfig)
    ids = {
        token["content"]: token["id"]
        for token in json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    }
    return replace(
        published,
        vision_start_id=ids["<|vision_start|>"],
        vision_end_id=ids["<|vision_end|>"],
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
    )


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        ({"min_pixels": 784, "max_pixels": 7840}, (784, 7840)),
        ({"size": {"shortest_edge": 1568, "longest_edge": 9408}}, (1568, 9408)),
        ({}, (3136, 1_003_520)),  # what the class of transformers 5.23 takes where its file is silent
    ],
)
def test_a_folder_of_qwen2_vl_brings_its_limits(settings: dict, limits: tuple[int, int], small_folder: Path) -> None:
    processor = from_folder(small_folder, write_qwen2_vl_folder(small_folder, **settings))
    assert isinstance(processor, Qwen2VLProcessor)
    assert (processor.min_pixels, processor.max_pixels) == limits
    prompt = processor(asked(image(CAT)), max_pixels=7000 if limits[1] < 10_000 else None)
    assert prompt.media[0].resized == ((84, 56) if limits[1] < 10_000 else (448, 308))


def test_a_nested_processor_config_is_read_too(small_folder: Path) -> None:
    config = write_qwen2_vl_folder(small_folder)
    (small_folder / "preprocessor_config.json").unlink()
    nested = {"image_processor": {"size": {"shortest_edge": 784, "longest_edge": 7840}}}
    (small_folder / "processor_config.json").write_text(json.dumps(nested), encoding="utf-8")
    processor = from_folder(small_folder, config)
    assert isinstance(processor, Qwen2VLProcessor)
    assert (processor.min_pixels, processor.max_pixels) == (784, 7840)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"patch_size": 16}, "says patch_size 16; this model needs 14"),
        ({"merge_size": 4}, "says merge_size 4"),
        ({"image_mean": [0.5, 0.5, 0.5]}, "says image_mean"),
    ],
)
def test_a_folder_that_asks_for_other_pixels_is_refused(settings: dict, words: str, small_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=words):
        from_folder(small_folder, write_qwen2_vl_folder(small_folder, **settings))


def test_a_tokenizer_of_another_model_is_refused(small_folder: Path, tiktoken_tokenizer: Any) -> None:
    config = write_qwen2_vl_folder(small_folder)
    with pytest.raises(CheckpointError, match=r"has <\|image_pad\|> at \d+ and config.json at 7"):
        from_folder(small_folder, replace(config, image_token_id=7))
    small = replace(config, language=replace(config.language, vocab_size=260))
    with pytest.raises(CheckpointError, match="tokens and the model 260"):
        from_folder(small_folder, small)
    with pytest.raises(CheckpointError, match=r"no <\|vision_start\|> token"):
        Qwen2VLProcessor(tiktoken_tokenizer, config)


@pytest.mark.parametrize("name", ["chat_template.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_template_without_roles_is_that_of_a_base_model(name: str, small_folder: Path) -> None:
    config = write_qwen2_vl_folder(small_folder)
    for template, expected in (("{{ content }}", "hi"), ("<|im_start|>{{ role }}", None)):
        content = template if name.endswith("jinja") else json.dumps({"chat_template": template})
        (small_folder / name).write_text(content, encoding="utf-8")
        prompt = from_folder(small_folder, config)([{"role": "user", "content": "hi"}])
        assert (prompt.text == "hi") is (expected == "hi")


@pytest.mark.parametrize(
    ("generation", "raw"), [({}, False), ({"chat_format": "chatml"}, False), ({"chat_format": "raw"}, True)]
)
def test_a_folder_of_qwen_vl_brings_its_chat_format(generation: dict, raw: bool, tmp_path: Path) -> None:
    ranks = [f"{base64.b64encode(bytes([byte])).decode()} {byte}" for byte in range(256)]
    (tmp_path / "qwen.tiktoken").write_text("\n".join(ranks), encoding="utf-8")
    (tmp_path / "generation_config.json").write_text(
        json.dumps({**generation, "max_window_size": 60}), encoding="utf-8"
    )
    published = PRESETS["Qwen-VL-Chat"]
    assert isinstance(published, QwenVLConfig)
    processor = from_folder(tmp_path, replace(published, image_start_id=256 + 214))
    assert (processor([{"role": "user", "content": "hi"}]).text == "hi") is raw
    if not raw:
        turn = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}]
        assert processor([*turn, {"role": "user", "content": "hi"}]).dropped == 2
