"""What every test starts from: few threads, figures without a screen, and the Chromium the browser tests drive."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("Agg")
torch.set_num_threads(1)  # tiny tensors: a second thread waits more than it works

NO_CHROMIUM = (
    "No Chromium was found: name one in CHROMIUM, install it as /usr/bin/chromium, or run "
    "`.venv/bin/playwright install chromium`."
)


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """No test leaves a figure open for the next."""
    yield
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Random weights are the same in every run, whatever ran before and in whichever process."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - whoever draws from it should draw the same
    torch.manual_seed(0)


REFERENCES = ("transformers", "peft")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Files that compare with a reference are left out where none is installed (`make lowest`)."""
    missing = [name for name in REFERENCES if find_spec(name) is None]
    if not missing or not collection_path.name.startswith("test_"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    return True if any(f"\n{word} {name}" in text for name in missing for word in ("from", "import")) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a Chromium the browser tests are skipped; where CI=true they run, and fail."""
    browsing = [item for item in items if item.get_closest_marker("browser")]
    if browsing and os.environ.get("CI") != "true" and find_chromium() is None:
        for item in browsing:
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive."""
    return find_chromium() or pytest.fail(NO_CHROMIUM)


@cache
def find_chromium() -> str | None:
    """The path of the first Chromium there is: the one named, the system's, Playwright's own."""
    for candidate in (os.environ.get("CHROMIUM"), "/usr/bin/chromium"):
        if candidate and Path(candidate).exists():
            return candidate
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None
