"""Two brokers, none of them precious: orders go to both, and a worker that loses one goes on with the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Message, Queue

from dialer.core.errors import SettingsError, Unavailable
from dialer.runtime.broker import (
    DIAL_QUEUE,
    Enqueuer,
    MessageKey,
    check_broker,
    discard_messages,
    make_app,
    redis_url,
)
from dialer.runtime.embedded import EmbeddedServers, ensure_servers
from dialer.runtime.settings import load_settings

KEY = MessageKey(secrets=lambda: (b"k" * 64,))
PATIENCE_SECONDS = 60.0
NOWHERE = "redis://127.0.0.1:1/0"


class Watch:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def other(tmp_path: Path) -> Iterator[EmbeddedServers]:
    with ensure_servers(tmp_path, postgres=False, ephemeral=True) as servers:
        yield servers


def depth(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        found: int = client.llen(DIAL_QUEUE)  # type: ignore[assignment]  # the client is not an asynchronous one
        return found


def test_an_order_goes_to_both_and_one_that_is_gone_is_not_asked_for_some_seconds(
    broker_url: str, other: EmbeddedServers, caplog: pytest.LogCaptureFixture
):
    clock = Watch()
    app = make_app(f"{broker_url};{other.broker_url}", KEY)
    sender = Enqueuer(app, KEY, clock=clock)
    assert sender.send("sweep")
    assert (depth(broker_url), depth(other.broker_url)) == (1, 1)
    other.stop()
    assert sender.send("sweep")
    assert sender.send("sweep")
    assert depth(broker_url) == 3
    assert caplog.text.count("does not answer") == 1
    clock.seconds += 6
    assert sender.send("sweep")
    assert caplog.text.count("does not answer") == 2
    assert not sender.is_deep(DIAL_QUEUE)
    check_broker(app)
    app.close()


def test_a_worker_that_loses_its_broker_goes_on_with_the_other(broker_url: str, other: EmbeddedServers):
    app, taken = make_app(f"{other.broker_url};{broker_url}", KEY), []
    sender = Enqueuer(app, KEY)

    def read() -> None:
        """As a worker does when it begins, and again after an error of its connection."""
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=3, interval_start=0, interval_step=0)
            with connection.Consumer([Queue(DIAL_QUEUE)], callbacks=[take]):
                connection.drain_events(timeout=PATIENCE_SECONDS)

    def take(_body: object, message: Message) -> None:
        taken.append(message.headers["task"])
        message.ack()

    assert sender.send("sweep")
    read()
    assert (depth(broker_url), depth(other.broker_url)) == (1, 0)
    other.stop()
    read()
    assert taken == ["dialer.sweep"] * 2
    assert depth(broker_url) == 0
    app.close()


def test_with_none_left_an_order_is_not_sent_and_the_check_says_so():
    app = make_app(f"{NOWHERE};{NOWHERE}", KEY)
    sender = Enqueuer(app, KEY)
    assert not sender.send("sweep")
    assert not sender.is_deep(DIAL_QUEUE)
    with pytest.raises(Unavailable):
        check_broker(app)
    with pytest.raises(Unavailable):
        discard_messages(app, [DIAL_QUEUE])
    app.close()


def test_what_no_worker_reads_stays_short_and_stops_no_ticks(broker_url: str, other: EmbeddedServers):
    app = make_app(f"{broker_url};{other.broker_url}", KEY)
    sender = Enqueuer(app, KEY)
    with redis.Redis.from_url(other.broker_url) as unread:
        unread.lpush(DIAL_QUEUE, *(json.dumps(number) for number in range(1500)))
        assert not sender.is_deep(DIAL_QUEUE)
        assert sender.send("sweep")
        assert unread.llen(DIAL_QUEUE) == 1000
        assert depth(broker_url) == 1
        with redis.Redis.from_url(broker_url) as read:
            read.lpush(DIAL_QUEUE, *range(200))
        assert sender.is_deep(DIAL_QUEUE)
        discard_messages(app, [DIAL_QUEUE])
        assert (depth(broker_url), unread.llen(DIAL_QUEUE)) == (0, 0)
    app.close()


def test_discarding_leaves_out_a_broker_that_is_gone(broker_url: str):
    app = make_app(f"{NOWHERE};{broker_url}", KEY)
    with redis.Redis.from_url(broker_url) as client:
        client.lpush(DIAL_QUEUE, "x")
    discard_messages(app, [DIAL_QUEUE])
    assert depth(broker_url) == 0
    app.close()


def test_counters_are_kept_by_the_first_broker():
    assert redis_url("redis://a/0;redis://b/0") == "redis://a/0"
    assert redis_url("redis+socket:///run/v.sock;redis://b/0", scheme="unix") == "unix:///run/v.sock?db=0"


def test_each_address_is_checked_and_verified():
    with pytest.raises(SettingsError, match="begins with redis"):
        load_settings({"DIALER_BROKER__URL": "redis://a/0;amqp://b/0"})
    settings = load_settings({"DIALER_BROKER__URL": "redis://a/0;rediss://b/0"})
    first, second = (settings.broker.client_url or "").split(";")
    assert first == "redis://a/0"
    assert "ssl_cert_reqs=required" in second
