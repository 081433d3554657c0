"""What a message may say: it names the bureau and needs no reply, and holds no link, no number and no ask.

By the rules for warning messages (12381): whoever is being defrauded must not be able to mistake it for the fraud.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialer.language import Text
from dialer.scripts.wording import RULES, affirms_safe_account, asks_for

MOST_PARTS = 2
_GSM_ONE, _GSM_MORE = 160, 153
_UCS2_ONE, _UCS2_MORE = 70, 67
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
"""GSM 03.38: these take two places."""

_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://|www\.|[a-z0-9-]+\.(?:com|cn|net|org|cc|top|xyz|vip|info|me|io|app|link)\b|[@#]\w"
    r"|二维码|点击|扫码|链接|微信|QQ",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|[〇零一二两三四五六七八九幺](?:[〇零一二两三四五六七八九幺]){2,}")
"""Any digit of any script, and three or more in words: a number to ring however it is written."""
_NO_REPLY = {"zh": re.compile(r"(?:无需|不必|不用|请勿)回复"), "en": re.compile(r"no reply", re.IGNORECASE)}
_ASKS_REPLY = re.compile(
    r"(?<!无需)(?<!不必)(?<!不用)(?<!请勿)回复|回电|reply (?:with|to)|call back", re.IGNORECASE
)


def message_findings(text: str, language: str, *, bureau: str) -> tuple[Text, ...]:
    """Everything that is wrong with a message as it would leave; nothing, when it may."""
    return tuple(_findings(text, language, bureau))


def _findings(text: str, language: str, bureau: str) -> Iterator[Text]:
    if not text.strip():
        yield Text("says nothing")
        return
    if not bureau or bureau not in text:
        yield Text("does not name the bureau")
    if _LINK.search(text):
        yield Text("holds a link, or asks to open something")
    if _NUMBER.search(text):
        yield Text("holds a number")
    if not _NO_REPLY.get(language, _NO_REPLY["en"]).search(text):
        yield Text("does not say that no reply is needed")
    if _ASKS_REPLY.search(text):
        yield Text("asks for a reply")
    rules = RULES.get(language)
    if rules is not None and asks_for(text, rules):
        yield Text("asks for what must never be asked for")
    if rules is not None and affirms_safe_account(text, rules):
        yield Text("uses the fraudsters' words other than to deny them")
    if parts(text) > MOST_PARTS:
        yield Text("takes %(parts)s parts; %(most)s are allowed", parts=parts(text), most=MOST_PARTS)


def parts(text: str) -> int:
    """How many messages the network makes of it: 160 or 70 characters alone, 153 or 67 each in a row."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length, one, more = sum(2 if letter in _GSM_TWICE else 1 for letter in text), _GSM_ONE, _GSM_MORE
    else:
        length, one, more = len(text.encode("utf-16-be")) // 2, _UCS2_ONE, _UCS2_MORE
    return 1 if length <= one else -(-length // more)
