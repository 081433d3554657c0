"""What *Success rates* draws and takes away, from a report that is written down here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialer.core.intervals import Adjusted, Interval, Standing
from dialer.core.rates import (
    COUNT_NAMES,
    DEFINITIONS,
    FUNNEL,
    TREND,
    WAIT_BOUNDS_SECONDS,
    Breakdown,
    Counts,
    Dimension,
    FirstAttempt,
    Money,
    Period,
    Slice,
    Waits,
    period_of,
    rates_of,
)
from dialer.core.text import Lang
from dialer.core.values import AmountKind, FraudType, Grade
from dialer.figures.rate_charts import (
    COMPARED,
    ComparedLine,
    FunnelStep,
    Trend,
    beside_chart,
    calendar_of,
    compared_lines,
    count_chart,
    funnel_steps,
    further_sheets,
    map_of,
    measure_word,
    rate_chart,
    today_lines,
    trend_of,
    waits_chart,
)
from dialer.figures.rate_tables import (
    SHOWN_BESIDE,
    ExportInfo,
    RateLine,
    about_sheet,
    all_counts_sheet,
    definitions_sheet,
    definitions_version,
    name_of,
    parquet_about,
    parquet_columns,
    rate_lines,
    rate_sheets,
    standing_sentence,
    wait_bars,
)
from dialer.figures.reader import Workload, loss_name
from dialer.figures.report import CutReport
from dialer.language.figure_words import count_word
from dialer.web.charts import ChartKind, width_of
from dialer.web.formats import Sheet

ZONE = "Asia/Shanghai"
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai."""

FUNNEL_COUNTS = {
    "warnings": 1_200, "cases": 900, "cases_ours": 800, "cases_tried": 700, "cases_reached": 600,
    "verified_contact": 500, "succeeded": 400, "dissuaded": 300, "cases_proven": 100, "judged": 150,
    "cases_not_ours": 100, "cases_watching": 200, "cases_reversed": 50, "defrauded_after_warning": 60,
    "cases_missed": 7, "robot_calls": 1_500, "human_calls": 90, "visits": 30, "cases_rung": 650,
    "cases_answered": 450, "first_attempt_counted": 880, "first_attempt_in_time": 770, "first_attempt_pending": 20,
    "sign_counted": 120, "signed_in_time": 110, "feedback_counted": 100, "feedback_in_time": 80,
}  # fmt: skip


def part(*, fen: int = 0, seconds: float | None = None, **counts: int) -> Slice:
    """With three amounts that grow from `fen`."""
    amounts = {
        kind: Money(approved_fen=fen * n, unapproved_fen=fen * n + 1, reversed_fen=fen * n + 2)
        for n, kind in enumerate(AmountKind, start=1)
    }
    waited = None if seconds is None else seconds * 2
    return Slice(
        counts=Counts(**counts),
        first_attempt=FirstAttempt(p50_seconds=seconds, p90_seconds=waited),
        amounts=amounts,
    )


WHOLE = part(fen=1_000_00, seconds=30.5, **FUNNEL_COUNTS)


def waits(first: int) -> Waits:
    """Of each grade its place in every bar, beginning with `first`."""
    return Waits(
        by_grade={g: tuple(range(first + n, first + n + 12)) for n, g in enumerate(Grade)},
    )


def cut(
    dimension: Dimension = Dimension.GRADE, slices: Mapping[str, Slice] | None = None, **more: object
) -> CutReport:
    given: dict[str, object] = {
        "generated_at": NOW,
        "breakdown": Breakdown(dimension=dimension, total=WHOLE, slices=slices or {}),
        "waits": waits(0),
        "unit_names": {"1": "市局", "2": "东区"},
        "staff_names": {"li": "李警官"},
    }
    return CutReport(**(given | more))  # type: ignore[arg-type]


def test_the_funnel_says_what_each_step_keeps_and_loses():
    steps = funnel_steps(WHOLE.counts)
    assert [step.name for step in steps] == list(FUNNEL)
    assert steps[0] == FunnelStep(
        name="warnings", count=1_200, share=1.0, kept=None, lost_name="lost_warnings", lost_count=0
    )
    assert steps[1] == FunnelStep(
        name="cases", count=900, share=0.75, kept=0.75, lost_name="lost_cases", lost_count=300
    )
    assert steps[-1] == FunnelStep(
        name="cases_proven",
        count=100,
        share=1 / 12,
        kept=1 / 3,
        lost_name="lost_cases_proven",
        lost_count=200,
    )


def test_a_funnel_of_nothing_has_no_shares():
    assert {(step.count, step.share, step.kept, step.lost_count) for step in funnel_steps(Counts())} == {
        (0, 0, None, 0)
    }


