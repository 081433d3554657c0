"""Two pages that try a script: a trial of versions in shares of the calls, and a walk through one version.

One person sets shares, since a second one approved each version. The steps of a walk are in its address, so that it can
be shown to others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.values import Grade, Tag
from dialer.language import gettext_noop
from dialer.scripts.dialogue import Utterance
from dialer.scripts.overview import (
    NOBODY,
    SILENCE,
    Walk,
    Walked,
    phrase_of,
    script_versions,
    show_script,
    walk_script,
)
from dialer.scripts.pages import address, heading, need_all, sees_everything
from dialer.scripts.store import Version
from dialer.scripts.trials import Comparison, compare_versions, set_trial
from dialer.scripts.view import language_name
from dialer.web.console import CurrentRequest, RequestContext, Section
from dialer.wording.sentences import refusal_sentence
from dialer.wording.words import MEASURES, MEASURES_SAY, verdict_in, word_of

trial_pages = Section()
_UNFIT, _TAKEN = 422, 409
_AT_LEAST, _MOST = 2, 1_000_000.0


@trial_pages.get("/scripts/{script_id}/trial", act=Permission.SEE_RATES)
def trial(visit: CurrentRequest, script_id: str, grade: str = "") -> Response:
    return _show(visit, script_id, _grade(grade))


@trial_pages.post("/scripts/{script_id}/trial", act=Permission.EDIT_SCRIPTS)
def begin(
    visit: CurrentRequest,
    script_id: str,
    number: Annotated[list[int] | None, Form()] = None,
    share: Annotated[list[str] | None, Form()] = None,
    reason: Annotated[str, Form()] = "",
    grade: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
) -> Response:
    """`number` and `share` are parallel; an empty share leaves its version out. `do` end ends the trial."""
    need_all(visit)
    typed = dict(zip(number or (), share or (), strict=False))
    scope = _grade(grade)
    ends = do == "end"
    try:
        weights = {} if ends else _weights(typed)
        set_trial(visit.services, script_id, weights, by=visit.who, reason=reason, grade=scope)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        return _show(visit, script_id, scope, status=_UNFIT, wrong=wrong, typed=typed, reason=reason)
    except Conflict:
        refused = visit.say(gettext_noop("A draft cannot be tried: it must be approved first."))
        return _show(visit, script_id, scope, status=_TAKEN, wrong={"weights": refused}, typed=typed)
    notice = (
        gettext_noop("The trial is over.")
        if ends
        else gettext_noop("The trial is under way: new calls speak these shares.")
    )
    return visit.go(address(script_id, "/trial", grade=grade), notice=notice)


def _weights(typed: dict[int, str]) -> dict[int, float]:
    """Raises `Invalid`."""
    try:
        weights = {number: float(text) for number, text in typed.items() if text.strip()}
    except ValueError as fault:
        raise Invalid(field="weights", problem=gettext_noop("must be numbers")) from fault
    if len(weights) < _AT_LEAST or not all(0 < weight <= _MOST for weight in weights.values()):
        raise Invalid(field="weights", problem=gettext_noop("must name two versions or more, each above 0"))
    return weights


def _show(
    visit: RequestContext,
    script_id: str,
    grade: Grade | None,
    *,
    status: int = 200,
    wrong: dict[str, str] | None = None,
    typed: dict[int, str] | None = None,
    reason: str = "",
) -> Response:
    page = show_script(visit.services, script_id)
    found = script_versions(visit.services, script_id)
    approved = [version for version in found if version.approvals]
    all_units = sees_everything(visit)
    compared = _comparison(visit, script_id, grade) if all_units else None
    return visit.page(
        "console/script_trial.html",
        status=status,
        **heading(visit, page.script, page.version, "/trial"),
        compared=compared,
        running=compared is not None and compared.trial.ended_at is None,
        rows=_rows(visit, compared),
        measures=[(name, visit.say(MEASURES[name]), visit.say(MEASURES_SAY[name])) for name in MEASURES],
        approved=approved,
        shares=_shares(approved, compared, typed),
        all_units=all_units,
        may_set=visit.may(Permission.EDIT_SCRIPTS) and all_units,
        grade=grade,
        grades=[(one, address(script_id, "/trial", grade=one.value)) for one in Grade],
        any_grade=address(script_id, "/trial"),
        wrong=wrong or {},
        reason=reason,
    )


def _comparison(visit: RequestContext, script_id: str, grade: Grade | None) -> Comparison | None:
    try:
        return compare_versions(visit.services, script_id, grade=grade)
    except NotFound:
        return None


def _rows(visit: RequestContext, compared: Comparison | None) -> list[dict[str, Any]]:
    if compared is None:
        return []
    return [
        {
            "version": one,
            "cells": [
                {
                    "measured": cell,
                    "name": visit.say(MEASURES[cell.measure]),
                    "verdict": verdict_in(visit.lang, cell.verdict, compared.trial.live)
                    if cell.verdict
                    else "",
                }
                for cell in one.measured
            ],
        }
        for one in compared.versions
    ]


def _shares(
    approved: list[Version], compared: Comparison | None, typed: dict[int, str] | None
) -> dict[int, str]:
    """What stands in the form: what was typed, else the shares of the running trial."""
    if typed is not None:
        return typed
    if compared is None or compared.trial.ended_at is not None:
        return {version.number: "50" for version in approved if version.is_live}
    return {number: f"{weight:g}" for number, weight in compared.trial.weights.items()}


def _grade(value: str) -> Grade | None:
    return next((grade for grade in Grade if grade.value == value), None)


_MOST_CHARACTERS = 1000
"""Of the steps in an address."""
_TYPED = "5000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One step, and what the robot says to it."""

    done: str
    node: str
    lines: tuple[Utterance, ...]
    hands_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A next step, and the address that it leads to."""

    key: str
    text: str
    href: str
    said_href: str = ""
    """The address when the words are spoken instead."""


@trial_pages.get("/scripts/{script_id}/walk", act=Permission.SEE_SCRIPTS)
def walk(
    visit: CurrentRequest,
    script_id: str,
    version: int | None = None,
    language: str = "",
    tag: str = "",
    steps: str = "",
) -> Response:
    tags = frozenset(one for one in Tag if one.value == tag)
    done = [step for step in steps[:_MOST_CHARACTERS].split(".") if step]
    wanted = language or visit.lang.value
    try:
        found = walk_script(visit.services, script_id, version, language=wanted, tags=tags, steps=done)
    except Invalid:
        return visit.go(address(script_id, "/walk", version=version, language=language, tag=tag))
    taken = [one.step for one in found.walked[1:]]

    def at(*way: str) -> str:
        return address(script_id, "/walk", version=version, language=language, tag=tag, steps=".".join(way))

    end = found.walked[-1].turn.end
    return visit.page(
        "console/script_walk.html",
        **heading(visit, found.script, found.version, "/walk"),
        exchanges=tuple(_exchange(visit, one) for one in found.walked),
        keys=_keys(found, at, taken),
        others=_others(visit, found, at, taken),
        end=end if found.is_over else None,
        said=found,
        back=at(*taken[:-1]) if taken else "",
        begin=at() if taken else "",
        languages=[(one, language_name(one, visit.lang)) for one in found.script.languages],
        tags=[
            ("", visit.say(gettext_noop("nobody in particular"))),
            *((one.value, word_of(one, visit.lang)) for one in Tag),
        ],
        tag=tag,
        version_asked=version,
    )


def _exchange(visit: RequestContext, one: Walked) -> Exchange:
    return Exchange(
        done=_step_words(visit, one),
        node=one.turn.node,
        lines=one.turn.utterances,
        hands_over=one.turn.hand_over,
    )


def _step_words(visit: RequestContext, one: Walked) -> str:
    if not one.step:
        return ""
    if one.step == SILENCE:
        return visit.say(gettext_noop("says and presses nothing"))
    if one.step == NOBODY:
        return visit.say(gettext_noop("no officer takes the call"))
    if one.phrase:
        return visit.say(gettext_noop("says “%(words)s”"), words=one.phrase)
    return visit.say(gettext_noop("presses %(keys)s"), keys=one.step.removeprefix("type"))


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


def _others(
    visit: RequestContext, found: Walk, at: Callable[..., str], taken: list[str]
) -> tuple[Option, ...]:
    """The next steps that no key of the question takes."""
    if found.is_over:
        return ()
    question = found.question
    if question is None:
        steps = [(NOBODY, visit.say(gettext_noop("no officer takes the call")))]
    else:
        steps = [(SILENCE, visit.say(gettext_noop("says and presses nothing")))]
        if question.next:
            digits = _TYPED[: question.max_digits]
            steps.insert(
                0, (f"type{digits}", visit.say(gettext_noop("types %(digits)s and #"), digits=digits))
            )
    return tuple(Option(key="", text=text, href=at(*taken, step)) for step, text in steps)
