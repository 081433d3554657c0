"""`make words`: brings the Chinese catalogue and the glossary to what the code says. New sentences come without a
translation and are printed; sentences that the code no longer has are dropped.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "dialer" / "locale" / "zh" / "LC_MESSAGES" / "dialer.po"
GLOSSARY = ROOT / "docs" / "glossary.md"
_TEMPLATES = [("**/templates/**.html", "jinja2.ext:babel_extract")]
_SAID_IN_PLACE = {
    "gettext_noop": (0,),
    "Text": (0,),
    "bilingual": (0,),
    "Flaw": (0,),
    "Refusal": (0,),
    "Conflict": (0,),
    "UnusableFile": (0,),
    "__init__": (0,),
    "BadSignature": (0,),
    "say": (1,),
    "say_spans": (1,),
    "_wrong": (1,),
    "at": (2,),
    "of": (2,),
    "say_many": (1, 2),
}
"""Which arguments of a call are sentences, by the name of what is called."""
_OF_FINDING = 3
_PLACE = re.compile(r"%\(\w+\)s")
_SAID_BY_NAME = frozenset({"problem", "fix", "kind", "part", "reason"})
"""Keyword arguments of refusals that are."""
_REFUSALS = frozenset(
    {
        "Invalid",
        "NotFound",
        "SettingsError",
        "Unavailable",
        "ScriptUnreadable",
        "KeysRefused",
        "BadSignature",
        "Check",
        "Probe",
    }
)

TABLE = re.compile(r"<!-- words: (\w+) -->\n(.*?)<!-- end -->", re.DOTALL)
"""The place of one enumeration's words in the glossary: its name, and what stands there."""

_HEAD = """\
# The Chinese of everything that is said to people. `make words` brings it to what the code says.
msgid ""
msgstr ""
"Language: zh\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

SpokenTurn = tuple[str, str, str]
"""Context, English in the singular, English in the plural or ''."""


def said() -> Iterator[SpokenTurn]:
    """Every sentence and word that the code may say."""
    sys.path.insert(0, str(ROOT))
    from dialer.language.figure_words import words_for_catalogue  # noqa: PLC0415  # also run as a script

    for kind, text in words_for_catalogue():
        yield kind, text, ""
    for folder in ("dialer", "carrier", "audio"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from (("", *texts) for texts in in_module(path.read_text("utf-8")))
    found = extract_from_dir(
        ROOT / "dialer",
        method_map=_TEMPLATES,
        options_map={"**/templates/**.html": {"silent": "false"}},
        keywords={"_": None, "ngettext": (1, 2)},
        strip_comment_tags=True,
    )
    for _file, _line, message, _comments, context in found:
        if isinstance(message, tuple):
            yield context or "", message[0], message[1]
        else:
            yield context or "", message, ""


def in_module(source: str) -> Iterator[tuple[str, str]]:
    """The literal sentences of a module, English in the singular and in the plural or ''."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        texts = [
            _literal(call.args[place]) for place in _SAID_IN_PLACE.get(name, ()) if place < len(call.args)
        ]
        if name in {"at", "of"} and len(call.args) != _OF_FINDING:
            continue
        if texts and all(texts):
            yield texts[0], (texts[1] if len(texts) > 1 else "")
        if name in _REFUSALS:
            for given in call.keywords:
                if given.arg in _SAID_BY_NAME and (text := _literal(given.value)):
                    yield text, ""


def _literal(part: ast.expr) -> str:
    """The sentence that stands there, '' for anything else and for places and figures alone."""
    text = part.value if isinstance(part, ast.Constant) else None
    return text if isinstance(text, str) and _PLACE.sub("", text).strip("0123456789") else ""


def read() -> Catalog:
    """The catalogue as it is kept."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh", domain="dialer")


def renewed(old: Catalog) -> Catalog:
    """What the code says, with the translations that `old` has, in an order that many may add to."""
    new = Catalog(locale="zh", domain="dialer", fuzzy=False)
    for context, one, many in sorted(set(said())):
        message = old.get(one, context or None)
        told = _text(message.string) if message is not None else ""
        new.add(
            (one, many) if many else one,
            string=(told,) if many else told,
            context=context or None,
        )
    return new


def _text(told: object) -> str:
    """The Chinese, which has one form for every number."""
    if isinstance(told, (tuple, list)):
        return str(told[0] or "") if told else ""
    return str(told or "")


def written(catalogue: Catalog) -> bytes:
    """The file, without a word of when or by whom it was made."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=0, omit_header=True)
    return _HEAD.encode() + buffer.getvalue().lstrip()


def untranslated(catalogue: Catalog) -> list[str]:
    """The English of everything that has no Chinese."""
    missing = []
    for message in catalogue:
        text = message.id if isinstance(message.id, str) else message.id[0]
        if text and not _text(message.string):
            missing.append(text)
    return missing


def glossary(text: str, catalogue: Catalog) -> str:
    """The glossary with the words of each enumeration in its place. Raises `KeyError` for an unknown one."""
    from dialer.core.text import Lang  # noqa: PLC0415  # also run as a script
    from dialer.language.enumerations import ENUMERATIONS  # noqa: PLC0415  # also run as a script
    from dialer.language.words import word_of  # noqa: PLC0415

    kinds = {kind.__name__: kind for kind in ENUMERATIONS}

    def table(place: re.Match[str]) -> str:
        lines = ["| Value | English | Chinese |", "|---|---|---|"]
        for member in kinds[place[1]]:
            english = word_of(member, Lang.EN)
            message = catalogue.get(english, place[1])
            chinese = _text(message.string) if message is not None else ""
            lines.append(f"| `{member.value}` | {english} | {chinese} |")
        return "\n".join([f"<!-- words: {place[1]} -->", *lines, "<!-- end -->"])

    return TABLE.sub(table, text)


def main() -> int:
    new = renewed(read())
    CATALOGUE.write_bytes(written(new))
    GLOSSARY.write_text(glossary(GLOSSARY.read_text(encoding="utf-8"), new), encoding="utf-8")
    missing = untranslated(new)
    for text in missing:
        sys.stdout.write(f"no Chinese yet: {text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
