"""Addresses of webhooks: they name attempt and step, fit a URL as they are, and match the routes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from dialer.telephony.config import AMD_ROUTE, CALL_ROUTE, DIAL_ROUTE, FALLBACK_ROUTE, STATUS_ROUTE, HookUrls

ATTEMPT = UUID("0197c1a2-3b4c-7d5e-8f90-a1b2c3d4e5f6")
POSITION = "scene_question.1.verified.none"


def every(made: HookUrls) -> dict[str, str]:
    return {
        CALL_ROUTE: made.call(ATTEMPT, step=3, position=POSITION),
        STATUS_ROUTE: made.status(ATTEMPT),
        AMD_ROUTE: made.amd(ATTEMPT),
        FALLBACK_ROUTE: made.fallback(ATTEMPT),
        DIAL_ROUTE: made.dial(ATTEMPT, step=3, position=POSITION),
    }


@pytest.mark.parametrize("public_url", ["https://a.cn", "https://a.cn/", "http://a.cn:8080/under/path/"])
def test_every_address_lies_below_the_public_url_and_fits_its_route(public_url: str):
    for route, url in every(HookUrls(public_url)).items():
        base = public_url.rstrip("/")
        assert url.startswith(base + "/hooks/")
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route))
        found = re.fullmatch(pattern, urlsplit(url).path.removeprefix(urlsplit(base).path))
        assert found is not None
        assert found["attempt_id"] == str(ATTEMPT)
        if "step" in found.groupdict():
            assert (found["step"], found["position"]) == ("3", POSITION)


def test_every_address_asks_for_retries_outside_of_what_is_signed():
    for url in every(HookUrls("https://a.cn")).values():
        parts = urlsplit(url)
        assert parts.fragment == "rc=3&rp=ct,rt,5xx"
        assert parts.query == ""


def test_a_call_begins_at_the_start():
    assert urlsplit(HookUrls("https://a.cn").call(ATTEMPT, step=0)).path.endswith("/0/start")


def test_no_two_addresses_are_the_same():
    made = HookUrls("https://a.cn")
    steps = [made.call(ATTEMPT, step=step, position=POSITION) for step in range(3)]
    assert len({*every(made).values(), *steps}) == 8
