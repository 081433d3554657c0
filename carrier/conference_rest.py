"""The REST front of conferences: Twilio's Conferences and Participants resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from carrier.calls import Form, bad_parameter, checked_url, no_such, read_method, read_order, whole_number
from carrier.conferences import BY_API, COMPLETED, ConferenceRecord, Conferences, ParticipantChange
from carrier.exchange import Exchange
from carrier.rest import RestFront, json_answer, page_of

_BEEPS = frozenset({"", "true", "false", "onEnter", "onExit"})


class ConferenceFront:
    """Handlers of the conferences of one account."""

    def __init__(self, exchange: Exchange, *, account_sid: str) -> None:
        self._exchange = exchange
        self._account = account_sid

    def add_routes(self, app: web.Application, front: RestFront) -> None:
        """Adds Twilio's routes for conferences and their participants."""
        one = "/Conferences/{sid}"
        front.add_route(app, "GET", "/Conferences.json", self.listing)
        front.add_route(app, "GET", f"{one}.json", self.fetch)
        front.add_route(app, "POST", f"{one}.json", self.update)
        front.add_route(app, "GET", f"{one}/Participants.json", self.participants)
        front.add_route(app, "POST", f"{one}/Participants.json", self.add)
        front.add_route(app, "GET", f"{one}/Participants/{{who}}.json", self.participant)
        front.add_route(app, "POST", f"{one}/Participants/{{who}}.json", self.change)
        front.add_route(app, "DELETE", f"{one}/Participants/{{who}}.json", self.remove)

    @property
    def _all(self) -> Conferences:
        return self._exchange.conferences

    def _conference(self, request: web.Request) -> ConferenceRecord:
        """By its sid, or by its name while it is live. Raises `RestProblem` (404)."""
        wanted = request.match_info["sid"]
        return self._all.live(wanted) or self._all.find(wanted)

    async def listing(self, request: web.Request) -> object:
        """Conferences, newest first, of a name or a status."""
        query = dict(request.query)
        name, status = query.get("FriendlyName", ""), query.get("Status", "")
        chosen = [
            one for one in self._all.newest_first() if name in {"", one.name} and status in {"", one.status}
        ]
        return page_of(
            "Conferences", chosen, query, account_sid=self._account, filters=("FriendlyName", "Status")
        )

    async def fetch(self, request: web.Request) -> object:
        """One conference. 404 if it is not known."""
        return self._conference(request).as_json()

    async def update(self, request: web.Request) -> object:
        """Ends a conference, or announces something to all who are in it."""
        form, conference = Form(await request.read()), self._conference(request)
        address = checked_url(form.get("AnnounceUrl"), 21220, "AnnounceUrl is not a valid URL")
        method = read_method(form, "AnnounceMethod")
        status = form.get("Status")
        if status not in {"", COMPLETED}:
            raise bad_parameter(20001, "Status must be completed")
        if address:
            self._all.announce(conference, address, method)
        if status:
            self._all.end(conference, BY_API)
        return conference.as_json()

    async def participants(self, request: web.Request) -> object:
        """Who is in the conference."""
        query, conference = dict(request.query), self._conference(request)
        chosen = [
            _Listed(one.as_json(conference.sid))
            for one in conference.participants.values()
            if _is(query, "Muted", value=one.muted)
            and _is(query, "Hold", value=one.hold)
            and _is(query, "Coaching", value=bool(one.coached))
        ]
        return page_of(
            f"Conferences/{conference.sid}/Participants",
            chosen,
            query,
            account_sid=self._account,
            filters=("Muted", "Hold", "Coaching"),
        )

    async def participant(self, request: web.Request) -> object:
        """One participant. 404 for somebody who is not in the conference, or is still being called."""
        conference = self._conference(request)
        return self._all.participant(conference, request.match_info["who"]).as_json(conference.sid)

    async def change(self, request: web.Request) -> object:
        """Mutes, holds or coaches."""
        form, conference = Form(await request.read()), self._conference(request)
        one = self._all.participant(conference, request.match_info["who"])
        for name in ("AnnounceUrl", "WaitUrl"):
            if form.get(name):
                raise bad_parameter(20001, f"{name} is not supported here")
        coached: str | None = form.get("CallSidToCoach") or None
        coaching = _flag(form, "Coaching")
        if coaching is False:
            coached = ""
        elif coaching and not (coached or one.coached):
            raise bad_parameter(21240, "CallSidToCoach is missing")
        change = ParticipantChange(
            muted=_flag(form, "Muted"),
            hold=_flag(form, "Hold"),
            hold_url=checked_url(form.get("HoldUrl"), 21220, "HoldUrl is not a valid URL") or None,
            hold_method=read_method(form, "HoldMethod") if form.get("HoldMethod") else "GET",
            coached=coached,
            ends=_flag(form, "EndConferenceOnExit"),
            beeps_on_exit=_flag(form, "BeepOnExit"),
        )
        self._all.change(conference, one, change)
        return one.as_json(conference.sid)

    async def remove(self, request: web.Request) -> object:
        """Puts a participant out; the call goes on after its Dial."""
        conference = self._conference(request)
        self._all.put_out(self._all.participant(conference, request.match_info["who"]).sid)
        return web.Response(status=204)

    async def add(self, request: web.Request) -> object:
        """Calls somebody who enters the conference when they answer: 201. The conference is named by its sid, or by its
        name, and need not exist yet.
        """
        form, wanted = Form(await request.read()), request.match_info["sid"]
        live = self._all.live(wanted)
        if live is None and wanted.startswith("CF"):
            live = self._all.find(wanted)
            if live.status == COMPLETED:
                raise no_such(f"resource /Conferences/{wanted}.json")
        name = live.name if live is not None else wanted
        order = replace(
            read_order(form, default_twiml="<Response/>"),
            url="",
            twiml=f"<Response><Dial><Conference{_attributes(form)}>{escape(name)}</Conference></Dial></Response>",
        )
        call = self._exchange.create(order)
        sid = live.sid if live is not None else None
        path = f"/2010-04-01/Accounts/{self._account}/Conferences/{sid or name}"
        return json_answer(
            {
                "account_sid": self._account,
                "call_sid": call.sid,
                "label": form.get("Label") or None,
                "call_sid_to_coach": form.get("CallSidToCoach") or None,
                "coaching": bool(form.get("CallSidToCoach")),
                "conference_sid": sid,
                "date_created": None,
                "date_updated": None,
                "end_conference_on_exit": bool(_flag(form, "EndConferenceOnExit")),
                "muted": bool(_flag(form, "Muted")),
                "hold": False,
                "start_conference_on_enter": _flag(form, "StartConferenceOnEnter") is not False,
                "status": "queued",
                "queue_time": "0",
                "uri": f"{path}/Participants/{call.sid}.json",
            },
            201,
        )


