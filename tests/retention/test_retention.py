"""What is past its period goes by itself, kind by kind, and stays for a legal hold; the figures stay."""

from __future__ import annotations

import os
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from dialer.audit.trail import check_new_lines, read_trail_state, verify_trail
from dialer.backup.actions import Installation, make_backup, restore_backup
from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.audit import begin_chain, write_audit
from dialer.figures.report import make_report
from dialer.retention.erasure import lift_legal_hold, place_legal_hold
from dialer.retention.retention import (
    RetentionKind,
    RetentionState,
    apply_retention,
    delete_reject_files,
    expire_restored,
    is_retention_due,
    read_retention_states,
)
from dialer.runtime.sections import RetentionSettings
from tests.control.scene import Scene
from tests.outcomes.town import MORNING
from tests.retention.person import LANDLINE, blinds_of, found_by, holding, opened, put_person

PERIODS = RetentionSettings(
    sessions_days=1,
    kept_reports_days=3,
    rejected_rows_days=10,
    recordings_days=15,
    photos_days=20,
    evidence_files_days=25,
    conversations_days=30,
    filed_records_days=60,
    persons_days=70,
    inbound_calls_days=40,
    audit_days=0,
)
OVER = timedelta(days=8)
"""After this the case is over."""
EVER = MORNING + timedelta(days=4000)


@pytest.fixture
def her_case(scene: Scene) -> int:
    case_id = put_person(scene)
    known = {"login": "li", "display_name": "李", "role": "caller", "language": "zh", "created_by": "li"}
    staff = scene.put(
        t.staff, **known, password_hash="x", must_change=False, created_at=MORNING, password_at=MORNING
    )
    times = dict.fromkeys(("created_at", "seen_at", "expires_at"), MORNING)
    session = {"staff_id": staff, "token_hash": b"x" * 32, "address": ""}
    scene.put(t.staff_session, **session, **times)
    scene.approve(scene.rows(sa.select(t.outcome.c.id))[0]["id"])
    scene.put(t.kept_report, asked="x", at=MORNING, report={})
    put_calls_in(scene, case_id)
    return case_id


def put_calls_in(scene: Scene, case_id: int) -> None:
    """Three that arrived long ago: one without a case, one of hers, and one whose end was never told."""
    task = scene.rows(sa.select(t.assignment.c.id).where(t.assignment.c.case_id == case_id))
    ended = {"state": "ended", "result": "no_case", "ended_at": MORNING}
    told = {"arrived_at": MORNING, "arrived_real_at": MORNING, "drill": False}
    scene.put(t.inbound_call, id=uuid.uuid4(), sid="CA1", **ended, **told)
    scene.put(
        t.inbound_call,
        id=uuid.uuid4(),
        sid="CA2",
        case_id=case_id,
        assignment_id=task[0]["id"],
        **(ended | {"result": "gave_up"}),
        **told,
    )
    scene.put(t.inbound_call, id=uuid.uuid4(), sid="CA3", state="asking", **told)


def standing(scene: Scene, periods: RetentionSettings = PERIODS) -> dict[RetentionKind, RetentionState]:
    return {
        retention_state.kind: retention_state
        for retention_state in read_retention_states(scene.services, periods)
    }


def gone(scene: Scene, at: datetime) -> dict[RetentionKind, int]:
    scene.clock.set(at)
    return {kind: count for kind, count in apply_retention(scene.services, PERIODS).items() if count}


