"""Faults that can be switched on while the carrier runs. The same seed gives the same schedule of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random
from typing import Any


class Fault(StrEnum):
    """What can go wrong, by the moment it strikes."""

    # When a call is created over REST (`only` filters by the To number).
    REFUSE_CONNECTION = "refuse_connection"
    TOO_MANY = "too_many"
    REJECT_NUMBER = "reject_number"
    ERROR_BEFORE = "error_before"
    ACCEPT_THEN_TIMEOUT = "accept_then_timeout"
    ACCEPT_THEN_ERROR = "accept_then_error"
    # When a message is created over REST (`only` filters by the To number).
    MESSAGE_TOO_MANY = "message_too_many"
    MESSAGE_ERROR_BEFORE = "message_error_before"
    MESSAGE_ACCEPT_THEN_CUT = "message_accept_then_cut"
    # Any other REST request (list, fetch, update).
    REST_ERROR = "rest_error"
    REST_REFUSE = "rest_refuse"
    # When a status webhook is sent (`only` filters by event: initiated, ringing, answered, completed, amd).
    WEBHOOK_DELAY = "webhook_delay"
    WEBHOOK_DROP = "webhook_drop"
    WEBHOOK_DOUBLE = "webhook_double"
    WEBHOOK_REORDER = "webhook_reorder"
    LAST_WEBHOOK_DROP = "last_webhook_drop"
    # While the call lives.
    TWIML_SKIP = "twiml_skip"
    ANSWER_ON_CANCEL = "answer_on_cancel"


class BadFault(ValueError):
    """A fault that cannot be set so; the line says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """How often a fault strikes: with `probability`, and at most `count` times when that is given.

    `seconds` is real time: how long a webhook is late, how long an accepted request hangs before it is cut
    off, or what Retry-After says (none without it). `code` is Twilio's error code for a rejected number.
    """

    probability: float = 1.0
    count: int | None = None
    seconds: float | None = None
    code: int = 21211
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise BadFault("probability: from 0 to 1")
        if self.count is not None and self.count < 0:
            raise BadFault("count: not below 0")
        if self.seconds is not None and not 0 <= self.seconds <= 3600:  # noqa: PLR2004 - an hour is a bound
            raise BadFault("seconds: from 0 to 3600")


class Faults:
    """The knobs now set. With none set, asking costs one look into an empty dictionary."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._knobs: dict[Fault, Knob] = {}
        self._draws: dict[Fault, Random] = {}
        self._struck: dict[Fault, int] = {}

    def set(self, fault: Fault, knob: Knob | None) -> None:
        """The fault strikes as `knob` says from now on; None switches it off. Its schedule starts anew."""
        self._knobs.pop(fault, None)
        self._draws[fault] = Random(f"{self._seed}:{fault.value}")  # noqa: S311 - a schedule, not a secret
        if knob is not None and knob.count != 0 and knob.probability > 0:
            self._knobs[fault] = knob

    def clear(self) -> None:
        """No fault strikes any more; the counts of those that struck remain."""
        self._knobs.clear()

    def strikes(self, fault: Fault, about: str = "") -> Knob | None:
        """The knob if the fault strikes now; this use of it is then spent."""
        if not self._knobs:
            return None
        knob = self._knobs.get(fault)
        if knob is None or (knob.only and about not in knob.only):
            return None
        if knob.probability < 1 and self._draws[fault].random() >= knob.probability:
            return None
        self._struck[fault] = self._struck.get(fault, 0) + 1
        if knob.count is not None:
            left = knob.count - 1
            if left == 0:
                del self._knobs[fault]
            else:
                self._knobs[fault] = Knob(**{**asdict(knob), "count": left})
        return knob

    def as_json(self) -> dict[str, Any]:
        """What is set and how often each has struck."""
        return {
            "set": {fault.value: asdict(knob) for fault, knob in self._knobs.items()},
            "struck": {fault.value: n for fault, n in self._struck.items()},
        }


def read_faults(data: dict[str, Any]) -> dict[Fault, Knob | None]:
    """Reads `{"webhook_drop": {"probability": 0.1}, "twiml_skip": null}`; what cannot be is `BadFault`."""
    faults: dict[Fault, Knob | None] = {}
    for name, values in data.items():
        try:
            fault = Fault(name)
        except ValueError as error:
            raise BadFault(f"{name}: no such fault") from error
        if values is None:
            faults[fault] = None
            continue
        if not isinstance(values, dict):
            raise BadFault(f"{name}: an object or null")
        try:
            faults[fault] = Knob(**{**values, "only": tuple(values.get("only", ()))})
        except TypeError as error:
            raise BadFault(f"{name}: unknown or unfit field") from error
    return faults
