"""What every use case works with, put together once by the composition root."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery import Celery
from pydantic import BaseModel, ConfigDict

from dialer.cases.store import Policies
from dialer.core.values import Grade
from dialer.db.unit_of_work import Store
from dialer.org.unit_store import Units
from dialer.runtime.clock import Clock
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.local import CarrierAccess
from dialer.runtime.settings import Settings
from dialer.scripts.rendered import RenderedScripts
from dialer.telephony.config import TelephonyConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """How rings leave, in real seconds."""

    group: str = "main"
    horizon_seconds: float = 0.4
    """A worker claims what may leave within this time; never more, or late urgent rings wait behind it. A ring that
    comes now leaves after so long at the latest, if it is the most urgent.
    """
    lease_seconds: float = 30.0
    at_most: int = 2000
    post_timeout_seconds: float = 10.0
    silence_seconds: float = 90.0
    """An attempt that says nothing for this long is asked about at the carrier."""
    unknown_after_seconds: float = 2.0
    """Beyond the POST's own deadline: when an unknown attempt is first looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRules:
    """How people hold work. Real seconds for a desk's lease, service seconds for the rest."""

    lease_seconds: float = 90.0
    """A desk that says nothing for this long has lost what it claimed."""
    idle_seconds: float = 1800.0
    """Signed for, overdue, and without a word for this long: back to the queue."""
    kept_seconds: float = 600.0
    """How long after its time a call-back waits for the caller who agreed on it."""
    approve_above_rows: int = 0
    """A larger list waits for a second person, but for its high grades; 0: none does."""
    photo_bytes: int = 8 << 20
    photos: int = 12
    """Of one visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """What this centre is."""

    timezone: str
    area_code: str
    default_grade: Grade
    known_units: frozenset[str] = field(default_factory=frozenset)
    bureau: dict[str, str] = field(default_factory=dict)
    callback_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`clock` is the service clock, `real` the machine's. `nudge(name, *ids)` tells a worker that there is work; losing
    it loses nothing, since the scheduler's next tick finds the same rows.
    """

    store: Store
    clock: Clock
    real: Clock
    policies: Policies
    rendered_scripts: RenderedScripts
    lines: LineRules
    centre: Centre
    drill: bool
    derive_key: bytes = b""
    """Keys derived instruction numbers, so that they tell nothing about a person."""
    schema: str = ""
    """The revision that this process was built for: where the database has another one, it claims nothing. Empty: not
    asked.
    """
    enqueue: Callable[..., None]
    work: WorkRules = field(default_factory=WorkRules)
    units: Units = field(default_factory=Units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything an entry point needs. `close` leaves servers running that others use."""

    settings: Settings
    services: Services
    celery: Celery
    telephony: TelephonyConfig
    carrier: CarrierAccess | None
    """None: the telephone network is not ours."""
    servers: EmbeddedServers | None

    def close(self) -> None:
        self.services.store.dispose()
        self.celery.close()
        if self.servers is not None:
            self.servers.stop()


class Resource(BaseModel):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    def plain(self) -> dict[str, Any]:
        """JSON-ready: moments as ISO 8601 in UTC, money in fen, words by their value."""
        plain: dict[str, Any] = json.loads(
            json.dumps(self.model_dump(by_alias=True), default=datetime.isoformat)
        )
        return plain
