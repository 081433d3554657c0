"""Everything about accepted records that needs no lock: ids, blind indexes, sealed rows. A list's next records are made
ready while the database takes the last ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dialer.intake.records import Accepted, Record
from dialer.language import bilingual
from dialer.store import cases, people, warnings
from dialer.store import tables as t
from dialer.store.people import Identity, Person, Sealed
from dialer.store.unit_of_work import Tx
from dialer.store.vault import Vault
from dialer.store.warnings import Content
from dialer.usecases.engine import Engine
from dialer.usecases.open_cases import CaseOpener, Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An accepted record, ready to be written. The ids of its person and its case, and how that case begins, are used
    if these turn out to be new.
    """

    record: Record
    identity: Identity
    person: Person
    person_id: int
    sealed: Sealed
    opened: Opened
    content: Content

    @property
    def case_id(self) -> int:
        return self.opened.stored.case.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBatch:
    """Records of one load (None: of none) at one moment."""

    opener: CaseOpener
    records: tuple[Prepared, ...]


def prepare_arrivals(
    tx: Tx, engine: Engine, batch: Sequence[Accepted], *, load_id: int | None, now: datetime
) -> PreparedBatch:
    """In the order given. Takes ids from the sequences, which no rollback gives back."""
    opener = CaseOpener(tx, engine, load_id=load_id, now=now)
    person_ids = cases.next_ids(tx, t.person, len(batch))
    case_ids = cases.next_ids(tx, t.case, len(batch))
    warning_ids = cases.next_ids(tx, t.warning, len(batch))
    return PreparedBatch(
        opener=opener,
        records=tuple(
            [
                _prepared(
                    tx.vault, opener, accepted, person_id=person_id, case_id=case_id, warning_id=warning_id
                )
                for accepted, person_id, case_id, warning_id in zip(
                    batch, person_ids, case_ids, warning_ids, strict=True
                )
            ]
        ),
    )


def _prepared(
    vault: Vault, opener: CaseOpener, accepted: Accepted, *, person_id: int, case_id: int, warning_id: int
) -> Prepared:
    record = accepted.record
    person = Person(
        name=record.name,
        phones=record.phones,
        id_number=record.id_number if record.id_valid else "",
        address=record.address,
        family_contact=record.family_contact,
    )
    return Prepared(
        record=record,
        identity=people.identify(
            vault,
            name=record.name,
            phones=record.phones,
            id_number=record.id_number,
            id_valid=record.id_valid,
        ),
        person=person,
        person_id=person_id,
        sealed=people.seal(vault, person, person_id=person_id),
        opened=opener.open(record, case_id=case_id, person_id=person_id, numbers=len(person.phones)),
        content=_content(vault, accepted, warning_id=warning_id),
    )


def _content(vault: Vault, accepted: Accepted, *, warning_id: int) -> Content:
    record = accepted.record
    return warnings.content(
        vault,
        warning_id=warning_id,
        source=record.source,
        instruction_no=record.instruction_no,
        kind=record.kind,
        fraud_type=record.fraud_type,
        grade=record.grade,
        unit=record.unit,
        amount_at_risk_fen=record.amount_at_risk_fen,
        amount_paid_fen=record.amount_paid_fen,
        talk_seconds=record.talk_seconds,
        tags=record.tags,
        missed=record.missed,
        notices=[
            {"column": notice.column, "code": notice.code.value, "message": bilingual(notice.message)}
            for notice in accepted.notices
        ],
        event_at=record.event_at,
        produced_at=record.produced_at,
        expires_at=record.expires_at,
        personal={
            "name": record.name,
            "phones": record.phones,
            "id_number": record.id_number,
            "address": record.address,
            "family_contact": record.family_contact,
            "fraud_numbers": record.fraud_numbers,
            "fraud_url": record.fraud_url,
            "fraud_app": record.fraud_app,
            "fraud_account": record.fraud_account,
            "remarks": record.remarks,
        },
    )
