"""A call that is recorded: said in its opening, fetched and sealed, listened to with a reason, deleted with proof."""

from __future__ import annotations

import asyncio
import audioop
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from carrier.faults import InjectedFault
from carrier.lines.sound import key_tone, telephone_samples
from carrier.people import Behaviour, Pickup
from dialer.calls.conversation import context_for
from dialer.calls.fetching import fetch_recordings
from dialer.calls.recordings import hear_recording, list_recordings
from dialer.case_page.reading import read_case
from dialer.case_page.view import story_items
from dialer.cases.persons import person_of_case
from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus, InboundResult, InboundState
from dialer.core.errors import Conflict, Invalid
from dialer.core.policy import to_plain
from dialer.core.text import Lang
from dialer.core.values import Grade, RecordedCall, RecordingState
from dialer.db import tables as t
from dialer.db.policies import Policies, ensure_policy_version
from dialer.retention.erasure import ask_erasure, confirm_erasure
from dialer.retention.retention import RetentionKind, apply_retention
from dialer.runtime.sections import RetentionSettings
from dialer.scripts.dialogue import start
from dialer.scripts.inbound import recorded_notice
from dialer.telephony.client import DeskClient
from dialer.telephony.recordings import RecordingClient
from dialer.work.assignments import Scope
from dialer.work.desk_calls import dial_from_desk, settle_desk_calls
from dialer.work.tasks import claim_next
from tests.story.test_calls_in import AT_DESK, WAITS, calls, person_calls_in, seat, until
from tests.story.world import COOPERATES, World

pytestmark = pytest.mark.story


@pytest.fixture
async def recorder(w: World) -> AsyncIterator[RecordingClient]:
    """The policy wants the calls of these grades recorded; the client that fetches them."""
    services = w.scene.services
    policy = services.policies.newest
    grades = dict(policy.grades)
    for grade in (Grade.MEDIUM, Grade.EXTRA_HIGH):
        grades[grade] = replace(grades[grade], record_calls=True)
    with w.scene.tx() as tx:
        version = ensure_policy_version(tx, to_plain(replace(policy, grades=grades)), now=services.real.now())
    services = w.scene.services = replace(services, policies=Policies(services.store, current=version))
    w.scene.policy_version = version
    async with RecordingClient(w.telephony) as client:
        yield client


def row_of(w: World, case_id: int) -> dict[str, Any]:
    (row,) = w.scene.rows(sa.select(t.recording).where(t.recording.c.case_id == case_id))
    return row


async def fetch(w: World, client: RecordingClient) -> int:
    """As a worker does when it is due."""
    w.scene.do(sa.update(t.recording).where(t.recording.c.due_at.is_not(None)).values(due_at=sa.func.now()))
    return await fetch_recordings(w.scene.services, client)


async def recorded_case(w: World, client: RecordingClient) -> int:
    case_id = w.open_case()
    await w.until_over(case_id)
    assert await fetch(w, client) == 1
    return case_id


def said_at_first(w: World, case_id: int) -> list[str]:
    event = w.scene.rows(
        sa.select(t.event.c.facts).where(t.event.c.case_id == case_id, t.event.c.step == "talk.0")
    )[0]
    return [prompt.rpartition(".")[2] for prompt in event["facts"]["said"]]


def audited(w: World, act: str) -> list[dict[str, Any]]:
    return w.scene.rows(sa.select(t.audit).where(t.audit.c.act == act).order_by(t.audit.c.number))


