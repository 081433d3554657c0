"""Daily files of openings, and what is learned later about cards."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from dialer.cards.counter.actions import enter_openings
from dialer.cards.openings.store import institution_named, outlets_of_institution, put_outlet, write_fact
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import CardProduct, InstitutionKind, OpeningFactKind
from dialer.core.text import Text
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

_BATCH = 500
_RIGHTS = (Permission.LOAD_LISTS, Permission.MANAGE_UNITS)


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
    actor: Actor,
    content: BinaryIO,
    *,
    institution: str,
    source: str,
    add_outlets: bool = False,
    dry_run: bool = False,
) -> OpeningLoad:
    """Reads the file and enters its openings in batches; the same file again changes nothing. With `add_outlets` an
    unknown outlet is added under its code. Raises `UnusableFile`, and `NotFound` for the institution.
    """
    actor.check_may(*_RIGHTS)
    with services.store.begin() as tx:
        row = institution_named(tx, institution)
        outlets = outlets_of_institution(tx, row["id"])
    known = outlets.keys()
    records, rejects, columns = _read_openings(
        services,
        content,
        is_bank=row["kind"] == InstitutionKind.BANK.value,
        outlets=None if add_outlets else known,
    )
    done = OpeningLoad(rows=len(records) + len(rejects), columns=columns)
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        with services.store.begin_and_roll_back() if dry_run else services.store.begin() as tx:
            for code in sorted({record.outlet for record in batch} - outlets.keys()):
                put_outlet(tx, row["id"], code, name=code, unit_id=None)
            outlets = outlets_of_institution(tx, row["id"])
            openings = [(record, outlets[record.outlet]) for record in batch]
            entered = enter_openings(services, tx, actor, openings, source=source)
        if dry_run:  # the outlets that were added are rolled back
            outlets = {code: outlet for code, outlet in outlets.items() if code in known}
        rejects += [
            batch[place].refused(OpeningField.OPENING_NO, _OTHER_OPENING) for place, _ in entered.refused
        ]
        done = replace(
            done,
            new=done.new + entered.new,
            completed=done.completed + entered.completed,
            duplicate=done.duplicate + entered.duplicate,
        )
    rejects.sort(key=lambda reject: (reject.table, reject.line))
    if not dry_run:
        with services.act(actor, *_RIGHTS) as act:
            facts = {"file": source, "rows": done.rows, "accepted": done.new, "rejected": len(rejects)}
            act.audit("load_openings", f"institution/{row['id']}", facts=facts)
    return replace(done, rejected=len(rejects), rejects=tuple(rejects))


def _read_openings(
    services: Services, content: BinaryIO, *, is_bank: bool, outlets: Collection[str] | None
) -> tuple[list[OpeningRecord], list[RejectedRow], tuple[Column, ...]]:
    """The rows and columns of the file. `outlets`: a row of any other outlet is rejected; None: of none."""
    reader = OpeningReader(
        OpeningOptions(
            now=services.clock.now(),
            timezone=services.centre.timezone,
            default_area=services.centre.area_code,
            is_bank=is_bank,
        )
    )
    records: list[OpeningRecord] = []
    rejects: list[RejectedRow] = []
    with closing(known_tables(content, KnownList.OPENINGS)) as tables:
        for read in reader.read(tables):
            if isinstance(read, RejectedRow):
                rejects.append(read)
            elif outlets is None or read.outlet in outlets:
                records.append(read)
            else:
                rejects.append(read.refused(OpeningField.OUTLET, _unknown_outlet(read.outlet)))
    return records, rejects, reader.columns


_OTHER_OPENING = Text(
    "this number belongs to the opening of another person or outlet: give it a number of its own"
)


def _unknown_outlet(code: str) -> Text:
    return Text(
        "outlet %(outlet)s is not known: add it with `dialer openings outlet`, or correct the code",
        outlet=code,
    )


def add_fact(
    services: Services, actor: Actor, *, number: str, kind: OpeningFactKind, source: str, at: datetime
) -> bool:
    """Records what is known later of an account or telephone number; False if it was known. Raises `Invalid`."""
    given = required_text("number", number)
    found_in = required_text("source", source)
    with services.act(actor, Permission.LOAD_FILED, Permission.CONTROL) as act:
        plain = card_number(CardProduct.SIM_MAIN, given, services.centre.area_code)
        is_new = write_fact(act, plain, kind, source=found_in, at=at)
        if is_new:
            act.audit("opening_fact", "opening_fact", facts={"kind": kind.value})
        else:
            act.needs_no_record()
    return is_new
