"""`dialer scripts trial` and `compare`: which words work."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.domain.values import Grade
from dialer.errors import Invalid
from dialer.language import Lang, say
from dialer.outcomes.sequential import Interval, Verdict
from dialer.runtime.logs import configure_logs
from dialer.settings import load_settings
from dialer.usecases.try_scripts import Comparison, Measured, compare_versions, set_trial
from dialer.words import MEASURES, NO_FILED_CASES, verdict_in

trials = typer.Typer()

_MEASURES = {name: f"{say(Lang.ZH, text)} {text}" for name, text in MEASURES.items()}
_NO_FILED = f"{say(Lang.ZH, NO_FILED_CASES)} {NO_FILED_CASES}"


@trials.command("trial")
def trial_command(
    script: Annotated[str, typer.Argument(help="such as loan")],
    by: By,
    reason: Annotated[str, typer.Option(help="what is to be found out")],
    weights: Annotated[str, typer.Option(help="shares by version, such as 1=50,2=50; empty ends it")] = "",
    grade: Annotated[Grade | None, typer.Option(help="one grade; default: all others")] = None,
) -> None:
    """Speak approved versions in shares; the same person always hears the same."""
    shares = _shares(weights)
    settings = load_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="scripts")
    with application(settings) as app:
        set_trial(app.engine, script, shares, by=by, reason=reason, grade=grade)
    typer.echo(f"{script}: {weights or 'the trial is over'}")


@trials.command("compare")
def compare_command(
    script: Annotated[str, typer.Argument(help="such as loan")],
    grade: Annotated[Grade | None, typer.Option(help="the trial of one grade")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """The versions of a trial beside each other; may be asked at any time."""
    settings = load_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="scripts")
    with application(settings) as app:
        found = compare_versions(app.engine, script, grade=grade)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, default=str))
    else:
        _print(found)


def _shares(text: str) -> dict[int, float]:
    try:
        pairs = [part.split("=") for part in text.split(",") if part.strip()]
        return {int(number): float(weight) for number, weight in pairs}
    except ValueError as fault:
        raise Invalid(field="weights", problem="cannot be read", mend="1=50,2=50") from fault


def _print(found: Comparison) -> None:
    trial = found.trial
    until = f" - {trial.ended_at:%Y-%m-%d %H:%M}" if trial.ended_at else ""
    table = Table("版本 version", *(_MEASURES[one.measure] for one in found.versions[0].measured))
    table.title = f"{trial.script_id} {trial.grade} {trial.at:%Y-%m-%d %H:%M}{until} UTC"
    for version in found.versions:
        live = " 在用 live" if version.is_live else ""
        table.add_row(f"{version.number}{live}", *(_figures(one) for one in version.measured))
    Console().print(table)
    for version in found.versions:
        for one in version.measured:
            if one.verdict is not None:
                typer.echo(
                    f"{version.number} {_MEASURES[one.measure]}: {verdict_words(one.verdict, trial.live)}"
                )
    if not found.filed_loaded:
        typer.echo(f"{_MEASURES['defrauded']}: {_NO_FILED}")


def _figures(one: Measured) -> str:
    share = "-" if one.tally.share is None else f"{100 * one.tally.share:.1f} %"
    return f"{one.tally.hits}/{one.tally.people} = {share}{_within(one.interval)}"


def _within(interval: Interval | None) -> str:
    return f" ({100 * interval.low:.0f}-{100 * interval.high:.0f})" if interval else ""


def verdict_words(verdict: Verdict, live: int) -> str:
    """One plain sentence, in both languages."""
    return f"{verdict_in(Lang.ZH, verdict, live)} {verdict_in(Lang.EN, verdict, live)}"
