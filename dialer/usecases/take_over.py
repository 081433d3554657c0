"""The duty desk took a call that was handed over: from its answer on it has the assignment, and reports on it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.events import OfficerTook
from dialer.store.calls import Call, Change, Kept
from dialer.usecases.engine import Engine
from dialer.usecases.hear_calls import Understood


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """News of the desk at a conversation's `step`: that it answered, that the two have spoken, or that the person left
    before it answered. `desk` is the carrier's word for it.
    """

    attempt_id: uuid.UUID
    step: int
    desk: str
    took: bool = True
    """An officer has, or had, the person on the line."""
    talking: bool = False
    """They are speaking now; how it ended is told under the conversation's own step."""

    def read(self, _engine: Engine, call: Call, _now: datetime) -> ReadTaken:
        kept = Kept(
            attempt_id=self.attempt_id,
            case_id=call.case_id,
            step=f"desk.{self.step}" if self.talking else f"talk.{self.step}",
            kind="desk",
            facts={"desk": self.desk},
            personal={},
        )
        return ReadTaken(kept=kept, may_move=self.took, took=self.took)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTaken(Understood):
    """A hand-over that was taken, or not."""

    took: bool

    def change(
        self,
        engine: Engine,  # noqa: ARG002  # as Reading
        call: Call,
        *,
        now: datetime,  # noqa: ARG002  # as Reading
        poll_at: datetime,  # noqa: ARG002  # as Reading
    ) -> Change | None:
        """Nothing that the network does not say itself; the case is told even when the call is over by now."""
        return Change(attempt_id=call.attempt_id, state=call.state)

    def event(self, _call: Call, _change: Change) -> OfficerTook | None:
        return OfficerTook() if self.took else None
