"""The shape of a script: what follows what, what is known where, and how long the longest way is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dialer.domain.values import Answer, Contact
from dialer.scripts import model
from dialer.scripts.model import Node, Prompt, Script, Target

SUCCESSES = frozenset({Answer.ACKNOWLEDGED, Answer.SAW_THROUGH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One way from a node to the next; `choice` is the answer that takes it, none for any other way."""

    to: str
    choice: model.Choice | None = None


def arrows(script: Script, node: Node) -> tuple[Arrow, ...]:
    """Every way on from a node, hearing it again left out."""
    match node:
        case model.Say() | model.HandOver():
            return (Arrow(to=node.next),)
        case model.Branch():
            return tuple(Arrow(to=to) for to in (*node.cases.values(), node.otherwise))
        case model.Ask():
            choices = {**script.anywhere, **node.choices}.values()
            taken = [
                Arrow(to=choice.next, choice=choice) for choice in choices if choice.next != Target.REPEAT
            ]
            typed = [Arrow(to=node.next)] if node.next else []
            return (*taken, *typed, Arrow(to=node.otherwise))
        case model.End():
            return ()


def prompt_of(node: Node) -> Prompt | None:
    return None if isinstance(node, model.Branch) else node.prompt


def reachable(script: Script, start: str, *, without: frozenset[str] = frozenset()) -> frozenset[str]:
    """The nodes on any way from `start`, itself included, not going through `without`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen or name in without:
            continue
        seen.add(name)
        waiting += [arrow.to for arrow in arrows(script, script.nodes[name])]
    return frozenset(seen)


def circles(script: Script) -> tuple[str, ...]:
    """Nodes from which a way leads back to themselves, so that a call might never end."""
    return tuple(
        name
        for name, node in script.nodes.items()
        if any(name in reachable(script, arrow.to) for arrow in arrows(script, node))
    )


def contacts(script: Script) -> Mapping[str, frozenset[Contact]]:
    """For every node, what may be known of who is on the line when it is reached. Wants a script without circles."""
    known: dict[str, frozenset[Contact]] = {name: frozenset() for name in script.nodes}
    waiting: list[tuple[str, Contact]] = [(script.start, Contact.UNVERIFIED)]
    while waiting:
        name, contact = waiting.pop()
        if contact in known[name]:
            continue
        known[name] |= {contact}
        for arrow in arrows(script, script.nodes[name]):
            taught = arrow.choice.contact if arrow.choice and arrow.choice.contact else contact
            waiting.append((arrow.to, taught))
    return known


def first_said(script: Script, start: str) -> Iterator[tuple[Node, ...]]:
    """Every run of nodes that speak before and with the first question, one for each way of the branches."""
    node = script.nodes[start]
    match node:
        case model.Say():
            for rest in first_said(script, node.next):
                yield (node, *rest)
        case model.Branch():
            for to in dict.fromkeys((*node.cases.values(), node.otherwise)):
                yield from first_said(script, to)
        case _:
            yield (node,)


def longest(script: Script, seconds_of: Callable[[Prompt], float], *, good: bool) -> float:
    """Seconds of the longest way, every question answered at once; `good` counts only ways to a success.

    Wants a script without circles. 0 when no way leads to a success.
    """
    found: dict[str, float | None] = {}

    def from_here(name: str) -> float | None:
        if name not in found:
            found[name] = measured(name)
        return found[name]

    def measured(name: str) -> float | None:
        node = script.nodes[name]
        prompt = prompt_of(node)
        own = seconds_of(prompt) if prompt is not None else 0.0
        if isinstance(node, model.End):
            return own if not good or node.answer in SUCCESSES else None
        ways = [rest for arrow in arrows(script, node) if (rest := from_here(arrow.to)) is not None]
        return own + max(ways) if ways else None

    return from_here(script.start) or 0.0
