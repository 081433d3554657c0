"""Finds cases by phone, name, id number, instruction number and what they are now. Masked, newest first."""

from __future__ import annotations

from dialer.domain.case import CaseStatus
from dialer.domain.values import FraudType, Grade
from dialer.errors import Invalid
from dialer.language import Text
from dialer.outcomes.period import Period
from dialer.store.reads.case_search import CasePage, CaseQuery, search
from dialer.store.reads.finding import Sought
from dialer.usecases.engine import Engine
from dialer.usecases.seek_person import seek_person

MOST = 500


def search_cases(
    engine: Engine,
    *,
    phone: str = "",
    name: str = "",
    id_number: str = "",
    instruction_no: str = "",
    source: str = "",
    grade: Grade | None = None,
    fraud_type: FraudType | None = None,
    status: CaseStatus | None = None,
    unit: str = "",
    unit_id: int | None = None,
    seen_by: int | None = None,
    sought: Sought | None = None,
    load_id: int | None = None,
    period: Period | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> CasePage:
    """One page of the cases for which all that is given holds; `before_id` is the last page's `next_before_id`.
    `sought` is a person already brought to the form of the indexes; `seen_by` is the unit of whoever asks.
    """
    if not 1 <= limit <= MOST:
        raise Invalid(field="limit", problem=Text("is not between 1 and %(most)s", most=MOST))
    query = CaseQuery(
        sought=sought or seek_person(engine, phone=phone, name=name, id_number=id_number),
        instruction_no=instruction_no.strip(),
        source=source.strip(),
        grade=grade,
        fraud_type=fraud_type,
        status=status,
        unit=unit.strip(),
        unit_id=unit_id,
        seen_by=seen_by,
        load_id=load_id,
        period=period if period is not None else Period(),
        before_id=before_id,
        limit=limit,
    )
    with engine.store.begin() as tx:
        return search(tx, query)
