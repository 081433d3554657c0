"""`dialer scripts play`: a script walked in the terminal, by keys, by words and by silence."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dialer.cli.scripts import scripts


def played(script: str, *typed: str, language: str = "zh", offers: str = "", tag: str = "") -> str:
    options = [*(("--offers", offers) if offers else ()), *(("--tag", tag) if tag else ())]
    done = CliRunner().invoke(
        scripts, ["play", script, "--language", language, *options], input="\n".join(typed) + "\n"
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
    assert "没有这个键，请按别的键。" in told


def test_a_childs_phone_asks_for_the_parent_and_one_of_poor_hearing_says_that_a_message_follows():
    assert "请把电话交给家长。" in played("general", "1", "2", tag="minor")
    told = played("general", "", "", "", tag="hearing")
    assert "请看我们的短信。" in told
    assert "answer language_or_hearing" in told


@pytest.mark.parametrize("script", ["investment", "romance"])
def test_who_waited_for_an_officer_in_vain_is_told_so_before_the_question(script: str):
    told = played(script, "1", "1", "1")
    after = told.partition("calls an officer, who does not answer")[2]
    assert after.index("现在警察都在忙，很快会给您打电话。") < after.index("听明白了")
    assert "answer acknowledged" in told