def test_a_loss_and_a_count_have_words_of_their_own():
    assert [measure_word(loss_name(step), Lang.EN) for step in FUNNEL[1:]] == [
        "joined a case that was open already",
        "left as duplicate, transferred or withdrawn",
        "neither called nor visited",
        "nobody was spoken to",
        "not verified as the right person",
        "verified, not dissuaded",
        "undone by a filed case",
        "not proven yet",
    ]
    assert measure_word("cases", Lang.EN) == count_word("cases", Lang.EN) == "cases"


EARLIER = {
    "year_before": part(fen=500_00, cases=450, cases_ours=400, verified_contact=300, warnings=1_600),
    "before": part(fen=2_000_00, cases=1_000),
}


def test_a_period_stands_beside_the_year_before_and_the_period_before():
    lines = {line.name: line for line in compared_lines(cut(**EARLIER), Lang.EN)}
    assert len(lines) == len(COMPARED) + 5 + len(AmountKind)
    assert lines["warnings"] == ComparedLine(
        name="warnings", now="1,200", year_before="1,600", on_year="-25.0%", before="0", on_before="—"
    )
    assert lines["cases"] == ComparedLine(
        name="cases", now="900", year_before="450", on_year="+100.0%", before="1,000", on_before="-10.0%"
    )
    assert lines["Verified contact"] == ComparedLine(
        name="Verified contact",
        now="62.5%",
        year_before="75.0%",
        on_year="-12.5",
        before="—",
        on_before="—",
    )
    assert lines["First attempt in time"].now == "87.5%"
    assert lines["Signed in time"].now == "91.7%"
    assert lines["Feedback in time"].now == "80.0%"
    money = [lines[f"{name}, yuan"] for name in ("loss prevented", "stopped at the bank", "returned")]
    assert [line.now for line in money] == ["1,000.00", "2,000.00", "3,000.00"]
    assert (money[0].year_before, money[0].on_year) == ("500.00", "+100.0%")
    assert (money[0].before, money[0].on_before) == ("2,000.00", "-50.0%")


def test_a_rate_of_which_there_is_none_now_is_not_compared():
    lines = compared_lines(
        cut(
            breakdown=Breakdown(dimension=Dimension.GRADE, total=part(), slices={}),
            **(EARLIER | {"before": EARLIER["year_before"]}),
        ),
        Lang.EN,
    )
    [line] = [one for one in lines if one.name == "Verified contact"]
    assert (line.now, line.year_before, line.on_year, line.on_before) == ("—", "75.0%", "—", "—")


@pytest.mark.parametrize("missing", ["before", "year_before"])
def test_without_an_earlier_period_nothing_is_compared(missing: str):
    assert compared_lines(cut(**(EARLIER | {missing: None})), Lang.EN) == ()


DAYS = {"today": part(fen=100, cases=9, warnings=3), "yesterday": part(fen=200, cases=6)}


def test_today_stands_beside_yesterday_and_the_period():
    lines = today_lines(cut(**DAYS), Lang.EN)
    cases = lines[COMPARED.index("cases")]
    assert (cases.name, cases.today, cases.yesterday, cases.change, cases.period, cases.count) == (
        "cases", "9", "6", "+50.0%", "900", "cases",
    )  # fmt: skip
    assert [line.count for line in lines] == [*COMPARED, *[""] * (5 + len(AmountKind))]
    assert (lines[-3].today, lines[-3].yesterday, lines[-3].period) == ("1.00", "2.00", "1,000.00")


@pytest.mark.parametrize("missing", ["today", "yesterday"])
def test_a_report_that_was_kept_without_today_shows_none(missing: str):
    assert today_lines(cut(**(DAYS | {missing: None})), Lang.EN) == ()


def days(first: date, *cases: int) -> dict[date, dict[str, int]]:
    return {first + timedelta(days=n): {"cases": count} for n, count in enumerate(cases)}


def course(report: CutReport, start: str, end: str) -> Trend | None:
    return trend_of(report, period_of(start, end, timezone=ZONE), ZONE)


def test_a_course_by_day_stands_beside_the_periods_before():
    report = cut(
        days=days(date(2026, 11, 20), 1, 2, 3),
        days_before=days(date(2026, 11, 17), 4, 5),
        days_year_before=days(date(2025, 11, 20), 7, 8, 9),
    )
    assert course(report, "2026-11-20", "2026-11-22") == Trend(
        is_weekly=False,
        starts=(date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)),
        counts=({"cases": 1}, {"cases": 2}, {"cases": 3}),
        before=({"cases": 4}, {"cases": 5}, None),
        year_before=({"cases": 7}, {"cases": 8}, {"cases": 9}),
    )


