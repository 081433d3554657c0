"""Reads call scripts from TOML, and chooses the shipped script that fits a call.

Every fault that the reader finds names its file, line and node. The lint checks the graph and the wording.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from enum import EnumType, StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType, NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from dialer.core.errors import NotFound, Refusal
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Contact, FraudType, Tag
from dialer.scripts.model import (
    Ask,
    Branch,
    Choice,
    End,
    HandOver,
    Node,
    Origin,
    Prompt,
    Purpose,
    Say,
    Script,
    Variable,
    arrows,
    asides,
    language_text,
    needs_verification,
    prompt_of,
    variable_names,
    with_defaults,
    with_names,
)

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")

_ENDLESS_KEY = re.compile(r"(?:\.[^.\n]{1,80}){50}")


def lines_of(text: str) -> Mapping[str, int]:
    """The line (from 1) of every table and key, by dotted name."""
    found: dict[str, int] = {}
    table = ""
    inside_text = False
    for number, line in enumerate(text.splitlines(), start=1):
        was_inside = inside_text
        if line.count('"""') % 2 or line.count("'''") % 2:
            inside_text = not inside_text
        if was_inside:
            continue
        header = _HEADER.match(line)
        if header:
            table = ".".join(part.strip().strip("\"'") for part in header.group(1).split("."))
            found.setdefault(table, number)
            continue
        key, equals, _ = line.partition("=")
        if equals and not key.lstrip().startswith("#"):
            name = ".".join(part.strip().strip("\"'") for part in key.split("."))
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


Table = Mapping[str, Any]


_Check = Callable[[object, str], Text | None]
"""A check of a value with a name: what is wrong with it, or None."""


def _kind(kind: type, must_be: str) -> _Check:
    def check(value: object, name: str) -> Text | None:
        good = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        return None if good else Text(must_be, name=name)

    return check


_text = _kind(str, gettext_noop("%(name)s must be a text"))
_number = _kind(int, gettext_noop("%(name)s must be a whole number"))
_truth = _kind(bool, gettext_noop("%(name)s must be true or false"))
_table = _kind(dict, gettext_noop("%(name)s must be a table"))


def _texts(value: object, name: str) -> Text | None:
    good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if good else Text("%(name)s must be a list of texts", name=name)


def _table_of(check: _Check) -> _Check:
    def each(value: object, name: str) -> Text | None:
        if not isinstance(value, dict):
            return _table(value, name)
        return next((wrong for key, item in value.items() if (wrong := check(item, f"{name} {key}"))), None)

    return each


def _phrases(value: object, name: str) -> Text | None:
    return None if isinstance(value, str) else _table_of(_texts)(value, name)


_CHOICE: Mapping[str, _Check] = {
    **dict.fromkeys(("next", "contact", "answer"), _text),
    "needs_key": _truth,
    "phrases": _phrases,
}


def _choice(value: object, name: str) -> Text | None:
    if not isinstance(value, dict):
        return _table(value, name)
    checks = ((check, key) for key, check in _CHOICE.items() if key in value)
    return next((wrong for check, key in checks if (wrong := check(value[key], f"{name} {key}"))), None)


_NODE: Mapping[str, _Check] = {
    **dict.fromkeys(
        ("kind", "next", "otherwise", "on", "repeat_from", "collect", "answer", "contact", "urgency"), _text
    ),
    **dict.fromkeys(("timeout_seconds", "retries", "max_digits"), _number),
    "cases": _table_of(_text),
    "choices": _table_of(_choice),
    "must_say": _truth,
}
_VARIABLE: Mapping[str, _Check] = {"kind": _text, "defaults": _table_of(_text)}
_ASIDES = ("greeting", "again", "wrong_key", "unclear", "confirm")
"""The prompts of a script besides its nodes: the answer to a greeting, and the words before a question is
asked again.
"""
_OPTIONAL = ("other_language", "recorded")
"""Further prompts besides the nodes; `recorded` replaces the opening. Versions from before there was a choice of
language, or recordings, lack them.
"""
_WHOLE: Mapping[str, _Check] = {
    **dict.fromkeys(("extends", "id", "default_language", "start", "purpose"), _text),
    **dict.fromkeys(("languages", "fraud_types", "tags"), _texts),
    **dict.fromkeys(("title", "message", "fallbacks", "said_in"), _table_of(_text)),
    **dict.fromkeys(("phrases", *_ASIDES, *_OPTIONAL, "variables", "nodes"), _table),
    "anywhere": _table_of(_choice),
}
_EACH: Mapping[str, _Check] = {"phrases": _table_of(_texts), "variables": _table, "nodes": _table}


