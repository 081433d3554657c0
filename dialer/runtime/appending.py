"""Appends to files that others read line by line: the register of erasures, the anchors of the audit."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS})


@contextmanager
def open_locked(path: Path) -> Iterator[int]:
    """The descriptor of the file, opened for appending, and created where it is missing (mode 0600). Another process
    that opens it in this way waits, where the storage has locks. Raises `OSError`.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as fault:
            if fault.errno not in _NO_LOCKS:
                raise
        yield descriptor
    finally:
        os.close(descriptor)


def append_whole(descriptor: int, data: bytes) -> None:
    """Appends all of `data` and writes it to the disk. Raises `OSError`, and then the file is as it was: a full disk
    accepts a part, and what follows a part of a line cannot be read.
    """
    before = os.fstat(descriptor).st_size
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise
