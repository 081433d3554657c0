"""The player alone: one leg, one application, both under the test's hand, on a clock that it moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from carrier.lines import Clip
from carrier.outbound import OnReply, Reply
from carrier.player import Player, SoundCache
from carrier.speech_input import Hearing, Speech
from carrier.twiml import Dial
from tests.carrier.fake_time import FakeTimers
from tests.carrier.test_documents import wav


class Desk:
    """The leg, the messenger and the call in one: everything the player touches, written down."""

    def __init__(self) -> None:
        self.timers = FakeTimers()
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.answers: list[OnReply] = []
        self.spoken: list[str] = []
        self.done: Callable[[], None] | None = None
        self.questions: list[int] = []
        self.errors: list[int] = []
        self.over = False
        self.back_up = ("", "POST")
        self.dialled: Callable[[dict[str, str]], None] | None = None
        self.hearing = Hearing(None)
        self.player = Player(
            self,
            messenger=self,  # type: ignore[arg-type]
            sounds=SoundCache(self),  # type: ignore[arg-type]
            hearing=self.hearing,
            timers=self.timers,
        )

    # messenger
    def send(self, url: str, method: str, params: Mapping[str, str], on_reply: OnReply) -> None:
        self.asked.append((url, method, dict(params)))
        self.answers.append(on_reply)

    def reply(self, body: str | bytes = "", status: int = 200, failure: str = "") -> None:
        data = body if isinstance(body, bytes) else body.encode()
        self.answers.pop(0)(Reply(status, "text/xml", data, failure))

    # leg
    @property
    def leg(self) -> Desk:
        return self

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        self.spoken.append(clip.text or f"{clip.seconds:g} s")
        self.done = done

    def heard(self) -> None:
        done, self.done = self.done, None
        assert done is not None, "nothing is playing"
        done()

    def stop_speaking(self) -> None:
        self.done = None

    def listen(self, question: int) -> None:
        self.questions.append(question)

    def stop_listening(self) -> None:
        self.questions.append(0)

    # call
    def params(self) -> dict[str, str]:
        return {"CallSid": "CA1"}

    def skips_fetch(self) -> bool:
        return False

    def fallback(self) -> tuple[str, str]:
        return self.back_up

    def error(self, code: int) -> None:
        self.errors.append(code)

    def finished(self) -> None:
        self.over = True
        self.player.stop()

    def dial(
        self, verb: Dial, done: Callable[[dict[str, str]], None], left: Callable[[dict[str, str]], None]
    ) -> None:
        self.spoken.append(f"dial {verb.number}")
        self.dialled = done


@pytest.fixture
def desk() -> Desk:
    return Desk()


def play(desk: Desk, inner: str) -> None:
    desk.player.fetch("http://a.test/call/1?x=1#rc=2", "POST")
    desk.reply(f"<Response>{inner}</Response>")


def test_the_document_is_asked_for_with_the_calls_parameters(desk: Desk):
    play(desk, "<Say>你好</Say>")
    assert desk.asked == [("http://a.test/call/1?x=1#rc=2", "POST", {"CallSid": "CA1"})]
    assert desk.spoken == ["你好"]
    assert not desk.over
    desk.heard()
    assert desk.over


def test_an_empty_document_ends_the_call(desk: Desk):
    play(desk, "")
    assert desk.over


def test_a_pause_lasts_its_seconds(desk: Desk):
    play(desk, "<Pause length='7'/><Say>后</Say>")
    desk.timers.run(6.9)
    assert desk.spoken == []
    desk.timers.run(0.2)
    assert desk.spoken == ["后"]


def test_loops_are_heard_as_often_as_said(desk: Desk):
    play(desk, "<Play loop='3'>/a.wav</Play>")
    desk.reply(wav(2.0))
    assert desk.spoken == ["6 s"]


def test_a_question_waits_for_a_key_only_after_its_prompts(desk: Desk):
    play(
        desk,
        "<Gather timeout='5' numDigits='1'><Say>问</Say><Pause length='2'/><Say>题</Say></Gather><Say>后</Say>",
    )
    desk.heard()
    desk.timers.run(100)
    assert desk.spoken == ["问", "题"]
    desk.heard()
    desk.timers.run(4.9)
    assert desk.spoken == ["问", "题"]
    desk.timers.run(0.2)
    assert desk.spoken == ["问", "题", "后"]
    assert desk.questions == [1, 0]


def test_each_key_starts_the_silence_anew(desk: Desk):
    play(desk, "<Gather timeout='5' action='/k'/>")
    for key in "12":
        desk.timers.run(4)
        desk.player.pressed(key)
    desk.timers.run(4.9)
    assert len(desk.asked) == 1
    desk.timers.run(0.2)
    assert desk.asked[1] == (
        "http://a.test/k",
        "POST",
        {"CallSid": "CA1", "Digits": "12", "msg": "Gather End"},
    )


def test_without_an_action_the_answer_goes_to_the_documents_own_address(desk: Desk):
    play(desk, "<Gather numDigits='1'/>")
    desk.player.pressed("4")
    assert desk.asked[1][0] == "http://a.test/call/1?x=1"


def test_a_finish_key_alone_is_an_answer_without_digits(desk: Desk):
    play(desk, "<Gather action='/k' finishOnKey='*'/>")
    desk.player.pressed("*")
    assert desk.asked[1][2] == {
        "CallSid": "CA1",
        "Digits": "",
        "msg": "Gather End",
        "FinishedOnKey": "*",
    }


def test_without_a_finish_key_hash_is_a_digit(desk: Desk):
    play(desk, "<Gather action='/k' finishOnKey='' numDigits='2'/>")
    desk.player.pressed("#")
    desk.player.pressed("1")
    assert desk.asked[1][2]["Digits"] == "#1"


def test_a_key_during_a_pause_inside_a_question_ends_the_pause(desk: Desk):
    play(desk, "<Gather action='/k' numDigits='2' timeout='5'><Pause length='50'/><Say>太迟</Say></Gather>")
    desk.player.pressed("1")
    desk.timers.run(60)
    assert desk.spoken == []
    assert desk.asked[1][2]["Digits"] == "1"


def test_a_first_key_of_several_silences_the_prompt_at_once(desk: Desk):
    play(desk, "<Gather numDigits='2'><Say>问</Say><Say>题</Say></Gather>")
    assert desk.done is not None
    desk.player.pressed("1")
    assert desk.done is None
    assert desk.spoken == ["问"]


def test_keys_after_the_answer_are_lost(desk: Desk):
    play(desk, "<Gather action='/k' numDigits='1'/>")
    desk.player.pressed("1")
    desk.player.pressed("2")
    desk.timers.run(100)
    assert len(desk.asked) == 2


def test_questions_are_counted_over_documents(desk: Desk):
    play(desk, "<Gather numDigits='1' timeout='1'/><Gather numDigits='1'/>")
    desk.timers.run(1.5)
    desk.player.pressed("1")
    desk.reply("<Response><Gather/></Response>")
    assert [n for n in desk.questions if n] == [1, 2, 3]


def test_an_answer_that_comes_after_the_stop_is_not_played(desk: Desk):
    desk.player.fetch("http://a.test/", "POST")
    desk.player.stop()
    desk.reply("<Response><Say>太迟</Say></Response>")
    assert (desk.spoken, desk.over) == ([], False)


def test_audio_that_comes_after_the_stop_is_not_played(desk: Desk):
    play(desk, "<Play>/a.wav</Play>")
    desk.player.stop()
    desk.reply(wav(1.0))
    assert desk.spoken == []


def test_a_new_document_silences_the_old_one(desk: Desk):
    play(desk, "<Gather timeout='5' action='/old'><Say>旧</Say></Gather>")
    desk.player.play(b"<Response><Say>\xe6\x96\xb0</Say></Response>")
    desk.player.pressed("1")
    desk.timers.run(100)
    assert desk.spoken == ["旧", "新"]
    assert len(desk.asked) == 1


def test_broken_prompts_by_the_hundred_do_not_nest(desk: Desk):
    play(desk, "<Play>/a.wav</Play>" * 900 + "<Say>后</Say>")
    for _ in range(900):
        desk.reply(b"", 404)
        desk.timers.run(0.1)
    assert desk.spoken == ["后"]
    assert desk.errors == [11200] * 900


@pytest.mark.parametrize(
    ("status", "failure", "code"), [(500, "", 11200), (302, "", 11200), (0, "ct", 11205), (0, "rt", 11205)]
)
def test_what_failed_is_told_to_the_fallback(desk: Desk, status: int, failure: str, code: int):
    desk.back_up = ("http://a.test/safe", "GET")
    desk.player.fetch("http://a.test/call#rc=1", "POST")
    desk.reply("", status, failure)
    url, method, params = desk.asked[1]
    assert (url, method) == ("http://a.test/safe", "GET")
    assert (params["ErrorCode"], params["ErrorUrl"]) == (str(code), "http://a.test/call")
    assert desk.errors == [code]


def test_a_question_whose_action_fails_goes_to_the_fallback_too(desk: Desk):
    desk.back_up = ("http://a.test/safe", "POST")
    play(desk, "<Gather numDigits='1' action='/k'/>")
    desk.player.pressed("1")
    desk.reply("", 500)
    assert desk.asked[-1][2]["ErrorUrl"] == "http://a.test/k"


def test_dial_goes_on_after_the_desk(desk: Desk):
    play(desk, "<Dial action='/d' method='GET'>+861</Dial><Say>不到</Say>")
    assert desk.dialled is not None
    desk.dialled({"DialCallStatus": "completed"})
    assert desk.asked[-1] == ("http://a.test/d", "GET", {"CallSid": "CA1", "DialCallStatus": "completed"})


def test_dial_without_action_plays_the_next_verb(desk: Desk):
    play(desk, "<Dial>+861</Dial><Say>后</Say>")
    assert desk.dialled is not None
    desk.dialled({"DialCallStatus": "busy"})
    assert desk.spoken == ["dial +861", "后"]


def test_a_desk_that_ends_after_the_stop_needs_no_record(desk: Desk):
    play(desk, "<Dial>+861</Dial><Say>太迟</Say>")
    assert desk.dialled is not None
    desk.player.stop()
    desk.dialled({"DialCallStatus": "completed"})
    assert desk.spoken == ["dial +861"]


def test_one_fetch_serves_all_that_wait_for_the_same_sound(desk: Desk):
    got: list[float | None] = []
    sounds = SoundCache(desk)  # type: ignore[arg-type]
    for _ in range(3):
        sounds.get("http://a.test/a.wav", lambda clip: got.append(clip.seconds if clip else None))
    desk.reply(wav(1.0))
    sounds.get("http://a.test/a.wav", lambda clip: got.append(clip.seconds if clip else None))
    assert (got, len(desk.asked)) == ([1.0] * 4, 1)
    sounds.forget()
    sounds.get("http://a.test/a.wav", lambda _clip: None)
    assert len(desk.asked) == 2


def test_a_sound_that_failed_is_asked_for_again(desk: Desk):
    got: list[object] = []
    sounds = SoundCache(desk)  # type: ignore[arg-type]
    sounds.get("http://a.test/a.wav", got.append)
    desk.reply(b"", 500)
    sounds.get("http://a.test/a.wav", got.append)
    desk.reply(wav(1.0))
    assert got[0] is None
    assert isinstance(got[1], Clip)


def test_the_oldest_sound_makes_room(desk: Desk):
    """64 MiB are kept, here seven sounds of 8 MB."""
    sounds = SoundCache(desk)  # type: ignore[arg-type]
    large = wav(500.0)
    for n in range(9):
        sounds.get(f"http://a.test/{n}.wav", lambda _clip: None)
        desk.reply(large)
    sounds.get("http://a.test/8.wav", lambda _clip: None)
    assert len(desk.asked) == 9
    sounds.get("http://a.test/0.wav", lambda _clip: None)
    assert len(desk.asked) == 10


ASKS_WHOLE = (
    '<Say>opening</Say><Gather bargeIn="false" numDigits="1" timeout="6" action="/answer" actionOnEmptyResult="true">'
    "<Say>is it you?</Say><Say>press 1</Say></Gather>"
)


def test_a_key_during_a_question_that_is_spoken_to_its_end_is_its_answer(desk: Desk):
    play(desk, ASKS_WHOLE)
    desk.heard()
    desk.player.pressed("1")
    assert desk.done is not None, "the question is not cut off"
    desk.heard()
    assert (desk.spoken[-1], len(desk.asked)) == ("press 1", 1)
    desk.heard()
    assert desk.asked[-1] == (
        "http://a.test/answer",
        "POST",
        {"CallSid": "CA1", "Digits": "1", "msg": "Gather End"},
    )


def test_a_key_before_the_question_does_not_answer_it(desk: Desk):
    play(desk, ASKS_WHOLE)
    desk.player.pressed("1")
    for _ in range(3):
        desk.heard()
    assert len(desk.asked) == 1
    desk.timers.run(6.0)
    assert desk.asked[-1][2]["Digits"] == ""


def test_only_so_many_keys_as_the_question_takes_are_kept(desk: Desk):
    play(desk, ASKS_WHOLE.replace('numDigits="1"', 'numDigits="3" finishOnKey="#"'))
    desk.heard()
    for key in "12#45":
        desk.player.pressed(key)
    desk.heard()
    desk.heard()
    assert (desk.asked[-1][2]["Digits"], desk.asked[-1][2]["FinishedOnKey"]) == ("12", "#")


def test_keys_that_are_kept_are_completed_after_the_question(desk: Desk):
    play(desk, ASKS_WHOLE.replace('numDigits="1"', 'numDigits="2"'))
    desk.heard()
    desk.player.pressed("1")
    desk.heard()
    desk.heard()
    desk.timers.run(5.0)
    assert len(desk.asked) == 1, "the wait begins at the end of the question"
    desk.player.pressed("2")
    assert desk.asked[-1][2]["Digits"] == "12"


def test_a_question_that_is_spoken_to_its_end_takes_speech_only_then(desk: Desk):
    play(desk, ASKS_WHOLE.replace("<Gather ", '<Gather input="dtmf speech" '))
    desk.heard()
    desk.player.said(Speech(words="yes"))
    assert (desk.done is not None, desk.questions) == (True, [])
    desk.heard()
    desk.heard()
    assert desk.questions == [1]
