"""A prompt whose sound is gone while somebody is on the line: its words are spoken, and the case says so."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from audio.clips import PROMPTS
from dialer.calls.conversation import TurnRequest
from dialer.cases.timeline import read_case_file
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Position, Turn
from dialer.scripts.rendered import clips_for
from dialer.telephony.webhooks import write_turn
from tests.calls.conversation import apply_call_event
from tests.scripts.centre import ScriptCentre
from tests.server.switchboard import CONFIG

OPENING = "common.opening"


@pytest.fixture
def spoiled(centre: ScriptCentre, tmp_path: Path) -> ScriptCentre:
    """The package's files are copied, so that they can be spoiled; the database has lost its copies."""
    package = tmp_path / "package"
    package.mkdir()
    for path in PROMPTS.glob("*.wav"):
        (package / path.name).symlink_to(path)
    object.__setattr__(centre.services, "rendered_scripts", centre.rendered_scripts(shipped=package))
    centre.package = package
    with centre.tx() as tx:
        tx.execute(sa.text("ALTER TABLE sound_file DISABLE TRIGGER append_only"))
        tx.execute(sa.delete(t.sound_file))
    return centre


def remove(path: Path) -> None:
    path.unlink()


def corrupt(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.unlink()
    path.write_bytes(bytes(body))


def opening_of(centre: ScriptCentre) -> Path:
    rendered = centre.services.rendered_scripts.now(centre.clock.now()).live["loan"]
    clips = clips_for(rendered.script, rendered.clips)
    clip = next(c for c in clips if c.prompt_id == OPENING and c.language == "zh" and not c.slow)
    return centre.package / clip.file


def answered(
    centre: ScriptCentre, attempt_id: uuid.UUID, number: int = 0, position: Position | None = None
) -> Turn:
    step = TurnRequest(
        attempt_id=attempt_id,
        step=number,
        sid=f"CA{attempt_id.hex}",
        position=position,
        heard=Heard.silence() if position is None else Heard.keys("1"),
    )
    turn = apply_call_event(centre.services, step)
    assert turn is not None
    return turn


@pytest.mark.parametrize("damage", [remove, corrupt])
def test_the_words_are_spoken_and_the_case_is_flagged(spoiled: ScriptCentre, damage: Callable[[Path], None]):
    damage(opening_of(spoiled))
    attempt_id = spoiled.call()
    turn = answered(spoiled, attempt_id)
    opening, _, identity = turn.utterances
    assert (opening.prompt_id, opening.audio) == (OPENING, None)
    assert identity.audio is not None
    twiml = write_turn(
        turn, attempt_id=attempt_id, step=0, config=CONFIG, audio_url=lambda file: f"/audio/{file}"
    )
    assert (
        '<Say language="cmn-CN" voice="Polly.Zhiyu">您好，我是市公安局反诈中心机器人。有人让您转账，不要转'
        in twiml
    )
    assert f"<Play>/audio/{identity.audio[0]}</Play>" in twiml
    case_id = spoiled.rows(sa.select(t.attempt.c.case_id).where(t.attempt.c.id == attempt_id))[0]["case_id"]
    assert spoiled.alarms_of(case_id) == {AlarmCode.SOUND_BROKEN.value: 1}
    kept = spoiled.rows(sa.select(t.event).where(t.event.c.attempt_id == attempt_id))
    assert [row["facts"]["unsound"] for row in kept] == [[OPENING]]
    with spoiled.tx() as tx:
        told = [entry.facts.get("unsound") for entry in read_case_file(tx, case_id).timeline]
    assert OPENING in told


def test_a_repeated_request_flags_it_once(spoiled: ScriptCentre):
    remove(opening_of(spoiled))
    attempt_id = spoiled.call()
    answered(spoiled, attempt_id)
    answered(spoiled, attempt_id)
    case_id = spoiled.rows(sa.select(t.attempt.c.case_id).where(t.attempt.c.id == attempt_id))[0]["case_id"]
    assert spoiled.alarms_of(case_id) == {AlarmCode.SOUND_BROKEN.value: 1}


def test_the_call_goes_on_to_its_end(spoiled: ScriptCentre):
    for path in list(spoiled.package.glob("*.wav")):
        path.unlink()
    attempt_id = spoiled.call()
    turn = answered(spoiled, attempt_id)
    for number in range(1, 4):
        assert turn.ask is not None
        turn = answered(spoiled, attempt_id, number, turn.position)
    assert turn.end is not None
    assert all(utterance.audio is None for utterance in turn.utterances)


def test_whole_sound_flags_nothing(spoiled: ScriptCentre):
    attempt_id = spoiled.call()
    turn = answered(spoiled, attempt_id)
    assert all(utterance.audio for utterance in turn.utterances)
    assert spoiled.rows(sa.select(t.alarm)) == []


def test_a_file_that_is_mended_is_played_again(spoiled: ScriptCentre):
    path = opening_of(spoiled)
    remove(path)
    assert answered(spoiled, spoiled.call()).utterances[0].audio is None
    path.symlink_to(PROMPTS / path.name)
    assert answered(spoiled, spoiled.call()).utterances[0].audio == (path.name,)
