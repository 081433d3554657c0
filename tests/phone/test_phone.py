"""The phone page: only on a simulated line, only from this machine, without personal data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from carrier.config import CarrierConfig, ServiceClock
from carrier.server import start
from dialer.core.errors import Conflict, NotFound
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.phone.actions import read_own_warning, request_call, reveal_next_number, take_own_warning
from dialer.phone.pages import TEXTS, phone_routes
from dialer.runtime.local import CarrierAccess
from dialer.runtime.services import Application
from dialer.runtime.settings import Settings, load_settings
from tests.control.scene import Scene

ACCOUNT = "AC" + "0" * 31 + "1"
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.services = replace(scene.services, drill=True)
    return scene


def application_of(
    scene: Scene, carrier: CarrierAccess | None, environment: Mapping[str, str] | None = None
) -> Application:
    settings: Settings = load_settings(dict(environment or {}))
    return Application(
        settings=settings,
        services=scene.services,
        key_source=None,  # type: ignore[arg-type]  # nothing here reads the ring again
        celery=None,  # type: ignore[arg-type]  # nothing here sends a task
        enqueuer=None,  # type: ignore[arg-type]
        telephony=None,  # type: ignore[arg-type]  # nothing here speaks to a telephone network
        message_channels={},
        carrier=carrier,
        servers=None,
    )


class Browser:
    """A page's requests, from this machine unless told."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, body: Mapping[str, Any] | bytes = b"", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return await self.client.post(path, content=body, headers=named)
        return await self.client.post(path, json=body, headers=named)


@asynccontextmanager
async def opened(
    scene: Scene,
    folder: Path,
    *,
    client: str = "127.0.0.1",
    base: str = HERE,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Browser]:
    """The page in front of a real carrier."""
    carrier = await start(
        CarrierConfig(
            account_sid=ACCOUNT,
            auth_token="token",  # of this test's own carrier
            admin_token="admin",  # as above
            state_dir=folder,
            clock=ServiceClock(speed=20.0),
        )
    )
    access = CarrierAccess(port=carrier.port, account_sid=ACCOUNT, auth_token="token", admin_token="admin")
    web = Starlette(routes=phone_routes(application_of(scene, access, environment)))
    transport = httpx.ASGITransport(web, client=(client, 4000))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=base) as made:
            yield Browser(made)
    finally:
        await carrier.stop()


def test_on_a_real_line_there_is_no_such_page(scene: Scene):
    assert phone_routes(application_of(scene, None)) == []


async def test_the_page_runs_no_script_but_its_own_and_is_framed_by_nobody(scene: Scene, tmp_path: Path):
    async with opened(scene, tmp_path) as browser:
        page = await browser.get("/phone")
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.text.count("<script") == 1
        assert "style=" not in page.text
        assert " onclick" not in page.text


@pytest.mark.parametrize(("query", "title"), [("", "接听电话"), ("?lang=en", "A phone you can pick up")])
async def test_it_speaks_both_languages(scene: Scene, tmp_path: Path, query: str, title: str):
    async with opened(scene, tmp_path) as browser:
        assert title in (await browser.get(f"/phone{query}")).text


def test_every_word_has_both_languages():
    assert all(zh and en for zh, en in TEXTS.values())


@pytest.mark.parametrize(
    ("client", "base"), [("192.0.2.7", HERE), ("127.0.0.1", "http://dialer.example.cn"), ("", HERE)]
)
async def test_another_machine_and_another_name_are_refused(
    scene: Scene, tmp_path: Path, client: str, base: str
):
    async with opened(scene, tmp_path, client=client, base=base) as browser:
        assert (await browser.get("/phone/targets")).status_code == 403
        assert (await browser.get("/phone")).status_code == 403


@pytest.mark.parametrize("named", [{}, {"DIALER_WEB__PUBLIC_URL": "https://dialer.example.cn"}])
async def test_a_name_of_this_machine_says_nothing_about_who_asks_through_the_proxy(
    scene: Scene, tmp_path: Path, named: dict[str, str]
):
    """The proxy is on this machine and passes on the Host of whoever asks."""
    async with opened(scene, tmp_path, base="http://localhost:8000", environment=named) as browser:
        for told in ("192.0.2.7", "127.0.0.1, 192.0.2.7", "spoofed, 192.0.2.7"):
            assert (await browser.get("/phone", **{"X-Forwarded-For": told})).status_code == 403
        assert (await browser.get("/phone")).status_code == (403 if named else 200)
        assert (await browser.get("/phone", **{"X-Forwarded-For": "127.0.0.1"})).status_code == 200


async def test_this_machine_may_use_the_name_of_the_settings(scene: Scene, tmp_path: Path):
    named = {"DIALER_WEB__PUBLIC_URL": "https://dialer.example.cn"}
    base = "http://dialer.example.cn"
    async with opened(scene, tmp_path, base=base, environment=named) as browser:
        assert (await browser.get("/phone", **{"X-Forwarded-For": "127.0.0.1"})).status_code == 200
        assert (await browser.get("/phone", **{"X-Forwarded-For": "192.0.2.7"})).status_code == 403
        assert (await browser.get("/phone")).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_page_of_another_site_cannot_act(scene: Scene, tmp_path: Path, site: str):
    case_id = scene.open_case()
    async with opened(scene, tmp_path) as browser:
        refused = await browser.post(f"/phone/cases/{case_id}/take", {}, sec_fetch_site=site)
        assert refused.status_code == 403