def test_a_course_has_two_days_at_least_and_ends_today():
    assert course(cut(), "2026-11-25", "2026-11-25") is None
    assert trend_of(cut(), Period(), ZONE) is None
    found = course(cut(), "2026-11-24", "2026-12-25")
    assert found is not None
    assert found.starts == (date(2026, 11, 24), date(2026, 11, 25))
    assert (found.counts, found.before, found.year_before) == (({}, {}), (None, None), (None, None))
    without = trend_of(cut(days=days(date(2026, 11, 23), 1)), Period(), ZONE)
    assert without is not None
    assert without.starts == (date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25))
    assert without.before == without.year_before == (None, None, None)
    until_midnight = course(cut(), "2026-11-20", "2026-11-21")
    assert until_midnight is not None
    assert until_midnight.starts[-1] == date(2026, 11, 21)


def test_a_long_course_is_by_week_from_monday_on():
    report = cut(days=days(date(2026, 9, 24), 1, 2) | days(date(2026, 9, 28), 3, 4))
    sixty_two = course(report, "2026-09-25", "2026-11-25")
    assert sixty_two is not None
    assert (sixty_two.is_weekly, len(sixty_two.starts)) == (False, 62)
    found = course(report, "2026-09-24", "2026-11-25")
    assert found is not None
    assert (found.is_weekly, found.starts[0], len(found.starts)) == (True, date(2026, 9, 21), 10)
    assert found.counts[:3] == ({"cases": 3}, {"cases": 7}, {})


def test_a_course_has_the_last_160_points():
    found = course(cut(), "2020-01-01", "2026-11-25")
    assert found is not None
    assert (len(found.starts), found.starts[-1]) == (160, date(2026, 11, 23))


def test_a_week_stands_beside_the_same_days_of_the_periods_before():
    """2026-09-24 is a Thursday: the first week of the period has four of its days, and so have those beside it."""
    ones = [1] * 64
    report = cut(
        days=days(date(2026, 9, 24), *ones[:63]),
        days_before=days(date(2026, 7, 23), *ones),
        days_year_before=days(date(2025, 9, 24), *ones[:63]),
    )
    found = course(report, "2026-09-24", "2026-11-25")
    assert found is not None
    sums = [count["cases"] for count in found.counts]
    assert sums == [4, *[7] * 8, 3]
    assert [one and one["cases"] for one in found.year_before] == sums
    assert [one and one["cases"] for one in found.before] == [*sums[:-1], 4]  # this one still runs


def test_of_a_course_that_was_cut_the_last_weeks_stand_beside_the_last_ones():
    newest = {date(2026, 11, 23): {"cases": 5}}
    report = cut(
        days=newest, days_year_before={date(2025, 11, 23): {"cases": 6}, date(2025, 11, 24): {"cases": 1}}
    )
    found = course(report, "2020-01-01", "2026-11-25")
    assert found is not None
    assert found.counts[-1] == {"cases": 5}
    assert found.year_before[-1] == {"cases": 7}


def test_the_charts_of_a_course():
    report = cut(
        days={
            date(2026, 11, 20): {"cases": 9, "cases_ours": 8, "verified_contact": 6, "dissuaded": 2},
            date(2026, 11, 21): {"cases": 1, "cases_ours": 4},
        },
        days_before=days(date(2026, 11, 18), 4),
    )
    found = course(report, "2026-11-20", "2026-11-21")
    assert found is not None
    chart = count_chart(found, "cases", Lang.EN)
    assert (chart.kind, chart.title, chart.labels, chart.percent) == (
        ChartKind.LINES, "cases by day", ["11-20", "11-21"], False,
    )  # fmt: skip
    assert [(sery.name, sery.values) for sery in chart.series] == [
        ("This period", [9, 1]),
        ("Period before", [4, None]),
    ]
    shares = rate_chart(found, Lang.EN)
    assert (shares.kind, shares.labels, shares.percent) == (ChartKind.LINES, ["11-20", "11-21"], True)
    assert shares.title == "Rates by the day or week in which the case was opened"
    assert [(sery.name, sery.values) for sery in shares.series] == [
        ("Verified contact", [0.75, 0.0]),
        ("Dissuaded", [0.25, 0.0]),
    ]
    weekly = course(report, "2026-08-01", "2026-11-25")
    assert weekly is not None
    assert count_chart(weekly, "cases", Lang.EN).title == "cases by week"
    of_one = count_chart(weekly, "dissuaded", Lang.EN).series[0].values
    assert (sum(one or 0 for one in of_one), len(of_one)) == (2, 18)
    year = course(cut(days_year_before=days(date(2025, 11, 20), 6)), "2026-11-20", "2026-11-21")
    assert year is not None
    assert [sery.name for sery in count_chart(year, "cases", Lang.EN).series] == [
        "This period",
        "A year before",
    ]
    quiet = count_chart(year, "visits", Lang.EN).series
    assert [one.values for one in quiet] == [[0, 0], [0, None]]
    assert rate_chart(year, Lang.EN).series[0].values == [None, None]


