"""Files made to do harm cost the process that reads them, never ours."""

from __future__ import annotations

import errno
import io
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psutil
import pytest
import xlsxwriter
from PIL import Image

from dialer.core.errors import FileFault, PictureFault, UnreadableFile, UnusableFile
from dialer.intake.headings import KnownList
from dialer.intake.records import Accepted, IntakeOptions
from dialer.intake.unit_lists import read_units
from dialer.runtime import uploads
from dialer.runtime.embedded import wait_until
from dialer.runtime.uploads import Limits, clean_picture, known_tables
from dialer.warnings.lists import read_list
from tests.intake import hostile
from tests.intake.hostile import fuzz_files, ods_cell, repacked
from tests.seeds import seeds

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
MEGABYTE = 1 << 20
LIST = "姓名,手机号\n王伟,13800138000\n".encode()


def is_reader(process: psutil.Process) -> bool:
    try:
        return "dialer file reader" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def readers() -> list[psutil.Process]:
    """Those of this process."""
    return [child for child in psutil.Process().children() if is_reader(child)]


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    before = psutil.Process().num_fds()
    yield
    assert readers() == []
    assert psutil.Process().num_fds() == before


def read(data: bytes) -> list[object]:
    with read_list(io.BytesIO(data), filename="list", options=OPTIONS) as reader:
        return list(reader)


def workbook(fill: Callable[[xlsxwriter.Workbook.worksheet_class], None]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        fill(book.add_worksheet())
    return file.getvalue()


def far_away() -> bytes:
    def fill(sheet: xlsxwriter.Workbook.worksheet_class) -> None:
        sheet.write_column(0, 0, ["手机号", "13800138000"])
        sheet.write(1_048_575, 16_383, "x")

    return workbook(fill)


def one_shared_text() -> bytes:
    """300 KB whose cells all show the same 32,000 characters."""

    def fill(sheet: xlsxwriter.Workbook.worksheet_class) -> None:
        sheet.write_row(0, 0, ["手机号", "备注"])
        for row in range(1, 20_000):
            sheet.write_row(row, 0, ["13800138000", "备" * 32_000])

    return workbook(fill)


def a_million_columns() -> bytes:
    cells = b'<row r="3">' + b'<c t="str"><v>x</v></c>' * 1_000_000 + b"</row></sheetData>"
    return repacked(
        workbook(lambda sheet: sheet.write_column(0, 0, ["手机号", "13800138000"])),
        lambda _, part: part.replace(b"</sheetData>", cells),
    )


def repeated_cells() -> bytes:
    """30,000 rows of 1,000 cells of 200 characters in less than 2 KB."""
    cell = ods_cell("x" * 200, more=' table:number-columns-repeated="1000"')
    return hostile.ods(f'<table:table-row table:number-rows-repeated="30000">{cell}</table:table-row>')


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(lambda: hostile.shared_xls(400, far=True), FileFault.MEMORY, id="xls cell far away"),
        pytest.param(repeated_cells, FileFault.MEMORY, id="ods of repeated cells"),
        pytest.param(one_shared_text, FileFault.MEMORY, id="xlsx of one shared text"),
        pytest.param(far_away, FileFault.MEMORY, id="xlsx cell far away"),
        pytest.param(a_million_columns, None, id="xlsx of a million columns"),
        pytest.param(lambda: b"phone" + b"," * 20_000 + b"\n13800138000\n", None, id="wide csv"),
    ],
)
def test_an_attack_is_refused_in_one_line_that_says_what_to_do(
    data: Callable[[], bytes], code: FileFault | None
):
    content, before, begun = data(), psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(UnusableFile) as refused:
        read(content)
    assert time.monotonic() - begun < 20
    assert psutil.Process().memory_info().rss - before < 100 * MEGABYTE
    line = str(refused.value)
    if code is None:
        assert "16,384 columns" in line
    else:
        assert isinstance(refused.value, UnreadableFile)
        assert refused.value.code is code
    assert "\n" not in line
    assert "load" in line


@pytest.mark.parametrize("data", [hostile.xls, hostile.xlsx, hostile.ods, hostile.csv])
def test_the_whole_lists_that_are_changed_are_read(data: Callable[[], bytes]):
    assert [type(item) for item in read(data())] == [Accepted] * len(hostile.ROWS)


def test_the_cells_of_a_workbook_with_shared_strings_are_read():
    assert len(read(hostile.shared_xls(200))) == 199


@seeds(1)
def test_lists_changed_at_random_are_read_or_refused(seed: int):
    fuzzed = fuzz_files(seed, count=12)
    assert fuzzed.files == 48
    assert fuzzed.got_through == []


def test_the_units_of_an_attack_are_refused_too():
    with pytest.raises(UnreadableFile):
        read_units(known_tables(io.BytesIO(repeated_cells()), KnownList.UNITS))
    units = known_tables(io.BytesIO("名称,上级\n市局,\n分局,市局\n".encode()), KnownList.UNITS)
    assert len(read_units(units).lines) == 2
    units.close()


