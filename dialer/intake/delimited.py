"""Rows out of delimited text, a line at a time, so that a list of any length needs little memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from dialer.intake.encodings import candidates
from dialer.intake.headings import NO_CORRECTIONS, Corrections
from dialer.intake.layout import best_layout

DELIMITERS: Final = (",", "\t", ";", "|", "，", "；", "｜")
_HEAD_BYTES: Final = 1 << 17
_HEAD_LINES: Final = 120
_JOINED_LINES: Final = 50
"""A quoted cell may run over so many lines; a quote left open longer is a slip of the pen, not a cell."""

Row = tuple[int, list[str]]


def open_text(stream: BinaryIO, corrections: Corrections = NO_CORRECTIONS) -> tuple[Iterator[Row], str, str]:
    """The rows of a delimited text with their line numbers, and the encoding and delimiter that were found.

    Encoding and delimiter are those under which the heading row has the most known headings.
    """
    encodings = candidates(stream)
    best = (-1, encodings[0], ",")
    for encoding in encodings:
        stream.seek(0)
        head = stream.read(_HEAD_BYTES).decode(encoding, errors="replace")
        lines = head.splitlines()[:_HEAD_LINES]
        for delimiter in DELIMITERS:
            rows = [cells for _, cells in split_lines(iter(lines), delimiter)]
            found = best_layout(rows, corrections)
            score = found[1].score if found else 0
            if score > best[0]:
                best = (score, encoding, delimiter)
    _, encoding, delimiter = best
    return _rows(stream, encoding, delimiter), encoding, delimiter


def split_lines(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    """The cells of each line; a quoted cell may hold delimiters and line breaks, an unclosed quote only
    itself.
    """
    pending: list[str] = []
    number = 0
    while True:
        if pending:
            line = pending.pop(0)
        else:
            following = next(lines, None)
            if following is None:
                return
            line = following
        number += 1
        if '"' not in line:
            yield number, line.rstrip("\n").split(delimiter)
            continue
        cells, used = _quoted(line, lines, pending, delimiter)
        yield number, cells
        number += used


def _quoted(line: str, lines: Iterator[str], pending: list[str], delimiter: str) -> tuple[list[str], int]:
    """The cells of a line with quotes, and how many further lines they took; what was not taken stays pending."""
    record = line
    used = 0
    is_open, is_clean = _quotes(record, delimiter)
    while is_open:
        if used == len(pending):
            following = next(lines, None) if used < _JOINED_LINES else None
            if following is None:
                return _literal(line, delimiter), 0
            pending.append(following)
        record = record.rstrip("\n") + "\n" + pending[used]
        used += 1
        is_open, is_clean = _quotes(record, delimiter)
    if used and not is_clean:
        # The quote that closed it belongs to a later row: the first one was a slip.
        return _literal(line, delimiter), 0
    del pending[:used]
    return next(csv.reader([record.rstrip("\n")], delimiter=delimiter), []), used


def _literal(line: str, delimiter: str) -> list[str]:
    """The cells of a line whose quotes do not match, without those at their ends."""
    return [cell.strip('"') for cell in line.rstrip("\n").split(delimiter)]


def _quotes(record: str, delimiter: str) -> tuple[bool, bool]:
    """Whether a quoted cell is still open, and whether every closing quote stood at its cell's end.

    A quote within an unquoted cell means itself.
    """
    inside, at_start, is_clean = False, True, True
    index, length = 0, len(record)
    while index < length:
        char = record[index]
        if inside and char == '"':
            after = record[index + 1 : index + 2]
            if after == '"':
                index += 1
            else:
                inside = False
                is_clean = is_clean and after in {"", delimiter, "\n"}
        elif char == '"' and at_start:
            inside = True
        at_start = not inside and char == delimiter
        index += 1
    return inside, is_clean


def _rows(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[Row]:
    """The rows; afterwards the stream is still open and belongs to whoever opened it."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
    try:
        yield from split_lines(text, delimiter)
    finally:
        if not stream.closed:
            text.detach()
