"""The record of units as sentences, as the sheets of a file, and as the JSON of `dialer records` and the API
(docs/json.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dialer.core.intervals import Standing
from dialer.core.text import Lang, gettext_noop
from dialer.figures.report_json import ReportWindowOut
from dialer.figures.unit_records import GIVEN, SHARES, RecordLine, ShareFigure, UnitRecords
from dialer.language.catalogue import say
from dialer.language.figure_words import count_word
from dialer.runtime.services import JsonResource, Services
from dialer.web.formats import Cell, Sheet


class PlacesOut(JsonResource):
    """名次范围 · The places that the intervals allow, 1 for the smallest share."""

    first: int
    last: int


class AdjustedOut(JsonResource):
    """校正 · The share beside that of the other units, for the same mix of grades and fraud types; `low` and `high` are
    of the difference, at 95 % for all units together.
    """

    standing: Standing
    share: float | None
    rest: float | None
    difference: float | None
    low: float | None
    high: float | None
    compared: int


class ShareOut(JsonResource):
    """一项占比 · One share; `low` and `high` are its 95 % interval."""

    hits: int
    people: int
    value: float | None
    low: float | None
    high: float | None
    adjusted: AdjustedOut | None
    places: PlacesOut | None


class RecordOut(JsonResource):
    """一份督办台账 · One record: of a unit, of all together, or of a month."""

    given: int
    entries_missing: int
    cases_ours: int
    missing: float | None
    shares: dict[str, ShareOut]


class UnitRecordOut(RecordOut):
    """一个机构 · The record of one unit; `id` null is what has no unit yet."""

    id: int | None
    name: str


class MonthRecordOut(RecordOut):
    """一个月 · The record of all together in one month."""

    month: str


class RecordsOut(JsonResource):
    """督办台账 · The records of a month by unit, and all together by month; all of one moment."""

    drill: bool
    generated_at: datetime
    window: ReportWindowOut
    whole: RecordOut
    units: list[UnitRecordOut]
    course: list[MonthRecordOut]


def _share_out(figure: ShareFigure) -> ShareOut:
    adjusted, interval = figure.adjusted, figure.interval
    return ShareOut(
        hits=figure.count.hits,
        people=figure.count.people,
        value=figure.count.share,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        adjusted=None
        if adjusted is None
        else AdjustedOut(
            standing=adjusted.standing,
            share=adjusted.share,
            rest=adjusted.rest,
            difference=adjusted.difference,
            low=adjusted.interval.low if adjusted.interval else None,
            high=adjusted.interval.high if adjusted.interval else None,
            compared=adjusted.compared,
        ),
        places=None if figure.places is None else PlacesOut.model_validate(figure.places),
    )


def _record_out(line: RecordLine) -> RecordOut:
    return RecordOut(
        given=line.given,
        entries_missing=line.missing.hits,
        cases_ours=line.missing.people,
        missing=line.missing.share,
        shares={name: _share_out(figure) for name, figure in line.shares.items()},
    )


def records_out(services: Services, found: UnitRecords) -> RecordsOut:
    """The records as JSON: the figures of the page *Unit records* with the same month and unit."""
    return RecordsOut(
        drill=services.drill,
        generated_at=found.generated_at,
        window=ReportWindowOut(
            start=found.period.start, end=found.period.end, timezone=services.centre.timezone
        ),
        whole=_record_out(found.whole),
        units=[
            UnitRecordOut(
                id=int(value) if value else None,
                name=found.unit_names.get(value, ""),
                **dict(_record_out(line)),
            )
            for value, line in found.units.items()
        ],
        course=[
            MonthRecordOut(month=f"{month:%Y-%m}", **dict(_record_out(line)))
            for month, line in found.course.items()
        ],
    )


def record_lines(found: UnitRecords, lang: Lang) -> list[tuple[str, str, RecordLine]]:
    """Each unit's id as text, its name and its record, in the order of the names; what has no unit is the last."""
    named = [
        (value, found.unit_names.get(value, value) if value else say(lang, "No unit yet"), line)
        for value, line in found.units.items()
    ]
    return sorted(named, key=lambda one: (not one[0], one[1]))


