"""Text to ids: the golden ids, text that stays text, and files that are no tokenizer."""

from __future__ import annotations

import base64
import json
import random
import time
import unicodedata
from pathlib import Path

import pytest

from qwenvl.errors import CheckpointError
from qwenvl.processing.text.tokenizers import QWEN_VL_SPECIALS, HubTokenizer, TiktokenTokenizer, Tokenizer, normalise

GOLDENS = Path(__file__).parents[2] / "goldens"
QWEN2_VL = json.loads((GOLDENS / "qwen2-vl" / "tokens.json").read_text(encoding="utf-8"))
QWEN_VL = json.loads((GOLDENS / "qwen-vl" / "tokenizer" / "cases.json").read_text(encoding="utf-8"))
PLAIN = [case for case in QWEN2_VL["cases"] if "<|im_start|>" not in case["text"]]


def random_text(draw: random.Random, length: int) -> str:
    """Letters of many scripts, marks, digits, blanks, breaks and emoji."""
    ranges = [(0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x30F), (0x4E00, 0x4FFF), (0x600, 0x6FF)]
    ranges += [(0x1F600, 0x1F64F), (0xAC00, 0xACFF), (0x9, 0xD), (0x2000, 0x200D)]
    return "".join(chr(draw.randint(*draw.choice(ranges))) for _ in range(length))


def test_ids_of_plain_text_equal_the_goldens(tokenizer: Tokenizer) -> None:
    assert len(PLAIN) == len(QWEN2_VL["cases"]) - 1
    for case in PLAIN:
        assert tokenizer.encode(case["text"]) == case["ids"], case["text"]
        assert tokenizer.decode(case["ids"]) == unicodedata.normalize("NFC", case["text"])


@pytest.mark.parametrize("case", QWEN_VL["encode"][:5], ids=lambda case: case["text"])
def test_ids_of_plain_text_equal_those_of_qwen_vl(case: dict, tokenizer: Tokenizer) -> None:
    assert tokenizer.encode(case["text"]) == case["ids"]


@pytest.mark.parametrize("case", QWEN_VL["decode"][:8], ids=lambda case: case["text"])
def test_ids_decode_as_in_qwen_vl(case: dict, tiktoken_tokenizer: TiktokenTokenizer) -> None:
    assert tiktoken_tokenizer.decode(case["ids"]) == case["text"]
    spoken = [id_ for id_ in case["ids"] if not tiktoken_tokenizer.is_special(id_)]
    assert tiktoken_tokenizer.decode(spoken) == case["text_skip_special"]


def test_control_tokens_stand_where_the_goldens_have_them(
    tiktoken_tokenizer: TiktokenTokenizer, hub_tokenizer: HubTokenizer
) -> None:
    assert len(QWEN_VL_SPECIALS) == QWEN_VL["len"] - QWEN_VL["n_mergeable"]
    assert tiktoken_tokenizer.vocab_size == QWEN_VL["len"]
    assert hub_tokenizer.vocab_size == 151_657
    for vocabulary, specials in (
        (tiktoken_tokenizer, QWEN_VL["special_ids"]),
        (hub_tokenizer, QWEN2_VL["special"]),
    ):
        for name, id_ in specials.items():
            assert vocabulary.special(name) == id_
            assert vocabulary.is_special(id_)
            assert vocabulary.piece(id_) == name.encode()
        assert not vocabulary.is_special(151_642)


def test_the_golden_with_control_tokens_is_spelled_from_parts(hub_tokenizer: HubTokenizer) -> None:
    (case,) = [case for case in QWEN2_VL["cases"] if case not in PLAIN]
    names = ["<|im_start|>", "user\n", "<|vision_start|>", "<|image_pad|>", "<|image_pad|>", "<|vision_end|>"]
    names += ["Describe.", "<|im_end|>", "\n"]
    assert "".join(names) == case["text"]
    ids = []
    for name in names:
        ids += [hub_tokenizer.special(name)] if name.startswith("<|") else hub_tokenizer.encode(name)
    assert ids == case["ids"]


def test_no_name_of_a_control_token_becomes_one(tokenizer: Tokenizer) -> None:
    for name in tokenizer.specials:
        for text in (name, f"say {name} now", f"{name}{name}", f"\n{name}\n"):
            ids = tokenizer.encode(text)
            assert not any(map(tokenizer.is_special, ids)), text
            assert tokenizer.decode(ids) == text


def test_a_tokenizer_file_keeps_plain_text_plain_too(small_folder: Path) -> None:
    small = HubTokenizer.from_folder(small_folder)
    assert small.special("<|im_end|>") == small.vocab_size - 12
    for name in small.specials:
        ids = small.encode(f"the cat {name}")
        assert not any(map(small.is_special, ids))
        assert small.decode(ids) == f"the cat {name}"
    assert len(small.encode("the cat")) < len("the cat")


