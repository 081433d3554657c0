"""Makes the data of a person in the database unreadable: sealed values are replaced by empty ones, blind indexes are
deleted, and every row that is counted stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from dialer.cases.attempts import attempt_update
from dialer.cases.persons import Person, open_person, seal_directory_entry
from dialer.core.attempt import AttemptEvent, AttemptState
from dialer.core.case import (
    PENDING_STATES,
    RUNNING_STATUSES,
    AssignmentState,
    CaseStatus,
    DeskCallState,
    InboundResult,
    InboundState,
    Reason,
    RobotState,
    StaffTrackState,
)
from dialer.core.inspection import TranscriptState
from dialer.core.values import (
    MESSAGES_IN_DOUBT,
    DeletedFor,
    FiledMatchState,
    MessageState,
    RecordingState,
    TelephonyResult,
)
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.audit import stream
from dialer.db.bulk import RowSet, in_words
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import BLIND_BYTES, BlindKind
from dialer.oversight.correction_store import step_place

_FEWEST_DIGITS: Final = 7
"""A shorter number is part of too many other numbers to be searched for in cells."""
_SAME_PERSON: Final = (FiledMatchState.CERTAIN.value, FiledMatchState.CONFIRMED.value)
_MESSAGES_UNDER_WAY: Final = MESSAGES_IN_DOUBT | {MessageState.PLANNED}
_PENDING: Final = tuple(state.value for state in PENDING_STATES)
EMPTY_BYTES: Final = 31
"""The length of a sealed empty text: every other sealed value is longer."""
_BLANK_FILED: Final[Mapping[str, object]] = {"name": "", "phones": [], "id_number": ""}
BLANK_FILED_BYTES: Final = EMPTY_BYTES + len(orjson.dumps(_BLANK_FILED))
"""The length of an erased record of a filed case, sealed."""
_BLANK_DETERMINATION: Final[Mapping[str, object]] = {"name": "", "id_number": ""}
BLANK_DETERMINATION_BYTES: Final = EMPTY_BYTES + len(orjson.dumps(_BLANK_DETERMINATION))
"""The length of an erased restriction, sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """What identifies a person in the register of erasures."""

    id: int
    created_at: datetime


def lock_person(tx: Tx, person_id: int) -> PersonRow | None:
    """Locks the person and all their cases until the end of the transaction; None if there is no such person."""
    tx.execute(sa.select(t.case.c.id).where(t.case.c.person_id == person_id).order_by("id").with_for_update())
    row = tx.one(
        sa.select(t.person.c.id, t.person.c.created_at).where(t.person.c.id == person_id).with_for_update()
    )
    return None if row is None else PersonRow(**row)


def cases_of_person(tx: Tx, person_id: int) -> list[int]:
    """The ids of the person's cases, lowest first."""
    c = t.case.c
    return [row["id"] for row in tx.rows(sa.select(c.id).where(c.person_id == person_id).order_by(c.id))]


def work_of_person(tx: Tx, person_id: int) -> str:
    """The name of the first table with a row of this person that is not over and so needs their data; '' if there is
    none.
    """
    checks = work_of(sa.literal(person_id, sa.BigInteger))
    return next((name for name, found in checks.items() if tx.one(found.limit(1)) is not None), "")


def work_of(person_id: sa.ColumnElement[Any]) -> dict[str, sa.Select[Any]]:
    """Statements for the rows of a person that are not over, by table; `person_id` can be a column of an enclosing
    statement.
    """
    cases = sa.select(t.case.c.id).where(t.case.c.person_id == person_id).correlate(t.person)
    return {
        "case": sa.select(t.case.c.id).where(
            t.case.c.person_id == person_id, in_words(t.case.c.status, RUNNING_STATUSES)
        ),
        "attempt": sa.select(t.attempt.c.id).where(
            t.attempt.c.case_id.in_(cases), t.attempt.c.state != AttemptState.ENDED.value
        ),
        "assignment": sa.select(t.assignment.c.id).where(
            t.assignment.c.case_id.in_(cases), t.assignment.c.state.in_(_PENDING)
        ),
        "desk_call": sa.select(t.desk_call.c.id).where(
            t.desk_call.c.case_id.in_(cases), ~t.desk_call.c.settled
        ),
        "inbound_call": sa.select(t.inbound_call.c.id).where(
            t.inbound_call.c.case_id.in_(cases), t.inbound_call.c.state != InboundState.ENDED.value
        ),
        "message": sa.select(t.message.c.id).where(
            t.message.c.case_id.in_(cases), in_words(t.message.c.state, _MESSAGES_UNDER_WAY)
        ),
        "stop_payment": sa.select(t.stop_payment.c.id).where(
            t.stop_payment.c.case_id.in_(cases), t.stop_payment.c.done_at.is_(None)
        ),
    }


