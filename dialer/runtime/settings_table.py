"""Every setting of this machine as a row: its value, where it is set, and whether a restart would change it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr

from dialer.runtime.settings import (
    NAMES,
    PASSWORD_IN_ADDRESS,
    PREFIX,
    Settings,
    is_secret,
    load_settings,
    places_of_settings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """A setting. `key`: its name in settings.toml, such as telephony.lines; `variable`: in the environment.

    `value`: that of this process as text, empty if it has none; of a secret never more than that it is set
    (`is_secret`, `is_set`). `place`: the variable or the path of the file that sets it, empty for a default.
    `after_restart`: the value of a process that starts now, if it is another one; empty for a secret.
    """

    key: str
    variable: str
    value: str
    place: str
    is_secret: bool
    is_set: bool
    is_changed: bool
    after_restart: str = ""

    def matches(self, words: str) -> bool:
        """Whether each of the words is in its names, its value or its place."""
        held = f"{self.key} {self.variable} {self.value} {self.place}".casefold()
        return all(word in held for word in words.casefold().split())


def settings_table(running: Settings, env: Mapping[str, str] | None = None) -> list[SettingRow]:
    """All settings of the process with the settings `running`, in the order of the file. Compares them with what a
    process that starts now would read, and raises `SettingsError` if it would not start.
    """
    fresh, places = load_settings(env), places_of_settings(env)
    rows = []
    for name, kind in NAMES.items():
        path = name.lower().split("__")
        now, later = _value_at(running, path), _value_at(fresh, path)
        secret, changed = is_secret(kind), now != later
        rows.append(
            SettingRow(
                key=".".join(path),
                variable=PREFIX + name,
                value="" if secret else _text_of(now),
                place=places.get(name, ""),
                is_secret=secret,
                is_set=now is not None,
                is_changed=changed,
                after_restart=_text_of(later) if changed and not secret else "",
            )
        )
    return rows


def _value_at(settings: Settings, path: list[str]) -> object:
    value: object = settings
    for name in path:
        value = getattr(value, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _text_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list, Mapping, BaseModel)):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return PASSWORD_IN_ADDRESS.sub("://***@", str(value))


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
