"""Acts of a phone: each counts once, in any order and however often it is sent, and no text is lost."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.cases.store import words_of_case
from dialer.core.access import unrestricted
from dialer.core.case import AssignmentState, PersonMet, VisitStage
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.values import Contact, Grade, OutcomeKind, Track
from dialer.db import tables as t
from dialer.outcomes.evidence_files import reveal_file
from dialer.work.tasks import (
    NotArrived,
    WorkReport,
    release_assignment,
    report_assignment,
    return_idle_assignments,
    sign_assignment,
)
from dialer.work.transfers import accept_transfer, transfer_assignment
from dialer.work.visit_store import StoredPhoto, photos_of_case
from dialer.work.visits import (
    PhoneAct,
    add_photo,
    note_visit,
    record_person_met,
    report_visit,
    take_step,
)
from tests.core.pictures import SECRET, jpeg
from tests.work.bureau import Bureau

DISSUADED = WorkReport(outcome=OutcomeKind.DISSUADED_IN_PERSON, contact=Contact.VERIFIED, note="已劝阻")
PHOTO = jpeg(orientation=6, colours=b"colours")


def phone(by: str = "officer") -> PhoneAct:
    return PhoneAct(client_id=uuid.uuid4(), actor=unrestricted(by))


def arrives(bureau: Bureau, visit: int, by: str = "officer") -> None:
    take_step(bureau.services, visit, VisitStage.ARRIVED, phone=phone(by))


def photos(bureau: Bureau, case_id: int) -> list[StoredPhoto]:
    with bureau.tx() as tx:
        return photos_of_case(tx, case_id)


@pytest.fixture
def case_id(bureau: Bureau) -> int:
    return bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)


@pytest.fixture
def visit(bureau: Bureau, case_id: int) -> int:
    return int(bureau.assignment_of(case_id, Track.VISIT)["id"])


def test_a_visit_from_the_phone_to_the_report(bureau: Bureau, case_id: int, visit: int):
    for stage in (VisitStage.ACCEPTED, VisitStage.ON_THE_WAY, VisitStage.ARRIVED):
        bureau.later(seconds=60)
        assert take_step(bureau.services, visit, stage, phone=phone()).stage is stage
    row = bureau.assignment_of(case_id, Track.VISIT)
    assert (row["state"], row["signed_by"]) == ("signed", "officer")
    assert record_person_met(bureau.services, visit, PersonMet.PERSON, phone=phone()).stage is VisitStage.SEEN
    note_visit(bureau.services, visit, phone=phone(), words="正在转账")
    add_photo(bureau.services, visit, phone=phone(), content=PHOTO)
    sent = report_visit(bureau.services, visit, DISSUADED, phone=phone())
    assert (sent.repeated, sent.state) == (False, AssignmentState.DONE)
    assert bureau.case_of(case_id).outcome is OutcomeKind.DISSUADED_IN_PERSON
    assert bureau.acts_of(case_id) == [
        "visit_accepted",
        "visit_on_the_way",
        "visit_arrived",
        "visit_seen",
        "visit_note",
        "visit_photo",
        "note",
    ]


def test_everything_sent_twice_counts_once(bureau: Bureau, case_id: int, visit: int):
    number = [phone() for _ in range(5)]

    def send_all() -> list[bool]:
        return [
            take_step(bureau.services, visit, VisitStage.ARRIVED, phone=number[0]).repeated,
            record_person_met(
                bureau.services, visit, PersonMet.FAMILY, phone=number[1], note="母亲在家"
            ).repeated,
            note_visit(bureau.services, visit, phone=number[2], words="记录").repeated,
            add_photo(bureau.services, visit, phone=number[3], content=PHOTO).repeated,
            report_visit(bureau.services, visit, DISSUADED, phone=number[4]).repeated,
        ]

    assert send_all() == [False] * 5
    before = bureau.acts_of(case_id)
    assert send_all() == [True] * 5
    assert bureau.acts_of(case_id) == before
    assert len(bureau.rows(sa.select(t.outcome).where(t.outcome.c.assignment_id == visit))) == 1
    assert len(photos(bureau, case_id)) == 1


def test_a_repeated_report_gives_the_same_outcome(bureau: Bureau, visit: int):
    arrives(bureau, visit)
    number = phone()
    first = report_visit(bureau.services, visit, DISSUADED, phone=number)
    assert report_visit(bureau.services, visit, DISSUADED, phone=number).outcome_id == first.outcome_id


@pytest.mark.parametrize(
    "content",
    [
        '{"outcome":"dissuaded_in_person","contact":"verified","note":"已劝阻"}',
        (
            "\"Report(outcome=<OutcomeKind.DISSUADED_IN_PERSON: 'dissuaded_in_person'>, "
            "contact=<Contact.VERIFIED: 'verified'>, amounts=Amounts(intended_fen=0, stopped_fen=0, returned_fen=0), "
            "evidence='', note='已劝阻')\""
        ),
    ],
)
def test_a_report_of_an_earlier_version_is_recognised(bureau: Bureau, visit: int, content: str):
    arrives(bureau, visit)
    number = phone()
    first = report_visit(bureau.services, visit, DISSUADED, phone=number)
    digest = hashlib.sha256(f'[{visit},"report",{content}]'.encode()).digest()
    with bureau.tx() as tx:
        tx.execute(sa.update(t.sent_act).where(t.sent_act.c.outcome_id.is_not(None)).values(digest=digest))
    assert report_visit(bureau.services, visit, DISSUADED, phone=number).outcome_id == first.outcome_id
    with pytest.raises(Conflict):
        report_visit(bureau.services, visit, replace(DISSUADED, note="未劝阻"), phone=number)


def test_the_same_act_sent_at_once_from_two_connections_counts_once(bureau: Bureau, case_id: int, visit: int):
    number = phone()
    with ThreadPoolExecutor(max_workers=2) as pool:
        sent = list(
            pool.map(lambda _: note_visit(bureau.services, visit, phone=number, words="一次"), range(2))
        )
    assert sorted(one.repeated for one in sent) == [False, True]
    assert bureau.acts_of(case_id) == ["visit_note"]


def test_an_act_number_is_used_for_one_act(bureau: Bureau, visit: int):
    number = phone()
    note_visit(bureau.services, visit, phone=number, words="一")
    with pytest.raises(Conflict):
        note_visit(bureau.services, visit, phone=number, words="二")


def test_an_act_on_a_visit_of_another_unit_is_refused(bureau: Bureau, case_id: int, visit: int):
    there = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("wang", unit_id=bureau.unit["五原分局"]))
    for act in (
        lambda: take_step(bureau.services, visit, VisitStage.ACCEPTED, phone=there),
        lambda: record_person_met(bureau.services, visit, PersonMet.PERSON, phone=there),
        lambda: note_visit(bureau.services, visit, phone=there, words="x"),
        lambda: add_photo(bureau.services, visit, phone=there, content=PHOTO),
        lambda: report_visit(bureau.services, visit, DISSUADED, phone=there),
    ):
        with pytest.raises(NotFound):
            act()
    assert bureau.acts_of(case_id) == []
    assert bureau.rows(sa.select(t.sent_act)) == []
    here = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("officer", unit_id=bureau.unit["临河分局"]))
    assert take_step(bureau.services, visit, VisitStage.ACCEPTED, phone=here).stage is VisitStage.ACCEPTED


def test_a_sender_of_an_act_still_sees_a_transferred_visit(bureau: Bureau, visit: int):
    here, there = bureau.unit["临河分局"], bureau.unit["五原分局"]
    note_visit(
        bureau.services,
        visit,
        phone=PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("officer", unit_id=here)),
        words="一",
    )
    later = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("officer", unit_id=there))
    assert not note_visit(bureau.services, visit, phone=later, words="二").repeated


def test_late_steps_move_nothing_back(bureau: Bureau, case_id: int, visit: int):
    take_step(bureau.services, visit, VisitStage.ARRIVED, phone=phone())
    sent = take_step(bureau.services, visit, VisitStage.ON_THE_WAY, phone=phone())
    assert sent.stage is VisitStage.ARRIVED
    assert bureau.acts_of(case_id) == ["visit_arrived", "visit_on_the_way"]


def test_the_phone_s_own_time_is_kept_as_a_fact(bureau: Bureau, case_id: int, visit: int):
    told_at = bureau.clock.now() - timedelta(minutes=7)
    number = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("officer"), told_at=told_at)
    take_step(bureau.services, visit, VisitStage.ARRIVED, phone=number)
    (row,) = bureau.rows(sa.select(t.event).where(t.event.c.case_id == case_id))
    assert (row["at"], row["facts"]["told_at"]) == (bureau.clock.now(), told_at.isoformat())


def test_the_refusal_names_the_officer_who_has_the_visit(bureau: Bureau, case_id: int, visit: int):
    take_step(bureau.services, visit, VisitStage.ACCEPTED, phone=phone("zhao"))
    with pytest.raises(Overtaken) as conflict:
        take_step(bureau.services, visit, VisitStage.ARRIVED, phone=phone("wang"))
    assert conflict.value.who == "zhao"
    record_person_met(bureau.services, visit, PersonMet.NEIGHBOUR, phone=phone("wang"), note="邻居说已外出")
    row = bureau.assignment_of(case_id, Track.VISIT)
    assert (row["signed_by"], row["stage"]) == ("zhao", "accepted")
    with bureau.tx() as tx:
        assert [word.words for word in words_of_case(tx, case_id)] == ["邻居说已外出"]


@pytest.mark.parametrize("is_transferred", [True, False])
def test_an_officer_who_takes_over_has_to_arrive_too(
    bureau: Bureau, case_id: int, visit: int, *, is_transferred: bool
):
    arrives(bureau, visit)
    if is_transferred:
        asked = transfer_assignment(
            bureau.services, unrestricted("officer"), visit, to_unit_id=bureau.unit["五原分局"], why="moved"
        )
        accept_transfer(bureau.services, unrestricted("other"), asked)
    else:
        release_assignment(bureau.services, unrestricted("officer"), visit, why="ill")
        sign_assignment(bureau.services, unrestricted("other"), visit)
    with pytest.raises(NotArrived):
        report_assignment(bureau.services, unrestricted("other"), visit, DISSUADED)
    arrives(bureau, visit, by="other")
    report_assignment(bureau.services, unrestricted("other"), visit, DISSUADED)


def test_text_sent_after_the_end_is_kept(bureau: Bureau, case_id: int, visit: int):
    """Reached by phone while the officer had no connection: what he wrote and photographed stays."""
    take_step(bureau.services, visit, VisitStage.ARRIVED, phone=phone())
    bureau.talked(bureau.assignment_of(case_id)["id"])
    report_assignment(
        bureau.services,
        unrestricted("li"),
        bureau.assignment_of(case_id)["id"],
        WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE),
    )
    sent = note_visit(bureau.services, visit, phone=phone(), words="门口记录")
    assert sent.state is AssignmentState.WITHDRAWN
    add_photo(bureau.services, visit, phone=phone(), content=PHOTO)
    number = phone()
    for _ in range(2):
        with pytest.raises(Overtaken):
            report_visit(bureau.services, visit, DISSUADED, phone=number)
    with bureau.tx() as tx:
        assert [word.words for word in words_of_case(tx, case_id)] == ["门口记录", "已劝阻"]
    assert bureau.case_of(case_id).outcome is OutcomeKind.DISSUADED_BY_PHONE
    assert len(photos(bureau, case_id)) == 1


def test_both_notes_of_two_conflicting_reports_are_kept(bureau: Bureau, case_id: int, visit: int):
    arrives(bureau, visit, "zhao")
    report_visit(bureau.services, visit, DISSUADED, phone=phone("zhao"))
    other = WorkReport(outcome=OutcomeKind.REFUSES, note="当面拒绝")
    with pytest.raises(Overtaken) as conflict:
        report_visit(bureau.services, visit, other, phone=phone("wang"))
    assert (conflict.value.who, conflict.value.what) == ("zhao", "dissuaded_in_person")
    with bureau.tx() as tx:
        assert [(word.by, word.words) for word in words_of_case(tx, case_id)] == [
            ("zhao", "已劝阻"),
            ("wang", "当面拒绝"),
        ]


def test_a_refused_report_may_be_corrected_and_sent_under_its_number(bureau: Bureau, visit: int):
    arrives(bureau, visit)
    number = phone()
    with pytest.raises(Conflict):
        report_visit(
            bureau.services,
            visit,
            WorkReport(outcome=OutcomeKind.DISSUADED_IN_PERSON, contact=Contact.UNVERIFIED),
            phone=number,
        )
    assert not report_visit(bureau.services, visit, DISSUADED, phone=number).repeated


@pytest.mark.parametrize("stage", [None, VisitStage.ACCEPTED, VisitStage.ON_THE_WAY])
def test_no_success_in_person_is_taken_before_the_arrival(
    bureau: Bureau, case_id: int, visit: int, stage: VisitStage | None
):
    if stage is not None:
        take_step(bureau.services, visit, stage, phone=phone())
    number = phone()
    for outcome in (OutcomeKind.DISSUADED_IN_PERSON, OutcomeKind.SAW_THROUGH_IT):
        with pytest.raises(NotArrived):
            report_visit(bureau.services, visit, WorkReport(outcome=outcome), phone=number)
    assert bureau.case_of(case_id).outcome is None
    assert bureau.rows(sa.select(t.outcome)) == []
    arrives(bureau, visit)
    assert not report_visit(bureau.services, visit, DISSUADED, phone=number).repeated


@pytest.mark.parametrize("stage", [None, VisitStage.ACCEPTED, VisitStage.ON_THE_WAY])
def test_nobody_is_met_before_the_arrival(bureau: Bureau, case_id: int, visit: int, stage: VisitStage | None):
    if stage is not None:
        take_step(bureau.services, visit, stage, phone=phone())
    before, number = bureau.acts_of(case_id), phone()
    with pytest.raises(NotArrived, match="then who was met"):
        record_person_met(bureau.services, visit, PersonMet.PERSON, phone=number, note="已见面")
    assert bureau.acts_of(case_id) == before
    with pytest.raises(NotArrived, match="a success in person"):
        report_visit(bureau.services, visit, DISSUADED, phone=phone())
    arrives(bureau, visit)
    # Nothing was lost: the phone sends it again under its number.
    sent = record_person_met(bureau.services, visit, PersonMet.PERSON, phone=number, note="已见面")
    assert (sent.repeated, sent.stage) == (False, VisitStage.SEEN)


def test_an_arrival_before_the_visit_lapsed_is_on_record(bureau: Bureau, case_id: int, visit: int):
    """The officer had no connection at the door: what the phone sends late is taken."""
    arrives(bureau, visit)
    bureau.later(hours=3)
    assert return_idle_assignments(bureau.services) == 1
    with pytest.raises(NotArrived):
        report_visit(bureau.services, visit, DISSUADED, phone=phone("other"))
    assert record_person_met(bureau.services, visit, PersonMet.PERSON, phone=phone()).stage is VisitStage.SEEN
    assert not report_visit(bureau.services, visit, DISSUADED, phone=phone()).repeated
    assert bureau.assignment_of(case_id, Track.VISIT)["done_by"] == "officer"


@pytest.mark.parametrize(
    "outcome",
    [
        OutcomeKind.CANNOT_FIND_YET,
        OutcomeKind.CANNOT_FIND,
        OutcomeKind.NOT_THE_PERSON,
        OutcomeKind.MISMATCH,
        OutcomeKind.LANGUAGE_OR_HEARING,
    ],
)
def test_a_result_that_reaches_nobody_verifies_nobody(
    bureau: Bureau, case_id: int, visit: int, outcome: OutcomeKind
):
    number, given = phone(), WorkReport(outcome=outcome, contact=Contact.VERIFIED)
    with pytest.raises(Invalid) as refused:
        report_visit(bureau.services, visit, given, phone=number)
    assert refused.value.field == "contact"
    assert bureau.rows(sa.select(t.outcome)) == []
    report_visit(bureau.services, visit, replace(given, contact=Contact.UNVERIFIED), phone=number)
    assert bureau.case_of(case_id).contact is Contact.UNVERIFIED


def test_a_report_over_the_officer_who_has_the_visit_by_now_is_kept_as_a_note(
    bureau: Bureau, case_id: int, visit: int
):
    arrives(bureau, visit)
    bureau.later(hours=3)
    assert return_idle_assignments(bureau.services) == 1
    take_step(bureau.services, visit, VisitStage.ACCEPTED, phone=phone("other"))
    number = phone()
    for _ in range(2):
        with pytest.raises(Overtaken) as conflict:
            report_visit(bureau.services, visit, DISSUADED, phone=number)
        assert conflict.value.who == "other"
    row = bureau.assignment_of(case_id, Track.VISIT)
    assert (row["state"], row["signed_by"]) == ("signed", "other")
    assert bureau.rows(sa.select(t.outcome)) == []
    with bureau.tx() as tx:
        assert [(word.by, word.words) for word in words_of_case(tx, case_id)] == [("officer", "已劝阻")]


def test_that_nobody_was_there_needs_no_arrival(bureau: Bureau, visit: int):
    given = WorkReport(outcome=OutcomeKind.CANNOT_FIND_YET)
    assert not report_visit(bureau.services, visit, given, phone=phone()).repeated


def test_each_step_keeps_the_visit_from_lapsing(bureau: Bureau, visit: int):
    take_step(bureau.services, visit, VisitStage.ACCEPTED, phone=phone())
    bureau.later(minutes=39)
    take_step(bureau.services, visit, VisitStage.ON_THE_WAY, phone=phone())
    bureau.later(minutes=29)
    assert return_idle_assignments(bureau.services) == 0
    bureau.later(minutes=2)
    assert return_idle_assignments(bureau.services) == 1


def test_a_photo_is_sealed_cleaned_and_seen_with_a_reason(bureau: Bureau, case_id: int, visit: int):
    number = phone()
    add_photo(bureau.services, visit, phone=number, content=PHOTO)
    (row,) = bureau.rows(sa.select(t.visit_photo))
    assert SECRET not in bytes(row["sealed"])
    assert b"colours" not in bytes(row["sealed"])
    why: dict[str, Any] = {"reason": "review", "why": "复核"}
    zhao = unrestricted("zhao")
    shown = reveal_file(bureau.services, zhao, number.client_id, case_id=case_id, **why)
    assert shown.media_type == "image/jpeg"
    assert b"colours" in shown.content
    assert SECRET not in shown.content
    assert bureau.audited() == ["view_photo"]
    for file_id, of in ((uuid.uuid4(), case_id), (number.client_id, case_id + 1)):
        with pytest.raises(NotFound):
            reveal_file(bureau.services, zhao, file_id, case_id=of, **why)


def test_the_number_of_photos_is_limited(bureau: Bureau, case_id: int, visit: int):
    for n in range(bureau.services.work.photos):
        add_photo(bureau.services, visit, phone=phone(), content=PHOTO + bytes([n]))
    with pytest.raises(Invalid):
        add_photo(bureau.services, visit, phone=phone(), content=PHOTO)
    with pytest.raises(Invalid):
        add_photo(bureau.services, visit, phone=phone(), content=b"GIF89a")


def test_a_human_call_is_not_a_visit(bureau: Bureau, case_id: int):
    with pytest.raises(Conflict):
        take_step(bureau.services, bureau.assignment_of(case_id)["id"], VisitStage.ACCEPTED, phone=phone())


@pytest.mark.parametrize("stage", [VisitStage.NONE, VisitStage.SEEN])
def test_a_step_is_one_of_three(bureau: Bureau, visit: int, stage: VisitStage):
    with pytest.raises(Invalid):
        take_step(bureau.services, visit, stage, phone=phone())
