"""Orders to correct: issued by a supervisor above the unit, signed for and answered by the unit, and closed or sent
back by a supervisor above it who did not write the answer. An order on which nobody acts in time raises an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from dialer.core.access import Actor, Permission, required_text
from dialer.core.corrections import (
    BY_THE_UNIT,
    LONGEST_TEXT,
    OrderEvent,
    OrderState,
    checked_deadline,
    is_above,
    next_due,
    order_after,
)
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.core.units import Unit, UnitIndex
from dialer.db.alarms import raise_alarm_once
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Tx
from dialer.oversight.correction_store import (
    CorrectionOrder,
    CorrectionStep,
    ToldOfOrder,
    add_order,
    add_step,
    case_unit,
    change_order,
    get_order,
    list_orders,
    lock_order,
    steps_of,
    told_of_order,
    units_overdue,
)
from dialer.runtime.services import Services

NOTIFY: Final = "notify"
"""The task that tells people on duty (`dialer.notifications`)."""
_TOLD_AGAIN: Final = timedelta(days=1)
_PAGE: Final = 50
_ACTS: Final = {
    OrderEvent.SIGNED: "sign_correction",
    OrderEvent.ANSWERED: "answer_correction",
    OrderEvent.SENT_BACK: "send_back_correction",
    OrderEvent.CLOSED: "close_correction",
    OrderEvent.WITHDRAWN: "withdraw_correction",
}
_NEEDS_WORDS: Final = frozenset({OrderEvent.ANSWERED, OrderEvent.SENT_BACK, OrderEvent.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """An order as typed. `deadline`: local time as 2026-12-10T18:00. `month` as 2026-11; '' where it is about none."""

    unit_id: int
    text: str
    deadline: str
    case_id: int | None = None
    month: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """An order with everything that happened to it, and what its reader may do."""

    order: CorrectionOrder
    unit: str
    steps: tuple[CorrectionStep, ...]
    told: tuple[ToldOfOrder, ...]
    """Who on duty was told of it."""
    allowed: frozenset[OrderEvent]

    def plain(self, now: datetime) -> dict[str, Any]:
        """As JSON: `dialer corrections show --json`."""
        steps = [
            {
                "event": step.event.value,
                "by": step.by,
                "at": step.at,
                "deadline": step.deadline,
                "text": step.text,
            }
            for step in self.steps
        ]
        return {**plain_order(self.order, self.unit, now), "steps": steps}


def plain_order(order: CorrectionOrder, unit: str, now: datetime) -> dict[str, Any]:
    """An order as JSON, without what was said."""
    return {
        "id": order.id,
        "unit_id": order.unit_id,
        "unit": unit,
        "case_id": order.case_id,
        "month": None if order.month is None else f"{order.month:%Y-%m}",
        "state": order.state.value,
        "deadline": order.deadline,
        "due_at": order.due_at,
        "is_overdue": order.is_overdue(now),
        "issued_by": order.issued_by,
        "issued_at": order.issued_at,
        "answered_by": order.answered_by,
    }


def typed_deadline(services: Services, text: str, *, now: datetime) -> datetime:
    """The deadline as typed, in local time: 2026-12-10T18:00, or a day, which ends at its end. Raises `Invalid`."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        problem, fix = gettext_noop("is not a time"), gettext_noop("choose a day and a time")
        raise Invalid(field="deadline", problem=problem, fix=fix) from None
    try:
        if "T" not in text and " " not in text.strip():
            local += timedelta(days=1)
        if local.tzinfo is None:
            local = local.replace(tzinfo=services.centre.zone)
        return checked_deadline(local.astimezone(UTC), now=now)
    except OverflowError:
        raise Invalid(field="deadline", problem=gettext_noop("is out of range")) from None


def _typed_text(text: str) -> str:
    words = required_text("text", text)
    if len(words) > LONGEST_TEXT:
        problem = Text(gettext_noop("is longer than %(most)s characters"), most=LONGEST_TEXT)
        raise Invalid(field="text", problem=problem)
    return words


