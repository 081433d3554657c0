"""The page of the warning robot, and the reasons on the page of a case."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.robot import Robot
from tests.console.desk import ConsoleDesk
from tests.outcomes.town import MORNING

ACCOUNT = "6222020200001111"


def warned(console: ConsoleDesk) -> int:
    """The case of a warning of the robot."""
    services = console.app.services
    base = {"source": "bank", "event_at": MORNING.isoformat(), "account": ACCOUNT}
    raw = [
        base | {"signal_no": "1", "kind": "list_change", "list_kind": "fraud", "change": "entered"},
        base | {"signal_no": "2", "kind": "payment_attempt", "phone": "13800138000", "amount_fen": 2_000_000},
    ]
    take_signals(services, [SignalReception(services).read(raw)])
    robot = Robot(services, threading.Event())
    robot.beat()
    robot.step()
    (case,) = console.rows(t.case)
    return int(case["id"])


async def test_a_case_says_why_the_robot_warned_and_the_page_leads_to_it(console: ConsoleDesk):
    case_id = warned(console)
    for language, said in (
        ("zh", "正在向涉诈账户转账，共1笔"),
        ("en", "1 payments to an account on a fraud list"),
    ):
        supervisor = console.signed_in(
            console.account(Role.SUPERVISOR, login=f"boss-{language}", language=language)
        )
        case = await supervisor.get(f"/cases/{case_id}")
        page = await supervisor.get("/robot")
        verdicts = await supervisor.get("/robot/verdicts", state="sent")
        assert f"/cases/{case_id}#reasons" in verdicts.text
        assert "/robot/verdicts?rule=payment_listed_account" in page.text
        assert said in case.text
        assert ACCOUNT not in case.text
        assert "****1111" in case.text
        _keep(language, case.text, page.text)


def _keep(language: str, *pages: str) -> None:
    """The pages as files, for somebody who looks at them: `SHOW_PAGES=FOLDER`."""
    folder = os.environ.get("SHOW_PAGES")
    if folder:
        static = Path(__file__).resolve().parents[2] / "dialer" / "web" / "static"
        for name, text in zip(("case", "robot"), pages, strict=True):
            found = re.sub(r'(href|src)="/static/', rf'\1="file://{static}/', text)
            (Path(folder) / f"{name}_{language}.html").write_text(found, encoding="utf-8")
