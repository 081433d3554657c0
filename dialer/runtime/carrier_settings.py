"""The settings of our own carrier: its line, its simulated people, and the trunks of the centre."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, FilePath, SecretStr, model_validator

from carrier.lines.sip.trunks import MAINLAND, BadTrunk, Trunk
from carrier.people import BadBehaviour, PeopleConfig, behaviour_from, practice_mix
from dialer.core.errors import WrongValue
from dialer.core.text import Text
from dialer.runtime.sections import Section


def _known_behaviours(people: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    for place, person in enumerate(people, start=1):
        try:
            behaviour_from(person)
        except BadBehaviour as error:
            raise WrongValue(Text("entry %(place)s: %(why)s", place=place, why=error)) from error
    return people


class TrunkSettings(Section):
    """One trunk of the centre's own line; its name is the table's. `docs/trunk.md` explains each field."""

    address: str
    number: str
    user: str = ""
    registers: bool = False
    proxy: str = ""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: bool = False
    asserts_identity: bool = True
    order: int = Field(default=1, ge=1, le=100)
    weight: int = Field(default=1, ge=1, le=100)
    channels: int = Field(default=30, ge=1, le=10_000)
    calls_per_second: float = Field(default=5.0, gt=0, le=500)
    prefixes: dict[str, str] = Field(default=dict(MAINLAND))
    keep_alive_seconds: float = Field(default=30.0, ge=0, le=3600)
    register_seconds: int = Field(default=300, ge=60, le=86_400)
    accepts_from: tuple[str, ...] = ()


_LAST_PORT = 65_535


class SipSettings(Section):
    """The centre's own trunks, used by the line `sip`."""

    listen: str = Field(default="0.0.0.0:5060", pattern=r"^[0-9A-Za-z.:\[\]-]+:[0-9]{1,5}$")
    interface: str = Field(default="", pattern=r"^[0-9A-Za-z.:_-]*$")
    rtp_ports: str = Field(default="10000-20000", pattern=r"^[0-9]{4,5}-[0-9]{4,5}$")
    ca_file: FilePath | None = None
    """Certificates (PEM) of the authorities that sign the certificates of trunks over TLS; unset: those of the
    system.
    """
    certificate_file: FilePath | None = None
    """Our certificate and its key (PEM), for inbound calls over TLS."""
    silent_seconds: float = Field(default=10.0, ge=1, le=120)
    progress_seconds: float = Field(default=12.0, ge=1, le=120)
    hold_seconds: float = Field(default=60.0, ge=1, le=3600)
    passwords: SecretStr | None = None
    """JSON: the password of each trunk that has one, by its name."""
    trunks: dict[str, TrunkSettings] = Field(default={})

    @model_validator(mode="after")
    def _trunks_fit(self) -> Self:
        for name in self._password_of().keys() - self.trunks.keys():
            raise WrongValue(Text("a password is set for %(name)s, which is not a trunk", name=name))
        self.every_trunk()
        first, last = map(int, self.rtp_ports.split("-"))
        if not first < last <= _LAST_PORT:
            raise WrongValue(Text("rtp_ports is not FIRST-LAST, with ports up to 65535"))
        if int(self.listen.rpartition(":")[2]) > _LAST_PORT:
            raise WrongValue(Text("listen has a port above 65535"))
        return self

    def every_trunk(self) -> tuple[Trunk, ...]:
        """The trunks with their passwords. Raises `WrongValue`."""
        passwords = self._password_of()
        made = []
        for name, trunk in self.trunks.items():
            try:
                made.append(Trunk(name=name, password=passwords.get(name, ""), **trunk.model_dump()))
            except BadTrunk as problem:
                raise WrongValue(Text("trunk %(name)s: %(why)s", name=name, why=problem)) from None
        return tuple(made)

    def _password_of(self) -> dict[str, str]:
        try:
            given = json.loads(self.passwords.get_secret_value()) if self.passwords is not None else {}
        except ValueError:
            given = None
        if not isinstance(given, dict) or not all(isinstance(password, str) for password in given.values()):
            raise WrongValue(Text('passwords is not a JSON object such as {"trunk": "password"}'))
        return given


_PEER_CHANNELS, _PEER_CALLS_PER_SECOND, _PEER_KEEP_ALIVE_SECONDS = 200, 50.0, 5.0


class CarrierSettings(Section):
    """The carrier of this service, used when no base URL is configured."""

    line: Literal["simulated", "sip", "peer"] = "simulated"
    """peer: SIP to simulated people on this machine, who are called instead of any trunk, to try out SIP."""
    peer_port: int = Field(default=0, ge=0, le=65535)
    """UDP port of the simulated people of the line `peer`, on the loopback address."""
    port: int = Field(default=0, ge=0, le=65535)
    """0: a free port, chosen once for a data folder."""
    seed: str = "1"
    """The same seed gives every simulated number the same behaviour."""
    hearing: Literal["auto", "off"] = "auto"
    """auto: speech is recognised if the extra `hearing` is installed."""
    people: Annotated[tuple[dict[str, Any], ...], AfterValidator(_known_behaviours)] = ()
    """The people of the simulated line, by share; empty: the mix that practice reports."""
    sip: SipSettings = SipSettings()

    @model_validator(mode="after")
    def _sip_has_trunks(self) -> Self:
        if self.line == "sip" and not self.sip.trunks:
            raise WrongValue(Text("line is sip, and there is no trunk: add [carrier.sip.trunks.NAME]"))
        if self.line == "peer" and not self.peer_port:
            raise WrongValue(Text("line is peer, and peer_port is not set"))
        return self

    @property
    def is_sip(self) -> bool:
        """Whether calls go over SIP, to trunks or to simulated people."""
        return self.line != "simulated"

    def trunks(self, *, number: str) -> tuple[Trunk, ...]:
        """The trunks of the settings; on the line `peer` one alone, which shows `number`. Raises `WrongValue`."""
        if self.line != "peer":
            return self.sip.every_trunk()
        return (
            Trunk(
                name="peer",
                address=f"127.0.0.1:{self.peer_port}",
                number=number,
                channels=_PEER_CHANNELS,
                calls_per_second=_PEER_CALLS_PER_SECOND,
                keep_alive_seconds=_PEER_KEEP_ALIVE_SECONDS,
            ),
        )

    def people_config(self) -> PeopleConfig:
        """The people of the simulated line; without a setting, the mix for practice."""
        if not self.people:
            return practice_mix()
        return PeopleConfig(behaviours=tuple(map(behaviour_from, self.people)))
