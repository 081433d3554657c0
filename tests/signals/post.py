"""A town to whose robot sources send signals."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from dialer.db import tables as t
from dialer.db.unit_of_work import Row
from dialer.signals.deliveries import SignalAnswer, SignalReception, take_signals
from dialer.signals.robot import WarningRobot
from dialer.signals.versions import seed_rules
from tests.control.scene import Scene

PERSON, OTHER = "+8613800138000", "+8613800138001"
MULE, SCAMMER = "6222020200001111", "+85291234567"


class Post(Scene):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.services = replace(self.services, derive_key=bytes(64), schema="")
        self._count = itertools.count(1)
        self._robots = itertools.count(1)
        with self.tx() as tx:
            seed_rules(tx, now=self.clock.now())

    def signal(self, kind: str, **fields: object) -> dict[str, Any]:
        """A raw record of now, as JSON has it."""
        number = f"S-{next(self._count)}"
        base = {"source": "bank", "signal_no": number, "kind": kind, "event_at": self.clock.now().isoformat()}
        if kind != "list_change":
            base["phone"] = PERSON
        return base | fields

    def payment(self, *, account: str = MULE, fen: int = 2_000_000, **fields: object) -> dict[str, Any]:
        return self.signal("payment_attempt", account=account, amount_fen=fen, **fields)

    def listed(self, **item: str) -> dict[str, Any]:
        return self.signal("list_change", list_kind="fraud", change="entered", **item)

    def send(self, *raw: Mapping[str, Any]) -> tuple[SignalAnswer, ...]:
        (answers,) = take_signals(self.services, [SignalReception(self.services).read(raw)])
        return answers

    def robot(self) -> WarningRobot:
        """A robot of a new process."""
        robot = WarningRobot(
            self.services, threading.Event(), holder=f"elsewhere pid 1 robot{next(self._robots)}"
        )
        robot.do_periodic_work()
        return robot

    def work(self, robot: WarningRobot) -> None:
        """Everything that was sent is evaluated."""
        while robot.evaluate_next():
            pass

    def kill(self) -> None:
        """Whatever process holds shards is gone, and its leases have ended."""
        with self.tx() as tx:
            tx.execute(sa.update(t.robot_shard).values(until=sa.func.clock_timestamp()))
            tx.execute(sa.delete(t.heartbeat))

    def rows(self, table: sa.Table) -> list[Row]:
        with self.tx() as tx:
            return tx.rows(sa.select(table).order_by(*table.primary_key.columns))
