"""Recordings of calls, as Twilio's Recordings resource. The sound is encrypted in one file for each recording, piece by
piece while the call goes on, and stays there until a client deletes it.
"""

from __future__ import annotations

import logging
import os
import secrets
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carrier.calls import API_VERSION, Call, CallOrder, bad_parameter, no_such, rfc2822, server_error
from carrier.journal import append_whole, load_key
from carrier.lines.sound import ALAW_BYTES_A_SECOND, SIDES, other_side_first, wav_of_sides

_log = logging.getLogger(__name__)
IN_PROGRESS: Final = "in-progress"
COMPLETED: Final = "completed"
ABSENT: Final = "absent"
_TOO_SHORT: Final = 16101
"""Twilio's code: nothing was recorded."""
_PIECE_BYTES: Final = 2 * ALAW_BYTES_A_SECOND
_NONCE: Final = 12
_END_BYTES: Final = _NONCE + 1 + 16
"""Of the piece that ends a recording: its kind alone, sealed."""
_LENGTH: Final = struct.Struct("<I")
_SUFFIX: Final = ".sealed"
OF_CALL: Final = "OutboundAPI"
OF_DIAL: Final = "DialVerb"
"""The second leg of a Dial, listed under the call that dialled it. What the dialled telephone heard before the two were
connected is in the channel of the caller.
"""
_KEPT_SECONDS: Final = 30 * 86_400.0
"""A recording that nobody has deleted by then is deleted when the carrier starts."""


@dataclass(slots=True, kw_only=True, eq=False)
class Recording:
    """The record of a recording. Times are real Unix seconds. `channels`: of the file that is sent."""

    sid: str
    account_sid: str
    call_sid: str
    created: float
    updated: float
    channels: int
    number: int
    """Counts the recordings of this carrier in the order of their creation."""
    source: str = OF_CALL
    status: str = IN_PROGRESS
    duration_seconds: int | None = None
    error_code: int | None = None
    base_url: str = ""
    size_bytes: int = 0
    """Of the sound that was recorded."""
    is_damaged: bool = False
    """Part of it cannot be read: it is not sent as if it were whole."""

    @property
    def path(self) -> str:
        """The path of the recording at the carrier, without an extension."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Recordings/{self.sid}"

    @property
    def url(self) -> str:
        """The address of the sound, without an extension."""
        return f"{self.base_url}{self.path}"

    def as_json(self) -> dict[str, object]:
        """As Twilio's API description defines it: a recording in progress has the status `processing`."""
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "call_sid": self.call_sid,
            "conference_sid": None,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "start_time": rfc2822(self.created),
            "duration": None if self.duration_seconds is None else str(self.duration_seconds),
            "sid": self.sid,
            "price": None,
            "price_unit": "USD",
            "status": "processing" if self.status == IN_PROGRESS else self.status,
            "channels": self.channels,
            "source": self.source,
            "error_code": self.error_code,
            "uri": f"{self.path}.json",
            "encryption_details": None,
            "subresource_uris": {},
            "media_url": self.url,
        }

    def params(self) -> dict[str, str]:
        """The parameters of a recording status callback."""
        params = {
            "AccountSid": self.account_sid,
            "CallSid": self.call_sid,
            "RecordingSid": self.sid,
            "RecordingUrl": self.url,
            "RecordingStatus": self.status,
            "RecordingChannels": str(self.channels),
            "RecordingStartTime": rfc2822(self.created) or "",
            "RecordingSource": self.source,
            "RecordingTrack": "both",
        }
        if self.duration_seconds is not None:
            params["RecordingDuration"] = str(self.duration_seconds)
        if self.error_code is not None:
            params["ErrorCode"] = str(self.error_code)
        return params


OnStatus = Callable[[Recording, CallOrder], None]


