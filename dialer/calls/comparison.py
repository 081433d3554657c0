"""The comparison after a restore or a failover: dialling is paused until the carrier's own list of calls since the
backup has been compared with the database, so that nobody is called again as if for the first time.

The conversation of such a call is lost: a call that somebody answered ends as unknown, and staff decide what comes
next; the same applies to inbound calls. An outbound call that was not answered counts as a try with the carrier's
result.

PostgreSQL begins a new timeline when a standby is promoted, or a server is restored to an earlier moment. What was
committed last may be missing then, and nothing in the database tells whether it is. So a claim that meets another
timeline pauses all dialling, and the comparison follows by itself as soon as no order of before can reach the carrier
any more. A call of our robot that is under way goes on: its attempt gets the call, and its webhooks find it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dialer.calls.apply import CallNews
from dialer.calls.comparison_store import (
    CalledAttempt,
    CarrierCall,
    FoundCalls,
    add_carrier_calls,
    are_carrier_calls_open,
    attempts_at_carrier,
    bind_called_attempts,
    called_attempts,
    found_calls,
    newest_post,
    newest_sid_before,
    settle_carrier_calls,
    unknown_sids,
)
from dialer.calls.events import apply_replies
from dialer.calls.pacing import LineGroup, lock_line_group, note_timeline, pause_line_group
from dialer.calls.pause_store import end_pause_early, place_pause, standing_pauses_at
from dialer.cases.persons import earlier_indexes
from dialer.cases.store import lock_cases
from dialer.core.access import SERVICE, Actor, Permission, required_text
from dialer.core.errors import Conflict
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.core.values import PauseScope, TelephonyResult
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm
from dialer.db.key_state import follow_plan
from dialer.db.system_state import (
    Restored,
    awaited_comparison,
    read_service_clock,
    write_restored,
)
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind
from dialer.intake.phones import normalise_phone
from dialer.language.words import bilingual
from dialer.runtime.services import Services
from dialer.telephony.callbacks import CallProgress, Stage, progress_of

if TYPE_CHECKING:  # A web process at rest does without the client's libraries.
    from dialer.telephony.client import CallClient, ListedCall

UNTIL_RESUMED = datetime(2999, 1, 1, tzinfo=UTC)
"""A pause that does not end by itself."""
_MARGIN = timedelta(minutes=15)
"""Calls from up to this long before the backup are compared too: clocks differ, and a call may not have been stored
yet.
"""
_NOTHING_KNOWN = timedelta(days=1)
"""How far back the carrier's calls are compared where the database knows no call at all."""
_AT_ONCE = 200
_SIDS_AT_ONCE = 5000


class NotCompared(Conflict):
    """Dialling stays paused: the carrier's calls since the backup have not been compared."""

    def __init__(self, restored: Restored) -> None:
        problem = (
            Text(
                "the database has failed over, and the carrier's calls since %(at)s are being compared: dialling"
                " resumes by itself, or with `dialer resume`, which compares them first",
                at=_local(restored.backup_at),
            )
            if restored.failover
            else Text(
                "this database was restored from a backup of %(at)s, and the carrier's calls since then have not been"
                " compared: resume all dialling with `dialer resume`, which compares them first",
                at=_local(restored.backup_at),
            )
        )
        super().__init__(problem)
        self.backup_at = restored.backup_at


class RecordsGone(Conflict):
    """The carrier no longer has a record of a call from before the backup, so its list is not complete."""

    def __init__(self, *, backup_at: datetime) -> None:
        super().__init__(
            Text(
                "the carrier does not know the last call from before the backup of %(at)s, so its list of calls is not"
                " complete. What it lists has been noted; dialling stays paused",
                at=backup_at.astimezone().isoformat(timespec="seconds"),
            )
        )


class CallsUnderWay(Conflict):
    """Calls that were placed after the backup are not over yet."""

    def __init__(self, *, count: int) -> None:
        super().__init__(
            Text(
                "%(count)s calls from before the restore are still under way at the carrier: resume again when they are"
                " over",
                count=count,
            )
        )
        self.count = count


def comparison_sentence(found: FoundCalls) -> Text:
    """The result of a comparison as a sentence."""
    if found.first is None or found.last is None:
        return Text("the carrier lists no call since %(since)s that was not known", since=_local(found.since))
    return Text(
        "the carrier lists %(calls)s calls that were not known, from %(first)s to %(last)s: they belong to %(cases)s"
        " cases, of which %(persons)s go to a person; %(going_on)s were under way and go on; %(without)s are to numbers"
        " without an open case",
        calls=found.calls,
        going_on=found.going_on,
        first=_local(found.first),
        last=_local(found.last),
        cases=found.cases,
        persons=found.for_persons,
        without=found.without_case,
    )


