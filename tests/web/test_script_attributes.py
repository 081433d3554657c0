"""What scripts of pages look for stands in the templates: an attribute that is gone there switches a part of a page
off, and no other test sees it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialer.web.rendering import STATIC

_WRITERS = [*(STATIC.parent / "templates").rglob("*.html"), *STATIC.parent.glob("*.py")]
_TEMPLATES = "\n".join(path.read_text(encoding="utf-8") for path in _WRITERS)
_SCRIPTS = [path for path in STATIC.rglob("*.js") if "vendor" not in path.parts]
_ALL = "\n".join(path.read_text(encoding="utf-8") for path in _SCRIPTS)
_BY_NAME = re.compile(r"\[(data-[a-z0-9-]+)|(?:has|get)Attribute\(\"(data-[a-z0-9-]+)")
_BY_FIELD = re.compile(r"dataset\.([A-Za-z0-9]+)|\"([A-Za-z0-9]+)\" in \w+\.dataset")
_SET = re.compile(r"(?:set|toggle)Attribute\(\"(data-[a-z0-9-]+)|dataset\.([A-Za-z0-9]+)\s*=[^=]")


def _attribute(field: str) -> str:
    return "data-" + re.sub("([A-Z])", lambda letter: "-" + letter[1].lower(), field)


def _found(pattern: re.Pattern[str], text: str) -> set[str]:
    return {
        name if name.startswith("data-") else _attribute(name)
        for names in pattern.findall(text)
        for name in names
        if name
    }


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda path: path.name)
def test_every_attribute_that_a_script_reads_is_written_by_a_template_or_a_script(script: Path):
    text = script.read_text(encoding="utf-8")
    read = _found(_BY_NAME, text) | _found(_BY_FIELD, text)
    written = set(re.findall(r"\bdata-[a-z0-9-]+", _TEMPLATES)) | _found(_SET, _ALL)
    assert sorted(read - written) == []


def test_scripts_were_looked_at():
    assert {"data-asks", "data-money", "data-lease"} <= _found(_BY_FIELD, _ALL)
