"""Makes the twins' vocabulary: byte-level BPE over what the synthetic world can say, in both file formats.

Both twins share the ids of plain text; their control tokens follow the ranks, each family's own in its published order.
"""

from __future__ import annotations

import base64
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from qwenvl.processing.text.tokenizers import QWEN_VL_SPECIALS, SPLIT_PATTERN, byte_characters
from qwenvl.tiny.phrases import CHINESE, PHRASES, name_of, with_article
from qwenvl.tiny.scenes import WORDS
from qwenvl.tiny.world import COLOURS, GROUNDS, SHAPES

RANKS = 2048

QWEN2_VL_SPECIALS = tuple(
    f"<|{name}|>"
    for name in (
        *("endoftext", "im_start", "im_end", "object_ref_start", "object_ref_end", "box_start", "box_end"),
        *("quad_start", "quad_end", "vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"),
    )
)

PROMPT = "system\nYou are a helpful assistant.\nuser\nPicture 1: \nPicture 2: \nassistant\n"


def build_ranks(*, whole_names: bool = True) -> list[bytes]:
    """The vocabulary, in rank order: the 256 bytes as byte-level vocabularies order them, then what was merged.

    Args:
        whole_names: every name of the world is one token. A checkpoint that does not say so in its `config.json` is
            older, and spells some names in several.
    """
    return [bytes([byte]) for byte in byte_characters()] + merge(_weighted_pieces(whole_names), RANKS - 256)


def _weighted_pieces(whole_names: bool) -> dict[bytes, int]:
    """Every piece of text, as the split pattern cuts it, with its weight: the world's sentences weigh most."""
    split = Split(Regex(SPLIT_PATTERN), behavior="isolated")
    weights: Counter[bytes] = Counter()
    sources = [(5, world_sentences()), (20, [PROMPT]), (1, common_words())]
    if whole_names:
        sources.append((100_000, world_names()))
    for weight, texts in sources:
        for text in texts:
            for piece, _ in split.pre_tokenize_str(text):
                weights[piece.encode()] += weight
    return weights


def world_names() -> list[str]:
    """Every name of the world, each to be one token, at the start of a text and after a space."""
    english = dict.fromkeys((*COLOURS, *GROUNDS, *SHAPES, *WORDS, *(name for name in CHINESE if name.isascii())))
    return [spaced for name in english for spaced in (name, f" {name}")] + list(CHINESE.values())


def world_sentences() -> Iterator[str]:
    """Everything the world can ask and answer, once for each thing it can be about.

    Chinese writes no spaces: line breaks stand around each name, so that no token is half of one name and half another.
    """
    things = [(colour, shape) for colour in COLOURS for shape in SHAPES]
    for phrase in PHRASES.values():
        for language, ways in phrase.items():
            for way, (colour, shape) in product(ways, things):
                yield way.format(**_names(colour, shape, language))
    for colour, shape in things:
        yield f"{with_article(f'{colour} {shape}')}, {with_article(f'{colour} {shape}')} and"
        yield f"上有\n一个\n{CHINESE[colour]}\n{CHINESE[shape]}\n和"
        yield f"it turns {colour} it moves left it moves right it moves up it moves down it appears it vanishes nothing"
        yield "它变成\n它向左移动\n它向右移动\n它向上移动\n它向下移动\n它出现了\n它消失了\n没有变化"
    for ground in GROUNDS:
        yield f"a star on a {ground} background. on a photo. {CHINESE[ground]}\n背景\n上有"
    for word in WORDS:
        yield f'{word} the word "{word}" the number "1234" 文字\n“{word}”。'
    yield from ("picture 1", "picture 2", "第1张", "yes", "no", "有", "没有", "(12,345),(678,901)") * 20


def _names(colour: str, shape: str, language: str) -> dict[str, str]:
    """A word for every name that a phrase may ask for."""
    if language == "en":
        plain = {"colour": colour, "shape": shape, "kind": colour, "side": "left", "word": "table"}
        return plain | name_of(colour, shape, language) | name_of(colour, shape, language, "other")
    thing = f"\n{CHINESE[colour]}\n{CHINESE[shape]}\n"
    plain = {
        "colour": CHINESE[colour],
        "shape": CHINESE[shape],
        "kind": CHINESE[shape],
        "side": "左边",
        "word": "table",
    }
    return {key: f"\n{word}\n" for key, word in plain.items()} | {"thing": thing, "other": thing}


