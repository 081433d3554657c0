"""Rows of the browsers in which people receive notifications. The address at the push service and the keys are sealed;
a row is known by a digest of its address.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.notifications.encryption import Browser, decoded, encoded

_b = t.push_browser.c
_PLACE: Final = {"table": "push_browser", "column": "sealed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBrowser:
    """A browser in which a person receives notifications."""

    id: uuid.UUID
    browser: Browser = field(repr=False)
    added_at: datetime
    wait_until: datetime | None
    """Real: the push service takes nothing before."""


def browser_id(endpoint: str) -> uuid.UUID:
    """By what a browser's row is known."""
    return uuid.UUID(bytes=hashlib.sha256(endpoint.encode()).digest()[:16])


def save_browser(tx: Tx, staff_id: int, browser: Browser, *, now: datetime) -> None:
    """Stores a browser. One that another account received in is this one's from now on."""
    key = browser_id(browser.endpoint)
    record = {
        "endpoint": browser.endpoint,
        "public": encoded(browser.public),
        "secret": encoded(browser.secret),
    }
    values = {
        "staff_id": staff_id,
        "sealed": tx.vault.seal_record(record, row=str(key), **_PLACE),
        "added_at": now,
        "wait_until": None,
    }
    statement = insert(t.push_browser).values(id=key, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def browsers_of(tx: Tx, staff_id: int) -> list[OwnBrowser]:
    """The browsers of a person, the oldest first."""
    found = []
    for row in tx.rows(sa.select(t.push_browser).where(_b.staff_id == staff_id).order_by(_b.added_at, _b.id)):
        opened = tx.vault.open_record(row["sealed"], row=str(row["id"]), **_PLACE)
        browser = Browser(
            endpoint=opened["endpoint"],
            public=decoded(opened["public"]),
            secret=decoded(opened["secret"]),
        )
        found.append(
            OwnBrowser(id=row["id"], browser=browser, added_at=row["added_at"], wait_until=row["wait_until"])
        )
    return found


def delete_browser(tx: Tx, staff_id: int, key: uuid.UUID) -> bool:
    """Deletes a browser of this person; False if it is not theirs."""
    return bool(tx.execute(sa.delete(t.push_browser).where(_b.id == key, _b.staff_id == staff_id)).rowcount)


def delay_browser(tx: Tx, key: uuid.UUID, *, until: datetime) -> None:
    """Nothing is sent to this browser before that moment of real time."""
    tx.execute(sa.update(t.push_browser).where(_b.id == key).values(wait_until=until))
