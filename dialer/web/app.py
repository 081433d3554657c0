"""The web application, put together."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Route

from dialer import __version__
from dialer.bootstrap import Application
from dialer.runtime.metrics import ProcessMetrics
from dialer.web.api.app import PREFIX, create_api
from dialer.web.closing import Closing
from dialer.web.console.app import create_console
from dialer.web.health import engine, live, ready
from dialer.web.hooks import hooks
from dialer.web.metrics import WebhookCounts, metrics
from dialer.web.phone.pages import phone_routes
from dialer.web.sound import sound
from dialer.web.status import status_routes


def create_app(app: Application, closing: Closing | None = None) -> FastAPI:
    """All routes on this application; `closing` is told when the process begins to stop. Interactive API pages are left
    out: they would load from elsewhere.
    """
    web = FastAPI(title="dialer", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    own = ProcessMetrics()
    # First: they are most of what a web process answers.
    web.router.routes.append(hooks(app.engine, app.telephony, count=WebhookCounts(own).count))
    web.router.routes.extend(status_routes(app))
    web.router.routes.extend(phone_routes(app))
    web.router.routes.append(Route("/audio/{file}", sound(app.engine), methods=["GET"]))
    # Browsers ask for it unasked; nothing is missing.
    web.router.routes.append(
        Route("/favicon.ico", lambda _request: Response(status_code=204), methods=["GET"])
    )
    web.router.routes.append(Route("/health/live", live, methods=["GET"]))
    web.router.routes.append(Route("/health/ready", ready(app), methods=["GET"]))
    web.router.routes.append(Route("/metrics", metrics(app, own), methods=["GET"]))
    web.mount(PREFIX, create_api(app))
    web.router.routes.append(Route("/health/engine", engine(app), methods=["GET"]))
    # Last: whatever is nobody else's is a page, if only one that says that there is nothing.
    web.mount("", create_console(app, closing or Closing()))
    return web
