"""Asking for the sound of a version, and how far it has come. The work itself is a worker's."""

from __future__ import annotations

from datetime import timedelta

from dialer.broker import BULK_QUEUE
from dialer.domain.access import actor_name
from dialer.scripts.prompts import prompt_list
from dialer.store import facts, renders, scripts
from dialer.store.renders import Render
from dialer.usecases.draft_script import script_in
from dialer.usecases.engine import Engine

_ALIVE = timedelta(seconds=8)


def start_rendering(engine: Engine, script_id: str, number: int, *, by: str) -> Render:
    """A worker makes the sound of every prompt, also of clips that a person has recorded since; one rendering of a
    version at a time. Raises `NotFound`, and `Invalid` without a name.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        scripts.lock(tx)
        version = scripts.version(tx, script_id, number)
        total = len(prompt_list([script_in(version)]))
        render_id = renders.ask(tx, version.id, total=total, by=who, now=engine.clock.now())
        render = renders.get(tx, render_id)
    engine.nudge("render_script", render_id)
    return render


def rendering(engine: Engine, script_id: str, number: int) -> Render | None:
    """The newest rendering of a version; None when nobody has asked for one. Raises `NotFound`."""
    with engine.store.begin() as tx:
        return renders.newest(tx, scripts.version(tx, script_id, number).id)


def somebody_renders(engine: Engine) -> bool:
    """Whether a worker for such work is running."""
    with engine.store.begin() as tx:
        beats = facts.alive(tx, since=engine.real.now() - _ALIVE)
    return any(beat.kind == "worker" and BULK_QUEUE in str(beat.facts.get("queues", "")) for beat in beats)
