"""A person is erased by two people and nowhere to be found afterwards, also in a backup of before; the figures stay."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.audit.trail import verify_trail
from dialer.backup.actions import Installation, make_backup, restore_backup
from dialer.calls.store import StoredEvents, store_call_events
from dialer.cases.erasing import CannotRegister, NoRegister, UnreadableRegister
from dialer.cases.persons import PersonSearch, find_person_ids, person_of_case
from dialer.cases.queries import conversation, read_case_words
from dialer.cases.store import Act, note_acts
from dialer.control.erasure import (
    ask_erasure,
    certificate_of,
    confirm_erasure,
    lift_legal_hold,
    list_erasures,
    list_legal_holds,
    place_legal_hold,
    refuse_erasure,
)
from dialer.control.reseal import INDEXES, SEALED
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.timeline import ActKind
from dialer.core.values import Contact
from dialer.db import tables as t
from dialer.outcomes.report import make_report
from tests.control.scene import Scene
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE

_LANDLINE = "+864782345678"
_SAID = "我儿子在银行"
_HERS = (NAME, PHONE.removeprefix("+86"), _LANDLINE.removeprefix("+86"), ID_NUMBER, _SAID)
_SOUGHT = (
    PersonSearch(name=NAME),
    PersonSearch(phone=PHONE),
    PersonSearch(last4=PHONE[-4:]),
    PersonSearch(id_number=ID_NUMBER),
)


@pytest.fixture
def her_case(scene: Scene) -> int:
    """A case that is over, of a person of whom every table holds something; her landline is her neighbour's too."""
    person_id = scene.person(name=NAME, phones=(PHONE, _LANDLINE), id_number=ID_NUMBER)
    scene.person(name="李", phones=(_LANDLINE,))
    case_id = scene.case(
        person_id=person_id, status=CaseStatus.PROVEN, contact=Contact.VERIFIED, warning=False
    )
    attempt_id = scene.attempt(case_id, result="answered")
    unit = scene.put(t.unit, name="一所", path=[1], id=1)
    load = scene.put(
        t.list_load, filename="x.csv", state="done", content_hash=b"x", size_bytes=1, created_at=MORNING
    )
    assignment = scene.assignment(case_id, state="done", done_by="li", outcome="dissuaded_by_phone")
    client_id = uuid.uuid4()

    with scene.tx() as tx:
        seal, record = tx.vault.seal, tx.vault.seal_record

        def put(table: sa.Table, **columns: object) -> Any:  # noqa: ANN401  # a row's key
            return tx.scalar(sa.insert(table).values(**columns).returning(next(iter(table.primary_key))))

        warning = scene.warning(case_id, person_id=person_id)
        facts = {"name": NAME, "phones": [PHONE], "id_number": ID_NUMBER, "remarks": _SAID}
        sealed = record(facts, table="warning", column="sealed", row=warning)
        tx.execute(sa.update(t.warning).where(t.warning.c.id == warning).values(sealed=sealed))
        talk = {"facts": {}, "personal": {"SpeechResult": _SAID, "collected": "5000"}}
        said = StoredEvents(attempt_id=attempt_id, case_id=case_id, step="1", kind="talk", **talk)  # type: ignore[arg-type]
        store_call_events(tx, [said], at=MORNING)
        note_acts(tx, [Act(case_id=case_id, kind=ActKind.NOTE, by="li", words=_SAID)], now=MORNING)
        evidence = {"table": "outcome", "column": "evidence_sealed", "row": f"case/{case_id}"}
        ledger = {
            "case_id": case_id,
            "kind": "dissuaded_by_phone",
            "contact": "verified",
            "reason": "reported",
        }
        amount = {"intended_fen": 5000_00, "evidence_sealed": seal(_SAID.encode(), **evidence)}  # type: ignore[arg-type]
        put(t.outcome, **ledger, **amount, recorded_by="li", at=MORNING, drill=False)
        why = {
            "table": "assignment_transfer",
            "column": "why_sealed",
            "row": f"{assignment}/{MORNING.isoformat()}",
        }
        put(
            t.assignment_transfer,
            assignment_id=assignment,
            to_unit_id=unit,
            state="accepted",
            by="li",
            answer=_SAID,
            answered_at=MORNING,
            at=MORNING,
            why_sealed=seal(_SAID.encode(), **why),
        )
        sent = {"client_id": client_id, "assignment_id": assignment}
        put(t.sent_act, **sent, digest=b"x", by="li", at=MORNING)
        photo = seal(_SAID.encode(), table="visit_photo", column="sealed", row=str(client_id))
        size = {"size_bytes": 9, "stripped_bytes": 0, "media_type": "image/jpeg"}
        put(t.visit_photo, **sent, **size, case_id=case_id, by="li", at=MORNING, sealed=photo)
        for line, cells in (
            (7, ["王", f" {PHONE[3:6]} {PHONE[6:10]}-{PHONE[10:]}"]),
            (8, ["0478-2345678", ""]),
            (9, ["别人", "13900000000"]),
        ):
            place = {"table": "list_reject", "column": "sealed", "row": f"{load}//{line}"}
            row = record({"raw": cells, "table": 0}, **place)
            put(
                t.list_reject,
                load_id=load,
                line=line,
                column="电话",
                reason="x",
                high_grade=False,
                sealed=row,
            )
        for number, name, state in (("A1", NAME, "certain"), ("A2", "别人", "rejected")):
            filed = {"name": name, "phones": [], "id_number": ""}
            kept = record(filed, table="filed_record", column="sealed", row=number)
            known = {"fraud_type": "loan", "unit": "", "source": "", "state": "warned", "drill": False}
            record_id = put(
                t.filed_record,
                case_number=number,
                sealed=kept,
                filed_at=MORNING,
                by="li",
                at=MORNING,
                **known,
            )
            decided = {"decided_by": "li", "decided_at": MORNING} if state == "rejected" else {}
            match_id = put(
                t.filed_match, record_id=record_id, person_id=person_id, score=99, state=state, **decided
            )
            reason = seal(_SAID.encode(), table="filed_match", column="why_sealed", row=match_id)
            tx.execute(
                sa.update(t.filed_match).where(t.filed_match.c.id == match_id).values(why_sealed=reason)
            )
        put(t.live_number, phone_blind=tx.vault.blind(PHONE, kind="phone"), free_at=MORNING)
        put(t.live_number, phone_blind=tx.vault.blind(_LANDLINE, kind="phone"), free_at=MORNING)
    return case_id


