"""A list before it is loaded: uploaded as a draft, stored sealed, previewed by loading its first rows and rolling that
back, then released or discarded. Also the dry run, the preview of a list that waits for approval, and the workbook of
rejected rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from io import SEEK_END
from itertools import islice
from typing import BinaryIO

from dialer.cases.persons import MaskedPerson, Person, mask_name, mask_person, mask_phone
from dialer.cases.search import visible_among_cases
from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid, NoPhoneColumn, NotFound, TooMany
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Grade, LoadState, RowResult
from dialer.db.unit_of_work import Tx
from dialer.intake.cells import shown
from dialer.intake.reader import ListReader, default_source
from dialer.intake.records import (
    KEPT_IN_CLEAR,
    Accepted,
    Column,
    Field,
    NoticeCode,
    Record,
    Rejected,
    hide_numbers,
)
from dialer.runtime.services import Services
from dialer.warnings.arrivals import Taken, prepare_arrivals, take_arrivals
from dialer.warnings.list_store import (
    Load,
    columns_of_load,
    create_load,
    decide_amounts_of_draft,
    delete_draft,
    delete_old_drafts,
    extend_draft,
    get_draft,
    get_load,
    keys_loaded_early,
    lock_drafts_of,
    note_draft_length,
    release_draft,
    rename_draft,
)
from dialer.warnings.lists import (
    LoadReport,
    accepted_of,
    check_load_visible,
    correct_columns,
    counts_of,
    options_of,
    read_list,
    reading,
)
from dialer.warnings.mapping_store import delete_column_mapping
from dialer.warnings.warning_store import cases_of_warnings

KEPT = timedelta(hours=4)
"""A draft that is not opened for this long is deleted with its file."""
LONGEST_SOURCE = 100
MOST_DRAFTS = 20
"""The most drafts of one person; as many as the page shows."""
MOST_DRAFT_BYTES = 1 << 30
"""The most bytes of all drafts of one person together."""


def draft_list(services: Services, actor: Actor, content: BinaryIO, *, filename: str, source: str) -> int:
    """Stores the file, sealed, as a draft of the person who uploaded it; returns its id. Raises `UnusableFile` for a
    file that is not a list, which is not stored. A list whose phone column is not recognised is stored, because a
    person can name that column. Raises `TooMany` at `MOST_DRAFTS` drafts of this person, or `MOST_DRAFT_BYTES`
    together.
    """
    actor.check_may(Permission.LOAD_LISTS)
    named = _source(source)
    size = content.seek(0, SEEK_END)
    content.seek(0)
    with services.store.begin() as tx:  # before the file is read, which is expensive
        _check_drafts(tx, services, actor.name, size)
    columns: tuple[Column, ...] = ()
    try:
        options = options_of(services, source=named, filename=filename)
        with read_list(content, filename=filename, options=options) as reader:
            columns = reader.columns
    except NoPhoneColumn as fault:
        if not fault.headings:
            raise
    content.seek(0)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        _check_drafts(act.tx, services, act.by, size)
        draft_id = create_load(
            act.tx,
            filename=filename,
            source=named,
            content=content,
            by=act.by,
            now=act.now,
            unit_id=actor.unit_id,
            state=LoadState.DRAFT,
        )
        extend_draft(act.tx, draft_id, until=services.real.now() + KEPT)
        note_draft_length(act.tx, draft_id, total=None, columns=columns)
    return draft_id


def _check_drafts(tx: Tx, services: Services, who: str, size: int) -> None:
    """Raises `TooMany` if one more draft of `size` bytes is too much. Nobody else can add a draft for this person
    before the transaction ends.
    """
    drafts, kept = lock_drafts_of(tx, by=who, real_now=services.real.now())
    if drafts >= MOST_DRAFTS:
        raise TooMany(
            Text("you have %(n)s files that are not loaded yet: load or discard some first", n=MOST_DRAFTS)
        )
    if kept + size > MOST_DRAFT_BYTES:
        raise TooMany(
            Text(
                "your files that are not loaded yet would take more than %(megabytes)s MB: load or discard some first",
                megabytes=MOST_DRAFT_BYTES >> 20,
            )
        )


def correct_draft(
    services: Services,
    actor: Actor,
    draft_id: int,
    columns: Mapping[str, Field | None],
    *,
    source: str,
    grades: Mapping[str, Grade] | None = None,
) -> None:
    """Applies a column mapping to this list and every later one of its source: by heading, None for a column without a
    field. A heading that already has its field is not a correction, unless it waits for a decision: then any choice is
    one. `grades` says what words mean that are no grade by themselves. Raises `NotFound` and `Invalid`.
    """
    named = _source(source)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        draft = get_draft(act.tx, draft_id, by=act.by)
        read = columns_of_load(act.tx, draft_id)
        understood = {column.heading: column.field for column in reversed(read)}
        waiting = undecided(read)
        rename_draft(act.tx, draft_id, source=named)
        act.needs_no_record()
    changed = {
        heading: meant
        for heading, meant in columns.items()
        if heading and (heading in waiting or meant is not understood.get(heading))
    }
    if changed or grades:
        correct_columns(services, actor, named or default_source(draft.filename), changed, grades=grades)


def forget_corrections(services: Services, actor: Actor, draft_id: int) -> None:
    """Removes the column mapping of the source of this list: its headings have their own meaning again. Raises
    `NotFound`.
    """
    with services.act(actor, Permission.LOAD_LISTS) as act:
        draft = get_draft(act.tx, draft_id, by=act.by)
        source = draft.source or default_source(draft.filename)
        delete_column_mapping(act.tx, source)
        rename_draft(act.tx, draft_id, source=draft.source)
        act.audit("forget_columns", "list_mapping", why=source)


def load_draft(services: Services, actor: Actor, draft_id: int) -> bool:
    """Releases the draft to a worker; True when it is so large that a second person must approve everything but its
    high grades. Raises `NotFound` and `UnusableFile`, and `Conflict` while a person must say what a column holds
    or whether implausible amounts are right.
    """
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=actor.name)
        waiting = undecided(columns_of_load(tx, draft_id))
    if draft.asks_about_amounts:
        raise Conflict(gettext_noop("say first whether the implausible amounts are right"))
    if waiting:
        headings = ", ".join(waiting)
        raise Conflict(Text("say first what these columns hold: %(headings)s", headings=headings))
    most = services.work.approve_above_rows
    rows = draft.total
    if rows is None:
        with reading(services, draft) as reader:
            rows = sum(1 for _ in islice(reader, most + 1))
    is_large = 0 < most < rows
    subject, facts = f"list_load/{draft_id}", {} if draft.total is None else {"rows": draft.total}
    with services.act(actor, Permission.LOAD_LISTS) as act:
        real_now = services.real.now()
        if not release_draft(
            act.tx, draft_id, by=act.by, needs_approval=is_large, now=act.now, real_now=real_now
        ):
            raise NotFound(kind="uploaded list", key=draft_id)
        act.audit("load_list", subject, facts=facts)
    services.enqueue("load_list", draft_id)
    return is_large


def decide_amounts(services: Services, actor: Actor, draft_id: int, *, believed: bool) -> None:
    """Records whether the implausible amounts of the draft are taken as they stand; otherwise its rows are loaded
    without them. Raises `NotFound`.
    """
    with services.act(actor, Permission.LOAD_LISTS) as act:
        get_draft(act.tx, draft_id, by=act.by)
        decide_amounts_of_draft(act.tx, draft_id, believed=believed)
        act.audit("decide_amounts", f"list_load/{draft_id}", facts={"believed": believed})


def undecided(columns: Iterable[Column]) -> Mapping[str, Field]:
    """The columns that nobody has mapped although they look important, by heading, with what they look like."""
    return {column.heading: column.likely for column in columns if column.likely is not None}


def forget_draft(services: Services, actor: Actor, draft_id: int) -> None:
    """Deletes the draft and its file. Raises `NotFound`."""
    with services.act(actor, Permission.LOAD_LISTS) as act:
        if not delete_draft(act.tx, draft_id, by=act.by):
            raise NotFound(kind="uploaded list", key=draft_id)
        act.needs_no_record()


def forget_old_drafts(services: Services) -> int:
    """Deletes the drafts whose time is over; returns how many."""
    with services.store.begin() as tx:
        return delete_old_drafts(tx, real_now=services.real.now())


def _source(text: str) -> str:
    source = " ".join(text.split())
    if len(source) > LONGEST_SOURCE:
        raise Invalid(field="source", problem="is longer than 100 characters")
    return source


TRIED = 2000
"""Rows that are loaded and rolled back: other arrivals wait meanwhile, so they are few."""
COUNTED = 20_000
"""Rows that are read for the counts and the rejected rows."""
PAGE_ROWS = 50
_LISTED = 200
REJECTED = "rejected"
"""The problem of rejected rows; those of accepted rows are their notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows of a list are shown: those with a problem (`REJECTED` or a `NoticeCode`, '' for all rows), on a page
    counted from 1.
    """

    problem: str = ""
    page: int = 1

    def matches(self, item: Accepted | Rejected) -> bool:
        """Whether the row has the problem."""
        if not self.problem:
            return True
        if isinstance(item, Rejected):
            return self.problem == REJECTED
        return any(notice.code.value == self.problem for notice in item.notices)

    @property
    def window(self) -> range:
        """The places, from 0, of the rows of the page among those that match."""
        return range((self.page - 1) * PAGE_ROWS, self.page * PAGE_ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """A row with what would become of it. The person is masked."""

    item: Accepted | Rejected
    result: RowResult | None
    """None for a row that can be loaded and was not tried."""
    person: MaskedPerson | None = None
    case_id: int | None = None
    """The case that it joins, if the reader may find it."""
    joins_line: int | None = None
    """The earlier line that opens the case that it joins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPreview:
    """The preview of a list. `accepted`, `duplicate`, `early` and `rejected` add up to the rows read."""

    source: str
    columns: tuple[Column, ...]
    corrected: Mapping[str, Field | None]
    """The corrections of this source's columns."""
    grade_words: Mapping[str, Grade]
    """What words of this source's grades mean."""
    unread_grades: Mapping[str, int]
    """The words of the rows read that are no grade, with how many rows have each."""
    samples: Mapping[str, tuple[str, ...]]
    """A few cells of each column, by heading. Persons are masked."""
    read: int
    is_whole: bool
    """Every row was read; otherwise there are more rows than `read`."""
    total: int | None
    """How many rows there are, once the file has been read to its end."""
    accepted: int
    duplicate: int
    early: int
    rejected: int
    tried: int
    merged: int
    """Of the rows tried; they count as accepted too."""
    finds_cases: bool
    """Whether joins of cases that are open already are told, and counted."""
    shown: RowFilter
    rows: tuple[PreviewRow, ...]
    """The rows that are shown."""
    matching: int
    """How many of the rows read match what is shown."""
    merges: tuple[PreviewRow, ...]
    notices: Mapping[NoticeCode, int]
    """How many of the rows read have each notice."""
    grades: Mapping[Grade, int]
    """How many of the accepted rows have each grade."""
    waits_above: int
    """A list with more rows waits for approval, except for its high grades; 0: no list waits."""

    @property
    def undecided(self) -> Mapping[str, Field]:
        """The columns of which a person must say what they hold, with what they look like."""
        return undecided(self.columns)

    @property
    def pages(self) -> int:
        """How many pages the matching rows take."""
        return -(-self.matching // PAGE_ROWS)

    @property
    def is_large(self) -> bool:
        """Whether loading it would wait for a second person."""
        return 0 < self.waits_above < (self.read if self.total is None else self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """Counts of the whole file."""

    rows: int
    rejected: int


@dataclass(slots=True)
class _Rollup:
    """The counts that are made while a list is read."""

    read: int = 0
    rejected: int = 0
    grade_of: dict[tuple[str, str], Grade] = field(default_factory=dict)
    """The grade of the accepted rows by their key, each once."""
    notices: Counter[NoticeCode] = field(default_factory=Counter)
    shown: RowFilter = field(default_factory=RowFilter)
    rows: list[tuple[Accepted | Rejected, bool]] = field(default_factory=list)
    """The rows that are shown, and whether no row above has their key."""
    matching: int = 0

    def _show(self, item: Accepted | Rejected) -> None:
        if self.shown.matches(item):
            if self.matching in self.shown.window:
                is_first = isinstance(item, Rejected) or item.record.key not in self.grade_of
                self.rows.append((item, is_first))
            self.matching += 1

    def items(self, reader: ListReader, *, at_most: int) -> Iterator[Accepted | Rejected]:
        for item in islice(reader, at_most):
            self.read += 1
            self._show(item)
            if isinstance(item, Rejected):
                self.rejected += 1
            else:
                self.grade_of.setdefault(item.record.key, item.record.grade)
                self.notices.update(notice.code for notice in item.notices)
            yield item


def preview_list(services: Services, content: BinaryIO, *, filename: str, source: str) -> LoadReport:
    """The dry run: loads every row, batch by batch, and rolls all of it back. Raises `UnusableFile`."""
    options = options_of(services, source=source, filename=filename)
    counts: Counter[str] = Counter()
    rejects: list[Rejected] = []
    with (
        read_list(content, filename=filename, options=options) as reader,
        services.store.begin_and_roll_back() as tx,
    ):
        items = iter(reader)
        while batch := list(islice(items, TRIED)):
            now = services.clock.now()
            prepared = prepare_arrivals(tx, services, accepted_of(batch), load_id=None, now=now)
            counts.update(counts_of(batch, take_arrivals(tx, services, prepared)))
            rejects += [item for item in batch if isinstance(item, Rejected)]
    return LoadReport(load_id=None, skipped=reader.skipped, rejects=tuple(rejects), **counts)


def preview_draft(
    services: Services,
    draft_id: int,
    *,
    by: str,
    visible_to: int | None,
    shown: RowFilter,
    finds_cases: bool,
) -> ListPreview:
    """The preview of a draft, whose deletion is postponed; nothing of it is loaded. `finds_cases`: the reader may look
    at persons in clear; nobody else is told which rows are about somebody who has a case. Raises `NotFound` and
    `UnusableFile`.
    """
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=by)
        extend_draft(tx, draft_id, until=services.real.now() + KEPT)
    look = _preview(services, draft, visible_to, shown, finds_cases=finds_cases)
    with services.store.begin() as tx:
        note_draft_length(
            tx,
            draft_id,
            total=look.read if look.is_whole else None,
            columns=look.columns,
            amounts_doubted=NoticeCode.AMOUNT_IMPLAUSIBLE in look.notices,
        )
    return look


def preview_waiting_list(
    services: Services, load_id: int, *, visible_to: int | None, shown: RowFilter, finds_cases: bool
) -> ListPreview:
    """The preview of the rest of a list that a second person can approve; `finds_cases` as for a draft. Raises
    `NotFound`, and `Conflict` when it does not wait (any more).
    """
    check_load_visible(services, load_id, visible_to=visible_to)
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
    if load.state is not LoadState.HELD:
        raise Conflict(Text("load %(load)s does not wait for approval", load=load_id))
    return _preview(services, load, visible_to, shown, finds_cases=finds_cases)


def measure_draft(services: Services, draft_id: int, *, by: str) -> FileCounts:
    """Counts the whole file. Raises `NotFound` and `UnusableFile`."""
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=by)
    rows = rejected = 0
    with reading(services, draft) as reader:
        for item in reader:
            rows += 1
            rejected += isinstance(item, Rejected)
    with services.store.begin() as tx:
        note_draft_length(tx, draft_id, total=rows, columns=reader.columns)
    return FileCounts(rows=rows, rejected=rejected)


def _preview(
    services: Services, load: Load, visible_to: int | None, shown: RowFilter, *, finds_cases: bool
) -> ListPreview:
    rollup = _Rollup(shown=shown)
    with reading(services, load) as reader:
        items = rollup.items(reader, at_most=COUNTED)
        head = list(islice(items, TRIED))
        for _ in items:
            pass
        is_whole = next(iter(reader), None) is None
    taken, targets = _trial_load(services, load.id, accepted_of(head), visible_to)
    with services.store.begin() as tx:
        known = _known(tx, list(rollup.grade_of))
        early = set(keys_loaded_early(tx, load.id, list(known)))
    found = {case_id for case_id, is_seen in targets.items() if is_seen and finds_cases}
    rows = list(_preview_rows(head, taken, found=found, early=early))
    fresh = Counter(grade for key, grade in rollup.grade_of.items() if key not in known)
    accepted = fresh.total()
    return ListPreview(
        source=load.source or default_source(load.filename),
        columns=reader.columns,
        corrected=reader.options.corrections,
        grade_words=reader.options.grade_words,
        unread_grades={
            word: n for word, n in reader.unread_grades.most_common() if word == hide_numbers(word)
        },
        samples={
            column.heading: tuple(_masked_cell(cell, column) for cell in samples)
            for column in reversed(reader.columns)
            if (samples := reader.samples[column.table, column.index])
        },
        read=rollup.read,
        is_whole=is_whole,
        total=rollup.read if is_whole else load.total,
        accepted=accepted,
        duplicate=rollup.read - rollup.rejected - accepted - len(early),
        early=len(early),
        rejected=rollup.rejected,
        tried=len(head),
        finds_cases=finds_cases,
        merged=sum(row.result is RowResult.JOINS for row in rows),
        shown=shown,
        rows=tuple(_shown_rows(rollup.rows, rows, known)),
        matching=rollup.matching,
        merges=tuple(row for row in rows if row.result is RowResult.JOINS)[:_LISTED],
        notices=dict(rollup.notices.most_common()),
        grades={grade: fresh[grade] for grade in Grade if fresh[grade]},
        waits_above=services.work.approve_above_rows,
    )


