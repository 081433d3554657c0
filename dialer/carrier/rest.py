"""The REST front: Twilio's Calls resource with basic auth, and the faults that strike it."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Callable

import orjson
from aiohttp import web

from dialer.carrier.call import API_VERSION, Call, Status
from dialer.carrier.exchange import Exchange
from dialer.carrier.faults import Fault
from dialer.carrier.listing import page_of_calls
from dialer.carrier.order import Form, check_twiml, checked_url, read_method, read_order
from dialer.carrier.problems import RestProblem, bad_parameter, no_such, server_error, too_many, unauthorised

_DEFAULT_HANG_SECONDS = 30.0
_Answer = Callable[[], object]


class RestFront:
    """Handlers for one account."""

    def __init__(self, exchange: Exchange, *, account_sid: str, auth_token: str) -> None:
        self._exchange = exchange
        self._account = account_sid
        pair = f"{account_sid}:{auth_token}".encode()
        self._authorization = b"Basic " + base64.b64encode(pair)

    def add_routes(self, app: web.Application) -> None:
        base = f"/{API_VERSION}/Accounts/{{account}}"
        app.router.add_post(f"{base}/Calls.json", self.create)
        app.router.add_get(f"{base}/Calls.json", self.listing)
        app.router.add_get(f"{base}/Calls/{{sid}}.json", self.fetch)
        app.router.add_post(f"{base}/Calls/{{sid}}.json", self.update)
        app.router.add_delete(f"{base}/Calls/{{sid}}.json", self.delete)
        app.router.add_get(f"{base}.json", self.account)

    def _check(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._authorization):
            raise unauthorised()
        if request.match_info["account"] != self._account:
            raise no_such(f"resource /Accounts/{request.match_info['account']}")

    async def create(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check(request)
            order = read_order(Form(await request.read()))
            if self._exchange.faults.strikes(Fault.REFUSE_CONNECTION, order.to):
                return cut(request)
            self._strike_before(order.to)
            call = self._exchange.create(order)
            hang = self._exchange.faults.strikes(Fault.ACCEPT_THEN_TIMEOUT, order.to)
            if hang is not None:
                await asyncio.sleep(_DEFAULT_HANG_SECONDS if hang.seconds is None else hang.seconds)
                return cut(request)
            if self._exchange.faults.strikes(Fault.ACCEPT_THEN_ERROR, order.to):
                raise server_error()
            return json_answer(call.as_json(), 201)
        except RestProblem as problem:
            return problem_answer(problem)

    def _strike_before(self, number: str) -> None:
        """Faults that refuse a creation before anything was accepted."""
        faults = self._exchange.faults
        busy = faults.strikes(Fault.TOO_MANY, number)
        if busy is not None:
            raise too_many(busy.seconds)
        rejected = faults.strikes(Fault.REJECT_NUMBER, number)
        if rejected is not None:
            self._exchange.refuse(number, rejected.code)
        if faults.strikes(Fault.ERROR_BEFORE, number):
            raise server_error()

    async def listing(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        return self._answered(
            request,
            lambda: page_of_calls(
                self._exchange.newest_first(to=query.get("To", "")), query, account_sid=self._account
            ),
        )

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        return self._answered(request, lambda: self._exchange.find(request.match_info["sid"]).as_json())

    async def update(self, request: web.Request) -> web.StreamResponse:
        form = Form(await request.read())
        return self._answered(request, lambda: self._updated(request.match_info["sid"], form).as_json())

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Deletes the record of a call that is over."""
        answer = self._answered(request, lambda: self._exchange.delete(request.match_info["sid"]))
        return web.Response(status=204) if answer.status == 200 else answer  # noqa: PLR2004 - HTTP's own

    async def account(self, request: web.Request) -> web.StreamResponse:
        """Enough of the account resource for a client that asks whether its credentials work."""
        return self._answered(
            request,
            lambda: {
                "sid": self._account,
                "friendly_name": "carrier",
                "status": "active",
                "type": "Full",
                "owner_account_sid": self._account,
                "uri": f"/{API_VERSION}/Accounts/{self._account}.json",
            },
        )

    def _updated(self, sid: str, form: Form) -> Call:
        status, url, twiml = form.get("Status"), form.get("Url"), form.get("Twiml")
        if status:
            if status not in {"canceled", "completed"}:
                raise bad_parameter(20001, "Status must be canceled or completed")
            return self._exchange.stop(sid, Status(status))
        if twiml:
            check_twiml(twiml)
        elif url:
            checked_url(url, 21205, "Url is not a valid URL")
        else:
            return self._exchange.find(sid)
        return self._exchange.redirect(sid, url=url, method=read_method(form, "Method"), twiml=twiml)

    def _answered(self, request: web.Request, answer: _Answer) -> web.Response:
        try:
            self._check(request)
            faults = self._exchange.faults
            if faults.strikes(Fault.REST_REFUSE):
                return cut(request)
            if faults.strikes(Fault.REST_ERROR):
                return problem_answer(server_error())
            return json_answer(answer(), 200)
        except RestProblem as problem:
            return problem_answer(problem)


def json_answer(data: object, status: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(data),
        status=status,
        content_type="application/json",
        headers={"X-Twilio-Concurrent-Requests": "1"},
    )


def problem_answer(problem: RestProblem) -> web.Response:
    response = json_answer(problem.body(), problem.status)
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(round(problem.retry_after_seconds))
    if problem.status == 401:  # noqa: PLR2004 - HTTP's own
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def cut(request: web.Request) -> web.Response:
    """The connection is gone without an answer."""
    transport = request.transport
    if transport is not None:
        transport.abort()
    return web.Response(status=500)
