"""docs/json.md names every command with --json, and the keys of the lists are those that are printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.calls.pause_store import place_pause
from dialer.core.access import Role, unrestricted
from dialer.core.errors import NotFound
from dialer.core.events import AlarmCode
from dialer.core.rota import DutyKind
from dialer.core.sources import HoldReason
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from dialer.db.keys import create
from dialer.db.units import add_unit
from dialer.duty.store import lock_roster
from dialer.org.accounts import add_staff
from dialer.runtime.settings import load_settings
from dialer.staff.sign_in import add_token
from dialer.warnings.held_store import HeldContent, add_to_held_list
from tests.accounts import add_account
from tests.console.town import stop_request
from tests.outcomes.town import Scenario
from tests.ports import reserve_ports
from tests.terminal import signed_in_as

app = build_command_line()

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text("utf-8")
LISTS = PAGE.partition("## Lists\n")[2].partition("\n## ")[0]
ROWS = {
    row.group(1): set(re.findall(r"`([a-z_0-9]+)`", row.group(2)))
    for row in re.finditer(r"^\| `dialer ([a-z -]+) --json` \| (.*) \|$", LISTS, re.MULTILINE)
}


def commands(of: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a command or a group of them
    yield name, of
    for part, found in getattr(of, "commands", {}).items():
        yield from commands(found, f"{name} {part}".strip())


def test_every_command_with_json_is_on_the_page():
    tree = typer.main.get_command(app)
    with_json = {
        name
        for name, one in commands(tree)
        if any("--json" in option.opts for option in one.params) and not one.hidden
    }
    missing = {
        name for name in with_json if not re.search(rf"`dialer {name}( [A-Z]+)*( --[a-z-]+)* --json`", PAGE)
    }
    assert missing == set()


@dataclass(frozen=True)
class Filled:
    env: dict[str, str]
    task: int


@pytest.fixture
def filled(fresh_database: str, broker_url: str, tmp_path: Path) -> Filled:
    """A database with a row for each list."""
    create(tmp_path / "keys.json")
    env = {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_WEB__PORT": str(reserve_ports()),
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
    }
    with application(load_settings(env)) as made:
        services, now = made.services, made.services.clock.now()
        scenario = Scenario.on(services)
        scenario.clock = services.clock  # type: ignore[assignment]
        case_id = scenario.case()
        task = scenario.assignment(case_id)
        payment = scenario.put(t.stop_payment, case_id=case_id, opened_at=now, drill=False)
        stop_request(scenario, case_id, payment)
        add_staff(
            services,
            unrestricted("test"),
            login="li",
            display_name="李",
            role=Role.CALLER,
            unit_id=None,
            language="zh",
        )
        add_account(services.store, "zhao")
        add_token(services, unrestricted("test"), name="bank", scopes=("cases:read",), days=30, unit="")
        receiver = scenario.put(
            t.webhook,
            name="bureau",
            url="https://receiver.example/",
            events=["case_settled"],
            secret_sealed=b"-",
            added_by="li",
            added_at=now,
        )
        scenario.put(
            t.webhook_delivery,
            webhook_id=receiver,
            event="case_settled",
            case_id=case_id,
            facts={},
            occurred_at=now,
        )
        with services.store.begin() as tx:
            unit_id = add_unit(tx, name="临河", parent_id=None)
            lock_roster(tx, (unit_id, DutyKind.CALLER), last_day=now.date())
            tx.execute(sa.insert(t.source).values(name="bank", on_probation=False))
            add_to_held_list(
                tx,
                source="bank",
                reason=HoldReason.PER_DAY,
                extra_high=False,
                heading=b"phone\r\n",
                rows=b"13800138000\r\n",
                contents=[HeldContent("bank", "N1", "of one")],
                now=now,
            )
            raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=now, case_id=case_id)
            place_pause(
                tx,
                scope=PauseScope.ALL,
                subject="",
                unit_id=None,
                until=now + timedelta(hours=1),
                why="a test",
                by="li",
                now=now,
            )
    return Filled(env, task)


def printed(filled: Filled, command: str) -> object:
    runner = CliRunner()
    answer = runner.invoke(
        app,
        [*command.split(), "--json"],
        env=filled.env | signed_in_as(*command.split()),
        catch_exceptions=False,
    )
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_lists_are_printed_as_described(filled: Filled):
    for command in sorted(ROWS):
        found = printed(filled, command)
        assert isinstance(found, list), command
        assert found, command
        assert (command, sorted({key for row in found for key in row})) == (command, sorted(ROWS[command]))


def test_what_was_said_is_printed_as_described(filled: Filled):
    found = printed(filled, f"work show {filled.task} --by li")
    section = PAGE.partition("## `dialer work show ID --json`\n")[2].partition("\n## ")[0]
    rows = (line for line in section.splitlines() if line.startswith("| `"))
    assert isinstance(found, dict)
    assert set(found) == {key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_what_waits_for_a_second_person_is_printed_as_described(filled: Filled):
    section = PAGE.partition("## `dialer approvals --json`\n")[2].partition("\n## ")[0]
    keys = {found[1] for line in section.splitlines() if (found := re.match(r"\| `(\w+)`", line))}
    everything = printed(filled, "approvals")
    assert isinstance(everything, dict)
    assert set(everything) == keys
    assert all(f"`{kind}`" in section for kind in everything["counts"])
    unknown = CliRunner().invoke(app, ["approvals", "--login", "nobody"], env=filled.env)
    assert isinstance(unknown.exception, NotFound)
    shown = CliRunner().invoke(app, ["approvals", "--lang", "en"], env=filled.env).output
    assert "stop payment" in shown


def requests(filled: Filled, options: str = "") -> list[dict[str, object]]:
    found: list[dict[str, object]] = printed(filled, f"work stop-requests{options}")  # type: ignore[assignment]
    return found


def test_requests_to_banks_are_made_answered_and_listed(filled: Filled):
    runner = CliRunner()

    def run(*words: str) -> tuple[int, str]:
        answer = runner.invoke(app, ["work", *words], env=filled.env | signed_in_as(*words))
        return answer.exit_code, answer.output

    form = ("--bank", "工商银行", "--account", "6222020000001234", "--yuan", "5000", "--receipt", "ZF 1")
    assert run("stop-payment", "1", "--by", "li", "--result", "too_late", *form)[0] != 0
    assert run("stop-payment", "1", "--by", "li", *form) == (0, "stop payment 1: asked, request 2\n")
    overdue, listed = requests(filled)
    assert (overdue["overdue"], overdue["state"]) == (True, "asked")
    assert (listed["account_masked"], listed["amount_fen"], listed["overdue"]) == ("****1234", 500_000, False)
    assert run("stop-report", "2", "--by", "li", "--result", "refused")[0] != 0
    stopped = ("--by", "zhao", "--result", "stopped", "--stopped-yuan", "4000")
    assert run("stop-report", "2", *stopped)[0] != 0, "zhao is at the terminal of li"
    assert run("stop-report", "1", *stopped) == (0, "request 1: stopped\n")
    assert requests(filled) == [listed]
    listed = requests(filled, " --case 1")[0]
    assert (listed["state"], listed["stopped_fen"], listed["confirmed_by"]) == ("stopped", 400_000, "zhao")
