"""`dialer web` as a process: it answers, and on a stop leaves no heartbeat."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from dialer.db.system_state import heartbeats
from dialer.runtime.location import free_port
from tests.control.scene import Assemble
from tests.control.test_scheduler import PATIENCE_SECONDS, until


@pytest.mark.story
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_web_process_that_is_told_to_stop_leaves_no_heartbeat(
    assembled: Assemble, environment: dict[str, str], number: signal.Signals
):
    look = assembled()

    def beats() -> list[str]:
        with look.services.store.begin() as tx:
            return [beat.process for beat in heartbeats(tx, kind="web")]

    port = free_port()
    env = os.environ | environment | {"DIALER_WEB__PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "dialer", "web"], env=env, stderr=subprocess.DEVNULL)
    try:
        until(beats)
        # Whoever rings takes a beat for somebody who answers.
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
    assert beats() == []
