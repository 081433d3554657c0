"""What a made-up year is, counted by hand: each case as it went, and every count of the report from that alone.

Nothing here reads the product's database, its conditions or its settings: limits, kinds of outcomes and the meaning of
each count are written down again as docs/metrics.md has them. A setting of the shipped policy that changes makes the
two differ, and somebody has to look who is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from dialer.core.rates import Dimension, Slice
from dialer.core.values import FraudType, Grade, OutcomeKind, TelephonyResult, Track

ZONE: Final = ZoneInfo("Asia/Shanghai")

CHECKED: Final = (
    "warnings", "cases", "cases_open", "cases_watching", "cases_proven", "cases_reversed", "cases_closed",
    "cases_missed", "cases_not_ours", "cases_ours", "cases_rung", "cases_answered", "cases_tried", "cases_reached",
    "cases_called_back", "verified_contact", "succeeded", "dissuaded", "dissuaded_by_phone", "dissuaded_in_person",
    "saw_through_it", "judged", "defrauded_after_warning", "found", "found_nothing", "false_alarms", "raised",
    "handed_to_person", "followed_up", "first_attempt_counted", "first_attempt_in_time", "first_attempt_pending",
    "first_attempt_not_wanted", "robot_calls", "robot_calls_counted", "robot_calls_answered", "robot_calls_verified",
    "robot_calls_under_way", "robot_calls_own_fault", "robot_calls_cancelled", "robot_calls_unknown",
    "follow_up_calls_counted", "follow_up_calls_not_counted", "follow_up_calls_answered", "follow_up_calls_verified",
    "follow_up_calls_undoing", "human_calls", "human_calls_waiting", "human_calls_withdrawn", "human_calls_reached",
    "visits", "visits_waiting", "visits_withdrawn", "visits_met", "sign_counted", "signed_in_time", "sign_pending",
    "sign_withdrawn", "feedback_counted", "feedback_in_time", "feedback_pending", "feedback_withdrawn",
)  # fmt: skip
"""The counts that are compared. tests/figures/test_year.py fails where the report has another one."""

WATCH: Final = timedelta(days=7)
FIRST_ATTEMPT: Final = {
    Grade.LOW: timedelta(hours=12),
    Grade.MEDIUM: timedelta(minutes=15),
    Grade.HIGH: timedelta(minutes=3),
}
SIGN: Final = {
    Grade.LOW: timedelta(hours=4),
    Grade.MEDIUM: timedelta(minutes=30),
    Grade.HIGH: timedelta(minutes=5),
}
FEEDBACK: Final = {
    Grade.LOW: timedelta(hours=48),
    Grade.MEDIUM: timedelta(hours=24),
    Grade.HIGH: timedelta(hours=4),
}
_OPENS, _CLOSES = time(9), time(21)
_WAITS_FOR_WINDOW: Final = frozenset({Grade.LOW, Grade.MEDIUM})
_RANKS: Final = (Grade.LOW, Grade.MEDIUM, Grade.HIGH, Grade.EXTRA_HIGH)

_SUCCESSES: Final = {
    OutcomeKind.DISSUADED_BY_PHONE: "dissuaded_by_phone",
    OutcomeKind.DISSUADED_IN_PERSON: "dissuaded_in_person",
    OutcomeKind.SAW_THROUGH_IT: "saw_through_it",
}
_SPOKE_WITH_THE_PERSON: Final = frozenset(
    {*_SUCCESSES, OutcomeKind.HALF_BELIEVES, OutcomeKind.REFUSES, OutcomeKind.ALREADY_DEFRAUDED}
)
_SPOKE_WITH_SOMEBODY: Final = frozenset({OutcomeKind.NOT_THE_PERSON, OutcomeKind.LANGUAGE_OR_HEARING})
_WRONG_RECORD: Final = frozenset({OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH})
_NOT_OURS: Final = frozenset({OutcomeKind.DUPLICATE, OutcomeKind.TRANSFERRED, OutcomeKind.WITHDRAWN})
_OURS_TO_BLAME: Final = frozenset({TelephonyResult.BLOCKED, TelephonyResult.DEAD_AIR})
_NO_END_AT_THE_PERSON: Final = _OURS_TO_BLAME | {TelephonyResult.CANCELED, TelephonyResult.UNKNOWN}

Contact = Literal["nobody", "somebody", "the person"]
Status = Literal["open", "watching", "proven", "reversed", "closed"]


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of the robot that left for the network. `result` None: it is not over."""

    sent_at: datetime
    result: TelephonyResult | None = None
    contact: Contact = "nobody"
    follow_up: bool = False
    undoes: bool = False
    """What was said in a follow-up opened the case again."""

    @property
    def ended_at_the_person(self) -> bool:
        return self.result is not None and self.result not in _NO_END_AT_THE_PERSON


