"""Frequent openers and rings 频繁开卡: the morning list, signed for by the centre in charge of the outlet, and
confirmed or lifted by a person. A finding that nobody confirms expires by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.cards.checks import CheckFinding
from dialer.cards.desk import masked_opener
from dialer.cards.ring_store import OpeningFinder, node_of
from dialer.cards.rings import Ring, find_rings
from dialer.cards.store import has_open_objection, opening_personal
from dialer.core.access import actor_name, required_text
from dialer.core.cards import OPENER_MOVES, OpenerEvent, OpenerState
from dialer.core.errors import Conflict, NotFound, Overtaken
from dialer.core.second_person import state_after
from dialer.core.text import gettext_noop
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to
from dialer.runtime.services import Services

_p, _o, _r = t.card_opener.c, t.opening.c, t.card_ring.c
_MOST_SHOWN = 200
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
    is_over: bool
    signed_by: str
    may_be_taken_over: bool
    """Somebody else may sign for it, since who has signed has not decided for a day."""
    decided_by: str
    has_objection: bool
    """An objection to it is open."""


def list_openers(
    services: Services, *, visible_to: int | None, state: OpenerState | None = None, limit: int = _MOST_SHOWN
) -> list[Opener]:
    """Frequent openers, newest first, without those whose finding has expired."""
    now = services.clock.now()
    statement = (
        sa.select(
            t.card_opener,
            _o.sealed,
            _r.persons,
            _r.cards,
            has_open_objection(t.card_objection.c.opener_id == _p.id).label("objected"),
        )
        .join(t.opening, _o.id == _p.opening_id)
        .join(t.card_ring, _r.id == _p.ring_id, isouter=True)
        .where(_p.expires_at > now, is_visible_to(_p.unit_id, visible_to))
        .order_by(_p.listed_at.desc(), _p.id.desc())
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(_p.state == state.value)
    with services.store.begin() as tx:
        return [_opener(tx, row, now) for row in tx.rows(statement)]


def _opener(tx: Tx, row: Row, now: datetime) -> Opener:
    person = masked_opener(opening_personal(tx, row["opening_id"], row["sealed"]))
    return Opener(
        id=row["id"],
        person=person["name"],
        id_number=person["id_number"],
        ring_id=row["ring_id"],
        persons=row["persons"] or 1,
        cards=row["cards"] or 0,
        state=OpenerState(row["state"]),
        findings=tuple(CheckFinding.of(one) for one in row["findings"]),
        listed_at=row["listed_at"],
        expires_at=row["expires_at"],
        is_over=row["expires_at"] <= now,
        signed_by=row["signed_by"] or "",
        may_be_taken_over=_may_be_taken_over(row, now),
        decided_by=row["decided_by"] or "",
        has_objection=row["objected"],
    )


def _locked(tx: Tx, opener_id: int, visible_to: int | None) -> Row:
    row = tx.one(
        sa.select(t.card_opener)
        .where(_p.id == opener_id, is_visible_to(_p.unit_id, visible_to))
        .with_for_update()
    )
    if row is None:
        raise NotFound(kind="frequent opener", key=opener_id)
    return row


def _may_be_taken_over(row: Row, now: datetime) -> bool:
    is_signed = row["state"] == OpenerState.SIGNED.value
    return is_signed and (row["signed_at"] is None or row["signed_at"] + _SIGNED_FOR <= now)


def _after(row: Row, event: OpenerEvent, now: datetime, *, otherwise: str) -> OpenerState:
    if row["expires_at"] <= now:
        raise Conflict("this finding has expired", current="expired")
    return state_after(OPENER_MOVES, OpenerState(row["state"]), event, otherwise=otherwise)


def sign_opener(services: Services, opener_id: int, *, by: str, visible_to: int | None) -> None:
    """Signs for the finding: this member of the centre works on it. After a day without a decision another one may
    take it over. Raises `NotFound`, `Overtaken` and `Conflict`.
    """
    who, now = actor_name(by), services.clock.now()
    with services.store.begin() as tx:
        row = _locked(tx, opener_id, visible_to)
        after = _after(
            row, OpenerEvent.SIGNED, now, otherwise=gettext_noop("this frequent opener is decided already")
        )
        holder = row["signed_by"]
        if holder is not None and not _may_be_taken_over(row, now):
            raise Overtaken(
                gettext_noop("this frequent opener is signed for already"), who=holder, what="signed"
            )
        values = {"state": after.value, "signed_by": who, "signed_at": now}
        tx.execute(sa.update(t.card_opener).where(_p.id == opener_id).values(**values))
        _note(tx, who, "sign_opener", opener_id, "", now, {} if holder is None else {"from": holder})


def decide_opener(
    services: Services, opener_id: int, *, confirm: bool, why: str, by: str, visible_to: int | None
) -> None:
    """Confirms or lifts the finding, by the person who has signed for it, with what was found. Raises `NotFound`,
    `Invalid` and `Conflict`.
    """
    who, now, reason = actor_name(by), services.clock.now(), required_text("why", why)
    event = OpenerEvent.CONFIRMED if confirm else OpenerEvent.LIFTED
    with services.store.begin() as tx:
        row = _locked(tx, opener_id, visible_to)
        state = _after(row, event, now, otherwise=gettext_noop("sign for this frequent opener first"))
        if row["signed_by"] != who:
            raise Conflict("somebody else has signed for this frequent opener", current="signed")
        place: dict[str, Any] = {"table": "card_opener", "column": "why_sealed", "row": opener_id}
        tx.execute(
            sa.update(t.card_opener)
            .where(_p.id == opener_id)
            .values(
                state=state.value,
                decided_by=who,
                decided_at=now,
                why_sealed=tx.vault.seal(reason.encode(), **place),
            )
        )
        _note(tx, who, "confirm_opener" if confirm else "lift_opener", opener_id, reason, now)


def _note(
    tx: Tx,
    who: str,
    act: str,
    opener_id: int,
    why: str,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> None:
    write_audit(tx, who=who, act=act, subject=f"card_opener/{opener_id}", why=why, now=now, facts=facts or {})


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
        rows = tx.rows(sa.select(t.opening).where(_o.ring_id == ring_id).order_by(_o.asked_at, _o.id))
        seen = tx.scalar(
            sa.select(sa.func.count())
            .select_from(t.opening.join(t.outlet, t.outlet.c.id == _o.outlet_id))
            .where(_o.ring_id == ring_id, is_visible_to(t.outlet.c.unit_id, visible_to))
        )
        if not rows or not seen:
            raise NotFound(kind="ring", key=ring_id)
        last = rows[-1]
        find_sharing = OpeningFinder(tx, services.cards, until=services.clock.now())
        [ring] = find_rings([node_of(last, services.cards)], find_sharing)
        persons: dict[bytes, list[Row]] = {}
        for row in rows:
            persons.setdefault(bytes(row["person_blind"]), []).append(row)
        members = tuple(
            RingMember(
                key=key,
                name=masked_opener(opening_personal(tx, own[0]["id"], own[0]["sealed"]))["name"],
                opening_ids=tuple(row["id"] for row in own),
            )
            for key, own in persons.items()
        )
    return ring, members
