"""Logs and metrics of one process.

All code and every library log to one stream of structured lines on standard error. No personal data is logged on
purpose; the last step masks what looks like it, so that the error text of a library, or a mistake of ours, does not put
a victim's number on a disk. The metrics are those that the database does not have, such as refused webhooks.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "json", "pretty"]


# Phones (with or without +86, spaces or dashes) and identity numbers: seven or more digits in one group. Next to a
# letter or a decimal point only an exact mobile or identity number.
_DIGIT_RUN = re.compile(
    r"(?<![A-Za-z0-9_])(?<!\d\.)\+?\d(?:[ \-‐-―]?\d){6,18}[Xx]?(?![A-Za-z0-9_])(?!\.\d)"
    r"|(?<!\d)1[3-9]\d{9}(?!\d)"
    r"|(?<!\d)[1-8]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?!\d)",
    re.ASCII,
)
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}

# Times, and ids of our own and of the telephone network, which stay unmasked.
_HARMLESS = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b[A-Z]{2}[0-9a-f]{32}\b",
    re.ASCII,
)
_UNTOUCHED = {"timestamp", "level", "logger", "pid", "lineno", "process"}
_QUIET = {
    # Lower levels of these add nothing; sqlalchemy would log statements with parameters.
    "sqlalchemy.engine": logging.WARNING,
    "sqlalchemy.pool": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "alembic": logging.WARNING,
    "apscheduler.executors": logging.WARNING,
    # It warns of skipped ticks, which coalescing intends.
    "apscheduler.scheduler": logging.ERROR,
    "celery.app.trace": logging.WARNING,
    # A line for each task received.
    "celery.worker.strategy": logging.WARNING,
    "twilio": logging.WARNING,
    "asyncio": logging.WARNING,
}
_MASK = "[masked]"
_LEAST_PHONE = 10_000_000_000


def configure_logs(
    *, level: str = "info", log_format: LogFormat = "auto", stream: IO[str] | None = None, process: str = ""
) -> None:
    """Sends every log line of this process to `stream` (standard error) in one format. May be called again.

    `process` names this process in each line (web, worker, ...).
    """
    target = sys.stderr if stream is None else stream
    pretty = log_format == "pretty" or (log_format == "auto" and target.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, event: {**event, "process": process} if process else event,
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: Processor
    if pretty:
        renderer = structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_personal,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, number))
    route_through_root(
        "uvicorn", "uvicorn.error", "uvicorn.access", "celery", "celery.task", "celery.redirected"
    )
    logging.captureWarnings(True)


def route_through_root(*names: str) -> None:
    """Makes these loggers use our handler only. Call it again after a library has installed its own handler."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def mask_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The line with masked phone and identity numbers, in values and in keys."""
    return {str(_masked(key)): value if key in _UNTOUCHED else _masked(value) for key, value in event.items()}


def mask_text(text: str) -> str:
    """`text` with every run of digits masked that may be a phone or an identity number."""
    kept: list[str] = []
    rest = 0
    for harmless in _HARMLESS.finditer(text):
        kept.append(_mask_runs(text[rest : harmless.start()]))
        kept.append(harmless.group())
        rest = harmless.end()
    kept.append(_mask_runs(text[rest:]))
    return "".join(kept)


def _mask_runs(text: str) -> str:
    plain = text.translate(_FULL_WIDTH)
    return _DIGIT_RUN.sub(_MASK, plain) if _DIGIT_RUN.search(plain) else text


def _masked(value: object) -> object:
    match value:
        case None | bool():
            masked: object = value
        case int() | float():
            # As spreadsheets store a phone number.
            masked = _MASK if abs(value) >= _LEAST_PHONE else value
        case Mapping():
            masked = {_masked(key): _masked(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            masked = [_masked(item) for item in value]
        case _:
            masked = mask_text(str(value))
    return masked


class ProcessMetrics:
    """`registry` contains the metrics that this process exposes; others can be added."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.webhooks = Counter(
            "dialer_webhooks",
            "Webhooks answered by this process, by hook and result",
            ("hook", "result"),
            registry=self.registry,
        )
