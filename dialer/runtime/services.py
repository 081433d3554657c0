"""What every action works with, put together once by the composition root."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from celery import Celery
from pydantic import BaseModel, ConfigDict

from dialer.core.access import Actor, Permission, RevealRules, SessionRules
from dialer.core.offers import TaskMode
from dialer.core.third_party import ThirdParty
from dialer.core.values import Grade, MessageChannel
from dialer.db.acts import OpenAct
from dialer.db.keys import KeySource
from dialer.db.policies import Policies
from dialer.db.system_state import Identity, SettingDifference
from dialer.db.unit_of_work import Store
from dialer.db.units import Units
from dialer.intake.allowed_numbers import AllowedNumbers
from dialer.runtime.broker import Enqueuer
from dialer.runtime.clock import Clock
from dialer.runtime.duty_settings import DutySettings
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.local import CarrierAccess
from dialer.runtime.plans import parse_plan
from dialer.runtime.sections import (
    CardsSettings,
    InboundSettings,
    PushSettings,
    QualitySettings,
    SignalsSettings,
    WebhooksSettings,
)
from dialer.runtime.settings import Settings
from dialer.runtime.source_settings import SourcesSettings
from dialer.scripts.rendered import RenderedScripts
from dialer.telephony.channels import MessageClient
from dialer.telephony.config import TelephonyConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """How calls are placed. Seconds are real, unless stated otherwise."""

    settings_calls_per_second: float | None = None
    """The pace in the settings of this process; None: that of the database. It takes effect only when a person applies
    it.
    """
    settings_lines: int | None = None
    horizon_seconds: float = 0.4
    """A worker claims the attempts that may leave within this time, so that one that becomes the most urgent leaves no
    later than that.
    """
    lease_seconds: float = 30.0
    at_most: int = 2000
    post_timeout_seconds: float = 10.0
    silence_seconds: float = 90.0
    """After this long without news of an attempt the carrier is asked for its state."""
    ring_seconds: float = 30.0
    """The longest that a telephone rings (service time)."""
    unknown_after_seconds: float = 2.0
    """How long after the deadline of the POST an unknown attempt is first looked up."""
    number_calls_an_hour: int = 6
    """A number that was called so often within an hour of service time, in all cases, waits for the rest of it."""
    number_calls_a_day: int = 20
    number_messages_an_hour: int = 4
    """Further messages to a number wait, as its calls do."""
    number_messages_a_day: int = 10
    nuisance_percent: float = 2.0
    """From this share of calls refused as unwanted on, our number counts as marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRules:
    """How staff hold assignments. Real seconds for the lease of a desk, service seconds for the rest."""

    lease_seconds: float = 90.0
    """A desk that is silent for this long has lost what it claimed."""
    kept_seconds: float = 600.0
    """How long after its time a call-back waits for the caller who made the appointment."""
    approve_above_rows: int = 0
    """A larger list waits for a second person, except its high grades; 0: no list waits."""
    least_call_seconds: int = 20
    """A success by phone needs a staff call of this length; 0: it needs none."""
    claim_seconds: int = 1800
    """How long a success without a call waits for a second person before the task is back in the queue."""
    silent_seconds: float = 180.0
    """Real seconds without an open page after which somebody who is free or on a break is off."""
    hold_seconds: float = 180.0
    """Service seconds for which a person may be on hold before an alarm says so."""
    listening_is_announced: bool = True
    """Caller and person hear that a supervisor listens, and the caller sees who."""
    third_parties: tuple[ThirdParty, ...] = ()
    """Whom a desk may bring into a call, beside the duty line and who is on duty."""
    draft_wait_hours: int = 24
    """Service hours after which an alarm tells that a draft waits for a second person."""
    correction_wait_hours: int = 72
    """Service hours after which an alarm tells that the answer to an order to correct waits for its decision."""
    map_address: str = "geo:{latitude},{longitude}"
    """The template of the link to a map; '': there is none."""
    stall_seconds: float = 300.0
    """Service seconds for which a call waits and a desk is free before an alarm says so."""
    tasks: TaskMode = TaskMode.PULL
    """How calls come to desks."""
    offer_seconds: float = 20.0
    """Real seconds for which a call is offered to one person."""
    photo_bytes: int = 8 << 20
    """The largest size of a photo, or of a file that proves an amount."""
    photos: int = 12
    """The most photos of one visit."""
    evidence_files: int = 6
    """The most files of one report of amounts."""


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
    """Languages of calls that the person may choose by key, in the order in which they are offered."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the centre."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`clock` is the service clock, `real` the machine's. `enqueue(name, *ids)` sends an order to the workers; a lost
    order loses no work, since the next tick of the scheduler finds the same rows.
    """

    store: Store
    clock: Clock
    real: Clock
    policies: Policies
    rendered_scripts: RenderedScripts
    lines: LineRules
    centre: Centre
    drill: bool
    practice: bool = False
    """A service for practice, started by `dialer practice`; it is a drill too."""
    derive_key: bytes = b""
    """Keys derived instruction numbers, so that they reveal nothing about a person."""
    schema: str = ""
    """The schema revision that this process was built for: it claims nothing in a database with another one. Empty: not
    checked.
    """
    enqueue: Callable[..., None]
    work: WorkRules = field(default_factory=WorkRules)
    numbers: AllowedNumbers = field(default_factory=AllowedNumbers)
    inbound: InboundSettings = field(default_factory=InboundSettings)
    signals: SignalsSettings = field(default_factory=SignalsSettings)
    sessions: SessionRules = field(default_factory=SessionRules)
    reveals: RevealRules = field(default_factory=RevealRules)
    units: Units = field(default_factory=Units)
    cards: CardsSettings = field(default_factory=CardsSettings)
    facts_folder: Path | None = None
    """Where this machine keeps fact rows; None: figures are counted from the records."""
    webhooks: WebhooksSettings = field(default_factory=WebhooksSettings)
    push: PushSettings = field(default_factory=PushSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    sources: SourcesSettings = field(default_factory=SourcesSettings)
    """Of the settings; `live_sources` are in force."""
    duty: DutySettings = field(default_factory=DutySettings)

    @property
    def live_sources(self) -> SourcesSettings:
        """What sources may send: of the plan in force, or of the settings."""
        plan = self.policies.in_force()
        return self.sources if plan is None else parse_plan(plan.source).sources

    @contextmanager
    def act(self, actor: Actor, right: Permission, *others: Permission) -> Iterator[OpenAct]:
        """Opens the one transaction of an act and commits it at the end of the block. Raises `NotPermitted` before any
        row is read if the actor has none of these rights, and `UnrecordedAct`, which rolls back, for an act that is
        neither in the audit nor in a timeline.
        """
        actor.check_may(right, *others)
        with self.store.begin() as tx:
            act = OpenAct(tx, actor, self.clock.now)
            yield act
            act.check_recorded()


class ProcessPurpose(StrEnum):
    """Why a process opens its database."""

    SERVE = "serve"
    """A process that acts by itself: the database must belong to its settings; the first one binds the database to
    them.
    """
    COMMAND = "command"
    """A command that does what a person asks; where the database belongs to other settings it only reads."""
    LOOK = "look"
    """It only reads: nothing is started, made, migrated or written."""
    PAUSE = "pause"
    """As a command, for pauses alone: also where another version has migrated the database, or this one has not yet."""
    ADOPT = "adopt"
    """A person binds the database to other settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything an entry point needs. `close` leaves servers running that others use."""

    settings: Settings
    services: Services
    identity: Identity = field(default_factory=dict)
    """The identity that the settings of this process give to the database."""
    differences: tuple[SettingDifference, ...] = ()
    """The settings in which the database belongs to something else; if there are any, nothing is written."""
    celery: Celery
    enqueuer: Enqueuer
    key_source: KeySource
    telephony: TelephonyConfig
    message_channels: Mapping[MessageChannel, Callable[[], MessageClient]]
    """Each configured channel of messages, and what makes its client."""
    carrier: CarrierAccess | None
    """None: the telephone network is not our own carrier."""
    servers: EmbeddedServers | None

    def close(self) -> None:
        """Closes the connections. Servers of ours stop unless other processes use them."""
        self.services.store.dispose()
        self.celery.close()
        if self.servers is not None:
            self.servers.stop()


class JsonResource(BaseModel):
    """A value that is shown as JSON."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    def plain(self) -> dict[str, Any]:
        """JSON-ready: moments as ISO 8601 in UTC, money in fen, words by their value."""
        plain: dict[str, Any] = json.loads(
            json.dumps(self.model_dump(by_alias=True), default=datetime.isoformat)
        )
        return plain
