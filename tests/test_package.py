"""`pip install .` brings everything along: the wheel, unpacked elsewhere, holds every file and answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from email import message_from_string
from email.message import Message
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import qwenvl

ROOT = Path(__file__).parents[1]
OF_CUDA = ("nvidia", "cuda", "triton")
SOURCES = ("qwenvl", "viz", "app", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
ASK = """
import qwenvl
from PIL import Image
for name in ("tiny-qwen-vl", "tiny-qwen2-vl"):
    content = [{"type": "image", "image": Image.new("RGB", (60, 40))}, {"type": "text", "text": "What is this?"}]
    run = qwenvl.load(name).run([{"role": "user", "content": content}], max_new_tokens=2)
    print(qwenvl.__file__, len(run.answer.split()))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from a clean copy of the sources, as pip would install it."""
    copy, folder = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(copy)], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_holds_every_file_of_the_packages(unpacked: Path) -> None:
    def files(root: Path) -> set[str]:
        found = (path for package in ("qwenvl", "viz", "app") for path in (root / package).rglob("*") if path.is_file())
        return {str(path.relative_to(root)) for path in found if "__pycache__" not in path.parts}

    world = {name for name in files(ROOT) if name.startswith("qwenvl/tiny/")}  # with it the shipped models were trained
    assert len(world) > 20
    assert files(unpacked) == files(ROOT) - world


@pytest.mark.slow
def test_an_installed_library_answers_with_its_own_checkpoints(unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(unpacked / "qwenvl" / "__init__.py"), "2"] * 2


def requirements(name: str) -> dict[str, Requirement]:
    """The lines of a file of requirements, by the name of the package."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    read = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    return {requirement.name: requirement for requirement in read}


@pytest.fixture(scope="module")
def metadata(unpacked: Path) -> Message:
    (file,) = unpacked.glob("*.dist-info/METADATA")
    return message_from_string(file.read_text(encoding="utf-8"))


def required(metadata: Message) -> dict[str, Requirement]:
    return {each.name: each for each in map(Requirement, metadata.get_all("Requires-Dist") or [])}


def test_what_is_tested_lies_within_what_is_allowed(metadata: Message) -> None:
    pinned, allowed = requirements("requirements.txt"), required(metadata)
    assert pinned.keys() == allowed.keys()
    for name, requirement in pinned.items():
        (exact,) = requirement.specifier
        assert exact.operator == "==", name
        assert exact.version in allowed[name].specifier, name
    assert "13.0.0" not in allowed["pillow"].specifier


def test_the_lowest_of_each_range_is_what_is_tried(metadata: Message) -> None:
    lowest = requirements("requirements-lowest.txt")
    for name, requirement in required(metadata).items():
        if requirement.marker is not None or name == "torch":
            continue
        (bound,) = (each.version for each in requirement.specifier if each.operator == ">=")
        (tried,) = lowest[name].specifier
        assert Version(tried.version) == Version(bound), name


def test_the_library_alone_asks_for_no_page(metadata: Message) -> None:
    alone = {each.name for each in required(metadata).values() if each.marker is None}
    assert not alone & {"gradio", "starlette", "plotly", "matplotlib"}
    assert {"torch", "pillow", "numpy", "av", "safetensors", "tokenizers", "tiktoken", "huggingface_hub"} <= alone
    assert metadata["Version"] == qwenvl.__version__


def test_a_file_of_the_working_folder_is_not_run_in_place_of_the_page(tmp_path: Path) -> None:
    for name in ("app", "viz"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for start in (["-m", "qwenvl"], ["-c", "from qwenvl.__main__ import command; command()"]):
        done = subprocess.run(
            [sys.executable, *start, "app", "--help"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("usage: qwenvl app")


def test_the_version_needs_no_torch() -> None:
    code = "import sys\nfrom qwenvl.__main__ import main\n"
    code += "try: main(['--version'])\nfinally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"qwenvl {qwenvl.__version__}\n")


def closure(names: Iterable[str]) -> set[str]:
    """What these packages bring here, themselves included; what a CUDA build of torch brings left out."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    seen: set[str] = set()
    while waiting:
        asked = waiting.pop()
        if str(asked) in seen or asked.name.startswith(OF_CUDA):
            continue
        seen.add(str(asked))
        found.add(canonicalize_name(asked.name))
        brought = map(Requirement, distribution(asked.name).requires or [])
        extras = asked.extras or {""}
        here = [each for each in brought if not each.marker or any(each.marker.evaluate({"extra": e}) for e in extras)]
        waiting.extend(here)
    return found


def test_everything_that_is_installed_has_one_exact_version() -> None:
    pinned = {canonicalize_name(name): each for name, each in requirements("constraints.txt").items()}
    files = (requirements(f"requirements{kind}.txt") for kind in ("", "-dev"))
    for name in closure(str(each) for file in files for each in file.values()):
        assert version(name) in pinned[name].specifier, f"{name}: make constraints"


def test_constraints_hold_on_every_system_and_build() -> None:
    written = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for name, each in requirements("constraints.txt").items():
        (exact,) = each.specifier
        assert exact.operator == "==", name
        assert "+" not in exact.version, name
        assert not each.extras, name
        assert not name.startswith(OF_CUDA), name
    assert "--hash" not in written
    assert "colorama" in written  # of Windows alone
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert recipes.count("-c constraints.txt") == 2
