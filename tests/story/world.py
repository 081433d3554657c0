"""A small service in one loop: real rows, the real carrier with its faults, real webhooks over HTTP.

Nothing runs by itself but the carrier and the web: `until` does what the workers would, again and again, and waits for
what the test waits for. Rings are counted at the carrier.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from carrier.config import CarrierConfig, ServiceClock
from carrier.faults import FaultRule, InjectedFault
from carrier.people import Behaviour, PeopleConfig
from carrier.server import MakeLine, RunningCarrier, start
from dialer.calls.claims import ClaimedAttempt, Sending, mark_attempts_sending
from dialer.calls.dial import dial
from dialer.calls.reconcile import cancel_calls, reconcile, sweep_attempts, sweep_cases
from dialer.calls.sound import probe_sound
from dialer.control.health import repair_clock
from dialer.core.errors import Unavailable
from dialer.core.third_party import PartyKind, ThirdParty
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.runtime.clock import ScaledClock, SystemClock
from dialer.runtime.services import LineRules
from dialer.server.webhooks import hooks
from dialer.telephony.channels import Placed
from dialer.telephony.client import CallClient, PlaceCall
from dialer.telephony.config import HookUrls, TelephonyConfig
from dialer.web.rendering import serve_sound
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

ACCOUNT, TOKEN = "AC" + "0" * 31 + "7", "token-of-the-story"
ADMIN_TOKEN = "admin-of-the-story"
ATTEMPT_IN_URL = r"/hooks/[a-z]+/([0-9a-f-]{36})"
SPEED = 60.0
DESK_NUMBER = "+8647896111"
"""The duty line; one telephone, with a simulated officer unless a story says otherwise."""
THIRD_PARTIES = (
    ThirdParty(key="list:bank", kind=PartyKind.BANK, name="bank", number="+861066107114"),
    ThirdParty(key="list:interpreter", kind=PartyKind.INTERPRETER, name="interpreter", number="8203"),
    ThirdParty(key="list:premium", kind=PartyKind.BANK, name="premium", number="+8616812345678"),
)
"""Whom a desk may bring into a call; the last one's number is not allowed."""
PATIENCE_SECONDS = 180.0
COOPERATES = Behaviour(
    name="cooperates", share=1, keys=("1", "1", "1"), ring_after_seconds=(1, 1), answer_after_seconds=(3, 5)
)
RULES = LineRules(
    horizon_seconds=0.5,
    lease_seconds=2.0,
    post_timeout_seconds=1.5,
    silence_seconds=1.5,
    unknown_after_seconds=0.2,
)


