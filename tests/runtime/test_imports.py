"""A process at rest holds what it runs: which libraries each of them has not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

_RUNS = {
    "up": ("dialer.cli.serve", "dialer.runtime.embedded"),
    "carrier": ("dialer.cli.serve", "carrier.server"),
    "scheduler": ("dialer.cli.serve", "dialer.bootstrap", "dialer.scheduler"),
    "dial": ("dialer.cli.serve", "dialer.bootstrap", "dialer.tasks.worker", "dialer.tasks.dial_work"),
    "bulk": ("dialer.cli.serve", "dialer.bootstrap", "dialer.tasks.worker", "dialer.tasks.bulk_work"),
    "web": ("dialer.cli.serve", "dialer.bootstrap", "dialer.server.process"),
    "file reader": ("dialer.runtime.uploads", "dialer.intake.files"),
}
_NEVER = ("alembic", "babel")
_WITHOUT = {
    "up": (
        "pydub",
        "sqlalchemy",
        "psycopg",
        "celery",
        "redis",
        "fastapi",
        "aiohttp",
        "twilio",
        "apscheduler",
    ),
    "carrier": ("pydub", "sqlalchemy", "psycopg", "celery", "redis", "fastapi", "apscheduler"),
    "scheduler": (
        "pydub",
        "fastapi",
        "aiohttp",
        "twilio",
        "phonenumbers",
        "python_calamine",
        "xlsxwriter",
        "jinja2",
    ),
    "dial": ("pydub", "fastapi", "apscheduler", "python_calamine", "xlsxwriter", "jinja2"),
    "bulk": ("fastapi", "apscheduler", "twilio", "aiohttp", "jinja2"),
    "web": ("apscheduler", "xlsxwriter"),
    # A list starts it twice: for its headings, then for its rows.
    "file reader": ("phonenumbers", "stdnum", "sqlalchemy", "xlsxwriter", "gettext"),
}


@pytest.mark.parametrize("process", _RUNS)
def test_a_process_imports_no_other_process_libraries(process: str):
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {', '.join(_RUNS[process])}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in told.stdout.split()}
    assert sorted(imported & {*_NEVER, *_WITHOUT[process]}) == []


@pytest.mark.parametrize("process", ["web", "robot"])
def test_a_process_does_not_import_the_other_commands(process: str):
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from dialer import __main__; __main__.build_command_line(sys.argv[1]); print(*sys.modules)",
            process,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name for name in said.stdout.split() if name.startswith("dialer.cli.")}
    assert imported == {"dialer.cli.common", "dialer.cli.serve"}
