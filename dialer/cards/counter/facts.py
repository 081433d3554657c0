"""What the checks need to know of an opening: counted by person, phone and agent, as of the moment of the check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dialer.cards.openings.checks import Facts
from dialer.cards.openings.store import Outlet, number_blind
from dialer.cards.rings.model import Ring
from dialer.core.cards import CardProduct, OpenerState, OpeningFactKind, OpeningResult
from dialer.core.case import CaseStatus
from dialer.db import tables as t
from dialer.db.bulk import RowSet, word_literal
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import BlindKind
from dialer.runtime.sections import CardsSettings

_MOST_OWN: Final = 400
_MOST_SHARING: Final = 60
_SIMS: Final = frozenset(product for product in CardProduct if product.is_sim)
_OTHER_CLASSES: Final = frozenset({CardProduct.ACCOUNT_2, CardProduct.ACCOUNT_3})
_o = t.opening.c
_f = t.opening_fact.c
_ASKED = RowSet(
    "asked",
    {
        "place": sa.Integer(),
        "person": sa.LargeBinary(),
        "phone": sa.LargeBinary(),
        "agent": sa.LargeBinary(),
        "phone_as_number": sa.LargeBinary(),
        "warned": sa.ARRAY(sa.LargeBinary()),
        "at": sa.DateTime(timezone=True),
    },
)
_a = _ASKED.c


def _own() -> sa.Select[Any]:
    own = (
        sa.select(_o.id, _o.asked_at, _o.institution_id, _o.outlet_id, _o.product, _o.result)
        .where(_o.person_blind == _a.person, _o.asked_at <= _a.at)
        .order_by(_o.asked_at.desc())
        .limit(_MOST_OWN)
        .correlate(_ASKED.clause)
        .lateral("own")
    )
    return sa.select(_a.place, own).select_from(_ASKED.clause.join(own, sa.true()))


_OWN: Final = _own()


def _persons_sharing(
    column: sa.ColumnElement[Any], value: sa.ColumnElement[Any], days: int
) -> sa.ColumnElement[int]:
    few = (
        sa.select(_o.person_blind)
        .where(
            column == value,
            _o.asked_at >= _a.at - sa.literal(timedelta(days=days), sa.Interval()),
            _o.asked_at <= _a.at,
        )
        .limit(_MOST_SHARING)
        .correlate(_ASKED.clause)
        .subquery()
    )
    return (
        sa.select(sa.func.count(sa.distinct(few.c.person_blind))).correlate(_ASKED.clause).scalar_subquery()
    )


_of_person = (
    sa.select(sa.func.count())
    .select_from(t.opening_fact.join(t.opening, _o.id == _f.opening_id))
    .where(_o.person_blind == _a.person)
    .correlate(_ASKED.clause)
)
_AROUND: Final = sa.select(
    _a.place,
    _persons_sharing(_o.phone_blind, _a.phone, 90).label("phone_persons"),
    _persons_sharing(_o.agent_blind, _a.agent, 30).label("agent_persons"),
    sa.exists()
    .where(
        _o.number_blind == _a.phone_as_number,
        _o.person_blind != _a.person,
        _o.result == word_literal(OpeningResult.OPENED),
    )
    .label("phone_of_another"),
    _of_person.where(_f.kind == word_literal(OpeningFactKind.INVOLVED)).scalar_subquery().label("involved"),
    _of_person.where(_f.kind == word_literal(OpeningFactKind.USED_FAR)).scalar_subquery().label("used_far"),
    sa.exists()
    .where(
        t.card_opener.c.person_blind == _a.person,
        t.card_opener.c.state == word_literal(OpenerState.CONFIRMED),
        t.card_opener.c.expires_at > _a.at,
    )
    .label("confirmed"),
    sa.exists()
    .where(
        t.person.c.id_number_blind == sa.any_(_a.warned),
        t.case.c.person_id == t.person.c.id,
        t.case.c.status == word_literal(CaseStatus.OPEN),
    )
    .label("open_case"),
).select_from(_ASKED.clause)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck:
    """An opening with its row and outlet; phone and id number in clear. `at`: the moment as of which it is checked."""

    row: Row
    phone: str
    id_number: str
    outlet: Outlet
    at: datetime


def read_facts(
    tx: Tx, openings: Sequence[ToCheck], rings: Sequence[Ring], *, rules: CardsSettings
) -> list[Facts]:
    """The facts of each opening, itself and its ring included, in two queries for all. All windows end at `at`."""
    vault = tx.vault
    given = _ASKED.given(
        [
            {
                "place": place,
                "person": opening.row["person_blind"],
                "phone": opening.row["phone_blind"],
                "agent": opening.row["agent_blind"],
                "phone_as_number": number_blind(vault, opening.phone) if opening.phone else None,
                "warned": list(vault.blinds(opening.id_number, kind=BlindKind.ID_NUMBER)),
                "at": opening.at.isoformat(),
            }
            for place, opening in enumerate(openings)
        ]
    )
    own: dict[int, list[Row]] = {}
    for row in tx.rows(_OWN, given):
        own.setdefault(row["place"], []).append(row)
    around = {row["place"]: row for row in tx.rows(_AROUND, given)}
    return [
        _facts(opening, ring, own.get(place, ()), around[place], rules)
        for place, (opening, ring) in enumerate(zip(openings, rings, strict=True))
    ]


def _facts(opening: ToCheck, ring: Ring, own: Sequence[Row], around: Row, rules: CardsSettings) -> Facts:
    row, found = opening.row, ring.is_found
    others = [other for other in own if other["id"] != row["id"]]
    return Facts(
        **_counts(others, opening, rules=rules),
        involved=around["involved"],
        used_far=around["used_far"],
        confirmed=int(around["confirmed"]),
        phone_of_another=int(around["phone_of_another"]),
        phone_persons=max(1, around["phone_persons"]),
        agent_persons=around["agent_persons"],
        out_of_town=int(not row["home"].startswith(rules.home_prefix)),
        top_limit=int((row["limit_fen"] or 0) >= rules.top_limit_fen),
        accompanied=int(row["accompanied"]),
        guided=int(row["guided"]),
        open_case=int(around["open_case"]),
        age=row["age"],
        ring_points=ring.points if found else 0,
        ring_persons=ring.persons if found else 0,
        ring_cards=ring.cards if found else 0,
    )


def _counts(others: Sequence[Row], opening: ToCheck, *, rules: CardsSettings) -> dict[str, int]:
    """The counts over `others`, the other openings of the same person, plus this one."""
    outlet = opening.outlet

    def since(**span: float) -> list[Row]:
        begin = opening.at - timedelta(**span)
        return [row for row in others if row["asked_at"] >= begin and row["result"] != "abandoned"]

    week = since(days=7)
    here = [
        row for row in others if row["institution_id"] == outlet.institution_id and row["result"] == "opened"
    ]
    product = CardProduct(opening.row["product"])
    if product in _SIMS:
        same, ceiling = sum(row["product"] in _SIMS for row in here), rules.sim_ceiling
    elif product in _OTHER_CLASSES:
        same, ceiling = sum(row["product"] in _OTHER_CLASSES for row in here), rules.other_class_ceiling
    else:
        same, ceiling = sum(row["product"] == product.value for row in here), rules.first_class_ceiling
    is_counted = product is not CardProduct.CORPORATE
    refused = [row for row in since(days=30) if row["result"] == "refused" and row["outlet_id"] != outlet.id]
    return {
        "cards_24h": 1 + len(since(hours=24)),
        "cards_7d": 1 + len(week),
        "cards_30d": 1 + len(since(days=30)),
        "cards_90d": 1 + len(since(days=90)),
        "institutions_7d": len({outlet.institution_id, *(row["institution_id"] for row in week)}),
        "accounts_7d": sum(row["product"] not in _SIMS for row in week) + (product not in _SIMS),
        "sims_7d": sum(row["product"] in _SIMS for row in week) + (product in _SIMS),
        "over_ceiling": int(is_counted and same + 1 > ceiling),
        "ceiling": ceiling,
        "refused_elsewhere_30d": len(refused),
    }
