"""No leg leaves to a number that the list does not allow: the robot's call, a message, both legs of a desk call, a
hand-over and an inbound call.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from dialer.calls.dial import CarrierCheck
from dialer.intake.allowed_numbers import AllowedNumbers
from dialer.telephony.channels import Placed, RefusalCause, Refused, SendText
from dialer.telephony.client import CallClient, DeskClient, DeskOrder, PlaceCall, SmsClient
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.webhooks import InboundTurn, write_inbound
from tests.telephony.stub_carrier import Stub

GOOD = "+8613800138000"
BAD = ["+19001234567", "+881612345678", "+979123456789", "+449091234567", "110", "8001", "sip:x@anyhost"]
OUR_REFUSAL = (RefusalCause.NUMBER, 21216, None)


def refused(answer: object) -> tuple[RefusalCause, int | None, int | None]:
    assert isinstance(answer, Refused)
    return answer.cause, answer.code, answer.http_status


@pytest.mark.parametrize("number", BAD)
async def test_no_call_no_message_and_no_desk_call_leaves(config: TelephonyConfig, stub: Stub, number: str):
    stub.says(201, {"sid": "CA1", "status": "queued"})
    one = uuid.uuid4()
    async with CallClient(config) as calls, DeskClient(config) as desk, SmsClient(config) as sms:
        assert refused(await calls.send(PlaceCall(attempt_id=one, to=number))) == OUR_REFUSAL
        assert refused(await sms.send(SendText(message_id=one, to=number, text="x"))) == OUR_REFUSAL
        order = DeskOrder(call_id=one, extension="8001", to=number)
        assert refused(await desk.call_from_desk(order)) == OUR_REFUSAL
    assert stub.asked == []


@pytest.mark.parametrize("extension", ["110", "120", "95588", "+19001234567", GOOD, "sip:x@anyhost"])
async def test_a_callers_own_telephone_is_one_of_the_list(
    config: TelephonyConfig, stub: Stub, extension: str
):
    stub.says(201, {"sid": "CA1", "status": "queued"})
    order = DeskOrder(call_id=uuid.uuid4(), extension=extension, to=GOOD)
    async with DeskClient(config) as desk:
        assert refused(await desk.call_from_desk(order)) == OUR_REFUSAL
    assert stub.asked == []
    listed = replace(config, numbers=AllowedNumbers(extensions=("95588", GOOD, "sip:x@anyhost")))
    async with DeskClient(listed) as desk:
        answer = await desk.call_from_desk(order)
    assert isinstance(answer, Placed) is (extension not in {"110", "120", "+19001234567"})


def inbound(config: TelephonyConfig, rings: str) -> str:
    turn = InboundTurn(turn=1, rings=rings, ring_seconds=20)
    return write_inbound(turn, config=config, audio_url=lambda file: f"https://a.cn/audio/{file}")


@pytest.mark.parametrize("extension", ["110", "+19001234567", "sip:x@anyhost"])
def test_an_inbound_call_rings_no_telephone_outside_the_list(extension: str):
    config = TelephonyConfig(
        base_url=None, account_sid="AC1", auth_token="t", caller_number="96110", public_url="https://a.cn"
    )
    written = inbound(config, extension)
    assert "<Dial" not in written
    assert "/hooks/inbound/dial/1" in written
    assert "<Number" in inbound(config, "8001")
    assert "<Number" in inbound(replace(config, officer_number="+8647896110"), "+8647896110")


def test_a_refusal_of_our_own_says_nothing_of_the_carrier():
    check = CarrierCheck(clock=lambda: 0.0)
    check.note(answered=True)
    check.note_order(Refused(cause=RefusalCause.NUMBER, code=21216))
    assert check.is_answering
    assert check.allowed(under_way=0) == 1
