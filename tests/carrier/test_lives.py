"""Whole lives of calls with simulated people, seen from the application."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from carrier.people import AnsweredBy, Behaviour, Pickup
from tests.carrier.stage import HANGUP, TO, App, Heard, Start

QUICK = {
    "ring_after_seconds": (1.0, 1.0),
    "answer_after_seconds": (2.0, 2.0),
    "key_after_seconds": (1.0, 1.0),
}


def script(app: App) -> None:
    """Three questions, as the shipped scripts ask them."""

    def ask(step: int) -> str:
        return (
            f'<Response><Gather numDigits="1" timeout="4" action="{app.base}/step/{step}" '
            f'actionOnEmptyResult="true"><Say>问题</Say></Gather></Response>'
        )

    app.documents["/start"] = ask(1)
    app.documents["/step/1"] = ask(2)
    app.documents["/step/2"] = ask(3)
    app.documents["/step/3"] = "<Response><Say>再见</Say><Hangup/></Response>"


async def test_a_person_who_cooperates_hears_the_script_to_its_end(bench: Start, app: App):
    script(app)
    one = await bench(Behaviour(name="cooperates", share=1, keys=("1", "2", "3"), **QUICK))
    sid = await one.call()
    last = await app.final(sid)
    await app.until(lambda: len(app.at("/status")) == 4)
    assert app.statuses_of(sid) == ["initiated", "ringing", "in-progress", "completed"]
    assert [app.at(f"/step/{n}")[0].params["Digits"] for n in (1, 2, 3)] == ["1", "2", "3"]
    assert last["SipResponseCode"] == "200"
    assert int(last["CallDuration"]) >= 3
    assert all(heard.signed for heard in app.heard)


@pytest.mark.parametrize(
    ("pickup", "status", "sip", "rang"),
    [
        (Pickup.BUSY, "busy", "486", False),
        (Pickup.POWERED_OFF, "failed", "480", False),
        (Pickup.INVALID, "failed", "404", False),
        (Pickup.BLOCKED, "failed", "403", False),
        (Pickup.NO_ANSWER, "no-answer", "487", True),
        (Pickup.REJECTED, "busy", "603", True),
        (Pickup.RINGS_THEN_FAILS, "failed", "503", True),
    ],
)
async def test_who_does_not_answer_ends_so(
    bench: Start, app: App, pickup: Pickup, status: str, sip: str, rang: bool
):
    one = await bench(Behaviour(name="x", share=1, pickup=pickup, **QUICK))
    sid = await one.call(timeout=5)
    last = await app.final(sid)
    await app.until(lambda: len(app.at("/status")) == (3 if rang else 2))
    assert app.statuses_of(sid) == ["initiated", *(["ringing"] if rang else []), status]
    assert last["SipResponseCode"] == sip
    assert last["CallDuration"] == "0"
    assert app.at("/start") == []
    rings = await one.admin("GET", "rings")
    assert (rings["rings"], rings["not_rung"]) == ((1, 0) if rang else (0, 1))
    assert rings["by_status"] == {status: 1}


async def test_a_person_may_answer_only_the_third_call(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(Behaviour(name="late", share=1, answers_from_call=3, **QUICK))
    finals = []
    for _ in range(3):
        sid = await one.call(timeout=5)
        finals.append((await app.final(sid))["CallStatus"])
    assert finals == ["no-answer", "no-answer", "completed"]


async def test_an_early_hang_up_ends_the_call_in_the_middle_of_the_prompt(bench: Start, app: App):
    app.documents["/start"] = "<Response><Pause length='50000'/></Response>"
    one = await bench(Behaviour(name="early", share=1, hang_up_after_seconds=(3.0, 3.0), **QUICK))
    last = await app.final(await one.call())
    assert last["CallStatus"] == "completed"
    assert 3 <= int(last["CallDuration"]) < 50000


async def test_silence_reaches_the_action_only_when_asked_for(bench: Start, app: App):
    app.documents["/start"] = (
        "<Response><Gather numDigits='1' timeout='1' action='/asked'/><Redirect>/after</Redirect></Response>"
    )
    app.documents["/after"] = (
        "<Response><Gather timeout='1' action='/empty' actionOnEmptyResult='true'/></Response>"
    )
    app.documents["/empty"] = HANGUP
    one = await bench(Behaviour(name="silent", share=1, **QUICK))
    await app.final(await one.call())
    assert app.at("/asked") == []
    assert app.at("/empty")[0].params["Digits"] == ""


async def test_several_keys_are_gathered_until_the_finish_key(bench: Start, app: App):
    app.documents["/start"] = "<Response><Gather finishOnKey='#' action='/code'/></Response>"
    app.documents["/code"] = HANGUP
    one = await bench(Behaviour(name="code", share=1, keys=("1234#",), **QUICK))
    await app.final(await one.call())
    assert app.at("/code")[0].params["Digits"] == "1234"
    assert app.at("/code")[0].params["FinishedOnKey"] == "#"


async def test_a_number_refused_at_creation_never_becomes_a_call(bench: Start):
    one = await bench(Behaviour(name="bad", share=1, pickup=Pickup.REFUSED_AT_CREATION))
    with pytest.raises(TwilioRestException) as refused:
        await one.call()
    assert (refused.value.status, refused.value.code) == (400, 21211)
    rings = await one.admin("GET", "rings")
    assert (rings["calls"], rings["rings"], rings["refused"]) == (0, 0, 1)


async def test_machine_detection_waits_for_its_verdict_before_the_first_document(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(
        Behaviour(
            name="voicemail", share=1, answered_by=AnsweredBy.MACHINE_START, line_result="voicemail", **QUICK
        )
    )
    last = await app.final(await one.call(machine_detection="Enable"))
    assert app.at("/start")[0].params["AnsweredBy"] == "machine_start"
    assert last["AnsweredBy"] == "machine_start"
    assert last["X-LineResult"] == "voicemail"


async def test_asynchronous_detection_speaks_at_once_and_tells_later(bench: Start, app: App):
    app.documents["/start"] = "<Response><Pause length='60'/></Response>"
    one = await bench(Behaviour(name="human", share=1, **QUICK))
    await one.call(
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"{app.base}/amd",
    )
    await app.until(lambda: bool(app.at("/amd")))
    verdict = app.at("/amd")[0].params
    assert "AnsweredBy" not in app.at("/start")[0].params
    assert verdict["AnsweredBy"] == "human"
    assert verdict["MachineDetectionDuration"] == "2500"


async def test_the_verdict_comes_even_when_the_call_is_over(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(Behaviour(name="human", share=1, **QUICK))
    sid = await one.call(
        machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{app.base}/amd"
    )
    await app.final(sid)
    await app.until(lambda: bool(app.at("/amd")))
    assert app.at("/amd")[0].params["CallSid"] == sid


async def test_a_call_knows_its_document_by_get_too(bench: Start, app: App):
    def answer(heard: Heard) -> str:
        assert heard.method == "GET"
        assert heard.query["CallStatus"] == "in-progress"
        return HANGUP

    app.documents["/start"] = answer
    one = await bench(Behaviour(name="human", share=1, **QUICK))
    last = await app.final(await one.call(method="GET", url=f"{app.base}/start?attempt=7"))
    assert last["CallStatus"] == "completed"
    assert app.at("/start")[0].query["attempt"] == "7"
    assert app.at("/start")[0].signed


async def test_the_same_seed_gives_a_number_the_same_person(bench: Start):
    names = []
    for state in ("a", "b", "c"):
        one = await bench(state=state, seed="7" if state != "c" else "8")
        line = one.carrier.line
        names.append([line.behaviour_of(f"+86138{n:08d}").name for n in range(200)])  # type: ignore[attr-defined]
    assert names[0] == names[1]
    assert names[0] != names[2]
    unreached = {"no_answer", "answers_second_call", "answers_third_call", "busy", "rejects", "powered_off"}
    unreached |= {"invalid", "invalid_refused", "hangs_up_early"}
    assert 0.25 < sum(name in unreached for name in names[0]) / 200 < 0.5
    assert TO.startswith("+86")
