"""What a caller or an officer asks and must say, by fraud type, and the text of the notice that is left behind."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from dialer.domain.values import FraudType

LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """In one language."""

    title: str
    """What this kind of fraud is called."""
    question: str
    must_say: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeText:
    """劝阻告知书 in one language, ready to be printed."""

    title: str
    paragraphs: tuple[str, ...]


@cache
def _content() -> Mapping[str, Any]:
    return tomllib.loads(
        resources.files("dialer.outcomes").joinpath("points.toml").read_text(encoding="utf-8")
    )


def points_of(fraud_type: FraudType, language: str) -> Points:
    """`language` is zh or en."""
    content = _content()[fraud_type.value]
    return Points(**{name: content[name][language] for name in ("title", "question", "must_say")})


def notice_text(fraud_type: FraudType, language: str, *, name: str, bureau: str, hotline: str) -> NoticeText:
    """Addressed to the person."""
    points, content = points_of(fraud_type, language), _content()["notice"]
    blanks = {
        "name": name,
        "bureau": bureau,
        "fraud": points.title,
        "must_say": points.must_say,
        "hotline": hotline,
    }
    return NoticeText(
        title=content["title"][language],
        paragraphs=tuple(paragraph.format(**blanks) for paragraph in content[language]),
    )
