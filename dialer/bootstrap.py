"""The composition root: puts the parts together from settings. It starts or joins the embedded servers and our own
carrier where the settings name none. Called by entry points only.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pydantic import SecretStr

from dialer.calls.pacing import configure_line_group, ensure_line_group
from dialer.core.errors import Refusal, SettingsError, Unavailable
from dialer.core.policy import Policy, to_plain
from dialer.core.text import Text
from dialer.core.values import MessageChannel
from dialer.db.audit import begin_chain
from dialer.db.key_state import KeyFollower, check_database_keys
from dialer.db.keys import Keys, KeySource, KeysRefused, KeyToken, create
from dialer.db.migrations import (
    check_revision,
    check_revision_for_pauses,
    migrate_database,
    newest_revision,
)
from dialer.db.plans import PlanFollower
from dialer.db.policies import Policies, ensure_policy_version, newest_policy_version
from dialer.db.system_state import (
    TERMINAL_ACCOUNTS,
    Identity,
    OtherSettings,
    SettingDifference,
    identity_differences,
    is_drill_database,
    is_practice_database,
    read_service_clock,
    record_identity,
    recorded_identity,
    refuse_real_records,
)
from dialer.db.unit_of_work import Store, Tx
from dialer.db.vault import Vault
from dialer.knowledge.actions import seed_cards
from dialer.quality.versions import seed_quality_rules
from dialer.retention.erasure import refuse_erased
from dialer.runtime.broker import EnqueueLimiter, Enqueuer, MessageKey, make_app
from dialer.runtime.clock import Clock, ScaledClock, SystemClock
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.local import (
    CarrierAccess,
    database_url,
    is_this_machine,
    own_carrier,
    own_servers,
    owner_url,
    public_url,
)
from dialer.runtime.sections import KeysSettings
from dialer.runtime.services import Application, Centre, LineRules, ProcessPurpose, Services, WorkRules
from dialer.runtime.settings import Settings
from dialer.script_versions.actions import seed_scripts
from dialer.scripts.rendered import RenderedScripts, Sounds
from dialer.telephony.channels import MessageClient
from dialer.telephony.config import TelephonyConfig

SOUND_FOLDER = "audio"
"""A folder in the data folder: the sound files rendered here, named after their content."""
_CLOCK_READ_SECONDS = 0.5


class FollowedClock:
    """The service clock of a drill, read from its row now and then, so that every process keeps the same time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = -_CLOCK_READ_SECONDS
        self._clock: Clock = SystemClock()
        self._reading = threading.Lock()

    def now(self) -> datetime:
        """The service clock; its row is read again every half second, by one thread."""
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
            return  # The clock last read still applies; callers report the missing database.
        self._read_at = time.monotonic()
        if row is not None:
            self._clock = ScaledClock(anchor_unix=row.anchor_unix, epoch=row.epoch, speed=row.speed)


def application(
    settings: Settings, purpose: ProcessPurpose = ProcessPurpose.COMMAND, *, process: str = ""
) -> AbstractContextManager[Application]:
    """The application on its configured servers, or on the embedded ones, which it starts, or joins when they run
    already. Leaving the context closes it. `process`: its name in PostgreSQL's list of sessions, after "dialer".
    """
    return closing(assemble(settings, purpose, process=process))


def assemble(
    settings: Settings, purpose: ProcessPurpose = ProcessPurpose.COMMAND, *, process: str = ""
) -> Application:
    """As `application`, for a caller that closes it. The schema is current and the keys match; a database that belongs
    to other settings cannot be written, unless the purpose is to adopt it. Raises `OtherSettings` for a process of the
    service whose database belongs to other settings.
    """
    refuse_plain_http(settings)
    only_reads = purpose is ProcessPurpose.LOOK
    with ExitStack() as undo:
        servers = own_servers(settings, may_start=not only_reads)
        if servers is not None:
            undo.callback(servers.stop)
        source = key_source(settings)
        vault = Vault(_keys(settings, source), read_again=source.load)
        carrier = own_carrier(settings, may_make=not only_reads)
        telephony = _telephony(settings, carrier)
        channels = _message_channels(telephony)
        policy = settings.policy.policy(zone=settings.centre.timezone)
        refuse_unknown_channels(policy, channels)
        store = Store(
            database_url(settings, servers), vault, pool_size=settings.database.pool_size, process=process
        )
        undo.callback(store.dispose)
        identity = identity_of(settings, telephony, carrier, vault)
        prepared = _prepare_database(
            settings, store, carrier, policy, identity, purpose, owner_url(settings, servers)
        )
        if purpose is ProcessPurpose.SERVE:
            refuse_erased(store, settings.register_of_erasures())
        undo.pop_all()
    store.follow_keys = KeyFollower(store)
    message_key = MessageKey(secrets=vault.order_secrets)
    celery = make_app(_broker_url(settings, servers), message_key)
    enqueue = Enqueuer(celery, message_key)
    store.after_commit = EnqueueLimiter(enqueue, spacing_seconds=0.2)
    services = _services(settings, store, prepared, vault, enqueue)
    return Application(
        settings=settings,
        services=services,
        key_source=source,
        identity=identity,
        differences=prepared.differences,
        celery=celery,
        enqueuer=enqueue,
        telephony=telephony,
        message_channels=channels,
        carrier=carrier,
        servers=servers,
    )


