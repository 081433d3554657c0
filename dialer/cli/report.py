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

from dialer.cli.output import AsJson, command_application, print_json
from dialer.core.errors import Invalid
from dialer.core.rates import Basis, Rate, Report, Slice, rates_of
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import AmountKind, Grade, format_yuan
from dialer.figures.report import make_report, moment_of, report_period
from dialer.figures.report_json import report_out
from dialer.figures.verify import Verification, verification_out, verify_figures
from dialer.language.catalogue import say
from dialer.language.figure_words import (
    NO_FILED_CASES,
    TRIAL_MEASURES,
    basis_word,
    count_word,
    rate_word,
    trial_sentence,
)
from dialer.language.words import word_of
from dialer.script_versions.trials import Comparison, MeasuredVersion, running_trials

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
        found = verify_figures(app.services)
    if as_json:
        print_json(verification_out(found).plain())
    else:
        Console().print(verification_view(found, lang))
    if found.different:
        raise typer.Exit(1)


def verification_view(found: Verification, lang: Lang) -> RenderableType:
    """What was compared, and a line for each difference."""
    compared = say(
        lang,
        "%(days)s days with %(figures)s figures recounted",
        days=found.days,
        figures=f"{found.figures:,}",
    )
    if not found.different:
        return RichText(say(lang, "%(compared)s; the rollup agrees", compared=compared))
    table = _table(
        say(lang, "%(compared)s; %(n)s differ", compared=compared, n=f"{found.different:,}"),
        say(lang, "day"),
        say(lang, "part"),
        say(lang, "figure"),
        say(lang, "rollup"),
        say(lang, "recount"),
    )
    for column in table.columns[1:3]:
        column.justify = "left"
    for difference in found.differences:
        table.add_row(
            difference.day.isoformat() if difference.day else say(lang, "all days"),
            f"{difference.part} {difference.value}".strip(),
            difference.name,
            str(difference.facts),
            str(difference.recount),
        )
    return table


