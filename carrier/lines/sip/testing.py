"""A test call to a telephone of the person who sets up a trunk: it plays a sentence, accepts keys, and reports. It
belongs to no case.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field

from carrier.lines import Cause, Clip, LegEvents, MachineDetection, Quality
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.link import Message

_RING_SECONDS = 45.0
_LATE_SECONDS = 10.0
"""The end of a sound is reported this long after its time at the latest."""
_QUALITY_SECONDS = 3.0
_MOST_KEYS = 16


@dataclass(slots=True)
class _Call(LegEvents):
    """What has happened so far, as the events of a leg report it."""

    rang: bool = False
    is_answered: bool = False
    keys: str = ""
    cause: Cause | None = None
    """Why the call ended, where the far side or the network ended it."""
    quality: Quality | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_open(self) -> bool:
        return self.cause is None

    @property
    def is_live(self) -> bool:
        return self.is_answered and self.cause is None

    def ringing(self) -> None:
        self.rang = True
        self.changed.set()

    def answered(self, verdict: MachineDetection | None) -> None:  # noqa: ARG002 - a person tests
        self.is_answered = True
        self.changed.set()

    def pressed(self, key: str) -> None:
        self.keys = (self.keys + key)[:_MOST_KEYS]

    def ended(self, cause: Cause) -> None:
        self.cause = cause
        self.changed.set()

    def measured(self, quality: Quality) -> None:
        self.quality = quality
        self.changed.set()


async def place_test_call(line: SipLine, number: str, clip: Clip, *, listen_seconds: float) -> Message:
    """Calls the number, plays the clip, accepts keys for `listen_seconds`, hangs up, and returns what happened. Raises
    `ValueError` for a number that the line never dials.
    """
    code = line.refusal(number)
    if code:
        raise ValueError(f"the trunks do not dial this number ({code})")
    call, said = _Call(), asyncio.Event()
    leg = line.dial(number, nth=1, events=call)
    loop = asyncio.get_running_loop()
    until = loop.time() + _RING_SECONDS
    while call.is_open and not call.is_answered and loop.time() < until:
        await _change(call, until - loop.time())
    answered_at = loop.time()
    if call.is_live:

        def end_of_sound() -> None:
            said.set()
            call.changed.set()

        leg.speak(clip, end_of_sound)
        leg.listen(1)
        until = answered_at + clip.seconds + _LATE_SECONDS
        while call.is_open and not said.is_set() and loop.time() < until:
            await _change(call, until - loop.time())
        until = loop.time() + listen_seconds
        while call.is_open and loop.time() < until:
            await _change(call, until - loop.time())
    seconds = loop.time() - answered_at if call.is_answered else 0.0
    if call.is_open:
        leg.hang_up()
    until = loop.time() + _QUALITY_SECONDS
    while call.is_answered and call.quality is None and loop.time() < until:
        await _change(call, until - loop.time())
    return {
        "trunk": leg.trunk,
        "rang": call.rang,
        "answered": call.is_answered,
        "seconds": round(seconds, 1),
        "said_whole": said.is_set(),
        "keys": call.keys,
        "cause": call.cause.value if call.cause is not None else "",
        "quality": {"trunk": leg.trunk, **asdict(call.quality)} if call.quality is not None else None,
    }


async def _change(call: _Call, seconds: float) -> None:
    call.changed.clear()
    try:
        await asyncio.wait_for(call.changed.wait(), max(0.01, seconds))
    except TimeoutError:
        return
