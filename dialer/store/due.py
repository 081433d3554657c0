"""Whether anything waits for the next tick, asked in one statement whose every part is one step into an index: a
service with nothing to do asks this, and nothing else, every second.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from dialer.domain.attempt import AttemptState
from dialer.domain.errand import AssignmentState
from dialer.domain.message import MessageState
from dialer.store import tables as t
from dialer.store.columns import LIVE
from dialer.store.rowset import word
from dialer.store.unit_of_work import Tx

_NOW = sa.bindparam("now", type_=sa.DateTime(timezone=True))
_ANYTHING = sa.select(
    sa.or_(
        # Some ring may leave, or is under way, or its time has come.
        sa.exists().where(t.attempt.c.state == word(AttemptState.READY), ~t.attempt.c.held),
        sa.exists().select_from(t.attempt).where(sa.text(LIVE)),
        sa.exists().where(t.attempt.c.state == word(AttemptState.PLANNED), t.attempt.c.not_before <= _NOW),
        sa.exists().where(t.case.c.due_at <= _NOW),
        sa.exists().where(
            t.assignment.c.state == word(AssignmentState.OPEN),
            t.assignment.c.escalated_at.is_(None),
            t.assignment.c.sign_by <= _NOW,
        ),
        sa.exists().where(t.hold.c.ended_at.is_(None), t.hold.c.until <= _NOW),
        sa.exists().where(t.message.c.state == word(MessageState.PLANNED)),
        sa.exists().where(
            sa.or_(
                t.message.c.state == word(MessageState.SENDING),
                t.message.c.state == word(MessageState.UNKNOWN),
            )
        ),
    )
)


def anything(tx: Tx, *, now: datetime) -> bool:
    """False: no ring, case, errand, pause or message waits for a worker at this moment."""
    return bool(tx.scalar(_ANYTHING, {"now": now}))
