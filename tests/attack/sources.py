"""Attacks by a source: somebody with a token who says more than it may, or in the name of another."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.sources import COUNTER_SOURCE, ROBOT_SOURCE
from dialer.db import tables as t
from dialer.staff.sign_in import add_token
from dialer.warnings.lists import load_list, submit_list
from dialer.warnings.source_limits import waiting_warnings

if TYPE_CHECKING:
    from tests.attack.run import Attack, Target

WARNINGS, _SIGNALS = "/api/v1/warnings", "/api/v1/signals"
_OTHER = "county-police"
_TOGETHER = 100


def headers_of(target: Target, name: str, *scopes: str) -> dict[str, str]:
    """The headers of a new token with this name and these rights."""
    new = add_token(
        target.made.app.services, unrestricted("attack"), name=name, scopes=scopes, days=1, unit=""
    )
    return {"Authorization": f"Bearer {new.secret}"}


def _stored(target: Target, source: str) -> int:
    c = t.warning.c
    with target.made.app.services.store.begin() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(t.warning).where(c.source == source)))


def _in_other_names(target: Target, number: int) -> list[str]:
    spaced = "\u3000".join(COUNTER_SOURCE)
    return [_OTHER, COUNTER_SOURCE, ROBOT_SOURCE, f" {COUNTER_SOURCE} ", spaced, "/phone", "/ｐｈｏｎｅ"][
        : 1 + number % 7
    ]


async def one_silences_another(target: Target, attack: Attack) -> None:
    """A token for one source takes the numbers of another, or of the service itself; nobody is silenced by it."""
    client = target.desk.stranger()
    own = headers_of(target, "low-source", "warnings:write", "signals:write")
    other = headers_of(target, _OTHER, "warnings:write")
    for number in range(target.times(20)):
        phone = f"1390{target.chance.randrange(10**7):07d}"
        name = f"YJ-{number}"
        for source in _in_other_names(target, number):
            forged: dict[str, Any] = {
                "source": source, "instruction_no": name, "grade": "低危", "phones": phone,
            }  # fmt: skip
            answer = await client.post(WARNINGS, json=forged, headers=own)
            attack.tried += 1
            attack.must(answer.status_code in {422, 429}, f"a warning of {source!r} got {answer.status_code}")
            for signal in (
                {"kind": "call", "phone": phone, "number": "+85291234567", "direction": "in"},
                {"kind": "list_change", "number": phone, "list_kind": "trusted", "change": "entered"},
            ):
                more = {"source": source, "signal_no": name, "event_at": "2026-12-01T09:00:00+08:00"}
                answer = await client.post(_SIGNALS, json=signal | more, headers=own)
                attack.tried += 1
                said = answer.text
                refused = answer.status_code == 429 or '"field":"source"' in said
                attack.must(refused, f"a signal of {source!r} got {said[:80]}")
        real = {"instruction_no": name, "grade": "特高危", "phones": phone, "name": "王小明"}
        answer = await client.post(WARNINGS, json=real, headers=other)
        taken = answer.status_code == 200 and answer.json()["accepted"] == 1
        attack.must(taken, f"the warning {name} of the true source got {answer.text[:80]}")
    for source in (COUNTER_SOURCE, ROBOT_SOURCE):
        attack.must(_stored(target, source) == 0, f"there are warnings of {source} from outside")


async def learns_of_others(target: Target, attack: Attack) -> None:
    """A token asks about people by sending warnings about them: the answers about victims and strangers are alike."""
    client = target.desk.stranger()
    other = headers_of(target, "ministry", "warnings:write")
    curious = headers_of(target, "curious", "warnings:write", "report:read")
    for number in range(target.times(20)):
        told = []
        for kind in ("victim", "stranger"):
            phone = f"1380{target.chance.randrange(10**7):07d}"
            person = {"phones": phone, "name": "王小明"}
            if kind == "victim":
                real = person | {"instruction_no": f"M-{number}", "grade": "特高危"}
                await client.post(WARNINGS, json=real, headers=other)
            asked = person | {"instruction_no": f"C-{number}-{kind}", "grade": "低危"}
            answer = await client.post(WARNINGS, json=asked, headers=curious)
            attack.tried += 1
            told.append(answer.text.replace(kind, ""))
        attack.must(told[0] == told[1], f"a source learns of a victim: {told[0][:120]}")


async def ends_a_case(target: Target, attack: Attack) -> None:
    """A token names a telephone of its own for a person in danger: the robot calls the person's number alone."""
    client = target.desk.stranger()
    other = headers_of(target, "city-police", "warnings:write", "cases:read")
    own = headers_of(target, "accomplice", "warnings:write")
    for number in range(target.times(20)):
        phone, theirs = (f"1370{target.chance.randrange(10**7):07d}" for _ in range(2))
        person = {"name": f"王{number}", "phones": phone}
        real = person | {"instruction_no": f"P-{number}", "grade": "特高危"}
        case_id = (await client.post(WARNINGS, json=real, headers=other)).json()["results"][0]["case_id"]
        for grade in ("低危", "特高危"):
            forged = person | {
                "instruction_no": f"A-{number}-{grade}",
                "grade": grade,
                "phones": [phone, theirs],
            }
            answer = await client.post(WARNINGS, json=forged, headers=own)
            attack.tried += 1
            attack.must(answer.status_code == 200, f"a warning got {answer.status_code}")
        with target.made.app.services.store.begin() as tx:
            numbers = tx.scalar(sa.select(t.case.c.numbers).where(t.case.c.id == case_id))
        attack.must(numbers == 1, f"the robot calls {numbers} numbers of case {case_id}")


