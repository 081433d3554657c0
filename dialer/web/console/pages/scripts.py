"""Scripts: what the robot says, node by node and aloud; who drafted, who approved, and what waits to be."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.errors import Conflict, Invalid, UnusableFile
from dialer.language import Text, mark
from dialer.scripts.reading import ScriptUnreadable
from dialer.sentences import refusal_sentence, sentence
from dialer.store.scripts import Version
from dialer.usecases.approve_script import NotApproved, NotRendered, approve_script
from dialer.usecases.draft_script import SameWords, draft_script, examine_script
from dialer.usecases.script_book import list_scripts, script_versions, show_script
from dialer.usecases.script_sound import rendering, somebody_renders, start_rendering
from dialer.usecases.seed_scripts import shipped_bases
from dialer.web.console import script_view
from dialer.web.console.registry import Section
from dialer.web.console.script_difference import difference
from dialer.web.console.script_drawing import picture
from dialer.web.console.script_pages import address, heading, need_all, was_live
from dialer.web.console.visit import Asked, Visit

pages = Section()
_UNFIT, _TAKEN = 422, 409
_MOST_BYTES = 1024 * 1024
_LIST = "console/scripts.html"
_ONE = "console/script.html"
_DRAFT = "console/script_draft.html"
_VERSIONS = "console/script_versions.html"
_AROUND = 3

Number = Annotated[int, Form()]


@pages.get("/scripts", act=Act.SEE_SCRIPTS, nav=mark("Scripts"), order=70)
def scripts(visit: Asked) -> Response:
    lines = list_scripts(visit.engine)
    return visit.page(
        _LIST,
        lines=sorted(lines, key=lambda line: (not line.fraud_types, line.purpose.value, line.script_id)),
        titles={line.script_id: _title(line.title, visit) for line in lines},
        language_name=lambda language: script_view.language_name(language, visit.lang),
        can_edit=visit.may(Act.EDIT_SCRIPTS),
        can_see_trials=visit.may(Act.SEE_RATES),
        address=address,
    )


@pages.get("/scripts/{script_id}", act=Act.SEE_SCRIPTS)
def script(visit: Asked, script_id: str, version: int | None = None, language: str = "") -> Response:
    return _show(visit, script_id, version, language=language)


@pages.get("/scripts/{script_id}/progress", act=Act.SEE_SCRIPTS)
def progress(visit: Asked, script_id: str, version: int) -> Response:
    """The rendering as it stands; when it is over, the page is shown anew."""
    render = rendering(visit.engine, script_id, version)
    if visit.is_part and render is not None and render.state.is_open:
        return visit.part(_ONE, "rendering", **_rendered(visit, script_id, version))
    return visit.go(address(script_id, version=version))


@pages.post("/scripts/{script_id}/render", act=Act.EDIT_SCRIPTS)
def render(visit: Asked, script_id: str, version: Number) -> Response:
    start_rendering(visit.engine, script_id, version, by=visit.who)
    return visit.go(address(script_id, version=version), notice=mark("The sound is being made."))


@pages.post("/scripts/{script_id}/approve", act=Act.APPROVE)
def approve(
    visit: Asked,
    script_id: str,
    version: Number,
    reason: Annotated[str, Form()] = "",
    goes_live: Annotated[str, Form()] = "1",
) -> Response:
    need_all(visit)
    live = goes_live == "1"
    try:
        approve_script(visit.engine, script_id, version, by=visit.who, reason=reason, goes_live=live)
    except Invalid as fault:
        return _show(
            visit, script_id, version, status=_UNFIT, wrong={fault.field: refusal_sentence(fault, visit.lang)}
        )
    except NotApproved:
        refused = visit.say(mark("It cannot be approved: what is found below must be mended first."))
        return _show(visit, script_id, version, status=_TAKEN, refused=refused)
    except NotRendered as fault:
        refused = (
            visit.say(
                mark("It cannot be approved yet: %(missing)s prompts have no sound."), missing=fault.missing
            )
            if fault.missing
            else visit.say(mark("It cannot be approved yet: its sound is being made."))
        )
        return _show(visit, script_id, version, status=_TAKEN, refused=refused)
    except Conflict:
        refused = visit.say(mark("You drafted this version: a second person approves it."))
        return _show(visit, script_id, version, status=_TAKEN, refused=refused)
    notice = (
        mark("It is live: new calls speak it within two seconds.") if live else mark("It may be tried now.")
    )
    return visit.go(address(script_id, version=version), notice=notice)


@pages.get("/scripts/{script_id}/versions", act=Act.SEE_SCRIPTS)
def versions(visit: Asked, script_id: str) -> Response:
    page = show_script(visit.engine, script_id)
    found = script_versions(visit.engine, script_id)
    return visit.page(
        _VERSIONS,
        **heading(visit, page.script, page.version, "/versions"),
        versions=found,
        was_live=was_live,
        live=next((one.number for one in found if one.is_live), None),
    )


@pages.get("/scripts/{script_id}/difference", act=Act.SEE_SCRIPTS)
def compared(visit: Asked, script_id: str, old: int, new: int) -> Response:
    page = show_script(visit.engine, script_id)
    found = {one.number: one for one in script_versions(visit.engine, script_id)}
    before, after = (_numbered(found, script_id, visit, number) for number in (old, new))
    return visit.page(
        "console/script_difference.html",
        **heading(visit, page.script, page.version, "/versions"),
        old=before,
        new=after,
        files=difference(before, after),
        numbers=sorted(found, reverse=True),
    )


@pages.get("/scripts/{script_id}/file", act=Act.SEE_SCRIPTS)
def file(visit: Asked, script_id: str, version: int) -> Response:
    """As it was drafted."""
    found = show_script(visit.engine, script_id, version).version
    name = f"{script_id}-{version}.toml"
    return Response(
        found.source,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@pages.get("/scripts/{script_id}/draft", act=Act.EDIT_SCRIPTS)
def begin_draft(visit: Asked, script_id: str, version: int | None = None) -> Response:
    """An editor with the text of a version to start from."""
    found = show_script(visit.engine, script_id, version).version
    return visit.page(_DRAFT, **_editor(found.source, found.file, begun_from=found))


@pages.post("/scripts", act=Act.EDIT_SCRIPTS, most_bytes=_MOST_BYTES)
def draft(
    visit: Asked,
    source: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
    sheet: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """From a file or the editor; `do` check keeps nothing."""
    try:
        text, file_name = _given(source, name, sheet)
        if do == "check":
            examined, findings = examine_script(text, file=file_name)
            found = script_view.problems(findings, visit.lang)
            checked = {"checked": examined.id, "findings": found}
            return visit.page(_DRAFT, **_editor(text, file_name) | checked)
        version = draft_script(visit.engine, text, by=visit.who, file=file_name).version
    except ScriptUnreadable as fault:
        facts = _editor(text, file_name) | {"fault": _fault(visit, fault, text)}
        return visit.page(_DRAFT, status=_UNFIT, **facts)
    except SameWords as fault:
        refused = visit.say(mark("Version %(number)s says just that already."), number=fault.version.number)
        facts = _editor(text, file_name) | {"refused": refused}
        return visit.page(_DRAFT, status=_TAKEN, **facts)
    except (Invalid, UnusableFile) as fault:
        facts = _editor(source, name) | {"refused": refusal_sentence(fault, visit.lang)}
        return visit.page(_DRAFT, status=_UNFIT, **facts)
    start_rendering(visit.engine, version.script_id, version.number, by=visit.who)
    return visit.go(
        address(version.script_id, version=version.number),
        notice=mark("The draft is kept; its sound is being made. A second person approves it."),
    )


def _show(
    visit: Visit,
    script_id: str,
    number: int | None,
    *,
    language: str = "",
    status: int = 200,
    refused: str = "",
    wrong: dict[str, str] | None = None,
) -> Response:
    page = show_script(visit.engine, script_id, number, as_heard=True)
    version = page.version
    shown = script_view.cards(page.script, page.nodes, page.findings, visit.lang)
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
        common=script_view.common_cards(page.script, page.common, visit.lang),
        anywhere=script_view.anywhere(page.script, visit.lang),
        drawn=picture(page.script, shown, visit.lang, wanted),
        language=wanted,
        languages=[(one, script_view.language_name(one, visit.lang)) for one in spoken],
        findings=script_view.problems(page.findings, visit.lang),
        messages=[
            (one, script_view.language_name(one, visit.lang), said)
            for one, said in page.script.message.items()
        ],
        was_live=was_live(version),
        own_draft=version.drafted_by.casefold() == visit.who.casefold(),
        frauds=sorted(page.script.fraud_types),
        refused=refused,
        wrong=wrong or {},
    )


def _rendered(visit: Visit, script_id: str, number: int) -> dict[str, Any]:
    found = rendering(visit.engine, script_id, number)
    waits = found is not None and found.state.is_open
    return {
        "render": found,
        "render_fault": sentence(Text.load(found.error), visit.lang) if found is not None else "",
        "progress_address": address(script_id, "/progress", version=number),
        "nobody_renders": waits and not somebody_renders(visit.engine),
    }


def _title(title: Any, visit: Visit) -> str:  # noqa: ANN401  # texts by language
    return title.get(visit.lang.value) or title.get("zh") or next(iter(title.values()), "")


def _numbered(found: dict[int, Version], script_id: str, visit: Visit, number: int) -> Version:
    """Raises `NotFound`."""
    return found.get(number) or show_script(visit.engine, script_id, number).version


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
        raise UnusableFile(mark("the file is no text in UTF-8")) from fault
    return text.replace("\r\n", "\n"), sheet.filename.rpartition("/")[2].rpartition("\\")[2][:100]


def _fault(visit: Visit, fault: ScriptUnreadable, text: str) -> dict[str, Any]:
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
