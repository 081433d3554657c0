"""`dialer report`: the figures of a period, for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as RichText

from dialer.cli.output import AsJson, command_application, pick, print_json
from dialer.core.errors import Invalid
from dialer.core.rates import Basis, Rate, Report, Slice, rates_of
from dialer.core.values import AmountKind, Grade, yuan
from dialer.language import Lang, gettext_noop, say
from dialer.outcomes.report import make_report, moment_of, report_out, report_period
from dialer.outcomes.verify import Verification, verification_out, verify_rollup
from dialer.scripts.trials import Comparison, Measured, running_trials
from dialer.words import (
    MEASURES,
    NO_FILED_CASES,
    basis_word,
    count_word,
    rate_word,
    verdict_in,
    word_of,
)

_FUNNEL = (
    "warnings",
    "cases",
    "robot_calls",
    "robot_calls_answered",
    "cases_rung",
    "cases_answered",
    "verified_contact",
    "cases_watching",
    "cases_proven",
    "cases_reversed",
    "dissuaded_by_phone",
    "dissuaded_in_person",
    "human_calls",
    "visits",
    "cases_missed",
    "cases_open",
)
_BY_TYPE = (
    "warnings",
    "robot_calls",
    "verified_contact",
    "dissuaded",
    "cases_reversed",
    "human_calls",
    "visits",
    "defrauded_after_warning",
)


def report_command(
    start: Annotated[str, typer.Option("--from", help="first day, or a moment; default: the beginning")] = "",
    end: Annotated[str, typer.Option("--to", help="last day, included, or a moment; default: now")] = "",
    at: Annotated[
        str,
        typer.Option("--at", help="figures that the page showed: the moment of its address; kept for a day"),
    ] = "",
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="recount all records and name what the rollup has otherwise; then exit 1"
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Every figure with its numerator, denominator and window."""
    if verify:
        if start or end or at:
            raise Invalid(
                field="--verify", problem=gettext_noop("compares all days; give no window and no moment")
            )
        _verify(lang, as_json=as_json)
        return
    with command_application("report") as app:
        report = make_report(app.services, report_period(app.services, start, end), at=moment_of(at))
        trials = [] if at else running_trials(app.services)
    if as_json:
        print_json(report_out(report, trials).plain())
    else:
        Console().print(report_view(report, lang, trials))


def _verify(lang: Lang, *, as_json: bool) -> None:
    with command_application("report") as app:
        found = verify_rollup(app.services)
    if as_json:
        print_json(verification_out(found).plain())
    else:
        Console().print(verification_view(found, lang))
    if found.different:
        raise typer.Exit(1)


def verification_view(found: Verification, lang: Lang) -> RenderableType:
    """What was compared, and a line for each difference."""
    compared = pick(
        lang,
        f"已逐日重新统计 {found.days} 天、{found.figures:,} 个数字",
        f"{found.days} days with {found.figures:,} figures recounted",
    )
    if not found.different:
        return RichText(f"{compared}{pick(lang, '，与汇总一致', '; the rollup agrees')}")
    table = _table(
        f"{compared}{pick(lang, f'，不一致 {found.different:,} 个', f'; {found.different:,} differ')}",
        pick(lang, "日期", "day"),
        pick(lang, "部分", "part"),
        pick(lang, "数字", "figure"),
        pick(lang, "汇总", "rollup"),
        pick(lang, "重新统计", "recount"),
    )
    for column in table.columns[1:3]:
        column.justify = "left"
    for one in found.differences:
        table.add_row(
            one.day.isoformat() if one.day else pick(lang, "全部", "all days"),
            f"{one.part} {one.value}".strip(),
            one.name,
            str(one.rollup),
            str(one.recount),
        )
    return table


