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
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.people import phone, write_list
from carrier.faults import FaultRule, InjectedFault
from carrier.people import Behaviour
from carrier.server import RunningCarrier
from dialer.db.keys import create
from dialer.runtime.embedded import erase_servers
from dialer.runtime.location import free_port
from tools.drills import ROOT, Drill, DrillFailed, carrier_of_a_drill

_WRONG_PERSON = Behaviour(
    name="not the person",
    share=1,
    keys=("2",),
    ring_after_seconds=(0.1, 0.3),
    answer_after_seconds=(0.2, 0.5),
    key_after_seconds=(0.1, 0.3),
    verdict_after_seconds=0.1,
)
"""A person who is called once is not called again."""


class Restore(Drill):
    def __init__(self, carrier: RunningCarrier, folder: Path, people: int) -> None:
        super().__init__(carrier, folder)
        self.people = people
        self._port = free_port()
        self._keys = folder / "keys.toml"

    def environment(self, data: Path) -> dict[str, str]:
        return self.settings() | {
            "DIALER_DATA_DIR": str(data),
            "DIALER_KEYS__FILE": str(self._keys),
            "DIALER_TELEPHONY__CALLS_PER_SECOND": "8",
            "DIALER_WEB__PORT": str(self._port),
        }

    async def run(self) -> None:
        create(self._keys)
        old, new, backup = self.folder / "old", self.folder / "new", self.folder / "one.backup"
        people = self.folder / "list.csv"
        write_list(people, self.people, grade="中危")
        with self._up(old) as service:
            await self._command(old, "load", str(people), "--source", "drill")
            # However slow this machine is: a third before the backup, a third after it, a third never before the fire.
            await self.until(lambda: self.calls() >= self.people // 3, "a third was called")
            self._refuse_calls()
            made = await self._command(old, "backup", "--out", str(backup), "--json")
            self.figures |= {
                "backup_bytes": made["size_bytes"],
                "backup_seconds": made["backup_seconds"],
                "verify_seconds": made["verify_seconds"],
                "rows": made["rows"],
            }
            self.carrier.exchange.faults.clear()
            await self.until(lambda: self.calls() >= self.people * 2 // 3, "two thirds were called")
            self._refuse_calls()
            service.send_signal(signal.SIGKILL)
            service.wait()
        before = self.calls()
        await self.until(lambda: not self.under_way(), "the calls under way were over")
        await asyncio.to_thread(erase_servers, old)
        shutil.rmtree(old)
        self.carrier.exchange.faults.clear()

        began = time.monotonic()
        await self._command(new, "restore", str(backup), "--by", "drill", "--no-erasures", "--json")
        self.figures["restore_seconds"] = round(time.monotonic() - began, 1)
        with self._up(new):
            self.must(self.calls() == before, "calls left before the comparison")
            sys.stderr.write(await self._command(new, "resume", "--by", "cli"))
            self.figures["resumed_seconds"] = round(time.monotonic() - began, 1)
            await self.until(lambda: self.calls() > before, "the first call left")
            self.figures["first_call_seconds"] = round(time.monotonic() - began, 1)
            await self.until(lambda: self.calls() >= self.people, "everybody was called")
            await self.until(lambda: not self.under_way(), "the last calls were over")
            report = await self._command(new, "audit", "verify", "--json")
            self.must(report["whole"], "the audit is not whole")
        self.figures["called_before"] = before
        self.count_calls([f"+86{phone(n)}" for n in range(self.people)])

    def _refuse_calls(self) -> None:
        self.carrier.exchange.faults.set(InjectedFault.TOO_MANY, FaultRule(seconds=1))

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
        return await self.command(self.environment(data), *words)


async def drill(people: int, folder: Path) -> dict[str, float | int]:
    """The figures. Raises `DrillFailed`."""
    async with carrier_of_a_drill(folder, _WRONG_PERSON) as carrier:
        made = Restore(carrier, folder, people)
        try:
            await made.run()
        finally:
            for data in ("old", "new"):
                await asyncio.to_thread(erase_servers, folder / data)
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
