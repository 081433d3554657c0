"""Attacks by whoever owns the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dialer.audit.trail import anchor_trail, recent_anchors, verify_trail
from dialer.core.access import unrestricted
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.staff.sign_in import add_token

if TYPE_CHECKING:
    from tests.attack.run import Attack, Target


async def audit(target: Target, attack: Attack) -> None:
    """Whoever owns the database cuts off the last lines and sets the head back, after another finding is open."""
    app = target.desk.app
    services, places = app.services, app.settings.audit_places()

    def by_owner(*statements: str) -> None:
        with target.owner() as owner, owner.begin() as tx:
            tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
            for statement in statements:
                tx.execute(sa.text(statement))
            for trigger in ("append_only", "append_only_all", "chained"):
                tx.execute(sa.text(f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {trigger}"))

    def alarmed() -> int:
        code = t.alarm.c.code == AlarmCode.AUDIT_BROKEN.value
        with services.store.begin() as tx:
            return sum(row["times"] for row in tx.rows(sa.select(t.alarm.c.times).where(code)))

    for n in range(4):
        add_token(services, unrestricted("attack"), name=f"audit{n}", scopes=("cases:read",), days=1, unit="")
    anchor_trail(services, places, always=True)
    cuts = (
        ("altered", "UPDATE audit SET who = 'nobody' WHERE number = 1"),
        ("anchor", "DELETE FROM audit WHERE number > (SELECT max(number) - 2 FROM audit)"),
    )
    for flaw, statement in cuts:
        attack.tried += 1
        before = alarmed()
        by_owner(
            statement,
            "UPDATE audit_head SET (number, chain) = (SELECT number, chain FROM audit ORDER BY number DESC LIMIT 1)",
        )
        verdict = verify_trail(services, anchors=recent_anchors(services.store.vault, places.anchor_file))
        attack.must(flaw in verdict.counts, f"nothing tells that lines were {flaw}")
        attack.must(alarmed() > before, f"no alarm says that lines were {flaw}")
