"""`dialer records`: the record of each unit in a month."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from dialer.cli.output import AsJson, command_application, print_json, print_rows
from dialer.core.text import Lang
from dialer.core.units import find_unit
from dialer.figures.unit_record_tables import place_sentence, ranked_of, record_lines, records_out
from dialer.figures.unit_records import (
    GIVEN,
    SHARES,
    RecordLine,
    RecordShare,
    RecordsQuery,
    UnitRecords,
    read_unit_records,
    typed_month,
)
from dialer.language.catalogue import say
from dialer.language.figure_words import count_word
from dialer.runtime.services import Services


def records_command(
    month: Annotated[str, typer.Option(help="such as 2026-11; default: this month")] = "",
    unit: Annotated[
        str, typer.Option(help="the unit's name or path: compares those right below it; default: all")
    ] = "",
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """督办台账: what each unit was given in a month, what came late, and what became of its cases."""
    with command_application("records") as app:
        services = app.services
        today = services.clock.now().astimezone(services.centre.zone).date()
        query = RecordsQuery(month=typed_month(month, today), unit_id=_unit_id(services, unit))
        found = read_unit_records(services, query, reader_unit_id=None)
        out = records_out(services, found).plain()
    if as_json:
        print_json(out)
        return
    columns: dict[str, Callable[[_Row], str]] = {
        say(lang, "Unit"): lambda row: row[0],
        count_word(GIVEN, lang): lambda row: str(row[1].given),
    }
    for share in SHARES:
        columns[say(lang, share.title)] = partial(_cell, share, found, lang)
    columns[count_word("entries_missing", lang)] = lambda row: _portion(row[1].missing.share)
    rows = [(name, line) for _, name, line in record_lines(found, lang)]
    print_rows([*rows, (say(lang, "All together"), found.whole)], columns)


_Row = tuple[str, RecordLine]


def _unit_id(services: Services, name: str) -> int | None:
    if not name:
        return None
    with services.store.begin() as tx:
        return find_unit(services.units.current(tx), name).id


def _portion(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _cell(share: RecordShare, found: UnitRecords, lang: Lang, row: _Row) -> str:
    figure = row[1].shares[share.name]
    text = f"{_portion(figure.count.share)} {figure.count.hits:,}/{figure.count.people:,}"
    place = place_sentence(figure, ranked_of(found, share.name), lang)
    return f"{text}\n{place}" if place else text
