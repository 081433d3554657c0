"""A number with many open cases: what the robot finds for one more waits for a person."""

from __future__ import annotations

from collections import Counter
from io import BytesIO

from dialer.case_page.reading import show_case
from dialer.core.access import unrestricted
from dialer.core.timeline import EntryKind
from dialer.db import tables as t
from dialer.db.unit_of_work import Row
from dialer.signals.held import HeldBecause, drop_verdicts, release_verdicts, why_held
from dialer.signals.sending import release_held
from dialer.signals.verdict_store import held_verdicts, others_are_held
from dialer.warnings.lists import load_list, submit_list
from tests.signals.post import MULE, OTHER, SCAMMER, Post

FULL = [f"+861380099000{n}" for n in range(3)]
CHIEF = unrestricted("chief")


def with_open_cases(post: Post) -> None:
    """Four people with open cases have each of the numbers."""
    rows = "\n".join(f"王{n}{place},{phone},低危" for place, phone in enumerate(FULL) for n in range(4))
    content = BytesIO(f"姓名,手机号码,预警等级\n{rows}\n".encode())
    assert load_list(
        post.services, submit_list(post.services, CHIEF, content, filename="a.csv", source="bureau")
    )
    assert len(post.rows(t.case)) == 4 * len(FULL)


def called(post: Post, phone: str) -> dict[str, object]:
    return post.signal(
        "call", source="carrier", phone=phone, number=SCAMMER, direction="in", duration_seconds=900
    )


def states(post: Post) -> dict[str, int]:
    return dict(Counter(row["state"] for row in post.rows(t.verdict)))


def alarms(post: Post, code: str) -> list[Row]:
    return [row for row in post.rows(t.alarm) if row["code"] == code]


def test_verdicts_for_one_more_case_of_a_number_wait_for_a_person_and_hold_up_no_other(post: Post):
    with_open_cases(post)
    robot = post.robot()
    post.send(post.listed(number=SCAMMER), *(called(post, phone) for phone in FULL))
    post.work(robot)
    assert states(post) == {"held": 3}
    with post.tx() as tx:
        assert release_held(tx, post.services, now=post.clock.now()) == 0
        assert not others_are_held(tx, [])
        waiting = held_verdicts(tx, limit=9)
        assert {why.because for why in why_held(tx, waiting).values()} == {HeldBecause.NUMBER}
    post.send(called(post, OTHER))
    post.work(robot)
    assert states(post) == {"sent": 1, "held": 3}
    first, second, third = sorted(verdict.id for verdict in waiting)
    assert release_verdicts(post.services, CHIEF, [first], why="a family") == 1
    released = next(row["case_id"] for row in post.rows(t.verdict) if row["id"] == first)
    timeline = show_case(post.services, released).file.timeline
    entries = [(entry.by, entry.facts["why"]) for entry in timeline if entry.kind is EntryKind.RELEASED]
    assert entries == [(CHIEF.name, "a family")]
    assert drop_verdicts(post.services, CHIEF, [second], why="false") == 1
    assert len(post.rows(t.case)) == 4 * len(FULL) + 2
    assert not alarms(post, "many_names"), "a person has decided"
    marked = {row["id"]: row["held_for_number"] for row in post.rows(t.verdict)}
    assert [marked[one] for one in (first, second, third)] == [False, False, True]


def test_an_extra_high_verdict_of_one_source_waits_and_is_told_one_of_several_has_a_case(post: Post):
    with_open_cases(post)
    robot = post.robot()
    payments = [post.payment(phone=phone, fen=9_000_000, new_payee=True) for phone in FULL[:2]]
    post.send(post.listed(account=MULE), *payments)
    post.work(robot)
    assert {row["grade"] for row in post.rows(t.verdict)} == {"extra_high"}
    assert states(post) == {"held": 2}
    assert [row["facts"] for row in alarms(post, "urgent_held")] == [{"verdicts": 2}]
    post.send(post.listed(number=SCAMMER) | {"source": "platform"}, called(post, FULL[1]))
    post.work(robot)
    assert states(post) == {"sent": 1, "held": 1}
    [told] = alarms(post, "many_names")
    [sent] = [row for row in post.rows(t.verdict) if row["state"] == "sent"]
    assert (sent["case_id"], sent["held_for_number"]) == (told["case_id"], False)