_NO_PLACE = gettext_noop("no place: the intervals overlap")
_NOT_RANKED = gettext_noop("no place: too few, or entries are missing")
_PLACE = gettext_noop("place %(place)s")
_BETWEEN = gettext_noop("place %(first)s to %(last)s")
_DIFFERENCE = gettext_noop("%(difference)s points against the rest (%(low)s to %(high)s)")
_TOO_FEW = gettext_noop("Too few cases to compare")


def difference_sentence(figure: ShareFigure, lang: Lang) -> str:
    """How the share differs from that of the other units; '' where nothing is compared."""
    adjusted = figure.adjusted
    if adjusted is None:
        return ""
    if adjusted.interval is None or adjusted.difference is None:
        return say(lang, _TOO_FEW)
    return say(
        lang,
        _DIFFERENCE,
        difference=f"{adjusted.difference * 100:+.1f}",
        low=f"{adjusted.interval.low * 100:+.1f}",
        high=f"{adjusted.interval.high * 100:+.1f}",
    )


def place_sentence(figure: ShareFigure, ranked: int, lang: Lang) -> str:
    """The place of a unit among those that are compared, or why it has none; '' where nothing is compared."""
    if figure.adjusted is None:
        return ""
    places = figure.places
    if places is None:
        return say(lang, _NOT_RANKED)
    if places.first == places.last:
        return say(lang, _PLACE, place=places.first)
    if places.first == 1 and places.last >= ranked:
        return say(lang, _NO_PLACE)
    return say(lang, _BETWEEN, first=places.first, last=places.last)


def ranked_of(found: UnitRecords, name: str) -> int:
    """How many units may have a place by this share."""
    return sum(line.shares[name].places is not None for line in found.units.values())


def record_sheets(found: UnitRecords, lang: Lang) -> tuple[Sheet, ...]:
    """The page as tables: every unit, all together by month, and what each share is."""
    head = [say(lang, "Unit"), *_head(lang)]
    for share in SHARES:
        head += [f"{say(lang, share.title)}: {say(lang, text)}" for text in _COMPARED]
    rows: list[list[Cell]] = []
    for _, name, line in record_lines(found, lang):
        row = [name, *_cells(line)]
        for share in SHARES:
            figure = line.shares[share.name]
            adjusted = figure.adjusted
            row += [
                adjusted.share if adjusted else None,
                adjusted.rest if adjusted else None,
                difference_sentence(figure, lang),
                place_sentence(figure, ranked_of(found, share.name), lang),
            ]
        rows.append(row)
    return (
        Sheet(title=say(lang, "Unit records"), head=head, rows=rows),
        Sheet(
            title=say(lang, "By month"),
            head=[say(lang, "Month"), *_head(lang)],
            rows=[[f"{month:%Y-%m}", *_cells(line)] for month, line in found.course.items()],
        ),
        Sheet(
            title=say(lang, "Definitions"),
            head=[say(lang, "Share"), say(lang, "Definition")],
            rows=[[say(lang, share.title), say(lang, share.says)] for share in SHARES],
        ),
    )


_COMPARED = (
    gettext_noop("adjusted"),
    gettext_noop("the rest, adjusted"),
    gettext_noop("comparison"),
    gettext_noop("place"),
)


def _head(lang: Lang) -> Iterator[str]:
    yield count_word(GIVEN, lang)
    yield count_word("entries_missing", lang)
    yield count_word("cases_ours", lang)
    for share in SHARES:
        yield say(lang, share.title)
        yield count_word(share.hits, lang)
        yield count_word(share.people, lang)
        yield say(lang, "95 % from")
        yield say(lang, "95 % to")


def _cells(line: RecordLine) -> Iterator[Cell]:
    yield line.given
    yield line.missing.hits
    yield line.missing.people
    for share in SHARES:
        figure = line.shares[share.name]
        yield figure.count.share
        yield figure.count.hits
        yield figure.count.people
        yield figure.interval.low if figure.interval else None
        yield figure.interval.high if figure.interval else None
