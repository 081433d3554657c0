"""How somebody on duty is told of new work: by which channels, when, and the life of each notification. Pure.

States of a notification
========  ==============================================================
waiting   due later, or now
sending   committed just before the request; a page shall show it
sent      the channel has it, or a page has shown it
accepted  the person pressed 1 in the robot's call
failed    refused, unanswered, or its result is not known: the person's next one is due at once
dropped   somebody took the work before it was sent, or the person is on duty no more
========  ==============================================================

News comes late and repeated. A key that was pressed counts even after the result of the call was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo


class NotificationChannel(StrEnum):
    """What carries a notification, in the order in which a person has them by default."""

    DESKTOP = "desktop"
    """A desktop notification and a sound, on every page that the person has open."""
    PUSH = "push"
    """Web Push: shown by the browser also while no page is open."""
    WEBHOOK = "webhook"
    SMS = "sms"
    CALL = "call"
    """The robot calls, and asks for key 1."""


class WebhookFormat(StrEnum):
    """What the receiver of a person's webhook understands."""

    STANDARD = "standard"
    """Our own message, signed as Standard Webhooks says."""
    WECOM = "wecom"
    DINGTALK = "dingtalk"


class NotificationState(StrEnum):
    """How far a notification came."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DROPPED = "dropped"


class NotificationFault(StrEnum):
    """Why a notification failed."""

    NO_PAGE = "no_page"
    """The person had no page open."""
    REFUSED = "refused"
    """The channel did not take it, or is not set up."""
    UNCERTAIN = "uncertain"
    """Nobody knows whether the channel took it."""
    UNDELIVERED = "undelivered"
    UNANSWERED = "unanswered"


class NotificationEvent(StrEnum):
    """What moves a notification from one state to the next."""

    CLAIMED = "claimed"
    SENT = "sent"
    ACCEPTED = "accepted"
    FAILED = "failed"
    WORK_TAKEN = "work_taken"
    DUTY_ENDED = "duty_ended"


_S = NotificationState


def _to(
    target: NotificationState, *states: NotificationState
) -> Mapping[NotificationState, NotificationState]:
    return MappingProxyType(dict.fromkeys(sorted(states), target))


NOTIFICATION_MOVES: Final[Mapping[NotificationEvent, Mapping[NotificationState, NotificationState]]] = (
    MappingProxyType(
        {
            NotificationEvent.CLAIMED: _to(_S.SENDING, _S.WAITING),
            NotificationEvent.SENT: _to(_S.SENT, _S.SENDING),
            NotificationEvent.ACCEPTED: _to(_S.ACCEPTED, _S.SENDING, _S.SENT, _S.FAILED),
            NotificationEvent.FAILED: _to(_S.FAILED, _S.WAITING, _S.SENDING, _S.SENT),
            NotificationEvent.WORK_TAKEN: _to(_S.DROPPED, _S.WAITING, _S.SENDING),
            NotificationEvent.DUTY_ENDED: _to(_S.DROPPED, _S.WAITING, _S.SENDING),
        }
    )
)
"""For each event, the next state by the present state. The store builds its updates from this."""
REACHING: Final = frozenset({_S.WAITING, _S.SENDING, _S.SENT, _S.ACCEPTED})
"""The person was told, or may still be."""

MERGED_FOR: Final = timedelta(minutes=1)
"""What comes within this time of a person's last notification by a channel is told in one message at its end, unless
it is urgent.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRules:
    """A person's own rules. `after`: how long after new work each channel is used; one that is missing is not used.
    From `quiet_from` until before `quiet_to` (local time) only urgent work is told; what is due then waits for the end.
    """

    after: Mapping[NotificationChannel, timedelta] = field(default_factory=dict)
    quiet_from: time | None = None
    quiet_to: time | None = None


DEFAULT_RULES: Final = NotificationRules(
    after=MappingProxyType(
        {
            NotificationChannel.DESKTOP: timedelta(),
            NotificationChannel.SMS: timedelta(minutes=2),
            NotificationChannel.CALL: timedelta(minutes=5),
        }
    )
)
"""For who has set none."""


def due_times(
    rules: NotificationRules,
    reachable: Collection[NotificationChannel],
    *,
    now: datetime,
    zone: ZoneInfo,
    is_urgent: bool,
    last: Mapping[NotificationChannel, datetime],
) -> dict[NotificationChannel, datetime]:
    """When the person is told of work that comes now, by channel; channels that are not `reachable` (no number, no
    address) are left out. `last`: when the last notification left by each channel.
    """
    due: dict[NotificationChannel, datetime] = {}
    for channel, after in rules.after.items():
        if channel not in reachable:
            continue
        at = now + after
        if not is_urgent:
            if channel in last:
                at = max(at, last[channel] + MERGED_FOR)
            at = end_of_quiet(rules, at, zone) or at
        due[channel] = at
    return due


def end_of_quiet(rules: NotificationRules, instant: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end in which this instant falls; None outside them."""
    begins, ends = rules.quiet_from, rules.quiet_to
    if begins is None or ends is None or begins == ends:
        return None
    local = instant.astimezone(zone)
    at = local.time()
    is_quiet = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not is_quiet:
        return None
    day = local.date() if at < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, tzinfo=zone).astimezone(instant.tzinfo)
