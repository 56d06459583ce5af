"""States the number of visual tokens that Qwen2-VL's authors recommend: advice, not a limit.

Both ranges are for Qwen2-VL's visual tokens of one picture; Qwen-VL has 256 whatever comes in, and of clips nothing is
said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from qwenvl.errors import Sentence
from qwenvl.processing.geometry.media import Media


@dataclass(frozen=True)
class Suggestion:
    """A range of visual tokens for a purpose, and who suggests it."""

    low: int
    high: int
    purpose: str
    source: str

    def place(self, tokens: int) -> str:
        """ "below", "within" or "above"."""
        if tokens < self.low:
            return "below"
        return "above" if tokens > self.high else "within"

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


SUGGESTED = (
    Suggestion(256, 1280, "speed and memory", "the README of Qwen2-VL"),
    Suggestion(1024, 2048, "boxes and small print", "its makers in llama.cpp's issue 16842"),
)


def suggestions(media: tuple[Media, ...]) -> Iterator[str]:
    """One sentence per picture of Qwen2-VL."""
    for item in media:
        if item.kind == "image" and item.tokens_are_places:
            one, two = SUGGESTED
            yield Sentence.of(
                "{name} has {n} visual tokens, {place} the {low} to {high} suggested for {purpose}, "
                "and {other} the {first} to {last} suggested for {use}.",
                name=item.name,
                n=f"{item.num_tokens:,}",
                place=one.place(item.num_tokens),
                low=f"{one.low:,}",
                high=f"{one.high:,}",
                purpose=one.purpose,
                other=two.place(item.num_tokens),
                first=f"{two.low:,}",
                last=f"{two.high:,}",
                use=two.purpose,
            )