def _local(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="seconds")


def mark_restored(
    act: OpenAct, *, backup_at: datetime, restored_at: datetime, facts: Mapping[str, object]
) -> None:
    """Marks the database as restored, and pauses all dialling until the comparison."""
    tx = act.tx
    write_restored(tx, Restored(backup_at=backup_at, restored_at=restored_at))
    why = Text(
        "restored from the backup of %(at)s; the carrier's calls since then have not been compared",
        at=_local(backup_at),
    )
    _pause_until_compared(act, why)
    note_timeline(tx, None)
    times = {"backup_at": backup_at.isoformat(), "restored_at": restored_at.isoformat()}
    act.audit("restore", "database", facts=times | dict(facts))


def _pause_until_compared(act: OpenAct, sentence: Text) -> None:
    why = bilingual(sentence)
    place_pause(
        act.tx, scope=PauseScope.ALL, subject="", until=UNTIL_RESUMED, why=why, by=act.by, now=act.now
    )
    pause_line_group(act.tx, until=UNTIL_RESUMED, why=why)


def is_history_whole(tx: Tx, services: Services, group: LineGroup) -> bool:
    """Whether calls may be claimed on this timeline of the database; the caller has locked the group. On another one
    than before all dialling is paused until the carrier's calls have been compared. While it is paused already nothing
    is done: no call leaves, and the first claim after the pause comes here again.
    """
    if group.timeline is None:
        note_timeline(tx, group.timeline_now)
    if not group.has_failed_over:
        return True
    if not group.is_paused(services.clock.now()):
        _mark_failover(OpenAct(tx, SERVICE, services.clock.now), group, real_now=services.real.now())
    return False


def _mark_failover(act: OpenAct, group: LineGroup, *, real_now: datetime) -> None:
    since = newest_post(act.tx) or real_now - _NOTHING_KNOWN
    write_restored(act.tx, Restored(backup_at=since, restored_at=real_now, failover=True))
    why = Text(
        "the database has failed over, and its last moments may be missing; the carrier's calls since %(at)s are being"
        " compared",
        at=_local(since),
    )
    _pause_until_compared(act, why)
    note_timeline(act.tx, group.timeline_now)
    timelines: dict[str, object] = {"timeline": group.timeline_now, "before": group.timeline}
    _alarm(act.tx, act.now, why, Text(_AGAIN))
    act.audit("failover", "database", facts={"since": since.isoformat()} | timelines)


async def compare_after_failover(services: Services, client: CallClient, restored: Restored) -> None:
    """Compares the carrier's calls once no order from before the failover can reach it any more, and resumes dialling.
    What could not be compared is tried again by the next reconciliation; where the carrier's list is not complete
    dialling stays paused, and the alarm says so. Raises `Unavailable`.
    """
    placed_by = restored.restored_at + timedelta(seconds=services.lines.post_timeout_seconds)
    if not restored.failover or services.real.now() < placed_by:
        return
    try:
        found = await compare_calls(services, SERVICE, client)
    except RecordsGone:
        problem = gettext_noop(
            "the carrier does not know the last call that the database knows, so its list of calls is not complete:"
            " dialling stays paused"
        )
        fix = gettext_noop("ask the carrier, then `dialer resume`; see the manual")
        with services.store.begin() as tx:
            _alarm(tx, services.clock.now(), Text(problem), Text(fix))
        return
    with services.act(SERVICE, Permission.CONTROL) as act:
        lock_line_group(act.tx)
        standing = standing_pauses_at(act.tx, now=act.now)
        pause = next((pause for pause in standing if pause.scope is PauseScope.ALL), None)
        if pause is None or pause.until != UNTIL_RESUMED or not end_pause_early(act.tx, pause, now=act.now):
            act.needs_no_record()  # A person was faster.
            return
        pause_line_group(act.tx, until=None, why="")
        act.audit("resume", "all")
        if found is not None:
            _alarm(act.tx, act.now, comparison_sentence(found), Text(_AGAIN))


_AGAIN = gettext_noop(
    "load lists again, and have sources deliver again, what they sent in the minutes before the failover"
)


def _alarm(tx: Tx, now: datetime, problem: Text, fix: Text) -> None:
    facts = {"problem": problem.plain(), "fix": fix.plain()}
    raise_alarm(tx, AlarmCode.DATABASE_FAILED_OVER, now=now, facts=facts)


_FOUND = ("calls", "cases", "for_persons", "going_on", "without_case")


