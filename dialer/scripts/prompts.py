"""Which prompts have to exist as sound for the scripts to be spoken without a voice at call time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dialer.scripts import model
from dialer.scripts.catalogue import shipped
from dialer.scripts.model import Prompt, Script, VariableKind
from dialer.scripts.texts import blanks, with_defaults


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptItem:
    """One prompt in one language, with the default bureau in its blanks. An empty text is a slot to be recorded."""

    key: str
    language: str
    text: str
    must_say: bool = False


def prompt_list(scripts: Iterable[Script] | None = None) -> tuple[PromptItem, ...]:
    """Every prompt of the scripts (the shipped ones unless told) in every language, each once."""
    chosen = shipped().values() if scripts is None else scripts
    items = {item: None for script in chosen for item in _of(script)}
    return tuple(sorted(items, key=lambda item: (item.key, item.language, item.text)))


def prompts_of(script: Script) -> Iterator[Prompt]:
    """Everything that a script can say: its nodes in the order of the file, and the two words before a repeat."""
    yield script.again
    yield script.confirm
    for node in script.nodes.values():
        if not isinstance(node, model.Branch) and node.prompt is not None:
            yield node.prompt


def _of(script: Script) -> Iterator[PromptItem]:
    for prompt in prompts_of(script):
        for language in script.languages:
            template = prompt.texts.get(language, "")
            if _is_fixed(script, template):
                text = with_defaults(script, template, language)
                yield PromptItem(key=prompt.id, language=language, text=text, must_say=prompt.must_say)


def _is_fixed(script: Script, template: str) -> bool:
    """Personal facts are spoken at call time alone; nobody's name lies about as a sound file."""
    return all(script.variables[name].kind is not VariableKind.PERSONAL for name in blanks(template))
