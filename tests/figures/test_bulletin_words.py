"""What a bulletin says, of figures that are made up here: every sentence, every table and every chart of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

import docx
import docx.text.paragraph
import pytest

from dialer.core.intervals import Adjusted, Standing
from dialer.core.periods import BulletinDays, BulletinKind, BulletinState, bulletin_days
from dialer.core.rates import Breakdown, Counts, Dimension, FirstAttempt, Money, Slice, Waits
from dialer.core.text import Lang
from dialer.core.values import AmountKind, FraudType, Grade
from dialer.figures.bulletin_text import (
    BulletinSection,
    bulletin_document,
    bulletin_sections,
    numbered_sections,
    ranked_units,
    trend_chart,
)
from dialer.figures.bulletin_words import (
    change_words,
    days_words,
    local_words,
    money_words,
    state_words,
    title_of,
)
from dialer.figures.bulletins import Bulletin, BulletinFigures, BulletinLine
from dialer.figures.report import CutReport
from dialer.outcomes.filed_figures import FiledCount, FiledFigures
from dialer.web.charts import Chart, ChartKind

OCTOBER = bulletin_days(BulletinKind.MONTH, "2026-10")
WEEK = bulletin_days(BulletinKind.WEEK, "2026-W48")
DAY = bulletin_days(BulletinKind.DAY, "2026-11-05")
AT = datetime(2026, 11, 1, 0, 5, tzinfo=UTC)
NOTHING = Slice(counts=Counts(), first_attempt=FirstAttempt(), amounts={kind: Money() for kind in AmountKind})


def a_slice(**counts: int) -> Slice:
    return replace(NOTHING, counts=Counts(**counts))


def money(intended: Money, stopped: Money, returned: Money) -> dict[AmountKind, Money]:
    return {AmountKind.INTENDED: intended, AmountKind.STOPPED: stopped, AmountKind.RETURNED: returned}


def filed(cases: int, amount_fen: int, *, warned: int = 0, doubtful: int = 0) -> FiledFigures:
    total = FiledCount(key="", filed=cases, warned=warned, doubtful=doubtful, amount_fen=amount_fen)
    return FiledFigures(total=total, by_type=(), by_unit=())


NOW = replace(
    a_slice(
        warnings=1_200, cases=1_000, cases_ours=800, robot_calls=2_400, human_calls=1_310, visits=1_060,
        verified_contact=600, dissuaded=480, cases_proven=1_400, cases_watching=1_080,
        defrauded_after_warning=10, cases_missed=1_012, cases_reversed=1_007,
        first_attempt_counted=850, first_attempt_in_time=800, feedback_counted=3_350, feedback_in_time=2_330,
        cases_not_ours=200, judged=2_000, succeeded=2_007,
    ),
    first_attempt=FirstAttempt(cases=850, p50_seconds=95, p90_seconds=610),
    amounts=money(
        Money(approved_fen=123_456_789), Money(approved_fen=999_999, unapproved_fen=25_005),
        Money(approved_fen=1_000_000, unapproved_fen=700),
    ),
)  # fmt: skip
BEFORE = replace(
    a_slice(
        warnings=1_000, cases=1_000, cases_ours=800, human_calls=1_638, visits=1_060, verified_contact=616,
        dissuaded=480, defrauded_after_warning=8,
    ),
    amounts=money(Money(approved_fen=246_913_578), Money(), Money(approved_fen=800_000)),
)  # fmt: skip
YEAR_BEFORE = replace(
    a_slice(
        warnings=1_600, cases=500, cases_ours=400, robot_calls=2_400, visits=0, verified_contact=280, dissuaded=260,
        first_attempt_counted=100, first_attempt_in_time=50,
    ),
    amounts=money(Money(approved_fen=100_000_000), Money(), Money()),
)  # fmt: skip
UNITS = {
    "1": a_slice(cases_ours=1_300, verified_contact=1_200, dissuaded=1_040),
    "2": a_slice(cases_ours=300, verified_contact=150, dissuaded=60),
    "3": a_slice(cases_ours=100, verified_contact=90, dissuaded=80),
    "4": a_slice(warnings=5),
    "5": a_slice(cases_ours=10, verified_contact=9, dissuaded=1),
    "": a_slice(cases_ours=7, dissuaded=7),
}
STANDINGS = {"1": Standing.ABOVE, "2": Standing.BELOW, "3": Standing.NOISE}


def report_of(total: Slice = NOW, **changed: object) -> CutReport:
    given: dict[str, object] = {
        "generated_at": AT,
        "breakdown": Breakdown(dimension=Dimension.UNIT, total=total, slices=UNITS),
        "waits": Waits(by_grade={}),
        "unit_names": {"1": "东区", "2": "西区", "3": "旗"},
        "adjusted": {unit: {"dissuaded": Adjusted(standing=one)} for unit, one in STANDINGS.items()},
        "before": BEFORE,
        "year_before": YEAR_BEFORE,
        "days": {date(2026, 10, 1): {"warnings": 7}, date(2026, 10, 3): {}},
        "days_before": {date(2026, 9, 2): {"warnings": 5}},
        "days_year_before": {date(2025, 10, 2): {"warnings": 4}},
    }
    return CutReport(**(given | changed))


def figures_of(days: BulletinDays = OCTOBER, **changed: object) -> BulletinFigures:
    given: dict[str, object] = {
        "days": days,
        "timezone": "Asia/Shanghai",
        "drill": False,
        "is_over": True,
        "report": report_of(),
        "by_grade": dict.fromkeys(Grade, NOTHING)
        | {Grade.HIGH: a_slice(warnings=1_100, cases=9, cases_ours=8, verified_contact=6, dissuaded=4)},
        "by_fraud_type": {
            FraudType.LOAN: a_slice(
                warnings=300, cases=1_001, cases_ours=16, verified_contact=8, defrauded_after_warning=3
            ),
            FraudType.SHOPPING: a_slice(warnings=100),
            FraudType.INVESTMENT: a_slice(warnings=600, cases_ours=4, dissuaded=3),
            FraudType.ROMANCE: a_slice(cases=1),
            FraudType.FAKE_ORDER_REBATE: a_slice(warnings=200),
            FraudType.UNKNOWN: NOTHING,
        },
        "filed": filed(1_120, 33_000_000, warned=50, doubtful=20),
        "filed_before": filed(1_120, 44_000_000),
        "filed_year_before": filed(1_400, 30_000_000),
    }
    return BulletinFigures(**(given | changed))


def said(figures: BulletinFigures, heading: str, lang: Lang = Lang.EN) -> BulletinSection:
    return next(part for part in bulletin_sections(figures, lang) if part.heading == heading)


def test_the_first_section_compares_with_the_year_before_and_the_period_before():
    part = said(figures_of(), "Overall")
    assert part.paragraphs == [
        (
            "In October 2026 the centre received 1,200 warnings (down 25.0% on the year, up 20.0% on the period"
            " before), which made 1,000 cases (up 100.0% on the year, as many as in the period before)."
        ),
        (
            "The dissuasion robot made 2,400 calls (as many as a year before, none in the period before), callers made"
            " 1,310 calls (none a year before, down 20.0% on the period before), and officers made 1,060 visits (none a"
            " year before, as many as in the period before)."
        ),
        (
            "The rate of verified contact is 75.0% (600 of 800; 95% interval 71.9% to 77.9%), up 5.0 points on the"
            " year, down 2.0 points on the period before."
        ),
        (
            "The rate of dissuasion is 60.0% (480 of 800; 95% interval 56.6% to 63.3%), down 5.0 points on the year,"
            " unchanged on the period before. Of the successes 1,400 are proven, and 1,080 are provisional until their"
            " watch period is over."
        ),
        (
            "Approved by a second person: loss prevented 1,234,567.89 yuan, stopped at the bank 9,999.99 yuan, returned"
            " 10,000 yuan. The three are different things and are not added up."
        ),
        "Not counted, since they wait for approval: stopped at the bank 250.05 yuan, returned 7 yuan.",
    ]
    (table,) = part.tables
    assert table.head == [
        "Figure", "This period", "A year before", "On the year", "Period before", "On the period before",
    ]  # fmt: skip
    assert table.rows == [
        ["warnings", "1,200", "1,600", "-25.0%", "1,000", "+20.0%"],
        ["cases", "1,000", "500", "+100.0%", "1,000", "+0.0%"],
        ["robot calls", "2,400", "2,400", "+0.0%", "0", "—"],
        ["human calls", "1,310", "0", "—", "1,638", "-20.0%"],
        ["visits", "1,060", "0", "—", "1,060", "+0.0%"],
        ["verified contact", "600", "280", "+114.3%", "616", "-2.6%"],
        ["dissuaded", "480", "260", "+84.6%", "480", "+0.0%"],
        ["defrauded after warning", "10", "0", "—", "8", "+25.0%"],
        ["loss prevented, yuan", "1,234,568", "1,000,000", "+23.5%", "2,469,136", "-50.0%"],
        ["stopped at the bank, yuan", "10,000", "0", "—", "0", "—"],
        ["returned, yuan", "10,000", "0", "—", "8,000", "+25.0%"],
    ]
    assert (len(table.shares), table.words) == (6, 1)


def test_the_first_section_without_anything_to_compare_with():
    alone = figures_of(report=report_of(before=None, year_before=None, days_before={}, days_year_before={}))
    part = said(alone, "Overall")
    assert part.paragraphs[0] == (
        "In October 2026 the centre received 1,200 warnings, which made 1,000 cases."
    )
    assert part.paragraphs[2] == (
        "The rate of verified contact is 75.0% (600 of 800; 95% interval 71.9% to 77.9%)."
    )
    assert {tuple(row[2:]) for row in part.tables[0].rows} == {("—", "—", "—", "—")}
    assert [sery.name for sery in part.charts[0].series] == ["This period"]
    nothing = said(figures_of(report=report_of(NOTHING)), "Overall").paragraphs
    assert len(nothing) == 5, "no amount waits"
    assert nothing[2].startswith("The rate of verified contact is no rate: nothing to divide by.")


def test_the_first_section_in_chinese():
    assert said(figures_of(), "总体情况", Lang.ZH).paragraphs == [
        (
            "2026年10月，全市共接收预警 1,200 条（同比下降 25.0%，环比上升 20.0%），形成预警单 1,000 件（同比上升"
            " 100.0%，环比持平）。"
        ),
        (
            "劝阻机器人外呼 2,400 次（同比持平，上期为零），人工电话劝阻 1,310 次（上年同期为零，环比下降 20.0%），"
            "见面劝阻 1,060 次（上年同期为零，环比持平）。"
        ),
        "核实本人率 75.0%（600/800，95%置信区间 71.9%—77.9%），同比上升 5.0 个百分点，环比下降 2.0 个百分点。",
        (
            "劝阻成功率 60.0%（480/800，95%置信区间 56.6%—63.3%），同比下降 5.0 个百分点，环比持平；其中已确证 1,400"
            " 件，观察期内待确认 1,080 件。"
        ),
        "经第二人审批的劝阻金额 123.46万元，止付金额 9,999.99元，返还金额 1.00万元。三类金额口径不同，不相加。",
        "另有待审批金额未计入：止付金额 250.05元，返还金额 7元。",
    ]


def test_the_trend_sets_the_days_of_three_periods_side_by_side():
    chart = trend_chart(report_of(), OCTOBER, Lang.EN)
    assert chart is not None
    assert (chart.kind, chart.title) == (ChartKind.LINES, "warnings by day")
    assert chart.labels == [str(day) for day in range(1, 32)]
    assert [(sery.name, sery.values[:3]) for sery in chart.series] == [
        ("This period", [7.0, None, 0.0]),
        ("Period before", [None, 5.0, None]),
        ("A year before", [None, 4.0, None]),
    ]
    assert {len(sery.values) for sery in chart.series} == {31}
    cases = trend_chart(report_of(days={date(2026, 11, 23): {"cases": 3}}), WEEK, Lang.EN, "cases")
    assert cases is not None
    assert cases.title == "cases by day"
    assert cases.labels == ["11-23", "11-24", "11-25", "11-26", "11-27", "11-28", "11-29"]
    assert cases.series[0].values == [3.0, None, None, None, None, None, None]
    assert trend_chart(report_of(), DAY, Lang.EN) is None, "a single day is no line"
    two = replace(WEEK, last=date(2026, 11, 24))
    assert isinstance(trend_chart(report_of(), two, Lang.EN), Chart)
    assert said(figures_of(DAY), "Overall").charts == []


def test_filed_cases_and_whether_two_rise_and_two_fall():
    part = said(figures_of(), "Filed cases")
    assert part.paragraphs == [
        (
            "1,120 cases were filed with the police (down 20.0% on the year, as many as in the period before), with"
            " losses of 330,000 yuan (up 10.0% on the year, down 25.0% on the period before)."
        ),
        (
            "Of 1,100 filed cases that are matched, 50 had been warned before the loss: 4.5% (95% interval 3.5% to"
            " 5.9%). 1,050 had no warning in time."
        ),
        "Two up, two down against the same period of the year before: 3 of 4 hold.",
    ]
    (table,) = part.tables
    assert table.head == [
        "Two up, two down", "Aim", "This period", "A year before", "On the year", "Whether it holds",
    ]  # fmt: skip
    assert table.rows == [
        ["dissuaded", "should rise", "480", "260", "+84.6%", "holds"],
        ["loss prevented, yuan", "should rise", "1,234,568", "1,000,000", "+23.5%", "holds"],
        ["Filed cases", "should fall", "1,120", "1,400", "-20.0%", "holds"],
        ["Losses, yuan", "should fall", "330,000", "300,000", "+10.0%", "does not hold"],
    ]
    assert (len(table.shares), table.words) == (6, 2)


def test_what_stays_the_same_neither_rises_nor_falls():
    same = figures_of(report=report_of(year_before=NOW), filed_year_before=filed(1_120, 33_000_000))
    part = said(same, "Filed cases")
    assert part.paragraphs[-1].endswith("0 of 4 hold.")
    assert {row[-1] for row in part.tables[0].rows} == {"does not hold"}


def test_filed_cases_are_left_out_only_where_none_was_filed_at_any_time():
    none = {"filed": filed(0, 0), "filed_before": filed(0, 0), "filed_year_before": None}
    headings = [part.heading for part in bulletin_sections(figures_of(**none), Lang.EN)]
    assert "Filed cases" not in headings
    assert said(figures_of(**(none | {"filed_before": filed(1, 5)})), "Filed cases").paragraphs == [
        (
            "0 cases were filed with the police (down 100.0% on the period before), with losses of 0 yuan (down 100.0%"
            " on the period before)."
        )
    ]
    earlier = said(figures_of(**(none | {"filed_year_before": filed(1, 5)})), "Filed cases")
    assert len(earlier.tables) == 1
    first = said(figures_of(filed_before=None, filed_year_before=None), "Filed cases")
    assert first.paragraphs[0] == "1,120 cases were filed with the police, with losses of 330,000 yuan."
    assert (len(first.paragraphs), first.tables) == (2, [])
    no_year = said(figures_of(filed_year_before=filed(0, 0)), "Filed cases")
    assert no_year.tables == [], "nothing to rise or fall from"


def test_units_are_ranked_by_their_rate_then_by_their_cases():
    figures = figures_of()
    assert [unit for unit, _ in ranked_units(figures)] == ["1", "3", "2", "5"]
    part = said(figures, "Units")
    assert part.paragraphs[1:] == ["Above the rest: 东区.", "Below the rest: 西区."]
    (table,) = part.tables
    assert table.head == [
        "Rank", "Unit", "our cases", "Verified contact", "Dissuaded", "95 % interval", "Comparison",
    ]  # fmt: skip
    assert table.rows == [
        ["1", "东区", "1,300", "92.3% (1,200/1,300)", "80.0% (1,040/1,300)", "77.7%—82.1%", "above the rest"],
        ["2", "旗", "100", "90.0% (90/100)", "80.0% (80/100)", "71.1%—86.7%", "within chance"],
        ["3", "西区", "300", "50.0% (150/300)", "20.0% (60/300)", "15.9%—24.9%", "below the rest"],
        ["4", "5", "10", "90.0% (9/10)", "10.0% (1/10)", "1.8%—40.4%", "—"],
        ["—", "No unit yet", "7", "0.0% (0/7)", "100.0% (7/7)", "64.6%—100.0%", "—"],
    ]
    assert (len(table.shares), table.words) == (7, 2)
    (chart,) = part.charts
    (series,) = chart.series
    assert (chart.kind, chart.percent, chart.labels) == (ChartKind.BARS, True, ["东区", "旗", "西区", "5"])
    assert (chart.title, series.name) == ("Rate of dissuasion by unit, with its 95% interval", "Dissuaded")
    assert series.values == [0.8, 0.8, 0.2, 0.1]
    assert [f"{low:.3f} {high:.3f}" for low, high in zip(series.low, series.high, strict=True)] == [
        "0.777 0.821", "0.711 0.867", "0.159 0.249", "0.018 0.404",
    ]  # fmt: skip


def of_units(slices: dict[str, Slice], **changed: object) -> BulletinFigures:
    breakdown = Breakdown(dimension=Dimension.UNIT, total=NOW, slices=slices)
    return figures_of(report=report_of(breakdown=breakdown, **changed))


def test_how_many_units_are_shown_and_when():
    assert "Units" not in [part.heading for part in bulletin_sections(of_units({"4": UNITS["4"]}), Lang.EN)]
    one = said(of_units({"2": UNITS["2"]}, adjusted={}), "Units")
    assert (one.charts, len(one.tables[0].rows)) == ([], 1)
    assert one.paragraphs[1:] == ["No unit differs from the others by more than chance."]
    two = said(of_units({"2": UNITS["2"], "3": UNITS["3"]}), "Units")
    assert len(two.charts) == 1
    assert two.paragraphs[1:] == ["Below the rest: 西区."]
    many = {str(n): a_slice(cases_ours=100 + n) for n in range(1, 32)}
    above = {unit: {"dissuaded": Adjusted(standing=Standing.ABOVE)} for unit in ("1", "2", "31")}
    part = said(of_units(many, adjusted=above), "Units")
    assert [row[0] for row in part.tables[0].rows] == [str(n) for n in range(1, 31)]
    assert part.tables[0].rows[0][1] == "31", "of the same rate the one with more cases comes first"
    assert part.paragraphs[1:] == ["Above the rest: 31, 西区, 东区."]
    assert "31、西区、东区" in said(of_units(many, adjusted=above), "单位", Lang.ZH).paragraphs[1]


def test_grades_and_types_with_the_most_frequent_first():
    part = said(figures_of(), "Grades and fraud types")
    assert part.paragraphs == [
        "Most warnings are of these types: investment 600 (50.0%), loan 300 (25.0%), fake order rebate 200 (16.7%)."
    ]
    grades, types = part.tables
    names = [
        "warnings",
        "cases",
        "verified contact",
        "dissuaded",
        "Dissuaded, rate",
        "defrauded after warning",
    ]
    assert (grades.head, types.head) == (["Grade", *names], ["Fraud type", *names])
    assert grades.rows == [
        ["extra high", "0", "0", "0", "0", "—", "0"],
        ["high", "1,100", "9", "6", "4", "50.0% (4/8)", "0"],
        ["medium", "0", "0", "0", "0", "—", "0"],
        ["low", "0", "0", "0", "0", "—", "0"],
    ]
    assert types.rows == [
        ["investment", "600", "0", "0", "3", "75.0% (3/4)", "0"],
        ["loan", "300", "1,001", "8", "0", "0.0% (0/16)", "3"],
        ["fake order rebate", "200", "0", "0", "0", "—", "0"],
        ["shopping and services", "100", "0", "0", "0", "—", "0"],
        ["online romance", "0", "1", "0", "0", "—", "0"],
    ]
    assert {len(table.shares) for table in part.tables} == {7}
    chinese = said(figures_of(), "等级和类型情况", Lang.ZH).paragraphs
    assert chinese == [
        (
            "预警数量居前的类型依次为：虚假网络投资理财 600 条（占 50.0%）、虚假贷款 300 条（占 25.0%）、"
            "刷单返利 200 条（占 16.7%）。"
        )
    ]
    nothing = said(figures_of(by_fraud_type={FraudType.LOAN: NOTHING}), "Grades and fraud types")
    assert (nothing.paragraphs, nothing.tables) == ([], [])
    uncounted = said(figures_of(report=report_of(NOTHING)), "Grades and fraud types")
    assert (uncounted.paragraphs, len(uncounted.tables)) == ([], 2)


def test_what_was_done_in_time():
    assert said(figures_of(), "In time").paragraphs == [
        "Half of the cases were first called within 1 min 35 s, nine of ten within 10 min 10 s.",
        "First attempt in time: 94.1% (800 of 850; 95% interval 92.3% to 95.5%), up 44.1 points on the year.",
        "Feedback in time: 69.6% (2,330 of 3,350; 95% interval 68.0% to 71.1%).",
    ]
    signed = a_slice(sign_counted=4, signed_in_time=3)
    assert [
        text.partition(":")[0] for text in said(figures_of(report=report_of(signed)), "In time").paragraphs
    ] == ["Signed in time"]
    assert said(figures_of(report=report_of(NOTHING)), "In time").paragraphs == [
        "Nothing was due in this period."
    ]


def test_what_needs_attention():
    assert said(figures_of(), "Needs attention").paragraphs == [
        ("Defrauded after a warning: 1.0% (10 of 1,000; 95% interval 0.5% to 1.8%)."),
        "1,012 warnings expired before anybody was reached.",
        "1,020 human calls and visits were not reported in time.",
        "1,007 successes were reversed by a filed case.",
    ]
    calm = a_slice(cases=5, cases_ours=5, feedback_counted=3, feedback_in_time=3)
    assert said(figures_of(report=report_of(calm)), "Needs attention").paragraphs == [
        "Nothing is to be named here."
    ]


def test_each_rate_of_the_bulletin_is_defined_at_its_end():
    paragraphs = said(figures_of(), "What the figures mean").paragraphs
    assert [text.partition(": ")[0] for text in paragraphs[:-1]] == [
        "Verified contact", "Dissuaded", "Successes proven", "Defrauded after warning", "First attempt in time",
        "Signed in time", "Feedback in time",
    ]  # fmt: skip
    assert paragraphs[0] == (
        "Verified contact: Of our cases, those where the right person said who they are, to the robot, a caller or an"
        " officer."
    )
    assert "Wilson's at 95 percent" in paragraphs[-1]


def test_sections_are_numbered():
    assert [heading for heading, _ in numbered_sections(figures_of(), Lang.EN)] == [
        "1. Overall", "2. Filed cases", "3. Units", "4. Grades and fraud types", "5. In time", "6. Needs attention",
        "7. What the figures mean",
    ]  # fmt: skip
    assert [heading[:2] for heading, _ in numbered_sections(figures_of(), Lang.ZH)] == [
        "一、", "二、", "三、", "四、", "五、", "六、", "七、",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        (OCTOBER, "October 2026", "2026年10月"),
        (bulletin_days(BulletinKind.MONTH, "2026-01"), "January 2026", "2026年1月"),
        (bulletin_days(BulletinKind.MONTH, "2025-12"), "December 2025", "2025年12月"),
        (WEEK, "week 48 of 2026 (23 November to 29 November)", "2026年第48周（11月23日至11月29日）"),
        (DAY, "5 November 2026", "2026年11月5日"),
        (bulletin_days(BulletinKind.DAY, "2026-02-28"), "28 February 2026", "2026年2月28日"),
    ],
)
def test_days_in_words(days: BulletinDays, english: str, chinese: str):
    assert (days_words(days, Lang.EN), days_words(days, Lang.ZH)) == (english, chinese)


def test_months_in_words():
    names = [
        days_words(bulletin_days(BulletinKind.MONTH, f"2026-{month:02}"), Lang.EN) for month in range(1, 13)
    ]
    assert " ".join(name.partition(" ")[0] for name in names) == (
        "January February March April May June July August September October November December"
    )


def test_a_moment_in_the_centre_s_time():
    late = datetime(2026, 10, 31, 16, 5, tzinfo=UTC)
    assert local_words(late, "Asia/Shanghai", Lang.EN) == "1 November 2026, 00:05"
    assert local_words(late, "Asia/Shanghai", Lang.ZH) == "2026年11月1日 00:05"


@pytest.mark.parametrize(
    ("now", "before", "year_before", "told"),
    [
        (10_005, 10_000, None, "up 0.1% on the period before"),
        (10_004, 10_000, None, "as many as in the period before"),
        (9_996, 10_000, 10_000, "as many as a year before, as many as in the period before"),
        (9_995, 10_000, None, "down 0.1% on the period before"),
        (0, 0, 0, "as many as a year before, as many as in the period before"),
        (1, 0, 0, "none a year before, none in the period before"),
        (1, None, None, ""),
        (0, 5, None, "down 100.0% on the period before"),
    ],
)
def test_how_a_count_differs(now: float, before: float | None, year_before: float | None, told: str):
    assert change_words(now, before, year_before, Lang.EN) == told


def test_a_rate_that_differs_by_less_than_a_tenth_of_a_point_is_unchanged():
    def told(now: tuple[int, int], before: tuple[int, int]) -> str:
        slices = [a_slice(verified_contact=hits, cases_ours=of) for hits, of in (now, before)]
        figures = figures_of(report=report_of(slices[0], before=slices[1], year_before=None))
        return said(figures, "Overall").paragraphs[2].partition("), ")[2]

    assert told((1, 2_000), (0, 100)) == "up 0.1 points on the period before."
    assert told((1, 2_001), (0, 100)) == "unchanged on the period before."
    assert told((0, 100), (1, 2_000)) == "down 0.1 points on the period before."
    assert told((1, 2), (0, 0)) == ""


@pytest.mark.parametrize(
    ("fen", "english", "chinese"),
    [
        (0, "0 yuan", "0元"),
        (5, "0.05 yuan", "0.05元"),
        (123_450, "1,234.50 yuan", "1,234.50元"),
        (999_999, "9,999.99 yuan", "9,999.99元"),
        (1_000_000, "10,000 yuan", "1.00万元"),
        (123_456_789_00, "123,456,789 yuan", "12,345.68万元"),
    ],
)
def test_money_in_words(fen: int, english: str, chinese: str):
    assert (money_words(fen, Lang.EN), money_words(fen, Lang.ZH)) == (english, chinese)


@pytest.mark.parametrize(
    ("state", "is_over", "told"),
    [
        (BulletinState.DRAFT, True, ("Draft for review. Figures as of 1 November 2026, 08:05. Not for issue before it"
         " is approved.")),
        (BulletinState.APPROVED, True, "Figures as of 1 November 2026, 08:05. Approved by zhao."),
        (BulletinState.REFUSED, True, "Figures as of 1 November 2026, 08:05. Refused: not for issue."),
        (BulletinState.DRAFT, False, "The period is not over: figures until 1 November 2026, 08:05. Not for issue."),
    ],
)  # fmt: skip
def test_below_its_title_a_bulletin_says_whether_it_may_be_issued(
    state: BulletinState, is_over: bool, told: str
):
    decided_by = None if state is BulletinState.DRAFT else "zhao"
    line = BulletinLine(id=1, days=OCTOBER, state=state, made_by="li", made_at=AT, decided_by=decided_by)
    assert state_words(Bulletin(line=line, figures=figures_of(is_over=is_over)), Lang.EN) == told


@pytest.mark.parametrize(
    ("lang", "title", "drill"),
    [
        (Lang.EN, "Monthly bulletin of warning and dissuasion (October 2026)", "Drill data only"),
        (Lang.ZH, "预警劝阻工作月通报（2026年10月）", "演练数据"),
    ],
)
def test_the_document_has_all_that_the_page_has(lang: Lang, title: str, drill: str):
    line = BulletinLine(id=1, days=OCTOBER, state=BulletinState.DRAFT, made_by="li", made_at=AT)
    real, drilled = (Bulletin(line=line, figures=figures_of(drill=is_drill)) for is_drill in (False, True))
    document = docx.Document(BytesIO(bulletin_document(real, lang=lang, who="wang", now=AT).content))
    texts = [paragraph.text for paragraph in document.paragraphs]
    parts = list(numbered_sections(real.figures, lang))
    assert texts[:2] == [title, state_words(real, lang)]
    assert drill not in " ".join(texts)
    for heading, part in parts:
        assert heading in texts
        assert set(part.paragraphs) <= set(texts)
    tables = [table for _, part in parts for table in part.tables]
    assert [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables] == [
        [list(table.head), *map(list, table.rows)] for table in tables
    ]
    for table in document.tables:
        below = table._tbl.getnext()
        assert not docx.text.paragraph.Paragraph(below, document).text, (
            "two tables do not run into one another"
        )
    charts = [name for name in document.part.package.iter_parts() if "/charts/chart" in str(name.partname)]
    assert len(charts) == sum(len(part.charts) for _, part in parts) == 2
    footer = " ".join(paragraph.text for paragraph in document.sections[0].footer.paragraphs)
    assert "wang" in footer
    assert local_words(AT, "Asia/Shanghai", lang) in footer
    drilled_document = docx.Document(BytesIO(bulletin_document(drilled, lang=lang, who="x", now=AT).content))
    assert drill in " ".join(paragraph.text for paragraph in drilled_document.paragraphs)


def test_a_bulletin_is_called_by_its_kind():
    assert [title_of(days, Lang.EN).partition(" ")[0] for days in (DAY, WEEK, OCTOBER)] == [
        "Daily", "Weekly", "Monthly",
    ]  # fmt: skip
