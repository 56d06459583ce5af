"""Encodes text as ids and decodes it, for both families' published vocabularies.

Knows bytes and ids only: no chat format, no picture. Text is text: whatever a user types, `encode` never yields a
control token; those are asked for by name, with `special`. Text is brought to NFC first, as the published code does.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

import tiktoken
from tokenizers import Tokenizer as Backend

from qwenvl.errors import CheckpointError
from qwenvl.processing.text.normal_form import normalise
from qwenvl.processing.text.tokenizer_files import SPLIT_PATTERN, read_tokenizer
from qwenvl.published_files.json_files import VOCABULARY, read_bytes

# The order in which Qwen-VL's control tokens follow the ranks of qwen.tiktoken.
QWEN_VL_SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *(f"<|extra_{index}|>" for index in range(205)),
    *("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>"),
    *("<img>", "</img>", "<imgpad>"),
)


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
            lines = [line.split() for line in read_bytes(path, limit=VOCABULARY).splitlines() if line]
            ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in lines}
        except CheckpointError:
            raise
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
    """Qwen2-VL's vocabulary, and any other byte-level one: `tokenizer.json`, or `vocab.json` with `merges.txt`.

    Added tokens that are not for control are text: one id each in a question, shown in an answer.
    """

    def __init__(self, backend: Backend, specials: Mapping[str, int], text: Mapping[str, int] | None = None) -> None:
        bytes_of = {ord(character): byte for byte, character in byte_characters().items()}
        added = {id_: name.encode("utf-8", "replace") for name, id_ in (text or {}).items()}
        vocabulary = backend.get_vocab(with_added_tokens=False)
        try:
            pieces = {
                id_: token.translate(bytes_of).encode("latin-1")
                for token, id_ in vocabulary.items()
                if id_ not in added
            }
        except UnicodeEncodeError:
            raise CheckpointError("The tokenizer is not a byte-level one; Qwen2-VL's vocabulary is.") from None
        super().__init__(pieces | added, specials)
        self._backend = backend

    @classmethod
    def from_folder(cls, folder: str | Path) -> HubTokenizer:
        """Read the tokenizer of a checkpoint's folder, control tokens from wherever the folder lists them.

        Raises:
            CheckpointError: no tokenizer there, or a damaged one.
        """
        files = read_tokenizer(Path(folder))
        return cls(files.backend, files.added.control, files.added.text)

    def encode(self, text: str) -> list[int]:
        return self._backend.encode(normalise(text), add_special_tokens=False).ids


def byte_characters() -> dict[int, str]:
    """The printable character that stands for each byte in a byte-level vocabulary.

    Printable Latin-1 stands for itself; the other bytes take the characters from U+0100 on, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
