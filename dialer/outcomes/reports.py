"""What callers and officers may report, and what each outcome says of whom they reached."""

from __future__ import annotations

from dialer.domain.errand import PENDING_STATES, AssignmentState
from dialer.domain.values import Contact, OutcomeKind

_REACHED = {
    OutcomeKind.DISSUADED_BY_PHONE: Contact.VERIFIED,
    OutcomeKind.DISSUADED_IN_PERSON: Contact.VERIFIED,
    OutcomeKind.SAW_THROUGH_IT: Contact.VERIFIED,
    OutcomeKind.HALF_BELIEVES: Contact.VERIFIED,
    OutcomeKind.REFUSES: Contact.VERIFIED,
    OutcomeKind.ALREADY_DEFRAUDED: Contact.VERIFIED,
    OutcomeKind.NOT_THE_PERSON: Contact.UNVERIFIED,
    OutcomeKind.MISMATCH: Contact.NONE,
    OutcomeKind.CANNOT_FIND_YET: Contact.NONE,
    OutcomeKind.CANNOT_FIND: Contact.NONE,
    OutcomeKind.DUPLICATE: Contact.NONE,
    OutcomeKind.TRANSFERRED: Contact.NONE,
    OutcomeKind.LANGUAGE_OR_HEARING: Contact.UNVERIFIED,
    OutcomeKind.MISSED: Contact.NONE,
}


def contact_of(outcome: OutcomeKind) -> Contact:
    """Whom a person who reports this has reached, unless they say otherwise."""
    return _REACHED[outcome]


def may_report(state: AssignmentState) -> bool:
    return state in PENDING_STATES
