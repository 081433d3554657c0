"""A year of a made-up bureau through the real rota, notifications and escalation, in virtual time.

    python -m bench.bureau [--tasks 1500] [--days 365] [--seed 1]

One city, seven counties, 40 stations and 300 people. Rosters are loaded month by month from spreadsheets, shifts are
swapped and taken over, people go on leave, are ill, are disabled and get another role. Cases of the two high grades
come at any hour. Who is told answers, or does not; a caller or officer works while on duty and goes home then. Only the
channels and the people are missing: they are decided here. Who is on duty is counted a second time without the product
(`bench/bureau_town.py`).

Must hold: nobody absent, disabled or off shift was told of a task or kept a visit that had not begun; every high task
was accepted, or had reached the duty chief, within the time that its policy promises: the time to sign, once for each
tier. Where there is no duty chief the alarm must be there by then. Prints JSON; exits with 1 where anything does not
hold.
"""

from __future__ import annotations

import argparse
import heapq
import io
import json
import random
import statistics
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa

from bench.bureau_town import DAY, ZONE, Place, Size, Town, Truth, days_of, planned_month, sheet_of
from bench.people import name as name_of
from bench.service import ground
from bench.year_clock import Clock
from dialer.bootstrap import application
from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.core.access import Role, unrestricted
from dialer.core.case import AssignmentState, VisitStage
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted, Overtaken
from dialer.core.notifications import NotificationChannel, NotificationFault
from dialer.core.rota import DutyEntry, DutyKind, DutyLeave, LeaveReason
from dialer.core.second_person import RequestEvent
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.db import tables as t
from dialer.duty.actions import load_month, on_duty, take_shift, watch_gaps
from dialer.duty.leave import enter_leave, seal_of
from dialer.duty.model import SwapOffer
from dialer.duty.store import RosterKey
from dialer.duty.swaps import ask_swap, decide_swap
from dialer.intake.files import list_tables
from dialer.intake.reader import ListReader
from dialer.intake.records import Accepted, IntakeOptions
from dialer.notifications.actions import (
    TypedRules,
    accept_notification,
    answer_call,
    change_rules,
    claim_due,
    end_lapsed,
    plan_notifications,
    record_failed,
    record_sent,
    show_on_pages,
)
from dialer.notifications.store import Notification
from dialer.org.accounts import disable_staff, enable_staff
from dialer.runtime.services import Services
from dialer.runtime.settings import load_settings
from dialer.staff.store import Member, revise_staff
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from dialer.work.assignments import Scope
from dialer.work.tasks import (
    WorkReport,
    claim_next,
    report_assignment,
    return_idle_assignments,
    return_work_of,
)
from dialer.work.transfers import escalate_unsigned
from dialer.work.visits import PhoneAct, report_visit, take_step

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_SLACK: Final = timedelta(seconds=30)
"""For the rounds between one step and the next."""
_CHIEF: Final = unrestricted("bench")
_KIND: Final = {Track.HUMAN: DutyKind.CALLER, Track.VISIT: DutyKind.OFFICER}
_GRADES: Final = {Grade.EXTRA_HIGH: "特高危", Grade.HIGH: "高危"}
_REFUSALS: Final = (Conflict, Invalid, NotFound, NotPermitted, Overtaken)
_NEXT: Final = """
SELECT min(at) FROM (
  SELECT min(due_at) AS at FROM "case" WHERE due_at IS NOT NULL AND status IN ('open', 'watching')
  UNION ALL SELECT min(greatest(sign_by, rise_at)) FROM assignment WHERE state = 'open' AND escalated_at IS NULL
  UNION ALL SELECT min(due_at) FROM notification WHERE state = 'waiting'
  UNION ALL SELECT min(lease_until) FROM notification WHERE state = 'sending'
  UNION ALL SELECT min(least(idle_at, coalesce(lease_until, idle_at))) FROM assignment WHERE state = 'signed'
) AS due
"""


