"""How fast two-card control is with many openings behind: checks, a daily file, stored accounts, the desk's screen."""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import sqlalchemy as sa

from bench.service import Service, owner_store, service
from dialer.bootstrap import application
from dialer.cards.counter.actions import check_opening
from dialer.cards.counter.desk import ask_desk
from dialer.cards.counter.load import load_openings
from dialer.cards.counter.screening import screen_all
from dialer.cards.openings.institutions import add_institution
from dialer.core.access import Role, unrestricted
from dialer.core.cards import CardProduct, InstitutionKind, OpeningChannel, OpeningResult
from dialer.db import tables as t
from dialer.db.unit_of_work import Store
from dialer.intake.opening_lists import OpeningRecord
from dialer.intake.phones import id_check_character
from dialer.runtime.services import Services
from dialer.runtime.settings import load_settings
from dialer.staff.passwords import hash_password
from dialer.staff.sign_in import open_session
from dialer.staff.store import insert_member
from dialer.web.console import SESSION_COOKIE

OUTLETS = 1200
BENCH = unrestricted("bench")
_PROCESSES, _THREADS = 2, 8
_STEP = 500_000
# A person opens one card or two; each has phone and address; of seven one says a purpose, of fifty one has an agent.
_FILL = sa.text(
    """
    INSERT INTO opening (institution_id, outlet_id, opening_no, channel, product, person_blind, phone_blind,
        address_blind, story_blind, agent_blind, number_blind, home, age, asked_at, opened_at, entered_at, result,
        verdict, sealed, source, by, drill)
    SELECT :institution, :outlet + n % :outlets, 'F' || n, 'counter', 'account_2',
        decode(md5('p' || n * 7 / 10), 'hex'), decode(md5('t' || n * 7 / 10), 'hex'),
        decode(md5('a' || n * 7 / 10), 'hex'),
        CASE WHEN n % 7 = 0 THEN decode(md5('s' || n % 2003), 'hex') END,
        CASE WHEN n % 50 = 0 THEN decode(md5('g' || n % 10007), 'hex') END,
        decode(md5('n' || n), 'hex'), '150802', 30, at, at, at, 'opened', 'clear', decode(md5('s' || n), 'hex'),
        'bench', 'bench', true
    FROM (SELECT n, CAST(:now AS timestamptz) - CAST(n AS float8) / :behind * interval '2 years' AS at
        FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n) made
    """
)


def id_number(n: int, *, home: str = "150802") -> str:
    """A valid one; different for each `n` below fifteen million."""
    born = date(1960, 1, 1) + timedelta(days=n // 1000 % 15000)
    head = f"{home}{born:%Y%m%d}{n % 1000:03d}"
    return head + id_check_character(head)


def record(n: int, *, at: datetime, number: str) -> OpeningRecord:
    """A first card of person `n`, in progress."""
    return OpeningRecord(
        line=1,
        opening_no=number,
        outlet="1",
        channel=OpeningChannel.COUNTER,
        product=CardProduct.ACCOUNT_2,
        name="张三",
        id_number=id_number(n),
        phone=f"+86139{n % 10**8:08d}",
        address=f"胜利路{n}号院",
        purpose=f"经营周转{n % 2003}号" if n % 7 == 0 else "日常消费",
        asked_at=at,
        result=OpeningResult.IN_PROGRESS,
    )


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[max(0, round(0.99 * len(took)) - 1)]


def speed(*, behind: int, seconds: int, rows: int, stored: int, questions: int) -> dict[str, object]:
    """All parts, one after the other, over `behind` openings."""
    with service(speed=1.0) as made:
        services = made.app.services
        began = time.perf_counter()
        with owner_store(made.app) as owner:
            outlet_id = fill_openings(services, owner, behind)
        found: dict[str, object] = {
            "openings_behind": behind,
            "fill_seconds": round(time.perf_counter() - began, 1),
        }
        found |= _checks(made, outlet_id, seconds=seconds, rate=100)
        found |= _file(services, rows)
        found |= _stored(made, stored)
        found |= _screen(made, outlet_id, questions)
    return found


def fill_openings(services: Services, owner: Store, behind: int) -> int:
    """So many openings of two years at one bank; the id of its first outlet."""
    add_institution(services, BENCH, name="bank", kind=InstitutionKind.BANK)
    with services.store.begin() as tx:
        institution_id = tx.scalar(sa.select(t.institution.c.id))
        tx.execute(
            sa.insert(t.outlet),
            [{"institution_id": institution_id, "code": str(n), "name": str(n)} for n in range(OUTLETS)],
        )
        outlet_id = int(tx.scalar(sa.select(sa.func.min(t.outlet.c.id))))
    with owner.begin() as tx:
        for index in t.opening.indexes:
            index.drop(tx.connection)
    for first in range(0, behind, _STEP):
        given = {
            "institution": institution_id, "outlet": outlet_id, "outlets": OUTLETS, "behind": behind,
            "now": services.clock.now(), "first": first, "last": min(behind, first + _STEP) - 1,
        }  # fmt: skip
        with owner.begin() as tx:
            tx.execute(_FILL, given)
    with owner.begin() as tx:
        for index in t.opening.indexes:
            index.create(tx.connection)
    engine = owner.sql_engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("VACUUM ANALYZE opening"))
    return outlet_id


