"""Passwords of staff: argon2id by RFC 9106's second choice, and what a password must be."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dialer.errors import Invalid
from dialer.language import Text

LEAST = 10
_MOST = 200
_GROUPS, _GROUP = 3, 4
# Without 0, O, 1, l, I: it is read from a slip of paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# Each takes 64 MiB while it runs: two at a time, however many sign in at eight o'clock.
_turn = threading.BoundedSemaphore(2)
# Of nothing that anybody knows: an unknown login takes as long as a known one.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$dZ9oEkbSbyBHaDEhTvXK0BVz3cXZ0nhbKR2Rsk6Wpfk"


def check(password: str, *, login: str) -> None:
    """Raises `Invalid` for one that is too short, too long, one character over and over, or the login."""
    if len(password) < LEAST:
        raise Invalid(field="password", problem=Text("is shorter than %(least)s characters", least=LEAST))
    if len(password) > _MOST:
        raise Invalid(field="password", problem=Text("is longer than %(most)s characters", most=_MOST))
    if login and login in password.lower():
        raise Invalid(field="password", problem="contains the login")
    if len(set(password)) < _GROUP:
        raise Invalid(field="password", problem="repeats too few characters")


def hashed(password: str) -> str:
    with _turn:
        return _hasher.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; of None it never is, after the same time."""
    try:
        with _turn:
            _hasher.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """It was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def temporary() -> str:
    """One to be read aloud once and changed at the first sign-in; about 59 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
