"""The audit against its own administrator: whoever changes, removes, copies or moves lines in the database is found."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.audit.trail import (
    check_in_rounds,
    check_new_lines,
    read_trail_state,
    verify_trail,
    write_checkpoint,
)
from dialer.core.access import unrestricted
from dialer.core.errors import Invalid
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.audit import AuditFlaw, TrailCheck, begin_chain, check_trail, read_head, write_audit
from dialer.db.keys import Keys
from dialer.db.migrations import migrate_database
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from tests.control.scene import Scene
from tests.db.test_grouping_migration import at_revision
from tests.outcomes.town import MORNING

Found = list[tuple[str, int | None, int | None]]


def write(store: Store, count: int = 1, *, who: str = "wang") -> None:
    for number in range(count):
        with store.begin() as tx:
            write_audit(
                tx,
                who=who,
                act="reveal",
                subject=f"case/{number}",
                why="on request",
                now=MORNING + timedelta(seconds=number),
                facts={"lines": number, "share": 2.0},
            )


def owner(scene: Scene, *statements: str) -> None:
    """The database's owner, who may switch triggers off."""
    with scene.store.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        for statement in statements:
            tx.execute(sa.text(statement))
        for trigger in ("append_only", "append_only_all", "chained"):
            tx.execute(sa.text(f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {trigger}"))


def found(verdict: TrailCheck) -> Found:
    return [(finding.flaw.value, finding.number, finding.last or finding.of) for finding in verdict.findings]


def check(scene: Scene) -> TrailCheck:
    with scene.store.begin() as tx:
        return check_trail(tx)


@pytest.fixture
def ten(scene: Scene) -> Scene:
    write(scene.store, 10)
    return scene


def test_lines_that_were_only_added_are_whole(ten: Scene):
    verdict = check(ten)
    assert (found(verdict), verdict.lines, verdict.end.number) == ([], 10, 10)


COPY = (
    "INSERT INTO audit (at, who, act, subject, why, why_sealed, facts, number, seal, chain)"
    " SELECT at, who, act, subject, why, why_sealed, facts, {}, seal, chain FROM audit WHERE number = {}"
)


def test_three_lines_deleted_and_one_copied_are_named(ten: Scene):
    owner(ten, "DELETE FROM audit WHERE number IN (3, 4, 7)", COPY.format(7, 9))
    assert found(check(ten)) == [("missing", 3, 4), ("doubled", 7, 9)]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE audit SET who = 'li' WHERE number = 5"], [("altered", 5, None)]),
        (["UPDATE audit SET why = 'x' WHERE number = 5"], [("altered", 5, None)]),
        (["UPDATE audit SET facts = '{}' WHERE number = 5"], [("altered", 5, None)]),
        (["UPDATE audit SET why_sealed = NULL WHERE number = 5"], [("altered", 5, None)]),
        (["UPDATE audit SET seal = chain WHERE number = 5"], [("altered", 5, None)]),
        (["UPDATE audit SET at = at - interval '1 day' WHERE number = 1"], [("altered", 1, None)]),
        (["UPDATE audit SET chain = seal WHERE number = 5"], [("loose", 5, None), ("loose", 6, None)]),
        (["DELETE FROM audit WHERE number = 1"], [("missing", 1, 1)]),
        (["DELETE FROM audit WHERE number > 8"], [("missing", 9, 10)]),
        (["DELETE FROM audit"], [("missing", 1, 10)]),
        (
            [
                "UPDATE audit SET number = -number WHERE number IN (5, 6)",
                "UPDATE audit SET number = 11 + number WHERE number < 0",
            ],
            [("moved", 5, 6), ("moved", 6, 5)],
        ),
        (
            ["DELETE FROM audit WHERE number = 5", "UPDATE audit SET number = 5 WHERE number = 6"],
            [("moved", 5, 6), ("missing", 6, 6)],
        ),
        ([COPY.format(11, 9), "UPDATE audit_head SET number = 11"], [("head", 11, None), ("doubled", 11, 9)]),
        (["DROP INDEX uq_audit_number", COPY.format(4, 4)], [("doubled", 4, None)]),
        ([COPY.format("NULL", 9)], [("foreign", None, None)]),
        ([COPY.format("-3", 9)], [("foreign", None, None)]),
        (["UPDATE audit_head SET number = 9"], [("head", 9, None)]),
        (["UPDATE audit_head SET chain = ''"], [("head", 10, None)]),
        (
            ["UPDATE audit SET id = id + 100 WHERE number = 4"],
            [("moved", 5, None)],
        ),
    ],
    ids=lambda value: "; ".join(map(str, value))[:60],
)
def test_what_the_owner_did_is_named(ten: Scene, statements: list[str], expected: Found):
    owner(ten, *statements)
    assert found(check(ten)) == expected