def erase_person(act: OpenAct, person_id: int) -> dict[str, int]:
    """Erases the person, whom the caller has locked. Returns the number of erased values by column. Reads every
    rejected row and every record of a filed case, since these do not refer to a person.
    """
    person = open_people(act.tx, [person_id])[person_id]
    counts = erase_people(act, [person_id])
    counts["list_reject.sealed"] = _erase_rejects(act.tx, person)
    filed = counts.get("filed_record.sealed", 0) + _erase_filed(act.tx, person)
    return {name: count for name, count in sorted((counts | {"filed_record.sealed": filed}).items()) if count}


def erase_people(act: OpenAct, person_ids: Sequence[int]) -> dict[str, int]:
    """Erases the data that refer to these persons, whom the caller has locked. Returns the number of erased values by
    column. Does not search for rejected rows or for records of filed cases that were not matched to them.
    """
    tx, now = act.tx, act.now
    people = open_people(tx, person_ids)
    c = t.case.c
    cases = [row["id"] for row in tx.rows(sa.select(c.id).where(c.person_id.in_(person_ids)).order_by(c.id))]
    counts = _erase_rows(tx, person_ids, cases) | _erase_numbers(tx, people, cases)
    counts |= _erase_verdicts(tx, person_ids)
    own = t.recording.c.case_id.in_(cases)
    counts["recording.sealed"] = len(delete_recordings(act, own, why=DeletedFor.ERASURE))
    counts |= erase_openings_of(tx, people.values(), now=now)
    r, m = t.filed_record.c, t.filed_match.c
    matched = sa.select(m.record_id).where(m.person_id.in_(person_ids), m.state.in_(_SAME_PERSON))
    counts["filed_record.sealed"] = erase_filed_records(tx, r.id.in_(matched))
    for person_id, person in people.items():
        blank = Person(
            name="", phones=("",) * len(person.phones), id_number="", address="", family_contact=""
        )
        entry = seal_directory_entry(tx.vault, blank, person_id=person_id)
        tx.execute(
            sa.update(t.person)
            .where(t.person.c.id == person_id)
            .values(sealed=entry.sealed, name_blind=entry.name_blind, id_number_blind=None, erased_at=now)
        )
    counts["person.sealed"] = len(people)
    return {name: count for name, count in sorted(counts.items()) if count}


OPENING_PERSONAL: Final = (
    "name", "id_number", "phone", "address", "employer", "purpose", "agent", "number", "iccid"
)  # fmt: skip
"""The sealed fields of an opening."""


def opening_persons(tx: Tx, people: Iterable[Person]) -> list[bytes]:
    """The blind indexes by which the openings of these people are found."""
    blind = tx.vault.blind
    return [blind(person.id_number, kind=BlindKind.OPENING_PERSON) for person in people if person.id_number]


def erase_openings_of(tx: Tx, people: Iterable[Person], *, now: datetime) -> dict[str, int]:
    """Erases the decided openings of these people and their restrictions that are over. Returns the number of erased
    values by column. Openings in progress and restrictions in force still need the person: retention erases them later.
    """
    persons = opening_persons(tx, people)
    o, d = t.opening.c, t.card_determination.c
    ids = [
        row["id"]
        for row in tx.rows(
            sa.select(o.id)
            .where(o.person_blind.in_(persons), o.erased_at.is_(None), o.result != "in_progress")
            .order_by(o.id)
            .with_for_update()
        )
    ]
    over = [
        row["id"]
        for row in tx.rows(
            sa.select(d.id).where(
                d.person_blind.in_(persons),
                sa.or_(d.state.in_(("lifted", "refused")), d.until_on <= now.date()),
            )
        )
    ]
    return erase_openings(tx, ids, now=now) | erase_determinations(tx, over)


