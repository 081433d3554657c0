"""Sources on the console: what waits is released or refused in bulk, and limits are set with a reason."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role, unrestricted
from dialer.core.errors import Invalid
from dialer.core.events import AlarmCode
from dialer.core.sources import COUNTED_LIMITS, SourceLimits
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.intake.records import Field
from dialer.org.sources import TypedLimits
from dialer.staff.sign_in import add_token
from dialer.staff.token_store import ApiToken
from dialer.warnings.deliveries import read_warnings, take_deliveries
from dialer.warnings.lists import load_list
from dialer.warnings.source_limits import change_source, read_source, waiting_warnings
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario

CHIEF = unrestricted("chief")


@pytest.fixture
def supervisor(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login="wang"))


def source(console: ConsoleDesk, name: str, **limits: object) -> ApiToken:
    """A source that is not on probation, with a token."""
    services = console.app.services
    new = add_token(services, CHIEF, name=name, scopes=["warnings:write"], days=9, unit="")
    change_source(services, CHIEF, name, SourceLimits(**limits), on_probation=False, why="known")  # type: ignore[arg-type]
    return new.token


def send(console: ConsoleDesk, token: ApiToken, count: int, *, grade: str = "低危", first: int = 0) -> None:
    sent = [
        {
            Field.INSTRUCTION_NO: f"{token.name}{n}",
            Field.PHONE: f"1380{hash(token.name) % 100:02d}{n:05d}",
            Field.NAME: "王伟",
            Field.GRADE: grade,
        }
        for n in range(first, first + count)
    ]
    services = console.app.services
    take_deliveries(services, [read_warnings(services, sent, token=token)])


async def test_what_waits_is_released_in_bulk(console: ConsoleDesk, supervisor: Person):
    bank, carrier = (
        source(console, name, per_day=1, extra_high_per_day=0) for name in ("city-bank", "mobile")
    )
    send(console, bank, 5)
    send(console, carrier, 3, grade="特高危")
    page = text(await supervisor.get("/sources"))
    assert "mobile more extra-high ones a day than the source may send extra high 3" in page
    assert "city-bank more a day than the source may send below extra high 4" in page
    shown = re.findall(r"(city-bank|mobile) regular ([0-9 ]+)", page)
    assert shown == [("city-bank", "1 1 1 0 4 "), ("mobile", "0 0 0 0 3 ")]
    ids = [one.id for one in waiting_warnings(console.app.services)]
    nothing = await supervisor.post("/sources/waiting", decision="release")
    assert nothing.status_code == 422
    body = {"csrf": supervisor.csrf, "decision": "release", "load": [str(number) for number in ids]}
    done = await supervisor.client.post("/sources/waiting", data=body)
    assert done.headers["location"] == "/sources"
    for number in ids:
        load_list(console.app.services, number)
    assert len(console.rows(t.warning)) == 8
    assert "No warnings wait for release" in text(await supervisor.get("/sources"))
    assert {line["who"] for line in console.audited("approve_load")} == {"wang"}
    again = await supervisor.client.post("/sources/waiting", data=body)
    assert again.status_code == 409


async def test_a_source_for_which_nobody_has_set_limits_shows_those_of_the_settings(
    console: ConsoleDesk, supervisor: Person
):
    source(console, "old-bank")
    source(console, "city-bank", per_hour=9)
    assert "old-bank regular limits of the settings 0" in text(await supervisor.get("/sources"))
    assert "city-bank regular 0" in text(await supervisor.get("/sources"))
    page = text(await supervisor.get("/sources/one?name=old-bank"))
    assert "Nobody has set how many warnings it may send" in page
    assert "Last minute 0 1,000 0 200" in page
    page = text(await supervisor.get("/sources/one?name=city-bank"))
    assert "Nobody has set how many warnings it may send" not in page
    assert "Last hour 0 9 0 1,000" in page


async def test_a_refusal_needs_its_reason(console: ConsoleDesk, supervisor: Person):
    send(console, source(console, "city-bank", per_day=0), 2)
    [waits] = waiting_warnings(console.app.services)
    form = {"decision": "refuse", "load": str(waits.id)}
    unsaid = await supervisor.post("/sources/waiting", **form)
    assert unsaid.status_code == 422
    assert f'value="{waits.id}"' in unsaid.text
    assert waiting_warnings(console.app.services) == [waits]
    await supervisor.post("/sources/waiting", **form, why="对方测试数据")
    assert waiting_warnings(console.app.services) == []
    assert console.rows(t.warning) == []
    [line] = console.audited("withdraw_load")
    assert line["who"] == "wang"


async def test_approvals_have_what_waits_and_who_may_not_decide_only_looks(
    console: ConsoleDesk, supervisor: Person
):
    auditor = console.signed_in(console.account(Role.AUDITOR, login="jian"))
    send(console, source(console, "city-bank", per_day=0), 2)
    page = text(await supervisor.get("/approvals"))
    assert "city-bank.csv" in page
    assert "more a day than the source may send" in page
    [waits] = waiting_warnings(console.app.services)
    assert "Warnings of the source city-bank wait here" in text(await supervisor.get(f"/lists/{waits.id}"))
    page = await auditor.get("/sources")
    assert 'name="load"' not in page.text
    assert "A supervisor of the whole centre releases or refuses them." in text(page)


async def test_the_page_of_a_source_shows_and_changes_what_it_may_send(
    console: ConsoleDesk, supervisor: Person
):
    services = console.app.services
    scopes = ["warnings:write", "signals:write"]
    add_token(services, CHIEF, name="gate", scopes=scopes, days=9, unit="", sources=["a/b & 银行"])
    address = "/sources/one?name=a%2Fb+%26+%E9%93%B6%E8%A1%8C"
    page = text(await supervisor.get(address))
    assert "On probation" in page
    assert "Last minute 0 60 0 30" in page
    assert "Reports of a bank not allowed" in page
    form = {
        "name": "a/b & 银行", "per_minute": "120", "per_hour": "", "per_day": "5,000", "extra_high_per_hour": "7",
        "most_grade": "high", "most_amount": "12,000.50", "bank_reports": "yes", "signal_kinds": "call",
        "list_kinds": "suspected",
    }  # fmt: skip
    unsaid = await supervisor.post("/sources/one", **form)
    assert unsaid.status_code == 422
    assert 'value="5,000"' in unsaid.text
    assert read_source(services, "a/b & 银行").on_probation
    changed = await supervisor.post("/sources/one", **form, why="已核对一月")
    assert changed.status_code == 303
    found = read_source(services, "a/b & 银行")
    assert not found.on_probation
    assert found.own_limits == SourceLimits(
        per_minute=120, per_day=5000, extra_high_per_hour=7, most_grade=Grade.HIGH, most_amount_fen=1_200_050,
        bank_reports=True, signal_kinds=("call",), list_kinds=("suspected",),
    )  # fmt: skip
    page = text(await supervisor.get(changed.headers["location"]))
    assert "Last minute 0 120 0 200" in page
    assert "Amounts believed up to ¥12,000.50" in page
    assert "Kinds of signals call Lists in which it enters items suspected" in page
    assert 'name="list_kinds" value="suspected" checked' in (await supervisor.get(address)).text
    [line] = [line for line in console.audited("change_source") if line["who"] == "wang"]
    assert line["facts"]["per_minute"] == [None, 120]
    assert line["facts"]["on_probation"] == [True, False]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("per_minute", "many"),
        ("per_day", "-1"),
        ("per_hour", "9999999"),
        ("most_grade", "top"),
        ("most_amount", "1,2,3"),
        ("units", "no such unit"),
        ("signal_kinds", "gossip"),
        ("list_kinds", "gossip"),
    ],
)
async def test_what_is_typed_wrong_is_said_beside_its_field(
    console: ConsoleDesk, supervisor: Person, field: str, typed: str
):
    source(console, "city-bank")
    answer = await supervisor.post("/sources/one", name="city-bank", why="x", **{field: typed})
    assert answer.status_code == 422
    assert "problem" in answer.text
    assert read_source(console.app.services, "city-bank").own_limits == SourceLimits()


def test_a_count_of_more_than_ten_digits_is_no_number():
    assert TypedLimits(counts={"per_day": "1,000,000,000"}).read().per_day == 10**9
    with pytest.raises(Invalid) as refused:
        TypedLimits(counts={"per_day": "10000000000"}).read()
    assert refused.value.field == "per_day"


async def test_the_page_of_a_source_has_its_waiting_warnings_its_tokens_and_its_alarms(
    console: ConsoleDesk, supervisor: Person
):
    token = source(console, "city-bank", per_day=1)
    source(console, "mobile", per_day=1)
    send(console, token, 3)
    page = text(await supervisor.get("/sources/one?name=city-bank"))
    assert "more a day than the source may send below extra high 2" in page
    assert "warnings above the limits of their source wait for release" in page
    assert "Last 24 hours 1 1 0 4,000" in page
    assert "the whole centre good until" in page
    other = text(await supervisor.get("/sources/one?name=mobile"))
    assert "warnings above the limits" not in other
    assert "How right it has been, last 90 days" in page
    with console.app.services.store.begin() as tx:
        now = console.app.services.clock.now()
        raise_alarm_once(tx, AlarmCode.LIST_ITEM_WAITS, now=now, names=["mobile", "bank"])
    other = text(await supervisor.get("/sources/one?name=mobile"))
    assert "a source lists a public service as fraud" in other
    assert "a source lists a public service as fraud" not in text(
        await supervisor.get("/sources/one?name=city-bank")
    )
    assert (await supervisor.get("/sources/one?name=none")).status_code == 404


async def test_each_limit_that_is_a_count_is_set_on_the_page(console: ConsoleDesk, supervisor: Person):
    source(console, "city-bank")
    counts = {name: number for number, name in enumerate(COUNTED_LIMITS, start=11)}
    typed = {name: str(number) for name, number in counts.items()}
    answer = await supervisor.post("/sources/one", name="city-bank", why="x", **typed)
    assert answer.status_code == 303
    assert read_source(console.app.services, "city-bank").own_limits == SourceLimits(**counts)
    page = await supervisor.get("/sources/one?name=city-bank")
    for name, number in counts.items():
        field = re.search(rf'<input[^>]*name="{name}"[^>]*>', page.text)
        assert field is not None
        assert f'value="{number}"' in field[0]
    assert "Last hour 0 12 0 15 0 18" in text(page)


async def test_reports_of_a_bank_are_forbidden_allowed_and_left_to_the_settings(
    console: ConsoleDesk, supervisor: Person
):
    source(console, "city-bank")
    for typed, allowed in (("no", False), ("yes", True), ("", None)):
        answer = await supervisor.post("/sources/one", name="city-bank", why="x", bank_reports=typed)
        assert answer.status_code == 303
        assert read_source(console.app.services, "city-bank").own_limits.bank_reports is allowed


async def test_an_account_of_a_unit_decides_about_no_source(console: ConsoleDesk):
    unit_id = ConsoleScenario(console).unit("临河分局")
    chief = console.signed_in(console.account(Role.SUPERVISOR, login="li", unit_id=unit_id))
    send(console, source(console, "city-bank", per_day=0), 1)
    [waits] = waiting_warnings(console.app.services)
    for answer in (
        await chief.get("/sources"),
        await chief.get("/sources/one?name=city-bank"),
        await chief.post("/sources/waiting", decision="release", load=str(waits.id)),
        await chief.post("/sources/one", name="city-bank", why="x"),
    ):
        assert answer.status_code == 404
    assert waiting_warnings(console.app.services) == [waits]