def test_whoever_lacks_the_key_cannot_seal_anew(ten: Scene):
    """A whole chain that fits by itself, of somebody's own key."""
    rows = ten.rows(sa.select(t.audit).order_by(t.audit.c.number))
    other = Vault(Keys.of(current=1, encryption={1: os.urandom(32)}, index=os.urandom(32)))
    forged = Store(ten.store.url, other)
    owner(ten, "DELETE FROM audit WHERE number > 5")
    ten.do(sa.update(t.audit_head).values(number=5, chain=rows[4]["chain"]))
    write(forged, 5, who="nobody")
    forged.dispose()
    assert found(check(ten)) == [("altered", number, None) for number in range(6, 11)]


def test_a_line_of_the_service_itself_that_replaces_another_does_not_follow(ten: Scene):
    """An older copy is restored, the service writes, and both are joined: each line fits its seal."""
    kept = ten.rows(sa.select(t.audit).order_by(t.audit.c.number))
    owner(ten, "DELETE FROM audit WHERE number > 5")
    ten.do(sa.update(t.audit_head).values(number=5, chain=kept[4]["chain"]))
    write(ten.store, 2, who="li")
    owner(ten)
    ten.do(sa.insert(t.audit).values([dict(row) | {"id": row["id"] + 100} for row in kept[7:]]))
    ten.do(sa.update(t.audit_head).values(number=10, chain=kept[9]["chain"]))
    assert found(check(ten)) == [("loose", 8, None)]


def test_a_transaction_that_is_rolled_back_leaves_no_gap(ten: Scene):
    for divisor in (0, 1, 0, 0, 1):
        with suppress(ZeroDivisionError), ten.store.begin() as tx:
            write_audit(tx, who="li", act="reveal", subject="case/1", why="", now=MORNING)
            assert 1 / divisor
    with ten.store.begin_and_roll_back() as tx:
        write_audit(tx, who="li", act="reveal", subject="case/1", why="", now=MORNING)
    verdict = check(ten)
    assert (found(verdict), verdict.end.number) == ([], 12)


