"""The proxy in front of the web process stops while people are called: they are called into silence no longer, nobody
loses a try by it, and nothing is made up of them.
"""

from __future__ import annotations

import pytest

from bench.service import service
from dialer.core.events import AlarmCode
from dialer.runtime.location import free_port
from tests.story.processes import PATIENCE_SECONDS, Processes, until
from tests.story.proxy import Proxy

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

PEOPLE = 40
CALLS_PER_SECOND = 3


def test_a_stopped_proxy_stops_dialling_and_costs_nobody_a_try() -> None:
    port, web_port = free_port(), free_port()
    settings = {
        "telephony__calls_per_second": str(CALLS_PER_SECOND),
        "telephony__lines": "40",
        "telephony__silence_seconds": "5",
        "telephony__timeout_seconds": "3",
        "web__port": str(web_port),
        "web__public_url": f"http://127.0.0.1:{port}",
    }
    with service(keys=("2",), **settings) as made, Proxy(port=port, web_port=web_port) as proxy:
        p = Processes(made)
        made.start(within_seconds=PATIENCE_SECONDS)
        p.submit(PEOPLE)
        until(lambda: p.count("attempt WHERE state = 'ended'") >= 5)

        def answered() -> set[int]:
            return {row["case_id"] for row in p.rows("SELECT case_id FROM attempt WHERE state = 'answered'")}

        talking = answered()
        proxy.stop()
        talking |= answered()
        until(lambda: p.count(f"alarm WHERE code = '{AlarmCode.WEBHOOKS_MISSING}'") == 1)
        talking |= answered()  # what had come through the proxy was written down since
        sent = p.count("attempt WHERE sent_at IS NOT NULL")
        assert sent < PEOPLE, "dialling went on to the end"
        # A trial leaves now and then, and one more may have been on its way.
        until(lambda: p.count("attempt WHERE result = 'dead_air'") >= 1)
        assert p.count("attempt WHERE sent_at IS NOT NULL") <= sent + 4

        proxy.start()
        until(p.everybody_called)
        assert p.verdict().wrong == []
        silent = p.rows(
            "SELECT contact, answer, count(*) AS n FROM attempt WHERE result = 'dead_air' GROUP BY 1, 2"
        )
        assert {(row["contact"], row["answer"]) for row in silent} == {("none", "none")}
        # Everybody was asked in the end, but for those whose call broke off; nobody lost a try by it.
        asked = {row["case_id"] for row in p.rows("SELECT case_id FROM attempt WHERE answer <> 'none'")}
        everybody = {row["id"] for row in p.rows('SELECT id FROM "case"')}
        assert everybody - asked <= talking
        tried_twice = p.rows('SELECT id FROM "case" WHERE robot_tries > 1')
        assert {row["id"] for row in tried_twice} <= talking
