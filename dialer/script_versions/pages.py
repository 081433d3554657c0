"""The pages of scripts: versions, drafts, differences, approval, trials in shares of the calls, and a walk.

One person sets the shares of a trial, since a second one approved each version. The steps of a walk are in its address.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.core.access import Permission, is_same_actor
from dialer.core.errors import Conflict, Invalid, NotFound, UnusableFile
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Grade, Tag
from dialer.language.figure_words import TRIAL_MEASURE_SENTENCES, TRIAL_MEASURES, trial_sentence
from dialer.language.words import actor_word, sentence, word_of
from dialer.script_versions.actions import (
    NotApproved,
    NotRendered,
    SameWords,
    approve_script,
    draft_script,
    examine_script,
    shipped_bases,
)
from dialer.script_versions.overview import (
    GREETING,
    NOBODY,
    SILENCE,
    Walk,
    Walked,
    greeting_of,
    list_scripts,
    phrase_of,
    script_versions,
    show_script,
    walk_script,
)
from dialer.script_versions.render import has_render_worker, rendering, start_rendering
from dialer.script_versions.trials import Comparison, compare_versions, set_trial
from dialer.script_versions.view import difference, keys_anywhere, language_name, picture, script_cards
from dialer.scripts.model import LANGUAGE_KEY, Script
from dialer.scripts.reading import ScriptUnreadable
from dialer.scripts.store import Version
from dialer.web.console import CurrentRequest, PageSection, RequestContext, require_top_unit, sees_everything
from dialer.web.rendering import PlaceGroup

KNOWN = (
    gettext_noop("is empty or too long"),
    gettext_noop("why this version, in a few words"),
    gettext_noop("the question of the trial"),
    gettext_noop("must name the live version, to compare the others with"),
)
"""Refusals of the actions that the pages show."""

_REASONS = (gettext_noop("first start"), gettext_noop("upgrade"))
"""Why shipped scripts went live."""


def address(script_id: str, rest: str = "", **query: object) -> str:
    """The address of a page of a script; what is None or empty is left out of the query."""
    given = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"/scripts/{quote(script_id)}{rest}" + (f"?{urlencode(given)}" if given else "")


def heading(request: RequestContext, script: Script, version: Version, here: str) -> dict[str, Any]:
    """What `console/script_head.html` shows. `here` is the tab that is open."""
    named = None if version.is_live else version.number
    tabs = [
        ("", gettext_noop("Script")),
        ("/walk", gettext_noop("Walk through")),
        ("/versions", gettext_noop("Versions")),
    ]
    if request.may(Permission.SEE_RATES):
        tabs.append(("/trial", gettext_noop("Trial")))
    return {
        "script": script,
        "version": version,
        "title": script.title_in(request.lang.value),
        "tabs": [
            (address(script.id, rest, version=named if rest in {"", "/walk"} else None), request.say(text))
            for rest, text in tabs
        ],
        "here": address(script.id, here, version=named if here in {"", "/walk"} else None),
        "address": address,
        "by": partial(actor_word, lang=request.lang),
        "can_edit": request.may(Permission.EDIT_SCRIPTS),
        "can_approve": request.may(Permission.APPROVE) and sees_everything(request),
    }


script_pages = PageSection()
_UNFIT, _TAKEN = 422, 409
_MOST_BYTES = 1024 * 1024
_LIST = "console/scripts.html"
_ONE = "console/script.html"
_DRAFT = "console/script_draft.html"
_VERSIONS = "console/script_versions.html"
_AROUND = 3

Number = Annotated[int, Form()]


@script_pages.get(
    "/scripts",
    act=Permission.SEE_SCRIPTS,
    nav=gettext_noop("Scripts"),
    order=70,
    group=PlaceGroup.ADMINISTRATION,
)
def scripts(request: CurrentRequest) -> Response:
    """All scripts by fraud type; those of other purposes last."""
    lines = list_scripts(request.services)
    return request.page(
        _LIST,
        lines=sorted(lines, key=lambda line: (not line.fraud_types, line.purpose.value, line.script_id)),
        titles={
            line.script_id: line.title.get(request.lang.value)
            or line.title.get("zh")
            or next(iter(line.title.values()), "")
            for line in lines
        },
        language_name=lambda language: language_name(language, request.lang),
        can_edit=request.may(Permission.EDIT_SCRIPTS),
        can_see_trials=request.may(Permission.SEE_RATES),
        address=address,
    )


@script_pages.get("/scripts/{script_id}", act=Permission.SEE_SCRIPTS)
def script(
    request: CurrentRequest, script_id: str, version: int | None = None, language: str = ""
) -> Response:
    """A script's version, or without a number its live one."""
    return _show(request, script_id, version, language=language)


