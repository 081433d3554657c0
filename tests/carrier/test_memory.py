"""What survives a crash: the count of rings always, the memory of calls unless it is taken away."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioRestException

from carrier.calls import Call, Status
from carrier.exchange import CallLog
from carrier.journal import CallJournal, load_key
from carrier.lines import Leg, LegEvents
from tests.carrier.device_line import DeviceLine
from tests.carrier.stage import HANGUP, TO, App, DeskView, Start
from tests.full_disk import files_of_at_most

OTHER = "+8613900139000"


async def test_a_carrier_that_comes_back_knows_its_calls_and_drops_the_live_ones(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(make_line=DeviceLine)
    phone = one.phones.phone(TO)
    over = await one.call()
    (await phone.rings()).answer()
    await app.final(over)
    ringing = await one.call()
    await phone.rings()
    app.documents["/start"] = "<Response><Pause length='50000'/></Response>"
    talking = await one.call()
    (await phone.rings()).answer()
    await app.until(lambda: len(app.at("/start")) == 2)
    await one.carrier.stop()

    back = await bench(make_line=DeviceLine)
    listed = {str(call.sid): str(call.status) for call in await back.client.calls.list_async(to=TO)}
    assert listed == {over: "completed", ringing: "failed", talking: "completed"}
    counts = await back.admin("GET", "rings")
    assert (counts["calls"], counts["rings"], counts["max_rings_per_attempt"]) == (3, 3, 3)
    assert counts["by_status"] == {"completed": 1, "lost": 2}
    fresh = await back.call(OTHER)
    assert [call.sid for call in await back.client.calls.list_async(limit=1)] == [fresh]


@pytest.mark.parametrize("memory", [True, False])
async def test_a_crash_by_command_drops_calls_silently(hands: DeskView, app: App, memory: bool):
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    ringing = await phone.rings()
    await app.until(lambda: len(app.at("/status")) == 2)
    assert await hands.admin("POST", "crash", {"memory": memory}) == {"dropped": 1}
    assert ringing.over
    if memory:
        assert (await hands.client.calls(sid).fetch_async()).status == "failed"
    else:
        with pytest.raises(TwilioRestException) as unknown:
            await hands.client.calls(sid).fetch_async()
        assert unknown.value.code == 20404
    counts = await hands.admin("GET", "rings")
    assert (counts["rings"], counts["lines_in_use"]) == (1, 0)
    again = await hands.call()
    (await phone.rings()).hang_up_phone()
    await app.final(again)
    assert app.statuses_of(sid) == ["initiated", "ringing"]


async def test_without_memory_nothing_comes_back_but_the_count(bench: Start):
    one = await bench(make_line=DeviceLine)
    phone = one.phones.phone(TO)
    await one.call()
    await phone.rings()
    await one.admin("POST", "crash", {"memory": False})
    await one.carrier.stop()
    back = await bench(make_line=DeviceLine)
    assert await back.client.calls.list_async() == []
    assert (await back.admin("GET", f"rings?number={TO}"))["rings"] == 1


async def test_neither_file_holds_a_number_or_an_address(hands: DeskView, app: App, tmp_path: Path):
    phone = hands.phones.phone(TO)
    await hands.call()
    await phone.rings()
    for file in (tmp_path / "carrier").iterdir():
        data = file.read_bytes()
        assert TO.lstrip("+").encode() not in data
        assert app.base.encode() not in data
        assert file.stat().st_mode & 0o077 == 0


def call(n: int) -> Call:
    return Call(
        sid=f"CA{n:032x}",
        account_sid="AC" + "0" * 32,
        to=TO,
        from_="+8647896110",
        created=1000.0 + n,
        updated=1000.0 + n,
        number=n,
    )


def test_a_record_cut_short_is_dropped_and_the_next_one_is_read(tmp_path: Path):
    memory = CallLog(tmp_path)
    memory.recall(since_unix=0)
    memory.accepted(call(1))
    memory.accepted(call(2))
    memory.close()
    log = tmp_path / "calls.log"
    log.write_bytes(log.read_bytes()[:-5])
    memory = CallLog(tmp_path)
    assert [one.number for one in memory.recall(since_unix=0)] == [1]
    memory.accepted(call(3))
    memory.close()
    memory = CallLog(tmp_path)
    assert [(one.number, one.status) for one in memory.recall(since_unix=0)] == [
        (1, Status.FAILED),
        (3, Status.FAILED),
    ]
    memory.close()


def remembered(directory: Path) -> list[int]:
    memory = CallLog(directory)
    found = [one.number for one in memory.recall(since_unix=0)]
    memory.close()
    return found


def test_a_disk_that_was_full_once_loses_no_call_that_was_accepted(tmp_path: Path):
    """A part of a record fits: it is taken back, and the call is not accepted."""
    memory = CallLog(tmp_path)
    memory.recall(since_unix=0)
    memory.accepted(call(0))
    size = (tmp_path / "calls.log").stat().st_size
    with files_of_at_most(size + 100):
        for n in (1, 2):
            with pytest.raises(OSError, match="too large"):
                memory.accepted(call(n))
    assert (tmp_path / "calls.log").stat().st_size == size
    for n in range(3, 50):
        memory.accepted(call(n))
    memory.close()
    assert remembered(tmp_path) == [0, *range(3, 50)]


@pytest.mark.parametrize("cut", [1, 3, 5, 60, 150])
def test_calls_after_a_record_that_is_damaged_are_remembered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int
):
    """As a version before left them that took a part of a record for the whole."""
    memory = CallLog(tmp_path)
    memory.recall(since_unix=0)
    log = tmp_path / "calls.log"
    sizes = [0]
    for n in range(30):
        memory.accepted(call(n))
        sizes.append(log.stat().st_size)
    memory.close()
    data = log.read_bytes()
    torn = data[: sizes[10] + cut] + data[sizes[11] :]
    log.write_bytes(torn)
    kept = [n for n in range(30) if n != 10]
    with caplog.at_level(logging.ERROR):
        assert remembered(tmp_path) == kept
    assert "cannot be read" in caplog.text
    assert log.read_bytes()[: len(torn)] == torn, "nothing is deleted"
    assert remembered(tmp_path) == kept


def test_what_is_damaged_at_the_end_stays_and_what_follows_is_read(tmp_path: Path):
    memory = CallLog(tmp_path)
    memory.recall(since_unix=0)
    memory.accepted(call(1))
    memory.close()
    log = tmp_path / "calls.log"
    damaged = log.read_bytes() + b"\xff" * 300
    log.write_bytes(damaged)
    memory = CallLog(tmp_path)
    assert [one.number for one in memory.recall(since_unix=0)] == [1]
    memory.accepted(call(2))
    memory.close()
    assert log.read_bytes()[: len(damaged)] == damaged
    assert remembered(tmp_path) == [1, 2]


def test_a_log_that_cannot_be_begun_anew_is_written_on(tmp_path: Path):
    memory = CallLog(tmp_path, rotate_bytes=2000)
    memory.recall(since_unix=0)
    (tmp_path / "calls.old").mkdir()
    (tmp_path / "calls.old" / "in-the-way").touch()
    for n in range(30):
        memory.accepted(call(n))
    (tmp_path / "calls.old" / "in-the-way").unlink()
    (tmp_path / "calls.old").rmdir()
    memory.close()
    assert remembered(tmp_path) == list(range(30))


def test_a_key_that_the_disk_does_not_take_is_not_there_in_part(tmp_path: Path):
    with files_of_at_most(10), pytest.raises(OSError, match="too large"):
        load_key(tmp_path / "memory.key")
    assert list(tmp_path.iterdir()) == []
    key = load_key(tmp_path / "memory.key")
    assert (len(key), load_key(tmp_path / "memory.key")) == (32, key)
    assert [one.name for one in tmp_path.iterdir()] == ["memory.key"]


def test_a_count_that_the_disk_took_in_part_is_no_count(tmp_path: Path):
    call_journal = CallJournal(tmp_path)
    call_journal.accepted(unix=1.0, number=TO, attempt="a")
    size = (tmp_path / "witness.log").stat().st_size
    with files_of_at_most(size + 10), pytest.raises(OSError, match="too large"):
        call_journal.accepted(unix=2.0, number=TO, attempt="b")
    assert call_journal.calls == 1
    call_journal.accepted(unix=3.0, number=TO, attempt="c")
    call_journal.close()
    call_journal = CallJournal(tmp_path)
    assert call_journal.calls == 2
    call_journal.close()


def test_another_key_reads_nothing_and_breaks_nothing(tmp_path: Path):
    memory = CallLog(tmp_path)
    memory.recall(since_unix=0)
    memory.accepted(call(1))
    memory.close()
    (tmp_path / "memory.key").unlink()
    memory = CallLog(tmp_path)
    assert memory.recall(since_unix=0) == []
    memory.close()


def test_old_calls_are_not_recalled_and_the_log_is_bounded(tmp_path: Path):
    memory = CallLog(tmp_path, rotate_bytes=2000)
    memory.recall(since_unix=0)
    for n in range(50):
        memory.accepted(call(n))
    memory.close()
    assert sum(file.stat().st_size for file in tmp_path.glob("calls.*")) < 5000
    memory = CallLog(tmp_path)
    recalled = [one.number for one in memory.recall(since_unix=1047.0)]
    memory.close()
    assert recalled == [47, 48, 49]


def test_a_large_witness_is_kept_and_another_begun_at_the_next_start(tmp_path: Path):
    first = CallJournal(tmp_path, rotate_bytes=100)
    for n in range(3):
        first.accepted(unix=1.0, number=TO, attempt=str(n))
    first.close()
    before = (tmp_path / "witness.log").read_bytes()
    second = CallJournal(tmp_path, rotate_bytes=100)
    assert (second.calls, second.by_status) == (0, {})
    second.accepted(unix=2.0, number=TO, attempt="3")
    second.close()
    assert (tmp_path / "witness.old").read_bytes() == before
    third = CallJournal(tmp_path, rotate_bytes=1000)
    assert (third.calls, third.by_status) == (1, {"lost": 1})
    third.close()


def test_the_witness_counts_over_restarts_and_a_torn_line(tmp_path: Path):
    call_journal = CallJournal(tmp_path)
    assert call_journal.accepted(unix=1.0, number=TO, attempt="a") == 1
    call_journal.rang(unix=2.0, number=TO, attempt="a")
    call_journal.ended(unix=3.0, number=TO, status="completed", rang=True)
    call_journal.accepted(unix=4.0, number=OTHER, attempt="b")
    call_journal.close()
    log = tmp_path / "witness.log"
    log.write_bytes(log.read_bytes() + b"R 5.0 0011")
    call_journal = CallJournal(tmp_path)
    assert (call_journal.calls, call_journal.rings, call_journal.not_rung) == (2, 1, 1)
    assert call_journal.by_status == {"completed": 1, "lost": 1}
    assert (
        call_journal.attempts_of_number(TO),
        call_journal.call_count_of_attempt("a"),
        call_journal.attempts_of_number(OTHER),
    ) == (
        1,
        1,
        0,
    )
    assert call_journal.accepted(unix=6.0, number=TO, attempt="a") == 2
    call_journal.rang(unix=7.0, number=TO, attempt="a")
    assert call_journal.max_rings_per_attempt == 2
    call_journal.close()
    call_journal = CallJournal(tmp_path)
    assert (call_journal.calls, call_journal.rings, call_journal.not_rung) == (3, 2, 1)
    call_journal.close()


async def test_the_oldest_call_that_is_over_is_forgotten_first(bench: Start, app: App):
    one = await bench(make_line=DeviceLine, keep_calls=3)
    phone = one.phones.phone(TO)
    live = await one.call()
    await phone.rings()
    over = [await one.call(OTHER) for _ in range(3)]
    for sid in over:
        await app.final(sid)
    newest = await one.call(OTHER)
    listed = [call.sid for call in await one.client.calls.list_async()]
    assert live in listed
    assert over[0] not in listed
    assert listed[0] == newest
    assert [call.sid for call in await one.client.calls.list_async(to=OTHER)] == [
        sid for sid in listed if sid != live
    ]


async def test_a_call_in_that_cannot_be_written_down_is_refused_and_the_others_go_on(bench: Start, app: App):
    app.documents["/start"] = "<Response><Pause length='50000'/></Response>"
    one = await bench(make_line=DeviceLine, inbound_url=f"{app.base}/in", inbound_number="+8647896110")
    phone = one.phones.phone(TO)
    await one.call()
    (await phone.rings()).answer()
    await app.until(lambda: len(app.at("/start")) == 1)
    exchange = one.carrier.exchange
    memory = exchange._memory
    memory.close()
    memory._file = os.open("/dev/full", os.O_WRONLY)
    connected: list[object] = []

    def connect(events: LegEvents) -> Leg:
        connected.append(events)
        raise AssertionError("the call is not answered")

    assert exchange.receive("13900001234", connect) is None
    assert connected == []
    assert len(exchange.live_calls()) == 1
    assert exchange.lines_in_use == 1
    # The call that is up can end.
    (up,) = exchange.live_calls()
    up.end(Status.COMPLETED, 200)
    assert (exchange.live_calls(), exchange.lines_in_use) == ([], 0)
    assert (await app.final(up.call.sid))["CallStatus"] == "completed"
    memory.close()
    memory.open()
