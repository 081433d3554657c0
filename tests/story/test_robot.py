"""The warning robot is killed in mid-stream, more than once: no answered signal is lost, no warning is made twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialer.bootstrap import assemble
from dialer.core.sources import ROBOT_SOURCE
from dialer.db import tables as t
from dialer.db.keys import create
from dialer.runtime.services import Application, ProcessPurpose
from dialer.runtime.settings import load_settings
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.evaluation import Evaluator
from dialer.signals.store import SignalCodec
from dialer.signals.versions import live_rules
from tests.story.processes import ROOT, until

pytestmark = pytest.mark.story


@contextmanager
def robot(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "dialer", "robot"], env=env, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def evaluated(app: Application) -> bool:
    with app.services.store.begin() as tx:
        newest = tx.scalar(sa.select(sa.func.max(t.signal.c.seq)))
        behind = tx.scalar(
            sa.select(sa.func.count())
            .select_from(t.signal)
            .join(t.robot_shard, t.robot_shard.c.shard == t.signal.c.shard)
            .where(t.signal.c.seq > t.robot_shard.c.seq)
        )
        return bool(newest) and behind == 0


def test_a_robot_that_is_killed_in_mid_stream_loses_and_doubles_nothing(
    fresh_database: str, broker_url: str, tmp_path: Path
):
    create(tmp_path / "keys.json")
    own = {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "DIALER_SIGNALS__SNAPSHOT_SECONDS": "1",
        "DIALER_LOG__LEVEL": "warning",
    }
    app = assemble(load_settings(own, ROOT / "settings.toml"), ProcessPurpose.SERVE)
    reception = SignalReception(app.services)
    start = app.services.clock.now() - timedelta(minutes=30)

    def send(batch: int) -> None:
        event_at = (start + timedelta(seconds=batch)).isoformat()
        base = {"source": "bank", "event_at": event_at, "account": f"6222{batch % 5:08d}"}
        raw = [
            base
            | {
                "signal_no": f"{batch}-{n}",
                "kind": "payment_attempt",
                "phone": f"1380013{(batch * 7 + n) % 400:04d}",
                "amount_fen": 100_000 + n,
            }
            for n in range(20)
        ]
        if batch % 10 == 5:
            raw.append(
                base
                | {
                    "signal_no": f"{batch}-l",
                    "kind": "list_change",
                    "list_kind": "fraud",
                    "change": "entered",
                }
            )
        (answers,) = take_signals(app.services, [reception.read(raw)])
        assert {answer.status.value for answer in answers} == {"accepted"}

    batch = 0
    for _ in range(3):
        with robot(os.environ | own) as process:
            if batch:
                until(lambda: evaluated(app), within=60)
            began = time.monotonic()
            while time.monotonic() - began < 1.0 or not app_has_verdicts(app):
                send(batch)
                batch += 1
            assert process.poll() is None
    with robot(os.environ | own):
        began = time.monotonic()
        until(lambda: evaluated(app), within=30)
        assert time.monotonic() - began < 30

    codec = SignalCodec(app.services.store.vault)
    with app.services.store.begin() as tx:
        live = live_rules(tx)
        signals = tx.rows(sa.select(t.signal).order_by(t.signal.c.seq))
        verdicts = tx.rows(sa.select(t.verdict))
        warnings = tx.rows(sa.select(t.warning.c.instruction_no).where(t.warning.c.source == ROBOT_SOURCE))
    # Outside of the transaction, which may not wait for it as long as it takes on a loaded machine.
    whole = Evaluator(live.rules, live.scorecard)
    warned = {
        verdict.person
        for row in signals
        for verdict in whole.apply(codec.open(row).signal)
        if verdict.grade is not None
    }
    app.close()
    assert {bytes(row["person_hash"]) for row in verdicts if row["grade"]} == warned
    assert len(verdicts) == len({bytes(row["person_hash"]) for row in verdicts})
    assert len(warnings) == sum(row["warnings"] for row in verdicts) > 0


def app_has_verdicts(app: Application) -> bool:
    with app.services.store.begin() as tx:
        return bool(tx.scalar(sa.select(sa.func.count()).select_from(t.verdict)))
