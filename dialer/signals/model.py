"""A signal: something that a source observed about one person, or the entry of an item in a list or its removal. Pure.

`FIELDS_OF_SIGNAL` lists the fields of each of the nine kinds; `SignalReader` reads one raw record. A signal contains no
phone, no id number and no text: persons and items are keyed indexes, which the functions given to the reader compute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dialer.core.text import Text
from dialer.core.values import FraudType, Grade
from dialer.intake.cells import (
    Unreadable,
    cleaned,
    folded,
    has_lost_digits,
    read_fen,
    read_flag,
    read_fraud_type,
    read_grade,
    read_moment,
)
from dialer.intake.phones import normalise_id_number, normalise_phone

LONGEST_NAME: Final = 64
"""The most characters that a source, a signal number or the name of a list may have."""
MOST_CLOCK_AHEAD: Final = timedelta(minutes=5)
"""How far an event may lie after its arrival: the clocks of sources differ."""
LARGEST_NUMBER: Final = 10**13


class SignalKind(StrEnum):
    """What was observed."""

    CALL = "call"
    SMS = "sms"
    WEB = "web"
    APP = "app"
    PAYMENT_ATTEMPT = "payment_attempt"
    LOGIN = "login"
    PLATFORM_PUSH = "platform_push"
    REPORT = "report"
    LIST_CHANGE = "list_change"


_KIND_NAMES: Final[Mapping[SignalKind, Text]] = {
    SignalKind.CALL: Text("call"),
    SignalKind.SMS: Text("text message"),
    SignalKind.WEB: Text("visit to a site"),
    SignalKind.APP: Text("use of an app"),
    SignalKind.PAYMENT_ATTEMPT: Text("payment"),
    SignalKind.LOGIN: Text("sign-in"),
    SignalKind.PLATFORM_PUSH: Text("push of the platform"),
    SignalKind.REPORT: Text("report of fraud"),
    SignalKind.LIST_CHANGE: Text("change of a list"),
}


class ItemKind(StrEnum):
    """What a list may contain and a person may touch."""

    NUMBER = "number"
    DOMAIN = "domain"
    APP = "app"
    ACCOUNT = "account"


class Direction(StrEnum):
    """From the side of the person: a call or payment received, or made."""

    IN = "in"
    OUT = "out"


class Topic(StrEnum):
    """What a message, site, app or payment is about, as its source classified it."""

    VERIFICATION_CODE = "verification_code"
    REBATE = "rebate"
    INVESTMENT = "investment"
    SHOPPING = "shopping"
    REFUND = "refund"
    LOAN = "loan"
    CREDIT = "credit"
    JUSTICE = "justice"
    DATING = "dating"
    GAME = "game"
    MEETING = "meeting"
    CHAT = "chat"
    BANK = "bank"
    DELIVERY = "delivery"
    DEBT_COLLECTION = "debt_collection"


class Reporter(StrEnum):
    """Who reported the fraud."""

    SELF = "self"
    FAMILY = "family"
    BANK = "bank"
    PUBLIC = "public"


class ListChange(StrEnum):
    """What a change of a list does to its item."""

    ENTERED = "entered"
    REMOVED = "removed"


class ListKind(StrEnum):
    """What a list says about its items. `trusted`: known senders such as deliveries, debt collectors and banks."""

    FRAUD = "fraud"
    SUSPECTED = "suspected"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class Item:
    """A number, domain, app or account, by its keyed index; `key` has at least 8 bytes."""

    kind: ItemKind
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One observation. (source, signal_no) is unique; times are aware UTC. `person` is the keyed index of the person,
    None for a change of a list. A field that the kind does not have keeps its default (`FIELDS_OF_SIGNAL`).

    `items`: at most two, up to four for a platform push or report, each kind once; exactly one for a change of a list.
    """

    source: str
    signal_no: str
    kind: SignalKind
    event_at: datetime
    received_at: datetime
    person: bytes | None = None
    items: tuple[Item, ...] = ()
    direction: Direction | None = None
    duration_seconds: int = 0
    amount_fen: int = 0
    overseas: bool = False
    new_payee: bool = False
    screen_sharing: bool = False
    from_store: bool = False
    new_device: bool = False
    failed: bool = False
    has_link: bool = False
    topic: Topic | None = None
    fraud_type: FraudType | None = None
    grade: Grade | None = None
    reporter: Reporter | None = None
    list_kind: ListKind | None = None
    list_name: str = ""
    change: ListChange | None = None
    unconfirmed: bool = False
    """A change of a list that a person has to confirm first: it lists nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedField:
    """A field of a raw record that is wrong: the reason, and what to write instead. Neither repeats a value of the
    record.
    """

    field: str
    reason: Text
    fix: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReading:
    """A record that was read. `phone` (E.164), `id_number` and `items`, the plain values of the signal's items by kind,
    are for the caller to seal. `signal.person` is the result of the caller's index.
    """

    signal: Signal
    phone: str = ""
    id_number: str = ""
    items: Mapping[ItemKind, str] = field(default_factory=dict)


ITEM_KINDS_OF_SIGNAL: Final[Mapping[SignalKind, tuple[ItemKind, ...]]] = {
    SignalKind.CALL: (ItemKind.NUMBER,),
    SignalKind.SMS: (ItemKind.NUMBER, ItemKind.DOMAIN),
    SignalKind.WEB: (ItemKind.DOMAIN,),
    SignalKind.APP: (ItemKind.APP, ItemKind.DOMAIN),
    SignalKind.PAYMENT_ATTEMPT: (ItemKind.ACCOUNT, ItemKind.NUMBER),
    SignalKind.LOGIN: (ItemKind.ACCOUNT, ItemKind.DOMAIN),
    SignalKind.PLATFORM_PUSH: tuple(ItemKind),
    SignalKind.REPORT: tuple(ItemKind),
    SignalKind.LIST_CHANGE: tuple(ItemKind),
}
"""The items that a signal of each kind may have; `known_hours` is counted for the first."""

REQUIRED_ITEM_KIND: Final[Mapping[SignalKind, ItemKind]] = {
    SignalKind.CALL: ItemKind.NUMBER,
    SignalKind.SMS: ItemKind.NUMBER,
    SignalKind.WEB: ItemKind.DOMAIN,
    SignalKind.APP: ItemKind.APP,
    SignalKind.PAYMENT_ATTEMPT: ItemKind.ACCOUNT,
}

FIELDS_OF_SIGNAL: Final[Mapping[SignalKind, tuple[str, ...]]] = {
    SignalKind.CALL: ("direction", "duration_seconds", "overseas"),
    SignalKind.SMS: ("direction", "overseas", "has_link", "topic"),
    SignalKind.WEB: ("topic",),
    SignalKind.APP: ("screen_sharing", "from_store", "topic"),
    SignalKind.PAYMENT_ATTEMPT: ("direction", "amount_fen", "new_payee", "failed", "topic"),
    SignalKind.LOGIN: ("new_device", "overseas", "failed"),
    SignalKind.PLATFORM_PUSH: ("fraud_type", "grade"),
    SignalKind.REPORT: ("fraud_type", "reporter", "amount_fen"),
    SignalKind.LIST_CHANGE: ("list_kind", "list_name", "change"),
}
"""The fields of each kind, besides those that every signal has."""

REQUIRED_FIELDS: Final[Mapping[SignalKind, tuple[str, ...]]] = {
    SignalKind.CALL: ("direction",),
    SignalKind.PAYMENT_ATTEMPT: ("amount_fen",),
    SignalKind.LIST_CHANGE: ("list_kind", "change"),
}

_ENUMS: Final[Mapping[str, type[StrEnum]]] = {
    "direction": Direction,
    "topic": Topic,
    "reporter": Reporter,
    "list_kind": ListKind,
    "change": ListChange,
}
NUMBERS: Final = ("duration_seconds", "amount_fen")
FLAGS: Final = (
    "overseas",
    "new_payee",
    "screen_sharing",
    "from_store",
    "new_device",
    "failed",
    "has_link",
)
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": {
        "通话": "call", "电话": "call", "短信": "sms", "网页": "web", "网址": "web", "应用": "app",
        "转账": "payment_attempt", "支付": "payment_attempt", "登录": "login", "平台推送": "platform_push",
        "举报": "report", "报告": "report", "名单变更": "list_change",
    },
    "direction": {"主叫": "out", "被叫": "in", "呼出": "out", "呼入": "in", "转出": "out", "转入": "in"},
    "topic": {
        "验证码": "verification_code", "刷单": "rebate", "投资": "investment", "购物": "shopping", "退款": "refund",
        "贷款": "loan", "征信": "credit", "公检法": "justice", "交友": "dating", "游戏": "game", "会议": "meeting",
        "聊天": "chat", "银行": "bank", "快递": "delivery", "催收": "debt_collection",
    },
    "reporter": {"本人": "self", "家属": "family", "银行": "bank", "群众": "public"},
    "list_kind": {"涉诈": "fraud", "可疑": "suspected", "可信": "trusted"},
    "change": {"加入": "entered", "移出": "removed"},
}  # fmt: skip
_COMMON: Final = frozenset(
    {"source", "signal_no", "kind", "event_at", "phone", "id_number", *(kind.value for kind in ItemKind)}
)
_YUAN: Final = "amount"
"""In place of `amount_fen`: yuan as text."""
_DOMAIN: Final = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_ACCOUNT: Final = re.compile(r"[0-9A-Z@._-]{4,64}")

PersonIndex = Callable[[str, str], bytes | None]
"""From a phone in E.164 form and an id number, of which one may be '', to the keyed index of the person."""
ItemIndex = Callable[[ItemKind, str], bytes]


class _Wrong(Exception):
    def __init__(self, reason: str | Text, fix: str | Text) -> None:
        super().__init__()
        self.reason, self.fix = Text.of(reason), Text.of(fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReader:
    """Reads raw records. `zone` is the time zone of times without an offset, `area` the area code (with its leading 0)
    of landline numbers without one; `person` and `item` compute the keyed indexes.
    """

    zone: ZoneInfo
    area: str
    person: PersonIndex
    item: ItemIndex

    def read(
        self, raw: Mapping[str, Any], *, received_at: datetime
    ) -> SignalReading | tuple[RejectedField, ...]:
        """The signal of a record, or everything that is wrong with the record. A value may be text, as in a file, or a
        number, a boolean or text, as in JSON; an empty value counts as missing.
        """
        given = {name: value for name, value in raw.items() if value is not None and value != ""}
        wrong: list[RejectedField] = []

        def take(name: str, read: Callable[[], Any]) -> Any:  # noqa: ANN401 - what `read` returns
            try:
                return read()
            except _Wrong as problem:
                wrong.append(RejectedField(field=name, reason=problem.reason, fix=problem.fix))
                return None

        kind: SignalKind | None = take("kind", lambda: _kind(given.get("kind")))
        source = take("source", lambda: _name(given.get("source")))
        signal_no = take("signal_no", lambda: _name(given.get("signal_no")))
        event_at = take("event_at", lambda: self._moment(given.get("event_at"), received_at))
        if kind is None:
            return tuple(wrong)
        allowed = _COMMON.union(
            FIELDS_OF_SIGNAL[kind], [_YUAN] if "amount_fen" in FIELDS_OF_SIGNAL[kind] else []
        )
        for name in sorted(set(given) - allowed):
            # In a table with the fields of all kinds, a field of another kind is empty; one with a value is a mistake.
            take(name, lambda: _unknown_field(kind))
        values = {
            name: value
            for name in FIELDS_OF_SIGNAL[kind]
            if (value := take(name, partial(_value, name, given, kind))) is not None
        }
        plain = {
            item: value
            for item in ItemKind
            if (value := take(item.value, partial(self._item, item, given, kind))) is not None
        }
        if kind is SignalKind.LIST_CHANGE and len(plain) != 1 and not wrong:
            take("number", lambda: _one_item(plain))
        phone, id_number = "", ""
        if kind is not SignalKind.LIST_CHANGE:
            phone = take("phone", lambda: self._phone(given)) or ""
            id_number = take("id_number", lambda: _id_number(given)) or ""
            is_known = any(fault.field in {"phone", "id_number"} for fault in wrong)
            if not phone and not id_number and not is_known:
                take("phone", _no_person)
        if wrong:
            return tuple(wrong)
        person = None if kind is SignalKind.LIST_CHANGE else self.person(phone, id_number)
        items = tuple(
            Item(item, self.item(item, plain[item])) for item in ITEM_KINDS_OF_SIGNAL[kind] if item in plain
        )
        signal = Signal(
            source=source, signal_no=signal_no, kind=kind, event_at=event_at, received_at=received_at,
            person=person, items=items, **values,
        )  # fmt: skip
        return SignalReading(signal=signal, phone=phone, id_number=id_number, items=plain)

    def _moment(self, value: object, received_at: datetime) -> datetime:
        fix = Text("write the time with its offset, such as 2026-11-27T09:30:00+08:00")
        if value is None:
            raise _Wrong(Text("is missing"), fix)
        if not isinstance(value, str):
            raise _Wrong(Text("is not a time"), fix)
        moment = None
        try:
            read = datetime.fromisoformat(value.strip())
            moment = read if read.tzinfo else read.replace(tzinfo=self.zone)
        except ValueError:
            with suppress(Unreadable):
                moment = read_moment(folded(value), self.zone)
        if moment is None:
            raise _Wrong(Text("is not a time"), fix)
        try:
            moment = moment.astimezone(received_at.tzinfo)
        except OverflowError:
            # On the first or last day of the calendar: in another time zone the time lies outside the calendar.
            raise _Wrong(Text("is not a time"), fix) from None
        if moment > received_at + MOST_CLOCK_AHEAD:
            raise _Wrong(
                Text("lies after the arrival"), Text("correct the clock or the time zone of the source")
            )
        return moment

    def _phone(self, given: Mapping[str, Any]) -> str | None:
        if "phone" not in given:
            return None
        phone = normalise_phone(str(given["phone"]), self.area)
        if phone is None:
            raise _Wrong(
                Text("is not one telephone number"), Text("write one number in full, such as +8613800000000")
            )
        return phone

    def _item(self, item: ItemKind, given: Mapping[str, Any], kind: SignalKind) -> str | None:
        if item.value not in given:
            return _missing(kind) if REQUIRED_ITEM_KIND.get(kind) is item else None
        if item not in ITEM_KINDS_OF_SIGNAL[kind]:
            _unknown_field(kind)
        return normalise_item(item, str(given[item.value]), self.area)


def normalise_item(item: ItemKind, value: str, area: str) -> str:
    """An item in the one form that its keyed index is computed from. Raises `ItemUnreadable`."""
    text = cleaned(value)
    match item:
        case ItemKind.NUMBER:
            digits = re.sub(r"[^0-9+]", "", text)
            found = normalise_phone(value, area) or (
                digits if re.fullmatch(r"\+?[0-9]{3,20}", digits) else ""
            )
            problem, fix = Text("is not a usable number"), Text("write the digits of one number")
        case ItemKind.DOMAIN:
            found = _domain(text)
            problem = Text("is not a usable domain")
            fix = Text("write the name alone, such as example.com")
        case ItemKind.APP:
            found = text.casefold() if _NAME.fullmatch(text) else ""
            problem = Text("is not a usable app")
            fix = Text("write the package name or the app's name, 64 characters at most")
        case ItemKind.ACCOUNT:
            compact = re.sub(r"\s", "", text).upper()
            found = compact if _ACCOUNT.fullmatch(compact) else ""
            problem, fix = Text("is not a usable account"), Text("write 4 to 64 letters and digits")
    if not found:
        raise ItemUnreadable(problem, fix)
    return found


_SERVICE_NUMBER: Final = re.compile(r"(?:\+86|0[0-9]{2,3})?(?:1[0-9]{2}|1[02][0-9]{3}|9[56][0-9]{3})")


def is_public_service(item: ItemKind, value: str) -> bool:
    """Whether a normalised item is one that everybody uses: a short number of an emergency service, authority, carrier
    or bank (110, 12315, 10086, 95588), or a site of the government.
    """
    if item is ItemKind.DOMAIN:
        return value == "gov.cn" or value.endswith(".gov.cn")
    return item is ItemKind.NUMBER and _SERVICE_NUMBER.fullmatch(value) is not None


class ItemUnreadable(_Wrong):
    """A value that is not a usable number, domain, app or account, with `reason` and `fix`."""


def _domain(text: str) -> str:
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
        ascii_host = host.strip(".").removeprefix("www.").encode("idna").decode("ascii")
    except ValueError:
        return ""
    return ascii_host if _DOMAIN.fullmatch(ascii_host) else ""


def _kind(value: object) -> SignalKind:
    fix = Text("one of %(allowed)s", allowed=", ".join(SignalKind))
    if value is None:
        raise _Wrong(Text("is missing"), fix)
    text = str(value).strip().casefold()
    try:
        return SignalKind(_WORDS["kind"].get(text, text))
    except ValueError:
        raise _Wrong(Text("is not a kind of signal"), fix) from None


def _name(value: object) -> str:
    fix = Text("write 1 to %(most)s characters", most=LONGEST_NAME)
    if value is None:
        raise _Wrong(Text("is missing"), fix)
    text = str(value).strip()
    if not _NAME.fullmatch(text):
        raise _Wrong(Text("is empty, too long or has control characters"), fix)
    if has_lost_digits(text):
        raise _Wrong(Text("has lost digits in a spreadsheet"), Text("format the column as text"))
    return text


def _value(name: str, given: Mapping[str, Any], kind: SignalKind) -> object:  # noqa: PLR0911 - one for each type
    value = given.get(name)
    if name == "amount_fen" and _YUAN in given:
        return _amount(given)
    if value is None:
        return _missing(kind) if name in REQUIRED_FIELDS.get(kind, ()) else None
    if name in NUMBERS:
        return _whole(value)
    if name in FLAGS:
        return _truth(value)
    if name == "fraud_type":
        return read_fraud_type(str(value))
    if name == "grade":
        return _grade(str(value))
    if name == "list_name":
        return _name(value)
    enum = _ENUMS[name]
    text = str(value).strip().casefold()
    try:
        return enum(_WORDS[name].get(text, text))
    except ValueError:
        raise _Wrong(
            Text("is not one of its words"), Text("one of %(allowed)s", allowed=", ".join(enum))
        ) from None


def _whole(value: object) -> int:
    fix = Text("write a whole number from 0 to %(most)s", most=LARGEST_NUMBER)
    if isinstance(value, bool):
        raise _Wrong(Text("is not a whole number"), fix)
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,14}", text) or int(text) > LARGEST_NUMBER:
        raise _Wrong(Text("is not a whole number"), fix)
    return int(text)


def _amount(given: Mapping[str, Any]) -> int:
    """The fen of an amount in yuan. A number of JSON is refused, since yuan and fen could be confused."""
    if "amount_fen" in given:
        raise _Wrong(
            Text("is given in yuan and in fen"), Text("give either amount in yuan or amount_fen in fen")
        )
    value = given[_YUAN]
    fix = Text('write yuan as text, such as "5000" or "5000.50", or give amount_fen in fen')
    if not isinstance(value, str):
        raise _Wrong(Text("is a number without its unit"), fix)
    try:
        fen = read_fen(folded(value))
    except Unreadable:
        fen = None
    if fen is None or fen < 0:
        raise _Wrong(Text("is not an amount"), fix)
    return fen


def _truth(value: object) -> bool:
    try:
        return read_flag(str(value))
    except Unreadable:
        raise _Wrong(Text("is neither true nor false"), Text("write true or false")) from None


def _grade(text: str) -> Grade | None:
    try:
        return read_grade(text)
    except Unreadable:
        raise _Wrong(Text("is not a grade"), Text("one of %(allowed)s", allowed=", ".join(Grade))) from None


def _id_number(given: Mapping[str, Any]) -> str | None:
    if "id_number" not in given:
        return None
    number, valid = normalise_id_number(cleaned(str(given["id_number"])))
    if not valid:
        raise _Wrong(
            Text("is not a valid id number"),
            Text("write all 18 characters, or leave it out and give the phone"),
        )
    return number


def _missing(kind: SignalKind) -> NoReturn:
    raise _Wrong(Text("is missing"), Text("a signal of the kind %(kind)s needs it", kind=_KIND_NAMES[kind]))


def _unknown_field(kind: SignalKind) -> NoReturn:
    raise _Wrong(
        Text("does not belong to the kind %(kind)s", kind=_KIND_NAMES[kind]),
        Text("leave the field out or correct the kind"),
    )


def _one_item(plain: Mapping[ItemKind, str]) -> None:
    raise _Wrong(
        Text("a list change has one item, this one has %(count)s", count=len(plain)),
        Text("give one of number, domain, app and account"),
    )


def _no_person() -> None:
    raise _Wrong(
        Text("neither phone nor id number is given"), Text("give the phone or the id number of the person")
    )
