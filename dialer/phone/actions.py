"""What the telephone in the browser does in a drill: its own warning, its next call, the number called next."""

from __future__ import annotations

from dialer.case_page.acts import SeenCase, call_now, revision_of
from dialer.cases.persons import person_of_case
from dialer.cases.store import lock_cases
from dialer.core.access import Permission, unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.sources import DRILL_SOURCE
from dialer.core.values import FraudType, Grade
from dialer.intake.records import Accepted, Field, Rejected
from dialer.runtime.services import Services
from dialer.staff.token_store import ApiToken
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from dialer.warnings.deliveries import NAMES, read_warnings

PLAYER = unrestricted(DRILL_SOURCE)
"""Whoever has the telephone of a drill in hand."""
_PATIENCE = 5


def reveal_next_number(services: Services, case_id: int) -> str:
    """The number that the robot calls next, in E.164; reading it is written to the audit trail. Raises `NotFound`, and
    `Conflict` outside a drill.
    """
    _only_in_a_drill(services)
    with services.act(PLAYER, Permission.REVEAL) as act:
        person, locked = person_of_case(act.tx, case_id), lock_cases(act.tx, [case_id])
        if person is None or case_id not in locked:
            raise NotFound(kind="case", key=case_id)
        act.audit("reveal", f"case/{case_id}", why="phone")
        return person.phones[locked[case_id].case.robot.number]


def request_call(services: Services, case_id: int) -> None:
    """Makes the robot's next call attempt due now, even if the case changes meanwhile. Raises `NotFound`, and
    `Conflict` when the case is not called any more.
    """
    for _ in range(_PATIENCE):
        try:
            now = revision_of(services, case_id)
            call_now(SeenCase(services=services, case_id=case_id, actor=PLAYER, revision=now))
        except Overtaken:
            continue
        return
    raise Conflict("the case changes faster than it can be looked at")


def read_own_warning(services: Services, *, name: str, phone: str, fraud_type: FraudType) -> Accepted:
    """Reads a warning about the person who typed it, by the same rules as any other; the robot calls its first phone.
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
    read = read_warnings(services, [cells], token=_reader(services), internal=True).read[0]
    if isinstance(read, Rejected):
        raise Invalid(field=NAMES[read.field], problem=read.reason)
    if not name.strip():
        raise Invalid(field="name", problem="is empty")
    return read


def take_own_warning(services: Services, accepted: Accepted) -> int:
    """Takes the warning; returns the id of the case that it opened or joined. Pick up its handset first: the robot may
    call before this returns. Raises `Conflict` for a repeated warning.
    """
    now = services.clock.now()
    with services.act(PLAYER, Permission.LOAD_LISTS) as act:
        tx = act.tx
        taken = take_arrivals(tx, services, prepare_arrivals(tx, services, [accepted], load_id=None, now=now))
        (case_id,) = taken.case_ids
        if case_id is None:
            raise Conflict("this very warning is in the books already")
        # The warning itself is in the case's timeline, under this source.
        act.audit("take_warnings", "phone", facts={"case": case_id})
    services.enqueue("dial")
    return case_id


def _only_in_a_drill(services: Services) -> None:
    if not services.drill:
        raise Conflict("only the phones of a drill can be answered by hand")


def _reader(services: Services) -> ApiToken:
    """Rows are read in the name of a token; this one has no secret and is not stored."""
    moment = services.real.now()
    return ApiToken(
        id=0,
        name=PLAYER.name,
        scopes=frozenset(),
        unit="",
        unit_id=None,
        sources=(),
        created_at=moment,
        expires_at=moment,
        revoked_at=None,
        last_used_on=None,
    )
