"""A clip in a run through time, on the tiny checkpoints: tubes, their seconds and ids, and what follows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import qwenvl
from qwenvl.analysis.clip_timeline import resumes, tube_shares, tubes
from qwenvl.analysis.position_rules import positions_by_rule
from qwenvl.errors import RunError
from tests.support.clips import encode


def ask(name: str, *parts: dict[str, Any], **limits: Any) -> Any:
    content = [*parts, {"type": "text", "text": "What happens?"}]
    return qwenvl.load(name).run([{"role": "user", "content": content}], answer="it moves", **limits)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("clip") / "clip.mp4", count=60, rate=10, size=(112, 56))


@pytest.fixture(scope="module")
def filmed(clip: Path) -> Any:
    return ask("tiny-qwen2-vl", {"type": "video", "video": str(clip)}, max_pixels=112 * 56)


def test_tubes_hold_two_frames_at_their_instants_and_count_on_in_t(filmed: Any) -> None:
    found = tubes(filmed)
    (media,) = filmed.media
    assert len(found) == 6
    assert [second for tube in found for second in tube.seconds] == [index / 10 for index in media.sampling.indices]
    first = next(index for index, token in enumerate(filmed.tokens) if token.kind == "video")
    for index, tube in enumerate(found):
        assert tube.position == filmed.positions[0, first].item() + index
        assert {filmed.tokens[token].cell[0] for token in tube.tokens} == {index}
        assert len(tube.tokens) == media.num_tokens // 6


def test_shares_of_the_tubes_are_sums_of_the_row_itself(filmed: Any) -> None:
    query = filmed.answer_start
    shares = tube_shares(filmed, query=query, layer=1, head=2)
    row = filmed.attention("language", layer=1, query=query, head=2)
    expected = [float(row[list(tube.tokens)].sum()) for tube in tubes(filmed)]
    assert shares.tolist() == pytest.approx(expected, abs=1e-5)


def test_transformers_5_lets_the_text_overlap_a_long_clip(filmed: Any) -> None:
    paper, other = resumes(filmed)
    assert (paper.first, paper.last) == (other.first, other.last)
    assert paper.after == paper.last + 1  # six tubes outnumber the 2 x 4 tokens of a frame
    assert paper.overlapping == 0
    assert other.after == other.first + 4
    text = positions_by_rule(filmed, "transformers-5")[0, tubes(filmed)[-1].tokens[-1] + 1 :]
    assert other.overlapping == int((text <= other.last).sum()) == 2


def test_a_second_clip_begins_after_the_largest_id_of_the_first(clip: Path) -> None:
    part = {"type": "video", "video": str(clip)}
    run = ask("tiny-qwen2-vl", part, {"type": "image", "image": "app/examples/shapes.png"}, part, max_pixels=112 * 56)
    ends = [int(run.positions[:, tubes(run, media)[-1].tokens[-1]].max()) for media in range(3)]
    starts = [tubes(run, media)[0].position for media in range(3)]
    assert starts[1] == ends[0] + 3  # its own end mark and the next one's beginning lie between
    assert starts[2] == int(run.positions[:, list(tubes(run, 1)[0].tokens)].max()) + 3


def test_qwen_vl_sees_pictures_one_by_one(clip: Path) -> None:
    run = ask("tiny-qwen-vl", {"type": "video", "video": str(clip), "pictures": 3})
    found = tubes(run)
    assert [len(tube.seconds) for tube in found] == [1, 1, 1]
    assert [tube.seconds[0] for tube in found] == [0, 3.0, 5.9]
    assert all(len(tube.tokens) == 256 for tube in found)
    paper, other = resumes(run)
    assert (paper.after, paper.overlapping) == (other.after, other.overlapping)
    assert paper.overlapping == 0


def test_a_media_that_is_not_there_is_refused(filmed: Any) -> None:
    with pytest.raises(RunError, match="Media 1 does not exist"):
        tubes(filmed, 1)
