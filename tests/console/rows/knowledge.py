"""Knowledge cards: the police read them, supervisors of the whole centre change and approve them."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.core.values import FraudType
from dialer.knowledge.actions import seed_cards
from dialer.knowledge.store import live_cards
from tests.console.desk import ConsoleDesk
from tests.console.row import AT_WORK, Row

_EDIT = frozenset({Role.SUPERVISOR})


def _card(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    """Cards are of the whole centre, whatever unit is asked for."""
    with desk.app.services.store.begin() as tx:
        seed_cards(tx, now=desk.clock.now())
        return {"card_id": live_cards(tx, [FraudType.LOAN])[0].card_id}


ROWS = (
    Row("GET", "/knowledge", AT_WORK),
    Row("GET", "/knowledge/search", AT_WORK, refused=303),
    Row("GET", "/knowledge/new", _EDIT),
    Row("POST", "/knowledge", _EDIT, form={"fraud_type": "loan", "title_zh": ""}, refused=422),
    Row("GET", "/knowledge/{card_id}", AT_WORK, _card),
    Row("GET", "/knowledge/{card_id}/draft", _EDIT, _card),
    Row("POST", "/knowledge/{card_id}/retire", _EDIT, _card, form={"reason": ""}, refused=422),
    Row("POST", "/knowledge/{card_id}/approve", _EDIT, _card, form={"number": "1"}, refused=409),
    Row("POST", "/knowledge/{card_id}/refuse", _EDIT, _card, form={"number": "1", "why": "x"}, refused=409),
    Row("POST", "/knowledge/{card_id}/withdraw", _EDIT, _card, form={"number": "1"}, refused=409),
)
