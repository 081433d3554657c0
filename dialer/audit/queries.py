"""Lines of the audit by who, what, about what and when; newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.core.rates import Period
from dialer.db import tables as t
from dialer.db.audit import Seal, audit_reason
from dialer.db.unit_of_work import Row, Tx
from dialer.org.unit_store import is_within_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """All that is given must hold; `before` is where the last page ended."""

    who: str = ""
    act: str = ""
    subject: str = ""
    """The whole of it, such as case/7."""
    period: Period = field(default_factory=Period)
    visible_to: int | None = None
    """Only acts of the staff of this unit and of those below it; None: of everybody."""
    before: tuple[datetime, int] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    id: int
    at: datetime
    who: str
    act: str
    subject: str
    why: str
    seal: Seal
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    lines: tuple[AuditLine, ...]
    next_before: tuple[datetime, int] | None
    """Where the next page begins; None when this is the last."""


def search_audit(tx: Tx, query: AuditQuery) -> AuditPage:
    """Newest first."""
    a = t.audit.c
    rows = tx.rows(
        sa.select(t.audit).where(*_asked(query)).order_by(a.at.desc(), a.id.desc()).limit(query.limit + 1)
    )
    lines = tuple(_line(tx, row) for row in rows[: query.limit])
    more = len(rows) > query.limit
    return AuditPage(lines=lines, next_before=(lines[-1].at, lines[-1].id) if more else None)


def _line(tx: Tx, row: Row) -> AuditLine:
    reason = audit_reason(tx.vault, row)
    plain = {name: row[name] for name in ("id", "at", "who", "act", "subject", "facts")}
    return AuditLine(why=reason.why, seal=reason.seal, **plain)


def _asked(query: AuditQuery) -> Iterator[sa.ColumnElement[bool]]:
    a = t.audit.c
    for column, text in ((a.who, query.who), (a.act, query.act), (a.subject, query.subject)):
        if text:
            yield column == text
    if query.visible_to is not None:
        own: sa.Select[Any] = sa.select(t.staff.c.login).where(
            is_within_unit(t.staff.c.unit_id, query.visible_to)
        )
        yield a.who.in_(own)
    if query.period.start is not None:
        yield a.at >= query.period.start
    if query.period.end is not None:
        yield a.at < query.period.end
    if query.before is not None:
        yield sa.tuple_(a.at, a.id) < sa.tuple_(*query.before)


def audited_act_names(tx: Tx) -> list[str]:
    """Every act in the audit, each once, by a loose scan of the index."""
    a = t.audit.c
    first = sa.select(sa.func.min(a.act).label("act")).cte("each", recursive=True)
    following = sa.select(sa.func.min(a.act)).where(a.act > first.c.act).scalar_subquery()
    each = first.union_all(sa.select(following).where(first.c.act.is_not(None)))
    return [row["act"] for row in tx.rows(sa.select(each.c.act).where(each.c.act.is_not(None)))]
