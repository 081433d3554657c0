"""The limits of sources: what is above them waits as a list until a person releases or refuses it. A person of the
whole centre sets the limits of each source and ends the probation of a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted
from dialer.core.events import AlarmCode
from dialer.core.sources import (
    COUNTED_LIMITS,
    SIGNAL_LIMITS,
    Asked,
    HoldReason,
    SourceLimits,
    reasons_to_wait,
)
from dialer.core.text import Text, gettext_noop
from dialer.core.units import UnitIndex
from dialer.core.values import Grade
from dialer.db.alarms import Alarm, raise_alarm
from dialer.db.sources import (
    Source,
    all_sources,
    count_sent,
    lock_sources,
    set_source,
    source_alarms,
    sources_named,
)
from dialer.db.unit_of_work import Tx
from dialer.intake.records import Record
from dialer.runtime.services import Services
from dialer.warnings.arrivals import Held
from dialer.warnings.held_store import HeldList, held_lists, late_extra_high
from dialer.warnings.lists import approve_load, begin_withdrawal
from dialer.warnings.shared_numbers import further_cases, hold_for_a_person, sent_cells

_MOST_COUNT, _MOST_SIGNALS, _MOST_FEN = 1_000_000, 10**9, 10**13


def hold_above_limits(services: Services, now: datetime, tx: Tx, new: Mapping[int, Record]) -> Held:
    """Stores new warnings above a limit of their source, and those for one more case of a number that has many, as
    lists that wait for a person, and counts the others for their sources.
    """
    places: dict[str, list[int]] = {}
    for place, record in new.items():
        places.setdefault(record.source, []).append(place)
    sources = lock_sources(tx, places, now=now)
    general, tree = services.live_sources.general_limits(), services.units.latest
    why: dict[int, tuple[HoldReason, bytes | None]] = {}
    crowded = further_cases(tx, new, most=services.live_sources.cases_a_number)
    going_on: dict[str, tuple[int, int]] = {}
    for name, own in places.items():
        limits = sources[name].limits(general)
        others = [place for place in own if place not in crowded]
        asked = [_asked(new[place], limits, tree) for place in others]
        reasons = dict(zip(others, reasons_to_wait(limits, sources[name].sent, asked), strict=True))
        for place in own:
            reason = reasons.get(place, HoldReason.NAMES)
            if reason is not None:
                why[place] = reason, crowded.get(place)
        grades = [new[place].grade for place, reason in reasons.items() if reason is None]
        urgent = grades.count(Grade.EXTRA_HIGH)
        going_on[name] = len(grades) - urgent, urgent
    count_sent(tx, sources, going_on, now=now)
    return hold_for_a_person(services, now, tx, new, why, cells=sent_cells)


def _asked(record: Record, limits: SourceLimits, tree: UnitIndex) -> Asked:
    amounts = (record.amount_at_risk_fen or 0, record.amount_paid_fen or 0)
    return Asked(
        grade=record.grade,
        amount_fen=max(amounts),
        is_in_units=not limits.units or _is_in(record.unit, limits.units, tree),
    )


def _is_in(text: str, units: Sequence[str], tree: UnitIndex) -> bool:
    found = tree.find(text)
    if found is None:
        return text in units
    allowed = {unit.id for unit in map(tree.find, units) if unit is not None}
    return not allowed.isdisjoint(found.path)


def release_waiting(services: Services, actor: Actor, load_ids: Sequence[int]) -> int:
    """Releases the warnings of these lists, which a worker then loads; returns how many wait in them. Raises
    `NotFound`, and `Conflict` for a list that does not wait, before which others may have been released.
    """
    _check_sees_all(actor)
    found = _waiting(services, load_ids)
    for one in found:
        approve_load(services, actor, one.id)
    return sum(one.total for one in found)


def refuse_waiting(services: Services, actor: Actor, load_ids: Sequence[int], *, why: str) -> int:
    """Refuses the warnings of these lists, with the reason: their rows are deleted, and their number and the reason are
    kept. Returns how many they were. Raises as `release_waiting`, and `Invalid` without a reason.
    """
    actor.check_may(Permission.APPROVE)
    _check_sees_all(actor)
    reason = required_text("why", why)
    found = _waiting(services, load_ids)
    for one in found:
        begin_withdrawal(services, actor, one.id, why=reason)
    return sum(one.total for one in found)


def _waiting(services: Services, load_ids: Sequence[int]) -> list[HeldList]:
    with services.store.begin() as tx:
        waits = {one.id: one for one in held_lists(tx)}
    if not load_ids:
        raise Invalid(field="load", problem=gettext_noop("choose what to decide"))
    for load_id in load_ids:
        if load_id not in waits:
            raise Conflict(Text("load %(load)s does not wait for release any more", load=load_id))
    return [waits[load_id] for load_id in dict.fromkeys(load_ids)]


def read_source(services: Services, name: str) -> Source:
    """The source, with what it has sent lately. Raises `NotFound`."""
    with services.store.begin() as tx:
        found = sources_named(tx, [name], now=services.clock.now())
    if name not in found:
        raise NotFound(kind="source", key=name)
    return found[name]


def list_sources(services: Services) -> list[Source]:
    """All sources by name, with what each has sent lately."""
    with services.store.begin() as tx:
        return all_sources(tx, now=services.clock.now())


def waiting_warnings(services: Services, *, source: str | None = None) -> list[HeldList]:
    """What waits for release, of all sources or of one: extra-high warnings first, then the oldest."""
    with services.store.begin() as tx:
        return held_lists(tx, source=source)


def alarms_of_source(services: Services, name: str) -> list[Alarm]:
    """The unacknowledged alarms about this source, newest first."""
    with services.store.begin() as tx:
        return source_alarms(tx, name)


def change_source(
    services: Services, actor: Actor, name: str, limits: SourceLimits, *, on_probation: bool, why: str
) -> None:
    """Sets what the source may send, for what it sends within seconds from now on; what waits already goes on waiting.
    Raises `NotFound` and `Invalid`.
    """
    _check_sees_all(actor)
    reason = required_text("why", why)
    with services.act(actor, Permission.CONTROL) as act:
        _check(limits, services.units.current(act.tx))
        found = sources_named(act.tx, [name], now=act.now)
        if name not in found or not set_source(act.tx, name, limits, on_probation=on_probation):
            raise NotFound(kind="source", key=name)
        before = found[name]
        changed = {
            key: [_plain(asdict(before.own_limits)[key]), _plain(value)]
            for key, value in asdict(limits).items()
            if value != asdict(before.own_limits)[key]
        }
        if on_probation != before.on_probation:
            changed["on_probation"] = [before.on_probation, on_probation]
        act.audit("change_source", f"source/{name}", why=reason, facts=changed)


def _check_sees_all(actor: Actor) -> None:
    """A source sends for all units, so only a person of the whole centre decides about it."""
    if actor.unit_id is not None:
        raise NotPermitted(who=actor.name, roles=Text("people of the whole centre"))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _check(limits: SourceLimits, tree: UnitIndex) -> None:
    out_of_range = gettext_noop("is out of range")
    for name in COUNTED_LIMITS:
        count = getattr(limits, name)
        most = _MOST_SIGNALS if name in SIGNAL_LIMITS else _MOST_COUNT
        if count is not None and not 0 <= count <= most:
            raise Invalid(field=name, problem=out_of_range)
    if limits.most_amount_fen is not None and not 0 <= limits.most_amount_fen <= _MOST_FEN:
        raise Invalid(field="most_amount", problem=out_of_range)
    for unit in limits.units:
        if tree.find(unit) is None:
            raise Invalid(field="units", problem=Text("there is no unit %(unit)s", unit=unit))


def raise_late_extra_high(services: Services) -> int:
    """Raises an alarm for each list of extra-high warnings that has waited for release too long, and again as often as
    that time passes; returns how many lists these are.
    """
    now = services.clock.now()
    before = now - timedelta(seconds=services.live_sources.extra_high_wait_seconds)
    with services.store.begin() as tx:
        late = late_extra_high(tx, before=before)
        for one in late:
            facts = {"source": one.source, "reason": one.held_for.value, "warnings": one.total}
            raise_alarm(tx, AlarmCode.EXTRA_HIGH_WAITS, now=now, load_id=one.id, facts=facts)
    return len(late)
