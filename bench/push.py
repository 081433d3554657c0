"""Extra-high warnings over the API for a station where somebody is on duty: seconds until the first message has left.

    python -m bench.push [--warnings 200]

The person on duty has a webhook on this machine, and a page that is not open. Each time runs from before the request of
the warning is sent to the moment at which the receiver has the message. Aim: below 2 s at P99.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import sqlalchemy as sa

from bench.service import Service, service
from bench.urgent import Source, told
from dialer.core.access import Role, unrestricted
from dialer.core.notifications import NotificationChannel
from dialer.core.rota import DutyEntry, DutyKind
from dialer.db.units import add_unit
from dialer.duty.model import MonthPlan
from dialer.duty.store import lock_roster, replace_month
from dialer.notifications.actions import TypedRules, change_rules
from dialer.org.accounts import add_staff

_STATION = "城关派出所"
_FIRST_PERSON = 60_000_000
_WARM_SECONDS = 5.0
_EVERY_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
_TOLD = """
SELECT u.id, c.id AS case_id FROM notification u
CROSS JOIN LATERAL unnest(u.assignment_ids) AS n(id)
JOIN assignment a ON a.id = n.id JOIN "case" c ON c.id = a.case_id WHERE u.channel = 'webhook' AND u.state = 'sent'
"""


class Receiver(ThreadingHTTPServer):
    """Notes when it had each message."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.had: dict[UUID, float] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/told"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.had[UUID(self.headers["webhook-id"])] = time.time()
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Says nothing."""


def put_on_duty(made: Service, receiver: Receiver) -> None:
    """A station, and an officer who is on duty there and has the receiver as webhook."""
    services = made.app.services
    with services.store.begin() as tx:
        unit_id = add_unit(tx, name=_STATION, parent_id=None)
    account = add_staff(
        services, unrestricted("bench"), login="ann", display_name="Ann", role=Role.OFFICER, unit_id=unit_id,
        language="zh",
    )  # fmt: skip
    member = account.member
    today = services.clock.now().astimezone(services.centre.zone).date()
    days = tuple(today + timedelta(days=number) for number in range(-1, 2))
    entries = tuple(DutyEntry(day=day, mark="值", staff_id=member.id) for day in days)
    with services.store.begin() as tx:
        key = (unit_id, DutyKind.OFFICER)
        lock_roster(tx, key, last_day=days[-1])
        replace_month(tx, key, MonthPlan(month=days[0], days=days, entries=entries, faults=()), first=days[0])
    typed = TypedRules(
        minutes={NotificationChannel.DESKTOP: "0", NotificationChannel.WEBHOOK: "0"},
        url=receiver.url,
        secret="bench",
    )
    change_rules(services, member.actor, member.id, typed)


def run(warnings: int) -> dict[str, object]:
    receiver = Receiver()
    with service(daytime=True, webhooks__networks='["127.0.0.0/8"]', scheduler__tick_seconds="1.0") as made:
        put_on_duty(made, receiver)
        source = Source(made)
        made.start()
        time.sleep(_WARM_SECONDS)
        chance = random.Random(1)  # moments, not secrets
        sent = {}
        for n in range(warnings):
            time.sleep(chance.uniform(0, 2 * _EVERY_SECONDS))
            one = source.send(_FIRST_PERSON + n, unit=_STATION)
            sent[one.case_id] = one.at_unix
        found = _waits(made, receiver, sent)
    receiver.shutdown()
    return {"warnings": warnings, "messages": len(receiver.had), "seconds_to_the_message": told(found)}


def _waits(made: Service, receiver: Receiver, sent: dict[int, float]) -> list[float]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with made.app.services.store.begin() as tx:
            rows = tx.rows(sa.text(_TOLD))
        first: dict[int, float] = {}
        for row in rows:
            if row["id"] in receiver.had:
                at = receiver.had[row["id"]]
                first[row["case_id"]] = min(at, first.get(row["case_id"], at))
        missing = sent.keys() - first.keys()
        if not missing:
            return [first[case_id] - at for case_id, at in sent.items()]
        if time.monotonic() > deadline:
            raise SystemExit(f"of {len(missing)} of {len(sent)} nobody was told")
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--warnings", type=int, default=200)
    print(json.dumps(run(parser.parse_args().warnings), indent=1))


if __name__ == "__main__":
    main()
