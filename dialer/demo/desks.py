"""The desks of the simulated callers: accounts that nobody signs in with; they are free, work, and take breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dialer.core.access import Role
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.duty.presence import own_presence, say_presence
from dialer.runtime.services import Services
from dialer.staff.passwords import hash_password, temporary_password
from dialer.staff.store import Member, find_member, insert_member

CALLERS: Final = ("陈警官", "李警官", "王警官", "赵警官")
"""Who works the human calls."""
_IDLE: Final = ("孙警官", "钱警官")
_BREAK_SECONDS: Final = 900
"""Of service time."""
_REASONS: Final = (BreakReason.MEAL, BreakReason.REST, BreakReason.MEETING)


def open_desks(services: Services) -> list[Member]:
    """The accounts of the simulated callers, made once, with passwords that nobody knows."""
    made = hash_password(temporary_password())
    with services.store.begin() as tx:
        for name in (*CALLERS, *_IDLE):
            if find_member(tx, name) is None:
                insert_member(
                    tx,
                    login=name,
                    display_name=name,
                    password_hash=made,
                    role=Role.CALLER,
                    unit_id=None,
                    language="zh",
                    must_change=False,
                    by="demo",
                    real_now=services.real.now(),
                )
        found = [find_member(tx, name) for name in (*CALLERS, *_IDLE)]
    return [member for member in found if member is not None]


def sit_at_desks(services: Services, members: Sequence[Member]) -> None:
    """Each of these people has a page open, and is free or, one at a time, on a break for a quarter of an hour."""
    turn = int(services.clock.now().timestamp()) // _BREAK_SECONDS
    for number, member in enumerate(members):
        presence = own_presence(services, member.id, is_there=True).presence
        rests = turn % len(members) == number
        if rests and PresenceState.BREAK not in {presence.state, presence.then}:
            reason = _REASONS[turn % len(_REASONS)]
            say_presence(services, member.actor, PresenceEvent.BREAK, reason=reason)
        elif not rests and presence.state in {PresenceState.BREAK, PresenceState.OFF}:
            say_presence(services, member.actor, PresenceEvent.FREE)
