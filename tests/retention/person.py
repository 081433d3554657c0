"""A person of whom every table holds something."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from dialer.calls.store import StoredEvent, store_call_events
from dialer.cases.persons import PersonSearch, find_person_ids
from dialer.cases.store import Act, note_acts
from dialer.core.case import CaseStatus
from dialer.core.timeline import ActKind
from dialer.core.values import Contact
from dialer.db import tables as t
from dialer.db.vault import BlindKind
from dialer.keys.reseal import INDEXES, SEALED
from tests.control.scene import Scene
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE

LANDLINE = "+864782345678"
SAID = "我儿子在银行"
HERS = (NAME, PHONE.removeprefix("+86"), LANDLINE.removeprefix("+86"), ID_NUMBER, SAID)
SOUGHT = (
    PersonSearch(name=NAME),
    PersonSearch(phone=PHONE),
    PersonSearch(last4=PHONE[-4:]),
    PersonSearch(id_number=ID_NUMBER),
)


def put_person(scene: Scene) -> int:
    """A case that is over, of a person of whom every table holds something; her landline is her neighbour's too."""
    person_id = scene.person(name=NAME, phones=(PHONE, LANDLINE), id_number=ID_NUMBER)
    scene.open_case(person_id=scene.person(name="李", phones=(LANDLINE,)))
    case_id = scene.case(
        person_id=person_id, status=CaseStatus.PROVEN, contact=Contact.VERIFIED, warning=False
    )
    attempt_id = scene.attempt(case_id, result="answered")
    unit = scene.put(t.unit, name="一所", path=[1], id=1)
    list_of = {"filename": "x.csv", "content_hash": b"x", "size_bytes": 1, "created_at": MORNING}
    load = scene.put(t.list_load, state="done", **list_of)
    assignment = scene.assignment(case_id, state="done", done_by="li", outcome="dissuaded_by_phone")
    client_id = uuid.uuid4()

    with scene.tx() as tx:
        seal, record = tx.vault.seal, tx.vault.seal_record

        def put(table: sa.Table, **columns: object) -> Any:  # noqa: ANN401  # a row's key
            return tx.scalar(sa.insert(table).values(**columns).returning(next(iter(table.primary_key))))

        warning = scene.warning(case_id, person_id=person_id)
        facts = {"name": NAME, "phones": [PHONE], "id_number": ID_NUMBER, "remarks": SAID}
        sealed = record(facts, table="warning", column="sealed", row=warning)
        tx.execute(sa.update(t.warning).where(t.warning.c.id == warning).values(sealed=sealed))
        talk = {"facts": {}, "personal": {"SpeechResult": SAID, "collected": "5000"}}
        said = StoredEvent(attempt_id=attempt_id, case_id=case_id, step="1", kind="talk", **talk)  # type: ignore[arg-type]
        store_call_events(tx, [said], at=MORNING)
        note_acts(tx, [Act(case_id=case_id, kind=ActKind.NOTE, by="li", words=SAID)], now=MORNING)
        evidence = {"table": "outcome", "column": "evidence_sealed", "row": f"case/{case_id}"}
        ledger = {
            "case_id": case_id,
            "kind": "dissuaded_by_phone",
            "contact": "verified",
            "reason": "reported",
        }
        amount = {"intended_fen": 5000_00, "evidence_sealed": seal(SAID.encode(), **evidence)}  # type: ignore[arg-type]
        outcome_id = put(t.outcome, **ledger, **amount, recorded_by="li", at=MORNING, drill=False)
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
            answer=SAID,
            answered_at=MORNING,
            at=MORNING,
            why_sealed=seal(SAID.encode(), **why),
        )
        sent = {"client_id": client_id, "assignment_id": assignment}
        put(t.sent_act, **sent, digest=b"x", by="li", at=MORNING)
        photo = seal(SAID.encode(), table="visit_photo", column="sealed", row=str(client_id))
        size = {"size_bytes": 9, "stripped_bytes": 0, "media_type": "image/jpeg"}
        put(t.visit_photo, **sent, **size, case_id=case_id, by="li", at=MORNING, sealed=photo)
        call = {"attempt_id": attempt_id, "case_id": case_id, "called_at": MORNING, "drill": False}
        recording = put(t.recording, **call, state="waiting", due_at=MORNING)
        spoken = seal(SAID.encode(), table="recording", column="sealed", row=recording)
        heard = {"state": "kept", "sealed": spoken, "sha256": b"x" * 32, "size_bytes": 9, "due_at": None}
        tx.execute(sa.update(t.recording).where(t.recording.c.id == recording).values(heard))
        proof = seal(SAID.encode(), table="evidence_file", column="sealed", row=str(client_id))
        named = {"id": client_id, "outcome_id": outcome_id, "case_id": case_id, "by": "li", "at": MORNING}
        put(t.evidence_file, **named, **size, sealed=proof)
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
            reason = seal(SAID.encode(), table="filed_match", column="why_sealed", row=match_id)
            tx.execute(
                sa.update(t.filed_match).where(t.filed_match.c.id == match_id).values(why_sealed=reason)
            )
        put(t.live_number, phone_blind=tx.vault.blind(PHONE, kind=BlindKind.PHONE), free_at=MORNING)
        put(t.live_number, phone_blind=tx.vault.blind(LANDLINE, kind=BlindKind.PHONE), free_at=MORNING)
        for phone in (PHONE, LANDLINE):
            number = tx.vault.blind(phone, kind=BlindKind.PHONE)
            put(t.list_load, state="held", held_for="names", number_blind=number, **list_of)
    return case_id


def opened(scene: Scene) -> dict[str, str]:
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


def holding(scene: Scene) -> set[str]:
    texts = {name: text.replace(" ", "").replace("-", "") for name, text in opened(scene).items()}
    return {name for name, text in texts.items() if any(word in text for word in HERS)}


def found_by(scene: Scene) -> list[int]:
    with scene.tx() as tx:
        return [find_person_id for sought in SOUGHT for find_person_id in find_person_ids(tx, sought)]


def blinds_of(scene: Scene) -> set[str]:
    """Tables that hold a blind index of hers alone."""
    with scene.tx() as tx:
        blind = tx.vault.blind
        hers = {
            blind(NAME, kind=BlindKind.NAME),
            blind(PHONE, kind=BlindKind.PHONE),
            blind(PHONE[-4:], kind=BlindKind.PHONE_LAST4),
            blind(ID_NUMBER, kind=BlindKind.ID_NUMBER),
            *(blind(f"{NAME}\0{phone}", kind=BlindKind.NAME_PHONE) for phone in (PHONE, LANDLINE)),
        }
        return {
            f"{table.name}.{name}"
            for table, name in INDEXES
            for row in tx.rows(sa.select(table.c[name]).where(table.c[name].in_(hers)))
        }