async def test_from_the_opening_to_the_playback(w: World, recorder: RecordingClient):
    case_id = await recorded_case(w, recorder)
    assert said_at_first(w, case_id) == ["recorded", "caution", "identity"]
    row = row_of(w, case_id)
    assert (row["state"], row["due_at"]) == ("kept", None)
    assert row["cleared_at"] is not None
    assert await recorder.api.recordings.list_async() == [], "nothing is left at the carrier"

    services = w.scene.services
    for wrong in ({"reason": "review", "why": ""}, {"reason": "curiosity", "why": "an appeal"}):
        with pytest.raises(Invalid):
            hear_recording(services, unrestricted("chief"), case_id, row["id"], **wrong)
    assert audited(w, "hear_recording") == []
    sound = hear_recording(
        services, unrestricted("chief"), case_id, row["id"], reason="review", why="an appeal"
    )
    (look,) = audited(w, "hear_recording")
    assert (look["who"], look["subject"]) == ("chief", f"case/{case_id}")
    assert look["facts"] == {"recording": row["id"], "reason": "review"}

    assert hashlib.sha256(sound).digest() == bytes(row["sha256"])
    assert (row["size_bytes"], sound[:4]) == (len(sound), b"RIFF")
    assert bytes(row["sealed"])[:4] != b"RIFF"
    data = sound[sound.index(b"data") + 8 :]
    person, ours = (audioop.alaw2lin(data[side::2], 2) for side in (0, 1))
    assert abs(len(person) / 16_000 - row["seconds"]) <= 1
    live = services.rendered_scripts.now(services.real.now()).live["loan"]
    now = services.clock.now()
    context = context_for(services, live, language="zh", tags=frozenset(), now=now, is_recorded=True)
    opening = start(live.script, context).utterances[0].audio
    assert opening is not None
    path = services.rendered_scripts.sounds.path(opening[0], real_now=services.real.now())
    assert path is not None
    heard = telephone_samples(path.read_bytes())
    piece = heard[16_000 : 16_000 + 4000]
    place, _ = audioop.findfit(ours, piece)
    assert audioop.rms(audioop.add(ours[2 * place : 2 * place + 4000], audioop.mul(piece, 2, -1), 2), 2) < 200
    key, _ = audioop.findfit(person, key_tone("1"))
    assert audioop.rms(person[2 * key : 2 * key + 800], 2) > 1000


async def test_a_grade_that_is_not_recorded_says_nothing_of_it(w: World, recorder: RecordingClient):
    case_id = w.open_case(grade=Grade.LOW)
    await w.until_over(case_id)
    assert "recorded" not in said_at_first(w, case_id)
    assert list_recordings(w.scene.services, case_id) == []
    assert await recorder.api.recordings.list_async() == []


async def test_an_older_case_keeps_the_policy_it_began_with(w: World, recorder: RecordingClient):
    w.scene.policy_version -= 1
    case_id = w.open_case()
    await w.until_over(case_id)
    assert "recorded" not in said_at_first(w, case_id)
    assert list_recordings(w.scene.services, case_id) == []


async def test_a_call_that_nobody_answers_has_no_row(w: World, recorder: RecordingClient):
    case_id = w.open_case(behaviour=replace(COOPERATES, answers_from_call=9))
    await w.until_over(case_id)
    assert w.attempt(case_id)["records"]
    assert list_recordings(w.scene.services, case_id) == []


async def test_the_webhook_makes_it_due_at_once(w: World, recorder: RecordingClient):
    case_id = w.open_case()
    await w.until_over(case_id)
    services = w.scene.services
    over_at = services.real.now()
    await w.until(lambda: row_of(w, case_id)["due_at"] <= services.real.now())
    assert row_of(w, case_id)["due_at"] < over_at + timedelta(seconds=15), "20 s without a webhook"


async def test_a_lost_webhook_and_a_carrier_that_does_not_answer_lose_nothing(
    w: World, recorder: RecordingClient
):
    w.fault(InjectedFault.WEBHOOK_DROP, only=("recording",))
    case_id = w.open_case()
    await w.until_over(case_id)
    row = row_of(w, case_id)
    assert row["state"] == "waiting"
    assert row["due_at"] > w.scene.services.real.now(), "nobody said that it is there"
    w.fault(InjectedFault.REST_ERROR)
    assert await fetch(w, recorder) == 0
    assert row_of(w, case_id)["state"] == "waiting"
    assert row_of(w, case_id)["due_at"] > w.scene.services.real.now() + timedelta(seconds=20)
    w.no_fault()
    assert len(await recorder.api.recordings.list_async()) == 1
    assert await fetch(w, recorder) == 1
    assert row_of(w, case_id)["state"] == "kept"


