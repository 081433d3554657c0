"""The client against our own carrier over real HTTP: one protocol, two programs that share no code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
from aiohttp import web

from carrier.config import CarrierConfig, ServiceClock
from carrier.faults import FaultRule, InjectedFault
from carrier.people import AnsweredBy, Behaviour, PeopleConfig, Pickup
from carrier.server import RunningCarrier
from carrier.server import start as start_of_carrier
from dialer.core.errors import Unavailable
from dialer.core.values import Answer, Contact, TelephonyResult
from dialer.scripts.dialogue import Context, Position, advance, start
from dialer.scripts.reading import script_named
from dialer.telephony.callbacks import (
    CallProgress,
    Stage,
    machine_verdict,
    progress_of,
    read_gather,
    status_event,
)
from dialer.telephony.channels import Placed, RefusalCause, Refused, UncertainResult
from dialer.telephony.client import CallClient, PlaceCall
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.webhooks import BadSignature, fallback_twiml, verify_signature, write_turn

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "token-of-the-account"
TO = "+8613800138000"
PATIENCE_SECONDS = 60.0
SCRIPT = script_named("police_impersonation")


class Webhooks:
    """The application's side of a call, as small as it can be: verify, translate, answer."""

    def __init__(self) -> None:
        self.progress: dict[UUID, list[CallProgress]] = {}
        self.verdicts: dict[UUID, list[CallProgress]] = {}
        self.ends: dict[UUID, Position] = {}
        self.refused = 0
        self.broken = False
        self.safe_sentences = 0
        self.config: TelephonyConfig | None = None
        self._changed = asyncio.Condition()

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/under/hooks/call/{attempt}/{step}/{position}", self._call)
        app.router.add_post("/under/hooks/status/{attempt}", self._status)
        app.router.add_post("/under/hooks/amd/{attempt}", self._amd)
        app.router.add_post("/under/hooks/fallback/{attempt}", self._fallback)

    async def _params(self, request: web.Request) -> dict[str, str]:
        assert self.config is not None
        pairs = parse_qsl((await request.read()).decode(), keep_blank_values=True)
        origin = self.config.public_url.removesuffix("/under")
        try:
            verify_signature(
                url=origin + request.raw_path,
                params=pairs,
                headers=request.headers,
                tokens=self.config.signing_tokens,
            )
        except BadSignature as error:
            async with self._changed:
                self.refused += 1
                self._changed.notify_all()
            raise web.HTTPForbidden from error
        return dict(pairs)

    async def _call(self, request: web.Request) -> web.Response:
        params = await self._params(request)
        if self.broken:
            raise web.HTTPInternalServerError
        attempt, position = UUID(request.match_info["attempt"]), request.match_info["position"]
        context = Context()
        if position == "start":
            turn = start(SCRIPT, context)
        else:
            turn = advance(SCRIPT, Position.decode(position), read_gather(params), context)
        if turn.end is not None:
            self.ends[attempt] = turn.position
        assert self.config is not None
        text = write_turn(
            turn,
            attempt_id=attempt,
            step=int(request.match_info["step"]),
            config=self.config,
            audio_url=lambda name: name,
        )
        return web.Response(text=text, headers={"Content-Type": "text/xml; charset=utf-8"})

    async def _status(self, request: web.Request) -> web.Response:
        params = await self._params(request)
        await self._keep(self.progress, request, status_event(params))
        return web.Response(status=204)

    async def _amd(self, request: web.Request) -> web.Response:
        params = await self._params(request)
        await self._keep(self.verdicts, request, machine_verdict(params))
        return web.Response(status=204)

    async def _fallback(self, request: web.Request) -> web.Response:
        await self._params(request)
        self.safe_sentences += 1
        return web.Response(text=fallback_twiml(), headers={"Content-Type": "text/xml; charset=utf-8"})

    async def _keep(
        self, kept: dict[UUID, list[CallProgress]], request: web.Request, progress: CallProgress
    ) -> None:
        async with self._changed:
            kept.setdefault(UUID(request.match_info["attempt"]), []).append(progress)
            self._changed.notify_all()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(true)

    async def stage(self, attempt: UUID, stage: Stage) -> CallProgress:
        def found() -> list[CallProgress]:
            return [one for one in self.progress.get(attempt, []) if one.stage is stage]

        await self.until(lambda: bool(found()))
        return found()[0]