def read_awaited(services: Services) -> Restored | None:
    """As `awaited_comparison`, in a transaction of its own."""
    with services.store.begin() as tx:
        return awaited_comparison(tx)


async def compare_calls(services: Services, actor: Actor, client: CallClient) -> FoundCalls | None:
    """Adds every call that the carrier lists since the backup to the database; dialling can then be resumed. None:
    there was nothing to compare. Raises `Unavailable`, `RecordsGone` and `CallsUnderWay`; then dialling stays paused,
    and a later comparison continues where this one ended.
    """
    actor.check_may(Permission.CONTROL)
    restored = read_awaited(services)
    if restored is None:
        return None
    since = restored.backup_at - _MARGIN
    listed = await client.list_since(since)
    # After a failover the calls that the database knows go on as before.
    under_way = 0 if restored.failover else await _settle_sent(services, client, listed)
    with_persons = [_with_number(call, services.centre.area_code) for call in listed]
    not_persons = {client.config.officer_number, *(one.number for one in services.work.third_parties)}
    to_persons = [call for call in with_persons if _is_to_a_person(call, not_persons)]
    under_way += _note_unknown(services, to_persons, go_on=restored.failover)
    _match_all(services)
    with services.store.begin() as tx:
        earlier = newest_sid_before(tx, posted_before=restored.backup_at)
    if earlier is not None and await client.state(earlier) is None:
        raise RecordsGone(backup_at=restored.backup_at)
    if under_way:
        raise CallsUnderWay(count=under_way)
    with services.act(actor, Permission.CONTROL) as act:
        settle_carrier_calls(act.tx)
        found = found_calls(act.tx, since=since, found_from=restored.restored_at)
        write_restored(act.tx, replace(restored, compared_at=services.real.now()))
        facts = {
            "since": since.isoformat(),
            **{name: getattr(found, name) for name in _FOUND},
        }
        act.audit("restore.compared", "database", facts=facts)
    return found


def skip_comparison(services: Services, actor: Actor, *, why: str) -> None:
    """Lets dialling be resumed without the comparison, by a person's decision. People who were called after the backup
    may be called again. Raises `Invalid`.
    """
    reason = required_text("why", why, fix="say why people may be called again")
    with services.act(actor, Permission.CONTROL) as act:
        restored = awaited_comparison(act.tx)
        if restored is None:
            act.needs_no_record()
            return
        write_restored(act.tx, replace(restored, compared_at=services.real.now()))
        facts = {"backup_at": restored.backup_at.isoformat()}
        act.audit("restore.not_compared", "database", why=reason, facts=facts)


def check_compared(tx: Tx) -> None:
    """Raises `NotCompared` if the comparison after a restore has not been made."""
    restored = awaited_comparison(tx)
    if restored is not None:
        raise NotCompared(restored)


async def _settle_sent(services: Services, client: CallClient, listed: Sequence[ListedCall]) -> int:
    """Ends the attempts that were at the carrier when the backup was made. Returns how many calls are not over."""
    with services.store.begin() as tx:
        sent = attempts_at_carrier(tx)
    states = {call.state.sid: call.state for call in listed}
    under_way = 0
    for attempt in sent:
        state = states.get(attempt.sid) or await client.state(attempt.sid)
        if state is None:
            continue  # The reconciliation ends it as unknown.
        progress = _without_conversation(progress_of(state))
        if progress.stage is not Stage.ENDED:
            under_way += 1
            continue
        with services.store.begin() as tx:
            lock_cases(tx, [attempt.case_id])
            step = CallNews(attempt_id=attempt.attempt_id, step=f"compared.{attempt.sid}", progress=progress)
            _, must_cancel = apply_replies(tx, services, [step])
        if must_cancel:
            services.enqueue("cancel_calls")
    return under_way


def _with_number(call: ListedCall, area_code: str) -> ListedCall:
    """The call; if it was inbound, with the number it came from in `to`, '' if that is hidden."""
    return replace(call, to=normalise_phone(call.caller, area_code) or "") if call.is_inbound else call


def _is_to_a_person(call: ListedCall, not_persons: Collection[str]) -> bool:
    """Whether a call goes to a person, and not to a telephone of a desk, the duty line or a third party."""
    return call.to.startswith("+") and call.to not in not_persons


def _without_conversation(progress: CallProgress) -> CallProgress:
    """The progress with the result unknown, if it depends on a conversation that is lost: nobody knows what was said in
    an answered call, or why a call was withdrawn.
    """
    if progress.result in {TelephonyResult.ANSWERED, TelephonyResult.CANCELED}:
        return replace(progress, result=TelephonyResult.UNKNOWN)
    return progress


