"""The settings of a carrier that runs by itself: a TOML file, and variables of the environment above it."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from carrier.config import BadCarrierConfig, CarrierConfig, ServiceClock
from carrier.lines.sip.stack_config import SipConfig
from carrier.lines.sip.trunks import BadTrunk, Trunk
from carrier.people import BadBehaviour, PeopleConfig, behaviour_from
from carrier.whisper import WhisperRecogniser, is_installed

_PREFIX: Final = "CARRIER_"
_Value = TypeVar("_Value")
_READERS: Final[Mapping[object, Callable[[Any], object]]] = {
    "str": str,
    "int": int,
    "int | None": int,
    "float": float,
    "float | None": float,
    "Path": Path,
}
_TYPES: Final[Mapping[str, Callable[[Any], object]]] = {
    field.name: _READERS[field.type] for field in dataclasses.fields(CarrierConfig) if field.type in _READERS
}
"""The settings that are fields of `CarrierConfig`; each is also a variable of the environment, as CARRIER_PORT."""
_OTHERS: Final = frozenset({"line", "speed", "hearing", "desk_numbers", "people", "sip"})
_DEFAULTS: Final[Mapping[str, object]] = {
    "account_sid": f"AC{'0' * 32}",
    "auth_token": "",
    "state_dir": Path("var/carrier"),
    "port": 4010,
}
_SIP: Final = frozenset(field.name for field in dataclasses.fields(SipConfig)) - {
    "carrier_url",
    "admin_token",
    "trunks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierSettings:
    """What a carrier runs with. `sip` None: the line is simulated."""

    config: CarrierConfig
    recogniser: WhisperRecogniser | None
    sip: SipConfig | None


def read_settings(path: Path | None, env: Mapping[str, str]) -> CarrierSettings:
    """The settings of the file, if one is given, with those of the environment above them. Raises `BadCarrierConfig`,
    which names the setting and never shows a secret; `OSError` for a file that cannot be read.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    except ValueError as problem:
        raise BadCarrierConfig(f"{path}: {problem}") from problem
    for name in sorted(data.keys() - _TYPES.keys() - _OTHERS):
        raise BadCarrierConfig(f"{name}: no such setting")
    for name in [*_TYPES, "line", "speed", "hearing"]:
        if (text := env.get(_PREFIX + name.upper())) is not None:
            data[name] = text
    values = dict(_DEFAULTS)
    for name, read in _TYPES.items():
        if name in data:
            values[name] = _value(name, read, data[name])
    line = data.get("line", "simulated")
    if line not in {"simulated", "sip"}:
        raise BadCarrierConfig("line: simulated or sip")
    if data.get("people"):
        values["people"] = _people(data["people"])
    # Sound takes its real time.
    speed = 1.0 if line == "sip" else _value("speed", float, data.get("speed", 1.0))
    recogniser = WhisperRecogniser() if data.get("hearing", "auto") != "off" and is_installed() else None
    config = CarrierConfig(
        clock=ServiceClock(speed=speed),
        desk_numbers=tuple(map(str, data.get("desk_numbers", ()))),
        recogniser=recogniser,
        has_messages=line == "simulated",
        **values,  # type: ignore[arg-type]
    )
    sip = _sip(data.get("sip", {}), config) if line == "sip" else None
    return CarrierSettings(config=config, recogniser=recogniser, sip=sip)


def _value(name: str, read: Callable[[Any], _Value], value: object) -> _Value:
    try:
        return read(value)
    except (TypeError, ValueError) as problem:
        raise BadCarrierConfig(f"{name}: not a valid value") from problem


def _people(data: list[dict[str, Any]]) -> PeopleConfig:
    try:
        return PeopleConfig(behaviours=tuple(map(behaviour_from, data)))
    except BadBehaviour as problem:
        raise BadCarrierConfig(f"people: {problem}") from problem


def _sip(data: Mapping[str, Any], config: CarrierConfig) -> SipConfig:
    """The settings of the SIP process; it finds the carrier at its port, which therefore is a fixed one."""
    for name in sorted(data.keys() - _SIP - {"trunks"}):
        raise BadCarrierConfig(f"sip.{name}: no such setting")
    if not data.get("trunks"):
        raise BadCarrierConfig("line is sip, and there is no trunk: add [sip.trunks.NAME]")
    if not config.port or not config.admin_token:
        raise BadCarrierConfig("line is sip, and the SIP process needs port and admin_token")
    try:
        trunks = tuple(Trunk(name=name, **values) for name, values in data["trunks"].items())
    except (BadTrunk, TypeError) as problem:
        raise BadCarrierConfig(f"sip.trunks: {problem}") from problem
    own = {name: value for name, value in data.items() if name != "trunks"}
    url = f"http://{config.host}:{config.port}"
    return SipConfig(carrier_url=url, admin_token=config.admin_token, trunks=trunks, **own)
