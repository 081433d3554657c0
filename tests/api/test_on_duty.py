"""Who is on duty, for other systems: the JSON of the command line, for the token's unit alone."""

from __future__ import annotations

from dialer.core.access import Role, unrestricted
from dialer.core.rota import DutyKind
from dialer.duty.actions import load_month
from dialer.staff.store import insert_member
from tests.api.office import Office
from tests.duty.grids import grid


def _roster(office: Office, unit: str, login: str) -> int:
    unit_id = office.unit(unit)
    services = office.app.services
    with services.store.begin() as tx:
        insert_member(
            tx, login=login, display_name=login.title(), password_hash="", role=Role.OFFICER, unit_id=unit_id,
            language="zh", must_change=False, by="test", real_now=services.real.now(),
        )  # fmt: skip
    month = f"{services.clock.now():%Y-%m}"
    load_month(
        services, unrestricted("chief"), grid(month, {login: "值"}), unit_id=unit_id, kind=DutyKind.OFFICER
    )
    return unit_id


async def test_a_token_sees_who_is_on_duty(office: Office):
    own, other = _roster(office, "临河分局", "ann"), _roster(office, "五原分局", "ben")
    told = (await office.client.get("/api/v1/on-duty")).json()
    assert [(one["unit_id"], one["people"]) for one in told] == [
        (own, [{"login": "ann", "name": "Ann"}]),
        (other, [{"login": "ben", "name": "Ben"}]),
    ]
    told = (await office.client.get("/api/v1/on-duty", params={"unit": other})).json()
    assert [one["unit"] for one in told] == ["五原分局"]
    assert (await office.client.get("/api/v1/on-duty", params={"uint": other})).status_code == 422