def _malformed(raw: Table) -> Iterator[tuple[str, str, Text]]:
    """Every value of the wrong type: its node ('' for none), its dotted name, and what is wrong."""
    yield from _within("", "", raw, _WHOLE)
    for group, check in _EACH.items():
        for name, table in raw.get(group, {}).items():
            if problem := check(table, name):
                yield "", f"{group}.{name}", problem
    for name, variable in raw.get("variables", {}).items():
        yield from _within(f"variables.{name}.", name, variable, _VARIABLE)
    for name in _ASIDES:
        yield from _within(f"{name}.", name, raw.get(name, {}), {"must_say": _truth})
    for name, node in raw.get("nodes", {}).items():
        yield from _within(f"nodes.{name}.", name, node, _NODE)


def _within(
    prefix: str, node: str, table: Table, checks: Mapping[str, _Check]
) -> Iterator[tuple[str, str, Text]]:
    for name, check in checks.items():
        if name in table and (problem := check(table[name], name)):
            yield node, prefix + name, problem


_E = TypeVar("_E", bound=StrEnum)
_P = TypeVar("_P", bound="Node | Choice | Variable")
NODE_TYPES: Mapping[str, type[Node]] = {
    "say": Say,
    "ask": Ask,
    "branch": Branch,
    "hand_over": HandOver,
    "end": End,
}
_KINDS: Mapping[type, Mapping[str, Any]] = {
    part: get_type_hints(part) for part in (*NODE_TYPES.values(), Choice, Variable)
}
"""The type of every field."""
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


class ScriptUnreadable(Refusal):
    """The file of a script is not TOML, or does not describe a script."""

    def __init__(self, *, file: str, line: int, node: str, problem: str | Text) -> None:
        self.file = file
        self.line = line
        self.node = node
        self.problem = Text.of(problem)
        place = f"{file}:{line}" if line else file
        super().__init__(
            Text("%(place)s: %(problem)s", place=f"{place}: {node}" if node else place, problem=self.problem)
        )


def read_script(text: str, *, file: str, bases: Mapping[str, tuple[str, str]] | None = None) -> Script:
    """The script in a file's text. `bases` gives, for a name in `extends`, the base's file name and text.

    Raises `ScriptUnreadable`.
    """
    raw = _toml(text, file)
    own_lines = lines_of(text)
    places = {name: Origin(file=file, line=line) for name, line in own_lines.items()}
    for node, name, problem in _malformed(raw):
        # The innermost table or key whose line is known.
        names = name.split(".")
        outward = (".".join(names[:length]) for length in range(len(names), 0, -1))
        line = next((own_lines[name] for name in outward if name in own_lines), 0)
        raise ScriptUnreadable(file=file, line=line, node=node, problem=problem)
    base_name = raw.pop("extends", "")
    if base_name:
        if base_name not in (bases or {}):
            problem = Text("extends %(base)s, which is not there", base=base_name)
            raise ScriptUnreadable(file=file, line=own_lines.get("extends", 0), node="", problem=problem)
        base_file, base_text = (bases or {})[base_name]
        base = _toml(base_text, base_file)
        own_nodes = raw.get("nodes", {})
        for name, line in lines_of(base_text).items():
            # A node of the script replaces the base's as a whole, and so do its lines.
            group, _, rest = name.partition(".")
            if group != "nodes" or rest.partition(".")[0] not in own_nodes:
                places.setdefault(name, Origin(file=base_file, line=line))
        prompt_roots = {name: base_name for name in base.get("nodes", {}) if name not in own_nodes}
        prompt_roots |= {name: base_name for name in _ASIDES if name not in raw}
        prompt_roots |= {name: base_name for name in _OPTIONAL if name in base and name not in raw}
        raw = _merged(base, raw)
        raw["said_in"] = prompt_roots
    return _Reader(raw, file, places).script()


