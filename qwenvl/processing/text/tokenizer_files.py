"""Reads the files of a byte-level tokenizer: its vocabulary, its added tokens, and how it cuts text.

Control tokens are taken out of what text can match; other added tokens are text, one id each. The patterns that cut
text are those of published vocabularies alone: a pattern of somebody else's may take for ever on a short text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from qwenvl.errors import CheckpointError
from qwenvl.published_files.config_keys import IDS
from qwenvl.published_files.json_files import VOCABULARY, read_json, read_json_if_there, read_text
from qwenvl.published_files.keys import check_keys, shown
from qwenvl.published_files.tokenizer_keys import ADDED_TOKEN, MODEL, POST_PROCESSOR, TOKENIZER, TOKENIZER_CONFIG

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
    r"[^\r\n\p{L}\p{N}]?\p{L}+",
    r"\p{N}",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
)
# Where words may be cut before merging: contractions, letters with one mark before them, single digits, signs, breaks.
SPLIT_PATTERN = "|".join(_WORDS)
KNOWN_PATTERNS = (
    SPLIT_PATTERN,
    SPLIT_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|"),  # of GPT-4's vocabulary
    SPLIT_PATTERN.replace(r"]?\p{L}+", r"]?[\p{L}\p{M}]+").replace(r"[^\s\p{L}", r"[^\s\p{L}\p{M}"),  # of later Qwens
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",  # of GPT-2's
)

# What a Qwen2-VL vocabulary has for control, however a re-saved folder flags it.
QWEN2_VL_CONTROL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)

_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


@dataclass
class AddedTokens:
    """The tokens beside a vocabulary: control tokens by name, and those that are text with their flags."""

    control: dict[str, int] = field(default_factory=dict)
    text: dict[str, int] = field(default_factory=dict)
    flags: dict[str, dict[str, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenizerFiles:
    """What the files hold: the library's tokenizer, which knows no control token, and the added tokens."""

    backend: Backend
    added: AddedTokens


def read_tokenizer(folder: Path) -> TokenizerFiles:
    """Read `tokenizer.json`, or `vocab.json` with `merges.txt`.

    Raises:
        CheckpointError: none of them there, a damaged one, or one of another kind.
    """
    whole, vocabulary = folder / "tokenizer.json", folder / "vocab.json"
    if not whole.exists() and not (vocabulary.exists() and (folder / "merges.txt").exists()):
        raise CheckpointError(f"{folder.name} has no tokenizer: neither tokenizer.json nor vocab.json and merges.txt.")
    try:
        content = read_json(whole, limit=VOCABULARY) if whole.exists() else {}
        added = _added_tokens(folder, content)
        return TokenizerFiles(_from_whole(content, added) if content else _from_parts(folder, added), added)
    except CheckpointError:
        raise
    # The library raises bare Exceptions, and a malformed file makes anything trip.
    except Exception as error:
        raise CheckpointError(f"The tokenizer files of {folder.name} are damaged or of another kind.") from error


# --- added tokens ---


def _added_tokens(folder: Path, content: Mapping[str, Any]) -> AddedTokens:
    """Added tokens, by every way in which published folders list them; they must agree."""
    described = read_json_if_there(folder / "tokenizer_config.json", limit=VOCABULARY)
    check_keys("tokenizer_config.json", described, TOKENIZER_CONFIG)
    by_id = {str(id_): _entry(token) for id_, token in (described.get("added_tokens_decoder") or {}).items()}
    listed = [(_entry(token), token.get("id")) for token in content.get("added_tokens") or []]
    listed += [(token, int(id_) if id_.isdecimal() else id_) for id_, token in by_id.items()]
    older = read_json_if_there(folder / "added_tokens.json", limit=VOCABULARY).items()
    listed += [({"content": name, "normalized": True}, id_) for name, id_ in older]
    control = set(QWEN2_VL_CONTROL) | _named(described) | _named(read_json_if_there(folder / "special_tokens_map.json"))
    found = AddedTokens()
    for token, id_ in listed:
        _add(found, folder, token, id_, control)
    return found


def _entry(token: Any) -> dict[str, Any]:
    """A token as a list of them describes it."""
    if not isinstance(token, dict):
        raise CheckpointError(
            f"The tokenizer lists {shown(token)} as an added token; each is an object of its own keys."
        )
    check_keys(f"The tokenizer's added token {shown(token.get('content'))}", token, ADDED_TOKEN)
    if "content" not in token:
        raise CheckpointError("The tokenizer lists an added token without its content; download it again.")
    return token


def _add(found: AddedTokens, folder: Path, token: Mapping[str, Any], id_: Any, control: set[str]) -> None:
    name = token["content"]
    if type(id_) is not int or not 0 <= id_ < IDS:
        raise CheckpointError(f"The tokenizer gives {shown(name)} the id {shown(id_)}; it is a whole number from 0.")
    if not name:
        raise CheckpointError(f"The tokenizer has an added token without a text, id {id_}; download it again.")
    known = found.control.get(name, found.text.get(name, id_))
    if known != id_:
        raise CheckpointError(f"The tokenizer files of {folder.name} give {name} two ids, {known} and {id_}.")
    if name in found.control or name in found.text:
        return
    if token.get("special", False) or name in control:
        found.control[name] = id_
    else:
        found.text[name] = id_
        found.flags[name] = {flag: bool(token.get(flag, False)) for flag in _FLAGS}


