"""A case's timeline as its page tells it: each ring once, with what was said in it, beside what people did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dialer.domain.acts import ActKind
from dialer.domain.attempt import AttemptState
from dialer.domain.case import Reason
from dialer.domain.errand import DeskCallState
from dialer.domain.values import Answer, Contact, FraudType, TelephonyResult
from dialer.language import Lang, say
from dialer.outcomes.timeline import Entry, EntryKind, Fact
from dialer.sentences import VIEWS, entry_sentence
from dialer.store.desk_calls import DeskCall
from dialer.usecases.read_case import CaseSheet
from dialer.usecases.show_conversation import Said
from dialer.web.console.case_words import by_words, typed_words
from dialer.words import stored_word, word

_RING = frozenset(
    {
        EntryKind.RING_PLANNED,
        EntryKind.RING_SENT,
        EntryKind.RINGING,
        EntryKind.ANSWERED,
        EntryKind.SPOKEN,
        EntryKind.RING_ENDED,
    }
)
_GROUPS: Mapping[EntryKind, str] = {
    EntryKind.WARNING: "list",
    EntryKind.MESSAGE: "message",
    EntryKind.OUTCOME: "money",
    EntryKind.REVERSAL: "money",
    EntryKind.APPROVAL: "money",
    EntryKind.FILED: "money",
    EntryKind.ALARM: "alarm",
    EntryKind.ALARM_SEEN: "alarm",
    EntryKind.VIEWED: "seen",
}
_TROUBLE = frozenset({EntryKind.ALARM, EntryKind.REVERSAL, EntryKind.FILED})
_DESK = "desk"
_DESK_LINE: Mapping[str, TelephonyResult] = {
    "answered": TelephonyResult.ANSWERED,
    "completed": TelephonyResult.ANSWERED,
    "busy": TelephonyResult.BUSY,
    "no-answer": TelephonyResult.NO_ANSWER,
    "failed": TelephonyResult.FAILED,
    "canceled": TelephonyResult.CANCELED,
}
"""How a transfer to the duty desk ended, by what the telephone network calls it."""
_ONE_REQUEST = timedelta(seconds=1)


"""How the telephone of the duty desk answered, by the carrier's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One prompt as it was spoken; `sound` is the file of it, '' where there is none."""

    text: str
    sound: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the person did, then what the robot answered."""

    at: datetime
    heard: str
    quote: str
    """What they said or typed; '' while it is sealed."""
    asked_at: str
    lines: tuple[Line, ...]
    desk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One ring from its plan to its end; None and '' for what has not come, or was never known."""

    n: int
    number: int
    why: str
    is_live: bool
    result: TelephonyResult | None
    contact: Contact
    answer: Answer
    reach: str
    last_node: str
    script: str
    heard_seconds: int | None
    talk_seconds: int | None
    code: str
    sent_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    turns: tuple[Turn, ...]

    @property
    def is_bad(self) -> bool:
        return self.result in {TelephonyResult.FAILED, TelephonyResult.BLOCKED, TelephonyResult.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`group` is what it is about: ring, people, list, message, money, alarm or seen."""

    id: str
    at: datetime
    group: str
    text: str
    by: str = ""
    login: str = ""
    why: str = ""
    sealed: bool = False
    """Something was written with it, which is not open here."""
    trouble: bool = False
    agreed_for: datetime | None = None
    """When the person wants to be rung."""
    talk_seconds: int | None = None
    """Of a call from a desk."""
    ring: Ring | None = None
    photo: UUID | None = None


def story_items(sheet: CaseSheet, names: Mapping[str, str], lang: Lang) -> list[Item]:
    """Newest first. A ring stands at the moment it was sent, and one that was never sent at its end."""
    timeline = sheet.story.file.timeline
    items = [
        *_rings(sheet, timeline, lang),
        *_others(sheet, timeline, names, lang),
        *(_call(call, names, lang) for call in sheet.calls if call.state is not DeskCallState.ENDED),
    ]
    # Sorting is stable: of one moment, what came later stands above.
    return sorted(items, key=lambda item: item.at)[::-1]


def _rings(sheet: CaseSheet, timeline: Iterable[Entry], lang: Lang) -> Iterator[Item]:
    told: dict[int, dict[EntryKind, Entry]] = {}
    for entry in timeline:
        if entry.kind in _RING and entry.kind is not EntryKind.SPOKEN:
            told.setdefault(int(str(entry.facts["n"])), {})[entry.kind] = entry
    turns: dict[int, list[Said]] = {}
    for said in sheet.said:
        turns.setdefault(said.n, []).append(said)
    for n, parts in told.items():
        sent, ended = parts.get(EntryKind.RING_SENT), parts.get(EntryKind.RING_ENDED)
        at = sent or ended
        if at is None:
            continue  # what is to come stands at the top of the page
        ring = _ring(n, parts, turns.get(n, ()), lang)
        yield Item(id=f"ring-{n}", at=at.at, group="ring", text=_ring_words(ring, lang), ring=ring)


def _ring(n: int, parts: Mapping[EntryKind, Entry], said: Iterable[Said], lang: Lang) -> Ring:
    facts: dict[str, Any] = {}
    for kind in (EntryKind.RING_PLANNED, EntryKind.RING_SENT, EntryKind.RING_ENDED):
        if kind in parts:
            facts |= parts[kind].facts

    def at(kind: EntryKind) -> datetime | None:
        return parts[kind].at if kind in parts else None

    result = facts.get("result")
    codes = (("SIP", facts.get("sip_code")), ("", facts.get("error_code")))
    return Ring(
        n=n,
        number=int(facts.get("number") or 1),
        why=stored_word(Reason, str(facts.get("reason") or Reason.NONE.value), lang),
        is_live=facts.get("state") not in {AttemptState.ENDED.value, None} and result is None,
        result=TelephonyResult(result) if result else None,
        contact=Contact(facts.get("contact") or Contact.NONE),
        answer=Answer(facts.get("answer") or Answer.NONE),
        reach=str(facts.get("reach") or ""),
        last_node=str(facts.get("last_node") or ""),
        script=_script(facts, lang),
        heard_seconds=facts.get("heard_seconds"),
        talk_seconds=facts.get("talk_seconds"),
        code=" ".join(f"{name} {code}".strip() for name, code in codes if code),
        sent_at=at(EntryKind.RING_SENT),
        answered_at=at(EntryKind.ANSWERED),
        ended_at=at(EntryKind.RING_ENDED),
        turns=tuple(_turn(one, lang) for one in said),
    )


def _script(facts: Mapping[str, Any], lang: Lang) -> str:
    if not facts.get("script"):
        return ""
    version = f" v{facts['version']}" if facts.get("version") else ""
    return say(lang, "script %(name)s", name=stored_word(FraudType, str(facts["script"]), lang) + version)


def _turn(said: Said, lang: Lang) -> Turn:
    if said.typed:
        heard = typed_words(said.typed, lang)
        quote = said.pressed
    elif said.pressed:
        heard, quote = say(lang, "pressed %(key)s", key=said.pressed), ""
    elif said.spoke:
        heard, quote = say(lang, "spoke"), said.speech
    else:
        heard, quote = (say(lang, "silent") if said.asked_at and said.robot else ""), ""
    return Turn(
        at=said.at,
        heard=heard,
        quote=quote,
        asked_at=said.asked_at,
        lines=tuple(
            Line(text=text, sound=sound)
            for text, sound in zip(said.robot, said.sounds or ("",) * len(said.robot), strict=True)
        ),
        desk=word(_DESK_LINE[said.desk], lang) if said.desk in _DESK_LINE else said.desk,
    )


def _ring_words(ring: Ring, lang: Lang) -> str:
    if ring.result is not None:
        return word(ring.result, lang)
    if ring.answered_at is not None:
        return say(lang, "talking now")
    return say(lang, "ringing now")


def _others(
    sheet: CaseSheet, timeline: Iterable[Entry], names: Mapping[str, str], lang: Lang
) -> Iterator[Item]:
    reasons = [
        entry
        for entry in timeline
        if entry.kind is EntryKind.VIEWED and entry.facts["act"] not in VIEWS and entry.facts["why"]
    ]
    written = sheet.words.acts if sheet.words is not None else {}
    photos = iter(sheet.photos)
    signed = {
        (entry.by, entry.facts["assignment_id"])
        for entry in timeline
        if entry.kind is EntryKind.ERRAND_SIGNED
    }
    for entry in timeline:
        accepts = entry.kind is EntryKind.ACT and entry.facts.get("act") == ActKind.VISIT_ACCEPTED.value
        if accepts and (entry.by, entry.facts.get("assignment_id")) in signed:
            continue  # who accepts a visit signs for it, which has its own line
        if entry.kind in _RING or is_told_twice(entry):
            continue
        act = entry.facts.get("act")
        why = _reason(entry, reasons) if entry.kind is EntryKind.ACT else ""
        photo = next(photos, None) if act == ActKind.VISIT_PHOTO.value else None
        event = int(entry.id.partition("/")[2]) if entry.kind is EntryKind.ACT else 0
        item = Item(
            id=f"{entry.kind.value}-{entry.id}".replace("/", "-"),
            at=entry.at,
            group=_GROUPS.get(entry.kind, "people"),
            text=entry_sentence(entry, lang),
            by=by_words(entry.by, names, lang),
            login=entry.by,
            why=written.get(event) or why,
            trouble=entry.kind in _TROUBLE,
            agreed_for=_moment(entry.facts.get("call_at")),
            talk_seconds=_seconds(entry.facts.get("talk_seconds")),
            photo=photo.client_id if photo is not None else None,
        )
        yield replace(item, sealed=bool(entry.facts.get("words")) and not item.why)


def _moment(fact: Fact) -> datetime | None:
    return datetime.fromisoformat(fact) if isinstance(fact, str) else None


def _seconds(fact: Fact) -> int | None:
    return fact if isinstance(fact, int) else None


def is_told_twice(entry: Entry) -> bool:
    """An act is an event and a line of the audit; a desk's answer stands in its ring."""
    if entry.kind is EntryKind.VIEWED:
        return entry.facts["act"] not in VIEWS
    return entry.kind is EntryKind.ACT and entry.facts.get("act") == _DESK


def _reason(act: Entry, audited: Iterable[Entry]) -> str:
    """What the audit says of an act: one request writes both."""
    found = (
        str(one.facts["why"]) for one in audited if one.by == act.by and abs(one.at - act.at) < _ONE_REQUEST
    )
    return next(found, "")


def _call(call: DeskCall, names: Mapping[str, str], lang: Lang) -> Item:
    """A call from a desk that is not over; one that is has its line among the acts."""
    return Item(
        id=f"call-{call.id}",
        at=call.asked_at,
        group="people",
        text=say(lang, "call from the desk to number %(number)s", number=call.number + 1)
        + say(lang, ": %(why)s", why=word(call.state, lang)),
        by=by_words(call.by, names, lang),
        login=call.by,
    )
