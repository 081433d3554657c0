"""The words for the figures of a replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialer.core.text import Lang, gettext_noop
from dialer.language.catalogue import say

_WORDS: Final[Mapping[str, str]] = {
    "robot_calls": gettext_noop("robot calls"),
    "robot_calls_answered": gettext_noop("robot calls answered"),
    "cases_reached": gettext_noop("people spoken to"),
    "human_calls": gettext_noop("calls by callers"),
    "visits": gettext_noop("visits made"),
    "dissuaded_by_phone": gettext_noop("dissuaded by phone"),
    "dissuaded_in_person": gettext_noop("dissuaded in person"),
    "high_called_in_time": gettext_noop("high: taken by a caller in time"),
    "high_reached_in_time": gettext_noop("high: spoken to in time"),
    "human_wait_p90_seconds": gettext_noop("wait for a caller, P90"),
    "visit_wait_p90_seconds": gettext_noop("wait for an officer, P90"),
    "averted_yuan": gettext_noop("not paid since spoken to in time"),
    "callers_busy": gettext_noop("callers at work"),
    "officers_busy": gettext_noop("officers at work"),
}


def figure_word(name: str, lang: Lang) -> str:
    """The word for a figure of `dialer.whatif.figures`."""
    return say(lang, _WORDS[name])


def part_word(part: int, lang: Lang) -> str:
    """The whole period (0), or which quarter of it."""
    return say(lang, "Quarter %(n)s", n=part) if part else say(lang, "Whole period")
