"""The line of the demo: over SIP it reaches this machine alone, and says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from carrier.lines.sip.stack_config import is_installed
from dialer.demo.run import DemoLine, demo_environment
from dialer.runtime.settings import load_settings

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
_WITHOUT = "import sys; sys.modules['baresip'] = None; from dialer.__main__ import main; main()"


def test_without_the_extra_it_says_how_to_get_it():
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, "demo", "--line", "sip"], env=CLEAN, capture_output=True, check=False
    )
    assert done.returncode != 0
    told = done.stderr.decode()
    assert "pip install 'dialer[sip]'" in told
    assert "Traceback" not in told


@pytest.mark.skipif(not is_installed(), reason="the optional extra `sip` is not installed")
def test_over_sip_both_ends_are_on_this_machine_and_no_trunk_of_the_settings_is_used():
    env = demo_environment(CLEAN, line=DemoLine.SIP)
    settings = load_settings(env)
    (trunk,) = settings.carrier.trunks(number="047896110")
    assert trunk.address == f"127.0.0.1:{settings.carrier.peer_port}"
    assert settings.carrier.sip.listen.startswith("127.0.0.1:")
    assert settings.carrier.sip.interface == "127.0.0.1"
    assert settings.is_simulated(), "its database is a drill"
