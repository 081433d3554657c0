"""A plan: the policy of each grade, what sources may send, and the highest pace, as one TOML text whose tables are
named as in the settings.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from functools import lru_cache
from types import NoneType
from typing import Any, Final, get_args

from pydantic import BaseModel, Field, ValidationError

from dialer.core.errors import SettingsError
from dialer.core.text import Text
from dialer.runtime.policy_settings import PolicySection
from dialer.runtime.sections import Section
from dialer.runtime.settings import Settings, settings_error
from dialer.runtime.source_settings import SourcesSettings

_NONE: Final = "none"
"""How a limit that does not hold is written in a follow-up."""


class PaceSection(Section):
    """[pace]: the highest pace of the robot. A person may set less at any time (`dialer pace`)."""

    calls_per_second: float = Field(ge=0.1, le=500)
    lines: int = Field(ge=1, le=10_000)


class Plan(Section):
    """Everything that a plan decides."""

    policy: PolicySection
    sources: SourcesSettings
    pace: PaceSection


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanValue:
    """One value of a plan. `key`: its name, such as policy.low.robot_tries; `text`: as it is written, '' for none;
    `words`: the words to choose from, empty for a number or a time; `may_lack`: whether it may be left out.
    """

    key: str
    value: object
    text: str
    words: tuple[str, ...]
    may_lack: bool


def plan_of_settings(settings: Settings) -> Plan:
    """The plan that the settings hold."""
    line = settings.telephony
    pace = PaceSection.model_construct(calls_per_second=line.calls_per_second, lines=line.lines)
    return Plan.model_construct(policy=settings.policy, sources=settings.sources, pace=pace)


@lru_cache(maxsize=8)
def parse_plan(source: str) -> Plan:
    """The plan in this TOML. Raises `SettingsError`, which names the key."""
    try:
        values = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(key="TOML", problem=Text("is no TOML: %(error)s", error=str(error))) from None
    return plan_of(values)


def plan_of(values: Mapping[str, Any]) -> Plan:
    """The plan with these values, by table. Raises `SettingsError`, which names the key."""
    try:
        return Plan(**values)
    except ValidationError as error:
        raise settings_error(error, {}) from None


def plan_values(plan: Plan) -> list[PlanValue]:
    """Every value, in the order of the text."""
    return list(_values(plan, ""))


def with_values(typed: Mapping[str, str]) -> Plan:
    """The plan with these texts by key; an empty one is left out. Raises `SettingsError`."""
    nested: dict[str, Any] = {}
    for key, text in typed.items():
        *tables, name = key.split(".")
        table = nested
        for one in tables:
            table = table.setdefault(one, {})
        if text.strip():
            table[name] = text.strip()
    return plan_of(nested)


def plan_text(plan: Plan) -> str:
    """The plan as TOML, which `parse_plan` reads."""
    lines: list[str] = []
    table = ""
    for one in plan_values(plan):
        own, _, name = one.key.rpartition(".")
        if own != table:
            lines += ["", f"[{own}]"]
            table = own
        if one.text:
            lines.append(f"{name} = {_toml(one.value)}")
    return "\n".join(lines).strip() + "\n"


def _values(section: BaseModel, prefix: str) -> Iterator[PlanValue]:
    below = []
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            below.append((name, value))
            continue
        kinds = get_args(info.annotation) or (info.annotation,)
        yield PlanValue(
            key=prefix + name,
            value=value,
            text=_text(value),
            words=_words(kinds),
            may_lack=NoneType in kinds,
        )
    for name, value in below:
        yield from _values(value, f"{prefix}{name}.")


def _words(kinds: tuple[Any, ...]) -> tuple[str, ...]:
    for kind in kinds:
        if kind is bool:
            return ("true", "false")
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return tuple(word.value for word in kind)
        if isinstance(kind, str):
            return tuple(str(word) for word in kinds)
    return ()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return str(value)


def _toml(value: object) -> str:
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, str):
        return json.dumps(str(value))
    return _text(value)
