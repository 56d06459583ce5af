"""Encodes text as ids and decodes it, for both families' published vocabularies.

Knows bytes and ids only: no chat format, no picture. Text is text: whatever a user types, `encode` never yields a
control token; those are asked for by name, with `special`. Text is brought to NFC first, as the published code does.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tiktoken
from tokenizers import Regex
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from qwenvl.errors import CheckpointError

# Where words may be cut before merging: contractions, letters with one mark before them, single digits, signs, breaks.
SPLIT_PATTERN = "|".join(
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        r"\p{N}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)

# The order in which Qwen-VL's control tokens follow the ranks of qwen.tiktoken.
QWEN_VL_SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *(f"<|extra_{index}|>" for index in range(205)),
    *("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>"),
    *("<img>", "</img>", "<imgpad>"),
)


def normalise(text: str) -> str:
    """NFC, with halves of surrogate pairs, which no encoding of text can hold, replaced by U+FFFD."""
    return unicodedata.normalize("NFC", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


class Tokenizer(ABC):
    """A vocabulary of byte sequences, the control tokens beside it, and the way text is cut.

    Attributes:
        specials: name of each control token -> id.
        vocab_size: the largest id there is, plus one.
    """

    def __init__(self, pieces: Mapping[int, bytes], specials: Mapping[str, int]) -> None:
        self._pieces = pieces
        self.specials = dict(specials)
        self._names = {id_: name for name, id_ in specials.items()}
        self.vocab_size = max((*self._pieces, *self._names)) + 1

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of plain text; the name of a control token is spelled out like any other word."""

    def special(self, name: str) -> int:
        """The id of a control token.

        Raises:
            CheckpointError: the vocabulary has none of that name.
        """
        if name not in self.specials:
            raise CheckpointError(f"The tokenizer has no {name} token; is it the one of this model?")
        return self.specials[name]

    def is_special(self, id_: int) -> bool:
        """Whether an id is a control token, or a row of the embedding that no token uses."""
        return id_ not in self._pieces

    def piece(self, id_: int) -> bytes:
        """The bytes of a token, which may be a part of a character; of a control token, its name's."""
        if id_ in self._pieces:
            return self._pieces[id_]
        return self._names.get(id_, f"<|unused_{id_}|>").encode()

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids, control tokens by their names; bytes that make no character become U+FFFD."""
        return b"".join(map(self.piece, ids)).decode("utf-8", "replace")


class TiktokenTokenizer(Tokenizer):
    """Qwen-VL's vocabulary, and any other in the layout of `qwen.tiktoken`: ranks first, then its control tokens."""

    def __init__(self, ranks: Mapping[bytes, int]) -> None:
        specials = {name: len(ranks) + index for index, name in enumerate(QWEN_VL_SPECIALS)}
        super().__init__({rank: token for token, rank in ranks.items()}, specials)
        self._encoding = tiktoken.Encoding(
            "qwen", pat_str=SPLIT_PATTERN, mergeable_ranks=dict(ranks), special_tokens={}
        )

    @classmethod
    def from_file(cls, path: str | Path) -> TiktokenTokenizer:
        """Read a file of lines "base64 of the token's bytes, space, rank".

        Raises:
            CheckpointError: the file is missing or damaged, or its ranks do not run from 0 and hold every byte.
        """
        path = Path(path)
        try:
            lines = [line.split() for line in path.read_bytes().splitlines() if line]
            ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in lines}
        except FileNotFoundError:
            raise CheckpointError(f"There is no tokenizer file {path.name}; check the checkpoint's folder.") from None
        except ValueError:
            raise CheckpointError(f"{path.name} is damaged; its lines must be a base64 token and a rank.") from None
        if sorted(ranks.values()) != list(range(len(lines))) or not all(bytes([byte]) in ranks for byte in range(256)):
            raise CheckpointError(f"{path.name} is damaged; its ranks must run from 0 and hold all 256 single bytes.")
        return cls(ranks)

    def encode(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(normalise(text))


class HubTokenizer(Tokenizer):
    """Qwen2-VL's vocabulary, and any other byte-level one: `tokenizer.json`, or `vocab.json` with `merges.txt`."""

    def __init__(self, backend: Backend, specials: Mapping[str, int]) -> None:
        bytes_of = {ord(character): byte for byte, character in byte_characters().items()}
        vocabulary = backend.get_vocab(with_added_tokens=False)
        try:
            pieces = {id_: token.translate(bytes_of).encode("latin-1") for token, id_ in vocabulary.items()}
        except UnicodeEncodeError:
            raise CheckpointError("The tokenizer is not a byte-level one; Qwen2-VL's vocabulary is.") from None
        super().__init__(pieces, specials)
        self._backend = backend

    @classmethod
    def from_folder(cls, folder: str | Path) -> HubTokenizer:
        """Read the tokenizer of a checkpoint's folder, control tokens from wherever the folder lists them.

        Raises:
            CheckpointError: no tokenizer there, or a damaged one.
        """
        folder = Path(folder)
        whole, vocabulary = folder / "tokenizer.json", folder / "vocab.json"
        if not whole.exists() and not (vocabulary.exists() and (folder / "merges.txt").exists()):
            raise CheckpointError(
                f"{folder.name} has no tokenizer: neither tokenizer.json nor vocab.json and merges.txt."
            )
        try:
            content = read_json(whole)
            specials = _listed_specials(folder, content)
            backend = _from_whole(content, specials) if content else _from_parts(folder, specials)
        except CheckpointError:
            raise
        # The library raises bare Exceptions, and a malformed file makes anything trip.
        except Exception as error:
            raise CheckpointError(f"The tokenizer files of {folder.name} are damaged or of another kind.") from error
        return cls(backend, specials)

    def encode(self, text: str) -> list[int]:
        return self._backend.encode(normalise(text), add_special_tokens=False).ids


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one where there is no such file.

    Raises:
        CheckpointError: the file is not a JSON object.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} of {path.parent.name} is not a JSON object; download it again.")
    return content


