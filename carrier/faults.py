"""Faults that can be switched on while the carrier runs. Each draws from a random sequence of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from random import Random
from typing import Any


class InjectedFault(StrEnum):
    """The faults that can be injected, grouped by when they strike."""

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
    # While the call is live.
    TWIML_SKIP = "twiml_skip"
    ANSWER_ON_CANCEL = "answer_on_cancel"


class BadFault(ValueError):
    """An invalid fault rule; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A fault strikes with `probability`, at most `count` times (None: no limit), and only for values in `only` if any.

    `seconds` is real time: the delay of a webhook, the wait before an accepted request is cut off, or the value of
    Retry-After (None: no header). `code` is Twilio's error code for a rejected number.
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
        if self.seconds is not None and not 0 <= self.seconds <= 3600:  # noqa: PLR2004 - stated in the message
            raise BadFault("seconds: from 0 to 3600")


class Faults:
    """The rules now in force. Without any, `strikes` only checks an empty dictionary."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._rules: dict[InjectedFault, FaultRule] = {}
        self._draws: dict[InjectedFault, Random] = {}
        self._struck: Counter[InjectedFault] = Counter()

    def set(self, fault: InjectedFault, rule: FaultRule | None) -> None:
        """Sets the rule of a fault; None switches the fault off. Its sequence of draws starts anew."""
        self._rules.pop(fault, None)
        self._draws[fault] = Random(f"{self._seed}:{fault.value}")  # noqa: S311 - a schedule, not a secret
        if rule is not None and rule.count != 0 and rule.probability > 0:
            self._rules[fault] = rule

    def clear(self) -> None:
        """Removes every rule; the counts of the faults that struck remain."""
        self._rules.clear()

    def strikes(self, fault: InjectedFault, about: str = "") -> FaultRule | None:
        """The rule if the fault strikes now, which uses up one of its `count`; else None."""
        if not self._rules:
            return None
        rule = self._rules.get(fault)
        if rule is None or (rule.only and about not in rule.only):
            return None
        if rule.probability < 1 and self._draws[fault].random() >= rule.probability:
            return None
        self._struck[fault] += 1
        if rule.count == 1:
            del self._rules[fault]
        elif rule.count is not None:
            self._rules[fault] = replace(rule, count=rule.count - 1)
        return rule

    def as_json(self) -> dict[str, Any]:
        """The rules in force, and how often each fault has struck."""
        return {
            "set": {fault.value: asdict(rule) for fault, rule in self._rules.items()},
            "struck": {fault.value: n for fault, n in self._struck.items()},
        }


def read_faults(data: dict[str, Any]) -> dict[InjectedFault, FaultRule | None]:
    """Reads `{"webhook_drop": {"probability": 0.1}, "twiml_skip": null}`; raises `BadFault`."""
    rules: dict[InjectedFault, FaultRule | None] = {}
    for name, values in data.items():
        if name not in list(InjectedFault):
            raise BadFault(f"{name}: no such fault")
        if not isinstance(values, dict | None):
            raise BadFault(f"{name}: an object or null")
        try:
            rule = None if values is None else FaultRule(**{**values, "only": tuple(values.get("only", ()))})
        except TypeError as error:
            raise BadFault(f"{name}: unknown or invalid field") from error
        rules[InjectedFault(name)] = rule
    return rules
