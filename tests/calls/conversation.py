"""One ring of one case, talked through webhook by webhook."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from dialer.calls.apply import CallNews
from dialer.calls.conversation import TurnRequest
from dialer.calls.events import CallEvent, apply_call_events, apply_replies
from dialer.core.errors import NotFound
from dialer.core.reach import Hearing
from dialer.core.values import Grade, TelephonyResult
from dialer.runtime.services import Services
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Position, Turn
from dialer.scripts.reading import shipped_scripts
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.work.desk_calls import DutyLineEvent
from tests.control.scene import Scene


def apply_call_event(services: Services, event: CallEvent) -> Turn | None:
    (reply,) = apply_call_events(services, [event])
    assert not isinstance(reply, NotFound)
    return reply


class PhoneCall:
    """Rings when made; the scene's clock moves only when told."""

    def __init__(
        self,
        scene: Scene,
        *,
        grade: Grade = Grade.MEDIUM,
        script: str = "loan",
        forwarded: bool = False,
        **fields: Any,  # noqa: ANN401 - fields of a case
    ) -> None:
        self.scene = scene
        self.case_id = scene.open_case(grade=grade, **fields)
        self.attempt_id: uuid.UUID = scene.attempt_of(self.case_id)["id"]
        self.sid = f"CA{self.attempt_id.hex}"
        self.turn: Turn | None = None
        self._forwarded = forwarded
        self.unplayed = False
        """From now on the carrier says that it could not play all of the turn before."""
        self.is_unfetched = False
        """As above, because it could not fetch our sound."""
        self._last: TurnRequest | None = None
        self._step = 0
        self._sequence = 0
        chosen = shipped_scripts()[script]
        scene.change_attempt(
            self.attempt_id,
            state="ringing",
            sid=self.sid,
            script_id=chosen.id,
            script_hash=chosen.content_hash,
            language=chosen.default_language,
            sent_at=scene.clock.now(),
            ringing_at=scene.clock.now(),
        )

    def after(self, seconds: float) -> PhoneCall:
        self.scene.clock.advance(timedelta(seconds=seconds).total_seconds())
        return self

    def answered(self) -> PhoneCall:
        self._tell(CallProgress(stage=Stage.ANSWERED, sid=self.sid))
        return self._talk(None, Heard.silence())

    def listens(self) -> PhoneCall:
        """Until all of the turn has been said."""
        hearing = Hearing.of(self.row()["hearing"])
        if hearing.at is not None:
            over_at = hearing.at + timedelta(seconds=sum(one.seconds for one in hearing.turn))
            self.after(max(0.0, (over_at - self.scene.clock.now()).total_seconds()))
        return self

    def presses(self, *keys: str, at_once: bool = False) -> PhoneCall:
        """One key, or typed digits, at each question in turn; "" is silence. The question is heard first, unless
        `at_once`.
        """
        for key in keys:
            assert self.turn is not None
            if not at_once:
                self.listens()
            self._talk(self.turn.position, Heard.keys(key) if key else Heard.silence())
        return self

    def desk(self, status: str, *, taken: bool) -> PhoneCall:
        """How the duty line answered."""
        assert self.turn is not None
        if taken:
            apply_call_event(
                self.scene.services, DutyLineEvent(attempt_id=self.attempt_id, step=self._step, desk=status)
            )
            return self
        return self._talk(self.turn.position, Heard.silence(), desk=status)

    def desk_answers(self) -> PhoneCall:
        """The officer has picked up; the two are speaking."""
        taken = DutyLineEvent(attempt_id=self.attempt_id, step=self._step, desk="answered", talking=True)
        apply_call_event(self.scene.services, taken)
        return self

    def leaves(self, status: str) -> PhoneCall:
        """The person hung up before the desk answered."""
        apply_call_event(
            self.scene.services,
            DutyLineEvent(attempt_id=self.attempt_id, step=self._step, desk=status, took=False),
        )
        return self

    def machine(self) -> PhoneCall:
        self._tell(CallProgress(stage=Stage.ANSWERED, sid=self.sid, answered_by="machine_start"), step="amd")
        return self

    def ends(
        self,
        result: TelephonyResult = TelephonyResult.ANSWERED,
        *,
        seconds: int | None = None,
        forwarded: bool = False,
        cut_off: bool = False,
    ) -> dict[str, Any]:
        """The attempt's row after its end."""
        self._tell(
            CallProgress(
                stage=Stage.ENDED,
                sid=self.sid,
                result=result,
                duration_seconds=seconds,
                forwarded=forwarded,
                unplayed=self.unplayed,
                is_unfetched=self.is_unfetched,
                is_cut_off=cut_off,
            ),
            step="status.end",
        )
        return self.row()

    def row(self) -> dict[str, Any]:
        return next(row for row in self.scene.attempts_of(self.case_id) if row["id"] == self.attempt_id)

    def _talk(self, position: Position | None, heard: Heard, desk: str = "") -> PhoneCall:
        step = TurnRequest(
            attempt_id=self.attempt_id,
            step=self._step,
            sid=self.sid,
            position=position,
            heard=heard,
            desk=desk,
            forwarded=self._forwarded,
            unplayed=self.unplayed,
            personal={"Digits": heard.digits} if heard.digits else {},
        )
        self._last = step
        turn = apply_call_event(self.scene.services, step)
        assert turn is not None
        self.turn = turn
        self._step += 1
        return self

    def repeats(self) -> PhoneCall:
        """The carrier sends its last request for a turn once more."""
        assert self._last is not None
        self.turn = apply_call_event(self.scene.services, self._last)
        return self

    def _tell(self, progress: CallProgress, step: str = "") -> None:
        self._sequence += 1
        news = CallNews(
            attempt_id=self.attempt_id, step=step or f"status.{self._sequence}", progress=progress
        )
        with self.scene.tx() as tx:
            apply_replies(tx, self.scene.services, [news])
