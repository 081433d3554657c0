"""Signals above the limits of their source are refused until later, and nothing of them is lost."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.sources import Sent, SourceLimits
from dialer.db import tables as t
from dialer.runtime.source_settings import RegularSettings
from dialer.warnings.source_limits import change_source, read_source
from tests.api.office import Office


def calls(count: int, begin: int = 0, **fields: object) -> Iterator[dict[str, object]]:
    for n in range(begin, begin + count):
        yield {
            "signal_no": f"S{n}", "kind": "call", "event_at": "2026-11-25T01:00:00+00:00", "phone": "13800138000",
            "number": "+85291234567", "direction": "in", **fields,
        }  # fmt: skip


def limit(office: Office, name: str = "city-bank", **limits: int) -> None:
    chief = unrestricted("chief")
    change_source(office.app.services, chief, name, SourceLimits(**limits), on_probation=False, why="test")


async def send(office: Office, *signals: dict[str, object], **kwargs: object) -> httpx.Response:
    return await office.client.post("/api/v1/signals", json=list(signals), **kwargs)  # type: ignore[arg-type]


def stored(office: Office) -> int:
    with office.app.services.store.begin() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(t.signal)))


def alarms(office: Office) -> list[object]:
    return [row["facts"] for row in office.rows(t.alarm) if row["code"] == "signals_refused"]


async def test_a_request_above_the_limit_is_refused_whole_and_taken_when_it_comes_again(office: Office):
    limit(office, signals_per_minute=5)
    assert (await send(office, *calls(3))).json()["accepted"] == 3
    refused = await send(office, *calls(3, 3))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    wait = int(refused.headers["retry-after"])
    assert 60 <= wait <= 70
    assert stored(office) == 3
    assert alarms(office) == [{"source": "city-bank", "reason": "signals_per_minute", "names": ["city-bank"]}]
    assert (await send(office, *calls(2, 3))).json()["accepted"] == 2
    office.clock.advance(wait)
    assert (await send(office, *calls(3, 3))).json() == {
        "accepted": 1, "duplicate": 2, "rejected": 0, "faults": [],
    }  # fmt: skip
    assert stored(office) == 6
    assert read_source(office.app.services, "city-bank").sent == Sent(
        signals_in_minute=1, signals_in_hour=6, signals_in_day=6
    )


async def test_what_was_sent_before_counts_for_nothing(office: Office):
    limit(office, signals_per_hour=4)
    for _ in range(3):
        assert (await send(office, *calls(4))).status_code == 200
    assert (await send(office, *calls(1, 9))).status_code == 429


async def test_a_flood_of_one_source_does_not_hold_another(office: Office):
    limit(office, signals_per_day=0)
    other = office.token("ministry")
    assert (await send(office, *calls(1))).status_code == 429
    assert (await send(office, *calls(1), headers=other)).json()["accepted"] == 1
    assert read_source(office.app.services, "ministry").sent.signals_in_day == 1


@pytest.fixture
def at_most_five_signals(environment: dict[str, str]) -> None:
    """Of a source that is not on probation, in a minute."""
    environment["DIALER_SOURCES__REGULAR__SIGNALS_PER_MINUTE"] = "5"


async def test_where_nobody_has_set_limits_those_of_the_settings_hold(
    at_most_five_signals: None, office: Office
):
    limit(office)
    assert (await send(office, *calls(5))).json()["accepted"] == 5
    assert (await send(office, *calls(1, 5))).status_code == 429
    limit(office, signals_per_minute=6)
    office.clock.advance(6)
    assert (await send(office, *calls(1, 5))).json()["accepted"] == 1


def test_a_source_may_send_in_a_minute_what_the_robot_reads_in_it():
    """1,000 signals a second, which bench.signals holds the robot to."""
    assert RegularSettings().signals_per_minute == 60 * 1_000


async def test_a_new_source_has_the_limits_of_probation(office: Office):
    most = office.app.services.sources.probation.signals_per_minute
    assert 0 < most < office.app.services.sources.probation.signals_per_hour
    await send(office, *calls(1))
    found = read_source(office.app.services, "city-bank")
    assert (found.on_probation, found.sent.signals_in_minute) == (True, 1)


@pytest.mark.parametrize("sources", [("a", "b")])
async def test_two_sources_of_one_token_are_counted_apart(office: Office, sources: tuple[str, str]):
    headers = office.token("gate", "signals:write", sources=sources)
    await send(office, *calls(1, source="a"), *calls(1, source="b"), headers=headers)
    for name, most in zip(sources, (1, 9), strict=True):
        limit(office, name, signals_per_minute=most)
    office.clock.advance(6)
    assert (await send(office, *calls(2, 5, source="b"), headers=headers)).status_code == 200
    mixed = (*calls(1, 7, source="b"), *calls(1, 7, source="a"))
    assert (await send(office, *mixed, headers=headers)).status_code == 429
    assert (await send(office, *calls(1, 7, source="b"), headers=headers)).status_code == 200
