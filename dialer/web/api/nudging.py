"""Telling the workers that there is work, without making any sender wait for the broker."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Nudging:
    """One nudge at a time, in the background. Those that are wanted meanwhile become one more."""

    def __init__(self, nudge: Callable[[], None]) -> None:
        self._nudge = nudge
        self._lock = threading.Lock()
        self._running = False
        self._again = False

    def __call__(self) -> None:
        with self._lock:
            if self._running:
                self._again = True
                return
            self._running = True
        threading.Thread(target=self._run, name="api-nudge", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._nudge()
            finally:
                with self._lock:
                    goes_on, self._again = self._again, False
                    self._running = goes_on
            if not goes_on:
                return
