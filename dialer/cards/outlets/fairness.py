"""Fairness of the checks: whom they ask about, whom outlets asked about and refused, by home province and age, with
intervals; and checks that single out one group, which raise an alarm. It changes no check: a supervisor reads it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dialer.cards.outlets.fairness_store import (
    AGES,
    Group,
    GroupCounts,
    band_of,
    count_found,
    count_groups,
    groups_of_alarms,
)
from dialer.core.events import AlarmCode
from dialer.core.intervals import Estimate, estimate
from dialer.core.text import Text, gettext_noop
from dialer.db.alarms import raise_alarm_once
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
DAYS: Final = (30, 90, 365)
_SHOWN: Final = 20
"""The most groups that one alarm names."""


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
        counts = count_groups(tx, since, visible_to=visible_to)
        found = count_found(tx, since, visible_to=visible_to)
    return Fairness(
        since=since,
        provinces=_grouped(counts, "province", services.cards),
        ages=_grouped(counts, "age", services.cards),
        falling=tuple(
            check for kind in ("province", "age") for check in _falling(counts, found, kind, services.cards)
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
        known = groups_of_alarms(tx, since=now - timedelta(days=rules.group_days))
        new = [check for check in falling if (check.check, check.name) not in known]
        new.sort(key=lambda check: -check.found)
        if new:
            raise_alarm_once(tx, AlarmCode.CHECK_FALLS_ON_GROUP, now=now, facts=_facts(new))
    return len(new)


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
            {
                "check": check.check,
                "group": check.name,
                "found": check.found,
                "share": round(check.share.share, 4),
            }
            for check in new[:_SHOWN]
        ],
    }


def _name_of(key: Group, kind: str) -> str:
    province, band = key
    return PROVINCES.get(province, province) if kind == "province" else band


def _grouped(counts: GroupCounts, kind: str, rules: CardsSettings) -> tuple[FairnessGroup, ...]:
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
        order = ["", *(band_of(low, high) for low, high in AGES)]
        return tuple(sorted(groups, key=lambda group: order.index(group.name)))
    return tuple(sorted(groups, key=lambda group: (-group.openings, group.name)))


def _outlying_share(
    part: int, whole: int, other_part: int, other_whole: int, rules: CardsSettings
) -> Estimate | None:
    return stands_out(part, whole, other_part, other_whole, times=rules.group_times, least=rules.group_least)


def _falling(
    counts: GroupCounts, found: dict[tuple[str, str, str], int], kind: str, rules: CardsSettings
) -> list[OneSidedCheck]:
    openings, flagged = Counter[str](), Counter[str]()
    for key, values in counts.items():
        openings[_name_of(key, kind)] += values[0]
        flagged[_name_of(key, kind)] += values[1]
    hits = {"": flagged}
    for (check, *group), n in found.items():
        hits.setdefault(check, Counter())[_name_of((group[0], group[1]), kind)] += n
    whole, falling = openings.total(), []
    for check, by_name in sorted(hits.items()):
        total = by_name.total()
        for name, n in by_name.most_common():
            many = openings[name]
            interval = _outlying_share(n, many, total - n, whole - many, rules)
            if interval is not None:
                others = (total - n) / (whole - many)
                falling.append(
                    OneSidedCheck(check=check, kind=kind, name=name, found=n, share=interval, others=others)
                )
    return falling
