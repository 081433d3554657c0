"""Rows of opener rings and of the morning list: openings that share keys are found, rings are stored, and persons and
rings that the checks ask about are listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cards.openings.checks import CheckFinding
from dialer.cards.rings.model import HUB_PERSONS, USUAL_DAYS, Key, KeyKind, Node, Part, Ring, within
from dialer.cases.store import take_next_ids
from dialer.core.cards import OpenerState
from dialer.db import tables as t
from dialer.db.bulk import RowSet, word_literal
from dialer.db.unit_of_work import Tx
from dialer.runtime.sections import CardsSettings

_o = t.opening.c
_LOOKED_AT: Final = 6 * HUB_PERSONS
_RING_LOCK: Final = 0x52494E47
_NODE: Final = (
    "id", "person_blind", "asked_at", "institution_id", "outlet_id", "phone_blind", "address_blind",
    "agent_blind", "story_blind", "employer_blind", "age", "home", "limit_fen", "ring_id",
)  # fmt: skip
_BLINDS: Final = {
    KeyKind.PHONE: "phone_blind",
    KeyKind.ADDRESS: "address_blind",
    KeyKind.AGENT: "agent_blind",
    KeyKind.STORY: "story_blind",
}
_GIVEN = RowSet(
    "wanted",
    {
        "place": sa.Integer(),
        "kind": sa.Text(),
        "blind": sa.LargeBinary(),
        "second": sa.Text(),
        "second_blind": sa.LargeBinary(),
        "since": sa.DateTime(timezone=True),
        "until": sa.DateTime(timezone=True),
    },
)


def _sharing() -> sa.Select[Any]:
    wanted = _GIVEN.c
    branches = []
    for kind, name in _BLINDS.items():
        branches.append(
            sa.select(*(_o[column] for column in _NODE))
            .where(
                wanted.kind == sa.literal_column(f"'{kind.value}'"),
                _o[name] == wanted.blind,
                _o.asked_at >= wanted.since,
                _o.asked_at <= wanted.until,
                sa.or_(
                    wanted.second.is_(None),
                    *(
                        sa.and_(
                            wanted.second == sa.literal_column(f"'{other.value}'"),
                            _o[second] == wanted.second_blind,
                        )
                        for other, second in _BLINDS.items()
                    ),
                ),
            )
            .order_by(_o.asked_at.desc())
            .limit(_LOOKED_AT)
            .correlate(_GIVEN.clause)
        )
    found = sa.union_all(*branches).lateral()
    return sa.select(wanted.place, found).select_from(_GIVEN.clause.join(found, sa.true()))


_SHARING: Final = _sharing()


def node_of(row: Mapping[str, Any], rules: CardsSettings) -> Node:
    """The opening as a node for the search for rings."""
    parts: tuple[Part, ...] = tuple(
        (kind, bytes(row[name])) for kind, name in _BLINDS.items() if row[name] is not None
    )
    return Node(
        id=row["id"],
        person=bytes(row["person_blind"]),
        at=row["asked_at"],
        institution_id=row["institution_id"],
        outlet_id=row["outlet_id"],
        parts=parts,
        employer=None if row["employer_blind"] is None else bytes(row["employer_blind"]),
        age=row["age"],
        home=row["home"],
        out_of_town=not row["home"].startswith(rules.home_prefix),
        top_limit=(row["limit_fen"] or 0) >= rules.top_limit_fen,
        in_ring=row.get("ring_id") is not None,
    )


class OpeningFinder:
    """Finds openings that share keys; each search sees them up to its own moment, or up to `until` if that is given."""

    def __init__(self, tx: Tx, rules: CardsSettings, *, until: datetime | None = None) -> None:
        self._tx = tx
        self._rules = rules
        self._until = until

    def __call__(
        self, wanted: Sequence[tuple[Node, Sequence[tuple[Key, datetime]]]]
    ) -> list[dict[Key, list[Node]]]:
        given: list[dict[str, Any]] = []
        places: list[tuple[int, Key]] = []
        for walker, (start, keys) in enumerate(wanted):
            until = self._until or start.at
            for key, at in keys:
                begin, end = within(at)
                (kind, blind), *rest = key
                if kind is KeyKind.STORY:  # alone: in a pair it comes second
                    begin = at - timedelta(days=USUAL_DAYS)
                second, second_blind = rest[0] if rest else (None, None)
                given.append(
                    {
                        "place": len(places),
                        "kind": kind.value,
                        "blind": blind,
                        "second": None if second is None else second.value,
                        "second_blind": second_blind,
                        "since": begin.isoformat(),
                        "until": min(end, until).isoformat(),
                    }
                )
                places.append((walker, key))
        found: list[dict[Key, list[Node]]] = [{key: [] for key, _ in keys} for _, keys in wanted]
        if not given:
            return found
        known: dict[int, Node] = {}
        for row in self._tx.rows(_SHARING, _GIVEN.given(given)):
            node = known.get(row["id"])
            if node is None:
                known[row["id"]] = node = node_of(row, self._rules)
            walker, key = places[row["place"]]
            found[walker][key].append(node)
        return found


def store_ring(tx: Tx, ring: Ring, *, now: datetime) -> int:
    """Stores the ring, marks its openings with it, and returns its number. Rings that it connects become one."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_RING_LOCK)))
    ids = [node.id for node in ring.nodes]
    known = sorted(
        {
            row["ring_id"]
            for row in tx.rows(sa.select(_o.ring_id).where(_o.id.in_(ids), _o.ring_id.is_not(None)))
        }
    )
    values = {
        "last_at": now,
        "persons": ring.persons,
        "cards": ring.cards,
        "points": ring.points,
        "reasons": list(ring.reasons),
    }
    if known:
        ring_id = int(known[0])
        if joined := known[1:]:
            _mark_with_ring(tx, _o.ring_id.in_(joined), ring_id)
            tx.execute(sa.update(t.card_ring).where(t.card_ring.c.id.in_(joined)).values(persons=0, cards=0))
        # A search as of an earlier time finds less of the ring than is known.
        c = t.card_ring.c
        tx.execute(sa.update(t.card_ring).where(c.id == ring_id, c.cards <= ring.cards).values(**values))
    else:
        [ring_id] = take_next_ids(tx, t.card_ring, 1)
        tx.execute(sa.insert(t.card_ring).values(id=ring_id, found_at=now, **values))
    _mark_with_ring(tx, sa.and_(_o.id.in_(ids), _o.ring_id.is_distinct_from(ring_id)), ring_id)
    return ring_id


