"""The REST front: the Calls resource with basic authentication, filtered and paged lists, and injected faults."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import orjson
from aiohttp import web

from carrier.calls import (
    API_VERSION,
    Call,
    Form,
    RestProblem,
    Status,
    bad_parameter,
    check_twiml,
    checked_url,
    no_such,
    read_method,
    read_order,
    server_error,
    too_many,
    unauthorised,
    whole_number,
)
from carrier.exchange import Exchange
from carrier.faults import InjectedFault
from carrier.recordings import Recording

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1000
_DEFAULT_HANG_SECONDS = 30.0
_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
_FIELDS: Mapping[str, Callable[[Call], str | None]] = {
    "To": lambda call: call.to,
    "From": lambda call: call.from_,
    "Status": lambda call: call.status.value,
    "ParentCallSid": lambda call: call.parent_sid,
}
_TIMES = ("StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>")
_R = TypeVar("_R", bound="Resource")
_CREATED = ("DateCreated", "DateCreated<", "DateCreated>")
Keep = Callable[[Call], bool]


def _day(text: str, name: str) -> datetime:
    """The start of the UTC day of a date or moment: the filters compare days, not moments."""
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    raise bad_parameter(20001, f"{name} must be a date, YYYY-MM-DD")


def _time_filter(name: str, text: str) -> Keep:
    is_start = name.startswith("StartTime")
    return _moment_filter(name, text, lambda call: call.start if is_start else call.end)


def _moment_filter(name: str, text: str, moment_of: Callable[[_R], float | None]) -> Callable[[_R], bool]:
    day = _day(text, name.rstrip("<>"))
    begin = day.timestamp()
    end = begin + timedelta(days=1).total_seconds()

    def keep(resource: _R) -> bool:
        moment = moment_of(resource)
        if moment is None:
            return False
        if name.endswith("<"):
            return moment < begin
        if name.endswith(">"):
            return moment >= begin
        return begin <= moment < end

    return keep


def _field_filter(name: str, value: str) -> Keep:
    field = _FIELDS[name]
    return lambda call: field(call) == value


def read_filters(query: Mapping[str, str]) -> list[Keep]:
    """The conditions that a listed call must meet. Raises `RestProblem` for a filter that cannot be read."""
    fields = [_field_filter(name, query[name]) for name in _FIELDS if query.get(name)]
    return fields + [_time_filter(name, query[name]) for name in _TIMES if query.get(name)]


class Resource(Protocol):
    """A call, a message or a recording."""

    def as_json(self) -> dict[str, object]:
        """The resource as Twilio's API writes it."""


def page_of(
    name: str,
    chosen: Iterable[_R],
    query: Mapping[str, str],
    *,
    account_sid: str,
    filters: Iterable[str],
    token: str = "",
    token_after: Callable[[_R], str] = lambda _last: "",
) -> dict[str, object]:
    """One page of the resource `name` (Calls, Messages, a path to Participants) as Twilio gives it. With a
    `token`, the PageToken of the query, `chosen` begins at this page. The addresses repeat the filters; that of the
    next page has the token after its last resource.
    """
    wanted = whole_number(query.get("PageSize", ""), "PageSize", _DEFAULT_PAGE)
    size, page = max(1, min(wanted, _LARGEST_PAGE)), whole_number(query.get("Page", ""), "Page", 0)
    first = 0 if token else page * size
    found = list(islice(chosen, first, first + size + 1))
    more, found = len(found) > size, found[:size]
    values = {field: query[field] for field in filters if query.get(field)}

    def uri(number: int, page_token: str) -> str:
        tokens = {"PageToken": page_token} if page_token else {}
        parts = urlencode({**values, "PageSize": str(size), "Page": str(number), **tokens})
        return f"/{API_VERSION}/Accounts/{account_sid}/{name}.json?{parts}"

    return {
        "first_page_uri": uri(0, ""),
        "previous_page_uri": uri(page - 1, "") if page > 0 else None,
        "next_page_uri": uri(page + 1, token_after(found[-1])) if more else None,
        "uri": uri(page, token),
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(0, len(found) - 1),
        name.rpartition("/")[2].lower(): [resource.as_json() for resource in found],
    }


def _number_of(token: str) -> int:
    if not token.startswith("PA") or not token[2:]:
        raise bad_parameter(20001, "PageToken is not one of ours")
    return whole_number(token[2:], "PageToken", 0)