async def test_a_worker_that_died_after_it_kept_one_is_followed_by_another(
    w: World, recorder: RecordingClient
):
    """Ours is kept, the carrier's is still there: the next worker deletes it and fetches nothing again."""
    case_id = w.open_case()
    await w.until_over(case_id)
    (there,) = await recorder.api.recordings.list_async()
    sound = await recorder.sound(there.sid or "")
    assert sound is not None
    row = row_of(w, case_id)
    with w.scene.tx() as tx:
        sealed = tx.vault.seal(sound, table="recording", column="sealed", row=row["id"])
    kept = {"state": "kept", "sealed": sealed, "sha256": b"x" * 32, "size_bytes": len(sound)}
    w.scene.do(sa.update(t.recording).where(t.recording.c.id == row["id"]).values(**kept))
    assert await fetch(w, recorder) == 1
    assert await recorder.api.recordings.list_async() == []
    assert bytes(row_of(w, case_id)["sha256"]) == b"x" * 32


TALKS = Behaviour(
    name="talks",
    share=1,
    ring_after_seconds=(1, 1),
    answer_after_seconds=(2, 2),
    hang_up_after_seconds=(20, 20),
)


WAITS_AT_DESK = Behaviour(name="desk", share=1, ring_after_seconds=(1, 1), answer_after_seconds=(2, 2))
TALKS_LONG = replace(TALKS, hang_up_after_seconds=(400, 400))
"""The sentence is fetched in real time, while this clock runs fast."""


async def desk_call(w: World, *, person: Behaviour = TALKS) -> int:
    """A caller has the person of a case called, until that call is settled; the case."""
    w.carrier.line.assign(AT_DESK, WAITS_AT_DESK)  # type: ignore[attr-defined]  # it is simulated here
    case_id = w.open_case(grade=Grade.EXTRA_HIGH, behaviour=person)
    services = w.scene.services
    async with DeskClient(w.telephony) as client:
        task = claim_next(services, unrestricted("li"), scope=Scope())
        assert task is not None
        await dial_from_desk(
            services, unrestricted("li"), client, task.id, token=task.token, extension=AT_DESK
        )

        def is_settled() -> bool:
            return all(row["settled"] for row in w.scene.rows(sa.select(t.desk_call.c.settled)))

        for _ in range(2000):
            await settle_desk_calls(services, client)
            if await asyncio.to_thread(is_settled):
                break
            await asyncio.sleep(0.02)
    return case_id


async def test_a_call_from_a_desk_is_recorded_and_the_person_is_told_first(
    w: World, recorder: RecordingClient
):
    case_id = await desk_call(w, person=TALKS_LONG)
    assert w.scene.rows(sa.select(t.desk_call.c.told_at))[0]["told_at"] is not None
    assert row_of(w, case_id)["state"] == "waiting"
    assert await fetch(w, recorder) == 1
    row = row_of(w, case_id)
    assert (row["state"], row["attempt_id"]) == ("kept", None)
    assert await recorder.api.recordings.list_async() == [], "nothing is left at the carrier"
    services = w.scene.services
    (shown,) = list_recordings(services, case_id)
    assert (shown.call, shown.n) == (RecordedCall.DESK, None)
    sound = hear_recording(
        services, unrestricted("chief"), case_id, row["id"], reason="review", why="an appeal"
    )
    data = sound[sound.index(b"data") + 8 :]
    ours = audioop.alaw2lin(data[0::2], 2)
    (notice,) = recorded_notice("zh").audio or ()
    path = services.rendered_scripts.sounds.path(notice, real_now=services.real.now())
    assert path is not None
    piece = telephone_samples(path.read_bytes())[4000:12_000]
    place, _ = audioop.findfit(ours, piece)
    assert place > 0, "the person hears it"
    assert audioop.rms(audioop.add(ours[2 * place : 2 * place + 8000], audioop.mul(piece, 2, -1), 2), 2) < 200
    sheet = read_case(services, case_id, visible_to=None)
    (item,) = (
        story_item for story_item in story_items(sheet, {}, Lang.EN) if story_item.recording is not None
    )
    assert item.recording == shown


async def test_a_call_from_a_desk_follows_the_policy_of_its_case(w: World, recorder: RecordingClient):
    w.scene.policy_version -= 1
    case_id = await desk_call(w)
    assert w.scene.rows(sa.select(t.desk_call.c.result))[0]["result"] == "answered"
    assert list_recordings(w.scene.services, case_id) == []
    assert await recorder.api.recordings.list_async() == []


