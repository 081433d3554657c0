"""The success rates as a page and a file show them: names in the reader's language, numbers ready to be drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

from dialer.domain.values import AmountKind, FraudType, Grade
from dialer.language import Lang, mark, say
from dialer.outcomes.cuts import WAIT_BOUNDS_SECONDS, Dimension
from dialer.outcomes.figures import Slice
from dialer.outcomes.rates import Rate, rates_of
from dialer.usecases.cut_rates import CutReport
from dialer.web.console.formats import span
from dialer.web.console.sheets import Cell, Sheet
from dialer.words import basis_word, count_word, rate_sentence, rate_word, stored_word, word

FUNNEL = (
    "warnings",
    "cases",
    "cases_rung",
    "cases_answered",
    "verified_contact",
    "dissuaded",
    "cases_proven",
)
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
_FEN = 100
_RATE_HEAD = (
    mark("Rate"),
    mark("Value"),
    mark("Numerator"),
    mark("Denominator"),
    mark("Window"),
    mark("Left out"),
    mark("Definition"),
)
_MONEY_HEAD = (mark("Approved"), mark("Waiting for approval"), mark("Reversed"))

DIMENSIONS = {
    Dimension.UNIT: mark("By unit"),
    Dimension.GRADE: mark("By grade"),
    Dimension.FRAUD_TYPE: mark("By fraud type"),
    Dimension.SOURCE: mark("By source"),
    Dimension.SCRIPT: mark("By script"),
    Dimension.HOUR: mark("By hour of opening"),
}
PARAMETERS = {
    Dimension.UNIT: "unit",
    Dimension.GRADE: "grade",
    Dimension.FRAUD_TYPE: "type",
    Dimension.SOURCE: "source",
    Dimension.SCRIPT: "script",
    Dimension.HOUR: "hour",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value of the dimension beside the others; `value` narrows the page to it, '' cannot."""

    value: str
    name: str
    part: Slice
    rates: tuple[Rate, ...]


def lines(report: CutReport, lang: Lang) -> tuple[Line, ...]:
    """In the order of grades, types and hours; of units, sources and scripts the largest first."""
    dimension = report.breakdown.dimension
    found = [
        Line(
            value=value,
            name=name_of(report, value, lang),
            part=part,
            rates=tuple(rate for rate in rates_of(part.counts) if rate.definition.name in _RATES_BESIDE),
        )
        for value, part in report.breakdown.slices.items()
    ]
    ranks: dict[str, int]
    if dimension is Dimension.GRADE:
        ranks = {grade.value: place for place, grade in enumerate(Grade)}
    elif dimension is Dimension.FRAUD_TYPE:
        ranks = {kind.value: place for place, kind in enumerate(FraudType)}
    elif dimension is Dimension.HOUR:
        ranks = {str(hour): hour for hour in range(24)}
    else:
        ranks = {line.value: -line.part.counts.cases for line in found}
    return tuple(sorted(found, key=lambda line: (ranks[line.value], line.name)))


def name_of(report: CutReport, value: str, lang: Lang) -> str:
    """What a value of the dimension is called."""
    match report.breakdown.dimension:
        case Dimension.GRADE:
            return word(Grade(value), lang)
        case Dimension.FRAUD_TYPE:
            return word(FraudType(value), lang)
        case Dimension.HOUR:
            return f"{int(value):02}:00"
        case Dimension.UNIT:
            return report.unit_names.get(value, value) if value else say(lang, "No unit yet")
        case Dimension.SCRIPT:
            return stored_word(FraudType, value, lang) if value else say(lang, "Not called yet")
        case Dimension.SOURCE:
            return value


def bars(lang: Lang) -> tuple[str, ...]:
    """The names of the bars of the distribution of times to the first ring."""
    told = [span(bound, lang) for bound in WAIT_BOUNDS_SECONDS]
    return (
        say(lang, "under %(limit)s", limit=told[0]),
        *(f"{low} – {high}" for low, high in pairwise(told)),
        say(lang, "over %(limit)s", limit=told[-1]),
    )


def beside_chart(shown: tuple[Line, ...], lang: Lang) -> str:
    """Bars of two rates by value, as JSON for the browser."""
    names = ("verified_contact", "dissuaded")
    series = []
    for name in names:
        rates = [next(rate for rate in line.rates if rate.definition.name == name) for line in shown]
        series.append(
            {
                "name": rate_word(rates[0].definition, lang) if rates else name,
                "values": [None if rate.value is None else round(rate.value * 100, 1) for rate in rates],
            }
        )
    return json.dumps({"labels": [line.name for line in shown], "series": series, "unit": "%"})


def waits_chart(report: CutReport, lang: Lang) -> str:
    """Columns of cases by time to the first ring, one colour a grade."""
    series = [
        {"name": word(grade, lang), "grade": grade.value, "values": counts}
        for grade, counts in report.waits.by_grade.items()
    ]
    return json.dumps({"labels": bars(lang), "series": series, "unit": "", "stacked": True})


def sheets(report: CutReport, lang: Lang) -> tuple[Sheet, ...]:
    """The page as tables: every rate of the cut, the values side by side, the times, the amounts."""
    total = report.breakdown.total
    return (
        Sheet(
            title=say(lang, "Rates"),
            head=[say(lang, text) for text in _RATE_HEAD],
            rows=[_rate_row(rate, lang) for rate in rates_of(total.counts)],
        ),
        Sheet(
            title=say(lang, DIMENSIONS[report.breakdown.dimension]),
            head=["", *(count_word(name, lang) for name in SHOWN_BESIDE)],
            rows=[
                [line.name, *(getattr(line.part.counts, name) for name in SHOWN_BESIDE)]
                for line in lines(report, lang)
            ],
        ),
        Sheet(
            title=say(lang, "Time to first call"),
            head=[say(lang, "Grade"), *bars(lang)],
            rows=[[word(grade, lang), *counts] for grade, counts in report.waits.by_grade.items()],
        ),
        Sheet(
            title=say(lang, "Amounts in yuan"),
            head=["", *(say(lang, text) for text in _MONEY_HEAD)],
            rows=[
                [
                    word(kind, lang),
                    *(fen / _FEN for fen in (money.approved_fen, money.unapproved_fen, money.reversed_fen)),
                ]
                for kind, money in ((kind, total.amounts[kind]) for kind in AmountKind)
            ],
        ),
    )


def _rate_row(rate: Rate, lang: Lang) -> list[Cell]:
    definition = rate.definition
    left_out = [f"{count_word(name, lang)} {count}" for name, count in rate.excludes.items() if count]
    return [
        rate_word(definition, lang),
        rate.value,
        rate.numerator,
        rate.denominator,
        basis_word(definition.basis, lang),
        "; ".join(left_out),
        rate_sentence(definition, lang),
    ]
