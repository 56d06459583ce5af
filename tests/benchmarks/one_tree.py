"""Measures one tree of this repository, the one it is started in: `python one_tree.py WHAT`. Started by `goals`.

Prints a JSON object: name of a figure -> its value. A figure over transformers is a ratio of processor seconds in
turns, so that what else runs on the machine weighs on both. It is written for the trees before and after a change: what
moved between them is looked for in both places.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, os.getcwd())  # the tree that is measured, and not the one this file lies in

DTYPES = ("float32", "bfloat16")
ROUNDS = int(os.environ.get("ROUNDS", "5"))
TOKENS = tuple(map(int, os.environ.get("TOKENS", "256").split(",")))
BLOCKS = int(os.environ.get("BLOCKS", "1"))
VOCABULARY = 151_936
Call = Callable[[], Any]


def processor_seconds(call: Call) -> float:
    begun = time.process_time()
    kept = call()
    taken = time.process_time() - begun
    del kept
    return taken


def in_turns(one: Call, other: Call, rounds: int = ROUNDS) -> float:
    """The median of one over the other, round by round, after a round that does not count."""
    found = []
    for number in range(rounds + 1):
        first, second = (one, other) if number % 2 else (other, one)
        taken = {first: processor_seconds(first), second: processor_seconds(second)}
        found.append(taken[one] / taken[other])
    return statistics.median(found[1:])


def milliseconds(call: Call, rounds: int = 2 * ROUNDS + 1) -> float:
    call()
    return 1e3 * statistics.median(processor_seconds(call) for _ in range(rounds))


def defined(name: str) -> str | None:
    """The module under `qwenvl/processing` that defines a function, wherever this tree keeps it."""
    for path in sorted(Path("qwenvl/processing").rglob("*.py")):
        if f"\ndef {name}(" in path.read_text(encoding="utf-8"):
            return ".".join(path.with_suffix("").parts)
    return None


def found_in(name: str) -> Any:
    module = defined(name)
    assert module is not None, f"no module of this tree defines {name}"
    return getattr(import_module(module), name)


# --- answering ---


def answering() -> dict[str, float]:
    """Reading a prompt, a token after it, and the replay, ours over transformers' fused attention."""
    import torch

    found: dict[str, float] = {}
    for name, config in _configs().items():
        for dtype in DTYPES:
            for tokens in TOKENS:
                calls = _calls(config, getattr(torch, dtype), tokens)
                for step, (ours, theirs) in calls.items():
                    found[f"{name}, {dtype}, {tokens} visual tokens: {step} over transformers"] = in_turns(ours, theirs)
    return found


def _configs() -> dict[str, Any]:
    """The 2B's widths, and those of the shipped checkpoint; both with the published vocabulary."""
    from tests.benchmarks.workload import reduced

    real = reduced(BLOCKS)
    whole = replace(real, language=replace(real.language, vocab_size=VOCABULARY))
    language = {"dim": 192, "num_blocks": 4, "num_heads": 6, "num_kv_heads": 2, "head_dim": 32, "mlp_dim": 512}
    tiny = replace(
        whole,
        vision=replace(whole.vision, dim=1280, num_blocks=1),
        language=replace(whole.language, **language, rope_sections=(4, 6, 6)),
    )
    return {"2B's widths": whole, "narrow": tiny}


def _calls(config: Any, dtype: Any, tokens: int) -> dict[str, tuple[Call, Call]]:
    import torch

    from qwenvl.models.layers import KVCache
    from tests.benchmarks.workload import IMAGE, build_ours, build_theirs, make_prompt

    ours = build_ours(config).to(dtype)
    theirs = build_theirs(ours, "sdpa").requires_grad_(True)  # as they are loaded
    prompt, blocks = make_prompt(tokens), config.language.num_blocks
    kinds = {"mm_token_type_ids": (prompt["input_ids"] == IMAGE).int()}
    length, token = prompt["input_ids"].shape[1], torch.tensor([[5]])

    def reading() -> Any:
        cache = KVCache(blocks)
        return ours(**prompt, cache=cache, last=1), cache

    def their_reading() -> Any:
        read = theirs(**prompt, **kinds, use_cache=True, logits_to_keep=1)
        return read.logits, read.past_key_values

    cache, their_cache = reading()[1], their_reading()[1]
    positions = ours.next_positions(token, cache=cache)

    def saying() -> None:
        for _ in range(4):
            ours(input_ids=token, cache=cache, last=1)
        for block in cache.blocks:
            block.length = length

    def their_saying() -> None:
        for step in range(4):
            theirs(input_ids=token, past_key_values=their_cache, position_ids=positions + step, logits_to_keep=1)
        their_cache.crop(-4)

    return {
        "reading": (reading, their_reading),
        "a token": (saying, their_saying),
        "replay": (
            lambda: ours(**prompt, last=9),
            lambda: theirs(**prompt, **kinds, use_cache=False, logits_to_keep=9),
        ),
    }


