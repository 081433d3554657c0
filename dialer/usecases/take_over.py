"""The duty desk took a call that was handed over: who spoke there has the assignment, and reports on it."""

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
    """Told when the two have spoken; `step` is the conversation's, `desk` the carrier's word for it."""

    attempt_id: uuid.UUID
    step: int
    desk: str

    def read(self, _engine: Engine, call: Call, _now: datetime) -> ReadTaken:
        kept = Kept(
            attempt_id=self.attempt_id,
            case_id=call.case_id,
            step=f"talk.{self.step}",
            kind="desk",
            facts={"desk": self.desk},
            personal={},
        )
        return ReadTaken(kept=kept, may_move=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTaken(Understood):
    """A hand-over that was taken."""

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

    def event(self, _call: Call, _change: Change) -> OfficerTook:
        return OfficerTook()
