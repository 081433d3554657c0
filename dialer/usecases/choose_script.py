"""Which script a ring speaks, and what it may know while it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.domain.values import FraudType, Grade, Tag
from dialer.scripts import catalogue
from dialer.scripts.dialogue import Context
from dialer.scripts.model import Script
from dialer.store.calls import Call
from dialer.usecases.editions import Edition, shipped_manifest
from dialer.usecases.engine import Engine


def choose_script(engine: Engine, fraud_type: FraudType, tags: Iterable[Tag]) -> Script:
    """The live script of a fraud type, no trial regarded: for words that are not spoken in a call."""
    live = engine.editions.now(engine.real.now()).live
    return live[catalogue.choose(fraud_type, tags, among={name: e.script for name, e in live.items()})].script


def edition_of(engine: Engine, call: Call) -> Edition:
    """What the call was placed with. One that kept nothing speaks what is live."""
    if call.script_id:
        return engine.editions.of(call.script_id, call.script_version_id, call.audio_hash)
    choice = engine.editions.now(engine.real.now())
    # The grade and the person choose between the versions of a trial alone, and such a call keeps its version.
    return choice.for_call(call.fraud_type, call.tags, grade=Grade.MEDIUM, person_id=call.person_id)


def context_for(
    engine: Engine, edition: Edition, *, language: str, tags: frozenset[Tag], now: datetime
) -> Context:
    return Context(
        language=language,
        tags=tags,
        local_hour=now.astimezone(ZoneInfo(engine.centre.timezone)).hour,
        clips=edition.by_text,
        recordings=edition.recordings,
    )


def durations_by_text() -> Mapping[tuple[str, str], float]:
    """Language and text to the seconds that its shipped sound lasts, for the lint of scripts."""
    return {(clip.language, clip.text): clip.duration_seconds for clip in shipped_manifest().clips}
