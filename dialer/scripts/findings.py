"""What the lint of scripts finds."""

from __future__ import annotations

from dataclasses import dataclass

from audio.wave_file import Flaw
from dialer.language import Text
from dialer.scripts.model import Node, Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, with the place to mend it. `rule` is its short name; `node` is empty for the whole."""

    file: str
    line: int
    node: str
    rule: str
    problem: Text

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return (
            f"{place}: {self.node}: {self.problem} [{self.rule}]"
            if self.node
            else f"{place}: {self.problem} [{self.rule}]"
        )


def sound_flaw(flaw: Flaw) -> Text:
    """What the makers of sound say, for the catalogue."""
    return Text(
        flaw.template,
        **{name: sound_flaw(one) if isinstance(one, Flaw) else one for name, one in flaw.values.items()},
    )


def at(node: Node, rule: str, problem: str | Text) -> Finding:
    return Finding(
        file=node.origin.file, line=node.origin.line, node=node.id, rule=rule, problem=Text.of(problem)
    )


def of(script: Script, rule: str, problem: str | Text) -> Finding:
    return Finding(
        file=script.origin.file, line=script.origin.line, node="", rule=rule, problem=Text.of(problem)
    )
