"""One act of an actor while its transaction is open. `Services.act` opens it: the one way for people to change rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from dialer.core.access import Actor
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx


class UnrecordedAct(RuntimeError):
    """An act changed rows and would leave no trace of who did it."""

    def __init__(self, actor: Actor) -> None:
        super().__init__(f"an act of {actor.name} is neither in the audit nor in a timeline")


class OpenAct:
    """`tx` is the act's only transaction. Before it is committed the act is in the audit or in the timeline of a case;
    otherwise it is rolled back.
    """

    def __init__(self, tx: Tx, actor: Actor, clock: Callable[[], datetime]) -> None:
        self.tx = tx
        if actor.terminal:
            tx.at_terminals.add(actor.terminal)
        self.actor = actor
        self._clock = clock
        self._now: datetime | None = None
        self._needs_no_record = False

    @property
    def now(self) -> datetime:
        """The time of the act on the service clock, taken when it is first asked for: after the locks."""
        if self._now is None:
            self._now = self._clock()
        return self._now

    @property
    def by(self) -> str:
        """The name that signs rows."""
        return self.actor.name

    def audit(
        self, act: str, subject: str, *, why: str = "", facts: Mapping[str, object] | None = None
    ) -> None:
        """Adds a line to the audit, which is written just before the commit; `subject` names a row, such as case/7.
        Only `why` may contain personal data.
        """
        if self.actor.terminal:
            facts = {**(facts or {}), "terminal": self.actor.terminal}
        if self.actor.named:
            facts = {**(facts or {}), "named": self.actor.named}
        write_audit(self.tx, who=self.by, act=act, subject=subject, why=why, now=self.now, facts=facts)

    def needs_no_record(self) -> None:
        """Declares that there is nothing to record: all is as wanted already, or only a lease was renewed."""
        self._needs_no_record = True

    def check_recorded(self) -> None:
        """Raises `UnrecordedAct` for an act that would leave no trace."""
        if not (self.tx.acts_recorded or self._needs_no_record):
            raise UnrecordedAct(self.actor)
