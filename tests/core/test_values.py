"""Ranks, amounts and the small questions that the values answer about themselves, as tables."""

from __future__ import annotations

import pytest

from dialer.core.case import AssignmentState, VisitStage
from dialer.core.errors import Invalid
from dialer.core.values import (
    Amounts,
    Evidence,
    EvidenceKind,
    Grade,
    Pause,
    PauseScope,
    RenderState,
    check_evidence,
    format_yuan,
    parse_yuan,
    typed_evidence,
)
from tests.core.samples import MORNING

TRILLION = 10**14


def test_grades_have_their_ranks():
    assert {grade.value: grade.rank for grade in Grade} == {"extra_high": 4, "high": 3, "medium": 2, "low": 1}
    assert [grade for grade in Grade if grade.is_high] == [Grade.EXTRA_HIGH, Grade.HIGH]


def test_a_render_that_waits_or_runs_is_open():
    assert [state for state in RenderState if state.is_open] == [RenderState.WAITING, RenderState.RUNNING]
    assert not any(state.is_open for state in RenderState if state.value in {"done", "failed"})


@pytest.mark.parametrize("stage", VisitStage)
@pytest.mark.parametrize("state", AssignmentState)
def test_only_a_signed_visit_that_has_not_begun_becomes_accepted(stage: VisitStage, state: AssignmentState):
    expected = stage
    if state is AssignmentState.OPEN:
        expected = VisitStage.NONE
    elif state is AssignmentState.SIGNED and stage is VisitStage.NONE:
        expected = VisitStage.ACCEPTED
    assert stage.under(state) is expected


def test_no_amount_is_nothing_and_each_alone_is_something():
    assert Amounts() == Amounts(intended_fen=0, stopped_fen=0, returned_fen=0)
    assert Amounts().is_nothing is True
    for name in ("intended_fen", "stopped_fen", "returned_fen"):
        assert Amounts(**{name: 1}).is_nothing is False
        assert not Amounts(**{name: TRILLION}).is_nothing
        for wrong in (-1, TRILLION + 1):
            with pytest.raises(Invalid) as refused:
                Amounts(**{name: wrong})
            assert refused.value.field == name


@pytest.mark.parametrize(("fen", "written"), [(0, "0.00"), (5, "0.05"), (123_450, "1,234.50"), (100, "1.00")])
def test_fen_are_written_in_yuan_and_read_back(fen: int, written: str):
    assert format_yuan(fen) == written
    assert parse_yuan(f" {written} ", field="amount") == fen


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("12,000", 1_200_000),
        ("7.", 700),
        ("0.500", 50),
        ("１２", 1_200),
        ("1，234.5", 123_450),
        ("12,3456", 12_345_600),
    ],
)
def test_an_amount_is_read_as_people_type_it(typed: str, fen: int):
    assert parse_yuan(typed, field="amount") == fen


@pytest.mark.parametrize(
    "typed",
    # A comma for a point would be a hundred times the amount.
    [
        "50,00",
        "1234,5",
        "1,2345,678",
        "1,234,5",
        "",
        "abc",
        "1.005",
        "inf",
        "nan",
        "1e600000",
        "1e-3",
        "-5",
        "." * 5,
        "9" * 14,
        "0." + "0" * 21,
    ],
)
def test_what_is_no_whole_number_of_fen_is_refused(typed: str):
    with pytest.raises(Invalid) as refused:
        parse_yuan(typed, field="stopped")
    assert refused.value.field == "stopped"


def test_money_needs_evidence_and_nothing_needs_none():
    check_evidence(Amounts(), None)
    with pytest.raises(Invalid) as refused:
        check_evidence(Amounts(stopped_fen=1), None)
    assert refused.value.field == "evidence_kind"


def test_each_amount_is_capped_by_what_the_evidence_shows():
    shown = Evidence(kind=EvidenceKind.BANK_RECEIPT, reference="回单 1", shows_fen=500)
    check_evidence(Amounts(intended_fen=500, stopped_fen=500, returned_fen=500), shown)
    for name in ("intended_fen", "stopped_fen", "returned_fen"):
        with pytest.raises(Invalid) as refused:
            check_evidence(Amounts(**{name: 501}), shown)
        assert refused.value.field == "evidence_yuan"
        assert "5.01" in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("", "5", "回单"), "evidence_kind"),
        (("rumour", "5", "回单"), "evidence_kind"),
        (("photo", "", "回单"), "evidence_yuan"),
        (("photo", "0", "回单"), "evidence_yuan"),
        (("photo", "-1", "回单"), "evidence_yuan"),
        (("photo", "some", "回单"), "evidence_yuan"),
        (("photo", "5", " "), "evidence"),
    ],
)
def test_evidence_is_whole_or_refused(typed: tuple[str, str, str], field: str):
    with pytest.raises(Invalid) as refused:
        typed_evidence(*typed)
    assert refused.value.field == field


def test_nothing_typed_is_no_evidence():
    assert typed_evidence("", " ", "") is None
    assert typed_evidence("photo", "1,200.50", " 截图 7 ") == Evidence(
        kind=EvidenceKind.PHOTO, reference="截图 7", shows_fen=120_050
    )


@pytest.mark.parametrize(
    ("scope", "subject", "unit_id", "covered"),
    [
        (PauseScope.ALL, "", None, True),
        (PauseScope.UNIT, "临河", None, True),
        (PauseScope.UNIT, "杭锦", None, False),
        (PauseScope.UNIT, "临河", 4, True),
        (PauseScope.UNIT, "临河", 5, False),
        (PauseScope.LOAD, "7", None, True),
        (PauseScope.LOAD, "8", None, False),
        (PauseScope.GRADE, "high", None, True),
        (PauseScope.GRADE, "low", None, False),
    ],
)
def test_a_pause_covers_what_it_names(scope: PauseScope, subject: str, unit_id: int | None, covered: bool):
    pause = Pause(
        id=1,
        scope=scope,
        subject=subject,
        unit_id=unit_id,
        units=frozenset() if unit_id is None else frozenset({unit_id, 10 * unit_id + 1}),
        until=MORNING,
        why="检修",
        by="zhao",
        placed_at=MORNING,
    )
    assert pause.covers(grade="high", unit="临河", unit_id=41, load_id=7) is covered
