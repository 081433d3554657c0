"""A list before it is loaded: uploaded as a draft, kept sealed, previewed by loading its first rows and undoing that,
then released or discarded. Also the dry run, the preview of a list that waits for approval, and the workbook of refused
rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from dialer.cases.persons import MaskedPerson, Person, masked
from dialer.cases.search import visible_among_cases
from dialer.core.access import actor_name
from dialer.core.errors import Conflict, Invalid, NoPhoneColumn, NotFound
from dialer.core.values import FraudType, Grade, LoadState, RowResult
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.intake.reader import ListReader, default_source, read_list
from dialer.intake.records import Accepted, Column, Field, NoticeCode, Rejected, write_rejects
from dialer.language import Text
from dialer.services import Services
from dialer.warnings.arrivals import Taken, prepare_arrivals, take_arrivals
from dialer.warnings.list_store import (
    Load,
    RejectedRow,
    cases_of_warnings,
    columns_of_load,
    create_load,
    delete_column_mapping,
    delete_draft,
    delete_old_drafts,
    drafts_by,
    extend_draft,
    get_draft,
    get_load,
    keys_loaded_early,
    note_draft_length,
    rejects_of_load,
    release_draft,
    rename_draft,
)
from dialer.warnings.lists import check_load_visible, correct_columns
from dialer.warnings.load import LoadReport, accepted_of, counts_of, options_of, stored_file

KEPT = timedelta(hours=4)
"""A draft that is not opened for so long is deleted with its file."""
LONGEST_SOURCE = 100


def draft_list(
    services: Services, content: BinaryIO, *, filename: str, source: str, by: str, unit_id: int | None
) -> int:
    """The file is kept, sealed, for the person who uploaded it; its id. Raises `UnusableFile` for what is no list, of
    which nothing is kept; one whose phone column is not recognised is kept, since a person can name that column.
    """
    who, named = actor_name(by), _source(source)
    try:
        options = options_of(services, source=named, filename=filename)
        read_list(content, filename=filename, options=options).close()
    except NoPhoneColumn as fault:
        if not fault.headings:
            raise
    content.seek(0)
    with services.store.begin() as tx:
        now = services.clock.now()
        draft_id = create_load(
            tx,
            filename=filename,
            source=named,
            content=content,
            by=who,
            now=now,
            unit_id=unit_id,
            state=LoadState.DRAFT,
        )
        extend_draft(tx, draft_id, until=services.real.now() + KEPT)
    return draft_id


def drafts_of(services: Services, *, by: str) -> tuple[Load, ...]:
    """This person's, newest first."""
    with services.store.begin() as tx:
        return drafts_by(tx, by=by)


def show_draft(services: Services, draft_id: int, *, by: str) -> Load:
    """Raises `NotFound` for what is no draft, or another person's."""
    with services.store.begin() as tx:
        return get_draft(tx, draft_id, by=by)


def correct_draft(
    services: Services, draft_id: int, columns: Mapping[str, Field | None], *, source: str, by: str
) -> None:
    """This list, and every later one of its source, is read with this mapping: by heading, None for a column without a
    field. A heading that already has its field is no correction. Raises `NotFound`, `Invalid`.
    """
    who, named = actor_name(by), _source(source)
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=who)
        understood = {one.heading: one.field for one in reversed(columns_of_load(tx, draft_id))}
        rename_draft(tx, draft_id, source=named)
    changed = {
        heading: meant
        for heading, meant in columns.items()
        if heading and meant is not understood.get(heading)
    }
    if changed:
        correct_columns(services, named or default_source(draft.filename), changed, by=who)


def forget_corrections(services: Services, draft_id: int, *, by: str) -> None:
    """The headings of this list's source have their own meaning again. Raises `NotFound`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=who)
        source = draft.source or default_source(draft.filename)
        delete_column_mapping(tx, source)
        rename_draft(tx, draft_id, source=draft.source)
        write_audit(
            tx, who=who, act="forget_columns", subject="list_mapping", why=source, now=services.clock.now()
        )


def load_draft(services: Services, draft_id: int, *, by: str) -> bool:
    """It waits for a worker; True when it is so large that a second person must approve all but its high grades. Raises
    `NotFound`, `UnusableFile`.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=who)
    most = services.work.approve_above_rows
    rows = draft.total
    if rows is None:
        with _reading(services, draft) as reader:
            rows = sum(1 for _ in islice(reader, most + 1))
    is_large = 0 < most < rows
    subject, facts = f"list_load/{draft_id}", {} if draft.total is None else {"rows": draft.total}
    with services.store.begin() as tx:
        now = services.clock.now()
        if not release_draft(tx, draft_id, by=who, needs_approval=is_large, now=now):
            raise NotFound(kind="draft", key=draft_id)
        write_audit(tx, who=who, act="load_list", subject=subject, why="", now=now, facts=facts)
    services.enqueue("load_list", draft_id)
    return is_large