def _services(
    settings: Settings, store: Store, prepared: _Prepared, vault: Vault, enqueue: Enqueuer
) -> Services:
    return Services(
        store=store,
        clock=prepared.clock,
        real=SystemClock(),
        policies=Policies(store, current=prepared.policy_version, plan=PlanFollower(store)),
        rendered_scripts=RenderedScripts(
            store,
            sounds=Sounds(store, folder=settings.data_dir / SOUND_FOLDER),
            names=settings.centre.names(),
        ),
        lines=_line_rules(settings),
        centre=_centre(settings),
        work=WorkRules(
            approve_above_rows=settings.lists.approve_above_rows,
            least_call_seconds=settings.work.least_call_seconds,
            claim_seconds=settings.work.claim_seconds,
            silent_seconds=settings.work.silent_seconds,
            hold_seconds=settings.work.hold_seconds,
            listening_is_announced=settings.work.listening_is_announced,
            third_parties=settings.work.parties,
            draft_wait_hours=settings.work.draft_wait_hours,
            correction_wait_hours=settings.work.correction_wait_hours,
            map_address=settings.work.map_address,
            stall_seconds=settings.work.stall_seconds,
            tasks=settings.work.tasks,
            offer_seconds=settings.work.offer_seconds,
        ),
        numbers=settings.numbers.allowed(duty_line=settings.telephony.officer_number),
        inbound=settings.inbound,
        signals=settings.signals,
        cards=settings.cards,
        webhooks=settings.webhooks,
        push=settings.push,
        quality=settings.quality,
        sources=settings.sources,
        duty=settings.duty,
        sessions=settings.console.rules(),
        reveals=settings.console.reveal_rules(),
        drill=prepared.drill,
        practice=prepared.practice,
        facts_folder=settings.data_dir / "figures",
        derive_key=vault.derived(b"derive"),
        schema=prepared.schema,
        enqueue=enqueue,
    )


def _line_rules(settings: Settings) -> LineRules:
    return LineRules(
        settings_calls_per_second=settings.telephony.calls_per_second,
        settings_lines=settings.telephony.lines,
        post_timeout_seconds=settings.telephony.timeout_seconds,
        silence_seconds=settings.telephony.silence_seconds,
        ring_seconds=settings.telephony.ring_timeout_seconds,
        number_calls_an_hour=settings.telephony.number_calls_an_hour,
        number_calls_a_day=settings.telephony.number_calls_a_day,
        number_messages_an_hour=settings.telephony.number_messages_an_hour,
        number_messages_a_day=settings.telephony.number_messages_a_day,
        nuisance_percent=settings.telephony.nuisance_percent,
    )


def _centre(settings: Settings) -> Centre:
    return Centre(
        timezone=settings.centre.timezone,
        area_code=settings.centre.area_code,
        default_grade=settings.centre.default_grade,
        known_units=frozenset(settings.centre.units),
        bureau={"zh": settings.centre.bureau_zh, "en": settings.centre.bureau_en},
        hotline=settings.centre.hotline,
        callback_number=settings.telephony.caller_number,
        languages=settings.centre.offered_languages,
    )


