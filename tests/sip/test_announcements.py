"""Announcements before an answer: sipp plays them after 183, and the result and the score are what was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrier.lines.sip.announcements import AnnouncementListener
from carrier.lines.sound import BYTES_A_SECOND, telephone_samples
from carrier.whisper import WhisperRecogniser, is_installed
from tests.carrier.test_announcements import CLIPS, Scores
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import early, pause, play_samples, refuse

FITS = {"您拨打的电话已关机": -1.0}
BUSY = {"您拨打的电话正在通话中": -1.0}


def clip(name: str) -> bytes:
    return telephone_samples((CLIPS / f"{name}.wav").read_bytes())


@pytest.mark.skipif(not is_installed(), reason="the optional extra `hearing` is not installed")
async def test_an_announcement_over_early_media_is_understood_by_the_real_recogniser(
    peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path
):
    steps = (early(), play_samples(tmp_path, "off", clip("zh-powered_off")), pause(3600))
    at = await peer(*steps, refuse("480 Temporarily Unavailable"))
    engine = WhisperRecogniser()
    engine.load()
    view = await on_trunks(trunk_to(at), listener=AnnouncementListener(engine, patience_seconds=60.0))
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["X-LineResult"]) == ("failed", "powered_off")
    verdict, score = final["X-Announcement"].split()
    assert verdict == "powered_off"
    assert float(score) > 0.5


@pytest.mark.parametrize(
    ("known", "status", "reason", "call_status", "announced"),
    [
        (FITS, "480 Temporarily Unavailable", "", "failed", "powered_off 0.82"),
        (FITS, "503 Service Unavailable", "", "failed", "powered_off 0.82"),
        (BUSY, "480 Temporarily Unavailable", "", "busy", "busy 0.82"),
        (BUSY, "480 Temporarily Unavailable", "Q.850;cause=1", "failed", "busy 0.82"),
        ({}, "480 Temporarily Unavailable", "", "no-answer", "unknown 0.00"),
    ],
)
async def test_what_was_announced_decides_after_a_generic_code_and_not_after_a_certain_one(
    peer: MakePeer,
    on_trunks: OnTrunks,
    tmp_path: Path,
    known: dict[str, float],
    status: str,
    reason: str,
    call_status: str,
    announced: str,
):
    said = clip("zh-powered_off")
    at = await peer(early(), play_samples(tmp_path, "said", said), pause(3600), refuse(status, reason))
    scores = Scores(known)
    view = await on_trunks(trunk_to(at), listener=AnnouncementListener(scores))
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["X-Announcement"]) == (call_status, announced)
    assert scores.seconds == pytest.approx(len(said) / BYTES_A_SECOND, abs=0.8)


async def test_early_silence_is_no_announcement(peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path):
    quiet = bytes(BYTES_A_SECOND)
    at = await peer(early(), play_samples(tmp_path, "quiet", quiet), pause(1200), refuse("486 Busy Here"))
    view = await on_trunks(trunk_to(at), listener=AnnouncementListener(Scores(FITS)))
    final = await view.app.final(await view.call())
    assert final["CallStatus"] == "busy"
    assert "X-Announcement" not in final