def forget_draft(services: Services, draft_id: int, *, by: str) -> None:
    """It and its file are gone. Raises `NotFound`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        if not delete_draft(tx, draft_id, by=who):
            raise NotFound(kind="draft", key=draft_id)


def forget_old_drafts(services: Services) -> int:
    """Deletes the drafts whose time is over; how many."""
    with services.store.begin() as tx:
        return delete_old_drafts(tx, real_now=services.real.now())


@contextmanager
def _reading(services: Services, load: Load) -> Iterator[ListReader]:
    """Its file, read as it would be loaded."""
    options = options_of(services, source=load.source, filename=load.filename)
    with (
        stored_file(services, load.id) as content,
        read_list(content, filename=load.filename, options=options) as reader,
    ):
        yield reader


def _source(text: str) -> str:
    source = " ".join(text.split())
    if len(source) > LONGEST_SOURCE:
        raise Invalid(field="source", problem="is longer than 100 characters")
    return source


TRIED = 2000
"""Rows that are loaded and undone: other arrivals wait meanwhile, so they are few."""
COUNTED = 20_000
"""Rows that are read for the counts and the refused ones."""
_FIRST = 10
_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One row as it would be, masked."""

    line: int
    sheet: str
    result: RowResult
    person: MaskedPerson | None = None
    instruction_no: str = ""
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    unit: str = ""
    amount_at_risk_fen: int | None = None
    produced_at: datetime | None = None
    case_id: int | None = None
    """The case that it joins, where the reader may see it."""
    joins_line: int | None = None
    """The line above that opens the case it joins."""
    column: str = ""
    reason: Text = field(default_factory=lambda: Text(""))
    high_grade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The preview of a list. `accepted`, `duplicate`, `early` and `rejected` add up to the rows read."""

    source: str
    columns: tuple[Column, ...]
    corrected: Mapping[str, Field | None]
    """The corrections of this source's columns."""
    read: int
    is_whole: bool
    """Every row was read; else there are more than `read`."""
    total: int | None
    """How many rows there are, once the file has been read to its end."""
    accepted: int
    duplicate: int
    early: int
    rejected: int
    tried: int
    merged: int
    """Of those tried; they are accepted too."""
    first: tuple[PreviewRow, ...]
    merges: tuple[PreviewRow, ...]
    rejects: tuple[PreviewRow, ...]
    notices: Mapping[NoticeCode, int]
    """How many of the rows read carry each."""
    grades: Mapping[Grade, int]
    """Of the accepted ones."""
    waits_above: int
    """A list of more rows waits for approval, but for its high grades; 0: none does."""

    @property
    def is_large(self) -> bool:
        return 0 < self.waits_above < (self.read if self.total is None else self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of the whole file."""

    rows: int
    rejected: int


@dataclass(slots=True)
class _Rollup:
    """What is counted while a list is read."""

    read: int = 0
    rejected: int = 0
    rejects: list[Rejected] = field(default_factory=list)
    grade_of: dict[tuple[str, str], Grade] = field(default_factory=dict)
    """Of the accepted rows, by their key: each once."""
    notices: Counter[NoticeCode] = field(default_factory=Counter)

    def items(self, reader: ListReader, *, at_most: int) -> Iterator[Accepted | Rejected]:
        for item in islice(reader, at_most):
            self.read += 1
            if isinstance(item, Rejected):
                self.rejected += 1
                if len(self.rejects) < _LISTED:
                    self.rejects.append(item)
            else:
                self.grade_of.setdefault(item.record.key, item.record.grade)
                self.notices.update(notice.code for notice in item.notices)
            yield item


def preview_list(services: Services, content: BinaryIO, *, filename: str, source: str) -> LoadReport:
    """The dry run: every row is loaded, batch by batch, and all of it is undone. Raises `UnusableFile`."""
    options = options_of(services, source=source, filename=filename)
    reader = read_list(content, filename=filename, options=options)
    items = iter(reader)
    counts = Counter(counts_of([], _NOTHING_TAKEN))
    rejects: list[RejectedRow] = []
    with services.store.trial() as tx:
        while batch := list(islice(items, TRIED)):
            now = services.clock.now()
            prepared = prepare_arrivals(tx, services, accepted_of(batch), load_id=None, now=now)
            counts.update(counts_of(batch, take_arrivals(tx, services, prepared)))
            rejects += [RejectedRow.of(item) for item in batch if isinstance(item, Rejected)]
    return LoadReport(load_id=None, skipped=reader.skipped, rejects=tuple(rejects), **counts)


def look_at_draft(services: Services, draft_id: int, *, by: str, visible_to: int | None) -> Look:
    """The draft is kept longer; nothing of it is loaded. Raises `NotFound`, `UnusableFile`."""
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=by)
        extend_draft(tx, draft_id, until=services.real.now() + KEPT)
    look = _look(services, draft, visible_to)
    with services.store.begin() as tx:
        note_draft_length(tx, draft_id, total=look.read if look.is_whole else None, columns=look.columns)
    return look


def look_at_waiting(services: Services, load_id: int, *, visible_to: int | None) -> Look:
    """The rest of a list that a second person may approve. Raises `NotFound`, and `Conflict` when it does not wait (any
    more).
    """
    check_load_visible(services, load_id, visible_to=visible_to)
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
    if load.state is not LoadState.HELD:
        raise Conflict(Text("load %(load)s does not wait for approval", load=load_id))
    return _look(services, load, visible_to)


def measure_draft(services: Services, draft_id: int, *, by: str) -> Measured:
    """The whole file is counted. Raises `NotFound`, `UnusableFile`."""
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=by)
    rows = rejected = 0
    with _reading(services, draft) as reader:
        for item in reader:
            rows += 1
            rejected += isinstance(item, Rejected)
    with services.store.begin() as tx:
        note_draft_length(tx, draft_id, total=rows, columns=reader.columns)
    return Measured(rows=rows, rejected=rejected)


def _look(services: Services, load: Load, visible_to: int | None) -> Look:
    rollup = _Rollup()
    options = options_of(
        services,
        source=load.source,
        filename=load.filename,
        load=None if load.state is LoadState.DRAFT else load,
    )
    with stored_file(services, load.id) as content:
        reader = read_list(content, filename=load.filename, options=options)
        items = rollup.items(reader, at_most=COUNTED)
        head = list(islice(items, TRIED))
        for _ in items:
            pass
        is_whole = next(iter(reader), None) is None
    trial = _try(services, load.id, accepted_of(head), visible_to)
    rows = list(_preview_rows(head, trial))
    with services.store.begin() as tx:
        known = _known(tx, list(rollup.grade_of))
        early = keys_loaded_early(tx, load.id, list(known))
    fresh = Counter(grade for key, grade in rollup.grade_of.items() if key not in known)
    accepted = fresh.total()
    return Look(
        source=load.source or default_source(load.filename),
        columns=reader.columns,
        corrected=options.corrections,
        read=rollup.read,
        is_whole=is_whole,
        total=rollup.read if is_whole else load.total,
        accepted=accepted,
        duplicate=rollup.read - rollup.rejected - accepted - len(early),
        early=len(early),
        rejected=rollup.rejected,
        tried=len(head),
        merged=trial.taken.merged,
        first=tuple(rows[:_FIRST]),
        merges=tuple(row for row in rows if row.result is RowResult.JOINS)[:_LISTED],
        rejects=tuple(_refused_row(item) for item in rollup.rejects),
        notices=dict(rollup.notices.most_common()),
        grades={grade: fresh[grade] for grade in Grade if fresh[grade]},
        waits_above=services.work.approve_above_rows,
    )


def _known(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for start in range(0, len(keys), TRIED):
        found |= cases_of_warnings(tx, keys[start : start + TRIED]).keys()
    return found


_NOTHING_TAKEN = Taken(accepted=0, merged=0, duplicate=0, case_ids=(), joined=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    taken: Taken
    targets: Mapping[int, bool]
    """Of the cases that were there before, whether the reader may see them."""
    early: set[tuple[str, str]]


def _try(services: Services, load_id: int, tried: Sequence[Accepted], visible_to: int | None) -> _Trial:
    """They are loaded, and that is undone at once."""
    if not tried:
        return _Trial(taken=_NOTHING_TAKEN, targets={}, early=set())
    with services.store.trial() as tx:
        prepared = prepare_arrivals(tx, services, tried, load_id=load_id, now=services.clock.now())
        early = keys_loaded_early(tx, load_id, [item.record.key for item in tried])
        taken = take_arrivals(tx, services, prepared)
        joined = {
            case_id
            for case_id, is_joined in zip(taken.case_ids, taken.joined, strict=True)
            if is_joined and case_id is not None
        }
        targets = visible_among_cases(tx, sorted(joined), visible_to=visible_to)
        new = {one.case_id for one in prepared.records}
        return _Trial(
            taken=taken,
            targets={case_id: seen for case_id, seen in targets.items() if case_id not in new},
            early=early,
        )


def _preview_rows(head: Sequence[Accepted | Rejected], trial: _Trial) -> Iterator[PreviewRow]:
    fates = iter(zip(trial.taken.case_ids, trial.taken.joined, strict=True))
    opened: dict[int, int] = {}
    for item in head:
        if isinstance(item, Rejected):
            yield _refused_row(item)
            continue
        case_id, joined = next(fates)
        if case_id is None:
            is_early = item.record.key in trial.early
            yield _accepted_row(item, RowResult.EARLY if is_early else RowResult.DUPLICATE)
        elif joined:
            is_seen = trial.targets.get(case_id, False)
            yield _accepted_row(
                item, RowResult.JOINS, case_id=case_id if is_seen else None, joins_line=opened.get(case_id)
            )
        else:
            opened[case_id] = item.line
            yield _accepted_row(item, RowResult.NEW)


def _accepted_row(
    item: Accepted, result: RowResult, *, case_id: int | None = None, joins_line: int | None = None
) -> PreviewRow:
    record = item.record
    person = Person(
        name=record.name,
        phones=record.phones,
        id_number=record.id_number,
        address=record.address,
        family_contact=record.family_contact,
    )
    return PreviewRow(
        line=item.line,
        sheet=item.sheet,
        result=result,
        person=masked(person),
        instruction_no="" if record.instruction_derived else record.instruction_no,
        grade=record.grade,
        fraud_type=record.fraud_type,
        unit=record.unit,
        amount_at_risk_fen=record.amount_at_risk_fen,
        produced_at=record.produced_at,
        case_id=case_id,
        joins_line=joins_line,
    )


def _refused_row(item: Rejected) -> PreviewRow:
    return PreviewRow(
        line=item.line,
        sheet=item.sheet,
        result=RowResult.REFUSED,
        column=item.column,
        reason=item.reason,
        high_grade=item.high_grade,
    )


def write_reject_list(services: Services, load_id: int, path: Path) -> int:
    """The file is there afterwards; how many rows. Raises `NotFound`."""
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
        columns = columns_of_load(tx, load_id)
        rejects = rejects_of_load(tx, load_id)
    return write_rejects(path, columns, rejects, source=load.source or default_source(load.filename))


def export_rejects(services: Services, load_id: int, path: Path, *, who: str, visible_to: int | None) -> int:
    """As `write_reject_list`, audited first. Raises `NotFound`."""
    viewer = actor_name(who)
    check_load_visible(services, load_id, visible_to=visible_to)
    _note(services, load_id, who=viewer)
    return write_reject_list(services, load_id, path)


def export_draft_rejects(services: Services, draft_id: int, path: Path, *, who: str) -> int:
    """Of a draft, read again to its end; audited first. Raises `NotFound`, `UnusableFile`."""
    viewer = actor_name(who)
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=viewer)
    _note(services, draft_id, who=viewer)
    options = options_of(services, source=draft.source, filename=draft.filename)
    with stored_file(services, draft_id) as content:
        # The columns of all tables of the file are known only at its end.
        with read_list(content, filename=draft.filename, options=options) as reader:
            for _ in reader:
                pass
            columns = reader.columns
        content.seek(0)
        with read_list(content, filename=draft.filename, options=options) as reader:
            rejects = (item for item in reader if isinstance(item, Rejected))
            return write_rejects(
                path, columns, rejects, source=draft.source or default_source(draft.filename)
            )


def _note(services: Services, load_id: int, *, who: str) -> None:
    with services.store.begin() as tx:
        write_audit(
            tx,
            who=who,
            act="export",
            subject=f"list_load/{load_id}",
            why="",
            now=services.clock.now(),
            facts={"what": "rejects"},
        )
