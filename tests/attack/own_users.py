"""Attacks by somebody who may do a little and tries more: with an account or a token of their own."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import tempfile
from itertools import count
from typing import TYPE_CHECKING

import sqlalchemy as sa

from dialer.cards.openings.institutions import add_institution, add_outlet, bind_teller
from dialer.cli.terminal import machine_user
from dialer.core.access import Role, unrestricted
from dialer.core.cards import InstitutionKind
from dialer.core.case import CaseStatus
from dialer.db import tables as t
from dialer.staff.sign_in import add_token
from tests.cards.street import id_number
from tests.console.desk import PASSWORD, text
from tests.outcomes.town import Scenario

if TYPE_CHECKING:
    from tests.attack.run import Attack, Target

_PREMIUM = (
    "+19002345678", "+881612345678", "+870773123456", "+979123456789", "+449091234567", "+85291234567",
    "+864006123456", "13491234567", "+8616812345",
)  # fmt: skip
_ELSEWHERE = ("110", "119", "120", "95588", "10086", "+8613800138000", "sip:x@anyhost", *_PREMIUM)


async def numbers(target: Target, attack: Attack) -> None:
    """A caller's own telephone is one of the centre's, and a source has no number called that costs or is abroad."""
    desk = target.desk
    caller = desk.signed_in(desk.account(Role.CALLER, login="numbers"))
    for number in _ELSEWHERE:
        attack.tried += 1
        answer = await caller.post("/desk/extension", extension=number)
        # A busy database refuses too; what counts is that nothing was taken.
        attack.must(answer.status_code != 500, f"the extension {number} got 500: {text(answer)[-200:]}")
        [row] = [row for row in desk.rows(t.staff) if row["login"] == "numbers"]
        attack.must(row["extension"] == "", f"a caller's own telephone is {row['extension']}")
    services = desk.app.services
    token = add_token(
        services, unrestricted("attack"), name="numbers", scopes=("warnings:write",), days=1, unit=""
    )
    client = desk.stranger()
    client.headers["Authorization"] = f"Bearer {token.secret}"
    for number in _PREMIUM:
        attack.tried += 1
        warning = {"instruction_no": f"N{number}", "grade": "特高危", "name": "王伟", "phones": number}
        answer = await client.post("/api/v1/warnings", json=warning)
        attack.must(answer.status_code < 500, f"a warning with {number} got {answer.status_code}")
        taken = sa.select(t.warning.c.id).where(t.warning.c.instruction_no == f"N{number}")
        with services.store.begin() as tx:
            attack.must(not tx.rows(taken), f"a warning with {number} was taken")


def _alarms(target: Target, code: str) -> int:
    c = t.alarm.c
    with target.made.app.services.store.begin() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(t.alarm).where(c.code == code)))


async def searches(target: Target, attack: Attack) -> None:
    """Who sees masked numbers tries every number that one could be."""
    desk, rules = target.desk, target.made.app.services.reveals
    auditor = desk.signed_in(desk.account(Role.AUDITOR, login="searches"))
    why = {"reason": "other", "why": "核对号码"}
    answered = 0
    for number in range(target.times(200)):
        typed = f"138{number:04d}0189"
        unsaid = await auditor.post("/cases/find", text=typed)
        attack.tried += 1
        if answered >= rules.searches_without_reason:
            attack.must(unsaid.status_code in {422, 429}, f"search {number} without a reason was answered")
        said = unsaid if unsaid.status_code == 303 else await auditor.post("/cases/find", text=typed, **why)
        answered += said.status_code == 303
        attack.must(said.status_code in {303, 429}, f"search {number} got {said.status_code}")
    attack.must(answered <= rules.searches, f"{answered} searches in {rules.seconds:.0f} s were answered")
    if target.times(200) >= rules.searches_alarm:
        attack.must(_alarms(target, "many_searches") > 0, "no alarm about so many searches")
    await _guessed_list(target, attack)
    exported = 0
    for _ in range(target.times(200)):
        code = (await auditor.get("/cases/file")).status_code
        attack.tried += 1
        exported += code == 200
        attack.must(code in {200, 429}, f"an export got {code}")
    most = rules.searches - answered
    attack.must(exported <= most, f"{exported} exports after {answered} searches were answered")
    shown = 0
    for number in range(target.times(rules.pages + 100)):
        code = (await auditor.get(f"/cases/{number + 1}")).status_code
        attack.tried += 1
        shown += code != 429
        attack.must(code in {200, 404, 429}, f"the page of case {number + 1} got {code}")
    attack.must(shown <= rules.pages, f"{shown} pages of people in an hour were answered")
    if target.times(rules.pages + 100) > rules.pages:
        attack.must(_alarms(target, "many_pages") > 0, "no alarm about so many pages")
    attack.said = f"{answered}, {exported} exports and {shown} pages answered"


async def _guessed_list(target: Target, attack: Attack) -> None:
    """A clerk previews a list of numbers that a masked one could be, and loads nothing."""
    scene = Scenario.on(target.made.app.services)
    scene._numbers = count(9_700)
    scene.case(person_id=scene.person(name="王小虎", phones=("+8613817000189",)))
    clerk = target.desk.signed_in(target.desk.account(Role.CLERK, login="guesses-a-list"))
    told = []
    for first in (17_000, 18_000):
        lines = [f"Q{n},王小虎,138{n:05d}189,低危" for n in range(first, first + target.times(200))]
        content = "\n".join(["指令编号,姓名,手机号,预警等级", *lines]).encode()
        answer = await clerk.client.post(
            "/lists",
            files={"file": ("list.csv", io.BytesIO(content))},
            data={"csrf": clerk.csrf},
            headers={"X-CSRF-Token": clerk.csrf},
        )
        page = await clerk.get(answer.headers["location"])
        attack.tried += len(lines)
        attack.must(page.status_code == 200, f"the preview of guesses got {page.status_code}")
        told.append(re.findall(r'<div class="figure[^"]*"><b>([^<]*)</b>', page.text))
        attack.must("/cases/" not in page.text.partition("<main")[2], "a preview names a case")
    attack.must(told[0] == told[1] != [], f"a list of guesses tells who has a case: {told}")
    for first in (17_000, 18_000):
        lines = [f"F{n},王小虎,138{n:05d}189,1,2026-01-02" for n in range(first, first + target.times(200))]
        content = "\n".join(["案件编号,姓名,手机号,损失金额,立案时间", *lines]).encode()
        answer = await clerk.client.post(
            "/filed", files={"file": ("filed.csv", io.BytesIO(content))}, data={"csrf": clerk.csrf}
        )
        attack.tried += len(lines)
        main = answer.text.partition("<main")[2]
        attack.must(answer.status_code == 200, f"an invented list of filed cases got {answer.status_code}")
        attack.must("/cases/" not in main, "an invented list of filed cases names a case")
        told.append(sorted(set(re.findall(r"warned|doubtful|known", main))))
    attack.must(told[2] == told[3], f"an invented list of filed cases tells who is known: {told[2:]}")
    ended = [row for row in target.desk.rows(t.filed_match) if row["state"] != "doubtful"]
    attack.must(not ended, f"an invented list of filed cases counts for {len(ended)} people")


async def tellers(target: Target, attack: Attack) -> None:
    """A teller checks person after person and opens no card, and asks which of two customers is at risk."""
    desk, services = target.desk, target.made.app.services
    by = unrestricted("attack")
    add_institution(services, by, name="河套银行", kind=InstitutionKind.BANK)
    add_outlet(services, by, institution="河套银行", code="1", name="一部")
    member = desk.account(Role.TELLER, login="tellers")
    bind_teller(services, by, login="tellers", institution="河套银行", code="1")
    teller, answered = desk.signed_in(member), 0
    told = []
    at_risk = Scenario.on(services)
    at_risk._numbers = count(9_000)  # other attacks have people of their own
    at_risk.case(person_id=at_risk.person(id_number=id_number(900)))
    for name, guided in (("900", "1"), ("901", "1")):
        form = {
            "opening_no": f"G{name}{guided}", "product": "account_2", "name": "王伟", "id_number": id_number(int(name)),
            "phone": "13800009900", "guided": guided,
        }  # fmt: skip
        shown = await teller.post("/counter", **form)
        attack.tried += 1
        attack.must(shown.status_code == 303, f"a customer at risk got {shown.status_code}")
        called = [row["instruction_no"] for row in desk.rows(t.warning)].count(
            f"K-{shown.headers['location'].rpartition('/')[2]}"
        )
        attack.must(called == (name == "900"), "a directed customer is called before the desk has spoken")
        page = text(await teller.get(shown.headers["location"])).replace(form["opening_no"], "")
        told.append(page)
        attack.must("victim" not in page, "the answer says who is a victim")
        await teller.post(f"{shown.headers['location']}/result", result="abandoned", why="不办了")
        await teller.get("/counter")  # shows the notice that it is decided
        answered += 1
    attack.must(len(set(told)) == 1, "directed customers who are at risk are told apart from others")
    for number in range(target.times(75)):
        form = {
            "opening_no": f"T{number}", "product": "account_2", "name": "王伟", "id_number": id_number(number),
            "phone": f"1380000{number:04d}",
        }  # fmt: skip
        shown = await teller.post("/counter", **form)
        attack.tried += 1
        attack.must(shown.status_code in {303, 429}, f"opening {number} got {shown.status_code}")
        if shown.status_code == 303:
            answered += 1
            await teller.post(f"{shown.headers['location']}/result", result="abandoned", why="不办了")
    most = services.cards.unfinished_a_day
    attack.must(answered <= most, f"{answered} people were checked without a card, {most} may be")
    attack.said = f"{answered} answered"


_OF_PEOPLE = (
    ("person", "erase", "--case", "1", "--why", "x"), ("person", "confirm", "1"),
    ("person", "hold", "--case", "1", "--why", "x"),
    ("outcome", "approve", "1"), ("outcome", "refuse", "1", "--why", "x"), ("loads", "approve", "1"),
    ("signals", "rules", "approve", "1", "--reason", "x"), ("scripts", "approve", "loan", "1", "--reason", "x"),
    ("filed", "undo", "1", "--reason", "x"), ("work", "sign", "1"),
    ("pause", "--minutes", "0.1", "--why", "x"), ("resume",), ("keys", "rotate", "--why", "x"),
)  # fmt: skip


_OF_ACCOUNTS = (
    ("staff", "add", "mole", "--name", "王强", "--role", "supervisor"),
    ("staff", "reset", "chief"),
    ("staff", "reset-factors", "deputy"),
    ("token", "add", "mole", "--scope", "cases:read"),
)


async def terminal(target: Target, attack: Attack) -> None:
    """Somebody with a shell names people who would have to know, without a password, or by settings of the own; and
    somebody who knows the passwords of two people is both.
    """
    for login in ("chief", "deputy"):
        target.desk.account(Role.SUPERVISOR, login=login)
    with tempfile.TemporaryDirectory() as home:

        async def command(*words: str, typed: str = "", **env: str) -> tuple[int | None, str]:
            ran = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "dialer", *words),
                env=target.made.env | {"HOME": home} | env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await ran.communicate(typed.encode())
            attack.tried += 1
            return ran.returncode, said.decode()

        own = {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps([f"{machine_user()}=deputy"])}
        for words in _OF_PEOPLE:
            for login, env in (("chief", {}), ("DEPUTY", own)):
                code, said = await command(*words, "--by", login, **env)
                attack.must(
                    code != 0 and "dialer sign-in" in said,
                    f"{' '.join(words)} --by {login} {env} ended with {code}: {said[:80]}",
                )
        scene = Scenario.on(target.made.app.services)
        scene._numbers = count(9_500)
        case_id = str(scene.case(status=CaseStatus.CLOSED))
        await command("sign-in", "chief", typed=f"{PASSWORD}\n")
        code, said = await command("person", "erase", "--case", case_id, "--why", "x")
        attack.must(code == 0, f"who is signed in asks for nothing: {said[:80]}")
        await command("sign-in", "deputy", typed=f"{PASSWORD}\n")
        [request] = [row["id"] for row in target.desk.rows(t.erasure) if row["asked_by"] == "chief"]
        code, said = await command("person", "confirm", str(request))
        attack.must(code != 0 and "one user of a machine" in said, f"one user is two people: {said[:80]}")
        for role in (Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR):
            target.desk.account(role, login=f"of-{role}")
        await command("sign-in", "of-administrator", typed=f"{PASSWORD}\n")
        for words in _OF_ACCOUNTS:
            code, said = await command(*words, "--why", "x", "--alone")
            attack.must(code != 0 and "can confirm this" in said, f"{' '.join(words)} alone: {said[:80]}")
            code, said = await command(*words, "--why", "x")
            attack.must(
                code == 0 and "a security administrator must confirm it" in said,
                f"{' '.join(words)} is not asked for: {said[:80]}",
            )
        made = [row["login"] for row in target.desk.rows(t.staff)]
        tokens = [row["name"] for row in target.desk.rows(t.api_token)]
        attack.must("mole" not in made + tokens, "an administrator makes an account or a token alone")
