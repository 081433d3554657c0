"""A rule that fires too often because of one source is stopped for that source, and for nobody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.access import unrestricted
from dialer.core.sources import SourceLimits
from dialer.db import tables as t
from dialer.db.alarms import acknowledge_alarm_row
from dialer.db.sources import add_sources, set_source
from dialer.runtime.source_settings import ProbationSettings, RegularSettings, SourcesSettings
from dialer.signals.budget import doubtful_source
from dialer.signals.health import HELD_MINUTES, check_health
from dialer.signals.sending import release_held
from dialer.signals.source_quotas import resume_source
from dialer.signals.verdict_store import rule_stops, stop_rule_row
from dialer.signals.versions import resume_rule
from dialer.warnings.source_limits import read_source
from tests.signals.post import MULE, PERSON, SCAMMER, Post

BANK = "+85295588"
LISTED = "call_listed_long"


@pytest.mark.parametrize(
    ("firings", "source"),
    [
        ({("feed",): [60, 0, 1]}, "feed"),
        ({("feed",): [5, 5, 5], ("intruder",): [60, 0, 0]}, "intruder"),
        # Who listed the number is to blame, not the carrier of all calls.
        ({("carrier",): [5, 6, 5], ("carrier", "intruder"): [60, 0, 0]}, "intruder"),
        ({("one",): [60, 0, 0], ("two",): [60, 0, 0]}, None),
        ({(): [60, 0, 0], ("feed",): [5, 5, 5]}, None),
        # Both would do: the one that has grown.
        ({("carrier",): [0, 4, 5], ("carrier", "intruder"): [60, 0, 0]}, "intruder"),
    ],
)
def test_the_doubtful_source_is_the_one_without_which_the_rule_fires_as_usual(
    firings: dict[tuple[str, ...], list[int]], source: str | None
):
    assert doubtful_source(firings) == source


def call(post: Post, phone: str, number: str, source: str = "carrier") -> dict[str, object]:
    return post.signal(
        "call", source=source, phone=phone, number=number, direction="in", duration_seconds=900
    )


def has_the_rule_stopped(post: Post) -> None:
    """Every hour calls with a scammer and with a bank, until the intruder lists the bank's number."""
    robot = post.robot()
    post.send(post.listed(number=SCAMMER, source="platform") | {"source": "platform"})
    for hour in range(3):
        post.send(*(call(post, f"+861380015{hour}{n:03d}", SCAMMER) for n in range(2)))
        post.send(*(call(post, f"+861380016{hour}{n:03d}", BANK) for n in range(20)))
        post.work(robot)
        post.clock.advance(3700)
    post.send(post.listed(number=BANK) | {"source": "intruder"})
    post.work(robot)
    with post.tx() as tx:
        check_health(tx, now=post.clock.now())
        check_health(tx, now=post.clock.now())


def test_what_one_source_listed_stops_the_rule_for_what_it_listed_alone(post: Post):
    has_the_rule_stopped(post)
    with post.tx() as tx:
        stops = [(stop.rule, stop.source) for stop in rule_stops(tx)]
    assert (LISTED, "intruder") in stops
    assert {source for rule, source in stops if rule in {LISTED, "contact_just_listed"}} == {"intruder"}
    (told,) = [row["facts"]["names"] for row in post.rows(t.alarm) if row["code"] == "rule_stopped"]
    assert "intruder" in told
    post.send(call(post, PERSON, SCAMMER))
    post.work(post.robot())
    with post.tx() as tx:
        release_held(tx, post.services, now=post.clock.now())
    states = {row["state"] for row in post.rows(t.verdict) if LISTED in row["rules"] and row["seq"] > 67}
    assert "sent" in states, "the victim whose number the platform has listed"


