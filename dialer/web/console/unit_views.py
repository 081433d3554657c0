"""What the pages about units share: the way between them, and a list's faults in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dialer.domain.access import Act
from dialer.domain.units import SEPARATOR, UnitIndex
from dialer.language import Lang, mark
from dialer.usecases.import_units import UnusableUnits
from dialer.usecases.show_units import count_queues
from dialer.web.console.visit import Visit

_BOTH = re.compile(r"(?s)(?P<zh>.+?) \((?P<en>.+)\)")
SAID = (
    mark("names no unit, or more than one"),
    mark("choose one of the list"),
    mark("choose a unit"),
    mark("choose at least one case"),
    mark("the unit as lists write it"),
    mark("say it in a few words"),
    mark("none of these cases waits for a unit any more"),
    mark("the file is empty; nothing was imported"),
    mark("no column of unit names: head one 名称 or name, and the parent's 上级 or parent"),
    mark("the list has more than 20000 units"),
    mark("the units were changed meanwhile: look again at what the list would do"),
)
"""Refusals of the acts on units, which have a translation."""


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
        FaultLine(line=one.line, column=column, problem=_told(one.problem, lang), mend=_told(one.mend, lang))
        for one, column in zip(fault.faults, fault.columns, strict=True)
    ]


def _told(text: str, lang: Lang) -> str:
    """Faults carry both languages, Chinese first."""
    both = _BOTH.fullmatch(text)
    return text if both is None else both[lang.value]
