"""A generated load: a city with 857,200 warnings a year, its people and its rota, all of it invented. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.policy import Policy
from dialer.core.reach import Reach
from dialer.core.rota import DutyEntry, Roster, Shift
from dialer.core.values import Answer, Contact, FraudType, Grade, OutcomeKind, TelephonyResult, Track
from dialer.whatif.model import Centre, People, RobotCall, Seen, StaffReport, WarnedCase

A_DAY: Final = 2_348
"""Warnings of a day: 857,200 in a year."""
LINES, CALLS_PER_SECOND = 24, 2.0
_DAY: Final = timedelta(days=1)
_BY_HOUR: Final = (1, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 9, 7, 7, 9, 10, 9, 8, 7, 7, 7, 5, 3, 2)
"""How the warnings of a day are spread over its hours."""
_GRADES: Final = ((Grade.EXTRA_HIGH, 0.004), (Grade.HIGH, 0.05), (Grade.MEDIUM, 0.35), (Grade.LOW, 0.596))
_TYPES: Final = (
    (FraudType.FAKE_ORDER_REBATE, 0.34, 9_000),
    (FraudType.LOAN, 0.18, 12_000),
    (FraudType.FAKE_CUSTOMER_SERVICE, 0.16, 20_000),
    (FraudType.INVESTMENT, 0.14, 80_000),
    (FraudType.SHOPPING, 0.10, 3_000),
    (FraudType.POLICE_IMPERSONATION, 0.08, 60_000),
)
"""Share of each fraud type, and the yuan at risk at the middle."""
DAY, LATE, NIGHT = (
    Shift(mark="白", starts=time(8), ends=time(16)),
    Shift(mark="中", starts=time(16), ends=time(0)),
    Shift(mark="夜", starts=time(0), ends=time(8)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A generated load with the people and the centre that it meets."""

    cases: Sequence[WarnedCase]
    people: People
    centre: Centre
    zone: ZoneInfo
    start: datetime
    end: datetime


def city(  # one place for what is invented
    policy: Policy,
    *,
    start: datetime,
    days: int,
    seed: int,
    load: float = 1.0,
    staff: Mapping[Track, Sequence[int]] | None = None,
) -> City:
    """`days` from `start` on (a local midnight, in UTC) with `load` times the warnings. `staff`: callers and officers
    of the day, the late and the night shift.
    """
    zone = ZoneInfo(policy.window.zone)
    chance = random.Random(seed)  # noqa: S311 - a load, no secret
    staff = staff or {Track.HUMAN: (12, 10, 3), Track.VISIT: (10, 8, 4)}
    return City(
        cases=tuple(_cases(chance, start, days, load)),
        people=people(seed),
        centre=Centre(
            policies={0: policy},
            rosters={
                track: (_roster(zone, start, days, counts, first=1_000 * place + 1),)
                for place, (track, counts) in enumerate(staff.items())
            },
            lines=LINES,
            calls_per_second=CALLS_PER_SECOND,
        ),
        zone=zone,
        start=start,
        end=start + days * _DAY,
    )


def _cases(chance: random.Random, start: datetime, days: int, load: float) -> list[WarnedCase]:
    grades = [grade for grade, _ in _GRADES], [share for _, share in _GRADES]
    types = [(kind, yuan) for kind, _, yuan in _TYPES], [share for _, share, _ in _TYPES]
    found = []
    for day in range(days):
        for _ in range(round(A_DAY * load)):
            (hour,) = chance.choices(range(24), _BY_HOUR)
            second = int(3_600 * (hour + chance.random()))
            ((kind, yuan),) = chance.choices(*types)
            found.append(
                WarnedCase(
                    opened_at=start + day * _DAY + timedelta(seconds=second),
                    grade=chance.choices(*grades)[0],
                    fraud_type=kind,
                    amount_fen=int(100 * yuan * chance.lognormvariate(0, 1)),
                )
            )
    return sorted(found, key=lambda case: case.opened_at)


def _roster(zone: ZoneInfo, start: datetime, days: int, counts: Sequence[int], *, first: int) -> Roster:
    """The same numbers of persons on each shift of every day, and of the day before."""
    day = start.astimezone(zone).date()
    ids = iter(range(first, first + sum(counts)))
    shifts = [
        (shift, [next(ids) for _ in range(count)])
        for shift, count in zip((DAY, LATE, NIGHT), counts, strict=True)
    ]
    return Roster(
        zone=zone,
        shifts=(DAY, LATE, NIGHT),
        entries=tuple(
            DutyEntry(day=day + n * _DAY, mark=shift.mark, staff_id=staff_id)
            for n in range(-1, days + 1)
            for shift, staff_ids in shifts
            for staff_id in staff_ids
        ),
    )