def test_one_reason_of_a_stopped_rule_that_another_source_speaks_for_is_enough(post: Post):
    now = post.clock.now()
    with post.tx() as tx:
        for rule in ("payment_listed_account", "large_new_payee", "contact_just_listed"):
            assert stop_rule_row(tx, rule, by="robot", facts={}, now=now, source="intruder")
            assert not stop_rule_row(tx, rule, by="robot", facts={}, now=now, source="intruder")
    paid = post.payment(fen=9_000_000, new_payee=True)
    post.send(post.listed(account="6222020200001111") | {"source": "intruder"}, paid | {"source": "intruder"})
    robot = post.robot()
    post.work(robot)
    (verdict,) = post.rows(t.verdict)
    assert (verdict["grade"], verdict["state"]) == ("extra_high", "held")
    post.send(post.listed(account="6222020200001111") | {"source": "platform"}, post.payment(fen=9_000_000))
    post.work(robot)
    (verdict,) = post.rows(t.verdict)
    assert verdict["state"] == "sent"
    assert resume_rule(post.services, unrestricted("Boss"), "large_new_payee")


def test_what_is_held_for_minutes_is_told_and_told_again_after_an_hour(post: Post):
    with post.tx() as tx:
        for rule in (LISTED, "contact_just_listed"):
            stop_rule_row(tx, rule, by="robot", facts={}, now=post.clock.now())
    post.send(post.listed(number=SCAMMER), call(post, PERSON, SCAMMER))
    post.work(post.robot())

    def told() -> list[int]:
        with post.tx() as tx:
            check_health(tx, now=post.clock.now())
        return [row["id"] for row in post.rows(t.alarm) if row["code"] == "verdicts_held"]

    assert [row["state"] for row in post.rows(t.verdict)] == ["held"]
    assert not told()
    post.clock.advance(HELD_MINUTES * 60)
    (first,) = told()
    assert told() == [first]
    with post.tx() as tx:
        acknowledge_alarm_row(tx, first, by="boris", now=post.clock.now())
    post.clock.advance(3599)
    assert told() == [first]
    post.clock.advance(timedelta(seconds=1).total_seconds())
    assert len(told()) == 2


def states(post: Post) -> dict[str, int]:
    return dict(Counter(row["state"] for row in post.rows(t.verdict)))


def test_a_source_without_limits_of_its_own_has_those_of_the_settings(post: Post):
    with post.tx() as tx:
        add_sources(tx, ["known"])
        assert set_source(tx, "known", SourceLimits(), on_probation=False)
    post.services = replace(
        post.services, sources=SourcesSettings(regular=RegularSettings(extra_high_per_hour=2))
    )
    post.send(post.listed(account=MULE) | {"source": "known"})
    post.send(
        *(
            post.payment(source="known", phone=f"+86138001800{n:02d}", fen=9_000_000, new_payee=True)
            for n in range(3)
        )
    )
    post.work(post.robot())
    assert states(post) == {"sent": 2, "held": 1}
    assert read_source(post.services, "known").sent.extra_high_in_hour == 2


def test_what_rests_on_one_source_counts_as_its_warnings_and_waits_above_its_limit(post: Post):
    with post.tx() as tx:
        add_sources(tx, ["new", "known"])
        assert set_source(tx, "known", SourceLimits(), on_probation=False)
    post.services = replace(
        post.services, sources=SourcesSettings(probation=ProbationSettings(extra_high_per_hour=3))
    )
    post.send(post.listed(account=MULE) | {"source": "known"})
    pays = [
        post.payment(source="new", phone=f"+86138001800{n:02d}", fen=9_000_000, new_payee=True)
        for n in range(5)
    ]
    post.send(*pays)
    robot = post.robot()
    post.work(robot)
    assert states(post) == {"sent": 3, "held": 2}
    (told,) = [row for row in post.rows(t.alarm) if row["code"] == "source_stopped"]
    assert told["facts"]["names"] == ["new"]
    assert read_source(post.services, "new").sent.extra_high_in_hour == 3, "what waits is not counted"
    with post.tx() as tx:
        assert release_held(tx, post.services, now=post.clock.now()) == 0
    post.send(post.payment(source="known", phone=PERSON, fen=9_000_000, new_payee=True))
    post.work(robot)
    assert states(post) == {"sent": 4, "held": 2}, "another source is not concerned"
    boss = unrestricted("Boss")
    assert resume_source(post.services, boss, "new")
    assert not resume_source(post.services, boss, "new")
    with post.tx() as tx:
        assert release_held(tx, post.services, now=post.clock.now()) == 2
