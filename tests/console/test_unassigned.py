"""Unassigned cases: groups by text, suggestions, and assignment with or without an alias."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role
from dialer.core.values import Grade
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def tree(scenario: ConsoleScenario) -> dict[str, int]:
    city = scenario.unit("市局")
    linhe, wuyuan = scenario.unit("临河区公安分局", city), scenario.unit("五原县公安局", city)
    return {
        "linhe": linhe,
        "wuyuan": wuyuan,
        "one": scenario.unit("城关派出所", linhe),
        "other": scenario.unit("城关派出所", wuyuan),
        "xinhua": scenario.unit("新华派出所", linhe),
    }


def units_of(console: ConsoleDesk) -> list[int | None]:
    return [row["unit_id"] for row in console.rows(t.case)]


async def test_an_empty_page_says_so(console: ConsoleDesk, tree: dict[str, int]):
    assert "Every case has a unit" in text(await console.person(Role.CLERK).get("/units/unassigned"))


async def test_the_most_urgent_group_is_first_with_suggestions(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    for _ in range(3):
        scenario.case(unit="老新华派出所", grade=Grade.LOW)
    scenario.case(unit="某处", grade=Grade.EXTRA_HIGH)
    scenario.case(unit="")
    page = text(await console.person(Role.CLERK).get("/units/unassigned"))
    assert "5 cases wait" in page
    assert page.index("某处 extra high 1") < page.index("No unit written") < page.index("老新华派出所 low 3")
    assert "Similar names: 新华派出所" in page
    assert "The list names no unit" in page


async def test_a_group_is_assigned_and_its_text_is_taught(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    first = scenario.case(unit="老新华所")
    for written in ("老新华所", "老 新华所", "别处"):
        scenario.case(unit=written)
    clerk = console.person(Role.CLERK)
    assert "also written 老 新华所" in text(await clerk.get("/units/unassigned"))
    await clerk.post(f"/units/unassigned/{first}/sort", unit="新华派出所", teach="1")
    page = text(await clerk.get("/units/unassigned"))
    assert "新华派出所: cases sorted: 3. Lists that write “老新华所” mean it from now on." in page
    assert units_of(console) == [tree["xinhua"]] * 3 + [None]
    assert [row["text"] for row in console.rows(t.unit_alias)] == ["老新华所"]
    assert [row["who"] for row in console.audited("assign_unit")] == ["clerk"]
    gone = await clerk.post(f"/units/unassigned/{first}/sort", unit="新华派出所")
    assert gone.status_code == 404


async def test_without_teaching_no_alias_is_made(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    first = scenario.case(unit="城关派出所")
    scenario.case(unit="城关派出所")
    clerk = console.person(Role.CLERK)
    page = await clerk.get("/units/unassigned")
    told = text(page)
    assert "It could mean several units" in told
    assert "临河区公安分局/城关派出所 五原县公安局/城关派出所" in told
    assert re.search(r'name="teach" value="1">', page.text) is not None
    # Whatever is typed, the name that is pressed counts.
    await clerk.post(f"/units/unassigned/{first}/sort", unit="新华", like="五原县公安局/城关派出所")
    assert units_of(console) == [tree["other"]] * 2
    assert console.rows(t.unit_alias) == []


async def test_enter_submits_the_typed_unit(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    scenario.case(unit="老新华派出所")
    page = (await console.person(Role.CLERK).get("/units/unassigned")).text
    form = page[page.index("/sort") :]
    assert form.index('name="unit"') < form.index(">Sort<") < form.index('name="like"')


async def test_an_unknown_unit_is_refused_at_its_field_with_similar_names(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    first = scenario.case(unit="别处")
    answer = await console.person(Role.CLERK).post(
        f"/units/unassigned/{first}/sort", unit="新华路所", teach="1"
    )
    assert answer.status_code == 422
    page = text(answer)
    assert "names no unit, or more than one (choose one of the list)" in page
    assert "Did you mean 新华派出所" in page
    assert 'value="新华路所"' in answer.text
    assert units_of(console) == [None]


async def test_only_the_chosen_cases_are_assigned(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    one, other = scenario.case(unit=""), scenario.case(unit="")
    clerk = console.person(Role.CLERK)
    page = text(await clerk.get(f"/units/unassigned/{one}"))
    assert f"#{one}" in page
    assert f"#{other}" in page
    nothing = await clerk.post(f"/units/unassigned/{one}/some", unit="新华派出所")
    assert nothing.status_code == 422
    assert "choose at least one case" in text(nothing)
    await clerk.post(f"/units/unassigned/{one}/some", unit="新华派出所", case=other)
    assert units_of(console) == [None, tree["xinhua"]]
    assert [row["subject"] for row in console.audited("assign_unit")] == [f"case/{other}"]


async def test_people_are_masked(console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]):
    person = scenario.person(name="王小明", phones=("+8613800138000",))
    case_id = scenario.case(unit="别处", person_id=person)
    page = text(await console.person(Role.CLERK).get(f"/units/unassigned/{case_id}"))
    assert "王* 138****8000" in page
    assert "王小明" not in page


async def test_a_long_group_is_paged(console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]):
    first, *_ = [scenario.case(unit="别处", warning=False) for _ in range(52)]
    clerk = console.person(Role.CLERK)
    page = await clerk.get(f"/units/unassigned/{first}")
    older = re.search(r'href="(/units/unassigned/\d+\?before=\d+)"', page.text)
    assert older is not None
    assert len(re.findall('name="case"', (await clerk.get(older[1])).text)) == 2


async def test_a_county_finds_nothing(console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]):
    case_id = scenario.case(unit="别处")
    clerk = console.person(Role.CLERK, unit_id=tree["linhe"])
    page = text(await clerk.get("/units/unassigned"))
    assert "Unassigned cases are sorted for the whole centre" in page
    assert "别处" not in page
    assert (await clerk.get(f"/units/unassigned/{case_id}")).status_code == 404
    for path, fields in (("sort", {"teach": "1"}), ("some", {"case": str(case_id)})):
        answer = await clerk.post(f"/units/unassigned/{case_id}/{path}", unit="新华派出所", **fields)
        assert answer.status_code == 404
    assert units_of(console) == [None]


async def test_without_units_no_case_can_be_assigned(console: ConsoleDesk, scenario: ConsoleScenario):
    scenario.case(unit="别处")
    page = text(await console.person(Role.CLERK).get("/units/unassigned"))
    assert "an administrator imports the organisation first" in page
