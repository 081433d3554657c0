"""The commands for pauses and alarms, run as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.cli.terminal import NotSignedIn
from dialer.core.access import Role
from dialer.core.errors import Invalid, NotFound, NotPermitted
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from dialer.server.process import raise_public_address_alarm
from dialer.staff.store import set_staff
from dialer.telephony.public_address import PublicAddressBlocked
from tests.accounts import add_account
from tests.control.scene import Scene
from tests.outcomes.town import MORNING
from tests.terminal import signed_in_as

app = build_command_line()

Run = Callable[..., Result]


@pytest.fixture
def run(environment: dict[str, str], scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Run:
    """With an account "zhao"."""
    add_account(scene.store, "zhao", name="赵所长")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()

    def typed(*words: str) -> Result:
        result = runner.invoke(app, words, env=signed_in_as(*words) or None)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return typed


def test_pause_list_and_resume(run: Run, scene: Scene):
    case_id = scene.open_case(unit="临河", grade=Grade.LOW)
    said = run("pause", "--unit", "临河", "--minutes", "30", "--by", "zhao", "--why", "检修")
    assert "1 calls held" in said.stdout
    assert scene.attempt_of(case_id)["held"]
    [listed] = json.loads(run("pauses", "--json").stdout)
    assert (listed["scope"], listed["subject"], listed["by"], listed["why"]) == (
        "unit",
        "临河",
        "zhao",
        "检修",
    )
    assert "临河" in run("pauses").stdout
    assert "1 calls released" in run("resume", "--unit", "临河", "--by", "zhao").stdout
    assert run("pauses").stdout.strip() == "nothing is paused"


def test_all_dialling_is_what_is_paused_when_nothing_is_named(run: Run, scene: Scene):
    run("pause", "--minutes", "5", "--by", "zhao", "--why", "检修")
    assert scene.group().paused_until is not None
    run("resume", "--by", "zhao")
    assert scene.group().paused_until is None


@pytest.mark.parametrize("missing", ["--minutes", "--by", "--why"])
def test_a_pause_without_end_person_or_reason_is_refused(run: Run, missing: str):
    words = {"--minutes": "5", "--by": "zhao", "--why": "检修"}
    words.pop(missing)
    said = run("pause", *(word for pair in words.items() for word in pair))
    assert said.exit_code == 2
    assert missing in said.output


def test_one_pause_names_one_thing(run: Run):
    with pytest.raises(Invalid, match="more than one"):
        run("pause", "--unit", "a", "--grade", "low", "--minutes", "5", "--by", "z", "--why", "w")


@pytest.mark.parametrize("by", ["赵所长", "nobody", "sun"])
def test_a_command_is_signed_by_the_login_of_an_enabled_account(run: Run, scene: Scene, by: str):
    sun = add_account(scene.store, "sun")
    with scene.store.begin() as tx:
        set_staff(tx, sun.id, disabled_at=MORNING)
    with pytest.raises(Invalid, match="is not the login of an enabled account") as refused:
        run("pause", "--minutes", "5", "--by", by, "--why", "检修")
    assert refused.value.field == "by"
    assert scene.rows(sa.select(t.audit)) == []


def test_a_login_is_named_in_any_case_and_noted_in_its_own(run: Run, scene: Scene):
    run("pause", "--minutes", "5", "--by", " ZHAO ", "--why", "检修")
    [line] = scene.rows(sa.select(t.audit))
    assert line["who"] == "zhao"


def test_the_rights_of_the_account_are_those_of_the_command(run: Run, scene: Scene):
    add_account(scene.store, "wang", Role.CALLER)
    with pytest.raises(NotPermitted):
        run("pause", "--minutes", "5", "--by", "wang", "--why", "检修")
    assert scene.group().paused_until is None


def test_the_terminal_itself_pauses_before_there_is_an_account(run: Run, scene: Scene):
    with pytest.raises(NotSignedIn):
        run("pause", "--minutes", "5", "--by", "cli", "--why", "检修")
    with scene.tx() as tx:
        tx.execute(sa.delete(t.staff))
    run("pause", "--minutes", "5", "--by", "cli", "--why", "检修")
    assert scene.group().paused_until is not None


def test_resuming_without_a_pause_is_refused(run: Run):
    with pytest.raises(NotFound):
        run("resume", "--grade", "low", "--by", "zhao")


def test_an_alarm_says_its_cause_and_what_to_do_as_sentences(run: Run, scene: Scene):
    raise_public_address_alarm(
        scene.services,
        PublicAddressBlocked(Text("%(url)s: %(why)s", url="http://x", why=Text("no connection")), fix="y"),
    )
    told = run("alarms").stdout
    assert "http://x" in told
    assert "connection" in told
    assert "values" not in told


def test_alarms_are_listed_until_seen(run: Run, scene: Scene):
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=MORNING, facts={"codes": [20429]})
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=7)
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=7)
    listed = {alarm["code"]: alarm for alarm in json.loads(run("alarms", "--json").stdout)}
    assert listed["human_overdue"]["times"] == 2
    assert listed["human_overdue"]["case_id"] == 7
    assert listed["carrier_down"]["facts"] == {"codes": [20429]}
    assert "carrier_down" in run("alarms").stdout
    for alarm in listed.values():
        told = run("alarms", "acknowledge", str(alarm["id"]), "--by", "zhao").stdout
        assert "acknowledged by zhao" in told
    assert run("alarms").stdout.strip() == "no unacknowledged alarms"


def test_an_alarm_is_acknowledged_by_somebody(run: Run):
    with pytest.raises(Invalid):
        run("alarms", "acknowledge", "1", "--by", " ")
    with pytest.raises(Invalid):
        run("alarms", "see", "1", "--by", " ")  # the name of before