def read_canonical(canonical: str) -> Script:
    """The script from the text of `Script.canonical`, with the same hash. Ignores what a newer version of the product
    has added to scripts: during an upgrade, a web process of this version may answer calls of the newer one. Raises
    `ScriptUnreadable`.
    """
    try:
        raw = json.loads(canonical)
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        raise ScriptUnreadable(file="version", line=0, node="", problem="is not a stored script version")
    return _Reader(raw, str(raw.get("id", "version")), {}, is_stored=True).script()


_AT_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)$")


def line_of_fault(error: tomllib.TOMLDecodeError) -> int:
    """The line at which a TOML file cannot be read; 0 for its end. In Python 3.14 it is an attribute of the error;
    earlier releases give it only at the end of the message.
    """
    given = getattr(error, "lineno", None)
    if given is not None:
        return int(given)
    found = _AT_LINE.search(str(error))
    return int(found[1]) if found is not None else 0


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        if _ENDLESS_KEY.search(text):
            # Parsing such a key takes time with the square of its length.
            raise ScriptUnreadable(file=file, line=0, node="", problem=Text("has a key of too many parts"))
        return tomllib.loads(text)
    except RecursionError:
        raise ScriptUnreadable(file=file, line=0, node="", problem=Text("is nested too deeply")) from None
    except tomllib.TOMLDecodeError as error:
        raise ScriptUnreadable(
            file=file, line=line_of_fault(error), node="", problem=Text("is not TOML: %(error)s", error=error)
        ) from error


def _merged(base: Table, own: Table) -> dict[str, Any]:
    """The base with the script's own values. A node of the script replaces the base's node as a whole."""
    merged = {**base, **own}
    for name in ("nodes", "variables", "anywhere", "phrases"):
        merged[name] = {**base.get(name, {}), **own.get(name, {})}
    return merged


