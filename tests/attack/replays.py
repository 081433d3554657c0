"""Attacks by somebody who has seen something that was valid once, and shows it again: a signed webhook, a code, an
answer of a passkey, a recovery code.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pyotp
from twilio.request_validator import RequestValidator

from dialer.core.access import Role
from dialer.core.errors import DialerError
from dialer.org.factors import confirm_totp, new_recovery_codes, offer_totp
from dialer.org.passkeys import (
    add_passkey,
    ask_any_passkey,
    ask_new_passkey,
    relying_party,
    sign_in_with_passkey,
)
from dialer.staff.sign_in import recognise
from dialer.staff.store import find_member
from tests.console.desk import PASSWORD, form_csrf
from tests.console.test_passkeys import HOME, Authenticator
from tests.server.switchboard import Switchboard, life, step

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.staff.store import Member, Session
    from tests.attack.run import Attack, Target


async def replays(target: Target, attack: Attack) -> None:
    """Somebody who has seen signed webhooks sends them again, in every order, under other addresses, and with the
    border between name and value of a field moved, which the signature does not cover.
    """
    config, board = target.made.app.telephony, Switchboard.on(target.made.app.services)
    board._numbers = itertools.count(4_000)  # other attacks have people of their own
    public, client = config.public_url.rstrip("/"), target.desk.stranger()

    def signed(path: str, form: dict[str, str]) -> dict[str, str]:
        validator = RequestValidator(config.auth_token or "")
        return {"X-Twilio-Signature": validator.compute_signature(public + path, form)}

    async def post(path: str, form: dict[str, str], headers: dict[str, str]) -> int:
        attack.tried += 1
        return (await client.post(path, data=form, headers=headers)).status_code

    def what_counts(attempt: UUID) -> dict[str, object]:
        return {name: value for name, value in board.end(attempt).items() if name != "kept"}

    orders = list(itertools.permutations(range(4)))
    target.chance.shuffle(orders)
    usual = None
    for order in [(0, 1, 2, 3), *orders[: target.times(12)]]:
        attempt = board.call()
        seen = [(path, dict(form), signed(path, dict(form))) for path, form in life(attempt)]
        for number in (*order, *order):
            await post(*seen[number])
        ended = what_counts(attempt)
        usual = usual or ended
        attack.must(ended == usual, f"in the order {order} the call ended as {ended}")
        before = what_counts(attempt), board.events(attempt)
        other = board.call()
        for path, form, headers in seen:
            await post(path.replace(str(attempt), str(other)), form, headers)
            await post(path + "?x=1", form, headers)
            await post("/hooks/./" + path.removeprefix("/hooks/"), form, headers)
            for moved in _moved(form):
                await post(path, moved, headers)
        attack.must((what_counts(attempt), board.events(attempt)) == before, f"{attempt} changed")
        attack.must(board.events(other) == [], f"news of {attempt} was taken for {other}")
    attempt = board.call()
    path, form = step(attempt)
    headers = signed(path, dict(form))
    for _ in range(3):
        await post(path, dict(form), headers)
    once = board.events(attempt)
    attack.must(len(once) == 1, f"a question that came three times was kept {len(once)} times")


def _moved(form: dict[str, str]) -> list[dict[str, str]]:
    """The same names and values with their border one sign further on: what is signed is the same."""
    made = []
    for name, value in form.items():
        if value:
            made.append(
                {key: text for key, text in form.items() if key != name} | {name + value[0]: value[1:]}
            )
        made.append({key: text for key, text in form.items() if key != name} | {name[:-1]: name[-1] + value})
    return made


async def factors(target: Target, attack: Attack) -> None:
    """Somebody with the password of an account, who has seen a code, a recovery code or an answer of a passkey."""
    desk, services = target.desk, target.made.app.services
    person = desk.signed_in(desk.account(Role.CALLER, login="factors"))
    found = recognise(services, person.token)
    assert found is not None
    session, member = found
    totp = pyotp.TOTP(offer_totp(services, member).secret.replace(" ", ""))
    now = int(services.real.now().timestamp())
    first = totp.at(now - 30)
    recovery = confirm_totp(services, session, first)
    address = iter(f"198.51.100.{number % 250 + 1}" for number in range(10_000))

    async def enter(code: str) -> bool:
        attack.tried += 1
        return await _enter(target, code, next(address))

    async def opens(what: str, code: str, most: int) -> None:
        entered = sum(await asyncio.gather(*(enter(code) for _ in range(4))))
        attack.must(entered <= most, f"{what} opened {entered} times")

    await opens("the code that set the app up", first, 0)
    code = totp.at(int(services.real.now().timestamp()))
    attack.must(await enter(code), "the true code did not open")
    await opens("a code that was used", code, 0)
    await opens("the code before it", totp.at(int(services.real.now().timestamp()) - 60), 0)
    attack.must(await enter(recovery[0]), "a recovery code did not open")
    await opens("a recovery code that was used", recovery[0], 0)
    await opens("a recovery code, of four at once,", recovery[1], 1)
    again = find_member_of(target, "factors")
    new_recovery_codes(services, again)
    await opens("a recovery code that was replaced", recovery[2], 0)
    await asyncio.to_thread(_passkeys, target, attack, again, session)


def find_member_of(target: Target, login: str) -> Member:
    with target.made.app.services.store.begin() as tx:
        member = find_member(tx, login)
    assert member is not None
    return member


async def _enter(target: Target, code: str, address: str) -> bool:
    """Whether password and code open the account."""
    client = target.desk.stranger()
    client.headers.update({"X-Forwarded-For": address, "X-Forwarded-Proto": "https"})
    client.event_hooks["response"] = [_as_over_https(client)]
    form = {"csrf": form_csrf(await client.get("/sign-in")), "login": "factors", "password": PASSWORD}
    sent = await client.post("/sign-in", data=form)
    if sent.headers.get("location", "") != "/sign-in/second":
        return False
    page = await client.get("/sign-in/second")
    if 'name="csrf"' not in page.text:
        return False
    answer = await client.post("/sign-in/second", data={"csrf": form_csrf(page), "code": code})
    is_in = answer.status_code == 303 and not answer.headers["location"].startswith("/sign-in")
    return is_in and (await client.get("/account")).status_code == 200


def _as_over_https(client: httpx.AsyncClient):  # noqa: ANN202  # a hook of httpx
    async def keep(_answer: httpx.Response) -> None:
        for cookie in client.cookies.jar:
            cookie.secure = False  # the proxy is asked over https, and asks us without

    return keep


def _passkeys(target: Target, attack: Attack, member: Member, session: Session) -> None:
    """An answer of a passkey again, for another challenge, from another origin, and one of an earlier counter."""
    services = target.made.app.services
    party = relying_party(HOME, name="attack")
    assert party is not None
    key = Authenticator()
    asked = ask_new_passkey(services, party, member)
    created = key.create(json.loads(asked.options))
    add_passkey(services, party, session, token=asked.token, credential=created, name="key")

    def opens(what: str, token: str, credential: str) -> bool:
        attack.tried += 1
        try:
            sign_in_with_passkey(
                services, party, token=token, credential=credential, address="desk", after_password=False
            )
        except DialerError:
            return False
        return True

    challenge = ask_any_passkey(services, party)
    key.counter = 5
    answer = key.get(json.loads(challenge.options))
    attack.must(opens("", challenge.token, answer), "the true passkey did not open")
    attack.must(not opens("", challenge.token, answer), "an answer of a passkey opened twice")
    fresh = ask_any_passkey(services, party)
    attack.must(not opens("", fresh.token, answer), "an answer to another challenge opened")
    for what, other in (
        ("a false page", replace(key, origin="https://dialer.example.org", counter=9)),
        ("a copy with an old counter", replace(key, counter=4)),
        ("an answer for another name", replace(key, rp_id="example.cn", counter=9)),
    ):
        fresh = ask_any_passkey(services, party)
        attack.must(not opens(what, fresh.token, other.get(json.loads(fresh.options))), f"{what} opened")
