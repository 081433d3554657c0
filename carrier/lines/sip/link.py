"""The connection between the carrier and the SIP process, and its messages.

The SIP process connects to the carrier (one WebSocket, `/admin/line`) and receives commands in JSON. Each sound is sent
once, as a binary message: 32 hexadecimal digits that name it, then the samples.

| to the SIP process | with |
|---|---|
| dial | id, trunk, number (as dialled) |
| hang_up | id |
| speak | id, say (the number of this prompt), sound, times |
| stop, listen, deafen | id |
| join | id, other |
| record | id: send the sound of both sides, from the answer on |
| answer | id, ref (of the inbound call) |
| refuse | ref |
| trace | ref, calls: send the SIP messages of the newest calls |
| forget | sound: discard it; it is sent again before it is next used |

| from it | with |
|---|---|
| ringing, answered, key, spoken, said, judged, held | id, and the data of the event |
| silent | id: nothing came from the far side, or nothing of ours left |
| no_way | id: the answer lets no sound of ours leave; the call is ended |
| no_progress | id: the trunk has said 100 and nothing more; the call is cancelled |
| unheard | id: by its RTCP most of our last seconds did not reach the far side |
| ended | id, text (of the stack), unsent, voice (sound came), quality, early (the sound before an answer) |
| trunk | trunk, registered, reachable (those that are known) |
| incoming | ref, trunk, caller ('' for a hidden number): an inbound call from a trunk |
| trace | ref, calls: their messages, masked |
| stranger | count: messages that were not from a trunk |

The sound of a recorded call comes as binary messages: the id in ten decimal digits, then both sides as `Recorder` takes
them. The last of it comes before `ended`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import orjson

Message = dict[str, Any]
SOUND_NAME_BYTES = 32
CALL_ID_DIGITS = 10
_MOST_SOUND_BYTES = 128 * 1024 * 1024
"""The most sound that the SIP process keeps: more than two hours."""


class StackLink:
    """The connection to one SIP process. `send` never blocks: what it takes is sent in order."""

    def __init__(self, send: Callable[[bytes], None], send_sound: Callable[[bytes], None]) -> None:
        self._send = send
        self._send_sound = send_sound
        self._has: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0

    def tell(self, message: Message) -> None:
        self._send(orjson.dumps(message))

    def give(self, samples: bytes) -> str:
        """Sends the sound to the process, unless the process has it already. Returns the name of the sound."""
        name = blake2b(samples, digest_size=SOUND_NAME_BYTES // 2).hexdigest()
        if name in self._has:
            self._has.move_to_end(name)
            return name
        self._has[name] = len(samples)
        self._bytes += len(samples)
        self._send_sound(name.encode() + samples)
        while self._bytes > _MOST_SOUND_BYTES and len(self._has) > 1:
            oldest, size = self._has.popitem(last=False)
            self._bytes -= size
            self.tell({"do": "forget", "sound": oldest})
        return name
