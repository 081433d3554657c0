"""Callers who practise."""

from __future__ import annotations

from dialer.practice.model import Line, PracticeCase


def well_said(case: PracticeCase) -> tuple[Line, ...]:
    """The lines of a caller who does everything right."""
    if not case.is_person:
        return (Line.OPEN, Line.WHO)
    lines = [Line.OPEN, Line.WHO]
    if case.listens_after is not None:
        lines.append(case.listens_after)
    lines += [Line.ASKED, Line.PAYMENT, Line.SAID, Line.FAMILY, Line.POLICE, Line.REPEAT]
    return tuple(dict.fromkeys(lines))
