"""What a file of success rates has beside the tables of the page: every count of every value, the definitions, and who
made the file when, from what. Parquet holds one table: a row for each value of the cut, in the words of the JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from io import BytesIO
from zoneinfo import ZoneInfo

from dialer.core.errors import Invalid
from dialer.core.rates import COUNTED, DEFINITIONS, Slice, rates_of
from dialer.core.values import AmountKind
from dialer.language import Lang, gettext_noop, say
from dialer.outcomes.report import CutReport
from dialer.web.formats import Cell, Sheet
from dialer.words import basis_word, count_word, rate_sentence, rate_word, word_of

PARQUET = "application/vnd.apache.parquet"
_FEN = 100
_MONEY = {
    "approved_fen": gettext_noop("Approved"),
    "unapproved_fen": gettext_noop("Waiting for approval"),
    "reversed_fen": gettext_noop("Reversed"),
}
_FILTERS = {
    "from": gettext_noop("From"),
    "to": gettext_noop("to"),
    "by": gettext_noop("Compared by"),
    "unit": gettext_noop("Unit"),
    "grade": gettext_noop("Grade"),
    "type": gettext_noop("Fraud type"),
    "source": gettext_noop("Source"),
    "script": gettext_noop("Script"),
    "hour": gettext_noop("Hour of opening"),
}


def definitions_version() -> str:
    """Changes whenever the definition of a rate does."""
    plain = json.dumps([asdict(one) for one in DEFINITIONS], sort_keys=True)
    return hashlib.blake2b(plain.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Who made a file, when, and from which address of the page."""

    by: str
    at: datetime
    zone: ZoneInfo
    given: Mapping[str, str]
    drill: bool

    @property
    def name(self) -> str:
        """Of the file, in the centre's own time."""
        return f"rates-{self.at.astimezone(self.zone):%Y%m%d-%H%M}"

    def moment(self, at: datetime) -> str:
        """To the second, with its offset."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S %z}"


Named = Sequence[tuple[str, str, Slice]]
"""Value, name and figures of each part of a cut."""


def all_counts_sheet(whole: Slice, named: Named, lang: Lang) -> Sheet:
    """Every count and amount of the whole and of each value."""
    head = ["", *(count_word(name, lang) for name in COUNTED)]
    head += [
        f"{word_of(kind, lang)}: {say(lang, text)} ({say(lang, 'yuan')})"
        for kind in AmountKind
        for text in _MONEY.values()
    ]
    parts = [(say(lang, gettext_noop("All together")), whole), *((name, part) for _, name, part in named)]
    rows: list[list[Cell]] = []
    for name, part in parts:
        row: list[Cell] = [name, *(getattr(part.counts, count) for count in COUNTED)]
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
                rate_word(one, lang),
                count_word(one.numerator, lang),
                count_word(one.denominator, lang),
                basis_word(one.basis, lang),
                "; ".join(count_word(name, lang) for name in one.excludes),
                rate_sentence(one, lang),
                one.version,
                one.name,
            ]
            for one in DEFINITIONS
        ],
    )


def about_sheet(made: Made, report: CutReport, lang: Lang) -> Sheet:
    """Who, when, from what."""
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
            mend=gettext_noop("an administrator installs it; csv needs none"),
        )


def has_parquet() -> bool:
    """Whether the extra is installed."""
    return find_spec("pyarrow") is not None


def parquet_file(made: Made, report: CutReport, named: Named) -> bytes:
    """A row for the whole (`value` is null) and one for each value: counts, amounts in fen, rates with their intervals;
    the metadata of the file says what the sheet *About this file* says. Needs the extra `parquet`.
    """
    # Loaded only by processes that write such files: memory at rest.
    import pyarrow as pa
    from pyarrow import parquet

    parts = [(None, None, report.breakdown.total), *named]
    columns: dict[str, object] = {
        "value": pa.array([value for value, _, _ in parts], pa.string()),
        "name": pa.array([name for _, name, _ in parts], pa.string()),
    }
    figures = [part for _, _, part in parts]
    for name in COUNTED:
        columns[name] = pa.array([getattr(part.counts, name) for part in figures], pa.int64())
    for kind in AmountKind:
        for state in _MONEY:
            sums = [getattr(part.amounts[kind], state) for part in figures]
            columns[f"{kind.value}_{state}"] = pa.array(sums, pa.int64())
    rates = [{rate.definition.name: rate for rate in rates_of(part.counts)} for part in figures]
    for definition in DEFINITIONS:
        found = [of_part[definition.name] for of_part in rates]
        ends = [(one.interval.low, one.interval.high) if one.interval else (None, None) for one in found]
        columns[f"{definition.name}.value"] = pa.array([one.value for one in found], pa.float64())
        columns[f"{definition.name}.low"] = pa.array([low for low, _ in ends], pa.float64())
        columns[f"{definition.name}.high"] = pa.array([high for _, high in ends], pa.float64())
    about = {
        "made_by": made.by,
        "made_at": made.at.isoformat(),
        "generated_at": report.generated_at.isoformat(),
        "timezone": str(made.zone),
        "drill": made.drill,
        "by": report.breakdown.dimension.value,
        "given": {name: text for name, text in made.given.items() if text},
        "definitions_version": definitions_version(),
        "definitions": [asdict(one) for one in DEFINITIONS],
    }
    table = pa.table(columns).replace_schema_metadata({"dialer": json.dumps(about, ensure_ascii=False)})
    written = BytesIO()
    parquet.write_table(table, written)
    return written.getvalue()