class _Reader:
    """Builds a script from its tables; every fault names its node and line."""

    def __init__(
        self, raw: Table, file: str, places: Mapping[str, Origin], *, is_stored: bool = False
    ) -> None:
        self._raw = raw
        self._is_stored = is_stored
        self._file = file
        self._places = places
        self._languages: tuple[str, ...] = ()

    def script(self) -> Script:
        raw = self._raw
        known = {
            "id", "title", "purpose", "fraud_types", "tags", "languages", "default_language", "fallbacks",
            "variables", "start", "anywhere", "nodes", "said_in", "phrases", "message", *_ASIDES, *_OPTIONAL,
        }  # fmt: skip
        self._reject_unknown(raw, known, "")
        if not _ID.match(self._require(raw, "id", "")):
            raise self._wrong("", "id must be small letters, digits and _, such as loan_students", "id")
        self._languages = tuple(self._require(raw, "languages", ""))
        nodes = {name: self._node(name, table) for name, table in self._require(raw, "nodes", "").items()}
        asides = {}
        for name in _ASIDES:
            # In versions from before there was a greeting or a wrong key, `again` takes their place.
            said = name if name in raw or name in {"again", "confirm"} else "again"
            table = self._require(raw, said, "")
            self._reject_unknown(table, {"must_say", *self._languages}, "")
            asides[name] = self._prompt(said, table)
        optional: dict[str, Prompt | None] = dict.fromkeys(_OPTIONAL)
        for name in _OPTIONAL:
            if name in raw:
                self._reject_unknown(raw[name], set(self._languages), "")
                optional[name] = self._prompt(name, {**raw[name], "must_say": name == "recorded"})
        canonical = json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        script = Script(
            id=self._require(raw, "id", ""),
            title=dict(self._require(raw, "title", "")),
            purpose=self._enum(Purpose, raw.get("purpose", "warning"), "purpose"),
            fraud_types=frozenset(
                self._enum(FraudType, f, "fraud_types") for f in raw.get("fraud_types", [])
            ),
            tags=frozenset(self._enum(Tag, tag, "tags") for tag in raw.get("tags", [])),
            languages=self._languages,
            default_language=self._require(raw, "default_language", ""),
            fallbacks=dict(raw.get("fallbacks", {})),
            variables={n: self._variable(n, t) for n, t in raw.get("variables", {}).items()},
            start=self._require(raw, "start", ""),
            greetings=self._phrases(dict(raw.get("phrases", {}).get("greeting", {})), ""),
            **asides,
            other_language=optional["other_language"],
            recorded=(recorded := optional["recorded"]),
            # An opening names the bureau. In older versions this was a notice alone, which must not replace the
            # warning.
            recorded_follows=recorded is not None
            and not all("{bureau}" in text for text in recorded.texts.values() if text),
            message=dict(raw.get("message", {})),
            anywhere={k: self._choice(k, t, "anywhere") for k, t in raw.get("anywhere", {}).items()},
            nodes=nodes,
            canonical=canonical,
            content_hash=hashlib.sha256(canonical.encode()).hexdigest(),
            origin=Origin(file=self._file, line=1),
        )
        self._check_names(script)
        return script

    def _node(self, name: str, table: Table) -> Node:
        kind = self._require(table, "kind", name)
        part = NODE_TYPES.get(kind)
        if part is None:
            problem = Text("kind %(kind)s must be say, ask, branch, hand_over or end", kind=kind)
            raise self._wrong(name, problem, f"nodes.{name}.kind")
        given: dict[str, Any] = {"id": name, "origin": self._origin(f"nodes.{name}")}
        read = {"kind"}
        if part is not Branch:
            is_silent = part is End and not set(table) & set(self._languages)
            given["prompt"] = None if is_silent else self._prompt(name, table)
            read |= {"must_say", *self._languages}
        if part is Ask:
            given["choices"] = {k: self._choice(k, t, name) for k, t in table.get("choices", {}).items()}
            read.add("choices")
            table = {"repeat_from": name, **table}
        return self._part(part, table, name, given, read)

    def _choice(self, key: str, table: Table, node: str) -> Choice:
        if len(key) != 1 or key not in "0123456789*":
            raise self._wrong(node, Text("%(key)s is not a key of a telephone", key=key))
        given = {"key": key, "phrases": self._phrases(table.get("phrases", {}), node)}
        table = {"needs_key": table.get("contact") == Contact.VERIFIED, **table}
        return self._part(Choice, table, node, given, {"phrases"})

    def _part(
        self, part: type[_P], table: Table, node: str, given: Mapping[str, Any], read: Iterable[str] = ()
    ) -> _P:
        """A part of the script: the fields in `given`, and for every other field the table's value of that name, else
        the field's default. `read`: the names in the table that were read for `given`.
        """
        wanted = {field.name: field for field in fields(part) if field.name not in given}
        self._reject_unknown(table, {*wanted, *read}, node)
        kinds, values = _KINDS[part], dict(given)
        for name, field in wanted.items():
            if name in table or (field.default is MISSING and field.default_factory is MISSING):
                value, kind = self._require(table, name, node), kinds[name]
                if NoneType in get_args(kind):
                    value, kind = value or None, get_args(kind)[0]
                is_word = value is not None and isinstance(kind, EnumType)
                values[name] = self._enum(kind, value, node) if is_word else value
        return part(**values)

    def _phrases(self, given: str | Table, node: str) -> Mapping[str, tuple[str, ...]]:
        """The phrases of an answer, given in full or as a name in the script's `phrases`."""
        if isinstance(given, str):
            if given not in self._raw.get("phrases", {}):
                raise self._wrong(node, Text("has no phrases %(name)s", name=given))
            return self._phrases(dict(self._raw["phrases"][given]), node)
        return {language: tuple(said) for language, said in given.items()}

    def _prompt(self, name: str, table: Table) -> Prompt:
        root = self._raw.get("said_in", {}).get(name, self._raw.get("id", ""))
        found = {language: table[language] for language in self._languages if language in table}
        for language, text in found.items():
            if wrong := _text(text, language):
                raise self._wrong(name, wrong, f"nodes.{name}.{language}")
        texts = {language: " ".join(text.split()) for language, text in found.items() if text.strip()}
        if not texts:
            raise self._wrong(name, "has no text in any language of the script")
        return Prompt(id=f"{root}.{name}", texts=texts, must_say=bool(table.get("must_say", False)))

    def _variable(self, name: str, table: Table) -> Variable:
        return self._part(Variable, {"defaults": {}, **table}, name, {"name": name})

    def _check_names(self, script: Script) -> None:
        """Raises `ScriptUnreadable` for a node, a language or a variable that is used but does not exist."""
        if script.default_language not in script.languages:
            problem = Text(
                "default language %(language)s is not among its languages",
                language=language_text(script.default_language),
            )
            raise self._wrong("", problem, "default_language")
        if script.default_language not in script.title:
            raise self._wrong("title", "has no text in the default language")
        self._check_target("", script.start, script)
        for part in script.nodes.values():
            for arrow in arrows(script, part):
                self._check_target(part.id, arrow.to, script)
            if isinstance(part, Ask):
                self._check_target(part.id, part.repeat_from, script)
        for part in script.nodes.values():
            prompt = prompt_of(part)
            for text in prompt.texts.values() if prompt else ():
                for name in sorted(variable_names(text) - set(script.variables)):
                    problem = Text("uses {%(name)s}, which is not a variable of the script", name=name)
                    raise self._wrong(part.id, problem)

    def _check_target(self, node: str, to: str, script: Script) -> None:
        if to not in script.nodes:
            raise self._wrong(node, Text("leads to %(node)s, which is not a node", node=to))

    def _reject_unknown(self, table: Table, known: set[str], node: str) -> None:
        for name in table:
            if name not in known and not self._is_stored:
                raise self._wrong(
                    node, Text("does not know %(name)s", name=name), f"nodes.{node}.{name}" if node else name
                )

    def _require(self, table: Table, name: str, node: str) -> Any:  # noqa: ANN401 - of the kind that was checked before
        if name not in table:
            raise self._wrong(node, Text("%(name)s is missing", name=name))
        return table[name]

    def _enum(self, kind: type[_E], value: str, node: str) -> _E:
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(member.value for member in kind)
            raise self._wrong(
                node, Text("%(value)s must be one of %(allowed)s", value=value, allowed=allowed)
            ) from None

    def _origin(self, name: str) -> Origin:
        return self._places.get(name, Origin(file=self._file, line=0))

    def _wrong(self, node: str, problem: str | Text, at: str = "") -> ScriptUnreadable:
        places = (at, f"nodes.{node}", f"variables.{node}", node)
        place = next((self._places[p] for p in places if p in self._places), Origin(file=self._file, line=0))
        return ScriptUnreadable(file=place.file, line=place.line, node=node, problem=problem)


