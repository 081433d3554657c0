"""What a data folder provides where the settings name nothing: embedded servers, a carrier, addresses."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address

from dialer.core.errors import SettingsError, Unavailable
from dialer.core.text import Text
from dialer.runtime.embedded import EmbeddedServers, are_servers_running, ensure_servers
from dialer.runtime.location import free_port, write_private
from dialer.runtime.settings import Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierAccess:
    """How the processes of a data folder reach its own carrier; kept in that folder, mode 600."""

    port: int
    account_sid: str
    auth_token: str = field(repr=False)
    admin_token: str = field(repr=False)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def own_carrier(settings: Settings, *, may_make: bool = True) -> CarrierAccess | None:
    """The access to the carrier of this data folder, made once; None when a base URL is set. Without `may_make` a new
    access is returned but not stored.
    """
    if settings.telephony.base_url is not None:
        return None
    path = settings.data_dir / "carrier.json"
    if not path.exists():
        access = CarrierAccess(
            port=settings.carrier.port or free_port(),
            account_sid=settings.telephony.account_sid or "AC" + secrets.token_hex(16),
            auth_token=secrets.token_hex(16),
            admin_token=secrets.token_hex(16),
        )
        if not may_make:
            return access
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of two processes that write it at once, the first one's file counts.
        with suppress(FileExistsError):
            write_private(path, json.dumps(asdict(access)))
    try:
        return CarrierAccess(**json.loads(path.read_text()))
    except ValueError as fault:
        raise SettingsError(
            key="data_dir", problem=Text("%(path)s is damaged: remove it and start again", path=path)
        ) from fault


DEMO_FOLDER = "demo"
"""The demo's own data folder, within the data folder of the settings."""

DEMO_SETTINGS = "settings.json"
"""In the demo's data folder: the environment variables by which its settings differ from those of this machine."""


def settings_of_data(settings: Settings) -> Settings:
    """The settings for a command that is given at a terminal: those of the demo's data while a demo runs in a data
    folder that holds no service of its own; else unchanged.
    """
    demo = settings.data_dir / DEMO_FOLDER
    is_own = settings.database.url is not None or (settings.data_dir / "embedded").exists()
    if is_own or not are_servers_running(demo):
        return settings
    path = demo / DEMO_SETTINGS
    own = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return load_settings({**os.environ, **own, "DIALER_DATA_DIR": str(demo)})


def public_url(settings: Settings) -> str:
    """The address that the telephone network is given. Without a setting it is made of host and port."""
    return settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}"


def is_this_machine(host: str) -> bool:
    """Whether `host` is a name or an address of this machine's own loopback."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def console_url(settings: Settings) -> str:
    """The address at which staff open the console."""
    return settings.web.console_url or public_url(settings)


def own_servers(settings: Settings, *, may_start: bool = True) -> EmbeddedServers | None:
    """Embedded servers for what the settings do not name, started or joined; None when they name both. Without
    `may_start` raises `Unavailable` where they do not run.
    """
    postgres = settings.database.url is None
    valkey = settings.broker.url is None
    if not postgres and not valkey:
        return None
    if not may_start and not are_servers_running(settings.data_dir, postgres=postgres, valkey=valkey):
        raise Unavailable(part="embedded servers", problem="do not run: they start with the service")
    return ensure_servers(settings.data_dir, postgres=postgres, valkey=valkey)


def database_url(settings: Settings, servers: EmbeddedServers | None) -> str:
    """The address of the configured database or of the embedded one, password included: never to be logged."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    assert servers is not None
    return servers.database_url


def owner_url(settings: Settings, servers: EmbeddedServers | None) -> str | None:
    """As `database_url`, for the role that owns the tables; None where the service's role owns them."""
    if settings.database.url is None:
        assert servers is not None
        return servers.owner_url
    configured = settings.database.owner_url
    return None if configured is None else configured.get_secret_value()