def identity_of(
    settings: Settings, telephony: TelephonyConfig, carrier: CarrierAccess | None, vault: Vault
) -> Identity:
    """The settings that a database is bound to, by name: those of the line, of the centre and of who is who at a
    terminal, not the pace. Of a token only a fingerprint is in it.
    """
    identity = {
        "telephony.base_url": (settings.telephony.base_url or settings.carrier.line,),
        "telephony.caller_number": (telephony.caller_number,),
        "telephony.officer_number": (telephony.officer_number or "-",),
        "centre.timezone": (settings.centre.timezone,),
        "centre.area_code": (settings.centre.area_code,),
        TERMINAL_ACCOUNTS: (" ".join(sorted(settings.console.terminal_accounts)) or "-",),
    }
    if carrier is not None:
        return identity
    tokens = (telephony.auth_token, telephony.auth_token_next)
    return identity | {
        "telephony.account_sid": (telephony.account_sid,),
        "telephony.auth_token": tuple(_fingerprint(token, vault) for token in tokens if token),
        "web.public_url": (telephony.public_url,),
    }


def _fingerprint(secret: str, vault: Vault) -> str:
    """A keyed hash of the secret. It differs for two secrets, and without the keys it reveals nothing about them."""
    key = vault.derived(b"identity")
    return f"fingerprint {hashlib.blake2b(secret.encode(), key=key, digest_size=4).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What is known once the database is prepared. `schema`: its revision. `policy_version`: the one for new cases.
    `differences`: the settings in which the database belongs to something else.
    """

    schema: str
    drill: bool
    practice: bool
    clock: Clock
    policy_version: int
    differences: tuple[SettingDifference, ...]


def _prepare_database(
    settings: Settings,
    store: Store,
    carrier: CarrierAccess | None,
    policy: Policy,
    identity: Identity,
    purpose: ProcessPurpose,
    owner_url: str | None,
) -> _Prepared:
    """Migrates the schema and stores the policy and the scripts of the settings; their pace is stored at the first
    start only. A process that only reads, a command with other settings, or a pause on the schema of another version
    writes nothing here.
    """
    is_of_other_version = False
    if purpose is ProcessPurpose.PAUSE:
        schema = check_revision_for_pauses(store.sql_engine)
        is_of_other_version = schema != newest_revision()
    elif purpose is ProcessPurpose.LOOK:
        schema = check_revision(store.sql_engine)
        store.refuses_writing = Refusal("this command only reads")
    else:
        schema = migrate_database(
            store.sql_engine,
            owner_url=owner_url,
            before_upgrade=lambda: _refuse_others(store, identity, purpose),
        )
    real = SystemClock()
    with store.begin() as tx:
        recorded = recorded_identity(tx)
        differences = _differences(recorded, identity, purpose)
        if differences and purpose is ProcessPurpose.SERVE:
            raise OtherSettings(differences)
        may_write = not (differences or purpose is ProcessPurpose.LOOK or is_of_other_version)
        check_database_keys(tx, may_write=may_write)
        clock: Clock = FollowedClock(store) if read_service_clock(tx) is not None else real
    if may_write:
        now = clock.now()
        with store.begin() as tx:
            begin_chain(tx, now=now)
    with store.begin() as tx:
        if isinstance(clock, FollowedClock) and not settings.is_simulated():
            raise SettingsError(
                key="telephony.base_url" if carrier is None else "carrier.line",
                problem="this database runs on a drill's clock, which no real line may follow",
            )
        if not may_write:
            policy_version = newest_policy_version(tx)
        else:
            is_first = recorded is None and purpose is ProcessPurpose.SERVE
            _set_pace(tx, settings, is_first=is_first, real_now=real.now())
            if purpose is ProcessPurpose.SERVE:
                if recorded is None:
                    refuse_other_line(tx, is_simulated=settings.is_simulated())
                record_identity(tx, identity)
            policy_version = ensure_policy_version(tx, to_plain(policy), now=real.now())
            seed_scripts(tx, now=clock.now())
            seed_cards(tx, now=clock.now())
            seed_quality_rules(tx, now=clock.now())
        drill, practice = is_drill_database(tx), is_practice_database(tx)
    if differences and purpose in {ProcessPurpose.COMMAND, ProcessPurpose.PAUSE}:
        store.refuses_writing = OtherSettings(differences)
    return _Prepared(
        schema=schema,
        drill=drill,
        practice=practice,
        clock=clock,
        policy_version=policy_version,
        differences=differences,
    )


def refuse_other_line(tx: Tx, *, is_simulated: bool) -> None:
    """Keeps simulated calls apart from real ones. Raises `RealRecords` for a simulated line on a database with real
    records, and `SettingsError` for a real line on the database of a drill.
    """
    if is_simulated:
        refuse_real_records(tx)
    elif is_drill_database(tx):
        raise SettingsError(
            key="telephony.base_url",
            problem="is a real line, and this database is a drill: use another data_dir or database",
        )


def _refuse_others(store: Store, identity: Identity, purpose: ProcessPurpose) -> None:
    """Raises `OtherSettings` before a migration by a process with other settings, unless it adopts the database."""
    with store.begin() as tx:
        differences = _differences(recorded_identity(tx), identity, purpose)
    if differences and purpose is not ProcessPurpose.ADOPT:
        raise OtherSettings(differences)


def _differences(
    recorded: Identity | None, identity: Identity, purpose: ProcessPurpose
) -> tuple[SettingDifference, ...]:
    """What differs and matters to such a process: a command is signed by the recorded accounts of users of machines,
    whatever its own settings say.
    """
    return tuple(
        found
        for found in identity_differences(recorded, identity)
        if purpose is ProcessPurpose.SERVE or found.setting != TERMINAL_ACCOUNTS
    )


def _set_pace(tx: Tx, settings: Settings, *, is_first: bool, real_now: datetime) -> None:
    telephony = settings.telephony
    set_pace = configure_line_group if is_first else ensure_line_group
    set_pace(
        tx,
        calls_per_second=telephony.calls_per_second,
        lines=telephony.lines,
        real_now=real_now,
    )


def _broker_url(settings: Settings, servers: EmbeddedServers | None) -> str:
    if url := settings.broker.client_url:
        return url
    assert servers is not None
    return servers.broker_url


def key_source(settings: Settings) -> KeySource:
    """Where the key ring of these settings is. Raises `SettingsError`."""
    keys = settings.keys
    if keys.file is None and not keys.command and settings.database.url is not None:
        raise SettingsError(
            key="keys.file",
            problem="must name the keys of the configured database (DIALER_KEYS__FILE); `dialer keys create` makes one",
        )
    own = None if keys.command else settings.data_dir / "keys.json"
    return KeySource(
        file=keys.file or own,
        command=keys.command,
        command_seconds=keys.command_seconds,
        token=token_of(keys),
    )


def token_of(keys: KeysSettings) -> KeyToken | None:
    """The PKCS#11 token whose key wraps the secrets of the ring; None where they are not wrapped."""
    if keys.pkcs11_library is None:
        return None
    return KeyToken(
        library=keys.pkcs11_library, token=keys.pkcs11_token, key=keys.pkcs11_key, pin=keys.pkcs11_pin
    )


