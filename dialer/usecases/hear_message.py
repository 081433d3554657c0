"""News of a message: kept once, applied in any order with the same end."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from dialer.errors import NotFound
from dialer.store import calls, messages
from dialer.store.calls import Kept
from dialer.telephony.callbacks import MessageProgress
from dialer.usecases.engine import Engine


def hear_message(engine: Engine, message_id: uuid.UUID, progress: MessageProgress) -> None:
    """Kept and applied when this returns. Raises `NotFound` for a message that we never made."""
    now = engine.clock.now()
    with engine.store.begin() as tx:
        case_id = messages.case_of(tx, message_id)
        if case_id is None:
            raise NotFound(kind="message", key=message_id)
        name = f"message.{progress.state.value}"
        facts = {"sid": progress.sid, "error_code": progress.error_code}
        kept = Kept(attempt_id=message_id, case_id=case_id, step=name, kind=name, facts=facts, personal={})
        if not calls.keep(tx, [kept], at=now):
            return
        messages.hear(
            tx,
            message_id,
            progress.state,
            now=now,
            sid=progress.sid,
            error_code=progress.error_code,
            poll_at=next_question(engine),
        )


def next_question(engine: Engine) -> datetime:
    """When a message of which no more was heard is asked about."""
    return engine.real.now() + timedelta(seconds=engine.lines.silence_seconds)
