"""Sources: who sends warnings and signals. The service has sources of its own, whose names nobody outside may use:
otherwise a sender could take the numbers under which it will enter its own warnings, and nobody would be called.
"""

from __future__ import annotations

import unicodedata
from typing import Final

ROBOT_SOURCE: Final = "预警机器人"
"""The source of the robot's own warnings and changes of lists."""
COUNTER_SOURCE: Final = "两卡核查"
"""The source of warnings about customers at a counter (two-card control)."""
DRILL_SOURCE: Final = "/phone"
"""The source of the warning that somebody enters about themselves in a drill."""


def _folded(name: str) -> str:
    """The name as the eye reads it: without spaces and invisible characters, full-width letters as narrow ones."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign)[0] != "C")


_INTERNAL: Final = frozenset(map(_folded, (ROBOT_SOURCE, COUNTER_SOURCE, DRILL_SOURCE)))


def is_internal_source(name: str) -> bool:
    """Whether this is, or looks like, a source of the service itself."""
    return _folded(name) in _INTERNAL
