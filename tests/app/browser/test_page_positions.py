"""Positions: ids, overlaps, frequencies and costs are the library's, under every rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking.conversation import Conversation, Settings
from qwenvl.analysis.position_rules import cost_of_size, frequencies, overlaps, position_cost, positions_by_rule
from qwenvl.analysis.published_claims import M_ROPE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LABELS = 84  # CSS pixels before the first token of a lane


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    """A visitor at a run about a 600 x 400 picture."""
    path = tmp_path / "picture.png"
    Image.effect_noise((600, 400), 70).convert("RGB").save(path)
    ids = kept({"A": "a red cat", "B": "a red cat"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=positions")
    visitor.settle()
    return visitor


@pytest.fixture
def long_clip(visit: Callable[..., Any], tiny_session: Any) -> Any:
    """A visitor at a clip of ten pairs of frames of 2 x 2 tokens, asked of both models."""
    frames = [Image.effect_noise((56, 56), 10 + shade).convert("RGB") for shade in range(20)]
    content = [{"type": "video", "video": frames, "fps": 2}, {"type": "text", "text": "What is this?"}]
    ids = {}
    for letter in "AB":
        pipeline = tiny_session.pipeline(letter)
        run = pipeline.run([{"role": "user", "content": content}], answer="a red cat")
        asked = (Conversation().asking("What is this?"), Settings())
        ids[letter] = tiny_session.store.pin(tiny_session._finish(letter, pipeline, run, *asked))
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=positions;positions=rule:transformers-5")
    visitor.settle()
    return visitor


def drawn_ids(visitor: Any, letter: str, number: int) -> np.ndarray:
    """The ids of each lane of a model as the drawn steps have them, read back from the paths."""
    width = float(visitor.part("lanes-drawing").get_attribute("width"))
    total = max(len(visitor.run(each).tokens) for each in "AB")
    paths = visitor.page.eval_on_selector_all(".lane-line", "(lines) => lines.map((line) => line.getAttribute('d'))")
    chosen = paths[:1] if letter == "A" else paths[1:4]
    lanes = []
    for path in chosen:
        x, y, heights = float(path[1:].split(" ")[0]), float(path.split(" ")[1].split("H")[0]), []
        for step in path.split("H")[1:]:
            end, _, rise = step.partition("V")
            tokens = round((float(end) - x) * total / (width - LABELS))
            heights += [y] * tokens
            x, y = float(end), float(rise) if rise else y
        lanes.append(heights)
    assert all(len(lane) == number for lane in lanes)
    return np.asarray(lanes)


def test_the_lanes_are_the_ids_of_the_run(looking: Any) -> None:
    for letter in "AB":
        run = looking.run(letter)
        ids = run.positions.numpy()[: 1 if letter == "A" else 3]
        heights = drawn_ids(looking, letter, len(run.tokens))
        tall = (48 if letter == "A" else 35) - 8
        for lane, drawn in zip(ids, heights, strict=True):
            np.testing.assert_allclose(drawn[0] - drawn, (lane - lane[0]) * tall / ids.max(), atol=0.02)
    box = looking.part("lanes").bounding_box()
    inner = looking.part("lanes-drawing").bounding_box()
    assert inner["width"] == box["width"]  # nothing wider than its box
    run, total = looking.run("B"), max(len(looking.run(letter).tokens) for letter in "AB")
    for token in (3, 60, len(run.tokens) - 1):
        x = LABELS + (token + 0.5) * (box["width"] - LABELS) / total
        looking.page.mouse.move(box["x"] + x, box["y"] + box["height"] - 30)
        t, h, w = run.positions[:, token].tolist()
        looking.until("[data-part~=lane-cursor]", f"token {token} is (t {t}, h {h}, w {w})")
    looking.page.mouse.move(5, 500)
    media = run.media[0]
    start = int(run.positions[0, run.tokens.index(next(token for token in run.tokens if token.media == 0))])
    after = start + max(media.token_grid)
    assert f"jump to {after} = {start} + max{media.token_grid}" in looking.part("lanes").inner_text()
    first = int(run.positions[0, run.answer_start])
    words = looking.page.locator('[data-part~=lane-rules] [data-letter="B"]').inner_text()
    assert f"begins at id {first}" in words
    assert f"− {run.answer_start - first} (decoding offset)" in words


def test_a_cell_of_the_picture_and_its_token_are_one(looking: Any) -> None:
    run = looking.run("B")
    _, rows, columns = run.media[0].token_grid
    first = looking.state("runs.B.media[0].first_token")
    box = looking.part("ids-picture").bounding_box()
    row, column = 4, 6
    looking.page.mouse.click(
        box["x"] + (column + 0.5) * box["width"] / columns, box["y"] + (row + 0.5) * box["height"] / rows
    )
    token = first + row * columns + column
    looking.page.wait_for_function("(token) => window.__inspector.state.selection.query.B === token", arg=token)
    looking.settle()
    t, h, w = run.positions[:, token].tolist()
    assert f"token {token}, picture cell ({row}, {column}), is (t {t}, h {h}, w {w})" in looking.sentence()
    side = looking.run("A").media[0].token_grid[1]
    query = int((row + 0.5) * side / rows) * side + int((column + 0.5) * side / columns)
    coded = looking.state("runs.A.media[0].first_token") + query
    assert f"coded at the same place: token {coded}, id {coded}" in looking.sentence()
    looking.part("lanes").press("ArrowRight")
    looking.page.wait_for_function("(token) => window.__inspector.state.selection.query.B === token", arg=token + 1)


def test_frequencies_and_costs_are_the_librarys(looking: Any) -> None:
    looking.page.wait_for_function("() => document.querySelectorAll('[data-part~=frequency-bars] rect').length > 0")
    shown = looking.page.eval_on_selector_all(
        "[data-part~=frequencies]:not([hidden])",
        "(all) => all.map((one) => [one.querySelector('[data-part~=letter]').textContent, "
        "[...one.querySelectorAll('rect')].map((bar) => [Number(bar.getAttribute('height')), bar.dataset.axis])])",
    )
    most = max(float(frequencies(looking.run(letter).config).wavelengths.max()) for letter in "AB")
    for letter, bars in shown:
        found = frequencies(looking.run(letter).config, looking.run(letter).record.ntk_alpha)
        heights = np.maximum(2, 46 * np.log(found.wavelengths.numpy()) / np.log(most))
        np.testing.assert_allclose([height for height, _ in bars], heights, rtol=1e-6)
        expected = [axis for axis, pairs in zip("thw", found.sections, strict=False) for _ in range(pairs)]
        assert [axis for _, axis in bars] == (expected or [""] * len(bars))
    pairs = looking.page.eval_on_selector_all(
        "[data-part~=budget-pair][data-letter]",
        "(all) => all.map((one) => [one.dataset.letter, Number(one.dataset.tokens), Number(one.dataset.ids)])",
    )
    wanted = []
    for media in (None, "prompt", ((448, 448), 1), ((3840, 2160), 1), ((448, 448), 12)):
        for letter in "AB":
            run = looking.run(letter)
            if media == "prompt":
                wanted.append([letter, run.answer_start, int(run.positions[:, : run.answer_start].max()) + 1])
            else:
                cost = position_cost(run.media[0]) if media is None else cost_of_size(run.config, *media)
                wanted.append([letter, cost.tokens, cost.ids])
    assert pairs == wanted
    assert not looking.part("reported").is_visible()
    looking.page.get_by_role("button", name="What the authors report").click()
    rows = [row.split("\n") for row in looking.part("reported-row").all_inner_texts()]
    assert rows == [
        [
            score.test,
            f"{score.one:.1f} → {score.multimodal:.1f}",
            f"{score.gain:+.1f}".replace("-", "−").replace("+0.0", "±0.0"),
        ]
        for score in M_ROPE
    ]
    assert looking.page.locator("[data-part~=reported-row].lost").count() == 2
    assert "2409.12191v2, Table 8" in looking.part("reported").inner_text()
    assert "8 of 11 better, 1 equal, 2 worse" in looking.part("reported").inner_text()
    assert "mixed in training (section 2.1)" in looking.part("reported").inner_text()


def test_under_transformers_5_what_falls_back_into_a_clip_is_red(long_clip: Any) -> None:
    long_clip.page.wait_for_function("() => document.querySelectorAll('.lane-overlap').length > 0")
    run = long_clip.run("B")
    ids = positions_by_rule(run, "transformers-5")
    found = overlaps(run, ids)
    assert int(found.sum()) > 0
    words = long_clip.page.locator('[data-part~=lane-rules] [data-letter="B"]').inner_text()
    assert f"{int(found.any(dim=0).sum())} tokens (red)" in words
    assert "as generate() numbers it, from the last prompt token's id plus one" in words
    assert f"begins at id {int(ids[0, run.answer_start])}" in words
    token = int(found[0].nonzero()[0])
    assert f"went on from {int(ids[0, token])}" in words
    long_clip.select(query={"A": None, "B": token})
    t, h, w = ids[:, token].tolist()
    assert f"token {token} is (t {t}, h {h}, w {w})" in long_clip.sentence()
    long_clip.page.get_by_role("button", name="the paper").click()
    long_clip.page.wait_for_function("() => document.querySelectorAll('.lane-overlap').length === 0")
    assert f"(t {int(run.positions[0, token])}, " in long_clip.sentence()
    long_clip.page.get_by_role("button", name="1-D, what if").click()
    long_clip.page.wait_for_function(
        "(words) => document.querySelector('[data-part~=status-sentence]').textContent.includes(words)",
        arg=f"token {token} is (t {token}, h {token}, w {token})",
    )
    assert long_clip.complaints == []


def test_the_plot_holds_every_prompt_token(looking: Any) -> None:
    looking.page.get_by_role("button", name="in space").click()
    looking.page.wait_for_function("() => document.querySelector('[data-part~=plot3d]')?._fullData?.length > 1")
    points = looking.page.evaluate(
        "() => document.querySelector('[data-part~=plot3d]')._fullData"
        ".filter((t) => t.mode === 'markers' && t.name !== 'chosen')"
        ".flatMap((t) => [...t.customdata].map((c, i) => [c, t.z[i], t.y[i], t.x[i]]))"
    )
    run = looking.run("B")
    found = {int(token): [t, h, w] for token, t, h, w in points}
    assert sorted(found) == list(range(run.answer_start))
    for token, ids in found.items():
        assert ids == run.positions[:, token].tolist()
    assert looking.outside == []
