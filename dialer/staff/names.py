"""The display names of accounts, as pages show them."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import suppress

from cachetools import TTLCache

from dialer.core.errors import Unavailable
from dialer.runtime.services import Services
from dialer.staff.store import display_names

_MOST_NAMES, _NAMES_KEPT_SECONDS = 10_000, 60.0


def read_display_names(services: Services, logins: Collection[str]) -> dict[str, str]:
    """Display names by login; logins without an account are left out."""
    if not logins:
        return {}
    with services.store.begin() as tx:
        return display_names(tx, logins)


class DisplayNames:
    """The display names of accounts, each kept for a minute: most pages ask the database for none."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: TTLCache[str, str] = TTLCache(_MOST_NAMES, ttl=_NAMES_KEPT_SECONDS)
        self._lock = threading.Lock()

    def of(self, login: str) -> str:
        """The display name; the login itself where no account has it, or the database does not answer."""
        with self._lock:
            kept = self._kept.get(login)
        if kept is None:
            with suppress(Unavailable):
                kept = read_display_names(self._services, {login}).get(login, login)
                with self._lock:
                    self._kept[login] = kept
        return kept or login
