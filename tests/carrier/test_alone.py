"""The carrier by itself: its settings, its process, and the example of its README."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from carrier.__main__ import main
from carrier.config import BadCarrierConfig
from carrier.settings import read_settings
from tests.ports import reserve_ports

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "carrier" / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_of_the_readme_runs_against_the_process(tmp_path: Path):
    port = reserve_ports()
    settings, example = tmp_path / "carrier.toml", tmp_path / "example.py"
    settings.write_text(block("toml"), encoding="utf-8")
    example.write_text(block("python"), encoding="utf-8")
    env = os.environ | {"CARRIER_PORT": str(port), "CARRIER_STATE_DIR": str(tmp_path / "state")}
    process = subprocess.Popen(
        [sys.executable, "-m", "carrier", "--settings", str(settings)], env=env, cwd=ROOT
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/admin/health")
        done = subprocess.run(
            [sys.executable, str(example)],
            env=os.environ | {"CARRIER": f"http://127.0.0.1:{port}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout.split("\n"), done.returncode) == (["pressed 1", "completed", ""], 0), done.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert time.monotonic() < until, "the carrier does not answer"
            time.sleep(0.1)


def test_it_imports_nothing_of_the_service():
    code = "import carrier.__main__, sys; print([m for m in sys.modules if m.split('.')[0] in ('dialer', 'audio')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "carrier.toml"
    path.write_text(f'auth_token = "t"\n{text}', encoding="utf-8")
    return path


def test_the_environment_is_above_the_file(tmp_path: Path):
    path = file_of(tmp_path, 'port = 4011\nmax_lines = 7\nspeed = 3.0\nseed = "5"\n')
    config = read_settings(path, {"CARRIER_PORT": "4012", "CARRIER_AUTH_TOKEN": "u"}).config
    assert (config.port, config.max_lines, config.clock.speed, config.seed) == (4012, 7, 3.0, "5")
    assert (config.auth_token, config.account_sid, config.has_messages) == ("u", f"AC{'0' * 32}", True)


def test_without_a_file_only_the_token_is_needed():
    settings = read_settings(None, {"CARRIER_AUTH_TOKEN": "t"})
    assert settings.sip is None
    assert settings.config.port == 4010
    assert len(settings.config.people.behaviours) > 10


TRUNK = '[sip.trunks.one]\naddress = "127.0.0.1:5070"\nnumber = "047896110"\n'


def test_trunks(tmp_path: Path):
    path = file_of(
        tmp_path, f'admin_token = "a"\nline = "sip"\nspeed = 9.0\n[sip]\nlisten = "127.0.0.1:5071"\n{TRUNK}'
    )
    settings = read_settings(path, {})
    assert settings.sip is not None
    assert (settings.sip.listen, settings.sip.carrier_url) == ("127.0.0.1:5071", "http://127.0.0.1:4010")
    assert [(trunk.name, trunk.number) for trunk in settings.sip.trunks] == [("one", "047896110")]
    assert (settings.config.clock.speed, settings.config.has_messages) == (1.0, False)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "prot"),
        ('port = "soon"', "port"),
        ('line = "isdn"', "line"),
        ("= 1", "carrier.toml"),
        ('[[people]]\nname = ""\nshare = 1', "people"),
        ("[[people]]\nname = 'a'\nshare = 0", "people"),
        ('line = "sip"', "trunk"),
        (f'line = "sip"\n{TRUNK}', "admin_token"),
        (f'admin_token = "a"\nline = "sip"\n{TRUNK}colour = 1', "sip.trunks"),
        (f'admin_token = "a"\nline = "sip"\n[sip]\ncolour = 1\n{TRUNK}', "sip.colour"),
        ('host = "0.0.0.0"', "host"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path: Path, text: str, named: str):
    with pytest.raises(BadCarrierConfig, match=named):
        read_settings(file_of(tmp_path, text), {})


def test_the_command_refuses_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CARRIER_AUTH_TOKEN", raising=False)
    assert main([]) == 2
    assert main(["--settings", str(tmp_path / "none.toml")]) == 2
    assert main(["sip", "--settings", str(file_of(tmp_path, ""))]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == ["carrier"] * 3
    assert "auth_token" in said[0]
