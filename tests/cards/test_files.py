"""Daily files: what is entered, what is rejected with its fix, and what the screening lists in the morning."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest

from dialer.cards.counter.load import OpeningLoad, load_openings
from dialer.cards.counter.screening import screen_all
from dialer.cards.rings.openers import decide_opener, list_openers, read_ring, sign_opener
from dialer.core.access import unrestricted
from dialer.core.cards import CardProduct, OpenerState
from dialer.core.errors import Conflict, NotFound, UnusableFile
from dialer.db import tables as t
from dialer.db.system_state import is_opening_unchecked
from dialer.runtime.services import Application
from dialer.tasks.application import _made, use_application
from dialer.tasks.bulk_work import screen_openings_task
from tests.cards.street import BANK, CARRIER, OTHER_BANK, Street, id_number
from tests.console.desk import ConsoleDesk

HEAD = "业务流水号,网点编号,姓名,证件号码,预留电话,账户类型,开户用途,申请限额(万元),受理时间,办理结果,拒办原因,账号\n"


def load(street: Street, rows: str, **options: bool) -> OpeningLoad:
    return load_openings(
        street.services,
        unrestricted("bank"),
        BytesIO((HEAD + rows).encode()),
        institution=BANK,
        source="日报",
        **options,
    )


def test_a_file_is_entered_once_and_its_faults_say_line_column_and_fix(street: Street, console: ConsoleDesk):
    rows = (
        f"1,{BANK}1,张三,{id_number(1)},13800000001,二类,储蓄,5,2026-11-25 09:00,已开,,6222000000000001\n"
        f"2,{BANK}1,李四,150802199001011234,13800000002,二类,储蓄,5,2026-11-25 09:00,已开,,\n"
        f"3,{BANK}1,王五,{id_number(3)},13800000003,四类,储蓄,5,2026-11-25 09:00,已开,,\n"
        f"4,{BANK}1,赵六,{id_number(4)},13800000004,一类,储蓄,5,2026-11-25 09:00,拒办,,\n"
        f"5,没有,孙七,{id_number(5)},13800000005,一类,储蓄,5,2026-11-25 09:00,已开,,\n"
        f"6,{BANK}1,周八,{id_number(6)},13800000006,一类,储蓄,5,2026-11-25 09:00,拒办,用途不明,\n"
    )
    assert load(street, rows, dry_run=True).new == 2
    assert console.rows(t.opening) == []
    done = load(street, rows)
    assert (done.rows, done.new, done.duplicate, done.rejected) == (6, 2, 0, 4)
    assert [(reject.line, reject.column) for reject in done.rejects] == [
        (3, "证件号码"),
        (4, "账户类型"),
        (5, "拒办原因"),
        (6, "网点编号"),
    ]
    assert [cell for cell in done.rejects[3].raw if cell] == rows.splitlines()[4].replace(",,", ",").split(
        ","
    )[:-1]
    assert "150****" in str(done.rejects[0].reason)
    again = load(street, rows)
    assert (again.new, again.duplicate) == (0, 2)
    rows_kept = console.rows(t.opening)
    assert [row["limit_fen"] for row in rows_kept] == [5_000_000, 5_000_000]
    assert [row["decided_why"] for row in rows_kept] == ["", "用途不明"]
    with pytest.raises(UnusableFile):
        load_openings(
            street.services,
            unrestricted("bank"),
            BytesIO("姓名,电话\n张,1\n".encode()),
            institution=BANK,
            source="x",
        )
    with pytest.raises(NotFound):
        load_openings(street.services, unrestricted("bank"), BytesIO(b""), institution="没有", source="x")


def test_a_file_completes_what_was_checked_and_takes_no_number_of_another(
    street: Street, console: ConsoleDesk
):
    record = street.record(1)
    street.check(record)
    row = f"{record.opening_no},{BANK}1,客户1,{{id}},13800000001,二类,储蓄,5,2026-11-25 09:00,已开,,6222000000000001\n"
    assert load(street, row.format(id=id_number(2))).rejected == 1
    assert load(street, row.format(id=id_number(1))).completed == 1
    [kept] = console.rows(t.opening)
    assert (kept["result"], kept["source"]) == ("opened", "日报")
    assert kept["asked_at"] == record.asked_at


def test_screening_lists_persons_and_rings_and_a_person_decides(street: Street, console: ConsoleDesk):
    services = street.services
    for hours in (31, 30, 29, 28):
        street.enter(street.record(1, hours_ago=hours))
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    for n, hours in ((11, 20), (12, 19), (13, 18)):
        street.enter(street.record(n, hours_ago=hours, **away), street.outlets[OTHER_BANK])
    street.enter(street.record(99))
    steps = list(screen_all(services))
    assert (steps[-1].done, steps[-1].left) == (8, 0)
    assert list(screen_all(services))[-1].done == 0
    ring, person = sorted(list_openers(services, visible_to=None), key=lambda one: one.ring_id is None)
    assert (ring.persons, ring.cards, person.person) == (3, 3, "客*")
    assert [finding.check for finding in person.findings] == ["cards_24h"]
    found, members = read_ring(services, ring.ring_id or 0, visible_to=None)
    assert len(members) == 3
    assert found.is_found
    officer = unrestricted("officer")
    with pytest.raises(Conflict):
        decide_opener(services, officer, person.id, confirm=True, why="核实")
    sign_opener(services, officer, person.id)
    with pytest.raises(Conflict):
        decide_opener(services, unrestricted("other"), person.id, confirm=True, why="核实")
    decide_opener(services, officer, person.id, confirm=True, why="本人出租银行卡")
    sign_opener(services, officer, ring.id)
    decide_opener(services, officer, ring.id, confirm=False, why="同乡务工")
    states = {opener.id: opener.state for opener in list_openers(services, visible_to=None)}
    assert states == {person.id: OpenerState.CONFIRMED, ring.id: OpenerState.LIFTED}
    checked = street.check(street.record(1))
    assert "confirmed_opener" in {finding.check for finding in checked.answer.findings}
    console.pass_seconds(86_400 * 95)
    assert list_openers(services, visible_to=None) == []


def test_a_worker_checks_what_a_file_brought(street: Street, console: ConsoleDesk, console_app: Application):
    def is_due() -> bool:
        with street.services.store.begin() as tx:
            return is_opening_unchecked(tx)

    assert not is_due()
    street.enter(street.record(1))
    assert is_due()
    use_application(console_app)
    try:
        screen_openings_task()
    finally:
        _made.clear()
    assert not is_due()
    assert [row["verdict"] for row in console.rows(t.opening)] == ["clear"]


def test_a_stored_account_whose_phone_is_anothers_is_listed_and_stands_from_now_on(street: Street):
    services = street.services
    phone = "+8613800000077"
    street.enter(street.record(1, product=CardProduct.SIM_MAIN, number=phone), street.outlets[CARRIER])
    street.enter(street.record(2, phone=phone, hours_ago=24 * 400))
    street.enter(street.record(3, phone=phone))
    [*_, last] = screen_all(services)
    assert (last.done, last.left) == (3, 0)
    [listed] = list_openers(services, visible_to=None)
    assert [finding.check for finding in listed.findings] == ["phone_of_another"]
    assert listed.expires_at > services.clock.now() + timedelta(days=89)


def test_a_row_with_only_a_person_gets_its_verdict_and_so_do_the_others(street: Street, console: ConsoleDesk):
    rows = "".join(
        f"{n},{BANK}1,客户,{id_number(n)},{'' if n == 3 else f'1380000000{n}'},二类,,,2026-11-25 09:00,已开,,\n"
        for n in range(1, 6)
    )
    assert load(street, rows).new == 5
    *_, screened = screen_all(street.services)
    assert (screened.done, screened.left) == (5, 0)
    assert {row["verdict"] for row in console.rows(t.opening)} == {"clear"}
