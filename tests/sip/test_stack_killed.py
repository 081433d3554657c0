"""The SIP process is killed with calls up: no attempt is lost, nobody is called twice, and the cases go on."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from carrier.lines.sip.line import SipLine
from dialer.core.values import Grade, TelephonyResult
from tests.control.scene import Scene
from tests.sip.conftest import MakePeer, trunk_to
from tests.sip.peers import Peer, StackProcess, answer, line_of, pause, ring, until
from tests.story.world import ADMIN_TOKEN, World, world

CALLS = 40
RINGS_ON = (ring(), '<recv request="CANCEL" timeout="900000"/>')
TALKS_ON = (ring(), pause(50), answer(), '<recv request="BYE" timeout="900000"/>')


def called(*peers: Peer) -> Counter[str]:
    """How many calls each number got, by their Call-IDs."""
    calls = {
        (found[1], found[2])
        for peer in peers
        for found in re.finditer(r"INVITE sip:([0-9]+)@.*?Call-ID: (\S+)", peer.messages, re.DOTALL)
    }
    return Counter(number for number, _ in calls)


def open_case(w: World, n: int) -> int:
    person = w.scene.person(name=f"某人{n}", phones=(f"+8613900{n:06d}",))
    return int(w.scene.open_case(grade=Grade.MEDIUM, person_id=person))


async def test_forty_calls_survive_the_death_of_the_sip_process(
    fresh_database: str, tmp_path: Path, peer: MakePeer
):
    ringing, talking = await peer(*RINGS_ON, calls=CALLS), await peer(*TALKS_ON, calls=CALLS)
    wide = {"channels": 100, "calls_per_second": 50.0}
    trunks = [trunk_to(ringing, **wide), trunk_to(talking, name="two", **wide)]
    scene = Scene(fresh_database)
    try:
        async with world(
            scene,
            tmp_path / "carrier",
            speed=1.0,
            make_line=lambda timers: SipLine(timers, trunks=trunks),
            # All of them are up at once, however slow the machine is.
            ring_timeout_seconds=600,
        ) as w:
            stack = StackProcess(w.carrier.base_url, ADMIN_TOKEN, trunks, silent_seconds=900.0)
            try:
                await killed_and_back(w, stack, ringing, talking)
            finally:
                stack.close()
    finally:
        scene.close()


async def killed_and_back(w: World, stack: StackProcess, *peers: Peer) -> None:
    line = line_of(w.carrier)
    await until(lambda: line.link is not None, "the SIP process connects")
    cases = [open_case(w, n) for n in range(CALLS)]

    def up() -> bool:
        states = line.board.states.values()
        rows = [w.attempt(case_id) for case_id in cases if w.scene.attempts_of(case_id)]
        return sum(state.in_use for state in states) == CALLS and all(row["ringing_at"] for row in rows)

    await w.until(up)
    await w.until(
        lambda: sum(w.attempt(case_id)["answered_at"] is not None for case_id in cases) == CALLS // 2
    )
    assert called(*peers) == Counter({f"13900{n:06d}": 1 for n in range(CALLS)})

    stack.kill()
    await until(lambda: line.link is None, "the carrier misses it")
    stack.again()
    await until(lambda: line.link is not None, "another one connects")
    await w.until_over(*cases)

    results = Counter(w.attempt(case_id)["result"] for case_id in cases)
    lost = results.pop(TelephonyResult.UNKNOWN.value)
    assert lost == CALLS // 2, "a phone that rang when the process died is not known to have been answered"
    assert sum(results.values()) == CALLS // 2
    assert results.keys() <= {TelephonyResult.ANSWERED.value, TelephonyResult.DEAD_AIR.value}
    ours = [w.attempt(case_id) for case_id in cases]
    assert all(our["reach"] == "cut_off" for our in ours if our["result"] == TelephonyResult.ANSWERED.value)
    robots = [w.scene.case_of(our["case_id"]).robot for our in ours if our["reach"] == "cut_off"]
    assert all((robot.tries, robot.own_faults) == (0, 1) for robot in robots)
    assert w.held_numbers() == 0
    assert {state.in_use for state in line.board.states.values()} == {0}
    for case_id in cases:
        # Each goes on: another attempt is planned, or it waits for a person.
        assert len(w.scene.attempts_of(case_id)) > 1 or w.scene.assignments_of(case_id), case_id
    assert max(called(*peers).values()) == 1

    again = open_case(w, CALLS)
    await w.until(lambda: bool(w.scene.attempts_of(again)) and w.attempt(again)["ringing_at"] is not None)
    assert called(*peers)[f"13900{CALLS:06d}"] == 1
    assert max(called(*peers).values()) == 1
