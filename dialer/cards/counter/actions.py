"""The counter: an opening is checked while the customer is there, and entered with its result. A check belongs to one
opening in progress of one person, so that nobody can browse people; each check is audited, and many in an hour at one
outlet raise an alarm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dialer.cards.counter.desk_store import ask_about, change_question, open_question_about
from dialer.cards.counter.facts import ToCheck, read_facts
from dialer.cards.counter.possible_victims import (
    is_said_by_outlet,
    is_warned_already,
    open_warning,
    warn_unanswered,
)
from dialer.cards.counter.store import (
    count_checks,
    count_unfinished,
    end_questions,
    findings_before,
    insert_check,
)
from dialer.cards.determinations.store import restrictions_of
from dialer.cards.openings.checks import CheckResult, shipped_checks
from dialer.cards.openings.store import (
    Outlet,
    change_opening,
    insert_openings,
    join_facts,
    lock_opening_numbered,
    new_opening_ids,
    number_blind,
    opening_personal,
    opening_row,
    outlet_of,
    own_opening,
    person_blind,
    seal_opening,
    set_result,
    with_earlier,
)
from dialer.cards.rings.model import find_rings
from dialer.cards.rings.store import OpeningFinder, list_frequent_opener, node_of, store_ring
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import CardProduct, OpeningResult
from dialer.core.errors import Conflict, Invalid, TooMany
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Row, Tx
from dialer.intake.opening_lists import OpeningRecord, card_number
from dialer.runtime.services import Services

_RATE: Final = timedelta(hours=1)
_HAS_RESULT = gettext_noop("this opening has its result already")
_STORED: Final = timedelta(days=30)
"""An account whose `asked_at` is this long before the check counts as a stored account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOpening:
    """The result of checking one opening. `answer` is what was found, and not what the outlet is told (`Checks.told`).
    `case_id`: the case of a customer who is warned already, if this was entered there.
    """

    opening_id: int
    check_id: int
    answer: CheckResult
    at: datetime
    case_id: int | None = None


def check_opening(
    services: Services,
    actor: Actor,
    record: OpeningRecord,
    *,
    outlet_id: int,
    source: str,
    most_unfinished: int | None = None,
) -> CheckedOpening:
    """Opens, or finds, the opening in progress and checks it with the data given now, as of this moment. Raises
    `NotFound` for the outlet, `Conflict` if the number belongs to an opening of another person or outlet, or to a
    finished one, and `TooMany` if the teller has `most_unfinished` others without a card or a refusal.
    """
    with services.act(actor, Permission.ENTER_OPENINGS) as act:
        tx, now = act.tx, act.now
        record = replace(record, asked_at=now)
        outlet = outlet_of(tx, outlet_id)
        row, record = _in_progress(tx, services, record, outlet, by=act.by, source=source)
        opening_id: int = row["id"]
        if most_unfinished is not None:
            _check_few_unfinished(act, outlet, opening_id, most=most_unfinished)
        opening = ToCheck(row=row, phone=record.phone, id_number=record.id_number, outlet=outlet, at=now)
        [(answer, _)] = check_openings(tx, services, [opening])
        check_id = insert_check(act, opening_id, answer, outlet_id=outlet.id)
        _ask_desk_first(act, services, row, answer, check_id=check_id, outlet=outlet)
        case_id = open_warning(tx, services, row, now=now) if is_warned_already(answer.findings) else None
        _watch_rate(tx, services, outlet, now=now)
        facts = {"outlet": outlet.code, "verdict": answer.verdict.value, "version": answer.version}
        act.audit("check_opening", f"opening/{opening_id}", facts=facts)
    if case_id is not None:
        services.enqueue("dial")
    return CheckedOpening(opening_id=opening_id, check_id=check_id, answer=answer, at=now, case_id=case_id)


def _ask_desk_first(
    act: OpenAct, services: Services, opening: Row, answer: CheckResult, *, check_id: int, outlet: Outlet
) -> None:
    """Has the open question about this opening show this check. Asks the desk when it is the first check by which
    the outlet says that the customer may be a victim.
    """
    tx, opening_id = act.tx, opening["id"]
    open_id = open_question_about(tx, opening_id)
    if open_id is not None:
        change_question(tx, open_id, real_now=services.real.now(), check_id=check_id)
    elif is_said_by_outlet(answer.findings) and not any(
        is_said_by_outlet(found) for found in findings_before(tx, opening_id, check_id=check_id)
    ):
        ask_about(act, opening_id, check_id=check_id, outlet=outlet, note="", real_now=services.real.now())


