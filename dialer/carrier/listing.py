"""The list of calls: Twilio's filters, and pages that a client walks by `next_page_uri`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from dialer.carrier.call import API_VERSION, Call
from dialer.carrier.problems import bad_parameter

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1000
_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
_FILTERS = (
    "To",
    "From",
    "Status",
    "ParentCallSid",
    "StartTime",
    "StartTime<",
    "StartTime>",
    "EndTime",
    "EndTime<",
    "EndTime>",
)
Keep = Callable[[Call], bool]


def _day(text: str, name: str) -> datetime:
    """The start of the UTC day that a date or moment lies in: the filters compare days, not moments."""
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    raise bad_parameter(20001, f"{name} must be a date, YYYY-MM-DD")


def _time_filter(name: str, text: str) -> Keep:
    field = name.rstrip("<>")
    day = _day(text, field)
    begin, end = day.timestamp(), (day + timedelta(days=1)).timestamp()

    def keep(call: Call) -> bool:
        moment = call.start if field == "StartTime" else call.end
        if moment is None:
            return False
        if name.endswith("<"):
            return moment < begin
        if name.endswith(">"):
            return moment >= begin
        return begin <= moment < end

    return keep


def _field_filter(name: str, value: str) -> Keep:
    if name == "To":
        return lambda call: call.to == value
    if name == "From":
        return lambda call: call.from_ == value
    if name == "Status":
        return lambda call: call.status.value == value
    return lambda call: call.parent_sid == value


def read_filters(query: Mapping[str, str]) -> list[Keep]:
    """The tests a call must pass; an unreadable one is refused, never ignored."""
    return [
        _time_filter(name, query[name]) if "Time" in name else _field_filter(name, query[name])
        for name in _FILTERS
        if query.get(name)
    ]


def page_of_calls(calls: Iterable[Call], query: Mapping[str, str], *, account_sid: str) -> dict[str, object]:
    """One page, newest call first. PageToken names the last call of the page before, so that calls made
    meanwhile neither repeat nor skip one.
    """
    size = _number(query, "PageSize", _DEFAULT_PAGE)
    size = max(1, min(size, _LARGEST_PAGE))
    page = _number(query, "Page", 0)
    token = query.get("PageToken", "")
    before: int | None = None
    if token:
        if not token.startswith("PA") or not token[2:].isdecimal():
            raise bad_parameter(20001, "PageToken is not one of ours")
        before = int(token[2:])
    keeps = read_filters(query)
    skip = 0 if before is not None else page * size
    found: list[Call] = []
    more = False
    for call in calls:
        if before is not None and call.number >= before:
            continue
        if not all(keep(call) for keep in keeps):
            continue
        if skip:
            skip -= 1
        elif len(found) < size:
            found.append(call)
        else:
            more = True
            break
    kept = {name: query[name] for name in _FILTERS if query.get(name)}
    path = f"/{API_VERSION}/Accounts/{account_sid}/Calls.json"

    def uri(number: int, page_token: str) -> str:
        values = {**kept, "PageSize": str(size), "Page": str(number)}
        if page_token:
            values["PageToken"] = page_token
        return f"{path}?{urlencode(values)}"

    return {
        "first_page_uri": uri(0, ""),
        "previous_page_uri": uri(page - 1, "") if page > 0 else None,
        "next_page_uri": uri(page + 1, f"PA{found[-1].number}") if more else None,
        "uri": uri(page, token),
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(0, len(found) - 1),
        "calls": [call.as_json() for call in found],
    }


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise bad_parameter(20001, f"{name} must be a whole number")
    return int(text)
