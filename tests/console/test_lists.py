"""Lists: what would become of a file is told before anything of it is kept; loaded, it is followed to its end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from dialer.core.access import Role
from dialer.core.text import Lang
from dialer.core.values import LoadState
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.intake.headings import field_of
from dialer.intake.records import Field, NoticeCode
from dialer.language.catalogue import say
from dialer.runtime.services import WorkRules
from dialer.warnings import pages
from dialer.warnings.lists import load_list
from dialer.warnings.pages import FIELDS, MOST_MEGABYTES, NOTICES
from dialer.warnings.preview import COUNTED, MOST_DRAFT_BYTES, MOST_DRAFTS, TRIED, forget_old_drafts
from dialer.warnings.rejects import ROWS_AT_ONCE
from dialer.warnings.source_limits import waiting_warnings
from tests.console.desk import ConsoleDesk, Person, text
from tests.intake.hostile import shared_xls
from tests.intake.test_samples import SAMPLES, expected

HEADING = "指令编号,姓名,手机号,等级,拟转金额,备注"
GOOD = "A1,王小明,13800138000,高危,3万元,\nA2,李大海,13900139000,低危,500,"
BAD = "A3,赵六,,中危,1,\nA4,孙七,13700137000,紫色,1,"


def rows(*lines: str) -> bytes:
    return "\n".join((HEADING, *lines)).encode()


async def drop(person: Person, content: bytes, *, name: str = "名单.csv", **fields: str) -> httpx.Response:
    return await person.client.post(
        "/lists", data={"csrf": person.csrf} | fields, files={"file": (name, content)}
    )


async def dropped(person: Person, content: bytes, *, name: str = "名单.csv", **fields: str) -> str:
    """The address of the draft."""
    answer = await drop(person, content, name=name, **fields)
    assert answer.status_code == 303, text(answer)
    return answer.headers["location"]


async def loaded(console: ConsoleDesk, person: Person, content: bytes, **fields: str) -> str:
    """The address of the list, loaded as a worker would."""
    path = await dropped(person, content, **fields)
    answer = await person.post(f"{path}/load")
    assert answer.status_code == 303
    load_list(console.app.services, int(answer.headers["location"].rpartition("/")[2]))
    return answer.headers["location"]


def counts(page: str) -> dict[str, int]:
    """The figures of a page by their names."""
    found = re.findall(r'<div class="figure[^"]*"><b>([^<]*)</b><span>([^<]*)</span>', page)
    return {name: int(value.replace(",", "")) for value, name in found}


async def test_before_it_is_loaded_a_list_says_what_would_become_of_it(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, rows(GOOD, BAD))
    page = await clerk.get(path)
    assert counts(page.text) == {
        "rows": 4, "rejected": 2, "can be loaded": 2, "merged": 0, "duplicates": 0
    }  # fmt: skip
    told = text(page)
    assert "王*" in told
    assert "138****8000" in told
    assert "¥30,000" in told
    for hidden in ("王小明", "13800138000", "李大海"):
        assert hidden not in page.text
    assert "4 rejected 手机号 no phone number: add the full number" in told
    assert "5 rejected 等级 grade not readable: write extra_high, high, medium or low" in told
    for table in (t.case, t.warning, t.list_reject):
        assert console.rows(table) == []


async def test_an_implausible_amount_is_decided_on_before_the_list_is_loaded(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    content = rows(GOOD, "A9,王大,13812340000,高危,500000000000,")
    for answer, fen in (("1", 50_000_000_000_000), ("", None)):
        path = await dropped(clerk, content, source=f"来源{answer}")
        page = text(await clerk.get(path))
        assert "1 row has an amount above ¥200,000,000" in page
        assert "¥500,000,000,000" in page
        assert "Load this list" not in page
        refused = await clerk.post(f"{path}/load")
        assert (refused.status_code, "implausible amounts are right" in text(refused)) == (422, True)
        await clerk.post(f"{path}/amounts", believed=answer)
        assert "Load this list" in text(await clerk.get(path))
        load_list(console.app.services, int((await clerk.post(f"{path}/load")).headers["location"][7:]))
        assert console.rows(t.warning)[-1]["amount_at_risk_fen"] == fen
    assert [line["facts"]["believed"] for line in console.audited("decide_amounts")] == [True, False]
    assert (await console.person(Role.SUPERVISOR).post(f"{path}/amounts", believed="1")).status_code == 404


async def test_the_preview_shows_all_rows_by_their_problem_and_page(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    good = (f"G{n},王,1380013{n:04d},低危,1," for n in range(TRIED + 1))
    path = await dropped(clerk, rows(*good, "G0,王,13800130000,低危,1,", BAD, "K,王,13900139000,,1,"))
    first = text(await clerk.get(path))
    assert "All rows 2,005 rejected 2 No grade: taken as medium. 1" in first
    assert "Page 1 of 41" in first
    assert "138****0049" in first
    assert "138****0050" not in first
    assert "138****0050" in text(await clerk.get(path, page=2))
    last = text(await clerk.get(path, page=41))
    assert "2002 can be loaded" in last
    assert "2003 duplicate" in last
    assert "2004 rejected 手机号 no phone number" in last
    wrong = text(await clerk.get(path, problem="rejected"))
    assert "2004 rejected 手机号" in wrong
    assert "2005 rejected 等级" in wrong
    assert "138****" not in wrong
    graded = text(await clerk.get(path, problem="grade_defaulted"))
    assert "2006 can be loaded medium" in graded
    assert "手机号 no phone" not in graded
    assert (await clerk.get(path, problem="nonsense")).status_code == 200


async def test_loaded_it_is_what_was_said(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await loaded(console, clerk, rows(GOOD, BAD))
    page = await clerk.get(path)
    figures = counts(page.text)
    assert (figures["rows"], figures["accepted"], figures["rejected"], figures["cases"]) == (4, 2, 2, 2)
    assert "loaded by Clerk" in text(page)
    assert len(console.rows(t.case)) == 2
    [line] = console.audited("load_list")
    assert line["who"] == "clerk"
    over = text(await clerk.get("/lists"))
    assert "名单.csv" in over
    assert "Drafts" not in over
    found = text(await clerk.get("/cases", load=path.rpartition("/")[2]))
    assert "王*" in found
    assert "List 1" in found


async def test_a_column_that_is_not_understood_is_corrected_and_remembered_for_its_source(
    console: ConsoleDesk,
):
    content = "编号,受害者大名,手机号\nB1,王小明,13800138000\n".encode()
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, content, source="银行", name="1.csv")
    before = await clerk.get(path)
    assert "受害者大名 decide" in text(before)
    assert "王* 138****8000" not in text(before)
    sent = await clerk.client.post(
        f"{path}/columns",
        data={
            "csrf": clerk.csrf,
            "heading": ["编号", "受害者大名", "手机号"],
            "field": ["instruction_no", "name", "phone"],
            "source": "银行",
        },
    )
    assert sent.status_code == 303
    assert "王*" in text(await clerk.get(path))
    [kept] = console.audited("correct_columns")
    assert kept["facts"] == {"受害者大名": "name"}
    later = await dropped(clerk, content, source="银行", name="2.csv")
    page = text(await clerk.get(later))
    assert "王*" in page
    assert "受害者大名 corrected" in page
    await clerk.post(f"{later}/columns/forget")
    assert "受害者大名 decide" in text(await clerk.get(later))
    assert console.audited("forget_columns")


async def test_a_list_without_a_phone_column_can_be_told_which_it_is(console: ConsoleDesk):
    content = "姓名,怎么找他,等级\n王小明,13800138000,高危\n".encode()
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, content)
    page = await clerk.get(path)
    assert "no phone column" in text(page)
    assert f"{path}/load" not in page.text
    refused = await clerk.post(f"{path}/load")
    assert refused.status_code == 422
    assert console.rows(t.list_load)[0]["state"] == LoadState.DRAFT.value
    await clerk.client.post(
        f"{path}/columns",
        data={
            "csrf": clerk.csrf,
            "heading": ["姓名", "怎么找他", "等级"],
            "field": ["name", "phone", "grade"],
        },
    )
    page = await clerk.get(path)
    assert page.status_code == 200
    assert counts(page.text)["can be loaded"] == 1


UNCLEAR = "编号,事主称呼,手机号,危险程度,涉案资金,批注\nB1,王小明,13800138000,特急,5万元,夜班\n"


async def test_a_column_that_looks_important_stops_the_load_until_somebody_decides(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, UNCLEAR.encode(), source="银行")
    refused = await clerk.post(f"{path}/load")
    assert refused.status_code == 422
    assert "say first what these columns hold: 事主称呼, 危险程度, 涉案资金" in text(refused)
    page = await clerk.get(path)
    assert f"{path}/load" not in page.text
    assert "3 columns look important" in text(page)
    told = text(page)
    for said in ("Looks like: Name. 王*", "Looks like: Grade. 特急", "Looks like: Amount at risk. 5万元"):
        assert said in told
    assert "夜*" in told
    for hidden in ("王小明", "13800138000", "夜班"):
        assert hidden not in page.text
    await clerk.client.post(
        f"{path}/columns",
        data={
            "csrf": clerk.csrf,
            "heading": ["事主称呼", "危险程度", "涉案资金", "编号", "手机号", "批注"],
            "field": ["name", "?", "", "instruction_no", "phone", ""],
            "source": "银行",
        },
    )
    [kept] = console.audited("correct_columns")
    assert kept["facts"] == {"事主称呼": "name", "涉案资金": ""}
    page = await clerk.get(path)
    assert "1 column looks important" in text(page)
    await clerk.client.post(
        f"{path}/columns", data={"csrf": clerk.csrf, "heading": "危险程度", "field": "", "source": "银行"}
    )
    page = await clerk.get(path)
    assert "look important" not in text(page)
    assert (await clerk.post(f"{path}/load")).headers["location"] == path.replace("drafts/", "")
    later = await clerk.get(await dropped(clerk, UNCLEAR.encode(), source="银行"))
    assert "looks important" not in text(later)


async def test_what_a_word_for_a_grade_means_is_said_once_for_its_source(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    content = "手机号,等级\n13800138000,特急\n13800138001,特急\n13800138002,高危\n".encode()
    path = await dropped(clerk, content, source="银行")
    page = await clerk.get(path)
    assert counts(page.text)["rejected"] == 2
    assert "特急 2 rows rejected" in text(page)
    form = {"csrf": clerk.csrf, "word": ["特急", "紫"], "grade": ["extra_high", "purple"], "source": "银行"}
    await clerk.client.post(f"{path}/columns", data=form)
    page = await clerk.get(path)
    assert counts(page.text)["rejected"] == 0
    assert "extra high 2 high 1" in text(page)
    [kept] = console.audited("correct_columns")
    assert kept["facts"] == {"特急": "extra_high"}
    later = await dropped(clerk, content, source="银行")
    assert counts((await clerk.get(later)).text)["rejected"] == 0
    of_another = await dropped(clerk, content, source="运营商")
    assert counts((await clerk.get(of_another)).text)["rejected"] == 2
    await clerk.post(f"{later}/columns/forget")
    assert counts((await clerk.get(later)).text)["rejected"] == 2


async def test_a_second_column_of_amounts_is_decided_on(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    page = await clerk.get(await dropped(clerk, "手机号,金额,总金额\n13800138000,5万元,6万元\n".encode()))
    assert '<option value="?" selected>' in page.text
    assert "1 column looks important" in text(page)


@pytest.mark.parametrize("lang", list(Lang))
def test_the_headings_that_the_console_shows_are_read(lang: Lang):
    for field, words in FIELDS.items():
        assert field_of(say(lang, words)) is field
    for field, heading in ((Field.NAME, "Person"), (Field.AMOUNT_AT_RISK, "At risk")):
        assert field_of(say(lang, heading)) is field


async def test_what_would_join_a_case_is_told_with_the_case(console: ConsoleDesk):
    clerk = console.person(Role.SUPERVISOR)
    await loaded(console, clerk, rows("A1,王小明,13800138000,高危,1,"), source="一")
    again = rows(
        "A1,王小明,13800138000,高危,1,",
        "C2,王小明,13800138000,高危,1,",
        "C3,钱多,13600136000,低危,1,",
        "C4,钱多,13600136000,低危,1,",
    )
    page = await clerk.get(await dropped(clerk, again, source="一"))
    [case, *_] = console.rows(t.case)
    assert counts(page.text) == {
        "rows": 4, "rejected": 0, "can be loaded": 3, "merged": 2, "duplicates": 1
    }  # fmt: skip
    told = text(page)
    assert f"138****8000 case #{case['id']}" in told
    assert "136****6000 line 4 of this list" in told
    assert len(console.rows(t.case)) == 1


async def test_a_list_of_guesses_tells_nobody_who_has_a_case(console: ConsoleDesk):
    """A clerk, and a supervisor of another unit, preview somebody with a case as they preview a stranger."""
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        county = add_unit(tx, name="临河", parent_id=city)
    await loaded(console, console.person(Role.SUPERVISOR), rows("A1,王小明,13800138000,高危,1,"), source="一")
    for role, unit_id in ((Role.CLERK, None), (Role.CLERK, county), (Role.SUPERVISOR, county)):
        reader = console.person(role, unit_id=unit_id)
        told = []
        for name in ("王小明", "王小李"):
            sheet = rows(f"C2,{name},13800138000,高危,1,", f"C3,{name},13800138000,高危,1,")
            page = await reader.get(await dropped(reader, sheet))
            assert counts(page.text)["merged"] == 1, "the second row joins the first"
            assert "line 2 of this list" in text(page)
            told.append(re.sub(r"/lists/drafts?/[0-9]+|[0-9a-f-]{32,}", "", text(page)).replace(name, ""))
        assert told[0] == told[1]
        assert ("is told when the list is loaded" in told[0]) == (role is Role.CLERK)
        assert "case #" not in told[0]


async def test_a_dry_run_looks_different_and_loads_nothing(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, rows(GOOD), dry="1")
    assert path.endswith("?dry=1")
    page = await clerk.get(path)
    assert "Dry run Nothing is saved." in text(page)
    assert "/load" not in page.text
    assert "dry-band" not in (await clerk.get(path.partition("?")[0])).text
    assert console.rows(t.case) == []


async def test_the_refused_rows_come_masked_as_the_offices_own_file_and_that_is_audited(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    content = rows(GOOD, "A5,王小明 13912345678,,中危,1,@x", "13812345678,李,,139 1234 5679,1,见面")
    path = await dropped(clerk, content)
    draft = (await clerk.get(f"{path}/rejects")).content
    list_path = await loaded(console, clerk, content)
    of_list = await clerk.get(f"{list_path}/rejects")
    assert "attachment" in of_list.headers["content-disposition"]
    for file in (draft, of_list.content):
        sheet = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0).to_python()
        assert sheet[0][:3] == ["指令编号", "姓名", "手机号"]
        assert sheet[0][-2:] == ["拒绝列", "拒绝原因"]
        shown = str(sheet[1:])
        assert "A5" in shown
        for hidden in ("王", "139", "138", "5679", "李", "见面"):
            assert hidden not in shown
    assert [line["who"] for line in console.audited("export")] == ["clerk", "clerk"]
    for page in (path, list_path):
        assert (await clerk.post(f"{page}/rejects", reason="correct", why="mends")).status_code == 403
    assert "in clear" not in text(await clerk.get(list_path))


async def test_who_loaded_a_list_gets_its_rejected_rows_back_to_correct_them(console: ConsoleDesk):
    clerk, other = console.person(Role.CLERK), console.person(Role.SUPERVISOR)
    content = rows(GOOD, "A5,王小明,12345,中危,1,@x")
    path = await dropped(clerk, content)
    draft = (await clerk.post(f"{path}/rejects/own")).content
    list_path = await loaded(console, clerk, content)
    of_list = (await clerk.post(f"{list_path}/rejects/own")).content
    for file in (draft, of_list):
        sheet = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0).to_python()
        assert sheet[1][:3] == ["A5", "王小明", "12345"]
    corrected = of_list_with_phone(of_list, "13912345678")
    again = await clerk.get(await dropped(clerk, corrected, name="rejects.csv"))
    assert counts(again.text)["rejected"] == 0
    assert counts(again.text)["can be loaded"] == 1
    lines = console.audited("export")
    assert [(line["who"], line["facts"]) for line in lines] == [
        ("clerk", {"what": "rejects", "in_clear": True})
    ] * 2
    for page in (path, list_path):
        assert (await other.post(f"{page}/rejects/own")).status_code == 404
    assert "to correct them" in text(await clerk.get(list_path))
    assert "to correct them" not in text(await other.get(list_path))
    assert len(console.audited("export")) == 2


def correctable(page: httpx.Response) -> tuple[list[str], list[str]]:
    """The ids of the rows of a page and their cells, in order."""
    found = re.findall(r'name="(row|cell)" value="([^"]*)"', page.text)
    return [text for name, text in found if name == "row"], [text for name, text in found if name == "cell"]


async def test_rejected_rows_are_corrected_on_the_page_and_become_a_list_of_the_same_source(
    console: ConsoleDesk,
):
    clerk, other = console.person(Role.CLERK), console.person(Role.SUPERVISOR)
    path = await loaded(console, clerk, rows(GOOD, BAD, "A5,王小明,12345,中危,1,@x"), source="银行")
    page = await clerk.get(f"{path}/correct")
    assert "Line 6 手机号" in text(page)
    row_ids, cells = correctable(page)
    assert (len(row_ids), cells[12:]) == (3, ["A5", "王小明", "12345", "中危", "1", "@x"])
    form = {"csrf": clerk.csrf, "row": row_ids, "cell": cells}
    unchanged = await clerk.client.post(f"{path}/correct", data=form)
    assert (unchanged.status_code, "nothing was changed" in text(unchanged)) == (422, True)
    lost = await clerk.client.post(f"{path}/correct", data=form | {"row": row_ids[1:]})
    assert "these rows have changed meanwhile" in text(lost)
    cells[14] = "139 1234 5678"
    sent = await clerk.client.post(f"{path}/correct", data=form | {"cell": cells})
    again = await clerk.get(sent.headers["location"])
    assert (counts(again.text)["rows"], counts(again.text)["can be loaded"]) == (1, 1)
    await clerk.post(f"{sent.headers['location']}/load")
    load_list(console.app.services, int(sent.headers["location"].rpartition("/")[2]))
    assert [row["source"] for row in console.rows(t.warning)] == ["银行"] * 3
    assert [line["facts"] for line in console.audited("correct_rejects")] == [{"lines": [6]}]
    assert console.audited("show_rejects")[0]["facts"] == {"lines": [4, 5, 6]}
    assert "Correct them here" in text(await clerk.get(path))
    assert "Correct them here" not in text(await other.get(path))
    assert (await other.get(f"{path}/correct")).status_code == 404
    assert (await other.client.post(f"{path}/correct", data=form | {"csrf": other.csrf})).status_code == 404


async def test_many_rejected_rows_are_corrected_page_by_page(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await loaded(
        console, clerk, rows(GOOD, *(f"B{n},王,12{n},中危,1," for n in range(ROWS_AT_ONCE + 1)))
    )
    first = await clerk.get(f"{path}/correct")
    assert len(correctable(first)[0]) == ROWS_AT_ONCE
    second = await clerk.get(re.findall(r'rel="next" href="([^"]*)"', first.text)[0])
    row_ids, cells = correctable(second)
    assert (len(row_ids), cells[0]) == (1, f"B{ROWS_AT_ONCE}")
    assert 'rel="next"' not in second.text


def of_list_with_phone(file: bytes, phone: str) -> bytes:
    """The rejected rows as a clerk corrects them: the telephone of the only one is written anew."""
    sheet = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0).to_python()
    sheet[1][sheet[0].index("手机号")] = phone
    return "\n".join(",".join(str(cell) for cell in line) for line in sheet).encode()


async def test_the_refused_rows_come_in_clear_for_those_who_may_with_a_reason(console: ConsoleDesk):
    chief = console.person(Role.SUPERVISOR)
    content = rows(GOOD, "A5,=1+1,,中危,1,@x")
    path = await dropped(chief, content)
    reason = {"reason": "correct", "why": "mends the rows"}
    draft = (await chief.post(f"{path}/rejects", **reason)).content
    list_path = await loaded(console, chief, content)
    for wrong in ({}, {"reason": "correct", "why": "x"}, {"why": "mends the rows"}):
        assert (await chief.post(f"{list_path}/rejects", **wrong)).status_code == 422
    of_list = await chief.post(f"{list_path}/rejects", **reason)
    for file in (draft, of_list.content):
        sheet = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0).to_python()
        [row] = sheet[1:]
        assert row[1] == "=1+1"
        assert b"<f>" not in file
    lines = console.audited("export_rejects")
    assert [(line["why"], line["facts"]["reason"]) for line in lines] == [("mends the rows", "correct")] * 2
    again = await dropped(chief, of_list.content, name="mended.xlsx")
    assert counts((await chief.get(again)).text)["rejected"] == 1


async def test_what_is_no_list_is_said_and_nothing_of_it_is_kept(console: ConsoleDesk):
    for content, said in (
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
        ("手机号,姓名\n".encode(), "no rows below"),
        (b"PK\x03\x04 broken", "cannot be opened"),
        (shared_xls(400, far=True), "the file takes more memory"),
    ):
        answer = await drop(console.person(Role.CLERK), content, name="x.xlsx")
        assert answer.status_code == 422
        assert f"x.xlsx: {said}"[:8] in text(answer)
        assert said in text(answer)
        assert console.rows(t.list_load) == []


async def test_a_person_keeps_so_many_files_that_are_not_loaded(console: ConsoleDesk):
    clerk, other = console.person(Role.CLERK), console.person(Role.SUPERVISOR)
    paths = [await dropped(clerk, rows(GOOD)) for _ in range(MOST_DRAFTS)]
    over = await drop(clerk, rows(GOOD))
    assert over.status_code == 429
    assert f"you have {MOST_DRAFTS} files that are not loaded yet" in text(over)
    await dropped(other, rows(GOOD))
    await clerk.post(f"{paths[0]}/forget")
    path = await dropped(clerk, rows(GOOD))
    await clerk.post(f"{path}/forget")
    with console.app.services.store.begin() as tx:
        tx.execute(
            sa.update(t.list_load).values(size_bytes=sa.literal(MOST_DRAFT_BYTES // (MOST_DRAFTS - 1)))
        )
    full = await drop(clerk, rows(GOOD))
    assert full.status_code == 429
    assert "more than 1024 MB" in text(full)


async def test_no_file_is_said_beside_the_field(console: ConsoleDesk):
    answer = await console.person(Role.CLERK).post("/lists")
    assert answer.status_code == 422
    assert "Choose a file first." in text(answer)


async def test_a_draft_is_its_owners_alone_and_goes_by_itself(console: ConsoleDesk):
    clerk, other = console.person(Role.CLERK), console.person(Role.SUPERVISOR)
    path = await dropped(clerk, rows(GOOD))
    for answer in (
        await other.get(path),
        await other.get(f"{path}/rejects"),
        await other.post(f"{path}/load"),
        await other.post(f"{path}/forget"),
    ):
        assert answer.status_code == 404
    assert "名单.csv" not in text(await other.get("/lists"))
    assert "名单.csv" in text(await clerk.get("/lists"))
    assert (await clerk.get(path.replace("drafts/", ""))).status_code == 404
    console.pass_seconds(timedelta(hours=3).total_seconds())
    session = console.signed_in(clerk.member)
    assert (await session.get(path)).status_code == 200
    assert forget_old_drafts(console.app.services) == 0
    console.pass_seconds(timedelta(hours=5).total_seconds())
    assert forget_old_drafts(console.app.services) == 1
    assert console.rows(t.list_load) == []


async def test_pressed_twice_or_gone_back_to_it_is_loaded_once(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, rows(GOOD))
    first, second = await clerk.post(f"{path}/load"), await clerk.post(f"{path}/load")
    assert first.headers["location"] == second.headers["location"]
    assert (await clerk.get(path)).headers["location"] == first.headers["location"]
    assert len(console.audited("load_list")) == 1


async def test_a_file_that_is_too_large_is_refused_before_it_is_read(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    length = str(MOST_MEGABYTES * (1 << 20) + 1)
    answer = await clerk.client.post(
        "/lists", content=b"x", headers={"Content-Length": length, "X-CSRF-Token": clerk.csrf}
    )
    assert answer.status_code == 413
    assert console.rows(t.list_load) == []


async def test_a_long_list_is_looked_at_in_part_and_counted_afterwards(console: ConsoleDesk):
    many = rows(*(f"N{n},王,138{n:08d},低危,1," for n in range(COUNTED + 5)), "X,李,,低危,1,")
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, many)
    page = await clerk.get(path)
    assert f"> {COUNTED:,} rows; they are being counted" in text(page)
    assert f"The figures are of its first {COUNTED:,} rows" in text(page)
    part = await clerk.part(f"{path}/count")
    assert f"{COUNTED + 6:,} rows in all, 1 of them rejected" in text(part)
    sent = await clerk.post(f"{path}/load")
    assert f'max="{COUNTED + 6}"' in (await clerk.part(sent.headers["location"])).text


def test_whatever_the_intake_says_has_its_words():
    assert set(NOTICES) == set(NoticeCode)
    assert set(FIELDS) == set(Field)


async def test_each_sample_list_is_told_and_loaded_as_it_is_expected(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    for name, wanted in expected().items():
        answer = await drop(clerk, (SAMPLES / name).read_bytes(), name=name)
        if wanted.get("unusable"):
            page = answer if answer.status_code == 422 else await clerk.get(answer.headers["location"])
            assert "Load this list" not in text(page), name
            assert re.search("file is empty|neither a text list|no phone column", text(page)), name
            continue
        path = answer.headers["location"]
        draft = counts((await clerk.get(path)).text)
        sent = await clerk.post(f"{path}/load")
        load_list(console.app.services, int(sent.headers["location"].rpartition("/")[2]))
        done = counts((await clerk.get(sent.headers["location"])).text)
        for figures in (draft, done):
            accepted = figures["can be loaded" if figures is draft else "accepted"]
            found = figures["rows"], accepted, figures["duplicates"], figures["rejected"]
            assert found == tuple(wanted[word] for word in ("rows", "accepted", "duplicate", "rejected")), (
                name
            )


async def test_thrown_away_it_is_gone(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, rows(GOOD))
    await clerk.post(f"{path}/forget")
    assert console.rows(t.list_load) == []
    assert (await clerk.get(path)).status_code == 404


async def test_progress_is_of_the_whole_list(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await dropped(clerk, rows(GOOD, BAD))
    await clerk.get(path)
    sent = await clerk.post(f"{path}/load")
    part = await clerk.part(sent.headers["location"])
    assert 'max="4"' in part.text
    assert 'value="0"' in part.text
    assert "every 1s" in part.text
    load_list(console.app.services, int(sent.headers["location"].rpartition("/")[2]))
    part = await clerk.part(sent.headers["location"])
    assert "every 1s" not in part.text
    assert counts(part.text)["rows"] == 4


async def test_paused_and_resumed(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await loaded(console, clerk, rows(GOOD))
    refused = await clerk.post(f"{path}/pause", minutes=30, why=" ")
    assert refused.status_code == 422
    assert "is empty" in text(refused)
    await clerk.post(f"{path}/pause", minutes=30, why="号码有误")
    page = text(await clerk.get(path))
    assert "calls paused until" in page
    assert "号码有误" in page
    assert "paused" in text(await clerk.get("/lists"))
    await clerk.post(f"{path}/resume")
    assert "calls paused until" not in text(await clerk.get(path))
    assert [line["who"] for line in (*console.audited("pause"), *console.audited("resume"))] == ["clerk"] * 2


async def test_withdrawn_with_a_reason(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    path = await loaded(console, clerk, rows("A2,李大海,13900139000,低危,500,"))
    assert (await clerk.post(f"{path}/withdraw", why="")).status_code == 422
    assert console.rows(t.case)[0]["status"] == "open"
    await clerk.post(f"{path}/withdraw", why="下发错误")
    assert console.rows(t.case)[0]["status"] == "closed"
    page = await clerk.get(path)
    assert "withdrawn" in text(page)
    assert f'action="{path}/withdraw"' not in page.text
    again = await clerk.post(f"{path}/withdraw", why="下发错误")
    assert again.status_code == 303


async def test_rows_that_wait_for_their_number_are_told_apart_and_lead_to_where_they_are_released(
    console: ConsoleDesk,
):
    with console.app.services.store.begin() as tx:
        unit = add_unit(tx, name="临河", parent_id=None)
    boss, clerk = console.person(Role.SUPERVISOR), console.person(Role.CLERK, unit_id=unit)
    path = await loaded(console, clerk, rows(*(f"C{n},王{n},13900139009,高危,1," for n in range(6))))
    page = await boss.get(path)
    assert "6 rows 4 accepted 0 merged 2 held for release 0 duplicates" in text(page)
    assert "2 rows wait for release: their numbers have as many open cases as they may have." in text(page)
    assert 'href="/sources">Release or refuse them' in page.text
    other = await clerk.get(path)
    assert "A supervisor of the whole centre releases or refuses them." in text(other)
    [held] = waiting_warnings(console.app.services)
    assert f'href="{path}"' in (await boss.get("/sources")).text
    assert f'href="{path}"' in (await boss.get(f"/lists/{held.id}")).text
    await boss.post("/sources/waiting", decision="release", load=str(held.id))
    load_list(console.app.services, held.id)
    page = text(await boss.get(path))
    assert "2 held for release" in page
    assert "None of the rows that were held for release waits any more." in page


@pytest.fixture
def careful(console: ConsoleDesk) -> ConsoleDesk:
    """A list of more than two rows waits for a second person."""
    services = replace(console.app.services, work=WorkRules(approve_above_rows=2))
    return ConsoleDesk(replace(console.app, services=services))


async def test_a_large_list_waits_for_another_person_but_for_its_high_grades(careful: ConsoleDesk):
    boss, clerk = careful.person(Role.SUPERVISOR), careful.person(Role.CLERK)
    content = rows(GOOD, "A3,赵六,13700137000,中危,1,", "A4,孙七,13600136000,特高危,1,")
    draft = await dropped(boss, content)
    assert "a second person lets it in" in text(await boss.get(draft))
    path = (await boss.post(f"{draft}/load")).headers["location"]
    load_list(careful.app.services, int(path.rpartition("/")[2]))
    assert sorted(row["grade"] for row in careful.rows(t.case)) == ["extra_high", "high"]
    page = await boss.get(path)
    assert "2 warnings of a high grade are loaded already." in text(page)
    assert f"{path}/approve" not in page.text
    await boss.post(f"{path}/approve")
    assert careful.rows(t.list_load)[0]["decided_by"] is None
    over = text(await clerk.get("/lists"))
    assert "Waiting for a second person" in over
    assert f"{path}/approve" not in (await clerk.get(path)).text
    second = careful.signed_in(careful.account(Role.SUPERVISOR, login="second"))
    assert f"{path}/approve" in (await second.get(path)).text
    await second.post(f"{path}/approve")
    load_list(careful.app.services, int(path.rpartition("/")[2]))
    assert len(careful.rows(t.case)) == 4
    page = text(await clerk.get(path))
    assert "loaded" in page
    assert "waits for a second person" not in page


async def test_lists_are_of_a_unit_and_paged(console: ConsoleDesk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "_PAGE", 3)
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        county = add_unit(tx, name="临河", parent_id=city)
        other = add_unit(tx, name="五原", parent_id=city)
    here = console.person(Role.CLERK, unit_id=county)
    there = console.person(Role.CLERK, unit_id=other)
    for number in range(4):
        content = rows(f"N{number},王,1380013{number:04d},低危,1,")
        path = await loaded(console, here, content, name=f"第{number}批.csv")
    assert (await there.get(path)).status_code == 404
    assert "第1批" not in text(await there.get("/lists"))
    first = await here.get("/lists")
    assert "第3批" in first.text
    assert "第0批" not in first.text
    before = re.search(r"/lists\?before=(\d+)", first.text)
    assert before is not None
    assert "第0批" in (await here.get("/lists", before=before[1])).text
