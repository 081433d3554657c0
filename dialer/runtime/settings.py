"""The settings of one installation: the only reader of settings.toml and of `DIALER_*` environment names.

The environment overrides the file. A name that is not a setting is refused with the nearest right one, in the file and
in the environment alike, so that a misspelt setting does not silently keep its default. Secrets come from the
environment or from a private file named there (`..._FILE`), never from settings.toml, which people may copy.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import (
    BaseModel,
    SecretStr,
    ValidationError,
)

import dialer
from dialer.core.errors import SettingsError, WrongValue
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Grade
from dialer.runtime.carrier_settings import CarrierSettings
from dialer.runtime.duty_settings import DutySettings
from dialer.runtime.monitoring_settings import MonitoringSettings
from dialer.runtime.number_settings import NumbersSettings
from dialer.runtime.policy_settings import PolicySection
from dialer.runtime.sections import (
    ApiSettings,
    AuditSettings,
    BrokerSettings,
    BulletinSettings,
    CardsSettings,
    CentreSettings,
    ClockSettings,
    ConsoleSettings,
    DatabaseSettings,
    ErasureSettings,
    IdentitySettings,
    InboundSettings,
    KeysSettings,
    ListsSettings,
    LogSettings,
    PushSettings,
    QualitySettings,
    RetentionSettings,
    SchedulerSettings,
    Section,
    SignalsSettings,
    TelephonySettings,
    WebhooksSettings,
    WebSettings,
    WorkSettings,
)
from dialer.runtime.source_settings import SourcesSettings

PREFIX = "DIALER_"
_DELIMITER = "__"
_FILE_SUFFIX = "_FILE"
_SETTINGS_PATH = "DIALER_SETTINGS"
PASSWORD_IN_ADDRESS = re.compile(r"://[^/@]*:[^/@]+@")


_PYDANTIC: Mapping[str, str] = {
    "greater_than": gettext_noop("Input should be greater than %(gt)s"),
    "greater_than_equal": gettext_noop("Input should be greater than or equal to %(ge)s"),
    "less_than": gettext_noop("Input should be less than %(lt)s"),
    "less_than_equal": gettext_noop("Input should be less than or equal to %(le)s"),
    "int_parsing": gettext_noop("Input should be a valid integer, unable to parse string as an integer"),
    "int_type": gettext_noop("Input should be a valid integer"),
    "float_parsing": gettext_noop("Input should be a valid number, unable to parse string as a number"),
    "float_type": gettext_noop("Input should be a valid number"),
    "bool_parsing": gettext_noop("Input should be a valid boolean, unable to interpret input"),
    "string_type": gettext_noop("Input should be a valid string"),
    "missing": gettext_noop("Field required"),
    "enum": gettext_noop("Input should be %(expected)s"),
    "literal_error": gettext_noop("Input should be %(expected)s"),
}
"""Messages of pydantic by its type of error. The values are limits, never the input, which may be a secret."""


class Settings(Section):
    """All settings of one installation. Made by `load_settings` only."""

    data_dir: Path = Path("var")
    """Embedded servers, keys and files."""
    database: DatabaseSettings = DatabaseSettings()
    broker: BrokerSettings = BrokerSettings()
    telephony: TelephonySettings = TelephonySettings()
    numbers: NumbersSettings = NumbersSettings()
    web: WebSettings = WebSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    lists: ListsSettings = ListsSettings()
    work: WorkSettings = WorkSettings()
    inbound: InboundSettings = InboundSettings()
    signals: SignalsSettings = SignalsSettings()

    cards: CardsSettings = CardsSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    push: PushSettings = PushSettings()
    api: ApiSettings = ApiSettings()
    sources: SourcesSettings = SourcesSettings()
    duty: DutySettings = DutySettings()
    console: ConsoleSettings = ConsoleSettings()
    identity: IdentitySettings = IdentitySettings()
    carrier: CarrierSettings = CarrierSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    audit: AuditSettings = AuditSettings()
    erasure: ErasureSettings = ErasureSettings()
    retention: RetentionSettings = RetentionSettings()
    quality: QualitySettings = QualitySettings()
    bulletins: BulletinSettings = BulletinSettings()
    clock: ClockSettings = ClockSettings()
    keys: KeysSettings = KeysSettings()
    log: LogSettings = LogSettings()
    centre: CentreSettings = CentreSettings()

    policy: PolicySection
    """The rules of each grade; without a default, so that a grade without rules is refused at start."""

    def is_simulated(self) -> bool:
        """Whether no call of this installation reaches a real phone."""
        return self.telephony.base_url is None and self.carrier.line != "sip"

    def audit_places(self) -> AuditSettings:
        """Where the head of the audit is noted: in a file of the data folder if no other file is set."""
        if self.audit.anchor_file is not None:
            return self.audit
        return self.audit.model_copy(update={"anchor_file": self.data_dir / "audit-anchors"})

    def register_of_erasures(self) -> Path:
        """The path of the register of erasures, which is made at the first erasure."""
        return self.erasure.register_file or self.data_dir / "erasures.jsonl"


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _leaves(annotation, f"{prefix}{name.upper()}{_DELIMITER}")
        else:
            yield prefix + name.upper(), annotation


NAMES: Mapping[str, Any] = dict(_leaves(Settings))
"""Each setting's name as the environment spells it (without DIALER_), and its annotation."""
_FORMER = {
    "SCHEDULER__AUDIT_SECONDS": "SCHEDULER__CONSISTENCY_SECONDS",
    "RETENTION__CALLS_IN_DAYS": "RETENTION__INBOUND_CALLS_DAYS",
    **{f"POLICY__{g}__WINDOWED": f"POLICY__{g}__OUTSIDE_WINDOW" for g in map(str.upper, Grade)},
}
"""Former names of settings, each with its present name: the file and the environment of an earlier release are still
read.
"""