def test_the_times_of_all_grades_are_added_up():
    assert Waits(by_grade={Grade.HIGH: (1,) * 12, Grade.LOW: tuple(range(12))}).total == tuple(range(1, 13))
    assert Waits(by_grade={}).total == (0,) * 12


def test_the_chart_of_times_has_a_fill_for_each_grade():
    chart = waits_chart(waits(0), wait_bars(Lang.EN), "Waiting", Lang.EN)
    assert (chart.kind, chart.title, chart.labels) == (ChartKind.COLUMNS, "Waiting", wait_bars(Lang.EN))
    assert [sery.values for sery in chart.series] == list(waits(0).by_grade.values())
    assert [sery.name for sery in chart.series][:2] == ["extra high", "high"]


def test_the_chart_of_values_has_their_intervals():
    rates = [rates_of(one.counts) for one in (WHOLE, part())]
    chart = beside_chart(["东区", "西区"], rates, "Compared", Lang.EN)
    assert (chart.kind, chart.title, chart.labels, chart.percent) == (
        ChartKind.BARS, "Compared", ["东区", "西区"], True,
    )  # fmt: skip
    contact, won = chart.series
    assert (contact.name, contact.values) == ("Verified contact", [0.625, None])
    assert (won.name, won.values) == ("Dissuaded", [0.375, None])
    for one, value in ((contact, 0.625), (won, 0.375)):
        assert one.low[0] is not None
        assert one.high[0] is not None
        assert one.low[0] < value < one.high[0]
        assert (one.low[1], one.high[1]) == (None, None)
    alone = beside_chart(["东区"], rates[:1], "Compared", Lang.EN)
    assert [sery.name for sery in alone.series] == ["Verified contact", "Dissuaded"]


def test_the_times_stand_in_twelve_bars():
    assert wait_bars(Lang.EN) == (
        "under 10 s", "10 s – 30 s", "30 s – 1 min", "1 min – 2 min", "2 min – 5 min", "5 min – 10 min",
        "10 min – 30 min", "30 min – 1 h", "1 h – 4 h", "4 h – 12 h", "12 h – 1 day", "over 1 day",
    )  # fmt: skip
    assert WAIT_BOUNDS_SECONDS == (10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 43_200, 86_400)


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def test_the_calendar_of_a_year_has_each_month_and_day():
    first = date(2025, 11, 19)
    seen = {first: {"warnings": 5}, date(2026, 11, 25): {"warnings": 1_000}, date(2026, 1, 5): {"cases": 3}}
    drawn = str(calendar_of(cut(days=seen), Lang.EN))
    wide = drawn.partition("</svg>")[0]
    told = re.findall(r">([A-Z][a-z]+)</text>", wide)
    assert set(told) == {*MONTHS, "Mon", "Wed", "Fri", "Sun"}
    assert 'aria-label="Warnings by day"' in wide
    assert "<title>2025-11-19: 5</title>" in wide
    assert "<title>2026-11-25: 1,000</title>" in wide
    assert "<title>2026-01-05: 0</title>" in wide
    assert "<title>2026-01-06: 0</title>" in wide
    assert 'id="calendar-wide-f0"' in wide
    assert wide.count("<title>") == 372
    assert f'x="{max(width_of(one) for one in WEEKDAYS) + 6:.1f}"' in wide
    chinese = str(calendar_of(cut(days=seen), Lang.ZH)).partition("</svg>")[0]
    assert set(re.findall(r">([^<]*月|[一三五日])</text>", chinese)) == {
        *(f"{n}月" for n in range(1, 13)), "一", "三", "五", "日",
    }  # fmt: skip
    earlier = {first - timedelta(days=1): {"warnings": 7}}
    assert "2025-11-18" not in calendar_of(cut(days=seen | earlier), Lang.EN)


def test_fewer_than_fourteen_days_are_no_calendar():
    first = date(2026, 11, 1)
    assert calendar_of(cut(), Lang.EN) == ""
    for length, is_drawn in ((13, False), (14, True)):
        seen = {first: {"warnings": 1}, first + timedelta(days=length - 1): {"warnings": 1}}
        assert (calendar_of(cut(days=seen), Lang.EN) != "") is is_drawn


SQUARE = [[107.0, 40.0], [108.0, 40.0], [108.0, 41.0], [107.0, 41.0], [107.0, 40.0]]