def even_answer(least_seconds: float) -> Callable[[], float]:
    """A function that says how many seconds of `least_seconds` are left, from now on. A check that opens a warning
    takes longer than others; an outlet that could measure it would know whom the centre warns.
    """
    due = time.monotonic() + least_seconds
    return lambda: max(0.0, due - time.monotonic())


def _check_few_unfinished(act: OpenAct, outlet: Outlet, opening_id: int, *, most: int) -> None:
    """Raises `TooMany`: each check tells something about a person, so nobody checks people who want no card."""
    since = act.now - timedelta(days=1)
    unfinished = count_unfinished(act.tx, outlet.id, by=act.by, since=since, but=opening_id)
    if unfinished >= most:
        raise TooMany(
            Text(
                "you have checked %(n)s openings within 24 hours that got no card and no refusal: record their results"
                " first",
                n=unfinished,
            )
        )
    if unfinished + 1 >= most:
        facts = {"outlet": outlet.code, "institution": outlet.institution, "unfinished": unfinished + 1}
        raise_alarm_once(act.tx, AlarmCode.MANY_OPENING_CHECKS, now=act.now, facts=facts)


def _in_progress(
    tx: Tx, services: Services, record: OpeningRecord, outlet: Outlet, *, by: str, source: str
) -> tuple[Row, OpeningRecord]:
    """The row of the opening, and everything that was given about it, now or at an earlier check."""
    [opening_id] = new_opening_ids(tx, 1)
    row = opening_row(tx, services, record, outlet, opening_id=opening_id, source=source, by=by)
    if insert_openings(tx, [row]):
        return row, record
    known = lock_opening_numbered(tx, outlet.institution_id, record.opening_no)
    _require_same_opening(tx, known, record, outlet)
    _require_in_progress(
        known, otherwise=gettext_noop("this opening has its result already: check before it is decided")
    )
    whole = with_earlier(tx, known, record)
    given = opening_row(tx, services, whole, outlet, opening_id=known["id"], source=source, by=by)
    return change_opening(tx, known, given), whole


def _require_in_progress(row: Row, *, otherwise: str = _HAS_RESULT) -> None:
    """Raises `Conflict` with this sentence for an opening that has its result."""
    if row["result"] != OpeningResult.IN_PROGRESS.value:
        raise Conflict(otherwise, current=row["result"])


def _require_same_opening(tx: Tx, known: Row, record: OpeningRecord, outlet: Outlet) -> None:
    same_person = bytes(known["person_blind"]) == person_blind(tx.vault, record.id_number)
    if known["outlet_id"] != outlet.id or not same_person:
        raise Conflict(
            "this opening number belongs to another opening: use a number of its own", current="number"
        )


def check_openings(tx: Tx, services: Services, openings: Sequence[ToCheck]) -> list[tuple[CheckResult, bool]]:
    """The results of the checks for these openings, each as of its moment; findings are valid from now on. Stores the
    rings, and puts persons who are asked about on the morning list (True). The number of queries does not depend
    on the number of openings.
    """
    now, rules, zone, checks = services.clock.now(), services.cards, services.centre.zone, shipped_checks()
    starts = [replace(node_of(opening.row, rules), at=opening.at) for opening in openings]
    rings = find_rings(starts, OpeningFinder(tx, rules))
    facts = read_facts(tx, openings, rings, rules=rules)
    persons = [bytes(opening.row["person_blind"]) for opening in openings]
    restricted = restrictions_of(tx, persons, on=now.astimezone(zone).date())
    answers = [
        checks.answer(found, now=now, restriction=restricted.get(person), zone=zone)
        for person, found in zip(persons, facts, strict=True)
    ]
    # Rings first, then persons in a fixed order, so that two processes that list the same people never deadlock.
    stored: dict[frozenset[int], int] = {}
    ring_ids: list[int | None] = []
    for ring in rings:
        ids = frozenset(node.id for node in ring.nodes)
        if ring.is_found and ids not in stored:
            stored[ids] = store_ring(tx, ring, now=now)
        ring_ids.append(stored[ids] if ring.is_found else None)
    listed = [False] * len(openings)
    for place in sorted(range(len(openings)), key=persons.__getitem__):
        opening, is_stored = openings[place], now - openings[place].at > _STORED
        grave = [
            finding for finding in answers[place].findings if checks.puts_on_list(finding, stored=is_stored)
        ]
        listed[place] = list_frequent_opener(
            tx, opening.row, grave, unit_id=opening.outlet.unit_id, ring_id=ring_ids[place], now=now
        )
    return list(zip(answers, listed, strict=True))


