"""`pip install .` brings everything along: the wheel, unpacked elsewhere, holds every file and answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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

    assert files(unpacked) == files(ROOT)


@pytest.mark.slow
def test_an_installed_library_answers_with_its_own_checkpoints(unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(unpacked / "qwenvl" / "__init__.py"), "2"] * 2


def test_it_requires_what_requirements_txt_pins(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    required = {
        line.split(": ")[1]
        for line in metadata.read_text(encoding="utf-8").splitlines()
        if line.startswith("Requires-Dist")
    }
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line for line in lines if line and not line.startswith("#")}
    assert required == pinned
    assert all("==" in line for line in pinned)
