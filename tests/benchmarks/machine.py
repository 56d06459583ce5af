"""Says what a benchmark ran on: the processor, the cores, and how loaded the machine was."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> str:
    """The processor and its cores; whether it multiplies bfloat16 itself, which decides how fast that is."""
    model, bfloat16 = platform.processor() or platform.machine(), ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = named[0] if named else model
        has = any("avx512_bf16" in line or "amx_bf16" in line for line in lines)
        bfloat16 = ", with bfloat16" if has else ", without bfloat16"
    return f"{model}{bfloat16}, {os.cpu_count()} cores"


def load() -> str:
    """How many programs wanted a core in the last minute."""
    return f"load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
