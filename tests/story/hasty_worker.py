"""A worker process whose broker delivers again, after one second, whatever has not been begun, and whose claims lapse
soon: `python -m tests.story.hasty_worker`. Else it is `dialer worker`.
"""

from __future__ import annotations

from dataclasses import replace

from dialer.bootstrap import assemble
from dialer.runtime.logs import configure_logs
from dialer.runtime.settings import load_settings
from dialer.tasks.worker import run_worker

LEASE_SECONDS = 1.5


def main() -> None:
    settings = load_settings()
    configure_logs(level="warning", log_format="json", process="hasty")
    app = assemble(settings)
    options = app.celery.conf.broker_transport_options
    app.celery.conf.broker_transport_options = {**options, "visibility_timeout": 1}
    hasty = replace(app.services.lines, lease_seconds=LEASE_SECONDS)
    try:
        run_worker(replace(app, services=replace(app.services, lines=hasty)), queues=["dial", "bulk"])
    finally:
        app.close()


if __name__ == "__main__":
    main()