def erase_openings(tx: Tx, ids: Sequence[int], *, now: datetime) -> dict[str, int]:
    """Erases the persons in these openings, which the caller has locked, and in the questions, findings and objections
    about them. Returns the number of erased values by column. The openings still count.
    """
    if not ids:
        return {}
    blank: dict[str, object] = dict.fromkeys(OPENING_PERSONAL, "")
    given = [
        {
            "id": opening_id,
            "sealed": tx.vault.seal_record(blank, table="opening", column="sealed", row=opening_id),
            "nobody": os.urandom(BLIND_BYTES),
        }
        for opening_id in ids
    ]
    gone = ("phone_blind", "address_blind", "employer_blind", "agent_blind", "story_blind", "number_blind")
    o, q, s, j, p = t.opening.c, t.card_question.c, t.onsite_check.c, t.card_objection.c, t.card_opener.c
    openers = tx.rows(sa.select(p.id).where(p.opening_id.in_(ids)).order_by(p.id).with_for_update())
    own = [row["id"] for row in openers]
    questions = sa.select(q.id).where(q.opening_id.in_(ids))
    objections = sa.or_(j.opening_id.in_(ids), j.opener_id.in_(own))

    def place(row: Row) -> int:
        return int(row["id"])

    counts = {
        "opening.sealed": len(ids),
        "card_question.sealed": _empty_column(tx, t.card_question, "sealed", q.opening_id.in_(ids), place),
        "card_question.reason_sealed": _empty_column(
            tx, t.card_question, "reason_sealed", q.opening_id.in_(ids), place
        ),
        "onsite_check.note_sealed": _empty_column(
            tx, t.onsite_check, "note_sealed", s.question_id.in_(questions), place
        ),
        "card_objection.sealed": _empty_column(tx, t.card_objection, "sealed", objections, place),
        "card_objection.reason_sealed": _empty_column(
            tx, t.card_objection, "reason_sealed", objections, place
        ),
        "card_opener.why_sealed": _empty_column(tx, t.card_opener, "why_sealed", p.id.in_(own), place),
    }
    for opener_id in own:
        is_person = sa.and_(p.id == opener_id, p.person_blind.is_not(None))
        tx.execute(sa.update(t.card_opener).where(is_person).values(person_blind=os.urandom(BLIND_BYTES)))
    update = (
        sa.update(t.opening)
        .where(o.id == _NAMELESS.c.id)
        .values(
            sealed=_NAMELESS.c.sealed,
            person_blind=_NAMELESS.c.nobody,
            erased_at=now,
            **dict.fromkeys(gone, sa.null()),
        )
    )
    tx.execute(update, _NAMELESS.given(given))
    return counts


def erase_determinations(tx: Tx, ids: Sequence[int]) -> dict[str, int]:
    """Erases the persons in these restrictions, which are over. Returns the number of erased values by column."""
    d, j = t.card_determination.c, t.card_objection.c
    full = sa.and_(d.id.in_(ids), sa.func.octet_length(d.sealed) > BLANK_DETERMINATION_BYTES)
    rows = tx.rows(sa.select(d.id).where(full).order_by(d.id).with_for_update())
    for row in rows:
        place: dict[str, Any] = {"table": "card_determination", "column": "sealed", "row": row["id"]}
        sealed = tx.vault.seal_record(_BLANK_DETERMINATION, **place)
        values = {"sealed": sealed, "person_blind": os.urandom(BLIND_BYTES)}
        tx.execute(sa.update(t.card_determination).where(d.id == row["id"]).values(**values))
    own = j.determination_id.in_([row["id"] for row in rows])
    counts = {"card_determination.sealed": len(rows)}
    for column in ("sealed", "reason_sealed"):
        name = f"card_objection.{column} of determinations"
        counts[name] = _empty_column(tx, t.card_objection, column, own, lambda row: int(row["id"]))
    return counts


