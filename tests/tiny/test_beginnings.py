"""What training begins with, and what it is shown: filters, looks at neighbours, labels of visual tokens, steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.trace import Trace, attention_rows
from qwenvl.published_files.published_config import from_published
from qwenvl.tiny.beginnings import OFFSETS, begin_qwen2_vl, begin_qwen_vl, draw_weights, hold_places, principal_filters
from qwenvl.tiny.marks import CLASSES, Moment, TokenMarks, mark_tokens
from qwenvl.tiny.optimiser import Muon, multiply_in_half, orthogonalise
from qwenvl.tiny.publish import draw_curve, twin_config, write_card, write_checkpoint
from qwenvl.tiny.scenes import GLYPHS, held_out, random_scene, random_strip
from qwenvl.tiny.sheets import random_print_sheet, random_sheet
from qwenvl.tiny.world import COLOURS, SHAPES, box_of, glyph_boxes


def test_principal_filters_whiten() -> None:
    rows = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.tensor([5.0, 3, 2, 1, 0.5, 0.1])
    )
    seen = (rows - rows.mean(dim=0)) @ principal_filters(rows, 3).T
    assert torch.allclose(seen.T @ seen / len(rows), torch.eye(3), atol=0.1)


@pytest.fixture(scope="module")
def first() -> QwenVL:
    torch.manual_seed(0)
    model = QwenVL(from_published(twin_config("qwen-vl")))  # type: ignore[arg-type]
    draw_weights(model)
    begin_qwen_vl(model, torch.randn(6, 3, 224, 224))
    return model


@torch.no_grad()
def test_qwen_vl_begins_with_looks_at_neighbours_and_queries_at_their_places(first: QwenVL) -> None:
    with Trace(first, "vision.blocks.*.attend.*", "adapter.attend.*") as trace:
        first.adapter(first.vision(torch.randn(1, 3, 224, 224)))
    middle = 16 * 7 + 8
    for block, offsets in enumerate(OFFSETS):
        name = f"vision.blocks.{block}.attend"
        rows = attention_rows(trace[f"{name}.q"], trace[f"{name}.k"], [middle])[0, :, 0]
        assert rows.argmax(dim=1).tolist() == [middle + 16 * down + right for down, right in offsets]
    rows = attention_rows(trace["adapter.attend.q"], trace["adapter.attend.k"], range(256))[0, 0]
    away = (rows.argmax(dim=1) - torch.arange(256)).abs()
    assert (away == 0).float().mean() > 0.5
    assert torch.isin(away, torch.tensor([0, 1, 15, 16, 17])).float().mean() > 0.85


@torch.no_grad()
def test_holding_places_undoes_what_a_step_did_to_them(first: QwenVL) -> None:
    before = {name: tensor.clone() for name, tensor in first.vision.state_dict().items()}
    for block in first.vision.blocks:
        block.mlp.down.weight += 1
        block.qkv.weight[:16] += 1
    hold_places(first)
    after = first.vision.state_dict()
    assert torch.equal(after["blocks.1.qkv.weight"], before["blocks.1.qkv.weight"])
    assert torch.equal(after["blocks.1.mlp.down.weight"][:16], before["blocks.1.mlp.down.weight"][:16])
    assert not torch.equal(after["blocks.1.mlp.down.weight"][16:], before["blocks.1.mlp.down.weight"][16:])


@torch.no_grad()
def test_qwen2_vl_begins_with_looks_at_neighbours_and_filters_of_change() -> None:
    torch.manual_seed(0)
    model = Qwen2VL(from_published(twin_config("qwen2-vl")))  # type: ignore[arg-type]
    draw_weights(model)
    begin_qwen2_vl(model, torch.randn(500, 1176))
    with Trace(model, "vision.blocks.0.attend.*") as trace:
        model.vision(torch.randn(64, 1176), [(1, 8, 8)])
    rows = attention_rows(trace["vision.blocks.0.attend.q"], trace["vision.blocks.0.attend.k"], range(64))[0]
    order = _block_order(8)
    inner = [place for place in order if min(place) >= 2 and max(place) <= 5]
    for head, (down, right) in enumerate(OFFSETS[0]):
        looks = {
            (i, j): np.mean([rows[head, order.index((r, c)), order.index((r + i, c + j))].item() for r, c in inner])
            for i in range(-2, 3)
            for j in range(-2, 3)
        }
        assert max(looks, key=looks.__getitem__) == (down, right)
    still = torch.randn(1, 3, 1, 14, 14).expand(1, 3, 2, 14, 14).reshape(1, -1)
    seen = torch.nn.functional.linear(still, model.vision.patch_embed.weight.flatten(1))[0]
    assert seen[-32:].abs().max() < 1e-4 < seen[:-32].abs().mean()


def _block_order(side: int) -> list[tuple[int, int]]:
    pairs = [(r, c) for r in range(0, side, 2) for c in range(0, side, 2)]
    return [(r + down, c + right) for r, c in pairs for down in (0, 1) for right in (0, 1)]


def test_visual_tokens_are_labelled_by_what_lies_on_them() -> None:
    scene = random_scene(np.random.default_rng(6), things=(3, 3), labels=(1, 1), sides=(200, 200))
    owner, labels, boxes = _parts(mark_tokens(Moment(scene, scene.items), (20, 20)))
    assert set(labels) == set(CLASSES)
    for index, thing in enumerate(scene.things):
        column, row = (int(20 * place / side) for place, side in zip(thing.centre, scene.size, strict=True))
        token = 20 * row + column
        if thing.shape == "ring":
            continue  # nothing is in its middle
        assert owner[token] == index + 1
        assert labels["shape"][token] == list(SHAPES).index(thing.shape) + 1
        assert labels["colour"][token] == list(COLOURS).index(thing.colour) + 1
        expected = [edge / side for edge, side in zip(box_of(thing, scene.size), 2 * scene.size, strict=True)]
        assert boxes[token].tolist() == pytest.approx(expected, abs=1e-5)
    nothing = owner == 0
    assert 0.5 < nothing.float().mean() < 1
    assert all(int(label[nothing].max()) == 0 for label in labels.values())


def _parts(marks: TokenMarks) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
    return marks.owner, marks.labels, marks.boxes


def test_sheets_are_full_and_hold_no_pair_that_is_held_out() -> None:
    rng = np.random.default_rng(0)
    sheets = [random_sheet(rng, (100, 170), (26, 64)) for _ in range(20)]
    things = [thing for sheet in sheets for thing in sheet.things]
    assert len(things) > 100
    assert not any(held_out(thing.colour, thing.shape) for thing in things)
    assert {thing.shape for thing in things} == set(SHAPES)


def test_muon_steps_by_orthogonal_matrices() -> None:
    torch.manual_seed(0)
    singular = torch.linalg.svdvals(orthogonalise(torch.randn(3, 40, 24), steps=10))
    assert singular.min() > 0.6
    assert singular.max() < 1.3
    matrix = torch.nn.Parameter(torch.zeros(8, 8))
    optimiser = Muon([matrix], lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        (matrix - torch.eye(8)).square().sum().backward()
        optimiser.step()
    assert (matrix - torch.eye(8)).abs().max() < 0.3


def test_a_card_prints_its_figures(first: QwenVL, tmp_path: Path) -> None:
    folder = tmp_path / "tiny-qwen-vl"
    write_checkpoint(first, "qwen-vl", folder, {"seed": 7, "steps": 1200, "minutes": 31.5})
    row = {"right": 0.875, "asked": 40, "by_difficulty": {"easy": {"right": 1.0, "asked": 8}}}
    found = {"target": 5.61, "distractor": 0.4, "layer": 2, "head": 1, "row": "answer"}
    figures = {
        "rows": {"colour": row},
        "pointing": {"colour": found},
        "seed": 3,
        "scenes": 40,
        "seconds_an_answer": 0.1,
    }
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    write_card(folder)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| colour | 87.5% | 97% | 40 | 100% |  |  |" in card
    assert "--seed 3 --scenes 40" in card
    assert "| colour | 5.6 x | 0.40 x | layer 2, head 1, row of the answer |" in card
    assert "| seed | 7 |" in card
    assert "1,200" in card
    draw_curve(
        [{"minutes": n, "loss": 1.0, "answers": 2.0 / (n + 1), "colour": n / 9} for n in range(9)], tmp_path / "c.png"
    )
    assert (tmp_path / "c.png").stat().st_size > 5000


def test_a_sheet_is_drawn_from_its_seed() -> None:
    one, other = (random_sheet(np.random.default_rng(5), (100, 170), (26, 64)) for _ in range(2))
    assert one == replace(other)


def test_print_is_marked_character_by_character_where_it_lies() -> None:
    rng = np.random.default_rng(3)
    sheet = random_print_sheet(rng, (200, 240), (30, 36), {"number": 1.0, "letters": 1.0})
    assert len(sheet.labels) > 4
    rows, columns = 12, 14
    marks = mark_tokens(Moment(sheet, sheet.items), (rows, columns))
    high, wide = sheet.size[1] / rows, sheet.size[0] / columns
    told = 0
    for index, label in enumerate(sheet.labels):
        assert len(marks.glyphs[index]) == len(label.text)
        for place, (left, top, right, bottom) in enumerate(glyph_boxes(label, sheet.size)):
            tokens = marks.glyphs[index][place]
            assert tokens.any()
            for token in tokens.nonzero()[:, 0].tolist():
                row, column = divmod(token, columns)
                assert column * wide < right
                assert left < (column + 1) * wide
                assert row * high < bottom
                assert top < (row + 1) * high
                if marks.owner[token] == index + 1:
                    told += 1
                    assert GLYPHS[int(marks.labels[f"glyph {place + 1}"][token]) - 1] == label.text[place]
    assert told > 20


def test_small_shapes_own_a_token_each_though_they_cover_little_of_it() -> None:
    rng = np.random.default_rng(5)
    shapes = owned = 0
    for _ in range(8):
        scene = random_strip(rng, long_side=(900, 1000), shape_size=(14, 15))
        owner = mark_tokens(Moment(scene, scene.items), (16, 16)).owner
        shapes += len(scene.things)
        owned += len(set(owner.tolist()) - {0})
    assert owned > 0.9 * shapes > 50


def test_products_in_half_precision_are_near_and_have_near_gradients() -> None:
    torch.manual_seed(0)
    exact, half = torch.nn.Linear(32, 48), torch.nn.Linear(32, 48)
    half.load_state_dict(exact.state_dict())
    multiply_in_half(half)
    x = torch.randn(2, 7, 32)
    gradients = []
    for layer in (exact, half):
        here = x.clone().requires_grad_(True)
        out = layer(here)
        out.square().sum().backward()
        gradients.append([out.detach(), here.grad, layer.weight.grad, layer.bias.grad])
    for one, other in zip(*gradients, strict=True):
        assert 0 < (one - other).abs().max() < 0.02 * one.abs().max()
