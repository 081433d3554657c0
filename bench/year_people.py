"""Who lives in the made-up year, and what becomes of each: decided before anything is loaded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bench.year_truth import Life
from dialer.core.values import FiledState, FraudType, Grade, OutcomeKind, TelephonyResult

WARNINGS, ROBOT_CALLS, HUMAN_CALLS, VISITS, FILED = 857_200, 600_000, 256_800, 2_918, 525
RARE: Final = 200
"""Lives of each kind of `RARE_LIVES` in a year at scale 1."""
SOURCES: Final = ("通联", "银行", "运营商", "国家平台")
DISTRICTS, STATIONS = 8, 6
"""Districts of the city, and stations of each; one person in seventeen lives in none."""
TYPES: Final = {
    FraudType.FAKE_ORDER_REBATE: "刷单返利",
    FraudType.LOAN: "虚假贷款",
    FraudType.FAKE_CUSTOMER_SERVICE: "冒充客服",
    FraudType.INVESTMENT: "虚假投资理财",
    FraudType.POLICE_IMPERSONATION: "冒充公检法",
}


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

    SAW_THROUGH = "saw_through"
    """A machine answers the robot; the person tells the caller that they saw through it."""
    MISTAKEN = "mistaken"
    """The same; the caller finds that the record of the warning was wrong."""
    WRONG_NUMBER = "wrong_number"
    """Somebody else answers the robot and says so."""
    NAMED_TWICE = "named_twice"
    """Warnings of two types make two cases; the second is marked as a duplicate before anybody calls."""
    DUPLICATE_LATER = "duplicate_later"
    """The same; the second is marked while a caller is asked for it."""
    MOVED = "moved"
    """The case is given to another district before the robot calls."""
    MOVED_WITH_WORK = "moved_with_work"
    """The case is given to another district with the human call that waits for it."""
    RAISED = "raised"
    """A second list names the person with a higher grade before the robot calls."""
    CALLS_BACK = "calls_back"
    """A machine answers the robot; the person calls us, and a caller dissuades."""
    WITHDRAWN = "withdrawn"
    """The list is withdrawn before the robot calls."""
    CANCELLED = "cancelled"
    """Somebody closes the case while the robot's call rings."""
    OWN_FAULT = "own_fault"
    """The first call fails on our side of the line; the second is answered."""
    UNKNOWN_CALL = "unknown_call"
    """Nobody knows whether the robot's call rang; a caller dissuades."""
    NO_VISIT = "no_visit"
    """A machine, then no answer for the caller; somebody closes the case before the officer goes."""
    FOLLOWED = "followed"
    """Answers the robot, and again in the follow-up."""
    FOLLOWED_LATE = "followed_late"
    """Answers the robot; the follow-up calls fail and find nobody, a caller reaches the person."""
    UNDONE = "undone"
    """Answers the robot; in the follow-up the fraudster is in contact again, and the caller hears of a loss."""
    UNDER_WAY = "under_way"
    """The robot's call of the last day has not ended."""
    LATECOMER = "latecomer"
    """Comes with the last list; a caller and an officer are asked, and nobody has done anything yet."""


SUCCESSES: Final = {
    Story.ROBOT: OutcomeKind.DISSUADED_BY_PHONE,
    Story.BUSY_FIRST: OutcomeKind.DISSUADED_BY_PHONE,
    Story.CALLER: OutcomeKind.DISSUADED_BY_PHONE,
    Story.OFFICER: OutcomeKind.DISSUADED_IN_PERSON,
}
REPORTS: Final = {
    Story.CALLER: OutcomeKind.DISSUADED_BY_PHONE,
    Story.NOT_OURS: OutcomeKind.TRANSFERRED,
    Story.OFFICER: OutcomeKind.CANNOT_FIND_YET,
    Story.REFUSES: OutcomeKind.CANNOT_FIND_YET,
    Story.TOO_LATE: OutcomeKind.ALREADY_DEFRAUDED,
    Story.SAW_THROUGH: OutcomeKind.SAW_THROUGH_IT,
    Story.MISTAKEN: OutcomeKind.MISMATCH,
    Story.MOVED_WITH_WORK: OutcomeKind.DISSUADED_BY_PHONE,
    Story.CALLS_BACK: OutcomeKind.DISSUADED_BY_PHONE,
    Story.UNKNOWN_CALL: OutcomeKind.DISSUADED_BY_PHONE,
    Story.NO_VISIT: OutcomeKind.CANNOT_FIND_YET,
    Story.FOLLOWED_LATE: OutcomeKind.DISSUADED_BY_PHONE,
    Story.UNDONE: OutcomeKind.ALREADY_DEFRAUDED,
}
"""What a caller reports."""

