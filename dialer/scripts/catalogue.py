"""The scripts that are shipped, and which of them fits a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from dialer.domain.values import FraudType, Tag
from dialer.errors import NotFound
from dialer.scripts.model import Purpose, Script
from dialer.scripts.reading import read_script

_BASE = "common"
GENERAL = "general"
"""The script for a fraud type that has none of its own."""


@cache
def shipped() -> Mapping[str, Script]:
    """Every shipped script by its id. Raises `ScriptUnreadable` when a file was damaged."""
    texts = shipped_texts()
    base = (f"{_BASE}.toml", texts[_BASE])
    scripts = (
        read_script(text, file=f"{name}.toml", bases={_BASE: base})
        for name, text in sorted(texts.items())
        if name != _BASE
    )
    return MappingProxyType({script.id: script for script in scripts})


def shipped_texts() -> Mapping[str, str]:
    """The text of every shipped file by its name without the ending, the common base among them."""
    folder = resources.files("dialer.scripts")
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


def script_named(script_id: str) -> Script:
    """Raises `NotFound`."""
    try:
        return shipped()[script_id]
    except KeyError:
        raise NotFound(kind="script", key=script_id) from None


_LANGUAGES = {Tag.MONGOLIAN: "mn"}


def language_for(script: Script, tags: Iterable[Tag]) -> str:
    """The language to try first with somebody on record with these tags; the script's own where it has no other."""
    wanted = (_LANGUAGES[tag] for tag in sorted(tags) if tag in _LANGUAGES)
    return next((language for language in wanted if language in script.languages), script.default_language)


def choose(
    fraud_type: FraudType,
    tags: Iterable[Tag] = (),
    purpose: str = "warning",
    *,
    among: Mapping[str, Script] | None = None,
) -> str:
    """The id of the script that fits best: by purpose, then tags, then fraud type; else the general one.

    `among` are the versions that are live where they differ from the shipped ones.
    """
    wanted = Purpose(purpose)
    have = frozenset(tags)
    fitting = [
        script
        for script in (shipped() if among is None else among).values()
        if script.purpose is wanted
        and script.tags <= have
        and (not script.fraud_types or fraud_type in script.fraud_types)
    ]
    if not fitting:
        return GENERAL
    best = max(fitting, key=lambda script: (len(script.tags), bool(script.fraud_types), script.id))
    return best.id
