"""What people are called who stand in the records by their login."""

from __future__ import annotations

from collections.abc import Collection

from dialer.store import staff
from dialer.usecases.engine import Engine


def name_staff(engine: Engine, logins: Collection[str]) -> dict[str, str]:
    """By login; one that is no account is left out."""
    if not logins:
        return {}
    with engine.store.begin() as tx:
        return staff.display_names(tx, logins)
