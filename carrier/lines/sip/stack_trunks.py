"""The accounts of the trunks in the SIP process: one that dials, one that registers where the trunk wants another user,
and whether the trunk is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from carrier.lines.sip.link import Message
from carrier.lines.sip.options import ask_options
from carrier.lines.sip.trunks import Trunk

_log = logging.getLogger(__name__)
_CODECS = ("pcma", "pcmu")
_LONGEST_REGISTER_WAIT_SECONDS = 300.0
_REGISTER_WAIT_SECONDS = 5.0
_SIP_PORT = 5060
_MISSED_OPTIONS = 2
_OPTIONS_WAIT_SECONDS = 2.0


class TrunkAccounts:
    """The stack's accounts, by trunk. `report` sends a message to the carrier, `arrived` takes an inbound call, `over`
    is set when the process ends, and `soon` runs a task beside the others. A registration that failed is tried again
    after `register_wait_seconds`, then twice as long each time.
    """

    def __init__(
        self,
        baresip: Any,  # noqa: ANN401 - the stack is optional
        *,
        report: Callable[[Message], None],
        arrived: Callable[[Any], Coroutine[Any, Any, None]],
        soon: Callable[[Coroutine[Any, Any, None]], None],
        over: asyncio.Event,
        register_wait_seconds: float,
    ) -> None:
        self._baresip = baresip
        self._report = report
        self._arrived = arrived
        self._soon = soon
        self._over = over
        self._register_wait_seconds = register_wait_seconds
        self._agents: dict[str, Any] = {}
        self._registrants: dict[str, Any] = {}
        self._registering: set[str] = set()
        self._to_register: list[Trunk] = []

    def dials(self, name: str) -> Any:  # noqa: ANN401 - the stack is optional
        """The account that dials over this trunk."""
        return self._agents[name]

    async def add(self, runtime: Any, trunk: Trunk) -> None:  # noqa: ANN401 - the stack is optional
        """Creates the account that dials, which shows the trunk's number as From, and where the trunk registers as
        another user, a second account for that.
        """
        common: dict[str, Any] = {
            "domain": trunk.address,
            "password": trunk.password,
            "registrar": f"sip:{trunk.proxy}{trunk.uri_transport}" if trunk.proxy else None,
            "transport": trunk.transport,
            "audio_codecs": _CODECS,
            "auth_user": trunk.user or None,
            # Takes calls to any number: the operator may write the hotline in several ways.
            "extra_params": ("catchall=yes", *(("mediaenc=srtp-mand",) if trunk.srtp else ())),
        }
        is_one = trunk.registers and trunk.user == trunk.number
        dials = self._agents[trunk.name] = await self._agent(
            runtime, trunk, user=trunk.number, reg_interval=trunk.register_seconds if is_one else 0, **common
        )
        if trunk.registers:
            self._registrants[trunk.name] = (
                dials
                if is_one
                else await self._agent(
                    runtime, trunk, user=trunk.user, reg_interval=trunk.register_seconds, **common
                )
            )
            self._to_register.append(trunk)

    def register(self) -> None:
        """Registers with the trunks that want it, from now on."""
        for trunk in self._to_register:
            self._register(trunk)

    async def _agent(self, runtime: Any, trunk: Trunk, **account: Any) -> Any:  # noqa: ANN401 - the stack is optional
        agent = await self._baresip.UserAgent.create(
            runtime, self._baresip.Account(**account), transfer_policy="reject"
        )
        agent.on(lambda event: self._on_agent_event(trunk, event))
        agent.on_incoming(lambda native: self._soon(self._arrived(native)))
        return agent

    def _register(self, trunk: Trunk) -> None:
        """Tries to register until it succeeds; then the stack renews the registration, and its events report when it is
        lost.
        """
        if trunk.registers and trunk.name not in self._registering:
            self._registering.add(trunk.name)
            self._soon(self._try_to_register(trunk))

    async def _try_to_register(self, trunk: Trunk) -> None:
        agent, wait = self._registrants[trunk.name], self._register_wait_seconds
        try:
            while not self._over.is_set():
                try:
                    await agent.register(timeout=_REGISTER_WAIT_SECONDS)
                except self._baresip.RegistrationError as error:
                    _log.warning("trunk %s is not registered: %s", trunk.name, error.status or "no answer")
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, _LONGEST_REGISTER_WAIT_SECONDS)
                else:
                    return
        except self._baresip.BaresipError as error:
            _log.warning("trunk %s is not registered: %s", trunk.name, error)
        finally:
            self._registering.discard(trunk.name)

    def _on_agent_event(self, trunk: Trunk, event: Any) -> None:  # noqa: ANN401 - the stack is optional
        kinds = self._baresip.Event
        if event.event is kinds.REGISTER_OK:
            self._report({"on": "trunk", "trunk": trunk.name, "registered": True})
        elif event.event is kinds.REGISTER_FAIL:
            self._report({"on": "trunk", "trunk": trunk.name, "registered": False})
            self._register(trunk)

    async def keep_alive(self, trunk: Trunk) -> None:
        """Asks the trunk at intervals whether it is there, and reports it. A trunk that was away may have lost our
        registration.
        """
        host, _, port = (trunk.proxy or trunk.address).partition(":")
        missed = 0
        patience = min(_OPTIONS_WAIT_SECONDS, trunk.keep_alive_seconds)
        while True:
            is_there = False
            with contextlib.suppress(OSError):
                answer = await asyncio.to_thread(
                    ask_options, host, int(port or _SIP_PORT), within_seconds=patience
                )
                is_there = answer is not None
            if is_there and missed >= _MISSED_OPTIONS:
                self._register(trunk)
            missed = 0 if is_there else missed + 1
            self._report({"on": "trunk", "trunk": trunk.name, "reachable": missed < _MISSED_OPTIONS})
            await asyncio.sleep(trunk.keep_alive_seconds if not missed else trunk.keep_alive_seconds / 4)