class CallRecorder:
    """Writes the sound of one call. A disk fault ends the recording, never the call."""

    def __init__(
        self, owner: Recordings, recording: Recording, order: CallOrder, on_status: OnStatus
    ) -> None:
        self.recording = recording
        self._owner = owner
        self._order = order
        self._on_status = on_status
        self._file = _SealedSound(owner.file_of(recording.sid), owner.cipher, recording.sid)
        self._waiting = bytearray()
        self._bytes = 0
        self._broken = False
        self._over = False
        self._write(orjson.dumps(_head(recording)), kind=b"H")
        on_status(recording, order)

    def sound(self, data: bytes) -> None:
        """Takes the next sound of both sides."""
        self._waiting += data
        if len(self._waiting) >= _PIECE_BYTES:
            self._write(bytes(self._waiting), kind=b"S")
            self._waiting.clear()

    def over(self) -> None:
        """Completes the recording and notifies the application."""
        self._end(notifies=True)

    def abandon(self) -> None:
        """Ends the recording as in a crash of the carrier: what was written stays, and the application is not
        notified.
        """
        self._end(notifies=False)

    def _end(self, *, notifies: bool) -> None:
        if self._over:
            return
        self._over = True
        if self._waiting:
            self._write(bytes(self._waiting), kind=b"S")
            self._waiting.clear()
        self._write(b"", kind=b"E")
        self._file.close()
        _finish(self.recording, self._bytes, time.time())
        if notifies:
            self._on_status(self.recording, self._order)

    def _write(self, data: bytes, *, kind: bytes) -> None:
        if self._broken:
            return
        try:
            self._file.append(kind, data)
        except OSError as problem:
            self._broken = True
            _log.error("a recording is cut short, since it cannot be written: %s", problem)
            return
        if kind == b"S":
            self._bytes += len(data)


def _finish(recording: Recording, size: int, unix: float) -> None:
    size -= size % SIDES
    recording.updated, recording.size_bytes = unix, size
    if size or recording.is_damaged:
        recording.status = COMPLETED
        recording.duration_seconds = max(1, round(size / ALAW_BYTES_A_SECOND))
    else:
        recording.status, recording.error_code, recording.duration_seconds = ABSENT, _TOO_SHORT, 0


def _head(recording: Recording) -> dict[str, Any]:
    return {
        "sid": recording.sid,
        "account": recording.account_sid,
        "call": recording.call_sid,
        "at": recording.created,
        "channels": recording.channels,
        "source": recording.source,
    }


class _Damaged(Exception):
    """The file of a recording does not hold what was written."""


class _SealedSound:
    """Pieces of one recording, each encrypted and bound to its place. A piece that was cut short by a kill is left
    out.
    """

    def __init__(self, path: Path, cipher: AESGCM, sid: str) -> None:
        self._path = path
        self._cipher = cipher
        self._sid = sid
        self._count = 0
        self._file = -1

    def append(self, kind: bytes, data: bytes) -> None:
        """The operating system has the piece when this returns. Raises `OSError`."""
        if self._file < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, kind + data, self._place(self._count))
        append_whole(self._file, _LENGTH.pack(len(sealed)) + sealed)
        self._count += 1

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def pieces(self) -> Iterator[tuple[bytes, bytes]]:
        """Kind and content of each, up to one that a kill cut short at the end. Raises `_Damaged` at one that was
        changed, and `OSError`.
        """
        with self._path.open("rb") as file:
            place = 0
            while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
                (length,) = _LENGTH.unpack(head)
                sealed = file.read(length)
                if len(sealed) < length and not _ends_a_recording(sealed):
                    return
                try:
                    if not _NONCE < length <= len(sealed):
                        raise _Damaged
                    clear = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._place(place))
                except InvalidTag:
                    raise _Damaged from None
                yield clear[:1], clear[1:]
                place += 1

    def _place(self, place: int) -> bytes:
        return f"{self._sid}/{place}".encode()


def _ends_a_recording(rest: bytes) -> bool:
    """Whether the bytes hold the end of a recording: then nothing was cut short, and a length before it is wrong."""
    return rest[-_LENGTH.size - _END_BYTES :][: _LENGTH.size] == _LENGTH.pack(_END_BYTES)