def values_of(data: bytes, *, limits: Limits, wait_seconds: float = 30.0) -> list[object]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        return list(uploads._values(file, run="list", request={}, limits=limits, wait_seconds=wait_seconds))


def limits(**others: float) -> Limits:
    plain = {"memory_bytes": 512 * MEGABYTE, "cpu_seconds": 20, "wall_seconds": 40.0, "text_bytes": MEGABYTE}
    return Limits(**(plain | others))  # type: ignore[arg-type]


def test_each_limit_ends_the_reader():
    row = b'"' + b"x" * 40 + b'",13900139000\n'
    for rows, given_limits, code in (
        (500_000, limits(cpu_seconds=1, text_bytes=1 << 30), FileFault.TIME),
        (500_000, limits(wall_seconds=0.001, text_bytes=1 << 30), FileFault.TIME),
        (100_000, limits(), FileFault.TEXT),
        (100_000, limits(memory_bytes=24 * MEGABYTE), FileFault.MEMORY),
    ):
        with pytest.raises(UnreadableFile) as refused:
            values_of(LIST + row * rows, limits=given_limits)
        assert refused.value.code is code


def test_a_row_longer_than_a_list_has_is_refused():
    with pytest.raises(UnreadableFile) as refused:
        read(LIST + b"x" * 400_000 + b",13800138000\n")
    assert refused.value.code is FileFault.TEXT


def test_a_reader_that_is_ended_from_outside_refuses_its_file():
    with read_list(io.BytesIO(LIST * 200_000), filename="list", options=OPTIONS) as reader:
        (child,) = readers()
        child.send_signal(signal.SIGSEGV)
        with pytest.raises(UnreadableFile) as refused:
            list(reader)
    assert refused.value.code is FileFault.DAMAGE


def test_a_reader_waits_while_nobody_takes_its_rows_and_ends_with_the_list():
    with read_list(io.BytesIO(LIST * 200_000), filename="list", options=OPTIONS) as reader:
        (child,) = readers()
        assert wait_until(lambda: child.status() == psutil.STATUS_SLEEPING, seconds=30)
        assert len(list(islice(reader, 100_000))) == 100_000
        assert isinstance(next(iter(reader)), Accepted)
    assert not child.is_running()


def test_a_reader_has_no_environment_and_can_open_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIALER_SECRET", "a key")
    with read_list(io.BytesIO(LIST * 200_000), filename="list", options=OPTIONS):
        (child,) = readers()
        assert "DIALER_SECRET" not in child.environ()
        assert child.rlimit(psutil.RLIMIT_NOFILE) == (0, 0)
        assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)


def test_a_confined_process_gets_no_socket():
    program = (
        "import socket\nfrom dialer.runtime import uploads\n"
        "uploads._confine(memory_bytes=1 << 30, cpu_seconds=9)\n"
        "try: socket.socket()\nexcept OSError as fault: print(fault.errno)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(said.stdout) == errno.EMFILE


def test_a_stream_is_where_it_was_and_is_read_again(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    with path.open("rb") as content:
        assert content.read(3) == LIST[:3]
        for _ in range(2):
            with read_list(content, filename="list", options=OPTIONS) as reader:
                assert len(list(reader)) == 1
        content.seek(0)
        assert content.read() == LIST


def test_an_upload_kept_in_memory_is_read():
    with tempfile.SpooledTemporaryFile(max_size=MEGABYTE) as content:
        content.write(LIST)
        content.seek(0)
        with read_list(content, filename="list", options=OPTIONS) as reader:  # type: ignore[arg-type]
            assert len(list(reader)) == 1
        content.seek(0)
        assert content.read() == LIST


def test_many_files_at_once_wait_for_each_other():
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(read(LIST)))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 12


def test_no_place_within_the_time_is_said():
    first = uploads._AT_ONCE
    open_lists = [
        read_list(io.BytesIO(LIST * 200_000), filename="list", options=OPTIONS) for _ in range(first)
    ]
    try:
        with pytest.raises(UnreadableFile) as refused:
            values_of(LIST, limits=limits(), wait_seconds=0.01)
    finally:
        for reader in open_lists:
            reader.close()
    assert refused.value.code is FileFault.BUSY
    assert len(read(LIST)) == 1


def test_a_photo_that_takes_too_much_is_damaged():
    picture = io.BytesIO()
    Image.new("RGB", (6000, 6000)).save(picture, "PNG")
    kind, _ = clean_picture(picture.getvalue())
    assert kind == "PNG"
    assert (
        clean_picture(picture.getvalue(), limits=limits(memory_bytes=120 * MEGABYTE)) is PictureFault.DAMAGE
    )
