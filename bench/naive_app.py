"""The baseline's two programs, written as a first version usually is: one Celery task with an eta for each call, one
transaction for each webhook, the official clients as they come. No fencing, no batches, no encryption, no decisions.

Run by `bench.naive` alone, which says in the environment where everything is.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
from celery import Celery
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

DATABASE, BROKER, CARRIER, PUBLIC, ACCOUNT, TOKEN = (
    os.environ.get(f"NAIVE_{name}", "")
    for name in ("DATABASE", "BROKER", "CARRIER", "PUBLIC", "ACCOUNT", "TOKEN")
)
CALLER = "+8647896110"
SCHEMA = """
CREATE TABLE naive_call (id bigint PRIMARY KEY, phone text NOT NULL, sid text, status text NOT NULL, digits text);
CREATE TABLE naive_event (id bigserial PRIMARY KEY, call_id bigint NOT NULL, kind text NOT NULL, form jsonb NOT NULL);
CREATE INDEX ON naive_event (call_id);
"""

celery = Celery("naive", broker=BROKER)
celery.conf.update(task_ignore_result=True, broker_transport_options={"visibility_timeout": 3600})
services = sa.create_engine(DATABASE) if DATABASE else None
web = FastAPI()


class _Elsewhere(TwilioHttpClient):  # type: ignore[misc]  # the official package is untyped
    """The official client's own requests, sent to another host."""

    def request(self, method: str, url: str, *args: object, **more: object) -> object:
        host = urlsplit(CARRIER)
        url = urlunsplit(urlsplit(url)._replace(scheme=host.scheme, netloc=host.netloc))
        return super().request(method, url, *args, **more)


_clients: list[Client] = []


def _client() -> Client:
    if not _clients:
        _clients.append(Client(ACCOUNT, TOKEN, http_client=_Elsewhere(timeout=10)))
    return _clients[0]


@celery.task(name="naive.call")  # type: ignore[untyped-decorator]
def call(call_id: int) -> None:
    assert services is not None
    with services.begin() as tx:
        phone = tx.scalar(sa.text("SELECT phone FROM naive_call WHERE id = :id"), {"id": call_id})
    placed = _client().calls.create(
        to=phone,
        from_=CALLER,
        url=f"{PUBLIC}/call/{call_id}",
        status_callback=f"{PUBLIC}/status/{call_id}",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"{PUBLIC}/amd/{call_id}",
    )
    with services.begin() as tx:
        tx.execute(
            sa.text("UPDATE naive_call SET sid = :sid WHERE id = :id"), {"sid": placed.sid, "id": call_id}
        )


def _keep(call_id: int, kind: str, form: dict[str, str]) -> None:
    """One transaction: the event and what it makes of its call."""
    assert services is not None
    with services.begin() as tx:
        tx.execute(
            sa.text("INSERT INTO naive_event (call_id, kind, form) VALUES (:id, :kind, :form)").bindparams(
                sa.bindparam("form", type_=sa.JSON)
            ),
            {"id": call_id, "kind": kind, "form": form},
        )
        tx.execute(
            sa.text(
                "UPDATE naive_call SET status = :status, digits = coalesce(:digits, digits) WHERE id = :id"
            ),
            {"id": call_id, "status": form.get("CallStatus", kind), "digits": form.get("Digits")},
        )


@web.post("/{kind}/{call_id}")
async def hook(kind: str, call_id: int, request: Request) -> Response:
    form = {name: str(value) for name, value in (await request.form()).items()}
    signature = request.headers.get("X-Twilio-Signature", "")
    if not RequestValidator(TOKEN).validate(f"{PUBLIC}/{kind}/{call_id}", form, signature):
        return Response(status_code=403)
    await run_in_threadpool(_keep, call_id, kind, form)
    if kind == "call":
        said = "<Say>Do not transfer money.</Say>"
        asks = f'<Gather numDigits="1" action="{PUBLIC}/key/{call_id}">{said}</Gather>'
        return Response(f"<Response>{asks}</Response>", media_type="application/xml")
    if kind == "key":
        return Response("<Response><Say>Thank you.</Say><Hangup/></Response>", media_type="application/xml")
    return Response(status_code=204)