@dataclass(slots=True)
class Wait:
    """A task that waits for its signature. `by`: what the policy promises."""

    since: datetime
    by: datetime
    token: int
    is_late: bool = False


@dataclass(slots=True)
class Figures:
    """What happened."""

    tasks: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    minutes: list[float] = field(default_factory=list)
    reached_chief: int = 0
    alarm_alone: int = 0
    handed_over: int = 0
    ended_otherwise: int = 0
    notifications: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    gap_hours: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        ordered = sorted(self.minutes)
        parts = statistics.quantiles(ordered, n=100) if len(ordered) > 1 else [0.0] * 99
        return {
            "tasks": self.tasks,
            "accepted_at": dict(sorted(self.accepted.items())),
            "minutes_to_acceptance": {"p50": round(parts[49], 1), "p99": round(parts[98], 1)},
            "reached_the_chief": self.reached_chief,
            "alarm_without_a_chief_on_duty": self.alarm_alone,
            "handed_over_at_the_end_of_a_shift": self.handed_over,
            "not_needed_any_more": self.ended_otherwise,
            "notifications": dict(sorted(self.notifications.items())),
            "changes": dict(sorted(self.made.items())),
            "gaps": {"times": self.gaps, "hours": round(self.gap_hours, 1)},
            "wrong": self.wrong,
        }


