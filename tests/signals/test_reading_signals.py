"""Raw records become signals, or a list of everything that is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dialer.core.text import Lang
from dialer.core.values import FraudType, Grade
from dialer.language.catalogue import say
from dialer.signals.model import FIELDS_OF_SIGNAL, ItemKind, SignalKind, SignalReader, SignalReading, Topic

NOW = datetime(2026, 11, 27, 4, tzinfo=UTC)
READER = SignalReader(
    zone=ZoneInfo("Asia/Shanghai"), area="0478",
    person=lambda phone, id_number: f"{phone}|{id_number}".encode(),
    item=lambda kind, value: f"{kind}={value}".encode(),
)  # fmt: skip
CALL: dict[str, Any] = {
    "source": "telecom", "signal_no": "1", "kind": "call", "event_at": "2026-11-27T11:00:00+08:00",
    "phone": "138 0000 0000", "number": "0085291234567", "direction": "被叫", "duration_seconds": "700",
}  # fmt: skip


def read(**changes: object) -> SignalReading | dict[str, str]:
    got = READER.read({**CALL, **changes}, received_at=NOW)
    return got if isinstance(got, SignalReading) else {one.field: str(one.reason) for one in got}


def test_a_call_from_a_file_and_from_json_are_the_same_signal():
    from_file, from_json = read(overseas="是"), read(overseas=True, duration_seconds=700, direction="in")
    assert isinstance(from_file, SignalReading)
    assert from_file == from_json
    signal = from_file.signal
    assert signal.event_at == datetime(2026, 11, 27, 3, tzinfo=UTC)
    assert (signal.person, signal.items[0].key) == (b"+8613800000000|", b"number=+85291234567")
    assert (signal.duration_seconds, signal.overseas) == (700, True)
    assert (from_file.phone, from_file.items) == ("+8613800000000", {ItemKind.NUMBER: "+85291234567"})


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"signal_no": ""}, {"signal_no": "is missing"}),
        ({"kind": "fax"}, {"kind": "is not a kind of signal"}),
        ({"event_at": "yesterday"}, {"event_at": "is not a time"}),
        ({"event_at": "2026-11-27 13:00"}, {"event_at": "lies after the arrival"}),
        ({"phone": "12"}, {"phone": "is not one telephone number"}),
        ({"phone": ""}, {"phone": "neither phone nor id number is given"}),
        ({"phone": "", "id_number": "150802199001011230"}, {"id_number": "is not a valid id number"}),
        (
            {"duration_seconds": "-1", "direction": "up"},
            {"duration_seconds": "is not a whole number", "direction": "is not one of its words"},
        ),
        ({"direction": None}, {"direction": "is missing"}),
        ({"number": ""}, {"number": "is missing"}),
        ({"amount_fen": 5}, {"amount_fen": "does not belong to the kind call"}),
        ({"domain": "a.cn"}, {"domain": "does not belong to the kind call"}),
        ({"overseas": "maybe"}, {"overseas": "is neither true nor false"}),
    ],
)  # fmt: skip
def test_each_fault_is_named_by_its_field(changes: dict[str, Any], wrong: dict[str, str]):
    assert read(**changes) == wrong


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"amount": "5000", "amount_fen": 4000}, {"amount_fen": "is given in yuan and in fen"}),
        ({"amount": 5000}, {"amount_fen": "is a number without its unit"}),
        ({"amount": 5000.5}, {"amount_fen": "is a number without its unit"}),
        ({"amount": "much"}, {"amount_fen": "is not an amount"}),
    ],
)
def test_an_amount_says_its_unit_once(given: dict[str, Any], wrong: dict[str, str]):
    assert read(kind="payment_attempt", account="6222000011112222", duration_seconds="", **given) == wrong


def test_an_amount_of_a_signal_that_has_none_is_refused():
    assert read(amount="5000") == {"amount": "does not belong to the kind call"}


def test_a_fault_repeats_no_value_and_has_chinese():
    for one in READER.read({**CALL, "phone": "not-a-phone-777"}, received_at=NOW):  # type: ignore[union-attr]
        assert "777" not in f"{one.reason} {one.fix}"
        assert say(Lang.ZH, one.reason) != str(one.reason)
        assert say(Lang.ZH, one.fix) != str(one.fix)


def test_every_kind_is_read():
    base = {"source": "s", "event_at": "2026-11-27 11:00", "phone": "13800000000"}
    raws = [
        CALL,
        {**base, "kind": "短信", "number": "10086", "topic": "刷单", "has_link": 1, "direction": "in"},
        {**base, "kind": "web", "domain": "https://WWW.Example.com:8443/a?b", "topic": "shopping"},
        {**base, "kind": "app", "app": "Com.Example.App", "screen_sharing": "true"},
        {**base, "kind": "转账", "account": "6222 0200 1111", "amount": "5万"},
        {**base, "kind": "login", "new_device": "yes"},
        {
            **base, "kind": "platform_push", "grade": "高危", "fraud_type": "冒充公检法", "number": "95588",
            "domain": "a.cn", "app": "x", "account": "1234",
        },
        {**base, "kind": "report", "reporter": "银行", "amount_fen": 500},
        {
            **base, "phone": "", "kind": "list_change", "domain": "中国.cn", "list_kind": "涉诈", "change": "加入",
            "list_name": "部级名单",
        },
    ]  # fmt: skip
    got = [READER.read({**one, "signal_no": str(n)}, received_at=NOW) for n, one in enumerate(raws)]
    assert (
        [type(one) for one in got]
        == [SignalReading] * len(FIELDS_OF_SIGNAL)
        == [SignalReading] * len(SignalKind)
    )
    signals = {one.signal.kind: one for one in got if isinstance(one, SignalReading)}
    assert signals[SignalKind.WEB].items == {ItemKind.DOMAIN: "example.com"}
    assert signals[SignalKind.PAYMENT_ATTEMPT].signal.amount_fen == 5_000_000
    assert signals[SignalKind.SMS].signal.topic is Topic.REBATE
    push = signals[SignalKind.PLATFORM_PUSH].signal
    assert (push.grade, push.fraud_type, len(push.items)) == (Grade.HIGH, FraudType.POLICE_IMPERSONATION, 4)
    change = signals[SignalKind.LIST_CHANGE]
    assert (change.signal.person, change.items) == (None, {ItemKind.DOMAIN: "xn--fiqs8s.cn"})


def test_a_list_change_has_one_item():
    raw = {
        "source": "s",
        "signal_no": "1",
        "kind": "list_change",
        "event_at": "2026-11-27 11:00",
        "list_kind": "fraud",
        "change": "entered",
    }
    none = READER.read(raw, received_at=NOW)
    two = READER.read({**raw, "number": "10086", "app": "x"}, received_at=NOW)
    assert not isinstance(none, SignalReading)
    assert not isinstance(two, SignalReading)


def test_clocks_of_sources_may_be_a_little_ahead():
    assert isinstance(read(event_at=(NOW + timedelta(minutes=4)).isoformat()), SignalReading)


CHINESE = {
    "direction": "主叫=out 被叫=in 呼出=out 呼入=in 转出=out 转入=in",
    "topic": "验证码=verification_code 刷单=rebate 投资=investment 购物=shopping 退款=refund 贷款=loan 征信=credit"
    " 公检法=justice 交友=dating 游戏=game 会议=meeting 聊天=chat 银行=bank 快递=delivery 催收=debt_collection",
    "reporter": "本人=self 家属=family 银行=bank 群众=public",
    "list_kind": "涉诈=fraud 可疑=suspected 可信=trusted",
    "change": "加入=entered 移出=removed",
}
KIND_OF = {
    "direction": "call",
    "topic": "web",
    "reporter": "report",
    "list_kind": "list_change",
    "change": "list_change",
}
NEEDED = {
    "call": {"number": "10086", "direction": "in"},
    "web": {"domain": "a.example"},
    "report": {},
    "list_change": {"number": "10086", "list_kind": "fraud", "change": "entered"},
}


@pytest.mark.parametrize("field", CHINESE)
def test_each_chinese_word_of_a_field_is_the_word_of_the_api(field: str):
    kind = KIND_OF[field]
    base = {name: CALL[name] for name in ("source", "signal_no", "event_at")} | NEEDED[kind]
    if kind != "list_change":
        base["phone"] = CALL["phone"]
    for chinese, word in (pair.split("=") for pair in CHINESE[field].split()):
        got = READER.read({**base, "kind": kind, field: chinese}, received_at=NOW)
        assert isinstance(got, SignalReading), (chinese, got)
        assert getattr(got.signal, field) == word
