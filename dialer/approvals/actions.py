"""The inbox of one person: what waits for their decision, oldest first; and the decisions about money, one by one and
in batches. Nobody decides about what they recorded themselves, and nobody sees what their unit does not see.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from dialer.approvals.queries import (
    MoneyOrder,
    MoneyReturned,
    MoneyWaiting,
    VersionDraft,
    WaitingCounts,
    cases_of_outcomes,
    count_waiting,
    draft_ids,
    drafts_waiting,
    evidence_of,
    money_returned,
    money_waiting,
    plan_drafts,
    quality_drafts,
    rule_drafts,
)
from dialer.cards.determinations.actions import Determination, list_determinations
from dialer.cases.reveals import note_work_reveal
from dialer.cases.store import lock_cases
from dialer.core.access import Actor, Permission, Role, is_same_actor, may, required_text
from dialer.core.case import NO_CALL
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.core.values import Amounts, ApprovalKind, Evidence, FiledState, check_evidence
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Tx
from dialer.db.vault import Vault
from dialer.figures.bulletins import BulletinLine, list_bulletins
from dialer.knowledge.store import CardDraft, card_drafts
from dialer.org.account_changes import WaitingChange, list_changes
from dialer.org.tokens import TokenRequest, waiting_tokens
from dialer.outcomes.evidence_files import (
    FIELD,
    CleanFile,
    EvidenceFile,
    UnsealedFile,
    add_evidence_files,
    files_of_outcomes,
    unseal_file,
)
from dialer.outcomes.filed_lists import FiledLine, list_filed
from dialer.outcomes.ledger import (
    ConflictingLine,
    EvidenceUnread,
    conflicting_lines,
    correct_outcome_row,
    evidence_read_by,
    recorded_outcome,
    refuse_outcome_row,
)
from dialer.runtime.services import Services
from dialer.scripts.reading import shipped_scripts
from dialer.scripts.store import Version, live_scripts, script_version_by_id
from dialer.warnings.queries import LoadLine, loads_waiting
from dialer.work.assignments import Scope
from dialer.work.desk_store import StopPayment, waiting_stop_payments
from dialer.work.tasks import approve_in_transaction, enqueue_after_report, offer_refused_task

MOST_AT_ONCE = 100
"""The most lines of a kind on a page, and the most lines of a batch."""
MOST_UNSAMPLED = 10
"""A larger batch can be approved only after the evidence of a sample has been read."""
_SAMPLED_SHARE, _FEWEST_SAMPLED = 0.1, 3
_LONGEST_WHY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxReader:
    """The person whose inbox is read. `role` None: the inbox of everybody, as the server's terminal shows it."""

    who: str
    role: Role | None
    unit_id: int | None

    def decides(self, kind: ApprovalKind) -> bool:
        """Whether this person may decide something of this kind at all."""
        if self.unit_id is not None and kind in _OF_CENTRE:
            return False  # these belong to the whole centre
        return self.role is None or may(self.role, _PERMISSIONS[kind])


