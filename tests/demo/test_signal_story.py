"""The demo's story of signals, through the stream and the robot to warnings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest

from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.demo.signal_story import BLOCK, LIVES, STREAM, SignalStory
from dialer.signals.budget import is_runaway
from dialer.signals.stream import SignalStream
from dialer.signals.verdict_store import reasons_of
from tests.signals.post import Post

_FRAUDS = ("转账给涉诈账户", "冒充公检法", "刷单返利", "虚假投资", "先付款后列名单")


@pytest.fixture
def post(fresh_database: str) -> Iterator[Post]:
    made = Post(fresh_database)
    yield made
    made.close()


def numbers_of(*names: str) -> set[str]:
    """The telephone numbers of these lives: each is lived twice."""
    order = [*LIVES, *LIVES]
    return {f"+86{BLOCK}{4000 + n}" for n, name in enumerate(order) if name in names}


def warned(post: Post) -> dict[str, dict[str, object]]:
    """By telephone number, the verdicts that became warnings."""
    with post.tx() as tx:
        codec_rows = tx.rows(t.verdict.select())
        found = {}
        for row in codec_rows:
            personal = tx.vault.open_record(
                row["sealed"], table="verdict", column="sealed", row=row["instruction_no"]
            )
            if row["sent_at"] is not None:
                found[personal["phone"]] = dict(row)
    return found


def test_the_frauds_of_the_demo_are_warned_with_reasons_and_the_rest_is_not(post: Post, broker_url: str):
    story = SignalStory(post.services, broker_url=broker_url)
    reader = SignalStream(post.services, url=broker_url, name=STREAM)
    sent = story.send_opening()
    assert not story.is_evaluated(), "the stream is not read yet"
    assert reader.read_once() == sent
    assert not story.is_evaluated(), "the robot has not run yet"
    robot = post.robot()
    post.work(robot)
    assert len(post.rows(t.signal)) == sent, "none was refused"
    found = warned(post)
    assert set(found) == numbers_of(*_FRAUDS)
    assert story.is_evaluated()
    listed = [found[number] for number in numbers_of("转账给涉诈账户", "先付款后列名单")]
    assert {row["grade"] for row in listed} == {Grade.EXTRA_HIGH.value}
    assert {found[number]["fraud_type"] for number in numbers_of("冒充公检法")} == {
        FraudType.POLICE_IMPERSONATION.value
    }
    with post.tx() as tx:
        told = reasons_of(tx, [row["id"] for row in found.values()])
    for reasons in told.values():
        assert any(
            reason.points > 0 and reason.details["reason"]["zh"] and reason.details["signals"]
            for reason in reasons
        )
    assert len(post.rows(t.warning)) >= len(found)
    assert {row["id"] for row in post.rows(t.case)} == {row["case_id"] for row in found.values()}


def test_as_many_lives_are_lived_in_an_hour_however_fast_the_clock_runs(post: Post, broker_url: str):
    start = post.services.clock.now()
    sent = []
    for speed in (1, 40):
        story = SignalStory(post.services, broker_url=broker_url)
        moments = [start + timedelta(seconds=second) for second in range(0, 3600, speed)]
        sent.append([entry["json"] for at in moments for entry in story.following(at)])
    assert sent[0] == sent[1]
    persons = {orjson.loads(text)["phone"] for text in sent[0]}
    assert 90 <= len(persons) < 110


def test_no_rule_runs_away_on_the_story_when_the_clock_slows_down(post: Post, broker_url: str):
    """By the frauds of each hour: the clock runs forty times as fast for five hours, then in real time for three."""
    story = SignalStory(post.services, broker_url=broker_url)
    at = post.services.clock.now()
    by_hour = []
    for speed, steps in [(40, 90)] * 5 + [(1, 3600)] * 3:
        frauds = 0
        for _ in range(steps):
            at += timedelta(seconds=speed)
            frauds += sum("new_payee" in entry["json"] for entry in story.following(at))
        assert not by_hour or not is_runaway(frauds, by_hour)
        by_hour.insert(0, frauds)
    assert sum(by_hour) > 10


def test_the_story_goes_on_until_it_is_stopped(post: Post, broker_url: str):
    story = SignalStory(post.services, broker_url=broker_url)
    reader = SignalStream(post.services, url=broker_url, name=STREAM)
    story.start()
    until = time.monotonic() + 30
    while not (taken := reader.read_once(block_ms=500)):
        assert time.monotonic() < until, "no signal came"
    story.stop()
    assert not story.is_alive()
    assert taken
    assert {row["kind"] for row in post.rows(t.signal)} <= {"call", "sms", "payment_attempt"}
