"""A year of the city through the real actions, and whether the report gives it back exactly.

    python -m bench.year [--scale 0.05] [--seed 1] [--days 365] [--quick] [--keep FOLDER]

At scale 1.0 the year has 857,200 warnings, 600,000 robot calls, 256,800 human calls, 2,918 visits and 525 filed cases.
A service in a folder of its own, gone afterwards (or kept in FOLDER, for `DIALER_SETTINGS=FOLDER/settings.toml
DIALER_DATA_DIR=FOLDER/data dialer report`). Lists are loaded, calls are claimed, sent and talked through key by key,
callers claim tasks and report them, officers visit, a second person approves amounts, the police file cases; the clock
runs through the days. Only the carrier and the people are missing: what a call brings is decided here.

The generator decides what becomes of every person before anything is loaded, and counts that by itself (`Truth`), by
grade, type, source, district and caller. At the end the report of the database and its cuts must have the same numbers,
the rollup must equal a recount, and the parts of every cut must add up to the whole. Prints JSON; exits with 1 where
anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import psutil
import sqlalchemy as sa

from bench.people import name as name_of
from bench.report import vacuum
from bench.service import ground, owner_store
from dialer.approvals.actions import read_evidence
from dialer.bootstrap import application
from dialer.calls.apply import CallNews
from dialer.calls.claims import (
    ClaimedAttempt,
    accept_attempts,
    claim_attempts,
    mark_attempts_sending,
    promote_planned,
)
from dialer.calls.conversation import TurnRequest
from dialer.calls.dial import prepare_sending
from dialer.calls.events import CallEvent, Reply, apply_call_events
from dialer.calls.pacing import lock_line_group, set_line_pace
from dialer.calls.reconcile import sweep_cases
from dialer.calls.store import SentCall, record_first_calls
from dialer.cases.persons import person_of_case
from dialer.cases.store import get_case
from dialer.core.access import unrestricted
from dialer.core.case import VisitStage
from dialer.core.rates import COUNT_NAMES, Breakdown, CaseFilter, Dimension, Period, Slice
from dialer.core.values import (
    Amounts,
    Evidence,
    EvidenceKind,
    FraudType,
    Grade,
    OutcomeKind,
    TelephonyResult,
    Track,
)
from dialer.db.unit_of_work import Store
from dialer.db.units import add_unit
from dialer.figures.report import RatesQuery, cases_behind, cut_rates, make_report, refresh_figures
from dialer.figures.verify import verify_figures
from dialer.outcomes.filed_lists import load_filed
from dialer.runtime.services import Services
from dialer.runtime.settings import load_settings
from dialer.scripts.dialogue import Heard, Turn
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.warnings.lists import load_list, submit_list
from dialer.work.assignments import Assignment, Scope, waiting_assignments
from dialer.work.desk_store import add_desk_call, change_desk_call
from dialer.work.tasks import WorkReport, approve_outcome, claim_next, report_assignment
from dialer.work.visits import PhoneAct, report_visit, take_step

WARNINGS, ROBOT_CALLS, HUMAN_CALLS, VISITS, FILED = 857_200, 600_000, 256_800, 2_918, 525
GOAL_MS = 300
QUICK_SCALE = 0.0005
ZONE: Final = ZoneInfo("Asia/Shanghai")
DAY: Final = timedelta(days=1)
_AT_ONCE = 1000
_HEADING = "指令编号,来源,预警类型,诈骗类型,预警等级,姓名,手机号码,拟转金额（元）,失效时间,属地\n"
_SOURCES = ("通联", "银行", "运营商", "国家平台")
_DISTRICTS, _STATIONS = 8, 6
"""Districts of the city, and stations of each; one person in seventeen lives in none."""
_HANDS = 4
"""Threads in which the callers work."""
_CALLERS = tuple(f"caller{n:02}" for n in range(24))
_TYPES = {
    FraudType.FAKE_ORDER_REBATE: "刷单返利",
    FraudType.LOAN: "虚假贷款",
    FraudType.FAKE_CUSTOMER_SERVICE: "冒充客服",
    FraudType.INVESTMENT: "虚假投资理财",
    FraudType.POLICE_IMPERSONATION: "冒充公检法",
}
_GRADES = {Grade.LOW: "低危", Grade.MEDIUM: "中危", Grade.HIGH: "高危"}


class Story(StrEnum):
    """What becomes of a person."""

    ROBOT = "robot"
    """Answers the robot's first call and acknowledges."""
    BUSY_FIRST = "busy_first"
    """Is busy at the first call, acknowledges at the second."""
    CALLER = "caller"
    """A machine answers the robot; a caller dissuades."""
    NOT_OURS = "not_ours"
    """The same; the caller finds that another body has it."""
    OFFICER = "officer"
    """The same; nobody answers the caller, an officer dissuades in person."""
    REFUSES = "refuses"
    """The same, and refuses the officer."""
    TOO_LATE = "too_late"
    """The warning of a high grade had expired; the person has paid."""


