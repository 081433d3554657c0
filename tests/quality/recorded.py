"""Recordings of calls as files, put into rows."""

from __future__ import annotations

import audioop
import hashlib
import math
import struct
from array import array

import sqlalchemy as sa

from dialer.calls.recordings import expect_transcript
from dialer.core.inspection import Side
from dialer.db import tables as t
from dialer.quality.model import Piece, Word
from tests.outcomes.town import MORNING, Scenario

RATE = 8000


def tone(seconds: float, *, level: int = 8000) -> bytes:
    count = round(seconds * RATE)
    return array("h", [round(level * math.sin(n * 0.35)) for n in range(count)]).tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def alaw_wav(*channels: bytes) -> bytes:
    """As our carrier sends a recording."""
    sides = [audioop.lin2alaw(channel, 2) for channel in channels]
    data = b"".join(bytes(samples) for samples in zip(*sides, strict=True))
    form = struct.pack("<HHIIHHH", 6, len(sides), RATE, len(sides) * RATE, len(sides), 8, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def put_recording(
    scenario: Scenario, case_id: int, sound: bytes, *, seconds: int | None = None, waits: bool = True
) -> int:
    """A recording of a call of the robot that was fetched just now; it waits to be read."""
    call = {"attempt_id": scenario.attempt(case_id, result="answered"), "case_id": case_id, "drill": False}
    recording_id = int(
        str(scenario.put(t.recording, **call, called_at=MORNING, state="waiting", due_at=MORNING))
    )
    with scenario.tx() as tx:
        sealed = tx.vault.seal(sound, table="recording", column="sealed", row=recording_id)
        kept = {"state": "kept", "sealed": sealed, "sha256": hashlib.sha256(sound).digest()}
        kept |= {"size_bytes": len(sound), "seconds": seconds, "due_at": None}
        tx.execute(sa.update(t.recording).where(t.recording.c.id == recording_id).values(kept))
        if waits:
            expect_transcript(tx, recording_id, real_now=scenario.services.real.now())
    return recording_id


class LoudnessReader:
    """A recogniser that says one word for each second in which the sound is loud, named after the loudness."""

    def __init__(self, *, language: str = "zh", confidence: float = 0.9) -> None:
        self.language = language
        self.confidence = confidence
        self.windows: list[tuple[Side, float, float]] = []
        self.languages: list[str] = []
        self.breaks_at: float | None = None

    def read(self, samples: bytes, rate_hz: int, *, side: Side, begin: float, language: str = "") -> Piece:
        seconds = len(samples) / 2 / rate_hz
        self.languages.append(language)
        self.windows.append((side, begin, begin + seconds))
        if self.breaks_at is not None and begin >= self.breaks_at:
            raise RuntimeError("the engine fell over")
        loud = [
            n
            for n in range(math.ceil(seconds))
            if audioop.rms(samples[2 * rate_hz * n : 2 * rate_hz * (n + 1)], 2) > 500
        ]
        words = tuple(
            Word(
                side=side,
                begin=begin + n,
                end=begin + n + 0.8,
                confidence=self.confidence,
                text=f"{side.value[0]}",
            )
            for n in loud
        )
        return Piece(words=words, language=self.language, speech_seconds=float(len(loud)))
