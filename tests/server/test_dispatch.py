"""What each webhook hands on, to whom, and what its answer is. Whoever it is handed to is noted, not called."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from twilio.request_validator import RequestValidator

from dialer.calls.apply import CallNews
from dialer.calls.conversation import TurnRequest
from dialer.calls.sound import FellBack
from dialer.core.errors import NotFound, Unavailable
from dialer.core.values import Answer, Contact, Grade, MessageState, TelephonyResult
from dialer.runtime.services import Centre, LineRules, Services
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Position, Turn, Utterance
from dialer.server import webhooks as server
from dialer.server.webhooks import hooks
from dialer.telephony.callbacks import PersonLeg, Stage
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.public_address import proof
from dialer.telephony.webhooks import InboundTurn, fallback_twiml, hang_up_twiml
from dialer.work.desk_calls import DutyLineEvent
from tests.server.switchboard import CONFIG, PUBLIC, TOKEN

ID = uuid.UUID(int=7)
SID = "CA7"
CENTRE = Centre(
    timezone="Asia/Shanghai",
    bureau={"zh": "临河区反诈中心"},
    area_code="0478",
    hotline="96117",
    default_grade=Grade.MEDIUM,
)
SERVICES = Services(
    store=None,  # type: ignore[arg-type]  # nobody who would need it is called
    clock=None,
    real=None,
    policies=None,
    rendered_scripts=None,
    lines=LineRules(),
    centre=CENTRE,
    drill=False,
    schema="",
    enqueue=lambda *_: None,
)
SAFE = fallback_twiml(bureau="临河区反诈中心", area_code="0478", hotline="96117")
SAID = Utterance(prompt_id="x", language="zh", text="您好", audio=("hello.mp3",))
TURN = Turn(position=Position(node="scene", tries=1), utterances=(SAID,))
CALL_IN = InboundTurn(turn=2, says=(SAID,), waits_seconds=5)


@dataclasses.dataclass
class Noted:
    """Who was called, with what: the services come first and are left out."""

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = dataclasses.field(default_factory=list)
    events: list[Any] = dataclasses.field(default_factory=list)
    fault: Exception | None = None

    def noting(self, name: str, answer: object) -> Any:  # noqa: ANN401  # stands in for functions of many shapes
        def call(services: Services, *args: Any, **more: Any) -> object:  # noqa: ANN401  # as above
            assert services is SERVICES
            if self.fault is not None:
                raise self.fault
            self.calls.append((name, args, more))
            return answer

        return call

    def apply(self, services: Services, events: Sequence[Any]) -> list[Turn | Exception | None]:
        assert services is SERVICES
        if self.fault is not None:
            raise self.fault
        self.events += events
        return [TURN if isinstance(event, TurnRequest) else None for event in events]


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    made = Noted()
    answers = {
        "next_inbound_turn": CALL_IN, "end_inbound_call": None, "end_inbound_leg": CALL_IN,
        "connect_inbound_call": None,
        "apply_desk_event": None, "apply_person_leg_event": None, "language_of_desk_call": "en",
        "tell_person_of_recording": "en",
        "apply_message_event": None, "fetch_recording_now": None, "stop_for_fallback": None,
        "stop_if_unplayed": None,
    }  # fmt: skip
    for name, answer in answers.items():
        monkeypatch.setattr(server, name, made.noting(name, answer))
    monkeypatch.setattr(server, "apply_call_events", made.apply)
    return made


def ask(
    path: str,
    form: Mapping[str, str] | None = None,
    *,
    signed: bool = True,
    content: bytes | None = None,
    config: TelephonyConfig = CONFIG,
    counted: list[tuple[str, int]] | None = None,
    public: str = PUBLIC,
) -> httpx.Response:
    """The answer to one webhook."""

    async def run() -> httpx.Response:
        web = hooks(
            SERVICES,
            config,
            count=lambda *one: None if counted is None else counted.append(one),
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url=PUBLIC) as client:
            token = TOKEN if signed else "another"
            signature = RequestValidator(token).compute_signature(public + path, dict(form or {}))
            headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
            return await client.post(
                path, content=content, data=None if content is not None else dict(form or {}), headers=headers
            )

    return asyncio.run(run())


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "dialer.server.webhooks"]


def is_kept(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.text) == (204, "")


class TestCalls:
    def test_a_conversation_s_step_has_all_that_the_carrier_said(self, noted: Noted) -> None:
        personal = {"To": "+8613900000001", "From": "+8647896110", "Digits": "1", "ForwardedFrom": "12"}
        personal |= {"Caller": "+861", "Called": "+862", "SpeechResult": "喂"}
        form = {"CallSid": SID, "CallStatus": "in-progress", "Direction": "outbound-api"}
        answer = ask(f"/hooks/call/{ID}/3/scene.1.verified.none", form | personal)
        position = Position(node="scene", tries=1, contact=Contact.VERIFIED, answer=Answer.NONE)
        assert noted.events == [
            TurnRequest(
                attempt_id=ID,
                step=3,
                sid=SID,
                position=position,
                heard=Heard.keys("1"),
                forwarded=True,
                personal=personal,
            )
        ]
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
        assert f"<Play>{PUBLIC}/audio/hello.mp3</Play>" in answer.text

    def test_the_first_step_has_no_position_and_blank_fields_are_not_kept(self, noted: Noted) -> None:
        ask(f"/hooks/call/{ID}/0/start", {"Digits": "", "To": ""})
        assert noted.events == [
            TurnRequest(attempt_id=ID, step=0, sid="", position=None, heard=Heard.silence())
        ]

    def test_a_status_is_news_named_by_its_number_or_its_stage(self, noted: Noted) -> None:
        form = {"CallSid": SID, "CallStatus": "ringing", "To": "+8613900000001"}
        assert is_kept(ask(f"/hooks/status/{ID}", form | {"SequenceNumber": "0"}))
        assert is_kept(ask(f"/hooks/status/{ID}", form))
        assert [(event.attempt_id, event.step) for event in noted.events] == [
            (ID, "status.0"),
            (ID, "status.ringing"),
        ]
        for event in noted.events:
            assert isinstance(event, CallNews)
            assert (event.progress.stage, event.progress.sid) == (Stage.RINGING, SID)
            assert event.personal == {"To": "+8613900000001"}

    def test_the_verdict_on_a_machine_is_news(self, noted: Noted) -> None:
        form = {"CallSid": SID, "AnsweredBy": "machine_start", "To": "+8613900000001"}
        assert is_kept(ask(f"/hooks/amd/{ID}", form))
        [one] = noted.events
        assert (one.attempt_id, one.step, one.progress.answered_by) == (ID, "amd", "machine_start")
        assert one.personal == {"To": "+8613900000001"}

    @pytest.mark.parametrize(
        ("status", "parent", "took"),
        [
            ("completed", "in-progress", True),
            ("answered", "in-progress", True),
            ("no-answer", "completed", False),
        ],
    )
    def test_a_hand_over_that_was_taken_or_left_ends_the_call(
        self, noted: Noted, status: str, parent: str, took: bool
    ) -> None:
        form = {"CallSid": SID, "CallStatus": parent, "DialCallStatus": status}
        answer = ask(f"/hooks/dial/{ID}/4/scene.0.verified.none", form)
        assert (answer.status_code, answer.text) == (200, hang_up_twiml())
        assert noted.events == [DutyLineEvent(attempt_id=ID, step=4, desk=status, took=took)]

    def test_a_hand_over_that_nobody_took_goes_on_with_the_script(self, noted: Noted) -> None:
        form = {"CallSid": SID, "CallStatus": "in-progress", "DialCallStatus": "busy", "Digits": "1"}
        answer = ask(f"/hooks/dial/{ID}/4/scene.0.verified.none", form)
        position = Position(node="scene", contact=Contact.VERIFIED)
        assert noted.events == [
            TurnRequest(
                attempt_id=ID, step=4, sid=SID, position=position, heard=Heard.silence(), desk="busy",
                personal={"Digits": "1"},
            )
        ]  # fmt: skip
        assert "<Play>" in answer.text

    def test_an_officer_who_answers_is_talking(self, noted: Noted) -> None:
        assert is_kept(ask(f"/hooks/officer/{ID}/4", {"CallSid": "CA8", "CallStatus": "ringing"}))
        assert noted.events == []
        assert is_kept(ask(f"/hooks/officer/{ID}/4", {"CallSid": "CA8", "CallStatus": "in-progress"}))
        assert noted.events == [
            DutyLineEvent(attempt_id=ID, step=4, desk="answered", took=True, talking=True)
        ]

    def test_no_transaction_holds_more_than_two_hundred_events(self, noted: Noted) -> None:
        sizes: list[int] = []

        def apply(services: Services, events: Sequence[Any]) -> list[None]:
            sizes.append(len(events))
            noted.apply(services, events)
            return [None] * len(events)

        async def run() -> None:
            made = server._Hooks(SERVICES, CONFIG, lambda *_: None)
            await asyncio.gather(
                *(made._events.add(DutyLineEvent(attempt_id=ID, step=n, desk="")) for n in range(401))
            )

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(server, "apply_call_events", apply)
            asyncio.run(run())
        assert (sum(sizes), max(sizes)) == (401, 200)


class TestOthers:
    def test_news_of_a_recording_makes_it_looked_at(self, noted: Noted) -> None:
        assert is_kept(ask(f"/hooks/recording/{ID}", {"RecordingSid": "RE1"}))
        assert noted.calls == [("fetch_recording_now", (ID,), {})]

    def test_news_of_a_message_is_applied(self, noted: Noted) -> None:
        assert is_kept(ask(f"/hooks/message/{ID}", {"MessageSid": "SM1", "MessageStatus": "sent"}))
        [(name, (message_id, progress), more)] = noted.calls
        assert (name, message_id, more) == ("apply_message_event", ID, {})
        assert (progress.state, progress.sid) == (MessageState.SENT, "SM1")

    def test_a_call_from_a_desk_has_a_status_an_end_and_a_notice(self, noted: Noted) -> None:
        form = {"CallSid": SID, "CallStatus": "in-progress"}
        assert is_kept(ask(f"/hooks/desk/{ID}/status", form))
        ended = ask(f"/hooks/desk/{ID}/dial", form | {"DialCallStatus": "completed", "DialCallDuration": "9"})
        assert (ended.status_code, ended.text) == (200, hang_up_twiml())
        notice = ask(f"/hooks/desk/{ID}/notice", form)
        [status, leg, language] = noted.calls
        assert (status[0], status[1][0], status[1][1].stage) == ("apply_desk_event", ID, Stage.ANSWERED)
        talked = PersonLeg(result=TelephonyResult.ANSWERED, talk_seconds=9)
        assert leg == ("apply_person_leg_event", (ID, talked), {"ends_dial": True})
        assert language == ("tell_person_of_recording", (ID,), {})
        assert notice.status_code == 200
        assert "recorded" in notice.text or f"<Play>{PUBLIC}/audio/" in notice.text

    def test_a_person_in_a_room_is_told_to_wait_and_leaves_once(self, noted: Noted) -> None:
        form = {"CallSid": SID, "CallStatus": "in-progress"}
        over = form | {"CallStatus": "completed", "CallDuration": "9", "SequenceNumber": "0"}
        assert is_kept(ask(f"/hooks/desk/{ID}/person", over))
        assert is_kept(ask(f"/hooks/desk/{ID}/person", form))
        held = ask(f"/hooks/desk/{ID}/hold", form)
        assert "<Pause" in held.text
        leg, language = noted.calls
        talked = PersonLeg(result=TelephonyResult.ANSWERED, talk_seconds=9)
        assert leg == ("apply_person_leg_event", (ID, talked), {})
        assert language == ("language_of_desk_call", (ID,), {})

    def test_our_own_request_gets_the_proof_as_plain_text(self, noted: Noted) -> None:
        answer = ask("/hooks/check/abc")
        assert (answer.status_code, answer.text) == (200, proof("abc", token=TOKEN))
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert noted.calls == []

    def test_the_fallback_says_the_safe_sentence_and_the_log_says_why(
        self, noted: Noted, caplog: pytest.LogCaptureFixture
    ) -> None:
        failed = f"{PUBLIC}/audio/hello.wav"
        answer = ask(f"/hooks/fallback/{ID}", {"ErrorCode": "11200", "ErrorUrl": failed})
        assert (answer.status_code, answer.text) == (200, SAFE)
        assert answer.headers["content-type"] == "application/xml"
        assert logged(caplog) == [f"fallback spoken: attempt={ID} error=11200"]
        assert noted.calls == [("stop_for_fallback", (), {"address": failed, "error_code": "11200"})]
        assert noted.events == [FellBack(attempt_id=ID, error_code="11200")]

    def test_the_address_of_a_webhook_that_failed_is_told_without_its_ids(self, noted: Noted) -> None:
        ask(f"/hooks/fallback/{ID}", {"ErrorUrl": f"{PUBLIC}/hooks/call/{ID}/0/start"})
        ask(f"/hooks/fallback/{ID}")
        told = [more["address"] for _, _, more in noted.calls]
        assert told == [f"{PUBLIC}/hooks/call", PUBLIC]

    @pytest.mark.parametrize("fault", [Unavailable(part="database", problem="gone"), RuntimeError("ours")])
    def test_the_safe_sentence_is_said_whatever_becomes_of_the_record(
        self, noted: Noted, fault: Exception
    ) -> None:
        noted.fault = fault
        answer = ask(f"/hooks/fallback/{ID}", {"ErrorCode": "11200"})
        assert (answer.status_code, answer.text, noted.calls) == (200, SAFE, [])

    def test_sound_that_was_not_fetched_for_a_turn_is_looked_into(self, noted: Noted) -> None:
        unplayed, sound = {"X-Unplayed": "true"}, f"{PUBLIC}/audio/a.wav"
        turn, ended = {"CallSid": SID}, {"CallSid": SID, "CallStatus": "completed"}
        ask(f"/hooks/call/{ID}/1/scene.0.none.none", turn | unplayed)
        ask(f"/hooks/status/{ID}", ended | unplayed)
        assert noted.calls == [], "a person on hold hears nothing either"
        ask(f"/hooks/call/{ID}/1/scene.0.none.none", turn | unplayed | {"X-Unfetched": sound})
        ask(f"/hooks/status/{ID}", ended | unplayed | {"X-Unfetched": sound})
        assert noted.calls == [("stop_if_unplayed", (ID,), {"address": sound})] * 2


CALLING = {"CallSid": SID, "From": "+8613900000001", "CallStatus": "in-progress"}
ON_DUTY = dataclasses.replace(CONFIG, officer_number="+864780001")


class TestCallsIn:
    def turn(self, path: str, **form: str) -> httpx.Response:
        answer = ask(f"/hooks/inbound/{path}", CALLING | form, config=ON_DUTY)
        assert answer.status_code == 200
        assert f"<Play>{PUBLIC}/audio/hello.mp3</Play>" in answer.text
        return answer

    def test_it_arrives_with_the_number_of_its_caller(self, noted: Noted) -> None:
        self.turn("voice")
        told = {"caller": "+8613900000001", "duty_line": "+864780001"}
        assert noted.calls == [("next_inbound_turn", (SID,), told)]

    def test_a_typed_number_and_a_wait_lead_to_the_next_turn(self, noted: Noted) -> None:
        self.turn("number/1", Digits="13800138000#")
        self.turn("wait/2", Digits="13800138000#")
        told = {"caller": "+8613900000001", "duty_line": "+864780001"}
        assert noted.calls == [
            ("next_inbound_turn", (SID,), told | {"step": 1, "typed": "13800138000"}),
            ("next_inbound_turn", (SID,), told | {"step": 2, "typed": None}),
        ]

    def test_the_end_of_a_desk_s_call_leads_to_the_next_turn(self, noted: Noted) -> None:
        self.turn("dial/3", DialCallStatus="completed", DialCallDuration="12")
        self.turn("dial/3", DialCallStatus="no-answer", CallStatus="completed")
        told = {"step": 3, "duty_line": "+864780001"}
        assert noted.calls == [
            ("end_inbound_leg", (SID,), told | {"answered": True, "talk_seconds": 12, "has_left": False}),
            ("end_inbound_leg", (SID,), told | {"answered": False, "talk_seconds": None, "has_left": True}),
        ]

    def test_a_desk_that_answers_is_noted_under_the_call_in(self, noted: Noted) -> None:
        form = {"CallSid": "CA8", "ParentCallSid": SID, "CallStatus": "ringing"}
        assert is_kept(ask("/hooks/inbound/desk/3", form))
        assert noted.calls == []
        assert is_kept(ask("/hooks/inbound/desk/3", form | {"CallStatus": "in-progress"}))
        assert noted.calls == [("connect_inbound_call", (SID,), {"step": 3})]

    def test_its_end_is_noted_and_no_other_status(self, noted: Noted) -> None:
        assert is_kept(ask("/hooks/inbound/status", {"CallSid": SID, "CallStatus": "ringing"}))
        assert noted.calls == []
        assert is_kept(ask("/hooks/inbound/status", {"CallSid": SID, "CallStatus": "completed"}))
        assert noted.calls == [("end_inbound_call", (SID,), {})]

    def test_its_fallback_is_the_safe_sentence(self, noted: Noted) -> None:
        answer = ask("/hooks/inbound/fallback", {"ErrorCode": "11200"})
        assert (answer.status_code, answer.text, noted.events) == (200, SAFE, [])
        assert noted.calls == [("stop_for_fallback", (), {"address": PUBLIC, "error_code": "11200"})]

    def test_an_act_that_nobody_knows_is_not_found(
        self, noted: Noted, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert ask("/hooks/inbound/dance", CALLING).status_code == 404
        assert ask("/hooks/inbound/dance/1", CALLING).status_code == 404
        assert logged(caplog) == ["webhook answered 404: act dance does not exist"] * 2
        assert noted.calls == []


SPOKEN = (f"/hooks/call/{ID}/0/start", f"/hooks/dial/{ID}/0/scene.0.verified.none", f"/hooks/fallback/{ID}")
TOLD = (f"/hooks/status/{ID}", f"/hooks/amd/{ID}", f"/hooks/recording/{ID}", f"/hooks/officer/{ID}/1")


class TestRefusals:
    @pytest.mark.parametrize("path", SPOKEN)
    def test_unverified_the_safe_sentence_is_spoken_and_counted_as_refused(
        self, noted: Noted, path: str
    ) -> None:
        counted: list[tuple[str, int]] = []
        answer = ask(path, {"CallSid": SID}, signed=False, counted=counted)
        assert (answer.status_code, answer.text) == (200, SAFE)
        assert answer.headers["content-type"] == "application/xml"
        assert counted == [(path.split("/")[2], 403)]
        assert (noted.calls, noted.events) == ([], [])

    @pytest.mark.parametrize("path", [*TOLD, f"/hooks/message/{ID}", "/hooks/check/abc"])
    def test_unverified_news_is_refused_without_a_word(self, noted: Noted, path: str) -> None:
        answer = ask(path, {"CallSid": SID}, signed=False)
        assert (answer.status_code, answer.text) == (403, "")
        assert (noted.calls, noted.events) == ([], [])

    @pytest.mark.parametrize(
        ("fault", "status", "said"),
        [
            (Unavailable(part="database", problem="is away"), 503, "database: is away"),
            (NotFound(kind="attempt", key="x"), 404, "attempt x does not exist"),
            (ZeroDivisionError("王小明"), 500, "ZeroDivisionError"),
        ],
    )
    def test_a_fault_on_the_way_is_logged_and_the_person_hears_the_safe_sentence(
        self, noted: Noted, caplog: pytest.LogCaptureFixture, fault: Exception, status: int, said: str
    ) -> None:
        noted.fault = fault
        counted: list[tuple[str, int]] = []
        answer = ask(SPOKEN[0], {"CallSid": SID}, counted=counted)
        assert (answer.status_code, answer.text) == (status, SAFE)
        assert counted == [("call", status)]
        failed = ["webhook failed"] if status == 500 else []
        assert logged(caplog) == [*failed, f"webhook answered {status}: {said}"]

    @pytest.mark.parametrize(
        ("form", "content", "status", "said"),
        [
            ({"CallStatus": "singing", "CallSid": SID}, None, 400, "CallStatus: is not a known value"),
            ({}, b"CallSid=%00", 400, "webhook: holds a character that cannot be kept"),
            ({"CallSid": "C" * (65_536 - len("CallSid="))}, None, 400, "CallStatus: is not a known value"),
            ({"CallSid": "C" * (65_537 - len("CallSid="))}, None, 413, "_TooLarge"),
        ],
    )
    def test_what_cannot_be_read_is_refused_without_a_word(
        self,
        noted: Noted,
        caplog: pytest.LogCaptureFixture,
        form: dict[str, str],
        content: bytes | None,
        status: int,
        said: str,
    ) -> None:
        """64 KB is the most that is read."""
        answer = ask(f"/hooks/status/{ID}", form, content=content)
        assert (answer.status_code, answer.text, noted.events) == (status, "", [])
        assert logged(caplog) == [f"webhook answered {status}: {said}"]

    def test_the_log_does_not_repeat_what_was_sent(
        self, noted: Noted, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = ask("/hooks/status/13900000001", {"CallSid": SID, "CallStatus": "ringing"})
        assert (answer.status_code, answer.text) == (400, "")
        assert logged(caplog) == ["webhook answered 400: webhook: cannot be read"]
        assert noted.events == []

    def test_bytes_that_are_no_text_are_not_verified_and_no_fault(self, noted: Noted) -> None:
        assert ask(f"/hooks/status/{ID}", content=b"CallSid=\xff").status_code == 403
        assert noted.events == []

    @pytest.mark.parametrize("path", ["/hooks/other", f"/hooks/status/{ID}/", "/hooks/"])
    def test_an_address_that_no_webhook_has_is_counted_apart(self, noted: Noted, path: str) -> None:
        counted: list[tuple[str, int]] = []
        assert ask(path, {"CallSid": SID}, counted=counted).status_code == 404
        assert counted == [("other", 404)]
        assert noted.events == []


BLANK = {"CallSid": SID, "CallStatus": "ringing", "ForwardedFrom": ""}


class TestAddresses:
    def test_blank_fields_and_the_query_are_signed_too(self, noted: Noted) -> None:
        assert is_kept(ask(f"/hooks/status/{ID}?a={quote('大')}&b=%3D", BLANK))
        assert len(noted.events) == 1

    @pytest.mark.parametrize("public", [PUBLIC, PUBLIC + "/box"])
    def test_the_public_address_may_end_with_a_slash_and_have_a_part_that_a_proxy_cuts(
        self, noted: Noted, public: str
    ) -> None:
        config = dataclasses.replace(CONFIG, public_url=public + "/")
        assert is_kept(ask(f"/hooks/status/{ID}", BLANK, config=config, public=public))
        assert len(noted.events) == 1