def _checks(made: Service, outlet_id: int, *, seconds: int, rate: int) -> dict[str, object]:
    """So many checks are due in each second, whether or not those before are done; the time counts from when one was
    due. Two processes of eight threads.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(_PROCESSES) as pool:
        asked = [
            (dict(made.env), outlet_id, place, rate // _PROCESSES, seconds) for place in range(_PROCESSES)
        ]
        began, before = time.perf_counter(), made.cpu()["postgres"]
        parts = pool.starmap(check_steadily, asked)
        whole = time.perf_counter() - began
        used = made.cpu()["postgres"] - before + sum(own for _, own in parts)
    took = [one for part, _ in parts for one in part]
    return {
        "checks": len(took),
        "checks_due_per_second": rate,
        "checks_done_per_second": round(len(took) / min(whole, max(seconds, whole - 5)), 1),
        "check_processor_ms": round(1000 * used / len(took), 1),
        "check_p50_ms": round(1000 * statistics.median(took), 1),
        "check_p99_ms": round(1000 * _p99(took), 1),
    }


def check_steadily(
    env: dict[str, str], outlet_id: int, place: int, rate: int, seconds: int
) -> tuple[list[float], float]:
    """What one process took for each of its checks, in seconds since it was due; and the seconds of processor that it
    used.
    """
    with application(load_settings(env)) as app, ThreadPoolExecutor(_THREADS) as threads:
        services = replace(
            app.services, cards=app.services.cards.model_copy(update={"checks_per_hour": 10**9})
        )

        def one(n: int, due: float) -> float:
            given = record(10_000_000 + n, at=services.clock.now(), number=f"C{n}")
            at = outlet_id + n % OUTLETS
            check_opening(services, BENCH, given, outlet_id=at, source="bench")
            return time.perf_counter() - due

        for warm in range(_THREADS):
            one(-1 - warm - place * _THREADS, 0.0)
        begin, before, due = time.perf_counter() + 0.5, time.process_time(), []
        for step in range(rate * seconds):
            at = begin + step / rate
            time.sleep(max(0.0, at - time.perf_counter()))
            due.append(threads.submit(one, step * _PROCESSES + place, at))
        took = [future.result() for future in due]
        return took, time.process_time() - before


def _file(services: Services, rows: int) -> dict[str, object]:
    """A daily file; each tenth row has a fault."""
    head = "业务流水号,网点编号,姓名,证件号码,预留电话,账户类型,受理时间,地址,用途\n"
    day = services.clock.now().date() - timedelta(days=1)

    def lines() -> Iterator[str]:
        for n in range(rows):
            number = id_number(12_000_000 + n) if n % 10 else "150802199013010015"
            yield f"D{n},{n % OUTLETS},李四,{number},136{n:08d},二类,{day} 09:00,解放街{n}号院,日常消费\n"

    content = BytesIO((head + "".join(lines())).encode())
    begun = time.perf_counter()
    done = load_openings(services, BENCH, content, institution="bank", source="bench")
    loaded = time.perf_counter() - begun
    begun = time.perf_counter()
    for _ in screen_all(services):
        pass
    return {
        "file_rows": done.rows,
        "file_rejected": done.rejected,
        "file_seconds": round(loaded, 2),
        "file_checked_seconds": round(time.perf_counter() - begun, 2),
    }


def _stored(made: Service, count: int) -> dict[str, object]:
    """Accounts of five years without a verdict are screened."""
    services = made.app.services
    new = load_stored(services, count)
    begun, own, before = time.perf_counter(), time.process_time(), made.cpu()["postgres"]
    screened = max((one.done for one in screen_all(services)), default=0)
    took = time.perf_counter() - begun
    own, theirs = time.process_time() - own, made.cpu()["postgres"] - before
    return {
        "stored_loaded": new,
        "stored_screened": screened,
        "stored_per_second": round(screened / took),
        "stored_processor_us": round(1e6 * own / screened),
        "stored_processor_us_of_the_database": round(1e6 * theirs / screened),
        "stored_minutes_of_2_3_million": round(2_300_000 / (screened / took) / 60, 1),
    }


def load_stored(services: Services, count: int) -> int:
    """So many accounts of five years, none of them checked; returns how many are new. After `fill_openings`."""
    day = services.clock.now() - timedelta(days=3)

    def lines() -> Iterator[str]:
        yield "业务流水号,网点编号,姓名,证件号码,预留电话,账户类型,受理时间,地址,用途,账号\n"
        for n in range(count):
            person = 13_000_000 + n * 7 // 10
            at = day - timedelta(minutes=n * 5 * 525_600 // count)
            purpose = f"经营周转{n % 2003}号" if n % 7 == 0 else "日常消费"
            yield (
                f"S{n},{n % OUTLETS},王五,{id_number(person)},137{person % 10**8:08d},二类,{at:%Y-%m-%d %H:%M},"
                f"新华街{person}号院,{purpose},6222{n:012d}\n"
            )

    content = BytesIO("".join(lines()).encode())
    return load_openings(services, BENCH, content, institution="bank", source="stored").new


def _screen(made: Service, outlet_id: int, questions: int) -> dict[str, object]:
    """From the moment at which an outlet asks until the desk's page has got the question by its stream."""
    services = made.app.services
    made.start("web")
    base = f"http://127.0.0.1:{made.settings.web.port}"
    with services.store.begin() as tx:
        real = services.real.now()
        member = insert_member(
            tx, login="desk", display_name="Desk", password_hash=hash_password("Not-used-8"), role=Role.CALLER,
            unit_id=None, language="zh", must_change=False, by="bench", real_now=real,
        )  # fmt: skip
        assert member is not None
        token = open_session(tx, services, member, address="127.0.0.1")
    asked: dict[str, float] = {}
    shown: dict[str, float] = {}
    ready, over = threading.Event(), threading.Event()

    def watch() -> None:
        with httpx.Client(base_url=base, timeout=30.0) as client:
            client.cookies.set(SESSION_COOKIE, token)
            with client.stream("GET", "/cards/desk/live", headers={"Accept": "text/event-stream"}) as live:
                for line in live.iter_lines():
                    if line.strip() != "event: changed":
                        continue
                    page = client.get("/cards/desk", headers={"HX-Request": "true"}).text
                    now = time.perf_counter()
                    for path in list(asked):
                        if path not in shown and f'href="{path}"' in page:
                            shown[path] = now
                    ready.set()
                    if over.is_set() and len(shown) == len(asked):
                        return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    ready.wait(30)
    for n in range(questions):
        given = record(14_000_000 + n, at=services.clock.now(), number=f"Q{n}")
        checked = check_opening(services, BENCH, given, outlet_id=outlet_id + n, source="bench")
        begun = time.perf_counter()
        question = ask_desk(services, BENCH, checked.opening_id, note="", outlet_id=outlet_id + n)
        asked[f"/cards/desk/questions/{question}"] = begun
        if n == questions - 1:
            over.set()
        time.sleep(0.31)
    watcher.join(15)
    took = [shown[path] - asked[path] for path in shown]
    made.stop()
    return {
        "questions": len(asked),
        "questions_shown": len(took),
        "question_on_screen_p50_ms": round(1000 * statistics.median(took)) if took else None,
        "question_on_screen_p99_ms": round(1000 * _p99(took)) if took else None,
    }


def fitted(found: dict[str, Any]) -> dict[str, bool]:
    """Which of the goals were met."""
    return {
        "check_p99": found["check_p99_ms"] <= 300,
        "file": found["file_seconds"] <= 10,
        "stored": found["stored_minutes_of_2_3_million"] <= 10,
        "screen": found["question_on_screen_p99_ms"] is not None
        and found["question_on_screen_p99_ms"] <= 1000,
    }