# --- looking ---

SHAPES = {  # site of a model: query heads, key heads, head_dim, keys
    "2B, language, 1,056 keys": (12, 2, 128, 1056),
    "2B, language, 4,128 keys": (12, 2, 128, 4128),
    "7B, language, 4,128 keys": (28, 4, 128, 4128),
    "vision, 4,096 patches": (16, 16, 80, 4096),
    "vision, 16,384 patches": (16, 16, 80, 16384),
}


def rows() -> dict[str, float]:
    """Milliseconds of one row of all heads of a layer."""
    import torch

    from qwenvl.models.trace import Causal, attention_rows

    found = {}
    for name, (heads, kv_heads, dim, keys) in SHAPES.items():
        for dtype in DTYPES:
            q, k = (torch.randn(1, count, keys, dim).to(getattr(torch, dtype)) for count in (heads, kv_heads))
            mask = None if "vision" in name else Causal()
            call = lambda q=q, k=k, mask=mask: attention_rows(q, k, [q.shape[2] - 1], mask)  # noqa: E731
            found[f"ms of a row: {name}, {dtype}"] = milliseconds(call)
    return found


def memory() -> dict[str, float]:
    """Peak above the weights of a traced pass over that of a plain one, each in processes of their own."""
    from tests.benchmarks.attention_cost import peak_bytes

    tokens, blocks = 1024, 4
    peaks = {name: peak_bytes(name, tokens, blocks) for name in ("ours", "ours, everything kept")}
    return {
        "peak of a traced pass over a plain one, 1,024 visual tokens": peaks["ours, everything kept"] / peaks["ours"]
    }


# --- pictures ---


def pictures() -> dict[str, float]:
    """transformers' processor over ours, from a PIL image to patches; and a frame's way to its size."""
    import numpy as np
    import torch
    from PIL import Image
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    open_picture, smart_resize, resize, patches = map(found_in, ("open_picture", "smart_resize", "resize", "patches"))
    limits = {"min_pixels": 3136, "max_pixels": 1_003_520}
    reference, found = Qwen2VLImageProcessorPil(**limits), {}
    for width, height in ((448, 448), (1000, 872), (2000, 1500), (4000, 3000)):
        noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        picture = Image.fromarray(noise)

        def ours(picture: Any = picture) -> Any:
            upright = open_picture(picture)
            size = smart_resize(upright.height, upright.width, **limits)
            return patches([resize(upright, *size[::-1])])[0]

        def theirs(picture: Any = picture) -> Any:
            return reference(picture, return_tensors="pt")["pixel_values"]

        assert torch.equal(ours(), theirs())
        found[f"a picture of {width:,} x {height:,}: transformers over ours"] = in_turns(theirs, ours, 2 * ROUNDS)
    frame = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    resize_frame = found_in("resize_frame")
    decoded = frame if defined("as_picture") else Image.fromarray(frame)  # before, a frame came as a PIL image
    resized = lambda: resize_frame(decoded, 420, 224)  # noqa: E731
    found["ms of a frame, 1920 x 1080 to 420 x 224"] = milliseconds(resized)
    return found


# --- the door ---

SERVE = """
import time, urllib.request
try:
    import app.page.command as door
except ImportError:  # before, it stood in the door itself
    import app.__main__ as door
from app.page import page
launch = page.launch
def served(session, **options):
    demo = launch(session, **{**options, "prepare": False, "inbrowser": False}, prevent_thread_lock=True, quiet=True)
    urllib.request.urlopen(demo[1]).read()
    print("SECONDS", time.process_time(), flush=True)
    import os
    os._exit(0)
door.launch = served
door.main([])
"""


def door() -> dict[str, float]:
    """Processor seconds until the answer stands there."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "serve.py"
        script.write_text(SERVE, encoding="utf-8")
        served = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": "."},
        )
    page = next(line for line in served.stdout.splitlines() if line.startswith("SECONDS"))
    return {
        "s of --help": _child_seconds("--help"),
        "s of a plan": _child_seconds("plan", "3840x2160"),
        "s from the start to the first page": float(page.split()[1]),
    }


def _child_seconds(*arguments: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-m", "qwenvl", *arguments], capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


MEASURES = {"answering": answering, "rows": rows, "memory": memory, "pictures": pictures, "door": door}


def main() -> None:
    what = sys.argv[1]
    if what in ("door", "memory"):
        print(json.dumps(MEASURES[what]()))
        return
    import torch

    torch.set_num_threads(1)
    with torch.inference_mode():
        print(json.dumps(MEASURES[what]()))


if __name__ == "__main__":
    main()
