"""What must be told when this web process begins to stop: answers that would otherwise never end."""

from __future__ import annotations

from collections.abc import Callable


class Closing:
    """Whoever keeps connections open joins here, and lets go of them when it is told."""

    def __init__(self) -> None:
        self._told: list[Callable[[], None]] = []
        self.begun = False

    def join(self, stop: Callable[[], None]) -> None:
        """`stop` is called once, in the thread of the server's loop."""
        self._told.append(stop)

    def begin(self) -> None:
        self.begun = True
        for stop in self._told:
            stop()
