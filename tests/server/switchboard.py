"""Calls under way, and the carrier's side of their webhooks: signed requests to the real routes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import sqlalchemy as sa
from twilio.request_validator import RequestValidator

from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.runtime.services import Services
from dialer.server.webhooks import hooks
from dialer.telephony.config import TelephonyConfig
from tests.outcomes.town import Scenario

TOKEN = "the-token"
PUBLIC = "https://calls.example.cn"
CONFIG = TelephonyConfig(
    base_url=None,
    account_sid="AC" + "1" * 32,
    auth_token=TOKEN,
    caller_number="+8647896110",
    public_url=PUBLIC,
)
Request = tuple[str, Mapping[str, str]]
LIFE = (("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3"))


class Switchboard(Scenario):
    def call(self, *, grade: Grade = Grade.LOW, script_id: str = "loan") -> uuid.UUID:
        """An attempt that was just sent, holding its number."""
        case_id = self.case(
            grade=grade, robot_state="pending", robot_attempts=1, robot_reason="new_warning", due_at=None
        )
        attempt_id = self.attempt(
            case_id, result=None, state="sending", sid=None, script_id=script_id, language="zh"
        )
        with self.store.begin() as tx:
            tx.execute(sa.insert(t.live_number).values(phone_blind=attempt_id.bytes, attempt_id=attempt_id))
        return attempt_id

    def attempt_row(self, attempt_id: uuid.UUID) -> dict[str, Any]:
        return self._row(sa.select(t.attempt).where(t.attempt.c.id == attempt_id))

    def case_row(self, attempt_id: uuid.UUID) -> dict[str, Any]:
        return self._row(
            sa.select(t.case)
            .join(t.attempt, t.attempt.c.case_id == t.case.c.id)
            .where(t.attempt.c.id == attempt_id)
        )

    def _row(self, statement: sa.Select[Any]) -> dict[str, Any]:
        with self.store.begin() as tx:
            row = tx.one(statement)
        assert row is not None
        return dict(row)

    def events(self, attempt_id: uuid.UUID) -> list[str]:
        """The steps that were kept."""
        with self.store.begin() as tx:
            rows = tx.rows(
                sa.select(t.event.c.step).where(t.event.c.attempt_id == attempt_id).order_by("step")
            )
        return [row["step"] for row in rows]

    def count(self, table: sa.Table) -> int:
        with self.store.begin() as tx:
            return int(tx.scalar(sa.select(sa.func.count()).select_from(table)))

    def end(self, attempt_id: uuid.UUID) -> dict[str, Any]:
        """What the order of news must not change."""
        attempt, case = self.attempt_row(attempt_id), self.case_row(attempt_id)
        names = ("state", "result", "contact", "answer", "talk_seconds", "answered_by", "last_step")
        with self.store.begin() as tx:
            outcomes = tx.rows(sa.select(t.outcome.c.kind).where(t.outcome.c.case_id == case["id"]))
        return (
            {name: attempt[name] for name in names}
            | {
                name: case[name]
                for name in ("status", "outcome", "robot_state", "robot_tries", "human_state")
            }
            | {"ledger": [row["kind"] for row in outcomes], "kept": self.events(attempt_id)}
        )

    def ask(
        self,
        *requests: Request,
        token: str = TOKEN,
        services: Services | None = None,
        config: TelephonyConfig = CONFIG,
    ) -> list[httpx.Response]:
        """All of them at once, on one web process; the answers in the same order."""

        async def run() -> list[httpx.Response]:
            web = hooks(services or self.services, config)
            transport = httpx.ASGITransport(web)
            async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
                return list(
                    await asyncio.gather(*(_post(client, path, form, token) for path, form in requests))
                )

        return asyncio.run(run())


async def _post(client: httpx.AsyncClient, path: str, form: Mapping[str, str], token: str) -> httpx.Response:
    signature = RequestValidator(token).compute_signature(PUBLIC + path, dict(form))
    return await client.post(path, data=dict(form), headers={"X-Twilio-Signature": signature})


def status(attempt_id: uuid.UUID, word: str, sequence: str, **more: str) -> Request:
    form = {
        "CallSid": f"CA{attempt_id.hex}",
        "CallStatus": word,
        "SequenceNumber": sequence,
        "To": "+8613900000001",
    }
    return f"/hooks/status/{attempt_id}", form | more


def life(attempt_id: uuid.UUID) -> list[Request]:
    """The four status webhooks of a call that was answered and talked for 40 seconds."""
    return [
        status(attempt_id, word, number, **({"CallDuration": "40"} if word == "completed" else {}))
        for word, number in LIFE
    ]


def step(attempt_id: uuid.UUID, number: int = 0, position: str = "start", **form: str) -> Request:
    path = f"/hooks/call/{attempt_id}/{number}/{position}"
    return path, {"CallSid": f"CA{attempt_id.hex}", "CallStatus": "in-progress"} | form


def codes(answers: Sequence[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]
