"""Attacks by somebody who may do a little and tries more: with an account or a token of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.staff.sign_in import add_token

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
        code = (await caller.post("/desk/extension", extension=number)).status_code
        attack.must(code < 500, f"the extension {number} got {code}")
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
