"""What the page is told: a case beside the telephone, and what is being said, in the reader's language."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dialer.sentences import entry_sentence, moment_words, step_sentence
from dialer.store.reads.case_search import CaseLine
from dialer.usecases.choose_script import manifest
from dialer.usecases.show_case import CaseStory
from dialer.words import Lang, word

_GOOD = frozenset({"watching", "proven"})


def target(line: CaseLine, lang: Lang) -> dict[str, Any]:
    """One masked person who may be rung."""
    return {
        "case_id": line.id,
        "name": line.person.name,
        "phone": line.person.phones[0] if line.person.phones else "",
        "grade": line.grade.value,
        "grade_word": word(line.grade, lang),
        "fraud_type": word(line.fraud_type, lang),
        "rings": line.robot_attempts,
    }


def story(told: CaseStory, lang: Lang) -> dict[str, Any]:
    """The case's timeline, newest last, and what comes next."""
    case, zone = told.file.stored.case, ZoneInfo(told.timezone)
    waiting = told.waiting
    return {
        "case_id": case.id,
        "name": told.file.person.name,
        "phone": told.file.person.phones[case.robot.number],
        "grade": case.grade.value,
        "status": word(case.status, lang),
        "is_settled_well": case.status.value in _GOOD,
        "contact": case.contact.value,
        "facts": [
            word(case.grade, lang),
            word(case.fraud_type, lang),
            word(case.contact, lang),
            *([word(case.outcome, lang)] if case.outcome is not None else []),
        ],
        "waiting": "" if waiting is None else f"{waiting.reason.value}: {waiting.detail}",
        "next": [
            {"what": step_sentence(step, lang), "when": moment_words(step.at, told.told_at, lang)}
            for step in told.next_steps
        ],
        "timeline": [
            {
                "id": entry.id + entry.kind.value,
                "at": f"{entry.at.astimezone(zone):%H:%M:%S}",
                "by": entry.by,
                "kind": entry.kind.value,
                "what": entry_sentence(entry, lang),
            }
            for entry in told.file.timeline
        ],
    }


def handset(state: dict[str, Any]) -> dict[str, Any]:
    """The carrier's word, with the texts of what is played beside it."""
    return {
        **{name: state[name] for name in ("id", "state", "calls", "asking", "hears_sound", "speed")},
        "did": state.get("did", True),
        "played": [
            {
                "n": one["n"],
                "seconds": one["seconds"],
                "text": one["text"] or _words_of(one["name"]),
                "has_sound": one["has_sound"],
                "cut": one["cut"],
            }
            for one in state["played"]
        ],
    }


def _words_of(address: str) -> str:
    return _texts().get(address.rpartition("/")[2], "")


@cache
def _texts() -> dict[str, str]:
    """What each file says; the sound of a name never changes."""
    return {clip.file: clip.text for clip in manifest().clips}
