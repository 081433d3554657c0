"""Erasing a person: one person requests it with a reason, a second one confirms; legal holds, which prevent it;
certificates. Rows and actions. Every step is audited, and the reasons are stored in the audit alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from dialer.core.access import ERASURE_WORDS, Actor, ErasureState, Permission, required_text
from dialer.core.errors import Conflict, NotFound
from dialer.core.second_person import RequestEvent
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.audit import last_audit_reason
from dialer.db.second_person import RequestKind, require_second_person
from dialer.db.system_state import living_processes
from dialer.db.unit_of_work import Row, Store, Tx, record_of
from dialer.db.units import check_case_visible, is_visible_to
from dialer.retention.erasing import PersonRow, cases_of_person, erase_person, lock_person, work_of_person
from dialer.retention.erasure_register import (
    Erased,
    ErasedAreBack,
    NoRegister,
    RegisterLacks,
    UnreadableRegister,
    back_again,
    check_register,
    complete_register,
    erase_again,
    read_register,
    seal_of,
)
from dialer.runtime.services import Services
from dialer.warnings.warning_store import lock_arrivals

ERASURES = RequestKind(
    table=t.erasure,
    noun=gettext_noop("request"),
    words=ERASURE_WORDS,
    acts={
        RequestEvent.APPROVED: "erase",
        RequestEvent.REFUSED: "erase_refused",
        RequestEvent.WITHDRAWN: "erase_refused",
    },
)
_ERASED_ACTS: Final = ("erase", "erase_again")
"""Acts of the audit: an erasure confirmed by two people, or one repeated after a restore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A request to erase a person, and what became of it. `counts`: values erased, by column; None before that."""

    id: int
    person_id: int
    person_created_at: datetime
    state: ErasureState
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    counts: Mapping[str, int] | None

    def plain(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "id": self.id,
            "person": self.person_id,
            "state": self.state.value,
            "asked_by": self.asked_by,
            "asked_at": self.asked_at.isoformat(),
            "decided_by": self.decided_by,
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """A legal hold: the person may not be erased."""

    id: int
    person_id: int
    placed_by: str
    placed_at: datetime

    def plain(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "id": self.id,
            "person": self.person_id,
            "placed_by": self.placed_by,
            "placed_at": self.placed_at.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was erased of a person, by whom and when. `audit_number`: the line of the audit that records it."""

    erasure: Erasure
    cases: tuple[int, ...]
    audit_number: int
    seal: str

    def plain(self) -> dict[str, Any]:
        """What `--json` prints; `seal` covers all the rest."""
        return _certified(self.erasure, self.cases, self.audit_number) | {"seal": self.seal}


