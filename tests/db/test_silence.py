"""A database that is reached and answers nothing is noticed, and the connections that wait for it end."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.db.keys import Keys
from dialer.db.silence import SilenceWatch, is_answered
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault

PATIENCE_SECONDS = 60.0
BEFORE = 3
"""Turns after which a transaction is not long yet."""
LONG = sa.text("SELECT pg_sleep(600)")


@pytest.fixture
def store(fresh_database: str) -> Iterator[Store]:
    vault = Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
    opened = Store(fresh_database, vault)
    yield opened
    opened.dispose()


class Asked:
    """Stands for the question on a new connection, and answers as told."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers
        self.times = 0

    def __call__(self, _connection: psycopg.Connection[Any]) -> bool:
        self.times += 1
        return self.answers


class Waiting:
    """A transaction in another thread, whose statement is not answered for ten minutes."""

    def __init__(self, store: Store) -> None:
        self._store, self._began = store, threading.Event()
        self.fault: Unavailable | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._began.wait(PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            with self._store.begin() as tx:
                self._began.set()
                tx.execute(LONG)
        except Unavailable as fault:
            self.fault = fault

    def ended(self) -> Unavailable | None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self.fault


def turns(watch: SilenceWatch, number: int) -> list[bool]:
    return [watch.turn() for _ in range(number)]


def test_what_waits_for_a_silent_database_ends_and_the_next_transaction_is_answered(
    store: Store, caplog: pytest.LogCaptureFixture
):
    asked = Asked(answers=False)
    watch = SilenceWatch(store, answers=asked)
    with watch.running(turn_seconds=3600), caplog.at_level(logging.WARNING):
        waiting = Waiting(store)
        assert turns(watch, BEFORE) == [False] * BEFORE
        assert asked.times == 0
        assert watch.turn()
        assert waiting.ended() is not None
        assert "answers nothing: 1 connections are cut" in caplog.text
        with store.begin() as tx:
            assert tx.scalar(sa.text("SELECT 1")) == 1
        assert turns(watch, 9) == [False] * 9
        assert asked.times == 1


def test_connections_at_rest_are_cut_too_and_new_ones_take_their_place(
    store: Store, caplog: pytest.LogCaptureFixture
):
    watch = SilenceWatch(store, answers=Asked(answers=False))
    with watch.running(turn_seconds=3600), caplog.at_level(logging.WARNING):
        waiting = Waiting(store)
        with store.begin() as tx:
            before = tx.scalar(sa.text("SELECT pg_backend_pid()"))
        assert turns(watch, 4) == [False, False, False, True]
        assert "2 connections are cut" in caplog.text
        assert waiting.ended() is not None
        with store.begin() as tx:
            assert tx.scalar(sa.text("SELECT pg_backend_pid()")) != before
        store.dispose()
        assert turns(watch, 9) == [False] * 9


def test_a_long_transaction_of_a_database_that_answers_goes_on_and_is_asked_about_now_and_then(store: Store):
    asked = Asked(answers=True)
    watch = SilenceWatch(store, answers=asked)
    with watch.running(turn_seconds=3600):
        waiting = Waiting(store)
        assert turns(watch, 12) == [False] * 12
        assert asked.times == 3
        assert waiting.fault is None
        asked.answers = False
        assert turns(watch, 4) == [False, False, False, True]
        assert waiting.ended() is not None


def test_transactions_that_end_in_time_are_never_asked_about(store: Store):
    asked = Asked(answers=False)
    watch = SilenceWatch(store, answers=asked)
    with watch.running(turn_seconds=3600):
        for _ in range(5):
            with store.begin() as tx:
                assert turns(watch, BEFORE) == [False] * BEFORE
                assert tx.scalar(sa.text("SELECT 1")) == 1
        with pytest.raises(sa.exc.PendingRollbackError), store.begin() as tx:
            tx.connection.invalidate()
        assert turns(watch, 9) == [False] * 9
    assert asked.times == 0


def test_a_thread_takes_the_turns_until_the_block_ends(store: Store):
    asked = Asked(answers=False)
    watch = SilenceWatch(store, answers=asked)
    with watch.running(turn_seconds=0.01):
        assert Waiting(store).ended() is not None
    assert not any(thread.name == "silence" for thread in threading.enumerate())
    with store.begin() as tx:
        assert tx.scalar(sa.text("SELECT 1")) == 1


def test_a_server_that_answers_is_asked_on_a_new_connection(fresh_database: str):
    with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
        assert is_answered(connection)


def test_a_refusal_is_an_answer(fresh_database: str):
    with psycopg.connect(fresh_database.replace("+psycopg", ""), autocommit=True) as connection:
        refused = _as_if(connection, password="wrong")
        assert is_answered(refused)


def test_a_port_at_which_nothing_listens_any_more_is_silent(fresh_database: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
            assert not is_answered(_as_if(connection, port=taken.getsockname()[1]))


def _as_if(connection: psycopg.Connection[Any], **other: object) -> psycopg.Connection[Any]:
    """The connection, with other particulars of its server."""
    info = connection.info
    known = {"host": info.host, "port": info.port, "password": info.password}
    particulars = SimpleNamespace(get_parameters=info.get_parameters, **(known | other))
    return cast("psycopg.Connection[Any]", SimpleNamespace(info=particulars))
