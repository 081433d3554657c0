"""What everybody uses is listed as fraud, and what one source trusts counts for all, only when a person confirms it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core.access import Actor, unrestricted
from dialer.core.errors import Conflict, Invalid, NotPermitted
from dialer.core.second_person import SamePerson
from dialer.db import tables as t
from dialer.signals.list_items import confirm_item, refuse_item, waiting_items
from dialer.signals.model import ItemKind, ListChange, ListKind, is_public_service
from tests.audit_lines import audit_lines
from tests.signals.post import Post

BANK = "95588"
CHIEF, SECOND = unrestricted("chief"), unrestricted("second")


@pytest.mark.parametrize(
    ("item", "value", "is_public"),
    [
        (ItemKind.NUMBER, "95588", True),
        (ItemKind.NUMBER, "+8695588", True),
        (ItemKind.NUMBER, "047895588", True),
        (ItemKind.NUMBER, "110", True),
        (ItemKind.NUMBER, "12315", True),
        (ItemKind.NUMBER, "10086", True),
        (ItemKind.NUMBER, "9558812345", False),
        (ItemKind.NUMBER, "+8613800138000", False),
        (ItemKind.ACCOUNT, "95588", False),
        (ItemKind.DOMAIN, "www.gov.cn", True),
        (ItemKind.DOMAIN, "gov.cn.example", False),
    ],
)
def test_what_everybody_uses_is_known_by_its_number_or_site(item: ItemKind, value: str, is_public: bool):
    assert is_public_service(item, value) is is_public


def rules(post: Post) -> set[str]:
    return {rule for row in post.rows(t.verdict) for rule in row["rules"]}


def test_a_bank_that_a_source_lists_as_fraud_counts_only_when_a_person_confirms_it(post: Post):
    robot = post.robot()
    post.send(
        post.listed(number=BANK) | {"source": "intruder"},
        post.signal("call", number=BANK, direction="in", duration_seconds=900),
    )
    post.work(robot)
    assert "call_listed_long" not in rules(post)
    (alarm,) = [row for row in post.rows(t.alarm) if row["code"] == "list_item_waits"]
    assert alarm["facts"] == {"names": ["intruder"]}
    post.clock.advance(60)
    assert not confirm(post, CHIEF)
    post.work(robot)
    assert "call_listed_long" not in rules(post)
    assert confirm(post, SECOND)
    post.work(robot)
    assert "call_listed_long" in rules(post)
    told = [
        (line["who"], line["act"], line["subject"], line["why"])
        for line in audit_lines(post.services.store)
        if "list_item" in line["act"]
    ]
    assert told == [
        ("chief", "list_item_asked", "source/intruder", "true"),
        ("second", "confirm_list_item", "source/intruder", "true"),
    ]


def confirm(
    post: Post, actor: Actor, value: str = BANK, change: ListChange = ListChange.ENTERED, of: str = "intruder"
) -> bool:
    return confirm_item(
        post.services,
        actor,
        ItemKind.NUMBER,
        value,
        list_kind=ListKind.FRAUD,
        of=of,
        change=change,
        why="true",
    )


def test_who_asked_does_not_confirm_also_by_another_spelling(post: Post):
    assert not confirm(post, CHIEF)
    for same in (CHIEF, unrestricted("Chief")):
        with pytest.raises(SamePerson):
            confirm(post, same)
    assert post.rows(t.signal) == []


def test_only_the_same_item_of_the_same_source_and_list_is_confirmed(post: Post):
    assert not confirm(post, CHIEF)
    assert not confirm(post, SECOND, value="95599")
    assert not confirm(post, SECOND, change=ListChange.REMOVED)
    assert not confirm(post, SECOND, of="another")
    assert post.rows(t.signal) == []
    waits = [(one.source, one.change.value, one.asked_by) for one in waiting_items(post.services)]
    assert waits == [
        ("intruder", "entered", "chief"),
        ("intruder", "entered", "second"),
        ("intruder", "removed", "second"),
        ("another", "entered", "second"),
    ]
    assert BANK.encode() not in repr(post.rows(t.list_item_request)).encode()
    assert confirm(post, SECOND, value=" 95588 ")
    assert len(post.rows(t.signal)) == 1


def test_what_nobody_confirms_in_a_week_is_asked_for_anew(post: Post):
    assert not confirm(post, CHIEF)
    post.clock.advance(7 * 86_400)
    assert waiting_items(post.services) == []
    assert not confirm(post, SECOND)
    assert confirm(post, CHIEF)


def test_a_refusal_frees_the_way_and_who_asked_withdraws(post: Post):
    for actor, act in ((SECOND, "list_item_refused"), (CHIEF, "list_item_withdrawn")):
        assert not confirm(post, CHIEF)
        (waits,) = waiting_items(post.services)
        with pytest.raises(Invalid):
            refuse_item(post.services, actor, waits.id, why="")
        with pytest.raises(NotPermitted):
            refuse_item(post.services, replace(actor, unit_id=1), waits.id, why="x")
        refuse_item(post.services, actor, waits.id, why="not theirs")
        with pytest.raises(Conflict):
            refuse_item(post.services, actor, waits.id, why="again")
        (line,) = [line for line in audit_lines(post.services.store) if line["act"] == act]
        assert (line["who"], line["subject"], line["why"]) == (actor.name, "source/intruder", "not theirs")
    assert post.rows(t.signal) == [] == waiting_items(post.services)


def test_nobody_of_a_unit_confirms_and_nothing_without_a_reason(post: Post):
    def ask(actor: Actor = CHIEF, value: str = BANK, of: str = "bank", why: str = "known") -> None:
        confirm_item(
            post.services, actor, ItemKind.NUMBER, value, list_kind=ListKind.TRUSTED, of=of, why=why,
            change=ListChange.REMOVED,
        )  # fmt: skip

    with pytest.raises(NotPermitted):
        ask(replace(CHIEF, unit_id=1))
    for field, wrong in (
        ("why", {"why": " "}),
        ("source", {"of": ""}),
        ("source", {"of": "预警机器人"}),
        ("number", {"value": "x"}),
    ):
        with pytest.raises(Invalid) as refused:
            ask(**wrong)
        assert refused.value.field == field
    assert post.rows(t.signal) == []
    ask()
    ask(SECOND)
    assert len(post.rows(t.signal)) == 1
