"""Whole calls through every shipped script: each way that keys can take, and what the usual people press."""

from __future__ import annotations

import pytest

from dialer.core.values import Answer, Contact, FraudType, Tag
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, Turn, advance, start
from dialer.scripts.model import End, EndUrgency, HandOver, Purpose, reachable
from dialer.scripts.reading import choose_script_id, shipped_scripts

WARNINGS = sorted(id_ for id_, script in shipped_scripts().items() if script.purpose is Purpose.WARNING)
SOON = {"investment", "romance"}
MOST_QUESTIONS = 20
CHILD = Context(tags=frozenset({Tag.MINOR}))
DEAF = Context(tags=frozenset({Tag.HEARING}))
PRESSED = [Heard.silence(), *(Heard.keys(key) for key in ("0", "1", "2", "3", "4", "7", "9", "1234"))]

V, U = Contact.VERIFIED, Contact.UNVERIFIED


def after(script_id: str, keys: str, context: Context) -> Turn:
    """The turn after a string of keys; "-" is silence. Keys left over after the end are not pressed."""
    script = shipped_scripts()[script_id]
    turn = start(script, context)
    for key in keys:
        if turn.is_over:
            return turn
        heard = Heard.silence() if key == "-" else Heard.keys(key)
        turn = advance(script, Position.decode(turn.position.encode()), heard, context)
    return turn


def end_of(script_id: str, keys: str, context: Context | None = None) -> Turn:
    end = after(script_id, keys, context or Context())
    assert end.end is not None
    return end


@pytest.mark.parametrize("script_id", WARNINGS)
class TestUsualPeople:
    def test_somebody_who_believes_it(self, script_id: str):
        keys = "11-1" if script_id in SOON else "111"
        end = end_of(script_id, keys)
        assert (end.learned.contact, end.learned.answer, end.end) == (V, Answer.ACKNOWLEDGED, EndUrgency.NONE)

    def test_somebody_whom_nobody_asked_for_money(self, script_id: str):
        end = end_of(script_id, "121")
        assert (end.learned.contact, end.learned.answer) == (V, Answer.ACKNOWLEDGED)

    def test_somebody_who_has_paid(self, script_id: str):
        turn = after(script_id, "13", Context())
        assert turn.hand_over
        assert turn.end is not None
        assert (turn.learned.contact, turn.learned.answer, turn.end) == (
            V,
            Answer.ALREADY_PAID,
            EndUrgency.NOW,
        )

    def test_somebody_who_has_paid_and_whom_no_officer_takes(self, script_id: str):
        end = end_of(script_id, "13-" + "-----")
        assert (end.learned.contact, end.learned.answer, end.end) == (V, Answer.ALREADY_PAID, EndUrgency.NOW)

    def test_somebody_who_does_not_believe_it(self, script_id: str):
        turn = after(script_id, "122", Context())
        assert turn.hand_over
        assert turn.end is not None
        assert (turn.learned.contact, turn.learned.answer) == (V, Answer.REFUSES)

    def test_another_person(self, script_id: str):
        end = end_of(script_id, "2")
        assert (end.learned.contact, end.learned.answer) == (U, Answer.WRONG_PERSON)

    def test_a_machine_that_records(self, script_id: str):
        end = end_of(script_id, "---")
        assert end.learned.contact is U
        assert end.learned.answer in {Answer.DOUBTFUL, Answer.LANGUAGE_OR_HEARING}
        assert end.end is EndUrgency.NOW

    def test_somebody_who_wants_an_officer_at_once(self, script_id: str):
        turn = after(script_id, "0", Context())
        assert turn.hand_over
        assert turn.end is not None
        assert (turn.learned.contact, turn.learned.answer) == (U, Answer.WANTS_OFFICER)

    def test_wrong_keys_after_the_identity_are_a_verified_persons_doubt(self, script_id: str):
        end = end_of(script_id, "1777")
        assert (end.learned.contact, end.learned.answer, end.end) == (V, Answer.DOUBTFUL, EndUrgency.NOW)

    def test_the_warning_is_heard_before_anybody_is_asked_to_acknowledge(self, script_id: str):
        turn = after(script_id, "12", Context())
        assert turn.node == "acknowledge"
        assert [said.must_say for said in turn.utterances] == [True, True]

    def test_the_warning_is_said_before_any_question(self, script_id: str):
        turn = start(shipped_scripts()[script_id], Context())
        said = [utterance.prompt_id.split(".")[1] for utterance in turn.utterances]
        assert said == ["opening", "caution", "identity"]
        assert [utterance.must_say for utterance in turn.utterances] == [True, True, False]

    def test_whoever_stays_silent_hears_the_warning_once_more(self, script_id: str):
        for keys in ("---", "1----"):
            said = after(script_id, keys, Context()).utterances[-1]
            assert said.must_say
            assert "不要转账" in said.text
            assert "96110" in said.text

    def test_a_childs_phone_first_asks_for_the_guardian(self, script_id: str):
        assert after(script_id, "1", CHILD).node == "guardian"
        end = end_of(script_id, "12", CHILD)
        assert (end.node, end.learned.contact, end.learned.answer, end.end) == (
            "guardian_away",
            V,
            Answer.DOUBTFUL,
            EndUrgency.NOW,
        )


