"""See inside Qwen-VL and Qwen2-VL: the same picture, clip and question through both, every step exact.

```python
import qwenvl

pipeline = qwenvl.load("tiny-qwen2-vl")
messages = [{"role": "user", "content": [
    {"type": "image", "image": "cat.png"},
    {"type": "text", "text": "What is this?"}]}]
run = pipeline.run(messages)
run.answer                                            # what it said
run.image_map(query=run.answer_start - 1, layer=2)    # where the row that predicts its first word falls
```

One name for one thing, here, in every docstring and on the page:

- *media*: one picture or one clip of the question.
- *patch*: 14 x 14 pixels of the resized media (x 2 frames in Qwen2-VL); the *patch grid* (t, h, w) counts them.
- *visual token*: what the language model sees: one adapter query (Qwen-VL: always 256 a picture, and not a place in it)
  or one merged 2 x 2 block of patches (Qwen2-VL); the *token grid* (t, h, w) counts them.
- *position*: a token's place for rotary embedding: one id (Qwen-VL), or (t, h, w) ids (Qwen2-VL, M-RoPE).
- *adapter*: what joins vision to language: the cross-attention (Qwen-VL), or the patch merger (Qwen2-VL).
- *site*: where attention happens: "vision", "adapter", "language".
- *query*, *key*: the rows and columns of an attention matrix. *Row*: the attention of one query over all keys; sums to
  1.
- *run*: one question asked of one model: media, tokens, positions, answer, queries and keys.

Shapes are written in words: `(batch, tokens, dim)`, `(batch, heads, queries, head_dim)`, `(3, batch, tokens)`. Patches
and tokens of a media are counted in raster order (t, row, column) from 0, boxes are in pixels of the original picture.
"""

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any


def _leave(number: int, _: Any) -> None:
    """End without a traceback, whatever library is being read in."""
    terminated = number == signal.SIGTERM
    os.write(2, b"\nEnded by a signal.\n" if terminated else b"\nInterrupted.\n")
    os._exit(143 if terminated else 130)


# The command line is being read in (`python -m qwenvl` or `qwenvl`): until `cli.main` listens, a signal ends it here.
if (
    sys.argv[:1] == ["-m"] and ("-m", "qwenvl") in zip(sys.orig_argv, sys.orig_argv[1:], strict=False)
) or os.path.basename(sys.argv[0] if sys.argv else "") in ("qwenvl", "qwenvl.exe"):
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)

from qwenvl.errors import UserError  # noqa: E402
from qwenvl.plan import plan, plan_table, plan_toolchains  # noqa: E402
from qwenvl.version import __version__  # noqa: E402

if TYPE_CHECKING:
    from qwenvl.inference.run import Run
    from qwenvl.loading.load import load, load_model
    from qwenvl.models.trace import Block, Trace, attention_rows
    from qwenvl.recorded.edits import AblateHeads, AddVector, Knockout, PatchState, ScaleKeys

__all__ = [
    "AblateHeads",
    "AddVector",
    "Block",
    "Knockout",
    "PatchState",
    "Run",
    "ScaleKeys",
    "Trace",
    "UserError",
    "__version__",
    "attention_rows",
    "load",
    "load_model",
    "plan",
    "plan_table",
    "plan_toolchains",
]

# Looked up when first asked for: a plan needs no torch, which takes longer to import than the plan to make.
_HOMES = {
    "qwenvl.inference.run": ("Run",),
    "qwenvl.loading.load": ("load", "load_model"),
    "qwenvl.models.trace": ("Block", "Trace", "attention_rows"),
    "qwenvl.recorded.edits": ("AblateHeads", "AddVector", "Knockout", "PatchState", "ScaleKeys"),
}


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'qwenvl' has no attribute {name!r}")
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
