"""What the robot finds in the signals of one source counts as warnings of this source: above its limits, what rests on
the source alone is stopped until a person resumes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from dialer.core.access import ROBOT, Actor, Permission
from dialer.core.events import AlarmCode
from dialer.core.sources import Asked, reasons_to_wait
from dialer.core.values import Grade
from dialer.db.alarms import raise_alarm_once
from dialer.db.sources import count_sent, lock_sources
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.signals.verdict_store import (
    StoredVerdict,
    end_source_stop,
    sole_sources,
    sources_resumed_since,
    stop_rule_row,
)
from dialer.warnings.warning_store import lock_arrivals

_LEFT_ALONE: Final = timedelta(hours=1)
"""A source that a person has resumed is not stopped again for so long."""


def within_limits(
    tx: Tx, services: Services, verdicts: Sequence[StoredVerdict], *, now: datetime
) -> list[StoredVerdict]:
    """Those of these verdicts, which are about to be sent, that may be. All whose reasons depend on one limited source
    are counted as its warnings; those above a limit stay held, with the source stopped and an alarm raised.
    """
    resting_on = sole_sources(tx, [verdict.id for verdict in verdicts], limited=True) if verdicts else {}
    if resting_on:
        resumed = sources_resumed_since(tx, now - _LEFT_ALONE)
        resting_on = {one: names - resumed for one, names in resting_on.items() if not names <= resumed}
    if not resting_on:
        return list(verdicts)
    # As with warnings of the API: arrivals are locked before sources, so that the two never wait for each other.
    lock_arrivals(tx)
    above = _above_limits(tx, services, verdicts, resting_on, now)
    for source, reason in above.values():
        facts = {"source": source, "reason": reason}
        if stop_rule_row(tx, "", by=ROBOT, facts=facts, now=now, source=source):
            raise_alarm_once(tx, AlarmCode.SOURCE_STOPPED, now=now, facts=facts, names=[source])
    return [verdict for verdict in verdicts if verdict.id not in above]


def _above_limits(
    tx: Tx,
    services: Services,
    verdicts: Sequence[StoredVerdict],
    resting_on: Mapping[int, Collection[str]],
    now: datetime,
) -> dict[int, tuple[str, str]]:
    """Counts those verdicts for their sources that go on; returns the others, which are above a limit, with the source
    and the limit.
    """
    of_source: dict[str, list[StoredVerdict]] = {}
    for verdict in verdicts:
        for name in resting_on.get(verdict.id, ()):
            of_source.setdefault(name, []).append(verdict)
    sources = lock_sources(tx, of_source, now=now)
    general = services.live_sources.general_limits()
    above = {}
    for name, own in sorted(of_source.items()):
        asked = [Asked(grade=verdict.grade or Grade.LOW, amount_fen=None) for verdict in own]
        limits = sources[name].limits(general)
        for verdict, reason in zip(own, reasons_to_wait(limits, sources[name].sent, asked), strict=True):
            if reason is not None:
                above[verdict.id] = (name, reason.value)
    counts = {}
    for name, own in of_source.items():
        grades = [verdict.grade for verdict in own if verdict.id not in above]
        urgent = grades.count(Grade.EXTRA_HIGH)
        counts[name] = len(grades) - urgent, urgent
    count_sent(tx, sources, counts, now=now)
    return above


def resume_source(services: Services, actor: Actor, source: str) -> bool:
    """Resumes what rests on the source, so that it is sent; False if that was not stopped."""
    with services.act(actor, Permission.CONTROL) as act:
        is_stopped = end_source_stop(act.tx, source, by=act.by, now=act.now)
        if is_stopped:
            act.audit("source_resume", f"source/{source}")
        else:
            act.needs_no_record()
    return is_stopped
