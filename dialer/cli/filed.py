"""Commands for cases filed with the police 立案: one, or a list of them; matches that a person decides; figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    command_application,
    one_of,
    print_json,
    signed_application,
)
from dialer.cli.rejects import open_list_file, rejects_json, say_rejects, write_rejected
from dialer.core.access import Permission
from dialer.core.rates import Period, period_of
from dialer.core.text import Lang
from dialer.core.values import FiledState, FraudType
from dialer.intake.reader import default_source
from dialer.language.words import word_of
from dialer.outcomes.filed_figures import FiledCount, FiledFigures, filed_figures
from dialer.outcomes.filed_lists import (
    FiledLine,
    FiledLoad,
    decide_match,
    list_filed,
    load_filed,
    undo_filing,
    undo_match,
)
from dialer.outcomes.filing import file_case

filed = typer.Typer(help="Cases filed with the police 立案.", no_args_is_help=True)
_MOST_SHOWN = 50


@filed.command("add")
def add_filed(
    case_number: Annotated[str, typer.Option(help="the police's number of the case")],
    by: By = "cli",
    id_number: Annotated[str, typer.Option(help="of the person")] = "",
    phone: Annotated[str, typer.Option(help="of the person, where no id number is known")] = "",
    fraud_type: Annotated[str, typer.Option(help="where the person has several cases")] = "unknown",
) -> None:
    """Record that a person reported a loss after all: their success is reversed."""
    known_type = one_of(FraudType, fraud_type, field="--fraud-type")
    with signed_application("filed", by, Permission.LOAD_FILED) as (app, actor):
        found = file_case(
            app.services,
            actor,
            case_number=case_number,
            id_number=id_number,
            phone=phone,
            fraud_type=known_type,
        )
    cases = ", ".join(map(str, found.case_ids))
    typer.echo(f"{found.case_number}: case {cases}" + (" (on record already)" if found.already else ""))


@filed.command("load")
def load_filed_list(
    file: Path,
    by: By = "cli",
    source: Annotated[str, typer.Option(help="where the list comes from; else the file's name")] = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what the list would do; store nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """导入立案名单: load a list of filed cases and match it to the warned persons; exit 2 if the file is unusable."""
    opened = signed_application("filed", by, Permission.LOAD_FILED)
    with open_list_file(file) as content, opened as (app, actor):
        done = load_filed(
            app.services, actor, content, source=source or default_source(file.name), dry_run=dry_run
        )
        rejects = (
            None
            if dry_run
            else write_rejected(app, done, f"filed-{file.stem[:60]}", subject="filed_record", by=actor.name)
        )
    if as_json:
        print_json(_load_json(done, reject_file=rejects))
        return
    counts = (
        ("行 rows", done.rows),
        ("新增 new", done.new),
        ("更新 changed", done.changed),
        ("重复 duplicate", done.duplicate),
        ("拒绝 rejected", done.rejected),
        *((_both(state), number) for state, number in done.states.items()),
    )
    for name, number in counts:
        typer.echo(f"{name}: {number}")
    if done.reversed_cases:
        typer.echo("预警单 cases: " + ", ".join(map(str, done.reversed_cases)))
    say_rejects(done, rejects)


@filed.command("doubtful")
def doubtful_filed_cases(*, as_json: AsJson = False) -> None:
    """待核立案: filed cases that may be of a warned person, with the numbers of their matches."""
    _print_lines(FiledState.DOUBTFUL, as_json=as_json)


@filed.command("matches")
def filed_matches(
    state: Annotated[str, typer.Option(help="of the filed cases")] = FiledState.WARNED.value,
    *,
    as_json: AsJson = False,
) -> None:
    """立案匹配: the newest filed cases of a state, with the numbers of their matches."""
    _print_lines(one_of(FiledState, state, field="--state"), as_json=as_json)


def _print_lines(state: FiledState, *, as_json: bool) -> None:
    with command_application("filed") as app:
        lines = list_filed(app.services, state=state, limit=_MOST_SHOWN).lines
    if as_json:
        print_json([_line_json(line) for line in lines])
        return
    for line in lines:
        typer.echo(f"{line.case_number}  {line.person.name}  {' '.join(line.person.phones)}")
        for match in line.matches:
            cases = ", ".join(map(str, match.cases))
            typer.echo(f"  match {match.id}: {match.person.name}  {match.score}/100  cases {cases}")
    if not lines:
        typer.echo("没有待核案件 nothing waits")


@filed.command("decide")
def decide_filed_match(
    match_id: int,
    by: By,
    why: Annotated[str, typer.Option(help="for the record")],
    same: Annotated[bool, typer.Option("--same/--other", help="the same person, or another one")],
) -> None:
    """核定: say whether a warned person is the one of a filed case."""
    with signed_application("filed", by, Permission.DECIDE_FILED) as (app, actor):
        state = decide_match(app.services, actor, match_id, is_same_person=same, why=why)
    typer.echo(f"match {match_id}: {_both(state)}")


@filed.command("undo")
def undo_filed_match(
    match_id: Annotated[int, typer.Argument(help="the number of the match, of `dialer filed matches`")],
    by: By,
    reason: Annotated[str, typer.Option(help="why it is another person, for the record")],
    *,
    as_json: AsJson = False,
) -> None:
    """撤销匹配: the match was another person; the cases of that person go back to what they were."""
    with signed_application("filed", by, Permission.DECIDE_FILED) as (app, actor):
        done = undo_match(app.services, actor, match_id, why=reason)
    if as_json:
        print_json({"match": match_id, "state": done.state.value, "cases": list(done.case_ids)})
        return
    cases = ", ".join(map(str, done.case_ids)) or "-"
    typer.echo(f"match {match_id}: {_both(done.state)}; 预警单 cases {cases}")


@filed.command("undo-case")
def undo_filed_case(
    case_id: Annotated[int, typer.Argument(help="the number of our case")],
    case_number: Annotated[str, typer.Option(help="the police's number that was recorded by mistake")],
    by: By,
    reason: Annotated[str, typer.Option(help="why it was a mistake, for the record")],
    *,
    as_json: AsJson = False,
) -> None:
    """撤销立案登记: a number was recorded by mistake; the cases of that person go back to what they were."""
    with signed_application("filed", by, Permission.DECIDE_FILED) as (app, actor):
        case_ids = undo_filing(app.services, actor, case_id, case_number=case_number, why=reason)
    if as_json:
        print_json({"case_number": case_number.strip(), "cases": list(case_ids)})
        return
    typer.echo(f"{case_number.strip()}: 已撤销 undone; 预警单 cases {', '.join(map(str, case_ids))}")


@filed.command("report")
def filed_report(
    start: Annotated[str, typer.Option("--from", help="first day of filing")] = "",
    end: Annotated[str, typer.Option("--to", help="last day of filing")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """立案前预警率: of the filed cases of a period, those whose person had been warned before the loss."""
    with command_application("filed") as app:
        period = period_of(start, end, timezone=app.settings.centre.timezone)
        figures = filed_figures(app.services, period)
    if as_json:
        print_json(_figures_json(figures, period))
        return
    hours = (replace(counted, key=f"{counted.key}:00" if counted.key else "") for counted in figures.by_hour)
    for counted in (figures.total, *figures.by_type, *figures.by_unit, *figures.by_month, *hours):
        share = "-" if counted.rate.value is None else f"{counted.rate.value:.1%}"
        typer.echo(
            f"{counted.key or '全部 all'}: 立案 filed {counted.filed}, 立案前已预警 warned before {counted.warned},"
            f" 待核 doubtful {counted.doubtful}, 立案前预警率 warned before filed {share}"
        )


def _both(state: FiledState) -> str:
    return f"{word_of(state, Lang.ZH)} {word_of(state, Lang.EN)}"


def _load_json(done: FiledLoad, *, reject_file: Path | None) -> dict[str, Any]:
    return {
        "rows": done.rows,
        "new": done.new,
        "changed": done.changed,
        "duplicate": done.duplicate,
        "rejected": done.rejected,
        "states": {state.value: number for state, number in done.states.items()},
        "cases": list(done.reversed_cases),
        **rejects_json(done, reject_file),
    }


def _line_json(line: FiledLine) -> dict[str, Any]:
    return {
        "case_number": line.case_number,
        "name": line.person.name,
        "phones": list(line.person.phones),
        "id_number": line.person.id_number,
        "amount_fen": line.amount_fen,
        "filed_at": line.filed_at.isoformat(),
        "event_at": None if line.event_at is None else line.event_at.isoformat(),
        "fraud_type": line.fraud_type.value,
        "unit": line.unit,
        "state": line.state.value,
        "matches": [
            {
                "id": match.id,
                "name": match.person.name,
                "phones": list(match.person.phones),
                "score": match.score,
                "state": match.state.value,
                "cases": list(match.cases),
            }
            for match in line.matches
        ],
    }


def _figures_json(figures: FiledFigures, period: Period) -> dict[str, Any]:
    def count(counted: FiledCount) -> dict[str, Any]:
        rate = counted.rate
        return {
            "filed": counted.filed,
            "warned": counted.warned,
            "missed": counted.missed,
            "doubtful": counted.doubtful,
            "warned_before_filed": {
                "numerator": rate.numerator,
                "denominator": rate.denominator,
                "value": rate.value,
                "low": None if rate.interval is None else rate.interval.low,
                "high": None if rate.interval is None else rate.interval.high,
            },
            "amount_fen": counted.amount_fen,
        }

    return {
        "from": None if period.start is None else period.start.isoformat(),
        "to": None if period.end is None else period.end.isoformat(),
        "total": count(figures.total),
        "by_type": {counted.key: count(counted) for counted in figures.by_type},
        "by_unit": {counted.key: count(counted) for counted in figures.by_unit},
        "by_month": {counted.key: count(counted) for counted in figures.by_month},
        "by_hour": {counted.key: count(counted) for counted in figures.by_hour},
    }
