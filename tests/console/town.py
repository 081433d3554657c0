"""Cases and units, put plainly into the database of a console, so that a test says what is there."""

from __future__ import annotations

from datetime import timedelta

from dialer.db import tables as t
from dialer.db.units import add_unit
from tests.console.desk import ConsoleDesk
from tests.outcomes.town import MORNING, Scenario


class ConsoleScenario(Scenario):
    """The rows of `Town`, sealed with the console's own keys."""

    def __init__(self, console: ConsoleDesk) -> None:
        self._use(console.app.services)
        self.clock = console.clock

    def unit(self, name: str, parent_id: int | None = None) -> int:
        with self.store.begin() as tx:
            return add_unit(tx, name=name, parent_id=parent_id)


def stop_request(scenario: ConsoleScenario, case_id: int, payment: int, **columns: object) -> int:
    """A bank was asked for 5,000 yuan in the morning; its id."""
    with scenario.tx() as tx:
        place = {"table": "stop_request", "column": "sealed", "row": f"case/{case_id}"}
        sealed = tx.vault.seal_record({"account": "62220200001234", "receipt": "ZF 1"}, **place)
    given = {
        "bank": "工商银行",
        "amount_fen": 500_000,
        "asked_at": MORNING,
        "recorded_by": "asker",
        "recorded_at": MORNING,
        "follow_up_by": MORNING + timedelta(minutes=30),
        "state": "asked",
        "drill": False,
    }
    return scenario.put(
        t.stop_request, stop_payment_id=payment, case_id=case_id, sealed=sealed, **(given | columns)
    )
