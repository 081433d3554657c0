"""The description is true: requests made from it, right and wrong, get only answers that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from dialer.bootstrap import assemble
from dialer.core.access import unrestricted
from dialer.db.keys import create
from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.server.application import create_app
from dialer.staff.sign_in import add_token
from tests.api.office import EVERYTHING, ROOT
from tests.clock import FrozenClock
from tests.outcomes.town import MORNING

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    allow_header_conformance,
    ignored_auth,
]
"""Left out: whether wrong data is refused and right data taken. One bad warning among others is answered 200, and a
text may be of the right type and still be no telephone number.
"""


@pytest.fixture(scope="module")
def application(
    module_database: str, embedded_servers: EmbeddedServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("api")
    create(folder / "keys.json")
    environment = {
        "DIALER_DATA_DIR": str(folder / "var"),
        "DIALER_DATABASE__URL": module_database,
        "DIALER_BROKER__URL": embedded_servers.broker_url,
        "DIALER_KEYS__FILE": str(folder / "keys.json"),
        "DIALER_API__REQUESTS_PER_SECOND": "10000",
        "DIALER_API__BURST": "100000",
    }
    app = assemble(load_settings(environment, ROOT / "settings.toml"))
    clock = FrozenClock(MORNING)
    yield replace(app, services=replace(app.services, clock=clock, real=clock, enqueue=lambda *_: None))
    app.close()


@pytest.fixture(scope="module")
def secret(application: Application) -> str:
    return add_token(
        application.services, unrestricted("test"), name="fuzz", scopes=EVERYTHING, days=30, unit=""
    ).secret


@pytest.fixture(scope="module")
def described(application: Application) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(application))


OPERATIONS = [
    ("/warnings", "POST"),
    ("/signals", "POST"),
    ("/openings/check", "POST"),
    ("/openings", "POST"),
    ("/cases/{case_id}", "GET"),
    ("/on-duty", "GET"),
    ("/report", "GET"),
    ("/report/cut", "GET"),
    ("/report/units", "GET"),
]


def test_every_operation_is_asked(described: schemathesis.schemas.BaseSchema):
    found = {(result.ok().path, result.ok().method.upper()) for result in described.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.hypothesis
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_description_names(
    described: schemathesis.schemas.BaseSchema, secret: str, path: str, method: str, mode: GenerationMode
):
    @settings(
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    ask()
