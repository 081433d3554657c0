"""Webhooks over HTTP: verification, answers, and what is committed by then."""

from __future__ import annotations

import dataclasses
import itertools
import uuid

from dialer.db import tables as t
from dialer.db.unit_of_work import Store
from dialer.runtime.services import Services
from tests.server.switchboard import Request, Switchboard, codes, life, status, step

STRANGER = uuid.UUID(int=7)


class TestSignatures:
    def test_what_another_token_signed_is_refused_and_nothing_is_kept(self, board: Switchboard) -> None:
        attempt = board.call()
        (answer,) = board.ask(status(attempt, "ringing", "1"), token="somebody else's")
        assert answer.status_code == 403
        assert board.events(attempt) == []
        assert board.attempt_row(attempt)["state"] == "sending"

    def test_a_step_that_cannot_be_verified_gets_the_safe_sentence_and_needs_no_record(
        self, board: Switchboard
    ) -> None:
        """The token or the public address may be wrong, and a person may be on the line."""
        attempt = board.call()
        (answer,) = board.ask(step(attempt), token="somebody else's", services=_named(board))
        assert answer.status_code == 200
        assert "临河区反诈中心" in answer.text
        assert board.events(attempt) == []
        assert board.attempt_row(attempt)["state"] == "sending"

    def test_of_a_call_in_only_what_a_person_hears_gets_the_safe_sentence_unverified(
        self, board: Switchboard
    ) -> None:
        form = {"CallSid": "CA1", "ParentCallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "1"}
        for path, code in (
            ("/hooks/inbound/voice", 200),
            ("/hooks/inbound/number/1", 200),
            ("/hooks/inbound/wait/1", 200),
            ("/hooks/inbound/dial/1", 200),
            ("/hooks/inbound/status", 403),
            ("/hooks/inbound/desk/1", 403),
            (f"/hooks/desk/{STRANGER}/status", 403),
            (f"/hooks/desk/{STRANGER}/dial", 403),
        ):
            (answer,) = board.ask((path, form), token="somebody else's")
            assert answer.status_code == code, path
            assert ("九六幺幺零" in answer.text) is (code == 200), path
        assert board.count(t.inbound_call) == 0


class TestOneCall:
    def test_news_is_kept_and_applied_by_the_time_it_is_answered(self, board: Switchboard) -> None:
        attempt = board.call()
        assert codes(board.ask(status(attempt, "ringing", "1"))) == [204]
        assert board.events(attempt) == ["status.1"]
        row = board.attempt_row(attempt)
        assert (row["state"], row["sid"]) == ("ringing", f"CA{attempt.hex}")
        assert row["ringing_at"] is not None

    def test_the_first_step_speaks_the_script_and_counts_as_answered(self, board: Switchboard) -> None:
        attempt = board.call()
        (answer,) = board.ask(step(attempt))
        assert answer.status_code == 200
        assert "<Gather" in answer.text
        assert board.attempt_row(attempt)["state"] == "answered"
        assert board.attempt_row(attempt)["contact"] == "unverified"

    def test_a_repeated_step_gets_the_same_answer_and_is_kept_once(self, board: Switchboard) -> None:
        attempt = board.call()
        first, second = board.ask(step(attempt), step(attempt))
        assert first.text == second.text
        assert board.events(attempt) == ["talk.0"]

    def test_a_key_leads_to_the_next_step_and_is_stored(self, board: Switchboard) -> None:
        attempt = board.call()
        (first,) = board.ask(step(attempt))
        board.clock.advance(60)
        board.ask(next_step(first.text, attempt, Digits="1"))
        assert board.attempt_row(attempt)["contact"] == "verified"

    def test_digits_and_numbers_are_stored_encrypted(self, board: Switchboard) -> None:
        attempt = board.call()
        board.ask(status(attempt, "ringing", "1"))
        with board.store.begin() as tx:
            row = tx.one(t.event.select())
        assert row is not None
        assert b"13900000001" not in bytes(row["sealed"])
        assert "13900000001" not in str(row["facts"])

    def test_an_end_that_implies_ringing_counts_as_rung(self, board: Switchboard) -> None:
        """Also when its ringing event never came."""
        for word, sip_code, answered_by, result, rang in (
            ("completed", "200", "", "answered", True),
            ("completed", "200", "machine_start", "machine", True),
            ("no-answer", "480", "", "no_answer", True),
            ("busy", "603", "", "rejected", True),
            ("busy", "486", "", "busy", False),
            ("failed", "404", "", "invalid_number", False),
            ("failed", "503", "", "blocked", False),
            ("canceled", "487", "", "canceled", False),
        ):
            attempt = board.call()
            more = {"SipResponseCode": sip_code} | ({"AnsweredBy": answered_by} if answered_by else {})
            if result == "answered":
                board.ask(step(attempt))
            assert codes(board.ask(status(attempt, word, "3", **more))) == [204]
            row = board.attempt_row(attempt)
            assert (row["result"], row["ringing_at"] is not None) == (result, rang)

    def test_the_end_decides_the_case_and_frees_the_number(self, board: Switchboard) -> None:
        attempt = board.call()
        board.ask(status(attempt, "no-answer", "1"))
        assert board.attempt_row(attempt)["result"] == "no_answer"
        assert board.case_row(attempt)["robot_tries"] == 1
        with board.store.begin() as tx:
            row = tx.one(t.live_number.select())
        assert row is not None
        assert row["attempt_id"] is None
        assert row["free_at"] is not None
        assert len(row["called_at"]) == 1


class TestAnyOrder:
    def test_every_order_of_four_webhooks_ends_alike(self, board: Switchboard) -> None:
        ends = []
        for order in itertools.permutations(range(4)):
            attempt = board.call()
            news = life(attempt)
            for place in order:
                assert codes(board.ask(news[place])) == [204], order
            ends.append(board.end(attempt))
        assert ends == [ends[0]] * 24
        assert ends[0]["kept"] == ["status.0", "status.1", "status.2", "status.3"]

    def test_in_one_batch_they_end_as_one_by_one(self, board: Switchboard) -> None:
        one_by_one, at_once = board.call(), board.call()
        for request in life(one_by_one):
            board.ask(request)
        board.ask(*life(at_once))
        assert board.end(at_once) == board.end(one_by_one)

    def test_doubled_in_one_batch_is_once(self, board: Switchboard) -> None:
        attempt = board.call()
        assert codes(board.ask(*life(attempt), *life(attempt))) == [204] * 8
        assert board.events(attempt) == ["status.0", "status.1", "status.2", "status.3"]
        assert board.case_row(attempt)["robot_own_faults"] == 1

    def test_many_calls_at_once_each_get_their_own(self, board: Switchboard) -> None:
        calls = [board.call() for _ in range(6)]
        answers = board.ask(
            *(request for attempt in calls for request in [*life(attempt)[:3], step(attempt)])
        )
        assert set(codes(answers)) == {200, 204}
        for attempt, answer in zip(calls, answers[3::4], strict=True):
            assert str(attempt) in answer.text
            assert board.attempt_row(attempt)["state"] == "answered"


class TestFaults:
    def test_an_unknown_attempt_is_not_found_and_gets_the_safe_sentence(self, board: Switchboard) -> None:
        stranger = uuid.uuid4()
        spoken, told = board.ask(step(stranger), status(stranger, "ringing", "1"))
        assert codes([spoken, told]) == [404, 404]
        assert "有人让您转账，不要转" in spoken.text
        assert board.count(t.event) == 0

    def test_an_unknown_attempt_in_a_batch_does_not_affect_the_others(self, board: Switchboard) -> None:
        attempt = board.call()
        answers = board.ask(status(uuid.uuid4(), "ringing", "1"), status(attempt, "ringing", "1"))
        assert codes(answers) == [404, 204]

    def test_an_event_that_cannot_be_applied_does_not_affect_the_others(self, board: Switchboard) -> None:
        calls = [board.call(), board.call(script_id="of another version"), board.call()]
        answers = board.ask(*(step(attempt) for attempt in calls))
        assert codes(answers) == [200, 500, 200]
        assert "有人让您转账，不要转" in answers[1].text
        assert [board.events(attempt) for attempt in calls] == [["talk.0"], [], ["talk.0"]]

    def test_a_database_that_does_not_answer_gives_503_and_the_safe_sentence_to_each(
        self, board: Switchboard
    ) -> None:
        gone = Store("postgresql+psycopg://nobody@127.0.0.1:1/none", board.store.vault)
        services = dataclasses.replace(board.services, store=gone)
        attempt = board.call()
        answers = board.ask(*life(attempt), step(attempt), services=services)
        assert codes(answers) == [503] * 5
        assert all("有人让您转账，不要转" in answer.text for answer in answers)

    def test_what_cannot_be_read_is_a_bad_request(self, board: Switchboard) -> None:
        for path, form in (
            ("/hooks/status/not-an-id", {"CallSid": "CA1", "CallStatus": "ringing"}),
            (f"/hooks/status/{STRANGER}", {"CallSid": "CA1", "CallStatus": "singing"}),
            (f"/hooks/status/{STRANGER}", {"CallSid": "CA\x001", "CallStatus": "ringing"}),
            (f"/hooks/call/{STRANGER}/zero/start", {"CallSid": "CA1"}),
        ):
            assert codes(board.ask((path, form))) == [400], path

    def test_a_body_that_is_too_large_is_refused(self, board: Switchboard) -> None:
        answer = board.ask((f"/hooks/status/{uuid.uuid4()}", {"CallSid": "C" * 70_000}))
        assert codes(answer) == [413]

    def test_the_safe_sentence_names_the_centre_and_needs_no_database(self, board: Switchboard) -> None:
        gone = Store("postgresql+psycopg://nobody@127.0.0.1:1/none", board.store.vault)
        services = dataclasses.replace(_named(board), store=gone)
        fallen_back = (f"/hooks/fallback/{uuid.uuid4()}", {"ErrorCode": "11200"})
        answers = board.ask(fallen_back, step(uuid.uuid4()), services=services)
        assert codes(answers) == [200, 503]
        for answer in answers:
            assert "临河区反诈中心" in answer.text
            assert "有人让您转账，不要转" in answer.text


def _named(board: Switchboard) -> Services:
    centre = dataclasses.replace(board.services.centre, bureau={"zh": "临河区反诈中心"})
    return dataclasses.replace(board.services, centre=centre)


def next_step(twiml: str, attempt: uuid.UUID, **form: str) -> Request:
    """The address to which the Gather of this document sends its input."""
    path = twiml.partition('action="https://calls.example.cn')[2].partition("#")[0]
    assert str(attempt) in path
    number, position = path.rsplit("/", 2)[1:]
    return step(attempt, int(number), position, **form)
