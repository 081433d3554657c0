"""Rows of accounts, sessions, sign-ins and tokens: what ends at which instant, and what stays out of whose reach."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import FactorKind, Role, SignInStep
from dialer.db import tables as t
from dialer.db.keys import Keys
from dialer.db.unit_of_work import Store, Tx
from dialer.db.units import add_unit
from dialer.db.vault import Vault
from dialer.staff import factor_store as factor_rows
from dialer.staff import store as rows
from dialer.staff import token_store as token_rows
from dialer.staff.store import Member, Session
from dialer.staff.token_store import TokenScope

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
LATER = NOW + timedelta(hours=1)
_numbers = itertools.count(1)
A_HASH, B_HASH, C_HASH, D_HASH, E_HASH, O_HASH, X_HASH = (letter.encode() * 32 for letter in "abcdeox")


@pytest.fixture(scope="module")
def store(module_database: str) -> Iterator[Store]:
    keys = Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1)
    made = Store(module_database, Vault(keys), pool_size=2)
    yield made
    made.dispose()


@pytest.fixture
def tx(store: Store) -> Iterator[Tx]:
    """A transaction of which nothing stays."""
    with store.begin() as tx:
        yield tx
        tx.connection.rollback()


def account(tx: Tx, login: str = "", **more: Any) -> Member:  # noqa: ANN401  # columns of many kinds
    values: dict[str, Any] = {
        "login": login or f"wang{next(_numbers)}", "display_name": "王 强", "password_hash": "hash",
        "role": Role.CLERK, "unit_id": None, "language": "zh", "must_change": False, "by": "admin", "real_now": NOW,
    }  # fmt: skip
    made = rows.insert_member(tx, **(values | more))
    assert made is not None
    return made


def signed_in(tx: Tx, of: Member, token: bytes, *, at: datetime = NOW, until: datetime = LATER) -> Session:
    rows.start_session(
        tx, staff_id=of.id, token_hash=token, address="10.0.0.9", real_now=at, expires_at=until
    )
    found = rows.find_session(tx, token)
    assert found is not None
    return found[0]


class TestAccounts:
    def test_a_new_one_is_as_it_was_asked_for(self, tx: Tx) -> None:
        assert rows.is_staff_empty(tx)
        unit = add_unit(tx, name="临河", parent_id=None)
        made = account(tx, "wang", role=Role.OFFICER, unit_id=unit, must_change=True, password_until=LATER)
        assert made == Member(
            id=made.id, login="wang", display_name="王 强", role=Role.OFFICER, unit_id=unit, language="zh",
            must_change=True, revision=1, created_at=NOW, signed_in_at=None, disabled_at=None, locked_until=None,
            extension="", password_until=LATER, has_factor=False,
        )  # fmt: skip
        assert not rows.is_staff_empty(tx)
        assert rows.find_member(tx, "wang") == rows.member_of(tx, made.id) == made
        assert (rows.find_member(tx, "wan"), rows.member_of(tx, made.id + 1)) == (None, None)
        [row] = tx.rows(sa.select(t.staff.c.created_by, t.staff.c.password_at, t.staff.c.password_hash))
        assert tuple(row.values()) == ("admin", NOW, "hash")
        assert rows.password_hash_of(tx, made.id) == "hash"

    def test_a_login_is_taken_once_also_by_a_disabled_account(self, tx: Tx) -> None:
        made = account(tx, "wang")
        rows.set_staff(tx, made.id, disabled_at=NOW)
        again = rows.insert_member(
            tx, login="wang", display_name="x", password_hash="x", role=Role.CALLER, unit_id=None, language="en",
            must_change=False, by="admin", real_now=NOW,
        )  # fmt: skip
        assert again is None

    def test_the_list_has_those_in_use_by_login_and_the_disabled_last(self, tx: Tx) -> None:
        city = add_unit(tx, name="市局", parent_id=None)
        county, other = add_unit(tx, name="临河", parent_id=city), add_unit(tx, name="五原", parent_id=city)
        account(tx, "c", unit_id=county)
        gone = account(tx, "a", unit_id=county)
        account(tx, "b", unit_id=other)
        account(tx, "d")
        rows.set_staff(tx, gone.id, disabled_at=NOW)
        assert [member.login for member in rows.all_members(tx)] == ["b", "c", "d", "a"]
        assert [member.login for member in rows.all_members(tx, visible_to=county)] == ["c", "a"]
        assert [member.login for member in rows.all_members(tx, visible_to=city)] == ["b", "c", "a"]
        assert rows.display_names(tx, ["a", "b", "nobody"]) == {"a": "王 强", "b": "王 强"}

    def test_its_addresses_are_blocked_until_then(self, tx: Tx) -> None:
        made = account(tx, "wang")
        other = account(tx, "li")
        assert not made.has_blocked_addresses(real_now=NOW)
        rows.note_blocked_sign_ins(tx, "wang", until=LATER)
        blocked = rows.member_of(tx, made.id)
        assert blocked is not None
        assert blocked.has_blocked_addresses(real_now=LATER - INSTANT)
        assert not blocked.has_blocked_addresses(real_now=LATER)
        assert rows.member_of(tx, other.id) == other

    def test_a_new_password_counts_a_revision_unlocks_and_ends_the_sessions(self, tx: Tx) -> None:
        made, other = account(tx), account(tx)
        rows.note_blocked_sign_ins(tx, made.login, until=LATER)
        mine, theirs = signed_in(tx, made, A_HASH), signed_in(tx, other, B_HASH)
        rows.set_staff_password(
            tx, made.id, password_hash="new", real_now=NOW + INSTANT, temporary_until=LATER
        )
        given = rows.member_of(tx, made.id)
        assert given is not None
        assert (given.must_change, given.password_until, given.revision, given.locked_until) == (
            True,
            LATER,
            2,
            None,
        )
        rows.set_staff_password(tx, made.id, password_hash="own", real_now=LATER)
        own = rows.member_of(tx, made.id)
        assert own is not None
        assert (own.must_change, own.password_until, own.revision) == (False, None, 3)
        assert rows.password_hash_of(tx, made.id) == "own"
        assert tx.scalar(sa.select(t.staff.c.password_at).where(t.staff.c.id == made.id)) == LATER
        assert rows.valid_session_ids(tx, [mine.id, theirs.id], real_now=NOW) == {theirs.id}
        assert (rows.member_of(tx, other.id), rows.password_hash_of(tx, other.id)) == (other, "hash")

    def test_the_administrators_in_use_are_locked_by_their_kind(self, tx: Tx) -> None:
        one, gone = account(tx, role=Role.ADMINISTRATOR), account(tx, role=Role.ADMINISTRATOR)
        second = account(tx, role=Role.SECURITY_ADMINISTRATOR)
        rows.set_staff(tx, gone.id, disabled_at=NOW)
        assert rows.lock_administrators(tx) == {one.id}
        assert rows.lock_administrators(tx, Role.SECURITY_ADMINISTRATOR) == {second.id}


class TestSessions:
    def test_a_new_one_is_known_by_its_token_alone(self, tx: Tx) -> None:
        of = account(tx)
        rows.start_session(
            tx, staff_id=of.id, token_hash=A_HASH, address="10.0.0.9", real_now=NOW, expires_at=LATER
        )
        found = rows.find_session(tx, A_HASH)
        assert found is not None
        session, member = found
        assert member == of
        assert session == Session(
            id=session.id, staff_id=of.id, login=of.login, address="10.0.0.9", created_at=NOW, seen_at=NOW,
            expires_at=LATER, second_factor=False,
        )  # fmt: skip
        assert rows.find_session(tx, B_HASH) is None
        rows.mark_second_factor(tx, session.id)
        rows.note_session_seen(tx, session.id, real_now=LATER)
        again = rows.find_session(tx, A_HASH)
        assert again is not None
        assert (again[0].second_factor, again[0].seen_at) == (True, LATER)
        rows.start_session(
            tx,
            staff_id=of.id,
            token_hash=C_HASH,
            address="",
            real_now=NOW,
            expires_at=LATER,
            second_factor=True,
        )
        with_factor = rows.find_session(tx, C_HASH)
        assert with_factor is not None
        assert with_factor[0].second_factor

    def test_it_is_valid_until_it_ends_or_expires_or_its_account_is_closed(self, tx: Tx) -> None:
        of, closed = account(tx), account(tx)
        here, there, gone = (
            signed_in(tx, of, A_HASH),
            signed_in(tx, of, B_HASH),
            signed_in(tx, closed, C_HASH),
        )
        every = [here.id, there.id, gone.id]
        rows.set_staff(tx, closed.id, disabled_at=NOW)
        assert rows.valid_session_ids(tx, every, real_now=LATER - INSTANT) == {here.id, there.id}
        assert rows.valid_session_ids(tx, every, real_now=LATER) == set()
        assert rows.valid_session_ids(tx, [], real_now=NOW) == set()
        assert not rows.end_session(tx, here.id, real_now=NOW, staff_id=closed.id)
        assert rows.end_session(tx, here.id, real_now=NOW, staff_id=of.id)
        assert not rows.end_session(tx, here.id, real_now=NOW)
        assert rows.end_session(tx, there.id, real_now=NOW)
        assert rows.valid_session_ids(tx, every, real_now=NOW) == set()
        assert rows.find_session(tx, A_HASH) is None
        ended = tx.scalar(sa.select(t.staff_session.c.ended_at).where(t.staff_session.c.id == here.id))
        assert ended == NOW

    def test_all_of_an_account_end_but_one(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        here, there, theirs = (
            signed_in(tx, of, A_HASH),
            signed_in(tx, of, B_HASH),
            signed_in(tx, other, C_HASH),
        )
        assert rows.end_sessions_of(tx, of.id, real_now=NOW, but=here.id) == 1
        every = [here.id, there.id, theirs.id]
        assert rows.valid_session_ids(tx, every, real_now=NOW) == {here.id, theirs.id}
        assert rows.end_sessions_of(tx, of.id, real_now=NOW) == 1
        assert rows.end_sessions_of(tx, of.id, real_now=NOW) == 0
        assert rows.valid_session_ids(tx, every, real_now=NOW) == {theirs.id}

    def test_of_too_many_the_newest_stay_and_expired_ones_are_not_counted(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        expired = signed_in(tx, of, E_HASH, at=NOW + 3 * INSTANT, until=NOW + timedelta(minutes=1))
        kept = [
            signed_in(tx, of, bytes([n]) * 32, at=NOW + instants * INSTANT)
            for n, instants in enumerate((2, 0, 0, 1))
        ]
        theirs = signed_in(tx, other, O_HASH)
        assert rows.end_oldest_sessions(tx, of.id, most=3, real_now=NOW + timedelta(minutes=1)) == 1
        every = [expired.id, theirs.id, *(one.id for one in kept)]
        # Of two of the same instant the later number is the newer one.
        still = {theirs.id, kept[0].id, kept[2].id, kept[3].id}
        assert rows.valid_session_ids(tx, every, real_now=NOW + timedelta(minutes=1)) == still
        assert rows.end_oldest_sessions(tx, of.id, most=3, real_now=NOW + timedelta(minutes=1)) == 0

    def test_the_open_ones_are_listed_the_last_seen_first(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        here, there, idle = (signed_in(tx, of, bytes([n]) * 32) for n in range(3))
        theirs = signed_in(tx, other, O_HASH)
        rows.note_session_seen(tx, here.id, real_now=NOW + 2 * INSTANT)
        rows.note_session_seen(tx, there.id, real_now=NOW + 2 * INSTANT)
        rows.note_session_seen(tx, theirs.id, real_now=NOW + INSTANT)

        def listed(**more: Any) -> list[int]:  # noqa: ANN401  # as open_sessions
            asked = {"real_now": LATER - INSTANT, "idle_since": NOW} | more
            return [open_session.id for open_session in rows.open_sessions(tx, **asked)]

        assert idle.id not in listed()
        assert listed() == [there.id, here.id, theirs.id]
        assert listed(staff_id=of.id) == [there.id, here.id]
        assert listed(idle_since=NOW - INSTANT) == [there.id, here.id, theirs.id, idle.id]
        assert listed(real_now=LATER) == []
        rows.end_session(tx, there.id, real_now=NOW)
        assert listed() == [here.id, theirs.id]
        assert rows.open_sessions(tx, real_now=NOW, idle_since=NOW, staff_id=other.id)[0].login == other.login

    def test_what_expired_before_then_is_deleted_with_what_was_begun(self, tx: Tx) -> None:
        of = account(tx)
        signed_in(tx, of, A_HASH, until=LATER)
        signed_in(tx, of, B_HASH, until=LATER + INSTANT)
        begin(tx, A_HASH, until=LATER)
        begin(tx, B_HASH, until=LATER + INSTANT)
        assert rows.delete_expired_sessions(tx, before=LATER) == 0
        assert rows.delete_expired_sessions(tx, before=LATER + INSTANT) == 1
        assert rows.find_session(tx, B_HASH) is not None
        assert [row["token_hash"] for row in tx.rows(sa.select(t.sign_in_step.c.token_hash))] == [B_HASH]


class TestAtOnce:
    """What two transactions do at the same time; these stay, and are deleted at the end."""

    @pytest.fixture
    def two(self, store: Store) -> Iterator[tuple[Member, Member]]:
        with store.begin() as tx:
            made = account(tx), account(tx)
            for key in (A_HASH, B_HASH):
                rows.reserve_try(tx, key, real_now=NOW, window_start=NOW)
        yield made
        with store.begin() as tx:
            tx.execute(sa.delete(t.staff))
            tx.execute(sa.delete(t.sign_in_failure))

    def test_of_two_sign_ins_one_waits_until_the_other_has_counted_its_sessions(
        self, store: Store, two: tuple[Member, Member]
    ) -> None:
        of, other = two
        with store.begin() as tx, store.begin() as second:
            rows.end_oldest_sessions(tx, of.id, most=5, real_now=NOW)
            free = sa.select(t.staff.c.id).with_for_update(skip_locked=True)
            assert [row["id"] for row in second.rows(free)] == [other.id]

    @pytest.mark.usefixtures("two")
    def test_old_failures_that_a_sign_in_holds_are_left(self, store: Store) -> None:
        with store.begin() as tx, store.begin() as second:
            rows.give_try_back(tx, A_HASH)
            second.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            rows.delete_old_failures(second, before=LATER)
            left = second.rows(sa.select(t.sign_in_failure.c.key))
            assert [bytes(row["key"]) for row in left] == [A_HASH]


class TestFirstLink:
    def test_it_opens_once_and_until_then_and_a_new_one_replaces_it(self, tx: Tx) -> None:
        rows.make_first_sign_in_link(tx, token_hash=A_HASH, real_now=NOW, expires_at=LATER)
        rows.make_first_sign_in_link(tx, token_hash=B_HASH, real_now=NOW, expires_at=LATER)
        assert not rows.is_sign_in_link_good(tx, A_HASH, real_now=NOW)
        assert rows.is_sign_in_link_good(tx, B_HASH, real_now=LATER - INSTANT)
        assert not rows.is_sign_in_link_good(tx, B_HASH, real_now=LATER)
        assert not rows.use_sign_in_link(tx, B_HASH, real_now=LATER)
        assert rows.use_sign_in_link(tx, B_HASH, real_now=NOW + INSTANT)
        assert not rows.use_sign_in_link(tx, B_HASH, real_now=NOW + INSTANT)
        assert not rows.is_sign_in_link_good(tx, B_HASH, real_now=NOW)
        rows.make_first_sign_in_link(tx, token_hash=C_HASH, real_now=NOW, expires_at=LATER)
        link = t.staff_link.c
        found = tx.rows(sa.select(link.token_hash, link.created_at, link.used_at).order_by(link.id))
        assert [tuple(row.values()) for row in found] == [(B_HASH, NOW, NOW + INSTANT), (C_HASH, NOW, None)]


class TestTries:
    WINDOW = NOW - timedelta(minutes=15)

    def reserve(self, tx: Tx, key: bytes, *, at: datetime = NOW) -> tuple[int, datetime | None]:
        tries = rows.reserve_try(tx, key, real_now=at, window_start=at - timedelta(minutes=15))
        return tries.count, tries.blocked_until

    def test_they_count_from_the_first_for_as_long_as_the_window(self, tx: Tx) -> None:
        assert [self.reserve(tx, b"k") for _ in range(2)] == [(1, None), (2, None)]
        assert self.reserve(tx, b"other") == (1, None)
        # The window begins with the first try, and an old try is one of before its beginning.
        assert self.reserve(tx, b"k", at=NOW + timedelta(minutes=15)) == (3, None)
        assert self.reserve(tx, b"k", at=NOW + timedelta(minutes=15) + INSTANT) == (1, None)

    def test_while_a_key_is_blocked_nothing_is_counted_and_then_anew(self, tx: Tx) -> None:
        self.reserve(tx, b"k")
        self.reserve(tx, b"other")
        rows.block_sign_in(tx, b"k", until=LATER)
        rows.block_sign_in(tx, b"k", until=LATER + timedelta(hours=1))  # the first one stands
        assert self.reserve(tx, b"k", at=LATER - INSTANT) == (1, LATER)
        assert self.reserve(tx, b"k", at=LATER) == (1, None)
        assert self.reserve(tx, b"k", at=LATER) == (2, None)
        assert self.reserve(tx, b"other") == (2, None)

    def test_a_right_one_is_given_back_and_never_below_none(self, tx: Tx) -> None:
        for _ in range(2):
            self.reserve(tx, b"k")
        self.reserve(tx, b"other")
        for _ in range(3):
            rows.give_try_back(tx, b"k")
        assert self.reserve(tx, b"k") == (1, None)
        rows.clear_failures(tx, b"k")
        assert self.reserve(tx, b"k") == (1, None)
        assert self.reserve(tx, b"other") == (2, None)

    def test_old_ones_are_deleted_unless_they_still_block(self, tx: Tx) -> None:
        for key, until in ((b"old", None), (b"over", LATER), (b"blocked", LATER + INSTANT)):
            self.reserve(tx, key)
            if until is not None:
                rows.block_sign_in(tx, key, until=until - INSTANT)
        self.reserve(tx, b"new", at=LATER)
        rows.delete_old_failures(tx, before=NOW)
        assert self.keys(tx) == {b"old", b"over", b"blocked", b"new"}
        rows.delete_old_failures(tx, before=LATER)
        assert self.keys(tx) == {b"blocked", b"new"}

    def keys(self, tx: Tx) -> set[bytes]:
        return {bytes(row["key"]) for row in tx.rows(sa.select(t.sign_in_failure.c.key))}

    def test_a_key_says_nothing_of_what_it_is_for(self, tx: Tx) -> None:
        keys = {
            rows.failure_key(tx, kind, value) for kind in ("login", "address") for value in ("wang", "li")
        }
        assert len(keys) == 4
        assert rows.failure_key(tx, "login", "wang") in keys


def begin(tx: Tx, token: bytes, *, until: datetime = LATER, staff_id: int | None = None) -> None:
    factor_rows.begin_step(
        tx, token_hash=token, kind=SignInStep.PASSKEY, staff_id=staff_id, data={"challenge": "abc"}, real_now=NOW,
        expires_at=until,
    )  # fmt: skip


class TestSteps:
    def test_one_is_found_by_its_token_and_kind_until_it_is_used_or_expires(self, tx: Tx) -> None:
        of = account(tx)
        begin(tx, A_HASH, staff_id=of.id)
        found = factor_rows.find_step(tx, A_HASH, SignInStep.PASSKEY, real_now=LATER - INSTANT)
        assert found is not None
        assert (found.kind, found.staff_id, found.data) == (SignInStep.PASSKEY, of.id, {"challenge": "abc"})
        assert factor_rows.find_step(tx, A_HASH, SignInStep.PASSKEY, real_now=LATER) is None
        assert factor_rows.find_step(tx, A_HASH, SignInStep.IDENTITY, real_now=NOW) is None
        assert factor_rows.find_step(tx, B_HASH, SignInStep.PASSKEY, real_now=NOW) is None
        begin(tx, B_HASH)
        factor_rows.change_step(tx, found.id, A_HASH, {"challenge": "def"})
        other = factor_rows.find_step(tx, B_HASH, SignInStep.PASSKEY, real_now=NOW)
        assert other is not None
        assert other.data == {"challenge": "abc"}
        used = factor_rows.use_step(tx, A_HASH, SignInStep.PASSKEY, real_now=NOW + INSTANT)
        assert used is not None
        assert (used.id, used.data) == (found.id, {"challenge": "def"})
        assert factor_rows.use_step(tx, A_HASH, SignInStep.PASSKEY, real_now=NOW) is None
        assert factor_rows.find_step(tx, A_HASH, SignInStep.PASSKEY, real_now=NOW) is None
        [row] = tx.rows(sa.select(t.sign_in_step).where(t.sign_in_step.c.token_hash == A_HASH))
        # Under these names an earlier release has sealed it.
        sealed = {"table": "sign_in_step", "column": "data"}
        assert tx.vault.open_record(row["data"], row=A_HASH.hex(), **sealed) == {"challenge": "def"}
        assert (row["created_at"], row["used_at"], b"def" in bytes(row["data"])) == (
            NOW,
            NOW + INSTANT,
            False,
        )


class TestFactors:
    def factor(self, tx: Tx, of: Member, **more: Any) -> int:  # noqa: ANN401  # as insert_factor
        values: dict[str, Any] = {
            "kind": FactorKind.PASSKEY, "name": "key", "secret": b"secret", "real_now": NOW, "confirmed": True,
            "credential_id": str(next(_numbers)).encode(), "counter": 7,
        }  # fmt: skip
        made = factor_rows.insert_factor(tx, staff_id=of.id, **(values | more))
        assert made is not None
        return made

    def test_a_new_one_is_as_it_was_made_and_its_secret_is_sealed(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        number = self.factor(tx, of, credential_id=b"abc")
        later = self.factor(
            tx, of, kind=FactorKind.TOTP, name="app", secret=b"other", confirmed=False, credential_id=None
        )
        key, app = factor_rows.factors_of(tx, of.id)
        assert key == factor_rows.Factor(
            id=number, staff_id=of.id, kind=FactorKind.PASSKEY, name="key", counter=7, created_at=NOW,
            confirmed_at=NOW, used_at=None, credential_id=b"abc",
        )  # fmt: skip
        assert (app.id, app.confirmed_at, app.credential_id) == (later, None, None)
        assert factor_rows.factors_of(tx, of.id, kind=FactorKind.TOTP) == [app]
        assert factor_rows.factors_of(tx, other.id) == []
        assert factor_rows.find_passkey(tx, b"abc") == key
        assert factor_rows.find_passkey(tx, b"abd") is None
        assert factor_rows.factor_secret(tx, key) == b"secret"
        sealed = tx.scalar(sa.select(t.staff_factor.c.secret).where(t.staff_factor.c.id == number))
        # Under these names an earlier release has sealed it.
        assert tx.vault.open(sealed, row=of.id, table="staff_factor", column="secret") == b"secret"
        assert b"secret" not in bytes(sealed)
        again = factor_rows.insert_factor(
            tx, staff_id=other.id, kind=FactorKind.PASSKEY, name="x", secret=b"x", real_now=NOW, confirmed=True,
            credential_id=b"abc",
        )  # fmt: skip
        assert again is None
        factor_rows.insert_factor(
            tx, staff_id=other.id, kind=FactorKind.TOTP, name="", secret=b"x", real_now=NOW, confirmed=True
        )
        assert [(one.counter, one.credential_id) for one in factor_rows.factors_of(tx, other.id)] == [
            (0, None)
        ]

    def test_an_account_has_one_when_it_is_confirmed(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        number = self.factor(tx, of, kind=FactorKind.TOTP, confirmed=False, credential_id=None, counter=0)
        untouched = self.factor(tx, other, kind=FactorKind.TOTP, confirmed=False, credential_id=None)
        assert [member.has_factor for member in rows.all_members(tx)] == [False, False]
        factor_rows.confirm_factor(tx, number, real_now=LATER)
        assert {member.id: member.has_factor for member in rows.all_members(tx)} == {
            of.id: True,
            other.id: False,
        }
        assert factor_rows.factors_of(tx, of.id)[0].confirmed_at == LATER
        assert factor_rows.factors_of(tx, other.id)[0].id == untouched

    def test_a_counter_that_rises_is_accepted_once(self, tx: Tx) -> None:
        of = account(tx)
        number, other = self.factor(tx, of), self.factor(tx, of)
        accepted = [
            factor_rows.use_factor(tx, number, counter=counter, real_now=LATER, rises=True)
            for counter in (7, 6, 8, 8)
        ]
        assert accepted == [False, False, True, False]
        assert factor_rows.use_factor(tx, number, counter=3, real_now=LATER, rises=False)
        used, untouched = factor_rows.factors_of(tx, of.id)
        assert (used.counter, used.used_at) == (3, LATER)
        assert (untouched.id, untouched.counter, untouched.used_at) == (other, 7, None)

    def test_its_owner_alone_names_and_deletes_it(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        number, kept = self.factor(tx, of), self.factor(tx, of)
        assert not factor_rows.rename_factor(tx, other.id, number, "x")
        assert factor_rows.rename_factor(tx, of.id, number, "phone")
        assert [one.name for one in factor_rows.factors_of(tx, of.id)] == ["phone", "key"]
        assert factor_rows.delete_factors(tx, other.id, factor_id=number) == []
        assert [factor.id for factor in factor_rows.delete_factors(tx, of.id, factor_id=number)] == [number]
        begun = self.factor(tx, of, kind=FactorKind.TOTP, confirmed=False, credential_id=None)
        assert [factor.id for factor in factor_rows.delete_factors(tx, of.id)] == [kept, begun]
        assert factor_rows.factors_of(tx, of.id) == []

    def test_recovery_codes_open_once_and_new_ones_replace_them(self, tx: Tx) -> None:
        of, other = account(tx), account(tx)
        factor_rows.replace_recovery_codes(tx, of.id, ["a", "b"])
        factor_rows.replace_recovery_codes(tx, other.id, ["c"])
        assert not factor_rows.use_recovery_code(tx, of.id, "c", real_now=NOW)
        assert factor_rows.use_recovery_code(tx, of.id, "a", real_now=LATER)
        assert not factor_rows.use_recovery_code(tx, of.id, "a", real_now=LATER)
        assert [factor_rows.recovery_codes_left(tx, one.id) for one in (of, other)] == [1, 1]
        c = t.staff_recovery_code.c
        assert tx.scalar(sa.select(c.used_at).where(c.staff_id == of.id, c.used_at.is_not(None))) == LATER
        factor_rows.replace_recovery_codes(tx, of.id, ["d", "e", "f"])
        assert not factor_rows.use_recovery_code(tx, of.id, "b", real_now=NOW)
        assert [factor_rows.recovery_codes_left(tx, one.id) for one in (of, other)] == [3, 1]
        factor_rows.replace_recovery_codes(tx, of.id, [])
        assert factor_rows.recovery_codes_left(tx, of.id) == 0


class TestTokens:
    def test_a_scope_has_the_word_that_rows_and_other_systems_have(self) -> None:
        words = ["warnings:write", "signals:write", "cases:read", "report:read", "openings:write"]
        assert [scope.value for scope in TokenScope] == words

    def token(
        self, tx: Tx, name: str, *, unit: str = "", secret: bytes = A_HASH
    ) -> token_rows.ApiToken | None:
        scopes = [TokenScope.SIGNALS_WRITE, TokenScope.CASES_READ]
        return token_rows.insert_token(
            tx, name=name, secret_hash=secret, scopes=scopes, unit=unit, sources=[" b ", "a", "a", name],
            real_now=NOW, expires_at=LATER,
        )  # fmt: skip

    def test_a_new_one_is_as_it_was_asked_for_and_good_until_then(self, tx: Tx) -> None:
        made = self.token(tx, "bank", unit="临河")
        assert made is not None
        assert made == token_rows.ApiToken(
            id=made.id, name="bank", scopes=frozenset({TokenScope.SIGNALS_WRITE, TokenScope.CASES_READ}),
            unit="临河", unit_id=None, sources=["a", "b"], created_at=NOW, expires_at=LATER, revoked_at=None,
            last_used_on=None,
        )  # fmt: skip
        assert [made.may_send_for(source) for source in ("bank", "a", "c")] == [True, True, False]
        assert made.is_good(real_now=LATER - INSTANT)
        assert not made.is_good(real_now=LATER)
        stored = tx.scalar(sa.select(t.api_token.c.scopes))
        assert stored == ["cases:read", "signals:write"]

    def test_a_name_is_free_again_when_it_was_revoked(self, tx: Tx) -> None:
        assert self.token(tx, "bank") is not None
        assert self.token(tx, "bank", secret=B_HASH) is None
        assert self.token(tx, "other", secret=C_HASH) is not None
        revoked = token_rows.revoke_token_named(tx, "bank", real_now=NOW)
        assert revoked is not None
        assert (revoked.name, revoked.revoked_at, revoked.is_good(real_now=NOW)) == ("bank", NOW, False)
        assert token_rows.revoke_token_named(tx, "bank", real_now=NOW) is None
        assert self.token(tx, "bank", secret=D_HASH) is not None
        assert [(one.name, one.revoked_at) for one in token_rows.all_tokens(tx)] == [
            ("bank", NOW),
            ("other", None),
            ("bank", None),
        ]

    def test_the_day_of_its_last_use_is_noted_and_not_after_it_was_revoked(self, tx: Tx) -> None:
        assert self.token(tx, "bank") is not None
        assert self.token(tx, "other", secret=B_HASH) is not None
        first = token_rows.find_token(tx, A_HASH, today=date(2026, 11, 25))
        assert first is not None
        assert first.last_used_on is None
        for day in (25, 26):
            assert token_rows.find_token(tx, A_HASH, today=date(2026, 11, day)) is not None
        assert token_rows.find_token(tx, X_HASH, today=date(2026, 11, 25)) is None
        token_rows.revoke_token_named(tx, "bank", real_now=NOW)
        assert token_rows.find_token(tx, A_HASH, today=date(2026, 11, 27)) is not None
        assert [one.last_used_on for one in token_rows.all_tokens(tx)] == [date(2026, 11, 26), None]
