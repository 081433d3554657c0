"""Lists: loaded, approved by a second person, withdrawn, with corrections of their columns and the outcome of their
cases.

A list becomes warnings and cases, one batch per transaction. Progress is the number of rows done, in the order of the
file: when a worker dies, another one reads the file again and continues after them. A lease and a fencing token keep
two processes from loading the same list.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO

from dialer.cases.effects import Move, move_cases
from dialer.cases.store import Act, lock_cases, note_acts
from dialer.core.access import TERMINAL_NAME, Actor, Permission, required_text
from dialer.core.errors import Conflict, Invalid, Unavailable, UnusableFile
from dialer.core.events import AlarmCode, CaseClosed
from dialer.core.text import Text, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.units import UnitIndex
from dialer.core.values import Grade, LoadState, OutcomeKind
from dialer.db.alarms import raise_alarm
from dialer.db.jobs import JobClaim
from dialer.db.migration_locks import is_migration_wanted
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Tx
from dialer.intake.cells import folded
from dialer.intake.reader import ListReader, default_source
from dialer.intake.records import Accepted, Field, IntakeOptions, Rejected, RejectedRow
from dialer.runtime.services import Services
from dialer.runtime.uploads import list_tables
from dialer.warnings.arrivals import PreparedBatch, Taken, prepare_arrivals, take_arrivals
from dialer.warnings.held_store import lists_held_from
from dialer.warnings.list_store import (
    WITHDRAWALS,
    Load,
    advance_load,
    approve_load_row,
    cases_not_begun,
    commit_without_flush,
    create_load,
    fail_load,
    file_parts_of_load,
    finish_load,
    get_load,
    insert_rejects,
    keys_loaded_early,
    rejects_of_load,
    set_awaiting_approval,
    take_load,
    take_withdrawal,
    withdraw_load_row,
)
from dialer.warnings.mapping_store import (
    column_mapping_of,
    grade_words_of,
    save_column_mapping,
    save_grade_words,
)
from dialer.warnings.queries import LoadOutcome, load_line, load_outcome_of
from dialer.warnings.shared_numbers import hold_further_cases
from dialer.warnings.warning_store import lock_arrivals

_CLOSED_AT_ONCE = 500
"""Cases closed in one transaction."""
_CLOSING_LEASE = timedelta(seconds=120)
"""Another process continues closing the cases of a withdrawn list when the first one has been silent for this long."""


def approve_load(services: Services, actor: Actor, load_id: int) -> None:
    """Approves a list: the rest of it is loaded now. Raises `NotFound`, `SamePerson`, and `Conflict` when it does
    not wait.
    """
    with services.act(actor, Permission.APPROVE) as act:
        load = get_load(act.tx, load_id)
        require_second_person(act.tx, act.by, load.by)
        real_now = services.real.now()
        if not approve_load_row(act.tx, load_id, by=act.by, now=act.now, real_now=real_now):
            text = Text("load %(load)s does not wait for approval: %(state)s", load=load_id, state=load.state)
            raise Conflict(text, current=load.state.value)
        act.audit("approve_load", f"load/{load_id}")
    services.enqueue("load_list", load_id)


def withdraw_load(services: Services, actor: Actor, load_id: int, *, why: str) -> int:
    """Withdraws a list: nothing more of it is loaded, and cases that it opened and that have not begun are closed as
    withdrawn, with the reason in their timelines. Its rows that wait for a person are withdrawn with it, and so are
    those that were released. Cases that have begun continue, also if the person has called us, and so do cases that
    other warnings joined. Returns how many were closed. Raises `NotFound`, `Invalid`, and `Conflict` when it was
    withdrawn before.
    """
    claims, reason = _withdraw(services, actor, load_id, why=why)
    return sum(_close_all(services, claim, by=actor.name, why=reason) for claim in claims)


def begin_withdrawal(services: Services, actor: Actor, load_id: int, *, why: str) -> None:
    """Like `withdraw_load`, but a worker closes the cases of a long list after this has returned."""
    claims, reason = _withdraw(services, actor, load_id, why=why)
    for claim in claims:
        with suppress(Unavailable):  # a worker does later what fails now
            _close_some(services, claim.key, by=actor.name, why=reason)
        with services.store.begin() as tx:
            left = bool(cases_not_begun(tx, claim.key, limit=1))
            WITHDRAWALS.hand_back(tx, claim, due=services.real.now() if left else None)
        if left:
            services.enqueue("close_withdrawn", claim.key)
    services.enqueue("cancel_calls")


def close_withdrawn(services: Services, load_id: int) -> int:
    """Closes the cases of a withdrawn list that have not begun; returns how many. Safe to repeat."""
    with services.store.begin() as tx:
        now, real_now = services.clock.now(), services.real.now()
        taken = take_withdrawal(tx, load_id, now=now, real_now=real_now, lease=_CLOSING_LEASE)
    if taken is None:
        return 0
    claim, by, why = taken
    return _close_all(services, claim, by=by, why=why)


def _withdraw(services: Services, actor: Actor, load_id: int, *, why: str) -> tuple[list[JobClaim], str]:
    """Withdraws the list, and the lists with its rows that waited for a person; returns the claims to close the cases
    of each.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        # No batch of the list is written now, which would hold rows of it; what it held before is locked after this.
        lock_arrivals(act.tx)
        load = get_load(act.tx, load_id)
        closing_until = services.real.now() + _CLOSING_LEASE
        claims: list[JobClaim] = []
        for one in (load_id, *lists_held_from(act.tx, load_id)):
            claim = withdraw_load_row(act.tx, one, by=act.by, now=act.now, closing_until=closing_until)
            if claim is None and one == load_id:
                text = Text("load %(load)s is %(state)s already", load=load_id, state=load.state)
                raise Conflict(text, current=load.state.value)
            if claim is not None:
                claims.append(claim)
                act.audit("withdraw_load", f"load/{one}", why=reason)
    return claims, reason


