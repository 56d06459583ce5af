"""Answers to text, piece by piece: the same text, whole characters only, words that a reader would point at."""

from __future__ import annotations

import random

import pytest
import regex

from qwenvl.processing.processor import Processor, QwenVLProcessor, StreamDecoder

SAMPLES = [
    "A cat.",
    "图中的狗是什么品种？",
    "👩‍👩‍👧 and 🇫🇷, ok 👍🏽!",
    "naïve e\u0301 a\u0323\u0307",
    "篔忓Ⴈ ҜcԬ ꙮ",
    "नमस्ते, สวัสดี",
    "1234\r\n\r\n",
]


def streamed(processor: Processor, ids: list[int]) -> list[str]:
    decoder = StreamDecoder(processor)
    return [*(decoder.push(id_) for id_ in ids), decoder.flush()]


@pytest.mark.parametrize("text", SAMPLES)
def test_pieces_are_whole_characters_and_join_to_the_answer(text: str, processor: Processor) -> None:
    ids = processor.tokenizer.encode(text)
    pieces = streamed(processor, ids)
    assert "".join(pieces) == processor.decode_answer(ids) == processor.tokenizer.decode(ids)
    assert not any("\ufffd" in piece for piece in pieces)


def test_any_ids_stream_to_what_they_decode_to(processor: Processor) -> None:
    draw = random.Random(2)
    for _ in range(300):
        ids = [draw.choice([draw.randrange(256), draw.randrange(152_000)]) for _ in range(draw.randint(0, 30))]
        assert "".join(streamed(processor, ids)) == processor.decode_answer(ids)


def test_an_unfinished_character_is_held_back_and_shown_at_the_end(processor: Processor) -> None:
    ids = processor.tokenizer.encode("a篔")
    assert streamed(processor, ids[:-1]) == ["a", *[""] * (len(ids) - 2), "\ufffd"]


def test_stops_are_left_out_and_tags_of_boxes_stay(qwen_vl: QwenVLProcessor) -> None:
    special = qwen_vl.tokenizer.special
    ids = [special("<ref>"), *qwen_vl.tokenizer.encode("the dog"), special("</ref>"), special("<box>")]
    ids += [*qwen_vl.tokenizer.encode("(1,2),(3,4)"), special("</box>"), special("<|im_end|>"), 151_900]
    assert qwen_vl.decode_answer(ids) == "<ref>the dog</ref><box>(1,2),(3,4)</box>"
    assert "".join(streamed(qwen_vl, ids)) == qwen_vl.decode_answer(ids)
    assert qwen_vl.token_texts(ids)[-2:] == ["<|im_end|>", "<|unused_151900|>"]


@pytest.mark.parametrize("text", SAMPLES)
def test_words_are_whole_signs_in_order(text: str, processor: Processor) -> None:
    ids = processor.tokenizer.encode(text)
    groups = processor.group_words(ids)
    assert [index for group in groups for index in group] == list(range(len(ids)))
    shown = [processor.decode_answer(ids[index] for index in group) for group in groups]
    assert "".join(shown) == processor.decode_answer(ids)
    signs = regex.findall(r"\X", processor.decode_answer(ids))
    for group in shown:
        taken = 0
        while taken < len(group):
            taken += len(signs.pop(0))
        assert taken == len(group)


def test_an_emoji_of_many_tokens_is_one_word(processor: Processor) -> None:
    ids = processor.tokenizer.encode("so 👩‍👩‍👧 it is")
    assert len(ids) > 8
    shown = [processor.decode_answer(ids[index] for index in group) for group in processor.group_words(ids)]
    assert shown == ["so", " 👩‍👩‍👧", " it", " is"]


def test_control_tokens_and_unfinished_ends_are_words_of_their_own(processor: Processor) -> None:
    end = processor.tokenizer.special("<|im_end|>")
    cut = processor.tokenizer.encode("篔")[:-1]
    cat = processor.tokenizer.encode("cat")
    ids = [*cat, end, end, *cut, end, *cut]
    sizes = [len(group) for group in processor.group_words(ids)]
    assert sizes == [1, 1, 1, len(cut), 1, len(cut)]
    assert processor.group_words([]) == []
