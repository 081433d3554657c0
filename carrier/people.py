"""The people of the simulated line: behaviours as data, and a mix close to what practice reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Pickup(StrEnum):
    """The reaction of the called phone. It rings for the first four only."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    RINGS_THEN_FAILS = "rings_then_fails"
    BUSY = "busy"
    POWERED_OFF = "powered_off"
    INVALID = "invalid"
    REFUSED_AT_CREATION = "refused_at_creation"
    BLOCKED = "blocked"


class AnsweredBy(StrEnum):
    """Twilio's AnsweredBy: the result of machine detection."""

    HUMAN = "human"
    MACHINE_START = "machine_start"
    MACHINE_END_BEEP = "machine_end_beep"
    MACHINE_END_SILENCE = "machine_end_silence"
    MACHINE_END_OTHER = "machine_end_other"
    FAX = "fax"
    UNKNOWN = "unknown"


Range = tuple[float, float]
_RANGES = (
    "ring_after_seconds",
    "answer_after_seconds",
    "key_after_seconds",
    "hang_up_after_seconds",
    "rings_back_after_seconds",
)


class BadBehaviour(ValueError):
    """An impossible behaviour; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One kind of person and phone. Seconds are service seconds; ranges are (least, most).

    `keys[n]` are the keys pressed at the n-th question (Gather) of a call, repeated questions included; an empty string
    means silence, and so does a question beyond the end. In the shipped scripts 1 means "I am the person", then "yes"
    and "I understand", 2 no, 3 "already paid", 0 asks for an officer, 9 repeats. `says[n]` are words spoken at the n-th
    question where no key is pressed. `later_keys`, where there are any, replace both in calls after one in which all
    `keys` were pressed: what the person answers when called again, such as in a follow-up.
    """

    name: str
    share: float = 0.0
    pickup: Pickup = Pickup.ANSWERED
    keys: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    later_keys: tuple[str, ...] = ()
    ring_after_seconds: Range = (1.0, 3.0)
    answer_after_seconds: Range = (3.0, 15.0)
    key_after_seconds: Range = (0.5, 4.5)
    """Counted from when the network begins to listen, which is after the part of a prompt that cannot be
    interrupted.
    """
    hang_up_after_seconds: Range | None = None
    rings_back_after_seconds: Range | None = None
    """After a call that this person answered or missed, they call us; None: they do not."""
    rings_back_keys: tuple[str, ...] = ()
    """Their keys in that call, as `keys`."""
    hides_number: bool = False
    """Whether they hide their number in that call."""
    waits_seconds: float = 300.0
    """How long they wait in that call before they hang up."""
    answers_from_call: int = 1
    answered_by: AnsweredBy = AnsweredBy.HUMAN
    verdict_after_seconds: float = 2.5
    greeting_seconds: float = 6.0
    line_result: str = ""
    refusal_code: int = 21211

    def __post_init__(self) -> None:
        if not self.name:
            raise BadBehaviour("name: must not be empty")
        if self.share < 0:
            raise BadBehaviour("share: must not be negative")
        if self.answers_from_call < 1:
            raise BadBehaviour("answers_from_call: counts from 1")
        for key in (*self.keys, *self.later_keys, *self.rings_back_keys):
            if set(key) - set("0123456789*#"):
                raise BadBehaviour("keys: only 0-9, * and #")
        for name in _RANGES:
            span = getattr(self, name)
            if span is not None and not 0 <= span[0] <= span[1]:
                raise BadBehaviour(f"{name}: needs 0 <= least <= most")


def behaviour_from(data: dict[str, Any]) -> Behaviour:
    """The behaviour in plain JSON or TOML data. Raises `BadBehaviour` for an unknown or impossible field."""
    known = {field.name for field in dataclasses.fields(Behaviour)}
    for name in sorted(data.keys() - known):
        raise BadBehaviour(f"{name}: no such field")
    values = dict(data)
    try:
        for name, value in data.items():
            if name in _RANGES and value is not None:
                least, most = value
                values[name] = (float(least), float(most))
            elif name in _READERS:
                values[name] = _READERS[name](value)
        return Behaviour(**values)
    except BadBehaviour:
        raise
    except (TypeError, ValueError) as error:
        raise BadBehaviour(str(error)) from error