def open_people(tx: Tx, person_ids: Sequence[int]) -> dict[int, Person]:
    """The personal facts of these persons in clear, by id."""
    p = t.person.c
    rows = tx.rows(sa.select(p.id, p.sealed).where(p.id.in_(person_ids)).order_by(p.id))
    return {row["id"]: open_person(tx, person_id=row["id"], sealed=row["sealed"]) for row in rows}


def erase_conversations(tx: Tx, case_ids: Sequence[int], *, now: datetime) -> int:
    """Erases what was said in the robot's calls of these cases, which the caller has locked. Returns the number of
    erased values.
    """
    attempts = sa.select(t.attempt.c.id).where(t.attempt.c.case_id.in_(case_ids))
    count = _empty_column(tx, t.event, "sealed", t.event.c.attempt_id.in_(attempts), _event_place)
    tx.execute(sa.update(t.case).where(t.case.c.id.in_(case_ids)).values(conversation_erased_at=now))
    return count


_NAMELESS: Final = RowSet(
    "nameless", {"id": sa.BigInteger(), "sealed": sa.LargeBinary(), "nobody": sa.LargeBinary()}
)
_RESEALED: Final = RowSet("given", {"id": sa.BigInteger(), "sealed": sa.LargeBinary()})


def _empty_column(
    tx: Tx, table: sa.Table, column: str, where: sa.ColumnElement[bool], place: Callable[[Row], int | str]
) -> int:
    """Replaces the values of this column by empty ones, each sealed for its place. Returns how many."""
    c = table.c
    is_full = sa.func.octet_length(c[column]) > EMPTY_BYTES
    rows = tx.rows(sa.select(table).where(where, is_full).order_by(c.id))
    seal = tx.vault.seal
    given = [
        {"id": row["id"], "sealed": seal(b"", table=table.name, column=column, row=place(row))}
        for row in rows
    ]
    if given:
        update = sa.update(table).where(c.id == _RESEALED.c.id).values({column: _RESEALED.c.sealed})
        tx.execute(update, _RESEALED.given(given))
    return len(rows)


def _event_place(row: Row) -> str:
    return f"{row['attempt_id'] or row['case_id']}/{row['step']}"


def _erase_verdicts(tx: Tx, person_ids: Sequence[int]) -> dict[str, int]:
    """Erases the warning robot's verdicts on these persons and deletes their stored signals. Signals of a number
    without a verdict stay until they are deleted by age.
    """
    v, reason = t.verdict.c, t.verdict_reason.c
    counts = {
        "verdict.sealed": _empty_column(
            tx, t.verdict, "sealed", v.person_id.in_(person_ids), lambda row: str(row["instruction_no"])
        )
    }
    own = sa.select(v.id).where(v.person_id.in_(person_ids))
    rows = tx.rows(sa.select(reason.verdict_id, reason.rule).where(reason.verdict_id.in_(own)))
    for row in rows:
        place = f"{row['verdict_id']}/{row['rule']}"
        sealed = tx.vault.seal(b"", table="verdict_reason", column="sealed", row=place)
        which = (reason.verdict_id == row["verdict_id"], reason.rule == row["rule"])
        tx.execute(sa.update(t.verdict_reason).where(*which).values(sealed=sealed))
    counts["verdict_reason.sealed"] = len(rows)
    hashes = sa.select(v.person_hash).where(v.person_id.in_(person_ids))
    shadow = t.shadow_person.c.person_hash.in_(hashes)
    counts["shadow_person"] = tx.execute(sa.delete(t.shadow_person).where(shadow)).rowcount
    counts["signal"] = tx.execute(sa.delete(t.signal).where(t.signal.c.person_hash.in_(hashes))).rowcount
    return counts


