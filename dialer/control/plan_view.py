"""A plan in words: what each value is called, how it is shown, and in which part of the page it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dialer.core.text import Lang, gettext_noop
from dialer.core.values import Grade, MessageChannel, Track
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.runtime.plans import Plan, PlanValue, plan_values
from dialer.web.formats import format_span

_GRADE_WORDS: Final[Mapping[str, str]] = {
    "first_attempt_seconds": gettext_noop("First call within"),
    "robot_tries": gettext_noop("Tries of the robot"),
    "robot_gap_seconds": gettext_noop("Between two tries"),
    "robot_patience_seconds": gettext_noop("A waiting call goes to a person after"),
    "outside_window": gettext_noop("Outside the dialling window"),
    "human_after_seconds": gettext_noop("A caller calls after"),
    "human_due_seconds": gettext_noop("The caller's call is due within"),
    "human_sample_percent": gettext_noop("Of the people not reached, a caller calls (percent)"),
    "visit_after_seconds": gettext_noop("An officer goes after"),
    "visit_when_human_fails": gettext_noop("An officer goes when the call fails"),
    "visit_due_seconds": gettext_noop("The visit is due within"),
    "sign_seconds": gettext_noop("Signed for within"),
    "feedback_seconds": gettext_noop("Reported within"),
    "message_when_unreachable": gettext_noop("Message when no call got through"),
    "message_after_warning": gettext_noop("Message after a warning"),
    "message_channel": gettext_noop("Messages go by"),
    "flash_every_seconds": gettext_noop("Flash messages, one every"),
    "flash_times": gettext_noop("Flash messages at most"),
    "family_after_seconds": gettext_noop("The family is called after"),
    "record_calls": gettext_noop("Calls are recorded"),
    "follow_up_by": gettext_noop("Follow-up by"),
    "follow_up_then": gettext_noop("Then followed up by"),
    "follow_up_after_seconds": gettext_noop("Follow-up after"),
    "follow_up_tries": gettext_noop("Tries of a follow-up"),
    "follow_up_gap_seconds": gettext_noop("Between two tries of a follow-up"),
}
_SENT_WORDS: Final[Mapping[str, str]] = {
    "per_minute": gettext_noop("Warnings a minute"),
    "per_hour": gettext_noop("Warnings an hour"),
    "per_day": gettext_noop("Warnings a day"),
    "extra_high_per_minute": gettext_noop("Extra-high warnings a minute"),
    "extra_high_per_hour": gettext_noop("Extra-high warnings an hour"),
    "extra_high_per_day": gettext_noop("Extra-high warnings a day"),
    "signals_per_minute": gettext_noop("Signals a minute"),
    "signals_per_hour": gettext_noop("Signals an hour"),
    "signals_per_day": gettext_noop("Signals a day"),
    "most_grade": gettext_noop("Highest grade"),
    "most_amount_yuan": gettext_noop("Largest amount (yuan)"),
    "bank_reports": gettext_noop("Reports of banks are taken"),
}
_PARTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    **{f"policy.{grade.value}": ("", _GRADE_WORDS) for grade in Grade},
    "policy": (
        gettext_noop("For every grade"),
        {
            "busy_retry_seconds": gettext_noop("Busy on a high grade: again after"),
            "requeue_seconds": gettext_noop("After a fault of our own line: again after"),
            "max_own_faults": gettext_noop("Faults of our own in a row before a person calls"),
            "number_spacing_seconds": gettext_noop("A number rests between two calls"),
            "visit_tries": gettext_noop("Visits that find nobody"),
            "visit_retry_seconds": gettext_noop("Between two visits"),
            "watch_seconds": gettext_noop("Watch period"),
        },
    ),
    "policy.window": (
        gettext_noop("Dialling window"),
        {
            "opens": gettext_noop("Opens"),
            "closes": gettext_noop("Closes"),
            "any_hour": gettext_noop("Robots may call at any hour"),
        },
    ),
    "policy.urgency": (
        gettext_noop("What comes first in the queue"),
        {
            "extra_high_seconds": gettext_noop("Extra high counts as waiting"),
            "high_seconds": gettext_noop("High counts as waiting"),
            "medium_seconds": gettext_noop("Medium counts as waiting"),
            "low_seconds": gettext_noop("Low counts as waiting"),
            "amount_seconds_per_tenfold": gettext_noop("Ten times the amount counts as waiting"),
            "amount_floor_fen": gettext_noop("Amounts count from (fen)"),
            "expiry_horizon_seconds": gettext_noop("What expires within this comes forward"),
        },
    ),
    "sources": (
        gettext_noop("Sources"),
        {
            "extra_high_wait_seconds": gettext_noop(
                "Alarm when extra-high warnings wait for release longer than"
            ),
            "cases_a_number": gettext_noop("Open cases of one number"),
        },
    ),
    "sources.probation": (gettext_noop("Sources on probation"), _SENT_WORDS),
    "sources.regular": (gettext_noop("Sources that are not on probation"), _SENT_WORDS),
    "pace": (
        gettext_noop("Highest pace of the robot"),
        {
            "calls_per_second": gettext_noop("Calls per second"),
            "lines": gettext_noop("Lines"),
        },
    ),
}
_WINDOW_WORDS: Final = {
    "waits": gettext_noop("it waits"),
    "person": gettext_noop("a person calls instead"),
}
_YES_NO: Final = {"true": gettext_noop("yes"), "false": gettext_noop("no")}
_NEVER: Final = {
    "human_after_seconds": gettext_noop("only when the robot fails"),
    "visit_after_seconds": gettext_noop("not by itself"),
    "flash_every_seconds": gettext_noop("no flash messages"),
    "family_after_seconds": gettext_noop("nobody calls it"),
    "follow_up_by": gettext_noop("no follow-up"),
    "follow_up_then": gettext_noop("nobody"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value for the page: its name in words, its unit, what is written, what that means in words, and the pairs to
    choose from.
    """

    key: str
    label: str
    text: str
    means: str
    choices: Sequence[tuple[str, str]] = ()
    may_lack: bool = False

    @property
    def is_seconds(self) -> bool:
        """Whether the value is a number of seconds."""
        return self.key.endswith("_seconds") or self.key.endswith("seconds_per_tenfold")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    """The values of a plan as they stand on its page: one row for each limit of a grade, and the other parts."""

    grades: Sequence[Grade]
    rows: Sequence[tuple[str, Sequence[Shown]]]
    """A limit and its value for each grade."""
    parts: Sequence[tuple[str, Sequence[Shown]]]


