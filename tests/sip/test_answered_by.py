"""Who answers, told from the sound while the call goes on: a person, a machine, or nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrier.lines.sip.peer import sine_tone
from carrier.lines.sound import BYTES_A_SECOND, telephone_samples, wav_of
from tests.carrier.test_announcements import CLIPS
from tests.sip.conftest import MakePeer, MakePerson, OnTrunks, trunk_to
from tests.sip.peers import answer, expect, pause, play_samples, prompt, ring, until


def greeting(name: str, seconds: float) -> bytes:
    """So much speech, then silence."""
    voice = telephone_samples((CLIPS / f"{name}.wav").read_bytes())
    return voice[: round(seconds * BYTES_A_SECOND / 2) * 2] + bytes(6 * BYTES_A_SECOND)


@pytest.mark.parametrize(
    ("seconds", "by", "least_ms", "most_ms"),
    [(0.7, "human", 1000, 3500), (4.8, "machine_start", 2500, 5500), (0.0, "unknown", 4500, 7500)],
)
async def test_the_first_thing_said_tells_a_person_from_a_machine_while_the_prompt_plays(
    peer: MakePeer,
    on_trunks: OnTrunks,
    tmp_path: Path,
    seconds: float,
    by: str,
    least_ms: int,
    most_ms: int,
):
    said = play_samples(tmp_path, "greeting", greeting("zh-assistant", seconds))
    view = await on_trunks(trunk_to(await peer(ring(), answer(), said, pause(8000), expect("BYE"))))
    view.app.documents["/start"] = "<Response><Play>/said.wav</Play><Pause length='30'/></Response>"
    sid = await view.call(
        machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{view.app.base}/verdict"
    )
    await view.app.until(lambda: bool(view.app.at("/start")))
    assert view.app.at("/verdict") == [], "the document is asked for before anybody knows"
    await view.app.until(lambda: bool(view.app.at("/verdict")))
    (told,) = view.app.at("/verdict")
    assert (told.params["CallSid"], told.params["AnsweredBy"]) == (sid, by)
    assert least_ms <= int(told.params["MachineDetectionDuration"]) <= most_ms
    assert (await view.client.calls(sid).fetch_async()).status == "in-progress"
    view.carrier.exchange.halt()


@pytest.mark.parametrize(
    ("end", "verdict", "line_result"),
    [(sine_tone(1400, 0.5), "machine_end_beep", "voicemail"), (b"", "machine_end_silence", "assistant")],
    ids=["mailbox", "assistant"],
)
async def test_a_mailbox_is_told_from_an_assistant_by_its_beep(
    person: MakePerson, on_trunks: OnTrunks, tmp_path: Path, end: bytes, verdict: str, line_result: str
):
    """Debian's baresip plays a greeting with or without a beep, and then nothing."""
    voice = telephone_samples((CLIPS / "zh-assistant.wav").read_bytes())
    says = tmp_path / "mailbox.wav"
    says.write_bytes(wav_of(voice + end + bytes(12 * BYTES_A_SECOND)))
    view = await on_trunks(trunk_to(await person(says=says)))
    view.app.documents["/start"] = "<Response><Play>/said.wav</Play><Pause length='6'/></Response>"
    view.app.documents["/said.wav"] = prompt()
    sid = await view.call(
        machine_detection="DetectMessageEnd",
        async_amd="true",
        async_amd_status_callback=f"{view.app.base}/verdict",
    )
    await until(lambda: bool(view.app.at("/verdict")), "the verdict comes")
    (told,) = view.app.at("/verdict")
    assert told.params["AnsweredBy"] == verdict
    assert (await view.client.calls(sid).fetch_async()).status == "in-progress"
    final = await view.app.final(sid)
    assert (final["CallStatus"], final["X-LineResult"]) == ("completed", line_result)
