"""What every action works with, put together once by the composition root."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Any

from celery import Celery
from pydantic import BaseModel, ConfigDict

from dialer.broker import Enqueuer
from dialer.cases.store import Policies
from dialer.core.access import RevealRules, SessionRules
from dialer.core.values import Grade, MessageChannel
from dialer.db.keys import KeySource
from dialer.db.system_state import Difference, Identity
from dialer.db.unit_of_work import Store
from dialer.org.unit_store import Units
from dialer.runtime.clock import Clock
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.local import CarrierAccess
from dialer.runtime.settings import Settings
from dialer.scripts.rendered import RenderedScripts
from dialer.telephony.channels import MessageClient
from dialer.telephony.config import TelephonyConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """How calls leave, in real seconds."""

    settings_calls_per_second: float | None = None
    """The pace of the settings of this process; None: as the database knows it. It applies when a person says so."""
    settings_lines: int | None = None
    horizon_seconds: float = 0.4
    """A worker claims what may leave within this time, so that the most urgent attempt of now leaves no later than
    that.
    """
    lease_seconds: float = 30.0
    at_most: int = 2000
    post_timeout_seconds: float = 10.0
    silence_seconds: float = 90.0
    """An attempt without news for this long is asked about at the carrier."""
    ring_seconds: float = 30.0
    """The longest that a telephone rings (service time)."""
    unknown_after_seconds: float = 2.0
    """How long after the deadline of the POST an unknown attempt is first looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRules:
    """How staff hold assignments. Real seconds for the lease of a desk, service seconds for the rest."""

    lease_seconds: float = 90.0
    """A desk that is silent for this long has lost what it claimed."""
    idle_seconds: float = 1800.0
    """Signed for, overdue, and without a word for this long: back to the queue."""
    kept_seconds: float = 600.0
    """How long after its time a call-back waits for the caller who made the appointment."""
    approve_above_rows: int = 0
    """A larger list waits for a second person, but for its high grades; 0: none does."""
    least_call_seconds: int = 20
    """A success by phone needs a call of ours of this length; 0: it needs none."""
    claim_seconds: int = 1800
    """How long a success without a call waits for a second person before the task is back in the queue."""
    photo_bytes: int = 8 << 20
    """Also of a file that proves an amount."""
    photos: int = 12
    """Of one visit."""
    evidence_files: int = 6
    """Of one report of amounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRules:
    """Calls of people to us, in service seconds. Outside the hours (local time) the duty line alone is called."""

    opens: time = time(8)
    closes: time = time(22)
    ring_seconds: int = 15
    wait_seconds: int = 120
    """In line for so long; then the person hears that a caller calls back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRules:
    """How signals are kept and evaluated. Service time, except for the snapshots."""

    keep_days: int = 7
    """Signals are stored for so long."""
    late_seconds: int = 3600
    """A signal may be so much earlier than the newest one of its person; what is later changes no verdict."""
    share: float = 0.8
    """Of the free lines and desks, for warnings of the robot."""
    least_desks: int = 2
    """So many callers are counted on also when fewer are signed in."""
    draw_share: float = 0.04
    """Of the budget, for verdicts below the line that are drawn at random."""
    snapshot_seconds: float = 60.0
    """Real seconds between two snapshots of the state."""
    stream: str = ""
    """The stream of the broker that signals are read from; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRules:
    """Of two-card control. Clocks of a question are real seconds after it was asked."""

    home_prefix: str = "1508"
    """Id numbers that begin so were issued here; all others are of people from another place."""
    top_limit_fen: int = 20_000_000
    """A limit asked for from here on counts as the highest."""
    first_class_ceiling: int = 1
    """Accounts of class I of a person at one bank."""
    other_class_ceiling: int = 5
    """Accounts of class II and III of a person at one bank."""
    sim_ceiling: int = 5
    """SIM cards of a person at one carrier."""
    checks_per_hour: int = 60
    """Of one outlet; more raise an alarm."""
    remind_seconds: int = 60
    second_seconds: int = 180
    """From then on a second officer may take a claimed question."""
    lapse_seconds: int = 300
    """Then the outlet decides by itself."""
    objection_days: int = 15
    """By then an objection is decided."""
    group_times: float = 2.0
    """A group stands out when the interval of its share lies above so many times that of all others."""
    group_least: int = 10
    """And when so many of its openings are meant."""
    group_days: int = 90
    """Of the openings of so many days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRules:
    """How messages of outgoing webhooks leave. Real seconds."""

    networks: tuple[str, ...] = ()
    """The only addresses that they may go to."""
    timeout_seconds: float = 10.0
    """Of one request, all of it."""
    tries: int = 12
    keep_days: int = 90
    """The log is kept for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """The centre that runs this service."""

    timezone: str
    area_code: str
    default_grade: Grade
    known_units: frozenset[str] = field(default_factory=frozenset)
    bureau: dict[str, str] = field(default_factory=dict)
    hotline: str = ""
    callback_number: str = ""
    languages: tuple[str, ...] = ()
    """Languages of calls that the caller may choose by key, in the order of offering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`clock` is the service clock, `real` the machine's. `enqueue(name, *ids)` tells a worker that there is work;
    losing the message loses nothing, since the next tick of the scheduler finds the same rows.
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
    """Keys derived instruction numbers, so that they reveal nothing about a person."""
    schema: str = ""
    """The revision that this process was built for: it claims nothing in a database with another one. Empty: not
    checked.
    """
    enqueue: Callable[..., None]
    work: WorkRules = field(default_factory=WorkRules)
    inbound: InboundRules = field(default_factory=InboundRules)
    signals: SignalRules = field(default_factory=SignalRules)
    sessions: SessionRules = field(default_factory=SessionRules)
    reveals: RevealRules = field(default_factory=RevealRules)
    units: Units = field(default_factory=Units)
    cards: CardRules = field(default_factory=CardRules)
    webhooks: WebhookRules = field(default_factory=WebhookRules)


class Purpose(StrEnum):
    """Why a process opens its database."""

    SERVE = "serve"
    """It acts by itself: the database must belong to its settings, and the first one makes it so."""
    COMMAND = "command"
    """It does what a person asks; with other settings than the database's it only reads."""
    LOOK = "look"
    """It only reads: nothing is started, made, migrated or written."""
    ADOPT = "adopt"
    """A person changes what the database belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything an entry point needs. `close` leaves servers running that others use."""

    settings: Settings
    services: Services
    identity: Identity = field(default_factory=dict)
    """What this process would have the database belong to."""
    differences: tuple[Difference, ...] = ()
    """In what the database belongs to something else: then nothing is written."""
    celery: Celery
    enqueuer: Enqueuer
    key_source: KeySource
    telephony: TelephonyConfig
    message_channels: Mapping[MessageChannel, Callable[[], MessageClient]]
    """Each configured channel of messages, and what makes its client."""
    carrier: CarrierAccess | None
    """None: the telephone network is not ours."""
    servers: EmbeddedServers | None

    def close(self) -> None:
        """Connections are closed. Servers of ours stop unless other processes use them."""
        self.services.store.dispose()
        self.celery.close()
        if self.servers is not None:
            self.servers.stop()


class Resource(BaseModel):
    """A value that is shown as JSON."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    def plain(self) -> dict[str, Any]:
        """JSON-ready: moments as ISO 8601 in UTC, money in fen, words by their value."""
        plain: dict[str, Any] = json.loads(
            json.dumps(self.model_dump(by_alias=True), default=datetime.isoformat)
        )
        return plain
