"""The process that speaks SIP: one runtime of baresip, its calls and their sound. It carries out the carrier's
commands.

It is a process of its own because a process can hold only one instance of this native stack, and because the timing of
the sound must not depend on the carrier's work. When the connection to the carrier ends, it hangs up every call and
exits; its supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Coroutine
from importlib import import_module
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from carrier.lines import MachineDetection
from carrier.lines.sip.link import CALL_ID_DIGITS, SOUND_NAME_BYTES, Message
from carrier.lines.sip.second_answers import SecondAnswers
from carrier.lines.sip.senders import Senders, addresses_of, is_one_of, send_from
from carrier.lines.sip.stack_call import StackCall
from carrier.lines.sip.stack_config import SipConfig
from carrier.lines.sip.stack_trunks import TrunkAccounts
from carrier.lines.sip.stack_voices import MOST_READ_BYTES, Voices
from carrier.lines.sip.trace import SipMessages, Traced, bare_key
from carrier.lines.sip.trunks import caller_in
from carrier.lines.sound import BYTES_A_SECOND, TwoSides, wav_of
from carrier.lines.voice import UtteranceDetector

_log = logging.getLogger(__name__)
_TICK_SECONDS = 0.02
_READ_EVERY = 3
_TAPE_EVERY = 51
"""Ticks: about a second. A multiple of `_READ_EVERY`."""
_TAPE_BEHIND_SECONDS = 0.5
_FLUSH_SECONDS = 0.045
"""Two ticks of the stack, and a little."""
_NO_WAY_SECONDS = 1.0
"""An exchange may describe its sound a moment after its answer."""
_RETRY_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
_LARGEST_MESSAGE = 64 * 1024 * 1024


class SipProcess:
    """One run of the process. `run` returns when the carrier or the stack is gone, or `stop` is called."""

    def __init__(self, config: SipConfig) -> None:
        self._config = config
        self._baresip = import_module("baresip")
        self._calls: dict[int, StackCall] = {}
        self._by_handle: dict[int, StackCall] = {}
        self._early: dict[int, list[Any]] = defaultdict(list)
        self._trunks = {trunk.name: trunk for trunk in config.trunks}
        self._sounds: dict[str, bytes] = {}
        self._out: asyncio.Queue[Message | bytes] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._intervals: dict[str, int] = {}
        """By trunk: for how many seconds a call lasts without a refresh, where that is not the usual."""
        self._voices = Voices(self._baresip.BaresipError)
        self._dialling = 0
        self._round = 0
        self._over = asyncio.Event()
        self._accounts = TrunkAccounts(
            self._baresip,
            report=self._report,
            arrived=self._arrived,
            soon=self._soon,
            over=self._over,
            register_wait_seconds=config.register_wait_seconds,
        )
        self._messages = SipMessages()
        self._came_in: dict[int, Any] = {}
        self._refs = 0
        self._is_filtered = False
        """Messages of other senders than the trunks are dropped."""
        self._senders = Senders(int(config.listen.rpartition(":")[2]))

    def stop(self) -> None:
        """Makes `run` hang up every call and return."""
        self._over.set()

    async def run(self) -> None:
        """Connects to the carrier and serves it, and leaves no call up at its end."""
        config = self._config
        async with ClientSession() as session:
            # The stack first: a process that cannot listen must not take the line.
            runtime = self._baresip.Runtime()
            await runtime.start(
                self._baresip.Config(
                    net_interface=config.interface or None,
                    max_concurrent_calls=None,
                    expose_headers=_CALLER_HEADERS,
                    # Only the stack's trace shows where a message came from.
                    sip_trace=True,
                    extra_config_text=f"sip_listen {config.listen}\nrtp_ports {config.rtp_ports}\n"
                    f"rtp_timeout {config.lost_seconds}\n{config.tls_text()}",
                )
            )
            second_answers = SecondAnswers(send_from, asyncio.get_running_loop().call_later)
            self._messages.listen(second_answers.read, self._read_key)
            runtime.on_dead = self._over.set
            runtime.subscribe(self._on_event)
            link = None
            try:
                # Before the carrier: it takes the line for ready, and without an account a caller gets 404.
                await self._admit()
                for trunk in config.trunks:
                    await self._accounts.add(runtime, trunk)
                link = await self._connect(session)
                if link is None:
                    return
                self._accounts.register()
                await self._serve(link)
            finally:
                await self._hang_up_all()
                with contextlib.suppress(self._baresip.BaresipError):
                    await runtime.close()
                if link is not None:
                    await link.close()

    async def _connect(self, session: ClientSession) -> ClientWebSocketResponse | None:
        url = f"{self._config.carrier_url}/admin/line"
        headers = {"Authorization": f"Bearer {self._config.admin_token}"}
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self._over.is_set():
            try:
                return await session.ws_connect(
                    url, headers=headers, heartbeat=10.0, max_msg_size=_LARGEST_MESSAGE
                )
            except (ClientError, OSError):
                if time.monotonic() > until:
                    raise
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), _RETRY_SECONDS)
        return None

    async def _serve(self, link: ClientWebSocketResponse) -> None:
        ends = [
            asyncio.create_task(work)
            for work in (
                self._read(link),
                self._write(link),
                self._keep_sound(),
                self._keep_senders(),
                self._over.wait(),
            )
        ]
        ends += [
            asyncio.create_task(self._accounts.keep_alive(trunk))
            for trunk in self._config.trunks
            if trunk.transport == "udp" and trunk.keep_alive_seconds > 0
        ]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
        finally:
            for work in ends:
                work.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _hang_up_all(self) -> None:
        await asyncio.gather(*(self._hang_up(call) for call in list(self._calls.values())))
        # The BYE and CANCEL requests leave before the stack closes.
        await asyncio.sleep(0.1 if self._calls else 0)

    # The carrier

    async def _read(self, link: ClientWebSocketResponse) -> None:
        async for message in link:
            if message.type is WSMsgType.BINARY:
                name = message.data[:SOUND_NAME_BYTES].decode()
                self._sounds[name] = message.data[SOUND_NAME_BYTES:]
            elif message.type is WSMsgType.TEXT:
                self._handle_command(orjson.loads(message.data))

    async def _write(self, link: ClientWebSocketResponse) -> None:
        while True:
            message = await self._out.get()
            if isinstance(message, bytes):
                await link.send_bytes(message)
            else:
                await link.send_str(orjson.dumps(message).decode())

    def _report(self, message: Message) -> None:
        self._out.put_nowait(message)

    def _handle_command(self, order: Message) -> None:
        if order["do"] == "dial":
            call = self._calls[order["id"]] = StackCall(order["id"])
            call.trunk, call.number = order["trunk"], order["number"]
            self._soon(self._dial(call))
            return
        if order["do"] == "trace":
            self._report({"on": "trace", "ref": order["ref"], "calls": self._messages.newest(order["calls"])})
            return
        if order["do"] in {"answer", "refuse"}:
            self._handle_decision(order)
            return
        if order["do"] == "forget":
            self._sounds.pop(order["sound"], None)
            return
        call_or_none = self._calls.get(order["id"])
        if call_or_none is None:
            return
        call = call_or_none
        match order["do"]:
            case "hang_up":
                call.hung_up = True
                self._soon(self._hang_up(call))
            case "speak":
                # A prompt that repeats for ever is cut off: no call lasts that long.
                times = min(order["times"], _MOST_REPEATS)
                self._speak(call, order["say"], self._sounds[order["sound"]] * times)
            case "stop":
                self._be_quiet(call)
            case "listen" | "deafen":
                call.listens = order["do"] == "listen"
                call.detector = UtteranceDetector()
            case "record":
                call.taping = TwoSides()
            case "join" | "hear":
                self._connect_voices(call, order)

    def _connect_voices(self, call: StackCall, order: Message) -> None:
        wanted = [order["other"]] if order["do"] == "join" else order["others"]
        others = [self._calls[other] for other in wanted if other in self._calls]
        if order["do"] == "hear":
            self._voices.hear(call, others)
        elif others:
            self._voices.join(call, others[0])

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # SIP

    async def _admit(self) -> None:
        """Has messages of other senders than the trunks dropped unread, if every address of the trunks can be known."""
        named = [trunk.name for trunk in self._config.trunks if not trunk.has_known_addresses]
        if named:
            _log.warning(
                "trunk %s has a name without a port, which may lead to other addresses: an inbound call from elsewhere "
                "is refused, not dropped",
                named[0],
            )
            return
        loop = asyncio.get_running_loop()
        hosts = {host for trunk in self._config.trunks for host in trunk.sources}
        told: dict[str, list[str]] = {}
        for host in hosts:
            told[host] = []
            with contextlib.suppress(OSError):
                told[host] = [str(found[4][0]) for found in await loop.getaddrinfo(host, None)]
        senders, is_whole = addresses_of(hosts, lambda host: told[host])
        if not is_whole and not self._is_filtered:
            _log.warning("the name of a trunk has no address: messages of other senders are not dropped yet")
            return
        try:
            self._is_filtered = self._senders.admit(senders)
        except OSError as fault:
            _log.warning("messages of other senders than the trunks cannot be dropped: %s", fault)

    async def _keep_senders(self) -> None:
        """Reports every second how many messages were dropped, and looks up the names of the trunks again every
        minute.
        """
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_COUNT_SECONDS)
            dropped = self._senders.dropped()
            if dropped:
                self._report({"on": "stranger", "count": dropped})
            if time.monotonic() - looked >= _LOOK_UP_SECONDS:
                await self._admit()
                looked = time.monotonic()

    async def _arrived(self, native: Any) -> None:  # noqa: ANN401 - the stack is optional
        """An inbound call: the carrier decides about one from a trunk's address; any other is refused and counted."""
        source = await self._messages.source_of(native.call_id)
        trunk = None
        for candidate in self._config.trunks:
            if source and await is_one_of(source, candidate.sources):
                trunk = candidate
                break
        if trunk is None:
            self._report({"on": "stranger", "count": 1})
            await self._refuse(native)
            return
        self._refs += 1
        self._came_in[self._refs] = native
        caller = caller_in(
            asserted=native.headers.get("P-Asserted-Identity", ""),
            from_=native.headers.get("From", ""),
            privacy=native.headers.get("Privacy", ""),
        )
        self._report({"on": "incoming", "ref": self._refs, "trunk": trunk.name, "caller": caller})

    def _handle_decision(self, order: Message) -> None:
        """The carrier has taken or refused an inbound call."""
        native = self._came_in.pop(order["ref"], None)
        if native is None:
            return
        if order["do"] == "refuse":
            self._soon(self._refuse(native))
            return
        call = self._calls[order["id"]] = StackCall(order["id"])
        call.native, call.call_id = native, native.call_id
        self._by_handle[native.handle] = call
        self._soon(self._answer(call))

    async def _answer(self, call: StackCall) -> None:
        try:
            await call.native.answer()
        except (self._baresip.CommandTimeout, self._baresip.RuntimeDead):
            # The answer may have been sent: the end of this process ends the call.
            self._over.set()
        except self._baresip.BaresipError as error:
            await self._hang_up(call)
            self._ended(call, str(error))

    async def _refuse(self, native: Any) -> None:  # noqa: ANN401 - the stack is optional
        with contextlib.suppress(self._baresip.BaresipError):
            await native.reject()

    async def _dial(self, call: StackCall) -> None:
        trunk = self._trunks[call.trunk]
        # The stack answers refreshes and sends none: the far side is to send them (RFC 4028).
        call.session_seconds = self._intervals.get(trunk.name, _SESSION_SECONDS)
        headers = {"Supported": "timer", "Session-Expires": f"{call.session_seconds};refresher=uas"}
        if trunk.name in self._intervals:
            headers["Min-SE"] = str(call.session_seconds)
        if trunk.asserts_identity:
            headers["P-Asserted-Identity"] = f"<sip:{trunk.number}@{trunk.host}>"
        call.address = f"sip:{call.number}@{trunk.address}{trunk.uri_transport}"
        self._dialling += 1
        try:
            native = await self._accounts.dials(trunk.name).dial(call.address, headers)
        except (self._baresip.CommandTimeout, self._baresip.RuntimeDead):
            # The INVITE may have been sent: this process ends, and the carrier counts every such call as lost.
            self._over.set()
            return
        except self._baresip.BaresipError as error:
            self._ended(call, str(error), is_unsent=True)
            return
        finally:
            self._dialling -= 1
        call.native = native
        call.dialled_at = time.monotonic()
        self._by_handle[native.handle] = call
        # A phone on the same machine may have answered before the stack's reply was read.
        for event in self._early.pop(native.handle, ()):
            self._apply(call, event)
        if not self._dialling:
            self._early.clear()
        if call.hung_up:
            await self._hang_up(call)

    async def _hang_up(self, call: StackCall) -> None:
        call.hung_up = True
        if call.native is not None:
            try:
                await call.native.hangup()
            except (self._baresip.CommandTimeout, self._baresip.RuntimeDead):
                # The call may stay up for ever: the end of this process ends it.
                self._over.set()
            except self._baresip.BaresipError:
                # It is over already.
                return

    def _on_event(self, event: Any) -> None:  # noqa: ANN401 - the stack is optional
        if not event.call:
            return
        call = self._by_handle.get(event.call)
        if call is not None:
            self._apply(call, event)
        elif self._dialling:
            self._early[event.call].append(event)

    def _apply(self, call: StackCall, event: Any) -> None:  # noqa: ANN401 - the stack is optional
        kinds = self._baresip.Event
        call.call_id = event.call_id or call.call_id
        match event.event:
            case kinds.CALL_RINGING | kinds.CALL_PROGRESS:
                call.dialled_at = None
                call.is_early = call.is_early or event.event is kinds.CALL_PROGRESS
                self._report({"on": "ringing", "id": call.id})
            case kinds.CALL_ESTABLISHED:
                call.dialled_at = None
                call.established_at = time.monotonic()
                self._admit_answer(call, call.established_at)
            case kinds.CALL_RTCP:
                if call.lost_most(event.stats):
                    self._report({"on": "unheard", "id": call.id})
            case kinds.CALL_DTMF_START if event.text:
                self._press(call, event.text)
            case kinds.CALL_HOLD | kinds.CALL_RESUME:
                self._hold(call, is_held=event.event is kinds.CALL_HOLD)
            case kinds.CALL_CLOSED:
                # After the stack's own listener, which makes the statistics.
                asyncio.get_running_loop().call_soon(self._closed, call, event.text or "")
            case _:
                pass

    def _closed(self, call: StackCall, text: str) -> None:
        is_too_short = text.startswith("422 ") and call.dialled_at is not None and not call.hung_up
        if is_too_short and call.session_seconds == _SESSION_SECONDS:
            self._soon(self._dial_longer(call, text))
        else:
            self._ended(call, text)

    async def _dial_longer(self, call: StackCall, text: str) -> None:
        """The trunk wants calls to last longer without a refresh: dials once more, and later calls at once, with its
        interval.
        """
        least = await self._messages.least_interval(call.call_id)
        if least <= call.session_seconds or call.hung_up:
            self._ended(call, text)
            return
        self._intervals[call.trunk] = least
        self._by_handle.pop(call.native.handle, None)
        await self._dial(call)

    def _read_key(self, message: Traced) -> None:
        """Takes a key from an INFO that the stack refuses."""
        key = bare_key(message)
        number = message.header("CSeq").split()[0] if key else ""
        for call in self._calls.values() if number.isdigit() else ():
            if call.call_id == message.call_id and int(number) > call.newest_info:
                call.newest_info = int(number)
                self._press(call, key)

    def _press(self, call: StackCall, key: str) -> None:
        """Reports a key; while the person has us on hold none counts."""
        if call.held_since is None:
            self._report({"on": "key", "id": call.id, "key": key})

    def _hold(self, call: StackCall, *, is_held: bool) -> None:
        """While the person has us on hold nothing is said and no key counts; then the prompt begins again."""
        call.held_since = time.monotonic() if is_held else None
        self._report({"on": "held", "id": call.id, "held": is_held})
        if call.speaks:
            self._speak(call, call.say, call.prompt)

    def _keep_limits(self, call: StackCall, now: float) -> None:
        """Ends a call of which the trunk says nothing more, and one that is left on hold."""
        config = self._config
        if call.dialled_at is not None and now - call.dialled_at >= config.progress_seconds:
            call.dialled_at = None
            if self._messages.is_trying(call.address):
                _log.warning("a call is cancelled: its trunk has said 100 and nothing more")
                self._report({"on": "no_progress", "id": call.id})
                call.hung_up = True
                self._soon(self._hang_up(call))
        is_left = call.held_since is not None and now - call.held_since >= config.hold_seconds
        if is_left and call.joined is None and not call.hung_up:
            _log.info("a call is ended: it was left on hold")
            call.hung_up = True
            self._soon(self._hang_up(call))

    def _admit_answer(self, call: StackCall, now: float) -> None:
        """Reports the answer as soon as our sound can leave. An answer that lets none leave (no codec of ours, no port,
        `inactive`) is no answer: the call is ended.
        """
        assert call.established_at is not None
        with contextlib.suppress(self._baresip.BaresipError):
            if call.native.audio.info().tx_ready:
                call.answered_at = now
                self._report({"on": "answered", "id": call.id})
                return
        if now - call.established_at >= _NO_WAY_SECONDS:
            _log.warning("a call is ended: its answer lets no sound of ours leave")
            self._report({"on": "no_way", "id": call.id})
            call.hung_up = True
            self._soon(self._hang_up(call))

    def _ended(self, call: StackCall, text: str, *, is_unsent: bool = False) -> None:
        """The call is over, and its channel is free. `is_unsent`: the stack sent no INVITE."""
        if self._calls.pop(call.id, None) is None:
            return
        if call.native is not None:
            self._by_handle.pop(call.native.handle, None)
        self._voices.over(call)
        self._send_tape(call, time.monotonic())
        message: Message = {
            "on": "ended",
            "id": call.id,
            "text": text,
            "unsent": is_unsent,
            "voice": call.heard_bytes > 0,
        }
        if announced := call.announced:
            message["early"] = b64encode(wav_of(announced)).decode()
        stats = call.native.final_stats if call.native is not None else None
        if stats is not None and call.answered_at is not None and not stats.tx_packets:
            self._report({"on": "silent", "id": call.id})
        if stats is not None and call.answered_at is not None:
            message["quality"] = {
                "seconds": round(time.monotonic() - call.answered_at, 1),
                "sent": stats.tx_packets,
                "received": stats.rx_packets,
                "lost": stats.rx_lost + (stats.jbuf_lost or 0),
                "jitter_ms": round(max(stats.rx_jitter_ms, stats.jbuf_jitter_ms or 0), 1),
                "mos": stats.mos_estimate,
                "gaps": stats.audio_tx_starved_frames,
                "one_way": call.heard_bytes == 0,
            }
        self._report(message)

    # Sound

    def _speak(self, call: StackCall, say: int, samples: bytes) -> None:
        self._be_quiet(call)
        call.say, call.speaks, call.prompt, call.to_write = say, True, samples, memoryview(samples)
        self._feed(call)

    def _be_quiet(self, call: StackCall) -> None:
        """Stops the prompt. The stack drops what is written and not yet sent at its next tick, with all that is written
        until then: the next prompt waits for that.
        """
        call.speaks, call.to_write = False, memoryview(b"")
        if call.has_sound:
            with contextlib.suppress(self._baresip.BaresipError):
                audio = call.native.audio
                buffered = audio.info().tx_buffered
                if buffered:
                    self._note_sent(call, buffered)
                    audio.flush_tx()
                    call.silent_until = time.monotonic() + _FLUSH_SECONDS
                    call.unsent.clear()

    def _feed(self, call: StackCall) -> None:
        """Fills the stack's buffer of two seconds; a prompt is over when the buffer is empty."""
        if not call.has_sound or call.held_since is not None or time.monotonic() < call.silent_until:
            return
        with contextlib.suppress(self._baresip.BaresipError):
            audio = call.native.audio
            if call.to_write:
                written = audio.write(call.to_write)
                call.wrote(call.to_write[:written])
                call.to_write = call.to_write[written:]
            elif audio.info().tx_buffered == 0:
                call.speaks = False
                self._report({"on": "spoken", "id": call.id, "say": call.say})

    async def _keep_sound(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + _TICK_SECONDS, time.monotonic() - 1.0)
            await asyncio.sleep(due - time.monotonic())
            self._round += 1
            now = time.monotonic()
            self._voices.exchange(now)
            for call in list(self._calls.values()):
                self._keep_limits(call, now)
                if call.waits_for_sound:
                    self._admit_answer(call, now)
                if not call.has_sound:
                    if call.is_early and not call.hung_up and (self._round + call.id) % _READ_EVERY == 0:
                        self._hear_announcement(call)
                    continue
                if call.joined is not None:
                    self._voices.bridge(call, now)
                if (self._round + call.id) % _READ_EVERY == 0:
                    self._keep_call(call, now)

    def _keep_call(self, call: StackCall, now: float) -> None:
        # What was sent is noted before what is heard: it may have come back.
        if now >= call.silent_until:
            with contextlib.suppress(self._baresip.BaresipError):
                self._note_sent(call, call.native.audio.info().tx_buffered)
        if not self._voices.are_of(call):
            self._hear(call, now)
        if call.speaks:
            self._feed(call)
        if (self._round + call.id) % _TAPE_EVERY == 0:
            self._send_tape(call, now - _TAPE_BEHIND_SECONDS)

    def _note_sent(self, call: StackCall, buffered: int) -> None:
        if call.answered_at is not None:
            call.sent_but(buffered, at=time.monotonic() - call.answered_at)

    def _note_received(self, call: StackCall, samples: bytes) -> None:
        if call.answered_at is not None:
            call.received(samples, at=time.monotonic() - call.answered_at)

    def _send_tape(self, call: StackCall, until: float) -> None:
        """Sends the carrier the sound up to `until`; a little of the newest may still come."""
        if call.taping is None or call.answered_at is None:
            return
        sound = call.taping.take(until - call.answered_at)
        if sound:
            self._out.put_nowait(f"{call.id:0{CALL_ID_DIGITS}}".encode() + sound)

    def _hear(self, call: StackCall, now: float) -> None:
        """Reads what was received: finds utterances, judges who answered, and ends a call without any sound. Keys come
        as events.
        """
        try:
            samples = call.native.audio.read(MOST_READ_BYTES)
        except self._baresip.BaresipError:
            return
        self._note_received(call, samples)
        if call.has_key_events is None:
            call.has_key_events = self._messages.has_key_events(call.call_id)
        for frame, voice in call.voices.hear(samples):
            key = call.tones.feed(frame) if call.has_key_events is False else ""
            if key:
                self._press(call, key)
            self._hear_frame(call, frame, voice=voice and not call.tones.sounds)
        assert call.answered_at is not None
        if not call.heard_bytes and now - call.answered_at >= self._config.silent_seconds:
            _log.warning("a call is ended: no sound comes from the far side")
            self._report({"on": "silent", "id": call.id})
            call.hung_up = True
            self._soon(self._hang_up(call))

    def _hear_announcement(self, call: StackCall) -> None:
        """Keeps the last seconds of what the network plays before an answer."""
        with contextlib.suppress(self._baresip.BaresipError):
            samples = call.native.audio.read(MOST_READ_BYTES)
            call.early += samples
            del call.early[:-_MOST_ANNOUNCED_BYTES]
            call.early_voice_frames += sum(voice for _, voice in call.voices.hear(samples))

    def _hear_frame(self, call: StackCall, frame: bytes, *, voice: bool) -> None:
        verdict = call.judge.feed(frame, voice=voice)
        if verdict is not None:
            self._judged(call, verdict)
        if call.listens:
            said = call.detector.feed(frame, voice=voice)
            if said is not None:
                self._report({"on": "said", "id": call.id, "wav": b64encode(wav_of(said)).decode()})

    def _judged(self, call: StackCall, verdict: MachineDetection) -> None:
        self._report(
            {
                "on": "judged",
                "id": call.id,
                "by": verdict.answered_by.value,
                "seconds": verdict.after_seconds,
                "greeting": verdict.greeting_seconds,
            }
        )


_CALLER_HEADERS = ("P-Asserted-Identity", "Privacy", "From")
_COUNT_SECONDS = 1.0
_LOOK_UP_SECONDS = 60.0
_MOST_REPEATS = 50
_SESSION_SECONDS = 1800
"""What RFC 4028 recommends."""
_MOST_ANNOUNCED_BYTES = 10 * BYTES_A_SECOND


def run(config: SipConfig) -> None:
    """Serves until SIGTERM, SIGINT, or the end of the carrier or of the stack."""
    asyncio.run(_run(config))


async def _run(config: SipConfig) -> None:
    process = SipProcess(config)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, process.stop)
    _log.info("the SIP process starts with %d trunks", len(config.trunks))
    await process.run()
