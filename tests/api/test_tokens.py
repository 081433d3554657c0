"""Tokens: made once, recognised by their hash, refused when revoked or expired."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.db import tables as t
from dialer.runtime.services import Services
from dialer.staff.sign_in import (
    NewToken,
    ScopeMissing,
    TokenAuth,
    UnknownToken,
    add_token,
    list_tokens,
    revoke_token,
)
from dialer.staff.token_store import TokenScope
from tests.outcomes.town import MORNING, Scenario


@pytest.fixture
def services(scenario: Scenario) -> Services:
    return scenario.services


def made(services: Services, name: str = "bank", *scopes: str, days: int = 30, unit: str = "") -> NewToken:
    return add_token(
        services, unrestricted("admin"), name=name, scopes=scopes or ("warnings:write",), days=days, unit=unit
    )


def test_the_secret_is_kept_as_its_hash_alone(scenario: Scenario):
    new = made(scenario.services)
    with scenario.tx() as tx:
        row = tx.one(sa.select(t.api_token))
    assert row is not None
    assert bytes(row["secret_hash"]) == hashlib.sha256(new.secret.encode()).digest()
    assert new.secret not in repr(row)
    assert new.secret not in repr(new)


def test_secrets_are_long_and_never_the_same(services: Services):
    secrets = {made(services, f"bank-{n}").secret for n in range(20)}
    assert len(secrets) == 20
    assert all(len(secret) >= 43 for secret in secrets)


def test_a_good_token_is_let_in_for_its_scopes_alone(services: Services):
    secret = made(services, "bank", "warnings:write", "cases:read").secret
    door = TokenAuth(services)
    assert door.admit(secret, TokenScope.CASES_READ).name == "bank"
    with pytest.raises(ScopeMissing) as caught:
        door.admit(secret, TokenScope.REPORT_READ)
    assert caught.value.scope is TokenScope.REPORT_READ


@pytest.mark.parametrize(
    "secret", ["", "bank", "dialer_" + "A" * 43, "dialer_" + "é" * 43, "dialer_" + "A" * 44, "\x00"]
)
def test_any_other_secret_is_refused(services: Services, secret: str):
    made(services)
    with pytest.raises(UnknownToken):
        TokenAuth(services).recognise(secret)


def test_a_revoked_token_is_refused_at_once_elsewhere_and_in_seconds_where_it_was_just_used(
    scenario: Scenario,
):
    secret = made(scenario.services).secret
    used, other = TokenAuth(scenario.services), TokenAuth(scenario.services)
    used.recognise(secret)
    revoke_token(scenario.services, unrestricted("admin"), "bank")
    with pytest.raises(UnknownToken):
        other.recognise(secret)
    scenario.clock.advance(3)
    with pytest.raises(UnknownToken):
        used.recognise(secret)


def test_a_remembered_token_needs_no_database(scenario: Scenario):
    secret = made(scenario.services).secret
    door = TokenAuth(scenario.services)
    door.recognise(secret)
    with scenario.tx() as tx:
        tx.execute(sa.delete(t.api_token))
    assert door.recognise(secret).name == "bank"


def test_a_token_ends_on_its_day_even_while_it_is_remembered(scenario: Scenario):
    secret = made(scenario.services, days=1).secret
    door = TokenAuth(scenario.services)
    scenario.clock.advance(timedelta(days=1).total_seconds() - 1)
    door.recognise(secret)
    scenario.clock.advance(1)
    with pytest.raises(UnknownToken):
        door.recognise(secret)


def test_the_day_of_the_last_use_is_kept(scenario: Scenario):
    secret = made(scenario.services).secret
    assert list_tokens(scenario.services)[0].last_used_on is None
    TokenAuth(scenario.services).recognise(secret)
    assert list_tokens(scenario.services)[0].last_used_on == MORNING.date()
    # 00:30 at the centre is still the day before in UTC.
    scenario.clock.advance(timedelta(hours=14, minutes=30).total_seconds())
    TokenAuth(scenario.services).recognise(secret)
    assert list_tokens(scenario.services)[0].last_used_on == MORNING.date() + timedelta(days=1)


def test_making_and_revoking_are_in_the_audit_without_the_secret(scenario: Scenario):
    secret = made(scenario.services).secret
    revoke_token(scenario.services, unrestricted("chief"), "bank")
    with scenario.tx() as tx:
        lines = tx.rows(sa.select(t.audit).order_by(t.audit.c.id))
    assert [(line["act"], line["who"], line["facts"]["name"]) for line in lines] == [
        ("token_add", "admin", "bank"),
        ("token_revoke", "chief", "bank"),
    ]
    assert secret not in repr(lines)


def test_a_name_is_used_once_until_it_is_revoked(services: Services):
    made(services)
    with pytest.raises(Conflict):
        made(services)
    revoke_token(services, unrestricted("admin"), "bank")
    made(services)
    assert [token.revoked_at is None for token in list_tokens(services)] == [False, True]


def test_what_is_not_there_cannot_be_revoked(services: Services):
    with pytest.raises(NotFound):
        revoke_token(services, unrestricted("admin"), "bank")


def test_what_can_never_be_a_token_is_refused(services: Services):
    for field, name, scopes, days, unit in (
        ("name", "two words", ("cases:read",), 30, ""),
        ("name", "", ("cases:read",), 30, ""),
        ("scope", "bank", ("everything",), 30, ""),
        ("scope", "bank", (), 30, ""),
        ("scope", "bank", ("report:read",), 30, "临河分局"),
        ("days", "bank", ("cases:read",), 0, ""),
        ("days", "bank", ("cases:read",), 5000, ""),
    ):
        with pytest.raises(Invalid) as caught:
            add_token(services, unrestricted("admin"), name=name, scopes=scopes, days=days, unit=unit)
        assert caught.value.field == field
