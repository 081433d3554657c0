"""The conditions of rules in words: what a rule asks, and what would have kept it from firing. Pure.

The words of a condition are put together from the parts of its feature, so that a rule that a centre wrote itself is
described like a shipped one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dialer.core.text import Text, gettext_noop
from dialer.core.values import FraudType, Grade, format_yuan
from dialer.signals.model import (
    ITEM_KINDS_OF_SIGNAL,
    Direction,
    ItemKind,
    ListKind,
    Reporter,
    SignalKind,
    Topic,
)
from dialer.signals.rules import Aggregate, Feature, Op, Test, Where

_NOUNS: Final[Mapping[SignalKind, str]] = {
    SignalKind.CALL: gettext_noop("calls"),
    SignalKind.SMS: gettext_noop("text messages"),
    SignalKind.WEB: gettext_noop("visits to sites"),
    SignalKind.APP: gettext_noop("uses of apps"),
    SignalKind.PAYMENT_ATTEMPT: gettext_noop("payments"),
    SignalKind.LOGIN: gettext_noop("sign-ins to accounts"),
    SignalKind.PLATFORM_PUSH: gettext_noop("pushes of the platform"),
    SignalKind.REPORT: gettext_noop("reports of fraud"),
}
_ITEMS: Final[Mapping[ItemKind, str]] = {
    ItemKind.NUMBER: gettext_noop("numbers"),
    ItemKind.DOMAIN: gettext_noop("sites"),
    ItemKind.APP: gettext_noop("apps"),
    ItemKind.ACCOUNT: gettext_noop("payees"),
}
_ITEM: Final[Mapping[ItemKind, str]] = {
    ItemKind.NUMBER: gettext_noop("with one number"),
    ItemKind.DOMAIN: gettext_noop("with one site"),
    ItemKind.APP: gettext_noop("with one app"),
    ItemKind.ACCOUNT: gettext_noop("with one payee"),
}
_TOPICS: Final[Mapping[str, str]] = {
    Topic.VERIFICATION_CODE: gettext_noop("verification codes"),
    Topic.REBATE: gettext_noop("order rebates"),
    Topic.INVESTMENT: gettext_noop("investing"),
    Topic.SHOPPING: gettext_noop("shopping"),
    Topic.REFUND: gettext_noop("refunds"),
    Topic.LOAN: gettext_noop("loans"),
    Topic.CREDIT: gettext_noop("the credit record"),
    Topic.JUSTICE: gettext_noop("police and courts"),
    Topic.DATING: gettext_noop("dating"),
    Topic.GAME: gettext_noop("games"),
    Topic.MEETING: gettext_noop("meetings"),
    Topic.CHAT: gettext_noop("chats"),
    Topic.BANK: gettext_noop("banks"),
    Topic.DELIVERY: gettext_noop("deliveries"),
    Topic.DEBT_COLLECTION: gettext_noop("debt collection"),
}
_OTHER_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "direction": {Direction.IN: gettext_noop("incoming"), Direction.OUT: gettext_noop("outgoing")},
    "paid": {Direction.IN: gettext_noop("received"), Direction.OUT: gettext_noop("made")},
    "listed": {
        ListKind.FRAUD: gettext_noop("on a fraud list"),
        ListKind.SUSPECTED: gettext_noop("on a list of suspected ones"),
        ListKind.TRUSTED: gettext_noop("on a list of trusted ones"),
    },
    "reporter": {
        Reporter.SELF: gettext_noop("by the person"),
        Reporter.FAMILY: gettext_noop("by the family"),
        Reporter.BANK: gettext_noop("by a bank"),
        Reporter.PUBLIC: gettext_noop("by somebody else"),
    },
    "grade": {
        Grade.EXTRA_HIGH: gettext_noop("of extra-high grade"),
        Grade.HIGH: gettext_noop("of high grade"),
        Grade.MEDIUM: gettext_noop("of medium grade"),
        Grade.LOW: gettext_noop("of low grade"),
    },
    "fraud_type": {fraud_type: gettext_noop("of a named type of fraud") for fraud_type in FraudType},
}
_FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "overseas": (gettext_noop("overseas"), gettext_noop("not overseas")),
    "new_payee": (gettext_noop("to new payees"), gettext_noop("to known payees")),
    "screen_sharing": (gettext_noop("with screen sharing"), gettext_noop("without screen sharing")),
    "from_store": (gettext_noop("from an app store"), gettext_noop("not from an app store")),
    "new_device": (gettext_noop("on a new device"), gettext_noop("on a known device")),
    "failed": (gettext_noop("that failed"), gettext_noop("that did not fail")),
    "has_link": (gettext_noop("with a link"), gettext_noop("without a link")),
}
_HOURS: Final[Mapping[str, Mapping[Op, str]]] = {
    "known_hours": {
        Op.LT: gettext_noop("first seen less than %(span)s before"),
        Op.GE: gettext_noop("known for %(span)s or more"),
    },
    "listed_hours": {
        Op.LT: gettext_noop("listed for less than %(span)s"),
        Op.GE: gettext_noop("listed for %(span)s or more"),
    },
}
_EARLIER: Final = (
    gettext_noop("first seen less than %(hours)s hours before"),
    gettext_noop("known for %(hours)s hours or more"),
    gettext_noop("listed for less than %(hours)s hours"),
    gettext_noop("listed for %(hours)s hours or more"),
)
"""Words in verdicts that earlier versions stored: only the catalogue needs them."""
_SIZES: Final[Mapping[Op, str]] = {
    Op.GE: gettext_noop("of %(size)s or more"),
    Op.GT: gettext_noop("of more than %(size)s"),
    Op.LE: gettext_noop("of %(size)s or less"),
    Op.LT: gettext_noop("of less than %(size)s"),
    Op.EQ: gettext_noop("of %(size)s"),
    Op.NE: gettext_noop("not of %(size)s"),
}
_OTHERWISE: Final[Mapping[Op, str]] = {
    Op.GE: gettext_noop("a figure below %(bound)s"),
    Op.GT: gettext_noop("a figure of %(bound)s or less"),
    Op.LE: gettext_noop("a figure above %(bound)s"),
    Op.LT: gettext_noop("a figure of %(bound)s or more"),
    Op.EQ: gettext_noop("any figure but %(bound)s"),
    Op.NE: gettext_noop("a figure of %(bound)s"),
}
_BOUNDS: Final[Mapping[Op, str]] = {
    Op.GE: gettext_noop("%(bound)s or more"),
    Op.GT: gettext_noop("more than %(bound)s"),
    Op.LE: gettext_noop("%(bound)s or less"),
    Op.LT: gettext_noop("less than %(bound)s"),
    Op.EQ: gettext_noop("just %(bound)s"),
    Op.NE: gettext_noop("not %(bound)s"),
}
_AMOUNT, _DURATION = "amount_fen", "duration_seconds"
_HOUR, _DAY, _MINUTE = 3600, 86400, 60


def asked_by(test: Test, features: Mapping[str, Feature]) -> Text:
    """What a test asks of a person's signals: a figure, its window, and from which size on it passes."""
    feature = features[test.feature]
    if test.other:
        other = features[test.other]
        bound = Text(
            "%(factor)s times the %(what)s within %(window)s",
            factor=f"{test.factor:g}",
            what=figure_words(other),
            window=_span(other.within_seconds),
        )
    else:
        bound = _formatter(feature)(test.factor)
    return Text(
        "Within %(window)s, %(what)s: %(bound)s",
        window=_span(feature.within_seconds),
        what=figure_words(feature),
        bound=Text(_BOUNDS[test.op], bound=bound),
    )