def _opened(scene: Scene) -> dict[str, str]:
    """All that opens of each sealed column, and what stands in clear beside it."""
    found = {}
    with scene.tx() as tx:
        for one in SEALED:
            rows = [row for row in tx.rows(sa.select(one.table)) if row[one.column] not in {None, b"-"}]
            place = {"table": one.table.name, "column": one.column}
            values = [tx.vault.open(row[one.column], **place, row=one.row(row)).decode() for row in rows]
            found[one.name] = "".join(values)
        found["answer"] = "".join(row["answer"] for row in tx.rows(sa.select(t.assignment_transfer)))
    return found


def _holding(scene: Scene) -> set[str]:
    texts = {name: text.replace(" ", "").replace("-", "") for name, text in _opened(scene).items()}
    return {name for name, text in texts.items() if any(word in text for word in _HERS)}


def _found(scene: Scene) -> list[int]:
    with scene.tx() as tx:
        return [one for sought in _SOUGHT for one in find_person_ids(tx, sought)]


def _blinds(scene: Scene) -> set[str]:
    """Tables that hold a blind index of hers alone."""
    with scene.tx() as tx:
        blind = tx.vault.blind
        hers = {
            blind(NAME, kind="name"),
            blind(PHONE, kind="phone"),
            blind(PHONE[-4:], kind="phone_last4"),
            blind(ID_NUMBER, kind="id_number"),
            *(blind(f"{NAME}\0{phone}", kind="name_phone") for phone in (PHONE, _LANDLINE)),
        }
        return {
            f"{table.name}.{name}"
            for table, name in INDEXES
            for row in tx.rows(sa.select(table.c[name]).where(table.c[name].in_(hers)))
        }


