"""Webhooks are verified or refused, never waved through. Twilio's own validator is the judge."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from dialer.telephony.webhooks import SETTINGS, SIGNATURE, BadSignature, verify_signature

TOKEN = "12345"
URL = "https://calls.example.cn/hooks/status/0197c1a2"
PARAMS = [("CallSid", "CA1"), ("CallStatus", "completed"), ("To", "+8613800138000"), ("Digits", "")]
SHA256 = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


class Fields(dict[str, list[str]]):
    """Repeated fields in the shape that the official validator reads."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def fields(params: Sequence[tuple[str, str]]) -> Fields:
    made = Fields()
    for name, value in params:
        made.setdefault(name, []).append(value)
    return made


def signed(
    url: str = URL,
    params: Sequence[tuple[str, str]] = PARAMS,
    token: str = TOKEN,
    algorithm: str = "HMAC_SHA1",
) -> str:
    return str(RequestValidator(token).compute_signature(url, fields(params), algorithm))


def check(
    signature: str,
    *,
    url: str = URL,
    params: Sequence[tuple[str, str]] = PARAMS,
    tokens: Sequence[str] = (TOKEN,),
    settings_header: str | None = None,
) -> None:
    headers = {SIGNATURE: signature}
    if settings_header is not None:
        headers[SETTINGS] = settings_header
    verify_signature(url=url, params=params, headers=headers, tokens=tokens)


def refused(signature: str, **others: object) -> str:
    with pytest.raises(BadSignature) as caught:
        check(signature, **others)  # type: ignore[arg-type]
    return caught.value.reason


def test_the_official_signature_is_accepted():
    check(signed())


def test_the_example_of_twilio_s_own_page_is_accepted():
    """twilio.com/docs/usage/security: token 12345 and these parameters."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    params = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    check("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url=url, params=params)


NAMES = st.sampled_from(["A", "a", "Digits", "To", "名", "CallSid", ""])
PAIRS = st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=8)), max_size=8)


@given(PAIRS, st.text(min_size=1, max_size=40), st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]))
def test_whatever_the_official_validator_signs_is_accepted(
    params: list[tuple[str, str]], token: str, algorithm: str
):
    signature = signed(params=params, token=token, algorithm=algorithm)
    check(signature, params=params, tokens=[token], settings_header=f"key=k,algorithm={algorithm}")
    check(signature, params=params[::-1], tokens=[token], settings_header=f"algorithm={algorithm}")


def _moved(params: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The same signed text with each border between name, value and next name elsewhere."""
    ordered = sorted(params)
    for place, (name, value) in enumerate(ordered):
        before, after = ordered[:place], ordered[place + 1 :]
        for cut in range(1, len(name) + len(value)):
            if cut != len(name):
                yield [*before, ((name + value)[:cut], (name + value)[cut:]), *after]
        if before:
            last, said = before[-1]
            for cut in range(1, len(name)):
                yield [*before[:-1], (last, said + name[:cut]), (name[cut:], value), *after]


def test_the_border_between_a_name_and_its_value_is_where_the_carrier_put_it():
    """It is not signed: a status that was seen came again without its number, as news of its own."""
    params = [*PARAMS, ("SequenceNumber", "3"), ("CallDuration", "40")]
    signature = signed(params=params)
    check(signature, params=params)
    check(signed(params=[*params, ("Later", "1")]), params=[*params, ("Later", "1")])
    for moved in _moved(params):
        missing = {"CallSid", "CallStatus", "SequenceNumber", "CallDuration", "Digits"} - {
            name for name, _ in moved
        }
        if missing and signed(params=moved) == signature:
            assert refused(signature, params=moved) == "the name of a field runs into its value"


def test_repeated_parameters_all_count():
    params = [("StatusCallbackEvent", "b"), ("StatusCallbackEvent", "a"), ("X", "1")]
    check(signed(params=params), params=params)
    assert refused(signed(params=params), params=params[1:])
    assert refused(signed(params=params), params=[*params, ("StatusCallbackEvent", "c")])


@pytest.mark.parametrize(
    "changed",
    [
        PARAMS[1:],
        [*PARAMS, ("Extra", "1")],
        [("CallSid", "CA2"), *PARAMS[1:]],
        [],
    ],
)
def test_a_changed_parameter_is_refused(changed: list[tuple[str, str]]):
    assert refused(signed(), params=changed) == "the signature is not ours"


