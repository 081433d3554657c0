"""What is heard of a telephone: tells voices from the noise of the place and from our own sound that comes back, cuts
speech into utterances, and distinguishes persons from machines.

Samples as in `sound`. Pure: moments are seconds from the answer on. What was measured is in decision 0883.
"""

from __future__ import annotations

import audioop
import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from carrier.lines import MachineDetection
from carrier.lines.sound import BYTES_A_SECOND, FRAME_BYTES, RATE
from carrier.people import AnsweredBy

_FRAME_SECONDS: Final = 0.02

_LEAST_LEVEL: Final = 150
"""Root mean square below which nothing is a voice; the noise of a line itself stays below 100 after A-law."""
_OVER_NOISE: Final = 2.24
"""7 dB: so far a voice is above the quiet frames of the last seconds."""
_NOISE_FRAMES: Final = 75
"""1.5 s: noise that begins counts as a voice for so long. People pause more often."""
_QUIET_SHARE: Final = 0.15
"""Of the last frames: noise varies, and lost packets are silent, so that the quietest frame is too low."""
_NEWEST_FRAMES, _LEAST_LOUD = 5, 3
"""A voice is in a frame when so many of the newest frames are loud: a click is none, and a pause between syllables ends
none.
"""


class VoiceDetector:
    """Finds the frames of 20 ms that have a voice of the other side in them. A frame counts by its level over the noise
    of the last seconds, and not where it resembles what we sent: that is our own sound, which comes back.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._levels: deque[int] = deque(maxlen=_NOISE_FRAMES)
        self._loud: deque[bool] = deque(maxlen=_NEWEST_FRAMES)
        self._newest: deque[bytes] = deque(maxlen=_NEWEST_FRAMES)
        self._own = OwnSound()

    def sent(self, samples: bytes) -> None:
        """Notes samples that we sent since the last call of `hear`."""
        self._own.sent(samples)

    def hear(self, samples: bytes) -> list[tuple[bytes, bool]]:
        """The frames that these received samples complete, each with whether a voice is in it."""
        self._own.received(len(samples))
        samples = self._rest + samples
        whole = len(samples) - len(samples) % FRAME_BYTES
        self._rest = samples[whole:]
        frames = [samples[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]
        return [
            (frame, self._is_voice(frame, before_end=len(samples) - (n + 1) * FRAME_BYTES))
            for n, frame in enumerate(frames)
        ]

    def _is_voice(self, frame: bytes, *, before_end: int) -> bool:
        level = audioop.rms(frame, 2)
        self._levels.append(level)
        self._newest.append(frame)
        noise = sorted(self._levels)[int(len(self._levels) * _QUIET_SHARE)]
        self._loud.append(level >= max(_LEAST_LEVEL, noise * _OVER_NOISE))
        if sum(self._loud) < _LEAST_LOUD:
            return False
        return not self._own.is_in(b"".join(self._newest), before_end=before_end)


_LONGEST_ECHO_BYTES: Final = BYTES_A_SECOND
"""Our sound comes back within a second, on a slow network with long buffers."""
_TOLERANCE_BYTES: Final = BYTES_A_SECOND // 10
"""What we send and what we receive may be so far apart before they are put on one timeline again."""
_KEPT_BYTES: Final = _LONGEST_ECHO_BYTES + 2 * _TOLERANCE_BYTES
_LEAST_AUDIBLE: Final = 100
_ALIKE, _ALIKE_WHERE_EXPECTED = 0.5, 0.3
"""The least share of the power of 0.1 s of received sound that one part of ours explains, at any delay and at the known
one. A voice of another sentence reached 0.5 at some delay in 5 of 100 frames, our own sound in noise fell below it in
5 of 100.
"""
_SAME_DELAY_BYTES: Final = 32
_SEARCH_EVERY: Final = 3
"""Frames: a search takes as long as a hundred comparisons."""
_COARSE: Final = 4
"""The search compares every fourth sample, and then the place that it finds with its neighbours."""


class OwnSound:
    """What we sent in the last second, to recognise it in what is received. The delay of an echo stays the same: once
    two parts came back after the same delay, it is looked for there first.
    """

    def __init__(self) -> None:
        self._sent = bytearray()
        self._sent_bytes = 0
        self._received_bytes = 0
        self._audible_until = -1
        self._delay: int | None = None
        self._found_delay = -_SAME_DELAY_BYTES - 1
        self._frames_to_search = 0
        self._was_found = False

    def sent(self, samples: bytes) -> None:
        """Notes samples that were sent."""
        self._sent += samples
        self._sent_bytes += len(samples)
        del self._sent[:-_KEPT_BYTES]
        if audioop.max(samples, 2) >= _LEAST_AUDIBLE:
            self._audible_until = self._sent_bytes + _LONGEST_ECHO_BYTES

    def received(self, size: int) -> None:
        """Notes how many bytes were received. Where nothing was sent in that time, silence was."""
        self._received_bytes += size
        if self._sent_bytes < self._received_bytes - _TOLERANCE_BYTES:
            self.sent(bytes(self._received_bytes - self._sent_bytes))
        elif self._sent_bytes > self._received_bytes + _TOLERANCE_BYTES:
            self._received_bytes = self._sent_bytes

    def is_in(self, heard: bytes, *, before_end: int) -> bool:
        """Whether this received sound is ours that came back. `before_end`: how many bytes were received after it."""
        begins = self._received_bytes - before_end - len(heard)
        if begins > self._audible_until:
            return False
        if self._delay is not None and self._share(heard, begins - self._delay) >= _ALIKE_WHERE_EXPECTED:
            self._was_found = True
        elif self._frames_to_search > 0:
            self._frames_to_search -= 1
        else:
            self._frames_to_search = _SEARCH_EVERY - 1
            self._was_found = self._search(heard, begins)
        return self._was_found

    def _share(self, heard: bytes, place: int) -> float:
        """The share of the power of what was heard that our sound at this place explains, 0 to 1."""
        at = place - self._sent_bytes + len(self._sent)
        ours = bytes(self._sent[at : at + len(heard)]) if at >= 0 else b""
        if len(ours) < len(heard) or not audioop.rms(ours, 2):
            return 0.0
        return float((audioop.findfactor(heard, ours) * audioop.rms(ours, 2) / audioop.rms(heard, 2)) ** 2)

    def _search(self, heard: bytes, begins: int) -> bool:
        """Looks for the sound at every delay, and notes the delay when it is the same for the second time."""
        step = 2 * _COARSE
        ours = _fewer_samples(bytes(self._sent[: len(self._sent) // step * step]))
        wanted = _fewer_samples(heard)
        if len(ours) < len(wanted):
            return False
        # Were the first part silent, nothing would be found.
        at, _ = audioop.findfit(b"\1\0" + ours[2:], wanted)
        near = self._sent_bytes - len(self._sent) + at * step
        share, place = max(
            (self._share(heard, place), place) for place in range(near - step, near + step + 1, 2)
        )
        if share < _ALIKE:
            return False
        delay = begins - place
        if abs(delay - self._found_delay) <= _SAME_DELAY_BYTES:
            self._delay = delay
        self._found_delay = delay
        return True


def _fewer_samples(samples: bytes) -> bytes:
    """The means of four samples each."""
    for _ in range(2):
        samples = audioop.tomono(samples, 2, 0.5, 0.5)
    return samples


_LEAST_VOICE_FRAMES: Final = 6
_END_SILENCE_FRAMES: Final = 35
_MOST_FRAMES: Final = 400
_BEFORE_FRAMES: Final = 10


class UtteranceDetector:
    """Cuts received sound into utterances: from a little before the voice to 0.7 s of silence, 8 s at most."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._voiced = 0
        self._silent = 0

    def feed(self, frame: bytes, *, voice: bool) -> bytes | None:
        """Takes a frame of 20 ms. Returns the samples of an utterance when it is complete, else None."""
        self._kept.append(frame)
        if voice:
            self._voiced += 1
            self._silent = 0
        elif self._voiced:
            self._silent += 1
        if not self._voiced:
            del self._kept[:-_BEFORE_FRAMES]
            return None
        if self._silent < _END_SILENCE_FRAMES and len(self._kept) < _MOST_FRAMES:
            return None
        made = b"".join(self._kept) if self._voiced >= _LEAST_VOICE_FRAMES else None
        self._kept, self._voiced, self._silent = [], 0, 0
        return made