def test_each_kind_is_kept_a_day_before_its_period_ends_and_gone_a_day_after(scene: Scene, her_case: int):
    before = make_report(scene.services)
    whole = holding(scene)
    steps = (
        (RetentionKind.SESSIONS, MORNING, 1, 1),
        (RetentionKind.KEPT_REPORTS, MORNING, 3, 1),
        (RetentionKind.REJECTED_ROWS, MORNING, 10, 3),
        (RetentionKind.RECORDINGS, MORNING, 15, 1),
        (RetentionKind.PHOTOS, MORNING + OVER, 20, 1),
        (RetentionKind.EVIDENCE_FILES, MORNING + OVER, 25, 1),
        (RetentionKind.CONVERSATIONS, MORNING + OVER, 30, 1),
        (RetentionKind.INBOUND_CALLS, MORNING, 40, 1),
        (RetentionKind.FILED_RECORDS, MORNING, 60, 2),
        (RetentionKind.PERSONS, MORNING + OVER, 70, 1),
    )
    for kind, since, days, count in steps:
        assert gone(scene, since + timedelta(days=days - 0.5)) == {}, kind
        scene.clock.set(since + timedelta(days=days + 0.5))
        now = standing(scene)[kind]
        assert (now.past, now.oldest_at, now.held) == (count, since, 0)
        assert gone(scene, since + timedelta(days=days + 0.5)) == {kind: count}
        assert standing(scene)[kind].past == 0
        if kind is RetentionKind.CONVERSATIONS:
            said = holding(scene)
            files = {"visit_photo.sealed", "evidence_file.sealed", "recording.sealed"}
            assert said == whole - files - {"list_reject.sealed"}, "notes of people stay"
            assert len(opened(scene)["event.sealed"]) < 10
            assert len(found_by(scene)) == 4
    assert (holding(scene), found_by(scene), blinds_of(scene)) == ({"person.sealed"}, [], set())
    assert opened(scene)["person.sealed"].count(LANDLINE) == 1, "her neighbour's: the case is open"
    acts = scene.rows(sa.select(t.audit.c.facts).where(t.audit.c.act == "retention"))
    assert [act["facts"]["kind"] for act in acts] == [kind.value for kind, *_ in steps]
    assert acts[-1]["facts"]["persons"]
    assert gone(scene, EVER) == {}, "open cases are never past"
    scene.clock.set(MORNING)
    assert make_report(scene.services) == before


def test_a_legal_hold_keeps_everything_of_the_person(scene: Scene, her_case: int):
    place_legal_hold(scene.services, unrestricted("sun"), her_case, why="检察院调卷")
    before = holding(scene)
    assert gone(scene, EVER) == {
        RetentionKind.SESSIONS: 1,
        RetentionKind.KEPT_REPORTS: 1,
        RetentionKind.REJECTED_ROWS: 1,
        RetentionKind.FILED_RECORDS: 1,
        RetentionKind.INBOUND_CALLS: 1,
    }
    assert holding(scene) == before
    held = {kind: one.held for kind, one in standing(scene).items() if one.held}
    kinds = (
        RetentionKind.RECORDINGS,
        RetentionKind.PHOTOS,
        RetentionKind.EVIDENCE_FILES,
        RetentionKind.CONVERSATIONS,
        RetentionKind.FILED_RECORDS,
        RetentionKind.PERSONS,
    )
    assert held == dict.fromkeys(kinds, 1)
    lift_legal_hold(scene.services, unrestricted("sun"), her_case, why="案件已结")
    after = gone(scene, EVER + timedelta(hours=1))
    assert after[RetentionKind.REJECTED_ROWS] == 2
    assert after[RetentionKind.PERSONS] == 1
    assert holding(scene) == {"person.sealed"}


def test_whom_something_needs_stays(scene: Scene, her_case: int):
    """A later case that is watched, a filed case that may be theirs, amounts that wait for a second person."""
    person_id = scene.rows(sa.select(t.case.c.person_id).where(t.case.c.id == her_case))[0]["person_id"]
    watched = scene.case(person_id=person_id, status=CaseStatus.WATCHING)
    doubtful = sa.update(t.filed_match).where(t.filed_match.c.state == "certain")
    scene.do(doubtful.values(state="doubtful"))
    amount = scene.outcome(her_case, returned_fen=100, evidence_sealed=b"-")
    assert RetentionKind.PERSONS not in gone(scene, EVER)
    scene.change_case(watched, status="proven", due_at=None, settled_at=MORNING)
    assert standing(scene)[RetentionKind.PERSONS].past == 0
    scene.do(sa.update(t.filed_match).where(t.filed_match.c.state == "doubtful").values(state="certain"))
    assert standing(scene)[RetentionKind.PERSONS].past == 0, "her amount waits for approval"
    scene.approve(amount)
    assert gone(scene, EVER + timedelta(hours=1))[RetentionKind.PERSONS] == 1


