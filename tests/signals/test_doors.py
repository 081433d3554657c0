"""Files and the stream bring signals as the API does."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import pytest
import redis

from dialer.core.access import Actor, Role, rights_of, unrestricted
from dialer.core.errors import NotPermitted, UnusableFile
from dialer.core.values import VersionState
from dialer.db import tables as t
from dialer.signals import stream
from dialer.signals.deliveries import LONGEST_VALUE
from dialer.signals.load import load_signals
from dialer.signals.model import SignalReader
from dialer.signals.replay import replay
from dialer.signals.stream import GROUP, SignalStream
from dialer.signals.verdict_store import stop_rule_row
from dialer.signals.versions import approve_rules, draft_rules, live_rules, resume_rule
from tests.outcomes.town import MORNING
from tests.signals.post import MULE, PERSON, Post

LIST = f"""某银行转账信号,,,,,
信号编号,类型,时间,手机号,收款账号,金额（元）
A-1,转账,2026-11-25 09:50,{PERSON},{MULE},20000
A-2,转账,昨天,{PERSON},{MULE},20000
A-3,转账,2026-11-25 09:51,,{MULE},100
A-1,转账,2026-11-25 09:50,{PERSON},{MULE},20000
"""


def test_a_file_is_read_tolerantly_and_its_faults_have_line_and_column(post: Post):
    text = LIST.replace("2026-11-25", MORNING.date().isoformat())
    done = load_signals(post.services, io.BytesIO(text.encode("gb18030")), filename="bank.csv")
    assert (done.rows, done.accepted, done.duplicate, done.rejected) == (4, 1, 1, 2)
    assert [(reject.line, reject.column) for reject in done.rejects] == [(4, "时间"), (5, "手机号")]
    assert {row["source"] for row in post.rows(t.signal)} == {"bank"}
    with pytest.raises(UnusableFile):
        load_signals(post.services, io.BytesIO("姓名,电话\n王,1\n".encode()), filename="list.csv")


def test_an_entry_of_the_stream_is_acknowledged_after_its_commit(post: Post, broker_url: str):
    client = redis.Redis.from_url(broker_url)
    dead = SignalStream(post.services, url=broker_url, name="signals", idle_ms=0)
    dead.read_once()
    client.xadd("signals", post.payment())  # type: ignore[arg-type]
    # A reader that dies with an entry in hand, before the commit.
    client.xreadgroup(GROUP, "dead", {"signals": ">"})
    client.xadd("signals", {"json": orjson.dumps(post.payment(new_payee=True))})
    client.xadd("signals", {"json": b"[1]"})
    reader = SignalStream(post.services, url=broker_url, name="signals", idle_ms=0)
    taken = reader.read_once()
    assert taken == 3
    assert [row["signal_no"] for row in post.rows(t.signal)] == ["S-1", "S-2"]
    assert client.xlen("signals") == 0
    assert client.xpending("signals", GROUP)["pending"] == 0  # type: ignore[index]
    ((_, refused),) = client.xrange("signals:refused")  # type: ignore[misc]
    assert orjson.loads(refused[b"faults"])[0]["reason"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-08:00"])
def test_a_time_at_an_end_of_the_calendar_is_refused_and_the_others_are_taken(post: Post, moment: str):
    answers = post.send(post.payment(), post.payment(event_at=moment))
    assert [answer.status.value for answer in answers] == ["accepted", "rejected"]
    assert [fault.field for fault in answers[1].faults] == ["event_at"]
    assert len(post.rows(t.signal)) == 1


def test_a_value_without_an_end_is_refused_by_its_length_before_it_is_read(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    read: list[object] = []
    monkeypatch.setattr(SignalReader, "read", lambda _, raw, **__: read.append(raw) or ())
    answers = post.send(
        post.payment(phone="-" * (LONGEST_VALUE + 1)), post.payment(phone="-" * LONGEST_VALUE)
    )
    assert [fault.field for fault in answers[0].faults] == ["phone"]
    assert [len(one["phone"]) for one in read] == [LONGEST_VALUE]  # type: ignore[index]


def test_an_entry_that_no_reader_can_read_is_refused_and_the_stream_goes_on(
    post: Post, broker_url: str, monkeypatch: pytest.MonkeyPatch
):
    client = redis.Redis.from_url(broker_url)
    reader = SignalStream(post.services, url=broker_url, name="signals", idle_ms=0)
    reader.read_once()
    read = SignalReader.read

    def breaks(self: SignalReader, raw: Mapping[str, Any], *, received_at: datetime) -> Any:  # noqa: ANN401 - whatever its caller gives
        if raw["source"] == "broken":
            raise ZeroDivisionError
        return read(self, raw, received_at=received_at)

    monkeypatch.setattr(SignalReader, "read", breaks)
    client.xadd("signals", post.payment())  # type: ignore[arg-type]
    bad = client.xadd("signals", post.payment(source="broken"))  # type: ignore[arg-type]
    client.xadd("signals", post.payment())  # type: ignore[arg-type]
    assert reader.read_once() == 3
    assert [row["signal_no"] for row in post.rows(t.signal)] == ["S-1", "S-3"]
    assert client.xlen("signals") == 0
    ((_, refused),) = client.xrange("signals:refused")  # type: ignore[misc]
    assert refused[b"entry"] == bad


def test_the_reader_of_the_stream_outlives_what_it_does_not_know(
    post: Post, broker_url: str, monkeypatch: pytest.MonkeyPatch
):
    stopped = threading.Event()
    reader = SignalStream(post.services, url=broker_url, name="signals", idle_ms=0)
    tried = []

    def fails(**_: object) -> int:
        tried.append(1)
        if len(tried) == 2:
            stopped.set()
        raise ZeroDivisionError

    monkeypatch.setattr(reader, "read_once", fails)
    monkeypatch.setattr(stream, "_RETRY_SECONDS", 0.0)
    reader.run(stopped)
    assert len(tried) == 2


def test_a_replay_has_the_fingerprint_of_the_live_robot_and_a_draft_is_compared(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    robot = post.robot()
    post.work(robot)
    robot.close()
    total = sum(int(row["fingerprint"], 16) for row in post.rows(t.robot_shard)) % (1 << 128)
    files = dict(live_rules_files(post))
    files.pop("payment_listed_account")
    draft = draft_rules(post.services, unrestricted("zhao"), files)
    post.clock.advance(1)
    done = replay(post.services, start=MORNING, end=post.clock.now(), draft=draft.number)
    assert done.fingerprint == f"{total:032x}"
    assert done.shadow is not None
    assert (done.signals, done.warnings, done.shadow.lost + done.shadow.regraded) == (2, 1, 1)


def live_rules_files(post: Post) -> dict[str, str]:
    (row,) = post.rows(t.rule_version)
    return row["files"]


def test_a_second_person_approves_rules_and_the_robot_goes_on_with_them(post: Post):
    robot = post.robot()
    files = live_rules_files(post)
    text = files["payment_listed_account"].replace("points = 60", "points = 61")
    draft = draft_rules(post.services, unrestricted("zhao"), files | {"payment_listed_account": text})
    with pytest.raises(Exception, match="second person"):
        approve_rules(post.services, unrestricted("zhao"), draft.number, reason="more")
    live = approve_rules(post.services, unrestricted("li"), draft.number, reason="more")
    assert (live.number, live.state, live.approved_by) == (draft.number, VersionState.APPROVED, "li")
    robot._last.clear()
    robot.do_periodic_work()
    with post.tx() as tx:
        assert live_rules(tx).content_hash == draft.content_hash == robot._rules.content_hash  # type: ignore[union-attr]
    post.send(post.listed(account=MULE), post.payment())
    post.work(robot)
    assert 61 in {row["points"] for row in post.rows(t.verdict_reason)}


def test_rules_are_drafted_approved_and_resumed_by_those_who_may(post: Post):
    nobody = Actor(name="wang", rights=rights_of(Role.CALLER))
    files = live_rules_files(post) | {"more": "id = 1"}
    for act in (
        lambda: draft_rules(post.services, nobody, files),
        lambda: approve_rules(post.services, nobody, 1, reason="mine"),
        lambda: resume_rule(post.services, nobody, "call_listed_long"),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert len(post.rows(t.rule_version)) == len(post.rows(t.rule_approval)) == 1

    def recorded() -> list[tuple[str, str, str]]:
        return [
            (row["who"], row["act"], row["subject"])
            for row in post.rows(t.audit)
            if row["act"].startswith("rule")
        ]

    boss = unrestricted("Boss")
    assert not resume_rule(post.services, boss, "call_listed_long"), "it is not stopped"
    with post.tx() as tx:
        stop_rule_row(tx, "call_listed_long", by="test", facts={}, now=post.clock.now())
    assert resume_rule(post.services, boss, "call_listed_long")
    draft_rules(post.services, boss, files)
    assert recorded() == [
        ("Boss", "rule_resume", "rule/call_listed_long"),
        ("Boss", "rules_draft", "rules"),
    ]
