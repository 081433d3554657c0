"""Work reaches a named person: who is on duty for its unit and kind is told by the rules of their own, one channel
after the other, until somebody takes it.

New and escalated work is found by its rows, so no order is lost. Each notification is in the timeline of its tasks. A
channel that fails makes the person's next one due at once; when every one has failed, an alarm says that work is due
and nobody was told. No text names a person.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from dialer.cases.store import Act, note_acts
from dialer.core.access import ROBOT, Actor, Permission
from dialer.core.case import VisitStage
from dialer.core.errors import Invalid, NotFound, NotPermitted, Overtaken
from dialer.core.events import AlarmCode
from dialer.core.notifications import (
    NotificationChannel,
    NotificationEvent,
    NotificationFault,
    NotificationRules,
    WebhookFormat,
    due_times,
)
from dialer.core.rota import DutyKind
from dialer.core.text import Lang, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.values import Grade, Track
from dialer.db.alarms import raise_alarm_once
from dialer.db.system_state import awaited_comparison
from dialer.db.unit_of_work import Tx
from dialer.duty.actions import KIND_OF_TRACK, Duty, read_duty
from dialer.intake.phones import normalise_phone
from dialer.language.catalogue import say
from dialer.notifications.store import (
    Notification,
    PastNotification,
    PersonalRules,
    WaitingTask,
    add_notifications,
    claim_for_pages,
    claim_lapsed,
    claim_notifications,
    drop_others_of,
    hasten_next,
    is_any_for_pages,
    last_sent,
    lock_notification,
    lock_tasks_to_tell,
    mark_sent,
    mark_told,
    move_notification,
    past_notifications,
    read_rules,
    save_rules,
    told_of_nobody,
)
from dialer.oversight.correction_store import OrderToTell, lock_orders_to_tell, mark_orders_told
from dialer.runtime.services import Services
from dialer.staff.store import find_member
from dialer.webhooks.actions import checked_url
from dialer.work.visits import PhoneAct, take_step

ORDER: Final = "notify"
"""The task that plans and sends notifications."""
_AT_ONCE: Final = 500
_PAGE_LEASE: Final = timedelta(seconds=6)
"""In real time. A person whose pages have not shown a notification by then has none open."""
SEND_LEASE: Final = timedelta(seconds=60)
"""In real time, longer than any request."""
CALL_LEASE: Final = timedelta(minutes=5)
"""In real time. A call whose end was not reported by then went unanswered."""
_LAST: Final = 20
_REMEMBERED: Final = timedelta(days=2)


def plan_notifications(services: Services) -> int:
    """Plans a notification for everybody on duty for each assignment of which nobody was told since it came, returned
    to the queue or was escalated, and for who has come on duty since then; and for each order to correct that was
    issued. Of a unit without a roster the people on duty in the nearest unit above are told. At the end of its
    escalation the duty chief is told too. Returns how many assignments and orders there were. Without rosters it costs
    one statement.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        duty = read_duty(tx, services, now=now)
        since = {key: duty.unchanged_since(key) for key, people in duty.people_now().items() if people}
        workers = {
            (unit_id, track): at
            for (unit_id, kind), at in since.items()
            for track, of_track in KIND_OF_TRACK.items()
            if kind is of_track
        }
        chiefs = {unit_id: at for (unit_id, kind), at in since.items() if kind is DutyKind.CHIEF}
        tasks = lock_tasks_to_tell(tx, workers, chiefs, now=now, limit=_AT_ONCE)
        orders = _orders_by_person(tx, duty) if duty.rosters else {}
        if not (tasks or orders):
            return 0
        of_person = _by_person(tasks, duty)
        concerned = of_person.keys() | orders.keys()
        rules, last = read_rules(tx, concerned), last_sent(tx, concerned, now=now)
        rows = [
            row | {"orders": [order.id for order in orders.get(staff_id, ())]}
            for staff_id in sorted(concerned)
            for row in _rows(
                services,
                staff_id,
                of_person.get(staff_id, ()),
                rules[staff_id],
                last.get(staff_id, {}),
                now=now,
            )
        ]
        add_notifications(tx, rows, now=now)
        if tasks:
            mark_told(tx, tasks, now=now)
        told_orders = {order.id for own in orders.values() for order in own}
        if told_orders:
            mark_orders_told(tx, told_orders, now=now)
        told = {task.id for row in rows for task in row["tasks"]}
        untold = [task for task in tasks if task.id not in told and _on_duty_for(task, duty, now)]
        _raise_untold(tx, [task for task in untold if task.told_at is None], now=now)
    return len(tasks) + len(told_orders)