@dataclass(slots=True)
class Person:
    number: int
    story: Story
    grade: Grade
    fraud_type: FraudType
    day: int
    again: bool
    """A second warning of the same day joins the case."""
    filed_after: int | None = None
    """Days from the warning to the filed case."""
    intended_fen: int = 0
    approved: bool = True
    calls: int = 0
    reporter: str = ""
    """Who has reported the last human call or visit; '' where the robot ended the case."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of those whom somebody calls, until it is known who that is."""

    @property
    def source(self) -> str:
        return _SOURCES[self.number % 7 % len(_SOURCES)]

    @property
    def district(self) -> str:
        """'' for none."""
        return "" if self.number % 17 == 0 else f"第{self.number % _DISTRICTS + 1}分局"

    @property
    def station(self) -> str:
        return self.district and f"{self.district[:-2]}区第{self.number // 17 % _STATIONS + 1}派出所"

    @property
    def phone(self) -> str:
        return f"138{self.number:08d}"


Part = tuple[str, str]
"""The name of a dimension and its value; ("all", "") is the whole."""


@dataclass(slots=True)
class Truth:
    """Counts of the whole and of each part, in the words of the report."""

    parts: dict[Part, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    _adding: threading.Lock = field(default_factory=threading.Lock)

    def add(self, person: Person, **counts: int) -> None:
        with self._adding:
            self._add(person, counts)

    def _add(self, person: Person, counts: Mapping[str, int]) -> None:
        for part in (
            ("all", ""),
            (Dimension.GRADE.value, person.grade.value),
            (Dimension.FRAUD_TYPE.value, person.fraud_type.value),
            (Dimension.SOURCE.value, person.source),
            (Dimension.UNIT.value, person.district),
        ):
            self.parts[part].update(counts)
        if person.story in _BY_CALLER:
            person.counts.update(counts)
        else:
            self.parts[Dimension.PERSON.value, ""].update(counts)

    def close(self, people: Iterable[Person]) -> None:
        """Who reported last is known now."""
        for person in people:
            if person.story in _BY_CALLER:
                self.parts[Dimension.PERSON.value, person.reporter].update(person.counts)


class Clock:
    """Goes where it is set; several callers may move it at the same time."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._moving = threading.Lock()

    def now(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        with self._moving:
            self.at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds by the clock, and of processor time in this process and in PostgreSQL."""

    elapsed: float = 0.0
    python: float = 0.0
    postgres: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(self.elapsed + other.elapsed, self.python + other.python, self.postgres + other.postgres)

    def __sub__(self, other: Used) -> Used:
        return self + Used(-other.elapsed, -other.python, -other.postgres)

    def plain(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 1) for name in ("elapsed", "python", "postgres")}


class Meter:
    """What this process and its PostgreSQL have used since they began."""

    def __init__(self, services: Services) -> None:
        with services.store.begin() as tx:
            found = psutil.Process(tx.scalar(sa.text("SELECT pg_backend_pid()"))).parent()
        assert found is not None
        self._postmaster = found

    def read(self) -> Used:
        own = os.times()
        postgres = 0.0
        for one in (self._postmaster, *self._postmaster.children()):
            with suppress(psutil.Error):
                times = one.cpu_times()
                # Of the sessions that have ended in the children of the first process.
                postgres += times.user + times.system + times.children_user + times.children_system
        return Used(time.monotonic(), own.user + own.system, postgres)


_SUCCESSES = frozenset({Story.ROBOT, Story.BUSY_FIRST, Story.CALLER, Story.OFFICER})
_BY_CALLER = frozenset({Story.CALLER, Story.NOT_OURS, Story.OFFICER, Story.REFUSES, Story.TOO_LATE})
_BY_ROBOT = frozenset(Story) - {Story.TOO_LATE}


