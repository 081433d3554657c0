"""What the terminal shows of a report, a case and a search, rendered for real."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console, RenderableType

from dialer.case_page.reading import show_case
from dialer.cases.search import CaseQuery, search_cases
from dialer.cli.cases import case_view, page_view
from dialer.cli.report import duration, report_view
from dialer.core.rates import DEFINITIONS
from dialer.core.text import Lang
from dialer.core.values import Contact, Grade, format_yuan
from dialer.figures.report import make_report
from dialer.language.figure_words import rate_word
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario


def shown(view: RenderableType) -> str:
    written = StringIO()
    Console(width=200, file=written, force_terminal=False).print(view)
    return written.getvalue()


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(start))


@pytest.mark.parametrize("lang", Lang)
def test_a_report_shows_every_rate_with_its_parts(scenario: Scenario, lang: Lang):
    scenario.attempt(scenario.case(contact=Contact.VERIFIED, grade=Grade.HIGH), result="answered")
    scenario.attempt(scenario.case(), result=None)
    text = shown(report_view(make_report(scenario.services), lang))
    for definition in DEFINITIONS:
        assert rate_word(definition, lang) in text
    verified = line_of(text, "核实本人率" if lang is Lang.ZH else "Verified contact")
    assert "50.0%" in verified
    assert "1 / 2" in verified
    per_attempt = line_of(text, "接通率（按次）" if lang is Lang.ZH else "Answered, per attempt")
    assert ("呼叫进行中 1" if lang is Lang.ZH else "under way 1") in per_attempt


def test_a_rate_of_nothing_is_a_dash(scenario: Scenario):
    text = shown(report_view(make_report(scenario.services), Lang.EN))
    assert "—" in line_of(text, "Defrauded after warning")
    assert "%" not in text.replace("95 % interval", "")


def test_a_drill_says_so_first(drill_scenario: Scenario):
    text = shown(report_view(make_report(drill_scenario.services), Lang.ZH))
    assert "演练数据" in "".join(text.splitlines()[:3])


def test_elsewhere_no_banner_and_what_was_left_out(scenario: Scenario):
    scenario.case(drill=True)
    text = shown(report_view(make_report(scenario.services), Lang.EN))
    assert "DRILL" not in text
    assert "Drill records left out of everything: warnings 1, cases 1" in text


def test_money_is_shown_apart(scenario: Scenario):
    case_id = scenario.case()
    scenario.approve(scenario.outcome(case_id, intended_fen=1_234_567_89))
    scenario.outcome(case_id, stopped_fen=50)
    text = shown(report_view(make_report(scenario.services), Lang.ZH))
    assert line_of(text, "劝阻金额").split() == ["劝阻金额", "1,234,567.89", "0.00", "0.00"]
    assert line_of(text, "止付金额").split() == ["止付金额", "0.00", "0.50", "0.00"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (185, "3m05s"), (7_800, "2h10m")]
)
def test_durations(seconds: float, text: str):
    assert duration(seconds) == text


def test_yuan_of_whole_fen():
    assert (format_yuan(0), format_yuan(5), format_yuan(123_456_705)) == ("0.00", "0.05", "1,234,567.05")


@pytest.mark.parametrize("lang", Lang)
def test_a_case_tells_its_story_masked(scenario: Scenario, lang: Lang):
    owner = scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    case_id = scenario.case(person_id=owner, robot_state="pending", robot_attempts=2, robot_reason="retry")
    scenario.attempt(case_id, n=1, result="busy", ringing_at=MORNING + timedelta(seconds=5))
    scenario.attempt(case_id, n=2, result=None, sent_at=None, state="ready", held=True)
    text = shown(case_view(show_case(scenario.services, case_id), lang))
    assert "王*" in text
    assert "138****8000" in text
    assert NAME not in text
    assert PHONE[3:] not in text
    told = (
        ("第 1 次呼叫结束：占线", "暂停已结束，正在恢复")
        if lang is Lang.ZH
        else ("call 1 ended: busy", "its pause is over: it is being released")
    )
    for part in told:
        assert part in text
    assert "11-25 10:00:05" in text


def test_what_people_typed_is_shown_as_it_is(scenario: Scenario):
    case_id = scenario.case(unit="[bold]临河[/bold]")
    assert "[bold]临河[/bold]" in shown(case_view(show_case(scenario.services, case_id), Lang.ZH))
    page = search_cases(scenario.services, CaseQuery())
    assert "[bold]临河[/bold]" in shown(page_view(page, Lang.ZH, ZoneInfo("Asia/Shanghai")))


def test_a_page_says_how_to_see_the_next(scenario: Scenario):
    made = [scenario.case() for _ in range(3)]
    zone = ZoneInfo("Asia/Shanghai")
    assert f"--before {made[1]}" in shown(
        page_view(search_cases(scenario.services, CaseQuery(limit=2)), Lang.EN, zone)
    )
    assert "--before" not in shown(page_view(search_cases(scenario.services, CaseQuery()), Lang.EN, zone))
