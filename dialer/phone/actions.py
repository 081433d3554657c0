"""A person plays the person of a case on the simulated line: their number, a warning about oneself, and the handset.

Never for a real line: callers of this module make sure that the telephone network is our own carrier.
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
"""The actor in the audit trail."""
_PATIENCE = 5


def number_of(services: Services, case_id: int) -> str:
    """The number that the robot calls next, in E.164; reading it is written to the audit trail. Raises `NotFound`, and
    `Conflict` outside a drill.
    """
    _only_in_a_drill(services)
    with services.store.begin() as tx:
        person, locked = person_of_case(tx, case_id), lock_cases(tx, [case_id])
        if person is None or case_id not in locked:
            raise NotFound(kind="case", key=case_id)
        write_audit(
            tx, who=PLAYER, act="reveal", subject=f"case/{case_id}", why="phone", now=services.clock.now()
        )
        return person.phones[locked[case_id].case.robot.number]


def request_call(services: Services, case_id: int) -> None:
    """Makes the robot's next call attempt due now, even if the case changes meanwhile. Raises `NotFound`, and
    `Conflict` when the case is not called any more.
    """
    for _ in range(_PATIENCE):
        try:
            call_now(services, case_id, by=PLAYER, expected=standing(services, case_id).revision)
        except Overtaken:
            continue
        return
    raise Conflict("the case changes faster than it can be looked at")


def read_of_oneself(services: Services, *, name: str, phone: str, fraud_type: FraudType) -> Accepted:
    """A warning about the person who typed it, read by the same rules as any other; the call goes to its first phone.
    Raises `Invalid` with the field that cannot be used, and `Conflict` outside a drill.
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
    """Takes the warning; the id of the case that it opened or joined. Pick up its handset first: the robot may call
    before this returns. Raises `Conflict` for a repeated warning.
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
    """Rows are read in the name of a token; this one has no secret and is not stored."""
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
"""Refusals of the carrier by the last part of the address."""


class ActRefused(Refusal):
    """The carrier refuses what was pressed or said."""


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

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on to aiohttp
        answer, _ = await self._ask(method, path, **options)
        assert answer is not None, "the admin API answers in JSON but for sound"
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        **options: Any,  # noqa: ANN401 - passed on to aiohttp
    ) -> tuple[dict[str, Any] | None, bytes]:
        import aiohttp  # noqa: PLC0415  # a web process at rest does without

        headers = {"Authorization": f"Bearer {self.access.admin_token}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)) as session,
                session.request(method, self.access.base_url + path, headers=headers, **options) as answer,
            ):
                body = await answer.read()
                plain = await answer.json() if answer.content_type == "application/json" else None
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
        if status == HTTPStatus.NOT_FOUND:
            raise NotFound(kind="telephone", key="in hand")
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
            raise ActRefused(_NOT_TAKEN.get(path.rpartition("/")[2], gettext_noop("too much at once")))
        if status >= HTTPStatus.BAD_REQUEST:
            raise Unavailable(part="carrier", problem=Text("answered %(status)s", status=status))
        return plain, body


def _id(handset: str) -> str:
    """A handset id as the carrier gives them out; nothing else is put into its addresses."""
    if not handset.isascii() or not handset.isalnum():
        raise NotFound(kind="telephone", key="in hand")
    return handset
