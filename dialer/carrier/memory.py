"""What the carrier remembers of calls across a kill, beside the witness's log.

Without it a carrier that comes back would deny a call it has rung, and whoever asked for it would ring again.
"""

from __future__ import annotations

from pathlib import Path

from dialer.carrier.call import Call, Status
from dialer.carrier.order import CallOrder
from dialer.carrier.sealed_log import ROTATE_BYTES, Record, SealedLog


class CallMemory(SealedLog):
    """The newest calls, live and over."""

    def __init__(self, directory: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        super().__init__(directory, "calls", rotate_bytes=rotate_bytes)

    def recall(self, *, since_unix: float) -> list[Call]:
        """The remembered calls in the order they were made. One that was live is over: completed if it had
        been answered, else failed. From now on new records are appended.
        """
        calls: dict[str, Call] = {}
        for record in self.records():
            _apply(calls, record)
        self.open()
        kept = [call for call in calls.values() if call.created >= since_unix]
        for call in kept:
            if not call.status.final:
                call.status = Status.COMPLETED if call.status is Status.IN_PROGRESS else Status.FAILED
                call.end = call.updated
                self.ended(call)
        return kept

    def accepted(self, call: Call) -> None:
        """On disk before the answer to the POST is sent."""
        self.append(
            {
                "k": "A",
                "sid": call.sid,
                "account": call.account_sid,
                "to": call.to,
                "from": call.from_,
                "at": call.created,
                "n": call.number,
                "parent": call.parent_sid,
            }
        )

    def answered(self, call: Call) -> None:
        self.append({"k": "P", "sid": call.sid, "at": call.updated})

    def ended(self, call: Call) -> None:
        self.append(
            {
                "k": "E",
                "sid": call.sid,
                "at": call.end,
                "start": call.start,
                "status": call.status.value,
                "seconds": call.duration_seconds,
                "by": call.answered_by,
            }
        )


def _apply(calls: dict[str, Call], record: Record) -> None:
    match record:
        case {
            "k": "A",
            "sid": str(sid),
            "to": str(to),
            "from": str(from_),
            "at": float(at),
            "n": int(number),
        }:
            call = Call(
                sid=sid,
                account_sid=str(record["account"]),
                order=CallOrder(to=to, from_=from_),
                created=at,
                number=number,
            )
            call.order = None
            if isinstance(record.get("parent"), str):
                call.parent_sid = str(record["parent"])
                call.direction = "outbound-dial"
            calls[sid] = call
        case {"k": "P", "sid": str(sid), "at": float(at)} if sid in calls:
            calls[sid].status = Status.IN_PROGRESS
            calls[sid].updated = at
        case {"k": "E", "sid": str(sid), "at": float(at), "status": str(status)} if sid in calls:
            call = calls[sid]
            call.status = Status(status)
            call.end = call.updated = at
            start, seconds, by = record.get("start"), record.get("seconds"), record.get("by")
            call.start = start if isinstance(start, float) else None
            call.duration_seconds = seconds if isinstance(seconds, int) else None
            call.answered_by = by if isinstance(by, str) else None
        case _:
            pass