def _keys(settings: Settings, source: KeySource) -> Keys:
    """The key ring. It is created only beside the embedded database; a configured database requires configured keys."""
    path = source.file
    if path is not None and settings.keys.file is None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return create(path, suite=settings.keys.suite, token=source.token)
        except KeysRefused:
            if not path.exists():
                raise
    return source.load()


def _message_channels(
    telephony: TelephonyConfig,
) -> Mapping[MessageChannel, Callable[[], MessageClient]]:
    """For each configured channel of messages, the function that creates its client. It imports the client's module,
    since only the worker that sends needs its libraries.
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


def refuse_plain_http(settings: Settings) -> None:
    """Raises `SettingsError` where passwords, personal data or calls would go over http between two machines."""
    web = settings.web
    for key, address in (
        ("web.public_url", web.public_url),
        ("web.console_url", web.console_url),
        ("telephony.base_url", settings.telephony.base_url),
        ("identity.oidc_issuer", settings.identity.oidc_issuer),
    ):
        parts = urlsplit(address or "")
        if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
            raise SettingsError(key=key, problem="is http to another machine: give its https address")
    if web.public_url is None and not is_this_machine(web.host):
        raise SettingsError(
            key="web.public_url",
            problem=Text(
                "web.host %(host)s can be reached from other machines: set the https address of the reverse proxy here,"
                " or web.host to 127.0.0.1",
                host=web.host,
            ),
        )


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
        talk_limit_seconds=telephony.longest_call_seconds,
        officer_number=telephony.officer_number,
        officer_ring_seconds=telephony.officer_ring_seconds,
        hear_speech=telephony.hear_speech,
        numbers=settings.numbers.allowed(duty_line=telephony.officer_number),
    )