def plan(scale: float, seed: int, days: int) -> tuple[list[Person], int]:
    """Everybody of the year in the order of their days, and how many file a case without a warning."""
    chance = random.Random(seed)
    visits = max(2, round(VISITS * scale))
    human = max(10, round(HUMAN_CALLS * scale))
    robot = round(ROBOT_CALLS * scale)
    late = max(1, round(human * 0.002))
    refuses = visits // 3
    not_ours = round(human * 0.2)
    busy = round(robot * 0.07)
    # Every story but the last has one robot call, and BUSY_FIRST two.
    first_time = robot - 2 * busy - (human - late)
    stories = [
        *[Story.ROBOT] * first_time,
        *[Story.BUSY_FIRST] * busy,
        *[Story.OFFICER] * (visits - refuses),
        *[Story.REFUSES] * refuses,
        *[Story.TOO_LATE] * late,
        *[Story.NOT_OURS] * not_ours,
        *[Story.CALLER] * (human - visits - late - not_ours),
    ]
    chance.shuffle(stories)
    repeated = round(WARNINGS * scale) - len(stories)
    people = []
    for number, story in enumerate(stories):
        if story in {Story.OFFICER, Story.REFUSES}:
            grade = Grade.MEDIUM
        elif story is Story.TOO_LATE:
            grade = Grade.HIGH
        elif story in {Story.ROBOT, Story.BUSY_FIRST}:
            grade = chance.choice((Grade.LOW, Grade.LOW, Grade.MEDIUM))
        else:
            grade = Grade.LOW
        people.append(
            Person(
                number=number,
                story=story,
                grade=grade,
                fraud_type=chance.choice(list(_TYPES)),
                day=number * days // len(stories),
                again=number * repeated // len(stories) != (number + 1) * repeated // len(stories),
            )
        )
    return people, _filings(people, scale, chance, days)


def _filings(people: Sequence[Person], scale: float, chance: random.Random, days: int) -> int:
    """Three of five filed cases come after a warning: within the watch period, after it, and after a failure."""
    filed = max(5, round(FILED * scale))
    each = filed // 5
    for story, after, count in (
        (Story.ROBOT, 3, each),
        (Story.CALLER, 20, each),
        (Story.NOT_OURS, 5, each),
    ):
        fit = [one for one in people if one.story is story and one.day + after < days]
        for person in chance.sample(fit, min(count, len(fit))):
            person.filed_after = after
    for person in people:
        if person.story is Story.CALLER and chance.random() < 0.1:
            person.intended_fen = chance.randrange(1_000_00, 200_000_00)
            person.approved = chance.random() < 0.8
    return filed - sum(one.filed_after is not None for one in people)


