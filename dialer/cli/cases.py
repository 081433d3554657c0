"""`dialer case` and `dialer cases`: one case with its timeline, and a search."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as RichText

from dialer.calls.recordings import hear_recording, list_recordings
from dialer.case_page.reading import CaseStory, case_out, case_page_out, reveal, show_case
from dialer.cases.reveals import note_search
from dialer.cases.search import CasePage, CaseQuery, search_cases, seek_person
from dialer.cli.common import By, signer
from dialer.cli.output import (
    AsJson,
    command_application,
    one_of,
    print_json,
    print_rows,
    signed_application,
)
from dialer.cli.terminal import command_actor
from dialer.core.access import TERMINAL_NAME, Permission, RevealReason
from dialer.core.case import CaseStatus
from dialer.core.errors import Refusal
from dialer.core.text import Lang, Text
from dialer.core.values import FraudType, Grade
from dialer.figures.report import report_period
from dialer.language.catalogue import say
from dialer.language.sentences import (
    ahead_words,
    entry_sentence,
    moment_words,
    step_sentence,
    waiting_sentence,
)
from dialer.language.words import word_of


def case_command(
    case_id: int,
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    reveal_by: Annotated[
        str,
        typer.Option("--reveal-by", help="login of who reads the masked data; audited", callback=signer),
    ] = "",
    reason: Annotated[
        RevealReason, typer.Option("--reason", help="kind of the reason, with --reveal-by")
    ] = RevealReason.OTHER,
    why: Annotated[str, typer.Option("--why", help="why, with --reveal-by")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """One case: its timeline, its next steps and the reasons for them."""
    with command_application("case") as app:
        person = None
        if reveal_by or why:
            actor = command_actor(app, reveal_by, Permission.REVEAL)
            person = reveal(app.services, actor, case_id, reason=reason, why=why)
        story = show_case(app.services, case_id)
    if as_json:
        print_json(case_out(story).plain())
        return
    console = Console()
    console.print(case_view(story, lang))
    if person is not None:
        personal = "  ".join(
            part for part in (person.name, *person.phones, person.id_number, person.address) if part
        )
        console.print(Panel(RichText(personal), style="yellow"))


def cases_command(
    phone: Annotated[str, typer.Option(help="all of it, or its last four digits")] = "",
    name: Annotated[str, typer.Option()] = "",
    id_number: Annotated[str, typer.Option("--id-number")] = "",
    instruction_no: Annotated[str, typer.Option("--instruction-no", help="指令编号")] = "",
    source: Annotated[str, typer.Option()] = "",
    grade: Annotated[str, typer.Option(help="extra_high, high, medium or low")] = "",
    fraud_type: Annotated[str, typer.Option("--fraud-type")] = "",
    status: Annotated[str, typer.Option(help="open, watching, proven, reversed or closed")] = "",
    unit: Annotated[str, typer.Option()] = "",
    load: Annotated[int | None, typer.Option(help="of this load")] = None,
    start: Annotated[str, typer.Option("--from", help="opened on this day or later")] = "",
    end: Annotated[str, typer.Option("--to", help="opened on this day or earlier")] = "",
    before: Annotated[int | None, typer.Option(help="the next page: cases with a lower id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    why: Annotated[
        str, typer.Option(help="why a person is sought; needed after the first few searches")
    ] = "",
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """Search cases that match every given option."""
    with command_application("cases") as app:
        sought = seek_person(app.services, phone=phone, name=name, id_number=id_number)
        if not sought.is_nothing:
            with app.services.act(command_actor(app, TERMINAL_NAME), Permission.SEE_CASES) as act:
                note_search(act, app.services, kind="terminal", reason=RevealReason.OTHER, why=why)
        query = CaseQuery(
            sought=sought,
            instruction_no=instruction_no,
            source=source,
            grade=one_of(Grade, grade, field="--grade") if grade else None,
            fraud_type=one_of(FraudType, fraud_type, field="--fraud-type") if fraud_type else None,
            status=one_of(CaseStatus, status, field="--status") if status else None,
            unit=unit,
            load_id=load,
            period=report_period(app.services, start, end),
            before_id=before,
            limit=limit,
        )
        page = search_cases(app.services, query)
        zone = app.services.centre.zone
    if as_json:
        print_json(case_page_out(page).plain())
    else:
        Console().print(page_view(page, lang, zone))


recording = typer.Typer(help="Recordings of calls 通话录音.", no_args_is_help=True)


@recording.command("list")
def list_command(
    case_id: int, lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH, *, as_json: AsJson = False
) -> None:
    """录音清单: the recordings of the calls of a case, with their SHA-256; nothing is played."""
    with command_application("recording") as app:
        found = list_recordings(app.services, case_id)
        zone = app.services.centre.zone
    if as_json:
        print_json([recording.plain() for recording in found])
        return
    print_rows(
        found,
        {
            "id": lambda recording: recording.id,
            say(lang, "call"): lambda recording: (
                word_of(recording.call, lang) + (f" {recording.n}" if recording.n else "")
            ),
            say(lang, "called at"): lambda recording: (
                f"{recording.called_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
            ),
            say(lang, "state"): lambda recording: word_of(recording.state, lang),
            say(lang, "seconds"): lambda recording: recording.seconds or "",
            "SHA-256": lambda recording: recording.sha256,
        },
        empty=say(lang, "There are no recordings."),
        narrow=3,
    )


@recording.command("save")
def save_command(
    case_id: int,
    recording_id: int,
    file: Annotated[Path, typer.Argument(help="a file that is not there yet")],
    why: Annotated[str, typer.Option("--why", help="why; sealed in the audit")],
    reason: Annotated[RevealReason, typer.Option("--reason", help="kind of the reason")] = RevealReason.OTHER,
    by: By = "cli",
) -> None:
    """导出录音: write the recording of a call as a WAV file, with a reason, which is audited."""
    with signed_application("recording", by, Permission.REVEAL) as (app, actor):
        sound = hear_recording(app.services, actor, case_id, recording_id, reason=reason, why=why)
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                opened.write(sound)
        except OSError as fault:
            why_not = Text("%(file)s cannot be written: %(why)s", file=file, why=fault.strerror or "")
            raise Refusal(why_not) from fault
    typer.echo(
        f"录音已导出 written: {file} ({len(sound)} bytes, SHA-256 {hashlib.sha256(sound).hexdigest()})"
    )


def case_view(story: CaseStory, lang: Lang) -> RenderableType:
    """The case for a terminal: the person, the next steps with their reasons, and the timeline."""
    return Group(_header(story, lang), _next(story, lang), _timeline(story, lang))


def _header(story: CaseStory, lang: Lang) -> Panel:
    stored, person = story.file.stored, story.file.person
    case = stored.case
    words = [
        word_of(case.status, lang),
        word_of(case.grade, lang),
        word_of(case.fraud_type, lang),
        word_of(case.contact, lang),
    ]
    if case.outcome is not None:
        words.append(word_of(case.outcome, lang))
    words += [word_of(tag, lang) for tag in sorted(case.tags)]
    lines = [
        "  ".join(part for part in (person.name, *person.phones, person.id_number) if part),
        " · ".join(words),
        " · ".join(part for part in (stored.source, stored.unit) if part),
    ]
    title = say(lang, "Case %(id)s", id=case.id)
    if stored.drill:
        title += f" · {say(lang, 'drill')}"
    return Panel(RichText("\n".join(lines)), title=title, title_align="left")


def _next(story: CaseStory, lang: Lang) -> Table:
    zone = ZoneInfo(story.timezone)
    table = Table(
        title=say(lang, "Next step"),
        box=SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
    )
    for column in (say(lang, "when"), "", say(lang, "what, and why")):
        table.add_column(column)
    for step in story.next_steps:
        at = _clock(step.at, zone) if step.at is not None else say(lang, "any moment")
        away = moment_words(step.at, story.as_of, lang)
        table.add_row(at, away, escape(step_sentence(step, lang)))
    u = story.urgency
    parts = (
        (say(lang, "grade"), u.grade_seconds),
        (say(lang, "amount"), u.amount_seconds),
        (say(lang, "expiry"), u.expiry_seconds),
    )
    sums = " + ".join(f"{name} {seconds}s" for name, seconds in parts)
    ahead = ahead_words(story.pending.ahead if story.pending is not None else 0, lang)
    table.caption = say(
        lang,
        "urgency time: opening time moved forward by %(parts)s; %(ahead)s more urgent calls are ready",
        parts=sums,
        ahead=ahead,
    )
    if story.waiting is not None:
        since, waits = _clock(story.waiting.since, zone), escape(waiting_sentence(story.waiting, lang))
        reason = say(lang, "the call has been waiting since %(since)s: %(waits)s", since=since, waits=waits)
        table.caption += f"\n{reason}"
    table.caption_justify = "left"
    return table


def _timeline(story: CaseStory, lang: Lang) -> Table:
    zone = ZoneInfo(story.timezone)
    table = Table(title=say(lang, "Timeline"), box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for column in (say(lang, "when"), say(lang, "who"), say(lang, "what")):
        table.add_column(column, overflow="fold")
    for entry in story.file.timeline:
        table.add_row(_clock(entry.at, zone), escape(entry.by), escape(entry_sentence(entry, lang)))
    return table


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M:%S}"


def page_view(page: CasePage, lang: Lang, zone: ZoneInfo) -> RenderableType:
    """Found cases, newest first, and the option for the next page."""
    table = Table(box=SIMPLE_HEAD)
    for heading in (
        say(lang, "case"),
        say(lang, "person"),
        say(lang, "telephone"),
        say(lang, "grade"),
        say(lang, "fraud type"),
        say(lang, "state"),
        say(lang, "outcome"),
        say(lang, "unit"),
        say(lang, "opened"),
    ):
        table.add_column(heading, overflow="fold")
    for line in page.cases:
        table.add_row(
            str(line.id),
            escape(line.person.name),
            "\n".join(line.person.phones),
            word_of(line.grade, lang),
            word_of(line.fraud_type, lang),
            word_of(line.status, lang),
            word_of(line.outcome, lang) if line.outcome else "",
            escape(line.unit),
            _clock(line.opened_at, zone),
        )
    if page.next_before_id is None:
        return table
    more = say(lang, "next page")
    return Group(table, RichText(f"{more}: --before {page.next_before_id}", style="dim"))