def _close_all(services: Services, claim: JobClaim, *, by: str, why: str) -> int:
    """Closes the cases of the list as long as no other process has taken it over; returns how many."""
    closed = 0
    while batch := _close_some(services, claim.key, by=by, why=why):
        closed += batch
        with services.store.begin() as tx:
            if not WITHDRAWALS.advance(tx, claim, until=services.real.now() + _CLOSING_LEASE):
                return closed
    with services.store.begin() as tx:
        WITHDRAWALS.finish(tx, claim, lease_until=None)
    services.enqueue("cancel_calls")
    return closed


def _close_some(services: Services, load_id: int, *, by: str, why: str) -> int:
    with services.store.begin() as tx:
        now = services.clock.now()
        locked = lock_cases(tx, cases_not_begun(tx, load_id, limit=_CLOSED_AT_ONCE))
        # Read again under the lock: a call may have been sent in between.
        not_begun = sorted(set(cases_not_begun(tx, load_id, limit=_CLOSED_AT_ONCE)) & set(locked))
        event = CaseClosed(outcome=OutcomeKind.WITHDRAWN)
        moves = [Move(case_id=case_id, event=event) for case_id in not_begun]
        move_cases(tx, locked, moves, policies=services.policies, now=now)
        facts = {"load_id": load_id}
        acts = [
            Act(case_id=case_id, kind=ActKind.LOAD_WITHDRAWN, by=by, facts=facts, words=why)
            for case_id in not_begun
        ]
        note_acts(tx, acts, now=now)
    return len(not_begun)


