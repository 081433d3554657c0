"""Browsers that an account has signed in with before: a signed cookie says so, and nothing about it is stored here.

Guesses at a login from all other places together are limited; whoever holds such a cookie is not counted among them, so
that nobody can lock an account out by guessing at it.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from dialer.runtime.services import Services
from dialer.staff.store import Member

_MOST_ACCOUNTS: Final = 4
"""Accounts that one browser is remembered for; a further one takes the place of the oldest."""
_MAC_DIGITS: Final = 32
_LONGEST: Final = 1_000


def known_device(services: Services, cookie: str, member: Member) -> str:
    """The number of this browser if this account has signed in with it since its last change by an administrator; else
    ''.
    """
    for entry in _entries(cookie):
        staff_id, _, rest = entry.partition(".")
        number, _, mac = rest.partition(".")
        if staff_id == str(member.id) and hmac.compare_digest(
            mac.encode(), _mac(services, member, number).encode()
        ):
            return number
    return ""


def remember_device(services: Services, cookie: str, member: Member) -> str:
    """The cookie of a browser that this account has signed in with now, with what it says of other accounts."""
    others = [entry for entry in _entries(cookie) if not entry.startswith(f"{member.id}.")]
    number = known_device(services, cookie, member) or secrets.token_hex(8)
    entry = f"{member.id}.{number}.{_mac(services, member, number)}"
    return "_".join([entry, *others[: _MOST_ACCOUNTS - 1]])


def _entries(cookie: str) -> list[str]:
    return cookie.split("_") if len(cookie) <= _LONGEST else []


def _mac(services: Services, member: Member, number: str) -> str:
    key = services.store.vault.derived(b"device")
    message = f"{member.id}\0{member.revision}\0{number}".encode()
    return hmac.new(key, message, "sha256").hexdigest()[:_MAC_DIGITS]