def _erase_rows(tx: Tx, person_ids: Sequence[int], cases: Sequence[int]) -> dict[str, int]:
    w, o, m, e = t.warning.c, t.outcome.c, t.filed_match.c, t.event.c
    tr = t.assignment_transfer.c
    transfers = tr.assignment_id.in_(sa.select(t.assignment.c.id).where(t.assignment.c.case_id.in_(cases)))
    attempts = sa.select(t.attempt.c.id).where(t.attempt.c.case_id.in_(cases))
    events = sa.or_(e.case_id.in_(cases), e.attempt_id.in_(attempts))
    counts = {
        "event.sealed": _empty_column(tx, t.event, "sealed", events, _event_place),
        "warning.sealed": _empty_column(
            tx, t.warning, "sealed", w.case_id.in_(cases), lambda row: int(row["id"])
        ),
        "outcome.evidence_sealed": _empty_column(
            tx, t.outcome, "evidence_sealed", o.case_id.in_(cases), lambda row: f"case/{row['case_id']}"
        ),
        "stop_request.sealed": _empty_column(
            tx,
            t.stop_request,
            "sealed",
            t.stop_request.c.case_id.in_(cases),
            lambda row: f"case/{row['case_id']}",
        ),
        "correction_step.sealed": _empty_column(
            tx,
            t.correction_step,
            "sealed",
            t.correction_step.c.order_id.in_(
                sa.select(t.correction_order.c.id).where(t.correction_order.c.case_id.in_(cases))
            ),
            lambda row: step_place(row["order_id"], row["number"]),
        ),
        "assignment_transfer.why_sealed": _empty_column(
            tx,
            t.assignment_transfer,
            "why_sealed",
            transfers,
            lambda row: f"{row['assignment_id']}/{row['at'].astimezone(UTC).isoformat()}",
        ),
        "filed_match.why_sealed": _empty_column(
            tx, t.filed_match, "why_sealed", m.person_id.in_(person_ids), lambda row: int(row["id"])
        ),
    }
    plain = sa.update(t.assignment_transfer).where(transfers, sa.or_(tr.why != "", tr.answer != ""))
    counts["assignment_transfer.why"] = tx.execute(plain.values(why="", answer="")).rowcount
    photos = sa.delete(t.visit_photo).where(t.visit_photo.c.case_id.in_(cases))
    counts["visit_photo"] = tx.execute(photos).rowcount
    files = sa.delete(t.evidence_file).where(t.evidence_file.c.case_id.in_(cases))
    counts["evidence_file"] = tx.execute(files).rowcount
    return counts


def delete_recordings(
    act: OpenAct, which: sa.ColumnElement[bool], *, why: DeletedFor
) -> list[dict[str, object]]:
    """Deletes the sound of these recordings of calls, also at the carrier if it is still there, and the words that were
    read in it. Each deletion is audited with the SHA-256 of the sound, so that any copy can be identified. Returns the
    facts of these audit lines.
    """
    tx, r = act.tx, t.recording.c
    gone = (RecordingState.DELETED.value, RecordingState.ABSENT.value)
    rows = tx.rows(
        sa.select(
            *(r.id, r.case_id, r.attempt_id, r.desk_call_id, r.inbound_call_id),
            *(r.state, r.seconds, r.size_bytes, r.sha256),
        )
        .where(which, r.state.not_in(gone))
        .order_by(r.id)
        .with_for_update()
    )
    if not rows:
        return []
    values = {"state": RecordingState.DELETED.value, "sealed": None, "deleted_at": act.now}
    ids = [row["id"] for row in rows]
    tx.execute(sa.update(t.recording).where(r.id.in_(ids)).values(values))
    unread = {"state": TranscriptState.DELETED.value, "reason": None, "due_at": None, "sealed": None}
    words = sa.update(t.transcript).where(t.transcript.c.recording_id.in_(ids))
    tx.execute(words.values(unread | {"words": 0, "unsure_words": 0}))
    proofs: list[dict[str, object]] = []
    for row in rows:
        digest = row["sha256"]
        facts: dict[str, object] = {
            "recording": row["id"],
            **{
                kind: str(row[f"{kind}_id"])
                for kind in ("attempt", "desk_call", "inbound_call")
                if row[f"{kind}_id"] is not None
            },
            "sha256": "" if digest is None else bytes(digest).hex(),
            "size_bytes": row["size_bytes"] or 0,
            "seconds": row["seconds"] or 0,
            "deleted_for": why.value,
        }
        act.audit("delete_recording", f"case/{row['case_id']}", facts=facts)
        proofs.append(facts)
    return proofs


