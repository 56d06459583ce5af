"""The trained twins that ship still answer: a fast check, so that no change to the models goes unnoticed.

Bounds lie a margin under what the card says; scenes are few, so the margin is wide.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from transformers import Qwen2VLForConditionalGeneration

import qwenvl
from qwenvl.loading.load import CHECKPOINTS
from qwenvl.tiny.cases import draw_cases
from qwenvl.tiny.evaluate import evaluate
from qwenvl.tiny.publish import twin_config

SCENES = 40
MARGIN = 0.16  # two standard deviations of 40 answers of which 4 in 5 are right, and a little

NAMES = [
    folder.name
    for folder in sorted(CHECKPOINTS.glob("tiny-*"))
    if json.loads((folder / "config.json").read_text(encoding="utf-8"))["qwenvl"]["trained"]
]
FIGURES: dict[str, dict[str, Any]] = {
    name: json.loads((CHECKPOINTS / name / "figures.json").read_text(encoding="utf-8")) for name in NAMES
}
DETAIL = ("grounding", "region", "small things", "glyph")  # what the fine twins are for; the rest the others show
ROWS = [
    (name, row)
    for name in NAMES
    for row, found in FIGURES[name]["rows"].items()
    if found["right"] >= 0.5 and (row in DETAIL or not name.endswith("-fine"))
]


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_it_answers_as_well_as_its_card_says(name: str, row: str) -> None:
    pipeline = qwenvl.load(name, device="cpu")
    found = evaluate(pipeline, seed=4242, scenes=SCENES, rows=[row])["rows"][row]
    assert found["asked"] == SCENES
    assert found["right"] >= FIGURES[name]["rows"][row]["right"] - MARGIN


def test_resolution_that_follows_the_picture_sees_what_a_square_loses() -> None:
    """The papers' difference: small things on wide and tall pages, at least twice as often."""
    rows = {name: FIGURES[name]["rows"]["small things"]["right"] for name in NAMES if name.endswith("-fine")}
    assert rows["tiny-qwen2-vl-fine"] >= 0.9
    assert rows["tiny-qwen2-vl-fine"] >= 2 * rows["tiny-qwen-vl-fine"]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_small_and_what_its_recipe_writes(name: str) -> None:
    folder = CHECKPOINTS / name
    assert sum(path.stat().st_size for path in folder.iterdir()) < 12e6
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    about = config.pop("qwenvl")
    assert config == twin_config(name.removeprefix("tiny-").removesuffix("-fine"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"| seed | {about['seed']} |" in card
    for row, found in FIGURES[name]["rows"].items():
        assert f"| {row} | {found['right']:.1%} |" in card


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("tiny-qwen2-vl")])
def test_transformers_gives_equal_logits(name: str) -> None:
    theirs = Qwen2VLForConditionalGeneration.from_pretrained(CHECKPOINTS / name, dtype=torch.float32)
    pipeline = qwenvl.load(name, device="cpu", dtype="float32")
    (case,) = draw_cases("colour", 3, 1)
    inputs = pipeline.processor(case.messages()).model_inputs
    image = inputs["input_ids"] == pipeline.model.config.image_token_id
    with torch.no_grad():
        ours = pipeline.model(**inputs)
        expected = theirs(**inputs, mm_token_type_ids=image.int()).logits
    assert torch.allclose(ours, expected, atol=1e-3, rtol=1e-4)
