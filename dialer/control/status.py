"""What a monitoring system and a public screen read without signing in: `/status`, `/health/*` and `/metrics`."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from dialer.control.health import SystemState, check_system
from dialer.control.overview import FIRST_ATTEMPT_BOUNDS, Gauges, measure, measure_first_attempts
from dialer.control.queries import FirstAttempts, ServiceStatus, status
from dialer.control.trunks import TrunksNow, has_trunks, read_trunks
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import Grade
from dialer.db.migrations import schema_revision
from dialer.db.system_state import STUCK_COMMIT_SECONDS, longest_stuck_commit
from dialer.db.unit_of_work import hold_snapshot
from dialer.language.words import stored_word
from dialer.runtime.logs import ProcessMetrics
from dialer.runtime.services import Application
from dialer.web.cache import Cache
from dialer.web.clients import is_from
from dialer.web.rendering import Pages, PlainReader

_METRICS_FRESH_SECONDS = 5.0
_HISTOGRAM_FRESH_SECONDS = 30.0
_HOOKS = frozenset({"call", "dial", "status", "amd", "fallback"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Refresh": "3",
}
_log = logging.getLogger(__name__)


class StatusPage:
    """`/status`: the counts of this moment, renewed every three seconds, without anybody's name."""

    def __init__(self, app: Application, pages: Pages) -> None:
        self._app = app
        self._pages = pages
        self._status = Cache[None, ServiceStatus](lambda _: self._read(), seconds=1.0)

    async def show(self, request: Request) -> Response:
        """503 while the database does not answer."""
        try:
            found: ServiceStatus | None = await asyncio.to_thread(self._status.wait, None)
        except Unavailable:
            found = None
        lang = Lang.EN if request.query_params.get("lang") == "en" else Lang.ZH
        reader = PlainReader(lang=lang, now=found.at if found else self._app.services.clock.now())
        facts = {"s": found, "alarm": lambda code: stored_word(AlarmCode, code, lang)}
        page = self._pages.render(reader, "status.html", facts)
        return HTMLResponse(page, status_code=200 if found else 503, headers=_HEADERS)

    def _read(self) -> ServiceStatus:
        services = self._app.services
        with services.store.begin() as tx:
            hold_snapshot(tx)
            return status(tx, now=services.clock.now(), drill=services.drill)