def _erase_numbers(tx: Tx, people: Mapping[int, Person], cases: Sequence[int]) -> dict[str, int]:
    """Deletes the blind indexes of these people. A number that somebody else also has keeps its rest after a call, and
    the lists that wait for the names on it stay together.
    """
    p, live, call, waiting = t.person_phone.c, t.live_number.c, t.carrier_call.c, t.list_load.c.number_blind
    phones = {phone for person in people.values() for phone in person.phones}
    blinds = [blind for phone in phones for blind in tx.vault.blinds(phone, kind=BlindKind.PHONE)]
    shared = sa.select(p.phone_blind).where(p.phone_blind.in_(blinds), p.person_id.not_in(people))
    own = {bytes(blind) for blind in blinds} - {bytes(row["phone_blind"]) for row in tx.rows(shared)}
    deleted: dict[str, sa.Delete] = {
        "person_phone": sa.delete(t.person_phone).where(p.person_id.in_(people)),
        "person_key": sa.delete(t.person_key).where(t.person_key.c.person_id.in_(people)),
        "live_number": sa.delete(t.live_number).where(live.phone_blind.in_(own), live.attempt_id.is_(None)),
        "carrier_call": sa.delete(t.carrier_call).where(
            sa.or_(call.case_id.in_(cases), call.phone_blind.in_(own))
        ),
    }
    counts = {name: tx.execute(statement).rowcount for name, statement in deleted.items()}
    unnamed = sa.update(t.list_load).where(waiting.in_(own)).values(number_blind=None)
    return counts | {"list_load.number_blind": tx.execute(unnamed).rowcount}


def _erase_rejects(tx: Tx, person: Person) -> int:
    """Empties the rejected rows that contain one of the person's numbers or their id number. Returns how many."""
    found: list[tuple[int, str, dict[str, Any]]] = []
    c = t.list_reject.c
    for row in stream(tx, sa.select(c.id, c.load_id, c.sheet, c.line, c.sealed)):
        place = f"{row['load_id']}/{row['sheet']}/{row['line']}"
        record = tx.vault.open_record(row["sealed"], table="list_reject", column="sealed", row=place)
        if names_person(record["raw"], person):
            found.append((row["id"], place, record | {"raw": [""] * len(record["raw"])}))
    for reject_id, place, record in found:
        sealed = tx.vault.seal_record(record, table="list_reject", column="sealed", row=place)
        tx.execute(sa.update(t.list_reject).where(c.id == reject_id).values(sealed=sealed))
    return len(found)


def names_person(cells: Iterable[object], person: Person) -> bool:
    """Whether one of the cells contains the person's id number or one of their telephone numbers."""
    numbers = [phone.removeprefix("+86").lstrip("+") for phone in person.phones]
    numbers = [number for number in numbers if len(number) >= _FEWEST_DIGITS]
    for cell in cells:
        text = str(cell).upper()
        if person.id_number and person.id_number.upper() in text:
            return True
        digits = re.sub(r"[^0-9]", "", text)
        if any(number in digits for number in numbers):
            return True
    return False


def _erase_filed(tx: Tx, person: Person) -> int:
    """Empties the records of filed cases that have the person's id number, or one of their numbers and no other name.
    Returns how many.
    """
    r = t.filed_record.c
    found: list[int] = []
    for row in stream(tx, sa.select(r.id, r.case_number, r.sealed)):
        place = {"table": "filed_record", "column": "sealed", "row": row["case_number"]}
        facts = tx.vault.open_record(row["sealed"], **place)
        same_id = bool(person.id_number) and facts["id_number"] == person.id_number
        same_phone = bool(set(facts["phones"]) & set(person.phones) - {""})
        if same_id or (same_phone and facts["name"] in {"", person.name}):
            found.append(row["id"])
    return erase_filed_records(tx, r.id.in_(found)) if found else 0