def report_view(report: Report, lang: Lang, trials: Sequence[Comparison] = ()) -> RenderableType:
    """The whole report for a terminal: counts, rates, times, amounts, fraud types, running trials, what is left out."""
    parts: list[RenderableType] = []
    if report.drill:
        parts.append(
            Panel(
                RichText(
                    pick(
                        lang,
                        "演练数据：以下数字全部来自演练，没有拨打任何真实电话",
                        "DRILL: every figure below is of a drill; no real phone was called",
                    ),
                    justify="center",
                ),
                style="bold black on yellow",
            )
        )
    parts += [
        _heading(report, lang),
        _funnel(report, lang),
        _rates(report, lang),
        _first_attempts(report, lang),
        _amounts(report, lang),
        _fraud_types(report, lang),
        *(part for trial in trials for part in _trial(trial, report, lang)),
        _left_out(report, lang),
    ]
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    """The first column is text, the others are numbers."""
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", overflow="fold")
    return table


def _moment(moment: datetime | None, zone: ZoneInfo, *, without: str) -> str:
    return without if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _heading(report: Report, lang: Lang) -> RichText:
    zone = ZoneInfo(report.timezone)
    start = _moment(report.period.start, zone, without=pick(lang, "最早", "the beginning"))
    end = _moment(report.period.end, zone, without=pick(lang, "现在", "now"))
    made = _moment(report.generated_at, zone, without="")
    title = pick(lang, "预警劝阻成效报告", "Dissuasion report")
    text = RichText(f"{title}  ", style="bold")
    text.append(f"{start} → {end}", style="not bold cyan")
    text.append(f"  {pick(lang, '截至', 'as of')} {made} ({report.timezone})", style="not bold dim")
    return text


def _funnel(report: Report, lang: Lang) -> Table:
    grades = [word_of(grade, lang) for grade in Grade]
    table = _table(
        pick(lang, "办理情况", "What was done"),
        pick(lang, "项目", "figure"),
        pick(lang, "合计", "all"),
        *grades,
    )
    slices = [report.figures.total, *(report.figures.by_grade[grade] for grade in Grade)]
    for name in _FUNNEL:
        table.add_row(count_word(name, lang), *(_number(getattr(one.counts, name)) for one in slices))
    return table


def _number(count: int) -> str:
    return f"{count:,}" if count else "[dim]0[/]"


def _rates(report: Report, lang: Lang) -> Table:
    table = _table(
        pick(lang, "比率", "Rates"),
        pick(lang, "指标", "rate"),
        pick(lang, "数值", "value"),
        pick(lang, "95% 区间", "95 % interval"),
        pick(lang, "分子 / 分母", "of"),
        pick(lang, "时间口径", "window"),
        pick(lang, "未计入", "left out"),
    )
    for column in table.columns[4:]:
        column.justify = "left"
        column.style = "dim"
    for rate in rates_of(report.figures.total.counts):
        definition = rate.definition
        table.add_row(
            rate_word(definition, lang),
            _percent(rate),
            f"{rate.interval.low:.1%} – {rate.interval.high:.1%}" if rate.interval else "[dim]—[/]",
            f"{rate.numerator:,} / {rate.denominator:,}",
            basis_word(definition.basis, lang),
            ", ".join(f"{count_word(name, lang)} {n:,}" for name, n in rate.excludes.items() if n) or "-",
        )
    return table


def _percent(rate: Rate) -> str:
    return "[dim]—[/]" if rate.value is None else f"[bold]{rate.value:.1%}[/]"


def _first_attempts(report: Report, lang: Lang) -> Table:
    table = _table(
        pick(lang, "首次呼叫用时", "Time to first attempt"),
        pick(lang, "等级", "grade"),
        pick(lang, "已呼叫", "tried"),
        "P50",
        "P90",
        pick(lang, "时限内", "within the limit"),
    )
    rows: list[tuple[str, Slice]] = [(pick(lang, "合计", "all"), report.figures.total)]
    rows += [(word_of(grade, lang), report.figures.by_grade[grade]) for grade in Grade]
    for name, one in rows:
        first = one.first_attempt
        in_time = next(r for r in rates_of(one.counts) if r.definition.name == "first_attempt_in_time")
        table.add_row(
            name,
            _number(first.cases),
            duration(first.p50_seconds),
            duration(first.p90_seconds),
            f"{_percent(in_time)} ({in_time.numerator:,}/{in_time.denominator:,})",
        )
    return table


