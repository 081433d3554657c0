"""The page of settings: found by words, with what a restart changes, and a fault told before the restart."""

from __future__ import annotations

import pytest

from dialer.core.access import Role
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario


async def test_a_supervisor_finds_a_setting_and_what_a_restart_changes(
    console: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
):
    zhao = console.person(Role.SUPERVISOR)
    assert 'href="/settings"' in (await zhao.get("/control")).text
    shown = await zhao.get("/settings")
    assert "telephony.ring_timeout_seconds" in shown.text
    found = await zhao.get("/settings?text=ring_timeout")
    assert ("telephony.ring_timeout_seconds" in found.text, "cards.home_prefix" in found.text) == (
        True,
        False,
    )
    assert "No setting is called like this" in text(await zhao.get("/settings?text=kettle"))

    monkeypatch.setenv("DIALER_TELEPHONY__RING_TIMEOUT_SECONDS", "41")
    changed = text(await zhao.get("/settings"))
    assert "Changed since this process started" in changed
    assert "after a restart: 41" in changed

    monkeypatch.setenv("DIALER_TELEPHONY__RING_TIMEOUT_SECONDS", "soon")
    broken = text(await zhao.get("/settings"))
    assert "would not start" in broken
    assert "DIALER_TELEPHONY__RING_TIMEOUT_SECONDS" in broken


async def test_it_is_of_the_whole_centre(console: ConsoleDesk):
    of_a_unit = console.person(Role.SUPERVISOR, unit_id=ConsoleScenario(console).unit("临河"))
    assert (await of_a_unit.get("/settings")).status_code == 404
    assert 'href="/settings"' not in (await of_a_unit.get("/control")).text
