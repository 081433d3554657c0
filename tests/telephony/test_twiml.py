"""TwiML as Twilio documents it: its classes check no values, so this table does; and every real turn obeys it."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.spoken import as_spoken
from carrier.twiml import parse_twiml
from dialer.core.talk import RoomVoice
from dialer.core.values import Answer, Contact
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import AskTurn, Context, Position, Turn, Utterance, advance, start
from dialer.scripts.inbound import hold_notice, recorded_notice
from dialer.scripts.model import EndUrgency
from dialer.scripts.reading import shipped_scripts
from dialer.telephony.client import DeskClient, DeskOrder
from dialer.telephony.config import HookUrls, TelephonyConfig
from dialer.telephony.rooms import room_name, write_listener_entry, write_party_entry, write_room_entry
from dialer.telephony.webhooks import (
    InboundTurn,
    _turn_document,
    fallback_twiml,
    hang_up_twiml,
    write_hold,
    write_inbound,
    write_notice,
    write_turn,
)

ATTEMPT = UUID("0197c1a2-3b4c-7d5e-8f90-a1b2c3d4e5f6")
CONFIG = TelephonyConfig(
    base_url=None,
    account_sid="AC1",
    auth_token="t",
    caller_number="047896110",
    public_url="https://a.cn",
)
POSITION = Position(node="scene", tries=1, contact=Contact.VERIFIED)
CALL_NEXT = f"https://a.cn/hooks/call/{ATTEMPT}/4/scene.1.verified.none#rc=3&rp=ct,rt,5xx"

SECONDS = r"[1-9]\d{0,2}"
HOOK = (
    r"https://a\.cn/hooks/((call|dial)/[0-9a-f-]{36}/\d+/[a-z0-9_.]+|desk/[0-9a-f-]{36}/(dial|hold)|inbound/dial/\d+)"
    r"#rc=3&rp=ct,rt,5xx"
)
SPOKEN = {"cmn-CN": "Polly.Zhiyu", "en-US": "Polly.Joanna"}
ALLOWED = {
    "Say": {"voice": r"Polly\.(Zhiyu|Joanna)", "language": r"cmn-CN|en-US", "loop": r"\d+"},
    "Play": {"loop": r"\d+", "digits": r"[0-9w]+"},
    "Gather": {
        "input": r"dtmf|dtmf speech|speech",
        "numDigits": r"[1-9]\d?",
        "timeout": SECONDS,
        "finishOnKey": r"[0-9*#]?",
        "actionOnEmptyResult": r"true|false",
        "method": r"POST",
        "action": HOOK,
        "speechTimeout": r"auto|\d+",
        "language": r"cmn-Hans-CN|en-US",
        "hints": r".{0,5000}",
        "bargeIn": r"true|false",
    },
    "Redirect": {"method": r"POST"},
    "Hangup": {},
    "Dial": {
        "timeout": SECONDS,
        "callerId": r"\+?\d+",
        "method": r"POST",
        "action": HOOK,
        "timeLimit": r"\d+",
        "record": r"record-from-answer-dual",
        "recordingStatusCallback": r"https://a\.cn/hooks/recording/[0-9a-f-]{36}#rc=3&rp=ct,rt,5xx",
        "recordingStatusCallbackMethod": r"POST",
        "recordingStatusCallbackEvent": r"completed absent",
        "trim": r"do-not-trim",
    },
    "Number": {
        "statusCallback": r"https?://.*",
        "statusCallbackEvent": r"(initiated|ringing|answered|completed)( (ringing|answered|completed))*",
        "statusCallbackMethod": "GET|POST",
        "url": r"https://a\.cn/hooks/desk/[0-9a-f-]{36}/notice#rc=3&rp=ct,rt,5xx",
        "method": r"POST",
    },
    "Conference": {
        "participantLabel": r"desk|person|supervisor|third_party",
        "muted": r"true",
        "startConferenceOnEnter": r"false",
        "beep": r"false",
        "waitUrl": r"",
        "endConferenceOnExit": r"true|false",
        "maxParticipants": r"\d{1,3}",
        "statusCallback": r"https://a\.cn/hooks/desk/[0-9a-f-]{36}/room#rc=3&rp=ct,rt,5xx",
        "statusCallbackEvent": r"start join mute hold",
        "statusCallbackMethod": r"POST",
    },
    "Pause": {"length": r"\d+"},
}
INSIDE = {
    "Response": {"Say", "Play", "Gather", "Redirect", "Hangup", "Dial", "Pause"},
    "Dial": {"Number", "Conference"},
}
INSIDE["Gather"] = {"Say", "Play", "Pause"}


def read(text: str) -> ET.Element:
    """The document, once every element, attribute and value is one that Twilio knows."""
    root = ET.fromstring(text)
    assert root.tag == "Response"
    for parent in root.iter():
        for child in parent:
            assert child.tag in INSIDE.get(parent.tag, set()), f"{child.tag} inside {parent.tag}"
            for name, value in child.attrib.items():
                assert re.fullmatch(ALLOWED[child.tag][name], value), f"{child.tag} {name}={value}"
    for say in root.iter("Say"):
        assert SPOKEN[say.attrib["language"]] == say.attrib["voice"]
        assert (say.text or "").strip()
    assert parse_twiml(text.encode())
    return root


def utterance(text: str = "您好", *, language: str = "zh", audio: tuple[str, ...] | None = None) -> Utterance:
    return Utterance(prompt_id="greeting", language=language, text=text, audio=audio)


def asking(*said: Utterance, **changes: object) -> Turn:
    ask = AskTurn(
        uninterrupted=0,
        before_question=0,
        num_digits=1,
        timeout_seconds=6,
        hints=("是我", "不是<我>"),
        language="zh",
    )
    return Turn(
        position=POSITION,
        utterances=said or (utterance(),),
        ask=replace(ask, **changes),  # type: ignore[arg-type]
    )


def ending(*said: Utterance) -> Turn:
    bye = Position(node="bye", contact=Contact.VERIFIED, answer=Answer.ACKNOWLEDGED)
    return Turn(position=bye, utterances=said or (utterance("再见"),), end=next(iter(EndUrgency)))


def handing_over() -> Turn:
    return replace(ending(utterance("请稍等")), hand_over=True, position=POSITION)


def written(turn: Turn, config: TelephonyConfig = CONFIG) -> ET.Element:
    return read(
        write_turn(
            turn,
            attempt_id=ATTEMPT,
            step=3,
            config=config,
            audio_url=lambda name: f"https://a.cn/{name}?a=1&b",
        )
    )


def test_a_question_is_said_inside_the_wait_for_its_keys():
    root = written(asking(utterance("您好"), utterance("请按1", audio=("one.wav", "two.wav"))))
    gather, net = root
    assert [child.tag for child in gather] == ["Say", "Play", "Play"]
    assert [child.text for child in gather] == [
        "您好",
        "https://a.cn/one.wav?a=1&b",
        "https://a.cn/two.wav?a=1&b",
    ]
    assert gather.attrib == {
        "input": "dtmf",
        "numDigits": "1",
        "timeout": "6",
        "finishOnKey": "",
        "actionOnEmptyResult": "true",
        "method": "POST",
        "action": CALL_NEXT,
    }
    assert (net.tag, net.text, net.attrib) == ("Redirect", CALL_NEXT, {"method": "POST"})


def test_keys_count_from_the_first_moment_of_a_question_that_must_be_heard():
    said = (utterance("我是机器人"), utterance("是您本人吗"), utterance("English"))
    before, gather, _ = written(asking(*said, before_question=1, uninterrupted=2))
    assert (before.tag, before.text) == ("Say", "我是机器人")
    assert [child.text for child in gather] == ["是您本人吗", "English"]
    assert gather.attrib["bargeIn"] == "false"
    _, gather, _ = written(asking(*said, before_question=1, uninterrupted=1))
    assert "bargeIn" not in gather.attrib


def test_keys_count_while_it_is_said_that_an_answer_was_not_understood():
    """They were dropped until the question began again."""
    script = shipped_scripts()["loan"]
    first = start(script, Context(language="zh"))
    again = advance(script, first.position, Heard.said("吃了吗"), Context(language="zh"))
    gather, redirect = written(again)
    assert (gather.tag, redirect.tag) == ("Gather", "Redirect")
    assert [say.text for say in gather] == [as_spoken(one.text, "zh") for one in again.utterances]
    assert again.utterances[0].prompt_id == script.unclear.id
    assert gather.attrib["bargeIn"] == "false"


def test_calls_that_hear_the_same_go_on_each_at_its_own_address():
    turn = asking(utterance("请按1", audio=("one.wav",)))
    other = UUID(int=7)
    urls = HookUrls(CONFIG.public_url)
    for attempt, step, position in ((ATTEMPT, 3, POSITION), (other, 5, replace(POSITION, tries=2))):
        twiml = write_turn(
            replace(turn, position=position), attempt_id=attempt, step=step, config=CONFIG, audio_url=str
        )
        address = urls.call(attempt, step=step + 1, position=position.encode())
        gather, redirect = read(twiml)
        assert (gather.attrib["action"], redirect.text) == (address, address)


def test_a_turn_that_is_spoken_is_not_kept():
    """It may say what only this person may hear."""
    before = _turn_document.cache_info().currsize
    for said in ("涉及金额3万元", "涉及金额4万元"):
        assert written(asking(utterance(said)))[0][0].text == as_spoken(said, "zh")
    assert _turn_document.cache_info().currsize == before


def test_the_answer_goes_to_the_next_step_at_the_question_s_position():
    gather = written(asking())[0]
    path = gather.attrib["action"].partition("#")[0]
    step, position = path.split("/")[-2:]
    assert step == "4"
    assert Position.decode(position) == POSITION


def test_a_question_of_several_digits_names_the_key_that_ends_it():
    gather = written(asking(num_digits=4, finish_on_key="#"))[0]
    assert (gather.attrib["numDigits"], gather.attrib["finishOnKey"]) == ("4", "#")


def test_speech_is_listened_to_only_when_it_is_switched_on():
    gather = written(asking(), replace(CONFIG, hear_speech=True))[0]
    assert gather.attrib["input"] == "dtmf speech"
    assert gather.attrib["language"] == "cmn-Hans-CN"
    assert gather.attrib["hints"] == "是我,不是<我>"
    assert "hints" not in written(asking())[0].attrib


def test_an_offer_is_spoken_in_its_own_language_and_the_answer_is_heard_in_the_call_s():
    script = shipped_scripts()["loan"]
    context = Context(language="zh", offered=("en",))
    chinese = start(script, context)
    config = replace(CONFIG, hear_speech=True)
    *first, gather, _ = written(chinese, config)
    assert [say.attrib["language"] for say in first] == ["cmn-CN"] * 2
    assert [say.attrib["language"] for say in gather] == ["cmn-CN", "en-US"]
    assert gather[-1].text == "For English, press eight."
    assert gather.attrib["language"] == "cmn-Hans-CN"

    english = advance(script, chinese.position, Heard.keys("8"), context)
    *first, gather, onward = written(english, config)
    assert [say.attrib["language"] for say in first] == ["en-US"] * 2
    assert gather.attrib["language"] == "en-US"
    assert onward.text is not None
    assert onward.text.partition("#")[0].endswith("/identity.0.unverified.none.en")


def test_an_end_is_said_and_then_hung_up():
    assert [child.tag for child in written(ending(utterance(), utterance()))] == ["Say", "Say", "Hangup"]


def test_an_officer_is_called_from_our_number_and_the_end_is_reported():
    said, dial = written(handing_over(), replace(CONFIG, officer_number="0478110"))
    assert said.tag == "Say"
    assert dial.attrib["callerId"] == "047896110"
    assert dial.attrib["timeout"] == "20"
    assert dial.attrib["action"].startswith(f"https://a.cn/hooks/dial/{ATTEMPT}/4/scene.1.verified.none")
    assert [number.text for number in dial] == ["0478110"]


def test_without_an_officer_s_number_the_script_goes_on():
    said, onward = written(handing_over())
    assert (said.tag, onward.tag, onward.text) == ("Say", "Redirect", CALL_NEXT)


def test_a_turn_without_words_still_ends():
    turn = replace(ending(), utterances=())
    assert [child.tag for child in written(turn)] == ["Hangup"]


@pytest.mark.parametrize(("language", "spoken"), [("zh", "cmn-CN"), ("en", "en-US"), ("mn", "cmn-CN")])
def test_a_language_is_spoken_with_its_own_voice(language: str, spoken: str):
    assert written(ending(utterance("x", language=language)))[0].attrib["language"] == spoken


def test_no_audio_at_all_is_spoken():
    assert written(ending(utterance("x", audio=())))[0].tag == "Say"


@given(st.text(min_size=1, max_size=60))
def test_no_text_can_break_the_document(text: str):
    safe = f"好{text}"
    if any(0xD800 <= ord(letter) < 0xE000 for letter in safe):
        return
    said = written(ending(utterance(safe)))[0]
    kept = "".join(
        c for c in as_spoken(safe, "zh") if (ord(c) > 31 or c in "\t\n\r") and ord(c) not in {0xFFFE, 0xFFFF}
    )
    assert said.text == kept.replace("\r\n", "\n").replace("\r", "\n")
    assert len(list(said)) == 0


def test_the_safe_sentence_needs_nothing_and_says_what_must_be_said():
    root = read(fallback_twiml())
    say, hangup = root
    assert hangup.tag == "Hangup"
    assert say.attrib["loop"] == "2"
    name, warning = (say.text or "").split("。")[:2]
    assert "反诈中心" in name
    assert "不要转" in warning
    assert "挂断他的电话" in warning
    for word in (
        "假警察",
        "打：当地区号 九六幺幺零，当地区号 九六幺幺零",
        "或者打幺幺零，打幺幺零",
        "机器人",
    ):
        assert word in (say.text or "")
    for word in ("安全账户", "资金清查", "http", "验证码", "密码"):
        assert word not in (say.text or "")


def test_what_has_no_sound_is_spoken_with_its_figures_in_words_and_in_its_language():
    said = written(
        ending(
            utterance("打区号加96110，或者110。"),
            utterance("Dial 110.", language="en"),
            utterance("好。", language="mn"),
        )
    )
    assert [part.text for part in said[:3]] == [
        "打区号加九六幺幺零，或者幺幺零。",
        "Dial one one zero.",
        "好。",
    ]
    assert [part.attrib["language"] for part in said[:3]] == ["cmn-CN", "en-US", "cmn-CN"]


def test_the_safe_sentence_names_the_bureau_it_is_given():
    text = read(fallback_twiml(bureau="A&B<反诈>", hotline="96110"))[0].text or ""
    assert "A&B<反诈>" in text


def test_after_an_officer_the_call_just_ends():
    assert [child.tag for child in read(hang_up_twiml())] == ["Hangup"]


@pytest.mark.parametrize("records", [False, True])
def test_the_person_of_a_recorded_desk_call_is_told_before_the_caller_is_heard(records: bool):
    order = DeskOrder(call_id=ATTEMPT, extension="8001", to="+8613800138000", records=records)
    root = read(DeskClient(CONFIG).twiml(order))
    (dial,), (number,) = root.findall("Dial"), root.findall("Dial/Number")
    assert ("record" in dial.attrib, "url" in number.attrib) == (records, records)


@pytest.mark.parametrize("records", [False, True])
def test_a_recorded_call_in_says_so_before_the_desk_rings(records: bool):
    said = (utterance(), recorded_notice("zh")) if records else (utterance(),)
    turn = InboundTurn(
        turn=1, says=said, rings="8001", ring_seconds=20, recorded_as=ATTEMPT if records else None
    )
    root = read(write_inbound(turn, config=CONFIG, audio_url=lambda file: f"https://a.cn/audio/{file}"))
    assert [child.tag for child in root] == ["Say", *(["Play"] if records else []), "Dial"]
    assert ("record" in root.find("Dial").attrib) is records  # type: ignore[union-attr]


def test_the_notice_is_a_sound_of_the_shipped_scripts_and_mandarin_where_there_is_none():
    read(write_notice(recorded_notice("en"), audio_url=lambda file: f"https://a.cn/audio/{file}"))
    assert recorded_notice("en") != recorded_notice("zh") == recorded_notice("mn") == recorded_notice("")
    assert recorded_notice("zh").audio


BOTH = (RoomVoice.DESK, RoomVoice.PERSON)


@pytest.mark.parametrize("seconds", [0, 6])
def test_a_supervisor_enters_the_same_room_muted_and_ends_nothing(seconds: int):
    root = read(write_listener_entry(ATTEMPT, urls=HookUrls("https://a.cn"), pause_seconds=seconds))
    assert [child.tag for child in root] == (["Pause"] if seconds else []) + ["Dial"]
    [room] = root.findall("Dial/Conference")
    assert room.text == room_name(ATTEMPT)
    ends, starts, muted = (
        room.attrib[name] for name in ("endConferenceOnExit", "startConferenceOnEnter", "muted")
    )
    assert (ends, starts, muted) == ("false", "false", "true")


def test_a_third_party_enters_the_same_room_is_heard_and_ends_nothing():
    root = read(write_party_entry(ATTEMPT, urls=HookUrls("https://a.cn")))
    [room] = root.findall("Dial/Conference")
    assert room.text == room_name(ATTEMPT)
    assert (room.attrib["endConferenceOnExit"], room.attrib["startConferenceOnEnter"]) == ("false", "false")
    assert room.attrib["participantLabel"] == "third_party"
    assert "muted" not in room.attrib


def test_both_enter_the_same_room_and_it_ends_with_either_of_them():
    entries = [write_room_entry(ATTEMPT, voice, urls=HookUrls("https://a.cn")) for voice in BOTH]
    rooms = [read(entry).findall("Dial/Conference")[0] for entry in entries]
    assert {room.text for room in rooms} == {room_name(ATTEMPT)}
    assert [room.attrib["participantLabel"] for room in rooms] == ["desk", "person"]
    assert {room.attrib["endConferenceOnExit"] for room in rooms} == {"true"}


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "不要转账"), ("en", "do not transfer"), ("mn", "不要转账")]
)
def test_on_hold_the_notice_is_repeated_for_minutes(language: str, said: str):
    again = HookUrls("https://a.cn").desk(ATTEMPT, "hold")
    notice = replace(hold_notice(language), audio=None)
    root = read(write_hold(notice, again_url=again, audio_url=str))
    assert said in (root[0].text or "")
    assert [child.tag for child in root] == ["Say", "Pause"] * 60 + ["Redirect"]
    assert root[-1].text == again
