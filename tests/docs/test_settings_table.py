"""The settings table is what the settings are."""

from __future__ import annotations

from dialer.core.values import Grade
from dialer.runtime.settings import NAMES, PREFIX
from tests.docs import settings_table


def _shown() -> str:
    page = settings_table.PAGE.read_text(encoding="utf-8")
    return page.partition(settings_table.BEGIN)[2].partition(settings_table.END)[0]


def test_the_table_is_fresh() -> None:
    assert _shown() == settings_table.table(), "write it anew: python -m tests.docs.settings_table"


def test_every_name_that_is_read_has_a_row() -> None:
    text = _shown()
    for name in sorted(PREFIX + name for name in NAMES):
        general = name
        for grade in Grade:
            general = general.replace(f"POLICY__{grade.value.upper()}__", "POLICY__<GRADE>__")
        assert f"`{general}`" in text, name


def test_every_row_says_what_it_is_for() -> None:
    rows = _shown().splitlines()[2:]
    assert rows
    for row in rows:
        assert row.rstrip("| ").count(" | ") == 3, row