def test_the_map_is_the_darker_the_higher_the_rate():
    slices = {
        "": part(cases_ours=5, dissuaded=5),
        "2": part(cases_ours=8, dissuaded=6),
        "1": part(cases_ours=2_000, dissuaded=200),
        "3": part(cases_ours=4),
        "5": part(cases_ours=9, dissuaded=9),
    }
    report = cut(Dimension.UNIT, slices)
    boundaries = {number: [SQUARE] for number in (1, 2, 3, 4)}
    drawn = str(map_of(report, boundaries, {"2": "/rates?unit=2"}, Lang.EN))
    areas = re.findall(r'<path class="area h(\d)"[^>]*><title>([^<]*)</title>', drawn)
    assert areas == [
        ("1", "市局: 10.0% (200/2,000)"),
        ("5", "东区: 75.0% (6/8)"),
        ("0", "3: 0.0% (0/4)"),
        ("0", "4: —"),
    ]
    assert drawn.count("<a href") == 1
    assert 'id="map-f0"' in drawn
    assert '<a href="/rates?unit=2"><path class="area h5"' in drawn
    assert 'aria-label="Rate of dissuasion on the map"' in drawn
    assert map_of(report, {}, {}, Lang.EN) == ""


def sheet_of(sheets: tuple[Sheet, ...], title: str) -> Sheet:
    [found] = [sheet for sheet in sheets if sheet.title == title]
    return found


WORK = Workload(
    login="li", human_calls=1, visits=2, reached=3, feedback_in_time=4, held=5, days=6, minutes=7.5
)


def test_a_file_has_what_stands_beside_the_rates():
    report = cut(
        days={date(2026, 11, 21): {"cases": 2}, date(2026, 11, 20): dict.fromkeys(TREND, 1)},
        workload=(WORK,),
        contacted=waits(100),
        **EARLIER,
        **DAYS,
    )
    bars = wait_bars(Lang.EN)
    sheets = further_sheets(report, bars, Lang.EN)
    assert [sheet.title for sheet in sheets] == [
        "From the warning to the success", "Day", "Work load", "Compared with earlier periods", "Today",
        "Time to verified contact",
    ]  # fmt: skip
    funnel, by_day, work, compared, today, contacted = sheets
    assert funnel.head == ["Figure", "Value", "Lost", ""]
    assert funnel.rows[0] == ["warnings", 1_200, None, ""]
    assert funnel.rows[1] == ["cases", 900, 300, "joined a case that was open already"]
    assert len(funnel.rows) == len(FUNNEL)
    assert by_day.head == ["Day", *(count_word(name, Lang.EN) for name in TREND)]
    assert by_day.rows == [
        ["2026-11-20", *[1] * len(TREND)],
        ["2026-11-21", *(2 if name == "cases" else 0 for name in TREND)],
    ]
    assert work.head == [
        "Member of staff", "human calls", "visits", "Right person reached",
        count_word("feedback_in_time", Lang.EN), "Held now", "Days", "Minutes to the report, median",
    ]  # fmt: skip
    assert work.rows == [["李警官", 1, 2, 3, 4, 5, 6, 7.5]]
    assert compared.head == [
        "Figure", "This period", "A year before", "On the year", "Period before", "On the period before",
    ]  # fmt: skip
    assert compared.rows[0] == ["warnings", "1,200", "1,600", "-25.0%", "0", "—"]
    assert today.head == [
        "Figure", "Today so far", "Yesterday until then", "Against yesterday", "Chosen period",
    ]  # fmt: skip
    assert today.rows[1] == ["cases", "9", "6", "+50.0%", "900"]
    assert contacted.head == ["Grade", *bars]
    assert contacted.rows[0] == ["extra high", *range(100, 112)]


def test_a_file_leaves_out_what_is_not_known():
    titles = [further_sheet.title for further_sheet in further_sheets(cut(), wait_bars(Lang.EN), Lang.EN)]
    assert titles == ["From the warning to the success", "Day", "Work load"]


@pytest.mark.parametrize("lang", Lang)
def test_no_head_of_a_file_is_in_the_other_language(lang: Lang):
    report = cut(
        Dimension.UNIT,
        {"2": WHOLE},
        adjusted={"2": dict.fromkeys(("verified_contact", "dissuaded"), NOISE)},
        workload=(WORK,),
        contacted=waits(1),
        **EARLIER,
        **DAYS,
    )
    sheets = (*rate_sheets(report, lang, ZoneInfo(ZONE)), definitions_sheet(lang), about_sheet(MADE, report, lang),
              all_counts_sheet(WHOLE, [], lang))  # fmt: skip
    told = [text for sheet in sheets for text in (sheet.title, *sheet.head) if text]
    if lang is Lang.ZH:
        assert [text for text in told if not re.search(r"[\u4e00-\u9fff]", text)] == []
    else:
        assert [text for text in told if not text.replace("–", "").isascii()] == []


NOISE = Adjusted(
    standing=Standing.NOISE,
    share=0.5,
    rest=0.4,
    difference=0.1,
    interval=Interval(low=-0.05, high=0.25),
    compared=40,
)
BELOW = Adjusted(
    standing=Standing.BELOW,
    share=0.3,
    rest=0.4,
    difference=-0.1,
    interval=Interval(low=-0.25, high=-0.0123),
    compared=40,
)


