"""The carrier's values and small parts: documents, sounds, people, clock, configuration."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.config import BadCarrierConfig, CarrierConfig, ServiceClock
from carrier.lines.sound import BadSound, read_wav
from carrier.people import (
    AnsweredBy,
    BadBehaviour,
    Behaviour,
    PeopleConfig,
    Pickup,
    behaviour_from,
    practice_mix,
)
from carrier.player import say_seconds
from carrier.twiml import (
    BadTwiml,
    Dial,
    Gather,
    Hangup,
    Pause,
    Play,
    Redirect,
    Say,
    parse_twiml,
)
from tests.carrier.stage import ACCOUNT, TOKEN
from tests.carrier.test_documents import wav

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_verb_is_read():
    body = (
        "<?xml version='1.0' encoding='UTF-8'?><Response><Say language='zh-CN' loop='2'> 你好 </Say>"
        "<Play>/a.wav</Play><Pause length='3'/><Gather input='dtmf' numDigits='1' timeout='7' "
        "finishOnKey='' action='/k' method='get' actionOnEmptyResult='true'><Say>按键</Say><Play>/b.wav</Play>"
        "</Gather><Dial timeout='9' action='/d' callerId='+8647896110'><Number>+861</Number></Dial>"
        "<Redirect method='GET'>/r</Redirect><Reject reason='busy'/><Hangup/></Response>"
    )
    assert parse_twiml(body.encode()) == (
        Say(text="你好", loop=2),
        Play(url="/a.wav"),
        Pause(seconds=3),
        Gather(
            prompts=(Say(text="按键"), Play(url="/b.wav")),
            num_digits=1,
            timeout_seconds=7,
            finish_on_key="",
            action="/k",
            method="GET",
            action_on_empty=True,
        ),
        Dial(number="+861", timeout_seconds=9, action="/d", caller_id="+8647896110"),
        Redirect(url="/r", method="GET"),
        Hangup(),
        Hangup(),
    )


@pytest.mark.parametrize(
    ("record", "channels"),
    [
        ("", 0),
        ("record='do-not-record'", 0),
        ("record='record-from-answer'", 1),
        ("record='record-from-answer-dual'", 2),
        ("record='true'", 1),
    ],
)
def test_a_dial_says_whether_it_is_recorded(record: str, channels: int):
    (dial,) = parse_twiml(
        f"<Response><Dial {record}><Number url='/n' method='get'>1</Number></Dial></Response>".encode()
    )
    assert isinstance(dial, Dial)
    assert (dial.recording_channels, dial.url, dial.url_method) == (channels, "/n", "GET")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text",
        "<Response>",
        "<Answer/>",
        "<Response><Unknown/></Response>",
        "<Response><Play/></Response>",
        "<Response><Pause length='-1'/></Response>",
        "<Response><Pause length='nan'/></Response>",
        "<Response><Gather method='PUT'/></Response>",
        "<Response><Gather><Dial>1</Dial></Gather></Response>",
        "<Response><Dial><Client>x</Client></Dial></Response>",
        "<Response><Dial/></Response>",
        "<Response><Dial record='record-from-ringing'>1</Dial></Response>",
        "<Response><Dial record='sometimes'>1</Dial></Response>",
        "<Response><Dial trim='trim-silence'>1</Dial></Response>",
        "<Response><Dial recordingStatusCallbackEvent='sneezed'>1</Dial></Response>",
        "<Response><Dial><Number method='PUT'>1</Number></Dial></Response>",
        "<!DOCTYPE r [<!ENTITY a 'b'>]><Response><Say>&a;</Say></Response>",
        '<?xml version="1.0" encoding="gb2312"?><Response><Hangup/></Response>',
        '<?xml version="1.0" encoding="nowhere"?><Response><Hangup/></Response>',
    ],
)
def test_what_cannot_be_played_is_refused(body: str):
    with pytest.raises(BadTwiml):
        parse_twiml(body.encode())


def test_a_document_type_is_refused_in_any_encoding():
    with pytest.raises(BadTwiml, match="document type"):
        parse_twiml("<!DOCTYPE r><Response><Hangup/></Response>".encode("utf-16"))


def test_the_text_of_a_verb_is_its_own():
    (said,) = parse_twiml(b"<Response><Say> one<!-- no --> <break>not this</break>two </Say></Response>")
    assert said == Say(text="one two")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_refused(body: bytes):
    try:
        parse_twiml(body)
    except BadTwiml as refused:
        assert refused.code in {12100, 12200}  # noqa: PT017 - either way is right


@pytest.mark.parametrize("seconds", [0.0, 0.25, 3.0])
def test_a_wav_is_as_long_as_its_header_says(seconds: float):
    assert read_wav(wav(seconds)).seconds == pytest.approx(seconds)


def test_a_wav_that_claims_more_than_it_holds_is_as_long_as_it_is():
    data = wav(2.0)
    assert read_wav(data[: len(data) // 2]).seconds == pytest.approx(1.0, abs=0.01)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_sound_or_refused(data: bytes):
    with contextlib.suppress(BadSound):
        assert read_wav(b"RIFF" + data).seconds >= 0


def test_saying_takes_as_long_as_the_text():
    assert say_seconds("") == 0
    assert say_seconds("请" * 45) == pytest.approx(10.0)
    assert say_seconds("call 110 now") == pytest.approx(3 / 2.5)


def test_the_shipped_mix_is_near_what_practice_reports():
    mix = practice_mix().behaviours
    whole = sum(one.share for one in mix)
    unreached = sum(
        one.share
        for one in mix
        if one.pickup is not Pickup.ANSWERED or one.answers_from_call > 1 or one.name == "hangs_up_early"
    )
    assert 0.35 <= unreached / whole <= 0.45
    names = {one.name for one in mix}
    assert len(names) == len(mix)
    assert {"busy", "no_answer", "forwarded", "voicemail", "powered_off", "invalid", "wrong_keys"} <= names
    assert {"hangs_up_early", "asks_for_person", "already_paid", "not_the_person", "rejects"} <= names


def test_a_behaviour_is_read_from_plain_data():
    read = behaviour_from(
        {"name": "x", "share": 2, "keys": ["1", ""], "pickup": "busy", "key_after_seconds": [1, 2]}
    )
    assert read == Behaviour(
        name="x", share=2, keys=("1", ""), pickup=Pickup.BUSY, key_after_seconds=(1.0, 2.0)
    )
    assert behaviour_from({"name": "y", "answered_by": "fax"}).answered_by is AnsweredBy.FAX


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": ""},
        {"name": "x", "share": -1},
        {"name": "x", "keys": ["a"]},
        {"name": "x", "pickup": "maybe"},
        {"name": "x", "nmae": "y"},
        {"name": "x", "key_after_seconds": [3, 1]},
        {"name": "x", "key_after_seconds": [1]},
        {"name": "x", "answers_from_call": 0},
    ],
)
def test_an_impossible_behaviour_is_refused(data: dict[str, object]):
    with pytest.raises(BadBehaviour):
        behaviour_from(data)


def test_a_mix_without_shares_is_refused():
    with pytest.raises(BadBehaviour):
        PeopleConfig(behaviours=(Behaviour(name="x"),))


def test_the_service_clock_runs_as_fast_as_told():
    clock = ServiceClock(anchor_unix=1000.0, epoch=datetime(2026, 11, 25, 1, tzinfo=UTC), speed=60.0)
    assert clock.now(1000.0) == datetime(2026, 11, 25, 1, tzinfo=UTC)
    assert clock.now(1060.0) == datetime(2026, 11, 25, 2, tzinfo=UTC)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), 1e9])
def test_an_impossible_speed_is_refused(speed: float):
    with pytest.raises(BadCarrierConfig):
        ServiceClock(speed=speed)


def test_an_epoch_without_a_zone_is_refused():
    with pytest.raises(BadCarrierConfig):
        ServiceClock(epoch=datetime(2026, 11, 25))  # noqa: DTZ001 - the mistake itself


@pytest.mark.parametrize(
    "change",
    [
        {"account_sid": "AC1"},
        {"auth_token": ""},
        {"host": "0.0.0.0"},
        {"host": "example.test"},
        {"calls_per_second": 0.0},
        {"max_lines": 0},
        {"signing_algorithm": "MD5"},
    ],
)
def test_a_carrier_that_should_not_start_does_not(tmp_path: Path, change: dict[str, object]):
    values: dict[str, object] = {"account_sid": ACCOUNT, "auth_token": TOKEN, "state_dir": tmp_path, **change}
    with pytest.raises(BadCarrierConfig):
        CarrierConfig(**values)  # type: ignore[arg-type]


def test_secrets_are_not_shown(tmp_path: Path):
    config = CarrierConfig(account_sid=ACCOUNT, auth_token=TOKEN, state_dir=tmp_path)
    assert TOKEN not in repr(config)


def test_the_carrier_imports_nothing_else_of_the_product():
    for file in (REPOSITORY / "carrier").rglob("*.py"):
        for line in file.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].split(".")[0] in {"dialer", "audio"}:
                pytest.fail(f"{file.name}: {line}")


def test_a_verb_without_attributes_has_twilios_defaults():
    body = (
        "<Response><Gather/><Gather timeout='auto'/><Dial>1</Dial><Say>a</Say><Play>/b</Play><Pause/>"
        "<Redirect>/c</Redirect><Reject/></Response>"
    )
    assert parse_twiml(body.encode()) == (
        Gather(timeout_seconds=5.0, finish_on_key="#", language="en-US", method="POST", barge_in=True),
        Gather(),
        Dial(number="1", timeout_seconds=30.0, time_limit_seconds=14_400.0, events=frozenset({"completed"})),
        Say(text="a", loop=1),
        Play(url="/b", loop=1),
        Pause(seconds=1.0),
        Redirect(url="/c", method="POST"),
        Hangup(),
    )
