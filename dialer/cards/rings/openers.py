"""Frequent openers and rings 频繁开卡: the morning list, signed for by the centre in charge of the outlet, and
confirmed or lifted by a person. A finding that nobody confirms expires by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.cards.openings.checks import CheckFinding
from dialer.cards.openings.store import masked_opener
from dialer.cards.rings.model import Ring, find_rings
from dialer.cards.rings.opener_store import change_opener, lock_opener, newest_openers, openings_of_ring
from dialer.cards.rings.store import OpeningFinder, node_of
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import OPENER_MOVES, OpenerEvent, OpenerState
from dialer.core.errors import Conflict, Overtaken
from dialer.core.second_person import state_after
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.runtime.services import Services

_SIGNED_FOR = timedelta(days=1)
"""From then on another officer may take over a finding that somebody has signed for: they may be away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """A frequent opener, or a ring, with personal data masked. `persons` and `cards` are those of the ring; 1 and 0 for
    a person.
    """

    id: int
    person: str
    id_number: str
    ring_id: int | None
    persons: int
    cards: int
    state: OpenerState
    findings: tuple[CheckFinding, ...]
    listed_at: datetime
    expires_at: datetime
    signed_by: str
    may_be_taken_over: bool
    """Somebody else may sign for it, since who has signed has not decided for a day."""
    decided_by: str
    has_objection: bool
    """An objection to it is open."""


def list_openers(
    services: Services, *, visible_to: int | None, state: OpenerState | None = None
) -> list[Opener]:
    """Frequent openers, newest first, without those whose finding has expired."""
    now = services.clock.now()
    with services.store.begin() as tx:
        return [
            _opener(tx, row, now) for row in newest_openers(tx, visible_to=visible_to, state=state, now=now)
        ]


def _opener(tx: Tx, row: Row, now: datetime) -> Opener:
    person = masked_opener(tx, row["opening_id"], row["sealed"])
    return record_of(
        Opener,
        row,
        person=person["name"],
        id_number=person["id_number"],
        persons=row["persons"] or 1,
        cards=row["cards"] or 0,
        findings=tuple(CheckFinding.of(finding) for finding in row["findings"]),
        may_be_taken_over=_may_be_taken_over(row, now),
        has_objection=row["objected"],
    )


def _may_be_taken_over(row: Row, now: datetime) -> bool:
    is_signed = row["state"] == OpenerState.SIGNED.value
    return is_signed and (row["signed_at"] is None or row["signed_at"] + _SIGNED_FOR <= now)


def _after(row: Row, event: OpenerEvent, now: datetime, *, otherwise: str) -> OpenerState:
    if row["expires_at"] <= now:
        raise Conflict("this finding has expired", current="expired")
    return state_after(OPENER_MOVES, OpenerState(row["state"]), event, otherwise=otherwise)


def sign_opener(services: Services, actor: Actor, opener_id: int) -> None:
    """Signs for the finding: this member of the centre works on it. After a day without a decision another one may
    take it over. Raises `NotFound`, `Overtaken` and `Conflict`.
    """
    decided = gettext_noop("this frequent opener is decided already")
    with services.act(actor, Permission.DECIDE_OPENERS) as act:
        row = lock_opener(act.tx, opener_id, visible_to=actor.unit_id)
        after = _after(row, OpenerEvent.SIGNED, act.now, otherwise=decided)
        holder = row["signed_by"]
        if holder is not None and not _may_be_taken_over(row, act.now):
            raise Overtaken(
                gettext_noop("this frequent opener is signed for already"), who=holder, what="signed"
            )
        change_opener(act.tx, opener_id, state=after.value, signed_by=act.by, signed_at=act.now)
        facts = {} if holder is None else {"from": holder}
        act.audit("sign_opener", f"card_opener/{opener_id}", facts=facts)


def decide_opener(services: Services, actor: Actor, opener_id: int, *, confirm: bool, why: str) -> None:
    """Confirms or lifts the finding, by the person who has signed for it, with what was found. Raises `NotFound`,
    `Invalid` and `Conflict`.
    """
    event = OpenerEvent.CONFIRMED if confirm else OpenerEvent.LIFTED
    with services.act(actor, Permission.DECIDE_OPENERS) as act:
        row = lock_opener(act.tx, opener_id, visible_to=actor.unit_id)
        state = _after(row, event, act.now, otherwise=gettext_noop("sign for this frequent opener first"))
        if not actor.signed(row["signed_by"] or ""):
            raise Conflict("somebody else has signed for this frequent opener", current="signed")
        reason = required_text("why", why)
        change_opener(act.tx, opener_id, state=state.value, decided_by=act.by, decided_at=act.now, why=reason)
        name = "confirm_opener" if confirm else "lift_opener"
        act.audit(name, f"card_opener/{opener_id}", why=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RingMember:
    """One person of a ring, masked, with the ids of the openings."""

    key: bytes
    name: str
    opening_ids: tuple[int, ...]


def read_ring(
    services: Services, ring_id: int, *, visible_to: int | None
) -> tuple[Ring, Sequence[RingMember]]:
    """The ring as it is now, with its masked members. Raises `NotFound`, also if no outlet of the unit has an opening
    in it.
    """
    with services.store.begin() as tx:
        rows = openings_of_ring(tx, ring_id, visible_to=visible_to)
        find_sharing = OpeningFinder(tx, services.cards, until=services.clock.now())
        [ring] = find_rings([node_of(rows[-1], services.cards)], find_sharing)
        persons: dict[bytes, list[Row]] = {}
        for row in rows:
            persons.setdefault(bytes(row["person_blind"]), []).append(row)
        members = tuple(
            RingMember(
                key=key,
                name=masked_opener(tx, own[0]["id"], own[0]["sealed"])["name"],
                opening_ids=tuple(row["id"] for row in own),
            )
            for key, own in persons.items()
        )
    return ring, members