def for_monitors(
    app: Application, answer: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """The same for whoever asks from the networks of monitoring or shows its token; a 403 for anybody else."""
    rules, proxies = app.settings.monitoring, app.settings.web.proxies
    secret = "" if rules.token is None else f"Bearer {rules.token.get_secret_value()}"

    async def handle(request: Request) -> Response:
        given = request.headers.get("Authorization", "")
        has_token = bool(secret) and hmac.compare_digest(given.encode(), secret.encode())
        if not has_token and not is_from(request, rules.networks, proxies=proxies):
            return Response(
                "monitoring.networks and monitoring.token of the settings say who may read this\n", 403
            )
        return await answer(request)

    return handle


async def live(_request: Request) -> Response:
    """`/health/live`: the process answers."""
    return JSONResponse({"status": "live"})


def ready(app: Application) -> Callable[[Request], Awaitable[Response]]:
    """`/health/ready`: 200 when the database answers and its commits end, else 503 with the part that does not. A
    process older than its database stays ready, because it still takes webhooks, and says so.
    """
    built_for = app.services.schema

    def is_same_schema() -> bool:
        with app.services.store.begin() as tx:
            if longest_stuck_commit(tx) >= STUCK_COMMIT_SECONDS:
                raise Unavailable(
                    part="commits", problem=gettext_noop("the synchronous standby does not answer")
                )
            return schema_revision(tx) == built_for

    async def handle(_request: Request) -> Response:
        try:
            same = await asyncio.to_thread(is_same_schema)
        except Unavailable as fault:
            return JSONResponse({"status": "not ready", "part": fault.part}, status_code=503)
        return JSONResponse(
            {"status": "ready"} if same else {"status": "ready", "schema": "newer than this process"}
        )

    return handle


def engine(app: Application) -> Callable[[Request], Awaitable[Response]]:
    """`/health/engine`: 200 while whole cycles are completed and calls can be made; 503 with the late parts when the
    last cycle is older than `scheduler.late_seconds`, and with what stops all calls.
    """
    limit = app.settings.scheduler.late_seconds

    async def handle(_request: Request) -> Response:
        try:
            state = await asyncio.to_thread(check_system, app.services, late_seconds=limit)
        except Unavailable as fault:
            return JSONResponse({"status": "late", "late": [fault.part]}, status_code=503)
        return JSONResponse(
            _engine_json(state, limit), status_code=503 if state.late or state.stopped else 200
        )

    return handle


def _engine_json(state: SystemState, limit_seconds: float) -> dict[str, object]:
    def rounded(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds, 1)

    return {
        "status": "late" if state.late else "stopped" if state.stopped else "whole",
        "late": list(state.late),
        "stopped": list(state.stopped),
        "cycle_seconds_ago": rounded(state.cycle_seconds),
        "limit_seconds": limit_seconds,
        "parts_seconds_ago": {name: rounded(age) for name, age in state.parts_seconds.items()},
        "leader": state.leader,
        "leader_seconds_ago": rounded(state.leader_seconds),
    }


class _DatabaseGauges(Collector):
    """The figures of the database; while it does not answer, `dialer_database_up` alone, which is 0."""

    def __init__(self, app: Application) -> None:
        services, late = app.services, app.settings.scheduler.late_seconds
        self._figures = Cache[None, Gauges](
            lambda _: measure(services, late_seconds=late), seconds=_METRICS_FRESH_SECONDS
        )
        self._first = Cache[None, Mapping[Grade, FirstAttempts]](
            lambda _: measure_first_attempts(services), seconds=_HISTOGRAM_FRESH_SECONDS
        )

        self._trunks = Cache[None, TrunksNow | None](
            lambda _: _trunks_of(app), seconds=_METRICS_FRESH_SECONDS
        )

    def _of_trunks(self) -> Iterator[Metric]:
        found = self._trunks.wait(None)
        if found is None:
            return
        in_use = {trunk.name: float(trunk.in_use) for trunk in found.trunks}
        yield _gauge("dialer_trunk_channels_in_use", "Calls on a trunk", in_use, "trunk")
        channels = {trunk.name: float(trunk.channels) for trunk in found.trunks}
        yield _gauge("dialer_trunk_channels", "Channels as set", channels, "trunk")
        working = {trunk.name: float(trunk.problem is None) for trunk in found.trunks}
        yield _gauge("dialer_trunk_works", "Whether a trunk is used", working, "trunk")
        calls = GaugeMetricFamily(
            "dialer_trunk_calls", "Calls since the carrier's start", labels=("trunk", "way")
        )
        failures = GaugeMetricFamily(
            "dialer_trunk_failures", "Calls that were not answered, by SIP status", labels=("trunk", "cause")
        )
        for trunk in found.trunks:
            calls.add_metric((trunk.name, "out"), trunk.placed)
            calls.add_metric((trunk.name, "in"), trunk.received)
            for cause, count in trunk.ends.items():
                failures.add_metric((trunk.name, cause), count)
        yield calls
        yield failures
        yield _gauge(
            "dialer_trunk_strangers",
            "SIP messages from addresses that are no trunk's, dropped",
            found.strangers,
        )
        yield _gauge(
            "dialer_calls_in_refused",
            "Inbound calls that were refused because inbound calls already used half of the lines",
            found.calls_in_refused,
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
        yield from self._of_trunks()
        yield _histogram(first)
        yield from (_gauge(*gauge) for gauge in _gauges(figures))


def _trunks_of(app: Application) -> TrunksNow | None:
    """The trunks; None without trunks, and while the carrier does not answer."""
    if app.carrier is None or not has_trunks(app):
        return None
    try:
        return read_trunks(app.carrier)
    except Unavailable as fault:
        _log.warning("%s", fault)
        return None


def _gauge(
    name: str, text: str, value: float | Mapping[str, float | None], label: str = ""
) -> GaugeMetricFamily:
    """One value, or with a `label` a value for each key that has one."""
    if not isinstance(value, Mapping):
        return GaugeMetricFamily(name, text, value=value)
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, of_key in value.items():
        if of_key is not None:
            family.add_metric((key,), of_key)
    return family


def _histogram(first: Mapping[Grade, FirstAttempts]) -> Metric:
    family = HistogramMetricFamily(
        "dialer_time_to_first_attempt_seconds",
        "From the opening of a case to its first attempt, of cases opened within a day",
        labels=("grade",),
    )
    bounds = (*(str(float(bound)) for bound in FIRST_ATTEMPT_BOUNDS), "+Inf")
    for grade, found in first.items():
        together = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip(bounds, found.counts, strict=True):
            together += count
            buckets.append((bound, together))
        family.add_metric((grade.value,), buckets, sum_value=found.sum_seconds)
    return family


def _gauges(figures: Gauges) -> Iterator[tuple[Any, ...]]:
    """The arguments of `_gauge` for each gauge."""
    queue, lines, state = figures.queue, figures.lines, figures.state
    waiting = {"ready": queue.ready, "planned": queue.planned, "held": queue.held}
    leads = state.leader_seconds is not None and state.leader_seconds < _METRICS_FRESH_SECONDS * 2
    opened = {kind.value: work.open for kind, work in figures.work.items()}
    overdue = {kind.value: work.overdue for kind, work in figures.work.items()}
    ages = figures.queue_age_seconds
    yield "dialer_rings_waiting", "Attempts before their claim, by what they wait for", waiting, "state"
    yield "dialer_queue_age_seconds", "How long the attempt that waits longest has been due", ages, "grade"
    yield "dialer_unknown_attempts", "Attempts that may or may not have been placed", queue.unknown
    if lines is not None:
        yield "dialer_lines_in_use", "Calls that hold a line", lines.in_use
        yield "dialer_lines", "Lines as set", lines.lines
        yield "dialer_calls_per_second", "Pace as set", lines.calls_per_second
        yield "dialer_breaker_open", "Whether the breaker is open", lines.breaker.is_open
        yield "dialer_carrier_troubles", "Consecutive failures at the carrier", lines.breaker.troubles
        yield "dialer_pauses", "Standing pauses", figures.pauses
    yield "dialer_assignments_open", "Human calls and visits that are not reported", opened, "kind"
    yield "dialer_assignments_overdue", "Human calls and visits past their deadline", overdue, "kind"
    yield "dialer_alarms_unseen", "Unacknowledged alarms", figures.alarms, "code"
    found = "What the consistency checker's last round found"
    yield "dialer_consistency_findings", found, figures.findings, "finding"
    yield "dialer_resealed_share", "Share of values that use the current keys", figures.resealed
    aged = "Since the data of a kind were last looked through for what is past its period"
    yield "dialer_retention_age_seconds", aged, figures.retention_age_seconds, "kind"
    gone = "What the last round deleted or erased"
    yield "dialer_retention_deleted", gone, figures.retention_deleted, "kind"
    yield "dialer_processes", "Processes that are alive", figures.processes, "kind"
    yield "dialer_leader", "Whether a scheduler leads", leads
    yield "dialer_engine_late", "Whether the last whole cycle is too old", bool(state.late)
    if state.cycle_seconds is not None:
        yield "dialer_cycle_age_seconds", "Since the last whole cycle", state.cycle_seconds
    done = "Since a part of the cycle was last done to its end"
    yield "dialer_part_age_seconds", done, state.parts_seconds, "part"


def metrics(app: Application, own: ProcessMetrics) -> Callable[[Request], Awaitable[Response]]:
    """`/metrics` for Prometheus: figures of the database and counters of this process."""
    own.registry.register(_DatabaseGauges(app))

    async def handle(_request: Request) -> Response:
        page = await asyncio.to_thread(generate_latest, own.registry)
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    return handle


class WebhookCounts:
    """Counts the answers to webhooks: applied, refused, or put off because the event could not be stored."""

    def __init__(self, own: ProcessMetrics) -> None:
        self._webhooks = own.webhooks

    def count(self, hook: str, status: int) -> None:
        """Counts a webhook by its answer: below 400 applied, below 500 refused, else put off (the carrier will repeat
        it).
        """
        refused = "put_off" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"
        result = refused if status >= HTTPStatus.BAD_REQUEST else "applied"
        self._webhooks.labels(hook if hook in _HOOKS else "other", result).inc()
