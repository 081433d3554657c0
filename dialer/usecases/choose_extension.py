"""The telephone on a caller's own desk, which click-to-call rings first."""

from __future__ import annotations

from dialer.store import audits, staff
from dialer.store.staff import Member
from dialer.usecases.dial_from_desk import extension_of
from dialer.usecases.engine import Engine


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
