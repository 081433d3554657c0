"""What was asked of the success rates, from the address and back into it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from dialer.domain.values import FraudType, Grade
from dialer.errors import Invalid
from dialer.language import mark
from dialer.outcomes.cuts import Dimension
from dialer.outcomes.period import period_of
from dialer.usecases.cut_rates import Asked
from dialer.web.console.visit import Asked as Visited

W = TypeVar("W", bound=StrEnum)


class RatesForm:
    """The filter of the page as it was typed; the address holds all of it."""

    def __init__(
        self,
        *,
        start: Annotated[str, Query(alias="from", max_length=40)] = "",
        end: Annotated[str, Query(alias="to", max_length=40)] = "",
        by: Annotated[str, Query(max_length=20)] = Dimension.UNIT.value,
        unit: Annotated[str, Query(max_length=20)] = "",
        grade: Annotated[str, Query(max_length=20)] = "",
        fraud_type: Annotated[str, Query(alias="type", max_length=40)] = "",
        source: Annotated[str, Query(max_length=200)] = "",
        script: Annotated[str, Query(max_length=80)] = "",
        hour: Annotated[str, Query(max_length=2)] = "",
    ) -> None:
        self.given = {
            "from": start,
            "to": end,
            "by": by,
            "unit": unit,
            "grade": grade,
            "type": fraud_type,
            "source": source,
            "script": script,
            "hour": hour,
        }

    def asked(self, timezone: str) -> Asked:
        """Raises `Invalid` with the field that cannot be read."""
        given = self.given
        return Asked(
            by=_one_of(Dimension, given["by"], field="by") or Dimension.UNIT,
            period=period_of(given["from"], given["to"], timezone=timezone),
            unit_id=_number(given["unit"], field="unit"),
            grade=_one_of(Grade, given["grade"], field="grade"),
            fraud_type=_one_of(FraudType, given["type"], field="type"),
            source=given["source"],
            script_id=given["script"],
            hour=_number(given["hour"], field="hour"),
        )

    def query(self, **changed: str) -> str:
        """The part of an address that asks the same but for what is changed; empty parts are left out."""
        return urlencode({name: text for name, text in (self.given | changed).items() if text})

    @property
    def narrows(self) -> int:
        """How many filters are set."""
        return sum(1 for name in ("unit", "grade", "type", "source", "script", "hour") if self.given[name])


Given = Annotated[RatesForm, Depends(RatesForm)]


def spans(visit: Visited, timezone: str) -> tuple[tuple[str, str, str], ...]:
    """Windows that are asked for often: name, first day, last day."""
    today = visit.now.astimezone(ZoneInfo(timezone)).date()
    return (
        (visit.say(mark("Today")), today.isoformat(), today.isoformat()),
        (visit.say(mark("7 days")), (today - timedelta(days=6)).isoformat(), today.isoformat()),
        (visit.say(mark("30 days")), (today - timedelta(days=29)).isoformat(), today.isoformat()),
        (visit.say(mark("This year")), today.replace(month=1, day=1).isoformat(), today.isoformat()),
        (visit.say(mark("All")), "", ""),
    )


def _one_of(kind: type[W], text: str, *, field: str) -> W | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Invalid(field=field, problem="is not known") from None


def _number(text: str, *, field: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise Invalid(field=field, problem="is not known")
    return int(text)
