"""A whole service of real processes on a trunk: a person rings back, and the commands of whoever wires the trunk."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ports import reserve_ports
from tests.sip.peers import HOST, Person, play, prompt, until
from tests.sip.test_calls_in import answered, call, hangs_up, invites

ROOT = Path(__file__).resolve().parents[2]
_LIST = "姓名,电话,等级,诈骗类型\n张三,13800138000,低,贷款\n"
_DUTY = "+8647896111"


class Cli:
    """`dialer` with the settings of the service."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dialer", *words], env=self.env, cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr.decode()
        return done.stdout.decode()

    def json(self, *words: str) -> Any:  # noqa: ANN401 - what the command prints
        return json.loads(self.run(*words, "--json"))


@contextmanager
def service(trunk: str) -> Iterator[tuple[Cli, int]]:
    """`dialer up` on this trunk; its commands and its SIP port."""
    with tempfile.TemporaryDirectory(prefix="dialer-sip-") as made:
        folder, port = Path(made), reserve_ports()
        shipped = (ROOT / "settings.toml").read_text(encoding="utf-8")
        settings = shipped.replace('line = "simulated"', 'line = "sip"', 1)
        (folder / "settings.toml").write_text(
            f'{settings}\n[carrier.sip.trunks.one]\naddress = "{trunk}"\nnumber = "047896110"\n'
            "keep_alive_seconds = 0\n",
            encoding="utf-8",
        )
        env = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")} | {
            "DIALER_SETTINGS": str(folder / "settings.toml"),
            "DIALER_DATA_DIR": str(folder / "var"),
            "DIALER_WEB__PORT": str(reserve_ports()),
            "DIALER_CARRIER__SIP__LISTEN": f"{HOST}:{port}",
            "DIALER_CARRIER__SIP__INTERFACE": HOST,
            "DIALER_TELEPHONY__OFFICER_NUMBER": _DUTY,
            "DIALER_INBOUND__OPENS": "00:00:00",
            "DIALER_INBOUND__CLOSES": "00:00:00",
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "dialer", "up"], env=env, cwd=ROOT, stderr=subprocess.DEVNULL
        )
        try:
            yield Cli(env), port
        finally:
            running.terminate()
            running.wait(30)


def answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


async def _until(cli: Cli, true: Callable[[list[dict[str, Any]]], bool], what: str) -> None:
    def look() -> bool:
        try:
            return true(cli.json("trunk", "list"))
        except AssertionError:
            return False

    for _ in range(4):
        try:
            await until(look, what)
        except AssertionError:
            continue
        return
    raise AssertionError(what)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Person]:
    """The other end of the trunk, which answers every call by itself for as long as a service takes to start."""
    says = tmp_path / "says.wav"
    # Long enough: it hangs up at the end of its file.
    with wave.open(io.BytesIO(prompt())) as short, wave.open(str(says), "wb") as long:
        long.setparams(short.getparams())
        long.writeframes(short.readframes(short.getnframes()) * 15)
    made = Person(tmp_path, says=says, seconds="1200")
    yield await made.ready()
    made.close()


@pytest.mark.story
@pytest.mark.timeout(1200)
async def test_a_person_calls_back_over_a_trunk_and_the_trunk_is_tested(desk: Person, tmp_path: Path):
    with service(desk.address) as (cli, port):
        await _until(cli, lambda found: bool(found) and not found[0]["problem"], "the trunk works")
        await until(lambda: answers(int(cli.env["DIALER_WEB__PORT"])), "the web process listens")
        path = tmp_path / "list.csv"
        path.write_text(_LIST, encoding="utf-8")
        cli.run("load", str(path), "--source", "story")
        steps = invites(answered(), play("g711a"), '<pause milliseconds="20000"/>', hangs_up())
        rings = call(tmp_path, port, steps)
        await _until(cli, lambda found: found[0]["received"] == 1 and found[0]["in_use"] == 0, "it is over")
        # 1: the desk's side has hung up before the person's did.
        assert rings.wait() in {0, 1}
        told = cli.json("case", "1")
        kinds = [(entry["kind"], entry["facts"].get("act", "")) for entry in told["timeline"]]
        assert ("act", "called_in") in kinds
        assert ("act", "call_in_ended") in kinds
        assert told["contact"] != "verified"
        (trunk,) = cli.json("trunk", "list")
        assert trunk["received"] == 1
        assert trunk["placed"] >= 1, "the duty line was called over the same trunk"
        trace = cli.run("trunk", "trace", "--calls", "10")
        assert "INVITE sip:" in trace
        assert "13800138000" not in trace
        assert "138****8000" in trace
        tested = cli.json("trunk", "call", "13800138001", "--listen", "1", "--by", "cli")
        assert tested["answered"]
        assert tested["said_whole"], tested
        assert tested["trunk"] == "one"
        assert tested["quality"]["received"] > 0
        assert not tested["quality"]["one_way"]
        refused = cli.run("trunk", "call", "+12025550123", "--by", "cli", code=1)
        assert refused == ""
        checks = {one["detail"]: one for one in cli.json("doctor") if one["name"] == "trunk"}
        (detail,) = checks
        assert "OPTIONS 200" in detail
        assert checks[detail]["ok"]
