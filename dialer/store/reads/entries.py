"""Rows told as entries of a case's timeline. Sealed columns are not opened here."""

from __future__ import annotations

from collections.abc import Iterator

from dialer.outcomes.timeline import Entry, EntryKind, Fact
from dialer.store.unit_of_work import Row


def of_warning(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["loaded_at"],
        kind=EntryKind.WARNING,
        id=f"warning/{row['id']}",
        facts={
            "source": row["source"],
            "instruction_no": row["instruction_no"],
            "kind": row["kind"],
            "grade": row["grade"],
            "fraud_type": row["fraud_type"],
            "amount_at_risk_fen": row["amount_at_risk_fen"],
            "amount_paid_fen": row["amount_paid_fen"],
            "load_id": row["load_id"],
            "missed": row["missed"],
            "produced_at": row["produced_at"].isoformat() if row["produced_at"] else None,
            "notices": len(row["notices"]),
        },
    )


def of_attempt(row: Row) -> Iterator[Entry]:
    n = row["n"]
    moments: tuple[tuple[str, EntryKind, dict[str, Fact]], ...] = (
        ("planned_at", EntryKind.RING_PLANNED, _planned(row)),
        ("sent_at", EntryKind.RING_SENT, _spoke(row)),
        ("ringing_at", EntryKind.RINGING, {}),
        ("answered_at", EntryKind.ANSWERED, {}),
        ("ended_at", EntryKind.RING_ENDED, _ended(row)),
    )
    for column, kind, facts in moments:
        if row[column] is not None:
            yield Entry(at=row[column], kind=kind, id=f"attempt/{n}", facts={"n": n, **facts})


def _planned(row: Row) -> dict[str, Fact]:
    return {
        "reason": row["reason"],
        "number": row["number"] + 1,
        "not_before": row["not_before"].isoformat(),
        "state": row["state"],
    }


def _spoke(row: Row) -> dict[str, Fact]:
    """The words and the sound that the ring was placed with; `version` counts within the script."""
    return {
        "script": row["script_id"],
        "version": row["script_number"],
        "script_hash": row["script_hash"],
        "audio_hash": row["audio_hash"],
    }


def _ended(row: Row) -> dict[str, Fact]:
    return {
        "result": row["result"],
        "contact": row["contact"],
        "reach": row["reach"],
        "answer": row["answer"],
        "last_node": row["last_node"],
        "heard_seconds": row["heard_seconds"],
        "talk_seconds": row["talk_seconds"],
        "sip_code": row["sip_code"],
        "error_code": row["error_code"],
    }


def of_event(row: Row) -> Iterator[Entry]:
    """A turn of the conversation, or a person's act (`words`: something was written with it, which stays sealed). What
    the network said stands in the attempt already.
    """
    if row["kind"].startswith(("call.", "message.")):
        return
    facts = row["facts"]
    if row["kind"] == "talk":
        yield Entry(
            at=row["at"],
            kind=EntryKind.SPOKEN,
            id=f"event/{row['id']:012d}",
            facts={
                "n": row["n"],
                "heard_at": facts.get("at", ""),
                "key": facts.get("key", ""),
                "spoke": facts.get("spoke", False),
                "then": facts.get("then", ""),
                "end": facts.get("end", False),
            }
            | ({"unsound": ", ".join(facts["unsound"])} if "unsound" in facts else {}),
        )
        return
    plain = {name: value for name, value in facts.items() if value is None or isinstance(value, str | int)}
    if row["sealed"] is not None:
        plain["words"] = True
    yield Entry(
        at=row["at"],
        kind=EntryKind.ACT,
        id=f"event/{row['id']:012d}",
        by=row["by"],
        facts={"act": row["kind"], **plain},
    )


def of_message(row: Row) -> Iterator[Entry]:
    """As it was planned and, when its last word is known, how it ended."""
    about: dict[str, Fact] = {
        "purpose": row["purpose"],
        "number": row["number"] + 1,
        "error_code": row["error_code"],
    }
    which = f"message/{row['purpose']}"
    over = row["ended_at"] is not None
    yield Entry(
        at=row["planned_at"],
        kind=EntryKind.MESSAGE,
        id=which,
        facts=about | {"state": "planned" if over else row["state"]},
    )
    if over:
        yield Entry(
            at=row["ended_at"], kind=EntryKind.MESSAGE, id=which, facts=about | {"state": row["state"]}
        )


def of_assignment(row: Row) -> Iterator[Entry]:
    which = f"assignment/{row['id']}"
    about: dict[str, Fact] = {"assignment_id": row["id"], "track": row["kind"]}
    yield Entry(
        at=row["opened_at"],
        kind=EntryKind.ERRAND_OPENED,
        id=which,
        facts={
            **about,
            "reason": row["reason"],
            "unit": row["unit"],
            "sign_by": row["sign_by"].isoformat(),
            "due_at": row["due_at"].isoformat(),
            "feedback_by": row["feedback_by"].isoformat(),
        },
    )
    if row["signed_at"] is not None:
        yield Entry(
            at=row["signed_at"],
            kind=EntryKind.ERRAND_SIGNED,
            id=which,
            by=row["signed_by"] or "",
            facts={**about, "in_time": row["signed_at"] <= row["sign_by"]},
        )
    if row["state"] == "done":
        yield Entry(
            at=row["done_at"],
            kind=EntryKind.ERRAND_REPORTED,
            id=which,
            by=row["done_by"] or "",
            facts={**about, "outcome": row["outcome"], "in_time": row["done_at"] <= row["feedback_by"]},
        )
    if row["state"] == "withdrawn":
        yield Entry(
            at=row["done_at"],
            kind=EntryKind.ERRAND_WITHDRAWN,
            id=which,
            facts={**about, "reason": row["withdrawn_why"]},
        )


def of_outcome(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.OUTCOME if row["reverses"] is None else EntryKind.REVERSAL,
        id=f"outcome/{row['id']}",
        by=row["recorded_by"],
        facts={
            "outcome_id": row["id"],
            "outcome": row["kind"],
            "contact": row["contact"],
            "track": row["track"],
            "reason": row["reason"],
            "reverses": row["reverses"],
            "intended_fen": row["intended_fen"],
            "stopped_fen": row["stopped_fen"],
            "returned_fen": row["returned_fen"],
            "has_evidence": row["evidence_sealed"] is not None,
        },
    )


def of_approval(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.APPROVAL,
        id=f"outcome/{row['outcome_id']}",
        by=row["approved_by"],
        facts={"outcome_id": row["outcome_id"], "recorded_by": row["recorded_by"]},
    )


def of_filed(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.FILED,
        id=f"filed/{row['id']}",
        by=row["by"],
        facts={"case_number": row["case_number"]},
    )


def of_alarm(row: Row) -> Iterator[Entry]:
    facts: dict[str, Fact] = {"code": row["code"]}
    yield Entry(at=row["raised_at"], kind=EntryKind.ALARM, id=f"alarm/{row['id']}", facts=facts)
    if row["seen_at"] is not None:
        yield Entry(
            at=row["seen_at"],
            kind=EntryKind.ALARM_SEEN,
            id=f"alarm/{row['id']}",
            by=row["seen_by"] or "",
            facts=facts,
        )


def of_view(row: Row, *, why: str) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.VIEWED,
        id=f"audit/{row['id']}",
        by=row["who"],
        facts={"act": row["act"], "why": why},
    )
