"""What somebody does in practice: takes a case of their course, speaks with its person, and sees the score."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases, take_next_ids
from dialer.core.access import Permission, Role
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import AssignmentRequested
from dialer.core.text import Text, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.values import Grade, Tag, Track
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.duty.presence import follow_work
from dialer.intake.phones import id_check_character
from dialer.intake.records import Accepted, Field, Rejected
from dialer.practice.model import (
    MOST_LINES,
    Course,
    Line,
    PersonKind,
    PracticeCase,
    case_of,
    course,
    kinds_of,
)
from dialer.practice.scoring import Score, score
from dialer.practice.store import (
    Attempt,
    add_attempt,
    add_line,
    attempt_by_id,
    attempt_of_task,
    attempts_in_units,
    attempts_of,
    choices_of,
    choose,
    has_visit_in_hand,
    lock_attempt_of_task,
    put_off_robot,
)
from dialer.runtime.services import Services
from dialer.staff.store import Member, all_members, member_of
from dialer.staff.token_store import ApiToken
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from dialer.warnings.deliveries import NAMES, read_warnings
from dialer.work.assignments import (
    Assignment,
    assignment_claimed_by,
    assignments_of_case,
    get_assignment,
    hand_assignment_to,
    has_arrived,
    lock_claims_of,
    lock_signed_assignment,
    note_work,
    sign_assignment_for,
)
from dialer.work.tasks import lease_of_claim

SOURCE: Final = "practice"
"""The source of the warnings of practice."""
_COURSES: Final = {Role.OFFICER: Course.VISITS}
"""What these roles practise; all others practise calls."""
_WORK: Final = {Course.CALLS: Permission.WORK_DESK, Course.VISITS: Permission.WORK_VISITS}
_TRACKS: Final = {Course.CALLS: Track.HUMAN, Course.VISITS: Track.VISIT}
_GRADES: Final = {Course.CALLS: Grade.EXTRA_HIGH, Course.VISITS: Grade.HIGH}
"""The grades of the warnings; the service for practice starts the one work of each, and no other."""
_DAY: Final = timedelta(days=1)
_ROBOT_AFTER: Final = timedelta(days=30)
"""The robot's call comes no sooner: a report ends it, and while it runs the desk cannot dial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """An attempt with its case, and its score once it was reported."""

    attempt: Attempt
    case: PracticeCase
    score: Score | None

    @property
    def is_passed(self) -> bool:
        """Whether it counts towards the course."""
        return self.score is not None and self.score.is_passed


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """One case of the course for one person."""

    case: PracticeCase
    attempts: tuple[Scored, ...]
    """Oldest first."""

    @property
    def best(self) -> Scored | None:
        """A passed attempt before any other, then the one with the most points; None before the first report."""
        scored = [(one.is_passed, one.score.percent, one) for one in self.attempts if one.score is not None]
        return max(scored, key=lambda entry: entry[:2])[2] if scored else None

    @property
    def passed_at(self) -> datetime | None:
        """When the case was passed first; None if it was not."""
        return next((one.attempt.reported_at for one in self.attempts if one.is_passed), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseOf:
    """The course of one person."""

    member: Member
    lines: tuple[CourseLine, ...]
    chosen: Mapping[PersonKind, datetime]
    """When the trainer chose which kinds of people."""

    @property
    def course(self) -> Course:
        """What this person practises."""
        return course_for(self.member)

    @property
    def due(self) -> tuple[PersonKind, ...]:
        """The chosen kinds of which no case was passed in an attempt that was begun since."""
        kinds = kinds_of(self.course)
        return tuple(kind for kind in kinds if kind in self.chosen and not self._is_done(kind))

    def _is_done(self, kind: PersonKind) -> bool:
        return any(
            one.is_passed and one.attempt.begun_at >= self.chosen[kind]
            for line in self.lines
            for one in line.attempts
            if line.case.kind is kind
        )

    @property
    def passed(self) -> int:
        """How many cases are passed."""
        return sum(line.passed_at is not None for line in self.lines)

    @property
    def attempts(self) -> int:
        """How many attempts were reported."""
        return sum(one.score is not None for line in self.lines for one in line.attempts)

    @property
    def completed_at(self) -> datetime | None:
        """When the last of the cases was passed; None while one is missing."""
        times = [line.passed_at for line in self.lines]
        known = [at for at in times if at is not None]
        return max(known) if len(known) == len(times) else None

    @property
    def last_at(self) -> datetime | None:
        """When the newest attempt was begun; None without one."""
        return max((one.attempt.begun_at for line in self.lines for one in line.attempts), default=None)

    @property
    def percent(self) -> int:
        """The mean of the best scores of the cases, rounded down; a case without one counts as 0."""
        best = [line.best for line in self.lines]
        return sum(one.score.percent for one in best if one and one.score) // len(self.lines)


class NoPractice(Conflict):
    """The service is the real one, or a demo."""

    def __init__(self) -> None:
        super().__init__(gettext_noop("practice has a service of its own: dialer practice"))


class TaskInHand(Conflict):
    """The person has a task in hand."""

    def __init__(self) -> None:
        super().__init__(gettext_noop("you have a case in hand: report on it or release it first"))


def course_for(member: Member) -> Course:
    """What somebody of this role practises."""
    return _COURSES.get(member.role, Course.CALLS)


def take_case(services: Services, member: Member, key: str) -> Assignment:
    """Has the person of this case be warned about and called or visited: a new case, whose call or visit the member has
    in hand afterwards. Raises `NoPractice`, `NotFound` for a case that the member's course does not have, and
    `TaskInHand`.
    """
    case, of = case_of(key), course_for(member)
    if not services.practice:
        raise NoPractice
    if case is None or case.course is not of:
        raise NotFound(kind="practice case", key=key)
    with services.act(member.actor, _WORK[of]) as act:
        tx, by = act.tx, act.by
        lock_claims_of(tx, by)
        called = assignment_claimed_by(tx, by, real_now=services.real.now()) is not None
        if called or has_visit_in_hand(tx, by=by):
            raise TaskInHand
        [attempt_id] = take_next_ids(tx, t.practice_attempt, 1)
        accepted = _warning(services, tx, case, attempt_id, unit_id=member.unit_id, now=act.now)
        batch = prepare_arrivals(tx, services, [accepted], load_id=None, now=act.now)
        (case_id,) = take_arrivals(tx, services, batch).case_ids
        assert case_id is not None  # no two attempts have the same number
        put_off_robot(tx, case_id, until=act.now + _ROBOT_AFTER)
        held = _hand_over(services, act, case_id, of)
        follow_work(tx, services, by)
        add_attempt(
            tx,
            attempt_id,
            staff_id=member.id,
            practice_case=case.key,
            case_id=case_id,
            assignment_id=held.id,
            now=act.now,
        )
    return held


def _hand_over(services: Services, act: OpenAct, case_id: int, of: Course) -> Assignment:
    """The call or visit of the new case, which is in hand afterwards."""
    tx, by, track = act.tx, act.by, _TRACKS[of]
    if track is Track.VISIT:
        moves = [Move(case_id=case_id, event=AssignmentRequested(track=track))]
        move_cases(tx, lock_cases(tx, [case_id]), moves, policies=services.policies, now=act.now)
    [waiting] = [one for one in assignments_of_case(tx, case_id) if one.kind is track]
    if track is Track.VISIT:
        sign_assignment_for(tx, waiting.id, by=by, now=act.now)
    else:
        hand_assignment_to(tx, waiting.id, by=by, now=act.now, **lease_of_claim(services))
    held = get_assignment(tx, waiting.id)
    note_work(act, held, ActKind.CLAIMED, facts={"track": track.value})
    return held


def _warning(
    services: Services, tx: Tx, case: PracticeCase, attempt_id: int, *, unit_id: int | None, now: datetime
) -> Accepted:
    """The warning about an invented person, with a number and a telephone of this attempt alone."""
    units = services.units.current(tx)
    head = (
        f"150802{1945 + attempt_id // 12_000 % 60}{1 + attempt_id // 1000 % 12:02d}01{attempt_id % 1000:03d}"
    )
    cells = {
        Field.SOURCE: SOURCE,
        Field.INSTRUCTION_NO: f"practice-{attempt_id}",
        Field.NAME: case.name,
        Field.PHONE: f"1990{attempt_id % 10_000_000:07d}",
        Field.ID_NUMBER: head + id_check_character(head),
        Field.FRAUD_TYPE: case.fraud_type.value,
        Field.GRADE: _GRADES[case.course].value,
        Field.AMOUNT_AT_RISK: str(case.at_risk_yuan),
        Field.PRODUCED_AT: now.isoformat(),
        Field.TAGS: Tag.ELDERLY.value if case.kind is PersonKind.ELDERLY else "",
        Field.UNIT: "" if unit_id is None else units.label(unit_id),
    }
    token = ApiToken(
        id=0,
        name=SOURCE,
        scopes=frozenset(),
        unit="",
        unit_id=None,
        sources=(),
        created_at=now,
        expires_at=now + _DAY,
        revoked_at=None,
        last_used_on=None,
    )
    read = read_warnings(services, [cells], token=token, internal=True).read[0]
    if isinstance(read, Rejected):
        raise Invalid(field=NAMES[read.field], problem=read.reason)
    return read


def say_line(services: Services, member: Member, assignment_id: int, line: Line) -> None:
    """Notes that the member, who has the task in hand, says this to the person. Raises `NotFound`, `Overtaken`, and
    `Conflict` at the end of the longest call and before the arrival at a visit.
    """
    with services.act(member.actor, Permission.WORK_DESK, Permission.WORK_VISITS) as act:
        attempt = lock_attempt_of_task(act.tx, assignment_id, staff_id=member.id)
        held = lock_signed_assignment(act.tx, assignment_id, by=act.by)
        if held.kind is Track.VISIT and not has_arrived(act.tx, held, by=act.by):
            raise Conflict(gettext_noop("nobody is at the door yet: press Arrived first"))
        if len(attempt.said) >= MOST_LINES:
            raise Conflict(Text("the person hangs up after %(most)s sentences: report", most=MOST_LINES))
        add_line(act.tx, attempt.id, line, now=services.real.now())
        act.needs_no_record()


def read_talk(services: Services, member: Member, assignment_id: int) -> Scored | None:
    """This member's attempt at the task; None for any other task."""
    with services.store.begin() as tx:
        attempt = attempt_of_task(tx, assignment_id, staff_id=member.id)
    return _scored([attempt])[0] if attempt is not None else None


def is_answered(services: Services, member: Member, assignment_id: int) -> bool:
    """Whether somebody answers: at a visit from the member's arrival on. Raises `NotFound`."""
    with services.store.begin() as tx:
        held = get_assignment(tx, assignment_id)
        return held.kind is not Track.VISIT or has_arrived(tx, held, by=member.login)


def read_attempt(services: Services, attempt_id: int, *, reader: Member) -> tuple[Member, Scored]:
    """One's own attempt, or, for those who manage duty, one of somebody of their units. Raises `NotFound`."""
    with services.store.begin() as tx:
        attempt = attempt_by_id(tx, attempt_id, visible_to=reader.unit_id)
        member = _seen(tx, attempt.staff_id, reader)
        found = _scored([attempt])
    if member is None or not found:
        raise NotFound(kind="practice attempt", key=attempt_id)
    return member, found[0]


def read_course(services: Services, staff_id: int, *, reader: Member) -> CourseOf:
    """One's own course, or, for those who manage duty, that of somebody of their units. Raises `NotFound`."""
    with services.store.begin() as tx:
        member = _seen(tx, staff_id, reader)
        if member is None:
            raise NotFound(kind="account", key=staff_id)
        return _course_of(member, attempts_of(tx, staff_id), choices_of(tx, [staff_id]))


def read_courses(services: Services, *, visible_to: int | None) -> list[CourseOf]:
    """The courses of all callers and officers of these units, and of others who have practised: the most
    passed cases first.
    """
    with services.store.begin() as tx:
        attempts = attempts_in_units(tx, visible_to=visible_to)
        members = all_members(tx, visible_to=visible_to)
        choices = choices_of(tx, [member.id for member in members])
    by_person: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        by_person.setdefault(attempt.staff_id, []).append(attempt)
    found = [
        _course_of(member, by_person.get(member.id, []), choices)
        for member in members
        if member.id in by_person or (member.disabled_at is None and _practises(member))
    ]
    return sorted(found, key=lambda one: (-one.passed, -one.percent, one.member.display_name))


def choose_kinds(services: Services, trainer: Member, staff_id: int, kinds: Collection[PersonKind]) -> None:
    """Has this person practise with people of these kinds, and of no others that are due. A kind that is due already
    stays as it was chosen. Raises `NoPractice`, and `NotFound`, also for an account of other units.
    """
    if not services.practice:
        raise NoPractice
    with services.act(trainer.actor, Permission.MANAGE_DUTY) as act:
        member = _seen(act.tx, staff_id, trainer)
        if member is None:
            raise NotFound(kind="account", key=staff_id)
        due = _course_of(member, attempts_of(act.tx, staff_id), choices_of(act.tx, [staff_id])).due
        known = kinds_of(course_for(member))
        changes = {kind: kind in kinds for kind in known if (kind in kinds) != (kind in due)}
        if not changes:
            act.needs_no_record()
            return
        choose(act.tx, staff_id, changes, by=act.by, now=act.now)
        facts = {"kinds": [kind.value for kind in known if kind in kinds]}
        act.audit("practice_choose", f"staff/{staff_id}", facts=facts)


def _practises(member: Member) -> bool:
    return member.actor.may(Permission.PRACTISE) and not member.actor.may(Permission.MANAGE_DUTY)


def _seen(tx: Tx, staff_id: int, reader: Member) -> Member | None:
    if staff_id == reader.id:
        return reader
    if not reader.actor.may(Permission.MANAGE_DUTY):
        return None
    visible = {member.id for member in all_members(tx, visible_to=reader.unit_id)}
    return member_of(tx, staff_id) if staff_id in visible else None


def _scored(attempts: Sequence[Attempt]) -> list[Scored]:
    """Those of them whose case the course still has."""
    made = []
    for attempt in attempts:
        case = case_of(attempt.practice_case)
        if case is not None:
            points = score(case, attempt.recorded) if attempt.recorded is not None else None
            made.append(Scored(attempt=attempt, case=case, score=points))
    return made


def _course_of(
    member: Member, attempts: Sequence[Attempt], choices: Mapping[int, Mapping[PersonKind, datetime]]
) -> CourseOf:
    cases = course(course_for(member))
    by_case: Mapping[str, list[Scored]] = {case.key: [] for case in cases}
    for one in _scored(attempts):
        if one.case.key in by_case:  # an account may have had another role
            by_case[one.case.key].append(one)
    lines = [CourseLine(case=case, attempts=tuple(by_case[case.key])) for case in cases]
    return CourseOf(member=member, lines=tuple(lines), chosen=choices.get(member.id, {}))
