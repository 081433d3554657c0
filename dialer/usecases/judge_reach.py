"""At the end of a ring: whom it reached, how much of our voice they heard, and what contact that counts as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialer.domain.reach import Conversation, Reach, contact_of, heard_seconds, reach_of
from dialer.domain.values import Contact, TelephonyResult
from dialer.store.calls import Call
from dialer.usecases.choose_script import context_for, edition_of
from dialer.usecases.engine import Engine
from dialer.usecases.spoken_length import warning_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    reach: Reach
    contact: Contact
    heard_seconds: int | None


def heard_until(call: Call, *, now: datetime, talk_seconds: int | None = None) -> int | None:
    """Until `now`, or for as long as the carrier says that the line stood."""
    elapsed = float(talk_seconds) if talk_seconds is not None else None
    if elapsed is None and call.answered_at is not None:
        elapsed = (now - call.answered_at).total_seconds()
    return heard_seconds(elapsed_seconds=elapsed, played_seconds=call.played_seconds)


def judge_reach(
    engine: Engine, call: Call, result: TelephonyResult, *, now: datetime, talk_seconds: int | None
) -> Judged:
    """What a machine had been played when it was known for one stands; nothing it recorded later is heard."""
    heard = call.heard_seconds
    if heard is None or result is not TelephonyResult.MACHINE:
        heard = heard_until(call, now=now, talk_seconds=talk_seconds)
    reach = reach_of(
        result,
        Conversation(
            contact=call.contact,
            answer=call.answer,
            spoke=call.spoke,
            heard_seconds=heard,
            warning_seconds=_warning_seconds(engine, call, now),
        ),
    )
    return Judged(reach=reach, contact=contact_of(reach), heard_seconds=heard)


def _warning_seconds(engine: Engine, call: Call, now: datetime) -> float:
    if not call.script_id:
        return 0.0
    edition = edition_of(engine, call)
    return warning_seconds(
        edition, context_for(engine, edition, language=call.language, tags=call.tags, now=now)
    )