def correct_columns(
    services: Services,
    actor: Actor,
    source: str,
    columns: Mapping[str, Field | None],
    *,
    grades: Mapping[str, Grade] | None = None,
) -> None:
    """Stores a column mapping, with which later lists of this source are read: by heading as it is shown, None for a
    column without a field; and what words of its grades mean. Raises `Invalid`.
    """
    name = required_text("source", source)
    if any(not heading.strip() for heading in columns):
        raise Invalid(field="heading", problem="is empty", fix="the heading as the list has it")
    facts = {heading: field.value if field else "" for heading, field in columns.items()}
    words = {folded(word): grade for word, grade in (grades or {}).items()}
    facts |= {word: grade.value for word, grade in words.items()}
    with services.act(actor, Permission.LOAD_LISTS) as act:
        save_column_mapping(act.tx, name, columns, by=act.by, now=act.now)
        save_grade_words(act.tx, name, words, by=act.by, now=act.now)
        act.audit("correct_columns", "list_mapping", why=name, facts=facts)


def load_outcome(services: Services, load_id: int, *, visible_to: int | None) -> LoadOutcome:
    """The outcome of the cases of a list, as far as the unit sees them. Raises `NotFound`."""
    with services.store.begin() as tx:
        load_line(tx, load_id, visible_to=visible_to)
        return load_outcome_of(tx, load_id, visible_to=visible_to)


def check_load_visible(services: Services, load_id: int, *, visible_to: int | None) -> None:
    """Raises `NotFound` for a list that the unit does not see. A list never changes its unit, so the check stays true
    for the action that follows.
    """
    with services.store.begin() as tx:
        load_line(tx, load_id, visible_to=visible_to)


LOAD_BATCH = 2000
"""Rows of one transaction; other arrivals wait for its end."""
SHORT_LIST = 2000
"""A list of at most this many rows is counted before it is loaded, so that its progress has a total."""
_LEASE = timedelta(seconds=120)
_TURN_SECONDS = 0.0005
_GARBAGE_FROM = 1_000_000


_COUNTS = ("rows", "accepted", "merged", "held", "duplicate", "rejected", "notices")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """The result of a load, or of a dry run (`load_id` is None)."""

    load_id: int | None
    rows: int
    accepted: int
    merged: int
    held: int
    """Rows that wait for a person to release them; a dry run holds none."""
    duplicate: int
    rejected: int
    notices: int
    skipped: int
    rejects: tuple[RejectedRow, ...]


def submit_list(services: Services, actor: Actor, content: BinaryIO, *, filename: str, source: str) -> int:
    """Stores the file, sealed, to wait for a worker; returns the id of its load. Raises `UnusableFile` for a file that
    is not a list.
    """
    options = options_of(services, source=source, filename=filename)
    most = services.work.approve_above_rows
    with read_list(content, filename=filename, options=options) as reader:
        counted = sum(1 for _ in islice(reader, (most or SHORT_LIST) + 1))
    content.seek(0)
    is_counted = counted <= (most or SHORT_LIST)
    needs_approval = most > 0 and not is_counted
    if needs_approval and actor.signed(TERMINAL_NAME):
        fix = gettext_noop("run `dialer sign-in` first: a list of this size waits for a second person")
        raise Invalid(field="by", problem=gettext_noop("is missing"), fix=fix)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        load_id = create_load(
            act.tx,
            filename=filename,
            source=source,
            content=content,
            by=act.by,
            now=act.now,
            total=counted if is_counted else None,
            needs_approval=needs_approval,
            due_at=services.real.now(),
        )
    services.enqueue("load_list", load_id)
    return load_id


def load_list(services: Services, load_id: int) -> bool:
    """Loads the rest of a list. False when another process does, when nothing is left, or when a migration comes first
    and a later tick goes on. For a file that turns out not to be a list, marks the load as failed and raises
    `UnusableFile`.
    """
    with services.store.begin() as tx:
        now, real_now = services.clock.now(), services.real.now()
        load = take_load(tx, load_id, now=now, real_now=real_now, lease=_LEASE)
    if load is None:
        return False
    try:
        with reading(services, load) as reader:
            is_loaded = _load(services, load, reader)
    except _TakenOver:
        return False
    except UnusableFile as fault:
        with services.store.begin() as tx:
            fail_load(tx, load, error=fault.text.dump(), now=services.clock.now())
        raise
    if is_loaded:
        services.enqueue("dial")
    return is_loaded