@script_pages.get("/scripts/{script_id}/progress", act=Permission.SEE_SCRIPTS)
def progress(request: CurrentRequest, script_id: str, version: int) -> Response:
    """The progress of the rendering; when it is over, the whole page again."""
    render = rendering(request.services, script_id, version)
    if request.is_part and render is not None and render.state.is_open:
        return request.part(_ONE, "rendering", **_rendered(request, script_id, version))
    return request.redirect_to(address(script_id, version=version))


@script_pages.post("/scripts/{script_id}/render", act=Permission.EDIT_SCRIPTS)
def render(request: CurrentRequest, script_id: str, version: Number) -> Response:
    """Requests a rendering of a version, which a worker carries out."""
    start_rendering(request.services, request.actor, script_id, version)
    return request.redirect_to(
        address(script_id, version=version), notice=gettext_noop("The sound is being made.")
    )


@script_pages.post("/scripts/{script_id}/approve", act=Permission.APPROVE)
def approve(
    request: CurrentRequest,
    script_id: str,
    version: Number,
    reason: Annotated[str, Form()] = "",
    goes_live: Annotated[str, Form()] = "1",
) -> Response:
    """Approves a version, and with `goes_live` 1 makes it the live one. Findings that stop it are shown."""
    require_top_unit(request)
    live = goes_live == "1"
    try:
        approve_script(request.services, request.actor, script_id, version, reason=reason, goes_live=live)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show(request, script_id, version, status=_UNFIT, wrong=wrong)
    except NotApproved:
        refused = request.say(gettext_noop("It cannot be approved: correct what is found below first."))
    except NotRendered as fault:
        missing = gettext_noop("It cannot be approved yet: %(missing)s prompts have no sound.")
        waits = gettext_noop("It cannot be approved yet: its sound is being made.")
        refused = request.say(missing, missing=fault.missing) if fault.missing else request.say(waits)
    except Conflict:
        refused = request.say(gettext_noop("You drafted this version: a second person approves it."))
    else:
        made = gettext_noop("It is live: new calls speak it within two seconds.")
        notice = made if live else gettext_noop("It may be tried now.")
        return request.redirect_to(address(script_id, version=version), notice=notice)
    return _show(request, script_id, version, status=_TAKEN, refused=refused)


@script_pages.get("/scripts/{script_id}/versions", act=Permission.SEE_SCRIPTS)
def versions(request: CurrentRequest, script_id: str) -> Response:
    page = show_script(request.services, script_id)
    found = script_versions(request.services, script_id)
    return request.page(
        _VERSIONS,
        **heading(request, page.script, page.version, "/versions"),
        versions=found,
        live=next((version.number for version in found if version.is_live), None),
    )


@script_pages.get("/scripts/{script_id}/difference", act=Permission.SEE_SCRIPTS)
def compared(request: CurrentRequest, script_id: str, old: int, new: int) -> Response:
    """The lines by which two versions differ."""
    page = show_script(request.services, script_id)
    found = {version.number: version for version in script_versions(request.services, script_id)}
    for number in (old, new):
        if number not in found:
            raise NotFound(kind=Text("version of %(script)s", script=script_id), key=number)
    return request.page(
        "console/script_difference.html",
        **heading(request, page.script, page.version, "/versions"),
        old=found[old],
        new=found[new],
        files=difference(found[old], found[new]),
        numbers=sorted(found, reverse=True),
    )


