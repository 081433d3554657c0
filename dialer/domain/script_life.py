"""The life of a version of a call script, and of the making of its sound."""

from __future__ import annotations

from enum import StrEnum


class VersionState(StrEnum):
    """What a version of a script is now; its words never change."""

    DRAFT = "draft"
    """Nobody has approved it: it is never spoken."""
    APPROVED = "approved"
    """Spoken in new calls: the live one, or one that a trial compares with it."""
    RETIRED = "retired"
    """Was approved once; approving it again brings it back."""


class RenderState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """A prompt cannot be spoken, or came out unfit to be played; the line beside it says which and why."""

    @property
    def is_open(self) -> bool:
        return self in {RenderState.WAITING, RenderState.RUNNING}