def _load(services: Services, load: Load, reader: ListReader) -> bool:
    """Loads all of it, or only the high grades of a list that waits for a second person; False if a migration wants its
    tables first.
    """
    items, wanted = iter(reader), _high_grades_of if load.waits else accepted_of
    was_searched = load.needs_approval and not load.waits
    for _ in islice(items, load.done):
        pass
    for batch, prepared in _read_ahead(services, items, wanted, load_id=load.id):
        with services.store.begin() as tx:
            commit_without_flush(tx)
            if is_migration_wanted(tx):
                # The lease ends now: the next tick goes on.
                advance_load(tx, load, {}, lease_until=services.real.now())
                return False
            lease_until = services.real.now() + _LEASE
            # What a person has released, or waits for a person as a whole, is not held once more.
            hold = (
                partial(
                    hold_further_cases,
                    services,
                    prepared.opener.now,
                    from_load_id=load.id,
                    high_wait=was_searched,
                )
                if load.held_for is None
                else None
            )
            taken = take_arrivals(tx, services, prepared, hold=hold)
            if load.waits:
                columns = None
                added = {"early_line": len(batch), "early_accepted": taken.accepted, "merged": taken.merged}
            else:
                columns = reader.columns
                added = _note_batch(tx, batch, taken, load_id=load.id, now=prepared.opener.now)
            if not advance_load(tx, load, added, lease_until=lease_until, columns=columns):
                raise _TakenOver
        services.enqueue("dial")
    with services.store.begin() as tx:
        if load.waits:
            set_awaiting_approval(tx, load)
        else:
            finish_load(tx, load, skipped=reader.skipped, now=services.clock.now())
    return True


_Batch = list[Accepted | Rejected]


def accepted_of(batch: _Batch) -> list[Accepted]:
    """The accepted records of a batch."""
    return [item for item in batch if isinstance(item, Accepted)]


def _high_grades_of(batch: _Batch) -> list[Accepted]:
    return [item for item in accepted_of(batch) if item.record.grade.is_high]


def _read_ahead(
    services: Services,
    items: Iterator[Accepted | Rejected],
    wanted: Callable[[_Batch], list[Accepted]],
    *,
    load_id: int,
) -> Iterator[tuple[_Batch, PreparedBatch]]:
    """Each batch with its prepared rows. While the caller writes one, the next is read and prepared."""

    def read() -> tuple[_Batch, PreparedBatch]:
        batch = list(islice(items, LOAD_BATCH))
        with services.store.begin() as tx:
            commit_without_flush(tx)
            now = services.clock.now()
            return batch, prepare_arrivals(tx, services, wanted(batch), load_id=load_id, now=now)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as thread, _tuned_interpreter():
        coming = thread.submit(read)
        while (ready := coming.result())[0]:
            coming = thread.submit(read)
            yield ready