class Year:
    """Carries the plan out, and counts what it does."""

    def __init__(self, services: Services, clock: Clock, days: int, end: datetime, *, meter: Meter) -> None:
        self.services, self.clock, self.meter = services, clock, meter
        self.days = days
        self.first = (end - days * DAY).astimezone(ZONE).date()
        self.truth = Truth()
        self.people: dict[str, Person] = {}
        self.of_case: dict[int, Person] = {}
        self.settled: dict[str, datetime] = {}
        self.filings: Counter[str] = Counter()
        self.took: dict[str, Used] = {}
        self._hands = ThreadPoolExecutor(_HANDS)

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        local = datetime.combine(self.first + day * DAY, datetime.min.time(), ZONE)
        self.clock.at = max(
            self.clock.at + timedelta(seconds=1),
            (local + timedelta(hours=hour, minutes=minute)).astimezone(UTC),
        )

    def run(self, people: Sequence[Person], strangers: int) -> None:
        by_day: dict[int, list[Person]] = defaultdict(list)
        filed: dict[int, list[Person]] = defaultdict(list)
        for person in people:
            by_day[person.day].append(person)
            self.people[f"+86{person.phone}"] = person
            if person.filed_after is not None:
                filed[person.day + person.filed_after].append(person)
        for day in range(self.days):
            self._timed("sweep", partial(self._sweep, day))
            self._timed("load", partial(self._load, day, by_day[day]))
            self._timed("robot", partial(self._dial, day, 10))
            self._timed("robot", partial(self._dial, day, 12))
            self._timed("human", partial(self._callers, day))
            self._timed("visits", partial(self._officers, day))
            new = strangers * (day + 1) // self.days - strangers * day // self.days
            self._timed("filed", partial(self._file, day, filed[day], new))
            self._timed("rollup", partial(refresh_figures, self.services))

    def _timed(self, what: str, work: Callable[[], object]) -> None:
        before = self.meter.read()
        work()
        self.took[what] = self.took.get(what, Used()) + (self.meter.read() - before)

    def _sweep(self, day: int) -> None:
        self.at(day, 8)
        while sweep_cases(self.services):
            pass

    def _load(self, day: int, people: Sequence[Person]) -> None:
        self.at(day, 9, 5)
        if not people:
            return
        expired = (self.clock.at - timedelta(hours=1)).astimezone(ZONE)
        lines = [_HEADING]
        for person in people:
            expiry = f"{expired:%Y-%m-%d %H:%M:%S}" if person.story is Story.TOO_LATE else ""
            lines.extend(
                f"Y{person.number}-{n},{person.source},通联,{_TYPES[person.fraud_type]},{_GRADES[person.grade]},"
                f"{name_of(person.number)},{person.phone},{person.number % 500 * 100 + 100},{expiry},"
                f"{person.station}\n"
                for n in range(1 + person.again)
            )
            self.truth.add(person, warnings=1 + person.again, cases=1)
        content = BytesIO("".join(lines).encode())
        load_id = submit_list(
            self.services, unrestricted("bench"), content, filename=f"{day}.csv", source="year"
        )
        assert load_list(self.services, load_id)

    def _dial(self, day: int, hour: int) -> None:
        self.at(day, hour)
        while claimed := self._claim():
            self._talk(claimed)

    def _claim(self) -> list[ClaimedAttempt]:
        services = self.services
        self.clock.pass_seconds(2)
        services.rendered_scripts.now(services.real.now())
        with services.store.begin() as tx:
            group = lock_line_group(tx)
            assert group is not None
            now = self.clock.now()
            while promote_planned(tx, now=now):
                pass
            claimed = claim_attempts(
                tx,
                group,
                now=now,
                real_now=now,
                horizon_seconds=2.0,
                lease_seconds=30.0,
                at_most=_AT_ONCE,
                number_retry_seconds=60,
            ).attempts
        if not claimed:
            return []
        with services.store.begin() as tx:
            choice = services.rendered_scripts.now(services.real.now())
            marked = mark_attempts_sending(
                tx,
                [
                    prepare_sending(choice, one, policy=services.policies.of(one.policy_version))
                    for one in claimed
                ],
                now=now,
                real_now=now,
                poll_at=now + timedelta(seconds=90),
            )
            assert len(marked) == len(claimed)
        with services.store.begin() as tx:
            record_first_calls(
                tx, [SentCall(case_id=one.case_id, reason=one.reason, sent_at=now) for one in claimed]
            )
            placed = [(one.attempt_id, f"CA{one.attempt_id.hex}") for one in claimed]
            accept_attempts(tx, placed, now=now, poll_at=now + timedelta(seconds=90))
        return claimed

    def _talk(self, claimed: Sequence[ClaimedAttempt]) -> None:
        """All of them at the same time: an end without an answer at once, a conversation step by step."""
        answered: list[ClaimedAttempt] = []
        ends: list[CallEvent] = []
        for one in claimed:
            person = self.people[one.to]
            self.of_case[one.case_id] = person
            person.calls += 1
            self.truth.add(person, robot_calls=1, cases_rung=int(person.calls == 1))
            if person.story is Story.BUSY_FIRST and person.calls == 1:
                ends.append(_ended(one, TelephonyResult.BUSY))
                self.truth.add(person, result_busy=1)
            elif person.story in {Story.ROBOT, Story.BUSY_FIRST}:
                answered.append(one)
            else:
                ends.append(_ended(one, TelephonyResult.MACHINE))
                self.truth.add(person, result_machine=1)
        self.clock.pass_seconds(20)
        self._apply(ends)
        if not answered:
            return
        self._apply(
            [
                CallNews(
                    attempt_id=one.attempt_id,
                    step="status.answered",
                    progress=CallProgress(stage=Stage.ANSWERED, sid=_sid(one)),
                )
                for one in answered
            ]
        )
        turns: dict[uuid.UUID, Turn | None] = dict.fromkeys(one.attempt_id for one in answered)
        speaking, number, talked = list(answered), 0, 20.0
        while speaking:
            steps: list[CallEvent] = [
                TurnRequest(
                    attempt_id=one.attempt_id,
                    step=number,
                    sid=_sid(one),
                    position=turn.position if (turn := turns[one.attempt_id]) else None,
                    heard=_key(turns[one.attempt_id]),
                )
                for one in speaking
            ]
            for one, turn in zip(speaking, self._apply(steps), strict=True):
                assert isinstance(turn, Turn)
                turns[one.attempt_id] = turn
            speaking = [
                one for one in speaking if (turn := turns[one.attempt_id]) is not None and turn.end is None
            ]
            self.clock.pass_seconds(90)
            number, talked = number + 1, talked + 90
        self._apply([_ended(one, TelephonyResult.ANSWERED, int(talked)) for one in answered])
        for one in answered:
            person = self.people[one.to]
            self.settled[person.phone] = self.clock.now()
            self.truth.add(
                person,
                robot_calls_answered=1,
                robot_calls_verified=1,
                result_answered=1,
                cases_answered=1,
                verified_contact=1,
                dissuaded_by_phone=1,
            )

    def _apply(self, events: Sequence[CallEvent]) -> list[Reply]:
        replies: list[Reply] = []
        for first in range(0, len(events), 500):
            replies += apply_call_events(self.services, events[first : first + 500])
        return replies

    def _callers(self, day: int) -> None:
        """All of them at the same time, as their browsers ask in different processes."""
        self.at(day, 14)
        shares = [_CALLERS[first::_HANDS] for first in range(_HANDS)]
        for done in [self._hands.submit(self._work_of, callers) for callers in shares]:
            done.result()

    def _work_of(self, callers: Sequence[str]) -> None:
        place = Scope(unit_id=None)
        for caller in cycle(callers):
            task = claim_next(self.services, unrestricted(caller), scope=place)
            if task is None:
                break
            self._call(task, caller)

    def _call(self, task: Assignment, caller: str) -> None:
        person = self._person(task.case_id)
        # A human track that opened without the robot (the robot of an expired warning never starts).
        self.clock.pass_seconds(1)
        self._desk_call(task, caller)
        given = {
            Story.CALLER: OutcomeKind.DISSUADED_BY_PHONE,
            Story.NOT_OURS: OutcomeKind.TRANSFERRED,
            Story.OFFICER: OutcomeKind.CANNOT_FIND_YET,
            Story.REFUSES: OutcomeKind.CANNOT_FIND_YET,
            Story.TOO_LATE: OutcomeKind.ALREADY_DEFRAUDED,
        }[person.story]
        amounts = Amounts(intended_fen=person.intended_fen)
        if person.story is Story.TOO_LATE:
            amounts = Amounts(stopped_fen=5_000_00 + person.number, returned_fen=1_000_00 + person.number)
        receipt = Evidence(
            kind=EvidenceKind.BANK_RECEIPT, reference="银行回单 B1", shows_fen=max(1, amounts.largest_fen)
        )
        outcome_id = report_assignment(
            self.services,
            unrestricted(caller),
            task.id,
            WorkReport(outcome=given, amounts=amounts, evidence=None if amounts.is_nothing else receipt),
            token=task.token,
        )
        person.reporter = caller
        self.truth.add(person, human_calls=1)
        match person.story:
            case Story.CALLER:
                self.settled[person.phone] = self.clock.now()
                self.truth.add(person, verified_contact=1, dissuaded_by_phone=1, human_calls_reached=1)
            case Story.NOT_OURS:
                self.truth.add(person, cases_closed=1, cases_not_ours=1)
            case Story.TOO_LATE:
                self.truth.add(
                    person, cases_closed=1, cases_missed=1, verified_contact=1, human_calls_reached=1
                )
            case _:
                pass
        self._money(person, outcome_id, amounts)

    def _money(self, person: Person, outcome_id: int, amounts: Amounts) -> None:
        if amounts.is_nothing:
            return
        if person.approved:
            # An amount above what was at risk is approved by nobody who has not read its evidence.
            read_evidence(self.services, unrestricted("zhao"), [outcome_id])
            approve_outcome(self.services, unrestricted("zhao"), outcome_id)
        # Of a success that is filed later the amounts are reversed with it.
        state = (
            "reversed" if person.filed_after is not None else "approved" if person.approved else "unapproved"
        )
        self.truth.add(
            person,
            **{
                f"{kind}_{state}_fen": fen
                for kind, fen in (
                    ("intended", amounts.intended_fen),
                    ("stopped", amounts.stopped_fen),
                    ("returned", amounts.returned_fen),
                )
                if fen
            },
        )

    def _desk_call(self, task: Assignment, caller: str) -> None:
        """The caller's telephone and the person's were connected for a minute."""
        call_id, now = uuid.uuid4(), self.clock.now()
        with self.services.store.begin() as tx:
            stored = get_case(tx, task.case_id)
            assert stored is not None
            add_desk_call(
                tx,
                call_id,
                assignment_id=task.id,
                case_id=task.case_id,
                person_id=stored.person_id,
                number=0,
                extension="8001",
                by=caller,
                drill=stored.drill,
                asked_at=now,
                asked_real_at=now,
            )
            change_desk_call(
                tx, call_id, state="ended", result="answered", talk_seconds=60, settled=True, ended_at=now
            )

    def _person(self, case_id: int) -> Person:
        known = self.of_case.get(case_id)
        if known is None:
            with self.services.store.begin() as tx:
                person = person_of_case(tx, case_id)
            assert person is not None
            known = self.of_case[case_id] = self.people[person.phones[0]]
        return known

    def _officers(self, day: int) -> None:
        self.at(day, 18)
        with self.services.store.begin() as tx:
            waiting = waiting_assignments(tx, kind=Track.VISIT, limit=10_000)
        for visit in waiting:
            person = self._person(visit.case_id)
            self.clock.pass_seconds(1)
            phone = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("wang"))
            take_step(self.services, visit.id, VisitStage.ARRIVED, phone=phone)
            success = person.story is Story.OFFICER
            outcome = OutcomeKind.DISSUADED_IN_PERSON if success else OutcomeKind.REFUSES
            phone = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("wang"))
            report_visit(self.services, visit.id, WorkReport(outcome=outcome), phone=phone)
            person.reporter = phone.actor.name
            self.truth.add(person, visits=1, visits_met=1, verified_contact=1)
            if success:
                self.settled[person.phone] = self.clock.now()
                self.truth.add(person, dissuaded_in_person=1)
            else:
                self.truth.add(person, cases_closed=1)

    def _file(self, day: int, people: Sequence[Person], strangers: int) -> None:
        self.at(day, 20)
        if not people and not strangers:
            return
        moment = f"{self.clock.at.astimezone(ZONE) - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
        lines = ["案件编号,姓名,手机号,损失金额,立案时间,发案时间,案件类别\n"]
        lines.extend(
            f"A{person.number},{name_of(person.number)},{person.phone},50000,{moment},{moment},"
            f"{_TYPES[person.fraud_type]}\n"
            for person in people
        )
        lines.extend(
            f"S{day}-{n},欧阳某{day},139{day:04d}{n:04d},30000,{moment},{moment},虚假贷款\n"
            for n in range(strangers)
        )
        done = load_filed(
            self.services, unrestricted("bench"), BytesIO("".join(lines).encode()), source=f"{day}"
        )
        assert (done.new, done.rejected) == (len(people) + strangers, 0), done
        self.filings.update({state.value: count for state, count in done.states.items()})
        for person in people:
            self.truth.add(person, defrauded_after_warning=1)
            if person.story in _SUCCESSES:
                self.truth.add(person, cases_reversed=1, dissuaded_by_phone=-1)
            else:
                # It is known now what it was: no other body's case.
                self.truth.add(person, cases_not_ours=-1)

    def close(self, end: datetime) -> None:
        """The year is over: successes whose watch period has passed are proven."""
        self.clock.at = end
        while sweep_cases(self.services):
            pass
        watch = timedelta(seconds=self.services.policies.newest.watch_seconds)
        for person in self.people.values():
            if person.story in _SUCCESSES and person.filed_after is None:
                is_over = self.settled[person.phone] + watch <= end
                self.truth.add(person, **{"cases_proven" if is_over else "cases_watching": 1, "dissuaded": 1})
        self.truth.close(self.people.values())
        refresh_figures(self.services)