def test_a_success_without_a_call_whose_task_is_over_keeps_nobody(scene: Scene, her_case: int):
    """It can be approved no more: such lines from before the end of a task reversed them are still there."""
    work = scene.assignment(her_case, state="done", done_by="li", outcome="refuses", done_at=MORNING)
    scene.outcome(her_case, reason="no_call", assignment_id=work, evidence_sealed=b"-")
    assert scene.rows(sa.select(t.outcome_waiting))
    assert gone(scene, EVER)[RetentionKind.PERSONS] == 1


def test_a_round_that_ended_in_the_middle_goes_on(scene: Scene):
    for _ in range(60):
        scene.case(status=CaseStatus.CLOSED, warning=False)
    scene.clock.set(EVER)
    services = scene.services
    done = apply_retention(services, PERIODS, pause=lambda _seconds: True)
    while is_retention_due(services, PERIODS):
        last = standing(scene)[RetentionKind.PERSONS].last
        for kind, count in apply_retention(services, PERIODS, pause=lambda _seconds: True).items():
            done[kind] = done.get(kind, 0) + count
            if kind is RetentionKind.PERSONS:
                assert count in {50, 10}
                assert last is None or not last.is_over
    assert done[RetentionKind.PERSONS] == 60
    last = standing(scene)[RetentionKind.PERSONS].last
    assert last is not None
    assert (last.count, last.is_over) == (60, True)
    assert apply_retention(services, PERIODS) == {}, "looked at within the hour"
    with scene.tx() as tx:
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(0x7265746E)))
        assert apply_retention(services, PERIODS, at_once=True) == {}, "another process works at it"