async def test_a_call_from_a_desk_that_nobody_answers_has_no_row(w: World, recorder: RecordingClient):
    busy = Behaviour(name="busy", share=1, pickup=Pickup.BUSY)
    case_id = await desk_call(w, person=busy)
    assert w.scene.rows(sa.select(t.desk_call.c.records))[0]["records"]
    assert list_recordings(w.scene.services, case_id) == []


async def called_in(w: World, **behaviour: object) -> int:
    """The person of a case calls us and talks with a desk, until both have hung up; the case."""
    seat(w, desk=TALKS)
    case_id = w.open_case(behaviour=WAITS)
    person_calls_in(w, case_id, **behaviour)
    await until(w, state=InboundState.ENDED.value)
    return case_id


async def test_a_call_in_is_recorded_and_says_so_before_the_desk_rings(w: World, recorder: RecordingClient):
    case_id = await called_in(w)
    assert await fetch(w, recorder) == 1
    row = row_of(w, case_id)
    assert (row["state"], row["attempt_id"], row["desk_call_id"]) == ("kept", None, None)
    assert await recorder.api.recordings.list_async() == []
    services = w.scene.services
    (shown,) = list_recordings(services, case_id)
    assert shown.call is RecordedCall.CALLED_IN
    sheet = read_case(services, case_id, visible_to=None)
    (item,) = (
        story_item for story_item in story_items(sheet, {}, Lang.EN) if story_item.recording is not None
    )
    assert item.recording == shown
    assert shown.seconds is not None
    assert shown.seconds >= 15


async def test_a_call_in_from_a_typed_number_is_not_recorded(w: World, recorder: RecordingClient):
    """What follows a typed number must not tell whether a case of it is open."""
    seat(w, desk=TALKS)
    case_id = w.open_case(behaviour=WAITS)
    with w.scene.tx() as tx:
        person = person_of_case(tx, case_id)
    assert person is not None
    number = person.phones[0].removeprefix("+86")
    typing = replace(WAITS, keys=(f"{number}#",))
    w.carrier.line.call_in("", typing)  # type: ignore[attr-defined]
    await until(w, state=InboundState.ENDED.value)
    assert calls(w)[0]["result"] == InboundResult.JOINED.value
    assert list_recordings(w.scene.services, case_id) == []
    assert await recorder.api.recordings.list_async() == []


async def test_who_is_erased_is_not_heard_any_more_in_calls_of_the_desk_and_calls_in(
    w: World, recorder: RecordingClient, tmp_path: Path
):
    case_id = await called_in(w)
    assert await fetch(w, recorder) == 1
    services = w.scene.services
    w.scene.do(sa.update(t.case).values(status="closed", settled_at=services.clock.now(), due_at=None))
    w.scene.do(sa.update(t.assignment).values(state="withdrawn", withdrawn_why="x"))
    w.scene.do(sa.delete(t.message))
    kept = row_of(w, case_id)
    asked = ask_erasure(services, unrestricted("zhao"), case_id, why="an order")
    confirm_erasure(services, unrestricted("wang"), asked.id, register=tmp_path / "register")
    assert (row_of(w, case_id)["state"], row_of(w, case_id)["sealed"]) == ("deleted", None)
    (line,) = audited(w, "delete_recording")
    assert line["facts"]["sha256"] == bytes(kept["sha256"]).hex()
    assert line["facts"]["inbound_call"] == str(kept["inbound_call_id"])
    assert "attempt" not in line["facts"]


async def test_its_time_is_over_and_the_audit_proves_what_was_deleted(w: World, recorder: RecordingClient):
    case_id = await recorded_case(w, recorder)
    kept = row_of(w, case_id)
    services = w.scene.services
    closed = {"status": CaseStatus.CLOSED.value, "settled_at": kept["called_at"], "due_at": None}
    w.scene.do(sa.update(t.case).where(t.case.c.id == case_id).values(**closed))
    w.scene.do(sa.update(t.recording).values(called_at=services.clock.now() - timedelta(days=181)))
    done = apply_retention(services, RetentionSettings(), at_once=True)
    assert done[RetentionKind.RECORDINGS] == 1
    gone = row_of(w, case_id)
    assert (gone["state"], gone["sealed"], gone["sha256"]) == ("deleted", None, kept["sha256"])
    (line,) = audited(w, "delete_recording")
    assert (line["who"], line["subject"]) == ("robot", f"case/{case_id}")
    assert line["facts"]["sha256"] == bytes(kept["sha256"]).hex()
    assert line["facts"]["deleted_for"] == "retention"
    with pytest.raises(Conflict):
        hear_recording(services, unrestricted("chief"), case_id, kept["id"], reason="review", why="an appeal")
    (shown,) = list_recordings(services, case_id)
    assert (shown.state, shown.sha256) == (RecordingState.DELETED, bytes(kept["sha256"]).hex())


