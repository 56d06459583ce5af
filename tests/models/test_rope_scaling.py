"""Stretched rotary frequencies against transformers 5.23: numbers, and logits of random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Qwen2VLForConditionalGeneration
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

import qwenvl
from qwenvl.errors import CheckpointError
from qwenvl.models.rope import inverse_frequencies, stretch
from qwenvl.published_files.published_config import from_published
from tests.support.folders import SOURCE, edit, variant
from tests.support.goldens import assert_close
from tests.support.reference import PROMPTS, config_of, inputs_of, token_types

SECTIONS = {"mrope_section": [2, 3, 3]}
SCALINGS: dict[str, dict[str, Any]] = {
    "yarn": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    "yarn as rope_type": {"rope_type": "yarn", "factor": 2, "original_max_position_embeddings": 100},
    "yarn of the whole length": {"type": "yarn", "factor": 8.0},
    "yarn with its own attention": {"type": "yarn", "factor": 4.0, "attention_factor": 0.7},
    "yarn with mscale": {"type": "yarn", "factor": 4.0, "mscale": 0.7, "mscale_all_dim": 1.1},
    "yarn with its own ramp": {"type": "yarn", "factor": 4.0, "beta_fast": 4, "beta_slow": 2, "truncate": False},
    "linear": {"type": "linear", "factor": 3.0},
}
SHAPE = "tied, two queries a key"


def theirs_with(scaling: dict[str, Any]) -> Any:
    config = config_of(SHAPE)
    kind = scaling.get("rope_type", scaling.get("type"))
    rope = {"rope_theta": 1e6, "rope_type": kind} | SECTIONS | {k: v for k, v in scaling.items() if k != "type"}
    if kind == "yarn":
        rope.setdefault("original_max_position_embeddings", config.text_config.max_position_embeddings)
    config.text_config.rope_parameters = rope
    return config


@pytest.mark.parametrize("name", SCALINGS)
def test_frequencies_equal_those_of_transformers(name: str) -> None:
    config = theirs_with(SCALINGS[name])
    kind = config.text_config.rope_parameters["rope_type"]
    expected, factor = ROPE_INIT_FUNCTIONS[kind](config.text_config)
    language = from_published(json.loads(json.dumps(config.to_dict(), default=str))).language
    assert language.rope_scaling is not None
    ours = stretch(
        inverse_frequencies(language.head_dim, language.rope_theta), language.rope_theta, language.rope_scaling
    )
    assert_close(ours, expected, 1e-9)
    assert language.rope_scaling.attention_factor == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize("prompt", ["text", "a clip", "all interleaved"])
@pytest.mark.parametrize("name", SCALINGS)
def test_logits_equal_those_of_transformers(name: str, prompt: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Qwen2VLForConditionalGeneration(theirs_with(SCALINGS[name])).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.normal_(std=0.2) if parameter.dim() > 1 else parameter.normal_(mean=0.5, std=0.2)
    model.save_pretrained(tmp_path)
    ours = qwenvl.load_model(tmp_path, dtype="float32", device="cpu")
    inputs = inputs_of(PROMPTS[prompt])
    grids = {"image_grid_thw": inputs.get("image_grid_thw"), "video_grid_thw": inputs.get("video_grid_thw")}
    positions, _ = model.model.get_rope_index(
        inputs["input_ids"], mm_token_type_ids=token_types(inputs["input_ids"]), **grids
    )
    expected = model(**inputs, position_ids=positions).logits
    assert_close(ours(**inputs, positions=positions), expected, 6e-4)
    plain = qwenvl.load_model(_without_scaling(tmp_path), dtype="float32", device="cpu")
    assert (plain(**inputs, positions=positions) - expected).abs().max() > 1e-3  # it is no empty comparison


def _without_scaling(folder: Path) -> Path:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e6} | SECTIONS
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("kind", ["dynamic", "longrope", "llama3", "proportional", "su", 7])
def test_other_kinds_are_refused_by_name(kind: Any) -> None:
    file = json.loads((SOURCE / "config.json").read_text())
    file["rope_scaling"] |= {"type": kind, "factor": 2.0}
    with pytest.raises(CheckpointError, match=f"{kind}"):
        from_published(file)


def test_the_case_of_a_yarn_folder_equals_transformers(tmp_path: Path) -> None:
    """The shipped twin with YaRN written into its config: read, shown and computed."""
    folder = variant(tmp_path / "yarn")
    yarn = {"type": "yarn", "mrope_section": [2, 5, 9], "factor": 4.0, "original_max_position_embeddings": 32768}
    edit(folder / "config.json", max_position_embeddings=131072, rope_scaling=yarn)
    model = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.randint(0, 2000, (1, 40), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = model(input_ids=ids).logits
    pipeline = qwenvl.load(folder, dtype="float32", device="cpu")
    assert_close(pipeline.model(input_ids=ids), expected, 6e-4)
    assert pipeline.config.language.context == 131072
    run = pipeline.run([{"role": "user", "content": "Hi"}], answer="red")
    path = tmp_path / "yarn.run"
    run.save(path)
    assert qwenvl.Run.load(path).config == pipeline.config
