"""Units: the tree with what waits in it, one unit with its clocks, import and export, transfers."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from zoneinfo import ZoneInfo

import httpx
import pytest
from python_calamine import CalamineWorkbook

from dialer.core.access import Role
from dialer.core.case import CaseStatus
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.units import teach_unit_alias
from dialer.work.transfers import escalate_unsigned
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

LIST = """名称,上级,级别,别名,状态
市局,,市,,
临河分局,市局,县,临河公安,
五原分局,市局,县,,
城关派出所,临河分局,所,老城关,
"""


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def tree(scenario: ConsoleScenario) -> dict[str, int]:
    city = scenario.unit("市局")
    linhe, wuyuan = scenario.unit("临河分局", city), scenario.unit("五原分局", city)
    return {"city": city, "linhe": linhe, "wuyuan": wuyuan, "station": scenario.unit("城关派出所", linhe)}


async def look(person: Person, content: str | bytes, **fields: str) -> httpx.Response:
    """The list, dropped."""
    data = content.encode() if isinstance(content, str) else content
    return await person.client.post(
        "/units/import", data={"csrf": person.csrf, **fields}, files={"file": ("units.csv", data)}
    )


def hidden(answer: httpx.Response, name: str) -> str:
    found = re.search(rf'action="/units/import/take".*?name="{name}" value="([^"]*)"', answer.text, re.DOTALL)
    assert found is not None
    return unescape(found[1])


async def take(person: Person, answer: httpx.Response, **fields: str) -> httpx.Response:
    kept = {name: hidden(answer, name) for name in ("content", "revision", "name")}
    return await person.post("/units/import/take", **kept, **fields)


async def test_without_units_the_page_explains_the_import(console: ConsoleDesk):
    page = text(await console.person(Role.ADMINISTRATOR).get("/units"))
    assert "No units yet" in page
    assert "Import a list" in page
    assert "Import a list" not in text(await console.person(Role.CLERK).get("/units"))


async def test_a_list_is_previewed_and_imported(console: ConsoleDesk):
    admin = console.person(Role.ADMINISTRATOR)
    seen = await look(admin, LIST)
    assert seen.status_code == 200
    assert "added" in text(seen)
    assert console.rows(t.unit) == []
    done = await take(admin, seen)
    assert done.headers["location"] == "/units"
    page = text(await admin.get("/units"))
    assert "Taken in: added 4, moved 0, renamed 0, closed 0; aliases learned: 2" in page
    assert "城关派出所" in page
    assert [row["who"] for row in console.audited("import_units")] == ["administrator"]
    again = await look(admin, LIST)
    assert "The list changes nothing" in text(again)


async def test_faults_of_a_list_are_named_by_line_and_column(console: ConsoleDesk):
    answer = await look(console.person(Role.ADMINISTRATOR), "名称,上级\n甲,没有\n,甲\n")
    assert answer.status_code == 422
    page = text(answer)
    assert "2 faults must be corrected; nothing was imported" in page
    assert "2 上级 the parent is neither in the list nor known correct the name, or add a line" in page
    assert "3 名称 no name write its name" in page


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Choose a file first."),
        ("姓名,手机号\n王伟,13800138000\n", "no column of unit names"),
        ("x" * (2 * 1024 * 1024 + 1), "larger than 2 MB"),
    ],
)
async def test_a_file_that_is_not_a_list_is_refused(console: ConsoleDesk, content: str, said: str):
    admin = console.person(Role.ADMINISTRATOR)
    answer = await (look(admin, content) if content else admin.post("/units/import"))
    assert answer.status_code == 422
    assert said in text(answer)


async def test_a_tree_changed_after_the_preview_is_previewed_again(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    admin = console.person(Role.ADMINISTRATOR)
    seen = await look(admin, LIST)
    scenario.unit("别的")
    answer = await take(admin, seen)
    assert answer.status_code == 422
    assert "changed meanwhile" in text(answer)
    assert len(console.rows(t.unit)) == 1


async def test_missing_units_are_closed_only_on_request(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    admin = console.person(Role.ADMINISTRATOR)
    scenario.case(unit_id=tree["wuyuan"])
    seen = await look(admin, "名称,上级\n市局,\n临河分局,市局\n城关派出所,临河分局\n")
    assert "1 open unit is not in the list; it stays as it is." in text(seen)
    closing = await admin.post("/units/import", content=_content(seen), name="units.csv", close="1")
    page = text(closing)
    assert "1 open unit is not in the list and would be closed." in page
    assert "1 open case stays with it" in page
    await take(admin, closing, close="1")
    assert [row["name"] for row in console.rows(t.unit) if not row["active"]] == ["五原分局"]


def _content(answer: httpx.Response) -> str:
    found = re.search(r'name="content" value="([^"]+)"', answer.text)
    assert found is not None
    return unescape(found[1])


async def test_the_exported_list_needs_no_record_and_renames_by_its_number(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    with scenario.tx() as tx:
        teach_unit_alias(tx, "老城关", unit_id=tree["station"], by="li", now=MORNING)
    post = scenario.unit("警务室", tree["station"])
    other = scenario.unit("城关派出所", tree["wuyuan"])
    scenario.unit("警务室", other)
    admin = console.person(Role.ADMINISTRATOR)
    file = await admin.get("/units/file")
    local = console.clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
    assert f"units-{local:%Y%m%d-%H%M}.xlsx" in file.headers["content-disposition"]
    assert "The list changes nothing" in text(await look(admin, file.content))
    rows = CalamineWorkbook.from_filelike(BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["name", "parent", "level", "aliases", "state", "system_no"]
    lines = [[str(cell) for cell in row] for row in rows]
    (line,) = [line for line in lines if line[5] == f"{post}.0"]
    line[0] = "新警务室"
    seen = await look(admin, "\n".join(",".join(line) for line in lines))
    assert "renamed 新警务室 警务室 新警务室" in text(seen)
    await take(admin, seen)
    assert {row["name"] for row in console.rows(t.unit) if row["id"] == post} == {"新警务室"}
    assert console.audited("export")[0]["subject"] == "units"


async def test_each_unit_counts_what_is_below_it(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    for unit_id, grade in (
        (tree["station"], Grade.HIGH),
        (tree["linhe"], Grade.LOW),
        (tree["wuyuan"], Grade.LOW),
    ):
        scenario.assignment(scenario.case(unit_id=unit_id, grade=grade), unit_id=unit_id)
    scenario.case(unit_id=tree["station"], status=CaseStatus.CLOSED)
    late = scenario.case(unit_id=tree["station"])
    scenario.assignment(
        late, unit_id=tree["station"], state="signed", signed_by="li", due_at=MORNING - timedelta(minutes=1)
    )
    console.account(Role.OFFICER, unit_id=tree["station"])
    page = text(await console.person(Role.SUPERVISOR).get("/units"))

    def line(name: str, *figures: str) -> str:
        names = ("Open cases", "Unsigned", "Overdue", "Staff")
        return f"{name} " + " ".join(f"{n} {figure}" for n, figure in zip(names, figures, strict=True))

    assert line("市局", "4 high 1", "3", "1", "1") in page
    assert line("临河分局", "3 high 1", "2", "1", "1") in page
    assert line("城关派出所", "2 high 1", "1", "1", "1") in page
    assert line("五原分局", "1", "1", "0", "0") in page


async def test_a_county_sees_its_own_branch(console: ConsoleDesk, tree: dict[str, int]):
    page = text(await console.person(Role.SUPERVISOR, unit_id=tree["linhe"]).get("/units"))
    assert "城关派出所" in page
    assert "五原分局" not in page
    assert "市局" not in page
    assert "Unassigned cases" not in page
    admin = console.person(Role.ADMINISTRATOR, unit_id=tree["linhe"])
    assert "Import" not in text(await admin.get("/units"))
    assert (await look(admin, LIST)).status_code == 404
    content = base64.b64encode(LIST.encode()).decode()
    assert (await admin.post("/units/import/take", content=content)).status_code == 404


async def test_a_unit_is_found_by_a_part_of_its_name(console: ConsoleDesk, tree: dict[str, int]):
    clerk = console.person(Role.CLERK)
    page = text(await clerk.get("/units", text="城关"))
    assert "城关派出所" in page
    assert "五原分局" not in page
    assert "No unit is called like this" in text(await clerk.get("/units", text="没有"))


async def test_a_unit_shows_its_clocks_its_names_and_its_people(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    with scenario.tx() as tx:
        teach_unit_alias(tx, "老城关", unit_id=tree["station"], by="li", now=MORNING)
    console.account(Role.OFFICER, unit_id=tree["station"])
    page = text(await console.person(Role.CLERK).get(f"/units/{tree['station']}"))
    assert "Units / 市局 / 临河分局" in page
    rules = console.app.services.policies.newest.of(Grade.EXTRA_HIGH)
    assert f"extra high {rules.first_attempt_seconds // 60} min {rules.sign_seconds // 60} min" in page
    assert "老城关" in page
    assert "Officer officer" in page
    county = text(await console.person(Role.CLERK).get(f"/units/{tree['linhe']}"))
    assert "and 1 more in the units below" in county


async def test_a_name_is_added_and_forgotten(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    clerk = console.person(Role.CLERK)
    case_id = scenario.case(unit="老城关")
    path = f"/units/{tree['station']}"
    await clerk.post(f"{path}/aliases", text="老城关")
    assert "cases sorted: 1" in text(await clerk.get(path))
    assert {row["unit_id"] for row in console.rows(t.case) if row["id"] == case_id} == {tree["station"]}
    taken = await clerk.post(f"/units/{tree['linhe']}/aliases", text="老 城关")
    assert taken.status_code == 422
    assert "means another unit already" in text(taken)
    assert "is empty" in text(await clerk.post(f"{path}/aliases", text="；"))
    await clerk.post(f"{path}/aliases/forget", text="老城关")
    assert console.rows(t.unit_alias) == []
    assert (await clerk.post(f"{path}/aliases/forget", text="老城关")).status_code == 404


async def test_a_county_may_not_teach_aliases(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    scenario.case(unit="老城关")
    clerk = console.person(Role.CLERK, unit_id=tree["linhe"])
    path = f"/units/{tree['linhe']}"
    assert "Another name in lists" not in text(await clerk.get(path))
    assert (await clerk.post(f"{path}/aliases", text="老城关")).status_code == 404
    assert console.rows(t.unit_alias) == []


async def test_waiting_work_is_filtered_by_its_clock(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    station = tree["station"]
    past = MORNING - timedelta(minutes=1)
    unsigned = scenario.case(unit_id=station)
    scenario.assignment(unsigned, unit_id=station, sign_by=past)
    signed = scenario.case(unit_id=station)
    scenario.assignment(signed, unit_id=station, state="signed", signed_by="li", due_at=past)
    kept = scenario.case(unit_id=station)
    scenario.assignment(
        kept,
        unit_id=station,
        due_at=past,
        call_at=MORNING + timedelta(hours=1),
        kept_for="li",
        kept_until=MORNING + timedelta(hours=2),
    )
    officer = console.person(Role.OFFICER, unit_id=station)
    path = f"/units/{station}"

    async def cases(waiting: str) -> set[int]:
        answer = await officer.get(path, waiting=waiting)
        return {int(one) for one in re.findall(r'href="/cases/(\d+)"', answer.text)}

    assert await cases("") == {unsigned, signed, kept}
    assert await cases("unsigned") == {unsigned}
    assert await cases("overdue") == {unsigned, signed}
    assert await cases("feedback") == {signed}
    assert await cases("nonsense") == {unsigned, signed, kept}
    page = text(await officer.get(path))
    assert "1 Unsigned · too late 1" in page
    assert "call agreed for" in page


async def test_escalated_work_is_listed_with_its_reason(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    case_id = scenario.case(unit_id=tree["station"], grade=Grade.HIGH)
    scenario.assignment(case_id, unit_id=tree["station"], unit="城关派出所", sign_by=MORNING)
    assert escalate_unsigned(console.app.services) == 1
    supervisor = console.person(Role.SUPERVISOR)
    span = console.app.services.policies.of(scenario.policy_version).of(Grade.HIGH).sign_seconds
    page = text(await supervisor.get(f"/units/{tree['station']}"))
    assert f"#{case_id} high human call 临河分局 not signed within {span // 60} min" in page
    above = text(await supervisor.get(f"/units/{tree['linhe']}"))
    assert "escalated 1 level" in above
    assert "None: all was signed" in text(await supervisor.get(f"/units/{tree['wuyuan']}"))


@pytest.mark.parametrize(
    ("kind", "role", "signs"),
    [
        ("visit", Role.CLERK, False),
        ("human", Role.CLERK, False),
        ("visit", Role.SUPERVISOR, True),
        ("human", Role.SUPERVISOR, True),
    ],
)
async def test_work_is_transferred_with_a_reason_and_accepted(
    console: ConsoleDesk,
    scenario: ConsoleScenario,
    tree: dict[str, int],
    kind: str,
    role: Role,
    *,
    signs: bool,
):
    """Who does such work signs for it. A clerk, who may not, accepts it for the unit: signed by him it lay there until
    it was overdue, and nobody who may do it could take it.
    """
    case_id = scenario.case(unit_id=tree["station"])
    work = scenario.assignment(case_id, kind=kind, unit_id=tree["station"], unit="城关派出所")
    (before,) = console.rows(t.assignment)
    officer = console.person(Role.OFFICER, unit_id=tree["station"])
    form = f"/units/work/{work}/transfer"
    assert "The clocks go on" in text(await officer.get(form))
    asked = await officer.post(form, unit="五原分局", why="住址在五原")
    assert asked.headers["location"] == f"/units/{tree['station']}"
    again = await officer.post(form, unit="五原分局", why="x")
    assert (again.status_code, "on its way to another unit already" in text(again)) == (422, True)
    receiver = console.person(role, unit_id=tree["wuyuan"])
    page = await receiver.get("/units/transfers")
    assert "住址在五原" in text(page)
    assert f'href="/cases/{case_id}"' not in page.text
    (transfer,) = console.rows(t.assignment_transfer)
    answer = await receiver.post(f"/units/transfers/{transfer['id']}/accept")
    said = text(await receiver.get(answer.headers["location"]))
    (after,) = console.rows(t.assignment)
    assert (after["unit_id"], after["state"], after["signed_by"]) == (
        (tree["wuyuan"], "signed", receiver.member.login) if signs else (tree["wuyuan"], "open", None)
    )
    assert ("the work is signed for by you" in said, "waits in your unit for a signature" in said) == (
        signs,
        not signs,
    )
    assert [after[name] for name in ("sign_by", "due_at", "feedback_by")] == [
        before[name] for name in ("sign_by", "due_at", "feedback_by")
    ]
    late = await receiver.post(f"/units/transfers/{transfer['id']}/accept")
    assert late.status_code == 409


async def test_work_that_a_clerk_accepts_has_its_time_to_be_signed_and_keeps_an_agreed_call(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    case_id = scenario.case(unit_id=tree["station"], grade=Grade.HIGH)
    agreed = MORNING + timedelta(hours=1)
    kept = {"call_at": agreed, "kept_for": "li", "kept_until": agreed + timedelta(minutes=5)}
    work = scenario.assignment(
        case_id, unit_id=tree["station"], sign_by=MORNING - timedelta(hours=1), escalated_at=MORNING, **kept
    )
    await console.person(Role.SUPERVISOR).post(f"/units/work/{work}/transfer", unit="五原分局", why="x")
    (transfer,) = console.rows(t.assignment_transfer)
    clerk = console.person(Role.CLERK, unit_id=tree["wuyuan"])
    await clerk.post(f"/units/transfers/{transfer['id']}/accept")
    (row,) = console.rows(t.assignment)
    assert (row["kept_for"], row["call_at"], row["kept_until"], row["transfers"]) == (None, agreed, agreed, 1)
    assert escalate_unsigned(console.app.services) == 0
    console.pass_seconds(3600)
    assert escalate_unsigned(console.app.services) == 1
    assert console.rows(t.assignment)[0]["raises"] == 1


async def test_a_case_offers_no_page_of_work_that_was_escalated_above_the_readers_unit(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    case_id = scenario.case(unit_id=tree["station"])
    own = scenario.assignment(case_id, kind="human", unit_id=tree["station"], unit="城关派出所")
    above = scenario.assignment(case_id, kind="visit", unit_id=tree["linhe"], unit="临河分局")
    for unit, offered, not_offered in (("station", [own], [above]), ("linhe", [own, above], [])):
        officer = console.person(Role.OFFICER, unit_id=tree[unit])
        page = (await officer.get(f"/cases/{case_id}")).text
        for path in (f"/units/work/{one}/transfer" for one in offered):
            assert f'href="{path}"' in page
            assert (await officer.get(path)).status_code == 200
        for path in (f"/units/work/{one}/transfer" for one in not_offered):
            assert f'href="{path}"' not in page
            assert (await officer.get(path)).status_code == 404


async def test_a_refusal_needs_a_reason_and_leaves_the_work(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    work = scenario.assignment(scenario.case(unit_id=tree["station"]), unit_id=tree["station"])
    supervisor = console.person(Role.SUPERVISOR)
    await supervisor.post(f"/units/work/{work}/transfer", unit="五原分局", why="x")
    (transfer,) = console.rows(t.assignment_transfer)
    path = f"/units/transfers/{transfer['id']}/refuse"
    assert (await supervisor.post(path, why=" ")).status_code == 422
    await supervisor.post(path, why="不是我们的辖区")
    assert console.rows(t.assignment)[0]["unit_id"] == tree["station"]
    (refused,) = console.rows(t.assignment_transfer)
    # The words are sealed in the timeline, and nowhere else.
    assert (refused["state"], refused["answer"]) == ("refused", "")


async def test_a_refused_transfer_is_explained_at_its_field(
    console: ConsoleDesk, scenario: ConsoleScenario, tree: dict[str, int]
):
    for unit, why, said in (
        ("", "x", "is empty (choose a unit)"),
        ("没有", "x", "names no unit, or more than one"),
        ("五原分局", " ", "is empty (say it in a few words)"),
        ("城关派出所", "x", "it is that unit's already"),
    ):
        work = scenario.assignment(scenario.case(unit_id=tree["station"]), unit_id=tree["station"])
        answer = await console.person(Role.SUPERVISOR).post(
            f"/units/work/{work}/transfer", unit=unit, why=why
        )
        assert answer.status_code == 422
        assert said in text(answer)
        assert console.rows(t.assignment_transfer) == []
