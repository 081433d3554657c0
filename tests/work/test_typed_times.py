"""Times that people type, far out of the calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dialer.cli.cards import _day
from dialer.core.errors import Invalid
from dialer.work.desk_view import call_time
from dialer.work.stop_requests import typed_stop_form

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ZONE = "Asia/Shanghai"
TYPED: dict[str, Callable[[str], object]] = {
    "agreed": lambda text: call_time("", text, now=NOW, timezone=ZONE),
    "request to a bank": lambda text: typed_stop_form(
        bank="b", account="1", amount="1", at=text, receipt="", now=NOW, timezone=ZONE
    ),
    "day of openings": lambda text: _day(text[:10]),
}


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("what", TYPED)
def test_a_time_far_out_of_the_calendar_is_refused_where_it_was_typed(what: str, text: str):
    with pytest.raises(Invalid) as refused:
        TYPED[what](text)
    assert str(refused.value.problem) == "is out of range"
    assert TYPED[what]("2026-11-29T10:00") is not None
