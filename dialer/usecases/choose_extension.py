"""The telephone on a caller's own desk, which click-to-call rings first."""

from __future__ import annotations

import re
from typing import Final

from dialer.errors import Invalid
from dialer.store import audits, staff
from dialer.store.staff import Member
from dialer.usecases.engine import Engine

_EXTENSION: Final = re.compile(r"\+?[0-9]{3,15}|sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,128}")


def choose_extension(engine: Engine, member: Member, typed: str) -> str:
    """As it is kept; nothing typed takes it away. In the audit. Raises `Invalid`."""
    chosen = extension_of(typed) if typed.strip() else ""
    with engine.store.begin() as tx:
        staff.set_extension(tx, member.id, chosen)
        audits.write(
            tx,
            who=member.login,
            act="extension",
            subject=f"staff/{member.login}",
            why="",
            now=engine.clock.now(),
            facts={"extension": chosen},
        )
    return chosen


def extension_of(typed: str) -> str:
    """A telephone that a caller may sit at, as the carrier wants it. Raises `Invalid`."""
    own = typed.strip()
    if not own.startswith("sip:"):
        own = re.sub(r"[\s-]", "", own)
    if not _EXTENSION.fullmatch(own):
        raise Invalid(field="extension", problem="is no telephone", mend="digits, or sip:name@host")
    return own
