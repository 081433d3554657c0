"""A person's own notifications on the console, and the stream that shows them on open pages."""

from __future__ import annotations

import pytest

from dialer.core.access import Role
from dialer.core.notifications import NotificationChannel
from dialer.notifications.actions import claim_due
from dialer.notifications.pages import _Stream, _Streams
from tests.console.desk import ConsoleDesk, Person, text


@pytest.fixture
def officer(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.OFFICER, login="ann"))


RULES = {"desktop": "0", "sms": "3", "telephone": "139 0000 9999", "quiet_from": "22:00", "quiet_to": "07:00"}


async def test_rules_are_shown_changed_and_refused(console: ConsoleDesk, officer: Person):
    assert "You have set none" in text(await officer.get("/notifications"))
    refused = await officer.post("/notifications", **{**RULES, "sms": "soon"})
    assert refused.status_code == 422
    assert "is not a number of minutes" in text(refused)
    assert 'value="soon"' in refused.text
    saved = await officer.post("/notifications", **RULES)
    assert saved.headers["location"] == "/notifications"
    shown = await officer.get("/notifications")
    assert 'value="+8613900009999"' in shown.text
    assert "You have set none" not in text(shown)
    assert console.audited("notification_rules")[0]["facts"] == {"desktop_seconds": 0, "sms_seconds": 180}


async def test_a_test_is_shown_on_the_open_pages_of_the_person_alone(console: ConsoleDesk, officer: Person):
    await officer.post("/notifications/test")
    services = console.app.services
    [sent] = claim_due(services, NotificationChannel.DESKTOP)
    streams = _Streams(services)
    own, other = _Stream(session_id=1, staff_id=sent.staff_id), _Stream(session_id=2, staff_id=0)
    assert [streams.enter(one) for one in (own, other)] == [True, True]
    await streams.poll()
    assert b"/notifications" in own.shown[0]
    assert not other.shown
    await streams.poll()
    assert len(own.shown) == 1
    assert "notification on open pages test sent" in text(await officer.get("/notifications"))
    next_page = _Stream(session_id=1, staff_id=sent.staff_id)
    assert streams.enter(next_page)
    assert list(next_page.shown) == list(own.shown)
    streams.stop()
    assert not streams.enter(_Stream(session_id=3, staff_id=1))


async def test_a_session_has_few_streams(console: ConsoleDesk):
    streams = _Streams(console.app.services)
    assert [streams.enter(_Stream(session_id=1, staff_id=1)) for _ in range(7)] == [True] * 6 + [False]


async def test_somebody_whom_no_roster_names_waits_for_nothing(officer: Person):
    assert (await officer.get("/notifications/live")).status_code == 204
    assert (await officer.get("/notifications/live", always="1")).status_code == 200
    page = await officer.get("/visits")
    assert "console/notifications.js" in page.text


async def test_a_browser_is_added_and_removed_on_the_page(console: ConsoleDesk, officer: Person):
    assert "Show notifications in this browser" not in text(await officer.get("/notifications"))
    refused = await officer.post("/notifications/browsers", endpoint="https://elsewhere.example/x")
    assert refused.status_code == 422
