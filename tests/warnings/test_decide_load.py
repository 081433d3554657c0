"""A large list waits for a second person, but not its high grades; lists are withdrawn."""

from __future__ import annotations

import io
import uuid
from dataclasses import fields, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.case_page.acts import SeenCase, close_case
from dialer.core.access import TERMINAL, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound, UnusableFile
from dialer.core.text import Text
from dialer.core.values import LoadState, OutcomeKind
from dialer.db import tables as t
from dialer.figures.report import make_report
from dialer.intake.records import Field, RejectedRow
from dialer.runtime.services import WorkRules
from dialer.warnings.list_store import (
    WITHDRAWALS,
    Load,
    finish_load,
    get_load,
    loads_awaiting_approval,
    take_load,
    take_withdrawal,
)
from dialer.warnings.lists import (
    approve_load,
    begin_withdrawal,
    close_withdrawn,
    correct_columns,
    load_list,
    load_report,
    submit_list,
    withdraw_load,
)
from dialer.warnings.mapping_store import column_mapping_of
from dialer.warnings.preview import preview_list
from dialer.warnings.source_limits import release_waiting, waiting_warnings
from dialer.work.tasks import WorkReport, report_assignment
from tests.work.bureau import Bureau

HEADING = "编号,姓名,手机号,等级"
GRADES = ("高危", "低危", "特高危", "中危", "低危", "高危")


@pytest.fixture
def careful(bureau: Bureau) -> Bureau:
    bureau.services = replace(bureau.services, work=WorkRules(approve_above_rows=5), derive_key=bytes(32))
    return bureau


def rows(*grades: str) -> str:
    lines = [f"A{n},某某{n},1390002{n:04d},{grade}" for n, grade in enumerate(grades)]
    return "\n".join((HEADING, *lines))


def submit(bureau: Bureau, text: str, *, source: str = "s", by: str = "li") -> int:
    content = io.BytesIO(text.encode())
    return submit_list(bureau.services, unrestricted(by), content, filename="a.csv", source=source)


def load_of(bureau: Bureau, load_id: int) -> Load:
    with bureau.tx() as tx:
        load = get_load(tx, load_id)
    assert load is not None
    return load


def waiting(bureau: Bureau) -> list[int]:
    with bureau.tx() as tx:
        return [load.id for load in loads_awaiting_approval(tx)]


def grades_in_the_books(bureau: Bureau) -> list[str]:
    return sorted(row["grade"] for row in bureau.rows(sa.select(t.case.c.grade)))


def test_the_high_grades_go_at_once_and_the_rest_waits(careful: Bureau):
    load_id = submit(careful, rows(*GRADES))
    assert load_list(careful.services, load_id)
    assert grades_in_the_books(careful) == ["extra_high", "high", "high"]
    assert load_of(careful, load_id).state is LoadState.HELD
    assert not load_list(careful.services, load_id)
    assert waiting(careful) == [load_id]


def test_high_grades_that_wait_for_their_number_wait_once(careful: Bureau):
    lines = [f"A{n},王{n},13900020001,{grade}" for n, grade in enumerate(["高危"] * 6 + ["低危"] * 2)]
    load_id = submit(careful, "\n".join((HEADING, *lines)))
    load_list(careful.services, load_id)
    [held] = waiting_warnings(careful.services)
    assert (held.total, len(grades_in_the_books(careful))) == (2, 4)
    approve_load(careful.services, unrestricted("zhao"), load_id)
    load_list(careful.services, load_id)
    [held] = waiting_warnings(careful.services)
    assert (held.total, len(grades_in_the_books(careful))) == (4, 4), "two of high and two of low grade"


def test_high_grades_that_were_released_before_the_approval_are_no_duplicates(careful: Bureau):
    lines = [f"A{n},王{n},13900020001,{grade}" for n, grade in enumerate(["高危"] * 6 + ["低危"] * 2)]
    load_id = submit(careful, "\n".join((HEADING, *lines)))
    load_list(careful.services, load_id)
    [held] = waiting_warnings(careful.services)
    release_waiting(careful.services, unrestricted("zhao"), [held.id])
    load_list(careful.services, held.id)
    approve_load(careful.services, unrestricted("zhao"), load_id)
    load_list(careful.services, load_id)
    load = load_of(careful, load_id)
    assert (load.rows, load.accepted, load.held, load.duplicate) == (8, 4, 4, 0)


