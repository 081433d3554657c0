"""Writes the sample list to a file: `python -m dialer.demo.generate_sample [FILE]`.

The committed `sample.csv` beside this module is for reading and for trying `dialer load`; the demo builds its own
copy, with times relative to its own clock.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from dialer.demo.sample_list import TIMEZONE, build

SAMPLE: Final = Path(__file__).with_name("sample.csv")
COMMITTED_AT: Final = datetime(2026, 11, 25, 9, 0, tzinfo=ZoneInfo(TIMEZONE))
"""The moment to which the committed copy's times are relative: nine in the morning, when the demo begins."""


def main(arguments: list[str]) -> int:
    """The list is in the named file, else in the committed place."""
    path = Path(arguments[0]) if arguments else SAMPLE
    content = build(COMMITTED_AT)
    path.write_bytes(content)
    sys.stdout.write(f"{path.name}: {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