_TONE_ERROR: Final = 0.01
"""The largest relative error with which the two neighbours of a sample predict it in a tone; in a voice the error is
larger.
"""
_LEAST_TONE_LEVEL: Final = 350
_LEAST_BEEP_HERTZ, _MOST_BEEP_HERTZ = 500.0, 2500.0
"""The tones of networks in China (ringing, busy) are at 450 Hz."""
_SAME_TONE: Final = 0.04
_LEAST_BEEP_FRAMES, _MOST_BEEP_FRAMES = 7, 100
_QUIET_FRAMES, _MOST_EDGES = 3, 3


def tone_of(frame: bytes) -> float:
    """The pitch of a pure tone, in Hz; 0 for anything else. In a tone each sample is predicted by its two
    neighbours.
    """
    before, middle, after = frame[:-4], frame[2:-2], frame[4:]
    power = audioop.rms(middle, 2)
    if power < _LEAST_TONE_LEVEL:
        return 0.0
    # For a tone x[n+1] + x[n-1] = 2 cos(w) x[n].
    both = audioop.add(audioop.mul(before, 2, 0.5), audioop.mul(after, 2, 0.5), 2)
    cosine = audioop.findfactor(both, middle)
    if not -1.0 < cosine < 1.0:
        return 0.0
    left = audioop.rms(audioop.add(both, audioop.mul(middle, 2, -cosine), 2), 2)
    if (left / power) ** 2 > _TONE_ERROR:
        return 0.0
    return math.acos(cosine) * RATE / (2 * math.pi)


