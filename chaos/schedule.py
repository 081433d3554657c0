"""What a run is made of, drawn from a seed: the faults and their times, and a list of invented people.

The same seed gives the same schedule and the same list. Some people have two warnings, some share one landline; the
numbers exist on the simulated line only.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

WORKERS: Final = ("worker-dial", "worker-dial-2", "worker-bulk")
PROCESSES: Final = (*WORKERS, "scheduler", "scheduler-2", "web", "carrier")
SECOND_HOST: Final = ("worker-dial-2", "scheduler-2")
SERVERS: Final = ("postgres", "valkey-server")

Params = Mapping[str, object]
Draw = Callable[[random.Random], Params]


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One fault, `at_seconds` after the start of the run; `what` is a name known to `Injections`."""

    at_seconds: float
    what: str
    params: Params = field(default_factory=dict)

    def line(self) -> str:
        params = " ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.at_seconds:6.1f} s  {self.what} {params}".rstrip()


def draw_schedule(seed: str, *, seconds: float, mean_gap_seconds: float = 3.0) -> list[Injection]:
    """The faults until `seconds`, in order."""
    rng = random.Random(f"chaos:{seed}")  # noqa: S311 - a schedule, not a secret
    faults = [(what, draw) for what, weight, draw in _FAULTS for _ in range(weight)]
    injections: list[Injection] = []
    at = rng.uniform(0.5, 3.0)
    while at < seconds:
        what, draw = rng.choice(faults)
        injections.append(Injection(at_seconds=round(at, 1), what=what, params=draw(rng)))
        at += rng.uniform(0.3, 2 * mean_gap_seconds)
    return injections


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


def _carrier_faults(rng: random.Random) -> Params:
    chosen = rng.sample(_KNOBS, rng.randint(1, 4))
    knobs = {name: {"probability": round(rng.uniform(0.1, 0.9), 2)} | more for name, more in chosen}
    return {"knobs": knobs, "for_seconds": round(rng.uniform(3.0, 15.0), 1)}


def _stopped(names: Sequence[str], least: float, most: float) -> Draw:
    return lambda rng: {"who": rng.choice(names), "for_seconds": round(rng.uniform(least, most), 1)}


_FAULTS: Final[tuple[tuple[str, int, Draw], ...]] = (
    ("kill", 7, lambda rng: {"who": rng.choice(PROCESSES)}),
    ("end", 2, lambda rng: {"who": rng.choice(PROCESSES)}),
    ("stop", 4, _stopped(PROCESSES, 0.5, 10.0)),
    # Past the lease of a claim and past the deadline of a POST.
    ("stop", 2, _stopped(WORKERS[:2], 15.0, 40.0)),
    # All processes that stand for a second host.
    ("freeze_host", 1, lambda rng: {"for_seconds": round(rng.uniform(20.0, 60.0), 1)}),
    # A worker that gets a fifth of a processor.
    (
        "starve",
        2,
        lambda rng: {"who": rng.choice(WORKERS), "for_seconds": round(rng.uniform(5.0, 20.0), 1)},
    ),
    ("kill_server", 3, lambda rng: {"who": rng.choice(SERVERS)}),
    ("stop_server", 2, _stopped(SERVERS, 0.5, 6.0)),
    ("cut_database", 2, lambda _rng: {}),
    # The database as far away as another city: every packet is held back.
    (
        "slow_database",
        2,
        lambda rng: {
            "milliseconds": round(rng.uniform(30.0, 100.0)),
            "for_seconds": round(rng.uniform(5.0, 20.0), 1),
        },
    ),
    ("cut_broker", 1, lambda _rng: {}),
    ("flush_broker", 2, lambda _rng: {}),
    ("crash_carrier", 2, lambda rng: {"memory": rng.random() < 0.6}),  # noqa: PLR2004 - a share
    ("load_again", 1, lambda _rng: {}),
    ("carrier_faults", 8, _carrier_faults),
)
"""Name, weight, and how the parameters are drawn."""


_GRADES: Final = ("特高危", "高危", "高危", "中危", "中危", "中危", "低危", "低危")
_TYPES: Final = ("冒充公检法", "刷单返利", "虚假贷款", "网络婚恋交友", "")
_GIVEN: Final = "安柏澄德恩芳广慧景凯兰敏宁平启荣淑婷文熙雅泽哲晨岚沐溪言"
_SHARED: Final = 25
_AGAIN: Final = 15


def targets(seed: str, *, count: int) -> bytes:
    """A csv with `count` rows; the same seed, the same bytes."""
    rng = random.Random(f"targets:{seed}")  # noqa: S311 - invented data
    rows: list[dict[str, str]] = []
    for n in range(count):
        row = {
            "指令编号": f"C{n:05}",
            "等级": rng.choice(_GRADES),
            "诈骗类型": rng.choice(_TYPES),
            "姓名": f"欧阳{_GIVEN[n % len(_GIVEN)]}{_GIVEN[n // len(_GIVEN) % len(_GIVEN)]}",
            "手机号": f"1990{n:07}",
            "拟转金额": rng.choice(("", "3000", "5万", "120000")),
        }
        if n % _AGAIN == _AGAIN - 1:
            row = rows[rng.randrange(len(rows))] | {"指令编号": row["指令编号"], "等级": row["等级"]}
        elif n % _SHARED == _SHARED - 1:
            row["手机号"] = rows[-1]["手机号"]
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
