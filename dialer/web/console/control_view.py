"""Control as it is shown: parts and alarms by name, the pause form as it was filled in."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialer.domain.access import Act
from dialer.domain.effects import AlarmCode
from dialer.domain.pause import Hold, PauseScope
from dialer.domain.values import Grade
from dialer.language import Lang, mark, say
from dialer.usecases.list_units import list_units
from dialer.usecases.see_alarm import unseen_alarms
from dialer.usecases.set_pace import LEAST_CALLS_PER_SECOND
from dialer.usecases.show_control import HELD_AT_MOST, live_policy, loads_to_pause, pace_seen, pauses_seen
from dialer.usecases.watch_parts import Health, PartName, PartState, watch_parts
from dialer.web.console import policy_sentences
from dialer.web.console.unit_choice import unit_tree
from dialer.web.console.visit import Visit
from dialer.words import word

TEMPLATE = "console/control.html"
MINUTES = (15, 30, 60, 120, 240, 480, 720, 1440, 2880, 10080)
_ALARMS = 100
_LEAST_FREE = 1_000_000_000
_GIGA = 1e9
PARTS: Mapping[PartName, str] = {
    PartName.DATABASE: mark("Database"),
    PartName.WEB: mark("Web"),
    PartName.RINGING: mark("Calling workers"),
    PartName.BULK: mark("Workers for lists and sound"),
    PartName.SCHEDULER: mark("Leading scheduler"),
    PartName.BROKER: mark("Broker"),
    PartName.CYCLE: mark("Scheduling cycle"),
    PartName.SWEEP: mark("Due cases checked"),
    PartName.DIAL: mark("Dialled"),
    PartName.RECONCILE: mark("Calls reconciled"),
    PartName.AUDIT: mark("Consistency check"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Of this machine's data folder."""

    free_bytes: int
    all_bytes: int

    @property
    def is_low(self) -> bool:
        return self.free_bytes < _LEAST_FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody has filled in."""

    scope: str = PauseScope.ALL.value
    unit: str = ""
    load: str = ""
    grade: str = ""
    minutes: str = "30"
    why: str = ""
    calls_per_second: str = ""
    lines: str = ""
    pace_why: str = ""


def now_facts(visit: Visit) -> dict[str, Any]:
    """What changes by itself while somebody looks."""
    engine, unit_id = visit.engine, visit.member.unit_id
    parts = watch_parts(engine, late_seconds=visit.app.settings.scheduler.late_seconds)
    alarms = unseen_alarms(engine, unit_id=unit_id, limit=_ALARMS + 1)
    return {
        "parts": parts,
        "part_name": lambda part: say(visit.lang, PARTS[part.name]),
        "part_kind": _kind,
        "health": Health,
        "disk": _disk(visit),
        "pauses": pauses_seen(engine, unit_id=unit_id),
        "pause_name": lambda hold: pause_name(hold, visit.lang),
        "held_at_most": HELD_AT_MOST,
        "alarms": alarms[:_ALARMS],
        "more_alarms": len(alarms) > _ALARMS,
        "alarm_word": lambda code: _alarm(code, visit.lang),
        "alarm_kinds": _repeated([alarm.code for alarm in alarms]),
        "is_whole": unit_id is None,
        "can": visit.may(Act.CONTROL),
        "giga": lambda size: f"{size / _GIGA:,.1f}",
    }


def page_facts(visit: Visit, *, wrong: Mapping[str, str], typed: Typed | None) -> dict[str, Any]:
    engine, unit_id, lang = visit.engine, visit.member.unit_id, visit.lang
    live = live_policy(engine)
    pace, in_use = pace_seen(engine)
    scopes = list(PauseScope) if unit_id is None else [PauseScope.UNIT]
    given = typed or Typed(scope=scopes[0].value)
    return now_facts(visit) | {
        "wrong": wrong,
        "typed": given,
        "scopes": [(scope.value, word(scope, lang)) for scope in scopes],
        "units": unit_tree([unit for unit in list_units(engine, seen_by=unit_id) if unit.active]),
        "loads": loads_to_pause(engine) if unit_id is None else [],
        "grades": [(grade.value, word(grade, lang)) for grade in Grade],
        "minutes": MINUTES,
        "pace": pace,
        "in_use": in_use,
        "least_pace": min(LEAST_CALLS_PER_SECOND, pace.most_calls_per_second) if pace is not None else 0,
        "live": live,
        "window_sentence": policy_sentences.window_sentence(live.policy.window, lang),
        "grade_sentences": [
            (grade, policy_sentences.grade_sentences(live.policy, grade, lang)) for grade in Grade
        ],
        "common_sentences": policy_sentences.common_sentences(live.policy, lang),
    }


def pause_name(hold: Hold, lang: Lang) -> str:
    match hold.scope:
        case PauseScope.ALL:
            return word(hold.scope, lang)
        case PauseScope.GRADE:
            return word(Grade(hold.subject), lang)
        case PauseScope.LOAD:
            return say(lang, "list %(what)s", what=hold.subject)
        case PauseScope.UNIT:
            return hold.subject


def _kind(part: PartState) -> str:
    return {Health.GOOD: "live", Health.LATE: "trouble", Health.NEVER: "trouble"}[part.health]


def _disk(visit: Visit) -> Disk | None:
    try:
        usage = shutil.disk_usage(visit.app.settings.data_dir)
    except OSError:
        return None
    return Disk(free_bytes=usage.free, all_bytes=usage.total)


def _alarm(code: str, lang: Lang) -> str:
    """A code of a later version is told as it stands."""
    known = next((one for one in AlarmCode if one.value == code), None)
    return code if known is None else word(known, lang)


def _repeated(codes: list[str]) -> list[tuple[str, int]]:
    """Kinds of which there are several, the most frequent first."""
    counts = {code: codes.count(code) for code in dict.fromkeys(codes)}
    return sorted(((code, n) for code, n in counts.items() if n > 1), key=lambda one: -one[1])
