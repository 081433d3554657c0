"""`dialer corrections` as people type it: an order from its issue to its end."""

from __future__ import annotations

import json
from datetime import timedelta

from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.core.access import Role, unrestricted
from dialer.core.corrections import OrderEvent
from dialer.db.units import add_unit
from dialer.org.accounts import add_staff
from dialer.oversight.corrections import move_order
from dialer.runtime.settings import load_settings
from dialer.staff.store import find_member
from tests.terminal import signed_in_as

app = build_command_line("corrections")


def test_an_order_goes_its_way_at_the_terminal(environment: dict[str, str]):
    with application(load_settings(environment)) as made:
        with made.services.store.begin() as tx:
            unit_id = add_unit(tx, name="城关派出所", parent_id=None)
        for login, role, unit in (("wang", Role.SUPERVISOR, None), ("ann", Role.OFFICER, unit_id)):
            add_staff(
                made.services, unrestricted("test"), login=login, display_name=login, role=role, unit_id=unit,
                language="zh",
            )  # fmt: skip
        deadline = f"{made.services.clock.now() + timedelta(days=2):%Y-%m-%d}"

    def run(*words: str) -> Result:
        env = environment | signed_in_as(*words) | {"COLUMNS": "200"}
        return CliRunner().invoke(app, ["corrections", *words], env=env)

    def by_ann(*events: str, text: str) -> None:
        """In the console, since one user of a machine is one person."""
        with application(load_settings(environment)) as made:
            with made.services.store.begin() as tx:
                ann = find_member(tx, "ann")
            assert ann is not None
            for event in events:
                move_order(made.services, ann.actor, 1, OrderEvent(event), text=text)

    def done(*words: str) -> str:
        result = run(*words)
        assert result.exit_code == 0, (words, result.stderr, result.exception)
        return result.stdout

    wanted = ("--unit", "城关派出所", "--text", "签收逾期", "--month", "2026-11")
    assert "no orders to correct" in done("list", "--by", "wang")
    assert "督办单 1 已下发" in done("issue", "--by", "wang", *wanted, "--deadline", deadline)
    by_ann("signed", "answered", text="已整改")
    done("send-back", "1", "--by", "wang", "--text", "原因未查明", "--deadline", deadline)
    [waiting] = json.loads(done("list", "--by", "wang", "--unit", "城关派出所", "--json"))
    assert (waiting["state"], waiting["month"], waiting["is_overdue"]) == ("issued", "2026-11", False)
    by_ann("answered", text="交接班漏接")
    assert "待审批" in done("list", "--by", "wang")
    done("close", "1", "--by", "wang")
    told = json.loads(done("show", "1", "--by", "wang", "--json"))
    assert [step["event"] for step in told["steps"]] == [
        "issued", "signed", "answered", "sent_back", "answered", "closed",
    ]  # fmt: skip
    assert "交接班漏接" in done("show", "1", "--by", "wang")
    assert json.loads(done("list", "--by", "wang", "--json")) == []
    assert [row["state"] for row in json.loads(done("list", "--by", "wang", "--all", "--json"))] == ["closed"]
    refused = run("withdraw", "1", "--by", "wang", "--text", "x")
    assert "has changed meanwhile" in str(refused.exception)
    assert run("issue", "--by", "ann", *wanted, "--deadline", deadline).exit_code != 0
    assert run("issue", "--by", "wang", *wanted, "--deadline", "soon").exit_code != 0
