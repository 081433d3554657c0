"""A lowered pace applies at once, survives restarts, and never exceeds the settings."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.calls.pacing import read_line_group, read_pace, restore_pace, set_pace
from dialer.core.access import unrestricted
from dialer.core.errors import Invalid, NotFound
from dialer.db import tables as t
from tests.accounts import add_account
from tests.audit_lines import audit_lines
from tests.control.scene import Assemble, Scene
from tests.outcomes.town import MORNING
from tests.terminal import signed_in_as

app = build_command_line()


def slower(scene: Scene, calls_per_second: float = 2.0, lines: int = 3) -> None:
    set_pace(
        scene.services,
        unrestricted("zhao"),
        calls_per_second=calls_per_second,
        lines=lines,
        why="the exchange is repaired",
    )


def test_the_next_claim_keeps_to_it(scene: Scene):
    cases = [scene.open_case() for _ in range(6)]
    slower(scene, lines=3)
    assert len(scene.claim()) == 1, "two calls a second, within four tenths of one"
    assert len(cases) == 6
    scene.later(seconds=10)
    scene.do(sa.update(t.line_group).values(next_slot_at=scene.clock.now()))
    slower(scene, calls_per_second=100.0, lines=3)
    assert len(scene.claim()) == 2, "three lines, one of them in use"
    assert ("dial",) in scene.enqueued


def test_it_stands_over_a_restart_and_lower_settings_hold_all_the_same(scene: Scene):
    slower(scene, calls_per_second=20.0, lines=10)
    scene.lines(calls_per_second=100.0, lines=50)
    assert (scene.group().calls_per_second, scene.group().lines) == (20.0, 10)
    scene.lines(calls_per_second=5.0, lines=50)
    assert (scene.group().calls_per_second, scene.group().lines) == (5.0, 10)
    scene.lines(calls_per_second=100.0, lines=50)
    assert (scene.group().calls_per_second, scene.group().lines) == (20.0, 10)
    pace = restore_pace(scene.services, unrestricted("zhao"))
    assert (pace.calls_per_second, pace.lines, pace.asked_by) == (100.0, 50, None)
    scene.lines(calls_per_second=7.0, lines=9)
    assert (scene.group().calls_per_second, scene.group().lines) == (7.0, 9)


def test_a_moment_far_ahead_comes_nearer_when_the_pace_rises(scene: Scene):
    slower(scene, calls_per_second=0.1)
    scene.open_case()
    scene.open_case()
    assert len(scene.claim()) == 1
    assert scene.group().next_slot_at > MORNING + timedelta(seconds=9)
    slower(scene, calls_per_second=50.0)
    assert scene.group().next_slot_at <= MORNING + timedelta(seconds=0.1)
    slower(scene, calls_per_second=0.1)
    scene.claim()
    restore_pace(scene.services, unrestricted("zhao"))
    assert scene.group().next_slot_at <= MORNING + timedelta(seconds=0.1)


def test_it_is_within_the_settings(scene: Scene):
    for calls_per_second, lines, field in (
        (100.5, 5, "calls_per_second"),
        (0.05, 5, "calls_per_second"),
        (0.0, 5, "calls_per_second"),
        (-1.0, 5, "calls_per_second"),
        (5.0, 51, "lines"),
        (5.0, 0, "lines"),
    ):
        with pytest.raises(Invalid) as refused:
            slower(scene, calls_per_second=calls_per_second, lines=lines)
        assert refused.value.field == field
        assert scene.group().calls_per_second == 100.0


def test_it_names_who_and_why_and_is_in_the_audit(scene: Scene):
    with pytest.raises(Invalid):
        set_pace(scene.services, unrestricted(" "), calls_per_second=1.0, lines=1, why="x")
    with pytest.raises(Invalid):
        set_pace(scene.services, unrestricted("zhao"), calls_per_second=1.0, lines=1, why=" ")
    slower(scene)
    restore_pace(scene.services, unrestricted("qian"), why="repaired")
    lines = audit_lines(scene.services.store)
    assert [(line["who"], line["act"], line["why"]) for line in lines] == [
        ("zhao", "pace", "the exchange is repaired"),
        ("qian", "pace.settings", "repaired"),
    ]
    assert lines[0]["facts"] == {"before": "100/s, 50", "after": "2/s, 3"}


def test_lines_are_the_whole_centre_s(scene: Scene):
    with pytest.raises(NotFound):
        set_pace(scene.services, unrestricted("zhao", unit_id=1), calls_per_second=1.0, lines=1, why="x")
    with pytest.raises(NotFound):
        restore_pace(scene.services, unrestricted("zhao", unit_id=1))
    assert read_pace(scene.services).asked_by is None


def test_a_real_restart_leaves_it_as_it_is(assembled: Assemble):
    first = assembled()
    set_pace(first.services, unrestricted("zhao"), calls_per_second=0.5, lines=4, why="x")
    again = assembled(DIALER_TELEPHONY__LINES="30")
    with again.services.store.begin() as tx:
        pace = read_line_group(tx)
    assert pace is not None
    assert (pace.calls_per_second, pace.lines, pace.most_lines) == (0.5, 4, 24)
    pace = restore_pace(again.services, unrestricted("zhao"))
    assert (pace.calls_per_second, pace.lines, pace.most_lines) == (1.0, 30, 30)


def test_the_command_shows_lowers_and_gives_back(
    assembled: Assemble, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    add_account(assembled().services.store, "zhao")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["pace", *words], env=signed_in_as(*words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert run().strip() == "1 calls a second on 24 lines (settings: 1 on 24)"
    assert "1 calls a second on 8 lines" in run("--lines", "8", "--by", "zhao", "--why", "检修")
    assert json.loads(run("--json"))["why"] == "检修"
    assert "on 24 lines" in run("--from-settings", "--by", "zhao")
