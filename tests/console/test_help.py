"""The manual at /help: chapters in both languages, words that are found, and the paragraph about a page."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role
from dialer.core.events import AlarmCode
from dialer.db.alarms import raise_alarm
from tests.console.desk import ConsoleDesk, text


async def test_everybody_reads_it_also_before_signing_in(console: ConsoleDesk):
    stranger = console.stranger()
    assert "使用手册" in text(await stranger.get("/help"))
    assert (await stranger.get("/help/alarms")).status_code == 200
    assert "劝阻员：电话劝阻" in text(await stranger.get("/help/caller"))
    clerk = console.person(Role.CLERK)
    assert "Caller: the desk" in text(await clerk.get("/help/caller"))


async def test_words_are_found_in_both_languages(console: ConsoleDesk):
    found = await console.stranger().get("/help", params={"q": "无人值班"})
    assert 'href="/help/alarms#duty_gap"' in found.text
    clerk = console.person(Role.CLERK)
    assert "No paragraph contains these words." in text(await clerk.get("/help", q="zebra crossing"))
    assert "&lt;b&gt;" in (await clerk.get("/help", q="<b>")).text


@pytest.mark.parametrize(
    "path", ["/help/nowhere", "/help/images/../manual/zh/index.md", "/help/images/x.png"]
)
async def test_what_is_not_in_it_is_not_found(console: ConsoleDesk, path: str):
    assert (await console.stranger().get(path)).status_code == 404


async def test_a_picture_of_it_is_shown(console: ConsoleDesk):
    answer = await console.stranger().get("/help/images/board-zh.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


async def test_each_page_links_to_its_paragraph(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    assert 'href="/help/of?page=/lists"' in (await clerk.get("/lists")).text
    answer = await clerk.get("/help/of", page="/lists")
    assert answer.headers["location"] == "/help/clerk#clerk-lists"
    for nowhere in ("/nowhere/at-all", "/help/caller", ""):
        assert (await clerk.get("/help/of", page=nowhere)).headers["location"] == "/help"


async def test_an_alarm_links_to_what_to_do(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        raise_alarm(tx, AlarmCode.BROKER_DOWN, now=console.clock.now(), facts={})
    supervisor = console.person(Role.SUPERVISOR)
    page = await supervisor.get("/control/alarms/broker_down")
    assert 'href="/help/alarms#broker_down"' in page.text


@pytest.mark.parametrize("role", Role)
async def test_the_tour_leads_each_role_through_its_pages_and_says_what_each_is_for(
    console: ConsoleDesk, role: Role
):
    person = console.person(role)
    address = (await person.get("/help/tour")).headers["location"]
    seen = []
    while address:
        path, _, step = address.partition("?tour=")
        page = await person.get(path, tour=step)
        assert page.status_code == 200
        assert f'hx-get="/help/tour/{step}"' in page.text
        part = (await person.get(f"/help/tour/{step}")).text
        assert f"{len(seen) + 1}/" in part
        assert "<p>" in part, "the beginning of the paragraph about the page"
        assert f'href="{path}">End the tour' in part
        seen.append(path)
        further = re.search(r'href="([^"]+)">Next page', part)
        address = further[1] if further else ""
    assert seen[-1] == "/account"
    assert 2 <= len(set(seen)) == len(seen) <= 5
    assert (await person.get(f"/help/tour/{len(seen) + 1}")).status_code == 404
    assert (await person.get("/help/tour/0")).status_code == 404


async def test_without_a_tour_no_page_asks_for_one(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    for nowhere in ({}, {"tour": "6"}, {"tour": '"><b>'}):
        assert "/help/tour/" not in (await clerk.get("/lists", **nowhere)).text
    assert (await console.stranger().get("/help/tour")).status_code == 303
