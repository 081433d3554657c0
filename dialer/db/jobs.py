"""Work that exactly one process does, again after a fault, with growing gaps, and that is given up in the end.

A job is a row of its feature's own table: a list to load, a message to send, a shard of the robot. Three columns make
it one. `due`: from when on any process may take it. `token`: raised by each change of hands, so that whoever has lost
the job changes nothing more. `tries`: how often it was taken since it last went forward.

A process takes a job under a lease: `due` moves to the lease's end. If the process dies, the job is due again. A fault
that it survives makes the job due after a gap, which grows with each try. After the last try, however that one ended,
the feature gives the job up.

`due` and `real_now` are real time. What must not depend on the clock of a machine uses `DATABASE_CLOCK`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dialer.core.events import AlarmCode
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Row, Statements, Tx

DATABASE_CLOCK: Final = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
RealTime = datetime | sa.ColumnElement[datetime]
"""A moment of the real clock, or an SQL expression for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a job is tried, and the gaps between: `first`, then twice as long each time, at most `longest`."""

    most: int
    first: timedelta
    longest: timedelta

    def gap(self, tries: int) -> timedelta:
        """The wait after the try of this number, from 1."""
        # Twenty doublings of any gap are longer than every limit, and a large power would not fit.
        return min(self.first * (1 << min(max(tries, 1) - 1, 20)), self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClaim:
    """A job as one process has taken it. `tries` counts this one."""

    key: Any
    token: int
    tries: int


GiveUp = Callable[[Tx, Sequence[Any], datetime], None]
"""What a feature does with the jobs of these keys that are given up now (service time): it ends or postpones them.
Called once for each job that is given up.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTable:
    """The jobs of one kind: rows of the table of `due` that meet `waits`. The table has a primary key of one column and
    a column `token`.
    """

    kind: str
    waits: sa.ColumnElement[bool]
    """The row is still to be done."""
    due: sa.Column[Any]
    unset_is_due: bool = False
    """A row without a value in `due` is due; otherwise no process takes it."""
    tries: sa.Column[Any] | None = None
    """None: tries are not counted, and nothing is given up."""
    retries: Retries | None = None
    give_up: GiveUp | None = None
    alarm: AlarmCode | None = AlarmCode.WORK_GIVEN_UP
    """Raised when a job is given up, with the kind among its names; None: nobody needs to know."""

    @property
    def table(self) -> sa.Table:
        """The table of the jobs."""
        table = self.due.table
        assert isinstance(table, sa.Table)
        return table

    @property
    def key(self) -> sa.Column[Any]:
        """The primary key of the table."""
        [key] = self.table.primary_key.columns
        return key

    def is_free(self, real_now: RealTime) -> sa.ColumnElement[bool]:
        """A condition: the job may be taken now."""
        is_due: sa.ColumnElement[bool] = self.due <= real_now
        return sa.and_(self.waits, sa.or_(self.due.is_(None), is_due) if self.unset_is_due else is_due)

    def free_keys(self, tx: Statements, *, real_now: RealTime) -> list[Any]:
        """The keys of the jobs that may be taken now, in their order."""
        return list(
            tx.execute(sa.select(self.key).where(self.is_free(real_now)).order_by(self.key)).scalars()
        )

    def is_any_free(self, tx: Statements, *, real_now: RealTime) -> bool:
        """Whether a job may be taken now."""
        return tx.scalar(sa.select(self.key).where(self.is_free(real_now)).limit(1)) is not None

    def take(
        self,
        tx: Statements,
        *only_if: sa.ColumnElement[bool],
        real_now: RealTime,
        lease: timedelta,
        now: datetime | None = None,
        limit: int = 1,
        order: sa.ColumnElement[Any] | None = None,
        or_if: sa.ColumnElement[bool] | None = None,
        returning: Iterable[sa.ColumnElement[Any]] = (),
        **values: object,
    ) -> list[Row]:
        """Takes at most `limit` free jobs that meet `only_if`, by `order` or those that have been due for longest, and
        writes `values`; the lease begins at `real_now`. A job that meets `or_if` may be taken though it is held.
        Returns the rows with their keys, tokens and tries (`claim_of`), and the columns of `returning`; rows that
        another transaction has locked are passed over. A job whose last try is used up is given up at `now` (service
        time) instead.
        """
        free = self.is_free(real_now)
        if or_if is not None:
            free = sa.or_(free, sa.and_(self.waits, or_if))
        chosen = (
            sa.select(self.key)
            .where(free, *only_if)
            .order_by(self.due.asc().nulls_first() if order is None else order, self.key)
            .limit(limit)
            .with_for_update(of=self.table, skip_locked=True)
            .cte("chosen")
        )
        counted = {} if self.tries is None else {self.tries.name: self.tries + 1}
        columns = {column.key: column for column in (*self._claim_columns, *returning)}
        rows = tx.rows(
            sa.update(self.table)
            .where(self.key == chosen.c[self.key.name])
            .values({"token": self.table.c.token + 1, self.due.name: real_now + lease} | counted | values)
            .returning(*columns.values())
        )
        return self._without_used_up(tx, rows, now)

    @property
    def _claim_columns(self) -> tuple[sa.ColumnElement[Any], ...]:
        counted = () if self.tries is None else (self.tries,)
        return (self.key, self.table.c.token, *counted)

    def _without_used_up(self, tx: Statements, rows: Sequence[Row], now: datetime | None) -> list[Row]:
        used_up = [row[self.key.name] for row in rows if self._is_over(self.claim_of(row).tries - 1)]
        if used_up:
            self._give_up(tx, used_up, now)
        return [row for row in rows if row[self.key.name] not in used_up]

    def claim_of(self, row: Row) -> JobClaim:
        """The claim of a row that `take` returned."""
        tries = 0 if self.tries is None else row[self.tries.name]
        return JobClaim(key=row[self.key.name], token=row["token"], tries=tries)

    def renew(self, tx: Statements, claim: JobClaim, *, until: RealTime, **values: object) -> bool:
        """Extends the lease and writes `values`. False, and nothing is changed, if the job was taken over or has ended:
        nothing may then be written for it.
        """
        return self._change(tx, claim, {self.due.name: until} | values)

    def renew_all(
        self,
        tx: Statements,
        claims: Iterable[JobClaim],
        *only_if: sa.ColumnElement[bool],
        until: RealTime,
    ) -> set[Any]:
        """As `renew`, for many: returns the keys of those that are still held and meet `only_if`, locked until the
        transaction ends.
        """
        tokens = {claim.key: claim.token for claim in claims}
        if not tokens:
            return set()
        held = (
            sa.select(self.key)
            .where(self.waits, sa.tuple_(self.key, self.table.c.token).in_(sorted(tokens.items())), *only_if)
            .order_by(self.key)
            .with_for_update()
            .cte("held")
        )
        renewed = (
            sa.update(self.table).where(self.key == held.c[self.key.name]).values({self.due.name: until})
        )
        return set(tx.execute(renewed.returning(self.key)).scalars())

    def advance(self, tx: Statements, claim: JobClaim, *, until: RealTime, **values: object) -> bool:
        """As `renew`, for a job that went forward: the count of its tries begins again."""
        return self.renew(tx, claim, until=until, **self._uncounted, **values)

    def hand_back(self, tx: Statements, claim: JobClaim, *, due: RealTime | None, **values: object) -> bool:
        """Ends the claim without a fault: any process may take the job from `due` on. False as in `renew`."""
        return self._change(
            tx, claim, {"token": claim.token + 1, self.due.name: due} | self._uncounted | values
        )

    def finish(self, tx: Statements, claim: JobClaim, **values: object) -> bool:
        """Ends the claim, and with `values` the job. False as in `renew`."""
        return self._change(tx, claim, {"token": claim.token + 1} | values)

    def fail(
        self,
        tx: Statements,
        claim: JobClaim,
        *,
        now: datetime,
        real_now: datetime,
        at_least: timedelta = timedelta(),
        **values: object,
    ) -> bool:
        """Ends the claim after a fault, and writes `values`: the job is due after its gap, and `at_least` after
        `real_now`; after the last try it is given up at `now` (service time). False as in `renew`.
        """
        assert self.retries is not None
        due = real_now + max(self.retries.gap(claim.tries), at_least)
        if not self._change(tx, claim, {"token": claim.token + 1, self.due.name: due} | values):
            return False
        if self._is_over(claim.tries):
            self._give_up(tx, [claim.key], now)
        return True

    def start_again(
        self, tx: Statements, *only_if: sa.ColumnElement[bool], due: RealTime, **values: object
    ) -> int:
        """Makes the jobs that meet `only_if`, whatever their state, due at `due` with all their tries, and writes
        `values`, with which they wait; returns how many. Whoever holds one loses it.
        """
        again = {"token": self.table.c.token + 1, self.due.name: due} | self._uncounted | values
        return tx.execute(sa.update(self.table).where(*only_if).values(again)).rowcount

    def is_any_overdue(self, tx: Statements, *, since: datetime) -> bool:
        """Whether a job has been due since this moment, and no process has taken it."""
        return tx.scalar(sa.select(self.key).where(self.waits, self.due <= since).limit(1)) is not None

    @property
    def _uncounted(self) -> dict[str, object]:
        return {} if self.tries is None else {self.tries.name: 0}

    def _is_over(self, tries: int) -> bool:
        return self.retries is not None and tries >= self.retries.most

    def _give_up(self, tx: Statements, keys: Sequence[Any], now: datetime | None) -> None:
        assert self.give_up is not None
        assert now is not None
        assert isinstance(tx, Tx)
        self.give_up(tx, keys, now)
        if self.alarm is not None:
            raise_alarm_once(tx, self.alarm, now=now, names=[self.kind])

    def _change(self, tx: Statements, claim: JobClaim, values: dict[str, object]) -> bool:
        is_held = (self.key == claim.key, self.table.c.token == claim.token, self.waits)
        return bool(tx.execute(sa.update(self.table).where(*is_held).values(values)).rowcount)
