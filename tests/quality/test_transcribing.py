"""Recorded calls are read window by window, behind one lease, and deleted with their sound."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.control.health import raise_overdue_work
from dialer.core.access import Permission, unrestricted
from dialer.core.errors import NotFound
from dialer.core.inspection import NotInspected, Side, TranscriptState
from dialer.core.values import DeletedFor
from dialer.db import tables as t
from dialer.db.leases import take_lease
from dialer.db.units import add_unit
from dialer.quality import transcribing
from dialer.quality.actions import count_calls, get_call, list_calls, read_call
from dialer.quality.store import read_words
from dialer.quality.transcribing import transcribe_due
from dialer.retention.erasing import delete_recordings
from dialer.runtime.sections import QualitySettings
from tests.control.scene import Scene
from tests.quality.recorded import LoudnessReader, alaw_wav, put_recording, silence, tone


def call_of_a_minute() -> bytes:
    """The person speaks in the first ten seconds, we speak in the next fifty."""
    return alaw_wav(tone(10) + silence(50), silence(10) + tone(50))


def row(scene: Scene, recording_id: int) -> dict[str, Any]:
    (found,) = scene.rows(sa.select(t.transcript).where(t.transcript.c.recording_id == recording_id))
    return found


def test_a_call_is_read_side_by_side_and_its_words_are_sealed(scene: Scene):
    recording_id = put_recording(scene, scene.case(), call_of_a_minute())
    reader = LoudnessReader()
    assert transcribe_due(scene.services, reader) == 1
    found = row(scene, recording_id)
    assert (found["state"], found["reason"], found["due_at"]) == ("read", None, None)
    assert (found["words"] // 10, found["unsure_words"], found["done_seconds"]) == (6, 0, 60.0)
    assert b"ours" not in bytes(found["sealed"])
    with scene.tx() as tx:
        words = read_words(tx, recording_id).words
    assert [sum(word.side is side for word in words) // 10 for side in Side] == [5, 1]
    assert max(end - begin for _, begin, end in reader.windows) <= 28
    of_ours = [
        language
        for (side, *_), language in zip(reader.windows, reader.languages, strict=True)
        if side is Side.OURS
    ]
    assert of_ours == ["", *["zh"] * (len(of_ours) - 1)], "what it spoke before is told"
    assert transcribe_due(scene.services, reader) == 0


def test_of_a_call_from_a_desk_the_first_channel_is_ours(scene: Scene):
    case_id = scene.case()
    recording_id = put_recording(scene, case_id, alaw_wav(tone(3), silence(3)))
    call = {"case_id": case_id, "assignment_id": scene.assignment(case_id), "person_id": scene.person()}
    now = scene.clock.now()
    call_id = uuid.uuid4()
    scene.put(
        t.desk_call, id=call_id, **call, number=1, extension="8001", by="li", state="ended",
        asked_at=now, asked_real_at=now, ended_at=now, result="answered", settled=True, drill=False,
    )  # fmt: skip
    is_it = t.recording.c.id == recording_id
    scene.do(sa.update(t.recording).where(is_it).values(attempt_id=None, desk_call_id=call_id))
    transcribe_due(scene.services, LoudnessReader())
    with scene.tx() as tx:
        assert {word.side for word in read_words(tx, recording_id).words} == {Side.OURS}
    assert get_call(scene.services, recording_id, visible_to=None).by == "li"


@pytest.mark.parametrize(
    ("sound", "seconds", "reader", "reason"),
    [
        (b"RIFF....WAVE", None, LoudnessReader(), NotInspected.DAMAGED),
        (alaw_wav(tone(3)), 3, LoudnessReader(), NotInspected.ONE_CHANNEL),
        (alaw_wav(silence(9), silence(9)), 9, LoudnessReader(), NotInspected.NO_SPEECH),
        (alaw_wav(tone(9), silence(9)), 9, LoudnessReader(), NotInspected.ONE_CHANNEL),
        (alaw_wav(tone(9), tone(9)), 1801, LoudnessReader(), NotInspected.TOO_LONG),
        (alaw_wav(tone(9), tone(9)), 9, LoudnessReader(language="mn"), NotInspected.OTHER_LANGUAGE),
        (alaw_wav(tone(9), tone(9)), 9, LoudnessReader(confidence=0.2), NotInspected.UNSURE),
    ],
)
def test_what_cannot_be_inspected_is_kept_and_counted(
    scene: Scene, sound: bytes, seconds: int | None, reader: LoudnessReader, reason: NotInspected
):
    case_id = scene.case()
    put_recording(scene, case_id, alaw_wav(tone(3), tone(3)))
    recording_id = put_recording(scene, scene.case(), sound, seconds=seconds)
    scene.do(
        sa.update(t.transcript)
        .where(t.transcript.c.recording_id != recording_id)
        .values(due_at=scene.services.real.now() + timedelta(days=1))
    )
    assert transcribe_due(scene.services, reader) == 1
    found = row(scene, recording_id)
    assert (found["state"], found["reason"], found["due_at"]) == ("not_inspected", reason.value, None)
    kept = scene.rows(sa.select(t.recording.c.state).where(t.recording.c.id == recording_id))
    assert kept == [{"state": "kept"}]
    counts = count_calls(scene.services, visible_to=None)
    assert (counts.all, counts.waiting, counts.not_inspected) == (2, 1, {reason: 1})


def test_a_call_longer_than_the_setting_by_its_sound_alone_is_not_inspected(scene: Scene):
    recording_id = put_recording(scene, scene.case(), alaw_wav(tone(61), tone(61)))
    services = replace(scene.services, quality=QualitySettings(longest_minutes=1))
    transcribe_due(services, LoudnessReader())
    assert row(scene, recording_id)["reason"] == "too_long"


def test_a_process_that_ends_loses_at_most_one_window(scene: Scene):
    recording_id = put_recording(scene, scene.case(), call_of_a_minute())
    first = LoudnessReader()
    assert transcribe_due(scene.services, first, stopping=lambda: len(first.windows) >= 2) == 0
    half = row(scene, recording_id)
    assert half["state"] == "waiting"
    assert 16 <= half["done_seconds"] <= 28
    second = LoudnessReader()
    assert transcribe_due(scene.services, second) == 1
    assert min(begin for _, begin, _ in second.windows) == half["done_seconds"], "nothing is read twice"
    assert row(scene, recording_id)["words"] >= 59


def test_a_fault_of_the_engine_is_tried_again_and_given_up_with_an_alarm(scene: Scene):
    recording_id = put_recording(scene, scene.case(), call_of_a_minute())
    other = put_recording(scene, scene.case(), alaw_wav(tone(3), tone(3)))
    reader = LoudnessReader()
    reader.breaks_at = 10.0
    assert transcribe_due(scene.services, reader) == 1, "the other one is read"
    assert row(scene, other)["state"] == "read"
    for _ in range(8):
        scene.do(
            sa.update(t.transcript)
            .where(t.transcript.c.state == "waiting")
            .values(due_at=scene.services.real.now())
        )
        transcribe_due(scene.services, reader)
    found = row(scene, recording_id)
    assert (found["state"], found["reason"]) == ("not_inspected", "failed")
    assert scene.alarms_of(None) == {"work_given_up": 1}


def test_one_process_of_a_machine_reads_at_a_time(scene: Scene):
    put_recording(scene, scene.case(), call_of_a_minute())
    with scene.tx() as tx:
        name = f"transcripts/{transcribing.socket.gethostname()}"
        lease = take_lease(tx.connection, name, holder="another", seconds=60)
    assert lease is not None
    reader = LoudnessReader()
    assert transcribe_due(scene.services, reader) == 0
    assert reader.windows == []
    with scene.tx() as tx:
        lease.end(tx.connection)
    assert transcribe_due(scene.services, reader) == 1


def test_the_words_are_deleted_with_the_sound_also_while_they_are_read(scene: Scene):
    read = put_recording(scene, scene.case(), call_of_a_minute())
    transcribe_due(scene.services, LoudnessReader())
    reading = put_recording(scene, scene.case(), call_of_a_minute())
    reader = LoudnessReader()

    def is_midway() -> bool:
        if len(reader.windows) == 2 and row(scene, reading)["state"] == "waiting":
            with scene.services.act(unrestricted("chief"), Permission.ERASE_PERSONS) as act:
                delete_recordings(act, sa.true(), why=DeletedFor.RETENTION)
        return False

    assert transcribe_due(scene.services, reader, stopping=is_midway) == 0
    for recording_id in (read, reading):
        found = row(scene, recording_id)
        assert (found["state"], found["sealed"], found["words"], found["due_at"]) == (
            "deleted",
            None,
            0,
            None,
        )
    assert count_calls(scene.services, visible_to=None).deleted == 2


def test_who_reads_a_call_is_audited_with_the_reason(scene: Scene):
    recording_id = put_recording(scene, scene.case(), call_of_a_minute())
    transcribe_due(scene.services, LoudnessReader())
    shown = read_call(scene.services, unrestricted("chief"), recording_id, reason="review", why="an appeal")
    assert [turn.side for turn in shown.turns][:2] == [Side.PERSON, Side.OURS]
    (line,) = scene.rows(sa.select(t.audit).where(t.audit.c.act == "hear_recording"))
    assert line["facts"] == {"recording": recording_id, "words": True, "reason": "review"}


def test_a_unit_sees_its_own_calls(scene: Scene):
    with scene.tx() as tx:
        east, west = (add_unit(tx, name=name, parent_id=None) for name in ("东所", "西所"))
    recording_id = put_recording(scene, scene.case(unit_id=east), call_of_a_minute())
    for unit_id in (None, east):
        shown = list_calls(scene.services, visible_to=unit_id)
        assert [one.recording_id for one in shown] == [recording_id]
        assert count_calls(scene.services, visible_to=unit_id).all == 1
    assert list_calls(scene.services, visible_to=west) == []
    assert count_calls(scene.services, visible_to=west).all == 0
    assert list_calls(scene.services, visible_to=None, state=TranscriptState.READ) == []
    with pytest.raises(NotFound):
        get_call(scene.services, recording_id, visible_to=west)
    with pytest.raises(NotFound):
        read_call(
            scene.services,
            unrestricted("chief", unit_id=west),
            recording_id,
            reason="review",
            why="an appeal",
        )


def test_calls_that_are_due_while_none_goes_forward_raise_an_alarm(scene: Scene):
    recording_id = put_recording(scene, scene.case(), call_of_a_minute())
    services = replace(scene.services, quality=QualitySettings(transcribe=True))
    is_it = t.transcript.c.recording_id == recording_id
    real_now = scene.services.real.now()
    scene.do(sa.update(t.transcript).where(is_it).values(due_at=real_now - timedelta(hours=2)))
    raise_overdue_work(scene.services)
    assert scene.alarms_of(None) == {}, "they are not to be read"
    other = put_recording(scene, scene.case(), call_of_a_minute())
    moves = t.transcript.c.recording_id == other
    scene.do(sa.update(t.transcript).where(moves).values(moved_at=real_now))
    raise_overdue_work(services)
    assert scene.alarms_of(None) == {}, "another one went forward"
    scene.do(sa.update(t.transcript).where(moves).values(moved_at=real_now - timedelta(minutes=61)))
    raise_overdue_work(services)
    assert scene.alarms_of(None) == {"work_overdue": 1}