async def test_who_is_erased_is_not_heard_any_more_nor_at_the_carrier(
    w: World, recorder: RecordingClient, tmp_path: Path
):
    """Of a recording that was not fetched yet, the carrier's copy goes too."""
    case_id = w.open_case()
    await w.until_over(case_id)
    services = w.scene.services
    assert len(await recorder.api.recordings.list_async()) == 1
    closed = {"status": CaseStatus.CLOSED.value, "settled_at": services.clock.now(), "due_at": None}
    w.scene.do(sa.update(t.case).where(t.case.c.id == case_id).values(**closed))
    w.scene.do(sa.update(t.attempt).values(state="ended", result="answered"))
    w.scene.do(sa.update(t.assignment).values(state="withdrawn", withdrawn_why="x"))
    w.scene.do(sa.delete(t.message))
    w.scene.do(sa.delete(t.stop_payment))
    asked = ask_erasure(services, unrestricted("li"), case_id, why="an order")
    made = confirm_erasure(services, unrestricted("wang"), asked.id, register=tmp_path / "register")
    assert made.erasure.counts is not None
    assert made.erasure.counts["recording.sealed"] == 1
    assert audited(w, "delete_recording")[0]["who"] == "wang"
    assert row_of(w, case_id)["state"] == "deleted"
    assert await fetch(w, recorder) == 1
    assert await recorder.api.recordings.list_async() == []
    assert (row_of(w, case_id)["state"], row_of(w, case_id)["sealed"]) == ("deleted", None)


async def test_a_recording_whose_sound_was_not_kept_stays_at_the_carrier(w: World, recorder: RecordingClient):
    """The carrier lists it and gives no sound: whatever the reason is, nobody else has it."""
    case_id = w.open_case()
    await w.until_over(case_id)
    (there,) = await recorder.api.recordings.list_async()
    file = w.carrier.exchange.recordings.file_of(there.sid or "")
    aside = file.rename(file.with_suffix(".aside"))
    for _ in range(8):
        assert await fetch(w, recorder) == 0
    assert row_of(w, case_id)["state"] == "waiting"
    assert [one.sid for one in await recorder.api.recordings.list_async()] == [there.sid]
    aside.rename(file)
    assert await fetch(w, recorder) == 1
    assert row_of(w, case_id)["state"] == "kept"
    assert await recorder.api.recordings.list_async() == []


async def test_a_second_recording_of_a_call_stays_at_the_carrier(w: World, recorder: RecordingClient):
    case_id = w.open_case()
    await w.until_over(case_id)
    recordings = w.carrier.exchange.recordings
    (there,) = await recorder.api.recordings.list_async()
    other = replace(recordings.find(there.sid or ""), sid="RE" + "1" * 32)
    recordings._by_sid[other.sid] = other
    for _ in range(2):
        assert await fetch(w, recorder) == 0
        assert [one.sid for one in await recorder.api.recordings.list_async()] == [other.sid]
        assert (row_of(w, case_id)["state"], row_of(w, case_id)["sid"]) == ("kept", there.sid)
    assert row_of(w, case_id)["due_at"] is not None, "the alarm follows"


async def test_a_carrier_without_the_recording_is_asked_for_a_while(w: World, recorder: RecordingClient):
    case_id = w.open_case()
    await w.until_over(case_id)
    (there,) = await recorder.api.recordings.list_async()
    await recorder.delete(there.sid or "")
    await recorder.delete(there.sid or "")
    for _ in range(6):
        assert await fetch(w, recorder) == 0
        assert row_of(w, case_id)["state"] == "waiting"
    assert await fetch(w, recorder) == 1
    assert (row_of(w, case_id)["state"], row_of(w, case_id)["due_at"]) == ("absent", None)