class World:
    def __init__(
        self, scene: Scene, carrier: RunningCarrier, client: CallClient, telephony: TelephonyConfig
    ) -> None:
        self.scene = scene
        self.carrier = carrier
        self.client = client
        self.telephony = telephony
        self.claimed: list[ClaimedAttempt] = []
        """By the last `claim`."""
        self.has_sound = True
        """Otherwise a proxy answers 404 in place of our sound."""
        self._numbers = 0

    # What the network does.

    def fault(self, fault: InjectedFault, **knob: Any) -> None:  # noqa: ANN401 - fields of a knob
        self.carrier.exchange.faults.set(fault, FaultRule(**knob))

    def no_fault(self) -> None:
        self.carrier.exchange.faults.clear()

    def times_called(self, attempt: dict[str, Any]) -> int:
        return self.carrier.exchange.call_journal.call_count_of_attempt(str(attempt["id"]))

    @property
    def all_attempts(self) -> int:
        return self.carrier.exchange.call_journal.rings

    @property
    def calls(self) -> int:
        return self.carrier.exchange.call_journal.calls

    # What the centre does.

    def open_case(self, *, grade: Grade = Grade.MEDIUM, behaviour: Behaviour = COOPERATES) -> int:
        """A case whose only number behaves so."""
        self._numbers += 1
        number = f"+861990000{self._numbers:04d}"
        self.carrier.line.assign(number, behaviour)  # type: ignore[attr-defined]  # it is simulated here
        return self.scene.open_case(
            grade=grade, person_id=self.scene.person(name=f"某人{self._numbers}", phones=(number,))
        )

    def attempt(self, case_id: int) -> dict[str, Any]:
        return self.scene.attempts_of(case_id)[0]

    def newest(self, case_id: int) -> dict[str, Any]:
        return self.scene.attempts_of(case_id)[-1]

    def held_numbers(self) -> int:
        return len(self.scene.rows(sa.select(t.live_number).where(t.live_number.c.attempt_id.is_not(None))))

    def claim(self) -> list[ClaimedAttempt]:
        """What a worker takes now, and then does nothing with."""
        self.scene.clock.set(self.scene.services.clock.now())
        self.claimed = self.scene.claim()
        return self.claimed

    def fence(self, claimed: list[ClaimedAttempt]) -> set[uuid.UUID]:
        """What a worker commits just before the POST."""
        real_now = self.scene.services.real.now()
        with self.scene.tx() as tx:
            return mark_attempts_sending(
                tx,
                [
                    Sending(
                        attempt_id=c.attempt_id,
                        token=c.token,
                        script_id="loan",
                        script_hash="",
                        language="zh",
                    )
                    for c in claimed
                ],
                now=self.scene.services.clock.now(),
                real_now=real_now,
                poll_at=real_now,
            )

    async def place(self, claimed: ClaimedAttempt) -> str:
        """The POST of a worker that dies before it writes the answer down."""
        placed = await self.client.send(PlaceCall(attempt_id=claimed.attempt_id, to=claimed.to))
        assert isinstance(placed, Placed)
        return placed.sid

    async def tick(self, *, dialling: bool = True) -> None:
        """What the scheduler has the workers do."""
        services = self.scene.services
        with contextlib.suppress(Unavailable):
            await asyncio.to_thread(repair_clock, services)
            await asyncio.to_thread(sweep_attempts, services)
            await asyncio.to_thread(sweep_cases, services)
            if dialling:
                probe = partial(probe_sound, services, self.telephony)
                await dial(services, self.client, for_seconds=0.3, stopping=lambda: False, probe=probe)
            await cancel_calls(services, self.client)
            await reconcile(services, self.client)

    async def until(self, true: Callable[[], object], *, dialling: bool = True) -> None:
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < PATIENCE_SECONDS, "it never came true"
            await self.tick(dialling=dialling)
            await asyncio.sleep(0.02)

    async def until_over(self, *case_ids: int) -> None:
        """Every attempt that was made so far of these cases has ended."""
        await self.until(
            lambda: all(
                (rows := self.scene.attempts_of(case_id)) and rows[0]["state"] == "ended"
                for case_id in case_ids
            )
        )


@asynccontextmanager
async def world(
    scene: Scene,
    folder: Path,
    *,
    speed: float = SPEED,
    make_line: MakeLine | None = None,
    ring_timeout_seconds: int = 30,
) -> AsyncIterator[World]:
    """`make_line`: another line than the simulated one, which keeps real time (speed 1)."""
    clock = ScaledClock(anchor_unix=time.time(), epoch=MORNING, speed=speed)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        urls = HookUrls(f"http://127.0.0.1:{listening.getsockname()[1]}")
        config = CarrierConfig(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            admin_token=ADMIN_TOKEN,
            state_dir=folder,
            seed="story",
            people=PeopleConfig(behaviours=(COOPERATES,)),
            attempt_pattern=ATTEMPT_IN_URL,
            desk_numbers=(DESK_NUMBER,),
            clock=ServiceClock(anchor_unix=clock.anchor_unix, epoch=clock.epoch, speed=clock.speed),
            inbound_url=urls.inbound("voice"),
            inbound_fallback=urls.inbound("fallback"),
            inbound_status=urls.inbound("status"),
            inbound_number="+8647896110",
        )
        carrier = await start(config, make_line=make_line)
        telephony = TelephonyConfig(
            base_url=carrier.base_url,
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            caller_number="047896110",
            public_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
            timeout_seconds=RULES.post_timeout_seconds,
            ring_timeout_seconds=ring_timeout_seconds,
            hear_speech=True,
            officer_number=DESK_NUMBER,
        )
        work = replace(scene.services.work, third_parties=THIRD_PARTIES)
        scene.services = replace(scene.services, clock=clock, real=SystemClock(), lines=RULES, work=work)
        scene.clock.set(clock.now())
        scene.lines(calls_per_second=200.0, lines=50)
        scene.do(sa.update(t.line_group).values(next_slot_at=datetime.now(UTC)))
        play = serve_sound(scene.services)
        made: list[World] = []

        async def sound(request: Request) -> Response:
            return await play(request) if made[0].has_sound else Response(status_code=404)

        server = uvicorn.Server(
            uvicorn.Config(
                Starlette(
                    routes=[
                        hooks(scene.services, telephony),
                        Route("/audio/{file}", sound),
                    ]
                ),
                log_config=None,
                access_log=False,
                lifespan="off",
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with CallClient(telephony) as client:
                made.append(World(scene, carrier, client, telephony))
                yield made[0]
        finally:
            server.should_exit = True
            await serving
            await carrier.stop()
