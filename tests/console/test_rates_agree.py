"""One moment, one set of figures: the page, its lists of cases, the files, the API and the command line."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import python_calamine
import sqlalchemy as sa
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.core.access import Role, unrestricted
from dialer.core.rates import COUNT_NAMES, DEFINITIONS, FUNNEL, CaseFilter, Dimension, rates_of
from dialer.core.text import Lang
from dialer.core.values import AmountKind, Grade, format_yuan
from dialer.db import tables as t
from dialer.db.measures import CASE_MEASURES
from dialer.figures.pages import RatesForm
from dialer.figures.rate_tables import SHOWN_BESIDE, has_parquet
from dialer.figures.report import RatesQuery, cut_rates, refresh_figures
from dialer.language.figure_words import count_word, rate_word
from dialer.language.words import word_of
from dialer.retention.retention import apply_retention
from dialer.runtime.sections import RetentionSettings
from dialer.staff.sign_in import add_token
from tests.console.desk import ConsoleDesk, Person, text
from tests.figures.test_cut_figures import make_successes_true_to_life, scatter
from tests.outcomes.town import MORNING, Scenario

command_line = build_command_line()

LINK = re.compile(r'href="(/rates/cases\?[^"]+)">([\d,]+)</a>')


@pytest.fixture
def town(console: ConsoleDesk) -> Scenario:
    scenario = Scenario.on(console.app.services)
    scatter(scenario, 11)
    make_successes_true_to_life(scenario)
    refresh_figures(scenario.services)
    return scenario


def number(written: str) -> int:
    return int(written.replace(",", ""))


def figures_to_open(page: httpx.Response) -> dict[str, int]:
    """Each address of a list of cases, with the figure that it is opened by."""
    found = {unescape(address): number(shown) for address, shown in LINK.findall(page.text)}
    assert found
    return found


def moment_of_page(page: httpx.Response) -> str:
    (at,) = {unescape(at) for at in re.findall(r"/rates/file/xlsx\?[^\"]*?at=([^&\"]+)", page.text)}
    return at.replace("%3A", ":")


async def check_list(person: Person, address: str, figure: int) -> None:
    answer = await person.get(address)
    shown = text(answer)
    said = re.search(r"([\d,]+) as of", shown)
    assert said is not None, shown
    assert number(said[1]) == figure, address
    assert "had the same figure" in shown
    listed = len(re.findall(r'href="/cases/\d+"', answer.text))
    if re.findall(r"measure=(\w+)", address)[0] in CASE_MEASURES:
        assert listed == figure, address
    else:
        assert 0 < listed <= figure, address


def tables(body: bytes) -> dict[str, dict[str, list[Any]]]:
    """By sheet and first cell."""
    book = python_calamine.load_workbook(io.BytesIO(body))
    return {
        name: {str(row[0]): row[1:] for row in book.get_sheet_by_name(name).to_python()}
        for name in book.sheet_names
    }


async def report_by_api(console: ConsoleDesk, at: str, *, name: str = "reports") -> dict[str, Any]:
    token = add_token(
        console.app.services, unrestricted("test"), name=name, scopes=["report:read"], days=1, unit=""
    )
    answer = await console.stranger().get(
        "/api/v1/report", params={"at": at}, headers={"Authorization": f"Bearer {token.secret}"}
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def report_by_command(environment: Mapping[str, str], at: str) -> Any:  # noqa: ANN401  # JSON
    answer = CliRunner().invoke(
        command_line, ["report", "--at", at, "--json"], env=dict(environment), catch_exceptions=False
    )
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


@pytest.fixture
def environment(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    """As the web process's, for the command line."""
    return {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
    }


