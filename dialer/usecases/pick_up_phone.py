"""Somebody plays the person of a case on the simulated line: which number is theirs, and a warning about oneself.

Never for a real line: whoever calls this has made sure that the telephone network is our own.
"""

from __future__ import annotations

from dialer.domain.values import FraudType, Grade
from dialer.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.intake.records import Accepted, Field, Rejected
from dialer.store import audits, cases
from dialer.store.reads import persons
from dialer.store.tokens import Token
from dialer.usecases.act_on_case import ring_now, standing
from dialer.usecases.engine import Engine
from dialer.usecases.prepare_arrivals import prepare_arrivals
from dialer.usecases.take_arrivals import take_arrivals
from dialer.usecases.take_warnings import NAMES, read_warnings

PLAYER = "/phone"
"""Who the audit says it was."""
_PATIENCE = 5


def number_of(engine: Engine, case_id: int) -> str:
    """The number that the robot rings next, in E.164; the look is in the audit. Raises `NotFound`, and `Conflict` where
    the data are not a drill's.
    """
    _only_in_a_drill(engine)
    with engine.store.begin() as tx:
        person, locked = persons.of_case(tx, case_id), cases.lock(tx, [case_id])
        if person is None or case_id not in locked:
            raise NotFound(kind="case", key=case_id)
        audits.write(
            tx,
            who=PLAYER,
            act="reveal",
            subject=f"case/{case_id}",
            why="phone",
            now=engine.clock.now(),
        )
        return person.phones[locked[case_id].case.robot.number]


def ask_for_ring(engine: Engine, case_id: int) -> None:
    """The robot's next ring is wanted now, whatever happens to the case meanwhile. Raises `NotFound`, and `Conflict`
    where nobody may be rung any more.
    """
    for _ in range(_PATIENCE):
        try:
            ring_now(engine, case_id, by=PLAYER, expected=standing(engine, case_id).revision)
        except Overtaken:
            continue
        return
    raise Conflict("the case changes faster than it can be looked at")


def read_of_oneself(engine: Engine, *, name: str, phone: str, fraud_type: FraudType) -> Accepted:
    """A warning about whoever typed it, read by the rules of every other one; its first phone is the one that rings.
    Raises `Invalid` with the field that cannot be used, and `Conflict` where the data are not a drill's.
    """
    _only_in_a_drill(engine)
    now = engine.clock.now()
    cells = {
        Field.NAME: name,
        Field.PHONE: phone,
        Field.FRAUD_TYPE: fraud_type.value,
        Field.GRADE: Grade.HIGH.value,
        Field.PRODUCED_AT: now.isoformat(),
    }
    read = read_warnings(engine, [cells], token=_reader(engine)).read[0]
    if isinstance(read, Rejected):
        raise Invalid(field=NAMES[read.field], problem="cannot be used")
    if not name.strip():
        raise Invalid(field="name", problem="is empty")
    return read


def warn_of_oneself(engine: Engine, accepted: Accepted) -> int:
    """It is in the books; the case that it opened or joined. Its telephone must be in hand by now: the robot may ring
    before this returns.
    """
    now = engine.clock.now()
    with engine.store.begin() as tx:
        taken = take_arrivals(tx, engine, prepare_arrivals(tx, engine, [accepted], load_id=None, now=now))
        (case_id,) = taken.case_ids
        if case_id is None:
            raise Conflict("this very warning is in the books already")
        # The warning itself is in the case's timeline, under this source.
        audits.write(
            tx, who=PLAYER, act="take_warnings", subject="phone", why="", now=now, facts={"case": case_id}
        )
    engine.nudge("dial")
    return case_id


def _only_in_a_drill(engine: Engine) -> None:
    if not engine.drill:
        raise Conflict("only the phones of a drill can be answered by hand")


def _reader(engine: Engine) -> Token:
    """Rows are read in somebody's name; this one has no secret and is kept nowhere."""
    moment = engine.real.now()
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