@dataclass(slots=True, kw_only=True)
class Work:
    """One human call or visit."""

    track: Track
    opened_at: datetime
    grade: Grade
    signed_at: datetime | None = None
    done_at: datetime | None = None
    withdrawn_at: datetime | None = None
    outcome: OutcomeKind | None = None
    by: str = ""
    follow_up: bool = False

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.withdrawn_at is None

    @property
    def contact(self) -> Contact:
        if self.outcome in _SPOKE_WITH_THE_PERSON:
            return "the person"
        return "somebody" if self.outcome in _SPOKE_WITH_SOMEBODY else "nobody"


@dataclass(slots=True, kw_only=True)
class Amount:
    """One line with money. `of_success`: it was recorded with a success, and is reversed with it."""

    fen: Mapping[str, int]
    approved: bool
    of_success: bool


@dataclass(slots=True, kw_only=True)
class Life:
    """One case: what was done about it, and when."""

    first_grade: Grade
    grade: Grade
    fraud_type: FraudType
    source: str
    unit: str
    """The district; '' for none."""
    opened_at: datetime
    warnings: int = 1
    calls: list[Call] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    success: OutcomeKind | None = None
    succeeded_at: datetime | None = None
    was_undone: bool = False
    """A follow-up found that the success was none."""
    ending: OutcomeKind | None = None
    """How it ended, where that is no success."""
    ended_at: datetime | None = None
    missed: bool = False
    called_back: bool = False
    filed: bool = False
    """A number of the police stands for it."""

    def succeed(self, how: OutcomeKind, at: datetime) -> None:
        self.success, self.succeeded_at = how, at

    def undo_success(self) -> None:
        self.success, self.succeeded_at, self.was_undone = None, None, True

    def end(self, how: OutcomeKind, at: datetime) -> None:
        """Ended without success: what is still open is no longer needed."""
        self.ending, self.ended_at = how, at
        for one in self.work:
            if one.is_open:
                one.withdrawn_at = at

    def ask(self, track: Track, at: datetime, *, follow_up: bool = False) -> Work:
        """Somebody is asked to call or to go there."""
        asked = Work(track=track, opened_at=at, grade=self.grade, follow_up=follow_up)
        self.work.append(asked)
        return asked

    def waiting(self, track: Track) -> Work | None:
        return next((one for one in self.work if one.track is track and one.is_open), None)

    def status(self, at: datetime) -> Status:
        if self.success is not None:
            assert self.succeeded_at is not None
            if self.filed:
                return "reversed"
            return "proven" if self.succeeded_at + WATCH <= at else "watching"
        return "closed" if self.filed or self.ending is not None else "open"

    @property
    def first_at(self) -> datetime | None:
        """The first call that left, or the first human call or visit that was made."""
        made = [call.sent_at for call in self.calls if not call.follow_up]
        made += [one.done_at for one in self.work if one.done_at is not None and not one.follow_up]
        return min(made, default=None)

    @property
    def late_at(self) -> datetime:
        """Until when the first attempt is in time."""
        local = self.opened_at.astimezone(ZONE)
        begins = self.opened_at
        if self.first_grade in _WAITS_FOR_WINDOW and not _OPENS <= local.time() < _CLOSES:
            day = local.date() + timedelta(days=local.time() >= _CLOSES)
            begins = datetime.combine(day, _OPENS, ZONE).astimezone(self.opened_at.tzinfo)
        return begins + FIRST_ATTEMPT[self.first_grade]

    @property
    def contact(self) -> Contact:
        """The best of all calls and visits, those of a follow-up too."""
        had = {one.contact for one in (*self.calls, *self.work)}
        return "the person" if "the person" in had else "somebody" if "somebody" in had else "nobody"

    @property
    def reporter(self) -> str:
        """Who reported last; '' where no person did."""
        done = [(one.done_at, one.by) for one in self.work if one.done_at is not None and not one.follow_up]
        return max(done, default=(None, ""))[1]

    def counts(self, at: datetime) -> Counter[str]:
        """What the case adds to each figure of a report made at `at`: counts, calls by result, amounts in fen."""
        found: Counter[str] = Counter(warnings=self.warnings)
        for one in (self._of_case(at), self._of_first_attempt(at), self._of_calls(), self._of_work(at)):
            found.update(one)
        for line in self.amounts:
            gone = line.of_success and (self.filed or self.was_undone)
            state = "reversed" if gone else "approved" if line.approved else "unapproved"
            found.update({f"{kind}_{state}_fen": fen for kind, fen in line.fen.items() if fen})
        return +found

    def _of_case(self, at: datetime) -> dict[str, bool]:
        status = self.status(at)
        succeeded = self.success is not None
        stands = status in {"watching", "proven"}
        # A filed case tells what was behind the warning, whatever had been reported.
        ending = OutcomeKind.ALREADY_DEFRAUDED if self.filed else self.ending
        not_ours = status == "closed" and ending in _NOT_OURS
        over = status != "open"
        found = over and (succeeded or ending in _SPOKE_WITH_THE_PERSON or ending in _WRONG_RECORD)
        rung = any(call.ended_at_the_person and not call.follow_up for call in self.calls)
        return {
            "cases": True,
            f"cases_{status}": True,
            "cases_missed": self.missed,
            "cases_not_ours": not_ours,
            "cases_ours": not not_ours,
            "cases_rung": rung,
            "cases_answered": any(
                call.result is TelephonyResult.ANSWERED and not call.follow_up for call in self.calls
            ),
            "cases_tried": not not_ours and (self.first_at is not None or self.contact != "nobody"),
            "cases_reached": not not_ours and self.contact != "nobody",
            "cases_called_back": rung and self.called_back,
            "verified_contact": not not_ours and self.contact == "the person",
            "succeeded": succeeded,
            "dissuaded": stands,
            **({_SUCCESSES[self.success]: stands} if self.success is not None else {}),
            "judged": status in {"proven", "reversed"},
            "defrauded_after_warning": self.filed,
            "found": found,
            "found_nothing": over and not found,
            "false_alarms": over and not succeeded and ending in _WRONG_RECORD,
            "raised": _RANKS.index(self.grade) > _RANKS.index(self.first_grade),
            "handed_to_person": any(not one.follow_up for one in self.work),
            "followed_up": succeeded
            and any(one.follow_up and one.contact == "the person" for one in (*self.calls, *self.work)),
        }

    def _of_first_attempt(self, at: datetime) -> dict[str, bool]:
        first, late = self.first_at, self.late_at
        over_at = self.ended_at if self.success is None else self.succeeded_at
        not_wanted = first is None and over_at is not None and over_at <= late
        pending = first is None and over_at is None and at <= late
        return {
            "first_attempt_counted": not (not_wanted or pending),
            "first_attempt_in_time": first is not None and first <= late,
            "first_attempt_pending": pending,
            "first_attempt_not_wanted": not_wanted,
        }

    def _of_calls(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for call in self.calls:
            answered = call.result is TelephonyResult.ANSWERED
            verified = answered and call.contact == "the person"
            if call.follow_up:
                found.update(
                    follow_up_calls_counted=call.ended_at_the_person,
                    follow_up_calls_not_counted=not call.ended_at_the_person,
                    follow_up_calls_answered=answered,
                    follow_up_calls_verified=verified,
                    follow_up_calls_undoing=call.undoes,
                )
                continue
            found.update(
                robot_calls=1,
                robot_calls_counted=call.ended_at_the_person,
                robot_calls_answered=answered,
                robot_calls_verified=verified,
                robot_calls_under_way=call.result is None,
                robot_calls_own_fault=call.result in _OURS_TO_BLAME,
                robot_calls_cancelled=call.result is TelephonyResult.CANCELED,
                robot_calls_unknown=call.result is TelephonyResult.UNKNOWN,
            )
            if call.result is not None:
                found[f"result_{call.result.value}"] += 1
        return found

    def _of_work(self, at: datetime) -> Counter[str]:
        found: Counter[str] = Counter()
        for one in self.work:
            if one.follow_up:
                continue
            plural, reached = ("human_calls", "reached") if one.track is Track.HUMAN else ("visits", "met")
            sign_by, feedback_by = one.opened_at + SIGN[one.grade], one.opened_at + FEEDBACK[one.grade]
            until = one.withdrawn_at or at
            signs = one.signed_at is not None or sign_by < until
            feeds = one.done_at is not None or feedback_by < until
            withdrawn = one.withdrawn_at is not None
            found.update(
                {
                    plural: one.done_at is not None,
                    f"{plural}_waiting": one.is_open,
                    f"{plural}_withdrawn": withdrawn,
                    f"{plural}_{reached}": one.contact == "the person",
                    "sign_counted": signs,
                    "signed_in_time": one.signed_at is not None and one.signed_at <= sign_by,
                    "sign_pending": not signs and not withdrawn,
                    "sign_withdrawn": not signs and withdrawn,
                    "feedback_counted": feeds,
                    "feedback_in_time": one.done_at is not None and one.done_at <= feedback_by,
                    "feedback_pending": not feeds and not withdrawn,
                    "feedback_withdrawn": not feeds and withdrawn,
                }
            )
        return found


Part = tuple[str, str]
"""The name of a dimension and its value; ("all", "") is the whole."""


def parts_of(lives: Iterable[Life], at: datetime) -> dict[Part, Counter[str]]:
    """The figures of the whole and of each part, in the words of the report."""
    parts: dict[Part, Counter[str]] = defaultdict(Counter)
    for life in lives:
        counts = life.counts(at)
        for part in (
            ("all", ""),
            (Dimension.GRADE.value, life.grade.value),
            (Dimension.FRAUD_TYPE.value, life.fraud_type.value),
            (Dimension.SOURCE.value, life.source),
            (Dimension.UNIT.value, life.unit),
            (Dimension.PERSON.value, life.reporter),
        ):
            parts[part].update(counts)
    return parts


def differences(truth: Mapping[Part, Mapping[str, int]], shown: Mapping[Part, Slice]) -> list[str]:
    """Each figure of the report and of its parts that is not what was done."""
    different = []
    for part in sorted({*shown, *truth}):
        wanted, found = truth.get(part, {}), _numbers(shown[part]) if part in shown else {}
        different += [
            f"{' '.join(part)}.{name}: report {found.get(name, 0)}, truth {wanted.get(name, 0)}"
            for name in dict.fromkeys((*found, *wanted))
            if found.get(name, 0) != wanted.get(name, 0)
        ]
    return different


def _numbers(found: Slice) -> dict[str, int]:
    numbers = {name: getattr(found.counts, name) for name in CHECKED}
    numbers |= {f"result_{result.value}": n for result, n in found.counts.results.items()}
    return numbers | {
        f"{kind.value}_{state}_fen": getattr(money, f"{state}_fen")
        for kind, money in found.amounts.items()
        for state in ("approved", "unapproved", "reversed")
    }
