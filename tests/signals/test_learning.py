"""What calls and filed cases answered becomes a scorecard, which a second person approves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.errors import Conflict
from dialer.core.sources import ROBOT_SOURCE
from dialer.core.values import OutcomeKind, ScammerContact, VersionState
from dialer.db import tables as t
from dialer.outcomes.filed_lists import load_filed
from dialer.signals.fitting import TooFewLabels
from dialer.signals.health import check_quality, drifted_figures
from dialer.signals.label_store import answered_verdicts, read_background, read_labels
from dialer.signals.learning import fit_rules
from dialer.signals.queries import read_status
from dialer.signals.robot import WarningRobot
from dialer.signals.sending import release_held, send_random_draw
from dialer.signals.store import SignalCodec
from dialer.signals.versions import approve_rules
from tests.signals.post import MULE, OTHER, PERSON, SCAMMER, Post


def answer(post: Post, case_id: int, contact: ScammerContact, *, reverses: int | None = None) -> None:
    kind = OutcomeKind.MISMATCH if contact is ScammerContact.NO else OutcomeKind.CANNOT_FIND
    row = {
        "case_id": case_id, "kind": kind.value, "contact": "none", "reason": "bench", "recorded_by": "anna",
        "at": post.clock.now(), "drill": False, "scammer_contact": contact.value,
        "reverses": reverses,
    }  # fmt: skip
    with post.tx() as tx:
        tx.execute(sa.insert(t.outcome).values(row))


def phone(n: int) -> str:
    return f"+861380013{n:04d}"


def warned(
    post: Post, *, first: int, count: int, right: ScammerContact, fen: int, account: str = MULE
) -> None:
    """As many people pay to a listed account, fifteen an hour, and each call is answered."""
    for start in range(first, first + count, 15):
        some = range(start, min(start + 15, first + count))
        post.send(
            *(post.payment(account=account, phone=phone(n), fen=fen, new_payee=fen > 10**6) for n in some)
        )
        robot = post.robot()
        post.work(robot)
        robot.close()
        with post.tx() as tx:
            known = set(tx.execute(sa.select(t.outcome.c.case_id)).scalars())
        for row in post.rows(t.verdict):
            if row["case_id"] is not None and row["case_id"] not in known:
                answer(post, row["case_id"], right)
        post.clock.advance(3700)


def test_few_answers_teach_nothing(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    post.work(post.robot())
    with pytest.raises(TooFewLabels):
        fit_rules(post.services, unrestricted("anna"), days=30)


def test_an_answer_that_was_reversed_is_no_label(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    robot, codec = post.robot(), SignalCodec(post.services.store.vault)
    post.work(robot)
    (case,) = post.rows(t.case)

    def labels() -> list[bool]:
        with post.tx() as tx:
            found = read_labels(tx, codec, since=post.clock.now() - timedelta(days=1), now=post.clock.now())
            answered = answered_verdicts(tx, codec, since=post.clock.now() - timedelta(days=1))
        assert [one.is_fraud for one in found] == list(answered.values())
        return list(answered.values())

    answer(post, case["id"], ScammerContact.YES)
    assert labels() == [True]
    (first,) = (row for row in post.rows(t.outcome) if row["scammer_contact"] == ScammerContact.YES)
    answer(post, case["id"], ScammerContact.NO, reverses=first["id"])
    assert labels() == [False]
    (second,) = (row for row in post.rows(t.outcome) if row["reverses"] == first["id"])
    answer(post, case["id"], ScammerContact.UNKNOWN, reverses=second["id"])
    assert labels() == []


def test_answers_become_a_draft_that_only_a_second_person_approves(post: Post):
    pytest.importorskip("sklearn", reason="the extra learning is not installed")
    post.send(post.listed(account=MULE))
    warned(post, first=0, count=35, right=ScammerContact.YES, fen=9_000_000)
    warned(post, first=100, count=35, right=ScammerContact.NO, fen=20_000)
    with post.tx() as tx:
        now = post.clock.now()
        labels = read_labels(tx, SignalCodec(post.store.vault), since=now - timedelta(days=30), now=now)
    assert sum(label.is_fraud for label in labels) == 35
    assert len(labels) == 70
    tried = fit_rules(post.services, unrestricted("anna"), days=30, store=False)
    assert tried.draft is None
    done = fit_rules(post.services, unrestricted("anna"), days=30)
    assert done.draft is not None
    assert done.draft.state is VersionState.DRAFT
    raised = {rule for rule, now, draft in done.fitted.changes if draft > now}
    assert "large_new_payee" in raised
    with pytest.raises(Conflict, match="second person"):
        approve_rules(post.services, unrestricted("Anna"), done.draft.number, reason="fits")
    live = approve_rules(post.services, unrestricted("boris"), done.draft.number, reason="fits")
    assert live.state is VersionState.APPROVED
    robot = post.robot()
    assert robot._rules is not None
    assert robot._rules.scorecard == done.fitted.scorecard
    with post.tx() as tx:
        status = read_status(tx, since=post.clock.now() - timedelta(days=7), now=post.clock.now())
    assert sum(one.labelled for one in status.calibration) == 70
    assert sum(one.right for one in status.calibration) == 35


def test_a_filing_that_was_undone_is_no_label(post: Post):
    post.send(post.listed(account=MULE), post.payment())
    post.work(post.robot())
    (case,) = post.rows(t.case)
    filed = {"case_number": "F-1", "case_id": case["id"], "by": "anna", "at": post.clock.now()}
    codec, since = SignalCodec(post.store.vault), post.clock.now() - timedelta(days=1)
    with post.tx() as tx:
        filing = tx.scalar(sa.insert(t.filed_case).values(filed).returning(t.filed_case.c.id))
        assert [label.is_fraud for label in read_labels(tx, codec, since=since, now=post.clock.now())] == [
            True
        ]
        undone = {
            "filed_case_id": filing,
            "case_id": case["id"],
            "stands": False,
            "by": "boris",
            "at": post.clock.now(),
        }
        tx.execute(sa.insert(t.filed_case_change).values(undone))
        assert read_labels(tx, codec, since=since, now=post.clock.now()) == []


def test_a_case_that_is_filed_without_a_call_finds_what_the_robot_knew(post: Post, tmp_path: Path):
    post.send(post.signal("app", app="quick", topic="chat"))
    post.work(post.robot())
    (verdict,) = post.rows(t.verdict)
    assert verdict["state"] == "below"
    path = tmp_path / "filed.csv"
    day = (post.clock.now() + timedelta(hours=20)).strftime("%Y-%m-%d %H:%M")
    path.write_text(f"案件编号,姓名,手机号,立案时间\nA1,张三,{PERSON},{day}\n", encoding="utf-8")
    post.clock.advance(2 * 86_400)
    with path.open("rb") as content:
        load_filed(post.services, unrestricted("anna"), content, source="")
    with post.tx() as tx:
        now = post.clock.now()
        (label,) = read_labels(tx, SignalCodec(post.store.vault), since=now - timedelta(days=7), now=now)
    assert label.is_fraud
    assert not label.called
    assert "early_sideloaded_chat" in label.fired


UNKNOWN, KNOWN_SHOP = "+8613911112222", "95588"


def confirmed(post: Post, *more: dict[str, Any], robot: WarningRobot) -> None:
    """The person was called by an unknown number and paid to a listed account; our call says it was a fraud."""
    post.send(
        post.listed(account=MULE),
        post.signal("call", number=UNKNOWN, direction="in", duration_seconds=1200),
        post.payment(new_payee=True, fen=9_000_000),
        *more,
    )
    post.work(robot)
    (case,) = post.rows(t.case)
    answer(post, case["id"], ScammerContact.YES)


def rules_of(post: Post, phone: str) -> set[str]:
    person = SignalCodec(post.store.vault).person(phone, "")
    (verdict,) = [row["id"] for row in post.rows(t.verdict) if bytes(row["person_hash"]) == person]
    return {row["rule"] for row in post.rows(t.verdict_reason) if row["verdict_id"] == verdict}


def entered(post: Post) -> list[dict[str, str]]:
    """Items that the robot entered in the suspected list."""
    codec = SignalCodec(post.store.vault)
    rows = [row for row in post.rows(t.signal) if row["source"] == ROBOT_SOURCE]
    return [{kind.value: value for kind, value in codec.open(row).items.items()} for row in rows]


def test_what_a_confirmed_warning_rests_on_finds_who_else_touched_it(post: Post):
    robot = post.robot()
    post.send(post.signal("call", phone=OTHER, number=UNKNOWN, direction="in", duration_seconds=900))
    post.work(robot)
    assert robot.follow_answers() == 0, "nobody has answered yet"
    confirmed(
        post,
        post.signal("login", account="6222020200009999", new_device=True),
        post.payment(account="6222020200008888", new_payee=False),
        robot=robot,
    )
    assert robot.follow_answers() == 1
    assert entered(post) == [{"number": UNKNOWN}], "a listed payee is known, own accounts are the person's"
    assert "contact_listed" not in rules_of(post, OTHER)
    post.work(robot)
    assert "contact_listed" in rules_of(post, OTHER)
    assert robot.follow_answers() == 0
    robot.close()
    assert post.robot().follow_answers() == 0, "a new process finds it on the list"
    assert len(entered(post)) == 1


def test_an_item_whose_warnings_are_denied_is_taken_off_again(post: Post):
    robot = post.robot()
    confirmed(post, robot=robot)
    assert robot.follow_answers() == 1
    post.clock.advance(3600)
    for n in range(2):
        post.send(
            post.signal("call", phone=phone(n), number=UNKNOWN, direction="in", duration_seconds=1200),
            post.payment(phone=phone(n), new_payee=True, fen=9_000_000),
        )
    post.work(robot)
    for case in post.rows(t.case)[1:]:
        answer(post, case["id"], ScammerContact.NO)
    assert robot.follow_answers() == 1
    assert robot.follow_answers() == 0
    post.work(robot)
    post.send(post.signal("call", phone=phone(9), number=UNKNOWN, direction="in", duration_seconds=1200))
    post.work(robot)
    assert "contact_listed" not in rules_of(post, phone(9))


def test_what_many_touched_or_is_trusted_is_not_listed(post: Post):
    robot = post.robot()
    post.send(
        post.signal("list_change", number=KNOWN_SHOP, list_kind="trusted", change="entered"),
        post.signal("call", number=KNOWN_SHOP, direction="in", duration_seconds=1200),
        *(
            post.signal("call", phone=phone(n), number=UNKNOWN, direction="in", duration_seconds=30)
            for n in range(10)
        ),
    )
    confirmed(post, robot=robot)
    assert robot.follow_answers() == 0, "one of eleven who touched it"
    assert entered(post) == []


def test_a_case_that_is_filed_without_a_call_lists_what_it_rests_on(post: Post, tmp_path: Path):
    post.send(post.signal("app", app="quick", topic="chat"))
    robot = post.robot()
    post.work(robot)
    path = tmp_path / "filed.csv"
    day = (post.clock.now() + timedelta(hours=20)).strftime("%Y-%m-%d %H:%M")
    path.write_text(f"案件编号,姓名,手机号,立案时间\nA1,张三,{PERSON},{day}\n", encoding="utf-8")
    post.clock.advance(86_400)
    with path.open("rb") as content:
        load_filed(post.services, unrestricted("anna"), content, source="")
    assert robot.follow_answers() == 1
    assert entered(post) == [{"app": "quick"}]


def test_a_draw_notes_how_common_rules_are_below_the_line(post: Post):
    with post.tx() as tx:
        send_random_draw(tx, post.services, now=post.clock.now(), every=timedelta(0))
    post.clock.advance(60)
    post.send(*(post.signal("app", phone=phone(n), app="quick", topic="chat") for n in range(30)))
    post.work(post.robot())
    post.clock.advance(600)
    with post.tx() as tx:
        drawn = send_random_draw(tx, post.services, now=post.clock.now(), every=timedelta(0))
        background = read_background(tx, since=post.clock.now() - timedelta(days=1))
    assert background == {frozenset({"early_sideloaded_chat"}): 30 - drawn}


def test_a_rule_that_is_right_less_often_raises_an_alarm(post: Post):
    post.send(post.listed(number=SCAMMER), post.listed(account=MULE))
    warned(post, first=0, count=40, right=ScammerContact.YES, fen=9_000_000)
    with post.tx() as tx:
        check_quality(tx, now=post.clock.now())
    assert post.rows(t.alarm) == []
    post.clock.advance(20 * 86_400)
    post.send(post.listed(account="6222020200007777"))
    warned(post, first=200, count=40, right=ScammerContact.NO, fen=9_000_000, account="6222020200007777")
    with post.tx() as tx:
        check_quality(tx, now=post.clock.now())
    (alarm,) = [row for row in post.rows(t.alarm) if row["code"] == "rule_worse"]
    named = {rule["rule"]: rule for rule in alarm["facts"]["rules"]}
    assert named["payment_listed_account"]["before"] == [40, 40]
    right, labelled = named["payment_listed_account"]["now"]
    assert right == 0
    assert labelled >= 30

    def marked() -> set[str]:
        with post.tx() as tx:
            now = post.clock.now()
            return {rule.rule for rule in read_status(tx, since=now, now=now).rules if rule.is_worse}

    assert marked() == set(named)
    post.clock.advance(20 * 86_400)
    assert marked() == set(), "no answers of the last two weeks say it any more"


def test_the_status_marks_a_silent_source_until_it_sends_again(post: Post):
    def silent() -> list[str]:
        with post.tx() as tx:
            now = post.clock.now()
            status = read_status(tx, since=now - timedelta(days=7), now=now)
        return [source.source for source in status.sources if source.is_silent]

    post.send(*(post.payment(phone=phone(n)) for n in range(60)))
    assert silent() == []
    post.clock.advance(3600)
    assert silent() == ["bank"]
    post.send(post.payment(phone=phone(99)))
    assert silent() == []


def test_figures_that_are_spread_otherwise_raise_an_alarm(post: Post):
    post.send(post.listed(account=MULE))

    def pay(first: int, fen: int) -> None:
        post.send(*(post.payment(phone=phone(first + n), fen=fen + n) for n in range(250)))
        robot = post.robot()
        post.work(robot)
        robot.close()
        with post.tx() as tx:
            release_held(tx, post.services, now=post.clock.now())

    pay(0, 1_000_000)
    post.clock.advance(2 * 86_400)
    pay(1000, 1_000_000)
    with post.tx() as tx:
        assert drifted_figures(tx, now=post.clock.now()) == []
    post.clock.advance(2 * 86_400)
    pay(2000, 9_000_000)
    with post.tx() as tx:
        (drifted, *_) = drifted_figures(tx, now=post.clock.now())
        check_quality(tx, now=post.clock.now())
    assert drifted[0] == "payment_listed_account.amount"
    assert "signals_drifted" in {row["code"] for row in post.rows(t.alarm)}
