"""How long the console's list pages take with a million rows behind them.

    python -m bench.pages [--cases 1000000] [--open 0.01] [--requests 20] [--only WORD] [--keep FOLDER]

A database of its own, gone afterwards (or kept in FOLDER and used again by the next run with it): cases over a year in
forty units, every personal part sealed as it is in life, and as many lines of audit. Pages are asked in this process,
so what is measured is everything but the network: door, queries, unsealing, template. `--open` is the share of cases
that are open (1: all of them, most without a unit, is the sorting tray of a centre that has never sorted).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa

from bench.backlog import FIRST, TABLES, bare, copy_people
from dialer.bootstrap import Application, application
from dialer.domain.access import Role
from dialer.settings import load_settings
from dialer.store import open_counts, staff, units
from dialer.store.staff import Member
from dialer.usecases.seek_text import seal_search, understand
from dialer.usecases.sign_in import open_session
from dialer.web.app import create_app
from dialer.web.console.cookies import SESSION

GOAL_MS = 300
_UNITS = 40
_CASES = """
INSERT INTO "case" (id, person_id, grade, fraud_type, source, unit, unit_id, status, outcome, contact, policy_version,
 numbers, warnings, missed, opted_out, drill, tags, opened_at, settled_at, due_at, robot_state, robot_attempts,
 robot_tries, robot_own_faults, robot_number, robot_dead_numbers, robot_reason, human_state, human_tries, human_reason,
 visit_state, visit_tries, visit_reason)
SELECT :first + g, :first + g,
 CASE WHEN h % 1000 = 0 THEN 'extra_high' WHEN h % 20 = 1 THEN 'high' WHEN h % 3 = 0 THEN 'medium' ELSE 'low' END,
 (ARRAY['fake_order_rebate', 'investment', 'shopping', 'loan', 'romance'])[1 + h / 7 % 5], 'bench',
 CASE WHEN unsorted THEN '第' || h / 17 % 400 || '警务站' ELSE '' END,
 CASE WHEN unsorted THEN NULL ELSE 1 + h / 13 % :units END, status,
 CASE status WHEN 'open' THEN NULL WHEN 'reversed' THEN 'already_defrauded' WHEN 'closed' THEN 'mismatch'
  ELSE 'dissuaded_by_phone' END,
 'none', :policy, 1, 1, false, false, true, '{}', :now - (:count - g) * interval '31 seconds',
 CASE WHEN status IN ('open', 'watching') THEN NULL ELSE :now END,
 CASE WHEN status IN ('open', 'watching') THEN :now + interval '1 hour' END,
 CASE WHEN status = 'open' THEN 'pending' ELSE 'done' END, 1, 1, 0, 0, '{}', 'none', 'none', 0, 'none',
 'none', 0, 'none'
FROM (SELECT g, abs(hashint8(g)) AS h, abs(hashint8(g)) % 11 < :unsorted AS unsorted,
 CASE WHEN g >= :count * (1 - :open) THEN 'open' WHEN g > :count * (0.98 - :open) THEN 'watching'
 WHEN g % 2000 = 0 THEN 'reversed' WHEN g % 3 = 0 THEN 'closed' ELSE 'proven' END AS status
 FROM generate_series(0, :count - 1) g) rows
"""
_ASSIGNMENTS = """
INSERT INTO assignment (case_id, kind, state, reason, unit_id, urgency_at, opened_at, sign_by, due_at, feedback_by,
 signed_at, signed_by, drill)
SELECT id, 'visit', CASE WHEN id % 3 = 0 THEN 'open' ELSE 'signed' END, 'not_verified', unit_id, opened_at, opened_at,
 opened_at + interval '5 minutes', opened_at + interval '1 hour', opened_at + interval '4 hours',
 CASE WHEN id % 3 = 0 THEN NULL ELSE opened_at END, CASE WHEN id % 3 = 0 THEN NULL ELSE 'bench' || id % 50 END, true
