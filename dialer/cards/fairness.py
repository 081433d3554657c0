"""Fair: whom the checks ask about, whom outlets asked about and refused, by home province and age, with intervals; and
checks that fall on one group. It changes nothing: a supervisor reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from dialer.cards.scores import Interval, wilson
from dialer.core.cards import CheckVerdict, OpeningResult
from dialer.db import tables as t
from dialer.db.bulk import word
from dialer.db.unit_of_work import Tx
from dialer.org.unit_store import is_visible_to
from dialer.services import Services

PROVINCES: Final = {
    "11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古", "21": "辽宁", "22": "吉林", "23": "黑龙江",
    "31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东", "41": "河南",
    "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南", "50": "重庆", "51": "四川", "52": "贵州",
    "53": "云南", "54": "西藏", "61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆", "71": "台湾",
    "81": "香港", "82": "澳门",
}  # fmt: skip
"""By the first two digits of an id number."""
AGES: Final = ((0, 17), (18, 24), (25, 34), (35, 49), (50, 64), (65, 150))
DAYS: Final = (30, 90, 365)
_TIMES: Final = 2.0
"""A group stands out when the whole interval of its share lies above so many times that of all others."""
_LEAST: Final = 10
_o = t.opening.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People of one home province, or of one age. Shares are of `openings`; `stands_out` names those that are far above
    those of everybody else.
    """

    kind: str
    name: str
    openings: int
    flagged: int
    asked: int
    refused: int
    stands_out: tuple[str, ...] = ()

    def interval(self, what: str) -> Interval | None:
        """Of `flagged`, `asked` or `refused`."""
        return wilson(int(getattr(self, what)), self.openings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Falling:
    """A check that falls on one group: `share` of that group's openings, `others` of everybody else's."""

    check: str
    kind: str
    name: str
    found: int
    share: Interval
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """Of the openings since a moment."""

    since: datetime
    provinces: tuple[Group, ...]
    ages: tuple[Group, ...]
    falling: tuple[Falling, ...]


def stands_out(part: int, whole: int, other_part: int, other_whole: int) -> Interval | None:
    """The interval of a share that is far above that of the others, and not of a handful; else None."""
    interval = wilson(part, whole)
    if interval is None or part < _LEAST or not other_whole:
        return None
    return interval if interval.low > _TIMES * other_part / other_whole else None


def read_fairness(services: Services, *, days: int, visible_to: int | None) -> Fairness:
    """Openings of the last `days` at outlets that the reader sees."""
    since = services.clock.now() - timedelta(days=days)
    with services.store.begin() as tx:
        counts = _counts(tx, since, visible_to)
        found = _findings(tx, since, visible_to)
    return Fairness(
        since=since,
        provinces=_grouped(counts, "province"),
        ages=_grouped(counts, "age"),
        falling=tuple(one for kind in ("province", "age") for one in _falling(counts, found, kind)),
    )


_Key = tuple[str, str]
_Counts = dict[_Key, tuple[int, int, int, int]]


def _band(low: int, high: int) -> str:
    return f"{low}+" if (low, high) == AGES[-1] else f"{low}–{high}"


def _group_columns() -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
    age = sa.case(
        *((_o.age.between(low, high), sa.literal(_band(low, high))) for low, high in AGES),
        else_=sa.literal(""),
    )
    return sa.func.left(_o.home, 2).label("province"), age.label("band")


def _counts(tx: Tx, since: datetime, visible_to: int | None) -> _Counts:
    """By province and age: openings, flagged, asked, refused."""
    province, band = _group_columns()
    is_asked = sa.exists().where(t.card_question.c.opening_id == _o.id)
    flagged = _o.verdict.in_([CheckVerdict.ASK_DESK.value, CheckVerdict.RESTRICTED.value])
    rows = tx.rows(
        sa.select(
            province,
            band,
            sa.func.count().label("openings"),
            sa.func.count().filter(flagged).label("flagged"),
            sa.func.count().filter(is_asked).label("asked"),
            sa.func.count().filter(_o.result == word(OpeningResult.REFUSED)).label("refused"),
        )
        .select_from(t.opening.join(t.outlet, t.outlet.c.id == _o.outlet_id))
        .where(_o.asked_at >= since, is_visible_to(t.outlet.c.unit_id, visible_to))
        .group_by(province, band)
    )
    return {
        (row["province"], row["band"]): (row["openings"], row["flagged"], row["asked"], row["refused"])
        for row in rows
    }


def _findings(tx: Tx, since: datetime, visible_to: int | None) -> dict[tuple[str, str, str], int]:
    """By check, province and age, how many openings it found at a counter."""
    province, band = _group_columns()
    c = t.opening_check.c
    one = sa.func.jsonb_array_elements(c.findings).table_valued("value", name="one")
    check = sa.cast(one.c.value, JSONB)["check"].astext.label("found")
    rows = tx.rows(
        sa.select(check, province, band, sa.func.count(sa.distinct(_o.id)).label("n"))
        .select_from(
            t.opening_check.join(t.opening, _o.id == c.opening_id)
            .join(t.outlet, t.outlet.c.id == _o.outlet_id)
            .join(one, sa.true())
        )
        .where(c.at >= since, _o.asked_at >= since, is_visible_to(t.outlet.c.unit_id, visible_to))
        .group_by(check, province, band)
    )
    return {(row["found"], row["province"], row["band"]): row["n"] for row in rows}


def _name_of(key: _Key, kind: str) -> str:
    province, band = key
    return PROVINCES.get(province, province) if kind == "province" else band


def _grouped(counts: _Counts, kind: str) -> tuple[Group, ...]:
    sums: dict[str, list[int]] = {}
    for key, values in counts.items():
        own = sums.setdefault(_name_of(key, kind), [0, 0, 0, 0])
        for place, value in enumerate(values):
            own[place] += value
    whole = [sum(column) for column in zip(*sums.values(), strict=True)] or [0, 0, 0, 0]
    groups = []
    for name, (openings, *parts) in sums.items():
        out = tuple(
            what
            for what, part, all_parts in zip(("flagged", "asked", "refused"), parts, whole[1:], strict=True)
            if stands_out(part, openings, all_parts - part, whole[0] - openings) is not None
        )
        flagged, asked, refused = parts
        groups.append(
            Group(
                kind=kind, name=name, openings=openings, flagged=flagged, asked=asked, refused=refused,
                stands_out=out,
            )
        )  # fmt: skip
    if kind == "age":
        order = {_band(low, high): low for low, high in AGES}
        return tuple(sorted(groups, key=lambda one: order.get(one.name, -1)))
    return tuple(sorted(groups, key=lambda one: (-one.openings, one.name)))


def _falling(counts: _Counts, found: dict[tuple[str, str, str], int], kind: str) -> list[Falling]:
    openings: dict[str, int] = {}
    for key, values in counts.items():
        name = _name_of(key, kind)
        openings[name] = openings.get(name, 0) + values[0]
    hits: dict[str, dict[str, int]] = {}
    for (check, province, band), n in found.items():
        name = _name_of((province, band), kind)
        own = hits.setdefault(check, {})
        own[name] = own.get(name, 0) + n
    whole, falling = sum(openings.values()), []
    for check, by_name in sorted(hits.items()):
        total = sum(by_name.values())
        for name, n in sorted(by_name.items(), key=lambda one: -one[1]):
            many = openings.get(name, 0)
            interval = stands_out(n, many, total - n, whole - many)
            if interval is not None:
                others = (total - n) / (whole - many)
                falling.append(
                    Falling(check=check, kind=kind, name=name, found=n, share=interval, others=others)
                )
    return falling
