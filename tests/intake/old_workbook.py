"""xls: a BIFF8 stream within an OLE file, written here record by record, since nothing writes it any more."""

from __future__ import annotations

import struct

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def beginning(kind: int) -> bytes:
    return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def cell(row: int, column: int, value: str | float) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text) // 2, 1) + text)
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def biff(
    rows: list[list[str | float]], name: str, *, shared: bytes = b"", cells: bytes | None = None
) -> bytes:
    """One sheet. `shared`: a table of shared strings; `cells`: the records of its cells, if not those of `rows`."""
    text = name.encode("utf-16-le")
    tail = struct.pack("<HBB", 0, len(text) // 2, 1) + text
    end = record(0x000A, b"")
    codepage = record(0x0042, struct.pack("<H", 1200))
    size = len(beginning(5) + codepage + shared + end) + 4 + 4 + len(tail)
    pending_writes = beginning(5) + codepage + record(0x0085, struct.pack("<I", size) + tail) + shared + end
    if cells is None:
        cells = b"".join(
            cell(row, column, value) for row, line in enumerate(rows) for column, value in enumerate(line)
        )
    area = record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    return pending_writes + beginning(0x10) + area + cells + end


def entry(name: str, kind: int, *, child: int = FREE, start: int = END, size: int = 0) -> bytes:
    text = name.encode("utf-16-le") + b"\x00\x00" if name else b""
    head = text.ljust(64, b"\x00") + struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def ole(stream: bytes) -> bytes:
    stream = stream.ljust(max(len(stream) + -len(stream) % SECTOR, 4096), b"\x00")
    count = len(stream) // SECTOR
    chain = [FAT, END, *range(3, 2 + count), END]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(SECTOR, b"\xff")
    folder = (
        entry("Root Entry", 5, child=1) + entry("Workbook", 2, start=2, size=len(stream)) + entry("", 0) * 2
    )
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<I", 0).ljust(436, b"\xff")
    return header + fat + folder + stream
