"""Signing in and out, changing a password, counting tries, and tokens: each limit, and each word of the audit.

Passwords are compared in clear here: what a hash is worth is another file's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import FactorKind, Permission, Role, SessionRules, SignInStep, unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.intake.allowed_numbers import INTERNAL, AllowedNumbers
from dialer.runtime.services import Centre
from dialer.staff import sign_in as staff
from dialer.staff.factor_store import find_step, insert_factor
from dialer.staff.names import read_display_names
from dialer.staff.passwords import sign_ins
from dialer.staff.sign_in import (
    FactorNeeded,
    PasswordExpired,
    ScopeMissing,
    SignedIn,
    SignInBlocked,
    SignInRefused,
    TokenAuth,
    UnknownToken,
    add_token,
    change_password,
    choose_extension,
    clear_failed_tries,
    complete_sign_in,
    extension_of,
    known_words,
    list_tokens,
    list_units,
    make_token,
    note_failure,
    open_session,
    open_step,
    recognise,
    reserve_tries,
    revoke_token,
    sign_in,
    sign_out,
    token_hash,
    valid_sessions,
)
from dialer.staff.store import Member, Session, failure_key, find_session, insert_member, member_of, set_staff
from dialer.staff.token_store import TokenScope
from tests.audit_lines import audit_lines
from tests.outcomes.town import MORNING, Scenario

RULES = SessionRules(failures=3, second_factor_roles=frozenset())
PASSWORD = "one long sentence"
HERE = "10.0.0.9"
INSTANT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def made(module_database: str) -> Iterator[Scenario]:
    scenario = Scenario(module_database)
    scenario.services = replace(scenario.services, sessions=RULES)
    yield scenario
    scenario.close()


@pytest.fixture
def scenario(made: Scenario, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    monkeypatch.setattr(staff, "is_password_right", lambda password, stored: stored == f"hash of {password}")
    monkeypatch.setattr(staff, "hash_password", lambda password: f"hash of {password}")
    monkeypatch.setattr(staff, "is_password_outdated", lambda stored: False)
    monkeypatch.setattr(staff, "check_password", lambda password, *, login, words: None)
    made.clock.set(MORNING)
    with made.tx() as tx:
        for table in (
            t.staff_session,
            t.sign_in_failure,
            t.sign_in_step,
            t.staff_factor,
            t.staff,
            t.api_token,
        ):
            tx.execute(sa.delete(table))
    return made


def account(scenario: Scenario, login: str = "wang", *, password: str = PASSWORD, **columns: Any) -> Member:  # noqa: ANN401  # of many kinds
    with scenario.tx() as tx:
        made = insert_member(
            tx, login=login, display_name="王 强", password_hash=f"hash of {password}", role=Role.CLERK, unit_id=None,
            language="zh", must_change=False, by="admin", real_now=MORNING,
        )  # fmt: skip
        assert made is not None
        if columns:
            set_staff(tx, made.id, **columns)
        found = member_of(tx, made.id)
    assert found is not None
    return found


def of(scenario: Scenario, member: Member) -> Member:
    """The account as it is now."""
    with scenario.tx() as tx:
        found = member_of(tx, member.id)
    assert found is not None
    return found


def enters(
    scenario: Scenario, login: str = "wang", password: str = PASSWORD, *, address: str = HERE
) -> SignedIn | FactorNeeded:
    return sign_in(scenario.services, login=login, password=password, address=address)


def session_of(scenario: Scenario, token: str) -> Session:
    with scenario.tx() as tx:
        found = find_session(tx, token_hash(token))
    assert found is not None
    return found[0]


@contextmanager
def audited(scenario: Scenario) -> Iterator[list[tuple[str, str, str, dict[str, Any]]]]:
    """What the block adds to the audit: who, act, subject, facts."""
    found: list[tuple[str, str, str, dict[str, Any]]] = []
    before = len(audit_lines(scenario.store))
    yield found
    for line in audit_lines(scenario.store)[before:]:
        assert (line["at"], line["why"]) == (scenario.clock.now(), "")
        found.append((line["who"], line["act"], line["subject"], dict(line["facts"])))


class TestSignIn:
    def test_who_is_right_has_a_session_for_a_shift(self, scenario: Scenario) -> None:
        member = account(scenario, locked_until=MORNING)
        with audited(scenario) as lines:
            entered = enters(scenario, " WANG ")
        assert isinstance(entered, SignedIn)
        assert entered.member == member
        assert entered.token not in repr(entered)
        assert len(entered.token) == 43  # 32 random bytes
        session = session_of(scenario, entered.token)
        assert (session.staff_id, session.address, session.second_factor) == (member.id, HERE, False)
        assert (session.created_at, session.expires_at) == (MORNING, MORNING + timedelta(hours=12))
        now = of(scenario, member)
        assert (now.signed_in_at, now.locked_until) == (MORNING, None)
        assert lines == [("wang", "sign_in", f"staff/{member.id}", {"address": HERE, "how": "password"})]

    @pytest.mark.parametrize(
        ("login", "password"), [("wang", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)]
    )
    def test_who_is_wrong_or_disabled_is_refused(self, scenario: Scenario, login: str, password: str) -> None:
        members = {"wang": account(scenario), "gone": account(scenario, "gone", disabled_at=MORNING)}
        with audited(scenario) as lines, pytest.raises(SignInRefused):
            enters(scenario, login, password)
        who = members.get(login)
        subject = f"staff/{who.id if who else 0}"
        assert lines == [(login if who else "?", "sign_in_failed", subject, {"address": HERE})]

    def test_a_right_one_forgets_what_failed_at_this_address(self, scenario: Scenario) -> None:
        account(scenario)
        for number, password in enumerate(["x", "x", PASSWORD, "x", "x", "x"]):
            if password == PASSWORD:
                assert isinstance(enters(scenario), SignedIn)
                continue
            with pytest.raises(SignInRefused):
                enters(scenario, password=f"{password}{number}")
        with pytest.raises(SignInBlocked):
            enters(scenario)

    def test_a_password_that_was_given_out_opens_until_then(self, scenario: Scenario) -> None:
        until = MORNING + timedelta(hours=1)
        member = account(scenario, password_until=until, must_change=True)
        scenario.clock.set(until - INSTANT)
        assert isinstance(enters(scenario), SignedIn)
        scenario.clock.set(until)
        with audited(scenario) as lines, pytest.raises(PasswordExpired):
            enters(scenario)
        assert lines == [("wang", "sign_in_failed", f"staff/{member.id}", {"address": HERE})]
        with scenario.tx() as tx:
            set_staff(tx, member.id, must_change=False)
        assert isinstance(enters(scenario), SignedIn)

    def test_a_weak_hash_is_made_anew(self, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
        member = account(scenario)
        monkeypatch.setattr(staff, "is_password_outdated", lambda stored: stored == f"hash of {PASSWORD}")
        monkeypatch.setattr(staff, "hash_password", lambda password: f"better hash of {password}")
        enters(scenario)
        with scenario.tx() as tx:
            stored = tx.scalar(sa.select(t.staff.c.password_hash).where(t.staff.c.id == member.id))
        assert stored == f"better hash of {PASSWORD}"

    def test_a_second_factor_is_a_step_for_five_minutes_and_no_session(self, scenario: Scenario) -> None:
        member = account(scenario)
        with scenario.tx() as tx:
            insert_factor(
                tx,
                staff_id=member.id,
                kind=FactorKind.TOTP,
                name="",
                secret=b"x",
                real_now=MORNING,
                confirmed=True,
            )
        with audited(scenario) as lines:
            step = enters(scenario)
        assert isinstance(step, FactorNeeded)
        assert step.token not in repr(step)
        assert (step.member.id, lines) == (member.id, [])
        with scenario.tx() as tx:
            assert tx.rows(sa.select(t.staff_session)) == []
            until = MORNING + timedelta(minutes=5)
            found = find_step(tx, token_hash(step.token), SignInStep.SECOND_FACTOR, real_now=until - INSTANT)
            assert found is not None
            assert (found.staff_id, found.data) == (member.id, {})
            assert find_step(tx, token_hash(step.token), SignInStep.SECOND_FACTOR, real_now=until) is None

    def test_how_somebody_came_in_and_with_what_is_kept(self, scenario: Scenario) -> None:
        member = account(scenario)
        with audited(scenario) as lines, scenario.tx() as tx:
            entered = complete_sign_in(
                tx, scenario.services, member, address=HERE, how="passkey", second_factor=True
            )
        assert session_of(scenario, entered.token).second_factor
        assert lines[0][3]["how"] == "passkey"

    def test_a_step_keeps_what_it_is_given(self, scenario: Scenario) -> None:
        with scenario.tx() as tx:
            token = open_step(tx, SignInStep.PASSKEY, {"challenge": "abc"}, real_now=MORNING, seconds=60)
            found = find_step(tx, token_hash(token), SignInStep.PASSKEY, real_now=MORNING)
        assert found is not None
        assert (found.staff_id, found.data, len(token)) == (None, {"challenge": "abc"}, 43)


class TestSessions:
    def opened(self, scenario: Scenario, member: Member) -> str:
        with scenario.tx() as tx:
            return open_session(tx, scenario.services, member, address=HERE)

    @pytest.mark.parametrize(("idle_seconds", "noted_after"), [(1800.0, 30), (60.0, 15)])
    def test_a_use_is_noted_every_half_minute_or_quarter_of_the_idle_time(
        self, scenario: Scenario, idle_seconds: float, noted_after: int
    ) -> None:
        services = replace(scenario.services, sessions=replace(RULES, idle_seconds=idle_seconds))
        token = self.opened(scenario, account(scenario))
        scenario.clock.set(MORNING + timedelta(seconds=noted_after) - INSTANT)
        assert recognise(services, token) is not None
        assert session_of(scenario, token).seen_at == MORNING
        scenario.clock.set(MORNING + timedelta(seconds=noted_after))
        assert recognise(services, token, even_idle=True) is not None
        assert session_of(scenario, token).seen_at == MORNING
        assert recognise(services, token) is not None
        assert session_of(scenario, token).seen_at == scenario.clock.now()

    def test_it_ends_after_half_an_hour_without_use(self, scenario: Scenario) -> None:
        token = self.opened(scenario, account(scenario))
        assert not session_of(scenario, token).second_factor
        scenario.clock.set(MORNING + timedelta(minutes=30))
        assert recognise(scenario.services, token) is None
        found = recognise(scenario.services, token, even_idle=True)
        assert found is not None
        assert found[0] == session_of(scenario, token)
        scenario.clock.set(MORNING + timedelta(minutes=30) - INSTANT)
        assert recognise(scenario.services, token) is not None

    def test_it_ends_after_a_shift_and_with_its_account(self, scenario: Scenario) -> None:
        member = account(scenario)
        token = self.opened(scenario, member)
        services = replace(scenario.services, sessions=replace(RULES, idle_seconds=1e6))
        scenario.clock.set(MORNING + timedelta(hours=12) - INSTANT)
        assert recognise(services, token) is not None
        scenario.clock.set(MORNING + timedelta(hours=12))
        assert recognise(services, token) is None
        assert recognise(services, token, even_idle=True) is None
        scenario.clock.set(MORNING)
        with scenario.tx() as tx:
            set_staff(tx, member.id, disabled_at=MORNING)
        assert recognise(services, token) is None
        assert recognise(services, "another") is None
        assert recognise(services, "") is None

    def test_signing_out_is_audited_once(self, scenario: Scenario) -> None:
        member = account(scenario)
        session = session_of(scenario, self.opened(scenario, member))
        assert valid_sessions(scenario.services, [session.id]) == {session.id}
        with audited(scenario) as lines:
            sign_out(scenario.services, member.actor, session)
            sign_out(scenario.services, member.actor, session)
        assert lines == [("wang", "sign_out", f"staff/{member.id}", {"address": HERE})]
        assert valid_sessions(scenario.services, [session.id]) == set()

    def test_of_more_than_five_the_oldest_end(self, scenario: Scenario) -> None:
        member = account(scenario)
        tokens = []
        for _ in range(6):
            tokens.append(self.opened(scenario, member))
            scenario.clock.advance(1)
        found = [recognise(scenario.services, token) is not None for token in tokens]
        assert found == [False, True, True, True, True, True]


class TestPassword:
    def session(self, scenario: Scenario, member: Member, *, second_factor: bool = False) -> Session:
        with scenario.tx() as tx:
            token = open_session(tx, scenario.services, member, address=HERE, second_factor=second_factor)
        return session_of(scenario, token)

    def change(
        self,
        scenario: Scenario,
        session: Session,
        *,
        old: str = PASSWORD,
        new: str = "new",
        again: str = "new",
    ) -> str:
        return change_password(scenario.services, session, old=old, new=new, again=again)

    @pytest.mark.parametrize("second_factor", [True, False])
    def test_a_new_one_ends_the_sessions_and_begins_another_like_it(
        self, scenario: Scenario, second_factor: bool
    ) -> None:
        member = account(scenario)
        session = self.session(scenario, member, second_factor=second_factor)
        with audited(scenario) as lines:
            token = self.change(scenario, session)
        assert lines == [("wang", "password_change", f"staff/{member.id}", {"address": HERE})]
        assert valid_sessions(scenario.services, [session.id]) == set()
        begun = session_of(scenario, token)
        assert (begun.staff_id, begun.address, begun.second_factor) == (member.id, HERE, second_factor)
        with pytest.raises(SignInRefused):
            enters(scenario)
        assert isinstance(enters(scenario, password="new"), SignedIn)

    @pytest.mark.parametrize(
        ("fields", "field", "tried"),
        [
            ({"again": "neu"}, "again", False),
            ({"old": "wrong"}, "old", True),
            ({"new": PASSWORD, "again": PASSWORD}, "new", False),
        ],
    )
    def test_what_is_wrong_needs_no_record(
        self, scenario: Scenario, fields: dict[str, str], field: str, tried: bool
    ) -> None:
        member = account(scenario)
        session = self.session(scenario, member)
        with audited(scenario) as lines, pytest.raises(Invalid) as refused:
            self.change(scenario, session, **fields)
        assert refused.value.field == field
        failed = [("wang", "sign_in_failed", f"staff/{member.id}", {"address": HERE})]
        assert lines == (failed if tried else [])
        assert valid_sessions(scenario.services, [session.id]) == {session.id}
        assert of(scenario, member).revision == member.revision

    def test_the_old_one_cannot_be_guessed(self, scenario: Scenario) -> None:
        session = self.session(scenario, account(scenario))
        for _ in range(3):
            with pytest.raises(Invalid):
                self.change(scenario, session, old="wrong")
        with pytest.raises(SignInBlocked):
            self.change(scenario, session)

    def test_a_right_one_forgets_what_failed(self, scenario: Scenario) -> None:
        session = self.session(scenario, account(scenario))
        for _ in range(2):
            with pytest.raises(Invalid):
                self.change(scenario, session, old="wrong")
        with pytest.raises(Invalid, match="is the old one"):
            self.change(scenario, session, new=PASSWORD, again=PASSWORD)
        for _ in range(3):
            with pytest.raises(Invalid):
                self.change(scenario, session, old="wrong")

    def test_it_waits_for_its_place(self, scenario: Scenario) -> None:
        session = self.session(scenario, account(scenario))
        entered: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                staff, "is_password_right", lambda *_: entered.append(HERE) or not sign_ins._under_way[HERE]
            )
            with pytest.raises(Invalid, match="is not the present password"):
                self.change(scenario, session)
        assert entered == [HERE]

    def test_words_that_others_know_are_no_password(
        self, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        centre = Centre(
            timezone="Asia/Shanghai", area_code="0478", default_grade=scenario.services.centre.default_grade,
            bureau={"zh": "临河", "en": "Linhe"}, hotline="96110", callback_number="+8647896110",
        )  # fmt: skip
        services = replace(scenario.services, centre=centre)
        member = account(scenario, extension="8001")
        words = ["王 强", "8001", "临河", "Linhe", "96110", "0478", "+8647896110"]
        assert known_words(services, member) == words
        asked: list[tuple[str, str, list[str]]] = []
        monkeypatch.setattr(
            staff, "check_password", lambda new, *, login, words: asked.append((new, login, words))
        )
        change_password(services, self.session(scenario, member), old=PASSWORD, new="new", again="new")
        assert asked == [("new", "wang", words)]


class TestTries:
    def fail(
        self,
        scenario: Scenario,
        member: Member | None,
        *,
        login: str = "wang",
        address: str = HERE,
        **more: bool,
    ) -> None:
        tries = reserve_tries(scenario.services, login, member, address, **more)
        note_failure(scenario.services, login, member, address, tries)

    def test_the_third_is_the_last_of_a_login_at_an_address(self, scenario: Scenario) -> None:
        member = account(scenario)
        until = MORNING + timedelta(minutes=15)
        lasts = []
        for _ in range(3):
            tries = reserve_tries(scenario.services, "wang", member, HERE)
            lasts.append(tries.lasts)
            assert len(tries.keys) == 3
            with audited(scenario) as lines:
                note_failure(scenario.services, "wang", member, HERE, tries)
        assert lasts == [(False, False, False), (False, False, False), (False, True, False)]
        about = f"staff/{member.id}"
        assert lines == [
            ("wang", "sign_in_failed", about, {"address": HERE}),
            ("wang", "sign_in_locked", about, {"address": HERE}),
        ]
        assert of(scenario, member).locked_until == until
        scenario.clock.set(until - INSTANT)
        with pytest.raises(SignInBlocked) as blocked:
            reserve_tries(scenario.services, "wang", member, HERE)
        assert blocked.value.until == until
        assert not any(reserve_tries(scenario.services, "wang", member, "10.0.0.10").lasts)
        scenario.clock.set(until)
        assert reserve_tries(scenario.services, "wang", member, HERE).lasts == (False, False, False)

    def test_more_at_once_than_are_allowed_block_at_once(self, scenario: Scenario) -> None:
        member = account(scenario)
        for _ in range(3):
            reserve_tries(scenario.services, "wang", member, HERE)
        scenario.clock.advance(60)
        with pytest.raises(SignInBlocked) as blocked:
            reserve_tries(scenario.services, "wang", member, HERE)
        until = scenario.clock.now() + timedelta(minutes=15)
        assert blocked.value.until == until
        scenario.clock.advance(60)
        with pytest.raises(SignInBlocked) as still:
            reserve_tries(scenario.services, "wang", member, HERE)
        assert still.value.until == until

    def test_processes_of_two_releases_count_under_the_same_keys(self, scenario: Scenario) -> None:
        member = account(scenario)
        first = reserve_tries(scenario.services, "wang", member, HERE).keys
        second = reserve_tries(scenario.services, "wang", member, HERE, is_second_step=True).keys
        of, at = f"wang\0{member.revision}", f"wang\0{member.revision}\0{HERE}"
        with scenario.tx() as tx:
            address = failure_key(tx, "address", HERE)
            assert first == (address, failure_key(tx, "login at", at), failure_key(tx, "login", of))
            assert second == (address, failure_key(tx, "factor at", at), failure_key(tx, "factor", of))
        nobody = reserve_tries(scenario.services, "nobody", None, HERE).keys
        with scenario.tx() as tx:
            unknown = failure_key(tx, "login at", f"nobody\x000\0{HERE}")
            assert nobody == (address, unknown, failure_key(tx, "login", "nobody\x000"))

    def test_an_address_has_four_times_as_many_at_all_logins(self, scenario: Scenario) -> None:
        for number in range(11):
            self.fail(scenario, None, login=f"guess{number}")
        tries = reserve_tries(scenario.services, "guess11", None, HERE)
        assert tries.lasts == (True, False, False)
        with audited(scenario) as lines:
            note_failure(scenario.services, "guess11", None, HERE, tries)
        assert lines == [("?", "sign_in_failed", "staff/0", {"address": HERE})]
        with pytest.raises(SignInBlocked):
            reserve_tries(scenario.services, "wang", account(scenario), HERE)

    def test_the_second_step_is_counted_apart_and_by_login_at_all_addresses(self, scenario: Scenario) -> None:
        member = account(scenario)
        for _ in range(2):
            self.fail(scenario, member)
        for number in range(11):
            self.fail(scenario, member, address=f"10.0.1.{number}", is_second_step=True)
        tries = reserve_tries(scenario.services, "wang", member, HERE, is_second_step=True)
        assert tries.lasts == (False, False, True)
        note_failure(scenario.services, "wang", member, HERE, tries)
        with pytest.raises(SignInBlocked):
            reserve_tries(scenario.services, "wang", member, "10.0.2.1", is_second_step=True)
        assert reserve_tries(scenario.services, "wang", member, HERE).lasts == (False, True, False)

    def test_the_window_begins_with_the_first_try(self, scenario: Scenario) -> None:
        member = account(scenario)
        for _ in range(2):
            reserve_tries(scenario.services, "wang", member, HERE)
        scenario.clock.set(MORNING + timedelta(minutes=15))
        assert reserve_tries(scenario.services, "wang", member, HERE).lasts == (False, True, False)
        scenario.clock.set(MORNING + timedelta(minutes=30))
        assert reserve_tries(scenario.services, "wang", member, HERE).lasts == (False, False, False)

    def test_a_change_of_the_account_begins_the_count_anew(self, scenario: Scenario) -> None:
        member = account(scenario)
        for _ in range(3):
            self.fail(scenario, member)
        changed = replace(member, revision=member.revision + 1)
        assert reserve_tries(scenario.services, "wang", changed, HERE).lasts == (False, False, False)

    def test_a_right_one_forgets_the_login_s_failures_and_not_the_address_s(self, scenario: Scenario) -> None:
        member = account(scenario)
        for number in range(10):
            self.fail(scenario, None, login=f"guess{number}")
        for _ in range(2):
            tries = reserve_tries(scenario.services, "wang", member, HERE)
            with scenario.tx() as tx:
                clear_failed_tries(tx, tries)
        assert reserve_tries(scenario.services, "wang", member, HERE).lasts == (False, False, False)
        assert reserve_tries(scenario.services, "wang", member, HERE).lasts == (True, False, False)

    def test_old_failures_do_not_fill_the_disk(self, scenario: Scenario) -> None:
        self.fail(scenario, None, login="old")
        scenario.clock.set(MORNING + timedelta(minutes=15) + INSTANT)
        self.fail(scenario, None, login="new", address="10.0.0.10")
        with scenario.tx() as tx:
            assert len(tx.rows(sa.select(t.sign_in_failure))) == 3


GOOD: dict[str, Any] = {
    "name": "bank",
    "scopes": ["signals:write", "cases:read"],
    "days": 30,
    "unit": "",
}
ADMIN = unrestricted("admin")


class TestTokens:
    def test_a_new_one_is_audited_and_found_by_its_secret_alone(self, scenario: Scenario) -> None:
        with audited(scenario) as lines:
            new = add_token(scenario.services, ADMIN, **GOOD | {"sources": [" b ", "a"]})
        assert lines == [
            (
                "admin",
                "token_add",
                f"api_token/{new.token.id}",
                {
                    "name": "bank",
                    "scopes": ["cases:read", "signals:write"],
                    "unit": "",
                    "days": 30,
                    "sources": ["a", "b"],
                },
            )
        ]
        assert new.secret not in repr(new)
        assert (new.secret[:7], len(new.secret)) == ("dialer_", 50)
        assert new.token.expires_at == MORNING + timedelta(days=30)
        assert TokenAuth(scenario.services).recognise(new.secret).name == "bank"
        assert [token.name for token in list_tokens(scenario.services)] == ["bank"]
        with pytest.raises(Conflict):
            add_token(scenario.services, ADMIN, **GOOD)
        with audited(scenario) as lines:
            assert revoke_token(scenario.services, unrestricted("chief"), "bank").name == "bank"
        assert lines == [("chief", "token_revoke", f"api_token/{new.token.id}", {"name": "bank"})]
        with pytest.raises(NotFound) as missing:
            revoke_token(scenario.services, unrestricted("chief"), "bank")
        assert (missing.value.kind, missing.value.key) == ("token", "bank")

    def test_who_asked_for_it_is_in_the_audit(self, scenario: Scenario) -> None:
        wanted = {"name": "bank", "scopes": frozenset({TokenScope.CASES_READ}), "days": 1, "unit": "临河"}
        confirms = Permission.CONFIRM_STAFF_CHANGES
        with audited(scenario) as lines, scenario.services.act(ADMIN, confirms) as act:
            make_token(act, scenario.services, **wanted, asked_by="sun")
        [(_, _, _, facts)] = lines
        assert facts == {
            "name": "bank", "scopes": ["cases:read"], "unit": "临河", "days": 1, "sources": [], "asked_by": "sun",
        }  # fmt: skip

    @pytest.mark.parametrize(
        "more",
        [
            {"days": 1},
            {"days": 1100},
            {"name": "A" + "b.-_9" * 12 + "xyz"},
            {"scopes": ["report:read"]},
            {"sources": ["x" * 200]},
            {"sources": [f"source {n}" for n in range(50)]},
        ],
    )
    def test_at_the_limit_it_is_made(self, scenario: Scenario, more: dict[str, Any]) -> None:
        assert add_token(scenario.services, ADMIN, **GOOD | more)

    @pytest.mark.parametrize(
        ("more", "field", "said"),
        [
            ({"days": 0}, "days", "is out of range (1 to 1100)"),
            ({"days": 1101}, "days", "is out of range (1 to 1100)"),
            ({"name": "A" * 65}, "name", "is not a name for a token"),
            ({"name": ".a"}, "name", "1 to 64 of letters, digits"),
            (
                {"scopes": []},
                "scope",
                "is missing (one or more of warnings:write, signals:write, cases:read,",
            ),
            ({"scopes": ["all"]}, "scope", "is not known (one or more of warnings:write"),
            ({"scopes": ["report:read"], "unit": "临河"}, "scope", "report:read shows the whole city"),
            (
                {"scopes": ["cases:read"], "sources": ["a"]},
                "source",
                "leave out the sources, or add warnings:write / signals:write",
            ),
            ({"sources": [" "]}, "source", "50 names at most, each of 1 to 200 characters"),
            ({"sources": ["x" * 201]}, "source", "is not a name of a source"),
            ({"sources": [f"source {n}" for n in range(51)]}, "source", "is not a name of a source"),
        ],
    )
    def test_beyond_it_is_refused_with_what_to_do(
        self, scenario: Scenario, more: dict[str, Any], field: str, said: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            add_token(scenario.services, ADMIN, **GOOD | more)
        assert refused.value.field == field
        assert said in str(refused.value)
        assert list_tokens(scenario.services) == []

    def test_one_is_remembered_for_three_seconds(self, scenario: Scenario) -> None:
        secret = add_token(scenario.services, ADMIN, **GOOD).secret
        door = TokenAuth(scenario.services)
        assert door.admit(secret, TokenScope.CASES_READ).name == "bank"
        with pytest.raises(ScopeMissing, match="the token has no scope report:read") as missing:
            door.admit(secret, TokenScope.REPORT_READ)
        assert missing.value.scope is TokenScope.REPORT_READ
        revoke_token(scenario.services, unrestricted("admin"), "bank")
        scenario.clock.set(MORNING + timedelta(seconds=3) - INSTANT)
        door.recognise(secret)
        scenario.clock.set(MORNING + timedelta(seconds=3))
        with pytest.raises(UnknownToken):
            door.recognise(secret)
        # Where the clock was set back, what was read later is read again.
        scenario.clock.set(MORNING - INSTANT)
        with pytest.raises(UnknownToken):
            door.recognise(secret)


class TestNames:
    def test_logins_have_the_names_of_their_accounts(self, scenario: Scenario) -> None:
        account(scenario)
        assert read_display_names(scenario.services, ["wang", "nobody"]) == {"wang": "王 强"}
        nowhere = replace(scenario.services, store=None)  # type: ignore[arg-type]  # nothing is read for nobody
        assert read_display_names(nowhere, []) == {}

    def test_a_reader_s_units_are_the_own_one_and_all_below_after_their_parents(
        self, scenario: Scenario
    ) -> None:
        with scenario.tx() as tx:
            city = add_unit(tx, name="市局", parent_id=None)
            county = add_unit(tx, name="临河", parent_id=city)
            other = add_unit(tx, name="五原", parent_id=city)
            station = add_unit(tx, name="新华所", parent_id=county)
        assert [unit.id for unit in list_units(scenario.services, visible_to=None)] == [
            city,
            county,
            station,
            other,
        ]
        assert [unit.id for unit in list_units(scenario.services, visible_to=county)] == [county, station]

    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            (" 80-01 ", "8001"),
            ("+86 478 8001", "+864788001"),
            ("234", "234"),
            ("1" * 15, "1" * 15),
            ("sip:wang.q+1_2@a-b.cn", "sip:wang.q+1_2@a-b.cn"),
            ("sip:" + "a" * 64 + "@" + "b" * 128, "sip:" + "a" * 64 + "@" + "b" * 128),
        ],
    )
    def test_the_telephone_of_a_desk_is_a_number_or_a_sip_address(
        self, scenario: Scenario, typed: str, stored: str
    ) -> None:
        services = replace(scenario.services, numbers=AllowedNumbers(extensions=(*INTERNAL, stored)))
        assert extension_of(services, typed) == stored

    @pytest.mark.parametrize("typed", ["110", "95588", "+19001234567", "+8613800138000", "sip:x@anyhost"])
    def test_the_telephone_of_a_desk_is_one_of_the_centre(self, scenario: Scenario, typed: str) -> None:
        with pytest.raises(Invalid, match="extension: is not a telephone of the centre"):
            extension_of(scenario.services, typed)
        member = account(scenario)
        with pytest.raises(Invalid, match="extension: is not a telephone of the centre"):
            choose_extension(scenario.services, member, typed)
        assert of(scenario, member).extension == ""

    @pytest.mark.parametrize(
        "typed",
        [
            "12",
            "1" * 16,
            "8001x",
            "++8001",
            "sip:wang",
            "sip:a b@c",
            "sip:" + "a" * 65 + "@b",
            "sip:a@" + "b" * 129,
        ],
    )
    def test_anything_else_is_no_telephone(self, scenario: Scenario, typed: str) -> None:
        with pytest.raises(
            Invalid, match=r"extension: is not a telephone \(digits, or sip:name@host\)"
        ) as refused:
            extension_of(scenario.services, typed)
        assert refused.value.field == "extension"

    def test_one_is_chosen_and_left_out_again(self, scenario: Scenario) -> None:
        member, other = account(scenario), account(scenario, "li", extension="9")
        with audited(scenario) as lines:
            assert choose_extension(scenario.services, member, " 80 01 ") == "8001"
            assert of(scenario, member).extension == "8001"
            assert choose_extension(scenario.services, member, "  ") == ""
        assert of(scenario, member).extension == ""
        assert of(scenario, other).extension == "9"
        assert lines == [
            ("wang", "extension", "staff/wang", {"extension": "8001"}),
            ("wang", "extension", "staff/wang", {"extension": ""}),
        ]