def _key(turn: Turn | None) -> Heard:
    """Who I am: yes. Has it happened: no. Understood: yes."""
    if turn is None or turn.position is None:
        return Heard.silence()
    return Heard.keys("2" if turn.position.node == "scene" else "1")


def _sid(one: ClaimedAttempt) -> str:
    return f"CA{one.attempt_id.hex}"


def _ended(one: ClaimedAttempt, result: TelephonyResult, seconds: int | None = None) -> CallNews:
    progress = CallProgress(stage=Stage.ENDED, sid=_sid(one), result=result, duration_seconds=seconds)
    return CallNews(attempt_id=one.attempt_id, step="status.ended", progress=progress)


KNOWN = (
    "warnings", "cases", "cases_watching", "cases_proven", "cases_reversed", "cases_closed", "cases_open",
    "cases_missed", "cases_not_ours", "cases_rung", "cases_answered", "verified_contact", "dissuaded",
    "dissuaded_by_phone", "dissuaded_in_person", "saw_through_it", "defrauded_after_warning", "robot_calls",
    "robot_calls_answered", "robot_calls_verified", "human_calls", "human_calls_reached", "human_calls_waiting",
    "visits", "visits_met", "visits_waiting",
)  # fmt: skip
"""What the truth says of every part; what it does not name is none."""
_STATES = ("approved", "unapproved", "reversed")