class Bureau:
    """The bureau, whose days are lived one event after the other."""

    def __init__(
        self, services: Services, clock: Clock, *, size: Size, tasks: int, days: int, seed: int
    ) -> None:
        work = replace(services.work, least_call_seconds=0, lease_seconds=7200.0)
        self.services = replace(services, work=work)
        self.clock, self.truth, self.figures = clock, Truth(), Figures()
        self.town = Town(self.services, size)
        self._chance = random.Random(seed)  # moments, not secrets
        self._order, self._numbers = count(), count(1)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._begins = clock.at
        self._ends = clock.at + days * DAY
        self._waits: dict[int, Wait] = {}
        self._held: dict[int, tuple[str, int]] = {}
        self._told_chief: dict[int, datetime] = {}
        self._busy: set[int] = set()
        self._in_gap: dict[RosterKey, datetime] = {}
        self._set_rules()
        self._plan(tasks)

    # What is planned

    def _at(self, moment: datetime, do: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), do))

    def _plan(self, tasks: int) -> None:
        first = self._begins.astimezone(ZONE).date().replace(day=1)
        self._load(first)
        self._load((first + 31 * DAY).replace(day=1))
        days = (self._ends - self._begins).days
        for number in range(days):
            start = self._begins + number * DAY
            day = start.astimezone(ZONE).date()
            if day.day == 25:
                month = (day.replace(day=1) + 31 * DAY).replace(day=1)
                following = (month + 31 * DAY).replace(day=1)
                self._at(start, lambda month=following: self._load(month))  # type: ignore[misc]
            for _ in range(2):
                self._at(start + self._chance.random() * DAY, self._change_something)
            for hour in (0, 8, 16):
                self._at(start + timedelta(hours=hour, minutes=7), self._look)
            for hour, minute in ((8, 30), (17, 30)):
                self._at(
                    datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC),
                    self._border,
                )
        for _ in range(tasks):
            self._at(self._begins + self._chance.random() * (days - 1) * DAY, self._arrive)

    def _set_rules(self) -> None:
        """A third use pages alone, most have a telephone, some are called at once."""
        for member in self.town.member.values():
            if self._chance.random() < 0.3 and member.role is not Role.SUPERVISOR:
                continue
            call = "0" if member.role is Role.SUPERVISOR else self._chance.choice(("3", "5"))
            minutes = {
                NotificationChannel.DESKTOP: "0",
                NotificationChannel.SMS: "2",
                NotificationChannel.CALL: call,
            }
            typed = TypedRules(minutes=minutes, telephone=f"139{member.id:08d}")
            change_rules(self.services, member.actor, member.id, typed)

    def _load(self, month: date) -> None:
        for key, people in self.town.people.items():
            plan = planned_month(people, key[1], month, self._chance)
            able = {staff.id for staff in people if self._is_able(staff.id)}
            for of_day in plan.values():
                # A supervisor plans with those who are there.
                spare = [staff for staff in people if staff.id in able]
                of_day[:] = [
                    (mark, person) if person.id in able or not spare else (mark, spare[0])
                    for mark, person in of_day
                ]
            unit_id, kind = key
            sheet = io.BytesIO(sheet_of(month, plan))
            try:
                load_month(self.services, _CHIEF, sheet, unit_id=unit_id, kind=kind, month=month)
            except _REFUSALS as refusal:
                self.figures.made[f"month refused: {type(refusal).__name__}"] += 1
                continue
            today = self.clock.at.astimezone(ZONE).date()
            for day in days_of(month):
                if day >= today:
                    self.truth.entries[key][day] = list(
                        dict.fromkeys((mark, person.id) for mark, person in plan[day])
                    )

    def _is_able(self, staff_id: int) -> bool:
        return not any(start <= self.clock.at < end for start, end in self.truth.unable[staff_id])

    # What changes

    def _change_something(self) -> None:
        """Leave, illness, a swap, a shift taken over, an account that may not work for some days."""
        changes = (
            self._leave,
            self._leave,
            self._ill,
            self._swap,
            self._swap,
            self._take_over,
            self._disable,
        )
        self._chance.choice((*changes, self._give_another_role))()

    def _somebody(self) -> tuple[RosterKey, Member]:
        key = self._chance.choice(list(self.town.people))
        return key, self._chance.choice(self.town.people[key])

    def _leave(self) -> None:
        start = self.clock.at + self._chance.uniform(1, 10) * DAY
        self._go_on_leave(start, start + self._chance.uniform(0.5, 7) * DAY, LeaveReason.ANNUAL)

    def _ill(self) -> None:
        at = self.clock.at
        self._go_on_leave(at, at + self._chance.uniform(0.5, 3) * DAY, LeaveReason.SICK)

    def _go_on_leave(self, start: datetime, end: datetime, reason: LeaveReason) -> None:
        _, member = self._somebody()
        leave = DutyLeave(staff_id=member.id, start=start, end=end)
        try:
            seen = enter_leave(self.services, _CHIEF, leave, reason=reason, seen="")
            if seen is not None:
                enter_leave(self.services, _CHIEF, leave, reason=reason, seen=seal_of(seen))
        except _REFUSALS:
            return
        self.truth.leaves[member.id].append((start, end))
        self._at(start, self._border)
        self._at(end, self._border)
        self.figures.made["leave" if reason is LeaveReason.ANNUAL else "illness"] += 1

    def _swap(self) -> None:
        key, giver = self._somebody()
        today = self.clock.at.astimezone(ZONE).date()
        own = [
            (day, mark)
            for day in (today + number * DAY for number in range(1, 12))
            for mark, staff_id in self.truth.entries[key].get(day, ())
            if staff_id == giver.id
        ]
        others = [person for person in self.town.people[key] if person.id != giver.id]
        if not own:
            return
        (day, mark), taker = self._chance.choice(own), self._chance.choice(others)
        given = DutyEntry(day=day, mark=mark, staff_id=giver.id)
        try:
            ask_swap(self.services, giver.actor, key, SwapOffer(given=given, to_id=taker.id))
        except _REFUSALS:
            return
        agrees = self._chance.random() < 0.8
        self._at(
            self.clock.at + self._chance.uniform(0.1, 8) * timedelta(hours=1),
            lambda: self._answer_swap(key, given, taker, agrees=agrees),
        )

    def _answer_swap(self, key: RosterKey, given: DutyEntry, taker: Member, *, agrees: bool) -> None:
        c = t.duty_swap.c
        with self.services.store.begin() as tx:
            swap_id = tx.scalar(
                sa.select(c.id).where(
                    c.state == "waiting", c.unit_id == key[0], c.kind == key[1].value,
                    c.from_id == given.staff_id, c.day == given.day,
                )
            )  # fmt: skip
        try:
            event = RequestEvent.APPROVED if agrees else RequestEvent.REFUSED
            decide_swap(self.services, taker.actor, swap_id or 0, event)
        except _REFUSALS:
            return
        if agrees:
            self.truth.swap(key, given.day, given.mark, given.staff_id, taker.id)
            self.figures.made["swap"] += 1

    def _take_over(self) -> None:
        key, taker = self._somebody()
        now = self.clock.at
        before = sorted(self.truth.on(key, now))
        off = self._chance.choice(before) if before else None
        if not self.truth.is_there(taker.id, now):
            return
        try:
            until = take_shift(self.services, taker.actor, unit_id=key[0], kind=key[1], instead_of=off)
        except _REFUSALS:
            return
        self.truth.change(key, now, until, off=off, on=taker.id)
        self._at(until, self._border)
        self.figures.made["shift taken"] += 1

    def _disable(self) -> None:
        _, member = self._somebody()
        if not self._is_able(member.id):
            return
        disable_staff(self.services, _CHIEF, member.login)
        self._unable(member, lambda: enable_staff(self.services, _CHIEF, member.login), "account disabled")

    def _give_another_role(self) -> None:
        _, member = self._somebody()
        if not self._is_able(member.id):
            return
        self._set_role(member, Role.CLERK)
        return_work_of(self.services, _CHIEF, member.login)
        self._unable(member, lambda: self._set_role(member, member.role), "another role")

    def _set_role(self, member: Member, role: Role) -> None:
        with self.services.store.begin() as tx:
            revise_staff(tx, member.id, role=role.value)

    def _unable(self, member: Member, undo: Callable[[], None], name: str) -> None:
        end = self.clock.at + self._chance.uniform(0.5, 6) * DAY
        self.truth.unable[member.id].append((self.clock.at, end))
        self._at(end, undo)
        self.figures.made[name] += 1

    # What comes, and who reacts

    def _arrive(self) -> None:
        """A warning of a station's person."""
        grade = self._chance.choice(list(_GRADES))
        station, number = self._chance.choice(self.town.stations), next(self._numbers)
        lines = [
            "指令编号,姓名,手机号,等级,属地",
            f"B{number},{name_of(number)},138{number:08d},{_GRADES[grade]},{station.name}",
        ]
        options = IntakeOptions(now=self.clock.at, derive_key=bytes(32), source="bureau")
        tables = list_tables(io.BytesIO("\n".join(lines).encode()), options.corrections)
        rows = list(ListReader(tables, filename="a.csv", options=options))
        batch = [row for row in rows if isinstance(row, Accepted)]
        assert batch, rows
        with self.services.store.begin() as tx:
            take_arrivals(
                tx,
                self.services,
                prepare_arrivals(tx, self.services, batch, load_id=None, now=self.clock.at),
            )

    def _carry(self) -> None:
        """What the channels do with what is due."""
        claim_due(self.services, NotificationChannel.DESKTOP, limit=500)
        with self.services.store.begin() as tx:
            n = t.notification.c
            sending = tx.rows(
                sa.select(n.staff_id).where(n.state == "sending", n.channel == "desktop").distinct()
            )
        # A person on duty has a page open more often than not; a chief has.
        with_page = [
            row["staff_id"]
            for row in sending
            if self._chance.random() < (0.95 if self._is_chief(row["staff_id"]) else 0.6)
        ]
        for shown in show_on_pages(self.services, with_page):
            self._told(shown)
        end_lapsed(self.services)
        for text in claim_due(self.services, NotificationChannel.SMS):
            if self._chance.random() < 0.95:
                record_sent(self.services, [text])
                self._told(text)
            else:
                record_failed(self.services, text, NotificationFault.REFUSED)
        for call in claim_due(self.services, NotificationChannel.CALL):
            if self._chance.random() < 0.8:
                answer_call(self.services, call.id)
                self._told(call)
                if self._chance.random() < 0.7:
                    accept_notification(self.services, call.id)
            else:
                record_failed(self.services, call, NotificationFault.UNANSWERED)

    def _is_chief(self, staff_id: int) -> bool:
        return self.town.member[staff_id].role is Role.SUPERVISOR

    def _told(self, one: Notification) -> None:
        now, member = self.clock.at, self.town.member[one.staff_id]
        self.figures.notifications[one.channel.value] += 1
        for task in one.tasks:
            may = self.town.nearest(self.truth, task.unit_id, _KIND[task.kind], now)
            if task.escalated_at is not None:
                chiefs = self.town.nearest(self.truth, task.unit_id, DutyKind.CHIEF, now)
                if member.id in chiefs:
                    self._told_chief.setdefault(task.id, now)
                may |= chiefs
            if member.id not in may:
                where = self.town.places[task.unit_id].name
                self._wrong(f"{member.login} was told of task {task.id} of {where} and is not on duty")
        hour = now.astimezone(ZONE).hour
        is_chief = self._is_chief(member.id)
        likely = 0.95 if is_chief else 0.75 if 7 <= hour < 22 else 0.5
        if self._chance.random() < likely:
            wait = (_MINUTE * 3 if is_chief else _MINUTE) * self._chance.lognormvariate(0, 0.8)
            ids = [task.id for task in one.tasks if task.kind is Track.VISIT or is_chief]
            self._at(now + wait, lambda: self._answer(member, ids, calls=len(ids) < len(one.tasks)))

    def _answer(self, member: Member, visits: list[int], *, calls: bool) -> None:
        """Takes what still waits, if the person is still there."""
        if not self._is_at_work(member):
            return
        for assignment_id in visits:
            with self.services.store.begin() as tx:
                kind = tx.scalar(sa.select(t.assignment.c.kind).where(t.assignment.c.id == assignment_id))
            if kind == Track.HUMAN.value:
                calls = True
                continue
            if self._step(member, assignment_id, VisitStage.ACCEPTED):
                wait = self._chance.uniform(5, 30) * _MINUTE
                self._at(self.clock.at + wait, lambda one=assignment_id: self._set_out(member, one))  # type: ignore[misc]
        if calls:
            self._call(member)

    def _is_at_work(self, member: Member) -> bool:
        now = self.clock.at
        keys = [key for key, people in self.town.people.items() if any(one.id == member.id for one in people)]
        return any(member.id in self.truth.on(key, now) for key in keys)

    def _step(self, member: Member, assignment_id: int, stage: VisitStage) -> bool:
        phone = PhoneAct(client_id=self._uuid(), actor=member.actor)
        try:
            take_step(self.services, assignment_id, stage, phone=phone)
        except _REFUSALS:
            return False
        return True

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._chance.getrandbits(128), version=4)

    def _set_out(self, member: Member, assignment_id: int) -> None:
        if not self._is_at_work(member) or self._holder(assignment_id) != member.login:
            return
        self._step(member, assignment_id, VisitStage.ON_THE_WAY)
        wait = self._chance.uniform(10, 45) * _MINUTE
        self._at(self.clock.at + wait, lambda: self._report(member, assignment_id))

    def _holder(self, assignment_id: int) -> str | None:
        a = t.assignment.c
        with self.services.store.begin() as tx:
            found: str | None = tx.scalar(
                sa.select(a.signed_by).where(a.id == assignment_id, a.state == AssignmentState.SIGNED.value)
            )
            return found

    def _report(self, member: Member, assignment_id: int) -> None:
        if self._holder(assignment_id) != member.login:
            return
        self._step(member, assignment_id, VisitStage.ARRIVED)
        found = self._chance.random() < 0.75
        outcome = OutcomeKind.DISSUADED_IN_PERSON if found else OutcomeKind.CANNOT_FIND_YET
        phone = PhoneAct(client_id=self._uuid(), actor=member.actor)
        try:
            report_visit(self.services, assignment_id, WorkReport(outcome=outcome), phone=phone)
        except _REFUSALS as refusal:
            self._wrong(f"visit {assignment_id} was not reported: {refusal}")

    def _call(self, member: Member) -> None:
        """Takes the next call at the desk, and after its report the one after it."""
        if member.id in self._busy or not self._is_at_work(member):
            return
        try:
            task = claim_next(self.services, member.actor, scope=Scope(unit_id=member.unit_id))
        except _REFUSALS:
            return
        if task is None:
            return
        self._busy.add(member.id)
        wait = self._chance.uniform(3, 12) * _MINUTE
        self._at(self.clock.at + wait, lambda: self._end_call(member, task.id, task.token))

    def _end_call(self, member: Member, assignment_id: int, token: int) -> None:
        self._busy.discard(member.id)
        choices = (OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.REFUSES, OutcomeKind.CANNOT_FIND_YET)
        outcome = self._chance.choices(choices, (6, 1, 3))[0]
        # The visit was first, or the account may not work any more.
        with suppress(*_REFUSALS):
            report_assignment(
                self.services, member.actor, assignment_id, WorkReport(outcome=outcome), token=token
            )
        self._call(member)

    # What must hold

    def _wrong(self, what: str) -> None:
        self.figures.wrong.append(f"{self.clock.at:%Y-%m-%d %H:%M:%S}: {what}")

    def _border(self) -> None:
        """People come on duty or go off: what the product says is compared."""
        now = self.clock.at
        said = {
            (one.unit_id, one.kind): {person.staff_id for person in one.people}
            for one in on_duty(self.services, visible_to=None)
        }
        for key in self.town.people:
            true = self.truth.on(key, now)
            if said.get(key, set()) != true:
                self._wrong(f"on duty {key}: the product says {said.get(key)}, the truth is {true}")
            if not true:
                self._in_gap.setdefault(key, now)
            elif key in self._in_gap:
                self.figures.gaps += 1
                self.figures.gap_hours += (now - self._in_gap.pop(key)) / timedelta(hours=1)

    def _look(self) -> None:
        self._border()
        watch_gaps(self.services)

    def _check_tasks(self) -> None:
        """Follows each task from its queue to its signature."""
        now, a = self.clock.at, t.assignment.c
        with self.services.store.begin() as tx:
            rows = tx.rows(
                sa.select(
                    a.id, a.kind, a.state, a.unit_id, a.signed_by, a.stage, a.token, a.escalated_at,
                    a.rise_at, t.case.c.grade, t.case.c.policy_version,
                )
                .join(t.case, t.case.c.id == a.case_id)
                .where(sa.or_(a.state.in_(("open", "signed")), a.id.in_(list(self._waits))))
            )  # fmt: skip
        pending = set()
        for row in rows:
            pending.add(row["id"])
            if row["state"] == "open":
                self._follow(row, now)
            else:
                self._settle(row, now)
        self._held = {one: held for one, held in self._held.items() if one in pending}

    def _follow(self, row: Any, now: datetime) -> None:  # noqa: ANN401 - a row
        task_id, tiers = row["id"], len(self.town.places[row["unit_id"]].path)
        seconds = self.services.policies.of(row["policy_version"]).of(Grade(row["grade"])).sign_seconds
        if task_id not in self._waits:
            if task_id not in self._held:
                self.figures.tasks += 1
            else:
                self.figures.handed_over += 1
            by = now + tiers * timedelta(seconds=seconds) + _SLACK
            self._waits[task_id] = Wait(since=now, by=by, token=row["token"])
            self._told_chief.pop(task_id, None)
        wait = self._waits[task_id]
        if now > wait.by and not wait.is_late and task_id not in self._told_chief:
            wait.is_late = True
            on = self.town.nearest(self.truth, row["unit_id"], DutyKind.CHIEF, now)
            if row["escalated_at"] is not None and not on:
                self.figures.alarm_alone += 1
            else:
                self._wrong(
                    f"task {task_id} waits since {wait.since:%H:%M:%S} at {self.town.places[row['unit_id']].name}, "
                    f"escalated {row['escalated_at']}, chiefs on duty {on}"
                )

    def _settle(self, row: Any, now: datetime) -> None:  # noqa: ANN401 - a row
        task_id = row["id"]
        wait = self._waits.pop(task_id, None)
        if wait is not None:
            if row["state"] == "signed" or (row["state"] == "done" and row["signed_by"]):
                place: Place = self.town.places[row["unit_id"]]
                self.figures.accepted[f"{row['kind']} {place.tier}"] += 1
                self.figures.minutes.append((now - wait.since) / _MINUTE)
            else:
                self.figures.ended_otherwise += 1
            self.figures.reached_chief += task_id in self._told_chief
        if row["state"] == "signed":
            self._held[task_id] = (row["signed_by"], row["token"])
            self._check_holder(row, now)

    def _check_holder(self, row: Any, now: datetime) -> None:  # noqa: ANN401 - a row
        if row["kind"] != Track.VISIT.value or row["stage"] not in {"none", "accepted"}:
            return
        staff_id = next(one.id for one in self.town.member.values() if one.login == row["signed_by"])
        may = self.town.nearest(self.truth, row["unit_id"], DutyKind.OFFICER, now)
        path = self.town.places[row["unit_id"]].path
        may |= {one for unit_id in path for one in self.truth.on((unit_id, DutyKind.CHIEF), now)}
        if staff_id not in may and not self._is_at_work(self.town.member[staff_id]):
            self._wrong(
                f"{row['signed_by']} keeps visit {row['id']}, which has not begun, and is not on duty"
            )

    # The loop

    def run(self) -> Figures:
        """Lives the days."""
        while self._agenda or self._waits:
            at = min(filter(None, (self._agenda[0][0] if self._agenda else None, self._due())), default=None)
            if at is None or at >= self._ends:
                break
            self.clock.at = max(self.clock.at + _SECOND / 1000, at)
            while self._agenda and self._agenda[0][0] <= self.clock.at:
                heapq.heappop(self._agenda)[2]()
            self._round()
        return self.figures

    def _due(self) -> datetime | None:
        with self.services.store.begin() as tx:
            found: datetime | None = tx.scalar(sa.text(_NEXT))
        # The rounds of a service come each second.
        return None if found is None else max(found, self.clock.at + _SECOND)

    def _round(self) -> None:
        """What the scheduler has done each second."""
        services = self.services
        sweep_attempts(services)
        sweep_cases(services)
        return_idle_assignments(services)
        escalate_unsigned(services)
        plan_notifications(services)
        self._carry()
        self._check_tasks()


def run(tasks: int, days: int, seed: int, size: Size | None = None) -> dict[str, Any]:
    """A service without processes in a folder of its own, and the days of the bureau in it."""
    with ground() as env, application(load_settings(env)) as app:
        clock = Clock(datetime(2026, 1, 1, 8, 30, tzinfo=ZONE).astimezone(UTC))
        timed = replace(app.services, clock=clock, real=clock, enqueue=lambda *_: None)
        bureau = Bureau(timed, clock, size=size or Size(), tasks=tasks, days=days, seed=seed)
        return {"days": days, "seed": seed, "people": len(bureau.town.member)} | bureau.run().plain()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=1500, help="cases of a high grade")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = run(options.tasks, options.days, options.seed)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if found["wrong"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
