"""Rows of checks of openings, and of questions about them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from dialer.cards.openings.checks import CheckFinding, CheckResult
from dialer.cases.store import take_next_ids
from dialer.core.cards import OPEN_QUESTIONS, OpeningResult, QuestionState
from dialer.core.sources import COUNTER_SOURCE
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Row, Tx

_c, _q = t.opening_check.c, t.card_question.c


def insert_check(act: OpenAct, opening_id: int, answer: CheckResult, *, outlet_id: int) -> int:
    """Stores the result of a check, and its verdict with the opening; returns the id of the check."""
    tx = act.tx
    [check_id] = take_next_ids(tx, t.opening_check, 1)
    tx.execute(
        sa.insert(t.opening_check).values(
            id=check_id,
            opening_id=opening_id,
            outlet_id=outlet_id,
            verdict=answer.verdict.value,
            version=answer.version,
            findings=[finding.plain() for finding in answer.findings],
            by=act.by,
            at=act.now,
        )
    )
    tx.execute(sa.update(t.opening).where(t.opening.c.id == opening_id).values(verdict=answer.verdict.value))
    return check_id


def count_checks(tx: Tx, outlet_id: int, *, since: datetime) -> int:
    """How many checks the outlet has made since then."""
    made = sa.select(sa.func.count()).where(_c.outlet_id == outlet_id, _c.at > since)
    return int(tx.scalar(made))


def count_unfinished(tx: Tx, outlet_id: int, *, by: str, since: datetime, but: int) -> int:
    """How many openings this teller has asked about at the outlet since then that were neither opened nor refused, the
    opening `but` left out.
    """
    o = t.opening.c
    mine = (o.outlet_id == outlet_id, o.asked_at > since, o.by == by, o.id != but)
    unfinished = in_words(o.result, _UNFINISHED)
    return int(tx.scalar(sa.select(sa.func.count()).where(*mine, unfinished)))


_UNFINISHED = (OpeningResult.IN_PROGRESS, OpeningResult.ABANDONED)


def last_check(tx: Tx, opening_id: int) -> Row | None:
    """The last check of an opening; None if it was not checked."""
    checks = sa.select(t.opening_check).where(_c.opening_id == opening_id)
    return tx.one(checks.order_by(_c.id.desc()).limit(1))


def instruction_no(opening_id: int) -> str:
    """The number of the warning about the customer of an opening."""
    return f"K-{opening_id}"


def case_of_opening(tx: Tx, opening_id: int) -> int | None:
    """The case of the warning about the customer of this opening; None if there is none."""
    w = t.warning.c
    which = (w.source == COUNTER_SOURCE, w.instruction_no == instruction_no(opening_id))
    found: int | None = tx.scalar(sa.select(w.case_id).where(*which))
    return found


def findings_before(tx: Tx, opening_id: int, *, check_id: int) -> list[list[CheckFinding]]:
    """What the checks of an opening before this one found."""
    earlier = sa.select(_c.findings).where(_c.opening_id == opening_id, _c.id < check_id).order_by(_c.id)
    return [list(map(CheckFinding.of, found)) for found in tx.execute(earlier).scalars()]


def end_questions(tx: Tx, opening_id: int, *, real_now: datetime) -> bool:
    """Ends the open question about an opening that the outlet has decided: nobody waits for its answer any more. False
    if there was none. The caller has locked the opening.
    """
    ended = (
        sa.update(t.card_question)
        .where(_q.opening_id == opening_id, in_words(_q.state, OPEN_QUESTIONS))
        .values(state=QuestionState.OVERTAKEN.value, changed_at=real_now)
    )
    return bool(tx.execute(ended).rowcount)