def compare(services: Services, truth: Truth) -> list[str]:
    """Each figure of `dialer report --json` and of its cuts that is not what was done."""
    report = make_report(services)
    shown: dict[Part, Slice] = {("all", ""): report.figures.total}
    shown |= {(Dimension.GRADE.value, grade.value): one for grade, one in report.figures.by_grade.items()}
    shown |= {
        (Dimension.FRAUD_TYPE.value, kind.value): one for kind, one in report.figures.by_fraud_type.items()
    }
    for dimension in (Dimension.SOURCE, Dimension.UNIT, Dimension.PERSON):
        cut = cut_rates(services, RatesQuery(by=dimension), reader_unit_id=None)
        names = cut.unit_names if dimension is Dimension.UNIT else {}
        shown |= {(dimension.value, names.get(v, v)): one for v, one in cut.breakdown.slices.items()}
    different = []
    for part in sorted({*shown, *truth.parts}):
        wanted = truth.parts[part]
        found = _numbers(shown[part]) if part in shown else {"warnings": 0}
        different += [
            f"{' '.join(part)}.{name}: report {n}, truth {wanted[name]}"
            for name, n in found.items()
            if n != wanted[name]
        ]
    return different


def _numbers(found: Slice) -> dict[str, int]:
    numbers = {name: getattr(found.counts, name) for name in KNOWN}
    numbers |= {f"result_{result.value}": n for result, n in found.counts.results.items()}
    return numbers | {
        f"{kind.value}_{state}_fen": getattr(money, f"{state}_fen")
        for kind, money in found.amounts.items()
        for state in _STATES
    }


