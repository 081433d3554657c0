"""The REST front's Messages resource: create, fetch and list, with the faults that strike it."""

from __future__ import annotations

from itertools import islice
from urllib.parse import urlencode

from aiohttp import web

from dialer.carrier.call import API_VERSION
from dialer.carrier.exchange import Exchange
from dialer.carrier.faults import Fault
from dialer.carrier.order import Form
from dialer.carrier.problems import RestProblem, bad_parameter, no_such, server_error, too_many
from dialer.carrier.rest import RestFront, cut, json_answer, problem_answer
from dialer.carrier.texts import TextBoard, read_text_order

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1000


class TextFront(RestFront):
    """Handlers for one account, behind the same credentials as calls."""

    def __init__(self, exchange: Exchange, board: TextBoard, *, account_sid: str, auth_token: str) -> None:
        super().__init__(exchange, account_sid=account_sid, auth_token=auth_token)
        self._board = board

    def add_routes(self, app: web.Application) -> None:
        base = f"/{API_VERSION}/Accounts/{{account}}"
        app.router.add_post(f"{base}/Messages.json", self.create_text)
        app.router.add_get(f"{base}/Messages.json", self.list_texts)
        app.router.add_get(f"{base}/Messages/{{sid}}.json", self.fetch_text)

    async def create_text(self, request: web.Request) -> web.StreamResponse:
        faults = self._exchange.faults
        try:
            self._check(request)
            order = read_text_order(Form(await request.read()))
            busy = faults.strikes(Fault.MESSAGE_TOO_MANY, order.to)
            if busy is not None:
                raise too_many(busy.seconds)
            if faults.strikes(Fault.MESSAGE_ERROR_BEFORE, order.to):
                raise server_error()
            text = self._board.create(order)
            if faults.strikes(Fault.MESSAGE_ACCEPT_THEN_CUT, order.to):
                return cut(request)
            return json_answer(text.as_json(), 201)
        except RestProblem as problem:
            return problem_answer(problem)

    async def fetch_text(self, request: web.Request) -> web.StreamResponse:
        return self._answered(request, lambda: self._found(request.match_info["sid"]))

    async def list_texts(self, request: web.Request) -> web.StreamResponse:
        return self._answered(request, lambda: self._page(request))

    def _found(self, sid: str) -> dict[str, object]:
        text = self._board.find(sid)
        if text is None:
            raise no_such(f"resource /Messages/{sid}.json")
        return text.as_json()

    def _page(self, request: web.Request) -> dict[str, object]:
        query = request.query
        if any(name.startswith("DateSent") for name in query):
            raise bad_parameter(20001, "DateSent is not supported: compare date_created")
        size = max(1, min(_whole(query.get("PageSize", ""), _DEFAULT_PAGE), _LARGEST_PAGE))
        page = _whole(query.get("Page", ""), 0)
        chosen = self._board.newest_first(to=query.get("To", ""), from_=query.get("From", ""))
        texts = list(islice(chosen, page * size, (page + 1) * size + 1))
        more, texts = len(texts) > size, texts[:size]
        kept = {name: query[name] for name in ("To", "From") if query.get(name)}
        values = urlencode({**kept, "PageSize": str(size)})
        path = f"/{API_VERSION}/Accounts/{self._account}/Messages.json?{values}"
        return {
            "first_page_uri": f"{path}&Page=0",
            "previous_page_uri": f"{path}&Page={page - 1}" if page else None,
            "next_page_uri": f"{path}&Page={page + 1}" if more else None,
            "uri": f"{path}&Page={page}",
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(0, len(texts) - 1),
            "messages": [text.as_json() for text in texts],
        }


def _whole(text: str, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal():
        raise bad_parameter(20001, "a page is a whole number")
    return int(text)
