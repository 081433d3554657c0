"""Warnings about customers at a counter who may be victims.

Where only the outlet says so (somebody directs the customer), the desk speaks with the customer first: otherwise a
teller could have the robot call any telephone. The warning is opened when an officer of the desk asks for it, when
nobody answers in time, and when the outlet decides before the desk has answered. A person who has an open case already
is warned at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from dialer.cards.counter.store import instruction_no, last_check
from dialer.cards.openings.checks import WARNED_NOW, CheckFinding
from dialer.cards.openings.store import opening_personal, openings_with, outlet_of
from dialer.core.cards import CheckVerdict
from dialer.core.sources import COUNTER_SOURCE
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import KeyMissing, Tampered
from dialer.intake.headings import Layout
from dialer.intake.reader import RowReader
from dialer.intake.records import Accepted, Field
from dialer.runtime.services import Services
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from dialer.warnings.lists import row_options
from dialer.warnings.shared_numbers import hold_further_cases

_log = logging.getLogger(__name__)


def _victim_checks(findings: Iterable[CheckFinding]) -> set[str]:
    return {finding.check for finding in findings if finding.verdict is CheckVerdict.POSSIBLE_VICTIM}


def is_said_by_outlet(findings: Iterable[CheckFinding]) -> bool:
    """Whether what the outlet entered makes the customer a possible victim."""
    return bool(_victim_checks(findings) - {WARNED_NOW})


def is_warned_already(findings: Iterable[CheckFinding]) -> bool:
    """Whether the customer has an open case."""
    return WARNED_NOW in _victim_checks(findings)


def waits_for_desk(findings: Iterable[CheckFinding]) -> bool:
    """Whether the desk is to speak with the customer before anybody is called."""
    found = _victim_checks(findings)
    return bool(found) and WARNED_NOW not in found


def open_warning(tx: Tx, services: Services, opening: Row, *, now: datetime) -> int | None:
    """Opens a warning about the customer in the same way as all warnings, at most one for an opening, and returns its
    case. None if it could not be opened: no phone was left, or the warning is there already.
    """
    personal, tree = opening_personal(tx, opening["id"], opening["sealed"]), services.units.current(tx)
    outlet = outlet_of(tx, opening["outlet_id"])
    cells = {
        Field.INSTRUCTION_NO: instruction_no(opening["id"]),
        Field.NAME: personal["name"],
        Field.PHONE: personal["phone"],
        Field.ID_NUMBER: personal["id_number"],
        Field.GRADE: "high",
        Field.ADDRESS: personal["address"],
        Field.UNIT: tree.label(outlet.unit_id) if outlet.unit_id is not None else "",
        Field.REMARKS: f"{outlet.institution} {outlet.name}",
    }
    options = row_options(services, source=COUNTER_SOURCE, now=now, tree=tree, internal=True)
    layout = Layout(headings=tuple(field.value for field in cells), fields=tuple(cells))
    read = RowReader(layout=layout, options=options).read(1, list(cells.values()))
    if not isinstance(read, Accepted):
        return None
    batch = prepare_arrivals(tx, services, [read], load_id=None, now=now)
    (case_id,) = take_arrivals(tx, services, batch, hold=partial(hold_further_cases, services, now)).case_ids
    return case_id


def warn_unanswered(tx: Tx, services: Services, opening_ids: Iterable[int], *, now: datetime) -> bool:
    """Opens the warnings that waited for the desk, of these openings, whose questions ended without an answer; returns
    whether there were any. An opening that cannot be read is logged and left out.
    """
    opened = False
    for opening in openings_with(tx, sorted(set(opening_ids))):
        checked = last_check(tx, opening["id"])
        if checked is None or not waits_for_desk(map(CheckFinding.of, checked["findings"])):
            continue
        try:
            opened |= open_warning(tx, services, opening, now=now) is not None
        except (Tampered, KeyMissing) as fault:
            _log.error("%s", fault)
    return opened