async def test_every_figure_of_the_whole_agrees_everywhere(
    console: ConsoleDesk, town: Scenario, environment: dict[str, str]
):
    auditor = console.person(Role.AUDITOR)
    page = await auditor.get("/rates", by="grade")
    shown, at = text(page), moment_of_page(page)
    for address, figure in figures_to_open(page).items():
        await check_list(auditor, address, figure)
    told = await report_by_api(console, at)
    assert report_by_command(environment, at) == told
    assert told["generated_at"] == MORNING.isoformat()
    held = tables((await auditor.get("/rates/file/xlsx", by="grade", at=at)).content)
    for definition in DEFINITIONS:
        rate = told["rates"][definition.name]
        row = held["Rates"][rate_word(definition, Lang.EN)]
        told_row = [rate[k] for k in ("value", "numerator", "denominator", "low", "high")]
        if not rate["denominator"]:
            assert row[:5] == ["" if value is None else value for value in told_row]
            continue
        assert row[:5] == pytest.approx(told_row)
        within = f"{rate['low'] * 100:.1f} – {rate['high'] * 100:.1f}%"
        assert f"{rate['value']:.1%} {rate['numerator']:,} / {rate['denominator']:,} {within}" in shown
    for name in FUNNEL:
        assert held["Counts"][count_word(name, Lang.EN)] == [told["counts"][name]]
    for kind in AmountKind:
        money = told["amounts"][kind.value]
        row = held["Amounts in yuan"][word_of(kind, Lang.EN)]
        assert [round(cell * 100) for cell in row] == list(money.values())
        assert all(f"{format_yuan(fen)}" in shown for fen in money.values())
    for grade in Grade:
        one, row = told["by_grade"][grade.value], held["By grade"][word_of(grade, Lang.EN)]
        assert row[: len(SHOWN_BESIDE)] == [one["counts"][name] for name in SHOWN_BESIDE]
        assert sum(held["Time to first call"][word_of(grade, Lang.EN)]) == one["first_attempt"]["cases"]


async def test_every_figure_of_a_part_opens_to_its_own_cases(console: ConsoleDesk, town: Scenario):
    for by in [one for one in Dimension if one not in {Dimension.GRADE, Dimension.HOUR}]:
        with town.tx() as tx:
            city = tx.scalar(sa.select(t.unit.c.id).where(t.unit.c.parent_id.is_(None)))
        auditor = (
            console.person(Role.SUPERVISOR, unit_id=city)
            if by is Dimension.UNIT
            else console.person(Role.AUDITOR)
        )
        page = await auditor.get("/rates", by=by.value)
        of_parts = {
            address: figure for address, figure in figures_to_open(page).items() if "value=" in address
        }
        assert of_parts
        for address, figure in of_parts.items():
            await check_list(auditor, address, figure)


async def test_what_has_changed_since_is_said_and_the_moment_keeps_its_figures(
    console: ConsoleDesk, town: Scenario, environment: dict[str, str]
):
    auditor = console.person(Role.AUDITOR)
    page = await auditor.get("/rates", by="unit")
    at = moment_of_page(page)
    opened = {
        re.findall(r"measure=(\w+)", a)[0]: (a, n)
        for a, n in figures_to_open(page).items()
        if "value=" not in a
    }
    file = (await auditor.get("/rates/file/csv", by="unit", at=at)).content
    told = await report_by_api(console, at)
    console.pass_seconds(65)
    town.case()
    town.case()
    with town.tx() as tx:
        ended = tx.scalar(
            sa.select(sa.func.max(t.case.c.id)).where(t.case.c.status == "open", ~t.case.c.drill)
        )
        tx.execute(
            sa.update(t.case)
            .where(t.case.c.id == ended)
            .values(outcome="duplicate", status="closed", due_at=None, settled_at=MORNING)
        )
    address, figure = opened["cases"]
    said = text(await auditor.get(address))
    assert f"{figure + 2} as of 2026-11-25 10:01:05" in said
    assert f"The report of 2026-11-25 10:00:00 had {figure}: 2 more since." in said
    address, figure = opened["cases_ours"]
    assert f"had {figure}: 1 more since." in text(await auditor.get(address))
    again = await auditor.get("/rates", by="unit", at=at)
    assert figures_to_open(again) == figures_to_open(page)
    later = (await auditor.get("/rates/file/csv", by="unit", at=at)).content
    made = b"Made at,2026-11-25 10:0%b +0800"
    assert later.replace(made % b"1:05", made % b"0:00") == file
    assert await report_by_api(console, at, name="again") == told
    assert report_by_command(environment, at) == told
    assert figures_to_open(await auditor.get("/rates", by="unit")) != figures_to_open(page)


async def test_figures_that_are_not_kept_are_not_made_up(console: ConsoleDesk, town: Scenario):
    auditor = console.person(Role.AUDITOR)
    page = await auditor.get("/rates")
    address, figure = next(iter(figures_to_open(page).items()))
    console.pass_seconds(25 * 3600)
    auditor = console.signed_in(auditor.member)
    apply_retention(console.app.services, RetentionSettings())  # drops the figures of a day ago
    at = moment_of_page(page)
    assert "is not kept any more" in text(await auditor.get(address))
    again = await auditor.get("/rates", at=at)
    assert "the figures of this moment are not kept" in text(again)
    assert (await auditor.get("/rates/file/xlsx", at=at)).status_code == 422
    assert (await auditor.get("/rates", at="yesterday")).status_code == 422
    assert figure