def _named(described: Mapping[str, Any]) -> set[str]:
    """The tokens that a file names for a purpose: end, padding, and further special ones."""
    further: list[Any] = [described.get(name) for name in ("eos_token", "bos_token", "pad_token", "unk_token")]
    for name in ("additional_special_tokens", "extra_special_tokens"):
        listed = described.get(name) or []
        further += list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
    names = (one.get("content") if isinstance(one, dict) else one for one in further)
    return {name for name in names if isinstance(name, str) and name}


# --- the vocabulary ---


def _from_whole(content: dict[str, Any], added: AddedTokens) -> Backend:
    """The tokenizer of a tokenizer.json without its control tokens, so that no text can match one."""
    check_keys("tokenizer.json", content, TOKENIZER)
    model = content["model"]
    check_keys("model of tokenizer.json", model, MODEL)
    _check_cutting(content.get("normalizer"), content.get("pre_tokenizer"))
    if not POST_PROCESSOR.fine(content.get("post_processor")):
        raise CheckpointError(f"tokenizer.json has a post_processor that adds tokens, and {POST_PROCESSOR.why}.")
    if (content.get("decoder") or {}).get("type", "ByteLevel") != "ByteLevel":
        raise CheckpointError("tokenizer.json has a decoder that is not ByteLevel; Qwen2-VL's is.")
    plain = _plain(model["vocab"], added)
    _check_merges(plain, [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]])
    bare: dict[str, Any] = {"truncation": None, "padding": None, "post_processor": None}
    bare["added_tokens"] = [
        {"id": id_, "content": name, "special": False, **added.flags[name]} for name, id_ in added.text.items()
    ]
    return Backend.from_str(json.dumps({**content, **bare, "model": {**model, "vocab": plain}}))


def _from_parts(folder: Path, added: AddedTokens) -> Backend:
    vocabulary = read_json(folder / "vocab.json", limit=VOCABULARY)
    lines = read_text(folder / "merges.txt", limit=VOCABULARY).splitlines()
    merges = [
        (left, right) for left, right in (line.split(" ") for line in lines if line and not line.startswith("#v"))
    ]
    plain = _plain(vocabulary, added)
    _check_merges(plain, merges)
    backend = Backend(BPE(vocab=plain, merges=merges))
    split = Split(Regex(SPLIT_PATTERN), behavior="isolated")
    backend.pre_tokenizer = Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    backend.add_tokens([AddedToken(name, special=False, **added.flags[name]) for name in added.text])
    return backend


def _plain(vocabulary: Mapping[str, Any], added: AddedTokens) -> dict[str, int]:
    """A vocabulary without control tokens, and with the added tokens that are text, at their ids.

    Raises:
        CheckpointError: an id that is none, or that two tokens share.
    """
    plain = {token: id_ for token, id_ in vocabulary.items() if token not in added.control} | added.text
    strange = next((token for token, id_ in plain.items() if type(id_) is not int or not 0 <= id_ < IDS), None)
    if strange is not None:
        raise CheckpointError(
            f"The tokenizer gives {shown(strange)} the id {shown(plain[strange])}; it is a whole number from 0."
        )
    taken = {**{id_: name for name, id_ in added.control.items()}}
    for token, id_ in plain.items():
        if taken.setdefault(id_, token) != token:
            raise CheckpointError(f"The tokenizer gives {shown(token)} and {shown(taken[id_])} one id, {id_}.")
    return plain


def _check_merges(vocabulary: Mapping[str, int], merges: Iterable[Iterable[str]]) -> None:
    """Refuse merges of tokens that are not there, on which the library would abort instead of raising an error."""
    for left, right in merges:
        if not {left, right, left + right} <= vocabulary.keys():
            raise CheckpointError(f"The tokenizer merges {left!r} and {right!r}, which its vocabulary has not.")


# --- how text is cut ---


def _check_cutting(normalizer: Any, pre_tokenizer: Any) -> None:
    """Refuse whatever could change a text, or take for ever over it.

    Raises:
        CheckpointError: it names the part.
    """
    for step in _flat(normalizer, "normalizers"):
        if step.get("type") != "NFC":
            raise CheckpointError(f"tokenizer.json normalises by {shown(step.get('type'))}; this reads NFC alone.")
    for step in _flat(pre_tokenizer, "pretokenizers"):
        kind = step.get("type")
        if kind not in ("Split", "ByteLevel", "Digits"):
            raise CheckpointError(
                f"tokenizer.json cuts text by {shown(kind)}; this reads Split, ByteLevel and Digits alone."
            )
        if step.get("add_prefix_space"):
            raise CheckpointError("tokenizer.json says add_prefix_space true; a text gets no blank before it here.")
        pattern = step.get("pattern")
        regex = pattern.get("Regex") if isinstance(pattern, dict) else None
        if regex is not None and regex not in KNOWN_PATTERNS:
            raise CheckpointError(
                f"tokenizer.json cuts text by the pattern {shown(regex)}, which is none of a published vocabulary; a "
                "pattern that is not known may never end, so it is not run: take the tokenizer of the base model."
            )


def _flat(step: Any, parts: str) -> list[dict[str, Any]]:
    """The steps of a step, which may be a sequence of them."""
    if step is None:
        return []
    if not isinstance(step, dict):
        raise CheckpointError(f"tokenizer.json holds {shown(step)} where a step of it is an object; download it again.")
    if step.get("type") != "Sequence":
        return [step]
    inner = step.get(parts)
    if not isinstance(inner, list) or any(isinstance(one, dict) and one.get("type") == "Sequence" for one in inner):
        raise CheckpointError("tokenizer.json nests its steps in a way that is not known; download it again.")
    return [found for one in inner for found in _flat(one, parts)]
