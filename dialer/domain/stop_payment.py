"""A task beside the tracks: money has left, and the bank is to stop it 止付. It outlives the case's end."""

from __future__ import annotations

from enum import StrEnum


class StopResult(StrEnum):
    """What came of it. The money itself is recorded with evidence in the ledger, never here."""

    ASKED = "asked"
    """The bank has been asked."""
    TOO_LATE = "too_late"
    """There was nothing left to stop."""
    NOT_NEEDED = "not_needed"
    """Nothing had been paid after all."""


class PaidWhen(StrEnum):
    """What the person typed at the script's question, by its key."""

    JUST_NOW = "1"
    HOURS_AGO = "2"
    BEFORE_TODAY = "3"
