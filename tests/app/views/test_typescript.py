"""The page's types of the server's answers are the Python ones, written out."""

from __future__ import annotations

from typing import TypedDict

import pytest

from app.views import QUESTIONS, typescript


def test_the_file_is_what_python_says() -> None:
    written = typescript.FILE.read_text(encoding="utf-8")
    assert written == typescript.text(), "Run `python -m app.views.typescript` and commit what it writes."


def test_every_question_is_in_it() -> None:
    table = typescript.text().partition("export interface Answers")[2]
    assert all(f"  {name}: " in table for name in QUESTIONS)


def test_a_type_without_a_shape_is_refused() -> None:
    class Vague(TypedDict):
        """Nothing that JSON has."""

        values: set[int]

    with pytest.raises(TypeError, match="give its shape"):
        typescript._interface("Vague", "", typescript._fields(Vague))
