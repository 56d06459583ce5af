"""Runs a check over many broken files in one process, and tells of any that is no single sentence.

`python -m tests.support.watched FUNCTION` reads paths on standard input and says of each, as a line of JSON, what
came of it, how long it took, and how much memory the process has held at most.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS, BYTES = 5.0, 600 << 20
LATE = 300.0  # of the clock, beside 20 a file, after which a process counts as hung: the machine may be busy


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes:
        says: the sentence of a refusal; "" where it was read.
        wrong: what else was raised; "" for nothing.
        seconds: of computing.
        grown: bytes by which the most that the process ever held has grown.
    """

    path: str
    says: str
    wrong: str
    seconds: float
    grown: int
    printed: str


def check_all(function: str, paths: Sequence[Path]) -> list[Outcome]:
    """The outcomes of a check ("module:name") over files, none of which may hang.

    Raises:
        AssertionError: the process died, or one file took too long.
    """
    command = [sys.executable, "-m", "tests.support.watched", function]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    given = "\n".join(map(str, paths))
    try:
        told, errors = process.communicate(given, timeout=LATE + 20 * len(paths))
    except subprocess.TimeoutExpired:
        process.kill()
        told, errors = process.communicate()
        raise AssertionError(f"hung after {told.splitlines()[-1:]}") from None
    outcomes = [Outcome(**json.loads(line)) for line in told.splitlines()]
    assert process.returncode == 0, f"died of {process.returncode} after {outcomes[-1:]}: {errors[-2000:]}"
    assert len(outcomes) == len(paths)
    return outcomes


def complaints(outcomes: Sequence[Outcome]) -> list[str]:
    """Whatever is not as it should be."""
    found = [f"{one.path}: raised {one.wrong}" for one in outcomes if one.wrong]
    found += [f"{one.path}: took {one.seconds:.1f} s" for one in outcomes if one.seconds > SECONDS]
    found += [f"{one.path}: took {one.grown >> 20} MiB" for one in outcomes if one.grown > BYTES]
    found += [f"{one.path}: says {one.says!r}" for one in outcomes if one.says and not is_sentence(one.says)]
    return found + [f"{one.path}: printed {one.printed[:200]!r}" for one in outcomes if "Traceback" in one.printed]


def is_sentence(says: str) -> bool:
    """One line, of a bearable length, that ends as a sentence does and speaks of no inner thing."""
    inner = ("Traceback", "object at 0x", "NoneType", "<class", "weights_only", "Errno")
    return "\n" not in says and 10 < len(says) < 700 and says.rstrip()[-1] in ".?" and not any(w in says for w in inner)


def main() -> None:
    from qwenvl.errors import UserError

    module, _, name = sys.argv[1].partition(":")
    check = getattr(importlib.import_module(module), name)
    warnings.simplefilter("ignore")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for line in sys.stdin.read().splitlines():
        told: dict[str, Any] = {"path": Path(line).name, "says": "", "wrong": "", "printed": ""}
        printed, begun = io.StringIO(), time.process_time()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                check(Path(line))
        except UserError as error:
            told["says"] = str(error)
        except BaseException as error:
            told["wrong"] = f"{type(error).__name__}: {error}"[:300]
        now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        told |= {
            "seconds": time.process_time() - begun,
            "grown": (now - most) << 10,
            "printed": printed.getvalue()[:400],
        }
        most = max(most, now)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
