"""From the TOML of a call script to a `Script`. What is wrong is said with its file, node and line."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from dialer.domain.values import Answer, Contact, FraudType, Tag
from dialer.errors import Refusal
from dialer.language import Text, mark
from dialer.scripts import model
from dialer.scripts.lines import lines_of
from dialer.scripts.model import Choice, Node, Origin, Prompt, Script
from dialer.scripts.shape import misshapen
from dialer.scripts.targets import targets
from dialer.scripts.texts import blanks

Table = Mapping[str, Any]
_E = TypeVar("_E", bound=StrEnum)
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


class ScriptUnreadable(Refusal):
    """A script's file does not say what a script must say."""

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
    wrong = misshapen(raw)
    if wrong is not None:
        # The innermost table or key whose line is known.
        names = wrong.at.split(".")
        tried = (".".join(names[:length]) for length in range(len(names), 0, -1))
        line = next((own_lines[name] for name in tried if name in own_lines), 0)
        raise ScriptUnreadable(file=file, line=line, node=wrong.node, problem=wrong.problem)
    prompt_roots: dict[str, str] = {}
    base_name = raw.pop("extends", "")
    if base_name:
        if base_name not in (bases or {}):
            line = own_lines.get("extends", 0)
            raise ScriptUnreadable(
                file=file,
                line=line,
                node="",
                problem=Text("extends %(base)s, which is not there", base=base_name),
            )
        base_file, base_text = (bases or {})[base_name]
        base = _toml(base_text, base_file)
        for name, line in lines_of(base_text).items():
            places.setdefault(name, Origin(file=base_file, line=line))
        own_nodes = raw.get("nodes", {})
        prompt_roots = {name: base_name for name in base.get("nodes", {}) if name not in own_nodes}
        prompt_roots |= {name: base_name for name in ("again", "confirm") if name not in raw}
        raw = _merged(base, raw)
        for name in own_nodes:
            _forget_base_lines(places, f"nodes.{name}", base_file)
        raw["said_in"] = prompt_roots
    return _Reader(raw, file, places).script()


def read_canonical(canonical: str) -> Script:
    """The same script again from what `Script.canonical` holds, with the same hash."""
    try:
        raw = json.loads(canonical)
    except ValueError as error:
        raise ScriptUnreadable(
            file="version", line=0, node="", problem="is no stored script version"
        ) from error
    if not isinstance(raw, dict):
        raise ScriptUnreadable(file="version", line=0, node="", problem="is no stored script version")
    return _Reader(raw, str(raw.get("id", "version")), {}).script()


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = next((int(w) for w in str(error).replace(",", " ").split() if w.isdecimal()), 0)
        raise ScriptUnreadable(
            file=file, line=line, node="", problem=Text("is not TOML: %(error)s", error=error)
        ) from error


def _merged(base: Table, own: Table) -> dict[str, Any]:
    """The base with what the script says itself. A node of the script replaces the base's as a whole."""
    merged = {**base, **own}
    for name in ("nodes", "variables", "anywhere", "phrases"):
        merged[name] = {**base.get(name, {}), **own.get(name, {})}
    return merged


def _forget_base_lines(places: dict[str, Origin], prefix: str, base_file: str) -> None:
    for name in [n for n in places if n == prefix or n.startswith(prefix + ".")]:
        if places[name].file == base_file:
            del places[name]