def load_settings(env: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """The settings of `file`, overlaid by the environment `env` (default: this process's own).

    Without `file`: what DIALER_SETTINGS names, else ./settings.toml, else the one that was shipped.
    Raises SettingsError, one line that names the key.
    """
    path, environment, values = _read(env, file)
    _overlay(values, environment)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise settings_error(error, environment) from None
    return _with_whole_paths(settings, path, environment)


def _read(env: Mapping[str, str] | None, file: Path | None) -> tuple[Path, Mapping[str, str], dict[str, Any]]:
    """The file that is read, what the environment sets, secrets from files included, and what the file sets."""
    given = os.environ if env is None else env
    environment = {name.upper(): value for name, value in given.items() if name.upper().startswith(PREFIX)}
    _refuse_cut(environment, given)
    path = file if file is not None else settings_file(environment)
    environment.pop(_SETTINGS_PATH, None)
    environment = _with_secret_files(environment)
    for former, name in _FORMER.items():
        if (text := environment.pop(PREFIX + former, "")) and environment.setdefault(
            PREFIX + name, text
        ) != text:
            raise _set_twice(PREFIX + former, PREFIX + name)
    for name in environment:
        if name.removeprefix(PREFIX) not in NAMES:
            raise SettingsError(key=name, problem=_unknown(name.removeprefix(PREFIX), NAMES, PREFIX))
    values = _read_file(path)
    _rename_former(values)
    _refuse_secrets(values)
    return path, environment, values


def places_of_settings(env: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Where each setting is set, by its name in `NAMES`: the variable of the environment, or the path of the file;
    a name that is missing has its default. Raises as `load_settings` does.
    """
    given = os.environ if env is None else env
    path, environment, values = _read(env, None)
    places = {}
    for name in NAMES:
        value: Any = values
        for part in name.lower().split(_DELIMITER):
            value = value.get(part) if isinstance(value, dict) else None
        if environment.get(PREFIX + name):
            former = [old for old, new in _FORMER.items() if new == name and PREFIX + old in given]
            pointer = PREFIX + name + _FILE_SUFFIX
            places[name] = PREFIX + former[0] if former else pointer if pointer in given else PREFIX + name
        elif value is not None:
            places[name] = str(path)
    return places


def _with_whole_paths(settings: Settings, file: Path, environment: Mapping[str, str]) -> Settings:
    """Relative paths in the file start at its folder, those in the environment at the current folder."""
    beside = Path.cwd() if file.parent.name == "_shipped" else file.absolute().parent

    def whole(path: Path, name: str) -> Path:
        return path.absolute() if PREFIX + name in environment else beside / path

    keys = settings.keys
    if keys.file is not None:
        keys = keys.model_copy(update={"file": whole(keys.file, "KEYS__FILE")})
    if keys.pkcs11_library is not None:
        library = whole(keys.pkcs11_library, "KEYS__PKCS11_LIBRARY")
        keys = keys.model_copy(update={"pkcs11_library": library})
    audit = settings.audit
    for key in ("anchor_file", "anchor_tsa_certificate"):
        if (path := getattr(audit, key)) is not None:
            audit = audit.model_copy(update={key: whole(path, f"AUDIT__{key.upper()}")})
    changed = {"data_dir": whole(settings.data_dir, "DATA_DIR"), "keys": keys, "audit": audit}
    if (register := settings.erasure.register_file) is not None:
        changed["erasure"] = ErasureSettings(register_file=whole(register, "ERASURE__REGISTER_FILE"))
    return settings.model_copy(update=changed)


def settings_file(env: Mapping[str, str]) -> Path:
    """The settings file that would be read in the current folder under the environment `env`."""
    named = env.get(_SETTINGS_PATH)
    if named:
        if not Path(named).is_file():
            raise SettingsError(key=_SETTINGS_PATH, problem=Text("%(named)s is not a file", named=named))
        return Path(named)
    package = Path(dialer.__file__).resolve().parent
    for path in (
        Path("settings.toml"),
        package / "_shipped" / "settings.toml",
        package.parent / "settings.toml",
    ):
        if path.is_file():
            return path
    raise SettingsError(key=_SETTINGS_PATH, problem="no settings.toml here, and none was installed")


_OF_ADDRESSES = frozenset(
    {
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "connect_timeout"),
        *("application_name", "ssl_ca_certs", "ssl_cert_reqs", "ssl_check_hostname"),
    }
)
"""Parameters of addresses. Nothing else names a variable of the environment so."""


def _refuse_cut(environment: Mapping[str, str], given: Mapping[str, str]) -> None:
    """A shell that reads NAME=address?a=1&b=2 without quotes sets b, and does not set NAME. Raises `SettingsError` for
    such a file, and for a value that has its quotes still.
    """
    cut = sorted(_OF_ADDRESSES.intersection(given))
    if environment and cut:
        problem = Text("is a variable: a shell has cut an address at its &. Put the address in single quotes")
        raise SettingsError(key=cut[0], problem=problem)
    for name, value in environment.items():
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            raise SettingsError(key=name, problem=Text("has quotes that belong to the file: take them away"))


def _with_secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    """`DIALER_..._FILE` of a secret is replaced by the contents of that private file."""
    found = dict(environment)
    for name, kind in NAMES.items():
        pointer, target = PREFIX + name + _FILE_SUFFIX, PREFIX + name
        if not is_secret(kind) or pointer not in found:
            continue
        if target in found:
            raise _set_twice(pointer, target)
        found[target] = _private_text(pointer, Path(found.pop(pointer)))
    return found


def _set_twice(key: str, target: str) -> SettingsError:
    return SettingsError(key=key, problem=Text("is set beside %(target)s: keep one", target=target))


def _rename_former(values: Mapping[str, Any]) -> None:
    for former, name in _FORMER.items():
        *sections, old = former.lower().split(_DELIMITER)
        new = name.lower().split(_DELIMITER)[-1]
        table: Any = values
        for section in sections:
            table = table.get(section) if isinstance(table, dict) else None
        if isinstance(table, dict) and old in table:
            if new in table:
                raise _set_twice(".".join((*sections, old)), ".".join((*sections, new)))
            table[new] = table.pop(old)


def _private_text(key: str, path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SettingsError(
                key=key, problem=Text("%(path)s can be read by others: chmod 600 it", path=path)
            )
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(key=key, problem=Text("%(path)s cannot be read", path=path)) from error


def is_secret(annotation: object) -> bool:
    """Whether a setting of this annotation is never shown."""
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(key=str(path), problem=Text("is no TOML: %(error)s", error=error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(key=str(path), problem="cannot be read") from error


def _refuse_secrets(from_file: Mapping[str, Any]) -> None:
    for name, kind in NAMES.items():
        value: Any = from_file
        for part in name.lower().split(_DELIMITER):
            value = value.get(part) if isinstance(value, Mapping) else None
        if not is_secret(kind) or not isinstance(value, str):
            continue
        is_address = name.endswith("URL")
        if not is_address or PASSWORD_IN_ADDRESS.search(value):
            key = name.lower().replace(_DELIMITER, ".")
            problem = Text(
                "a secret does not belong in settings.toml: set %(name)s or %(file)s",
                name=PREFIX + name,
                file=PREFIX + name + _FILE_SUFFIX,
            )
            raise SettingsError(key=key, problem=problem)


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    """What the environment sets replaces what the file sets. A name with an empty value counts as not set."""
    for name, kind in NAMES.items():
        text = environment.get(PREFIX + name)
        if not text:
            continue
        *sections, key = name.lower().split(_DELIMITER)
        table = values
        for section in sections:
            if not isinstance(table.get(section), dict):
                table[section] = {}
            table = table[section]
        table[key] = _list(PREFIX + name, text) if get_origin(kind) in {tuple, dict} else text


def _list(key: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise SettingsError(key=key, problem='is not a list; write it as ["one", "two"]') from None


def settings_error(error: ValidationError, environment: Mapping[str, str]) -> SettingsError:
    """The first problem, with the name as it was set; never with the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    location = [str(part) for part in first["loc"]]
    name = _DELIMITER.join(location).upper()
    key = PREFIX + name if PREFIX + name in environment else ".".join(location)
    if first["type"] == "extra_forbidden":
        known = [name.lower().replace(_DELIMITER, ".") for name in NAMES]
        return SettingsError(key=key, problem=_unknown(key, known, ""))
    context = first.get("ctx", {})
    wrong = context.get("error")
    if isinstance(wrong, WrongValue):
        return SettingsError(key=key, problem=wrong.text)
    template = _PYDANTIC.get(first["type"])
    problem = Text(template, **context) if template else Text("%(why)s", why=first["msg"])
    return SettingsError(key=key, problem=problem)


def _unknown(name: str, known: Iterable[str], prefix: str) -> Text:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if not close:
        return Text("is not known")
    return Text("is not known; did you mean %(nearest)s?", nearest=prefix + close[0])
