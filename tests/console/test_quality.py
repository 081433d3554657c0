"""Call quality: which recorded calls were read, and one of them word by word for who says why."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.quality.transcribing import transcribe_due
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario
from tests.quality.recorded import LoudnessReader, alaw_wav, put_recording, silence, tone


def put_call(
    console: ConsoleDesk, *, sound: bytes | None = None, reader: LoudnessReader | None = None
) -> int:
    scenario = ConsoleScenario(console)
    sound = sound or alaw_wav(silence(4) + tone(3) + silence(3), tone(3) + silence(7))
    number = len(console.rows(t.person)) + 1
    owner = scenario.person(name=f"甲{number}", phones=(f"+86138{number:08d}",))
    recording_id = put_recording(scenario, scenario.case(person_id=owner, warning=False), sound, seconds=10)
    transcribe_due(scenario.services, reader or LoudnessReader())
    return recording_id


async def test_calls_are_counted_with_those_that_cannot_be_inspected(console: ConsoleDesk):
    put_call(console)
    put_call(console, sound=alaw_wav(silence(9), silence(9)))
    chief = console.person(Role.SUPERVISOR)
    page = text(await chief.get("/quality"))
    assert "All recorded calls 2" in page
    assert "Read 1 / 2" in page
    assert "Not inspected: nobody speaks 1 / 2" in page
    assert "quality.transcribe of the settings is off" in page
    only = text(await chief.get("/quality", state="not_inspected"))
    assert "not inspected nobody speaks" in only
    assert "0 / 6" not in only
    assert (await chief.get("/quality", before="soon")).status_code == 422


async def test_the_words_are_shown_once_a_reason_is_given(console: ConsoleDesk):
    recording_id = put_call(console)
    chief = console.person(Role.SUPERVISOR)
    before = await chief.get(f"/quality/{recording_id}")
    assert "data-transcript" not in before.text
    refused = await chief.post(f"/quality/{recording_id}", reason="review", why="")
    assert refused.status_code == 422
    assert "data-transcript" not in refused.text
    assert [one for one in console.rows(t.audit) if one["act"] == "hear_recording"] == []
    shown = await chief.post(f"/quality/{recording_id}", reason="review", why="an appeal")
    assert shown.status_code == 200
    assert shown.text.count("data-begin=") == 6
    page = text(shown)
    assert page.index("our side 0:00") < page.index("the person 0:04")
    [line] = [one for one in console.rows(t.audit) if one["act"] == "hear_recording"]
    assert line["facts"]["words"] is True


async def test_unsure_words_are_marked(console: ConsoleDesk):
    recording_id = put_call(console, reader=LoudnessReader(confidence=0.59))
    chief = console.person(Role.SUPERVISOR)
    shown = await chief.post(f"/quality/{recording_id}", reason="review", why="an appeal")
    assert shown.text.count("said-unsure") == 6
    assert "59% sure" in shown.text


async def test_a_deleted_call_is_said_to_be_deleted(console: ConsoleDesk):
    recording_id = put_call(console)
    gone = {"state": "deleted", "sealed": None, "deleted_at": sa.func.now()}
    with console.app.services.store.begin() as tx:
        tx.execute(sa.update(t.recording).values(gone))
        tx.execute(sa.update(t.transcript).values(state="deleted", sealed=None, words=0))
    chief = console.person(Role.SUPERVISOR)
    assert "are deleted" in text(await chief.get(f"/quality/{recording_id}"))
    answer = await chief.post(f"/quality/{recording_id}", reason="review", why="an appeal")
    assert answer.status_code == 409
    assert (await chief.get("/quality/999999")).status_code == 404