_PERMISSIONS: Mapping[ApprovalKind, Permission] = {
    ApprovalKind.MONEY: Permission.APPROVE,
    ApprovalKind.RETURNED: Permission.WORK_CASES,
    ApprovalKind.STOP_PAYMENT: Permission.WORK_DESK,
    ApprovalKind.LIST: Permission.APPROVE,
    ApprovalKind.SCRIPT: Permission.APPROVE,
    ApprovalKind.RULES: Permission.APPROVE,
    ApprovalKind.PLAN: Permission.APPROVE,
    ApprovalKind.ACCOUNT: Permission.CONFIRM_STAFF_CHANGES,
    ApprovalKind.FILED: Permission.DECIDE_FILED,
    ApprovalKind.RESTRICTION: Permission.APPROVE,
    ApprovalKind.BULLETIN: Permission.APPROVE,
    ApprovalKind.KNOWLEDGE: Permission.APPROVE,
    ApprovalKind.QUALITY: Permission.APPROVE,
    ApprovalKind.API_TOKEN: Permission.CONFIRM_STAFF_CHANGES,
}
_OF_CENTRE = frozenset(
    {
        ApprovalKind.SCRIPT,
        ApprovalKind.RULES,
        ApprovalKind.PLAN,
        ApprovalKind.FILED,
        ApprovalKind.RESTRICTION,
        ApprovalKind.BULLETIN,
        ApprovalKind.KNOWLEDGE,
        ApprovalKind.QUALITY,
        ApprovalKind.API_TOKEN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version of a script that nobody has approved."""

    version: Version
    title: Mapping[str, str]
    """By language; empty for a script that is not shipped."""
    live: int | None
    """The number of the live version; None without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What waits for one person, each kind oldest first, money in the order that was asked for; of money and of what
    was returned, `MOST_AT_ONCE` at most.
    """

    counts: Mapping[ApprovalKind, int]
    """The number of everything that waits for this person, by the kinds that they decide."""
    money: Sequence[MoneyWaiting] = ()
    files: Mapping[int, Sequence[EvidenceFile]] = field(default_factory=dict)
    """The files that prove the amounts, by the id of the line of `money`."""
    conflicts: Mapping[int, Sequence[ConflictingLine]] = field(default_factory=dict)
    """Other lines of the incident with an amount of the same kind that are not reversed, by the id of the line
    of `money`.
    """
    returned: Sequence[MoneyReturned] = ()
    stop_payments: Sequence[StopPayment] = ()
    lists: Sequence[LoadLine] = ()
    drafts: Sequence[Draft] = ()
    rules: Sequence[VersionDraft] = ()
    plans: Sequence[VersionDraft] = ()
    changes: Sequence[WaitingChange] = ()
    filed: Sequence[FiledLine] = ()
    restrictions: Sequence[Determination] = ()
    bulletins: Sequence[BulletinLine] = ()
    cards: Sequence[CardDraft] = ()
    """Drafts of knowledge cards."""
    quality: Sequence[VersionDraft] = ()
    """Drafts of rules of the inspection of calls."""
    tokens: Sequence[TokenRequest] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def counts_for(counts: WaitingCounts, reader: InboxReader) -> dict[ApprovalKind, int]:
    """How many of each kind wait for this person, of `counts`, which are those of the unit."""
    return {
        kind: sum(n for made, n in by_person.items() if _waits_for(kind, reader.who, made.by, made.concerns))
        for kind, by_person in counts.items()
        if reader.decides(kind)
    }


def _waits_for(kind: ApprovalKind, who: str, by: str, concerns: str) -> bool:
    if kind is ApprovalKind.RETURNED:
        return not who or is_same_actor(who, by)
    return _is_of_others(who, by, concerns)


def _is_of_others(who: str, *made: str) -> bool:
    """Whether this person neither made it nor is concerned by it; always true without a person (`''`)."""
    return not who or not any(is_same_actor(who, maker) for maker in made)


def read_counts(services: Services, *, visible_to: int | None) -> WaitingCounts:
    """How much waits in a unit, by kind and by who made it."""
    with services.store.begin() as tx:
        return _count(tx, services, visible_to)


def _count(tx: Tx, services: Services, visible_to: int | None) -> WaitingCounts:
    return count_waiting(tx, visible_to=visible_to, now=services.clock.now(), real_now=services.real.now())


def read_inbox(services: Services, reader: InboxReader, *, order: MoneyOrder = MoneyOrder.LARGEST) -> Inbox:
    """What waits for this person now; lines with money in this order."""
    who, unit_id, decides = reader.who, reader.unit_id, reader.decides
    most = MOST_AT_ONCE
    with services.store.begin() as tx:
        counts = _count(tx, services, unit_id)
        money = (
            money_waiting(tx, who=who, visible_to=unit_id, limit=most, order=order)
            if decides(ApprovalKind.MONEY)
            else []
        )
        files = files_of_outcomes(tx, [line.id for line in money])
        conflicts = conflicting_lines(tx, [line.id for line in money], visible_to=unit_id)
        returned = (
            money_returned(tx, who=who, visible_to=unit_id, limit=most)
            if decides(ApprovalKind.RETURNED)
            else []
        )
        stops = (
            waiting_stop_payments(tx, scope=Scope(unit_id=unit_id))
            if decides(ApprovalKind.STOP_PAYMENT)
            else []
        )
        lists = loads_waiting(tx, visible_to=unit_id) if decides(ApprovalKind.LIST) else ()
        drafts = _drafts(tx, who) if decides(ApprovalKind.SCRIPT) else []
        rules = rule_drafts(tx, who=who) if decides(ApprovalKind.RULES) else []
        plans = plan_drafts(tx, who=who) if decides(ApprovalKind.PLAN) else []
        cards = card_drafts(tx, who=who) if decides(ApprovalKind.KNOWLEDGE) else []
        quality = quality_drafts(tx, who=who) if decides(ApprovalKind.QUALITY) else []
    changes = list_changes(services, visible_to=unit_id) if decides(ApprovalKind.ACCOUNT) else []
    filed = list_filed(services, state=FiledState.DOUBTFUL).lines if decides(ApprovalKind.FILED) else ()
    restrictions = (
        list_determinations(services, waiting_only=True) if decides(ApprovalKind.RESTRICTION) else []
    )
    bulletins = list_bulletins(services, waiting_only=True) if decides(ApprovalKind.BULLETIN) else []
    tokens = waiting_tokens(services) if decides(ApprovalKind.API_TOKEN) else []
    return Inbox(
        counts=counts_for(counts, reader),
        money=money,
        files=files,
        conflicts=conflicts,
        returned=returned,
        stop_payments=stops,
        lists=[load for load in lists if _is_of_others(who, load.by)],
        drafts=drafts,
        rules=rules,
        plans=plans,
        cards=cards,
        quality=quality,
        changes=[
            change for change in changes if _is_of_others(who, change.change.asked_by, change.change.login)
        ],
        filed=sorted(filed, key=lambda match: match.filed_at),
        bulletins=sorted(
            (bulletin for bulletin in bulletins if _is_of_others(who, bulletin.made_by)),
            key=lambda bulletin: bulletin.made_at,
        ),
        restrictions=[
            restriction
            for restriction in reversed(restrictions)
            if _is_of_others(who, restriction.entered_by)
        ],
        tokens=[token for token in tokens if _is_of_others(who, token.asked_by)],
    )


def _drafts(tx: Tx, who: str) -> list[Draft]:
    ids = draft_ids(tx, who=who)
    live = {name: running.version_id for name, running in live_scripts(tx).items()} if ids else {}
    numbers = {name: script_version_by_id(tx, version_id).number for name, version_id in live.items()}
    return [_draft(script_version_by_id(tx, version_id), numbers) for version_id in ids]


def _draft(version: Version, live: Mapping[str, int]) -> Draft:
    shipped = shipped_scripts().get(version.script_id)
    return Draft(
        version=version,
        title=shipped.title if shipped is not None else {},
        live=live.get(version.script_id),
    )


class SampleUnread(EvidenceUnread):
    """A batch whose sample must be read before it is approved."""

    def __init__(self, sample: Collection[int], *, of: int) -> None:
        super().__init__(
            sample,
            Text(
                "a batch of %(of)s is approved after the evidence of a sample was read: %(n)s of its lines are left",
                of=of,
                n=len(sample),
            ),
        )


def sample_of(vault: Vault, outcome_ids: Collection[int], *, who: str) -> tuple[int, ...]:
    """The lines of a batch whose evidence must be read before it is approved: a tenth, three at least; none of a small
    batch. They look random and cannot be predicted, and they are always the same for the same batch and person, so that
    nobody can draw again.
    """
    ids = sorted(set(outcome_ids))
    if len(ids) <= MOST_UNSAMPLED:
        return ()
    batch = f"{who} {ids}"
    drawn = sorted(
        ids,
        key=lambda outcome_id: vault.sign(f"{batch} {outcome_id}".encode(), purpose="sample of approvals"),
    )
    return tuple(sorted(drawn[: max(_FEWEST_SAMPLED, math.ceil(len(ids) * _SAMPLED_SHARE))]))


def approve_outcomes(
    services: Services, actor: Actor, outcome_ids: Collection[int], *, in_place: bool = False
) -> int:
    """Approves all of these lines, or none; returns how many. With `in_place`, reverses approved amounts of the same
    kind and incident; without it they raise `AmountsConflict`. Raises `Invalid` for none and for more than
    `MOST_AT_ONCE`, `NotFound`, `Conflict` for a line that this person may not decide or that is already decided, and
    `EvidenceUnread`, also as `SampleUnread`.
    """
    ids = _chosen_lines(outcome_ids)
    with services.act(actor, Permission.APPROVE) as act:
        cases = cases_of_outcomes(act.tx, ids, visible_to=actor.unit_id)
        if missing := [outcome_id for outcome_id in ids if outcome_id not in cases]:
            raise NotFound(kind="outcome", key=missing[0])
        sample = set(sample_of(act.tx.vault, ids, who=act.by))
        if sample and (unread := sample - evidence_read_by(act.tx, act.by, sample, now=act.now)):
            raise SampleUnread(unread, of=len(ids))
        must_cancel = approve_in_transaction(act, services, cases, in_place=in_place)
    if must_cancel is not None:
        enqueue_after_report(services, must_cancel=must_cancel)
    return len(ids)


def read_evidence(services: Services, actor: Actor, outcome_ids: Collection[int]) -> dict[int, str]:
    """The evidence in clear by the id of the line, for lines that wait for this person's decision; every line is
    audited. Raises `NotFound` for any other line.
    """
    ids = sorted(set(outcome_ids))[:MOST_AT_ONCE]
    with services.act(actor, Permission.APPROVE) as act:
        tx = act.tx
        waiting = {
            line.id: line.case_id
            for line in money_waiting(tx, who=act.by, visible_to=actor.unit_id, limit=MOST_AT_ONCE, ids=ids)
        }
        if missing := [outcome_id for outcome_id in ids if outcome_id not in waiting]:
            raise NotFound(kind="outcome", key=missing[0])
        for outcome_id in ids:
            note_work_reveal(
                tx,
                services,
                who=act.by,
                act="view_evidence",
                subject=f"case/{waiting[outcome_id]}",
                why="approval",
                facts={"outcome_id": outcome_id},
            )
        if not ids:
            act.needs_no_record()
        return evidence_of(tx, ids)


def read_evidence_file(services: Services, actor: Actor, outcome_id: int, file_id: UUID) -> UnsealedFile:
    """A file of a line that waits for this person's decision, which is the reason in the audit. Raises `NotFound` for
    any other file.
    """
    with services.act(actor, Permission.APPROVE) as act:
        tx = act.tx
        waiting = money_waiting(tx, who=act.by, visible_to=actor.unit_id, limit=1, ids=[outcome_id])
        files = files_of_outcomes(tx, [line.id for line in waiting]).get(outcome_id, ())
        if file_id not in {file.id for file in files}:
            raise NotFound(kind="file", key=file_id)
        found = unseal_file(tx, file_id)
        subject, facts = f"case/{found.case_id}", {"outcome_id": outcome_id}
        note_work_reveal(
            tx, services, who=act.by, act=found.act, subject=subject, why="approval", facts=facts
        )
    return found


def refuse_outcome(services: Services, actor: Actor, outcome_id: int, *, why: str) -> int:
    """Refuses a line: a new line, whose id is returned, reverses it, and the recorder gets it back with the reason; the
    task of a success without a call is open again. Raises `NotFound`, `Invalid` without a reason, and `Conflict` as an
    approval does.
    """
    reason = required_text("why", why)[:_LONGEST_WHY]
    with services.act(actor, Permission.APPROVE) as act:
        case_id = _lock_case(act, outcome_id)
        refused = recorded_outcome(act.tx, outcome_id)
        line = refuse_outcome_row(act.tx, outcome_id, by=act.by, why=reason, now=act.now)
        if refused.reason == NO_CALL:
            offer_refused_task(act.tx, refused, now=act.now)
        facts = {"outcome_id": outcome_id, "line": line}
        act.audit("refuse_outcome", f"case/{case_id}", why=reason, facts=facts)
    return line


def refuse_outcomes(
    services: Services, actor: Actor, outcome_ids: Collection[int], *, why: str
) -> Mapping[int, Refusal]:
    """Refuses these lines with one reason, each in a transaction of its own; returns why some could not be, by line.
    Raises `Invalid` without a reason or a line, and for more than `MOST_AT_ONCE`.
    """
    required_text("why", why)
    failed: dict[int, Refusal] = {}
    for outcome_id in _chosen_lines(outcome_ids):
        try:
            refuse_outcome(services, actor, outcome_id, why=why)
        except (Conflict, NotFound) as fault:
            failed[outcome_id] = fault
    return failed


def _chosen_lines(outcome_ids: Collection[int]) -> list[int]:
    ids = sorted(set(outcome_ids))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        problem = Text("choose between 1 and %(most)s lines", most=MOST_AT_ONCE)
        raise Invalid(field="outcome", problem=problem)
    return ids


def correct_outcome(
    services: Services,
    actor: Actor,
    outcome_id: int,
    *,
    amounts: Amounts,
    evidence: Evidence | None,
    files: Sequence[CleanFile] = (),
) -> int:
    """Answers a refusal for its recorder: with amounts and their evidence, which wait for approval again, or with none.
    Returns the id of the new line. Raises `NotFound` for a line that is not refused or that another person recorded,
    `Invalid` for money without evidence, and `Conflict` if it is already answered.
    """
    check_evidence(amounts, evidence)
    if files and amounts.is_nothing:
        raise Invalid(field=FIELD, problem="prove no amount", fix="enter the amount that they prove")
    with services.act(actor, Permission.WORK_CASES) as act:
        case_id = _lock_case(act, outcome_id)
        line = correct_outcome_row(
            act.tx, outcome_id, amounts=amounts, evidence=evidence, by=act.by, now=act.now
        )
        add_evidence_files(act.tx, line, files, case_id=case_id, by=act.by, now=act.now)
        act.audit("correct_outcome", f"case/{case_id}", facts={"outcome_id": outcome_id, "line": line})
    return line


def _lock_case(act: OpenAct, outcome_id: int) -> int:
    """The case of the outcome, locked. Raises `NotFound`."""
    case_id = cases_of_outcomes(act.tx, [outcome_id], visible_to=act.actor.unit_id).get(outcome_id)
    if case_id is None:
        raise NotFound(kind="outcome", key=outcome_id)
    lock_cases(act.tx, [case_id])
    return case_id


_TOLD_AGAIN = timedelta(hours=6)


def watch_drafts(services: Services) -> int:
    """Raises an alarm for the drafts of plan, rules, scripts and knowledge cards that have waited for a second person
    longer than `work.draft_wait_hours`, and again six hours after somebody acknowledged it. Returns how many there are.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        waiting = drafts_waiting(tx, since=now - timedelta(hours=services.work.draft_wait_hours))
        if waiting:
            kinds = sorted(kind.value for kind in waiting)
            facts = {
                "problem": Text(
                    "drafts that wait for a second person: %(n)s", n=sum(waiting.values())
                ).plain(),
                "fix": Text("open Approvals, and approve or replace them").plain(),
            }
            raise_alarm_once(
                tx, AlarmCode.DRAFTS_WAIT, now=now, facts=facts, names=kinds, again_after=_TOLD_AGAIN
            )
    return sum(waiting.values())
