"""The pages of scripts: versions, drafts, differences, approval, trials in shares of the calls, and a walk.

One person sets the shares of a trial, since a second one approved each version. The steps of a walk are in its address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.core.access import RELEASED_BY, SHIPPED_BY, Permission
from dialer.core.errors import Conflict, Invalid, NotFound, UnusableFile
from dialer.core.values import Grade, Tag
from dialer.language import Text, gettext_noop
from dialer.org.staff import list_units
from dialer.scripts.dialogue import Utterance
from dialer.scripts.model import Script
from dialer.scripts.overview import (
    NOBODY,
    SILENCE,
    Walk,
    Walked,
    list_scripts,
    phrase_of,
    script_versions,
    show_script,
    walk_script,
)
from dialer.scripts.reading import ScriptUnreadable
from dialer.scripts.render import has_render_worker, rendering, start_rendering
from dialer.scripts.store import Version
from dialer.scripts.trials import Comparison, compare_versions, set_trial
from dialer.scripts.versions import (
    NotApproved,
    NotRendered,
    SameWords,
    approve_script,
    draft_script,
    examine_script,
    shipped_bases,
)
from dialer.scripts.view import (
    common_prompt_cards,
    difference,
    finding_problems,
    keys_anywhere,
    language_name,
    picture,
    script_cards,
)
from dialer.sentences import refusal_sentence, sentence
from dialer.web.console import CurrentRequest, Forbidden, RequestContext, Section
from dialer.words import MEASURES, MEASURES_SAY, verdict_in, word_of

KNOWN = (
    gettext_noop("is empty or too long"),
    gettext_noop("why this version, in a few words"),
    gettext_noop("what is to be found out"),
    gettext_noop("must name the live version, to compare the others with"),
)
"""Refusals of the actions that the pages show."""

_AUTHORS_OUTSIDE = {
    SHIPPED_BY: gettext_noop("shipped with the product"),
    RELEASED_BY: gettext_noop("the release's own review"),
}
_REASONS = (gettext_noop("first start"), gettext_noop("upgrade"))
"""Why shipped scripts went live."""


def address(script_id: str, rest: str = "", **query: object) -> str:
    given = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"/scripts/{quote(script_id)}{rest}" + (f"?{urlencode(given)}" if given else "")


def sees_everything(visit: RequestContext) -> bool:
    """Whether the reader is of the whole centre or of its topmost unit: a script is spoken to people of every unit."""
    unit_id = visit.member.unit_id
    if unit_id is None:
        return True
    own = next((unit for unit in list_units(visit.services, visible_to=unit_id) if unit.id == unit_id), None)
    return own is not None and own.parent_id is None


def need_all(visit: RequestContext) -> None:
    """Raises `Forbidden` for a reader of one unit among others."""
    if not sees_everything(visit):
        raise Forbidden


def was_live(version: Version) -> bool:
    return any(approval.goes_live for approval in version.approvals)


def _by(visit: RequestContext, name: str) -> str:
    return visit.say(_AUTHORS_OUTSIDE[name]) if name in _AUTHORS_OUTSIDE else name


def heading(visit: RequestContext, script: Script, version: Version, here: str) -> dict[str, Any]:
    """What `console/script_head.html` shows. `here` is the tab that is open."""
    named = None if version.is_live else version.number
    tabs = [
        ("", gettext_noop("Script")),
        ("/walk", gettext_noop("Walk through")),
        ("/versions", gettext_noop("Versions")),
    ]
    if visit.may(Permission.SEE_RATES):
        tabs.append(("/trial", gettext_noop("Trial")))
    return {
        "script": script,
        "version": version,
        "title": script.title_in(visit.lang.value),
        "tabs": [
            (address(script.id, rest, version=named if rest in {"", "/walk"} else None), visit.say(text))
            for rest, text in tabs
        ],
        "here": address(script.id, here, version=named if here in {"", "/walk"} else None),
        "address": address,
        "by": partial(_by, visit),
        "can_edit": visit.may(Permission.EDIT_SCRIPTS),
        "can_approve": visit.may(Permission.APPROVE) and sees_everything(visit),
    }


script_pages = Section()
_UNFIT, _TAKEN = 422, 409
_MOST_BYTES = 1024 * 1024
_LIST = "console/scripts.html"
_ONE = "console/script.html"
_DRAFT = "console/script_draft.html"
_VERSIONS = "console/script_versions.html"
_AROUND = 3

Number = Annotated[int, Form()]


@script_pages.get("/scripts", act=Permission.SEE_SCRIPTS, nav=gettext_noop("Scripts"), order=70)
def scripts(visit: CurrentRequest) -> Response:
    lines = list_scripts(visit.services)
    return visit.page(
        _LIST,
        lines=sorted(lines, key=lambda line: (not line.fraud_types, line.purpose.value, line.script_id)),
        titles={
            line.script_id: line.title.get(visit.lang.value)
            or line.title.get("zh")
            or next(iter(line.title.values()), "")
            for line in lines
        },
        language_name=lambda language: language_name(language, visit.lang),
        can_edit=visit.may(Permission.EDIT_SCRIPTS),
        can_see_trials=visit.may(Permission.SEE_RATES),
        address=address,
    )


@script_pages.get("/scripts/{script_id}", act=Permission.SEE_SCRIPTS)
def script(visit: CurrentRequest, script_id: str, version: int | None = None, language: str = "") -> Response:
    return _show(visit, script_id, version, language=language)


@script_pages.get("/scripts/{script_id}/progress", act=Permission.SEE_SCRIPTS)
def progress(visit: CurrentRequest, script_id: str, version: int) -> Response:
    """The progress of the rendering; when it is over, the whole page again."""
    render = rendering(visit.services, script_id, version)
    if visit.is_part and render is not None and render.state.is_open:
        return visit.part(_ONE, "rendering", **_rendered(visit, script_id, version))
    return visit.go(address(script_id, version=version))


@script_pages.post("/scripts/{script_id}/render", act=Permission.EDIT_SCRIPTS)
def render(visit: CurrentRequest, script_id: str, version: Number) -> Response:
    start_rendering(visit.services, script_id, version, by=visit.who)
    return visit.go(address(script_id, version=version), notice=gettext_noop("The sound is being made."))


@script_pages.post("/scripts/{script_id}/approve", act=Permission.APPROVE)
def approve(
    visit: CurrentRequest,
    script_id: str,
    version: Number,
    reason: Annotated[str, Form()] = "",
    goes_live: Annotated[str, Form()] = "1",
) -> Response:
    need_all(visit)
    live = goes_live == "1"
    try:
        approve_script(visit.services, script_id, version, by=visit.who, reason=reason, goes_live=live)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        return _show(visit, script_id, version, status=_UNFIT, wrong=wrong)
    except NotApproved:
        refused = visit.say(gettext_noop("It cannot be approved: what is found below must be mended first."))
        return _show(visit, script_id, version, status=_TAKEN, refused=refused)
    except NotRendered as fault:
        refused = (
            visit.say(
                gettext_noop("It cannot be approved yet: %(missing)s prompts have no sound."),
                missing=fault.missing,
            )
            if fault.missing
            else visit.say(gettext_noop("It cannot be approved yet: its sound is being made."))
        )
        return _show(visit, script_id, version, status=_TAKEN, refused=refused)
    except Conflict:
        refused = visit.say(gettext_noop("You drafted this version: a second person approves it."))
        return _show(visit, script_id, version, status=_TAKEN, refused=refused)
    notice = (
        gettext_noop("It is live: new calls speak it within two seconds.")
        if live
        else gettext_noop("It may be tried now.")
    )
    return visit.go(address(script_id, version=version), notice=notice)


@script_pages.get("/scripts/{script_id}/versions", act=Permission.SEE_SCRIPTS)
def versions(visit: CurrentRequest, script_id: str) -> Response:
    page = show_script(visit.services, script_id)
    found = script_versions(visit.services, script_id)
    return visit.page(
        _VERSIONS,
        **heading(visit, page.script, page.version, "/versions"),
        versions=found,
        was_live=was_live,
        live=next((one.number for one in found if one.is_live), None),
    )


@script_pages.get("/scripts/{script_id}/difference", act=Permission.SEE_SCRIPTS)
def compared(visit: CurrentRequest, script_id: str, old: int, new: int) -> Response:
    page = show_script(visit.services, script_id)
    found = {one.number: one for one in script_versions(visit.services, script_id)}
    for number in (old, new):
        if number not in found:
            raise NotFound(kind=Text("version of %(script)s", script=script_id), key=number)
    return visit.page(
        "console/script_difference.html",
        **heading(visit, page.script, page.version, "/versions"),
        old=found[old],
        new=found[new],
        files=difference(found[old], found[new]),
        numbers=sorted(found, reverse=True),
    )


@script_pages.get("/scripts/{script_id}/file", act=Permission.SEE_SCRIPTS)
def file(visit: CurrentRequest, script_id: str, version: int) -> Response:
    """As it was drafted."""
    found = show_script(visit.services, script_id, version).version
    name = f"{script_id}-{version}.toml"
    return Response(
        found.source,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@script_pages.get("/scripts/{script_id}/draft", act=Permission.EDIT_SCRIPTS)
def begin_draft(visit: CurrentRequest, script_id: str, version: int | None = None) -> Response:
    """An editor with the text of a version to start from."""
    found = show_script(visit.services, script_id, version).version
    return visit.page(_DRAFT, **_editor(found.source, found.file, begun_from=found))


@script_pages.post("/scripts", act=Permission.EDIT_SCRIPTS, most_bytes=_MOST_BYTES)
def draft(
    visit: CurrentRequest,
    source: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
    sheet: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Stores a draft from a file or the editor; with `do` check it only shows the findings."""
    try:
        text, file_name = _given(source, name, sheet)
        if do == "check":
            examined, findings = examine_script(text, file=file_name)
            checked = {"checked": examined.id, "findings": finding_problems(findings, visit.lang)}
            return visit.page(_DRAFT, **_editor(text, file_name) | checked)
        version = draft_script(visit.services, text, by=visit.who, file=file_name).version
    except ScriptUnreadable as fault:
        facts = _editor(text, file_name) | {"fault": _fault(visit, fault, text)}
        return visit.page(_DRAFT, status=_UNFIT, **facts)
    except SameWords as fault:
        refused = visit.say(
            gettext_noop("Version %(number)s says just that already."), number=fault.version.number
        )
        facts = _editor(text, file_name) | {"refused": refused}
        return visit.page(_DRAFT, status=_TAKEN, **facts)
    except (Invalid, UnusableFile) as fault:
        facts = _editor(source, name) | {"refused": refusal_sentence(fault, visit.lang)}
        return visit.page(_DRAFT, status=_UNFIT, **facts)
    start_rendering(visit.services, version.script_id, version.number, by=visit.who)
    return visit.go(
        address(version.script_id, version=version.number),
        notice=gettext_noop("The draft is kept; its sound is being made. A second person approves it."),
    )