def _watch_rate(tx: Tx, services: Services, outlet: Outlet, *, now: datetime) -> None:
    made = count_checks(tx, outlet.id, since=now - _RATE)
    if made > services.cards.checks_per_hour:
        facts = {"outlet": outlet.code, "institution": outlet.institution, "checks": made}
        raise_alarm_once(tx, AlarmCode.MANY_OPENING_CHECKS, now=now, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredOpenings:
    """The result of entering openings."""

    new: int = 0
    completed: int = 0
    """Openings that had been checked and now have their result."""
    duplicate: int = 0
    ids: tuple[int, ...] = ()
    """In the order given, duplicates included."""
    refused: tuple[tuple[int, str], ...] = ()
    """Places and reasons of the openings whose number belongs to another opening."""


def enter_openings(
    services: Services,
    tx: Tx,
    actor: Actor,
    records: Sequence[tuple[OpeningRecord, Outlet]],
    *,
    source: str,
) -> EnteredOpenings:
    """Enters openings in the caller's transaction, each once under its number. An opening that was checked gets its
    result; if it differs from what was checked, the screening checks it again. The rows say who entered them.
    """

    def row_of(record: OpeningRecord, outlet: Outlet, opening_id: int) -> dict[str, Any]:
        return opening_row(tx, services, record, outlet, opening_id=opening_id, source=source, by=actor.name)

    new_ids = new_opening_ids(tx, len(records))
    rows = [row_of(*given, opening_id) for given, opening_id in zip(records, new_ids, strict=True)]
    written = insert_openings(tx, rows)
    ids: list[int] = []
    refused: list[tuple[int, str]] = []
    completed = 0
    unanswered: list[int] = []
    for place, ((record, outlet), row) in enumerate(zip(records, rows, strict=True)):
        if row["id"] in written:
            ids.append(row["id"])
            continue
        known = lock_opening_numbered(tx, outlet.institution_id, record.opening_no)
        try:
            _require_same_opening(tx, known, record, outlet)
        except Conflict as fault:
            refused.append((place, str(fault.text)))
            continue
        ids.append(known["id"])
        has_result = record.result is not OpeningResult.IN_PROGRESS
        if known["result"] == OpeningResult.IN_PROGRESS.value and has_result:
            whole = replace(with_earlier(tx, known, record), asked_at=known["asked_at"])
            change_opening(tx, known, row_of(whole, outlet, known["id"]))
            if end_questions(tx, known["id"], real_now=services.real.now()):
                unanswered.append(known["id"])
            completed += 1
    join_facts(tx, ids)
    warn_unanswered(tx, services, unanswered, now=services.clock.now())
    return EnteredOpenings(
        new=len(written),
        completed=completed,
        duplicate=len(ids) - len(written) - completed,
        ids=tuple(ids),
        refused=tuple(refused),
    )


def finish_opening(
    services: Services,
    actor: Actor,
    opening_id: int,
    *,
    result: OpeningResult,
    outlet_id: int,
    why: str = "",
    number: str = "",
) -> None:
    """Records the result of an opening in progress, and ends its question to the desk; a possible victim of whom the
    desk has said nothing is warned. Only a person refuses, and gives a reason. Raises `NotFound`, `Invalid`, and
    `Conflict` when it has its result already.
    """
    if result is OpeningResult.IN_PROGRESS:
        raise Invalid(field="result", problem="is not chosen", fix="choose one of the list")
    reason = required_text("why", why) if result is OpeningResult.REFUSED else why.strip()
    with services.act(actor, Permission.ENTER_OPENINGS) as act:
        tx = act.tx
        row = own_opening(tx, opening_id, outlet_id=outlet_id, lock=True)
        _require_in_progress(row)
        values: dict[str, Any] = {"result": result.value, "decided_by": act.by, "decided_why": reason}
        if result is OpeningResult.OPENED:
            values["opened_at"] = act.now
        if given := card_number(CardProduct(row["product"]), number, services.centre.area_code):
            personal = opening_personal(tx, opening_id, row["sealed"]) | {"number": given}
            values["sealed"] = seal_opening(tx, opening_id, personal)
            values["number_blind"] = number_blind(tx.vault, given)
        set_result(tx, opening_id, **values)
        is_unanswered = end_questions(tx, opening_id, real_now=services.real.now())
        join_facts(tx, [opening_id])
        is_warned = is_unanswered and warn_unanswered(tx, services, [opening_id], now=act.now)
        act.audit("finish_opening", f"opening/{opening_id}", why=reason, facts={"result": result.value})
    if is_warned:
        services.enqueue("dial")
