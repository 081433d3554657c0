"""POST /openings/check: what an institution is answered while the customer waits."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialer.api.models import Problem, ProblemCode
from dialer.api.openings import check as check_by_token
from dialer.cards.counter.actions import finish_opening
from dialer.cards.openings.institutions import add_institution, add_outlet
from dialer.core.access import unrestricted
from dialer.core.cards import InstitutionKind, OpeningResult
from dialer.db import tables as t
from dialer.staff.token_store import all_tokens
from tests.api.office import Office
from tests.cards.street import BANK, id_number

BARE = {"opening_no": "1", "outlet": "1", "name": "张三", "id_number": id_number(1)}

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def bank(office: Office) -> dict[str, str]:
    """The headers of its token."""
    services = office.app.services
    headers = office.token("bank", "openings:write")
    add_institution(services, unrestricted("test"), name=BANK, kind=InstitutionKind.BANK, token="bank")
    add_outlet(services, unrestricted("test"), institution=BANK, code="1", name="一部")
    return headers


async def check(office: Office, bank: dict[str, str], **given: object) -> tuple[int, dict[str, Any]]:
    answer = await office.client.post("/api/v1/openings/check", json=BARE | given, headers=bank)
    return answer.status_code, answer.json()


async def test_a_customer_who_leaves_nothing_but_the_id_is_checked(office: Office, bank: dict[str, str]):
    status, told = await check(office, bank)
    assert (status, told["verdict"]) == (200, "clear")


async def test_an_institution_is_told_the_same_of_a_directed_customer_as_of_a_frequent_opener(
    office: Office, bank: dict[str, str]
):
    _, asked = await check(
        office, bank, opening_no="c", id_number=id_number(2), phone="13800138000", guided=True
    )
    assert office.rows(t.case) == []
    assert [row["opening_id"] for row in office.rows(t.card_question)] == [asked["opening_id"]]
    finish_opening(
        office.app.services,
        unrestricted("teller"),
        asked["opening_id"],
        result=OpeningResult.ABANDONED,
        outlet_id=1,
    )
    assert len(office.rows(t.case)) == 1
    _, at_risk = await check(office, bank, opening_no="d", id_number=id_number(2))
    for n in range(4):
        _, often = await check(office, bank, opening_no=str(n), id_number=id_number(3))
    for told in (at_risk, often):
        del told["opening_id"], told["findings"][0]["expires_at"]
    assert at_risk == often
    assert (often["verdict"], [one["check"] for one in often["findings"]]) == ("ask_desk", ["ask_first"])
    assert len(often["questions"]) == 3


async def test_a_check_says_nothing_by_its_time(office: Office, bank: dict[str, str]):
    least = office.app.services.cards.answer_seconds
    begun = time.monotonic()
    await check(office, bank)
    assert time.monotonic() - begun >= least > 0


@pytest.mark.parametrize(("limit", "fen"), [("2亿3", 23_000_000_000), ("5万", 5_000_000)])
async def test_a_limit_is_read_as_people_say_it(office: Office, bank: dict[str, str], limit: str, fen: int):
    status, _ = await check(office, bank, limit=limit)
    assert status == 200
    assert [row["limit_fen"] for row in office.rows(t.opening)] == [fen]


async def test_a_limit_is_text_so_that_nobody_takes_fen_for_yuan(office: Office, bank: dict[str, str]):
    answer = await office.client.post("/api/v1/openings/check", json=BARE | {"limit": 50000}, headers=bank)
    assert answer.status_code == 422
    assert office.rows(t.opening) == []


async def enter(office: Office, bank: dict[str, str], **given: str) -> tuple[int, dict[str, Any]]:
    answer = await office.client.post("/api/v1/openings", json=BARE | given, headers=bank)
    return answer.status_code, answer.json()


async def test_a_refusal_without_its_reason_is_told_so(office: Office, bank: dict[str, str]):
    status, told = await enter(office, bank, result="refused")
    assert status == 422
    assert told["errors"][0]["field"] == "why"
    assert "a refusal needs its reason" in told["errors"][0]["reason"]
    assert (await enter(office, bank, result="refused", why="他人指挥"))[0] == 200


def test_nobody_checks_person_after_person_by_a_token(office: Office, bank: dict[str, str]):
    """It checked as many people as its pace let it, and learned of each whether a fraud is under way."""
    services = office.app.services
    few = replace(services, cards=services.cards.model_copy(update={"unfinished_a_day_by_token": 3}))
    with services.store.begin() as tx:
        [token] = [one for one in all_tokens(tx) if one.name == "bank"]

    def ask(number: int) -> dict[str, Any]:
        person = {"opening_no": str(number), "id_number": id_number(number), "teller": f"t{number}"}
        return check_by_token(few, token, json.dumps(BARE | person).encode())

    for number in range(3):
        assert ask(number)["verdict"] == "clear"
    with pytest.raises(Problem) as refused:
        ask(3)
    assert (refused.value.status, refused.value.code) == (429, ProblemCode.TOO_MANY)
    assert ask(0)["verdict"] == "clear"  # one of those: it is being served
    assert [row["code"] for row in office.rows(t.alarm)] == ["many_opening_checks"]


async def test_a_refused_value_is_not_repeated(office: Office, bank: dict[str, str]):
    status, told = await enter(office, bank, result="half-open-777")
    assert (status, told["errors"][0]["field"]) == (422, "result")
    assert "777" not in str(told)


async def test_every_result_is_described(office: Office, bank: dict[str, str]):
    for number, result in enumerate(OpeningResult):
        assert f"`{result}`" in DOCUMENT
        status, _ = await enter(office, bank, opening_no=str(number), result=result, why="他人指挥")
        assert status == 200
