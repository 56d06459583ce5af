"""Qwen2-VL against `transformers` on tiny random models, both ways through a checkpoint folder.

transformers 5 departs from the paper where a clip has more temporal patches than it is wide or high (see
`test_after_a_long_clip_*`), so positions are handed to both sides, and each side's own are compared apart.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl import modeling_qwen2_vl

import qwenvl
from qwenvl.loading.load import CHECKPOINTS, count_parameters
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.rope import multimodal_positions, rope_multimodal
from qwenvl.models.trace import Trace, attention_rows
from qwenvl.models.weights import published_state
from qwenvl.published_files.published_config import from_published
from tests.support.goldens import assert_close
from tests.support.goldens import inputs_of as first_argument
from tests.support.reference import IMAGE, PROMPTS, SHAPES, VIDEO, Prompt, config_of, inputs_of, reference, token_types

LOGIT_LIMIT, MAP_LIMIT = 1e-4, 2e-5
SAME_BITS = 0.98  # of values in 16 bits: the last bit of a sum in 32 may turn a rounding


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each reference model as `save_pretrained` writes it."""
    parent = tmp_path_factory.mktemp("saved")
    folders = {shape: parent / str(index) for index, shape in enumerate(SHAPES)}
    for shape, folder in folders.items():
        reference(shape).save_pretrained(folder)
    return folders


@pytest.fixture(scope="module")
def ours(folders: dict[str, Path]) -> dict[str, Qwen2VL]:
    return {shape: load(folder) for shape, folder in folders.items()}


def load(folder: Path) -> Any:
    return qwenvl.load_model(folder, dtype=torch.float32, device="cpu")


def grids_of(inputs: dict[str, Tensor]) -> list[list[tuple[int, int, int]]]:
    names = ("image_grid_thw", "video_grid_thw")
    return [[tuple(grid) for grid in inputs[name].tolist()] if name in inputs else [] for name in names]


def positions_for(inputs: dict[str, Tensor], rule: Any) -> Tensor:
    return multimodal_positions(
        inputs["input_ids"],
        *grids_of(inputs),
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        attention_mask=inputs["attention_mask"],
        rule=rule,
    )


def both(shape: str, model: Qwen2VL, inputs: dict[str, Tensor], positions: Tensor, **rest: Any) -> tuple[Tensor, Any]:
    """Our logits and transformers' output, at the same positions."""
    with torch.no_grad():
        expected = reference(shape)(**inputs, position_ids=positions, **rest)
        return model(**inputs, positions=positions), expected


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("rule", ["paper", "transformers-5"])
def test_logits_equal_those_of_transformers(ours: dict[str, Qwen2VL], shape: str, prompt: str, rule: str) -> None:
    inputs = inputs_of(PROMPTS[prompt])
    logits, expected = both(shape, ours[shape], inputs, positions_for(inputs, rule))
    real = inputs["attention_mask"].bool()
    assert_close(logits[real], expected.logits[real], LOGIT_LIMIT)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_transformers_own_positions_are_ours_by_its_rule(ours: dict[str, Qwen2VL], shape: str, prompt: str) -> None:
    inputs = inputs_of(PROMPTS[prompt])
    with torch.no_grad():
        expected = reference(shape)(**inputs, mm_token_type_ids=token_types(inputs["input_ids"]))
        logits = ours[shape](**inputs, positions=positions_for(inputs, "transformers-5"))
        by_default = ours[shape](**inputs)
    real = inputs["attention_mask"].bool()
    assert_close(logits[real], expected.logits[real], LOGIT_LIMIT)
    paper = ours[shape](**inputs, positions=positions_for(inputs, "paper"))
    assert torch.equal(by_default, paper)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_hidden_states_and_rows_equal_eager_transformers(ours: dict[str, Qwen2VL], shape: str, prompt: str) -> None:
    inputs = inputs_of(PROMPTS[prompt])
    real = inputs["attention_mask"].bool()
    with Trace(ours[shape], "language.blocks.*", "language.norm", "language.blocks.*.attend.*") as trace:
        _, expected = both(
            shape,
            ours[shape],
            inputs,
            positions_for(inputs, "paper"),
            output_attentions=True,
            output_hidden_states=True,
        )
    assert_close(trace["language.blocks.0"][real], expected.hidden_states[1][real], LOGIT_LIMIT)
    assert_close(trace["language.norm"][real], expected.hidden_states[-1][real], LOGIT_LIMIT)
    for layer, maps in enumerate(expected.attentions):
        attend = f"language.blocks.{layer}.attend"
        q, k, mask = trace[f"{attend}.q"], trace[f"{attend}.k"], trace.mask_of(attend)
        rows = attention_rows(q, k, range(q.shape[2]), mask)
        assert_close(rows.transpose(1, 2)[real], maps.transpose(1, 2)[real], MAP_LIMIT)


