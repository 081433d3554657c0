"""What chance decides in the demo: the same for the same work, so that the same list gives the same reports."""

from __future__ import annotations

import hashlib

from dialer.store.assignments import Assignment


def dice(assignment: Assignment, what: str) -> int:
    """0 to 99, always the same for the same assignment."""
    digest = hashlib.sha256(
        f"{what}:{assignment.kind}:{assignment.case_id}:{assignment.id}".encode()
    ).digest()
    return int.from_bytes(digest[:4], "big") % 100
