"""`dialer bulletin`: drafts the bulletin of a day, a week or a month, and writes it as docx or PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dialer.cli.common import By
from dialer.cli.output import AsJson, print_json, signed_application
from dialer.core.access import Actor, Permission
from dialer.core.errors import Invalid
from dialer.core.periods import BulletinDays, BulletinKind, bulletin_days
from dialer.core.rates import rates_of
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import AmountKind
from dialer.figures.bulletin_text import bulletin_document, bulletin_sections, ranked_units
from dialer.figures.bulletin_words import title_of
from dialer.figures.bulletins import Bulletin, make_bulletin, note_taken
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.runtime.services import Services
from dialer.web.documents import as_pdf


def bulletin_command(
    month: Annotated[str, typer.Option("--month", help="such as 2026-11")] = "",
    week: Annotated[str, typer.Option("--week", help="such as 2026-W48, or one of its days")] = "",
    day: Annotated[str, typer.Option("--day", help="such as 2026-11-25")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="the file: .docx, or .pdf with LibreOffice")
    ] = None,
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    by: By = "cli",
    *,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="draft it again with the figures of now, while nobody has approved it"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """起草通报: draft the bulletin of a day, week or month; a second person approves it on the page *Bulletins*."""
    days = _days({BulletinKind.MONTH: month, BulletinKind.WEEK: week, BulletinKind.DAY: day})
    if out is not None and out.suffix.lower() not in {".docx", ".pdf"}:
        raise Invalid(field="--out", problem=gettext_noop("ends neither in .docx nor in .pdf"))
    with signed_application("bulletin", by, Permission.APPROVE, Permission.EXPORT) as (app, actor):
        made = make_bulletin(app.services, actor, days, anew=anew)
        if out is not None:
            _write(app.services, actor, made, out, lang=lang)
    if as_json:
        print_json(bulletin_out(made, lang))
        return
    typer.echo(
        f"{title_of(days, lang)} {days.name}: {word_of(made.line.state, lang)}" + (f" → {out}" if out else "")
    )
    if out is None:
        for part in bulletin_sections(made.figures, lang):
            typer.echo(f"\n{part.heading}")
            for text in part.paragraphs:
                typer.echo(f"  {text}")
    if made.line.id is None:
        typer.echo(say(lang, "the period is not over: the bulletin is not saved"), err=True)


def _days(given: dict[BulletinKind, str]) -> BulletinDays:
    chosen = {kind: text for kind, text in given.items() if text}
    if len(chosen) != 1:
        raise Invalid(field="--month", problem=gettext_noop("give one of --month, --week and --day"))
    [(kind, text)] = chosen.items()
    return bulletin_days(kind, text)


def _write(services: Services, actor: Actor, made: Bulletin, out: Path, *, lang: Lang) -> None:
    kind = out.suffix.lower().removeprefix(".")
    content = bulletin_document(made, lang=lang, who=actor.name, now=services.clock.now()).content
    if kind == "pdf":
        content = as_pdf(content)
    note_taken(services, actor, made, kind=kind)
    try:
        out.write_bytes(content)
    except OSError as fault:
        problem = Text("%(file)s cannot be written: %(why)s", file=out, why=fault.strerror or "")
        raise Invalid(field="--out", problem=problem) from None


def bulletin_out(made: Bulletin, lang: Lang) -> dict[str, Any]:
    """The bulletin as JSON: its state, its figures, and its sentences in this language."""
    line, report = made.line, made.figures.report
    total = report.breakdown.total
    return {
        "id": line.id,
        "kind": line.days.kind.value,
        "first": line.days.first,
        "last": line.days.last,
        "state": line.state.value,
        "is_over": made.figures.is_over,
        "generated_at": report.generated_at,
        "made_by": line.made_by,
        "decided_by": line.decided_by,
        "rates": {
            rate.definition.name: {
                "numerator": rate.numerator,
                "denominator": rate.denominator,
                "value": rate.value,
            }
            for rate in rates_of(total.counts)
        },
        "amounts": {kind.value: total.amounts[kind].approved_fen for kind in AmountKind},
        "filed": {"cases": made.figures.filed.total.filed, "losses_fen": made.figures.filed.total.amount_fen},
        "units": [
            {
                "unit": report.unit_names.get(value, value),
                "dissuaded": part.counts.dissuaded,
                "cases_ours": part.counts.cases_ours,
            }
            for value, part in ranked_units(made.figures)
        ],
        "parts": [
            {"heading": part.heading, "paragraphs": list(part.paragraphs)}
            for part in bulletin_sections(made.figures, lang)
        ],
    }