def test_lines_of_many_writers_at_once_are_one_chain(scene: Scene):
    stores = [Store(scene.store.url, scene.store.vault, pool_size=1) for _ in range(4)]
    threads = [threading.Thread(target=write, args=(store, 25)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.dispose()
    verdict = check(scene)
    assert (found(verdict), verdict.end.number) == ([], 100)


def test_a_line_is_added_at_the_end_of_its_transaction(scene: Scene):
    """Whoever works on after an act is written holds nobody up: the next act does not wait for him."""
    with scene.store.begin() as first:
        write_audit(first, who="li", act="reveal", subject="case/1", why="", now=MORNING)
        write(scene.store, 1)
    assert [row["who"] for row in scene.rows(sa.select(t.audit).order_by(t.audit.c.number))] == ["wang", "li"]
    assert found(check(scene)) == []


def test_the_owner_himself_is_refused(ten: Scene):
    for statement in (
        "UPDATE audit SET who = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit_head",
        COPY.format("NULL", 9),
    ):
        with pytest.raises(sa.exc.DBAPIError, match=r"append-only|has a number, a seal and a chain"):
            ten.do(sa.text(statement))


def test_the_triggers_fire_in_a_session_of_every_replication_role(scene: Scene):
    triggers = sa.text(
        "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid IN ('audit'::regclass, 'audit_head'::regclass)"
    )
    assert {(row["tgname"], row["tgenabled"]) for row in scene.rows(triggers)} == {
        (name, "A") for name in ("append_only", "append_only_all", "chained", "keep_head")
    }


def test_a_role_that_is_not_the_owner_may_add_and_read_and_no_more(empty_database: str):
    granted = sa.text(
        "SELECT relname, acl.grantee::regrole::text AS role, privilege_type FROM pg_class, aclexplode(relacl) acl"
        " WHERE relname IN ('audit', 'audit_head') AND acl.grantee <> relowner"
    )
    with at_revision(empty_database, "0030") as services:
        with services.begin() as connection:
            # Any role that is always there.
            connection.execute(sa.text("GRANT ALL ON audit TO pg_monitor, PUBLIC"))
            connection.execute(sa.text("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO pg_monitor, PUBLIC"))
        migrate_database(services)
        with services.begin() as connection:
            found_grants = {tuple(row) for row in connection.execute(granted)}
    assert found_grants == {
        ("audit", "pg_monitor", "INSERT"),
        ("audit", "pg_monitor", "SELECT"),
        ("audit_head", "pg_monitor", "SELECT"),
        ("audit_head", "pg_monitor", "UPDATE"),
    }


def earlier(scene: Scene, count: int) -> None:
    """Lines as a version without a chain wrote them."""
    with scene.store.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER chained"))
        for number in range(count):
            line = {"at": MORNING, "who": "wang", "act": "reveal", "subject": f"case/{number}", "facts": {}}
            bound = "\0".join((MORNING.isoformat(), "wang", "reveal", f"case/{number}", "{}"))
            sealed = tx.vault.seal(b"why", table="audit", column="why_sealed", row=bound)
            tx.execute(sa.insert(t.audit).values(line | {"why_sealed": sealed}))
        tx.execute(sa.text("ALTER TABLE audit ENABLE ALWAYS TRIGGER chained"))


@pytest.fixture
def upgraded(scene: Scene) -> Scene:
    earlier(scene, 5)
    for _ in range(2):
        with scene.store.begin() as tx:
            begin_chain(tx, now=MORNING)
    write(scene.store, 3)
    return scene


def test_the_chain_begins_with_a_line_that_covers_those_of_before(upgraded: Scene):
    verdict = check(upgraded)
    assert (found(verdict), verdict.lines, verdict.end.number) == ([], 9, 4)
    begun = upgraded.rows(sa.select(t.audit).where(t.audit.c.number == 1))[0]
    assert (begun["act"], begun["facts"]["lines"]) == ("audit_chain", 5)


@pytest.mark.parametrize(
    ("statement", "flaws"),
    [
        ("DELETE FROM audit WHERE subject = 'case/2' AND number IS NULL", ["earlier"]),
        ("UPDATE audit SET who = 'x' WHERE subject = 'case/2' AND number IS NULL", ["earlier", "altered"]),
        ("UPDATE audit SET id = id + 100 WHERE number IS NULL AND subject = 'case/2'", ["foreign"]),
    ],
)
def test_a_change_of_earlier_lines_is_found(upgraded: Scene, statement: str, flaws: list[str]):
    owner(upgraded, statement)
    assert [finding.flaw.value for finding in check(upgraded).findings] == flaws


def test_an_empty_audit_needs_no_first_line(scene: Scene):
    with scene.store.begin() as tx:
        begin_chain(tx, now=MORNING)
    with scene.store.begin() as tx:
        assert read_head(tx).number == 0
    assert found(check(scene)) == []


def test_lines_before_a_checkpoint_may_be_deleted_and_no_others(ten: Scene):
    with pytest.raises(Invalid):
        write_checkpoint(ten.services, unrestricted("li"), through=4, why=" ")
    write_checkpoint(ten.services, unrestricted("li"), through=4, why="order 7 of 2029")
    owner(ten, "DELETE FROM audit WHERE number <= 4")
    assert found(check(ten)) == []
    owner(ten, "DELETE FROM audit WHERE number = 5")
    assert found(check(ten)) == [("missing", 1, 5)]


def alarm_codes(scene: Scene) -> set[str]:
    return {row["code"] for row in scene.rows(sa.select(t.alarm).where(t.alarm.c.seen_at.is_(None)))}


def test_rounds_go_on_where_the_last_one_ended(ten: Scene):
    assert [check_new_lines(ten.services, most=4).end.number for _ in range(4)] == [4, 8, 10, 10]
    write(ten.store, 1)
    verdict = check_new_lines(ten.services, most=4)
    assert (verdict.lines, verdict.end.number) == (1, 11)
    with ten.store.begin() as tx:
        state = read_trail_state(tx)
    assert (state.number, state.found) == (11, 0)
    assert state.whole_at is not None
    assert AlarmCode.AUDIT_BROKEN not in alarm_codes(ten)


def test_several_rounds_end_where_no_line_is_left(ten: Scene):
    verdict = check_in_rounds(ten.services, most=3, rounds=2)
    assert (verdict.end.number, verdict.is_complete) == (6, False)
    verdict = check_in_rounds(ten.services, most=3, rounds=9)
    assert (verdict.end.number, verdict.is_complete) == (10, True)


def test_a_round_finds_a_tail_that_was_cut_off_and_raises_an_alarm(ten: Scene):
    check_new_lines(ten.services)
    kept = ten.rows(sa.select(t.audit.c.chain).where(t.audit.c.number == 8))[0]["chain"]
    owner(ten, "DELETE FROM audit WHERE number > 8")
    ten.do(sa.update(t.audit_head).values(number=8, chain=kept))
    assert found(check(ten)) == [], "by the database alone nobody can tell"
    for _ in range(2):
        assert ("missing", 9, 10) in found(check_new_lines(ten.services))
    assert AlarmCode.AUDIT_BROKEN in alarm_codes(ten)


def test_what_was_found_stands_until_all_lines_have_been_checked_again(ten: Scene):
    owner(ten, "UPDATE audit SET who = 'li' WHERE number = 9")
    verify_trail(ten.services)
    ten.do(
        sa.update(t.heartbeat)
        .where(t.heartbeat.c.process == "part:trail")
        .values(
            facts=t.heartbeat.c.facts.concat(
                sa.func.jsonb_build_object("began_at", (MORNING - timedelta(days=900)).isoformat())
            )
        )
    )
    for _ in range(3):
        check_new_lines(ten.services, most=4)
        with ten.store.begin() as tx:
            assert read_trail_state(tx).found == 1


def test_many_findings_are_counted_and_the_first_are_named(scene: Scene):
    write(scene.store, 3)
    owner(scene, "DELETE FROM audit")
    scene.do(sa.update(t.audit_head).values(number=50_000))
    verdict = check(scene)
    assert verdict.counts == {AuditFlaw.MISSING: 50_000}
    assert found(verdict) == [("missing", 1, 50_000)]