def erase_filed_records(tx: Tx, which: sa.ColumnElement[bool]) -> int:
    """Erases name, telephones and id number in these records of filed cases. Returns how many records."""
    r = t.filed_record.c
    is_full = sa.func.octet_length(r.sealed) > BLANK_FILED_BYTES
    rows = tx.rows(sa.select(r.id, r.case_number).where(which, is_full).order_by(r.id))
    for row in rows:
        place = {"table": "filed_record", "column": "sealed", "row": row["case_number"]}
        sealed = tx.vault.seal_record(_BLANK_FILED, **place)
        tx.execute(sa.update(t.filed_record).where(r.id == row["id"]).values(sealed=sealed))
    return len(rows)


def end_person_work(tx: Tx, person_id: int, *, now: datetime) -> None:
    """Ends all work on the person, since calls and staff would need the data that will be erased. Only for a restored
    database on which no process runs. `now`: service time.
    """
    cases = cases_of_person(tx, person_id)
    c, a, s, d, m = t.case.c, t.attempt.c, t.assignment.c, t.desk_call.c, t.message.c
    attempts = sa.select(a.id).where(a.case_id.in_(cases))
    tx.execute(sa.delete(t.live_number).where(t.live_number.c.attempt_id.in_(attempts)))
    # Attempts that were never sent are withdrawn; about those that may have been at the carrier nothing more can be
    # learned.
    for event, result in (
        (AttemptEvent.WITHDRAWN, TelephonyResult.CANCELED),
        (AttemptEvent.ENDED, TelephonyResult.UNKNOWN),
    ):
        over = {"result": result.value, "ended_at": now, "token": a.token + 1, "lease_until": None}
        tx.execute(attempt_update(event).where(a.case_id.in_(cases)).values(over))
    withdrawn = {"state": AssignmentState.WITHDRAWN.value, "withdrawn_why": Reason.ERASED.value}
    tx.execute(
        sa.update(t.assignment)
        .where(s.case_id.in_(cases), s.state.in_(_PENDING))
        .values(withdrawn | {"done_at": now})
    )
    call = {
        "state": DeskCallState.ENDED.value,
        "settled": True,
        "ended_at": sa.func.coalesce(d.ended_at, now),
    }
    unknown = sa.func.coalesce(d.result, TelephonyResult.UNKNOWN.value)
    tx.execute(
        sa.update(t.desk_call).where(d.case_id.in_(cases), ~d.settled).values(call | {"result": unknown})
    )
    i = t.inbound_call.c
    tx.execute(
        sa.update(t.inbound_call)
        .where(i.case_id.in_(cases), i.state != InboundState.ENDED.value)
        .values(state=InboundState.ENDED.value, result=InboundResult.GAVE_UP.value, ended_at=now)
    )
    tx.execute(
        sa.update(t.message)
        .where(m.case_id.in_(cases), in_words(m.state, _MESSAGES_UNDER_WAY))
        .values(state=MessageState.FAILED.value, poll_at=None, ended_at=now)
    )
    stands_down = {"robot_state": RobotState.DONE.value, "follow_up_by": None, "follow_up_at": None}
    stands_down |= dict.fromkeys(("human_state", "visit_state"), StaffTrackState.DONE.value)
    stands_down |= dict.fromkeys(("human_at", "visit_at"))
    is_person = c.person_id == person_id
    tx.execute(
        sa.update(t.case)
        .where(is_person, c.status == CaseStatus.WATCHING.value)
        .values(stands_down | {"due_at": c.watch_until})
    )
    closed = {"status": CaseStatus.CLOSED.value, "due_at": None, "settled_at": now}
    tx.execute(
        sa.update(t.case).where(is_person, c.status == CaseStatus.OPEN.value).values(stands_down | closed)
    )
