"""What a run answers, against a forward pass with hooks, a softmax written out and orders written by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.run import Run
from qwenvl.processing.geometry.pixels import unpatch
from tests.support.dense import dense_rows, seen_causally, seen_in_segments
from tests.support.goldens import assert_close, assert_likeliest
from tests.support.tiny import SPOKEN, TINY, colours, mixed_messages, mixed_run, mosaic, one_picture, tiny

ROW_LIMIT = 1e-5
SUM_LIMIT = 5e-6  # of a row of weights in float32; up to 6e-7, by processor


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@pytest.fixture
def qwen_vl() -> Run:
    return mixed_run("tiny-qwen-vl")


@pytest.fixture
def qwen2_vl() -> Run:
    return mixed_run("tiny-qwen2-vl")


def inputs_of(run: Run) -> dict[str, Tensor]:
    """The forward pass over prompt and answer, built from the processor alone."""
    inputs = dict(tiny(run.card.name).processor(mixed_messages()).model_inputs)
    said = torch.tensor([[token.id for token in run.tokens if token.in_answer]])
    return inputs | {"input_ids": torch.cat((inputs["input_ids"], said), dim=1)}


@cache
def attended(name: str) -> tuple[dict[str, tuple[Tensor, Tensor]], Tensor]:
    """Queries and keys of every attention of an independent pass, by the module's name, and its logits."""
    model, found, handles = tiny(name).model, {}, []
    for module_name, module in model.named_modules():
        if module_name.endswith(".attend"):

            def keep(_: Any, arguments: Any, module_name: str = module_name) -> None:
                found[module_name] = (arguments[0], arguments[1])

            handles.append(module.register_forward_pre_hook(keep))
    with torch.no_grad():
        logits = model(**inputs_of(mixed_run(name)))
    for handle in handles:
        handle.remove()
    return found, logits