_KINDS_OF_UNIT: Final = (DutyKind.OFFICER, DutyKind.CALLER, DutyKind.SUPERVISOR)


def _orders_by_person(tx: Tx, duty: Duty) -> dict[int, list[OrderToTell]]:
    """Who is told of which orders to correct. One whose unit has nobody on duty waits for somebody to come."""
    found: dict[int, list[OrderToTell]] = {}
    for order in lock_orders_to_tell(tx, limit=_AT_ONCE):
        for staff_id in _on_duty_for_order(order, duty):
            found.setdefault(staff_id, []).append(order)
    return found


def _on_duty_for_order(order: OrderToTell, duty: Duty) -> tuple[int, ...]:
    """Everybody on duty in the unit; where it keeps no roster, in the nearest unit above."""
    own = [kind for kind in _KINDS_OF_UNIT if (order.unit_id, kind) in duty.rosters]
    people = (duty.on_for(order.unit_id, kind, duty.now) for kind in own or _KINDS_OF_UNIT)
    return tuple(dict.fromkeys(staff_id for of_kind in people for staff_id in of_kind))


def _by_person(tasks: Sequence[WaitingTask], duty: Duty) -> dict[int, list[WaitingTask]]:
    of_person: dict[int, list[WaitingTask]] = {}
    for task in tasks:
        known = () if task.told_at is None else _on_duty_for(task, duty, task.told_at)
        for staff_id in _on_duty_for(task, duty, duty.now):
            if staff_id not in known:
                of_person.setdefault(staff_id, []).append(task)
    return of_person


def _on_duty_for(task: WaitingTask, duty: Duty, at: datetime) -> tuple[int, ...]:
    """Who is told of this task at that moment."""
    people = dict.fromkeys(duty.on_for(task.unit_id, KIND_OF_TRACK[task.kind], at))
    if task.escalated_at is not None:
        people |= dict.fromkeys(duty.chief_of(task.unit_id, at))
    return tuple(people)


def _rows(
    services: Services,
    staff_id: int,
    tasks: Sequence[WaitingTask],
    personal: PersonalRules,
    last: Mapping[NotificationChannel, datetime],
    *,
    now: datetime,
) -> list[dict[str, Any]]:
    is_urgent = any(task.grade is Grade.EXTRA_HIGH for task in tasks)
    due = due_times(
        personal.rules,
        personal.reachable,
        now=now,
        zone=services.centre.zone,
        is_urgent=is_urgent,
        last=last,
    )
    return [
        {"staff_id": staff_id, "channel": channel, "due_at": at, "tasks": tasks, "is_test": False}
        for channel, at in due.items()
    ]


def _raise_untold(tx: Tx, tasks: Sequence[WaitingTask], *, now: datetime) -> None:
    if tasks:
        raise_alarm_once(tx, AlarmCode.NOT_NOTIFIED, now=now, names=sorted({task.unit for task in tasks}))


def claim_due(services: Services, channel: NotificationChannel, *, limit: int = 50) -> list[Notification]:
    """Due notifications of this channel, which are being sent from now on. Tasks for which the person is on duty no
    more are left out; a notification without others is dropped. None after a restore, until the carrier's calls have
    been compared: they may be old.
    """
    leases = {NotificationChannel.DESKTOP: _PAGE_LEASE, NotificationChannel.CALL: CALL_LEASE}
    with services.store.begin() as tx:
        if awaited_comparison(tx) is not None:
            return []
        now = services.clock.now()
        found = claim_notifications(
            tx,
            channel,
            now=now,
            real_now=services.real.now(),
            lease=leases.get(channel, SEND_LEASE),
            limit=limit,
        )
        return _of_people_on_duty(tx, services, found, now=now) if found else []


def _of_people_on_duty(
    tx: Tx, services: Services, claimed: Sequence[Notification], *, now: datetime
) -> list[Notification]:
    duty = read_duty(tx, services, now=now)
    kept = []
    for one in claimed:
        tasks = tuple(task for task in one.tasks if one.staff_id in _on_duty_for(task, duty, now))
        orders = tuple(order for order in one.orders if one.staff_id in _on_duty_for_order(order, duty))
        left = replace(one, tasks=tasks, orders=orders)
        if left.has_work:
            kept.append(left)
        else:
            move_notification(tx, one.id, NotificationEvent.DUTY_ENDED)
    return kept


