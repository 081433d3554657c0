"""Which script a ring speaks, and what it may know while it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from audio.clips import Manifest
from dialer.domain.values import FraudType, Tag
from dialer.scripts import catalogue
from dialer.scripts.dialogue import Context
from dialer.scripts.model import Script
from dialer.usecases.engine import Engine


def choose_script(fraud_type: FraudType, tags: Iterable[Tag]) -> Script:
    return script_of(catalogue.choose(fraud_type, frozenset(tags)))


@cache
def script_of(script_id: str) -> Script:
    return catalogue.shipped()[script_id]


@cache
def manifest() -> Manifest:
    return Manifest.load()


@cache
def _clips() -> Mapping[tuple[str, str], str]:
    return manifest().by_text()


@cache
def _recordings() -> Mapping[tuple[str, str], str]:
    return manifest().recordings()


def context_for(engine: Engine, *, language: str, tags: frozenset[Tag], now: datetime) -> Context:
    return Context(
        language=language,
        tags=tags,
        local_hour=now.astimezone(ZoneInfo(engine.centre.timezone)).hour,
        clips=_clips(),
        recordings=_recordings(),
    )


def durations_by_text() -> Mapping[tuple[str, str], float]:
    """Language and text to the seconds that its sound lasts, for the lint of scripts."""
    return {(clip.language, clip.text): clip.duration_seconds for clip in manifest().clips}
