"""A number abroad is rung when it is day there."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from dialer.core.policy import Window
from dialer.intake.phones import closed_until, zone_of

WINDOW = Window(opens=time(9), closes=time(21), zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+8613800138000", None),
        ("+864788000000", None),
        ("+85221234567", "Asia/Hong_Kong"),
        ("+442079460000", "Europe/London"),
        ("+12", None),
    ],
)
def test_the_zone_is_told_by_the_prefix(number: str, zone: str | None):
    assert zone_of(number) == zone


def test_london_is_asleep_when_the_centre_begins():
    nine_in_the_centre = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    assert closed_until("+8613800138000", WINDOW, nine_in_the_centre) is None
    assert closed_until("+442079460000", WINDOW, nine_in_the_centre) == datetime(
        2026, 11, 25, 9, 0, tzinfo=UTC
    )


def test_london_is_awake_in_the_centre_s_evening():
    assert closed_until("+442079460000", WINDOW, datetime(2026, 11, 25, 12, 0, tzinfo=UTC)) is None