@script_pages.get("/scripts/{script_id}/file", act=Permission.SEE_SCRIPTS)
def file(request: CurrentRequest, script_id: str, version: int) -> Response:
    """The file of the version as it was drafted."""
    found = show_script(request.services, script_id, version).version
    name = f"{script_id}-{version}.toml"
    return Response(
        found.source,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@script_pages.get("/scripts/{script_id}/draft", act=Permission.EDIT_SCRIPTS)
def begin_draft(request: CurrentRequest, script_id: str, version: int | None = None) -> Response:
    """An editor with the text of a version to start from."""
    found = show_script(request.services, script_id, version).version
    return request.page(_DRAFT, **_editor(found.source, found.file, begun_from=found))


@script_pages.post("/scripts", act=Permission.EDIT_SCRIPTS, most_bytes=_MOST_BYTES)
def draft(
    request: CurrentRequest,
    source: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
    sheet: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Stores a draft from a file or the editor; with `do` = check it only shows the findings."""
    try:
        text, file_name = _given(source, name, sheet)
        if do == "check":
            examined, findings = examine_script(request.services, text, file=file_name)
            checked = {"checked": examined.id, "findings": tuple(dict.fromkeys(findings))}
            return request.page(_DRAFT, **_editor(text, file_name) | checked)
        version = draft_script(request.services, request.actor, text, file=file_name).version
    except ScriptUnreadable as fault:
        status, shown = _UNFIT, _editor(text, file_name) | {"fault": _fault(request, fault, text)}
    except SameWords as fault:
        same = gettext_noop("Version %(number)s says just that already.")
        refused = request.say(same, number=fault.version.number)
        status, shown = _TAKEN, _editor(text, file_name) | {"refused": refused}
    except (Invalid, UnusableFile) as fault:
        refused = request.refusal(fault)
        status, shown = _UNFIT, _editor(source, name) | {"refused": refused}
    else:
        start_rendering(request.services, request.actor, version.script_id, version.number)
        notice = gettext_noop("Draft saved; its sound is being made. A second person approves it.")
        return request.redirect_to(address(version.script_id, version=version.number), notice=notice)
    return request.page(_DRAFT, status=status, **shown)


def _show(
    request: RequestContext,
    script_id: str,
    number: int | None,
    *,
    language: str = "",
    status: int = 200,
    refused: str = "",
    wrong: dict[str, str] | None = None,
) -> Response:
    page = show_script(request.services, script_id, number, as_heard=True)
    version = page.version
    shown = script_cards(page.script, page.nodes, page.findings, request.lang)
    spoken = [
        language for language in page.script.languages if any(card.has_words_in(language) for card in shown)
    ]
    wanted = language if language in page.script.languages else request.lang.value
    wanted = wanted if wanted in page.script.languages else page.script.default_language
    return request.page(
        _ONE,
        status=status,
        **heading(request, page.script, version, ""),
        **_rendered(request, script_id, version.number),
        page=page,
        cards=shown,
        common=script_cards(page.script, page.common, (), request.lang),
        anywhere=keys_anywhere(page.script, request.lang),
        drawn=picture(page.script, shown, request.lang, wanted),
        language=wanted,
        languages=[(language, language_name(language, request.lang)) for language in spoken],
        findings=tuple(dict.fromkeys(page.findings)),
        messages=[
            (language, language_name(language, request.lang), said)
            for language, said in page.script.message.items()
        ],
        own_draft=is_same_actor(version.drafted_by, request.who),
        frauds=sorted(page.script.fraud_types),
        refused=refused,
        wrong=wrong or {},
    )


def _rendered(request: RequestContext, script_id: str, number: int) -> dict[str, Any]:
    found = rendering(request.services, script_id, number)
    waits = found is not None and found.state.is_open
    return {
        "render": found,
        "render_fault": sentence(Text.load(found.error), request.lang) if found is not None else "",
        "progress_address": address(script_id, "/progress", version=number),
        "lacks_worker": waits and not has_render_worker(request.services),
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
        raise UnusableFile(gettext_noop("the file is not text in UTF-8")) from fault
    return text.replace("\r\n", "\n"), sheet.filename.rpartition("/")[2].rpartition("\\")[2][:100]


def _fault(request: RequestContext, fault: ScriptUnreadable, text: str) -> dict[str, Any]:
    """The faulty line of the typed text with the lines around it, and what is wrong."""
    lines = text.splitlines()
    here = fault.line if 0 < fault.line <= len(lines) else 0
    around = range(max(1, here - _AROUND), min(len(lines), here + _AROUND) + 1) if here else ()
    return {
        "line": here,
        "file": fault.file,
        "node": fault.node,
        "problem": sentence(fault.problem, request.lang),
        "excerpt": [(number, lines[number - 1]) for number in around],
    }


trial_pages = PageSection()

_AT_LEAST, _MOST = 2, 1_000_000.0


@trial_pages.get("/scripts/{script_id}/trial", act=Permission.SEE_RATES)
def trial(request: CurrentRequest, script_id: str, grade: str = "") -> Response:
    return _show_trial_pages(request, script_id, _grade(grade))


@trial_pages.post("/scripts/{script_id}/trial", act=Permission.EDIT_SCRIPTS)
def begin(
    request: CurrentRequest,
    script_id: str,
    number: Annotated[list[int] | None, Form()] = None,
    share: Annotated[list[str] | None, Form()] = None,
    reason: Annotated[str, Form()] = "",
    grade: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
) -> Response:
    """Begins a trial. `number` and `share` are parallel; an empty share leaves its version out. `do` = end ends the
    trial.
    """
    require_top_unit(request)
    typed = dict(zip(number or (), share or (), strict=False))
    scope = _grade(grade)
    ends = do == "end"
    try:
        weights = {} if ends else _weights(typed)
        set_trial(request.services, request.actor, script_id, weights, reason=reason, grade=scope)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show_trial_pages(
            request, script_id, scope, status=_UNFIT, wrong=wrong, typed=typed, reason=reason
        )
    except Conflict:
        refused = request.say(gettext_noop("A draft cannot be tried: it must be approved first."))
        return _show_trial_pages(
            request, script_id, scope, status=_TAKEN, wrong={"weights": refused}, typed=typed
        )
    notice = (
        gettext_noop("The trial is over.")
        if ends
        else gettext_noop("The trial is under way: new calls speak these shares.")
    )
    return request.redirect_to(address(script_id, "/trial", grade=grade), notice=notice)


def _weights(typed: dict[int, str]) -> dict[int, float]:
    """The typed shares by version number. Raises `Invalid`."""
    try:
        weights = {number: float(text) for number, text in typed.items() if text.strip()}
    except ValueError as fault:
        raise Invalid(field="weights", problem=gettext_noop("must be numbers")) from fault
    if len(weights) < _AT_LEAST or not all(0 < weight <= _MOST for weight in weights.values()):
        raise Invalid(field="weights", problem=gettext_noop("must name two versions or more, each above 0"))
    return weights


def _show_trial_pages(
    request: RequestContext,
    script_id: str,
    grade: Grade | None,
    *,
    status: int = 200,
    wrong: dict[str, str] | None = None,
    typed: dict[int, str] | None = None,
    reason: str = "",
) -> Response:
    page = show_script(request.services, script_id)
    found = script_versions(request.services, script_id)
    approved = [version for version in found if version.approvals]
    all_units = sees_everything(request)
    compared = None
    if all_units:
        with suppress(NotFound):
            compared = compare_versions(request.services, script_id, grade=grade)
    return request.page(
        "console/script_trial.html",
        status=status,
        **heading(request, page.script, page.version, "/trial"),
        compared=compared,
        running=compared is not None and compared.trial.ended_at is None,
        verdict_in=partial(trial_sentence, request.lang),
        measures=TRIAL_MEASURES,
        measures_say=TRIAL_MEASURE_SENTENCES,
        approved=approved,
        shares=_shares(approved, compared, typed),
        all_units=all_units,
        may_set=request.may(Permission.EDIT_SCRIPTS) and all_units,
        grade=grade,
        grades=[(grade, address(script_id, "/trial", grade=grade.value)) for grade in Grade],
        any_grade=address(script_id, "/trial"),
        wrong=wrong or {},
        reason=reason,
    )


def _shares(
    approved: list[Version], compared: Comparison | None, typed: dict[int, str] | None
) -> dict[int, str]:
    """The shares in the form: what was typed, else those of the running trial."""
    if typed is not None:
        return typed
    if compared is None or compared.trial.ended_at is not None:
        return {version.number: "50" for version in approved if version.is_live}
    return {number: f"{weight:g}" for number, weight in compared.trial.weights.items()}


def _grade(value: str) -> Grade | None:
    return next((grade for grade in Grade if grade.value == value), None)


_MOST_CHARACTERS = 1000
"""The most characters of the steps in an address."""
_TYPED = "5000"


@trial_pages.get("/scripts/{script_id}/walk", act=Permission.SEE_SCRIPTS)
def walk(
    request: CurrentRequest,
    script_id: str,
    version: int | None = None,
    language: str = "",
    tag: str = "",
    steps: str = "",
) -> Response:
    """The conversation after the keys and words in `steps`, as a person would hear it; no call is made."""
    tags = frozenset(known for known in Tag if known.value == tag)
    done = [step for step in steps[:_MOST_CHARACTERS].split(".") if step]
    wanted = language or request.lang.value
    try:
        found = walk_script(request.services, script_id, version, language=wanted, tags=tags, steps=done)
    except Invalid:
        return request.redirect_to(address(script_id, "/walk", version=version, language=language, tag=tag))
    taken = [walked.step for walked in found.walked[1:]]

    def at(*way: str) -> str:
        return address(script_id, "/walk", version=version, language=language, tag=tag, steps=".".join(way))

    return request.page(
        "console/script_walk.html",
        **heading(request, found.script, found.version, "/walk"),
        exchanges=[(_step_words(request, walked), walked.turn) for walked in found.walked],
        keys=_keys(found),
        others=_others(request, found),
        after=lambda step: at(*taken, step),
        end=found.walked[-1].turn.position if found.is_over else None,
        said=found,
        back=at(*taken[:-1]) if taken else "",
        begin=at() if taken else "",
        languages=[(language, language_name(language, request.lang)) for language in found.script.languages],
        tags=[
            ("", request.say(gettext_noop("nobody in particular"))),
            *((tag.value, word_of(tag, request.lang)) for tag in Tag),
        ],
        tag=tag,
        version_asked=version,
    )


def _step_words(request: RequestContext, walked: Walked) -> str:
    if not walked.step:
        return ""
    if walked.step == SILENCE:
        return request.say(gettext_noop("says and presses nothing"))
    if walked.step == NOBODY:
        return request.say(gettext_noop("no officer takes the call"))
    if walked.phrase:
        return request.say(gettext_noop("says “%(words)s”"), words=walked.phrase)
    return request.say(gettext_noop("presses %(keys)s"), keys=walked.step.removeprefix("type"))


def _keys(found: Walk) -> list[tuple[str, str]]:
    """The keys of the question, each with the phrase that means the same."""
    question = found.question
    if question is None:
        return []
    ask = found.walked[-1].turn.ask
    offered = [LANGUAGE_KEY] if ask is not None and ask.other_language else []
    keys = dict.fromkeys([*question.choices, *found.script.anywhere, *offered])
    return [(key, phrase_of(found.script, question.id, key, found.language)) for key in keys]


def _others(request: RequestContext, found: Walk) -> list[tuple[str, str]]:
    """The possible next steps besides the keys of the question, each with its words."""
    if found.is_over:
        return []
    question = found.question
    if question is None:
        return [(NOBODY, request.say(gettext_noop("no officer takes the call")))]
    steps = [(SILENCE, request.say(gettext_noop("says and presses nothing")))]
    if greeting := greeting_of(found.script, found.language):
        steps.append((GREETING, request.say(gettext_noop("says “%(words)s”"), words=greeting)))
    taken = dict(_keys(found))
    if question.max_digits == 1 and (wrong := next((key for key in "123456789" if key not in taken), "")):
        steps.append((wrong, request.say(gettext_noop("presses %(keys)s, a wrong key"), keys=wrong)))
    if question.next:
        digits = _TYPED[: question.max_digits]
        steps.insert(0, (f"type{digits}", request.say(gettext_noop("types %(digits)s and #"), digits=digits)))
    return steps
