"""Attacks by text that is a template: whatever somebody writes is shown, spoken and kept as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.staff.sign_in import add_token

if TYPE_CHECKING:
    from tests.attack.run import Attack, Target

_PRODUCT = "26969"
"""What the templates would make of themselves: 149 times 181."""
_TEMPLATES = (
    "{{149*181}}", "${149*181}", "#{149*181}", "<%= 149*181 %>", "{% print(149*181) %}", "{0.__class__}",
    "{services}", "%(login)s", "%(password_hash)s", "%s%d%n", "{{config}}", "{{context.services}}",
    "{{''.__class__.__mro__}}", "<say-as>149</say-as>", "</Say><Hangup/>", "[[149*181]]",
)  # fmt: skip
_TELLS = (_PRODUCT, "__mro__ ", "<class ", "object at 0x", "argon2id", "password_hash=")


async def templates(target: Target, attack: Attack) -> None:
    """A source writes templates into every field of a warning, a caller into what is reported; pages show them."""
    desk, services = target.desk, target.made.app.services
    token = add_token(
        services, unrestricted("attack"), name="templates", scopes=("warnings:write",), days=1, unit=""
    )
    chief = desk.signed_in(desk.account(Role.SUPERVISOR, login="templates"))
    client = desk.stranger()
    for number, text in enumerate(_TEMPLATES):
        warning = {
            "instruction_no": f"{text}{number}", "grade": "高危", "name": text[:30], "address": text,
            "phones": f"139{number:08d}", "fraud_type": text, "unit": text, "remarks": text, "tags": [text],
            "family_contact": text, "fraud_app": text,
        }  # fmt: skip
        answer = await client.post(
            "/api/v1/warnings", json=warning, headers={"Authorization": f"Bearer {token.secret}"}
        )
        attack.tried += 1
        attack.must(answer.status_code < 500, f"a warning with {text!r} got {answer.status_code}")
        attack.must(not _told(answer.text, text), f"the API calculated {text!r}")
        with services.store.begin() as tx:
            ids = [row["id"] for row in tx.rows(sa.select(t.case.c.id).order_by(t.case.c.id.desc()).limit(1))]
        acts = [("/pause", {"why": text, "minutes": "1"}), ("/cases/find", {"text": text, "reason": "other"})]
        for case_id in ids:
            path = f"/cases/{case_id}"
            acts += [
                (f"{path}/note", {"text": text}),
                (f"{path}/reveal", {"reason": "verify", "why": text + " why"}),
            ]
        for path, form in acts:
            attack.tried += 1
            sent = await chief.post(path, **form)
            attack.must(sent.status_code < 500, f"{path} with {text!r} got {sent.status_code}")
            attack.must(not _told(sent.text, text), f"{path} calculated {text!r}")
        for path in (*(f"/cases/{case_id}" for case_id in ids), "/cases", "/lists", "/board", "/control"):
            attack.tried += 1
            page = await chief.get(path, next=text)
            attack.must(page.status_code < 500, f"{path} after {text!r} got {page.status_code}")
            attack.must(not _told(page.text, text), f"{path} calculated {text!r}")
    person = desk.stranger()
    for text in _TEMPLATES:
        attack.tried += 1
        page = await person.get("/sign-in", params={"next": "/" + text})
        attack.must(page.status_code < 500 and not _told(page.text, text), f"/sign-in calculated {text!r}")


def _told(page: str, text: str) -> bool:
    """Whether the page has what a template would make of the text."""
    return any(tell in page and tell not in text for tell in _TELLS)