class Scene:
    """Carrier, hooks and client, wired."""

    def __init__(self, carrier: RunningCarrier, hooks: Webhooks, client: CallClient) -> None:
        self.carrier = carrier
        self.hooks = hooks
        self.client = client

    def fault(self, fault: InjectedFault, knob: FaultRule) -> None:
        self.carrier.exchange.faults.set(fault, knob)

    async def placed(self) -> tuple[UUID, Placed]:
        attempt = uuid4()
        answer = await self.client.send(PlaceCall(attempt_id=attempt, to=TO))
        assert isinstance(answer, Placed)
        return attempt, answer


@pytest.fixture
async def hooks() -> AsyncIterator[Webhooks]:
    made = Webhooks()
    app = web.Application()
    made.routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.config = TelephonyConfig(
        base_url=None,
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        caller_number="+8647896110",
        public_url=f"http://127.0.0.1:{runner.addresses[0][1]}/under",
        timeout_seconds=5,
    )
    yield made
    await runner.cleanup()


@pytest.fixture
async def scene(hooks: Webhooks, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """The behaviour of everybody is the fixture's parameter."""
    behaviour: Behaviour = getattr(request, "param", PATIENT)
    carrier = await start_of_carrier(
        CarrierConfig(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            state_dir=tmp_path,
            clock=ServiceClock(speed=200.0),
            people=PeopleConfig(behaviours=(replace(behaviour, share=1.0),)),
        )
    )
    assert hooks.config is not None
    hooks.config = replace(hooks.config, base_url=carrier.base_url)
    async with CallClient(hooks.config) as client:
        yield Scene(carrier, hooks, client)
    await carrier.stop()


PATIENT = Behaviour(name="patient", keys=("1", "1", "1"))
SLOW = Behaviour(name="slow", pickup=Pickup.NO_ANSWER, ring_after_seconds=(0.0, 0.0))
TALKER = Behaviour(name="talker", answer_after_seconds=(0.0, 0.0), key_after_seconds=(900.0, 900.0))


async def test_a_whole_call_from_the_order_to_the_acknowledgement(scene: Scene):
    attempt, placed = await scene.placed()
    ended = await scene.hooks.stage(attempt, Stage.ENDED)
    assert ended.result is TelephonyResult.ANSWERED
    assert ended.sid == placed.sid
    end = scene.hooks.ends[attempt]
    assert (end.contact, end.answer) == (Contact.VERIFIED, Answer.ACKNOWLEDGED)
    told = sorted(scene.hooks.progress[attempt], key=lambda one: one.sequence or 0)
    assert [one.stage for one in told] == [Stage.INITIATED, Stage.RINGING, Stage.ANSWERED, Stage.ENDED]
    assert [one.sequence for one in told] == [0, 1, 2, 3]
    await scene.hooks.until(lambda: attempt in scene.hooks.verdicts)
    assert scene.hooks.verdicts[attempt][0].answered_by == "human"
    assert scene.hooks.refused == 0
    state = await scene.client.state(placed.sid)
    assert state is not None
    assert progress_of(state).result is TelephonyResult.ANSWERED
    assert not progress_of(state).is_cut_off


@pytest.mark.parametrize(
    ("scene", "result"),
    [
        (Behaviour(name="x", pickup=Pickup.BUSY), TelephonyResult.BUSY),
        (Behaviour(name="x", pickup=Pickup.NO_ANSWER), TelephonyResult.NO_ANSWER),
        (Behaviour(name="x", pickup=Pickup.REJECTED), TelephonyResult.REJECTED),
        (Behaviour(name="x", pickup=Pickup.INVALID), TelephonyResult.INVALID_NUMBER),
        (Behaviour(name="x", pickup=Pickup.BLOCKED), TelephonyResult.BLOCKED),
        (
            Behaviour(name="x", pickup=Pickup.POWERED_OFF, line_result="powered_off"),
            TelephonyResult.POWERED_OFF,
        ),
        (Behaviour(name="x", keys=("1", "1", "1"), line_result="forwarded"), TelephonyResult.FORWARDED),
        (
            Behaviour(
                name="x",
                answered_by=AnsweredBy.MACHINE_START,
                verdict_after_seconds=0.1,
                hang_up_after_seconds=(60.0, 60.0),
            ),
            TelephonyResult.MACHINE,
        ),
    ],
    indirect=["scene"],
)
async def test_every_end_of_a_call_is_reported_as_it_was(scene: Scene, result: TelephonyResult):
    attempt, _ = await scene.placed()
    ended = await scene.hooks.stage(attempt, Stage.ENDED)
    verdicts = scene.hooks.verdicts.get(attempt, [])
    if result is TelephonyResult.MACHINE and ended.result is TelephonyResult.ANSWERED:
        assert verdicts[0].answered_by == "machine_start"
    else:
        assert ended.result is result


@pytest.mark.parametrize("scene", [SLOW], indirect=True)
async def test_a_ringing_call_is_withdrawn(scene: Scene):
    attempt, placed = await scene.placed()
    await scene.hooks.stage(attempt, Stage.INITIATED)
    assert await scene.client.cancel(placed.sid) is True
    assert (await scene.hooks.stage(attempt, Stage.ENDED)).result is TelephonyResult.CANCELED
    await scene.client.cancel(placed.sid)
    assert len([one for one in scene.hooks.progress[attempt] if one.stage is Stage.ENDED]) == 1


@pytest.mark.parametrize("scene", [TALKER], indirect=True)
async def test_cancelling_an_answered_call_hangs_it_up(scene: Scene):
    attempt, placed = await scene.placed()
    await scene.hooks.stage(attempt, Stage.ANSWERED)
    assert await scene.client.cancel(placed.sid) is True
    assert (await scene.hooks.stage(attempt, Stage.ENDED)).result is TelephonyResult.ANSWERED
    assert await scene.client.hang_up("CA" + "f" * 32) is False


async def test_a_call_lost_on_the_way_back_is_found_by_number_and_time(scene: Scene):
    scene.fault(InjectedFault.ACCEPT_THEN_ERROR, FaultRule(count=1))
    before = datetime.now(UTC)
    attempt = uuid4()
    order = PlaceCall(attempt_id=attempt, to=TO)
    assert isinstance(await scene.client.send(order), UncertainResult)
    states = await scene.client.find(order, since=before, until=datetime.now(UTC) + timedelta(seconds=1))
    assert len(states) == 1
    assert (await scene.hooks.stage(attempt, Stage.ENDED)).sid == states[0].sid
    other = replace(order, to="+8613800138001")
    assert await scene.client.find(other, since=before, until=datetime.now(UTC)) == []
    hour = timedelta(hours=1)
    assert await scene.client.find(order, since=before - 2 * hour, until=before - hour) == []


async def test_an_accepted_call_whose_answer_never_comes_is_unsure(scene: Scene):
    scene.fault(InjectedFault.ACCEPT_THEN_TIMEOUT, FaultRule(count=1, seconds=0.1))
    attempt = uuid4()
    assert isinstance(await scene.client.send(PlaceCall(attempt_id=attempt, to=TO)), UncertainResult)
    assert (await scene.hooks.stage(attempt, Stage.ENDED)).result is TelephonyResult.ANSWERED


async def test_refusals_of_the_carrier(scene: Scene):
    order = PlaceCall(attempt_id=uuid4(), to=TO)
    scene.fault(InjectedFault.TOO_MANY, FaultRule(count=1, seconds=3.0))
    answer = await scene.client.send(order)
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.retry_after_seconds) == (RefusalCause.SLOW_DOWN, 3.0)
    scene.fault(InjectedFault.REJECT_NUMBER, FaultRule(count=1, code=21214))
    answer = await scene.client.send(order)
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.code) == (RefusalCause.NUMBER, 21214)
    assert not scene.hooks.progress


