"""A target list becomes warnings and cases, batch by batch, each batch one transaction; safe to run twice at once.

Progress is how many items of the file are done, in the file's own order. A worker that dies is followed by another
that reads the file again and goes on after them.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import BinaryIO

from dialer.cases.alarms import raise_alarm
from dialer.core.access import actor_name
from dialer.core.effects import AlarmCode
from dialer.core.errors import NotFound, UnusableFile
from dialer.core.values import LoadState
from dialer.db.unit_of_work import Tx
from dialer.intake.reader import ListReader, default_source, read_list
from dialer.intake.records import Accepted, IntakeOptions, Rejected
from dialer.language import Text
from dialer.services import Services
from dialer.warnings.arrivals import PreparedBatch, prepare_arrivals, take_arrivals
from dialer.warnings.list_store import (
    Counts,
    Load,
    RejectedRow,
    advance_early_rows,
    advance_load,
    column_mapping_of,
    commit_without_flush,
    create_load,
    delete_load,
    fail_load,
    file_parts_of_load,
    finish_load,
    get_load,
    hold_for_approval,
    insert_rejects,
    keys_loaded_early,
    rejects_of_load,
    set_awaiting_approval,
    set_load_total,
    take_load,
)

LOAD_BATCH = 2000
"""Rows of one transaction: other arrivals wait for its end."""
SHORT_LIST = 2000
"""A list of so few rows is counted before it is loaded, so that its progress is of the whole."""
_LEASE = timedelta(seconds=120)
_TURN_SECONDS = 0.0005
_GARBAGE_FROM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What `dialer load --json` prints, but for the path of the reject file."""

    load_id: int | None
    rows: int
    accepted: int
    merged: int
    duplicate: int
    rejected: int
    skipped: int
    notices: int
    rejects: tuple[RejectedRow, ...]


def submit_list(services: Services, content: BinaryIO, *, filename: str, source: str, by: str) -> int:
    """The file is kept, sealed, and waits for a worker; its load id. What cannot be a list is refused at once."""
    who = actor_name(by)
    options = options_of(services, source=source, filename=filename)
    most = services.work.approve_above_rows
    with read_list(content, filename=filename, options=options) as reader:
        counted = sum(1 for _ in islice(reader, (most or SHORT_LIST) + 1))
    content.seek(0)
    with services.store.begin() as tx:
        load_id = create_load(
            tx, filename=filename, source=source, content=content, by=who, now=services.clock.now()
        )
        if counted <= (most or SHORT_LIST):
            set_load_total(tx, load_id, total=counted)
        elif most:
            hold_for_approval(tx, load_id)
    services.enqueue("load_list", load_id)
    return load_id


def load_list(services: Services, load_id: int) -> bool:
    """Loads what is left of it. False when another process has it, or nothing is left. A file that turns out to be no
    list leaves the load failed and raises `UnusableFile`.
    """
    with services.store.begin() as tx:
        real_now = services.real.now()
        load = take_load(tx, load_id, real_now=real_now, lease_until=real_now + _LEASE)
    if load is None:
        return False
    with stored_file(services, load_id) as copy:
        try:
            reader = read_list(
                copy,
                filename=load.filename,
                options=options_of(services, source=load.source, filename=load.filename, load=load),
            )
            done = _early(services, load, reader) if load.is_held else _batches(services, load, reader)
        except _TakenOver:
            return False
        except UnusableFile as fault:
            with services.store.begin() as tx:
                fail_load(tx, load, error=fault.text.dump(), now=services.clock.now())
            raise
    if done:
        services.enqueue("dial")
    return done


def _batches(services: Services, load: Load, reader: ListReader) -> bool:
    items = iter(reader)
    for _ in islice(items, load.next_line):
        pass
    for batch, prepared in _read_ahead(services, items, _accepted, load_id=load.id):
        with services.store.begin() as tx:
            commit_without_flush(tx)
            lease_until = services.real.now() + _LEASE
            counts = _take(tx, services, batch, prepared, load_id=load.id)
            columns = [column.plain() for column in reader.columns]
            if not advance_load(
                tx, load, items=len(batch), counts=counts, lease_until=lease_until, columns=columns
            ):
                raise _TakenOver
        services.enqueue("dial")
    with services.store.begin() as tx:
        finish_load(tx, load, skipped=reader.skipped, now=services.clock.now())
    return True


def _early(services: Services, load: Load, reader: ListReader) -> bool:
    """The high grades of a list that waits for a second person are in the books; the rest of it waits."""
    items = iter(reader)
    for _ in islice(items, load.early_line):
        pass
    for batch, high in _read_ahead(services, items, _high, load_id=load.id):
        with services.store.begin() as tx:
            commit_without_flush(tx)
            taken = take_arrivals(tx, services, high)
            lease_until = services.real.now() + _LEASE
            if not advance_early_rows(
                tx,
                load,
                items=len(batch),
                accepted=taken.accepted,
                merged=taken.merged,
                lease_until=lease_until,
            ):
                raise _TakenOver
        services.enqueue("dial")
    with services.store.begin() as tx:
        set_awaiting_approval(tx, load)
    return True


