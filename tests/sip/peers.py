"""Real SIP peers for the line: sipp with scenarios made of steps, and the SIP process beside a carrier."""

from __future__ import annotations

import asyncio
import audioop
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from carrier.lines.sip.line import SipLine
from carrier.lines.sip.stack_config import is_installed
from carrier.lines.sip.trunks import Trunk
from tests.ports import reserve_ports

HOST = "127.0.0.1"
PROMPTS = Path(__file__).resolve().parents[2] / "audio" / "prompts"
PCAPS = Path("/usr/share/sip-tester")
MODULES = "/usr/lib/baresip/modules"
_PATIENCE_SECONDS = 60.0
"""Nothing takes so long, also beside other work: a test that waits for it has failed."""
_LONGEST_SECONDS = "900"
_SOUND_PORTS = "10000-20000"
OF_SOUND = 2
"""From the port of sipp to the first one of its sound."""


def missing() -> str:
    """Why tests with real peers cannot run here; empty if they can."""
    if not is_installed():
        return "the optional extra `sip` is not installed: pip install 'dialer[sip]'"
    for program in ("sipp", "baresip"):
        if shutil.which(program) is None:
            return f"Debian's {program} is not installed: make test-sip, as root"
    return "" if os.geteuid() == 0 else "sipp plays sound through a raw socket, which needs root"


def is_open(port: int) -> bool:
    """Whether somebody listens on this UDP port."""
    sockets = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in sockets)


_HEADERS = "[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\nCSeq: [$cseq]"
_SDP = (
    "Content-Type: application/sdp\nContent-Length: [len]\n\nv=0\no=u 1 1 IN IP4 [local_ip]\ns=-\n"
    "c=IN IP4 [media_ip]\nt=0 0\nm=audio [media_port] RTP/AVP %(codec)s 101\na=rtpmap:%(codec)s %(name)s/8000\n"
    "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
)
_CODECS = {"8": "PCMA", "0": "PCMU"}


def description(*, direction: str = "sendrecv", codec: str = "8") -> str:
    """The body of a description of sound, for a request."""
    sdp = _SDP % {"codec": codec, "name": _CODECS[codec]}
    return sdp.partition("\n\n")[2].replace("o=u 1 1", "o=u 1 2") + f"a={direction}"


def _send(text: str, *, retransmits: bool = False) -> str:
    again = ' retrans="500"' if retransmits else ""
    return f"<send{again}><![CDATA[\n{text}\n]]></send>"


def ring(status: str = "180 Ringing") -> str:
    return _send(f"SIP/2.0 {status}\n{_HEADERS}\nContact: <sip:[local_ip]:[local_port]>\nContent-Length: 0\n")


def early(codec: str = "8") -> str:
    """183 with a description of sound."""
    sdp = _SDP % {"codec": codec, "name": _CODECS[codec]}
    return _send(f"SIP/2.0 183 Session Progress\n{_HEADERS}\nContact: <sip:[local_ip]:[local_port]>\n{sdp}")


def answer(codec: str = "8", *, more: str = "") -> str:
    """200 with sound, and its ACK. `more`: headers."""
    sdp = _SDP % {"codec": codec, "name": _CODECS[codec]}
    ok = f"SIP/2.0 200 OK\n{_HEADERS}\nContact: <sip:[local_ip]:[local_port]>\n{more}{sdp}"
    return _send(ok, retransmits=True) + '<recv request="ACK"/>'


def answer_again(telephone: str) -> str:
    """One more 200 after the ACK, of another telephone (its tag) on which the trunk has rung too."""
    sdp = _SDP % {"codec": "8", "name": _CODECS["8"]}
    headers = _HEADERS.replace("[last_To:];tag=[call_number]", f"To: [$them];tag={telephone}")
    return _send(f"SIP/2.0 200 OK\n{headers}\nContact: <sip:[local_ip]:[local_port]>\n{sdp}")


def answer_as(sound: str) -> str:
    """200 with this line of sound, and what follows it, in its description; '' for an answer without one."""
    body = f"v=0\no=u 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n{sound}\n" if sound else ""
    kind = "Content-Type: application/sdp\n" if sound else ""
    head = (
        f"SIP/2.0 200 OK\n{_HEADERS}\nContact: <sip:[local_ip]:[local_port]>\n{kind}Content-Length: [len]\n\n"
    )
    return _send(head + body, retransmits=True) + '<recv request="ACK"/>'


def refuse(status: str, reason: str = "", *, more: str = "") -> str:
    """A final answer, and its ACK. `more`: headers."""
    line = more + (f"Reason: {reason}\n" if reason else "")
    return (
        _send(f"SIP/2.0 {status}\n{_HEADERS}\n{line}Content-Length: 0\n", retransmits=True)
        + '<recv request="ACK"/>'
    )


