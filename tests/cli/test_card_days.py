"""A day on the command line is the centre's."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dialer.cli.cards import beginning_of


def test_a_fact_of_a_card_holds_from_the_first_hour_of_its_day():
    began = beginning_of(date(2026, 11, 26), "Asia/Shanghai")
    assert began == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
