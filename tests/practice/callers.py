"""Callers and officers who practise."""

from __future__ import annotations

from dialer.practice.model import Course, Line, PracticeCase


def well_said(case: PracticeCase) -> tuple[Line, ...]:
    """The lines of somebody who does everything right."""
    lines = [Line.CARD if case.course is Course.VISITS else Line.OPEN, Line.WHO]
    if not case.is_person:
        return (*lines, Line.WHERE) if case.course is Course.VISITS else tuple(lines)
    if case.listens_after is not None:
        lines.append(case.listens_after)
    lines += [Line.ASKED, Line.PAYMENT, Line.SAID, Line.FAMILY, Line.POLICE, Line.REPEAT]
    return tuple(dict.fromkeys(lines))