def test_nothing_of_the_person_opens_or_is_found_and_the_figures_stay(
    scene: Scene, her_case: int, tmp_path: Path
):
    register = tmp_path / "register"
    erased = {
        "person.sealed",
        "warning.sealed",
        "event.sealed",
        "outcome.evidence_sealed",
        "list_reject.sealed",
    }
    erased |= {"assignment_transfer.why_sealed", "filed_record.sealed", "filed_match.why_sealed"}
    assert _holding(scene) == erased | {"visit_photo.sealed", "answer"}
    assert len(_found(scene)) == 4
    assert _blinds(scene) == {f"{table.name}.{name}" for table, name in INDEXES}
    before = make_report(scene.services)

    asked = ask_erasure(scene.services, her_case, why="本人要求", by="li")
    assert len(_found(scene)) == 4
    with pytest.raises(Conflict, match="second person"):
        confirm_erasure(scene.services, asked.id, register=register, by="li")
    with pytest.raises(Conflict, match="nobody was erased"):
        certificate_of(scene.services, asked.id)
    made = confirm_erasure(scene.services, asked.id, register=register, by="zhao")

    # The landline is her neighbour's too, and a rejected row that holds it alone is erased.
    assert (_holding(scene), _found(scene), _blinds(scene)) == ({"person.sealed"}, [], set())
    assert _opened(scene)["person.sealed"].count(_LANDLINE) == 1
    assert not any(word in _opened(scene)["person.sealed"] for word in (NAME, PHONE, ID_NUMBER))
    assert "别人" in _opened(scene)["list_reject.sealed"]
    assert "别人" in _opened(scene)["filed_record.sealed"]
    assert scene.rows(sa.select(t.visit_photo)) == []
    assert make_report(scene.services) == before

    # What pages read of the case still opens.
    with scene.tx() as tx:
        person = person_of_case(tx, her_case)
        assert person is not None
        assert (person.name, person.phones, person.id_number) == ("", ("", ""), "")
        words = read_case_words(tx, her_case)
        assert (set(words.acts.values()), set(words.evidence.values())) == ({""}, {""})
        assert [one.speech for one in conversation(tx, her_case)] == [""]

    assert made.erasure.counts == {
        **dict.fromkeys(erased, 1),
        "event.sealed": 2,
        "filed_match.why_sealed": 2,
        "list_reject.sealed": 2,
        "assignment_transfer.why": 1,
        "visit_photo": 1,
        "person_phone": 2,
        "person_key": 2,
        "live_number": 1,
    }
    plain = made.plain()
    assert (plain["asked_by"], plain["decided_by"], plain["cases"]) == ("li", "zhao", [her_case])
    line = scene.rows(sa.select(t.audit).where(t.audit.c.number == plain["audit_number"]))[0]
    assert (line["act"], line["who"], line["facts"]["asked_by"]) == ("erase", "zhao", "li")
    assert verify_trail(scene.services).findings == ()
    assert not any(word in register.read_text() for word in _HERS)
    with pytest.raises(Conflict, match="erased already"):
        ask_erasure(scene.services, her_case, why="again", by="li")


