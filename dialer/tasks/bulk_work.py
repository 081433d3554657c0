"""The tasks that take long: lists and sound. They carry ids only, and each may run twice or not at all."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from celery import shared_task

from dialer.core.errors import UnusableFile
from dialer.scripts.store import unfinished_renders
from dialer.tasks.application import current_application, is_stopping, run_patiently
from dialer.warnings.list_store import loads_being_closed, unfinished_loads
from dialer.warnings.lists import close_withdrawn
from dialer.warnings.load import load_list
from dialer.warnings.preview import forget_old_drafts

if TYPE_CHECKING:
    from dialer.scripts.render import Studio

_RENDER_SECONDS = 5.0

_studios: list[Studio] = []
"""The voices of this process, loaded once."""
_names_checked: list[bool] = []
"""Not empty once this process has looked for sound of the centre's names."""

_log = logging.getLogger(__name__)


@shared_task(name="dialer.load_list", ignore_result=True)
def load_list_task(load_id: int) -> None:
    """Loads one list, from where it stands to its end."""
    run_patiently(lambda: _load(load_id))


@shared_task(name="dialer.resume_loads", ignore_result=True)
def resume_loads_task() -> None:
    """Resumes lists whose worker has gone."""
    run_patiently(_resume)


@shared_task(name="dialer.close_withdrawn", ignore_result=True)
def close_cases_of_task(load_id: int) -> None:
    """Closes the cases of a withdrawn list that have not been worked on."""
    run_patiently(lambda: close_withdrawn(current_application().services, load_id))


@shared_task(name="dialer.render_script", ignore_result=True)
def render_script_task(render_id: int) -> None:
    """Renders the sound of one version, for a while: an urgent list must not wait behind it."""
    run_patiently(lambda: _render(render_id))


@shared_task(name="dialer.resume_renders", ignore_result=True)
def resume_renders_task() -> None:
    """Resumes rendering that no worker holds."""
    run_patiently(_resume_renders)


def _resume_renders() -> None:
    services = current_application().services
    if not _names_checked:
        # The names come from the settings, which a process reads once.
        from dialer.scripts.render import render_names  # noqa: PLC0415  # see below

        _names_checked.append(True)
        render_names(services, _studio())
    with services.store.begin() as tx:
        waiting = unfinished_renders(tx, real_now=services.real.now())
    for render_id in waiting:
        run_patiently(partial(_render, render_id))


def _render(render_id: int) -> None:
    # Sound processing is loaded here alone: no worker that renders nothing should pay for it.
    from dialer.scripts.render import render_script  # noqa: PLC0415  # see above

    app = current_application()
    over = render_script(
        app.services, render_id, studio=_studio(), for_seconds=_RENDER_SECONDS, stopping=is_stopping
    )
    if not over and not is_stopping():
        app.services.enqueue("render_script", render_id)


def _studio() -> Studio:
    from dialer.scripts.render import Studio  # noqa: PLC0415  # see above

    if not _studios:
        _studios.append(Studio.of(current_application().settings.data_dir))
    return _studios[0]


def _resume() -> None:
    services = current_application().services
    forget_old_drafts(services)
    with services.store.begin() as tx:
        waiting = unfinished_loads(tx, real_now=services.real.now())
        closing = loads_being_closed(tx, real_now=services.real.now())
    for load_id in waiting:
        run_patiently(partial(_load, load_id))
    for load_id in closing:
        run_patiently(partial(close_withdrawn, services, load_id))


def _load(load_id: int) -> None:
    try:
        load_list(current_application().services, load_id)
    except UnusableFile as fault:
        _log.warning("load %s is no list: %s", load_id, fault)
