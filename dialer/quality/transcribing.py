"""Reads recorded calls into words, one after another, on one core of each machine and behind everything else.

After each window of up to 28 s the words so far are stored: a process that ends loses at most one window.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Final

from audio.sides import Sides, read_sides
from audio.wave_file import NoSound
from dialer.core.inspection import NotInspected, Side
from dialer.core.values import RecordedCall
from dialer.db.leases import Lease, process_name, take_lease
from dialer.quality.hearing import Recogniser
from dialer.quality.model import NOTHING_YET, Progress, window_end
from dialer.quality.store import LEASE, TRANSCRIPTS, TakenSound, save_end, save_window, take_sound
from dialer.runtime.services import Services

_LEASE_SECONDS: Final = LEASE.total_seconds()
_SIDES: Final = 2

_log = logging.getLogger(__name__)


def transcribe_due(
    services: Services, recogniser: Recogniser, *, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Reads what is due until nothing is, or until `stopping` says so after a window. Returns how many recordings are
    done. Does nothing while another process of this machine reads.
    """
    with services.store.begin() as tx:
        lease = take_lease(
            tx.connection,
            f"transcripts/{socket.gethostname()}",
            holder=process_name(),
            seconds=_LEASE_SECONDS,
        )
    if lease is None:
        return 0
    done = 0
    try:
        while not stopping():
            with services.store.begin() as tx:
                taken = take_sound(tx, now=services.clock.now(), real_now=services.real.now())
            if taken is None:
                break
            done += _transcribe(services, recogniser, taken, lease, stopping)
    finally:
        with services.store.begin() as tx:
            lease.end(tx.connection)
    return done


def _transcribe(
    services: Services,
    recogniser: Recogniser,
    taken: TakenSound,
    lease: Lease,
    stopping: Callable[[], bool],
) -> bool:
    """Reads one recording; True if it is done."""
    found = _sides_of(taken, longest_seconds=60 * services.quality.longest_minutes)
    if isinstance(found, NotInspected):
        return _end(services, taken, NOTHING_YET, found)
    sides, ordered = found
    begin, progress = min(taken.done_seconds, sides.seconds), taken.progress
    languages: dict[Side, str] = {}
    while begin < sides.seconds:
        end = window_end(sides.channels, sides.rate_hz, begin)
        try:
            for side, samples in ordered:
                window = _cut(samples, sides.rate_hz, begin, end)
                expected = languages.get(side, "")
                piece = recogniser.read(window, sides.rate_hz, side=side, begin=begin, language=expected)
                progress = progress.with_piece(side, piece)
                if piece.words:
                    languages[side] = piece.language
        except Exception:  # noqa: BLE001 - foreign code: a call that it cannot read must not stop the others
            _log.exception("a recording could not be read")
            with services.store.begin() as tx:
                TRANSCRIPTS.fail(tx, taken.claim, now=services.clock.now(), real_now=services.real.now())
            return False
        begin = end
        real_now, stops = services.real.now(), stopping()
        with services.store.begin() as tx:
            if not save_window(tx, taken.claim, progress, done_seconds=begin, real_now=real_now):
                return False
            if not lease.renew(tx.connection) or (stops and begin < sides.seconds):
                TRANSCRIPTS.hand_back(tx, taken.claim, due=real_now)
                return False
    return _end(services, taken, progress, progress.verdict())


def _end(services: Services, taken: TakenSound, progress: Progress, reason: NotInspected | None) -> bool:
    with services.store.begin() as tx:
        return save_end(
            tx, taken.claim, progress, reason, now=services.clock.now(), real_now=services.real.now()
        )


def _sides_of(
    taken: TakenSound, *, longest_seconds: int
) -> tuple[Sides, tuple[tuple[Side, bytes], ...]] | NotInspected:
    """The sound, and its channels with who speaks in each; or why it cannot be read. Of a call from a desk the first
    channel is ours, of others the person's.
    """
    if taken.seconds > longest_seconds:
        return NotInspected.TOO_LONG
    try:
        sides = read_sides(taken.sound)
    except NoSound:
        return NotInspected.DAMAGED
    if sides.seconds > longest_seconds:
        return NotInspected.TOO_LONG
    if len(sides.channels) != _SIDES:
        return NotInspected.ONE_CHANNEL
    order = (Side.OURS, Side.PERSON) if taken.call is RecordedCall.DESK else (Side.PERSON, Side.OURS)
    return sides, tuple(zip(order, sides.channels, strict=True))


def _cut(samples: bytes, rate_hz: int, begin: float, end: float) -> bytes:
    return samples[2 * round(begin * rate_hz) : 2 * round(end * rate_hz)]