def shown_plan(plan: Plan, lang: Lang, *, typed: Mapping[str, str] | None = None) -> PlanPage:
    """The plan in words; with what was typed in place of its values."""
    by_part: dict[str, dict[str, Shown]] = {}
    for one in plan_values(plan):
        part, _, name = one.key.rpartition(".")
        by_part.setdefault(part, {})[name] = _shown(one, lang, (typed or {}).get(one.key))
    grades = sorted(Grade, key=lambda grade: -grade.rank)
    return PlanPage(
        grades=grades,
        rows=[
            (say(lang, words), [by_part[f"policy.{grade.value}"][name] for grade in grades])
            for name, words in _GRADE_WORDS.items()
        ],
        parts=[
            (say(lang, title), list(by_part[part].values())) for part, (title, _) in _PARTS.items() if title
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value that two plans have differently, in words."""

    label: str
    before: str
    after: str


def differences(live: Plan, other: Plan, lang: Lang) -> list[Difference]:
    """The values that differ, in the order of the text."""
    before = {one.key: _shown(one, lang) for one in plan_values(live)}
    after = {one.key: _shown(one, lang) for one in plan_values(other)}
    return [
        Difference(label=_place(key, lang), before=before[key].means, after=after[key].means)
        for key in before
        if before[key].text != after[key].text
    ]


def _place(key: str, lang: Lang) -> str:
    """Where the value stands and what it is: 高危 · 首次外呼时限."""
    part, _, name = key.rpartition(".")
    title, words = _PARTS[part]
    above = say(lang, title) if title else word_of(Grade(part.rpartition(".")[2]), lang)
    return f"{above} · {say(lang, words[name])}"


def _shown(one: PlanValue, lang: Lang, typed: str | None = None) -> Shown:
    part, _, name = one.key.rpartition(".")
    word = _word_in(name, lang)
    choices = [(text, word(text)) for text in one.words]
    if choices and one.may_lack:
        choices = [("", say(lang, _NEVER[name])), *choices]
    if not one.text:
        means = say(lang, _NEVER[name])
    elif one.words:
        means = word(one.text)
    else:
        means = one.text
    shown = Shown(
        key=one.key,
        label=say(lang, _PARTS[part][1][name]),
        text=one.text if typed is None else typed,
        means=means,
        choices=choices,
        may_lack=one.may_lack,
    )
    if one.text and shown.is_seconds and isinstance(one.value, int):
        means = say(lang, "at once") if one.value == 0 and name in _NEVER else format_span(one.value, lang)
        return Shown(key=shown.key, label=shown.label, text=shown.text, means=means, may_lack=shown.may_lack)
    return shown


def _word_in(name: str, lang: Lang) -> Callable[[str], str]:
    if name == "outside_window":
        return lambda text: say(lang, _WINDOW_WORDS[text])
    if name == "message_channel":
        return lambda text: word_of(MessageChannel(text), lang)
    if name in {"follow_up_by", "follow_up_then"}:
        return lambda text: word_of(Track(text), lang)
    if name == "most_grade":
        return lambda text: word_of(Grade(text), lang)
    return lambda text: say(lang, _YES_NO[text])
