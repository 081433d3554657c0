"""The tasks that take long: lists and sound. None carries anything but ids; each may run twice or not at all."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from celery import shared_task

from dialer.errors import UnusableFile
from dialer.store import load_acts, loads, renders
from dialer.tasks import application
from dialer.tasks.parts import patiently
from dialer.usecases import load_list as loading
from dialer.usecases.decide_load import close_withdrawn
from dialer.usecases.draft_list import forget_old_drafts

if TYPE_CHECKING:
    from dialer.usecases.render_script import Studio

_RENDER_SECONDS = 5.0

_studios: list[Studio] = []
"""The voices of this process, loaded once."""

_log = logging.getLogger(__name__)


@shared_task(name="dialer.load_list", ignore_result=True)
def load_list(load_id: int) -> None:
    """One list, from where it stands to its end."""
    patiently(lambda: _load(load_id))


@shared_task(name="dialer.resume_loads", ignore_result=True)
def resume_loads() -> None:
    """Lists whose worker has gone."""
    patiently(_resume)


@shared_task(name="dialer.close_withdrawn", ignore_result=True)
def close_cases_of(load_id: int) -> None:
    """What a withdrawn list opened and nobody has begun."""
    patiently(lambda: close_withdrawn(application.current().engine, load_id))


@shared_task(name="dialer.render_script", ignore_result=True)
def render_script(render_id: int) -> None:
    """The sound of one version, for a while: an urgent list must not wait behind it."""
    patiently(lambda: _render(render_id))


@shared_task(name="dialer.resume_renders", ignore_result=True)
def resume_renders() -> None:
    """Sound that nobody is making."""
    patiently(_resume_renders)


def _resume_renders() -> None:
    engine = application.current().engine
    with engine.store.begin() as tx:
        waiting = renders.unfinished(tx, real_now=engine.real.now())
    for render_id in waiting:
        patiently(partial(_render, render_id))


def _render(render_id: int) -> None:
    # Sound processing is loaded here alone: no worker that renders nothing should pay for it.
    from dialer.usecases.render_script import Studio, render_script  # noqa: PLC0415

    app = application.current()
    if not _studios:
        _studios.append(Studio.of(app.settings.data_dir))
    over = render_script(
        app.engine, render_id, studio=_studios[0], for_seconds=_RENDER_SECONDS, stopping=application.stopping
    )
    if not over and not application.stopping():
        app.engine.nudge("render_script", render_id)


def _resume() -> None:
    engine = application.current().engine
    forget_old_drafts(engine)
    with engine.store.begin() as tx:
        waiting = loads.unfinished(tx, real_now=engine.real.now())
        closing = load_acts.closing(tx, real_now=engine.real.now())
    for load_id in waiting:
        patiently(partial(_load, load_id))
    for load_id in closing:
        patiently(partial(close_withdrawn, engine, load_id))


def _load(load_id: int) -> None:
    try:
        loading.load_list(application.current().engine, load_id)
    except UnusableFile as fault:
        _log.warning("load %s is no list: %s", load_id, fault)
