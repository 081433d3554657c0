"""Signals through the API: answered after the commit, one by one."""

from __future__ import annotations

import pytest

from dialer.core.access import unrestricted
from dialer.core.errors import Invalid
from dialer.db import tables as t
from dialer.staff.sign_in import add_token, check_token
from tests.api.office import Office
from tests.outcomes.town import MORNING

SIGNAL = {
    "kind": "payment_attempt",
    "event_at": MORNING.isoformat(),
    "phone": "13800138000",
    "account": "6222020200001111",
    "amount_fen": 2_000_000,
}


async def test_good_signals_are_taken_and_wrong_ones_named_without_what_they_held(office: Office):
    body = [
        SIGNAL | {"signal_no": "1"},
        SIGNAL | {"signal_no": "2", "phone": "777"},
        SIGNAL | {"signal_no": "1"},
        7,
    ]
    answer = await office.client.post("/api/v1/signals", json=body)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["duplicate"], told["rejected"]) == (1, 1, 2)
    assert [(fault["index"], fault["field"]) for fault in told["faults"]] == [(1, "phone"), (3, "")]
    assert "777" not in answer.text
    with office.app.services.store.begin() as tx:
        (row,) = tx.rows(t.signal.select())
    assert (row["source"], row["signal_no"]) == ("city-bank", "1")


async def test_a_token_needs_the_scope_and_a_request_with_nothing_good_is_refused(office: Office):
    narrow = office.token("narrow", "warnings:write")
    answer = await office.client.post("/api/v1/signals", json=[SIGNAL], headers=narrow)
    assert answer.status_code == 403
    answer = await office.client.post("/api/v1/signals", json=[{"kind": ["call"]}])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "kind"
    assert (await office.client.post("/api/v1/signals", json=[SIGNAL] * 1001)).status_code == 422


async def test_a_token_sends_signals_of_its_own_sources_alone(office: Office):
    body = [
        SIGNAL | {"signal_no": str(n), "source": source} for n, source in enumerate(("city-bank", "other"))
    ]
    told = (await office.client.post("/api/v1/signals", json=body)).json()
    assert (told["accepted"], told["rejected"]) == (1, 1)
    [fault] = told["faults"]
    assert (fault["index"], fault["field"]) == (1, "source")
    assert "other" not in fault["reason"] + fault["fix"]
    gateway = add_token(
        office.app.services,
        unrestricted("test"),
        name="gateway",
        scopes=["signals:write"],
        days=1,
        unit="",
        sources=["other", "人民银行"],
    )
    headers = {"Authorization": f"Bearer {gateway.secret}"}
    sent = [SIGNAL | {"signal_no": "9"} | more for more in ({}, {"source": "other"}, {"source": "人民银行"})]
    sent.append(SIGNAL | {"signal_no": "9", "source": "city-bank"})
    told = (await office.client.post("/api/v1/signals", json=sent, headers=headers)).json()
    assert (told["accepted"], [one["index"] for one in told["faults"]]) == (3, [3])
    with office.app.services.store.begin() as tx:
        assert {row["source"] for row in tx.rows(t.signal.select())} == {
            "city-bank",
            "gateway",
            "other",
            "人民银行",
        }


def test_sources_that_a_token_cannot_have(office: Office):
    for scopes, sources in (
        (["cases:read"], ["x"]),
        (["signals:write"], [" "]),
        (["signals:write"], ["x" * 201]),
    ):
        with pytest.raises(Invalid) as caught:
            check_token(name="a", scopes=scopes, days=1, unit="", sources=sources)
        assert caught.value.field == "source"
