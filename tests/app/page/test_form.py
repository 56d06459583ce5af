"""A form is read whole: what it asks and whether it is stale follow from the draft and from what is typed."""

from __future__ import annotations

from app.page.draft import Draft
from app.page.form import Budget, Form

BUDGET: Budget = {"min": 3136, "max": 200_704}


def form(draft: Draft | None = None) -> Form:
    return Form(draft or Draft(media=("cat.png",)), "What is it?", "Be brief.", BUDGET)


def test_what_is_asked_is_the_draft_with_what_is_typed() -> None:
    conversation = form().conversation
    assert conversation.media == ("cat.png",)
    assert conversation.turns[-1].question == "What is it?"
    assert conversation.system == "Be brief."


def test_what_is_typed_stays_with_another_draft() -> None:
    other = form().drafted(Draft(media=("dog.png",)))
    assert (other.question, other.system, other.budget) == ("What is it?", "Be brief.", BUDGET)
    assert other.conversation.media == ("dog.png",)


def test_a_form_is_stale_once_its_question_is_another() -> None:
    asked = form()
    answered = asked.drafted(asked.draft.answered(asked.conversation.answered("A", "A cat.")))
    assert answered.stale is None
    assert answered.asking("Where is it?").stale == "The question has changed since this answer."
