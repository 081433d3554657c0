"""POST /warnings: taken by the rules of a list's rows, once, and answered after the commit."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.claims import claim_attempts, promote_planned
from dialer.calls.pacing import lock_line_group
from dialer.case_page.reading import reveal, show_case
from dialer.cases.persons import open_person
from dialer.core.access import unrestricted
from dialer.core.errors import Invalid
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.runtime.clock import SystemClock
from tests.api.office import WANG, Office, eventually, first


async def test_a_warning_becomes_a_case_and_the_answer_says_what_happens_next(office: Office):
    answer = await office.send(WANG | {"instruction_no": "YJ-1", "grade": "高危", "fraud_type": "冒充公检法"})
    assert answer.status_code == 200
    result = first(answer)
    assert (result["status"], result["source"], result["instruction_no"]) == ("accepted", "city-bank", "YJ-1")
    case = office.rows(t.case)[0]
    assert result["case_id"] == case["id"]
    assert (case["grade"], case["fraud_type"]) == ("high", "police_impersonation")
    kinds = [(step["kind"], step["track"], step["reason"]) for step in result["next_steps"]]
    assert ("ring", "robot", "new_warning") in kinds
    assert ("errand_opens", "human", "no_contact_in_time") in kinds


async def test_it_is_committed_before_the_answer(office: Office):
    result = first(await office.send(WANG | {"instruction_no": "YJ-1"}))
    warning = office.rows(t.warning)[0]
    assert (warning["case_id"], warning["instruction_no"]) == (result["case_id"], "YJ-1")


async def test_sent_again_it_is_a_duplicate_of_the_same_case(office: Office):
    warning = WANG | {"instruction_no": "YJ-1"}
    one, two = first(await office.send(warning)), first(await office.send(warning))
    assert (one["status"], two["status"]) == ("accepted", "duplicate")
    assert two["case_id"] == one["case_id"]
    assert two["next_steps"] == one["next_steps"]
    assert len(office.rows(t.warning)) == 1


async def test_a_token_sends_warnings_of_its_own_sources_alone(office: Office):
    sent = [{"phones": f"1380013800{n}", "source": name} for n, name in enumerate(("city-bank", "ministry"))]
    own, foreign = (await office.send(*sent)).json()["results"]
    assert (own["status"], foreign["status"]) == ("accepted", "rejected")
    assert (foreign["fault"]["field"], foreign["fault"]["code"]) == ("source", "not_yours")
    assert "ministry" not in foreign["fault"]["reason"] + foreign["fault"]["fix"]
    gateway = office.token("gateway", "warnings:write", sources=["ministry", "人民银行"])
    sent = [
        {"phones": "13800138009", "source": name} for name in ("gateway", "ministry", "人民银行", "other")
    ]
    told = (await office.send(*sent, headers=gateway)).json()["results"]
    assert [result["status"] for result in told] == ["accepted"] * 3 + ["rejected"]


async def test_one_source_does_not_silence_another(office: Office):
    attacker, ministry = office.token("small-bank", "warnings:write"), office.token("ministry")
    forged = WANG | {"source": "ministry", "instruction_no": "YJ-9001", "grade": "低危"}
    assert (await office.send(forged, headers=attacker)).status_code == 422
    real = WANG | {"instruction_no": "YJ-9001", "grade": "特高危"}
    assert first(await office.send(real, headers=ministry))["status"] == "accepted"
    assert [case["grade"] for case in office.rows(t.case)] == ["extra_high"]


@pytest.mark.parametrize(
    "name", ["两卡核查", "预警机器人", "两 卡　核查", "两卡\u200b核查", "/phone", "/ＰＨＯＮＥ"]
)
async def test_nobody_outside_names_a_source_of_the_service_itself(office: Office, name: str):
    answer = await office.send(WANG | {"source": name, "instruction_no": "1", "grade": "高"})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (422, "source", "not_yours")
    assert [alarm["code"] for alarm in office.rows(t.alarm)] == [AlarmCode.REJECTED_HIGH_ROW.value]
    with pytest.raises(Invalid, match="source of this service itself"):
        office.token("gateway", "warnings:write", sources=[name])


async def test_sent_at_the_same_moment_many_times_it_is_taken_once(office: Office):
    answers = await asyncio.gather(*(office.send(WANG | {"instruction_no": "YJ-1"}) for _ in range(8)))
    statuses = sorted(first(answer)["status"] for answer in answers)
    assert statuses == ["accepted"] + ["duplicate"] * 7
    assert len({first(answer)["case_id"] for answer in answers}) == 1


async def test_without_a_number_the_same_content_is_the_same_warning(office: Office):
    one, two = first(await office.send(WANG)), first(await office.send(WANG))
    assert two["status"] == "duplicate"
    assert one["instruction_no"] == two["instruction_no"]
    assert one["instruction_no"].startswith("D-")


async def test_another_warning_of_the_same_person_joins_the_case(office: Office):
    answer = await office.send(
        WANG | {"instruction_no": "1", "grade": "低"},
        WANG | {"instruction_no": "2", "grade": "高"},
        WANG | {"instruction_no": "1", "grade": "低"},
    )
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "accepted", "duplicate"]
    assert {result["case_id"] for result in answer.json()["results"]} == {office.rows(t.case)[0]["id"]}
    assert office.rows(t.case)[0]["grade"] == "high"
    counts = {name: answer.json()[name] for name in ("accepted", "merged", "duplicate", "rejected")}
    assert counts == {"accepted": 2, "merged": 0, "duplicate": 1, "rejected": 0}


@pytest.mark.parametrize(
    "change",
    [
        {"grade": "特高危"},
        {"name": "王晓明"},
        {"phones": "13800138000,13900139000"},
        {"amount_at_risk": "90万"},
        {"id_number": "150402199001011245"},
    ],
    ids=["grade", "name", "phone", "amount", "document"],
)
async def test_a_number_sent_again_with_other_content_is_kept_and_an_alarm(
    office: Office, change: dict[str, str]
):
    one = WANG | {"instruction_no": "YJ-1", "grade": "低", "amount_at_risk": "100"}
    await office.send(one)
    for expected in ("accepted", "duplicate"):
        told = first(await office.send(one | change))
        assert (told["status"], told["instruction_no"]) == (expected, "YJ-1")
    numbers = [warning["instruction_no"] for warning in office.rows(t.warning)]
    assert (numbers[0], len(numbers)) == ("YJ-1", 2)
    assert re.fullmatch(r"YJ-1~[0-9a-f]{12}", numbers[1])
    (alarm,) = office.rows(t.alarm)
    assert (alarm["code"], alarm["facts"]) == ("number_used_again", {"names": ["city-bank"]})
    assert first(await office.send(one))["status"] == "duplicate"


async def test_a_higher_grade_under_an_old_number_raises_the_case_or_opens_one(office: Office):
    low = WANG | {"instruction_no": "YJ-1", "grade": "低"}
    notices = first(await office.send(low, low | {"grade": "特高危"})), (await office.send(low)).json()
    assert notices[0]["notices"] == []
    (case,) = office.rows(t.case)
    assert case["grade"] == "extra_high"
    other = {"name": "李四", "phones": "13700137000", "instruction_no": "YJ-1", "grade": "特高危"}
    told = first(await office.send(other))
    assert "number_used_again" in {notice["code"] for notice in told["notices"]}
    assert [case["grade"] for case in office.rows(t.case)] == ["extra_high", "extra_high"]


async def test_a_duplicate_that_says_less_is_a_duplicate(office: Office):
    whole = WANG | {"instruction_no": "YJ-1", "grade": "低", "phones": "13800138000,13900139000"}
    await office.send(whole | {"amount_at_risk": "100", "fraud_type": "刷单返利"})
    for less in ({"phones": "13900139000"}, {"name": ""}, {"id_number": None}):
        assert first(await office.send(whole | less))["status"] == "duplicate"
    assert (len(office.rows(t.warning)), office.rows(t.alarm)) == (1, [])


async def test_a_duplicate_of_an_erased_persons_warning_brings_nobody_back(office: Office):
    await office.send(WANG | {"instruction_no": "YJ-1", "grade": "低"})
    services = office.app.services
    with services.store.begin() as tx:
        (row,) = tx.rows(sa.select(t.warning.c.id))
        empty = tx.vault.seal(b"", table="warning", column="sealed", row=row["id"])
        tx.execute(sa.update(t.warning).values(sealed=empty))
    assert first(await office.send(WANG | {"instruction_no": "YJ-1", "grade": "高"}))["status"] == "duplicate"
    assert len(office.rows(t.warning)) == 1


async def test_a_source_is_not_told_that_somebody_else_knows_the_person(office: Office):
    """The answers about a person with a case and about a stranger are the same but for the number."""
    office.unit("临河分局")
    await office.send(WANG | {"instruction_no": "YJ-1", "grade": "特高危", "unit": "五原县局"})
    stranger = {"name": "李四", "phones": "13700137000", "id_number": "150402199001011253"}
    for number, (unit, scopes) in enumerate(
        (
            ("", ["warnings:write"]),
            ("临河分局", ["warnings:write", "cases:read"]),
            ("", ["warnings:write", "signals:write", "report:read"]),
        )
    ):
        header = office.token(f"curious{number}", *scopes, unit=unit)
        told = [
            (await office.send(person | {"instruction_no": name}, headers=header)).text.replace(name, "")
            for person, name in ((WANG, "no-a"), (stranger, "no-b"))
        ]
        assert told[0] == told[1]
        result = first(await office.send(WANG | {"instruction_no": "no-a"}, headers=header))
        assert (result["status"], result["case_id"], result["next_steps"]) == ("duplicate", None, [])


async def solved_case(office: Office, *, grade: str, opted_out: bool = True) -> int:
    """A success in its watch period, whose person wants no more calls."""
    case_id: int = first(await office.send(WANG | {"instruction_no": "1", "grade": grade}))["case_id"]
    values = {
        "status": "watching", "outcome": "dissuaded_by_phone", "robot_state": "done", "robot_at": None,
        "human_state": "none", "human_at": None, "visit_state": "none", "visit_at": None,
        "watch_until": office.clock.now() + timedelta(days=7), "opted_out": opted_out,
    }  # fmt: skip
    with office.app.services.store.begin() as tx:
        tx.execute(sa.delete(t.assignment))
        tx.execute(sa.update(t.case).values(**values))
    return case_id


@pytest.mark.parametrize("grade", ["低", "中"])
async def test_who_says_that_it_is_solved_is_not_called_again_for_it(office: Office, grade: str):
    """By no channel: no call is planned, no message, no task; the warning stays with the case."""
    case_id = await solved_case(office, grade="中")
    attempts, planned = len(office.rows(t.attempt)), len(office.rows(t.message))
    for number in range(2):
        office.clock.advance(3600)
        again = WANG | {"instruction_no": f"again {number}", "grade": grade}
        assert first(await office.send(again))["case_id"] == case_id
    (case,) = office.rows(t.case)
    assert (case["warnings"], case["status"], case["robot_state"]) == (3, "watching", "done")
    assert (len(office.rows(t.attempt)), len(office.rows(t.message))) == (attempts, planned)
    assert (office.rows(t.assignment), office.rows(t.alarm)) == ([], [])


async def test_a_higher_grade_ends_that_and_tells_somebody(office: Office):
    case_id = await solved_case(office, grade="中")
    office.clock.advance(3600)
    other = first(await office.send(WANG | {"instruction_no": "again", "grade": "高"}))["case_id"]
    assert other != case_id
    case = office.rows(t.case)[-1]
    assert (case["id"], case["status"], case["robot_state"]) == (other, "open", "pending")
    assert [(row["code"], row["case_id"]) for row in office.rows(t.alarm)] == [("warned_after_stop", other)]


async def test_who_has_not_said_so_is_called_for_a_new_warning(office: Office):
    case_id = await solved_case(office, grade="中", opted_out=False)
    office.clock.advance(3600)
    other = first(await office.send(WANG | {"instruction_no": "again", "grade": "低"}))["case_id"]
    assert other != case_id
    assert office.rows(t.alarm) == []


def phones_of_person(office: Office) -> list[str]:
    (person,) = office.rows(t.person)
    with office.app.services.store.begin() as tx:
        return list(open_person(tx, person_id=person["id"], sealed=person["sealed"]).phones)


@pytest.mark.parametrize("grade", ["低", "特高危"])
async def test_another_source_has_the_robot_call_no_number_of_its_own(office: Office, grade: str):
    await office.send(WANG | {"instruction_no": "1", "grade": "特高危"})
    other = office.token("small-bank", "warnings:write")
    theirs = WANG | {
        "instruction_no": "9",
        "grade": grade,
        "phones": "13800138000,13900139000",
        "address": "x",
    }
    assert first(await office.send(theirs, headers=other))["status"] == "accepted"
    (case,) = office.rows(t.case)
    assert (case["warnings"], case["numbers"]) == (2, 1)
    assert phones_of_person(office) == ["+8613800138000"]
    (alarm,) = office.rows(t.alarm)
    assert (alarm["code"], alarm["case_id"]) == ("number_of_another_source", case["id"])
    services = office.app.services
    assert show_case(services, case["id"]).file.other_numbers == ("139****9000",)
    shown = reveal(services, unrestricted("li"), case["id"], reason="other", why="asks the source")
    assert (shown.phones, shown.address) == (("+8613800138000", "+8613900139000"), "")


async def test_a_number_is_called_where_its_source_raises_the_case_or_opened_it(office: Office):
    other = office.token("small-bank", "warnings:write")
    await office.send(WANG | {"instruction_no": "9", "grade": "低", "phones": "13600136000"}, headers=other)
    await office.send(WANG | {"instruction_no": "1", "grade": "特高危"})
    await office.send(WANG | {"instruction_no": "9b", "phones": "13500135000", "grade": "低"}, headers=other)
    expected = ["+8613600136000", "+8613800138000", "+8613500135000"]
    assert (phones_of_person(office), office.rows(t.case)[0]["numbers"]) == (expected, 3)
    assert office.rows(t.alarm) == []


async def test_one_bad_warning_costs_only_itself(office: Office):
    answer = await office.send(
        {"phones": "13800138001"}, {"phones": "12"}, "text", {"fone": "1", "phones": "13800138002"}, WANG
    )
    assert answer.status_code == 200
    assert [(r["index"], r["status"]) for r in answer.json()["results"]] == [
        (0, "accepted"),
        (1, "rejected"),
        (2, "rejected"),
        (3, "rejected"),
        (4, "accepted"),
    ]
    assert len(office.rows(t.case)) == 2


REJECTED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({}, "phones", "missing"),
    ({"phones": ""}, "phones", "missing"),
    ({"phones": []}, "phones", "missing"),
    ({"phones": ["无"]}, "phones", "missing"),
    ({"phones": "王小明"}, "phones", "unusable"),
    ({"phones": 13800138000}, "phones", "wrong_type"),
    ({"phones": None}, "phones", "wrong_type"),
    ({"phones": [["13800138000"]]}, "phones", "wrong_type"),
    ({"phones": ["13800138000"] * 21}, "phones", "too_long"),
    ({"phones": "13800138000", "name": {"first": "王"}}, "name", "wrong_type"),
    ({"phones": "13800138000", "grade": "紫"}, "grade", "unreadable"),
    ({"phones": "13800138000", "grade": 1}, "grade", "wrong_type"),
    ({"phones": "13800138000", "amount_at_risk": "many"}, "amount_at_risk", "unreadable"),
    ({"phones": "13800138000", "amount_at_risk": 500.5}, "amount_at_risk", "wrong_type"),
    ({"phones": "13800138000", "amount_paid_fen": -1}, "amount_paid_fen", "out_of_range"),
    ({"phones": "13800138000", "amount_paid_fen": 10**15}, "amount_paid_fen", "out_of_range"),
    ({"phones": "13800138000", "amount_paid_fen": 1e30}, "amount_paid_fen", "wrong_type"),
    ({"phones": "13800138000", "amount_paid_fen": True}, "amount_paid_fen", "wrong_type"),
    (
        {"phones": "13800138000", "amount_at_risk": "5", "amount_at_risk_fen": 500},
        "amount_at_risk_fen",
        "twice",
    ),
    ({"phones": "13800138000", "event_at": "yesterday"}, "event_at", "unreadable"),
    ({"phones": "13800138000", "produced_at": "2026-13-01"}, "produced_at", "unreadable"),
    ({"phones": "13800138000", "expires_at": "soon"}, "expires_at", "unreadable"),
    ({"phones": "13800138000", "expires_at": "2026-11-01"}, "expires_at", "expired"),
    ({"phones": "13800138000", "instruction_no": "9" * 201}, "instruction_no", "too_long"),
    ({"phones": "13800138000", "talk_seconds": -5}, "talk_seconds", "out_of_range"),
)


async def test_what_cannot_be_read_is_rejected_by_its_field(office: Office):
    for warning, field, code in REJECTED:
        alone = await office.send(warning)
        assert alone.status_code == 422
        assert alone.headers["content-type"] == "application/problem+json"
        (error,) = alone.json()["errors"]
        assert (error["index"], error["field"], error["code"]) == (0, field, code), warning
        assert error["reason"]
        assert error["fix"]
    assert office.rows(t.warning) == []


async def test_what_was_sent_is_not_repeated_in_a_refusal(office: Office):
    secret = {"phones": "王小明13800", "name": "李四四", "grade": "住在胜利路"}
    answer = await office.send(secret)
    assert answer.status_code == 422
    for text in ("王小明", "13800", "李四四", "胜利路"):
        assert text not in answer.text


async def test_an_unknown_field_is_refused_with_the_nearest_right_one(office: Office):
    for name, nearest in (
        ("phone", "phones"),
        ("instruction_number", "instruction_no"),
        ("level", None),
        ("amount_risk", "amount_at_risk"),
        ("amount", "amount_at_risk / amount_paid"),
        ("amount_fen", "amount_at_risk_fen / amount_paid_fen"),
    ):
        answer = await office.send({"phones": "13800138000", name: "1"})
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == (name, "unknown_field")
        if nearest is None:
            assert "did you mean" not in error["fix"]
        else:
            assert f"did you mean {nearest}?" in error["fix"]


async def test_a_misspelt_name_is_told_before_what_is_missing_because_of_it(office: Office):
    answer = await office.send({"phone": "13800138000"})
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("phone", "unknown_field")
    assert "did you mean phones?" in error["fix"]


async def test_a_rejected_number_may_be_sent_again_when_it_is_mended(office: Office):
    bad = await office.send({"phones": "12", "instruction_no": "YJ-1"})
    good = await office.send({"phones": "13800138000", "instruction_no": "YJ-1"})
    assert (bad.status_code, first(good)["status"]) == (422, "accepted")


async def test_words_and_sums_are_read_as_in_a_list(office: Office):
    await office.send(
        {
            "phones": ["+86 138-0013-8000", "０４７８－８２１２３４５"],
            "grade": "红",
            "kind": "资金",
            "fraud_type": "刷单返利",
            "amount_at_risk": "3万元",
            "amount_paid_fen": 123456,
            "talk_seconds": 125,
            "produced_at": "2026-11-25T09:30:00+08:00",
            "event_at": "2026年11月25日 09:05",
            "tags": ["老年", "蒙语"],
            "unit": "临河分局",
        }
    )
    warning = office.rows(t.warning)[0]
    assert (warning["grade"], warning["kind"], warning["fraud_type"]) == ("high", "fund", "fake_order_rebate")
    assert (warning["amount_at_risk_fen"], warning["amount_paid_fen"]) == (3_000_000, 123_456)
    assert (warning["talk_seconds"], warning["unit"]) == (125, "临河分局")
    assert warning["produced_at"].isoformat() == "2026-11-25T01:30:00+00:00"
    assert warning["event_at"].isoformat() == "2026-11-25T01:05:00+00:00"
    assert warning["tags"] == ["elderly", "mongolian"]
    assert office.rows(t.person)[0]["numbers"] == 2


async def test_notices_say_what_deserves_a_look(office: Office):
    result = first(await office.send(WANG | {"id_number": "150402199001011230", "tags": "左撇子"}))
    found = {(notice["field"], notice["code"]) for notice in result["notices"]}
    assert found == {("id_number", "id_invalid"), ("tags", "tag_unknown"), ("grade", "grade_defaulted")}


async def test_a_missed_high_warning_is_taken_and_said_to_be_missed(office: Office):
    result = first(await office.send(WANG | {"grade": "高", "expires_at": "2026-11-24 09:00"}))
    assert result["status"] == "accepted"
    assert [notice["code"] for notice in result["notices"]] == ["missed"]
    assert office.rows(t.warning)[0]["missed"]


@pytest.mark.parametrize(
    "warning",
    [{"phones": "12", "grade": "特高危"}, {"fone": "13800138000", "grade": "高危"}],
    ids=["unusable", "misshapen"],
)
async def test_a_rejected_warning_of_a_high_grade_raises_an_alarm(office: Office, warning: dict[str, Any]):
    await office.send(warning)
    (alarm,) = office.rows(t.alarm)
    assert alarm["code"] == AlarmCode.REJECTED_HIGH_ROW.value
    assert alarm["facts"] == {"api_token": "city-bank"}


async def test_a_rejected_warning_of_a_low_grade_raises_none(office: Office):
    await office.send({"phones": "12", "grade": "低"})
    assert office.rows(t.alarm) == []


async def test_a_tokens_unit_is_the_unit_of_warnings_without_one(office: Office):
    office.unit("临河分局")
    header = office.token("linhe", "warnings:write", unit="临河分局")
    await office.send(
        {"phones": "13800138000"}, {"phones": "13800138001", "unit": "五原县局"}, headers=header
    )
    assert [warning["unit"] for warning in office.rows(t.warning)] == ["临河分局", "五原县局"]


async def test_who_sent_how_many_is_in_the_audit(office: Office):
    await office.send(WANG, {"phones": "12"}, WANG)
    line = office.rows(t.audit)[-1]
    assert (line["who"], line["act"]) == ("token/city-bank", "take_warnings")
    assert line["facts"] == {"accepted": 1, "merged": 0, "duplicate": 1, "rejected": 1}


async def test_the_dialler_is_told_after_new_warnings_and_not_after_old_ones(office: Office):
    await office.send(WANG)
    await eventually(lambda: office.enqueued == [("dial",)])
    await office.send(WANG)
    await office.send({"phones": "12"})
    assert office.enqueued == [("dial",)]


async def test_an_extra_high_warning_is_claimed_before_all_that_wait(office: Office):
    low = [{"phones": f"1380013{n:04d}", "grade": "低", "name": f"甲{n}"} for n in range(300)]
    assert (await office.send(*low)).json()["accepted"] == 300
    office.clock.advance(60)
    urgent = first(await office.send({"phones": "13900139000", "grade": "特高危"}))
    services = office.app.services
    with services.store.begin() as tx:
        promote_planned(tx, now=office.clock.now())
        group = lock_line_group(tx)
        assert group is not None
        claimed = claim_attempts(
            tx,
            group,
            now=office.clock.now(),
            real_now=SystemClock().now(),
            horizon_seconds=2.0,
            lease_seconds=30.0,
            at_most=1,
            number_retry_seconds=1,
        )
    assert [claimed_attempt.case_id for claimed_attempt in claimed.attempts] == [urgent["case_id"]]
    kinds = {(step["kind"], step["track"]) for step in urgent["next_steps"]}
    assert {("ring", "robot"), ("errand_due", "human"), ("errand_due", "visit")} <= kinds


async def test_a_thousand_at_once_are_taken_and_no_more(office: Office):
    many = [{"phones": f"1380013{n:04d}", "name": f"甲{n}"} for n in range(1001)]
    refused = await office.send(*many)
    assert (refused.status_code, office.rows(t.warning)) == (422, [])
    assert re.search(r"\b1000\b", refused.json()["detail"])
    assert (await office.send(*many[:1000])).json()["accepted"] == 1000
    assert (await office.client.post("/api/v1/warnings", json=[])).status_code == 422
