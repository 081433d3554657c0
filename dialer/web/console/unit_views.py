"""What the pages about units share: the way between them, and a list's faults in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.domain.access import Act
from dialer.domain.units import SEPARATOR, UnitIndex
from dialer.language import Lang, mark, say
from dialer.usecases.import_units import UnusableUnits
from dialer.usecases.show_units import count_queues
from dialer.web.console.visit import Visit


def unit_tabs(visit: Visit) -> list[tuple[str, str]]:
    """The pages about units that the reader may open, with how much waits behind each."""
    seen_by = visit.member.unit_id
    tabs = [("/units", visit.say(mark("Organisation")))]
    if visit.may(Act.SORT_UNITS):
        queues = count_queues(visit.engine, seen_by=seen_by)
        if seen_by is None:
            tabs.append(("/units/unassigned", _counted(visit.say(mark("Unassigned cases")), queues.unsorted)))
        tabs.append(("/units/transfers", _counted(visit.say(mark("Transfers")), queues.transfers)))
    if visit.may(Act.MANAGE_UNITS) and seen_by is None:
        tabs.append(("/units/import", visit.say(mark("Import"))))
    return tabs


def _counted(text: str, n: int) -> str:
    return f"{text} {n:,}" if n else text


def paths(index: UnitIndex) -> Mapping[int, str]:
    """Each unit with all that stands above it."""
    return {unit.id: SEPARATOR.join(index.names(unit.id)) for unit in index}


def names(index: UnitIndex) -> Mapping[int, str]:
    return {unit.id: index.label(unit.id) for unit in index}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    line: int
    column: str
    problem: str
    mend: str


def fault_lines(fault: UnusableUnits, lang: Lang) -> list[FaultLine]:
    """What must be mended, by line and column."""
    return [
        FaultLine(line=one.line, column=column, problem=say(lang, one.problem), mend=say(lang, one.mend))
        for one, column in zip(fault.faults, fault.columns, strict=True)
    ]
