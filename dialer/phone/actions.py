"""Somebody plays the person of a case on the simulated line: which number is theirs, and a warning about oneself.

Never for a real line: whoever calls this has made sure that the telephone network is our own.

Our own carrier's telephones in hand, as the page asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dialer.casefile.acts import call_now, standing
from dialer.cases.persons import person_of_case
from dialer.cases.store import lock_cases
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken, Refusal, Unavailable
from dialer.core.values import FraudType, Grade
from dialer.db.audit import write_audit
from dialer.intake.records import Accepted, Field, Rejected
from dialer.language import Text, gettext_noop
from dialer.org.staff_store import Token
from dialer.runtime.local import CarrierAccess
from dialer.services import Services
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from dialer.warnings.deliveries import NAMES, read_warnings

PLAYER = "/phone"
"""Who the audit says it was."""
_PATIENCE = 5


def number_of(services: Services, case_id: int) -> str:
    """The number that the robot rings next, in E.164; the look is in the audit. Raises `NotFound`, and `Conflict` where
    the data are not a drill's.
    """
    _only_in_a_drill(services)
    with services.store.begin() as tx:
        person, locked = person_of_case(tx, case_id), lock_cases(tx, [case_id])
        if person is None or case_id not in locked:
            raise NotFound(kind="case", key=case_id)
        write_audit(
            tx,
            who=PLAYER,
            act="reveal",
            subject=f"case/{case_id}",
            why="phone",
            now=services.clock.now(),
        )
        return person.phones[locked[case_id].case.robot.number]


def request_call(services: Services, case_id: int) -> None:
    """The robot's next ring is wanted now, whatever happens to the case meanwhile. Raises `NotFound`, and `Conflict`
    where nobody may be rung any more.
    """
    for _ in range(_PATIENCE):
        try:
            call_now(services, case_id, by=PLAYER, expected=standing(services, case_id).revision)
        except Overtaken:
            continue
        return
    raise Conflict("the case changes faster than it can be looked at")


def read_of_oneself(services: Services, *, name: str, phone: str, fraud_type: FraudType) -> Accepted:
    """A warning about whoever typed it, read by the rules of every other one; its first phone is the one that rings.
    Raises `Invalid` with the field that cannot be used, and `Conflict` where the data are not a drill's.
    """
    _only_in_a_drill(services)
    now = services.clock.now()
    cells = {
        Field.NAME: name,
        Field.PHONE: phone,
        Field.FRAUD_TYPE: fraud_type.value,
        Field.GRADE: Grade.HIGH.value,
        Field.PRODUCED_AT: now.isoformat(),
    }
    read = read_warnings(services, [cells], token=_reader(services)).read[0]
    if isinstance(read, Rejected):
        raise Invalid(field=NAMES[read.field], problem="cannot be used")
    if not name.strip():
        raise Invalid(field="name", problem="is empty")
    return read


def warn_of_oneself(services: Services, accepted: Accepted) -> int:
    """It is in the books; the case that it opened or joined. Its telephone must be in hand by now: the robot may ring
    before this returns.
    """
    now = services.clock.now()
    with services.store.begin() as tx:
        taken = take_arrivals(tx, services, prepare_arrivals(tx, services, [accepted], load_id=None, now=now))
        (case_id,) = taken.case_ids
        if case_id is None:
            raise Conflict("this very warning is in the books already")
        # The warning itself is in the case's timeline, under this source.
        write_audit(
            tx, who=PLAYER, act="take_warnings", subject="phone", why="", now=now, facts={"case": case_id}
        )
    services.enqueue("dial")
    return case_id


def _only_in_a_drill(services: Services) -> None:
    if not services.drill:
        raise Conflict("only the phones of a drill can be answered by hand")


def _reader(services: Services) -> Token:
    """Rows are read in somebody's name; this one has no secret and is kept nowhere."""
    moment = services.real.now()
    return Token(
        id=0,
        name=PLAYER,
        scopes=frozenset(),
        unit="",
        created_at=moment,
        expires_at=moment,
        revoked_at=None,
        last_used_on=None,
    )


_TIMEOUT_SECONDS = 5.0
ACTS = frozenset({"answer", "hang_up", "keys", "words", "sound"})


_NOT_TAKEN = {
    "keys": gettext_noop("keys: only 0-9, * and #"),
    "words": gettext_noop("words: 1 to 200 signs"),
    "handsets": gettext_noop("number: E.164"),
}
"""What the carrier refuses at each of its addresses."""


class ActRefused(Refusal):
    """The carrier does not take what was pressed or said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`access` is the carrier's of this installation; nothing here reaches any other."""

    access: CarrierAccess

    async def take(self, number: str) -> dict[str, Any]:
        """The telephone of that number in hand. Raises `Unavailable`."""
        return await self._json("POST", "/admin/handsets", json={"number": number})

    async def state(self, handset: str) -> dict[str, Any]:
        """Raises `NotFound` for one that the carrier does not know (any more), and `Unavailable`."""
        return await self._json("GET", f"/admin/handsets/{_id(handset)}")

    async def act(self, handset: str, act: str, body: bytes) -> dict[str, Any]:
        """The state afterwards. Raises `NotFound`, `ActRefused`, `Unavailable`."""
        if act not in ACTS:
            raise NotFound(kind="act", key=act)
        return await self._json("POST", f"/admin/handsets/{_id(handset)}/{act}", data=body)

    async def clip(self, handset: str, n: int) -> bytes:
        """The very sound that the carrier plays. Raises `NotFound`, `Unavailable`."""
        _, body = await self._ask("GET", f"/admin/handsets/{_id(handset)}/clips/{n}")
        return body

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
        answer, _ = await self._ask(method, path, **options)
        assert answer is not None, "the admin API answers in JSON but for sound"
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        **options: Any,  # noqa: ANN401 - passed on
    ) -> tuple[dict[str, Any] | None, bytes]:
        import aiohttp  # noqa: PLC0415  # a web process at rest does without

        headers = {"Authorization": f"Bearer {self.access.admin_token}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)) as session,
                session.request(method, self.access.base_url + path, headers=headers, **options) as answer,
            ):
                body = await answer.read()
                told = await answer.json() if answer.content_type == "application/json" else None
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
        if status == HTTPStatus.NOT_FOUND:
            raise NotFound(kind="telephone", key="in hand")
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
            raise ActRefused(_NOT_TAKEN.get(path.rpartition("/")[2], gettext_noop("too much at once")))
        if status >= HTTPStatus.BAD_REQUEST:
            raise Unavailable(part="carrier", problem=Text("answered %(status)s", status=status))
        return told, body


def _id(handset: str) -> str:
    """Only what the carrier itself gave out goes into its addresses."""
    if not handset.isascii() or not handset.isalnum():
        raise NotFound(kind="telephone", key="in hand")
    return handset
