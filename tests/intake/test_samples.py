from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.records import Accepted, IntakeOptions
from tests.intake.in_process import read_list

SAMPLES = Path(__file__).parent / "samples"
LOADED_AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def expected() -> dict[str, dict[str, Any]]:
    """The counts of each sample list, by file name; `unusable` for a file that is no list."""
    found: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
    return found


def test_every_sample_list_gives_the_counts_it_should():
    for name, counts in expected().items():
        options = IntakeOptions(now=LOADED_AT)
        if counts.get("unusable"):
            with pytest.raises(UnusableFile) as refused:
                read_list((SAMPLES / name).read_bytes(), filename=name, options=options)
            assert "\n" not in str(refused.value), name
            continue
        results = list(read_list((SAMPLES / name).read_bytes(), filename=name, options=options))
        accepted = [result for result in results if isinstance(result, Accepted)]
        keys = {result.record.key for result in accepted}
        assert {
            "rows": len(results),
            "accepted": len(keys),
            "duplicate": len(accepted) - len(keys),
            "rejected": len(results) - len(accepted),
        } == counts, name
