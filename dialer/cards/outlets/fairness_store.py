"""Counts of openings and findings by home province and age."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from dialer.core.cards import FLAGGED, OpeningResult
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Tx
from dialer.db.units import is_visible_to

AGES: Final = ((0, 17), (18, 24), (25, 34), (35, 49), (50, 64), (65, 150))
Group = tuple[str, str]
"""The first two digits of id numbers, and a band of ages ('' if it is not known)."""
GroupCounts = dict[Group, tuple[int, int, int, int]]
"""Openings, flagged, asked and refused, by group."""
_o, _c = t.opening.c, t.opening_check.c
_AT_OUTLETS: Final = t.opening.join(t.outlet, t.outlet.c.id == _o.outlet_id)


def band_of(low: int, high: int) -> str:
    """The name of one of `AGES`."""
    return f"{low}+" if (low, high) == AGES[-1] else f"{low}–{high}"


_PROVINCE: Final = sa.func.left(_o.home, 2).label("province")
_BAND: Final = sa.case(
    *((_o.age.between(low, high), sa.literal(band_of(low, high))) for low, high in AGES),
    else_=sa.literal(""),
).label("band")


def count_groups(tx: Tx, since: datetime, *, visible_to: int | None) -> GroupCounts:
    """Counts the openings since then at outlets that the unit sees."""
    is_asked = sa.exists().where(t.card_question.c.opening_id == _o.id)
    rows = tx.rows(
        sa.select(
            _PROVINCE,
            _BAND,
            sa.func.count().label("openings"),
            sa.func.count().filter(in_words(_o.verdict, FLAGGED)).label("flagged"),
            sa.func.count().filter(is_asked).label("asked"),
            sa.func.count().filter(_o.result == word_literal(OpeningResult.REFUSED)).label("refused"),
        )
        .select_from(_AT_OUTLETS)
        .where(_o.asked_at >= since, is_visible_to(t.outlet.c.unit_id, visible_to))
        .group_by(_PROVINCE, _BAND)
    )
    return {
        (row["province"], row["band"]): (row["openings"], row["flagged"], row["asked"], row["refused"])
        for row in rows
    }


def count_found(tx: Tx, since: datetime, *, visible_to: int | None) -> dict[tuple[str, str, str], int]:
    """How many openings each check found at counters, by check, province and age."""
    element = sa.func.jsonb_array_elements(_c.findings).table_valued("value", name="element")
    check = sa.cast(element.c.value, JSONB)["check"].astext.label("found")
    rows = tx.rows(
        sa.select(check, _PROVINCE, _BAND, sa.func.count(sa.distinct(_o.id)).label("n"))
        .select_from(_AT_OUTLETS.join(t.opening_check, _c.opening_id == _o.id).join(element, sa.true()))
        .where(_c.at >= since, _o.asked_at >= since, is_visible_to(t.outlet.c.unit_id, visible_to))
        .group_by(check, _PROVINCE, _BAND)
    )
    return {(row["found"], row["province"], row["band"]): row["n"] for row in rows}


def groups_of_alarms(tx: Tx, *, since: datetime) -> set[tuple[str, str]]:
    """(check, group) of the alarms about checks that fall on one group, raised since then."""
    a = t.alarm.c
    rows = tx.rows(
        sa.select(a.facts).where(a.code == AlarmCode.CHECK_FALLS_ON_GROUP.value, a.raised_at >= since)
    )
    return {(group["check"], group["group"]) for row in rows for group in row["facts"]["groups"]}
