"""The page of approvals 待审批: what waits for the person who is signed in, and their decisions; and the number beside
its entry in the navigation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import File, Form, Path, UploadFile
from starlette.responses import Response

from dialer.approvals.actions import (
    MOST_AT_ONCE,
    MOST_UNSAMPLED,
    InboxReader,
    approve_outcomes,
    correct_outcome,
    counts_for,
    read_counts,
    read_evidence,
    read_evidence_file,
    read_inbox,
    refuse_outcome,
    refuse_outcomes,
)
from dialer.approvals.queries import MoneyOrder, WaitingCounts
from dialer.core.access import Permission
from dialer.core.case import StopResult
from dialer.core.errors import Conflict, Invalid
from dialer.core.text import gettext_noop
from dialer.core.values import AmountKind, Amounts, EvidenceKind, parse_yuan, typed_evidence
from dialer.figures.bulletin_words import days_words, title_of
from dialer.outcomes.evidence_files import FIELD, clean_evidence
from dialer.outcomes.ledger import EvidenceUnread
from dialer.staff.token_store import SCOPE_WORDS
from dialer.web.cache import Cache
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import FILES_AGAIN, MOST_EVIDENCE, sealed_file, sent_files, typed_word
from dialer.work.desk import complete_stop_payment

approval_pages = PageSection()
_PATH, _TEMPLATE = "/approvals", "console/approvals.html"
_UNFIT, _TAKEN = 422, 409
_BADGE_SECONDS = 10.0
_LONGEST = 500
Number = Annotated[int, Path(ge=1, lt=2**63)]
Chosen = Annotated[list[Annotated[int, Form(ge=1, lt=2**63)]] | None, Form(max_length=2 * MOST_AT_ONCE)]
Short = Annotated[str, Form(max_length=40)]
Words = Annotated[str, Form(max_length=_LONGEST)]


@dataclass(frozen=True, slots=True)
class LineForm:
    """A form of the line `id` that was rejected: what was typed, and what is wrong, by field."""

    id: int
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)


def _reader(request: RequestContext) -> InboxReader:
    member = request.member
    return InboxReader(who=request.who, role=member.role, unit_id=member.unit_id)


def _counts(request: RequestContext) -> Cache[int | None, WaitingCounts]:
    """What waits in a unit, by who made it; read once for everybody of the unit."""
    services = request.services
    return request.cache(
        "approvals", lambda unit_id: read_counts(services, visible_to=unit_id), seconds=_BADGE_SECONDS
    )


def waiting_for(request: RequestContext) -> int:
    """How many things wait for this person, as of some seconds ago; 0 while they are being counted for the
    first time.
    """
    counts = _counts(request).get(request.member.unit_id).value
    return sum(counts_for(counts, _reader(request)).values()) if counts is not None else 0


@approval_pages.get(
    _PATH,
    act=Permission.SEE_APPROVALS,
    nav=gettext_noop("Approvals"),
    order=35,
    badge=waiting_for,
    shows_people=True,
)
def approvals(request: CurrentRequest, order: str = "") -> Response:
    """What waits for this person; lines with money largest or oldest first."""
    return _show(request, order=typed_word(MoneyOrder, order) or MoneyOrder.LARGEST)


@approval_pages.post(_PATH + "/evidence", act=Permission.APPROVE)
def evidence(request: CurrentRequest, outcome: Chosen = None) -> Response:
    """The chosen lines with their evidence in clear, on this page only; audited."""
    return _show(request, ticked=outcome or (), read=_read(request, outcome or ()))


@approval_pages.post(_PATH + "/outcomes/{outcome_id}/files/{file_id}", act=Permission.APPROVE)
def evidence_file(request: CurrentRequest, outcome_id: Number, file_id: UUID) -> Response:
    """A file of a line that waits for this person; audited."""
    found = read_evidence_file(request.services, request.actor, outcome_id, file_id)
    return sealed_file(found.content, found.media_type, name=f"{outcome_id}-{str(file_id)[:8]}")


@approval_pages.post(_PATH + "/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, outcome: Chosen = None, in_place: Short = "") -> Response:
    """Approves the chosen lines; a single one with `in_place` replaces the approved lines that it conflicts with. For a
    large batch, first shows a sample with its evidence.
    """
    chosen = outcome or ()
    try:
        approve_outcomes(
            request.services,
            request.actor,
            chosen,
            in_place=bool(in_place) and len(chosen) == 1,
        )
    except EvidenceUnread as fault:
        read = _read(request, fault.outcome_ids)
        note = gettext_noop(
            "Compare this evidence with its amounts. Untick what is wrong, then approve the lines."
        )
        return _show(request, ticked=chosen, read=read, note=request.say(note), status=_TAKEN)
    except Invalid as fault:
        return _show(request, refused=request.refusal(fault), status=_UNFIT)
    except Conflict as fault:
        return _show(request, ticked=chosen, refused=request.refusal(fault), status=_TAKEN)
    return _done(request, gettext_noop("Approved."))


@approval_pages.post(_PATH + "/refuse", act=Permission.APPROVE)
def refuse_many(request: CurrentRequest, outcome: Chosen = None, why: Words = "") -> Response:
    """Refuses the chosen lines with one reason: their recorders get them back with it."""
    chosen = outcome or ()
    try:
        failed = refuse_outcomes(request.services, request.actor, chosen, why=why)
    except Invalid as fault:
        return _show(request, ticked=chosen, refused=request.refusal(fault), status=_UNFIT)
    if failed:
        reasons = "; ".join(f"{key}: {request.refusal(fault)}" for key, fault in failed.items())
        return _show(request, ticked=failed, refused=reasons, status=_TAKEN)
    return _done(request, gettext_noop("Refused; who recorded them sees why."))


@approval_pages.post(_PATH + "/outcomes/{outcome_id}/refuse", act=Permission.APPROVE)
def refuse(request: CurrentRequest, outcome_id: Number, why: Words = "") -> Response:
    """Refuses a line: its recorder gets it back with the reason."""
    try:
        refuse_outcome(request.services, request.actor, outcome_id, why=why)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show(request, form=LineForm(outcome_id, {"why": why}, wrong), status=_UNFIT)
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return _done(request, gettext_noop("Refused; who recorded it sees why."))


@approval_pages.post(
    _PATH + "/outcomes/{outcome_id}/correct", act=Permission.WORK_CASES, most_bytes=MOST_EVIDENCE
)
def correct(
    request: CurrentRequest,
    outcome_id: Number,
    intended: Short = "",
    stopped: Short = "",
    returned: Short = "",
    evidence_kind: Short = "",
    evidence_yuan: Short = "",
    evidence: Words = "",
    evidence_files: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """The recorder's answer to a refusal: other amounts or other evidence, or no amounts."""
    typed = {
        "intended": intended,
        "stopped": stopped,
        "returned": returned,
        "evidence_kind": evidence_kind,
        "evidence_yuan": evidence_yuan,
        "evidence": evidence,
    }
    sent = sent_files(evidence_files)
    try:
        amounts = Amounts(
            **{f"{kind}_fen": parse_yuan(typed[kind] or "0", field=kind) for kind in sorted(AmountKind)}
        )
        correct_outcome(
            request.services,
            request.actor,
            outcome_id,
            amounts=amounts,
            evidence=typed_evidence(evidence_kind, evidence_yuan, evidence)
            if not amounts.is_nothing
            else None,
            files=clean_evidence(request.services, sent),
        )
    except Invalid as fault:
        wrong = {fault.field.removesuffix("_fen"): request.refusal(fault)}
        if sent:
            wrong.setdefault(FIELD, request.say(FILES_AGAIN))
        return _show(request, form=LineForm(outcome_id, typed, wrong), status=_UNFIT)
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return _done(request, gettext_noop("Recorded again."))


