"""The notice 劝阻告知书 as it is laid out on paper, each sheet in its own language whatever the page speaks."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dialer.language import Lang, mark, say
from dialer.usecases.print_notice import Notice
from dialer.web.console.formats import day


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    lang: Lang
    bureau: str
    number: str
    title: str
    name: str
    facts: tuple[tuple[str, str], ...]
    """Who is addressed: heading and text."""
    greeting: str
    paragraphs: tuple[str, ...]
    receipt: str
    signatures: tuple[tuple[str, str], ...]
    """Heading, and what is printed above the line; '' is left to be written."""
    seal: str
    day: str
    copies: str


_RECEIPT = mark(
    "I have read this notice, and the officers have explained it to me. "
    "I know how this fraud works, and what I may lose."
)
_COPIES = mark("In two copies: one for the person addressed, one for the files.")


def notice_views(notice: Notice, *, officer: str) -> tuple[Sheet, ...]:
    """One sheet a language, Chinese first."""
    return tuple(_sheet(notice, lang, officer=officer) for lang in Lang)


def _sheet(notice: Notice, lang: Lang, *, officer: str) -> Sheet:
    text = notice.texts[lang.value]
    printed = day(notice.printed_at, lang, ZoneInfo(notice.timezone))
    facts = (
        (say(lang, "Name"), notice.name),
        (say(lang, "Identity number"), notice.id_number),
        (say(lang, "Home address"), notice.address),
        (say(lang, "Handled by"), notice.unit),
    )
    return Sheet(
        lang=lang,
        bureau=notice.bureau.get(lang.value, ""),
        number=say(lang, "No. %(number)s", number=f"{notice.printed_at.year}-{notice.case_id:06}"),
        title=text.title,
        name=notice.name,
        facts=tuple((heading, told) for heading, told in facts if told),
        greeting=text.paragraphs[0],
        paragraphs=text.paragraphs[1:],
        receipt=say(lang, _RECEIPT),
        signatures=(
            (say(lang, "Person addressed (signature, fingerprint)"), ""),
            (say(lang, "Date"), ""),
            (say(lang, "Officer (signature, number)"), officer),
            (say(lang, "Second officer (signature, number)"), ""),
        ),
        seal=say(lang, "(seal)"),
        day=printed,
        copies=say(lang, _COPIES),
    )
