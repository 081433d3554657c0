"""Headings of target lists, Chinese and English, in the variants in use, and what they stand for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from dialer.intake.heading_words import HEADING_WORDS
from dialer.intake.records import Field
from dialer.intake.text import cleaned

_KNOWN: Final = {word: field for field, words in HEADING_WORDS.items() for word in words.split()}
# Taken as the field only where no better heading of the table stands for it.
_WEAK: Final = {
    "号码": Field.PHONE,
    "联系人": Field.NAME,
    "联系人电话": Field.PHONE,
    "联系人手机": Field.PHONE,
    "联系人手机号": Field.PHONE,
    "联系人手机号码": Field.PHONE,
    "联系人号码": Field.PHONE,
    "number": Field.PHONE,
    "contact": Field.PHONE,
    "编号": Field.INSTRUCTION_NO,
    "id": Field.INSTRUCTION_NO,
}
_WHO: Final = re.compile(
    r"^(?:潜在)?(?:被害人|受害人|受害者|被骗人|预警对象|劝阻对象|被劝阻对象|被劝阻人|预警人员|预警人|事主|当事人|群众|本人|机主|用户"
    r"|客户|人员|对象|被预警人|目标|victim|target|person|customer|user)(?:的)?(?=.)"
)
_NOISE: Final = re.compile(r"[\s_\-:,.;*'\"/\\、。·!?“”‘’]+")
_BRACKETS: Final = re.compile(r"[(\[{【〔<《「].*?[)\]}】〕>》」]")
_COUNTER: Final = re.compile(r"(?<=[^0-9])[0-9一二三四](?:$)")
_TEN_THOUSANDS: Final = re.compile(r"万")
_MINUTES: Final = re.compile(r"分钟|minute|[(]min|[(]分[)]")
HEADING_LENGTH: Final = 30
_REPEATABLE: Final = frozenset(
    {
        Field.PHONE, Field.REMARKS, Field.FAMILY_CONTACT, Field.FRAUD_NUMBERS, Field.FRAUD_URL,
        Field.FRAUD_APP, Field.FRAUD_ACCOUNT, Field.TAGS, Field.REJECTION, Field.ROW_NUMBER,
    }
)  # fmt: skip


Corrections = Mapping[str, Field | None]
"""What a person has said of columns, by their headings as a list shows them; None: it carries nothing that we know."""
NO_CORRECTIONS: Final[Corrections] = {}


def field_of(heading: str) -> Field | None:
    """The field that a heading stands for by itself, None for one that is in no list."""
    word = _normal(heading)
    return _KNOWN.get(word) or _KNOWN.get(_COUNTER.sub("", word)) or _KNOWN.get(_without_person(word))


def fields_of(
    headings: list[str] | tuple[str, ...], corrections: Corrections = NO_CORRECTIONS
) -> tuple[Field | None, ...]:
    """The field of each column: what a person has said of its heading, else what it stands for. The first of two
    columns for one field wins, unless the field may have several.
    """
    said = {corrections[heading] for heading in headings if heading in corrections} - _REPEATABLE
    found: list[Field | None] = []
    for heading in headings:
        if heading in corrections:
            found.append(corrections[heading])
            continue
        field = field_of(heading) if heading else None
        is_free = field in _REPEATABLE or (field not in found and field not in said)
        found.append(field if is_free else None)
    for index, heading in enumerate(headings):
        if heading in corrections:
            continue
        weak = _WEAK.get(_without_person(_normal(heading))) if heading and found[index] is None else None
        if weak is not None and weak not in found and weak not in said:
            found[index] = weak
    return tuple(found)


def yuan_per_unit(heading: str) -> int:
    """10,000 for an amount whose heading says 万元, else 1."""
    return 10_000 if _TEN_THOUSANDS.search(heading) else 1


def seconds_per_unit(heading: str) -> int:
    """60 for a duration whose heading says minutes, else 1."""
    return 60 if _MINUTES.search(unicodedata.normalize("NFKC", heading).lower()) else 1


def _normal(heading: str) -> str:
    if len(heading) > HEADING_LENGTH * 3:
        return ""
    text = unicodedata.normalize("NFKC", cleaned(heading)).lower()
    text = _NOISE.sub("", text)
    bare = _BRACKETS.sub("", text) or text
    return bare if len(bare) <= HEADING_LENGTH else ""


def _without_person(word: str) -> str:
    bare = _COUNTER.sub("", word)
    return _WHO.sub("", bare) or bare
