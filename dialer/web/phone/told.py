"""What the page is told: a case beside the telephone, and what is being said, in the reader's language."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dialer.language import Lang
from dialer.sentences import entry_sentence, moment_words, step_sentence, waiting_sentence
from dialer.store.reads.case_search import CaseLine
from dialer.usecases.editions import shipped_manifest
from dialer.usecases.engine import Engine
from dialer.usecases.show_case import CaseStory
from dialer.words import word

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
        "waiting": "" if waiting is None else waiting_sentence(waiting, lang),
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


def handset(state: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """The carrier's word, with the texts of what is played beside it."""
    return {
        **{name: state[name] for name in ("id", "state", "calls", "asking", "hears_sound", "speed")},
        "did": state.get("did", True),
        "played": [
            {
                "n": one["n"],
                "seconds": one["seconds"],
                "text": one["text"] or _words_of(one["name"], engine),
                "has_sound": one["has_sound"],
                "cut": one["cut"],
            }
            for one in state["played"]
        ],
    }


def _words_of(address: str, engine: Engine) -> str:
    """What the sound at that address says, where a script that is shipped or live has it."""
    file = address.rpartition("/")[2]
    words = _shipped().get(file)
    if words is None and file:
        live = engine.editions.now(engine.real.now()).live.values()
        found = (text for one in live for (_, text), named in one.by_text.items() if named == file)
        words = next(found, "")
    return words or ""


@cache
def _shipped() -> dict[str, str]:
    """By file; the sound of a name never changes."""
    return {clip.file: clip.text for clip in shipped_manifest().clips}