@pytest.mark.parametrize(
    "url",
    [
        URL + "x",
        URL + "?x=1",
        URL.replace("https", "http"),
        URL.replace("calls", "call"),
        "https://calls.example.cn:8443/hooks/status/0197c1a3",
        "not a url",
        "https://[bad",
        "https://calls.example.cn:port/hooks",
        "",
    ],
)
def test_another_address_is_refused(url: str):
    assert refused(signed(), url=url) == "the signature is not ours"


@pytest.mark.parametrize(
    ("signed_url", "seen_url"),
    [
        ("https://a.cn/hooks", "https://a.cn:443/hooks"),
        ("https://a.cn:443/hooks", "https://a.cn/hooks"),
        ("http://a.cn:80/hooks?x=1", "http://a.cn/hooks?x=1"),
        ("https://a.cn/hooks", "https://a.cn:8443/hooks"),
        ("https://a.cn:8443/hooks", "https://a.cn:8443/hooks"),
        ("http://[::1]/hooks", "http://[::1]:8080/hooks"),
    ],
)
def test_a_port_that_a_proxy_added_or_dropped_needs_no_record(signed_url: str, seen_url: str):
    check(signed(url=signed_url), url=seen_url)


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["a.cn", "127.0.0.1", "localhost"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
)
def test_ports_are_judged_as_the_official_validator_judges_them(
    scheme: str, host: str, signed_port: str, seen_port: str
):
    signature = signed(url=f"{scheme}://{host}{signed_port}/x")
    seen = f"{scheme}://{host}{seen_port}/x"
    official = RequestValidator(TOKEN).validate(seen, fields(PARAMS), signature)
    try:
        check(signature, url=seen)
        ours = True
    except BadSignature:
        ours = False
    assert ours is official


def test_the_fragment_is_no_part_of_what_is_signed():
    check(signed(), url=URL + "#rc=3&rp=ct,rt,5xx")


def test_in_a_rotation_both_tokens_are_good_and_no_third():
    check(signed(token="old"), tokens=["old", "new"])
    check(signed(token="new"), tokens=["old", "new"])
    assert refused(signed(token="other"), tokens=["old", "new"])


@pytest.mark.parametrize("tokens", [[], [""], ["", ""]])
def test_without_a_token_nothing_is_accepted(tokens: list[str]):
    by_nobody = b64encode(hmac.digest(b"", URL.encode(), "sha1")).decode()
    assert refused(by_nobody, params=[], tokens=tokens) == "no token is configured"


def test_an_empty_token_beside_a_good_one_opens_nothing():
    by_nobody = b64encode(hmac.digest(b"", URL.encode(), "sha1")).decode()
    assert refused(by_nobody, params=[], tokens=[TOKEN, ""])


@pytest.mark.parametrize("headers", [{}, {SIGNATURE: ""}, {"Authorization": "x"}])
def test_without_a_signature_nothing_is_accepted(headers: dict[str, str]):
    with pytest.raises(BadSignature, match="no signature"):
        verify_signature(url=URL, params=PARAMS, headers=headers, tokens=[TOKEN])


def test_headers_in_small_letters_are_found():
    headers = {SIGNATURE.lower(): signed(algorithm="HMAC_SHA256"), SETTINGS.lower(): SHA256}
    verify_signature(url=URL, params=PARAMS, headers=headers, tokens=[TOKEN])


@pytest.mark.parametrize("signature", ["x", "é", "=", signed()[:-1], signed() + "=", signed().lower()])
def test_a_broken_signature_is_refused(signature: str):
    assert refused(signature)


def test_the_algorithm_named_is_the_only_one_tried():
    check(signed(algorithm="HMAC_SHA256"), settings_header=SHA256)
    assert refused(signed(), settings_header=SHA256)
    assert refused(signed(algorithm="HMAC_SHA256"))
    check(signed(), settings_header="key=k,algorithm=HMAC_SHA1")
    check(signed(), settings_header="key=k")
    check(signed(), settings_header="")


@pytest.mark.parametrize("name", ["HMAC_MD5", "none", "HMAC_SHA512"])
def test_an_unknown_algorithm_is_refused(name: str):
    assert refused(signed(), settings_header=f"algorithm={name}") == "its algorithm is not known"


def test_a_refusal_repeats_nothing_of_the_request():
    with pytest.raises(BadSignature) as caught:
        check("x")
    assert "138" not in str(caught.value)
    assert TOKEN not in str(caught.value)