def show_on_pages(services: Services, staff_ids: Collection[int]) -> list[Notification]:
    """Desktop notifications that pages of these accounts show now: they are sent."""
    with services.store.begin_single_read() as tx:
        if not is_any_for_pages(tx):
            return []
    with services.store.begin() as tx:
        now = services.clock.now()
        claimed = claim_for_pages(tx, staff_ids)
        still = _of_people_on_duty(tx, services, claimed, now=now) if claimed else []
        found = [one for one in still if mark_sent(tx, one, now=now)]
        _note(tx, found, ActKind.NOTIFIED, now=now)
    return found


def record_sent(services: Services, sent: Sequence[Notification]) -> None:
    """The channel has taken these."""
    with services.store.begin() as tx:
        now = services.clock.now()
        _note(tx, [one for one in sent if mark_sent(tx, one, now=now)], ActKind.NOTIFIED, now=now)


def record_failed(services: Services, failed: Notification, fault: NotificationFault) -> None:
    """This one failed: the person's next one is due at once."""
    with services.store.begin() as tx:
        _fail(tx, failed, fault, now=services.clock.now())


def _fail(tx: Tx, failed: Notification, fault: NotificationFault, *, now: datetime) -> None:
    if not move_notification(tx, failed.id, NotificationEvent.FAILED, fault=fault):
        return
    _note(tx, [failed], ActKind.NOT_NOTIFIED, now=now, fault=fault)
    if hasten_next(tx, failed, now=now):
        tx.tasks_after_commit.add(ORDER)
    elif failed.tasks and not failed.is_test:
        _raise_untold(tx, told_of_nobody(tx, failed.tasks, since=now - _REMEMBERED), now=now)


def end_lapsed(services: Services) -> int:
    """Fails what no page has shown, and what a sender or the carrier has not reported in time. Returns how many."""
    faults = {
        NotificationChannel.DESKTOP: NotificationFault.NO_PAGE,
        NotificationChannel.CALL: NotificationFault.UNANSWERED,
    }
    with services.store.begin() as tx:
        lapsed = claim_lapsed(tx, real_now=services.real.now(), lease=SEND_LEASE, limit=_AT_ONCE)
        for one in lapsed:
            _fail(tx, one, faults.get(one.channel, NotificationFault.UNCERTAIN), now=services.clock.now())
    return len(lapsed)


def _note(
    tx: Tx,
    told: Iterable[Notification],
    kind: ActKind,
    *,
    now: datetime,
    fault: NotificationFault | None = None,
) -> None:
    """One line in the timeline for each task and channel, with everybody who was told."""
    who: dict[tuple[int, int, NotificationChannel], list[str]] = {}
    for one in told:
        for task in one.tasks:
            who.setdefault((task.case_id, task.id, one.channel), []).append(one.login)
    acts = []
    for (case_id, assignment_id, channel), logins in who.items():
        facts: dict[str, object] = {
            "assignment_id": assignment_id,
            "by_channel": channel.value,
            "told": ", ".join(sorted(logins)),
        }
        if fault is not None:
            facts["fault"] = fault.value
        acts.append(Act(case_id=case_id, kind=kind, by=ROBOT, facts=facts))
    note_acts(tx, acts, now=now)


def text_of(services: Services, notification: Notification, lang: Lang | None = None) -> str:
    """What the person is told, in their language. It names nobody whom the work is about."""
    lang = lang or notification.language
    bureau = services.centre.bureau.get(lang.value) or say(lang, "Fraud warning and dissuasion")
    if notification.is_test:
        return say(lang, gettext_noop("%(bureau)s: this is a test of your notifications."), bureau=bureau)
    tasks = notification.tasks
    if notification.orders and not tasks:
        return _text_of_orders(services, notification.orders, lang, bureau=bureau)
    urgent = sum(task.grade is Grade.EXTRA_HIGH for task in tasks)
    first = min((task.sign_by for task in tasks), default=services.clock.now())
    facts = {
        "bureau": bureau,
        "n": len(tasks),
        "urgent": urgent,
        "time": f"{first.astimezone(services.centre.zone):%H:%M}",
    }
    if urgent:
        text = gettext_noop(
            "%(bureau)s: tasks that wait for you: %(n)s, extra high: %(urgent)s. Sign by %(time)s. Please sign in."
        )
    else:
        text = gettext_noop("%(bureau)s: tasks that wait for you: %(n)s. Sign by %(time)s. Please sign in.")
    told = say(lang, text, **facts)
    if notification.orders:
        more = gettext_noop(" Orders to correct that wait for your unit: %(n)s.")
        told += say(lang, more, n=len(notification.orders))
    return told