@pytest.mark.parametrize("shape", SHAPES)
def test_tower_and_its_rows_equal_eager_transformers(
    ours: dict[str, Qwen2VL], shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps: list[Tensor] = []  # of each segment of each block: the tower itself hands out none
    eager = modeling_qwen2_vl.eager_attention_forward

    def recorded(*args: Any, **rest: Any) -> tuple[Tensor, Tensor]:
        mixed, weights = eager(*args, **rest)
        maps.append(weights)
        return mixed, weights

    monkeypatch.setattr(modeling_qwen2_vl, "eager_attention_forward", recorded)
    inputs = inputs_of(PROMPTS["two pictures of different sizes"])
    pixels, grids = inputs["pixel_values"], inputs["image_grid_thw"]
    with torch.no_grad(), Trace(ours[shape].vision, "blocks.*", "blocks.*.attend.*") as trace:
        patches = ours[shape].vision(pixels, grids_of(inputs)[0])
        expected = reference(shape).model.visual(pixels, grid_thw=grids, output_hidden_states=True)
    assert_close(patches, expected.last_hidden_state, LOGIT_LIMIT)
    assert_close(ours[shape].adapter(patches), expected.pooler_output, LOGIT_LIMIT)
    for layer, hidden in enumerate(expected.hidden_states[1:]):
        assert_close(trace[f"blocks.{layer}"], hidden, LOGIT_LIMIT)
        attend, first, second = f"blocks.{layer}.attend", slice(0, 12), slice(12, 44)
        q, k, mask = trace[f"{attend}.q"], trace[f"{attend}.k"], trace.mask_of(attend)
        assert_close(attention_rows(q, k, range(12), mask)[..., first], maps[2 * layer], MAP_LIMIT)
        assert_close(attention_rows(q, k, range(12, 44), mask)[..., second], maps[2 * layer + 1], MAP_LIMIT)


@pytest.mark.parametrize("shape", SHAPES)
def test_in_half_precision_queries_and_keys_are_rotated_as_in_transformers_bit_for_bit(
    ours: dict[str, Qwen2VL], shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tower rotates in float32, the language model in the model's dtype."""
    theirs = copy.deepcopy(reference(shape)).bfloat16()
    for buffer, wide in zip(theirs.buffers(), reference(shape).buffers(), strict=True):
        buffer.data = wide.data.clone()  # `from_pretrained` keeps the frequencies in float32
    model = copy.deepcopy(ours[shape]).bfloat16()
    seen: list[tuple[Tensor, Tensor]] = []
    eager = modeling_qwen2_vl.eager_attention_forward

    def recorded(module: Any, q: Tensor, k: Tensor, *rest: Any, **keywords: Any) -> tuple[Tensor, Tensor]:
        seen.append((q, k))
        return eager(module, q, k, *rest, **keywords)

    monkeypatch.setattr(modeling_qwen2_vl, "eager_attention_forward", recorded)
    picture, text = inputs_of(PROMPTS["one picture"]), inputs_of(PROMPTS["text"])
    with torch.no_grad():
        with Trace(model, "vision.blocks.0.attend.*") as tower, first_argument(model.vision.blocks[0]) as embedded:
            model(**picture)
        monkeypatch.setattr(theirs.model.visual.patch_embed, "forward", lambda _: embedded[0])  # theirs convolves
        theirs.model.visual(picture["pixel_values"].bfloat16(), grid_thw=picture["image_grid_thw"])
        theirs(**text)
        with Trace(model, "language.blocks.0.attend.*") as language:
            model(**text)
    first_of_language = len(theirs.model.visual.blocks)
    for tap, index in (("q", 0), ("k", 1)):
        for ours_, theirs_ in (
            (tower[f"vision.blocks.0.attend.{tap}"], seen[0][index]),
            (language[f"language.blocks.0.attend.{tap}"], seen[first_of_language][index]),
        ):
            assert (ours_ == theirs_).float().mean() > SAME_BITS


# --- positions ---


def next_ids(parts: list[Any]) -> dict[str, int]:
    """The first id after the only clip of a prompt, by each rule and by transformers itself."""
    inputs = inputs_of([Prompt(parts)])
    ids = inputs["input_ids"]
    place = int((ids[0] == VIDEO).nonzero()[-1, 0]) + 1
    theirs, _ = reference(next(iter(SHAPES))).model.get_rope_index(
        ids, token_types(ids), video_grid_thw=inputs["video_grid_thw"], attention_mask=inputs["attention_mask"]
    )
    found = {rule: positions_for(inputs, rule) for rule in ("paper", "transformers-5")} | {"itself": theirs}
    return {name: int(positions[0, 0, place]) for name, positions in found.items()}


def test_after_a_long_clip_the_paper_goes_on_at_23_and_transformers_at_5() -> None:
    # three text tokens, one of them the tag, then ids (3 + a, 3 + y, 3 + x) with a up to 19
    assert next_ids([2, ("video", (20, 4, 4)), 3]) == {"paper": 23, "transformers-5": 5, "itself": 5}


def test_after_a_square_clip_of_three_both_the_paper_and_transformers_documentation_go_on_at_4() -> None:
    # their docstring's example, one tag later: the clip starts at 1 and is 3 x 2 x 2, yet the code goes on at 3
    assert next_ids([("video", (3, 4, 4)), 5]) == {"paper": 4, "transformers-5": 3, "itself": 3}


@pytest.mark.parametrize("seed", range(20))
def test_positions_of_random_pictures_equal_those_of_transformers(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def draw(high: int) -> int:
        return int(torch.randint(1, high, (1,), generator=generator))

    parts: list[Any] = [draw(4)]
    for _ in range(draw(4)):
        parts += [("image", (1, 2 * draw(6), 2 * draw(6))), draw(5)]
    inputs = inputs_of([Prompt(parts), Prompt([3])])
    theirs, deltas = reference(next(iter(SHAPES))).model.get_rope_index(
        inputs["input_ids"],
        token_types(inputs["input_ids"]),
        image_grid_thw=inputs["image_grid_thw"],
        attention_mask=inputs["attention_mask"],
    )
    ours, real = positions_for(inputs, "paper"), inputs["attention_mask"].bool()
    assert torch.equal(ours[:, real], theirs[:, real])
    assert torch.equal(ours.amax(dim=(0, 2)) + 1 - real.sum(dim=1), deltas[:, 0])


@pytest.mark.parametrize("shape", SHAPES)
def test_multimodal_rotation_equals_that_of_transformers(ours: dict[str, Qwen2VL], shape: str) -> None:
    inputs = inputs_of(PROMPTS["all interleaved"])
    positions = positions_for(inputs, "paper")
    language = ours[shape].config.language
    cos, sin = rope_multimodal(positions, language.head_dim, language.rope_theta, language.rope_sections)
    theirs = modeling_qwen2_vl.Qwen2VLRotaryEmbedding(config_of(shape).text_config)(torch.zeros(1), positions)
    assert_close(cos, theirs[0], 1e-6)
    assert_close(sin, theirs[1], 1e-6)


# --- folders, both ways ---


def assert_same_model(folder: Path, shape: str) -> None:
    inputs = inputs_of(PROMPTS["all interleaved"])
    logits, expected = both(shape, load(folder), inputs, positions_for(inputs, "paper"))
    assert_close(logits, expected.logits, LOGIT_LIMIT)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("original", [True, False], ids=["legacy names", "new names"])
def test_sharded_safetensors_load(tmp_path: Path, shape: str, original: bool) -> None:
    reference(shape).save_pretrained(tmp_path, max_shard_size="100KB", save_original_format=original)
    names = json.loads((tmp_path / "model.safetensors.index.json").read_text(encoding="utf-8"))["weight_map"]
    assert len(set(names.values())) > 2
    assert any(name.startswith("visual." if original else "model.visual.") for name in names)
    assert_same_model(tmp_path, shape)


@pytest.mark.parametrize("sharded", [False, True], ids=["whole", "sharded"])
@pytest.mark.parametrize("shape", SHAPES)
def test_pytorch_bin_files_load(tmp_path: Path, shape: str, sharded: bool) -> None:
    config_of(shape).save_pretrained(tmp_path)
    state = dict(sorted(reference(shape).state_dict().items()))
    if sharded:
        files = {name: f"pytorch_model-0000{1 + index % 3}-of-00003.bin" for index, name in enumerate(state)}
        (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}), encoding="utf-8")
        for file in set(files.values()):
            torch.save({name: state[name] for name, place in files.items() if place == file}, tmp_path / file)
    else:
        torch.save(state, tmp_path / "pytorch_model.bin")
    assert_same_model(tmp_path, shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_folder_written_from_our_weights_loads_in_transformers(
    ours: dict[str, Qwen2VL], tmp_path: Path, shape: str
) -> None:
    config_of(shape).save_pretrained(tmp_path)
    state = {name: tensor.contiguous() for name, tensor in published_state(ours[shape]).items()}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    theirs, report = Qwen2VLForConditionalGeneration.from_pretrained(
        tmp_path, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    inputs = inputs_of(PROMPTS["all interleaved"])
    positions = positions_for(inputs, "paper")
    with torch.no_grad():
        expected = theirs(**inputs, position_ids=positions).logits
        assert_close(ours[shape](**inputs, positions=positions), expected, LOGIT_LIMIT)


def test_our_tiny_checkpoint_loads_in_transformers_and_gives_the_same_logits() -> None:
    folder = CHECKPOINTS / "tiny-qwen2-vl"
    model = load(folder)
    theirs = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    config = model.config
    ids = [5, config.vision_start_id, *[config.image_token_id] * 12, config.vision_end_id, 9, 11, 13]
    pixels = torch.randn(48, 1176, generator=torch.Generator().manual_seed(0))
    inputs = {
        "input_ids": torch.tensor([ids]),
        "pixel_values": pixels,
        "image_grid_thw": torch.tensor([[1, 6, 8]]),
    }
    types = (inputs["input_ids"] == config.image_token_id).long()
    with torch.no_grad():
        assert_close(model(**inputs), theirs(**inputs, mm_token_type_ids=types).logits, 6e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_saved_config_describes_a_model_of_as_many_parameters(folders: dict[str, Path], shape: str) -> None:
    config = from_published(json.loads((folders[shape] / "config.json").read_text(encoding="utf-8")))
    assert count_parameters(config) == sum(parameter.numel() for parameter in reference(shape).parameters())
