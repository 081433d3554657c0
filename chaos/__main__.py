"""`python -m chaos --seed S --minutes M`: exit 0 when no case was lost and no call attempt rang twice, else 1."""

from __future__ import annotations

import argparse
import secrets
import sys

from chaos.drill import Plan, drill
from chaos.schedule import draw_schedule

_LONGEST_MINUTES = 60.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", default="", help="the same seed gives the same schedule; random by default")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long faults strike (at most 60)")
    parser.add_argument("--targets", type=int, default=300)
    parser.add_argument("--settle-seconds", type=float, default=300.0)
    parser.add_argument("--keep", action="store_true", help="leave the data folder")
    given = parser.parse_args(arguments)
    seed = given.seed or secrets.token_hex(3)
    seconds = 60 * min(max(given.minutes, 0.05), _LONGEST_MINUTES)
    strikes = draw_schedule(seed, seconds=seconds)
    say(f"seed {seed}, {seconds / 60:.2f} minutes, {len(strikes)} faults:")
    for inject in strikes:
        say("  " + inject.line())
    outcome = drill(
        Plan(
            seed=seed,
            seconds=seconds,
            strikes=strikes,
            targets=given.targets,
            settle_seconds=given.settle_seconds,
            keep=given.keep,
        ),
        say,
    )
    wrong = [*outcome.verdict.wrong, *outcome.problems]
    if not outcome.settled:
        wrong.insert(0, "it did not settle")
    counts = ", ".join(f"{name} {n}" for name, n in outcome.verdict.counts.items())
    for line in wrong:
        say(f"  wrong: {line}")
    if wrong:
        say(f"  log: {outcome.log}")
    verdict = "clean" if not wrong else f"{len(wrong)} WRONG"
    say(f"chaos: {verdict}, seed {seed}, {outcome.struck} faults in {outcome.seconds:.0f} s: {counts}")
    return 1 if wrong else 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
