"""`dialer work`, `outcome` and `approvals`: assignments, the conversation so far, stop payments, approvals."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, tzinfo
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from dialer.approvals.actions import Inbox, InboxReader, read_inbox, refuse_outcome
from dialer.approvals.queries import VersionDraft
from dialer.cli.common import By, signer
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    fields_of,
    one_of,
    print_json,
    print_rows,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.case import FamilyResult, Reason, StopResult, StopState, VisitStage, contact_of_outcome
from dialer.core.errors import Invalid, NotFound
from dialer.core.text import Lang
from dialer.core.values import (
    FEN_PER_YUAN,
    Amounts,
    ApprovalKind,
    Contact,
    EvidenceKind,
    OutcomeKind,
    ScammerContact,
    Track,
    format_yuan,
    parse_yuan,
    typed_evidence,
)
from dialer.figures.bulletin_words import title_of
from dialer.knowledge.store import CardDraft
from dialer.language.catalogue import say
from dialer.language.sentences import moment_words
from dialer.language.words import actor_word, word_of
from dialer.outcomes.evidence_files import clean_evidence
from dialer.staff.store import find_member
from dialer.work.assignments import Assignment, waiting_assignments
from dialer.work.desk import HandOverSheet, ReportedPayment, complete_stop_payment, show_hand_over
from dialer.work.desk_store import StopPayment, waiting_stop_payments
from dialer.work.stop_requests import (
    BANK_ANSWERS,
    StopRequest,
    add_stop_request,
    report_paid,
    report_stop_request,
    stop_requests_of,
    typed_stop_form,
    waiting_stop_requests,
)
from dialer.work.tasks import WorkReport, approve_outcome, report_assignment, sign_assignment
from dialer.work.visits import PhoneAct, take_step

work = typer.Typer(help="Human calls and visits.", no_args_is_help=True)
outcome = typer.Typer(help="The ledger of outcomes.", no_args_is_help=True)


@work.command("show")
def show(
    assignment_id: int,
    by: By,
    *,
    as_json: AsJson = False,
) -> None:
    """The conversation so far: what the robot said, what was pressed, what was typed."""
    with signed_application("work", by, Permission.WORK_DESK, Permission.WORK_VISITS) as (app, actor):
        found = show_hand_over(app.services, actor, assignment_id)
    if as_json:
        print_json(_hand_over_json(found))
        return
    a = found.assignment
    typer.echo(f"{a.kind.value} {a.id}  预警单 case {a.case_id}  {a.grade.value}  {a.reason}")
    if found.paid is not None:
        typer.echo(
            "已转账 paid: " + "  ".join(f"{name}={value}" for name, value in _paid(found.paid).items())
        )
    print_rows(
        found.said,
        {
            "时间 at": lambda said: centre_time(said.at, app),
            "呼叫 call": lambda said: said.n,
            "按键 pressed": lambda said: said.pressed or said.speech or "-",
            "机器人 robot": lambda said: "\n".join(said.robot),
            "值班 desk": lambda said: said.desk or "-",
        },
    )


@work.command("paid")
def paid(case_id: int, by: By) -> None:
    """已转账: the person says that money has been sent; opens the task to ask the bank to stop the payment."""
    with signed_application("work", by, Permission.WORK_DESK, Permission.WORK_VISITS) as (app, actor):
        opened = report_paid(app.services, actor, case_id)
    typer.echo(
        f"预警单 {case_id}：请立即办理止付 ask the bank now"
        if opened
        else f"预警单 {case_id}：止付任务已在办理 the stop payment is open already"
    )


@work.command("stop-payment")
def stop_payment(
    stop_payment_id: int,
    by: By,
    result: Annotated[str, typer.Option(help="asked, too_late or not_needed")] = StopResult.ASKED.value,
    bank: Annotated[str, typer.Option(help="which bank was asked; with --account and --yuan")] = "",
    account: Annotated[str, typer.Option(help="of the payee; stored encrypted")] = "",
    amount: Annotated[str, typer.Option("--yuan", help="to be stopped")] = "",
    at: Annotated[str, typer.Option(help="when, local time; without it now")] = "",
    receipt: Annotated[str, typer.Option(help="number of the bank's receipt; stored encrypted")] = "",
) -> None:
    """止付: record that a bank was asked, or why not. With --bank the request is followed up.
    Report the amount it stopped with `dialer work done`.
    """
    known = one_of(StopResult, result, field="--result")
    if known is not StopResult.ASKED and any((bank, account, amount, at, receipt)):
        raise Invalid(
            field="--result", problem="is not asked", fix="a request to a bank has the result asked"
        )
    with signed_application("work", by, Permission.WORK_DESK) as (app, actor):
        if any((bank, account, amount, at, receipt)):
            given = typed_stop_form(
                bank=bank,
                account=account,
                amount=amount,
                at=at,
                receipt=receipt,
                now=app.services.clock.now(),
                timezone=app.settings.centre.timezone,
            )
            request_id = add_stop_request(app.services, actor, stop_payment_id, given)
            typer.echo(f"stop payment {stop_payment_id}: {result}, request {request_id}")
            return
        complete_stop_payment(app.services, actor, stop_payment_id, result=known)
    typer.echo(f"stop payment {stop_payment_id}: {result}")


@work.command("stop-report")
def stop_report(
    request_id: int,
    by: By,
    result: Annotated[str, typer.Option(help="stopped, refused or no_answer")],
    stopped_yuan: Annotated[str, typer.Option(help="with stopped: what the bank holds")] = "0",
) -> None:
    """止付回执: record what the bank answered. Another person than the one who asked reports that it stopped or
    refused.
    """
    state = one_of(StopState, result, field="--result", among=BANK_ANSWERS)
    fen = parse_yuan(stopped_yuan, field="--stopped-yuan") if state is StopState.STOPPED else 0
    with signed_application("work", by, Permission.WORK_DESK) as (app, actor):
        report_stop_request(app.services, actor, request_id, state, stopped_fen=fen)
    typer.echo(f"request {request_id}: {result}")


@work.command("stop-requests")
def stop_requests(
    case: Annotated[int, typer.Option(help="all of one case; without it those without an answer")] = 0,
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """Requests to banks, the one that is to be followed up first at the top. Accounts are masked."""
    with command_application("work") as app:
        with app.services.store.begin() as tx:
            found = stop_requests_of(tx, case) if case else waiting_stop_requests(tx)
        now, zone = app.services.clock.now(), app.services.centre.zone
    if as_json:
        print_json([_stop_request_json(request, now) for request in found])
        return
    headings = (
        say(lang, "number"),
        say(lang, "case"),
        say(lang, "bank"),
        say(lang, "account"),
        say(lang, "yuan"),
        say(lang, "state"),
        say(lang, "follow up by"),
    )
    columns = {heading: itemgetter(place) for place, heading in enumerate(headings)}
    rows = [_stop_request_row(request, now, zone, lang) for request in found]
    empty = say(lang, "no requests to banks")
    print_rows(rows, columns, empty=empty, box=None, header_style="dim", pad_edge=False)


def _stop_request_json(request: StopRequest, now: datetime) -> dict[str, object]:
    """Amounts in fen."""
    names = (
        "id",
        "case_id",
        "bank",
        "account_masked",
        "amount_fen",
        "asked_at",
        "recorded_by",
        "follow_up_by",
    )
    return fields_of(request, *names, "state", "stopped_fen", "times_unanswered") | {
        "overdue": request.is_overdue(now),
        "confirmed_by": request.confirmed_by or None,
        "confirmed_at": request.confirmed_at,
    }


def _stop_request_row(request: StopRequest, now: datetime, zone: tzinfo, lang: Lang) -> tuple[str, ...]:
    late = f"{say(lang, 'overdue')} " if request.is_overdue(now) else ""
    due = f"[red]{late}[/]{moment_words(request.follow_up_by.astimezone(zone), now, lang)}"
    return (
        str(request.id),
        str(request.case_id),
        request.bank,
        request.account_masked,
        format_yuan(request.amount_fen),
        word_of(request.state, lang),
        due if request.waits else "-",
    )


def _hand_over_json(found: HandOverSheet) -> dict[str, object]:
    """Amounts in fen."""
    paid = found.paid
    return fields_of(found.assignment, "id", "case_id", "kind", "state", "reason") | {
        "paid": None
        if paid is None
        else fields_of(paid, "amount_fen", "payee_account_last4")
        | {"when": paid.when.name.lower() if paid.when else None},
        "said": [
            fields_of(said, "at", "asked_at", "pressed", "speech", "robot", "desk") | {"ring": said.n}
            for said in found.said
        ],
    }


def _paid(paid: ReportedPayment) -> dict[str, str]:
    return {
        "元 yuan": "-" if paid.amount_fen is None else str(paid.amount_fen // FEN_PER_YUAN),
        "账号末四位 account": paid.payee_account_last4 or "-",
        "时间 when": "-"
        if paid.when is None
        else f"{word_of(paid.when, Lang.ZH)} {word_of(paid.when, Lang.EN)}",
    }


@work.command("list")
def list_work(
    kind: Annotated[str, typer.Option(help="human, visit or all")] = "all",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """Open assignments and stop payments, the most urgent first."""
    track = None if kind == "all" else one_of(Track, kind, field="--kind", among=(Track.HUMAN, Track.VISIT))
    with command_application("work") as app:
        with app.services.store.begin() as tx:
            waiting = waiting_assignments(tx, kind=track, limit=limit)
            payments = waiting_stop_payments(tx, limit=limit) if track is None else []
        now = app.services.clock.now()
        zone = app.services.centre.zone
    if as_json:
        print_json(
            [_payment_json(payment) for payment in payments] + [_assignment_json(a, now) for a in waiting]
        )
        return
    rows = [
        (
            f"{say(lang, 'stop payment')} {payment.id}",
            str(payment.case_id),
            say(lang, "stop payment"),
            "",
            word_of(Reason.ALREADY_PAID, lang),
            f"[red]{say(lang, 'at once')}[/]",
            "-",
        )
        for payment in payments
    ]
    for a in waiting:
        late = f"{say(lang, 'overdue')} " if a.is_overdue(now) else ""
        rows.append(
            (
                str(a.id),
                str(a.case_id),
                word_of(a.kind, lang),
                word_of(a.grade, lang),
                word_of(Reason(a.reason), lang),
                f"[red]{late}[/]{moment_words(a.until.astimezone(zone), now, lang)}",
                a.signed_by or "-",
            )
        )
    headings = (
        say(lang, "number"),
        say(lang, "case"),
        say(lang, "kind"),
        say(lang, "grade"),
        say(lang, "reason"),
        say(lang, "due"),
        say(lang, "signed for by"),
    )
    columns = {heading: itemgetter(place) for place, heading in enumerate(headings)}
    empty = say(lang, "no open work")
    print_rows(rows, columns, empty=empty, box=None, header_style="dim", pad_edge=False)


def _assignment_json(a: Assignment, now: datetime) -> dict[str, object]:
    names = ("id", "case_id", "kind", "state", "grade", "reason", "unit", "opened_at", "due_at")
    return fields_of(a, *names) | {"overdue": a.is_overdue(now), "signed_by": a.signed_by or None}


def _payment_json(payment: StopPayment) -> dict[str, object]:
    """A stop payment among the assignments; `dialer work stop-payment ID` ends it."""
    return fields_of(payment, "id", "case_id", "opened_at") | {
        "kind": "stop_payment",
        "state": "open",
        "grade": None,
        "reason": "already_paid",
        "unit": "",
        "due_at": payment.opened_at,
        "overdue": True,
        "signed_by": None,
    }


@work.command("sign")
def sign(assignment_id: int, by: By) -> None:
    """签收: take an assignment."""
    with signed_application("work", by, Permission.WORK_DESK, Permission.WORK_VISITS) as (app, actor):
        sign_assignment(app.services, actor, assignment_id)
    typer.echo(f"assignment {assignment_id} signed by {actor.name}")


@work.command("arrive")
def arrive(assignment_id: int, by: By) -> None:
    """到达: the officer has arrived. A success in person is accepted from then on."""
    with signed_application("work", by, Permission.WORK_VISITS) as (app, actor):
        phone = PhoneAct(client_id=uuid.uuid4(), actor=actor)
        take_step(app.services, assignment_id, VisitStage.ARRIVED, phone=phone)
    typer.echo(f"assignment {assignment_id}: arrived")


@work.command("done")
def done(
    assignment_id: int,
    by: By,
    result: Annotated[str, typer.Option("--outcome", help="such as dissuaded_by_phone")],
    intended_yuan: Annotated[str, typer.Option(help="never paid 劝阻")] = "0",
    stopped_yuan: Annotated[str, typer.Option(help="paid, stopped at the bank 止付")] = "0",
    returned_yuan: Annotated[str, typer.Option(help="returned 返还")] = "0",
    evidence: Annotated[
        str, typer.Option(help="needed beside any amount: its reference, such as the number of the receipt")
    ] = "",
    evidence_kind: Annotated[
        str, typer.Option(help=f"what it is: {', '.join(EvidenceKind)}", show_default=False)
    ] = "",
    evidence_yuan: Annotated[
        str, typer.Option(help="the amount that it shows; no amount is above it", show_default=False)
    ] = "",
    evidence_file: Annotated[
        list[Path] | None,
        typer.Option(
            help="a PDF, JPEG, PNG or WebP that proves it; may be repeated",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    scammer: Annotated[
        str, typer.Option(help="was a scammer in contact with the person? yes, no or unknown")
    ] = "",
    no_call: Annotated[str, typer.Option(help="why a success by phone has no staff call")] = "",
    family: Annotated[
        str,
        typer.Option(
            help=f"of a call to the family, with the outcome cannot_find_yet: {', '.join(FamilyResult)}",
            show_default=False,
        ),
    ] = "",
) -> None:
    """反馈: report the outcome of an assignment. A success by phone without a staff call waits for approval."""
    amounts = Amounts(
        intended_fen=parse_yuan(intended_yuan, field="--intended-yuan"),
        stopped_fen=parse_yuan(stopped_yuan, field="--stopped-yuan"),
        returned_fen=parse_yuan(returned_yuan, field="--returned-yuan"),
    )
    with signed_application("work", by, Permission.WORK_DESK, Permission.WORK_VISITS) as (app, actor):
        kind = one_of(OutcomeKind, result, field="--outcome")
        asks = bool(scammer) or contact_of_outcome(kind) is Contact.VERIFIED
        given = WorkReport(
            outcome=kind,
            amounts=amounts,
            evidence=typed_evidence(evidence_kind, evidence_yuan, evidence),
            scammer_contact=one_of(ScammerContact, scammer, field="--scammer") if asks else None,
            no_call=no_call,
            family=one_of(FamilyResult, family, field="--family") if family else None,
            files=clean_evidence(app.services, [file.read_bytes() for file in evidence_file or ()]),
        )
        outcome_id = report_assignment(app.services, actor, assignment_id, given)
    typer.echo(f"outcome {outcome_id} recorded")


@outcome.command("approve")
def approve(
    outcome_id: int,
    by: Annotated[str, typer.Option(help="login of another person than who recorded it", callback=signer)],
    *,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="reverse approved amounts of the same kind and incident")
    ] = False,
) -> None:
    """Approve an outcome, as the second person."""
    with signed_application("work", by, Permission.APPROVE) as (app, actor):
        approve_outcome(app.services, actor, outcome_id, in_place=in_place)
    typer.echo(f"outcome {outcome_id} approved by {actor.name}")


@outcome.command("refuse")
def refuse(
    outcome_id: int,
    by: Annotated[str, typer.Option(help="login of another person than who recorded it", callback=signer)],
    why: Annotated[str, typer.Option(help="what who recorded it sees")],
    *,
    as_json: AsJson = False,
) -> None:
    """Refuse an outcome with a reason, as the second person; the person who recorded it gets it back."""
    with signed_application("work", by, Permission.APPROVE) as (app, actor):
        reversal = refuse_outcome(app.services, actor, outcome_id, why=why)
    if as_json:
        print_json({"outcome_id": outcome_id, "reversal_id": reversal})
        return
    typer.echo(f"outcome {outcome_id} refused by {actor.name}")


def approvals_command(
    login: Annotated[str, typer.Option(help="what waits for this account alone; without it everything")] = "",
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """待审批: what waits for a second person, each kind oldest first."""
    with command_application("work") as app:
        reader = InboxReader(who="", role=None, unit_id=None)
        if login:
            with app.services.store.begin() as tx:
                member = find_member(tx, login)
            if member is None:
                raise NotFound(kind="account", key=login)
            reader = InboxReader(who=member.login, role=member.role, unit_id=member.unit_id)
        inbox = read_inbox(app.services, reader)
        now, zone = app.services.clock.now(), app.services.centre.zone
    if as_json:
        print_json(_inbox_json(inbox))
        return
    headings = (
        say(lang, "kind"),
        say(lang, "number"),
        say(lang, "what"),
        say(lang, "recorded by"),
        say(lang, "when"),
    )
    columns = {heading: itemgetter(place) for place, heading in enumerate(headings)}
    rows = [
        (
            word_of(kind, lang),
            key,
            what,
            actor_word(by, lang) or "-",
            moment_words(at.astimezone(zone), now, lang),
        )
        for kind, key, what, by, at in _inbox_rows(inbox, lang)
    ]
    print_rows(
        rows, columns, empty=say(lang, "nothing waits for a second person"), box=None, header_style="dim"
    )


def _inbox_rows(inbox: Inbox, lang: Lang) -> Iterator[tuple[ApprovalKind, str, str, str, datetime]]:
    for payment in inbox.stop_payments:
        yield ApprovalKind.STOP_PAYMENT, str(payment.id), f"case {payment.case_id}", "", payment.opened_at
    for refused in inbox.returned:
        what = f"case {refused.case_id}"
        yield ApprovalKind.RETURNED, str(refused.id), what, refused.recorded_by, refused.at
    for line in inbox.money:
        fen = (line.intended_fen, line.stopped_fen, line.returned_fen)
        amounts = " / ".join(f"¥{format_yuan(amount)}" for amount in fen)
        what = f"case {line.case_id}  {word_of(line.kind, lang)}  {amounts}"
        yield ApprovalKind.MONEY, str(line.id), what, line.recorded_by, line.at
    for load in inbox.lists:
        yield ApprovalKind.LIST, str(load.id), load.filename, load.by, load.created_at
    for draft in inbox.drafts:
        version = draft.version
        key = f"{version.script_id} {version.number}"
        title = draft.title.get(lang.value, "")
        yield ApprovalKind.SCRIPT, key, title, version.drafted_by, version.drafted_at
    versions: list[tuple[ApprovalKind, str, str, VersionDraft | CardDraft]] = [
        *((ApprovalKind.RULES, str(one.number), "", one) for one in inbox.rules),
        *((ApprovalKind.PLAN, str(one.number), "", one) for one in inbox.plans),
        *((ApprovalKind.KNOWLEDGE, f"{one.card_id} {one.number}", one.title, one) for one in inbox.cards),
    ]
    for kind, key, title, one in versions:
        yield kind, key, title, one.drafted_by, one.drafted_at
    for change in (asked.change for asked in inbox.changes):
        what = f"{change.login}  {word_of(change.kind, lang)}"
        yield ApprovalKind.ACCOUNT, str(change.id), what, change.asked_by, change.asked_at
    for filed in inbox.filed:
        yield ApprovalKind.FILED, filed.case_number, word_of(filed.fraud_type, lang), "", filed.filed_at
    for entry in inbox.restrictions:
        what = f"{entry.person}  {entry.authority}"
        yield ApprovalKind.RESTRICTION, entry.document_no, what, entry.entered_by, entry.entered_at
    for bulletin in inbox.bulletins:
        yield (
            ApprovalKind.BULLETIN,
            bulletin.days.name,
            title_of(bulletin.days, lang),
            bulletin.made_by,
            bulletin.made_at,
        )
    for token in inbox.tokens:
        what = f"{token.name}  {' '.join(sorted(token.scopes))}"
        yield ApprovalKind.API_TOKEN, str(token.id), what, token.asked_by, token.asked_at


def _inbox_json(inbox: Inbox) -> dict[str, object]:
    """Amounts in fen. No evidence, no reasons."""
    fen = ("intended_fen", "stopped_fen", "returned_fen")
    return {
        "counts": {kind.value: n for kind, n in inbox.counts.items()},
        "money": [
            fields_of(money, "id", "case_id", "kind", "contact", "track", *fen, "recorded_by", "at")
            | {
                "evidence_kind": money.evidence_kind.value if money.evidence_kind else None,
                "evidence_fen": money.evidence_fen,
                "files": len(inbox.files.get(money.id, ())),
                "conflicts": [line.id for line in inbox.conflicts.get(money.id, ())],
            }
            for money in inbox.money
        ],
        "returned": [
            fields_of(line, "id", "case_id", "kind", *fen, "recorded_by", "refused_by", "at")
            for line in inbox.returned
        ],
        "stop_payments": [
            fields_of(payment, "id", "case_id", "opened_at") for payment in inbox.stop_payments
        ],
        "lists": [
            fields_of(load, "id", "filename", "source", "total", "early_accepted", "by", "created_at")
            for load in inbox.lists
        ],
        "scripts": [
            fields_of(draft.version, "script_id", "number", "drafted_by", "drafted_at") | {"live": draft.live}
            for draft in inbox.drafts
        ],
        "rules": [fields_of(rules, "number", "drafted_by", "drafted_at") for rules in inbox.rules],
        "plans": [fields_of(plan, "number", "drafted_by", "drafted_at") for plan in inbox.plans],
        "knowledge": [
            fields_of(card, "card_id", "number", "title", "retires", "drafted_by", "drafted_at")
            for card in inbox.cards
        ],
        "quality": [fields_of(rules, "number", "drafted_by", "drafted_at") for rules in inbox.quality],
        "accounts": [
            fields_of(asked.change, "id", "kind", "login", "role", "asked_by", "asked_at", "expires_at")
            for asked in inbox.changes
        ],
        "filed": [fields_of(filed, "case_number", "fraud_type", "unit", "filed_at") for filed in inbox.filed],
        "restrictions": [
            fields_of(restriction, "id", "document_no", "authority", "from_on", "until_on", "entered_by")
            for restriction in inbox.restrictions
        ],
        "bulletins": [
            {
                "id": bulletin.id,
                "days": bulletin.days.name,
                "made_by": bulletin.made_by,
                "made_at": bulletin.made_at,
            }
            for bulletin in inbox.bulletins
        ],
        "tokens": [
            fields_of(token, "id", "name", "unit", "days", "asked_by", "asked_at", "expires_at")
            | {"scopes": sorted(token.scopes), "sources": list(token.sources)}
            for token in inbox.tokens
        ],
    }
