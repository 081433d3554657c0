"""What everybody uses is listed as fraud, and what one source trusts counts for all, only when a person confirms it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core.access import unrestricted
from dialer.core.errors import Invalid, NotPermitted
from dialer.db import tables as t
from dialer.signals.list_items import confirm_item
from dialer.signals.model import ItemKind, ListChange, ListKind, is_public_service
from tests.audit_lines import audit_lines
from tests.signals.post import Post

BANK = "95588"
CHIEF = unrestricted("chief")


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
    confirm_item(
        post.services, CHIEF, ItemKind.NUMBER, BANK, list_kind=ListKind.FRAUD, of="intruder", why="true"
    )
    post.work(robot)
    assert "call_listed_long" in rules(post)
    (line,) = [line for line in audit_lines(post.services.store) if line["act"] == "confirm_list_item"]
    assert (line["who"], line["subject"], line["why"]) == ("chief", "source/intruder", "true")


def test_nobody_of_a_unit_confirms_and_nothing_without_a_reason(post: Post):
    def confirm(actor: object = CHIEF, value: str = BANK, of: str = "bank", why: str = "known") -> None:
        confirm_item(
            post.services, actor, ItemKind.NUMBER, value, list_kind=ListKind.TRUSTED, of=of, why=why,
            change=ListChange.REMOVED,
        )  # type: ignore[arg-type]  # fmt: skip

    with pytest.raises(NotPermitted):
        confirm(replace(CHIEF, unit_id=1))
    for wrong in ({"why": " "}, {"of": ""}, {"of": "预警机器人"}, {"value": "x"}):
        with pytest.raises(Invalid):
            confirm(**wrong)
    assert post.rows(t.signal) == []
    confirm()
    assert len(post.rows(t.signal)) == 1
