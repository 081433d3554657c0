"""The cells of a month against the shifts and the accounts: every fault is named by line and column."""

from __future__ import annotations

import io
from datetime import date, time

import pytest

from dialer.core.rota import DutyEntry, Shift
from dialer.duty.model import Candidate, MonthPlan, plan_month
from dialer.intake.duty_lists import read_roster
from dialer.intake.files import known_tables
from dialer.intake.headings import KnownList
from tests.duty.grids import grid

SHIFTS = (
    Shift(mark="白", starts=time(8, 30), ends=time(17, 30)),
    Shift(mark="夜", starts=time(17, 30), ends=time(8, 30)),
    Shift(mark="值", starts=time(8, 30), ends=time(8, 30)),
    Shift(mark="白1", starts=time(7), ends=time(8)),
)
PEOPLE = (
    Candidate(staff_id=1, name="张三", login="zhang", able=True),
    Candidate(staff_id=2, name="李四", login="li", able=True),
    Candidate(staff_id=3, name="李四", login="li2", able=True),
    Candidate(staff_id=4, name="王五", login="wang", able=False),
)


def plan(content: io.BytesIO) -> MonthPlan:
    sheet = read_roster(known_tables(content, KnownList.ROSTERS))
    return plan_month(sheet, PEOPLE, SHIFTS, off_marks=("休", "假"))


def marks_of(cell: str) -> list[str]:
    made = plan(grid("2026-12", {"张三": {5: cell}}))
    assert made.faults == ()
    return [entry.mark for entry in made.entries]


@pytest.mark.parametrize(
    ("cell", "marks"),
    [
        ("白", ["白"]),
        ("白夜", ["白", "夜"]),
        ("白1白", ["白1", "白"]),
        ("白/夜", ["白", "夜"]),
        ("夜 白 夜", ["夜", "白"]),
        ("休", []),
        ("-", []),
        ("", []),
    ],
)
def test_a_cell_has_the_marks_of_shifts_or_of_a_day_off(cell: str, marks: list[str]):
    assert marks_of(cell) == marks


def test_people_are_found_by_login_or_name_in_any_case():
    made = plan(grid("2026-12", {"ZHANG": {1: "白"}, "li2": {2: "夜"}}))
    assert made.entries == (
        DutyEntry(day=date(2026, 12, 1), mark="白", staff_id=1),
        DutyEntry(day=date(2026, 12, 2), mark="夜", staff_id=3),
    )


@pytest.mark.parametrize(
    ("people", "line", "column", "problem", "fix"),
    [
        (
            {"赵六": "白"},
            3,
            "姓名",
            "nobody with this name or login sees the work of this unit: 赵六",
            "account",
        ),
        ({"李四": "白"}, 3, "姓名", "several accounts have this name: 李四", "add a column 账号 or login"),
        ({"王五": "白"}, 3, "姓名", "disabled, or its role does not do this work: 王五", "somebody else"),
        ({"张三": "白", "zhang": "夜"}, 4, "姓名", "this person is already in line 3", "keep one"),
        ({"张三": {7: "中"}}, 3, "7", "this is no shift: 中", "shifts: 白、夜、值、白1; days off: 休、假"),
        ({"张三": {9: "白值"}}, 3, "9", "these shifts overlap: 白、值", "shifts:"),
    ],
)
def test_a_fault_names_the_line_the_column_and_the_fix(
    people: dict[str, str | dict[int, str]], line: int, column: str, problem: str, fix: str
):
    [fault] = plan(grid("2026-12", people)).faults
    assert (fault.line, fault.column) == (line, column)
    assert problem in str(fault.problem)
    assert fix in str(fault.fix)


def test_every_fault_is_found_at_once():
    made = plan(grid("2026-12", {"赵六": "白", "张三": {1: "中", 2: "下", 3: "白"}}))
    assert [(fault.line, fault.column) for fault in made.faults] == [(3, "姓名"), (4, "1"), (4, "2")]
