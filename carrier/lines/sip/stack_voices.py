"""Who hears whom among the calls of the SIP process: two that are joined, and the participants of conferences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Final

from carrier.lines.mix import VoiceMix
from carrier.lines.sip.stack_call import StackCall
from carrier.lines.sound import BYTES_A_SECOND, FRAME_BYTES

CUSHION_BYTES: Final = 3 * FRAME_BYTES
MOST_READ_BYTES: Final = BYTES_A_SECOND


class Voices:
    """Passes voices on between calls. Calls that are in no conference cost nothing here.

    `native_error`: what the stack raises for a call that has just ended.
    """

    def __init__(self, native_error: type[Exception]) -> None:
        self._native_error = native_error
        self._listeners: set[StackCall] = set()
        self._heard: set[StackCall] = set()
        self._interrupted: set[StackCall] = set()
        """Listeners to whom a prompt is played."""

    def are_of(self, call: StackCall) -> bool:
        """Whether what is received of this call is read here."""
        return call.joined is not None or call in self._heard

    def join(self, call: StackCall, other: StackCall) -> None:
        """Both hear each other, and nobody else, and nobody else hears them."""
        for leg in (call, other):
            self.over(leg)
        call.joined, other.joined = other, call
        for leg in (call, other):
            self._cushion(leg)

    def hear(self, call: StackCall, others: Iterable[StackCall]) -> None:
        """The call hears these others, mixed, in place of whom it heard before."""
        if call.joined is not None:
            call.joined.joined = None
            call.joined = None
        heard = tuple(others)
        if call.mix is not None:
            call.mix.change(heard)
        elif heard:
            call.mix = VoiceMix(heard)
            self._cushion(call)
            self._listeners.add(call)
        self._tidy()

    def over(self, call: StackCall) -> None:
        """The call has ended, or leaves all others: nobody hears it any more, and it hears nobody."""
        self.hear(call, ())
        for listener in self._listeners:
            if listener.mix is not None:
                listener.mix.change(voice for voice in listener.mix.heard if voice is not call)
        self._tidy()

    def exchange(self, now: float) -> None:
        """Passes on what was received since the last tick of 20 ms: a frame to each who hears somebody in a conference.
        Nothing is mixed for one to whom a prompt is played.
        """
        for voice in self._heard:
            samples = self._received(voice, now)
            if samples:
                for listener in self._listeners:
                    if listener.mix is not None:
                        listener.mix.put(voice, samples)
        for listener in self._listeners:
            if listener.mix is None or not listener.has_sound:
                continue
            if listener.speaks or now < listener.silent_until:
                self._interrupted.add(listener)
                listener.mix.clear()
                continue
            if listener in self._interrupted:
                self._interrupted.discard(listener)
                self._cushion(listener)
            self._write(listener, listener.mix.take())

    def bridge(self, call: StackCall, now: float) -> None:
        """Passes the voice of a joined call on to the other."""
        samples = self._received(call, now)
        if samples and call.joined is not None and call.joined.has_sound:
            self._write(call.joined, samples)

    def _received(self, call: StackCall, now: float) -> bytes:
        if not call.has_sound or call.answered_at is None:
            return b""
        with contextlib.suppress(self._native_error):
            samples = bytes(call.native.audio.read(MOST_READ_BYTES))
            call.received(samples, at=now - call.answered_at)
            return samples
        return b""

    def _write(self, call: StackCall, samples: bytes) -> None:
        if samples:
            with contextlib.suppress(self._native_error):
                call.wrote(samples[: call.native.audio.write(samples)])

    def _cushion(self, call: StackCall) -> None:
        """Writes a little silence ahead of the others' voices, so that a late tick of ours leaves no gap in them."""
        if call.has_sound:
            self._write(call, bytes(CUSHION_BYTES))

    def _tidy(self) -> None:
        for call in [call for call in self._listeners if call.mix is not None and not call.mix.heard]:
            call.mix = None
            self._listeners.discard(call)
            self._interrupted.discard(call)
        self._heard = {voice for call in self._listeners if call.mix is not None for voice in call.mix.heard}
