from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.reader import read_list
from dialer.intake.records import Accepted, IntakeOptions

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
LOADED_AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def expected() -> dict[str, dict[str, Any]]:
    path = SAMPLES / "expected.json"
    if path.is_file():
        return json.loads(path.read_text("utf-8"))
    if os.environ.get("CI"):
        pytest.fail("CI is set and the shared samples do not lie beside the project")
    pytest.skip("the shared samples do not lie beside the project")


def test_every_shared_sample_gives_the_counts_it_should():
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