def _note_unknown(services: Services, listed: Sequence[ListedCall], *, go_on: bool) -> int:
    """Adds rows for the calls that the database does not know. Returns how many calls are not over and get no row yet:
    none if they `go_on`, where a call of the robot keeps its conversation, and any other that is under way counts as
    answered by somebody.
    """
    under_way = 0
    for start in range(0, len(listed), _SIDS_AT_ONCE):
        batch = listed[start : start + _SIDS_AT_ONCE]
        with services.store.begin() as tx:
            sids = {call.state.sid for call in batch}
            unknown = unknown_sids(tx, [*sids, *(call.parent_sid for call in batch if call.parent_sid)])
            # While this lock is held, the blind index of a number is not made again.
            lock_line_group(tx)
            follow_plan(tx)
            earlier = earlier_indexes(tx, {call.to for call in batch})
            rows: list[CarrierCall] = []
            for call in batch:
                if call.state.sid not in unknown or (call.parent_sid and call.parent_sid not in unknown):
                    continue
                progress = _without_conversation(progress_of(call.state))
                is_robots = not (call.parent_sid or call.is_inbound)
                result = progress.result
                if progress.stage is not Stage.ENDED:
                    if not go_on:
                        under_way += 1
                        continue
                    result = TelephonyResult.ANSWERED if is_robots else TelephonyResult.UNKNOWN
                if not is_robots and result is not TelephonyResult.UNKNOWN:
                    continue  # A caller did not reach anybody, or the person hung up before we answered.
                assert result is not None
                blind = tx.vault.blind(call.to, kind=BlindKind.PHONE)
                rows.append(
                    CarrierCall(
                        sid=call.state.sid,
                        phone_blind=earlier.get(blind, blind),
                        called_at=call.created_at,
                        result=result,
                    )
                )
            add_carrier_calls(tx, rows, found_at=services.real.now())
    return under_way


def _match_all(services: Services) -> None:
    """Matches the calls that were found to the cases of their numbers."""
    while True:
        with services.store.begin() as tx:
            done, must_cancel = _match(tx, services, None)
        if must_cancel:
            services.enqueue("cancel_calls")
        if not done:
            return


def match_new_cases(tx: Tx, services: Services, case_ids: Sequence[int]) -> None:
    """Matches calls that were found by a comparison to these new cases: their list was lost with the old database and
    has been loaded again, and their persons may have been called already. Costs one lookup in an empty index if there
    are no such calls.
    """
    if case_ids and are_carrier_calls_open(tx):
        while True:
            done, must_cancel = _match(tx, services, case_ids)
            if must_cancel:
                tx.tasks_after_commit.add("cancel_calls")
            if not done:
                return


def _match(tx: Tx, services: Services, case_ids: Sequence[int] | None) -> tuple[list[CalledAttempt], bool]:
    """Matches one call of each case, since its next attempt may be planned only afterwards. A call to a number that
    several cases share counts in each of them. Returns the matched attempts, and whether calls must be ended at the
    carrier.
    """
    found = called_attempts(
        tx,
        real_now=services.real.now(),
        case_ids=case_ids,
        by_time=read_service_clock(tx) is None,
        limit=_AT_ONCE,
    )
    chosen: dict[int, CalledAttempt] = {}
    of_call: dict[str, list[CalledAttempt]] = {}
    for attempt in found:
        of_call.setdefault(attempt.sid, []).append(attempt)
    for several in of_call.values():
        if not any(attempt.case_id in chosen for attempt in several):
            chosen |= {attempt.case_id: attempt for attempt in reversed(several)}
    locked = lock_cases(tx, chosen)
    done = [attempt for attempt in chosen.values() if attempt.case_id in locked]
    bound = bind_called_attempts(tx, done)
    news = [
        CallNews(
            attempt_id=attempt.attempt_id,
            step=f"compared.{attempt.sid}",
            progress=_progress_of(attempt, is_bound=attempt.attempt_id in bound),
        )
        for attempt in done
    ]
    return done, apply_replies(tx, services, news)[1] if news else False


def _progress_of(attempt: CalledAttempt, *, is_bound: bool) -> CallProgress:
    """The news of an attempt whose call was found. A call that goes on does so with one attempt; for other cases of
    that number it was a call that somebody answered.
    """
    if attempt.result is not TelephonyResult.ANSWERED:
        return CallProgress(stage=Stage.ENDED, sid=attempt.sid if is_bound else "", result=attempt.result)
    if is_bound:
        return CallProgress(stage=Stage.INITIATED, sid=attempt.sid)
    return CallProgress(stage=Stage.ENDED, sid="", result=TelephonyResult.UNKNOWN)
