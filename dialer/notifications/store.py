"""Rows of notifications and of people's own rules. A notification is a job (`dialer.db.jobs`): while it waits, due by
the service clock, and while it is being sent, under a lease in real time. Nothing is sent twice: a lease that ends
means that the result is not known.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from dialer.core.case import AssignmentState
from dialer.core.notifications import (
    DEFAULT_RULES,
    MERGED_FOR,
    NOTIFICATION_MOVES,
    REACHING,
    NotificationChannel,
    NotificationEvent,
    NotificationFault,
    NotificationRules,
    NotificationState,
    WebhookFormat,
)
from dialer.core.text import Lang
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, state_update, word_literal
from dialer.db.jobs import JobClaim, JobTable
from dialer.db.tables.work import NOT_NOTIFIED
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.oversight.correction_store import OrderToTell, orders_still_to_tell

_n = t.notification.c
TO_SEND: Final = JobTable(
    kind="notification",
    waits=in_words(_n.state, NOTIFICATION_MOVES[NotificationEvent.CLAIMED]),
    due=_n.due_at,
)
"""Notifications that wait. They are due by the service clock."""
BEING_SENT: Final = JobTable(
    kind="notification",
    waits=in_words(_n.state, NOTIFICATION_MOVES[NotificationEvent.SENT]),
    due=_n.lease_until,
)
"""The same once they were taken; due when nobody has said in time what became of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRules:
    """A person's own rules with their numbers. '' where there is none."""

    rules: NotificationRules = DEFAULT_RULES
    telephone: str = ""
    """In E.164."""
    url: str = ""
    secret: str = field(default="", repr=False)
    format: WebhookFormat = WebhookFormat.STANDARD
    has_browser: bool = False
    """Whether a browser of the person receives what is pushed."""
    changed_at: datetime | None = None
    """None: these are the default rules."""

    @property
    def reachable(self) -> frozenset[NotificationChannel]:
        """The channels for which there is a number or an address."""
        found = {NotificationChannel.DESKTOP}
        if self.telephone:
            found |= {NotificationChannel.SMS, NotificationChannel.CALL}
        if self.url:
            found.add(NotificationChannel.WEBHOOK)
        if self.has_browser:
            found.add(NotificationChannel.PUSH)
        return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """An assignment that waits for somebody to sign for it."""

    id: int
    case_id: int
    kind: Track
    unit: str
    unit_id: int
    token: int
    grade: Grade
    sign_by: datetime
    escalated_at: datetime | None
    told_at: datetime | None
    """When people on duty were told of it last, since it changed hands or was escalated; None: nobody was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification that is being sent, with the tasks that still wait."""

    id: uuid.UUID
    claim: JobClaim
    staff_id: int
    login: str
    language: Lang
    channel: NotificationChannel
    is_test: bool
    tasks: tuple[WaitingTask, ...]
    personal: PersonalRules
    orders: tuple[OrderToTell, ...] = ()
    """Orders to correct for which nobody has signed."""

    @property
    def has_work(self) -> bool:
        """Whether something still waits, or it is a test."""
        return bool(self.tasks or self.orders or self.is_test)

    @property
    def page(self) -> str:
        """The page of the console where the work waits."""
        if self.is_test:
            return "/notifications"
        if not self.tasks and self.orders:
            return "/corrections"
        return "/visits" if any(task.kind is Track.VISIT for task in self.tasks) else "/desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastNotification:
    """A notification as its person sees it."""

    channel: NotificationChannel
    state: NotificationState
    is_test: bool
    n: int
    """How many tasks and orders it was about."""
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    fault: NotificationFault | None


def read_rules(tx: Tx, staff_ids: Collection[int]) -> dict[int, PersonalRules]:
    """The rules of each of these accounts; the default for who has set none."""
    r = t.notification_rules.c
    found = dict.fromkeys(staff_ids, PersonalRules())
    has_browser = sa.exists().where(t.push_browser.c.staff_id == r.staff_id).label("has_browser")
    own = sa.select(t.notification_rules, has_browser).where(r.staff_id.in_(sorted(set(staff_ids))))
    for row in tx.rows(own):
        opened = orjson.loads(
            tx.vault.open(row["sealed"], table="notification_rules", column="sealed", row=row["staff_id"])
        )
        seconds = {channel: row[f"{channel.value}_seconds"] for channel in NotificationChannel}
        found[row["staff_id"]] = PersonalRules(
            rules=NotificationRules(
                after={
                    channel: timedelta(seconds=after)
                    for channel, after in seconds.items()
                    if after is not None
                },
                quiet_from=row["quiet_from"],
                quiet_to=row["quiet_to"],
            ),
            telephone=opened["telephone"],
            url=opened["url"],
            secret=opened["secret"],
            format=WebhookFormat(row["format"]),
            has_browser=row["has_browser"],
            changed_at=row["changed_at"],
        )
    return found


