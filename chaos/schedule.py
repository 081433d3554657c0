"""What goes wrong and when, drawn from a seed. The same seed and length, the same schedule."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

WORKERS: Final = ("worker-dial", "worker-dial-2", "worker-bulk")
PROCESSES: Final = (*WORKERS, "scheduler", "scheduler-2", "web", "carrier")
SERVERS: Final = ("postgres", "valkey-server")

Params = Mapping[str, object]
Draw = Callable[[random.Random], tuple[str, Params]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One fault at `at_seconds` after the start of the rings; `what` names a method of `Strikes`."""

    at_seconds: float
    what: str
    params: Params = field(default_factory=dict)

    def line(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.at_seconds:6.1f} s  {self.what} {told}".rstrip()


def draw_schedule(seed: str, *, seconds: float, mean_gap_seconds: float = 3.0) -> list[Injection]:
    """Strikes until `seconds`, in order."""
    rng = random.Random(f"chaos:{seed}")  # noqa: S311 - a schedule, not a secret
    ways = [way for way, weight in _WAYS for _ in range(weight)]
    strikes: list[Injection] = []
    at = rng.uniform(0.5, 3.0)
    while at < seconds:
        what, params = rng.choice(ways)(rng)
        strikes.append(Injection(at_seconds=round(at, 1), what=what, params=params))
        at += rng.uniform(0.3, 2 * mean_gap_seconds)
    return strikes


def _kill(rng: random.Random) -> tuple[str, Params]:
    return "kill", {"who": rng.choice(PROCESSES)}


def _end(rng: random.Random) -> tuple[str, Params]:
    return "end", {"who": rng.choice(PROCESSES)}


def _stop(rng: random.Random) -> tuple[str, Params]:
    return "stop", {"who": rng.choice(PROCESSES), "for_seconds": round(rng.uniform(0.5, 10.0), 1)}


def _stop_long(rng: random.Random) -> tuple[str, Params]:
    """Past the lease of a claim and past the deadline of a POST."""
    return "stop", {"who": rng.choice(WORKERS[:2]), "for_seconds": round(rng.uniform(15.0, 40.0), 1)}


def _kill_server(rng: random.Random) -> tuple[str, Params]:
    return "kill_server", {"who": rng.choice(SERVERS)}


def _stop_server(rng: random.Random) -> tuple[str, Params]:
    return "stop_server", {"who": rng.choice(SERVERS), "for_seconds": round(rng.uniform(0.5, 6.0), 1)}


def _cut_database(_rng: random.Random) -> tuple[str, Params]:
    return "cut_database", {}


def _cut_broker(_rng: random.Random) -> tuple[str, Params]:
    return "cut_broker", {}


def _flush_broker(_rng: random.Random) -> tuple[str, Params]:
    return "flush_broker", {}


def _crash_carrier(rng: random.Random) -> tuple[str, Params]:
    return "crash_carrier", {"memory": rng.random() < 0.6}  # noqa: PLR2004 - a share


def _load_again(_rng: random.Random) -> tuple[str, Params]:
    return "load_again", {}


_KNOBS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("refuse_connection", {}),
    ("too_many", {}),
    ("too_many", {"seconds": 3.0}),
    ("error_before", {}),
    ("accept_then_timeout", {"seconds": 6.0}),
    ("accept_then_error", {}),
    ("rest_error", {}),
    ("rest_refuse", {}),
    ("webhook_delay", {"seconds": 3.0}),
    ("webhook_drop", {}),
    ("webhook_double", {}),
    ("webhook_reorder", {}),
    ("last_webhook_drop", {}),
    ("twiml_skip", {}),
    ("answer_on_cancel", {}),
)


def _carrier_faults(rng: random.Random) -> tuple[str, Params]:
    chosen = rng.sample(_KNOBS, rng.randint(1, 4))
    knobs = {name: {"probability": round(rng.uniform(0.1, 0.9), 2)} | more for name, more in chosen}
    return "carrier_faults", {"knobs": knobs, "for_seconds": round(rng.uniform(3.0, 15.0), 1)}


_WAYS: Final[tuple[tuple[Draw, int], ...]] = (
    (_kill, 7),
    (_end, 2),
    (_stop, 4),
    (_stop_long, 2),
    (_kill_server, 3),
    (_stop_server, 2),
    (_cut_database, 2),
    (_cut_broker, 1),
    (_flush_broker, 2),
    (_crash_carrier, 2),
    (_load_again, 1),
    (_carrier_faults, 8),
)