def report_view(report: Report, lang: Lang, trials: Sequence[Comparison] = ()) -> RenderableType:
    """The whole report for a terminal: counts, rates, times, amounts, fraud types, running trials, what is left out."""
    parts: list[RenderableType] = []
    if report.drill:
        parts.append(
            Panel(
                RichText(
                    say(lang, "DRILL: every figure below is of a drill; no real phone was called"),
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
    start = _moment(report.period.start, zone, without=say(lang, "the beginning"))
    end = _moment(report.period.end, zone, without=say(lang, "now"))
    made = _moment(report.generated_at, zone, without="")
    title = say(lang, "Dissuasion report")
    text = RichText(f"{title}  ", style="bold")
    text.append(f"{start} → {end}", style="not bold cyan")
    text.append(f"  {say(lang, 'as of')} {made} ({report.timezone})", style="not bold dim")
    return text


def _funnel(report: Report, lang: Lang) -> Table:
    grades = [word_of(grade, lang) for grade in Grade]
    table = _table(
        say(lang, "What was done with the cases"),
        say(lang, "figure"),
        say(lang, "all together"),
        *grades,
    )
    slices = [report.figures.total, *(report.figures.by_grade[grade] for grade in Grade)]
    for name in _FUNNEL:
        table.add_row(count_word(name, lang), *(_number(getattr(part.counts, name)) for part in slices))
    return table


def _number(count: int) -> str:
    return f"{count:,}" if count else "[dim]0[/]"


def _rates(report: Report, lang: Lang) -> Table:
    table = _table(
        say(lang, "Rates"),
        say(lang, "rate"),
        say(lang, "value"),
        say(lang, "95 % interval"),
        say(lang, "count / total"),
        say(lang, "window"),
        say(lang, "left out"),
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
        say(lang, "Time to first call"),
        say(lang, "grade"),
        say(lang, "called"),
        "P50",
        "P90",
        say(lang, "within the limit"),
    )
    rows: list[tuple[str, Slice]] = [(say(lang, "all together"), report.figures.total)]
    rows += [(word_of(grade, lang), report.figures.by_grade[grade]) for grade in Grade]
    for name, part in rows:
        first = part.first_attempt
        in_time = next(r for r in rates_of(part.counts) if r.definition.name == "first_attempt_in_time")
        table.add_row(
            name,
            _number(first.cases),
            duration(first.p50_seconds),
            duration(first.p90_seconds),
            f"{_percent(in_time)} ({in_time.numerator:,}/{in_time.denominator:,})",
        )
    return table


def duration(seconds: float | None) -> str:
    """45s, 3m05s, 2h10m; a dash for None."""
    if seconds is None:
        return "[dim]—[/]"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes_left:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _amounts(report: Report, lang: Lang) -> Table:
    table = _table(
        say(lang, "Amounts (yuan; the three are never summed)"),
        say(lang, "kind"),
        say(lang, "approved"),
        say(lang, "not yet approved"),
        say(lang, "reversed"),
    )
    table.caption = basis_word(Basis.OUTCOME_RECORDED, lang)
    table.caption_justify = "left"
    for kind in AmountKind:
        money = report.figures.total.amounts[kind]
        amounts = (money.approved_fen, money.unapproved_fen, money.reversed_fen)
        table.add_row(word_of(kind, lang), *(format_yuan(fen) for fen in amounts))
    return table


def _fraud_types(report: Report, lang: Lang) -> Table:
    columns = [count_word(name, lang) for name in _BY_TYPE]
    table = _table(say(lang, "By fraud type"), say(lang, "fraud type"), *columns)
    for fraud_type, part in report.figures.by_fraud_type.items():
        if part.counts.warnings or part.counts.cases or part.counts.robot_calls:
            numbers = (_number(getattr(part.counts, name)) for name in _BY_TYPE)
            table.add_row(word_of(fraud_type, lang), *numbers)
    return table


def _trial(comparison: Comparison, report: Report, lang: Lang) -> tuple[Table, RichText]:
    """The versions side by side, and a sentence for each that is compared with the live one."""
    begun = _moment(comparison.trial.at, ZoneInfo(report.timezone), without="")
    grade = f" · {word_of(Grade(comparison.trial.grade), lang)}" if comparison.trial.grade else ""
    title = say(lang, "Trial of a script")
    names = [measured.measure for measured in comparison.versions[0].measured]
    table = _table(
        f"{title}  {comparison.trial.script_id}{grade}  {begun} →",
        say(lang, "version"),
        say(lang, "share"),
        say(lang, "How many persons"),
        *(say(lang, TRIAL_MEASURES[name]) for name in names),
    )
    verdicts = []
    for version in comparison.versions:
        live = f" {say(lang, 'in use')}" if version.is_live else ""
        table.add_row(
            f"{version.number}{live}",
            f"{version.weight:g}",
            _number(version.measured[0].tally.people),
            *(_measured_words(measured) for measured in version.measured),
        )
        verdicts += [
            f"{version.number} · {say(lang, TRIAL_MEASURES[measured.measure])}: "
            f"{trial_sentence(lang, measured.verdict, comparison.trial.live)}"
            for measured in version.measured
            if measured.verdict is not None
        ]
    if not comparison.filed_loaded:
        verdicts.append(f"{say(lang, TRIAL_MEASURES['defrauded'])}: {say(lang, NO_FILED_CASES)}")
    return table, RichText("\n".join(verdicts), style="dim")


def _measured_words(measured: MeasuredVersion) -> str:
    if measured.tally.share is None:
        return "[dim]—[/]"
    within = (
        f" [dim]({measured.interval.low:.0%} - {measured.interval.high:.0%})[/]" if measured.interval else ""
    )
    return f"[bold]{measured.tally.share:.1%}[/] {measured.tally.hits:,}{within}"


def _left_out(report: Report, lang: Lang) -> RichText:
    left_out = report.figures.left_out
    if not any(left_out.values()):
        return RichText(say(lang, "Definitions: docs/metrics.md"), style="dim")
    counts = ", ".join(f"{name} {count:,}" for name, count in left_out.items() if count)
    return RichText(say(lang, "Drill records left out of everything: %(told)s", told=counts), style="dim")
