"""How long a signed-in session holds, and how many failures lock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """In seconds of the machine."""

    idle_seconds: float = 1800.0
    """A session that is not used for so long has ended."""
    session_seconds: float = 43_200.0
    failures: int = 5
    """Failed sign-ins that lock a login."""
    lock_seconds: float = 900.0
