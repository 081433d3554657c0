"""The glossary has every noun once and the words of every enumeration."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from enum import StrEnum

import dialer.core
from dialer.language.enumerations import ENUMERATIONS
from tools.words import GLOSSARY, TABLE, glossary, read

_TEXT = GLOSSARY.read_text(encoding="utf-8")
_HAN = re.compile(r"[一-鿿]")
_REPLACED = {
    "ring": "call attempt",
    "errand": "assignment",
    "wall": "live board",
    "tray": "unassigned case",
    "hold": "pause",
    "edition": "rendered script",
    "tally": "rollup",
    "witness": "call journal",
    "auditor": "consistency checker",
}
"""Words that the product used before, and the one that stands for each."""


_NEVER_SHOWN = {
    "ListenEvent",
    "ListenState",
    "PartyEvent",
    "PartyState",
    "HandOverStep",
    "RoomVoice",
    "TalkChange",
    "AuditedAct",
    "FilteredPage",
    "DeliveryEvent",
    "MessageEvent",
    "NotificationEvent",
    "PresenceEvent",
    "Lang",
    "AttemptEvent",
    "OfferEvent",
    "OfferState",
    "OpenerEvent",
    "QuestionEvent",
    "FamilyContact",
    "ObjectionAbout",
    "RequestEvent",
    "RequestState",
    "InboundStep",
    "Basis",
    "Dimension",
    "EntryKind",
    "ShareComparison",
    "Standing",
    "SignInStep",
    "Suite",
    "TaskMode",
    "StaffChangeState",
    "StepKind",
    "Wait",
    "WaitReason",
    "FileFault",
    "PictureFault",
}
"""Enumerations that pages show as sentences, or not at all."""


def _nouns() -> list[list[str]]:
    part = _TEXT.partition("## Nouns")[2].partition("## Values")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ") and not line.startswith("| English")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_words_of_the_values_are_those_of_the_pages() -> None:
    assert glossary(_TEXT, read()) == _TEXT, "write them anew: make words"


def test_every_enumeration_has_its_place_once() -> None:
    places = [place[1] for place in TABLE.finditer(_TEXT)]
    assert Counter(places) == Counter(kind.__name__ for kind in ENUMERATIONS)


def test_every_enumeration_of_the_core_has_words() -> None:
    found = set()
    for module in pkgutil.iter_modules(dialer.core.__path__, "dialer.core."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and issubclass(value, StrEnum) and value.__module__ == module.name:
                found.add(value)
    assert found
    assert {kind.__name__ for kind in found - set(ENUMERATIONS)} == _NEVER_SHOWN


def test_a_noun_has_one_row_with_its_chinese_and_its_meaning() -> None:
    nouns = _nouns()
    english = Counter(row[0] for row in nouns)
    assert [noun for noun, n in english.items() if n > 1] == []
    for row in nouns:
        assert len(row) == 3, row
        assert _HAN.search(row[1]), row
        assert row[2].endswith("."), row


def test_the_word_in_use_is_listed_and_the_one_it_replaced_is_not() -> None:
    english = {row[0] for row in _nouns()}
    assert set(_REPLACED.values()) <= english
    assert english & set(_REPLACED) == set()