class TestSpecialOnes:
    @pytest.mark.parametrize("script_id", sorted(SOON))
    def test_a_yes_calls_an_officer_and_goes_on_warning_when_none_is_free(self, script_id: str):
        turn = after(script_id, "11", Context())
        assert turn.hand_over
        assert turn.end is not None
        assert (turn.learned.answer, turn.end) == (Answer.DOUBTFUL, EndUrgency.NOW)
        assert after(script_id, "11-", Context()).node == "acknowledge"

    def test_a_player_who_is_a_child_is_asked_for_the_guardian(self):
        assert after("game_trade", "14", Context()).node == "guardian"
        assert end_of("game_trade", "1411").learned.answer is Answer.ACKNOWLEDGED

    def test_the_guardian_of_a_child_who_has_paid(self):
        assert end_of("game_trade", "13", CHILD).learned.answer is Answer.ALREADY_PAID

    def test_somebody_who_cannot_hear_gets_a_message_and_an_officer(self):
        script_id = choose_script_id(FraudType.LOAN, [Tag.HEARING])
        assert script_id == "loan"
        end = end_of(script_id, "---", DEAF)
        assert (end.learned.contact, end.learned.answer, end.end) == (
            U,
            Answer.LANGUAGE_OR_HEARING,
            EndUrgency.NOW,
        )
        assert shipped_scripts()[script_id].message["zh"]

    def test_the_look_back_knows_who_saw_through_it_and_who_has_had_enough(self):
        assert end_of("follow_up", "14").learned.answer is Answer.SAW_THROUGH
        end = end_of("follow_up", "123")
        assert (end.learned.contact, end.learned.answer) == (V, Answer.OPT_OUT)
        assert end_of("follow_up", "13").learned.answer is Answer.ALREADY_PAID

    @pytest.mark.parametrize("keys", ["111", "112", "113", "110"])
    def test_a_scammer_who_is_in_contact_again_is_remembered_to_the_end_of_a_follow_up(self, keys: str):
        assert end_of("follow_up", keys).learned.answer is Answer.IN_CONTACT


@pytest.mark.parametrize("context", [Context(), CHILD, DEAF], ids=["grown", "child", "deaf"])
@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_every_way_of_pressing_keys_ends_and_every_node_is_met(script_id: str, context: Context):
    script = shipped_scripts()[script_id]
    first = start(script, context)
    met = {first.node}
    depth = 0
    standing = {first.position}
    while standing:
        depth += 1
        assert depth <= MOST_QUESTIONS, f"still talking at {sorted(p.node for p in standing)}"
        following: set[Position] = set()
        for position in standing:
            for heard in PRESSED:
                turn = advance(script, position, heard, context)
                met.add(turn.node)
                assert turn.is_over == (turn.ask is None and not turn.hand_over)
                assert (turn.ask is None) == (turn.end is not None)
                if not turn.is_over:
                    following.add(turn.position)
        standing = following
    waits = {
        name for name in reachable(script, script.start) if isinstance(script.nodes[name], End | HandOver)
    }
    skipped = {"nobody_said"} if context is DEAF else {"by_text"}
    if context is CHILD:
        # The guardian is not asked what the child was told.
        skipped |= {"officer_soon", "saw_through"}
    elif script_id != "game_trade":
        skipped |= {"guardian_away"}
    assert waits - skipped <= met
