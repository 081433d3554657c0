"""The notice 劝阻告知书 that is left with whoever was visited, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.access import actor_name
from dialer.errors import NotFound
from dialer.outcomes.points import LANGUAGES, NoticeText, notice_text
from dialer.store import audits, cases
from dialer.store.reads import persons
from dialer.usecases.engine import Engine

_HOTLINE = "96110"
_CHINA = "+86"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Personal data in clear: for paper, never for a log."""

    case_id: int
    texts: Mapping[str, NoticeText]
    """By language: zh, en."""
    name: str
    id_number: str
    address: str
    unit: str
    bureau: Mapping[str, str]
    printed_at: datetime
    timezone: str
    officer: str


def _as_dialled(number: str) -> str:
    """As somebody in the country dials it: a landline with its area code."""
    national = number.removeprefix(_CHINA)
    is_landline = national != number and not national.startswith("1")
    return f"0{national}" if is_landline else national


def print_notice(engine: Engine, case_id: int, *, who: str) -> Notice:
    """Everything that the paper holds; who printed it is in the audit. Raises `NotFound`."""
    officer = actor_name(who)
    with engine.store.begin() as tx:
        person, stored = persons.of_case(tx, case_id), cases.get(tx, case_id)
        if person is None or stored is None:
            raise NotFound(kind="case", key=case_id)
        now = engine.clock.now()
        audits.write(tx, who=officer, act="print_notice", subject=f"case/{case_id}", why="", now=now)
    centre = engine.centre
    return Notice(
        case_id=case_id,
        texts={
            language: notice_text(
                stored.case.fraud_type,
                language,
                name=person.name,
                bureau=centre.bureau.get(language, ""),
                hotline=_as_dialled(centre.callback_number) or _HOTLINE,
            )
            for language in LANGUAGES
        },
        name=person.name,
        id_number=person.id_number,
        address=person.address,
        unit=stored.unit,
        bureau=centre.bureau,
        printed_at=now,
        timezone=centre.timezone,
        officer=officer,
    )
