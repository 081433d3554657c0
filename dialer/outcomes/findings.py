"""What an outcome tells a report."""

from __future__ import annotations

from dialer.domain.values import Contact, OutcomeKind, TelephonyResult
from dialer.outcomes.reports import contact_of

REACHED = frozenset(kind for kind in OutcomeKind if contact_of(kind) is Contact.VERIFIED)
"""Whoever reports one of these has spoken to the right person."""

WRONG_RECORD = frozenset({OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH})
"""误报: the warning's record was wrong."""

FOUND = REACHED | WRONG_RECORD
"""Somebody has found out what was behind the warning."""

NOT_OURS = frozenset({OutcomeKind.DUPLICATE, OutcomeKind.TRANSFERRED})
"""Left out where it is asked what we achieved."""

OWN_FAULT = frozenset({TelephonyResult.BLOCKED})
"""Our own line was refused or blocked: it says nothing about the person."""

COUNTED_RESULTS = frozenset(TelephonyResult) - OWN_FAULT - {TelephonyResult.CANCELED, TelephonyResult.UNKNOWN}
"""A robot call that ended at the person's own phone or network."""