def ask_erasure(services: Services, actor: Actor, case_id: int, *, why: str) -> Erasure:
    """Requests the erasure of the person of this case; nothing is erased before a second person confirms. Raises
    `NotFound`, `Invalid` and `Conflict`.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.ERASE_PERSONS) as act:
        tx = act.tx
        person = _person_of(tx, case_id, actor.unit_id)
        _check_erasable(tx, person)
        e = t.erasure.c
        same = (e.person_id == person.id, e.person_created_at == person.created_at)
        standing = tx.one(sa.select(e.id, e.state).where(*same, e.state != ErasureState.REFUSED.value))
        if standing is not None and standing["state"] == ErasureState.ERASED.value:
            raise Conflict(Text("the person was erased already: request %(id)s", id=standing["id"]))
        if standing is not None:
            raise Conflict(Text("request %(id)s for this person waits already", id=standing["id"]))
        row = tx.one(
            sa.insert(t.erasure)
            .values(
                person_id=person.id,
                person_created_at=person.created_at,
                state=ErasureState.WAITING.value,
                asked_by=act.by,
                asked_at=act.now,
            )
            .returning(t.erasure)
        )
        assert row is not None
        facts = {"request": row["id"], "case": case_id}
        act.audit("erase_asked", f"person/{person.id}", why=reason, facts=facts)
    return record_of(Erasure, row)


def confirm_erasure(services: Services, actor: Actor, request_id: int, *, register: Path) -> Certificate:
    """Erases the person and writes the register. Raises `NotFound`, `Conflict`, `CannotRegister` and
    `UnreadableRegister`; then nothing is changed. Raises `NotRegistered` if the person was erased but the register
    could not be written after all.
    """
    with services.act(actor, Permission.ERASE_PERSONS) as act:
        tx = act.tx
        check_register(tx.vault, register)
        lock_arrivals(tx)
        row, asked = _lock_waiting(tx, request_id, actor.unit_id, now=act.now)
        require_second_person(tx, act.by, asked.asked_by)
        person = lock_person(tx, asked.person_id)
        if person is None or person.created_at != asked.person_created_at:
            raise NotFound(kind="person", key=asked.person_id)
        _check_erasable(tx, person)
        counts = erase_person(act, person.id)
        facts = {"request": request_id, "asked_by": asked.asked_by, "counts": counts}
        subject, columns = f"person/{person.id}", {"counts": counts}
        ERASURES.decide(act, row, RequestEvent.APPROVED, subject=subject, facts=facts, columns=columns)
    # After the commit: a line about somebody who was not erased would have a later restore erase them.
    register_erasures(services, register)
    return certificate_of(services, request_id)


def register_erasures(services: Services, register: Path) -> int:
    """Adds to the register every person who was erased by two people and is missing in it; returns how many were
    missing. Raises `NotRegistered` and `UnreadableRegister`.
    """
    with services.store.begin() as tx:
        erased = _erased(tx)
        return complete_register(tx.vault, register, erased) if erased else 0


def check_registered(services: Services, register: Path) -> int:
    """Checks that the register lacks no erasure and that no erased person is in the database again; returns the number
    of erasures. Raises `RegisterLacks`, `ErasedAreBack`, `NoRegister` and `UnreadableRegister`.
    """
    with services.store.begin() as tx:
        erased = {erased_one.person for erased_one in _erased(tx)}
        try:
            lines = read_register(tx.vault, register)
        except NoRegister:
            if erased:
                raise
            lines = []
        lacks, back = erased - {line.person for line in lines}, back_again(tx, lines)
    if back:
        raise ErasedAreBack(file=register, count=len(back))
    if lacks:
        raise RegisterLacks(file=register, count=len(lacks))
    return len(erased)


def refuse_erased(store: Store, register: Path) -> None:
    """Raises `ErasedAreBack` where the database has persons whom the register names as erased. A register that cannot
    be read stops nothing: `dialer doctor` reports it.
    """
    with store.begin() as tx:
        try:
            lines = read_register(tx.vault, register)
        except (NoRegister, UnreadableRegister):
            return
        if lines and (back := back_again(tx, lines)):
            raise ErasedAreBack(file=register, count=len(back))


def erase_returned(services: Services, actor: Actor, register: Path) -> int:
    """Erases again the persons of the register who are in the database; returns how many. Whatever is under way for
    them ends. Raises `Conflict` while a process runs, `NoRegister` and `UnreadableRegister`.
    """
    with services.act(actor, Permission.CONTROL) as act:
        tx = act.tx
        running = living_processes(tx, real_now=services.real.now())
        if running:
            raise Conflict(Text("stop all processes first: %(process)s runs", process=running[0].process))
        lines = read_register(tx.vault, register)
        erased = erase_again(act, back_again(tx, lines))
        if not erased:
            act.needs_no_record()
        return erased


def _erased(tx: Tx) -> list[Erased]:
    rows = tx.rows(
        sa.select(t.erasure).where(t.erasure.c.state == ErasureState.ERASED.value).order_by(t.erasure.c.id)
    )
    return [
        Erased(
            person=PersonRow(id=row["person_id"], created_at=row["person_created_at"]),
            erased_at=row["decided_at"],
            asked_by=row["asked_by"],
            confirmed_by=row["decided_by"],
        )
        for row in rows
    ]


def refuse_erasure(services: Services, actor: Actor, request_id: int, *, why: str) -> None:
    """Refuses the request, or withdraws it if the actor made it; nothing is erased. Raises `NotFound`, `Invalid` and
    `Conflict`.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.ERASE_PERSONS) as act:
        row, asked = _lock_waiting(act.tx, request_id, actor.unit_id, now=act.now)
        event = RequestEvent.WITHDRAWN if actor.signed(asked.asked_by) else RequestEvent.REFUSED
        facts, subject = {"request": request_id}, f"person/{asked.person_id}"
        ERASURES.decide(act, row, event, subject=subject, why=reason, facts=facts)


