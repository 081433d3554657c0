"""The word for a value in a language, and sentences with such values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dialer.core.access import (
    DESK,
    FIRST_LINK,
    RELEASED_BY,
    ROBOT,
    SHIPPED_BY,
)
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import (
    FraudType,
)
from dialer.language.catalogue import say, say_word
from dialer.language.enumerations import ENUMERATIONS, english_word


def word_of(member: StrEnum, lang: Lang) -> str:
    """The word for this member. Raises `KeyError` for an enumeration that has no words."""
    return say_word(lang, type(member).__name__, english_word(member))


def sentence(text: str | Text, lang: Lang, /, **facts: object) -> str:
    """As `say`, and with it those of the values that are members of enumerations."""
    if isinstance(text, Text):
        return sentence(text.template, lang, **{**text.values, **facts})
    return say(lang, text, **{name: _value(fact, lang) for name, fact in facts.items()})


def _value(value: object, lang: Lang) -> object:
    if isinstance(value, Text):
        return sentence(value, lang)
    return word_of(value, lang) if isinstance(value, StrEnum) and type(value) in ENUMERATIONS else value


def bilingual(text: str | Text) -> str:
    """`中文 (English)`, for readers of both."""
    chinese, english = sentence(text, Lang.ZH), sentence(text, Lang.EN)
    return chinese if chinese == english else f"{chinese} ({english})"


_SERVICE: Mapping[str, str] = {
    ROBOT: gettext_noop("the robot"),
    DESK: gettext_noop("the duty desk"),
    SHIPPED_BY: gettext_noop("shipped with the product"),
    RELEASED_BY: gettext_noop("the release's own review"),
    FIRST_LINK: gettext_noop("the link of the first start"),
}
"""Names that sign for the product itself; no account has one of them."""


def actor_word(login: str | None, lang: Lang, names: Mapping[str, str] | None = None) -> str:
    """Who signed an act, as people read it: a part of the product in words, a person by the display name in `names`,
    else by the login; '' for nobody.
    """
    if not login:
        return ""
    if login in _SERVICE:
        return say(lang, _SERVICE[login])
    return (names or {}).get(login) or login


def stored_word(kind: type[StrEnum], value: object, lang: Lang) -> str:
    """The word of a stored value; a value that this version does not know stays as it is."""
    try:
        return word_of(kind(str(value)), lang)
    except ValueError:
        return str(value)


_SCRIPTS: Mapping[str, str] = {
    "general": gettext_noop("General warning"),
    "follow_up": gettext_noop("Follow-up"),
}
"""Scripts that do not belong to one fraud type."""


def script_word(script_id: str, lang: Lang) -> str:
    """The name of a script in figures and timelines, which is mostly that of its fraud type; for a script that only the
    centre has, its id.
    """
    given = _SCRIPTS.get(script_id)
    return say(lang, given) if given is not None else stored_word(FraudType, script_id, lang)