_BASE = "common"
GENERAL_SCRIPT = "general"
"""The script for a fraud type that has none of its own."""


@cache
def shipped_scripts() -> Mapping[str, Script]:
    """Every shipped script by its id. Raises `ScriptUnreadable` if a file is damaged."""
    texts = shipped_texts()
    base = (f"{_BASE}.toml", texts[_BASE])
    scripts = (
        read_script(text, file=f"{name}.toml", bases={_BASE: base})
        for name, text in sorted(texts.items())
        if name != _BASE
    )
    return MappingProxyType({script.id: script for script in scripts})


def shipped_texts() -> Mapping[str, str]:
    """The text of every shipped file by its name without the ending, including the common base."""
    folder = resources.files("dialer.scripts")
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


def script_named(script_id: str) -> Script:
    """The shipped script with this id. Raises `NotFound`."""
    try:
        return shipped_scripts()[script_id]
    except KeyError:
        raise NotFound(kind="script", key=script_id) from None


_LANGUAGES = {Tag.MONGOLIAN: "mn"}


def language_for(script: Script, tags: Iterable[Tag]) -> str:
    """The language to try first with a person who has these tags; the script's default language if it has no other that
    fits.
    """
    wanted = (_LANGUAGES[tag] for tag in sorted(tags) if tag in _LANGUAGES)
    return next((language for language in wanted if language in script.languages), script.default_language)