def duration(seconds: float | None) -> str:
    """45s, 3m05s, 2h10m; a dash of None."""
    if seconds is None:
        return "[dim]—[/]"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes_left:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _amounts(report: Report, lang: Lang) -> Table:
    table = _table(
        pick(lang, "金额（元，三类互不相加）", "Amounts (yuan; the three are never summed)"),
        pick(lang, "类别", "kind"),
        pick(lang, "已审核", "approved"),
        pick(lang, "待审核", "not yet approved"),
        pick(lang, "已冲销", "reversed"),
    )
    table.caption = basis_word(Basis.OUTCOME_RECORDED, lang)
    table.caption_justify = "left"
    for kind in AmountKind:
        money = report.figures.total.amounts[kind]
        amounts = (money.approved_fen, money.unapproved_fen, money.reversed_fen)
        table.add_row(word_of(kind, lang), *(yuan(fen) for fen in amounts))
    return table


def _fraud_types(report: Report, lang: Lang) -> Table:
    columns = [count_word(name, lang) for name in _BY_TYPE]
    table = _table(pick(lang, "按诈骗类型", "By fraud type"), pick(lang, "诈骗类型", "fraud type"), *columns)
    for fraud_type, one in report.figures.by_fraud_type.items():
        if one.counts.warnings or one.counts.cases or one.counts.robot_calls:
            numbers = (_number(getattr(one.counts, name)) for name in _BY_TYPE)
            table.add_row(word_of(fraud_type, lang), *numbers)
    return table


def _trial(one: Comparison, report: Report, lang: Lang) -> tuple[Table, RichText]:
    """The versions side by side, and a sentence for each that is compared with the live one."""
    begun = _moment(one.trial.at, ZoneInfo(report.timezone), without="")
    grade = f" · {word_of(Grade(one.trial.grade), lang)}" if one.trial.grade else ""
    title = pick(lang, "话术对比试验", "Trial of a script")
    names = [measured.measure for measured in one.versions[0].measured]
    table = _table(
        f"{title}  {one.trial.script_id}{grade}  {begun} →",
        pick(lang, "版本", "version"),
        pick(lang, "比例", "share"),
        pick(lang, "人数", "people"),
        *(say(lang, MEASURES[name]) for name in names),
    )
    verdicts = []
    for version in one.versions:
        live = f" {pick(lang, '在用', 'live')}" if version.is_live else ""
        table.add_row(
            f"{version.number}{live}",
            f"{version.weight:g}",
            _number(version.measured[0].tally.people),
            *(_tried(measured) for measured in version.measured),
        )
        verdicts += [
            f"{version.number} · {say(lang, MEASURES[measured.measure])}: "
            f"{verdict_in(lang, measured.verdict, one.trial.live)}"
            for measured in version.measured
            if measured.verdict is not None
        ]
    if not one.filed_loaded:
        verdicts.append(f"{say(lang, MEASURES['defrauded'])}: {say(lang, NO_FILED_CASES)}")
    return table, RichText("\n".join(verdicts), style="dim")


def _tried(one: Measured) -> str:
    if one.tally.share is None:
        return "[dim]—[/]"
    within = f" [dim]({one.interval.low:.0%} - {one.interval.high:.0%})[/]" if one.interval else ""
    return f"[bold]{one.tally.share:.1%}[/] {one.tally.hits:,}{within}"


def _left_out(report: Report, lang: Lang) -> RichText:
    left_out = report.figures.left_out
    if not any(left_out.values()):
        return RichText(pick(lang, "各项定义见 docs/metrics.md", "Definitions: docs/metrics.md"), style="dim")
    told = ", ".join(f"{name} {count:,}" for name, count in left_out.items() if count)
    return RichText(
        pick(lang, f"演练记录未计入：{told}", f"Drill records left out of everything: {told}"), style="dim"
    )
