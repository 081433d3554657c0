"""`dialer source`: what each source may send, and its warnings that wait for release."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    fields_of,
    one_of,
    print_found,
    print_json,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.sources import COUNTED_LIMITS
from dialer.core.text import Lang
from dialer.core.values import Grade
from dialer.db.sources import Source
from dialer.language.words import word_of
from dialer.org.sources import TypedLimits
from dialer.warnings.lists import load_list
from dialer.warnings.source_limits import (
    change_source,
    list_sources,
    read_source,
    refuse_waiting,
    release_waiting,
    waiting_warnings,
)

source = typer.Typer(help="Sources: what they may send, and what waits for release.", no_args_is_help=True)

_NONE: Final = "none"


class _Flag(StrEnum):
    YES = "yes"
    NO = "no"
    NONE = _NONE


_Name = Annotated[str, typer.Argument(help="the source's name")]
_Lists = Annotated[list[int], typer.Argument(help="numbers of `dialer source waiting`")]
_Why = Annotated[str, typer.Option(help="the reason")]
_Count = Annotated[str | None, typer.Option(help="a number, or none")]
_SENT: Final = (
    "in_minute",
    "in_hour",
    "in_day",
    "extra_high_in_minute",
    "extra_high_in_hour",
    "extra_high_in_day",
    "signals_in_minute",
    "signals_in_hour",
    "signals_in_day",
)


def _plain(one: Source) -> dict[str, Any]:
    return fields_of(one, "name", "on_probation") | {
        "limits": fields_of(one.own_limits, *COUNTED_LIMITS, "most_grade", "most_amount_fen", "bank_reports")
        | {"units": list(one.own_limits.units), "signal_kinds": list(one.own_limits.signal_kinds)}
        | {"list_kinds": list(one.own_limits.list_kinds)},
        "sent": fields_of(one.sent, *_SENT),
    }


@source.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """All sources and what of each went on in the last minute, hour and day."""
    with command_application("sources") as app:
        found = list_sources(app.services)
    print_found(
        found,
        as_json=as_json,
        plain=_plain,
        columns={
            "来源 source": lambda one: one.name,
            "试用 probation": lambda one: "yes" if one.on_probation else "",
            "分钟 minute": lambda one: one.sent.in_minute + one.sent.extra_high_in_minute,
            "小时 hour": lambda one: one.sent.in_hour + one.sent.extra_high_in_hour,
            "24小时 day": lambda one: one.sent.in_day + one.sent.extra_high_in_day,
            "其中特高危 extra high": lambda one: one.sent.extra_high_in_day,
        },
        empty="没有来源 no source has sent anything",
    )


@source.command("show")
def show(name: _Name) -> None:
    """One source with its limits, as JSON."""
    with command_application("sources") as app:
        found = read_source(app.services, name)
    print_json(_plain(found))


@source.command("set")
def set_limits(
    name: _Name,
    why: _Why,
    by: By = "cli",
    *,
    per_minute: _Count = None,
    per_hour: _Count = None,
    per_day: _Count = None,
    extra_high_per_minute: _Count = None,
    extra_high_per_hour: _Count = None,
    extra_high_per_day: _Count = None,
    signals_per_minute: _Count = None,
    signals_per_hour: _Count = None,
    signals_per_day: _Count = None,
    grade: Annotated[str | None, typer.Option(help=f"the highest: {', '.join(Grade)}, or none")] = None,
    amount: Annotated[str | None, typer.Option(help="the largest, in yuan, or none")] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="a unit for which it warns, or none; may be repeated")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="a kind of signal that it sends, or none; may be repeated")
    ] = None,
    list_kind: Annotated[
        list[str] | None, typer.Option(help="a list in which it enters items, or none; may be repeated")
    ] = None,
    bank_reports: Annotated[
        str | None, typer.Option(help="whether its reports of a bank are taken: yes, no, or none")
    ] = None,
    probation: Annotated[str | None, typer.Option(help="whether it is on probation: yes or no")] = None,
) -> None:
    """Set what a source may send. What is not named stays; `none` takes a limit away. Warnings above it wait."""
    given = {
        "per_minute": per_minute,
        "per_hour": per_hour,
        "per_day": per_day,
        "extra_high_per_minute": extra_high_per_minute,
        "extra_high_per_hour": extra_high_per_hour,
        "extra_high_per_day": extra_high_per_day,
        "signals_per_minute": signals_per_minute,
        "signals_per_hour": signals_per_hour,
        "signals_per_day": signals_per_day,
    }
    with signed_application("sources", by, Permission.CONTROL) as (app, actor):
        found = read_source(app.services, name)
        typed = TypedLimits.of(found.own_limits)
        typed = replace(
            typed,
            counts={field: _said(given[field], typed.counts[field]) for field in COUNTED_LIMITS},
            most_grade=_said(grade, typed.most_grade),
            most_amount=_said(amount, typed.most_amount),
            units=typed.units if unit is None else [one for one in unit if one != _NONE],
            signal_kinds=typed.signal_kinds if kind is None else [one for one in kind if one != _NONE],
            list_kinds=typed.list_kinds if list_kind is None else [one for one in list_kind if one != _NONE],
            bank_reports=typed.bank_reports if bank_reports is None else _flag(bank_reports),
        )
        on_probation = found.on_probation if probation is None else bool(_flag(probation))
        change_source(app.services, actor, name, typed.read(), on_probation=on_probation, why=why)
        print_json(_plain(read_source(app.services, name)))


def _flag(given: str) -> bool | None:
    return {"yes": True, "no": False, _NONE: None}[one_of(_Flag, given, field="flag").value]


def _said(given: str | None, before: str) -> str:
    return before if given is None else given.replace(_NONE, "")


@source.command("waiting")
def waiting(*, as_json: AsJson = False) -> None:
    """Warnings above the limits of their source, which wait for a person to release them."""
    with command_application("sources") as app:
        found = waiting_warnings(app.services)
    print_found(
        found,
        as_json=as_json,
        plain=lambda one: fields_of(one, "id", "source", "held_for", "extra_high", "total", "created_at"),
        columns={
            "编号 number": lambda one: one.id,
            "来源 source": lambda one: one.source,
            "原因 why": lambda one: word_of(one.held_for, Lang.ZH),
            "特高危 extra high": lambda one: "yes" if one.extra_high else "",
            "条数 warnings": lambda one: one.total,
            "最早 since": lambda one: centre_time(one.created_at, app),
        },
        empty="没有待放行的预警 nothing waits",
    )


@source.command("release")
def release(lists: _Lists, by: By) -> None:
    """Release warnings that wait; they are then loaded."""
    with signed_application("sources", by, Permission.APPROVE) as (app, actor):
        count = release_waiting(app.services, actor, lists)
        for load_id in lists:
            load_list(app.services, load_id)
    typer.echo(f"{count} warnings released by {actor.name}")


@source.command("refuse")
def refuse(lists: _Lists, why: _Why, by: By) -> None:
    """Refuse warnings that wait, with the reason; they become no cases."""
    with signed_application("sources", by, Permission.APPROVE) as (app, actor):
        count = refuse_waiting(app.services, actor, lists, why=why)
    typer.echo(f"{count} warnings refused by {actor.name}")
