"""Rows of a small town, put in plainly, so that a test says what is there and what a report must make of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import sqlalchemy as sa

from dialer.cases.persons import KnownPerson, Person, identify_person, write_people
from dialer.cases.store import case_to_columns, get_case
from dialer.core.case import Case, CaseStatus
from dialer.core.policy import to_plain
from dialer.core.values import Contact, FraudType, Grade
from dialer.db import tables as t
from dialer.db.keys import Keys
from dialer.db.migrations import newest_revision
from dialer.db.policies import Policies, ensure_policy_version
from dialer.db.unit_of_work import Store, Tx
from dialer.db.vault import Vault
from dialer.runtime.services import Centre, LineRules, Services
from dialer.scripts.rendered import RenderedScripts
from dialer.work.assignments import get_assignment, sign_assignment_for
from dialer.work.desk_store import add_desk_call, change_desk_call
from tests.clock import FrozenClock
from tests.core.samples import POLICY

MORNING = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai: the dialling window is open."""

NAME, PHONE, ID_NUMBER = "王小明", "+8613800138000", "150402199001011237"


@cache
def _newest() -> str:
    return newest_revision()


class Scenario:
    def __init__(self, url: str, *, drill: bool = False) -> None:
        vault = Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
        self.store = Store(url, vault, pool_size=2)
        self.clock = FrozenClock(MORNING)
        self.drill = drill
        self._numbers = count(1)
        with self.store.begin() as tx:
            self.policy_version = ensure_policy_version(tx, to_plain(POLICY), now=MORNING)
        self.enqueued: list[tuple[object, ...]] = []
        self._folder = TemporaryDirectory(prefix="dialer-facts-")
        self.services = Services(
            store=self.store,
            clock=self.clock,
            real=self.clock,
            policies=Policies(self.store, current=self.policy_version),
            rendered_scripts=RenderedScripts(self.store),
            lines=LineRules(),
            centre=Centre(timezone="Asia/Shanghai", area_code="0478", default_grade=Grade.MEDIUM),
            drill=drill,
            facts_folder=Path(self._folder.name),
            schema=_newest(),
            enqueue=lambda *args: self.enqueued.append(args),
        )

    @classmethod
    def on(cls, services: Services) -> Self:
        """The records of an application that is already there; whoever made it closes it."""
        scenario = cls.__new__(cls)
        scenario._use(services)
        return scenario

    def _use(self, services: Services) -> None:
        self.store, self.drill, self.services = services.store, services.drill, services
        self._numbers, self.enqueued = count(1), []
        with services.store.begin() as tx:
            self.policy_version = ensure_policy_version(tx, to_plain(POLICY), now=MORNING)

    @contextmanager
    def tx(self) -> Iterator[Tx]:
        with self.store.begin() as tx:
            yield tx

    def put(self, table: sa.Table, **columns: object) -> int:
        with self.store.begin() as tx:
            row = tx.one(sa.insert(table).values(**columns).returning(table))
        assert row is not None
        return int(row["id"])

    def person(
        self,
        *,
        name: str = "",
        phones: tuple[str, ...] = (),
        id_number: str = "",
        family_contact: str = "",
        coordinates: str = "",
    ) -> int:
        number = next(self._numbers)
        person = Person(
            name=name or f"甲{number}",
            phones=phones or (f"+861390000{number:04d}",),
            id_number=id_number,
            address="",
            family_contact=family_contact,
            coordinates=coordinates,
        )
        with self.store.begin() as tx:
            person_id = tx.scalar(
                sa.text("SELECT nextval(CAST(pg_get_serial_sequence('person', 'id') AS regclass))")
            )
            identity = identify_person(
                tx.vault,
                name=person.name,
                phones=person.phones,
                id_number=id_number,
                id_valid=bool(id_number),
            )
            known = KnownPerson(
                id=person_id, id_number=next(iter(identity.id_number), None), person=person, is_new=True
            )
            write_people(tx, [known], [(key, person_id) for key, *_ in identity.name_phones], now=MORNING)
        return int(person_id)

    def case(
        self,
        *,
        grade: Grade = Grade.MEDIUM,
        fraud_type: FraudType = FraudType.LOAN,
        opened_at: datetime = MORNING,
        status: CaseStatus = CaseStatus.OPEN,
        contact: Contact = Contact.NONE,
        person_id: int | None = None,
        drill: bool | None = None,
        warning: bool = True,
        first_grade: Grade | None = None,
        load_id: int | None = None,
        unit: str = "",
        **columns: object,
    ) -> int:
        """A case with its first warning. Open, it waits a day; settled, it waits for nothing."""
        case = Case(
            id=0,
            grade=grade,
            fraud_type=fraud_type,
            opened_at=opened_at,
            policy_version=self.policy_version,
            numbers=1,
            status=status,
            contact=contact,
        )
        owner = person_id if person_id is not None else self.person()
        marked = self.drill if drill is None else drill
        defaults: dict[str, Any] = case_to_columns(case)
        if not status.is_settled:
            defaults["due_at"] = opened_at + timedelta(days=1)
        else:
            defaults["settled_at"] = opened_at + timedelta(days=8)
        defaults |= {"load_id": load_id, "unit": unit}
        case_id = self.put(
            t.case,
            **(
                defaults
                | {
                    "person_id": owner,
                    "source": "bureau",
                    "policy_version": self.policy_version,
                    "opened_at": opened_at,
                    "drill": marked,
                }
                | columns
            ),
        )
        if warning:
            self.warning(
                case_id,
                person_id=owner,
                grade=first_grade or grade,
                fraud_type=fraud_type,
                loaded_at=opened_at,
                drill=marked,
                load_id=load_id,
            )
        return case_id

    def warning(self, case_id: int, *, person_id: int, drill: bool | None = None, **columns: object) -> int:
        number = next(self._numbers)
        given: dict[str, Any] = {
            "source": "bureau",
            "instruction_no": f"Z{number:05d}",
            "kind": "telecom",
            "fraud_type": "loan",
            "grade": "medium",
            "tags": [],
            "missed": False,
            "notices": [],
            "loaded_at": MORNING,
            "sealed": b"-",
        }
        marked = self.drill if drill is None else drill
        return self.put(t.warning, case_id=case_id, person_id=person_id, drill=marked, **(given | columns))

    def attempt(
        self,
        case_id: int,
        *,
        n: int = 1,
        result: str | None = "no_answer",
        sent_at: datetime | None = MORNING,
        drill: bool | None = None,
        **columns: object,
    ) -> uuid.UUID:
        attempt_id = uuid.uuid4()
        with self.store.begin() as tx:
            person_id = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id))
            given: dict[str, Any] = {
                "id": attempt_id,
                "case_id": case_id,
                "person_id": person_id,
                "n": n,
                "number": 0,
                "state": "ended" if result else "ringing",
                "reason": "new_warning",
                "windowed": True,
                "urgency_at": MORNING,
                "not_before": MORNING,
                "planned_at": MORNING,
                "sent_at": sent_at,
                "sid": f"CA{attempt_id.hex}" if sent_at else None,
                "ended_at": sent_at + timedelta(seconds=40) if sent_at and result else None,
                "result": result,
                "contact": "none",
                "answer": "none",
                "drill": self.drill if drill is None else drill,
            }
            tx.execute(sa.insert(t.attempt).values(**(given | columns)))
        return attempt_id

    def assignment(
        self,
        case_id: int,
        *,
        kind: str = "human",
        state: str = "open",
        drill: bool | None = None,
        **columns: object,
    ) -> int:
        given: dict[str, Any] = {
            "reason": "not_verified",
            "urgency_at": MORNING,
            "opened_at": MORNING,
            "sign_by": MORNING + timedelta(minutes=5),
            "due_at": MORNING + timedelta(minutes=20),
            "feedback_by": MORNING + timedelta(hours=4),
        }
        return self.put(
            t.assignment,
            case_id=case_id,
            kind=kind,
            state=state,
            drill=self.drill if drill is None else drill,
            **(given | columns),
        )

    def talked(self, assignment_id: int, *, by: str = "li", seconds: int | None = 60) -> None:
        """A call from the desk to the person of this assignment, which `by` has; None: its end is not known yet."""
        call_id, now = uuid.uuid4(), self.clock.now()
        with self.store.begin() as tx:
            sign_assignment_for(tx, assignment_id, by=by, now=now)
            of = get_assignment(tx, assignment_id)
            stored = get_case(tx, of.case_id)
            assert stored is not None
            add_desk_call(
                tx,
                call_id,
                assignment_id=assignment_id,
                case_id=of.case_id,
                person_id=stored.person_id,
                number=0,
                extension="8001",
                by=by,
                drill=stored.drill,
                asked_at=now,
                asked_real_at=now,
            )
            if seconds is not None:
                change_desk_call(
                    tx,
                    call_id,
                    state="ended",
                    result="answered",
                    talk_seconds=seconds,
                    settled=True,
                    ended_at=now,
                )

    def outcome(
        self, case_id: int, *, kind: str = "dissuaded_by_phone", drill: bool | None = None, **columns: object
    ) -> int:
        given: dict[str, Any] = {
            "contact": "verified",
            "track": "human",
            "reason": "reported",
            "recorded_by": "li",
            "at": MORNING,
        }
        if any(name.endswith("_fen") for name in columns):
            given["evidence_sealed"] = b"-"
        return self.put(
            t.outcome,
            case_id=case_id,
            kind=kind,
            drill=self.drill if drill is None else drill,
            **(given | columns),
        )

    def approve(self, outcome_id: int, *, recorded_by: str = "li", by: str = "zhao") -> None:
        with self.store.begin() as tx:
            tx.execute(
                sa.insert(t.outcome_approval).values(
                    outcome_id=outcome_id, recorded_by=recorded_by, approved_by=by, at=MORNING
                )
            )

    def put_filed(self, case_id: int, case_number: str) -> None:
        self.put(t.filed_case, case_id=case_id, case_number=case_number, by="li", at=MORNING)

    def close(self) -> None:
        self.store.dispose()
        self._folder.cleanup()
