"""After a restore, calls that the carrier lists are known by number also while the index is made again, and also where
they were follow-ups.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

from dialer.calls.comparison import compare_calls, mark_restored, match_new_cases
from dialer.core.access import unrestricted
from dialer.core.values import Grade, Suite
from dialer.db.acts import OpenAct
from dialer.db.keys import KeyUse
from dialer.keys.actions import rotate_keys
from dialer.keys.reseal import reseal_batch
from dialer.runtime.services import Application, Services
from dialer.telephony.callbacks import CallState
from dialer.telephony.client import CallClient, ListedCall
from tests.cases.test_follow_up_rows import dissuaded, followed, just_dissuaded, sweep  # noqa: F401  # a fixture
from tests.control.scene import Assemble, Scene
from tests.outcomes.town import NAME, PHONE


@dataclass(frozen=True)
class _Carrier:
    """Lists these calls."""

    listed: list[ListedCall]
    config = SimpleNamespace(officer_number="")

    async def list_since(self, _since: datetime) -> list[ListedCall]:
        return self.listed

    async def state(self, _sid: str) -> CallState | None:
        return None


def _scene(app: Application) -> Scene:
    scene = Scene.on(app.services)
    scene.clock = app.services.clock  # type: ignore[assignment]  # the real one
    return scene


def compared(scene: Scene, services: Services, *numbers: str) -> None:
    """The carrier lists an unanswered call to each of these numbers, a second after the backup."""
    now = services.real.now()
    with scene.tx() as tx:
        act = OpenAct(tx, unrestricted("li"), services.clock.now)
        mark_restored(act, backup_at=now - timedelta(seconds=9), restored_at=now, facts={})
    listed = [
        ListedCall(
            state=CallState(sid=f"CA{n}", status="no-answer", date_created=now), created_at=now, to=number
        )
        for n, number in enumerate(numbers)
    ]
    asyncio.run(compare_calls(services, unrestricted("li"), cast("CallClient", _Carrier(listed))))


def called_us(scene: Scene, services: Services, caller: str, *, status: str = "completed") -> None:
    """The carrier lists a call of this number to us, a second after the backup."""
    now = services.real.now()
    with scene.tx() as tx:
        act = OpenAct(tx, unrestricted("li"), services.clock.now)
        mark_restored(act, backup_at=now - timedelta(seconds=9), restored_at=now, facts={})
    state = CallState(sid="CA1", status=status, date_created=now)
    listed = [ListedCall(state=state, created_at=now, to="+8647896110", caller=caller, is_inbound=True)]
    asyncio.run(compare_calls(services, unrestricted("li"), cast("CallClient", _Carrier(listed))))


def test_a_person_who_called_us_after_the_backup_is_called_by_a_person_and_not_by_the_robot(
    assembled: Assemble,
):
    app: Application = assembled()
    scene = _scene(app)
    case_id = scene.open_case(grade=Grade.MEDIUM, person_id=scene.person(name=NAME, phones=(PHONE,)))
    called_us(scene, app.services, PHONE.removeprefix("+86"))
    (attempt,) = scene.attempts_of(case_id)
    assert (attempt["state"], attempt["result"]) == ("ended", "unknown")
    assert [row["kind"] for row in scene.assignments_of(case_id)] == ["human"]


def test_a_call_in_that_was_hidden_or_not_answered_needs_no_record_after_a_restore(assembled: Assemble):
    app: Application = assembled()
    scene = _scene(app)
    case_id = scene.open_case(grade=Grade.MEDIUM, person_id=scene.person(name=NAME, phones=(PHONE,)))
    called_us(scene, app.services, "")
    called_us(scene, app.services, PHONE, status="no-answer")
    (attempt,) = scene.attempts_of(case_id)
    assert attempt["state"] != "ended"


def test_a_call_is_known_by_a_number_whose_index_is_still_the_old_one(assembled: Assemble):
    app: Application = assembled()
    scene = _scene(app)
    case_id = scene.open_case(person_id=scene.person(name=NAME, phones=(PHONE,)))
    rotate_keys(
        app.services,
        unrestricted("li"),
        app.key_source,
        uses=(KeyUse.INDEX,),
        suite=Suite.AES_BLAKE2,
        why="after a theft",
        wait_seconds=0.0,
    )
    compared(scene, app.services, PHONE)
    assert next((row["state"], row["sid"]) for row in scene.attempts_of(case_id)) == ("ended", "CA0")


def test_a_call_that_waits_for_its_list_is_known_when_the_index_was_made_again(assembled: Assemble):
    app: Application = assembled()
    scene = _scene(app)
    person_id = scene.person(name=NAME, phones=(PHONE,))
    rotate_keys(
        app.services,
        unrestricted("li"),
        app.key_source,
        uses=(KeyUse.INDEX,),
        suite=Suite.AES_BLAKE2,
        why="after a theft",
        wait_seconds=0.0,
    )
    compared(scene, app.services, PHONE)
    while not reseal_batch(app.services, settle_seconds=0.0).is_over:
        pass
    case_id = scene.open_case(person_id=person_id)
    with scene.tx() as tx:
        match_new_cases(tx, app.services, [case_id])
    assert next((row["state"], row["sid"]) for row in scene.attempts_of(case_id)) == ("ended", "CA0")


def test_a_follow_up_call_after_the_backup_is_not_made_again(followed: Scene):  # noqa: F811 - the fixture of that name, which is imported
    case_id = dissuaded(followed, Grade.HIGH)
    assert followed.attempt_of(case_id)["state"] == "ready"
    compared(followed, followed.services, PHONE)
    assert [(row["state"], row["sid"]) for row in followed.attempts_of(case_id)][1] == ("ended", "CA0")
    assert followed.claimed_cases() == []


def test_a_follow_up_that_was_due_later_is_a_callers(followed: Scene):  # noqa: F811 - the fixture of that name, which is imported
    case_id = just_dissuaded(followed, Grade.HIGH)
    compared(followed, followed.services, PHONE)
    followed.later(hours=24)
    sweep(followed)
    assert len(followed.attempts_of(case_id)) == 1
    [work] = followed.assignments_of(case_id)
    assert (work["kind"], work["state"], work["reason"]) == ("human", "open", "follow_up")
