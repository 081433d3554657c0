"""What a caller reports and agrees at the desk, as it is typed: keys, answers, yuan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Form

from dialer.domain.people import SUCCESSES
from dialer.domain.values import Contact, OutcomeKind
from dialer.errors import Invalid
from dialer.language import mark
from dialer.outcomes.money import Amounts, fen_of, must_have_evidence
from dialer.outcomes.reports import contact_of

_LONGEST = 2000
MONEY = ("intended", "stopped", "returned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An outcome that a call may have, on its key; `money`: which amounts it may have saved."""

    key: str
    outcome: OutcomeKind
    money: tuple[str, ...] = ()

    @property
    def asks_who(self) -> bool:
        """Whether the right person said so must be said."""
        return contact_of(self.outcome) is Contact.VERIFIED

    @property
    def needs_verified(self) -> bool:
        return self.outcome in SUCCESSES


CHOICES = (
    Choice(key="1", outcome=OutcomeKind.DISSUADED_BY_PHONE, money=("intended",)),
    Choice(key="2", outcome=OutcomeKind.SAW_THROUGH_IT, money=("intended",)),
    Choice(key="3", outcome=OutcomeKind.HALF_BELIEVES),
    Choice(key="4", outcome=OutcomeKind.REFUSES),
    Choice(key="5", outcome=OutcomeKind.ALREADY_DEFRAUDED, money=("stopped", "returned")),
    Choice(key="6", outcome=OutcomeKind.CANNOT_FIND_YET),
    Choice(key="7", outcome=OutcomeKind.CANNOT_FIND),
    Choice(key="8", outcome=OutcomeKind.NOT_THE_PERSON),
    Choice(key="9", outcome=OutcomeKind.LANGUAGE_OR_HEARING),
    Choice(key="0", outcome=OutcomeKind.MISMATCH),
)
_BY_OUTCOME = {choice.outcome.value: choice for choice in CHOICES}

WHO_MISSING = mark("say whether the identity was verified")
NEEDS_VERIFIED = mark("a success needs the verified contact of the right person")
OUTCOME_MISSING = mark("choose the outcome")
KNOWN = (
    mark("choose who takes it over"),
    mark("is nobody who works at a desk"),
    mark("say it in a few words"),
    mark("is past or too far away"),
    mark("within the next 30 days"),
    mark("is no moment"),
    mark("choose a day and a time"),
    mark("is no amount"),
    mark("yuan, such as 12000 or 12000.50"),
    mark("has parts of a fen"),
    mark("two decimals at most"),
    mark("is not between 0 and a trillion yuan"),
    mark("is missing"),
    mark("money on record needs its evidence, such as a receipt"),
    mark("is no telephone"),
    mark("digits, or sip:name@host"),
    mark("the number is in a call now: wait for its end"),
    mark("another task is in hand: finish it or give it back first"),
)
"""Refusals of the use cases that the desk shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    outcome: OutcomeKind
    contact: Contact
    amounts: Amounts
    evidence: str
    note: str
    said: tuple[str, ...]


@dataclass(slots=True)
class ReportForm:
    """The outcome form as it was typed."""

    token: Annotated[int, Form()] = 0
    outcome: Annotated[str, Form()] = ""
    verified: Annotated[str, Form()] = ""
    intended: Annotated[str, Form()] = ""
    stopped: Annotated[str, Form()] = ""
    returned: Annotated[str, Form()] = ""
    evidence: Annotated[str, Form()] = ""
    note: Annotated[str, Form()] = ""
    said: Annotated[list[str] | None, Form()] = None
    following: Annotated[str, Form()] = ""
    """The next task is wanted at once."""

    def understood(self) -> tuple[Report | None, dict[str, Invalid]]:
        """The report, or by field what is wrong with it: all of it at once."""
        wrong: dict[str, Invalid] = {}
        choice = _BY_OUTCOME.get(self.outcome)
        if choice is None:
            wrong["outcome"] = Invalid(field="outcome", problem=OUTCOME_MISSING)
        elif choice.asks_who and self.verified not in {"yes", "no"}:
            wrong["verified"] = Invalid(field="verified", problem=WHO_MISSING)
        elif choice.needs_verified and self.verified != "yes":
            wrong["verified"] = Invalid(field="verified", problem=NEEDS_VERIFIED)
        fen: dict[str, int] = {}
        for name in MONEY:
            try:
                typed = str(getattr(self, name)) if choice is None or name in choice.money else ""
                fen[f"{name}_fen"] = fen_of(typed, field=name) if typed.strip() else 0
            except Invalid as fault:
                wrong[name] = fault
        amounts = Amounts()
        try:
            amounts = Amounts(**fen)
            must_have_evidence(amounts, self.evidence)
        except Invalid as fault:
            wrong[fault.field.removesuffix("_fen")] = fault
        if wrong or choice is None:
            return None, wrong
        return (
            Report(
                outcome=choice.outcome,
                contact=self._contact(choice),
                amounts=amounts,
                evidence=self.evidence.strip()[:_LONGEST] if not amounts.is_nothing else "",
                note=self.note.strip()[:_LONGEST],
                said=tuple((self.said or [])[:20]),
            ),
            {},
        )

    def _contact(self, choice: Choice) -> Contact:
        if not choice.asks_who:
            return contact_of(choice.outcome)
        return Contact.VERIFIED if self.verified == "yes" else Contact.UNVERIFIED


def call_time(soon: str, at: str, *, now: datetime, timezone: str) -> datetime:
    """When the person wants to be rung: in `soon` minutes, `tomorrow` at nine, or at a local time. Raises `Invalid`."""
    zone = ZoneInfo(timezone)
    if soon.isdecimal() and len(soon) <= 5:  # noqa: PLR2004  # digits: a longer one is no wait
        return now + timedelta(minutes=int(soon))
    if soon == "tomorrow":
        local = now.astimezone(zone) + timedelta(days=1)
        return local.replace(hour=9, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Invalid(field="at", problem="is no moment", mend="choose a day and a time") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