def test_a_restored_backup_of_before_does_not_bring_the_person_back(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    register, file = tmp_path / "register", tmp_path / "before.backup"
    person_id = scene.rows(sa.select(t.case.c.person_id).where(t.case.c.id == her_case))[0]["person_id"]
    under_way = scene.open_case(person_id=person_id)
    make_backup(old, file, real_now=MORNING)
    scene.change_case(under_way, status="closed", due_at=None, robot_state="done")
    ended = {"state": "ended", "result": "no_answer"}
    scene.do(sa.update(t.attempt).where(t.attempt.c.case_id == under_way).values(**ended))
    asked = ask_erasure(scene.services, her_case, why="本人要求", by="li")
    confirm_erasure(scene.services, asked.id, register=register, by="zhao")
    line = register.read_text()

    for damaged in (line.replace('"zhao"', '"qian"'), line[:-20], "x"):
        register.write_text(damaged)
        with pytest.raises(UnreadableRegister):
            restore_backup(new, file, real_now=MORNING, by="li", register=register)
    with pytest.raises(NoRegister):
        restore_backup(new, file, real_now=MORNING, by="li", register=tmp_path / "none")
    register.write_text(line)
    restored = restore_backup(new, file, real_now=MORNING, by="li", register=register)

    assert restored.erased == 1
    again = Scene(new.database_url)
    assert (_holding(again), _found(again), _blinds(again)) == ({"person.sealed"}, [], set())
    assert not any(word in _opened(again)["person.sealed"] for word in (NAME, PHONE, ID_NUMBER))
    case = again.case_of(under_way)
    assert (case.status, again.attempt_of(under_way)["state"]) == (CaseStatus.CLOSED, "ended")
    made = certificate_of(again.services, list_erasures(again.services)[0].id)
    assert (made.erasure.asked_by, made.erasure.decided_by) == ("li", "zhao")
    assert verify_trail(again.services).findings == ()
    again.close()


def test_the_register_knows_a_person_from_a_later_one_with_the_same_id(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    """After a restore ids are given again."""
    register, file = tmp_path / "register", tmp_path / "one.backup"
    asked = ask_erasure(scene.services, her_case, why="本人要求", by="li")
    confirm_erasure(scene.services, asked.id, register=register, by="zhao")
    person_id = asked.person_id
    scene.do(sa.update(t.person).where(t.person.c.id == person_id).values(created_at=scene.later(hours=1)))
    scene.do(sa.delete(t.erasure))
    make_backup(old, file, real_now=MORNING)
    assert restore_backup(new, file, real_now=MORNING, by="li", register=register).erased == 0


def test_what_refuses_an_erasure(scene: Scene, her_case: int, tmp_path: Path):
    register = tmp_path / "register"
    with pytest.raises(NotFound):
        ask_erasure(scene.services, 999, why="本人要求", by="li")
    with pytest.raises(Invalid):
        ask_erasure(scene.services, her_case, why=" ", by="li")
    asked = ask_erasure(scene.services, her_case, why="本人要求", by="li")
    with pytest.raises(Conflict, match="waits already"):
        ask_erasure(scene.services, her_case, why="本人要求", by="zhao")

    place_legal_hold(scene.services, her_case, why="检察院调卷", by="sun")
    assert [one.placed_by for one in list_legal_holds(scene.services)] == ["sun"]
    with pytest.raises(Conflict, match="already"):
        place_legal_hold(scene.services, her_case, why="检察院调卷", by="sun")
    with pytest.raises(Conflict, match="legal hold"):
        confirm_erasure(scene.services, asked.id, register=register, by="zhao")
    lift_legal_hold(scene.services, her_case, why="案件已结", by="sun")
    with pytest.raises(Conflict, match="no legal hold"):
        lift_legal_hold(scene.services, her_case, why="案件已结", by="sun")

    scene.open_case(person_id=asked.person_id)
    with pytest.raises(Conflict, match="not over"):
        confirm_erasure(scene.services, asked.id, register=register, by="zhao")
    scene.do(sa.update(t.attempt).values(state="ended", result="no_answer"))
    scene.do(sa.update(t.case).values(status="closed", due_at=None))
    with pytest.raises(CannotRegister):
        confirm_erasure(scene.services, asked.id, register=tmp_path / "none" / "register", by="zhao")
    assert len(_found(scene)) == 4
    refuse_erasure(scene.services, asked.id, why="仍需保存", by="zhao")
    with pytest.raises(Conflict, match="decided by zhao"):
        confirm_erasure(scene.services, asked.id, register=register, by="zhao")
    acts = [row["act"] for row in scene.rows(sa.select(t.audit.c.act).order_by(t.audit.c.number))]
    assert acts == ["erase_asked", "legal_hold", "legal_hold_lifted", "erase_refused"]
    assert not register.exists()
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        scene.do(sa.text("UPDATE event SET sealed = NULL WHERE sealed IS NOT NULL"))
