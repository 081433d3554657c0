"""Loads a file of signals through the process that reads files, in batches, each committed before the next."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from dialer.core.text import Text
from dialer.intake.headings import KnownList
from dialer.intake.reader import default_source
from dialer.intake.records import Column, RejectedRow
from dialer.intake.signal_lists import RawSignal, SignalRows
from dialer.runtime.services import Services
from dialer.runtime.uploads import known_tables
from dialer.signals.deliveries import MOST_SIGNALS, SignalReception, SignalStatus, take_signals
from dialer.signals.model import RejectedField


@dataclass(slots=True, kw_only=True)
class SignalLoad:
    """What became of the rows of a file. `rejects` are in its order, one for each fault."""

    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejects: list[RejectedRow]
    columns: tuple[Column, ...] = ()


def load_signals(services: Services, content: BinaryIO, *, filename: str, source: str = "") -> SignalLoad:
    """Loads all rows that are signals. Rows without a source get `source`, or else the name of the file. What was
    loaded stays when the rest of the file cannot be read; loading it again adds what is missing. Raises `UnusableFile`.
    """
    reception = SignalReception(services)
    done = SignalLoad(rejects=[])
    own = source or default_source(filename)
    with closing(known_tables(content, KnownList.SIGNALS)) as tables:
        rows = SignalRows(tables)
        every = iter(rows)
        while batch := list(islice(every, MOST_SIGNALS)):
            delivery = reception.read([row.cells for row in batch], source=own)
            (answers,) = take_signals(services, [delivery])
            for row, answer in zip(batch, answers, strict=True):
                done.rows += 1
                match answer.status:
                    case SignalStatus.ACCEPTED:
                        done.accepted += 1
                    case SignalStatus.DUPLICATE:
                        done.duplicate += 1
                    case SignalStatus.REJECTED:
                        done.rejected += 1
                        done.rejects += [_reject(row, fault) for fault in answer.faults]
        done.columns = rows.columns
    return done


def _reject(row: RawSignal, fault: RejectedField) -> RejectedRow:
    reason = Text("%(reason)s: %(fix)s", reason=fault.reason, fix=fault.fix)
    return row.table.refused((row.line, list(row.raw)), fault.field, reason)
