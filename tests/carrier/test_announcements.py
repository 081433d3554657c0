"""Announcements are understood from a closed list, and everything else is unknown.

The clips are rendered with Kokoro-82M (docs/scripts.md) and cut to 8 kHz A-law.
"""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.lines.sip.announcements import (
    CAUSES,
    LEAST_FIT,
    LEAST_LEAD,
    PHRASES,
    UNKNOWN,
    Announcement,
    AnnouncementListener,
    RecognisedAnnouncement,
    best_announcement,
    recognise_announcement,
)
from carrier.lines.sound import telephone_samples, wav_of
from carrier.whisper import WhisperRecogniser, is_installed
from dialer.core import values

CLIPS = Path(__file__).parent / "announcements"
VERDICTS = [one for one in Announcement if one is not Announcement.UNKNOWN]


class Scores:
    """A recogniser that knows how well each phrase fits."""

    def __init__(self, known: dict[str, float]) -> None:
        self.known = known
        self.seconds = 0.0

    def mean_log_probabilities(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> list[float]:
        with wave.open(io.BytesIO(wav)) as file:
            self.seconds = file.getnframes() / file.getframerate()
        return [self.known.get(hint, -9.0) for hint in hints]


def test_the_application_knows_the_same_announcements():
    assert [one.value for one in Announcement] == [one.value for one in values.Announcement]


def test_every_announcement_has_phrases_and_a_cause():
    assert {verdict for table in PHRASES.values() for verdict in table} == set(VERDICTS) == set(CAUSES)
    said = [phrase for table in PHRASES.values() for phrases in table.values() for phrase in phrases]
    assert len(said) == len(set(said))


@given(st.dictionaries(st.sampled_from(VERDICTS), st.floats(-12.0, 0.0), max_size=6))
def test_a_verdict_fits_and_leads_or_it_is_unknown(best: dict[Announcement, float]):
    found = best_announcement(best)
    if found.verdict is Announcement.UNKNOWN:
        assert found == UNKNOWN
        return
    fit = best[found.verdict]
    assert fit >= LEAST_FIT
    assert all(fit - other >= LEAST_LEAD for verdict, other in best.items() if verdict is not found.verdict)
    assert 0.5 <= found.score <= 1.0


def test_two_phrases_of_one_announcement_do_not_contend():
    found = recognise_announcement(
        Scores({"您拨打的电话已关机": -1.0, "您所拨打的用户已关机": -1.1}), wav_of(bytes(16_000))
    )
    assert found.verdict is Announcement.POWERED_OFF


@pytest.mark.skipif(not is_installed(), reason="the optional extra `hearing` is not installed")
def test_the_clips_are_understood_and_other_sentences_are_not():
    engine = WhisperRecogniser()
    told = {}
    for path in sorted(CLIPS.glob("*.wav")):
        told[path.stem] = recognise_announcement(engine, wav_of(telephone_samples(path.read_bytes())))
    assert len(told) == 11
    assert {name: found.verdict.value for name, found in told.items()} == {
        name: name.partition("-")[2] for name in told
    }


class Broken:
    def mean_log_probabilities(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> list[float]:
        raise RuntimeError("no engine")


@pytest.mark.parametrize("scorer", [Broken(), Scores({})])
async def test_an_engine_that_fails_says_unknown_once(scorer: Broken | Scores):
    told: list[RecognisedAnnouncement] = []
    heard = asyncio.Event()

    def then(found: RecognisedAnnouncement) -> None:
        told.append(found)
        heard.set()

    AnnouncementListener(scorer).listen(wav_of(bytes(1600)), then)
    await asyncio.wait_for(heard.wait(), 5.0)
    assert told == [UNKNOWN]


async def test_a_second_announcement_waits_no_longer_than_its_patience():
    told: list[RecognisedAnnouncement] = []
    heard = asyncio.Event()

    def then(found: RecognisedAnnouncement) -> None:
        told.append(found)
        heard.set()

    AnnouncementListener(Scores({"您拨打的电话已关机": -1.0}), patience_seconds=0.0).listen(
        wav_of(bytes(1600)), then
    )
    await asyncio.wait_for(heard.wait(), 5.0)
    assert told == [UNKNOWN]