async def test_a_moment_shows_nobody_the_figures_of_others(console: ConsoleDesk, town: Scenario):
    at = moment_of_page(await console.person(Role.AUDITOR).get("/rates"))
    with town.tx() as tx:
        east = tx.scalar(sa.select(sa.func.max(t.unit.c.id)))
    chief = console.person(Role.SUPERVISOR, unit_id=east)
    assert (await chief.get("/rates/file/csv", at=at)).status_code == 422


async def test_a_unit_is_compared_for_the_same_mix(console: ConsoleDesk, town: Scenario):
    auditor = console.person(Role.AUDITOR)
    page = await auditor.get("/rates", by="unit")
    held = tables((await auditor.get("/rates/file/xlsx", by="unit", at=moment_of_page(page))).content)
    head = next(iter(held["By unit"].values()))
    assert "Dissuaded: adjusted" in head
    told = {row[head.index("Dissuaded: comparison")] for name, row in held["By unit"].items() if name}
    said = [
        one for one in told if one.startswith(("Too few", "The difference from the rest is within chance"))
    ]
    assert said
    assert all(one in text(page) for one in said)
    rows = list(csv.reader(io.StringIO((await auditor.get("/rates/file/csv", by="unit")).text)))
    assert any("Dissuaded: adjusted" in row for row in rows)


async def test_a_file_defines_its_rates_and_says_who_made_it(console: ConsoleDesk, town: Scenario):
    auditor = console.person(Role.AUDITOR)
    answer = await auditor.get("/rates/file/xlsx", by="grade", grade="high")
    held = tables(answer.content)
    assert {row[-1] for row in held["Definitions"].values()} >= {one.name for one in DEFINITIONS}
    about = held["About this file"]
    assert about["Made by"] == ["auditor"]
    assert about["Grade"] == ["high"]
    local = console.clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
    assert about["Made at"] == [f"{local:%Y-%m-%d %H:%M:%S %z}"]
    assert f"rates-{local:%Y%m%d-%H%M}.xlsx" in answer.headers["content-disposition"]
    counts = held["All counts"]
    assert len(counts[""]) >= len(COUNT_NAMES)
    report = cut_rates(
        console.app.services,
        RatesQuery(by=Dimension.GRADE, cut=CaseFilter(grade=Grade.HIGH)),
        reader_unit_id=None,
    )
    whole = report.breakdown.total.counts
    assert counts["All together"][: len(COUNT_NAMES)] == [getattr(whole, name) for name in COUNT_NAMES]


async def test_a_file_names_every_filter_that_it_was_narrowed_by(console: ConsoleDesk, town: Scenario):
    given = {"from": "2026-11-01", "to": "2026-11-30", "by": "grade", "unit": "", "grade": "high", "type": "loan",
             "source": "bureau", "script": "loan", "version": "loan@1", "hour": "9", "person": "li"}  # fmt: skip
    assert given.keys() | {"at"} == RatesForm().given.keys()
    answer = await console.person(Role.AUDITOR).get("/rates/file/xlsx", **given)
    about = tables(answer.content)["About this file"]
    told = {value[0] for value in about.values() if value}
    assert told >= {value for value in given.values() if value}


async def test_parquet_is_one_table_in_the_words_of_the_json(console: ConsoleDesk, town: Scenario):
    auditor = console.person(Role.AUDITOR)
    answer = await auditor.get("/rates/file/parquet", by="grade")
    if not has_parquet():
        assert answer.status_code == 422
        assert "needs the extra parquet" in text(answer)
        assert console.audited("export") == []
        return
    table = import_module("pyarrow.parquet").read_table(io.BytesIO(answer.content))
    report = cut_rates(console.app.services, RatesQuery(by=Dimension.GRADE), reader_unit_id=None)
    rows = {row["value"]: row for row in table.to_pylist()}
    assert set(rows) == {None, *report.breakdown.slices}
    for value, part in ((None, report.breakdown.total), *report.breakdown.slices.items()):
        assert {name: rows[value][name] for name in COUNT_NAMES} == {
            name: getattr(part.counts, name) for name in COUNT_NAMES
        }
        for rate in rates_of(part.counts):
            assert rows[value][f"{rate.definition.name}.value"] == rate.value
        for kind, money in part.amounts.items():
            assert rows[value][f"{kind.value}_approved_fen"] == money.approved_fen
    about = json.loads(table.schema.metadata[b"dialer"])
    assert (about["made_by"], about["by"]) == ("auditor", "grade")
    assert {definition["name"] for definition in about["definitions"]} == {one.name for one in DEFINITIONS}
