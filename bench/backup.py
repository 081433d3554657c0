"""How long a backup and a restore of a large database take, and how large the file is.

    python -m bench.backup [--people 1000000] [--json]

The records are those of a city's year (`bench/city.py`): of each person a case, two calls with their events, a warning,
work of people, outcomes and lines of the audit.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import city
from bench.service import owner_store, service
from dialer.backup.actions import Installation, make_backup, restore_backup
from dialer.core.access import unrestricted
from dialer.db.keys import load
from dialer.runtime.embedded import ensure_servers, erase_servers


def measure(people: int) -> dict[str, float | int]:
    """Seconds, bytes and rows."""
    figures: dict[str, float | int] = {"people": people}
    with service(speed=1.0) as made, tempfile.TemporaryDirectory(prefix="dialer-backup-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        services = made.app.services
        now = datetime.now(UTC)
        began = time.monotonic()
        with owner_store(made.app) as store:
            city.fill(store, count=people, policy=services.policies.newest.version, now=now)
            with store.begin() as tx:
                size = tx.scalar(sa.text("SELECT pg_database_size(current_database())"))
        figures |= {"filled_seconds": round(time.monotonic() - began, 1), "database_bytes": int(size)}
        keys = load(made.settings.data_dir / "keys.json")
        assert made.app.servers is not None
        old = Installation(
            database_url=made.app.servers.database_url, owner_url=None, keys=keys, data_dir=folder / "old"
        )
        began = time.monotonic()
        cpu = time.process_time()
        backup = make_backup(old, folder / "one.backup", real_now=now)
        figures |= {
            "backup_seconds": round(time.monotonic() - began, 1),
            "backup_cpu_seconds": round(time.process_time() - cpu, 1),
            "backup_bytes": backup.size_bytes,
            "rows": backup.contents.rows,
        }
        new = folder / "new"
        with ensure_servers(new, valkey=False) as servers:
            place = Installation(
                database_url=servers.database_url, owner_url=servers.owner_url, keys=keys, data_dir=new
            )
            began = time.monotonic()
            cpu = time.process_time()
            restore_backup(
                place, folder / "one.backup", real_now=datetime.now(UTC), actor=unrestricted("bench")
            )
            figures |= {
                "restore_seconds": round(time.monotonic() - began, 1),
                "restore_cpu_seconds": round(time.process_time() - cpu, 1),
            }
        erase_servers(new)
    figures["most_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = measure(given.people)
    if given.json:
        print(json.dumps(figures))
        return
    print(
        "{people:,} people, {rows:,} rows, {database_bytes:,} bytes of database (filled in {filled_seconds} s)\n"
        "backup {backup_seconds} s ({backup_cpu_seconds} s of CPU here), {backup_bytes:,} bytes\n"
        "restore {restore_seconds} s ({restore_cpu_seconds} s of CPU here), indexes and references included\n"
        "most memory of this process {most_memory_mb} MB".format(**figures)
    )


if __name__ == "__main__":
    main()
