"""Knowledge cards: drafted by one person and approved by another, delivered with the product, and counted by use."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Conflict, NotFound
from dialer.core.intervals import Interval, wilson
from dialer.core.knowledge import CardContent, CardState, CardText, Objection, Passage, find_passages
from dialer.core.rates import Period
from dialer.core.second_person import RequestEvent
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import FraudType
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.figures.reader import CutWindow, read_cases_of
from dialer.figures.report import open_figures
from dialer.knowledge.store import (
    CARDS,
    CardUse,
    CardVersion,
    add_card,
    add_card_version,
    add_shipped,
    add_uses,
    case_ids_of_calls,
    has_draft,
    live_cards,
    lock_cards,
    shipped_digests,
    uses_since,
    versions_of_card,
)
from dialer.runtime.services import Services

LONGEST_WHY = 500
"""The most characters of a reason; more are cut off."""
FIGURE_DAYS = 90
"""Figures are of the uses of so many days."""
_MOST_FOUND = 12


@cache
def shipped_cards() -> Mapping[str, CardContent]:
    """The cards that the product delivers, by name, in their order."""
    text = resources.files("dialer.knowledge").joinpath("cards.toml").read_text(encoding="utf-8")
    return {name: _shipped_card(card) for name, card in tomllib.loads(text).items()}


def _shipped_card(card: Mapping[str, Any]) -> CardContent:
    return CardContent(
        fraud_type=FraudType(card["fraud_type"]),
        chinese=_shipped_text(card, Lang.ZH),
        english=_shipped_text(card, Lang.EN),
    )


def _shipped_text(card: Mapping[str, Any], lang: Lang) -> CardText:
    key = lang.value
    return CardText(
        title=card["title"][key],
        course=tuple(card["course"][key]),
        objections=tuple(
            Objection(says=one["says"][key], answer=one["answer"][key]) for one in card["objections"]
        ),
        variants=tuple(card["variants"][key]),
        never=tuple(card["never"][key]),
    )


def seed_cards(tx: Tx, *, now: datetime) -> int:
    """Stores every card of the product that is new, and those that the product has changed; returns how many. A card of
    which the centre has its own version gets a draft instead, which a person decides.
    """
    wanted, known = shipped_cards(), shipped_digests(tx)
    if all((name, card.digest) in known for name, card in wanted.items()):
        return 0
    lock_cards(tx)
    known = shipped_digests(tx)
    new = [(name, card) for name, card in wanted.items() if (name, card.digest) not in known]
    return sum(add_shipped(tx, name, card, now=now) for name, card in new)


def read_live_cards(services: Services) -> list[CardVersion]:
    """What callers read: the live version of each card, general ones last."""
    with services.store.begin() as tx:
        return live_cards(tx)


def cards_beside(services: Services, fraud_type: FraudType) -> list[CardVersion]:
    """What is shown beside a call of this type: its own cards, then the general ones."""
    with services.store.begin() as tx:
        return live_cards(tx, {fraud_type, FraudType.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPassage:
    """A place in a live card that contains what was looked for."""

    version: CardVersion
    passage: Passage


def search_cards(services: Services, words: str) -> list[FoundPassage]:
    """The passages of live cards with these words, the best first; 12 at most."""
    live = read_live_cards(services)
    found = find_passages([version.content for version in live], words, most=_MOST_FOUND)
    return [FoundPassage(version=live[one.card], passage=one) for one in found]


def read_card_versions(services: Services, card_id: int) -> list[CardVersion]:
    """All versions of a card, the newest first. Raises `NotFound`."""
    with services.store.begin() as tx:
        return versions_of_card(tx, card_id)


def draft_card(
    services: Services,
    actor: Actor,
    card_id: int | None,
    content: CardContent | None,
    *,
    reason: str,
) -> CardVersion:
    """Drafts the next version of a card, or with `card_id` None a new card; without content, that callers no longer get
    the card. Raises `Invalid` without a reason, `NotFound`, and `Conflict` where a draft waits already or where nothing
    would change.
    """
    why = required_text("reason", reason, fix=gettext_noop("why this version, in a few words"))[:LONGEST_WHY]
    with services.act(actor, Permission.EDIT_SCRIPTS) as act:
        tx = act.tx
        lock_cards(tx)
        live = None
        if card_id is not None:
            approved = (one for one in versions_of_card(tx, card_id) if one.state is CardState.APPROVED)
            live = next(approved, None)
            if has_draft(tx, card_id):
                raise Conflict(
                    gettext_noop("a draft of this card waits already: it is decided or withdrawn first"),
                    current=CardState.DRAFT.value,
                )
        retires = content is None
        content = content or (live.content if live is not None else None)
        if content is None:
            raise NotFound(kind="card", key=card_id or "")
        if live is not None and (live.content, live.retires) == (content, retires):
            raise Conflict(
                gettext_noop("nothing in this draft differs from the live version"), current=live.state.value
            )
        made = add_card_version(
            tx,
            add_card(tx) if card_id is None else card_id,
            content,
            retires=retires,
            reason=why,
            by=act.by,
            now=act.now,
        )
        act.audit("draft_card", _subject(made), why=why, facts={"number": made.number, "retires": retires})
        return made


def decide_card(
    services: Services, actor: Actor, version_id: int, event: RequestEvent, *, why: str = ""
) -> None:
    """A second person approves the draft or refuses it with a reason, or its author withdraws it. Raises `NotFound`,
    `Invalid` for a refusal without a reason, and `Conflict` for one's own draft and a decided one, and for a withdrawal
    by another person.
    """
    right = Permission.EDIT_SCRIPTS if event is RequestEvent.WITHDRAWN else Permission.APPROVE
    with services.act(actor, right) as act:
        row = CARDS.lock(act.tx, version_id, now=act.now)
        refused = event is RequestEvent.REFUSED
        reason = required_text("why", why)[:LONGEST_WHY] if refused else why.strip()[:LONGEST_WHY]
        if event is RequestEvent.WITHDRAWN and not actor.signed(row["drafted_by"]):
            raise Conflict(gettext_noop("only who drafted it withdraws it"), current=row["state"])
        CARDS.decide(
            act,
            row,
            event,
            subject=f"knowledge_card/{row['card_id']}",
            why=reason,
            facts={"number": row["number"]},
            columns={"why": reason},
        )


def _subject(version: CardVersion) -> str:
    return f"knowledge_card/{version.card_id}"


def typed_uses(typed: Iterable[str]) -> frozenset[tuple[int, int]]:
    """The passages that a form names as `version-passage`; what is nothing of that form is left out."""
    found = set()
    for one in typed:
        version, _, passage = one.partition("-")
        if (
            version.isdecimal()
            and passage.isdecimal()
            and len(version) <= _DIGITS
            and len(passage) <= _DIGITS
        ):
            found.add((int(version), int(passage)))
    return frozenset(found)


_DIGITS = 9
"""A longer number names no version."""


def note_uses(act: OpenAct, used: Collection[tuple[int, int]], *, case_id: int, assignment_id: int) -> None:
    """Records which passages were used on a reported call, by the id of their version and their number."""
    if used:
        add_uses(act.tx, used, case_id=case_id, assignment_id=assignment_id, now=act.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFigure:
    """What came of the cases of some calls. The counts are those of docs/metrics.md."""

    calls: int
    cases_ours: int
    dissuaded: int
    defrauded_after_warning: int

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the share of dissuaded cases; None without a case."""
        return wilson(self.dissuaded, self.cases_ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFigures:
    """The figures of cards by their id, of their objections by the words of the person in Chinese, and of calls without
    any card by fraud type.
    """

    since: datetime
    by_card: Mapping[int, UseFigure]
    by_objection: Mapping[tuple[int, str], UseFigure]
    without: Mapping[FraudType, UseFigure]


_MEASURES = ("cases_ours", "dissuaded", "defrauded_after_warning")


def read_card_figures(services: Services, *, visible_to: int | None) -> CardFigures:
    """How often cards were used in the last `FIGURE_DAYS`, and what came of the cases, all of one moment."""
    now = services.clock.now()
    since = now - timedelta(days=FIGURE_DAYS)
    with open_figures(services) as source:
        tx, drill = source.tx, services.drill
        uses = uses_since(tx, since, drill=drill, visible_to=visible_to)
        says = _words_of_objections(tx, uses)
        with_card = {use.case_id for use in uses}
        calls = {
            kind: [
                case_id
                for case_id in case_ids_of_calls(tx, since, [kind], drill=drill, visible_to=visible_to)
                if case_id not in with_card
            ]
            for kind in FraudType
        }
        window = CutWindow(period=Period(), drill=drill, now=now, timezone=services.centre.timezone)
        every = sorted(with_card.union(*calls.values()))
        counted = read_cases_of(source, _MEASURES, window, every) if every else {}
    by_card: dict[int, list[CardUse]] = {}
    by_objection: dict[tuple[int, str], list[CardUse]] = {}
    for use in uses:
        by_card.setdefault(use.card_id, []).append(use)
        if use.passage:
            words = says[use.card_id, use.number][use.passage - 1]
            by_objection.setdefault((use.card_id, words), []).append(use)
    return CardFigures(
        since=since,
        by_card={card_id: _of_uses(found, counted) for card_id, found in by_card.items()},
        by_objection={key: _of_uses(found, counted) for key, found in by_objection.items()},
        without={kind: _figure(len(ids), ids, counted) for kind, ids in calls.items() if ids},
    )


def _words_of_objections(tx: Tx, uses: Sequence[CardUse]) -> dict[tuple[int, int], list[str]]:
    return {
        (card_id, version.number): [one.says for one in version.content.chinese.objections]
        for card_id in sorted({use.card_id for use in uses})
        for version in versions_of_card(tx, card_id)
    }


def _of_uses(uses: Sequence[CardUse], counted: Mapping[str, frozenset[int]]) -> UseFigure:
    return _figure(len({use.assignment_id for use in uses}), {use.case_id for use in uses}, counted)


def _figure(calls: int, case_ids: Collection[int], counted: Mapping[str, frozenset[int]]) -> UseFigure:
    ours = counted["cases_ours"].intersection(case_ids)
    return UseFigure(
        calls=calls,
        cases_ours=len(ours),
        dissuaded=len(counted["dissuaded"] & ours),
        defrauded_after_warning=len(counted["defrauded_after_warning"].intersection(case_ids)),
    )
