"""Documents as PDF, by LibreOffice where it is installed: the same pages as the docx, made in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Final

from dialer.core.errors import Unavailable
from dialer.language import gettext_noop

_PROGRAMS: Final = ("soffice", "libreoffice")
_LONGEST_SECONDS: Final = 90.0
_MOST_WAITING: Final = 3
_one_at_a_time = threading.Lock()
"""It takes about 300 MB."""
_places = threading.BoundedSemaphore(_MOST_WAITING)
"""Each of those who wait holds a thread of the console."""


def office_program() -> str | None:
    """The path of LibreOffice; None: it is not installed."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


def as_pdf(docx: bytes) -> bytes:
    """The document as PDF. Raises `Unavailable` where LibreOffice is not installed, fails, or takes too long, and at
    once where several documents wait for it already.
    """
    program = office_program()
    if program is None:
        raise Unavailable(
            part="PDF", problem="LibreOffice is not installed on this machine; the docx is the same document"
        )
    if not _places.acquire(blocking=False):
        raise Unavailable(
            part="PDF", problem=gettext_noop("other documents are being made: try again in a minute")
        )
    try:
        return _converted(program, docx)
    finally:
        _places.release()


def _converted(program: str, docx: bytes) -> bytes:
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="dialer-pdf-") as folder:
        source = Path(folder) / "document.docx"
        source.write_bytes(docx)
        _convert(program, folder)
        made = source.with_suffix(".pdf")
        if not made.is_file():
            raise Unavailable(part="PDF", problem="LibreOffice made no file")
        return made.read_bytes()


def _convert(program: str, folder: str) -> None:
    """Without our settings and keys in its environment, and with a profile that is deleted with the folder."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    process = subprocess.Popen(  # noqa: S603  # a program of the system, with names of our own
        [
            program, "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to", "pdf", "--outdir", folder, f"{folder}/document.docx",
        ],
        env=environment | {"HOME": folder}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(_LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(part="PDF", problem="LibreOffice takes too long") from None
    finally:
        # It starts a process of its own, which does not end with it.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
