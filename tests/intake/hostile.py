"""Files made to do harm: lists of each kind with bytes, numbers and marks changed at random.

    python -m tests.intake.hostile --seed 7 --count 2000

Each is read as an upload is; the counts and the figures are printed, and exit code 1 says that more happened than a
list read or a file refused.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import resource
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import psutil
import xlsxwriter

from dialer.core.errors import UnreadableFile, UnusableFile
from dialer.intake.records import IntakeOptions
from dialer.warnings.lists import read_list
from tests.intake.old_workbook import biff, ole, record

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
MOST_MEGABYTES = 1024
MOST_SECONDS = 20.0
HEADING = ["指令编号", "姓名", "手机号", "等级", "预警时间", "拟转金额", "通话时长", "备注"]
ROWS: list[list[str | float]] = [
    [
        f"YJ{row:04d}",
        "王伟",
        13800138000.0 + row,
        "高危",
        "2026-11-20 07:52:00",
        3000.5,
        "3分20秒",
        "已报警" * 9,
    ]
    for row in range(60)
]


def xls() -> bytes:
    return ole(biff([HEADING, *ROWS], "名单"))


def shared_xls(rows: int, *, far: bool = False) -> bytes:
    """Its cells point into a table of shared strings. `far`: the last one stands in row and column 65,535."""
    texts = ["姓名", "手机号", "13800138000"]
    strings = b"".join(struct.pack("<HB", len(text), 1) + text.encode("utf-16-le") for text in texts)
    table = record(0x00FC, struct.pack("<II", 2 * rows, len(texts)) + strings)
    cells = [(0, 0, 0), (0, 1, 1), *((row, 1, 2) for row in range(1, rows))]
    if far:
        cells[-1] = (65_535, 65_535, 2)
    return ole(
        biff(
            [["", ""]] * rows,
            "名单",
            shared=table,
            cells=b"".join(
                record(0x00FD, struct.pack("<HHHI", row, column, 0, index)) for row, column, index in cells
            ),
        )
    )


def xlsx() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("名单")
        sheet.merge_range(0, 0, 0, 3, "下发名单")
        for index, row in enumerate([HEADING, *ROWS], start=1):
            sheet.write_row(index, 0, row)
    return file.getvalue()


_ODS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
    '<office:body><office:spreadsheet><table:table table:name="名单">{}</table:table></office:spreadsheet>'
    "</office:body></office:document-content>"
)


def ods(rows: str = "") -> bytes:
    """`rows`: further ones, as XML."""
    listed = "".join(
        "<table:table-row>" + "".join(ods_cell(cell) for cell in row) + "</table:table-row>"
        for row in [HEADING, *ROWS]
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", _ODS.format(listed + rows))
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return file.getvalue()


def ods_cell(cell: str | float, *, more: str = "") -> str:
    kind = "string" if isinstance(cell, str) else f'float" office:value="{cell}'
    return f'<table:table-cell office:value-type="{kind}"{more}><text:p>{cell}</text:p></table:table-cell>'


def csv() -> bytes:
    lines = [",".join(map(str, row)) for row in [HEADING, *ROWS]]
    lines[5] = lines[5].replace("已报警", '"已,报""警\n"')
    return "\r\n".join(lines).encode()


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The zip with each of its parts changed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
    return file.getvalue()


_NUMBERS = (b"0", b"-1", b"1048576", b"65535", b"4294967295", b"9" * 30, b"1e308", b"XFD1048576", b"A0")
_WORDS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF)


def _bytes_changed(data: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 40))):
        place = chance.randrange(len(spoilt))
        match chance.randrange(6):
            case 0:
                spoilt[place] ^= 1 << chance.randrange(8)
            case 1:
                spoilt[place] = chance.randrange(256)
            case 2:
                word = struct.pack("<H", chance.choice(_WORDS))
                spoilt[place : place + 2] = word
            case 3:
                end = place + chance.randrange(1, 400)
                spoilt[place:place] = spoilt[place:end]
            case 4:
                del spoilt[place : place + chance.randrange(1, 40)]
            case _:
                spoilt[place : place + 1] = bytes(
                    chance.choice((b"\0", b'"', b",", b"\n", b"<", b">", b"\xff"))
                )
        if not spoilt:
            break
    if chance.random() < 0.05:
        del spoilt[chance.randrange(len(spoilt) + 1) :]
    return bytes(spoilt)


def _xml_changed(data: bytes, chance: random.Random) -> bytes:
    """A number within it is another, or a piece stands twice or nowhere."""
    numbers = list(re.finditer(rb"[A-Z]{0,3}[0-9]+", data))
    if not numbers or chance.random() < 0.3:
        return _bytes_changed(data, chance) if data else data
    for _ in range(chance.choice((1, 3))):
        number = chance.choice(numbers)
        if number.end() <= len(data):
            data = data[: number.start()] + chance.choice(_NUMBERS) + data[number.end() :]
    return data


def mutated(kind: str, data: bytes, chance: random.Random) -> bytes:
    if kind in {"xlsx", "ods"} and chance.random() < 0.8:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            chosen = chance.choice([*archive.namelist(), *(n for n in archive.namelist() if "sheet1" in n)])
        return repacked(data, lambda name, part: _xml_changed(part, chance) if name == chosen else part)
    return _bytes_changed(data, chance)


KINDS: dict[str, Callable[[], list[bytes]]] = {
    "xls": lambda: [xls(), shared_xls(200)],
    "xlsx": lambda: [xlsx()],
    "ods": lambda: [ods()],
    "csv": lambda: [csv()],
}
"""The whole lists that are changed."""


@dataclass(slots=True, kw_only=True)
class Fuzzed:
    """What became of the files."""

    files: int = 0
    became: dict[str, dict[str, int]] = field(default_factory=dict)
    """By kind: `read`, `refused`, or why its reader was ended."""
    slowest_seconds: float = 0.0
    reader_megabytes: int = 0
    """The most that a reader held; 0 where an earlier child of this process held more."""
    own_megabytes: int = 0
    """The most that this process held."""
    got_through: list[str] = field(default_factory=list)
    """What must not be: another exception, too much memory or time."""

    def note(self, kind: str, what: str, seconds: float) -> None:
        self.files += 1
        counts = self.became.setdefault(kind, {})
        counts[what] = counts.get(what, 0) + 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)


def became(data: bytes, name: str) -> str:
    """`read`, `refused` or why its reader was ended. Anything else that is raised is a fault of ours."""
    try:
        with read_list(io.BytesIO(data), filename=name, options=OPTIONS) as reader:
            for _ in reader:
                pass
    except UnreadableFile as fault:
        return fault.code.value
    except UnusableFile:
        return "refused"
    return "read"


def fuzz_files(seed: int, count: int) -> Fuzzed:
    """`count` files of each kind are read. The same seed gives the same files."""
    fuzzed = Fuzzed()
    # Of all children that this process has had: other tests may have had larger ones.
    before = _most_of_children()
    for kind, build in KINDS.items():
        wholes = build()
        for number in range(count):
            name = f"{seed}-{kind}-{number}"
            data = mutated(kind, wholes[number % len(wholes)], random.Random(name))
            begun = time.monotonic()
            try:
                what = became(data, f"list.{kind}")
            except Exception as fault:  # noqa: BLE001 - what got through is the result
                what = type(fault).__name__
                fuzzed.got_through.append(f"{name}: {what}")
            seconds = time.monotonic() - begun
            if seconds > MOST_SECONDS:
                fuzzed.got_through.append(f"{name}: {seconds:.0f} s")
            fuzzed.note(kind, what, seconds)
    most = _most_of_children()
    fuzzed.reader_megabytes = most if most > before else 0
    fuzzed.own_megabytes = psutil.Process(os.getpid()).memory_info().rss >> 20
    if max(fuzzed.reader_megabytes, fuzzed.own_megabytes) > MOST_MEGABYTES:
        fuzzed.got_through.append(f"{fuzzed.reader_megabytes} and {fuzzed.own_megabytes} MB")
    return fuzzed


def _most_of_children() -> int:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seed", type=int, default=7)
    ask.add_argument("--count", type=int, default=2000)
    asked = ask.parse_args()
    fuzzed = fuzz_files(asked.seed, asked.count)
    print(json.dumps(asdict(fuzzed), indent=1, ensure_ascii=False))
    return 1 if fuzzed.got_through else 0


if __name__ == "__main__":
    sys.exit(main())
