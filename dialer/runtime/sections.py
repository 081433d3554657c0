"""The sections of the settings: each field with its limits. `settings.toml` has the defaults, with their meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from dialer.core.access import RevealRules, Role, SessionRules
from dialer.core.errors import WrongValue
from dialer.core.offers import TaskMode
from dialer.core.periods import BulletinKind
from dialer.core.text import Text
from dialer.core.third_party import PartyKind, ThirdParty, read_party
from dialer.core.values import Grade, Suite

_DAY = 86_400
_MAP_ADDRESS = re.compile(
    r"(?:geo:|https?://[^\s/?#@{}]+/)(?=[^{}]*\{latitude\}[^{}]*\{longitude\}[^{}]*$"
    r"|[^{}]*\{longitude\}[^{}]*\{latitude\}[^{}]*$)[^\s\"'<>]*"
)
_YEAR = 365 * _DAY


class Section(BaseModel):
    """One table of settings.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise WrongValue(Text("%(name)s is not a time zone such as Asia/Shanghai", name=name)) from error
    return name


def _http_address(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise WrongValue(Text("is not an address such as https://dialer.example.cn"))
    return url.rstrip("/")


HttpAddress = Annotated[str, AfterValidator(_http_address)]
TimeZone = Annotated[str, AfterValidator(_known_timezone)]


class DatabaseSettings(Section):
    url: SecretStr | None = None
    """None: the embedded PostgreSQL of `data_dir`."""
    owner_url: SecretStr | None = None
    """For migrations, as the owner of the tables. None: the role of `url` owns them."""
    pool_size: int = Field(default=5, ge=1, le=100)


BETWEEN_BROKERS: Final = ";"
"""Between the addresses of several brokers, as Celery writes them."""
_BROKER_SCHEMES = ("redis", "rediss", "redis+socket")
_VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}


class BrokerSettings(Section):
    url: SecretStr | None = None
    """None: the embedded Valkey of `data_dir`. Several addresses are separated by `;`: orders go to all of them, and a
    worker that loses one goes on with the next.
    """
    ca_file: Path | None = None
    """The authorities that may have signed the certificate of a rediss:// broker. None: those of the system."""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        for one in url.get_secret_value().split(BETWEEN_BROKERS):
            parts = urlsplit(one)
            if parts.scheme not in _BROKER_SCHEMES:
                raise WrongValue(
                    Text("begins with %(known)s; Sentinel is not supported", known=", ".join(_BROKER_SCHEMES))
                )
            if any(value != _VERIFIED.get(name, value) for name, value in parse_qsl(parts.query)):
                raise WrongValue(Text("the certificate of a broker is always verified: see broker.ca_file"))
        return url

    @property
    def client_url(self) -> str | None:
        """The URLs for clients of the broker, which verify its certificate and its name: kombu does not by default."""
        if self.url is None:
            return None
        return BETWEEN_BROKERS.join(map(self._verified, self.url.get_secret_value().split(BETWEEN_BROKERS)))

    def _verified(self, url: str) -> str:
        if not url.startswith("rediss:"):
            return url
        parts = urlsplit(url)
        tls = _VERIFIED | ({} if self.ca_file is None else {"ssl_ca_certs": str(self.ca_file)})
        return urlunsplit(parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | tls)))


