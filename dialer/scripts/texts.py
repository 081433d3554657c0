"""The texts of prompts: their blanks, what fills them, and the words for a time of day."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dialer.scripts.model import Script, VariableKind

BLANK = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A blank in a text: {bureau}."""

_GREETINGS = {
    "zh": {"morning": "早上好", "noon": "中午好", "afternoon": "下午好", "evening": "晚上好"},
    "en": {
        "morning": "Good morning",
        "noon": "Good day",
        "afternoon": "Good afternoon",
        "evening": "Good evening",
    },
}
_STARTS = ((5, "evening"), (11, "morning"), (13, "noon"), (18, "afternoon"))


def blanks(template: str) -> frozenset[str]:
    """The names of the variables in a text."""
    return frozenset(BLANK.findall(template))


def time_of_day(local_hour: int) -> str:
    """morning, noon, afternoon or evening; before five and from 18 on it is evening."""
    return next((name for until, name in _STARTS if local_hour < until), "evening")


def needs_verification(script: Script, template: str) -> bool:
    """Whether the text says something personal, so that it may be said only to the verified person."""
    return any(script.variables[name].kind is VariableKind.PERSONAL for name in blanks(template))


def filled(script: Script, template: str, language: str, values: Mapping[str, str], local_hour: int) -> str:
    """The text with every blank filled from `values`, else from the script's defaults."""

    def value(found: re.Match[str]) -> str:
        variable = script.variables[found.group(1)]
        given = values.get(variable.name, "")
        if not given and variable.kind is VariableKind.TIME_OF_DAY:
            words = _GREETINGS.get(language, _GREETINGS["zh"])
            return words[time_of_day(local_hour)]
        return given or variable.defaults.get(language) or variable.defaults.get(script.default_language, "")

    return BLANK.sub(value, template)


def with_defaults(script: Script, template: str, language: str) -> str:
    """The text as the shipped recordings say it."""
    return filled(script, template, language, {}, 9)
