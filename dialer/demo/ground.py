"""The demo's own ground: settings that can reach nothing real, a clean folder, a clock that begins at nine."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dialer.bootstrap import Application, application, free_port
from dialer.errors import Refusal, SettingsError
from dialer.runtime.clock import ScaledClock
from dialer.runtime.embedded import ensure, erase
from dialer.settings import Settings, load_settings
from dialer.store import facts
from dialer.store.facts import ClockRow

FOLDER = "demo"
SPEED = 40.0
"""Service seconds in one real second while the list is being rung."""
_NINE = 9
_SLOW = 1.0
_CALLS_PER_SECOND = "30"
_LINES = "80"
_DESK = "+8647896111"
"""The duty line on the simulated exchange: one telephone, so that a second hand-over meanwhile finds it busy."""
_OURS = ("keys.json", "carrier.json", "carrier", "rejects", "sample.csv")


class DemoRunsAlready(Refusal):
    def __init__(self) -> None:
        super().__init__("a demo is running in this folder already: stop it first (Ctrl-C where it runs)")


def demo_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the demo's processes. Raises `SettingsError` when a setting points at anything that is not
    the demo's own: it can never wipe or ring anything real.
    """
    base = load_settings(env)
    for key, value in (
        ("database.url", base.database.url),
        ("broker.url", base.broker.url),
        ("telephony.base_url", base.telephony.base_url),
        ("telephony.account_sid", base.telephony.account_sid),
        ("telephony.auth_token", base.telephony.auth_token),
        ("keys.file", base.keys.file),
        ("web.public_url", base.web.public_url),
    ):
        if value is not None:
            raise SettingsError(
                key=key,
                problem="is set, and the demo uses only its own servers, keys and line: unset it for the demo",
            )
    port = str(base.web.port) if _is_free(base.web.port) else str(free_port())
    return dict(env) | {
        "DIALER_DATA_DIR": str(base.data_dir / FOLDER),
        "DIALER_WEB__HOST": "127.0.0.1",
        "DIALER_WEB__PORT": port,
        "DIALER_TELEPHONY__CALLS_PER_SECOND": _CALLS_PER_SECOND,
        "DIALER_TELEPHONY__LINES": _LINES,
        "DIALER_TELEPHONY__OFFICER_NUMBER": _DESK,
        "DIALER_TELEPHONY__SILENCE_SECONDS": "20",
        "DIALER_SCHEDULER__TICK_SECONDS": "0.25",
        "DIALER_LOG__LEVEL": env.get("DIALER_LOG__LEVEL", "warning"),
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port != 0


@contextmanager
def clean_ground(settings: Settings) -> Iterator[Application]:
    """A new, empty drill database with its clock at nine o'clock today; one demo at a time in a folder."""
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoRunsAlready from None
        _wipe(folder)
        with ensure(folder):
            with application(settings) as fresh, fresh.engine.store.begin() as tx:
                facts.mark_drill(tx)
                facts.write_clock(tx, _nine_o_clock(settings, speed=_SLOW))
            with application(settings) as app:
                yield app


def _wipe(folder: Path) -> None:
    """Only what a demo has made, in the demo's own folder."""
    erase(folder)
    for name in _OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _nine_o_clock(settings: Settings, *, speed: float) -> ClockRow:
    zone = ZoneInfo(settings.centre.timezone)
    today = datetime.now(zone).date()
    nine = datetime(today.year, today.month, today.day, _NINE, tzinfo=zone)
    return ClockRow(anchor_unix=time.time(), epoch=nine.astimezone(UTC), speed=speed)


def set_pace(app: Application, *, speed: float) -> ClockRow:
    """From now on the service clock runs at `speed`; it does not jump. The carrier must be told the same."""
    with app.engine.store.begin() as tx:
        row = facts.read_clock(tx)
        assert row is not None
        unix = time.time()
        clock = ScaledClock(anchor_unix=row.anchor_unix, epoch=row.epoch, speed=row.speed)
        changed = clock.at_speed(speed, unix_seconds=unix)
        new = ClockRow(anchor_unix=changed.anchor_unix, epoch=changed.epoch, speed=changed.speed)
        facts.write_clock(tx, new)
    return new


def pace(*, settings_speed: float) -> float:
    """Service seconds in one real second while the list is being rung: the setting's where it says one."""
    return settings_speed if settings_speed != _SLOW else SPEED


def environment() -> dict[str, str]:
    return demo_environment(os.environ)
