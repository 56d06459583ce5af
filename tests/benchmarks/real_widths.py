"""Checkpoints of the released sizes: `python -m tests.benchmarks.real_widths`. Random weights, published layout.

Writes a folder a case (it needs as much room on the disk as a download), and in fresh processes loads it, asks, replays
traced and looks: time and peak memory of each step, beside `transformers` on the same folder, prompt and length.
Cases that only a GPU can run are run where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import qwenvl
from qwenvl.inference.generate import TokenSampling, generate
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.run import Run
from qwenvl.models.config import QWEN2_VL_2B, QWEN2_VL_7B, QWEN_VL, Config
from tests.benchmarks import loading
from tests.benchmarks.memory import resident
from tests.support.published import write_checkpoint

GIB = 1 << 30
QUESTION = "What is in the picture, and where?"
CUT = replace(QWEN_VL, vision=replace(QWEN_VL.vision, num_blocks=12), language=replace(QWEN_VL.language, num_blocks=4))

CASES: dict[str, Config] = {"Qwen2-VL-2B": QWEN2_VL_2B, "Qwen-VL, 12 + 4 blocks": CUT}
GPU_CASES: dict[str, Config] = {"Qwen2-VL-7B": QWEN2_VL_7B, "Qwen-VL-Chat": QWEN_VL}
SIDES = {"qwen2-vl": (448, 896), "qwen-vl": (448,)}


def picture(side: int) -> Image.Image:
    """A square picture of smooth colour with some noise."""
    ramp = np.linspace(0, 1, side)
    base = np.stack([ramp[:, None] + 0 * ramp, ramp + 0 * ramp[:, None], np.full((side, side), 0.4)], axis=-1)
    noise = np.random.default_rng(0).normal(0, 0.05, base.shape)
    return Image.fromarray((255 * np.clip(base + noise, 0, 1)).astype(np.uint8))


def messages(side: int) -> list[dict[str, Any]]:
    content = [{"type": "image", "image": picture(side)}, {"type": "text", "text": QUESTION}]
    return [{"role": "user", "content": content}]


# --- ours, in a process of its own ---


def ours(folder: Path, side: int, new_tokens: int, dtype: str) -> dict[str, Any]:
    """Load, ask, replay and look; seconds and bytes of each step."""
    held = resident(reset_peak=True)
    begun = time.perf_counter()
    pipeline = qwenvl.load(folder, dtype=dtype)
    loaded = time.perf_counter() - begun
    device = next(pipeline.model.parameters()).device
    loading.touch(pipeline.model)
    touched = time.perf_counter() - begun
    stream = pipeline.stream(messages(side), max_pixels=side * side, max_new_tokens=1, temperature=0.0)
    prompt = stream.prompt
    list(stream)  # threads and workspaces, once
    inputs = {name: tensor.to(device) for name, tensor in prompt.model_inputs.items()}
    ids, clocks = [], [clock(device)]
    for token in generate(pipeline.model, inputs, sampling=TokenSampling(max_new_tokens=new_tokens)):
        ids.append(token)
        clocks.append(clock(device))
    asked = peak(device) - held
    begun = clock(device)
    run = pipeline.look_inside(prompt, ids, {"max_pixels": side * side})
    replayed = clock(device) - begun
    return {
        "device": str(device),
        "dtype": str(next(pipeline.model.parameters()).dtype).removeprefix("torch."),
        "parameters": pipeline.parameters,
        "prompt": len(prompt.input_ids),
        "visual_tokens": sum(media.num_tokens for media in prompt.media),
        "ids": ids,
        "loaded": loaded,
        "touched": touched,
        **_pace(clocks),
        "replay": replayed,
        "kept": run.nbytes,
        "kept_layers": {site: sum(f"{site}." in name for name in run.kept) // 2 for site in run.sites},
        "peak_asked": asked,
        "peak": peak(device) - held,
        "looks": look(pipeline, run),
    }


def clock(device: torch.device) -> float:
    """Seconds: CPU time of this process, which neighbours on the machine do not lengthen; on a GPU, the wall's."""
    if device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def _pace(clocks: list[float]) -> dict[str, float]:
    """Seconds to the first token, and the median of the others."""
    steps = [after - before for before, after in pairwise(clocks)]
    return {"read": steps[0], "token": statistics.median(steps[1:] or steps)}