def _show(
    visit: RequestContext,
    script_id: str,
    number: int | None,
    *,
    language: str = "",
    status: int = 200,
    refused: str = "",
    wrong: dict[str, str] | None = None,
) -> Response:
    page = show_script(visit.services, script_id, number, as_heard=True)
    version = page.version
    shown = script_cards(page.script, page.nodes, page.findings, visit.lang)
    spoken = [one for one in page.script.languages if any(card.has_words_in(one) for card in shown)]
    wanted = language if language in page.script.languages else visit.lang.value
    wanted = wanted if wanted in page.script.languages else page.script.default_language
    return visit.page(
        _ONE,
        status=status,
        **heading(visit, page.script, version, ""),
        **_rendered(visit, script_id, version.number),
        page=page,
        cards=shown,
        common=common_prompt_cards(page.script, page.common, visit.lang),
        anywhere=keys_anywhere(page.script, visit.lang),
        drawn=picture(page.script, shown, visit.lang, wanted),
        language=wanted,
        languages=[(one, language_name(one, visit.lang)) for one in spoken],
        findings=finding_problems(page.findings, visit.lang),
        messages=[(one, language_name(one, visit.lang), said) for one, said in page.script.message.items()],
        was_live=was_live(version),
        own_draft=version.drafted_by.casefold() == visit.who.casefold(),
        frauds=sorted(page.script.fraud_types),
        refused=refused,
        wrong=wrong or {},
    )


