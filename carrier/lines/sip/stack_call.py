"""A call of the SIP process, with what is written, heard and recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carrier.lines.mix import VoiceMix
from carrier.lines.sound import OURS, PERSON, TwoSides
from carrier.lines.tones import KeyTones
from carrier.lines.voice import GreetingJudge, UtteranceDetector, VoiceDetector

_LEAST_ANNOUNCED_FRAMES = 50
"""Of 20 ms: no announcement is shorter than a second."""
_LEAST_REPORTED_PACKETS = 50


class StackCall:
    """One call of the stack, from the INVITE to its end."""

    def __init__(self, call_id: int) -> None:
        self.id = call_id
        self.native: Any = None
        self.call_id: str | None = None
        """Of SIP; None until the first event of the call."""
        self.established_at: float | None = None
        """When the far side answered; `answered_at`: since when our sound can leave."""
        self.answered_at: float | None = None
        self._reported = (0, 0)
        self.dialled_at: float | None = None
        """When the INVITE was sent; None for an inbound call, and once the trunk has reported progress."""
        self.trunk = ""
        self.number = ""
        self.address = ""
        """What is dialled."""
        self.session_seconds = 0
        """For how long the call lasts without a refresh, as we offered."""
        self.held_since: float | None = None
        """Since when the person has us on hold."""
        self.hung_up = False
        self.joined: StackCall | None = None
        self.mix: VoiceMix[StackCall] | None = None
        """What is heard in a conference; None outside one."""
        self.listens = False
        self.heard_bytes = 0
        self.is_early = False
        self.early = bytearray()
        self.early_voice_frames = 0
        self.voices = VoiceDetector()
        self.has_key_events: bool | None = None
        """Whether keys come as events; None while that is not known. Else they are looked for in the sound."""
        self.tones = KeyTones()
        self.newest_info = -1
        """The number of the newest INFO that had a key: one that is repeated is no second key."""
        self.detector = UtteranceDetector()
        self.judge = GreetingJudge()
        self.to_write = memoryview(b"")
        self.prompt = b""
        """The prompt that plays, from its start."""
        self.say = 0
        self.speaks = False
        self.silent_until = 0.0
        self.unsent = bytearray()
        """What the stack has taken for sending and not sent yet."""
        self.taping: TwoSides | None = None

    @property
    def has_sound(self) -> bool:
        return self.answered_at is not None and not self.hung_up

    @property
    def waits_for_sound(self) -> bool:
        """The far side has answered, and our sound cannot leave yet."""
        return self.established_at is not None and self.answered_at is None and not self.hung_up

    def lost_most(self, stats: Mapping[str, Any]) -> bool:
        """Whether the far side reports, by RTCP, that most of what we sent since its last report did not arrive."""
        sent = int(stats.get("tx", {}).get("packets", 0))
        lost = int(stats.get("rtcp", {}).get("tx_lost", 0))
        before_sent, before_lost = self._reported
        if sent - before_sent < _LEAST_REPORTED_PACKETS:
            return False
        self._reported = (sent, lost)
        return 2 * (lost - before_lost) > sent - before_sent

    @property
    def announced(self) -> bytes:
        """The sound before an answer, if there was enough speech in it for an announcement; else empty."""
        is_speech = self.answered_at is None and self.early_voice_frames >= _LEAST_ANNOUNCED_FRAMES
        return bytes(self.early) if is_speech else b""

    def wrote(self, samples: bytes | memoryview) -> None:
        """Notes samples that the stack has taken for sending."""
        self.unsent += samples

    def sent_but(self, buffered: int, *, at: float) -> None:
        """Notes that all but the last `buffered` bytes have been sent, at `at` seconds after the answer."""
        count = len(self.unsent) - buffered
        if count <= 0:
            return
        sent = bytes(self.unsent[:count])
        del self.unsent[:count]
        self.voices.sent(sent)
        if self.taping is not None:
            self.taping.follow(OURS, sent, ends=at)

    def received(self, samples: bytes, *, at: float) -> None:
        """Notes samples of the person, received until `at` seconds after the answer."""
        self.heard_bytes += len(samples)
        if samples and self.taping is not None:
            self.taping.follow(PERSON, samples, ends=at)
