"""A web process with a client, and what its database holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.db.unit_of_work import Row
from dialer.db.units import add_unit
from dialer.runtime.services import Application
from dialer.staff.sign_in import add_token
from tests.clock import FrozenClock

ROOT = Path(__file__).resolve().parents[2]
Opener = Callable[[dict[str, str]], Application]
EVERYTHING = ("warnings:write", "signals:write", "cases:read", "report:read")
WANG = {"name": "王小明", "phones": "13800138000", "id_number": "150402199001011237"}


@dataclass(kw_only=True)
class Office:
    """A web process, and a client with a token for everything."""

    app: Application
    clock: FrozenClock
    client: httpx.AsyncClient
    enqueued: list[tuple[object, ...]] = field(default_factory=list)

    def token(
        self, name: str = "other", *scopes: str, unit: str = "", sources: Sequence[str] = ()
    ) -> dict[str, str]:
        """The header of a new token."""
        new = add_token(
            self.app.services,
            unrestricted("test"),
            name=name,
            scopes=scopes or EVERYTHING,
            days=30,
            unit=unit,
            sources=sources,
        )
        return {"Authorization": f"Bearer {new.secret}"}

    def unit(self, name: str, parent_id: int | None = None) -> int:
        """The id of a new unit."""
        with self.app.services.store.begin() as tx:
            return add_unit(tx, name=name, parent_id=parent_id)

    async def send(self, *warnings: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        body = warnings[0] if len(warnings) == 1 else list(warnings)
        return await self.client.post("/api/v1/warnings", json=body, headers=headers)

    def rows(self, table: sa.Table) -> list[Row]:
        with self.app.services.store.begin() as tx:
            return tx.rows(sa.select(table).order_by(table.c.id))


def first(answer: httpx.Response) -> dict[str, Any]:
    """What became of the first warning."""
    result: dict[str, Any] = answer.json()["results"][0]
    return result


async def eventually(holds: Callable[[], bool]) -> None:
    """It becomes true within seconds."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()
