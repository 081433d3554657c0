"""`dialer web`: the application on uvicorn."""

from __future__ import annotations

import signal
import sys

import uvicorn

from dialer.bootstrap import Application
from dialer.usecases.beat import beating
from dialer.web.app import create_app

_SWITCH_SECONDS = 0.0005
"""A batch of webhooks comes back from the database a dozen times, and would wait each time until the loop's thread has
had its whole turn of 5 ms.
"""


def run_web(app: Application) -> None:
    """Serves until SIGTERM or SIGINT; requests under way are finished first."""
    web = app.settings.web
    sys.setswitchinterval(_SWITCH_SECONDS)
    # uvicorn sends itself the signal that ended it once more; the default would end us before our row is gone.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with beating(app.engine, kind="web"):
        uvicorn.run(
            create_app(app),
            host=web.host,
            port=web.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
            timeout_keep_alive=75,
        )