def _next_due(services: Services, event: OrderEvent, *, deadline: datetime, now: datetime) -> datetime | None:
    within = timedelta(hours=services.work.correction_wait_hours)
    return next_due(event, deadline=deadline, now=now, decided_within=within)


def issue_order(services: Services, actor: Actor, draft: OrderDraft) -> int:
    """Issues an order to a unit below the actor's own; its id. Its people on duty are told. Raises `Invalid`, and
    `NotFound` for a unit that is not below the actor's own or is closed, and for a case that is not of that unit or
    below it.
    """
    text = _typed_text(draft.text)
    with services.act(actor, Permission.ORDER_CORRECTIONS) as act:
        index = services.units.current(act.tx)
        unit = index.get(draft.unit_id)
        if unit is None or not unit.active or not is_above(actor.unit_id, unit):
            raise NotFound(kind="unit", key=draft.unit_id)
        if draft.case_id is not None:
            case_unit(act.tx, draft.case_id, visible_to=unit.id)
        deadline = typed_deadline(services, draft.deadline, now=act.now)
        order_id = add_order(
            act.tx,
            unit_id=unit.id,
            case_id=draft.case_id,
            month=draft.month,
            deadline=deadline,
            due_at=_next_due(services, OrderEvent.ISSUED, deadline=deadline, now=act.now),
            by=act.by,
            now=act.now,
        )
        add_step(act.tx, order_id, OrderEvent.ISSUED, by=act.by, now=act.now, text=text, deadline=deadline)
        facts: dict[str, object] = {"unit_id": unit.id, "until": deadline.isoformat()}
        if draft.case_id is not None:
            facts["case"] = draft.case_id
        act.audit("issue_correction", f"correction/{order_id}", facts=facts)
        act.tx.tasks_after_commit.add(NOTIFY)
    return order_id


def move_order(
    services: Services, actor: Actor, order_id: int, event: OrderEvent, *, text: str = "", deadline: str = ""
) -> None:
    """The unit signs or answers; a supervisor above it sends back with a new deadline, closes or withdraws. Raises
    `Conflict` for an order that does not accept this any more, `SamePerson` where who issued the order would answer it
    or who answered would decide, `NotPermitted` for a supervisor who does not stand above the unit, and `NotFound`.
    """
    words = _typed_text(text) if event in _NEEDS_WORDS else text.strip()[:LONGEST_TEXT]
    right = Permission.WORK_CASES if event in BY_THE_UNIT else Permission.ORDER_CORRECTIONS
    with services.act(actor, right) as act:
        tx = act.tx
        order = lock_order(tx, order_id, visible_to=actor.unit_id)
        unit = _unit_of(services.units.current(tx), order)
        after = order_after(order.state, event)
        if event in BY_THE_UNIT:
            require_second_person(tx, act.by, order.issued_by)
        elif not is_above(actor.unit_id, unit):
            raise Conflict(gettext_noop("a supervisor of a unit above this one decides that"))
        if event in {OrderEvent.CLOSED, OrderEvent.SENT_BACK}:
            require_second_person(tx, act.by, order.answered_by)
        changed: dict[str, object] = {"state": after.value}
        fresh = None
        if event is OrderEvent.SENT_BACK:
            fresh = typed_deadline(services, deadline, now=act.now)
            changed |= {"deadline": fresh, "notified_at": None}
            tx.tasks_after_commit.add(NOTIFY)
        if event is OrderEvent.ANSWERED:
            changed["answered_by"] = act.by
        changed["due_at"] = _next_due(services, event, deadline=fresh or order.deadline, now=act.now)
        change_order(tx, order_id, **changed)
        add_step(tx, order_id, event, by=act.by, now=act.now, text=words, deadline=fresh)
        facts = {"unit_id": unit.id} | ({} if fresh is None else {"until": fresh.isoformat()})
        act.audit(_ACTS[event], f"correction/{order_id}", facts=facts)