Brought = TelephonyResult | dict[str, str] | None
"""What a robot call brings: an end without an answer; the keys by node of the script, "1" where it says nothing; None:
the call has no end.
"""
UNDERSTANDS: Final = {"scene": "2"}
"""Who I am: yes. Has it happened: no. Understood: yes."""
_MACHINE = TelephonyResult.MACHINE
_CALLS: Final[dict[Story, tuple[Brought, ...]]] = {
    Story.BUSY_FIRST: (TelephonyResult.BUSY, UNDERSTANDS),
    Story.WRONG_NUMBER: ({"identity": "2"},),
    Story.CANCELLED: (TelephonyResult.CANCELED,),
    Story.OWN_FAULT: (TelephonyResult.BLOCKED, UNDERSTANDS),
    Story.UNKNOWN_CALL: (TelephonyResult.UNKNOWN,),
    Story.FOLLOWED: (UNDERSTANDS, UNDERSTANDS),
    Story.FOLLOWED_LATE: (
        UNDERSTANDS,
        TelephonyResult.BLOCKED,
        TelephonyResult.NO_ANSWER,
        TelephonyResult.NO_ANSWER,
    ),
    Story.UNDONE: (UNDERSTANDS, {"scene": "1"}),
    Story.UNDER_WAY: (None,),
    **dict.fromkeys(
        (Story.ROBOT, Story.NAMED_TWICE, Story.DUPLICATE_LATER, Story.MOVED, Story.RAISED), (UNDERSTANDS,)
    ),
}
"""What the calls bring, one after the other; in every other story a machine answers once."""


@dataclass(slots=True)
class Person:
    number: int
    story: Story
    grade: Grade
    """Of the first warning."""
    fraud_type: FraudType
    day: int
    again: bool = False
    """A second warning of the same list joins the case."""
    filed_after: int | None = None
    """Days from the warning to the filed case."""
    filed_as: FiledState = FiledState.WARNED
    undone_after: int | None = None
    """Days from the filed case until it turns out to be somebody else's."""
    erased_after: int | None = None
    """Days from the warning until the person is erased."""
    intended_fen: int = 0
    approved: bool = True
    lives: list[Life] = field(default_factory=list)
    """The case as it goes; the second is one that another type of fraud makes."""

    @property
    def source(self) -> str:
        return SOURCES[self.number % 7 % len(SOURCES)]

    @property
    def district(self) -> str:
        """'' for none."""
        return "" if self.number % 17 == 0 else f"第{self.number % DISTRICTS + 1}分局"

    @property
    def station(self) -> str:
        return self.district and f"{self.district[:-2]}区第{self.number // 17 % STATIONS + 1}派出所"

    @property
    def next_district(self) -> str:
        """Where a case that is moved goes."""
        return f"第{(self.number + 1) % DISTRICTS + 1}分局"

    @property
    def phone(self) -> str:
        return f"138{self.number:08d}"

    @property
    def other_type(self) -> FraudType:
        return FraudType.INVESTMENT if self.fraud_type is FraudType.LOAN else FraudType.LOAN

    @property
    def amounts_fen(self) -> dict[str, int]:
        """What a caller reports, by kind."""
        if self.story is Story.TOO_LATE:
            return {"stopped": 5_000_00 + self.number, "returned": 1_000_00 + self.number}
        return {"intended": self.intended_fen} if self.intended_fen else {}

    def brings(self, life: Life, nth: int) -> Brought:
        """What the nth call (from 0) for this case brings."""
        if life is not self.lives[0]:
            return _MACHINE
        return _CALLS.get(self.story, (_MACHINE,))[nth]


