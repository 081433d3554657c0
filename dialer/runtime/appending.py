"""What is added to the end of a file that others read line by line: the register of erasures, anchors."""

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
def held(path: Path) -> Iterator[int]:
    """The file, opened to be added to, and made where it is not there (mode 0600). Another process that wants to hold
    it waits, where the storage has locks. Raises `OSError`.
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
    """All of it is at the end of the file and on the disk; or `OSError` is raised and the file is as it was. A disk
    that is full takes a part, and what follows a part of a line cannot be read.
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