def _known(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for start in range(0, len(keys), TRIED):
        found |= cases_of_warnings(tx, keys[start : start + TRIED]).keys()
    return found


def _trial_load(
    services: Services, load_id: int, tried: Sequence[Accepted], visible_to: int | None
) -> tuple[Taken, dict[int, bool]]:
    """Loads the rows and rolls that back at once. Also returns, for each case that existed before and is joined,
    whether the unit sees it.
    """
    with services.store.begin_and_roll_back() as tx:
        prepared = prepare_arrivals(tx, services, tried, load_id=load_id, now=services.clock.now())
        taken = take_arrivals(tx, services, prepared)
        new = {record.case_id for record in prepared.records}
        joined = {
            case_id
            for case_id, is_joined in zip(taken.case_ids, taken.joined, strict=True)
            if is_joined and case_id is not None and case_id not in new
        }
        return taken, dict(visible_among_cases(tx, sorted(joined), visible_to=visible_to))


def _preview_rows(
    head: Sequence[Accepted | Rejected],
    taken: Taken,
    *,
    found: Collection[int],
    early: set[tuple[str, str]],
) -> Iterator[PreviewRow]:
    """What would become of each row. Only joins of cases of `found`, and of those that a row of the list opens, are
    told: a list of guesses would tell who has a case.
    """
    fates = iter(zip(taken.case_ids, taken.joined, strict=True))
    opened: dict[int, int] = {}
    for item in head:
        if isinstance(item, Rejected):
            yield PreviewRow(item=item, result=RowResult.REFUSED)
            continue
        case_id, joined = next(fates)
        row = partial(PreviewRow, item=item, person=_masked(item.record))
        if case_id is None:
            is_early = item.record.key in early
            yield row(result=RowResult.EARLY if is_early else RowResult.DUPLICATE)
        elif joined and (case_id in found or case_id in opened):
            seen = case_id if case_id in found else None
            yield row(result=RowResult.JOINS, case_id=seen, joins_line=opened.get(case_id))
        else:
            opened[case_id] = item.line
            yield row(result=RowResult.NEW)


def _shown_rows(
    shown: Sequence[tuple[Accepted | Rejected, bool]],
    tried: Sequence[PreviewRow],
    known: set[tuple[str, str]],
) -> Iterator[PreviewRow]:
    """The rows that are shown. Of rows that were not tried only rejects and duplicates are told."""
    of_item = {id(row.item): row for row in tried}
    for item, is_first in shown:
        if (row := of_item.get(id(item))) is not None:
            yield row
        elif isinstance(item, Rejected):
            yield PreviewRow(item=item, result=RowResult.REFUSED)
        else:
            is_fresh = is_first and item.record.key not in known
            result = None if is_fresh else RowResult.DUPLICATE
            yield PreviewRow(item=item, result=result, person=_masked(item.record))


def _masked_cell(cell: str, column: Column) -> str:
    """A cell as the page of a draft shows it. What no column of known content holds may be of a person."""
    meant = column.field or column.likely
    if meant is Field.PHONE:
        return mask_phone(cell)
    if meant in KEPT_IN_CLEAR:
        return shown(hide_numbers(cell))
    return mask_name(cell)


def _masked(record: Record) -> MaskedPerson:
    person = Person(
        name=record.name,
        phones=record.phones,
        id_number=record.id_number,
        address=record.address,
        family_contact=record.family_contact,
        coordinates=record.coordinates,
    )
    return mask_person(person)