def _mark_with_ring(tx: Tx, which: sa.ColumnElement[bool], ring_id: int) -> None:
    """Marks the openings with the ring. Skips one that another counter is checking at this moment: that check finds the
    ring by itself, and waiting for it could deadlock.
    """
    free = sa.select(_o.id).where(which).with_for_update(skip_locked=True, key_share=True)
    tx.execute(sa.update(t.opening).where(_o.id.in_(free)).values(ring_id=ring_id))


def list_frequent_opener(
    tx: Tx,
    row: Mapping[str, Any],
    grave: Sequence[CheckFinding],
    *,
    unit_id: int | None,
    ring_id: int | None,
    now: datetime,
) -> bool:
    """Puts the ring, or the person if there is no ring, on the morning list; False without findings. A person or
    ring that somebody has lifted is not listed again before the lifted finding would have expired.
    """
    if not grave:
        return False
    p = t.card_opener.c
    blind = bytes(row["person_blind"])
    who: dict[str, Any] = {"ring_id": ring_id} if ring_id is not None else {"person_blind": blind}
    same = (
        p.ring_id == ring_id if ring_id is not None else sa.and_(p.person_blind == blind, p.ring_id.is_(None))
    )
    lifted = sa.and_(same, p.state == word_literal(OpenerState.LIFTED), p.expires_at > now)
    if tx.scalar(sa.select(p.id).where(lifted).limit(1)) is not None:
        return False
    expires_at = max(finding.expires_at for finding in grave)
    new = insert(t.card_opener).values(
        **who,
        opening_id=row["id"],
        unit_id=unit_id,
        state=OpenerState.LISTED.value,
        findings=[finding.plain() for finding in grave],
        listed_at=now,
        expires_at=expires_at,
    )
    is_over = p.expires_at <= now

    def if_over(name: str, value: object) -> sa.ColumnElement[Any]:
        return sa.case((is_over, sa.literal(value, p[name].type)), else_=p[name])

    is_person = ring_id is None
    tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_blind" if is_person else "ring_id"],
            index_where=sa.text(
                "ring_id IS NULL AND state <> 'lifted'"
                if is_person
                else "ring_id IS NOT NULL AND state <> 'lifted'"
            ),
            set_={
                "findings": new.excluded.findings,
                "expires_at": sa.func.greatest(p.expires_at, new.excluded.expires_at),
                "state": if_over("state", OpenerState.LISTED.value),
                "listed_at": if_over("listed_at", now),
                **{
                    name: if_over(name, None)
                    for name in ("signed_by", "signed_at", "decided_by", "decided_at", "why_sealed")
                },
            },
        )
    )
    return True
