"""Acts from a case's page: decided on what the page showed, or refused with what happened meanwhile; audited."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.case_page.acts import (
    ask_person,
    call_now,
    change_grade,
    changed_since,
    close_case,
    mark_duplicate,
    note_case,
    opt_out,
    revision_of,
    transfer_case,
)
from dialer.cases.store import words_of_case
from dialer.core.access import unrestricted
from dialer.core.case import ActRefusal, CaseAct, CaseStatus, acts_allowed
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.db import tables as t
from dialer.work.transfer_store import waiting_transfers
from dialer.work.transfers import accept_transfer
from tests.audit_lines import audit_lines
from tests.work.bureau import Bureau, seen


@pytest.fixture
def case_id(bureau: Bureau) -> int:
    return bureau.case_with_unit("临河分局", grade=Grade.MEDIUM)


def revision(bureau: Bureau, case_id: int) -> int:
    return revision_of(bureau.services, case_id)


def test_call_now_makes_the_attempt_due(bureau: Bureau, case_id: int):
    call_now(seen(bureau, case_id, 1))
    assert revision(bureau, case_id) == 2
    assert bureau.case_of(case_id).robot.reason == "on_request"
    assert ("dial",) in bureau.enqueued
    assert bureau.audited() == ["call_now"]


def test_the_second_of_two_pages_gets_a_conflict_that_names_the_first(bureau: Bureau, case_id: int):
    close_case(seen(bureau, case_id, 1), OutcomeKind.MISMATCH, why="号码错误")
    with pytest.raises(Overtaken) as conflict:
        call_now(seen(bureau, case_id, 1, by="wang"))
    assert (conflict.value.who, conflict.value.what) == ("li", "closed")
    assert bureau.case_of(case_id).status is CaseStatus.CLOSED
    assert bureau.acts_of(case_id) == ["closed"]


def test_a_change_by_the_robot_is_a_conflict_without_a_name(bureau: Bureau, case_id: int):
    bureau.change_case(case_id, revision=7)
    with pytest.raises(Overtaken) as conflict:
        call_now(seen(bureau, case_id, 6, by="wang"))
    assert (conflict.value.who, conflict.value.what) == ("", "open")


def test_what_happened_since_a_page_was_shown(bureau: Bureau, case_id: int):
    shown = bureau.clock.now()
    bureau.later(seconds=5)
    note_case(bureau.services, unrestricted("li"), case_id, words="家属来电")
    (entry,) = changed_since(bureau.services, case_id, since=shown)
    assert (entry.by, entry.facts["act"]) == ("li", "note")


def test_a_grade_rises_freely_and_falls_with_a_reason(bureau: Bureau, case_id: int):
    change_grade(seen(bureau, case_id, 1), Grade.HIGH)
    assert bureau.case_of(case_id).grade is Grade.HIGH
    now = revision(bureau, case_id)
    with pytest.raises(Invalid):
        change_grade(seen(bureau, case_id, now), Grade.LOW)
    change_grade(seen(bureau, case_id, now), Grade.LOW, why="已核实为误报")
    assert bureau.case_of(case_id).grade is Grade.LOW
    assert bureau.acts_of(case_id) == ["grade_raised", "grade_lowered"]
    assert [row["why"] for row in audit_lines(bureau.services.store)] == [
        "",
        "已核实为误报",
    ]
    with pytest.raises(Invalid):
        change_grade(seen(bureau, case_id, revision(bureau, case_id)), Grade.LOW, why="x")


def test_a_person_is_asked_for_once(bureau: Bureau, case_id: int):
    ask_person(seen(bureau, case_id, 1), Track.VISIT)
    assert bureau.assignment_of(case_id, Track.VISIT)["unit_id"] == bureau.unit["临河分局"]
    assert acts_allowed(bureau.case_of(case_id))[CaseAct.ASK_OFFICER] is ActRefusal.UNDER_WAY
    with pytest.raises(Conflict) as conflict:
        ask_person(seen(bureau, case_id, revision(bureau, case_id)), Track.VISIT)
    assert conflict.value.current == ActRefusal.UNDER_WAY


def test_a_duplicate_names_the_case_that_stays(bureau: Bureau, case_id: int):
    other = bureau.case_with_unit("临河分局")
    with pytest.raises(Invalid):
        mark_duplicate(seen(bureau, case_id, 1), of=case_id)
    with pytest.raises(NotFound):
        mark_duplicate(seen(bureau, case_id, 1), of=999)
    mark_duplicate(seen(bureau, case_id, 1), of=other)
    assert bureau.case_of(case_id).outcome is OutcomeKind.DUPLICATE
    assert bureau.acts_of(case_id) == ["duplicate"]
    # The other way round, from a second tab: of the two nobody would work either.
    with pytest.raises(Invalid) as refusal:
        mark_duplicate(seen(bureau, other, 1), of=case_id)
    assert refusal.value.field == "of"
    assert bureau.case_of(other).status is CaseStatus.OPEN


def test_opt_out_stops_the_robot_and_needs_a_reason(bureau: Bureau, case_id: int):
    with pytest.raises(Invalid):
        opt_out(seen(bureau, case_id, 1), why="")
    opt_out(seen(bureau, case_id, 1), why="当事人要求")
    assert bureau.case_of(case_id).opted_out
    assert acts_allowed(bureau.case_of(case_id))[CaseAct.CALL_NOW] in {
        ActRefusal.OPTED_OUT,
        ActRefusal.NOT_OPEN,
    }


def test_a_case_is_not_closed_as_a_success(bureau: Bureau, case_id: int):
    with pytest.raises(Conflict):
        close_case(seen(bureau, case_id, 1), OutcomeKind.DISSUADED_BY_PHONE, why="x")
    assert bureau.case_of(case_id).status is CaseStatus.OPEN
    assert bureau.acts_of(case_id) == []


def test_a_closed_case_allows_only_a_note(bureau: Bureau, case_id: int):
    close_case(seen(bureau, case_id, 1), OutcomeKind.MISMATCH, why="号码错误")
    assert [act for act, bar in acts_allowed(bureau.case_of(case_id)).items() if bar is None] == [
        CaseAct.NOTE
    ]
    note_case(bureau.services, unrestricted("li"), case_id, words="后来家属来电")
    with bureau.tx() as tx:
        assert [word.words for word in words_of_case(tx, case_id)] == ["号码错误", "后来家属来电"]


def test_handing_over_asks_for_acceptance_of_open_work(bureau: Bureau):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    transfer_case(seen(bureau, case_id, 1), to_unit_id=bureau.unit["五原分局"], why="住址在五原")
    assert bureau.row_of(case_id)["unit_id"] == bureau.unit["临河分局"]
    with bureau.tx() as tx:
        asked = waiting_transfers(tx, into=bureau.unit["五原分局"])
    assert len(asked) == 2
    accept_transfer(bureau.services, unrestricted("wang"), asked[0].id)
    assert bureau.row_of(case_id)["unit_id"] == bureau.unit["五原分局"]


def test_handing_over_without_open_work_is_done_at_once(bureau: Bureau, case_id: int):
    transfer_case(seen(bureau, case_id, 1), to_unit_id=bureau.unit["五原分局"], why="住址")
    assert bureau.row_of(case_id)["unit_id"] == bureau.unit["五原分局"]
    assert bureau.acts_of(case_id) == ["unit_changed"]
    with pytest.raises(Conflict):
        transfer_case(
            seen(bureau, case_id, revision(bureau, case_id)), to_unit_id=bureau.unit["五原分局"], why="x"
        )


def test_handing_over_asks_only_for_the_work_that_the_unit_does_not_have(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    above, visit = bureau.unit["临河分局"], bureau.assignment_of(case_id, Track.VISIT)["id"]
    escalated = sa.update(t.assignment).values(unit_id=above, unit="临河分局", raises=1)
    bureau.do(escalated.where(t.assignment.c.id == visit))
    transfer_case(seen(bureau, case_id, 1), to_unit_id=above, why="由分局办理")
    with bureau.tx() as tx:
        [asked] = waiting_transfers(tx, into=above)
    assert asked.assignment_id == bureau.assignment_of(case_id)["id"]
    accept_transfer(bureau.services, unrestricted("wang"), asked.id)
    assert bureau.row_of(case_id)["unit_id"] == above


def test_a_case_whose_work_that_unit_has_is_handed_over_at_once(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    above = bureau.unit["临河分局"]
    bureau.do(sa.update(t.assignment).values(unit_id=above, unit="临河分局", raises=1))
    transfer_case(seen(bureau, case_id, 1), to_unit_id=above, why="由分局办理")
    assert bureau.row_of(case_id)["unit_id"] == above
    assert bureau.acts_of(case_id) == ["unit_changed"]


def test_an_unknown_case_is_not_found(bureau: Bureau):
    for act in (
        lambda: revision(bureau, 9),
        lambda: call_now(seen(bureau, 9, 1)),
        lambda: note_case(bureau.services, unrestricted("li"), 9, words="x"),
    ):
        with pytest.raises(NotFound):
            act()
