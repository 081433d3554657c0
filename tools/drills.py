"""What the drills share: a carrier that outlives the service, commands as on a terminal, waiting for what must come."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from carrier.config import CarrierConfig
from carrier.people import Behaviour, PeopleConfig
from carrier.server import RunningCarrier, start
from dialer.cli.serve import ATTEMPT_IN_URL

ROOT = Path(__file__).resolve().parent.parent
_ACCOUNT, _TOKEN = "AC" + "0" * 31 + "d", "token-of-the-drill"
_PATIENCE_SECONDS = 300.0


class DrillFailed(Exception):
    """What went wrong, in one line."""


class Drill:
    def __init__(self, carrier: RunningCarrier, folder: Path) -> None:
        self.carrier = carrier
        self.folder = folder
        self.figures: dict[str, float | int] = {}

    def settings(self, root: Path = ROOT) -> dict[str, str]:
        """The environment of a service of the code in `root` on the line of the carrier, at any hour, without a data
        folder and keys.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        return clean | {
            "DIALER_SETTINGS": str(root / "settings.toml"),
            "DIALER_TELEPHONY__BASE_URL": self.carrier.base_url,
            "DIALER_TELEPHONY__ACCOUNT_SID": _ACCOUNT,
            "DIALER_TELEPHONY__AUTH_TOKEN": _TOKEN,
            # The release before reads these as well.
            "DIALER_POLICY__WINDOW__OPENS": "00:00",
            "DIALER_POLICY__WINDOW__CLOSES": "23:59:59",
            "DIALER_LOG__LEVEL": "warning",
        }

    async def command(self, env: Mapping[str, str], *words: str, root: Path = ROOT) -> Any:  # noqa: ANN401 - JSON, or text
        """What `dialer WORDS` of the code in `root` prints; read as JSON where `--json` is asked for."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer", *words, env=env, cwd=root,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, problem = await asyncio.wait_for(process.communicate(), _PATIENCE_SECONDS)
        self.must(process.returncode == 0, f"dialer {words[0]}: {problem.decode(errors='replace').strip()}")
        return json.loads(said) if "--json" in words else said.decode()

    def calls(self) -> int:
        return self.carrier.exchange.call_journal.calls

    def under_way(self) -> int:
        return sum(call.end is None for call in self.carrier.exchange.newest_first())

    def count_calls(self, numbers: Sequence[str]) -> None:
        """By the carrier's own records, telephone by telephone: nobody twice, everybody once."""
        by_number = [sum(1 for _ in self.carrier.exchange.newest_first(to=number)) for number in numbers]
        twice, never = sum(n > 1 for n in by_number), by_number.count(0)
        self.figures |= {"people": len(numbers), "called_twice": twice, "never_called": never}
        self.must(not twice, f"{twice} people were called twice")
        self.must(not never, f"{never} people were never called")

    def watch(self) -> None:
        """Called while something is waited for: raises where it will never come."""

    async def until(self, true: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            self.watch()
            self.must(time.monotonic() < deadline, f"not within {_PATIENCE_SECONDS:.0f} s: {what}")
            await asyncio.sleep(0.02)

    def must(self, right: object, what: str) -> None:
        if not right:
            raise DrillFailed(what)


@asynccontextmanager
async def carrier_of_a_drill(folder: Path, behaviour: Behaviour) -> AsyncIterator[RunningCarrier]:
    """Our own, in this process, and everybody behaves so; it stands for the centre's."""
    carrier = await start(
        CarrierConfig(
            account_sid=_ACCOUNT,
            auth_token=_TOKEN,
            state_dir=folder / "carrier",
            seed="drill",
            people=PeopleConfig(behaviours=(behaviour,)),
            attempt_pattern=ATTEMPT_IN_URL,
        )
    )
    try:
        yield carrier
    finally:
        await carrier.stop()
