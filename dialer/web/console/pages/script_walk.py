"""A script walked through in the page: what is pressed and said is in the address, so that it can be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.values import Tag
from dialer.errors import Invalid
from dialer.language import mark
from dialer.scripts.dialogue import Utterance
from dialer.usecases.walk_script import NOBODY, SILENCE, Walk, Walked, phrase_of, walk_script
from dialer.web.console import script_view
from dialer.web.console.registry import Section
from dialer.web.console.script_pages import address, heading
from dialer.web.console.visit import Asked, Visit
from dialer.words import word

pages = Section()
_TEMPLATE = "console/script_walk.html"
_MOST = 1000
_TYPED = "5000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that the robot says."""

    text: str
    language: str
    must_say: bool
    file: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was done, and what the robot says to it."""

    done: str
    node: str
    lines: tuple[Line, ...]
    hands_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What may be done now, and where it leads."""

    key: str
    text: str
    href: str
    said_href: str = ""
    """Where saying the words leads."""


@pages.get("/scripts/{script_id}/walk", act=Act.SEE_SCRIPTS)
def walk(
    visit: Asked,
    script_id: str,
    version: int | None = None,
    language: str = "",
    tag: str = "",
    steps: str = "",
) -> Response:
    tags = frozenset(one for one in Tag if one.value == tag)
    done = [step for step in steps[:_MOST].split(".") if step]
    wanted = language or visit.lang.value
    try:
        found = walk_script(visit.engine, script_id, version, language=wanted, tags=tags, steps=done)
    except Invalid:
        return visit.go(address(script_id, "/walk", version=version, language=language, tag=tag))
    taken = [one.step for one in found.walked[1:]]

    def at(*way: str) -> str:
        return address(script_id, "/walk", version=version, language=language, tag=tag, steps=".".join(way))

    end = found.walked[-1].turn.end
    return visit.page(
        _TEMPLATE,
        **heading(visit, found.script, found.version, "/walk"),
        exchanges=tuple(_exchange(visit, found, one) for one in found.walked),
        keys=_keys(found, at, taken),
        others=_others(visit, found, at, taken),
        end=end if found.is_over else None,
        said=found,
        back=at(*taken[:-1]) if taken else "",
        begin=at() if taken else "",
        languages=[(one, script_view.language_name(one, visit.lang)) for one in found.script.languages],
        tags=[
            ("", visit.say(mark("nobody in particular"))),
            *((one.value, word(one, visit.lang)) for one in Tag),
        ],
        tag=tag,
        version_asked=version,
    )


def _exchange(visit: Visit, found: Walk, one: Walked) -> Exchange:
    return Exchange(
        done=_told(visit, one),
        node=one.turn.node,
        lines=tuple(_line(found, utterance) for utterance in one.turn.utterances),
        hands_over=one.turn.hand_over,
    )


def _line(found: Walk, utterance: Utterance) -> Line:
    file = utterance.audio[0] if utterance.audio else ""
    return Line(
        text=utterance.text,
        language=utterance.language,
        must_say=utterance.must_say,
        file=file,
        seconds=found.seconds.get(file, 0.0),
    )


def _told(visit: Visit, one: Walked) -> str:
    if not one.step:
        return ""
    if one.step == SILENCE:
        return visit.say(mark("says and presses nothing"))
    if one.step == NOBODY:
        return visit.say(mark("no officer takes the call"))
    if one.phrase:
        return visit.say(mark("says “%(words)s”"), words=one.phrase)
    return visit.say(mark("presses %(keys)s"), keys=one.step.removeprefix("type"))


def _keys(found: Walk, at: Callable[..., str], taken: list[str]) -> tuple[Option, ...]:
    question = found.question
    if question is None:
        return ()
    keys = dict.fromkeys([*question.choices, *found.script.anywhere])
    return tuple(
        Option(
            key=key,
            text=phrase_of(found.script, question.id, key, found.language),
            href=at(*taken, key),
            said_href=at(*taken, f"say{key}"),
        )
        for key in keys
    )


def _others(visit: Visit, found: Walk, at: Callable[..., str], taken: list[str]) -> tuple[Option, ...]:
    """What may happen without a key of the question."""
    if found.is_over:
        return ()
    question = found.question
    if question is None:
        return (Option(key="", text=visit.say(mark("no officer takes the call")), href=at(*taken, NOBODY)),)
    silent = Option(key="", text=visit.say(mark("says and presses nothing")), href=at(*taken, SILENCE))
    if not question.next:
        return (silent,)
    digits = _TYPED[: question.max_digits]
    typed = visit.say(mark("types %(digits)s and #"), digits=digits)
    return (Option(key="", text=typed, href=at(*taken, f"type{digits}")), silent)
