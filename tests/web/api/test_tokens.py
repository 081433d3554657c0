"""Tokens: made once, recognised by their hash, refused when revoked or expired."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.errors import Conflict, Invalid, NotFound
from dialer.store import tables as t
from dialer.store.tokens import Scope
from dialer.usecases.engine import Engine
from dialer.usecases.tokens import (
    Door,
    NewToken,
    ScopeMissing,
    UnknownToken,
    add_token,
    list_tokens,
    revoke_token,
)
from tests.store.reads.town import MORNING, Town


@pytest.fixture
def town(fresh_database: str) -> Iterator[Town]:
    town = Town(fresh_database)
    yield town
    town.store.dispose()


@pytest.fixture
def engine(town: Town) -> Engine:
    return town.engine


def made(engine: Engine, name: str = "bank", *scopes: str, days: int = 30, unit: str = "") -> NewToken:
    return add_token(
        engine, name=name, scopes=scopes or ("warnings:write",), days=days, unit=unit, by="admin"
    )


def test_the_secret_is_kept_as_its_hash_alone(town: Town):
    new = made(town.engine)
    with town.tx() as tx:
        row = tx.one(sa.select(t.api_token))
    assert row is not None
    assert bytes(row["secret_hash"]) == hashlib.sha256(new.secret.encode()).digest()
    assert new.secret not in repr(row)
    assert new.secret not in repr(new)


def test_secrets_are_long_and_never_the_same(engine: Engine):
    secrets = {made(engine, f"bank-{n}").secret for n in range(20)}
    assert len(secrets) == 20
    assert all(len(secret) >= 43 for secret in secrets)


def test_a_good_token_is_let_in_for_its_scopes_alone(engine: Engine):
    secret = made(engine, "bank", "warnings:write", "cases:read").secret
    door = Door(engine)
    assert door.admit(secret, Scope.CASES_READ).name == "bank"
    with pytest.raises(ScopeMissing) as caught:
        door.admit(secret, Scope.REPORT_READ)
    assert caught.value.scope is Scope.REPORT_READ


@pytest.mark.parametrize(
    "secret", ["", "bank", "dialer_" + "A" * 43, "dialer_" + "é" * 43, "dialer_" + "A" * 44, "\x00"]
)
def test_any_other_secret_is_refused(engine: Engine, secret: str):
    made(engine)
    with pytest.raises(UnknownToken):
        Door(engine).recognise(secret)


def test_a_revoked_token_is_refused_at_once_elsewhere_and_in_seconds_where_it_was_just_used(town: Town):
    secret = made(town.engine).secret
    used, other = Door(town.engine), Door(town.engine)
    used.recognise(secret)
    revoke_token(town.engine, "bank", by="admin")
    with pytest.raises(UnknownToken):
        other.recognise(secret)
    town.clock.advance(3)
    with pytest.raises(UnknownToken):
        used.recognise(secret)


def test_a_remembered_token_needs_no_database(town: Town):
    secret = made(town.engine).secret
    door = Door(town.engine)
    door.recognise(secret)
    with town.tx() as tx:
        tx.execute(sa.delete(t.api_token))
    assert door.recognise(secret).name == "bank"


def test_a_token_ends_on_its_day_even_while_it_is_remembered(town: Town):
    secret = made(town.engine, days=1).secret
    door = Door(town.engine)
    town.clock.advance(timedelta(days=1).total_seconds() - 1)
    door.recognise(secret)
    town.clock.advance(1)
    with pytest.raises(UnknownToken):
        door.recognise(secret)


def test_the_day_of_the_last_use_is_kept(town: Town):
    secret = made(town.engine).secret
    assert list_tokens(town.engine)[0].last_used_on is None
    Door(town.engine).recognise(secret)
    assert list_tokens(town.engine)[0].last_used_on == MORNING.date()


def test_making_and_revoking_are_in_the_audit_without_the_secret(town: Town):
    secret = made(town.engine).secret
    revoke_token(town.engine, "bank", by="chief")
    with town.tx() as tx:
        lines = tx.rows(sa.select(t.audit).order_by(t.audit.c.id))
    assert [(line["act"], line["who"], line["facts"]["name"]) for line in lines] == [
        ("token_add", "admin", "bank"),
        ("token_revoke", "chief", "bank"),
    ]
    assert secret not in repr(lines)


def test_a_name_is_used_once_until_it_is_revoked(engine: Engine):
    made(engine)
    with pytest.raises(Conflict):
        made(engine)
    revoke_token(engine, "bank", by="admin")
    made(engine)
    assert [token.revoked_at is None for token in list_tokens(engine)] == [False, True]


def test_what_is_not_there_cannot_be_revoked(engine: Engine):
    with pytest.raises(NotFound):
        revoke_token(engine, "bank", by="admin")


@pytest.mark.parametrize(
    ("field", "name", "scopes", "days", "unit"),
    [
        ("name", "two words", ("cases:read",), 30, ""),
        ("name", "", ("cases:read",), 30, ""),
        ("scope", "bank", ("everything",), 30, ""),
        ("scope", "bank", (), 30, ""),
        ("scope", "bank", ("report:read",), 30, "临河分局"),
        ("days", "bank", ("cases:read",), 0, ""),
        ("days", "bank", ("cases:read",), 5000, ""),
    ],
)
def test_what_can_never_be_a_token_is_refused(
    engine: Engine, field: str, name: str, scopes: tuple[str, ...], days: int, unit: str
):
    with pytest.raises(Invalid) as caught:
        add_token(engine, name=name, scopes=scopes, days=days, unit=unit, by="admin")
    assert caught.value.field == field
