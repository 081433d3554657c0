"""The trunks of the centre's own line, as its carrier reports them: for the page *Control*, the metrics, the alarm and
`dialer doctor`; and the test call and the trace of `dialer trunk`.
"""

from __future__ import annotations

import importlib.util
import json
import urllib.error
import urllib.request
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from carrier.lines.sip.options import ask_options
from carrier.lines.sip.trunks import Trunk
from dialer.core.access import Actor, Permission
from dialer.core.errors import Invalid, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop, listed
from dialer.core.values import TrunkProblem
from dialer.db.alarms import raise_alarm_once
from dialer.runtime.doctor import Check
from dialer.runtime.local import CarrierAccess
from dialer.runtime.services import Application, Services


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkStatus:
    """A trunk as it is now. Counts are since the carrier's start."""

    name: str
    order: int
    channels: int
    in_use: int
    placed: int
    received: int
    registers: bool
    problem: TrunkProblem | None
    ends: Mapping[str, int] = field(default_factory=dict)
    """Calls that were not answered, by SIP status and Q.850 cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunksNow:
    """All trunks, and counts since the carrier's start. `strangers`: SIP messages that were dropped because their
    address is no trunk's; `calls_in_refused`: inbound calls that were refused because such calls already used half of
    the lines.
    """

    trunks: tuple[TrunkStatus, ...]
    strangers: int = 0
    calls_in_refused: int = 0


END_WORDS: Final[Mapping[str, Text]] = {
    "timeout": Text("no response"),
    "transport": Text("no connection"),
    "no_sound": Text("nothing was heard"),
    "no_progress": Text("no ringing and no answer"),
    "no_way": Text("answered without a way for our sound"),
}
"""The words of causes in `ends` that are not SIP statuses."""

_TIMEOUT_SECONDS: Final = 2.0
_TEST_SECONDS: Final = 150.0


def has_trunks(app: Application) -> bool:
    """Whether this service calls over trunks of the centre's own."""
    return app.carrier is not None and app.settings.carrier.is_sip


def read_trunks(carrier: CarrierAccess) -> TrunksNow:
    """The state of all trunks, from their carrier. Raises `Unavailable`."""
    status = _ask_carrier(carrier, "/admin/trunks")
    return TrunksNow(
        trunks=tuple(
            TrunkStatus(
                **{
                    name: trunk[name]
                    for name in ("name", "order", "channels", "in_use", "placed", "received")
                },
                registers=trunk["registers"],
                problem=TrunkProblem(trunk["problem"]) if trunk["problem"] else None,
                ends=trunk["ends"],
            )
            for trunk in status["trunks"]
        ),
        strangers=status["strangers"],
        # A carrier of the previous version does not report this.
        calls_in_refused=status.get("calls_in_refused", 0),
    )


def watch_trunks(services: Services, carrier: CarrierAccess, *, before: Container[str]) -> frozenset[str]:
    """The names of the trunks that do not work. Raises the alarm for those that did not work at the check `before`
    either, unless it is open already: a start takes a moment. Raises `Unavailable`.
    """
    now = {trunk.name: trunk.problem for trunk in read_trunks(carrier).trunks if trunk.problem is not None}
    failing = {name: problem for name, problem in now.items() if name in before}
    if not failing:
        return frozenset(now)
    # A stored text keeps no member of an enumeration, only texts: these say the problem in either language.
    names = listed([Text(_FAILING[why], name=name) for name, why in failing.items()])
    problem = Text("trunks: %(names)s", names=names)
    facts = {"problem": problem.plain(), "fix": Text("dialer doctor, then docs/trunk.md").plain()}
    with services.store.begin() as tx:
        raise_alarm_once(tx, AlarmCode.TRUNK_FAILING, now=services.clock.now(), facts=facts)
    return frozenset(now)


_FAILING: Final[Mapping[TrunkProblem, str]] = {
    TrunkProblem.NO_PROCESS: gettext_noop("%(name)s (the SIP process does not run)"),
    TrunkProblem.NOT_REGISTERED: gettext_noop("%(name)s (not registered)"),
    TrunkProblem.UNREACHABLE: gettext_noop("%(name)s (does not answer)"),
    TrunkProblem.RESTING: gettext_noop("%(name)s (rests after failed calls)"),
}
_CODECS: Final = ("PCMA", "PCMU")
_MOST_CLOCK_SECONDS: Final = 5.0
_SIP_PORT: Final = 5060


def has_stack() -> bool:
    """Whether the extra `sip` is installed."""
    return importlib.util.find_spec("baresip") is not None