def _text_of_orders(services: Services, orders: Sequence[OrderToTell], lang: Lang, *, bureau: str) -> str:
    first = min(order.deadline for order in orders)
    return say(
        lang,
        gettext_noop(
            "%(bureau)s: orders to correct that wait for your unit: %(n)s. First deadline: %(time)s. Please sign in."
        ),
        bureau=bureau,
        n=len(orders),
        time=f"{first.astimezone(services.centre.zone):%Y-%m-%d %H:%M}",
    )


def answer_call(services: Services, notification_id: uuid.UUID) -> tuple[str, Lang]:
    """The person has answered the robot's call: what they hear, and in which language. Raises `NotFound`."""
    with services.store.begin() as tx:
        found = lock_notification(tx, notification_id)
        if found is None:
            raise NotFound(kind="notification", key=notification_id)
        answered, now = found[0], services.clock.now()
        if mark_sent(tx, answered, now=now):
            _note(tx, [answered], ActKind.NOTIFIED, now=now)
    lang = answered.language
    if not answered.has_work:
        return say(lang, gettext_noop("Somebody else has taken the work. Thank you.")), lang
    return text_of(services, answered) + say(lang, gettext_noop(" To accept, press 1.")), lang


def accept_notification(services: Services, notification_id: uuid.UUID) -> tuple[str, Lang]:
    """The person pressed 1 in the robot's call: visits that still wait are theirs, and of these tasks they are told no
    more. Returns what they hear, and in which language. The same key pressed again changes nothing more. Raises
    `NotFound`.
    """
    with services.store.begin() as tx:
        found = lock_notification(tx, notification_id)
        if found is None:
            raise NotFound(kind="notification", key=notification_id)
        accepted, _ = found
        if move_notification(tx, accepted.id, NotificationEvent.ACCEPTED):
            drop_others_of(tx, accepted)
            _note(tx, [accepted], ActKind.NOTIFICATION_ACCEPTED, now=services.clock.now())
        member = find_member(tx, accepted.login)
    lang = accepted.language
    if accepted.is_test:
        return say(lang, gettext_noop("Thank you. The test is complete.")), lang
    if member is None or member.disabled_at is not None or not accepted.has_work:
        return say(lang, gettext_noop("Somebody else has taken the work. Thank you.")), lang
    visits = [task for task in accepted.tasks if task.kind is Track.VISIT]
    signed = sum(_sign(services, accepted.id, task, member.actor) for task in visits)
    if visits and not signed:
        return say(lang, gettext_noop("Somebody else has taken the work. Thank you.")), lang
    return say(lang, gettext_noop("Thank you, accepted. Please sign in.")), lang


def _sign(services: Services, notification_id: uuid.UUID, task: WaitingTask, actor: Actor) -> bool:
    """Signs for the visit; False where somebody else has it, or the person may not do it."""
    client_id = uuid.uuid5(notification_id, str(task.id))
    phone = PhoneAct(client_id=client_id, actor=actor)
    try:
        take_step(services, task.id, VisitStage.ACCEPTED, phone=phone)
    except (Overtaken, NotFound, NotPermitted):
        return False
    return True


def apply_news(services: Services, notification_id: uuid.UUID, fault: NotificationFault | None) -> bool:
    """Applies news of a message or the end of a call; None: it arrived. False for a notification that does not
    exist.
    """
    with services.store.begin() as tx:
        found = lock_notification(tx, notification_id)
        if found is not None and fault is not None:
            _fail(tx, found[0], fault, now=services.clock.now())
        return found is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRules:
    """A person's rules as typed; the minutes of each channel, '' for one that is not used."""

    minutes: Mapping[NotificationChannel, str]
    quiet_from: str = ""
    quiet_to: str = ""
    telephone: str = ""
    url: str = ""
    secret: str = ""
    """'' keeps the one that is stored."""
    format: str = WebhookFormat.STANDARD.value