def page_of_calls(calls: Iterable[Call], query: Mapping[str, str], *, account_sid: str) -> dict[str, object]:
    """One page, newest call first. PageToken names the last call of the page before, so that calls created meanwhile
    neither repeat nor skip one.
    """
    token = query.get("PageToken", "")
    keeps = read_filters(query)
    if token:
        before = _number_of(token)
        keeps.append(lambda call: call.number < before)
    return page_of(
        "Calls",
        (call for call in calls if all(keep(call) for keep in keeps)),
        query,
        account_sid=account_sid,
        filters=(*_FIELDS, *_TIMES),
        token=token,
        token_after=lambda last: f"PA{last.number}",
    )


def page_of_recordings(
    recordings: Iterable[Recording], query: Mapping[str, str], *, account_sid: str
) -> dict[str, object]:
    """One page, newest first; as with calls, PageToken names the last of the page before."""
    token = query.get("PageToken", "")
    before = _number_of(token) if token else None
    moments: list[Callable[[Recording], bool]] = [
        _moment_filter(name, query[name], lambda recording: recording.created)
        for name in _CREATED
        if query.get(name)
    ]
    return page_of(
        "Recordings",
        (
            recording
            for recording in recordings
            if (before is None or recording.number < before) and all(keep(recording) for keep in moments)
        ),
        query,
        account_sid=account_sid,
        filters=("CallSid", *_CREATED),
        token=token,
        token_after=lambda last: f"PA{last.number}",
    )


Handler = Callable[[web.Request], Awaitable[object]]
"""Returns the answer, or the object to answer as JSON. Raises `RestProblem`."""


