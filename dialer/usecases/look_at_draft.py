"""What loading a list would do, before anything of it is in the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from dialer.domain.load import RowFate
from dialer.domain.values import FraudType, Grade
from dialer.intake.reader import ListReader, default_source, read_list
from dialer.intake.records import Accepted, Column, Field, Notice, Rejected
from dialer.store import drafts, load_acts
from dialer.store.loads import Load
from dialer.store.people import Person
from dialer.store.reads import case_search
from dialer.store.reads.masking import MaskedPerson, masked
from dialer.store.unit_of_work import Tx
from dialer.usecases.draft_list import KEPT, open_draft
from dialer.usecases.engine import Engine
from dialer.usecases.load_list import kept_file, options_of
from dialer.usecases.prepare_arrivals import prepare_arrivals
from dialer.usecases.take_arrivals import Taken, take_arrivals

LOOKED_AT = 2000
"""Rows that are taken in for a moment and given back: other arrivals wait meanwhile, so they are few."""
COUNTED = 50_000
"""Rows that are read at once, for the counts and the refused ones."""
_FIRST = 12
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
    notices: tuple[Notice, ...] = ()
    case_id: int | None = None
    """The case in the books that it joins, where the reader may see it."""
    joins_line: int | None = None
    """The line above whose case it joins."""
    column: str = ""
    reason: str = ""
    high_grade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    draft: Load
    source: str
    columns: tuple[Column, ...]
    corrected: Mapping[str, Field | None]
    """What was said of this source's columns, now or for an earlier list."""
    looked_at: int
    accepted: int
    """Of those looked at, as are `merged` and `duplicate`; merged ones are accepted."""
    merged: int
    duplicate: int
    read: int
    rejected: int
    """Of those read."""
    is_whole: bool
    """Every row was read; else there are more than `read`."""
    skipped: int
    first: tuple[LookedRow, ...]
    merges: tuple[LookedRow, ...]
    rejects: tuple[LookedRow, ...]
    notices: Mapping[str, tuple[str, int]]
    """By code: its message and how many of the rows looked at carry it."""
    grades: Mapping[Grade, int]
    waits_above: int
    """A list of more rows waits for a second person, but for its high grades; 0: none does."""

    @property
    def is_large(self) -> bool:
        return bool(self.waits_above) and (not self.is_whole or self.read > self.waits_above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of the whole file."""

    rows: int
    rejected: int


@dataclass(slots=True)
class _Tally:
    read: int = 0
    rejected: int = 0
    rejects: list[Rejected] = field(default_factory=list)

    def add(self, item: Accepted | Rejected) -> None:
        self.read += 1
        if isinstance(item, Rejected):
            self.rejected += 1
            if len(self.rejects) < _LISTED:
                self.rejects.append(item)


def look_at_draft(engine: Engine, draft_id: int, *, by: str, seen_by: int | None) -> Look:
    """Nothing is changed but that the draft is kept a while longer. Raises `NotFound`, `UnusableFile`."""
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=by)
        drafts.keep(tx, draft_id, until=engine.real.now() + KEPT)
        corrected = load_acts.mapping(tx, draft.source or default_source(draft.filename))
    tally = _Tally()
    with kept_file(engine, draft_id) as content:
        options = options_of(engine, source=draft.source, filename=draft.filename)
        reader = read_list(content, filename=draft.filename, options=options)
        items = _tallied(reader, tally)
        head = list(islice(items, LOOKED_AT))
        for _ in islice(items, COUNTED - len(head)):
            pass
        is_whole = next(items, None) is None
    accepted = [item for item in head if isinstance(item, Accepted)]
    taken, targets = _try(engine, draft_id, accepted, seen_by)
    rows = list(_looked(head, taken, targets))
    total = tally.read if is_whole else None
    with engine.store.begin() as tx:
        drafts.tell(tx, draft_id, total=total, columns=[column.plain() for column in reader.columns])
    return Look(
        draft=draft,
        source=draft.source or default_source(draft.filename),
        columns=reader.columns,
        corrected=corrected,
        looked_at=len(head),
        accepted=taken.accepted,
        merged=taken.merged,
        duplicate=taken.duplicate,
        read=tally.read,
        rejected=tally.rejected,
        is_whole=is_whole,
        skipped=reader.skipped,
        first=tuple(rows[:_FIRST]),
        merges=tuple(row for row in rows if row.fate is RowFate.JOINS)[:_LISTED],
        rejects=tuple(_refused(item) for item in tally.rejects),
        notices=_notices(accepted),
        grades=Counter(item.record.grade for item in accepted),
        waits_above=engine.work.approve_above_rows,
    )


def measure_draft(engine: Engine, draft_id: int, *, by: str) -> Measured:
    """The whole file is counted. Raises `NotFound`, `UnusableFile`."""
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=by)
    tally = _Tally()
    with kept_file(engine, draft_id) as content:
        options = options_of(engine, source=draft.source, filename=draft.filename)
        reader = read_list(content, filename=draft.filename, options=options)
        for _ in _tallied(reader, tally):
            pass
    with engine.store.begin() as tx:
        drafts.tell(tx, draft_id, total=tally.read, columns=[column.plain() for column in reader.columns])
    return Measured(rows=tally.read, rejected=tally.rejected)


def _tallied(reader: ListReader, tally: _Tally) -> Iterator[Accepted | Rejected]:
    for item in reader:
        tally.add(item)
        yield item


class _Undone(Exception):  # carries what was seen out of a transaction that must not stay
    def __init__(self, taken: Taken, targets: Mapping[int, bool]) -> None:
        super().__init__()
        self.taken = taken
        self.targets = targets


def _try(
    engine: Engine, draft_id: int, accepted: Sequence[Accepted], seen_by: int | None
) -> tuple[Taken, Mapping[int, bool]]:
    """What becomes of them when they are taken in, which is undone at once; of the cases that were there before
    whether the reader may see them.
    """
    if not accepted:
        return Taken(accepted=0, merged=0, duplicate=0, case_ids=(), joined=()), {}
    try:
        with engine.store.begin() as tx:
            _take_in(tx, engine, draft_id, accepted, seen_by)
    except _Undone as end:
        return end.taken, end.targets
    raise AssertionError("a look is always undone")


def _take_in(
    tx: Tx, engine: Engine, draft_id: int, accepted: Sequence[Accepted], seen_by: int | None
) -> None:
    now = engine.clock.now()
    taken = take_arrivals(tx, engine, prepare_arrivals(tx, engine, accepted, load_id=draft_id, now=now))
    raise _Undone(taken, _targets(tx, draft_id, taken, seen_by))


def _targets(tx: Tx, draft_id: int, taken: Taken, seen_by: int | None) -> Mapping[int, bool]:
    joined = {
        case_id for case_id, is_joined in zip(taken.case_ids, taken.joined, strict=True)
        if is_joined and case_id is not None
    }  # fmt: skip
    return case_search.opened_elsewhere(tx, sorted(joined), load_id=draft_id, seen_by=seen_by)


def _looked(
    head: Sequence[Accepted | Rejected], taken: Taken, targets: Mapping[int, bool]
) -> Iterator[LookedRow]:
    fates = iter(zip(taken.case_ids, taken.joined, strict=True))
    opened: dict[int, int] = {}
    for item in head:
        if isinstance(item, Rejected):
            yield _refused(item)
            continue
        case_id, joined = next(fates)
        fate = RowFate.DUPLICATE if case_id is None else RowFate.JOINS if joined else RowFate.NEW
        if fate is RowFate.NEW and case_id is not None:
            opened[case_id] = item.line
        yield _taken_in(
            item,
            fate,
            case_id=case_id if case_id is not None and targets.get(case_id) else None,
            joins_line=opened.get(case_id) if joined and case_id is not None else None,
        )


def _taken_in(item: Accepted, fate: RowFate, *, case_id: int | None, joins_line: int | None) -> LookedRow:
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
        notices=item.notices,
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


def _notices(accepted: Sequence[Accepted]) -> dict[str, tuple[str, int]]:
    counts = Counter(notice.code.value for item in accepted for notice in item.notices)
    messages = {notice.code.value: notice.message for item in accepted for notice in item.notices}
    return {code: (messages[code], count) for code, count in counts.most_common()}