def test_a_second_person_lets_the_rest_in_and_nothing_counts_twice(careful: Bureau):
    load_id = submit(careful, rows(*GRADES))
    load_list(careful.services, load_id)
    with pytest.raises(Conflict):
        approve_load(careful.services, unrestricted("li"), load_id)
    approve_load(careful.services, unrestricted("zhao"), load_id)
    assert load_list(careful.services, load_id)
    load = load_of(careful, load_id)
    assert (load.state, load.rows, load.accepted, load.duplicate, load.rejected) == (
        LoadState.DONE,
        6,
        6,
        0,
        0,
    )
    assert len(grades_in_the_books(careful)) == 6
    assert waiting(careful) == []
    with pytest.raises(Conflict):
        approve_load(careful.services, unrestricted("zhao"), load_id)


def test_approved_before_anything_was_loaded_it_is_loaded_whole(careful: Bureau):
    load_id = submit(careful, rows(*GRADES))
    approve_load(careful.services, unrestricted("zhao"), load_id)
    assert load_list(careful.services, load_id)
    assert load_of(careful, load_id).accepted == 6


def test_a_list_of_the_size_or_less_waits_for_nobody(careful: Bureau):
    load_id = submit(careful, rows(*GRADES[:5]))
    assert load_list(careful.services, load_id)
    assert load_of(careful, load_id).state is LoadState.DONE
    with pytest.raises(Conflict):
        approve_load(careful.services, unrestricted("zhao"), load_id)


def test_a_long_list_that_is_withdrawn_on_a_page_is_closed_by_a_worker_also_by_the_second(bureau: Bureau):
    text = "\n".join((HEADING, *(f"A{n},某某{n},1390002{n:04d},低危" for n in range(1200))))
    load_id = submit(bureau, text)
    load_list(bureau.services, load_id)
    begin_withdrawal(bureau.services, unrestricted("zhao"), load_id, why="下发错误")
    left = sa.select(sa.func.count()).select_from(t.case).where(t.case.c.status == CaseStatus.OPEN.value)
    assert bureau.rows(left)[0]["count_1"] == 700
    with bureau.tx() as tx:
        assert WITHDRAWALS.free_keys(tx, real_now=bureau.services.real.now()) == [load_id]
        real_now = bureau.services.real.now()
        # The first worker took it, and was never heard of again.
        taken = take_withdrawal(tx, load_id, now=bureau.clock.now(), real_now=real_now, lease=timedelta())
        assert taken is not None
        assert taken[1:] == ("zhao", "下发错误")
    assert close_withdrawn(bureau.services, load_id) == 700
    assert close_withdrawn(bureau.services, load_id) == 0
    assert bureau.rows(left)[0]["count_1"] == 0
    with bureau.tx() as tx:
        assert WITHDRAWALS.free_keys(tx, real_now=bureau.services.real.now()) == []
    assert set(bureau.acts_of(bureau.rows(sa.select(t.case))[-1]["id"])) == {"load_withdrawn"}


def test_a_list_whose_worker_dies_each_time_fails_and_raises_the_alarm_once(bureau: Bureau):
    load_id = submit(bureau, rows(*GRADES))
    moment = bureau.services.real.now()
    for n in range(7):
        real_now, lease = moment + timedelta(minutes=3 * n), timedelta(minutes=2)
        with bureau.tx() as tx:
            take_load(tx, load_id, now=bureau.clock.now(), real_now=real_now, lease=lease)
    load = load_of(bureau, load_id)
    assert load.state is LoadState.FAILED
    assert str(Text.load(load.error)) == "the worker that loaded it ended 5 times"
    assert bureau.rows(sa.select(t.list_file)) == []
    [alarm] = bureau.rows(sa.select(t.alarm).where(t.alarm.c.code == "work_given_up"))
    assert (alarm["times"], alarm["facts"]) == (1, {"names": ["load"]})


def test_a_worker_that_has_lost_a_list_leaves_its_file_to_the_next(bureau: Bureau):
    load_id = submit(bureau, rows(*GRADES))
    moment = bureau.services.real.now()
    with bureau.tx() as tx:
        first, second = (
            take_load(
                tx,
                load_id,
                now=bureau.clock.now(),
                real_now=moment + n * timedelta(minutes=3),
                lease=timedelta(),
            )
            for n in range(2)
        )
        assert first is not None
        assert second is not None
        finish_load(tx, first, skipped=0, now=bureau.clock.now())
    assert load_of(bureau, load_id).state is LoadState.RUNNING
    assert len(bureau.rows(sa.select(t.list_file))) == 1


def test_withdrawn_while_it_waits(careful: Bureau):
    load_id = submit(careful, rows(*GRADES))
    load_list(careful.services, load_id)
    done = withdraw_load(careful.services, unrestricted("zhao"), load_id, why="下发错误")
    assert done == 3
    assert load_of(careful, load_id).state is LoadState.WITHDRAWN
    assert not load_list(careful.services, load_id)
    assert careful.rows(sa.select(t.list_file)) == []
    cases = careful.rows(sa.select(t.case))
    assert {(row["status"], row["outcome"]) for row in cases} == {("closed", OutcomeKind.WITHDRAWN.value)}
    assert careful.acts_of(cases[0]["id"]) == ["load_withdrawn"]
    for act in (approve_load, lambda *a, **k: withdraw_load(*a, **k, why="x")):
        with pytest.raises(Conflict):
            act(careful.services, unrestricted("zhao"), load_id)


def test_the_terminal_loads_no_list_that_waits_for_a_second_person(careful: Bureau):
    content = io.BytesIO(rows(*GRADES).encode())
    for somebody in (TERMINAL, replace(TERMINAL, terminal="root@vm pts/0", named="zhao")):
        with pytest.raises(Invalid, match="dialer sign-in"):
            submit_list(careful.services, somebody, content, filename="x.csv", source="")
    assert careful.rows(sa.select(t.list_load)) == []


def test_what_has_begun_goes_on(bureau: Bureau):
    load_id = submit(bureau, rows("特高危", "高危", "高危", "高危"))
    load_list(bureau.services, load_id)
    signed, rung, joined, fresh = [
        row["id"] for row in bureau.rows(sa.select(t.case.c.id).order_by(t.case.c.id))
    ]
    bureau.do(
        sa.update(t.assignment)
        .where(t.assignment.c.case_id == signed)
        .values(state="signed", signed_by="wang")
    )
    bureau.change_case(rung, first_attempt_at=bureau.clock.now())
    other = submit(bureau, f"{HEADING}\nB1,某某2,13900020002,高危", source="other")
    load_list(bureau.services, other)
    assert withdraw_load(bureau.services, unrestricted("zhao"), load_id, why="下发错误") == 1
    assert [bureau.case_of(one).status is CaseStatus.OPEN for one in (signed, rung, joined, fresh)] == [
        True,
        True,
        True,
        False,
    ]


def seen(bureau: Bureau, case_id: int, revision: int) -> SeenCase:
    return SeenCase(services=bureau.services, case_id=case_id, actor=unrestricted("li"), revision=revision)


def test_whose_person_has_called_us_goes_on_and_the_others_count_as_not_ours(bureau: Bureau):
    load_id = submit(bureau, rows("特高危", "特高危", "高危", "高危"))
    load_list(bureau.services, load_id)
    asked, calls, wrong, closed = [
        row["id"] for row in bureau.rows(sa.select(t.case.c.id).order_by(t.case.c.id))
    ]
    bureau.do(
        sa.update(t.assignment)
        .where(t.assignment.c.case_id == asked)
        .values(state="open", reason="called_in")
    )
    now = bureau.clock.now()
    call = {"id": uuid.uuid4(), "sid": "CA1", "state": "waiting", "arrived_at": now, "arrived_real_at": now}
    ours = sa.select(t.assignment.c.id).where(t.assignment.c.case_id == calls).order_by(t.assignment.c.id)
    work = bureau.rows(ours)[0]["id"]
    bureau.put(t.inbound_call, **call, case_id=calls, assignment_id=work, drill=False)
    (row,) = bureau.rows(sa.select(t.case.c.revision).where(t.case.c.id == wrong))
    close_case(seen(bureau, wrong, row["revision"]), OutcomeKind.MISMATCH, why="错号")
    assert withdraw_load(bureau.services, unrestricted("zhao"), load_id, why="下发错误") == 1
    told = {one["id"]: (one["status"], one["outcome"]) for one in bureau.rows(sa.select(t.case))}
    assert told[asked][0] == told[calls][0] == "open"
    assert told[closed] == ("closed", "withdrawn")
    total = make_report(bureau.services).figures.total.counts
    assert (total.cases, total.cases_ours, total.cases_not_ours) == (4, 3, 1)
    assert (total.found, total.false_alarms) == (1, 1)


