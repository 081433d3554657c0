"""Institutions with outlets, accounts of tellers, daily files of openings, and what is learned later about cards.

Screening checks the openings of daily files, and stored accounts, in batches: it gives a verdict to every opening
without one. A killed process loses nothing, and several processes can work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cards.counter import ToCheck, check_openings, enter_openings
from dialer.cards.store import (
    Outlet,
    institution_named,
    opening_personal,
    outlets_of,
    outlets_of_institution,
    write_fact,
)
from dialer.core.access import Role, actor_name, required_text
from dialer.core.cards import CardProduct, InstitutionKind, OpeningFactKind
from dialer.core.errors import Invalid, NotFound
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.bulk import RowSet
from dialer.db.system_state import UNCHECKED_OPENING
from dialer.db.unit_of_work import Row, Tx
from dialer.intake.headings import KnownList
from dialer.intake.opening_lists import (
    OpeningField,
    OpeningOptions,
    OpeningReader,
    OpeningRecord,
    card_number,
)
from dialer.intake.records import Column, RejectedRow
from dialer.runtime.services import Services
from dialer.runtime.uploads import known_tables
from dialer.staff.store import find_member

_BATCH = 500


def add_institution(services: Services, *, name: str, kind: InstitutionKind, token: str, by: str) -> int:
    """Adds a bank or carrier and returns its id; for a name that exists, changes its kind and API token."""
    who, called = actor_name(by), required_text("name", name)
    with services.store.begin() as tx:
        values = {"kind": kind.value, "token_name": token.strip() or None}
        institution_id = tx.scalar(
            insert(t.institution)
            .values(name=called, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
            .returning(t.institution.c.id)
        )
        _note(tx, services, who, "institution", f"institution/{institution_id}", {"name": called})
    return int(institution_id)


def add_outlet(services: Services, *, institution: str, code: str, name: str, unit: str, by: str) -> int:
    """Adds an outlet and returns its id; for a code that exists, changes its name and unit. `unit`: the name of the
    centre in charge, '' for none. Raises `NotFound`.
    """
    who, known = actor_name(by), required_text("code", code)
    with services.store.begin() as tx:
        row = institution_named(tx, institution)
        found = services.units.current(tx).find(unit) if unit.strip() else None
        if unit.strip() and found is None:
            raise NotFound(kind="unit", key=unit)
        outlet_id = _put_outlet(
            tx, row["id"], known, name.strip() or known, None if found is None else found.id
        )
        _note(tx, services, who, "outlet", f"outlet/{outlet_id}", {"code": known})
    return outlet_id


def _put_outlet(tx: Tx, institution_id: int, code: str, name: str, unit_id: int | None) -> int:
    values = {"name": name, "unit_id": unit_id}
    return int(
        tx.scalar(
            insert(t.outlet)
            .values(institution_id=institution_id, code=code, **values)
            .on_conflict_do_update(index_elements=["institution_id", "code"], set_=values)
            .returning(t.outlet.c.id)
        )
    )


def bind_teller(services: Services, *, login: str, institution: str, code: str, by: str) -> None:
    """Binds the account of a teller to this outlet from now on. Raises `NotFound`, and `Invalid` for another role."""
    who = actor_name(by)
    with services.store.begin() as tx:
        member = find_member(tx, login)
        if member is None:
            raise NotFound(kind="account", key=login)
        if member.role is not Role.TELLER:
            raise Invalid(field="login", problem="is not the account of a teller")
        outlet = _outlet(tx, institution, code)
        values = {"outlet_id": outlet.id}
        tx.execute(
            insert(t.outlet_teller)
            .values(staff_id=member.id, **values)
            .on_conflict_do_update(index_elements=["staff_id"], set_=values)
        )
        _note(tx, services, who, "bind_teller", f"staff/{member.id}", {"outlet": outlet.code})


def _outlet(tx: Tx, institution: str, code: str) -> Outlet:
    row = institution_named(tx, institution)
    outlet = outlets_of_institution(tx, row["id"]).get(code)
    if outlet is None:
        raise NotFound(kind="outlet", key=code)
    return outlet


def report_openings(
    services: Services, *, institution: str, code: str, day: date, reported: int, by: str
) -> None:
    """Records how many openings the institution reports for the outlet on a day: the denominator of
    its completeness.
    """
    who = actor_name(by)
    if reported < 0:
        raise Invalid(field="reported", problem="is below zero")
    with services.store.begin() as tx:
        outlet = _outlet(tx, institution, code)
        tx.execute(
            insert(t.outlet_report)
            .values(outlet_id=outlet.id, day=day, reported=reported)
            .on_conflict_do_update(index_elements=["outlet_id", "day"], set_={"reported": reported})
        )
        facts = {"day": day.isoformat(), "reported": reported}
        _note(tx, services, who, "report_openings", f"outlet/{outlet.id}", facts)


def _note(tx: Tx, services: Services, who: str, act: str, subject: str, facts: Mapping[str, object]) -> None:
    write_audit(tx, who=who, act=act, subject=subject, why="", now=services.clock.now(), facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLoad:
    """The result of loading a daily file. `completed` openings had been checked at the counter."""

    rows: int = 0
    new: int = 0
    completed: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejects: tuple[RejectedRow, ...] = ()
    columns: tuple[Column, ...] = ()


def load_openings(
    services: Services,
    content: BinaryIO,
    *,
    institution: str,
    source: str,
    by: str,
    add_outlets: bool = False,
    dry_run: bool = False,
) -> OpeningLoad:
    """Reads the file and enters its openings in batches; the same file again changes nothing. With `add_outlets` an
    unknown outlet is added under its code. Raises `UnusableFile`, and `NotFound` for the institution.
    """
    who, now = actor_name(by), services.clock.now()
    with services.store.begin() as tx:
        row = institution_named(tx, institution)
        outlets = outlets_of_institution(tx, row["id"])
    reader = OpeningReader(
        OpeningOptions(
            now=now,
            timezone=services.centre.timezone,
            default_area=services.centre.area_code,
            is_bank=row["kind"] == InstitutionKind.BANK.value,
        )
    )
    records: list[OpeningRecord] = []
    rejects: list[RejectedRow] = []
    with closing(known_tables(content, KnownList.OPENINGS)) as tables:
        for one in reader.read(tables):
            if isinstance(one, RejectedRow):
                rejects.append(one)
            elif one.outlet in outlets or add_outlets:
                records.append(one)
            else:
                rejects.append(_refused(one, _unknown_outlet(one.outlet)))
    known = outlets.keys()
    done = OpeningLoad(rows=len(records) + len(rejects), columns=reader.columns)
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        with services.store.begin_and_roll_back() if dry_run else services.store.begin() as tx:
            for code in sorted({one.outlet for one in batch} - outlets.keys()):
                _put_outlet(tx, row["id"], code, code, None)
            outlets = outlets_of_institution(tx, row["id"])
            entered = enter_openings(
                services, tx, [(one, outlets[one.outlet]) for one in batch], by=who, source=source
            )
        if dry_run:  # the outlets that were added are rolled back
            outlets = {code: one for code, one in outlets.items() if code in known}
        rejects += [_refused(batch[place], _OTHER_OPENING) for place, _ in entered.refused]
        done = replace(
            done,
            new=done.new + entered.new,
            completed=done.completed + entered.completed,
            duplicate=done.duplicate + entered.duplicate,
        )
    rejects.sort(key=lambda one: (one.table, one.line))
    done = replace(done, rejected=len(rejects), rejects=tuple(rejects))
    if not dry_run:
        with services.store.begin() as tx:
            facts = {"file": source, "rows": done.rows, "accepted": done.new, "rejected": done.rejected}
            _note(tx, services, who, "load_openings", f"institution/{row['id']}", facts)
    return done


_OTHER_OPENING = Text(
    "this number belongs to the opening of another person or outlet: give it a number of its own"
)


def _unknown_outlet(code: str) -> Text:
    return Text(
        "outlet %(outlet)s is not known: add it with `dialer openings outlet`, or correct the code",
        outlet=code,
    )


def _refused(record: OpeningRecord, reason: Text) -> RejectedRow:
    is_number = reason is _OTHER_OPENING
    return record.refused(OpeningField.OPENING_NO if is_number else OpeningField.OUTLET, reason)


def add_fact(
    services: Services, *, number: str, kind: OpeningFactKind, source: str, at: datetime, by: str
) -> bool:
    """Records what is known later of an account or telephone number; False if it was known. Raises `Invalid`."""
    who, given = actor_name(by), required_text("number", number)
    with services.store.begin() as tx:
        plain = card_number(CardProduct.SIM_MAIN, given, services.centre.area_code)
        is_new = write_fact(
            tx, plain, kind, source=required_text("source", source), by=who, at=at, now=services.clock.now()
        )
        if is_new:
            _note(tx, services, who, "opening_fact", "opening_fact", {"kind": kind.value})
    return is_new


_SCREEN_BATCH: Final = 500
SHARDS: Final = 2
_IDS_PER_STRIPE: Final = 512
"""How many ids in a row belong to one shard."""
_SCREEN_LOCK: Final = 0x53435200
_FOUND: Final = RowSet("found", {"id": sa.BigInteger(), "verdict": sa.Text()})
_o = t.opening.c
_WAITING = UNCHECKED_OPENING


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """The progress of the screening. `listed`: openings whose person or ring is on the morning list."""

    done: int = 0
    listed: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningBatch:
    """The result of a batch. `after`: the last id that was checked; None if nothing is left."""

    done: int = 0
    listed: int = 0
    after: int | None = None


def _to_check(row: Row, personal: Mapping[str, Any], outlet: Outlet) -> ToCheck:
    return ToCheck(
        row=row,
        phone=personal["phone"],
        id_number=personal["id_number"],
        outlet=outlet,
        at=row["asked_at"],
    )


def screen_batch(
    services: Services, *, after: int = 0, shard: int = 0, at_most: int = _SCREEN_BATCH
) -> ScreeningBatch:
    """Checks the next openings of a shard without a verdict, in the order of their ids, in one transaction, each as of
    its own time. Does nothing while another process works on the shard. Rows are locked only while the verdicts are
    written, so that a batch and the counters never deadlock.
    """
    with services.store.begin() as tx:
        if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_SCREEN_LOCK + shard))):
            return ScreeningBatch(after=None)
        mine = (_o.id // _IDS_PER_STRIPE) % SHARDS == shard
        rows = tx.rows(
            sa.select(t.opening).where(_WAITING, _o.id > after, mine).order_by(_o.id).limit(at_most)
        )
        if not rows:
            return ScreeningBatch(after=None)
        outlets = outlets_of(tx, {row["outlet_id"] for row in rows})
        given = [
            _to_check(row, opening_personal(tx, row["id"], row["sealed"]), outlets[row["outlet_id"]])
            for row in rows
        ]
        answers = check_openings(tx, services, given)
        tx.execute(
            sa.update(t.opening)
            .where(_o.id == _FOUND.c.id, _o.verdict.is_(None))
            .values(verdict=_FOUND.c.verdict),
            _FOUND.given(
                [
                    {"id": row["id"], "verdict": answer.verdict.value}
                    for row, (answer, _) in zip(rows, answers, strict=True)
                ]
            ),
        )
    return ScreeningBatch(done=len(rows), listed=sum(listed for _, listed in answers), after=rows[-1]["id"])


def screen_all(services: Services, *, stopping: Callable[[], bool] = lambda: False) -> Iterator[Screened]:
    """Screens batch after batch until nothing is left; yields what was done so far and what is left. The shards work in
    parallel, so that the database and this process are both busy.
    """
    with services.store.begin() as tx:
        left = int(tx.scalar(sa.select(sa.func.count()).select_from(t.opening).where(_WAITING)))
    done = listed = 0
    with ThreadPoolExecutor(SHARDS) as pool:

        def begin(shard: int, after: int) -> Future[ScreeningBatch]:
            return pool.submit(screen_batch, services, shard=shard, after=after)

        working = {begin(shard, 0): shard for shard in range(SHARDS)}
        while working:
            ended, _ = wait(working, return_when=FIRST_COMPLETED)
            for future in ended:
                shard, found = working.pop(future), future.result()
                done, listed, left = done + found.done, listed + found.listed, max(0, left - found.done)
                if found.after is not None and not stopping():
                    working[begin(shard, found.after)] = shard
            yield Screened(done=done, listed=listed, left=left)