def adds_up(services: Services) -> list[str]:
    """Each figure of a cut whose parts are not the whole, each part that its own page has otherwise, and each list of
    cases that is not its figure.
    """
    wrong = []
    for dimension in Dimension:
        asked = RatesQuery(by=dimension)
        cut = cut_rates(services, asked, reader_unit_id=None).breakdown
        wrong += [f"{dimension.value}.{name}" for name in COUNT_NAMES if _sum(cut, name) != _whole(cut, name)]
        for place, (value, part) in enumerate(cut.slices.items()):
            if not value:
                continue
            for name in ("cases_reversed", "human_calls", "visits"):
                behind = cases_behind(services, asked.narrowed(value), name, reader_unit_id=None)
                if behind.count != getattr(part.counts, name):
                    wrong.append(f"{dimension.value}={value}.{name}: {behind.count}")
            if place < _OPENED:
                by = Dimension.HOUR if dimension is not Dimension.HOUR else Dimension.UNIT
                own = cut_rates(
                    services, replace(asked.narrowed(value), by=by), reader_unit_id=None
                ).breakdown
                wrong += [
                    f"{dimension.value}={value} by {by.value}.{name}"
                    for name in COUNT_NAMES
                    if not _sum(own, name) == _whole(own, name) == getattr(part.counts, name)
                ]
    return wrong


_OPENED = 5
"""Parts of each cut whose own page is read too."""


def _sum(cut: Breakdown, name: str) -> int:
    return sum(getattr(part.counts, name) for part in cut.slices.values())


