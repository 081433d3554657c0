"""What happens when the carrier cannot get our words: the person hears the safe sentence of the fallback, or nothing.
Such a call counts as dead air. Dialling stops at once, and goes on when a prompt has been fetched as a carrier fetches
it.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime

from dialer.calls.events import EventReading
from dialer.calls.pacing import close_sound_breaker, fail_sound_breaker
from dialer.calls.store import AttemptChange, Call, StoredEvent, read_calls
from dialer.core.attempt import AttemptEvent, state_after
from dialer.core.events import AlarmCode
from dialer.core.reach import Hearing
from dialer.core.text import Text
from dialer.db.alarms import raise_alarm
from dialer.runtime.services import Services
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.public_address import PublicAddressBlocked, check_sound


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBack:
    """The carrier requested the fallback of a call: what it was to play did not reach the person."""

    attempt_id: uuid.UUID
    error_code: str

    def read(self, _services: Services, call: Call, _now: datetime) -> EventReading:
        """The turn that was sent last counts as not heard."""
        return EventReading(
            stored=StoredEvent(
                attempt_id=self.attempt_id,
                case_id=call.case_id,
                step="fallback",
                kind="call.fallback",
                facts={"error_code": self.error_code},
                personal={},
            ),
            may_move=False,
            change=self._change,
            event=lambda _call, _change: None,
        )

    def _change(self, call: Call, now: datetime, _poll_at: datetime) -> AttemptChange | None:
        state = state_after(call.state, AttemptEvent.ANSWERED)
        if state is None:
            return None
        hearing = Hearing.of(call.hearing)
        return AttemptChange(
            attempt_id=self.attempt_id,
            state=state,
            accepted_at=now,
            ringing_at=now,
            answered_at=now,
            hearing=None if call.hearing is None else hearing.without_turn().as_json(),
            played_seconds=max(0.0, call.played_seconds - hearing.turn_seconds),
        )


def stop_for_fallback(services: Services, *, address: str, error_code: str) -> None:
    """Stops dialling: the carrier could not use what is at this address of ours."""
    _stop(services, Text("%(url)s: the carrier reports error %(code)s", url=address, code=error_code or "-"))


def stop_if_unplayed(services: Services, attempt_id: uuid.UUID, *, address: str) -> None:
    """Stops dialling if the person has heard nothing, although turns were sent: the carrier could not fetch the sound
    at this address of ours.
    """
    with services.store.begin() as tx:
        calls = read_calls(tx, [attempt_id])
    prompts = Hearing.of(calls[attempt_id].hearing).prompts if calls else ()
    if prompts and not any(prompt.heard for prompt in prompts):
        _stop(services, Text("%(url)s: the carrier could not fetch our sound", url=address))


def _stop(services: Services, problem: Text, *, by_probe: bool = False, fix: str | Text = "") -> None:
    with services.store.begin() as tx:
        fail_sound_breaker(tx, real_now=services.real.now(), by_probe=by_probe)
        facts = {"problem": problem.plain()} | ({"fix": Text.of(fix).plain()} if fix else {})
        raise_alarm(tx, AlarmCode.PROMPTS_MISSING, now=services.clock.now(), facts=facts)


async def probe_sound(services: Services, config: TelephonyConfig, *, through_proxy: bool = True) -> None:
    """Fetches a prompt as a carrier would, and lets dialling go on if it comes whole; otherwise dialling stays stopped,
    for a while that grows. Without `through_proxy` the service cannot reach its own public address: then only the time
    counts.
    """
    live = services.rendered_scripts.now(services.real.now()).live
    file = next((clip.file for rendered in live.values() for clip in rendered.clips), "")
    try:
        if file and through_proxy:
            await check_sound(config, file)
    except PublicAddressBlocked as fault:
        await asyncio.to_thread(_stop, services, fault.text, by_probe=True, fix=fault.fix)
    else:
        await asyncio.to_thread(_go_on, services)


def _go_on(services: Services) -> None:
    with services.store.begin() as tx:
        close_sound_breaker(tx, real_now=services.real.now())
