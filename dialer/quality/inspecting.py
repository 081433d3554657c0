"""Inspects calls that were read: judges them by the rules in force, again when other rules were approved."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from dialer.quality.rules import HeardCall, judge, read_catalogue
from dialer.quality.store import live_version, save_judgements, take_uninspected
from dialer.runtime.services import Services

_AT_ONCE: Final = 20
_FOR_SECONDS: Final = 5.0


def inspect_due(services: Services, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Judges calls that the rules in force have not judged, for a while, and returns how many."""
    until, done = time.monotonic() + _FOR_SECONDS, 0
    while not stopping() and time.monotonic() < until:
        with services.store.begin() as tx:
            version = live_version(tx)
            if version is None:
                break
            catalogue = read_catalogue(version.source)
            found = take_uninspected(tx, version.id, limit=_AT_ONCE)
            for call in found:
                heard = HeardCall(words=call.progress.words, seconds=call.seconds)
                save_judgements(
                    tx,
                    call.recording_id,
                    version.id,
                    catalogue,
                    judge(catalogue, heard),
                    now=services.clock.now(),
                )
        done += len(found)
        if len(found) < _AT_ONCE:
            break
    return done
