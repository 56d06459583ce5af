"""What stands in the rail: pictures, the turns before, and whether the answers still belong to it."""

from __future__ import annotations

from app.asking.conversation import Conversation
from app.page.draft import Draft


def answered(draft: Draft, question: str, system: str = "") -> Draft:
    conversation = draft.conversation(question, system).answered("A", "a cat").answered("B", "a dog")
    return draft.answered(conversation)


def test_pictures_are_replaced_added_and_removed() -> None:
    draft = Draft().with_media(["one.png"], add=False).with_media(["two.png", "three.png"], add=True)
    assert draft.shown == ("one.png", "two.png", "three.png")
    assert draft.without(1).shown == ("one.png", "three.png")
    assert draft.without(7) == draft
    assert draft.with_media(["four.png"], add=False).shown == ("four.png",)


def test_an_answer_goes_stale_with_its_question_system_prompt_and_pictures() -> None:
    draft = answered(Draft(media=("one.png",)), "What?", "Be brief.")
    assert draft.stale("What?", "Be brief.") is None
    assert draft.stale(" What? ", "Be brief.") is None
    assert draft.stale("Who?", "Be brief.") == "The question has changed since this answer."
    assert draft.stale("What?", "") == "The question has changed since this answer."
    changed = draft.with_media(["two.png"], add=True)
    assert changed.stale("What?", "Be brief.") == "The pictures have changed since this answer."
    assert Draft().stale("anything", "") is None


def test_a_follow_up_keeps_the_turns_and_takes_pictures_of_its_own() -> None:
    first = answered(Draft(media=("one.png",)), "What?")
    draft = first.following_up().with_media(["two.png"], add=True)
    assert draft.follows_up
    assert draft.shown == ("one.png", "two.png")
    assert draft.without(0) == draft, "a picture of an earlier turn stays"
    asked = draft.conversation("And this?", "")
    assert [turn.question for turn in asked.turns] == ["What?", "And this?"]
    assert asked.turns[0].answer("B") == "a dog"
    third = answered(draft, "And this?")
    assert third.follows_up
    assert third.media == ()
    assert third.shown == ("one.png", "two.png")


def test_starting_anew_forgets_the_turns_and_keeps_the_pictures() -> None:
    draft = answered(answered(Draft(media=("one.png",)), "What?").following_up(), "And?").starting_anew()
    assert not draft.follows_up
    assert draft.shown == ("one.png",)
    assert len(draft.conversation("New?", "").turns) == 1


def test_only_what_was_answered_can_be_followed_up() -> None:
    draft = Draft(last=Conversation().asking("What?"))
    assert not draft.can_follow_up
    assert draft.following_up() == draft


def test_what_is_changed_while_an_answer_is_made_stays() -> None:
    before = Draft(media=("one.png",), example="shapes")
    asked = before.conversation("What?", "").answered("A", "a cat")
    assert before.overtaken(before, asked) == before.answered(asked)
    now = before.with_media(["two.png"], add=False).keeping("nothing")
    after = now.overtaken(before, asked)
    assert (after.media, after.keep, after.example) == (("two.png",), "nothing", None)
    assert (after.last, after.asked_media, after.asked_keep) == (asked, ("one.png",), "all")
    assert after.stale("What?", "") == "The pictures have changed since this answer."


def test_a_follow_up_goes_on_with_what_came_while_it_was_answered() -> None:
    before = answered(Draft(media=("one.png",)), "What?").following_up().with_media(["two.png"], add=True)
    asked = before.conversation("And this?", "").answered("A", "a dog")
    now = before.with_media(["three.png"], add=True)
    after = now.overtaken(before, asked)
    assert after.earlier == asked
    assert (after.media, after.shown) == (("three.png",), ("one.png", "two.png", "three.png"))
    anew = before.starting_anew().overtaken(before, asked)
    assert not anew.follows_up
    assert anew.shown == ("one.png", "two.png")
