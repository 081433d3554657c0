"""Where in a TOML file a table begins, so that a finding can name its line."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")


def lines_of(text: str) -> Mapping[str, int]:
    """Dotted names to 1-based lines: of every table, and of every top-level key as it stands."""
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
