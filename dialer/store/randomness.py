"""Random bytes from the kernel, many at a time: asking for each lets go of the interpreter, and a busy thread beside it
keeps it for milliseconds.
"""

from __future__ import annotations

import os

_AT_ONCE = 512


class RandomPieces:
    """Pieces of `size` bytes, each given once, to threads and across a fork: a list's pop and extend are atomic, and a
    forked child throws its parent's away.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._pieces: list[bytes] = []
        os.register_at_fork(after_in_child=self._pieces.clear)

    def take(self) -> bytes:
        try:
            return self._pieces.pop()
        except IndexError:
            return self._fresh()

    def _fresh(self) -> bytes:
        block = os.urandom(self._size * _AT_ONCE)
        pieces = [block[start : start + self._size] for start in range(0, len(block), self._size)]
        piece = pieces.pop()
        self._pieces.extend(pieces)
        return piece