def test_nobody_reports_or_closes_a_case_as_withdrawn(bureau: Bureau):
    load_id = submit(bureau, rows("特高危"))
    load_list(bureau.services, load_id)
    (row,) = bureau.rows(sa.select(t.case))
    (work,) = bureau.rows(sa.select(t.assignment).where(t.assignment.c.kind == "human"))
    with pytest.raises(Invalid, match="outcome"):
        close_case(seen(bureau, row["id"], row["revision"]), OutcomeKind.WITHDRAWN, why="x")
    with pytest.raises(Invalid, match="outcome"):
        report_assignment(
            bureau.services, unrestricted("li"), work["id"], WorkReport(outcome=OutcomeKind.WITHDRAWN)
        )


def test_a_call_that_is_under_way_is_not_cut_off(bureau: Bureau):
    load_id = submit(bureau, rows("高危"))
    load_list(bureau.services, load_id)
    assert len(bureau.claimed_cases()) == 1
    assert withdraw_load(bureau.services, unrestricted("zhao"), load_id, why="下发错误") == 0


def test_only_known_lists_and_with_a_reason(bureau: Bureau):
    with pytest.raises(NotFound):
        withdraw_load(bureau.services, unrestricted("zhao"), 99, why="x")
    with pytest.raises(NotFound):
        approve_load(bureau.services, unrestricted("zhao"), 99)
    with pytest.raises(Invalid):
        withdraw_load(bureau.services, unrestricted("zhao"), 99, why=" ")


STRANGE = "编号,谁,电话在此,严重\nA1,王伟,13900020001,高危\n"


def test_what_was_said_of_a_source_s_columns_is_remembered(bureau: Bureau):
    with pytest.raises(UnusableFile):
        submit(bureau, STRANGE, source="upstream")
    correct_columns(
        bureau.services,
        unrestricted("li"),
        "upstream",
        {"谁": Field.NAME, "电话在此": Field.PHONE, "严重": Field.GRADE, "编号": None},
    )
    load_id = submit(bureau, STRANGE, source="upstream")
    load_list(bureau.services, load_id)
    (warning,) = bureau.rows(sa.select(t.warning))
    assert warning["grade"] == "high"
    assert warning["instruction_no"] != "A1"
    with bureau.tx() as tx:
        assert column_mapping_of(tx, "upstream")["编号"] is None
    with pytest.raises(UnusableFile):
        submit(bureau, STRANGE, source="another")


def test_the_file_s_name_is_a_source_too(bureau: Bureau):
    correct_columns(bureau.services, unrestricted("li"), "a", {"谁": Field.NAME, "电话在此": Field.PHONE})
    report = preview_list(bureau.services, io.BytesIO(STRANGE.encode()), filename="a.csv", source="")
    assert report.accepted == 1


def test_a_preview_counts_what_the_load_counts_and_keeps_nothing(bureau: Bureau):
    rows = [f"A{n},王伟{n},1390002000{n},{grade}" for n, grade in enumerate(GRADES)]
    text = "\n".join(
        [HEADING, *rows, "A0,王伟0,13900020000,高危", "A7,王伟0,13900020000,高危", "A8,赵,没有,高危"]
    )
    preview = preview_list(bureau.services, io.BytesIO(text.encode()), filename="a.csv", source="s")
    assert (preview.rows, preview.accepted, preview.duplicate, preview.rejected) == (9, 7, 1, 1)
    assert bureau.rows(sa.select(t.warning)) == bureau.rows(sa.select(t.list_load)) == []
    load_id = submit(bureau, text)
    load_list(bureau.services, load_id)
    loaded = load_report(bureau.services, load_id)
    names = [field.name for field in fields(RejectedRow)]
    stored = tuple(RejectedRow(**{name: getattr(row, name) for name in names}) for row in preview.rejects)
    assert replace(preview, load_id=load_id, rejects=stored) == loaded
    again = preview_list(bureau.services, io.BytesIO(text.encode()), filename="a.csv", source="s")
    assert (again.accepted, again.duplicate) == (0, 8)


def test_a_corrected_column_goes_before_the_one_that_was_taken_for_it(bureau: Bureau):
    text = "姓名,手机号,备用号\n王伟,13900020001,13900020002\n"
    correct_columns(
        bureau.services, unrestricted("li"), "s", {"手机号": None, "备用号": Field.PHONE, "姓名": Field.NAME}
    )
    load_id = submit(bureau, text)
    load_list(bureau.services, load_id)
    (row,) = bureau.rows(sa.select(t.case.c.numbers))
    assert row["numbers"] == 1


def test_a_heading_has_a_name(bureau: Bureau):
    with pytest.raises(Invalid):
        correct_columns(bureau.services, unrestricted("li"), "s", {" ": Field.NAME})