def choose_script_id(
    fraud_type: FraudType,
    tags: Iterable[Tag] = (),
    purpose: Purpose = Purpose.WARNING,
    *,
    among: Mapping[str, Script] | None = None,
) -> str:
    """The id of the script that fits best: by purpose, then tags, then fraud type; else the general one.

    `among`: the scripts to choose from, by id; by default the shipped ones.
    """
    have = frozenset(tags)
    fitting = [
        script
        for script in (shipped_scripts() if among is None else among).values()
        if script.purpose is purpose
        and script.tags <= have
        and (not script.fraud_types or fraud_type in script.fraud_types)
    ]
    if not fitting:
        return GENERAL_SCRIPT
    best = max(fitting, key=lambda script: (len(script.tags), bool(script.fraud_types), script.id))
    return best.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptItem:
    """One prompt in one language, with its variables filled in. An empty text is a slot for a recording."""

    key: str
    language: str
    text: str
    must_say: bool = False
    slow: bool = False


def slow_list(scripts: Iterable[Script] | None = None) -> tuple[PromptItem, ...]:
    """The prompts that also have a slow reading, for people who are hard of hearing: every `say` node that must be
    said, and the opening of a recorded call. Without an installed voice, calls do without slow readings.
    """
    scripts = tuple(shipped_scripts().values() if scripts is None else scripts)
    slowly = {
        node.prompt.id
        for script in scripts
        for node in script.nodes.values()
        if isinstance(node, Say) and node.prompt.must_say
    }
    slowly |= {script.recorded.id for script in scripts if script.recorded is not None}
    return tuple(
        replace(item, slow=True) for item in prompt_list(scripts) if item.key in slowly and item.text
    )


def prompt_list(scripts: Iterable[Script] | None = None) -> tuple[PromptItem, ...]:
    """Every prompt of the scripts (by default all shipped ones) in every language, each once.

    Texts with a personal fact are left out: they have no sound file and are spoken during the call.
    """
    items = dict.fromkeys(
        PromptItem(
            key=prompt.id,
            language=language,
            text=with_defaults(script, template, language),
            must_say=prompt.must_say,
        )
        for script in (shipped_scripts().values() if scripts is None else scripts)
        for prompt in prompts_of(script)
        for language in script.languages
        if not needs_verification(script, template := prompt.texts.get(language, ""))
    )
    return tuple(sorted(items, key=lambda item: (item.key, item.language, item.text)))


def shipped_list(names: Mapping[str, Mapping[str, str]]) -> tuple[PromptItem, ...]:
    """Everything that the shipped sound says: every prompt with the scripts' own words for their variables and with
    `names`, and the slow readings with `names`.
    """
    scripts = shipped_scripts().values()
    own = [with_names(script, names) for script in scripts]
    return tuple(dict.fromkeys((*prompt_list(scripts), *prompt_list(own), *slow_list(own))))


def prompts_of(script: Script) -> Iterator[Prompt]:
    """Every prompt of a script: those besides its nodes, then those of its nodes in file order."""
    yield from asides(script)
    yield from (prompt for node in script.nodes.values() if (prompt := prompt_of(node)) is not None)