async def test_a_carrier_that_answers_nothing_is_unavailable(scene: Scene):
    _, placed = await scene.placed()
    scene.fault(InjectedFault.REST_ERROR, FaultRule(count=1))
    with pytest.raises(Unavailable):
        await scene.client.state(placed.sid)
    scene.fault(InjectedFault.REST_REFUSE, FaultRule())
    with pytest.raises(Unavailable):
        await scene.client.state(placed.sid)


async def test_the_safe_sentence_is_spoken_when_a_webhook_fails(scene: Scene):
    scene.hooks.broken = True
    attempt, _ = await scene.placed()
    await scene.hooks.stage(attempt, Stage.ENDED)
    assert scene.hooks.safe_sentences == 1


async def test_another_token_is_refused_by_both_sides(scene: Scene):
    assert scene.hooks.config is not None
    stranger = replace(scene.hooks.config, auth_token="another")
    async with CallClient(stranger) as client:
        answer = await client.send(PlaceCall(attempt_id=uuid4(), to=TO))
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.code) == (RefusalCause.OURS, 20003)
    scene.hooks.config = replace(stranger, auth_token_next=TOKEN)
    attempt, _ = await scene.placed()
    await scene.hooks.stage(attempt, Stage.ENDED)
    assert scene.hooks.refused == 0
    scene.hooks.config = stranger
    await scene.placed()
    await scene.hooks.until(lambda: scene.hooks.refused > 0)
