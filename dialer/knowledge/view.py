"""Knowledge cards as pages show them: beside a call, and as passages that a search has found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dialer.core.knowledge import CardText
from dialer.core.values import FraudType
from dialer.knowledge.actions import cards_beside, read_live_cards, typed_uses
from dialer.knowledge.store import CardVersion
from dialer.web.console import RequestContext


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPassage:
    """A passage as a page shows it: of an objection what is said and answered, of the card its title and course."""

    key: str
    """The value of its box in the report."""
    card_id: int
    title: str
    says: str
    answers: tuple[str, ...]
    ticked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideCall:
    """The cards beside a call. `ticked`: the values of the boxes that are ticked; `kept`: passages of other cards that
    are ticked, which a search had found.
    """

    cards: Sequence[tuple[CardVersion, CardText]]
    ticked: frozenset[str]
    kept: Sequence[ShownPassage]


def beside_call(request: RequestContext, fraud_type: FraudType, used: Iterable[str] | None) -> BesideCall:
    """What the desk shows beside a call of this type; `used`: what is ticked in its report."""
    cards = cards_beside(request.services, fraud_type)
    ticked = typed_uses(used or ())
    own = {version.id for version in cards}
    others = {one for one in ticked if one[0] not in own}
    return BesideCall(
        cards=[(version, version.content.text(request.lang)) for version in cards],
        ticked=frozenset(f"{version_id}-{number}" for version_id, number in ticked),
        kept=ticked_passages(request, others) if others else (),
    )


def ticked_passages(request: RequestContext, used: Iterable[tuple[int, int]]) -> list[ShownPassage]:
    """These passages, by the id of their version and their number, of cards that are live."""
    live = {version.id: version for version in read_live_cards(request.services)}
    return [
        shown_passage(request, live[version_id], number, ticked=True)
        for version_id, number in sorted(used)
        if version_id in live and live[version_id].content.has_passage(number)
    ]


def shown_passage(
    request: RequestContext, version: CardVersion, number: int, *, ticked: bool = False
) -> ShownPassage:
    """The passage with this number of a version, in the language of the page."""
    text = version.content.text(request.lang)
    objection = text.objections[number - 1] if number else None
    return ShownPassage(
        key=f"{version.id}-{number}",
        card_id=version.card_id,
        title=text.title,
        says="" if objection is None else objection.says,
        answers=text.course if objection is None else (objection.answer,),
        ticked=ticked,
    )