def people(seed: int) -> People:
    """People who answer more often in the evening, and the higher their grade the less often: they are on the phone
    with the fraudster.
    """
    chance = random.Random(seed + 1)  # noqa: S311 - a load, no secret
    robot = []
    for grade in Grade:
        for hour in range(24):
            answers = (0.62 if hour in range(17, 22) else 0.52) - 0.06 * (grade.rank - 1)
            robot += [(grade, hour, _robot_call(chance, answers, grade)) for _ in range(60)]
    calls = [(grade, hour, _call(chance)) for grade in Grade for hour in range(24) for _ in range(40)]
    visits = [(grade, 12, _visit(chance)) for grade in Grade for _ in range(100)]
    return People(
        robot=Seen(robot),
        reports={Track.HUMAN: Seen(calls), Track.VISIT: Seen(visits)},
        between_seconds={Track.HUMAN: 20.0},
    )


def _robot_call(chance: random.Random, answers: float, grade: Grade) -> RobotCall:
    part = chance.random()
    if part >= answers:
        results = (
            (TelephonyResult.NO_ANSWER, 0.55),
            (TelephonyResult.BUSY, 0.1 + 0.05 * grade.rank),
            (TelephonyResult.POWERED_OFF, 0.12),
            (TelephonyResult.MACHINE, 0.06),
            (TelephonyResult.INVALID_NUMBER, 0.03),
        )
        (result,) = chance.choices([one for one, _ in results], [share for _, share in results])
        return RobotCall(result=result, seconds=chance.uniform(5, 45))
    endings = (
        (Reach.VERIFIED, Answer.ACKNOWLEDGED, 0.60),
        (Reach.VERIFIED, Answer.DOUBTFUL, 0.06),
        (Reach.VERIFIED, Answer.REFUSES, 0.02),
        (Reach.VERIFIED, Answer.WANTS_OFFICER, 0.02),
        (Reach.VERIFIED, Answer.ALREADY_PAID, 0.01),
        (Reach.HUNG_UP_EARLY, Answer.NONE, 0.17),
        (Reach.SILENT, Answer.NONE, 0.08),
        (Reach.WRONG_PERSON, Answer.WRONG_PERSON, 0.04),
    )
    ((reach, answer),) = chance.choices([(r, a) for r, a, _ in endings], [share for *_, share in endings])
    is_short = reach is Reach.HUNG_UP_EARLY
    return RobotCall(
        result=TelephonyResult.ANSWERED,
        seconds=chance.uniform(12, 30) if is_short else chance.uniform(45, 120),
        contact=Contact.VERIFIED if reach is Reach.VERIFIED else Contact.NONE,
        answer=answer,
        reach=reach,
    )


def _call(chance: random.Random) -> StaffReport:
    outcomes = (
        (OutcomeKind.DISSUADED_BY_PHONE, 0.55),
        (OutcomeKind.CANNOT_FIND_YET, 0.27),
        (OutcomeKind.HALF_BELIEVES, 0.05),
        (OutcomeKind.REFUSES, 0.03),
        (OutcomeKind.SAW_THROUGH_IT, 0.06),
        (OutcomeKind.NOT_THE_PERSON, 0.03),
        (OutcomeKind.ALREADY_DEFRAUDED, 0.01),
    )
    return _report(chance, outcomes, 90, 300)


def _visit(chance: random.Random) -> StaffReport:
    outcomes = (
        (OutcomeKind.DISSUADED_IN_PERSON, 0.72),
        (OutcomeKind.CANNOT_FIND_YET, 0.18),
        (OutcomeKind.REFUSES, 0.04),
        (OutcomeKind.MISMATCH, 0.06),
    )
    return _report(chance, outcomes, 1_500, 4_500)


_NOT_REACHED: Final = frozenset(
    {OutcomeKind.CANNOT_FIND_YET, OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH}
)


def _report(
    chance: random.Random, outcomes: Sequence[tuple[OutcomeKind, float]], least: float, most: float
) -> StaffReport:
    (outcome,) = chance.choices([one for one, _ in outcomes], [share for _, share in outcomes])
    contact = Contact.NONE if outcome in _NOT_REACHED else Contact.VERIFIED
    return StaffReport(outcome=outcome, contact=contact, seconds=chance.uniform(least, most))