def _unit_of(index: UnitIndex, order: CorrectionOrder) -> Unit:
    unit = index.get(order.unit_id)
    if unit is None:
        raise NotFound(kind="unit", key=order.unit_id)
    return unit


def read_order(services: Services, actor: Actor, order_id: int) -> OrderPage:
    """The order and what was said. Raises `NotFound`, also for one of a unit that the actor does not see, and
    `NotPermitted`.
    """
    actor.check_may(Permission.SEE_CORRECTIONS)
    with services.store.begin() as tx:
        index = services.units.current(tx)
        order = get_order(tx, order_id, visible_to=actor.unit_id)
        unit = _unit_of(index, order)
        return OrderPage(
            order=order,
            unit=index.label(unit.id),
            steps=tuple(steps_of(tx, order_id)),
            told=tuple(told_of_order(tx, order)),
            allowed=_allowed(actor, order, unit),
        )


def _allowed(actor: Actor, order: CorrectionOrder, unit: Unit) -> frozenset[OrderEvent]:
    """What a page offers; who is the same person is known only once somebody acts."""
    found: set[OrderEvent] = set()
    if actor.may(Permission.WORK_CASES) and not actor.signed(order.issued_by):
        found |= BY_THE_UNIT
    if actor.may(Permission.ORDER_CORRECTIONS) and is_above(actor.unit_id, unit):
        found.add(OrderEvent.WITHDRAWN)
        if not (order.answered_by and actor.signed(order.answered_by)):
            found |= {OrderEvent.CLOSED, OrderEvent.SENT_BACK}
    return frozenset(event for event in found if _accepts(order.state, event))


def _accepts(state: OrderState, event: OrderEvent) -> bool:
    try:
        order_after(state, event)
    except Conflict:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderList:
    """Orders with the names of their units; `older`: the last id, where there are more."""

    orders: tuple[tuple[CorrectionOrder, str], ...]
    older: int | None


def read_orders(
    services: Services,
    actor: Actor,
    *,
    open_only: bool,
    unit_id: int | None = None,
    case_id: int | None = None,
    before: int | None = None,
) -> OrderList:
    """Fifty orders of the units that the actor sees, the newest first. Raises `NotPermitted`."""
    actor.check_may(Permission.SEE_CORRECTIONS)
    with services.store.begin() as tx:
        index = services.units.current(tx)
        found = list_orders(
            tx,
            visible_to=actor.unit_id,
            open_only=open_only,
            unit_id=unit_id,
            case_id=case_id,
            before=before,
            limit=_PAGE + 1,
        )
    shown: Sequence[CorrectionOrder] = found[:_PAGE]
    return OrderList(
        orders=tuple((order, index.label(order.unit_id)) for order in shown),
        older=shown[-1].id if len(found) > _PAGE else None,
    )


def units_below(services: Services, actor: Actor) -> list[Unit]:
    """The units to which the actor may issue an order, in the order of the tree."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
    return [unit for unit in index if unit.active and is_above(actor.unit_id, unit)]


def unit_of_case(services: Services, actor: Actor, case_id: int) -> int | None:
    """The unit of a case that the actor sees; None for a case without one. Raises `NotFound`."""
    with services.store.begin() as tx:
        return case_unit(tx, case_id, visible_to=actor.unit_id)


def watch_orders(services: Services) -> int:
    """Raises an alarm for the units of orders that were not answered by their deadline, or whose answer nobody decided
    within `work.correction_wait_hours`; again a day after somebody acknowledged it. Returns how many units there are.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        units = units_overdue(tx, now=now)
        if units:
            _raise(tx, services, units, now=now)
    return len(units)


def _raise(tx: Tx, services: Services, units: Sequence[int], *, now: datetime) -> None:
    index = services.units.current(tx)
    names = [index.label(unit_id) for unit_id in units]
    raise_alarm_once(tx, AlarmCode.CORRECTION_OVERDUE, now=now, names=names, again_after=_TOLD_AGAIN)
