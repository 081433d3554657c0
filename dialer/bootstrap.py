"""The composition root: puts the parts together from settings. It starts or joins the embedded servers and our own
carrier where the settings name none. Called by entry points only.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import datetime

from pydantic import SecretStr

from dialer.broker import EnqueueLimiter, Enqueuer, MessageKey, make_app
from dialer.calls.pacing import configure_line_group
from dialer.cases.store import Policies, ensure_policy_version
from dialer.core.errors import SettingsError, Unavailable
from dialer.core.policy import Policy, to_plain
from dialer.core.values import MessageChannel
from dialer.db.migrations import migrate_database
from dialer.db.system_state import check_database_keys, is_drill_database, read_service_clock
from dialer.db.unit_of_work import Store
from dialer.db.vault import Keys, KeysRefused, Vault, create, load
from dialer.runtime.clock import Clock, ScaledClock, SystemClock
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.local import CarrierAccess, database_url, own_carrier, own_servers, public_url
from dialer.runtime.settings import Settings
from dialer.scripts.rendered import RenderedScripts, Sounds
from dialer.scripts.versions import seed_scripts
from dialer.services import Application, Centre, LineRules, Services, WorkRules
from dialer.telephony.channels import MessageClient
from dialer.telephony.config import TelephonyConfig

SOUND_FOLDER = "audio"
"""In the data folder: the sound that was rendered here, by the name that its content gives it."""
_CLOCK_READ_SECONDS = 0.5


class FollowedClock:
    """The service clock of a drill, read from its row now and then, so that every process keeps the same time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = -_CLOCK_READ_SECONDS
        self._clock: Clock = SystemClock()
        self._reading = threading.Lock()

    def now(self) -> datetime:
        # One thread reads: all of them reading the time could use up the pool of connections.
        if time.monotonic() - self._read_at >= _CLOCK_READ_SECONDS and self._reading.acquire(blocking=False):
            try:
                self._follow()
            finally:
                self._reading.release()
        return self._clock.now()

    def _follow(self) -> None:
        try:
            with self._store.begin() as tx:
                row = read_service_clock(tx)
        except Unavailable:
            return  # The pace last read still holds; the database is missed where it is needed.
        self._read_at = time.monotonic()
        if row is not None:
            self._clock = ScaledClock(anchor_unix=row.anchor_unix, epoch=row.epoch, speed=row.speed)


def application(settings: Settings) -> AbstractContextManager[Application]:
    """The application on its configured servers, or on the embedded ones: started, or joined when they run."""
    return closing(assemble(settings))


def assemble(settings: Settings) -> Application:
    """As `application`, for a process that closes it itself. The schema is up to date and the keys fit."""
    with ExitStack() as undo:
        servers = own_servers(settings)
        if servers is not None:
            undo.callback(servers.stop)
        keys = _keys(settings)
        carrier = own_carrier(settings)
        telephony = _telephony(settings, carrier)
        channels = _message_channels(telephony)
        policy = settings.policy.policy(zone=settings.centre.timezone)
        refuse_unknown_channels(policy, channels)
        store = Store(database_url(settings, servers), Vault(keys), pool_size=settings.database.pool_size)
        undo.callback(store.dispose)
        schema, drill, clock, policy_version = _prepare_database(settings, store, keys, carrier, policy)
        undo.pop_all()
    message_key = MessageKey(secret=_derived(keys, b"broker"))
    celery = make_app(_broker_url(settings, servers), message_key)
    enqueue = Enqueuer(celery, message_key)
    store.after_commit = EnqueueLimiter(enqueue, spacing_seconds=0.2)
    services = Services(
        store=store,
        clock=clock,
        real=SystemClock(),
        policies=Policies(store, current=policy_version),
        rendered_scripts=RenderedScripts(
            store,
            sounds=Sounds(store, folder=settings.data_dir / SOUND_FOLDER),
            names=settings.centre.names(),
        ),
        lines=LineRules(
            post_timeout_seconds=settings.telephony.timeout_seconds,
            silence_seconds=settings.telephony.silence_seconds,
        ),
        centre=Centre(
            timezone=settings.centre.timezone,
            area_code=settings.centre.area_code,
            default_grade=settings.centre.default_grade,
            known_units=frozenset(settings.centre.units),
            bureau={"zh": settings.centre.bureau_zh, "en": settings.centre.bureau_en},
            hotline=settings.centre.hotline,
            callback_number=settings.telephony.caller_number,
        ),
        work=WorkRules(approve_above_rows=settings.lists.approve_above_rows),
        drill=drill,
        derive_key=_derived(keys, b"derive"),
        schema=schema,
        enqueue=enqueue,
    )
    return Application(
        settings=settings,
        services=services,
        celery=celery,
        enqueuer=enqueue,
        telephony=telephony,
        message_channels=channels,
        carrier=carrier,
        servers=servers,
    )


