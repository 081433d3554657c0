"""One shape for every line, and no phone or identity number in any."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from dialer.runtime.logs import configure_logs, mask_text, route_through_root


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Logging is the process's own; put back as it was afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    levels = {
        name: logging.getLogger(name).level for name in ("sqlalchemy.engine", "uvicorn.access", "twilio")
    }
    yield io.StringIO()
    root.handlers[:], root.level = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_the_libraries_lines_look_the_same(stream: io.StringIO):
    configure_logs(log_format="json", stream=stream, process="worker")
    structlog.get_logger("dialer.tasks").info("loaded", rows=12)
    logging.getLogger("celery.worker").warning("lost %s", "broker")
    ours, theirs = lines(stream)
    assert (ours["event"], ours["rows"], ours["level"], ours["logger"]) == (
        "loaded",
        12,
        "info",
        "dialer.tasks",
    )
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("lost broker", "warning", "celery.worker")
    assert ours["process"] == theirs["process"] == "worker"
    assert ours["timestamp"].endswith("Z")


def test_lines_below_the_level_are_left_out(stream: io.StringIO):
    configure_logs(level="warning", log_format="json", stream=stream)
    structlog.get_logger("dialer").info("small")
    logging.getLogger("kombu").info("small")
    structlog.get_logger("dialer").error("big")
    assert [line["event"] for line in lines(stream)] == ["big"]


def test_configuring_twice_does_not_double_lines(stream: io.StringIO):
    configure_logs(log_format="json", stream=stream)
    configure_logs(log_format="json", stream=stream)
    structlog.get_logger("dialer").info("once")
    assert len(lines(stream)) == 1


def test_a_librarys_own_handler_is_taken_away(stream: io.StringIO):
    logger = logging.getLogger("uvicorn")
    own = io.StringIO()
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False
    configure_logs(log_format="json", stream=stream)
    route_through_root("uvicorn")
    logging.getLogger("uvicorn.error").warning("started")
    assert own.getvalue() == ""
    assert lines(stream)[0]["event"] == "started"


def test_pretty_lines_are_for_people(stream: io.StringIO):
    configure_logs(log_format="pretty", stream=stream)
    structlog.get_logger("dialer").info("loaded", rows=12)
    assert "loaded" in stream.getvalue()
    assert "rows=12" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_auto_is_json_where_nobody_watches(stream: io.StringIO):
    configure_logs(log_format="auto", stream=stream)
    structlog.get_logger("dialer").info("loaded")
    assert lines(stream)[0]["event"] == "loaded"


def test_a_traceback_is_one_line_and_masked(stream: io.StringIO):
    configure_logs(log_format="json", stream=stream)
    number = "13800138000"
    try:
        int(f"ring {number}")
    except ValueError:
        structlog.get_logger("dialer").exception("failed")
    assert "Traceback" in lines(stream)[0]["exception"]
    assert number not in stream.getvalue()


def test_no_sql_parameter_reaches_the_log_at_the_lowest_level(stream: io.StringIO, empty_database: str):
    configure_logs(level="debug", log_format="json", stream=stream)
    engine = sa.create_engine(empty_database, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("select :name"), {"name": "Zhang San"})
    engine.dispose()
    assert "Zhang San" not in stream.getvalue()
    assert "select" not in stream.getvalue()


def test_warnings_are_lines_too(stream: io.StringIO):
    configure_logs(log_format="json", stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old habit", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "old habit" in lines(stream)[-1]["event"]


def test_values_of_every_kind_are_masked(stream: io.StringIO):
    configure_logs(log_format="json", stream=stream)
    structlog.get_logger("dialer").info(
        "phones %s",
        "13800138000",
        number=13800138000,
        spreadsheet=13800138000.0,
        nested={"13800138000": ["+8613800138000", ("0478-8212345",)]},
        problem=ValueError("11010519491231002X"),
        count=8212345,
        share=0.123456789,
        done=True,
        nothing=None,
    )
    line = lines(stream)[0]
    assert line["event"] == "phones [masked]"
    assert (line["number"], line["spreadsheet"], line["problem"]) == ("[masked]",) * 3
    assert line["nested"] == {"[masked]": ["[masked]", ["[masked]"]]}
    assert (line["count"], line["share"], line["done"], line["nothing"]) == (8212345, 0.123456789, True, None)


@pytest.mark.parametrize(
    "text",
    [
        "13800138000", "138 0013 8000", "138-0013-8000", "+8613800138000", "008613800138000", "0478-8212345",
        "04788212345", "8212345", "11010519491231002X", "110105194912310021",
        "\uff11\uff13\uff18\uff10\uff10\uff11\uff13\uff18\uff10\uff10\uff10",
        "tel13800138000x", "电话13800138000。", "rang 13800138000.", "(13800138000)", "/calls?To=13800138000",
    ],
)  # fmt: skip
def test_what_may_be_a_persons_number_is_masked(text: str):
    masked = mask_text(text)
    assert "[masked]" in masked
    assert sum(character.isdigit() for character in masked) <= 2


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T09:00:00+00:00", "2026-11-25 09:00", "at 2026-11-25", "127.0.0.1:54321", "took 0.123456789 s",
        "CA0123456789abcdef0123456789abcdef", "550e8400-e29b-41d4-a716-446655440000", "12 of 500", "110", "96110",
        "a1b2c3d4e5f6", "v1.2026.3",
    ],
)  # fmt: skip
def test_what_tells_nothing_about_anybody_stays(text: str):
    assert mask_text(text) == text


def test_the_log_goes_to_standard_error_and_leaves_standard_output_alone():
    source = (
        "from dialer.runtime.logs import configure_logs; import structlog; configure_logs();"
        " structlog.get_logger('dialer').info('here'); print('{}')"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "{}\n"
    assert json.loads(done.stderr)["event"] == "here"