def peak(device: torch.device) -> int:
    """The most memory that was held: of the GPU where the model is on one."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else resident(peak=True)


def look(pipeline: Pipeline, run: Run) -> dict[str, float]:
    """Milliseconds of what a view asks, at the layer in the middle and the row before the answer."""
    row, layer = run.answer_start - 1, run.num_layers("language") // 2
    asked: dict[str, Callable[[], Any]] = {
        "language row": lambda: run.attention("language", layer=layer, query=row),
        "map, one layer": lambda: run.image_map(query=row, layer=layer),
        "map, mean of layers": lambda: run.image_map(query=row),
        "shares, all layers and heads": lambda: run.shares(row),
        "vision row": lambda: run.attention("vision", layer=run.num_layers("vision") // 2, query=100),
    }
    if "adapter" in run.sites:
        asked["adapter matrix"] = lambda: run.adapter_matrix(media=0, head=0)
    taken = {}
    for name, question in asked.items():
        begun = time.perf_counter()
        question()
        taken[name] = 1e3 * (time.perf_counter() - begun)
    return taken


# --- transformers, in a process of its own ---


def theirs(folder: Path, side: int, new_tokens: int, dtype: str) -> dict[str, Any]:
    """The same folder, prompt and number of tokens through `transformers`, with its fused attention."""
    from transformers import LogitsProcessor, LogitsProcessorList, Qwen2VLForConditionalGeneration

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    inputs = _their_inputs(folder, side, device)
    held = resident(reset_peak=True)
    begun = time.perf_counter()
    model = Qwen2VLForConditionalGeneration.from_pretrained(
        folder, dtype=getattr(torch, dtype), attn_implementation="sdpa", device_map=device
    ).eval()
    loading.touch(model)
    loaded = time.perf_counter() - begun
    clocks: list[float] = []

    class Clock(LogitsProcessor):
        """Notes when the logits of each token are there."""

        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            clocks.append(clock(device))
            return scores

    options = {"do_sample": False, "repetition_penalty": 1.0, "logits_processor": LogitsProcessorList([Clock()])}
    with torch.inference_mode():
        model.generate(**inputs, max_new_tokens=1, **options)
        clocks = [clock(device)]
        said = model.generate(**inputs, max_new_tokens=new_tokens, min_new_tokens=new_tokens, **options)
    ids = said[0, inputs["input_ids"].shape[1] :].tolist()
    return {"touched": loaded, **_pace(clocks), "ids": ids, "peak": peak(device) - held}


def _their_inputs(folder: Path, side: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Our processor's inputs, so that both read the same."""
    from qwenvl.loading.load import read_config
    from qwenvl.processing.processor import from_folder

    config = read_config(folder)
    prompt = from_folder(folder, config)(messages(side), max_pixels=side * side)
    ids = torch.tensor([prompt.input_ids])
    inputs = {**prompt.model_inputs, "input_ids": ids, "attention_mask": torch.ones_like(ids)}
    inputs["mm_token_type_ids"] = (ids == config.image_token_id).long()  # type: ignore[union-attr]
    return {name: tensor.to(device) for name, tensor in inputs.items()}


# --- all of it ---


