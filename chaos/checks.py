"""The checks after a run: the rows against each other and against the carrier's call journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from carrier.journal import LEG, read_journal


@dataclass(slots=True, kw_only=True)
class Verdict:
    """Counts, and the checks that failed."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.wrong

    def must(self, right: bool, what: str) -> None:
        if not right:
            self.wrong.append(what)


_WITHOUT_NEXT_STEP = """
SELECT c.id FROM "case" c
WHERE (c.status = 'open' AND c.due_at IS NULL
       AND NOT EXISTS (SELECT FROM assignment a WHERE a.case_id = c.id AND a.state IN ('open', 'signed'))
       AND NOT EXISTS (SELECT FROM attempt a WHERE a.case_id = c.id AND a.state <> 'ended'))
   OR (c.status = 'watching' AND c.due_at IS NULL)
"""
_LEAKED = """
SELECT count(*) AS n FROM live_number l WHERE l.attempt_id IS NOT NULL AND NOT EXISTS (
  SELECT FROM attempt a WHERE a.id = l.attempt_id
  AND a.state IN ('claimed', 'sending', 'accepted', 'ringing', 'answered', 'unknown'))
AND NOT EXISTS (SELECT FROM desk_call d WHERE d.id = l.attempt_id AND d.state <> 'ended')
AND NOT EXISTS (SELECT FROM inbound_call i WHERE i.id = l.attempt_id AND i.state <> 'ended')
"""
_STUCK = """
SELECT state, count(*) AS n FROM attempt WHERE state NOT IN ('ended') GROUP BY state
"""

_RANG = ("answered", "no_answer", "rejected", "forwarded", "machine", "dead_air")
"""Results that require that the telephone rang."""


def check(database_url: str, carrier_folder: Path, *, by_api: int = 0) -> Verdict:
    """All checks, which need no process of the service. `by_api`: warnings without a list, each of a new case."""
    verdict = Verdict()
    url = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, row_factory=dict_row) as connection:
        loaded = _one(
            connection,
            "SELECT coalesce(sum(accepted), 0) AS accepted, coalesce(sum(merged), 0) AS merged FROM list_load",
        )
        cases = _one(connection, 'SELECT count(*) AS n FROM "case"')["n"]
        verdict.counts |= {"accepted": loaded["accepted"], "merged": loaded["merged"], "cases": cases}
        verdict.must(
            cases == loaded["accepted"] - loaded["merged"] + by_api,
            f"{cases} cases, but {loaded['accepted']} accepted, {loaded['merged']} merged, {by_api} by API",
        )
        lost = connection.execute(_WITHOUT_NEXT_STEP).fetchall()
        verdict.must(not lost, f"cases without a next step: {[row['id'] for row in lost][:10]}")
        leaked = _one(connection, _LEAKED)["n"]
        verdict.must(leaked == 0, f"{leaked} numbers are marked live without a call")
        stuck = {row["state"]: row["n"] for row in connection.execute(_STUCK).fetchall()}
        verdict.must(not stuck, f"attempts that are not over: {stuck}")
        attempts = connection.execute("SELECT id, result, ringing_at, sid FROM attempt").fetchall()
        events = connection.execute(
            "SELECT attempt_id, step FROM event WHERE attempt_id IS NOT NULL"
        ).fetchall()
        twice = _one(
            connection,
            "SELECT count(*) AS n FROM (SELECT case_id, attempt_id FROM outcome"
            " WHERE attempt_id IS NOT NULL AND reverses IS NULL GROUP BY 1, 2 HAVING count(*) > 1) twice",
        )["n"]
        verdict.must(twice == 0, f"{twice} attempts have more than one outcome")
    _check_against_journal(verdict, attempts, events, carrier_folder)
    return verdict


def _check_against_journal(
    verdict: Verdict, attempts: list[dict[str, Any]], events: list[dict[str, Any]], folder: Path
) -> None:
    journal = read_journal(folder)
    ours = {journal.hashed(str(row["id"])): row for row in attempts}
    rang_twice = [ours[a]["id"] for a, n in journal.rings.items() if n > 1 and a in ours]
    called_twice = sum(n > 1 for n in journal.calls.values())
    rung = sum(attempt in ours for attempt in journal.rings)
    verdict.counts |= {
        "attempts": len(attempts),
        "rings": journal.rings.total(),
        "not rung": len(attempts) - rung,
        "unknown": sum(row["result"] == "unknown" for row in attempts),
        "max rings": max(journal.rings.values(), default=0),
        "notices kept": len(journal.heard),
    }
    verdict.must(not rang_twice, f"attempts that rang more than once: {rang_twice}")
    verdict.must(called_twice == 0, f"{called_twice} attempts were placed more than once")
    verdict.must(journal.rings.keys() <= ours.keys(), "a telephone rang without an attempt")
    verdict.must(
        len(attempts) == journal.rings.total() + len(attempts) - rung,
        f"{len(attempts)} attempts, but {journal.rings.total()} rings and {len(attempts) - rung} not rung",
    )
    silent = [
        f"{row['id']} {row['result']} sid={bool(row['sid'])}"
        for attempt, row in ours.items()
        if attempt in journal.rings and row["ringing_at"] is None and row["result"] in _RANG
    ]
    verdict.must(not silent, f"rang according to the carrier, but not to the row: {silent[:10]}")
    unheard = [
        row["id"] for attempt, row in ours.items() if row["ringing_at"] and attempt not in journal.rings
    ]
    verdict.must(not unheard, f"rang according to the row, but not to the carrier: {unheard[:10]}")
    kept = {(journal.hashed(str(row["attempt_id"])), row["step"].removeprefix("status.")) for row in events}
    # Of an officer's telephone only the answer is kept, under the step of the conversation.
    officers = {attempt for attempt, step in kept if step.startswith("desk.")}
    dropped = sorted(
        f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f} {ours[attempt]['id'] if attempt in ours else attempt} {what}"
        for (attempt, what), at in journal.heard.items()
        # A call of a person to us is not an attempt: the carrier accepted none from us.
        if attempt in journal.calls
        and (attempt not in officers if what.startswith(LEG) else (attempt, what) not in kept)
    )
    verdict.must(not dropped, f"{len(dropped)} events were answered 2xx and are not kept: {dropped[:10]}")


def _one(connection: psycopg.Connection[dict[str, Any]], statement: str) -> dict[str, Any]:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row
