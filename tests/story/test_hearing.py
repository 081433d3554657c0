"""Webhooks doubled, reversed, late or lost: the same end, once, and everything that was answered 2xx is kept."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa

from carrier.faults import InjectedFault
from carrier.journal import read_journal
from dialer.calls.apply import CallNews
from dialer.calls.events import apply_replies
from dialer.core.values import TelephonyResult
from dialer.db import tables as t
from dialer.telephony.callbacks import CallProgress, Stage
from tests.control.scene import Scene
from tests.story.world import World

pytestmark = pytest.mark.story

_STORY = (
    CallProgress(stage=Stage.INITIATED, sid="", sequence=0),
    CallProgress(stage=Stage.RINGING, sid="", sequence=1),
    CallProgress(stage=Stage.ANSWERED, sid="", sequence=2),
    CallProgress(stage=Stage.ENDED, sid="", sequence=3, result=TelephonyResult.ANSWERED, duration_seconds=2),
)


def _end_of(scene: Scene, case_id: int) -> dict[str, Any]:
    row = scene.attempts_of(case_id)[0]
    case = scene.case_of(case_id)
    return {
        "attempt": [row[name] for name in ("state", "result", "contact", "answer", "reach", "talk_seconds")],
        "times": [row["ringing_at"] is not None, row["ended_at"] is not None],
        "tries": case.robot.tries,
        "planned": len(scene.attempts_of(case_id)),
        "assignments": [(a["kind"], a["state"]) for a in scene.assignments_of(case_id)],
    }


def test_every_order_of_doubled_webhooks_has_the_same_end(scene: Scene):
    ends = []
    for order in permutations(_STORY):
        case_id = scene.open_case()
        row = scene.attempt_of(case_id)
        sid = f"CA{row['id'].hex}"
        scene.change_attempt(row["id"], state="sending", sent_at=scene.clock.now())
        for progress in [*order, *reversed(order)]:
            news = CallNews(
                attempt_id=row["id"],
                step=f"status.{progress.sequence}",
                progress=CallProgress(
                    stage=progress.stage,
                    sid=sid,
                    sequence=progress.sequence,
                    result=progress.result,
                    duration_seconds=progress.duration_seconds,
                ),
            )
            with scene.tx() as tx:
                apply_replies(tx, scene.services, [news])
        kept = scene.rows(sa.select(t.event.c.step).where(t.event.c.attempt_id == row["id"]))
        assert sorted(event["step"] for event in kept) == [f"status.{n}" for n in range(4)]
        ends.append(_end_of(scene, case_id))
    first = ends[0]
    assert first["attempt"][0] == "ended"
    assert first["tries"] == 1
    # An end that comes first already says that it rang, and the others only say so again.
    assert all(end == first for end in ends), next(end for end in ends if end != first)


@pytest.mark.parametrize(
    "fault",
    [
        InjectedFault.WEBHOOK_DOUBLE,
        InjectedFault.WEBHOOK_REORDER,
        InjectedFault.WEBHOOK_DELAY,
        InjectedFault.LAST_WEBHOOK_DROP,
    ],
)
async def test_a_garbled_story_ends_as_it_would_have(w: World, fault: InjectedFault):
    w.fault(fault, seconds=0.4 if fault is InjectedFault.WEBHOOK_DELAY else None)
    case_id = w.open_case()
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert w.times_called(row) == 1
    assert row["result"] == "answered"
    assert w.held_numbers() == 0


async def test_without_a_document_a_safe_sentence_is_spoken_and_the_case_goes_on(w: World):
    w.fault(InjectedFault.TWIML_SKIP)
    case_id = w.open_case()
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert row["contact"] != "verified"
    assert w.scene.case_of(case_id).status == "open"
    assert len(w.scene.attempts_of(case_id)) > 1 or w.scene.assignments_of(case_id)


async def test_everything_that_was_answered_2xx_is_kept(w: World):
    w.fault(InjectedFault.WEBHOOK_DOUBLE, probability=0.5)
    case_ids = [w.open_case() for _ in range(5)]
    await w.until_over(*case_ids)
    told = read_journal(w.carrier.exchange.call_journal._path.parent)
    events = w.scene.rows(sa.select(t.event.c.attempt_id, t.event.c.step))
    kept = {(told.hashed(str(e["attempt_id"])), e["step"].removeprefix("status.")) for e in events}
    assert told.heard
    assert told.heard.keys() <= kept
