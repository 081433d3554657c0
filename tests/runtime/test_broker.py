"""Messages that none of our processes has sent stop no worker: they are discarded before Celery sees them, and the log
says so without their content. Against the real Valkey, and a real worker process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Queue

from dialer.bootstrap import application
from dialer.db.keys import create
from dialer.db.system_state import cycle_parts, heartbeats
from dialer.runtime.broker import (
    DIAL_QUEUE,
    Enqueuer,
    MessageKey,
    OrderAhead,
    TaskOrder,
    UnsignedMessage,
    discard_messages,
    make_app,
)
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings

KEY = MessageKey(secrets=lambda: (b"k" * 64,))
NOW = 1_800_000_000.0
MARK = "13800138000"
"""Stands for content: no log line may hold it."""
PATIENCE_SECONDS = 60.0


def celery_message(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """As Celery itself would send it, with these headers changed."""
    body = json.dumps([[MARK], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    headers = {
        "lang": "py",
        "task": "dialer.sweep",
        "id": "1",
        "retries": 0,
        "timelimit": [None, None],
        "eta": None,
    }
    return {
        "body": body,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers | changed,
        "properties": {
            "delivery_tag": "1",
            "delivery_info": {},
            "body_encoding": "utf-8",
            "correlation_id": "1",
        },
    }


def poisons() -> dict[str, bytes]:
    signed = celery_message(**KEY.headers(TaskOrder(name="sweep", ids=(), sent_at=time.time())))
    made: dict[str, Any] = {
        "timelimit": celery_message(timelimit="x"),
        "unknown task": celery_message(task=f"dialer.{MARK}"),
        "task is a list": celery_message(task=[MARK]),
        "eta": celery_message(eta="soon"),
        "expires": celery_message(expires={"a": 1}),
        "retries": celery_message(retries="many"),
        "compression": celery_message(compression="zlib"),
        "giant": celery_message() | {"body": MARK * 2_000_000},
        "pickle": celery_message() | {"content-type": "application/x-python-serialize"},
        "headers are a list": celery_message() | {"headers": [MARK]},
        "no headers": {"body": MARK},
        "no properties": {"headers": {"task": "dialer.sweep"}, "body": MARK},
        "a tag that is no text": celery_message() | {"properties": {"delivery_tag": [1]}},
        "another key": signed,
        "a number as signature": celery_message(order='["sweep", [], 1]', signature=5),
        "a signature of other letters": celery_message(order='["sweep", [], 1]', signature="签"),
        "a list": [MARK],
        "a text": MARK,
        "nothing": None,
        "a kombu type": {"__type__": "datetime", "__value__": MARK},
        "an unhashable kombu type": {"__type__": [], "__value__": MARK},
    }
    raw = {"bytes": b"\xff\xfe\x00", "no JSON": MARK.encode(), "deep": b"[" * 200_000, "empty": b""}
    return {name: json.dumps(value).encode() for name, value in made.items()} | raw


def test_an_order_is_read_as_it_was_signed():
    order = TaskOrder(name="load_list", ids=(7, "x"), sent_at=NOW)
    assert KEY.read(KEY.headers(order), unix_seconds=NOW + 5) == order


def test_an_old_order_is_none():
    headers = KEY.headers(TaskOrder(name="dial", ids=(), sent_at=NOW))
    assert KEY.read(headers, unix_seconds=NOW + 31) is None
    with pytest.raises(OrderAhead, match="sent 3600 s after this machine's time; set the clocks"):
        KEY.read(headers, unix_seconds=NOW - 3600)
    assert KEY.read(headers, unix_seconds=NOW - 60) is not None


@pytest.mark.parametrize("changed", [
    {"signature": "0" * 64}, {"signature": ""}, {"signature": None}, {"signature": "签"}, {"order": '["dial", [], 1]'},
    {"order": None}, {"order": 5}, {"order": "x" * 2000}, {"order": "\ud800"},
])  # fmt: skip
def test_a_changed_order_is_refused(changed: dict[str, object]):
    headers = KEY.headers(TaskOrder(name="sweep", ids=(), sent_at=NOW))
    with pytest.raises(UnsignedMessage):
        KEY.read({**headers, **changed}, unix_seconds=NOW)


@pytest.mark.parametrize("headers", [None, [], "order", 5, {}])
def test_what_is_no_mapping_of_both_is_refused(headers: object):
    with pytest.raises(UnsignedMessage):
        KEY.read(headers, unix_seconds=NOW)


def test_another_key_is_refused():
    headers = KEY.headers(TaskOrder(name="sweep", ids=(), sent_at=NOW))
    with pytest.raises(UnsignedMessage):
        MessageKey(secrets=lambda: (b"o" * 64,)).read(headers, unix_seconds=NOW)


def test_discarding_empties_a_queue_of_any_kind_and_mends_where_it_leads(broker_url: str):
    app = make_app(broker_url, KEY)
    with redis.Redis.from_url(broker_url) as broker:
        broker.set("dial", MARK)
        broker.hset("unacked", "1", MARK)
        broker.sadd("_kombu.binding.dial", "nonsense", "dial\x06\x16\x06\x16dial")
        broker.lpush("bulk", "waits")
        broker.set("_kombu.binding.bulk", MARK)
        discard_messages(app, ["dial"])
        assert set(broker.keys()) == {b"_kombu.binding.dial", b"bulk", b"_kombu.binding.bulk"}
        assert broker.smembers("_kombu.binding.dial") == {b"dial\x06\x16\x06\x16dial"}
        discard_messages(app, ["bulk"])
        assert set(broker.keys()) == {b"_kombu.binding.dial"}
    app.close()


def test_what_was_taken_and_not_begun_is_put_back_and_read_again(broker_url: str):
    """As kombu does it for messages of a process that was killed, when another one connects."""
    app, taken = make_app(broker_url, KEY), []
    assert Enqueuer(app, KEY).send("sweep")
    with (
        app.connection_for_read() as connection,
        redis.Redis.from_url(broker_url) as broker,
        connection.Consumer([Queue(DIAL_QUEUE)], callbacks=[lambda _body, message: taken.append(message)]),
    ):
        connection.drain_events(timeout=PATIENCE_SECONDS)
        [tag] = broker.zrange("unacked_index", 0, -1)
        connection.default_channel.qos.restore_by_tag(tag)
        assert (broker.llen(DIAL_QUEUE), broker.hlen("unacked")) == (1, 0)
        connection.drain_events(timeout=PATIENCE_SECONDS)
        assert [message.headers["task"] for message in taken] == ["dialer.sweep"] * 2
        for message in taken:
            message.ack()
    app.close()


def test_a_message_whose_acknowledgement_failed_holds_no_place_of_its_worker(broker_url: str):
    app, taken = make_app(broker_url, KEY), []
    sender = Enqueuer(app, KEY)
    assert sender.send("sweep")
    assert sender.send("sweep")
    with (
        app.connection_for_read() as connection,
        redis.Redis.from_url(broker_url) as broker,
        connection.Consumer(
            [Queue(DIAL_QUEUE)], callbacks=[lambda _body, message: taken.append(message)], prefetch_count=1
        ),
    ):
        connection.drain_events(timeout=PATIENCE_SECONDS)
        # As unfit for an acknowledgement as a broker that has just gone.
        broker.delete("unacked_index")
        broker.set("unacked_index", MARK)
        with pytest.raises(redis.ResponseError):
            taken[0].ack()
        broker.delete("unacked_index")
        connection.drain_events(timeout=PATIENCE_SECONDS)
        taken[1].ack()
    assert len(taken) == 2
    app.close()


def test_an_order_of_a_clock_that_is_ahead_is_discarded_with_a_warning(
    broker_url: str, caplog: pytest.LogCaptureFixture
):
    app, taken = make_app(broker_url, KEY), []
    ahead = KEY.headers(TaskOrder(name="ahead", ids=(), sent_at=time.time() + 600))
    with (
        app.connection_for_read() as connection,
        redis.Redis.from_url(broker_url) as broker,
        connection.Consumer([Queue(DIAL_QUEUE)], callbacks=[lambda _body, message: taken.append(message)]),
    ):
        broker.lpush(DIAL_QUEUE, json.dumps(celery_message(**ahead)))
        assert Enqueuer(app, KEY).send("sweep")
        while not taken:
            connection.drain_events(timeout=PATIENCE_SECONDS)
        assert [message.headers["task"] for message in taken] == ["dialer.sweep"]
        taken[0].ack()
    app.close()
    assert "set the clocks of all machines by NTP" in caplog.text


@dataclass(slots=True, kw_only=True)
class WorkerProcess:
    app: Application
    process: subprocess.Popen[bytes]
    log: Path

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert self.process.poll() is None, f"the worker ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"it never came true: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def works(self) -> None:
        """A sweep that is asked for now is done."""
        asked_at = self.app.services.real.now()

        def is_swept() -> bool:
            self.app.services.enqueue("sweep")
            with self.app.services.store.begin() as tx:
                part = cycle_parts(tx).get("sweep")
            return part is not None and part.began_at >= asked_at

        self.until(is_swept)


@contextmanager
def worker_process(app: Application, env: dict[str, str], folder: Path) -> Iterator[WorkerProcess]:
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dialer", "worker", "--queues", "dial"], env=env, stderr=output
        )
    made = WorkerProcess(app=app, process=process, log=log)
    try:
        yield made
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def env(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    """Of a worker on the database and the broker of this test."""
    create(tmp_path / "keys.toml")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DIALER_")},
        "DIALER_DATA_DIR": str(tmp_path / "data"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
        "DIALER_LOG__FORMAT": "json",
    }


_UNRECOVERABLE = """
import sys
from celery.worker.consumer import Consumer
def start(consumer):
    raise ValueError("as a fault of the libraries")
Consumer.start = start
sys.argv = ["dialer", "worker", "--queues", "dial"]
from dialer.__main__ import main
main()
"""


@pytest.mark.story
def test_a_worker_that_cannot_go_on_ends_as_a_failure(env: dict[str, str]):
    """Else a supervisor would take it for one that was told to stop."""
    argv = [sys.executable, "-c", _UNRECOVERABLE]
    done = subprocess.run(argv, env=env, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"Unrecoverable error" in done.stderr


@pytest.mark.story
def test_no_message_stops_a_worker(env: dict[str, str], broker_url: str, tmp_path: Path):
    with (
        application(load_settings(env)) as app,
        redis.Redis.from_url(broker_url) as broker,
    ):
        broker.lpush(DIAL_QUEUE, poisons()["timelimit"])
        with worker_process(app, env, tmp_path) as worker:
            worker.works()
            assert broker.llen(DIAL_QUEUE) == 0
            for poison in poisons().values():
                broker.lpush(DIAL_QUEUE, poison)
            worker.works()
            with app.services.store.begin() as tx:
                assert len(heartbeats(tx, kind="worker")) >= 1
        told = worker.log.read_text()
    assert told.count("a message that is not ours was discarded") == len(poisons())
    assert MARK not in told