def in_a_process(which: str, folder: Path, side: int, new_tokens: int, dtype: str, threads: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.real_widths", "--only", which, "--folder", str(folder)]
    command += ["--side", str(side), "--new-tokens", str(new_tokens), "--dtype", dtype, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def measure(config: Config, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Write the case's folder, measure everything on it, remove it."""
    begun = time.perf_counter()
    write_checkpoint(folder, config)
    found: dict[str, Any] = {"written": time.perf_counter() - begun, "family": config.family, "sides": {}}
    if arguments.loading:
        found["loading"] = loading.compare(folder, dtypes=("bfloat16",), rounds=arguments.rounds)
    for side in arguments.sides or SIDES[config.family]:
        asked = (folder, side, arguments.new_tokens)
        mine = in_a_process("ours", *asked, arguments.dtype, arguments.threads)
        found["sides"][side] = {"ours": mine}
        if config.family == "qwen2-vl":
            found["sides"][side]["transformers"] = in_a_process("theirs", *asked, mine["dtype"], arguments.threads)
    return found


def table(name: str, found: dict[str, Any]) -> str:
    """What was found, as Markdown."""
    lines = [f"### {name}", ""]
    if "loading" in found:
        lines += [loading.table(found["loading"]), ""]
    heads = ("prompt", "", "load s", "read s", "ms a token", "replay s", "kept MiB", "peak GiB asked", "peak GiB")
    lines += ["| " + " | ".join(heads) + " |", "| ---: | --- |" + " ---: |" * (len(heads) - 2)]
    for sides in found["sides"].values():
        for who, one in sides.items():
            mine = who == "ours"
            cells = [
                f"{sides['ours']['prompt']:,}",
                who,
                f"{one['touched']:.1f}",
                f"{one['read']:.2f}",
                f"{1e3 * one['token']:.0f}",
                f"{one['replay']:.2f}" if mine else "",
                f"{one['kept'] / (1 << 20):,.0f}" if mine else "",
                f"{one['peak_asked'] / GIB:.2f}" if mine else f"{one['peak'] / GIB:.2f}",
                f"{one['peak'] / GIB:.2f}" if mine else "",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    for side, sides in found["sides"].items():
        mine = sides["ours"]
        looks = ", ".join(f"{what} {taken:.1f} ms" for what, taken in mine["looks"].items())
        kept = ", ".join(f"{layers} {site}" for site, layers in mine["kept_layers"].items())
        lines += ["", f"{side} × {side} px, {mine['dtype']} on {mine['device']}; kept layers: {kept}. {looks}."]
        if "transformers" in sides:
            other = sides["transformers"]
            same = sum(a == b for a, b in zip(mine["ids"], other["ids"], strict=False))
            ratios = ", ".join(f"{what} {mine[what] / other[what]:.2f}" for what in ("touched", "read", "token"))
            lines.append(f"Ours over transformers: {ratios}; {same} of {len(mine['ids'])} greedy tokens are the same.")
    return "\n".join(lines)


def machine(threads: int) -> str:
    """What this ran on."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        named = [
            line
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        model = named[0].partition(":")[2].strip() if named else model
    return f"{model}, {os.cpu_count()} cores, {threads} thread(s), no GPU, torch {torch.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = CASES | (GPU_CASES if torch.cuda.is_available() else {})
    parser.add_argument("--cases", nargs="+", default=list(everything), choices=list(CASES | GPU_CASES))
    parser.add_argument("--sides", type=int, nargs="+", help="of the square picture, in pixels")
    parser.add_argument("--new-tokens", type=int, default=8)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3, help="of reading and loading")
    parser.add_argument("--no-loading", dest="loading", action="store_false", help="leave reading and loading out")
    parser.add_argument("--where", type=Path, help="where the folders are written (default: a temporary place)")
    parser.add_argument("--json", type=Path, help="write the measurements here too")
    parser.add_argument("--only", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--side", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.only:
        run = ours if arguments.only == "ours" else theirs
        print(json.dumps(run(arguments.folder, arguments.side, arguments.new_tokens, arguments.dtype)))
        return
    found = {}
    for name in arguments.cases:
        with tempfile.TemporaryDirectory(dir=arguments.where) as place:
            found[name] = measure((CASES | GPU_CASES)[name], Path(place) / "checkpoint", arguments)
        print(table(name, found[name]), end="\n\n", flush=True)
        if arguments.json:
            arguments.json.write_text(
                json.dumps({"machine": machine(arguments.threads), **found}, indent=1), encoding="utf-8"
            )
    print(machine(arguments.threads))


if __name__ == "__main__":
    main()
