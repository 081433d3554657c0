"""Counters of one process, in a registry of its own: what the database does not know, such as refused webhooks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector


class ProcessMetrics:
    """`registry` is what this process exposes; more may be registered in it."""

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
