"""The fixtures that all other tests stand on."""

from __future__ import annotations

import socket

import psycopg
import pytest
import redis


def _names_of_tables(url: str) -> list[str]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute("select relname from pg_class where relname like 'trace%'").fetchall()
    return [name for (name,) in rows]


def _leave_trace(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("create table trace (n int)")


def test_a_fresh_database_is_ours_alone(fresh_database: str, empty_database: str):
    _leave_trace(fresh_database)
    assert _names_of_tables(fresh_database) == ["trace"]
    assert _names_of_tables(empty_database) == []


def test_the_next_test_sees_nothing_of_the_one_before(fresh_database: str):
    assert _names_of_tables(fresh_database) == []


def test_a_broker_database_starts_empty(broker_url: str):
    with redis.Redis.from_url(broker_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_a_broker_database_starts_empty_again(broker_url: str):
    with redis.Redis.from_url(broker_url) as client:
        assert client.get("left") is None


def test_a_connection_to_another_machine_fails_the_test():
    with socket.socket() as asking, pytest.raises(pytest.fail.Exception, match="another machine"):
        asking.connect(("192.0.2.1", 9))


def test_a_connection_to_this_machine_does_not():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        socket.create_connection(("localhost", listening.getsockname()[1]), timeout=5).close()
