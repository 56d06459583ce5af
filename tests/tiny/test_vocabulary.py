"""Both tokenizer files hold one vocabulary: the same ids for the same text, in every library that reads them."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from qwenvl.processing.text.tokenizers import HubTokenizer, TiktokenTokenizer, byte_characters
from qwenvl.tiny.phrases import CHINESE
from qwenvl.tiny.scenes import GLYPHS, WORDS
from qwenvl.tiny.vocabulary import RANKS, build_ranks, common_words, special_ids, world_sentences
from qwenvl.tiny.world import COLOURS, GROUNDS, SHAPES

CHECKPOINTS = Path(__file__).parents[2] / "qwenvl" / "checkpoints"
ALPHABETS = ("the cat's 12 (34,56)\t\n", "éàçñöüßçÅ", "图中有几个红色圆形吗？，。", "😀👩‍👩‍👧🇨🇳​", "αβγДЖЩעبあア")


def texts() -> list[str]:
    """Sentences of the world, other words, and random strings of many scripts."""
    rng = random.Random(0)
    strings = ["".join(rng.choices(rng.choice(ALPHABETS), k=rng.randrange(1, 24))) for _ in range(300)]
    here = Path(__file__).read_text(encoding="utf-8").replace("<|", "< |")  # AutoTokenizer makes control tokens of text
    cuts = [here[start : start + rng.randrange(1, 90)] for start in rng.sample(range(len(here)), 100)]
    return [*sorted(set(world_sentences()))[::9], *common_words()[::5], *strings, *cuts]


@pytest.fixture(scope="module")
def tiktoken_file() -> TiktokenTokenizer:
    return TiktokenTokenizer.from_file(CHECKPOINTS / "tiny-qwen-vl" / "qwen.tiktoken")


def test_the_files_hold_the_ranks_that_the_words_give(tiktoken_file: TiktokenTokenizer) -> None:
    about = json.loads((CHECKPOINTS / "tiny-qwen-vl" / "config.json").read_text(encoding="utf-8"))["qwenvl"]
    ranks = build_ranks(whole_names=about.get("whole_names", False))
    assert len(set(ranks)) == RANKS
    assert [tiktoken_file.piece(rank) for rank in range(RANKS)] == ranks
    lines = (CHECKPOINTS / "tiny-qwen-vl" / "qwen.tiktoken").read_text(encoding="utf-8").splitlines()
    assert [base64.b64decode(line.split()[0]) for line in lines[:256]] == [bytes([byte]) for byte in byte_characters()]


def test_every_name_of_the_world_and_every_character_is_one_token() -> None:
    ranks = set(build_ranks())
    assert len(ranks) == RANKS
    names = {*COLOURS, *SHAPES, *GROUNDS, *WORDS, "left", "above", "yes"}
    assert not [name for name in names if name.encode() not in ranks or f" {name}".encode() not in ranks]
    assert not [name for name in CHINESE.values() if name.encode() not in ranks]
    assert not [letter for letter in GLYPHS if letter.encode() not in ranks]


def test_plain_text_has_the_same_ids_in_both_files_and_in_transformers(tiktoken_file: TiktokenTokenizer) -> None:
    folder = CHECKPOINTS / "tiny-qwen2-vl"
    others = [HubTokenizer.from_folder(folder), AutoTokenizer.from_pretrained(folder)]
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in texts():
        ids = tiktoken_file.encode(text)
        assert [other.encode(text) for other in others] == [ids, ids]
        assert backend.encode(text).ids == ids
        assert max(ids) < RANKS
        assert tiktoken_file.decode(ids) == backend.decode(ids)


def test_what_the_world_says_is_short(tiktoken_file: TiktokenTokenizer) -> None:
    assert len(tiktoken_file.encode("What colour is the purple triangle?")) == 7
    assert len(tiktoken_file.encode("图中有红色三角形吗？")) <= 5
    sentence = "a purple triangle, a yellow cross and a green diamond on a cyan background."
    assert len(tiktoken_file.encode(sentence)) == 16


def test_control_tokens_follow_the_ranks_in_their_published_order() -> None:
    ours, theirs = special_ids("qwen-vl"), special_ids("qwen2-vl")
    # ids of the released models less their 151,643 ranks
    published = {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2, "<ref>": 208, "<box>": 210, "<img>": 214}
    assert {name: ours[name] - RANKS for name in published} == published
    assert len(ours) == 217
    published = {"<|endoftext|>": 0, "<|im_end|>": 2, "<|box_start|>": 5, "<|vision_start|>": 9, "<|video_pad|>": 13}
    assert {name: theirs[name] - RANKS for name in published} == published
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINTS / "tiny-qwen2-vl")
    assert {name: tokenizer.convert_tokens_to_ids(name) for name in theirs} == theirs
    assert tokenizer("<|im_start|>yes<|im_end|>").input_ids == [
        theirs["<|im_start|>"],
        *tokenizer("yes").input_ids,
        theirs["<|im_end|>"],
    ]