class RestFront:
    """Handlers of the Calls and Recordings resources of one account."""

    def __init__(self, exchange: Exchange, *, account_sid: str, auth_token: str) -> None:
        self._exchange = exchange
        self._account = account_sid
        pair = f"{account_sid}:{auth_token}".encode()
        self._authorization = b"Basic " + base64.b64encode(pair)

    def add_routes(self, app: web.Application) -> None:
        """Adds Twilio's routes for an account, its calls and their recordings."""
        self.add_route(app, "POST", "/Calls.json", self.create, has_own_faults=True)
        self.add_route(app, "GET", "/Calls.json", self.listing)
        self.add_route(app, "GET", "/Calls/{sid}.json", self.fetch)
        self.add_route(app, "POST", "/Calls/{sid}.json", self.update)
        self.add_route(app, "DELETE", "/Calls/{sid}.json", self.delete)
        self.add_route(app, "GET", ".json", self.account)
        self.add_route(app, "GET", "/Recordings.json", self.recordings)
        self.add_route(app, "GET", "/Calls/{sid}/Recordings.json", self.recordings)
        self.add_route(app, "GET", "/Recordings/{sid}.json", self.recording)
        self.add_route(app, "GET", "/Recordings/{sid}.wav", self.recording_sound)
        self.add_route(app, "DELETE", "/Recordings/{sid}.json", self.delete_recording)

    def add_route(
        self, app: web.Application, method: str, path: str, handler: Handler, *, has_own_faults: bool = False
    ) -> None:
        """Adds a handler below the account's address, behind its credentials. Without faults of its own, those of any
        request strike.
        """

        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                self._check(request)
                faults = self._exchange.faults
                if not has_own_faults and faults.strikes(InjectedFault.REST_REFUSE):
                    return cut_connection(request)
                if not has_own_faults and faults.strikes(InjectedFault.REST_ERROR):
                    raise server_error()
                answer = await handler(request)
            except RestProblem as problem:
                return problem_answer(problem)
            return answer if isinstance(answer, web.StreamResponse) else json_answer(answer, 200)

        app.router.add_route(method, f"/{API_VERSION}/Accounts/{{account}}{path}", answered)

    def _check(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._authorization):
            raise unauthorised()
        if request.match_info["account"] != self._account:
            raise no_such(f"resource /Accounts/{request.match_info['account']}")

    async def create(self, request: web.Request) -> object:
        """Accepts a call from Twilio's form: 201, or Twilio's error. Injected faults strike before and after."""
        order = read_order(Form(await request.read()))
        faults = self._exchange.faults
        if faults.strikes(InjectedFault.REFUSE_CONNECTION, order.to):
            return cut_connection(request)
        if busy := faults.strikes(InjectedFault.TOO_MANY, order.to):
            raise too_many(busy.seconds)
        if rejected := faults.strikes(InjectedFault.REJECT_NUMBER, order.to):
            self._exchange.refuse(order.to, rejected.code)
        if faults.strikes(InjectedFault.ERROR_BEFORE, order.to):
            raise server_error()
        call = self._exchange.create(order)
        if hang := faults.strikes(InjectedFault.ACCEPT_THEN_TIMEOUT, order.to):
            await asyncio.sleep(_DEFAULT_HANG_SECONDS if hang.seconds is None else hang.seconds)
            return cut_connection(request)
        if faults.strikes(InjectedFault.ACCEPT_THEN_ERROR, order.to):
            raise server_error()
        return json_answer(call.as_json(), 201)

    async def listing(self, request: web.Request) -> object:
        """Calls, newest first, in pages, by the filters that `read_filters` reads."""
        query = dict(request.query)
        calls = self._exchange.newest_first(to=query.get("To", ""))
        return page_of_calls(calls, query, account_sid=self._account)

    async def fetch(self, request: web.Request) -> object:
        """One call in its present state. 404 if it is not known."""
        return self._exchange.find(request.match_info["sid"]).as_json()

    async def update(self, request: web.Request) -> object:
        """Ends a call (`completed`, `canceled`) or gives it other TwiML, and where to report its end."""
        return self._updated(request.match_info["sid"], Form(await request.read())).as_json()

    async def delete(self, request: web.Request) -> object:
        """Deletes the record of a call that is over."""
        self._exchange.delete(request.match_info["sid"])
        return web.Response(status=204)

    async def account(self, _request: web.Request) -> object:
        """The account resource, for a client that checks its credentials."""
        return {
            "sid": self._account,
            "friendly_name": "carrier",
            "status": "active",
            "type": "Full",
            "owner_account_sid": self._account,
            "uri": f"/{API_VERSION}/Accounts/{self._account}.json",
        }

    async def recordings(self, request: web.Request) -> object:
        """Recordings, newest first, in pages: all, those of a call, or of a day of creation."""
        query = dict(request.query)
        call_sid = request.match_info.get("sid") or query.get("CallSid", "")
        found = self._exchange.recordings.newest_first(call_sid=call_sid)
        return page_of_recordings(found, query, account_sid=self._account)

    async def recording(self, request: web.Request) -> object:
        """One recording in its present state. 404 if it is not known."""
        return self._exchange.recordings.find(request.match_info["sid"]).as_json()

    async def recording_sound(self, request: web.Request) -> object:
        """The sound of a recording, as a WAV file of one or two channels. 404 until it is complete."""
        channels = request.query.get("RequestedChannels", "")
        if channels not in {"", "1", "2"}:
            raise bad_parameter(20001, "RequestedChannels must be 1 or 2")
        sid, wanted = request.match_info["sid"], int(channels) if channels else None
        sound = await asyncio.to_thread(self._exchange.recordings.wav, sid, channels=wanted)
        return web.Response(body=sound, content_type="audio/x-wav")

    async def delete_recording(self, request: web.Request) -> object:
        """Deletes a recording and its sound."""
        self._exchange.recordings.delete(request.match_info["sid"])
        return web.Response(status=204)

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
        callback = checked_url(form.get("StatusCallback"), 21205, "StatusCallback is not a valid URL")
        method = read_method(form, "StatusCallbackMethod")
        call = self._exchange.redirect(sid, url=url, method=read_method(form, "Method"), twiml=twiml)
        if callback and call.order is not None:
            call.order = replace(
                call.order, status_callback=callback, status_method=method, events=frozenset({"completed"})
            )
        return call


def json_answer(data: object, status: int) -> web.Response:
    """An answer with the headers that Twilio sends."""
    return web.Response(
        body=orjson.dumps(data),
        status=status,
        content_type="application/json",
        headers={"X-Twilio-Concurrent-Requests": "1"},
    )


def problem_answer(problem: RestProblem) -> web.Response:
    """Twilio's error as an answer, with `Retry-After` where the problem has it."""
    response = json_answer(problem.body(), problem.status)
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(round(problem.retry_after_seconds))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def cut_connection(request: web.Request) -> web.Response:
    """Closes the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
