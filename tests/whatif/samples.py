"""Small periods to replay: cases, people who always do the same, and a centre that is always open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.core.policy import Policy, Window
from dialer.core.reach import Reach
from dialer.core.rota import DutyChange, Roster
from dialer.core.values import Answer, Contact, FraudType, Grade, OutcomeKind, TelephonyResult, Track
from dialer.whatif.model import Centre, Order, People, RobotCall, Seen, StaffReport, WarnedCase
from tests.core.samples import MORNING, POLICY

ZONE = ZoneInfo("Asia/Shanghai")
ALWAYS_OPEN = replace(POLICY, window=Window(opens=time(0), closes=time(0), zone="Asia/Shanghai"))
UNANSWERED = RobotCall(result=TelephonyResult.NO_ANSWER, seconds=30)
ACKNOWLEDGED = RobotCall(
    result=TelephonyResult.ANSWERED,
    seconds=60,
    contact=Contact.VERIFIED,
    answer=Answer.ACKNOWLEDGED,
    reach=Reach.VERIFIED,
)
DISSUADED = StaffReport(outcome=OutcomeKind.DISSUADED_BY_PHONE, contact=Contact.VERIFIED, seconds=120)


def warned(seconds: float = 0, grade: Grade = Grade.EXTRA_HIGH, **fields: object) -> WarnedCase:
    """A case opened so long after the morning."""
    case = WarnedCase(opened_at=MORNING + timedelta(seconds=seconds), grade=grade, fraud_type=FraudType.LOAN)
    return replace(case, **fields)  # type: ignore[arg-type]  # fields of the case


def people(
    robot: Sequence[RobotCall] = (UNANSWERED,),
    call: Sequence[StaffReport] = (DISSUADED,),
    visit: Sequence[StaffReport] = (DISSUADED,),
) -> People:
    """Each call and each visit is one of these, whatever the grade and the hour."""
    return People(
        robot=Seen((Grade.LOW, 0, one) for one in robot),
        reports={
            Track.HUMAN: Seen((Grade.LOW, 0, one) for one in call),
            Track.VISIT: Seen((Grade.LOW, 0, one) for one in visit),
        },
    )


def on_duty(count: int, start: datetime, end: datetime) -> Roster:
    """So many persons, all of this time."""
    spans = tuple(DutyChange(start=start, end=end, on=n) for n in range(1, count + 1))
    return Roster(zone=ZONE, shifts=(), changes=spans)


def centre(
    callers: int = 1,
    officers: int = 0,
    *,
    policy: Policy = ALWAYS_OPEN,
    days: int = 2,
    order: Order = Order.OURS,
    rosters: Mapping[Track, Sequence[Roster]] | None = None,
) -> Centre:
    """A centre with these people on duty around the clock."""
    end = MORNING + timedelta(days=days)
    staff = {
        Track.HUMAN: (on_duty(callers, MORNING, end),),
        Track.VISIT: (on_duty(officers, MORNING, end),),
    }
    return Centre(policies={0: policy}, rosters=rosters or staff, lines=200, calls_per_second=20, order=order)