class TelephonySettings(Section):
    base_url: HttpAddress | None = None
    """None: the carrier of this service, on the line that `carrier.line` names."""
    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-f]{32}$")
    auth_token: SecretStr | None = None
    auth_token_next: SecretStr | None = None
    """Also accepted on webhooks while tokens are rotated."""
    caller_number: str = Field(default="+8647896110", pattern=r"^\+?[0-9]{5,15}$")
    calls_per_second: float = Field(default=1.0, gt=0, le=500)
    lines: int = Field(default=24, ge=1, le=10_000)
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    ring_timeout_seconds: int = Field(default=30, ge=5, le=600)
    """Service seconds of ringing before the call counts as not answered."""
    officer_number: str = Field(default="", pattern=r"^(\+?[0-9]{3,15})?$")
    """The duty line to which calls are transferred. Empty: calls are not transferred, and an officer calls back."""
    officer_ring_seconds: int = Field(default=20, ge=5, le=600)
    """Service seconds of ringing at the duty line before the person hears that an officer will call back."""
    hear_speech: bool = True
    """Answers may be spoken as well as pressed. A spoken answer alone never counts as a success."""
    silence_seconds: float = Field(default=90.0, ge=1, le=3600)
    """After this long without an event the carrier is asked for the state of the call."""
    longest_call_seconds: int = Field(default=600, ge=60, le=7200)
    """A robot call is ended after this."""
    price_a_minute_fen: float | None = Field(default=None, ge=0, le=1_000_000)
    """Of a call, as the contract says; None: the cost is told in minutes."""
    number_calls_an_hour: int = Field(default=6, ge=1, le=1000)
    """Robot calls and staff calls to one number, of all cases; the robot then waits for the rest of the hour."""
    number_calls_a_day: int = Field(default=20, ge=1, le=1000)
    number_messages_an_hour: int = Field(default=4, ge=1, le=1000)
    """Messages of the robot to one number, of all cases; further ones wait."""
    number_messages_a_day: int = Field(default=10, ge=1, le=1000)
    nuisance_percent: float = Field(default=2.0, gt=0, le=100)


class WebSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: HttpAddress | None = None
    """The address that the telephone network is given, and signs. None: made of host and port."""
    check_public_url: bool = True
    """The web process asks itself through `public_url` every half minute. Off where a network does not let its own
    machines reach that address.
    """
    console_url: HttpAddress | None = None
    """The address at which staff open the console; passkeys belong to it. None: public_url."""
    proxies: tuple[IPvAnyNetwork, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    """Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and certificate headers are read; from other addresses they
    are ignored.
    """
    hsts_seconds: int = Field(default=31_536_000, ge=0, le=63_072_000)
    """How long a browser that was here over https uses nothing else (Strict-Transport-Security); 0: not told."""
    hsts_subdomains: bool = False
    """Also for every host below the console's name: each of them must then be served over https."""
    hosts: tuple[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$", to_lower=True)], ...
    ] = ()
    """Further names by which staff reach the pages; those of the addresses above count anyway."""
    connections: int = Field(default=4000, ge=10, le=1_000_000)
    """The most connections of one web process at once; a further one takes the place of the oldest that waits for its
    request.
    """
    connections_per_address: int = Field(default=1000, ge=5, le=1_000_000)
    """The most connections of one address at once; the proxies are exempt."""
    head_seconds: float = Field(default=10.0, ge=0.1, le=600)
    """How long the head of a request may take; a head of more than 64 KB is refused."""
    body_seconds: float = Field(default=30.0, ge=0.1, le=600)
    """How long a body, or each 256 KB of it, may take, and how long a client may take nothing of an answer."""

    def is_own_host(self, host: str) -> bool:
        """Whether a browser may have asked for our pages by this name, without its port: one of the settings, an
        address, `localhost`, or a name without a dot, which no other site can have. So no page of another site reads
        ours by having its own name lead here.
        """
        name = host.lower().rstrip(".")
        own = (urlsplit(str(address)).hostname for address in (self.public_url, self.console_url) if address)
        if ("." not in name and ":" not in name) or name in self.hosts or name in own:
            return True
        try:
            ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    @property
    def https_only(self) -> str:
        """The value of Strict-Transport-Security; '' for none."""
        if not self.hsts_seconds:
            return ""
        return f"max-age={self.hsts_seconds}" + ("; includeSubDomains" if self.hsts_subdomains else "")


class ConsoleSettings(Section):
    """Sign-in of staff, in real seconds."""

    idle_seconds: float = Field(default=1800.0, ge=60, le=86_400)
    """A session ends when it is not used for this long."""
    session_seconds: float = Field(default=43_200.0, ge=300, le=604_800)
    """A session ends after this long in any case: a shift."""
    failures: int = Field(default=5, ge=2, le=100)
    """Tries at one login that an address has before it waits; it has four times as many at all logins together."""
    lock_seconds: float = Field(default=900.0, ge=1, le=86_400)
    step_seconds: float = Field(default=300.0, ge=30, le=3600)
    """Between the password and the second factor."""
    sessions: int = Field(default=5, ge=1, le=100)
    """Sessions of one account; a further one ends the oldest."""
    temporary_password_seconds: float = Field(default=86_400.0, ge=60, le=2_592_000)
    """A password that was given out expires after this."""
    confirm_seconds: float = Field(default=259_200.0, ge=60, le=2_592_000)
    """How long a change of an account waits for a security administrator."""
    terminal_accounts: tuple[Annotated[str, StringConstraints(pattern=r"^[^=\s]+=[^=\s]+$")], ...] = ()
    """Users of this machine and their accounts, such as `zhang=zhangsan`: they need no `dialer sign-in`."""
    reveals: int = Field(default=30, ge=1, le=10_000)
    """How often one person may view hidden data in `reveal_seconds`."""
    reveal_seconds: float = Field(default=600.0, ge=1, le=86_400)
    reveals_alarm: int = Field(default=20, ge=1, le=10_000)
    """Cases or lists that one person sees in clear in `reveal_seconds` before the alarm `many_reveals` is raised."""
    searches: int = Field(default=60, ge=1, le=100_000)
    """How often one person may search by a phone, a name or an id number in `reveal_seconds`."""
    searches_without_reason: int = Field(default=10, ge=0, le=100_000)
    """Such searches in `reveal_seconds` that need no reason."""
    searches_alarm: int = Field(default=30, ge=1, le=100_000)
    """Such searches in `reveal_seconds` that raise the alarm `many_searches`."""
    people_pages: int = Field(default=900, ge=10, le=1_000_000)
    """Different pages with masked people that one account opens in an hour of the clock."""
    people_pages_alarm: int = Field(default=450, ge=1, le=1_000_000)
    """Such pages in an hour that raise the alarm `many_pages`."""
    second_factor_roles: tuple[Role, ...] = tuple(Role)
    """Roles that need a second factor."""
    second_factor_grace_seconds: float = Field(default=604_800.0, ge=0, le=7_776_000)
    """How long an account of these roles may do without one, from its first sign-in that lacked it."""
    first_link_seconds: float = Field(default=86_400.0, ge=60, le=604_800)
    """How long the link of the first administrator is valid."""
    patience_seconds: float = Field(default=0.12, ge=0.01, le=60)
    """How long a page waits for figures of many records; slower ones are counted in the background."""

    def rules(self) -> SessionRules:
        """Limits of sessions and sign-ins."""
        limits = self.model_dump(
            include={rule.name for rule in fields(SessionRules)} - {"second_factor_roles"}
        )
        return SessionRules(**limits, second_factor_roles=frozenset(self.second_factor_roles))

    def reveal_rules(self) -> RevealRules:
        """How much hidden data one person may view or search for, and when an alarm is raised."""
        return RevealRules(
            most=self.reveals,
            seconds=self.reveal_seconds,
            alarm=self.reveals_alarm,
            searches=self.searches,
            searches_without_reason=self.searches_without_reason,
            searches_alarm=self.searches_alarm,
            pages=self.people_pages,
            pages_alarm=self.people_pages_alarm,
        )


class IdentitySettings(Section):
    """Sign-in with the centre's own identity: an OpenID Connect provider, or client certificates that the reverse proxy
    has verified. Both are off by default, and open existing accounts only.
    """

    oidc_issuer: HttpAddress | None = None
    """The provider; None: off."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_claim: str = Field(default="preferred_username", min_length=1, max_length=60)
    """The claim of the id token that holds the login."""
    oidc_name: str = Field(default="", max_length=40)
    """What the button on the sign-in page calls the provider."""
    certificate_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,60}$")
    """The header in which the proxy names the subject of a verified certificate; empty: off."""
    certificate_verified_header: str = Field(default="X-Client-Verify", pattern=r"^[A-Za-z0-9-]{1,60}$")
    """The header in which the proxy says SUCCESS."""
    certificate_attribute: str = Field(default="CN", pattern=r"^[A-Za-z]{1,20}$")
    """The attribute of the subject that holds the login."""
    has_second_factor: bool = False
    """The identity provider and the certificates' devices ask for a second factor themselves."""


class ApiSettings(Section):
    """Limits of each API token, over all web processes together."""

    requests_per_second: float = Field(default=20.0, gt=0, le=10_000)
    burst: int = Field(default=40, ge=1, le=100_000)
    """Requests allowed at once after a pause."""


class SchedulerSettings(Section):
    tick_seconds: float = Field(default=1.0, gt=0, le=60)
    consistency_seconds: float = Field(default=30.0, gt=0, le=3600)
    """How often the consistency checker runs."""
    late_seconds: float = Field(default=120.0, gt=0, le=3600)
    """A complete cycle of the scheduler older than this is reported as late."""


class AuditSettings(Section):
    """Where the last line of the audit is noted outside the database."""

    anchor_seconds: float = Field(default=300.0, ge=10, le=86_400)
    anchor_file: Path | None = None
    """A file on other storage; a line is added to it each time."""
    anchor_syslog: str | None = Field(
        default=None, pattern=r"^((udp|tcp)://([^/:@\s]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}|unix:///\S+)$"
    )
    anchor_tsa_url: HttpAddress | None = None
    """A time-stamping authority (RFC 3161); its stamps are in the anchor file."""
    anchor_tsa_certificate: Path | None = None
    """The authority's root certificates (PEM), which stamps are checked with."""

    @model_validator(mode="after")
    def _stamps_have_a_file(self) -> Self:
        if self.anchor_tsa_url is not None and self.anchor_file is None:
            raise WrongValue(Text("anchor_tsa_url needs anchor_file, which holds the stamps"))
        return self

    def has_anchors(self) -> bool:
        """Whether the head of the audit is also written outside the database."""
        return self.anchor_file is not None or self.anchor_syslog is not None


class ErasureSettings(Section):
    register_file: Path | None = None
    """Whom a restore must erase again. None: the file erasures.jsonl of `data_dir`."""


_LONGEST_DAYS = 36_500
LEAST_AUDIT_DAYS = 180
"""The law asks for six months; the database refuses to delete younger lines."""


class RetentionSettings(Section):
    """How long data are kept, in days; 0: without end."""

    persons_days: int = Field(default=1095, ge=0, le=_LONGEST_DAYS)
    conversations_days: int = Field(default=365, ge=0, le=_LONGEST_DAYS)
    recordings_days: int = Field(default=180, ge=0, le=_LONGEST_DAYS)
    photos_days: int = Field(default=365, ge=0, le=_LONGEST_DAYS)
    evidence_files_days: int = Field(default=1095, ge=0, le=_LONGEST_DAYS)
    rejected_rows_days: int = Field(default=90, ge=0, le=_LONGEST_DAYS)
    filed_records_days: int = Field(default=1095, ge=0, le=_LONGEST_DAYS)
    openings_days: int = Field(default=1825, ge=0, le=_LONGEST_DAYS)
    inbound_calls_days: int = Field(default=90, ge=0, le=_LONGEST_DAYS)
    audit_days: int = Field(default=1095, ge=0, le=_LONGEST_DAYS)
    kept_reports_days: int = Field(default=1, ge=1, le=_LONGEST_DAYS)
    sessions_days: int = Field(default=1, ge=1, le=_LONGEST_DAYS)

    @model_validator(mode="after")
    def _audit_is_kept(self) -> Self:
        if 0 < self.audit_days < LEAST_AUDIT_DAYS:
            raise WrongValue(Text("audit_days is at least %(days)s, or 0", days=LEAST_AUDIT_DAYS))
        return self


class QualitySettings(Section):
    """Inspection of recorded calls."""

    transcribe: bool = False
    """Recorded calls are read into words; needs the extra `hearing` where the workers run."""
    longest_minutes: int = Field(default=30, ge=1, le=240)
    """A longer call is not inspected."""


class BulletinSettings(Section):
    """Which bulletins are drafted when their days are over."""

    kinds: tuple[BulletinKind, ...] = (BulletinKind.WEEK, BulletinKind.MONTH)


class ListsSettings(Section):
    approve_above_rows: int = Field(default=0, ge=0)
    """Larger lists wait for approval by a second person, except their high grades. 0: no list does."""


class WorkSettings(Section):
    least_call_seconds: int = Field(default=20, ge=0, le=3600)
    """A success by phone needs a staff call of this length, else a reason and a second person. 0: it needs none."""
    claim_seconds: int = Field(default=1800, ge=60, le=86_400)
    """How long a success without a call waits for a second person; then the task is back in the queue."""
    tasks: TaskMode = TaskMode.PULL
    """`pull`: whoever asks for the next call takes the most urgent. `offer`: it is offered to who has been free
    longest.
    """
    offer_seconds: int = Field(default=20, ge=5, le=120)
    """Real seconds for which a call is offered to one person, and then to the next."""
    stall_seconds: int = Field(default=300, ge=60, le=86_400)
    """How long a call waits while somebody who may take it is free, before an alarm says so."""
    silent_seconds: int = Field(default=180, ge=90, le=86_400)
    """Real seconds without an open page after which somebody who is free or on a break is off. A browser lets a page in
    the background speak once a minute.
    """
    hold_seconds: int = Field(default=180, ge=30, le=3600)
    """How long a person may be on hold in a call from a desk before an alarm says so."""
    listening_is_announced: bool = True
    """Caller and person hear that a supervisor listens, and the caller sees who."""
    third_parties: tuple[str, ...] = ()
    """Whom a desk may bring into a call, such as `bank:ICBC stop payment=95588`; the kinds are officer, bank and
    interpreter. A number that `[numbers]` does not allow is left out.
    """
    draft_wait_hours: int = Field(default=24, ge=1, le=720)
    """Service hours after which an alarm tells that a draft waits for a second person."""
    correction_wait_hours: int = Field(default=72, ge=1, le=2160)
    """Service hours after which an alarm tells that the answer to an order to correct waits for its decision; of an
    answer that waits already, those that were set when it was given.
    """
    map_address: str = Field(default="geo:{latitude},{longitude}", max_length=300)
    """What the link to the map on the page of a visit opens. `geo:` opens the map of the officer's device and sends
    nothing over the network; with an `https:` address the host of that address learns the place. Empty: no link.
    """

    @field_validator("third_parties")
    @classmethod
    def _are_parties(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        names = set()
        for text in given:
            party = read_party(text)
            if party is None:
                raise WrongValue(
                    Text(
                        "%(text)s is not kind:name=number, such as bank:ICBC=95588, with a kind of %(kinds)s",
                        text=text,
                        kinds=", ".join(PartyKind),
                    )
                )
            if party.key in names:
                raise WrongValue(Text("%(name)s is listed twice", name=party.name))
            names.add(party.key)
        return given

    @property
    def parties(self) -> tuple[ThirdParty, ...]:
        """The entries of `third_parties`."""
        return tuple(party for text in self.third_parties if (party := read_party(text)) is not None)

    @field_validator("map_address")
    @classmethod
    def _check_map_address(cls, template: str) -> str:
        if template and not _MAP_ADDRESS.fullmatch(template):
            raise WrongValue(
                Text(
                    "begins with geo: or https: and names {latitude} and {longitude}, each once, or is empty"
                )
            )
        return template


class InboundSettings(Section):
    """Calls of people to us, in service seconds."""

    opens: time = time(8)
    closes: time = time(22)
    """Outside these hours the duty line alone is called. Equal times: always open."""
    ring_seconds: int = Field(default=15, ge=5, le=120)
    wait_seconds: int = Field(default=120, ge=0, le=1800)
    """How long a person waits in the queue before hearing that we call back."""


class SignalsSettings(Section):
    """The warning robot. Service time, except for the snapshots."""

    keep_days: int = Field(default=7, ge=4, le=14)
    """How long signals are stored. The rules look back 72 hours."""
    late_seconds: int = Field(default=3600, ge=0, le=2 * _DAY)
    """How much earlier a signal may be than the newest one of its person; a later one changes no verdict."""
    share: float = Field(default=0.8, gt=0, le=1)
    """The share of the free lines and desks that warnings of the robot may use."""
    least_desks: int = Field(default=2, ge=0, le=10_000)
    """At least this many callers are counted on, even when fewer are signed in."""
    draw_share: float = Field(default=0.04, ge=0, le=0.2)
    """The share of the budget for verdicts below the threshold, drawn at random."""
    snapshot_seconds: float = Field(default=60.0, ge=1, le=3600)
    """Real seconds between two snapshots of the robot's state."""
    stream: str = Field(default="", pattern=r"^[A-Za-z0-9:._-]{0,100}$")
    """A stream of the broker that signals are read from. Empty: none."""


class CardsSettings(Section):
    """Two-card control. Clocks of a question are real seconds after it was asked."""

    home_prefix: str = Field(default="1508", pattern=r"^[0-9]{2,6}$")
    """Id numbers that begin with this were issued here; all others are of people from another place."""
    top_limit_yuan: int = Field(default=200_000, ge=1, le=1_000_000_000)
    """A requested limit of this much or more counts as the highest."""
    first_class_ceiling: int = Field(default=1, ge=1, le=100)
    """Accounts of class I of a person at one bank."""
    other_class_ceiling: int = Field(default=5, ge=1, le=100)
    """Accounts of class II and III of a person at one bank."""
    sim_ceiling: int = Field(default=5, ge=1, le=100)
    """SIM cards of a person at one carrier."""
    answer_seconds: float = Field(default=0.2, ge=0, le=5)
    """A check at a counter is answered no sooner, in real time, so that its time says nothing of what was found."""
    checks_per_hour: int = Field(default=60, ge=1, le=100_000)
    """Checks of one outlet in an hour; more raise an alarm."""
    unfinished_a_day: int = Field(default=40, ge=1, le=100_000)
    """Openings that one teller has checked within 24 hours and that got no card and no refusal; no further one is
    checked.
    """
    unfinished_a_day_by_token: int = Field(default=200, ge=1, le=1_000_000)
    """The same of all tellers of one outlet whose institution asks by a token of the API."""
    remind_seconds: int = Field(default=60, ge=5, le=3600)
    second_seconds: int = Field(default=180, ge=5, le=3600)
    """From then on a second officer may take a claimed question."""
    lapse_seconds: int = Field(default=300, ge=10, le=3600)
    """Then the outlet decides by itself."""
    objection_days: int = Field(default=15, ge=1, le=180)
    """By then an objection is decided."""
    group_times: float = Field(default=2.0, ge=1, le=100)
    """A group of people stands out when the interval of its share lies above this many times that of all others."""
    group_least: int = Field(default=10, ge=1, le=100_000)
    """And when at least this many of its openings are found."""
    group_days: int = Field(default=90, ge=1, le=3660)
    """How many days of openings are compared."""

    @property
    def top_limit_fen(self) -> int:
        """`top_limit_yuan` in fen."""
        return self.top_limit_yuan * 100

    @model_validator(mode="after")
    def _clocks_follow(self) -> Self:
        if not self.remind_seconds < self.second_seconds < self.lapse_seconds:
            raise WrongValue(Text("remind_seconds, second_seconds and lapse_seconds must rise"))
        return self


class WebhooksSettings(Section):
    """How messages of outgoing webhooks leave. Real seconds."""

    networks: tuple[str, ...] = ()
    """Addresses that messages may go to, such as 10.1.0.0/16. Empty: none may."""
    timeout_seconds: float = Field(default=10.0, ge=1, le=60)
    """Of one request, from the connection to the end of the answer."""
    tries: int = Field(default=12, ge=1, le=30)
    keep_days: int = Field(default=90, ge=1, le=3650)
    """How long the log is kept."""

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            try:
                ip_network(text)
            except ValueError:
                raise WrongValue(Text("%(text)s is not a network, such as 10.1.0.0/16", text=text)) from None
        return given


class PushSettings(Section):
    """Web Push: notifications that browsers show while no page is open."""

    services: tuple[str, ...] = ()
    """Hosts of the browser makers' push services that messages may go to, with the hosts below them. Empty: off."""
    contact: str = Field(default="", pattern=r"^(|mailto:[^\s]+|https://[^\s]+)$")
    """Whom a push service asks about our messages."""
    timeout_seconds: float = Field(default=10.0, ge=1, le=30)


class ClockSettings(Section):
    speed: float = Field(default=1.0, ge=1, le=3600)
    """Service seconds in one real second; above 1 on the simulated line only."""


class KeysSettings(Section):
    file: Path | None = None
    """None: made beside the embedded servers. A configured database requires a configured file or command."""
    command: tuple[str, ...] = ()
    """A program and its arguments; it prints the key ring."""
    command_seconds: float = Field(default=10.0, ge=0.1, le=120)
    suite: Suite = Suite.AES_BLAKE2
    """The suite of new keys; existing keys keep theirs."""
    pkcs11_library: Path | None = None
    pkcs11_token: str = ""
    pkcs11_key: str = ""
    pkcs11_pin: SecretStr | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.file is not None and self.command:
            raise WrongValue(Text("file and command are both set: keep one"))
        given = (self.pkcs11_library is not None, bool(self.pkcs11_token), bool(self.pkcs11_key))
        if any(given) and not all(given):
            raise WrongValue(Text("pkcs11_library, pkcs11_token and pkcs11_key are set together"))
        return self


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "pretty"] = "auto"


class CentreSettings(Section):
    timezone: TimeZone = "Asia/Shanghai"
    area_code: str = Field(default="0478", pattern=r"^0[0-9]{2,3}$")
    bureau_zh: str = Field(default="巴彦淖尔市公安局", min_length=1, max_length=60)
    bureau_en: str = Field(default="Bayannur Public Security Bureau", min_length=1, max_length=120)
    hotline: str = Field(default="96110", pattern=r"^[0-9]{3,12}$")
    """What people are told to dial, after the area code."""
    default_grade: Grade = Grade.MEDIUM
    """For a warning without a grade."""
    units: tuple[str, ...] = ()
    """Units that lists may name; another one is accepted with a notice. Empty: every unit is known."""
    offered_languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    """Languages of calls, in the order in which they are offered: the person chooses by key."""

    def names(self) -> Mapping[str, Mapping[str, str]]:
        """The words of this centre for the variables of call scripts, by language."""
        return {
            "bureau": {"zh": self.bureau_zh, "en": self.bureau_en},
            "area_code": dict.fromkeys(("zh", "en"), self.area_code),
            "hotline": dict.fromkeys(("zh", "en"), self.hotline),
        }
