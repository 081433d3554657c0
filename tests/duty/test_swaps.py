"""A swap is asked for and agreed, or decided by a supervisor, and never puts somebody on duty twice or during leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.core.errors import Conflict, NotFound, NotPermitted
from dialer.core.rota import DutyEntry, DutyKind, DutyLeave, LeaveReason
from dialer.core.second_person import RequestEvent, SamePerson
from dialer.db import tables as t
from dialer.duty.actions import on_duty, take_shift
from dialer.duty.leave import end_leave, enter_leave, gaps_of_leave, leave_to_come, seal_of
from dialer.duty.model import SwapOffer
from dialer.duty.store import staff_on_rosters
from dialer.duty.swaps import ask_swap, decide_swap, swaps_seen_by
from dialer.staff.store import Member
from tests.duty.conftest import Account
from tests.duty.test_rosters import STATION, load, names_on
from tests.work.bureau import Bureau

AGREED, REFUSED, WITHDRAWN = RequestEvent.APPROVED, RequestEvent.REFUSED, RequestEvent.WITHDRAWN


def shift(member: Member, day: int, mark: str = "白") -> DutyEntry:
    return DutyEntry(day=date(2026, 11, day), mark=mark, staff_id=member.id)


def ask(bureau: Bureau, by: Member, given: DutyEntry, to: Member, back: DutyEntry | None = None) -> bool:
    key = (bureau.unit[STATION], DutyKind.OFFICER)
    return ask_swap(bureau.services, by.actor, key, SwapOffer(given=given, to_id=to.id, back=back))


def waiting(bureau: Bureau) -> int:
    return bureau.rows(sa.select(t.duty_swap).where(t.duty_swap.c.state == "waiting"))[0]["id"]


def on_at(bureau: Bureau, day: int, hour: int) -> list[str]:
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    [found] = on_duty(bureau.services, visible_to=None, at=at)
    return [person.login for person in found.people]


def test_a_swap_counts_when_the_other_person_has_agreed(bureau: Bureau, account: Account):
    ann, ben, cid = account("ann"), account("ben"), account("cid")
    load(bureau, {"Ann": {26: "白"}, "Ben": {27: "白"}, "Cid": {26: "夜"}})
    assert not ask(bureau, ann, shift(ann, 26), ben, shift(ben, 27))
    with pytest.raises(Conflict, match="waits for an answer already"):
        ask(bureau, ann, shift(ann, 26), cid)
    assert (on_at(bureau, 26, 3), on_at(bureau, 27, 3)) == (["ann"], ["ben"])
    swap_id = waiting(bureau)
    for member, may in ((ann, (False, True)), (ben, (True, False))):
        [seen] = swaps_seen_by(bureau.services, member.actor, member.id)
        assert (seen.id, seen.giver, seen.taker, seen.may_answer, seen.may_withdraw) == (
            swap_id, "Ann", "Ben", *may,
        )  # fmt: skip
    assert swaps_seen_by(bureau.services, cid.actor, cid.id) == []
    for member, refusal in ((ann, NotPermitted), (cid, NotPermitted)):
        with pytest.raises(refusal):
            decide_swap(bureau.services, member.actor, swap_id, AGREED)
    for member in (ben, cid):
        with pytest.raises(NotPermitted):
            decide_swap(bureau.services, member.actor, swap_id, WITHDRAWN)
    decide_swap(bureau.services, ben.actor, swap_id, AGREED)
    assert (on_at(bureau, 26, 3), on_at(bureau, 27, 3)) == (["ben"], ["ann"])
    with pytest.raises(NotFound):
        decide_swap(bureau.services, ben.actor, swap_id, AGREED)
    assert bureau.audited() == ["load_roster", "swap_asked", "swap_agreed"]


def test_a_swap_holds_when_the_month_is_loaded_again(bureau: Bureau, account: Account):
    ann, ben = account("ann"), account("ben")
    chief = account("chief", role=Role.SUPERVISOR)
    load(bureau, {"Ann": {26: "白"}})
    assert ask(bureau, chief, shift(ann, 26), ben)
    load(bureau, {"Ann": {26: "白夜"}})
    assert (on_at(bureau, 26, 3), on_at(bureau, 26, 12)) == (["ben"], ["ann"])
    with bureau.tx() as tx:
        found = staff_on_rosters(
            tx, first=date(2026, 11, 26), last=date(2026, 11, 26), now=bureau.clock.now()
        )
    assert found == {ann.id, ben.id}


def test_a_swap_that_was_refused_withdrawn_or_late_changes_nothing(bureau: Bureau, account: Account):
    ann, ben = account("ann"), account("ben")
    load(bureau, {"Ann": {26: "白"}, "Ben": {27: "白"}})
    for member, event in ((ben, REFUSED), (ann, WITHDRAWN)):
        ask(bureau, ann, shift(ann, 26), ben)
        decide_swap(bureau.services, member.actor, waiting(bureau), event)
    with pytest.raises(NotPermitted):
        ask(bureau, ann, shift(ben, 27), ann)
    ask(bureau, ann, shift(ann, 26), ben, shift(ben, 27))
    swap_id = waiting(bureau)
    bureau.clock.set(datetime(2026, 11, 26, 0, 30, tzinfo=UTC))
    with pytest.raises(NotFound):
        decide_swap(bureau.services, ben.actor, swap_id, AGREED)
    assert swaps_seen_by(bureau.services, ben.actor, ben.id) == []
    assert names_on(bureau) == ["ann"]


def test_a_supervisor_does_not_agree_to_a_swap_that_they_asked_for(bureau: Bureau, account: Account):
    chief, ann = account("chief", role=Role.SUPERVISOR), account("ann")
    far = account("far", role=Role.SUPERVISOR, unit="五原分局")
    load(bureau, {"Chief": {26: "白"}, "Ann": {27: "白"}})
    assert not ask(bureau, chief, shift(chief, 26), ann)
    with pytest.raises(SamePerson):
        decide_swap(bureau.services, chief.actor, waiting(bureau), AGREED)
    with pytest.raises(NotFound):
        decide_swap(bureau.services, far.actor, waiting(bureau), AGREED)


def test_what_cannot_be_swapped_is_refused_with_the_reason(bureau: Bureau, account: Account):
    ann, ben, clerk = account("ann"), account("ben"), account("clerk", role=Role.CLERK)
    chief = account("chief", role=Role.SUPERVISOR)
    load(bureau, {"Ann": {25: "白", 26: "白", 28: "白"}, "Ben": {26: "值", 27: "白"}})
    away = DutyLeave(
        staff_id=ben.id,
        start=datetime(2026, 11, 28, 9, tzinfo=UTC),
        end=datetime(2026, 11, 28, 12, tzinfo=UTC),
    )
    enter_leave(bureau.services, chief.actor, away, reason=LeaveReason.SICK, seen=seal_of([]))
    for given, to, back, why in (
        (shift(ann, 27), ben, None, "no such shift"),
        (shift(ann, 26, "休"), ben, None, "no such shift"),
        (shift(ann, 26), ben, shift(ann, 28), "no such shift"),
        (shift(ann, 26), ann, None, "choose another person"),
        (shift(ann, 25), ben, None, "has begun"),
        (shift(ann, 26), clerk, None, "may not do this work"),
        (shift(ann, 26), ben, None, "another one at that time"),
        (shift(ben, 27), ann, shift(ann, 28), "on leave then"),
    ):
        with pytest.raises(Conflict, match=why):
            ask(bureau, chief, given, to, back)
    assert bureau.rows(sa.select(t.duty_swap)) == []


def test_an_agreement_is_refused_when_the_shift_is_gone(bureau: Bureau, account: Account):
    ann, ben = account("ann"), account("ben")
    load(bureau, {"Ann": {26: "白"}})
    ask(bureau, ann, shift(ann, 26), ben)
    load(bureau, {"Ann": {27: "白"}})
    with pytest.raises(Conflict, match="no such shift"):
        decide_swap(bureau.services, ben.actor, waiting(bureau), AGREED)


def test_leave_shows_its_gaps_before_it_is_stored_and_nobody_on_leave_is_on_duty(
    bureau: Bureau, account: Account
):
    ann, ben = account("ann"), account("ben")
    chief = account("chief", role=Role.SUPERVISOR)
    load(bureau, {"Ann": {25: "值", 26: "值"}, "Ben": {26: "夜"}})
    now = bureau.clock.now()
    leave = DutyLeave(staff_id=ann.id, start=now - timedelta(hours=1), end=now + timedelta(days=1))
    given = {"reason": LeaveReason.ANNUAL}
    gaps = enter_leave(bureau.services, chief.actor, leave, **given, seen="")
    assert gaps is not None
    assert [(gap.unit, gap.turn.start, gap.turn.end) for gap in gaps] == [(STATION, now, leave.end)]
    assert leave_to_come(bureau.services, visible_to=None) == []
    assert enter_leave(bureau.services, chief.actor, leave, **given, seen=seal_of(gaps)) is None
    assert names_on(bureau) == []
    with bureau.tx() as tx:
        assert gaps_of_leave(bureau.services, tx, leave) == []
    with pytest.raises(Conflict, match="on leave then already"):
        enter_leave(bureau.services, chief.actor, leave, **given, seen="")
    with pytest.raises(Conflict, match="you are on leave"):
        take_shift(bureau.services, ann.actor, unit_id=bureau.unit[STATION], kind=DutyKind.OFFICER)
    take_shift(bureau.services, ben.actor, unit_id=bureau.unit[STATION], kind=DutyKind.OFFICER)
    assert names_on(bureau) == ["ben"]


def test_leave_ends_early_or_is_taken_back_by_a_supervisor_who_sees_the_account(
    bureau: Bureau, account: Account
):
    ann = account("ann")
    chief = account("chief", role=Role.SUPERVISOR)
    far = account("far", role=Role.SUPERVISOR, unit="五原分局")
    load(bureau, {"Ann": "值"})
    now, day = bureau.clock.now(), timedelta(days=1)
    for start, end in ((now - day, now + day), (now + 2 * day, now + 3 * day)):
        leave = DutyLeave(staff_id=ann.id, start=start, end=end)
        with pytest.raises(NotFound):
            enter_leave(bureau.services, far.actor, leave, reason=LeaveReason.SICK, seen="")
        gaps = enter_leave(bureau.services, chief.actor, leave, reason=LeaveReason.SICK, seen="") or []
        enter_leave(bureau.services, chief.actor, leave, reason=LeaveReason.SICK, seen=seal_of(gaps))
    with pytest.raises(NotPermitted):
        enter_leave(bureau.services, ann.actor, leave, reason=LeaveReason.SICK, seen="")
    assert names_on(bureau) == []
    for stored in leave_to_come(bureau.services, visible_to=None):
        with pytest.raises(NotFound):
            end_leave(bureau.services, far.actor, stored.id)
        end_leave(bureau.services, chief.actor, stored.id)
    assert names_on(bureau) == ["ann"]
    [row] = bureau.rows(sa.select(t.duty_leave))
    assert row["ends_at"] == now


def test_the_end_of_one_leave_changes_no_other(bureau: Bureau, account: Account):
    people = [account("ann"), account("ben"), account("cid")]
    chief = account("chief", role=Role.SUPERVISOR)
    now, day = bureau.clock.now(), timedelta(days=1)
    starts = (now - day, now - day, now + day)
    for member, start in zip(people, starts, strict=True):
        leave = DutyLeave(staff_id=member.id, start=start, end=now + 2 * day)
        assert (
            enter_leave(bureau.services, chief.actor, leave, reason=LeaveReason.SICK, seen=seal_of([]))
            is None
        )
    first, *others = sorted(leave_to_come(bureau.services, visible_to=None), key=lambda one: one.staff_id)
    end_leave(bureau.services, chief.actor, first.id)
    assert leave_to_come(bureau.services, visible_to=None) == others
    with pytest.raises(NotFound):
        end_leave(bureau.services, chief.actor, first.id)
