"""The untrained folders are what they say: reproducible, small, in the published layout, and loaded by others."""

from __future__ import annotations

import json
from filecmp import cmpfiles
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from transformers import AutoTokenizer, Qwen2VLForConditionalGeneration

import qwenvl
from qwenvl.published_files.published_config import from_published
from qwenvl.tiny.untrained import write_untrained

CHECKPOINTS = Path(__file__).parents[2] / "qwenvl" / "checkpoints"
NAMES = ("tiny-qwen-vl", "tiny-qwen2-vl")


SEED = 0


def config(name: str) -> dict[str, Any]:
    return json.loads((CHECKPOINTS / name / "config.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_untrained(folder, seed=SEED)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_writing_them_again_gives_the_same_bytes(name: str, rewritten: Path, tmp_path: Path) -> None:
    # a folder that ships untrained is what the command writes; a trained one must not have moved the command
    ships_untrained = not config(name)["qwenvl"]["trained"]
    other = CHECKPOINTS if ships_untrained else write_untrained(tmp_path, seed=SEED)[0].parent
    files = sorted(path.name for path in (rewritten / name).iterdir())
    assert files == sorted(path.name for path in (other / name).iterdir())
    same, different, missing = cmpfiles(other / name, rewritten / name, files, shallow=False)
    assert (same, different, missing) == (files, [], [])


def test_another_seed_gives_other_weights(rewritten: Path, tmp_path: Path) -> None:
    for folder in write_untrained(tmp_path, seed=1):
        one, other = (load_file(place / "model.safetensors") for place in (rewritten / folder.name, folder))
        assert {name: tensor.shape for name, tensor in one.items()} == {k: v.shape for k, v in other.items()}
        assert not np.array_equal(
            one[next(n for n in one if "proj" in n)], other[next(n for n in other if "proj" in n)]
        )


@pytest.mark.parametrize("name", NAMES)
def test_they_are_small_and_say_that_they_are_untrained(name: str, rewritten: Path) -> None:
    folder = rewritten / name
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 12e6
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["qwenvl"]["trained"] is False
    assert "**Untrained: seeded random weights.**" in card
    parameters = sum(tensor.size for tensor in load_file(folder / "model.safetensors").values())
    assert f"{parameters:,} parameters" in card


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_folders_are_small_and_as_trained_as_their_cards_say(name: str) -> None:
    card = (CHECKPOINTS / name / "README.md").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in (CHECKPOINTS / name).iterdir()) < 12e6
    assert ("**Untrained" in card) == (not config(name)["qwenvl"]["trained"])


def test_qwen_vl_keeps_its_256_queries_and_heads_of_128() -> None:
    read = from_published(config("tiny-qwen-vl"))
    assert (read.adapter.num_queries, read.language.dim // read.adapter.num_heads) == (256, 128)
    assert read.image_pad_id < read.language.vocab_size


def test_the_adapters_positions_tell_the_column_first_and_then_the_row(rewritten: Path) -> None:
    table = load_file(rewritten / "tiny-qwen-vl" / "model.safetensors")["transformer.visual.attn_pool.pos_embed"]
    row, column, quarter = 11, 6, 64
    place = table[16 * row + column].astype(np.float64)
    for index in (0, 1, 17, 63):
        frequency = 10000 ** (-index / quarter)
        expected = [np.sin(column * frequency), np.cos(column * frequency)]
        expected += [np.sin(row * frequency), np.cos(row * frequency)]
        assert place[index::quarter] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_they_answer_with_words_whatever_the_picture(name: str, rewritten: Path) -> None:
    pipeline = qwenvl.load(rewritten / name)
    picture = Image.new("RGB", (200, 120), "orange")
    content = [{"type": "image", "image": picture}, {"type": "text", "text": "Describe the image."}]
    answer = "".join(pipeline.stream([{"role": "user", "content": content}], max_new_tokens=8))
    assert len(answer.split()) == 8
    assert answer.replace(" ", "").isalpha()
    assert answer.isascii()
    assert pipeline.trained is False


def test_transformers_loads_the_qwen2_vl_folder_whole(recwarn: pytest.WarningsRecorder) -> None:
    folder = CHECKPOINTS / "tiny-qwen2-vl"
    model, info = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not any(info.values())
    assert model.generation_config.do_sample is False
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("What colour is it?", return_tensors="pt").input_ids
    ours = qwenvl.load_model(folder, dtype=torch.float32, device="cpu")
    theirs = model(ids).logits
    assert theirs.shape == (1, ids.shape[1], 2112)
    assert torch.allclose(ours(input_ids=ids), theirs, atol=6e-4)
    assert not [warning for warning in recwarn if "tiny-qwen2-vl" in str(warning.message)]


def test_the_chat_template_spells_a_conversation() -> None:
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINTS / "tiny-qwen2-vl")
    question = [{"type": "image"}, {"type": "text", "text": "Which?"}, {"type": "video"}, {"type": "image"}]
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "this"}]
    image, video = (f"<|vision_start|><|{kind}_pad|><|vision_end|>" for kind in ("image", "video"))
    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    turn = (
        f"<|im_start|>user\n{{}}{image}Which?{{}}{video}{{}}{image}<|im_end|>\n<|im_start|>assistant\nthis<|im_end|>\n"
    )
    spelled = tokenizer.apply_chat_template(messages, tokenize=False)
    assert spelled == system + turn.format("", "", "")
    numbered = tokenizer.apply_chat_template(
        [{"role": "system", "content": "Be brief."}, *messages],
        tokenize=False,
        add_vision_id=True,
        add_generation_prompt=True,
    )
    named = turn.format("Picture 1: ", "Video 1: ", "Picture 2: ")
    assert numbered == f"<|im_start|>system\nBe brief.<|im_end|>\n{named}<|im_start|>assistant\n"
