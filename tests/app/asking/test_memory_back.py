"""Kept runs take of the process what their budget says, however many were asked; measured of a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.asking.memory_back import give_back, keep_few_arenas

ROOT = Path(__file__).parents[3]
BUDGET, QUESTIONS, VISITORS = 128 << 20, 200, 20
ASK = """
import json, os, sys
import numpy as np, torch
from PIL import Image
from app.asking.conversation import Conversation, Settings
from app.asking.memory_back import keep_few_arenas
from app.asking.store import RunStore
from app.serving.session import Session

torch.set_num_threads(1)
keep_few_arenas()
budget, questions, visitors = map(int, sys.argv[2:])
held = lambda: int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) << 10
Image.fromarray(np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), dtype=np.uint8)).save(sys.argv[1])
session = Session(("tiny-qwen-vl", "tiny-qwen2-vl"), RunStore(visitor_bytes=budget, total_bytes=budget))
settings, asked = Settings(max_new_tokens=2, max_pixels=100_352), Conversation().asking("What?", [sys.argv[1]])
for letter in "AB":
    session.pipeline(letter).run(asked.messages(letter), max_new_tokens=2, max_pixels=100_352)
loaded, seen = held(), []
for number in range(questions):
    session.answer(f"visitor {number % visitors}", "AB"[number % 2], asked, settings)
    seen.append(held() - loaded)
print(json.dumps([session.store.num_bytes, seen]), flush=True)
os._exit(0)  # a thread may still be at its last line, and to tear it down aborts
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells what a process holds")
def test_two_hundred_questions_take_the_budget_and_no_more(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASK, str(tmp_path / "a.png"), *map(str, (BUDGET, QUESTIONS, VISITORS))]
    named = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=named, capture_output=True, text=True, timeout=1200, check=True)
    kept, seen = json.loads(done.stdout)
    assert kept > 0.9 * BUDGET
    assert max(seen) <= 1.3 * BUDGET
    half = len(seen) // 2
    assert max(seen[half:]) <= 1.05 * max(seen[:half])  # level


def test_memory_is_given_back_where_the_system_can() -> None:
    keep_few_arenas()
    assert give_back() in (True, False)
