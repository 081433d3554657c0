"""What was said and pressed in the rings of one case, as it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.values import Answer
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One turn: what was heard, and what the robot said to it."""

    at: datetime
    n: int
    script_id: str
    script_version_id: int | None
    audio_hash: str
    language: str
    asked_at: str
    """The node that waited; '' at the first turn."""
    key: str
    spoke: bool
    speech: str
    collected: str
    """Which fact was typed; '' for none."""
    value: str
    said: tuple[str, ...]
    """Prompts by their id."""
    unsound: frozenset[str]
    """Those of them whose sound was broken: a voice of the network spoke them."""
    answer: Answer
    """What the whole ring came to."""
    desk: str
    """How the duty line answered, in the carrier's word; '' where none was rung."""


def conversation(tx: Tx, case_id: int, *, in_clear: bool = True) -> list[Exchange]:
    """In the order in which it was said. Not in clear, what the person said and typed stays sealed and is ''."""
    rows = tx.rows(
        sa.select(
            t.event.c.attempt_id,
            t.event.c.step,
            t.event.c.at,
            t.event.c.facts,
            t.event.c.sealed,
            t.attempt.c.n,
            t.attempt.c.script_id,
            t.attempt.c.script_version_id,
            t.attempt.c.audio_hash,
            t.attempt.c.language,
            t.attempt.c.answer,
        )
        .join(t.attempt, t.attempt.c.id == t.event.c.attempt_id)
        .where(t.event.c.case_id == case_id, t.event.c.kind.in_(["talk", "desk"]))
        .order_by(t.attempt.c.n, t.event.c.at, t.event.c.id)
    )
    return [_exchange(row, _opened(tx, row) if in_clear else {}) for row in rows]


def _opened(tx: Tx, row: Mapping[str, Any]) -> dict[str, Any]:
    if row["sealed"] is None:
        return {}
    place = f"{row['attempt_id']}/{row['step']}"
    return tx.vault.open_record(row["sealed"], table="event", column="sealed", row=place)


def _exchange(row: Mapping[str, Any], personal: Mapping[str, Any]) -> Exchange:
    facts = row["facts"]
    return Exchange(
        at=row["at"],
        n=row["n"],
        script_id=row["script_id"],
        script_version_id=row["script_version_id"],
        audio_hash=row["audio_hash"],
        language=row["language"],
        asked_at=facts.get("at", ""),
        key=facts.get("key", ""),
        spoke=bool(facts.get("spoke", False)),
        speech=personal.get("SpeechResult", ""),
        collected=facts.get("collected", ""),
        value=personal.get("collected", ""),
        said=tuple(facts.get("said", ())),
        unsound=frozenset(facts.get("unsound", ())),
        answer=Answer(row["answer"]),
        desk=facts.get("desk", ""),
    )
