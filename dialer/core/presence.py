"""Presence: whether somebody who calls or visits people is free, has a task, is in a call or after one, on a break, or
off. Pure.

The tasks and calls that a person has decide three of the states; the person, a supervisor or silence the others.
Whoever asks for a break or signs off with a task in hand has it when the task is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class PresenceState(StrEnum):
    """What somebody does now."""

    OFF = "off"
    FREE = "free"
    """Takes the next task."""
    ON_TASK = "on_task"
    """Has a task and has not called yet, or is on a visit."""
    ON_CALL = "on_call"
    AFTER_WORK = "after_work"
    """The call is over, its report is not sent."""
    BREAK = "break"

    @property
    def is_working(self) -> bool:
        """Whether a task or a call is in hand."""
        return self in _WORKING


_WORKING: Final = frozenset({PresenceState.ON_TASK, PresenceState.ON_CALL, PresenceState.AFTER_WORK})


class PresenceEvent(StrEnum):
    """What changes a presence."""

    FREE = "free"
    """Somebody says so, as with the next two."""
    BREAK = "break"
    OFF = "off"
    TASK_TAKEN = "task_taken"
    TASK_ENDED = "task_ended"
    """Reported, given back, or gone."""
    CALL_BEGAN = "call_began"
    CALL_ENDED = "call_ended"
    SILENT = "silent"
    """No page of the person was open for a while."""
    UNTAKEN = "untaken"
    """The person took nothing of what was offered, some times in a row."""


class BreakReason(StrEnum):
    """Why somebody is on a break."""

    REST = "rest"
    MEAL = "meal"
    MEETING = "meeting"
    TRAINING = "training"
    OTHER_WORK = "other_work"


_S, _E = PresenceState, PresenceEvent
TRANSITIONS: Final[Mapping[tuple[PresenceState, PresenceEvent], PresenceState]] = {
    (_S.OFF, _E.FREE): _S.FREE,
    (_S.OFF, _E.BREAK): _S.BREAK,
    (_S.OFF, _E.TASK_TAKEN): _S.ON_TASK,
    (_S.OFF, _E.CALL_BEGAN): _S.ON_CALL,
    (_S.FREE, _E.BREAK): _S.BREAK,
    (_S.FREE, _E.OFF): _S.OFF,
    (_S.FREE, _E.TASK_TAKEN): _S.ON_TASK,
    (_S.FREE, _E.CALL_BEGAN): _S.ON_CALL,
    (_S.FREE, _E.SILENT): _S.OFF,
    (_S.FREE, _E.UNTAKEN): _S.OFF,
    (_S.BREAK, _E.FREE): _S.FREE,
    (_S.BREAK, _E.BREAK): _S.BREAK,
    (_S.BREAK, _E.OFF): _S.OFF,
    (_S.BREAK, _E.TASK_TAKEN): _S.ON_TASK,
    (_S.BREAK, _E.CALL_BEGAN): _S.ON_CALL,
    (_S.BREAK, _E.SILENT): _S.OFF,
    (_S.ON_TASK, _E.CALL_BEGAN): _S.ON_CALL,
    (_S.ON_TASK, _E.TASK_ENDED): _S.FREE,
    (_S.ON_CALL, _E.CALL_ENDED): _S.AFTER_WORK,
    (_S.AFTER_WORK, _E.CALL_BEGAN): _S.ON_CALL,
    (_S.AFTER_WORK, _E.TASK_ENDED): _S.FREE,
}
"""Every other event leaves the state as it is. With a task or a call in hand, what somebody says is planned for its
end. Silence ends no task: its lease does.
"""
SAID: Final[Mapping[PresenceEvent, PresenceState]] = {
    _E.FREE: _S.FREE,
    _E.BREAK: _S.BREAK,
    _E.OFF: _S.OFF,
}
"""The state that somebody asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What somebody does, and what they do when the task in hand is over."""

    state: PresenceState = PresenceState.OFF
    reason: BreakReason | None = None
    """Of a break."""
    then: PresenceState | None = None
    """BREAK or OFF, planned for the end of the task; None: free."""
    then_reason: BreakReason | None = None

    def after(self, event: PresenceEvent, reason: BreakReason | None = None) -> Presence:
        """The presence after this event. `reason` is that of a break; without one it is a rest."""
        wanted = SAID.get(event)
        of_break = (reason or BreakReason.REST) if event is PresenceEvent.BREAK else None
        if wanted is not None and self.state.is_working:
            planned = None if wanted is PresenceState.FREE else wanted
            return replace(self, then=planned, then_reason=of_break)
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            return self
        if event is PresenceEvent.TASK_ENDED:
            return Presence(state=self.then or state, reason=self.then_reason)
        return Presence(state=state, reason=of_break, then=self.then, then_reason=self.then_reason)

    def settled(self, *, has_task: bool, has_call: bool) -> tuple[tuple[PresenceEvent, ...], Presence]:
        """The presence that fits the work which the person has now, and the events that lead to it."""
        events: list[PresenceEvent] = []
        now = self

        def happened(event: PresenceEvent) -> None:
            nonlocal now
            events.append(event)
            now = now.after(event)

        if has_call and now.state is not PresenceState.ON_CALL:
            happened(PresenceEvent.CALL_BEGAN)
        if not has_call and now.state is PresenceState.ON_CALL:
            happened(PresenceEvent.CALL_ENDED)
        if has_task and not now.state.is_working:
            happened(PresenceEvent.TASK_TAKEN)
        if not has_task and not has_call and now.state.is_working:
            happened(PresenceEvent.TASK_ENDED)
        return tuple(events), now
