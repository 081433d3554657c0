"""Messages from a case's decision to the telephone's inbox and back, on real rows and a real carrier: each once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrier.config import CarrierConfig, ServiceClock
from carrier.faults import FaultRule, InjectedFault
from carrier.people import Behaviour, PeopleConfig
from carrier.server import RunningCarrier, start
from dialer.calls.message_store import MessageLimits, claim_messages
from dialer.calls.messages import (
    apply_message_event,
    ask_about_messages,
    look_for_messages,
    message_text,
    send_messages,
)
from dialer.case_page.reading import show_case
from dialer.cases.effects import insert_messages, message_row
from dialer.cases.store import lock_cases
from dialer.cases.timeline import read_case_file
from dialer.control.health import raise_overdue_work
from dialer.core.case import CaseStatus
from dialer.core.errors import NotFound, Unavailable
from dialer.core.events import SendMessage
from dialer.core.outbox import may_flash
from dialer.core.timeline import EntryKind
from dialer.core.values import FLASHES, Contact, FraudType, MessageChannel, MessagePurpose, MessageState
from dialer.db import tables as t
from dialer.runtime.services import Services
from dialer.telephony.callbacks import message_event
from dialer.telephony.channels import (
    MessageProgress,
    Placed,
    RefusalCause,
    Refused,
    SendResult,
    SendText,
    UncertainResult,
)
from dialer.telephony.client import SmsClient
from dialer.telephony.config import TelephonyConfig
from tests.control.scene import Scene

ACCOUNT = "AC" + "0" * 31 + "1"
M = MessageState
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[RunningCarrier]:
    running = await start(
        CarrierConfig(
            account_sid=ACCOUNT,
            auth_token="token",  # of this test's own carrier
            state_dir=tmp_path / "carrier",
            clock=ServiceClock(speed=400.0),
            people=PeopleConfig(behaviours=(Behaviour(name="anybody", share=1),)),
        )
    )
    yield running
    await running.stop()


@pytest.fixture
async def client(carrier: RunningCarrier) -> AsyncIterator[SmsClient]:
    config = TelephonyConfig(
        base_url=carrier.base_url,
        account_sid=ACCOUNT,
        auth_token="token",
        caller_number="+8647896110",
        public_url="http://127.0.0.1:9",
        timeout_seconds=5,
    )
    async with SmsClient(config) as made:
        yield made


def services_of(scene: Scene) -> Services:
    """Looks for what is doubtful at once."""
    return replace(
        scene.services,
        lines=replace(scene.services.lines, post_timeout_seconds=0.0, unknown_after_seconds=0.0),
    )


def planned(scene: Scene, purpose: MessagePurpose = MessagePurpose.UNREACHABLE) -> int:
    """A case with a planned message, at the present moment."""
    scene.clock.set(datetime.now(UTC))
    case_id = scene.open_case()
    plan(scene, case_id, purpose)
    return case_id


def plan(scene: Scene, case_id: int, purpose: MessagePurpose) -> None:
    with scene.tx() as tx:
        stored = lock_cases(tx, [case_id])[case_id]
        effect = SendMessage(purpose=purpose, number=0, channel=MessageChannel.SMS)
        insert_messages(tx, [message_row(stored, effect, at=scene.clock.now())])


def rows(scene: Scene, case_id: int) -> list[dict[str, Any]]:
    return scene.rows(sa.select(t.message).where(t.message.c.case_id == case_id))


def row(scene: Scene, case_id: int) -> dict[str, Any]:
    (one,) = rows(scene, case_id)
    return one


def carrier_summary(carrier: RunningCarrier) -> dict[str, object]:
    return carrier.texts.summary()


async def test_a_planned_message_is_sent_once_in_the_bureau_s_name(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    assert await send_messages(scene.services, client) == 1
    assert await send_messages(scene.services, client) == 0
    sent = row(scene, case_id)
    assert (sent["state"], carrier_summary(carrier)["messages"]) == ("accepted", 1)
    text = carrier.texts.find(sent["sid"])
    assert text is not None
    assert text.order.body.startswith("【市公安局反诈中心】")
    assert text.order.status_callback.startswith(f"http://127.0.0.1:9/hooks/message/{sent['id']}")


def test_a_case_has_one_message_for_a_purpose(scene: Scene):
    case_id = planned(scene)
    plan(scene, case_id, MessagePurpose.UNREACHABLE)
    plan(scene, case_id, MessagePurpose.AFTER_WARNING)
    assert sorted(one["purpose"] for one in rows(scene, case_id)) == ["after_warning", "unreachable"]


def test_a_planned_message_asks_to_be_sent_after_its_commit_without_waiting_for_a_tick(scene: Scene):
    told: list[set[str]] = []
    scene.services.store.after_commit = lambda names: told.append(set(names))
    case_id = planned(scene)
    assert rows(scene, case_id)
    assert told == [{"send_messages"}]


async def test_a_person_who_has_refused_calls_since_gets_none(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    with scene.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(opted_out=True))
    assert await send_messages(scene.services, client) == 0
    assert (row(scene, case_id)["state"], carrier_summary(carrier).get("messages", 0)) == ("failed", 0)


async def test_two_senders_at_once_send_it_once(scene: Scene, carrier: RunningCarrier, client: SmsClient):
    planned(scene)
    await asyncio.gather(send_messages(scene.services, client), send_messages(scene.services, client))
    assert carrier_summary(carrier)["messages"] == 1


async def test_an_answer_that_is_lost_is_looked_for_and_never_sent_again(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    services = services_of(scene)
    carrier.exchange.faults.set(InjectedFault.MESSAGE_ACCEPT_THEN_CUT, FaultRule(count=1))
    await send_messages(services, client)
    assert row(scene, case_id)["state"] == "unknown"
    await look_for_messages(services, client)
    found = row(scene, case_id)
    assert found["state"] in {"accepted", "sent", "delivered"}
    assert found["sid"]
    await send_messages(services, client)
    assert carrier_summary(carrier)["messages"] == 1


async def test_a_message_of_a_killed_process_is_looked_for(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    now = scene.clock.now()
    with scene.tx() as tx:
        assert (
            len(claim_messages(tx, channel=MessageChannel.SMS, now=now, real_now=now, poll_at=now, limit=9))
            == 1
        )
    services = services_of(scene)
    assert await send_messages(services, client) == 0
    scene.later(seconds=1)
    await look_for_messages(services, client)
    assert row(scene, case_id)["state"] == "unknown"
    await look_for_messages(services, client)
    assert row(scene, case_id)["state"] == "planned"
    assert await send_messages(services, client) == 1
    assert carrier_summary(carrier)["messages"] == 1


async def test_a_refusal_that_is_ours_waits_and_one_of_the_number_ends_it(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    carrier.exchange.faults.set(InjectedFault.MESSAGE_TOO_MANY, FaultRule(count=1, seconds=60))
    assert await send_messages(scene.services, client) == 0
    waiting = row(scene, case_id)
    assert waiting["state"] == "planned"
    assert (waiting["not_before"] - scene.clock.now()).total_seconds() == 60
    scene.later(seconds=61)
    assert await send_messages(scene.services, client) == 1


async def test_a_text_that_breaks_the_rules_is_not_sent(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    centre = replace(scene.services.centre, bureau={"zh": "反诈中心96110"})
    assert await send_messages(replace(scene.services, centre=centre), client) == 0
    assert (row(scene, case_id)["state"], carrier_summary(carrier)["messages"]) == ("failed", 0)


class Letters:
    """A channel that the test plays: what it answers, and what it was asked to send."""

    channel = MessageChannel.SMS

    def __init__(self, *answers: SendResult, lists: Sequence[MessageProgress] | Unavailable = ()) -> None:
        self.answers = list(answers)
        self.lists = lists
        self.sent: list[SendText] = []
        self.looked = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def send(self, order: SendText, /) -> SendResult:
        self.sent.append(order)
        return self.answers.pop(0)

    async def state(self, sid: str, /) -> MessageProgress | None:
        raise AssertionError(sid)

    async def find(
        self, _order: SendText, /, *, since: datetime, until: datetime
    ) -> Sequence[MessageProgress]:
        assert since < until
        self.looked += 1
        if isinstance(self.lists, Unavailable):
            raise self.lists
        return self.lists


async def test_what_any_channel_answers_has_the_same_end(scene: Scene):
    lost, placed = UncertainResult(detail="no answer"), Placed(sid="L1", status="queued")
    letters = Letters(Refused(cause=RefusalCause.SLOW_DOWN), lost, placed)
    case_id, services = planned(scene), services_of(scene)
    assert await send_messages(services, letters) == 0
    assert row(scene, case_id)["state"] == "planned"
    scene.later(seconds=31)
    assert await send_messages(services, letters) == 0
    assert row(scene, case_id)["state"] == "unknown"
    for expected in ("unknown", "planned"):
        scene.later(seconds=1)
        await look_for_messages(services, letters)
        assert row(scene, case_id)["state"] == expected
    assert await send_messages(services, letters) == 1
    assert (row(scene, case_id)["state"], row(scene, case_id)["sid"]) == ("accepted", "L1")
    assert letters.sent == [letters.sent[0]] * 3


async def test_a_message_that_is_refused_again_and_again_waits_longer_and_is_given_up_with_one_alarm(
    scene: Scene,
):
    case_id = planned(scene)
    letters = Letters(*[Refused(cause=RefusalCause.OURS)] * 12)
    gaps = []
    for _ in range(12):
        await send_messages(scene.services, letters)
        gaps.append((row(scene, case_id)["not_before"] - scene.clock.now()).total_seconds())
        assert await send_messages(scene.services, letters) == 0
        scene.later(seconds=gaps[-1])
    assert gaps == [min(30 * 2**n, 3600) for n in range(12)]
    assert (row(scene, case_id)["state"], len(letters.sent)) == ("failed", 12)
    [alarm] = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "work_given_up"))
    assert (alarm["times"], alarm["facts"]) == (1, {"names": ["message"]})


async def test_what_a_sender_says_that_was_overtaken_by_news_changes_nothing(scene: Scene):
    case_id = planned(scene)
    message_id = row(scene, case_id)["id"]

    class Overtaken(Letters):
        async def send(self, order: SendText, /) -> SendResult:
            apply_message_event(scene.services, message_id, progress(M.DELIVERED))
            return await super().send(order)

    await send_messages(scene.services, Overtaken(Refused(cause=RefusalCause.OURS)))
    assert (row(scene, case_id)["state"], row(scene, case_id)["sid"]) == ("delivered", "SM1")


async def test_gaps_between_questions_grow(scene: Scene):
    case_id = planned(scene)
    apply_message_event(scene.services, row(scene, case_id)["id"], progress(M.SENT))

    class Silent(Letters):
        async def state(self, _sid: str, /) -> MessageProgress | None:
            return None

    gaps = []
    for _ in range(4):
        silent_since_long(scene)
        assert await ask_about_messages(scene.services, Silent()) == 1
        gap = row(scene, case_id)["poll_at"] - scene.services.real.now()
        gaps.append(gap / timedelta(seconds=scene.services.lines.silence_seconds))
    assert gaps == pytest.approx([1, 2, 4, 8], rel=0.02)


async def test_a_number_that_a_channel_refuses_ends_the_message(scene: Scene):
    case_id = planned(scene)
    await send_messages(scene.services, Letters(Refused(cause=RefusalCause.NUMBER, code=60011)))
    assert (row(scene, case_id)["state"], row(scene, case_id)["error_code"]) == ("failed", 60011)


async def test_a_channel_that_cannot_look_gives_up_and_never_sends_again(scene: Scene):
    case_id, services = planned(scene), services_of(scene)
    letters = Letters(
        UncertainResult(detail="no answer"), lists=Unavailable(part="carrier", problem="no list")
    )
    await send_messages(services, letters)
    await look_for_messages(services, letters)
    assert row(scene, case_id)["state"] == "unknown"
    long_ago = services.real.now() - timedelta(minutes=11)
    scene.do(sa.update(t.message).values(posted_at=long_ago))
    await look_for_messages(services, letters)
    assert row(scene, case_id)["state"] == "failed"
    assert len(letters.sent) == 1


async def test_a_channel_that_does_not_answer_is_not_asked_about_every_message(scene: Scene):
    case_ids = [planned(scene) for _ in range(20)]
    services = services_of(scene)
    scene.do(sa.update(t.message).values(state="unknown", posted_at=services.real.now(), poll_at=LONG_AGO))
    letters = Letters(lists=Unavailable(part="carrier", problem="no answer"))
    assert await look_for_messages(services, letters) == 20
    assert letters.looked == 16, "as many as are asked about at a time"
    assert {row(scene, case_id)["state"] for case_id in case_ids} == {"unknown"}


async def test_what_the_channel_lists_as_another_message_of_ours_is_not_taken_for_this_one(scene: Scene):
    first, services = planned(scene), services_of(scene)
    await send_messages(services, Letters(Placed(sid="L1", status="queued")))
    second = planned(scene)
    letters = Letters(
        UncertainResult(detail="no answer"), lists=[MessageProgress(sid="L1", state=MessageState.SENT)]
    )
    await send_messages(services, letters)
    scene.do(sa.update(t.message).where(t.message.c.state == "unknown").values(poll_at=LONG_AGO))
    assert await look_for_messages(services, letters) == 1
    assert (row(scene, first)["sid"], row(scene, second)["sid"]) == ("L1", None)
    assert row(scene, second)["state"] in {"unknown", "planned"}, "not found yet"


async def test_an_empty_listing_before_the_deadline_proves_nothing(scene: Scene):
    case_id, services = planned(scene), services_of(scene)
    letters = Letters(UncertainResult(detail="no answer"))
    await send_messages(services, letters)
    scene.do(sa.update(t.message).values(posted_at=services.real.now() + timedelta(hours=1)))
    for _ in range(3):
        await look_for_messages(services, letters)
    assert (row(scene, case_id)["state"], row(scene, case_id)["polls"]) == ("unknown", 0)


@pytest.mark.parametrize("state", ["planned", "unknown", "sent"])
async def test_a_message_of_a_channel_that_this_process_does_not_know_is_left_alone(scene: Scene, state: str):
    case_id = planned(scene)
    before = {"channel": "later_version", "state": state, "poll_at": LONG_AGO, "posted_at": LONG_AGO}
    scene.do(sa.update(t.message).values(**before))
    services = services_of(scene)
    assert await send_messages(services, Letters()) == 0
    assert await look_for_messages(services, Letters()) == 0
    assert await ask_about_messages(services, Letters()) == 0
    after = row(scene, case_id)
    assert {name: after[name] for name in before} == before


def silent_since_long(scene: Scene) -> None:
    on_the_way = t.message.c.poll_at.is_not(None)
    scene.do(sa.update(t.message).where(on_the_way).values(poll_at=LONG_AGO))


async def test_a_message_without_news_is_asked_about(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    await send_messages(scene.services, client)
    sent = carrier.texts.find(row(scene, case_id)["sid"])
    assert sent is not None
    while sent.status.value != "delivered":  # noqa: ASYNC110 - a timer of the carrier
        await asyncio.sleep(0.01)
    silent_since_long(scene)
    assert await ask_about_messages(scene.services, client) == 1
    assert row(scene, case_id)["state"] == "delivered"
    silent_since_long(scene)
    assert await ask_about_messages(scene.services, client) == 0


async def test_a_message_unknown_to_the_carrier_is_asked_about_a_bounded_number_of_times(
    scene: Scene, client: SmsClient
):
    case_id = planned(scene)
    apply_message_event(scene.services, row(scene, case_id)["id"], progress(M.SENT))
    asked = 0
    for _ in range(20):
        silent_since_long(scene)
        asked += await ask_about_messages(scene.services, client)
    assert asked == 10
    assert row(scene, case_id)["state"] == "sent"


def progress(state: MessageState, code: int | None = None) -> MessageProgress:
    return MessageProgress(state=state, sid="SM1", error_code=code)


@pytest.mark.parametrize("order", list(permutations([M.ACCEPTED, M.SENT, M.DELIVERED])))
def test_news_in_any_order_and_twice_has_one_end(scene: Scene, order: tuple[MessageState, ...]):
    case_id = planned(scene)
    message_id = row(scene, case_id)["id"]
    for state in (*order, *order):
        apply_message_event(scene.services, message_id, progress(state))
    end = row(scene, case_id)
    assert (end["state"], end["sid"]) == ("delivered", "SM1")
    kept = scene.rows(sa.select(t.event.c.step).where(t.event.c.attempt_id == message_id))
    assert len(kept) == 3


def test_the_end_of_a_message_is_in_the_case_s_timeline(scene: Scene):
    case_id = planned(scene)
    apply_message_event(scene.services, row(scene, case_id)["id"], progress(M.UNDELIVERED, 30003))
    told = [e.facts for e in show_case(scene.services, case_id).file.timeline if e.kind is EntryKind.MESSAGE]
    assert [(facts["channel"], facts["state"]) for facts in told] == [
        ("sms", "planned"),
        ("sms", "undelivered"),
    ]
    assert told[-1]["error_code"] == 30003


def test_news_of_a_message_that_is_not_ours_is_refused(scene: Scene):
    with pytest.raises(NotFound):
        apply_message_event(scene.services, uuid.uuid4(), progress(M.SENT))


def test_what_a_status_callback_says():
    read = message_event({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"})
    assert read == progress(M.UNDELIVERED, 30003)


def test_every_fraud_type_has_a_message_text(scene: Scene):
    for fraud_type in FraudType:
        scene.clock.set(datetime.now(UTC))
        plan(scene, scene.open_case(fraud_type=fraud_type), MessagePurpose.UNREACHABLE)
        now = scene.clock.now()
        with scene.tx() as tx:
            (outgoing,) = claim_messages(
                tx, channel=MessageChannel.SMS, now=now, real_now=now, poll_at=now, limit=9
            )
        text = message_text(scene.services, outgoing)
        assert "不要" in text or "停止" in text


async def test_a_number_gets_so_many_messages_an_hour_of_all_its_cases_and_the_next_one_waits(
    scene: Scene, client: SmsClient
):
    most = scene.services.lines.number_messages_an_hour
    scene.clock.set(datetime.now(UTC))
    people = [scene.person(name=f"王{n}", phones=("+8613800990077",)) for n in range(most + 2)]
    cases = [scene.open_case(person_id=person_id) for person_id in people]
    other = scene.open_case()
    for case_id in (*cases, other):
        plan(scene, case_id, MessagePurpose.UNREACHABLE)
    assert await send_messages(scene.services, client) == most + 1
    first = scene.clock.now()
    states = [row(scene, case_id)["state"] for case_id in cases]
    assert (states.count("accepted"), states.count("planned")) == (most, 2)
    assert row(scene, other)["state"] == "accepted"
    told = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "number_at_limit"))
    waits = [case_id for case_id in cases if row(scene, case_id)["state"] == "planned"]
    assert sorted(alarm["case_id"] for alarm in told) == waits
    until = (first + timedelta(hours=1)).isoformat()
    assert {alarm["facts"]["until"] for alarm in told} == {until}
    scene.clock.advance(3540)
    assert await send_messages(scene.services, client) == 0
    scene.clock.advance(60)
    assert await send_messages(scene.services, client) == 2


def test_a_number_is_free_for_a_message_when_the_first_of_the_hour_and_the_day_are_over():
    limits = MessageLimits(an_hour=2, a_day=3)
    hour = timedelta(hours=1)
    assert limits.free_at([LONG_AGO]) is None
    assert limits.free_at([LONG_AGO, LONG_AGO + hour / 2]) == LONG_AGO + hour
    sent = [LONG_AGO, LONG_AGO + hour, LONG_AGO + 2 * hour]
    assert limits.free_at(sent) == LONG_AGO + 24 * hour


EVERY = 1800


class Gateway(Letters):
    """A channel that accepts whatever it is sent."""

    async def send(self, order: SendText, /) -> SendResult:
        self.sent.append(order)
        return Placed(sid=f"L{uuid.uuid4()}", status="queued")


def plan_flashes(scene: Scene, case_id: int, *, times: int = 3) -> None:
    with scene.tx() as tx:
        stored = lock_cases(tx, [case_id])[case_id]
        effects = [
            SendMessage(purpose=purpose, number=0, channel=MessageChannel.SMS, after_seconds=number * EVERY)
            for number, purpose in enumerate(FLASHES[:times], start=1)
        ]
        insert_messages(tx, [message_row(stored, effect, at=scene.clock.now()) for effect in effects])


async def test_a_flash_message_goes_again_and_again_and_opens_on_the_screen(
    scene: Scene, carrier: RunningCarrier, client: SmsClient
):
    case_id = planned(scene)
    plan_flashes(scene, case_id)
    plan_flashes(scene, case_id)
    sent = []
    for _ in range(5):
        sent.append(await send_messages(scene.services, client))
        scene.later(seconds=EVERY)
    assert sent == [1, 1, 1, 1, 0]
    found = {one["purpose"]: carrier.texts.find(one["sid"]) for one in rows(scene, case_id)}
    assert {purpose: text.order.flash for purpose, text in found.items() if text is not None} == {
        "unreachable": False,
        "flash_1": True,
        "flash_2": True,
        "flash_3": True,
    }
    with scene.services.store.begin() as tx:
        entries = read_case_file(tx, case_id).timeline
    shown = [entry.id for entry in entries if entry.kind is EntryKind.MESSAGE and "flash" in entry.id]
    assert list(dict.fromkeys(shown)) == ["message/flash_1", "message/flash_2", "message/flash_3"]


@pytest.mark.parametrize(
    "handled", [{"contact": "verified"}, {"status": "closed", "due_at": None}, {"opted_out": True}]
)
async def test_flash_messages_stop_at_once_when_the_case_is_handled(scene: Scene, handled: dict[str, Any]):
    case_id = planned(scene)
    plan_flashes(scene, case_id)
    letters = Gateway()
    await send_messages(scene.services, letters)
    scene.later(seconds=EVERY)
    await send_messages(scene.services, letters)
    assert [order.flash for order in letters.sent] == [False, True]
    with scene.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(**handled))
    await send_messages(scene.services, letters)
    assert len(letters.sent) == 2
    ended = [one["state"] for one in rows(scene, case_id) if one["purpose"] in FLASHES[1:]]
    assert ended == ["failed", "failed"]
    scene.later(seconds=9 * EVERY)
    await send_messages(scene.services, letters)
    assert len(letters.sent) == 2


async def test_the_budget_of_a_telephone_holds_for_flash_messages(scene: Scene):
    case_id = planned(scene)
    plan_flashes(scene, case_id, times=9)
    services = replace(
        scene.services,
        lines=replace(scene.services.lines, number_messages_an_hour=2, number_messages_a_day=4),
    )
    letters = Gateway()
    begun = scene.clock.now()
    while scene.clock.now() < begun + timedelta(hours=12):
        await send_messages(services, letters)
        scene.later(seconds=EVERY / 3)
    assert len(letters.sent) == 4


@given(
    steps=st.lists(
        st.sampled_from(["send", "half", "whole", "verified", "unverified", "closed", "opted_out"]),
        max_size=14,
    ),
    times=st.integers(1, 9),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_no_flash_message_follows_the_end(scene: Scene, steps: list[str], times: int):
    scene.clock.set(datetime.now(UTC))
    case_id = scene.open_case()
    plan_flashes(scene, case_id, times=times)
    letters, begun = Gateway(), scene.clock.now()
    case: dict[str, Any] = {"status": CaseStatus.OPEN, "contact": Contact.NONE, "opted_out": False}
    for step in [*steps, "whole", "send"]:
        match step:
            case "half" | "whole":
                scene.later(seconds=EVERY / (2 if step == "half" else 1))
            case "verified" | "unverified":
                case["contact"] = Contact(step)
            case "closed":
                case |= {"status": CaseStatus.CLOSED, "due_at": None}
            case "opted_out":
                case["opted_out"] = True
            case _:
                before = len(letters.sent)
                asyncio.run(send_messages(scene.services, letters))
                goes = may_flash(case["status"], case["contact"], opted_out=case["opted_out"])
                passed = int((scene.clock.now() - begun).total_seconds() // EVERY)
                assert goes or len(letters.sent) == before
                assert len(letters.sent) <= min(times, passed)
        with scene.tx() as tx:
            tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(**case))
    assert all(order.flash for order in letters.sent)
    left = [one["state"] for one in rows(scene, case_id)]
    if not may_flash(case["status"], case["contact"], opted_out=case["opted_out"]):
        assert M.PLANNED not in left
    with scene.tx() as tx:
        # The next example has a case of its own.
        tx.execute(sa.update(t.message).values(state=M.FAILED, ended_at=scene.clock.now(), poll_at=None))


def test_a_flash_message_that_is_due_and_does_not_move_is_overdue_work(scene: Scene):
    scene.clock.set(datetime.now(UTC))
    plan_flashes(scene, scene.open_case())
    scene.later(seconds=EVERY + 500)
    raise_overdue_work(scene.services)
    assert not scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "work_overdue"))
    scene.later(seconds=200)
    raise_overdue_work(scene.services)
    [alarm] = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "work_overdue"))
    assert alarm["facts"] == {"names": ["message"]}