class BeepDetector:
    """Detects the beep after which a mailbox records: a tone that stays the same for 0.14 to 2 s, and then 0.1 s of
    silence.
    """

    def __init__(self) -> None:
        self._pitch = 0.0
        self._frames = 0
        self._quiet = 0
        self._edges = 0

    def feed(self, frame: bytes, *, voice: bool) -> bool:
        """Takes a frame of 20 ms. True when a beep is over."""
        pitch = tone_of(frame)
        # A long tone is no voice after a while, and goes on all the same.
        if not voice and not pitch:
            self._quiet += 1
            is_beep = _LEAST_BEEP_FRAMES <= self._frames <= _MOST_BEEP_FRAMES
            if self._quiet < _QUIET_FRAMES:
                return False
            self._frames = 0
            return is_beep
        is_same = self._frames and not self._quiet and abs(pitch / self._pitch - 1) <= _SAME_TONE
        self._quiet = 0
        if is_same:
            self._frames += 1
        else:
            is_heard = _LEAST_BEEP_HERTZ <= pitch <= _MOST_BEEP_HERTZ
            # The frame in which a tone ends is not a tone itself, and counts as a voice with the next two.
            is_end = (
                not pitch
                and _LEAST_BEEP_FRAMES <= self._frames <= _MOST_BEEP_FRAMES
                and self._edges < _MOST_EDGES
            )
            self._edges = self._edges + 1 if is_end else 0
            if not is_end:
                self._pitch, self._frames = pitch, int(is_heard)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingRules:
    """A greeting longer than `machine_seconds` is a machine's; one that ends before is a person's, after
    `pause_seconds` of silence. Without a voice for `silence_seconds` the verdict is unknown. A machine records after
    its beep; one that is silent for `end_seconds` without a beep waits for an answer, as an assistant does.
    """

    machine_seconds: float = 3.0
    pause_seconds: float = 1.0
    silence_seconds: float = 5.0
    end_seconds: float = 2.5


class GreetingJudge:
    """Distinguishes a person from a machine by the length of the first utterance: 喂 is short, a mailbox explains
    itself. For a machine, it also finds how the greeting ended.
    """

    def __init__(self, rules: GreetingRules = GreetingRules()) -> None:
        self._rules = rules
        self._seconds = 0.0
        self._voice_began: float | None = None
        self._voice_seen = 0.0
        self._beeps = BeepDetector()
        self._is_machine = False
        self._done = False

    def feed(self, frame: bytes, *, voice: bool) -> MachineDetection | None:
        """Takes a frame of 20 ms. Returns the verdict once; after `machine_start` a second one, on how the greeting
        ended.
        """
        if self._done:
            return None
        self._seconds += _FRAME_SECONDS
        if voice:
            self._voice_seen = self._seconds
            if self._voice_began is None:
                self._voice_began = self._seconds
        # A beep decides, whatever came before it: a person does not beep.
        by = AnsweredBy.MACHINE_END_BEEP if self._beeps.feed(frame, voice=voice) else self._judge()
        if by is None:
            return None
        self._is_machine = by is AnsweredBy.MACHINE_START
        self._done = not self._is_machine
        return MachineDetection(
            answered_by=by, after_seconds=self._seconds, greeting_seconds=self._greeting_seconds
        )

    def _judge(self) -> AnsweredBy | None:
        rules, silent = self._rules, self._seconds - self._voice_seen
        if self._is_machine:
            return AnsweredBy.MACHINE_END_SILENCE if silent >= rules.end_seconds else None
        if self._voice_began is None:
            return AnsweredBy.UNKNOWN if self._seconds >= rules.silence_seconds else None
        if self._greeting_seconds >= rules.machine_seconds:
            return AnsweredBy.MACHINE_START
        return AnsweredBy.HUMAN if silent >= rules.pause_seconds else None

    @property
    def _greeting_seconds(self) -> float:
        return 0.0 if self._voice_began is None else self._voice_seen - self._voice_began
