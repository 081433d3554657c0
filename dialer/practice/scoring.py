"""What an attempt is worth: the truth of its case beside what was said and what was recorded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dialer.core.case import PersonMet
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Contact, OutcomeKind, ScammerContact
from dialer.practice.model import (
    DETAILS,
    GUIDE,
    Course,
    Line,
    PersonKind,
    PracticeCase,
    hear,
    true_outcome,
)

PASS_PERCENT: Final = 80
"""An attempt with fewer points of a hundred is not passed."""


class Criterion(StrEnum):
    """What is judged."""

    OPENED = "opened"
    CARD = "card"
    """The police card was shown before anything was said at the door."""
    IDENTITY = "identity"
    WITHHELD = "withheld"
    """Nothing of the case was told to somebody who is not the person."""
    WHERE = "where"
    """Somebody else was asked how the person is reached."""
    MET = "met"
    RULE = "rule"
    POLICE = "police"
    REPEATED = "repeated"
    STOPPED = "stopped"
    """The stop payment was begun for money that was sent."""
    OUTCOME = "outcome"
    CONTACT = "contact"
    SCAMMER = "scammer"
    TICKED = "ticked"
    SECONDS = "seconds"


POINTS: Final = {
    Criterion.OPENED: 10,
    Criterion.CARD: 10,
    Criterion.IDENTITY: 20,
    Criterion.WITHHELD: 30,
    Criterion.WHERE: 15,
    Criterion.MET: 10,
    Criterion.RULE: 10,
    Criterion.POLICE: 10,
    Criterion.REPEATED: 10,
    Criterion.STOPPED: 15,
    Criterion.OUTCOME: 20,
    Criterion.CONTACT: 10,
    Criterion.SCAMMER: 5,
    Criterion.TICKED: 5,
    Criterion.SECONDS: 5,
}
"""The weight of each; those that do not apply to a case are left out, and the rest counts as a hundred."""
_MUST: Final = frozenset({Criterion.IDENTITY, Criterion.WITHHELD})
"""Without these no attempt is passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the service has recorded of an attempt."""

    said: tuple[Line, ...]
    """In the order in which it was said."""
    seconds: float
    """From the first line to the last."""
    outcome: OutcomeKind
    contact: Contact
    scammer: ScammerContact | None
    ticked: frozenset[str]
    """Keys of points of the call guide."""
    stop_asked: bool
    """A stop payment was opened for the case."""
    met: PersonMet | None = None
    """Who was met at the door; None where that was not recorded, and for a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One criterion of one attempt, with the reason."""

    criterion: Criterion
    is_met: bool
    reason: Text

    @property
    def points(self) -> int:
        """What it weighs."""
        return POINTS[self.criterion]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an attempt is worth."""

    marks: tuple[Mark, ...]
    true_outcome: OutcomeKind
    """The outcome that the report should have had."""

    @property
    def percent(self) -> int:
        """The points of a hundred, rounded down."""
        won = sum(mark.points for mark in self.marks if mark.is_met)
        return won * 100 // sum(mark.points for mark in self.marks)

    @property
    def is_passed(self) -> bool:
        """Whether the attempt counts towards the course."""
        return self.percent >= PASS_PERCENT and all(
            mark.is_met for mark in self.marks if mark.criterion in _MUST
        )


def score(case: PracticeCase, recorded: Recorded) -> Score:
    """The score of an attempt at this case."""
    said = recorded.said
    outcome = true_outcome(case, said)
    is_visit = case.course is Course.VISITS
    marks = [_card(said) if is_visit else _opened(said), _identity(said)]
    if case.is_person:
        marks += [_must_say(case, said, line) for line in _MUST_SAY]
    else:
        marks.append(_withheld(said))
        if is_visit:
            marks.append(_where(said))
    if case.kind is PersonKind.PAID:
        marks.append(_stopped(recorded))
    if is_visit:
        marks.append(_met(case, recorded))
    marks.append(_outcome(recorded, outcome))
    marks.append(_contact(case, recorded))
    if case.is_person and recorded.scammer is not None:
        marks.append(_scammer(case, recorded.scammer))
    if case.most_seconds is not None:
        marks += [_ticked(recorded), _seconds(recorded, most=case.most_seconds)]
    return Score(marks=tuple(marks), true_outcome=outcome)


def _mark(criterion: Criterion, *, is_met: bool, good: str | Text, bad: str | Text) -> Mark:
    return Mark(criterion=criterion, is_met=is_met, reason=Text.of(good if is_met else bad))


def _opened(said: Sequence[Line]) -> Mark:
    return _mark(
        Criterion.OPENED,
        is_met=said[:1] == (Line.OPEN,),
        good=gettext_noop("The first sentence said who calls and warned of any transfer."),
        bad=gettext_noop("The first sentence was another one: say who calls and warn of any transfer first."),
    )


def _card(said: Sequence[Line]) -> Mark:
    return _mark(
        Criterion.CARD,
        is_met=said[:1] == (Line.CARD,),
        good=gettext_noop("The police card was shown first."),
        bad=gettext_noop("Something else was said first: show the police card and say why you come."),
    )


def _where(said: Sequence[Line]) -> Mark:
    return _mark(
        Criterion.WHERE,
        is_met=Line.WHERE in said,
        good=gettext_noop("Somebody else was asked how the person is reached."),
        bad=gettext_noop("Nobody asked where the person is and how to reach them."),
    )


