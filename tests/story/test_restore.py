"""Calls are placed, a backup is made, more calls are placed, and everything but the carrier is thrown away."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from carrier.faults import InjectedFault
from carrier.people import Behaviour, Pickup
from dialer.backup.actions import Installation, make_backup, restore_backup
from dialer.calls.comparison import (
    NotCompared,
    RecordsGone,
    compare_calls,
    skip_comparison,
)
from dialer.calls.pauses import pause_calls, resume_calls
from dialer.core.access import unrestricted
from dialer.core.errors import Invalid, Unavailable
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.warnings.lists import load_list, submit_list
from tests.backup.conftest import KEYS
from tests.control.scene import Scene
from tests.story.world import COOPERATES, World, world

pytestmark = pytest.mark.story

_ABSENT = Behaviour(name="absent", share=1, pickup=Pickup.BUSY, ring_after_seconds=(1, 1))
_LIST = "指令编号,等级,诈骗类型,姓名,手机号\nM1,中危,虚假贷款,欧阳安,19911110001\nM2,中危,虚假贷款,欧阳平,19911110002\n"
LOADED, FRESH = "+8619911110001", "+8619911110002"


@asynccontextmanager
async def _closed(scene: Scene) -> AsyncIterator[Scene]:
    try:
        yield scene
    finally:
        scene.close()


def _calls(w: World, number: str) -> int:
    return sum(1 for _ in w.carrier.exchange.newest_first(to=number))


def _later(w: World, *case_ids: int) -> None:
    """These are not called before `_now`."""
    for case_id in case_ids:
        w.scene.change_attempt(w.attempt(case_id)["id"], held=True)


def _now(w: World, *case_ids: int) -> None:
    for case_id in case_ids:
        w.scene.change_attempt(w.attempt(case_id)["id"], held=False)


def _place(url: str, folder: Path) -> Installation:
    folder.mkdir(exist_ok=True)
    return Installation(database_url=url, owner_url=None, keys=KEYS, data_dir=folder)


def _load(w: World, text: str) -> None:
    content = io.BytesIO(text.encode())
    load_list(
        w.scene.services,
        submit_list(w.scene.services, unrestricted("x"), content, filename="l.csv", source="bureau"),
    )


async def test_nobody_is_called_twice_for_what_was_called_after_the_backup(
    fresh_database: str, empty_database: str, tmp_path: Path
):
    file = tmp_path / "one.backup"
    async with _closed(Scene(fresh_database)) as first, world(first, tmp_path / "carrier") as w:
        done = w.open_case()
        await w.until_over(done)
        talked, missed, waiting = w.open_case(), w.open_case(behaviour=_ABSENT), w.open_case()
        _later(w, waiting)
        numbers = [f"+861990000{n:04d}" for n in range(1, 5)]
        # Committed as sending, and cut off there: the backup holds it so.
        in_doubt = w.open_case()
        _later(w, talked, missed)
        w.fence(w.claim())
        made_at = w.scene.services.real.now()
        await asyncio.to_thread(make_backup, _place(fresh_database, tmp_path / "old"), file, real_now=made_at)
        await w.place(w.claimed[0])
        await asyncio.to_thread(_load, w, _LIST.rsplit("M2", 1)[0])
        _now(w, talked, missed)
        await w.until_over(talked, missed, in_doubt, done + 5)
        assert [_calls(w, one) for one in (*numbers, "+8619900000005", LOADED)] == [1, 1, 1, 0, 1, 1]
        assert w.calls == 5

    await asyncio.to_thread(
        restore_backup,
        _place(empty_database, tmp_path / "new"),
        file,
        real_now=w.scene.services.real.now(),
        actor=unrestricted("li"),
    )
    async with _closed(Scene(empty_database)) as second, world(second, tmp_path / "carrier") as w:
        services = w.scene.services
        for number in numbers:
            w.carrier.line.assign(number, COOPERATES)  # type: ignore[attr-defined]
        _now(w, waiting)
        for _ in range(3):
            await w.tick()
        assert w.calls == 5
        with pytest.raises(NotCompared):
            resume_calls(services, unrestricted("li"), scope=PauseScope.ALL)
        with pytest.raises(NotCompared):
            pause_calls(services, unrestricted("li"), scope=PauseScope.ALL, minutes=1, why="short")
        w.fault(InjectedFault.REST_ERROR)
        with pytest.raises(Unavailable):
            await compare_calls(services, unrestricted("li"), w.client)
        with pytest.raises(NotCompared):
            resume_calls(services, unrestricted("li"), scope=PauseScope.ALL)
        w.no_fault()

        found = await compare_calls(services, unrestricted("li"), w.client)
        assert found is not None
        assert (found.calls, found.cases, found.for_persons, found.without_case) == (4, 3, 2, 1)
        assert found.first is not None
        assert found.first >= made_at.replace(microsecond=0)
        resume_calls(services, unrestricted("li"), scope=PauseScope.ALL)
        assert await compare_calls(services, unrestricted("li"), w.client) is None

        again = w.newest(missed)
        assert again["n"] == 2
        w.scene.change_attempt(again["id"], held=True)
        await asyncio.to_thread(_load, w, _LIST)
        await w.until(lambda: _calls(w, FRESH) == _calls(w, numbers[3]) == 1)
        await w.tick()
        # Of everybody who was called before the fire, only who did not answer is called again, at the set time.
        assert [_calls(w, one) for one in (*numbers, "+8619900000005", LOADED)] == [1, 1, 1, 1, 1, 1]
        assert [w.attempt(one)["result"] for one in (talked, missed, in_doubt)] == [
            "unknown",
            "busy",
            "unknown",
        ]
        assert {assignment["kind"] for assignment in w.scene.assignments_of(talked)} == {"human"}
        assert w.scene.assignments_of(missed) == []
        assert w.attempt(talked)["contact"] == "none"


async def test_without_the_carriers_records_it_stays_paused_until_somebody_says_otherwise(
    fresh_database: str, empty_database: str, tmp_path: Path
):
    async with _closed(Scene(fresh_database)) as first, world(first, tmp_path / "carrier") as w:
        case_id = w.open_case()
        await w.until_over(case_id)
        other = w.open_case()
        _later(w, other)
        made_at = w.scene.services.real.now()
        place = _place(fresh_database, tmp_path / "old")
        await asyncio.to_thread(make_backup, place, tmp_path / "one.backup", real_now=made_at)
    place = _place(empty_database, tmp_path / "new")
    await asyncio.to_thread(
        restore_backup, place, tmp_path / "one.backup", real_now=made_at, actor=unrestricted("li")
    )
    async with _closed(Scene(empty_database)) as second, world(second, tmp_path / "another carrier") as w:
        services = w.scene.services
        with pytest.raises(RecordsGone):
            await compare_calls(services, unrestricted("li"), w.client)
        with pytest.raises(Invalid):
            skip_comparison(services, unrestricted("li"), why=" ")
        with pytest.raises(NotCompared):
            resume_calls(services, unrestricted("li"), scope=PauseScope.ALL)
        skip_comparison(services, unrestricted("li"), why="the carrier lost its records")
        resume_calls(services, unrestricted("li"), scope=PauseScope.ALL)
        _now(w, other)
        await w.until_over(other)
        acts = [row["act"] for row in w.scene.rows(sa.select(t.audit.c.act).order_by(t.audit.c.id))]
    assert acts == ["restore", "restore.not_compared", "resume"]
