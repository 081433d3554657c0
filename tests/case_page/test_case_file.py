"""A case's story: everything that happened, in order, masked, with the reason for what comes next."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.calls.pauses import pause_calls
from dialer.case_page.acts import SeenCase, mark_duplicate, revision_of
from dialer.case_page.reading import reveal, show_case
from dialer.control.overview import take_alarm
from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus, Reason
from dialer.core.errors import Invalid, NotFound
from dialer.core.text import Lang
from dialer.core.timeline import EntryKind, StepKind, Wait
from dialer.core.values import Grade, PauseScope, Track
from dialer.db import tables as t
from dialer.db.vault import BlindKind
from dialer.language.sentences import entry_sentence
from dialer.retention.erasure import lift_legal_hold, place_legal_hold
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario

SECOND = timedelta(seconds=1)


def known_person(scenario: Scenario) -> int:
    return scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER, family_contact="+8613700001111")


def told(scenario: Scenario, case_id: int) -> list[tuple[float, EntryKind]]:
    story = show_case(scenario.services, case_id)
    return [((entry.at - MORNING).total_seconds(), entry.kind) for entry in story.file.timeline]


def test_a_case_that_does_not_exist(scenario: Scenario):
    with pytest.raises(NotFound, match="case 404"):
        show_case(scenario.services, 404)


def test_nothing_of_the_person_is_in_clear(scenario: Scenario):
    case_id = scenario.case(person_id=known_person(scenario))
    story = show_case(scenario.services, case_id)
    assert story.file.person.name == "王*"
    assert story.file.person.phones == ("138****8000",)
    assert story.file.person.id_number == "15****1237"
    assert story.file.person.has_family_contact
    for secret in (NAME, PHONE[3:], ID_NUMBER, "13700001111"):
        assert secret not in repr(story)


def test_the_whole_timeline_in_the_order_of_what_happened(scenario: Scenario):
    case_id = scenario.case(status=CaseStatus.REVERSED, outcome="already_defrauded")
    attempt_id = scenario.attempt(
        case_id,
        result="answered",
        sent_at=MORNING + 2 * SECOND,
        ringing_at=MORNING + 3 * SECOND,
        answered_at=MORNING + 8 * SECOND,
        ended_at=MORNING + 60 * SECOND,
        contact="verified",
        answer="acknowledged",
    )
    scenario.put(
        t.event,
        attempt_id=attempt_id,
        case_id=case_id,
        step="talk.2",
        kind="talk",
        at=MORNING + 20 * SECOND,
        facts={"at": "identity", "key": "1", "then": "scene", "end": False, "sid": "CA1"},
    )
    scenario.put(
        t.event,
        attempt_id=attempt_id,
        case_id=case_id,
        step="call.1",
        kind="call.ringing",
        at=MORNING + 3 * SECOND,
        facts={},
    )
    scenario.assignment(
        case_id,
        state="done",
        opened_at=MORNING + 61 * SECOND,
        signed_at=MORNING + 70 * SECOND,
        signed_by="li",
        done_at=MORNING + 80 * SECOND,
        done_by="li",
        outcome="dissuaded_by_phone",
    )
    success = scenario.outcome(case_id, at=MORNING + 80 * SECOND, intended_fen=100)
    scenario.put_filed(case_id, "A1")
    with scenario.tx() as tx:
        tx.execute(
            sa.insert(t.outcome_approval).values(
                outcome_id=success, recorded_by="li", approved_by="zhao", at=MORNING + 90 * SECOND
            )
        )
    scenario.outcome(case_id, at=MORNING + 100 * SECOND, reverses=success, recorded_by="robot")
    scenario.put(
        t.alarm,
        code="defrauded_after_success",
        case_id=case_id,
        facts={},
        raised_at=MORNING + 100 * SECOND,
        seen_at=MORNING + 110 * SECOND,
        seen_by="zhao",
    )
    assert told(scenario, case_id) == [
        (0, EntryKind.WARNING),
        (0, EntryKind.ATTEMPT_PLANNED),
        (0, EntryKind.FILED),
        (2, EntryKind.ATTEMPT_SENT),
        (3, EntryKind.RINGING),
        (8, EntryKind.ANSWERED),
        (20, EntryKind.SPOKEN),
        (60, EntryKind.ATTEMPT_ENDED),
        (61, EntryKind.ASSIGNMENT_OPENED),
        (70, EntryKind.ASSIGNMENT_SIGNED),
        (80, EntryKind.ASSIGNMENT_REPORTED),
        (80, EntryKind.OUTCOME),
        (90, EntryKind.APPROVAL),
        (100, EntryKind.REVERSAL),
        (100, EntryKind.ALARM),
        (110, EntryKind.ALARM_SEEN),
    ]
    entries = show_case(scenario.services, case_id).file.timeline
    spoken = next(entry for entry in entries if entry.kind is EntryKind.SPOKEN)
    assert spoken.facts["key"] == "1"
    assert spoken.facts["n"] == 1


def test_what_is_done_beside_the_case_is_on_its_timeline(scenario: Scenario):
    """The duplicate that was closed for it, legal holds of its person, an alarm that was taken, and releases."""
    person_id = known_person(scenario)
    case_id, other = scenario.case(person_id=person_id), scenario.case()
    services = scenario.services
    load_id = scenario.put(
        t.list_load,
        filename="bank",
        source="bank",
        state="done",
        content_hash=b"1",
        size_bytes=1,
        by="robot",
        created_at=MORNING - 60 * SECOND,
        held_for="per_minute",
        decided_by="wang",
        decided_at=MORNING - 5 * SECOND,
    )
    with scenario.tx() as tx:
        tx.execute(sa.update(t.warning).where(t.warning.c.case_id == case_id).values(load_id=load_id))
    scenario.clock.advance(10)
    seen = SeenCase(
        services=services,
        actor=unrestricted("li"),
        case_id=other,
        revision=revision_of(services, other),
    )
    mark_duplicate(seen, of=case_id)
    scenario.clock.advance(10)
    place_legal_hold(services, unrestricted("li"), case_id, why="a court asks")
    scenario.clock.advance(10)
    lift_legal_hold(services, unrestricted("wang"), case_id, why="over")
    alarm_id = scenario.put(
        t.alarm, code="human_overdue", case_id=case_id, facts={}, raised_at=MORNING + 40 * SECOND
    )
    other_alarm = scenario.put(
        t.alarm, code="human_overdue", case_id=other, facts={}, raised_at=MORNING + 40 * SECOND
    )
    scenario.clock.advance(20)
    for each in (alarm_id, other_alarm):
        take_alarm(services, unrestricted("zhao"), each, comment="on my way")
    entries = show_case(services, case_id).file.timeline
    lines = [
        ((entry.at - MORNING).total_seconds(), entry.by, entry_sentence(entry, Lang.EN)) for entry in entries
    ]
    assert [line for line in lines if line[0] != 0] == [
        (-5, "wang", "released: the warning had waited for a person: more a minute than the source may send"),
        (10, "li", f"case #{other} was closed as a duplicate of this one"),
        (20, "li", "legal hold: the person is not erased"),
        (30, "wang", "legal hold lifted"),
        (40, "", "alarm: a human call is overdue"),
        (50, "zhao", "alarm taken: a human call is overdue, on my way"),
    ]


def test_another_case_s_rows_are_not_in_it(scenario: Scenario):
    case_id, other = scenario.case(), scenario.case()
    scenario.attempt(other)
    scenario.assignment(other)
    scenario.outcome(other)
    assert told(scenario, case_id) == [(0, EntryKind.WARNING)]


def test_a_reveal_is_in_the_audit_and_on_the_timeline(scenario: Scenario):
    case_id = scenario.case(person_id=known_person(scenario))
    scenario.clock.advance(30)
    person = reveal(
        scenario.services, unrestricted("zhao"), case_id, reason="contact", why="calls the family"
    )
    assert (person.name, person.phones, person.id_number) == (NAME, (PHONE,), ID_NUMBER)
    viewed = show_case(scenario.services, case_id).file.timeline[-1]
    assert (viewed.kind, viewed.by, viewed.facts["why"]) == (EntryKind.VIEWED, "zhao", "calls the family")
    with scenario.tx() as tx:
        assert NAME not in repr(tx.rows(sa.select(t.audit)))


def test_nobody_looks_without_a_name_and_a_reason(scenario: Scenario):
    for who, reason, why in (
        ("", "review", "because"),
        ("zhao", "review", "  "),
        ("zhao", "review", "x"),
        ("zhao", "review", "xXxx xxx"),
        ("zhao", "review", "..、、"),
        ("zhao", "", "because"),
        ("zhao", "curiosity", "because"),
    ):
        case_id = scenario.case()
        with pytest.raises(Invalid):
            reveal(scenario.services, unrestricted(who), case_id, reason=reason, why=why)


def test_a_reveal_of_nothing_leaves_no_audit(scenario: Scenario):
    with pytest.raises(NotFound):
        reveal(scenario.services, unrestricted("zhao"), 404, reason="other", why="typing slip")
    with scenario.tx() as tx:
        assert tx.rows(sa.select(t.audit)) == []


def test_the_next_step_says_what_the_call_waits_for(scenario: Scenario):
    urgent, waiting = scenario.case(robot_state="pending", robot_attempts=1, robot_reason="new_warning"), 0
    scenario.attempt(urgent, result=None, sent_at=None, state="ready", urgency_at=MORNING - SECOND)
    waiting = scenario.case(robot_state="pending", robot_attempts=1, robot_reason="retry")
    scenario.attempt(waiting, result=None, sent_at=None, state="ready", urgency_at=MORNING, held=True)
    with scenario.tx() as tx:
        tx.execute(
            sa.insert(t.line_group).values(name="main", calls_per_second=1, lines=1, next_slot_at=MORNING)
        )
    (step,) = show_case(scenario.services, waiting).next_steps
    assert (step.kind, step.track, step.reason, step.at) == (
        StepKind.ATTEMPT,
        Track.ROBOT,
        Reason.RETRY,
        None,
    )
    assert step.waits == (Wait.HELD, Wait.QUEUE)
    assert show_case(scenario.services, waiting).pending.ahead == 1
    assert show_case(scenario.services, urgent).next_steps[0].waits == ()


def test_a_call_waits_for_another_one_to_the_same_number_and_for_a_pause(scenario: Scenario):
    owner = known_person(scenario)
    case_id = scenario.case(person_id=owner, robot_state="pending", robot_attempts=1, robot_reason="retry")
    scenario.attempt(case_id, result=None, sent_at=None, state="ready")
    free_at = MORNING + 30 * SECOND
    with scenario.tx() as tx:
        blind = tx.vault.blind(PHONE, kind=BlindKind.PHONE)
        tx.execute(sa.insert(t.live_number).values(phone_blind=blind, free_at=free_at))
    pause_calls(scenario.services, unrestricted("zhao"), scope=PauseScope.ALL, minutes=30, why="检修")
    (step,) = show_case(scenario.services, case_id).next_steps
    assert set(step.waits) >= {Wait.PAUSED, Wait.NUMBER_BUSY}
    assert step.at == MORNING + timedelta(minutes=30)


def test_the_parts_of_urgency_add_up_to_its_place(scenario: Scenario):
    case_id = scenario.case(grade=Grade.HIGH, amount_at_risk_fen=10_000_000)
    urgency = show_case(scenario.services, case_id).urgency
    assert urgency.grade_seconds > 0
    assert urgency.amount_seconds > 0
    whole = urgency.grade_seconds + urgency.amount_seconds + urgency.expiry_seconds
    assert urgency.at == MORNING - timedelta(seconds=whole)