async def floods(target: Target, attack: Attack) -> None:
    """A new source has as many people called as it can; another source's warning goes on meanwhile."""
    client = target.desk.stranger()
    most = target.made.settings.sources.probation
    for grade, limit in (("特高危", most.extra_high_per_hour), ("低危", most.per_hour)):
        name = f"flood-{limit}"
        own, count = headers_of(target, name, "warnings:write"), 3 * limit
        for first in range(0, count, _TOGETHER):
            sent = [
                {
                    "instruction_no": f"F-{number}",
                    "grade": grade,
                    "name": f"王{number}",
                    "phones": f"1360{target.chance.randrange(10**7):07d}",
                    "amount_at_risk": "9000万" if number % 10 == 0 else "",
                }
                for number in range(first, min(first + _TOGETHER, count))
            ]
            answer = await client.post(WARNINGS, json=sent, headers=own)
            attack.tried += len(sent)
            told = answer.json().get("accepted") if answer.status_code == 200 else answer.text[:80]
            attack.must(told == len(sent), f"{len(sent)} warnings of a flood got {told}")
        went_on = _stored(target, name)
        attack.must(went_on <= limit, f"{went_on} of {count} people are called, {limit} may be")
        waits = sum(one.total for one in waiting_warnings(target.made.app.services, source=name))
        attack.must(went_on + waits == count, f"of {count} warnings {went_on} went on and {waits} wait")
        attack.must(_asked_about(target, name), f"no alarm about the flood of {name}")
    other = headers_of(target, "quiet-source", "warnings:write")
    real = {"instruction_no": "Q-1", "grade": "特高危", "phones": "13600000000", "name": "王小明"}
    answer = await client.post(WARNINGS, json=real, headers=other)
    attack.tried += 1
    attack.must(_stored(target, "quiet-source") == 1, f"the warning of another source got {answer.text[:80]}")


