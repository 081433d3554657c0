"""Swaps: one person gives a shift to another, with one in return or without; the other agrees, or a supervisor decides
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from dialer.core.access import STAFF_CHANGE_WORDS, Actor, Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.rota import DutyEntry, DutyKind, Roster
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.core.units import Unit
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx
from dialer.duty.actions import candidates, hours_of, visible_unit_of
from dialer.duty.model import Candidate, SwapOffer, problem_of_swap
from dialer.duty.store import RosterKey, add_swap, is_swap_waiting, lock_roster, read_roster, swaps_waiting
from dialer.runtime.services import Services

SWAPS: Final = RequestKind(
    table=t.duty_swap,
    noun=gettext_noop("swap"),
    words=STAFF_CHANGE_WORDS,
    acts={
        RequestEvent.APPROVED: "swap_agreed",
        RequestEvent.REFUSED: "swap_refused",
        RequestEvent.WITHDRAWN: "swap_withdrawn",
    },
)
_NEAR: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSwap:
    """A swap that waits for an answer, as its reader sees it."""

    id: int
    unit: str
    kind: DutyKind
    day: date
    mark: str
    giver: str
    taker: str
    back_day: date | None
    back_mark: str
    may_answer: bool
    may_withdraw: bool


def ask_swap(services: Services, actor: Actor, key: RosterKey, offer: SwapOffer) -> bool:
    """Asks the other person for the swap; False. A supervisor who gives no shift of their own decides it; True. Raises
    `Conflict` with the reason where the shifts cannot be swapped, and `NotPermitted` for the shift of somebody else.
    """
    with services.act(actor, Permission.SEE_DUTY) as act:
        unit, people = _roster_people(services, act.tx, key, actor)
        own = _account_of(people, actor)
        is_own = own is not None and own.staff_id == offer.given.staff_id
        if not is_own:
            actor.check_may(Permission.MANAGE_DUTY)
        lock_roster(act.tx, key)
        roster = _roster_of(services, act.tx, key, offer)
        _check(offer, roster, people, act.now)
        SWAPS.expire(act.tx, t.duty_swap.c.unit_id == unit.id, now=act.now)
        if is_swap_waiting(act.tx, key, offer.given):
            raise Conflict(gettext_noop("a swap of this shift waits for an answer already"))
        add_swap(
            act.tx, key, offer, by=act.by, now=act.now, expires_at=offer.starts_at(roster), agreed=not is_own
        )
        act.audit(
            "swap_asked" if is_own else "swap_made", f"unit/{unit.id}", facts=_facts(key, offer, people)
        )
    return not is_own


def decide_swap(services: Services, actor: Actor, swap_id: int, event: RequestEvent) -> None:
    """The other person, or a supervisor, agrees or refuses; who asked withdraws. Raises `Conflict` where the shifts can
    no longer be swapped, `NotFound`, `NotPermitted`, and `SamePerson` for who asked.
    """
    with services.act(actor, Permission.SEE_DUTY) as act:
        found = next((row for row in swaps_waiting(act.tx, act.now) if row["id"] == swap_id), None)
        if found is None:
            raise NotFound(kind="swap", key=swap_id)
        key = (found["unit_id"], DutyKind(found["kind"]))
        _, people = _roster_people(services, act.tx, key, actor)
        lock_roster(act.tx, key)
        row = SWAPS.lock(act.tx, swap_id, now=act.now)
        own = _account_of(people, actor)
        if event is RequestEvent.WITHDRAWN:
            if not actor.signed(row["asked_by"]):
                actor.check_may(Permission.MANAGE_DUTY)
        elif own is None or own.staff_id != row["to_id"]:
            actor.check_may(Permission.MANAGE_DUTY)
        if event is RequestEvent.APPROVED:
            _check_again(services, act, key, row, people)
        SWAPS.decide(act, row, event, subject=f"unit/{key[0]}", facts=_facts(key, offer_of(row), people))


def _check_again(
    services: Services, act: OpenAct, key: RosterKey, row: Row, people: Mapping[int, Candidate]
) -> None:
    offer = offer_of(row)
    _check(offer, _roster_of(services, act.tx, key, offer), people, act.now)


def _check(offer: SwapOffer, roster: Roster, people: Mapping[int, Candidate], now: datetime) -> None:
    able = [person.staff_id for person in people.values() if person.able]
    problem = problem_of_swap(offer, roster, able, now)
    if problem:
        raise Conflict(problem)


def _roster_people(
    services: Services, tx: Tx, key: RosterKey, actor: Actor
) -> tuple[Unit, Mapping[int, Candidate]]:
    unit = visible_unit_of(services.units.current(tx), key[0], actor.unit_id)
    return unit, {person.staff_id: person for person in candidates(tx, unit, key[1])}


def _account_of(people: Mapping[int, Candidate], actor: Actor) -> Candidate | None:
    return next((person for person in people.values() if actor.signed(person.login)), None)


def _roster_of(services: Services, tx: Tx, key: RosterKey, offer: SwapOffer) -> Roster:
    """The days around the shifts that are swapped."""
    days = [entry.day for entry in (offer.given, offer.back) if entry is not None]
    return read_roster(tx, key, hours_of(services), first=min(days) - _NEAR, last=max(days) + _NEAR)


def offer_of(row: Row) -> SwapOffer:
    """The swap as stored."""
    given = DutyEntry(day=row["day"], mark=row["mark"], staff_id=row["from_id"])
    back = None
    if row["back_day"] is not None:
        back = DutyEntry(day=row["back_day"], mark=row["back_mark"], staff_id=row["to_id"])
    return SwapOffer(given=given, to_id=row["to_id"], back=back)


def _facts(key: RosterKey, offer: SwapOffer, people: Mapping[int, Candidate]) -> dict[str, object]:
    given, back = offer.given, offer.back
    logins = {staff_id: person.login for staff_id, person in people.items()}
    facts: dict[str, object] = {
        "kind": key[1].value,
        "shift": f"{given.day} {given.mark}",
        "giver": logins.get(given.staff_id, ""),
        "taker": logins.get(offer.to_id, ""),
    }
    return facts if back is None else {**facts, "in_return": f"{back.day} {back.mark}"}


def typed_entry(text: str, *, field: str) -> DutyEntry:
    """A shift of a form: its day, the account's id and the mark, as 2026-12-05/7/白. Raises `Invalid`."""
    day, _, rest = text.partition("/")
    staff_id, _, mark = rest.partition("/")
    try:
        return DutyEntry(day=date.fromisoformat(day), mark=mark, staff_id=int(staff_id))
    except ValueError:
        problem, fix = gettext_noop("is not known"), gettext_noop("choose one of the list")
        raise Invalid(field=field, problem=problem, fix=fix) from None


def swaps_seen_by(services: Services, actor: Actor, staff_id: int) -> list[WaitingSwap]:
    """The swaps that wait for an answer and that the reader asked for, answers, or manages."""
    manages = actor.may(Permission.MANAGE_DUTY)
    with services.store.begin() as tx:
        index = services.units.current(tx)
        rows = swaps_waiting(tx, services.clock.now())
        found = []
        for row in rows:
            unit = index.get(row["unit_id"])
            sees = actor.unit_id is None or (unit is not None and actor.unit_id in unit.path)
            concerned = staff_id in {row["from_id"], row["to_id"]}
            if not (concerned or (manages and sees)):
                continue
            asked = actor.signed(row["asked_by"])
            found.append(
                WaitingSwap(
                    id=row["id"],
                    unit=index.label(row["unit_id"]),
                    kind=DutyKind(row["kind"]),
                    day=row["day"],
                    mark=row["mark"],
                    giver=row["giver"],
                    taker=row["taker"],
                    back_day=row["back_day"],
                    back_mark=row["back_mark"] or "",
                    may_answer=not asked and (staff_id == row["to_id"] or manages),
                    may_withdraw=asked,
                )
            )
        return found
