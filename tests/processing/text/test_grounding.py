"""Boxes of an answer, in both notations, sound and broken, to pixels of the original."""

from __future__ import annotations

import pytest

from qwenvl.models.config import PRESETS, QwenVLConfig
from qwenvl.processing.geometry.media import Media, Seen, qwen_vl_media
from qwenvl.processing.processor import Processor, Qwen2VLProcessor, QwenVLProcessor
from qwenvl.processing.text.grounding import GroundedBox, answer_parts, find_boxes

CONFIG = PRESETS["Qwen-VL"]


def media(width: int = 2000, height: int = 500) -> Media:
    assert isinstance(CONFIG, QwenVLConfig)
    return qwen_vl_media(Seen("image", "picture 1", (width, height)), CONFIG)


def qwen_vl_notation(text: str) -> str:
    return text


def qwen2_vl_notation(text: str) -> str:
    for short, long in (("<ref>", "<|object_ref_start|>"), ("<box>", "<|box_start|>"), ("<quad>", "<|quad_start|>")):
        text = text.replace(short, long).replace(short.replace("<", "</"), long.replace("start", "end"))
    return text


notations = pytest.mark.parametrize("notation", [qwen_vl_notation, qwen2_vl_notation])


@notations
def test_a_box_is_read_to_pixels_of_the_original(notation) -> None:
    answer = notation("A <ref> the dog</ref><box>(120,310),(480,905)</box>.")
    assert find_boxes(answer, [media()]) == [
        GroundedBox("the dog", (120, 310, 480, 905), (240.0, 155.0, 960.0, 452.5), 0)
    ]


CASES = {
    "several of one": ("<ref>two</ref><box>(1,2),(3,4)</box>, <box>(5,6),(7,8)</box>", ["two", "two"]),
    "two of two": ("<ref>a</ref><box>(1,2),(3,4)</box> and<ref>b</ref><box>(5,6),(7,8)</box>", ["a", "b"]),
    "without phrase": ("<box>(1,2),(3,4)</box>", [None]),
    "words end the phrase": ("<ref>a</ref><box>(1,2),(3,4)</box> beside <box>(5,6),(7,8)</box>", ["a", None]),
    "blanks inside": ("<box> ( 1 , 2 ) , ( 3 , 4 ) </box>", [None]),
    "empty phrase": ("<ref> </ref><box>(1,2),(3,4)</box>", [None]),
    "unfinished box": ("<ref>a</ref><box>(1,2),(3,", []),
    "unfinished phrase": ("<ref>a", []),
    "phrase never ended": ("<ref>a<box>(1,2),(3,4)</box>", [None]),
    "box never ended": ("<box>(1,2),(3,4)<box>(5,6),(7,8)</box>", [None]),
    "one corner": ("<box>(1,2)</box>", []),
    "three corners": ("<box>(1,2),(3,4),(5,6)</box>", []),
    "no numbers": ("<box>here</box>", []),
    "a quadrilateral": ("<quad>(1,2),(3,4),(5,6),(7,8)</quad>", []),
    "ends alone": ("</ref></box> a cat", []),
    "plain numbers": ("(1,2),(3,4)", []),
    "nothing": ("", []),
}


@notations
@pytest.mark.parametrize("case", CASES)
def test_sound_and_broken_answers(case: str, notation) -> None:
    text, phrases = CASES[case]
    assert [box.phrase for box in find_boxes(notation(text), [media()])] == phrases


@pytest.mark.parametrize(
    ("written", "box"),
    [
        ("(480,905),(120,310)", (240.0, 155.0, 960.0, 452.5)),
        ("(120,905),(480,310)", (240.0, 155.0, 960.0, 452.5)),
        ("(-5,0),(1200,1000)", (0.0, 0.0, 2000.0, 500.0)),
        ("(999,999),(999,999)", (1998.0, 499.5, 1998.0, 499.5)),
    ],
)
def test_boxes_beyond_the_picture_or_the_wrong_way_round(written: str, box: tuple[float, ...]) -> None:
    (found,) = find_boxes(f"<box>{written}</box>", [media()])
    assert found.box == box
    assert str(found.written).replace(" ", "") == written.replace("),(", ",")


def test_a_box_lies_on_the_latest_picture_unless_told_otherwise() -> None:
    both = [media(1000, 1000), media(100, 200)]
    answer = "<box>(100,100),(500,500)</box>"
    assert find_boxes(answer, both)[0] == GroundedBox(None, (100, 100, 500, 500), (10.0, 20.0, 50.0, 100.0), 1)
    assert find_boxes(answer, both, index=0)[0].box == (100.0, 100.0, 500.0, 500.0)
    assert find_boxes(answer, []) == []


def ids_of(processor: Processor, *pieces: str) -> list[int]:
    ids: list[int] = []
    for piece in pieces:
        ids += [processor.tokenizer.special(piece)] if piece[0] == "<" else processor.tokenizer.encode(piece)
    return ids


def test_in_ids_control_tokens_alone_are_tags(qwen_vl: QwenVLProcessor, qwen2_vl: Qwen2VLProcessor) -> None:
    names = {"qwen-vl": ("<ref>", "</ref>", "<box>", "</box>")}
    names["qwen2-vl"] = tuple(qwen2_vl_notation(name) for name in names["qwen-vl"])
    for processor, (ref, ref_end, box, box_end) in zip((qwen_vl, qwen2_vl), names.values(), strict=True):
        ids = ids_of(processor, "A ", ref, "狗🐶", ref_end, box, "(0,0),(500,500)", box_end, "<|im_end|>")
        assert find_boxes(ids, [media()], tokenizer=processor.tokenizer) == [
            GroundedBox("狗🐶", (0, 0, 500, 500), (0.0, 0.0, 1000.0, 250.0), 0)
        ]
        assert find_boxes(processor.decode_answer(ids), [media()])[0].phrase == "狗🐶"
        spelled = processor.tokenizer.encode(f"A {box}(0,0),(500,500){box_end}")
        assert find_boxes(spelled, [media()], tokenizer=processor.tokenizer) == []


def test_an_answer_goes_back_into_the_history_with_its_tags(processor: Processor) -> None:
    qwen_vl = isinstance(processor, QwenVLProcessor)
    tags = ("<ref>", "</ref>", "<box>", "</box>")
    ref, ref_end, box, box_end = tags if qwen_vl else map(qwen2_vl_notation, tags)
    pieces = ("A ", ref, "dog", ref_end, box, "(1,2),(3,4)", box_end, " here", box, "(9,9),(1,1)", box_end)
    ids = ids_of(processor, *pieces)
    parts = processor.answer_parts([*ids, processor.tokenizer.special("<|im_end|>")])
    assert parts == [
        {"type": "text", "text": "A "},
        {"type": "ref", "text": "dog"},
        {"type": "box", "box": [1, 2, 3, 4]},
        {"type": "text", "text": " here(9,9),(1,1)"},
    ]
    history = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": parts},
        {"role": "user", "content": "?"},
    ]
    prompt = processor(history)
    spoken = [token.id for token in prompt.tokens if token.section == "history"]
    assert spoken[1 : 1 + len(ids_of(processor, *pieces[:7]))] == ids_of(processor, *pieces[:7])


def test_ids_need_their_tokenizer() -> None:
    with pytest.raises(TypeError, match="tokenizer"):
        answer_parts([1, 2, 3])