def block_order(t: int, h: int, w: int) -> list[int]:
    """Raster index of each patch as the processor lists them."""
    return [
        (frame * h + 2 * row + y) * w + 2 * column + x
        for frame in range(t)
        for row in range(h // 2)
        for column in range(w // 2)
        for y in range(2)
        for x in range(2)
    ]


# --- tokens and positions ---


def test_tokens_are_the_prompts_and_then_the_answers(run: Run) -> None:
    prompt = tiny(run.card.name).processor(mixed_messages())
    assert [token.id for token in run.tokens[: run.answer_start]] == prompt.input_ids
    assert not any(token.in_answer for token in run.tokens[: run.answer_start])
    assert all(token.in_answer for token in run.tokens[run.answer_start :])
    assert "".join(token.text for token in run.tokens[run.answer_start :]) == run.answer == SPOKEN


def test_visual_tokens_count_up_over_each_medias_cells(run: Run) -> None:
    for index, media in enumerate(run.media):
        tokens = [token for token in run.tokens if token.media == index]
        assert len(tokens) == media.num_tokens
        assert [token.cell for token in tokens] == [media.token_cell(i) for i in range(media.num_tokens)]
        assert {token.kind for token in tokens} == {media.kind}


def test_positions_are_those_the_model_used(run: Run) -> None:
    model, inputs = tiny(run.card.name).model, inputs_of(run)
    if run.card.family == "qwen-vl":
        expected = torch.arange(len(run.tokens)).expand(3, -1)
    else:
        grids = [[tuple(grid) for grid in inputs[f"{kind}_grid_thw"].tolist()] for kind in ("image", "video")]
        expected = model.next_positions(inputs["input_ids"], *grids)[:, 0]
    assert torch.equal(run.positions, expected)
    assert [token.position for token in run.tokens] == [tuple(place) for place in run.positions.T.tolist()]


def test_media_keep_the_order_and_sizes_of_the_question(run: Run) -> None:
    assert [(media.kind, media.size, len(media.frames)) for media in run.media] == [
        ("image", (56, 84), 1),
        ("video", (112, 56), 3),
        ("image", (140, 56), 1),
    ]
    frames = [media.patch_grid[0] for media in run.media]
    assert frames == ([1, 3, 1] if run.card.family == "qwen-vl" else [1, 2, 1])


def test_equal_words_are_told_apart_by_their_index(run: Run) -> None:
    first, second, third = (run.answer_start + index for index in range(3))
    texts = [run.tokens[index].text.strip() for index in (first, second, third)]
    assert texts == ["the"] * 3
    maps = [run.image_map(query=index, layer=0) for index in (first, second, third)]
    assert not torch.equal(maps[1], maps[2])
    assert len(run.attention("language", layer=0, query=third, head=0)) == third + 1
    assert run.alternatives(second) != run.alternatives(third)
    assert run.words[:3] == ((first,), (second,), (third,))


# --- what it held likely ---


def test_alternatives_and_probabilities_are_the_models_own(run: Run) -> None:
    logits = attended(run.card.name)[1][0]
    for index in range(run.answer_start, len(run.tokens)):
        probabilities = logits[index - 1].double().softmax(dim=-1)
        likeliest = run.alternatives(index, k=5)
        top = probabilities.topk(5)
        assert_close(torch.tensor([item.probability for item in likeliest]), top.values, ROW_LIMIT)
        assert_likeliest([item.id for item in likeliest], probabilities, ROW_LIMIT)
        assert abs(run.probability(index) - float(probabilities[run.tokens[index].id])) < ROW_LIMIT
        assert likeliest[0].text == tiny(run.card.name).processor.token_text(likeliest[0].id)


def test_only_answer_tokens_have_alternatives(run: Run) -> None:
    for index in (0, run.answer_start - 1, len(run.tokens), -1):
        with pytest.raises(RunError, match=f"Token {index} is not of the answer"):
            run.alternatives(index)
        with pytest.raises(RunError, match="not of the answer"):
            run.probability(index)


# --- rows ---


def test_rows_of_the_language_model_equal_an_independent_softmax(run: Run) -> None:
    found, _ = attended(run.card.name)
    for layer in range(run.num_layers("language")):
        q, k = found[f"language.blocks.{layer}.attend"]
        for query in (0, 40, run.answer_start - 1, len(run.tokens) - 1):
            seen = seen_causally(1, 1, query + 1)
            expected = dense_rows(q[:, :, query, None], k[:, :, : query + 1], seen)[0, :, 0]
            row = run.attention("language", layer=layer, query=query)
            assert_close(row, expected, ROW_LIMIT)
            assert_close(row.double().sum(dim=-1), torch.ones(run.num_heads("language")), SUM_LIMIT)


def test_rows_of_qwen2_vls_tower_equal_an_independent_softmax_brought_to_raster_order_by_hand(qwen2_vl: Run) -> None:
    found, _ = attended("tiny-qwen2-vl")
    orders, starts, start = {}, {}, 0
    for index in (0, 2, 1):  # pictures come before clips
        grid = qwen2_vl.media[index].patch_grid
        orders[index], starts[index] = block_order(*grid), start
        start += math.prod(grid)
    lengths = tuple(h * w for index in (0, 2, 1) for t, h, w in [qwen2_vl.media[index].patch_grid] for _ in range(t))
    for layer in range(qwen2_vl.num_layers("vision")):
        every = dense_rows(*found[f"vision.blocks.{layer}.attend"], seen_in_segments(lengths))[0]
        for index, order in orders.items():
            _, h, w = qwen2_vl.media[index].patch_grid
            for patch in (0, 3, w, len(order) - 1):
                row = qwen2_vl.attention("vision", layer=layer, query=patch, media=index)
                frame = patch // (h * w)
                packed = every[:, starts[index] + order.index(patch)]
                for key in range(h * w):
                    place = starts[index] + order.index(frame * h * w + key)
                    assert_close(row[:, key], packed[:, place], ROW_LIMIT)
                assert_close(row.double().sum(dim=-1), torch.ones(len(row)), SUM_LIMIT)


@pytest.mark.parametrize("site", ["vision", "adapter"])
def test_rows_of_qwen_vls_tower_and_adapter_equal_an_independent_softmax(qwen_vl: Run, site: str) -> None:
    found, _ = attended("tiny-qwen-vl")
    first_frame = [0, 1, 4]
    count = 1024 if site == "vision" else 256
    for layer in range(qwen_vl.num_layers(site)):
        q, k = found[f"vision.blocks.{layer}.attend" if site == "vision" else "adapter.attend"]
        for media, frame, query in ((0, 0, 5), (1, 0, 0), (1, 2, 200), (2, 0, 255)):
            row = qwen_vl.attention(site, layer=layer, query=frame * count + query, media=media)
            place = first_frame[media] + frame
            seen = torch.ones(1, 1, 1024, dtype=torch.bool)
            expected = dense_rows(q[place, None, :, query, None], k[place, None], seen)[0, :, 0]
            assert_close(row, expected, ROW_LIMIT)
            assert_close(row.double().sum(dim=-1), torch.ones(len(row)), SUM_LIMIT)


def test_one_head_and_the_mean_are_taken_from_all_heads(run: Run) -> None:
    sites = [(site, {"layer": None if site == "adapter" else 1, "query": 9}) for site in run.sites]
    for site, asked in sites:
        every = run.attention(site, **asked)
        assert every.shape[0] == run.num_heads(site)
        assert every.dtype == torch.float32
        assert_close(run.attention(site, **asked, head=1), every[1], 1e-6)
        assert_close(run.attention(site, **asked, head="mean"), every.mean(dim=0), 1e-6)


def test_a_picture_of_one_colour_a_patch_makes_the_whole_round_trip() -> None:
    """Colour by colour: original picture -> box of a patch -> pixels the model read -> place in the row."""
    pipeline, rows, columns = tiny("tiny-qwen2-vl"), 6, 10
    picture, palette = mosaic(rows, columns), colours(rows, columns).reshape(-1, 3)
    run = pipeline.run(one_picture(picture), answer="red")
    inputs = pipeline.processor(one_picture(picture)).model_inputs
    media = run.media[0]
    assert media.patch_grid == (1, rows, columns)
    for patch, colour in enumerate(palette):
        left, top, right, bottom = map(int, media.patch_box(patch))
        assert {picture.getpixel(corner) for corner in ((left, top), (right - 1, bottom - 1))} == {tuple(colour)}
    pixels = inputs["pixel_values"].view(-1, 3, 2 * 14 * 14)
    shown = torch.from_numpy(np.array(picture))
    assert torch.equal(unpatch(inputs["pixel_values"], media.patch_grid)[0], shown)
    order = colour_order(pixels, palette)
    assert order != list(range(len(palette)))  # the processor lists patches otherwise than the picture shows them
    q, k = hooked_queries_and_keys(pipeline, run)
    every = dense_rows(q, k, torch.ones(1, len(order), len(order), dtype=torch.bool))[0]
    for patch in range(len(palette)):
        expected = torch.stack([every[:, order.index(patch), order.index(key)] for key in range(len(palette))], dim=-1)
        assert_close(run.attention("vision", layer=2, query=patch), expected, ROW_LIMIT)


def colour_order(pixels: Tensor, palette: Any) -> list[int]:
    """For each row of pixels (patches, 3, values) the index of its colour."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    shown = ((pixels.mean(dim=-1) * deviation + mean) * 255).round().int().tolist()
    known = {tuple(map(int, colour)): index for index, colour in enumerate(palette)}
    return [known[tuple(colour)] for colour in shown]


def hooked_queries_and_keys(pipeline: Pipeline, run: Run) -> tuple[Tensor, Tensor]:
    seen: list[Any] = []
    attend = pipeline.model.vision.blocks[2].attend
    handle = attend.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[:2]))
    with torch.no_grad():
        pipeline.model(**pipeline.processor(one_picture(run.media[0].frames[0])).model_inputs)
    handle.remove()
    return seen[0]


# --- maps ---


def places_of(run: Run, media: int) -> list[int]:
    return [place for place, token in enumerate(run.tokens) if token.media == media]


def test_a_map_sums_to_the_rows_share_on_its_media(run: Run) -> None:
    for query in (run.answer_start - 1, len(run.tokens) - 1):
        for media in range(len(run.media)):
            row = run.attention("language", layer=2, query=query, head=1)
            found = run.image_map(query=query, layer=2, head=1, media=media)
            assert found.shape == run.media[media].patch_grid
            assert found.dtype == torch.float32
            assert_close(found.sum(), row[places_of(run, media)].sum(), ROW_LIMIT)


def test_qwen_vls_map_is_the_row_times_the_adapters_rows(qwen_vl: Run) -> None:
    query = qwen_vl.answer_start
    for media, frames in ((0, 1), (1, 3)):
        row = qwen_vl.attention("language", layer=1, query=query, head=3)[places_of(qwen_vl, media)]
        for adapter_head in (1, "mean"):
            by_hand = torch.stack(
                [
                    sum(
                        row[256 * frame + slot]
                        * qwen_vl.attention("adapter", query=256 * frame + slot, media=media, head=adapter_head)
                        for slot in range(256)
                    )
                    for frame in range(frames)
                ]
            )
            found = qwen_vl.image_map(query=query, layer=1, head=3, adapter_head=adapter_head, media=media)
            assert_close(found.flatten(1), by_hand, ROW_LIMIT)


def test_the_adapter_matrix_holds_the_rows_of_all_queries(qwen_vl: Run) -> None:
    matrix = qwen_vl.adapter_matrix(media=1, frame=2, head=0)
    assert matrix.shape == (256, 1024)
    assert_close(matrix[17], qwen_vl.attention("adapter", media=1, query=512 + 17, head=0), ROW_LIMIT)
    assert_close(qwen_vl.adapter_matrix(media=1, frame=2).sum(dim=1), torch.ones(256), 1e-5)


def test_qwen2_vls_map_splits_each_token_equally_over_its_four_patches(qwen2_vl: Run) -> None:
    query = qwen2_vl.answer_start
    for media, item in enumerate(qwen2_vl.media):
        weights = qwen2_vl.attention("language", layer=3, query=query, head=0)[places_of(qwen2_vl, media)]
        found = qwen2_vl.image_map(query=query, layer=3, head=0, media=media).flatten()
        for token in range(item.num_tokens):
            assert_close(found[item.token_patches(token)], weights[token].expand(4) / 4, 1e-6)


def test_means_of_a_map_are_means_of_its_layers_and_heads(run: Run) -> None:
    query, layers, heads = run.answer_start, run.num_layers("language"), run.num_heads("language")
    by_layer = [run.image_map(query=query, layer=layer, head=2, media=1) for layer in range(layers)]
    assert_close(run.image_map(query=query, head=2, media=1), torch.stack(by_layer).mean(dim=0), 1e-6)
    by_head = [run.image_map(query=query, layer=1, head=head, media=1) for head in range(heads)]
    assert_close(run.image_map(query=query, layer=1, media=1), torch.stack(by_head).mean(dim=0), 1e-6)


def test_a_row_before_a_media_sees_none_of_it_and_one_within_it_a_part(run: Run) -> None:
    places = places_of(run, 1)
    assert not run.image_map(query=places[0] - 1, layer=0, media=1).any()
    weights = run.token_weights(query=places[5], layer=0, media=1)
    assert weights[:6].all()
    assert not weights[6:].any()


def test_shares_are_sums_of_rows_by_layer_and_head(run: Run) -> None:
    query = run.answer_start
    rows = torch.stack([run.attention("language", layer=layer, query=query) for layer in range(4)])
    by_media = [run.shares(query, media=media) for media in range(len(run.media))]
    for media, shares in enumerate(by_media):
        assert_close(shares, rows[:, :, places_of(run, media)].sum(dim=-1), ROW_LIMIT)
    assert_close(run.shares(query), sum(by_media), ROW_LIMIT)
    assert not run.shares(0).any()
    within = places_of(run, 0)[3]  # a visual token sees itself
    row = run.attention("language", layer=2, query=within)
    assert_close(run.shares(within)[2], row[:, places_of(run, 0)[:4]].sum(dim=-1), ROW_LIMIT)


# --- kept and replayed ---


@pytest.fixture(params=TINY)
def frugal(request: pytest.FixtureRequest) -> Pipeline:
    """A pipeline whose runs keep nothing."""
    return replace(tiny(request.param), max_trace_bytes=1)


def test_what_was_not_kept_is_replayed_to_the_same_numbers(frugal: Pipeline) -> None:
    kept = tiny(frugal.name).run(one_picture(), answer=SPOKEN)
    run, query = frugal.run(one_picture(), answer=SPOKEN), kept.answer_start
    assert kept.kept
    assert not run.kept
    for site in run.sites:
        for layer in (3, 0) if site != "adapter" else (0,):
            asked = {"layer": layer, "query": 20}
            assert_close(run.attention(site, **asked), kept.attention(site, **asked), ROW_LIMIT)
    assert_close(run.image_map(query=query), kept.image_map(query=query), ROW_LIMIT)
    assert_close(run.shares(query), kept.shares(query), ROW_LIMIT)
    assert run.alternatives(query) == kept.alternatives(query)


def test_a_run_keeps_whole_layers_while_they_fit_and_no_more(run: Run) -> None:
    sizes = tiny(run.card.name).tap_sizes(run)
    budget = sum(size for name, size in sizes.items() if name.startswith(("adapter", "language.blocks.0"))) + 100
    some = replace(tiny(run.card.name), max_trace_bytes=budget).run(mixed_messages(), answer=SPOKEN)
    expected = {name for name in sizes if name.startswith(("adapter", "language.blocks.0"))}
    assert set(some.kept) == expected
    assert sum(value.numel() * value.element_size() for value in some.kept.values()) <= budget
    assert set(run.kept) == {name for name, size in sizes.items() if size}


def test_a_replay_takes_as_many_layers_as_the_budget_holds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = tiny(run.card.name).tap_sizes(run)
    pair = sizes["language.blocks.0.attend.q"] + sizes["language.blocks.0.attend.k"]
    pipeline = replace(tiny(run.card.name), max_trace_bytes=1)
    some = pipeline.run(mixed_messages(), answer=SPOKEN)
    pipeline.max_trace_bytes, replays = 2 * pair, []
    original = pipeline.replay
    monkeypatch.setattr(pipeline, "replay", lambda run, names: replays.append(list(names)) or original(run, names))
    assert_close(some.shares(some.answer_start), run.shares(run.answer_start), ROW_LIMIT)
    assert [len(names) for names in replays] == [4, 4]
