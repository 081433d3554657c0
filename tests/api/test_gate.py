"""Who gets in, how often, and what every answer carries; nothing is a 200 that was not kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from starlette.types import Receive, Scope, Send

from dialer.api.app import SECURITY_HEADERS, failed
from dialer.api.gate import MOST_BYTES
from dialer.core.access import unrestricted
from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.db.bulk import CopyIn
from dialer.runtime.services import Application
from dialer.server.application import create_app
from dialer.staff.sign_in import revoke_token
from dialer.web.answer_headers import AnswerHeaders
from tests.api.office import WANG, Office, first
from tests.clock import FrozenClock
from tests.outcomes.town import MORNING

PATHS = [("POST", "/api/v1/warnings"), ("GET", "/api/v1/cases/1"), ("GET", "/api/v1/report")]


def problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


async def test_without_a_good_token_nothing_is_told(office: Office):
    for header in (
        "",
        "Bearer",
        "Bearer nothing",
        "Basic YTpi",
        "Bearer dialer_" + "A" * 43,
    ):
        for method, path in PATHS:
            answer = await office.client.request(method, path, headers={"Authorization": header})
            problem(answer, 401, "unknown_sender")
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_opens_what_it_was_made_for_alone(office: Office):
    writes, reads = office.token("writes", "warnings:write"), office.token("reads", "cases:read")
    for method, path in PATHS:
        header = reads if method == "POST" else writes
        problem(await office.client.request(method, path, headers=header), 403, "no_scope")


async def test_a_token_in_the_address_is_no_token(office: Office):
    secret = office.token()["Authorization"].removeprefix("Bearer ")
    del office.client.headers["Authorization"]
    answer = await office.client.get(f"/api/v1/report?token={secret}&access_token={secret}")
    assert answer.status_code == 401


async def test_a_revoked_token_is_out_within_seconds(office: Office):
    header = office.token("short")
    assert (await office.client.get("/api/v1/report", headers=header)).status_code == 200
    revoke_token(office.app.services, unrestricted("admin"), "short")
    office.clock.advance(3)
    problem(await office.client.get("/api/v1/report", headers=header), 401, "unknown_sender")


@pytest.fixture
async def slow(
    environment: dict[str, str], opened: Callable[[dict[str, str]], Application]
) -> AsyncIterator[Office]:
    """A web process that lets three requests through."""
    app = opened(environment | {"DIALER_API__REQUESTS_PER_SECOND": "0.01", "DIALER_API__BURST": "3"})
    clock = FrozenClock(MORNING)
    app = replace(app, services=replace(app.services, clock=clock, real=clock, enqueue=lambda *_: None))
    transport = httpx.ASGITransport(app=create_app(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        office = Office(app=app, clock=clock, client=client)
        client.headers.update(office.token("city-bank"))
        yield office


async def test_too_many_requests_are_told_when_to_come_again(slow: Office):
    for _ in range(3):
        assert (await slow.client.get("/api/v1/report")).status_code == 200
    answer = await slow.client.get("/api/v1/report")
    problem(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert (await slow.client.get("/api/v1/report", headers=slow.token("other"))).status_code == 200


async def test_guessing_tokens_is_slowed_down_and_good_ones_are_not(slow: Office):
    guess = {"Authorization": "Bearer dialer_" + "B" * 43}
    statuses = [(await slow.client.get("/api/v1/report", headers=guess)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert (await slow.client.get("/api/v1/report")).status_code == 200


async def test_only_json_in_utf8_is_taken(office: Office):
    for content_type in (
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=gbk",
        "application/problem+json",
        "garbage",
    ):
        answer = await office.client.post(
            "/api/v1/warnings", content=b'{"phones": "13800138000"}', headers={"Content-Type": content_type}
        )
        problem(answer, 415, "media_type")


async def test_json_is_taken_however_it_is_spelt(office: Office):
    for content_type in ("application/json", "Application/JSON; charset=UTF-8"):
        answer = await office.client.post(
            "/api/v1/warnings",
            content=b'\xef\xbb\xbf{"phones": "13800138000"}',
            headers={"Content-Type": content_type},
        )
        assert answer.status_code == 200


async def test_a_compressed_body_is_refused(office: Office):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await office.client.post("/api/v1/warnings", content=b"{}", headers=headers)
    problem(answer, 415, "media_type")


async def test_what_is_no_json_is_refused_and_said_where(office: Office):
    for body in (
        b"",
        b"{",
        b'{"phones": NaN}',
        b'{"talk_seconds": Infinity}',
        b'{"talk_seconds": 1e999}',
        b'{"phones": "\xff\xfe"}',
        '{"phones": "手机"}'.encode("gbk"),
        b'{"phones": "\\ud800"}',
        b"[" * 100_000,
        b'{"phones":' * 2000 + b"1" + b"}" * 2000,
        b"{'phones': 1}",
    ):
        answer = await office.client.post(
            "/api/v1/warnings", content=body, headers={"Content-Type": "application/json"}
        )
        problem(answer, 400, "not_json")
        assert "line" in answer.json()["detail"], body[:50]


async def test_json_without_a_warning_is_refused(office: Office):
    for body in (b"null", b"1", b'"text"', b"[]", b"[null]", b"[[{}]]", b"true", b"{}"):
        answer = await office.client.post(
            "/api/v1/warnings", content=body, headers={"Content-Type": "application/json"}
        )
        problem(answer, 422, "invalid")


async def test_a_body_may_be_as_large_as_said_and_no_larger(office: Office):
    blank = b" " * (MOST_BYTES - 25)
    headers = {"Content-Type": "application/json"}
    body = blank + b'{"phones": "13800138000"}'
    fits = await office.client.post("/api/v1/warnings", content=body, headers=headers)
    assert (len(body), fits.status_code) == (MOST_BYTES, 200)
    declared = await office.client.post("/api/v1/warnings", content=b" " + body, headers=headers)
    problem(declared, 413, "too_large")

    async def dribble() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]
        yield b" "

    streamed = await office.client.post("/api/v1/warnings", content=dribble(), headers=headers)
    problem(streamed, 413, "too_large")


async def test_odd_but_valid_text_does_no_harm(office: Office):
    odd = {
        "phones": "13800138000",
        "name": "王\x00小\u202e明😀",
        "remarks": "'); DROP TABLE warning;--",
        "unit": "\x00",
    }
    assert (await office.send(odd)).status_code == 200
    assert len(office.rows(t.warning)) == 1


async def test_every_answer_is_guarded_and_no_other_site_may_ask(office: Office):
    answer = await office.send(WANG)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "set-cookie" not in answer.headers
    preflight = await office.client.options(
        "/api/v1/warnings",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    problem(preflight, 405, "method_not_allowed")
    for told in (answer, preflight):
        assert not any(name.startswith("access-control-") for name in told.headers)


async def test_an_unknown_address_is_told_as_everything_else(office: Office):
    problem(await office.client.get("/api/v1/nothing"), 404, "not_found")
    problem(await office.client.get("/api/v1/warnings/"), 404, "not_found")
    problem(await office.client.delete("/api/v1/report"), 405, "method_not_allowed")


async def test_the_description_needs_no_token(office: Office):
    del office.client.headers["Authorization"]
    answer = await office.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
    assert (await office.client.get("/api/v1/docs")).status_code == 404


async def test_while_the_database_is_down_nothing_is_a_200(office: Office, fresh_database: str):
    await office.send(WANG | {"instruction_no": "1"})
    with psycopg.connect(_admin(fresh_database), autocommit=True) as admin:
        name = urlsplit(fresh_database).path[1:]
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute(
            # Not the server's own workers: only a superuser may end a vacuum.
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend'",
            [name],
        )
        answers = [
            await office.send(WANG | {"instruction_no": "2"}),
            await office.client.get("/api/v1/cases/1"),
            await office.client.get("/api/v1/report"),
            await office.client.get("/api/v1/report", headers={"Authorization": "Bearer dialer_" + "C" * 43}),
        ]
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    for answer in answers:
        problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert first(await office.send(WANG | {"instruction_no": "2"}))["status"] == "accepted"


def _admin(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql").rpartition("/")[0] + "/postgres"


async def test_while_the_broker_is_down_warnings_are_taken(
    environment: dict[str, str], opened: Callable[[dict[str, str]], Application]
):
    app = opened(environment | {"DIALER_BROKER__URL": "redis://127.0.0.1:1/0"})
    transport = httpx.ASGITransport(app=create_app(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=5) as client:
        office = Office(app=app, clock=FrozenClock(MORNING), client=client)
        client.headers.update(office.token())
        assert first(await office.send(WANG))["status"] == "accepted"


def test_a_connection_lost_while_rows_are_copied_is_the_database_being_down(office: Office):
    store = office.app.services.store

    def copy() -> None:
        with store.begin() as tx:
            pid = tx.scalar(sa.func.pg_backend_pid().select())
            with store.begin() as other:
                other.execute(sa.select(sa.func.pg_terminate_backend(pid)))
            CopyIn(t.person_key, ("name_phone_blind", "person_id")).write(tx, [(b"k", 1)])

    with pytest.raises(Unavailable):
        copy()


async def test_no_secret_and_nothing_personal_is_logged(office: Office, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    secret = office.client.headers["Authorization"].removeprefix("Bearer ")
    await office.send(WANG, {"phones": "李四13811112222"})
    await office.client.get("/api/v1/report", headers={"Authorization": "Bearer dialer_" + "D" * 43})
    ours = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    for text in (secret, "王小明", "13800138000", "李四", "D" * 43):
        assert text not in ours


async def test_a_fault_of_ours_is_told_as_one_and_logged_without_what_was_in_hand(
    caplog: pytest.LogCaptureFixture,
):
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("王小明 13800138000")

    transport = httpx.ASGITransport(
        app=AnswerHeaders(broken, what="the API", headers=SECURITY_HEADERS, failed=failed)
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/")
    problem(answer, 500, "fault")
    assert "王小明" not in answer.text + caplog.text
    assert "RuntimeError at broken" in caplog.text
