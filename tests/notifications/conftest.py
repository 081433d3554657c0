"""A station whose officers are on duty, at ten in the morning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.notifications import NotificationChannel
from dialer.core.rota import DutyKind
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.duty.actions import load_month
from dialer.notifications.actions import TypedRules, change_rules, plan_notifications
from dialer.staff.store import Member
from tests.duty.conftest import Account, account, bureau
from tests.duty.grids import grid
from tests.work.bureau import Bureau

STATION = "城关派出所"


class Station:
    """Ann and Ben are on duty for visits; Ann has a telephone."""

    def __init__(self, bureau: Bureau, account: Account) -> None:
        self.bureau = bureau
        webhooks = bureau.services.webhooks.model_copy(update={"networks": ("127.0.0.0/8",)})
        self.services = replace(bureau.services, webhooks=webhooks)
        self.ann, self.ben = account("ann"), account("ben")
        self.load({"Ann": "值", "Ben": "值"})
        self.set_rules(self.ann)

    def load(self, people: dict[str, str], kind: DutyKind = DutyKind.OFFICER, unit: str = STATION) -> None:
        content = grid("2026-11", dict(people))
        load_month(self.services, unrestricted("chief"), content, unit_id=self.bureau.unit[unit], kind=kind)

    def set_rules(self, member: Member, **given: Any) -> None:  # noqa: ANN401 - fields of the form
        minutes = {
            NotificationChannel.DESKTOP: "0",
            NotificationChannel.SMS: "2",
            NotificationChannel.CALL: "5",
        }
        typed = TypedRules(**({"minutes": minutes, "telephone": "13900009999"} | given))
        change_rules(self.services, member.actor, member.id, typed)

    def case(self, *, grade: Grade = Grade.EXTRA_HIGH) -> int:
        """A visit of the station that waits for its signature."""
        return self.bureau.case_with_unit(STATION, grade=grade)

    def told(self, *, grade: Grade = Grade.EXTRA_HIGH) -> int:
        case_id = self.case(grade=grade)
        assert plan_notifications(self.services) == 1
        return case_id

    def rows(self, member: Member | None = None) -> list[dict[str, Any]]:
        n = t.notification.c
        chosen = sa.select(t.notification).order_by(n.staff_id, n.created_at, n.due_at, n.channel)
        return self.bureau.rows(chosen if member is None else chosen.where(n.staff_id == member.id))

    def states(self, member: Member) -> dict[str, str]:
        return {row["channel"]: row["state"] for row in self.rows(member)}

    def later(self, **span: float) -> None:
        """Both clocks go on."""
        self.bureau.later(**span)

    def acts(self, case_id: int, *kinds: str) -> Sequence[dict[str, Any]]:
        e = t.event.c
        return self.bureau.rows(
            sa.select(t.event).where(e.case_id == case_id, e.kind.in_(kinds)).order_by(e.id)
        )

    def alarms(self) -> list[dict[str, Any]]:
        return self.bureau.rows(sa.select(t.alarm).where(t.alarm.c.code == "not_notified"))


@pytest.fixture
def station(bureau: Bureau, account: Account) -> Station:
    return Station(bureau, account)


MINUTE = timedelta(minutes=1)
__all__ = ("account", "bureau")
