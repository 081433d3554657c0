"""An act: the right first, one transaction, and a trace of who did it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.access import Actor, Permission, Role, rights_of, unrestricted
from dialer.core.errors import NotPermitted
from dialer.db import tables as t
from dialer.db.acts import UnrecordedAct
from dialer.db.system_state import is_drill_database, mark_drill_database
from tests.audit_lines import audit_lines
from tests.control.scene import Scene

LI = unrestricted("li")


def test_the_line_of_the_audit_is_committed_with_the_rows(scene: Scene):
    services = scene.services
    with services.act(LI, Permission.CONTROL) as act:
        mark_drill_database(act.tx)
        act.audit("mark", "database/1", why="as a test", facts={"n": 2})
        assert scene.rows(sa.select(t.audit)) == []
    [line] = audit_lines(services.store)
    named = {name: line[name] for name in ("who", "act", "subject", "why", "at", "facts")}
    assert named == {
        "who": "li",
        "act": "mark",
        "subject": "database/1",
        "why": "as a test",
        "at": services.clock.now(),
        "facts": {"n": 2},
    }


def test_the_right_is_looked_at_before_the_database(scene: Scene):
    caller = Actor(name="wang", rights=rights_of(Role.CALLER))
    begun = []
    sa.event.listen(scene.services.store.sql_engine, "begin", begun.append)
    with pytest.raises(NotPermitted), scene.services.act(caller, Permission.CONTROL, Permission.LOAD_LISTS):
        raise AssertionError
    assert begun == []


def test_an_act_without_a_trace_is_rolled_back(scene: Scene):
    with pytest.raises(UnrecordedAct), scene.services.act(LI, Permission.CONTROL) as act:
        mark_drill_database(act.tx)
    with scene.services.store.begin() as tx:
        assert not is_drill_database(tx)


def test_an_act_that_finds_everything_done_leaves_no_line(scene: Scene):
    with scene.services.act(LI, Permission.CONTROL) as act:
        act.needs_no_record()
    assert scene.rows(sa.select(t.audit)) == []


def test_the_time_of_an_act_is_taken_once_and_when_it_is_asked_for(scene: Scene):
    with scene.services.act(LI, Permission.CONTROL) as act:
        scene.clock.advance(60)
        first = act.now
        scene.clock.advance(60)
        assert act.now == first
        act.needs_no_record()
    assert (scene.clock.now() - first).total_seconds() == 60