class _Reader:
    """One pass over the tables; every problem names the node and the line it stands on."""

    def __init__(self, raw: Table, file: str, places: Mapping[str, Origin]) -> None:
        self._raw = raw
        self._file = file
        self._places = places
        self._languages: tuple[str, ...] = ()

    def script(self) -> Script:
        raw = self._raw
        known = {
            "id", "title", "purpose", "fraud_types", "tags", "languages", "default_language", "fallbacks",
            "variables", "start", "again", "confirm", "anywhere", "nodes", "said_in", "phrases", "message",
        }  # fmt: skip
        self._only(raw, known, "")
        if not _ID.match(self._need(raw, "id", str, "")):
            raise self._wrong("", "id must be small letters, digits and _, such as loan_students", "id")
        self._languages = tuple(self._need(raw, "languages", list, ""))
        default_language = self._need(raw, "default_language", str, "")
        nodes = {name: self._node(name, table) for name, table in self._need(raw, "nodes", dict, "").items()}
        start = self._need(raw, "start", str, "")
        before = {name: self._need(raw, name, dict, "") for name in ("again", "confirm")}
        for table in before.values():
            self._only(table, {*_PROMPT, *self._languages}, "")
        again, confirm = (self._prompt(name, table) for name, table in before.items())
        anywhere = {
            key: self._choice(key, table, "anywhere") for key, table in raw.get("anywhere", {}).items()
        }
        canonical = json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        script = Script(
            id=self._need(raw, "id", str, ""),
            title=self._texts(self._need(raw, "title", dict, ""), "title"),
            purpose=self._enum(model.Purpose, raw.get("purpose", "warning"), "purpose"),
            fraud_types=frozenset(
                self._enum(FraudType, f, "fraud_types") for f in raw.get("fraud_types", [])
            ),
            tags=frozenset(self._enum(Tag, tag, "tags") for tag in raw.get("tags", [])),
            languages=self._languages,
            default_language=default_language,
            fallbacks=dict(raw.get("fallbacks", {})),
            variables={n: self._variable(n, t) for n, t in raw.get("variables", {}).items()},
            start=start,
            again=again,
            confirm=confirm,
            message=self._texts(raw.get("message", {}), "message"),
            anywhere=anywhere,
            nodes=nodes,
            canonical=canonical,
            content_hash=hashlib.sha256(canonical.encode()).hexdigest(),
            origin=Origin(file=self._file, line=1),
        )
        self._whole(script)
        return script

    def _node(self, name: str, table: Table) -> Node:
        kind = self._need(table, "kind", str, name)
        origin = self._origin(f"nodes.{name}")
        match kind:
            case "say":
                self._only(table, {"kind", "next", *_PROMPT, *self._languages}, name)
                return model.Say(
                    id=name,
                    prompt=self._prompt(name, table),
                    next=self._need(table, "next", str, name),
                    origin=origin,
                )
            case "ask":
                return self._ask(name, table, origin)
            case "branch":
                self._only(table, {"kind", "on", "cases", "otherwise"}, name)
                return model.Branch(
                    id=name,
                    on=self._enum(model.BranchOn, self._need(table, "on", str, name), name),
                    cases=dict(self._need(table, "cases", dict, name)),
                    otherwise=self._need(table, "otherwise", str, name),
                    origin=origin,
                )
            case "hand_over":
                self._only(table, {"kind", "answer", "urgency", "next", *_PROMPT, *self._languages}, name)
                return model.HandOver(
                    id=name,
                    prompt=self._prompt(name, table),
                    answer=self._enum(Answer, table.get("answer", "wants_officer"), name),
                    urgency=self._enum(model.Urgency, table.get("urgency", "now"), name),
                    next=self._need(table, "next", str, name),
                    origin=origin,
                )
            case "end":
                self._only(table, {"kind", "contact", "answer", "urgency", *_PROMPT, *self._languages}, name)
                return model.End(
                    id=name,
                    prompt=self._prompt(name, table) if set(table) & set(self._languages) else None,
                    contact=self._enum(Contact, self._need(table, "contact", str, name), name),
                    answer=self._enum(Answer, self._need(table, "answer", str, name), name),
                    urgency=self._enum(model.Urgency, self._need(table, "urgency", str, name), name),
                    origin=origin,
                )
            case _:
                raise self._wrong(
                    name,
                    Text("kind %(kind)s is none of say, ask, branch, hand_over, end", kind=kind),
                    f"nodes.{name}.kind",
                )

    def _ask(self, name: str, table: Table, origin: Origin) -> model.Ask:
        known = {
            "kind",
            "choices",
            "timeout_seconds",
            "retries",
            "otherwise",
            "repeat_from",
            "collect",
            "max_digits",
            "next",
        }
        self._only(table, known | {*_PROMPT, *self._languages}, name)
        choices = {k: self._choice(k, t, name) for k, t in table.get("choices", {}).items()}
        return model.Ask(
            id=name,
            prompt=self._prompt(name, table),
            choices=choices,
            timeout_seconds=self._need(table, "timeout_seconds", int, name),
            retries=self._need(table, "retries", int, name),
            otherwise=self._need(table, "otherwise", str, name),
            origin=origin,
            repeat_from=table.get("repeat_from", name),
            collect=table.get("collect", ""),
            max_digits=table.get("max_digits", 1),
            next=table.get("next", ""),
        )

    def _choice(self, key: str, table: Table, node: str) -> Choice:
        self._only(table, {"next", "phrases", "contact", "answer", "needs_key"}, node)
        if len(key) != 1 or key not in "0123456789*":
            raise self._wrong(node, Text("%(key)s is not a key of a telephone", key=key))
        contact, answer = table.get("contact"), table.get("answer")
        return Choice(
            key=key,
            next=self._need(table, "next", str, node),
            phrases=self._phrases(table.get("phrases", {}), node),
            contact=self._enum(Contact, contact, node) if contact else None,
            answer=self._enum(Answer, answer, node) if answer else None,
            needs_key=bool(table.get("needs_key", contact == "verified")),
        )

    def _phrases(self, named: str | Table, node: str) -> Mapping[str, tuple[str, ...]]:
        """The phrases of an answer, written out or taken by name from the script's `phrases`."""
        if isinstance(named, str):
            if named not in self._raw.get("phrases", {}):
                raise self._wrong(node, Text("has no phrases %(name)s", name=named))
            return self._phrases(dict(self._raw["phrases"][named]), node)
        return {language: tuple(said) for language, said in named.items()}

    def _prompt(self, name: str, table: Table) -> Prompt:
        root = self._raw.get("said_in", {}).get(name, self._raw.get("id", ""))
        texts = {
            lang: " ".join(table[lang].split())
            for lang in self._languages
            if lang in table and self._need(table, lang, str, name).strip()
        }
        if not texts:
            raise self._wrong(name, "has no text in any language of the script")
        return Prompt(id=f"{root}.{name}", texts=texts, must_say=bool(table.get("must_say", False)))

    def _variable(self, name: str, table: Table) -> model.Variable:
        self._only(table, {"kind", "defaults"}, name)
        kind = self._enum(model.VariableKind, self._need(table, "kind", str, name), name)
        return model.Variable(name=name, kind=kind, defaults=dict(table.get("defaults", {})))

    def _texts(self, table: Table, node: str) -> Mapping[str, str]:
        if not all(isinstance(text, str) for text in table.values()):
            raise self._wrong(node, "must be texts by language")
        return dict(table)

    def _whole(self, script: Script) -> None:
        """Every name that is used exists; what the graph does with them is for the lint."""
        if script.default_language not in script.languages:
            problem = Text(
                "default language %(language)s is none of its languages", language=script.default_language
            )
            raise self._wrong("", problem, "default_language")
        if script.default_language not in script.title:
            raise self._wrong("title", "has no text in the default language")
        for node, target in [("", script.start), *targets(script)]:
            if target not in script.nodes:
                raise self._wrong(node, Text("leads to %(node)s, which is no node", node=target))

        for part in script.nodes.values():
            prompt = None if isinstance(part, model.Branch) else part.prompt
            for text in prompt.texts.values() if prompt else ():
                for name in sorted(blanks(text) - set(script.variables)):
                    raise self._wrong(
                        part.id, Text("uses {%(name)s}, which is no variable of the script", name=name)
                    )

    def _only(self, table: Table, known: set[str], node: str) -> None:
        for name in table:
            if name not in known:
                raise self._wrong(
                    node, Text("does not know %(name)s", name=name), f"nodes.{node}.{name}" if node else name
                )

    def _need(self, table: Table, name: str, kind: type[Any], node: str) -> Any:  # noqa: ANN401 - a value of `kind`
        if name not in table:
            raise self._wrong(node, Text("%(name)s is missing", name=name))
        if not isinstance(table[name], kind) or (kind is int and table[name] is True):
            raise self._wrong(
                node,
                Text(_MUST_BE[kind], name=name),
                f"nodes.{node}.{name}" if node else name,
            )
        return table[name]

    def _enum(self, kind: type[_E], value: str, node: str) -> _E:
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(member.value for member in kind)
            raise self._wrong(
                node, Text("%(value)s is none of %(allowed)s", value=value, allowed=allowed)
            ) from None

    def _origin(self, name: str) -> Origin:
        return self._places.get(name, Origin(file=self._file, line=0))

    def _wrong(self, node: str, problem: str | Text, at: str = "") -> ScriptUnreadable:
        places = (at, f"nodes.{node}", f"variables.{node}", node)
        place = next((self._places[p] for p in places if p in self._places), Origin(file=self._file, line=0))
        return ScriptUnreadable(file=place.file, line=place.line, node=node, problem=problem)


_PROMPT = frozenset({"must_say"})
_MUST_BE: Mapping[type, str] = {
    str: mark("%(name)s must be a text"),
    int: mark("%(name)s must be a whole number"),
    list: mark("%(name)s must be a list"),
    dict: mark("%(name)s must be a table"),
}