def _derived(keys: Keys, purpose: bytes) -> bytes:
    """A key for one purpose, 64 bytes, that reveals nothing of the keys it is made of."""
    return hashlib.blake2b(key=keys.index, person=purpose).digest()


def _prepare_database(
    settings: Settings, store: Store, keys: Keys, carrier: CarrierAccess | None, policy: Policy
) -> tuple[str, bool, Clock, int]:
    """The schema is this version's, and holds line group, policy and scripts of the settings. Returns the revision,
    whether it is a drill's, the service clock, and the version of the policy.
    """
    schema = migrate_database(store.sql_engine)
    real = SystemClock()
    with store.begin() as tx:
        check_database_keys(tx, keys)
        clock: Clock = FollowedClock(store) if read_service_clock(tx) is not None else real
        if isinstance(clock, FollowedClock) and carrier is None:
            raise SettingsError(
                key="telephony.base_url",
                problem="this database runs on a drill's clock, which no real line may follow",
            )
        configure_line_group(
            tx,
            name="main",
            calls_per_second=settings.telephony.calls_per_second,
            lines=settings.telephony.lines,
            real_now=real.now(),
        )
        policy_version = ensure_policy_version(tx, to_plain(policy), now=real.now())
        seed_scripts(tx, now=clock.now())
        return schema, is_drill_database(tx), clock, policy_version


def _broker_url(settings: Settings, servers: EmbeddedServers | None) -> str:
    if settings.broker.url is not None:
        return settings.broker.url.get_secret_value()
    assert servers is not None
    return servers.broker_url


def _keys(settings: Settings) -> Keys:
    """Made by themselves only beside the embedded database; a configured one demands configured keys."""
    if settings.keys.file is not None:
        return load(settings.keys.file)
    if settings.database.url is not None:
        raise SettingsError(
            key="keys.file",
            problem="must name the keys of the configured database (DIALER_KEYS__FILE); `dialer keys create` makes one",
        )
    path = settings.data_dir / "keys.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        try:
            return create(path)
        except KeysRefused:
            if not path.exists():
                raise
    return load(path)


def _message_channels(
    telephony: TelephonyConfig,
) -> Mapping[MessageChannel, Callable[[], MessageClient]]:
    """The registry of channels of messages: each that is configured, with what makes its client. A client's module is
    imported when it makes one, since only the worker that sends needs its libraries.
    """

    def sms() -> MessageClient:
        from dialer.telephony.client import SmsClient

        return SmsClient(telephony)

    return {MessageChannel.SMS: sms}


def refuse_unknown_channels(policy: Policy, channels: Container[MessageChannel]) -> None:
    """Raises `SettingsError` when a grade's messages are for a channel without a client: nobody would send them."""
    for grade, rules in policy.grades.items():
        if rules.message_channel not in channels:
            raise SettingsError(key=f"policy.{grade.value}.message_channel", problem="is not configured here")


def _telephony(settings: Settings, carrier: CarrierAccess | None) -> TelephonyConfig:
    telephony = settings.telephony
    base_url, account_sid = telephony.base_url, telephony.account_sid
    auth_token, following = telephony.auth_token, telephony.auth_token_next
    if carrier is not None:
        base_url, account_sid = carrier.base_url, carrier.account_sid
        auth_token, following = SecretStr(carrier.auth_token), None
    if account_sid is None or auth_token is None:
        raise SettingsError(
            key="telephony.auth_token",
            problem="account_sid and auth_token are needed beside base_url",
        )
    return TelephonyConfig(
        base_url=base_url,
        account_sid=account_sid,
        auth_token=auth_token.get_secret_value(),
        auth_token_next=following.get_secret_value() if following else None,
        caller_number=telephony.caller_number,
        public_url=public_url(settings),
        timeout_seconds=telephony.timeout_seconds,
        ring_timeout_seconds=telephony.ring_timeout_seconds,
        officer_number=telephony.officer_number,
        officer_ring_seconds=telephony.officer_ring_seconds,
        hear_speech=telephony.hear_speech,
    )