def plan(scale: float, seed: int, days: int) -> tuple[list[Person], int]:
    """The usual lives of the year in the order of their days, and how many file a case without a warning."""
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
                fraud_type=chance.choice(list(TYPES)),
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


_LOW, _MEDIUM, _HIGH = Grade.LOW, Grade.MEDIUM, Grade.HIGH
RARE_LIVES: Final[tuple[tuple[Story, Grade, dict[str, object]], ...]] = (
    (Story.REFUSES, _MEDIUM, {}),
    (Story.SAW_THROUGH, _LOW, {}),
    (Story.MISTAKEN, _LOW, {}),
    (Story.WRONG_NUMBER, _LOW, {}),
    (Story.NAMED_TWICE, _LOW, {}),
    (Story.DUPLICATE_LATER, _LOW, {}),
    (Story.MOVED, _LOW, {}),
    (Story.MOVED_WITH_WORK, _LOW, {}),
    (Story.RAISED, _LOW, {}),
    (Story.CALLS_BACK, _LOW, {}),
    (Story.WITHDRAWN, _LOW, {"erased_after": 1}),
    (Story.CANCELLED, _LOW, {}),
    (Story.OWN_FAULT, _LOW, {}),
    (Story.UNKNOWN_CALL, _LOW, {}),
    (Story.NO_VISIT, _MEDIUM, {}),
    (Story.FOLLOWED, _HIGH, {}),
    (Story.FOLLOWED_LATE, _HIGH, {}),
    (Story.UNDONE, _HIGH, {}),
    (Story.TOO_LATE, _HIGH, {"erased_after": 1}),
    (Story.ROBOT, _LOW, {"filed_after": 3}),
    (Story.ROBOT, _LOW, {"filed_after": 3, "undone_after": 1}),
    (Story.ROBOT, _LOW, {"filed_after": 3, "filed_as": FiledState.WARNED_OTHERWISE}),
    (Story.ROBOT, _LOW, {"filed_after": 3, "filed_as": FiledState.WARNED_LATE}),
    (Story.ROBOT, _LOW, {"filed_after": 3, "filed_as": FiledState.DOUBTFUL}),
    (Story.NOT_OURS, _LOW, {"filed_after": 2, "undone_after": 2}),
    (Story.CALLER, _LOW, {"filed_after": 3, "intended_fen": 7_000_01}),
    (Story.CALLER, _LOW, {"filed_after": 3, "undone_after": 1, "intended_fen": 8_000_02}),
    (
        Story.CALLER,
        _LOW,
        {"filed_after": 3, "undone_after": 1, "intended_fen": 9_000_03, "approved": False},
    ),
)
"""Lives that a year of usual ones does not have: each kind with the grade of its warning and what else is decided."""
_COURSE_DAYS: Final = 8
"""The longest of them needs this many days."""


def rare(scale: float, seed: int, days: int, first_number: int) -> list[Person]:
    """The rare lives of the year, numbered from `first_number`; at least one of each kind."""
    chance = random.Random(seed + 1)
    each = max(1, round(RARE * scale))

    def people() -> Iterator[tuple[Story, Grade, int, dict[str, object]]]:
        for nth in range(each):
            day = nth * max(1, days - _COURSE_DAYS) // each
            for story, grade, decided in RARE_LIVES:
                yield story, grade, day, decided
        yield Story.UNDER_WAY, Grade.LOW, days - 1, {}
        yield Story.LATECOMER, Grade.LOW, days, {}

    types = list(TYPES)
    return [
        Person(first_number + n, story, grade, chance.choice(types), day, **decided)  # type: ignore[arg-type]  # fields
        for n, (story, grade, day, decided) in enumerate(people())
    ]