def test_a_vocabulary_that_takes_whole_words_keeps_plain_text_plain(small_folder: Path) -> None:
    content = json.loads((small_folder / "tokenizer.json").read_text(encoding="utf-8"))
    content["model"]["ignore_merges"] = True
    content["pre_tokenizer"] = content["pre_tokenizer"]["pretokenizers"][1]  # nothing is cut into words
    (small_folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    small = HubTokenizer.from_folder(small_folder)
    for name, id_ in small.specials.items():
        assert small.is_special(id_)
        assert id_ not in small.encode(name)
        assert small.decode(small.encode(name)) == name


def test_the_two_libraries_agree_on_random_text(
    tiktoken_tokenizer: TiktokenTokenizer, hub_tokenizer: HubTokenizer
) -> None:
    draw = random.Random(1)
    for _ in range(400):
        text = random_text(draw, draw.randint(1, 60))
        ids = tiktoken_tokenizer.encode(text)
        assert ids == hub_tokenizer.encode(text)
        assert tiktoken_tokenizer.decode(ids) == normalise(text)


def test_text_that_no_encoding_can_hold_is_mended(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("a\ud83db")) == "a\ufffdb"
    assert tokenizer.encode("\ud83d\ude00") == tokenizer.encode("😀")
    assert tokenizer.encode("") == []


def test_a_piece_may_be_a_part_of_a_character(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("篔")
    assert len(ids) > 1
    assert b"".join(map(tokenizer.piece, ids)) == "篔".encode()
    assert "\ufffd" in tokenizer.decode(ids[:1])


def test_an_unused_row_of_the_embedding_is_told_from_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.is_special(151_900)
    assert tokenizer.decode([151_900]) == "<|unused_151900|>"


def test_a_control_token_that_is_not_there_is_named(tokenizer: Tokenizer) -> None:
    with pytest.raises(CheckpointError, match="no <|nonsense|> token".replace("|", r"\|")):
        tokenizer.special("<|nonsense|>")


def test_a_long_text_takes_no_time_to_speak_of(tokenizer: Tokenizer) -> None:
    started = time.process_time()
    assert len(tokenizer.encode("a" * 200_000)) == 25_000
    assert time.process_time() - started < 20


@pytest.mark.parametrize("count", [256, 300])
def test_a_file_of_any_number_of_ranks_is_read(count: int, tmp_path: Path) -> None:
    tokens = [bytes([byte]) for byte in range(256)] + [b"th", b"the", *(b"%03d" % n for n in range(42))]
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens[:count])]
    path = tmp_path / "qwen.tiktoken"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    small = TiktokenTokenizer.from_file(path)
    assert small.vocab_size == count + 217
    assert small.special("<|endoftext|>") == count
    assert small.special("<imgpad>") == count + 216
    assert small.encode("the") == ([257] if count == 300 else [116, 104, 101])


def ranks_file(first: int = 0, missing: int = -1) -> str:
    rows = [(base64.b64encode(bytes([byte])).decode(), byte + first) for byte in range(256) if byte != missing]
    return "\n".join(f"{token} {rank}" for token, rank in rows)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no base64 at all", "base64 token and a rank"),
        ("AA==", "base64 token and a rank"),
        ("AA== one", "base64 token and a rank"),
        (ranks_file(first=1), "from 0 and hold all 256"),
        (ranks_file(missing=255), "from 0 and hold all 256"),
        ("", "from 0 and hold all 256"),
        (None, "There is no tokenizer file qwen.tiktoken"),
    ],
)
def test_what_is_no_file_of_ranks_is_refused(content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "qwen.tiktoken"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=words) as caught:
        TiktokenTokenizer.from_file(path)
    assert str(tmp_path) not in str(caught.value)


FOLDERS = {
    "nothing": ({}, "has no tokenizer"),
    "half": ({"vocab.json": "{}"}, "has no tokenizer"),
    "no json": ({"tokenizer.json": "{"}, "is not valid JSON"),
    "a list": ({"tokenizer.json": "[]"}, "is not a JSON object"),
    "no model": ({"tokenizer.json": '{"version": "1.0"}'}, "damaged or of another kind"),
    "odd merges": ({"vocab.json": '{"a": 0, "b": 1}', "merges.txt": "a b c\n"}, "damaged or of another kind"),
    "lost merge": ({"vocab.json": '{"a": 0, "b": 1}', "merges.txt": "a b\n"}, "which its vocabulary has not"),
    "lost whole": (
        {"tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": [["a", "b"]]}}'},
        "which its vocabulary has not",
    ),
    "not bytes": ({"vocab.json": '{"▁the": 0}', "merges.txt": "#version: 0.2\n"}, "not a byte-level one"),
    "two ids": (
        {
            "vocab.json": '{"a": 0}',
            "merges.txt": "",
            "added_tokens.json": '{"<|im_end|>": 5}',
            "tokenizer_config.json": '{"added_tokens_decoder": {"6": {"content": "<|im_end|>"}}}',
        },
        "two ids, 6 and 5",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_what_is_no_tokenizer_folder_is_refused(case: str, tmp_path: Path) -> None:
    files, words = FOLDERS[case]
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=words):
        HubTokenizer.from_folder(tmp_path)