def common_words() -> list[str]:
    """Everyday English words with the space before them, and common Chinese characters, one a text."""
    text = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8")
    english = dict.fromkeys(re.findall(r"[a-z]+", text))
    return [f" {word}" for word in english] + list(dict.fromkeys(re.findall(r"[一-鿿]", text)))


def merge(weights: Mapping[bytes, int], count: int) -> list[bytes]:
    """Byte-pair encoding: `count` times, make one token of the heaviest pair of neighbours.

    Ties go to the pair that is last in byte order, so that the result is one and the same everywhere.

    Raises:
        ValueError: the text is too small for so many merges.
    """
    pieces = {piece: [bytes([byte]) for byte in piece] for piece in weights}
    heavy: Counter[tuple[bytes, bytes]] = Counter()
    where: defaultdict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)

    def add(piece: bytes, sign: int) -> None:
        for pair in pairwise(pieces[piece]):
            heavy[pair] += sign * weights[piece]
            where[pair].add(piece)

    for piece in pieces:
        add(piece, 1)
    tokens: list[bytes] = []
    while len(tokens) < count:
        pair = max(heavy, key=lambda pair: (heavy[pair], pair), default=(b"", b""))
        if heavy[pair] <= 0:
            raise ValueError(f"The text gives only {len(tokens)} merges, not {count}.")
        tokens.append(pair[0] + pair[1])
        for piece in {piece for split in _splits(tokens[-1]) for piece in where.get(split, ())}:
            add(piece, -1)
            pieces[piece] = _joined(pieces[piece], tokens[-1])
            add(piece, 1)
    return tokens


def _joined(parts: list[bytes], token: bytes) -> list[bytes]:
    """Neighbours that make up the token become the token, whichever way they were split: as tiktoken does it."""
    joined: list[bytes] = []
    for part in parts:
        if joined and joined[-1] + part == token:
            joined[-1] = token
        else:
            joined.append(part)
    return joined


def _splits(token: bytes) -> list[tuple[bytes, bytes]]:
    return [(token[:cut], token[cut:]) for cut in range(1, len(token))]


def write_tiktoken(ranks: list[bytes], path: Path) -> None:
    """`qwen.tiktoken`: a line for each rank, the token's bytes in base64 and the rank."""
    lines = (f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(ranks))
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def write_tokenizer_json(ranks: list[bytes], path: Path) -> None:
    """`tokenizer.json`, which tokenizers and transformers read: the same tokens, and Qwen2-VL's control tokens."""
    spelled = byte_characters()
    known = {token: "".join(spelled[byte] for byte in token) for token in ranks}
    vocabulary = {known[token]: rank for rank, token in enumerate(ranks)}
    merges = [
        (known[left], known[right])
        for token in ranks
        for left, right in _splits(token)
        if left in known and right in known
    ]
    vocabulary |= {name: len(ranks) + index for index, name in enumerate(QWEN2_VL_SPECIALS)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges, fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = NFC()
    split = Split(Regex(SPLIT_PATTERN), behavior="isolated")
    tokenizer.pre_tokenizer = Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens(list(QWEN2_VL_SPECIALS))
    path.write_text(tokenizer.to_str(pretty=True) + "\n", encoding="utf-8", newline="\n")


def special_ids(family: str) -> dict[str, int]:
    """The ids of a family's control tokens."""
    names = QWEN_VL_SPECIALS if family == "qwen-vl" else QWEN2_VL_SPECIALS
    return {name: RANKS + index for index, name in enumerate(names)}


def added_tokens() -> dict[str, dict[str, Any]]:
    """Qwen2-VL's control tokens as `tokenizer_config.json` lists them."""
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {str(id_): {"content": name, **flags} for name, id_ in special_ids("qwen2-vl").items()}
