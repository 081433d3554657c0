"""The part of the settings that says how staff sign in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from dialer.domain.sessions import SessionRules


class ConsoleSettings(BaseModel):
    """Sign-in of staff, in seconds of the machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle_seconds: float = Field(default=1800.0, ge=60, le=86_400)
    """A session that is not used for so long has ended."""
    session_seconds: float = Field(default=43_200.0, ge=300, le=604_800)
    """And after so long in any case: a shift."""
    failures: int = Field(default=5, ge=2, le=100)
    """Failed sign-ins that lock a login; an address may fail four times as often."""
    lock_seconds: float = Field(default=900.0, ge=1, le=86_400)
    first_link_seconds: float = Field(default=86_400.0, ge=60, le=604_800)
    """How long the link of the first administrator is good."""
    patience_seconds: float = Field(default=0.12, ge=0.01, le=60)
    """A page waits so long for figures of many records; what takes longer is counted behind it."""

    def rules(self) -> SessionRules:
        return SessionRules(
            idle_seconds=self.idle_seconds,
            session_seconds=self.session_seconds,
            failures=self.failures,
            lock_seconds=self.lock_seconds,
        )
