"""`/metrics` for Prometheus: figures of the database, kept for some seconds, and counters of this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, Metric, generate_latest
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from dialer.bootstrap import Application
from dialer.domain.values import Grade
from dialer.errors import Unavailable
from dialer.runtime.metrics import ProcessMetrics
from dialer.store.reads.gauges import FirstAttempts
from dialer.usecases.measure import FIRST_ATTEMPT_BOUNDS, Figures, measure, measure_first_attempts
from dialer.web.cache import Cache

_FRESH_SECONDS = 5.0
_HISTOGRAM_FRESH_SECONDS = 30.0
_HOOKS = frozenset({"call", "dial", "status", "amd", "fallback"})
_REFUSED, _PUT_OFF = 400, 500

_log = logging.getLogger(__name__)


class _Business(Collector):
    """The database's figures. One that does not answer is a figure too."""

    def __init__(self, app: Application) -> None:
        engine, late = app.engine, app.settings.scheduler.late_seconds
        self._figures = Cache[None, Figures](
            lambda _: measure(engine, late_seconds=late), seconds=_FRESH_SECONDS
        )
        self._first = Cache[None, Mapping[Grade, FirstAttempts]](
            lambda _: measure_first_attempts(engine), seconds=_HISTOGRAM_FRESH_SECONDS
        )

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        try:
            figures, first = self._figures.wait(None), self._first.wait(None)
        except Unavailable as fault:
            _log.warning("%s", fault)
            yield _gauge("dialer_database_up", "Whether the database answers", 0)
            return
        yield _gauge("dialer_database_up", "Whether the database answers", 1)
        yield _histogram(first)
        yield from _of_queue(figures)
        yield from _of_lines(figures)
        yield from _of_people(figures)
        yield from _of_engine(figures)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in values:
        family.add_metric((key,), value)
    return family


def _histogram(first: Mapping[Grade, FirstAttempts]) -> Metric:
    family = GaugeHistogramMetricFamily(
        "dialer_time_to_first_attempt_seconds",
        "From the opening of a case to its first ring, of cases opened within a day",
        labels=("grade",),
    )
    bounds = (*(str(float(bound)) for bound in FIRST_ATTEMPT_BOUNDS), "+Inf")
    for grade, found in first.items():
        together = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip(bounds, found.counts, strict=True):
            together += count
            buckets.append((bound, together))
        family.add_metric((grade.value,), buckets, gsum_value=found.sum_seconds)
    return family


def _of_queue(figures: Figures) -> Iterator[Metric]:
    queue = figures.queue
    yield _by(
        "dialer_rings_waiting",
        "Rings before their claim: ready, planned for later, held by a pause",
        "state",
        (("ready", queue.ready), ("planned", queue.planned), ("held", queue.held)),
    )
    yield _by(
        "dialer_queue_age_seconds",
        "How long the longest waiting ring might have left already",
        "grade",
        ((grade.value, age) for grade, age in figures.queue_age_seconds.items()),
    )
    yield _gauge(
        "dialer_unknown_attempts", "Rings of which nobody can say whether they were placed", queue.unknown
    )


def _of_lines(figures: Figures) -> Iterator[Metric]:
    lines = figures.lines
    if lines is None:
        return
    yield _gauge("dialer_lines_in_use", "Calls that hold a line", lines.in_use)
    yield _gauge("dialer_lines", "Lines as set", lines.lines)
    yield _gauge("dialer_calls_per_second", "Pace as set", lines.calls_per_second)
    yield _gauge("dialer_breaker_open", "Whether the breaker is open", lines.breaker.is_open)
    yield _gauge("dialer_carrier_troubles", "Troubles with the carrier in a row", lines.breaker.troubles)
    yield _gauge("dialer_pauses", "Pauses that stand", figures.pauses)


def _of_people(figures: Figures) -> Iterator[Metric]:
    yield _by(
        "dialer_assignments_open",
        "Human calls and visits that wait",
        "kind",
        ((kind.value, work.open) for kind, work in figures.work.items()),
    )
    yield _by(
        "dialer_assignments_overdue",
        "Those of them past their time",
        "kind",
        ((kind.value, work.overdue) for kind, work in figures.work.items()),
    )
    yield _by("dialer_alarms_unseen", "Unacknowledged alarms", "code", figures.alarms.items())


def _of_engine(figures: Figures) -> Iterator[Metric]:
    state = figures.state
    yield _by(
        "dialer_auditor_findings",
        "What the auditor's last round found",
        "finding",
        figures.findings.items(),
    )
    yield _by("dialer_processes", "Processes that beat", "kind", figures.processes.items())
    leads = state.leader_seconds is not None and state.leader_seconds < _FRESH_SECONDS * 2
    yield _gauge("dialer_leader", "Whether a scheduler leads", leads)
    yield _gauge("dialer_engine_late", "Whether no whole cycle was completed lately", bool(state.late))
    if state.cycle_seconds is not None:
        yield _gauge("dialer_cycle_age_seconds", "Since the last whole cycle", state.cycle_seconds)
    yield _by(
        "dialer_part_age_seconds",
        "Since a part of the cycle was last done to its end",
        "part",
        ((part, age) for part, age in state.parts_seconds.items() if age is not None),
    )


def metrics(app: Application, own: ProcessMetrics) -> Callable[[Request], Awaitable[Response]]:
    """The page; the figures are read in a thread."""
    own.registry.register(_Business(app))

    async def handle(_request: Request) -> Response:
        page = await asyncio.to_thread(generate_latest, own.registry)
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    return handle


class WebhookCounts:
    """Counts what each webhook was answered: applied, refused, or put off because we could not keep it."""

    def __init__(self, own: ProcessMetrics) -> None:
        self._webhooks = own.webhooks

    def count(self, hook: str, status: int) -> None:
        self._webhooks.labels(hook if hook in _HOOKS else "other", _result(status)).inc()


def _result(status: int) -> str:
    if status >= _PUT_OFF:
        return "put_off"
    return "refused" if status >= _REFUSED else "applied"