def _rendered(visit: RequestContext, script_id: str, number: int) -> dict[str, Any]:
    found = rendering(visit.services, script_id, number)
    waits = found is not None and found.state.is_open
    return {
        "render": found,
        "render_fault": sentence(Text.load(found.error), visit.lang) if found is not None else "",
        "progress_address": address(script_id, "/progress", version=number),
        "lacks_worker": waits and not has_render_worker(visit.services),
    }


def _editor(text: str, file_name: str, *, begun_from: Version | None = None) -> dict[str, Any]:
    return {
        "source": text,
        "name": file_name,
        "begun_from": begun_from,
        "fault": None,
        "refused": "",
        "checked": "",
        "findings": (),
        "address": address,
        "base": tuple(shipped_bases().values()),
    }


def _given(source: str, name: str, sheet: UploadFile | None) -> tuple[str, str]:
    """The text and the name of its file. Raises `UnusableFile`."""
    if sheet is None or not sheet.filename:
        return source.replace("\r\n", "\n"), name[:100]
    try:
        text = sheet.file.read(_MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise UnusableFile(gettext_noop("the file is no text in UTF-8")) from fault
    return text.replace("\r\n", "\n"), sheet.filename.rpartition("/")[2].rpartition("\\")[2][:100]


def _fault(visit: RequestContext, fault: ScriptUnreadable, text: str) -> dict[str, Any]:
    """The line that is wrong, with those around it, where it stands in the text that was given."""
    lines = text.splitlines()
    here = fault.line if 0 < fault.line <= len(lines) else 0
    around = range(max(1, here - _AROUND), min(len(lines), here + _AROUND) + 1) if here else ()
    return {
        "line": here,
        "file": fault.file,
        "node": fault.node,
        "problem": sentence(fault.problem, visit.lang),
        "excerpt": [(number, lines[number - 1]) for number in around],
    }


trial_pages = Section()

_AT_LEAST, _MOST = 2, 1_000_000.0


@trial_pages.get("/scripts/{script_id}/trial", act=Permission.SEE_RATES)
def trial(visit: CurrentRequest, script_id: str, grade: str = "") -> Response:
    return _show_trial_pages(visit, script_id, _grade(grade))


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
        return _show_trial_pages(
            visit, script_id, scope, status=_UNFIT, wrong=wrong, typed=typed, reason=reason
        )
    except Conflict:
        refused = visit.say(gettext_noop("A draft cannot be tried: it must be approved first."))
        return _show_trial_pages(
            visit, script_id, scope, status=_TAKEN, wrong={"weights": refused}, typed=typed
        )
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


def _show_trial_pages(
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
