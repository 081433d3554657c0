"""Success rates: of the own units, narrowed by the address, open to their cases, taken away as files."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from datetime import timedelta
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest
import python_calamine
import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.rates import CaseFilter, Period, period_of, rates_of
from dialer.core.text import Lang
from dialer.core.values import Contact, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.figures.rate_charts import COMPARED
from dialer.figures.report import RatesQuery, cut_breakdown, make_report
from dialer.language.figure_words import count_word, rate_word
from dialer.org.tree import load_boundaries
from dialer.web.cache import Cache, CountedValue
from dialer.web.formats import escape_formula
from tests.console.desk import ConsoleDesk, text
from tests.outcomes.town import MORNING, Scenario


@pytest.fixture
def scenario(console: ConsoleDesk) -> Scenario:
    return Scenario.on(console.app.services)


def sorted_scenario(console: ConsoleDesk, scenario: Scenario) -> dict[str, int]:
    """Two dissuaded cases of the east station, one unreached case of the west one."""
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        east = add_unit(tx, name="东区", parent_id=city)
        west = add_unit(tx, name="西区", parent_id=city)
    for unit_id, contact, status in (
        (east, Contact.VERIFIED, CaseStatus.WATCHING),
        (east, Contact.VERIFIED, CaseStatus.PROVEN),
        (west, Contact.NONE, CaseStatus.OPEN),
    ):
        case_id = scenario.case(
            grade=Grade.HIGH,
            contact=contact,
            status=status,
            outcome=None if status is CaseStatus.OPEN else OutcomeKind.DISSUADED_BY_PHONE.value,
            opened_at=MORNING,
        )
        with console.app.services.store.begin() as tx:
            tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(unit_id=unit_id))
    return {"city": city, "east": east, "west": west}


async def test_every_rate_says_of_how_many(console: ConsoleDesk, scenario: Scenario):
    sorted_scenario(console, scenario)
    page = text(await console.person(Role.SUPERVISOR).get("/rates"))
    assert "Verified contact Of our cases, those where the right person said who they are" in page
    assert "66.7% 2 / 3" in page


async def test_units_stand_side_by_side_and_open(console: ConsoleDesk, scenario: Scenario):
    ids = sorted_scenario(console, scenario)
    chief = console.person(Role.SUPERVISOR, unit_id=ids["city"])
    answer = await chief.get("/rates")
    drawn = answer.text[answer.text.index('id="beside"') :]
    assert "东区 Verified contact: 100.0%" in drawn
    assert "西区 Verified contact: 0.0%" in drawn
    assert "data-chart" not in answer.text
    narrowed = text(await chief.get("/rates", unit=ids["west"]))
    assert "0.0% 0 / 1" in narrowed


async def test_the_own_unit_opens_no_further(console: ConsoleDesk, scenario: Scenario):
    ids = sorted_scenario(console, scenario)
    scenario.case(unit_id=ids["city"])
    chief = console.person(Role.SUPERVISOR, unit_id=ids["city"])
    for given, opened in (
        ("", {"east", "west"}),
        (str(ids["city"]), {"east", "west"}),
        (str(ids["east"]), set()),
    ):
        page = await chief.get("/rates", unit=given)
        values = set(re.findall(r'/rates/cases[^"]*;value=(\d+)', page.text))
        assert values == {str(ids[name]) for name in opened}


async def test_a_supervisor_sees_the_own_units_alone(console: ConsoleDesk, scenario: Scenario):
    ids = sorted_scenario(console, scenario)
    west = console.person(Role.SUPERVISOR, unit_id=ids["west"])
    assert "0.0% 0 / 1" in text(await west.get("/rates"))
    assert (await west.get("/rates", unit=ids["east"])).status_code == 404
    assert (await west.get("/rates", unit=ids["city"])).status_code == 404
    assert "Nothing in this window" in text(await west.get("/rates/cases", measure="verified_contact"))


async def test_a_count_opens_to_its_cases_masked(console: ConsoleDesk, scenario: Scenario):
    sorted_scenario(console, scenario)
    auditor = console.person(Role.AUDITOR)
    answer = await auditor.get("/rates/cases", measure="verified_contact")
    assert len(re.findall(r'href="/cases/\d+"', answer.text)) == 2
    assert "*" in text(answer)
    assert (await auditor.get("/rates/cases", measure="name")).status_code == 422


async def test_a_moment_at_the_end_of_the_calendar_is_refused(console: ConsoleDesk):
    for address, query in (
        ("/rates", {"at": "0001-01-01T00:00+14:00"}),
        ("/rates", {"at": "9999-12-31T23:59-14:00"}),
        ("/rates", {"from": "0001-01-02", "to": "0001-01-03"}),
        ("/rates", {"from": "9999-12-01", "to": "9999-12-31T12:00"}),
        ("/rates/file/csv", {"from": "0001-01-02", "to": "0001-01-03"}),
    ):
        assert (await console.person(Role.SUPERVISOR).get(address, **query)).status_code == 422


async def test_a_wrong_filter_is_told_beside_its_field(console: ConsoleDesk):
    answer = await console.person(Role.SUPERVISOR).get("/rates", **{"from": "yesterday"})
    assert answer.status_code == 422
    assert "is not a day and not a moment" in text(answer)


async def test_the_workbook_has_what_the_page_has_and_is_audited(console: ConsoleDesk, scenario: Scenario):
    sorted_scenario(console, scenario)
    answer = await console.person(Role.SUPERVISOR).get("/rates/file/xlsx", by="grade")
    pending_writes = python_calamine.load_workbook(io.BytesIO(answer.content))
    rates = {row[0]: row for row in pending_writes.get_sheet_by_index(0).to_python()}
    assert rates["Verified contact"][2:4] == [2.0, 3.0]
    assert [row[0] for row in pending_writes.get_sheet_by_index(1).to_python()][1:] == ["high"]
    (entry,) = console.audited("export")
    assert entry["who"] == "supervisor"
    assert entry["subject"] == "rates"
    assert entry["facts"] == {"by": "grade", "kind": "xlsx"}


async def test_a_source_that_looks_like_a_formula_leaves_as_text(console: ConsoleDesk, scenario: Scenario):
    case_id = scenario.case()
    with console.app.services.store.begin() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(source="=1+1"))
    answer = await console.person(Role.AUDITOR).get("/rates/file/csv", by="source")
    cells = [row[0] for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) if row]
    assert "'=1+1" in cells
    assert "=1+1" not in cells


@pytest.mark.parametrize(
    ("cell", "kept"), [("=A1", "'=A1"), ("+1", "'+1"), ("@x", "'@x"), ("-", "'-"), ("东区", "东区"), (-3, -3)]
)
def test_what_a_spreadsheet_would_calculate_is_text(cell: str | int, kept: str | int):
    assert escape_formula(cell) == kept


async def test_a_loss_of_the_funnel_opens_to_its_cases(console: ConsoleDesk, scenario: Scenario):
    sorted_scenario(console, scenario)
    page = await console.person(Role.SUPERVISOR).get("/rates")
    assert "neither called nor visited 1" in text(page)
    lost = await console.person(Role.SUPERVISOR).get("/rates/cases", measure="lost_cases_tried")
    assert len(re.findall(r'href="/cases/\d+"', lost.text)) == 1


async def test_a_window_stands_beside_the_one_before_and_a_year_before(
    console: ConsoleDesk, scenario: Scenario
):
    early = MORNING - timedelta(hours=1)  # the day is not over: until ten o'clock, on all three days
    for at in (MORNING, MORNING, early - timedelta(days=1), early - timedelta(days=365)):
        scenario.case(opened_at=at)
    page = text(
        await console.person(Role.SUPERVISOR).get("/rates", **{"from": "2026-11-25", "to": "2026-11-25"})
    )
    assert "warnings 2 1 +100.0% 1 +100.0%" in page


async def test_a_filter_is_saved_under_a_name_and_is_the_owners_alone(
    console: ConsoleDesk, scenario: Scenario
):
    chief, auditor = console.person(Role.SUPERVISOR), console.person(Role.AUDITOR)
    answer = await chief.post(
        "/rates/saved", name=" 高危  本月 ", query="by=grade&grade=high&from=2026-11-01"
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/rates?from=2026-11-01&by=grade&grade=high"
    page = await chief.get("/rates")
    assert "The filter is saved." in text(page)
    assert 'href="/rates?from=2026-11-01&amp;by=grade&amp;grade=high">高危 本月<' in page.text
    assert "高危 本月" not in (await auditor.get("/rates")).text
    [row] = console.rows(t.saved_filter)
    await auditor.post(f"/rates/saved/{row['id']}/delete")
    assert len(console.rows(t.saved_filter)) == 1
    deleted = await chief.post(f"/rates/saved/{row['id']}/delete")
    assert deleted.headers["location"] == "/rates"
    assert console.rows(t.saved_filter) == []
    refused = await chief.post("/rates/saved", name=" ", query="by=grade")
    assert refused.status_code == 422
    assert "has between 1 and 40 characters" in text(refused)
    for query in ("grade=blue", "from=" + "x" * 80):
        assert (await chief.post("/rates/saved", name="x", query=query)).status_code == 422


async def test_units_with_a_boundary_are_drawn_on_a_map(console: ConsoleDesk, scenario: Scenario):
    ids = sorted_scenario(console, scenario)
    square = [[107.0, 40.0], [108.0, 40.0], [108.0, 41.0], [107.0, 41.0], [107.0, 40.0]]
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [square]},
        }
        for name in ("东区", "别处")
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    done = load_boundaries(console.app.services, unrestricted("wang"), io.BytesIO(content))
    assert (done.loaded, done.unknown) == (1, ("别处",))
    assert len(console.audited("load_boundaries")) == 1
    chief = console.person(Role.SUPERVISOR, unit_id=ids["city"])
    page = await chief.get("/rates")
    assert "东区: 100.0% (2/2)" in page.text
    assert f'href="/rates?by=unit&amp;unit={ids["east"]}"' in page.text
    assert "drawn-map" not in (await chief.get("/rates", by="grade")).text


@pytest.mark.parametrize("grade", ["", "high"])
async def test_today_stands_beside_yesterday_until_then_and_the_period(
    console: ConsoleDesk, scenario: Scenario, grade: str
):
    services = console.app.services
    now = MORNING + timedelta(hours=3)
    console.clock.set(now)
    for opened_at, grades in (
        (MORNING + timedelta(hours=1), (Grade.HIGH, Grade.HIGH, Grade.LOW)),
        (MORNING - timedelta(hours=22), (Grade.HIGH,)),  # yesterday, before this time of the day
        (MORNING - timedelta(hours=20), (Grade.HIGH, Grade.HIGH)),  # yesterday, after it
        (MORNING - timedelta(days=9), (Grade.HIGH, Grade.LOW, Grade.LOW, Grade.LOW)),
    ):
        for one in grades:
            scenario.case(grade=one, contact=Contact.VERIFIED, status=CaseStatus.OPEN, opened_at=opened_at)
    chief = console.person(Role.SUPERVISOR)
    page = await chief.get("/rates", grade=grade)
    shown = re.search(r'(?s)aria-labelledby="today">.*?</section>', page.text)
    assert shown is not None
    table = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in re.findall(r"(?s)<tr>(<td.*?)</tr>", shown[0])
    ]
    zone = services.centre.timezone
    day = now.astimezone(ZoneInfo(zone)).date().isoformat()
    today = period_of(day, day, timezone=zone)
    assert today.start is not None
    begun = today.start - timedelta(days=1)
    cut = CaseFilter(grade=Grade(grade) if grade else None)
    for place, period in (
        (1, today),
        (2, Period(start=begun, end=begun + (now - today.start))),
        (4, Period()),
    ):
        asked = RatesQuery(period=period, cut=cut)
        counts = cut_breakdown(services, asked, reader_unit_id=None).total.counts
        told = {row[0]: row[place] for row in table}
        for name in COMPARED:
            assert told[count_word(name, Lang.EN)] == f"{getattr(counts, name):,}", (name, place)
        [rate] = [one for one in rates_of(counts) if one.definition.name == "verified_contact"]
        assert told[rate_word(rate.definition, Lang.EN)] == f"{(rate.value or 0) * 100:.1f}%"
        if not grade:
            assert make_report(services, period).figures.total.counts == counts
    cases = next(row for row in table if row[0] == count_word("cases", Lang.EN))
    assert cases[1:] == (["2", "1", "+100.0%", "6"] if grade else ["3", "1", "+200.0%", "10"])
    [address] = re.findall(r'href="(/rates/cases\?[^"]*measure=cases)"', shown[0])
    opened = await chief.get(address.replace("&amp;", "&"))
    assert len(set(re.findall(r'href="/cases/(\d+)"', opened.text))) == int(cases[1])
    sheets = python_calamine.load_workbook(
        io.BytesIO((await chief.get("/rates/file/xlsx", grade=grade)).content)
    )
    taken = [row for row in sheets.get_sheet_by_name("Today").to_python() if row[0] == cases[0]]
    # A text that a spreadsheet would take for a formula is marked as text.
    assert [str(cell).lstrip("'") for cell in taken[0][1:]] == cases[1:]


async def test_figures_are_counted_while_the_page_is_there(
    console: ConsoleDesk, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    scenario.case()
    chief = console.person(Role.SUPERVISOR)
    monkeypatch.setattr(Cache, "get", lambda *_: CountedValue(value=None, is_coming=True))
    for address, query in (("/rates", {"grade": "high"}), ("/rates/cases", {"measure": "cases"})):
        coming = await chief.get(address, **query)
        assert coming.status_code == 200
        assert 'data-again="1000"' in coming.text
        assert "Defrauded after warning" not in text(coming)


class _Written(list[object]):
    """What stands for a table of the extra `parquet`: columns, and the metadata."""

    def replace_schema_metadata(self, metadata: dict[str, str]) -> Self:
        self.append(metadata)
        return self


async def test_a_parquet_file_is_written_by_the_extra(
    console: ConsoleDesk, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    scenario.case(grade=Grade.HIGH, source="通联")
    extra: Any = ModuleType("pyarrow")
    extra.__spec__ = ModuleSpec("pyarrow", None)
    for kind in ("string", "int64", "float64"):
        setattr(extra, kind, lambda kind=kind: kind)
    extra.array = lambda cells, kind: [kind, *cells]
    extra.table = lambda columns: _Written([columns])
    extra.parquet = ModuleType("pyarrow.parquet")
    extra.parquet.write_table = lambda table, file: file.write(json.dumps(table).encode())
    monkeypatch.setitem(sys.modules, "pyarrow", extra)
    answer = await console.person(Role.SUPERVISOR).get("/rates/file/parquet", by="grade", source="通联")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"] == 'attachment; filename="rates-20261125-1000.parquet"'
    columns, metadata = json.loads(answer.content)
    assert (columns["value"], columns["name"]) == (["string", None, "high"], ["string", None, "high"])
    assert columns["cases"] == ["int64", 1, 1]
    assert columns["dissuaded.value"] == ["float64", 0.0, 0.0]
    about = json.loads(metadata["dialer"])
    assert (about["made_by"], about["by"], about["given"]) == (
        "supervisor", "grade", {"by": "grade", "source": "通联"},
    )  # fmt: skip
    assert "通联" in metadata["dialer"]
    [line] = console.audited("export")
    assert line["facts"] == {"by": "grade", "source": "通联", "kind": "parquet"}


async def test_callers_are_counted_while_the_page_is_there(
    console: ConsoleDesk, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    scenario.outcome(scenario.case())
    chief = console.person(Role.SUPERVISOR)
    with monkeypatch.context() as patch:
        patch.setattr(Cache, "get", lambda *_: CountedValue(value=None, is_coming=True))
        coming = await chief.get("/rates/callers")
    assert coming.status_code == 200
    assert "Counting the records" in text(coming)
    assert 'data-again="1000"' in coming.text
    assert coming.text.count("console/again") == 1  # the script that asks again
    assert "Successes reported" not in text(coming)
    assert "Successes reported" in text(await chief.get("/rates/callers", **{"from": "2026-11-01"}))


async def test_an_address_and_a_name_that_are_too_long_are_not_saved(console: ConsoleDesk):
    chief = console.person(Role.SUPERVISOR)
    longest = "by=grade&" * 111 + "&"
    assert len(longest) == 1_000
    assert (await chief.post("/rates/saved", name="long", query=longest)).status_code == 303
    assert (await chief.post("/rates/saved", name="longer", query=f"{longest}&")).status_code == 422
    for length, is_told in ((100, True), (101, False)):
        refused = await chief.post("/rates/saved", name="x" * length, query="by=grade")
        assert refused.status_code == 422
        assert ("has between 1 and 40 characters" in text(refused)) is is_told
    [saved] = console.rows(t.saved_filter)
    assert saved["name"] == "long"


async def test_each_drawing_has_its_own_fills_and_at_most_thirty_values(
    console: ConsoleDesk, scenario: Scenario
):
    """A fill is found by its id, which is on a page once."""
    for number in range(31):
        scenario.case(source=f"s{number:02}", contact=Contact.VERIFIED, first_attempt_at=MORNING)
    scenario.attempt(scenario.case(), result="answered", contact="verified")
    reached = scenario.case(contact=Contact.VERIFIED)
    scenario.attempt(reached, result="answered", contact="verified")
    chief = console.person(Role.SUPERVISOR)
    page = await chief.get("/rates", by="source", **{"from": "2026-11-01"})
    ids = re.findall(r' id="([^"]*)"', page.text)
    assert len(set(ids)) == len(ids)
    fills = {one.removesuffix("-f0") for one in ids if one.endswith("-f0")}
    wide = {"beside", "contacted", "course-0", "course-1", "course-2", "waited"}
    assert fills == {f"{name}-{size}" for name in wide for size in ("wide", "narrow")}
    drawings = dict(re.findall(r'(?s)<defs><pattern id="([^"]*)-f0".*?</defs>(.*?)</svg>', page.text))
    assert "s28" in drawings["beside-wide"]
    assert "s29" not in drawings["beside-wide"]
    assert len(set(re.findall(r'<th scope="row"><a[^>]*>(s\d\d|bureau)</a>', page.text))) == 32
    for title in (
        "warnings by day",
        "dissuaded by day",
        "Rates by the day or week in which the case was opened",
    ):
        assert f'aria-label="{title}"' in page.text
    for title in ("Cases by time to the first call", "Cases by time to the verified contact"):
        assert f'aria-label="{title}"' in page.text
    alone = await chief.get("/rates", by="source", source="s01")
    assert "beside-wide" not in alone.text
    assert "contacted-wide" not in alone.text
    assert "course-0" not in alone.text
    assert "waited-wide" in alone.text


async def test_a_figure_of_today_opens_to_the_day_of_its_report(console: ConsoleDesk, scenario: Scenario):
    for days in (0, 1, 1):
        scenario.case(opened_at=MORNING - timedelta(days=days))
    chief = console.person(Role.SUPERVISOR)
    yesterday = f"{MORNING - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    for at, cases in (({"at": yesterday}, 2), ({}, 1)):
        answer = await chief.get("/rates/cases", measure="cases", today="1", **at)
        assert len(re.findall(r'href="/cases/\d+"', answer.text)) == cases
    whole = await chief.get("/rates/cases", measure="cases")
    assert len(re.findall(r'href="/cases/\d+"', whole.text)) == 3


async def test_callers_are_those_of_the_last_thirty_days_unless_the_address_says_otherwise(
    console: ConsoleDesk, scenario: Scenario
):
    console.account(Role.CALLER, login="li")
    for days in (0, 60):
        at = MORNING - timedelta(days=days)
        case_id = scenario.case(opened_at=at)
        task = scenario.assignment(case_id, state="signed", signed_by="li", signed_at=at)
        scenario.outcome(case_id, at=at, assignment_id=task)
    chief = console.person(Role.SUPERVISOR)
    page = await chief.get("/rates/callers")
    assert page.status_code == 200
    assert re.findall(
        r'href="/rates/callers\?from=([\d-]*)&amp;to=([\d-]*)"( aria-current="true")?', page.text
    ) == [
        ("2026-11-25", "2026-11-25", ""),
        ("2026-11-19", "2026-11-25", ""),
        ("2026-10-27", "2026-11-25", ' aria-current="true"'),
        ("2026-01-01", "2026-11-25", ""),
    ]
    shown = text(page)
    assert "Caller 1 1 100.0% 20.7–100.0% 0" in shown
    assert "Caller 1 1 1 100.0%" in shown
    assert "Too few cases to compare" in shown
    assert '<td class="dim" data-label="Beside the others">' in page.text
    since = text(await chief.get("/rates/callers", **{"from": "2026-09-01"}))
    assert "Caller 2 2 100.0%" in since
    early = await chief.get("/rates/callers", **{"from": "2026-09-01", "to": "2026-11-24"})
    assert "Caller 1 1 100.0%" in text(early)
    assert 'value="2026-11-24"' in early.text
    wrong = await chief.get("/rates/callers", **{"from": "yesterday"})
    assert wrong.status_code == 422
    assert "is not a day and not a moment" in text(wrong)
    assert "Caller 1 1 100.0%" in text(wrong)
