"""A person is erased by two people and nowhere to be found afterwards, also in a backup of before; the figures stay."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from dialer.audit.trail import verify_trail
from dialer.backup.actions import Installation, make_backup, restore_backup
from dialer.case_page.reading import case_out, show_case
from dialer.cases.persons import person_of_case
from dialer.cases.queries import read_case_words, read_conversation
from dialer.core.access import Actor, unrestricted
from dialer.core.case import CaseStatus, Reason
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.text import Lang
from dialer.core.timeline import EntryKind
from dialer.db import tables as t
from dialer.db.keys import create
from dialer.db.system_state import note_heartbeat
from dialer.db.vault import Vault
from dialer.figures.report import make_report
from dialer.keys.reseal import INDEXES
from dialer.language.sentences import entry_sentence
from dialer.retention.erasing import PersonRow
from dialer.retention.erasure import (
    ask_erasure,
    certificate_of,
    check_registered,
    confirm_erasure,
    erase_returned,
    lift_legal_hold,
    list_erasures,
    list_legal_holds,
    place_legal_hold,
    read_erasures,
    read_holds,
    refuse_erased,
    refuse_erasure,
    register_erasures,
)
from dialer.retention.erasure_register import (
    CannotRegister,
    Erased,
    ErasedAreBack,
    NoRegister,
    NotRegistered,
    OldRegister,
    RegisterLacks,
    UnreadableRegister,
    check_register,
    complete_register,
    read_register,
    register_line,
)
from tests.control.scene import Scene
from tests.full_disk import files_of_at_most
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE
from tests.retention.person import HERS, LANDLINE, blinds_of, found_by, holding, opened, put_person


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(create(tmp_path / "keys"))


@pytest.fixture
def her_case(scene: Scene) -> int:
    return put_person(scene)


def test_nothing_of_the_person_opens_or_is_found_and_the_figures_stay(
    scene: Scene, her_case: int, tmp_path: Path
):
    register = tmp_path / "register"
    erased = {
        "person.sealed",
        "warning.sealed",
        "event.sealed",
        "outcome.evidence_sealed",
        "list_reject.sealed",
    }
    erased |= {"assignment_transfer.why_sealed", "filed_record.sealed", "filed_match.why_sealed"}
    assert holding(scene) == erased | {
        "visit_photo.sealed",
        "recording.sealed",
        "evidence_file.sealed",
        "answer",
    }
    assert len(found_by(scene)) == 4
    assert blinds_of(scene) == {f"{table.name}.{name}" for table, name in INDEXES}
    before = make_report(scene.services)

    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    assert len(found_by(scene)) == 4
    with pytest.raises(Conflict, match="second person"):
        confirm_erasure(scene.services, unrestricted("li"), asked.id, register=register)
    with pytest.raises(Conflict, match="nobody was erased"):
        certificate_of(scene.services, asked.id)
    made = confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)

    # The landline is her neighbour's too, and a rejected row that holds it alone is erased.
    assert (holding(scene), found_by(scene), blinds_of(scene)) == ({"person.sealed"}, [], set())
    assert opened(scene)["person.sealed"].count(LANDLINE) == 1
    assert not any(word in opened(scene)["person.sealed"] for word in (NAME, PHONE, ID_NUMBER))
    assert "别人" in opened(scene)["list_reject.sealed"]
    assert "别人" in opened(scene)["filed_record.sealed"]
    assert scene.rows(sa.select(t.visit_photo)) == []
    assert scene.rows(sa.select(t.evidence_file)) == []
    assert make_report(scene.services) == before

    # What pages read of the case still opens.
    with scene.tx() as tx:
        person = person_of_case(tx, her_case)
        assert person is not None
        assert (person.name, person.phones, person.id_number) == ("", ("", ""), "")
        words = read_case_words(tx, her_case)
        assert (set(words.acts.values()), set(words.evidence.values())) == ({""}, {""})
        assert [one.speech for one in read_conversation(tx, her_case)] == [""]

    assert made.erasure.counts == {
        **dict.fromkeys(erased, 1),
        "event.sealed": 2,
        "filed_match.why_sealed": 2,
        "list_reject.sealed": 2,
        "assignment_transfer.why": 1,
        "visit_photo": 1,
        "recording.sealed": 1,
        "evidence_file": 1,
        "person_phone": 2,
        "person_key": 2,
        "live_number": 1,
        "list_load.number_blind": 1,
    }
    plain = made.plain()
    assert (plain["asked_by"], plain["decided_by"], plain["cases"]) == ("li", "zhao", [her_case])
    line = scene.rows(sa.select(t.audit).where(t.audit.c.number == plain["audit_number"]))[0]
    assert (line["act"], line["who"], line["facts"]["asked_by"]) == ("erase", "zhao", "li")
    assert verify_trail(scene.services).findings == ()
    assert not any(word in register.read_text() for word in HERS)
    with pytest.raises(Conflict, match="erased already"):
        ask_erasure(scene.services, unrestricted("li"), her_case, why="again")


def test_a_restored_backup_of_before_does_not_bring_the_person_back(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    register, file = tmp_path / "register", tmp_path / "before.backup"
    person_id = scene.rows(sa.select(t.case.c.person_id).where(t.case.c.id == her_case))[0]["person_id"]
    under_way = scene.open_case(person_id=person_id)
    make_backup(old, file, real_now=MORNING)
    scene.change_case(under_way, status="closed", due_at=None, robot_state="done")
    ended = {"state": "ended", "result": "no_answer"}
    scene.do(sa.update(t.attempt).where(t.attempt.c.case_id == under_way).values(**ended))
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    line = register.read_text()

    for damaged in (line.replace('"zhao"', '"qian"'), line[:-20], "x"):
        register.write_text(damaged)
        with pytest.raises(UnreadableRegister):
            restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=register)
    with pytest.raises(NoRegister):
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=tmp_path / "none")
    register.write_text(line)
    restored = restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=register)

    assert restored.erased == 1
    again = Scene(new.database_url)
    assert (holding(again), found_by(again), blinds_of(again)) == ({"person.sealed"}, [], set())
    assert not any(word in opened(again)["person.sealed"] for word in (NAME, PHONE, ID_NUMBER))
    case = again.case_of(under_way)
    assert (case.status, again.attempt_of(under_way)["state"]) == (CaseStatus.CLOSED, "ended")
    made = certificate_of(again.services, list_erasures(again.services)[0].id)
    assert (made.erasure.asked_by, made.erasure.decided_by) == ("li", "zhao")
    assert verify_trail(again.services).findings == ()
    again.close()


def test_the_register_knows_a_person_from_a_later_one_with_the_same_id(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    """After a restore ids are given again."""
    register, file = tmp_path / "register", tmp_path / "one.backup"
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    person_id = asked.person_id
    scene.do(sa.update(t.person).where(t.person.c.id == person_id).values(created_at=scene.later(hours=1)))
    scene.do(sa.delete(t.erasure))
    make_backup(old, file, real_now=MORNING)
    assert (
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=register).erased == 0
    )


def test_a_register_that_is_empty_or_older_than_the_backup_is_refused(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    register, file = tmp_path / "register", tmp_path / "one.backup"
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    whole = register.read_text()
    make_backup(old, file, real_now=MORNING)
    register.write_text("")
    with pytest.raises(NoRegister):
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=register)
    with scene.tx() as tx:
        other = Erased(
            person=PersonRow(id=999, created_at=MORNING),
            erased_at=MORNING,
            asked_by="li",
            confirmed_by="zhao",
        )
        register.write_text(register_line(tx.vault, other))
    with pytest.raises(OldRegister) as refused:
        restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=register)
    assert refused.value.count == 1
    register.write_text(register.read_text() + whole)
    restored = restore_backup(new, file, real_now=MORNING, actor=unrestricted("li"), register=register)
    assert (restored.erased, restored.registered) == (0, 2)
    assert restored.last_erased_at is not None


def test_without_a_whole_register_a_restore_needs_the_word_of_somebody(
    scene: Scene, her_case: int, old: Installation, new: Installation, tmp_path: Path
):
    register, file = tmp_path / "register", tmp_path / "one.backup"
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    make_backup(old, file, real_now=MORNING)
    register.write_text("")
    restored = restore_backup(
        new, file, real_now=MORNING, actor=unrestricted("li"), register=register, no_erasures=True
    )
    assert (restored.erased, restored.registered, restored.last_erased_at) == (0, 0, None)


def test_a_database_put_back_by_hand_is_not_served_until_the_person_is_erased_again(
    scene: Scene, her_case: int, tmp_path: Path
):
    """As after a `pg_restore` of a dump from before the erasure."""
    register = tmp_path / "register"
    refuse_erased(scene.store, register)
    (row,) = scene.rows(
        sa.select(t.person.c.id, t.person.c.created_at)
        .join(t.case, t.case.c.person_id == t.person.c.id)
        .where(t.case.c.id == her_case)
    )
    erased = Erased(person=PersonRow(**row), erased_at=MORNING, asked_by="li", confirmed_by="zhao")
    with scene.tx() as tx:
        register.write_text(register_line(tx.vault, erased))
    under_way = scene.open_case(person_id=row["id"])
    signed = scene.assignment(under_way, state="signed", signed_by="wang", signed_at=MORNING)
    watched = scene.case(
        person_id=row["id"], status=CaseStatus.WATCHING, human_state="open", human_at=MORNING
    )
    scene.assignment(watched, reason="follow_up")
    live = scene.attempt(watched, result=None, state="ringing", reason="follow_up", sid="CA1")
    for refuse in (
        lambda: refuse_erased(scene.store, register),
        lambda: check_registered(scene.services, register),
    ):
        with pytest.raises(ErasedAreBack) as refused:
            refuse()
        assert refused.value.count == 1
    with scene.tx() as tx:
        note_heartbeat(tx, process="web:1", kind="web", real_now=scene.services.real.now(), facts={})
    with pytest.raises(Conflict, match="web:1 runs"):
        erase_returned(scene.services, unrestricted("li"), register)
    scene.do(sa.delete(t.heartbeat))
    assert erase_returned(scene.services, unrestricted("li"), register) == 1
    assert erase_returned(scene.services, unrestricted("li"), register) == 0
    refuse_erased(scene.store, register)
    assert check_registered(scene.services, register) == 1
    assert (holding(scene), found_by(scene), blinds_of(scene)) == ({"person.sealed"}, [], set())
    assert scene.case_of(under_way).status == CaseStatus.CLOSED
    now = scene.services.clock.now()
    planned, rang = (
        scene.attempt_of(under_way),
        scene.rows(sa.select(t.attempt).where(t.attempt.c.id == live))[0],
    )
    assert (planned["state"], planned["result"], planned["ended_at"]) == ("ended", "canceled", now)
    assert (rang["state"], rang["result"], rang["ended_at"]) == ("ended", "unknown", now)
    file = show_case(scene.services, under_way).file
    assert file.settled_at == now
    (gone,) = [entry for entry in file.timeline if entry.kind is EntryKind.ASSIGNMENT_WITHDRAWN]
    assert (gone.at, gone.facts["assignment_id"], gone.facts["reason"]) == (now, signed, Reason.ERASED)
    assert entry_sentence(gone, Lang.EN) == "human call withdrawn: the person was erased"
    assert case_out(show_case(scene.services, under_way)).timeline
    kept = show_case(scene.services, watched).file.stored.case
    assert (kept.status, kept.human.is_pending, kept.due_at) == (CaseStatus.WATCHING, False, kept.watch_until)


def test_a_withdrawn_assignment_of_which_no_time_was_noted_does_not_hide_the_case(scene: Scene):
    """As versions before 0088 left it of a person who was erased again after a restore."""
    case_id = scene.case()
    scene.assignment(case_id, state="withdrawn", withdrawn_why="erased", done_at=None)
    told = case_out(show_case(scene.services, case_id)).timeline
    assert EntryKind.ASSIGNMENT_WITHDRAWN in [entry.kind for entry in told]


def test_what_refuses_an_erasure(scene: Scene, her_case: int, tmp_path: Path):
    register = tmp_path / "register"
    with pytest.raises(NotFound):
        ask_erasure(scene.services, unrestricted("li"), 999, why="本人要求")
    with pytest.raises(Invalid):
        ask_erasure(scene.services, unrestricted("li"), her_case, why=" ")
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    with pytest.raises(Conflict, match="waits already"):
        ask_erasure(scene.services, unrestricted("zhao"), her_case, why="本人要求")

    place_legal_hold(scene.services, unrestricted("sun"), her_case, why="检察院调卷")
    assert [legal_hold.placed_by for legal_hold in list_legal_holds(scene.services)] == ["sun"]
    with pytest.raises(Conflict, match="already"):
        place_legal_hold(scene.services, unrestricted("sun"), her_case, why="检察院调卷")
    with pytest.raises(Conflict, match="legal hold"):
        confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    lift_legal_hold(scene.services, unrestricted("sun"), her_case, why="案件已结")
    with pytest.raises(Conflict, match="no legal hold"):
        lift_legal_hold(scene.services, unrestricted("sun"), her_case, why="案件已结")

    scene.open_case(person_id=asked.person_id)
    with pytest.raises(Conflict, match="not over"):
        confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    scene.do(sa.update(t.attempt).values(state="ended", result="no_answer"))
    scene.do(sa.update(t.case).values(status="closed", due_at=None))
    with pytest.raises(CannotRegister):
        confirm_erasure(
            scene.services, unrestricted("zhao"), asked.id, register=tmp_path / "none" / "register"
        )
    (tmp_path / "torn").write_text('{"person": 1')
    with pytest.raises(UnreadableRegister):
        confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=tmp_path / "torn")
    assert len(found_by(scene)) == 4
    refuse_erasure(scene.services, unrestricted("zhao"), asked.id, why="仍需保存")
    with pytest.raises(Conflict, match="decided by zhao"):
        confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    acts = [row["act"] for row in scene.rows(sa.select(t.audit.c.act).order_by(t.audit.c.number))]
    assert acts == ["erase_asked", "legal_hold", "legal_hold_lifted", "erase_refused"]
    assert not register.exists() or not register.read_text()
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        scene.do(sa.text("UPDATE event SET sealed = NULL WHERE sealed IS NOT NULL"))


def test_a_person_with_a_case_of_another_unit_is_left_to_the_centre(
    scene: Scene, her_case: int, tmp_path: Path
):
    services = scene.services
    theirs, elsewhere = (scene.put(t.unit, name=f"{n}所", path=[n], id=n) for n in (11, 12))
    scene.do(sa.update(t.case).values(unit_id=theirs))
    li, zhao = (unrestricted(name, unit_id=theirs) for name in ("li", "zhao"))
    asked = ask_erasure(services, li, her_case, why="本人要求")
    place_legal_hold(services, li, her_case, why="检察院调卷")

    def refused(stranger: Actor) -> None:
        for act in (ask_erasure, place_legal_hold, lift_legal_hold):
            with pytest.raises(NotFound):
                act(services, stranger, her_case, why="x")
        with pytest.raises(NotFound):
            confirm_erasure(services, stranger, asked.id, register=tmp_path / "register")
        with pytest.raises(NotFound):
            refuse_erasure(services, stranger, asked.id, why="x")
        assert read_erasures(services, visible_to=stranger.unit_id) == []
        assert read_holds(services, visible_to=stranger.unit_id) == []

    refused(unrestricted("sun", unit_id=elsewhere))
    assert [len(read(services, visible_to=theirs)) for read in (read_erasures, read_holds)] == [1, 1]
    other = scene.open_case(person_id=asked.person_id)
    scene.do(sa.update(t.case).where(t.case.c.id == other).values(unit_id=elsewhere))
    refused(zhao)
    lift_legal_hold(services, unrestricted("zhao"), her_case, why="案件已结")
    assert read_holds(services, visible_to=None) == []
    refuse_erasure(services, unrestricted("zhao"), asked.id, why="仍需保存")


def test_an_erasure_whose_commit_fails_is_not_in_the_register(scene: Scene, her_case: int, tmp_path: Path):
    register = tmp_path / "register"
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    scene.do(
        sa.text(
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$"
        )
    )
    scene.do(
        sa.text(
            "CREATE CONSTRAINT TRIGGER fails AFTER UPDATE ON erasure DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION fails()"
        )
    )
    with pytest.raises(sa.exc.DBAPIError, match="the disk is full"):
        confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    assert len(found_by(scene)) == 4
    assert register.read_text() == ""


def test_a_register_that_lacks_an_erased_person_says_so_and_gets_the_line(
    scene: Scene, her_case: int, tmp_path: Path
):
    register = tmp_path / "register"
    assert check_registered(scene.services, register) == 0
    asked = ask_erasure(scene.services, unrestricted("li"), her_case, why="本人要求")
    confirm_erasure(scene.services, unrestricted("zhao"), asked.id, register=register)
    line = register.read_text()
    assert check_registered(scene.services, register) == 1
    register.write_text("")
    with pytest.raises(RegisterLacks):
        check_registered(scene.services, register)
    register.unlink()
    register.mkdir()
    with pytest.raises(NotRegistered):
        register_erasures(scene.services, register)
    register.rmdir()
    assert register_erasures(scene.services, register) == 1
    assert register.read_text() == line
    assert register_erasures(scene.services, register) == 0


def erased(n: int) -> Erased:
    return Erased(
        person=PersonRow(id=n, created_at=MORNING), erased_at=MORNING, asked_by="李", confirmed_by="赵"
    )


def test_a_disk_that_is_full_leaves_the_register_as_it_was(vault: Vault, tmp_path: Path):
    register = tmp_path / "register"
    assert complete_register(vault, register, [erased(1)]) == 1
    line = register.read_text()
    with files_of_at_most(len(line) + 60), pytest.raises(NotRegistered, match="too large"):
        complete_register(vault, register, [erased(1), erased(2)])
    assert register.read_text() == line
    check_register(vault, register)
    assert complete_register(vault, register, [erased(1), erased(2)]) == 1
    assert read_register(vault, register) == [erased(1), erased(2)]


@pytest.mark.parametrize("left", [1, 60, 141, -8, -1])
def test_a_last_line_that_is_not_whole_is_dropped_when_the_register_is_completed(
    vault: Vault, tmp_path: Path, left: int
):
    """As a version before left it, or a power failure. No restore goes by it."""
    register = tmp_path / "register"
    lines = [register_line(vault, erased(n)).encode() for n in (1, 2)]
    register.write_bytes(lines[0] + lines[1][:left])
    if left == -1:
        assert read_register(vault, register) == [erased(1), erased(2)], (
            "the end of the line alone is missing"
        )
    else:
        for reads in (read_register, check_register):
            with pytest.raises(UnreadableRegister, match="not whole") as refused:
                reads(vault, register)
            assert refused.value.line == 2
    assert complete_register(vault, register, [erased(1), erased(2), erased(3)]) == 2 - (left == -1)
    assert read_register(vault, register) == [erased(1), erased(2), erased(3)]


def test_a_line_in_the_middle_is_never_dropped(vault: Vault, tmp_path: Path):
    register = tmp_path / "register"
    line = register_line(vault, erased(1)).encode()
    register.write_bytes(line[:50] + b"\n" + line)
    with pytest.raises(UnreadableRegister, match="line 1 "):
        complete_register(vault, register, [erased(1)])
    assert register.read_bytes() == line[:50] + b"\n" + line
