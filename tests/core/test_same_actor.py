"""Who signed is compared in one way: `is_same_actor`, in SQL `is_of_actor`, in every module and template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DIALER = Path(__file__).parents[2] / "dialer"
DEFINED_IN = {"core/access.py", "db/columns.py"}

_SIGNED = r"(?:(?:asked|drafted|made|entered|recorded|taken)_by|decider|member\.login|(?:line|load|one|draft)\.by)\b"
_READER = r"(?<!for )(?<![\w.])(?:(?:request|context)\.)?(?:who|by|member\.login)\b"
OTHER_SPELLINGS = re.compile(
    "|".join(
        (
            rf"{_SIGNED}(?:\"\])? *[!=]= *{_READER}(?!\()",
            rf"{_READER} *[!=]= *[\w.\[\"]*{_SIGNED}",
            rf"{_READER} (?:not )?in [({{\[][^)}}\]]*{_SIGNED}",
            r"(?:casefold|lower)\(\) *[!=]= *[\w.\[\]\"]+\.(?:casefold|lower)\(\)",
            r"func\.lower\(",
        )
    )
)


@pytest.mark.parametrize(
    "line",
    [
        'if row["entered_by"] == who:',
        "own_draft=version.drafted_by.casefold() == request.who.casefold(),",
        "may_approve=line.by != request.who,",
        'if who in {row["decider"], row["taken_by"]}:',
        "if who == change.asked_by:",
        "{% if one.asked_by == context.member.login %}",
        "sa.func.lower(_o.recorded_by) != who.lower()",
        "t.rule_version.c.drafted_by != who",
        "if member.login == who:",
    ],
)
def test_another_spelling_is_found(line: str):
    assert OTHER_SPELLINGS.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "drafted_by == SHIPPED_BY",
        "t.staff.c.login == _o.recorded_by",
        "other.login == who",
        "by=who, approved_by=by",
        "c.by == by",
    ],
)
def test_what_asks_something_else_is_not(line: str):
    assert not OTHER_SPELLINGS.search(line)


def test_who_signed_is_compared_in_one_way():
    found = [
        f"{path.relative_to(DIALER)}:{number}: {line.strip()}"
        for pattern in ("*.py", "*.html")
        for path in sorted(DIALER.rglob(pattern))
        if path.relative_to(DIALER).as_posix() not in DEFINED_IN
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if OTHER_SPELLINGS.search(line)
    ]
    assert found == []
