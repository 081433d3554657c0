"""The tables of success rates: each value of a cut with its name and its rates, the sheets of the page, and what a file
has besides: every count of every value, the definitions, and who made the file, when and with which filter. Parquet has
one table: a row for each value of the cut, with the names of the JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.util import find_spec
from io import BytesIO
from itertools import pairwise
from zoneinfo import ZoneInfo

from dialer.core.errors import Invalid
from dialer.core.intervals import Adjusted, Standing
from dialer.core.rates import (
    COUNT_NAMES,
    DEFINITIONS,
    FUNNEL,
    WAIT_BOUNDS_SECONDS,
    Counts,
    Dimension,
    Rate,
    Slice,
    rates_of,
)
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import AmountKind, FraudType, Grade
from dialer.figures.rate_charts import (
    further_sheets,
)
from dialer.figures.reader import ADJUSTED
from dialer.figures.report import CutReport
from dialer.language.catalogue import say
from dialer.language.figure_words import basis_word, count_word, rate_sentence, rate_word
from dialer.language.words import actor_word, script_word, word_of
from dialer.web.formats import Cell, Sheet, format_span

PARQUET = "application/vnd.apache.parquet"
_FEN = 100
_MONEY = {
    "approved_fen": gettext_noop("Approved"),
    "unapproved_fen": gettext_noop("Waiting for approval"),
    "reversed_fen": gettext_noop("Reversed"),
}
_FILTERS = {
    "from": gettext_noop("From"),
    "to": gettext_noop("To"),
    "by": gettext_noop("Compared by"),
    "unit": gettext_noop("Unit"),
    "grade": gettext_noop("Grade"),
    "type": gettext_noop("Fraud type"),
    "source": gettext_noop("Source"),
    "script": gettext_noop("Script"),
    "version": gettext_noop("Script version"),
    "hour": gettext_noop("Hour of opening"),
    "person": gettext_noop("Caller or officer"),
}


SHOWN_BESIDE = (
    "warnings",
    "cases",
    "robot_calls",
    "human_calls",
    "visits",
    "verified_contact",
    "dissuaded",
    "cases_proven",
    "cases_reversed",
    "defrauded_after_warning",
    "cases_missed",
)


_RATES_BESIDE = ("answered_per_person", "verified_contact", "dissuaded", "proven", "first_attempt_in_time")


_RATE_HEAD = (
    gettext_noop("Rate"),
    gettext_noop("Value"),
    gettext_noop("Numerator"),
    gettext_noop("Denominator"),
    gettext_noop("95 % from"),
    gettext_noop("95 % to"),
    gettext_noop("Window"),
    gettext_noop("Left out"),
    gettext_noop("Definition"),
)


_MONEY_HEAD = (gettext_noop("Approved"), gettext_noop("Waiting for approval"), gettext_noop("Reversed"))


RATE_DIMENSIONS = {
    Dimension.UNIT: gettext_noop("By unit"),
    Dimension.GRADE: gettext_noop("By grade"),
    Dimension.FRAUD_TYPE: gettext_noop("By fraud type"),
    Dimension.SOURCE: gettext_noop("By source"),
    Dimension.SCRIPT: gettext_noop("By script"),
    Dimension.VERSION: gettext_noop("By script version"),
    Dimension.HOUR: gettext_noop("By hour of opening"),
    Dimension.PERSON: gettext_noop("By member of staff"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLine:
    """One value of the dimension with its figures. `value` narrows the page to it, unless it is ''."""

    value: str
    name: str
    part: Slice
    rates: tuple[Rate, ...]
    adjusted: Mapping[str, Adjusted] = field(default_factory=dict)
    """By rate; only for a cut by unit."""


def rate_lines(report: CutReport, lang: Lang) -> tuple[RateLine, ...]:
    """A line for each value of the dimension: grades, types and hours in their own order, all others by number of
    cases, largest first.
    """
    dimension = report.breakdown.dimension
    found = [
        RateLine(
            value=value,
            name=name_of(report, value, lang),
            part=part,
            rates=tuple(rate for rate in rates_of(part.counts) if rate.definition.name in _RATES_BESIDE),
            adjusted=report.adjusted.get(value, {}),
        )
        for value, part in report.breakdown.slices.items()
    ]
    order: dict[Dimension, list[str]] = {
        Dimension.GRADE: list(Grade),
        Dimension.FRAUD_TYPE: list(FraudType),
        Dimension.HOUR: [str(hour) for hour in range(24)],
    }
    if dimension in order:
        return tuple(sorted(found, key=lambda line: order[dimension].index(line.value)))
    return tuple(sorted(found, key=lambda line: (-line.part.counts.cases, line.name)))


def name_of(report: CutReport, value: str, lang: Lang) -> str:  # noqa: PLR0911  # one return for each dimension
    """The name of a value of the dimension."""
    match report.breakdown.dimension:
        case Dimension.GRADE:
            return word_of(Grade(value), lang)
        case Dimension.FRAUD_TYPE:
            return word_of(FraudType(value), lang)
        case Dimension.HOUR:
            return f"{int(value):02}:00"
        case Dimension.UNIT:
            return report.unit_names.get(value, value) if value else say(lang, "No unit yet")
        case Dimension.SCRIPT:
            return script_word(value, lang) if value else say(lang, "Not called yet")
        case Dimension.VERSION:
            script, _, number = value.rpartition("@")
            return f"{script_word(script, lang)} {number}" if value else say(lang, "Not called yet")
        case Dimension.PERSON:
            return actor_word(value, lang, report.staff_names) or say(
                lang, "Nobody: the robot alone, or not reported yet"
            )
        case Dimension.SOURCE:
            return value


def wait_bars(lang: Lang) -> tuple[str, ...]:
    """The labels of the bars of the distribution of times to the first call attempt."""
    bounds = [format_span(bound, lang) for bound in WAIT_BOUNDS_SECONDS]
    return (
        say(lang, "under %(limit)s", limit=bounds[0]),
        *(f"{low} – {high}" for low, high in pairwise(bounds)),
        say(lang, "over %(limit)s", limit=bounds[-1]),
    )


STANDINGS: Mapping[Standing, str] = {
    Standing.TOO_FEW: gettext_noop("Too few cases to compare"),
    Standing.NOISE: gettext_noop("The difference from the rest is within chance: %(low)s to %(high)s points"),
    Standing.ABOVE: gettext_noop("Above the rest by %(points)s points (%(low)s to %(high)s)"),
    Standing.BELOW: gettext_noop("Below the rest by %(points)s points (%(low)s to %(high)s)"),
}


def standing_sentence(adjusted: Mapping[str, Adjusted], lang: Lang, rate: str = "dissuaded") -> str:
    """How a unit compares with all others, for the same mix of grades and types; '' where it is not compared."""
    comparison = adjusted.get(rate)
    if comparison is None:
        return ""
    if comparison.interval is None or comparison.difference is None:
        return say(lang, STANDINGS[comparison.standing])
    return say(
        lang,
        STANDINGS[comparison.standing],
        points=f"{abs(comparison.difference) * 100:.1f}",
        low=f"{comparison.interval.low * 100:+.1f}",
        high=f"{comparison.interval.high * 100:+.1f}",
    )


def rate_sheets(report: CutReport, lang: Lang, zone: ZoneInfo) -> tuple[Sheet, ...]:
    """The page as tables: every rate of the cut, the values side by side, the times, the amounts, and the moment."""
    total = report.breakdown.total
    shown = rate_lines(report, lang)
    return (
        Sheet(
            title=say(lang, "Rates"),
            head=[say(lang, text) for text in _RATE_HEAD],
            rows=[_rate_row(rate, lang) for rate in rates_of(total.counts)],
        ),
        _beside_sheet(report, shown, lang),
        Sheet(
            title=say(lang, "Time to first call"),
            head=[say(lang, "Grade"), *wait_bars(lang)],
            rows=[[word_of(grade, lang), *counts] for grade, counts in report.waits.by_grade.items()],
        ),
        Sheet(
            title=say(lang, "Amounts in yuan"),
            head=["", *(say(lang, text) for text in _MONEY_HEAD)],
            rows=[
                [
                    word_of(kind, lang),
                    *(fen / _FEN for fen in (money.approved_fen, money.unapproved_fen, money.reversed_fen)),
                ]
                for kind, money in ((kind, total.amounts[kind]) for kind in AmountKind)
            ],
        ),
        Sheet(
            title=say(lang, "Counts"),
            head=[say(lang, "Figure"), say(lang, "Value")],
            rows=[
                [say(lang, "As of"), f"{report.generated_at.astimezone(zone):%Y-%m-%d %H:%M:%S %z}"],
                *([count_word(name, lang), getattr(total.counts, name)] for name in FUNNEL),
                [say(lang, "Half of the first calls within, seconds"), total.first_attempt.p50_seconds],
                [say(lang, "Nine of ten first calls within, seconds"), total.first_attempt.p90_seconds],
            ],
        ),
        *further_sheets(report, wait_bars(lang), lang),
    )


def _beside_sheet(report: CutReport, shown: tuple[RateLine, ...], lang: Lang) -> Sheet:
    """The values side by side; for a cut by unit, each rate also compared with the rest."""
    definitions = [rate.definition for rate in rates_of(Counts()) if rate.definition.name in _RATES_BESIDE]
    adjusted = [definition for definition in definitions if definition.name in ADJUSTED and report.adjusted]
    head = ["", *(count_word(name, lang) for name in SHOWN_BESIDE)]
    for definition in definitions:
        head += [rate_word(definition, lang), say(lang, "95 % from"), say(lang, "95 % to")]
    for definition in adjusted:
        head += [
            f"{rate_word(definition, lang)}: {say(lang, text)}"
            for text in (
                gettext_noop("adjusted"),
                gettext_noop("the rest, adjusted"),
                gettext_noop("comparison"),
            )
        ]
    rows: list[list[Cell]] = []
    for line in shown:
        row: list[Cell] = [line.name, *(getattr(line.part.counts, name) for name in SHOWN_BESIDE)]
        for rate in line.rates:
            row += [
                rate.value,
                rate.interval.low if rate.interval else None,
                rate.interval.high if rate.interval else None,
            ]
        for definition in adjusted:
            found = line.adjusted[definition.name]
            row += [found.share, found.rest, standing_sentence(line.adjusted, lang, definition.name)]
        rows.append(row)
    return Sheet(title=say(lang, RATE_DIMENSIONS[report.breakdown.dimension]), head=head, rows=rows)


def _rate_row(rate: Rate, lang: Lang) -> list[Cell]:
    definition = rate.definition
    left_out = [f"{count_word(name, lang)} {count}" for name, count in rate.excludes.items() if count]
    return [
        rate_word(definition, lang),
        rate.value,
        rate.numerator,
        rate.denominator,
        rate.interval.low if rate.interval else None,
        rate.interval.high if rate.interval else None,
        basis_word(definition.basis, lang),
        "; ".join(left_out),
        rate_sentence(definition, lang),
    ]


def definitions_version() -> str:
    """A hash of the definitions of all rates."""
    plain = json.dumps([asdict(definition) for definition in DEFINITIONS], sort_keys=True)
    return hashlib.blake2b(plain.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportInfo:
    """Who made a file, when, and from which address of the page."""

    by: str
    at: datetime
    zone: ZoneInfo
    given: Mapping[str, str]
    drill: bool

    @property
    def name(self) -> str:
        """The name of the file, in the centre's own time."""
        return f"rates-{self.at.astimezone(self.zone):%Y%m%d-%H%M}"

    def moment(self, at: datetime) -> str:
        """A moment to the second in the centre's time, with its UTC offset."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S %z}"


Named = Sequence[tuple[str, str, Slice]]
"""Value, name and figures of each part of a cut."""


def all_counts_sheet(whole: Slice, named: Named, lang: Lang) -> Sheet:
    """Every count and amount of the whole and of each value."""
    head = ["", *(count_word(name, lang) for name in COUNT_NAMES)]
    head += [
        f"{word_of(kind, lang)}: {say(lang, text)} ({say(lang, 'yuan')})"
        for kind in AmountKind
        for text in _MONEY.values()
    ]
    parts = [(say(lang, gettext_noop("All together")), whole), *((name, part) for _, name, part in named)]
    rows: list[list[Cell]] = []
    for name, part in parts:
        row: list[Cell] = [name, *(getattr(part.counts, count) for count in COUNT_NAMES)]
        row += [getattr(part.amounts[kind], state) / _FEN for kind in AmountKind for state in _MONEY]
        rows.append(row)
    return Sheet(title=say(lang, gettext_noop("All counts")), head=head, rows=rows)


def definitions_sheet(lang: Lang) -> Sheet:
    """Each rate: what is counted, of what, by which moment, and what is left out."""
    head = (
        gettext_noop("Rate"),
        gettext_noop("Numerator"),
        gettext_noop("Denominator"),
        gettext_noop("Window"),
        gettext_noop("Left out"),
        gettext_noop("Definition"),
        gettext_noop("Version"),
        gettext_noop("Name in the JSON"),
    )
    return Sheet(
        title=say(lang, gettext_noop("Definitions")),
        head=[say(lang, text) for text in head],
        rows=[
            [
                rate_word(definition, lang),
                count_word(definition.numerator, lang),
                count_word(definition.denominator, lang),
                basis_word(definition.basis, lang),
                "; ".join(count_word(name, lang) for name in definition.excludes),
                rate_sentence(definition, lang),
                definition.version,
                definition.name,
            ]
            for definition in DEFINITIONS
        ],
    )


def about_sheet(made: ExportInfo, report: CutReport, lang: Lang) -> Sheet:
    """Who made the file, when and with which filter."""
    rows: list[list[Cell]] = [
        [say(lang, gettext_noop("Made by")), made.by],
        [say(lang, gettext_noop("Made at")), made.moment(made.at)],
        [say(lang, gettext_noop("Figures as of")), made.moment(report.generated_at)],
        [say(lang, gettext_noop("Version of the definitions")), definitions_version()],
        [say(lang, gettext_noop("Persons")), say(lang, gettext_noop("none: figures only"))],
    ]
    if made.drill:
        rows.append([say(lang, gettext_noop("Drill")), say(lang, gettext_noop("no real phone was called"))])
    rows += [[say(lang, text), made.given[name]] for name, text in _FILTERS.items() if made.given.get(name)]
    return Sheet(title=say(lang, gettext_noop("About this file")), head=["", ""], rows=rows)


class NoParquet(Invalid):
    """The extra `parquet` is not installed."""

    def __init__(self) -> None:
        super().__init__(
            field="kind",
            problem=gettext_noop("needs the extra parquet"),
            fix=gettext_noop("an administrator installs it; csv needs none"),
        )


def has_parquet() -> bool:
    """Whether the extra is installed."""
    return find_spec("pyarrow") is not None


def parquet_file(made: ExportInfo, report: CutReport, named: Named) -> bytes:
    """A Parquet file with a row for the whole (`value` is null) and one for each value: counts, amounts in fen, rates
    with their intervals. The metadata of the file says what the sheet *About this file* says. Needs the extra
    `parquet`.
    """
    # Loaded only by processes that write such files, to save memory.
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        name: pa.array(cells, getattr(pa, kind)()) for name, kind, cells in parquet_columns(report, named)
    }
    about = json.dumps(parquet_about(made, report), ensure_ascii=False)
    table = pa.table(columns).replace_schema_metadata({"dialer": about})
    written = BytesIO()
    parquet.write_table(table, written)
    return written.getvalue()


def parquet_columns(report: CutReport, named: Named) -> Iterator[tuple[str, str, Sequence[Cell]]]:
    """Name, Arrow type and cells of each column; the first cell of each is that of the whole."""
    parts = [(None, None, report.breakdown.total), *named]
    figures = [part for _, _, part in parts]
    yield "value", "string", [value for value, _, _ in parts]
    yield "name", "string", [name for _, name, _ in parts]
    for name in COUNT_NAMES:
        yield name, "int64", [getattr(part.counts, name) for part in figures]
    for kind in AmountKind:
        for state in _MONEY:
            yield f"{kind.value}_{state}", "int64", [getattr(part.amounts[kind], state) for part in figures]
    of_parts = [rates_of(part.counts) for part in figures]
    for place, definition in enumerate(DEFINITIONS):
        rates = [of_part[place] for of_part in of_parts]
        ends = [(rate.interval.low, rate.interval.high) if rate.interval else (None, None) for rate in rates]
        yield f"{definition.name}.value", "float64", [rate.value for rate in rates]
        yield f"{definition.name}.low", "float64", [low for low, _ in ends]
        yield f"{definition.name}.high", "float64", [high for _, high in ends]


def parquet_about(made: ExportInfo, report: CutReport) -> dict[str, object]:
    """The metadata `dialer` of the file, as JSON."""
    return {
        "made_by": made.by,
        "made_at": made.at.isoformat(),
        "generated_at": report.generated_at.isoformat(),
        "timezone": str(made.zone),
        "drill": made.drill,
        "by": report.breakdown.dimension.value,
        "given": {name: text for name, text in made.given.items() if text},
        "definitions_version": definitions_version(),
        "definitions": [asdict(definition) for definition in DEFINITIONS],
    }
