"""What one participant of a conference hears: the voices of the others, added, frame by frame of 20 ms.

Samples as in `sound`. Voices come in pieces, some late: each has a small queue, which absorbs that. Pure.
"""

from __future__ import annotations

import audioop
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from carrier.lines.sound import FRAME_BYTES

_T = TypeVar("_T")
MOST_QUEUED_BYTES: Final = 6 * FRAME_BYTES
"""The longest delay of a voice, 120 ms: what is older is dropped, or the delay would grow with every late packet."""


class VoiceMix(Generic[_T]):
    """The voices that one person hears. They are added in 16 bits: where the sum is too loud it is cut off, as a single
    loud voice is.
    """

    def __init__(self, heard: Iterable[_T]) -> None:
        self._queues: dict[_T, bytearray] = {voice: bytearray() for voice in heard}

    @property
    def heard(self) -> tuple[_T, ...]:
        """Whose voices are heard."""
        return tuple(self._queues)

    def change(self, heard: Iterable[_T]) -> None:
        """From now on these voices are heard; of those that stay, nothing that was received is lost."""
        self._queues = {voice: self._queues.get(voice, bytearray()) for voice in heard}

    def put(self, voice: _T, samples: bytes) -> None:
        """Takes received samples of a voice. Those of one that is not heard have no effect."""
        queue = self._queues.get(voice)
        if queue is not None:
            queue += samples
            if len(queue) > MOST_QUEUED_BYTES:
                del queue[: len(queue) - MOST_QUEUED_BYTES]

    def take(self) -> bytes:
        """The next frame, of 20 ms; empty where no voice has anything. A voice that comes late is silent meanwhile."""
        mixed = b""
        for queue in self._queues.values():
            if queue:
                frame = bytes(queue[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
                del queue[:FRAME_BYTES]
                mixed = audioop.add(mixed, frame, 2) if mixed else frame
        return mixed

    def clear(self) -> None:
        """Drops what was received and not taken."""
        for queue in self._queues.values():
            queue.clear()
