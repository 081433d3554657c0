"""Outgoing webhooks: administrators of the whole city."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_MANAGES = frozenset({Role.ADMINISTRATOR})
_NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def _webhook(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    name = f"bureau{len(desk.rows(t.webhook))}"
    with desk.app.services.store.begin() as tx:
        row = tx.one(
            sa.insert(t.webhook)
            .values(
                name=name,
                url="https://receiver.example/",
                events=["case_settled"],
                secret_sealed=b"-",
                added_by="sun",
                added_at=_NOW,
            )
            .returning(t.webhook.c.id)
        )
    assert row is not None
    return {"name": name, "id": row["id"]}


def _delivery(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    made = _webhook(desk, unit_id)
    with desk.app.services.store.begin() as tx:
        row = tx.one(
            sa.insert(t.webhook_delivery)
            .values(webhook_id=made["id"], event="case_settled", case_id=1, facts={}, occurred_at=_NOW)
            .returning(t.webhook_delivery.c.id)
        )
    assert row is not None
    return {"delivery_id": row["id"]}


ROWS = (
    Row("GET", "/webhooks", _MANAGES),
    Row("POST", "/webhooks", _MANAGES, form={"name": "x"}, refused=422),
    Row("POST", "/webhooks/{name}/end", _MANAGES, _webhook),
    Row("POST", "/webhooks/{name}/again", _MANAGES, _webhook),
    Row("POST", "/webhooks/deliveries/{delivery_id}/again", _MANAGES, _delivery),
)
