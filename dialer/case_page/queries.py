"""The list of cases in an order of its own, with who has each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.cases.search import CaseLine, CaseQuery, case_line, matching_cases
from dialer.core.case import PENDING_STATES, CaseStatus
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Tx
from dialer.work.assignments import limit_that_runs


class CaseSort(StrEnum):
    """What stands first in the list of cases. In all orders but `NEWEST` only open cases are listed, unless the query
    names a state: what is settled has no next act and nobody who has it.
    """

    NEWEST = "newest"
    NEXT = "next"
    OVERDUE = "overdue"
    MONEY = "money"
    GRADE = "grade"
    OWNER = "owner"
    UNIT = "unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who has the work of a case, and the time limit that runs first."""

    names: tuple[str, ...]
    """The display names of those who signed for a call or a visit; () while nobody has."""
    until: datetime


_a = t.assignment.c
_IS_PENDING = in_words(_a.state, PENDING_STATES)


def sorted_cases(tx: Tx, query: CaseQuery, sort: CaseSort, *, page: int) -> tuple[tuple[CaseLine, ...], bool]:
    """A page, from 1, of the matching cases in this order, and whether there are more."""
    if query.status is None:
        query = replace(query, status=CaseStatus.OPEN)
    statement = _in_order(matching_cases(tx, query), sort)
    rows = tx.rows(statement.limit(query.limit + 1).offset((page - 1) * query.limit))
    return tuple(case_line(tx, row) for row in rows[: query.limit]), len(rows) > query.limit


def _in_order(statement: sa.Select[Any], sort: CaseSort) -> sa.Select[Any]:
    c = t.case.c
    work = sa.select(sa.func.min(limit_that_runs())).where(_a.case_id == c.id, _IS_PENDING).scalar_subquery()
    holder = (
        sa.select(sa.func.min(t.staff.c.display_name))
        .select_from(t.assignment.join(t.staff, t.staff.c.login == _a.signed_by))
        .where(_a.case_id == c.id, _IS_PENDING)
        .scalar_subquery()
    )
    ranks = sa.case({grade.value: grade.rank for grade in Grade}, value=c.grade)
    first: Mapping[CaseSort, sa.ColumnElement[Any]] = {
        CaseSort.NEXT: c.due_at.asc().nulls_last(),
        CaseSort.OVERDUE: work.asc().nulls_last(),
        CaseSort.MONEY: c.amount_at_risk_fen.desc().nulls_last(),
        CaseSort.GRADE: ranks.desc(),
        CaseSort.OWNER: holder.asc().nulls_last(),
        CaseSort.UNIT: t.unit.c.name.asc().nulls_last(),
    }
    return statement.order_by(*([first[sort]] if sort in first else []), c.id.desc())


def holdings(tx: Tx, case_ids: Collection[int]) -> Mapping[int, Holding]:
    """Who has these cases, by id; cases without a pending call or visit are left out."""
    if not case_ids:
        return {}
    names = sa.func.array_agg(sa.distinct(t.staff.c.display_name)).filter(t.staff.c.display_name.is_not(None))
    statement = (
        sa.select(_a.case_id, names.label("names"), sa.func.min(limit_that_runs()).label("until"))
        .select_from(t.assignment.join(t.staff, t.staff.c.login == _a.signed_by, isouter=True))
        .where(_a.case_id.in_(case_ids), _IS_PENDING)
        .group_by(_a.case_id)
    )
    return {
        row["case_id"]: Holding(names=tuple(row["names"] or ()), until=row["until"])
        for row in tx.rows(statement)
    }
