"""A list read in the process of the test, not in one of its own as `runtime/uploads.py` does."""

from __future__ import annotations

import io
from typing import BinaryIO

from dialer.intake.files import known_tables, list_tables
from dialer.intake.headings import KnownList
from dialer.intake.reader import ListReader
from dialer.intake.records import IntakeOptions
from dialer.intake.unit_lists import UnitSheet
from dialer.intake.unit_lists import read_units as read_unit_tables


def read_list(data: bytes | BinaryIO, *, filename: str, options: IntakeOptions) -> ListReader:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return ListReader(list_tables(stream, options.corrections), filename=filename, options=options)


def read_units(data: bytes) -> UnitSheet:
    return read_unit_tables(known_tables(io.BytesIO(data), KnownList.UNITS))