@contextmanager
def _tuned_interpreter() -> Iterator[None]:
    """Tunes the garbage collector and the switching of threads for a list: thousands of rows contain no cycles, and a
    thread with an answer from the database would wait 5 ms for the other thread each time. Without both, a list takes
    1.5 times as long, with 12 % more processor time.
    """
    turns, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_TURN_SECONDS)
    gc.set_threshold(_GARBAGE_FROM, *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(turns)
        gc.set_threshold(*thresholds)


class _TakenOver(Exception):  # a signal within this module, never seen outside
    pass


def _note_batch(tx: Tx, batch: _Batch, taken: Taken, *, load_id: int, now: datetime) -> dict[str, int]:
    """Stores the rejected rows of a batch and raises their alarms; returns the counts to add to the load."""
    counts = counts_of(batch, taken)
    repeated = [
        item.record.key
        for place, (item, case_id) in enumerate(zip(accepted_of(batch), taken.case_ids, strict=True))
        if case_id is None and place not in taken.held
    ]
    # Rows that were loaded before a second person approved the rest are not duplicates of themselves.
    early = keys_loaded_early(tx, load_id, repeated)
    released = sum(early.values())
    rejected = [item for item in batch if isinstance(item, Rejected)]
    insert_rejects(tx, load_id, rejected)
    for item in rejected:
        if item.high_grade:
            facts = {"line": item.line, "column": item.column}
            raise_alarm(tx, AlarmCode.REJECTED_HIGH_ROW, now=now, load_id=load_id, facts=facts)
    return counts | {
        "next_line": len(batch),
        "accepted": counts["accepted"] + len(early) - released,
        "held": counts["held"] + released,
        "duplicate": counts["duplicate"] - len(early),
    }


def counts_of(batch: _Batch, taken: Taken) -> dict[str, int]:
    """The counts that a batch adds to its load; only the notices of new warnings count. Those that wait for a person
    are held, not accepted.
    """
    accepted = accepted_of(batch)
    return {
        "rows": len(batch),
        "accepted": taken.accepted,
        "held": len(taken.held),
        "merged": taken.merged,
        "duplicate": taken.duplicate,
        "rejected": len(batch) - len(accepted),
        "notices": sum(
            len(item.notices)
            for item, case_id in zip(accepted, taken.case_ids, strict=True)
            if case_id is not None
        ),
    }


def load_report(services: Services, load_id: int) -> LoadReport:
    """The result of a finished load. Raises `NotFound`, and `UnusableFile` when the file was not a list."""
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
        if load.state is LoadState.FAILED:
            raise UnusableFile(Text.load(load.error))
        counts = {name: getattr(load, name) for name in _COUNTS}
        rejects = tuple(rejects_of_load(tx, load_id).values())
    return LoadReport(load_id=load_id, skipped=load.skipped, rejects=rejects, **counts)


def read_list(content: BinaryIO, *, filename: str, options: IntakeOptions) -> ListReader:
    """A reader of the list. The content determines its kind; `filename` only names the source of its rows. The stream
    belongs to the reader until that is closed. Raises `UnusableFile` as `runtime/uploads.py` does, and for a list
    without rows.
    """
    return ListReader(list_tables(content, options.corrections), filename=filename, options=options)


@contextmanager
def reading(services: Services, load: Load) -> Iterator[ListReader]:
    """A reader of the file of a load, as of the moment at which it was uploaded; of a draft, as of now. The copy in
    clear has no name and is deleted at the end of the block. Raises `UnusableFile`.
    """
    uploaded_at = None if load.state is LoadState.DRAFT else load.created_at
    options = options_of(services, source=load.source, filename=load.filename, now=uploaded_at)
    # What waits for a person was checked when it came, and may be of the counter.
    internal = load.held_for is not None
    options = replace(options, believes_amounts=bool(load.amounts_believed), internal=internal)
    with tempfile.TemporaryFile() as copy:
        with services.store.begin() as tx:
            for part in file_parts_of_load(tx, load.id):
                copy.write(part)
        copy.seek(0)
        with read_list(copy, filename=load.filename, options=options) as reader:
            yield reader


def options_of(
    services: Services, *, source: str, filename: str, now: datetime | None = None
) -> IntakeOptions:
    """The options for reading a list of this source, with the corrections of its columns, as of the moment `now` (None:
    the present one).
    """
    with services.store.begin() as tx:
        tree = services.units.current(tx)
        named = source or default_source(filename)
        corrections, words = column_mapping_of(tx, named), grade_words_of(tx, named)
    options = row_options(services, source=source, now=now or services.clock.now(), tree=tree)
    return replace(options, corrections=corrections, grade_words=words)


def row_options(
    services: Services, *, source: str, now: datetime, tree: UnitIndex, internal: bool = False
) -> IntakeOptions:
    """The options for reading rows of this source; `internal`: it is one of the service itself."""
    centre = services.centre
    return IntakeOptions(
        now=now,
        timezone=centre.timezone,
        default_grade=centre.default_grade,
        default_area=centre.area_code,
        source=source,
        internal=internal,
        known_units=tree or centre.known_units,
        numbers=services.numbers,
        derive_key=services.derive_key,
    )
