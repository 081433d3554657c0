"""A day on the command line is the centre's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

from dialer.cli.cards import beginning_of
from dialer.cli.output import centre_time
from dialer.services import Application


def test_a_fact_of_a_card_holds_from_the_first_hour_of_its_day():
    began = beginning_of(date(2026, 11, 26), "Asia/Shanghai")
    assert began == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)


def test_times_that_commands_print_are_the_centre_s():
    services = SimpleNamespace(centre=SimpleNamespace(zone=ZoneInfo("Asia/Shanghai")))
    app = cast("Application", SimpleNamespace(services=services))
    assert centre_time(datetime(2026, 12, 31, 16, 30, 59, tzinfo=UTC), app) == "2027-01-01 00:30"