def byte_characters() -> dict[int, str]:
    """The printable character that stands for each byte in a byte-level vocabulary.

    Printable Latin-1 stands for itself; the other bytes take the characters from U+0100 on, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def _listed_specials(folder: Path, content: Mapping[str, Any]) -> dict[str, int]:
    """Control tokens, by every way in which published folders list them; they must agree."""
    listed = [(token["content"], token["id"]) for token in content.get("added_tokens", [])]
    decoder = read_json(folder / "tokenizer_config.json").get("added_tokens_decoder", {})
    listed += [(token["content"], int(id_)) for id_, token in decoder.items()]
    listed += read_json(folder / "added_tokens.json").items()
    specials: dict[str, int] = {}
    for name, id_ in listed:
        if specials.setdefault(name, id_) != id_:
            raise CheckpointError(
                f"The tokenizer files of {folder.name} give {name} two ids, {specials[name]} and {id_}."
            )
    return specials


def _from_whole(content: dict[str, Any], specials: Mapping[str, int]) -> Backend:
    """The tokenizer of a tokenizer.json without its control tokens, so that no text can match one."""
    model = content["model"]
    plain = {token: id_ for token, id_ in model["vocab"].items() if token not in specials}
    _check_merges(plain, [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]])
    bare: dict[str, Any] = {"added_tokens": [], "truncation": None, "padding": None, "post_processor": None}
    return Backend.from_str(json.dumps({**content, **bare, "model": {**model, "vocab": plain}}))


def _check_merges(vocabulary: Mapping[str, int], merges: Iterable[Iterable[str]]) -> None:
    """Refuse merges of tokens that are not there, on which the library would abort instead of raising an error."""
    for left, right in merges:
        if not {left, right, left + right} <= vocabulary.keys():
            raise CheckpointError(f"The tokenizer merges {left!r} and {right!r}, which its vocabulary has not.")


def _from_parts(folder: Path, specials: Mapping[str, int]) -> Backend:
    vocabulary = read_json(folder / "vocab.json")
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [
        (left, right) for left, right in (line.split(" ") for line in lines if line and not line.startswith("#v"))
    ]
    plain = {token: id_ for token, id_ in vocabulary.items() if token not in specials}
    _check_merges(plain, merges)
    backend = Backend(BPE(vocab=plain, merges=merges))
    split = Split(Regex(SPLIT_PATTERN), behavior="isolated")
    backend.pre_tokenizer = Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    return backend
