"""Cases and units, put plainly into the database of a console, so that a test says what is there."""

from __future__ import annotations

from dialer.org.unit_store import add_unit
from tests.console.desk import ConsoleDesk
from tests.outcomes.town import Scenario


class ConsoleScenario(Scenario):
    """The rows of `Town`, sealed with the console's own keys."""

    def __init__(self, console: ConsoleDesk) -> None:
        self._use(console.app.services)
        self.clock = console.clock

    def unit(self, name: str, parent_id: int | None = None) -> int:
        with self.store.begin() as tx:
            return add_unit(tx, name=name, parent_id=parent_id)