def save_rules(tx: Tx, staff_id: int, personal: PersonalRules, *, now: datetime) -> None:
    """Stores a person's own rules in place of those before."""
    opened = orjson.dumps({"telephone": personal.telephone, "url": personal.url, "secret": personal.secret})
    after = personal.rules.after
    values: dict[str, object] = {
        f"{channel.value}_seconds": int(after[channel].total_seconds()) if channel in after else None
        for channel in NotificationChannel
    }
    values |= {
        "quiet_from": personal.rules.quiet_from,
        "quiet_to": personal.rules.quiet_to,
        "format": personal.format.value,
        "sealed": tx.vault.seal(opened, table="notification_rules", column="sealed", row=staff_id),
        "changed_at": now,
    }
    statement = insert(t.notification_rules).values(staff_id=staff_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=values))


def lock_tasks_to_tell(
    tx: Tx,
    workers: Mapping[tuple[int, Track], datetime],
    chiefs: Mapping[int, datetime],
    *,
    now: datetime,
    limit: int,
) -> list[WaitingTask]:
    """Open assignments of these units and those below, with their kinds, of which nobody on duty was told since they
    last changed hands or were escalated, or not since the moment given, from which on others are on duty; in the units
    `chiefs` and below those of any kind whose escalation has ended. Locked, the most urgent first. One that is kept for
    an agreed call is left out before its time.
    """
    if not (workers or chiefs):
        return []
    a, u = t.assignment.c, t.unit.c
    # Arrays, so that the statement is the same however many rosters there are.
    told = [(unit_id, track.value, since) for (unit_id, track), since in workers.items()]
    told += [(unit_id, "", since) for unit_id, since in chiefs.items()]
    units, kinds, since = zip(*told, strict=True)
    rosters = (
        sa.func.unnest(
            sa.cast(list(units), ARRAY(sa.BigInteger)),
            sa.cast(list(kinds), ARRAY(sa.Text)),
            sa.cast(list(since), ARRAY(sa.DateTime(timezone=True))),
        )
        .table_valued(
            sa.column("unit_id", sa.BigInteger),
            sa.column("kind", sa.Text),
            sa.column("since", sa.DateTime(timezone=True)),
        )
        .render_derived()
    )
    r = rosters.c
    concerned = (
        sa.exists()
        .select_from(rosters.join(t.unit, r.unit_id == sa.any_(u.path)))
        .where(
            u.id == a.unit_id,
            sa.or_(r.kind == a.kind, sa.and_(r.kind == "", a.escalated_at.is_not(None))),
            sa.or_(sa.text(NOT_NOTIFIED), a.notified_at < r.since),
        )
    )
    found = (
        _tasks()
        .where(
            a.state == word_literal(AssignmentState.OPEN),
            concerned,
            sa.or_(a.call_at.is_(None), a.kept_until <= now),
        )
        .order_by(a.urgency_at)
        .limit(limit)
        .with_for_update(of=t.assignment, skip_locked=True)
    )
    return [record_of(WaitingTask, row) for row in tx.rows(found)]


def _tasks() -> sa.Select[Any]:
    a = t.assignment.c
    columns = (a.id, a.case_id, a.kind, a.unit, a.unit_id, a.token, a.sign_by, a.escalated_at)
    told_at = sa.case((sa.literal_column(f"({NOT_NOTIFIED})"), sa.null()), else_=a.notified_at).label(
        "told_at"
    )
    return sa.select(*columns, t.case.c.grade, told_at).join(t.case, t.case.c.id == a.case_id)


def mark_told(tx: Tx, tasks: Sequence[WaitingTask], *, now: datetime) -> None:
    """Records that people on duty are told of these assignments."""
    a = t.assignment.c
    told = sa.update(t.assignment).where(a.id.in_([task.id for task in tasks]))
    tx.execute(told.values(notified_token=a.token, notified_at=now))


def last_sent(
    tx: Tx, staff_ids: Collection[int], *, now: datetime
) -> dict[int, dict[NotificationChannel, datetime]]:
    """When the last notification left for each account and channel, within the time for which they are merged."""
    found: dict[int, dict[NotificationChannel, datetime]] = {}
    latest = (
        sa.select(_n.staff_id, _n.channel, sa.func.max(_n.sent_at).label("at"))
        .where(
            _n.staff_id.in_(sorted(staff_ids)),
            _n.sent_at > now - MERGED_FOR,
            _n.created_at > now - timedelta(days=2),
            ~_n.is_test,
        )
        .group_by(_n.staff_id, _n.channel)
    )
    for row in tx.rows(latest):
        found.setdefault(row["staff_id"], {})[NotificationChannel(row["channel"])] = row["at"]
    return found


