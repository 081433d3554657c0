"""Cases and units, put plainly into the database of a console, so that a test says what is there."""

from __future__ import annotations

from dialer.store import units
from tests.console.desk import ConsoleDesk
from tests.store.reads.town import Town


class ConsoleTown(Town):
    """The rows of `Town`, sealed with the console's own keys."""

    def __init__(self, console: ConsoleDesk) -> None:
        super().__init__(console.app.engine.store.url)
        self.store.dispose()
        self.store = console.app.engine.store
        self.engine = console.app.engine
        self.clock = console.clock

    def unit(self, name: str, parent_id: int | None = None) -> int:
        with self.store.begin() as tx:
            return units.add(tx, name=name, parent_id=parent_id)
