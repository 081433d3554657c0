"""Rows of questions of outlets, and of checks on the spot."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.cards.openings.store import Outlet
from dialer.cases.store import take_next_ids
from dialer.core.cards import (
    OPEN_QUESTIONS,
    QUESTION_MOVES,
    OnsiteFinding,
    OpeningResult,
    QuestionEvent,
    QuestionState,
)
from dialer.core.errors import NotFound
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to

_q, _o, _s = t.card_question.c, t.opening.c, t.onsite_check.c
MOST_SHOWN = 100
_IS_OPEN: Final = in_words(_q.state, OPEN_QUESTIONS)
_ONSITE = ("id", "team", "ordered_at", "arrived_at", "ended_at", "persons", "finding")
_QUESTIONS: Final = (
    sa.select(
        t.card_question,
        _o.product,
        _o.result,
        _o.age,
        _o.ring_id,
        _o.sealed.label("person_sealed"),
        t.opening_check.c.verdict,
        t.opening_check.c.findings,
        *(_s[name].label(f"onsite_{name}") for name in _ONSITE),
    )
    .join(t.opening, _o.id == _q.opening_id)
    .join(t.opening_check, t.opening_check.c.id == _q.check_id)
    .join(t.onsite_check, _s.question_id == _q.id, isouter=True)
)


def open_question_about(tx: Tx, opening_id: int) -> int | None:
    """The id of the open question about this opening; None without one."""
    found: int | None = tx.scalar(sa.select(_q.id).where(_q.opening_id == opening_id, _IS_OPEN))
    return found


def insert_question(act: OpenAct, *, note: str, asked_at: datetime, **columns: object) -> int:
    """Inserts a question that waits, its note sealed; returns its id."""
    [question_id] = take_next_ids(act.tx, t.card_question, 1)
    act.tx.execute(
        sa.insert(t.card_question).values(
            **columns,
            id=question_id,
            state=QuestionState.WAITING.value,
            asked_at=asked_at,
            asked_by=act.by,
            sealed=_sealed(act.tx, question_id, "sealed", note),
            changed_at=asked_at,
        )
    )
    return question_id


def ask_about(
    act: OpenAct, opening_id: int, *, check_id: int, outlet: Outlet, note: str, real_now: datetime
) -> int:
    """Asks the desk about the opening that this check is of, which is audited; returns the id of the question."""
    question_id = insert_question(
        act,
        note=note,
        opening_id=opening_id,
        check_id=check_id,
        outlet_id=outlet.id,
        unit_id=outlet.unit_id,
        asked_at=real_now,
    )
    act.audit("ask_desk", f"card_question/{question_id}", facts={"outlet": outlet.code})
    return question_id


def add_note(tx: Tx, question_id: int, note: str, *, real_now: datetime) -> bool:
    """Gives the question this note, sealed; False if it has one, or if the note is empty."""
    row = tx.one(sa.select(t.card_question).where(_q.id == question_id).with_for_update())
    if row is None or not note or opened_words(tx, row, "sealed"):
        return False
    change_question(tx, question_id, real_now=real_now, sealed=_sealed(tx, question_id, "sealed", note))
    return True


def _sealed(tx: Tx, question_id: int, column: str, words: str) -> bytes:
    return tx.vault.seal(words.encode(), table="card_question", column=column, row=question_id)


def opened_words(tx: Tx, row: Row, column: str) -> str:
    """The note of a question, or the reason of its answer, in clear; '' without it."""
    if row[column] is None:
        return ""
    return tx.vault.open(row[column], table="card_question", column=column, row=row["id"]).decode()


def lapse_waiting_since(tx: Tx, before: datetime, *, real_now: datetime) -> list[int]:
    """Ends open questions that were asked at this time or earlier; returns the openings that they were about."""
    late = sa.and_(in_words(_q.state, QUESTION_MOVES[QuestionEvent.LAPSED]), _q.asked_at <= before)
    if tx.scalar(sa.select(_q.id).where(late).limit(1)) is None:
        return []
    lapsed = sa.update(t.card_question).where(late)
    values = {"state": QuestionState.LAPSED.value, "changed_at": real_now}
    return list(tx.execute(lapsed.values(values).returning(_q.opening_id)).scalars())


def lock_question(tx: Tx, question_id: int, *, visible_to: int | None) -> Row:
    """The question, locked. Raises `NotFound`, also for one that the unit does not see."""
    seen = is_visible_to(_q.unit_id, visible_to)
    row = tx.one(sa.select(t.card_question).where(_q.id == question_id, seen).with_for_update())
    if row is None:
        raise NotFound(kind="question", key=question_id)
    return row


def change_question(
    tx: Tx, question_id: int, *, real_now: datetime, reason: str | None = None, **columns: object
) -> None:
    """Stores these columns of the question, and the reason of its answer, sealed, if that is given."""
    if reason is not None:
        columns["reason_sealed"] = _sealed(tx, question_id, "reason_sealed", reason)
    tx.execute(sa.update(t.card_question).where(_q.id == question_id).values(**columns, changed_at=real_now))


def result_of_opening(tx: Tx, opening_id: int) -> str:
    """The result of an opening, as it is stored."""
    return str(tx.scalar(sa.select(_o.result).where(_o.id == opening_id)))


def insert_onsite(act: OpenAct, question_id: int, *, outlet_id: int, team: str, real_now: datetime) -> bool:
    """Inserts a check on the spot; False if the question has one. The caller has locked the question."""
    if act.tx.scalar(sa.select(_s.id).where(_s.question_id == question_id)) is not None:
        return False
    columns = {"question_id": question_id, "outlet_id": outlet_id, "team": team}
    act.tx.execute(sa.insert(t.onsite_check).values(**columns, ordered_by=act.by, ordered_at=real_now))
    return True


def arrive_onsite_check(tx: Tx, question_id: int, *, real_now: datetime) -> bool:
    """Stores that the team has arrived; False if none is on its way."""
    on_its_way = sa.update(t.onsite_check).where(_s.question_id == question_id, _s.arrived_at.is_(None))
    return bool(tx.execute(on_its_way.values(arrived_at=real_now)).rowcount)


def end_onsite_check(
    act: OpenAct,
    question_id: int,
    *,
    finding: OnsiteFinding,
    persons: int,
    note: str,
    real_now: datetime,
) -> bool:
    """Stores what the team found, its note sealed; False if no team is at the outlet."""
    here = (_s.question_id == question_id, _s.arrived_at.is_not(None), _s.ended_at.is_(None))
    onsite_id = act.tx.scalar(sa.select(_s.id).where(*here))
    if onsite_id is None:
        return False
    place: dict[str, Any] = {"table": "onsite_check", "column": "note_sealed", "row": onsite_id}
    act.tx.execute(
        sa.update(t.onsite_check)
        .where(_s.id == onsite_id)
        .values(
            ended_at=real_now,
            ended_by=act.by,
            finding=finding.value,
            persons=persons,
            note_sealed=act.tx.vault.seal(note.encode(), **place),
        )
    )
    return True


def questions_shown(tx: Tx, *, since: datetime, visible_to: int | None) -> list[Row]:
    """Open questions, oldest first, then those asked `since` whose outlet has not decided or whose team is out."""
    unsettled = sa.or_(
        _o.result == OpeningResult.IN_PROGRESS.value, sa.and_(_s.id.is_not(None), _s.ended_at.is_(None))
    )
    return tx.rows(
        _QUESTIONS.where(
            sa.or_(_IS_OPEN, sa.and_(_q.asked_at >= since, unsettled)), is_visible_to(_q.unit_id, visible_to)
        )
        .order_by(_IS_OPEN.desc(), _q.asked_at, _q.id)
        .limit(MOST_SHOWN)
    )


def question_with(tx: Tx, question_id: int, *, visible_to: int | None) -> Row:
    """The question with its opening. Raises `NotFound`, also for one that the unit does not see."""
    row = tx.one(_QUESTIONS.where(_q.id == question_id, is_visible_to(_q.unit_id, visible_to)))
    if row is None:
        raise NotFound(kind="question", key=question_id)
    return row


def newest_question(tx: Tx, opening_id: int, *, outlet_id: int) -> Row | None:
    """The newest question about an opening of this outlet; None without one."""
    asked = _QUESTIONS.where(_q.opening_id == opening_id, _q.outlet_id == outlet_id)
    return tx.one(asked.order_by(_q.id.desc()).limit(1))


def count_open_before(tx: Tx, row: Row) -> int:
    """How many open questions were asked before this one."""
    earlier = sa.tuple_(_q.asked_at, _q.id) < sa.tuple_(row["asked_at"], row["id"])
    return int(tx.scalar(sa.select(sa.func.count()).where(_IS_OPEN, earlier)))


def desk_version(tx: Tx, *, visible_to: int | None) -> str:
    """A text that changes with every change of a question that the unit sees."""
    newest = sa.select(sa.func.max(_q.changed_at).label("at"), sa.func.max(_q.id).label("id"))
    row = tx.one(newest.where(is_visible_to(_q.unit_id, visible_to)))
    assert row is not None
    return f"{row['at']}/{row['id']}"


def count_open_questions(tx: Tx, *, visible_to: int | None) -> int:
    """How many questions wait or are claimed, of those that the unit sees."""
    seen = is_visible_to(_q.unit_id, visible_to)
    return int(tx.scalar(sa.select(sa.func.count()).where(_IS_OPEN, seen)))