def _texts(value: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, value))


_READERS: Mapping[str, Callable[[Any], object]] = {
    "keys": _texts,
    "later_keys": _texts,
    "rings_back_keys": _texts,
    "hides_number": bool,
    "waits_seconds": float,
    "says": _texts,
    "pickup": Pickup,
    "answered_by": AnsweredBy,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleConfig:
    """The mix. Shares are relative weights; at least one must be above zero."""

    behaviours: tuple[Behaviour, ...]

    def __post_init__(self) -> None:
        if sum(behaviour.share for behaviour in self.behaviours) <= 0:
            raise BadBehaviour("behaviours: at least one share above zero")


_ALL_IS_WELL = ("1", "2", "1")
_PAID_SINCE = ("1", "3")


_LATE: Range = (18.0, 24.0)
_PRACTICE = (
    Behaviour(name="cooperates", share=27, keys=("1", "1", "1"), later_keys=_ALL_IS_WELL),
    Behaviour(
        name="speaks",
        share=3,
        says=("是我", "", "有的", "明白了"),
        keys=("", "1", "", "", "1"),
        later_keys=_ALL_IS_WELL,
    ),
    Behaviour(name="cooperates_no_scene", share=6, keys=_ALL_IS_WELL),
    Behaviour(name="acknowledges_late", share=5, keys=("", "1", "1", "", "1"), later_keys=_PAID_SINCE),
    Behaviour(name="does_not_believe", share=3, keys=("1", "1", "2")),
    Behaviour(name="asks_for_person", share=3, keys=("1", "0")),
    Behaviour(name="already_paid", share=2, keys=("1", "3")),
    Behaviour(name="not_the_person", share=3, keys=("2",)),
    Behaviour(name="wrong_keys", share=2, keys=("5", "7", "8", "6", "5")),
    Behaviour(name="says_nothing", share=2, hang_up_after_seconds=(30.0, 60.0)),
    Behaviour(
        name="hangs_up_early",
        share=6,
        hang_up_after_seconds=(1.0, 4.0),
        rings_back_after_seconds=(30.0, 240.0),
    ),
    Behaviour(
        name="voicemail",
        share=4,
        answer_after_seconds=_LATE,
        answered_by=AnsweredBy.MACHINE_START,
        verdict_after_seconds=4.0,
        line_result="voicemail",
    ),
    Behaviour(
        name="forwarded",
        share=2.5,
        keys=("2",),
        answer_after_seconds=_LATE,
        line_result="forwarded",
    ),
    Behaviour(
        name="forwarded_to_accomplice",
        share=0.5,
        keys=("1", "2", "1"),
        answer_after_seconds=_LATE,
        line_result="forwarded",
    ),
    Behaviour(name="no_answer", share=9, pickup=Pickup.NO_ANSWER),
    Behaviour(
        name="answers_second_call",
        share=5,
        keys=("1", "1", "1"),
        later_keys=_ALL_IS_WELL,
        answers_from_call=2,
    ),
    Behaviour(
        name="answers_third_call",
        share=3,
        keys=("1", "1", "1"),
        later_keys=_ALL_IS_WELL,
        answers_from_call=3,
    ),
    Behaviour(name="busy", share=5, pickup=Pickup.BUSY),
    Behaviour(
        name="rejects",
        share=4,
        pickup=Pickup.REJECTED,
        rings_back_after_seconds=(60.0, 600.0),
        hides_number=True,
    ),
    Behaviour(name="powered_off", share=3, pickup=Pickup.POWERED_OFF, line_result="powered_off"),
    Behaviour(name="invalid", share=1, pickup=Pickup.INVALID, line_result="invalid_number"),
    Behaviour(name="invalid_refused", share=1, pickup=Pickup.REFUSED_AT_CREATION),
)


def practice_mix() -> PeopleConfig:
    """A mix close to what practice reports: about 40 % refuse or do not answer, and some who answer are no contact."""
    return PeopleConfig(behaviours=_PRACTICE)
