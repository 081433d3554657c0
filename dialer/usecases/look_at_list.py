"""What loading a list would do, before anything of it is in the books, and what the rest of one that waits would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from dialer.domain.load import LoadState, RowFate
from dialer.domain.values import FraudType, Grade
from dialer.errors import Conflict
from dialer.intake.reader import ListReader, default_source, read_list
from dialer.intake.records import Accepted, Column, Field, NoticeCode, Rejected
from dialer.language import Text
from dialer.store import drafts, load_acts, loads, warnings
from dialer.store.loads import Load, RejectedRow
from dialer.store.people import Person
from dialer.store.reads import case_search
from dialer.store.reads.masking import MaskedPerson, masked
from dialer.store.unit_of_work import Tx
from dialer.usecases.draft_list import KEPT, open_draft
from dialer.usecases.engine import Engine
from dialer.usecases.load_list import LoadReport, kept_file, options_of, rejected_row
from dialer.usecases.prepare_arrivals import prepare_arrivals
from dialer.usecases.show_loads import check_load_seen
from dialer.usecases.take_arrivals import Taken, take_arrivals

TRIED = 2000
"""Rows that are taken in for a moment and given back: other arrivals wait meanwhile, so they are few."""
COUNTED = 20_000
"""Rows that are read at once, for the counts and the refused ones."""
_FIRST = 10
_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedRow:
    """One row as it would be, masked."""

    line: int
    sheet: str
    fate: RowFate
    person: MaskedPerson | None = None
    instruction_no: str = ""
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    unit: str = ""
    amount_at_risk_fen: int | None = None
    produced_at: datetime | None = None
    case_id: int | None = None
    """The case in the books that it joins, where the reader may see it."""
    joins_line: int | None = None
    """The line above whose case it joins."""
    column: str = ""
    reason: Text = field(default_factory=lambda: Text(""))
    high_grade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    source: str
    columns: tuple[Column, ...]
    corrected: Mapping[str, Field | None]
    """What was said of this source's columns, now or for an earlier list."""
    read: int
    is_whole: bool
    """Every row was read; else there are more than `read`."""
    total: int | None
    """How many rows there are, once somebody has read to the end."""
    accepted: int
    """Of those read, as are `duplicate`, `early` and `rejected`; together they are all."""
    duplicate: int
    early: int
    rejected: int
    tried: int
    merged: int
    """Of those tried; they are accepted too."""
    first: tuple[LookedRow, ...]
    merges: tuple[LookedRow, ...]
    rejects: tuple[LookedRow, ...]
    notices: Mapping[NoticeCode, int]
    """How many of the rows read carry each."""
    grades: Mapping[Grade, int]
    """Of the accepted ones."""
    waits_above: int
    """A list of more rows waits for a second person, but for its high grades; 0: none does."""

    @property
    def is_large(self) -> bool:
        return 0 < self.waits_above < (self.read if self.total is None else self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of the whole file."""

    rows: int
    rejected: int


@dataclass(slots=True)
class _Tally:
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


def preview_list(engine: Engine, content: BinaryIO, *, filename: str, source: str) -> LoadReport:
    """What loading the whole file would do: every row is taken in, batch by batch, and all of it is undone. Raises
    `UnusableFile`.
    """
    options = options_of(engine, source=source, filename=filename)
    reader = read_list(content, filename=filename, options=options)
    items = iter(reader)
    rows = accepted = merged = duplicate = notices = 0
    rejects: list[RejectedRow] = []
    with engine.store.trial() as tx:
        while batch := list(islice(items, TRIED)):
            arrived = [item for item in batch if isinstance(item, Accepted)]
            rejects += [rejected_row(item) for item in batch if isinstance(item, Rejected)]
            prepared = prepare_arrivals(tx, engine, arrived, load_id=None, now=engine.clock.now())
            taken = take_arrivals(tx, engine, prepared)
            rows += len(batch)
            accepted += taken.accepted
            merged += taken.merged
            duplicate += taken.duplicate
            notices += sum(
                len(item.notices)
                for item, case_id in zip(arrived, taken.case_ids, strict=True)
                if case_id is not None
            )
    return LoadReport(
        load_id=None,
        rows=rows,
        accepted=accepted,
        merged=merged,
        duplicate=duplicate,
        rejected=len(rejects),
        skipped=reader.skipped,
        notices=notices,
        rejects=tuple(rejects),
    )


def look_at_draft(engine: Engine, draft_id: int, *, by: str, seen_by: int | None) -> Look:
    """Nothing is changed but that the draft is kept a while longer. Raises `NotFound`, `UnusableFile`."""
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=by)
        drafts.keep(tx, draft_id, until=engine.real.now() + KEPT)
    look = _look(engine, draft, seen_by)
    with engine.store.begin() as tx:
        columns = [column.plain() for column in look.columns]
        drafts.tell(tx, draft_id, total=look.read if look.is_whole else None, columns=columns)
    return look


def look_at_waiting(engine: Engine, load_id: int, *, seen_by: int | None) -> Look:
    """What a second person would let in. Raises `NotFound`, and `Conflict` when it does not wait (any more)."""
    check_load_seen(engine, load_id, seen_by=seen_by)
    with engine.store.begin() as tx:
        load = loads.get(tx, load_id)
    if load is None or load.state is not LoadState.HELD:
        raise Conflict(Text("load %(load)s does not wait for approval", load=load_id))
    return _look(engine, load, seen_by)


def measure_draft(engine: Engine, draft_id: int, *, by: str) -> Measured:
    """The whole file is counted. Raises `NotFound`, `UnusableFile`."""
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=by)
    rows = rejected = 0
    options = options_of(engine, source=draft.source, filename=draft.filename)
    with kept_file(engine, draft_id) as content:
        reader = read_list(content, filename=draft.filename, options=options)
        for item in reader:
            rows += 1
            rejected += isinstance(item, Rejected)
    with engine.store.begin() as tx:
        drafts.tell(tx, draft_id, total=rows, columns=[column.plain() for column in reader.columns])
    return Measured(rows=rows, rejected=rejected)


def _look(engine: Engine, load: Load, seen_by: int | None) -> Look:
    tally = _Tally()
    options = options_of(
        engine,
        source=load.source,
        filename=load.filename,
        load=None if load.state is LoadState.DRAFT else load,
    )
    with kept_file(engine, load.id) as content:
        reader = read_list(content, filename=load.filename, options=options)
        items = tally.items(reader, at_most=COUNTED)
        head = list(islice(items, TRIED))
        for _ in items:
            pass
        is_whole = next(iter(reader), None) is None
    tried = [item for item in head if isinstance(item, Accepted)]
    trial = _try(engine, load.id, tried, seen_by)
    rows = list(_looked(head, trial))
    with engine.store.begin() as tx:
        known = _known(tx, list(tally.grade_of))
        early = load_acts.loaded_early(tx, load.id, list(known))
    fresh = Counter(grade for key, grade in tally.grade_of.items() if key not in known)
    accepted = fresh.total()
    return Look(
        source=load.source or default_source(load.filename),
        columns=reader.columns,
        corrected=options.corrections,
        read=tally.read,
        is_whole=is_whole,
        total=tally.read if is_whole else load.total,
        accepted=accepted,
        duplicate=tally.read - tally.rejected - accepted - len(early),
        early=len(early),
        rejected=tally.rejected,
        tried=len(head),
        merged=trial.taken.merged,
        first=tuple(rows[:_FIRST]),
        merges=tuple(row for row in rows if row.fate is RowFate.JOINS)[:_LISTED],
        rejects=tuple(_refused(item) for item in tally.rejects),
        notices=dict(tally.notices.most_common()),
        grades={grade: fresh[grade] for grade in Grade if fresh[grade]},
        waits_above=engine.work.approve_above_rows,
    )


def _known(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for start in range(0, len(keys), TRIED):
        found |= warnings.known_keys(tx, keys[start : start + TRIED])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    taken: Taken
    targets: Mapping[int, bool]
    """Of the cases that were there before, whether the reader may see them."""
    early: set[tuple[str, str]]


def _try(engine: Engine, load_id: int, tried: Sequence[Accepted], seen_by: int | None) -> _Trial:
    """What becomes of them when they are taken in, which is undone at once."""
    if not tried:
        nothing = Taken(accepted=0, merged=0, duplicate=0, case_ids=(), joined=())
        return _Trial(taken=nothing, targets={}, early=set())
    with engine.store.trial() as tx:
        prepared = prepare_arrivals(tx, engine, tried, load_id=load_id, now=engine.clock.now())
        early = load_acts.loaded_early(tx, load_id, [item.record.key for item in tried])
        taken = take_arrivals(tx, engine, prepared)
        joined = {
            case_id
            for case_id, is_joined in zip(taken.case_ids, taken.joined, strict=True)
            if is_joined and case_id is not None
        }
        targets = case_search.seen_among(tx, sorted(joined), seen_by=seen_by)
        new = {one.case_id for one in prepared.records}
        return _Trial(
            taken=taken,
            targets={case_id: seen for case_id, seen in targets.items() if case_id not in new},
            early=early,
        )


def _looked(head: Sequence[Accepted | Rejected], trial: _Trial) -> Iterator[LookedRow]:
    fates = iter(zip(trial.taken.case_ids, trial.taken.joined, strict=True))
    opened: dict[int, int] = {}
    for item in head:
        if isinstance(item, Rejected):
            yield _refused(item)
            continue
        case_id, joined = next(fates)
        if case_id is None:
            is_early = item.record.key in trial.early
            yield _taken_in(item, RowFate.EARLY if is_early else RowFate.DUPLICATE)
        elif joined:
            is_seen = trial.targets.get(case_id, False)
            yield _taken_in(
                item,
                RowFate.JOINS,
                case_id=case_id if is_seen else None,
                joins_line=opened.get(case_id),
            )
        else:
            opened[case_id] = item.line
            yield _taken_in(item, RowFate.NEW)


def _taken_in(
    item: Accepted, fate: RowFate, *, case_id: int | None = None, joins_line: int | None = None
) -> LookedRow:
    record = item.record
    person = Person(
        name=record.name,
        phones=record.phones,
        id_number=record.id_number,
        address=record.address,
        family_contact=record.family_contact,
    )
    return LookedRow(
        line=item.line,
        sheet=item.sheet,
        fate=fate,
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


def _refused(item: Rejected) -> LookedRow:
    return LookedRow(
        line=item.line,
        sheet=item.sheet,
        fate=RowFate.REFUSED,
        column=item.column,
        reason=item.reason,
        high_grade=item.high_grade,
    )