def test_a_restored_backup_holds_nothing_that_is_past_its_period(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    make_backup(old, tmp_path / "one.backup", real_now=MORNING)

    def expire(act: OpenAct) -> dict[RetentionKind, int]:
        assert act.now == EVER
        return expire_restored(act, PERIODS, real_now=EVER)

    made = restore_backup(
        new, tmp_path / "one.backup", real_now=EVER, actor=unrestricted("li"), expire=expire
    )
    assert made.plain()["expired"][RetentionKind.PERSONS] == 1
    again = Scene(new.database_url)
    assert (holding(again), found_by(again), blinds_of(again)) == ({"person.sealed"}, [], set())
    assert verify_trail(again.services).findings == ()
    again.close()


def test_spreadsheets_of_rejected_rows_go_with_the_rows(scene: Scene, her_case: int, tmp_path: Path):
    load = scene.rows(sa.select(t.list_load.c.id))[0]["id"]
    old, new = (MORNING - timedelta(days=11)).timestamp(), MORNING.timestamp()
    names = {
        f"load-{load}.xlsx": old,
        "load-999.xlsx": old,
        "load-998.xlsx": new,
        "filed-a.xlsx": old,
        "x.xlsx": old,
    }
    for name, at in names.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert delete_reject_files(scene.services, PERIODS, tmp_path) == 2
    assert {path.name for path in tmp_path.iterdir()} == {f"load-{load}.xlsx", "load-998.xlsx", "x.xlsx"}
    assert delete_reject_files(scene.services, PERIODS, tmp_path / "none") == 0


LONG_AGO = MORNING - timedelta(days=2000)
"""The database itself keeps lines that are younger than half a year by its own clock."""


def _write(scene: Scene, count: int, *, at: datetime, subject: str = "case/99") -> None:
    for _ in range(count):
        with scene.tx() as tx:
            write_audit(tx, who="li", act="reveal", subject=subject, why="x", now=at)


def _audit(days: int) -> RetentionSettings:
    return RetentionSettings(persons_days=0, audit_days=days)


def _trim(scene: Scene, days: int) -> int:
    done = apply_retention(scene.services, _audit(days), at_once=True)
    assert verify_trail(scene.services).findings == ()
    return done[RetentionKind.AUDIT]


def test_the_audit_is_shortened_by_checkpoints_and_stays_whole(scene: Scene):
    scene.do(sa.text("ALTER TABLE audit DISABLE TRIGGER chained"))
    for number in range(3):
        row = {"at": LONG_AGO, "who": "li", "act": "x", "subject": f"case/{number}", "why": "", "facts": {}}
        scene.do(sa.insert(t.audit).values(**row))
    with scene.tx() as tx:
        begin_chain(tx, now=LONG_AGO)
    _write(scene, 4, at=LONG_AGO)
    _write(scene, 3, at=MORNING)
    assert _trim(scene, 2001) == 0
    case_id = scene.case(status=CaseStatus.CLOSED)
    _write(scene, 1, at=LONG_AGO, subject=f"case/{case_id}")
    place_legal_hold(scene.services, unrestricted("sun"), case_id, why="调卷")
    assert standing(scene, _audit(1999))[RetentionKind.AUDIT].past == 8
    assert _trim(scene, 1999) == 8, "three from before the chain and five of it"
    numbers = [row["number"] for row in scene.rows(sa.select(t.audit.c.number).order_by(t.audit.c.number))]
    assert numbers[0] == 6
    assert None not in numbers
    assert check_new_lines(scene.services).findings == ()
    assert _trim(scene, 1999) == 0


def test_an_audit_line_of_a_held_person_keeps_what_follows_it(scene: Scene):
    case_id = scene.case(status=CaseStatus.CLOSED)
    _write(scene, 2, at=LONG_AGO)
    _write(scene, 1, at=LONG_AGO, subject=f"case/{case_id}")
    _write(scene, 2, at=LONG_AGO)
    place_legal_hold(scene.services, unrestricted("sun"), case_id, why="调卷")
    now = standing(scene, _audit(1999))[RetentionKind.AUDIT]
    assert (now.past, now.held) == (2, 3)
    assert _trim(scene, 1999) == 2
    lift_legal_hold(scene.services, unrestricted("sun"), case_id, why="已结")
    assert _trim(scene, 1999) == 3


def test_the_database_keeps_lines_that_no_checkpoint_lets_go_and_young_ones(scene: Scene):
    _write(scene, 3, at=LONG_AGO)
    _write(scene, 1, at=MORNING)
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        scene.do(sa.delete(t.audit).where(t.audit.c.number == 1))
    assert _trim(scene, 1999) == 3
    with scene.tx() as tx:
        facts = {"through": 99, "chain": ""}
        write_audit(tx, who="li", act="audit_checkpoint", subject="audit", why="", now=MORNING, facts=facts)
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        scene.do(sa.delete(t.audit).where(t.audit.c.number == 4))


def test_a_damaged_audit_is_not_shortened(scene: Scene):
    _write(scene, 3, at=LONG_AGO)
    _write(scene, 1, at=MORNING)
    scene.do(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
    scene.do(sa.update(t.audit).where(t.audit.c.number == 2).values(who="other"))
    scene.do(sa.text("ALTER TABLE audit ENABLE ALWAYS TRIGGER append_only"))
    check_new_lines(scene.services)
    with scene.tx() as tx:
        assert read_trail_state(tx).found == 1
    assert apply_retention(scene.services, _audit(1999))[RetentionKind.AUDIT] == 0


def test_the_audit_is_kept_for_half_a_year_at_least():
    assert RetentionSettings(audit_days=180).audit_days == 180
    for days in (1, 179):
        with pytest.raises(ValidationError):
            RetentionSettings(audit_days=days)
