"""What the command line and a plan bring in: nothing that is slow to import before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import qwenvl

SLOW = ("torch", "av", "tiktoken", "tokenizers", "regex", "safetensors", "gradio", "transformers", "huggingface_hub")


def brought_in(code: str) -> list[str]:
    """The slow packages that a program has imported when it ends, in a process of its own."""
    told = f"import atexit, json, sys\natexit.register(lambda: print(json.dumps([*sys.modules])))\n{code}"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])
    return [name for name in SLOW if name in modules]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["plan", "--help"],
        ["plan", "3840x2160"],
        ["plan", "640x360x48", "--of", "Qwen2-VL-2B", "--json"],
    ],
)
def test_help_and_a_plan_bring_in_nothing_slow(arguments: list[str]) -> None:
    code = f"from qwenvl.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert brought_in(code) == []


@pytest.mark.skipif(sys.platform == "win32", reason="process times of POSIX")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "3840x2160"]])
def test_help_and_a_plan_take_little_of_a_processor(arguments: list[str]) -> None:
    import resource

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "qwenvl", *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.4


def test_a_port_is_refused_before_anything_slow_is_brought_in() -> None:
    code = "import runpy, sys\nsys.argv = ['app', '--port', 'nowhere']\n"
    code += (
        "try:\n    runpy.run_module('app', run_name='__main__')\nexcept SystemExit as left:\n    assert left.code == 3"
    )
    assert brought_in(code) == []


def test_the_library_brings_in_nothing_slow_before_it_is_asked() -> None:
    assert brought_in("import qwenvl\nqwenvl.plan((640, 480), 'Qwen2-VL-7B')") == []
    assert "torch" in brought_in("import qwenvl\nqwenvl.Trace")


def test_every_name_of_the_library_is_there_and_no_other() -> None:
    assert {name for name in qwenvl.__all__ if getattr(qwenvl, name) is None} == set()
    assert callable(qwenvl.plan)
    assert set(qwenvl.__all__) <= set(dir(qwenvl))
    with pytest.raises(AttributeError, match="no attribute 'plans'"):
        _ = qwenvl.plans


def test_asking_for_the_help_of_one_command_names_all_of_them() -> None:
    from qwenvl.cli.arguments import HELP
    from qwenvl.cli.main import build_parser

    light, whole = build_parser([]), build_parser()
    assert [*light.chosen] == [*whole.chosen] == [*HELP]
    assert light.format_help() == whole.format_help()
