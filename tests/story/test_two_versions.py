"""The release before and this version run side by side for the time of an upgrade, with calls live."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tools.upgrade_drill import NoHistory, drill, unpack_release

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]


def test_an_upgrade_from_the_release_before_loses_nobody_and_answers_everything(tmp_path: Path):
    tmp_path.chmod(0o755)
    try:
        unpack_release(tmp_path / "release")
    except NoHistory as fault:
        pytest.skip(str(fault))
    figures = asyncio.run(drill(tmp_path))
    assert (figures["called_twice"], figures["never_called"]) == (0, 0)
    assert figures["calls_live_at_migration"] > 0
    assert figures["answers_old"] > 0
    assert figures["answers_new"] > 0