def add_notifications(tx: Tx, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Adds notifications that wait: `staff_id`, `channel`, `due_at`, `tasks` and `is_test` of each, and the ids of
    `orders` if any. What waits for the same person and channel gets the tasks and orders, and is due at the earlier of
    both times.
    """
    for row in rows:
        tasks: Sequence[WaitingTask] = row["tasks"]
        statement = insert(t.notification).values(
            staff_id=row["staff_id"],
            channel=row["channel"].value,
            assignment_ids=[task.id for task in tasks],
            tokens=[task.token for task in tasks],
            order_ids=list(row.get("orders", ())),
            is_test=row["is_test"],
            created_at=now,
            due_at=row["due_at"],
        )
        new = statement.excluded
        merged = {
            "assignment_ids": _n.assignment_ids.op("||")(new.assignment_ids),
            "tokens": _n.tokens.op("||")(new.tokens),
            "order_ids": _n.order_ids.op("||")(new.order_ids),
            "due_at": sa.func.least(_n.due_at, new.due_at),
        }
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["staff_id", "channel", "is_test"],
                index_where=sa.text("state = 'waiting'"),
                set_=merged,
            )
        )


def claim_notifications(
    tx: Tx, channel: NotificationChannel, *, now: datetime, real_now: datetime, lease: timedelta, limit: int
) -> list[Notification]:
    """Due notifications of this channel, marked as being sent until the lease ends. Those whose tasks have all been
    taken meanwhile are dropped.
    """
    taken = TO_SEND.take(
        tx,
        _n.channel == channel.value,
        real_now=now,
        lease=timedelta(),
        limit=limit,
        returning=t.notification.c,
        state=NotificationState.SENDING.value,
        lease_until=real_now + lease,
    )
    found = _opened(tx, taken)
    gone = [one.id for one in found if not one.has_work]
    if gone:
        dropped = state_update(_n.state, NOTIFICATION_MOVES[NotificationEvent.WORK_TAKEN])
        tx.execute(dropped.where(_n.id.in_(gone)))
    return [one for one in found if one.has_work]


_FOR_PAGES: Final = (
    _n.state == word_literal(NotificationState.SENDING),
    _n.channel == NotificationChannel.DESKTOP.value,
)


def is_any_for_pages(tx: Tx) -> bool:
    """Whether a desktop notification is being sent to anybody."""
    return tx.scalar(sa.select(sa.literal(1)).where(*_FOR_PAGES).limit(1)) is not None


def claim_for_pages(tx: Tx, staff_ids: Collection[int]) -> list[Notification]:
    """Desktop notifications that are being sent to these accounts, for a process in which they have a page open."""
    if not staff_ids:
        return []
    found = (
        sa.select(t.notification)
        .where(
            *_FOR_PAGES,
            _n.staff_id.in_(sorted(staff_ids)),
        )
        .with_for_update(skip_locked=True)
    )
    return _opened(tx, tx.rows(found))


def claim_lapsed(tx: Tx, *, real_now: datetime, lease: timedelta, limit: int) -> list[Notification]:
    """Notifications of which nobody has said in time what became of them."""
    taken = BEING_SENT.take(tx, real_now=real_now, lease=lease, limit=limit, returning=t.notification.c)
    return _opened(tx, taken)


def lock_notification(tx: Tx, notification_id: uuid.UUID) -> tuple[Notification, NotificationState] | None:
    """The notification, locked, and its state; None for one that does not exist."""
    row = tx.one(sa.select(t.notification).where(_n.id == notification_id).with_for_update())
    if row is None:
        return None
    [found] = _opened(tx, [row], even_disabled=True)
    return found, NotificationState(row["state"])


def _opened(tx: Tx, rows: Sequence[Row], *, even_disabled: bool = False) -> list[Notification]:
    if not rows:
        return []
    rules = read_rules(tx, {row["staff_id"] for row in rows})
    s = t.staff.c
    people = {
        row["id"]: row
        for row in tx.rows(sa.select(s.id, s.login, s.language, s.disabled_at).where(s.id.in_(sorted(rules))))
    }
    ids = sorted({assignment_id for row in rows for assignment_id in row["assignment_ids"]})
    tasks: dict[tuple[int, int], WaitingTask] = {}
    if ids:
        is_open = t.assignment.c.state == word_literal(AssignmentState.OPEN)
        for row in tx.rows(_tasks().where(t.assignment.c.id.in_(ids), is_open)):
            if row["unit_id"] is not None:
                task = record_of(WaitingTask, row)
                tasks[task.id, task.token] = task
    orders = orders_still_to_tell(tx, {order_id for row in rows for order_id in row["order_ids"]})
    found = []
    for row in rows:
        person = people[row["staff_id"]]
        named = dict.fromkeys(zip(row["assignment_ids"], row["tokens"], strict=True))
        may = even_disabled or person["disabled_at"] is None
        found.append(
            Notification(
                id=row["id"],
                claim=JobClaim(key=row["id"], token=row["token"], tries=0),
                staff_id=row["staff_id"],
                login=person["login"],
                language=Lang(person["language"]),
                channel=NotificationChannel(row["channel"]),
                is_test=row["is_test"] and may,
                tasks=tuple(tasks[key] for key in named if key in tasks) if may else (),
                personal=rules[row["staff_id"]],
                orders=tuple(orders[key] for key in dict.fromkeys(row["order_ids"]) if key in orders)
                if may
                else (),
            )
        )
    return found


def mark_sent(tx: Tx, sent: Notification, *, now: datetime) -> bool:
    """The channel has it. False if its result is known already."""
    return BEING_SENT.finish(tx, sent.claim, state=NotificationState.SENT.value, sent_at=now)


def move_notification(
    tx: Tx, notification_id: uuid.UUID, event: NotificationEvent, *, fault: NotificationFault | None = None
) -> bool:
    """Moves the notification by this news; late news changes nothing. Whoever holds it loses it."""
    moved = state_update(_n.state, NOTIFICATION_MOVES[event]).where(_n.id == notification_id)
    values = {"token": _n.token + 1, "fault": None if fault is None else fault.value}
    return bool(tx.execute(moved.values(**values)).rowcount)


def hasten_next(tx: Tx, failed: Notification, *, now: datetime) -> bool:
    """Makes the person's next notification about these tasks or orders due now; False if none waits."""
    tasks, orders = _ids_of(failed)
    about = sa.or_(_n.assignment_ids.op("&&")(tasks), _n.order_ids.op("&&")(orders))
    following = (
        sa.select(_n.id)
        .where(
            _n.staff_id == failed.staff_id,
            _n.state == word_literal(NotificationState.WAITING),
            _n.is_test == failed.is_test,
            sa.true() if failed.is_test else about,
        )
        .order_by(_n.due_at, _n.id)
        .limit(1)
    )
    hastened = sa.update(t.notification).where(_n.id.in_(following))
    return bool(tx.execute(hastened.values(due_at=sa.func.least(_n.due_at, now))).rowcount)


def _ids_of(one: Notification) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    kind = _n.assignment_ids.type
    return sa.cast([task.id for task in one.tasks], kind), sa.cast([order.id for order in one.orders], kind)


def drop_others_of(tx: Tx, accepted: Notification) -> None:
    """Drops what waits for a person about tasks and orders that they have accepted."""
    tasks, orders = _ids_of(accepted)
    dropped = state_update(_n.state, {NotificationState.WAITING: NotificationState.DROPPED})
    tx.execute(
        dropped.where(
            _n.staff_id == accepted.staff_id,
            _n.state == word_literal(NotificationState.WAITING),
            _n.assignment_ids.op("<@")(tasks),
            _n.order_ids.op("<@")(orders),
            ~_n.is_test,
        )
    )


def told_of_nobody(tx: Tx, tasks: Collection[WaitingTask], *, since: datetime) -> list[WaitingTask]:
    """Those of these tasks of which no notification since then has reached anybody, or still may."""
    ids = {task.id for task in tasks}
    reaching = sa.select(_n.assignment_ids).where(
        _n.created_at >= since, in_words(_n.state, REACHING), ~_n.is_test
    )
    reached = {found for row in tx.rows(reaching) for found in row["assignment_ids"]}
    return [task for task in tasks if task.id in ids - reached]


def past_notifications(tx: Tx, staff_id: int, *, limit: int) -> list[PastNotification]:
    """A person's notifications, newest first."""
    rows = sa.select(
        t.notification,
        (sa.func.cardinality(_n.assignment_ids) + sa.func.cardinality(_n.order_ids)).label("n"),
    ).where(_n.staff_id == staff_id)
    return [
        record_of(PastNotification, row)
        for row in tx.rows(rows.order_by(_n.created_at.desc(), _n.due_at.desc()).limit(limit))
    ]


def delete_old_notifications(tx: Tx, *, before: datetime) -> None:
    """Deletes notifications from before this moment of service time; timelines keep what was sent."""
    tx.execute(sa.delete(t.notification).where(_n.created_at < before))
