"""Brings the fact rows of this machine up to date in a process of its own, which ends with the memory that it took.

    python -m dialer.figures.refreshing

reads from its standard input where the database and the file are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from dialer.db.keys import Keys
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from dialer.figures.facts import MOST_BEHIND, WORTH_A_FILE, FactFile, has_cases, refresh_facts
from dialer.figures.report import fact_file
from dialer.runtime.services import Services

_NICENESS = 10

_CHANGED_SINCE = sa.text("""
SELECT count(*) FROM (SELECT DISTINCT case_id FROM fact_mark WHERE at > to_timestamp(:since) LIMIT :enough) changed
""")


def is_behind(services: Services) -> bool:
    """Whether a refresh is worth a process. The file itself is not opened: that takes memory."""
    facts = fact_file(services)
    if facts.folder is None:
        return False
    with services.store.begin() as tx:
        if not facts.path.exists():
            return has_cases(tx, MOST_BEHIND)
        since = max(path.stat().st_mtime for path in (facts.path, facts.log) if path.exists())
        return bool(tx.scalar(_CHANGED_SINCE, {"since": since, "enough": WORTH_A_FILE}) >= WORTH_A_FILE)


def refresh_if_behind(services: Services) -> bool:
    """Waits for the process that refreshes; returns whether there was one."""
    if not is_behind(services):
        return False
    facts = fact_file(services)
    told = {"url": services.store.url, "folder": str(facts.folder), "timezone": facts.timezone}
    command = [sys.executable, "-m", "dialer.figures.refreshing"]
    subprocess.run(command, input=json.dumps(told), text=True, check=True)  # noqa: S603 - our own interpreter
    return True


def main() -> None:
    """Reads where everything is, and refreshes."""
    told = json.loads(sys.stdin.read())
    os.nice(_NICENESS)
    # No encrypted value is read, so it needs no key of the centre.
    vault = Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([2]) * 32, current=1))
    store = Store(told["url"], vault, pool_size=1, process="figures")
    try:
        refresh_facts(store, FactFile(folder=Path(told["folder"]), timezone=told["timezone"]))
    finally:
        store.dispose()


if __name__ == "__main__":
    main()
