"""Every name of a node that a script uses, so that reading it can refuse one that is not there."""

from __future__ import annotations

from dialer.scripts import model
from dialer.scripts.model import Script


def targets(script: Script) -> list[tuple[str, str]]:
    """Every arrow of the graph as (from node, to node); keys that work anywhere come from every
    question, and keys that ask again lead nowhere.
    """
    arrows: list[tuple[str, str]] = []
    for node in script.nodes.values():
        match node:
            case model.Say() | model.HandOver():
                arrows.append((node.id, node.next))
            case model.Branch():
                arrows += [(node.id, to) for to in (*node.cases.values(), node.otherwise)]
            case model.Ask():
                reachable = {**script.anywhere, **node.choices}
                taken = [choice.next for choice in reachable.values()]
                arrows += [(node.id, to) for to in taken if to != model.Target.REPEAT]
                arrows += [(node.id, node.otherwise), (node.id, node.repeat_from)]
                arrows += [(node.id, node.next)] if node.next else []
            case model.End():
                pass
    return arrows
