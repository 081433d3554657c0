"""A call's record: what the REST API says of it, live and long after."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from functools import lru_cache

from dialer.carrier.order import CallOrder

API_VERSION = "2010-04-01"


class Status(StrEnum):
    """Twilio's words. The last five are final."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self not in _LIVE


_LIVE = frozenset({Status.QUEUED, Status.RINGING, Status.IN_PROGRESS})


@lru_cache(maxsize=1024)
def _rfc2822_second(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


def rfc2822(unix: float | None) -> str | None:
    """The moment as Twilio writes it, in UTC."""
    return None if unix is None else _rfc2822_second(int(unix))


class Call:
    """Mutable, and written only by the live call that owns it. Times are the real clock's unix seconds."""

    __slots__ = (
        "account_sid",
        "answered_by",
        "created",
        "direction",
        "duration_seconds",
        "end",
        "from_",
        "number",
        "order",
        "parent_sid",
        "queue_ms",
        "rang",
        "sequence",
        "sid",
        "start",
        "status",
        "to",
        "updated",
    )

    def __init__(self, *, sid: str, account_sid: str, order: CallOrder, created: float, number: int) -> None:
        self.sid = sid
        self.account_sid = account_sid
        self.order: CallOrder | None = order
        self.to = order.to
        self.from_ = order.from_
        self.created = created
        self.updated = created
        self.number = number
        self.status = Status.QUEUED
        self.direction = "outbound-api"
        self.parent_sid: str | None = None
        self.start: float | None = None
        self.end: float | None = None
        self.duration_seconds: int | None = None
        self.answered_by: str | None = None
        self.queue_ms = 0
        self.rang = False
        self.sequence = 0

    def as_json(self) -> dict[str, object]:
        """The resource as Twilio's API description defines it."""
        base = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "parent_call_sid": self.parent_sid,
            "account_sid": self.account_sid,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.from_,
            "from_formatted": self.from_,
            "phone_number_sid": None,
            "status": self.status.value,
            "start_time": rfc2822(self.start),
            "end_time": rfc2822(self.end),
            "duration": None if self.duration_seconds is None else str(self.duration_seconds),
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": str(self.queue_ms),
            "trunk_sid": None,
            "uri": f"{base}.json",
            "subresource_uris": {name: f"{base}/{path}.json" for name, path in _SUBRESOURCES},
        }


_SUBRESOURCES = (
    ("notifications", "Notifications"),
    ("recordings", "Recordings"),
    ("payments", "Payments"),
    ("events", "Events"),
    ("siprec", "Siprec"),
    ("streams", "Streams"),
    ("transcriptions", "Transcriptions"),
    ("user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"),
    ("user_defined_messages", "UserDefinedMessages"),
)