class _Listed:
    """A participant in a list."""

    def __init__(self, data: dict[str, object]) -> None:
        self._data = data

    def as_json(self) -> dict[str, object]:
        return self._data


def _is(query: Mapping[str, str], name: str, *, value: bool) -> bool:
    wanted = query.get(name, "").lower()
    return not wanted or (wanted == "true") == value


def _flag(form: Form, name: str) -> bool | None:
    text = form.get(name).lower()
    return None if not text else text == "true"


def _attributes(form: Form) -> str:
    """The attributes of the Conference that the call will enter. Raises `RestProblem`."""
    beep = form.get("Beep")
    if beep not in _BEEPS:
        raise bad_parameter(20001, "Beep must be true, false, onEnter or onExit")
    if form.get("ConferenceRecord").lower() not in {"", "false", "do-not-record"}:
        raise bad_parameter(20001, "ConferenceRecord is not supported here")
    callback = checked_url(form.get("ConferenceStatusCallback"), 21609, "Invalid 'ConferenceStatusCallback'")
    values = {
        "participantLabel": form.get("Label"),
        "muted": form.get("Muted").lower(),
        "beep": beep,
        "startConferenceOnEnter": form.get("StartConferenceOnEnter").lower(),
        "endConferenceOnExit": form.get("EndConferenceOnExit").lower(),
        "coach": form.get("CallSidToCoach"),
        "waitUrl": checked_url(form.get("WaitUrl"), 21205, "WaitUrl is not a valid URL"),
        "waitMethod": form.get("WaitMethod"),
        "maxParticipants": form.get("MaxParticipants"),
        "statusCallback": callback,
        "statusCallbackMethod": form.get("ConferenceStatusCallbackMethod"),
        "statusCallbackEvent": " ".join(form.all("ConferenceStatusCallbackEvent")),
    }
    whole_number(values["maxParticipants"], "MaxParticipants", 2)
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value)