def test_how_a_unit_compares_is_said_in_points():
    assert standing_sentence({"dissuaded": BELOW}, Lang.EN) == (
        "Below the rest by 10.0 points (-25.0 to -1.2)"
    )
    assert standing_sentence({"verified_contact": NOISE}, Lang.EN, "verified_contact") == (
        "The difference from the rest is within chance: -5.0 to +25.0 points"
    )
    too_few = Adjusted(standing=Standing.TOO_FEW, share=0.5, rest=0.4, difference=0.1)
    assert standing_sentence({"dissuaded": too_few}, Lang.EN) == "Too few cases to compare"
    assert standing_sentence({"verified_contact": NOISE}, Lang.EN) == ""


def test_the_rates_of_a_file():
    slices = {"high": WHOLE, "low": part(cases=3)}
    sheets = rate_sheets(cut(slices=slices), Lang.EN, ZoneInfo(ZONE))
    rates, beside, first_calls, amounts, counts, *_ = sheets
    assert (rates.title, beside.title, first_calls.title, amounts.title, counts.title) == (
        "Rates", "By grade", "Time to first call", "Amounts in yuan", "Counts",
    )  # fmt: skip
    assert rates.head == [
        "Rate", "Value", "Numerator", "Denominator", "95 % from", "95 % to", "Window", "Left out", "Definition",
    ]  # fmt: skip
    [contact] = [row for row in rates.rows if row[0] == "Verified contact"]
    [of_counts] = [rate for rate in rates_of(WHOLE.counts) if rate.definition.name == "verified_contact"]
    assert of_counts.interval is not None
    assert contact == [
        "Verified contact", 0.625, 500, 800, of_counts.interval.low, of_counts.interval.high,
        "by when the case was opened", f"{count_word('cases_not_ours', Lang.EN)} 100", of_counts.definition.says,
    ]  # fmt: skip
    [nothing] = [row for row in rates.rows if row[0] == "Answered, per attempt"]
    assert nothing[1:6] == [None, 0, 0, None, None]
    assert nothing[7] == ""
    head, (high, low) = beside.head, beside.rows
    assert head[: len(SHOWN_BESIDE) + 1] == ["", *(count_word(name, Lang.EN) for name in SHOWN_BESIDE)]
    titles = [
        "Answered, per person",
        "Verified contact",
        "Dissuaded",
        "Successes proven",
        "First attempt in time",
    ]
    assert head[len(SHOWN_BESIDE) + 1 :] == [
        text for title in titles for text in (title, "95 % from", "95 % to")
    ]
    assert high[0] == "high"
    assert high[1 : len(SHOWN_BESIDE) + 1] == [
        1_200, 900, 1_500, 90, 30, 500, 300, 100, 50, 60, 7,
    ]  # fmt: skip
    at = head.index("Verified contact")
    assert high[at : at + 3] == [0.625, of_counts.interval.low, of_counts.interval.high]
    assert low[at : at + 3] == [None, None, None]
    assert first_calls.head == ["Grade", *wait_bars(Lang.EN)]
    assert first_calls.rows == [
        [name, *counts]
        for name, counts in zip(
            ("extra high", "high", "medium", "low"), waits(0).by_grade.values(), strict=True
        )
    ]
    assert amounts.head == ["", "Approved", "Waiting for approval", "Reversed"]
    assert [row[1:] for row in amounts.rows] == [
        [1_000 * n, 1_000 * n + 0.01, 1_000 * n + 0.02] for n in (1, 2, 3)
    ]
    assert counts.head == ["Figure", "Value"]
    assert counts.rows == [
        ["As of", "2026-11-25 10:00:00 +0800"],
        *([count_word(name, Lang.EN), FUNNEL_COUNTS[name]] for name in FUNNEL),
        ["Half of the first calls within, seconds", 30.5],
        ["Nine of ten first calls within, seconds", 61.0],
    ]


def test_a_file_by_unit_says_how_each_compares():
    adjusted = {"2": {"verified_contact": NOISE, "dissuaded": BELOW}}
    report = cut(Dimension.UNIT, {"2": WHOLE}, adjusted=adjusted)
    [sheet] = [
        rate_sheet
        for rate_sheet in rate_sheets(report, Lang.EN, ZoneInfo(ZONE))
        if rate_sheet.title == "By unit"
    ]
    assert sheet.head[-6:] == [
        "Verified contact: adjusted", "Verified contact: the rest, adjusted", "Verified contact: comparison",
        "Dissuaded: adjusted", "Dissuaded: the rest, adjusted", "Dissuaded: comparison",
    ]  # fmt: skip
    told = (
        standing_sentence(adjusted["2"], Lang.EN, "verified_contact"),
        standing_sentence(adjusted["2"], Lang.EN),
    )
    assert sheet.rows == [
        [*sheet.rows[0][:-6], 0.5, 0.4, told[0], 0.3, 0.4, told[1]],
    ]


