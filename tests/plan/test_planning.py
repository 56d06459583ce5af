"""The planner's arithmetic: published figures exactly, and the same counts as the processor and the model arrive at."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from qwenvl.errors import CheckpointError, MediaError, PromptError
from qwenvl.loading.load import build_skeleton
from qwenvl.models.config import PRESETS, QWEN_VL
from qwenvl.plan import CHECKPOINTS, in_bytes, parameters_by_part, plan
from qwenvl.processing.processor import QwenVLProcessor, from_folder
from qwenvl.processing.text.tokenizers import TiktokenTokenizer
from qwenvl.published_files.json_files import read_json
from qwenvl.published_files.published_config import from_published

GOLDENS = Path(__file__).parents[1] / "goldens" / "qwen2-vl"
SIZES = json.loads((GOLDENS / "preprocessing.json").read_text(encoding="utf-8"))["images"]
PARAMETERS = {
    "Qwen-VL": 9_656_935_168,
    "Qwen-VL-Chat": 9_656_935_168,
    "Qwen2-VL-2B": 2_208_985_600,
    "Qwen2-VL-7B": 8_291_375_616,
    "Qwen2-VL-72B": 73_405_560_320,
}
TINY = ["tiny-qwen-vl", "tiny-qwen2-vl"]


@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_are_those_of_the_published_checkpoints(preset: str) -> None:
    cost = plan((224, 224), preset)
    assert cost.parameters == PARAMETERS[preset]
    assert cost.weight_bytes == 2 * PARAMETERS[preset]
    assert cost.derived is (preset == "Qwen2-VL-72B")
    assert ("derived dimensions" in dict(cost.steps)["weights"]) is cost.derived


def test_parameters_by_part_are_those_of_the_golden_file() -> None:
    golden = json.loads((GOLDENS / "params.json").read_text(encoding="utf-8"))
    assert golden
    parts = parameters_by_part(PRESETS["Qwen2-VL-7B"])
    assert parts["vision"] == 631_183_360
    assert parts["adapter"] == 44_575_744
    assert parameters_by_part(PRESETS["Qwen-VL"]) == {
        "vision": 1_842_770_688,
        "adapter": 76_054_528 + 16_785_408,
        "language": 7_721_324_544,
    }


@pytest.mark.parametrize("row", SIZES, ids=lambda row: f"{row['height']}x{row['width']}-{row['max_pixels']}")
def test_tokens_are_those_of_the_golden_table(row: dict) -> None:
    limits = {name: row[name] for name in ("min_pixels", "max_pixels")}
    expected = row["hf_5.23"]
    if "error" in expected:
        with pytest.raises(MediaError):
            plan((row["width"], row["height"]), "Qwen2-VL-2B", **limits)
        return
    cost = plan((row["width"], row["height"]), "Qwen2-VL-2B", **limits)
    assert cost.visual_tokens == expected["tokens"]
    assert list(cost.media[0].patch_grid) == expected["grid_thw"]


@pytest.mark.parametrize(
    ("size", "preset", "tokens", "positions"),
    [
        ((224, 224), "Qwen2-VL-7B", 64, 8),
        ((448, 448), "Qwen2-VL-7B", 256, 16),
        ((3840, 2160), "Qwen2-VL-7B", 10_549, 137),
        ((224, 224), "Qwen-VL-Chat", 256, 256),
        ((3840, 2160), "Qwen-VL-Chat", 256, 256),
        ((1, 1), "Qwen2-VL-2B", 4, 2),
        ((308, 252, 768), "Qwen2-VL-72B", 384 * 99, 384),
    ],
)
def test_tokens_and_positions_of_known_media(size: tuple, preset: str, tokens: int, positions: int) -> None:
    cost = plan(size, preset)
    assert cost.visual_tokens == tokens
    assert cost.prompt_tokens == tokens + cost.template_tokens
    assert cost.positions == positions + cost.template_tokens


def test_a_preset_may_be_spelled_as_people_do() -> None:
    for name in ("qwen2-vl-7b", "QWEN2-VL-7B", "Qwen/Qwen2-VL-7B-Instruct", "Qwen2-VL-7B-Instruct"):
        assert plan((56, 56), name).name == "Qwen2-VL-7B"


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("text", ["", "What is this?", "图中有什么？"])
def test_a_folder_counts_what_its_processor_counts(name: str, text: str) -> None:
    pictures = [Image.new("RGB", (200, 100)), Image.new("RGB", (60, 90))]
    clip = [Image.new("RGB", (64, 48))] * 3
    config = from_published(read_json(CHECKPOINTS / name / "config.json"))
    parts = [{"type": "image", "image": picture} for picture in pictures] + [{"type": "video", "video": clip}]
    parts += [{"type": "text", "text": text}] if text else []
    prompt = from_folder(CHECKPOINTS / name, config)([{"role": "user", "content": parts}])
    cost = plan([*pictures, (64, 48, 3)], name, text=text)
    assert cost.prompt_tokens == len(prompt.input_ids)
    assert cost.visual_tokens == sum(token.media is not None for token in prompt.tokens)
    assert cost.text_tokens == sum(token.section == "question" for token in prompt.tokens)
    assert [item.patch_grid for item in cost.media] == [item.patch_grid for item in prompt.media]


@pytest.mark.parametrize("name", TINY)
def test_memory_is_what_the_model_says_it_takes(name: str) -> None:
    config = from_published(read_json(CHECKPOINTS / name / "config.json"))
    model = build_skeleton(config)
    picture = Image.new("RGB", (200, 100))
    content = [{"type": "image", "image": picture}, {"type": "text", "text": "What is this?"}]
    prompt = from_folder(CHECKPOINTS / name, config)([{"role": "user", "content": content}])
    cost = plan(picture, CHECKPOINTS / name, text="What is this?", bytes_per_value=4)
    taps = model.tap_sizes(**prompt.model_inputs)
    by_site = {site: sum(size for tap, size in taps.items() if tap.startswith(site)) for site in cost.trace_bytes}
    assert cost.trace_bytes == by_site
    assert sum(by_site.values()) == sum(taps.values())
    assert cost.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("preset", "bytes_a_token"), [("2B", 28_672), ("7B", 57_344), ("72B", 327_680)])
def test_keys_and_values_of_a_token(preset: str, bytes_a_token: int) -> None:
    cost = plan((448, 448), f"Qwen2-VL-{preset}")
    assert cost.kv_cache_bytes == cost.prompt_tokens * bytes_a_token


def test_queries_and_keys_of_the_2b_at_4096_visual_tokens() -> None:
    cost = plan((64 * 28, 64 * 28), "Qwen2-VL-2B", bytes_per_value=4)
    assert cost.visual_tokens == 4096
    assert cost.trace_bytes["vision"] == 5 << 30
    assert cost.trace_bytes["language"] == cost.prompt_tokens * 28 * (12 + 2) * 128 * 4
    assert in_bytes(cost.trace_bytes["language"]) == "788.02 MiB"


def test_the_template_of_the_presets_is_exact() -> None:
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None
    tokenizer = TiktokenTokenizer.from_file(Path(str(spec.origin)).parent / "resources" / "qwen.tiktoken")
    processor = QwenVLProcessor(tokenizer, QWEN_VL)
    picture = Image.new("RGB", (30, 30))
    for count in (0, 1, 11):
        content = [{"type": "image", "image": picture}] * count + [{"type": "text", "text": "hi"}]
        prompt = processor([{"role": "user", "content": content}])
        assert plan([(30, 30)] * count, "Qwen-VL-Chat").prompt_tokens == len(prompt.input_ids) - 1
    # in Qwen2-VL a media stands between two tags, in the same turns
    assert plan([(30, 30)] * 3, "Qwen2-VL-2B").template_tokens == plan([], "Qwen-VL").template_tokens + 6


def test_a_preset_has_no_tokenizer_and_says_so() -> None:
    cost = plan((448, 448), "Qwen2-VL-7B", text="图中?")
    assert cost.text_tokens is None
    assert cost.prompt_tokens == plan((448, 448), "Qwen2-VL-7B").prompt_tokens
    assert "at most 7" in dict(cost.steps)["prompt"]
    assert "at most 7 of text" in cost.sentence


def test_the_limit_that_bites_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    Image.new("L", (1000, 1500)).save(path)
    cost = plan(path, "Qwen2-VL-7B", max_pixels=401_408)
    assert cost.media[0].limit == "max_pixels"
    assert cost.media[0].name == "page.png"
    assert cost.sentence == (
        "Qwen2-VL-7B: page.png, 486 visual tokens, 507 in the prompt, 1.55 % of the context of 32,768; "
        "max_pixels brings page.png to 504 × 756."
    )
    assert dict(cost.steps)["resized"] == "504 × 756, shrunk to max_pixels 401,408"
    assert "no pixel limit bites" in plan(path, "Qwen2-VL-7B").sentence
    assert "min_pixels" in plan((3, 3), "Qwen2-VL-7B").sentence
    assert "every picture costs the same" in plan(path, "Qwen-VL").sentence


def test_the_steps_are_the_arithmetic() -> None:
    steps = plan((640, 480), "Qwen2-VL-2B").steps
    assert steps[:6] == (
        ("picture 1", "640 × 480 pixels"),
        ("resized", "644 × 476, sides rounded to multiples of 28"),
        ("patches", "34 × 46 = 1,564 of 14 × 14 pixels"),
        ("visual tokens", "1,564 / 4 = 391"),
        ("prompt", "391 visual + 21 template = 412 tokens"),
        ("positions", "412 - 391 visual + 23 longest side = 44"),
    )


def test_more_than_the_context_is_said_not_refused() -> None:
    cost = plan([(3000, 4000)] * 3, "Qwen2-VL-7B")
    assert cost.share_of_context > 1
    assert "more than the context of 32,768" in cost.sentence


def test_a_plan_is_plain_json() -> None:
    cost = plan([(640, 480), (320, 240, 5)], "Qwen2-VL-2B", min_pixels=784)
    written = json.loads(json.dumps(cost.to_json()))
    assert written["visual_tokens"] == cost.visual_tokens
    assert written["media"][1]["token_grid"] == [3, 9, 11]
    assert written["min_pixels"] == 784
    assert written["share_of_context"] == cost.share_of_context
    assert plan((9, 9), "Qwen-VL").to_json()["min_pixels"] is None


@pytest.mark.parametrize(
    ("media", "preset", "error", "words"),
    [
        ((9, 9), "Qwen3-VL", CheckpointError, "the presets are Qwen-VL, Qwen-VL-Chat"),
        ((9, 9), "/nowhere/at/all", CheckpointError, "no folder with a config.json"),
        ((0, 9), "Qwen-VL", MediaError, "has no pixels"),
        ((9, 9, 0), "Qwen2-VL-7B", MediaError, "at least one frame"),
        ((30_000, 2), "Qwen2-VL-7B", MediaError, "one side 15,000.0 times"),
        ([(9, 9), (1.5, 2)], "Qwen2-VL-7B", MediaError, "whole numbers"),
        ("nowhere.png", "Qwen2-VL-7B", MediaError, "There is no file nowhere.png"),
        (None, "Qwen2-VL-7B", MediaError, "a path, bytes, a data: URL, a PIL image or a NumPy array, not NoneType"),
    ],
)
def test_what_cannot_be_planned_is_refused(media: object, preset: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        plan(media, preset)


def test_a_folder_needs_no_weights_and_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        (CHECKPOINTS / "tiny-qwen2-vl" / "config.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "preprocessor_config.json").write_text('{"min_pixels": 784, "max_pixels": 7840}', encoding="utf-8")
    cost = plan((300, 300), tmp_path, text="hi")
    assert cost.max_pixels == 7840
    assert cost.text_tokens is None
    assert cost.name == tmp_path.name


def test_integers_of_numpy_and_torch_count_alike() -> None:
    settings = {"min_pixels": 784, "max_pixels": 100_352, "text_tokens": 7, "answer_tokens": 5}
    expected = plan([(640, 480), (64, 48, 6)], "Qwen2-VL-2B", **settings)
    for kind in (np.int64, torch.tensor):
        sizes = [tuple(map(kind, size)) for size in ((640, 480), (64, 48, 6))]
        found = plan(sizes, "Qwen2-VL-2B", **{name: kind(value) for name, value in settings.items()})
        assert found == expected
        assert json.dumps(found.to_json()) == json.dumps(expected.to_json())
    with pytest.raises(PromptError, match="answer_tokens is a whole number from 0 up, not True"):
        plan((640, 480), "Qwen2-VL-2B", answer_tokens=True)