def kept_from_firing(test: Test, feature: Feature, *, figure: int, bound: float) -> Text:
    """A sentence with the figure that a rule found in `feature`, and the figures with which it would not have fired.
    `bound` is what the test compared the figure with.
    """
    shown = _formatter(feature)
    window = _span(feature.within_seconds)
    facts = {"what": figure_words(feature), "window": window, "figure": shown(figure)}
    if feature.aggregate is Aggregate.COUNT and test.op is Op.GE and bound <= 1:
        return Text(
            "Within %(window)s, %(what)s: %(figure)s. Without any the rule would not have fired.", **facts
        )
    otherwise = Text(_OTHERWISE[test.op], bound=shown(bound))
    return Text(
        "Within %(window)s, %(what)s: %(figure)s. At %(otherwise)s the rule would not have fired.",
        otherwise=otherwise,
        **facts,
    )


def figure_words(feature: Feature) -> Text:
    """What a feature counts, without its window."""
    what = _signals(feature)
    match feature.aggregate:
        case Aggregate.COUNT:
            phrase = Text("number of %(what)s", what=what)
        case Aggregate.DISTINCT:
            phrase = Text("different %(items)s of %(what)s", items=Text(_ITEMS[_item(feature)]), what=what)
        case Aggregate.SUM if feature.field == _DURATION:
            phrase = Text("total length of %(what)s", what=what)
        case Aggregate.SUM:
            phrase = Text("total amount of %(what)s", what=what)
        case _ if feature.field == _DURATION:
            phrase = Text("greatest length of %(what)s", what=what)
        case _:
            phrase = Text("largest amount of %(what)s", what=what)
    if feature.per_item:
        phrase = Text("%(what)s %(item)s", what=phrase, item=Text(_ITEM[_item(feature)]))
    return phrase


