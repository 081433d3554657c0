"""The days of the made-up year: everything that is planned is done through the real actions, and noted in each life."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bench.people import name as name_of
from bench.year_clock import Clock, Meter, Used
from bench.year_people import REPORTS, TYPES, Person, Story
from bench.year_truth import ZONE, Call, Life
from bench.year_truth import Amount as Line
from dialer.approvals.actions import read_evidence
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
from dialer.calls.pacing import lock_line_group
from dialer.calls.reconcile import sweep_cases
from dialer.calls.store import SentCall, record_first_calls
from dialer.case_page.acts import SeenCase, ask_person, close_case, mark_duplicate, revision_of, transfer_case
from dialer.cases.persons import person_of_case
from dialer.cases.store import get_case
from dialer.core.access import Actor, Permission, unrestricted
from dialer.core.case import StopResult, VisitStage
from dialer.core.values import (
    Amounts,
    Evidence,
    EvidenceKind,
    FiledState,
    FraudType,
    Grade,
    OutcomeKind,
    TelephonyResult,
    Track,
)
from dialer.db import tables as t
from dialer.figures.report import refresh_figures
from dialer.outcomes.filed_lists import load_filed, undo_filing
from dialer.retention.erasure import ask_erasure, confirm_erasure
from dialer.runtime.services import Services
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Turn
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.warnings.lists import load_list, submit_list, withdraw_load
from dialer.work.assignments import Assignment, Scope, waiting_assignments
from dialer.work.desk import complete_stop_payment
from dialer.work.desk_store import add_desk_call, change_desk_call
from dialer.work.inbound import end_inbound_call, next_inbound_turn
from dialer.work.tasks import WorkReport, approve_outcome, claim_next, report_assignment
from dialer.work.transfer_store import waiting_transfers
from dialer.work.transfers import accept_transfer
from dialer.work.visits import PhoneAct, report_visit, take_step

DAY: Final = timedelta(days=1)
CALLERS: Final = tuple(f"caller{n:02}" for n in range(24))
_HANDS = 4
"""Threads in which the callers work."""
_AT_ONCE = 1000
_HEADING = "指令编号,来源,预警类型,诈骗类型,预警等级,姓名,手机号码,拟转金额（元）,失效时间,属地\n"
_GRADES = {Grade.LOW: "低危", Grade.MEDIUM: "中危", Grade.HIGH: "高危"}
_FILED_HEADING = "案件编号,姓名,手机号,损失金额,立案时间,发案时间,案件类别\n"
_SORTS = Actor(name="sorts", rights=frozenset({Permission.SORT_UNITS}))
"""Accepts work for a unit, and does none of it."""


class Year:
    """Carries the plan out, and writes into the lives what it does."""

    def __init__(
        self, services: Services, clock: Clock, days: int, end: datetime, *, meter: Meter, folder: Path
    ) -> None:
        self.services, self.clock, self.meter = services, clock, meter
        self.days = days
        self.folder = folder
        self.end = end
        self.first = (end - days * DAY).astimezone(ZONE).date()
        self.people: dict[str, Person] = {}
        self.filed: Counter[FiledState] = Counter()
        self.took: dict[str, Used] = {}
        self._of_case: dict[int, tuple[Person, Life]] = {}
        self._hands = ThreadPoolExecutor(_HANDS)
        self._noting = threading.Lock()

    @property
    def lives(self) -> Iterator[Life]:
        for person in self.people.values():
            yield from person.lives

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        local = datetime.combine(self.first + day * DAY, datetime.min.time(), ZONE)
        wanted = local + timedelta(hours=hour, minutes=minute)
        self.clock.at = max(self.clock.at + timedelta(seconds=1), wanted.astimezone(self.clock.at.tzinfo))

    def run(self, people: Sequence[Person], strangers: int) -> None:
        """All days, one after the other; at the end of the last one somebody still comes."""
        by_day: dict[int, list[Person]] = defaultdict(list)
        later: dict[tuple[str, int], list[Person]] = defaultdict(list)
        for person in people:
            by_day[person.day].append(person)
            self.people[f"+86{person.phone}"] = person
            if person.filed_after is not None:
                filed = person.day + person.filed_after
                later["filed", filed].append(person)
                if person.undone_after is not None:
                    later["undone", filed + person.undone_after].append(person)
            if person.erased_after is not None:
                later["erased", person.day + person.erased_after].append(person)
        for day in range(self.days):
            today = by_day[day]
            self._timed("sweep", partial(self._sweep, day))
            self._timed("load", partial(self._load, day, today))
            self._timed("acts", partial(self._before_calls, day, today))
            self._timed("robot", partial(self._dial, day, 10))
            self._timed("robot", partial(self._dial, day, 12))
            self._timed("acts", partial(self._before_callers, day, today))
            self._timed("human", partial(self._callers, day))
            self._timed("acts", partial(self._before_officers, day, today))
            self._timed("visits", partial(self._officers, day))
            new = strangers * (day + 1) // self.days - strangers * day // self.days
            self._timed("filed", partial(self._file, day, later["filed", day], new))
            self._timed("acts", partial(self._undo, later["undone", day]))
            self._timed("acts", partial(self._erase, later["erased", day]))
            self._timed("rollup", partial(refresh_figures, self.services))
        self._latecomers(by_day[self.days])

    def _timed(self, what: str, work: Callable[[], object]) -> None:
        before = self.meter.read()
        work()
        self.took[what] = self.took.get(what, Used()) + (self.meter.read() - before)

    def _sweep(self, day: int) -> None:
        """At a time at which follow-ups begin."""
        self.at(day, 9, 2)
        while sweep_cases(self.services):
            pass

    def _load(self, day: int, people: Sequence[Person]) -> None:
        """One list of the day; one of those that are withdrawn; one that names some again with a higher grade."""
        self.at(day, 9, 5)
        withdrawn = [one for one in people if one.story is Story.WITHDRAWN]
        raised = [one for one in people if one.story is Story.RAISED]
        usual = [one for one in people if one.story is not Story.WITHDRAWN]
        self._load_list(f"{day}", usual)
        withdrawn_id = self._load_list(f"{day}-withdrawn", withdrawn)
        lines = [self._line(one, "r", Grade.MEDIUM, one.fraud_type) for one in raised]
        self._submit(f"{day}-raised", lines)
        for person in raised:
            (life,) = person.lives
            life.warnings, life.grade = life.warnings + 1, Grade.MEDIUM
        self.at(day, 9, 30)
        if withdrawn_id is not None:
            assert withdraw_load(self.services, unrestricted("bench"), withdrawn_id, why="发错了") == len(
                withdrawn
            )
            for person in withdrawn:
                person.lives[0].end(OutcomeKind.WITHDRAWN, self.clock.at)

    def _load_list(self, name: str, people: Sequence[Person]) -> int | None:
        """Opens their cases."""
        lines = []
        for person in people:
            rows = 1 + person.again
            lines += [self._line(person, str(n), person.grade, person.fraud_type) for n in range(rows)]
            person.lives.append(self._life(person, person.fraud_type, rows))
            if person.story in {Story.NAMED_TWICE, Story.DUPLICATE_LATER}:
                lines.append(self._line(person, "t", person.grade, person.other_type))
                person.lives.append(self._life(person, person.other_type, 1))
        return self._submit(name, lines)

    def _life(self, person: Person, fraud_type: FraudType, warnings: int) -> Life:
        now = self.clock.at
        life = Life(
            first_grade=person.grade,
            grade=person.grade,
            fraud_type=fraud_type,
            source=person.source,
            unit=person.district,
            opened_at=now,
            warnings=warnings,
        )
        if person.story is Story.TOO_LATE:
            # The robot of an expired warning never starts.
            life.missed = True
            life.ask(Track.HUMAN, now)
        return life

    def _line(self, person: Person, row: str, grade: Grade, fraud_type: FraudType) -> str:
        expired = (self.clock.at - timedelta(hours=1)).astimezone(ZONE)
        expiry = f"{expired:%Y-%m-%d %H:%M:%S}" if person.story is Story.TOO_LATE else ""
        return (
            f"Y{person.number}-{row},{person.source},通联,{TYPES[fraud_type]},{_GRADES[grade]},"
            f"{name_of(person.number)},{person.phone},{person.number % 500 * 100 + 100},{expiry},{person.station}\n"
        )

    def _submit(self, name: str, lines: Sequence[str]) -> int | None:
        if not lines:
            return None
        content = BytesIO("".join((_HEADING, *lines)).encode())
        by = unrestricted("bench")
        load_id = submit_list(self.services, by, content, filename=f"{name}.csv", source="year")
        assert load_list(self.services, load_id)
        return load_id

    def _case_id(self, person: Person, row: str = "0") -> int:
        """The case that this row of a list opened."""
        number = t.warning.c.instruction_no == f"Y{person.number}-{row}"
        with self.services.store.begin() as tx:
            return int(tx.scalar(sa.select(t.warning.c.case_id).where(number)))

    def _seen(self, case_id: int) -> SeenCase:
        revision = revision_of(self.services, case_id)
        return SeenCase(
            services=self.services, actor=unrestricted("bench"), case_id=case_id, revision=revision
        )

    def _move(self, person: Person) -> None:
        with self.services.store.begin() as tx:
            to = tx.scalar(sa.select(t.unit.c.id).where(t.unit.c.name == person.next_district))
        transfer_case(self._seen(self._case_id(person)), to_unit_id=to, why="住在那里")

    def _mark_duplicate(self, person: Person) -> None:
        mark_duplicate(self._seen(self._case_id(person, "t")), of=self._case_id(person))
        person.lives[1].end(OutcomeKind.DUPLICATE, self.clock.at)

    def _before_calls(self, day: int, people: Sequence[Person]) -> None:
        self.at(day, 9, 40)
        for person in people:
            if person.story is Story.NAMED_TWICE:
                self._mark_duplicate(person)
            elif person.story is Story.MOVED:
                self._move(person)
                person.lives[0].unit = person.next_district

    def _before_callers(self, day: int, people: Sequence[Person]) -> None:
        self.at(day, 12, 50)
        for person in people:
            self.clock.pass_seconds(1)
            if person.story is Story.DUPLICATE_LATER:
                self._mark_duplicate(person)
            elif person.story is Story.MOVED_WITH_WORK:
                self._move(person)
                with self.services.store.begin() as tx:
                    asked = [
                        waiting_transfer.id for waiting_transfer in waiting_transfers(tx, kind=Track.HUMAN)
                    ]
                for transfer_id in asked:
                    accept_transfer(self.services, _SORTS, transfer_id)
                person.lives[0].unit = person.next_district
            elif person.story is Story.CALLS_BACK:
                sid = f"CA{uuid.uuid4().hex}"
                next_inbound_turn(self.services, sid, caller=f"+86{person.phone}", duty_line="")
                end_inbound_call(self.services, sid)
                person.lives[0].called_back = True

    def _before_officers(self, day: int, people: Sequence[Person]) -> None:
        self.at(day, 17)
        for person in people:
            if person.story is Story.NO_VISIT:
                close_case(self._seen(self._case_id(person)), OutcomeKind.CANNOT_FIND, why="搬走了")
                person.lives[0].end(OutcomeKind.CANNOT_FIND, self.clock.at)

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
        sent_at = self.clock.now()
        answered: list[tuple[ClaimedAttempt, dict[str, str]]] = []
        ends: list[tuple[ClaimedAttempt, TelephonyResult]] = []
        calls: dict[uuid.UUID, Call] = {}
        for one in claimed:
            person, life = self._whose(one.case_id)
            brought = person.brings(life, len(life.calls))
            call = calls[one.attempt_id] = Call(sent_at=sent_at, follow_up=life.success is not None)
            life.calls.append(call)
            if isinstance(brought, dict):
                answered.append((one, brought))
            elif brought is not None:
                ends.append((one, brought))
        self.clock.pass_seconds(20)
        for one, result in ends:
            if result is TelephonyResult.CANCELED:
                close_case(self._seen(one.case_id), OutcomeKind.CANNOT_FIND, why="不用打了")
                self._whose(one.case_id)[1].end(OutcomeKind.CANNOT_FIND, self.clock.at)
        self._apply([_ended(one, result) for one, result in ends])
        for one, result in ends:
            self._note_end(one.case_id, calls[one.attempt_id], result)
        if answered:
            self._converse(answered)
            for one, keys in answered:
                self._note_answer(one.case_id, calls[one.attempt_id], keys)

    def _note_end(self, case_id: int, call: Call, result: TelephonyResult) -> None:
        call.result = result
        life = self._whose(case_id)[1]
        if result in {TelephonyResult.MACHINE, TelephonyResult.UNKNOWN} and life.ending is None:
            life.ask(Track.HUMAN, self.clock.at)

    def _note_answer(self, case_id: int, call: Call, keys: dict[str, str]) -> None:
        life, now = self._whose(case_id)[1], self.clock.at
        call.result = TelephonyResult.ANSWERED
        if keys.get("identity") == "2":
            call.contact = "somebody"
            life.end(OutcomeKind.MISMATCH, now)
            return
        call.contact = "the person"
        if not call.follow_up:
            life.succeed(OutcomeKind.DISSUADED_BY_PHONE, now)
        elif keys.get("scene") == "1":
            # In contact with the fraudster again.
            call.undoes = True
            life.undo_success()
            life.ask(Track.HUMAN, now)

    def _converse(self, answered: Sequence[tuple[ClaimedAttempt, dict[str, str]]]) -> None:
        self._apply(
            [
                CallNews(
                    attempt_id=one.attempt_id,
                    step="status.answered",
                    progress=CallProgress(stage=Stage.ANSWERED, sid=_sid(one)),
                )
                for one, _ in answered
            ]
        )
        turns: dict[uuid.UUID, Turn | None] = dict.fromkeys(one.attempt_id for one, _ in answered)
        speaking, number, talked = list(answered), 0, 20.0
        while speaking:
            steps: list[CallEvent] = [
                TurnRequest(
                    attempt_id=one.attempt_id,
                    step=number,
                    sid=_sid(one),
                    position=turn.position if (turn := turns[one.attempt_id]) else None,
                    heard=_key(turns[one.attempt_id], keys),
                )
                for one, keys in speaking
            ]
            for (one, _), turn in zip(speaking, self._apply(steps), strict=True):
                assert isinstance(turn, Turn)
                turns[one.attempt_id] = turn
            speaking = [
                (one, keys)
                for one, keys in speaking
                if (turn := turns[one.attempt_id]) is not None and turn.end is None
            ]
            self.clock.pass_seconds(90)
            number, talked = number + 1, talked + 90
        self._apply([_ended(one, TelephonyResult.ANSWERED, int(talked)) for one, _ in answered])

    def _apply(self, events: Sequence[CallEvent]) -> list[Reply]:
        replies: list[Reply] = []
        for first in range(0, len(events), 500):
            replies += apply_call_events(self.services, events[first : first + 500])
        return replies

    def _callers(self, day: int) -> None:
        """All of them at the same time, as their browsers ask in different processes."""
        self.at(day, 13, 30)
        shares = [CALLERS[first::_HANDS] for first in range(_HANDS)]
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
        person, life = self._whose(task.case_id)
        now = self.clock.now()
        # Of a follow-up nothing is asked before: the day's sweep opens it.
        work = life.waiting(Track.HUMAN) or life.ask(Track.HUMAN, now, follow_up=True)
        work.signed_at = now
        self.clock.pass_seconds(1)
        self._desk_call(task, caller)
        given, fen = REPORTS[person.story], person.amounts_fen
        amounts = Amounts(**{f"{kind}_fen": sum_fen for kind, sum_fen in fen.items()})
        receipt = Evidence(
            kind=EvidenceKind.BANK_RECEIPT, reference="银行回单 B1", shows_fen=max(1, amounts.largest_fen)
        )
        outcome_id = report_assignment(
            self.services,
            unrestricted(caller),
            task.id,
            WorkReport(outcome=given, amounts=amounts, evidence=receipt if fen else None),
            token=task.token,
        )
        work.done_at, work.outcome, work.by = self.clock.now(), given, caller
        if not work.follow_up:
            self._after_report(life, given)
        if given is OutcomeKind.ALREADY_DEFRAUDED:
            self._end_stop_payment(task.case_id, caller)
        if fen:
            if person.approved:
                # An amount above what was at risk is approved by nobody who has not read its evidence.
                read_evidence(self.services, unrestricted("zhao"), [outcome_id])
                approve_outcome(self.services, unrestricted("zhao"), outcome_id)
            life.amounts.append(Line(fen=fen, approved=person.approved, of_success=life.success is not None))

    def _end_stop_payment(self, case_id: int, caller: str) -> None:
        """The bank is too late; nobody with work that waits could be erased."""
        c = t.stop_payment.c
        with self.services.store.begin() as tx:
            stop_payment_id = tx.scalar(sa.select(c.id).where(c.case_id == case_id, c.done_at.is_(None)))
        if stop_payment_id is not None:
            complete_stop_payment(
                self.services, unrestricted(caller), stop_payment_id, result=StopResult.TOO_LATE
            )

    def _after_report(self, life: Life, given: OutcomeKind) -> None:
        now = self.clock.now()
        if given is OutcomeKind.CANNOT_FIND_YET:
            life.ask(Track.VISIT, now)
        elif given in {OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.SAW_THROUGH_IT}:
            life.succeed(given, now)
        else:
            life.end(given, now)

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

    def _whose(self, case_id: int) -> tuple[Person, Life]:
        """Whose case this is: the phone names the person, the type which of two cases."""
        known = self._of_case.get(case_id)
        if known is None:
            with self.services.store.begin() as tx:
                found, stored = person_of_case(tx, case_id), get_case(tx, case_id)
            assert found is not None
            assert stored is not None
            person = self.people[found.phones[0]]
            (life,) = (live for live in person.lives if live.fraud_type is stored.case.fraud_type)
            known = person, life
            with self._noting:
                self._of_case[case_id] = known
        return known

    def _officers(self, day: int) -> None:
        self.at(day, 18)
        with self.services.store.begin() as tx:
            waiting = waiting_assignments(tx, kind=Track.VISIT, limit=10_000)
        for visit in waiting:
            person, life = self._whose(visit.case_id)
            work = life.waiting(Track.VISIT)
            assert work is not None
            self.clock.pass_seconds(1)
            work.signed_at = self.clock.now()
            phone = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("wang"))
            take_step(self.services, visit.id, VisitStage.ARRIVED, phone=phone)
            success = person.story is Story.OFFICER
            outcome = OutcomeKind.DISSUADED_IN_PERSON if success else OutcomeKind.REFUSES
            phone = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("wang"))
            report_visit(self.services, visit.id, WorkReport(outcome=outcome), phone=phone)
            work.done_at, work.outcome, work.by = self.clock.now(), outcome, phone.actor.name
            if success:
                life.succeed(outcome, self.clock.now())
            else:
                life.end(outcome, self.clock.now())

    def _file(self, day: int, people: Sequence[Person], strangers: int) -> None:
        self.at(day, 20)
        if not people and not strangers:
            return
        moment = self.clock.at - timedelta(hours=1)
        lines = [_FILED_HEADING, *(self._filed_line(person, moment) for person in people)]
        at = _local(moment)
        lines.extend(
            f"S{day}-{n},欧阳某{day},139{day:04d}{n:04d},30000,{at},{at},虚假贷款\n" for n in range(strangers)
        )
        content, by = BytesIO("".join(lines).encode()), unrestricted("bench")
        done = load_filed(self.services, by, content, source=f"{day}")
        assert (done.new, done.rejected) == (len(people) + strangers, 0), done
        self.filed[FiledState.NOT_WARNED] += strangers
        for person in people:
            self.filed[person.filed_as] += 1
            # A loss of another type, one before the warning and one of somebody doubtful say nothing about the case.
            person.lives[0].filed = person.filed_as is FiledState.WARNED

    def _filed_line(self, person: Person, moment: datetime) -> str:
        event, name, fraud_type = moment, name_of(person.number), person.fraud_type
        if person.filed_as is FiledState.WARNED_LATE:
            event = person.lives[0].opened_at - timedelta(hours=6)
        elif person.filed_as is FiledState.WARNED_OTHERWISE:
            fraud_type = person.other_type
        elif person.filed_as is FiledState.DOUBTFUL:
            name = "欧阳某某"
        return (
            f"A{person.number},{name},{person.phone},50000,{_local(moment)},{_local(event)},"
            f"{TYPES[fraud_type]}\n"
        )

    def _undo(self, people: Sequence[Person]) -> None:
        """The filed case was somebody else's."""
        for person in people:
            self.clock.pass_seconds(1)
            case_id, by = self._case_id(person), unrestricted("qian")
            undo_filing(self.services, by, case_id, case_number=f"A{person.number}", why="不是本人")
            person.lives[0].filed = False
            self.filed[FiledState.WARNED] -= 1
            self.filed[FiledState.NOT_WARNED] += 1

    def _erase(self, people: Sequence[Person]) -> None:
        """Asked for by one person, confirmed by another. Figures stay."""
        for person in people:
            self.clock.pass_seconds(1)
            case_id = self._case_id(person)
            asked = ask_erasure(self.services, unrestricted("qian"), case_id, why="本人要求")
            register = self.folder / "erasures.jsonl"
            confirm_erasure(self.services, unrestricted("sun"), asked.id, register=register)

    def _latecomers(self, people: Sequence[Person]) -> None:
        """They come a minute before the year ends."""
        self.clock.at = max(self.clock.at, self.end - timedelta(seconds=60))
        self._load_list("last", people)
        for person in people:
            for track in (Track.HUMAN, Track.VISIT):
                ask_person(self._seen(self._case_id(person)), track)
                person.lives[0].ask(track, self.clock.at)

    def close(self) -> None:
        """The year is over: successes whose watch period has passed are proven."""
        self.clock.at = max(self.clock.at, self.end)
        while sweep_cases(self.services):
            pass
        refresh_figures(self.services)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def _key(turn: Turn | None, keys: dict[str, str]) -> Heard:
    if turn is None or turn.position is None:
        return Heard.silence()
    return Heard.keys(keys.get(turn.position.node, "1"))


def _sid(one: ClaimedAttempt) -> str:
    return f"CA{one.attempt_id.hex}"


def _ended(one: ClaimedAttempt, result: TelephonyResult, seconds: int | None = None) -> CallNews:
    progress = CallProgress(stage=Stage.ENDED, sid=_sid(one), result=result, duration_seconds=seconds)
    return CallNews(attempt_id=one.attempt_id, step="status.ended", progress=progress)
