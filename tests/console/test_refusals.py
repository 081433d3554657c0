"""Whatever a page refuses with is said in the language of its reader, and names no row and no word of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.domain.access import Role
from dialer.errors import Conflict, Invalid, Overtaken, Refusal
from dialer.language import Lang, say
from dialer.web.console.refusals import told
from tests.console.desk import ROOT, ConsoleDesk, text
from tests.console.town import ConsoleTown

HAN = re.compile(r"[\u4e00-\u9fff]")
BEHIND_PAGES = ("dialer/usecases", "dialer/store", "dialer/outcomes", "dialer/web/console", "dialer/intake")
ELSEWHERE = frozenset(
    {
        # Beside a drill's telephones, tokens, commands of a terminal and what the person types to the robot.
        "draft_script.py",
        "file_case.py",
        "import_units.py",
        "pick_up_phone.py",
        "show_conversation.py",
        "search_cases.py",
        "see_alarm.py",
        "tokens.py",
        "try_scripts.py",
        "walk_script.py",
    }
)
"""Whose own sentences are for a terminal or a machine; what their pages show is written there."""


def sentences() -> Iterator[tuple[str, str]]:
    """Each text that an `Invalid` behind the pages is raised with, and where."""
    for folder in BEHIND_PAGES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name in ELSEWHERE:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "Invalid":
                    yield from _texts(node, path)


def _texts(call: ast.Call, path: Path) -> Iterator[tuple[str, str]]:
    for given in call.keywords:
        if given.arg != "problem":
            continue
        if _is_of_constants(given.value):
            continue
        for part in ast.walk(given.value):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and len(part.value) > 3:
                yield part.value, f"{path.name}:{call.lineno}"


def _is_of_constants(text: ast.expr) -> bool:
    """It has no fact in it but limits of ours, and stands in the catalogue as it comes out."""
    facts = [part.value for part in ast.walk(text) if isinstance(part, ast.FormattedValue)]
    return bool(facts) and all(isinstance(fact, ast.Name) and fact.id.isupper() for fact in facts)


def test_every_fixed_problem_has_chinese():
    found = dict(sentences())
    assert len(found) > 40
    assert {where: one for one, where in found.items() if say(Lang.ZH, one) == one} == {}


@pytest.mark.parametrize(
    "fault",
    [
        Conflict("transfer 7 is accepted already", current="accepted"),
        Conflict("assignment 7 is on its way to another unit already", current="asked"),
        Conflict("unit 7 is closed and takes nothing new", current="closed"),
        Conflict("case 7 does not wait for a unit any more: done", current="done"),
        Overtaken("assignment 7 is signed already: li has it now", who="li", what="signed"),
        Refusal("something of case 7"),
        Invalid(
            field="minutes", problem="is no length of a pause", mend="above 0 minutes, at most seven days"
        ),
    ],
)
def test_no_refusal_is_english_on_a_chinese_page(fault: Refusal):
    said = told(fault, Lang.ZH)
    assert HAN.search(said)
    assert not re.search(r"[A-Za-z7]", said)


async def test_a_refused_act_is_told_in_words_alone(console: ConsoleDesk):
    town = ConsoleTown(console)
    unit = town.unit("临河分局")
    caller = console.person(Role.CALLER, unit_id=unit)
    await caller.post("/language", lang="zh")
    case_id = town.case(unit_id=unit, person_id=town.person(name="某人"), warning=False)
    task = town.assignment(case_id, unit_id=unit, state="done", done_by="li", outcome="cannot_find_yet")
    answer = await caller.post(f"/desk/tasks/{task}/open", token=1)
    assert answer.status_code == 409
    told_there = text(answer).partition("409")[2]
    for code in ("assignment", "cannot_find_yet", "reported"):
        assert code not in told_there
    assert "情况在此期间有变化" in told_there


@pytest.mark.parametrize(
    "path",
    [
        "/cases?no=%00",
        "/cases?unit=99999999999999999999999",
        "/cases?before=99999999999999999999999",
        "/visits/99999999999999999999999",
        "/lists?before=99999999999999999999999",
        "/scripts/%00",
    ],
)
async def test_what_no_column_holds_is_the_asker_s_fault_and_not_ours(console: ConsoleDesk, path: str):
    answer = await console.person(Role.SUPERVISOR).get(path)
    assert answer.status_code == 422
    assert "Something was filled in wrongly" in text(answer)


async def test_a_reason_that_no_column_holds_pauses_nothing(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    answer = await person.post("/control/pause", scope="all", minutes="5", why="x\0")
    assert answer.status_code == 422
    assert console.audited("pause") == []
