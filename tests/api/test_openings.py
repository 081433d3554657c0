"""POST /openings/check: what an institution is answered while the customer waits."""

from __future__ import annotations

from typing import Any

import pytest

from dialer.cards.openings.institutions import add_institution, add_outlet
from dialer.core.access import unrestricted
from dialer.core.cards import InstitutionKind
from dialer.db import tables as t
from tests.api.office import Office
from tests.cards.street import BANK, id_number

BARE = {"opening_no": "1", "outlet": "1", "name": "张三", "id_number": id_number(1)}


@pytest.fixture
def bank(office: Office) -> dict[str, str]:
    """The headers of its token."""
    services = office.app.services
    headers = office.token("bank", "openings:write")
    add_institution(services, unrestricted("test"), name=BANK, kind=InstitutionKind.BANK, token="bank")
    add_outlet(services, unrestricted("test"), institution=BANK, code="1", name="一部")
    return headers


async def check(office: Office, bank: dict[str, str], **given: str) -> tuple[int, dict[str, Any]]:
    answer = await office.client.post("/api/v1/openings/check", json=BARE | given, headers=bank)
    return answer.status_code, answer.json()


async def test_a_customer_who_leaves_nothing_but_the_id_is_checked(office: Office, bank: dict[str, str]):
    status, told = await check(office, bank)
    assert (status, told["verdict"]) == (200, "clear")


@pytest.mark.parametrize(("limit", "fen"), [("2亿3", 23_000_000_000), ("5万", 5_000_000)])
async def test_a_limit_is_read_as_people_say_it(office: Office, bank: dict[str, str], limit: str, fen: int):
    status, _ = await check(office, bank, limit=limit)
    assert status == 200
    assert [row["limit_fen"] for row in office.rows(t.opening)] == [fen]