async def floods_with_signals(target: Target, attack: Attack) -> None:
    """A new source sends as many signals as it can, in requests at once: what is above its limit is refused, and those
    of another source are taken meanwhile.
    """
    client, most = target.desk.stranger(), target.made.settings.sources.probation.signals_per_minute
    own = headers_of(target, "signal-flood", "signals:write")
    other = headers_of(target, "quiet-signals", "signals:write")

    async def send(headers: dict[str, str], first: int, count: int) -> int:
        at = target.made.app.services.clock.now().isoformat()
        sent = [
            {"signal_no": f"F-{n}", "kind": "call", "event_at": at, "phone": f"136{n:08d}", "direction": "in"}
            | {"number": "+85291234567"}
            for n in range(first, first + count)
        ]
        answer = await client.post(_SIGNALS, json=sent, headers=headers)
        attack.tried += count
        attack.must(answer.status_code in {200, 429}, f"signals of a flood got {answer.text[:80]}")
        return int(answer.json()["accepted"]) if answer.status_code == 200 else 0

    starts = range(0, most + 2_000, 1_000)
    taken = sum(await asyncio.gather(*(send(own, first, 1_000) for first in starts)))
    attack.must(taken <= most, f"{taken} signals of a new source were taken, {most} may be")
    attack.must(await send(other, 0, 1) == 1, "a signal of another source was refused")
    attack.must(_asked_about(target, "signal-flood", "signals_refused"), "no alarm about a flood of signals")


async def many_names(target: Target, attack: Attack) -> None:
    """A token sends one telephone under many names, at once and one by one: few are called, the rest wait."""
    client, most = target.desk.stranger(), target.made.settings.sources.cases_a_number
    for number in range(target.times(5)):
        name = f"names-{number}"
        own = headers_of(target, name, "warnings:write")
        phone = f"1340{target.chance.randrange(10**7):07d}"
        sent = [
            {
                "instruction_no": f"N-{n}",
                "grade": "特高危",
                "name": f"王{n}" if n % 3 else "",
                "phones": phone,
            }
            for n in range(24)
        ]
        for part in (sent[:12], *([one] for one in sent[12:])):
            answer = await client.post(WARNINGS, json=part, headers=own)
            attack.tried += len(part)
            attack.must(answer.status_code == 200, f"warnings of one number got {answer.text[:80]}")
        went_on = _stored(target, name)
        attack.must(went_on <= most, f"{went_on} people with one number have cases, {most} may")
        waits = sum(one.total for one in waiting_warnings(target.made.app.services, source=name))
        attack.must(
            went_on + waits == len(sent), f"of {len(sent)} warnings {went_on} went on and {waits} wait"
        )


async def many_names_in_a_list(target: Target, attack: Attack) -> None:
    """A clerk loads a list with one telephone under many names: few have cases, tasks and visits, the rest wait."""
    services, most = target.made.app.services, target.made.settings.sources.cases_a_number
    for number in range(target.times(5)):
        name = f"listed-{number}"
        phone = f"1340{target.chance.randrange(10**7):07d}"
        lines = [f"L-{n},王{n},{phone},特高危" for n in range(24)]
        content = io.BytesIO("\n".join(["指令编号,姓名,手机号,预警等级", *lines]).encode())
        load_id = submit_list(services, unrestricted("attack"), content, filename="list.csv", source=name)
        load_list(services, load_id)
        attack.tried += len(lines)
        went_on = _stored(target, name)
        attack.must(went_on <= most, f"{went_on} people of a list with one number have cases, {most} may")
        waits = sum(one.total for one in waiting_warnings(services, source=name))
        attack.must(went_on + waits == len(lines), f"of {len(lines)} rows {went_on} went on and {waits} wait")


def _asked_about(target: Target, source: str, code: str = "warnings_wait") -> bool:
    c = t.alarm.c
    with target.made.app.services.store.begin() as tx:
        facts = [row["facts"] for row in tx.rows(sa.select(c.facts).where(c.code == code))]
    return any(one["source"] == source for one in facts)


SOURCE_ATTACKS: dict[str, Callable[[Target, Attack], Awaitable[None]]] = {
    "one silences another": one_silences_another,
    "learns of others": learns_of_others,
    "ends a case": ends_a_case,
    "floods": floods,
    "floods with signals": floods_with_signals,
    "many names": many_names,
    "names in a list": many_names_in_a_list,
}
