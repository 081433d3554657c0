"""The duration of speech and sound files, and a cache of the sound files that documents name."""

from __future__ import annotations

import contextlib
import re
import struct
from collections import OrderedDict
from collections.abc import Callable

from dialer.carrier.lines.line import Clip
from dialer.carrier.outbound import Reply
from dialer.carrier.webhooks import Messenger

_CJK = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z0-9]+")
_CJK_A_SECOND = 4.5
_WORDS_A_SECOND = 2.5
_KEEP_CLIPS = 512
_KEEP_BYTES = 64 * 1024 * 1024


class BadSound(ValueError):
    """Not a WAV file whose duration can be computed."""


def say_seconds(text: str) -> float:
    """The approximate duration of the text in a calm voice."""
    return len(_CJK.findall(text)) / _CJK_A_SECOND + len(_WORD.findall(text)) / _WORDS_A_SECOND


def wav_seconds(data: bytes) -> float:
    """The length of a RIFF WAVE file of any constant-rate coding (PCM, A-law, mu-law), by its header."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":  # noqa: PLR2004 - the RIFF header
        raise BadSound("no RIFF WAVE header")
    at, bytes_a_second = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        at += 8
        if name == b"fmt " and at + 16 <= len(data):
            bytes_a_second = struct.unpack_from("<I", data, at + 8)[0]
        elif name == b"data":
            if bytes_a_second == 0:
                raise BadSound("no byte rate before the data")
            # A streamed file may claim more data than it has.
            return float(min(size, len(data) - at)) / float(bytes_a_second)
        at += size + (size & 1)
    raise BadSound("no data in it")


OnClip = Callable[[Clip | None], None]


class Sounds:
    """Fetches each sound once and keeps the newest ones; a failure gives None and is not kept."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self._clips: OrderedDict[str, Clip] = OrderedDict()
        self._bytes = 0
        self._waiting: dict[str, list[OnClip]] = {}

    def get(self, url: str, on_clip: OnClip) -> None:
        """Calls `on_clip` with the clip, at once if it is cached."""
        clip = self._clips.get(url)
        if clip is not None:
            on_clip(clip)
            return
        waiting = self._waiting.get(url)
        if waiting is not None:
            waiting.append(on_clip)
            return
        self._waiting[url] = [on_clip]
        self._messenger.send(url, "GET", {}, lambda reply: self._fetched(url, reply))

    def forget(self) -> None:
        """The cache is empty."""
        self._clips.clear()
        self._bytes = 0

    def _fetched(self, url: str, reply: Reply) -> None:
        clip: Clip | None = None
        if reply.fine:
            with contextlib.suppress(BadSound):
                clip = Clip(seconds=wav_seconds(reply.body), wav=reply.body, name=url)
                self._keep(url, clip)
        for on_clip in self._waiting.pop(url, ()):
            on_clip(clip)

    def _keep(self, url: str, clip: Clip) -> None:
        self._clips[url] = clip
        self._bytes += len(clip.wav)
        while len(self._clips) > _KEEP_CLIPS or self._bytes > _KEEP_BYTES:
            _, old = self._clips.popitem(last=False)
            self._bytes -= len(old.wav)
