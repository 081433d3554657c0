"""Target lists: bytes to rows to Accepted or Rejected. Pure; never saves, reads no clock."""

from __future__ import annotations

from dialer.intake.reader import ListReader, read_list
from dialer.intake.records import (
    Accepted,
    Column,
    Field,
    IntakeOptions,
    Notice,
    NoticeCode,
    Record,
    Rejected,
)
from dialer.intake.reject_file import write_rejects

__all__ = [
    "Accepted",
    "Column",
    "Field",
    "IntakeOptions",
    "ListReader",
    "Notice",
    "NoticeCode",
    "Record",
    "Rejected",
    "read_list",
    "write_rejects",
]
