"""Call quality: which recorded calls were read, and one of them word by word for who says why."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.quality.inspecting import inspect_due
from dialer.quality.transcribing import transcribe_due
from dialer.quality.versions import seed_quality_rules, shipped_rules
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario
from tests.quality.recorded import LoudnessReader, alaw_wav, put_recording, silence, tone
from tests.quality.test_inspecting import Reciter


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


def put_bad_call(console: ConsoleDesk) -> int:
    """We ask for a code, at 6 s."""
    with console.app.services.store.begin() as tx:
        seed_quality_rules(tx, now=console.clock.now())
    recording_id = put_call(console, reader=Reciter("您好，我是公安局的民警。请把收到的验证码告诉我。"))
    assert inspect_due(console.app.services) == 1
    return recording_id


async def test_what_was_found_is_on_the_page_with_its_seconds(console: ConsoleDesk):
    recording_id = put_bad_call(console)
    chief = console.person(Role.SUPERVISOR)
    assert "hard gates" in text(await chief.get("/quality"))
    before = await chief.get(f"/quality/{recording_id}")
    assert "Never ask for a code or a password mistake hard gate 0:0" in text(before)
    assert "Must say: do not transfer mistake hard gate It was not said." in text(before)
    assert "data-plays-from" not in before.text
    shown = await chief.post(f"/quality/{recording_id}", reason="review", why="an appeal")
    assert shown.text.count("data-plays-from=") >= 1


async def test_rules_are_drafted_and_approved_by_another_person(console: ConsoleDesk):
    put_bad_call(console)
    author = console.person(Role.SUPERVISOR)
    other = console.signed_in(console.account(Role.SUPERVISOR, login="second"))
    page = text(await author.get("/quality/rules"))
    assert "In force: version 1" in page
    assert "Never ask for a code or a password hard gate 0 / 1 1 / 1 0 / 1" in page
    source = shipped_rules().replace("points = 10", "points = 12", 1)
    assert "most_syllables" in (await author.get("/quality/rules/draft")).text
    broken = await author.post(
        "/quality/rules", source=source.replace('kind = "pace"', 'kind = "x"'), why="more"
    )
    assert broken.status_code == 422
    assert "kind = &#34;x&#34;" in broken.text
    saved = await author.post("/quality/rules", source=source, why="the greeting counts more")
    assert saved.headers["location"].endswith("/quality/rules/2")
    assert (await author.post("/quality/rules", source=source, why="again")).status_code == 409
    assert "Your own draft" in text(await author.get("/quality/rules/2"))
    assert (await author.post("/quality/rules/2/approve", reason="mine")).status_code == 409
    assert "/quality/rules/2" in (await other.get("/approvals")).text
    assert "/quality/rules/2" not in (await author.get("/approvals")).text
    assert (await other.post("/quality/rules/2/approve", reason="")).status_code == 422
    done = await other.post("/quality/rules/2/approve", reason="agreed")
    assert done.headers["location"].endswith("/quality/rules")
    assert "In force: version 2" in text(await other.get("/quality/rules"))
    assert (await other.get("/quality/rules/9")).status_code == 404


async def test_a_search_names_calls_and_seconds_and_is_audited_without_the_words(console: ConsoleDesk):
    found = put_bad_call(console)
    put_call(console)
    chief = console.person(Role.SUPERVISOR)
    answer = await chief.post("/quality/search", words="验证码，告诉")
    page = text(answer)
    assert "Said in 1 call" in page
    assert "our side 0:0" in page
    assert f"/quality/{found}" in answer.text
    assert "告诉我" not in page, "what was said needs a reason"
    [line] = [one for one in console.rows(t.audit) if one["act"] == "search"]
    assert (line["subject"], line["facts"]) == ("search/transcript", {})
    assert "Said in 0 calls" in text(await chief.post("/quality/search", words="没有人说过"))
    assert (await chief.post("/quality/search", words="好")).status_code == 422
    for _ in range(8):
        await chief.post("/quality/search", words="验证码")
    asked = await chief.post("/quality/search", words="验证码")
    assert asked.status_code == 422, "after ten searches a reason is needed"
    given = await chief.post("/quality/search", words="验证码", reason="review", why="an appeal")
    assert "Said in 1 call" in text(given)


async def test_a_search_finds_nothing_of_another_unit(console: ConsoleDesk):
    put_bad_call(console)
    with console.app.services.store.begin() as tx:
        unit_id = add_unit(tx, name="东所", parent_id=None)
    assert "Said in 0 calls" in text(
        await console.person(Role.SUPERVISOR, unit_id=unit_id).post("/quality/search", words="验证码")
    )
