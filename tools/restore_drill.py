"""The machine burns, as a drill: a service with calls, a backup, more calls, everything deleted, a restore on an empty
folder, and everybody called once. Prints what each step took, and ends with 1 if anything is wrong.

    python -m tools.restore_drill [--people 60] [--json]

The carrier is our own, in this process, and stands for the centre's: it survives. All else are the commands of a
terminal, in the order of docs/operations.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.people import phone, write_list
from dialer.carrier.config import CarrierConfig
from dialer.carrier.faults import FaultRule, InjectedFault
from dialer.carrier.people import Behaviour, PeopleConfig
from dialer.carrier.server import RunningCarrier, start
from dialer.cli.serve import ATTEMPT_IN_URL
from dialer.db.keys import create
from dialer.runtime.embedded import erase
from dialer.runtime.location import free_port

ROOT = Path(__file__).resolve().parent.parent
_ACCOUNT, _TOKEN = "AC" + "0" * 31 + "d", "token-of-the-drill"
_PATIENCE_SECONDS = 300.0
_WRONG_PERSON = Behaviour(
    name="not the person",
    share=1,
    keys=("2",),
    ring_after_seconds=(0.1, 0.3),
    answer_after_seconds=(0.2, 0.5),
    key_after_seconds=(0.1, 0.3),
    verdict_after_seconds=0.1,
)
"""Whoever is called once is not called again."""


class DrillFailed(Exception):
    """What went wrong, in one line."""


class Drill:
    def __init__(self, carrier: RunningCarrier, folder: Path, people: int) -> None:
        self.carrier = carrier
        self.folder = folder
        self.people = people
        self.figures: dict[str, float | int] = {"people": people}
        self._port = free_port()
        self._keys = folder / "keys.toml"

    def environment(self, data: Path) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        return clean | {
            "DIALER_SETTINGS": str(ROOT / "settings.toml"),
            "DIALER_DATA_DIR": str(data),
            "DIALER_KEYS__FILE": str(self._keys),
            "DIALER_TELEPHONY__BASE_URL": self.carrier.base_url,
            "DIALER_TELEPHONY__ACCOUNT_SID": _ACCOUNT,
            "DIALER_TELEPHONY__AUTH_TOKEN": _TOKEN,
            "DIALER_TELEPHONY__CALLS_PER_SECOND": "8",
            "DIALER_WEB__PORT": str(self._port),
            # Any hour is a good one for a drill.
            "DIALER_POLICY__WINDOW__OPENS": "00:00",
            "DIALER_POLICY__WINDOW__CLOSES": "00:00",
            "DIALER_LOG__LEVEL": "warning",
        }

    async def run(self) -> None:
        create(self._keys)
        old, new, backup = self.folder / "old", self.folder / "new", self.folder / "one.backup"
        people = self.folder / "list.csv"
        write_list(people, self.people, grade="中危")
        with self._up(old) as service:
            await self._command(old, "load", str(people), "--source", "drill")
            # However slow this machine is: a third before the backup, a third after it, a third never before the fire.
            await self._until(lambda: self.calls() >= self.people // 3, "a third was called")
            self._refuse_calls()
            made = await self._command(old, "backup", "--out", str(backup), "--json")
            self.figures |= {
                "backup_bytes": made["size_bytes"],
                "backup_seconds": made["backup_seconds"],
                "verify_seconds": made["verify_seconds"],
                "rows": made["rows"],
            }
            self.carrier.exchange.faults.clear()
            await self._until(lambda: self.calls() >= self.people * 2 // 3, "two thirds were called")
            self._refuse_calls()
            service.send_signal(signal.SIGKILL)
            service.wait()
        before = self.calls()
        await self._until(lambda: not self.under_way(), "the calls under way were over")
        await asyncio.to_thread(erase, old)
        shutil.rmtree(old)
        self.carrier.exchange.faults.clear()

        began = time.monotonic()
        await self._command(new, "restore", str(backup), "--by", "drill", "--no-erasures", "--json")
        self.figures["restore_seconds"] = round(time.monotonic() - began, 1)
        with self._up(new):
            self._must(self.calls() == before, "calls left before the comparison")
            sys.stderr.write(await self._command(new, "resume", "--by", "drill"))
            self.figures["resumed_seconds"] = round(time.monotonic() - began, 1)
            await self._until(lambda: self.calls() > before, "the first call left")
            self.figures["first_call_seconds"] = round(time.monotonic() - began, 1)
            await self._until(lambda: self.calls() >= self.people, "everybody was called")
            await self._until(lambda: not self.under_way(), "the last calls were over")
            report = await self._command(new, "audit", "verify", "--json")
            self._must(report["whole"], "the audit is not whole")
        self._count(before)

    def _count(self, before: int) -> None:
        """By the carrier's own records, telephone by telephone."""
        by_number = [
            sum(1 for _ in self.carrier.exchange.newest_first(to=f"+86{phone(n)}"))
            for n in range(self.people)
        ]
        twice, never = sum(n > 1 for n in by_number), by_number.count(0)
        self.figures |= {"called_before": before, "called_twice": twice, "never_called": never}
        self._must(not twice, f"{twice} people were called twice")
        self._must(not never, f"{never} people were never called")

    def _refuse_calls(self) -> None:
        self.carrier.exchange.faults.set(InjectedFault.TOO_MANY, FaultRule(seconds=1))

    def calls(self) -> int:
        return self.carrier.exchange.call_journal.calls

    def under_way(self) -> int:
        return sum(call.end is None for call in self.carrier.exchange.newest_first())

    @contextmanager
    def _up(self, data: Path) -> Iterator[subprocess.Popen[bytes]]:
        """`dialer up`, which answers, and is gone afterwards."""
        log = (self.folder / "up.log").open("ab")
        service = subprocess.Popen(
            [sys.executable, "-m", "dialer", "up"],
            env=self.environment(data),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            yield service
        finally:
            with suppress(ProcessLookupError):
                service.send_signal(signal.SIGTERM)
            try:
                service.wait(30)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()
            log.close()

    async def _command(self, data: Path, *words: str) -> Any:  # noqa: ANN401 - JSON, or text
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer", *words,
            env=self.environment(data), cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, problem = await asyncio.wait_for(process.communicate(), _PATIENCE_SECONDS)
        self._must(process.returncode == 0, f"dialer {words[0]}: {problem.decode(errors='replace').strip()}")
        return json.loads(said) if "--json" in words else said.decode()

    async def _until(self, true: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            self._must(time.monotonic() < deadline, f"not within {_PATIENCE_SECONDS:.0f} s: {what}")
            await asyncio.sleep(0.02)

    def _must(self, right: object, what: str) -> None:
        if not right:
            raise DrillFailed(what)


async def drill(people: int, folder: Path) -> dict[str, float | int]:
    """The figures. Raises `DrillFailed`."""
    carrier = await start(
        CarrierConfig(
            account_sid=_ACCOUNT,
            auth_token=_TOKEN,
            state_dir=folder / "carrier",
            seed="drill",
            people=PeopleConfig(behaviours=(_WRONG_PERSON,)),
            attempt_pattern=ATTEMPT_IN_URL,
        )
    )
    made = Drill(carrier, folder, people)
    try:
        await made.run()
    finally:
        await carrier.stop()
        for data in ("old", "new"):
            await asyncio.to_thread(erase, folder / data)
    return made.figures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="dialer-restore-"))
    folder.chmod(0o755)
    began = time.monotonic()
    try:
        figures = asyncio.run(drill(given.people, folder))
    except DrillFailed as fault:
        log = folder / "up.log"
        if log.exists():
            sys.stderr.write("\n".join(log.read_text(errors="replace").splitlines()[-20:]) + "\n")
        sys.stderr.write(f"restore drill: {fault}\n")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures["whole_seconds"] = round(time.monotonic() - began, 1)
    if given.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return 0
    sys.stdout.write(
        "restore drill: {people} people, {called_before} called before the fire, none called twice, none left out\n"
        "backup {backup_seconds} s and verified in {verify_seconds} s ({rows:,} rows, {backup_bytes:,} bytes);"
        " restored after {restore_seconds} s, resumed after {resumed_seconds} s,"
        " first call after {first_call_seconds} s; {whole_seconds} s in all\n".format(**figures)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