def names(dimension: Dimension, *values: str, lang: Lang = Lang.EN) -> list[str]:
    report = cut(dimension)
    return [name_of(report, value, lang) for value in values]


def test_a_value_is_told_by_its_name():
    assert names(Dimension.GRADE, "extra_high") == ["extra high"]
    assert names(Dimension.FRAUD_TYPE, "loan", lang=Lang.ZH) == ["虚假贷款"]
    assert names(Dimension.HOUR, "0", "9", "23") == ["00:00", "09:00", "23:00"]
    assert names(Dimension.UNIT, "2", "77", "") == ["东区", "77", "No unit yet"]
    assert names(Dimension.SCRIPT, "own", "") == ["own", "Not called yet"]
    assert names(Dimension.VERSION, "own@at@3", "") == ["own@at 3", "Not called yet"]
    assert names(Dimension.PERSON, "li", "gone", "") == [
        "李警官", "gone", "Nobody: the robot alone, or not reported yet",
    ]  # fmt: skip
    assert names(Dimension.SOURCE, "通联", "") == ["通联", ""]


def shown(dimension: Dimension, slices: Mapping[str, Slice]) -> list[str]:
    return [line.value for line in rate_lines(cut(dimension, slices), Lang.EN)]


def test_grades_types_and_hours_keep_their_order_and_others_begin_with_the_largest():
    assert shown(Dimension.GRADE, dict.fromkeys(("low", "extra_high", "medium"), part())) == [
        "extra_high", "medium", "low",
    ]  # fmt: skip
    kinds = [kind.value for kind in FraudType]
    assert shown(Dimension.FRAUD_TYPE, dict.fromkeys(reversed(kinds), part())) == kinds
    hours = [str(hour) for hour in range(24)]
    assert shown(Dimension.HOUR, dict.fromkeys(sorted(hours), part())) == hours
    sources = {"b": part(cases=1), "c": part(cases=5), "a": part(cases=1)}
    assert shown(Dimension.SOURCE, sources) == ["c", "a", "b"]
    [line] = rate_lines(cut(Dimension.UNIT, {"2": WHOLE}, adjusted={"2": {"dissuaded": BELOW}}), Lang.EN)
    assert line == RateLine(
        value="2",
        name="东区",
        part=WHOLE,
        rates=tuple(
            rate
            for rate in rates_of(WHOLE.counts)
            if rate.definition.name
            in {"answered_per_person", "verified_contact", "dissuaded", "proven", "first_attempt_in_time"}
        ),
        adjusted={"dissuaded": BELOW},
    )


MADE = ExportInfo(
    by="li",
    at=NOW + timedelta(minutes=5),
    zone=ZoneInfo(ZONE),
    given={"from": "2026-11-01", "by": "grade", "grade": "", "at": "x"},
    drill=False,
)


def test_a_file_says_who_made_it_from_what():
    assert MADE.name == "rates-20261125-1005"
    sheet = about_sheet(MADE, cut(), Lang.EN)
    assert (sheet.title, sheet.head) == ("About this file", ["", ""])
    rows = [
        ["Made by", "li"],
        ["Made at", "2026-11-25 10:05:00 +0800"],
        ["Figures as of", "2026-11-25 10:00:00 +0800"],
        ["Version of the definitions", definitions_version()],
        ["Persons", "none: figures only"],
    ]
    given = [["From", "2026-11-01"], ["Compared by", "grade"]]
    assert sheet.rows == [*rows, *given]
    drill = ExportInfo(by="li", at=MADE.at, zone=MADE.zone, given=MADE.given, drill=True)
    told = about_sheet(drill, cut(), Lang.EN)
    assert told.rows == [*rows, ["Drill", "no real phone was called"], *given]


def test_a_file_names_each_filter_that_was_set():
    given = {
        "from": "2026-11-01", "to": "2026-11-30", "by": "hour", "unit": "7", "grade": "high", "type": "loan",
        "source": "通联", "script": "own", "version": "own@3", "hour": "9", "person": "li",
    }  # fmt: skip
    made = ExportInfo(by="li", at=NOW, zone=ZoneInfo(ZONE), given=given, drill=False)
    assert about_sheet(made, cut(), Lang.EN).rows[5:] == [
        ["From", "2026-11-01"],
        ["To", "2026-11-30"],
        ["Compared by", "hour"],
        ["Unit", "7"],
        ["Grade", "high"],
        ["Fraud type", "loan"],
        ["Source", "通联"],
        ["Script", "own"],
        ["Script version", "own@3"],
        ["Hour of opening", "9"],
        ["Caller or officer", "li"],
    ]
    assert re.fullmatch("[0-9a-f]{12}", definitions_version())