async def test_targets_are_masked(scene: Scene, tmp_path: Path):
    scene.open_case(person_id=scene.person(name="欧阳明月", phones=("+8619900030001",)))
    async with opened(scene, tmp_path) as browser:
        (target,) = (await browser.get("/phone/targets")).json()["targets"]
        assert target["phone"].endswith("0001")
        told = str(target)
        assert "欧阳明月" not in told
        assert "19900030001" not in told


async def test_a_browser_phone_receives_answers_presses_and_hangs_up(scene: Scene, tmp_path: Path):
    case_id = scene.open_case(person_id=scene.person(name="欧阳明月", phones=("+8619900030002",)))
    async with opened(scene, tmp_path) as browser:
        taken = (await browser.post(f"/phone/cases/{case_id}/take", {})).json()
        assert (taken["state"], taken["calls"], taken["hears_sound"]) == ("idle", 0, False)
        assert "19900030002" not in str(taken)
        path = f"/phone/handsets/{taken['id']}"
        assert (await browser.post(f"{path}/answer")).json()["did"] is False
        assert (await browser.post(f"{path}/keys", {"keys": "a"})).status_code == 422
        assert (await browser.post(f"{path}/words", {"words": " "})).status_code == 422
        assert (await browser.post(f"{path}/dance")).status_code == 404
        assert (await browser.get(f"{path}/clips/1")).status_code == 404
        again = (await browser.post(f"/phone/cases/{case_id}/take", {})).json()
        assert again["id"] == taken["id"]
    looks = scene.rows(sa.select(t.audit).where(t.audit.c.subject == f"case/{case_id}"))
    assert "reveal" in {look["act"] for look in looks}


@pytest.mark.parametrize("path", ["/phone/handsets/none", "/phone/handsets/a.b", "/phone/cases/999999"])
async def test_what_is_not_there_is_404(scene: Scene, tmp_path: Path, path: str):
    async with opened(scene, tmp_path) as browser:
        assert (await browser.get(path)).status_code == 404


async def test_a_carrier_that_does_not_answer_is_said(scene: Scene):
    access = CarrierAccess(port=1, account_sid=ACCOUNT, auth_token="token", admin_token="admin")
    web = Starlette(routes=phone_routes(application_of(scene, access)))
    transport = httpx.ASGITransport(web, client=("127.0.0.1", 4000))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        assert (await client.get("/phone/handsets/abc")).status_code == 503


async def test_a_form_that_cannot_be_used_names_its_field(scene: Scene, tmp_path: Path):
    for body, field in (
        ({"name": "王", "phone": "12", "fraud_type": "loan"}, "phones"),
        ({"name": " ", "phone": "19900031111", "fraud_type": "loan"}, "name"),
        ({"name": "王", "phone": "19900031111", "fraud_type": "x"}, "fraud_type"),
        ({}, "fraud_type"),
    ):
        async with opened(scene, tmp_path) as browser:
            answer = await browser.post("/phone/targets", body)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert scene.rows(sa.select(t.warning)) == []


async def test_a_body_that_is_too_large_or_no_object_is_refused(scene: Scene, tmp_path: Path):
    async with opened(scene, tmp_path) as browser:
        assert (await browser.post("/phone/targets", b"x" * 1_100_000)).status_code == 422
        assert (await browser.post("/phone/targets", b"[1]")).status_code == 422


async def test_a_person_who_loads_themselves_has_the_phone_before_the_call(scene: Scene, tmp_path: Path):
    async with opened(scene, tmp_path) as browser:
        body = {"name": "王测试", "phone": "199 0003 2222", "fraud_type": "loan"}
        made = await browser.post("/phone/targets", body)
        case_id = made.json()["case_id"]
        taken = (await browser.post(f"/phone/cases/{case_id}/take", {})).json()
        assert taken["calls"] == 0
        story = (await browser.get(f"/phone/cases/{case_id}?lang=en")).json()
    assert story["contact"] == "none"
    assert "warning" in {entry["kind"] for entry in story["timeline"]}
    assert "王测试" not in str(story)
    (warning,) = scene.rows(sa.select(t.warning))
    assert (warning["case_id"], warning["grade"], warning["drill"]) == (case_id, "high", True)


def test_only_a_drill_is_played_with(scene: Scene):
    case_id = scene.open_case()
    real = replace(scene.services, drill=False)
    with pytest.raises(Conflict):
        reveal_next_number(real, case_id)
    with pytest.raises(Conflict):
        read_own_warning(real, name="王", phone="19900031111", fraud_type=FraudType.LOAN)


def test_the_same_person_twice_joins_the_open_case(scene: Scene):
    def warned() -> int:
        read = read_own_warning(scene.services, name="王测试", phone="19900033333", fraud_type=FraudType.LOAN)
        return take_own_warning(scene.services, read)

    first = warned()
    scene.later(seconds=1)
    assert warned() == first


def test_a_call_on_request_is_due_at_once(scene: Scene):
    case_id = scene.open_case(grade=Grade.LOW)
    request_call(scene.services, case_id)
    assert scene.attempt_of(case_id)["not_before"] <= scene.clock.now()


def test_a_closed_case_is_not_called(scene: Scene):
    case_id = scene.open_case()
    scene.change_case(case_id, status="closed", due_at=None, settled_at=scene.clock.now())
    with pytest.raises(Conflict):
        request_call(scene.services, case_id)
    with pytest.raises(NotFound):
        request_call(scene.services, 999_999)