def check_trunks(trunks: Sequence[Trunk], running: TrunksNow | None) -> list[Check]:
    """One finding for each trunk: what answers at its address, its registration if the service runs, its codecs and its
    clock if it reports them, and the first thing to fix.
    """
    if not has_stack():
        problem = gettext_noop("the extra `sip` is not installed")
        return [Check(name=gettext_noop("trunks"), detail=problem, fix="pip install 'dialer[sip]'")]
    now = {trunk.name: trunk for trunk in running.trunks} if running is not None else {}
    return [_check_trunk(trunk, now.get(trunk.name)) for trunk in trunks]


def _check_trunk(trunk: Trunk, now: TrunkStatus | None) -> Check:
    name = gettext_noop("trunk")
    host, _, port = (trunk.proxy or trunk.address).partition(":")
    said: list[str | TrunkProblem] = [trunk.name, trunk.proxy or trunk.address]
    fix: str | Text = ""
    if trunk.transport == "udp":
        try:
            answer = ask_options(host, int(port or _SIP_PORT))
        except OSError as error:
            return Check(
                name=name,
                detail=Text(
                    "%(where)s: %(why)s",
                    where=f"{trunk.name}, {host}",
                    why=error.strerror or Text("no address"),
                ),
                fix=Text("correct address or proxy of the trunk, or the machine's DNS"),
            )
        if answer is None:
            fix = Text(
                "nothing answers OPTIONS there: check address and port, the route, and that the firewall lets UDP"
                " through both ways"
            )
        else:
            said.append(f"OPTIONS {answer.status} ({answer.took_seconds * 1000:.0f} ms)")
            if answer.codecs:
                said.append("/".join(answer.codecs))
                if not set(answer.codecs) & set(_CODECS):
                    fix = Text(
                        "allow PCMA (A-law) on the trunk: it offers %(codecs)s",
                        codecs=", ".join(answer.codecs),
                    )
            if answer.clock_seconds is not None:
                said.append(f"{answer.clock_seconds:+.0f} s")
                if abs(answer.clock_seconds) > _MOST_CLOCK_SECONDS and not fix:
                    fix = Text("set the clocks of both machines by NTP")
    if now is not None:
        said.append(now.problem or "ok")
        if now.problem is not None and not fix:
            fix = _FIXES[now.problem]
    return Check(name=name, detail=listed([Text("%(said)s", said=text) for text in said]), fix=fix)


_FIXES: Final[Mapping[TrunkProblem, Text]] = {
    TrunkProblem.NO_PROCESS: Text("start the service, and read why `dialer sip` ended in its log"),
    TrunkProblem.NOT_REGISTERED: Text(
        "check user and password of the trunk: the log has the registrar's answer"
    ),
    TrunkProblem.UNREACHABLE: Text("check that the trunk answers OPTIONS, or set keep_alive_seconds = 0"),
    TrunkProblem.RESTING: Text("dialer trunk trace shows why its calls fail"),
}


def trace_calls(carrier: CarrierAccess, calls: int) -> list[list[str]]:
    """The SIP messages of the newest calls, masked. Raises `Unavailable`."""
    found: list[list[str]] = _ask_carrier(carrier, f"/admin/trunks/trace?calls={calls}")["calls"]
    return found


def note_test_call(services: Services, actor: Actor, *, number: str) -> None:
    """Records in the audit who calls which number, of which the first six characters and the last two are shown. Raises
    `Invalid` if `by` is empty.
    """
    with services.act(actor, Permission.CONTROL) as act:
        facts = {"number": f"{number[:6]}****{number[-2:]}"}
        act.audit("trunk_call", "trunk", facts=facts)


def request_test_call(
    carrier: CarrierAccess, *, number: str, wav: str, listen_seconds: float
) -> dict[str, Any]:
    """Calls the number (E.164) once and plays the sound (a WAV in base64); returns what happened. Raises `Invalid` for
    a number that the trunks do not dial, and `Unavailable`.
    """
    body = {"number": number, "wav": wav, "listen_seconds": listen_seconds}
    return _ask_carrier(carrier, "/admin/trunks/call", body, within_seconds=_TEST_SECONDS)


def _ask_carrier(
    carrier: CarrierAccess,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    within_seconds: float = _TIMEOUT_SECONDS,
) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - our own carrier, on loopback
        carrier.base_url + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {carrier.admin_token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=within_seconds) as answer:  # noqa: S310 - an address of our own carrier
            value: dict[str, Any] = json.loads(answer.read())
    except urllib.error.HTTPError as fault:
        if fault.code == _BAD_REQUEST:
            problem = "is not dialled: only numbers of mainland China and the duty line"
            raise Invalid(field="number", problem=problem) from None
        raise Unavailable(part="carrier", problem=Text("answered %(status)s", status=fault.code)) from None
    except (OSError, ValueError) as fault:
        raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
    return value


_BAD_REQUEST: Final = 400