def list_erasures(services: Services) -> list[Erasure]:
    """All requests to erase, the newest first."""
    with services.store.begin() as tx:
        rows = tx.rows(sa.select(t.erasure).order_by(t.erasure.c.id.desc()))
    return [record_of(Erasure, row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutPerson:
    """A request to erase, or a legal hold, with what a person needs to decide about it. `why`: the reason that was
    given; `cases`: the ids of the person's cases.
    """

    of: Erasure | LegalHold
    why: str
    cases: tuple[int, ...]
    login: str
    """Who asked for it or placed it."""
    certificate: Certificate | None = None


def read_erasures(services: Services, *, visible_to: int | None, limit: int = 100) -> list[AboutPerson]:
    """Requests about persons all of whose cases this unit sees: waiting ones first, then the newest."""
    e = t.erasure.c
    waits = e.state == ErasureState.WAITING.value
    statement = sa.select(t.erasure).where(~_hidden_case(e.person_id, visible_to))
    with services.store.begin() as tx:
        rows = tx.rows(statement.order_by(waits.desc(), e.id.desc()).limit(limit))
        found = [
            AboutPerson(
                of=record_of(Erasure, row),
                why=last_audit_reason(tx, act="erase_asked", subject=f"person/{row['person_id']}"),
                cases=tuple(cases_of_person(tx, row["person_id"])),
                login=row["asked_by"],
            )
            for row in rows
        ]
    return [
        replace(about, certificate=certificate_of(services, about.of.id))
        if isinstance(about.of, Erasure) and about.of.state is ErasureState.ERASED
        else about
        for about in found
    ]


def read_holds(services: Services, *, visible_to: int | None, limit: int = 100) -> list[AboutPerson]:
    """Legal holds in force on persons all of whose cases this unit sees, the newest first."""
    h = t.legal_hold.c
    statement = sa.select(t.legal_hold).where(h.lifted_at.is_(None), ~_hidden_case(h.person_id, visible_to))
    with services.store.begin() as tx:
        return [
            AboutPerson(
                of=record_of(LegalHold, row),
                why=last_audit_reason(tx, act="legal_hold", subject=f"person/{row['person_id']}"),
                cases=tuple(cases_of_person(tx, row["person_id"])),
                login=row["placed_by"],
            )
            for row in tx.rows(statement.order_by(h.id.desc()).limit(limit))
        ]


def certificate_of(services: Services, request_id: int) -> Certificate:
    """The certificate of an erasure. Raises `NotFound`, and `Conflict` if the person was not erased."""
    with services.store.begin() as tx:
        row = tx.one(sa.select(t.erasure).where(t.erasure.c.id == request_id))
        if row is None:
            raise NotFound(kind="request", key=request_id)
        erasure = record_of(Erasure, row)
        if erasure.state is not ErasureState.ERASED:
            raise Conflict(
                Text("request %(id)s is %(state)s: nobody was erased", id=request_id, state=erasure.state),
                current=erasure.state.value,
            )
        a = t.audit.c
        lines = sa.select(a.number).where(
            a.subject == f"person/{erasure.person_id}", a.act.in_(_ERASED_ACTS), a.at >= erasure.decided_at
        )
        number = tx.scalar(lines.order_by(a.number).limit(1)) or 0
        cases = tuple(cases_of_person(tx, erasure.person_id))
        seal = seal_of(tx.vault, _certified(erasure, cases, number))
    return Certificate(erasure=erasure, cases=cases, audit_number=number, seal=seal)


def _certified(erasure: Erasure, cases: tuple[int, ...], audit_number: int) -> dict[str, Any]:
    counts = dict(erasure.counts or {})
    return erasure.plain() | {"cases": list(cases), "erased": counts, "audit_number": audit_number}


def place_legal_hold(services: Services, actor: Actor, case_id: int, *, why: str) -> LegalHold:
    """Places a legal hold on the person of this case, who is not erased until it is lifted. Raises `NotFound`,
    `Invalid` and `Conflict`.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.ERASE_PERSONS) as act:
        tx = act.tx
        person = _person_of(tx, case_id, actor.unit_id)
        if _standing_hold(tx, person.id) is not None:
            raise Conflict("the person is under a legal hold already")
        row = tx.one(
            sa.insert(t.legal_hold)
            .values(person_id=person.id, placed_by=act.by, placed_at=act.now)
            .returning(t.legal_hold)
        )
        assert row is not None
        act.audit("legal_hold", f"person/{person.id}", why=reason, facts={"hold": row["id"], "case": case_id})
    return record_of(LegalHold, row)


def lift_legal_hold(services: Services, actor: Actor, case_id: int, *, why: str) -> None:
    """Lifts the legal hold on the person of this case. Raises `NotFound`, `Invalid`, and `Conflict` without one."""
    reason = required_text("why", why)
    with services.act(actor, Permission.ERASE_PERSONS) as act:
        tx = act.tx
        person = _person_of(tx, case_id, actor.unit_id)
        hold = _standing_hold(tx, person.id)
        if hold is None:
            raise Conflict("the person is under no legal hold")
        tx.execute(
            sa.update(t.legal_hold)
            .where(t.legal_hold.c.id == hold["id"])
            .values(lifted_by=act.by, lifted_at=act.now)
        )
        facts = {"hold": hold["id"], "case": case_id}
        act.audit("legal_hold_lifted", f"person/{person.id}", why=reason, facts=facts)


def list_legal_holds(services: Services) -> list[LegalHold]:
    """Legal holds in force, the newest first."""
    h = t.legal_hold.c
    with services.store.begin() as tx:
        rows = tx.rows(sa.select(t.legal_hold).where(h.lifted_at.is_(None)).order_by(h.id.desc()))
    return [record_of(LegalHold, row) for row in rows]


def _hidden_case(person_id: sa.ColumnElement[Any], visible_to: int | None) -> sa.ColumnElement[bool]:
    """The condition that the person has a case that this unit does not see."""
    c = t.case.c
    sees = sa.func.coalesce(is_visible_to(c.unit_id, visible_to), sa.false())
    return sa.exists().where(c.person_id == person_id, sa.not_(sees))


def _check_visible(tx: Tx, person_id: int, visible_to: int | None) -> None:
    """Raises `NotFound` where a case of the person belongs to another unit: the whole centre decides then."""
    if tx.scalar(sa.select(_hidden_case(sa.literal(person_id, sa.BigInteger), visible_to))):
        raise NotFound(kind="person", key=person_id)


def _person_of(tx: Tx, case_id: int, visible_to: int | None) -> PersonRow:
    """The person, locked with all their cases."""
    check_case_visible(tx, case_id, visible_to)
    person_id = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id))
    person = None if person_id is None else lock_person(tx, person_id)
    if person is None:
        raise NotFound(kind="case", key=case_id)
    _check_visible(tx, person.id, visible_to)
    return person


def _check_erasable(tx: Tx, person: PersonRow) -> None:
    if _standing_hold(tx, person.id) is not None:
        raise Conflict("the person is under a legal hold: it must be lifted first", current="legal_hold")
    if work := work_of_person(tx, person.id):
        raise Conflict(
            "a case of the person is not over, or a call, message or task of it: wait for the end, or close it",
            current=work,
        )


def _standing_hold(tx: Tx, person_id: int) -> Row | None:
    h = t.legal_hold.c
    return tx.one(sa.select(h.id).where(h.person_id == person_id, h.lifted_at.is_(None)))


def _lock_waiting(tx: Tx, request_id: int, visible_to: int | None, *, now: datetime) -> tuple[Row, Erasure]:
    person_id = tx.scalar(sa.select(t.erasure.c.person_id).where(t.erasure.c.id == request_id))
    if person_id is not None:
        _check_visible(tx, person_id, visible_to)
    row = ERASURES.lock(tx, request_id, now=now)
    return row, record_of(Erasure, row)
