"""Commands print times in the zone of the centre."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

from dialer.cli.output import centre_time
from dialer.runtime.services import Application


def test_times_that_commands_print_are_the_centre_s():
    services = SimpleNamespace(centre=SimpleNamespace(zone=ZoneInfo("Asia/Shanghai")))
    app = cast("Application", SimpleNamespace(services=services))
    assert centre_time(datetime(2026, 12, 31, 16, 30, 59, tzinfo=UTC), app) == "2027-01-01 00:30"
