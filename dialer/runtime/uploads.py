"""Reads files from outside (lists, units, boundaries, photos, PDF) in a process of its own, which has limits of memory,
processor time and total time, and is killed beyond them. So a malicious file, or one that a library cannot handle, is
refused in one line, whatever it causes there.

That process is a new interpreter (about 0.1 s), without environment, keys and settings. Once it has imported its code
it can open nothing: no file, no connection. It gets the file as a descriptor and writes each value as a line of JSON to
a pipe, no faster than we read. It ends with this process, since it can then write no more.
"""

from __future__ import annotations

import base64
import importlib
import logging
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, NoReturn

import orjson

from dialer.core.errors import FileFault, NoPhoneColumn, PictureFault, UnreadableFile, UnusableFile
from dialer.core.text import Text
from dialer.intake.headings import KnownList, SourceTable
from dialer.intake.records import Field
from dialer.intake.unit_lists import NamedArea

MOST_PIXELS: Final = 64_000_000
"""Of a photo: a phone's camera has 50 million. Decoded, each takes four bytes, and a file of some kilobytes may claim
more.
"""
_MEGABYTE: Final = 1 << 20
_AT_ONCE: Final = 4
_WAIT_SECONDS: Final = 30.0
"""How long a file waits for one of those that are being read to end."""
_PIECE: Final = 1 << 16
_LONGEST: Final = 1 << 18
"""Bytes of one row, or of one piece of a photo."""
_PHOTO_PIECE: Final = 3 << 15
_ENCODINGS: Final = ("cp437", "gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
_NO_MEMORY: Final = 3
_FAILED: Final = 4
_SOURCE: Final = str(Path(__file__).resolve().parent.parent.parent)
_START: Final = (
    "import sys; sys.path[:0] = sys.argv[2:]; from dialer.runtime.uploads import be_reader; be_reader()"
)

_places = threading.BoundedSemaphore(_AT_ONCE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the process that reads one file. `wall_seconds`: how long we wait for it in total."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float
    text_bytes: int

    @classmethod
    def of_list(cls, size: int) -> Limits:
        """The limits for a list of `size` bytes. A list of a million rows in an xlsx of 66 MB takes 1.2 GB and 15 s."""
        megabytes = size / _MEGABYTE
        cpu_seconds = 8 + round(2 * megabytes)
        return cls(
            memory_bytes=min((512 * _MEGABYTE) + 40 * size, 4096 * _MEGABYTE),
            cpu_seconds=cpu_seconds,
            wall_seconds=2.0 * cpu_seconds,
            text_bytes=min((64 * _MEGABYTE) + 50 * size, 4096 * _MEGABYTE),
        )

    @classmethod
    def of_photo(cls) -> Limits:
        """The limits for one photo."""
        return cls(
            memory_bytes=1536 * _MEGABYTE, cpu_seconds=20, wall_seconds=40.0, text_bytes=256 * _MEGABYTE
        )


def list_tables(
    content: BinaryIO, corrections: Mapping[str, Field | None]
) -> Generator[SourceTable, None, None]:
    """The tables of a list, as `intake/files.py` finds them.

    The stream must be seekable. It stays the caller's, who must not use it until the generator is closed or at its end.
    Raises `UnusableFile`, with one line that says what to do, for a file that is no list of warnings (empty, a picture,
    under a password, without a phone column), or that exceeds the limits of its reader.
    """
    request = {heading: field and field.value for heading, field in corrections.items()}
    return _tables(content, run="list", request=request)


def known_tables(content: BinaryIO, kind: KnownList) -> Generator[SourceTable, None, None]:
    """The tables of a list of this kind, or none. Raises `UnusableFile` for a file that cannot be read, or exceeds the
    limits of its reader.
    """
    return _tables(content, run="known", request={"kind": kind.value})


def boundary_areas(content: BinaryIO) -> list[NamedArea]:
    """The areas of a file of boundaries (`intake/unit_lists.py`). Raises `UnusableFile` for a file without boundaries,
    or one that exceeds the limits of its reader.
    """
    areas: list[NamedArea] = []
    with _as_file(content) as file:
        limits = Limits.of_list(os.fstat(file.fileno()).st_size)
        for value in _values(file, run="boundaries", request={}, limits=limits):
            if isinstance(value, dict):
                areas.append(NamedArea(number=value["number"], name=value["name"], rings=[]))
            else:
                areas[-1].rings.append(value)
    return areas


def clean_picture(data: bytes, *, limits: Limits | None = None) -> tuple[str, bytes] | PictureFault:
    """The format as Pillow names it, and the picture written anew (`intake/evidence.py`); for a refused picture, the
    reason.
    """
    with tempfile.TemporaryFile() as file:
        file.write(data)
        try:
            head, *pieces = _values(
                file, run="photo", request={"most_pixels": MOST_PIXELS}, limits=limits or Limits.of_photo()
            )
        except UnreadableFile as fault:
            return PictureFault.BUSY if fault.code is FileFault.BUSY else PictureFault.DAMAGE
    if head["fault"] is not None:
        return PictureFault(head["fault"])
    return str(head["kind"]), b"".join(base64.b64decode(piece) for piece in pieces)


def pdf_fault(data: bytes, *, limits: Limits | None = None) -> PictureFault | None:
    """Why this PDF is refused; None where it may be kept as it is (`intake/evidence.py`)."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        try:
            (head,) = _values(file, run="pdf", request={}, limits=limits or Limits.of_photo())
        except UnreadableFile as fault:
            return PictureFault.BUSY if fault.code is FileFault.BUSY else PictureFault.DAMAGE
    return PictureFault(head["fault"]) if head["fault"] is not None else None


def _tables(
    content: BinaryIO, *, run: str, request: Mapping[str, str | None]
) -> Generator[SourceTable, None, None]:
    with _as_file(content) as file:
        limits = Limits.of_list(os.fstat(file.fileno()).st_size)
        values = _values(file, run=run, request=request, limits=limits)
        try:
            yield from _parted(values)
        finally:
            values.close()


def _parted(values: Iterator[Any]) -> Iterator[SourceTable]:
    """The tables made of the values that `_flat` gives."""
    heads: list[dict[str, Any]] = list(islice(values, 1))

    def rest() -> Iterator[tuple[int, list[str]]]:
        for value in values:
            if isinstance(value, dict):
                heads.append(value)
                return
            number, cells = value
            yield number, cells

    while heads:
        head = heads.pop()
        rows = rest()
        yield SourceTable(sheet=head["sheet"], first=list(islice(rows, head["first"])), rest=rows)
        for _ in rows:
            pass


def _flat(tables: Iterator[SourceTable]) -> Iterator[object]:
    """For each table its head, then its rows."""
    for table in tables:
        yield {"sheet": table.sheet, "first": len(table.first)}
        yield from table.first
        yield from table.rest


@contextmanager
def _as_file(content: BinaryIO) -> Iterator[IO[bytes]]:
    """The content as an open file; where it is a copy of ours, the file has no name."""
    try:
        content.fileno()
    except OSError:
        with tempfile.TemporaryFile() as copy:
            content.seek(0)
            shutil.copyfileobj(content, copy)
            copy.flush()
            yield copy
    else:
        yield content


def _values(
    file: IO[bytes],
    *,
    run: str,
    request: Mapping[str, object],
    limits: Limits,
    wait_seconds: float = _WAIT_SECONDS,
) -> Generator[Any, None, None]:
    """The values that the reader `run` reads from the file, one after the other. Raises `UnusableFile`."""
    if not _places.acquire(timeout=wait_seconds):
        raise UnreadableFile(FileFault.BUSY)
    try:
        file.seek(0)
        file.flush()
        descriptor = file.fileno()
        # The position in the file is shared with the reader; it is restored, so that our own buffer stays right.
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, 0, os.SEEK_SET)
        spec = {
            "run": run,
            "request": request,
            "descriptor": descriptor,
            "memory": limits.memory_bytes,
            "cpu": limits.cpu_seconds,
        }
        reader = _started(descriptor)
        try:
            assert reader.stdin is not None
            with reader.stdin:
                reader.stdin.write(orjson.dumps(spec))
            yield from _received(reader, limits)
        finally:
            reader.kill()
            reader.wait()
            assert reader.stdout is not None
            reader.stdout.close()
            os.lseek(descriptor, place, os.SEEK_SET)
    finally:
        _places.release()


def _started(descriptor: int) -> subprocess.Popen[bytes]:
    path = [entry for entry in (_SOURCE, *sys.path) if Path(entry).is_absolute()]
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        # Without the packages' start-up code, which takes longer than all the rest.
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", _START, "dialer file reader", *path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # The messages of a library may quote the file.
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        bufsize=0,
        pass_fds=(descriptor,),
        start_new_session=True,
    )


def _received(reader: subprocess.Popen[bytes], limits: Limits) -> Iterator[Any]:
    assert reader.stdout is not None
    output = reader.stdout.fileno()
    coming = select.poll()
    coming.register(output, select.POLLIN)
    left, total, pending = limits.wall_seconds, 0, b""
    while True:
        begun = time.monotonic()
        if not coming.poll(max(0.0, left * 1000)):
            raise UnreadableFile(FileFault.TIME)
        left -= time.monotonic() - begun
        piece = os.read(output, _PIECE)
        if not piece:
            raise _fault_of(reader)
        total += len(piece)
        *lines, pending = (pending + piece).split(b"\n")
        if total > limits.text_bytes or len(pending) > _LONGEST:
            raise UnreadableFile(FileFault.TEXT)
        for line in lines:
            value = orjson.loads(line)
            if value is None:
                return
            if isinstance(value, dict) and "refused" in value:
                raise _refusal(value)
            yield value


def _refusal(value: dict[str, Any]) -> UnusableFile:
    text = Text.of_plain(value["refused"])
    headings = value["headings"]
    return UnusableFile(text) if headings is None else NoPhoneColumn(text, headings=tuple(headings))


def _fault_of(reader: subprocess.Popen[bytes]) -> UnreadableFile:
    """The fault of a reader that ended before its last value. A native library that gets no memory aborts."""
    code = reader.wait()
    _log.info("the reader of a file ended with exit code %s", code)
    if code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return UnreadableFile(FileFault.TIME)
    if code in {_NO_MEMORY, -signal.SIGABRT}:
        return UnreadableFile(FileFault.MEMORY)
    return UnreadableFile(FileFault.DAMAGE)


def be_reader() -> NoReturn:
    """Runs as the process that reads: the specification is on standard input, the values go to standard output."""
    code = _FAILED
    try:
        spec = orjson.loads(sys.stdin.buffer.read())
        run = _READERS[spec["run"]](spec["request"])
        for encoding in _ENCODINGS:
            importlib.import_module(f"encodings.{encoding.replace('-', '_')}")
        # Opened before the limits: afterwards no file can be opened.
        with open(spec["descriptor"], "rb") as stream:  # noqa: PTH123 - a descriptor
            _confine(memory_bytes=spec["memory"], cpu_seconds=spec["cpu"])
            _write(run(stream))
        code = 0
    except MemoryError:
        code = _NO_MEMORY
    except BaseException:  # noqa: BLE001 - whatever a library raises: the file is refused
        code = _FAILED
    finally:
        os._exit(code)


def _confine(*, memory_bytes: int, cpu_seconds: int) -> None:
    """From now on this process can open nothing, write no file and leave no core."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))


def _write(values: Iterator[object]) -> None:
    output = sys.stdout.buffer
    try:
        for value in values:
            output.write(orjson.dumps(value))
            output.write(b"\n")
    except UnusableFile as fault:
        headings = fault.headings if isinstance(fault, NoPhoneColumn) else None
        output.write(orjson.dumps({"refused": fault.text.plain(), "headings": headings}) + b"\n")
    output.write(b"null\n")
    output.flush()


_Reader = Callable[[BinaryIO], Iterator[object]]


def _list_reader(corrections: Mapping[str, str | None]) -> _Reader:
    from dialer.intake import files

    meant = {heading: Field(field) if field else None for heading, field in corrections.items()}
    return lambda stream: _flat(files.list_tables(stream, meant))


def _known_reader(request: Mapping[str, str]) -> _Reader:
    from dialer.intake import files

    return lambda stream: _flat(files.known_tables(stream, KnownList(request["kind"])))


def _boundary_reader(_: object) -> _Reader:
    from dialer.intake.unit_lists import MOST_BYTES, read_boundaries

    def values(stream: BinaryIO) -> Iterator[object]:
        """For each area its head, then its rings."""
        for area in read_boundaries(stream.read(MOST_BYTES + 1)):
            yield {"number": area.number, "name": area.name}
            yield from area.rings

    return values


def _photo_reader(request: Mapping[str, int]) -> _Reader:
    from dialer.intake.evidence import encode_again

    def values(stream: BinaryIO) -> Iterator[object]:
        done = encode_again(stream, most_pixels=request["most_pixels"])
        if isinstance(done, PictureFault):
            yield {"fault": done.value}
            return
        kind, content = done
        yield {"fault": None, "kind": kind}
        for start in range(0, len(content), _PHOTO_PIECE):
            yield base64.b64encode(content[start : start + _PHOTO_PIECE]).decode()

    return values


def _pdf_reader(_: object) -> _Reader:
    from dialer.intake.evidence import fault_of_pdf

    def values(stream: BinaryIO) -> Iterator[object]:
        found = fault_of_pdf(stream.read())
        yield {"fault": found.value if found is not None else None}

    return values


_READERS: Final[Mapping[str, Callable[[Any], _Reader]]] = {
    "list": _list_reader,
    "known": _known_reader,
    "boundaries": _boundary_reader,
    "photo": _photo_reader,
    "pdf": _pdf_reader,
}
