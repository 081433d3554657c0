"""A broker over TLS is the one that its certificate says, or it is refused."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from dialer.core.errors import SettingsError, Unavailable
from dialer.runtime.broker import MessageKey, check_broker, make_app
from dialer.runtime.settings import Settings, load_settings
from tests.certificates import certificate

KEY = MessageKey(secrets=lambda: (b"k" * 64,))


@contextmanager
def tls_front(broker_url: str, both: Path) -> Iterator[int]:
    """A port that speaks TLS with this certificate and passes everything on to the broker."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    parts = urlsplit(broker_url)

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve(raw: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(raw, server_side=True) as client,
            socket.create_connection((parts.hostname or "", parts.port or 0)) as broker,
        ):
            back = threading.Thread(target=copy, args=(broker, client), daemon=True)
            back.start()
            copy(client, broker)
            back.join()

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        threading.Thread(target=listen, daemon=True).start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)


def settings_of(broker_url: str, port: int, *, host: str = "127.0.0.1", ca_file: Path | None) -> Settings:
    parts = urlsplit(broker_url)
    env = {"DIALER_BROKER__URL": f"rediss://:{parts.password}@{host}:{port}{parts.path}"}
    return load_settings(env | ({} if ca_file is None else {"DIALER_BROKER__CA_FILE": str(ca_file)}))


def check(settings: Settings) -> None:
    """Every client of the broker reads the same address."""
    url = settings.broker.client_url
    assert url is not None
    app = make_app(url, KEY)
    try:
        check_broker(app)
    finally:
        app.close()
    with redis.Redis.from_url(url) as client:
        client.ping()


def test_a_broker_with_a_certificate_of_our_authority_is_used(broker_url: str, tmp_path: Path):
    public, both = certificate(tmp_path, "ours")
    with tls_front(broker_url, both) as port:
        check(settings_of(broker_url, port, ca_file=public))


def test_a_stranger_with_a_certificate_of_its_own_is_refused(broker_url: str, tmp_path: Path):
    public, _ = certificate(tmp_path, "ours")
    _, both = certificate(tmp_path, "stranger")
    with tls_front(broker_url, both) as port:
        for ca_file in (public, None):
            settings = settings_of(broker_url, port, ca_file=ca_file)
            with pytest.raises(Unavailable, match="certificate verify failed"):
                check(settings)
            with (
                redis.Redis.from_url(settings.broker.client_url or "") as client,
                pytest.raises(redis.ConnectionError, match="certificate verify failed"),
            ):
                client.ping()


def test_a_certificate_for_another_name_is_refused(broker_url: str, tmp_path: Path):
    public, both = certificate(tmp_path, "ours")
    with tls_front(broker_url, both) as port, pytest.raises(Unavailable, match="certificate"):
        check(settings_of(broker_url, port, host="localhost", ca_file=public))


@pytest.mark.parametrize(
    "query", ["ssl_cert_reqs=none", "ssl_check_hostname=false", "ssl_cert_reqs=optional"]
)
def test_no_address_turns_the_verification_off(query: str):
    with pytest.raises(SettingsError, match="always verified"):
        load_settings({"DIALER_BROKER__URL": f"rediss://:p@127.0.0.1:1/0?{query}"})


def test_the_rest_of_an_address_stays():
    url = load_settings(
        {"DIALER_BROKER__URL": "rediss://:p%40@broker:6380/3?ssl_ca_certs=/ca"}
    ).broker.client_url
    assert url == (
        "rediss://:p%40@broker:6380/3?ssl_ca_certs=%2Fca&ssl_cert_reqs=required&ssl_check_hostname=true"
    )
    plain = "redis://:p@broker:6379/0"
    assert load_settings({"DIALER_BROKER__URL": plain}).broker.client_url == plain