def _whole(cut: Breakdown, name: str) -> int:
    return int(getattr(cut.total.counts, name))


def pace(services: Services, end: datetime) -> dict[str, float]:
    """Milliseconds, the median of five."""
    local = end.astimezone(ZONE).replace(hour=0, minute=0, second=0)
    month = Period(start=(local - 29 * DAY).astimezone(UTC), end=(local + DAY).astimezone(UTC))
    works: dict[str, Callable[[], object]] = {
        "report": partial(make_report, services),
        "report_30_days": partial(make_report, services, month),
    }
    for dimension in Dimension:
        for name, period in (("page_by", Period()), ("page_30_days_by", month)):
            asked = RatesQuery(by=dimension, period=period)
            works[f"{name}_{dimension.value}"] = partial(cut_rates, services, asked, reader_unit_id=None)
    narrowed = {
        "source": RatesQuery(by=Dimension.UNIT, cut=CaseFilter(source=_SOURCES[0])),
        "hour": RatesQuery(by=Dimension.SOURCE, cut=CaseFilter(hour=9)),
        "grade": RatesQuery(by=Dimension.HOUR, cut=CaseFilter(grade=Grade.LOW)),
        "person": RatesQuery(by=Dimension.GRADE, cut=CaseFilter(person=_CALLERS[0])),
    }
    for name, asked in narrowed.items():
        works[f"page_of_one_{name}"] = partial(cut_rates, services, asked, reader_unit_id=None)
    return {name: round(statistics.median(_ms(work) for _ in range(5)), 1) for name, work in works.items()}


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def run(scale: float, seed: int, days: int = 365, keep: Path | None = None) -> dict[str, object]:
    """The year, and what of it differs."""
    with ground(keep=keep) as env, application(load_settings(env)) as app:
        end = datetime.now(UTC).replace(microsecond=0)
        clock = Clock(end - (days + 1) * DAY)
        services = replace(
            app.services, clock=clock, real=clock, enqueue=lambda *_: None, schema=app.services.schema
        )
        with owner_store(app) as owner:
            return _run(services, clock, owner, scale, seed, days, end)


def _run(
    services: Services, clock: Clock, owner: Store, scale: float, seed: int, days: int, end: datetime
) -> dict[str, object]:
    people, strangers = plan(scale, seed, days)
    meter = Meter(services)
    year = Year(services, clock, days, end, meter=meter)
    # The first call may leave now, a year before the database was made.
    with services.store.begin() as tx:
        set_line_pace(
            tx,
            calls_per_second=500,
            lines=10_000,
            by="bench",
            why="a year",
            now=clock.now(),
            real_now=clock.now(),
        )
    _build(services)
    before = meter.read()
    year.run(people, strangers)
    year.close(end)
    made = meter.read() - before
    vacuum(owner)
    different = compare(services, year.truth)
    wrong = adds_up(services)
    began = time.monotonic()
    verified = verify_figures(services)
    total = year.truth.parts["all", ""]
    return {
        "scale": scale,
        "seed": seed,
        "days": days,
        "made_in_seconds": made.plain(),
        "of_it": {name: used.plain() for name, used in year.took.items()},
        "truth": {name: total[name] for name in KNOWN} | {"filed": dict(year.filings)},
        "different": different,
        "not_adding_up": wrong,
        "verify": {
            "days": verified.days,
            "figures": verified.figures,
            "different": verified.different,
            "seconds": round(time.monotonic() - began, 1),
        },
        "ms": pace(services, end),
        "goal_ms": GOAL_MS,
    }


def _build(services: Services) -> None:
    """The districts and stations of the city."""
    with services.store.begin() as tx:
        for n in range(1, _DISTRICTS + 1):
            district = add_unit(tx, name=f"第{n}分局", parent_id=None, level="county")
            for place in range(1, _STATIONS + 1):
                add_unit(tx, name=f"第{n}区第{place}派出所", parent_id=district, level="station")


def is_exact(found: dict[str, object]) -> bool:
    """Whether nothing differs."""
    verified = found["verify"]
    assert isinstance(verified, dict)
    return not (found["different"] or found["not_adding_up"] or verified["different"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--quick", action="store_true", help=f"scale {QUICK_SCALE} over 40 days")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    scale, days = (QUICK_SCALE, 40) if options.quick else (options.scale, options.days)
    found = run(scale, options.seed, days, options.keep)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if not is_exact(found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
