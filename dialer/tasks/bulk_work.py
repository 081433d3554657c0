"""The tasks that take long: lists and sound. They carry ids only, and each may run twice or not at all."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING

from dialer.cards.counter.screening import screen_all
from dialer.cards.outlets.fairness import watch_fairness
from dialer.core.errors import UnusableFile
from dialer.keys.actions import reseal
from dialer.retention.retention import apply_retention, delete_reject_files
from dialer.scripts.store import RENDERS
from dialer.tasks.application import (
    background_task,
    current_application,
    is_stopping,
    run_logging_unavailable,
    tick_task,
    wait_for_stop,
)
from dialer.warnings.list_store import LOADS, WITHDRAWALS
from dialer.warnings.lists import close_withdrawn, load_list
from dialer.warnings.preview import forget_old_drafts

if TYPE_CHECKING:
    from dialer.script_versions.render import Studio

_RENDER_SECONDS = 5.0
_RESEAL_SECONDS = 2.0
_RETENTION_SECONDS = 5.0
_SCREEN_SECONDS = 5.0

_studios: list[Studio] = []
"""The voices of this process, loaded once."""
_readers: list[threading.Thread] = []
"""The thread of this process that reads recorded calls, if there was one."""
_names_checked: list[bool] = []
"""Not empty once this process has looked for sound of the centre's names."""

_log = logging.getLogger(__name__)


@background_task("load_list")
def load_list_task(load_id: int) -> None:
    """Loads one list, from where it stopped to its end."""
    try:
        load_list(current_application().services, load_id)
    except UnusableFile as fault:
        _log.warning("load %s is not a list: %s", load_id, fault)


@background_task("resume_loads")
def resume_loads_task() -> None:
    """Resumes lists whose worker is gone."""
    services = current_application().services
    forget_old_drafts(services)
    with services.store.begin() as tx:
        waiting = LOADS.free_keys(tx, real_now=services.real.now())
        closing = WITHDRAWALS.free_keys(tx, real_now=services.real.now())
    for load_id in waiting:
        load_list_task(load_id)
    for load_id in closing:
        close_withdrawn_task(load_id)


@background_task("close_withdrawn")
def close_withdrawn_task(load_id: int) -> None:
    """Closes the cases of a withdrawn list that have not been worked on."""
    close_withdrawn(current_application().services, load_id)


@tick_task("render_script")
def render_script_task(render_id: int) -> None:
    """Renders the sound of one version, for a while: an urgent list must not wait behind it."""
    # Sound processing is loaded here alone: no worker that renders nothing should pay for it.
    from dialer.script_versions.render import render_script

    app = current_application()
    over = render_script(
        app.services, render_id, studio=_studio(), for_seconds=_RENDER_SECONDS, stopping=is_stopping
    )
    if not over and not is_stopping():
        app.services.enqueue("render_script", render_id)


def _studio() -> Studio:
    from dialer.script_versions.render import Studio

    if not _studios:
        _studios.append(Studio.of(current_application().settings.data_dir))
    return _studios[0]


@background_task("reseal")
def reseal_task() -> None:
    """Seals values again after a rotation of keys, for a while: a list must not wait behind it."""
    services = current_application().services
    if (
        not reseal(services, pause=wait_for_stop, for_seconds=_RESEAL_SECONDS).ends_for_now
        and not is_stopping()
    ):
        services.enqueue("reseal")


@background_task("retention")
def retention_task() -> None:
    """Deletes what is past its period, for a while: the scheduler sends the next one until nothing is left."""
    from dialer.figures.facts import delete_old_marks

    app = current_application()
    periods = app.settings.retention
    apply_retention(app.services, periods, pause=wait_for_stop, for_seconds=_RETENTION_SECONDS)
    delete_old_marks(app.services.store)
    delete_reject_files(app.services, periods, app.settings.data_dir / "rejects")


@background_task("screen_openings")
def screen_openings_task() -> None:
    """Checks openings that have no verdict yet, for a while: the scheduler sends the next one until all have."""
    until = time.monotonic() + _SCREEN_SECONDS
    for _ in screen_all(
        current_application().services, stopping=lambda: is_stopping() or time.monotonic() > until
    ):
        pass


@background_task("watch_fairness")
def watch_fairness_task() -> None:
    """Raises an alarm for a check of openings that falls on one group of people."""
    watch_fairness(current_application().services)


@tick_task("send_webhooks")
def send_webhooks_task() -> None:
    """Sends messages of outgoing webhooks, for a while: the scheduler sends the next one until none is due."""
    # The client is loaded here alone: no worker at rest should pay for it.
    from dialer.webhooks.sending import send_webhooks

    asyncio.run(send_webhooks(current_application().services))


@tick_task("fetch_recordings")
def fetch_recordings_task() -> None:
    """Fetches recordings of calls, for a while: the scheduler sends the next one until none is due."""
    # The client is loaded here alone: no worker at rest should pay for it.
    from dialer.calls.fetching import fetch_recordings
    from dialer.telephony.recordings import RecordingClient

    app = current_application()

    async def fetch() -> None:
        async with RecordingClient(app.telephony) as client:
            await fetch_recordings(app.services, client)

    asyncio.run(fetch())


@tick_task("transcribe")
def transcribe_task() -> None:
    """Has recorded calls read beside this process's other work until none is due: a list must not wait behind them."""
    # The engine is loaded here alone, and given back when nothing is due any more.
    from dialer.quality.hearing import is_installed

    if not is_installed():
        _log.warning("recorded calls are not read: the extra hearing is not installed")
        return
    if not any(reader.is_alive() for reader in _readers):
        _readers[:] = [threading.Thread(target=_read_calls, name="transcripts")]
        _readers[0].start()


@background_task("inspect_calls")
def inspect_calls_task() -> None:
    """Judges calls that were read by the rules in force, for a while: the scheduler sends the next one."""
    from dialer.quality.inspecting import inspect_due

    inspect_due(current_application().services, stopping=is_stopping)


def _read_calls() -> None:
    from dialer.quality.hearing import WhisperReader
    from dialer.quality.transcribing import transcribe_due

    def read() -> None:
        with WhisperReader() as reader:
            transcribe_due(current_application().services, reader, stopping=is_stopping)

    run_logging_unavailable(read)


@background_task("refresh_figures")
def refresh_figures_task() -> None:
    """Brings the fact rows of this machine up to date, if many cases have changed."""
    from dialer.figures.refreshing import refresh_if_behind

    refresh_if_behind(current_application().services)


@background_task("draft_bulletins")
def draft_bulletins_task() -> None:
    """Drafts the bulletins of days, weeks and months that are over."""
    # Documents and reports are loaded here alone.
    from dialer.figures.bulletins import draft_due_bulletins

    app = current_application()
    draft_due_bulletins(app.services, app.settings.bulletins.kinds)
    # PostgreSQL keeps what the statements of a report took, 17 MB, for as long as the connection lives.
    app.services.store.dispose()


@tick_task("resume_renders")
def resume_renders_task() -> None:
    """Resumes rendering that no worker has claimed. The first time, the names of the settings are rendered where a live
    version lacks them: a process reads the settings once.
    """
    if not _names_checked:
        from dialer.script_versions.render import render_names

        _names_checked.append(True)
        render_names(current_application().services, _studio())
    services = current_application().services
    with services.store.begin() as tx:
        waiting = RENDERS.free_keys(tx, real_now=services.real.now())
    for render_id in waiting:
        render_script_task(render_id)
