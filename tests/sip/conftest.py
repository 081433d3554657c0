"""Fixtures of the tests with real SIP peers: peers, and a carrier on trunks beside its SIP process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from carrier.config import ServiceClock
from carrier.lines.sip.announcements import AnnouncementListener
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.trunks import Trunk
from carrier.lines.sound import BYTES_A_SECOND, telephone_samples, wav_of
from carrier.speech_input import SpeechRecogniser
from tests.carrier.conftest import app, bench  # noqa: F401 - fixtures
from tests.carrier.stage import ADMIN, DeskView, Start
from tests.sip.peers import Peer, Person, StackProcess, line_of, missing, prompt, until

WHY_NOT = missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real peer is needed by every test of this folder, but by the simulated line's."""
    for item in items:
        if WHY_NOT and Path(__file__).parent in item.path.parents and "[simulated" not in item.name:
            item.add_marker(pytest.mark.skip(reason=WHY_NOT))


MakePeer = Callable[..., Awaitable[Peer]]


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[MakePeer]:
    """Starts peers, each with the steps of its calls."""
    peers: list[Peer] = []

    async def begin(*steps: str, calls: int = 1) -> Peer:
        one = Peer(tmp_path, *steps, calls=calls)
        peers.append(one)
        return await one.ready()

    yield begin
    for one in peers:
        one.close()


MakePerson = Callable[..., Awaitable[Person]]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[MakePerson]:
    """Starts phones that answer by themselves, speak a sentence after two seconds, and stay."""
    persons: list[Person] = []
    says = tmp_path / "says.wav"
    # A baresip hangs up at the end of its file.
    says.write_bytes(
        wav_of(bytes(2 * BYTES_A_SECOND) + telephone_samples(prompt()) + bytes(20 * BYTES_A_SECOND))
    )

    async def begin(**values: Any) -> Person:  # noqa: ANN401 - of a person
        one = Person(tmp_path, **{"says": says, **values})
        persons.append(one)
        return await one.ready()

    yield begin
    for one in persons:
        one.close()


OnTrunks = Callable[..., Awaitable[DeskView]]


@pytest.fixture
async def on_trunks(bench: Start) -> AsyncIterator[OnTrunks]:  # noqa: F811 - the fixture
    """A carrier on these trunks, connected to its SIP process, which is `.stack` of the view."""
    stacks: list[StackProcess] = []

    async def begin(
        *trunks: Trunk,
        desk_numbers: tuple[str, ...] = (),
        listener: AnnouncementListener | None = None,
        recogniser: SpeechRecogniser | None = None,
        **config: Any,  # noqa: ANN401 - fields of the stack's configuration
    ) -> DeskView:
        view = await bench(
            make_line=lambda timers: SipLine(
                timers, trunks=trunks, desk_numbers=desk_numbers, listener=listener
            ),
            clock=ServiceClock(),
            recogniser=recogniser,
        )
        stack = StackProcess(view.carrier.base_url, ADMIN, list(trunks), **config)
        stacks.append(stack)
        view.stack = stack  # type: ignore[attr-defined]
        await until(lambda: line_of(view.carrier).link is not None, "the SIP process connects")
        return view

    yield begin
    for stack in stacks:
        stack.close()


def trunk_to(peer: Peer | Person, **values: Any) -> Trunk:  # noqa: ANN401 - fields of a trunk
    """A trunk by address to this peer, which never asks for OPTIONS."""
    return Trunk(
        **{"name": "one", "address": peer.address, "number": "047896110", "keep_alive_seconds": 0, **values}
    )