def _met(case: PracticeCase, recorded: Recorded) -> Mark:
    return _mark(
        Criterion.MET,
        is_met=recorded.met is case.met,
        good=gettext_noop("Who was met is recorded as it was."),
        bad=gettext_noop("Who was met is not recorded: press Arrived, then who was met.")
        if recorded.met is None
        else Text(
            "Met: the truth is %(truth)s, and %(recorded)s is recorded.",
            truth=case.met,
            recorded=recorded.met,
        ),
    )


def _identity(said: Sequence[Line]) -> Mark:
    asked = said.index(Line.WHO) if Line.WHO in said else None
    detail = next((place for place, line in enumerate(said) if line in DETAILS), None)
    return _mark(
        Criterion.IDENTITY,
        is_met=asked is not None and (detail is None or asked < detail),
        good=gettext_noop("The identity was asked before any detail of the case."),
        bad=gettext_noop("Nobody asked who is on the line.")
        if asked is None
        else gettext_noop("A detail of the case was named before the identity was asked."),
    )


def _withheld(said: Sequence[Line]) -> Mark:
    return _mark(
        Criterion.WITHHELD,
        is_met=DETAILS.isdisjoint(said),
        good=gettext_noop("Nothing of the case was told to somebody who is not the person."),
        bad=gettext_noop("The case was told to somebody who is not the person."),
    )


_MUST_SAY: Final = {
    Line.SAID: Criterion.RULE,
    Line.POLICE: Criterion.POLICE,
    Line.REPEAT: Criterion.REPEATED,
}
_GOOD: Final = {
    Line.SAID: gettext_noop("The rule for this kind of fraud was said."),
    Line.POLICE: gettext_noop("False police were explained."),
    Line.REPEAT: gettext_noop("The person said in their own words what they will do."),
}
_BAD: Final = {
    Line.SAID: gettext_noop("The rule for this kind of fraud was not said."),
    Line.POLICE: gettext_noop("False police were not explained."),
    Line.REPEAT: gettext_noop("The person was not asked to say in their own words what they will do."),
}
_TOO_EARLY: Final = gettext_noop("It was said before the person listened, and not again.")


def _must_say(case: PracticeCase, said: Sequence[Line], line: Line) -> Mark:
    return _mark(
        _MUST_SAY[line],
        is_met=line in hear(case, said).taken_in,
        good=_GOOD[line],
        bad=_TOO_EARLY if line in said else _BAD[line],
    )


def _stopped(recorded: Recorded) -> Mark:
    return _mark(
        Criterion.STOPPED,
        is_met=Line.PAYMENT in recorded.said and recorded.stop_asked,
        good=gettext_noop("The payment was asked about, and its stop payment begun."),
        bad=gettext_noop("No stop payment was begun: press “Money sent: stop the payment”.")
        if Line.PAYMENT in recorded.said
        else gettext_noop("Nobody asked when and how much was paid."),
    )


def _outcome(recorded: Recorded, outcome: OutcomeKind) -> Mark:
    return _mark(
        Criterion.OUTCOME,
        is_met=recorded.outcome is outcome,
        good=Text("The outcome is right: %(outcome)s.", outcome=outcome),
        bad=Text(
            "The outcome was %(outcome)s, and %(recorded)s is recorded.",
            outcome=outcome,
            recorded=recorded.outcome,
        ),
    )


def _contact(case: PracticeCase, recorded: Recorded) -> Mark:
    is_verified = recorded.contact is Contact.VERIFIED
    is_known = case.is_person and Line.WHO in recorded.said
    return _mark(
        Criterion.CONTACT,
        is_met=is_verified == is_known,
        good=gettext_noop("Whether the identity was verified is recorded as it was."),
        bad=gettext_noop("The identity is recorded as verified, and it was not.")
        if is_verified
        else gettext_noop("The identity was verified, and the report does not say so."),
    )


def _scammer(case: PracticeCase, answered: ScammerContact) -> Mark:
    return _mark(
        Criterion.SCAMMER,
        is_met=answered is case.scammer,
        good=gettext_noop("The contact with the scammer is recorded as it was."),
        bad=Text(
            "Contact with the scammer: the truth is %(truth)s, and %(recorded)s is recorded.",
            truth=case.scammer,
            recorded=answered,
        ),
    )


def _ticked(recorded: Recorded) -> Mark:
    guide = {line.value for line in GUIDE}
    said = {line.value for line in recorded.said} & guide
    ticked = recorded.ticked & guide
    more, missing = len(ticked - said), len(said - ticked)
    return _mark(
        Criterion.TICKED,
        is_met=not more and not missing,
        good=gettext_noop("The ticks of the call guide are what was said."),
        bad=Text(
            "Ticked and not said: %(more)s. Said and not ticked: %(missing)s.",
            more=more,
            missing=missing,
        ),
    )


def _seconds(recorded: Recorded, *, most: int) -> Mark:
    facts = {"seconds": round(recorded.seconds), "most": most}
    return _mark(
        Criterion.SECONDS,
        is_met=recorded.seconds <= most,
        good=Text("%(seconds)s seconds from the first line to the last, of %(most)s.", **facts),
        bad=Text("%(seconds)s seconds from the first line to the last, more than %(most)s.", **facts),
    )
