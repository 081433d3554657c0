"""The rules of wording, sentence by sentence, as an officer would try to get round them."""

from __future__ import annotations

import pytest

from dialer.scripts.lint import EN, ZH, affirms_safe_account, asks_for


@pytest.mark.parametrize(
    "text",
    [
        "请您登录网站核实。",
        "请点击短信里的链接。",
        "请下载这个软件。",
        "请先安装反诈客户端。",
        "请输入您的银行卡号。",
        "请告诉我验证码。",
        "请提供您的密码。",
        "请把钱转到指定账户。",
        "马上转账到这个账户。",
        "请您扫码付款。",
        "为了安全，请您汇款。",
        "请不要挂断，转账到指定账户。",
        "请报一下您的身份证号。",
    ],
)
def test_an_ask_is_found_in_mandarin(text: str):
    assert asks_for(text, ZH) != ""


@pytest.mark.parametrize(
    "text",
    [
        "有人让您转账，不要转，马上挂断他的电话。",
        "不要点链接，不要下载软件。",
        "真正的退款，不用银行卡号，也不用验证码。",
        "听完这个电话，马上关掉屏幕共享，关不掉就拔卡。",
        "有没有人让您转账？",
        "有没有客服说给您退款，让您共享屏幕？",
        "让您先付钱的刷单，都是骗子。",
        "已经转账，请按3。",
        "请保留好转账记录。",
        "转账之前，先打电话给本人。",
        "请按数字，再按右下角的井号键。",
        "这个号码是您本人的吗？是，请按1；不是，请按2。",
    ],
)
def test_a_denial_or_a_question_about_others_is_none(text: str):
    assert asks_for(text, ZH) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Please log in to our website.",
        "Please click the link we sent.",
        "Install this app.",
        "Tell me your password.",
        "Please give us your card number.",
        "Enter the code now.",
        "Please transfer the money to this account.",
        "Pay a small fee first.",
    ],
)
def test_an_ask_is_found_in_english(text: str):
    assert asks_for(text, EN) != ""


@pytest.mark.parametrize(
    "text",
    [
        "Do not transfer any money, and hang up on the other caller now.",
        "Has somebody asked you to pay first?",
        "A refund never needs your bank card or a code.",
        "Anybody who wants your code is a fraud.",
        "Hang up and dial your area code and 96110.",
        "Keep the record of your transfer.",
        "Tell your family before you decide anything.",
    ],
)
def test_none_is_found_in_a_warning_in_english(text: str):
    assert asks_for(text, EN) == ""


@pytest.mark.parametrize(
    ("text", "affirms"),
    [
        ("公安机关没有安全账户。", False),
        ("也没有什么安全账户，更不会搞资金清查。", False),
        ("我们绝不做资金清查。", False),
        ("请把钱转到安全账户。", True),
        ("安全账户可以保护您的钱。", True),
        ("没有的事，安全账户里很安全。", True),
        ("警察不办这种事。", False),
    ],
)
def test_the_fraudsters_words_only_to_deny_them(text: str, *, affirms: bool):
    assert affirms_safe_account(text, ZH) is affirms


@pytest.mark.parametrize(
    ("text", "affirms"),
    [
        ("There is no safe account.", False),
        ("The police never have a safe account.", False),
        ("Move it to the safe account.", True),
        ("We run a funds inspection.", True),
    ],
)
def test_the_same_in_english(text: str, *, affirms: bool):
    assert affirms_safe_account(text, EN) is affirms
