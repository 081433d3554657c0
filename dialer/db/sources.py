"""Rows of sources: what each may send without a person looking at it, and how many warnings it has sent. A source that
is not known yet is on probation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.sources import COUNTED_LIMITS, Sent, SourceLimits, Spans
from dialer.db import tables as t
from dialer.db.alarms import Alarm, unacknowledged_alarms_of
from dialer.db.unit_of_work import Row, Tx, record_of

_s = t.source.c
_SPANS = {
    "minute_at": ("in_minute", "extra_high_in_minute"),
    "hour_at": ("in_hour", "extra_high_in_hour"),
    "day_at": ("in_day", "extra_high_in_day"),
}
"""The counts that begin again with each of these moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source as it is stored."""

    name: str
    on_probation: bool
    own_limits: SourceLimits
    """Those that a person has set for it."""
    sent: Sent
    """In the present minute, hour and day."""

    def limits(self, probation: SourceLimits) -> SourceLimits:
        """The limits that hold; `probation`: those of a source on probation, where a person has set none."""
        return self.own_limits.or_else(probation) if self.on_probation else self.own_limits


def count_sent(tx: Tx, counts: Mapping[str, tuple[int, int]], *, spans: Spans) -> dict[str, Source]:
    """Adds warnings to the counts of their sources: for each source those below extra high, and the extra-high ones.
    Returns the sources as they were before.
    """
    begun = asdict(spans)
    values = [
        {"name": name, **begun}
        | {
            column: added
            for columns in _SPANS.values()
            for column, added in zip(columns, counts[name], strict=True)
        }
        for name in sorted(counts)
    ]
    statement = insert(t.source).values(values)
    new = statement.excluded
    changed: dict[str, sa.ColumnElement[object]] = {moment: new[moment] for moment in _SPANS}
    for moment, columns in _SPANS.items():
        is_same = _s[moment] == new[moment]
        for column in columns:
            changed[column] = sa.case((is_same, _s[column]), else_=0) + new[column]
    upsert = statement.on_conflict_do_update(index_elements=[_s.name], set_=changed).returning(t.source)
    found = {}
    for row in tx.rows(upsert):
        before = {
            column: row[column] - added
            for columns in _SPANS.values()
            for column, added in zip(columns, counts[row["name"]], strict=True)
        }
        found[row["name"]] = _source(row, Sent(**before))
    return found


def add_sources(tx: Tx, names: Collection[str]) -> None:
    """Stores the sources that are not known yet, on probation."""
    values = [{"name": name} for name in sorted(names)]
    tx.execute(insert(t.source).values(values).on_conflict_do_nothing())


def sources_named(tx: Tx, names: Collection[str], *, spans: Spans) -> dict[str, Source]:
    """Those of these sources that are known, by name."""
    return {
        row["name"]: _source(row, _sent(row, spans))
        for row in tx.rows(sa.select(t.source).where(_s.name.in_(sorted(names))))
    }


def limits_of_source(tx: Tx, name: str, *, probation: SourceLimits) -> SourceLimits:
    """The limits that hold for the source; `probation`: those of one that is on probation or not known yet."""
    row = tx.one(sa.select(t.source).where(_s.name == name))
    return probation if row is None else _source(row, Sent()).limits(probation)


def is_limited() -> sa.ColumnElement[bool]:
    """A condition: the source is on probation, or a person has limited how many warnings it sends or their grade."""
    limits = (_s[name].is_not(None) for name in (*COUNTED_LIMITS, "most_grade"))
    return sa.or_(_s.on_probation, *limits)


def all_sources(tx: Tx, *, spans: Spans) -> list[Source]:
    """All sources, by name."""
    return [_source(row, _sent(row, spans)) for row in tx.rows(sa.select(t.source).order_by(_s.name))]


def source_alarms(tx: Tx, name: str) -> list[Alarm]:
    """The unacknowledged alarms about this source, newest first."""
    facts = t.alarm.c.facts
    about = sa.or_(facts["source"].astext == name, facts["names"].contains([name]))
    return unacknowledged_alarms_of(tx, where=about)


def set_source(tx: Tx, name: str, limits: SourceLimits, *, on_probation: bool) -> bool:
    """Sets what the source may send. False if no source of this name is known."""
    values: dict[str, object] = {field.name: getattr(limits, field.name) for field in fields(limits)}
    values |= {
        "most_grade": None if limits.most_grade is None else limits.most_grade.value,
        "units": list(limits.units),
        "signal_kinds": list(limits.signal_kinds),
        "on_probation": on_probation,
    }
    return bool(tx.execute(sa.update(t.source).where(_s.name == name).values(**values)).rowcount)


def _source(row: Row, sent: Sent) -> Source:
    return record_of(Source, row, own_limits=record_of(SourceLimits, row), sent=sent)


def _sent(row: Row, spans: Spans) -> Sent:
    current = {
        column: row[column]
        for moment, columns in _SPANS.items()
        if row[moment] == getattr(spans, moment)
        for column in columns
    }
    return Sent(**current)