class Recordings:
    """All recordings of the carrier, including those made before a restart."""

    def __init__(self, state_dir: Path, *, now: float) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.cipher = AESGCM(load_key(state_dir / "memory.key"))
        self.base_url = ""
        self._directory = state_dir / "recordings"
        self._by_sid: dict[str, Recording] = {}
        self._made = 0
        found = [
            recording for path in self._directory.glob(f"RE*{_SUFFIX}") if (recording := self._recalled(path))
        ]
        for recording in sorted(found, key=lambda made: made.created):
            if recording.created < now - _KEPT_SECONDS:
                self.file_of(recording.sid).unlink(missing_ok=True)
                continue
            self._made += 1
            recording.number = self._made
            self._by_sid[recording.sid] = recording

    def file_of(self, sid: str) -> Path:
        return self._directory / f"{sid}{_SUFFIX}"

    def begin(self, call: Call, order: CallOrder, on_status: OnStatus, *, source: str) -> CallRecorder:
        """Starts the recording of a call, or of the second leg that it dialled, which was just answered; as `order`
        says.
        """
        self._made += 1
        now = time.time()
        recording = Recording(
            sid=f"RE{uuid4().hex}",
            account_sid=call.account_sid,
            call_sid=call.sid,
            created=now,
            updated=now,
            channels=order.recording_channels,
            source=source,
            number=self._made,
            base_url=self.base_url,
        )
        self._by_sid[recording.sid] = recording
        return CallRecorder(self, recording, order, on_status)

    def find(self, sid: str) -> Recording:
        """The recording with this sid. Raises `RestProblem` (404) where there is none."""
        recording = self._by_sid.get(sid)
        if recording is None:
            raise no_such(f"resource /Recordings/{sid}.json")
        recording.base_url = self.base_url
        return recording

    def newest_first(self, *, call_sid: str = "") -> Iterator[Recording]:
        """All recordings, or those of one call."""
        for recording in reversed(self._by_sid.values()):
            if not call_sid or recording.call_sid == call_sid:
                recording.base_url = self.base_url
                yield recording

    def wav(self, sid: str, *, channels: int | None = None) -> bytes:
        """The WAV file, with `channels` channels, or as many as were asked for when the call was made. Raises
        `RestProblem`: 404 where there is none, 500 where it cannot be read now or not whole, so that no client takes it
        for deleted.
        """
        recording = self.find(sid)
        if recording.status != COMPLETED:
            raise no_such(f"resource /Recordings/{sid}.wav")
        try:
            sound = b"".join(data for kind, data in self._sealed(sid).pieces() if kind == b"S")
        except FileNotFoundError:
            raise no_such(f"resource /Recordings/{sid}.wav") from None
        except OSError as problem:
            _log.error("recording %s cannot be read: %s", sid, problem)
            raise server_error() from problem
        except _Damaged:
            sound = b""
        sound = sound[: len(sound) - len(sound) % SIDES]
        if recording.is_damaged or len(sound) != recording.size_bytes:
            _log.error("recording %s is damaged: it is not sent, and its file is kept", sid)
            raise server_error()
        if recording.source == OF_DIAL:
            sound = other_side_first(sound)
        return wav_of_sides(sound, channels=channels or recording.channels)

    def delete(self, sid: str) -> None:
        """Deletes the sound and its record. Raises `RestProblem`."""
        if self.find(sid).status == IN_PROGRESS:
            raise bad_parameter(20409, "Recording is in progress and cannot be deleted")
        self.file_of(sid).unlink(missing_ok=True)
        del self._by_sid[sid]

    def forget(self) -> None:
        """Deletes all recordings."""
        for sid in self._by_sid:
            self.file_of(sid).unlink(missing_ok=True)
        self._by_sid.clear()

    def _sealed(self, sid: str) -> _SealedSound:
        return _SealedSound(self.file_of(sid), self.cipher, sid)

    def _recalled(self, path: Path) -> Recording | None:
        """Reads a recording from its file; one that was in progress ended with its carrier. None for a file that cannot
        be read.
        """
        sid, head, size, is_damaged = path.name.removesuffix(_SUFFIX), b"", 0, False
        try:
            for kind, data in self._sealed(sid).pieces():
                head = data if kind == b"H" else head
                size += len(data) if kind == b"S" else 0
        except _Damaged:
            is_damaged = True
            _log.error("recording %s is damaged: it is not sent, and its file is kept", sid)
        if not head:
            return None
        facts = orjson.loads(head)
        recording = Recording(
            sid=sid,
            account_sid=facts["account"],
            call_sid=facts["call"],
            created=facts["at"],
            updated=facts["at"],
            channels=facts["channels"],
            source=facts.get("source", OF_CALL),
            number=0,
            is_damaged=is_damaged,
        )
        _finish(recording, size, path.stat().st_mtime)
        return recording