_Batch = list[Accepted | Rejected]


def _accepted(batch: _Batch) -> list[Accepted]:
    return [item for item in batch if isinstance(item, Accepted)]


def _high(batch: _Batch) -> list[Accepted]:
    return [item for item in _accepted(batch) if item.record.grade.is_high]


def _read_ahead(
    services: Services,
    items: Iterator[Accepted | Rejected],
    wanted: Callable[[_Batch], list[Accepted]],
    *,
    load_id: int,
) -> Iterator[tuple[_Batch, PreparedBatch]]:
    """Batches, with what is to be written of them. While one is being written the next is read and made ready."""

    def read() -> tuple[_Batch, PreparedBatch]:
        batch = list(islice(items, LOAD_BATCH))
        with services.store.begin() as tx:
            commit_without_flush(tx)
            now = services.clock.now()
            return batch, prepare_arrivals(tx, services, wanted(batch), load_id=load_id, now=now)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as thread, _undisturbed():
        coming = thread.submit(read)
        while (ready := coming.result())[0]:
            coming = thread.submit(read)
            yield ready


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Rows by the thousand hold no cycles, and looking for some among them takes a third of it. Whoever has heard
    from the database gets the interpreter soon: the other thread would keep it 5 ms each time. Without both a list
    takes 1.5 times as long, with 12 % more processor time.
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


def _take(tx: Tx, services: Services, batch: _Batch, prepared: PreparedBatch, *, load_id: int) -> Counts:
    now = prepared.opener.now
    accepted = _accepted(batch)
    rejected = [item for item in batch if isinstance(item, Rejected)]
    taken = take_arrivals(tx, services, prepared)
    # What was loaded before a second person had approved the rest is no duplicate of itself.
    early = len(
        keys_loaded_early(
            tx,
            load_id,
            [item.record.key for item, own in zip(accepted, taken.case_ids, strict=True) if own is None],
        )
    )
    insert_rejects(tx, load_id, [rejected_row(item) for item in rejected])
    for item in rejected:
        if item.high_grade:
            facts = {"line": item.line, "column": item.column}
            raise_alarm(tx, AlarmCode.REJECTED_HIGH_ROW, now=now, load_id=load_id, facts=facts)
    return Counts(
        rows=len(batch),
        accepted=taken.accepted + early,
        merged=taken.merged,
        duplicate=taken.duplicate - early,
        rejected=len(rejected),
        notices=sum(
            len(item.notices)
            for item, case_id in zip(accepted, taken.case_ids, strict=True)
            if case_id is not None
        ),
    )


def load_report(services: Services, load_id: int) -> LoadReport:
    """What became of a finished load. Raises `UnusableFile` when the file was no list."""
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
        if load is None:
            raise NotFound(kind="load", key=load_id)
        if load.state is LoadState.FAILED:
            raise UnusableFile(Text.load(load.error))
        return _report(load, rejects_of_load(tx, load_id), load_id=load_id)


def _report(load: Load, rejects: list[RejectedRow], *, load_id: int | None) -> LoadReport:
    return LoadReport(
        load_id=load_id,
        rows=load.rows,
        accepted=load.accepted,
        merged=load.merged,
        duplicate=load.duplicate,
        rejected=load.rejected,
        skipped=load.skipped,
        notices=load.notices,
        rejects=tuple(rejects),
    )


@contextmanager
def stored_file(services: Services, load_id: int) -> Iterator[BinaryIO]:
    """The uploaded bytes in clear, in a file that has no name and goes with the block."""
    with tempfile.TemporaryFile() as copy:
        with services.store.begin() as tx:
            for part in file_parts_of_load(tx, load_id):
                copy.write(part)
        copy.seek(0)
        yield copy


def options_of(services: Services, *, source: str, filename: str, load: Load | None = None) -> IntakeOptions:
    """How a list of this source is read, with what people have said of its columns."""
    with services.store.begin() as tx:
        tree = services.units.current(tx)
        corrections = column_mapping_of(tx, source or default_source(filename))
    return IntakeOptions(
        now=load.created_at if load is not None else services.clock.now(),
        timezone=services.centre.timezone,
        default_grade=services.centre.default_grade,
        default_area=services.centre.area_code,
        source=source,
        known_units=tree or services.centre.known_units,
        corrections=corrections,
        derive_key=services.derive_key,
    )


def rejected_row(item: Rejected) -> RejectedRow:
    return RejectedRow(
        sheet=item.sheet,
        line=item.line,
        column=item.column,
        reason=item.reason,
        high_grade=item.high_grade,
        raw=item.raw,
        table=item.table,
    )


def forget_load(services: Services, load_id: int) -> None:
    """A file that was no list leaves nothing behind."""
    with services.store.begin() as tx:
        delete_load(tx, load_id)
