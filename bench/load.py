"""A list of a million rows: seconds, memory and processor, while the web process answers.

    python -m bench.load [--rows 1000000]

Aim: below 120 s, below 500 MB (PSS) of the process that loads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
import urllib.request

import psutil

from bench.people import write_list
from bench.service import service
from dialer.core.access import unrestricted
from dialer.warnings.list_store import get_load
from dialer.warnings.lists import load_list, submit_list


class Watch(threading.Thread):
    """Most memory of this process, and how long the web process takes to say that it is ready."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.most_pss = 0
        self.answers: list[float] = []
        self.over = threading.Event()

    def run(self) -> None:
        process = psutil.Process(os.getpid())
        while not self.over.wait(0.5):
            self.most_pss = max(self.most_pss, int(process.memory_full_info().pss))
            begun = time.perf_counter()
            with urllib.request.urlopen(self.url, timeout=10) as answer:
                answer.read()
            self.answers.append((time.perf_counter() - begun) * 1000)


def run(rows: int) -> dict[str, object]:
    with service() as made:
        made.start("web")
        services = made.app.services
        path = made.settings.data_dir / "list.csv"
        write_list(path, rows)
        begun = time.perf_counter()
        with path.open("rb") as content:
            load_id = submit_list(services, unrestricted("bench"), content, filename=path.name, source="")
        submitted = time.perf_counter() - begun
        watch = Watch(f"http://127.0.0.1:{made.settings.web.port}/health/ready")
        watch.start()
        before, ours, begun = made.cpu(), time.process_time(), time.perf_counter()
        load_list(services, load_id)
        seconds = time.perf_counter() - begun
        used, after = time.process_time() - ours, made.cpu()
        watch.over.set()
        watch.join()
        with services.store.begin() as tx:
            loaded = get_load(tx, load_id)
        assert loaded is not None
        if loaded.accepted != rows:
            raise SystemExit(f"only {loaded.accepted} of {rows} accepted")
        return {
            "rows": rows,
            "seconds": round(seconds, 1),
            "rows_per_second": round(rows / seconds),
            "upload_seconds": round(submitted, 1),
            "cpu_seconds_per_1000_rows": {
                "loader": round(used / rows * 1000, 3),
                "postgres": round((after["postgres"] - before["postgres"]) / rows * 1000, 3),
            },
            "most_pss_mb": round(watch.most_pss / 1e6),
            "web_answers_ms": {
                "median": round(statistics.median(watch.answers), 1),
                "slowest": round(max(watch.answers), 1),
            },
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    print(json.dumps(run(parser.parse_args().rows), indent=1))


if __name__ == "__main__":
    main()
