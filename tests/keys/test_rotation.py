"""Keys are rotated while the service works: everything stays readable and found, nobody becomes two persons, and an old
key goes when no value needs it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.people import write_list
from dialer.audit.trail import verify_trail
from dialer.bootstrap import assemble
from dialer.calls.comparison_store import CarrierCall, add_carrier_calls
from dialer.cases.persons import PersonSearch, find_person_ids
from dialer.cases.store import Act, ActKind, note_acts
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, NotFound, Refusal
from dialer.core.sources import HoldReason
from dialer.core.values import Suite, TelephonyResult
from dialer.db import tables as t
from dialer.db.columns import metadata
from dialer.db.keys import KeySource, KeyUse, load
from dialer.db.system_state import note_heartbeat
from dialer.db.vault import BlindKind, Vault
from dialer.keys.actions import (
    KeyInUse,
    KeysWaiting,
    Rotated,
    is_reseal_due,
    read_keys_status,
    reseal,
    resealed_share,
    restart_reseal,
    retire_key,
    rotate_keys,
    share_done,
)
from dialer.keys.reseal import INDEXES, SEALED, ResealBatch, reseal_batch, uses_of_key
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.warnings.held_store import HeldContent, add_to_held_list
from dialer.warnings.lists import load_list, submit_list
from tests.control.scene import Assemble
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario

PEOPLE = 250
"""More than one batch of people."""
BOTH = (KeyUse.ENCRYPTION, KeyUse.INDEX)


@pytest.fixture
def app(assembled: Assemble) -> Application:
    return assembled()


def loaded(app: Application, tmp_path: Path, count: int = PEOPLE, *, source: str = "first") -> int:
    """The list of these people; how many persons there are then."""
    path = tmp_path / "list.csv"
    write_list(path, count, grade="高危", first=0)
    with path.open("rb") as content:
        load_list(
            app.services,
            submit_list(app.services, unrestricted("li"), content, filename="list.csv", source=source),
        )
    return len(persons(app))


def persons(app: Application) -> dict[int, dict[str, Any]]:
    with app.services.store.begin() as tx:
        return {
            row["id"]: tx.vault.open_record(row["sealed"], table="person", column="sealed", row=row["id"])
            for row in tx.rows(sa.select(t.person))
        }


def rotated(
    app: Application, uses: tuple[KeyUse, ...] = BOTH, suite: Suite = Suite.AES_BLAKE2
) -> dict[KeyUse, int]:
    made = rotate_keys(
        app.services,
        unrestricted("li"),
        app.key_source,
        uses=uses,
        suite=suite,
        why="yearly",
        wait_seconds=0.0,
    )
    return dict(made.made)


def batches(app: Application, *, settle_seconds: float = 0.0) -> Iterator[ResealBatch]:
    for _ in range(200):
        batch = reseal_batch(app.services, settle_seconds=settle_seconds)
        yield batch
        if batch.is_over:
            return
    pytest.fail("it never ends")


def finished(app: Application) -> None:
    list(batches(app))
    assert not is_reseal_due(app.services)


def assert_all_found(app: Application) -> None:
    for person_id, person in persons(app).items():
        with app.services.store.begin() as tx:
            for sought in (
                PersonSearch(name=person["name"]),
                *(PersonSearch(phone=phone, last4=phone[-4:]) for phone in person["phones"]),
                *([PersonSearch(id_number=person["id_number"])] if person["id_number"] else []),
            ):
                assert person_id in find_person_ids(tx, sought), sought


def used(app: Application, key_id: int, *, is_index: bool = False) -> dict[str, int]:
    with app.services.store.begin() as tx:
        return uses_of_key(tx, key_id, is_index=is_index)


def test_every_sealed_column_and_every_blind_index_is_among_those_that_are_made_again():
    """A new one must be added to them, or its old key could be retired."""
    others = {("staff_factor", "secret"), ("sign_in_step", "data")}
    sealed = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.endswith("sealed") or (table.name, column.name) in others
    }
    assert sealed == {one.name for one in SEALED} | {"audit.why_sealed"}
    blind = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_blind")
    }
    # Of openings the indexes are made with the fixed secret, which is never rotated.
    blind = {name for name in blind if not name.startswith(("opening", "card_"))}
    # Calls found after a restore have no number in clear: the index key is not rotated while they wait.
    assert blind == {f"{table.name}.{name}" for table, name in INDEXES} | {"carrier_call.phone_blind"}


def test_the_index_key_stays_while_calls_found_after_a_restore_wait_for_their_lists(app: Application):
    call = CarrierCall(sid="CA1", phone_blind=b"x" * 16, called_at=MORNING, result=TelephonyResult.NO_ANSWER)
    with app.services.store.begin() as tx:
        add_carrier_calls(tx, [call], found_at=app.services.real.now())
    with pytest.raises(Conflict, match="load these lists again"):
        rotated(app)
    rotated(app, (KeyUse.ENCRYPTION,))


@pytest.mark.parametrize("suite", list(Suite))
def test_all_is_read_and_found_before_during_and_after(app: Application, tmp_path: Path, suite: Suite):
    count = loaded(app, tmp_path)
    before = persons(app)
    assert rotated(app, suite=suite) == {KeyUse.ENCRYPTION: 4, KeyUse.INDEX: 5}
    assert_all_found(app)
    with app.services.store.begin() as tx:
        assert resealed_share(tx) < 1.0
    for number, _ in enumerate(batches(app)):
        if number in {1, 3}:
            assert_all_found(app)
    assert_all_found(app)
    assert persons(app) == before
    assert used(app, 4) == {"person.sealed": count, "warning.sealed": count}
    assert used(app, 5, is_index=True)["person_phone.phone_blind"] == count
    assert not used(app, 1)
    assert not used(app, 2, is_index=True)
    status = read_keys_status(app.services, counts=True)
    assert [key.state for key in status.keys] == ["kept", "kept", "current", "current", "current"]
    assert {key.suite for key in status.keys[3:]} == {suite.value}
    assert status.progress is not None
    assert (status.is_resealed, share_done(status.progress)) == (True, 1.0)
    assert verify_trail(app.services).findings == ()
    # A second round changes nothing.
    assert restart_reseal(app.services, unrestricted("li"))
    assert sum(batch.rows for batch in batches(app)) == 0


def test_the_same_people_again_while_the_index_is_made_again_are_nobody_new(app: Application, tmp_path: Path):
    """100 of them have their old blind indexes."""
    count = loaded(app, tmp_path)
    rotated(app)
    assert [reseal_batch(app.services).rows for _ in range(2)] == [200, count - 200]
    index_by_old_key(app, 100)
    assert loaded(app, tmp_path, source="second") == count
    finished(app)
    assert loaded(app, tmp_path, source="third") == count
    assert_all_found(app)
    assert not used(app, 2, is_index=True)


def index_by_old_key(app: Application, most: int) -> None:
    """The first of the people get the blind indexes of the old key back."""
    old = Vault(app.services.store.vault.keys, replace(app.services.store.vault.plan, index=(2,)))
    for person_id, person in list(persons(app).items())[:most]:
        with app.services.store.begin() as tx:
            number = old.blind(person["id_number"], kind=BlindKind.ID_NUMBER) if person["id_number"] else None
            tx.execute(
                sa.update(t.person)
                .where(t.person.c.id == person_id)
                .values(name_blind=old.blind(person["name"], kind=BlindKind.NAME), id_number_blind=number)
            )
            for phone in person["phones"]:
                key = f"{person['name']}\0{phone}"
                of_phone = t.person_phone.c.phone_blind == tx.vault.blind(phone, kind=BlindKind.PHONE)
                of_key = t.person_key.c.name_phone_blind == tx.vault.blind(key, kind=BlindKind.NAME_PHONE)
                last4 = old.blind(phone[-4:], kind=BlindKind.PHONE_LAST4)
                before = {"phone_blind": old.blind(phone, kind=BlindKind.PHONE), "last4_blind": last4}
                tx.execute(sa.update(t.person_phone).where(of_phone).values(before))
                before = {"name_phone_blind": old.blind(key, kind=BlindKind.NAME_PHONE)}
                tx.execute(sa.update(t.person_key).where(of_key).values(before))


def test_a_new_person_on_a_number_that_is_still_old_shares_its_index(app: Application, tmp_path: Path):
    """Two rows with different indexes of one number would be two numbers, and could be called at once."""
    town = Scenario.on(app.services)
    first = town.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    rotated(app)
    second = town.person(name="李", phones=(PHONE, "+8613900009999"))
    rows = phone_rows(app)
    assert rows[first, 0] == rows[second, 0]
    assert rows[second, 1][:2] == (5).to_bytes(2, "big")
    finished(app)
    rows = phone_rows(app)
    assert rows[first, 0] == rows[second, 0]
    assert rows[first, 0][:2] == (5).to_bytes(2, "big")


def phone_rows(app: Application) -> dict[tuple[int, int], bytes]:
    with app.services.store.begin() as tx:
        return {
            (row["person_id"], row["position"]): bytes(row["phone_blind"])
            for row in tx.rows(sa.select(t.person_phone))
        }


def test_a_number_in_a_call_is_indexed_when_the_call_is_over(app: Application):
    town = Scenario.on(app.services)
    person_id = town.person(name=NAME, phones=(PHONE,))
    resting = town.person(name="李", phones=("+8613900009999",))
    blinds, attempt = phone_rows(app), uuid.uuid4()
    with app.services.store.begin() as tx:
        tx.execute(sa.insert(t.live_number).values(phone_blind=blinds[person_id, 0], attempt_id=attempt))
        tx.execute(sa.insert(t.live_number).values(phone_blind=blinds[resting, 0], free_at=MORNING))
    rotated(app)
    done = [reseal_batch(app.services, settle_seconds=0.0) for _ in range(30)]
    assert done[-1].waits or not done[-1].is_over
    assert is_reseal_due(app.services)
    assert phone_rows(app)[person_id, 0] == blinds[person_id, 0]
    with app.services.store.begin() as tx:
        rows = {row["free_at"]: bytes(row["phone_blind"]) for row in tx.rows(sa.select(t.live_number))}
        assert rows == {None: blinds[person_id, 0], MORNING: phone_rows(app)[resting, 0]}
        over = {"attempt_id": None, "free_at": MORNING}
        tx.execute(sa.update(t.live_number).where(t.live_number.c.attempt_id == attempt).values(over))
    finished(app)
    with app.services.store.begin() as tx:
        rests = {bytes(row["phone_blind"]) for row in tx.rows(sa.select(t.live_number))}
    assert rests == set(phone_rows(app).values())


def test_lists_that_wait_for_the_names_on_a_number_are_found_by_its_new_index(app: Application):
    town = Scenario.on(app.services)
    town.person(name=NAME, phones=(PHONE,))
    before = next(iter(phone_rows(app).values()))
    of_nobody = b"x" * len(before)
    with app.services.store.begin() as tx:
        for blind in (before, of_nobody):
            add_to_held_list(
                tx, source="bank", reason=HoldReason.NAMES, extra_high=False, heading=b"a\n", rows=b"b\n",
                contents=[HeldContent("bank", "N1", blind.hex())],
                number_blind=blind, now=MORNING,
            )  # fmt: skip
    rotated(app)
    finished(app)
    with app.services.store.begin() as tx:
        found = [row["number_blind"] for row in tx.rows(sa.select(t.list_load).order_by(t.list_load.c.id))]
    assert found == [*phone_rows(app).values(), None]


def test_a_value_that_somebody_is_changing_is_passed_over_and_stays_as_it_was_changed(app: Application):
    town = Scenario.on(app.services)
    person_id = town.person(name=NAME, phones=(PHONE,))
    rotated(app, (KeyUse.ENCRYPTION,))
    place = {"table": "person", "column": "sealed", "row": person_id}
    of_person = t.person.c.id == person_id
    with app.services.store.begin() as tx:
        old = Vault(tx.vault.keys, replace(tx.vault.plan, encryption=1))
        changed = old.seal_record({"name": "李"}, **place)
        tx.execute(sa.update(t.person).where(of_person).values(sealed=changed))
        for _ in range(30):
            assert not reseal_batch(app.services, settle_seconds=0.0).is_over
    finished(app)
    with app.services.store.begin() as tx:
        sealed = tx.scalar(sa.select(t.person.c.sealed).where(of_person))
        assert tx.vault.open_record(sealed, **place) == {"name": "李"}
    assert not used(app, 1)


def test_words_evidence_and_the_ledger_are_sealed_again_and_nothing_else_of_them_changes(app: Application):
    town = Scenario.on(app.services)
    case_id = town.case()
    with app.services.store.begin() as tx:
        note_acts(tx, [Act(case_id=case_id, kind=ActKind.CALL_BACK, by="li", words="她儿子说")], now=MORNING)
    rotated(app, (KeyUse.ENCRYPTION,))
    with app.services.store.begin() as tx:
        before = tx.one(sa.select(t.event).where(t.event.c.case_id == case_id))
    finished(app)
    with app.services.store.begin() as tx:
        after = tx.one(sa.select(t.event).where(t.event.c.case_id == case_id))
    assert before is not None
    assert after is not None
    assert {**before, "sealed": b""} == {**after, "sealed": b""}
    assert (before["sealed"][1:3], after["sealed"][1:3]) == (b"\0\1", b"\0\4")
    other_key = "sealed = overlay(sealed placing '\\x010001'::bytea from 1)"
    for change in (
        f"kind = 'x', {other_key}",
        "sealed = NULL",
        "by = 'x'",
        "sealed = sealed || '\\x00'::bytea",
    ):
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), app.services.store.begin() as tx:
            tx.execute(sa.text(f"UPDATE event SET {change} WHERE case_id = :case"), {"case": case_id})


def test_a_key_is_retired_when_no_value_needs_it_and_not_before(app: Application, tmp_path: Path):
    loaded(app, tmp_path, 5)
    rotated(app)

    def retire(key_id: int) -> int:
        return retire_key(app.services, unrestricted("li"), app.key_source, key_id, why="old").audit_lines

    with pytest.raises(Conflict, match="being sealed again"):
        retire(1)
    with pytest.raises(Conflict, match="being sealed again"):
        rotated(app)
    finished(app)
    with pytest.raises(Conflict, match="current"):
        retire(4)
    with pytest.raises(NotFound):
        retire(9)
    old = Vault(app.services.store.vault.keys, replace(app.services.store.vault.plan, encryption=1))
    with app.services.store.begin() as tx:
        row = tx.one(sa.select(t.person).limit(1))
        assert row is not None
        sealed = old.reseal(row["sealed"], table="person", column="sealed", row=row["id"])
        tx.execute(sa.update(t.person).where(t.person.c.id == row["id"]).values(sealed=sealed))
    with pytest.raises(KeyInUse, match=r"person\.sealed 1"):
        retire(1)
    assert restart_reseal(app.services, unrestricted("li"))
    finished(app)
    path = app.key_source.file
    assert path is not None
    assert retire(1) == retire(2) == 0
    assert set(load(path).held) == {3, 4, 5}
    # A key of the audit stays while there are lines of it.
    rotated(app, (KeyUse.AUDIT,))
    finished(app)
    with pytest.raises(KeyInUse, match="audit"):
        retire(3)
    assert verify_trail(app.services).findings == ()


def test_a_process_that_starts_later_needs_the_new_keys_and_not_the_retired_ones(
    app: Application, environment: dict[str, str], tmp_path: Path
):
    loaded(app, tmp_path, 3)
    ring = tmp_path / "keys.json"
    before = ring.read_bytes()
    rotated(app)
    finished(app)
    for key_id in (1, 2):
        retire_key(app.services, unrestricted("li"), app.key_source, key_id, why="old")
    after = assemble(load_settings(environment))
    assert persons(after) == persons(app)
    after.close()
    ring.write_bytes(before)
    with pytest.raises(Refusal, match="DIALER_KEYS__FILE"):
        assemble(load_settings(environment))


def test_new_keys_are_used_when_every_living_process_holds_them(
    app: Application, environment: dict[str, str], tmp_path: Path
):
    """Another machine has its own copy of the ring."""
    loaded(app, tmp_path, 3)
    copy = tmp_path / "copy.json"
    copy.write_bytes((tmp_path / "keys.json").read_bytes())
    copy.chmod(0o600)
    other = assemble(load_settings(environment | {"DIALER_KEYS__FILE": str(copy)}))

    def beat() -> None:
        with other.services.store.begin() as tx:
            note_heartbeat(tx, process="web:other:1", kind="web", real_now=app.services.real.now(), facts={})

    beat()
    with pytest.raises(KeysWaiting, match="web:other:1"):
        rotated(app)
    assert read_keys_status(app.services).waiting == ("web:other:1",)
    assert used(app, 4) == {}
    assert loaded(app, tmp_path, 4) == 4
    assert used(app, 4) == {}
    copy.write_bytes((tmp_path / "keys.json").read_bytes())
    other.services.store.vault.renew(load(copy), other.services.store.vault.plan)
    beat()
    assert rotated(app) == {KeyUse.ENCRYPTION: 4, KeyUse.INDEX: 5}
    # The other process follows before its next list, whose blind indexes it had prepared with the old key.
    assert loaded(other, tmp_path, 5) == 5
    finished(app)
    assert loaded(other, tmp_path, 5, source="again") == 5
    assert_all_found(other)
    other.close()


def test_where_the_ring_comes_from_a_command_a_person_stores_it(app: Application, tmp_path: Path):
    stored = tmp_path / "stored.json"
    stored.write_bytes((tmp_path / "keys.json").read_bytes())
    source = KeySource(command=("/bin/cat", str(stored)))

    def rotate(out: Path | None) -> Rotated:
        return rotate_keys(
            app.services,
            unrestricted("li"),
            source,
            uses=BOTH,
            suite=Suite.AES_BLAKE2,
            why="yearly",
            wait_seconds=0.0,
            out=out,
        )

    with pytest.raises(Refusal, match="cat cannot be written"):
        rotate(None)
    out = tmp_path / "new.toml"
    assert rotate(out).stored_in == out
    assert not is_reseal_due(app.services)
    stored.write_bytes(out.read_bytes())
    app.services.store.vault.read_again = source.load
    assert rotate(None).made == {KeyUse.ENCRYPTION: 4, KeyUse.INDEX: 5}
    finished(app)
    assert retire_key(app.services, unrestricted("li"), source, 1, why="old").in_ring


def test_a_process_seals_nothing_with_an_old_key_when_re_sealing_ends(app: Application, tmp_path: Path):
    """It does not end while a process may not have looked yet, or a transaction from before is open."""
    loaded(app, tmp_path, 3)
    rotated(app)
    for _, batch in zip(range(30), batches(app, settle_seconds=3600.0), strict=False):
        assert not batch.is_over
    assert reseal(app.services, pause=lambda _seconds: False, settle_seconds=0.0).is_over


def test_a_value_that_no_key_opens_stays_as_it_is_and_stops_nothing(app: Application, tmp_path: Path):
    loaded(app, tmp_path, 3)
    with app.services.store.begin() as tx:
        for table in (t.person, t.warning):
            changed = sa.func.set_byte(table.c.sealed, 39, 255 - sa.func.get_byte(table.c.sealed, 39))
            tx.execute(sa.update(table).values(sealed=changed).where(table.c.id == 2))
    rotated(app)
    finished(app)
    progress = read_keys_status(app.services).progress
    assert progress is not None
    assert progress.unreadable == {
        "blind indexes of persons": ["2"],
        "person.sealed": ["2"],
        "warning.sealed": ["2"],
    }
    assert used(app, 1) == {"person.sealed": 1, "warning.sealed": 1}
    for key_id in (1, 2):
        assert (
            retire_key(app.services, unrestricted("li"), app.key_source, key_id, why="old").audit_lines == 0
        )
