"""What clips cost: `python -m tests.benchmarks.clips --help`. Memory, decoding and the forward pass, measured.

Decoding is timed in CPU seconds against decoding every frame with PyAV, and against decord where it is installed (it
is no requirement of the project). Each way takes the same frames of the same file, at the size the model sees.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

import qwenvl
from qwenvl.models.config import QWEN2_VL_2B
from qwenvl.processing.files.clips import open_clip
from qwenvl.processing.files.decoded_clips import read_frames
from qwenvl.processing.files.sampled_clips import plan_clip
from qwenvl.processing.geometry.pixels import resize_frame
from qwenvl.processing.geometry.sampling import VideoOptions
from tests.benchmarks.memory import resident

MIB = 1 << 20
RATE = 25
EVERY = 25  # drawn pictures that repeat: drawing 15,000 would take longer than encoding them


def encode(path: Path, seconds: int, size: tuple[int, int] = (1920, 1080)) -> Path:
    """A clip in which a bright bar goes round on noise: H.264, a keyframe every ten seconds."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 60, (height // 8, width // 8, 3), dtype=np.uint8)
    ground = noise.repeat(8, axis=0).repeat(8, axis=1)
    drawn = []
    for step in range(EVERY):
        picture = ground.copy()
        left = step * width // EVERY
        picture[:, left : left + width // EVERY] += 180
        drawn.append(av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p"))
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "28", "g": "250"})
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for index in range(seconds * RATE):
            frame = drawn[index % EVERY]
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


# --- memory ---


def read_in_this_process(path: Path, nframes: int | None) -> None:
    """Decode a clip's frames as the 2B would see them; prints bytes before and at most."""
    before = resident(peak=True)
    clip = open_clip(path)
    media = plan_clip(clip, QWEN2_VL_2B, VideoOptions(nframes=nframes))
    frames = read_frames(clip, media).frames
    kept = sum(frame.width * frame.height * 3 for frame in frames)
    print(before, resident(peak=True), kept, len(frames), *frames[0].size)


def measure_memory(path: Path, nframes: int | None = None) -> list[int]:
    """What `read_in_this_process` prints, in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--read", str(path)]
    command += ["--nframes", str(nframes)] if nframes else []
    return list(map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()))


# --- decoding ---


def ours(path: Path, media: Any) -> Sequence[Any]:
    return read_frames(open_clip(path), media).frames


def every_frame(path: Path, media: Any) -> Sequence[Any]:
    """Decode all frames with PyAV, keep the wanted ones."""
    wanted, kept = set(media.sampling.indices), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 4
        for index, frame in enumerate(container.decode(stream)):
            if index in wanted:
                kept.append(resize_frame(frame.to_image(), *media.resized))
    return kept


def by_decord(path: Path, media: Any) -> Sequence[Any]:
    from decord import VideoReader  # type: ignore[import-not-found]

    batch = VideoReader(str(path), num_threads=4).get_batch(list(media.sampling.indices)).asnumpy()
    return [resize_frame(Image.fromarray(frame), *media.resized) for frame in batch]


def cpu_seconds(read: Callable[[], Any]) -> float:
    begun = time.process_time()
    read()
    return time.process_time() - begun


def compare_decoding(path: Path, nframes: int | None, rounds: int = 3) -> dict[str, float]:
    """The least CPU seconds of each way, decord left out where it is not installed."""
    media = plan_clip(open_clip(path), QWEN2_VL_2B, VideoOptions(nframes=nframes))
    ways: dict[str, Callable[[Path, Any], Sequence[Any]]] = {"ours": ours, "every frame, PyAV": every_frame}
    try:
        import decord  # type: ignore[import-not-found]  # noqa: F401

        ways["decord"] = by_decord
    except ImportError:
        print("decord is not installed: its column is left out (pip install decord).")
    return {
        name: min(cpu_seconds(lambda read=read: read(path, media)) for _ in range(rounds))  # type: ignore[misc]
        for name, read in ways.items()
    }


# --- the forward pass ---


def cost_of_frames(path: Path, counts: Sequence[int]) -> None:
    """Seconds of reading and of the traced replay, and what a run keeps, as a clip grows; tiny-qwen2-vl."""
    pipeline = qwenvl.load("tiny-qwen2-vl", device="cpu")
    print(f"{'frames':>7}{'tokens':>8}{'read s':>9}{'replay s':>10}{'kept MiB':>10}")
    for count in counts:
        part = {"type": "video", "video": str(path), "nframes": count}
        question = {"type": "text", "text": "What happens?"}
        run = pipeline.run([{"role": "user", "content": [part, question]}], max_pixels=21_952, max_new_tokens=1)
        seconds = run.record.seconds
        kept = sum(value.numel() * value.element_size() for value in run.kept.values()) / MIB
        tokens = run.media[0].num_tokens
        print(f"{count:>7}{tokens:>8,}{seconds['read']:>9.2f}{seconds['replay']:>10.2f}{kept:>10.1f}")


def report(seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = encode(Path(folder) / "clip.mp4", seconds)
        print(f"A clip of {seconds} s, 1920 x 1080, {path.stat().st_size / MIB:.0f} MiB")
        before, most, kept, frames, width, height = measure_memory(path)
        print(
            f"memory: {before / MIB:,.0f} MiB before, {most / MIB:,.0f} MiB at most with {frames} frames of "
            f"{width} x {height} ({kept / MIB:,.0f} MiB) kept"
        )
        short = encode(Path(folder) / "short.mp4", 60)
        for name, clip, nframes in (("60 s, 2 a second", short, None), ("60 s, 8 frames", short, 8)):
            taken = compare_decoding(clip, nframes)
            print(f"{name}: " + ", ".join(f"{way} {one:.2f} s" for way, one in taken.items()), end="; ours over: ")
            print(", ".join(f"{way} {taken['ours'] / one:.2f}" for way, one in taken.items() if way != "ours"))
        cost_of_frames(short, (8, 16, 32, 64, 128, 256))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long the clip for memory lasts")
    parser.add_argument("--read", type=Path, help="decode this clip here and print bytes (used by itself)")
    parser.add_argument("--nframes", type=int)
    given = parser.parse_args()
    if given.read:
        read_in_this_process(given.read, given.nframes)
    else:
        report(given.seconds)


if __name__ == "__main__":
    main()
