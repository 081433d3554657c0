"""A street with outlets, and people who open cards there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from dialer.cards.counter.actions import CheckedOpening, check_opening, enter_openings, finish_opening
from dialer.cards.openings.institutions import add_institution, add_outlet
from dialer.cards.openings.store import Outlet, outlet_of
from dialer.core.access import unrestricted
from dialer.core.cards import CardProduct, InstitutionKind, OpeningChannel, OpeningResult
from dialer.intake.opening_lists import OpeningRecord
from dialer.intake.phones import id_check_character
from dialer.runtime.services import Services

BANK, CARRIER, OTHER_BANK = "河套银行", "河套移动", "黄河银行"


def id_number(n: int, *, home: str = "150802", born: str = "19900101") -> str:
    """A valid one; different for each `n`."""
    head = f"{home}{born}{n % 1000:03d}"
    return head + id_check_character(head)


class Street:
    def __init__(self, services: Services) -> None:
        self.enqueued: list[tuple[str, ...]] = []
        self.services = replace(services, enqueue=lambda *work: self.enqueued.append(work))
        self._numbers = 0
        self.outlets: dict[str, Outlet] = {}
        for name, kind in (
            (BANK, InstitutionKind.BANK),
            (CARRIER, InstitutionKind.CARRIER),
            (OTHER_BANK, InstitutionKind.BANK),
        ):
            add_institution(services, unrestricted("test"), name=name, kind=kind)
            outlet_id = add_outlet(
                services, unrestricted("test"), institution=name, code=f"{name}1", name=f"{name}一部"
            )
            with services.store.begin() as tx:
                self.outlets[name] = outlet_of(tx, outlet_id)

    @property
    def bank(self) -> Outlet:
        return self.outlets[BANK]

    def record(self, n: int = 1, *, hours_ago: float = 0.0, **values: Any) -> OpeningRecord:  # noqa: ANN401 - whatever its caller gives
        """Of person `n`, now, still in progress."""
        self._numbers += 1
        record = OpeningRecord(
            line=1,
            opening_no=f"NO-{self._numbers}",
            outlet="",
            channel=OpeningChannel.COUNTER,
            product=CardProduct.ACCOUNT_2,
            name=f"客户{n}",
            id_number=id_number(n, home=values.pop("home", "150802"), born=values.pop("born", "19900101")),
            phone=f"+86138{n:08d}",
            asked_at=self.services.clock.now() - timedelta(hours=hours_ago),
            result=OpeningResult.IN_PROGRESS,
        )
        return replace(record, **values)

    def check(self, record: OpeningRecord, outlet: Outlet | None = None) -> CheckedOpening:
        at = outlet or self.bank
        return check_opening(self.services, unrestricted("teller"), record, outlet_id=at.id, source="form")

    def warned(self, record: OpeningRecord) -> CheckedOpening:
        """A customer who is directed, and who leaves before the desk has answered: the warning is open."""
        checked = self.check(replace(record, guided=True))
        finish_opening(
            self.services,
            unrestricted("teller"),
            checked.opening_id,
            result=OpeningResult.ABANDONED,
            outlet_id=self.bank.id,
        )
        return checked

    def enter(
        self,
        record: OpeningRecord,
        outlet: Outlet | None = None,
        *,
        result: OpeningResult = OpeningResult.OPENED,
    ) -> int:
        """Decided by the institution."""
        opened_at = record.asked_at if result is OpeningResult.OPENED else None
        done = replace(record, result=result, opened_at=opened_at)
        with self.services.store.begin() as tx:
            entered = enter_openings(
                self.services, tx, unrestricted("bank"), [(done, outlet or self.bank)], source="file"
            )
        return entered.ids[0]
