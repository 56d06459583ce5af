"""What every test starts from: few threads, figures without a screen, and the Chromium the browser tests drive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
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


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive. Without one a browser test is skipped, and fails where CI=true."""
    candidates = [os.environ.get("CHROMIUM"), "/usr/bin/chromium", _chromium_of_playwright()]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return candidate
    if os.environ.get("CI") == "true":
        pytest.fail(NO_CHROMIUM)
    pytest.skip(NO_CHROMIUM)


def _chromium_of_playwright() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path
