"""Speech that is not understood over a trunk: how long the person waits until it is said."""

from __future__ import annotations

import audioop
from pathlib import Path

from bench.line import frames_of
from carrier.lines.sound import BYTES_A_SECOND, telephone_samples
from carrier.speech_input import Recognised
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import answer, expect, pause, play_samples, prompt, ring
from tests.sip.test_sound import recorded

SPOKEN = Path(__file__).resolve().parents[1] / "carrier" / "answers" / "zh-other.wav"


class NoPhrase:
    """A recogniser to which nothing fits any phrase."""

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        return None


def loud(samples: bytes) -> list[float]:
    """The seconds at which somebody speaks."""
    return [n * 0.02 for n, frame in enumerate(frames_of(samples)) if audioop.rms(frame, 2) > 300]


async def test_it_is_said_within_a_second_and_a_half_of_the_end_of_speech(
    peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path
):
    """It was followed by thirteen seconds of silence."""
    said = telephone_samples(SPOKEN.read_bytes())
    speaks = play_samples(tmp_path, "answer", said + bytes(12 * BYTES_A_SECOND))
    phone = await peer(ring(), answer(), pause(500), speaks, expect("BYE"))
    view = await on_trunks(trunk_to(phone), recogniser=NoPhrase(), silent_seconds=30.0)
    view.app.documents |= {
        "/start": '<Response><Gather input="dtmf speech" hints="是" timeout="13" action="/answer"/></Response>',
        "/answer": "<Response><Play>/unclear.wav</Play><Pause length='9'/></Response>",
        "/unclear.wav": prompt(),
    }
    theirs, ours = await recorded(view, seconds=8)
    (told,) = view.app.at("/answer")
    assert told.params["Confidence"] == "0.0"
    waited = min(loud(ours)) - max(loud(theirs))
    assert 0.6 <= waited <= 1.5
