"""`dialer scripts play`: a script walked in the terminal, by keys, by words and by silence."""

from __future__ import annotations

from typer.testing import CliRunner

from dialer.cli.scripts import scripts


def played(script: str, *typed: str, language: str = "zh", offers: str = "") -> str:
    offered = ["--offers", offers] if offers else []
    done = CliRunner().invoke(
        scripts, ["play", script, "--language", language, *offered], input="\n".join(typed) + "\n"
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_keys_lead_to_the_end_and_what_the_call_means_is_said():
    told = played("police_impersonation", "1", "1", "1")
    assert "有人让您转账，不要转" in told
    assert "contact verified, answer acknowledged, urgency none" in told


def test_words_are_heard_and_a_key_is_asked_for():
    told = played("police_impersonation", "是我", "1", "1", "明白了", "1")
    assert told.count("为了确认，请按键回答。") == 2
    assert "answer acknowledged" in told


def test_silence_throughout_ends_as_silence():
    told = played("police_impersonation", "", "", "", "")
    assert told.count("没有收到您的回答。") == 3
    assert "contact unverified, answer doubtful" in told


def test_a_hand_over_that_nobody_takes_goes_on():
    told = played("loan", "1", "3", "35000", "6217", "1", language="en")
    assert "calls an officer, who does not answer" in told
    assert "answer already_paid" in told


def test_key_8_says_the_call_again_in_the_language_that_is_offered():
    told = played("loan", "8", "1", "1", "1", offers="en")
    chinese, _, english = told.partition("For English, press 8.")
    assert "有人让您转账，不要转" in chinese
    assert "Hang up on him." in english
    assert "听普通话，请按8。" in english
    assert "有人让您转账" not in english
    assert "answer acknowledged" in english


def test_without_an_offer_key_8_is_a_wrong_key():
    told = played("loan", "8", "1", "1", "1")
    assert "English" not in told
    assert "没有收到您的回答。" in told
