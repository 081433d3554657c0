"""The rules of the warning robot in words, drafts of them, their comparison and their approval."""

from __future__ import annotations

import html
import io
import zipfile

import pytest

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.signals.rules import shipped_texts
from dialer.signals.versions import draft_rules
from tests.console.desk import ConsoleDesk, Person
from tests.console.test_robot import warned

RULE = "early_unknown_call"


def supervisor(console: ConsoleDesk, login: str, language: str = "en") -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login=login, language=language))


def prepared(console: ConsoleDesk) -> None:
    warned(console)


async def test_a_threshold_is_drafted_compared_judged_on_last_week_and_approved_by_another(
    console: ConsoleDesk,
):
    prepared(console)
    first, second = supervisor(console, "first"), supervisor(console, "second")
    table = (await first.get("/robot/rules")).text
    assert "Five minutes with an unknown number" in table
    assert ": 5 minutes or more" in html.unescape(table)
    rule = "payment_listed_account"
    page = (await first.get("/robot/rule", rule=rule)).text
    assert 'name="value"' in page
    sent = await first.post("/robot/rule", version="1", rule=rule, points="90", floor="")
    assert sent.headers["location"] == "/robot/versions/2"
    compared = (await second.get("/robot/versions/2")).text
    assert "Least grade" in compared
    week = html.unescape((await first.get("/robot/versions/2/week")).text)
    assert "Persons warned" in week
    assert "the 2 signals that came since" in week
    approve = 'action="/robot/rules/2/approve"'
    assert approve in compared
    assert approve not in (await first.get("/robot/versions/2")).text
    assert "/robot/versions/2" in (await second.get("/approvals")).text
    assert "/robot/versions/2" not in (await first.get("/approvals")).text
    assert (await first.post("/robot/rules/2/approve", reason="mine")).status_code == 409
    assert (await second.post("/robot/rules/2/approve", reason="")).status_code == 422
    assert (await second.post("/robot/rules/2/approve", reason="seen")).status_code == 303
    assert "90" in (await second.get("/robot/rules")).text
    acts = [row["act"] for row in console.rows(t.audit) if row["act"].startswith("rules_")]
    assert acts == ["rules_draft", "rules_approve"]


async def test_a_rule_that_breaks_its_example_is_shown_in_toml_and_nothing_is_stored(console: ConsoleDesk):
    prepared(console)
    analyst = supervisor(console, "first")
    form = {"version": "1", "rule": RULE, "points": "10", "floor": "", "name": "when.0", "value": "10"}
    refused = await analyst.post("/robot/rule", **form)
    assert refused.status_code == 422
    shown = html.unescape(refused.text)
    assert "example a stranger does not fire" in shown
    assert 'when = ["longest >= 600"]' in shown
    assert len(console.rows(t.rule_version)) == 1
    text = shipped_texts()[RULE].replace("longest >= 300", "longest >= 600").replace("= 360", "= 720")
    made = await analyst.post("/robot/rule", version="1", rule=RULE, do="toml", source=text)
    assert made.headers["location"] == "/robot/versions/2"
    again = await analyst.post("/robot/rule", version="1", rule=RULE, do="toml", source=text)
    assert again.status_code == 409
    broken = await analyst.post("/robot/rule", version="1", rule=RULE, do="toml", source="id = 1 2")
    assert broken.status_code == 422
    assert "id = 1 2" in broken.text


async def test_a_draft_goes_on_from_a_draft_and_a_rule_is_taken_out(console: ConsoleDesk):
    prepared(console)
    analyst = supervisor(console, "first", language="zh")
    gone = await analyst.post("/robot/rule", version="1", rule=RULE, do="remove")
    assert gone.headers["location"] == "/robot/versions/2"
    await analyst.post("/robot/rule", version="2", rule="code_burst", do="remove")
    page = (await analyst.get("/robot/versions/3")).text
    assert page.count("不再使用") == 2
    packed = (await analyst.get("/robot/versions/3/files")).content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert set(archive.namelist()) == {
            f"{name}.toml" for name in set(shipped_texts()) - {RULE, "code_burst"}
        }


async def test_points_of_a_fitted_scorecard_are_changed_there(console: ConsoleDesk):
    prepared(console)
    fitted = {"points": {RULE: 7}, "slope": 0.05, "intercept": -4.0, "steps": []}
    draft_rules(console.app.services, unrestricted("fit"), shipped_texts(), scorecard=fitted)
    analyst = supervisor(console, "first")
    assert 'value="7"' in (await analyst.get("/robot/rule", rule=RULE, version="2")).text
    await analyst.post("/robot/rule", version="2", rule=RULE, points="9", floor="")
    made = next(row for row in console.rows(t.rule_version) if row["number"] == 3)
    assert made["scorecard"]["points"] == {RULE: 9}
    assert made["files"] == dict(shipped_texts())


@pytest.mark.parametrize(
    "address", ["/robot/versions/99", "/robot/rules?version=99", "/robot/rule?rule=none"]
)
async def test_what_is_not_there_is_not_found(console: ConsoleDesk, address: str):
    prepared(console)
    assert (await supervisor(console, "first").get(address)).status_code == 404


async def test_an_analyst_drafts_a_rule_and_neither_approves_it_nor_sees_a_person_in_clear(
    console: ConsoleDesk,
):
    case_id = warned(console)
    analyst = console.signed_in(console.account(Role.ANALYST, login="fen"))
    sent = await analyst.post(
        "/robot/rule", version="1", rule="payment_listed_account", points="90", floor=""
    )
    assert sent.headers["location"] == "/robot/versions/2"
    page = (await analyst.get("/robot/versions/2")).text
    assert "/robot/rules/2/approve" not in page
    assert (await analyst.get("/robot/versions/2/week")).status_code == 200
    assert (await analyst.post("/robot/rules/2/approve", reason="mine")).status_code == 403
    assert (await analyst.get("/robot/held")).status_code == 200
    assert (await analyst.post("/robot/held/release", why="x")).status_code == 403
    case = await analyst.get(f"/cases/{case_id}")
    assert case.status_code == 200
    assert "/reveal" not in case.text
    assert (await analyst.post(f"/cases/{case_id}/reveal", reason="contact")).status_code == 403
    assert (await analyst.get("/desk")).status_code == 403
    supervised = supervisor(console, "second")
    assert (await supervised.post("/robot/rules/2/approve", reason="seen")).status_code == 303
