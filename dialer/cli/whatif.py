"""`dialer whatif`: a period lived again with other people, lines or order, and what that would have changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final

import typer

from dialer.cli.output import AsJson, command_application, print_json, print_rows
from dialer.cli.terminal import command_settings
from dialer.core.errors import Invalid
from dialer.core.periods import midnight
from dialer.core.text import Lang, gettext_noop
from dialer.figures.report import report_period
from dialer.language.catalogue import say
from dialer.language.whatif_words import figure_word, part_word
from dialer.whatif.actions import past_period
from dialer.whatif.figures import COUNTS, LEAST_SEEDS, MONEY, TIMES, Change, Check, Estimate
from dialer.whatif.generated import city
from dialer.whatif.model import Order
from dialer.whatif.questions import PROMISE_SECONDS, SEEDS, Answer, Period, Question, answered

_A_MONDAY: Final = date(2026, 3, 2)
_FIRST_SEED: Final = 1


class Generated(StrEnum):
    """A load that is invented."""

    CITY = "city"


def whatif_command(
    start: Annotated[str, typer.Option("--from", help="first day of a past period, or a moment")] = "",
    end: Annotated[str, typer.Option("--to", help="its last day, included, or a moment")] = "",
    generated: Annotated[
        Generated | None,
        typer.Option(help="an invented load instead: a city with 857,200 warnings a year"),
    ] = None,
    days: Annotated[int, typer.Option(help="days of the generated load", min=1, max=366)] = 1,
    callers: Annotated[int, typer.Option(help="so many more on every shift; below zero fewer")] = 0,
    officers: Annotated[int, typer.Option(help="so many more on every shift; below zero fewer")] = 0,
    lines: Annotated[int | None, typer.Option(help="lines of the robot", min=1)] = None,
    load: Annotated[float, typer.Option(help="so many times the cases", min=0.1, max=10)] = 1.0,
    order: Annotated[Order, typer.Option(help="in which order tasks are taken")] = Order.OURS,
    seeds: Annotated[int, typer.Option(help="replays of each", min=LEAST_SEEDS, max=200)] = SEEDS,
    promise: Annotated[
        int, typer.Option(help="seconds within which high warnings are to be called by a person", min=1)
    ] = PROMISE_SECONDS,
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """推演: a period lived again with other people, lines or order, with intervals and assumptions."""
    if order is Order.ORACLE:
        raise Invalid(field="--order", problem="knows what nobody knows; it is for measurements")
    if bool(start) != bool(end) or bool(start) == (generated is not None):
        raise Invalid(field="--from", problem=gettext_noop("give --from and --to, or --generated city"))
    if generated is None:
        with command_application("whatif") as app:
            asked = report_period(app.services, start, end)
            assert asked.start is not None
            assert asked.end is not None
            period = past_period(app.services, start=asked.start, end=asked.end, promise_seconds=promise)
    else:
        period = _city(days)
    question = Question(callers=callers, officers=officers, lines=lines, load=load, order=order)
    answer = answered(
        period, question, seeds=seeds, promise_seconds=promise, processes=min(2, os.cpu_count() or 1)
    )
    if as_json:
        print_json(answer_json(answer))
    else:
        _print(answer, lang)


def _city(days: int) -> Period:
    settings = command_settings()
    zone = settings.centre.timezone
    made = city(
        settings.policy.policy(zone=zone),
        start=midnight(_A_MONDAY, zone).astimezone(UTC),
        days=days,
        seed=_FIRST_SEED,
    )
    return Period(
        cases=made.cases,
        people=made.people,
        centre=made.centre,
        zone=made.zone,
        start=made.start,
        end=made.end,
    )


def answer_json(answer: Answer) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "window": {"from": answer.start, "to": answer.end},
        "cases": answer.cases,
        "left_out": answer.left_out,
        "seeds": answer.seeds,
        "promise_seconds": answer.promise_seconds,
        "honest": answer.is_honest,
        "checks": [_check_json(check) for check in answer.checks],
        "changes": {change.name: _change_json(change) for change in answer.changes},
        "assumptions": list(answer.assumptions),
    }


def _check_json(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "part": check.part,
        "seen": check.seen,
        "replayed": _estimate_json(check.replayed),
        "holds": check.holds,
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {name: _estimate_json(getattr(change, name)) for name in ("before", "after", "difference")}


def _estimate_json(estimate: Estimate) -> dict[str, float]:
    return {name: round(getattr(estimate, name), 4) for name in ("mean", "low", "high")}


def _print(answer: Answer, lang: Lang) -> None:
    if answer.has_too_many_left_out:
        typer.echo(say(lang, "People changed too many cases by hand, so nothing is predicted."))
    elif not answer.is_honest:
        typer.echo(
            say(lang, "The replay does not give back the figures of the period, so it predicts nothing:")
        )
        print_rows(
            [check for check in answer.checks if not check.holds],
            {
                say(lang, "Figure"): lambda one: figure_word(one.name, lang),
                say(lang, "Part"): lambda one: part_word(one.part, lang),
                say(lang, "Seen"): lambda one: _value(one.name, one.seen),
                say(lang, "Replayed"): lambda one: _interval(one.name, one.replayed),
            },
        )
    elif answer.checks:
        typer.echo(say(lang, "The replay gives back all %(n)s figures of the period.", n=len(answer.checks)))
    if answer.changes:
        columns: dict[str, Callable[[Change], str]] = {
            say(lang, "Figure"): lambda one: figure_word(one.name, lang),
            say(lang, "As it was"): lambda one: _interval(one.name, one.before),
            say(lang, "As asked"): lambda one: _interval(one.name, one.after),
            say(lang, "Difference"): partial(_difference),
        }
        print_rows(answer.changes, columns)
    typer.echo(
        say(
            lang,
            "%(cases)s cases, %(seeds)s replays of each, 95 %% intervals. Assumptions:",
            cases=f"{answer.cases:,}",
            seeds=answer.seeds,
        )
    )
    if answer.left_out:
        typer.echo(say(lang, "Left out: %(n)s cases that people changed by hand.", n=f"{answer.left_out:,}"))
    for sentence in answer.assumptions:
        typer.echo(f"- {say(lang, sentence)}")


def _difference(change: Change) -> str:
    return _interval(change.name, change.difference, sign="+")


def _interval(name: str, estimate: Estimate, *, sign: str = "") -> str:
    mean, low, high = (_value(name, value, sign) for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} ({low} … {high})"


def _value(name: str, value: float, sign: str = "") -> str:
    if name in COUNTS:
        return f"{value:{sign},.0f}"
    if name in MONEY:
        return f"{value:{sign},.0f} CNY"
    if name in TIMES:
        return f"{value:{sign},.0f} s"
    return f"{value:{sign}.1%}"
