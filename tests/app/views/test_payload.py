"""What the page receives of a run is the run's own: exact numbers, true counts, words by index and honest sentences."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from app.asking import pictures, words
from app.asking.conversation import Conversation, Settings
from app.asking.finished import Finished
from app.asking.selection import Selection
from app.costs import account
from app.serving.session import Session
from app.serving.wire import plain
from app.views import rows
from app.views.figures import figure
from app.views.payload import run_payload, start
from app.views.rows import MapRow
from qwenvl.errors import RunError
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.pixels import denormalise, unpatch

QUESTION = "What is in the picture?"
Look = Callable[..., Finished]


@pytest.fixture(scope="module")
def look(tiny_session: Session, tmp_path_factory: pytest.TempPathFactory) -> Look:
    """Looks inside a given answer to a question about a picture of 600 x 400 (or several)."""
    path = tmp_path_factory.mktemp("pictures") / "scene.png"
    Image.effect_noise((600, 400), 90).convert("RGB").save(path)
    made: dict[tuple[Any, ...], Finished] = {}

    def looked(letter: str, answer: str = "a cat on a mat", pictures: int = 1, **limits: int) -> Finished:
        key = (letter, answer, pictures, tuple(limits.items()))
        if key not in made:
            conversation = Conversation().asking(QUESTION, [str(path)] * pictures)
            pipeline = tiny_session.pipeline(letter)
            run = pipeline.run(conversation.messages(letter), answer=answer, **limits)
            made[key] = tiny_session._finish(letter, pipeline, run, conversation, Settings(**limits))
        return made[key]

    return looked


def unpacked(array: dict[str, Any]) -> torch.Tensor:
    values = np.frombuffer(base64.b64decode(array["f32"]), "<f4").copy()
    return torch.from_numpy(values).reshape(array["shape"])


both = pytest.mark.parametrize("letter", ["A", "B"])


def mapped(finished: Finished, posted: dict[str, Any]) -> MapRow:
    return rows.map_row(Selection.of(finished, posted))


# --- words ---


@both
def test_three_equal_words_are_three_words_by_index(look: Look, letter: str) -> None:
    finished = look(letter, "the cat the dog the hat")
    payload = run_payload("id", finished)
    equal = [word for word in payload["words"] if word["text"].strip() == "the"]
    assert len(equal) == 3
    assert len({tuple(word["tokens"]) for word in equal}) == 3
    assert [word["row"] for word in equal] == [word["tokens"][0] - 1 for word in equal]
    for word in equal:
        assert word["share"] == pytest.approx(float(finished.run.shares(word["row"]).double().mean()), abs=1e-9)


@both
@pytest.mark.parametrize("answer", ["猫在垫子上。", "a 🦊 and a 👩‍🚀", "naïve café", "龘"])
def test_pieces_of_a_character_are_one_word(look: Look, letter: str, answer: str) -> None:
    payload = run_payload("id", look(letter, answer))
    assert "".join(word["text"] for word in payload["words"]) == answer
    assert "\ufffd" not in "".join(word["text"] for word in payload["words"])
    indices = [index for word in payload["words"] for index in word["tokens"]]
    assert indices == list(range(payload["answer_start"], len(payload["tokens"]["id"])))


@both
def test_alternatives_are_the_five_likeliest_with_their_probabilities(look: Look, letter: str) -> None:
    finished = look(letter)
    for word in run_payload("id", finished)["words"]:
        expected = finished.run.alternatives(word["tokens"][0], k=5)
        assert [(one.id, one.probability) for one in word["alternatives"]] == [
            (one.id, one.probability) for one in expected
        ]
        assert word["probability"] == finished.run.probability(word["tokens"][0])
        assert 0 < word["probability"] <= word["alternatives"][0].probability <= 1


# --- the account ---


@both
def test_the_account_counts_what_the_model_read(look: Look, letter: str) -> None:
    finished = look(letter)
    run, payload = finished.run, run_payload("id", finished)
    visual = sum(token.kind == "image" for token in run.tokens)
    counted = payload["account"]
    grid = run.media[0].patch_grid
    assert counted["patches"] == math.prod(grid)
    assert counted["visual_tokens"] == visual == (256 if letter == "A" else math.prod(grid) // 4)
    assert counted["prompt_tokens"] == sum(not token.in_answer for token in run.tokens) == payload["answer_start"]
    assert counted["answer_tokens"] == sum(token.in_answer for token in run.tokens)
    assert counted["largest_position"] == int(run.positions[:, : payload["answer_start"]].max())
    assert payload["positions"] == run.positions.tolist()
    assert payload["media"][0]["marks"] == visual + 2


@both
def test_every_number_survives_json(look: Look, letter: str) -> None:
    payload = plain(run_payload("id", look(letter, pictures=2)))
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload
    assert [media["index"] for media in payload["media"]] == [0, 1]
    assert payload["conversation"] == [{"question": QUESTION, "media": [0, 1], "answer": "a cat on a mat"}]


def media(*, places: bool, resized: tuple[int, int], limit: Any = None, frames: int = 1) -> Media:
    h, w = resized[1] // 14, resized[0] // 14
    tokens = (frames, h // 2, w // 2)
    return Media("image", "coffee.png", (600, 400), resized, (frames, h, w), tokens, places, limit=limit)


def test_the_arithmetic_in_steps_and_in_words() -> None:
    square, fitted = media(places=False, resized=(448, 448)), media(places=True, resized=(588, 392))
    chain = [" ".join((step["value"], step["label"])) for step in account.steps(square)]
    assert chain == [
        *("600 × 400 original", "448 × 448 squash", "32 × 32 grid", "1,024 patches", "256 queries", "258 with marks"),
    ]
    chain = [" ".join((step["value"], step["label"])) for step in account.steps(fitted)]
    assert chain == [
        *("600 × 400 original", "588 × 392 nearest 28", "28 × 42 grid", "1,176 patches"),
        *("÷ 4 merge", "294 tokens", "296 with marks"),
    ]
    assert account.sentence(fitted, 319) == (
        "600 × 400 is resized to 588 × 392, the nearest multiples of 28: a grid of 28 × 42 = 1,176 patches of 14 × 14; "
        "each 2 × 2 of them is one visual token, 1,176 ÷ 4 = 294, "
        "with 2 marks around them 296 of the 319 tokens in the prompt."
    )


def test_a_limit_that_bites_is_named_with_its_value_and_effect() -> None:
    shrunk = media(places=True, resized=(532, 364), limit="max_pixels")
    limits = {"min_pixels": 3136, "max_pixels": 200_704}
    assert account.limit(shrunk, limits) == {
        "name": "max_pixels",
        "value": 200_704,
        "effect": "max_pixels 200,704 shrank coffee.png from 600 × 400 (240,000 px) to 532 × 364 (193,648 px).",
    }
    assert account.limit(media(places=True, resized=(588, 392)), limits) is None


def test_the_budget_that_was_asked_for_is_the_one_in_the_account(look: Look) -> None:
    payload = run_payload("id", look("B", max_pixels=100_000))
    assert payload["account"]["limit"]["value"] == payload["settings"]["max_pixels"] == 100_000
    assert math.prod(payload["media"][0]["resized"]) <= 100_000


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((0, "0.0 %"), (1, "100.0 %"), (0.5, "50.0 %"), (0.0123, "1.23 %"), (0.0199, "1.99 %"), (0.02, "2.0 %")),
        *((0.00001, "under 0.01 %"), (0.9999, "99.99 %"), (0.999999, "over 99.99 %"), (0.9991, "99.9 %")),
    ],
)
def test_a_share_never_prints_0_or_100_for_what_is_neither(share: float, text: str) -> None:
    assert words.percent(share) == text


@both
def test_the_resized_picture_is_what_the_model_received_pixel_for_pixel(
    look: Look, tiny_session: Session, letter: str
) -> None:
    media = look(letter).run.media[0]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures.resized(media).split(",")[1]))))
    inputs = (
        tiny_session.pipeline(letter)
        .processor(
            [{"role": "user", "content": [{"type": "image", "image": media.frames[0]}, {"type": "text", "text": "?"}]}]
        )
        .model_inputs
    )
    received = (
        denormalise(inputs["images"][0]).permute(1, 2, 0)
        if letter == "A"
        else unpatch(inputs["pixel_values"], media.patch_grid)[0]
    )
    assert np.array_equal(shown, received.numpy())


# --- rows ---


@both
@pytest.mark.parametrize("layer", [0, 2, "mean"])
@pytest.mark.parametrize("head", [1, "mean"])
def test_a_map_is_the_runs_own_to_the_last_bit(look: Look, letter: str, layer: Any, head: Any) -> None:
    finished = look(letter, pictures=2)
    run, query = finished.run, finished.run.answer_start + 2
    asked = {"query": query, "why": True, "layer": layer, "head": head, "media": 1}
    shown = mapped(finished, asked)
    exact = run.image_map(query=query - 1, layer=layer, head=head, media=1)
    row = _row(run, query - 1, layer, head)
    places = [index for index, token in enumerate(run.tokens) if token.media == 1]
    assert torch.equal(unpacked(shown["values"]), exact.flatten())
    assert shown["grid"] == list(exact.shape)
    assert torch.allclose(unpacked(shown["keys"]), row, atol=1e-7)
    assert torch.equal(unpacked(shown["tokens"]), unpacked(shown["keys"])[places])
    assert torch.equal(unpacked(shown["tokens"]), run.token_weights(query=query - 1, layer=layer, head=head, media=1))
    assert shown["share"] == pytest.approx(float(exact.sum()), abs=1e-5)
    assert sum(shown["sections"].values()) == pytest.approx(1, abs=1e-6)
    assert shown["row"] == query - 1 == len(unpacked(shown["keys"])) - 1
    cells = unpacked(shown["values" if letter == "A" else "tokens"])
    assert (shown["unit"], shown["max"]) == ("patch" if letter == "A" else "token", float(cells.max()))


def _row(run: Any, query: int, layer: Any, head: Any) -> torch.Tensor:
    layers = range(run.num_layers("language")) if layer == "mean" else [layer]
    return torch.stack([run.attention("language", layer=one, query=query, head=head) for one in layers]).mean(dim=0)


@both
def test_without_why_the_row_is_the_tokens_own(look: Look, letter: str) -> None:
    run = look(letter).run
    asked = {"query": run.answer_start, "layer": 1, "head": 0, "media": 0}
    shown = mapped(look(letter), asked)
    assert shown["row"] == run.answer_start
    assert torch.equal(unpacked(shown["keys"]), run.attention("language", layer=1, query=run.answer_start, head=0))


@both
def test_a_row_before_the_picture_does_not_look_at_it(look: Look, letter: str) -> None:
    shown = mapped(look(letter), {"query": 1, "layer": 0, "head": 0, "media": 0})
    assert (shown["share"], shown["half"], shown["sections"]["image"]) == (0, [], 0)


def test_the_sentence_states_the_whole_selection(look: Look) -> None:
    run = look("B").run
    shown = mapped(look("B"), {"query": run.answer_start, "why": True, "layer": 0, "head": 3, "media": 0})
    share = words.percent(shown["sections"]["image"])
    assert (
        shown["sentence"] == f"B row {run.answer_start - 1}, language layer 0 head 3, {share} of the row on the image"
    )
    mean = mapped(look("B"), {"query": 5, "media": 0})
    assert "row 5, language mean of 4 layers mean of 4 heads" in mean["sentence"]


@both
def test_shares_are_the_runs_own(look: Look, letter: str) -> None:
    run = look(letter).run
    shown = unpacked(rows.shares(Selection.of(look(letter), {"query": run.answer_start, "why": True}))["values"])
    assert torch.equal(shown, run.shares(run.answer_start - 1))


def test_the_adapter_shows_each_query_and_the_sheet_all_of_them(look: Look) -> None:
    run = look("A").run
    sheet = unpacked(rows.adapter_sheet(Selection.of(look("A"), {"media": 0, "head": 0}, site="adapter"))["values"])
    assert sheet.shape == (256, math.prod(run.media[0].patch_grid))
    for query in (0, 40, 255):
        shown = rows.adapter(Selection.of(look("A"), {"media": 0, "query": query, "head": 0}, site="adapter"))
        exact = run.attention("adapter", media=0, query=query, head=0)
        assert torch.equal(unpacked(shown["values"]), exact)
        assert torch.allclose(sheet[query], exact, atol=1e-7)
        bits = -float(torch.xlogy(exact.double(), exact.double()).sum()) / math.log(2)
        assert shown["entropy"] == pytest.approx(bits, abs=1e-6)
        assert shown["max_index"] == int(exact.argmax())


def test_the_merger_is_no_adapter_with_queries(look: Look) -> None:
    with pytest.raises(RunError, match="look at the Qwen-VL column"):
        Selection.of(look("B"), {"media": 0, "query": 0}, site="adapter")


def test_half_of_a_share_lies_in_the_fewest_cells() -> None:
    values = torch.tensor([0.1, 0.3, 0.05, 0.2, 0.05])
    assert rows.fewest_cells(values) == [1, 3]
    assert rows.fewest_cells(torch.zeros(4)) == []
    assert rows.fewest_cells(torch.tensor([1.0])) == [0]


WRONG: list[dict[str, Any]] = [
    *({"query": value, "media": 0} for value in (-1, 10**9, 10**400, "3", 2.0, True, None, [1], {})),
    *({"query": 5, "media": value} for value in (-1, 1, "x", None)),
    *({"query": 5, "media": 0, "layer": value} for value in (-1, 4, "all", 1.5, [0], None)),
    *({"query": 5, "media": 0, "head": value} for value in (-1, 99, "max", False)),
    *({"query": 0, "media": 0, "why": True}, {}),
]


@both
@pytest.mark.parametrize("asked", WRONG, ids=str)
def test_a_wrong_choice_is_one_sentence(look: Look, letter: str, asked: dict[str, Any]) -> None:
    with pytest.raises(RunError, match=r"^[^\n]{1,200}\.$"):
        mapped(look(letter), asked)


# --- where to start ---


def test_views_start_where_a_head_points_at_something() -> None:
    spread, pointed = torch.full((1, 4, 4), 0.95 / 16), torch.zeros(1, 4, 4)
    pointed[0, 1, 2] = 0.6
    run = SimpleNamespace(
        media=[object()],
        shares=lambda row: torch.tensor([[0.95, 0.6]]),
        image_map=lambda *, query, layer, head, media: (spread, pointed)[head],
    )
    said = [("a", 0.9), (" cat", 0.5), (" diamond", 0.7), ("<|im_end|>", 0.99)]
    answer_words = [
        {"text": text, "share": share, "row": index, "special": text.startswith("<")}
        for index, (text, share) in enumerate(said)
    ]
    assert start(run, answer_words) == {"word": 2, "layer": 0, "head": 1}


@both
def test_a_run_starts_on_a_cell_that_it_has(look: Look, letter: str) -> None:
    payload = run_payload("id", look(letter))
    begin, language = payload["start"], payload["sites"]["language"]
    assert 0 <= begin["word"] < len(payload["words"])
    assert 0 <= begin["layer"] < language["layers"]
    assert 0 <= begin["head"] < language["heads"]


# --- figures ---


def test_the_lanes_are_the_prompts_own_positions(look: Look) -> None:
    finished = look("B")
    drawn = figure(finished, {"name": "positions_lanes"})
    lanes = [_decoded(trace["y"]) for trace in drawn["data"]]
    assert lanes == finished.run.positions[:, : finished.run.answer_start].tolist()


def test_figures_follow_the_page_and_unknown_ones_are_refused(look: Look) -> None:
    light, dark = (figure(look("B"), {"name": "positions_3d", "dark": dark}) for dark in (False, True))
    assert light["layout"] != dark["layout"]
    with pytest.raises(RunError, match="choose positions_3d or positions_lanes"):
        figure(look("B"), {"name": "../secrets"})


def _decoded(values: Any) -> list[int]:
    """Plotly's own packing of an array."""
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()


def test_a_word_of_several_tokens_is_looked_at_where_it_begins() -> None:
    run = SimpleNamespace(
        media=[object()],
        shares=lambda row: torch.tensor([[0.5]]),
        image_map=lambda *, query, layer, head, media: torch.full((1, 2, 2), 0.125),
    )
    said = [("<ref>", 0.9), ("d", 0.4), ("iamond", 0.8), (" is", 0.7), (" cut", 0.3), ("(", 1.0)]
    answer_words = [
        {"text": text, "share": share, "row": index, "special": text.startswith("<")}
        for index, (text, share) in enumerate(said)
    ]
    assert start(run, answer_words)["word"] == 1
