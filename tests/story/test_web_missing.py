"""A service whose web process is late: nobody is rung before somebody is there to speak."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from bench.service import service
from dialer.db import tables as t
from dialer.db.system_state import cycle_parts
from dialer.runtime.location import free_port
from tests.story.processes import PATIENCE_SECONDS, Processes, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def test_rings_wait_until_a_web_process_listens() -> None:
    with service(keys=("2",), telephony__calls_per_second="20", web__port=str(free_port())) as made:
        p = Processes(made)
        made.start("carrier", "worker-dial", "worker-bulk", "scheduler", within_seconds=PATIENCE_SECONDS)
        p.submit(5)
        until(lambda: p.count("attempt") == 5)
        # A whole round of ringing that began with all of them there.
        planned = p.services.real.now()
        until(lambda: (begun := _round(p)) is not None and begun > planned)
        assert p.verdict().counts["rings"] == 0
        assert p.count("attempt WHERE sent_at IS NOT NULL") == 0
        made.start("web", within_seconds=PATIENCE_SECONDS)
        until(p.everybody_called)
        assert p.verdict().counts["rings"] == 5
        with p.services.store.begin() as tx:
            answers = {row["answer"] for row in tx.rows(sa.select(t.attempt.c.answer))}
        # Each heard the script and pressed a key: none met a service that was not there.
        assert "none" not in answers


def _round(p: Processes) -> datetime | None:
    """When the last round of ringing that came to its end had begun."""
    with p.services.store.begin() as tx:
        part = cycle_parts(tx).get("dial")
    return None if part is None else part.began_at
