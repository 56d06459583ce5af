"""What a twin is trained on is what it is asked: packs equal single questions, and training survives a kill."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Qwen2VLForConditionalGeneration

import qwenvl
from qwenvl.processing.text.tokenizers import TiktokenTokenizer
from qwenvl.tiny import __main__ as command_line
from qwenvl.tiny import curriculum
from qwenvl.tiny.cases import draw_cases
from qwenvl.tiny.curriculum import Menu, TrainingPlan, choose_questions, draw_lesson
from qwenvl.tiny.lessons import Lesson, Teacher, pack
from qwenvl.tiny.losses import heads_of, read, see
from qwenvl.tiny.questions import SCENE_TASKS, content
from qwenvl.tiny.scenes import random_scene
from qwenvl.tiny.train import Training, move_words
from qwenvl.tiny.world import render

TASKS = {"colour": 1.0, "shape": 1.0, "grounding": 1.0, "region": 1.0, "caption": 1.0, "count": 1.0}
STILLS = {"scene": 1.0, "print": 1.0, "strip": 0.5, "page": 0.5, "pair": 1.0, "print sheet": 0.5}
MENU = Menu(STILLS | {"clip": 1.0}, TASKS, questions=5, sides=(112, 168), texts={"word": 1.0, "number": 1.0})


def training(family: str, out: Path, start: Path | None = None) -> Training:
    plan = TrainingPlan(family, minutes=1.0, seed=3, budget=300, seeing_budget=300, seeing=0.0)
    return Training(plan, out / "twin", start=start)


def alone(lesson: Lesson, index: int, family: str) -> dict[str, torch.Tensor]:
    """The arguments of a forward pass over one question and its answer."""
    ids = torch.tensor([[*lesson.prefix, *lesson.tails[index].ids]])
    if family == "qwen-vl":
        return {"input_ids": ids, "images": lesson.pixels}
    is_clip = lesson.grids[0][0] > 1
    names = ("pixel_values_videos", "video_grid_thw") if is_clip else ("pixel_values", "image_grid_thw")
    return {"input_ids": ids, names[0]: lesson.pixels, names[1]: torch.tensor(lesson.grids)}


@pytest.mark.parametrize("family", ["qwen-vl", "qwen2-vl"])
def test_packed_questions_equal_single_ones(family: str, tmp_path: Path) -> None:
    twin = training(family, tmp_path)
    torch.manual_seed(0)
    for module in twin.model.modules():
        module.__dict__.pop("forward", None)  # products in bfloat16 are for training alone
    for parameter in twin.model.parameters():  # training begins with silent blocks, which would hide a mistake
        if parameter.requires_grad:
            parameter.data += 0.02 * torch.randn_like(parameter)
    rng = np.random.default_rng(5)
    kinds = [kind for kind in MENU.kinds if family == "qwen2-vl" or kind != "clip"]
    lessons = [draw_lesson(twin.shelf.teacher, replace(MENU, kinds={kind: 1.0}), rng) for kind in kinds]
    batch = pack(lessons)
    with torch.no_grad():
        packed = twin.model.language.logits(read(twin.model, batch, see(twin.model, batch)).hidden[batch.rows])
        start = 0
        for lesson in lessons:
            for index, tail in enumerate(lesson.tails):
                length = len(tail.ids) - tail.answer_start
                single = twin.model(**alone(lesson, index, family), last=length + 1)[0, :-1]
                torch.testing.assert_close(packed[start : start + length], single, atol=5e-5, rtol=1e-4)
                start += length
    assert start == len(packed) > 20


@pytest.mark.parametrize("family", ["qwen-vl", "qwen2-vl"])
def test_lessons_are_written_as_the_processor_writes_questions(family: str, tmp_path: Path) -> None:
    teacher: Teacher = training(family, tmp_path).shelf.teacher
    rng = np.random.default_rng(8)
    scene = random_scene(rng, things=(2, 4), sides=(112, 168))
    questions = choose_questions(SCENE_TASKS, TASKS, scene, rng, 5)
    lesson = teacher.scenes([scene], questions)
    for question, tail in zip(questions, lesson.tails, strict=True):
        parts = [{"type": "image", "image": render(scene)}, *content(question.asked)]
        prompt = teacher.processor([{"role": "user", "content": parts}])
        assert lesson.prefix + tail.ids[: tail.answer_start] == prompt.input_ids, question


@pytest.mark.parametrize("family", ["qwen-vl", "qwen2-vl"])
def test_training_goes_on_after_a_kill_as_if_nothing_had_happened(family: str, tmp_path: Path) -> None:
    whole, first = training(family, tmp_path / "whole"), training(family, tmp_path / "parts")
    losses = [whole.advance().figures["loss"] for _ in range(4)]
    for _ in range(2):
        first.advance()
    first.save()
    second = training(family, tmp_path / "parts")
    assert second.resume()
    assert second.step == 2
    assert [second.advance().figures["loss"] for _ in range(2)] == pytest.approx(losses[2:], rel=1e-3)


@pytest.mark.slow
def test_the_command_writes_a_folder_from_which_it_can_begin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(curriculum.BUDGETS, "qwen2-vl", {"budget": 300, "seeing_budget": 300})
    command = ["qwenvl.tiny", "train", "qwen2-vl", "--minutes", "0.03", "--seed", "3", "--device", "cpu", "--out"]
    monkeypatch.setattr(sys, "argv", [*command, str(tmp_path / "first")])
    command_line.main()
    pipeline = qwenvl.load(tmp_path / "first", device="cpu")
    assert pipeline.trained
    assert sum(path.stat().st_size for path in (tmp_path / "first").iterdir()) < 12e6
    assert "--seed 3" in (tmp_path / "first" / "README.md").read_text(encoding="utf-8")
    with Image.open(tmp_path / "first" / "curve.png") as curve:
        assert curve.size > (300, 300)
    start = training("qwen2-vl", tmp_path / "second", start=tmp_path / "first")
    for name, tensor in start.model.state_dict().items():
        torch.testing.assert_close(tensor, pipeline.model.state_dict()[name])
    assert all(p.requires_grad for name, p in start.model.named_parameters())
    start.advance()


def test_transformers_reads_a_trained_folder(tmp_path: Path) -> None:
    twin = training("qwen2-vl", tmp_path)
    twin.publish()
    theirs, found = Qwen2VLForConditionalGeneration.from_pretrained(
        twin.out, dtype=torch.float32, output_loading_info=True
    )
    assert not any(found.values())
    pipeline = qwenvl.load(twin.out, device="cpu", dtype="float32")
    (case,) = draw_cases("colour", 3, 1)
    inputs = pipeline.processor(case.messages()).model_inputs
    kinds = (inputs["input_ids"] == twin.config.image_token_id).int()
    with torch.no_grad():
        expected = theirs(**inputs, mm_token_type_ids=kinds).logits
        torch.testing.assert_close(pipeline.model(**inputs), expected, atol=6e-4, rtol=1e-4)


def test_heads_are_those_of_the_models(tmp_path: Path) -> None:
    twin = training("qwen2-vl", tmp_path)
    block = twin.model.language.blocks[0]
    turn = (torch.ones(7, block.head_dim), torch.zeros(7, block.head_dim))
    q, k, _ = heads_of(block, torch.randn(7, twin.config.language.dim), turn)
    assert (q.shape[0], k.shape[0]) == (twin.config.language.num_heads, twin.config.language.num_kv_heads)


def test_rows_are_shown_the_character_and_the_thing_they_name(tmp_path: Path) -> None:
    teacher = training("qwen2-vl", tmp_path).shelf.teacher
    rng = np.random.default_rng(2)
    menu = replace(MENU, kinds={"print": 1.0}, texts={"number": 1.0})
    spelled = 0
    for _ in range(12):
        for tail in draw_lesson(teacher, menu, rng).tails:
            if tail.task != "number":
                continue
            answer = teacher.tokenizer.decode(tail.ids[tail.answer_start : -1])
            rows = [row for kind, row, _ in tail.looks if kind == "answer"]
            assert rows == list(range(tail.answer_start - 1, tail.answer_start - 1 + len(answer)))
            spelled += len(answer)
    assert spelled > 10
    scene = random_scene(rng, things=(3, 3), sides=(200, 300))
    question = next(q for q in choose_questions(SCENE_TASKS, {"caption": 1.0}, scene, rng, 4) if q.language == "en")
    (tail,) = teacher.scenes([scene], [question]).tails
    named = [teacher.tokenizer.piece(tail.ids[row + 1]).decode().strip() for _, row, _ in tail.looks]
    for thing in scene.things:
        assert thing.shape in named
        assert thing.colour in named
    looked = {word: tokens for word, (_, _, tokens) in zip(named, tail.looks, strict=True)}
    assert all(bool((looked[thing.shape] == looked[thing.colour]).all()) for thing in scene.things)


def test_a_vocabulary_moves_with_its_words(tmp_path: Path) -> None:
    twin = training("qwen-vl", tmp_path)
    new = twin.shelf.teacher.tokenizer
    swapped = [*reversed([new.piece(id_) for id_ in range(256)]), *(new.piece(id_) for id_ in range(256, 2048))]
    old = TiktokenTokenizer({piece: id_ for id_, piece in enumerate(swapped)})
    before = twin.model.language.embed.weight.detach().clone()
    move_words(twin.model, old, new)
    after = twin.model.language.embed.weight.detach()
    assert torch.equal(after[:256], before[:256].flip(0))
    assert torch.equal(after[256:2048], before[256:2048])