_MOST_MINUTES: Final = 24 * 60


def change_rules(services: Services, actor: Actor, staff_id: int, typed: TypedRules) -> None:
    """Stores a person's own rules; audited. Raises `Invalid` with the field that cannot be used."""
    after = {channel: _after(channel, typed.minutes.get(channel, "")) for channel in NotificationChannel}
    begins, ends = _hour("quiet_from", typed.quiet_from), _hour("quiet_to", typed.quiet_to)
    if (begins is None) != (ends is None) or (begins is not None and begins == ends):
        raise Invalid(
            field="quiet_to",
            problem=gettext_noop("does not end the quiet hours"),
            fix=gettext_noop("enter both hours, or neither"),
        )
    used = {channel: span for channel, span in after.items() if span is not None}
    telephone = _telephone(services, typed.telephone.strip())
    url = checked_url(typed.url, services.webhooks) if typed.url.strip() else ""
    try:
        webhook_format = WebhookFormat(typed.format)
    except ValueError:
        raise Invalid(
            field="format", problem=gettext_noop("is not known"), fix=gettext_noop("choose one of the list")
        ) from None
    with services.act(actor, Permission.SEE_DUTY) as act:
        before = read_rules(act.tx, [staff_id])[staff_id]
        personal = PersonalRules(
            rules=NotificationRules(after=used, quiet_from=begins, quiet_to=ends),
            telephone=telephone,
            url=url,
            secret=typed.secret.strip() or (before.secret if url else ""),
            format=webhook_format,
            has_browser=before.has_browser,
        )
        if url and webhook_format is WebhookFormat.STANDARD and not personal.secret:
            raise Invalid(field="secret", problem=gettext_noop("is empty"))
        if personal.reachable.isdisjoint(used):
            raise Invalid(
                field="desktop",
                problem=gettext_noop("no channel is left that could reach you"),
                fix=gettext_noop("use one for which a number or address is entered"),
            )
        save_rules(act.tx, staff_id, personal, now=act.now)
        facts = {f"{channel.value}_seconds": int(span.total_seconds()) for channel, span in used.items()}
        act.audit("notification_rules", f"staff/{staff_id}", facts=facts)


def _after(channel: NotificationChannel, minutes: str) -> timedelta | None:
    text = minutes.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST_MINUTES):
        raise Invalid(
            field=channel.value,
            problem=gettext_noop("is not a number of minutes"),
            fix=gettext_noop("0 to 1440, or empty where the channel is not used"),
        )
    return timedelta(minutes=int(text))


def _hour(name: str, typed: str) -> time | None:
    text = typed.strip()
    if not text:
        return None
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise Invalid(
            field=name, problem=gettext_noop("is not a time of day"), fix=gettext_noop("as 22:00")
        ) from None


def _telephone(services: Services, typed: str) -> str:
    if not typed:
        return ""
    number = normalise_phone(typed, services.centre.area_code)
    if number is None:
        raise Invalid(field="telephone", problem=gettext_noop("is not a telephone number"))
    if (why := services.numbers.refusal(number)) is not None:
        raise Invalid(field="telephone", problem=why)
    return number


def own_notifications(services: Services, staff_id: int) -> tuple[PersonalRules, list[PastNotification]]:
    """A person's own rules, and the last notifications that they were sent, the newest first."""
    with services.store.begin() as tx:
        return read_rules(tx, [staff_id])[staff_id], past_notifications(tx, staff_id, limit=_LAST)


def send_test(services: Services, actor: Actor, staff_id: int) -> list[NotificationChannel]:
    """Sends a test by each channel of a person's own rules at once; audited. Returns the channels."""
    with services.act(actor, Permission.SEE_DUTY) as act:
        personal = read_rules(act.tx, [staff_id])[staff_id]
        channels = [channel for channel in personal.rules.after if channel in personal.reachable]
        rows = [
            {"staff_id": staff_id, "channel": channel, "due_at": act.now, "tasks": (), "is_test": True}
            for channel in channels
        ]
        add_notifications(act.tx, rows, now=act.now)
        act.audit("notification_test", f"staff/{staff_id}", facts={"channels": len(channels)})
        act.tx.tasks_after_commit.add(ORDER)
    return channels
