"""The whole application with a bank, a carrier and their outlets."""

from __future__ import annotations

import pytest

from dialer.runtime.services import Application, Services
from tests.cards.street import Street
from tests.console.conftest import console, console_app

__all__ = ["console", "console_app"]


@pytest.fixture
def services(console_app: Application) -> Services:
    return console_app.services


@pytest.fixture
def street(services: Services) -> Street:
    return Street(services)
