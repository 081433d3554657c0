"""Words of the inspection of calls: what became of the transcript of a recording, and who spoke. Pure."""

from __future__ import annotations

from enum import StrEnum


class TranscriptState(StrEnum):
    """What became of the transcript of one recording."""

    WAITING = "waiting"
    """Not yet read, or not to its end."""
    READ = "read"
    NOT_INSPECTED = "not_inspected"
    """It cannot be read, as `NotInspected` says; it counts in every denominator."""
    DELETED = "deleted"
    """The words were deleted with the sound."""


class NotInspected(StrEnum):
    """Why a recording cannot be inspected."""

    DAMAGED = "damaged"
    """The file is no sound that can be read."""
    ONE_CHANNEL = "one_channel"
    """Who spoke cannot be told: the sound has one channel, or our side is silent."""
    NO_SPEECH = "no_speech"
    """Nobody speaks in it."""
    TOO_LONG = "too_long"
    OTHER_LANGUAGE = "other_language"
    """Most of what one side says is neither Chinese nor English."""
    UNSURE = "unsure"
    """The words are too unsure: noise, a bad line, a dialect."""
    FAILED = "failed"
    """Reading it failed as often as it is tried."""


class Side(StrEnum):
    """Who spoke."""

    OURS = "ours"
    """The robot, or a member of staff."""
    PERSON = "person"


class Outcome(StrEnum):
    """What a rule says of one call."""

    PASSED = "passed"
    FAILED = "failed"
    ABSTAINED = "abstained"
    """The words are too unsure to judge; what may be a mistake is to be listened to."""
