"""Cases and reports over the API: the JSON of the command line, masked, for the token's unit alone."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from dialer.case_page.reading import CaseOut, case_out, show_case
from dialer.core.errors import Invalid
from dialer.core.rates import Dimension
from dialer.db import tables as t
from dialer.db.units import teach_unit_alias, touch_units
from dialer.figures.report import RatesQuery, cut_rates, make_report, report_period
from dialer.figures.report_json import CutOut, ReportOut, cut_report_out, report_out
from dialer.figures.unit_record_tables import RecordsOut, records_out
from dialer.figures.unit_records import RecordsQuery, read_unit_records
from tests.api.office import WANG, Office, first


async def test_a_case_is_told_as_on_the_command_line_and_masked(office: Office):
    case_id = first(await office.send(WANG | {"grade": "高危", "address": "胜利路1号"}))["case_id"]
    answer = await office.client.get(f"/api/v1/cases/{case_id}")
    assert answer.status_code == 200
    assert answer.json() == case_out(show_case(office.app.services, case_id)).plain()
    assert answer.json()["person"]["phones"] == ["138****8000"]
    for text in ("王小明", "13800138000", "150402199001011237", "胜利路"):
        assert text not in answer.text


async def test_the_description_of_a_case_names_every_member(office: Office):
    case_id = first(await office.send(WANG))["case_id"]
    told = (await office.client.get(f"/api/v1/cases/{case_id}")).json()
    assert set(told) == set(CaseOut.model_fields)
    CaseOut.model_validate(told)


@pytest.mark.parametrize("case_id", ["999", "9223372036854775807"])
async def test_a_case_that_is_not_there_is_not_found(office: Office, case_id: str):
    answer = await office.client.get(f"/api/v1/cases/{case_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_what_is_no_case_number_is_refused_by_its_name(office: Office):
    for case_id in (
        "0",
        "-1",
        "abc",
        "9223372036854775808",
        "1e3",
        "%00",
    ):
        answer = await office.client.get(f"/api/v1/cases/{case_id}")
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["case_id"]


async def test_a_token_of_one_unit_sees_its_own_cases_alone(office: Office):
    unit_id = office.unit("临河分局")
    office.unit("五原县局")
    office.unit("城关派出所", unit_id)
    header = office.token("linhe", "warnings:write", "cases:read", unit="临河分局")
    own = await _sent(office, {"phones": "13800138001"}, header)
    foreign = await _sent(office, {"phones": "13800138002", "unit": "五原县局"}, header)
    assert (await office.client.get(f"/api/v1/cases/{own}", headers=header)).status_code == 200
    below = await _sent(office, {"phones": "13800138003", "unit": "城关派出所"}, header)
    unknown = await _sent(office, {"phones": "13800138004", "unit": "无此单位"}, header)
    for other in (foreign, below, unknown):
        assert (await office.client.get(f"/api/v1/cases/{other}", headers=header)).status_code == 404


async def _sent(office: Office, warning: dict[str, str], header: dict[str, str]) -> int:
    """The case of a new warning: a token of one unit is not told."""
    assert first(await office.send(warning, headers=header))["case_id"] is None
    case_id: int = office.rows(t.warning)[-1]["case_id"]
    return case_id


async def _status(office: Office, case_id: int, header: dict[str, str]) -> int:
    return (await office.client.get(f"/api/v1/cases/{case_id}", headers=header)).status_code


@pytest.mark.parametrize("spelling", ["临河公安分局", "临河分局一中队", "市局/临河分局"])
async def test_a_token_reads_what_it_sent_however_its_unit_was_written(office: Office, spelling: str):
    unit_id = office.unit("临河分局", office.unit("市局"))
    with office.app.services.store.begin() as tx:
        teach_unit_alias(tx, "临河分局一中队", unit_id=unit_id, by="test", now=office.clock.now())
    header = office.token("linhe", "warnings:write", "cases:read", unit=spelling)
    own = await _sent(office, {"phones": "13800138001"}, header)
    assert await _status(office, own, header) == 200
    assert [row["unit"] for row in office.rows(t.warning)] == [spelling]


@pytest.mark.parametrize("wrong", ["无此单位", "城关派出所"])
async def test_a_token_is_refused_for_a_unit_that_is_unknown_or_one_of_two(office: Office, wrong: str):
    units = [office.unit("城关派出所", office.unit(above)) for above in ("甲县公安局", "乙县公安局")]
    with pytest.raises(Invalid, match=r"names no unit, or more than one .write its name after") as refused:
        office.token("bank", "cases:read", unit=wrong)
    assert refused.value.field == "unit"
    office.token("bank", "cases:read", unit=" 甲县公安局/城关派出所 ")
    token = office.rows(t.api_token)[-1]
    assert (token["unit"], token["unit_id"]) == ("甲县公安局/城关派出所", units[0])


async def test_units_that_exchange_names_exchange_no_tokens(office: Office):
    first_id, second_id = office.unit("甲所"), office.unit("乙所")
    header = office.token("jia", "warnings:write", "cases:read", unit="甲所")
    own = await _sent(office, {"phones": "13800138001"}, header)
    with office.app.services.store.begin() as tx:
        for unit_id, name in ((first_id, "丙所"), (second_id, "甲所"), (first_id, "乙所")):
            tx.execute(sa.update(t.unit).where(t.unit.c.id == unit_id).values(name=name))
        touch_units(tx)
    foreign = await _sent(office, {"phones": "13800138002", "unit": "甲所"}, header)
    assert await _status(office, own, header) == 200
    assert await _status(office, foreign, header) == 404


async def test_a_token_without_the_id_of_its_unit_sees_what_its_text_means(office: Office):
    office.unit("临河分局")
    header = office.token("linhe", "warnings:write", "cases:read", unit="临河公安分局")
    with office.app.services.store.begin() as tx:
        tx.execute(sa.update(t.api_token).where(t.api_token.c.name == "linhe").values(unit_id=None))
    own = await _sent(office, {"phones": "13800138001"}, header)
    assert await _status(office, own, header) == 200
    unknown = await _sent(office, {"phones": "13800138002", "unit": "无此单位"}, header)
    with office.app.services.store.begin() as tx:
        tx.execute(sa.update(t.api_token).where(t.api_token.c.name == "linhe").values(unit="无此单位"))
    office.clock.advance(10)
    assert [await _status(office, one, header) for one in (own, unknown)] == [404, 404]


async def test_the_report_is_that_of_the_command_line(office: Office):
    await office.send(WANG)
    answer = await office.client.get("/api/v1/report", params={"from": "2026-11-25", "to": "2026-11-25"})
    services = office.app.services
    expected = report_out(make_report(services, report_period(services, "2026-11-25", "2026-11-25")), ())
    assert answer.json() == expected.plain()
    assert answer.json()["counts"]["warnings"] == 1
    ReportOut.model_validate(answer.json())
    assert set(answer.json()) == set(ReportOut.model_fields)


async def test_a_window_without_warnings_counts_none(office: Office):
    await office.send(WANG)
    answer = await office.client.get("/api/v1/report", params={"to": "2026-11-24"})
    assert answer.json()["counts"]["warnings"] == 0


async def test_a_cut_is_that_of_the_page_and_its_parts_add_up(office: Office):
    await office.send(WANG, {"phones": "13900139000", "name": "李", "grade": "高危"})
    services = office.app.services
    answer = await office.client.get("/api/v1/report/cut", params={"by": "grade", "from": "2026-11-25"})
    body = answer.json()
    CutOut.model_validate(body)
    at = body["generated_at"]
    asked = RatesQuery(by=Dimension.GRADE, period=report_period(services, "2026-11-25", ""))
    kept = cut_rates(services, asked, reader_unit_id=None, at=datetime.fromisoformat(at))
    assert body == cut_report_out(services, asked, kept).plain()
    assert body["total"]["counts"]["warnings"] == 2
    assert sum(part["counts"]["warnings"] for part in body["parts"]) == 2
    high = await office.client.get("/api/v1/report/cut", params={"by": "grade", "grade": "high"})
    assert high.json()["total"]["counts"]["warnings"] == 1


async def test_the_records_of_units_are_those_of_the_page(office: Office):
    await office.send(WANG)
    services = office.app.services
    answer = await office.client.get("/api/v1/report/units", params={"month": "2026-11"})
    found = read_unit_records(services, RecordsQuery(month=date(2026, 11, 1)), reader_unit_id=None)
    assert answer.json() == records_out(services, found).plain()
    RecordsOut.model_validate(answer.json())
    [line] = [line for line in office.rows(t.audit) if line["act"] == "export"]
    assert (line["subject"], line["facts"]) == ("records", {"month": "2026-11", "kind": "json"})
    for query, status in (("unit=987654", 404), ("month=soon", 422), ("months=2026-11", 422)):
        assert (await office.client.get(f"/api/v1/report/units?{query}")).status_code == status


async def test_every_report_that_is_read_is_audited(office: Office):
    await office.client.get("/api/v1/report", params={"from": "2026-11-25"})
    await office.client.get("/api/v1/report/cut", params={"by": "hour", "type": "loan"})
    assert [
        (line["who"], line["subject"], line["facts"])
        for line in office.rows(t.audit)
        if line["act"] == "export"
    ] == [
        ("token/city-bank", "report", {"from": "2026-11-25", "kind": "json"}),
        ("token/city-bank", "report", {"by": "hour", "type": "loan", "kind": "json"}),
    ]


async def test_a_cut_that_cannot_be_is_refused(office: Office):
    for query, status in (
        ("unit=987654", 404),
        ("by=weather", 422),
        ("hour=24", 422),
        ("grade=x", 422),
    ):
        assert (await office.client.get(f"/api/v1/report/cut?{query}")).status_code == status


async def test_a_wrong_window_is_refused_by_its_name(office: Office):
    for query, field in (
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-11-25&to=2026-11-01", "to"),
        ("form=2026-11-25", "form"),
        ("start=2026-11-25", "start"),
        ("from=" + "1" * 41, "from"),
    ):
        answer = await office.client.get(f"/api/v1/report?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