FROM "case" WHERE status = 'open' AND unit_id IS NOT NULL ORDER BY id DESC LIMIT 20000
"""
_AUDIT = """
INSERT INTO audit (at, who, act, subject, why, facts)
SELECT :now - (:count - g) * interval '31 seconds', 'bench' || g % 50,
 CASE WHEN g % 5000 = 0 THEN 'export' ELSE (ARRAY['sign_in', 'reveal', 'search', 'sign_out'])[1 + g % 4] END,
 'case/' || (:first + g % 200000), '', '{}' FROM generate_series(0, :count - 1) g
"""


def _fill(app: Application, count: int, share: float) -> None:
    now, store = app.engine.real.now(), app.engine.store
    with store.begin() as tx:
        city = units.add(tx, name="市局", parent_id=None)
        counties = [units.add(tx, name=f"第{n}分局", parent_id=city) for n in range(7)]
        for n in range(_UNITS - 8):
            units.add(tx, name=f"第{n}派出所", parent_id=counties[n % 7])
    given = {
        "first": FIRST,
        "count": count,
        "now": now,
        "units": _UNITS,
        "policy": app.engine.policies.current,
        "open": share,
        "unsorted": 10 if share == 1 else 1,
    }
    with store.begin() as tx, bare(tx, TABLES):
        copy_people(tx, first=FIRST, count=count, now=now)
        tx.execute(sa.text(_CASES), given)
        open_counts.recount(tx)
    with store.begin() as tx:
        tx.execute(sa.text(_ASSIGNMENTS))
    with store.begin() as tx, bare(tx, ("audit",)):
        tx.execute(sa.text(_AUDIT), {name: given[name] for name in ("first", "count", "now")})
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (*TABLES, "assignment", "audit"):
            connection.execute(sa.text(f'VACUUM ANALYZE "{table}"'))


def _member(app: Application, role: Role, unit_id: int | None) -> Member:
    with app.engine.store.begin() as tx:
        made = staff.add(
            tx,
            login=f"{role.value}-{time.monotonic_ns()}",
            display_name=role.value,
            password_hash="-",
            role=role,
            unit_id=unit_id,
            language="zh",
            must_change=False,
            by="bench",
            real_now=app.engine.real.now(),
        )
    assert made is not None
    return made


def _pages(app: Application) -> Iterator[tuple[str, Role, int | None, str]]:
    """Name, who asks, of which unit, address."""
    day = (app.engine.clock.now() - timedelta(days=200)).date()
    middle = FIRST + 500_000

    def person(typed: str) -> str:
        return "/cases?who=" + seal_search(app.engine, understand(app.engine, typed), who="bench")

    whole, county, station = None, 3, 20
    for where, unit_id in (("centre", whole), ("county", county), ("station", station)):
        role = Role.SUPERVISOR if unit_id is None else Role.OFFICER
        yield f"cases, {where}", role, unit_id, "/cases"
        yield f"cases, {where}, extra high", role, unit_id, "/cases?grade=extra_high"
        yield f"cases, {where}, reversed", role, unit_id, "/cases?status=reversed"
        yield f"cases, {where}, extra high and open", role, unit_id, "/cases?grade=extra_high&status=open"
        yield f"cases, {where}, of one day", role, unit_id, f"/cases?from={day}&to={day}"
        yield (
            f"cases, {where}, extra high of one day",
            role,
            unit_id,
            f"/cases?grade=extra_high&from={day}&to={day}",
        )
        yield f"cases, {where}, from long ago", role, unit_id, f"/cases?to={day}"
        yield f"cases, {where}, high, from long ago", role, unit_id, f"/cases?grade=high&to={day}"
        yield f"cases, {where}, high", role, unit_id, "/cases?grade=high"
        yield f"cases, {where}, low and reversed", role, unit_id, "/cases?grade=low&status=reversed"
        yield f"cases, {where}, romance", role, unit_id, "/cases?fraud=romance"
        yield f"cases, {where}, of no such type", role, unit_id, "/cases?fraud=game_trade"
        yield f"cases, {where}, a page far back", role, unit_id, f"/cases?before={middle}"
        yield f"cases, {where}, last four", role, unit_id, person("4321")
        yield f"cases, {where}, name", role, unit_id, person("王小明")
    yield "cases, phone", Role.SUPERVISOR, None, person("13900054321")
    yield "cases, instruction", Role.SUPERVISOR, None, "/cases?no=nothing-like-this-1"
    for where, unit_id in (("centre", whole), ("county", county)):
        yield f"wall, {where}", Role.SUPERVISOR, unit_id, "/wall"
        yield f"control, {where}", Role.SUPERVISOR, unit_id, "/control"
        yield f"control, {where}, what changes", Role.SUPERVISOR, unit_id, "/control/now"
    for where, unit_id in (("centre", whole), ("county", county), ("station", station)):
        role = Role.SUPERVISOR if unit_id is None else Role.OFFICER
        yield f"units, {where}", role, unit_id, "/units"
        yield f"unit, {where}", role, unit_id, f"/units/{unit_id or 1}"
        yield f"unit overdue, {where}", role, unit_id, f"/units/{unit_id or 1}?waiting=overdue"
    yield "tray", Role.CLERK, None, "/units/tray"
    if (waiting := _waits(app)) is not None:
        yield "tray, one text", Role.CLERK, None, f"/units/tray/{waiting}"
    yield "transfers", Role.CLERK, None, "/units/transfers"
    yield "audit", Role.AUDITOR, None, "/audit"
    yield "audit, exports", Role.AUDITOR, None, "/audit?act=export"
    yield "audit, one person", Role.AUDITOR, None, "/audit?who=bench7"
    yield "audit, nobody", Role.AUDITOR, None, "/audit?who=nobody"
    yield "audit, one case", Role.AUDITOR, None, f"/audit?subject=case/{FIRST + 77}"
    yield "audit, exports of one day", Role.AUDITOR, None, f"/audit?act=export&from={day}&to={day}"


def _waits(app: Application) -> int | None:
    """A case that waits for its unit."""
    with app.engine.store.begin() as tx:
        found: int | None = tx.scalar(
            sa.text("SELECT max(id) FROM \"case\" WHERE status = 'open' AND unit_id IS NULL")
        )
    return found


async def _measure(app: Application, requests: int, only: str) -> dict[str, object]:
    told: dict[str, object] = {}
    transport = httpx.ASGITransport(app=create_app(app))
    for name, role, unit_id, path in _pages(app):
        if only not in name:
            continue
        member = _member(app, role, unit_id)
        with app.engine.store.begin() as tx:
            token = open_session(
                tx,
                app.settings.console.rules(),
                member,
                address="127.0.0.1",
                real_now=app.engine.real.now(),
            )
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            client.cookies.set(SESSION, token)
            taken = []
            for _ in range(requests):
                begun = time.perf_counter()
                answer = await client.get(path)
                taken.append((time.perf_counter() - begun) * 1000)
                assert answer.status_code == 200, (name, answer.status_code)
        taken.sort()
        told[name] = {
            "p50_ms": round(statistics.median(taken), 1),
            "p95_ms": round(taken[int(len(taken) * 0.95) - 1], 1),
            "most_ms": round(taken[-1], 1),
        }
    return told


@contextmanager
def _ground(keep: str) -> Iterator[Path]:
    if keep:
        folder = Path(keep)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder_name:
        yield Path(folder_name)


def run(
    cases: int, requests: int, keep: str = "", *, share: float = 0.01, only: str = ""
) -> dict[str, object]:
    with _ground(keep) as folder:
        settings = load_settings({"DIALER_DATA_DIR": str(folder)})
        with application(settings) as app:
            with app.engine.store.begin() as tx:
                is_new = tx.scalar(sa.text("SELECT 1 FROM unit LIMIT 1")) is None
            if is_new:
                _fill(app, cases, share)
            pages = asyncio.run(_measure(app, requests, only))
    return {"cases": cases, "open": share, "goal_ms": GOAL_MS, "pages": pages}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--keep", default="")
    parser.add_argument("--open", type=float, default=0.01)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    told = run(options.cases, options.requests, options.keep, share=options.open, only=options.only)
    print(json.dumps(told, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
