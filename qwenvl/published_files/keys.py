"""Checks a file's keys against a table of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from qwenvl import errors
from qwenvl.errors import CheckpointError, Sentence

Check = Callable[[Any], bool]
Verdict = Literal["used", "harmless", "refused", "unknown"]


@dataclass(frozen=True)
class Key:
    """What is known of one key.

    Attributes:
        meaning: "used"; "harmless", whatever it says; or "fixed": other values than the `fine` ones are refused.
        fine: whether a value is one that this reads.
        wanted: what it must be, in words that follow "it is".
        why: of a fixed key, what is not done here.
    """

    meaning: Literal["used", "harmless", "fixed"]
    fine: Check = lambda value: True
    wanted: str = ""
    why: str = ""

    def verdict(self, value: Any) -> Verdict:
        """What becomes of a value of this key."""
        if not self.fine(value):
            return "refused"
        return "used" if self.meaning == "used" else "harmless"


Table = Mapping[str, Key]

HARMLESS = Key("harmless")


def whole(low: int, high: int, *, null: bool = False) -> Key:
    """A whole number within these limits; `null`: or none."""

    def fine(value: Any) -> bool:
        return (null and value is None) or (type(value) is int and low <= value <= high)

    return Key("used", fine, f"a whole number from {low:,} to {high:,}")


def number(low: float, high: float, *, null: bool = False) -> Key:
    """A finite number above `low`, at most `high`."""

    def fine(value: Any) -> bool:
        return (null and value is None) or (is_number(value) and low < value <= high)

    return Key("used", fine, f"a number above {low:g} and at most {high:g}")


def between(low: float, high: float, *, null: bool = False) -> Key:
    """A finite number from `low` to `high`."""

    def fine(value: Any) -> bool:
        return (null and value is None) or (is_number(value) and low <= value <= high)

    return Key("used", fine, f"a number from {low:g} to {high:g}")


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number of a size that can be computed with."""
    if type(value) is int:
        return abs(value) < 1 << 63
    return type(value) is float and math.isfinite(value)


def flag(*, null: bool = False) -> Key:
    """True or false."""
    return Key("used", lambda value: type(value) is bool or (null and value is None), "true or false")


def words(*, null: bool = False) -> Key:
    """A text."""
    return Key("used", lambda value: isinstance(value, str) or (null and value is None), "a text")


def part(*, null: bool = False) -> Key:
    """A JSON object, which has a table of its own."""
    return Key("used", lambda value: isinstance(value, dict) or (null and value is None), "an object of its own keys")


def several(one: Key, *, null: bool = False, lone: bool = False) -> Key:
    """A list of values that each are fine; `lone`: or one such value by itself."""

    def fine(value: Any) -> bool:
        if (null and value is None) or (lone and one.fine(value) and value is not None):
            return True
        return isinstance(value, list) and len(value) <= 1 << 20 and all(map(one.fine, value))

    return Key("used", fine, f"a list, each {one.wanted}")


def fixed(*values: Any, why: str) -> Key:
    """A key of which these values alone change nothing; `why` says what another value would ask for."""

    def fine(value: Any) -> bool:
        return any(type(value) is type(one) and value == one for one in values)

    return Key("fixed", fine, " or ".join(map(shown, values)), why)


def shown(value: Any) -> str:
    """A JSON value as a sentence shows it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else errors.shown(value)


def check_keys(
    file: str, content: Mapping[str, Any], table: Table, *, error: type[CheckpointError] = CheckpointError
) -> list[Sentence]:
    """Hold a file, or a part of one, against its table.

    Args:
        file: its name as sentences give it: "config.json", "vision_config of config.json".

    Returns:
        A sentence for every key that stands in no table.

    Raises:
        CheckpointError: a value that this does not read; the sentence names its key.
    """
    notes = list[Sentence]()
    for name, value in content.items():
        key = table.get(name)
        if key is None:
            notes += [] if name.startswith("_") else [_unknown(file, name, table)]
        elif not key.fine(value):
            raise error(_refusal(file, name, value, key))
    return notes


def verdict(name: str, value: Any, table: Table) -> Verdict:
    """What becomes of one key of a file; one that begins with an underscore is a remark by custom."""
    if name in table:
        return table[name].verdict(value)
    return "harmless" if name.startswith("_") else "unknown"


def _refusal(file: str, name: str, value: Any, key: Key) -> str:
    if key.meaning == "fixed":
        return f"{file} says {name} {shown(value)}, and {key.why}; this reads {name} {key.wanted} alone."
    return (
        f"{file} says {name} {shown(value)}, a value of the wrong kind or size: it is {key.wanted}; "
        "correct it, or download the file again."
    )


def _unknown(file: str, name: str, table: Table) -> Sentence:
    near = get_close_matches(name, list(table), n=1)
    if not near:
        return Sentence.of(
            "{file} says {key}, a key that is not known here and changes nothing.", file=file, key=shown(name)
        )
    template = "{file} says {key}, a key that is not known here and changes nothing; if {near} is meant, correct it."
    return Sentence.of(template, file=file, key=shown(name), near=near[0])
