"""Signals become warnings exactly once, whatever process ends when."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa

from dialer.core.access import SERVICE, unrestricted
from dialer.core.errors import Unavailable
from dialer.core.sources import ROBOT_SOURCE
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.jobs import JobClaim
from dialer.db.migration_locks import MIGRATION_LOCK
from dialer.db.migrations import SchemaMoved, newest_revision
from dialer.retention.erasing import erase_person
from dialer.signals import sending
from dialer.signals.deliveries import SignalReception, SignalStatus, take_signals
from dialer.signals.evaluation import MOST_ALIKE, Evaluator
from dialer.signals.health import check_health
from dialer.signals.reasons import reasons_of_case
from dialer.signals.robot import WarningRobot
from dialer.signals.sending import release_held, send_random_draw
from dialer.signals.shadow import delete_old_shadow_grades, start_shadow, write_shadow_grades
from dialer.signals.store import (
    SHARDS,
    SignalCodec,
    delete_old_signals,
    read_snapshot,
    release_shards,
    renew_shards,
    shard_holders,
    take_shards,
    write_snapshot,
)
from dialer.signals.verdict_store import (
    StoredReason,
    count_held,
    end_rule_stop,
    lock_held,
    lock_verdicts_of,
    others_are_held,
    persons_of,
    points_of_rules,
    reasons_of,
    rule_stops,
    sent_since,
    stop_rule_row,
    verdicts_of_case,
    write_reasons,
)
from dialer.signals.versions import live_rules
from dialer.warnings.lists import load_list, submit_list
from tests.cards.street import id_number
from tests.seeds import seeds
from tests.signals.post import MULE, OTHER, PERSON, SCAMMER, Post

MICROSECOND = timedelta(microseconds=1)


def warnings(post: Post) -> list[tuple[str, str, int]]:
    return [
        (row["instruction_no"], row["grade"], row["case_id"])
        for row in post.rows(t.warning)
        if row["source"] == ROBOT_SOURCE
    ]


def test_each_signal_is_answered_by_itself_and_taken_once_whatever_the_day(post: Post):
    first = post.payment()
    broken = post.payment() | {"event_at": "soon"}
    answers = post.send(first, broken, first, None)  # type: ignore[arg-type]
    assert [one.status.value for one in answers] == ["accepted", "rejected", "duplicate", "rejected"]
    assert [fault.field for fault in answers[1].faults] == ["event_at"]
    post.clock.advance(2 * 86_400)
    assert [one.status for one in post.send(first)] == [SignalStatus.DUPLICATE]
    post.clock.advance(20 * 86_400)
    (late,) = post.send(first)
    assert [fault.field for fault in late.faults] == ["event_at"]
    (row,) = post.rows(t.signal)
    assert PERSON.encode() not in bytes(row["sealed"])


def test_a_signal_that_commits_later_never_has_a_lower_number(post: Post):
    """Numbers are given under a lock that is held to the commit: a reader that saw one saw all below it."""
    reception, highest = SignalReception(post.services), sa.select(sa.func.max(t.signal.c.seq))
    with post.tx() as tx:
        take_signals(post.services, [reception.read([post.payment()])])
        before = tx.scalar(highest)
    with post.tx() as tx:
        tx.execute(sa.text("SELECT nextval('signal_seq')"))
        tx.connection.rollback()
    post.send(post.payment())
    with post.tx() as tx:
        assert tx.scalar(highest) > before


def test_days_that_are_over_are_emptied_and_no_others(post: Post):
    post.send(post.payment())
    post.clock.advance(3 * 86_400)
    post.send(post.payment())
    with post.tx() as tx:
        assert delete_old_signals(tx, before=post.clock.now() - timedelta(days=2)) == 1
    assert [row["signal_no"] for row in post.rows(t.signal)] == ["S-2"]


def test_a_payment_to_a_listed_account_is_a_warning_with_its_reasons(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    robot = post.robot()
    post.work(robot)
    ((number, grade, case_id),) = warnings(post)
    assert grade == Grade.EXTRA_HIGH
    with post.tx() as tx:
        (verdict,) = verdicts_of_case(tx, case_id)
        reasons = reasons_of(tx, [verdict.id])[verdict.id]
    assert verdict.instruction_no == number
    assert verdict.personal["phone"] == PERSON
    reason = next(one for one in reasons if one.rule == "payment_listed_account")
    assert reason.points == 60
    assert "20,000" in reason.details["reason"]["en"] or "20000" in reason.details["reason"]["en"]
    assert [one["signal_no"] for one in reason.details["signals"]] == ["S-2"]
    with post.tx() as tx:
        (shown,) = reasons_of_case(tx, case_id)
    assert {signal.amount_fen for own in shown.reasons for signal in own.signals} == {2_000_000}
    assert ("dial",) in post.enqueued


@pytest.mark.parametrize("in_order", [True, False])
def test_what_is_stored_of_a_verdict_is_the_same_whatever_payment_comes_late(post: Post, in_order: bool):
    """The larger payment was made first. The grade and the score are those of either."""
    listed = post.listed(account=MULE)
    before = (post.clock.now() - timedelta(minutes=30)).isoformat()
    large, small = post.payment(fen=9_000_000, event_at=before), post.payment(fen=2_000_000)
    listed |= {"event_at": (post.clock.now() - timedelta(hours=1)).isoformat()}
    robot = post.robot()
    for one in (listed, large, small) if in_order else (listed, small, large):
        post.send(one)
        post.work(robot)
    (row,) = post.rows(t.verdict)
    assert (row["money_fen"], row["score"], row["rules"]) == (9_000_000, 50, ["payment_listed_account"])
    assert row["event_at"] == row["since"] == post.clock.now() - timedelta(minutes=30)
    with post.tx() as tx:
        reason = reasons_of(tx, [row["id"]])[row["id"]][0]
    assert reason.details["values"] == {"payments": 1, "amount": 9_000_000}
    assert [one["amount_fen"] for one in reason.details["signals"]] == [9_000_000]


def test_a_warning_of_the_robot_is_of_the_person_whose_phone_it_is(post: Post):
    content = BytesIO(f"姓名,手机号码,预警等级\n王丽,{PERSON},高危\n".encode())
    load_id = submit_list(post.services, unrestricted("li"), content, filename="a.csv", source="bureau")
    assert load_list(post.services, load_id)
    post.send(post.listed(account=MULE), post.payment())
    post.work(post.robot())
    (of_list, of_robot) = post.rows(t.warning)
    assert of_robot["source"] == ROBOT_SOURCE
    assert of_list["person_id"] == of_robot["person_id"]


def test_what_was_sent_after_a_moment_counts_in_the_budget(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    post.work(post.robot())
    (verdict,) = post.rows(t.verdict)
    with post.tx() as tx:
        assert sent_since(tx, verdict["sent_at"]) == {}
        assert sent_since(tx, verdict["sent_at"] - MICROSECOND) == {Grade(verdict["sent_grade"]): 1}


def test_grades_beside_a_draft_are_deleted_when_they_are_old(post: Post):
    now = post.clock.now()
    with post.tx() as tx:
        version = post.rows(t.rule_version)[0]["id"]
        start_shadow(tx, version, now=now)
        write_shadow_grades(tx, version, {b"p" * 16: (Grade.HIGH, None)}, now=now)
        assert delete_old_shadow_grades(tx, before=now) == 0
        assert delete_old_shadow_grades(tx, before=now + MICROSECOND) == 1


def test_a_snapshot_is_read_as_it_was_written_and_written_from_time_to_time(post: Post):
    robot = post.robot()
    for content in (b"", b"x", bytes(range(256)) * 9_000):
        with post.tx() as tx:
            write_snapshot(
                tx,
                1,
                content,
                seq=7,
                rules_hash="",
                fingerprint="",
                persons=0,
                too_late=0,
                now=post.clock.now(),
            )
            assert read_snapshot(tx, 1) == (7, content)
    post.send(post.listed(account=MULE), post.payment())
    post.work(robot)
    for _ in range(SHARDS):
        robot._last.clear()
        robot.do_periodic_work()
    newest = max(row["seq"] for row in post.rows(t.signal))
    assert {row["seq"] for row in post.rows(t.robot_snapshot)} == {newest}


def test_one_incident_is_one_warning_that_is_sent_again_only_when_it_rises(post: Post):
    robot = post.robot()
    post.send(
        post.listed(number=SCAMMER), post.signal("call", number=SCAMMER, direction="in", duration_seconds=900)
    )
    post.work(robot)
    (first,) = warnings(post)
    post.clock.advance(600)
    post.send(post.payment(account="6222029999"))
    post.work(robot)
    post.send(post.listed(account=MULE), post.payment())
    post.work(robot)
    post.send(post.payment(fen=100), post.payment(fen=100))
    post.work(robot)
    found = warnings(post)
    assert [grade for _, grade, _ in found] == sorted((g for _, g, _ in found), key=lambda g: Grade(g).rank)
    assert found[-1][1] == Grade.EXTRA_HIGH
    assert len({case_id for *_, case_id in found}) == 1
    assert len({row["person_id"] for row in post.rows(t.case)}) == 1
    assert [number for number, *_ in found] == [
        first[0],
        *(f"{first[0]}-{n}" for n in range(2, len(found) + 1)),
    ]


def test_a_process_that_is_stopped_while_it_takes_shards_over_loses_nothing_of_them(post: Post):
    post.send(post.listed(account=MULE))
    post.work(post.robot())
    post.kill()
    stopped = threading.Event()
    stopped.set()
    short = WarningRobot(post.services, stopped, holder="elsewhere pid 1 short")
    short.do_periodic_work()
    short.close()
    assert {row["holder"] for row in post.rows(t.robot_shard)} == {""}
    post.send(post.payment())
    post.work(post.robot())
    assert [grade for _, grade, _ in warnings(post)] == [Grade.EXTRA_HIGH]


def test_any_number_of_verdicts_and_reasons_is_read_and_written_at_once(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    post.work(post.robot())
    (verdict,) = post.rows(t.verdict)
    many = [
        StoredReason(
            verdict_id=verdict["id"],
            rule=f"rule-{n}",
            version="1",
            points=1,
            at=post.clock.now(),
            sources=(),
            details={},
        )
        for n in range(11_000)
    ]
    ids = [verdict["id"], *range(10**9, 10**9 + 70_000)]
    persons = [bytes(verdict["person_hash"]), *(n.to_bytes(16, "big") for n in range(70_000))]
    with post.tx() as tx:
        # Before the table grows: without statistics of it the server compares each row with each id.
        assert points_of_rules(tx, ids).keys() == {verdict["id"]}
        write_reasons(tx, many, verdict_ids=ids)
        assert len(points_of_rules(tx, [verdict["id"]])[verdict["id"]]) == len(many)
        assert list(lock_verdicts_of(tx, persons)) == persons[:1]
        assert not others_are_held(tx, ids)
        assert set(persons_of(tx, persons)) == set(persons[:1])


def test_an_account_that_is_listed_finds_who_paid_to_it_before(post: Post):
    robot = post.robot()
    post.send(post.payment(), post.payment(phone=OTHER, fen=5_000_000))
    post.work(robot)
    post.clock.advance(3600)
    post.send(post.listed(account=MULE))
    post.work(robot)
    with post.tx() as tx:
        phones = {
            verdict.personal["phone"] for *_, case in warnings(post) for verdict in verdicts_of_case(tx, case)
        }
    assert phones == {PERSON, OTHER}


def test_an_erased_person_leaves_no_signal_and_no_reason(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    post.work(post.robot())
    (case,) = post.rows(t.case)
    with post.tx() as tx:
        counts = erase_person(OpenAct(tx, SERVICE, post.clock.now), case["person_id"])
    assert (counts["signal"], counts["verdict.sealed"]) == (1, 1)
    with post.tx() as tx:
        (shown,) = reasons_of_case(tx, case["id"])
    assert shown.reasons
    assert all(not one.signals and not one.sentence for one in shown.reasons)


@seeds(2)
def test_a_robot_that_is_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    post: Post, monkeypatch: pytest.MonkeyPatch, seed: int
):
    """The same signals with a kill at every third step, before or after its commit; compared with one evaluator."""
    rng = random.Random(seed)
    phones = [f"+861380013{n:04d}" for n in range(12)]
    accounts = [f"62220000{n:04d}" for n in range(4)]
    sent = []
    for n in range(90):
        post.clock.advance(120)
        phone = rng.choice(phones)
        if n % 15 == 7:
            sent.append(post.listed(account=rng.choice(accounts)))
        elif rng.random() < 0.6:
            sent.append(post.payment(account=rng.choice(accounts), phone=phone, fen=rng.randrange(10**6)))
        else:
            number = rng.choice([SCAMMER, "+85298765432"])
            sent.append(
                post.signal(
                    "call", phone=phone, number=number, direction="in", duration_seconds=rng.randrange(1800)
                )
            )
    robot = post.robot()
    commit = WarningRobot._commit
    for start in range(0, len(sent), 10):
        post.send(*sent[start : start + 10])
        if start % 30 == 10:
            with monkeypatch.context() as patch:

                def dies(self: WarningRobot, last: int, *, after: bool = rng.random() < 0.5) -> None:
                    if after:
                        commit(self, last)
                    raise KeyboardInterrupt

                patch.setattr(WarningRobot, "_commit", dies)
                with pytest.raises(KeyboardInterrupt):
                    robot.evaluate_next()
            post.kill()
            robot = post.robot()
        elif start % 30 == 20:
            robot._snapshot(list(robot._shards))
        post.work(robot)
    robot.close()

    codec = SignalCodec(post.store.vault)
    whole = Evaluator(robot._rules.rules)  # type: ignore[union-attr]
    last = {}
    for row in post.rows(t.signal):
        for verdict in whole.apply(codec.open(row).signal):
            last[verdict.person] = verdict
    rows = {bytes(row["person_hash"]): row for row in post.rows(t.verdict)}
    assert {one: (row["score"], row["grade"]) for one, row in rows.items()} == {
        person: (one.score, one.grade) for person, one in last.items()
    }
    assert sum(one.grade is Grade.EXTRA_HIGH for one in last.values()) > 3
    numbers = [number for number, *_ in warnings(post)]
    assert len(numbers) == len(set(numbers)) == sum(row["warnings"] for row in rows.values())
    prints = [int(row["fingerprint"], 16) for row in post.rows(t.robot_shard)]
    assert f"{sum(prints) % (1 << 128):032x}" == whole.fingerprint()


def test_what_a_database_did_not_take_is_written_when_it_answers(post: Post, monkeypatch: pytest.MonkeyPatch):
    robot = post.robot()
    post.send(post.listed(account=MULE), post.payment())
    commit, tries = WarningRobot._commit, []

    def fails_first(self: WarningRobot, last: int) -> None:
        tries.append(last)
        if len(tries) == 1:
            raise Unavailable(part="database", problem="away")
        commit(self, last)

    monkeypatch.setattr(WarningRobot, "_commit", fails_first)
    monkeypatch.setattr(robot._stopped, "wait", lambda _seconds: False)
    post.work(robot)
    assert len(tries) == 2
    assert len(warnings(post)) == 1


def test_two_robots_share_the_shards_and_one_takes_over_from_the_other(post: Post):
    first, second = post.robot(), post.robot()
    first._last.clear()
    first.do_periodic_work()
    second._last.clear()
    second.do_periodic_work()
    assert sorted([*first._shards, *second._shards]) == list(range(8))
    post.send(post.listed(account=MULE), *(post.payment(phone=f"+861380013{n:04d}") for n in range(20)))
    post.work(first)
    assert 0 < len(warnings(post)) < 20
    post.kill()
    second._last.clear()
    second.do_periodic_work()
    post.work(second)
    assert len(warnings(post)) == 20
    assert not first.evaluate_next(), "what it held is another's"
    assert len(warnings(post)) == 20


def many_of_medium(post: Post, count: int) -> None:
    """Verdicts that need the budget."""
    calls = [
        post.signal("call", phone=f"+861380013{n:04d}", number=SCAMMER, direction="in", duration_seconds=900)
        for n in range(count)
    ]
    post.send(post.listed(number=SCAMMER), *calls)


def test_above_the_budget_verdicts_wait_and_are_released_as_capacity_comes(post: Post):
    robot = post.robot()
    many_of_medium(post, 100)
    post.work(robot)
    sent = len(warnings(post))
    held = [row for row in post.rows(t.verdict) if row["state"] == "held"]
    assert 0 < sent < 50
    assert len(held) == 100 - sent
    with post.tx() as tx:
        assert count_held(tx) == len(held)
    post.send(post.listed(account=MULE), post.payment(phone="+8613911112222"))
    post.work(robot)
    assert len(warnings(post)) == sent + 1, "an extra-high one is exempt"
    post.clock.advance(3700)
    with post.tx() as tx:
        more = release_held(tx, post.services, now=post.clock.now())
    assert more == sent


def test_where_others_are_held_only_urgent_ones_go_before_the_next_look(post: Post):
    robot = post.robot()
    many_of_medium(post, 100)
    post.work(robot)
    post.clock.advance(3700)
    before = len(warnings(post))
    post.send(
        post.payment(phone="+8613911112222", fen=9_000_000),
        post.listed(account=MULE),
        post.signal("call", phone="+8613911113333", number=SCAMMER, direction="in", duration_seconds=900),
    )
    post.work(robot)
    assert len(warnings(post)) == before + 1, "the medium one waits for its turn among those that are held"
    with post.tx() as tx:
        assert release_held(tx, post.services, now=post.clock.now()) > 0


def test_what_a_stopped_rule_alone_finds_is_held(post: Post):
    now = post.clock.now()
    with post.tx() as tx:
        assert stop_rule_row(tx, "call_listed_long", by="robot", facts={}, now=now)
        assert stop_rule_row(tx, "contact_just_listed", by="robot", facts={}, now=now)
        assert not stop_rule_row(tx, "contact_just_listed", by="robot", facts={}, now=now)
    many_of_medium(post, 3)
    post.work(post.robot())
    assert warnings(post) == []
    with post.tx() as tx:
        assert end_rule_stop(tx, "call_listed_long", by="supervisor", now=now)
        release_held(tx, post.services, now=now)
    assert len(warnings(post)) == 3


@pytest.mark.parametrize("all_at_first", [False, True], ids=["some stopped", "all stopped, one resumed"])
def test_an_extra_high_verdict_with_a_reason_of_its_own_is_sent_whatever_is_stopped(
    post: Post, *, all_at_first: bool
):
    """Somebody lists a well known number, many verdicts follow, the rules stop: a true victim is still called."""
    now = post.clock.now()
    with post.tx() as tx:
        some = ("payment_listed_account", "large_new_payee", "contact_just_listed")
        every = [rule.id for rule in live_rules(tx).rules.rules]
        for rule in every if all_at_first else some:
            assert stop_rule_row(tx, rule, by="robot", facts={}, now=now)
    post.send(
        post.listed(account=MULE),
        post.payment(fen=9_000_000, new_payee=True),
        post.payment(fen=9_000_000, new_payee=True, phone=OTHER),
        post.listed(number=SCAMMER),
        post.signal("call", number=SCAMMER, direction="in", duration_seconds=900),
    )
    post.work(post.robot())
    if all_at_first:
        assert warnings(post) == []
        with post.tx() as tx:
            assert end_rule_stop(tx, "call_listed_long", by="supervisor", now=now)
            assert release_held(tx, post.services, now=now) == 1
    grades = {(row["grade"], row["state"]) for row in post.rows(t.verdict)}
    assert grades == {("extra_high", "sent"), ("extra_high", "held")}
    assert [grade for _, grade, _ in warnings(post)] == ["extra_high"]
    with post.tx() as tx:
        release_held(tx, post.services, now=now)
    alarms = [row for row in post.rows(t.alarm) if row["code"] == "urgent_held"]
    assert [row["facts"] for row in alarms] == [{"verdicts": 1}]


def test_what_a_stopped_rule_finds_takes_no_place_of_the_others(post: Post, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "_BATCH", 3)
    now = post.clock.now()
    with post.tx() as tx:
        for rule in ("call_listed_long", "contact_just_listed"):
            assert stop_rule_row(tx, rule, by="robot", facts={}, now=now)
    many_of_medium(post, 10)
    robot = post.robot()
    post.work(robot)
    post.send(
        post.listed(domain="bait.example"),
        post.signal("web", phone="+8613911113333", domain="bait.example", topic="loan"),
        post.signal("sms", phone="+8613911113333", direction="in", number="+8613911119999", topic="loan"),
    )
    post.work(robot)
    with post.tx() as tx:
        release_held(tx, post.services, now=now)
    assert len(warnings(post)) == 1
    assert [row["state"] for row in post.rows(t.verdict)].count("held") == 10


def test_whom_nobody_can_call_keeps_no_other_waiting(post: Post, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "_BATCH", 3)
    robot = post.robot()
    with monkeypatch.context() as patch:
        patch.setattr(sending, "budget_now", lambda *_: {})
        many_of_medium(post, 1)
        post.work(robot)
    post.clock.advance(60)
    calls = [
        post.signal("call", id_number=id_number(n), number=SCAMMER, direction="in", duration_seconds=900)
        for n in range(6)
    ]
    for one in calls:
        del one["phone"]
    post.send(*calls)
    post.work(robot)
    waiting, *silent = post.rows(t.verdict)
    assert (waiting["state"], waiting["has_phone"]) == ("held", True)
    assert {(row["state"], row["has_phone"]) for row in silent} == {("held", False)}
    since = post.clock.now() - timedelta(days=3)
    with post.tx() as tx:
        assert [one.id for one in lock_held(tx, limit=3, since=since)] == [waiting["id"]]
        assert not others_are_held(tx, [waiting["id"]])
        # As a version wrote them that does not know the column.
        tx.execute(sa.update(t.verdict).values(has_phone=True))
    sent = []
    for _ in range(3):
        with post.tx() as tx:
            sent.append(release_held(tx, post.services, now=post.clock.now()))
    assert sent == [0, 0, 1]


def test_many_of_one_grade_do_not_hide_a_higher_one_whose_turn_is_later(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "_BATCH", 3)
    robot = post.robot()
    with monkeypatch.context() as patch:
        patch.setattr(sending, "budget_now", lambda *_: {})
        many_of_medium(post, 8)
        post.work(robot)
    *medium, high = post.rows(t.verdict)
    assert {row["state"] for row in post.rows(t.verdict)} == {"held"}
    with post.tx() as tx:
        tx.execute(sa.update(t.verdict).values(grade="medium", probability=0.4))
        tx.execute(
            sa.update(t.verdict).values(grade="high", probability=0.1).where(t.verdict.c.id == high["id"])
        )
    monkeypatch.setattr(sending, "budget_now", lambda *_: {Grade.HIGH: 2, Grade.MEDIUM: 0, Grade.LOW: 0})
    with post.tx() as tx:
        found = lock_held(tx, limit=3, since=post.clock.now() - timedelta(days=3))
        assert [one.grade.value for one in found if one.grade] == ["high", *["medium"] * 3]
        assert release_held(tx, post.services, now=post.clock.now()) == 2
    assert sorted(grade for _, grade, _ in warnings(post)) == ["high", "medium"], (
        "a place is left for one more"
    )
    assert len(medium) == 7


def test_a_stopped_rule_raises_no_warning_that_was_sent_and_a_raised_one_counts_in_the_budget(post: Post):
    robot = post.robot()
    many_of_medium(post, 1)
    post.work(robot)
    assert len(warnings(post)) == 1
    now = post.clock.now()
    with post.tx() as tx:
        assert stop_rule_row(tx, "payment_listed_account", by="robot", facts={}, now=now)
    post.clock.advance(7200)
    post.send(post.listed(account=MULE), post.payment(phone="+8613800130000"))
    post.work(robot)
    assert len(warnings(post)) == 1
    with post.tx() as tx:
        assert sent_since(tx, now) == {}
        assert release_held(tx, post.services, now=post.clock.now()) == 0
        assert end_rule_stop(tx, "payment_listed_account", by="supervisor", now=post.clock.now())
        assert release_held(tx, post.services, now=post.clock.now()) == 1
        assert release_held(tx, post.services, now=post.clock.now()) == 0
    assert len(warnings(post)) == 2
    with post.tx() as tx:
        assert sent_since(tx, now) == {Grade.EXTRA_HIGH: 1}


def test_who_was_seen_last_goes_on_first(post: Post):
    robot = post.robot()
    many_of_medium(post, 60)
    post.work(robot)
    waiting = {row["id"] for row in post.rows(t.verdict) if row["state"] == "held"}
    assert waiting
    post.clock.advance(26 * 3600)
    fresh = post.signal("call", phone="+8613911113333", number=SCAMMER, direction="in", duration_seconds=900)
    post.send(fresh)
    post.work(robot)
    with post.tx() as tx:
        first, *others = lock_held(tx, limit=100, since=post.clock.now() - timedelta(days=3))
    assert first.id not in waiting
    assert {one.id for one in others} == waiting
    with post.tx() as tx:
        old = lock_held(tx, limit=100, since=post.clock.now() - timedelta(hours=1))
    assert old[0].id == first.id
    assert len(old) == 1 + len(others), "older ones fill what is left"


def test_a_rule_that_suddenly_fires_for_a_city_is_stopped_and_an_alarm_raised(post: Post):
    post.send(post.signal("web", domain="shop.example", topic="shopping"))
    post.clock.advance(3700)
    many_of_medium(post, 60)
    post.work(post.robot())
    with post.tx() as tx:
        check_health(tx, now=post.clock.now())
        check_health(tx, now=post.clock.now())
    assert "call_listed_long" in {row["rule"] for row in post.rows(t.rule_stop)}
    assert "rule_stopped" in {row["code"] for row in post.rows(t.alarm)}


def test_in_the_first_hour_of_all_no_rule_is_stopped_and_then_hours_before_it_count_for_nothing(post: Post):
    robot = post.robot()
    for hour in range(4):
        calls = [
            post.signal(
                "call", phone=f"+8613800{hour}3{n:04d}", number=SCAMMER, direction="in", duration_seconds=900
            )
            for n in range(60)
        ]
        post.send(*calls)
        post.work(robot)
        with post.tx() as tx:
            check_health(tx, now=post.clock.now())
            assert not rule_stops(tx), hour
        post.clock.advance(3600)
    assert len(post.rows(t.verdict)) == 240


def test_a_rule_that_a_person_resumes_is_not_stopped_again_for_the_same_firings(post: Post):
    post.send(post.signal("web", domain="shop.example", topic="shopping"))
    post.clock.advance(3700)
    robot = post.robot()
    many_of_medium(post, 60)
    post.work(robot)

    def stopped() -> set[str]:
        with post.tx() as tx:
            check_health(tx, now=post.clock.now())
            return {stop.rule for stop in rule_stops(tx)}

    at_first = stopped()
    assert at_first
    with post.tx() as tx:
        for rule in at_first:
            end_rule_stop(tx, rule, by="boris", now=post.clock.now())
    post.clock.advance(60)
    assert not stopped()
    post.clock.advance(3600)
    more = [
        post.signal("call", phone=f"+861380014{n:04d}", number=SCAMMER, direction="in", duration_seconds=900)
        for n in range(500)
    ]
    post.send(*more)
    post.work(robot)
    assert stopped() & at_first, "later they are judged again"


def test_a_source_that_falls_silent_raises_an_alarm(post: Post):
    for _ in range(60):
        post.send(post.payment())
        post.clock.advance(60)
    with post.tx() as tx:
        check_health(tx, now=post.clock.now())
    assert post.rows(t.alarm) == []
    post.clock.advance(3600)
    with post.tx() as tx:
        check_health(tx, now=post.clock.now())
    (alarm,) = post.rows(t.alarm)
    assert (alarm["code"], alarm["facts"]) == ("signals_silent", {"names": ["bank"]})


def test_another_source_that_falls_silent_is_named_in_the_alarm_that_stands(post: Post):
    def check() -> list[tuple[object, int]]:
        with post.tx() as tx:
            check_health(tx, now=post.clock.now())
        return [(row["facts"]["names"], row["times"]) for row in post.rows(t.alarm)]

    for minute in range(180):
        post.send(*([post.payment()] if minute < 60 else []), post.payment(source="telecom"))
        post.clock.advance(60)
    assert check() == check() == [(["bank"], 1)], "the same silence is one alarm"
    post.clock.advance(3600)
    assert check() == check() == [(["bank", "telecom"], 2)]


def test_some_below_the_line_are_drawn_and_their_probability_is_kept(post: Post):
    robot = post.robot()
    with post.tx() as tx:
        send_random_draw(tx, post.services, now=post.clock.now(), every=timedelta(0))
    post.clock.advance(60)
    post.send(
        *(
            post.payment(account=f"622299{n:04d}", phone=f"+861380013{n:04d}", fen=6_000_000, new_payee=True)
            for n in range(40)
        )
    )
    post.work(robot)
    below = [row for row in post.rows(t.verdict) if row["state"] == "below"]
    if not below:
        pytest.skip("no shipped rule stays below the threshold here")
    post.clock.advance(3 * 3600)
    with post.tx() as tx:
        drawn = send_random_draw(tx, post.services, now=post.clock.now(), every=timedelta(0))
    rows = [row for row in post.rows(t.verdict) if row["state"] == "drawn"]
    assert len(rows) == drawn == len(warnings(post))
    assert all(0 < row["draw_share"] <= 1 for row in rows)
    (*_, last) = post.rows(t.robot_draw)
    assert (last["pool"], last["drawn"]) == (len(below), drawn)


@contextmanager
def migrating(url: str) -> Iterator[None]:
    """Holds the lock of a migration that has not changed anything yet."""
    engine = sa.create_engine(url)
    with engine.connect() as connection, connection.begin():
        # It ends with the transaction: the server notices the end of a connection some time later.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        yield
    engine.dispose()


def test_while_a_migration_runs_no_shard_is_taken_and_nothing_is_evaluated(post: Post):
    services = replace(post.services, schema=newest_revision())
    robot = WarningRobot(services, threading.Event(), holder="elsewhere pid 1 migrating")
    post.send(post.listed(account=MULE), post.payment())
    with migrating(post.store.url):
        robot.do_periodic_work()
        assert robot.evaluate_next() == 0
        assert post.rows(t.robot_shard) == post.rows(t.heartbeat) == []
    later = WarningRobot(services, threading.Event(), holder="elsewhere pid 1 afterwards")
    assert later.evaluate_next() == 0, "no shards yet"
    later.do_periodic_work()
    with migrating(post.store.url):
        assert later.evaluate_next() == 2, "it stops with its next beat"
        post.send(post.payment(phone=OTHER))
        later._last.clear()
        later.do_periodic_work()
        assert later.evaluate_next() == 0, "its beat has seen the migration"
    assert len(warnings(post)) == 1


def test_a_robot_for_another_schema_evaluates_nothing(post: Post):
    robot = WarningRobot(
        replace(post.services, schema="0001"), threading.Event(), holder="elsewhere pid 1 old"
    )
    post.send(post.listed(account=MULE), post.payment())
    with pytest.raises(SchemaMoved):
        robot.do_periodic_work()
    assert robot.evaluate_next() == 0
    assert post.rows(t.robot_shard) == []


def test_a_shard_is_renewed_and_released_by_its_holder_alone(post: Post):
    def take(holder: str) -> dict[int, JobClaim]:
        with post.tx() as tx:
            taken = take_shards(tx, holder=holder, gone=[], most=SHARDS, seconds=60)
        return {shard.shard: shard.claim for shard in taken}

    lost = take("one")
    assert list(lost) == list(range(SHARDS))
    assert take("two") == {}
    post.kill()
    held = take("two")
    assert list(held) == list(range(SHARDS))
    with post.tx() as tx:
        assert renew_shards(tx, lost.values(), holder="one", seconds=60) == set()
        release_shards(tx, list(lost.values()), holder="one")
        assert shard_holders(tx) == ["two"]
        assert renew_shards(tx, [held[3], held[5]], holder="two", seconds=60) == {3, 5}
    assert take("three") == {}
    with post.tx() as tx:
        release_shards(tx, [held[3]], holder="two")
    assert list(take("three")) == [3]
    with post.tx() as tx:
        assert sorted(shard_holders(tx)) == ["three", "two"]
        assert renew_shards(tx, held.values(), holder="two", seconds=60) == set(range(SHARDS)) - {3}


def test_very_many_signals_about_one_person_raise_one_alarm_with_their_source(post: Post):
    robot = post.robot()
    post.send(*(post.signal("login") for _ in range(MOST_ALIKE)))
    post.work(robot)
    assert [row["code"] for row in post.rows(t.alarm)] == []
    for _ in range(2):
        post.send(post.signal("login"))
        post.work(robot)
    (alarm,) = post.rows(t.alarm)
    assert (alarm["code"], alarm["facts"]["names"], alarm["times"]) == ("many_signals", ["bank"], 1)
