"""Attacks by a source of signals on the lists of the warning robot: to have rules stopped, and to lower verdicts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.sources import SourceLimits
from dialer.db import tables as t
from dialer.signals.health import check_health
from dialer.signals.robot import WarningRobot
from dialer.staff.sign_in import add_token
from dialer.warnings.source_limits import change_source

if TYPE_CHECKING:
    import httpx

    from tests.attack.run import Attack, Target

_SIGNALS = "/api/v1/signals"
_PEOPLE = 60
_HOUR_AGO = "interval '70 minutes'"


class _City:
    """Sources that the centre knows, an intruder that it knows too, and a robot that evaluates what they send."""

    def __init__(self, target: Target, attack: Attack) -> None:
        self._services, self._attack = target.made.app.services, attack
        self.client, self.chance = target.desk.stranger(), target.chance
        self._sent = 0
        self._tokens = {
            name: self._token(f"{attack.name} {name}".replace(" ", "-"))
            for name in ("bank", "platform", "intruder")
        }
        self._robot = WarningRobot(self._services, threading.Event())
        self._robot.do_periodic_work()

    def _token(self, name: str) -> str:
        actor = unrestricted("attack")
        new = add_token(self._services, actor, name=name, scopes=["signals:write"], days=1, unit="")
        with self._services.store.begin() as tx:
            known = tx.one(sa.select(t.source.c.name).where(t.source.c.name == name)) is not None
        if known:
            change_source(self._services, actor, name, SourceLimits(), on_probation=False, why="known")
        return new.secret

    def forget(self, source: str) -> None:
        """The source is new to the centre again: on probation."""
        name = f"{self._attack.name} {source}".replace(" ", "-")
        actor = unrestricted("attack")
        change_source(self._services, actor, name, SourceLimits(), on_probation=True, why="new")

    async def send(self, source: str, signals: Sequence[dict[str, Any]]) -> httpx.Response:
        base = {"event_at": self._services.clock.now().isoformat()}
        numbered = []
        for signal in signals:
            self._sent += 1
            numbered.append(base | {"signal_no": f"N-{self._sent}"} | signal)
        headers = {"Authorization": f"Bearer {self._tokens[source]}"}
        answer = await self.client.post(_SIGNALS, json=numbered, headers=headers)
        self._attack.tried += len(numbered) if source == "intruder" else 0
        self._attack.must(answer.status_code == 200, f"signals of {source} got {answer.text[:80]}")
        while self._robot.evaluate_next():
            pass
        return answer

    def phone(self) -> str:
        return f"1350{self.chance.randrange(10**7):07d}"

    def account(self) -> str:
        return f"6222{self.chance.randrange(10**12):012d}"

    def an_hour_passes(self) -> None:
        """What has happened lies more than an hour back, and the robot looks after its rules."""
        with self._services.store.begin() as tx:
            for table, column in (("verdict_reason", "at"), ("signal_minute", "at")):
                tx.execute(sa.text(f"UPDATE {table} SET {column} = {column} - {_HOUR_AGO}"))
        self.look_after_rules()

    def look_after_rules(self) -> None:
        with self._services.store.begin() as tx:
            check_health(tx, now=self._services.clock.now())

    def newest_verdict(self) -> dict[str, Any]:
        with self._services.store.begin() as tx:
            return dict(tx.rows(sa.select(t.verdict).order_by(t.verdict.c.seq.desc()).limit(1))[0])

    def close(self) -> None:
        self._robot.close()


def _payment(phone: str, account: str) -> dict[str, Any]:
    return {
        "kind": "payment_attempt",
        "phone": phone,
        "account": account,
        "amount": "90000",
        "new_payee": True,
    }


def _entry(account: str, list_kind: str, change: str = "entered") -> dict[str, Any]:
    return {"kind": "list_change", "account": account, "list_kind": list_kind, "change": change}


async def rules_stopped(target: Target, attack: Attack) -> None:
    """A source lists what half a city pays to, and rules stop: whom other sources speak for is called all the same."""
    city = _City(target, attack)
    waterworks, mule = city.account(), city.account()
    await city.send("platform", [_entry(mule, "fraud")])
    await city.send("bank", [_payment(city.phone(), mule)])
    await city.send("bank", [_payment(city.phone(), waterworks) for _ in range(_PEOPLE)])
    city.an_hour_passes()
    await city.send("intruder", [_entry(waterworks, "fraud")])
    city.look_after_rules()
    await city.send("bank", [_payment(city.phone(), mule)])
    verdict = city.newest_verdict()
    attack.must(verdict["grade"] == "extra_high", f"the victim's verdict is {verdict['grade']}")
    attack.must(verdict["state"] == "sent", f"the extra-high verdict of a victim is {verdict['state']}")
    city.close()


async def lists_as_fraud(target: Target, attack: Attack) -> None:
    """A source that is new lists what somebody pays to as fraud: nobody is called at the highest grade for that."""
    city = _City(target, attack)
    city.forget("intruder")
    for _ in range(target.times(10)):
        account = city.account()
        scores = []
        for kind in ("fraud", "suspected"):
            await city.send("intruder", [_entry(account, kind)])
            await city.send("bank", [_payment(city.phone(), account)])
            scores.append(city.newest_verdict()["score"])
        attack.must(
            scores[0] == scores[1], f"fraud of a new source weighs {scores[0]}, suspected {scores[1]}"
        )
    city.close()


async def lowers_a_verdict(target: Target, attack: Attack) -> None:
    """A source trusts a scammer's account, and takes it off the list of another: the verdicts stay what they were."""
    city = _City(target, attack)
    for _ in range(target.times(10)):
        mule, stranger = city.account(), city.account()
        await city.send("platform", [_entry(mule, "fraud")])
        scores = []
        for attacked in (False, True):
            if attacked:
                forged = [
                    _entry(mule, "trusted"),
                    _entry(mule, "fraud", "removed"),
                    _entry(stranger, "trusted"),
                ]
                await city.send("intruder", forged)
            for account in (mule, stranger):
                await city.send("bank", [_payment(city.phone(), account)])
                scores.append(city.newest_verdict()["score"])
        attack.must(scores[:2] == scores[2:], f"scores {scores[:2]} became {scores[2:]}")
    city.close()