def pause(milliseconds: int) -> str:
    return f'<pause milliseconds="{milliseconds}"/>'


def play(name: str) -> str:
    """A recording of RTP: `g711a`, or `dtmf_2833_1`."""
    return f'<nop><action><exec play_pcap_audio="{PCAPS / name}.pcap"/></action></nop>'


def play_samples(folder: Path, name: str, samples: bytes) -> str:
    """Plays these samples (16 bit, 8 kHz) as A-law."""
    path = folder / f"{name}.pcap"
    path.write_bytes(rtp_capture(audioop.lin2alaw(samples, 2)))
    return f'<nop><action><exec play_pcap_audio="{path}"/></action></nop>'


def rtp_capture(alaw: bytes) -> bytes:
    """A capture of RTP packets of 20 ms, as sipp replays them: it sets addresses and ports itself."""
    made = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)]
    for n in range(len(alaw) // 160):
        rtp = struct.pack(">BBHII", 0x80, 8, n, n * 160, 4711) + alaw[n * 160 : (n + 1) * 160]
        udp = struct.pack(">HHHH", 10_000, 10_000, 8 + len(rtp), 0) + rtp
        ip = (
            struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
            )
            + udp
        )
        frame = b"\0" * 12 + b"\x08\0" + ip
        made.append(struct.pack("<IIII", n // 50, n % 50 * 20_000, len(frame), len(frame)) + frame)
    return b"".join(made)


def send_in_dialog(method: str, *, body: str = "", kind: str = "", answered: int = 200) -> str:
    """A request of the person's side, and its answer. Only after `invited`, which keeps who is who."""
    head = (
        f"{method} [$contact] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        "From: [$them];tag=[call_number]\nTo: [$us]\n[last_Call-ID:]\n"
        f"CSeq: [cseq] {method}\nMax-Forwards: 70\nContact: <sip:[local_ip]:[local_port]>\n"
    )
    typed = f"Content-Type: {kind}\nContent-Length: [len]\n\n{body}\n" if body else "Content-Length: 0\n"
    return _send(head + typed, retransmits=True) + f'<recv response="{answered}"/>'


def acknowledge() -> str:
    """The ACK of a 200 that answered an INVITE of the person's side."""
    return _send(
        "ACK [$contact] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        "From: [$them];tag=[call_number]\nTo: [$us]\n[last_Call-ID:]\nCSeq: [cseq] ACK\nMax-Forwards: 70\n"
        "Content-Length: 0\n"
    )


def hang_up() -> str:
    return send_in_dialog("BYE")


def info_key(key: str) -> str:
    """A key by SIP INFO."""
    return send_in_dialog("INFO", body=f"Signal={key}\nDuration=160", kind="application/dtmf-relay")


def info_bare_key(key: str) -> str:
    """A key alone by SIP INFO, which the stack refuses all the same."""
    return send_in_dialog("INFO", body=key, kind="application/dtmf", answered=488)


def invited() -> str:
    """The INVITE comes; who sent it is kept for requests of our side."""
    return (
        '<recv request="INVITE"><action>'
        '<ereg regexp="[0-9]+ INVITE" search_in="hdr" header="CSeq:" assign_to="cseq"/>'
        '<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="contact"/>'
        '<ereg regexp="&lt;.*" search_in="hdr" header="From:" assign_to="us"/>'
        '<ereg regexp="&lt;[^&gt;]*&gt;" search_in="hdr" header="To:" assign_to="them"/>'
        "</action></recv>"
    )


def expect(method: str, *, answered: str = "200 OK") -> str:
    return f'<recv request="{method}" timeout="60000"/>' + _send(
        f"SIP/2.0 {answered}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
        "Content-Length: 0\n"
    )


class Peer:
    """A trunk's other end: sipp, which does the same steps in each of `calls` calls, up to `calls` at once."""

    def __init__(self, folder: Path, *steps: str, calls: int = 1) -> None:
        self.port = reserve_ports()
        self.log = folder / f"sipp-{self.port}.log"
        scenario = folder / f"sipp-{self.port}.xml"
        steps = steps if steps and "<recv" in steps[0] else (invited(), *steps)
        keeps = '<Reference variables="contact,us,them,cseq"/>' if "assign_to" in steps[0] else ""
        scenario.write_text(
            f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="peer">{"".join(steps)}{keeps}</scenario>'
        )
        self._process = subprocess.Popen(
            [
                *("timeout", _LONGEST_SECONDS, "sipp", "-sf", scenario, "-i", HOST, "-mi", HOST),
                *("-p", str(self.port), "-m", str(calls), "-nostdin", "-aa"),
                *("-mp", str(self.port + OF_SOUND)),
                *("-trace_msg", "-message_file", self.log, "-message_overwrite", "true"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Of `timeout`, whose child is sipp."""
        return self._process.pid

    @property
    def messages(self) -> str:
        """What it received and sent."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def ready(self) -> Peer:
        await until(lambda: self._process.poll() is not None or is_open(self.port), "it listens")
        assert self._process.poll() is None, "sipp refuses the scenario"
        return self

    async def done(self) -> int:
        """Waits until all its calls are over; 0 if each went as the steps say."""
        await until(lambda: self._process.poll() is not None, "sipp has had its calls")
        return int(self._process.returncode)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


_PROGRAM = """
import json, logging, sys
logging.basicConfig(level=logging.WARNING)
from carrier.lines.sip.stack import run
from carrier.lines.sip.stack_config import SipConfig
from carrier.lines.sip.trunks import Trunk
from tests.ports import reserve_ports
given = json.loads(sys.stdin.readline())
given["trunks"] = [Trunk(**trunk) for trunk in given["trunks"]]
run(SipConfig(**given))
"""


class StackProcess:
    """The SIP process as the supervisor would run it."""

    def __init__(self, carrier_url: str, admin_token: str, trunks: list[Trunk], **config: object) -> None:
        self._given = {
            "carrier_url": carrier_url,
            "admin_token": admin_token,
            "trunks": [asdict_of(trunk) for trunk in trunks],
            "listen": f"{HOST}:0",
            "interface": HOST,
            **config,
        }
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["timeout", _LONGEST_SECONDS, sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._given).encode() + b"\n")
        process.stdin.close()
        return process

    def kill(self) -> None:
        """As in a crash: the whole process group of `timeout` is gone."""
        with suppress(ProcessLookupError):
            for child in (
                Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            ):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait()

    def again(self) -> None:
        """Starts it anew, as the supervisor does."""
        self.process = self._start()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def asdict_of(trunk: Trunk) -> Mapping[str, Any]:
    plain = {name: getattr(trunk, name) for name in trunk.__dataclass_fields__}
    return {**plain, "prefixes": dict(trunk.prefixes)}


async def until(true: Any, what: str) -> None:  # noqa: ANN401 - any condition
    """Waits until the condition holds."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not true():  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise AssertionError(f"never: {what}") from error


def line_of(running: Any) -> SipLine:  # noqa: ANN401 - the running carrier
    assert isinstance(running.line, SipLine)
    return running.line


class Person:
    """Debian's baresip, which answers every call by itself, speaks a WAV file and keeps what it hears."""

    def __init__(
        self,
        folder: Path,
        *,
        says: Path,
        keeps: bool = True,
        seconds: str = _LONGEST_SECONDS,
        certificate: Path | None = None,
    ) -> None:
        """Without `keeps` what it hears is not written. With a `certificate` and its key it is called over TLS, at the
        port after its own, and takes encrypted sound alone.
        """
        self.port = reserve_ports()
        self.heard = folder / f"heard-{self.port}.wav"
        home = folder / f"baresip-{self.port}"
        home.mkdir()
        modules = "".join(
            f"module {name}.so\n" for name in ("srtp", "account", "g711", "aufile", "auconv", "auresamp")
        )
        app_modules = "module_app menu.so\n"
        (home / "config").write_text(
            f"{f'sip_certificate {certificate}' if certificate else ''}\n"
            f"sip_listen {HOST}:{self.port}\nnet_interface {HOST}\nmodule_path {MODULES}\n{modules}{app_modules}"
            f"audio_source aufile,{says}\naudio_alert aufile,{says}\n"
            f"audio_player aufile,{self.heard if keeps else os.devnull}\n"
            f"rtp_ports {_SOUND_PORTS}\ncall_max_calls 0\ncall_hold_other_calls no\n"
        )
        (home / "accounts").write_text(
            f"<sip:person@{HOST}:{self.port}{';transport=tls' if certificate else ''}>"
            f";regint=0;answermode=auto;catchall=yes{';mediaenc=srtp-mand' if certificate else ''}\n"
        )
        (home / "contacts").write_text("")
        self._log = home / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["timeout", seconds, "baresip", "-f", home, "-s"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Of `timeout`, whose child is baresip."""
        return self._process.pid

    def heard_whole(self) -> bool:
        """Whether the file of what it heard is complete, which it is after the end of the call."""
        data = self.heard.read_bytes() if self.heard.exists() else b""
        at = data.find(b"data")
        return at > 0 and int.from_bytes(data[at + 4 : at + 8], "little") > 0

    async def ready(self) -> Person:
        await until(lambda: self._process.poll() is not None or is_open(self.port), "it listens")
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]
        return self

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def prompt() -> bytes:
    """A shipped prompt of a few seconds."""
    files = sorted(PROMPTS.glob("*.wav"), key=lambda path: (abs(path.stat().st_size - 64_000), path.name))
    return files[0].read_bytes()
