"""Fairness of the checks: whom they ask about, whom outlets asked about and refused, by home province and age, with
intervals; and checks that single out one group, which raise an alarm. It changes no check: a supervisor reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from dialer.core.cards import FLAGGED, OpeningResult
from dialer.core.events import AlarmCode
from dialer.core.intervals import Estimate, estimate
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Tx
from dialer.db.units import is_visible_to
from dialer.runtime.sections import CardsSettings
from dialer.runtime.services import Services

PROVINCES: Final = {
    "11": gettext_noop("Beijing"),
    "12": gettext_noop("Tianjin"),
    "13": gettext_noop("Hebei"),
    "14": gettext_noop("Shanxi"),
    "15": gettext_noop("Inner Mongolia"),
    "21": gettext_noop("Liaoning"),
    "22": gettext_noop("Jilin"),
    "23": gettext_noop("Heilongjiang"),
    "31": gettext_noop("Shanghai"),
    "32": gettext_noop("Jiangsu"),
    "33": gettext_noop("Zhejiang"),
    "34": gettext_noop("Anhui"),
    "35": gettext_noop("Fujian"),
    "36": gettext_noop("Jiangxi"),
    "37": gettext_noop("Shandong"),
    "41": gettext_noop("Henan"),
    "42": gettext_noop("Hubei"),
    "43": gettext_noop("Hunan"),
    "44": gettext_noop("Guangdong"),
    "45": gettext_noop("Guangxi"),
    "46": gettext_noop("Hainan"),
    "50": gettext_noop("Chongqing"),
    "51": gettext_noop("Sichuan"),
    "52": gettext_noop("Guizhou"),
    "53": gettext_noop("Yunnan"),
    "54": gettext_noop("Tibet (Xizang)"),
    "61": gettext_noop("Shaanxi"),
    "62": gettext_noop("Gansu"),
    "63": gettext_noop("Qinghai"),
    "64": gettext_noop("Ningxia"),
    "65": gettext_noop("Xinjiang"),
    "71": gettext_noop("Taiwan"),
    "81": gettext_noop("Hong Kong"),
    "82": gettext_noop("Macao"),
}
"""English names by the first two digits of an id number; the catalogue has the Chinese ones."""
AGES: Final = ((0, 17), (18, 24), (25, 34), (35, 49), (50, 64), (65, 150))
DAYS: Final = (30, 90, 365)
_SHOWN: Final = 20
"""The most groups that one alarm names."""
_o = t.opening.c


@dataclass(frozen=True, slots=True, kw_only=True)
class FairnessGroup:
    """People of one home province, or of one age. Shares are of `openings`; `stands_out` names the shares that are far
    above those of everybody else.
    """

    kind: str
    name: str
    openings: int
    flagged: int
    asked: int
    refused: int
    stands_out: tuple[str, ...] = ()

    def interval(self, what: str) -> Estimate | None:
        """The interval of the share of `flagged`, `asked` or `refused`."""
        return estimate(int(getattr(self, what)), self.openings)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSidedCheck:
    """A check that falls on one group: `share` of the openings of that group, `others` of all other openings. `check`
    is '' if all checks together ask about the group this often, at counters and in files.
    """

    check: str
    kind: str
    name: str
    found: int
    share: Estimate
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """How the checks fall on groups, for the openings since a moment."""

    since: datetime
    provinces: tuple[FairnessGroup, ...]
    ages: tuple[FairnessGroup, ...]
    falling: tuple[OneSidedCheck, ...]


def stands_out(
    part: int, whole: int, other_part: int, other_whole: int, *, times: float, least: int
) -> Estimate | None:
    """The interval of a share, if it lies entirely above `times` the share of the others and `part` is at least
    `least`; else None.
    """
    interval = estimate(part, whole)
    if interval is None or part < least or not other_whole:
        return None
    return interval if interval.low > times * other_part / other_whole else None


def read_fairness(services: Services, *, days: int, visible_to: int | None) -> Fairness:
    """The figures of the openings of the last `days` at outlets that the unit sees."""
    since = services.clock.now() - timedelta(days=days)
    with services.store.begin() as tx:
        counts = _counts(tx, since, visible_to)
        found = _findings(tx, since, visible_to)
    return Fairness(
        since=since,
        provinces=_grouped(counts, "province", services.cards),
        ages=_grouped(counts, "age", services.cards),
        falling=tuple(
            one for kind in ("province", "age") for one in _falling(counts, found, kind, services.cards)
        ),
    )


def watch_fairness(services: Services) -> int:
    """Raises an alarm for checks that fall on one group, for each once within `cards.group_days`; returns how many are
    new.
    """
    rules, now = services.cards, services.clock.now()
    falling = read_fairness(services, days=rules.group_days, visible_to=None).falling
    if not falling:
        return 0
    with services.store.begin() as tx:
        known = _raised_before(tx, since=now - timedelta(days=rules.group_days))
        new = [one for one in falling if (one.check, one.name) not in known]
        new.sort(key=lambda one: -one.found)
        if new:
            raise_alarm_once(tx, AlarmCode.CHECK_FALLS_ON_GROUP, now=now, facts=_facts(new))
    return len(new)


def _raised_before(tx: Tx, *, since: datetime) -> set[tuple[str, str]]:
    a = t.alarm.c
    rows = tx.rows(
        sa.select(a.facts).where(a.code == AlarmCode.CHECK_FALLS_ON_GROUP.value, a.raised_at >= since)
    )
    return {(one["check"], one["group"]) for row in rows for one in row["facts"]["groups"]}


def _facts(new: list[OneSidedCheck]) -> dict[str, object]:
    first = new[0]
    template = (
        gettext_noop(
            "a check found %(share)s %% of the openings of %(group)s, and %(others)s %% of those of all others"
        )
        if first.check
        else gettext_noop(
            "the checks ask about %(share)s %% of the openings of %(group)s, and %(others)s %% of those of all others"
        )
    )
    problem = Text(
        template,
        share=f"{100 * first.share.share:.1f}",
        group=Text("people aged %(band)s", band=first.name) if first.kind == "age" else Text(first.name),
        others=f"{100 * first.others:.1f}",
    )
    return {
        "problem": problem.plain(),
        "fix": Text("look at Fairness, whether the group or the check is the cause").plain(),
        "groups": [
            {"check": one.check, "group": one.name, "found": one.found, "share": round(one.share.share, 4)}
            for one in new[:_SHOWN]
        ],
    }


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
    """Counts by province and age: openings, flagged, asked, refused."""
    province, band = _group_columns()
    is_asked = sa.exists().where(t.card_question.c.opening_id == _o.id)
    flagged = in_words(_o.verdict, FLAGGED)
    rows = tx.rows(
        sa.select(
            province,
            band,
            sa.func.count().label("openings"),
            sa.func.count().filter(flagged).label("flagged"),
            sa.func.count().filter(is_asked).label("asked"),
            sa.func.count().filter(_o.result == word_literal(OpeningResult.REFUSED)).label("refused"),
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
    """How many openings each check found at counters, by check, province and age."""
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


def _grouped(counts: _Counts, kind: str, rules: CardsSettings) -> tuple[FairnessGroup, ...]:
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
            if _outlying_share(part, openings, all_parts - part, whole[0] - openings, rules) is not None
        )
        flagged, asked, refused = parts
        groups.append(
            FairnessGroup(
                kind=kind, name=name, openings=openings, flagged=flagged, asked=asked, refused=refused,
                stands_out=out,
            )
        )  # fmt: skip
    if kind == "age":
        order = {_band(low, high): low for low, high in AGES}
        return tuple(sorted(groups, key=lambda one: order.get(one.name, -1)))
    return tuple(sorted(groups, key=lambda one: (-one.openings, one.name)))


def _outlying_share(
    part: int, whole: int, other_part: int, other_whole: int, rules: CardsSettings
) -> Estimate | None:
    return stands_out(part, whole, other_part, other_whole, times=rules.group_times, least=rules.group_least)


def _falling(
    counts: _Counts, found: dict[tuple[str, str, str], int], kind: str, rules: CardsSettings
) -> list[OneSidedCheck]:
    openings: dict[str, int] = {}
    for key, values in counts.items():
        name = _name_of(key, kind)
        openings[name] = openings.get(name, 0) + values[0]
    hits: dict[str, dict[str, int]] = {}
    for key, values in counts.items():
        flagged = hits.setdefault("", {})
        flagged[_name_of(key, kind)] = flagged.get(_name_of(key, kind), 0) + values[1]
    for (check, province, band), n in found.items():
        name = _name_of((province, band), kind)
        own = hits.setdefault(check, {})
        own[name] = own.get(name, 0) + n
    whole, falling = sum(openings.values()), []
    for check, by_name in sorted(hits.items()):
        total = sum(by_name.values())
        for name, n in sorted(by_name.items(), key=lambda one: -one[1]):
            many = openings.get(name, 0)
            interval = _outlying_share(n, many, total - n, whole - many, rules)
            if interval is not None:
                others = (total - n) / (whole - many)
                falling.append(
                    OneSidedCheck(check=check, kind=kind, name=name, found=n, share=interval, others=others)
                )
    return falling
