"""What a person may do to a case now, and why not. The machine refuses the same things: a page only says so before."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dialer.domain.case import Case, CaseStatus, ErrandState, RobotState
from dialer.domain.values import Grade


class CaseAct(StrEnum):
    RING_NOW = "ring_now"
    RAISE = "raise"
    LOWER = "lower"
    ASK_CALLER = "ask_caller"
    """A person rings."""
    ASK_OFFICER = "ask_officer"
    """An officer goes."""
    HAND_OVER = "hand_over"
    CLOSE = "close"
    MARK_DUPLICATE = "mark_duplicate"
    OPT_OUT = "opt_out"
    NOTE = "note"


class Bar(StrEnum):
    """Why an act is not allowed now."""

    NOT_OPEN = "not_open"
    OPTED_OUT = "opted_out"
    NO_NUMBER = "no_number"
    HIGHEST_GRADE = "highest_grade"
    LOWEST_GRADE = "lowest_grade"
    UNDER_WAY = "under_way"
    """Somebody has it already, or is being looked for."""


def acts_allowed(case: Case) -> Mapping[CaseAct, Bar | None]:
    """Every act, with what bars it; None: it is allowed."""
    is_open = case.status is CaseStatus.OPEN

    def barred(*bars: tuple[bool, Bar]) -> Bar | None:
        if not is_open:
            return Bar.NOT_OPEN
        return next((bar for holds, bar in bars if holds), None)

    return {
        CaseAct.RING_NOW: barred((case.opted_out, Bar.OPTED_OUT), (not _can_ring(case), Bar.NO_NUMBER)),
        CaseAct.RAISE: barred((case.grade is Grade.EXTRA_HIGH, Bar.HIGHEST_GRADE)),
        CaseAct.LOWER: barred((case.grade is Grade.LOW, Bar.LOWEST_GRADE)),
        CaseAct.ASK_CALLER: barred((case.human.state is ErrandState.OPEN, Bar.UNDER_WAY)),
        CaseAct.ASK_OFFICER: barred((case.visit.state is ErrandState.OPEN, Bar.UNDER_WAY)),
        CaseAct.HAND_OVER: barred(),
        CaseAct.CLOSE: barred(),
        CaseAct.MARK_DUPLICATE: barred(),
        CaseAct.OPT_OUT: barred((case.opted_out, Bar.OPTED_OUT)),
        CaseAct.NOTE: None,
    }


def _can_ring(case: Case) -> bool:
    if case.robot.state is RobotState.PENDING:
        return True
    return any(number not in case.robot.dead_numbers for number in range(case.numbers))