@approval_pages.post(_PATH + "/stop-payments/{payment_id}/done", act=Permission.WORK_DESK)
def stopped(
    request: CurrentRequest, payment_id: Number, result: Annotated[StopResult, Form()] = StopResult.ASKED
) -> Response:
    """Reports the result of a stop-payment request."""
    try:
        complete_stop_payment(request.services, request.actor, payment_id, result=result)
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return _done(request, gettext_noop("The stop-payment task is done."))


def _read(request: RequestContext, outcome_ids: Collection[int]) -> Mapping[int, str]:
    return read_evidence(request.services, request.actor, outcome_ids)


def _done(request: RequestContext, notice: str) -> Response:
    _counts(request).forget(request.member.unit_id)
    return request.redirect_to(_PATH, notice=notice)


def _show(
    request: RequestContext,
    *,
    ticked: Collection[int] = (),
    read: Mapping[int, str] | None = None,
    form: LineForm | None = None,
    note: str = "",
    refused: str = "",
    status: int = 200,
    order: MoneyOrder = MoneyOrder.LARGEST,
) -> Response:
    """The page. `read`: evidence in clear by the id of the line; `form`: the form of a line that was rejected."""
    return request.page(
        _TEMPLATE,
        status=status,
        inbox=read_inbox(request.services, _reader(request), order=order),
        order=order,
        ticked=set(ticked),
        read=read or {},
        form=form or LineForm(0),
        note=note,
        refused=refused,
        bulletin_words=lambda days: f"{title_of(days, request.lang)} · {days_words(days, request.lang)}",
        scope_words=lambda scopes: ", ".join(request.say(SCOPE_WORDS[scope]) for scope in sorted(scopes)),
        stop_results=(StopResult.TOO_LATE, StopResult.NOT_NEEDED),
        evidence_kinds=tuple(EvidenceKind),
        most=MOST_AT_ONCE,
        unsampled=MOST_UNSAMPLED,
        yuan=lambda fen: f"{fen / 100:.2f}".rstrip("0").rstrip(".") if fen else "",
    )
