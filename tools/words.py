"""`make words`: brings the Chinese catalogue to what the code says. New sentences come without a translation and are
printed; sentences that nobody says any more are dropped.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "dialer" / "locale" / "zh" / "LC_MESSAGES" / "dialer.po"
_METHODS = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "tools.words:calls")]
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "ngettext": (1, 2),
    "mark": None,
    "say": (2,),
    "say_many": (2, 3),
}

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

Said = tuple[str, str, str]
"""Context, English in the singular, English in the plural or ''."""


Call = tuple[int, str, tuple[str | None, ...], list[str]]
"""Line, name of what is called, its arguments (None for one that is no literal string), comments."""


def calls(file: IO[bytes], keywords: Collection[str], *_tags: object, **_options: object) -> Iterator[Call]:
    """The calls of the keywords in a Python file, in the form that Babel asks of an extraction method.

    Babel's own method reads tokens, which differ between versions of Python where an f-string is written.
    """
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in keywords:
                yield node.lineno, name, tuple(_literal(one) for one in node.args), []


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def said() -> Iterator[Said]:
    """Every sentence and word that the code may say."""
    sys.path.insert(0, str(ROOT))
    from dialer import figure_words, words  # noqa: PLC0415  # also run as a script

    for kind, text in (*words.english(), *figure_words.english()):
        yield kind, text, ""
    found = extract_from_dir(
        ROOT / "dialer",
        method_map=_METHODS,
        options_map={"**/templates/**.html": {"silent": "false"}},
        keywords=_KEYWORDS,
        strip_comment_tags=True,
    )
    for _file, _line, message, _comments, context in found:
        if isinstance(message, tuple):
            yield context or "", message[0], message[1]
        else:
            yield context or "", message, ""


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


def main() -> int:
    new = renewed(read())
    CATALOGUE.write_bytes(written(new))
    missing = untranslated(new)
    for text in missing:
        sys.stdout.write(f"no Chinese yet: {text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
