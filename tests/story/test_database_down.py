"""The database goes away under webhooks, or its disk is full: 5xx and a safe sentence, never 200 and dropped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from carrier.journal import read_journal
from carrier.people import Behaviour
from dialer.db import tables as t
from tests.server.switchboard import Switchboard, codes, life, status, step
from tests.story.world import World

pytestmark = pytest.mark.story

SAFE = "有人让您转账，不要转"
TALKS = Behaviour(
    name="talks",
    share=1,
    ring_after_seconds=(1, 1),
    answer_after_seconds=(1, 1),
    keys=("1", "1", "1"),
    key_after_seconds=(10, 10),
)


@contextmanager
def administrator(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url.rpartition("/")[0] + "/postgres", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def take_down(url: str) -> None:
    """Nobody is let in any more, and whoever is in is thrown out."""
    name = url.rpartition("/")[2]
    with administrator(url) as admin:
        admin.execute(sa.text(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false'))
        admin.execute(
            sa.text(
                # Not the server's own workers: only a superuser may end a vacuum.
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = :name AND backend_type = 'client backend'"
            ),
            {"name": name},
        )


def bring_up(url: str) -> None:
    name = url.rpartition("/")[2]
    with administrator(url) as admin:
        admin.execute(sa.text(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true'))


async def test_calls_that_live_while_the_database_is_away_are_heard_of_afterwards(w: World):
    case_ids = [w.open_case(behaviour=TALKS) for _ in range(3)]
    await w.until(lambda: all(w.attempt(case_id)["state"] == "answered" for case_id in case_ids))
    take_down(w.scene.store.url)
    try:
        await w.until(lambda: not w.carrier.exchange.live_calls(), dialling=False)
    finally:
        bring_up(w.scene.store.url)
    await w.until_over(*case_ids)
    for case_id in case_ids:
        assert w.times_called(w.attempt(case_id)) == 1
        assert w.scene.case_of(case_id).robot.attempts >= 1
    told = read_journal(w.carrier.exchange.call_journal._path.parent)
    events = w.scene.rows(sa.select(t.event.c.attempt_id, t.event.c.step))
    kept = {(told.hashed(str(e["attempt_id"])), e["step"].removeprefix("status.")) for e in events}
    assert told.heard.keys() <= kept
    assert w.held_numbers() == 0


def test_thrown_out_in_the_middle_it_answers_503_and_keeps_nothing_and_the_repeat_is_taken(
    board: Switchboard,
):
    """The transaction waits for a row; then its session is ended."""
    attempt = board.call()
    answers: list[object] = []
    asking = threading.Thread(
        target=lambda: answers.extend(board.ask(step(attempt), status(attempt, "ringing", "1")))
    )
    engine = sa.create_engine(board.store.url)
    with engine.begin() as holder:
        holder.execute(sa.select(t.attempt).where(t.attempt.c.id == attempt).with_for_update())
        asking.start()
        while asking.is_alive():
            _end_the_waiting(engine)
            asking.join(0.05)
    engine.dispose()
    assert codes(answers) == [503, 503]  # type: ignore[arg-type]
    assert all(SAFE in answer.text for answer in answers)  # type: ignore[attr-defined]
    assert board.events(attempt) == []
    assert codes(board.ask(step(attempt), status(attempt, "ringing", "1"))) == [200, 204]
    assert board.events(attempt) == ["status.1", "talk.0"]


def _end_the_waiting(engine: sa.Engine) -> int:
    statement = sa.text(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect() as connection:
        return int(connection.scalar(statement) or 0)


@pytest.mark.parametrize("at", ["the statement", "the commit"])
@pytest.mark.parametrize("trouble", ["disk_full", "out_of_memory", "too_many_connections"])
def test_a_database_without_disk_or_memory_is_one_that_is_away_and_nothing_is_lost(
    board: Switchboard, at: str, trouble: str
):
    """PostgreSQL's own words for it, from within: what was not kept was not taken, and comes again."""
    attempt = board.call()
    with board.store.begin() as tx:
        for statement in _failing(at, trouble):
            tx.execute(sa.text(statement))
    news = [step(attempt), *life(attempt)]
    answers = board.ask(*news)
    assert codes(answers) == [503] * len(news)
    assert all(SAFE in answer.text for answer in answers)
    assert board.events(attempt) == []
    with board.store.begin() as tx:
        tx.execute(sa.text("DROP TRIGGER trouble ON event"))
    assert set(codes(board.ask(*news))) == {200, 204}
    assert board.end(attempt)["state"] == "ended"
    assert len(board.events(attempt)) == len(news)


def _failing(at: str, trouble: str) -> list[str]:
    when = {
        "the statement": "TRIGGER trouble BEFORE INSERT ON event",
        "the commit": "CONSTRAINT TRIGGER trouble AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED",
    }
    raise_it = f"BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = '{trouble}'; END"
    return [
        f"CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ {raise_it} $$",
        f"CREATE {when[at]} FOR EACH ROW EXECUTE FUNCTION trouble()",
    ]