def test_a_rate_names_all_that_it_leaves_out():
    counts = {"robot_calls_counted": 4, "robot_calls_under_way": 3, "robot_calls_unknown": 2}
    [sheet] = [
        rate_sheet
        for rate_sheet in rate_sheets(
            cut(breakdown=Breakdown(dimension=Dimension.GRADE, total=part(**counts), slices={})),
            Lang.EN,
            ZoneInfo(ZONE),
        )
        if rate_sheet.title == "Rates"
    ]
    [row] = [row for row in sheet.rows if row[0] == "Answered, per attempt"]
    names = [count_word(name, Lang.EN) for name in ("robot_calls_under_way", "robot_calls_unknown")]
    assert row[7] == f"{names[0]} 3; {names[1]} 2"


def test_a_file_has_every_count_of_every_value():
    sheet = all_counts_sheet(WHOLE, [("high", "High", part(fen=100, cases=3))], Lang.EN)
    assert sheet.title == "All counts"
    assert sheet.head[: len(COUNT_NAMES) + 1] == ["", *(count_word(name, Lang.EN) for name in COUNT_NAMES)]
    money = sheet.head[len(COUNT_NAMES) + 1 :]
    assert len(money) == 9
    assert money[1].endswith(": Waiting for approval (yuan)")
    whole, high = sheet.rows
    assert whole[: len(COUNT_NAMES) + 1] == [
        "All together",
        *(getattr(WHOLE.counts, name) for name in COUNT_NAMES),
    ]
    assert high[: len(COUNT_NAMES) + 1] == ["High", *(3 if name == "cases" else 0 for name in COUNT_NAMES)]
    assert high[len(COUNT_NAMES) + 1 :] == [1, 1.01, 1.02, 2, 2.01, 2.02, 3, 3.01, 3.02]


def test_a_file_defines_its_rates():
    sheet = definitions_sheet(Lang.EN)
    assert (sheet.title, len(sheet.rows)) == ("Definitions", len(DEFINITIONS))
    assert sheet.head == [
        "Rate", "Numerator", "Denominator", "Window", "Left out", "Definition", "Version", "Name in the JSON",
    ]  # fmt: skip
    [row] = [row for row in sheet.rows if row[-1] == "false_alarms"]
    assert row == [
        "False alarms", count_word("false_alarms", Lang.EN), count_word("found", Lang.EN),
        "by when the case was opened",
        f"{count_word('cases_open', Lang.EN)}; {count_word('found_nothing', Lang.EN)}",
        ("Of the cases where somebody found out what was behind the warning, those where its record was wrong:"
        " not the person, or a mismatch."),
        2, "false_alarms",
    ]  # fmt: skip


def test_the_columns_of_a_parquet_file_are_the_words_of_the_json():
    slices = {"high": part(fen=100, cases=3)}
    columns = list(parquet_columns(cut(slices=slices), [("high", "High", slices["high"])]))
    cells = {name: (kind, list(values)) for name, kind, values in columns}
    amounts = [
        f"{kind}_{state}_fen" for kind in AmountKind for state in ("approved", "unapproved", "reversed")
    ]
    rates = [f"{one.name}.{end}" for one in DEFINITIONS for end in ("value", "low", "high")]
    assert list(cells) == ["value", "name", *COUNT_NAMES, *amounts, *rates]
    assert cells["value"] == ("string", [None, "high"])
    assert cells["name"] == ("string", [None, "High"])
    assert {cells[name][0] for name in (*COUNT_NAMES, *amounts)} == {"int64"}
    assert {cells[name][0] for name in rates} == {"float64"}
    assert cells["cases"][1] == [900, 3]
    assert cells["stopped_unapproved_fen"][1] == [200_001, 201]
    [rate] = [one for one in rates_of(WHOLE.counts) if one.definition.name == "dissuaded"]
    assert rate.interval is not None
    assert cells["dissuaded.value"][1] == [0.375, None]
    assert cells["dissuaded.low"][1] == [rate.interval.low, None]
    assert cells["dissuaded.high"][1] == [rate.interval.high, None]


def test_a_parquet_file_says_who_made_it_from_what():
    about = parquet_about(MADE, cut())
    definitions = about.pop("definitions")
    assert isinstance(definitions, list)
    assert [definition["name"] for definition in definitions] == [one.name for one in DEFINITIONS]
    assert about == {
        "made_by": "li",
        "made_at": "2026-11-25T02:05:00+00:00",
        "generated_at": "2026-11-25T02:00:00+00:00",
        "timezone": ZONE,
        "drill": False,
        "by": "grade",
        "given": {"from": "2026-11-01", "by": "grade", "at": "x"},
        "definitions_version": definitions_version(),
    }