def _item(feature: Feature) -> ItemKind:
    return ITEM_KINDS_OF_SIGNAL[feature.kinds[0]][0]


def _signals(feature: Feature) -> Text:
    nouns = _joined(gettext_noop("%(first)s and %(next)s"), [Text(_NOUNS[kind]) for kind in feature.kinds])
    tests = [where_words(where, feature.kinds[0]) for where in feature.where]
    phrase = nouns
    if tests:
        phrase = Text(
            "%(what)s (%(tests)s)", what=nouns, tests=_joined(gettext_noop("%(first)s, %(next)s"), tests)
        )
    if feature.after is None:
        return phrase
    before = _signals(feature.after)
    if feature.gap_seconds:
        return Text(
            "%(what)s up to %(gap)s after %(before)s",
            what=phrase,
            gap=_span(feature.gap_seconds),
            before=before,
        )
    return Text("%(what)s after %(before)s", what=phrase, before=before)


def _joined(template: str, parts: list[Text]) -> Text:
    phrase = parts[0]
    for part in parts[1:]:
        phrase = Text(template, first=phrase, next=part)
    return phrase


def where_words(where: Where, kind: SignalKind) -> Text:
    """What a test of single signals asks."""
    value = where.values[0]
    if where.name in _FLAGS:
        return Text(_FLAGS[where.name][0 if value else 1])
    if where.name in _HOURS:
        less = where.op in {Op.LT, Op.LE}
        return Text(_HOURS[where.name][Op.LT if less else Op.GE], span=_counted("hours", float(value)))
    if where.name in {_AMOUNT, _DURATION}:
        return Text(_SIZES[where.op], size=_formatter_of(where.name)(int(value)))
    is_payment = where.name == "direction" and kind is SignalKind.PAYMENT_ATTEMPT
    words = _TOPICS if where.name == "topic" else _OTHER_WORDS["paid" if is_payment else where.name]
    phrase = _joined(gettext_noop("%(first)s or %(next)s"), [Text(words[str(name)]) for name in where.values])
    if where.name == "topic":
        if where.op is Op.NE:
            return Text("not about %(topic)s", topic=phrase)
        return Text("about %(topic)s", topic=phrase)
    return Text("not %(what)s", what=phrase) if where.op is Op.NE else phrase


def _formatter(feature: Feature) -> Callable[[float], Text]:
    if feature.aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}:
        return _formatter_of("")
    return _formatter_of(feature.field)


def _formatter_of(field: str) -> Callable[[float], Text]:
    if field == _AMOUNT:
        return lambda fen: Text("%(amount)s yuan", amount=format_yuan(round(fen)).removesuffix(".00"))
    if field == _DURATION:
        return _length
    return lambda figure: Text("%(figure)s", figure=f"{figure:g}")


def _length(seconds: float) -> Text:
    if seconds < 2 * _MINUTE:
        return _counted("seconds", seconds)
    return _counted("minutes", float(f"{seconds / _MINUTE:.3g}"))


def _span(seconds: int) -> Text:
    if seconds % _DAY == 0 and seconds > 3 * _DAY:
        return _counted("days", seconds // _DAY)
    if seconds % _HOUR == 0:
        return _counted("hours", seconds // _HOUR)
    if seconds % _MINUTE == 0:
        return _counted("minutes", seconds // _MINUTE)
    return _counted("seconds", seconds)


_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "seconds": (gettext_noop("1 second"), gettext_noop("%(seconds)s seconds")),
    "minutes": (gettext_noop("1 minute"), gettext_noop("%(minutes)s minutes")),
    "hours": (gettext_noop("1 hour"), gettext_noop("%(hours)s hours")),
    "days": (gettext_noop("1 day"), gettext_noop("%(days)s days")),
}


def _counted(unit: str, figure: float) -> Text:
    singular, plural = _UNITS[unit]
    return Text(singular) if figure == 1 else Text(plural, **{unit: f"{figure:g}"})
