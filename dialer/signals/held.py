"""Held verdicts of the warning robot: why each is held, and their release or their drop by a person, with a reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Conflict, Invalid
from dialer.core.text import Text, gettext_noop
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.signals.sending import AtFullNumber, rests_on_active_rules, send_warnings
from dialer.signals.verdict_store import (
    StoredVerdict,
    lock_held_by_id,
    points_of_rules,
    rule_stops,
    stopped_reasons,
    stopped_sources,
    write_verdicts,
)
from dialer.signals.verdicts import VerdictEvent, moved

MOST_AT_ONCE: Final = 200
"""The most held verdicts of one act, and of one page."""


class HeldBecause(StrEnum):
    """Why a verdict is held."""

    CAPACITY = "capacity"
    RULE = "rule"
    SOURCE = "source"
    NO_PHONE = "no_phone"
    NUMBER = "number"


HELD_WORDS: Final = {
    HeldBecause.CAPACITY: gettext_noop("too few free lines and desks"),
    HeldBecause.RULE: gettext_noop("stopped rule"),
    HeldBecause.SOURCE: gettext_noop("stopped source"),
    HeldBecause.NO_PHONE: gettext_noop("no telephone number"),
    HeldBecause.NUMBER: gettext_noop("many open cases on its number"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWhy:
    """Why a verdict is held, with the ids of the stopped rules or the names of the stopped sources."""

    because: HeldBecause
    names: tuple[str, ...] = ()


def why_held(tx: Tx, verdicts: Sequence[StoredVerdict]) -> dict[int, HeldWhy]:
    """By verdict, why it is held now."""
    stops = rule_stops(tx)
    ids = [verdict.id for verdict in verdicts]
    stopped = stopped_reasons(tx, ids, stops) if stops and ids else {}
    points = points_of_rules(tx, stopped) if stopped else {}
    sources = stopped_sources(tx, list(stopped), stops) if stopped else {}
    names = {stop.rule for stop in stops}
    return {
        verdict.id: _why(
            verdict,
            stopped.get(verdict.id, set()),
            points.get(verdict.id, {}),
            rules=stopped.get(verdict.id, set()) & names,
            sources=sources.get(verdict.id, set()),
        )
        for verdict in verdicts
    }


def _why(
    verdict: StoredVerdict, stopped: set[str], points: dict[str, int], *, rules: set[str], sources: set[str]
) -> HeldWhy:
    if not verdict.has_phone:
        return HeldWhy(because=HeldBecause.NO_PHONE)
    if verdict.held_for_number:
        return HeldWhy(because=HeldBecause.NUMBER)
    if not stopped or rests_on_active_rules(verdict, points, stopped):
        return HeldWhy(because=HeldBecause.CAPACITY)
    if rules:
        return HeldWhy(because=HeldBecause.RULE, names=tuple(sorted(rules)))
    return HeldWhy(because=HeldBecause.SOURCE, names=tuple(sorted(sources)))


def release_verdicts(services: Services, actor: Actor, ids: Collection[int], *, why: str) -> int:
    """Sends these held verdicts as warnings at once, past the budget and any stop; returns how many. Those that are no
    longer held are left alone. Raises `Invalid` without a reason or a verdict, and `Conflict` if none can be sent.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.APPROVE) as act:
        rows = [row for row in _locked(act, ids) if row.has_phone]
        if not rows:
            raise _none_left()
        sent = send_warnings(act.tx, services, rows, now=act.now, at_full=AtFullNumber.GO_ON)
        for row in sent:
            act.audit("verdict_release", f"verdict/{row.id}", why=reason, facts={"case": row.case_id})
    services.enqueue("dial")
    return len(sent)


def drop_verdicts(services: Services, actor: Actor, ids: Collection[int], *, why: str) -> int:
    """Drops these held verdicts: no warning is made of them unless they rise in grade; returns how many. Raises as
    `release_verdicts`.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.APPROVE) as act:
        rows = _locked(act, ids)
        if not rows:
            raise _none_left()
        gone = [
            replace(
                row,
                state=moved(row.state, VerdictEvent.DROPPED),
                held_for_number=False,
                changed_at=act.now,
            )
            for row in rows
        ]
        write_verdicts(act.tx, gone, new=())
        for row in gone:
            grade = row.grade.value if row.grade else ""
            act.audit("verdict_drop", f"verdict/{row.id}", why=reason, facts={"grade": grade})
    return len(gone)


def _locked(act: OpenAct, ids: Collection[int]) -> list[StoredVerdict]:
    chosen = sorted(set(ids))
    if not 0 < len(chosen) <= MOST_AT_ONCE:
        raise Invalid(field="verdict", problem=Text("choose 1 to %(most)s", most=MOST_AT_ONCE))
    return lock_held_by_id(act.tx, chosen)


def _none_left() -> Conflict:
    return Conflict("they are no longer held, or have no telephone number", current="")
