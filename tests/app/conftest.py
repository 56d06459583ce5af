"""The two tiny checkpoints that ship, loaded once for all tests of the app."""

from __future__ import annotations

import pytest

from app.session import Session


@pytest.fixture(scope="session")
def tiny_session() -> Session:
    """A session of the real tiny models; its store is shared by the tests that use it."""
    return Session()
